"""Both sides of made-up books, by hand and at random, as a reconciliation compares them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal, get_args

from hypothesis import strategies as st

from caspen_xero.sync.reconciling.ledger import (
    Asked,
    Compared,
    Document,
    Find,
    Kind,
    LeftOut,
    Line,
    Money,
    MoneyPair,
    Names,
    Pair,
    Standing,
    WhyLeftOut,
)

NOVEMBER = Asked(date(2026, 11, 1), date(2026, 11, 30), date(2026, 11, 30))
NAMES = Names(
    accounts={
        "200": "200 Sales",
        "id-200": "200 Sales",
        "210": "210 Products",
        "090": "090 Bank",
        "id-090": "090 Bank",
    },
    rates={"OUTPUT": "GST on Income", "EXEMPTOUTPUT": "GST Free Income"},
    parties={"nell": "Nell Okafor"},
)


def day(text: str) -> date:
    """A day of November by its number, or any day as `2026-12-01`."""
    return date(2026, 11, int(text)) if len(text) <= 2 else date.fromisoformat(text)


def document(number: str, total: str = "110.00", on: str = "3", *, kind: Kind = "invoice", **others: Any) -> Document:
    """A document with one line, a tenth of it tax; its id is its number in small letters."""
    amount = Decimal(total)
    tax = others.pop("tax", (amount / 11).quantize(Decimal("0.01")))
    line = Line(amount - tax, tax, others.pop("rate", "OUTPUT"), others.pop("account", "200"))
    usual: dict[str, Any] = {
        "id": number.lower(),
        "standing": "stands",
        "status": "open",
        "contact": "nell",
        "party": "Nell Okafor",
        "currency": "AUD",
        "lines": [line],
    }
    return Document(
        kind=kind, number=number, day=day(on), subtotal=amount - tax, tax=tax, total=amount, **(usual | others)
    )


def in_xero(one: Document, **others: Any) -> Document:
    """The same document in Xero, but for what is said of it."""
    usual: dict[str, Any] = {"id": f"x-{one.id}", "status": "AUTHORISED"}
    return replace(one, **(usual | others))


def pair(number: str, total: str = "110.00", on: str = "3", **others: Any) -> Pair:
    """An invoice that is equal on both sides."""
    one = document(number, total, on, **others)
    return Pair(one, in_xero(one))


def money(invoice: str, amount: str, on: str = "5", **others: Any) -> Money:
    """A payment of Caspen's on an invoice."""
    usual: dict[str, Any] = {
        "kind": "payment",
        "id": f"p-{invoice.lower()}-{amount}-{on}",
        "account": "090",
        "method": "Cash",
    }
    return Money(
        **usual | {"invoice": invoice.lower(), "day": day(on), "amount": Decimal(amount), "currency": "AUD"} | others
    )


def paid(invoice: str, amount: str, on: str = "5", **others: Any) -> MoneyPair:
    """A payment that is equal on both sides."""
    one = money(invoice, amount, on, **others)
    return MoneyPair(one, money_in_xero(one))


def money_in_xero(one: Money, **others: Any) -> Money:
    """The same payment in Xero."""
    usual: dict[str, Any] = {"id": f"x-{one.id}", "invoice": f"x-{one.invoice}", "method": "", "told": False}
    return replace(one, **(usual | others))


def settled(compared: Compared) -> Compared:
    """With what is paid and credited of Xero's invoices, as Xero says it of them."""
    sums: dict[tuple[str, str], Decimal] = {}
    for one in (each.xero for each in compared.payments):
        if one:
            sums[one.kind, one.invoice] = sums.get((one.kind, one.invoice), Decimal(0)) + one.amount

    def said(one: Document | None) -> Document | None:
        if one is None:
            return None
        paid, credited = (sums.get((kind, one.id), Decimal(0)) for kind in ("payment", "credit"))
        return replace(one, paid=paid, credited=credited)

    compared.invoices = [Pair(one.caspen, said(one.xero)) for one in compared.invoices]
    return compared


def november(*invoices: Pair, payments: list[MoneyPair] | None = None, **others: Any) -> Compared:
    """What was compared of a November, which ends with its debtors."""
    asked = others.pop("asked", NOVEMBER)
    return settled(Compared(asked, invoices=list(invoices), payments=payments or [], names=NAMES, **others))


# --- at random

KINDS_OF_MONEY: list[Literal["payment", "credit"]] = ["payment", "payment", "credit"]
DAYS = st.dates(date(2026, 9, 1), date(2027, 1, 31))
CENTS = st.integers(0, 99_999_99).map(lambda cents: Decimal(cents) / 100)
CURRENCIES = st.sampled_from(["AUD", "AUD", "AUD", "NZD"])
STANDINGS: st.SearchStrategy[Standing] = st.sampled_from(["stands"] * 4 + list(get_args(Standing)))
RATES, ACCOUNTS = st.sampled_from(["OUTPUT", "EXEMPTOUTPUT", ""]), st.sampled_from(["200", "id-200", "210", "999", ""])
LINES = st.lists(st.builds(Line, CENTS, CENTS, RATES, ACCOUNTS, st.sampled_from(["", "Consultation"])), max_size=3)


@st.composite
def documents(draw: st.DrawFn, kind: Kind, id_: str) -> Document:
    """A document whose lines mostly come to its figures."""
    lines = draw(LINES)
    net, tax = (sum((getattr(line, figure) for line in lines), Decimal("0.00")) for figure in ("net", "tax"))
    if draw(st.integers(0, 5)) == 0:
        net += draw(CENTS)
    party = draw(st.sampled_from(["Nell Okafor", "Ed Li", "Ada Wu"]))
    return Document(
        kind=kind,
        id=id_,
        number=draw(st.sampled_from([f"INV-{id_}", f"{id_}", ""])),
        standing=draw(STANDINGS),
        status="any",
        contact=draw(st.sampled_from([party.split()[0].lower(), ""])),
        party=party,
        day=draw(DAYS),
        currency=draw(CURRENCIES),
        subtotal=net,
        tax=tax,
        total=net + tax,
        lines=lines,
    )


@st.composite
def moneys(draw: st.DrawFn, id_: str, invoices: list[str]) -> Money:
    return Money(
        kind="payment",
        id=id_,
        invoice=draw(st.sampled_from(invoices)),
        day=draw(DAYS),
        amount=draw(CENTS),
        currency=draw(CURRENCIES),
        account=draw(st.sampled_from(["090", "id-090", "091", ""])),
        method=draw(st.sampled_from(["Cash", "Card", ""])),
        told=draw(st.booleans()),
    )


@st.composite
def asked(draw: st.DrawFn) -> Asked:
    last = draw(DAYS)
    first = draw(st.none() | st.integers(0, 60).map(lambda days: last - timedelta(days)))
    return Asked(first, last, draw(st.just(last) | DAYS))


@st.composite
def anything(draw: st.DrawFn) -> Compared:
    """Books in which anything may differ: nothing of one side follows from the other."""
    compared = Compared(draw(asked()), names=NAMES)
    pairs: dict[Kind, list[Pair]] = {"invoice": compared.invoices, "credit_note": compared.credit_notes}
    for kind in pairs:
        for place in range(draw(st.integers(0, 4))):
            here = draw(documents(kind, f"{kind}-{place}"))
            there = draw(documents(kind, f"x-{kind}-{place}"))
            if draw(st.booleans()):
                there = in_xero(here, standing=there.standing, currency=there.currency)
            pairs[kind].append(
                Pair(*draw(st.sampled_from([(here, there), (here, there), (here, None), (None, there)])))
            )
        for place in range(draw(st.integers(0, 2))):
            xero = draw(st.none() | documents(kind, f"y-{kind}-{place}"))
            left = draw(documents(kind, f"left-{kind}-{place}"))
            compared.left_out.append(LeftOut(left, draw(st.sampled_from(get_args(WhyLeftOut))), xero=xero))
            compared.others.append(draw(documents(kind, f"other-{kind}-{place}")))
    ids = [one.id for each in compared.invoices for one in (each.caspen, each.xero) if one]
    if ids:
        ids += [one.id for one in compared.others]
        for place in range(draw(st.integers(0, 5))):
            mine = draw(moneys(f"p{place}", ids))
            theirs = draw(st.just(money_in_xero(mine)) | moneys(f"q{place}", ids))
            money_kind = draw(st.sampled_from(KINDS_OF_MONEY))
            mine, theirs = replace(mine, kind=money_kind), replace(theirs, kind=money_kind)
            on = draw(st.sampled_from([(mine, theirs), (mine, theirs), (mine, None), (None, theirs)]))
            compared.payments.append(MoneyPair(*on))
        for place in range(draw(st.integers(0, 2))):
            reason = draw(st.sampled_from(["held", "pending", "feed", "something else"]))
            compared.money_left_out.append((draw(moneys(f"m{place}", ids)), reason))
    for each in compared.invoices:
        code = draw(st.sampled_from(["", "", "contact", "twice-in-xero", "unreadable-in-xero"]))
        if code:
            here_id, there_id = (one.id if one else None for one in (each.caspen, each.xero))
            compared.finds.append(Find(code, "1", here_id, there_id, "", "", "", "AUD", accepted=draw(st.booleans())))
    return settled(compared)


@st.composite
def equal_books(draw: st.DrawFn) -> Compared:
    """Books in which Xero has all that it is to have, as it is to be; a bookkeeper has recoded what they like."""
    compared = Compared(draw(asked()), names=NAMES)
    for place in range(draw(st.integers(0, 5))):
        one = replace(draw(documents("invoice", f"i{place}")), standing="stands")
        compared.invoices.append(Pair(one, _recoded(draw, compared, one)))
    for place in range(draw(st.integers(0, 3))):
        one = replace(draw(documents("credit_note", f"n{place}")), standing="stands")
        compared.credit_notes.append(Pair(one, _recoded(draw, compared, one)))
    ids = [each.caspen.id for each in compared.invoices if each.caspen]
    if ids:
        for place in range(draw(st.integers(0, 5))):
            mine = replace(draw(moneys(f"p{place}", ids)), kind=draw(st.sampled_from(KINDS_OF_MONEY)))
            theirs = money_in_xero(mine, account=draw(st.sampled_from(["090", "091", mine.account])))
            compared.payments.append(MoneyPair(mine, theirs))
        for place in range(draw(st.integers(0, 2))):
            compared.money_left_out.append((draw(moneys(f"m{place}", ids)), "feed"))
    for place in range(draw(st.integers(0, 3))):
        why: WhyLeftOut = draw(st.sampled_from(["draft", "void", "skipped", "before-start-date"]))
        compared.left_out.append(LeftOut(draw(documents("invoice", f"left{place}")), why))
        compared.others.append(draw(documents("invoice", f"other{place}")))
    return settled(compared)


def _recoded(draw: st.DrawFn, compared: Compared, one: Document) -> Document:
    """A document in Xero, with lines in other accounts, and mostly on a contact of the same client."""
    lines = [replace(line, account=draw(st.sampled_from([line.account, "210"]))) for line in one.lines]
    there = in_xero(one, lines=lines, contact=draw(st.sampled_from([one.contact, "everybody"])))
    compared.recoded += [
        (one, sent, found) for sent, found in zip(one.lines, lines, strict=True) if sent.account != found.account
    ]
    return there
