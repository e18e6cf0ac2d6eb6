"""Whether a start date can be meant: one that leaves out all there is, or that has not come yet, seldom is."""

from __future__ import annotations

from datetime import date

from caspen_xero.store import todo
from caspen_xero.store.store import Store
from caspen_xero.sync.setup.settings import NONE, SET

FORGET = f"{SET} --start-date {NONE}"
"""The command that has every finalised invoice go again."""


def why_doubtful(store: Store, start_date: str | None, today: date) -> str:
    """Why a start date (YYYY-MM-DD) is seldom meant, as a sentence; "" where nothing speaks against it."""
    if start_date is None:
        return ""
    finalised, left_out = todo.count_before(store, start_date)
    stays = f"all {finalised:,} finalised invoices stay" if finalised != 1 else "the 1 finalised invoice stays"
    everything = f"{stays} out of Xero" if finalised and finalised == left_out else ""
    if start_date > today.isoformat():
        rest = everything or "what is invoiced till then stays out of Xero"
        return f"The start date {start_date} lies in the future: {rest}."
    return f"By the start date {start_date} {everything}." if everything else ""
