"""What a routine run with `--quiet` says: what is new, once. So mail from cron always means that something is to be done.

What troubles the invoices is told when it comes, and again only when it had gone; what Caspen was told of, by whichever run, once:
both as the store has it, so that what a run that was killed could not say is said by the next one. What ended a run is told at
once, and once a day for as long as it does; what may pass by itself (a limit, the network, another run) only when it has lasted.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from caspen_xero.cli.output import DEAD_SIGN_IN, Held
from caspen_xero.cli.session import Session, SessionError
from caspen_xero.cli.spans import span
from caspen_xero.cli.streams import tell
from caspen_xero.outside_text import plain
from caspen_xero.times import local_today

if TYPE_CHECKING:
    from caspen_xero.store.xero_payments import XeroPayment
    from caspen_xero.sync.books.books import Books
    from caspen_xero.sync.books.troubles import Trouble
    from caspen_xero.sync.causes import Cause

IN_A_ROW = 3
"""So many runs that end in what may pass by itself have lasted."""
AGAIN_AFTER = timedelta(hours=23)
"""What only a person can mend is told so often while it lasts: each day, also by a run that is a little early one day."""
SHOWN = 10
"""So many causes are told in full."""
NAMED = 5
"""So many invoices of one are named."""

MaxAge = Annotated[
    str,
    typer.Option(
        "--max-age",
        metavar="26h",
        help="With --quiet: how long the network may be away before that is said (m, h or d), or three runs in a row.",
    ),
]


def only_news(session: Session, max_age: str) -> None:
    """From here on a run with `--quiet` keeps what it has to say to its end, and then says what is new."""
    session.patience = span(max_age)
    if session.output.quiet and not session.output.json:
        session.output.held, session.output.before = session.output.before, []


def tell_news(session: Session, code: int) -> None:
    """Says what is new, and remembers it. Where that can't be, all is said, but for an overlap: the other run has the store."""
    held, session.output.held = session.output.held, None
    if held is None:
        return
    is_told = False
    try:
        with session.store.write():
            tell(session.output.as_lines(_news(session, held, code)))
            is_told = True  # before it is remembered: who is killed between says it twice, and not never
    except Exception:  # noqa: BLE001 - what is wrong with the store is no reason to say less
        if not is_told:
            lines = [line for one in held if not one.key.startswith("another-run") for line in one.lines]
            tell(session.output.as_lines(lines))


def _news(session: Session, held: list[Held], code: int) -> list[str]:
    from caspen_xero.errors import ExitCode
    from caspen_xero.xero.errors import XeroError

    lines = list[str]()
    if code != ExitCode.ANOTHER_RUN:  # which is about to change how the invoices stand, and tells that
        with suppress(XeroError):  # linked at another host: how it stands there is not known here
            lines = [*_of_what_came_back(session), *_of_invoices(session)]
    if lines:
        stored = session.store.connection()
        name = plain(stored["tenant_name"]) if stored else "caspen-xero"
        lines.insert(0, f"{name}, {session.command} of {local_today(session.now(), session.now())}:")
    return [*lines, *_of_warnings(session, held), *_of_ends(session, held, code)]


def _of_what_came_back(session: Session) -> list[str]:
    """What Caspen was told of, and where, by any run, that no run with `--quiet` has told yet: a line for each place."""
    from caspen_xero.cli.came_back import delivered_in_one_line
    from caspen_xero.store import xero_payments
    from caspen_xero.sync.pulling.deliver import Destination

    mappings = session.known_mappings
    if mappings is None:
        return []
    places = xero_payments.told_to(mappings)
    new = _untold(session, "came back", places)
    payments = xero_payments.recorded(mappings, new)
    found: dict[str, list[XeroPayment]] = {}
    for xero_id in new:
        found.setdefault(places[xero_id], []).append(payments[xero_id])
    return [delivered_in_one_line(some, Destination(where)) for where, some in found.items()]


def _of_invoices(session: Session) -> list[str]:
    """What is unsynced or differs since a run with `--quiet` has last told of it."""
    from caspen_xero.cli.standing import LOOK, read_standing
    from caspen_xero.sync.causes import causes_of

    books = session.books or read_standing(session)
    problems = [one.key for one in books.troubles if not one.is_difference]
    new = {*_untold(session, "invoices", problems, complete=True), *_differences(session, books)}
    if not new:
        return []
    causes = causes_of(_as_row(one, books) for one in books.troubles if one.key in new)
    lines = [line for cause in causes[:SHOWN] for line in _of_cause(cause)]
    if len(causes) > SHOWN:
        rest = {row["invoice_id"] for cause in causes[SHOWN:] for row in cause.invoices}
        lines.append(f"  ... and {len(rest)} more.")
    return [*lines, f"All that is unsynced or differs:  {LOOK}"]


def _as_row(one: Trouble, books: Books) -> dict[str, Any]:
    """What is told of a cause, as `unsynced` has it, and the state of its invoice."""
    return {
        "invoice_id": one.invoice_id,
        "number": one.number,
        "client": one.client,
        "state": books.state_of(one),
        "total": one.invoice.total,
        "currency": one.invoice.currency,
        "code": str(one.code),
        "reason": one.reason,
        "fix": one.fix,
        "first_failed_at": one.first_failed_at,
    }


def _of_cause(cause: Cause) -> list[str]:
    """One cause: how many invoices, what they come to, why, a few of them, and the way out."""
    rows = cause.invoices
    money = "".join(f", {amount:,.2f} {plain(currency)}".rstrip() for currency, amount in cause.sums.items())
    names = [f"{plain(row['number'] or row['invoice_id'])}{_in_brackets(row['client'])}" for row in rows[:NAMED]]
    more = f" and {len(rows) - NAMED:,} more" if len(rows) > NAMED else ""
    told, of_all = f"{', '.join(names)}{more}", f"{len(rows):,} invoices{money}"
    head = f"{told}{money}" if len(rows) == 1 else of_all
    lines = [f"  {head}: {rows[0]['state']}: {cause.reason}", *([f"    {told}"] if len(rows) > 1 else [])]
    if cause.shares_its_way_out:
        return [*lines, f"    -> {rows[0]['fix']}"]
    return [
        *lines,
        f"    of {plain(rows[0]['number'] or rows[0]['invoice_id'])} the way out is this:",
        f"    -> {rows[0]['fix']}",
    ]


def _in_brackets(client: str | None) -> str:
    return f" ({plain(client)})" if client else ""


def _differences(session: Session, books: Books) -> list[str]:
    """What differs and was not told yet. What only does not show while something is left to do is not over, so it is told once."""
    from caspen_xero.store import both_sides, told

    mappings, now, tenant, scope = session.known_mappings, session.now(), session.tenant_id, "differences"
    seals = {one.key: told.seal(one.key, of=one.invoice_id) for one in books.troubles if one.is_difference}
    known = told.told_since(session.store, tenant, scope)
    new = [key for key in seals if seals[key] not in known]
    told.tell(session.store, tenant, scope, (seals[key] for key in new), now)
    hidden = both_sides.unsettled(mappings) if mappings and known - set(seals.values()) else ()
    told.forget(session.store, tenant, scope, but=seals.values(), of=hidden)
    return new


def _of_warnings(session: Session, held: list[Held]) -> list[str]:
    """Warnings that the run before did not give already; a run that was stopped can't know which are over."""
    warnings = {one.key: one.lines for one in held if one.kind == "warning"}
    new = _untold(session, f"warnings of {session.command}", warnings, complete=session.ended_by is None)
    return [line for key in new for line in warnings[key]]


def _of_ends(session: Session, held: list[Held], code: int) -> list[str]:
    """What ended the run. A run that ended otherwise proves that what ended an earlier one is over, where it came that far."""
    from caspen_xero.store import log, told

    passing, lasting, tenant = f"passing ends of {session.command}", f"ends of {session.command}", session.tenant_id
    errors = {one.key: one for one in held if one.kind == "error"}
    if code not in log.PASSING:
        told.forget(session.store, tenant, passing)
    runs, long = log.streak(session.store, session.command, code)
    has_lasted = code in log.PASSING and (runs >= IN_A_ROW or long > session.patience)
    soon = [key for key, one in errors.items() if one.exit_code in log.PASSING and has_lasted]
    at_once = [key for key, one in errors.items() if one.exit_code not in log.PASSING]
    dead = [key for key in at_once if key == DEAD_SIGN_IN]
    others = [key for key in at_once if key != DEAD_SIGN_IN]
    if not dead and _sign_in_works(session):
        told.forget(session.store, tenant, DEAD_SIGN_IN)
    news = [
        *_untold(session, DEAD_SIGN_IN, dead, again_after=AGAIN_AFTER),
        *_untold(session, lasting, others, again_after=AGAIN_AFTER, complete=code not in log.BEFORE_ALL),
        *_untold(session, passing, soon),
    ]
    return [line for key in news for line in errors[key].lines]


def _sign_in_works(session: Session) -> bool:
    """Whether Xero has taken the sign-in since it was last found dead, or there is a new one: a blip before that proves nothing."""
    from caspen_xero.cli.sign_in import sign_in
    from caspen_xero.xero.errors import XeroError

    with suppress(XeroError, SessionError):
        return sign_in(session)["works"] is not False
    return False


def _untold(
    session: Session,
    scope: str,
    keys: Iterable[str],
    *,
    complete: bool = False,
    again_after: timedelta | None = None,
) -> list[str]:
    """Which of these were not told yet (or were so long ago), noted as told by now. `complete`: what is not among them is over."""
    from caspen_xero.store import told

    now, tenant, seals = session.now(), session.tenant_id, {key: told.seal(key) for key in keys}
    known = told.told_since(session.store, tenant, scope, now - again_after if again_after else None)
    new = [key for key in seals if seals[key] not in known]
    told.tell(session.store, tenant, scope, (seals[key] for key in new), now)
    if complete:
        told.forget(session.store, tenant, scope, seals.values())
    return new
