"""Clinics in which anything happens are equal to the cent after a push; whatever is moved in one is found in it alone."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from decimal import Decimal
from functools import partial
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import moved
import pytest
from another_home import Home
from bookkeeping import Bookkeeper, told
from clinics import PAYER
from moved import PEOPLE, RECORDS
from proving import DIFFERS, Truth, debtors, is_equal, proves
from pushing import Clinic, connected_to
from test_lifecycle import Story

from caspen_xero.sandbox.server import Sandbox


@pytest.mark.parametrize("seed", range(3))
def test_a_random_clinic_is_equal_whatever_happens_in_it(ready: Clinic, seed: int) -> None:
    """Three tax modes, every rounding, discounts, payments, credit notes, voids, drafts and numbers that change."""
    story = Story(ready, seed, invoices=30)
    for events in (0, 25, 40):
        story.life.happens(events)
        while story.life.finalised_again():  # a draft that was sent once stands in Xero, and is found
            pass
        story.export()
        story.push_and_compare()
        proved = is_equal(ready)
        truth = Truth(ready)
        assert truth.caspens_invoices() == truth.xeros_invoices()
        if truth.caspens_invoices():
            debtors(proved, truth)
        for day in ("2026-11-05", "2026-11-12"):
            is_equal(ready, "--from", "2026-11-03", "--to", day)


@pytest.mark.parametrize("rounding", ["half-up", "half-even"])
def test_a_large_random_clinic_is_equal_whichever_way_xero_rounds(
    home: Path, cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, rounding: str
) -> None:
    with Sandbox(auto_approve=True, minute_limit=100_000, day_limit=100_000, rounding=rounding) as box:
        monkeypatch.setenv("XERO_URL", box.url)
        story = Story(connected_to(box, cli, home), seed=23, invoices=150)
        story.push_and_compare()
        is_equal(story.clinic)


@pytest.mark.parametrize("seed", range(2))
def test_money_that_xero_knows_first_is_caspens_once_caspen_was_told(ready: Clinic, seed: int) -> None:
    story = Story(ready, seed, invoices=15)
    story.push_and_compare()
    hand, random = Bookkeeper(ready.sandbox.url), Random(seed)
    due = {number: one for number, one in hand.invoices().items() if one.amount_due and one.amount_due >= 3}
    for number in random.sample(sorted(due), min(4, len(due))):
        hand.pays(number, "1.50")
    if len(due) > 1:
        hand.pays_together(dict.fromkeys(random.sample(sorted(due), 2), "0.75"))
    assert {row["code"] for row in proves(ready).finds} == {"payment-unknown-in-caspen"}
    assert ready.cli("pull").exit_code == 0
    is_equal(ready)
    for record in told(ready):
        story.life.payment_from_xero(record)
    story.export()
    assert ready.push().exit_code == 0
    is_equal(ready)


PRIVACY = ("full", "name-only", "generic")


@pytest.mark.parametrize("privacy", PRIVACY)
@pytest.mark.parametrize("contact", ["client", "payer"])
def test_whoever_an_invoice_is_made_out_to_is_equal(ready: Clinic, privacy: str, contact: str) -> None:
    assert ready.cli("settings", "set", "--privacy", privacy, "--contact", contact).exit_code == 0
    ready.takes(
        *PEOPLE,
        PAYER,
        *(each | {"invoice_to_id": "con_77"} for each in RECORDS.values() if each["id"] == "inv_INV-0003"),
    )
    ready.takes(*(each for each in RECORDS.values() if each["id"] != "inv_INV-0003"))
    assert ready.push().exit_code == 0
    is_equal(ready)


def test_a_new_store_that_has_adopted_what_is_there_proves_the_same(ready: Clinic, anew: Home) -> None:
    ready.takes(*PEOPLE, *RECORDS.values())
    assert ready.push().exit_code == 0
    another = anew(ready)
    another.takes(*PEOPLE, *RECORDS.values())
    assert another.cli("adopt").exit_code == 0
    is_equal(another)
    moved.lines("INV-0003", (1, None, "15.01"), (2, None, "4.99"))(another)
    assert {(row["number"], row["code"]) for row in proves(another).finds} == {("INV-0003", "line")}


# --- a random cent

MOVES: list[Callable[[Random, dict[str, Any]], None]] = [
    lambda random, document: _by_a_cent(random, document, "LineAmount"),
    lambda random, document: _by_a_cent(random, document, "TaxAmount"),
    lambda random, document: document.update(Date=f"2026-10-{random.randint(10, 31)}"),
    lambda random, document: document.update(InvoiceNumber="X-77"),
    lambda random, document: _by_a_line(random, document),
]


def _by_a_line(random: Random, document: dict[str, Any]) -> None:
    """A line of hers, which changes nothing where it is worth nothing."""
    money = {"UnitAmount": Decimal(1), "LineAmount": Decimal(random.randint(1, 5))}
    document["LineItems"].append({**document["LineItems"][0], "LineItemID": str(uuid4())} | money)
    moved.sums_up(document)


def _by_a_cent(random: Random, document: dict[str, Any], name: str) -> None:
    random.choice(document["LineItems"])[name] += random.choice((1, -1)) * Decimal("0.01")
    moved.sums_up(document)


@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_moved_in_a_random_clinic_is_found_there_and_nowhere_else(ready: Clinic, seed: int) -> None:
    story, random = Story(ready, seed, invoices=20), Random(seed)
    story.push_and_compare()
    numbers = [one["InvoiceNumber"] for one in ready.state("Invoices") if one["Status"] in ("AUTHORISED", "PAID")]
    for number, move in zip(random.sample(numbers, len(MOVES)), MOVES, strict=True):
        with moved.the_ledger(ready) as ledger:
            was = deepcopy(moved.invoice_in(ledger, number))
        moved.alters(number, partial(move, random))(ready)
        proved = proves(ready)
        assert proved.exit_code == DIFFERS, (number, was)
        assert {row["number"] for row in proved.finds} == {number}, proved.finds
        moved.alters("X-77" if "X-77" in ready.in_xero() else number, partial(_becomes, was))(ready)
        is_equal(ready)


def _becomes(was: dict[str, Any], document: dict[str, Any]) -> None:
    document.clear()
    document.update(was)
