"""The feed over HTTP: any server that serves the billing feed by the conventions of Caspen's API.

Lists, cursors, keys, limits and errors are as Caspen documents them (docs.caspen.com). The billing endpoints
(`/tax-rates`, `/payment-methods`, `/invoices`, `/payments`, `/credit-notes`, `updated_since` and
`POST /invoices/{id}/payments`) are this project's contract: no public page of Caspen's describes such.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from caspen_xero.interruption import pause
from caspen_xero.outside_text import plain

from .answers import Page, odd_answer
from .connection import Connection, base_url, find_api_key
from .exact_json import encode
from .feed import BadRecord, FeedError, OnProgress, RawRecord, check_record
from .records import Record
from .values import quoted

ENDPOINTS = {
    "tax_rate": "tax-rates",
    "payment_method": "payment-methods",
    "client": "clients",
    "contact": "contacts",
    "invoice": "invoices",
    "payment": "payments",
    "credit_note": "credit-notes",
}
_LONGEST_PART = 1_000  # characters of an address
PAGE_SIZE = 100
"""The most that Caspen gives at once."""

MOST_PAGES = 10_000
"""Pages of one kind in one reading: a million records, and hours at Caspen's 60 requests a minute."""

MOST_EMPTY_PAGES = 100
"""Pages of one kind that hold no record and yet lead on."""

OVERLAP = dt.timedelta(minutes=5)
"""Read again before each cursor: a record can become visible a little after the moment it says it was updated."""


class ApiFeed:
    """Reads records from a server, and posts payments to it. `cursors` are those of the last complete reading.

    Raises `FeedError` at once for a bad URL (`bad-source-url`) and for a missing key (`caspen-key-missing`).
    """

    def __init__(
        self,
        source: str,
        *,
        api_key: str | None = None,
        cursors: Mapping[str, dt.datetime] | None = None,
        on_progress: OnProgress | None = None,
        sleep: Callable[[float], None] = pause,
    ) -> None:
        self._base = base_url(source)
        self._connection = Connection(self._base, find_api_key(api_key), sleep)
        self._since = dict(cursors or {})
        self._cursors: dict[str, dt.datetime] = {}
        self._ignored: dict[str, int] = {}
        self._on_progress = on_progress
        self._done = 0

    @property
    def description(self) -> str:
        """The server's address."""
        return self._base

    @property
    def fingerprint(self) -> str | None:
        """None: only asking tells whether there is something new."""
        return None

    @property
    def ignored(self) -> Mapping[str, int]:
        """Records of kinds that the feed does not define, by kind."""
        return dict(self._ignored)

    @property
    def cursors(self) -> Mapping[str, dt.datetime]:
        """By kind, the newest `updated_at` read (UTC), from which the next reading starts. None for a kind to read whole.

        A kind with a bad record keeps its old cursor, so that the record is read, and reported, until it is mended.
        """
        return dict(self._cursors)

    def check(self) -> None:
        """Asks for the first tax rate: raises `FeedError` where no such server answers, or does not take the key."""
        self._connection.get(self._url(f"{ENDPOINTS['tax_rate']}?limit=1"), tries=1)

    def close(self) -> None:
        """Closes the connection."""
        self._connection.close()

    def records(self) -> Iterator[Record | BadRecord]:
        """What changed since the cursors, kind by kind. Raises `FeedError`: then nothing read so far counts."""
        self._ignored, self._cursors, self._done = {}, {}, 0
        for kind in ENDPOINTS:
            yield from self._records_of(kind)

    def post_payment(self, invoice_id: str, record: Mapping[str, object], idempotency_key: str) -> None:
        """Hands a `xero_payment` record to Caspen; returning means that Caspen has it. Raises `FeedError` otherwise."""
        part = quote(invoice_id, safe="")
        if (
            part in (".", "..") or len(part) > _LONGEST_PART
        ):  # not even encoded do dots stay a part: it would be posted elsewhere
            raise FeedError("caspen-refused", f"No address can name an invoice with the id {plain(invoice_id)}")
        url = self._url(f"invoices/{part}/payments")
        self._connection.post(url, encode(record), idempotency_key)

    def _records_of(self, kind: str) -> Iterator[Record | BadRecord]:
        reading = _Reading(self._since.get(kind))
        file = self._url(ENDPOINTS[kind])
        number = 0
        for page in self._pages(kind):
            reading.begun_at(page.server_time)
            for data in page.records:
                number += 1
                record = self._record(kind, RawRecord(f"record {number}", data), file)
                if record is not None:
                    reading.saw(record)
                    yield record
        if reading.cursor is not None:
            self._cursors[kind] = reading.cursor

    def _record(self, kind: str, raw: RawRecord, file: str) -> Record | BadRecord | None:
        """A record of a list, which may leave out its kind."""
        if not isinstance(raw.data, dict):
            return check_record(raw, file, self._ignored)
        said = raw.data.get("object")
        record = check_record(RawRecord(raw.where, {**raw.data, "object": kind}), file, self._ignored)
        if said in (None, kind) or record is None:
            return record
        return BadRecord(
            file, raw.where, kind, record.id, "object", f"{quoted(said)} is not {kind!r}, which was asked for"
        )

    def _pages(self, kind: str) -> Iterator[Page]:
        since = self._since.get(kind)
        query = f"?limit={PAGE_SIZE}" + (f"&updated_since={_written(since - OVERLAP)}" if since else "")
        url: str | None = self._url(ENDPOINTS[kind] + query)
        turned = _Turned()
        while url is not None:
            turned.to(url)
            page = self._connection.get(url)
            self._report(page.size)
            if page.next is not None:
                turned.leads_on(url, page.records)
            yield page
            url = page.next

    def _url(self, path: str) -> str:
        return f"{self._base}/{path}"

    def _report(self, read: int) -> None:
        self._done += read
        if self._on_progress is not None:
            self._on_progress(self._done, 0)


class _Reading:
    """What the next cursor of one kind will be."""

    def __init__(self, since: dt.datetime | None) -> None:
        self._since = since
        self._newest = since
        self._begun: dt.datetime | None = None
        self._is_timed = True
        self._is_clean = True

    def begun_at(self, moment: dt.datetime | None) -> None:
        self._begun = self._begun or moment

    def saw(self, record: Record | BadRecord) -> None:
        if isinstance(record, BadRecord):
            self._is_clean = False
        elif record.updated_at is None:
            self._is_timed = False
        elif self._newest is None or record.updated_at > self._newest:
            self._newest = record.updated_at

    @property
    def cursor(self) -> dt.datetime | None:
        if not self._is_timed:
            return None
        if not self._is_clean or self._newest is None:
            return self._since
        # A stamp in the future would hide every change until then; the server's clock at the first page is the limit.
        return min(self._newest, self._begun or dt.datetime.now(dt.UTC))


class _Turned:
    """The pages of one kind that were read. Raises `FeedError` where they would have no end."""

    def __init__(self) -> None:
        self._urls: set[str] = set()
        self._pages: set[int] = set()
        self._empty = 0

    def to(self, url: str) -> None:
        if url in self._urls:
            raise odd_answer(url, "the pages lead back to one that was read already")
        if len(self._urls) == MOST_PAGES:
            raise odd_answer(url, f"the pages go on after {MOST_PAGES:,}")
        self._urls.add(url)

    def leads_on(self, url: str, page: list[Any]) -> None:
        """Takes note of a page that has a next one: none may come twice, however it is called."""
        ids = [one.get("id") if isinstance(one, dict) else None for one in page]
        named = [id_ for id_ in ids if isinstance(id_, str | int)]
        content = hash(tuple(named))
        if named and content in self._pages:
            raise odd_answer(url, "the same records came twice, and lead on")
        self._pages.add(content)
        self._empty += not page
        if self._empty > MOST_EMPTY_PAGES:
            raise odd_answer(url, f"after {MOST_EMPTY_PAGES} empty pages there is still a next one")


def _written(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
