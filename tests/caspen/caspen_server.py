"""A small Caspen for tests: serves an export over real HTTP by the conventions of Caspen's API, and takes payments back.

    with CaspenServer(records, key="secret") as caspen:
        feed = open_feed(caspen.url, api_key="secret")

`caspen.requests` is every request that came; `caspen.answer_next(...)` makes the next ones fail in a chosen way.
"""

import base64
import datetime as dt
import json
import threading
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

KINDS = {
    "tax-rates": "tax_rate",
    "payment-methods": "payment_method",
    "clients": "client",
    "contacts": "contact",
    "invoices": "invoice",
    "payments": "payment",
    "credit-notes": "credit_note",
}


@dataclass(frozen=True)
class SeenRequest:
    method: str
    path: str
    query: dict[str, str]
    key: str | None
    body: Any = None
    idempotency_key: str | None = None


@dataclass
class Answer:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    breaks_off: bool = False
    method: str | None = None
    path: str | None = None

    def fits(self, request: SeenRequest) -> bool:
        """Whether it is meant for that request."""
        return self.method in (None, request.method) and self.path in (None, request.path)


class CaspenServer:
    """Serves `records` (raw feed records). `per_window` requests are allowed in every `window` seconds."""

    def __init__(
        self, records: Iterable[dict[str, Any]], *, key: str = "key-1", per_window: int = 100_000, window: float = 60
    ) -> None:
        self.records = {(record["object"], str(record["id"])): record for record in records}
        self.key = key
        self.requests: list[SeenRequest] = []
        self.received: dict[str, dict[str, Any]] = {}
        self._answers: deque[Answer] = deque()
        self._limit = per_window
        self._window = window
        self._taken = 0
        self._window_ends = time.time() + window
        self._lock = threading.Lock()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler_for(self))
        self._http.handle_error = lambda *_: None  # type: ignore[method-assign]  # who hangs up has his reasons
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.shutdown()
        self._http.server_close()

    def put(self, record: dict[str, Any]) -> None:
        """Adds or replaces a record."""
        with self._lock:
            self.records[(record["object"], str(record["id"]))] = record

    def answer_next(
        self,
        status: int,
        body: object = b"",
        *,
        times: int = 1,
        breaks_off: bool = False,
        method: str | None = None,
        path: str | None = None,
        **headers: str,
    ) -> None:
        """The next `times` requests (of that method, to that path) get this answer. `breaks_off`: in the middle of its body."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._answers.extend([Answer(status, raw, named, breaks_off, method, path)] * times)

    def answer_as_usual(self) -> None:
        """Nothing fails any more."""
        self._answers.clear()

    def answer(self, request: SeenRequest) -> Answer:
        with self._lock:
            self.requests.append(request)
            fits = bool(self._answers) and self._answers[0].fits(request)
            answer = self._answers.popleft() if fits else self._checked(request)
            for name, value in self._limit_headers().items():
                answer.headers.setdefault(name, value)
            return answer

    def _checked(self, request: SeenRequest) -> Answer:
        if request.key != self.key:
            return _said(401, "Unauthenticated.")
        if not self._within_limit():
            wait = str(max(1, round(self._window_ends - time.time())))
            return Answer(429, json.dumps({"message": "Too Many Attempts."}).encode(), {"Retry-After": wait})
        match request.path.removeprefix("/v1/").split("/"):
            case [collection] if collection in KINDS and request.method == "GET":
                return self._list(KINDS[collection], request)
            case [collection, record_id] if collection in KINDS and request.method == "GET":
                found = self.records.get((KINDS[collection], unquote(record_id)))
                return _json(200, found) if found else _said(404, "Not found.")
            case ["invoices", invoice_id, "payments"] if request.method == "POST":
                return self._take_payment(unquote(invoice_id), request)
            case _:
                return _said(404, "Not found.")

    def _within_limit(self) -> bool:
        if time.time() >= self._window_ends:
            self._taken, self._window_ends = 0, time.time() + self._window
        self._taken += 1
        return self._taken <= self._limit

    def _limit_headers(self) -> dict[str, str]:
        left = str(max(0, self._limit - self._taken))
        reset = str(max(1, round(self._window_ends - time.time())))
        return {"X-RateLimit-Limit": str(self._limit), "X-RateLimit-Remaining": left, "X-RateLimit-Reset": reset}

    def _list(self, kind: str, request: SeenRequest) -> Answer:
        limit = request.query.get("limit", "10")
        if not limit.isdecimal() or not 1 <= int(limit) <= 100:
            return _json(422, {"message": "Invalid.", "errors": {"limit": ["must be between 1 and 100"]}})
        since = request.query.get("updated_since")
        found = [record for (of, _), record in self.records.items() if of == kind and _is_newer(record, since)]
        start = int(base64.b64decode(request.query["cursor"])) if "cursor" in request.query else 0
        end = start + int(limit)
        more = {**request.query, "cursor": base64.b64encode(f"{end:>5}".encode()).decode()}
        link = f"{self.url}{request.path.removeprefix('/v1')}?{urlencode(more)}" if end < len(found) else None
        return _json(200, {"data": found[start:end], "links": {"prev": None, "next": link}})

    def _take_payment(self, invoice_id: str, request: SeenRequest) -> Answer:
        invoice = self.records.get(("invoice", invoice_id))
        if invoice is None:
            return _said(404, "No such invoice.")
        if not request.idempotency_key:
            return _json(422, {"message": "Invalid.", "errors": {"Idempotency-Key": ["is missing"]}})
        if request.idempotency_key in self.received:
            return _said(409, "This payment was recorded before.")
        given = request.body
        self.received[request.idempotency_key] = given
        now = dt.datetime.now(dt.UTC).isoformat().replace("+00:00", "Z")
        payment = {
            "object": "payment",
            "id": f"pay_from_xero_{len(self.received)}",
            "client_id": invoice["client_id"],
            "date": given["date"],
            "method_id": None,
            "amount": given["amount"],
            "status": "allocated",
            "xero_id": given["id"],
            "allocations": [
                {"id": f"all_from_xero_{len(self.received)}", "invoice_id": invoice_id, "amount": given["amount"]}
            ],
            "updated_at": now,
        }
        self.records[("payment", str(payment["id"]))] = payment
        self.records[("invoice", invoice_id)] = {**invoice, "status": given["invoice_status"], "updated_at": now}
        return _json(201, payment)


def _is_newer(record: dict[str, Any], since: str | None) -> bool:
    stamp = record.get("updated_at")
    return since is None or stamp is None or _moment(stamp) >= _moment(since)


def _moment(text: str) -> dt.datetime:
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:  # a bad record, served to see what becomes of it
        return dt.datetime.max.replace(tzinfo=dt.UTC)


def _json(status: int, body: object) -> Answer:
    return Answer(status, json.dumps(body, default=str).encode(), {"Content-Type": "application/json"})


def _said(status: int, message: str) -> Answer:
    return _json(status, {"message": message})


def _handler_for(caspen: CaspenServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._reply()

        def do_POST(self) -> None:
            self._reply()

        def _reply(self) -> None:
            url = urlsplit(self.path)
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = caspen.answer(
                SeenRequest(
                    self.command,
                    url.path,
                    {name: values[-1] for name, values in parse_qs(url.query).items()},
                    (self.headers.get("Authorization") or "").removeprefix("Bearer ") or None,
                    json.loads(raw, parse_float=Decimal) if raw else None,
                    self.headers.get("Idempotency-Key"),
                )
            )
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body[: len(answer.body) // 2] if answer.breaks_off else answer.body)
            self.close_connection = self.close_connection or answer.breaks_off

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing: a test's output is its own."""

    return Handler
