"""`doctor`: every precondition of a push, each with what is wrong and the step that mends it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from caspen_xero.caspen.feed import FeedError
from caspen_xero.caspen.sources import open_feed
from caspen_xero.store.mappings import Mappings
from caspen_xero.store.store import Store
from caspen_xero.sync.problems import quoted
from caspen_xero.sync.setup import accounts
from caspen_xero.sync.setup.organisation import OrganisationFacts, read_organisation
from caspen_xero.sync.setup.settings import ACCOUNTS, SET
from caspen_xero.sync.setup.tax_links import rate_links
from caspen_xero.xero.calls import Client
from caspen_xero.xero.clock import CLOCKS_APART, XeroClock, clocks_apart
from caspen_xero.xero.errors import XeroError

SET_CLOCK = "Set this machine's clock, and let the system keep it right (network time)."


@dataclass(frozen=True)
class Check:
    """One precondition: met or not, in words, with the fix where it is not."""

    name: str
    ok: bool
    message: str
    fix: str = ""


def source_check(source: str | None, api_key: str | None = None) -> Check:
    """Whether push will find Caspen's export by itself. `api_key`: the kept key of a server."""
    if not source:
        fix = "caspen-xero settings set --source PATH"
        return Check("source", True, "none set: push sends what `import` has read", fix)
    try:
        feed = open_feed(source, api_key=api_key)
    except FeedError as error:
        return Check("source", False, error.message, error.fix)
    return Check("source", True, feed.description)


def organisation_checks(
    store: Store, mappings: Mappings, client: Callable[[], Client], now: datetime
) -> Iterator[Check]:
    """What only the organisation itself can tell, and the clock against Xero's: three calls."""
    try:
        facts = read_organisation(client(), mappings, now=now, refresh=True)
    except XeroError as error:
        yield Check("xero", False, error.message, error.fix)
        return
    organisation = facts.organisation
    yield _clock_check(client().clock)
    yield Check("xero", True, f"{organisation.name} answers ({organisation.base_currency})")
    locks = {"everybody": organisation.end_of_year_lock_date, "all but advisers": organisation.period_lock_date}
    told = ", ".join(f"up to {day} for {whom}" for whom, day in locks.items() if day)
    yield Check("lock dates", True, f"the books are locked {told}" if told else "no period is locked")
    yield from _account_checks(mappings, facts)
    for link in rate_links(store, mappings, facts.tax_rates):
        if not link.synced:
            fix = f"caspen-xero taxes map {quoted(link.rate.name)} TAX_TYPE"
            yield Check("tax rate", False, f"{link.rate.name}: {link.problem or 'not linked'}", fix)


def _clock_check(clock: XeroClock) -> Check:
    ahead = clock.machine_ahead
    if ahead is None:
        return Check("clock", True, "Xero did not say what time it is")
    is_right = abs(ahead) <= CLOCKS_APART
    return Check("clock", is_right, f"this machine's is {clocks_apart(ahead)}", "" if is_right else SET_CLOCK)


def _account_checks(mappings: Mappings, facts: OrganisationFacts) -> Iterator[Check]:
    for setting in ACCOUNTS:
        account = facts.account(mappings.account_links().get(setting.purpose))
        fix = f"{SET} {setting.option} CODE"
        why = accounts.why_not(account, setting.purpose) if account else "none is chosen"
        label = accounts.account_label(account) if account else ""
        yield Check(
            setting.key.replace("_", " "),
            why is None,
            label if why is None else f"{label + ': ' if label else ''}{why}",
            fix if why else "",
        )
