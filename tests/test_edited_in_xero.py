"""An update keeps what a bookkeeper decided: of what we wrote, what stands in Xero and what Caspen says now, each has its say."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Any

import in_xero
import pytest
from clinics import EFTPOS, TaxMode, client, invoice, line
from pushing import Clinic, same_figures
from test_crash import ten_minutes_pass

from caspen_xero.sandbox.sales import documents as documents_module
from caspen_xero.sandbox.sales import lines as lines_module
from caspen_xero.sync.sending.journal import Journal
from caspen_xero.sync.sending.steps.invoices import UpdateInvoice

LINES = [
    line("100.00", description="Assessment"),
    line("50.00", description="Report"),
    line("80.00", rate="tax_free", description="Splint", discount=("fixed", "5.55")),
]
TRACKING = [{"Name": "Location", "Option": "Harbour Street"}]


def of(lines: list[dict[str, Any]], number: str = "INV-0001", **more: Any) -> dict[str, Any]:
    """An invoice whose lines keep the ids that they have; `lin_1`, `lin_2`, ... where they have none of their own."""
    own = [each if each["id"] != "lin" else {**each, "id": f"lin_{place}"} for place, each in enumerate(lines, 1)]
    return invoice(number, lines, **{"reference": "NDIS 4711", **more}) | {"lines": own}


@pytest.fixture
def sent(ready: Clinic) -> Clinic:
    """One invoice of three lines, in Xero from an earlier run."""
    ready.takes(EFTPOS, client("1048237"), of(LINES))
    assert ready.push().exit_code == 0
    ready.forget_calls()
    return ready


def there(clinic: Clinic, number: str = "INV-0001") -> dict[str, Any]:
    return clinic.in_xero()[number]


def edits_lines(clinic: Clinic, number: str = "INV-0001", **by_place: dict[str, Any]) -> list[str]:
    """A bookkeeper edits lines (`line_1={"AccountCode": "260"}`), the rest as it is; gives the lines' ids."""
    ids = [each["LineItemID"] for each in there(clinic, number)["LineItems"]]
    lines = [{"LineItemID": id_, **by_place.get(f"line_{place}", {})} for place, id_ in enumerate(ids, 1)]
    in_xero.edits(clinic, number, LineItems=lines)
    return ids


def changed(place: int, **more: Any) -> list[dict[str, Any]]:
    return [{**each, **more} if at == place else each for at, each in enumerate(LINES, 1)]


def goes(clinic: Clinic, record: dict[str, Any]) -> dict[str, Any]:
    """Caspen's new version goes without a word against it; gives the invoice in Xero."""
    clinic.takes(record)
    pushed = clinic.push()
    assert (pushed.exit_code, clinic.unsynced()) == (0, [])
    assert same_figures(record, there(clinic))
    assert in_xero.silent(clinic)
    return there(clinic)


# --- what only one side has changed


def test_a_recoded_line_stays_recoded_through_one_change_after_another(sent: Clinic) -> None:
    ids = edits_lines(sent, line_1={"AccountCode": "260", "Tracking": TRACKING})
    for lines in (
        changed(2, description="Long report"),
        changed(1, description="Second assessment"),
        changed(1, unit_price="120.00"),
    ):
        found = goes(sent, of(lines))
        assert [each["AccountCode"] for each in found["LineItems"]] == ["260", "200", "200"]
        assert found["LineItems"][0]["Tracking"] == TRACKING
        assert [each["LineItemID"] for each in found["LineItems"]] == ids
        assert [each["Description"] for each in found["LineItems"]] == [each["description"] for each in lines]


def test_a_recoding_is_told_as_information(sent: Clinic) -> None:
    edits_lines(sent, line_1={"AccountCode": "260"})
    sent.cli("pull", "--full")
    told = sent.cli("drift", "--json").json
    assert told["drift"] == []
    (row,) = told["information"]
    assert (row["caspen"], row["xero"]) == ("line 1 account 200", "line 1 account 260")
    assert sent.cli("invoices", "show", "INV-0001", "--json").json["edited_in_xero"][0]["xero"] == "line 1 account 260"
    assert "not the same" not in sent.cli("push").stderr
    assert sent.run(row["fix"].rsplit(": ", 1)[1]).exit_code == 0
    assert {each["AccountCode"] for each in there(sent)["LineItems"]} == {"200"}
    assert sent.cli("drift", "--json").json == {"drift": [], "information": []}


def test_another_default_account_recodes_no_line_that_a_bookkeeper_has(sent: Clinic) -> None:
    edits_lines(sent, line_2={"AccountCode": "270"})
    sent.cli("settings", "set", "--sales-account", "260")
    found = goes(sent, of(changed(3, description="Splint, left")))
    assert [each["AccountCode"] for each in found["LineItems"]] == ["260", "270", "260"]


def test_reference_due_date_and_texts_stay(sent: Clinic) -> None:
    in_xero.edits(sent, "INV-0001", Reference="PO 99", DueDate="2027-01-31")
    edits_lines(sent, line_1={"Description": "Assessment (see file)"})
    found = goes(sent, of(changed(2, unit_price="51.00")))
    assert (found["Reference"], found["DueDateString"][:10]) == ("PO 99", "2027-01-31")
    assert found["LineItems"][0]["Description"] == "Assessment (see file)"


def test_a_tax_type_that_taxes_alike_stays_and_one_that_does_not_is_for_a_person(sent: Clinic) -> None:
    edits_lines(sent, line_3={"TaxType": "BASEXCLUDED"})
    assert goes(sent, of(changed(1, description="X")))["LineItems"][2]["TaxType"] == "BASEXCLUDED"
    edits_lines(sent, line_3={"TaxType": "OUTPUT"})
    sent.takes(of(changed(1, description="Y")))
    assert sent.push().exit_code == 3
    assert "line 3 tax type is EXEMPTOUTPUT in Caspen, OUTPUT in Xero" in sent.problem()["reason"]


@pytest.mark.parametrize(
    ("caspens", "texts"),
    [
        (LINES[1:], ["Report", "Splint"]),
        (
            [
                line("7.00", id="new", description="Tape"),
                *(each | {"id": f"lin_{at}"} for at, each in enumerate(LINES, 1)),
            ],
            ["Tape", "Assessment", "Report", "Splint"],
        ),
        ([LINES[1] | {"id": "lin_2"}, LINES[0] | {"id": "lin_1"}, LINES[2]], ["Assessment", "Report", "Splint"]),
    ],
    ids=["removed", "added", "moved"],
)
def test_lines_are_known_by_what_caspen_calls_them(
    sent: Clinic, caspens: list[dict[str, Any]], texts: list[str]
) -> None:
    ids = edits_lines(sent, line_2={"AccountCode": "260"})
    own = [each if each["id"] != "lin" else each | {"id": f"lin_{LINES.index(each) + 1}"} for each in caspens]
    found = goes(sent, of(own))
    assert [each["Description"] for each in found["LineItems"]] == texts
    lines = {each["Description"]: each for each in found["LineItems"]}
    assert (lines["Report"]["AccountCode"], lines["Report"]["LineItemID"]) == ("260", ids[1])
    assert lines["Splint"]["LineItemID"] == ids[2]


# --- what is for a person to decide


def conflict(clinic: Clinic, record: dict[str, Any]) -> str:
    """Caspen's new version is kept back; gives the reason, once the command that is printed has brought it there."""
    before = there(clinic)
    clinic.takes(record)
    clinic.forget_calls()
    assert clinic.push().exit_code == 3
    assert (clinic.writes(), there(clinic)) == ([], before)
    problem = clinic.problem()
    assert problem["code"] == "changed-in-xero"
    assert in_xero.silent(clinic)
    assert clinic.run(problem["fix"]).exit_code == 0
    assert (clinic.unsynced(), same_figures(record, there(clinic))) == ([], True)
    assert [each["Description"] for each in there(clinic)["LineItems"]] == [
        one["description"] for one in record["lines"]
    ]
    return str(problem["reason"])


def test_what_both_have_changed_is_shown_with_both_values(sent: Clinic) -> None:
    edits_lines(sent, line_1={"Description": "By hand"})
    reason = conflict(sent, of(changed(1, description="By Caspen")))
    assert "line 1 description is By Caspen in Caspen, By hand in Xero" in reason


def test_while_a_person_has_to_decide_the_edit_is_told_too(sent: Clinic) -> None:
    edits_lines(sent, line_1={"Description": "By hand", "AccountCode": "260"})
    sent.cli("pull", "--full")
    sent.takes(of(changed(1, description="By Caspen")))
    sent.push()
    (row,) = sent.cli("drift", "--json").json["information"]
    assert "until a person decides otherwise" in row["fix"]
    assert (
        "edited in Xero: line 1 description By hand; line 1 account 260"
        in sent.cli("invoices", "show", "INV-0001").stdout
    )


def test_money_that_was_changed_in_xero_is_never_written_over_by_itself(sent: Clinic) -> None:
    edits_lines(sent, line_2={"UnitAmount": "55.00"})
    assert "line 2 price is 50.00 in Caspen, 55.00 in Xero" in conflict(sent, of(changed(1, description="X")))


def test_a_line_that_a_bookkeeper_added_or_took_away_can_not_be_told_apart(sent: Clinic) -> None:
    lines = there(sent)["LineItems"]
    in_xero.edits(sent, "INV-0001", LineItems=[{"LineItemID": each["LineItemID"]} for each in lines[:2]])
    assert "lines" in conflict(sent, of(changed(1, description="X")))
    lines = [{"LineItemID": each["LineItemID"]} for each in there(sent)["LineItems"]]
    in_xero.edits(sent, "INV-0001", LineItems=[*lines, {"Description": "Thank you for coming"}])
    assert "Thank you for coming" in conflict(sent, of(changed(1, description="Z")))


def test_a_line_that_caspen_took_off_and_a_bookkeeper_recoded_is_asked_about(sent: Clinic) -> None:
    edits_lines(sent, line_1={"AccountCode": "260"})
    own = [{**each, "id": f"lin_{place}"} for place, each in enumerate(LINES, 1)]
    assert "line 1 account is no longer there in Caspen, 260 in Xero" in conflict(sent, of(own[1:]))


def test_lines_that_were_made_anew_as_they_were_are_still_known(sent: Clinic) -> None:
    names = ("Description", "Quantity", "UnitAmount", "AccountCode", "TaxType", "DiscountAmount")
    again = [{name: str(each[name]) for name in names if name in each} for each in there(sent)["LineItems"]]
    in_xero.edits(sent, "INV-0001", LineItems=again)
    ids = [each["LineItemID"] for each in there(sent)["LineItems"]]
    found = goes(sent, of(changed(2, description="Report, second copy")))
    assert [each["LineItemID"] for each in found["LineItems"]] == ids


# --- what a line that is known by its id is told, and what Xero computes


@pytest.mark.parametrize("before", [("percentage", "10"), ("fixed", "3.00")])
@pytest.mark.parametrize("after", [("percentage", "12.5"), ("fixed", "7.00"), None])
def test_a_discount_that_caspen_changes_or_takes_off_is_so_in_xero(
    ready: Clinic, before: tuple[str, str], after: tuple[str, str] | None
) -> None:
    ready.takes(EFTPOS, client("1048237"), of([line("100.00", discount=before)]))
    assert ready.push().exit_code == 0
    ids = [each["LineItemID"] for each in there(ready)["LineItems"]]
    found = goes(ready, of([line("100.00", discount=after)]))
    assert [each["LineItemID"] for each in found["LineItems"]] == ids


def test_a_tax_amount_that_was_told_once_does_not_stay_where_caspen_has_another(ready: Clinic) -> None:
    lines = [line("0.24")] * 10
    ready.takes(EFTPOS, client("1048237"), of(lines, subtotal="2.40", tax="0.24", total="2.64"))
    assert ready.push().exit_code == 0
    goes(ready, of(lines, subtotal="2.40", tax="0.20", total="2.60"))


@pytest.mark.parametrize("tax_mode", ["exclusive", "inclusive"])
def test_a_tax_amount_that_a_bookkeeper_edited_is_not_written_over_by_itself(ready: Clinic, tax_mode: TaxMode) -> None:
    lines = [line("110.00", description="Assessment"), line("50.00", description="Report")]
    ready.takes(EFTPOS, client("1048237"), of(lines, tax_mode=tax_mode))
    assert ready.push().exit_code == 0
    edits_lines(ready, line_1={"TaxAmount": "9.50"})
    reason = conflict(ready, of([lines[0], {**lines[1], "description": "Long report"}], tax_mode=tax_mode))
    assert "tax is " in reason


def test_figures_that_xero_computes_otherwise_are_nobodys_edit(ready: Clinic) -> None:
    ready.control("organisation", KeepsTaxAmount=False)
    ready.takes(EFTPOS, client("1048237"), of([line("0.24")] * 10, subtotal="2.40", tax="0.24", total="2.64"))
    assert ready.push().exit_code == 3
    ready.cli("pull", "--full")
    assert ready.cli("drift", "--json").json == {"drift": [], "information": []}
    assert ready.push("INV-0001").exit_code == 3
    assert ready.problem()["code"] == "totals-differ"


def test_a_tax_amount_that_was_edited_is_seen_beside_a_tax_type_that_taxes_alike(sent: Clinic) -> None:
    edits_lines(sent, line_1={"TaxAmount": "9.50"}, line_3={"TaxType": "BASEXCLUDED"})
    assert "tax is 15.00 in Caspen, 14.50 in Xero" in conflict(sent, of(changed(2, description="X")))


def test_a_tax_amount_that_was_edited_is_seen_though_a_line_went_on_both_sides(sent: Clinic) -> None:
    ids = [each["LineItemID"] for each in there(sent)["LineItems"]]
    in_xero.edits(sent, "INV-0001", LineItems=[{"LineItemID": ids[1], "TaxAmount": "4.50"}, {"LineItemID": ids[2]}])
    own = [{**each, "id": f"lin_{place}"} for place, each in enumerate(LINES, 1)]
    assert "tax is 5.00 in Caspen, 4.50 in Xero" in conflict(sent, of(own[1:]))


def test_a_line_that_keeps_an_account_that_is_archived_by_now_is_asked_about(sent: Clinic) -> None:
    edits_lines(sent, line_1={"AccountCode": "260"})
    sent.control("accounts/260/archive")
    sent.cli("push", "--refresh")
    assert "260, which is archived, in Xero" in conflict(sent, of(changed(2, unit_price="51.00")))


def test_an_approved_invoice_changes_where_drafts_are_wanted(ready: Clinic) -> None:
    ready.cli("settings", "set", "--invoice-status", "draft")
    ready.takes(EFTPOS, client("1048237"), of(LINES))
    ready.push()
    for status in ("SUBMITTED", "AUTHORISED"):
        in_xero.edits(ready, "INV-0001", Status=status)
        assert goes(ready, of(changed(1, unit_price="77.00", description=status)))["Status"] == status


def test_lines_that_caspen_names_all_anew_or_all_alike_are_known_by_what_they_say(sent: Clinic) -> None:
    ids = edits_lines(sent, line_2={"AccountCode": "260"})
    anew = [{**each, "id": f"new_{place}"} for place, each in enumerate(changed(1, description="X"), 1)]
    found = goes(sent, of(anew))["LineItems"]
    assert [(each["LineItemID"], each["AccountCode"]) for each in found] == list(
        zip(ids, ["200", "260", "200"], strict=True)
    )
    alike = [
        line("7.00", id="same", description="Tape"),
        *({**each, "id": "same"} for each in changed(1, description="X")),
    ]
    lines = {each["Description"]: each for each in goes(sent, of(alike))["LineItems"]}
    assert (lines["Report"]["LineItemID"], lines["Report"]["AccountCode"]) == (ids[1], "260")


@pytest.mark.parametrize("taken_off", ["Description", "AccountCode"])
def test_what_a_bookkeeper_took_off_a_draft_of_ours_is_put_back_by_the_command_that_is_printed(
    ready: Clinic, taken_off: str
) -> None:
    ready.cli("settings", "set", "--invoice-status", "draft")
    ready.takes(EFTPOS, client("1048237"), of(LINES))
    ready.push()
    names = {"Description", "Quantity", "UnitAmount", "TaxType", "AccountCode"} - {taken_off}
    bare = [{name: str(each[name]) for name in names} for each in there(ready)["LineItems"][:2]]
    ids = [each["LineItemID"] for each in there(ready)["LineItems"]]
    in_xero.edits(ready, "INV-0001", LineItems=[*bare, {"LineItemID": ids[2]}])
    ready.cli("settings", "set", "--invoice-status", "authorised")
    assert ready.push("INV-0001").exit_code == 3
    assert ready.run(ready.problem()["fix"]).exit_code == 0
    assert (ready.unsynced(), there(ready)["Status"]) == ([], "AUTHORISED")
    assert [each["Description"] for each in there(ready)["LineItems"]] == ["Assessment", "Report", "Splint"]


# --- what an earlier version wrote


def test_of_an_earlier_versions_lines_a_recoding_stays_too(sent: Clinic) -> None:
    sent.sql(
        "UPDATE links SET lines = NULL, last_written = (SELECT json_group_object(key, value) FROM json_each(last_written) "
        "WHERE key NOT LIKE '% account' AND key NOT LIKE '% discounted by')"
    )
    ids = edits_lines(sent, line_1={"AccountCode": "260"})
    sent.cli("pull", "--full")
    assert sent.cli("drift", "--json").json == {"drift": [], "information": []}  # nobody kept what it was coded to
    found = goes(sent, of(changed(2, description="Long report")))
    assert [each["AccountCode"] for each in found["LineItems"]] == ["260", "200", "200"]
    assert [each["LineItemID"] for each in found["LineItems"]] == ids


@pytest.mark.parametrize("how", ["one more", "one less"])
def test_an_earlier_versions_invoice_may_gain_and_lose_lines(sent: Clinic, how: str) -> None:
    sent.sql(
        "UPDATE links SET lines = NULL, last_written = (SELECT json_group_object(key, value) FROM json_each(last_written) "
        "WHERE key NOT LIKE '% account' AND key NOT LIKE '% discounted by')"
    )
    ids = edits_lines(sent, line_2={"AccountCode": "260"})
    own = [{**each, "id": f"lin_{place}"} for place, each in enumerate(LINES, 1)]
    lines = [line("7.00", id="new", description="Tape"), *own] if how == "one more" else own[1:]
    found = {each["Description"]: each for each in goes(sent, of(lines))["LineItems"]}
    assert (found["Report"]["AccountCode"], found["Report"]["LineItemID"]) == ("260", ids[1])


# --- with payments on it, and whether Xero did what it said


@pytest.fixture(params=["ignored", "refused"])
def paid(request: pytest.FixtureRequest, sent: Clinic) -> Clinic:
    """A part-paid invoice in a Xero that ignores, or refuses, other amounts there."""
    sent.control("settings", edit_of_paid=request.param)
    in_xero.pays(sent, "INV-0001", "100.00")
    sent.cli("pull")
    return sent


def test_what_moves_no_money_goes_to_a_paid_invoice_too(paid: Clinic) -> None:
    ids = edits_lines(paid, line_2={"AccountCode": "260"})
    found = goes(paid, of(changed(1, description="Other words"), reference="NDIS 4712", due_date="2026-12-01"))
    assert (found["Reference"], found["DueDateString"][:10]) == ("NDIS 4712", "2026-12-01")
    assert found["LineItems"][0]["Description"] == "Other words"
    assert found["LineItems"][1]["AccountCode"] == "260"
    assert [each["LineItemID"] for each in found["LineItems"]] == ids


def test_words_that_both_have_changed_there_are_a_conflict_that_can_be_ended(paid: Clinic) -> None:
    edits_lines(paid, line_1={"Description": "By hand"})
    reason = conflict(paid, of(changed(1, description="By Caspen")))
    assert "line 1 description is By Caspen in Caspen, By hand in Xero" in reason


def test_what_moves_money_does_not(paid: Clinic) -> None:
    paid.takes(of(changed(1, unit_price="101.00", description="Other words")))
    paid.forget_calls()
    assert paid.push().exit_code == 3
    problem = paid.problem()
    assert (problem["code"], paid.writes()) == ("changed-after-payment", [])
    assert "line 1 price is 101.00 in Caspen, 100.00 in Xero" in problem["reason"]


@pytest.mark.parametrize("is_merged", [True, False])
def test_a_contact_that_a_paid_invoice_was_moved_to_stays(paid: Clinic, is_merged: bool) -> None:
    own = there(paid)["Contact"]["ContactID"]
    body = {"Contacts": [{"Name": "Insurer"}]}
    other = in_xero.writes(paid, "PUT", "Contacts", body)["Contacts"][0]["ContactID"]
    if is_merged:
        paid.control(f"contacts/{own}/merge", into=other)
    else:
        in_xero.edits(paid, "INV-0001", Contact={"ContactID": other})
    paid.cli("pull")
    record = of(changed(1, description="Other words"))
    if is_merged:
        found = goes(paid, record)
    else:  # that it is on another contact is still so
        paid.takes(record)
        assert paid.push().exit_code == 3
        assert [row["code"] for row in paid.unsynced()] == ["edited-in-xero"]
        found = there(paid)
    assert (found["Contact"]["ContactID"], found["LineItems"][0]["Description"]) == (other, "Other words")


def test_a_wholly_paid_one_takes_words_too(sent: Clinic) -> None:
    in_xero.pays(sent, "INV-0001", str(there(sent)["Total"]))
    found = goes(sent, of(LINES, reference="NDIS 4712"))
    assert (found["Reference"], found["Status"]) == ("NDIS 4712", "PAID")


@pytest.mark.parametrize("price", [{"unit_price": "101.00"}, {"unit_price": "50.00", "quantity": "2"}])
def test_a_change_that_xero_took_and_did_not_make_is_not_believed(
    sent: Clinic, monkeypatch: pytest.MonkeyPatch, price: dict[str, str]
) -> None:
    """A payment comes between the look and the write: the real Xero then ignores the amounts without a word (field notes)."""
    send, paid = Journal.send, []

    def pays_first(self: Journal, steps: Any, **more: Any) -> None:
        if steps[0].kind == "update-invoice" and not paid:
            paid.append(in_xero.pays(sent, "INV-0001", "10.00"))
        send(self, steps, **more)

    monkeypatch.setattr(Journal, "send", pays_first)
    sent.takes(of(changed(1, **price)))
    pushed = sent.cli("push")
    assert (pushed.exit_code, "somebody has edited" in pushed.stderr) == (3, False)
    problem = sent.problem()
    assert problem["code"] == "changed-after-payment"
    assert f"price is {Decimal(price['unit_price']):.2f} in Caspen, 100.00 in Xero" in problem["reason"]
    assert sent.listed()["INV-0001"]["sync_status"] == "unsynced"
    assert in_xero.silent(sent)


@pytest.fixture
def meddles(sent: Clinic, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What a bookkeeper edits (`line_1=...`) between Xero's next answer to an update and the look at what it then shows."""
    meant: list[dict[str, Any]] = []
    read_back = UpdateInvoice.read_back

    def meddled(self: UpdateInvoice, client: Any, steps: Any) -> Any:
        if meant:
            edits_lines(sent, **meant.pop())
        return read_back(self, client, steps)

    monkeypatch.setattr(UpdateInvoice, "read_back", meddled)
    return meant


def test_what_was_edited_before_the_look_is_no_loss_and_stays(sent: Clinic, meddles: list[dict[str, Any]]) -> None:
    meddles.append({"line_1": {"AccountCode": "260", "Description": "By hand"}})
    sent.takes(of(changed(2, unit_price="51.00")))
    pushed = sent.cli("push")
    assert (pushed.exit_code, sent.unsynced()) == (0, [])
    assert "somebody has edited it in Xero after it was sent" in pushed.stderr
    found = goes(sent, of(changed(2, unit_price="52.00")))
    assert [found["LineItems"][0][name] for name in ("AccountCode", "Description")] == ["260", "By hand"]


def test_what_xero_itself_made_otherwise_is_sent_once_more_and_a_recoding_beside_it_stays(
    sent: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    edits_lines(sent, line_1={"AccountCode": "260"})
    cut = {"on": True}
    show = lines_module.show_line

    def cuts(shown: dict[str, Any], *more: Any, **options: Any) -> dict[str, Any]:
        shown = show(shown, *more, **options)
        is_it = cut["on"] and "Long" in str(shown.get("Description"))
        return shown | {"Description": "Lon"} if is_it else shown

    monkeypatch.setattr(documents_module, "show_line", cuts)
    sent.takes(of(changed(2, description="Long report")))
    assert sent.push().exit_code == 3
    problem = sent.problem()
    assert problem["code"] == "not-as-sent"
    assert "Lon" in problem["reason"]
    cut["on"] = False
    assert sent.push("INV-0001").exit_code == 0
    found = there(sent)["LineItems"]
    assert [each["Description"] for each in found] == ["Assessment", "Long report", "Splint"]
    assert found[0]["AccountCode"] == "260"


@pytest.mark.parametrize("kind", ["drop-before", "drop-after"])
def test_what_is_edited_while_an_answer_is_awaited_stays(sent: Clinic, waits: list[float], kind: str) -> None:
    sent.control("faults", kind=kind, path="Invoices", method="POST", count=9)
    sent.takes(of(changed(1, unit_price="120.00")))
    assert sent.push().exit_code == 6
    sent.all_is_well_in_xero()
    edits_lines(sent, line_2={"AccountCode": "260", "Description": "By hand"})
    assert sent.push().exit_code == 0
    found = there(sent)
    assert [each["UnitAmount"] for each in found["LineItems"]] == [120, 50, 80]
    assert [found["LineItems"][1][name] for name in ("AccountCode", "Description")] == ["260", "By hand"]
    assert sent.unsynced() == []
    assert in_xero.silent(sent)


def test_an_update_is_read_back_and_where_that_fails_it_is_looked_up_later(sent: Clinic, waits: list[float]) -> None:
    sent.control("faults", kind="503", path="Invoices", method="GET", after=1, count=9)
    sent.takes(of(changed(1, unit_price="101.00")))
    assert sent.push().exit_code == 6
    sent.all_is_well_in_xero()
    for wait in (lambda: None, lambda: ten_minutes_pass(sent)):
        wait()
        assert sent.push().exit_code == 0
    assert there(sent)["LineItems"][0]["UnitAmount"] == 101
    assert in_xero.silent(sent)


# --- all of it at random

KEPT = ("AccountCode", "Description", "Tracking")


@pytest.mark.parametrize("seed", range(6))
def test_whatever_both_sides_edit_nobodys_decision_is_lost_without_a_word(ready: Clinic, seed: int) -> None:
    random = Random(seed)
    first = {f"INV-{at:04d}": _some_lines(random) for at in range(1, 25)}
    ready.takes(EFTPOS, client("1048237"), *(of(lines, number) for number, lines in first.items()))
    assert ready.push().exit_code == 0
    decided = {number: _some_edits(random, ready, number) for number in first}
    edited = ready.in_xero()
    second = {number: _another_version(random, lines) for number, lines in first.items()}
    records = {number: of(lines, number) for number, lines in second.items()}
    ready.takes(*records.values())
    ready.push()
    problems, found = {row["number"]: row for row in ready.unsynced()}, ready.in_xero()
    for number, record in records.items():
        if number in problems:
            assert problems[number]["code"] == "changed-in-xero"
            assert found[number] == edited[number]
            continue
        assert same_figures(record, found[number]), number
        lines = {each["LineItemID"]: each for each in found[number]["LineItems"]}
        for line_id, fields in decided[number].items():
            for name, value in fields.items():
                assert lines[line_id][name] == value, (number, name)
    assert in_xero.silent(ready)


def _some_lines(random: Random) -> list[dict[str, Any]]:
    return [
        line(
            f"{random.randint(1, 20_000) / 100:.2f}",
            random.choice(["1", "2", "0.5", "1.25"]),
            rate=random.choice(["tax_gst", "tax_free"]),
            discount=random.choice([None, None, ("percentage", "12.5"), ("fixed", "0.01")]),
            description=f"Item {at}",
            id=f"lin_{at}",
        )
        for at in range(1, random.randint(1, 4) + 1)
    ]


def _some_edits(random: Random, clinic: Clinic, number: str) -> dict[str, dict[str, Any]]:
    """What a bookkeeper decides about some lines of an invoice, by LineItemID."""
    decided: dict[str, dict[str, Any]] = {}
    for each in there(clinic, number)["LineItems"]:
        fields = {"AccountCode": "260", "Description": "By hand", "Tracking": TRACKING}
        chosen = {name: fields[name] for name in KEPT if random.random() < 0.3}
        if chosen:
            decided[each["LineItemID"]] = chosen
    if decided:
        lines = [
            {"LineItemID": each["LineItemID"], **decided.get(each["LineItemID"], {})}
            for each in there(clinic, number)["LineItems"]
        ]
        in_xero.edits(clinic, number, LineItems=lines)
    return decided


def _another_version(random: Random, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    edited = [
        {**each, "unit_price": f"{Decimal(each['unit_price']) + 1}"}
        if random.random() < 0.3
        else {**each, "description": f"{each['description']}, again"}
        if random.random() < 0.3
        else each
        for each in lines
    ]
    if random.random() < 0.3:
        edited.insert(random.randint(0, len(edited)), line("5.00", id="new", description="Added"))
    if len(edited) > 1 and random.random() < 0.2:
        edited.pop(random.randrange(len(edited)))
    if random.random() < 0.3:
        random.shuffle(edited)
    return edited


def test_lines_that_a_bookkeeper_made_as_caspen_says_by_now_are_no_conflict(sent: Clinic) -> None:
    now = [*LINES[:2], line("7.00", description="Tape")]
    lines = [{"LineItemID": each["LineItemID"]} for each in there(sent)["LineItems"][:2]]
    tape = {"Description": "Tape", "Quantity": 1, "UnitAmount": 7, "AccountCode": "200", "TaxType": "OUTPUT"}
    in_xero.edits(sent, "INV-0001", LineItems=[*lines, tape])
    ids = [each["LineItemID"] for each in there(sent)["LineItems"]]
    found = goes(sent, of([*now[:2], now[2] | {"id": "new"}]))
    assert [each["LineItemID"] for each in found["LineItems"]] == ids
    in_xero.edits(sent, "INV-0001", LineItems=[{"LineItemID": each} for each in ids[1:]])
    own = of([now[1] | {"id": "lin_2"}])
    assert [each["Description"] for each in goes(sent, of([*own["lines"], now[2] | {"id": "new"}]))["LineItems"]] == [
        "Report",
        "Tape",
    ]


# --- items


@pytest.fixture
def itemised(sent: Clinic) -> Clinic:
    """A bookkeeper has put an item on the first line."""
    sent.control("items", Code="PHYSIO")
    edits_lines(sent, line_1={"ItemCode": "PHYSIO"})
    return sent


def test_an_item_stays_on_its_line_through_one_change_after_another(itemised: Clinic) -> None:
    ids = [each["LineItemID"] for each in there(itemised)["LineItems"]]
    for lines in (changed(2, description="Long report"), changed(1, unit_price="120.00")):
        found = goes(itemised, of(lines))
        assert [each.get("ItemCode") for each in found["LineItems"]] == ["PHYSIO", None, None]
        assert [each["LineItemID"] for each in found["LineItems"]] == ids


def test_a_line_with_an_item_that_caspen_took_off_is_asked_about(itemised: Clinic) -> None:
    own = [{**each, "id": f"lin_{place}"} for place, each in enumerate(LINES, 1)]
    assert "line 1 item is no longer there in Caspen, PHYSIO in Xero" in conflict(itemised, of(own[1:]))
