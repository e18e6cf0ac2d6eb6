"""How the books say no.

    Refusal          one element breaks a rule: a validation error on that element
    Together         the refusals of one element's rules, said at once
    RequestRefused   the whole request is refused: 400 with an ErrorNumber, 404, 413, 501

Both become answers of the sandbox to its caller; neither is an error of the sandbox.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from caspen_xero.sandbox.books.wire import json_answer, not_found
from caspen_xero.sandbox.seam import ApiAnswer


class Refusal(Exception):
    """An element that Xero would refuse, with Xero's words.

    `shown` is the document that it would change, if there is one; `inside` repeats messages for the parts of the element
    that they are about: a field's name and, in a list, the position.
    """

    def __init__(
        self,
        *messages: str,
        shown: dict[str, Any] | None = None,
        inside: dict[tuple[str, int], list[str]] | None = None,
    ) -> None:
        super().__init__("; ".join(messages))
        self.messages = list(messages)
        self.shown = shown
        self.inside = inside or {}


class Together:
    """What several rules have against one element: Xero says all of it at once (recorded answers of 2018)."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.inside: dict[tuple[str, int], list[str]] = {}

    @contextmanager
    def also(self) -> Iterator[None]:
        """Keeps what the block refuses, and goes on after it."""
        try:
            yield
        except Refusal as refusal:
            self.messages += refusal.messages
            self.inside |= refusal.inside

    def end(self) -> None:
        """Raises one Refusal with everything, where there was anything."""
        if self.messages:
            raise Refusal(*dict.fromkeys(self.messages), inside=self.inside)


class RequestRefused(Exception):
    """A request that is refused as a whole, with the answer to give."""

    def __init__(self, answer: ApiAnswer) -> None:
        super().__init__(f"HTTP {answer.status}")
        self.answer = answer


def refused(status: int, number: int, kind: str, message: str) -> RequestRefused:
    return RequestRefused(json_answer({"ErrorNumber": number, "Type": kind, "Message": message}, status))


def bad_data(message: str) -> RequestRefused:
    """Malformed or missing body: ErrorNumber 14 (UNCONFIRMED: from older threads)."""
    return refused(400, 14, "PostDataInvalidException", message)


def no_data(message: str) -> RequestRefused:
    """A body without anything to work on: ErrorNumber 17, seen on allocations, text only."""
    return refused(400, 17, "NoDataProcessedException", message)


def bad_filter(message: str) -> RequestRefused:
    return refused(400, 16, "QueryParseException", message)


def broken(message: str) -> RequestRefused:
    """What Xero itself breaks on: 500 (pyxero#181)."""
    return refused(500, 500, "UnknownErrorException", message)


def not_implemented() -> RequestRefused:
    return refused(501, 20, "ApiMethodNotImplementedException", "The Api Method called is not implemented")


def missing() -> RequestRefused:
    return RequestRefused(not_found())


def too_large() -> RequestRefused:
    """UNCONFIRMED: Xero names the size (3.5 MB), not the answer; 413 is assumed."""
    page = b"<html><body>Request Entity Too Large</body></html>"
    return RequestRefused(ApiAnswer(413, page, "text/html; charset=utf-8"))
