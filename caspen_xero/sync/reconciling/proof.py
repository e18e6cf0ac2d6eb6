"""A proof: what came of reading and comparing both sides, in numbers, finds and tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from caspen_xero.sync.reconciling.bridge import has_unaccounted
from caspen_xero.sync.reconciling.ledger import Asked, Find
from caspen_xero.sync.reconciling.tables import Table


@dataclass(frozen=True)
class Proof:
    """What came of a reconciliation. `began_at`, `read_at`: when the reading of Xero began and ended (UTC).

    `compared`: how many invoices of the period were compared; `proved`: how many of them are equal on both sides; `not_yet`: how
    many of Caspen's up to the day of the debtors are to be in Xero, and are not there yet (held or pending), `money_not_yet`:
    the same of payments and credit notes. `calls`: how many the reading took in all, `resumed_from`: when an earlier run began
    it, where it goes on one. `from_outside`: invoices that were compared too though they are not of the period, as something was
    due on them, or changed.
    """

    asked: Asked
    began_at: datetime
    read_at: datetime
    calls: int
    compared: int
    proved: int
    not_yet: int
    finds: Sequence[Find]
    information: Sequence[Find]
    tables: Sequence[Table]
    resumed_from: datetime | None = None
    money_not_yet: int = 0
    from_outside: frozenset[str] = frozenset()

    @property
    def is_equal(self) -> bool:
        """Whether all that is to be equal is, but for what a person has accepted, and nothing is left to send."""
        is_left = self.not_yet or self.money_not_yet
        return not is_left and all(one.accepted for one in self.finds) and not self.unexplained

    @property
    def unexplained(self) -> Sequence[Table]:
        """The tables in which the sides differ, and nothing that was found one by one, accepted or not, can be why.

        What is not there yet is why the table of what is left out does. A bridge with a step that is not accounted for is one of
        them whatever was found.
        """
        is_left = self.not_yet or self.money_not_yet
        told = {table.key for table in self.tables if self.finds or (is_left and table.key == "left_out")}
        return [
            table for table in self.tables if not table.is_equal and (table.key not in told or has_unaccounted(table))
        ]
