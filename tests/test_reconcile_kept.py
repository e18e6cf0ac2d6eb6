"""What a reconciliation has found is kept: the invoice differs everywhere, until either side is another or a proof says so."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, date, datetime, timedelta

import in_xero
import pytest
from bookkeeping import Bookkeeper
from clinics import EFTPOS, client, invoice, line
from kept_proofs import find, proves
from one_truth import ends, states
from pulling import payment, pull
from pushing import Clinic, commands_in

from caspen_xero.cli.session import Session
from caspen_xero.store import readings
from caspen_xero.store.mappings import Mappings
from caspen_xero.store.readings import KeptPage, UnderWay
from caspen_xero.store.store import Store, utc_text
from caspen_xero.sync.reconciling.ledger import Asked
from caspen_xero.times import local

FIGURES = find(
    "figures", caspen="subtotal 200.00, tax 20.00, total 220.00", xero="subtotal 200.00, tax 19.99, total 219.99"
)
DATE = find("date", caspen="2026-11-02", xero="2026-11-01")
OCTOBER = Asked(date(2026, 10, 1), date(2026, 10, 31), date(2026, 10, 31))


@pytest.fixture
def synced(ready: Clinic) -> Clinic:
    """Three invoices of 220.00 in Xero, the first with a payment of 100.00 of ours."""
    ready.takes(client("1048237"), EFTPOS, *(invoice(f"INV-000{n}", [line("200.00")]) for n in (1, 2, 3)))
    ready.takes(payment(1, "INV-0001", "100.00"))
    assert [ends(ready, command) for command in ("push", "pull")] == [0, 0]
    return ready


def differing(clinic: Clinic) -> set[str]:
    """The numbers of the invoices that differ, once all commands agreed on that."""
    return {id_.removeprefix("inv_") for id_, state in states(clinic).items() if state == "differs"}


def proved(clinic: Clinic) -> str:
    """What `status` says of the last proof."""
    words = " ".join(clinic.cli("status").stdout.split())
    return words.partition(" Proved ")[2].partition(" To do ")[0].partition(" Store ")[0]


def test_what_was_found_differs_in_every_command(synced: Clinic) -> None:
    proves(synced, FIGURES, find("line", subject="line 1", caspen="10.00 of tax", xero="9.99 of tax"))
    assert differing(synced) == {"INV-0001"}
    rows = synced.unsynced()
    assert {(row["number"], row["code"], row["sync_status"]) for row in rows} == {
        ("INV-0001", "not-equal-in-xero", "differs")
    }
    assert [row["reason"] for row in rows] == [
        "subtotal, tax or total: subtotal 200.00, tax 20.00, total 220.00 in Caspen, subtotal 200.00, tax 19.99, total 219.99 in "
        "Xero",
        "a line's amount, tax or tax rate (line 1): 10.00 of tax in Caspen, 9.99 of tax in Xero",
    ]
    assert commands_in(rows[0]["fix"]) == [
        "caspen-xero push --overwrite INV-0001",
        "caspen-xero import PATH",
        "caspen-xero sync",
        "caspen-xero invoices accept INV-0001",
    ]
    drift = synced.cli("drift", "--json").json["drift"]
    assert [(one["code"], one["problem"], one["number"]) for one in drift] == [
        ("figures", "not-equal-in-xero", "INV-0001"),
        ("line", "not-equal-in-xero", "INV-0001"),
    ]
    assert "219.99" in drift[0]["xero"]
    assert [ends(synced, command) for command in ("push", "pull", "sync")] == [3, 3, 3]
    assert differing(synced) == {"INV-0001"}


@pytest.mark.parametrize(
    "code", ["due-date", "date", "contact", "twice-in-xero", "missing-in-xero", "credit-note-date"]
)
def test_whatever_was_found_of_an_invoice_it_differs(synced: Clinic, code: str) -> None:
    proves(synced, find(code))
    assert differing(synced) == {"INV-0001"}
    assert commands_in(synced.problem()["fix"])


def test_a_contact_whose_name_is_not_known_is_told_by_its_id(synced: Clinic) -> None:
    other = synced.put_in_xero("Contacts", Name="Tomas Reyes")
    in_xero.edits(synced, "INV-0002", Contact={"ContactID": other["ContactID"]})
    proves(synced, find("contact", "INV-0002"))
    assert f"in Caspen, contact {other['ContactID']} in Xero" in synced.problem("INV-0002")["reason"]


def test_what_was_found_of_no_invoice_of_caspens_is_told_by_status_alone(synced: Clinic) -> None:
    proves(synced, find("unknown-in-caspen", None, "", "80.00 of 2026-11-12"))
    assert differing(synced) == set()
    assert ends(synced, "push") == 0
    assert "1 in Xero that Caspen does not know" in proved(synced)


def test_it_is_over_once_xeros_invoice_is_another_and_a_pull_has_seen_it(
    synced: Clinic, bookkeeper: Bookkeeper
) -> None:
    proves(synced, FIGURES)
    bookkeeper.changes("INV-0001", reference="put right")
    assert differing(synced) == {"INV-0001"}
    assert ends(synced, "pull") == 0
    assert differing(synced) == set()


def test_it_is_over_once_caspens_record_is_another(synced: Clinic) -> None:
    proves(synced, find("payment-amount", subject="EFTPOS all_1", caspen="100.00", xero="90.00"))
    assert differing(synced) == {"INV-0001"}
    synced.takes(payment(1, "INV-0001", "100.00", date="2026-11-04", updated_at="2026-12-01T00:00:00Z"))
    assert states(synced)["inv_INV-0001"] == "pending"


def test_it_is_over_once_caspens_version_was_written_over_it(synced: Clinic) -> None:
    proves(synced, find("date", "INV-0002"))
    (overwrite,) = [each for each in commands_in(synced.problem("INV-0002")["fix"]) if "--overwrite" in each]
    in_xero.edits(synced, "INV-0002", Date="2026-11-01")
    synced.run(overwrite)
    assert differing(synced) == set()


def test_a_pull_that_sees_what_the_reading_saw_ends_nothing(synced: Clinic, bookkeeper: Bookkeeper) -> None:
    bookkeeper.changes("INV-0002", due_date=date(2026, 12, 24))
    proves(synced, find("due-date", "INV-0002", "2026-11-30", "2026-12-24"))
    assert ends(synced, "pull") == 3
    pull(synced, "--full")
    assert differing(synced) == {"INV-0002"}


def test_a_later_proof_that_does_not_find_it_ends_it(synced: Clinic) -> None:
    proves(synced, FIGURES, find("date", "INV-0002"))
    proves(synced, of=["INV-0003"])
    assert differing(synced) == {"INV-0001", "INV-0002"}
    proves(synced, of=["INV-0001"])
    assert differing(synced) == {"INV-0002"}
    proves(synced, find("date", "INV-0003"))
    assert differing(synced) == {"INV-0003"}


def test_a_payment_that_a_later_proof_finds_equal_is_over_though_its_invoice_was_not_compared(synced: Clinic) -> None:
    notes = [find("credit-note-line", subject="credit note CRN-0001, line 2"), find("credit-date", subject="CRN-0001")]
    proves(synced, find("payment-date", subject="pay_1/all_1"), find("line", subject="line 1"), *notes)
    proves(synced, of=[], payments=["pay_1/all_1"], notes=["CRN-0001"])
    assert [row["code"] for row in synced.cli("drift", "--json").json["drift"]] == ["line"]


def test_where_something_else_tells_of_it_that_alone_is_said(synced: Clinic, bookkeeper: Bookkeeper) -> None:
    in_xero.edits(synced, "INV-0001", InvoiceNumber="X-77")
    proves(
        synced,
        find("number", xero="X-77"),
        find("payment-date", subject="pay_1/all_1", caspen="2026-11-03", xero="2026-11-04"),
    )
    assert {row["code"] for row in synced.unsynced()} == {"not-equal-in-xero"}
    assert ends(synced, "pull") == 3
    assert sorted((row["code"], "2026-11-04" in row["reason"]) for row in synced.unsynced()) == [
        ("edited-in-xero", False),
        ("not-equal-in-xero", True),  # of the payment nothing else tells
    ]
    assert differing(synced) == {"INV-0001"}
    bookkeeper.changes("INV-0002", status="VOIDED")
    proves(
        synced, find("voided-in-xero", "INV-0002"), find("payment-missing-in-xero", "INV-0002", subject="pay_2/all_2")
    )
    assert ends(synced, "pull") == 3
    assert synced.problem("INV-0002")["code"] == "voided-in-xero"


def test_what_is_pending_stays_pending_and_what_is_set_aside_stays_so(synced: Clinic) -> None:
    proves(synced, find("due-date"), find("due-date", "INV-0002"))
    synced.cli("invoices", "skip", "INV-0002")
    synced.sql("UPDATE links SET done_up_to = NULL WHERE kind = 'invoice' AND caspen_id = 'inv_INV-0001'")
    found = states(synced)
    assert (found["inv_INV-0001"], found["inv_INV-0002"]) == ("pending", "skipped")
    assert ends(synced, "push") == 3  # nothing was to be sent, and nothing is another
    assert differing(synced) == {"INV-0001"}


# --- accepted


def test_who_is_content_with_it_hears_no_more_of_it_until_something_else_is_found(synced: Clinic) -> None:
    proves(synced, FIGURES)
    assert synced.run("caspen-xero invoices accept INV-0001").exit_code == 0
    assert differing(synced) == {"INV-0001"}
    assert [ends(synced, command) for command in ("push", "pull", "sync")] == [0, 0, 0]
    assert proves(synced, FIGURES).is_equal
    assert (differing(synced), synced.unsynced()) == ({"INV-0001"}, [])
    assert not proves(synced, DATE).is_equal
    assert [row["code"] for row in synced.unsynced()] == ["not-equal-in-xero"]
    assert not proves(synced, FIGURES, DATE).is_equal  # with both of them nobody has said to be content
    assert ends(synced, "push") == 3


def test_of_two_things_one_may_be_accepted_as_it_was_and_the_other_is_told(synced: Clinic) -> None:
    money = find("payment-amount", subject="pay_1/all_1", caspen="100.00", xero="90.00")
    proves(synced, money)
    synced.cli("invoices", "accept", "INV-0001")
    again = proves(synced, money, FIGURES)
    assert [one.accepted for one in again.finds] == [True, False]
    assert "219.99" in synced.problem()["reason"]
    assert "90.00" not in synced.problem()["reason"]


def test_what_was_accepted_is_asked_about_anew_once_it_was_taken_back_or_over(synced: Clinic) -> None:
    proves(synced, FIGURES)
    synced.cli("invoices", "accept", "INV-0001")
    assert synced.cli("invoices", "unaccept", "INV-0001").exit_code == 0
    assert ends(synced, "push") == 3
    synced.cli("invoices", "accept", "INV-0001")
    proves(synced)
    assert ends(synced, "pull") == 0
    assert differing(synced) == set()
    assert not proves(synced, FIGURES).is_equal
    assert ends(synced, "push") == 3


def test_what_a_person_has_accepted_elsewhere_is_no_trouble_for_a_proof_that_finds_it(
    synced: Clinic, bookkeeper: Bookkeeper
) -> None:
    bookkeeper.changes("INV-0002", date=date(2026, 11, 1))
    pull(synced)
    synced.cli("invoices", "accept", "INV-0002")
    proves(synced, find("date", "INV-0002", "2026-11-02", "2026-11-01", accepted=True))
    assert proved(synced).startswith(f"equal to the cent but for 1 that a person accepted on {today()}, 3 invoices")
    assert ends(synced, "push") == 0
    synced.cli("invoices", "unaccept", "INV-0002")
    assert synced.problem("INV-0002")["code"] == "edited-in-xero"


# --- what is kept says nothing of people that outlives them


def test_of_contacts_ids_are_kept_and_the_names_are_those_of_now(synced: Clinic) -> None:
    other = synced.put_in_xero("Contacts", Name="Tomas Reyes")
    in_xero.edits(synced, "INV-0002", Contact={"ContactID": other["ContactID"]})
    synced.cli("push", "--refresh")
    synced.takes(client("1048299", "Tomas", "Reyes"), invoice("INV-0009", client_id="1048299"))
    synced.push()  # reads Xero's contacts
    proves(synced, find("contact", "INV-0002", "Nell Okafor (Caspen 48237)", "Tomas Reyes"))
    kept = [tuple(row) for row in synced.sql("SELECT what, caspen, xero FROM not_equal")]
    assert kept[0][2] == other["ContactID"]
    assert not any("Okafor" in text or "Reyes" in text for row in kept for text in row)
    assert "Tomas Reyes in Xero" in synced.problem("INV-0002")["reason"]


def test_a_name_at_the_end_of_what_was_found_is_not_kept(synced: Clinic) -> None:
    proves(synced, find("gone-in-caspen", caspen="void", xero="INV-0001 of 2026-11-02, 220.00 AUD, Nell"))
    (row,) = synced.sql("SELECT xero FROM not_equal")
    assert row["xero"] == "INV-0001 of 2026-11-02, 220.00 AUD"


@pytest.mark.parametrize(("code", "left"), [("due-date", 0), ("line", 1)])
def test_what_is_settled_but_for_a_bookkeepers_decision_is_purged(
    synced: Clinic, code: str, left: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced.takes(payment(2, "INV-0001", "120.00"))
    synced.push()
    pull(synced)
    proves(synced, find(code, caspen="Anxiety, first session", xero="Anxiety"))
    monkeypatch.setattr(Session, "now", lambda session: datetime.now(UTC) + timedelta(days=500))
    assert synced.cli("purge", "--older-than", "400d", "--yes").exit_code == 0
    assert len(synced.sql("SELECT * FROM not_equal")) == left
    assert bool(synced.sql("SELECT 1 FROM invoices WHERE id = 'inv_INV-0001' AND purged IS NULL")) == bool(left)


# --- what `status` says


def today() -> str:
    now = datetime.now().astimezone()
    return f"{now.day} {now:%b %Y}"


def test_status_says_what_was_proved_and_when(synced: Clinic) -> None:
    assert synced.cli("status", "--json").json["proof"] is None
    assert proved(synced) == ""
    proves(synced)
    assert proved(synced) == f"equal to the cent on {today()}, 3 invoices"
    told = synced.cli("status", "--json").json["proof"]
    assert told | {"read_at": ""} == {
        "read_at": "",
        "from": None,
        "to": "2099-12-31",
        "as_at": "2099-12-31",
        "compared": 3,
        "proved": 3,
        "differ": 0,
        "accepted": 0,
        "unknown": 0,
        "not_yet": 0,
        "money_not_yet": 0,
        "unexplained": 0,
        "changed_since": 0,
        "equal": True,
        "api_calls": 3,
    }


def test_status_calls_books_equal_only_where_all_of_them_were(synced: Clinic) -> None:
    proves(synced, not_yet=1)
    assert proved(synced) == (
        f"not complete on {today()}, though what is on both sides is equal to the cent, 3 invoices; 1 not in Xero yet then: "
        "caspen-xero reconcile"
    )
    proves(synced, money_not_yet=1)
    assert proved(synced).startswith(f"not complete on {today()}")
    proves(synced, find("unknown-in-caspen", None, "", "80.00 of 2026-11-12"))
    assert proved(synced).startswith(f"not equal on {today()}, though what is on both sides is equal to the cent")
    assert not synced.cli("status", "--json").json["proof"]["equal"]


def test_status_goes_on_saying_what_was_accepted_after_a_payment_went_on_it(synced: Clinic) -> None:
    proves(synced, FIGURES)
    synced.cli("invoices", "accept", "INV-0001")
    proves(synced, FIGURES)
    synced.takes(payment(2, "INV-0001", "20.00"))
    synced.push()
    assert proved(synced).startswith(
        f"equal to the cent but for 1 that a person accepted on {today()}, 3 invoices; 1 new"
    )


def test_status_names_the_period_where_one_was_asked_for(synced: Clinic) -> None:
    proves(synced, asked=OCTOBER)
    assert proved(synced) == f"equal to the cent on {today()}, 3 invoices of 1 Oct 2026 to 31 Oct 2026"
    proves(synced, asked=Asked(None, date(2026, 10, 31), date(2026, 10, 31)), of=["INV-0001"])
    assert proved(synced) == f"equal to the cent on {today()}, 1 invoice up to 31 Oct 2026"
    proves(synced, asked=OCTOBER, of=[])
    assert proved(synced) == f"no invoice was to be compared on {today()} of 1 Oct 2026 to 31 Oct 2026"


def test_status_says_how_what_was_found_stands_by_now(synced: Clinic, bookkeeper: Bookkeeper) -> None:
    proves(synced, FIGURES, find("date", "INV-0002"), not_yet=2)
    assert proved(synced) == f"2 of 3 invoices differ ({today()}); 2 not in Xero yet then: caspen-xero reconcile"
    synced.cli("invoices", "accept", "INV-0001")
    assert proved(synced).startswith(f"1 of 3 invoices differs ({today()}); 1 more as accepted;")
    synced.cli("invoices", "accept", "INV-0002")
    equal = "though what is on both sides is equal to the cent but for 2 that a person accepted, 3 invoices"
    assert proved(synced).startswith(f"not complete on {today()}, {equal}; 2 not in Xero yet then")
    bookkeeper.changes("INV-0002", reference="put right")
    pull(synced)
    told = synced.cli("status", "--json").json["proof"]
    assert (told["differ"], told["accepted"], told["changed_since"], told["equal"]) == (0, 1, 1, False)
    assert proved(synced).startswith(f"2 of 3 invoices differed on {today()}, and 1 changed since; ")
    assert proved(synced).endswith("; 1 new, changed or sent since: caspen-xero reconcile")


def test_status_says_what_was_changed_or_sent_since(synced: Clinic, bookkeeper: Bookkeeper) -> None:
    proves(synced)
    synced.takes(invoice("INV-0004"))
    assert proved(synced) == f"equal to the cent on {today()}, 3 invoices; 1 new, changed or sent since"
    synced.push()
    bookkeeper.changes("INV-0001", reference="theirs")
    pull(synced)
    assert synced.cli("status", "--json").json["proof"]["changed_since"] == 2
    proves(synced, asked=OCTOBER)
    synced.takes(payment(2, "INV-0002", "20.00"))
    assert synced.cli("status", "--json").json["proof"]["changed_since"] == 0  # of that period nothing


def test_status_says_how_a_reading_that_was_broken_off_goes_on(synced: Clinic) -> None:
    assert synced.cli("status", "--json").json["reading"] is None
    began = datetime.now(UTC) - timedelta(hours=2)
    reading = UnderWay(date(2026, 10, 1), date(2026, 10, 31), date(2026, 11, 2), began, began)
    with closing(Store(synced.store_file)) as store:
        mappings = Mappings(store, synced.tenant_id)
        readings.begin(mappings, reading)
        readings.keep(mappings, KeptPage("Invoices", 1, 1000, 2100, False, False, b"[]"), 1)
    goes_on = "caspen-xero reconcile --from 2026-10-01 --to 2026-10-31 --as-at 2026-11-02"
    told = synced.cli("status", "--json").json["reading"]
    assert told == {"began_at": utc_text(began), "documents": 1000, "fix": goes_on}
    words = " ".join(synced.cli("status").stdout.split())
    assert f"a reading was begun on {local(began)}, 1,000 documents read; it goes on with: {goes_on}" in words


def test_what_was_found_is_shown_beside_what_caspen_has(synced: Clinic) -> None:
    """No pull has seen it: the reconciliation alone knows what Xero has."""
    there = {"caspen": "payment of 100.00 of 2026-11-03 (EFTPOS)", "xero": "on 2026-11-04"}
    proves(
        synced,
        find("payment-date", subject="pay_1/all_1", **there),
        find("date", "INV-0001", "2026-11-02", "2026-11-09"),
        find(
            "figures",
            "INV-0001",
            "subtotal 200.00, tax 20.00, total 220.00",
            "subtotal 200.00, tax 19.99, total 219.99",
        ),
    )
    sides = synced.cli("invoices", "show", "INV-0001", "--json").json["both_sides"]
    marked = {one["what"]: one["xero"] for one in sides if one["mark"] == "differs"}
    assert (marked["date"], marked["tax"], marked["total"]) == ("2026-11-09", "19.99", "219.99")
    assert [one["xero"] for one in sides if one["part"] == "payment" and one["differs"]] == ["100.00 on 2026-11-04"]
    assert not any(one["accepted"] for one in sides)
    synced.run("caspen-xero invoices accept INV-0001")
    sides = synced.cli("invoices", "show", "INV-0001", "--json").json["both_sides"]
    assert all(one["accepted"] for one in sides if one["differs"])
