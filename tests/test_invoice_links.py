"""What a person says of an invoice, or a payment of it, in Xero: compared before it is linked, and taken back without a trace."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import in_xero
import pytest
from bookkeeping import told
from clinics import EFTPOS, client, credit_note, invoice, line, payment
from pushing import Clinic

from caspen_xero.commands import each_command
from caspen_xero.store.known_contacts import KnownContact
from caspen_xero.sync.planning.contact_matching import merged_into

NUMBER = "INV-0001"
ROB: dict[str, Any] = {"Name": "Rob Lee"}
NELL: dict[str, Any] = {"Name": "Nell Okafor"}


def by_hand(clinic: Clinic, contact: dict[str, Any] | str, **other: Any) -> str:
    """A bookkeeper writes an invoice that is just Caspen's INV-0001, but for what is said; gives its InvoiceID."""
    if not isinstance(contact, str):
        contact = str(in_xero.writes(clinic, "PUT", "Contacts", {"Contacts": [contact]})["Contacts"][0]["ContactID"])
    price = other.pop("price", "150.00")
    written = {
        "Type": "ACCREC",
        "InvoiceNumber": NUMBER,
        "Contact": {"ContactID": contact},
        "Date": "2026-11-02",
        "DueDate": "2026-11-16",
        "Status": "AUTHORISED",
        "LineItems": [
            {"Description": "x", "Quantity": 1, "UnitAmount": price, "AccountCode": "200", "TaxType": "OUTPUT"}
        ],
    }
    made = in_xero.writes(clinic, "PUT", "Invoices", {"Invoices": [{**written, **other}]})
    return str(made["Invoices"][0]["InvoiceID"])


def commands_in(printed: str) -> list[str]:
    """The commands that a person would copy out of a text, in their order."""
    found: list[str] = []
    each_command(printed, lambda ours: found.append(ours) or ours)  # type: ignore[func-returns-value]
    return found


def last_in(printed: str) -> str:
    return commands_in(printed)[-1]


def error_of(said: Any) -> dict[str, Any]:
    assert said.exit_code == 1, said.stdout
    return dict(said.json["error"])


@pytest.fixture
def taken(ready: Clinic) -> Clinic:
    """Nell's invoice has the number that Rob Lee's has in Xero, and is paid in part in Caspen."""
    by_hand(ready, ROB, price="40.00", Date="2026-10-01")
    ready.takes(EFTPOS, client("1048237"), invoice(), payment("65.00", ("inv_INV-0001", "65.00")))
    assert ready.push().exit_code == 3
    return ready


# --- whose it is


def test_a_number_that_another_persons_invoice_has_shows_both_and_offers_no_link_as_the_fix(taken: Clinic) -> None:
    problem = taken.problem()
    xero_id = taken.in_xero()[NUMBER]["InvoiceID"]
    assert problem["code"] == "invoice-number-taken"
    for shown in ("44.00", "2026-10-01", "Rob Lee", "165.00", "Nell Okafor", "2026-11-02", xero_id):
        assert shown in problem["reason"]
    assert f"/invoicing/view/{xero_id}" in problem["reason"]
    assert f"caspen-xero invoices link --force {NUMBER} {xero_id}" in problem["reason"]
    assert "invoices link" not in problem["fix"]
    taken.takes(invoice("INV-0901", id="inv_INV-0001", updated_at="2026-11-21T00:00:00Z"))
    assert taken.run(last_in(problem["fix"])).exit_code == 0
    assert taken.unsynced() == []


def test_another_persons_invoice_is_not_linked_and_what_differs_is_said(taken: Clinic) -> None:
    xero_id = taken.in_xero()[NUMBER]["InvoiceID"]
    error = error_of(taken.cli("invoices", "link", NUMBER, xero_id, "--json"))
    assert error["code"] == "link-differs"
    for name in ("contact", "date", "total", "tax"):
        assert f"{name} is " in error["message"]
    assert "number is" not in error["message"]
    assert taken.sql("SELECT * FROM links WHERE kind = 'invoice'") == []
    shown = taken.cli("invoices", "link", NUMBER, xero_id).stdout
    assert re.search(r"Contact +Nell Okafor \(Caspen 48237\) +Rob Lee +differs", shown)
    assert re.search(rf"Number +{NUMBER} +{NUMBER} *\n", shown)


def test_our_clients_money_is_not_paid_onto_what_was_linked_by_force(taken: Clinic) -> None:
    xero_id = taken.in_xero()[NUMBER]["InvoiceID"]
    fix = error_of(taken.cli("invoices", "link", NUMBER, xero_id, "--json"))["fix"]
    linked = taken.run(fix.rpartition(": ")[2])
    assert linked.exit_code == 0
    assert "it writes, pays and credits nothing there" in linked.stdout
    taken.forget_calls()
    assert taken.push().exit_code == 3
    assert taken.writes() == []
    assert in_xero.payments(taken) == []
    problem = taken.problem()
    assert problem["code"] == "linked-with-differences"
    assert any(row["code"] == "linked-though-it-differs" for row in taken.cli("drift", "--json").json["drift"])
    assert taken.run(problem["fix"]).exit_code == 0
    taken.push()
    assert taken.problem()["code"] == "invoice-number-taken"


def test_a_person_may_say_that_it_is_the_same_debt_and_then_the_money_goes_both_ways(ready: Clinic) -> None:
    xero_id = by_hand(ready, NELL | {"ContactNumber": "from-elsewhere"})
    ready.takes(EFTPOS, client("1048237"), invoice(), payment("65.00", ("inv_INV-0001", "65.00")))
    ready.push()
    theirs = in_xero.pays(ready, NUMBER, "20.00")
    assert ready.cli("invoices", "link", "--force", NUMBER, xero_id).exit_code == 0
    held = ready.cli("sync", "--json").json["pull"]["held"]
    assert [one["id"] for one in held] == [theirs]
    assert told(ready) == []
    rows = [row for row in ready.unsynced() if row["number"] == NUMBER]
    assert {row["code"] for row in rows} == {"linked-with-differences"}
    (same,) = [each for row in rows for each in commands_in(row["reason"]) if " link " in each]
    assert same.startswith("caspen-xero invoices link --force --with-payments ")
    assert same in held[0]["fix"]
    assert ready.run(same).exit_code == 0
    assert ready.cli("sync", "--json").exit_code == 0
    assert ready.unsynced() == []
    assert sorted(one["Amount"] for one in in_xero.payments(ready)) == [Decimal("20.00"), Decimal("65.00")]
    assert [one["id"] for one in told(ready)] == [theirs]


def test_an_invoice_in_another_currency_is_left_alone_too(ready: Clinic) -> None:
    in_xero.writes(ready, "PUT", "Currencies", {"Code": "NZD"})
    xero_id = by_hand(ready, NELL, CurrencyCode="NZD")
    ready.takes(EFTPOS, client("1048237"), invoice(), payment("65.00", ("inv_INV-0001", "65.00")))
    error = error_of(ready.cli("invoices", "link", NUMBER, xero_id, "--json"))
    assert "currency is AUD in Caspen, NZD in Xero" in error["message"]
    assert ready.run(error["fix"][error["fix"].index("caspen-xero") :]).exit_code == 0
    assert ready.push().exit_code == 3
    assert (ready.problem()["code"], in_xero.payments(ready)) == ("linked-with-differences", [])


@pytest.mark.parametrize("what", ["a change", "a void"])
def test_what_was_linked_by_force_is_never_offered_to_be_written_over(taken: Clinic, what: str) -> None:
    taken.cli("invoices", "link", "--force", NUMBER, taken.in_xero()[NUMBER]["InvoiceID"])
    more = {"status": "void"} if what == "a void" else {"lines": [line("10.00")]}
    taken.takes(invoice(**more, updated_at="2026-11-21T00:00:00Z"))
    before = taken.in_xero()
    assert taken.push().exit_code == 3
    assert taken.push("--overwrite", NUMBER).exit_code == 3
    rows = taken.unsynced()
    assert all("--overwrite" not in row["fix"] for row in rows)
    for printed in dict.fromkeys(commands_in(row["fix"])[0] for row in rows):
        assert taken.run(printed).exit_code == 0
    assert taken.in_xero() == before


# --- what is compared


@pytest.mark.parametrize(
    ("other", "differs"),
    [
        ({}, []),
        ({"contact": NELL | {"Name": "Nell Okafor (Caspen 48237)"}}, []),
        ({"contact": NELL | {"Name": "nell okafor"}}, []),
        ({"contact": NELL | {"ContactNumber": "caspen-1048237"}}, []),
        ({"contact": NELL | {"ContactNumber": "caspen-9"}}, ["contact"]),
        ({"contact": NELL | {"Name": "Nell Okafor-Smith"}}, ["contact"]),
        ({"contact": ROB}, ["contact"]),
        ({"InvoiceNumber": "HAND-1"}, ["number"]),
        ({"Date": "2026-11-01"}, ["date"]),
        ({"price": "150.01"}, ["total"]),
        ({"LineAmountTypes": "NoTax", "price": "165.00"}, ["tax"]),
    ],
    ids=lambda case: str(case)[:60],
)
def test_whatever_differs_is_said_and_needs_to_be_meant(
    ready: Clinic, other: dict[str, Any], differs: list[str]
) -> None:
    xero_id = by_hand(ready, **{"contact": NELL, **other})
    ready.takes(client("1048237"), invoice())
    said = ready.cli("invoices", "link", NUMBER, xero_id, "--json")
    if not differs:
        assert (said.exit_code, said.json["differences"]) == (0, [])
        return
    error = error_of(said)
    assert re.findall(r"(\w+) is .*? in Caspen", error["message"]) == differs
    assert ready.sql("SELECT * FROM links WHERE kind = 'invoice'") == []
    forced = ready.run(last_in(error["fix"]) + " --json")
    assert [one["what"] for one in forced.json["differences"]] == differs
    sides = ready.cli("invoices", "show", NUMBER, "--json").json["both_sides"]
    marked = {one["what"]: one for one in sides if one["mark"] and one["part"] == "invoice"}
    assert set(differs) <= set(marked)
    assert all(marked[name]["caspen"] != marked[name]["xero"] for name in differs if name != "contact")
    listed = [row["code"] for row in ready.cli("drift", "--json").json["drift"]]
    assert ("linked-though-it-differs" in listed) is bool({"number", "contact", "date"} & set(differs))


def test_an_invoice_of_a_client_of_ours_is_nobody_elses_though_they_have_one_name(ready: Clinic) -> None:
    ready.takes(client("1048237"), client("2"), invoice("INV-0009", client_id="2"), invoice())
    ready.push("INV-0009")
    hers = ready.in_xero()["INV-0009"]["Contact"]["ContactID"]
    error = error_of(ready.cli("invoices", "link", NUMBER, by_hand(ready, hers), "--json"))
    assert "contact is " in error["message"]
    assert "the client 2 in Caspen" in error["message"]


def test_of_two_namesakes_a_name_alone_says_nothing(ready: Clinic) -> None:
    ready.takes(client("1048237"), client("2"), invoice())
    assert "contact is " in error_of(ready.cli("invoices", "link", NUMBER, by_hand(ready, NELL), "--json"))["message"]


def test_a_contact_is_followed_into_the_one_that_it_was_merged_into(ready: Clinic) -> None:
    ready.takes(client("1048237"), invoice("INV-0009"), invoice())
    ready.push("INV-0009")
    ours = ready.in_xero()["INV-0009"]["Contact"]["ContactID"]
    xero_id = by_hand(ready, {"Name": "N. Okafor"})
    theirs = ready.in_xero()[NUMBER]["Contact"]["ContactID"]
    error_of(ready.cli("invoices", "link", NUMBER, xero_id, "--json"))
    ready.control(f"contacts/{ours}/merge", into=theirs)
    assert ready.cli("invoices", "link", NUMBER, xero_id).exit_code == 0


def test_once_xero_shows_it_as_caspen_has_it_nothing_differs_any_more(taken: Clinic) -> None:
    taken.cli("invoices", "link", "--force", NUMBER, taken.in_xero()[NUMBER]["InvoiceID"])
    nell = next(one["ContactID"] for name, one in taken.contacts().items() if name.startswith("Nell"))
    lines = [{"Description": "x", "Quantity": 1, "UnitAmount": "150.00", "AccountCode": "200", "TaxType": "OUTPUT"}]
    in_xero.edits(taken, NUMBER, Contact={"ContactID": nell}, Date="2026-11-02", LineItems=lines)
    assert taken.cli("sync").exit_code == 0
    assert taken.cli("drift", "--json").json["drift"] == []
    assert [one["Amount"] for one in in_xero.payments(taken)] == [Decimal("65.00")]


def test_both_sides_are_shown_once_whether_they_differ_or_not(ready: Clinic) -> None:
    ready.takes(client("1048237"), invoice())
    shown = ready.cli("invoices", "link", NUMBER, by_hand(ready, NELL)).stdout
    assert len(re.findall(r"Contact +Nell Okafor +Nell Okafor *\n", shown)) == 1
    ready.takes(invoice("INV-0002"))
    other = by_hand(ready, ROB, InvoiceNumber="INV-0002")
    assert ready.cli("invoices", "link", "--force", "INV-0002", other).stdout.count("Rob Lee") == 1


def test_what_is_linked_without_a_difference_is_paid_at_once(ready: Clinic) -> None:
    xero_id = by_hand(ready, NELL)
    ready.takes(EFTPOS, client("1048237"), invoice(), payment("65.00", ("inv_INV-0001", "65.00")))
    said = ready.cli("invoices", "link", NUMBER, xero_id)
    assert "Next, push will put its payments and credit notes there" in said.stdout
    assert ready.push().exit_code == 0
    assert [one["Amount"] for one in in_xero.payments(ready)] == [Decimal("65.00")]


@pytest.mark.parametrize("edit", [{"Date": "2026-11-05"}, {"InvoiceNumber": "OTHER-7"}, {"Contact": ROB}], ids=str)
def test_what_somebody_edits_on_it_afterwards_is_told(ready: Clinic, edit: dict[str, Any]) -> None:
    xero_id = by_hand(ready, NELL)
    ready.takes(client("1048237"), invoice())
    assert ready.cli("invoices", "link", NUMBER, xero_id).exit_code == 0
    assert ready.cli("sync").exit_code == 0
    if "Contact" in edit:
        rob = in_xero.writes(ready, "PUT", "Contacts", {"Contacts": [ROB]})["Contacts"][0]["ContactID"]
        edit = {"Contact": {"ContactID": rob}}
    in_xero.edits(ready, NUMBER, **edit)
    assert ready.cli("pull").exit_code == 3
    assert [row["code"] for row in ready.unsynced()] == ["edited-in-xero"]


def test_who_is_content_with_what_differs_still_hears_of_money_that_is_kept_back(ready: Clinic) -> None:
    by_hand(ready, ROB)
    ready.takes(EFTPOS, client("1048237"), invoice())
    assert ready.cli("invoices", "link", "--force", NUMBER, ready.in_xero()[NUMBER]["InvoiceID"]).exit_code == 0
    assert ready.push().exit_code == 3
    accepts = next(each for each in commands_in(ready.problem()["fix"]) if " accept " in each)
    assert ready.run(accepts).exit_code == 0
    assert ready.unsynced() == []
    ready.takes(payment("20.00", ("inv_INV-0001", "20.00")))
    assert ready.push().exit_code == 3
    assert ready.problem()["code"] == "linked-with-differences"
    ready.cli("invoices", "accept", NUMBER)  # it is no difference that one could be content with
    assert ready.problem()["code"] == "linked-with-differences"


def test_who_accepts_two_differences_of_one_kind_hears_when_one_of_them_is_another(ready: Clinic) -> None:
    xero_id = by_hand(ready, NELL, InvoiceNumber="OLD-1")
    ready.takes(client("1048237"), invoice())
    assert ready.cli("invoices", "link", "--force", NUMBER, xero_id).exit_code == 0
    ready.push()
    in_xero.edits(
        ready, "OLD-1", LineItems=[{"Description": "x", "Quantity": 1, "UnitAmount": "50.00", "AccountCode": "200"}]
    )
    assert ready.cli("pull").exit_code == 3
    reason = ready.problem()["reason"]
    assert [part for part in ("OLD-1", "total 165.00", "total 55.00") if part not in reason] == []
    assert ready.cli("invoices", "accept", NUMBER).exit_code == 0
    assert ready.unsynced() == []
    in_xero.edits(ready, "OLD-1", InvoiceNumber="Z-9")
    assert ready.cli("pull").exit_code == 3
    assert "Z-9" in ready.problem()["reason"]


def test_of_two_invoices_of_one_number_the_commands_name_the_one_that_is_meant(ready: Clinic) -> None:
    xero_id = by_hand(ready, ROB)
    ready.takes(client("1048237"), invoice(), invoice(id="inv_twin"))
    error = error_of(ready.cli("invoices", "link", "inv_twin", xero_id, "--json"))
    assert ready.run(last_in(error["fix"])).exit_code == 0
    (row,) = ready.cli("drift", "--json").json["drift"]
    assert commands_in(row["fix"]) == ["caspen-xero invoices unlink inv_twin", "caspen-xero invoices accept inv_twin"]
    assert ready.run(row["fix"]).exit_code == 0
    assert ready.sql("SELECT * FROM links WHERE kind = 'invoice'") == []


def test_a_contact_is_followed_however_often_it_was_merged() -> None:
    merges = {"a": "b", "b": "c", "d": "e", "e": "d", "f": "f", "g": "nobody knows"}
    contacts = {id_: KnownContact(id_, id_, None, "ARCHIVED", merged_to=into) for id_, into in merges.items()}
    become = {id_: merged_into(id_, contacts) for id_ in (*merges, "c")}
    assert become == {"a": "c", "b": "c", "d": "d", "e": "e", "f": "f", "g": "nobody knows", "c": "c"}


def test_a_client_whose_contact_was_merged_twice_is_linked_to_the_last_one(ready: Clinic) -> None:
    ready.takes(client("1048237"), invoice("INV-0009"))
    ready.push()
    first = ready.in_xero()["INV-0009"]["Contact"]["ContactID"]
    second, third = (ready.put_in_xero("Contacts", Name=name)["ContactID"] for name in ("N. Okafor", "Nell O."))
    ready.control(f"contacts/{first}/merge", into=second)
    ready.control(f"contacts/{second}/merge", into=third)
    ready.takes(invoice())
    assert ready.cli("adopt").exit_code == 0
    assert ready.push().exit_code == 0
    assert ready.in_xero()[NUMBER]["Contact"]["ContactID"] == third
    assert ready.unsynced() == []


# --- a person is asked


def test_at_a_terminal_the_differences_are_shown_and_enter_means_no(
    taken: Clinic, terminal: Callable[..., Any]
) -> None:
    xero_id = taken.in_xero()[NUMBER]["InvoiceID"]
    question = "They differ. Link them all the same? [y/N]"
    shown = terminal("invoices", "link", NUMBER, xero_id, typing=[(question, "")])
    assert shown.exit_code == 0
    assert "Nothing was linked." in shown.stdout
    assert re.search(r"Contact +Nell Okafor \(Caspen 48237\) +Rob Lee +differs", shown.stdout)
    assert taken.sql("SELECT * FROM links WHERE kind = 'invoice'") == []
    shown = terminal("invoices", "link", NUMBER, xero_id, typing=[(question, "y")])
    assert (shown.exit_code, shown.stdout.count("Rob Lee")) == (0, 1)
    assert taken.listed()[NUMBER]["xero_invoice_id"] == xero_id


# --- taken back


TABLES = {
    "links": "SELECT * FROM links WHERE kind <> 'client' ORDER BY kind, caspen_id",
    "problems": "SELECT invoice_id, code, subject, reason, fix, xero_says FROM problems ORDER BY 1, 2, 3",
    "holds": "SELECT step, caspen_id, code, reason, fix, xero_says, attempts FROM holds ORDER BY 1, 2",
    "seen": "SELECT * FROM seen_invoices ORDER BY invoice_id",
    "found": "SELECT xero_id, invoice_id, amount, delivered_at FROM xero_payments ORDER BY xero_id",
    "members": "SELECT * FROM batch_members ORDER BY xero_id",
    "waiting": "SELECT invoice_id, code FROM waiting ORDER BY invoice_id",
}


def dump(clinic: Clinic, *tables: str) -> dict[str, list[tuple[Any, ...]]]:
    return {name: [tuple(row) for row in clinic.sql(TABLES[name])] for name in tables or TABLES}


def test_a_link_that_is_taken_back_leaves_no_trace(taken: Clinic) -> None:
    xero_id, before = taken.in_xero()[NUMBER]["InvoiceID"], dump(taken)
    assert taken.cli("invoices", "link", "--force", NUMBER, xero_id).exit_code == 0
    in_xero.pays(taken, NUMBER, "20.00")
    taken.cli("sync")
    assert dump(taken) != before
    assert taken.cli("invoices", "unlink", NUMBER).exit_code == 0
    assert dump(taken) == before
    assert taken.problem()["code"] == "invoice-number-taken"
    assert taken.push().exit_code == 3
    assert len(taken.in_xero()) == 1
    assert taken.problem()["code"] == "invoice-number-taken"
    assert taken.cli("sync", "--json").json["pull"]["payments"] == 0


def test_what_a_person_has_unlinked_is_not_linked_again_by_itself_though_it_agrees(ready: Clinic) -> None:
    xero_id = by_hand(ready, NELL | {"Name": "Nell Okafor (Caspen 48237)"})
    ready.takes(client("1048237"), invoice())
    assert ready.cli("invoices", "link", NUMBER, xero_id).exit_code == 0
    assert ready.cli("invoices", "unlink", NUMBER, xero_id).exit_code == 0
    assert ready.push().exit_code == 3
    problem = ready.problem()
    assert problem["code"] == "invoice-number-taken"
    assert ready.cli("adopt").exit_code == 3
    assert ready.sql("SELECT * FROM links WHERE kind = 'invoice'") == []
    assert ready.run(problem["fix"]).exit_code == 0
    assert ready.push().exit_code == 0


def test_what_caspen_xero_has_made_itself_is_not_unlinked(ready: Clinic) -> None:
    ready.takes(EFTPOS, client("1048237"), invoice(), payment("65.00", ("inv_INV-0001", "65.00")))
    ready.push()
    (paid,) = in_xero.payments(ready)
    before = dump(ready)
    again = ready.cli("invoices", "link", NUMBER, ready.in_xero()[NUMBER]["InvoiceID"], "--json")
    assert (again.exit_code, again.json["push"]) == (0, "")
    for what in ((), (paid["PaymentID"],)):
        assert error_of(ready.cli("invoices", "unlink", NUMBER, *what, "--json"))["code"] == "link-not-by-hand"
    assert dump(ready) == before


def test_what_stands_on_it_by_our_doing_has_to_go_first(ready: Clinic) -> None:
    xero_id = by_hand(ready, NELL)
    paid = payment("65.00", ("inv_INV-0001", "65.00"))
    ready.takes(EFTPOS, client("1048237"), invoice(), paid, credit_note())
    ready.cli("invoices", "link", NUMBER, xero_id)
    assert ready.push().exit_code == 0
    error = error_of(ready.cli("invoices", "unlink", NUMBER, "--json"))
    assert error["code"] == "link-in-use"
    assert "CN-0001" in error["message"]
    later = {"updated_at": "2026-11-21T00:00:00Z"}
    ready.takes({**paid, "status": "void", **later}, {**credit_note(), "status": "void", **later})
    for command in commands_in(error["fix"])[1:]:  # the first reads what was just imported
        assert ready.run(command).exit_code == 0
    assert error_of(ready.cli("invoices", "unlink", NUMBER, "--json"))["code"] == "link-not-linked"


# --- payments


@pytest.fixture
def unpaid(ready: Clinic) -> Clinic:
    """An invoice in Xero, on which nothing is paid."""
    ready.takes(EFTPOS, client("1048237"), invoice())
    assert ready.push().exit_code == 0
    return ready


@pytest.mark.parametrize("force", [(), ("--force",)])
def test_a_payment_is_never_linked_to_one_of_another_amount(unpaid: Clinic, force: tuple[str, ...]) -> None:
    there = in_xero.pays(unpaid, NUMBER, "60.00")
    unpaid.takes(payment("110.00", ("inv_INV-0001", "110.00")))
    unpaid.push()
    error = error_of(unpaid.cli("invoices", "link", NUMBER, there, *force, "--json"))
    assert error["code"] == "link-does-not-fit"
    assert all(part in error["message"] for part in ("60.00", "110.00", "Only equal amounts are one payment"))
    assert unpaid.sql("SELECT * FROM links WHERE kind = 'payment'") == []
    later = {"updated_at": "2026-11-21T00:00:00Z"}
    unpaid.takes(payment("60.00", ("inv_INV-0001", "60.00"), **later))
    unpaid.run(last_in(error["fix"]))
    assert unpaid.run(unpaid.problem()["fix"]).exit_code == 0
    assert unpaid.push().exit_code == 0
    assert [one["PaymentID"] for one in in_xero.payments(unpaid)] == [there]


def test_of_several_alike_it_says_which_was_linked_and_what_of_it_differs(unpaid: Clinic) -> None:
    there = in_xero.pays(unpaid, NUMBER, "50.00", day="2026-11-05")
    unpaid.takes(*(payment("50.00", ("inv_INV-0001", "50.00"), id_=f"pay_{n}", date=f"2026-11-0{n}") for n in (3, 4)))
    said = unpaid.cli("invoices", "link", NUMBER, there).stdout
    assert (
        "its payment pay_3 of 50.00 linked to the one of 2026-11-05 in Xero, though Caspen's is of 2026-11-03" in said
    )
    assert "EFTPOS in Caspen, Bank feed there" in said
    assert "2 of Caspen's of that amount waited" in said


def test_who_links_a_payment_of_another_day_is_neither_asked_again_nor_told_that_it_differs(unpaid: Clinic) -> None:
    """Both days were shown; another day than these is a difference like any other."""
    there = in_xero.pays(unpaid, NUMBER, "50.00", day="2026-11-05")
    unpaid.takes(payment("50.00", ("inv_INV-0001", "50.00"), date="2026-11-03"))
    assert unpaid.cli("sync").exit_code == 3
    assert unpaid.cli("invoices", "link", NUMBER, there).exit_code == 0
    assert [row["code"] for row in unpaid.unsynced()] == ["not-pushed-yet"]
    assert there not in unpaid.cli("reconcile").stdout
    assert [unpaid.cli(command).exit_code for command in ("push", "reconcile", "pull", "reconcile")] == [0] * 4
    assert unpaid.listed()[NUMBER]["sync_status"] == "synced"
    sides = unpaid.cli("invoices", "show", NUMBER, "--json").json["both_sides"]
    (row,) = [one for one in sides if one["part"] == "payment"]
    assert (row["what"], row["caspen"], row["xero"]) == ("2026-11-03 EFTPOS", "50.00", "50.00 on 2026-11-05")
    assert (row["mark"], row["accepted"]) == ("differs", True)
    later = {"updated_at": "2026-11-21T00:00:00Z"}
    unpaid.takes(payment("50.00", ("inv_INV-0001", "50.00"), date="2026-11-04", **later))
    assert [unpaid.cli(command).exit_code for command in ("push", "reconcile")] == [0, 3]
    sides = unpaid.cli("invoices", "show", NUMBER, "--json").json["both_sides"]
    (row,) = [one for one in sides if one["part"] == "payment"]
    assert (row["xero"], row["mark"], row["accepted"]) == ("50.00 on 2026-11-05", "differs", False)


@pytest.mark.parametrize("is_pulled", [False, True])
def test_a_payment_that_is_unlinked_is_asked_about_again(unpaid: Clinic, is_pulled: bool) -> None:
    there = in_xero.pays(unpaid, NUMBER, "50.00")
    unpaid.takes(payment("50.00", ("inv_INV-0001", "50.00")))
    assert unpaid.cli("sync" if is_pulled else "push").exit_code == 3
    before = dump(unpaid, "problems", "holds", "found")
    assert unpaid.problem()["code"] == "payment-maybe-already-in-xero"
    assert unpaid.cli("invoices", "link", NUMBER, there).exit_code == 0
    assert unpaid.cli("sync").exit_code == 0
    assert unpaid.unsynced() == []
    assert unpaid.cli("invoices", "unlink", NUMBER, there).exit_code == 0
    assert dump(unpaid, "problems", "holds", "found") == before
    assert unpaid.problem()["code"] == "payment-maybe-already-in-xero"
    assert unpaid.cli("sync").exit_code == 3
    assert unpaid.problem()["code"] == "payment-maybe-already-in-xero"
    assert (told(unpaid), len(in_xero.payments(unpaid))) == ([], 1)


def test_after_a_payment_of_ours_was_deleted_there_unlinking_its_stand_in_sends_nothing(unpaid: Clinic) -> None:
    unpaid.takes(payment("50.00", ("inv_INV-0001", "50.00")))
    unpaid.push()
    (ours,) = in_xero.payments(unpaid)
    in_xero.writes(unpaid, "POST", f"Payments/{ours['PaymentID']}", {"Status": "DELETED"})
    there = in_xero.pays(unpaid, NUMBER, "50.00")
    unpaid.cli("sync")
    assert unpaid.cli("invoices", "link", NUMBER, there).exit_code == 0
    assert unpaid.push().exit_code == 0
    assert unpaid.cli("invoices", "unlink", NUMBER, there).exit_code == 0
    assert unpaid.push().exit_code == 3
    assert [one["PaymentID"] for one in in_xero.payments(unpaid)] == [there]


def test_what_stands_for_another_payment_offers_what_is_free_and_never_a_third_payment(unpaid: Clinic) -> None:
    taken = in_xero.pays(unpaid, NUMBER, "50.00", day="2026-11-04")
    rebate = in_xero.pays(unpaid, NUMBER, "50.00", day="2026-11-04", reference="Rebate")
    unpaid.cli("sync")
    one, two = (payment("50.00", ("inv_INV-0001", "50.00"), id_=f"pay_{n}") for n in (1, 2))
    unpaid.takes(one, {**two, "xero_id": taken})
    unpaid.cli("sync")
    error = error_of(unpaid.cli("invoices", "link", NUMBER, taken, "--json"))
    assert ("already stands for pay_2/" in error["message"], "--pay-anyway" in error["fix"]) == (True, False)
    assert error["fix"].endswith(f"2026-11-04 (Rebate): caspen-xero invoices link INV-0001 {rebate}")
    assert unpaid.run(error["fix"]).exit_code == 0
    assert unpaid.cli("sync").exit_code == 0
    assert [one["PaymentID"] for one in in_xero.payments(unpaid)] == [taken, rebate]
    following = error_of(unpaid.cli("invoices", "link", NUMBER, taken, "--json"))["fix"]
    assert unpaid.run(following).exit_code == 0
    assert [one["PaymentID"] for one in in_xero.payments(unpaid)] == [taken, rebate]


def test_where_nothing_else_is_free_only_a_push_can_say_what_is_next(unpaid: Clinic) -> None:
    there = in_xero.pays(unpaid, NUMBER, "50.00")
    unpaid.cli("sync")
    unpaid.takes(payment("50.00", ("inv_INV-0001", "50.00"), id_="pay_1"))
    unpaid.cli("invoices", "link", NUMBER, there)
    unpaid.takes(payment("50.00", ("inv_INV-0001", "50.00"), id_="pay_2"))
    error = error_of(unpaid.cli("invoices", "link", NUMBER, there, "--json"))
    assert unpaid.run(error["fix"]).exit_code == 0
    assert len(in_xero.payments(unpaid)) == 2
    unpaid.takes({**payment("50.00", ("inv_INV-0001", "50.00"), id_="pay_3"), "xero_id": there})
    unpaid.cli("sync")
    error = error_of(unpaid.cli("invoices", "link", NUMBER, there, "--json"))
    assert "If pay_3 was entered in Caspen a second time, void it there" in error["fix"]


def test_a_payment_on_another_invoice_names_that_invoice(unpaid: Clinic) -> None:
    unpaid.takes(invoice("INV-0002"))
    unpaid.cli("push")
    there = in_xero.pays(unpaid, "INV-0002", "50.00")
    unpaid.takes(*(payment("50.00", (f"inv_INV-000{n}", "50.00"), id_=f"pay_{n}") for n in (1, 2)))
    error = error_of(unpaid.cli("invoices", "link", NUMBER, there, "--json"))
    assert "is not on this invoice, but on INV-0002" in error["message"]
    assert unpaid.run(error["fix"]).exit_code == 0
    again = error_of(unpaid.cli("invoices", "link", NUMBER, there, "--json"))
    assert re.search(r"already stands for pay_2/\S+ on INV-0002 in Caspen", again["message"])


def test_what_is_linked_to_nothing_is_said(unpaid: Clinic) -> None:
    nobodys = "60aa5d55-8b94-4c7f-a5c6-0d6ad2c4b2a1"
    assert error_of(unpaid.cli("invoices", "unlink", NUMBER, nobodys, "--json"))["code"] == "link-not-linked"
    assert error_of(unpaid.cli("invoices", "unlink", NUMBER, "x", "--json"))["code"] == "link-not-an-id"


# --- a credit note's number


def test_a_number_that_another_credit_note_has_shows_both(unpaid: Clinic) -> None:
    contact = {"ContactID": unpaid.in_xero()[NUMBER]["Contact"]["ContactID"]}
    lines = [{"Description": "x", "Quantity": 1, "UnitAmount": 7, "AccountCode": "200", "TaxType": "OUTPUT"}]
    note = {"Type": "ACCRECCREDIT", "CreditNoteNumber": "CN-0001", "Contact": contact, "Date": "2026-10-05"}
    note |= {"Status": "AUTHORISED", "LineItems": lines}
    in_xero.writes(unpaid, "PUT", "CreditNotes", {"CreditNotes": [note]})
    unpaid.takes(credit_note())
    assert unpaid.push().exit_code == 3
    problem = unpaid.problem()
    assert problem["code"] == "credit-note-number-taken"
    assert all(part in problem["reason"] for part in ("7.70", "2026-10-05", "Nell Okafor", "44.00"))
    unpaid.takes(credit_note(number="CN-0901") | {"id": "crn_CN-0001", "updated_at": "2026-11-21T00:00:00Z"})
    assert unpaid.run(last_in(problem["fix"])).exit_code == 0
    assert unpaid.unsynced() == []


def test_what_was_done_is_told_with_the_number_however_the_invoice_was_named(ready: Clinic) -> None:
    ready.takes(client("1048237"), invoice())
    for name in ("inv_INV-0001", "inv-0001"):
        assert "Invoice INV-0001 is set aside" in ready.cli("invoices", "skip", name).stdout
