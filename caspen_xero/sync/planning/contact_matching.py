"""Who is who: the Xero contact of a Caspen client or payer. Pure.

By ContactNumber (the full Caspen id), then by exact name, archived contacts included; a name whose ContactNumber is another one's
is no match. Two people of one name are never merged.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from caspen_xero.caspen.records import Address, Client, Contact
from caspen_xero.store.mappings import KnownContact, name_key
from caspen_xero.sync.setup.settings import Privacy

PartyKind = Literal["client", "payer"]
_EMAIL = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}"
)
GENERIC_ID = "all-clients"
GENERIC_NUMBER = f"caspen-{GENERIC_ID}"


def party_of(key: str) -> tuple[PartyKind, str]:
    """Kind and Caspen id of the party that the engine's rows name `client:ID` or `payer:ID`."""
    kind, _, caspen_id = key.partition(":")
    return ("payer" if kind == "payer" else "client"), caspen_id


@dataclass(frozen=True)
class Party:
    """Whom an invoice is made out to: a client (`client`) or a third party (`payer`), with the record Caspen has of it.

    `id_is_a_clients`: a payer whose id some client has too; the two must not share a ContactNumber.
    """

    kind: PartyKind
    caspen_id: str
    record: Client | Contact | None
    privacy: Privacy = "full"
    id_is_a_clients: bool = False

    @property
    def key(self) -> str:
        """How the engine's rows name the party: `client:ID` or `payer:ID`."""
        return f"{self.kind}:{self.caspen_id}"

    @property
    def number(self) -> str:
        """The ContactNumber: the full Caspen id; one too long for Xero's 50 characters is kept apart by a hash."""
        number = GENERIC_NUMBER if self.caspen_id == GENERIC_ID else self.caspen_id
        if self.id_is_a_clients:
            number = f"payer-{number}"
        if len(number) <= 50:
            return number
        return f"{number[:33]}-{hashlib.sha256(number.encode()).hexdigest()[:16]}"

    @property
    def full_name(self) -> str:
        """First and last name (or the payer's company), cleaned as Xero wants names."""
        record = self.record
        if record is None:
            return "Clients" if self.caspen_id == GENERIC_ID else ""
        company = record.company if isinstance(record, Contact) else None
        return _clean(company or f"{record.first_name or ''} {record.last_name or ''}")

    def name(self, *, unique: bool = False, attempt: int = 0) -> str:
        """The contact's name, `Full name (Caspen #####)`; with `unique` the whole id stands for its last five digits."""
        shown = _clean(self.caspen_id) if unique else last_five_digits(self.caspen_id)
        if self.caspen_id == GENERIC_ID:
            suffix = "(Caspen)" if not unique else "(Caspen clinic)"
        else:
            suffix = f"(Caspen {shown[:200]})"
        if attempt:
            suffix += f" {attempt + 1}"
        return f"{self.full_name[: 254 - len(suffix)].rstrip()} {suffix}".strip()


def last_five_digits(caspen_id: str) -> str:
    """The last five of the digits 0 to 9 that occur in an id, padded with zeros: `cli_01HQFQ9QWT` gives `00019`."""
    return "".join(char for char in caspen_id if char in "0123456789")[-5:].rjust(5, "0")


@dataclass(frozen=True)
class Match:
    """The contact that is the party's; or an `archived` one that only a person can restore; or a free `name` to create it with."""

    known: KnownContact | None = None
    archived: KnownContact | None = None
    name: str = ""


def match_party(
    party: Party,
    numbered: Iterable[KnownContact],
    named: Callable[[str], list[KnownContact]],
    taken: set[str],
    others: Collection[str] = (),
) -> Match:
    """Finds a party among Xero's contacts.

    `numbered` has its ContactNumber; `named` looks a name up; `taken` are the names (`name_key`) that this run gives to others,
    `others` the ContactIDs that stand for other parties already.
    """
    own = sorted(numbered, key=lambda contact: (contact.status != "ACTIVE", contact.xero_id))
    if own:
        return _usable(own[0])
    name = party.name()
    same_name = [c for c in named(name) if c.number in (None, "", party.number) and c.xero_id not in others]
    same_name.sort(key=lambda contact: (contact.status != "ACTIVE", contact.xero_id))
    if same_name and name_key(name) not in taken:
        return _usable(same_name[0])
    attempt = 0
    while name_key(name) in taken or any(contact.status == "ACTIVE" for contact in named(name)):
        name = party.name(unique=True, attempt=attempt)
        attempt += 1
    return Match(name=name)


def _usable(contact: KnownContact) -> Match:
    return Match(known=contact) if contact.status == "ACTIVE" or contact.merged_to else Match(archived=contact)


@dataclass(frozen=True)
class ContactBody:
    """A contact for Xero and what had to be left out of it, as warnings."""

    body: dict[str, Any]
    warnings: list[str]


def contact_body(party: Party, name: str) -> ContactBody:
    """A party as Xero's contact. What Xero would refuse (a bad email) is left out with a warning."""
    body: dict[str, Any] = {"Name": name, "ContactNumber": party.number}
    record, warnings = party.record, []
    if record is None or party.privacy != "full":
        return ContactBody(body, [])
    for field, value in (("FirstName", record.first_name), ("LastName", record.last_name)):
        if value and _clean(value):
            body[field] = _clean(value)[:255]
    email = (record.email or "").strip()
    if email:
        if valid_email(email):
            body["EmailAddress"] = email
        else:
            warnings.append(f"{name}: the email {email!r} is not one that Xero takes; it was left out.")
    phone = getattr(record, "phone_number", None) or next(iter(record.phone_numbers), None)
    if phone and _clean(phone):
        body["Phones"] = [{"PhoneType": "DEFAULT", "PhoneNumber": _clean(phone)[:50]}]
    address = _address(record.address)
    if address:
        body["Addresses"] = [{"AddressType": kind, **address} for kind in ("STREET", "POBOX")]
    return ContactBody(body, warnings)


def contact_fingerprint(party: Party) -> str:
    """A fingerprint of what a party's contact shows in Xero: two equal ones need no update."""
    body = contact_body(party, party.name()).body
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:32]


def valid_email(email: str) -> bool:
    """Whether Xero would take an address: plain ASCII, one @, a domain, 255 characters at most."""
    return len(email) <= 255 and ".." not in email and _EMAIL.fullmatch(email) is not None


def _address(address: Address | None) -> dict[str, str]:
    if address is None:
        return {}
    parts = {
        "AddressLine1": (address.line1, 500),
        "AddressLine2": (address.line2, 500),
        "City": (address.city, 255),
        "Region": (address.state, 255),
        "PostalCode": (address.postal_code, 50),
        "Country": (_letters(address.country_code), 50),
    }
    return {key: _clean(value)[:limit] for key, (value, limit) in parts.items() if value and _clean(value)}


def _letters(text: str | None) -> str:
    return "".join(char for char in text or "" if char.isascii() and (char.isalpha() or char == " "))


def _clean(text: str) -> str:
    """Without `<`, `>` and control characters, single spaces between words."""
    if text.isprintable() and "<" not in text and ">" not in text:
        return " ".join(text.split())
    kept = "".join(" " if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} else char for char in text)
    return " ".join(kept.replace("<", "").replace(">", "").split())
