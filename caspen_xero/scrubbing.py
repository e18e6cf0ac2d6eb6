"""The run's own secrets, kept out of whatever comes from the other side: a gateway's page may repeat the whole request.

What brings a secret into the run says `keep_secret`. Answers are scrubbed where they enter (`xero/transport.py`,
`caspen/connection.py`), so that nothing behind them, such as the store and the log, can hold one; once more before the terminal.

A secret is found however it was written down: a text is read without its letter case and white space (so that broken lines are
whole again), and once more without the escapes of addresses, JSON and HTML; Base64 is looked for as it is.
"""

from __future__ import annotations

import base64
import re
from array import array
from collections.abc import Iterator

MARK = "(secret)"
SHORTEST = 8
"""Characters. What is shorter is no secret worth the name, and stands in many a word."""

PIECE = 24
"""Bytes in a row that no text shares with a token by chance: of a long secret every such piece is cut out, as pages are cut off."""

MOST_READ = 1024 * 1024
"""Bytes of a body out of which secrets are cut; a longer one that repeats them is no answer that anybody could use."""

_LONG = 2 * PIECE - 1  # so many bytes of a secret have a whole piece at one of the places that are looked at

_WHITE = bytes(range(33)) + b"\x7f"
_ESCAPE = re.compile(
    rb"\\+(?:u00|x)([0-9a-f]{2})|\\+[nrtbf]?|%([0-9a-f]{2})"
    rb"|&(?:#x0*([0-9a-f]{1,2})|#0*([0-9]{1,3})|(amp|lt|gt|quot|apos));"
)
"""A byte as JSON, an address or HTML writes it. A line break that JSON writes stands for nothing, and so do its backslashes."""

_LAYERS = 2
"""Escapes within escapes that are read: an address in a page, a document in a document."""

_NAMED = {b"amp": b"&", b"lt": b"<", b"gt": b">", b"quot": b'"', b"apos": b"'"}

_kept: set[str] = set()
_short: set[bytes] = set()  # how the secrets read
_pieces: set[bytes] = set()  # what the long ones are made of


def keep_secret(*secrets: str | None) -> None:
    """From now on none of these is shown or stored of what comes from outside."""
    for secret in secrets:
        if not secret or len(secret) < SHORTEST or secret in _kept:
            continue
        _kept.add(secret)
        plain = secret.encode("utf-8", "surrogatepass")
        for written in (plain, *_in_base64(plain)):
            for reading in _readings(written):
                if len(reading) >= _LONG:
                    _pieces.update(reading[at : at + PIECE] for at in range(len(reading) - PIECE + 1))
                elif len(reading) >= SHORTEST:
                    _short.add(reading)


def scrubbed(text: str) -> str:
    """The text with every secret of this run, in whatever form, replaced by `MARK`."""
    body = text.encode("utf-8", "surrogatepass")
    return _without(body, _found(body)).decode("utf-8", "replace") if _holds_any(body) else text


def scrubbed_bytes(body: bytes) -> bytes:
    """The same for a body, whatever it is."""
    if not _holds_any(body):
        return body
    return _without(body, _found(body)) if len(body) <= MOST_READ else MARK.encode()


def _holds_any(body: bytes) -> bool:
    return bool(_short or _pieces) and any(_is_in(reading) for reading in _readings(body))


def _readings(text: bytes) -> Iterator[bytes]:
    """What a text says: as it stands, and with its escapes taken for what they stand for."""
    reading = text.lower().translate(None, _WHITE)
    yield reading
    for _ in range(_LAYERS):
        before, reading = reading, _ESCAPE.sub(_meant, reading)
        if reading == before:
            return
        yield reading


def _meant(escape: re.Match[bytes]) -> bytes:
    in_hex = escape[1] or escape[2] or escape[3]
    number = int(in_hex, 16) if in_hex else int(escape[4] or 0)
    byte = bytes([number]) if 0 < number < 256 else _NAMED.get(escape[5], b"")
    return byte.lower().translate(None, _WHITE)


def _is_in(reading: bytes) -> bool:
    places = range(0, len(reading) - PIECE + 1, PIECE) if _pieces else ()
    return any(one in reading for one in _short) or not _pieces.isdisjoint(reading[at : at + PIECE] for at in places)


def _found(body: bytes) -> list[tuple[int, int]]:
    """Where secrets stand in a body, from and to, in order."""
    begins = array("I", (at for at, byte in enumerate(body) if byte not in _WHITE))
    ends = array("I", (at + 1 for at in begins))
    found = []
    for reading in _readings(body):
        found += [(_before_backslashes(body, begins[start]), ends[end - 1]) for start, end in _hits(reading)]
        begun, ended = begins, ends
        begins, ends = array("I"), array("I")
        for start, end in _bytes_of(reading):
            begins.append(begun[start])
            ends.append(ended[end - 1])
    return sorted(found)


def _before_backslashes(body: bytes, at: int) -> int:
    """The backslashes before a byte go with it: one alone would make no JSON of what follows."""
    while at and body[at - 1 : at] == b"\\":
        at -= 1
    return at


def _hits(reading: bytes) -> Iterator[tuple[int, int]]:
    for one in _short:
        at = reading.find(one)
        while at >= 0:
            yield at, at + len(one)
            at = reading.find(one, at + 1)
    if _pieces:
        for at in range(len(reading) - PIECE + 1):
            if reading[at : at + PIECE] in _pieces:
                yield at, at + PIECE


def _bytes_of(reading: bytes) -> Iterator[tuple[int, int]]:
    """Where each byte of the next reading begins and ends in this one."""
    last = 0
    for escape in _ESCAPE.finditer(reading):
        yield from ((at, at + 1) for at in range(last, escape.start()))
        if _meant(escape):
            yield escape.span()
        last = escape.end()
    yield from ((at, at + 1) for at in range(last, len(reading)))


def _without(body: bytes, spans: list[tuple[int, int]]) -> bytes:
    """A body with `MARK` in the place of each of these spans; those that touch are one."""
    parts: list[bytes] = []
    last, mark = 0, MARK.encode()
    for start, end in spans:
        if start > last or not parts:
            parts += [body[last:start], mark]
        last = max(last, end)
    return b"".join([*parts, body[last:]])


def _in_base64(plain: bytes) -> set[bytes]:
    """What is the same in every Base64 text that has the secret in it, whatever stands before it (`client id:secret`)."""
    found = set()
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + plain).rstrip(b"=")
        whole = text[-(-shift * 8 // 6) : (shift + len(plain)) * 8 // 6]  # without what its neighbours share
        found |= {whole, whole.replace(b"+", b"-").replace(b"/", b"_")}
    return found
