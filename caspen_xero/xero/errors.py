"""What can go wrong on the Xero side: one branch of the tree that `caspen_xero/errors.py` draws.

No message or attribute of these ever holds a token or a client secret.
"""

from __future__ import annotations

from typing import Any, Literal, Self
from urllib.parse import urlsplit

from caspen_xero.errors import ExitCode, UserError
from caspen_xero.outside_text import plain
from caspen_xero.server_urls import SANDBOX_PORT, is_loopback

LimitKind = Literal["minute", "day", "concurrent", "appminute"]

CONNECT_AGAIN = "caspen-xero connect"
_LONGEST_ID = 80


class XeroError(UserError):
    """Something about Xero: the sign-in, the way there, or its answer.

    `correlation_id`: by which Xero's support finds that answer; "" where it had none.
    """

    correlation_id = ""

    def answered_as(self, correlation_id: str) -> Self:
        """The same error, about the answer with this id (none: "")."""
        self.correlation_id = plain(correlation_id, _LONGEST_ID)
        self.trace = f"Xero-Correlation-Id: {self.correlation_id}" if self.correlation_id else ""
        return self

    def as_json(self) -> dict[str, Any]:
        told = super().as_json()
        return told | {"xero_correlation_id": self.correlation_id} if self.correlation_id else told


class ConnectNeeded(XeroError):
    """Only a person can go on: by `caspen-xero connect`, or in Xero itself."""

    exit_code = ExitCode.CONNECT_NEEDED


class MissingScope(ConnectNeeded):
    """Xero refused the call because the sign-in lacks a scope; refreshing the token would not help."""

    def __init__(self, what: str) -> None:
        super().__init__(
            "missing-scope",
            f"Xero did not give caspen-xero permission for this: {what}.",
            f"{CONNECT_AGAIN}   (and allow everything that Xero asks; for a custom connection, add the scopes to the "
            "app at developer.xero.com and authorise it again)",
        )


class SignInFailed(XeroError):
    """The sign-in at Xero did not work out; nothing was changed here."""

    exit_code = ExitCode.CONNECT_NEEDED


class TokenStoreError(XeroError):
    """The place where tokens are kept can't be used."""


class TryLater(XeroError):
    """Nothing is wrong here: the same command works later."""

    exit_code = ExitCode.TRY_LATER


class LimitReached(TryLater):
    """One of Xero's limits is used up. `retry_after` is in seconds, None where Xero did not say."""

    _NAMES: dict[str, str] = {  # noqa: RUF012 - read only
        "minute": "calls per minute for this organisation",
        "day": "calls per day for this organisation",
        "concurrent": "calls at the same time for this organisation",
        "appminute": "calls per minute for this app",
    }

    def __init__(self, kind: LimitKind, retry_after: float | None = None) -> None:
        when = "later" if retry_after is None else f"in {spoken_time(retry_after)}"
        super().__init__(
            f"xero-{kind}-limit",
            f"Xero's limit of {self._NAMES[kind]} is used up.",
            f"Run the same command again {when}: it goes on where it stopped.",
        )
        self.kind: LimitKind = kind
        self.retry_after = retry_after


class Unreachable(TryLater):
    """The request certainly never left: no such host, connection refused, connect timeout."""

    def __init__(self, host: str, why: str) -> None:
        super().__init__(
            "xero-unreachable",
            f"Xero can't be reached at {plain(host)}: {why}.",
            _start_it(host) or "Check the network (and HTTPS_PROXY, if you need one), then run the same command again.",
        )


def _start_it(host: str) -> str:
    """What to do where it is a local Xero that is not there; "" for any other."""
    local = f"http://{host}"
    if not is_loopback(local):
        return ""
    port = urlsplit(local).port
    serve = f"caspen-xero sandbox serve{f' --port {port}' if port not in (None, SANDBOX_PORT) else ''}"
    return f"Start the local Xero, with the options that it had: {serve}; then run the same command again."


class NoAnswer(TryLater):
    """The request was sent and its answer never came, can't be read, or was a 5xx. Xero may have carried it out."""

    def __init__(self, why: str, *, status: int | None = None) -> None:
        super().__init__(
            "xero-no-answer",
            f"Xero gave no usable answer: {why}.",
            "Run the same command again: it first looks up what Xero did.",
        )
        self.why = why
        self.status = status


class TooSlow(NoAnswer):
    """The request was sent, and its answer was not whole in the time that it has."""


class Unreadable(NoAnswer):
    """One element of an answer can't be read: whether there is such a document, and what it says, nobody can tell.

    The rest of the answer counts: `apart` (answers.py) leaves out no more than this one.
    """


class Refused(XeroError):
    """Xero answered 4xx. `messages` are Xero's own words, `elements` what it sent back of our documents."""

    def __init__(
        self,
        status: int,
        messages: list[str],
        *,
        error_number: int | None = None,
        type: str = "",
        elements: list[dict[str, Any]] | None = None,
        code: str = "xero-refused",
        fix: str = "",
    ) -> None:
        words = " ".join(messages) or f"HTTP {status}, without a reason"
        super().__init__(code, f"Xero refused: {words}", fix)
        self.status = status
        self.messages = messages
        self.error_number = error_number
        self.type = type
        self.elements = elements if elements is not None else []


class NotFound(Refused):
    """HTTP 404 for one document: Xero knows none like that, or what stands in front of it says so; both are web pages."""

    def __init__(self, what: str) -> None:
        super().__init__(404, [f"{what} was not found."], code="xero-not-found")


class NotAnAddress(Refused):
    """What was asked for fits into no address of Xero's, so nothing was sent. `why` says what is wrong with it."""

    def __init__(self, why: str, fix: str = "") -> None:
        super().__init__(0, [f"nothing was sent, for {why}."], code="not-an-address", fix=fix)
        self.message = f"Nothing was sent to Xero, for {why}."


def spoken_time(seconds: float) -> str:
    """A span of time as a person says it: '40 seconds', '3 minutes', '5 hours'."""
    if seconds < 90:
        return "1 second" if round(seconds) <= 1 else f"{round(seconds)} seconds"
    if seconds < 5400:
        return f"{round(seconds / 60)} minutes"
    return f"{round(seconds / 3600)} hours"
