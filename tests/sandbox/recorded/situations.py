"""The local Xero brought to the situations of the recorded answers: for each shape, the elements that it answers there."""

from __future__ import annotations

from functools import cache

from tests.sandbox.bookkeeper import Bookkeeper, Element
from tests.sandbox.recorded.money import MONEY
from tests.sandbox.recorded.sales import SALES
from tests.sandbox.recorded.shape import NAMES, parts_at, recorded

WAYS = ("left-out", "shown")
"""Of the switch `absent_keys`: recorded answers know both, even in one organisation."""

SITUATIONS = SALES | MONEY


@cache
def local_elements(name: str) -> list[Element]:
    """What the local Xero answers in this situation, with keys left out and with all shown; or such parts of other answers."""
    if name in SITUATIONS:
        return [element for way in WAYS for element in SITUATIONS[name](_bookkeeper(way))]
    wholes = [(whole, path) for whole in NAMES for path, part in recorded(whole).apart.items() if part == name]
    return [part for whole, path in wholes for element in local_elements(whole) for part in parts_at(element, path)]


def _bookkeeper(way: str) -> Bookkeeper:
    b = Bookkeeper("NZ", absent_keys=way)
    b.api.add_item(b.tenant, "ITEM", "An item")
    return b
