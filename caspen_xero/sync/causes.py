"""The rows of `unsynced` by cause: what keeps how many invoices out of Xero, and what they come to, most money first. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from caspen_xero.commands import each_command, naming
from caspen_xero.sync.problems import kept_code

Row = Mapping[str, Any]
OWN_LINES = 4
"""So many causes of one code are told each by itself: with more, what they have in common."""
_ITS_OWN = "INVOICE"


@dataclass(frozen=True)
class Cause:
    """What some invoices have in common. `troubles`: the rows about them, those of most money first.

    `is_one`: one reason stands for all of them.
    """

    code: str
    troubles: Sequence[Row]
    is_one: bool

    @cached_property
    def invoices(self) -> Sequence[Row]:
        """A row of each invoice."""
        return list({row["invoice_id"]: row for row in self.troubles}.values())

    @cached_property
    def sums(self) -> Mapping[str, Decimal]:
        """What they come to, by currency."""
        return sums_of(self.invoices)

    @property
    def reason(self) -> str:
        """Why, in words: the reason of all, else what the code means."""
        return str(self.troubles[0]["reason"]) if self.is_one else kept_code(self.code).meaning

    @property
    def first_failed_at(self) -> str | None:
        """Since when, as far as a push or a pull has noted it."""
        return min((row["first_failed_at"] for row in self.troubles if row["first_failed_at"]), default=None)

    @property
    def shares_its_way_out(self) -> bool:
        """Whether what is to be done is the same command for all of them."""
        return len({row["fix"] for row in self.troubles}) == 1


def causes_of(rows: Iterable[Row]) -> list[Cause]:
    """The causes of these rows, most money first: by the largest sum in one currency, then by how many invoices."""
    by_code: defaultdict[str, list[Row]] = defaultdict(list)
    for row in sorted(rows, key=_money, reverse=True):
        by_code[str(row["code"])].append(row)
    found = [cause for code, some in by_code.items() for cause in _of_code(code, some)]
    return sorted(found, key=lambda one: (max(one.sums.values(), default=Decimal(0)), len(one.invoices)), reverse=True)


def sums_of(rows: Iterable[Row]) -> dict[str, Decimal]:
    """What invoices come to, by currency, most first; each is counted once. What has no total yet counts for nothing."""
    totals = {row["invoice_id"]: (str(row["currency"]), Decimal(row["total"])) for row in rows if row["total"]}
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for currency, total in totals.values():
        sums[currency] += total
    return dict(sorted(sums.items(), key=lambda one: (-one[1], one[0])))


def _of_code(code: str, rows: Sequence[Row]) -> list[Cause]:
    """Those that are alike but for the invoice that they name are one cause; what is left of very many kinds is one too."""
    alike: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        alike[_without_its_name(row, "reason"), _without_its_name(row, "fix")].append(row)
    kinds = sorted(alike.values(), key=len, reverse=True)
    if len(kinds) <= OWN_LINES:
        return [Cause(code, some, True) for some in kinds]
    own = [some for some in kinds[: OWN_LINES - 1] if len(some) > 1]
    rest = [row for some in kinds[len(own) :] for row in some]
    return [*(Cause(code, some, True) for some in own), Cause(code, sorted(rest, key=_money, reverse=True), False)]


def _without_its_name(row: Row, field: str) -> str:
    """A text of a row in which every command names just any invoice."""
    return each_command(str(row[field]), lambda ours: naming(ours, lambda name: _ITS_OWN))


def _money(row: Row) -> Decimal:
    return Decimal(row["total"] or 0)
