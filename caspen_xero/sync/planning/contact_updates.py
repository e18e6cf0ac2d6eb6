"""Clients who changed their name, email or address: their contacts follow, if we made them and nobody edited them since."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from caspen_xero.store import clinic, todo
from caspen_xero.store.holds import Hold
from caspen_xero.store.mappings import Link, LinkKind, Mappings, name_key
from caspen_xero.sync.planning.compare import ADDRESS_PARTS, ADDRESS_TYPES, contact_shape, differences
from caspen_xero.sync.planning.contact_matching import Party, contact_body, contact_fingerprint
from caspen_xero.sync.planning.steps import Operation
from caspen_xero.sync.planning.translate import Privacy
from caspen_xero.sync.sending.recover import ReadingClient, contacts_by_id


def contact_updates(
    client: Callable[[], ReadingClient],
    mappings: Mappings,
    privacy: Privacy,
    held: dict[tuple[str, str], Hold],
    warnings: list[str],
) -> list[Operation]:
    """The updates of contacts that are due. Reads those contacts (one call per 40) only where something would change."""
    changed = [change for change in _changed(mappings, privacy) if ("update-contact", change[0].key) not in held]
    if not changed:
        return []
    seen = contacts_by_id(client(), [link.xero_id for _, link, _ in changed])
    operations: list[Operation] = []
    for party, link, touched in changed:
        element = seen.get(link.xero_id)
        why_not = _why_left_alone(element, link)
        if element is None or why_not is not None:
            warnings.append(f"{link.number}: changed in Caspen; {why_not}, so the contact in Xero stays as it is.")
            mappings.mark_done(link.kind, link.caspen_id, touched)
            continue
        contact = contact_body(party, _free_name(mappings, party, link))
        warnings += contact.warnings
        operations.append(
            Operation(
                kind="update-contact",
                caspen_id=party.key,
                invoice_id=None,
                number=party.number,
                detail=contact.body["Name"],
                body={"ContactID": link.xero_id, **contact.body, **_emptied(element, contact.body)},
                expected={
                    "fingerprint": contact_fingerprint(party),
                    "touched": touched,
                    "shape": contact_shape(contact.body),
                },
                target=link.xero_id,
            )
        )
    return operations


def _changed(mappings: Mappings, privacy: Privacy) -> Iterator[tuple[Party, Link, int]]:
    """Parties whose contact would show something else now; those that would not are done with on the way."""
    for kind, caspen_id, touched in todo.contacts_to_do(mappings):
        link_kind: LinkKind = "payer" if kind == "payer" else "client"
        link = mappings.link(link_kind, caspen_id)
        record: Any = (clinic.contacts if kind == "payer" else clinic.clients)(mappings.store, [caspen_id]).get(
            caspen_id
        )
        party = Party("payer" if kind == "payer" else "client", caspen_id, record, privacy)
        if link is None or record is None or privacy == "generic" or contact_fingerprint(party) == link.fingerprint:
            mappings.mark_done(link_kind, caspen_id, touched)
            continue
        yield party, link, touched


def _why_left_alone(element: dict[str, Any] | None, link: Link) -> str | None:
    if element is None:
        return "it is no longer in Xero"
    if element.get("ContactStatus", "ACTIVE") != "ACTIVE":
        return "it is archived in Xero"
    if link.last_written is not None and differences(link.last_written, contact_shape(element)):
        return "somebody has edited it in Xero"
    return None


def _emptied(element: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """What the client no longer has, said to be empty: what an update leaves out stays in Xero."""
    gone = set(contact_shape(element)) - set(contact_shape(body))
    emptied: dict[str, Any] = {name: "" for name in ("FirstName", "LastName", "EmailAddress") if name in gone}
    if "Phone" in gone:
        emptied["Phones"] = [{"PhoneType": "DEFAULT", "PhoneNumber": ""}]
    if any(name.startswith(ADDRESS_TYPES) for name in gone):
        has = {address["AddressType"]: address for address in body.get("Addresses", [])}
        empty = dict.fromkeys(ADDRESS_PARTS, "")
        emptied["Addresses"] = [{**empty, **has.get(kind, {}), "AddressType": kind} for kind in ADDRESS_TYPES]
    return emptied


def _free_name(mappings: Mappings, party: Party, link: Link) -> str:
    """The party's name, made unique further where another active contact has it."""
    attempt = -1
    while True:
        name = party.name() if attempt < 0 else party.name(unique=True, attempt=attempt)
        others = [c for c in mappings.contacts_named([name]) if c.status == "ACTIVE" and c.xero_id != link.xero_id]
        if not others or name_key(name) == name_key(link.number or ""):
            return name
        attempt += 1
