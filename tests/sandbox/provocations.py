"""What makes the sandbox say each of its messages. `test_catalogue.py` tries them all, and that none is missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from caspen_xero.sandbox.books.messages import Message
from tests.sandbox.bookkeeper import Bookkeeper

Provoke = Callable[[Bookkeeper], list[str]]


@dataclass(frozen=True)
class Provocation:
    """A deed that the books refuse, the message that it provokes, and the words that a client then reads."""

    message: Message
    words: str
    deed: Provoke


PROVOCATIONS: list[Provocation] = []


def provokes(message: Message, words: str) -> Callable[[Provoke], Provoke]:
    def register(deed: Provoke) -> Provoke:
        PROVOCATIONS.append(Provocation(message, words, deed))
        return deed

    return register
