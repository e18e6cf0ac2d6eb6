"""What the plan needs to know of the organisation: itself, its accounts, its tax rates; asked once a day at most.

A list stays in the store as Xero sent it. Only what is older than a day is asked for again, or what a caller wants anew
because a person has just changed it in Xero, or because Xero refused something.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from caspen_xero.store.mappings import Mappings
from caspen_xero.xero.answers import read
from caspen_xero.xero.calls import Client
from caspen_xero.xero.documents import Account, Currency, Organisation, TaxRate, encode
from caspen_xero.xero.reading import ListKind, whole_list

ONE_DAY = timedelta(days=1)

_NEEDED: tuple[ListKind, ...] = ("Organisation", "Accounts", "TaxRates")


@dataclass(frozen=True)
class OrganisationFacts:
    """One reading of the organisation, its chart of accounts and its tax rates.

    `accounts` and `tax_rates` hold archived accounts and deleted rates too. `currencies` is None until asked for.
    """

    organisation: Organisation
    accounts: list[Account]
    tax_rates: list[TaxRate]
    currencies: tuple[str, ...] | None = None

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


def known_organisation(mappings: Mappings) -> OrganisationFacts | None:
    """The last reading, however old; None where one of the three lists was never read."""
    lists = {kind: mappings.xero_list(kind) for kind in _NEEDED}
    organisation, accounts, tax_rates = (lists[kind] for kind in _NEEDED)
    if not (organisation and accounts and tax_rates and organisation[1]):
        return None
    currencies = mappings.xero_list("Currencies")
    return OrganisationFacts(
        organisation=read(Organisation, organisation[1][0]),
        accounts=[read(Account, account) for account in accounts[1]],
        tax_rates=[read(TaxRate, rate) for rate in tax_rates[1]],
        currencies=_codes(currencies[1]) if currencies else None,
    )


def read_organisation(
    client: Client, mappings: Mappings, *, now: datetime, max_age: timedelta = ONE_DAY, refresh: bool = False
) -> OrganisationFacts:
    """The facts, with everything older than `max_age` (with `refresh`: everything) read from Xero: 0 to 3 calls."""
    for kind in _NEEDED:
        if refresh:
            read_again(client, mappings, kind, now=now)
        else:
            _read_if_older(client, mappings, kind, now, max_age)
    facts = known_organisation(mappings)
    assert facts is not None
    return facts


def read_accounts(
    client: Client, mappings: Mappings, *, now: datetime, max_age: timedelta = timedelta()
) -> list[Account]:
    """The chart of accounts as it is now, or was `max_age` ago: 1 call at most."""
    elements = _read_if_older(client, mappings, "Accounts", now, max_age)
    return [read(Account, account) for account in elements]


def read_tax_rates(
    client: Client, mappings: Mappings, *, now: datetime, max_age: timedelta = timedelta()
) -> list[TaxRate]:
    """The tax rates, deleted ones too, as they are now, or were `max_age` ago: 1 call at most."""
    elements = _read_if_older(client, mappings, "TaxRates", now, max_age)
    return [read(TaxRate, rate) for rate in elements]


def known_accounts(mappings: Mappings) -> list[Account] | None:
    """The chart of accounts as last read, or None."""
    known = mappings.xero_list("Accounts")
    return [read(Account, account) for account in known[1]] if known else None


def known_tax_rates(mappings: Mappings) -> list[TaxRate] | None:
    """The tax rates as last read, or None."""
    known = mappings.xero_list("TaxRates")
    return [read(TaxRate, rate) for rate in known[1]] if known else None


def read_currencies(
    client: Client, mappings: Mappings, *, now: datetime, max_age: timedelta = ONE_DAY, refresh: bool = False
) -> tuple[str, ...]:
    """The codes of the currencies that the organisation has enabled: asked for only where an invoice needs to know."""
    if refresh:
        return _codes(read_again(client, mappings, "Currencies", now=now))
    return _codes(_read_if_older(client, mappings, "Currencies", now, max_age))


def read_again(client: Client, mappings: Mappings, kind: ListKind, *, now: datetime) -> list[dict[str, Any]]:
    """Reads one list from Xero and keeps it: 1 call. Raises `XeroError`."""
    elements = whole_list(client, kind)
    mappings.put_xero_list(kind, now, encode(elements).decode())
    return elements


def _read_if_older(
    client: Client, mappings: Mappings, kind: ListKind, now: datetime, max_age: timedelta
) -> list[dict[str, Any]]:
    known = mappings.xero_list(kind)
    if known and abs(now - known[0]) <= max_age:  # the difference either way: a clock may have been set back
        return known[1]
    return read_again(client, mappings, kind, now=now)


def _codes(currencies: list[dict[str, Any]]) -> tuple[str, ...]:
    return tuple(read(Currency, currency).code for currency in currencies)
