"""One HTTP connection to a Caspen server: the key, the 60 requests a minute, retries, and errors in plain words.

Documented by Caspen (docs.caspen.com): `Authorization: Bearer KEY`, never in a URL; 60 requests per 60 seconds and key;
`X-RateLimit-Limit/-Remaining/-Reset`; over it a 429 with `Retry-After`; errors 400, 401, 403, 404, 409, 422, 500, 502, 503.
UNCONFIRMED: whether `X-RateLimit-Reset` is a moment or a number of seconds; both are understood.
"""

import datetime as dt
import json
import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx

from caspen_xero.bounded_http import LARGEST_BODY, BoundedClient, TooLarge
from caspen_xero.errors import ExitCode
from caspen_xero.http_client import http_client
from caspen_xero.scrubbing import keep_secret, scrubbed, scrubbed_bytes

from .exact_json import decode
from .feed import FeedError

TRIES = 5
SLOW_TRIES = 2
"""Tries of a request whose answers don't come in time: each of them takes a minute or two."""

LONGEST_CALL = 120.0
"""Seconds for one request and its whole answer, however it comes."""

LONGEST_WAIT = 120.0
"""Seconds. Who is asked to wait longer is told to come back later."""

LONGEST_HINT = 86_400.0
"""Seconds. What an answer asks to wait beyond a day is no number to tell anybody."""

_NUMBER = re.compile(r"\d+", re.ASCII)
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)
_LONGEST_KEY_FILE = 65_536
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_KEY_FIX = "Make a key in Caspen under Settings, API keys, then set CASPEN_API_KEY, or CASPEN_API_KEY_FILE to its file"


def find_api_key(from_keyring: str | None = None, environ: Mapping[str, str] = os.environ) -> str:
    """The key from `CASPEN_API_KEY`, else the file `CASPEN_API_KEY_FILE`, else the one given. `FeedError` if none is."""
    file = environ.get("CASPEN_API_KEY_FILE", "")
    key = environ.get("CASPEN_API_KEY", "").strip()
    if not key and file:
        try:
            with Path(file).open("rb") as stream:
                key = stream.read(_LONGEST_KEY_FILE).decode("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise FeedError(
                "caspen-key-missing", f"CASPEN_API_KEY_FILE: {file} can't be read: {error}", _KEY_FIX
            ) from error
    key = key or (from_keyring or "").strip()
    if not key:
        raise FeedError("caspen-key-missing", "There is no key for Caspen's API", _KEY_FIX)
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise FeedError("caspen-key-missing", "The key for Caspen's API holds characters that no key has", _KEY_FIX)
    return key


def base_url(source: str) -> str:
    """The source as a base URL. HTTPS, or HTTP on this machine; without user, password, query or fragment."""
    fix = "Give an address such as https://api.caspen.com/v1"
    try:
        url = httpx.URL(source.rstrip("/"))
    except httpx.InvalidURL as error:
        raise FeedError("bad-source-url", f"The source is no URL: {error}", fix) from None
    if not url.host or url.scheme not in ("http", "https"):
        raise FeedError("bad-source-url", "The source is no http(s) URL", fix)
    if url.userinfo or url.query or url.fragment:
        raise FeedError("bad-source-url", "A source URL holds no user, password, query or fragment", fix)
    if url.scheme == "http" and url.host not in _LOOPBACK:
        raise FeedError("bad-source-url", f"{url} is not HTTPS: the key would travel in the open", fix)
    return str(url)


@dataclass(frozen=True)
class Answer:
    """A good answer: its JSON with exact numbers, its size in bytes, and the server's own clock (UTC) if it tells it."""

    body: Any
    size: int
    server_time: dt.datetime | None


class Connection:
    """Sends requests to one server, and the key to no other. `sleep` waits out limits; tests replace it.

    `seconds` (usually `LONGEST_CALL`) are for a request and its whole answer, of `largest` (`LARGEST_BODY`) bytes.
    """

    def __init__(
        self,
        base: str,
        api_key: str,
        sleep: Callable[[float], None] = time.sleep,
        *,
        seconds: float | None = None,
        largest: int | None = None,
    ) -> None:
        self._base = httpx.URL(base)
        keep_secret(api_key)
        self._sleep = sleep
        self._wait = 0.0
        client = http_client(
            base,
            direct=self._base.host in _LOOPBACK,
            headers={"Authorization": f"Bearer {api_key}", "Accept": "application/json"},
            timeout=httpx.Timeout(60, connect=15),
        )
        self._client = BoundedClient(client, seconds=seconds or LONGEST_CALL, largest=largest or LARGEST_BODY)

    def close(self) -> None:
        """Closes the connection."""
        self._client.close()

    def get(self, url: str) -> Answer:
        """A good answer to a GET. Raises `FeedError` for any other, after what retrying helps against."""
        response = self._send("GET", url)
        self._raise_for(response)
        try:
            body = decode(scrubbed_bytes(response.content).decode("utf-8-sig"))
        except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
            raise odd_answer(url, "the answer is not JSON") from None
        return Answer(body, len(response.content), _http_date(response.headers.get("Date", "")))

    def post(self, url: str, body: str, idempotency_key: str) -> None:
        """Posts until accepted. 409 means that the server has it already, as the key says. Raises `FeedError`."""
        headers = {"Idempotency-Key": idempotency_key, "Content-Type": "application/json"}
        response = self._send("POST", url, body, headers)
        if response.status_code != 409:
            self._raise_for(response)

    def next_page(self, asked: str, link: object) -> str:
        """Where `links.next` leads. Raises `FeedError` if that is another server, which must not see the key."""
        if not isinstance(link, str):
            raise odd_answer(asked, "links.next is not text")
        try:
            url = httpx.URL(asked).join(link)
        except httpx.InvalidURL:
            raise odd_answer(asked, "links.next is no URL") from None
        if (url.scheme, url.host, url.port) != (self._base.scheme, self._base.host, self._base.port) or url.userinfo:
            raise odd_answer(asked, f"the next page is on another server ({url.scheme}://{url.netloc.decode()})")
        return str(url)

    def _send(
        self, method: str, url: str, body: str | None = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        for attempt in range(1, TRIES + 1):
            self._pause()
            pause = float(2 ** (attempt - 1))
            try:
                response = self._client.request(method, url, body=body, headers=headers)
            except httpx.DecodingError as error:
                what = str(error) if isinstance(error, TooLarge) else "the answer can't be unfolded"
                raise odd_answer(url, what) from None
            except httpx.TransportError as error:
                if attempt >= (SLOW_TRIES if isinstance(error, httpx.ReadTimeout | httpx.WriteTimeout) else TRIES):
                    raise self._unreachable(error) from error
                self._wait = pause
                continue
            if response.status_code != 429 and response.status_code < 500:
                self._wait = _pacing(response)
                return response
            self._wait = (
                _retry_after(response) or (_until_reset(response) if response.status_code == 429 else 0) or pause
            )
            if self._wait > LONGEST_WAIT:
                self._wait = 0.0
                break
        return response

    def _pause(self) -> None:
        if self._wait > 0:
            self._sleep(self._wait)
        self._wait = 0.0

    def _unreachable(self, error: httpx.TransportError) -> FeedError:
        reason = scrubbed(str(error)) or type(error).__name__
        what = "can't be reached" if isinstance(error, _NEVER_SENT) else "gave no whole answer"
        return FeedError(
            "caspen-unreachable",
            f"{self._base} {what}: {reason}",
            "Check the network, then run this again",
            ExitCode.TRY_LATER,
        )

    def _raise_for(self, response: httpx.Response) -> None:
        status = response.status_code
        if status < 300:
            return
        where = f"{response.request.method} {response.request.url.copy_with(query=None)}"
        said = f"{where}: Caspen answered {status}{self._words_of(response)}"
        match status:
            case 401:
                raise FeedError("caspen-key-refused", said, _KEY_FIX)
            case 403:
                raise FeedError("caspen-forbidden", said, "Ask the workspace's owner for a key that may read billing")
            case 404:
                raise FeedError("caspen-not-found", said, "Check the source: caspen-xero settings show")
            case 429:
                raise FeedError("caspen-rate-limit", said, "Run this again in a few minutes", ExitCode.TRY_LATER)
            case _ if status >= 500:
                raise FeedError("caspen-unavailable", said, "Run this again later", ExitCode.TRY_LATER)
            case _ if status < 400:
                raise odd_answer(str(response.request.url), "it sends us on to another address", said)
            case _:
                raise FeedError("caspen-refused", said)

    def _words_of(self, response: httpx.Response) -> str:
        """Caspen's own words, from `message` and the `errors` object of a 422."""
        try:
            body = decode(scrubbed_bytes(response.content).decode("utf-8"))
        except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
            return ""
        if not isinstance(body, dict):
            return ""
        words = [str(body["message"])] if body.get("message") else []
        if isinstance(body.get("errors"), dict):
            words += [f"{field}: {_flat(reasons)}" for field, reasons in body["errors"].items()]
        text = scrubbed("; ".join(words))[:400]
        return f": {text}" if text else ""


def odd_answer(url: str, what: str, said: str = "") -> FeedError:
    """The error for an answer that breaks Caspen's documented conventions."""
    message = f"{said or url.partition('?')[0]}: {what}"
    return FeedError("caspen-odd-answer", message, "Check the source: caspen-xero settings show")


def _flat(reasons: object) -> str:
    return ", ".join(map(str, reasons)) if isinstance(reasons, list) else str(reasons)


def _http_date(text: str) -> dt.datetime | None:
    try:
        return parsedate_to_datetime(text).astimezone(dt.UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def _pacing(response: httpx.Response) -> float:
    """Seconds to wait before the next request: none while the minute has some left."""
    return _until_reset(response) if response.headers.get("X-RateLimit-Remaining", "").strip() == "0" else 0.0


def _until_reset(response: httpx.Response) -> float:
    value = _number(response.headers.get("X-RateLimit-Reset", ""))
    if value is None:
        return 0.0
    now = _http_date(response.headers.get("Date", ""))
    if value > 10**9:  # a moment: measured by the server's clock, as ours may be off
        value -= now.timestamp() if now else time.time()
    return float(min(max(value, 1), 60))


def _retry_after(response: httpx.Response) -> float:
    text = response.headers.get("Retry-After", "")
    seconds = _number(text)
    if seconds is None:
        until, now = _http_date(text), _http_date(response.headers.get("Date", ""))
        seconds = (until - now).total_seconds() if until and now else None
    return 0.0 if seconds is None else min(max(seconds, 1.0), LONGEST_HINT)


def _number(text: str) -> float | None:
    """The whole number in a header, however many digits it has; None for anything else."""
    return float(text) if _NUMBER.fullmatch(text.strip()) else None
