"""`contacts link` and `unlink`: a person says which contact in Xero a client or payer is, or that it is not that one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from caspen_xero.outside_text import plain, said
from caspen_xero.store import holds, known_contacts, problems
from caspen_xero.store.known_contacts import KnownContact
from caspen_xero.store.mappings import Link, Mappings
from caspen_xero.sync.fix_commands import contact_command
from caspen_xero.sync.planning.contact_numbers import PartyKind
from caspen_xero.sync.sending.manual_link import LinkError
from caspen_xero.sync.sending.records import Records
from caspen_xero.xero.addresses import ids_in
from caspen_xero.xero.calls import Client
from caspen_xero.xero.documents import Contact
from caspen_xero.xero.reading import contacts_by_id


@dataclass(frozen=True)
class Unlinked:
    """A link that was taken back: the contact, and how many invoices stand with it in Xero."""

    contact_id: str
    name: str
    invoices: int


def link_contact(
    client: Client, mappings: Mappings, kind: PartyKind, caspen_id: str, name: str, now: datetime
) -> Contact:
    """Links a client or payer to the Xero contact with that id (or in that address); it stays as whoever made it wants it.

    Raises `LinkError`.
    """
    found = ids_in(name)
    if not found:
        raise LinkError(
            "link-not-an-id",
            f"{said(name)} holds no Xero id.",
            "Copy it from the address of the contact's page in Xero.",
        )
    xero_id = found[-1].lower()
    contact = contacts_by_id(client, [xero_id]).get(xero_id)
    if contact is None:
        raise LinkError("link-not-found", f"Xero has no contact {plain(xero_id)}.", "Check the id in Xero.")
    before = mappings.link(kind, caspen_id)
    if before is not None and before.xero_id == xero_id:
        _check(mappings, kind, caspen_id, contact, None)
        with mappings.store.write():
            mappings.put_link(before.with_(status="ACTIVE"))
            _try_again(mappings, kind, caspen_id)
        return contact
    _check(mappings, kind, caspen_id, contact, before)
    known = KnownContact(xero_id, contact.name or "", contact.contact_number, "ACTIVE")
    with mappings.store.write():
        known_contacts.put(mappings, [known])
        mappings.allow_link(kind, caspen_id, xero_id)
        Records(mappings, lambda: now).link_contact(
            f"{kind}:{caspen_id}", xero_id, made_by_us=False, fingerprint=None, name=known.name
        )
        _try_again(mappings, kind, caspen_id)
    return contact


def unlink_contact(mappings: Mappings, kind: PartyKind, caspen_id: str) -> Unlinked:
    """Takes a link back, made by a person or not: it is not made again by itself. Raises `LinkError`."""
    link = mappings.link(kind, caspen_id)
    if link is None:
        raise LinkError("contact-not-linked", f"The {kind} {plain(caspen_id)} is linked to no contact in Xero.")
    with mappings.store.write():
        mappings.drop_link(kind, caspen_id)
        mappings.refuse_link(kind, caspen_id, link.xero_id)
        _try_again(mappings, kind, caspen_id)
    return Unlinked(link.xero_id, link.number or "", mappings.count_written_to(link.xero_id))


def _check(mappings: Mappings, kind: PartyKind, caspen_id: str, contact: Contact, before: Link | None) -> None:
    xero_id, name = contact.contact_id or "", plain(contact.name or "the contact")
    if before is not None:
        raise LinkError(
            "link-does-not-fit",
            f"The {kind} {plain(caspen_id)} is linked to another contact in Xero: {plain(before.number)} "
            f"({plain(before.xero_id)}).",
            contact_command("unlink", kind, caspen_id),
        )
    if contact.merged_to_contact_id:
        into = contact.merged_to_contact_id
        raise LinkError(
            "link-does-not-fit",
            f"{name} was merged into another contact in Xero ({plain(into)}).",
            contact_command("link", kind, caspen_id, into),
        )
    if contact.contact_status not in (None, "ACTIVE"):
        again = contact_command("link", kind, caspen_id, xero_id)
        raise LinkError(
            "link-does-not-fit", f"{name} is archived in Xero.", f"Restore it there, or name another one, then: {again}"
        )
    others = mappings.links_to([xero_id.lower()]).get(xero_id.lower())
    if others is not None and (others.kind, others.caspen_id) != (kind, caspen_id):
        whose: PartyKind = "payer" if others.kind == "payer" else "client"
        raise LinkError(
            "link-does-not-fit",
            f"{name} stands for the {whose} {plain(others.caspen_id)} already.",
            contact_command("unlink", whose, others.caspen_id),
        )


def _try_again(mappings: Mappings, kind: PartyKind, caspen_id: str) -> None:
    """What was held or said of the party's contact before no longer holds."""
    key = f"{kind}:{caspen_id}"
    for step in ("match-contact", "create-contact", "update-contact"):
        holds.release(mappings, step, [key])
    holds.make_invoices_due(mappings, problems.drop_problems_about(mappings, key))
