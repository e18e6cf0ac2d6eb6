"""Every request for sign-in and API with its answer, the newest 5,000; secrets are blotted out before they are kept."""

from __future__ import annotations

import json
import re
import sqlite3
import zlib
from collections.abc import Iterator
from typing import Any

from caspen_xero.sandbox.exchange import Exchange
from caspen_xero.sandbox.seam import ApiAnswer, Clock

KEPT = 5_000
BLOT = "(redacted)"
_SECRET = "code|code_verifier|client_secret|refresh_token|access_token|id_token|token|session_state"
_IN_FORM = re.compile(rf"((?:^|[?&])(?:{_SECRET})=)[^&#]*")
_IN_JSON = re.compile(rf'("(?:{_SECRET})"\s*:\s*")[^"]*')


class RequestLog:
    """The log, in the sandbox's database. Bodies are kept compressed: a long push is some hundred megabytes of them."""

    def __init__(self, db: sqlite3.Connection, clock: Clock) -> None:
        self.db, self.clock = db, clock
        db.execute(
            "CREATE TABLE IF NOT EXISTS request_log (id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT, method TEXT,"
            " path TEXT, status INTEGER, fault TEXT, request TEXT, body BLOB, response TEXT, response_body BLOB)"
        )

    def add(self, exchange: Exchange, answer: ApiAnswer | None, fault: str | None = None) -> None:
        """Notes a request. No answer: none reached the client."""
        secret = exchange.is_form or exchange.path.lower().startswith(("/identity", "/connect/"))
        if answer and fault == "echo":
            answer = ApiAnswer(answer.status, b"(the request, repeated)", answer.content_type)
        headers = {name: _blotted(name, value) for name, value in exchange.headers.items()}
        query = {name: BLOT if re.fullmatch(_SECRET, name) else value for name, value in exchange.query.items()}
        body = _text(exchange.body, secret)
        response_body = _text(answer.body, secret) if answer else ""
        response_headers = {
            name: _IN_FORM.sub(rf"\1{BLOT}", value) for name, value in (answer.headers if answer else {}).items()
        }
        if answer and answer.content_type:
            response_headers["Content-Type"] = answer.content_type
        cursor = self.db.execute(
            "INSERT INTO request_log (at, method, path, status, fault, request, body, response, response_body)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                f"{self.clock.now():%Y-%m-%dT%H:%M:%S.%f}Z",
                exchange.method,
                exchange.path,
                answer.status if answer else None,
                fault,
                json.dumps({"query": query, "headers": headers}),
                zlib.compress(body.encode(), 1),
                json.dumps(response_headers),
                zlib.compress(response_body.encode(), 1),
            ),
        )
        self.db.execute("DELETE FROM request_log WHERE id <= ?", ((cursor.lastrowid or 0) - KEPT,))

    def requests(self) -> Iterator[dict[str, Any]]:
        """Every request in the order they came."""
        return self._read("ORDER BY id")

    def newest(self, count: int) -> Iterator[dict[str, Any]]:
        """So many requests, the newest first."""
        return self._read("ORDER BY id DESC LIMIT ?", count)

    def request(self, identifier: str) -> dict[str, Any] | None:
        """One request."""
        return next(self._read("WHERE id = ?", identifier), None)

    def _read(self, which: str, *values: object) -> Iterator[dict[str, Any]]:
        for row in self.db.execute(
            "SELECT id, at, method, path, status, fault, request, body, response, response_body FROM request_log "
            + which,
            values,
        ):
            yield {
                "id": row[0],
                "at": row[1],
                "method": row[2],
                "path": row[3],
                **json.loads(row[6]),
                "body": zlib.decompress(row[7]).decode(),
                "status": row[4],
                "fault": row[5],
                "response_headers": json.loads(row[8]),
                "response_body": zlib.decompress(row[9]).decode(),
            }

    def clear(self) -> None:
        """Forgets every request."""
        self.db.execute("DELETE FROM request_log")


def _text(body: bytes, secret: bool) -> str:
    text = body.decode("utf-8", "replace")
    return _IN_JSON.sub(rf"\1{BLOT}", _IN_FORM.sub(rf"\1{BLOT}", text)) if secret else text


def _blotted(name: str, value: str) -> str:
    """The kind of credentials stays, the credentials go."""
    if name == "cookie":
        return BLOT
    return f"{value.partition(' ')[0]} {BLOT}" if name in {"authorization", "proxy-authorization"} else value
