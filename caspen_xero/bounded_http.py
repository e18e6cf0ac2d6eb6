"""HTTP whose every conversation ends: within a time in all and a size in all, whatever the other side does.

httpx knows time-outs for one connect, one read and one write only: a server that drips a byte a second keeps those for ever. Nor
does it bound what a compressed answer unfolds to. Errors are httpx's own; two of them are said here:

    httpx.ReadTimeout    TookTooLong   it was not over in time, at whatever point it stood
    httpx.DecodingError  TooLarge      the answer has more bytes than anybody could mean
"""

from __future__ import annotations

import re
import socket
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from typing import Any
from weakref import WeakSet

import httpx

from caspen_xero.request_notes import noted
from caspen_xero.scrubbing import scrubbed

LARGEST_BODY = 64 * 1024 * 1024
"""Bytes of an answer's body, unfolded. A thousand invoices are a few million."""

_NUMBER = re.compile(r"^\[(?:Errno|WinError) -?\d+\] ")
NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)
"""Raised before the first byte of a request is on its way; after any other it may have reached the server."""

_GZIP = zlib.MAX_WBITS | 16
_FRAMING = {b"content-encoding", b"content-length", b"transfer-encoding"}
"""Headers that are no longer true once a body is whole and unfolded."""


class TookTooLong(httpx.ReadTimeout):
    """A conversation was not over within the time that it has in all."""


class TooLarge(httpx.DecodingError):
    """An answer has more bytes than it may have."""


class BoundedClient:
    """Sends requests through an httpx client, one at a time. Each is over within `seconds`; an answer has `largest` bytes at most.

    No cookie outlives its request.
    """

    def __init__(self, client: httpx.Client, *, seconds: float, largest: int) -> None:
        self._client, self._seconds, self._largest = client, seconds, largest
        self._lines: WeakSet[Any] = WeakSet()

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: str | bytes | None = None,
        form: Mapping[str, str] | None = None,
        auth: httpx.Auth | None = None,
        needs_body: Callable[[int], bool] = lambda status: True,
    ) -> httpx.Response:
        """The answer, whole and unfolded. Raises `TookTooLong`, `TooLarge` and every other `httpx.HTTPError`.

        `needs_body`: whether an answer of that status is worth something only with its body. Where it is not, a body that can't be
        read whole is as good as none.
        """
        with noted(method, url) as answered, self._time_limit() as (is_over, trace):
            try:
                request = self._client.build_request(
                    method,
                    url,
                    headers={"Accept-Encoding": "gzip", **(headers or {})},
                    content=body,
                    data=form,
                    extensions={"trace": trace},
                )
                with closing(self._client.send(request, auth=auth, stream=True)) as response:
                    answered(response)
                    content = _content_if_needed(response, self._largest, needs_body(response.status_code))
            except Exception as error:
                if is_over():
                    raise self._too_long() from None
                if isinstance(error, httpx.HTTPError):
                    raise
                raise _in_its_words(error) from None
            finally:
                self._client.cookies.clear()
        if is_over() and needs_body(response.status_code):  # what was cut off may look like an end
            raise self._too_long()
        kept = [(name, value) for name, value in response.headers.raw if name.lower() not in _FRAMING]
        return httpx.Response(response.status_code, headers=kept, content=content, request=request)

    def close(self) -> None:
        """Closes the connections kept open."""
        self._client.close()

    @contextmanager
    def _time_limit(self) -> Iterator[tuple[Callable[[], bool], Callable[[str, Mapping[str, Any]], None]]]:
        """Whether the time is over, and what has to be told of each step: when it is over, the connections are cut."""
        over = threading.Event()

        def cut_all() -> None:
            over.set()
            for line in list(self._lines):
                _cut(line)

        def trace(step: str, info: Mapping[str, Any]) -> None:
            if step.endswith((".connect_tcp.complete", ".start_tls.complete")):
                self._lines.add(info["return_value"])
                if over.is_set():
                    _cut(info["return_value"])

        timer = threading.Timer(self._seconds, cut_all)
        timer.daemon = True
        timer.start()
        try:
            yield over.is_set, trace
        finally:
            timer.cancel()

    def _too_long(self) -> TookTooLong:
        return TookTooLong(f"the answer was not whole within {self._seconds:g} seconds")


def _in_its_words(error: Exception) -> httpx.HTTPError:
    """What a library below httpx stumbles over, such as a number that no number type holds, as an error of httpx."""
    if type(error).__module__.partition(".")[0] == "socksio":
        return httpx.ProxyError(f"the SOCKS proxy gave an answer that can't be read ({error})")
    return httpx.RemoteProtocolError(f"an answer that can't be read ({type(error).__name__})")


def _cut(line: Any) -> None:
    """Ends a connection for whoever waits on it, from another thread (closing it would wake nobody)."""
    with suppress(OSError):
        line.get_extra_info("socket").shutdown(socket.SHUT_RDWR)


def _content_if_needed(response: httpx.Response, largest: int, is_needed: bool) -> bytes:
    try:
        return _content(response, largest)
    except (httpx.HTTPError, ValueError, OSError):
        if is_needed:
            raise
        return b""


def _content(response: httpx.Response, largest: int) -> bytes:
    """The body of an answer, read and unfolded piece by piece, so that no more than `largest` bytes are ever held."""
    coding = response.headers.get("Content-Encoding", "").strip().lower()
    if coding not in {"", "identity", "gzip", "x-gzip"}:
        raise httpx.DecodingError("the answer is compressed in a way that was not asked for")
    unfolder = zlib.decompressobj(_GZIP) if "gzip" in coding else None
    pieces: list[bytes] = []
    came = size = 0
    assert isinstance(response.stream, httpx.SyncByteStream)
    for piece in response.stream:
        came += len(piece)
        try:
            pieces.append(unfolder.decompress(piece, largest + 1 - size) if unfolder else piece)
        except zlib.error:
            raise httpx.DecodingError("the answer is not compressed as it says") from None
        size += len(pieces[-1])
        if max(came, size) > largest:
            raise TooLarge(f"the answer has more than {largest:,} bytes")
    if unfolder and came and not unfolder.eof:
        raise httpx.DecodingError("the compressed answer breaks off")
    return b"".join(pieces)


def reason_of(error: httpx.HTTPError) -> str:
    """What went wrong, in the library's or the system's words, without the system's number for it."""
    return _NUMBER.sub("", scrubbed(str(error))) or type(error).__name__
