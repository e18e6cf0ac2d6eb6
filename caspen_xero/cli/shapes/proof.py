"""What a reconciliation gives."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from caspen_xero.cli.shapes.words import Amount, Code, Count, Day, Moment, Seconds


class Find(TypedDict):
    """One thing that is not equal."""

    code: Code
    what: str
    number: str | None
    invoice_id: str | None
    client: str | None
    xero_id: str | None
    subject: str | None
    date: Day | None
    caspen: str | None
    xero: str | None
    currency: str | None
    amount: Annotated[Amount | None, Field(description="What Xero has more.")]
    accepted: bool
    fix: str | None


Reconcile = TypedDict(
    "Reconcile",
    {
        "command": Literal["reconcile"],
        "organisation": str,
        "tenant_id": str,
        "from": Annotated[Day | None, Field(description="Null for the beginning.")],
        "to": Day,
        "as_at": Day,
        "began_at": Moment,
        "read_at": Moment,
        "resumed_from": Moment | None,
        "equal": bool,
        "compared": Count,
        "proved": Count,
        "not_yet": Count,
        "money_not_yet": Count,
        "unexplained": Annotated[Any, Field(description="Tables that differ though nothing that was found is why.")],
        "differences": list[Find],
        "information": list[Find],
        "bridge": NotRequired[list[dict[str, Any]]],
        "bridge_totals": NotRequired[list[dict[str, Any]]],
        "csv": str | None,
        "html": str | None,
        "reading_calls": Annotated[Count, Field(description="Calls for the reading, those of an interrupted run too.")],
        "api_calls": Count,
        "seconds": Seconds,
    },
)
Reconcile.__doc__ = "The whole proof. Each table stands under its key, what closes it under that and _totals."
