"""What may stand in the body of a request: JSON with its keys in any letter case, XML, and a form that holds XML."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from caspen_xero.sandbox.api.bodies import LARGEST_BODY
from caspen_xero.sandbox.seam import ApiAnswer
from tests.sandbox.bookkeeper import NOWHERE, Bookkeeper

XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
INVOICE = f"""<?xml version="1.0" encoding="utf-8"?>
<!-- as older clients send it -->
<Invoices {XSI}>
  <Invoice>
    <Type>ACCREC</Type>
    <InvoiceNumber>X-1</InvoiceNumber>
    <Reference>5 &lt; 6 &amp; &quot;7&quot; <![CDATA[<b>]]> &#x263A;</Reference>
    <Contact><Name>Jo Smith (Caspen 10001)</Name><EmailAddress xsi:nil="true"/></Contact>
    <Date>2026-09-14T00:00:00</Date>
    <DueDate> 2026-09-28 </DueDate>
    <LineAmountTypes>Inclusive</LineAmountTypes>
    <SentToContact>1</SentToContact>
    <Status>AUTHORISED</Status>
    <Payments/>
    <LineItems>
      <LineItem>
        <Description>Consultation
45 min</Description>
        <Quantity>1.5000</Quantity>
        <UnitAmount> 10.955 </UnitAmount>
        <AccountCode>200</AccountCode>
        <TaxType>OUTPUT</TaxType>
        <Tracking><TrackingCategory><Name>Site</Name><Option>North</Option></TrackingCategory></Tracking>
      </LineItem>
    </LineItems>
  </Invoice>
</Invoices>"""


@pytest.fixture
def b() -> Bookkeeper:
    return Bookkeeper()


def send(b: Bookkeeper, body: str | bytes, path: str = "Invoices", method: str = "PUT", **params: str) -> ApiAnswer:
    return b.ask(method, path, body.encode() if isinstance(body, str) else body, **params)


def made(answer: ApiAnswer) -> dict[str, Any]:
    assert answer.status == 200, answer.body
    found: dict[str, Any] = json.loads(answer.body)
    return found


def message(answer: ApiAnswer) -> str:
    error = json.loads(answer.body)
    assert (answer.status, error["ErrorNumber"], error["Type"]) == (400, 14, "PostDataInvalidException")
    return str(error["Message"])


# JSON


def spelt(value: Any, how: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {how(name): spelt(one, how) for name, one in value.items()}
    return [spelt(one, how) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("how", [str.lower, str.upper, lambda name: name[0].lower() + name[1:]])
def test_keys_of_json_count_in_any_letter_case(b: Bookkeeper, how: Callable[[str], str]) -> None:
    """xero-ruby#100: `ContactId` is taken."""
    draft = b.draft(b.line(Tracking=[{"Name": "Site", "Option": "North"}]), InvoiceNumber="A-1")
    invoice = made(send(b, json.dumps(spelt({"Invoices": [draft]}, how))))["Invoices"][0]
    assert (invoice["InvoiceNumber"], invoice["Total"], invoice["Contact"]["Name"]) == (
        "A-1",
        110,
        draft["Contact"]["Name"],
    )
    assert invoice["LineItems"][0]["Tracking"] == [{"Name": "Site", "Option": "North"}]
    changed = made(send(b, json.dumps({how("Reference"): "x"}), f"Invoices/{invoice['InvoiceID']}", "POST"))
    assert changed["Invoices"][0]["Reference"] == "x"


def test_of_two_spellings_the_later_counts(b: Bookkeeper) -> None:
    body = '{"Contacts": [{"Name": "first", "NAME": "second", "name": "third", "contact_number": "1"}]}'
    contact = made(send(b, body, "Contacts"))["Contacts"][0]
    assert contact["Name"] == "third"
    assert "ContactNumber" not in contact or not contact["ContactNumber"]


def test_the_id_that_a_path_names_counts_however_the_body_spells_another(b: Bookkeeper) -> None:
    one, other = b.contact("One"), b.contact("Other")
    body = json.dumps({"ContactID": other, "contactid": other, "FirstName": "Jo"})
    assert made(send(b, body, f"Contacts/{one}", "POST"))["Contacts"][0]["ContactID"] == one


# XML


def test_an_invoice_of_xml_is_read_as_one_of_json(b: Bookkeeper) -> None:
    invoice = made(send(b, INVOICE, unitdp="4"))["Invoices"][0]
    assert (invoice["InvoiceNumber"], invoice["Status"], invoice["SentToContact"]) == ("X-1", "AUTHORISED", True)
    assert invoice["Reference"] == '5 < 6 & "7" <b> ☺'
    assert (invoice["DateString"], invoice["DueDateString"]) == ("2026-09-14T00:00:00", "2026-09-28T00:00:00")
    (line,) = invoice["LineItems"]
    assert (line["Description"], line["Quantity"], line["UnitAmount"]) == ("Consultation\n45 min", 1.5, 10.955)
    assert line["Tracking"] == [{"Name": "Site", "Option": "North"}]
    assert (invoice["SubTotal"], invoice["Total"]) == (14.94, 16.43)


def test_xml_may_hold_one_element_or_come_in_a_form(b: Bookkeeper) -> None:
    alone = "<Contact><Name>Ada &amp; Co</Name></Contact>"
    for number, body in enumerate((alone, f"<Contacts>{alone}</Contacts>", urlencode({"xml": alone}), f"\n {alone}")):
        answer = send(b, body.replace("Co<", f"Co {number}<").replace("Co%3C", f"Co+{number}%3C"), "Contacts")
        assert made(answer)["Contacts"][0]["Name"] == f"Ada & Co {number}"
    utf_16 = f'<?xml version="1.0" encoding="utf-16"?>{alone}'.encode("utf-16")
    assert made(send(b, utf_16, "Contacts"))["Contacts"][0]["Name"] == "Ada & Co"
    prefixed = '<x:Contact xmlns:x="urn:x"><x:Name>Ada</x:Name></x:Contact>'
    assert made(send(b, prefixed, "Contacts"))["Contacts"][0]["Name"] == "Ada"


def test_xml_changes_what_its_path_names_and_nil_changes_nothing(b: Bookkeeper) -> None:
    contact = b.contact("Ada", EmailAddress="ada@example.com")
    body = f'<Contact {XSI}><EmailAddress xsi:nil="true"/><FirstName>Ada</FirstName><LastName/></Contact>'
    shown = made(send(b, body, f"Contacts/{contact}", "POST"))["Contacts"][0]
    assert (shown["ContactID"], shown["EmailAddress"], shown["FirstName"]) == (contact, "ada@example.com", "Ada")


def test_an_allocation_of_xml_calls_its_amount_applied(b: Bookkeeper) -> None:
    invoice, note = b.invoice(), b.credit_note()
    path = f"CreditNotes/{note['CreditNoteID']}/Allocations"
    share = (
        f"<Allocation><AppliedAmount>30</AppliedAmount><Invoice><InvoiceID>{invoice['InvoiceID']}</InvoiceID></Invoice>"
    )
    assert made(send(b, f"{share}</Allocation>", path))["Allocations"][0]["Amount"] == 30
    assert made(send(b, f"<Allocations>{share}</Allocation></Allocations>", path))["Allocations"][0]["Amount"] == 30
    assert b.read("Invoices", invoice["InvoiceID"])["AmountDue"] == 50
    nothing = send(b, "<Allocations/>", path)
    assert (nothing.status, json.loads(nothing.body)["ErrorNumber"]) == (400, 17)


def test_a_refused_element_of_xml_is_answered_as_any_other(b: Bookkeeper) -> None:
    answer = send(
        b, "<Contacts><Contact><Name>A</Name></Contact><Contact><Name>A</Name></Contact></Contacts>", "Contacts"
    )
    error = json.loads(answer.body)
    assert (answer.status, error["ErrorNumber"], error["Elements"][0]["ContactID"]) == (400, 10, NOWHERE)
    assert b.list("Contacts") == []


def test_names_in_xml_count_as_they_are_spelt(b: Bookkeeper) -> None:
    """xeroizer#480: a line's id was sent as `LineItemId`, and not seen."""
    contact = b.contact("Ada", FirstName="Ada")
    body = "<firstname>Bea</firstname><LASTNAME>C</LASTNAME><Moon>full</Moon><EmailAddress>a@b.com</EmailAddress>"
    shown = made(send(b, f"<Contact>{body}</Contact>", f"Contacts/{contact}", "POST"))["Contacts"][0]
    assert (shown["FirstName"], shown.get("LastName", ""), shown["EmailAddress"]) == ("Ada", "", "a@b.com")
    assert "'contacts' was not recognised" in message(send(b, "<contacts><Contact/></contacts>", "Contacts"))


BOMB = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))


@pytest.mark.parametrize(
    "body",
    [
        f'<!DOCTYPE c [<!ENTITY l0 "lol">{BOMB}]><Contact><Name>&l11;</Name></Contact>',
        '<!DOCTYPE c [<!ENTITY x SYSTEM "file:///etc/passwd">]><Contact><Name>&x;</Name></Contact>',
        '<!DOCTYPE c SYSTEM "http://127.0.0.1:9/c.dtd"><Contact><Name>Ada</Name></Contact>',
        "<!DOCTYPE Contact><Contact><Name>Ada</Name></Contact>",
        "<Contact><Name>&undeclared;</Name></Contact>",
        "<Contact>" * 100_000,
        "<a>" * 50 + "</a>" * 50,
        "<Contact><Name>Ada</Name></Contact><Contact/>",
        '<?xml version="1.0" encoding="klingon"?><Contact/>',
        "<",
        "xml=",
        "xml=%00",
        b"<Contact><Name>\xff</Name></Contact>",
        b"\xff\xfe<",
    ],
)
def test_xml_that_is_none_or_wants_more_than_it_holds_is_refused(b: Bookkeeper, body: str | bytes) -> None:
    assert message(send(b, body, "Contacts")).startswith("Xml for post data was invalid, ")
    assert b.list("Contacts", includeArchived="true") == []


@pytest.mark.parametrize(
    "body",
    [
        "<Contacts/>",
        "<Contacts><Contact/></Contacts>",
        "<Contact><Name><First>Ada</First></Name></Contact>",
        "<Contact><Phones><Phone><PhoneType><Kind/></PhoneType></Phone></Phones></Contact>",
        "<Invoice><Type>ACCREC</Type></Invoice>",
        "Name=Ada",
    ],
)
def test_xml_that_says_nothing_of_use_is_refused(b: Bookkeeper, body: str) -> None:
    assert message(send(b, body, "Contacts"))


def test_numbers_dates_and_flags_of_xml_are_checked(b: Bookkeeper) -> None:
    for right, wrong in (
        ("1.5000", "one"),
        (" 2026-09-28 ", "28/09/2026"),
        ("<SentToContact>1<", "<SentToContact>yes<"),
    ):
        assert right in INVOICE
        assert message(send(b, INVOICE.replace(right, wrong)))


def test_a_body_of_xml_above_three_and_a_half_megabytes_is_refused(b: Bookkeeper) -> None:
    body = f"<Contact><Name>{'x' * LARGEST_BODY}</Name></Contact>"
    assert send(b, body, "Contacts").status == 413
    note = b.credit_note()
    assert send(b, body, f"CreditNotes/{note['CreditNoteID']}/Allocations").status == 413
