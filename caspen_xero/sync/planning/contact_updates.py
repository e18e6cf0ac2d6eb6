"""Clients who changed their name, email or address: their contacts follow, if we made them; what was edited there stays. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from caspen_xero.outside_text import plain
from caspen_xero.seals import opened
from caspen_xero.store.known_contacts import name_key
from caspen_xero.store.mappings import Link
from caspen_xero.sync.planning.compare import (
    ADDRESS_PARTS,
    ADDRESS_TYPES,
    NEVER_EMPTY,
    Shape,
    contact_shape,
    differences,
    told,
)
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
    odd = planner.snapshot.unsettled.get(("update-contact", party.key)) or looks.odd.get(
        ("contact_details", link.xero_id)
    )
    if odd is not None:
        warning = f"{plain(link.number)}: changed in Caspen; the contact in Xero stays as it is for now: {odd}."
        planner.plan.warnings.append(warning)
        return
    if link.xero_id not in looks.contacts:
        planner.plan.asks.contact_details.add(link.xero_id)
        return
    seen = looks.contacts[link.xero_id]
    why_not = _why_left_alone(seen)
    if seen is None or why_not is not None:
        warning = f"{plain(link.number)}: changed in Caspen; {why_not}, so the contact in Xero stays as it is."
        planner.plan.warnings.append(warning)
        planner.plan.contacts_done[done] = change.touched
        return
    contact = contact_body(party, _free_name(planner, party, link))
    merged = _merge(contact_shape(Contact.model_validate(contact.body)), contact_shape(seen), link.last_written)
    if merged.against:
        why_not = "somebody has edited it in Xero too, so the contact in Xero stays as it is"
        planner.plan.warnings.append(f"{plain(link.number)}: changed in Caspen; {why_not} ({told(merged.against)}).")
        planner.plan.contacts_done[done] = change.touched
        return
    planner.plan.warnings += contact.warnings
    planner.plan.steps.append(
        Step(
            kind="update-contact",
            caspen_id=party.key,
            invoice_id=None,
            number=party.number,
            detail=contact.body["Name"],
            body={"ContactID": link.xero_id, **_body(merged.wanted, seen)},
            expected=ExpectedContact(
                contact_fingerprint(party), contact.body["Name"], change.touched, merged.wanted, merged.kept
            ),
            depends_on=depends_on,
            target=link.xero_id,
        )
    )


def _why_left_alone(seen: Contact | None) -> str | None:
    if seen is None:
        return "it is no longer in Xero"
    if (seen.contact_status or "ACTIVE") != "ACTIVE":
        return "it is archived in Xero"
    return None


@dataclass(frozen=True)
class _Merged:
    """What a contact is to show, what of Caspen's gives way to an edit in Xero (`kept`), and what only a person can decide."""

    wanted: Shape
    kept: Shape
    against: list[tuple[str, str, str]]


def _merge(own: Shape, shown: Shape, written: Mapping[str, str] | None) -> _Merged:
    """Caspen's version and what somebody has edited: what only one side has changed is so; of what both have, neither."""
    before = shown if written is None else opened(written, own, shown)
    wanted, kept, against = dict(own), {}, []
    for name in {**own, **shown}:
        ours, theirs, was = own.get(name, ""), shown.get(name, ""), before.get(name, "")
        if ours == theirs or theirs == was or (name in NEVER_EMPTY and not theirs):  # an answer may lack it
            continue
        if ours == was:
            kept[name], wanted[name] = ours, theirs
        else:
            against.append((name, ours, theirs))
    return _Merged({name: value for name, value in wanted.items() if value}, kept, against)


def _body(wanted: Shape, seen: Contact) -> dict[str, Any]:
    """What would change, and the name. What is gone is said to be empty: what an update leaves out stays in Xero."""
    changed = {name for name, _, _ in differences(wanted, contact_shape(seen))}
    body: dict[str, Any] = {"Name": wanted["Name"] if "Name" in changed else seen.name or wanted["Name"]}
    body |= {name: wanted.get(name, "") for name in ("FirstName", "LastName", "EmailAddress") if name in changed}
    if "Phone" in changed:
        body["Phones"] = [{"PhoneType": "DEFAULT", "PhoneNumber": wanted.get("Phone", "")}]
    addresses = [
        {"AddressType": kind, **{part: wanted.get(f"{kind} {part}", "") for part in ADDRESS_PARTS}}
        for kind in ADDRESS_TYPES
        if any(name.startswith(f"{kind} ") for name in changed)
    ]
    return body | ({"Addresses": addresses} if addresses else {})


def _free_name(planner: Planner, party: Party, link: Link) -> str:
    """The party's name, made unique further where another active contact has it, or another party of this plan gets it."""
    attempt = -1
    while True:
        name = party.name() if attempt < 0 else party.name(unique=True, attempt=attempt)
        named = planner.snapshot.contacts.named(name)
        others = [one for one in named if one.status == "ACTIVE" and one.xero_id != link.xero_id]
        key = name_key(name)
        if key == name_key(link.number or "") or (not others and key not in planner.given.names):
            planner.given.names.add(key)
            return name
        attempt += 1
