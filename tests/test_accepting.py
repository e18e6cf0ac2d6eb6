"""What a person is content with is known by ids and figures, and stays so until either side changes; money goes on meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import in_xero
import pytest
from bookkeeping import Bookkeeper
from clinics import EFTPOS, client, invoice, line
from one_truth import ends, states
from pulling import credit_note, payment, pull
from pushing import Clinic, commands_in

NUMBER = "INV-0002"
ACCEPT = f"caspen-xero invoices accept {NUMBER}"
Act = Callable[[Clinic], Any]


@pytest.fixture
def synced(ready: Clinic) -> Clinic:
    """Three invoices of 220.00 in Xero, the second with a payment of 20.00 of ours, the third with a credit note of 44.00."""
    ready.takes(client("1048237"), EFTPOS, *(invoice(f"INV-000{n}", [line("200.00")]) for n in (1, 2, 3)))
    ready.takes(credit_note(1, "INV-0003"))
    assert [ends(ready, command) for command in ("push", "pull")] == [0, 0]
    return ready


def changed_in_caspen(clinic: Clinic, price: str, version: int = 1) -> None:
    clinic.takes(invoice(NUMBER, [line(price)]) | {"updated_at": f"2026-12-{version:02}T00:00:00Z"})


def cuts(clinic: Clinic, price: str = "100.00") -> None:
    (one,) = clinic.in_xero()[NUMBER]["LineItems"]
    in_xero.edits(clinic, NUMBER, LineItems=[{"LineItemID": one["LineItemID"], "UnitAmount": price}])


def moves_the_day(clinic: Clinic) -> None:
    Bookkeeper(clinic.sandbox.url).changes(NUMBER, date=date(2026, 11, 1))


def renumbers(clinic: Clinic) -> None:
    in_xero.edits(clinic, NUMBER, InvoiceNumber="X-77")


def moves_to(name: str) -> Act:
    def moves(clinic: Clinic) -> None:
        other = clinic.put_in_xero("Contacts", Name=name)
        in_xero.edits(clinic, NUMBER, Contact={"ContactID": other["ContactID"]})

    return moves


EDITS: dict[str, Act] = {
    "total": cuts,
    "day": moves_the_day,
    "number": renumbers,
    "contact": moves_to("Somebody Else"),
}


@pytest.fixture(params=EDITS)
def accepted(request: pytest.FixtureRequest, synced: Clinic) -> Clinic:
    """One invoice is edited in Xero, and a person is content with that."""
    EDITS[request.param](synced)
    assert ends(synced, "pull") == 3
    accepts(synced)
    return synced


def accepts(clinic: Clinic, state: str = "differs") -> None:
    """`state`: pending, where a push has not come yet to what else is left of it."""
    assert clinic.run(ACCEPT).exit_code == 0
    assert states(clinic)[f"inv_{NUMBER}"] == state
    assert [row["code"] for row in clinic.unsynced()] == ["not-pushed-yet"] * (state == "pending")
    assert clinic.cli("status", "--json").json["in_order"]


def paid(clinic: Clinic) -> list[Decimal]:
    """The living payments on the invoice in Xero."""
    link = clinic.listed()[NUMBER]["xero_invoice_id"]
    return [one["Amount"] for one in in_xero.payments(clinic) if one["Invoice"]["InvoiceID"] == link]


def money_goes_on(clinic: Clinic, nth: int = 7) -> None:
    before = len(paid(clinic))
    clinic.takes(payment(nth, NUMBER, "50.00"))
    assert states(clinic)[f"inv_{NUMBER}"] == "pending"
    assert [ends(clinic, command) for command in ("push", "pull", "push")] == [0, 0, 0]
    assert len(paid(clinic)) == before + 1
    assert clinic.cli("payments", "list", "--json").json["payments"] == []
    assert states(clinic)[f"inv_{NUMBER}"] == "differs"


def test_payments_and_credit_notes_go_on_where_a_difference_was_accepted(accepted: Clinic) -> None:
    money_goes_on(accepted)
    accepted.takes(credit_note(2, NUMBER))
    assert [ends(accepted, command) for command in ("push", "pull")] == [0, 0]
    assert len(in_xero.credit_notes(accepted)) == 2
    assert in_xero.silent(accepted)


def test_what_changes_in_caspen_then_is_asked_about_with_both_figures_and_can_be_accepted_too(accepted: Clinic) -> None:
    shows = accepted.listed()[NUMBER]
    before = next(one for one in accepted.state("Invoices") if one["InvoiceID"] == shows["xero_invoice_id"])
    for version, price in enumerate(("210.00", "240.00"), 1):
        accepted.takes(payment(version, NUMBER, "10.00"))
        changed_in_caspen(accepted, price, version)
        assert ends(accepted, "push") == 3
        (row,) = accepted.unsynced()
        assert row["code"] == ("changed-in-xero" if version == 1 else "changed-after-payment")
        assert f"{Decimal(price) * Decimal('1.1'):.2f}" in row["reason"]
        assert f"{before['Total']:.2f}" in row["reason"]
        assert ACCEPT in commands_in(row["fix"])
        (waiting,) = accepted.cli("payments", "list", "--json").json["payments"]
        assert waiting["status"] == "held"
        accepts(accepted, "pending")
        (waiting,) = accepted.cli("payments", "list", "--json").json["payments"]
        assert waiting["status"] == "pending"
        assert [ends(accepted, command) for command in ("push", "pull", "push")] == [0, 0, 0]
        assert len(paid(accepted)) == version
        assert in_xero.silent(accepted)
        (told,) = accepted.cli("invoices", "show", NUMBER, "--json").json["accepted"]
        assert f"{Decimal(price) * Decimal('1.1'):.2f}" in told["reason"]
    after = next(one for one in accepted.state("Invoices") if one["InvoiceID"] == shows["xero_invoice_id"])
    assert (after["Total"], after["LineItems"]) == (before["Total"], before["LineItems"])


def test_what_only_a_push_has_found_is_accepted_and_told_as_it_is(ready: Clinic) -> None:
    """No pull has ever looked."""
    ready.takes(client("1048237"), EFTPOS, invoice(NUMBER, [line("200.00")]))
    ready.push()
    moves_the_day(ready)
    changed_in_caspen(ready, "210.00")
    ready.takes(payment(1, NUMBER, "10.00"))
    assert ends(ready, "push") == 3
    accepts(ready, "pending")
    assert ends(ready, "push") == 0
    assert states(ready)[f"inv_{NUMBER}"] == "differs"
    (told,) = ready.cli("invoices", "show", NUMBER, "--json").json["accepted"]
    assert ("date 2026-11-02" in told["reason"], "date 2026-11-01" in told["reason"]) == (True, True)
    assert [ends(ready, command) for command in ("pull", "push")] == [0, 0]
    assert len(paid(ready)) == 1


def test_an_acceptance_outlasts_a_look_of_a_push_at_what_is_information(accepted: Clinic) -> None:
    in_xero.edits(accepted, NUMBER if NUMBER in accepted.in_xero() else "X-77", Reference="their own")
    accepted.takes(payment(7, NUMBER, "50.00"))
    assert [ends(accepted, command) for command in ("push", "push", "pull", "push")] == [0, 0, 0, 0]
    assert states(accepted)[f"inv_{NUMBER}"] == "differs"


def test_other_words_for_the_same_ask_nobody_again(synced: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    moves_to("Somebody Else")(synced)
    cuts(synced)
    pull(synced)
    accepts(synced)
    (other,) = [one for one in synced.state("Contacts") if one["Name"] == "Somebody Else"]
    in_xero.writes(synced, "POST", "Contacts", {"ContactID": other["ContactID"], "Name": "Somebody Quite Else"})
    in_xero.edits(synced, NUMBER, Reference="so that a pull reads it")
    assert ends(synced, "pull") == 0
    (told,) = synced.cli("invoices", "show", NUMBER, "--json").json["accepted"]
    assert "Somebody Quite Else" in told["reason"]
    monkeypatch.setattr("caspen_xero.sync.planning.edits.name_in_words", lambda name: f"the {name}")
    monkeypatch.setattr("caspen_xero.sync.planning.compare.with_cents", lambda amount: f"AUD {amount}")
    monkeypatch.setattr("caspen_xero.sync.pulling.drift._total", lambda text: f"in all {text}")
    in_xero.edits(synced, NUMBER, Reference="and once more")
    assert ends(synced, "pull") == 0
    (told,) = synced.cli("invoices", "show", NUMBER, "--json").json["accepted"]
    assert "the contact" in told["reason"]


NEXT: dict[str, Act] = {
    "a cent": lambda clinic: cuts(clinic, "100.01"),
    "another contact": moves_to("A Third"),
    "another day": lambda clinic: in_xero.edits(clinic, NUMBER, Date="2026-10-30"),
    "another number": renumbers,
    "undone": lambda clinic: cuts(clinic, "200.00"),
}


@pytest.mark.parametrize("what", NEXT)
def test_each_further_change_in_xero_is_asked_about(synced: Clinic, what: str) -> None:
    moves_to("Somebody Else")(synced)
    cuts(synced)
    pull(synced)
    accepts(synced)
    NEXT[what](synced)
    assert ends(synced, "pull") == 3
    assert synced.problem(NUMBER)["code"] == "edited-in-xero"
    synced.takes(payment(7, NUMBER, "50.00"))
    assert ends(synced, "push") == 3
    if what != "undone":  # where the figures are equal again, nothing keeps money back
        assert paid(synced) == []


def test_what_a_person_accepted_of_money_is_that_money(synced: Clinic) -> None:
    synced.takes(invoice(NUMBER, [line("200.00")], status="paid") | {"updated_at": "2026-12-01T00:00:00Z"})
    synced.takes(payment(1, NUMBER, "20.00"), payment(2, NUMBER, "30.00"))
    assert [ends(synced, command) for command in ("push", "pull")] == [0, 0]
    one, other = in_xero.payments(synced)
    Bookkeeper(synced.sandbox.url).deletes(str(one["PaymentID"]))
    assert ends(synced, "pull") == 3
    accepts(synced, "pending")
    assert ends(synced, "push") == 0
    assert states(synced)[f"inv_{NUMBER}"] == "differs"
    in_xero.edits(synced, NUMBER, Reference="so that a pull reads it")
    assert ends(synced, "pull") == 0
    Bookkeeper(synced.sandbox.url).deletes(str(other["PaymentID"]))
    assert ends(synced, "pull") == 3
    assert [row["code"] for row in synced.unsynced()] == ["payment-removed-in-xero"]


def test_an_acceptance_is_seen_and_taken_back(accepted: Clinic) -> None:
    shown = accepted.cli("invoices", "show", NUMBER)
    (told,) = accepted.cli("invoices", "show", NUMBER, "--json").json["accepted"]
    assert told["accepted_at"].startswith("20")
    assert told["code"] == "edited-in-xero"
    assert "differs (accepted)" in shown.stdout.lower()
    said = " ".join(accepted.cli("drift").stdout.split())
    assert said.startswith("Nothing differs but what a person has accepted: 2 of 3 finalised invoices are in Xero")
    (undo,) = [each for each in commands_in(shown.stdout) if "unaccept" in each]
    money_goes_on(accepted)
    assert accepted.run(undo).exit_code == 0
    assert states(accepted)[f"inv_{NUMBER}"] == "differs"
    assert [row["code"] for row in accepted.unsynced()] == ["edited-in-xero"]
    assert [ends(accepted, command) for command in ("push", "pull")] == [3, 3]
    refused = accepted.cli("invoices", "unaccept", NUMBER, "--json")
    assert (refused.exit_code, refused.json["error"]["code"]) == (1, "not-accepted")
    accepts(accepted)


def test_who_wants_caspens_version_after_all_gets_it(synced: Clinic) -> None:
    cuts(synced)
    pull(synced)
    accepts(synced)
    changed_in_caspen(synced, "210.00")
    assert ends(synced, "push") == 3
    accepts(synced, "pending")
    assert ends(synced, "push") == 0
    assert synced.run(f"caspen-xero push --overwrite {NUMBER}").exit_code == 0
    assert synced.in_xero()[NUMBER]["Total"] == Decimal("231.00")
    assert ends(synced, "pull") == 0
    assert set(states(synced).values()) == {"synced"}
    cuts(synced, "100.00")  # what was accepted once is told again
    assert ends(synced, "pull") == 3


def test_what_an_earlier_version_accepted_by_its_words_hides_nothing(synced: Clinic) -> None:
    moves_the_day(synced)
    pull(synced)
    synced.sql(
        "INSERT INTO accepted (tenant_id, invoice_id, difference, accepted_at) VALUES (?, ?, 'words', '2026-11-01')",
        synced.tenant_id,
        f"inv_{NUMBER}",
    )
    assert ends(synced, "pull") == 3
    accepts(synced)


def test_what_xero_has_is_shown_though_a_person_is_content_with_it(accepted: Clinic) -> None:
    """An accepted number is not shown as if Xero had Caspen's: who searches there has to find it."""
    shown = next(one for one in accepted.state("Invoices") if one["Total"] and _is_linked(accepted, one))
    sides = accepted.cli("invoices", "show", NUMBER, "--json").json["both_sides"]
    by_name = {one["what"]: one for one in sides if one["part"] == "invoice"}
    theirs = {
        "number": shown["InvoiceNumber"],
        "date": shown["DateString"][:10],
        "contact": shown["Contact"]["Name"],
        "total": f"{shown['Total']:.2f}",
    }
    assert {name: by_name[name]["xero"] for name in theirs} == theirs
    other = {name for name in theirs if by_name[name]["caspen"] not in theirs[name]}
    assert len(other) == 1
    assert {name for name in theirs if by_name[name]["differs"]} == other
    assert all(by_name[name]["accepted"] for name in other)
    words = " ".join(accepted.cli("invoices", "show", NUMBER).stdout.split())
    assert "differs, accepted" in words
    assert accepted.cli("invoices", "unaccept", NUMBER).exit_code == 0
    sides = accepted.cli("invoices", "show", NUMBER, "--json").json["both_sides"]
    assert not any(one["accepted"] for one in sides)


def _is_linked(clinic: Clinic, found: dict[str, Any]) -> bool:
    return bool(found["InvoiceID"] == clinic.listed()[NUMBER]["xero_invoice_id"])


def run(clinic: Clinic, *commands: str) -> list[int]:
    return [clinic.cli(command).exit_code for command in commands]


def due_date(clinic: Clinic, day: str = "2026-12-24") -> list[tuple[str, bool]]:
    """What the tables of `drift` say of a moved due date: the code of each row, and whether it is information."""
    told = clinic.cli("drift", "--json").json
    rows = [(one["code"], name == "information") for name in ("drift", "information") for one in told[name]]
    assert all(day in str(told[name]) for name in ("drift", "information") if told[name])
    return rows


def test_a_due_date_that_was_edited_in_xero_is_told_once_and_settled_once(synced: Clinic) -> None:
    """It stays; a reconciliation lists it until a person is content with it, before or after it was found."""
    in_xero.edits(synced, NUMBER, DueDate="2026-12-24")
    assert ends(synced, "pull") == 0
    assert due_date(synced) == [("details-edited-in-xero", True)]
    assert run(synced, "reconcile") == [3]
    assert due_date(synced) == [("due-date", False)]
    (row,) = synced.unsynced()
    assert "--overwrite" not in commands_in(row["fix"])[0]
    for _ in range(2):
        accepts(synced)
        assert run(synced, "reconcile", "push", "pull", "reconcile") == [0, 0, 0, 0]
        assert due_date(synced) == [("details-edited-in-xero", True)]
        assert synced.cli("invoices", "unaccept", NUMBER).exit_code == 0
        assert run(synced, "reconcile") == [3]
    assert synced.run(ACCEPT).exit_code == 0


def test_who_accepts_an_edited_invoice_is_not_asked_about_its_due_date_again(synced: Clinic) -> None:
    in_xero.edits(synced, NUMBER, Date="2026-11-12", DueDate="2026-12-24")
    assert ends(synced, "pull") == 3
    accepts(synced)
    assert [one["accepted"] for one in _sides_of(synced) if one["mark"]] == [True, True]
    assert run(synced, "reconcile", "push", "pull", "reconcile") == [0, 0, 0, 0]
    (side,) = [one for one in _sides_of(synced) if one["what"] == "due date"]
    assert (side["xero"], side["differs"], side["accepted"]) == ("2026-12-24", True, True)
    in_xero.edits(synced, NUMBER, DueDate="2026-12-25")
    assert run(synced, "reconcile") == [3]


def test_a_due_date_alone_can_be_accepted_before_anybody_has_asked(synced: Clinic) -> None:
    in_xero.edits(synced, NUMBER, DueDate="2026-12-24")
    assert ends(synced, "pull") == 0
    (told,) = synced.cli("drift", "--json").json["information"]
    assert ACCEPT in commands_in(told["fix"])
    accepts(synced)
    (told,) = synced.cli("drift", "--json").json["information"]
    assert ACCEPT not in commands_in(told["fix"])
    assert run(synced, "reconcile", "pull", "push", "reconcile") == [0, 0, 0, 0]


@pytest.mark.parametrize("seen_by", ["push", "pull"])
def test_who_accepts_that_it_is_void_in_xero_needs_no_other_command_first(synced: Clinic, seen_by: str) -> None:
    in_xero.edits(synced, NUMBER, Status="VOIDED")
    if seen_by == "push":
        synced.takes(payment(3, NUMBER, "20.00"))
    assert ends(synced, seen_by) == 3
    (row,) = synced.unsynced()
    assert (row["code"], commands_in(row["fix"])[1:]) == ("voided-in-xero", ["caspen-xero sync", ACCEPT])
    assert synced.run(ACCEPT).exit_code == 0
    assert run(synced, "pull", "push", "pull", "push") == [0, 0, 0, 0]
    assert synced.cli("status", "--json").json["in_order"]


def _sides_of(clinic: Clinic) -> list[dict[str, Any]]:
    return list(clinic.cli("invoices", "show", NUMBER, "--json").json["both_sides"])
