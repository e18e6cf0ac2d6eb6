"""Xero's contacts as last read: who is matched, and which names are taken, is decided from these."""

from __future__ import annotations

from caspen_xero.store.mappings import KnownContact, Mappings
from caspen_xero.store.store import utc_text, utc_time
from caspen_xero.xero.calls import Client
from caspen_xero.xero.reading import OVERLAP, changed_contacts

_CURSOR = "contacts_cursor"


def read_contacts(client: Client, mappings: Mappings, *, anew: bool = False) -> None:
    """Brings what is known of Xero's contacts up to date: one call per 1,000 contacts that changed since the last reading."""
    cursor = None if anew else utc_time(mappings.setting(_CURSOR))
    for page in changed_contacts(client, cursor - OVERLAP if cursor else None):
        known = [
            KnownContact(
                xero_id=contact.contact_id,
                name=contact.name or "",
                number=contact.contact_number,
                status=contact.contact_status or "ACTIVE",
                merged_to=contact.merged_to_contact_id,
                updated_at=contact.updated_date_utc,
            )
            for contact in page
            if contact.contact_id
        ]
        moments = [one.updated_at for one in known if one.updated_at]
        cursor = max([*moments, *([cursor] if cursor else [])], default=None)
        with mappings.store.write():
            mappings.put_contacts(known)
            if cursor:
                mappings.set_setting(_CURSOR, utc_text(cursor))
