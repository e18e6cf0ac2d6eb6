"""The tables of a reconciliation, as data: the terminal, CSV files, the page and JSON show the same ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

Cell = str | Decimal | int | date | None
Holds = Literal["text", "date", "amount", "count"]


@dataclass(frozen=True)
class Column:
    """`key`: its name in JSON and CSV; `title`: for people. `spare`: a narrow screen does without it."""

    key: str
    title: str
    holds: Holds = "text"
    spare: bool = False


@dataclass(frozen=True)
class Table:
    """One table: `key` names it in JSON and as a file, `about` says in a sentence what it shows.

    `totals`: rows that close it, one for each currency. `brief`: what a screen shows of it, where that is less than all `rows`.
    `is_equal`: nothing in it differs.
    """

    key: str
    title: str
    about: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    totals: Sequence[Sequence[Cell]] = ()
    brief: Sequence[Sequence[Cell]] | None = None
    is_equal: bool = True
