"""The sandbox as a server in a thread of its own:

    with Sandbox() as box:
        httpx.get(box.url + "/sandbox/state")

It talks HTTP through uvicorn's protocol, in a loop of its own: so it starts and stops within milliseconds, leaves signals
to whoever runs it, and can close a connection without an answer.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import socket
import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from caspen_xero.sandbox.api.api import Api
from caspen_xero.sandbox.exchange import BadRequest
from caspen_xero.sandbox.front.local import LocalXero
from caspen_xero.sandbox.front.webapp import Connections, create_app
from caspen_xero.sandbox.seam import Clock

LAST_SECONDS = 1.0
KEEP_ALIVE_SECONDS = 75
_LOCAL = frozenset({"127.0.0.1", "localhost", "::1", "0.0.0.0", "::"})


class SandboxError(Exception):
    """The sandbox can't run; `fix` is what to do."""

    def __init__(self, code: str, message: str, fix: str) -> None:
        super().__init__(message)
        self.code, self.message, self.fix = code, message, fix


class Sandbox:
    """A local Xero that runs in a thread of its own, on a free port unless one is given.

    `url` is its base URL and `api` its books. Options: those of `LocalXero`. Raises `SandboxError` if the port is taken
    or `data` can't be used.
    """

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0, data: Path | None = None, **options: Any) -> None:
        self._host = host
        self._sockets = _listening(host, port)
        self.port: int = self._sockets[0].getsockname()[1]
        self.url = f"http://{'localhost' if host in _LOCAL else host}:{self.port}"
        try:
            self.xero = LocalXero(data=data, **options)
        except BadRequest as error:
            _close(self._sockets)
            raise SandboxError("unknown-switch", str(error), "Name it as NAME=WORD.") from error
        except (sqlite3.Error, OSError) as error:
            _close(self._sockets)
            raise SandboxError(
                "sandbox-data-unusable", f"{data} can't be used: {error}.", "Choose another --data file."
            ) from error
        self._ready, self._stop = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="sandbox", daemon=True)

    @property
    def api(self) -> Api:
        """The books, to act as a person in Xero's own screens would; each call is a transaction between requests."""
        return cast(Api, _Acting(self.xero))

    @property
    def clock(self) -> Clock:
        """The sandbox's time."""
        return self.xero.clock

    @property
    def is_open_to_others(self) -> bool:
        """Whether other machines reach it: it listens on more than this machine's own addresses."""
        return not all(ipaddress.ip_address(one.getsockname()[0]).is_loopback for one in self._sockets)

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def start(self) -> Self:
        """Starts serving; returns when the port answers."""
        self._thread.start()
        if not self._ready.wait(10):
            raise SandboxError("sandbox-not-started", "The sandbox did not start.", "See what is printed above.")
        return self

    def stop(self) -> None:
        """Ends requests under way (within a second), then the database."""
        if self.running:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(10)
        _close(self._sockets)
        self.xero.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def _serve(self) -> None:
        """Answers requests until told to stop."""
        self._loop = asyncio.get_running_loop()
        connections: Connections = {}
        config = uvicorn.Config(
            create_app(self.xero, connections, self._host),
            interface="asgi3",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            date_header=False,  # the answers tell the sandbox's own time
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
        )
        config.load()
        state = ServerState()
        for listener in self._sockets:
            await self._loop.create_server(lambda: _Http(connections, config, state), sock=listener)
        self._ready.set()
        await self._stop.wait()
        for connection in list(state.connections):
            connection.shutdown()
        if state.tasks:
            await asyncio.wait(state.tasks, timeout=LAST_SECONDS)


class _Acting:
    """The books' methods, each in a transaction of its own."""

    def __init__(self, xero: LocalXero) -> None:
        self._xero = xero

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method: Callable[..., Any] = getattr(self._xero.api, name)

        def act(*arguments: Any, **options: Any) -> Any:
            with self._xero.transaction():
                return method(*arguments, **options)

        return act


class _Http(H11Protocol):
    """Remembers its connection, so that a fault can close it."""

    def __init__(self, connections: Connections, config: uvicorn.Config, state: ServerState) -> None:
        super().__init__(config, state, app_state={})
        self.open_connections = connections

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self.client is not None:
            self.open_connections[self.client] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self.client is not None:
            self.open_connections.pop(self.client, None)
        super().connection_lost(exc)


def _listening(host: str, port: int) -> list[socket.socket]:
    """Sockets that listen; the local host on IPv6 as well where there is one, for `localhost` may mean either."""
    hosts = ["127.0.0.1", "::1"] if host in {"127.0.0.1", "localhost"} else [host]
    sockets: list[socket.socket] = []
    for one in hosts:
        # The protocol is named because asyncio sends small answers without delay (TCP_NODELAY) only where it is.
        family = socket.AF_INET6 if ":" in one else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        if os.name == "posix":  # on Windows it would let two servers share the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((one, sockets[0].getsockname()[1] if sockets else port))
            listener.listen(128)
        except OSError as error:
            listener.close()
            if sockets:
                break  # no IPv6 here, or its port is taken: IPv4 will do
            raise SandboxError(
                "port-in-use", f"Port {port} on {host} can't be used: {error.strerror}.", "Choose another with --port."
            ) from error
        sockets.append(listener)
    return sockets


def _close(sockets: Sequence[socket.socket]) -> None:
    for listener in sockets:
        listener.close()
