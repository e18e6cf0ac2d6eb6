"""Contacts: linked to one that is there, created, brought up to date."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from caspen_xero.outside_text import plain
from caspen_xero.store import known_contacts
from caspen_xero.store.known_contacts import KnownContact, name_key
from caspen_xero.store.mappings import Mappings
from caspen_xero.sync.planning.compare import Shape, contact_shape, differences, sent_contact_shape, told_edits
from caspen_xero.sync.planning.contact_matching import party_of
from caspen_xero.sync.planning.contact_numbers import GENERIC_ID, bare_numbers
from caspen_xero.sync.planning.kept import NotKept, contact_not_kept, told_not_kept
from caspen_xero.sync.planning.steps import ExpectedContact, Step
from caspen_xero.sync.sending.records import Records
from caspen_xero.sync.sending.steps.specification import LISTED, Count, Found, Link, Route, Write, of_targets
from caspen_xero.sync.setup.contacts import read_contacts
from caspen_xero.xero.calls import Client
from caspen_xero.xero.documents import Contact
from caspen_xero.xero.elements import Element
from caspen_xero.xero.reading import contacts_by_id


class LinkContact(Link):
    """A party whose contact is in Xero already."""

    kind = "link-contact"
    counts_as = Count("contacts_linked", "contacts linked")

    def record(self, records: Records, step: Step, found: Element) -> str:
        records.link_contact(step.caspen_id, step.target, made_by_us=False, fingerprint=None, name=step.detail)
        return step.target


class _OurContact(Write):
    """A contact that is made or changed: what it is known by is held against what was sent."""

    def not_kept(self, body: Mapping[str, Any], found: Element) -> list[NotKept]:
        assert isinstance(found, Contact)
        return contact_not_kept(body, found)

    def keep_lost(
        self, records: Records, step: Step, found: Element, lost: Sequence[NotKept], warnings: Sequence[str]
    ) -> list[str]:
        assert isinstance(step.expected, ExpectedContact)
        return [
            f"{plain(step.expected.name)}: Xero shows the contact otherwise than it was sent: {told_not_kept(lost)}."
        ]


class CreateContact(_OurContact):
    """A party that has no contact in Xero."""

    kind = "create-contact"
    counts_as = Count("contacts_created", "contacts created")
    expected = ExpectedContact
    route = Route("PUT", "Contacts", "Contacts", params=LISTED)
    id_field, named_by = "contact_id", "contact_number"

    def record(self, records: Records, step: Step, found: Element) -> str:
        assert isinstance(found, Contact)
        assert isinstance(step.expected, ExpectedContact)
        contact_id, name = found.contact_id or "", found.name or step.expected.name
        records.link_contact(
            step.caspen_id,
            contact_id,
            made_by_us=True,
            fingerprint=step.expected.fingerprint,
            name=name,
            done_up_to=step.expected.touched,
            last_written=_as_written(step, found),
        )
        known = KnownContact(contact_id, name, step.number, found.contact_status or "ACTIVE")
        known_contacts.put(records.mappings, [known])
        return contact_id

    def keep_as_sent(self, records: Records, step: Step, found: Element) -> str:
        link = records.mappings.link(*party_of(step.caspen_id))
        assert isinstance(found, Contact)
        if link is None or step.body is None:
            return ""
        sent = sent_contact_shape(step.body)
        records.mappings.put_link(link.with_(last_written=sent))
        return told_edits(differences(sent, contact_shape(found)))

    def find_again(self, client: Client, mappings: Mappings, steps: Sequence[Step]) -> Found:
        """By the number, which nobody had before it was sent; where that is the bare id, the name has to be what was sent too."""
        odd = read_contacts(client, mappings)
        known = known_contacts.numbered(mappings, (step.number or "" for step in steps))
        by_number = {contact.number: contact for contact in known if contact.status == "ACTIVE"}
        ids = {
            place: by_number[step.number].xero_id
            for place, step in enumerate(steps)
            if step.number in by_number and _is_as_sent(by_number[step.number], step)
        }
        if odd and len(ids) < len(steps):  # it may be what can't be read
            raise odd[0]
        found = contacts_by_id(client, list(ids.values()))  # with their details
        return {place: found[id_] for place, id_ in ids.items() if id_ in found}

    def after_refusal(self, client: Client, records: Records, refused: Sequence[Step]) -> set[str]:
        read_contacts(client, records.mappings)  # the next plan matches it, where somebody has made it meanwhile
        return set()


class UpdateContact(_OurContact):
    """A contact of ours whose client or payer has changed in Caspen."""

    kind = "update-contact"
    counts_as = Count("contacts_updated", "contacts updated")
    expected = ExpectedContact
    route = Route("POST", "Contacts", "Contacts", params=LISTED)
    id_field = named_by = "contact_id"

    def record(self, records: Records, step: Step, found: Element) -> str:
        assert isinstance(found, Contact)
        assert isinstance(step.expected, ExpectedContact)
        link = records.mappings.link(*party_of(step.caspen_id))
        if link is not None:
            records.mappings.put_link(
                link.with_(
                    number=found.name or link.number,
                    fingerprint=step.expected.fingerprint,
                    done_up_to=step.expected.touched,
                    last_written=_as_written(step, found),
                )
            )
        return found.contact_id or ""

    def find_again(self, client: Client, mappings: Mappings, steps: Sequence[Step]) -> Found:
        known = contacts_by_id(client, [step.target for step in steps])
        return {place: one for place, one in of_targets(steps, known).items() if _shows(one, steps[place])}


def _as_written(step: Step, found: Contact) -> Shape:
    """What a contact shows by our own doing: what was sent, in Xero's words where its answer, which may leave out any, has them.

    What was edited in Xero and stays is not that: of it, what Caspen says.
    """
    assert isinstance(step.expected, ExpectedContact)
    shown = sent_contact_shape(step.body or {}) | contact_shape(found) | (step.expected.kept or {})
    return {name: value for name, value in shown.items() if value}


def _is_as_sent(contact: KnownContact, step: Step) -> bool:
    kind, id_ = party_of(step.caspen_id)
    if step.number not in (*bare_numbers(kind, id_), *bare_numbers(kind, id_, is_generic=id_ == GENERIC_ID)):
        return True
    assert isinstance(step.expected, ExpectedContact)
    return name_key(contact.name) == name_key(step.expected.name)


def _shows(found: Element, step: Step) -> bool:
    """Whether a contact shows just what was written."""
    assert isinstance(found, Contact)
    assert isinstance(step.expected, ExpectedContact)
    shape = contact_shape(found)
    return bool(shape) and shape == step.expected.shape
