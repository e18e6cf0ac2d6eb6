"""Which of Xero's documents a reconciliation has to see: as lists to be read whole, and as a question about one document.

Invoices of the period, and of the days up to that of the debtors. From before the period those that are open now, and those
that are paid now and have changed since that day, as they may have been open on it. Payments and credit notes from the period's
first day on, or from the day after that of the debtors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from caspen_xero.sync.reconciling.ledger import Asked
from caspen_xero.xero.documents import CreditNote, Invoice, Payment
from caspen_xero.xero.whole_lists import WholeList, dated, in_status

_FIRST_ZONE = timedelta(hours=14)
"""By how much the earliest time zone is ahead of UTC: there a day begins first."""
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Wanted:
    """What is to be read for what a person asks. `now`: the time (UTC) when the reading began."""

    asked: Asked
    now: datetime

    @property
    def upto(self) -> date:
        """The last day of which invoices count."""
        return max(self.asked.last, self.asked.as_at)

    @property
    def money_from(self) -> date | None:
        """The first day of which payments and credit notes count; None: all do."""
        return None if self.asked.first is None else min(self.asked.first, self.asked.as_at + _DAY)

    @property
    def before(self) -> date | None:
        """Up to which day invoices from before the period count; None where there are none from before."""
        return None if self.asked.first is None else min(self.asked.first - _DAY, self.asked.as_at)

    @property
    def since(self) -> datetime | None:
        """From when on (UTC) what is done in Xero may be done after the day of the debtors; None where that is yet to come."""
        moment = datetime.combine(self.asked.as_at + _DAY, time(tzinfo=UTC)) - _FIRST_ZONE
        return moment if moment <= self.now else None

    @property
    def lists(self) -> dict[str, WholeList]:
        """The lists to be read whole, by what they are called here, in their order."""
        found = {"invoices": WholeList("Invoices", dated(self.asked.first, self.upto))}
        if self.before is not None:
            found["open before"] = WholeList("Invoices", [in_status("AUTHORISED"), *dated(None, self.before)])
            if self.since is not None:
                paid = [in_status("PAID"), *dated(None, self.before)]
                found["paid since"] = WholeList("Invoices", paid, self.since)
        money = dated(self.money_from)
        return found | {"payments": WholeList("Payments", money), "credit notes": WholeList("CreditNotes", money)}

    @property
    def holds(self) -> dict[str, Callable[[Invoice], bool]]:
        """Of each list of invoices, whether one belongs there as it is now; of one that has changed since the reading began."""
        before, was_open_then = self.before, self.since is not None
        return {
            "invoices": lambda one: self._is_dated(one, self.asked.first, self.upto),
            "open before": lambda one: (
                before is not None and one.status == "AUTHORISED" and self._is_dated(one, None, before)
            ),
            "paid since": lambda one: (
                before is not None and was_open_then and one.status == "PAID" and self._is_dated(one, None, before)
            ),
        }

    def has_invoice(self, one: Invoice) -> bool:
        """Whether an invoice counts by what it is itself."""
        return any(holds(one) for holds in self.holds.values())

    def has_money(self, one: Payment | CreditNote) -> bool:
        """Whether a payment or a credit note counts by its own day; one without a day does."""
        return one.date is None or self.money_from is None or one.date >= self.money_from

    def is_since(self, day: date | None) -> bool:
        """Whether money of a day came after the day of the debtors, so that its invoice may have been open on it."""
        return day is None or day > self.asked.as_at

    @staticmethod
    def _is_dated(one: Invoice, first: date | None, last: date) -> bool:
        return one.date is not None and one.date <= last and (first is None or one.date >= first)
