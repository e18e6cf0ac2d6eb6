"""The number that a party's contact carries in Xero (ContactNumber), and what a number says of whose a contact is. Pure.

Ours begin with a prefix that a person sets, for another system may number its contacts as Caspen numbers its clients. No two
parties have one number, letter case aside: whether Xero tells cases apart is not known. Xero takes 50 characters.
"""

from __future__ import annotations

import hashlib
import re
from typing import Literal

PartyKind = Literal["client", "payer"]
GENERIC_ID = "all-clients"
"""What stands for a client's id in the one contact of all clients."""

_LONGEST = 50
_PAYER = "payer-"
_ORDINARY = re.compile(r"[!-~]+( [!-~]+)*")
_HASHED = re.compile(r"-[0-9a-f]{16}$")


def number_key(number: str) -> str:
    """How contact numbers are compared where they must not meet."""
    return number.strip().casefold()


def own_numbers(kind: PartyKind, caspen_id: str, prefix: str, *, is_generic: bool = False) -> tuple[str, ...]:
    """The numbers that a party's contact may have from us, the first one first.

    The prefix and the full Caspen id; the second, kept apart by a hash, is for ids that differ from another's in letter case only.
    It is the only one where the first would be too long, is odd, or could be another party's.
    """
    if is_generic:
        return (prefix + GENERIC_ID,)
    plain = prefix + (_PAYER if kind == "payer" else "") + caspen_id
    legible = re.sub(r"[^!-~]+", "-", plain)[: _LONGEST - 17]
    apart = f"{legible}-{_hash(f'{prefix} {kind}:{caspen_id}')}"
    id_key = caspen_id.casefold()
    is_anothers = kind == "client" and (id_key.startswith(_PAYER) or id_key == GENERIC_ID)
    if is_anothers or len(plain) > _LONGEST or not _ORDINARY.fullmatch(plain) or _HASHED.search(plain.casefold()):
        return (apart,)
    return (plain, apart)


def bare_numbers(kind: PartyKind, caspen_id: str, *, is_generic: bool = False) -> tuple[str, ...]:
    """The numbers that earlier versions gave, the usual one first: Caspen's id alone, as another system's may be too."""
    if is_generic:
        return (f"caspen-{GENERIC_ID}",)
    return (_cut(caspen_id), _cut(_PAYER + caspen_id)) if kind == "payer" else (_cut(caspen_id),)


def has_prefix(number: str, prefix: str) -> bool:
    """Whether a number is one of ours by its prefix; without a letter in it, a prefix says nothing."""
    return any(char.isalpha() for char in prefix) and number_key(number).startswith(prefix.casefold())


def _cut(number: str) -> str:
    return number if len(number) <= _LONGEST else f"{number[: _LONGEST - 17]}-{_hash(number)}"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
