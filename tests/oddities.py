"""Xero's answers, made odd: one place of one answer is changed on its way, as plain values that a corpus can hold.

    Oddity(answer=2, at=[0, 3], what="NaN")     the third answer of the command, its first element's fourth field is NaN

An answer that says something false in good form (another amount, an element left out) is no oddity: nobody can tell.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx
import pytest

RAW = {
    "NaN": "NaN",
    "infinity": "-Infinity",
    "thousands-of-digits": "9" * 5_000,
    "a-vast-power": "1e999999999",
    "deep": "[" * 3_000 + "]" * 3_000,
    "half-a-pair": r'"\ud800"',
}
VALUES: dict[str, Any] = {
    "null": None,
    "true": True,
    "a-number": 7,
    "a-fraction": 0.12345678901234567,
    "below-zero": -5,
    "no-words": "",
    "words": "odd \x1b[31m\u202ewords\n",
    "a-path": "../../../connections",
    "no-id": "0662405e-334f-5d73-88aa",
    "a-list": [],
    "a-list-of-one": ["odd"],
    "an-object": {},
    "an-object-in-one": {"odd": {"odd": 1}},
    "the-year-1": "0001-01-01T00:00:00+10:00",
    "a-late-year": "9999-12-31T23:59:59",
    "a-late-number-of-milliseconds": "/Date(99999999999999999)/",
    "no-day": "2026-02-31",
}
NODES = (*RAW, *VALUES, "gone", "two-values", "twice", "wrapped")
"""What is done to one place of the JSON. `gone` and `two-values` are of a field, `twice` of an element of a list."""

BODIES = ("cut", "empty", "null", "a-list", "a-word", "a-page", "utf-16", "latin-1", "no-gzip", "half-a-gzip")
HEADERS = {
    "a-date": ("date", "Mon, 99 Nov 99999 99:99:99 +9999"),
    "a-limit": ("x_minlimit_remaining", "9" * 5_000),
    "a-limit-below-zero": ("x_daylimit_remaining", "-1"),
    "a-type": ("content_type", "text/" + "x" * 5_000),
    "a-charset": ("content_type", "application/json; charset=utf-7"),
}


@dataclass(frozen=True)
class Oddity:
    """What is odd: in the `answer`-th answer of a command, or (`path` given) in all answers below that path.

    `at` leads to a place in its JSON: at each level, that child, counted round. `what`: one of `NODES`, `BODIES`, `HEADERS`.
    """

    answer: int
    what: str
    at: tuple[int, ...] = ()
    path: str = ""

    def strikes(self, number: int, path: str) -> bool:
        return self.path in path if self.path else number == self.answer

    def change(self, response: httpx.Response, body: bytes) -> httpx.Response:
        """The answer as it arrives."""
        if self.what in HEADERS:
            name, value = HEADERS[self.what]
            return answer(response, body, **{name: value})
        if self.what in BODIES:
            return answer(response, self._body(body), **({"content_encoding": "gzip"} if "gzip" in self.what else {}))
        return answer(response, self._node(body))

    def _body(self, body: bytes) -> bytes:
        match self.what:
            case "cut":
                return body[: len(body) * (1 + sum(self.at) % 9) // 10]
            case "utf-16":
                return body.decode().encode("utf-16")
            case "latin-1":
                return body.replace(b'":"', b'":"\xe9', 3)
            case "half-a-gzip":
                return gzip.compress(body)[:-9]
        return {"empty": b"", "null": b"null", "a-list": b"[]", "a-word": b'"OK"', "a-page": b"<html><p>Down</p>"}.get(
            self.what, body
        )

    def _node(self, body: bytes) -> bytes:
        try:
            document = json.loads(body)
        except ValueError:
            return body
        place: list[Any] = [document]
        key: Any = 0
        for step in self.at:
            inner = place[key]
            if not isinstance(inner, list | dict) or not inner:
                break
            place, key = inner, (list(inner) if isinstance(inner, dict) else range(len(inner)))[step % len(inner)]
        mark = "@@odd@@"
        if self.what in VALUES:
            place[key] = VALUES[self.what]
        elif self.what in RAW:
            place[key] = mark
        elif self.what == "wrapped":
            place[key] = [place[key]]
        elif self.what == "twice" and isinstance(place, list):
            place.append(place[key])
        elif isinstance(place, dict):
            value = place.pop(key)
            if self.what == "two-values":
                place |= {key: value, f"{mark}{key}": [value]}
        text = json.dumps(document if place is not document else place)
        text = text.replace(f'"{mark}"', RAW.get(self.what, "")) if self.what in RAW else text.replace(mark, "")
        return text.encode()


class Strange(Protocol):
    """Something that may happen to an answer."""

    def strikes(self, number: int, path: str) -> bool: ...
    def change(self, response: httpx.Response, body: bytes) -> httpx.Response: ...


@dataclass(frozen=True)
class Field:
    """In every answer below a path, a field of the elements that hold a text is another value."""

    path: str
    holding: str
    name: str
    value: Any = field(default_factory=list)

    def strikes(self, number: int, path: str) -> bool:
        return self.path in path

    def change(self, response: httpx.Response, body: bytes) -> httpx.Response:
        document = json.loads(body) if body else {}
        for element in document.get(self.path, []):
            if self.holding in json.dumps(element):
                element[self.name] = self.value
        return answer(response, json.dumps(document).encode())


def answer(response: httpx.Response, body: bytes, **headers: str) -> httpx.Response:
    """An answer with another body, and perhaps with other headers."""
    framing = {"content-length", "transfer-encoding", "content-encoding", *(name.replace("_", "-") for name in headers)}
    kept = [(name, value) for name, value in response.headers.multi_items() if name.lower() not in framing]
    kept += [(name.replace("_", "-"), value) for name, value in headers.items()]
    return httpx.Response(response.status_code, headers=kept, stream=httpx.ByteStream(body))


class OddWay:
    """The way between caspen-xero and the local Xero. What is `odd` happens on it meanwhile, `answers` counts since then."""

    def __init__(self) -> None:
        self._strange: Strange | None = None
        self.answers = 0

    @contextmanager
    def odd(self, strange: Strange) -> Iterator[None]:
        self._strange, self.answers = strange, 0
        try:
            yield
        finally:
            self._strange = None

    def carry(self, response: httpx.Response, request: httpx.Request) -> httpx.Response:
        """An answer on its way to whoever has asked for it."""
        strange = self._strange
        if strange is None or not request.headers.get("User-Agent", "").startswith("caspen-xero"):
            return response
        number, self.answers = self.answers, self.answers + 1
        if not strange.strikes(number, request.url.path):
            return response
        assert isinstance(response.stream, httpx.SyncByteStream)
        body = b"".join(response.stream)
        response.stream.close()
        return strange.change(response, gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)


@pytest.fixture
def way(monkeypatch: pytest.MonkeyPatch) -> OddWay:
    """The way that Xero's answers to caspen-xero come."""
    way, send = OddWay(), httpx.HTTPTransport.handle_request
    monkeypatch.setattr(
        httpx.HTTPTransport, "handle_request", lambda self, request: way.carry(send(self, request), request)
    )
    return way
