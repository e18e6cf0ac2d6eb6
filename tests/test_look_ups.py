"""Looking documents up in Xero by whatever numbers a clinic gives them; and ids that are none, which go into no address."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import in_xero
import pytest
from clinics import EFTPOS, Record, client, credit_note, invoice, line, payment
from pushing import Clinic
from request_log import asked

LONG = [f'{nth:03} the "long" number of a clinic & its {"system " * 29}#{nth}' for nth in range(42)]
COMMAS = [f"{nth:03}, {'a b, ' * 28}end" for nth in range(3)]
QUOTES = [f"{nth:03}" + '"' * 250 for nth in range(3)]
NUMBERS = [*LONG, *COMMAS, *QUOTES]
ELSEWHERE = "../../../connections"
_ID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
ADDRESS = re.compile(rf"/api\.xro/2\.0/[A-Za-z]+(?:/{_ID}(?:/Allocations(?:/{_ID})?)?)?")


def asked_for(clinic: Clinic, path: str) -> list[str]:
    """The answers' statuses and the numbers asked for in the reads of a list since the log was last cleared."""
    reads = [each for each in clinic.requests() if each["method"] == "GET" and each["path"].endswith(f"/{path}")]
    assert {each["status"] for each in reads} == {200}
    return [each["query"].get("InvoiceNumbers") or each["query"].get("where", "") for each in reads]


def forgets(clinic: Clinic, *kinds: str) -> None:
    """A store that was lost and made anew knows nothing of what stands in Xero; and Xero has forgotten all keys."""
    for kind in kinds:
        clinic.sql("DELETE FROM links WHERE kind = ?", kind)
    clinic.sql("DELETE FROM journal_documents")
    clinic.sql("DELETE FROM journal")
    clinic.control("clock", seconds=600)
    clinic.forget_calls()


# --- numbers


def noted_as_lost(clinic: Clinic, path: str) -> None:
    """Xero does a write and answers with an error, also when it is repeated: what was done has to be looked up."""
    clinic.control("faults", kind="500-after", path=path, method="PUT")


def invoices() -> list[Record]:
    return [invoice(number, id=f"inv_{place}") for place, number in enumerate(NUMBERS)]


def test_invoices_of_long_numbers_whose_answer_was_lost_are_found(ready: Clinic, waits: list[float]) -> None:
    ready.takes(client("1048237"), *invoices())
    noted_as_lost(ready, "/Invoices")
    assert ready.push().exit_code == 0
    assert ready.in_xero().keys() == set(NUMBERS)
    assert ready.writes().count("PUT Invoices") == 2  # the write and its replay
    asked = asked_for(ready, "Invoices")
    in_lists = [number for some in asked for number in some.split(",") if number in NUMBERS]
    assert sorted(in_lists) == sorted([*LONG, *QUOTES])  # each once; one with a comma goes alone
    assert len(asked) == 3 + 8
    assert ready.unsynced() == []
    assert in_xero.silent(ready)


def test_long_numbers_that_are_taken_are_found_and_adopted(ready: Clinic) -> None:
    ready.takes(client("1048237"), *invoices())
    assert ready.push().json["synced"] == len(NUMBERS)
    before = {number: each["InvoiceID"] for number, each in ready.in_xero().items()}
    forgets(ready, "invoice")
    pushed = ready.push()
    assert (pushed.exit_code, pushed.json["synced"]) == (0, len(NUMBERS))
    assert {number: each["InvoiceID"] for number, each in ready.in_xero().items()} == before
    assert ready.unsynced() == []


def credited() -> list[Record]:
    notes = [credit_note(number, [line("1.00")]) | {"id": f"crn_{place}"} for place, number in enumerate(NUMBERS)]
    return [client("1048237"), invoice(), *notes]


def test_credit_notes_of_long_numbers_whose_answer_was_lost_are_found(ready: Clinic, waits: list[float]) -> None:
    ready.takes(*credited())
    noted_as_lost(ready, "/CreditNotes?")
    assert ready.push().exit_code == 0
    assert in_xero.credit_notes(ready).keys() == set(NUMBERS)
    assert ready.writes().count("PUT CreditNotes") == 2
    assert len(asked_for(ready, "CreditNotes")) == 11
    assert str(ready.in_xero()["INV-0001"]["AmountCredited"]) == "52.8"
    assert in_xero.silent(ready)


def test_long_credit_note_numbers_that_are_taken_are_found_and_adopted(ready: Clinic) -> None:
    ready.takes(*credited())
    assert ready.push().exit_code == 0
    forgets(ready, "credit_note", "allocation")
    ready.sql("UPDATE links SET done_up_to = NULL")
    assert ready.push().exit_code == 0
    assert in_xero.credit_notes(ready).keys() == set(NUMBERS)
    assert str(ready.in_xero()["INV-0001"]["AmountCredited"]) == "52.8"
    assert in_xero.silent(ready)


def test_forty_usual_numbers_are_looked_up_in_one_call(ready: Clinic, waits: list[float]) -> None:
    notes = [credit_note(f"CN-{nth:04}", [line("1.00")]) | {"id": f"crn_{nth}"} for nth in range(40)]
    ready.takes(client("1048237"), *(invoice(f"INV-{nth:04}") for nth in range(1, 41)), *notes)
    noted_as_lost(ready, "/CreditNotes?")
    noted_as_lost(ready, "/Invoices")
    assert ready.push().exit_code == 0
    assert len(asked_for(ready, "CreditNotes")) == 1
    numbered, looked_at = asked_for(
        ready, "Invoices"
    )  # what was found by its number is looked at before it is credited
    assert (numbered.count("INV-"), looked_at) == (40, "")


@pytest.mark.parametrize("number", ["漢" * 255, "CN\\1", '"' * 400])
def test_a_credit_note_that_could_never_be_looked_up_is_not_sent(ready: Clinic, number: str) -> None:
    ready.takes(client("1048237"), invoice(), credit_note(number), credit_note("CN-0002", [line("1.00")]))
    assert ready.push().exit_code == 3
    assert ready.problem()["code"] == "credit-note-number-invalid"
    assert in_xero.credit_notes(ready).keys() == {"CN-0002"}


def test_an_invoice_that_could_never_be_looked_up_is_not_sent(ready: Clinic) -> None:
    ready.takes(client("1048237"), invoice("A,\\1"), invoice("A\\1"), invoice("A,1"))
    assert ready.push().exit_code == 3
    assert ready.problem("A,\\1")["code"] == "invoice-number-invalid"
    assert ready.in_xero().keys() == {"A\\1", "A,1"}


# --- ids that are none


def tampered(clinic: Clinic, kind: str, xero_id: str = ELSEWHERE) -> None:
    """Somebody has written something else where the store keeps a Xero id."""
    assert clinic.sql("SELECT 1 FROM links WHERE kind = ?", kind)
    clinic.sql("UPDATE links SET xero_id = ? WHERE kind = ?", xero_id, kind)
    clinic.sql("UPDATE links SET done_up_to = NULL")  # so that a push looks at it
    clinic.forget_calls()


@pytest.fixture
def full(ready: Clinic) -> Clinic:
    """Two invoices of 165.00, the first with a payment and a credit note, all in Xero."""
    ready.takes(EFTPOS, client("1048237"), invoice(), invoice("INV-0002"), credit_note())
    ready.takes(payment("65.00", ("inv_INV-0001", "65.00")))
    assert ready.push().exit_code == 0
    return ready


def nothing_went_elsewhere(clinic: Clinic, xero_id: str = ELSEWHERE) -> bool:
    """Whether every request went to a list of the API's or to documents in it, named by ids; none asked for that one."""
    requests = asked(clinic.sandbox.url)
    values = [value for each in requests for value in each["query"].values()]
    return all(ADDRESS.fullmatch(each["path"]) for each in requests) and not any(
        xero_id and xero_id in value for value in values
    )


def voids_the_payment(clinic: Clinic) -> None:
    clinic.takes(payment("65.00", ("inv_INV-0001", "65.00"), status="void"))


def voids_the_credit_note(clinic: Clinic) -> None:
    clinic.takes(credit_note() | {"status": "void"})


def has_yet_to_allocate(clinic: Clinic) -> None:
    clinic.sql("DELETE FROM links WHERE kind = 'allocation'")


def pays_the_other(clinic: Clinic) -> None:
    clinic.takes(payment("10.00", ("inv_INV-0002", "10.00"), id_="pay_2"))


def changes_the_client(clinic: Clinic) -> None:
    clinic.takes(client("1048237", "Ellen", updated_at="2026-12-01T00:00:00Z"))


@pytest.mark.parametrize("xero_id", [ELSEWHERE, "nonsense", "..", "", "x,y", "%2e%2e/a"])
@pytest.mark.parametrize(
    ("kind", "happens"),
    [
        ("payment", voids_the_payment),
        ("credit_note", voids_the_credit_note),
        ("credit_note", has_yet_to_allocate),
        ("allocation", voids_the_credit_note),
        ("invoice", pays_the_other),
        ("client", changes_the_client),
    ],
)
def test_what_is_no_id_goes_into_no_address_and_the_rest_goes_on(
    full: Clinic, kind: str, happens: Callable[[Clinic], None], xero_id: str
) -> None:
    happens(full)
    tampered(full, kind, xero_id)
    full.takes(client("2048237"), invoice("INV-0003", client_id="2048237"))
    paths = [path for path in ("push", "pull", "push") if full.cli(path).exit_code in {0, 3}]
    assert paths == ["push", "pull", "push"]
    if xero_id:
        assert nothing_went_elsewhere(full, xero_id)
    assert "INV-0003" in full.in_xero()


def test_a_payment_under_a_name_that_is_no_id_is_not_there(full: Clinic) -> None:
    voids_the_payment(full)
    tampered(full, "payment")
    assert full.push().exit_code == 0
    assert asked(full.sandbox.url) == []
    assert [str(each["Amount"]) for each in in_xero.payments(full)] == ["65.0"]


def test_a_credit_note_under_a_name_that_is_no_id_is_told_and_not_allocated(full: Clinic) -> None:
    has_yet_to_allocate(full)
    tampered(full, "credit_note")
    assert full.push().exit_code == 3
    problem = full.problem()
    assert ELSEWHERE in problem["reason"]
    assert "nothing was sent" in problem["reason"]
    assert nothing_went_elsewhere(full)
    assert full.sql("SELECT 1 FROM journal WHERE path LIKE '%connections%'") == []


@pytest.mark.parametrize("name", [ELSEWHERE, "..", "nonsense", f"https://go.xero.com/{ELSEWHERE}"])
def test_a_person_links_nothing_to_what_is_no_id(full: Clinic, name: str) -> None:
    full.forget_calls()
    told = full.cli("invoices", "link", "INV-0001", name, "--json")
    assert (told.exit_code, told.json["error"]["code"]) == (1, "link-not-an-id")
    assert asked(full.sandbox.url) == []


def test_ids_that_xero_shows_and_that_are_none_are_not_asked_for(full: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    paid = in_xero.pays(full, "INV-0002", "10.00")
    door = full.sandbox.xero.gateway
    answer = door.answer

    def odd(admission: Any, exchange: Any, fault: Any) -> Any:
        given = answer(admission, exchange, fault)
        body = given.body.replace(paid.encode(), ELSEWHERE.encode())
        return type(given)(given.status, body, given.content_type, given.headers)

    monkeypatch.setattr(door, "answer", odd)
    full.forget_calls()
    assert full.cli("pull").exit_code == 0
    assert nothing_went_elsewhere(full)
