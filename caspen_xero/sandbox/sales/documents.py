"""What sales invoices, bills and credit notes have in common: how one is filled in, checked and approved.

An invoice and a credit note differ in their names, in discounts (invoices of type ACCREC only) and in what settles them;
each has its own file.
"""

from __future__ import annotations

from typing import Any

from caspen_xero.sandbox.books import messages
from caspen_xero.sandbox.books.desk import Desk
from caspen_xero.sandbox.books.fields import DATE, FLAG, ID, NUMBER, WORD, Fields, Many, One, Text
from caspen_xero.sandbox.books.ledger import Body, Ledger
from caspen_xero.sandbox.books.refusals import Refusal, Together
from caspen_xero.sandbox.books.wire import xero_date
from caspen_xero.sandbox.contacts.contacts import CONTACT_FIELDS, refuse_archived
from caspen_xero.sandbox.organisation.currencies import check_currency, currency_rate
from caspen_xero.sandbox.organisation.organisations import (
    check_edit_by_lock_dates,
    organisation_of,
    switch,
)
from caspen_xero.sandbox.organisation.themes import branding_theme
from caspen_xero.sandbox.sales.lines import (
    LINE_FIELDS,
    LineRules,
    build_lines,
    document_totals,
    read_line_amount_types,
    show_line,
    total_discount,
    with_rounded_discounts,
)
from caspen_xero.sandbox.sales.settlement import has_dealings
from caspen_xero.sandbox.sales.statuses import ENDED, NEXT_STATUS, UNAPPROVED, is_complete

DOCUMENT_FIELDS: Fields = {
    "Type": WORD,
    "Contact": One(CONTACT_FIELDS),
    "Date": DATE,
    "DueDate": DATE,
    "Status": WORD,
    "LineAmountTypes": WORD,
    "LineItems": Many(LINE_FIELDS),
    "SubTotal": NUMBER,
    "TotalTax": NUMBER,
    "Total": NUMBER,
    "CurrencyCode": WORD,
    "CurrencyRate": NUMBER,
    "Reference": Text(255),
    "BrandingThemeID": ID,
    "SentToContact": FLAG,
}
# What an invoice shows of itself inside another document, beside its names (recorded answers).
EMPTY_INVOICE: Body = {
    "Payments": [],
    "CreditNotes": [],
    "Prepayments": [],
    "Overpayments": [],
    "IsDiscounted": False,
    "InvoiceAddresses": [],
    "HasErrors": False,
    "InvoicePaymentServices": [],
    "LineItems": [],
}


def check_status(document: Body, status: str, name: str) -> None:
    """Refuses a status that may not follow, and one that payments and credits on the document stand in the way of."""
    if status == document["Status"] and NEXT_STATUS[status]:
        return
    if has_dealings(document) and status in ("VOIDED", *UNAPPROVED):
        raise Refusal(messages.STATUS_HAS_PAYMENTS(status=status, document=name.lower()))
    if status not in NEXT_STATUS[document["Status"]]:
        raise Refusal(messages.NOT_VALID_FOR_CHANGE(document=name))


def check_edit(ledger: Ledger, document: Body, status: str, name: str, *, contact_stays: bool) -> Together:
    """What speaks against an edit to that status, said together with what is found of the rest of it.

    Raises it at once where nothing of the rest counts: in a locked period, and where the document ends or has ended.
    """
    together, ends = Together(), status in ENDED or document["Status"] in ENDED
    with together.also():
        check_status(document, status, name)
    contact = ledger.find("Contacts", document["ContactID"])
    if contact is not None and (contact_stays or ends):
        with together.also():
            refuse_archived(contact)
    try:
        check_edit_by_lock_dates(ledger, document["Date"], is_draft=document["Status"] in UNAPPROVED)
    except Refusal as refusal:
        raise Refusal(*together.messages, *refusal.messages) from refusal
    if ends:
        together.end()
    return together


def approved_or_draft(desk: Desk, status: str) -> str:
    """A user without the right to approve gets a draft back, without an error (a third party's probes)."""
    return "DRAFT" if status == "AUTHORISED" and not switch(desk.ledger, "Approver", True) else status


def fill_lines(desk: Desk, document: Body, sent: dict[str, Any], *, discounts: bool) -> list[str]:
    """Sets LineAmountTypes, lines and totals from what was sent over what is there; gives warnings.

    Refuses a Total that is not their sum, one below 0, and an approved document without lines.
    """
    warnings: list[str] = []
    if "LineAmountTypes" in sent or "LineAmountTypes" not in document:
        document["LineAmountTypes"] = read_line_amount_types(sent.get("LineAmountTypes"))
    existing = document.get("LineItems", [])
    if "LineItems" in sent or "LineAmountTypes" in sent:
        elements = sent.get("LineItems", [{"LineItemID": line["LineItemID"]} for line in existing])
        rules = _line_rules(
            desk, document, desk.unit_places if "LineItems" in sent else 4, discounts=discounts, warnings=warnings
        )
        document["LineItems"] = build_lines(rules, elements, existing)
        if is_complete(document["Status"]) and not elements:
            raise Refusal(messages.LINES_MISSING())
    elif is_complete(document["Status"]):
        check_complete_lines(desk.ledger, document["LineItems"])
    _sum_up(document)
    if "Total" in sent and desk.rounding.cents(sent["Total"]) != document["Total"]:
        raise Refusal(messages.TOTAL_NOT_SUM())
    if document["Total"] < 0:
        raise Refusal(messages.TOTAL_NEGATIVE())
    return list(dict.fromkeys(warnings))


def round_discounts(desk: Desk, document: Body, *, rates: bool = False) -> None:
    """Counts discounts that were sent as amounts anew, from percentages of 2 places: so approval may do (xero-node#592).

    With `rates` the percentages that were sent, too: so the old web page may do.
    """
    rules = _line_rules(desk, document, 4, discounts=True)
    document["LineItems"] = with_rounded_discounts(rules, document["LineItems"], rates=rates)
    _sum_up(document)


def _line_rules(
    desk: Desk, document: Body, unit_places: int, *, discounts: bool, warnings: list[str] | None = None
) -> LineRules:
    types, complete = document["LineAmountTypes"], is_complete(document["Status"])
    return LineRules(
        desk.ledger,
        desk.rounding,
        unit_places,
        types,
        complete,
        discounts=discounts,
        draft=not complete,
        warnings=warnings if warnings is not None else [],
    )


def _sum_up(document: Body) -> None:
    amounts = document_totals(document["LineItems"], document["LineAmountTypes"])
    document |= {"SubTotal": amounts.subtotal, "TotalTax": amounts.tax, "Total": amounts.total}


def check_complete_lines(ledger: Ledger, lines: list[Body]) -> None:
    """What a draft's lines may lack, and an approved document's may not."""
    if not lines:
        raise Refusal(messages.LINES_MISSING())
    for line in lines:
        if not line.get("Description"):
            raise Refusal(messages.DESCRIPTION_MISSING())
        if line.get("UnitAmount"):  # one without a price may have neither
            check_accounted_for(line)


def check_accounted_for(line: Body) -> None:
    """Refuses an approved document's line without an account or a tax type, with Xero's words about both."""
    missing = {"AccountID": messages.ACCOUNT_MISSING, "TaxType": messages.TAX_MISSING}
    if words := [message() for name, message in missing.items() if name not in line]:
        raise Refusal(*words)


def take_currency(ledger: Ledger, document: Body, sent: dict[str, Any]) -> None:
    """Takes over currency and rate; a new document is in the organisation's own currency unless another is sent."""
    if "CurrencyCode" in document and not {"CurrencyCode", "CurrencyRate"} & set(sent):
        return
    own = document.get("CurrencyCode", organisation_of(ledger)["BaseCurrency"])
    document["CurrencyCode"] = sent.get("CurrencyCode", own)
    check_currency(ledger, document["CurrencyCode"])
    document["CurrencyRate"] = currency_rate(ledger, document["CurrencyCode"], sent.get("CurrencyRate"))


def check_text(sent: dict[str, Any], field: str) -> None:
    """Document numbers are printable ASCII (Xero's Invoices page)."""
    text = sent.get(field, "")
    if not (text.isascii() and text.isprintable()):
        raise Refusal(messages.NUMBER_NOT_PRINTABLE(field=field))


def show_branding_theme(ledger: Ledger, document: Body, view: str) -> Body:
    """The branding theme of a sales document; where it is read, the organisation's own can be left out as other such keys are."""
    theme = document["BrandingThemeID"]
    left_out = view != "created" and theme == branding_theme(ledger) and ledger.ways.absent_keys == "left-out"
    return {} if left_out else {"BrandingThemeID": theme}


def show_lines(desk: Desk, document: Body, *, checked: bool = False) -> list[Body]:
    rate_alone = not checked and desk.ledger.ways.discount_in_lists == "rate"
    return [
        show_line(line, desk.rounding, desk.unit_places, checked=checked, rate_alone=rate_alone)
        for line in document["LineItems"]
    ]


def show_amounts(desk: Desk, document: Body) -> Body:
    """The totals of a document, and its discount where there is one."""
    shown: Body = {"SubTotal": document["SubTotal"], "TotalTax": document["TotalTax"], "Total": document["Total"]}
    if discount := total_discount(document["LineItems"], desk.rounding):
        shown["TotalDiscount"] = discount
    return shown


def show_payments(ledger: Ledger, document: Body, view: str) -> list[Body]:
    """Payments as a document lists them: without reconciliation (recorded answers).

    A list names the batch that a payment is in; by its id a document names the batch in the payment's place.
    """
    return [
        {
            **_payment_ids(payment, ledger.ways.batch_member_id, view),
            "Date": xero_date(payment["Date"]),
            "Amount": payment["Amount"],
            **({"Reference": payment["Reference"]} if payment["Reference"] or view != "created" else {}),
            "CurrencyRate": payment["CurrencyRate"],
            "HasAccount": False,
            "HasValidationErrors": False,
        }
        for payment in document["Payments"]
    ]


def _payment_ids(payment: Body, batch_member_id: str, view: str) -> Body:
    if "BatchPaymentID" not in payment:
        return {"PaymentID": payment["PaymentID"]}
    if batch_member_id == "lists" or (batch_member_id != "own" and view == "full"):
        return {"PaymentID": payment["BatchPaymentID"]}
    named = () if view == "full" else ("BatchPaymentID",)
    return {name: payment[name] for name in ("PaymentID", *named)}


def show_allocations(ledger: Ledger, credit: Body) -> list[Body]:
    """The allocations of a credit note, an overpayment or a prepayment, as the credit lists them."""
    return [
        {
            "AllocationID": allocation["AllocationID"],
            "Amount": allocation["Amount"],
            "Date": xero_date(allocation["Date"]),
            "Invoice": {
                "InvoiceID": allocation["InvoiceID"],
                "InvoiceNumber": (ledger.find("Invoices", allocation["InvoiceID"]) or {}).get("InvoiceNumber", ""),
                **EMPTY_INVOICE,
            },
        }
        for allocation in credit["Allocations"]
    ]
