"""A server that answers as no server should, byte by byte, over real HTTP.

    with hostile(DRIP_OF_A_BODY) as server:
        httpx.get(server.url)

An answer is a function that gives pieces of bytes for a request's number and target; it may never end. What each of `KINDS`
does is its name.
"""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Behaviour = Callable[[int, str], Iterator[bytes]]

GOOD = b'{"Invoices":[]}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
PAUSE = 0.02
A_LOT = b"x" * 65_536
DIGITS = b"9" * 5_000


class Hostile:
    """Serves one behaviour on loopback. `requests` are the targets asked for, `headers` came with them."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.requests: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.connections = 0
        self._behaviour = behaviour
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._socket.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection, connection.makefile("rb") as file:
            while line := file.readline():
                headers: dict[str, str] = {}
                while (header := file.readline().decode("latin-1")).strip():
                    name, _, value = header.partition(":")
                    headers[name.lower()] = value.strip()
                file.read(int(headers.get("content-length", 0)))
                self.headers.append(headers)
                self.requests.append(line.split()[1].decode())
                for piece in self._behaviour(len(self.requests), self.requests[-1]):
                    if piece == HANG_UP:
                        return
                    connection.sendall(piece)


HANG_UP = b"(hangs up)"


@contextmanager
def hostile(behaviour: Behaviour) -> Iterator[Hostile]:
    server = Hostile(behaviour)
    try:
        yield server
    finally:
        server.close()


def says(*pieces: bytes, for_ever: bytes = b"", pause: float = 0.0) -> Behaviour:
    """Gives these pieces, then perhaps one of them for ever, with a pause after each."""

    def behave(number: int, target: str) -> Iterator[bytes]:
        yield from pieces
        while for_ever:
            time.sleep(pause)
            yield for_ever

    return behave


def whole(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    """A proper answer."""
    lines = [b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), b"Content-Type: application/json", *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def pages(page: Callable[[int, str], object]) -> Behaviour:
    """Answers with JSON documents, each made from the request's number and target, up to 500 times."""

    def behave(number: int, target: str) -> Iterator[bytes]:
        yield HANG_UP if number > 500 else whole(json.dumps(page(number, target)).encode())

    return behave


def _bomb(layers: int) -> bytes:
    unfolded = gzip.compress(bytes(40_000_000))
    return unfolded if layers == 1 else gzip.compress(unfolded)


def _chunks(body: bytes) -> bytes:
    return HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + body


SLOW = {
    "a-drip-of-a-body": says(HEAD + b"Content-Length: 100000\r\n\r\n", for_ever=b" ", pause=PAUSE),
    "a-drip-of-chunks": says(_chunks(b""), for_ever=b"1\r\n \r\n", pause=PAUSE),
    "a-drip-without-a-length": says(HEAD + b"Connection: close\r\n\r\n" + GOOD, for_ever=b" ", pause=PAUSE),
    "a-drip-of-a-header": says(b"HTTP/1.1 200 OK\r\nX-Odd: ", for_ever=b"x", pause=PAUSE),
    "a-drip-of-a-status": says(for_ever=b"H", pause=PAUSE),
    "an-answer-that-is-always-to-come": says(for_ever=b"HTTP/1.1 100 Continue\r\n\r\n", pause=PAUSE),
    "a-drip-after-a-zipped-end": says(
        HEAD + b"Content-Encoding: gzip\r\nConnection: close\r\n\r\n" + gzip.compress(GOOD), for_ever=b" ", pause=PAUSE
    ),
    "silence": says(),
}
"""Those whose conversation would last for ever."""

LARGE = {
    "an-endless-body": says(HEAD + b"Connection: close\r\n\r\n", for_ever=A_LOT),
    "an-endless-row-of-chunks": says(_chunks(b""), for_ever=b"10000\r\n" + A_LOT + b"\r\n"),
    "a-body-of-a-terabyte": says(HEAD + b"Content-Length: 1000000000000\r\n\r\n", for_ever=A_LOT),
    "a-zip-bomb": says(whole(_bomb(1), b"Content-Encoding: gzip")),
    "a-zip-bomb-in-chunks": says(
        HEAD + b"Transfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n",
        *(
            b"%x\r\n" % len(piece) + piece + b"\r\n"
            for piece in (_bomb(1)[at : at + 999] for at in range(0, 38_000, 999))
        ),
    ),
    "much-after-a-zipped-end": says(
        HEAD + b"Content-Encoding: gzip\r\nConnection: close\r\n\r\n" + gzip.compress(GOOD), for_ever=A_LOT
    ),
}
"""Those whose answer is larger than anybody could mean."""

BROKEN = {
    "a-zip-bomb-in-a-zip": says(whole(_bomb(2), b"Content-Encoding: gzip, gzip")),
    "compressed-as-nobody-asked": says(whole(GOOD, b"Content-Encoding: br")),
    "not-compressed-as-it-says": says(whole(GOOD, b"Content-Encoding: gzip")),
    "a-zip-that-breaks-off": says(whole(gzip.compress(GOOD)[:-6], b"Content-Encoding: gzip")),
    "a-zip-of-another-kind": says(whole(zlib.compress(GOOD), b"Content-Encoding: gzip")),
    "a-chunk-size-that-is-none": says(_chunks(b"zz\r\n" + GOOD)),
    "a-chunk-size-below-zero": says(_chunks(b"-5\r\n" + GOOD)),
    "a-chunk-size-beyond-all-numbers": says(_chunks(b"f" * 5_000 + b"\r\n" + GOOD)),
    "a-chunk-longer-than-it-says": says(_chunks(b"5\r\n" + GOOD + b"\r\n0\r\n\r\n")),
    "a-length-beyond-all-numbers": says(HEAD + b"Content-Length: " + DIGITS + b"\r\n\r\n" + GOOD, HANG_UP),
    "a-length-below-zero": says(HEAD + b"Content-Length: -5\r\n\r\n" + GOOD),
    "a-length-in-words": says(HEAD + b"Content-Length: some\r\n\r\n" + GOOD),
    "two-lengths": says(HEAD + b"Content-Length: 15\r\nContent-Length: 16\r\n\r\n" + GOOD),
    "a-length-longer-than-its-body": says(HEAD + b"Content-Length: 500\r\n\r\n" + GOOD, HANG_UP),
    "a-length-shorter-than-its-body": says(HEAD + b"Content-Length: 7\r\n\r\n" + GOOD),
    "an-end-before-the-answer": says(HANG_UP),
    "an-end-within-the-status": says(b"HTTP/1.1 2", HANG_UP),
    "an-end-within-the-headers": says(HEAD, HANG_UP),
    "an-end-within-a-chunk": says(_chunks(b"f\r\n{"), HANG_UP),
    "an-endless-row-of-headers": says(HEAD, for_ever=b"X-Odd: " + b"x" * 1_000 + b"\r\n"),
    "an-endless-header": says(HEAD + b"X-Odd: ", for_ever=b"x" * 1_000),
    "a-status-of-a-thousand-digits": says(b"HTTP/1.1 " + DIGITS + b" OK\r\n\r\n"),
    "another-language": says(b"220 mail.example ESMTP ready\r\n", HANG_UP),
    "nonsense": says(bytes(range(256)), HANG_UP),
    "a-way-to-nowhere": says(whole(b"", b"Location: http://[::1", status=b"302 Found")),
    "a-switch-of-protocols": says(b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + GOOD, HANG_UP),
}
"""Those whose answer is none."""

KINDS = SLOW | LARGE | BROKEN
