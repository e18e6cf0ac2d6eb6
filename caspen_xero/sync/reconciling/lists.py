"""What a person reads one by one: what differs, what is left out and why, what a bookkeeper decided, what is nobody's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal

from caspen_xero.sync.reconciling.counting import ZERO, Counting
from caspen_xero.sync.reconciling.finds import FINDS, INFORMATION
from caspen_xero.sync.reconciling.ledger import NOT_YET, Compared, Find, LeftOut
from caspen_xero.sync.reconciling.one_by_one import as_people_count, totals
from caspen_xero.sync.reconciling.tables import Cell, Column, Table

_FIND = (
    Column("what", "What"),
    Column("number", "Number"),
    Column("client", "Client", spare=True),
    Column("date", "Date", "date", spare=True),
    Column("subject", "Of it", spare=True),
    Column("caspen", "Caspen"),
    Column("xero", "Xero"),
    Column("currency", "Currency", spare=True),
    Column("amount", "Difference", "amount"),
)
_MORE = (
    Column("fix", "What to do", spare=True),
    Column("code", "Code", spare=True),
    Column("invoice_id", "Invoice's id in Caspen", spare=True),
    Column("xero_id", "Id in Xero", spare=True),
)
_WEIGHT = {code: place for place, code in enumerate((*FINDS, *INFORMATION))}

WHY_LEFT_OUT: Mapping[str, str] = {
    "held": "held",
    "pending": "not sent yet",
    "skipped": "skipped",
    "before-start-date": "before the start date",
    "draft": "draft in Caspen",
    "void": "void or deleted in Caspen",
    "feed": "left to the bank's feed",
    "invoice-left-out": "its invoice is left out",
}
"""In the order in which they are shown: first what is to be done something about."""
_KINDS = {"invoice": "Invoice", "credit_note": "Credit note", "payment": "Payment", "credit": "Credit on an invoice"}


def differences(counting: Counting) -> Table:
    """All that is not equal: what nobody has accepted first, each by the date and number of its invoice."""
    finds = in_order(counting.compared, counting.compared.finds)
    return Table(
        "differences",
        "Differences",
        "Everything that is not equal, with what either side has, and by how much Xero's is more.",
        (*_FIND, Column("accepted", "Accepted"), *_MORE),
        [[*_find(one), "accepted" if one.accepted else "", *_more(one)] for one in finds],
        is_equal=all(one.accepted for one in finds),
    )


def information(counting: Counting) -> Table:
    """What is told and not counted; lines in other accounts have a table of their own."""
    has_own = bool(counting.compared.recoded)
    information = counting.compared.information
    told = in_order(counting.compared, (one for one in information if not (has_own and one.code == "recoded")))
    return Table(
        "information",
        "Told, and not counted",
        "What is no difference: what a bookkeeper decided in Xero, such as another text, and what Caspen calls paid without a "
        "record of the payment.",
        (*_FIND, *_MORE),
        [[*_find(one), *_more(one)] for one in told],
        brief=(),
    )


def left_out(counting: Counting) -> Table:
    """What of Caspen's in the period is not to be in Xero, or is not there yet, and why."""
    compared = counting.compared
    rows: list[tuple[str, list[Cell]]] = []
    for one in compared.left_out:
        if compared.asked.holds(one.document.day):
            rows.append((one.why, _document_left_out(counting, one)))
    for money, why in compared.money_left_out:
        if counting.dated(money):
            what = [money.currency, _why(why), _KINDS[money.kind], "", *counting.named(money)]
            rows.append((why, [*what, money.day, ZERO + money.amount, "", "", None, "", ""]))
    place = {why: place for place, why in enumerate(WHY_LEFT_OUT)}

    def order(row: tuple[str, list[Cell]]) -> tuple[object, ...]:
        why, cells = row
        return (
            place.get(why, len(place)),
            why,
            str(cells[2]),
            counting.place_of(str(cells[0])),
            as_people_count(cells[3] or cells[4]),
            [str(cell) for cell in cells],
        )

    rows.sort(key=order)
    columns = (
        Column("currency", "Currency"),
        Column("why", "Why"),
        Column("what", "What"),
        Column("number", "Number"),
        Column("invoice", "On invoice"),
        Column("client", "Client", spare=True),
        Column("date", "Date", "date", spare=True),
        Column("caspen_total", "Caspen", "amount"),
        Column("xero_number", "Number in Xero", spare=True),
        Column("xero_status", "Status in Xero", spare=True),
        Column("xero_total", "Xero", "amount", spare=True),
        Column("reason", "Reason", spare=True),
        Column("fix", "What to do", spare=True),
    )
    shown = [cells for _, cells in rows]
    return Table(
        "left_out",
        "Left out",
        "What Caspen has in the period and is not in Xero, for a reason that is known. What is held or not sent yet is not as it "
        "should be. What has its number in Xero all the same stands beside it.",
        columns,
        shown,
        _totals(columns, shown, by=3),
        brief=(),
        is_equal=not any(why in NOT_YET for why, _ in rows),
    )


def recoded(counting: Counting) -> Table:
    """Lines that a bookkeeper put into another account than they were sent to."""
    accounts = counting.compared.names.accounts
    columns = (
        Column("currency", "Currency"),
        Column("number", "Number"),
        Column("client", "Client"),
        Column("date", "Date", "date"),
        Column("line", "Line"),
        Column("sent_to", "Sent to"),
        Column("is_in", "Is in"),
        Column("caspen_net", "As sent", "amount"),
        Column("xero_net", "In Xero", "amount"),
    )
    rows: list[list[Cell]] = [
        [
            one.currency,
            one.number,
            counting.party(one),
            one.day,
            sent.text or there.text,
            *(accounts.get(line.account) or line.account for line in (sent, there)),
            ZERO + sent.net,
            ZERO + there.net,
        ]
        for one, sent, there in counting.compared.recoded
    ]
    rows.sort(key=lambda row: (counting.place_of(str(row[0])), as_people_count(row[1]), [str(cell) for cell in row]))
    about = "Lines that are in another account in Xero than they were sent to. A bookkeeper's decision: no difference."
    title = "Recoded in Xero"
    return Table("recoded", title, about, columns, rows, totals(counting, columns, rows), brief=())


def others(counting: Counting) -> Table:
    """Sales invoices and credit notes of the period in Xero that are nobody's of Caspen's."""
    asked = counting.compared.asked
    columns = (
        Column("currency", "Currency"),
        Column("what", "What"),
        Column("number", "Number"),
        Column("contact", "Contact"),
        Column("date", "Date", "date"),
        Column("status", "Status"),
        Column("xero_subtotal", "Without tax", "amount", spare=True),
        Column("xero_tax", "Tax", "amount", spare=True),
        Column("xero_total", "Total", "amount"),
        Column("xero_due", "Due now", "amount", spare=True),
        Column("xero_id", "Id in Xero", spare=True),
    )
    rows: list[list[Cell]] = [
        [
            one.currency,
            _KINDS[one.kind] if counting.stands_in_xero(one) else f"{_KINDS[one.kind]}, not counted",
            one.number,
            counting.party(one),
            one.day,
            one.status,
            *(ZERO + amount for amount in (one.subtotal, one.tax, one.total, one.due)),
            one.id,
        ]
        for one in counting.compared.others
        if asked.holds(one.day)
    ]
    rows.sort(key=lambda row: (counting.place_of(str(row[0])), str(row[1]), as_people_count(row[2]), str(row[-1])))
    return Table(
        "others",
        "Nobody's of Caspen's",
        "Sales invoices and credit notes in Xero that did not come from Caspen. What is void or a draft counts nowhere.",
        columns,
        rows,
        _totals(columns, rows, by=2),
        brief=(),
    )


def in_order(compared: Compared, finds: Iterable[Find]) -> list[Find]:
    """Finds as a person works through them: what nobody has accepted, by the date and number of the invoice (or of the document
    that is not Caspen's), and of one invoice what matters most.
    """
    both = [side for pair in compared.invoices for side in (pair.xero, pair.caspen) if side]
    days = {one.id: one.day for one in both}

    def order(one: Find) -> tuple[object, ...]:
        weight = _WEIGHT.get(one.code, len(_WEIGHT))
        of_nobody = days.get(one.xero_id or "") or one.day or date.max
        day = days.get(one.invoice_id or "") or of_nobody
        return one.accepted, day, as_people_count(one.number), one.invoice_id or "", weight, one.subject, str(one)

    return sorted(finds, key=order)


def _find(one: Find) -> list[Cell]:
    what = FINDS[one.code][0] if one.code in FINDS else INFORMATION.get(one.code, one.code)
    return [what, one.number, one.party, one.day, one.subject, one.caspen, one.xero, one.currency, ZERO + one.amount]


def _more(one: Find) -> list[Cell]:
    return [one.fix, one.code, one.invoice_id or "", one.xero_id or ""]


def _document_left_out(counting: Counting, one: LeftOut) -> list[Cell]:
    document, xero = one.document, one.xero
    first = [document.currency, _why(one.why), _KINDS[document.kind], document.number, "", counting.party(document)]
    there: list[Cell] = [xero.number, xero.status, ZERO + xero.total] if xero else ["", "", None]
    return [*first, document.day, ZERO + document.total, *there, one.reason, one.fix]


def _why(why: str) -> str:
    return WHY_LEFT_OUT.get(why, why)


def _totals(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], by: int) -> list[list[Cell]]:
    """What the amounts come to of rows whose first cells (`by` of them) are the same, in the order of the rows."""
    sums: dict[tuple[Cell, ...], list[Sequence[Cell]]] = {}
    for row in rows:
        sums.setdefault(tuple(row[:by]), []).append(row)
    made: list[list[Cell]] = []
    for names, same in sums.items():
        cells: list[Cell] = [*names, "All: 1" if len(same) == 1 else f"All: {len(same)}"]
        for place in range(len(cells), len(columns)):
            amounts = [cell for row in same if isinstance(cell := row[place], Decimal)]
            cells.append(sum(amounts, ZERO) if amounts else None)
        made.append(cells)
    return made
