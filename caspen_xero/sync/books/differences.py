"""What `drift` shows of how the books stand: the differences with which nobody is content, and those that only a push has found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from caspen_xero.sync.books.troubles import SAYS_MORE, Trouble
from caspen_xero.sync.problems import ProblemCode
from caspen_xero.sync.pulling.drift import Drift


def differences_of(drift: Sequence[Drift], troubles: Sequence[Trouble], accepted: Sequence[Trouble]) -> list[Drift]:
    """The rows of `drift`, without information. `troubles`, `accepted`: what is wrong, and what of it a person has accepted."""
    left = {(one.invoice_id, one.code, one.subject) for one in accepted}
    left -= {(one.invoice_id, one.code, one.subject) for one in troubles}
    content = {one.invoice_id for one in accepted if one.code in SAYS_MORE[ProblemCode.EDITED_IN_XERO]}
    fixes = {(one.invoice_id, one.code): one.fix for one in troubles}
    rows = [
        _with_the_fix_of(one, fixes)
        for one in drift
        if not one.is_information
        and (one.invoice_id, one.problem, one.subject) not in left
        and not (one.problem is ProblemCode.EDITED_IN_XERO and one.invoice_id in content)
        and (one.code != "figures-differ" or (one.invoice_id, ProblemCode.TOTALS_DIFFER) not in fixes)
    ]
    shown = {(one.invoice_id, one.problem) for one in rows}
    return rows + [_as_drift(one) for one in troubles if one.is_difference and (one.invoice_id, one.code) not in shown]


def _with_the_fix_of(one: Drift, fixes: Mapping[tuple[str, ProblemCode], str]) -> Drift:
    """A difference of which a problem tells more, with the way out of that (`fixes`: by invoice id and code)."""
    more = SAYS_MORE.get(one.problem, ()) if one.problem else ()
    known = [fixes[key] for code in more if (key := (one.invoice_id or "", code)) in fixes]
    return replace(one, fix=known[0]) if known else one


def _as_drift(trouble: Trouble) -> Drift:
    """A difference that only a push has found, as `drift` shows it."""
    told = (trouble.number, trouble.invoice_id, str(trouble.code), "not as in Xero", trouble.reason)
    return Drift(*told, trouble.first_failed_at, trouble.fix, trouble.subject, trouble.code)
