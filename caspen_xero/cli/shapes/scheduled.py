"""What the system runs by itself: schedule."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from caspen_xero.cli.shapes.words import Count


class Job(TypedDict):
    """What is run, when, and by what."""

    system: Annotated[str, Field(description="What runs it: cron, a systemd timer, launchd or the Task Scheduler.")]
    label: str
    every_minutes: Count
    at: Annotated[str | None, Field(description="Of what runs once a day: at which time.")]
    runs: Annotated[list[str], Field(description="The command, word by word.")]
    environment: dict[str, str]


class File(TypedDict):
    """What would be written, and where."""

    place: str
    text: str


class ScheduleShow(Job):
    """What install would write."""

    command: Literal["schedule show"]
    installed: Annotated[bool, Field(description="Whether it is installed as it stands here.")]
    edited: Annotated[bool, Field(description="Whether somebody has changed by hand what is installed.")]
    files: list[File]


class ScheduleInstall(Job):
    """What was installed."""

    command: Literal["schedule install"]
    changed: bool
    files: list[str]


class ScheduleRemove(TypedDict):
    """What was taken away."""

    command: Literal["schedule remove"]
    label: str
    removed: list[str]
    kept: Annotated[list[str], Field(description="Files in which what somebody had changed by hand is kept.")]
