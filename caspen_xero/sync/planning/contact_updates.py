"""Clients who changed their name, email or address: their contacts follow, if we made them and nobody edited them since. Pure."""

from __future__ import annotations

from typing import Any

from caspen_xero.store.mappings import Link, name_key
from caspen_xero.sync.planning.compare import ADDRESS_PARTS, ADDRESS_TYPES, contact_shape, differences
from caspen_xero.sync.planning.contact_matching import Party, contact_body, contact_fingerprint
from caspen_xero.sync.planning.planner import Planner
from caspen_xero.sync.planning.snapshot import ChangedParty
from caspen_xero.sync.planning.steps import ExpectedContact, Step
from caspen_xero.xero.documents import Contact


def plan_contact_update(planner: Planner, change: ChangedParty) -> None:
    """Adds the update of a contact whose party has changed; asks for the contact only where something would change there."""
    party, link = change.party, change.link
    looks, done = planner.snapshot.looks, (link.kind, link.caspen_id)
    if party.record is None or party.privacy == "generic" or contact_fingerprint(party) == link.fingerprint:
        planner.plan.contacts_done[done] = change.touched
        return
    depends_on = f"{change.touched}.{planner.snapshot.settings_number}"
    held = planner.snapshot.holds.get(("update-contact", party.key))
    if held is not None and held.depends_on == depends_on:
        return
    if link.xero_id not in looks.contacts:
        planner.plan.asks.contact_details.add(link.xero_id)
        return
    seen = looks.contacts[link.xero_id]
    why_not = _why_left_alone(seen, link)
    if seen is None or why_not is not None:
        warning = f"{link.number}: changed in Caspen; {why_not}, so the contact in Xero stays as it is."
        planner.plan.warnings.append(warning)
        planner.plan.contacts_done[done] = change.touched
        return
    contact = contact_body(party, _free_name(planner, party, link))
    planner.plan.warnings += contact.warnings
    wanted = Contact.model_validate(contact.body)
    planner.plan.steps.append(
        Step(
            kind="update-contact",
            caspen_id=party.key,
            invoice_id=None,
            number=party.number,
            detail=contact.body["Name"],
            body={"ContactID": link.xero_id, **contact.body, **_emptied(seen, contact.body)},
            expected=ExpectedContact(
                contact_fingerprint(party), contact.body["Name"], change.touched, contact_shape(wanted)
            ),
            depends_on=depends_on,
            target=link.xero_id,
        )
    )


def _why_left_alone(seen: Contact | None, link: Link) -> str | None:
    if seen is None:
        return "it is no longer in Xero"
    if (seen.contact_status or "ACTIVE") != "ACTIVE":
        return "it is archived in Xero"
    if link.last_written is not None and differences(link.last_written, contact_shape(seen)):
        return "somebody has edited it in Xero"
    return None


def _emptied(seen: Contact, body: dict[str, Any]) -> dict[str, Any]:
    """What the client no longer has, said to be empty: what an update leaves out stays in Xero."""
    gone = set(contact_shape(seen)) - set(contact_shape(Contact.model_validate(body)))
    emptied: dict[str, Any] = {name: "" for name in ("FirstName", "LastName", "EmailAddress") if name in gone}
    if "Phone" in gone:
        emptied["Phones"] = [{"PhoneType": "DEFAULT", "PhoneNumber": ""}]
    if any(name.startswith(ADDRESS_TYPES) for name in gone):
        has = {address["AddressType"]: address for address in body.get("Addresses", [])}
        empty = dict.fromkeys(ADDRESS_PARTS, "")
        emptied["Addresses"] = [{**empty, **has.get(kind, {}), "AddressType": kind} for kind in ADDRESS_TYPES]
    return emptied


def _free_name(planner: Planner, party: Party, link: Link) -> str:
    """The party's name, made unique further where another active contact has it, or another party of this plan gets it."""
    attempt = -1
    while True:
        name = party.name() if attempt < 0 else party.name(unique=True, attempt=attempt)
        named = planner.snapshot.contacts.named(name)
        others = [one for one in named if one.status == "ACTIVE" and one.xero_id != link.xero_id]
        key = name_key(name)
        if key == name_key(link.number or "") or (not others and key not in planner.taken_names):
            planner.taken_names.add(key)
            return name
        attempt += 1
