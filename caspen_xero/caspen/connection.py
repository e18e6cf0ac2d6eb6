"""One HTTP connection to a Caspen server: the key, the 60 requests a minute, and retries. What is answered goes to `answers.py`.

Documented by Caspen (docs.caspen.com): `Authorization: Bearer KEY`, never in a URL; 60 requests per 60 seconds and key.
"""

import os
from collections.abc import Callable, Mapping

import httpx

from caspen_xero.bounded_http import LARGEST_BODY, NEVER_SENT, BoundedClient, TooLarge, reason_of
from caspen_xero.credentials import credential
from caspen_xero.errors import ExitCode, UserError
from caspen_xero.http_client import http_client
from caspen_xero.interruption import pause, to_its_end
from caspen_xero.outside_text import MOST_WORDS, plain
from caspen_xero.paths import given_path
from caspen_xero.scrubbing import keep_secret
from caspen_xero.server_urls import NoServer, is_loopback, server_url

from .answers import KEY_FIX, Page, odd_answer, page_in, refuse, wait_before_another_try, wait_before_the_next
from .feed import FeedError

TRIES = 5
SLOW_TRIES = 2
"""Tries of a request whose answers don't come in time: each of them takes a minute or two."""

LONGEST_CALL = 120.0
"""Seconds for one request and its whole answer, however it comes."""

LONGEST_WAIT = 120.0
"""Seconds. Who is asked to wait longer is told to come back later."""

_LONGEST_KEY_FILE = 65_536


def find_api_key(from_keyring: str | None = None, environ: Mapping[str, str] = os.environ) -> str:
    """The key from `CASPEN_API_KEY`, else the file `CASPEN_API_KEY_FILE`, else a credential, else the one given.

    Raises `FeedError` where there is none, and `UserError` where the credential can't be read.
    """
    file = environ.get("CASPEN_API_KEY_FILE", "")
    key = environ.get("CASPEN_API_KEY", "").strip()
    if not key and file:
        key = _key_in(file)
    key = key or credential("CASPEN_API_KEY") or (from_keyring or "").strip()
    if not key:
        raise FeedError("caspen-key-missing", "There is no key for Caspen's API", KEY_FIX)
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise FeedError("caspen-key-missing", "The key for Caspen's API holds characters that no key has", KEY_FIX)
    return key


def _key_in(file: str) -> str:
    try:
        place = given_path(file)
        if place.exists() and not place.is_file():  # a pipe may never answer
            raise OSError("it is no file")
        with place.open("rb") as stream:
            return stream.read(_LONGEST_KEY_FILE).decode("utf-8").strip()
    except (OSError, UnicodeDecodeError, UserError) as error:
        why = getattr(error, "strerror", None) or error
        raise FeedError(
            "caspen-key-missing", f"CASPEN_API_KEY_FILE: {plain(file)} can't be read: {plain(why, MOST_WORDS)}", KEY_FIX
        ) from error


def base_url(source: str) -> str:
    """The source as a base URL. Raises `FeedError` `bad-source-url`."""
    try:
        return server_url(source)
    except NoServer as error:
        words = {
            "no-url": "The source is no http(s) URL",
            "holds-more": "A source URL holds no user, password, query or fragment",
            "in-the-open": f"{source} is not HTTPS: the key would travel in the open",
        }
        raise FeedError(
            "bad-source-url", words[error.why], "Give an address such as https://api.caspen.com/v1"
        ) from None


class Connection:
    """Sends requests to one server, and the key to no other. `sleep` waits out limits; tests replace it.

    `seconds` (usually `LONGEST_CALL`) are for a request and its whole answer, of `largest` (`LARGEST_BODY`) bytes.
    """

    def __init__(
        self,
        base: str,
        api_key: str,
        sleep: Callable[[float], None] = pause,
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
            direct=is_loopback(base),
            headers={"Authorization": f"Bearer {api_key}", "Accept": "application/json"},
            timeout=httpx.Timeout(60, connect=15),
        )
        self._client = BoundedClient(client, seconds=seconds or LONGEST_CALL, largest=largest or LARGEST_BODY)

    def close(self) -> None:
        """Closes the connection."""
        self._client.close()

    def get(self, url: str, tries: int | None = None) -> Page:
        """The page at a URL. Raises `FeedError` for whatever else comes, after what retrying helps against (`TRIES` in all)."""
        return page_in(self._send("GET", url, tries=tries), url)

    def post(self, url: str, body: str, idempotency_key: str) -> None:
        """Posts until accepted: what is taken is said by the status alone, whatever the answer's body is. Raises `FeedError`.

        409 means that the server has it already, as the key says.
        """
        headers = {"Idempotency-Key": idempotency_key, "Content-Type": "application/json"}
        response = self._send("POST", url, body, headers)
        if response.status_code != 409:
            refuse(response)

    def _send(
        self,
        method: str,
        url: str,
        body: str | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        tries: int | None = None,
    ) -> httpx.Response:
        tries = tries or TRIES
        needed = range(200, 300) if method == "GET" else range(0)
        for attempt in range(1, tries + 1):
            self._pause()
            patience = float(2 ** (attempt - 1))
            try:
                with to_its_end():
                    response = self._client.request(
                        method, url, body=body, headers=headers, needs_body=needed.__contains__
                    )
            except httpx.DecodingError as error:
                what = str(error) if isinstance(error, TooLarge) else "the answer can't be unfolded"
                raise odd_answer(url, what) from None
            except httpx.TransportError as error:
                if attempt >= min(
                    tries, SLOW_TRIES if isinstance(error, httpx.ReadTimeout | httpx.WriteTimeout) else tries
                ):
                    raise self._unreachable(error) from error
                self._wait = patience
                continue
            if response.status_code != 429 and response.status_code < 500:
                self._wait = wait_before_the_next(response)
                return response
            self._wait = wait_before_another_try(response) or patience
            if self._wait > LONGEST_WAIT:
                self._wait = 0.0
                break
        return response

    def _pause(self) -> None:
        if self._wait > 0:
            self._sleep(self._wait)
        self._wait = 0.0

    def _unreachable(self, error: httpx.TransportError) -> FeedError:
        what = "can't be reached" if isinstance(error, NEVER_SENT) else "gave no whole answer"
        return FeedError(
            "caspen-unreachable",
            f"{plain(self._base)} {what}: {plain(reason_of(error), MOST_WORDS)}",
            "Check the network, then run this again",
            ExitCode.TRY_LATER,
        )
