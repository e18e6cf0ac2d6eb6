"""Xero's contacts as last read: who is matched, and which names are taken, is decided from these."""

from __future__ import annotations

from caspen_xero.store import known_contacts
from caspen_xero.store.known_contacts import KnownContact
from caspen_xero.store.mappings import Mappings
from caspen_xero.store.store import utc_text, utc_time
from caspen_xero.xero.addresses import is_id
from caspen_xero.xero.calls import Client
from caspen_xero.xero.errors import Unreadable
from caspen_xero.xero.reading import OVERLAP, changed_contacts, latest

_CURSOR = "contacts_cursor"


def read_contacts(client: Client, mappings: Mappings, *, anew: bool = False) -> list[Unreadable]:
    """Brings what is known of Xero's contacts up to date: one call per 1,000 contacts that changed since the last reading.

    Gives the contacts that can't be read. Nobody is matched to one; the next reading begins where this one did, so
    that it is seen as soon as it can be read.
    """
    cursor = None if anew else latest(client, utc_time(mappings.setting(_CURSOR)))
    left_out: list[Unreadable] = []
    for page, odd in changed_contacts(client, cursor - OVERLAP if cursor else None):
        left_out += odd
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
            if contact.contact_id and is_id(contact.contact_id)
        ]
        cursor = latest(client, cursor, *(one.updated_at for one in known))
        with mappings.store.write():
            known_contacts.put(mappings, known)
            if cursor and not left_out:
                mappings.set_setting(_CURSOR, utc_text(cursor))
    return left_out
