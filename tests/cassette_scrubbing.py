"""What goes into a cassette, and what never does.

The same scrubbing is done to what is recorded and to what is replayed, so that the two can be compared to the byte:
secrets and what is random become placeholders, of the headers only those stay that mean something to Xero.
"""

from __future__ import annotations

import base64
import json
import re
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from vcr.request import Request

from caspen_xero.xero.grants import claims

XERO_URL = "http://sandbox.invalid"
"""The address that a recorded Xero is given, wherever it was."""

REPLAYED_AT = "http://localhost"
"""The address under which a replayed one is found: on this machine, for tokens go to no other in the open."""

XEROS_PATHS = ("/api.xro/", "/connections", "/identity/connect/token", "/connect/token")
REQUEST_HEADERS = ("Accept", "Content-Type", "Xero-tenant-id", "If-Modified-Since", "Idempotency-Key")
RESPONSE_HEADERS = (
    "content-type",
    "retry-after",
    "x-rate-limit-problem",
    "x-minlimit-remaining",
    "x-daylimit-remaining",
    "x-appminlimit-remaining",
)
KEPT_CLAIMS = ("authentication_event_id", "scope")
MARK = "SCRUBBED"

Response = dict[str, Any]

_SECRETS = {
    "a signed token (JWT)": r"eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}",
    "an authorization header": r"(?i)\b(?:proxy-)?authorization\b",
    "a bearer token": r"(?i)\bbearer\s+[\w.~+/-]{8,}",
    "basic credentials": r"(?i)\bbasic\s+[\w+/-]{8,}",
    "a value that was not scrubbed": (
        r"\b(?:access_token|refresh_token|id_token|code|code_verifier|client_secret|state)"
        rf"(?:\\?[\"']?\s*:\s*\\?[\"']|=)(?!{MARK})[^\\\"'&\s]"
    ),
    "a long random text": rf"(?<![\w.-])(?!{MARK})(?=[\w-]*[A-Z])(?=[\w-]*[a-z])(?=[\w-]*\d)[\w-]{{40,}}",
}


def secrets_in(text: str) -> list[str]:
    """What looks like a secret in a text, each with what it is taken for."""
    return [f"{what}: {found[0][:60]}" for what, pattern in _SECRETS.items() for found in re.finditer(pattern, text)]


class Scrubber:
    """Scrubs one cassette. Equal tokens get equal placeholders, so that a token's way can still be followed."""

    def __init__(self) -> None:
        self._placeholders: dict[str, str] = {}

    def placeholder(self, refresh_token: str) -> str:
        """What stands for a refresh token: numbered in the order in which they were first seen."""
        if refresh_token.startswith(MARK):
            return refresh_token
        number = len(self._placeholders) + 1
        return self._placeholders.setdefault(refresh_token, f"{MARK}-REFRESH-TOKEN-{number}")

    def request(self, request: Request) -> Request | None:
        """A request as it is recorded and compared; None where it is not one to Xero."""
        parts = urlsplit(request.uri)
        if not parts.path.startswith(XEROS_PATHS):
            return None
        request.uri = f"{XERO_URL}{parts.path}" + (f"?{parts.query}" if parts.query else "")
        headers = {name: request.headers[name] for name in REQUEST_HEADERS if name in request.headers}
        if key := headers.get("Idempotency-Key"):
            assert len(key) <= 128, "Xero takes keys of 128 characters at most"
            headers["Idempotency-Key"] = f"{MARK}-KEY"
        request.headers = headers
        if headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
            request.body = self._form(request.body.decode()).encode()
        return request

    def response(self, response: Response) -> Response:
        """An answer as it is recorded."""
        headers = {name.lower(): value for name, value in response["headers"].items()}
        response["headers"] = {name: headers[name] for name in RESPONSE_HEADERS if name in headers}
        body = response["body"]["string"]
        if b'"access_token"' in body:
            response["body"]["string"] = json.dumps(self._tokens(json.loads(body))).encode()
        return response

    def _form(self, text: str) -> str:
        fields = dict(parse_qsl(text, keep_blank_values=True))
        for name in ("code", "code_verifier", "client_secret"):
            if name in fields:
                fields[name] = f"{MARK}-{name.upper().replace('_', '-')}"
        if "refresh_token" in fields:
            fields["refresh_token"] = self.placeholder(fields["refresh_token"])
        if "redirect_uri" in fields:  # the first of the registered ports that is free
            fields["redirect_uri"] = re.sub(r"localhost:\d+", "localhost:8742", fields["redirect_uri"])
        return urlencode(sorted(fields.items()))

    def _tokens(self, tokens: dict[str, Any]) -> dict[str, Any]:
        """A token answer without its secrets. The access token keeps the claims that `connect` reads, and no signature."""
        known = claims(tokens["access_token"])
        kept = json.dumps({name: known[name] for name in KEPT_CLAIMS if name in known}, sort_keys=True)
        # The space in front makes it begin with other letters than a JWT.
        middle = base64.urlsafe_b64encode(f" {kept}".encode()).rstrip(b"=").decode()
        scrubbed = {**tokens, "access_token": f"{MARK}.{middle}.{MARK}"}
        scrubbed.pop("id_token", None)
        if "refresh_token" in tokens:
            scrubbed["refresh_token"] = self.placeholder(tokens["refresh_token"])
        return scrubbed
