"""All tables of a reconciliation, in the order in which a bookkeeper reads them.

Caspen's columns are made of Caspen's documents alone, Xero's of Xero's alone; each counts on the day, in the currency and with the
standing that its own side gives it (`counting.py`). Amounts of two currencies are never added.
"""

from __future__ import annotations

from caspen_xero.sync.reconciling.bridge import Whole, bridge
from caspen_xero.sync.reconciling.by_what import by_account, by_month, by_tax_rate, payments
from caspen_xero.sync.reconciling.counting import Counting
from caspen_xero.sync.reconciling.debtors import Dues, debtors
from caspen_xero.sync.reconciling.ledger import Compared
from caspen_xero.sync.reconciling.lists import differences, information, left_out, others, recoded
from caspen_xero.sync.reconciling.one_by_one import (
    credit_notes_one_by_one,
    credits_one_by_one,
    invoices,
    payments_one_by_one,
)
from caspen_xero.sync.reconciling.tables import Table


def tables_of(
    compared: Compared,
    base_currency: str,
    *,
    drafts_count: bool = False,
    in_caspen: Whole | None = None,
    in_xero: Whole | None = None,
) -> list[Table]:
    """The tables of what was compared. `base_currency`: the organisation's, which comes first in each.

    `drafts_count`: invoices are sent to Xero as drafts, so that drafts there count (else they do not, as in Xero's own reports).
    `in_caspen`, `in_xero`: all that either side has, as read, by kind; against it the bridge proves that nothing was lost.
    """
    counting = Counting(compared, base_currency, drafts_count)
    dues = Dues(counting)
    return [
        differences(counting),
        bridge(counting, in_caspen, in_xero),
        by_month(counting),
        by_tax_rate(counting),
        by_account(counting),
        payments(counting),
        debtors(counting, dues),
        left_out(counting),
        recoded(counting),
        information(counting),
        others(counting),
        invoices(counting, dues),
        payments_one_by_one(counting),
        credit_notes_one_by_one(counting),
        credits_one_by_one(counting),
    ]
