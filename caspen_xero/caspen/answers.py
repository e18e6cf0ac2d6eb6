"""The one door for what a Caspen server answers: a page of records, or one `FeedError` that says what is odd, and where.

Nothing else looks into an answer. Whatever it holds, and however deep, only three things come out of this file: what was asked
for, a number of seconds, or a `FeedError`. A record is still unchecked then, and is judged by itself (`feed.check_record`).

Documented by Caspen (docs.caspen.com): lists are `{"data": [...], "links": {"next": URL or null}}`; errors are 400, 401, 403, 404,
409, 422, 429, 500, 502, 503, with `message` and, at 422, `errors`; `Retry-After` and `X-RateLimit-Remaining/-Reset`.
UNCONFIRMED: whether `X-RateLimit-Reset` is a moment or a number of seconds; both are understood.
"""

import datetime as dt
import re
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from caspen_xero.errors import ExitCode
from caspen_xero.outside_text import MOST_WORDS, plain
from caspen_xero.scrubbing import scrubbed, scrubbed_bytes

from .exact_json import NotJson, Odd, decode
from .feed import FeedError

LONGEST_HINT = 86_400.0
"""Seconds. What an answer asks to wait beyond a day is no number to tell anybody."""

KEY_FIX = "Make a key in Caspen under Settings, API keys, then set CASPEN_API_KEY, or CASPEN_API_KEY_FILE to its file"

_NUMBER = re.compile(r"\d+", re.ASCII)
_DEEPEST_WORDS = 3
_MOST_WORDS = 20


@dataclass(frozen=True)
class Page:
    """Records of a list, unchecked, with exact numbers; where it goes on, on the same server; and what the answer tells beside.

    `size` is in bytes; `server_time` (UTC) is the server's own clock, if it tells it.
    """

    records: list[Any]
    next: str | None
    size: int
    server_time: dt.datetime | None


def page_in(response: httpx.Response, asked: str) -> Page:
    """The page that a GET of `asked` was answered with. Raises `FeedError` for anything else."""
    refuse(response)
    try:
        body = decode(scrubbed_bytes(response.content).decode("utf-8-sig"))
    except (UnicodeDecodeError, NotJson):
        raise odd_answer(asked, "the answer is not JSON") from None
    if not isinstance(body, dict) or not isinstance(body.get("data"), list):
        raise odd_answer(asked, 'the answer is no page of records ({"data": [...], "links": {...}})')
    links = {} if body.get("links") is None else body["links"]
    if not isinstance(links, dict):
        raise odd_answer(asked, "links is not an object")
    link = links.get("next")
    next_page = None if link is None else _on_the_same_server(asked, link)
    return Page(body["data"], next_page, len(response.content), _moment(response.headers.get("Date", "")))


def refuse(response: httpx.Response) -> None:
    """Raises the `FeedError` of an answer that does not say yes."""
    status = response.status_code
    if 200 <= status < 300:
        return
    where = f"{response.request.method} {plain(response.request.url.copy_with(query=None))}"
    said = f"{where}: Caspen answered {status}{_words_of(response)}"
    match status:
        case 401:
            raise FeedError("caspen-key-refused", said, KEY_FIX)
        case 403:
            raise FeedError("caspen-forbidden", said, "Ask the workspace's owner for a key that may read billing")
        case 404:
            raise FeedError("caspen-not-found", said, "Check the source: caspen-xero settings show")
        case 429:
            raise FeedError("caspen-rate-limit", said, "Run this again in a few minutes", ExitCode.TRY_LATER)
        case _ if status >= 500:
            raise FeedError("caspen-unavailable", said, "Run this again later", ExitCode.TRY_LATER)
        case _ if status < 400:
            what = "it sends us on to another address" if status >= 300 else "that is no answer to a request"
            raise odd_answer(str(response.request.url), what, said)
        case _:
            raise FeedError("caspen-refused", said)


def odd_answer(url: str, what: str, said: str = "") -> FeedError:
    """The error for an answer that breaks Caspen's documented conventions."""
    message = f"{said or plain(url.partition('?')[0])}: {what}"
    return FeedError("caspen-odd-answer", message, "Check the source: caspen-xero settings show")


def wait_before_the_next(response: httpx.Response) -> float:
    """Seconds to wait before the next request: none while the minute has some left."""
    return _until_reset(response) if response.headers.get("X-RateLimit-Remaining", "").strip() == "0" else 0.0


def wait_before_another_try(response: httpx.Response) -> float:
    """Seconds that a refusal asks to wait; 0 where it does not say. A day at most."""
    text = response.headers.get("Retry-After", "")
    seconds = _number(text)
    if seconds is None:
        until, now = _moment(text), _moment(response.headers.get("Date", ""))
        seconds = (until - now).total_seconds() if until and now else None
    if seconds is None:
        return _until_reset(response) if response.status_code == 429 else 0.0
    return min(max(seconds, 1.0), LONGEST_HINT)


def _on_the_same_server(asked: str, link: object) -> str:
    """Where `links.next` leads; another server must not see the key."""
    if not isinstance(link, str):
        raise odd_answer(asked, "links.next is not text")
    here = httpx.URL(asked)
    try:
        url = here.join(link)
    except (httpx.InvalidURL, ValueError):  # ValueError: the standard library's word for brackets that hold no address
        raise odd_answer(asked, "links.next is no URL") from None
    if (url.scheme, url.host, url.port) != (here.scheme, here.host, here.port) or url.userinfo:
        raise odd_answer(
            asked, f"the next page is on another server ({plain(f'{url.scheme}://{url.netloc.decode()}')})"
        )
    return str(url)


def _words_of(response: httpx.Response) -> str:
    """Caspen's own words, from `message` and the `errors` object of a 422."""
    try:
        body = decode(scrubbed_bytes(response.content).decode("utf-8-sig"))
    except (UnicodeDecodeError, NotJson):
        return ""
    if not isinstance(body, dict):
        return ""
    text = scrubbed("; ".join(filter(None, (_words(body.get("message")), _words(body.get("errors"), between="; ")))))
    return f": {plain(text, MOST_WORDS)}" if text else ""


def _words(value: object, between: str = ", ", depth: int = _DEEPEST_WORDS) -> str:
    """What somebody may have meant to be read, in whatever shape it came."""
    match value:
        case str():
            return value[:1000]
        case bool() | None:
            return ""
        case list() if depth:
            return between.join(filter(None, (_words(each, depth=depth - 1) for each in value[:_MOST_WORDS])))
        case dict() if depth:
            named = ((name, _words(each, depth=depth - 1)) for name, each in list(value.items())[:_MOST_WORDS])
            return between.join(f"{name}: {words}" for name, words in named if words)
        case int() | Odd():
            return str(value)
        case _:
            return ""


def _moment(text: str) -> dt.datetime | None:
    try:
        return parsedate_to_datetime(text).astimezone(dt.UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def _until_reset(response: httpx.Response) -> float:
    value = _number(response.headers.get("X-RateLimit-Reset", ""))
    if value is None:
        return 0.0
    now = _moment(response.headers.get("Date", ""))
    if value > 10**9:  # a moment: measured by the server's clock, as ours may be off
        value -= now.timestamp() if now else time.time()
    return float(min(max(value, 1), 60))


def _number(text: str) -> float | None:
    """The whole number in a header, however many digits it has; None for anything else."""
    return float(text) if _NUMBER.fullmatch(text.strip()) else None
