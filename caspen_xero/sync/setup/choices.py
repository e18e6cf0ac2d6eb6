"""Picking the one thing that a person named: by id, code or name, whatever the case; near matches where nothing fits.

ChoiceError
    KIND-not-found   nothing is called that
    KIND-ambiguous   several are
    KIND-unusable    it is there, but can't be used for this
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from caspen_xero.commands import handle, name_for
from caspen_xero.errors import UserError
from caspen_xero.outside_text import MOST, said

_Thing = TypeVar("_Thing")
_NEAR = 3


class ChoiceError(UserError):
    """What a person named can't be used: there is no such thing, there are several, or it does not fit."""


def choose(
    text: str,
    things: Sequence[_Thing],
    *,
    kind: str,
    called: str,
    names: Sequence[Callable[[_Thing], str | None]],
    label: Callable[[_Thing], str],
    alive: Callable[[_Thing], bool] = lambda thing: True,
    offered: Callable[[_Thing], bool] = lambda thing: True,
    fix: str = "",
) -> _Thing:
    """The thing that `text` names. The ways to name one are tried in turn; of namesakes the one that is `alive` wins.

    Where none is named so, near ones are told of those that are `offered`, as they could be taken; a mere number is near to none.

    `kind` begins the error's code (`account`), `called` is in its message ("account in Xero"). Raises `ChoiceError`.
    """
    wanted = key_of(text)
    for name in names:
        found = [thing for thing in things if wanted and key_of(name(thing)) == wanted]
        living = [thing for thing in found if alive(thing)]
        if len(living) == 1 or len(found) == 1:
            return (living or found)[0]
        if found:
            several = ", ".join(label(thing) for thing in living or found)
            raise ChoiceError(
                f"{kind}-ambiguous",
                f"More than one {called} is called {said(text, MOST)}: {several}.",
                "Name it by its id, or rename one of them.",
            )
    could_be = [thing for thing in things if alive(thing) and offered(thing)]
    near = [] if text.strip().isdigit() else _near(wanted, could_be, names)
    message = f"There is no {called} called {said(text, MOST)}."
    if near:
        message += " Did you mean " + " or ".join(label(thing) for thing in near) + "?"
    raise ChoiceError(f"{kind}-not-found", message, fix)


def name_apart(id_: str, name: str, things: Iterable[tuple[str, str]]) -> str:
    """What names one of some things (their ids and names) in a command: its name, unless `choose` could take that for another.

    Else its id; or a handle of that, where another id reads the same, or it can't be pasted.
    """
    others = [(key_of(other), key_of(called)) for other, called in things if other != id_]
    if any(key_of(id_) == other for other, _ in others):
        return handle(id_)
    return name_for(id_, None if any(key_of(name) in other for other in others) else name)


def key_of(text: str | None) -> str:
    """How what a person typed is compared with ids, codes and names: whatever the case, and the runs of spaces."""
    return " ".join((text or "").split()).casefold()


def _near(wanted: str, things: Sequence[_Thing], names: Sequence[Callable[[_Thing], str | None]]) -> list[_Thing]:
    """Up to three things with a name much like `wanted`, or that holds it, the likest first."""
    likeness: list[tuple[float, int]] = []
    for index, thing in enumerate(things):
        keys = [key for key in (key_of(name(thing)) for name in names) if key]
        ratio = max((difflib.SequenceMatcher(None, wanted, key).ratio() for key in keys), default=0)
        if len(wanted) >= 3 and any(wanted in key or (len(key) >= 3 and key in wanted) for key in keys):
            ratio = max(ratio, 0.9)
        if ratio >= 0.6:
            likeness.append((-ratio, index))
    return [things[index] for _, index in sorted(likeness)[:_NEAR]]
