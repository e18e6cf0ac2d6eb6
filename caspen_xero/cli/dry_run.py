"""`push --dry-run`: what a push would do, summed up so that a person can judge it, then step by step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

from caspen_xero.cli.output import Cell, Ours
from caspen_xero.cli.session import Session
from caspen_xero.outside_text import MOST_WORDS, plain

if TYPE_CHECKING:
    from caspen_xero.store.todo import WhyLeftOut
    from caspen_xero.sync.planning.outlook import KeptBack, LinesOf, Outlook, RateUse, StaysOut, Tally, Use
    from caspen_xero.sync.planning.steps import StepKind
    from caspen_xero.sync.sending.push_result import PushResult
    from caspen_xero.sync.setup.tax_words import TaxWords

MOST = 40
"""Steps, and things to do, that are shown without `--all`."""

KINDS: dict[StepKind, str] = {
    "create-invoice": "Invoices to create",
    "update-invoice": "Invoices to update",
    "authorise-invoice": "Invoices to approve",
    "void-invoice": "Invoices to void",
    "keep-invoice": "Invoices kept as is",
    "create-payment": "Payments to create",
    "adopt-payment": "Payments to link",
    "delete-payment": "Payments to delete",
    "note-removed-payment": "Payments found deleted",
    "create-credit-note": "Credit notes to create",
    "authorise-credit-note": "Credit notes to approve",
    "allocate-credit-note": "Allocations to make",
    "adopt-allocation": "Allocations to link",
    "remove-allocation": "Allocations to remove",
    "void-credit-note": "Credit notes to void",
    "create-contact": "Contacts to create",
    "link-contact": "Contacts to link",
    "update-contact": "Contacts to update",
}
_LEFT_OUT: dict[WhyLeftOut, str] = {
    "set-aside": "invoices set aside",
    "before-start-date": "invoices before the start date",
    "draft": "drafts in Caspen",
    "void": "void in Caspen, never sent",
}
_STAYS_OUT: dict[StaysOut, str] = {
    "problem": "something is wrong, see below",
    "waits": "nothing is wrong, they wait",
}
_KEPT_BACK: dict[KeptBack, str] = {
    "payments-off": "payments: a bank feed brings them (--payments off)",
    "problem": "payments: something is wrong, see below",
    "from-xero": "payments from Xero: linked once their invoice is there",
    "waits": "payments: their invoice waits for its approval",
}
_ORDER = ("invoice-lines", "credit-note-lines", "payments")
_LINES_OF: dict[LinesOf, str] = {"invoice-lines": "invoices", "credit-note-lines": "credit notes"}


def dry_run_summary(result: PushResult) -> dict[str, Any]:
    """A dry run in numbers, as JSON shows it: sums by currency, as decimal strings."""
    outlook = result.outlook
    days = [day for tally in outlook.kinds.values() for day in (tally.oldest, tally.newest) if day is not None]
    return {
        "kinds": {kind: _as_json(tally) for kind, tally in _by_kind(outlook)},
        "paid_without_payment": _as_json(outlook.owed),
        "oldest": min(days, default=None),
        "newest": max(days, default=None),
        "accounts": [
            {"for": use.what, "method": use.method, "account": use.account, "account_id": use.account_id}
            | {"number": tally.number, "sums": _sums(tally.sums)}
            for use, tally in _sorted(outlook.accounts)
        ],
        "tax_rates": [
            {"for": use.what, "rate": use.rate, "rate_id": use.rate_id, "tax_type": use.tax_type}
            | {"lines": tally.lines, "net": _sums(tally.net), "tax": _sums(tally.tax)}
            for use, tally in _sorted(outlook.rates)
        ],
        "codes": {code: tally.number for code, tally in sorted(outlook.codes.items())},
        "problems": {code: _as_json(tally) for code, tally in sorted(outlook.codes.items())},
        "left_out": {why: {"number": left.invoices, "sums": _sums(left.sums)} for why, left in result.left_out.items()},
        "invoices_kept_back": {why: _as_json(tally) for why, tally in sorted(outlook.invoices_out.items())},
        "payments_kept_back": {why: _as_json(outlook.kept_back[why]) for why in _KEPT_BACK if why in outlook.kept_back},
        "credit_notes_kept_back": {why: _as_json(tally) for why, tally in sorted(outlook.notes_out.items())},
    }


def tell_dry_run(session: Session, result: PushResult, numbers: Mapping[str, str], *, everything: bool) -> None:
    """A dry run for people. `numbers`: of the invoices that have a problem; `everything`: every step is shown."""
    _tell_sums(session, result.outlook)
    if stays_out := list(_stays_out(session, result)):
        session.output.table(
            ("Would stay out", "Number", "Sum", ""), stays_out, narrow_without=["Number"], is_report=True
        )
    if result.outlook.owed.number:
        from caspen_xero.sync.paid_without_payment import in_words

        session.output.say(in_words(result.outlook.owed.number, result.outlook.owed.sums, will=True))
    if result.outlook.codes:
        rows = [
            row
            for code, each in sorted(result.outlook.codes.items())
            for row in _rows(Ours(code), each.number, each.sums)
        ]
        session.output.table(
            ("Problems, and why some wait", "Invoices", "Sum", ""), rows, narrow_without=["Invoices"], is_report=True
        )
    if result.problems:
        _tell_what_to_do(session, result, numbers, everything=everything)
    _tell_steps(session, result, everything=everything)


def _tell_sums(session: Session, outlook: Outlook) -> None:
    """What would go, where, and by which tax rates."""
    output = session.output
    if outlook.kinds:
        output.table(
            (f"To {plain(session.connection.tenant_name)}", "Number", "Sum", "", "Oldest", "Newest"),
            [
                (*row, *((tally.oldest, tally.newest) if row[0] else (None, None)))
                for kind, tally in _by_kind(outlook)
                for row in _rows(_what_goes_as(kind, session), tally.number, tally.sums)
            ],
            narrow_without=("Oldest", "Newest"),
            is_report=True,
        )
    if outlook.accounts:
        output.table(
            ("Account", "What goes there", "Number", "Sum", ""),
            [
                (use.account if row[0] else None, *row)
                for use, tally in _sorted(outlook.accounts)
                for row in _rows(_what_goes(use), tally.number, tally.sums)
            ],
            narrow_without=("Number", "What goes there"),
            is_report=True,
        )
    if outlook.rates:
        words = _words(session)
        output.table(
            ("Caspen rate", "Tax type", "Lines of", "Number", "Net", words.heading, ""),
            [
                (
                    use.rate or Ours(f"prices without {words.tax}"),
                    use.tax_type,
                    Ours(_LINES_OF[use.what]),
                    tally.lines,
                    net,
                    tally.tax[currency],
                    currency,
                )
                for use, tally in _sorted(outlook.rates)
                for currency, net in sorted(tally.net.items())
            ],
            narrow_without=("Lines of", "Number", "Tax type"),
            is_report=True,
        )


def _words(session: Session) -> TaxWords:
    from caspen_xero.sync.setup.organisation import itself
    from caspen_xero.sync.setup.tax_words import tax_words

    return tax_words(itself(session.mappings))


def _tell_what_to_do(session: Session, result: PushResult, numbers: Mapping[str, str], *, everything: bool) -> None:
    from caspen_xero.store.invoice_names import InvoiceNames
    from caspen_xero.sync.fix_commands import naming_its_own
    from caspen_xero.sync.setup.candidates import Candidates

    names, candidates = InvoiceNames(session.store), Candidates(session.store, session.mappings)
    found = [
        (
            naming_its_own(p.fix, p.invoice_id, names),
            numbers.get(p.invoice_id, p.invoice_id),
            f"{p.code}: {naming_its_own(p.reason, p.invoice_id, names)}",
            candidates.of(p.code, p.subject),
        )
        for problems in result.problems.values()
        for p in problems
    ]
    each = list(dict.fromkeys((fix, why) for fix, _, why, _ in found))
    shown = set(each if everything else each[:MOST])
    session.output.what_to_do(one for one in found if (one[0], one[2]) in shown)
    _tell_more(session, len(each) - len(shown))


def _tell_steps(session: Session, result: PushResult, *, everything: bool) -> None:
    from caspen_xero.cli.tables import with_thousands
    from caspen_xero.store.clinic import count_invoices

    output, steps = session.output, result.plan
    if steps:
        shown = steps if everything else steps[:MOST]
        output.table(
            ("Step", "Number", "Detail"),
            [
                (Ours(step.kind.replace("-", " ")), step.number, Ours(with_thousands(plain(step.detail, MOST_WORDS))))
                for step in shown
            ],
            is_report=True,
        )
        _tell_more(session, len(steps) - len(shown))
    elif not count_invoices(session.store):
        read = "the source that was just read has none" if session.settings.source else "caspen-xero import PATH"
        output.say(f"No invoice has been imported yet: {read}")
    elif not result.unfinished:
        output.say(f"There is nothing to send to {plain(session.connection.tenant_name)}.")
    output.say(f"{len(steps)} {'step' if len(steps) == 1 else 'steps'}; nothing was written to Xero.")
    if result.unfinished:
        output.say(f"This is not all: {_invoices(len(result.unfinished))} could not be looked at.")
    if result.problems:
        output.say(f"{_invoices(len(result.problems))} would not be wholly in Xero.")


def _tell_more(session: Session, number: int) -> None:
    if number:
        session.output.say(f"... and {number} more: --all shows them")


def _stays_out(session: Session, result: PushResult) -> Iterator[Sequence[Cell]]:
    """What would stay out, and why: the words, how many, and what they come to."""
    for stays, tally in sorted(result.outlook.invoices_out.items()):
        yield from _rows(Ours(f"invoices: {_STAYS_OUT[stays]}"), tally.number, tally.sums)
    for why, left in result.left_out.items():
        since = f" ({session.settings.start_date})" if why == "before-start-date" else ""
        yield from _rows(Ours(f"{_LEFT_OUT[why]}{since}"), left.invoices, left.sums)
    for kept, words in _KEPT_BACK.items():
        if kept in result.outlook.kept_back:
            yield from _rows(Ours(words), result.outlook.kept_back[kept].number, result.outlook.kept_back[kept].sums)
    for stays, tally in sorted(result.outlook.notes_out.items()):
        yield from _rows(Ours(f"credit notes: {_STAYS_OUT[stays]}"), tally.number, tally.sums)


def _by_kind(outlook: Outlook) -> list[tuple[StepKind, Tally]]:
    return [(kind, outlook.kinds[kind]) for kind in KINDS if kind in outlook.kinds]


def _rows(what: Ours, number: int, sums: Mapping[str, Decimal]) -> Iterator[Sequence[Cell]]:
    """A row for each currency, the words and the number in the first."""
    for place, (currency, amount) in enumerate(sorted(sums.items()) or [(None, None)]):
        yield (what, number, amount, currency) if place == 0 else (None, None, amount, currency)


def _what_goes_as(kind: StepKind, session: Session) -> Ours:
    is_draft = kind == "create-invoice" and session.settings.invoice_status == "draft"
    return Ours("Drafts to create" if is_draft else KINDS[kind])


def _what_goes(use: Use) -> Ours:
    if use.what == "payments":
        return Ours(f"{plain(use.method)} payments" if use.method else "payments of no method")
    return Ours(f"{_LINES_OF[use.what]}, net")


_Used = TypeVar("_Used", bound="Use | RateUse")
_Sum = TypeVar("_Sum")


def _sorted(found: Mapping[_Used, _Sum]) -> list[tuple[_Used, _Sum]]:
    """Invoices, credit notes, payments, each in the order of its names."""
    return sorted(found.items(), key=lambda one: [_ORDER.index(one[0].what), *(part or "" for part in one[0])])


def _as_json(tally: Tally) -> dict[str, Any]:
    return {"number": tally.number, "sums": _sums(tally.sums), "oldest": tally.oldest, "newest": tally.newest}


def _sums(sums: Mapping[str, Decimal]) -> dict[str, Decimal]:
    return dict(sorted(sums.items()))


def _invoices(number: int) -> str:
    return "1 invoice" if number == 1 else f"{number} invoices"
