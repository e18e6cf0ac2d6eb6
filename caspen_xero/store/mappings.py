"""What the store knows of one Xero organisation: what stands for what, and the last reading of Xero's lists.

Everything here belongs to (tenant, id): another organisation starts with none of it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal

from caspen_xero.store.store import Store, utc_text, utc_time

LinkKind = Literal["invoice", "client", "payer", "payment", "credit_note", "allocation"]
DELETED = "DELETED"
"""The status of the link of a payment or allocation that was seen to be gone in Xero; the invoice's figures know."""
OF_ANOTHER_AMOUNT = f"l.kind = 'payment' AND l.fingerprint IS NULL AND NOT l.made_by_us AND l.status IS NOT '{DELETED}'"
"""SQL: links (`l`) of payments to what has our Reference in Xero, and had another amount than Caspen's when it was found."""
DOUBTED = "DOUBTED"
"""The status of the link of a client or payer that an earlier version made by a number alone; a person can confirm it."""


@dataclass(frozen=True)
class Despite:
    """What differed when a person linked an invoice all the same, and still does: by name, what Caspen says and what Xero shows.

    Of a contact both are ContactIDs, Caspen's "" where it has none. `with_payments`: the person has said that it is the same debt.
    Of a payment that was linked it is the date, where that is another.
    """

    differences: Mapping[str, tuple[str, str]]
    with_payments: bool = False

    @property
    def anothers(self) -> list[str]:
        """What of it says that it may be somebody else's debt, where nobody has said that it is not."""
        return [] if self.with_payments else [name for name in ("contact", "currency") if name in self.differences]


@dataclass(frozen=True)
class Link:
    """One Caspen record and the Xero document that stands for it.

    `caspen_id` is the invoice's, client's or credit note's id, for `payment` the key of a payment's allocation
    (`allocation_key`), for `allocation` the credit note's id; `invoice_id` is the Caspen invoice that a payment, credit
    note or allocation belongs to. `fingerprint` is that of what was sent, `last_written` what that shows where nobody edits it,
    `done_up_to` the import number up to which all is done. Amounts are what Xero last said, in the document's currency.
    `lines`: of an invoice, in the order in which they were written, what Caspen calls each line, and its LineItemID.
    `only_ours_until`: of an invoice, the `UpdatedDateUTC` up to which only we have changed it in Xero; None if that is not known.
    `despite`: of an invoice, what a person linked it in spite of; None for nothing. `shown`: of an invoice, a seal of all
    that has to agree of what Xero last showed; None if that is not known.
    """

    kind: LinkKind
    caspen_id: str
    xero_id: str
    made_by_us: bool
    invoice_id: str | None = None
    number: str | None = None
    status: str | None = None
    fingerprint: str | None = None
    done_up_to: int | None = None
    subtotal: Decimal | None = None
    tax: Decimal | None = None
    total: Decimal | None = None
    amount_paid: Decimal | None = None
    amount_credited: Decimal | None = None
    amount_due: Decimal | None = None
    last_written: Mapping[str, str] | None = None
    lines: Sequence[tuple[str, str]] | None = None
    xero_updated_at: datetime | None = None
    linked_at: datetime | None = None
    only_ours_until: datetime | None = None
    despite: Despite | None = None
    shown: str | None = None

    @property
    def keeps_money_out(self) -> bool:
        """Whether it stands for an invoice that may be somebody else's debt."""
        return self.despite is not None and bool(self.despite.anothers)

    @property
    def is_deleted(self) -> bool:
        """Whether what stands for the record was seen to be gone in Xero."""
        return self.status == DELETED

    @property
    def is_doubted(self) -> bool:
        """Whether a contact was linked by its number alone."""
        return self.status == DOUBTED

    def with_(self, **changes: Any) -> Link:
        """The same link with other values."""
        return replace(self, **changes)

    def as_deleted(self) -> Link:
        """The same link once that was seen to be gone."""
        return self.with_(status=DELETED)


_MONEY = ("subtotal", "tax", "total", "amount_paid", "amount_credited", "amount_due")


class Mappings:
    """The tables of one organisation; all writes are transactions of the store."""

    def __init__(self, store: Store, tenant_id: str) -> None:
        self.store = store
        self.tenant_id = tenant_id

    # --- settings of this organisation

    def setting(self, key: str) -> str | None:
        """A setting that belongs to this organisation."""
        return self.store.setting(key, self.tenant_id)

    def set_setting(self, key: str, value: str | None) -> None:
        """Keeps a setting of this organisation; None takes it away."""
        self.store.set_setting(key, value, self.tenant_id)

    def settings_number(self) -> int:
        """Grows with every change of accounts and tax links: a refused invoice is tried again at once after one."""
        return int(self.setting("settings_number") or "0")

    def settings_changed(self) -> None:
        """Whatever was refused before may go through now."""
        self.set_setting("settings_number", str(self.settings_number() + 1))

    # --- documents

    def link(self, kind: LinkKind, caspen_id: str) -> Link | None:
        """The link of one record, or None."""
        return self.links(kind, [caspen_id]).get(caspen_id)

    def links(self, kind: LinkKind, caspen_ids: Iterable[str]) -> dict[str, Link]:
        """Links by Caspen id; what is not linked is left out."""
        sql = "SELECT * FROM links WHERE tenant_id = ? AND kind = ? AND caspen_id IN ({})"
        return {row["caspen_id"]: _link(row) for row in self._among(sql, caspen_ids, kind)}

    def all_links(self, kind: LinkKind) -> list[Link]:
        """Every link of a kind."""
        sql = "SELECT * FROM links WHERE tenant_id = ? AND kind = ?"
        return [_link(dict(row)) for row in self.store.rows(sql, self.tenant_id, kind)]

    def has_invoices(self) -> bool:
        """Whether any invoice was ever linked to this organisation, by us or by a person."""
        sql = "SELECT 1 FROM links WHERE tenant_id = ? AND kind = 'invoice' LIMIT 1"
        return self.store.row(sql, self.tenant_id) is not None

    def links_in_spite_of_differences(self) -> dict[str, Link]:
        """The links of invoices that a person linked though they differ, and that still do, by Caspen id."""
        sql = "SELECT * FROM links WHERE tenant_id = ? AND kind = 'invoice' AND despite IS NOT NULL"
        return {row["caspen_id"]: _link(dict(row)) for row in self.store.rows(sql, self.tenant_id)}

    def links_of_invoices(self, kind: LinkKind, invoice_ids: Iterable[str]) -> list[Link]:
        """The links of a kind that belong to Caspen invoices: their payments, credit notes or allocations."""
        sql = "SELECT * FROM links WHERE tenant_id = ? AND kind = ? AND invoice_id IN ({})"
        return [_link(row) for row in self._among(sql, invoice_ids, kind)]

    def links_to(self, xero_ids: Iterable[str]) -> dict[str, Link]:
        """Links by Xero id."""
        sql = "SELECT * FROM links WHERE tenant_id = ? AND xero_id IN ({})"
        return {row["xero_id"]: _link(row) for row in self._among(sql, xero_ids)}

    def put_link(self, link: Link) -> None:
        """Keeps a link, new or changed; where it takes the place of what was deleted in Xero, nobody has to settle that."""
        if link.kind == "payment":
            self.store.run(
                "DELETE FROM xero_payments WHERE tenant_id = ?1 AND xero_id <> ?3 AND xero_id IN (SELECT xero_id FROM links "
                f"WHERE tenant_id = ?1 AND kind = 'payment' AND caspen_id = ?2 AND status = '{DELETED}' UNION ALL "
                "SELECT d.value ->> 'subject' FROM allocations a JOIN payments p ON p.id = a.payment_id "
                "JOIN seen_invoices s ON s.tenant_id = ?1 AND s.invoice_id = a.invoice_id, json_each(s.discrepancies) d "
                "WHERE a.key = ?2 AND d.value ->> 'code' = 'payment-gone-in-xero' AND d.value ->> 'subject' = p.xero_id)",
                self.tenant_id,
                link.caspen_id,
                link.xero_id,
            )
        row: dict[str, Any] = {"tenant_id": self.tenant_id, **vars(link)}
        row["made_by_us"] = int(link.made_by_us)
        row["xero_updated_at"] = utc_text(link.xero_updated_at) if link.xero_updated_at else None
        row["only_ours_until"] = utc_text(link.only_ours_until) if link.only_ours_until else None
        row["last_written"] = None if link.last_written is None else json.dumps(dict(link.last_written))
        row["lines"] = None if link.lines is None else json.dumps(link.lines)
        row["linked_at"] = utc_text(link.linked_at or datetime.now(UTC))
        row["despite"] = None if link.despite is None else json.dumps(vars(link.despite))
        for column in _MONEY:
            row[column] = None if row[column] is None else f"{row[column]:f}"
        names = ", ".join(row)
        updates = ", ".join(f"{name} = excluded.{name}" for name in row)
        self.store.run(
            f"INSERT INTO links ({names}) VALUES ({', '.join('?' * len(row))}) "
            f"ON CONFLICT (tenant_id, kind, caspen_id) DO UPDATE SET {updates}",
            *row.values(),
        )

    def mark_done(self, kind: LinkKind, caspen_id: str, touched: int) -> None:
        """Notes that everything up to that import number is done for a record."""
        self.store.run(
            "UPDATE links SET done_up_to = ? WHERE tenant_id = ? AND kind = ? AND caspen_id = ?",
            touched,
            self.tenant_id,
            kind,
            caspen_id,
        )

    def only_we_changed(self, invoice_id: str, until: datetime, *, is_new: bool = False) -> None:
        """Notes that we have changed an invoice in Xero, which gave it that `UpdatedDateUTC`.

        That nobody else has changed it is known further only of a new one, and where it was known of all that was seen before.
        """
        so_far = "" if is_new else " AND only_ours_until >= xero_updated_at"
        self.store.run(
            f"UPDATE links SET only_ours_until = ? WHERE tenant_id = ? AND kind = 'invoice' AND caspen_id = ?{so_far}",
            utc_text(until),
            self.tenant_id,
            invoice_id,
        )

    def drop_link(self, kind: LinkKind, caspen_id: str) -> None:
        """Forgets a link (the Xero document is gone)."""
        self.store.run(
            "DELETE FROM links WHERE tenant_id = ? AND kind = ? AND caspen_id = ?", self.tenant_id, kind, caspen_id
        )

    def count_written_to(self, contact_id: str) -> int:
        """How many invoices stand in Xero with that contact, as they were last written."""
        sql = (
            "SELECT COUNT(*) AS n FROM links WHERE tenant_id = ? AND kind = 'invoice' AND last_written ->> 'contact' = ? "
            "AND (status IS NULL OR status NOT IN ('VOIDED', 'DELETED'))"
        )
        row = self.store.row(sql, self.tenant_id, contact_id)
        return int(row["n"]) if row else 0

    # --- tax rates and accounts

    def tax_links(self) -> dict[str, str]:
        """Xero tax types by Caspen tax rate id; `no tax` is the id of "no tax on this line"."""
        sql = "SELECT tax_rate_id, tax_type FROM tax_rate_links WHERE tenant_id = ?"
        return {row["tax_rate_id"]: row["tax_type"] for row in self.store.rows(sql, self.tenant_id)}

    def tax_rates_linked_at(self) -> dict[str, datetime]:
        """When each Caspen tax rate was given the Xero tax type that it has now, by its id."""
        sql = "SELECT tax_rate_id, linked_at FROM tax_rate_links WHERE tenant_id = ?"
        rows = self.store.rows(sql, self.tenant_id)
        return {row["tax_rate_id"]: at for row in rows if (at := utc_time(row["linked_at"])) is not None}

    def link_tax_rate(self, tax_rate_id: str, tax_type: str, linked_by: Literal["person", "rule"]) -> None:
        """Links a Caspen rate to a Xero tax type."""
        with self.store.write():
            self.store.run(
                "INSERT INTO tax_rate_links (tenant_id, tax_rate_id, tax_type, linked_by, linked_at) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (tenant_id, tax_rate_id) DO UPDATE SET tax_type = excluded.tax_type, "
                "linked_by = excluded.linked_by, linked_at = excluded.linked_at",
                self.tenant_id,
                tax_rate_id,
                tax_type,
                linked_by,
                utc_text(datetime.now(UTC)),
            )
            self.settings_changed()

    def unlink_tax_rate(self, tax_rate_id: str) -> bool:
        """Takes a tax rate's link away; False where there was none."""
        with self.store.write():
            self.settings_changed()
            return bool(
                self.store.run(
                    "DELETE FROM tax_rate_links WHERE tenant_id = ? AND tax_rate_id = ?", self.tenant_id, tax_rate_id
                )
            )

    def account_links(self) -> dict[str, str]:
        """AccountIDs by purpose: `sales`, `payments`, and `method:ID` for a payment method with an account of its own."""
        sql = "SELECT purpose, account_id FROM account_links WHERE tenant_id = ?"
        return {row["purpose"]: row["account_id"] for row in self.store.rows(sql, self.tenant_id)}

    def link_account(self, purpose: str, account_id: str) -> None:
        """Chooses an account for a purpose."""
        with self.store.write():
            self.store.run(
                "INSERT INTO account_links (tenant_id, purpose, account_id, linked_at) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (tenant_id, purpose) DO UPDATE SET account_id = excluded.account_id, "
                "linked_at = excluded.linked_at",
                self.tenant_id,
                purpose,
                account_id,
                utc_text(datetime.now(UTC)),
            )
            self.settings_changed()

    # --- Xero's lists, as last read

    def xero_list(self, kind: str) -> tuple[datetime, list[Any]] | None:
        """When a list (`Organisation`, `Accounts`, `TaxRates`, `Currencies`) was read, and what was kept of it; None if never.

        None also where an earlier version has kept what is no list.
        """
        row = self.store.row(
            "SELECT read_at, body FROM xero_lists WHERE tenant_id = ? AND kind = ?", self.tenant_id, kind
        )
        if row is None:
            return None
        read_at = utc_time(row["read_at"])
        assert read_at is not None
        try:
            kept = json.loads(row["body"], parse_float=Decimal)
        except (ValueError, RecursionError):
            return None
        return (read_at, kept) if isinstance(kept, list) else None

    def put_xero_list(self, kind: str, read_at: datetime, body: str) -> None:
        """Keeps a list as JSON text."""
        self.store.run(
            "INSERT INTO xero_lists (tenant_id, kind, read_at, body) VALUES (?, ?, ?, ?) ON CONFLICT (tenant_id, kind) "
            "DO UPDATE SET read_at = excluded.read_at, body = excluded.body",
            self.tenant_id,
            kind,
            utc_text(read_at),
            body,
        )

    def refuse_link(self, kind: LinkKind, caspen_id: str, xero_id: str) -> None:
        """A person has said that this client, payer or invoice is not that one in Xero: it is not linked again by itself."""
        sql = "INSERT OR IGNORE INTO refused_contacts (tenant_id, kind, caspen_id, xero_id) VALUES (?, ?, ?, ?)"
        self.store.run(sql, self.tenant_id, kind, caspen_id, xero_id)

    def allow_link(self, kind: LinkKind, caspen_id: str, xero_id: str) -> None:
        """A person has said that it is."""
        sql = "DELETE FROM refused_contacts WHERE tenant_id = ? AND kind = ? AND caspen_id = ? AND xero_id = ?"
        self.store.run(sql, self.tenant_id, kind, caspen_id, xero_id)

    def refused_links(self) -> set[tuple[str, str]]:
        """All that was said so and holds: `client:ID`, `payer:ID` or `invoice:ID`, and Xero's id."""
        sql = "SELECT kind, caspen_id, xero_id FROM refused_contacts WHERE tenant_id = ?"
        rows = self.store.rows(sql, self.tenant_id)
        return {(f"{row['kind']}:{row['caspen_id']}", row["xero_id"]) for row in rows}

    def _among(self, sql: str, values: Iterable[str], *first: str) -> list[Any]:
        return self.store.rows_among(sql, values, self.tenant_id, *first)


def by_invoice(links: Iterable[Link]) -> defaultdict[str, dict[str, Link]]:
    """Links by the Caspen invoice that they belong to, and by Caspen id."""
    found: defaultdict[str, dict[str, Link]] = defaultdict(dict)
    for link in links:
        found[link.invoice_id or ""][link.caspen_id] = link
    return found


def _link(row: Mapping[str, Any]) -> Link:
    return Link(
        kind=row["kind"],
        caspen_id=row["caspen_id"],
        xero_id=row["xero_id"],
        made_by_us=bool(row["made_by_us"]),
        invoice_id=row["invoice_id"],
        number=row["number"],
        status=row["status"],
        fingerprint=row["fingerprint"],
        done_up_to=row["done_up_to"],
        last_written=json.loads(row["last_written"]) if row["last_written"] else None,
        lines=[(ours, theirs) for ours, theirs in json.loads(row["lines"])] if row["lines"] else None,
        xero_updated_at=utc_time(row["xero_updated_at"]),
        linked_at=utc_time(row["linked_at"]),
        only_ours_until=utc_time(row["only_ours_until"]),
        despite=_despite(json.loads(row["despite"])) if row["despite"] else None,
        shown=row["shown"],
        **{column: None if row[column] is None else Decimal(row[column]) for column in _MONEY},
    )


def _despite(kept: Mapping[str, Any]) -> Despite:
    return Despite(
        {name: (ours, theirs) for name, (ours, theirs) in kept["differences"].items()}, kept["with_payments"]
    )
