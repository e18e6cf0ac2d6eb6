"""What the documents of several commands are made of."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

Amount = Annotated[str, Field(pattern=r"^-?\d+(\.\d+)?$")]
"""A decimal number, in the currency beside it."""
Moment = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")]
"""A time in UTC, as ISO 8601 has it."""
Day = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")]
Count = Annotated[int, Field(ge=0)]
Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")]
"""It is never taken away and keeps its meaning."""
Seconds = Annotated[float, Field(ge=0)]
Sums = Annotated[dict[str, Amount], Field(description="Amounts by currency.")]
SyncStatus = Literal["synced", "unsynced", "differs", "pending", "draft", "skipped", "void"]


class Choice(TypedDict):
    """One of several answers that are possible."""

    command: Annotated[str, Field(description="The whole command that gives it.")]
    label: Annotated[str, Field(description="What it is, in words.")]


class Told(TypedDict):
    """What went wrong, and what to do."""

    code: Code
    message: str
    fix: Annotated[str, Field(description="The next command or step; may be empty.")]
    exit_code: Annotated[int, Field(description="With what the command ends for it.")]
    choices: NotRequired[Annotated[list[Choice], Field(description="Where one of several answers has to be given.")]]
    xero_correlation_id: NotRequired[Annotated[str, Field(description="By this Xero's support finds the call.")]]


class Failed(TypedDict):
    """A command that failed. A push, pull or sync that had begun says what it had done by then besides."""

    error: Told


class FoundInXero(TypedDict):
    """What stood in Xero already, and was not sent from here."""

    invoices: Count
    payments: Count
    credit_notes: Count


class Organisation(TypedDict):
    """An organisation in Xero."""

    id: str
    name: str
