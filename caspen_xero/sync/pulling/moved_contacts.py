"""The contacts that invoices were written to and are no longer on: Xero may have merged them into those that it shows now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from caspen_xero.store import known_contacts
from caspen_xero.store.known_contacts import KnownContact
from caspen_xero.store.mappings import Mappings
from caspen_xero.sync.planning.contact_matching import merged_into
from caspen_xero.sync.pulling.matching import Matching
from caspen_xero.xero.addresses import is_id
from caspen_xero.xero.calls import Client
from caspen_xero.xero.reading import contacts_by_id


def contacts_left(
    client: Client, mappings: Mappings, matchings: Sequence[Matching], *, keeps: bool
) -> Mapping[str, KnownContact]:
    """By ContactID, what Xero says of them now, and of those that they were merged into: one call for 40, and one for 40 of those
    that are no longer where a merge has led.

    `keeps`: what was read is kept, so that it is asked for once.
    """
    left = {(id_, _shown(one)) for one in matchings if (id_ := _left(one))}
    found, asked = known_contacts.by_id(mappings, (id_ for id_, _ in left)), set[str]()
    while more := {end for id_, shown in left if (end := merged_into(id_, found)) != shown and is_id(end)} - asked:
        asked |= more
        read = _read(client, sorted(more), found)
        if keeps and read:
            known_contacts.put(mappings, read.values())
        found |= {**known_contacts.by_id(mappings, read), **read}
    return found


def _read(client: Client, ids: Sequence[str], known: Mapping[str, KnownContact]) -> dict[str, KnownContact]:
    return {
        id_: KnownContact(
            xero_id=id_,
            name=contact.name or "",
            number=contact.contact_number,
            status=contact.contact_status or "ACTIVE",
            merged_to=contact.merged_to_contact_id,
            updated_at=known[id_].updated_at if id_ in known else None,
        )
        for id_, contact in contacts_by_id(client, ids).items()
    }


def _left(matching: Matching) -> str:
    """The contact that an invoice was written to, where it shows another one; else ""."""
    written, shown = matching.known.link.last_written or {}, matching.found.contact
    contact_id = written.get("contact", "")
    return contact_id if shown is not None and shown.contact_id not in (None, contact_id) else ""


def _shown(matching: Matching) -> str:
    """The contact that it shows."""
    return (matching.found.contact.contact_id if matching.found.contact else None) or ""
