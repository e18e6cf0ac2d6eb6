"""Waiting for the browser to come back from Xero: a listener on this machine only, or a pasted address.

Xero takes http://localhost:PORT/callback with a port that is registered with the app, exactly. localhost may mean
127.0.0.1 or ::1, so both are listened on.
"""

from __future__ import annotations

import errno
import hmac
import os
import queue
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import parse_qsl

from caspen_xero.errors import ExitCode
from caspen_xero.xero.callback_page import received_page, stray_page
from caspen_xero.xero.errors import SignInFailed
from caspen_xero.xero.oauth_words import oauth_words

PATH = "/callback"
_BROWSER_PATIENCE = 15.0
_LAST_REPLY = 2.0
_LONGEST_REQUEST = 10.0
"""Seconds for a whole request, however it comes."""

Stray = Literal["another", "unmarked"]
"""What is not the answer to this sign-in: that of another one, or a page without any state. Every web page can send either."""


@dataclass(frozen=True)
class Arrival:
    """What came back from Xero: a code, or OAuth's error code with its description, both in harmless characters."""

    code: str | None = field(repr=False)
    error: str = ""
    description: str = ""


class Listener:
    """Listens on the first of `ports` that is free. Raises `SignInFailed` `port-taken` where none is.

    Only what carries the right `state` is believed, errors too. `on_stray` is told the first time that each kind of stray comes.
    """

    def __init__(self, state: str, ports: Sequence[int], on_stray: Callable[[Stray], None] = lambda _: None) -> None:
        self._state = state
        self._on_stray = on_stray
        self._arrivals: queue.Queue[Arrival] = queue.Queue()
        self._final_page: str | None = None
        self._finished = threading.Event()
        self._replies = _Count()
        self.strays: set[Stray] = set()
        self.port, self._servers = _listening(ports, self)
        self._threads = [
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
            for server in self._servers
        ]
        for thread in self._threads:
            thread.start()

    @property
    def redirect_uri(self) -> str:
        """The address to which Xero is to send the browser."""
        return f"http://localhost:{self.port}{PATH}"

    def wait(self, seconds: float) -> Arrival | None:
        """What came back, None if nothing did within `seconds`. In short waits, for Ctrl-C's sake."""
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            try:
                return self._arrivals.get(timeout=min(left, 0.2))
            except queue.Empty:
                continue
        return None

    def accept(self, query: str, *, by_browser: bool = False) -> bool:
        """Takes the query of a redirect; False, and nothing else, if it is not an answer to this sign-in.

        `by_browser`: what is not is told as astray, which whoever pastes is told at once.
        """
        fields = dict(parse_qsl(query))
        state, error = fields.get("state", ""), oauth_words(fields.get("error", ""))
        # OAuth sends the state with errors too (RFC 6749, 4.1.2.1); that Xero does is UNCONFIRMED.
        if not hmac.compare_digest(state.encode(), self._state.encode()):
            self._astray("another" if state else "unmarked", is_told=by_browser)
            return False
        if not (fields.get("code") or error):
            return False
        self._arrivals.put(Arrival(fields.get("code"), error, oauth_words(fields.get("error_description", ""))))
        return True

    def reply_to(self, query: str) -> tuple[int, str]:
        """The page for a browser that came back: the outcome once it is known, also for one that comes twice."""
        if not self.accept(query, by_browser=True):
            return 400, stray_page()
        self._finished.wait(_BROWSER_PATIENCE)
        return 200, self._final_page or received_page()

    def finish(self, page: str) -> None:
        """Tells every waiting browser how it ended, and waits until they have been told."""
        self._final_page = page
        self._finished.set()
        self._replies.wait_for_none(_LAST_REPLY)

    def close(self) -> None:
        """Stops listening."""
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def _astray(self, kind: Stray, *, is_told: bool) -> None:
        is_new = kind not in self.strays
        self.strays.add(kind)
        if is_told and is_new:
            self._on_stray(kind)

    @property
    def replies(self) -> _Count:
        """How many browsers are being answered."""
        return self._replies


class _Count:
    """Counts what is under way."""

    def __init__(self) -> None:
        self._number = 0
        self._changed = threading.Condition()

    def __enter__(self) -> None:
        with self._changed:
            self._number += 1

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._number -= 1
            self._changed.notify_all()

    def wait_for_none(self, seconds: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._number == 0, seconds)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # On Windows this flag would let a second program listen on the same port.
    allow_reuse_address = os.name == "posix"

    def __init__(self, family: socket.AddressFamily, host: str, port: int, listener: Listener) -> None:
        self.address_family = family
        self.listener = listener
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if self.allow_reuse_address:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Not the inherited one: it looks this machine's name up, which can take long.
        self.socket.bind(self.server_address[:2])
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "localhost", self.server_address[1]

    def handle_error(self, request: object, client_address: object) -> None:
        """Says nothing of who left in the middle: the terminal is a person's, and every web page can knock here."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version, sys_version = "caspen-xero", ""

    def setup(self) -> None:
        super().setup()
        self._too_long = threading.Timer(_LONGEST_REQUEST, self._let_go)
        self._too_long.daemon = True
        self._too_long.start()

    def finish(self) -> None:
        self._too_long.cancel()
        super().finish()

    def do_GET(self) -> None:
        self._too_long.cancel()
        path, _, query = self.path.partition("?")
        if path != PATH:
            self._reply(404, "Nothing here.", "text/plain")
            return
        with self.server.listener.replies:
            status, page = self.server.listener.reply_to(query)
            self._reply(status, page, "text/html")

    def _let_go(self) -> None:
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _reply(self, status: int, text: str, kind: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: the request line holds the code."""


def _listening(ports: Sequence[int], listener: Listener) -> tuple[int, list[_Server]]:
    for port in ports:
        servers = _on_both(port, listener)
        if servers:
            return port, servers
    raise SignInFailed(
        "port-taken",
        f"Other programs are listening on every port that the browser could come back to: {', '.join(map(str, ports))}.",
        "Close one of them (perhaps another caspen-xero connect), then connect again.",
        exit_code=ExitCode.FAILED,
    )


def _on_both(port: int, listener: Listener) -> list[_Server]:
    """Servers on 127.0.0.1 and ::1; none where either is taken. A machine without one of the two has the other."""
    servers: list[_Server] = []
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        try:
            servers.append(_Server(family, host, port, listener))
        except OSError as error:
            if error.errno in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}:
                continue
            for server in servers:
                server.server_close()
            return []
    return servers
