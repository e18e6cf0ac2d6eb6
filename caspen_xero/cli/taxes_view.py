"""What `taxes list` shows, and where the tax rates for it come from."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from caspen_xero.cli.session import Session
from caspen_xero.cli.source import import_source
from caspen_xero.errors import ExitCode
from caspen_xero.outside_text import plain
from caspen_xero.store import clinic
from caspen_xero.sync.setup.awaited import apply_awaited, awaited
from caspen_xero.sync.setup.organisation import ONE_DAY, itself, known_tax_rates, left_out, read_itself, read_tax_rates
from caspen_xero.sync.setup.tax_links import RateLink, rate_links
from caspen_xero.sync.setup.tax_words import tax_words
from caspen_xero.sync.setup.taxes import percent_digits, percent_text, rate_fix
from caspen_xero.xero.documents import TaxRate
from caspen_xero.xero.errors import XeroError

COLUMNS = (
    "id",
    "name",
    "rate",
    "archived",
    "status",
    "tax_type",
    "xero_name",
    "xero_rate",
    "linked_by",
    "problem",
)
"""The fields of a rate, in JSON and in CSV."""


def read_source_once(session: Session) -> None:
    """Reads Caspen's records from the source that is set, if no tax rate is known yet; later, push does it.

    Nor does it while another run is active: that one reads them.
    """
    if not clinic.tax_rates(session.store):
        with session.writer_if_free() as is_free:
            result = import_source(session) if is_free else None
        if result is not None:
            records = "record" if result.read == 1 else "records"
            session.output.note(f"Imported {result.read} {records} from {plain(session.settings.source)}.")
            if result.bad_count:
                left_out = "1 bad record was" if result.bad_count == 1 else f"{result.bad_count} bad records were"
                session.output.warn(f"{left_out} left out. All that is bad is named by: caspen-xero push")


def read_rates(session: Session) -> list[TaxRate]:
    """Xero's tax rates, at most a day old; links that waited for the first import are made now, or by the run that is active."""
    rates = read_tax_rates(session.client, session.mappings, now=session.started_at, max_age=ONE_DAY)
    with suppress(XeroError):  # only what the tax is called there; without that it is just tax
        read_itself(session.client, session.mappings, now=session.started_at)
    if awaited(session.mappings):
        with session.writer_if_free() as is_free:
            made = apply_awaited(session.store, session.mappings, rates) if is_free else []
        for sentence in made:
            session.output.note(sentence)
    return rates


def read_links(session: Session) -> list[RateLink]:
    """Caspen's rates with their links, judged by Xero's rates (those last read, where Xero can't be asked)."""
    if session.store.connection() is None:
        session.output.note("Not connected to Xero: caspen-xero connect")
        return rate_links(session.store, None, None)
    try:
        rates: list[TaxRate] | None = read_rates(session)
    except XeroError as error:
        session.output.warn(f"{error.message} Xero's tax rates are shown as they were when last read.")
        rates = known_tax_rates(session.mappings)
    return rate_links(session.store, session.mappings, rates)


def show_links(session: Session, links: Sequence[RateLink], linked: Sequence[str] | None = None) -> int:
    """The table of rates, or its JSON document (`linked`: what was linked just now); 3 if some rate is not synced."""
    left = [link for link in links if not link.synced]
    waiting = [] if session.store.connection() is None else awaited(session.mappings)
    for words in [] if session.store.connection() is None else left_out(session.mappings, "TaxRates"):
        session.output.warn(words)
    waiting = [choice for choice in waiting if choice.kind == "tax_rate"]
    if session.output.is_for_scripts:
        document: dict[str, Any] = {"taxes": [_entry(link) for link in links]}
        if waiting:
            document["waiting"] = [{"rate": choice.name, "tax_type": choice.target} for choice in waiting]
        document |= {"linked": list(linked)} if linked is not None else {}
        session.output.listed(document, "taxes", COLUMNS)
        return ExitCode.PARTLY if left else ExitCode.ALL_WELL
    if not links:
        more = (
            "export them there, then: caspen-xero taxes list" if session.settings.source else "caspen-xero import PATH"
        )
        session.output.say(f"No tax rates from Caspen yet: {more}")
    else:
        session.output.table(
            ["Caspen rate", "Percentage", "Xero status", "Xero rate", "Tax type", "Xero percentage"],
            [
                [
                    link.rate.name + (" (archived)" if link.rate.archived else ""),
                    percent_text(link.rate.rate),
                    _status(link),
                    link.xero_rate.name if link.xero_rate else "",
                    link.tax_type,
                    percent_text(link.xero_percentage) if link.xero_percentage is not None else "",
                ]
                for link in links
            ],
            narrow_without=("Xero percentage", "Xero rate", "Tax type", "Percentage"),
        )
    for choice in waiting:
        session.output.remark(
            f"{plain(choice.name)} will be linked to {plain(choice.target)} once Caspen's tax rates are imported."
        )
    for link in left:
        if link.problem:
            session.output.remark(f"! {plain(link.rate.name)}: {link.problem}.")
    if any(link.rate.rate == 0 for link in left):
        filed = tax_words(itself(session.known_mappings)).tax_return
        session.output.remark(f"A rate of 0 % is never linked by itself: such rates differ on the {filed}.")
    if left:
        rates, xero_rates = clinic.tax_rates(session.store), _known_rates(session)
        session.output.remark(f"Link a rate: {rate_fix(left[0].rate, rates, xero_rates)}")
    return ExitCode.PARTLY if left else ExitCode.ALL_WELL


def _known_rates(session: Session) -> list[TaxRate]:
    return (known_tax_rates(session.known_mappings) if session.known_mappings else None) or []


def _status(link: RateLink) -> str:
    return "Synced" if link.synced else "Not synced"


def _entry(link: RateLink) -> dict[str, Any]:
    return {
        "id": link.rate.id,
        "name": link.rate.name,
        "rate": percent_digits(link.rate.rate),
        "archived": link.rate.archived,
        "status": _status(link),
        "tax_type": link.tax_type,
        "xero_name": link.xero_rate.name if link.xero_rate else None,
        "xero_rate": None if link.xero_percentage is None else percent_digits(link.xero_percentage),
        "linked_by": link.linked_by,
        "problem": link.problem,
    }
