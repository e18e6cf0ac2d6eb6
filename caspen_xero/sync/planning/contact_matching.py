"""Who is who: the Xero contact of a Caspen client or payer. Pure.

By ContactNumber, where that shows whose the contact is (`is_partys`), then by exact name, archived contacts included; a name whose
ContactNumber is another one's is no match. Two people of one name are never merged, nor two of one number in two systems.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from caspen_xero.caspen.records import Address, Client, Contact
from caspen_xero.outside_text import plain, said
from caspen_xero.store.known_contacts import KnownContact, name_key
from caspen_xero.store.mappings import Link
from caspen_xero.sync.planning.contact_numbers import (
    GENERIC_ID,
    PartyKind,
    bare_numbers,
    has_prefix,
    number_key,
    own_numbers,
)
from caspen_xero.sync.setup.settings import Privacy, Settings

_EMAIL = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}"
)
_ATTEMPT = re.compile(r"\) ([1-9][0-9]{0,5})$")


def party_of(key: str) -> tuple[PartyKind, str]:
    """Kind and Caspen id of the party that the engine's rows name `client:ID` or `payer:ID`."""
    kind, _, caspen_id = key.partition(":")
    return ("payer" if kind == "payer" else "client"), caspen_id


@dataclass(frozen=True)
class Party:
    """Whom an invoice is made out to: a client (`client`) or a third party (`payer`), with the record Caspen has of it.

    `prefix`: what our contact numbers begin with.
    """

    kind: PartyKind
    caspen_id: str
    record: Client | Contact | None
    privacy: Privacy = "full"
    prefix: str = Settings.contact_prefix

    @property
    def key(self) -> str:
        """How the engine's rows name the party: `client:ID` or `payer:ID`."""
        return f"{self.kind}:{self.caspen_id}"

    @property
    def is_generic(self) -> bool:
        """Whether it stands for all clients, so that Xero learns of none."""
        return self.caspen_id == GENERIC_ID and self.privacy == "generic"

    @property
    def number(self) -> str:
        """The ContactNumber of a new contact, where another party has not taken it in another letter case."""
        return self.numbers[0]

    @property
    def numbers(self) -> tuple[str, ...]:
        """The ContactNumbers that its contact may have from us (`own_numbers`)."""
        return own_numbers(self.kind, self.caspen_id, self.prefix, is_generic=self.is_generic)

    @property
    def bare_numbers(self) -> tuple[str, ...]:
        """The ContactNumbers that earlier versions gave."""
        return bare_numbers(self.kind, self.caspen_id, is_generic=self.is_generic)

    @property
    def full_name(self) -> str:
        """First and last name (or the payer's company), cleaned as Xero wants names."""
        record = self.record
        if record is None:
            return "Clients" if self.is_generic else ""
        company = record.company if isinstance(record, Contact) else None
        return _clean(company or f"{record.first_name or ''} {record.last_name or ''}")

    def name(self, *, unique: bool = False, attempt: int = 0) -> str:
        """The contact's name, `Full name (Caspen #####)`; with `unique` the whole id stands for its last five digits."""
        shown = _clean(self.caspen_id) if unique else last_five_digits(self.caspen_id)
        if self.is_generic:
            suffix = "(Caspen)" if not unique else "(Caspen clinic)"
        else:
            suffix = f"(Caspen {shown[:200]})"
        if attempt:
            suffix += f" {attempt + 1}"
        return f"{self.full_name[: 254 - len(suffix)].rstrip()} {suffix}".strip()

    def is_called(self, name: str) -> bool:
        """Whether a contact's name is the party's: the full name, alone or with a suffix of ours; letter case and spaces aside."""
        attempt = _ATTEMPT.search(name.strip())
        ours = [self.full_name[:255], self.name(), self.name(unique=True)]
        if attempt:
            ours.append(self.name(unique=True, attempt=int(attempt[1]) - 1))
        return name_key(name) in {name_key(one) for one in ours if one}

    def is_partly_called(self, name: str) -> bool:
        """Whether a contact's name has a word of the party's, or says as little as the party's does."""
        theirs, ours = _words(name), _words(self.full_name)
        return bool(theirs & ours) or not ours

    def has_suffix(self, name: str) -> bool:
        """Whether a contact's name ends as we have all of the party's end, whoever it says that this is."""
        own = self.name()[len(self.full_name) :] if self.full_name else self.name()
        return name_key(name).endswith(name_key(own))


def _words(name: str) -> set[str]:
    return {word for word in re.split(r"\W+", name.casefold()) if len(word) > 1}


def last_five_digits(caspen_id: str) -> str:
    """The last five of the digits 0 to 9 that occur in an id, padded with zeros: `cli_01HQFQ9QWT` gives `00019`."""
    return "".join(char for char in caspen_id if char in "0123456789")[-5:].rjust(5, "0")


@dataclass(frozen=True)
class ContactBook:
    """What is known of Xero's contacts: links by party, contacts by number (`number_key`), by name and by id.

    `others`: those that stand for a party already, among them and those that invoices were seen with. Pairs of a party's key and a
    ContactID: `made`, those that our journal says we made for the party; `refused`, those of which a person has said that the one
    is not the other.
    """

    links: Mapping[tuple[str, str], Link] = field(default_factory=dict)
    touched: Mapping[tuple[str, str], int] = field(default_factory=dict)
    numbered: Mapping[str, list[KnownContact]] = field(default_factory=dict)
    names: Mapping[str, list[KnownContact]] = field(default_factory=dict)
    by_id: Mapping[str, KnownContact] = field(default_factory=dict)
    others: Mapping[str, Link] = field(default_factory=dict)
    made: frozenset[tuple[str, str]] = frozenset()
    refused: frozenset[tuple[str, str]] = frozenset()

    def named(self, name: str) -> list[KnownContact]:
        """Contacts of that name, archived ones too."""
        return self.names.get(name_key(name), [])

    def holding(self, number: str) -> list[KnownContact]:
        """Contacts of that number, letter case aside, archived ones too."""
        return self.numbered.get(number_key(number), [])


def merged_into(contact_id: str, contacts: Mapping[str, KnownContact]) -> str:
    """The ContactID that a contact has by now, however often it was merged, as far as these contacts (by ContactID) say."""
    seen = set[str]()
    while contact_id not in seen and (known := contacts.get(contact_id)) is not None and known.merged_to:
        seen.add(contact_id)
        contact_id = known.merged_to
    return contact_id


@dataclass
class GivenAway:
    """What a plan gives to parties, so that no two get the same: names (`name_key`), numbers (`number_key`), ContactIDs."""

    names: set[str] = field(default_factory=set)
    numbers: set[str] = field(default_factory=set)
    contacts: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Match:
    """The contact that is the party's; or an `archived` one that only a person can restore; or a free `name` and `number` to
    create it with. `holder`: the contact that has that number, so that a person has to decide."""

    known: KnownContact | None = None
    archived: KnownContact | None = None
    name: str = ""
    number: str = ""
    holder: KnownContact | None = None


def is_partys(party: Party, contact: KnownContact, *, made: bool) -> bool:
    """Whether a contact of a number of the party's is the party's: the one rule for that.

    No number is a proof by itself, as another system may have given it: it counts if we `made` the contact for the party, or if the
    name agrees. With our prefix a part of the name is enough, or the end that we give to names: people change their names.
    """
    number = contact.number or ""
    if number in party.numbers and has_prefix(number, party.prefix):
        return made or party.is_partly_called(contact.name) or party.has_suffix(contact.name)
    if number not in (*party.numbers, *party.bare_numbers):
        return False
    return made or (party.is_called(contact.name) and not has_prefix(number, party.prefix))


def match_party(party: Party, book: ContactBook, given: GivenAway) -> Match:
    """Finds a party among Xero's contacts. `given`: what the plan has given away already."""

    def is_free(contact: KnownContact) -> bool:
        taken = contact.xero_id in book.others or contact.xero_id in given.contacts
        return not taken and (party.key, contact.xero_id) not in book.refused

    numbered = [c for number in (*party.numbers, *party.bare_numbers) for c in book.holding(number) if is_free(c)]
    own = [c for c in numbered if is_partys(party, c, made=(party.key, c.xero_id) in book.made)]
    if own:
        return _usable(min(own, key=_best_first))
    name = party.name()
    same_name = [c for c in book.named(name) if not c.number and is_free(c)]
    if same_name and name_key(name) not in given.names:
        return _usable(min(same_name, key=_best_first))
    attempt = 0
    while name_key(name) in given.names or any(contact.status == "ACTIVE" for contact in book.named(name)):
        name = party.name(unique=True, attempt=attempt)
        attempt += 1
    return _number_for(party, book, given, name)


def _number_for(party: Party, book: ContactBook, given: GivenAway, name: str) -> Match:
    """A new contact with the first number that is free. One that another contact has to the letter is for a person to decide."""
    holders: list[KnownContact] = []
    for number in party.numbers:
        holders = sorted(book.holding(number), key=lambda contact: (contact.number != number, _best_first(contact)))
        if holders and holders[0].number == number:
            break
        if not holders and number_key(number) not in given.numbers:
            return Match(name=name, number=number)
    return Match(name=name, number=number, holder=holders[0] if holders else None)


def _best_first(contact: KnownContact) -> tuple[bool, str]:
    return (contact.status != "ACTIVE", contact.xero_id)


def _usable(contact: KnownContact) -> Match:
    return Match(known=contact) if contact.status == "ACTIVE" or contact.merged_to else Match(archived=contact)


@dataclass(frozen=True)
class ContactBody:
    """A contact for Xero and what had to be left out of it, as warnings."""

    body: dict[str, Any]
    warnings: list[str]


def contact_body(party: Party, name: str) -> ContactBody:
    """What Xero's contact shows of a party; its number is that of its making. What Xero would refuse (a bad email) is left out with
    a warning."""
    body: dict[str, Any] = {"Name": name}
    record, warnings = party.record, []
    if record is None or party.privacy != "full":
        return ContactBody(body, [])
    for part, value in (("FirstName", record.first_name), ("LastName", record.last_name)):
        if value and _clean(value):
            body[part] = _clean(value)[:255]
    email = (record.email or "").strip()
    if email:
        if valid_email(email):
            body["EmailAddress"] = email
        else:
            warnings.append(f"{plain(name)}: the email {said(email)} is not one that Xero takes; it was left out.")
    phone = getattr(record, "phone_number", None) or next(iter(record.phone_numbers), None)
    if phone and _clean(phone):
        body["Phones"] = [{"PhoneType": "DEFAULT", "PhoneNumber": _clean(phone)[:50]}]
    address = _address(record.address)
    if address:
        body["Addresses"] = [{"AddressType": kind, **address} for kind in ("STREET", "POBOX")]
    return ContactBody(body, warnings)


def contact_fingerprint(party: Party) -> str:
    """A fingerprint of what a party's contact shows in Xero: two equal ones need no update.

    Whichever number the contact has, the bare one stands for it: neither another prefix nor an upgrade changes a contact.
    """
    body = contact_body(party, party.name()).body | {"ContactNumber": party.bare_numbers[0]}
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
