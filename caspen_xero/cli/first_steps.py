"""The first day in steps: what is done, and the command for what is not. Only looks; where there is no store, none is made."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from caspen_xero.cli.session import Session
from caspen_xero.cli.workspace_folders import folder_of
from caspen_xero.commands import option, to_paste
from caspen_xero.outside_text import plain
from caspen_xero.sync.setup.settings import NONE, SET, SETTINGS

if TYPE_CHECKING:
    from caspen_xero.store.mappings import Mappings

STORE = "store.sqlite"
TITLES = {
    "connect": "Connect to Xero",
    "source": "Caspen's records",
    "sales_account": "Account for invoice lines",
    "payments": "Who brings the payments to Xero",
    "payment_account": "Accounts for payments",
    "tax_rates": "Tax rates",
    "privacy": "What of a client goes to Xero",
    "start_date": "From when on",
    "first_push": "First push",
}
"""The steps in their order, as they are called wherever they are shown or asked."""

_QUESTIONS = ("payments", "privacy", "start_date")
"""The steps that are a setting each, which holds without an answer too."""
ANSWERED = "answered_in_setup"
"""The setting in which the store keeps what a person has answered, perhaps with what holds anyway."""


@dataclass(frozen=True)
class Step:
    """One step: whether it is `done`, what came of it or is to be done in words, and the command that does it by itself."""

    name: str
    done: bool
    words: str = ""
    command: str = ""

    @property
    def title(self) -> str:
        """What it is called."""
        return TITLES[self.name]

    def as_json(self) -> dict[str, Any]:
        """The step as `--json` shows it."""
        return {"step": self.name, "done": self.done, "words": self.words, "command": self.command}


def has_store(session: Session) -> bool:
    """Whether the workspace has a store; nothing is made by asking."""
    return (folder_of(session.workspace) / STORE).exists()


def first_steps(session: Session) -> list[Step]:
    """The steps in their order, as the store has them; no call is made."""
    if not has_store(session):
        found = [_connect(None), _source(None, 0), *_accounts(None, session), _rates([], connected=False)]
        found += [*_questions(session, answered=[]), _push(is_made=False)]
        return sorted(found, key=lambda step: list(TITLES).index(step.name))
    from caspen_xero.cli.sign_in import connect_again
    from caspen_xero.store.listing import count_listed
    from caspen_xero.sync.setup.organisation import known_tax_rates
    from caspen_xero.sync.setup.start_date import why_doubtful
    from caspen_xero.sync.setup.tax_links import rate_links
    from caspen_xero.times import local_day

    stored = session.store.connection()
    mappings = session.known_mappings if stored else None
    links = rate_links(session.store, mappings, known_tax_rates(mappings) if mappings else None)
    found = [
        _connect(stored, connect_again(session)),
        _source(session.settings.source, count_listed(session.store)),
        *_accounts(mappings, session),
        _rates([link.rate.name for link in links if not link.synced], connected=bool(links) and stored is not None),
        *_questions(session, answered=answered(session)),
        _push(
            is_made=is_pushed(session),
            doubt=why_doubtful(session.store, session.settings.start_date, local_day(session.now())),
        ),
    ]
    return sorted(found, key=lambda step: list(TITLES).index(step.name))


def is_pushed(session: Session) -> bool:
    """Whether the first push was made."""
    return bool(session.store.connection()) and session.known_mappings is not None and session.mappings.has_invoices()


def answered(session: Session) -> list[str]:
    """What a person has answered in this workspace, perhaps with what holds anyway; all of it once the first push was made."""
    found: list[str] = json.loads(session.store.setting(ANSWERED) or "[]")
    set_ = [one.key for one in SETTINGS if getattr(session.settings, one.key) != one.default]
    return [*found, *set_, *(TITLES if is_pushed(session) else ())]


def note_answered(session: Session, *names: str) -> None:
    """Keeps that these were answered."""
    with session.store.write():
        found: list[str] = json.loads(session.store.setting(ANSWERED) or "[]")
        session.store.set_setting(ANSWERED, json.dumps(sorted({*found, *names})))


def _questions(session: Session, *, answered: Collection[str]) -> Iterator[Step]:
    """The settings that hold without an answer too, but are each clinic's to choose."""
    for setting in (one for one in SETTINGS if one.key in _QUESTIONS):
        value = getattr(session.settings, setting.key) if has_store(session) else setting.default
        means = f"{value}: {setting.values[value]}" if value and setting.values else plain(value or setting.unset)
        if setting.key in answered:
            yield Step(setting.key, True, means)
        else:
            keep = f"{SET} {option(setting.option, value or NONE)}"
            yield Step(setting.key, False, f"not answered; now {means}", keep)


def _connect(stored: dict[str, Any] | None, again: str = "caspen-xero connect") -> Step:
    if stored is None:
        return Step("connect", False, "not connected", again)
    from caspen_xero.xero.connection import where

    mark = where(stored["xero_url"])
    return Step("connect", True, plain(stored["tenant_name"]) + (f" ({mark})" if mark else ""))


def in_words(invoices: int) -> str:
    """So many invoices."""
    return f"{invoices:,} {'invoice' if invoices == 1 else 'invoices'}"


def _source(source: str | None, known: int) -> Step:
    choose = f"{SET} --source PATH"
    if source and (why := _why_not_readable(source)):
        return Step("source", False, f"the source can't be read: {why}", choose)
    if source:
        return Step("source", True, f"{in_words(known)} from {plain(source)}")
    if known:
        return Step("source", True, f"{in_words(known)}, imported by hand")
    return Step("source", False, "none yet", choose)


def _why_not_readable(source: str) -> str:
    """Why there is nothing to read at a source; "" where there is, or where only its server could tell."""
    from caspen_xero.caspen.sources import is_url
    from caspen_xero.sync.setup.doctor import source_check

    check = None if is_url(source) else source_check(source)
    return "" if check is None or check.ok else check.message


def _accounts(mappings: Mappings | None, session: Session) -> list[Step]:
    from caspen_xero.sync.setup.accounts import account_label
    from caspen_xero.sync.setup.organisation import known_accounts
    from caspen_xero.sync.setup.settings import ACCOUNTS, PAYMENT_ACCOUNT

    links = mappings.account_links() if mappings else {}
    names = {one.account_id: account_label(one) for one in (known_accounts(mappings) or [] if mappings else [])}
    steps = []
    for account in ACCOUNTS:
        if account is PAYMENT_ACCOUNT and mappings and session.settings.feed_brings_payments:
            steps.append(Step(account.key, True, "none: a bank feed brings the payments"))
        elif id_ := links.get(account.purpose):
            steps.append(Step(account.key, True, names.get(id_, plain(id_))))
        else:
            ask = to_paste(f"settings accounts {account.purpose}")
            steps.append(Step(account.key, False, "not chosen", ask))
    return steps


def _rates(unlinked: list[str], *, connected: bool) -> Step:
    if connected and not unlinked:
        return Step("tax_rates", True, "each is linked to Xero's")
    more = f" and {len(unlinked) - 3} more" if len(unlinked) > 3 else ""
    words = f"not linked: {', '.join(map(plain, unlinked[:3]))}{more}" if unlinked else "not linked"
    return Step("tax_rates", False, words, "caspen-xero taxes map")


def _push(*, is_made: bool, doubt: str = "") -> Step:
    if is_made:
        return Step("first_push", True, "made")
    if doubt:
        from caspen_xero.sync.setup.start_date import FORGET

        return Step("first_push", False, doubt, FORGET)
    return Step("first_push", False, "not made", "caspen-xero push --dry-run")
