"""Signing in to Xero through the browser: authorisation code with PKCE, no client secret.

Source: Xero's PKCE page and its questions about OAuth: the redirect address must be registered with the app, exactly,
and may be `http://localhost:PORT/...` but neither 127.0.0.1 nor a port of the moment; hence a few fixed ports.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable, Sequence
from types import TracebackType
from urllib.parse import parse_qsl, quote, urlencode

from caspen_xero.errors import ExitCode
from caspen_xero.outside_text import plain
from caspen_xero.xero.callback import PATH, Arrival, Listener, Stray
from caspen_xero.xero.callback_page import failed_page, linked_page
from caspen_xero.xero.errors import CONNECT_AGAIN, SignInFailed, XeroError
from caspen_xero.xero.grants import Grant, GrantRefused, Grants
from caspen_xero.xero.hosts import Hosts
from caspen_xero.xero.transport import Transport

PORTS = (8742, 8743, 8744, 8745, 8746)
"""The ports to register with the app, tried in turn."""

REDIRECT_URIS = tuple(f"http://localhost:{port}{PATH}" for port in PORTS)
"""The redirect addresses to register with the app."""

ACCOUNTING_SCOPES = (
    "accounting.contacts",
    "accounting.invoices",
    "accounting.payments",
    "accounting.settings.read",
)
"""What the sync needs, and no more. A custom connection asks for these."""

SCOPES = ("offline_access", *ACCOUNTING_SCOPES)
"""What a sign-in asks for: with `offline_access` Xero gives a refresh token."""

PATIENCE = 300.0
"""Seconds that a sign-in waits for the browser: as long as Xero's code is good."""


class SignIn:
    """One sign-in: `url` is where a person says yes; `grant()` waits for it and gives the tokens. A context manager.

    The browser is told how it ended by `tell_linked` or `tell_failed`, once that is known. `on_stray` is called when a
    browser brings something else than the answer to this sign-in.
    """

    def __init__(
        self,
        hosts: Hosts,
        client_id: str,
        *,
        ports: Sequence[int] = PORTS,
        on_stray: Callable[[Stray], None] = lambda _: None,
    ) -> None:
        self._hosts, self._client_id = hosts, client_id
        self._state = secrets.token_urlsafe(32)
        self._verifier = secrets.token_urlsafe(64)
        self._listener = Listener(self._state, ports, on_stray)

    def __enter__(self) -> SignIn:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if isinstance(error, XeroError):
            self.tell_failed(error)
        elif error is not None:
            self._listener.finish(failed_page("caspen-xero stopped before it was done.", ""))
        self._listener.close()

    @property
    def url(self) -> str:
        """The address of Xero's page, where a person says yes."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self._verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": self._listener.redirect_uri,
            "scope": " ".join(SCOPES),
            "state": self._state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{self._hosts.authorize}?{urlencode(query, quote_via=quote)}"

    def paste(self, line: str) -> str:
        """Takes a pasted redirect address; gives what to tell the person where it is not that of this sign-in, else "".

        Whatever is pasted, this sign-in waits on: the right address may come next, and is no line for a shell.
        """
        query = line.partition("?")[2].partition("#")[0]
        if not ({"code", "error"} & dict(parse_qsl(query)).keys()):
            return (
                f"That is not the address to which Xero sent the browser: it begins with {self._listener.redirect_uri}?"
            )
        if self._listener.accept(query):
            return ""
        return (
            "That address is the answer to another sign-in, so it was not used. Paste the one to which the page above leads; "
            "still waiting for it."
        )

    def grant(
        self, transport: Transport, *, patience: float = PATIENCE, ready: Callable[[], None] = lambda: None
    ) -> Grant:
        """Waits for the browser or a pasted address, then fetches the tokens. Raises `SignInFailed` and network errors.

        `ready` is called before the code is used up: it raises where the tokens could not be kept.
        """
        arrival = self._listener.wait(patience)
        if arrival is None:
            raise _other_sign_in() if self._listener.strays else self._nobody_came(patience)
        if arrival.code is None or arrival.error:
            raise _declined(arrival)
        ready()
        grants = Grants(transport, self._hosts, self._client_id)
        try:
            grant = grants.code(arrival.code, self._listener.redirect_uri, self._verifier)
        except GrantRefused as refused:
            raise refused_sign_in(refused, self._client_id) from None
        if grant.refresh_token is None:
            raise SignInFailed(
                "no-refresh-token",
                "Xero gave no refresh token, so the sign-in would end after 30 minutes.",
                "See that the app at developer.xero.com is of the kind 'Mobile or desktop app', then connect again.",
            )
        return grant

    def tell_linked(self, organisation: str) -> None:
        """Tells the browser that all went well."""
        self._listener.finish(linked_page(organisation))

    def tell_failed(self, error: XeroError) -> None:
        """Tells the browser what went wrong."""
        self._listener.finish(failed_page(error.message, error.fix))

    def _nobody_came(self, patience: float) -> SignInFailed:
        seconds = "a second" if round(patience) == 1 else f"{round(patience)} seconds"
        return SignInFailed(
            "sign-in-timeout",
            f"Nobody came back from Xero's sign-in page within {seconds}.",
            f"If Xero showed an error such as 'Invalid redirect_uri', register these redirect URIs, exactly as they are, "
            f"with the app {plain(self._client_id)} at developer.xero.com: {', '.join(REDIRECT_URIS)}. If the browser runs on "
            f"another machine: {CONNECT_AGAIN} --no-browser, and paste the address where the browser ends up.",
        )


def refused_sign_in(refused: GrantRefused, client_id: str) -> SignInFailed:
    """The token endpoint's refusal in words for the person who is connecting."""
    match refused.error:
        case "invalid_grant":
            return SignInFailed(
                "code-expired",
                "Xero no longer takes the code that the browser brought back: it works once, for 5 minutes.",
                CONNECT_AGAIN,
            )
        case "invalid_client":
            return SignInFailed(
                "invalid-client",
                f"Xero knows no app with the client id {plain(client_id)}, or its secret is another one, or it is of another kind.",
                "Copy the client id from developer.xero.com (My apps). Signing in through the browser needs an app of "
                "the kind 'Mobile or desktop app'; --custom-connection one of the kind 'Custom connection'.",
                exit_code=ExitCode.FAILED,
            )
        case "invalid_scope":
            return _scopes_refused()
        case "unauthorized_client" | "unsupported_grant_type":
            return SignInFailed(
                "unauthorized-client",
                f"The app {plain(client_id)} is not allowed to sign in this way ({refused.reason}).",
                "Signing in through the browser needs an app of the kind 'Mobile or desktop app'; --custom-connection "
                "one of the kind 'Custom connection' that somebody has authorised.",
                exit_code=ExitCode.FAILED,
            )
        case _:
            return SignInFailed("sign-in-refused", f"Xero refused the sign-in: {refused.reason}.", CONNECT_AGAIN)


def _other_sign_in() -> SignInFailed:
    return SignInFailed(
        "state-mismatch",
        "What came back does not carry the state of this sign-in, so it was not used.",
        f"Close Xero's tabs in the browser, then {CONNECT_AGAIN}",
    )


def _declined(arrival: Arrival) -> SignInFailed:
    if arrival.error == "access_denied":
        return SignInFailed(
            "access-denied",
            "Access was not allowed on Xero's page, so nothing was linked.",
            f"{CONNECT_AGAIN}   (and choose Allow access)",
        )
    if arrival.error == "invalid_scope":
        return _scopes_refused()
    told = f"{arrival.error} ({arrival.description})" if arrival.description else arrival.error
    return SignInFailed("sign-in-refused", f"Xero refused the sign-in: {told}.", CONNECT_AGAIN)


def _scopes_refused() -> SignInFailed:
    return SignInFailed(
        "invalid-scope",
        f"Xero does not let this app ask for what the sync needs: {' '.join(SCOPES)}.",
        "See the scopes of the app at developer.xero.com (for a custom connection: add them and authorise it again).",
        exit_code=ExitCode.FAILED,
    )
