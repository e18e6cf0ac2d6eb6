"""`taxes map` without arguments: goes through the rates that are not linked, with a menu for each."""

from __future__ import annotations

from caspen_xero.cli.menu import confirm, pick
from caspen_xero.cli.session import AFTER_ANSWERS, Session
from caspen_xero.outside_text import plain
from caspen_xero.sync.setup.organisation import read_tax_rates
from caspen_xero.sync.setup.tax_links import link_rate, rate_links
from caspen_xero.sync.setup.taxes import candidates, percent_text, rate_label, why_percentage_differs


def walk_through(session: Session) -> None:
    """Asks for each unlinked rate which of Xero's rates (of now) it is; those of equal percentage come first.

    Each link is made as it is answered; the workspace's lock is held around that, not while a person thinks.
    """
    xero_rates = read_tax_rates(session.client, session.mappings, now=session.started_at)
    unlinked = [link for link in rate_links(session.store, session.mappings, xero_rates) if not link.synced]
    if unlinked:
        session.output.say("Missing here? Add it in Xero (Accounting > Tax rates), then run this again.")
    for link in unlinked:
        rate = link.rate
        fit = candidates(rate.rate, xero_rates)
        found = pick(
            session.output,
            f"Which Xero tax rate is Caspen's {plain(rate.name)} ({percent_text(rate.rate)})?",
            [rate_label(candidate) for candidate in fit],
        )
        if found is None:
            continue
        differs = why_percentage_differs(rate, fit[found])
        if differs is None or confirm(session.output, f"{differs}. Link them all the same?"):
            with session.only_writer(patience=AFTER_ANSWERS):
                link_rate(session.mappings, rate.id, fit[found].tax_type)
