"""What whoever works tells of how far it has come, and whoever shows it takes."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Is told that so many of so many are done (None or 0: nobody knows how many), and what is done of the others, in sum.

    `sent`: the documents that were sent by now, where what is counted is made of several.
    """

    def __call__(self, done: int, total: int | None = None, *, begun: float = 0.0, sent: int = 0) -> None: ...


def untold(done: int, total: int | None = None, *, begun: float = 0.0, sent: int = 0) -> None:
    """Progress that nobody wants to know of."""


def counted(number: int, one: str) -> str:
    """So many of a thing: `1 invoice`, `2 invoices`."""
    return f"{number:,} {one}" if number == 1 else f"{number:,} {one}s"
