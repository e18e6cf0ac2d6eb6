"""A reading of Xero for a reconciliation, as far as it came: its pages are kept until it is complete, so that it can go on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from caspen_xero.caspen.records import FINALISED
from caspen_xero.store.mappings import Mappings
from caspen_xero.store.store import Store, utc_text, utc_time

KEPT_FOR = timedelta(days=7)
"""A reading that was begun longer ago is not gone on with."""


@dataclass(frozen=True)
class UnderWay:
    """A reading that was begun (UTC, by this machine) and is not complete: of which period, as at which day.

    `xero_time`: what time it was at Xero then, at the earliest. `calls`: the calls so far; `documents`: what they brought.
    """

    first: date | None
    last: date
    as_at: date
    began_at: datetime
    xero_time: datetime
    calls: int = 0
    documents: int = 0


@dataclass(frozen=True)
class KeptPage:
    """A page of a list as it is kept: which, how many documents it brought of how many that Xero counted, and what was in it.

    `is_last`: the list is complete with it. `by_change`: it was read in the order of changes.
    """

    list: str
    number: int
    documents: int
    counted: int | None
    is_last: bool
    by_change: bool
    content: bytes


def under_way(mappings: Mappings, now: datetime) -> UnderWay | None:
    """The reading of this organisation that was begun and can be gone on with, or None."""
    row = mappings.store.row(
        "SELECT r.*, (SELECT COALESCE(SUM(documents), 0) FROM reading_pages p WHERE p.tenant_id = r.tenant_id) AS documents "
        "FROM readings r WHERE r.tenant_id = ? AND r.began_at > ?",
        mappings.tenant_id,
        utc_text(now - KEPT_FOR),
    )
    if row is None:
        return None
    began_at, xero_time = utc_time(row["began_at"]), utc_time(row["xero_time"])
    assert began_at is not None
    assert xero_time is not None
    first = date.fromisoformat(row["first"]) if row["first"] else None
    last, as_at = date.fromisoformat(row["last"]), date.fromisoformat(row["as_at"])
    return UnderWay(first, last, as_at, began_at, xero_time, row["calls"], row["documents"])


def begin(mappings: Mappings, reading: UnderWay) -> None:
    """Notes that a reading has begun; whatever is kept of an earlier one goes."""
    with mappings.store.write():
        forget(mappings)
        mappings.store.run(
            "INSERT INTO readings (tenant_id, first, last, as_at, began_at, xero_time, calls) VALUES (?, ?, ?, ?, ?, ?, 0)",
            mappings.tenant_id,
            reading.first.isoformat() if reading.first else None,
            reading.last.isoformat(),
            reading.as_at.isoformat(),
            utc_text(reading.began_at),
            utc_text(reading.xero_time),
        )


def keep(mappings: Mappings, page: KeptPage, calls: int) -> None:
    """Keeps a page; `calls`: all calls of the reading so far."""
    with mappings.store.write():
        mappings.store.run(
            "INSERT INTO reading_pages (tenant_id, list, number, documents, counted, is_last, by_change, content) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            mappings.tenant_id,
            page.list,
            page.number,
            page.documents,
            page.counted,
            page.is_last,
            page.by_change,
            page.content,
        )
        mappings.store.run("UPDATE readings SET calls = ? WHERE tenant_id = ?", calls, mappings.tenant_id)


def pages(mappings: Mappings) -> list[KeptPage]:
    """What is kept, list by list, in the order of the pages."""
    rows = mappings.store.rows(
        "SELECT * FROM reading_pages WHERE tenant_id = ? ORDER BY list, number", mappings.tenant_id
    )
    return [
        KeptPage(
            row["list"],
            row["number"],
            row["documents"],
            row["counted"],
            bool(row["is_last"]),
            bool(row["by_change"]),
            row["content"],
        )
        for row in rows
    ]


def drop(mappings: Mappings, list_: str) -> None:
    """Takes away what is kept of one list, which is read anew."""
    mappings.store.run("DELETE FROM reading_pages WHERE tenant_id = ? AND list = ?", mappings.tenant_id, list_)


def forget(mappings: Mappings) -> None:
    """Takes away all that is kept of a reading of this organisation."""
    with mappings.store.write():
        mappings.store.run("DELETE FROM reading_pages WHERE tenant_id = ?", mappings.tenant_id)
        mappings.store.run("DELETE FROM readings WHERE tenant_id = ?", mappings.tenant_id)


def forget_all(store: Store) -> None:
    """Takes away all that is kept of any organisation: it says who was treated, and for what."""
    with store.write():
        store.run("DELETE FROM reading_pages")
        store.run("DELETE FROM readings")


# --- what is to be expected, by what is known here


@dataclass(frozen=True)
class Expected:
    """How many documents a reading may bring, by Caspen's records alone; what others wrote in Xero is not among them.

    `older`: invoices from before the period that were open in Xero when they were last seen.
    """

    invoices: int
    older: int
    payments: int
    credit_notes: int

    @property
    def all(self) -> int:
        """All of them."""
        return self.invoices + self.older + self.payments + self.credit_notes


def expected(mappings: Mappings, first: date | None, upto: date, money_from: date | None) -> Expected:
    """How many invoices from `first` (None: the beginning) to `upto`, and how many payments and credit notes from `money_from`."""
    begins, from_ = (day.isoformat() if day else "" for day in (first, money_from))
    return Expected(
        invoices=_count(
            mappings.store,
            f"invoices WHERE status IN {FINALISED} AND issue_date >= ? AND issue_date <= ?",
            begins,
            upto.isoformat(),
        ),
        older=_count(
            mappings.store,
            "links l JOIN invoices i ON i.id = l.caspen_id WHERE l.tenant_id = ? AND l.kind = 'invoice' "
            "AND l.status = 'AUTHORISED' AND i.issue_date < ?",
            mappings.tenant_id,
            begins,
        ),
        payments=_count(
            mappings.store, "allocations a JOIN payments p ON p.id = a.payment_id WHERE p.date >= ?", from_
        ),
        credit_notes=_count(mappings.store, "credit_notes WHERE date >= ?", from_),
    )


def _count(store: Store, what: str, *values: str) -> int:
    row = store.row(f"SELECT COUNT(*) AS n FROM {what}", *values)
    return int(row["n"]) if row else 0
