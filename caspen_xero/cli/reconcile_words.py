"""A proof in words, the same ones on the screen and on the page."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from caspen_xero.cli.session import Session
from caspen_xero.commands import each_command, naming
from caspen_xero.outside_text import plain
from caspen_xero.sync.reconciling.finds import FINDS, INFORMATION, PAID_WITHOUT_PAYMENT
from caspen_xero.times import local

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caspen_xero.sync.reconciling.ledger import Find
    from caspen_xero.sync.reconciling.proof import Proof
    from caspen_xero.sync.reconciling.tables import Cell, Column, Table

DIFFERENCES = "differences"
"""The key of the table that the screen, the page and JSON show as the finds themselves, each with what is to be done."""
INVOICES = "invoices"
"""The key of the table of all invoices: those of the period, and those from outside it on which something is due."""
MOST_ALIKE = 5
"""Fixes that are told invoice by invoice, where only the number in them is another."""
TOO_WIDE = ("code",)
"""The keys of columns that are for scripts; so are those that end in `_id`."""


def what_it_is(session: Session, proof: Proof) -> str:
    """Whose books, and which period."""
    return f"{plain(session.connection.tenant_name)}, {period(proof)}"


def period(proof: Proof) -> str:
    """The days of which documents were compared."""
    first = proof.asked.first
    return f"{first} to {proof.asked.last}" if first is not None else f"from the beginning to {proof.asked.last}"


def when_read(proof: Proof) -> str:
    """When Xero was read, by this machine's clock, and in how many calls."""
    calls = "1 call" if proof.calls == 1 else f"{proof.calls} calls"
    since = f", begun {local(proof.resumed_from)} by an earlier run" if proof.resumed_from else ""
    return f"{local(proof.read_at)}, in {calls}{since}"


def verdict(proof: Proof) -> str:
    """What came of it, in one sentence or two."""
    return " ".join([*_sentences(proof), *_paid_without_payment(proof)])


def _paid_without_payment(proof: Proof) -> list[str]:
    """What is equal, and may still surprise: it is paid in Caspen, and owed in Xero."""
    from caspen_xero.sync.paid_without_payment import in_words

    found = [one for one in proof.information if one.code == PAID_WITHOUT_PAYMENT]
    sums: dict[str, Decimal] = {}
    for one in found:
        sums[one.currency] = sums.get(one.currency, Decimal(0)) + one.amount
    told = in_words(len(found), sums)
    return [told] if told else []


def _sentences(proof: Proof) -> list[str]:
    open_ones = [one for one in proof.finds if not one.accepted]
    accepted = counted(_of_invoices([one for one in proof.finds if one.accepted]), "invoice")
    but = f", but for what a person has accepted on {accepted}" if len(open_ones) < len(proof.finds) else ""
    equal = f"{counted(proof.compared, 'invoice')}, with their lines, payments and credit notes{but}"
    not_yet, sums = _not_yet(proof), _sums(proof)
    if open_ones:
        return [f"NOT EQUAL: {_what_differs(proof, open_ones)}.", *not_yet, *sums]
    if sums:
        return [f"NOT EQUAL: {sums[0]}", *not_yet]
    if not_yet:
        return [
            f"NOT COMPLETE: {' '.join(not_yet)}",
            *([f"What is there is equal: {equal}."] if proof.compared else []),
        ]
    if not proof.compared:
        return ["NOTHING TO COMPARE: no invoice of Caspen's that is to be in Xero is dated in this period."]
    return [f"EQUAL TO THE CENT: {equal}."]


def _not_yet(proof: Proof) -> list[str]:
    """What of Caspen's is to be in Xero, and is not there yet."""
    parts = [
        *([counted(proof.not_yet, "invoice")] if proof.not_yet else []),
        *(
            [counted(proof.money_not_yet, "payment or credit note", "payments or credit notes")]
            if proof.money_not_yet
            else []
        ),
    ]
    are = "is" if proof.not_yet + proof.money_not_yet == 1 else "are"
    return [f"{' and '.join(parts)} of Caspen's {are} not in Xero yet."] if parts else []


def _sums(proof: Proof) -> list[str]:
    """Which tables differ by more than anything that was found."""
    tables = ", ".join(table.title for table in proof.unexplained)
    if not tables:
        return []
    though = "what was found one by one does not account for it" if proof.finds else "nothing was found one by one"
    return [f"The sums differ, though {though}, in: {tables}."]


def _what_differs(proof: Proof, finds: Sequence[Find]) -> str:
    """How many invoices differ, of how many, and how many documents stand in Xero alone."""
    strange = {one.xero_id for one in finds if _is_nobodys(one)}
    ours, parts = [one for one in finds if not _is_nobodys(one)], []
    if differing := _of_invoices([one for one in ours if one.invoice_id not in proof.from_outside]):
        parts.append(f"{differing:,} of {counted(proof.compared, 'invoice')} {_differ(differing)}")
    if others := _of_invoices([one for one in ours if one.invoice_id in proof.from_outside]):
        parts.append(f"{counted(others, 'invoice')} from outside the period {_differ(others)}")
    if strange:
        are = "is" if len(strange) == 1 else "are"
        parts.append(f"{counted(len(strange), 'document')} in Xero {are} not in Caspen")
    return f"{'; '.join(parts)} ({counted(len(finds), 'difference')})"


def _differ(number: int) -> str:
    return "differs" if number == 1 else "differ"


def _is_nobodys(one: Find) -> bool:
    return one.invoice_id is None or (one.code in FINDS and FINDS[one.code][1] == "nobodys")


def _of_invoices(finds: Sequence[Find]) -> int:
    """On how many invoices these are."""
    return len({one.invoice_id or one.xero_id for one in finds})


def what_to_do(finds: Sequence[Find]) -> list[tuple[str, list[str]]]:
    """Each fix once, with the invoices that it is for. What was accepted needs nothing.

    A fix that many invoices have, each with its own number in it, is told once, with `INVOICE` in the place of the number.
    """
    by_shape: dict[str, dict[str, dict[str, None]]] = {}
    for one in finds:
        if one.fix and not one.accepted:
            shape = each_command(one.fix, lambda ours: naming(ours, lambda _: "INVOICE"))
            name = plain(one.number or one.invoice_id or one.xero_id or "")
            by_shape.setdefault(shape, {}).setdefault(one.fix, {})[name] = None
    told: list[tuple[str, list[str]]] = []
    for shape, fixes in by_shape.items():
        if len(fixes) > MOST_ALIKE:
            told.append((shape, list(dict.fromkeys(name for names in fixes.values() for name in names))))
        else:
            told += [(fix, list(names)) for fix, names in fixes.items()]
    return told


def counted(number: int, one: str, many: str = "") -> str:
    """`1 invoice`, `1,204 invoices`."""
    return f"{number:,} {one}" if number == 1 else f"{number:,} {many or f'{one}s'}"


def in_words(code: str) -> str:
    """What a find, or a piece of information, is about."""
    return FINDS[code][0] if code in FINDS else INFORMATION.get(code, code)


def in_order(finds: Sequence[Find]) -> list[Find]:
    """What nobody has accepted first, otherwise in the order in which they came."""
    return sorted(finds, key=lambda one: one.accepted)


# --- of tables


def lone_currency(proof: Proof) -> str | None:
    """The one currency of all tables, which then need no column for it; None where there are several, or none."""
    found: set[Cell] = set()
    for table in proof.tables:
        places = [place for place, column in enumerate(table.columns) if column.key == "currency"]
        found |= {row[place] for place in places for row in (*table.rows, *table.totals) if row[place]}
    return str(found.pop()) if len(found) == 1 else None


def is_one_by_one(table: Table) -> bool:
    """Whether it lists document by document, so that a screen shows none of it, not even what it comes to."""
    return table.key == INVOICES or table.key.endswith("_one_by_one")


def for_people(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], currency: str | None) -> list[bool]:
    """Which columns of a table people are shown: none that is empty, for scripts, or the same everywhere."""
    return [
        not (column.key == "currency" and currency)
        and not (column.key in TOO_WIDE or column.key.endswith("_id"))
        and (not rows or any(row[place] not in (None, "") for row in rows))
        for place, column in enumerate(columns)
    ]


def is_off(table: Table, row: Sequence[Cell]) -> bool:
    """Whether the two sides of a row differ."""
    return any(row[place] for place, column in enumerate(table.columns) if is_difference(column.key))


def is_difference(key: str) -> bool:
    """Whether a column says by how much the sides differ: 0.00 where they are equal."""
    return key == "difference" or key.startswith("difference_") or key.endswith("_difference")
