"""`doctor`: every precondition of a push, each with what is wrong and the step that mends it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from caspen_xero.caspen.feed import FeedError
from caspen_xero.caspen.sources import open_feed
from caspen_xero.commands import Choice
from caspen_xero.outside_text import MOST_OF_A_PATH, plain
from caspen_xero.store import clinic
from caspen_xero.store.mappings import Mappings
from caspen_xero.store.store import Store
from caspen_xero.sync.setup import accounts
from caspen_xero.sync.setup.changes import account_choices, purposes_in_use
from caspen_xero.sync.setup.organisation import OrganisationFacts, read_organisation
from caspen_xero.sync.setup.settings import Settings
from caspen_xero.sync.setup.tax_links import rate_links
from caspen_xero.sync.setup.taxes import rate_answers, rate_fix
from caspen_xero.xero.calls import Client
from caspen_xero.xero.clock import CLOCKS_APART, XeroClock, clocks_apart
from caspen_xero.xero.errors import XeroError

SET_CLOCK = "Set this machine's clock, and let the system keep it right (network time)."
WITHOUT_INVOICING = ("LEDGER", "GST_CASHBOOK", "NON_GST_CASHBOOK")
"""Plans of Xero's, as an organisation's Class names them, that have no sales invoices (help pages of Splose and Link My Books)."""
OTHER_PLAN = "Move the organisation to a plan with invoicing in Xero, then: caspen-xero doctor"
LEFT_OUT = "Open it in Xero and save it anew, then: caspen-xero doctor"


@dataclass(frozen=True)
class Check:
    """One precondition: met or not, in words, with the fix where it is not, or where something is still to be done or chosen."""

    name: str
    ok: bool
    message: str
    fix: str = ""
    choices: tuple[Choice, ...] = ()
    """The answers that are possible, where the fix is a command that asks."""

    @property
    def state(self) -> Literal["ok", "note", "not-ok"]:
        """`note`: it is met, and there is something to be done or chosen all the same."""
        return "not-ok" if not self.ok else "note" if self.fix else "ok"


def source_check(source: str | None, api_key: str | None = None) -> Check:
    """Whether push will find Caspen's export by itself, and a server answers. `api_key`: the kept key of that."""
    if not source:
        fix = "caspen-xero settings set --source PATH"
        return Check("source", True, "none set: push sends what `import` has read", fix)
    try:
        with closing(open_feed(source, api_key=api_key)) as feed:
            feed.check()
            return Check("source", True, plain(feed.description, MOST_OF_A_PATH))
    except FeedError as error:
        return Check("source", False, error.message, error.fix)


def organisation_checks(
    store: Store, mappings: Mappings, settings: Settings, client: Callable[[], Client], now: datetime
) -> Iterator[Check]:
    """What only the organisation itself can tell, and the clock against Xero's: three calls."""
    try:
        facts = read_organisation(client(), mappings, now=now, refresh=True)
    except XeroError as error:
        yield Check("xero", False, error.message, error.fix)
        return
    organisation = facts.organisation
    yield _clock_check(client().clock)
    yield Check("xero", True, f"{plain(organisation.name)} answers ({plain(organisation.base_currency)})")
    if organisation.plan in WITHOUT_INVOICING:
        words = (
            f"this organisation's plan in Xero ({organisation.plan}) has no sales invoices: apps can make none there"
        )
        yield Check("plan", False, words, OTHER_PLAN)
    locks = {"everybody": organisation.end_of_year_lock_date, "all but advisers": organisation.period_lock_date}
    locked = ", ".join(f"up to {day} for {whom}" for whom, day in locks.items() if day)
    yield Check("lock dates", True, f"the books are locked {locked}" if locked else "no period is locked")
    for told in facts.left_out:
        yield Check("xero's lists", False, told, LEFT_OUT)
    yield from _account_checks(store, mappings, settings, facts)
    links = rate_links(store, mappings, facts.tax_rates)
    rates = clinic.tax_rates(store)
    for link in links:
        if not link.synced:
            message = f"{plain(link.rate.name)}: {link.problem or 'not linked'}"
            answers = rate_answers(link.rate, rates, facts.tax_rates)
            yield Check("tax rate", False, message, rate_fix(link.rate, rates, facts.tax_rates), answers)


def unsynced_checks(rows: Iterable[Mapping[str, Any]]) -> Iterator[Check]:
    """What `unsynced` lists, a line for each code: how many invoices it keeps out, and the fix where all of them have the same.

    What the next push or pull takes by itself, or what waits for a person's approval, is no fault.
    """
    by_code: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_code.setdefault(row["code"], []).append(row)
    for code, those in by_code.items():
        names = list(dict.fromkeys(plain(row["number"] or row["invoice_id"]) for row in those))
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        message = f"{len(names)} {'invoice' if len(names) == 1 else 'invoices'}: {', '.join(names[:3])}{more}"
        fixes = list(dict.fromkeys(row["fix"] for row in those))
        fix, choices = (fixes[0], those[0]["choices"]) if len(fixes) == 1 else ("caspen-xero unsynced", ())
        yield Check(code, all(row["sync_status"] == "pending" for row in those), message, fix, choices)


def _clock_check(clock: XeroClock) -> Check:
    ahead = clock.machine_ahead
    if ahead is None:
        return Check("clock", True, "Xero did not say what time it is")
    is_right = abs(ahead) <= CLOCKS_APART
    return Check("clock", is_right, f"this machine's is {clocks_apart(ahead)}", "" if is_right else SET_CLOCK)


def _account_checks(store: Store, mappings: Mappings, settings: Settings, facts: OrganisationFacts) -> Iterator[Check]:
    chosen, methods = account_choices(mappings, facts.accounts), clinic.payment_methods(store)
    for purpose in purposes_in_use(mappings, settings):
        name = "sales account" if purpose == accounts.SALES else "payment account"
        whose = f"{accounts.purpose_in_words(purpose, methods)}: " if accounts.problem_subject(purpose) else ""
        choice = chosen.get(purpose)
        label = accounts.account_label(choice.account) if choice and choice.account else ""
        why = choice.problem if choice else "none is chosen"
        if why is None:
            yield Check(name, True, f"{whose}{label}")
            continue
        fix = accounts.account_fix(purpose, facts.accounts, methods)
        answers = accounts.account_answers(purpose, facts.accounts, methods)
        yield Check(name, False, f"{whose}{label + ': ' if label else ''}{why}", fix, answers)
    if settings.feed_brings_payments:
        yield Check("payment account", True, "payments are off: none goes to Xero")
