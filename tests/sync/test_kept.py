"""Whether Xero keeps what was sent: every loss and every change is found, and nothing that is only written otherwise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from clinics import RATES, TAX_TYPES, line, random_invoice
from clinics import invoice as caspen_invoice
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sandbox.bookkeeper import Bookkeeper

from caspen_xero.caspen.records import parse_record
from caspen_xero.sync.planning.kept import NotKept, contact_not_kept, not_kept, payment_not_kept, told_not_kept
from caspen_xero.sync.planning.line_items import CannotTranslate, TaxChoice, Terms
from caspen_xero.sync.planning.translate import translate_invoice
from caspen_xero.sync.setup.taxes import NO_TAX
from caspen_xero.xero.codec import decode, encode
from caspen_xero.xero.documents import Contact, Invoice, Payment

Body = dict[str, Any]
ROUNDINGS = ("half-up", "half-even")


def books(rounding: str) -> tuple[Bookkeeper, Terms, str]:
    """A local Xero, the terms that fit it, and a contact there."""
    xero = Bookkeeper(rounding=rounding)
    (sales,) = [each for each in xero.list("Accounts") if each.get("Code") == "200"]
    terms = Terms(
        sales_account={"AccountID": sales["AccountID"], "AccountCode": "200"},
        taxes={rate or NO_TAX: TaxChoice(TAX_TYPES[rate], RATES[rate], RATES[rate]) for rate in RATES},
        invoice_status="DRAFT",
    )
    return xero, terms, xero.contact()


def translated(record: Mapping[str, Any], terms: Terms, contact_id: str, *, certain: bool = False) -> Body:
    """What we send of a record of Caspen's."""
    parsed = parse_record(record)
    assert parsed.object == "invoice"
    try:
        body = translate_invoice(parsed, terms, certain=certain).body
    except CannotTranslate:
        assume(False)
    return {**body, "Contact": {"ContactID": contact_id}}


def answer_to(xero: Bookkeeper, body: Body) -> Body:
    """The element with which Xero answers to this invoice."""
    answer = xero.ask("PUT", "Invoices", encode({"Invoices": [body]}), summarizeErrors="false", unitdp="4")
    element = decode(answer.body)["Invoices"][0]
    assert element["StatusAttributeString"] == "OK", element
    return dict(element)


def differences(body: Body, element: Body) -> list[NotKept]:
    return not_kept(body, Invoice.model_validate(element))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**9), rounding=st.sampled_from(ROUNDINGS), certain=st.booleans())
def test_what_xero_answers_is_what_was_sent(seed: int, rounding: str, certain: bool) -> None:
    xero, terms, contact_id = books(rounding)
    body = translated(random_invoice(Random(seed), "INV-00001"), terms, contact_id, certain=certain)
    element = answer_to(xero, body)
    assert told_not_kept(differences(body, element)) == ""
    read_again = xero.read("Invoices", element["InvoiceID"])  # without unitdp: prices have two places
    assert told_not_kept(differences(json_again(body), read_again)) == ""


def json_again(body: Body) -> Body:
    """A body as the journal keeps it."""
    return dict(decode(encode(body)))


WHOLE: dict[str, Any] = {
    "number": ("InvoiceNumber", "INV-09999"),
    "reference": ("Reference", "somebody's"),
    "currency": ("CurrencyCode", "NZD"),
    "contact": ("Contact", {"ContactID": "another"}),
    "date": ("DateString", "2026-11-01T00:00:00"),
    "due date": ("DueDateString", "2027-01-01T00:00:00"),
}
"""What a mutated answer shows of the whole: (key, value), by what is then different."""


def _cut_account(shown: Body, random: Random) -> None:
    shown.pop("AccountID")
    shown.pop("AccountCode")


def _other_account(shown: Body, random: Random) -> None:
    shown |= {"AccountID": "11111111-1111-1111-1111-111111111111", "AccountCode": "260"}


def _cut_tax_type(shown: Body, random: Random) -> None:
    shown.pop("TaxType")


def _other_tax_type(shown: Body, random: Random) -> None:
    shown["TaxType"] = "OUTPUT" if shown["TaxType"] != "OUTPUT" else "EXEMPTOUTPUT"


def _other_description(shown: Body, random: Random) -> None:
    shown["Description"] += "."


def _other_quantity(shown: Body, random: Random) -> None:
    shown["Quantity"] += Decimal("0.0001")


def _other_price(shown: Body, random: Random) -> None:
    shown["UnitAmount"] += random.choice((Decimal("0.01"), Decimal("-0.01"), Decimal("0.0001")))


def _other_discount(shown: Body, random: Random) -> None:
    assume("DiscountRate" not in shown or abs(shown["Quantity"] * shown["UnitAmount"]) > 1)
    for key, more in (("DiscountRate", Decimal(1)), ("DiscountAmount", Decimal("0.01"))):
        if key in shown or key == "DiscountAmount":
            shown[key] = shown.get(key, Decimal(0)) + more


def _other_amount(shown: Body, random: Random) -> None:
    shown["LineAmount"] += random.choice((Decimal("0.01"), Decimal("-0.01")))


def _other_tax(shown: Body, random: Random) -> None:
    shown["TaxAmount"] += Decimal("0.01")


LINES: dict[str, tuple[str, Callable[[Body, Random], None]]] = {
    "account cut": ("account", _cut_account),
    "another account": ("account", _other_account),
    "tax type cut": ("tax type", _cut_tax_type),
    "another tax type": ("tax type", _other_tax_type),
    "another description": ("description", _other_description),
    "another quantity": ("quantity", _other_quantity),
    "another price": ("price", _other_price),
    "another discount": ("discount", _other_discount),
    "another amount": ("amount", _other_amount),
    "another tax amount": ("tax amount", _other_tax),
}
"""What a mutated answer does to a line, and what is then different there."""


@pytest.mark.parametrize("mutation", LINES)
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**9), rounding=st.sampled_from(ROUNDINGS))
def test_whatever_xero_makes_of_a_line_is_found(mutation: str, seed: int, rounding: str) -> None:
    what, mutate = LINES[mutation]
    random = Random(seed)
    xero, terms, contact_id = books(rounding)
    body = translated(random_invoice(random, "INV-00001"), terms, contact_id, certain=what == "tax amount")
    assume("tax" not in what or body["LineAmountTypes"] != "NoTax")
    element = answer_to(xero, body)
    place = random.randrange(len(body["LineItems"]))
    sent = body["LineItems"][place]
    assume(what not in ("account", "tax type") or Decimal(sent["UnitAmount"]) != 0)
    if what == "price":  # what is shown with two places may stand for a price with four
        assume(Decimal(sent["UnitAmount"]) == round(Decimal(sent["UnitAmount"]), 2))
    mutate(element["LineItems"][place], random)
    assert (what, place + 1) in {(one.what, one.line) for one in differences(body, element)}
    assert {one.line for one in differences(body, element)} == {place + 1}


@pytest.mark.parametrize("what", WHOLE)
@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_whatever_xero_makes_of_the_whole_is_found(what: str, seed: int) -> None:
    xero, terms, contact_id = books("half-up")
    body = translated({**random_invoice(Random(seed), "INV-00001"), "reference": "Plan 7"}, terms, contact_id)
    element = answer_to(xero, body)
    key, value = WHOLE[what]
    (one,) = differences(body, element | {key: value})
    assert (one.what, one.line) == (what, None)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**9), away=st.booleans())
def test_a_line_that_is_missing_or_too_many_is_found_alone(seed: int, away: bool) -> None:
    random = Random(seed)
    xero, terms, contact_id = books("half-up")
    lines = [line(f"{place}.00", description=f"Visit {place}") for place in range(1, random.randint(3, 6))]
    body = translated(caspen_invoice("INV-00001", lines), terms, contact_id)
    element = answer_to(xero, body)
    shown = element["LineItems"]
    place = random.randrange(len(shown))
    if away:
        gone = shown.pop(place)
        assert differences(body, element) == [NotKept("line", gone["Description"], "", place + 1)]
    else:
        shown.insert(place, {**shown[place], "Description": "Somebody's", "LineItemID": "new"})
        assert differences(body, element) == [NotKept("line", "", "Somebody's", place + 1)]


def invoice_sent() -> Body:
    """An invoice of two lines as it is sent; the first has a discount."""
    lines = [
        {
            "Description": "Initial consultation\r\nwith report ",
            "Quantity": 3,
            "UnitAmount": Decimal("33.3333"),
            "DiscountRate": Decimal("33.33"),
            "AccountID": "Acc-1",
            "AccountCode": "200",
            "TaxType": "OUTPUT",
        },
        {
            "Description": "Materials",
            "Quantity": Decimal("1.5"),
            "UnitAmount": Decimal("10.00"),
            "AccountID": "Acc-1",
            "AccountCode": "200",
            "TaxType": "OUTPUT",
        },
    ]
    return {
        "Type": "ACCREC",
        "InvoiceNumber": "INV-1",
        "Contact": {"ContactID": "CON-1"},
        "Date": date(2026, 11, 2),
        "DueDate": date(2026, 11, 16),
        "LineAmountTypes": "Exclusive",
        "CurrencyCode": "AUD",
        "Status": "AUTHORISED",
        "LineItems": lines,
    }


def as_shown(body: Body, **more: Any) -> Body:
    """An answer that shows just that."""
    shown = deepcopy(body) | {"InvoiceID": "0662405e-334f-5d73-88aa-953f08afa390", "SubTotal": Decimal("81.67")} | more
    for place, each in enumerate(shown["LineItems"]):
        each |= {"LineItemID": f"line-{place}", "LineAmount": (Decimal("66.67"), Decimal("15.00"))[place]}
    return shown


SAME: dict[str, Callable[[Body], object]] = {
    "as it was sent": lambda shown: None,
    "spaces and line ends": lambda shown: shown["LineItems"][0].update(Description="Initial consultation\nwith report"),
    "a price with two places": lambda shown: shown["LineItems"][0].update(UnitAmount=Decimal("33.33")),
    "a discount under all three keys": lambda shown: shown["LineItems"][0].update(
        DiscountAmount=Decimal("33.33"), DiscountEnteredAsPercent=True
    ),
    "ids in another case": lambda shown: (
        shown["LineItems"][0].update(AccountID="ACC-1"),
        shown.update(Contact={"ContactID": "con-1"}),
    ),
    "an account by its id alone": lambda shown: shown["LineItems"][0].pop("AccountCode"),
    "an account by its code alone": lambda shown: shown["LineItems"][0].pop("AccountID"),
    "no lines at all": lambda shown: shown.update(LineItems=[]),
    "no dates, currency, contact or amounts": lambda shown: [
        shown.pop(key) for key in ("Date", "DueDate", "CurrencyCode", "Contact", "LineAmountTypes")
    ],
    "paid meanwhile": lambda shown: shown.update(Status="PAID"),
    "a reference that was not sent": lambda shown: shown.update(Reference="theirs"),
    "a line of text only": lambda shown: [
        shown["LineItems"][1].pop(key)
        for key in ("Quantity", "UnitAmount", "LineAmount", "AccountID", "AccountCode", "TaxType")
    ],
    "no tax on any amount, and the account's own tax type": lambda shown: (
        shown.update(LineAmountTypes="NoTax"),
        [each.update(TaxType="BASEXCLUDED") for each in shown["LineItems"]],
    ),
}
"""What is only told or written otherwise."""


@pytest.mark.parametrize("name", SAME)
def test_what_is_only_written_otherwise_is_no_difference(name: str) -> None:
    body = invoice_sent()
    if "no tax" in name:
        body["LineAmountTypes"] = "NoTax"
    shown = as_shown(body)
    SAME[name](shown)
    assert told_not_kept(differences(body, shown)) == ""


def test_a_line_without_a_price_may_lose_account_and_tax_type() -> None:
    body = invoice_sent()
    body["LineItems"][1]["UnitAmount"] = Decimal("0.00")
    shown = as_shown(body)
    shown["LineItems"][1]["LineAmount"] = Decimal("0.00")
    for key in ("AccountID", "AccountCode", "TaxType"):
        shown["LineItems"][1].pop(key)
    assert differences(body, shown) == []


def test_lines_belong_together_by_the_ids_that_were_sent() -> None:
    body = invoice_sent()
    for place, each in enumerate(body["LineItems"]):
        each["LineItemID"] = f"line-{place}"
    shown = as_shown(body)
    shown["LineItems"].reverse()
    assert differences(body, shown) == []
    shown["LineItems"][0]["TaxType"] = "EXEMPTOUTPUT"
    assert differences(body, shown) == [NotKept("tax type", "OUTPUT", "EXEMPTOUTPUT", 2)]


def test_an_amount_that_was_sent_as_a_discount_is_compared_as_that() -> None:
    body = invoice_sent()
    first = body["LineItems"][0]
    first["DiscountAmount"] = Decimal("33.33")
    first.pop("DiscountRate")
    shown = as_shown(body)
    shown["LineItems"][0] |= {"DiscountRate": Decimal("33.33"), "DiscountEnteredAsPercent": False}
    assert differences(body, shown) == []
    shown["LineItems"][0] |= {"DiscountAmount": Decimal("33.34")}
    assert [one.what for one in differences(body, shown)] == ["discount"]


def test_what_was_emptied_and_still_stands_is_a_difference() -> None:
    body = invoice_sent() | {"Reference": ""}
    assert differences(body, as_shown(body, Reference="Plan 7")) == [NotKept("reference", "", "Plan 7")]


def test_amounts_that_are_taken_for_others_are_a_difference() -> None:
    shown = as_shown(invoice_sent(), LineAmountTypes="Inclusive")
    assert differences(invoice_sent(), shown) == [NotKept("amounts are", "Exclusive", "Inclusive")]


def test_differences_in_words() -> None:
    body = invoice_sent()
    shown = as_shown(body, DueDate=date(2026, 11, 17))
    shown["LineItems"][1].pop("AccountID")
    shown["LineItems"][1].pop("AccountCode")
    assert told_not_kept(differences(body, shown)) == (
        "due date was sent as 2026-11-16, Xero shows 2026-11-17; line 2: account was sent as 200, Xero shows none"
    )


PAYMENT: Body = {
    "Invoice": {"InvoiceID": "INV-X"},
    "Account": {"AccountID": "acc-1"},
    "Date": date(2026, 11, 3),
    "Amount": Decimal("110.00"),
    "Reference": "Caspen pay_1",
}


@pytest.mark.parametrize(
    ("shown", "what"),
    [
        ({}, []),
        ({"Account": {"AccountID": "ACC-1"}, "Amount": Decimal("110.0"), "CurrencyRate": Decimal("1.5")}, []),
        ({"Amount": Decimal("60.00")}, ["amount"]),
        ({"Invoice": {"InvoiceID": "INV-Y"}}, ["invoice"]),
        ({"Account": {"AccountID": "acc-2"}}, ["account"]),
        ({"Date": date(2026, 11, 4)}, ["date"]),
        ({"Reference": "theirs"}, ["reference"]),
    ],
)
def test_payments(shown: Body, what: list[str]) -> None:
    element = {"PaymentID": "P"} | (PAYMENT | shown if shown else {})
    assert [one.what for one in payment_not_kept(PAYMENT, Payment.model_validate(element))] == what


@pytest.mark.parametrize(
    ("shown", "what"),
    [
        ({"Name": "Nell  Okafor", "ContactNumber": "CSPN-1"}, []),
        ({"Name": "Nell Okafor"}, []),
        ({"Name": "Somebody else"}, ["name"]),
        ({"Name": "Nell Okafor", "ContactNumber": "77"}, ["number"]),
    ],
)
def test_contacts(shown: Body, what: list[str]) -> None:
    body = {"Name": "Nell Okafor", "ContactNumber": "CSPN-1"}
    assert [one.what for one in contact_not_kept(body, Contact.model_validate(shown))] == what
