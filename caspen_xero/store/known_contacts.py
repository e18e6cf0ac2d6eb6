"""Xero's contacts as they were last read, and how their names are compared."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from caspen_xero.store.mappings import Mappings
from caspen_xero.store.store import utc_text, utc_time


@dataclass(frozen=True)
class KnownContact:
    """A Xero contact as the store last read it. `status` is ACTIVE, ARCHIVED or GDPRREQUEST."""

    xero_id: str
    name: str
    number: str | None
    status: str
    merged_to: str | None = None
    updated_at: datetime | None = None


def name_key(name: str) -> str:
    """How names are compared: without regard to case and to runs of spaces, as Xero compares contact names."""
    return " ".join(name.split()).casefold()


def put(mappings: Mappings, contacts: Iterable[KnownContact]) -> None:
    """Keeps what was read of Xero's contacts."""
    with mappings.store.write():
        for contact in contacts:
            mappings.store.run(
                "INSERT INTO xero_contacts (tenant_id, xero_id, name, name_key, number, status, merged_to, updated_at) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant_id, xero_id) DO UPDATE SET name = excluded.name, "
                "name_key = excluded.name_key, number = excluded.number, status = excluded.status, "
                "merged_to = excluded.merged_to, updated_at = excluded.updated_at",
                mappings.tenant_id,
                contact.xero_id,
                contact.name,
                name_key(contact.name),
                contact.number,
                contact.status,
                contact.merged_to,
                utc_text(contact.updated_at) if contact.updated_at else None,
            )


def by_id(mappings: Mappings, xero_ids: Iterable[str]) -> dict[str, KnownContact]:
    """Known Xero contacts by ContactID, and those that they were merged into."""
    sql = "SELECT * FROM xero_contacts WHERE tenant_id = ? AND xero_id IN ({})"
    found, asked = dict[str, KnownContact](), set(xero_ids)
    while asked:
        more = {row["xero_id"]: _contact(row) for row in mappings.store.rows_among(sql, asked, mappings.tenant_id)}
        found |= more
        asked = {one.merged_to for one in more.values() if one.merged_to} - found.keys()
    return found


def numbered(mappings: Mappings, numbers: Iterable[str]) -> list[KnownContact]:
    """Known Xero contacts with these ContactNumbers, the case of letters aside."""
    sql = "SELECT * FROM xero_contacts WHERE tenant_id = ? AND number COLLATE NOCASE IN ({})"
    return [_contact(row) for row in mappings.store.rows_among(sql, numbers, mappings.tenant_id)]


def unlinked_with_numbers(mappings: Mappings) -> list[KnownContact]:
    """Known Xero contacts that have a ContactNumber and stand for nobody."""
    sql = (
        "SELECT * FROM xero_contacts x WHERE x.tenant_id = ? AND x.number <> '' AND NOT EXISTS "
        "(SELECT 1 FROM links l WHERE l.tenant_id = x.tenant_id AND l.xero_id = x.xero_id)"
    )
    return [_contact(row) for row in mappings.store.rows(sql, mappings.tenant_id)]


def named(mappings: Mappings, names: Iterable[str]) -> list[KnownContact]:
    """Known Xero contacts with these names (case and spacing aside), archived ones too."""
    sql = "SELECT * FROM xero_contacts WHERE tenant_id = ? AND name_key IN ({})"
    return [
        _contact(row) for row in mappings.store.rows_among(sql, [name_key(name) for name in names], mappings.tenant_id)
    ]


def _contact(row: sqlite3.Row) -> KnownContact:
    return KnownContact(
        xero_id=row["xero_id"],
        name=row["name"],
        number=row["number"],
        status=row["status"],
        merged_to=row["merged_to"],
        updated_at=utc_time(row["updated_at"]),
    )
