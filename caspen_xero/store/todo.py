"""What is left to do: invoices, clients and payers that a push may have something to send of, and facts about such a set."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal

from caspen_xero.caspen.records import FINALISED, GONE
from caspen_xero.store.bad_records import LoneInvoice
from caspen_xero.store.mappings import Mappings
from caspen_xero.store.store import Store, utc_text, utc_time

WhyLeftOut = Literal["set-aside", "before-start-date", "draft", "void"]
SET_ASIDE: WhyLeftOut = "set-aside"
BEFORE_START: WhyLeftOut = "before-start-date"


@dataclass
class LeftOut:
    """How many invoices, and what they come to by currency."""

    invoices: int = 0
    sums: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def add(self, total: str | None, currency: str) -> None:
        """One more; a draft may have no total yet."""
        self.invoices += 1
        if total is not None:
            self.sums[currency] += Decimal(total)


_DECLINED = "first_push_declined"
IS_DONE = f"""(l.done_up_to IS i.touched AND NOT (
    l.status IS NOT NULL AND l.status IN ('DRAFT', 'SUBMITTED') AND i.status IN {FINALISED} AND NOT EXISTS (
        SELECT 1 FROM settings WHERE tenant_id = '' AND key = 'invoice_status' AND value = 'draft')))"""
"""Whether nothing is left to do of an invoice `i` with its link `l`: what is a draft in Xero is done only where it is to be one."""
ALL_INVOICES = """FROM invoices i INDEXED BY invoices_states LEFT JOIN links l INDEXED BY links_states
    ON l.caspen_id = i.id AND l.tenant_id = :tenant AND l.kind = 'invoice'"""
"""Every invoice `i`, with its link `l` if there is one: quick as long as only columns of the two indexes are looked at."""


def invoices_to_do(mappings: Mappings, start_date: str | None) -> list[str]:
    """Ids of invoices that may need something, oldest first.

    Those finalised or already in Xero of which the last change is not done; not the skipped ones, nor unlinked ones dated before
    `start_date` (`YYYY-MM-DD`).
    """
    rows = mappings.store.db.conn.execute(
        f"SELECT i.id {ALL_INVOICES} WHERE NOT {IS_DONE} "
        f"AND (l.caspen_id IS NOT NULL OR (i.status IN {FINALISED} AND i.issue_date >= :start)) "
        "AND i.id NOT IN (SELECT invoice_id FROM skips) ORDER BY i.issue_date, i.number, i.id",
        {"tenant": mappings.tenant_id, "start": start_date or ""},
    )
    return [row["id"] for row in rows]


def left_out(mappings: Mappings, start_date: str | None, lone: Sequence[LoneInvoice]) -> dict[WhyLeftOut, LeftOut]:
    """What no push takes, by why: set aside, or not in Xero and a draft, void, or dated before `start_date` (`YYYY-MM-DD`).

    `lone`: what counts as its bad record has it, whatever an earlier good one says; what of it is not set aside is a problem.
    """
    by_bad_record = {one.bad.id for one in lone}
    rows = mappings.store.rows(
        f"SELECT s.invoice_id AS id, '{SET_ASIDE}' AS why, i.total, i.currency FROM skips s LEFT JOIN invoices i "
        "ON i.id = s.invoice_id UNION ALL "
        f"SELECT i.id, CASE WHEN i.status = 'draft' THEN 'draft' WHEN i.status IN {GONE} THEN 'void' ELSE '{BEFORE_START}' END, "
        "i.total, i.currency FROM invoices i "
        "LEFT JOIN links l ON l.tenant_id = ?1 AND l.kind = 'invoice' AND l.caspen_id = i.id "
        "WHERE l.xero_id IS NULL AND i.id NOT IN (SELECT invoice_id FROM skips) "
        f"AND (i.status NOT IN {FINALISED} OR i.issue_date < ?2)",
        mappings.tenant_id,
        start_date or "",
    )
    found: defaultdict[WhyLeftOut, LeftOut] = defaultdict(LeftOut)
    for row in rows:
        if row["why"] == SET_ASIDE or row["id"] not in by_bad_record:
            found[row["why"]].add(row["total"], row["currency"] or "")
    by_a_person = {row["id"] for row in rows if row["why"] == SET_ASIDE}
    for one in lone:
        if one.is_set_aside and one.bad.id not in by_a_person:
            found[BEFORE_START].add(None if one.total is None else f"{one.total:f}", one.currency)
    return dict(found)


def count_before(store: Store, day: str) -> tuple[int, int]:
    """How many finalised invoices are known, and how many of them are dated before that day (YYYY-MM-DD)."""
    sql = f"SELECT COUNT(*) AS n, COALESCE(SUM(issue_date < ?), 0) AS before FROM invoices WHERE status IN {FINALISED}"
    row = store.row(sql, day)
    return (int(row["n"]), int(row["before"])) if row else (0, 0)


def contacts_to_do(mappings: Mappings) -> list[tuple[Literal["client", "payer"], str, int]]:
    """Clients and payers (kind, id, import number) who changed since their contact, made by us, was last brought up to date."""
    found: list[tuple[Literal["client", "payer"], str, int]] = []
    tables: tuple[tuple[Literal["client", "payer"], str], ...] = (("client", "clients"), ("payer", "contacts"))
    for kind, table in tables:
        rows = mappings.store.rows(
            f"SELECT c.id, c.touched FROM {table} c JOIN links l ON l.tenant_id = ? AND l.kind = ? AND l.caspen_id = c.id "
            "WHERE l.made_by_us AND l.done_up_to IS NOT c.touched",
            mappings.tenant_id,
            kind,
        )
        found += [(kind, row["id"], row["touched"]) for row in rows]
    return found


def touched(
    store: Store, ids: Iterable[str], table: Literal["invoices", "clients", "contacts"] = "invoices"
) -> dict[str, int]:
    """The import number that last changed each invoice (client, contact)."""
    return {
        row["id"]: row["touched"]
        for row in store.rows_among(f"SELECT id, touched FROM {table} WHERE id IN ({{}})", ids)
    }


def has_sent(mappings: Mappings) -> bool:
    """Whether any invoice, payment or credit note of this organisation was made by us."""
    kinds = ("invoice", "payment", "credit_note")
    sql = f"SELECT 1 FROM links WHERE tenant_id = ? AND kind IN {kinds} AND made_by_us LIMIT 1"
    return mappings.store.row(sql, mappings.tenant_id) is not None


def has_begun(mappings: Mappings) -> bool:
    """Whether a push of all that is due was ever begun for this organisation."""
    return mappings.setting("begun") is not None


def begin(mappings: Mappings) -> None:
    """A push of all that is due may begin: nobody asks before the next ones."""
    mappings.set_setting("begun", "yes")
    mappings.set_setting(_DECLINED, None)


def decline(mappings: Mappings, now: datetime) -> None:
    """A person did not want the first push."""
    mappings.set_setting(_DECLINED, utc_text(now))


def declined_at(mappings: Mappings) -> datetime | None:
    """When a person last declined the first push, where none of all that is due has been agreed to since."""
    return utc_time(mappings.setting(_DECLINED))


def has_finalised(mappings: Mappings, invoice_ids: Sequence[str]) -> bool:
    """Whether any of these invoices is finalised."""
    sql = f"SELECT 1 FROM invoices WHERE status IN {FINALISED} AND id IN ({{}}) LIMIT 1"
    return bool(mappings.store.rows_among(sql, invoice_ids))


def other_currency(mappings: Mappings, invoice_ids: Sequence[str], base: str) -> bool:
    """Whether an invoice among these is in another currency than `base`."""
    sql = "SELECT 1 FROM invoices WHERE currency <> ? AND id IN ({}) LIMIT 1"
    return bool(mappings.store.rows_among(sql, invoice_ids, base))


def do_again(mappings: Mappings, invoice_ids: Iterable[str]) -> None:
    """Has the next push look at these invoices again."""
    for invoice_id in invoice_ids:
        mappings.store.run(
            "UPDATE links SET done_up_to = NULL WHERE tenant_id = ? AND kind = 'invoice' AND caspen_id = ?",
            mappings.tenant_id,
            invoice_id,
        )


def do_again_for_clients(mappings: Mappings, ids: Iterable[str]) -> None:
    """The same for all invoices of these clients or payers."""
    sql = "SELECT id FROM invoices WHERE client_id IN ({0}) OR record ->> 'invoice_to_id' IN ({0})"
    for caspen_id in ids:
        do_again(mappings, [row["id"] for row in mappings.store.rows(sql.format("?1"), caspen_id)])


def look_at_unsent_payments(mappings: Mappings) -> None:
    """Has invoices whose payments stayed out of Xero looked at again by the next push."""
    mappings.store.run(
        "UPDATE links SET done_up_to = NULL WHERE tenant_id = ? AND kind = 'invoice' AND caspen_id IN (SELECT invoice_id FROM "
        "allocations WHERE key NOT IN (SELECT caspen_id FROM links WHERE tenant_id = ? AND kind = 'payment'))",
        mappings.tenant_id,
        mappings.tenant_id,
    )
