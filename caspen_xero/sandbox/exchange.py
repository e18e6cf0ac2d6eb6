"""One HTTP request as the sandbox's front reads it; its answers are the seam's `ApiAnswer`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from caspen_xero.sandbox.seam import ApiAnswer

FORM = "application/x-www-form-urlencoded"


class BadRequest(Exception):
    """What a caller of the sandbox's own controls asked for can't be done; the message says why (answered as a 400)."""


@dataclass(frozen=True)
class Exchange:
    """A request in full: `path` is decoded, header names are lower case, `captured` holds the route's parameters."""

    method: str
    path: str
    query_string: str
    headers: Mapping[str, str]
    body: bytes
    captured: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Path and query, as sent."""
        return f"{self.path}?{self.query_string}" if self.query_string else self.path

    @cached_property
    def query(self) -> dict[str, str]:
        """The query's parameters; of a repeated one the last."""
        return dict(parse_qsl(self.query_string, keep_blank_values=True))

    @property
    def is_form(self) -> bool:
        """Whether the body is form-encoded, the only kind that the token endpoint takes."""
        return self.headers.get("content-type", "").split(";")[0].strip().lower() == FORM

    @cached_property
    def form(self) -> dict[str, str]:
        """The fields of a form-encoded body; of any other body none."""
        text = self.body.decode("utf-8", "replace")
        return dict(parse_qsl(text, keep_blank_values=True)) if self.is_form else {}

    def wishes(self) -> dict[str, Any]:
        """The JSON object in the body of a control request (an empty body is an empty object); raises `BadRequest`."""
        if not self.body.strip():
            return {}
        try:
            wishes = json.loads(self.body)
        except ValueError as error:
            raise BadRequest(f"The body is not JSON: {error}") from error
        if not isinstance(wishes, dict):
            raise BadRequest("The body must be a JSON object.")
        return wishes


Handler = Callable[[Exchange], ApiAnswer]
"""What answers a route."""


def json_answer(document: object, status: int = 200, headers: Mapping[str, str] | None = None) -> ApiAnswer:
    """A JSON answer of the front's own; it never holds money."""
    return ApiAnswer(status, json.dumps(document).encode(), headers=headers or {})


def html_answer(page: str, status: int = 200) -> ApiAnswer:
    """A page for a browser: no script may run in it, whatever a name or description holds."""
    headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'", "Cache-Control": "no-store"}
    return ApiAnswer(status, page.encode(), "text/html; charset=utf-8", headers)


def redirect(location: str, status: int = 302) -> ApiAnswer:
    """Sends the browser on."""
    return ApiAnswer(status, b"", "", {"Location": location, "Cache-Control": "no-store"})
