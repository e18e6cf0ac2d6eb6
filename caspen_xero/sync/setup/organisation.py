"""What the plan needs to know of the organisation: itself, its accounts, its tax rates; asked once a day at most.

Only what was checked is kept: of a list, the elements that can be read, and in the place of each other one a sentence about it.
Asked for again is only what is older than a day, what an earlier version kept unchecked and nobody can read, and what a caller
wants anew because a person has just changed it in Xero, or because Xero refused something.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Generic, TypeVar

from caspen_xero.errors import UserError
from caspen_xero.store.mappings import Mappings
from caspen_xero.xero.answers import read
from caspen_xero.xero.calls import Client
from caspen_xero.xero.codec import encode
from caspen_xero.xero.deeplinks import XeroPages
from caspen_xero.xero.documents import Account, Currency, Organisation, TaxRate
from caspen_xero.xero.elements import Element
from caspen_xero.xero.errors import Unreadable
from caspen_xero.xero.hosts import base_url
from caspen_xero.xero.reading import LISTED, ListKind, whole_list

ONE_DAY = timedelta(days=1)

_NEEDED: tuple[ListKind, ...] = ("Organisation", "Accounts", "TaxRates")


@dataclass(frozen=True)
class OrganisationFacts:
    """One reading of the organisation, its chart of accounts and its tax rates.

    `accounts` and `tax_rates` hold archived accounts and deleted rates too. `currencies` is None until asked for. `left_out`: a
    sentence about each element of these lists that can't be read.
    """

    organisation: Organisation
    accounts: list[Account]
    tax_rates: list[TaxRate]
    currencies: tuple[str, ...] | None = None
    left_out: tuple[str, ...] = ()

    @classmethod
    def unknown(cls) -> OrganisationFacts:
        """Nothing is known of the organisation yet."""
        return cls(Organisation(), [], [])

    def account(self, account_id: str | None) -> Account | None:
        """The account with that AccountID, or None."""
        return self._accounts.get(account_id or "")

    def tax_rate(self, tax_type: str | None) -> TaxRate | None:
        """The tax rate with that TaxType, or None."""
        return self._tax_rates.get(tax_type or "")

    @cached_property
    def _accounts(self) -> dict[str, Account]:
        return {account.account_id: account for account in self.accounts}

    @cached_property
    def _tax_rates(self) -> dict[str, TaxRate]:
        active_last = sorted(self.tax_rates, key=lambda rate: rate.status == "ACTIVE")
        return {rate.tax_type: rate for rate in active_last}


def itself(mappings: Mappings | None) -> Organisation | None:
    """The linked organisation as last read, however old, or None."""
    known = _known(mappings, "Organisation", Organisation) if mappings else None
    return known.elements[0] if known and known.elements else None


def pages_of(mappings: Mappings) -> XeroPages:
    """Where the linked organisation's documents open in a browser, as far as that is known."""
    organisation = itself(mappings)
    short_code = organisation.short_code if organisation else None
    stored = (mappings.store.connection() or {}).get("xero_url")
    if not stored:
        return XeroPages(short_code)
    try:
        return XeroPages(short_code, base_url(stored))
    except UserError:  # an earlier version connected to where nobody is sent by now
        return XeroPages(short_code, "")


def known_organisation(mappings: Mappings) -> OrganisationFacts | None:
    """The last reading, however old; None where one of the three lists was never read."""
    organisation = _known(mappings, "Organisation", Organisation)
    accounts, tax_rates = _known(mappings, "Accounts", Account), _known(mappings, "TaxRates", TaxRate)
    if not (organisation and accounts and tax_rates and organisation.elements):
        return None
    currencies = _known(mappings, "Currencies", Currency)
    return OrganisationFacts(
        organisation=organisation.elements[0],
        accounts=accounts.elements,
        tax_rates=tax_rates.elements,
        currencies=_codes(currencies.elements) if currencies else None,
        left_out=(*accounts.left_out, *tax_rates.left_out, *(currencies.left_out if currencies else ())),
    )


def read_organisation(
    client: Client, mappings: Mappings, *, now: datetime, max_age: timedelta = ONE_DAY, refresh: bool = False
) -> OrganisationFacts:
    """The facts, with everything older than `max_age` (with `refresh`: everything) read from Xero: 0 to 3 calls."""
    for kind in _NEEDED:
        _read_if_older(client, mappings, kind, LISTED[kind], now, _NO_AGE if refresh else max_age)
    facts = known_organisation(mappings)
    assert facts is not None
    return facts


def read_accounts(
    client: Client, mappings: Mappings, *, now: datetime, max_age: timedelta = timedelta()
) -> list[Account]:
    """The chart of accounts as it is now, or was `max_age` ago: 1 call at most."""
    return _read_if_older(client, mappings, "Accounts", Account, now, max_age).elements


def read_tax_rates(
    client: Client, mappings: Mappings, *, now: datetime, max_age: timedelta = timedelta()
) -> list[TaxRate]:
    """The tax rates, deleted ones too, as they are now, or were `max_age` ago: 1 call at most."""
    return _read_if_older(client, mappings, "TaxRates", TaxRate, now, max_age).elements


def read_itself(client: Client, mappings: Mappings, *, now: datetime) -> None:
    """Has the organisation itself at hand, as it was a day ago at most: 1 call at most."""
    _read_if_older(client, mappings, "Organisation", Organisation, now, ONE_DAY)


def known_accounts(mappings: Mappings) -> list[Account] | None:
    """The chart of accounts as last read, or None."""
    known = _known(mappings, "Accounts", Account)
    return known.elements if known else None


def known_tax_rates(mappings: Mappings) -> list[TaxRate] | None:
    """The tax rates as last read, or None."""
    known = _known(mappings, "TaxRates", TaxRate)
    return known.elements if known else None


def left_out(mappings: Mappings, kind: ListKind) -> list[str]:
    """A sentence about each element of a list, as last read, that can't be read."""
    known = _known(mappings, kind, LISTED[kind])
    return known.left_out if known else []


def read_currencies(
    client: Client, mappings: Mappings, *, now: datetime, max_age: timedelta = ONE_DAY, refresh: bool = False
) -> tuple[str, ...]:
    """The codes of the currencies that the organisation has enabled: asked for only where an invoice needs to know."""
    age = _NO_AGE if refresh else max_age
    return _codes(_read_if_older(client, mappings, "Currencies", Currency, now, age).elements)


# --- what is kept of a list


_NO_AGE = timedelta(microseconds=-1)
_Kind = TypeVar("_Kind", bound=Element)


@dataclass(frozen=True)
class _List(Generic[_Kind]):
    """A list as it was last read: what can be read of it, and sentences about the rest."""

    read_at: datetime
    elements: list[_Kind]
    left_out: list[str]


def _read_if_older(
    client: Client, mappings: Mappings, kind: ListKind, of: type[_Kind], now: datetime, max_age: timedelta
) -> _List[_Kind]:
    known = _known(mappings, kind, of)
    if known and abs(now - known.read_at) <= max_age:  # the difference either way: a clock may have been set back
        return known
    elements, odd = whole_list(client, kind)
    kept = [*(one.model_dump(exclude_none=True) for one in elements), *(f"Left out: {one.why}." for one in odd)]
    mappings.put_xero_list(kind, now, encode(kept).decode())
    anew = _known(mappings, kind, of)
    assert anew is not None
    return anew


def _known(mappings: Mappings, kind: ListKind, of: type[_Kind]) -> _List[_Kind] | None:
    """A list as kept; None where it was never read, or an earlier version has kept what can't be read."""
    kept = mappings.xero_list(kind)
    if kept is None:
        return None
    read_at, rows = kept
    words = [row for row in rows if isinstance(row, str)]
    try:
        return _List(read_at, [read(of, row) for row in rows if not isinstance(row, str)], words)
    except Unreadable:
        return None


def _codes(currencies: list[Currency]) -> tuple[str, ...]:
    return tuple(one.code for one in currencies)
