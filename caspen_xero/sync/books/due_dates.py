"""Due dates that were edited in Xero: they stay there, and a person can be content with them before a reconciliation asks.

It compares them, for what is overdue hangs on them. Until it has looked, they are known as pull has seen them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from caspen_xero.caspen.records import Invoice
from caspen_xero.store import clinic
from caspen_xero.store.invoice_names import InvoiceNames
from caspen_xero.store.listing import ListedInvoice, list_invoices
from caspen_xero.store.mappings import Mappings
from caspen_xero.sync.books.troubles import Trouble
from caspen_xero.sync.fix_commands import accept_command, find_fix, naming_its_own
from caspen_xero.sync.planning.accepting import key_of_find
from caspen_xero.sync.problems import ProblemCode
from caspen_xero.sync.pulling.drift import DETAILS, Drift
from caspen_xero.sync.setup.settings import Settings

CODE = "due-date"
"""How a reconciliation calls it."""
_EDIT = re.compile(r"(?:^|; )due date (\S+?)(?=;|$)")


def moved_due_dates(mappings: Mappings, settings: Settings, drift: Sequence[Drift]) -> list[Trouble]:
    """Each as a reconciliation would find it, with the key by which that is accepted; `drift`: all rows."""
    shown = {
        one.invoice_id: found[1]
        for one in drift
        if one.code == DETAILS and one.invoice_id and (found := _EDIT.search(one.xero))
    }
    if not shown:  # as nearly always
        return []
    records = clinic.invoices(mappings.store, shown)
    listed, names = list_invoices(mappings.store, mappings, settings.start_date, shown), InvoiceNames(mappings.store)
    return [
        _trouble(one, records[id_], shown[id_], settings.source, names)
        for one in listed
        if (id_ := one.invoice_id) in records and records[id_].due_date and str(records[id_].due_date) != shown[id_]
    ]


def _trouble(listed: ListedInvoice, record: Invoice, there: str, source: str | None, names: InvoiceNames) -> Trouble:
    here, id_ = str(record.due_date), record.id
    fix = naming_its_own(find_fix(CODE, record.number, id_, source), id_, names)
    key = key_of_find(id_, CODE, "", here, there)
    reason = f"due date: {here} in Caspen, {there} in Xero"
    return Trouble(listed, ProblemCode.NOT_EQUAL_IN_XERO, CODE, reason, fix, key, may_be_accepted=True)


def told_once(
    information: Sequence[Drift], moved: Sequence[Trouble], troubles: Iterable[Trouble], names: InvoiceNames
) -> list[Drift]:
    """What a bookkeeper has decided, without due dates that are among the `troubles`; of others, how they are settled.

    `moved`: those with which nobody is content yet.
    """
    is_trouble = {one.invoice_id for one in troubles if one.subject == CODE}
    open_ones = {one.invoice_id for one in moved} - is_trouble
    told = list[Drift]()
    for one in information:
        if one.code != DETAILS or one.invoice_id is None:
            told.append(one)
        elif one.invoice_id in is_trouble:
            sides = [_EDIT.sub("", side).removeprefix("; ") for side in (one.caspen, one.xero)]
            told += [replace(one, caspen=sides[0], xero=sides[1])] if any(sides) else []
        elif one.invoice_id in open_ones:
            accept = naming_its_own(accept_command(one.number, one.invoice_id), one.invoice_id, names)
            told.append(replace(one, fix=f"{one.fix}; so that reconcile takes the due date as it is: {accept}"))
        else:
            told.append(one)
    return told
