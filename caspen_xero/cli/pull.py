"""`pull`: payments from Xero back to Caspen, and what came of it in words and numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from caspen_xero.cli.adopt import tell_found
from caspen_xero.cli.came_back import came_back_as_json, in_the_log, news, tell_came_back
from caspen_xero.cli.command import command
from caspen_xero.cli.exit_codes import worst_of
from caspen_xero.cli.news import MaxAge, only_news
from caspen_xero.cli.runs import begins, ends
from caspen_xero.cli.session import Session
from caspen_xero.cli.source import read_source
from caspen_xero.cli.standing import note_standing, read_standing, tell_standing
from caspen_xero.errors import ExitCode, UserError
from caspen_xero.outside_text import plain

if TYPE_CHECKING:
    from caspen_xero.store.imports import ImportResult
    from caspen_xero.sync.books.books import Books
    from caspen_xero.sync.pulling.deliver import Delivery
    from caspen_xero.sync.pulling.pull import PullResult
    from caspen_xero.sync.sending.other_homes import AnotherHome

SHOWN_HELD = 5
DOUBLED = "payment-twice-in-xero"


def register(app: typer.Typer) -> None:
    """Adds this command to the command line."""
    command(app, "pull")(pull)


def pull(
    session: Session,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what is new in Xero; record and deliver nothing of it.")
    ] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Look at every invoice again, not only at what changed. Weekly by itself.")
    ] = False,
    max_age: MaxAge = "26h",
) -> int:
    """Bring payments made in Xero back to Caspen: each payment and each allocated credit, exactly once.

    The source is read first, if `settings set --source` named one, so that nothing goes to Caspen that it has already.
    They go to caspen-updates.jsonl beside Caspen's export, or to Caspen's server if the source is one.

    \b
    caspen-xero pull
    caspen-xero pull --dry-run
    """
    if not dry_run:
        only_news(session, max_age)
        begins(session, "pull")
    organisation = session.connection.tenant_name
    undone = (
        f"Nothing was pulled from {plain(organisation)} or told to Caspen, as it is not known what Caspen has already."
    )
    with session.only_writer():
        read = read_source(session, undone)
        outcome = pull_now(session, read, is_alone=True, dry_run=dry_run, full=full)
    if session.output.json:
        session.output.document(outcome.summary)
    else:
        outcome.tell(session)
        outcome.tell_end(session)
    return outcome.exit_code


class Pulled:
    """What a pull did, for people and for scripts."""

    def __init__(
        self,
        session: Session,
        result: PullResult,
        delivery: Delivery,
        bad_records: int,
        books: Books | None = None,
        *,
        is_alone: bool = False,
    ) -> None:
        """`books`: how they stand after it. `is_alone` False: a push follows, which tells that, and of another home."""
        self.result, self.delivery, self.bad_records = result, delivery, bad_records
        self.books, self.is_alone = books, is_alone
        self.doubled = [one for one in books.differences if one.code == DOUBLED] if books is not None else []
        self.another_home = _another_home(session)
        self.summary = self._summary(session)

    @property
    def exit_code(self) -> int:
        """How the command ends by it: where a push follows, how the invoices stand is for that one to say."""
        return self._ends(with_books=self.is_alone)

    @property
    def as_alone(self) -> int:
        """How it ended by itself: the same for the same facts, whether a push follows or not."""
        return self._ends(with_books=True)

    def _ends(self, *, with_books: bool) -> int:
        codes = {error.exit_code for error in (self.result.stopped, self.delivery.stopped) if error is not None}
        is_wrong = with_books and self.books is not None and not self.books.in_order
        if (
            is_wrong
            or self.delivery.refused
            or self.bad_records
            or self.doubled
            or self.another_home
            or self.result.unreadable
        ):
            codes.add(ExitCode.PARTLY)
        return worst_of(codes)

    def _summary(self, session: Session) -> dict[str, Any]:
        summary: dict[str, Any] = {
            "command": "pull",
            "payments": len(news(self.result, self.delivery)),
            "invoices_updated": len(self.result.updated),
            "api_calls": self.result.api_calls,
            "seconds": session.seconds(),
        }
        summary |= came_back_as_json(self.result, self.delivery)
        if self.result.dry_run:
            found = [payment.as_record() for payment in news(self.result, self.delivery)]
            summary |= {"dry_run": True, "found": found}
        stopped = self.result.stopped or self.delivery.stopped
        if stopped is not None:
            summary["stopped"] = stopped.as_json()
        if self.result.found_in_xero:
            summary["found_in_xero"] = self.result.found_in_xero.as_json()
        if self.doubled:
            summary["doubled"] = [row.as_json() | {"fix": session.output.command(row.fix)} for row in self.doubled]
        if self.another_home is not None:
            fix = session.output.command(self.another_home.fix)
            summary["another_home"] = self.another_home.as_json() | {"fix": fix}
        if self.result.unreadable:
            summary["unreadable"] = [
                {"number": number, "invoice_id": id_, "reason": why} for id_, number, why in self._unreadable(session)
            ]
        if self.delivery.refused:
            summary["refused"] = [
                {"id": payment.xero_id, "code": error.code, "message": error.message}
                for payment, error in self.delivery.refused
            ]
        if self.delivery.held:
            summary["held"] = [
                {
                    "id": held.payment.xero_id,
                    "code": str(held.code),
                    "message": held.why,
                    "fix": session.output.command(held.fix),
                }
                for held in self.delivery.held
            ]
        return summary

    def _unreadable(self, session: Session) -> list[tuple[str, str, str]]:
        """The invoices of which Xero's answer can't be read: id, number and why."""
        from caspen_xero.store import clinic

        odd = self.result.unreadable
        numbers = clinic.invoice_numbers(session.store, filter(None, odd))
        return [(id_, numbers.get(id_) or id_, why) for id_, why in odd.items()]

    def tell(self, session: Session) -> None:
        """The pull for people, but for what ended it (`tell_end`)."""
        output = session.output
        tell_came_back(session, self.result, self.delivery)
        for line in self.result.linked_rates:
            output.note(line)
        tell_found(session, self.result.found_in_xero)
        for row in self.doubled:
            output.warn(f"{plain(row.number)}: {row.xero}; Caspen has {row.caspen}.", row.fix)
        if self.another_home is not None and self.is_alone:
            output.warn(self.another_home.message, self.another_home.fix, key=self.another_home.code)
        for _, number, why in self._unreadable(session):
            output.warn(f"{plain(number or 'One invoice')}: {why}. It is read again by each pull.")
        for payment, error in self.delivery.refused:
            name = plain(payment.invoice_number or payment.invoice_id)
            why = f"Caspen did not take the payment of {payment.amount:.2f}: {error.message}"
            output.warn(f"{name}: {why}", key=f"refused {plain(payment.xero_id)}")
        for held in self.delivery.held[:SHOWN_HELD]:
            name = plain(held.payment.invoice_number or held.payment.invoice_id)
            output.note(
                f"{name}: Caspen is not told of a payment of {held.payment.amount:.2f}: {held.why}.", f"  -> {held.fix}"
            )
        if len(self.delivery.held) > SHOWN_HELD:
            output.note(f"... and {len(self.delivery.held) - SHOWN_HELD} more:  caspen-xero payments list")
        if self.result.dry_run:
            output.note(
                "This told what is new for Caspen alone. What was edited, voided or deleted in Xero, a pull finds."
            )
        elif self.books is not None and self.is_alone:
            tell_standing(session, self.books)

    def tell_end(self, session: Session, told: UserError | None = None) -> None:
        """What ended it, unless that was `told` already; it is to be the last that is said."""
        for stopped in (self.result.stopped, self.delivery.stopped):
            if stopped is not None and (told is None or stopped.code != told.code):
                session.output.error(stopped)


def pull_now(
    session: Session, read: ImportResult, *, is_alone: bool = False, dry_run: bool = False, full: bool = False
) -> Pulled:
    """One pull under the workspace's lock, delivered and logged, after so much was read of the source."""
    from caspen_xero.cli.caspen_key import caspen_key
    from caspen_xero.sync.pulling.deliver import Delivery, deliver, foresee
    from caspen_xero.sync.pulling.pull import Pull

    mappings, delivery = session.mappings, Delivery()
    if not dry_run:
        begins(session, "pull")
    with session.output.progress("Pulling", unit="changed invoices") as progress:
        engine = Pull(mappings, session.settings, lambda: session.client, session.now, progress=progress)
        session.done["pull"] = lambda: Pulled(session, engine.result, delivery, read.bad_count).summary
        session.told_done.append(
            lambda: [
                ("payments found in Xero", len(engine.result.found)),
                ("payments told to Caspen", len(delivery.delivered)),
            ]
        )
        result = engine.run(dry_run=dry_run, full=full)
    if dry_run:
        knows_all = not read.unread_payments
        delivery = foresee(mappings, session.settings, result.found, session.now(), knows_all=knows_all)
    else:
        with session.output.progress("Telling Caspen", unit="payments") as progress:
            deliver(
                mappings,
                session.settings,
                session.now,
                knows_all=not read.unread_payments,
                api_key=lambda: caspen_key(session),
                progress=progress,
                delivery=delivery,
            )
    books = read_standing(session) if dry_run else note_standing(session)
    outcome = Pulled(session, result, delivery, read.bad_count, books, is_alone=is_alone)
    if not dry_run:
        ends(session, "pull", outcome.as_alone, in_the_log(outcome.summary), result.stopped, delivery.stopped)
    return outcome


def _another_home(session: Session) -> AnotherHome | None:
    """What is said for as long as another home is known to send too."""
    from caspen_xero.sync.sending.other_homes import another_home

    return another_home(session.mappings)
