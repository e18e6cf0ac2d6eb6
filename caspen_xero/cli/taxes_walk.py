"""Which of Xero's tax rates is it: asked for each rate that is not linked (`taxes map`), or for one (`taxes map RATE`)."""

from __future__ import annotations

from collections.abc import Sequence

from caspen_xero.caspen.records import TaxRate as CaspenRate
from caspen_xero.cli.menu import confirm, pick, somebody_is_there
from caspen_xero.cli.session import AFTER_ANSWERS, Session, SessionError
from caspen_xero.errors import ExitCode
from caspen_xero.outside_text import plain
from caspen_xero.store import clinic
from caspen_xero.sync.setup.organisation import read_tax_rates
from caspen_xero.sync.setup.tax_links import link_rate, rate_links
from caspen_xero.sync.setup.taxes import (
    candidates,
    find_caspen_rate,
    percent_text,
    rate_answers,
    rate_fix,
    rate_label,
    why_percentage_differs,
)
from caspen_xero.xero.documents import TaxRate as XeroRate


def walk_through(session: Session) -> None:
    """Asks for each unlinked rate which of Xero's rates (of now) it is."""
    xero_rates = read_tax_rates(session.client, session.mappings, now=session.started_at)
    unlinked = [link for link in rate_links(session.store, session.mappings, xero_rates) if not link.synced]
    if unlinked:
        session.output.say("Missing here? Add it in Xero (Accounting > Tax rates), then run this again.")
    for link in unlinked:
        _ask(session, link.rate, xero_rates)


def ask_for_one(session: Session, name: str, *, force: bool = False) -> str | None:
    """Asks which of Xero's rates (of now) one of Caspen's is; gives the sentence that says so, None where nothing was answered.

    Raises `SessionError`: `which-tax-rate` (usage), with the choices, where nobody can be asked; `no-tax-rate-fits` where there are
    none; `ChoiceError` where Caspen has no such rate.
    """
    rates = clinic.tax_rates(session.store)
    rate = find_caspen_rate(rates, name)
    xero_rates = read_tax_rates(session.client, session.mappings, now=session.started_at)
    if not somebody_is_there(session.output):
        called = f"{plain(rate.name)} ({percent_text(rate.rate)})"
        choices = rate_answers(rate, rates, xero_rates)
        if not choices:
            words = f"No tax rate for sales in Xero charges what Caspen's {called} does."
            raise SessionError("no-tax-rate-fits", words, rate_fix(rate, rates, xero_rates))
        words, fix = f"Which Xero tax rate is Caspen's {called}?", "One of these, each with the command that links it:"
        raise SessionError("which-tax-rate", words, fix, ExitCode.USAGE, choices)
    session.refuse_if_busy()
    found = _ask(session, rate, xero_rates, force=force)
    return None if found is None else f"{plain(rate.name)} is linked to {rate_label(found)}."


def _ask(session: Session, rate: CaspenRate, xero_rates: Sequence[XeroRate], *, force: bool = False) -> XeroRate | None:
    """Asks which of Xero's rates it is, those of equal percentage first; None where nothing was answered, or it was taken back.

    The link is made as it is answered; the workspace's lock is held around that, not while a person thinks.
    """
    fit = candidates(rate.rate, xero_rates)
    found = pick(
        session.output,
        f"Which Xero tax rate is Caspen's {plain(rate.name)} ({percent_text(rate.rate)})?",
        [rate_label(candidate) for candidate in fit],
    )
    if found is None:
        return None
    differs = None if force else why_percentage_differs(rate, fit[found])
    if differs is not None and not confirm(session.output, f"{differs}. Link them all the same?"):
        return None
    with session.only_writer(patience=AFTER_ANSWERS):
        link_rate(session.mappings, rate.id, fit[found].tax_type)
    return fit[found]
