"""`doctor`: every precondition of a push, each with what is wrong and the step that mends it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from caspen_xero.caspen.feed import FeedError
from caspen_xero.caspen.sources import open_feed
from caspen_xero.commands import to_paste
from caspen_xero.outside_text import MOST_OF_A_PATH, plain
from caspen_xero.store.mappings import Mappings
from caspen_xero.store.store import Store
from caspen_xero.sync.setup import accounts
from caspen_xero.sync.setup.organisation import OrganisationFacts, read_organisation
from caspen_xero.sync.setup.settings import ACCOUNTS, SET
from caspen_xero.sync.setup.tax_links import rate_links
from caspen_xero.sync.setup.taxes import rate_name
from caspen_xero.xero.calls import Client
from caspen_xero.xero.clock import CLOCKS_APART, XeroClock, clocks_apart
from caspen_xero.xero.errors import XeroError

SET_CLOCK = "Set this machine's clock, and let the system keep it right (network time)."
LEFT_OUT = "Open it in Xero and save it anew, then: caspen-xero doctor"


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
    return Check("source", True, plain(feed.description, MOST_OF_A_PATH))


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
    yield Check("xero", True, f"{plain(organisation.name)} answers ({plain(organisation.base_currency)})")
    locks = {"everybody": organisation.end_of_year_lock_date, "all but advisers": organisation.period_lock_date}
    locked = ", ".join(f"up to {day} for {whom}" for whom, day in locks.items() if day)
    yield Check("lock dates", True, f"the books are locked {locked}" if locked else "no period is locked")
    for told in facts.left_out:
        yield Check("xero's lists", False, told, LEFT_OUT)
    yield from _account_checks(mappings, facts)
    links = rate_links(store, mappings, facts.tax_rates)
    for link in links:
        if not link.synced:
            fix = to_paste("taxes map", rate_name(link.rate, (one.rate for one in links)), "TAX_TYPE")
            yield Check("tax rate", False, f"{plain(link.rate.name)}: {link.problem or 'not linked'}", fix)


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
