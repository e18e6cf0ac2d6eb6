"""What is left of a text that was purged: a seal, by which it is known where somebody says it again, and which nobody can read."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable, Mapping

NOT_KEPT = "(no longer kept)"
_SEAL = re.compile(r"purged:([0-9a-f]{32}):([0-9a-f]{64})")


def sealed(text: str) -> str:
    """The seal of a text; each is another, also of the same text. One that is sealed stays as it is."""
    salt = secrets.token_hex(16)
    return text if _SEAL.fullmatch(text) else f"purged:{salt}:{_digest(salt, text)}"


def is_of(seal: str | None, text: str) -> bool:
    """Whether a seal is that of a text."""
    found = _SEAL.fullmatch(seal or "")
    return found is not None and _digest(found[1], text) == found[2]


def opened(shape: Mapping[str, str], *others: Mapping[str, str]) -> dict[str, str]:
    """A shape with its seals opened by what others show: a text that none of them shows is told to be no longer kept.

    So it is still known whether a text is the one that was written, or has become another.
    """
    if not any(_SEAL.fullmatch(value) for value in shape.values()):
        return dict(shape)
    shown = list(dict.fromkeys(value for other in others for value in other.values()))
    return {name: _opened(value, shown) for name, value in shape.items()}


def _opened(value: str, shown: Iterable[str]) -> str:
    if _SEAL.fullmatch(value) is None:
        return value
    return next((text for text in shown if is_of(value, text)), NOT_KEPT)


def _digest(salt: str, text: str) -> str:
    return hashlib.sha256(f"{salt}:{text}".encode("utf-8", "surrogatepass")).hexdigest()
