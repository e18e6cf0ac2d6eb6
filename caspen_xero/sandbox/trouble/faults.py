"""Trouble on demand: what can go wrong between a client and Xero, by path, count or probability.

A fault looks at every request for sign-in and API (never at the sandbox's own pages and controls). The first fault that
matches strikes, one per request.
"""

from __future__ import annotations

import html
import random
import re
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from caspen_xero.sandbox.exchange import BadRequest, Exchange, json_answer
from caspen_xero.sandbox.seam import ApiAnswer

Kind = Literal[
    "drop-before",  # the connection is closed; nothing was done
    "drop-after",  # everything is done and committed, then the connection is closed without an answer
    "delay",  # waits, then does the work and answers
    "delay-after",  # does the work, then waits before it answers
    "500-before",  # an internal error; nothing was done
    "500-after",  # an internal error although everything was done and committed
    "503",  # plain text
    "html",  # a proxy's page where JSON was expected (502, or the `status` given)
    "echo",  # a gateway's page that repeats the whole request, in HTML (502, or the `status` given)
    "truncate",  # everything is done, and half of the answer arrives
    "429-minute",
    "429-day",
    "429-concurrent",
    "revoke-token",  # the person takes the app's access away just before this request
]

OFFLINE = ApiAnswer(503, b"The Organisation is offline", "text/plain; charset=utf-8")
INTERNAL_ERROR = json_answer(
    {
        "Title": "An error occurred",
        "Detail": "An error occurred in Xero. Check the API Status page for current service status.",
        "Status": 500,
        "Instance": "70000000-0000-4000-8000-000000000500",
    },
    500,
)
"""As pasted in XeroAPI/xero-node#466."""
PROXY_PAGE = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


@dataclass
class Fault:
    """One kind of trouble. `path` is part of the URL or a regular expression; `count` None strikes without end."""

    kind: Kind
    path: str = ""
    method: str | None = None
    count: int | None = 1
    after: int = 0
    probability: float = 1.0
    seed: int = 0
    seconds: float | None = None
    status: int = 502
    matched: int = 0
    struck: int = 0
    _dice: random.Random = field(default_factory=random.Random, repr=False)

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)

    def strikes(self, method: str, url: str) -> bool:
        """Whether this request is hit; counts it."""
        if self.count is not None and self.struck >= self.count:
            return False
        if (self.method is not None and self.method != method) or not self._is_at(url):
            return False
        self.matched += 1
        if self.matched <= self.after or self._dice.random() >= self.probability:
            return False
        self.struck += 1
        return True

    def _is_at(self, url: str) -> bool:
        return self.path in url or re.search(self.path, url) is not None

    def described(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if not name.startswith("_")}


class Faults:
    """The faults set at the moment; they live in memory only."""

    def __init__(self) -> None:
        self.active: list[Fault] = []

    def set(self, wishes: dict[str, Any]) -> Fault:
        """Adds a fault; raises `BadRequest` for one that can't be."""
        fault = _fault(wishes)
        self.active.append(fault)
        return fault

    def clear(self) -> None:
        self.active.clear()

    def strike(self, method: str, url: str) -> Fault | None:
        """The fault that this request meets, if any."""
        return next((fault for fault in self.active if fault.strikes(method, url)), None)


def instead_of_answer(fault: Fault | None, exchange: Exchange) -> ApiAnswer | None:
    """What a fault in front of Xero (offline, a proxy) answers; Xero itself never sees the request."""
    if fault is not None and fault.kind == "503":
        return OFFLINE
    if fault is not None and fault.kind == "html":
        return ApiAnswer(fault.status, PROXY_PAGE, "text/html")
    if fault is not None and fault.kind == "echo":
        return _repeated(exchange, fault.status)
    return None


def _repeated(exchange: Exchange, status: int) -> ApiAnswer:
    """The request, shown to whoever sent it: in the page, and in the headers."""
    by = exchange.headers.get("authorization", "nobody")
    headers = (f"{name}: {value}" for name, value in exchange.headers.items())
    told = "\n".join([exchange.url, f"by {by}", exchange.body.decode("utf-8", "replace"), *headers])
    page = f"<html><body><h1>Blocked</h1><pre>{html.escape(told)}</pre></body></html>"
    return ApiAnswer(status, page.encode(), "text/html; charset=utf-8", {"Location": f"/blocked?by={by}"})


def _fault(wishes: dict[str, Any]) -> Fault:
    known: dict[str, tuple[type, ...]] = {
        "kind": (str,),
        "path": (str,),
        "method": (str,),
        "count": (int,),
        "after": (int,),
        "probability": (int, float),
        "seed": (int,),
        "seconds": (int, float),
        "status": (int,),
    }
    for name, value in wishes.items():
        if name not in known:
            raise BadRequest(f"A fault has no field {name!r}; it has {', '.join(known)}.")
        if value is not None and (not isinstance(value, known[name]) or isinstance(value, bool)):
            raise BadRequest(f"The fault's {name} can't be {value!r}.")
    if wishes.get("kind") not in get_args(Kind):
        raise BadRequest(f"There is no fault {wishes.get('kind')!r}; there are {', '.join(get_args(Kind))}.")
    given = {name: value for name, value in wishes.items() if value is not None}
    if "count" not in given:
        given["count"] = None if "count" in wishes or "probability" in wishes else 1
    fault = Fault(**given)
    fault.method = fault.method.upper() if fault.method else None
    try:
        re.compile(fault.path)
    except re.error:
        fault.path = re.escape(fault.path)
    return fault
