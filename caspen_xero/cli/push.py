"""`push`: finalised invoices to Xero, and what came of it in words and numbers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from caspen_xero.cli.adopt import tell_found
from caspen_xero.cli.backup import back_up_today
from caspen_xero.cli.command import command
from caspen_xero.cli.dry_run import dry_run_summary, tell_dry_run
from caspen_xero.cli.exit_codes import worst_of
from caspen_xero.cli.first_push import may_begin, tell_declined
from caspen_xero.cli.news import MaxAge, only_news
from caspen_xero.cli.runs import begins, ends
from caspen_xero.cli.session import Session, SessionError, one_invoice
from caspen_xero.cli.source import read_source
from caspen_xero.cli.standing import note_standing, read_standing, tell_standing
from caspen_xero.errors import ExitCode, UserError
from caspen_xero.outside_text import plain

if TYPE_CHECKING:
    from caspen_xero.store.mappings import Mappings
    from caspen_xero.sync.books.books import Books
    from caspen_xero.sync.sending.push_result import PushResult

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask before the first push.")]

PLAN = ("operation", "number", "detail")
"""The fields of a planned step in CSV."""
_DECLINED = UserError(
    "declined", "Nothing was sent: whoever was asked before the first push said no.", exit_code=ExitCode.ALL_WELL
)


def register(app: typer.Typer) -> None:
    """Adds this command to the command line."""
    command(app, "push", lists=True)(push)


def push(
    session: Session,
    invoices: Annotated[
        list[str] | None,
        typer.Argument(metavar="INVOICE", help="Only these, by number or id; tried again at once."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan; write nothing to Xero.")] = False,
    every_step: Annotated[bool, typer.Option("--all", help="With --dry-run: show every step.")] = False,
    max_writes: Annotated[
        int | None, typer.Option("--max-writes", min=0, metavar="N", help="Write at most N documents, then stop.")
    ] = None,
    yes: Yes = False,
    refresh: Annotated[
        bool,
        typer.Option("--refresh", help="Read accounts, tax rates, lock dates and contacts anew, and try all again."),
    ] = False,
    overwrite: Annotated[
        list[str] | None,
        typer.Option("--overwrite", metavar="INVOICE", help="Let Caspen's version replace what was edited in Xero."),
    ] = None,
    pay_anyway: Annotated[
        list[str] | None,
        typer.Option("--pay-anyway", metavar="INVOICE", help="Send its payments though Xero shows one like them."),
    ] = None,
    max_age: MaxAge = "26h",
) -> int:
    """Send finalised invoices to Xero: new ones only, each exactly once.

    The first push says how many invoices it would send, their total and the accounts, and asks on a terminal.

    From cron, one line does it (the source is read first, if `settings set --source` named one):

    \b
    */15 * * * *  caspen-xero push --quiet

    \b
    caspen-xero push --dry-run
    caspen-xero push INV-0042
    """
    if every_step and not dry_run:
        words = "--all shows every step of a dry run; a push without it sends all that is due."
        raise SessionError("all-without-dry-run", words, "caspen-xero push --dry-run --all", ExitCode.USAGE)
    if session.output.csv and not dry_run:
        words = "--csv lists the steps of a dry run; a push without it lists none."
        raise SessionError("csv-without-dry-run", words, "caspen-xero push --dry-run --csv", ExitCode.USAGE)
    if not (dry_run or invoices or overwrite or pay_anyway):
        only_news(session, max_age)
    if not dry_run:
        begins(session, "push")
    with session.only_writer():
        before = _payments_on(session, pay_anyway or ())
        read = read_source(session, f"Nothing was sent to {plain(session.connection.tenant_name)}.")
        pushed = push_now(
            session,
            invoices or (),
            overwrite or (),
            pay_anyway or (),
            known=before,
            bad_records=read.bad_count,
            yes=yes,
            dry_run=dry_run,
            refresh=refresh,
            max_writes=max_writes,
        )
    if session.output.is_for_scripts:
        session.output.listed(pushed.summary, "plan", PLAN)
    else:
        tell_push(session, pushed, everything=every_step)
    return pushed.exit_code


@dataclass(frozen=True)
class Pushed:
    """A push that has ended: what it did, the same in numbers, and how the books stand by now; None where nothing was done."""

    result: PushResult
    summary: dict[str, Any]
    exit_code: int
    books: Books | None = None


def push_now(
    session: Session,
    invoices: Sequence[str] = (),
    overwrite: Sequence[str] = (),
    pay_anyway: Sequence[str] = (),
    *,
    known: Collection[tuple[str, Decimal]] = (),
    bad_records: int = 0,
    yes: bool = False,
    **options: Any,
) -> Pushed:
    """Pushes, and logs it; the caller holds the workspace's lock and has read the source, with so many bad records.

    `known`: the keys and amounts of payments that were there before that, so that a person can have been asked about them.
    """
    from caspen_xero.store import clinic, different_money
    from caspen_xero.sync.paid_without_payment import paid_without_payment
    from caspen_xero.sync.pulling.undelivered import asked_about_beside
    from caspen_xero.sync.sending.push import Push
    from caspen_xero.sync.sending.push_result import PushOptions

    mappings = session.mappings
    if not options.get("dry_run"):
        begins(session, "push")
    overwritten, paid = _ids(session, overwrite), _ids(session, pay_anyway)
    named = tuple(dict.fromkeys([*_ids(session, invoices), *overwritten, *paid]))
    to_be_sent = [invoice_id for invoice_id in named if not _tell_if_nothing_to_send(session, invoice_id)]
    in_question = read_standing(session).troubles_of.keys() if overwritten or paid else ()
    beside = asked_about_beside(mappings, session.settings, paid, session.now(), known) if paid else ()
    looks = bool(options.get("dry_run"))
    what, unit = (
        ("Looking ahead", "invoices") if looks else ("Pushing", "invoices to send")
    )  # what is there is not counted
    with session.output.progress(what, unit=unit) as progress:
        engine = Push(
            mappings,
            session.settings,
            lambda: session.client,
            session.now,
            progress=progress,
            confirm=lambda announcement: may_begin(session, announcement, yes=yes),
            before_writing=lambda: back_up_today(session),
        )
        session.done["push"] = lambda: push_summary(engine.result, session.seconds())
        session.told_done.append(lambda: _steps_done(engine.result))
        result = engine.run(
            PushOptions(
                invoice_ids=named or None,
                overwrite=frozenset(overwritten),
                pay_anyway={
                    id_: {one.key for one in payments if (one.key, one.amount) in known}
                    for id_, payments in clinic.payments_on(session.store, paid).items()
                },
                asked_about=_asked_about(mappings, paid),
                **options,
            )
        )
    if not (result.done or result.plan or result.declined or beside):
        asked = [id_ for id_ in to_be_sent if id_ in {*overwritten, *paid} and id_ not in in_question]
        result.warnings += _nothing_to_decide(session, asked, result)
    if not (result.dry_run or result.declined):
        owed = paid_without_payment(mappings, session.settings, result.synced | result.updated)
        result.warnings += [owed] if owed else []
    if paid and not (result.dry_run or result.declined):
        with mappings.store.write():
            different_money.keep(mappings, beside)
    _tell_wrong_clock(session)
    books = None if result.declined or result.dry_run else note_standing(session)
    some = mappings.has_invoices()
    code = ExitCode.ALL_WELL if result.declined else exit_code(result, bad_records, books, named, some_in_xero=some)
    summary = push_summary(result, session.seconds(), books) | {"named": len(named)}
    if not result.dry_run:
        ends(session, "push", code, summary, result.stopped, _DECLINED if result.declined else None)
    return Pushed(result, summary, code, books)


def _tell_wrong_clock(session: Session) -> None:
    """Where Xero has told the time in this run, and this machine's clock is off by minutes."""
    from caspen_xero.xero.clock import CLOCKS_APART, clocks_apart

    ahead = session.client.clock.machine_ahead if session.has_client else None
    if ahead is not None and abs(ahead) > CLOCKS_APART:
        session.output.warn(f"This machine's clock is {clocks_apart(ahead)}. See:  caspen-xero doctor", key="clock")


def _nothing_to_decide(session: Session, invoice_ids: Sequence[str], result: PushResult) -> list[str]:
    """Of invoices on which a person has decided, and of which nothing was in question or is: that it is so, in words."""
    from caspen_xero.store.clinic import invoice_numbers

    open_ones = {*result.problems, *result.waiting, *result.unfinished}
    ids = [] if result.stopped else [id_ for id_ in invoice_ids if id_ not in open_ones]
    numbers = invoice_numbers(session.store, ids)
    return [f"There is nothing to decide about {plain(numbers.get(id_) or id_)}: nothing was sent." for id_ in ids]


def _tell_if_nothing_to_send(session: Session, invoice_id: str) -> bool:
    """A person who names an invoice that never goes to Xero is told why; whether that was so."""
    from caspen_xero.store.listing import list_invoices

    listed = list_invoices(session.store, session.mappings, session.settings.start_date, [invoice_id])[0]
    why = {
        "draft": "is a draft in Caspen: it is sent once it is finalised",
        "void": "is void in Caspen and was never sent",
        "skipped": "is set aside or dated before the start date",
    }.get(listed.sync_status)
    if why is None or listed.xero_invoice_id is not None:
        return False
    session.output.note(f"Invoice {plain(listed.number or invoice_id)} {why}.")
    return True


def _payments_on(session: Session, names: Sequence[str]) -> set[tuple[str, Decimal]]:
    """The keys and amounts of the payments on the invoices that may be meant, or on none yet, as far as they are known."""
    from caspen_xero.store import clinic

    ids = [id_ for name in names for id_ in clinic.invoice_ids(session.store, name)]
    found = [*clinic.payments_on(session.store, ids).values(), *clinic.money_on_no_invoice(session.store, ids).values()]
    return {(one.key, one.amount) for some in found for one in some}


def _asked_about(mappings: Mappings, paid: Collection[str]) -> frozenset[tuple[str, str]]:
    """What a person can have been asked about on these invoices: the keys of Caspen's payments, each with what may be it in Xero.

    By the last push that has held it; before any has, by a pull, which asks about all that it has recorded.
    """
    from caspen_xero.store import clinic, holds, xero_payments

    found: set[tuple[str, str]] = set()
    recorded = xero_payments.recorded_on(mappings, paid)
    for invoice_id, payments in clinic.payments_on(mappings.store, paid).items():
        keys = [one.key for one in payments]
        removed = {key for key, link in mappings.links("payment", keys).items() if link.is_deleted}
        held = {one.caspen_id: one.about.split() for one in holds.on(mappings, "create-payment", keys)}
        by_pull = [one.xero_id for one in recorded.get(invoice_id, ())]
        found |= {(key, id_) for key in keys for id_ in held.get(key, () if key in removed else by_pull)}
    return frozenset(found)


def _ids(session: Session, names: Sequence[str]) -> list[str]:
    """The ids of the invoices that were named."""
    return [one_invoice(session, name) for name in names]


def exit_code(
    result: PushResult,
    bad_records: int = 0,
    books: Books | None = None,
    named: Collection[str] = (),
    *,
    some_in_xero: bool = False,
) -> int:
    """How a push ends: by why it stopped, else by what is unsynced or differs, of all invoices or of those that were `named`.

    `some_in_xero`: some invoice is there already, so that not nothing is in order. It is what keeps the code from run to run.
    """
    codes: set[int] = set()
    if result.stopped is not None:
        codes.add(result.stopped.exit_code)
    if result.only_settings_missing and not result.plan and not some_in_xero:
        codes.add(ExitCode.NOTHING_CAN_BE_SENT)
    if books is not None:
        is_wrong = bool(books.troubles_of.keys() & set(named) if named else books.troubles)
    else:
        is_wrong = bool(result.problems)
    if is_wrong or (result.unfinished and not result.dry_run) or bad_records:
        codes.add(ExitCode.PARTLY)
    return worst_of(codes)


def push_summary(result: PushResult, seconds: float, books: Books | None = None) -> dict[str, Any]:
    """A push in numbers, as JSON shows it and the log keeps it."""
    from caspen_xero.sync.sending.steps import SPECIFICATIONS

    summary: dict[str, Any] = {
        "command": "push",
        "dry_run": result.dry_run,
        "synced": len(result.synced),
        "updated": len(result.updated),
        "unsynced": _unsynced(result, books),
        "skipped": result.skipped,
        **{one.counts_as.key: result.count(one.kind) for one in SPECIFICATIONS if one.counts_as},
        "pending": len(result.waiting),
        "api_calls": result.api_calls,
        "seconds": seconds,
        "warnings": list(dict.fromkeys(result.warnings)),
    }
    if books is not None:
        summary |= {"differs": books.differing}
    if result.found_in_xero:
        summary["found_in_xero"] = result.found_in_xero.as_json()
    if result.stopped is not None:
        summary["stopped"] = result.stopped.as_json()
    if result.dry_run:
        summary["plan"] = [
            {"operation": step.kind, "number": step.number, "detail": step.detail} for step in result.plan
        ]
        summary["summary"] = dry_run_summary(result)
    return summary


def _steps_done(result: PushResult) -> list[tuple[str, int]]:
    """What a push has done, in words and numbers, wherever it stands."""
    from caspen_xero.sync.sending.steps import SPECIFICATIONS

    sent = [("invoices sent", result.count("create-invoice")), ("invoices updated", result.count("update-invoice"))]
    return sent + [
        (one.counts_as.words, result.count(one.kind)) for one in SPECIFICATIONS if one.counts_as and one.counts_as.words
    ]


def _unsynced(result: PushResult, books: Books | None) -> int:
    """How many of the invoices that this push has looked at are not in Xero; one that is there, and differs, is."""
    overlay = books.overlay if books is not None else {}
    return sum(overlay.get(id_) != "differs" for id_ in {*result.problems, *result.unfinished})


def tell_push(session: Session, pushed: Pushed, *, everything: bool = False) -> None:
    """A push for people. `everything`: every step of a dry run is shown."""
    from caspen_xero.store.bad_records import lone_invoices
    from caspen_xero.store.clinic import invoice_numbers
    from caspen_xero.sync.sending.steps import SPECIFICATIONS

    output, result, is_counted = session.output, pushed.result, False
    if result.declined:
        output.note(*result.linked_rates)
        tell_declined(session)
        return
    for line in (*result.linked_rates, *(f"Note: {warning}" for warning in result.warnings)):
        output.note(line)
    tell_found(session, result.found_in_xero)
    numbers = {one.bad.id: one.number for one in lone_invoices(session.store) if one.number}
    numbers |= invoice_numbers(session.store, {*result.problems, *result.waiting})
    if result.dry_run:
        tell_dry_run(session, result, numbers, everything=everything)
    else:
        sent = "invoices sent as drafts" if session.settings.invoice_status == "draft" else "invoices synced"
        not_reached = sum(pushed.books is not None and id_ not in pushed.books.overlay for id_ in result.unfinished)
        counts = [
            (sent, len(result.synced)),
            ("invoices updated", len(result.updated)),
            *(
                (one.counts_as.words, result.count(one.kind))
                for one in SPECIFICATIONS
                if one.counts_as and one.counts_as.words
            ),
            ("of these unsynced", pushed.summary["unsynced"] - not_reached),
            ("of these not reached, pending", not_reached),
        ]
        rows = [(what, number) for what, number in counts if number or what in {sent, "of these unsynced"}]
        organisation = plain(session.connection.tenant_name)
        if is_counted := any(number for _, number in rows):
            output.facts(f"Push to {organisation}", rows)
        else:
            output.say(
                f"{'Nothing was sent' if result.stopped is not None else 'There was nothing new to send'} to {organisation}."
            )
    for invoice_id, why in list(result.waiting.items())[:5]:
        output.note(f"{plain(numbers.get(invoice_id, invoice_id))} waits: {why.reason}.")
    if len(result.waiting) > 5:
        more = len(result.waiting) - 5
        output.note(f"... and {more} more {'waits' if more == 1 else 'wait'}.")
    if pushed.books is not None:
        tell_standing(session, pushed.books, after_counts=is_counted)
    if result.stopped is not None:
        output.error(result.stopped)
