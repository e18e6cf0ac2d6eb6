"""What the sandbox's front (sign-in, limits, faults) hands to its books, and gets back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True)
class ApiRequest:
    """One request below `/api.xro/2.0/`: `path` has no leading slash, header names are lower case."""

    method: str
    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    tenant_id: str
    client_id: str = ""  # the app that asks


class Params(Mapping[str, str]):
    """The parameters of a query, by names in any letter case."""

    def __init__(self, params: Mapping[str, str]) -> None:
        self._by_name = {name.lower(): value for name, value in params.items()}

    def __getitem__(self, name: str) -> str:
        return self._by_name[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)


@dataclass(frozen=True)
class ApiAnswer:
    """The answer to an `ApiRequest`; Xero answers JSON, but also HTML (404), text (503) and nothing at all (429)."""

    status: int
    body: bytes = b""
    content_type: str = "application/json; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


class Clock:
    """The sandbox's time in UTC: the machine's, moved by an offset."""

    def __init__(self) -> None:
        self.offset = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def move(self, by: timedelta) -> None:
        """Moves the clock by a span, forwards or backwards."""
        self.offset += by
