"""Organisations: what each shows of itself, its lock dates, its own today, and the switches behind its screens."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from caspen_xero.sandbox.books import messages
from caspen_xero.sandbox.books.ledger import Body, Books, Ledger
from caspen_xero.sandbox.books.refusals import Refusal
from caspen_xero.sandbox.books.wire import read_date, xero_date
from caspen_xero.sandbox.organisation.countries import COUNTRIES

SPACE = uuid.UUID("6c8f8f3e-2f0b-4d5a-9d51-5b6f3f0f6a11")
DATES = ("PeriodLockDate", "EndOfYearLockDate")
# What a person sets in Xero's screens, or what is unknown of Xero; never part of an answer.
SWITCHES = {"Adviser", "ApprovalLimit", "Approver", "KeepsTaxAmount"}


@dataclass(frozen=True)
class Organisation:
    """What sign-in and pages need to know of an organisation."""

    tenant_id: str
    name: str
    country: str
    short_code: str
    organisation_id: str


def fixed_id(*parts: str) -> str:
    """An id that is the same in every sandbox."""
    return str(uuid.uuid5(SPACE, "/".join(parts)))


def summary(tenant_id: str, body: Body) -> Organisation:
    return Organisation(tenant_id, body["Name"], body["CountryCode"], body["ShortCode"], body["OrganisationID"])


def all_organisations(books: Books) -> list[Organisation]:
    """Every organisation, in the order in which they were made."""
    return [summary(tenant_id, body) for tenant_id, body in books.organisations()]


def organisation_of(ledger: Ledger) -> Body:
    """The ledger's organisation; one that was made by an earlier version has an id of its own.

    Raises LookupError for an unknown tenant id.
    """
    found = ledger.find("Organisation", ledger.tenant_id) or next(iter(ledger.select("Organisation")), None)
    if found is None:
        raise LookupError(f"no organisation with the tenant id {ledger.tenant_id}")
    return found


def show_organisation(body: Body) -> Body:
    shown = {key: value for key, value in body.items() if key not in ("Created", "Switches", "Counters", "Updated")}
    for name in DATES:
        if shown.get(name):
            shown[name] = xero_date(shown[name])
    shown["CreatedDateUTC"] = f"/Date({body['Created']})/"  # without an offset (recorded)
    shown |= {"Addresses": [], "Phones": [], "ExternalLinks": [], "PaymentTerms": {}}
    return shown


def change_organisation(ledger: Ledger, fields: dict[str, Any]) -> None:
    """What a person changes in the organisation's settings: lock dates (a date, or nothing to lift it), any shown field, a switch.

    Raises ValueError for a field that no organisation has, or a date that is none.
    """
    body = organisation_of(ledger)
    for name, value in fields.items():
        if name in SWITCHES:
            body["Switches"][name] = value
        elif name in DATES:
            body[name] = read_date(value) if value else None
            if not value:
                del body[name]
        elif name in body and name not in ("OrganisationID", "Created", "Switches", "Counters", "Updated"):
            body[name] = value
        else:
            raise ValueError(f"an organisation has no field {name!r}")
    ledger.save("Organisation", body)


def switch(ledger: Ledger, name: str, default: Any) -> Any:
    return organisation_of(ledger)["Switches"].get(name, default)


def next_number(ledger: Ledger, kind: str, prefix: str) -> str:
    """The next number that Xero gives a document without one: `INV-0001`; numbers in use are passed over."""
    organisation = organisation_of(ledger)
    counters = organisation["Counters"]
    while True:
        counters[prefix] = counters.get(prefix, 0) + 1
        number = f"{prefix}-{counters[prefix]:04d}"
        if not ledger.by_number(kind, number):
            ledger.save("Organisation", organisation, changed=False)
            return number


def today(ledger: Ledger) -> str:
    """The date in the organisation's own time zone: what Xero fills in for a missing Date."""
    country = COUNTRIES[organisation_of(ledger)["CountryCode"]]
    zone: tzinfo
    try:
        zone = ZoneInfo(country.timezone)
    except ZoneInfoNotFoundError:  # a machine without time zone data: standard time will do
        zone = timezone(timedelta(hours=country.utc_offset))
    return ledger.books.clock.now().astimezone(zone).date().isoformat()


def check_lock_dates(ledger: Ledger, day: str, *, is_draft: bool = False) -> None:
    """Refuses to date what is new, or moved, on or before a lock date that binds whoever connected (a lock covers its own day)."""
    locked = _lock_on(ledger, day, is_draft)
    if locked:
        message = messages.YEAR_LOCKED if locked == "EndOfYearLockDate" else messages.PERIOD_LOCKED
        raise Refusal(message(day=f"{date.fromisoformat(organisation_of(ledger)[locked]):%d-%b-%Y}"))


def check_edit_by_lock_dates(ledger: Ledger, day: str, *, is_draft: bool = False) -> None:
    """Refuses to change or to take back what stands on that day."""
    locked = _lock_on(ledger, day, is_draft)
    if locked:
        raise Refusal((messages.EDIT_YEAR_LOCKED if locked == "EndOfYearLockDate" else messages.EDIT_PERIOD_LOCKED)())


def _lock_on(ledger: Ledger, day: str, is_draft: bool) -> str | None:
    """The lock date that forbids a day: the end of year's binds all, the period's all but advisers, and drafts move no money."""
    if is_draft and ledger.ways.draft_in_locked_period == "taken":
        return None
    binding = DATES[1:] if switch(ledger, "Adviser", False) else DATES[::-1]
    organisation = organisation_of(ledger)
    return next((name for name in binding if day <= organisation.get(name, "")), None)


def count_approval(ledger: Ledger, day: str) -> None:
    """Counts a sales invoice of that date, approved now, against the plan's limit (entry plans: 20 a month). Refuses above it."""
    limit = switch(ledger, "ApprovalLimit", None)
    organisation = organisation_of(ledger)
    counts = {"approval-month": f"approved {today(ledger)[:7]}", "invoice-date": f"dated {day[:7]}"}
    counters = organisation["Counters"]
    if limit is not None and counters.get(counts[ledger.ways.approval_limit_counts], 0) >= int(limit):
        raise Refusal(messages.APPROVAL_LIMIT())
    counters |= {name: counters.get(name, 0) + 1 for name in counts.values()}
    ledger.save("Organisation", organisation, changed=False)
