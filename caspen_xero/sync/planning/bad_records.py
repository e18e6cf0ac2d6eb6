"""Bad records of Caspen's as problems of the invoices that they concern. Pure."""

from __future__ import annotations

from caspen_xero.outside_text import plain
from caspen_xero.store.bad_records import KeptBadRecord
from caspen_xero.sync.fix_commands import push_command
from caspen_xero.sync.planning.ways_out import after_caspen
from caspen_xero.sync.problems import Problem, ProblemCode


def problem_of_known(bad: KeptBadRecord, invoice_id: str, number: str | None, source: str | None) -> Problem:
    """The problem that a bad record is of an invoice that the store knows. `source`: what a push reads by itself, if anything."""
    return _problem(bad, invoice_id, push_command(number, invoice_id), source)


def problem_of_lone(bad: KeptBadRecord, invoice_id: str, source: str | None) -> Problem:
    """That of an invoice which no command can send yet, as only its bad record tells of it."""
    return _problem(bad, invoice_id, "caspen-xero push", source)


def subject_of(bad: KeptBadRecord) -> str:
    """What the problem is about: of one invoice, several records may be bad."""
    return f"{bad.kind}:{bad.id}"


def _problem(bad: KeptBadRecord, invoice_id: str, push: str, source: str | None) -> Problem:
    its_own = bad.kind == "invoice" and bad.id == invoice_id
    what = "its record" if its_own else f"the record of its {bad.kind.replace('_', ' ')} {plain(bad.id)}"
    reason = f"{what} can't be used, so nothing of it is sent ({bad.place}): {bad.wrong}"
    fix = f"Correct it in Caspen, then: {after_caspen(push, source)}"
    return Problem(ProblemCode.BAD_RECORD, invoice_id, reason, fix, subject=subject_of(bad))
