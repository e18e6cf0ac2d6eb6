"""Payments in Xero that are members of a batch: Xero names each by its own id or by the batch's, so that both are one money."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from caspen_xero.store.mappings import Mappings


@dataclass(frozen=True)
class Member:
    """A payment that is in a batch. `xero_id` is its own id; `invoice_id` Caspen's; `amount` in the invoice's currency."""

    xero_id: str
    batch_id: str
    invoice_id: str
    amount: Decimal


@dataclass(frozen=True)
class Renaming:
    """What is kept under the id of a batch and stands for this member. `key`: of a link; None: of what pull has recorded."""

    member: Member
    key: str | None = None


def keep(mappings: Mappings, members: Iterable[Member]) -> None:
    """Keeps which payment is in which batch."""
    for member in members:
        mappings.store.run(
            "INSERT OR IGNORE INTO batch_members (tenant_id, xero_id, batch_id, invoice_id, amount) VALUES (?, ?, ?, ?, ?)",
            mappings.tenant_id,
            member.xero_id,
            member.batch_id,
            member.invoice_id,
            f"{member.amount:f}",
        )


def forget(mappings: Mappings, invoice_id: str) -> None:
    """Forgets which payments on an invoice are in which batch: it stands for no invoice in Xero any more."""
    sql = "DELETE FROM batch_members WHERE tenant_id = ? AND invoice_id = ?"
    mappings.store.run(sql, mappings.tenant_id, invoice_id)


def members_of(mappings: Mappings, batch_ids: Iterable[str]) -> list[Member]:
    """The members of batches, as far as they were seen."""
    return _members(mappings, "batch_id", batch_ids)


def among(mappings: Mappings, xero_ids: Iterable[str]) -> list[Member]:
    """Those of these payments that are members of a batch."""
    return _members(mappings, "xero_id", xero_ids)


def _members(mappings: Mappings, column: str, ids: Iterable[str]) -> list[Member]:
    sql = f"SELECT * FROM batch_members WHERE tenant_id = ? AND {column} IN ({{}}) ORDER BY xero_id"
    return [
        Member(row["xero_id"], row["batch_id"], row["invoice_id"], Decimal(row["amount"]))
        for row in mappings.store.rows_among(sql, ids, mappings.tenant_id)
    ]


def in_order(mappings: Mappings, members: Iterable[Member]) -> list[Member]:
    """Members in the order in which Caspen's payments that name their batch stand for them; without those named by their own id.

    First what was told under the batch's id, then what was not recorded (for Caspen had it by then), then the rest.
    """
    by_id = {member.xero_id: member for member in members}
    named = {
        row["xero_id"]
        for row in mappings.store.rows_among("SELECT xero_id FROM named_payments WHERE xero_id IN ({})", by_id)
    }
    sql = "SELECT xero_id, told_as FROM xero_payments WHERE tenant_id = ? AND xero_id IN ({})"
    told = {row["xero_id"]: row["told_as"] for row in mappings.store.rows_among(sql, by_id, mappings.tenant_id)}

    def rank(xero_id: str) -> tuple[int, str]:
        return (1 if xero_id not in told else 0 if told[xero_id] else 2), xero_id

    return [by_id[xero_id] for xero_id in sorted(by_id.keys() - named, key=rank)]


def take(members: list[Member], batch_id: str, invoice_id: str, amount: Decimal | None) -> Member | None:
    """Takes the first member of a batch on an invoice with that amount out of a list."""
    for member in members:
        if (member.batch_id, member.invoice_id, member.amount) == (batch_id, invoice_id, amount):
            members.remove(member)
            return member
    return None


def renamings(mappings: Mappings, members: Sequence[Member]) -> list[Renaming]:
    """What earlier versions kept under a batch's id, and the member that it stands for: of that amount, else the only one left."""
    batch_ids = {member.batch_id for member in members}
    if not batch_ids:
        return []
    found: list[Renaming] = []
    for table, key in (("links", "caspen_id"), ("xero_payments", "NULL")):
        of_payments = " AND kind = 'payment'" if table == "links" else ""
        sql = (
            f"SELECT xero_id, invoice_id, {key} AS key, {'total' if table == 'links' else 'amount'} AS amount FROM {table} "
            f"WHERE tenant_id = ?{of_payments} AND xero_id IN ({{}})"
        )
        rows = mappings.store.rows_among(sql, batch_ids, mappings.tenant_id)
        if not rows:
            continue
        own = (member.xero_id for member in members)
        known = {row["xero_id"] for row in mappings.store.rows_among(sql, own, mappings.tenant_id)}
        free = [member for member in members if member.xero_id not in known]
        found += _paired([(row["xero_id"], row["invoice_id"], row["key"], row["amount"]) for row in rows], free)
    return found


def _paired(rows: Sequence[tuple[str, str, str | None, str | None]], free: list[Member]) -> list[Renaming]:
    found: list[Renaming] = []
    rest: defaultdict[tuple[str, str], list[str | None]] = defaultdict(list)
    for batch_id, invoice_id, key, amount in rows:
        member = take(free, batch_id, invoice_id, Decimal(amount) if amount is not None else None)
        if member is not None:
            found.append(Renaming(member, key))
        else:
            rest[batch_id, invoice_id].append(key)
    for (batch_id, invoice_id), keys in rest.items():
        left = [member for member in free if (member.batch_id, member.invoice_id) == (batch_id, invoice_id)]
        if len(keys) == len(left) == 1:
            found.append(Renaming(left[0], keys[0]))
    return found


def rename(mappings: Mappings, found: Collection[Renaming]) -> None:
    """Keeps under its own id what was kept under its batch's; Caspen goes on knowing it by the id under which it was told."""
    for one in found:
        member, tenant_id = one.member, mappings.tenant_id
        if one.key is not None:
            sql = "UPDATE links SET xero_id = ? WHERE tenant_id = ? AND kind = 'payment' AND caspen_id = ?"
            mappings.store.run(sql, member.xero_id, tenant_id, one.key)
        else:
            sql = "UPDATE xero_payments SET told_as = xero_id, xero_id = ? WHERE tenant_id = ? AND xero_id = ?"
            mappings.store.run(sql, member.xero_id, tenant_id, member.batch_id)
