"""The first day in steps: what is done, and the command for what is not. Only looks; where there is no store, none is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from caspen_xero.cli.session import Session
from caspen_xero.cli.workspace_folders import folder_of
from caspen_xero.commands import to_paste
from caspen_xero.outside_text import plain

if TYPE_CHECKING:
    from caspen_xero.store.mappings import Mappings

STORE = "store.sqlite"


@dataclass(frozen=True)
class Step:
    """One step: whether it is `done`, what came of it or is to be done in words, and the command that does it by itself."""

    name: str
    title: str
    done: bool
    words: str = ""
    command: str = ""

    def as_json(self) -> dict[str, Any]:
        """The step as `--json` shows it."""
        return {"step": self.name, "done": self.done, "words": self.words, "command": self.command}


def has_store(session: Session) -> bool:
    """Whether the workspace has a store; nothing is made by asking."""
    return (folder_of(session.workspace) / STORE).exists()


def first_steps(session: Session) -> list[Step]:
    """The steps in their order, as the store has them; no call is made."""
    if not has_store(session):
        return [
            _connect(None),
            _source(None, 0),
            *_accounts(None, session),
            _rates([], connected=False),
            _push(is_made=False),
        ]
    from caspen_xero.store import clinic
    from caspen_xero.sync.setup.organisation import known_tax_rates
    from caspen_xero.sync.setup.tax_links import rate_links

    stored = session.store.connection()
    mappings = session.known_mappings if stored else None
    links = rate_links(session.store, mappings, known_tax_rates(mappings) if mappings else None)
    return [
        _connect(stored),
        _source(session.settings.source, clinic.count_invoices(session.store)),
        *_accounts(mappings, session),
        _rates([link.rate.name for link in links if not link.synced], connected=bool(links) and stored is not None),
        _push(is_made=mappings is not None and mappings.has_invoices()),
    ]


def _connect(stored: dict[str, Any] | None) -> Step:
    if stored is None:
        return Step("connect", "Connect to Xero", False, "not connected", "caspen-xero connect")
    from caspen_xero.xero.connection import where

    mark = where(stored["xero_url"])
    return Step("connect", "Connect to Xero", True, plain(stored["tenant_name"]) + (f" ({mark})" if mark else ""))


def _source(source: str | None, invoices: int) -> Step:
    known = f"{invoices:,} {'invoice' if invoices == 1 else 'invoices'}"
    title = "Caspen's records"
    if source or invoices:
        return Step("source", title, True, f"{known} from {plain(source)}" if source else f"{known}, imported by hand")
    return Step("source", title, False, "none yet", "caspen-xero settings set --source PATH")


def _accounts(mappings: Mappings | None, session: Session) -> list[Step]:
    from caspen_xero.sync.setup.accounts import account_label
    from caspen_xero.sync.setup.organisation import known_accounts
    from caspen_xero.sync.setup.settings import ACCOUNTS, PAYMENT_ACCOUNT

    links = mappings.account_links() if mappings else {}
    names = {one.account_id: account_label(one) for one in (known_accounts(mappings) or [] if mappings else [])}
    steps = []
    for account in ACCOUNTS:
        if account is PAYMENT_ACCOUNT and mappings and session.settings.feed_brings_payments:
            steps.append(Step(account.key, account.title, True, "none: a bank feed brings the payments"))
        elif id_ := links.get(account.purpose):
            steps.append(Step(account.key, account.title, True, names.get(id_, plain(id_))))
        else:
            ask = to_paste(f"settings accounts {account.purpose}")
            steps.append(Step(account.key, account.title, False, "not chosen", ask))
    return steps


def _rates(unlinked: list[str], *, connected: bool) -> Step:
    title = "Tax rates"
    if connected and not unlinked:
        return Step("tax_rates", title, True, "each is linked to Xero's")
    more = f" and {len(unlinked) - 3} more" if len(unlinked) > 3 else ""
    words = f"not linked: {', '.join(map(plain, unlinked[:3]))}{more}" if unlinked else "not linked"
    return Step("tax_rates", title, False, words, "caspen-xero taxes map")


def _push(*, is_made: bool) -> Step:
    if is_made:
        return Step("first_push", "First push", True, "made")
    return Step("first_push", "First push", False, "not made", "caspen-xero push --dry-run")
