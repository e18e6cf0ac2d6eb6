"""The answers of those who get no further than the door: 401 and 403.

Bodies as published in issue threads of Xero's SDKs; the 401 of an expired token as recorded by pyxero's tests. Letter
case of the keys differs between answers at Xero; it does here too.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime

from caspen_xero.sandbox.exchange import json_answer
from caspen_xero.sandbox.identity.identity import Access, Identity
from caspen_xero.sandbox.seam import ApiAnswer


class Refused(Exception):
    """The request ends here, with this answer."""

    def __init__(self, answer: ApiAnswer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def admitted(headers: Mapping[str, str], identity: Identity) -> Access:
    """What the request's bearer token stands for; raises `Refused` for a missing, unknown or expired one."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    access = identity.access(token.strip()) if scheme.lower() == "bearer" else None
    if access is None:
        raise Refused(_unauthorized("AuthenticationUnsuccessful"))
    if access.expires <= identity.clock.now():
        raise Refused(expired(access.expires))
    return access


def expired(at: datetime) -> ApiAnswer:
    """The 401 of a token that was good until `at`."""
    return _unauthorized(f"TokenExpired: token expired at {at:%m/%d/%Y %H:%M:%S}")


def insufficient_scope(words: str, status: int = 401) -> ApiAnswer:
    """The answer to a token without the scope. Xero's own pages spell `words` in two ways; some tell of a 403."""
    told = {"WWW-Authenticate": words}
    if status == 403:
        return _forbidden("AuthorizationUnsuccessful", told)
    return _unauthorized("AuthorizationUnsuccessful", told)


def not_connected() -> ApiAnswer:
    """The 403 of a request that names no organisation, or one that the app isn't connected to."""
    return _forbidden("AuthenticationUnsuccessful")


def _forbidden(detail: str, headers: Mapping[str, str] | None = None) -> ApiAnswer:
    body = {"title": "Forbidden", "status": 403, "detail": detail, "instance": str(uuid.uuid4())}
    return json_answer(body, 403, headers)


def _unauthorized(detail: str, headers: Mapping[str, str] | None = None) -> ApiAnswer:
    body: dict[str, object] = {
        "Type": None,
        "Title": "Unauthorized",
        "Status": 401,
        "Detail": detail,
        "Instance": str(uuid.uuid4()),
        "Extensions": {},
    }
    return json_answer(body, 401, headers)
