"""Which app asks at the token endpoint, and whether its secret is the right one.

An app says who it is by HTTP Basic authorisation or in the form, as RFC 6749 (2.3.1) and Xero's discovery document have it.
As the sandbox starts any client id is known with any secret. Where some are registered, only those are known, each with its
own secret; one with an empty secret is an app without one, which must use PKCE.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote_plus

from caspen_xero.sandbox.exchange import Exchange


class TokenError(Exception):
    """A refusal of the token endpoint; the text is OAuth's own error code."""


@dataclass(frozen=True)
class Client:
    """An app at the token endpoint, and whether it showed a secret (the right one, where it is registered)."""

    id: str
    has_secret: bool


def client_of(exchange: Exchange, registered: Mapping[str, str]) -> Client:
    """The app that sends a form. Raises `TokenError`: `invalid_request` where it names none, `invalid_client` for a wrong one."""
    scheme, _, encoded = exchange.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        client_id, secret = _decoded(encoded)
    else:
        client_id, secret = exchange.form.get("client_id", ""), exchange.form.get("client_secret", "")
        if not client_id:
            raise TokenError("invalid_request")
    if not client_id or not _is_right(secret, client_id, registered):
        raise TokenError("invalid_client")
    return Client(client_id, bool(registered.get(client_id, secret)))


def _is_right(secret: str, client_id: str, registered: Mapping[str, str]) -> bool:
    if not registered:
        return True
    known = registered.get(client_id)
    return known is not None and (not known or hmac.compare_digest(known.encode(), secret.encode()))


def _decoded(encoded: str) -> tuple[str, str]:
    """Client id and secret of a Basic header, both form-encoded; two empty ones for what can't be read."""
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    client_id, _, secret = text.partition(":")
    return unquote_plus(client_id), unquote_plus(secret)
