"""A Xero that answers as it is told to, over real HTTP, and a sign-in that needs no browser."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from caspen_xero.xero.client import XeroClient
from caspen_xero.xero.connection import Connection, Kind
from caspen_xero.xero.token_store import TokenStore, open_token_store
from caspen_xero.xero.tokens import AccessTokens

TENANT = "0662405e-334f-5d73-88aa-953f08afa390"


@dataclass
class Reply:
    """An answer to give; `hang_up` closes the connection instead, after the request was read."""

    status: int = 200
    body: bytes | str = "{}"
    headers: dict[str, str] = field(default_factory=dict)
    hang_up: bool = False


@dataclass
class Seen:
    """A request as it arrived; header names in lower case, the query also as it was sent."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    query_string: str = ""

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode()))


class Told:
    """A server that gives `replies` in turn (the last one for ever) and remembers every request."""

    def __init__(self, *replies: Reply | Callable[[Seen], Reply]) -> None:
        self.replies = list(replies)
        self.seen: list[Seen] = []
        told = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 5

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                parts = urlsplit(self.path)
                headers = {name.lower(): value for name, value in self.headers.items()}
                seen = Seen(self.command, parts.path, dict(parse_qsl(parts.query)), headers, body, parts.query)
                told.seen.append(seen)
                reply = told.replies.pop(0) if len(told.replies) > 1 else told.replies[0]
                reply = reply if isinstance(reply, Reply) else reply(seen)
                if reply.hang_up:
                    self.close_connection = True
                    return
                content = reply.body.encode() if isinstance(reply.body, str) else reply.body
                self.send_response_only(reply.status)  # without a Date of its own
                for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_DELETE = answer

            def log_message(self, format: str, *args: object) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def told(*replies: Reply | Callable[[Seen], Reply]) -> Iterator[Told]:
    server = Told(*replies)
    try:
        yield server
    finally:
        server.close()


def a_connection(url: str, kind: Kind = "pkce") -> Connection:
    return Connection(
        tenant_id=TENANT,
        tenant_name="Demo Company (AU)",
        connection_id="c0",
        client_id="APP",
        kind=kind,
        xero_url=url,
        token_store="file",
        entry="e1",
        scopes=("accounting.contacts", "accounting.invoices"),
        connected_at=datetime(2026, 11, 22, tzinfo=UTC),
    )


@dataclass
class SignedIn:
    """A folder with tokens in it, and clients that use them without ever really sleeping."""

    folder: Path
    waits: list[tuple[float, str]] = field(default_factory=list)

    @property
    def store(self) -> TokenStore:
        return open_token_store("file", "e1", self.folder)

    def tokens(self, url: str, kind: Kind = "pkce") -> AccessTokens:
        return AccessTokens(a_connection(url, kind), self.store, self.folder / "token.lock")

    def client(self, url: str, kind: Kind = "pkce") -> XeroClient:
        return XeroClient(
            a_connection(url, kind),
            self.tokens(url, kind),
            on_wait=lambda seconds, why: nullcontext(self.waits.append((seconds, why))),
            sleep=lambda seconds: None,
        )
