"""One HTTP request and its answer. The only file that knows the HTTP library; no error of it leaves here."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import httpx

from caspen_xero import __version__
from caspen_xero.bounded_http import LARGEST_BODY, NEVER_SENT, BoundedClient, TookTooLong, TooLarge, reason_of
from caspen_xero.http_client import http_client
from caspen_xero.outside_text import MOST_WORDS, plain
from caspen_xero.scrubbing import keep_secret, scrubbed, scrubbed_bytes
from caspen_xero.server_urls import is_loopback
from caspen_xero.xero.codec import decode, parse_header_date, parse_timestamp
from caspen_xero.xero.errors import NoAnswer, TooSlow, Unreachable

USER_AGENT = f"caspen-xero/{__version__}"

# Xero gives up on a request of its own after 100 s or less.
_TIMEOUT = httpx.Timeout(connect=10, read=100, write=100, pool=10)

LONGEST_CALL = 120.0
"""Seconds for one request and its whole answer, however it comes."""
_SECRET_FIELDS = {"code", "code_verifier", "refresh_token"}


@dataclass(frozen=True)
class Answer:
    """An answer, whatever its status. Header names are found in any letter case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def json(self) -> Any:
        """The body, fractions as Decimal; an empty body (a 304, a 204) is `{}`. Raises `NoAnswer` if it is no JSON."""
        return self._decoded

    @cached_property
    def xero_time(self) -> datetime | None:
        """When Xero gave it, by its own clock: the `Date` header, else the body's `DateTimeUTC`; None where it says neither."""
        return parse_header_date(self.headers.get("Date", "")) or self._enveloped_time()

    def _enveloped_time(self) -> datetime | None:
        try:
            body = self.json()
            return parse_timestamp(body.get("DateTimeUTC")) if isinstance(body, dict) else None
        except (NoAnswer, ValueError):
            return None

    @cached_property
    def _decoded(self) -> Any:
        if not self.body.strip():
            return {}
        try:
            return decode(self.body)
        except ValueError:
            kind = self.headers.get("content-type", "").split(";")[0].strip() or "something"
            raise NoAnswer(f"HTTP {self.status} with {plain(kind)} that can't be read", status=self.status) from None


class Transport:
    """Sends requests to one Xero, one at a time, following no redirect. Proxies come from the environment.

    `urls`: one of each host that it is for. `seconds` (usually `LONGEST_CALL`) are for a request and its whole answer, of `largest`
    (`LARGEST_BODY`) bytes. What a request has of secrets is in no answer that leaves here.
    """

    def __init__(self, *urls: str, seconds: float | None = None, largest: int | None = None) -> None:
        direct = all(map(is_loopback, urls))
        client = http_client(*urls, direct=direct, timeout=_TIMEOUT, follow_redirects=False)
        self._http = BoundedClient(client, seconds=seconds or LONGEST_CALL, largest=largest or LARGEST_BODY)

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        form: Mapping[str, str] | None = None,
        basic: tuple[str, str] | None = None,
        brings_secrets: bool = False,
    ) -> Answer:
        """Sends once, to this very URL. `brings_secrets`: a good answer's body holds new ones, and is left as it came.

        Raises `Unreachable` if it certainly never left, `NoAnswer` if nothing readable came back, `TooSlow` if not in time.
        """
        host = urlsplit(url).netloc
        sent_headers = {"Accept": "application/json", "User-Agent": USER_AGENT, **(headers or {})}
        keep_secret(sent_headers.get("Authorization", "").removeprefix("Bearer "), *(basic or ())[1:])
        keep_secret(*(text for name, text in (form or {}).items() if name in _SECRET_FIELDS))
        auth = httpx.BasicAuth(*basic) if basic else None
        # "from None": the library's errors hold the request, and the request holds the token.
        try:
            response = self._http.request(method, url, headers=sent_headers, body=body, form=form, auth=auth)
        except NEVER_SENT as error:
            raise Unreachable(host, _reason(error)) from None
        except TookTooLong as error:
            raise TooSlow(f"{error} ({plain(host)})") from None
        except httpx.TimeoutException:
            raise TooSlow(f"{plain(host)} did not answer in time") from None
        except TooLarge as error:
            raise NoAnswer(f"{error} ({plain(host)})") from None
        except httpx.HTTPError as error:
            raise NoAnswer(f"the connection to {plain(host)} broke off ({_reason(error)})") from None
        came = response.headers
        told = httpx.Headers([(name, scrubbed(value)) for name, value in came.multi_items()], encoding=came.encoding)
        is_kept = brings_secrets and response.status_code == 200
        return Answer(response.status_code, told, response.content if is_kept else scrubbed_bytes(response.content))

    def close(self) -> None:
        """Closes the connections kept open."""
        self._http.close()


def see_that_it_listens(xero_url: str | None) -> None:
    """Raises `Unreachable` where a local Xero does not listen, before a person is sent to its page. Others are not asked."""
    if xero_url is None or not is_loopback(xero_url):
        return
    parts = urlsplit(xero_url)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 80), timeout=5).close()
    except OSError as error:
        raise Unreachable(parts.netloc, error.strerror or "it does not answer") from None


def _reason(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout):
        return "it did not answer within 10 seconds"
    return plain(reason_of(error), MOST_WORDS).rstrip(".")
