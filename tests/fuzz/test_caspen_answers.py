"""A Caspen whose answers are odd in every way: nothing breaks, and once it answers well again, the books are as they must be.

A clinic reads its records from a server and tells it what was paid in Xero. Some answers are changed on their way: another status,
odd headers, a body that is no page, odd elements and links. Then the server is well again; and every payment that was made in Xero
has reached Caspen exactly once, every finalised invoice is in Xero, and every payment of Caspen's once.
"""

from __future__ import annotations

import copy
import gzip
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from clinics import EFTPOS, TAX_RATES, client, invoice, line, payment
from fuzzing import SHAPES, corpus, fuzz, raw, written
from hypothesis import strategies as st
from in_xero import payments, pays
from pushing import Clinic
from test_records import Run
from test_records import run as run  # the fixture

from caspen_xero.caspen.api import ApiFeed
from tests.caspen.caspen_server import Answer, CaspenServer, SeenRequest

Record = dict[str, Any]
DIGITS = "9" * 5000

FIRST: list[Record] = [
    *TAX_RATES,
    EFTPOS,
    client("1048237"),
    *(invoice(f"INV-000{number}", [line("100.00")]) for number in (1, 2, 3)),
    {**payment("50.00", ("inv_INV-0001", "50.00"), id_="pay_1"), "updated_at": "2026-11-03T00:00:00Z"},
]
LATER: list[Record] = [
    client("1048238", "Ana", "Lee"),
    *(
        invoice(f"INV-000{number}", [line("60.00")], client_id="1048238", updated_at=f"2026-11-0{number}T00:00:00Z")
        for number in (4, 5, 6)
    ),
    {
        **payment("70.00", ("inv_INV-0004", "66.00"), ("inv_INV-0002", "4.00"), id_="pay_2"),
        "updated_at": "2026-11-08T00:00:00Z",
    },
]
IN_XERO = {"INV-0001": "60.00", "INV-0002": "30.00", "INV-0003": "110.00"}

STATUSES = (100, 101, 204, 206, 300, 302, 304, 400, 401, 403, 404, 409, 418, 422, 429, 500, 502, 503, 599, 999)
HEADERS = {
    "Retry-After": ("", "-1", "0", DIGITS, "NaN", "Thu, 99 Nov 2026", "Sun, 22 Nov 9999 10:00:00 GMT", "1e9", "\xe9"),
    "X-RateLimit-Remaining": ("0", "-1", DIGITS, "x"),
    "X-RateLimit-Reset": ("0", DIGITS, "-5", "1e9", "x"),
    "Date": (
        "",
        "x",
        DIGITS,
        "Sun, 22 Nov 9999 10:00:00 GMT",
        "Mon, 01 Jan 0001 00:00:00 +1400",
        "Sun, 22 Nov 2026 10:00:00 GMT",
    ),
    "Content-Type": ("text/html; charset=utf-16", "application/json; charset=no-such", "\xff"),
    "Content-Encoding": ("gzip", "br", "identity", "x-gzip", "gzip, gzip"),
    "Set-Cookie": ("a=" + "b" * 5000,),
    "Location": ("http://[", "https://elsewhere.example/"),
}
BODIES = (
    b"",
    b"null",
    b"[]",
    b"{}",
    b"7",
    b'"text"',
    b"\xff\xfe\x00",
    b"<html>Sign in</html>",
    b"[" * 100_000,
    b'{"data": null}',
    b'{"data": {}}',
    b'{"data": [[]]}',
    b'{"data": [], "data": [1]}',
    b'{"message": {"a": [1e999999, NaN]}, "errors": [["x"]]}',
    b'{"errors": 7}',
    b'{"message": "Error: \\u001b[2J\\n-> rm"}',
    b'{"data": [' + b"9" * 5000 + b"]}",
    gzip.compress(b'{"data": []}'),
    b" " * 100_000,
    b"\x00",
)
LINKS = (
    [],
    "x",
    7,
    {"next": 7},
    {"next": ""},
    {"next": "http://["},
    {"next": "//elsewhere.example/"},
    {"next": "?limit=100"},
    {"next": "\x00"},
    {"next": ["x"]},
    {"next": {}},
    {"next": False},
    {"next": "x" * 70_000},
    {"next": "http://user:word@127.0.0.1/"},
    raw('{"next":"a","next":"b"}'),
)
ELEMENTS = (
    *(one for one in SHAPES if one != {}),
    {"id": None},
    {"id": []},
    {"object": "appointment"},
    {"object": 7},
    {"id": raw('"a","id":"b"')},
    {"updated_at": "0001-01-01T00:00:00Z"},
    {"updated_at": [1]},
    {"title": [1], "email": {"a": 1}, "description": None, "reason": 7},
    {"total": raw("1e999999"), "amount": raw("NaN"), "rate": "x", "name": [1], "first_name": {}},
    {"lines": [[]], "allocations": [7]},
    {"lines": {}, "allocations": "x", "first_name": [raw("[" * 400 + "]" * 400)], "name": raw("[" * 400 + "]" * 400)},
)

PATHS = (
    *("POST", "POST", "POST", "invoices", "invoices", "invoices", "payments", "payments"),
    *("clients", "contacts", "tax-rates", "payment-methods", "credit-notes"),
)


@dataclass(frozen=True)
class Oddity:
    """What becomes of the answers to some requests: of a list (`invoices`), or of those that tell a payment (`POST`)."""

    path: str
    first: int = 1
    times: int = 1
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    links: Any = None
    element: Any = None
    nth: int = -1
    breaks_off: bool = False
    lost: bool = False
    """Whether the server did nothing of what it was asked for (only where it does not say yes)."""


class OddCaspen(CaspenServer):
    """A Caspen server whose answers are changed while it has `oddities`."""

    def __init__(self) -> None:
        super().__init__(FIRST)
        self.oddities: list[Oddity] = []
        self.asked: Counter[str] = Counter()

    def answer(self, request: SeenRequest) -> Answer:
        path = "POST" if request.method == "POST" else request.path.removeprefix("/v1/")
        self.asked[path] += 1
        fit = [one for one in self.oddities if one.path == path and 0 <= self.asked[path] - one.first < one.times]
        odd = fit[0] if fit else None
        if odd is None:
            return super().answer(request)
        says_yes = odd.status is None or 200 <= odd.status < 300 or odd.status == 409
        if odd.lost and not says_yes:
            answer = Answer(500)
        else:
            answer = super().answer(request)
        return made_odd(answer, odd, request.method)


def made_odd(answer: Answer, odd: Oddity, method: str) -> Answer:
    body = answer.body
    if method == "GET" and answer.status == 200:
        page = json.loads(body)
        if odd.links is not None:
            page["links"] = odd.links
        if odd.element is not None and page["data"]:
            nth = odd.nth % len(page["data"])
            is_fields = isinstance(odd.element, dict)
            page["data"][nth] = {**page["data"][nth], **odd.element} if is_fields else odd.element
        body = written(page).encode()
    if odd.body is not None:
        body = odd.body
    status = answer.status if odd.status is None else odd.status
    return Answer(status, b"" if status in (204, 304) or status < 200 else body, dict(odd.headers), odd.breaks_off)


@st.composite
def oddities(draw: st.DrawFn) -> list[Oddity]:
    found = []
    for _ in range(draw(st.integers(1, 5))):
        what = draw(st.sampled_from(("status", "headers", "body", "links", "element", "element", "breaks_off", "all")))
        more: dict[str, Any] = {}
        if what in ("status", "all"):
            more["status"] = draw(st.sampled_from(STATUSES))
            more["lost"] = draw(st.booleans())
        if what in ("headers", "status", "all"):
            names = draw(st.lists(st.sampled_from(list(HEADERS)), max_size=3, unique=True))
            more["headers"] = tuple((name, draw(st.sampled_from(HEADERS[name]))) for name in names)
        if what in ("body", "status", "all"):
            more["body"] = draw(st.sampled_from((None, *BODIES)))
        if what == "links":
            more["links"] = draw(st.sampled_from(LINKS))
        if what == "element":
            more["element"], more["nth"] = draw(st.sampled_from(ELEMENTS)), draw(st.integers(-3, -1))
        if what == "breaks_off":
            more["breaks_off"] = True
        times = draw(st.sampled_from((1, 1, 1, 2, 5, 10)))  # five: as often as a request is tried
        found.append(Oddity(draw(st.sampled_from(PATHS)), draw(st.integers(1, 2)), times, **more))
    return found


def wrong_in_the_end(clinic: Clinic, caspen: CaspenServer, made: dict[str, str]) -> Iterator[str]:
    """Where a Caspen that is well again and Xero don't agree."""
    told = Counter(record["id"] for record in caspen.received.values())
    yield from (f"{id_} was told {told[id_]} times" for id_ in set(made) | set(told) if told[id_] != (id_ in made))
    there = clinic.in_xero()
    for record in [*FIRST, *LATER]:
        if record["object"] == "invoice":
            shown = there.get(record["number"])
            if shown is None or shown["Total"] != Decimal(record["total"]):
                yield f"{record['number']} is not in Xero as in Caspen"
    ours = Counter(one["Reference"] for one in payments(clinic) if one["PaymentID"] not in made)
    if sorted(ours.values()) != [1, 1, 1]:
        yield f"Caspen's own payments are in Xero as {ours}"
    yield from (f"{row['number']}: {row['reason']}" for row in clinic.unsynced())


def looked_at(run: Run, odd: list[Oddity]) -> None:
    run.begins()
    clinic = run.clinic
    with OddCaspen() as caspen:
        assert clinic.cli("settings", "set", "--source", caspen.url).exit_code == 0
        assert run.does("sync")["push"]["synced"] == 3
        made = {pays(clinic, number, amount, reference="Bank"): amount for number, amount in IN_XERO.items()}
        for record in LATER:
            caspen.put(copy.deepcopy(record))
        caspen.asked.clear()
        caspen.oddities = odd
        for command in ("sync", "pull", "push"):
            run.does(command)
        caspen.oddities = []
        run.does("sync")
        run.does("sync")
        wrong = list(wrong_in_the_end(clinic, caspen, made))
        assert not wrong, wrong


@pytest.fixture
def in_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """What Caspen asks to wait is not waited for, and no answer is waited for long."""
    monkeypatch.setattr("caspen_xero.caspen.api.ApiFeed", partial(ApiFeed, sleep=lambda seconds: None))
    monkeypatch.setattr("caspen_xero.caspen.connection.LONGEST_CALL", 0.7)


@pytest.mark.usefixtures("in_no_time")
def test_whatever_caspen_answers_each_payment_reaches_it_once(run: Run) -> None:
    fuzz(lambda odd: looked_at(run, odd), oddities(), examples=4)


@pytest.mark.usefixtures("in_no_time")
@pytest.mark.parametrize("case", corpus("caspen-answers"), ids=lambda file: file.stem)
def test_what_was_wrong_once_stays_right(case: Path, run: Run) -> None:
    told = json.loads(case.read_text("utf-8"))
    looked_at(
        run,
        [
            Oddity(
                **{
                    **one,
                    "headers": tuple(map(tuple, one.get("headers", ()))),
                    "body": None if one.get("body") is None else one["body"].encode("latin-1"),
                }
            )
            for one in told
        ],
    )
