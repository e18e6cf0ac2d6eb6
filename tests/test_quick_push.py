"""What keeps a push quick: it reads indexes where nothing is new, and does not decide twice what it has just announced."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from clinics import EFTPOS, client, invoice, payment
from pushing import Clinic

from caspen_xero.store.listing import count_invoices_by_state, list_invoices
from caspen_xero.store.mappings import Mappings
from caspen_xero.store.store import Store
from caspen_xero.store.todo import ALL_INVOICES, IS_DONE
from caspen_xero.sync.sending import first_push, push


@pytest.fixture
def new(ready: Clinic) -> Clinic:
    """Two invoices and a payment; nothing is in Xero yet."""
    ready.takes(
        EFTPOS,
        client("1048237"),
        invoice("INV-0001"),
        invoice("INV-0002"),
        payment("30.00", ("inv_INV-0001", "30.00")),
    )
    return ready


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many steps each plan had, as it was made."""
    made: list[int] = []
    make_plan = push.make_plan

    def noted(*given: Any, **more: Any) -> Any:
        plan = make_plan(*given, **more)
        made.append(len(plan.steps))
        return plan

    monkeypatch.setattr(push, "make_plan", noted)
    return made


def test_what_was_announced_is_sent_without_being_planned_again(new: Clinic, plans: list[int]) -> None:
    assert new.push().json["synced"] == 2
    assert plans == [
        0,
        4,
        3,
        1,
        0,
    ]  # contacts are read first; a contact, two invoices and a payment; and one kind less each time


def test_what_was_announced_long_ago_is_planned_again(
    new: Clinic, plans: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = iter(range(10**6))

    class Slow(first_push.Foresight):
        def __init__(self, mappings: Mappings, now: Any) -> None:
            super().__init__(mappings, lambda: datetime(2026, 11, 29, tzinfo=UTC) + timedelta(hours=next(moments)))

    monkeypatch.setattr(push, "Foresight", Slow)
    assert new.push().json["synced"] == 2
    assert plans == [0, 4, 4, 3, 1, 0]


def test_what_is_written_meanwhile_has_it_planned_again(
    new: Clinic, plans: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    announcing = push.may_begin

    def and_set_aside(*given: Any) -> bool:
        may = announcing(*given)
        with closing(sqlite3.connect(new.store_file)) as another, another:
            another.execute("INSERT INTO settings (tenant_id, key, value) VALUES ('', 'from_elsewhere', 'yes')")
        return may

    monkeypatch.setattr(push, "may_begin", and_set_aside)
    assert new.push().json["synced"] == 2
    assert plans == [0, 4, 4, 3, 1, 0]


def test_all_invoices_are_looked_at_without_reading_their_records(new: Clinic) -> None:
    new.push()
    looks = [row["detail"] for row in _plan_of(new, f"SELECT COUNT(*) {ALL_INVOICES} WHERE NOT {IS_DONE}")]
    assert [look for look in looks if " i " in look or " l " in look] == [
        "SCAN i USING COVERING INDEX invoices_states",
        "SEARCH l USING COVERING INDEX links_states (caspen_id=? AND tenant_id=?) LEFT-JOIN",
    ]


def _plan_of(clinic: Clinic, query: str) -> list[Any]:
    return clinic.sql("EXPLAIN QUERY PLAN " + query.replace(":tenant", "?1"), clinic.tenant_id)


@pytest.mark.parametrize("start", [None, "2026-11-02"])
def test_the_count_by_state_is_that_of_the_list(new: Clinic, start: str | None) -> None:
    new.push()
    new.takes(
        invoice("INV-0002", due_date="2026-12-30"),
        invoice("INV-0003", issue_date="2026-11-01"),
        invoice("INV-0004", status="draft"),
        invoice("INV-0005", status="void"),
        invoice("INV-0006"),
        invoice("INV-0007", issue_date="2026-11-01", status="void"),
    )
    new.cli("invoices", "skip", "INV-0006")
    new.sql("UPDATE links SET status = 'DRAFT' WHERE caspen_id = 'inv_INV-0001'")
    with closing(Store(new.store_file)) as store:
        for mappings in (Mappings(store, new.tenant_id), None):
            listed = [one.sync_status for one in list_invoices(store, mappings, start)]
            counted = dict.fromkeys(listed, 0)
            for some in count_invoices_by_state(store, mappings, start):
                counted[some.state] = counted.get(some.state, 0) + some.number
            assert {state: number for state, number in counted.items() if number} == {
                state: listed.count(state) for state in set(listed)
            }
