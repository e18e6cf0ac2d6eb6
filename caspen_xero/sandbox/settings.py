"""Switches of the sandbox that a test or a person can turn while it runs; they outlive a restart."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from caspen_xero.sandbox.exchange import BadRequest


@dataclass(frozen=True)
class Switches:
    """How the sandbox behaves where Xero's person or Xero itself may go either way.

    `auto_approve`: no consent page. `approval`: what it then decides, "allow" or "cancel". `next_organisation`: name or
    tenant id that it then allows, and the one of a custom connection (default: the first). `redirect_uris`: those
    registered, if only they may be used. `insufficient_scope`: the word in a 401. `refresh_drops_successor`: a second
    use of an old refresh token ends the one that the first use gave (UNCONFIRMED which of the two Xero does).
    `clock_offset`: seconds that the clock is ahead of the machine's. `date_header`: whether answers tell the time in a header.
    """

    auto_approve: bool = False
    approval: str = "allow"
    next_organisation: str = ""
    redirect_uris: list[str] = field(default_factory=list)
    insufficient_scope: str = "insufficient_scope"
    refresh_drops_successor: bool = False
    clock_offset: float = 0.0
    date_header: bool = True


class Settings:
    """The switches as they stand, kept in the sandbox's database."""

    def __init__(self, db: sqlite3.Connection, starting: Switches) -> None:
        self.db, self.starting = db, starting
        db.execute("CREATE TABLE IF NOT EXISTS sandbox_switches (name TEXT PRIMARY KEY, value TEXT)")
        kept = {name: json.loads(value) for name, value in db.execute("SELECT name, value FROM sandbox_switches")}
        kept |= {"auto_approve": True} if starting.auto_approve else {}  # asked for now, whatever was turned before
        self.now = replace(starting, **kept)

    def turn(self, wishes: dict[str, Any]) -> Switches:
        """Turns some; raises `BadRequest` for an unknown switch or a value of another kind."""
        known = {one.name for one in fields(Switches)}
        for name, value in wishes.items():
            if name not in known:
                raise BadRequest(f"There is no switch {name!r}; there are {', '.join(sorted(known))}.")
            if type(value) is not type(getattr(Switches(), name)):
                raise BadRequest(f"{name} can't be {value!r}.")
        if wishes.get("approval", "allow") not in {"allow", "cancel"}:
            raise BadRequest('approval is "allow" or "cancel".')
        self.now = replace(self.now, **wishes)
        self.db.executemany(
            "INSERT OR REPLACE INTO sandbox_switches VALUES (?, ?)",
            [(name, json.dumps(value)) for name, value in wishes.items()],
        )
        return self.now

    def as_started(self) -> None:
        """Every switch as it was when the sandbox first started."""
        self.db.execute("DELETE FROM sandbox_switches")
        self.now = self.starting

    def described(self) -> dict[str, Any]:
        return asdict(self.now)
