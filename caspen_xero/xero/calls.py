"""What the engine needs of a Xero client, and what an answer is: `XeroClient` is the one that calls Xero."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Protocol

from caspen_xero.xero.addresses import Params
from caspen_xero.xero.clock import XeroClock


class Answer(Protocol):
    """An answer of Xero's. `json()` raises `NoAnswer` where the body is none; `xero_time` is None where it told none."""

    @property
    def status(self) -> int: ...
    @property
    def body(self) -> bytes: ...
    @property
    def xero_time(self) -> datetime | None: ...
    def json(self) -> Any: ...


class Client(Protocol):
    """Reads and writes below Xero's API; errors are those of `xero/errors.py`. `calls`: the requests sent so far."""

    calls: int

    @property
    def clock(self) -> XeroClock: ...
    def get(self, path: str, params: Params | None = None, *, since: datetime | None = None) -> Answer: ...
    def send(
        self,
        method: str,
        path: str,
        body: bytes,
        *,
        params: Params | None = None,
        idempotency_key: str | None = None,
        before_each: Callable[[], None] | None = None,
    ) -> Answer: ...
    def pages(
        self, path: str, *, key: str, params: Params | None = None, since: datetime | None = None
    ) -> Iterator[list[Any]]: ...
