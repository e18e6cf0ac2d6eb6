"""`payments`: what stands on one side only, as a person's to-do list."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from caspen_xero.cli.came_back import counted
from caspen_xero.cli.command import command
from caspen_xero.cli.output import CURRENCY
from caspen_xero.cli.session import Session
from caspen_xero.cli.standing import read_standing
from caspen_xero.errors import ExitCode
from caspen_xero.outside_text import plain
from caspen_xero.times import local_day

if TYPE_CHECKING:
    from caspen_xero.cli.output import Cell
    from caspen_xero.store.todo import WhyLeftOut
    from caspen_xero.sync.planning.outlook import KeptBack
    from caspen_xero.sync.pulling.outstanding import OutstandingPayment

BY_CHOICE: dict[WhyLeftOut | KeptBack | Literal["payment-removed-in-xero", "voided-in-xero"], str] = {
    "set-aside": "of invoices that are set aside",
    "before-start-date": "of invoices dated before the start date",
    "payments-off": "as the bank feed brings them (payments are off)",
    "payment-removed-in-xero": "deleted there, which a person has accepted",
    "voided-in-xero": "of invoices that are voided there, which a person has accepted",
}


def register(app: typer.Typer) -> None:
    """Adds `payments` and its commands to the command line."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
    command(group, "list", lists=True)(list_)
    app.add_typer(group, name="payments", help="Payments that stand in Caspen or in Xero alone.")


def list_(
    session: Session,
    to_enter: Annotated[bool, typer.Option("--to-enter", help="Only what is to be entered in Caspen.")] = False,
) -> int:
    """List payments in Xero that Caspen's export does not have yet, and payments in Caspen that are not in Xero yet.

    A row goes by itself, once the next export has it, or a push has sent it.

    \b
    caspen-xero payments list
    caspen-xero payments list --to-enter --csv > to-enter.csv
    """
    from caspen_xero.sync.pulling.outstanding import outstanding_payments

    found = outstanding_payments(session.last_known, session.settings, read_standing(session), session.now())
    shown = [one for one in found if one.is_to_enter or not to_enter]
    if session.output.is_for_scripts:
        session.output.listed({"payments": [_as_json(session, one) for one in shown]}, "payments", COLUMNS)
    elif to_enter:
        _tell_to_enter(session, found)
    else:
        _tell(session, found)
    return ExitCode.ALL_WELL


COLUMNS = (
    "direction",
    "status",
    "number",
    "client",
    "date",
    "amount",
    "currency",
    "kind",
    "method",
    "reference",
    "reconciled",
    "code",
    "reason",
    "fix",
    "found_at",
    "told_at",
    "told_to",
    "invoice_id",
    "xero_id",
    "payment_id",
)
"""The fields of a row, in JSON and in CSV."""


def _as_json(session: Session, one: OutstandingPayment) -> dict[str, Any]:
    return {name: getattr(one, name) for name in COLUMNS} | {"fix": session.output.command(one.fix)}


# --- for people


def _tell_to_enter(session: Session, found: Sequence[OutstandingPayment]) -> None:
    rows = [one for one in found if one.is_to_enter]
    _table(session, rows, "To enter in Caspen", ("Date", "Amount", "Kind", "Reference", "Invoice", "Client"))
    if rows:
        session.output.say(f"To enter in Caspen: {_summed(rows)}.", *_where_told(rows))
    else:
        session.output.say(f"Nothing is to be entered in Caspen{_basis(session)}.")
    held = [one for one in found if one.direction == "to_caspen" and not one.is_to_enter]
    if held:
        session.output.say(
            f"Not listed, as it is held until a person has decided: {_summed(held)}. Why: caspen-xero payments list"
        )


def _tell(session: Session, found: Sequence[OutstandingPayment]) -> None:
    to_caspen = [one for one in found if one.direction == "to_caspen"]
    to_xero = [one for one in found if one.direction == "to_xero" and one.status != "left-out"]
    which = ("Invoice", "Client", "Date", "Amount")
    _table(session, to_caspen, "In Xero, not yet in Caspen's export", (*which, "Kind", "Reference", "Told Caspen"))
    _table(session, to_xero, "In Caspen, not yet in Xero", (*which, "Method", "Why"))
    if to_caspen or to_xero:
        rows = [*to_caspen, *to_xero]
        session.output.what_to_do(
            dict.fromkeys((one.fix, one.number or one.invoice_id, one.reason, ()) for one in rows if one.fix)
        )
    else:
        session.output.say(f"No payment waits on either side{_basis(session)}.")
    lines = [f"In Xero, not yet in Caspen's export: {_summed(to_caspen)}."] if to_caspen else []
    lines += _where_told(to_caspen)
    if held := [one for one in to_caspen if one.status == "held"]:
        lines.append(f"Held until a person has decided: {_summed(held)} of these.")
    lines += [f"In Caspen, not yet in Xero: {_summed(to_xero)}."] if to_xero else []
    lines += _by_choice(found)
    for line in lines:
        session.output.say(line)


def _table(session: Session, rows: Sequence[OutstandingPayment], title: str, columns: Sequence[str]) -> None:
    if not rows:
        return
    place = columns.index("Amount") + 1
    columns = (*columns[:place], CURRENCY, *columns[place:])
    cells = [[_cell(one, column) for column in columns] for one in rows]
    spare = ("Reference", "Method", "Kind", "Client", "Told Caspen", "Date")
    session.output.table(columns, cells, title=title, narrow_without=spare)


def _cell(one: OutstandingPayment, column: str) -> Cell:
    match column:
        case "Invoice":
            return one.number or one.invoice_id
        case "Kind":
            return one.kind.replace("_", " ")
        case "Why":
            return one.code
        case "Told Caspen":
            if one.status == "held":
                return "held"
            return local_day(one.told_at) if one.told_at else "not yet"
        case _:
            value: Cell = getattr(one, column.lower())
            return value


def _summed(rows: Sequence[OutstandingPayment]) -> str:
    """How many, and what they come to in each currency."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for one in rows:
        sums[one.currency or ""] += one.amount
    amounts = [f"{amount:,.2f} {plain(currency)}".rstrip() for currency, amount in sorted(sums.items())]
    return f"{counted(rows)}, {' and '.join(amounts)}"


def _where_told(rows: Sequence[OutstandingPayment]) -> list[str]:
    """Where Caspen was told of these: a line for each place."""
    from caspen_xero.sync.pulling.outstanding import told_in_words

    places: defaultdict[str, int] = defaultdict(int)
    for one in rows:
        if words := told_in_words(one):
            places[words] += 1
    return [f"Caspen was told of {count} of these: {words}." for words, count in places.items()]


def _by_choice(found: Sequence[OutstandingPayment]) -> list[str]:
    """What is not to go to Xero, by a person's choice: a line for each."""
    lines = []
    for code, words in BY_CHOICE.items():
        if rows := [one for one in found if one.status == "left-out" and one.code == code]:
            stay = "stays" if len(rows) == 1 else "stay"
            lines.append(f"{_summed(rows)}: {stay} out of Xero by choice, {words}.")
    return lines


def _basis(session: Session) -> str:
    """On what it rests that there is nothing: what the last pull has seen, if there was one."""
    from caspen_xero.store import log
    from caspen_xero.sync.pulling.pull import LAST_FULL

    if session.last_known.setting(LAST_FULL) is None:
        return f", but no pull has looked at all of Xero yet ({session.next_run('pull')})"
    last = log.last(session.store, "pull")
    if last is not None and last.exit_code not in (ExitCode.ALL_WELL, ExitCode.PARTLY):
        return f", but the last pull did not come to its end ({session.next_run('pull')})"
    return ": by what the last import, pull and push have seen"
