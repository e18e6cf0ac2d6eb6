"""An invoice of Caspen's beside one in Xero, from what the store knows: whether they are one, in a person's words."""

from __future__ import annotations

from dataclasses import replace

from caspen_xero.outside_text import plain
from caspen_xero.store import clinic, known_contacts
from caspen_xero.store.journal import contacts_made
from caspen_xero.store.known_contacts import KnownContact
from caspen_xero.store.mappings import Mappings
from caspen_xero.sync.planning.contact_matching import Party, merged_into
from caspen_xero.sync.planning.same_invoice import Fact, Whose, facts
from caspen_xero.sync.planning.ways_out import About, after_caspen
from caspen_xero.sync.sending.load import load_caspen_side
from caspen_xero.sync.setup.organisation import pages_of
from caspen_xero.sync.setup.settings import read_settings
from caspen_xero.xero.documents import Invoice


def beside(mappings: Mappings, invoice_id: str, found: Invoice) -> tuple[Fact, ...]:
    """What both are known by. Merges of contacts are followed as far as contacts were read."""
    caspen = load_caspen_side(mappings.store, [invoice_id], read_settings(mappings.store))
    return facts(caspen.invoices[invoice_id], found, _whose(mappings, caspen.parties[invoice_id], found))


def where_it_is(mappings: Mappings, found: Invoice) -> str:
    """The address at which an invoice opens in Xero; "" where none is known."""
    return pages_of(mappings).invoice(found.invoice_id) or ""


def about(mappings: Mappings, invoice_id: str, number: str | None) -> About:
    """An invoice as ways out speak of it, by what the store says. `number`: the one that names it, if any does."""
    settings, link = read_settings(mappings.store), mappings.link("invoice", invoice_id)
    caspen = load_caspen_side(mappings.store, [invoice_id], settings)
    party, currency = caspen.parties[invoice_id].key, plain(caspen.invoices[invoice_id].currency)
    there = pages_of(mappings).there(link.xero_id if link else None)
    return About(number, invoice_id, there, settings.source, party, currency)


def once_in_caspen(mappings: Mappings, command: str) -> str:
    """A command once something was changed in Caspen."""
    return after_caspen(command, read_settings(mappings.store).source)


def _whose(mappings: Mappings, party: Party, found: Invoice) -> Whose:
    link = mappings.link(party.kind, party.caspen_id)
    named = (found.contact.contact_id if found.contact else None) or ""
    there = _become(mappings, named, (found.contact.name if found.contact else None) or "")
    owners = [one for one in mappings.links_to({named, there.xero_id}).values() if one.kind in ("client", "payer")]
    return Whose(
        party,
        _become(mappings, link.xero_id, link.number or "") if link else None,
        there,
        next((one for one in owners if (one.kind, one.caspen_id) != (party.kind, party.caspen_id)), None),
        made=(party.key, there.xero_id) in contacts_made(mappings, [party.key]),
        has_namesake=len(clinic.parties_called(mappings.store, party.full_name)) > 1,
    )


def _become(mappings: Mappings, contact_id: str, name: str) -> KnownContact:
    """A contact, or the one that it was merged into; by its own name where that one is not known itself."""
    contacts = known_contacts.by_id(mappings, [contact_id])
    now = merged_into(contact_id, contacts)
    known = contacts.get(now) or contacts.get(contact_id) or KnownContact(contact_id, name, None, "ACTIVE")
    return replace(known, xero_id=now, merged_to=None)
