"""Calls to Xero's Accounting API: reads that try again by themselves, writes that never do what might be done twice."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

from caspen_xero.interruption import at_once, pause, to_its_end
from caspen_xero.xero.addresses import Params, below, subject
from caspen_xero.xero.answers import fields, listed, moment_in, pages_of, text_in
from caspen_xero.xero.clock import XeroClock
from caspen_xero.xero.connection import Connection
from caspen_xero.xero.errors import LimitReached, NoAnswer, TooSlow, Unreachable
from caspen_xero.xero.hosts import Hosts
from caspen_xero.xero.limits import XERO_WINDOW, Pace, retry_after
from caspen_xero.xero.listing import Listing
from caspen_xero.xero.replies import accepted, lacks_scope
from caspen_xero.xero.tokens import AccessTokens
from caspen_xero.xero.transport import Answer, Transport

__all__ = ["Answer", "XeroClient"]

log = logging.getLogger(__name__)

READ_TRIES = 4
SLOW_TRIES = 2
"""Tries of a read whose answers don't come in time: each of them takes minutes."""

LIMIT_TRIES = 10
LONGEST_WAIT = 300.0
"""A `Retry-After` beyond this many seconds is not waited for, whatever limit it is said to be about."""


class XeroClient:
    """Calls below `/api.xro/2.0/` for one organisation, one at a time.

    `calls` counts the requests that were sent; `clock` is Xero's, as their answers tell it. `on_wait(seconds, why)` stands around
    each wait, `on_call(method, path)` before each request.
    """

    def __init__(
        self,
        connection: Connection,
        tokens: AccessTokens,
        *,
        pace: Pace | None = None,
        on_wait: Callable[[float, str], AbstractContextManager[None]] = lambda seconds, why: nullcontext(),
        on_call: Callable[[str, str], None] = lambda method, path: None,
        sleep: Callable[[float], None] = pause,
        clock: XeroClock | None = None,
    ) -> None:
        self.calls = 0
        self.clock = clock or XeroClock()
        self._hosts = Hosts.of(connection.xero_url)
        self._tenant = {"Xero-tenant-id": connection.tenant_id} if connection.kind == "pkce" else {}
        self._organisation = connection.tenant_name
        self._tokens = tokens
        self._pace = pace or Pace(window=XERO_WINDOW if connection.xero_url is None else None)
        self._on_wait, self._on_call = on_wait, on_call
        self._sleep = sleep
        self._transport = Transport(self._hosts.api)
        self._one_at_a_time = Lock()

    @property
    def calls_left_today(self) -> int | None:
        """How many calls the day still has for this app and organisation, as Xero last said in this run."""
        return self._pace.left_today

    def get(self, path: str, params: Params | None = None, *, since: datetime | None = None) -> Answer:
        """Reads. `since`: only what changed since then; nothing changed is an answer without elements.

        Tries again a few times when Xero can't be reached or gives no answer, then raises that `XeroError`. Raises `NotAnAddress`
        for a path that leads elsewhere than below `/api.xro/2.0/` or parameters that are too long.
        """
        headers = {} if since is None else {"If-Modified-Since": f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"}
        what = subject(path)
        log.info("Reading %s%s from Xero%s.", "the " if what == "organisation" else "", what, _which(params, since))
        for tries in range(1, READ_TRIES + 1):
            try:
                answer = accepted(self._admitted("GET", path, params, headers, None), path, self._organisation)
                fields(answer)
            except (Unreachable, NoAnswer) as error:
                if tries >= (SLOW_TRIES if isinstance(error, TooSlow) else READ_TRIES):
                    raise
                self._wait(2 ** (tries - 1) * random.uniform(0.75, 1.25), error.message, type(error).__name__)
            else:
                return answer
        raise AssertionError("unreachable")

    def send(
        self,
        method: str,
        path: str,
        body: bytes,
        *,
        params: Params | None = None,
        idempotency_key: str | None = None,
        before_each: Callable[[], None] | None = None,
    ) -> Answer:
        """Writes, once. Only what Xero certainly did not carry out (a 429, an expired token) is sent again.

        `before_each` is called right before each request goes out, after all waiting; where it raises, nothing is sent any more.

        Raises `Unreachable` and `NotAnAddress` (never sent), `NoAnswer` (Xero may have done it), `Refused` (Xero did not do
        it), `LimitReached`, `ConnectNeeded`. An answer that is returned holds readable JSON, or nothing at all for a DELETE.
        """
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        if body:
            headers["Content-Type"] = "application/json"
        answer = accepted(self._admitted(method, path, params, headers, body, before_each), path, self._organisation)
        if not fields(answer) and method != "DELETE":
            raise NoAnswer(f"HTTP {answer.status} without content", status=answer.status)
        return answer

    def pages(
        self,
        path: str,
        *,
        key: str,
        params: Params | None = None,
        since: datetime | None = None,
        page_size: int = 1000,
    ) -> Iterator[list[Any]]:
        """Every element, unread, that changed since `since` (all for None), page by page, also while the set changes.

        After a full page it starts again from the newest `UpdatedDateUTC` of that page, less a second, as offsets shift
        when a document changes between two pages; only within one second does it go on to the next page, and then reads
        that second again until nothing new comes. Elements of the overlap come once. Source: Xero's default order is
        UpdatedDateUTC ascending. Raises `NoAnswer` where the pages would have no end.
        """
        id_name = f"{key.removesuffix('s')}ID"
        listing = Listing(key, id_name, page_size)
        told: set[tuple[str, str]] = set()
        page, is_news = 1, False
        while True:
            answer = self.get(path, {**(params or {}), "page": page, "pageSize": page_size}, since=since)
            document = fields(answer)
            rows = [] if answer.status == 304 else listed(document, key)
            fresh = [row for row in rows if listing.key(row) not in told]
            listing.came(page, document, rows, len(fresh))
            if fresh:
                yield fresh
            told |= set(map(listing.key, rows))
            is_news = is_news or bool(fresh)
            is_last = not _more(document, len(rows), page, page_size)
            newest = _newest(rows)
            is_later = newest is not None and (since is None or newest - timedelta(seconds=1) > since)
            if page > 1 and is_news and newest is not None and (is_last or is_later):
                page, is_news = 1, False
            elif is_last:
                return
            elif newest is not None and is_later:
                since, page, is_news = newest - timedelta(seconds=1), 1, False
                told = {(row_id, at) for row_id, at in told if (moment_in(at) or newest) >= since}
            else:
                page += 1

    def close(self) -> None:
        """Closes the connections kept open."""
        self._transport.close()

    def _admitted(
        self,
        method: str,
        path: str,
        params: Params | None,
        headers: Mapping[str, str],
        body: bytes | None,
        before_each: Callable[[], None] | None = None,
    ) -> Answer:
        """The answer of a request that got past Xero's limits and past the expiry of the token."""
        url = below(self._hosts.api, path, params)
        renewed = False
        refusals = 0
        while True:
            self._wait(self._pace.delay(), "Xero's limit of calls per minute")
            with at_once():  # another process may be renewing it for minutes
                token = self._tokens.current()
            self._on_call(method, path)
            sent = self._pace.clock()
            answer = self._once(method, url, {**headers, "Authorization": f"Bearer {token}"}, body, before_each)
            if answer.status == 429:
                refusals += 1
                self._wait_for_limit(answer, sent, refusals)
                continue
            self._pace.answered(answer.headers)
            if answer.status != 401 or renewed or lacks_scope(answer):
                return answer
            with at_once():
                self._tokens.renew(token)
            renewed = True

    def _once(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        before: Callable[[], None] | None,
    ) -> Answer:
        with to_its_end(), self._one_at_a_time:
            if before is not None:
                before()
            asked_at = self.clock.steady()
            self.calls += 1
            try:
                answer = self._transport.request(method, url, headers={**self._tenant, **headers}, body=body or None)
            except Unreachable:
                self.calls -= 1
                raise
            self.clock.heard(answer.xero_time, asked_at)
            return answer

    def _wait_for_limit(self, answer: Answer, sent: float, refusals: int) -> None:
        """Waits as a 429 asks; raises `LimitReached` where that is too long or has gone on for too long."""
        problem = answer.headers.get("X-Rate-Limit-Problem", "").strip().lower()
        seconds = retry_after(answer.headers)
        if problem == "day" or (problem == "" and (seconds or 0) > LONGEST_WAIT):
            raise LimitReached("day", seconds)
        if problem == "concurrent":
            if refusals >= LIMIT_TRIES:
                raise LimitReached("concurrent", seconds)
            self._wait(min(0.5 * 2 ** (refusals - 1), 15.0), "Xero's limit of calls at the same time")
            return
        if refusals >= LIMIT_TRIES or (seconds or 0) > LONGEST_WAIT:
            raise LimitReached("appminute" if problem == "appminute" else "minute", seconds)
        if problem == "appminute":
            self._wait(max(1.0, seconds or 10.0), "Xero's limit of calls per minute for this app")
        else:
            self._wait(self._pace.refused(sent, seconds), "Xero's limit of calls per minute")

    def _wait(self, seconds: float, why: str, noted: str = "") -> None:
        """`noted`: what is noted for `why`, where that may hold words of the other side."""
        if seconds <= 0:
            return
        log.info("Waiting %.1f s: %s.", seconds, (noted or why).rstrip("."))
        with self._on_wait(seconds, why):
            self._sleep(seconds)


def _which(params: Params | None, since: datetime | None) -> str:
    """What of a list is read, as far as that is nobody's number or name."""
    page = (params or {}).get("page")
    changed = f", what has changed since {since.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if since is not None else ""
    return changed + (f", page {page}" if isinstance(page, int) else "")


def _more(document: Mapping[str, Any], rows: int, page: int, page_size: int) -> bool:
    """Whether a page was full. Xero says how many pages there are, where it does not a full page may have a next one."""
    pages = pages_of(document)
    return rows > 0 and (rows >= page_size if pages is None else page < pages)


def _newest(rows: list[Any]) -> datetime | None:
    """The newest `UpdatedDateUTC` in whole seconds; None if rows lack it or are in another order (then pages are turned)."""
    moments = [moment_in(text_in(row, "UpdatedDateUTC")) for row in rows]
    known = [moment for moment in moments if moment is not None]
    if not known or len(known) < len(rows) or known != sorted(known):
        return None
    return known[-1].replace(microsecond=0)
