"""A reconciliation from its beginning to its end: Xero read anew, both sides compared, put in tables, and what came of it kept."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from caspen_xero.outside_text import plain
from caspen_xero.progress import counted
from caspen_xero.store.listing import ListedInvoice
from caspen_xero.store.mappings import Mappings
from caspen_xero.sync.books.books import Books
from caspen_xero.sync.fix_commands import find_fix
from caspen_xero.sync.reconciling.bridge import Whole
from caspen_xero.sync.reconciling.caspen_side import of_listed
from caspen_xero.sync.reconciling.comparing import compare_books
from caspen_xero.sync.reconciling.keeping import keep, with_accepted
from caspen_xero.sync.reconciling.ledger import NOT_YET, Asked, Compared, Find
from caspen_xero.sync.reconciling.lists import in_order
from caspen_xero.sync.reconciling.money import MONEY_NOT_YET
from caspen_xero.sync.reconciling.proof import Proof
from caspen_xero.sync.reconciling.reader import ReadingClient
from caspen_xero.sync.reconciling.reading import Reading, expected_calls, read_xero
from caspen_xero.sync.reconciling.sums import tables_of
from caspen_xero.sync.reconciling.xero_side import XeroSide
from caspen_xero.sync.setup.organisation import itself
from caspen_xero.sync.setup.settings import Settings

log = logging.getLogger(__name__)


def prove(
    client: ReadingClient,
    mappings: Mappings,
    settings: Settings,
    asked: Asked,
    books: Books,
    listed: Mapping[str, ListedInvoice],
    *,
    announce: Callable[[int], None],
    tell: Callable[[int, int | None], None],
) -> Proof:
    """Reads Xero anew, compares it with Caspen, and keeps what came of it; what was found of an invoice makes it differ.

    `books`: how the books stand; `listed`: every invoice in its state, by id. `announce` is told before the first call how many
    there will be about, `tell` how many documents of how many were read by now. Raises what `read_xero` does.
    """
    announce(expected_calls(mappings, asked))
    reading = read_xero(client, mappings, asked, tell=tell)
    log.info("Comparing %s of Caspen's with %d of Xero's.", counted(len(listed), "invoice"), len(reading.invoices))
    compared = compare_books(mappings, settings, asked, reading, listed, books)
    compared.finds += _unreadable(reading, compared, settings)
    compared.finds = in_order(compared, with_accepted(mappings, compared))
    compared.information = in_order(compared, compared.information)
    proof = _proof(mappings, settings, compared, reading, listed)
    keep(mappings, proof, compared, {id_: one.updated_date_utc for id_, one in reading.invoices.items()})
    reading.finish()
    return proof


def _unreadable(reading: Reading, compared: Compared, settings: Settings) -> list[Find]:
    """What can't be read in Xero, and may be anybody's: where one of Caspen's is found to be so, that tells of it already."""
    code = "unreadable-in-xero"
    if any(one.code == code for one in compared.finds):
        return []
    fix = find_fix(code, None, None, settings.source)
    return [Find(code, "", None, None, "", "it may be any", plain(one.why), "", fix=fix) for one in reading.odd]


def _proof(
    mappings: Mappings,
    settings: Settings,
    compared: Compared,
    reading: Reading,
    listed: Mapping[str, ListedInvoice],
) -> Proof:
    organisation = itself(mappings)
    tables = tables_of(
        compared,
        (organisation.base_currency if organisation else None) or "",
        drafts_count=settings.invoice_status == "draft",
        in_caspen={"invoice": [of_listed(one, compared.asked.last) for one in listed.values()]},
        in_xero=_all_in(XeroSide(reading), reading),
    )
    holds = compared.asked.holds
    own = {
        pair.caspen.id
        for pair in compared.invoices
        if pair.caspen and (holds(pair.caspen.day) or (pair.xero and holds(pair.xero.day)))
    }
    waiting = [one.document for one in compared.left_out if one.why in NOT_YET]
    not_yet = {one.id for one in waiting if one.kind == "invoice"}
    money = [money for money, why in compared.money_left_out if why in MONEY_NOT_YET]
    notes = [one for one in waiting if one.kind == "credit_note"]
    return Proof(
        asked=compared.asked,
        began_at=reading.began_at,
        read_at=reading.read_at,
        calls=reading.calls,
        compared=len(own),
        proved=len(own - {one.invoice_id for one in compared.finds}),
        not_yet=len(not_yet),
        money_not_yet=len(money) + len(notes),
        finds=compared.finds,
        information=compared.information,
        tables=tables,
        resumed_from=reading.resumed_from,
        from_outside=frozenset(pair.caspen.id for pair in compared.invoices if pair.caspen) - own,
    )


def _all_in(xero: XeroSide, reading: Reading) -> Whole:
    """All invoices and credit notes of sales that were read, and all payments by their own list."""
    invoices = (xero.invoice(id_) for id_ in reading.invoices)
    notes = (xero.credit_note(id_) for id_ in reading.credits)
    return {
        "invoice": [one.document for one in invoices if one],
        "credit_note": [one.document for one in notes if one],
        "payment": [one.money for some in xero.payments_by_invoice().values() for one in some],
    }
