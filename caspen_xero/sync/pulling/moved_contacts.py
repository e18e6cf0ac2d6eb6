"""The contacts that invoices were written to and are no longer on: Xero may have merged them into those that it shows now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from caspen_xero.store.mappings import KnownContact, Mappings
from caspen_xero.sync.pulling.matching import Matching
from caspen_xero.xero.addresses import is_id
from caspen_xero.xero.calls import Client
from caspen_xero.xero.reading import contacts_by_id


def contacts_left(
    client: Client, mappings: Mappings, matchings: Sequence[Matching], *, keeps: bool
) -> Mapping[str, KnownContact]:
    """By ContactID, what Xero says of them now: one call for 40 of those that are not known to be merged yet.

    `keeps`: what was read is kept, so that it is asked for once.
    """
    left = {id_ for one in matchings if (id_ := _left(one))}
    known = mappings.contacts(left)
    asked = [id_ for id_ in sorted(left) if is_id(id_) and not (id_ in known and known[id_].merged_to)]
    read = {
        id_: KnownContact(
            xero_id=id_,
            name=contact.name or "",
            number=contact.contact_number,
            status=contact.contact_status or "ACTIVE",
            merged_to=contact.merged_to_contact_id,
            updated_at=known[id_].updated_at if id_ in known else None,
        )
        for id_, contact in contacts_by_id(client, asked).items()
    }
    if keeps and read:
        mappings.put_contacts(read.values())
    return {**known, **read}


def _left(matching: Matching) -> str:
    """The contact that an invoice was written to, where it shows another one; else ""."""
    written, shown = matching.known.link.last_written or {}, matching.found.contact
    contact_id = written.get("contact", "")
    return contact_id if shown is not None and shown.contact_id not in (None, contact_id) else ""
