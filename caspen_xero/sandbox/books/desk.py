"""What every request is worked on with."""

from __future__ import annotations

from dataclasses import dataclass

from caspen_xero.sandbox.books.arithmetic import Rounding
from caspen_xero.sandbox.books.ledger import Ledger


@dataclass(frozen=True)
class Desk:
    """What a document is worked on with: one organisation's ledger, its rounding, the request's unit decimal places and app."""

    ledger: Ledger
    rounding: Rounding
    unit_places: int = 2
    client_id: str = ""
