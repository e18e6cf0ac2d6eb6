"""`pull`: payments from Xero back to Caspen, and what came of it in words and numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from caspen_xero.cli.adopt import tell_found
from caspen_xero.cli.command import command
from caspen_xero.cli.drift import count_drift, tell_drift_count
from caspen_xero.cli.exit_codes import worst_of
from caspen_xero.cli.session import Session
from caspen_xero.cli.source import read_source
from caspen_xero.errors import ExitCode
from caspen_xero.outside_text import plain

if TYPE_CHECKING:
    from caspen_xero.cli.output import Cell
    from caspen_xero.store.imports import ImportResult
    from caspen_xero.store.xero_payments import XeroPayment
    from caspen_xero.sync.pulling.deliver import Delivery
    from caspen_xero.sync.pulling.drift import Drift
    from caspen_xero.sync.pulling.pull import PullResult
    from caspen_xero.sync.sending.other_homes import AnotherHome

SHOWN_HELD = 5


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
) -> int:
    """Bring payments made in Xero back to Caspen: each payment and each allocated credit, exactly once.

    The source is read first, if `settings set --source` named one, so that nothing goes to Caspen that it has already.
    They go to caspen-updates.jsonl beside Caspen's export, or to Caspen's server if the source is one.

    \b
    caspen-xero pull
    caspen-xero pull --dry-run
    """
    organisation = session.connection.tenant_name
    undone = (
        f"Nothing was pulled from {plain(organisation)} or told to Caspen, as it is not known what Caspen has already."
    )
    with session.only_writer():
        read = read_source(session, undone)
        outcome = pull_now(session, read, dry_run=dry_run, full=full)
        drift_count = 0 if dry_run else count_drift(session)
    if session.output.json:
        session.output.document(outcome.summary)
    else:
        outcome.tell(session, is_alone=True, drift_count=drift_count)
    return outcome.exit_code


class Pulled:
    """What a pull did, for people and for scripts."""

    def __init__(self, session: Session, result: PullResult, delivery: Delivery, bad_records: int) -> None:
        self.result, self.delivery, self.bad_records = result, delivery, bad_records
        found = {payment.xero_id: payment for payment in result.found}
        # Found by an earlier pull that could not deliver it, it is news to Caspen now.
        found |= {payment.xero_id: payment for payment in delivery.delivered if payment.xero_id not in found}
        self.payments = list(found.values())
        self.doubled, self.another_home = _doubled(session), _another_home(session)
        self.summary = self._summary(session)

    @property
    def exit_code(self) -> int:
        codes = {error.exit_code for error in (self.result.stopped, self.delivery.stopped) if error is not None}
        if self.delivery.refused or self.bad_records or self.doubled or self.another_home or self.result.unreadable:
            codes.add(ExitCode.PARTLY)
        return worst_of(codes)

    def _summary(self, session: Session) -> dict[str, Any]:
        summary: dict[str, Any] = {
            "command": "pull",
            "payments": len(self.payments),
            "invoices_updated": len(self.result.updated),
            "api_calls": self.result.api_calls,
            "seconds": session.seconds(),
        }
        if self.result.dry_run:
            summary |= {"dry_run": True, "found": [payment.as_record() for payment in self.payments]}
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
                {"id": held.payment.xero_id, "message": held.why, "fix": session.output.command(held.fix)}
                for held in self.delivery.held
            ]
        return summary

    def _unreadable(self, session: Session) -> list[tuple[str, str, str]]:
        """The invoices of which Xero's answer can't be read: id, number and why."""
        from caspen_xero.store import clinic

        odd = self.result.unreadable
        numbers = clinic.invoice_numbers(session.store, filter(None, odd))
        return [(id_, numbers.get(id_) or id_, why) for id_, why in odd.items()]

    def tell(self, session: Session, *, is_alone: bool = False, drift_count: int = 0) -> None:
        """The pull for people. `drift_count`: what they are told of besides.

        `is_alone` False: in a sync, where push tells that, and of another home.
        """
        output = session.output
        if self.payments:
            columns = ("Invoice", "Date", "Amount", "Kind", "Reconciled", "Invoice now")
            output.table(columns, [_row(payment) for payment in self.payments])
        what = f"{len(self.payments)} payments" if len(self.payments) != 1 else "1 payment"
        would = "would go to Caspen" if self.delivery.stopped is None else "new from Xero"
        done = f"{would}; nothing was changed" if self.result.dry_run else "new from Xero"
        if not self.result.dry_run and self.payments and len(self.delivery.delivered) < len(self.payments):
            done += f", {len(self.delivery.delivered)} delivered to Caspen"
        output.say(f"{what} {done}; {len(self.result.updated)} invoices updated.")
        for line in self.result.linked_rates:
            output.note(line)
        tell_found(session, self.result.found_in_xero)
        for row in self.doubled:
            output.warn(f"{plain(row.number)}: {row.xero}; Caspen has {row.caspen}.", row.fix)
        if self.another_home is not None and is_alone:
            output.warn(self.another_home.message, self.another_home.fix)
        for _, number, why in self._unreadable(session):
            output.warn(f"{plain(number or 'One invoice')}: {why}. It is read again by each pull.")
        for payment, error in self.delivery.refused:
            name = plain(payment.invoice_number or payment.invoice_id)
            output.warn(f"{name}: Caspen did not take the payment of {payment.amount}: {error.message}")
        for held in self.delivery.held[:SHOWN_HELD]:
            name = plain(held.payment.invoice_number or held.payment.invoice_id)
            output.note(
                f"{name}: Caspen is not told of a payment of {held.payment.amount}: {held.why}.", f"  -> {held.fix}"
            )
        if len(self.delivery.held) > SHOWN_HELD:
            output.note(f"... and {len(self.delivery.held) - SHOWN_HELD} more:  caspen-xero drift")
        tell_drift_count(session, drift_count)
        for stopped in (self.result.stopped, self.delivery.stopped):
            if stopped is not None:
                output.error(stopped)


def pull_now(session: Session, read: ImportResult, *, dry_run: bool = False, full: bool = False) -> Pulled:
    """One pull under the workspace's lock, delivered and logged, after so much was read of the source."""
    from caspen_xero.cli.caspen_key import caspen_key
    from caspen_xero.store import log
    from caspen_xero.sync.pulling.deliver import Delivery, deliver, payment_unreadable
    from caspen_xero.sync.pulling.pull import Pull

    mappings, delivery = session.mappings, Delivery()
    with session.output.progress("Pulling") as progress:
        engine = Pull(mappings, session.settings, lambda: session.client, session.now, progress=progress)
        session.done["pull"] = lambda: Pulled(session, engine.result, delivery, read.bad_count).summary
        result = engine.run(dry_run=dry_run, full=full)
    if dry_run and read.unread_payments and result.found:
        delivery.stopped = payment_unreadable(len(result.found))
    if not dry_run:
        with session.output.progress("Delivering") as progress:
            deliver(
                mappings,
                session.settings,
                session.now,
                knows_all=not read.unread_payments,
                api_key=lambda: caspen_key(session),
                progress=progress,
                delivery=delivery,
            )
    outcome = Pulled(session, result, delivery, read.bad_count)
    if not dry_run:
        log.note(session.store, mappings.tenant_id, "pull", session.started_at, outcome.exit_code, outcome.summary)
    return outcome


def _doubled(session: Session) -> list[Drift]:
    """Payments of ours that stand in Xero twice, as last seen."""
    from caspen_xero.sync.pulling.drift import doubled_payments

    return doubled_payments(session.mappings, session.settings)


def _another_home(session: Session) -> AnotherHome | None:
    """What is said for as long as another home is known to send too."""
    from caspen_xero.sync.sending.other_homes import another_home

    return another_home(session.mappings)


def _row(payment: XeroPayment) -> tuple[Cell, ...]:
    now = payment.invoice_status if payment.invoice_status == "paid" else f"open, {payment.amount_due:.2f} due"
    reconciled = {True: "reconciled", False: "not reconciled", None: ""}[payment.reconciled]
    kind = payment.kind.replace("_", " ")
    return (payment.invoice_number or payment.invoice_id, payment.date, payment.amount, kind, reconciled, now)
