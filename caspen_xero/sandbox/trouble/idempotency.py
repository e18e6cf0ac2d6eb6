"""Idempotency keys: an answer given once is given again for six minutes.

Source: Xero's guide on idempotent requests. POST, PUT and PATCH only; at most 128 characters; scoped per app; kept six
minutes from the first call; answers that are errors are kept too. UNCONFIRMED: the body around the two messages, and
that another organisation counts as a different request (assumed here, the safer reading).
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from datetime import timedelta

from caspen_xero.sandbox.exchange import json_answer
from caspen_xero.sandbox.seam import ApiAnswer, ApiRequest, Clock

KEPT = timedelta(minutes=6)
LONGEST_KEY = 128
METHODS = frozenset({"POST", "PUT", "PATCH"})


class IdempotencyKeys:
    """The answers kept, in the sandbox's database so that they outlive a restart."""

    def __init__(self, db: sqlite3.Connection, clock: Clock) -> None:
        self.db, self.clock = db, clock
        db.execute(
            "CREATE TABLE IF NOT EXISTS idempotency_keys (client_id TEXT, key TEXT, request TEXT, first_seen REAL,"
            " status INTEGER, content_type TEXT, headers TEXT, body BLOB, PRIMARY KEY (client_id, key))"
        )
        db.execute("CREATE INDEX IF NOT EXISTS idempotency_keys_by_age ON idempotency_keys (first_seen)")

    def key_of(self, request: ApiRequest) -> str | None:
        """The key that counts for this request, if any."""
        return (request.headers.get("idempotency-key") or None) if request.method in METHODS else None

    def replay(self, client_id: str, key: str, request: ApiRequest, url: str) -> ApiAnswer | None:
        """The answer kept under the key, or the 400 of a key that can't be used; None if the key is new."""
        if len(key) > LONGEST_KEY:
            return _refused(f"Idempotency Key: must not be longer than {LONGEST_KEY} characters.")
        oldest = (self.clock.now() - KEPT).timestamp()
        self.db.execute("DELETE FROM idempotency_keys WHERE first_seen <= ?", (oldest,))
        kept = self.db.execute(
            "SELECT request, status, content_type, headers, body FROM idempotency_keys WHERE client_id = ? AND key = ?",
            (client_id, key),
        ).fetchone()
        if kept is None:
            return None
        if kept[0] != _fingerprint(request, url):
            return _refused(f"Idempotency Key: {key} is used with a different request.")
        return ApiAnswer(kept[1], kept[4], kept[2], json.loads(kept[3]))

    def keep(self, client_id: str, key: str, request: ApiRequest, url: str, answer: ApiAnswer) -> None:
        """Keeps the answer of a first call, whatever it says."""
        self.db.execute(
            "INSERT OR REPLACE INTO idempotency_keys VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                client_id,
                key,
                _fingerprint(request, url),
                self.clock.now().timestamp(),
                answer.status,
                answer.content_type,
                json.dumps(dict(answer.headers)),
                answer.body,
            ),
        )

    def forget(self) -> None:
        """Every key is new again."""
        self.db.execute("DELETE FROM idempotency_keys")


def _fingerprint(request: ApiRequest, url: str) -> str:
    body = hashlib.sha256(request.body).hexdigest()
    return " ".join((request.tenant_id, request.method, url, body))


def _refused(message: str) -> ApiAnswer:
    return json_answer({"Title": "Bad Request", "Status": 400, "Detail": message}, 400)
