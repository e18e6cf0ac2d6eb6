"""The token endpoint: what Xero gives for a code, a refresh token or a custom connection's secret.

Source: Xero's pages on PKCE, custom connections and the authorisation flow. PKCE sends everything in the form and has
no secret; a custom connection signs in with its client id and secret as Basic authentication.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from caspen_xero.scrubbing import keep_secret, scrubbed
from caspen_xero.xero.answers import fields
from caspen_xero.xero.errors import LimitReached, NoAnswer
from caspen_xero.xero.hosts import Hosts
from caspen_xero.xero.limits import retry_after
from caspen_xero.xero.oauth_words import oauth_words
from caspen_xero.xero.replies import lower_keys, readable_text
from caspen_xero.xero.transport import Answer, Transport

_USUAL_LIFE = 1800
_LIFE = re.compile(r"\d{1,9}", re.ASCII)
LONGEST_LIFE = timedelta(days=1)
"""What is said to last longer was said, or noted, by a clock that was wrong; asking for a new token sooner does no harm."""


class GrantRefused(Exception):
    """The token endpoint said no. `error` is OAuth's code, `reason` what a person may read; neither holds a secret."""

    def __init__(self, error: str, reason: str) -> None:
        super().__init__(reason)
        self.error, self.reason = error, reason


@dataclass(frozen=True)
class Access:
    """An access token and when it ends (UTC)."""

    token: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True)
class Grant:
    """What the token endpoint gave. A custom connection has no refresh token."""

    access: Access
    refresh_token: str | None = field(repr=False)
    scopes: tuple[str, ...]


class Grants:
    """The token endpoint for one client id. Raises `GrantRefused`, `Unreachable`, `NoAnswer`, `LimitReached`."""

    def __init__(self, transport: Transport, hosts: Hosts, client_id: str) -> None:
        self._transport, self._hosts, self._client_id = transport, hosts, client_id

    def code(self, code: str, redirect_uri: str, verifier: str) -> Grant:
        """Tokens for the code that the browser brought back."""
        form = {
            "grant_type": "authorization_code",
            "client_id": self._client_id,
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        return self._ask(form)

    def refresh(self, refresh_token: str) -> Grant:
        """The next tokens; the refresh token given is used up."""
        return self._ask({"grant_type": "refresh_token", "client_id": self._client_id, "refresh_token": refresh_token})

    def client_credentials(self, secret: str, scopes: tuple[str, ...]) -> Grant:
        """A token of a custom connection."""
        form = {"grant_type": "client_credentials", "scope": " ".join(scopes)}
        return self._ask(form, basic=(self._client_id, secret))

    def _ask(self, form: dict[str, str], basic: tuple[str, str] | None = None) -> Grant:
        asked_at = datetime.now(UTC)
        answer = self._transport.request("POST", self._hosts.token, form=form, basic=basic, brings_secrets=True)
        if answer.status == 200:
            return _granted(answer, asked_at)
        if answer.status == 429:
            raise LimitReached("appminute", retry_after(answer.headers))
        if 400 <= answer.status < 500 and answer.status != 408:
            raise _refusal(answer)
        raise NoAnswer(f"its sign-in service answered HTTP {answer.status}", status=answer.status)


def is_token(text: str) -> bool:
    """Whether a text can travel as a token: visible ASCII characters, which a header takes."""
    return bool(text) and text.isascii() and text.isprintable() and " " not in text


def claims(access_token: str) -> dict[str, Any]:
    """What an access token (a JWT) says of itself, unchecked: it came from Xero over TLS. {} if it can't be read."""
    try:
        payload = access_token.split(".")[1]
        told = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _granted(answer: Answer, asked_at: datetime) -> Grant:
    """What a good answer gives. One whose refresh token can't be read gives nothing: the one before goes on working for a while."""
    document = fields(answer)
    token, refresh_token = document.get("access_token"), document.get("refresh_token") or None
    keep_secret(*(one for one in (token, refresh_token) if isinstance(one, str)))
    if not isinstance(token, str) or not is_token(token):
        raise NoAnswer("its sign-in service answered without a token", status=answer.status)
    if refresh_token is not None and not (isinstance(refresh_token, str) and is_token(refresh_token)):
        raise NoAnswer("its sign-in service answered with a refresh token that can't be read", status=answer.status)
    life = str(document.get("expires_in"))
    seconds = int(life) if _LIFE.fullmatch(life) else _USUAL_LIFE
    return Grant(
        Access(token, asked_at + min(timedelta(seconds=seconds), LONGEST_LIFE)),
        refresh_token,
        tuple(map(scrubbed, _scopes(document.get("scope")) or _scopes(claims(token).get("scope")))),
    )


def _scopes(told: object) -> list[str]:
    """Scopes as a line of words, or as a list of them."""
    words = told.split() if isinstance(told, str) else told if isinstance(told, list) else []
    return [word for word in words if isinstance(word, str)]


def _refusal(answer: Answer) -> GrantRefused:
    said = lower_keys(answer)
    told = (said.get("error"), said.get("error_description"))
    error, described = (oauth_words(words) if isinstance(words, str) else "" for words in told)
    if not error:
        # Not the token endpoint's own words (a proxy's page, say): nothing about the sign-in may be concluded from it.
        raise NoAnswer(f"HTTP {answer.status}, {readable_text(answer) or 'without a reason'}", status=answer.status)
    return GrantRefused(error, f"{error} ({described})" if described else error)
