"""Reading lists: pages, filters, orders, If-Modified-Since, and how much a list shows."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caspen_xero.sandbox.queries.where import FilterError, matches, parse
from tests.sandbox.bookkeeper import Bookkeeper, Element


@pytest.fixture(scope="module")
def b() -> Bookkeeper:
    """Twelve invoices, R0 to R11; every third is a draft, R5 is paid, R7 void; and two contacts."""
    b = Bookkeeper()
    for number in range(12):
        fields = {"Status": "DRAFT" if number % 3 == 0 else "AUTHORISED", "Reference": f"R{number}"}
        contact = {"Name": "Jo Smith (Caspen 10001)" if number % 2 else 'Ann "Annie" Lee'}
        fields |= {
            "Date": f"2026-09-{number + 1:02}",
            "DueDate": f"2026-10-{number + 1:02}",
            "InvoiceNumber": f"C-{number}",
        }
        invoice = b.invoice(b.line(10 * (number + 1)), Contact=contact, **fields)
        if number == 5:
            b.pay(invoice, 66, Reference="EFTPOS 5")
        if number == 7:
            b.post(f"Invoices/{invoice['InvoiceID']}", {"Status": "VOIDED"})
    return b


def found(b: Bookkeeper, **params: str) -> list[str]:
    return [invoice["Reference"] for invoice in b.list("Invoices", **params)]


ALL = {f"R{number}" for number in range(12)}


def test_filters_of_xeroizer(b: Bookkeeper) -> None:
    third = b.list("Invoices", where='Reference=="R3"')[0]["InvoiceID"]
    assert found(b, where=f'InvoiceID.ToString()=="{third}"') == ["R3"]
    assert found(b, where=f'InvoiceID.ToString()<>"{third}"&&Type=="ACCREC"') == [f"R{n}" for n in range(12) if n != 3]
    assert found(
        b, where='Date<=DateTime.Parse("2026-09-02T23:59:59")&&Date>datetime.parse("2026-09-01T00:00:01Z")'
    ) == ["R1"]
    assert found(b, where='UpdatedDateUTC>DateTime.Parse("2026-09-14T09:29:59")') != []
    assert found(b, where='UpdatedDateUTC>DateTime.Parse("2036-09-14T09:29:59+02:00")') == []


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ('Status=="PAID"', "5"),
        ('Status="VOIDED"', "7"),
        ('Reference=="R3"', "3"),
        ('InvoiceNumber=="C-4"', "4"),
        ("Date>=DateTime(2026, 09, 11)", "10 11"),
        ("Date >= DateTime(2026,9,3) AND Date < DateTime(2026,9,5)", "2 3"),
        ("DueDate<=DateTime(2026,10,01,00,00,00)", "0"),
        ('Date==DateTime.Parse("2026-09-02")', "1"),
        ("AmountDue>110", "10 11"),
        ("AmountPaid==66.00", "5"),
        ("AmountPaid!=0", "5"),
        ('Type=="ACCREC" && Total=11', "0"),
        ('Contact.Name=="Ann ""Annie"" Lee" AND Total>100', "10"),
        ('Reference=="R1" OR Reference=="R2"', "1 2"),
        ('(Reference=="R1" || Status=="PAID") && !(Total<20)', "1 5"),
        ('Reference.StartsWith("R1")', "1 10 11"),
        ('Reference.Contains("0") == true', "0 10"),
        ('Reference.ToLower()=="r8"', "8"),
        ('Reference!=null AND Reference.EndsWith("9")', "9"),
        ('Reference.STARTSWITH("R1")', "1 10 11"),
        ('reference.tolower().contains("r8")', "8"),
        ('Reference.TOUPPER().endswith("9")==TRUE', "9"),
        ("SentToContact==true", ""),
        ("HasAttachments", ""),
        ("FullyPaidOnDate!=null", "5"),
        ('reference == "R6" and STATUS <> "PAID"', "6"),
    ],
)
def test_filters(b: Bookkeeper, where: str, expected: str) -> None:
    assert sorted(found(b, where=where)) == sorted(f"R{number}" for number in expected.split())


def test_filters_by_id(b: Bookkeeper) -> None:
    invoices = {invoice["Reference"]: invoice for invoice in b.list("Invoices")}
    wanted = [invoices["R2"], invoices["R8"]]
    where = " OR ".join(f'InvoiceID==guid("{invoice["InvoiceID"].upper()}")' for invoice in wanted)
    assert found(b, where=where) == ["R2", "R8"]
    contact = invoices["R1"]["Contact"]["ContactID"]
    assert len(found(b, where=f'Contact.ContactID==Guid("{contact}")')) == 6
    paid = b.list("Payments", where=f'Invoice.InvoiceID==guid("{invoices["R5"]["InvoiceID"]}")')
    assert [payment["Reference"] for payment in paid] == ["EFTPOS 5"]


@pytest.mark.parametrize(
    ("where", "count"),
    [
        ('Invoice.Type=="ACCREC"', 1),
        ('Invoice.Reference=="R5"', 1),
        ('Invoice.Contact.Name=="Ann ""Annie"" Lee"', 0),
        ('Invoice.Contact.Name!="Ann ""Annie"" Lee"', 1),
        ("Invoice.Contact.ContactNumber==null", 1),
    ],
)
def test_payments_are_found_by_what_they_pay(b: Bookkeeper, where: str, count: int) -> None:
    assert len(b.list("Payments", where=where)) == count


def test_tax_rates_are_found_by_their_percentage() -> None:
    ten = Bookkeeper().list("TaxRates", where='EffectiveRate==10 AND CanApplyToRevenue==true AND Status=="ACTIVE"')
    assert [rate["TaxType"] for rate in ten] == ["OUTPUT"]


@pytest.mark.parametrize(("kind", "list_"), [("Overpayments", "References"), ("Prepayments", "InvoiceNumbers")])
def test_credits_are_listed_by_their_references(kind: str, list_: str) -> None:
    b = Bookkeeper()
    for reference in ("A", "B", "C"):
        b.receive(f"RECEIVE-{kind[:-1].upper()}", 10, Reference=reference)
    assert [credit["Reference"] for credit in b.list(kind, **{list_: "A, C"})] == ["A", "C"]


@pytest.mark.parametrize(
    "where",
    [
        *("Status==", "==3", 'Status=="PAID" AND', '(Status=="PAID"', 'Status=="PAID")', 'Colour=="red"', "Status"),
        *('Date>="2026-09-01"', 'Reference=="R1', "Date>=DateTime(2026)", "Date>=DateTime(2026,13,1)", 'Total=="1"'),
        *("1=1", 'Reference=="R1"; DROP TABLE documents', "Reference.Contains(1)", "Total.Contains", "'a'='a'"),
        *('Reference=="a\\"', "Reference==Status", "(" * 99 + "HasAttachments" + ")" * 99),
    ],
)
def test_filters_that_cannot_be_read(b: Bookkeeper, where: str) -> None:
    answer = b.ask("GET", "Invoices", where=where)
    error = json.loads(answer.body)
    assert (answer.status, error["ErrorNumber"], error["Type"]) == (400, 16, "QueryParseException")


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=40))
def test_no_text_passes_for_another_filter(text: str) -> None:
    """Whatever a name holds, quoted with doubled quotes it finds that name only; a backslash is refused."""
    quoted = 'Name=="' + text.replace('"', '""') + '"'
    if "\\" in text:
        with pytest.raises(FilterError):
            parse(quoted, {"name": "Name"})
        return
    filter_ = parse(quoted, {"name": "Name"})
    assert matches(filter_, lambda _: text)
    assert not matches(filter_, lambda _: text + "x")


def test_pages(b: Bookkeeper) -> None:
    first = b.page("Invoices", page="1", pageSize="5", order="Date")
    assert first["pagination"] == {"page": 1, "pageSize": 5, "pageCount": 3, "itemCount": 12}
    last = b.page("Invoices", page="3", pageSize="5", order="Date DESC")
    assert [invoice["Reference"] for invoice in last["Invoices"]] == ["R1", "R0"]
    assert b.page("Invoices", page="4", pageSize="5")["Invoices"] == []


@pytest.mark.parametrize(("asked", "given"), [("0", 1), ("-3", 1), ("1001", 1000), ("", 100), ("many", 100)])
def test_page_sizes_are_clamped(b: Bookkeeper, asked: str, given: int) -> None:
    assert b.page("Invoices", page="1", pageSize=asked)["pagination"]["pageSize"] == given


def test_without_a_page_there_are_no_lines(b: Bookkeeper) -> None:
    bare, paged = b.page("Invoices"), b.page("Invoices", page="1")
    assert "pagination" not in bare
    assert {len(invoice["LineItems"]) for invoice in bare["Invoices"]} == {0}
    assert {len(invoice["LineItems"]) for invoice in paged["Invoices"]} == {1}
    assert b.page("Invoices", Statuses="PAID")["pagination"]["itemCount"] == 1


def test_a_summary_drops_what_is_heavy(b: Bookkeeper) -> None:
    summary = b.page("Invoices", summaryOnly="true")
    assert summary["pagination"]["itemCount"] == 12
    assert not {"Payments", "HasAttachments", "LineItems"} & set(summary["Invoices"][0])
    assert "Addresses" not in b.list("Contacts", summaryOnly="true")[0]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"InvoiceNumbers": "C-1,C-2,C-99"}, "1 2"),
        ({"Statuses": "PAID,VOIDED"}, "5 7"),
        ({"searchTerm": "c-1"}, "1 10 11"),
        ({"searchTerm": "r7"}, "7"),
        ({"createdByMyApp": "true", "InvoiceNumbers": "C-3"}, "3"),
        ({"Statuses": "AUTHORISED", "where": "Total>=110"}, "10 11"),
    ],
)
def test_list_parameters(b: Bookkeeper, params: dict[str, str], expected: str) -> None:
    assert sorted(found(b, **params)) == sorted(f"R{number}" for number in expected.split())


def test_lists_by_ids(b: Bookkeeper) -> None:
    invoices = b.list("Invoices")[:3]
    assert len(found(b, IDs=",".join(invoice["InvoiceID"] for invoice in invoices))) == 3
    assert len(found(b, ContactIDs=invoices[0]["Contact"]["ContactID"])) == 6
    assert [contact["ContactID"] for contact in b.list("Contacts", IDs=invoices[0]["Contact"]["ContactID"])] == [
        invoices[0]["Contact"]["ContactID"]
    ]


def test_orders(b: Bookkeeper) -> None:
    assert found(b, order="Date DESC")[:2] == ["R11", "R10"]
    assert found(b, order="Contact.Name ASC, Total DESC")[:2] == ["R10", "R8"]
    changed = [invoice["UpdatedDateUTC"] for invoice in b.list("Invoices")]
    assert changed == sorted(changed)
    assert [invoice["UpdatedDateUTC"] for invoice in b.list("Invoices", order="UpdatedDateUTC DESC")] == changed[::-1]


def test_contacts_are_searched_in_all_their_names(b: Bookkeeper) -> None:
    assert [contact["Name"] for contact in b.list("Contacts", searchTerm="annie")] == ['Ann "Annie" Lee']
    assert b.list("Contacts", searchTerm="caspen 10001", page="1")[0]["ContactPersons"] == []


# changes


def since(b: Bookkeeper, moment: datetime, kind: str = "Invoices", form: str = "%Y-%m-%dT%H:%M:%S") -> list[Element]:
    return b.list(kind, headers={"if-modified-since": moment.strftime(form)})


def later(b: Bookkeeper, seconds: int = 10) -> datetime:
    b.clock.move(timedelta(seconds=seconds))
    return b.clock.now()


@pytest.mark.parametrize("form", ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S.999Z", "%a, %d %b %Y %H:%M:%S GMT"])
def test_only_what_changed_since(form: str) -> None:
    b = Bookkeeper()
    old = b.invoice()
    moment = later(b)
    new = b.invoice()
    assert [invoice["InvoiceID"] for invoice in since(b, moment, form=form)] == [new["InvoiceID"]]
    later(b)
    b.pay(old, 1)
    assert [invoice["InvoiceID"] for invoice in since(b, moment, form=form)] == [new["InvoiceID"], old["InvoiceID"]]
    assert since(b, later(b)) == [], "200 and nothing in it"


def test_the_second_itself_counts() -> None:
    b = Bookkeeper()
    invoice = b.invoice()
    stamp = int(invoice["UpdatedDateUTC"][6:19])
    second = datetime.fromtimestamp(stamp // 1000, UTC)
    assert len(since(b, second)) == 1
    assert since(b, second + timedelta(seconds=1)) == []


def test_deleted_payments_come_back_as_changes() -> None:
    b = Bookkeeper()
    payment = b.pay(b.invoice(), 10)
    moment = later(b)
    b.post(f"Payments/{payment['PaymentID']}", {"Status": "DELETED"})
    assert [row["Status"] for row in since(b, moment, "Payments")] == ["DELETED"]


def test_every_change_has_a_later_date_than_the_one_before() -> None:
    b = Bookkeeper()
    invoice = b.invoice()
    stamps = [invoice["UpdatedDateUTC"]]
    for number in range(20):
        edited = b.post(f"Invoices/{invoice['InvoiceID']}", {"Reference": str(number)})
        stamps.append(edited["UpdatedDateUTC"])
    assert stamps == sorted(set(stamps))


def test_settings_know_no_if_modified_since() -> None:
    b = Bookkeeper()
    moment = later(b)
    assert since(b, moment, "Accounts") == []
    assert since(b, moment, "TaxRates") != []


def test_deleted_tax_rates_are_listed() -> None:
    rates: dict[str, Any] = {rate["TaxType"]: rate for rate in Bookkeeper("NZ").list("TaxRates")}
    assert (rates["OUTPUT"]["Status"], rates["OUTPUT2"]["EffectiveRate"]) == ("DELETED", 15)
    filtered = Bookkeeper().list("TaxRates", where='Status=="ACTIVE" AND CanApplyToRevenue==true', order="Name")
    assert [rate["TaxType"] for rate in filtered][:2] == ["BASEXCLUDED", "EXEMPTEXPORT"]


@pytest.mark.parametrize(
    "method",
    ['StartsWith("x")', 'contains("x")', 'ENDSWITH("x")', 'ToLower()=="x"', 'toupper().Contains("X")'],
)
@pytest.mark.parametrize(
    ("kind", "field"),
    [
        *(("Contacts", name) for name in ("EmailAddress", "AccountNumber", "FirstName", "ContactNumber")),
        *(("Invoices", name) for name in ("Url", "Contact.EmailAddress")),
        ("Accounts", "Code"),  # a bank account may have none (Xero-NetStandard#130)
    ],
)
def test_a_method_of_a_field_that_holds_nothing_breaks_unless_that_is_asked_first(
    kind: str, field: str, method: str
) -> None:
    """pyxero#181, in which Xero's own staff says so."""
    b = Bookkeeper()
    b.invoice()
    assert b.ask("GET", kind, where=f"{field}.{method}").status == 500
    assert b.ask("GET", kind, where=f"{field}.{method} AND {field}!=null").status == 500, "too late"
    assert b.list(kind, where=f"{field}!=null AND {field}.{method}") == []
    assert b.list(kind, where=f"{field}==null OR {field}.{method}") == b.list(kind, where=f"{field}==null") != []


@pytest.mark.parametrize(
    ("kind", "where"),
    [
        ("TaxRates", "CanApplyToAssets==true AND CanApplyToEquity==true AND CanApplyToLiabilities==true"),
        ("Accounts", "ShowInExpenseClaims==false"),
        ("Invoices", 'BrandingThemeID!=guid("00000000-0000-0000-0000-000000000001")'),
    ],
)
def test_other_fields_that_a_filter_may_name(b: Bookkeeper, kind: str, where: str) -> None:
    found = b.list(kind, where=where)
    assert 0 < len(found) <= len(b.list(kind))
    assert [each for each in b.list(kind, where=f"!({where})") if each in found] == []


def test_where_every_document_holds_something_no_guard_is_needed() -> None:
    b = Bookkeeper()
    b.contact("Ada", EmailAddress="ada@example.com")
    assert len(b.list("Contacts", where='EmailAddress.StartsWith("ada")')) == 1
    b.contact("Ben")
    assert b.ask("GET", "Contacts", where='EmailAddress.StartsWith("ada")').status == 500
    assert len(b.list("Contacts", where="EmailAddress==null")) == 1
    assert len(b.list("Contacts", where='EmailAddress!="ada@example.com"')) == 1
