"""Every run of push, pull, sync, adopt and reconcile: noted when it begins, and again when it ends, with what it did and how."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from caspen_xero.errors import ExitCode, UserError
from caspen_xero.store.store import Store, utc_text, utc_time

How = Literal["ok", "partly", "stopped", "interrupted"]

PASSING = (ExitCode.TRY_LATER, ExitCode.ANOTHER_RUN, ExitCode.INTERRUPTED)
"""How a run ends where the next one may well go on by itself."""
BEFORE_ALL = (ExitCode.ANOTHER_RUN, ExitCode.INTERRUPTED)
"""How a run ends that may have come to nothing of what others fail at."""
_PASSING = f"({', '.join(f'{code:d}' for code in PASSING)})"
COMMANDS = ("push", "pull", "sync", "adopt", "reconcile")


@dataclass(frozen=True)
class Run:
    """One run; times ISO 8601 in UTC, `result` as its JSON showed it.

    One that did not end has neither `ended_at` nor `exit_code`. `error`: what stopped it, with `code` and `message`.
    """

    id: int
    command: str
    started_at: str
    ended_at: str | None
    exit_code: int | None
    result: dict[str, Any]
    error: dict[str, Any] | None

    @property
    def ended(self) -> How:
        """In one word. `partly`: all was sent that could be."""
        if self.exit_code in (None, ExitCode.INTERRUPTED):
            return "interrupted"
        if self.error is not None or self.exit_code not in (ExitCode.ALL_WELL, ExitCode.PARTLY):
            return "stopped"
        return "ok" if self.exit_code == ExitCode.ALL_WELL else "partly"

    @property
    def why(self) -> dict[str, str] | None:
        """What stopped or interrupted it, as `code` and words (`message`); None where nothing did."""
        if self.ended in ("ok", "partly"):
            return None
        if self.exit_code is None:
            return {"code": "did-not-end", "message": "it was killed, or the machine went down"}
        meaning = next((code.meaning for code in ExitCode if code == self.exit_code), f"exit code {self.exit_code}")
        other = "nothing-could-be-sent" if self.exit_code == ExitCode.NOTHING_CAN_BE_SENT else "failed"
        told = self.error or {}
        return {"code": told.get("code") or other, "message": told.get("message") or meaning}


def begin(store: Store, tenant_id: str, command: str, started_at: datetime, part_of: int | None = None) -> int:
    """Notes that a run, or a part of the run of that number, begins; gives the number under which it is noted."""
    with store.write():
        store.run(
            "INSERT INTO log (tenant_id, command, started_at, result, part_of) VALUES (?, ?, ?, '{}', ?)",
            tenant_id,
            command,
            utc_text(started_at),
            part_of,
        )
        row = store.row("SELECT last_insert_rowid() AS id")
        assert row is not None
        return int(row["id"])


def end(store: Store, run: int, exit_code: int, result: dict[str, Any] | None, error: UserError | None) -> None:
    """Notes how it ended. `result` None leaves what it did as it was noted last."""
    told = {"code": error.code, "message": error.as_json()["message"]} if error is not None else None
    store.run(
        "UPDATE log SET ended_at = ?, exit_code = ?, result = COALESCE(?, result), error = ? WHERE id = ?",
        utc_text(datetime.now(UTC)),
        exit_code,
        None if result is None else json.dumps(result, default=str),
        None if told is None else json.dumps(told),
        run,
    )


def in_numbers(result: Any) -> Any:
    """Of what a run did, only the numbers: neither names nor words."""
    if not isinstance(result, dict):
        return result if isinstance(result, bool | int | float) else None
    told = {name: in_numbers(value) for name, value in result.items() if isinstance(value, bool | int | float | dict)}
    return {name: value for name, value in told.items() if value != {}}


def code_alone(error: str | None) -> str | None:
    """Of what stopped a run, as it is kept, only its code."""
    return json.dumps({"code": json.loads(error).get("code", "")}) if error else None


def last(store: Store, *commands: str) -> Run | None:
    """The last run of one of these commands.

    A sync notes itself, and then the pull and the push of which it consists: so the last of `push` and `sync` is the last push,
    or the sync that ended before its push began.
    """
    return next(iter(_runs(store, commands, "1", limit=1)), None)


def last_good_push(store: Store) -> Run | None:
    """The last push or sync that did what could be done for all invoices.

    It was not stopped, in no part of it, could send something at all, and was not one of a few invoices that a person named.
    """
    good = f"error IS NULL AND exit_code IN ({ExitCode.ALL_WELL:d}, {ExitCode.PARTLY:d})"
    whole = "part_of IS NULL AND COALESCE(result ->> 'named', 0) = 0"
    return next(iter(_runs(store, ("push", "sync"), f"{good} AND {whole}", limit=1)), None)


def dead_sign_in(store: Store, since: datetime) -> Run | None:
    """The last run, begun since then, that Xero answered or whose sign-in was at its end: if it was the latter."""
    told = f"started_at >= ? AND (exit_code = {ExitCode.CONNECT_NEEDED:d} OR result ->> 'api_calls' > 0)"
    found = next(iter(_runs(store, COMMANDS, told, utc_text(since), limit=1)), None)
    return found if found is not None and found.exit_code == ExitCode.CONNECT_NEEDED else None


def not_ended(store: Store, since: int) -> list[Run]:
    """The commands noted after that run that did not end, or are not at their end yet; newest first."""
    return _runs(store, COMMANDS, "exit_code IS NULL AND part_of IS NULL AND id > ?", since)


def streak(store: Store, command: str, exit_code: int) -> tuple[int, timedelta]:
    """How many of the last runs of a command ended with this code in a row, and how long all have ended in what may pass.

    The latter lasts since the last run that ended otherwise, or since the first of them where there was none.
    """
    other = _last_but(store, command, f"({exit_code:d})")
    row = store.row(
        "SELECT COUNT(*) AS n FROM log WHERE command = ? AND exit_code = ? AND id > ? AND ended_at > ?",
        command,
        exit_code,
        other.id if other else 0,
        other.ended_at if other else "",
    )
    assert row is not None
    did_end = _last_but(store, command, _PASSING)
    first = store.row("SELECT MIN(started_at) AS at FROM log WHERE command = ? AND exit_code IS NOT NULL", command)
    began = utc_time(did_end.ended_at if did_end else first["at"] if first else None)
    return row["n"], datetime.now(UTC) - began if began else timedelta()


def _last_but(store: Store, command: str, exit_codes: str) -> Run | None:
    """The last run of a command that ended with another code than these, in SQL."""
    return next(iter(_runs(store, (command,), f"exit_code NOT IN {exit_codes}", limit=1)), None)


def _runs(store: Store, commands: Collection[str], condition: str, *values: Any, limit: int = 1000) -> list[Run]:
    sql = f"SELECT * FROM log WHERE command IN ({', '.join('?' * len(commands))}) AND {condition} ORDER BY id DESC LIMIT ?"
    return [
        Run(
            row["id"],
            row["command"],
            row["started_at"],
            row["ended_at"],
            row["exit_code"],
            json.loads(row["result"]),
            json.loads(row["error"]) if row["error"] else None,
        )
        for row in store.rows(sql, *commands, *values, limit)
    ]
