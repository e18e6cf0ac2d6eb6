"""The whole story of one invoice: what is wrong and the way out, what was sent, what Xero said, every try, warnings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from caspen_xero.cli.output import in_words
from caspen_xero.cli.session import Session
from caspen_xero.commands import name_for, to_paste
from caspen_xero.errors import ExitCode
from caspen_xero.outside_text import MOST_WORDS, plain, said
from caspen_xero.times import local

if TYPE_CHECKING:
    from caspen_xero.store.listing import ListedInvoice
    from caspen_xero.sync.books.books import Books

COLUMNS = (
    "number",
    "invoice_id",
    "client",
    "date",
    "total",
    "currency",
    "code",
    "reason",
    "fix",
    "xero_says",
    "attempts",
    "first_failed_at",
    "last_tried_at",
    "sync_status",
    "choices",
)
"""The fields of a row, in JSON and in CSV."""
SHORT = 8
"""Characters of an id of Xero's that are shown (one more where they are all digits): commands take them for the whole."""
WIDEST = 160
"""Characters of what was sent on one line."""


def short_id(xero_id: str | None) -> str:
    """An id of Xero's as lists show it; another one whole."""
    if not xero_id or len(xero_id) != 36 or xero_id.count("-") != 4:
        return xero_id or ""
    return xero_id[: SHORT + xero_id[:SHORT].isdigit()]


def tell_story(
    session: Session,
    invoice_id: str,
    rows: Sequence[Mapping[str, Any]],
    rows_for_scripts: Sequence[Mapping[str, Any]],
    books: Books,
) -> int:
    """Tells it, or gives it to a program. `rows`: those of `unsynced` that are about it, in both forms."""
    from caspen_xero.store.listing import list_invoices
    from caspen_xero.store.sent import documents_sent

    mappings = session.known_mappings
    listed = books.judged(list_invoices(session.store, mappings, session.settings.start_date, [invoice_id]))
    tries = documents_sent(mappings, invoice_id) if mappings else []
    if session.output.is_for_scripts:
        writes = [{**row, "sent": document} for row, document in tries]
        state = listed[0].sync_status if listed else None
        told = {"unsynced": list(rows_for_scripts), "sync_status": state, "writes": writes}
        session.output.listed(told, "unsynced", COLUMNS)
        return ExitCode.ALL_WELL
    say, name = session.output.say, name_for(invoice_id, listed[0].number if listed else None)
    for one in listed:
        say(_head(one), "")
    if not rows:
        say(_why_nothing(session, invoice_id, listed[0].sync_status if listed else ""), "")
    for row in rows:
        _tell_why(session, row)
    if tries:
        say("What was sent of it, oldest first:")
        before: Mapping[str, Any] | None = None
        for row, document in tries:
            _tell_try(session, row, document, is_as_before=document is not None and document == before)
            before = document
    else:
        say(nothing_sent(listed[0].sync_status if listed else ""))
    say("", f"Both sides beside each other: {to_paste('invoices show', name)}" if listed else "")
    return ExitCode.ALL_WELL


def nothing_sent(state: str) -> str:
    """That nothing of an invoice was sent: not yet, or not at all in the state that it is in."""
    return f"Nothing of it was sent to Xero{'' if state in ('draft', 'void', 'skipped') else ' yet'}."


def _head(one: ListedInvoice) -> str:
    parts = [f"Invoice {plain(one.number or one.invoice_id)}"]
    if one.client:
        parts.append(f"of {plain(one.client)}")
    if one.issue_date:
        parts.append(f"dated {one.issue_date}")
    total = "" if one.total is None else f", {one.total:,.2f} {plain(one.currency)}".rstrip()
    there = f"{plain(one.xero_status or 'there').lower()} in Xero" if one.xero_invoice_id else "not in Xero"
    state = f"{one.sync_status} (accepted)" if one.is_accepted else one.sync_status
    return f"{' '.join(parts)}{total}: {state}; {plain(one.caspen_own_status or 'unknown')} in Caspen, {there}."


def _why_nothing(session: Session, invoice_id: str, state: str) -> str:
    """That nothing is wrong with it, or why nobody looks."""
    from caspen_xero.store import skips

    if invoice_id in skips.invoice_ids(session.store):
        reason = skips.reason(session.store, invoice_id)
        return f"It was set aside{f': {plain(reason, MOST_WORDS)}' if reason else ' by a person'}."
    told = {
        "synced": "It is in Xero as in Caspen, as far as anybody has seen.",
        "differs": "It differs, and a person is content with that.",
        "draft": "It is a draft in Caspen: nothing of it goes to Xero.",
        "void": "It is void in Caspen: nothing of it goes to Xero.",
        "skipped": "It is dated before the start date: nothing of it goes to Xero.",
    }
    return told.get(state, "Nothing is wrong with it.")


def _tell_why(session: Session, row: Mapping[str, Any]) -> None:
    say = session.output.say
    tried = row["attempts"]
    since = f", since {local(row['first_failed_at'])}" if row["first_failed_at"] else ""
    times = f", a push has come to it {'once' if tried == 1 else f'{tried} times'}" if tried else ""
    last = f", last {local(row['last_tried_at'])}" if row["last_tried_at"] and tried > 1 else ""
    say(f"{row['code']}{since}{times}{last}", f"  {row['reason']}")
    if row["xero_says"] and row["xero_says"] not in row["reason"]:
        say(f"  Xero said: {said(row['xero_says'])}")
    say(f"  -> {row['fix']}")
    if row["choices"]:
        say(f"     asks which: {in_words(row['choices'])}")
    say()


def _tell_try(
    session: Session, row: Mapping[str, Any], document: Mapping[str, Any] | None, *, is_as_before: bool
) -> None:
    say = session.output.say
    number = f" {plain(row['number'])}" if row["number"] else ""
    http = [f"HTTP {row['http_status']}"] if row["http_status"] else []
    there = [f"in Xero {plain(short_id(row['xero_id']))}"] if row["xero_id"] else []
    more = f" ({', '.join([*http, *there])})" if http or there else ""
    say(
        f"{local(row['first_sent_at'], seconds=True)}  {row['operation'].replace('-', ' ')}{number}: {answer_of(row)}{more}"
    )
    if is_as_before:
        say("    sent: the same as before")
    elif document is None:
        say("    sent: no longer kept")
    else:
        for line in _sent(document, min(WIDEST, session.output.console().width - 4)):
            say(f"    {line}")
    if row["message"]:
        who = "Xero said" if row["state"] == "refused" else "Told"
        say(f"    {who}: {plain(row['message'], MOST_WORDS)}")
    for warning in row["warnings"]:
        say(f"    Xero warned: {said(warning)}")


def what_of(row: Mapping[str, Any]) -> str:
    """What a document is known by in a list of all that was sent: a payment by its invoice first."""
    own, invoice = str(row["number"] or ""), str(row["invoice"] or "")
    is_money = any(word in row["operation"] for word in ("payment", "allocation", "allocate"))
    return " ".join(filter(None, (invoice, own))) if is_money and invoice != own else own


def answer_of(row: Mapping[str, Any]) -> str:
    """What became of a document: `unknown` as long as no answer has come."""
    return str(row["state"]) if row["write_state"] != "sent" else "unknown"


def _sent(document: Mapping[str, Any], widest: int) -> Iterator[str]:
    """What was sent, in Xero's own words: the whole, then line by line."""
    lines = document.get("LineItems") or []
    yield from _cut("sent: ", {name: value for name, value in document.items() if name != "LineItems"}, widest)
    for place, line in enumerate(lines, 1):
        if isinstance(line, dict):
            yield from _cut(f"line {place}: ", line, widest)


def _cut(begin: str, fields: Mapping[str, Any], widest: int) -> Iterator[str]:
    """Fields in lines that can be read."""
    line = begin
    for name, value in _flat(fields):
        part = f"{plain(name)} {plain(value)}"
        if len(line) > len(begin) and len(line) + len(part) > widest:
            yield line.rstrip(" ,")
            line = " " * len(begin)
        line += f"{part}, "
    yield line.rstrip(" ,")


def _flat(fields: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in fields.items():
        if isinstance(value, dict):
            inner = ", ".join(f"{value[each]}" for each in value if not isinstance(value[each], dict | list))
            yield name, inner or "nothing"
        elif isinstance(value, list):
            yield name, f"{len(value)}"
        elif value not in (None, ""):
            yield name, f"{value:f}" if isinstance(value, Decimal) else str(value)
