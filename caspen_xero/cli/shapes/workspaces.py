"""Workspaces: how the first day stands in one, which there are, and what a command gives of all of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from caspen_xero.cli.shapes.words import Moment


class Step(TypedDict):
    """One step of the first day."""

    step: Literal[
        "connect",
        "source",
        "sales_account",
        "payments",
        "payment_account",
        "tax_rates",
        "privacy",
        "start_date",
        "first_push",
    ]
    done: bool
    words: str
    command: Annotated[str, Field(description="What does it; empty where it is done.")]


class Overview(TypedDict):
    """The program without a command: where one stands, and the next step."""

    command: Literal["overview"]
    workspace: str
    steps: list[Step]
    next: str
    workspaces: list[str]


class Setup(TypedDict):
    """What of the first day is done, and what is missing. Nothing is asked."""

    command: Literal["setup"]
    workspace: str
    steps: list[Step]


class Workspace(TypedDict):
    """One clinic's books."""

    name: str
    organisation: str | None
    tenant_id: str | None
    connected: bool
    xero_url: Annotated[str | None, Field(description="Where it is not the real Xero.")]
    last_good_push: Moment | None
    empty: Annotated[bool, Field(description="Never connected, and nothing imported, set or kept in it.")]
    folder: str
    trouble: Annotated[str | None, Field(description="Why its store can't be read.")]


class Workspaces(TypedDict):
    """The workspaces that are there."""

    workspaces: list[Workspace]


class Added(TypedDict):
    """A workspace that is there now."""

    command: Literal["workspaces add"]
    name: str
    added: Annotated[bool, Field(description="Whether it is new.")]
    folder: str
    next: str


class Removed(TypedDict):
    """A workspace that was taken away."""

    command: Literal["workspaces remove"]
    name: str
    removed: Annotated[str, Field(description="Its folder.")]


class InEach(TypedDict):
    """With --all-workspaces: the document of each, with its workspace and the exit code that it ended with there."""

    command: Literal["sync", "status", "doctor"]
    workspaces: list[dict[str, Any]]
    exit_code: Annotated[int, Field(description="The one of these that counts most.")]
