"""`caspen-xero taxes`: Caspen's tax rates and the Xero rates that stand for them."""

from __future__ import annotations

from typing import Annotated

import typer

from caspen_xero.cli.command import command
from caspen_xero.cli.menu import somebody_is_there
from caspen_xero.cli.session import Session, SessionError
from caspen_xero.errors import ExitCode
from caspen_xero.outside_text import plain

taxes_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    """Adds the `taxes` group."""
    app.add_typer(taxes_app, name="taxes", help="Link Caspen's tax rates to Xero's.")


@command(taxes_app, "list", lists=True)
def list_(session: Session) -> None:
    """List Caspen's tax rates and the Xero rates they are linked to.

    \b
    caspen-xero taxes list
    caspen-xero taxes list --json
    """
    from caspen_xero.cli.taxes_view import read_links, read_source_once, show_links

    read_source_once(session)
    show_links(session, read_links(session))


@command(taxes_app, "map")
def map_(
    session: Session,
    rate: Annotated[str | None, typer.Argument(metavar="RATE", help="Caspen's rate: its name or id.")] = None,
    tax_type: Annotated[
        str | None, typer.Argument(metavar="TAX_TYPE", help="Xero's rate: its tax type or name.")
    ] = None,
    suggest: Annotated[
        bool, typer.Option("--suggest", help="Link every rate that only one Xero rate fits; ask nothing.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Link also where the percentages differ.")] = False,
) -> int | None:
    """Link a Caspen tax rate to the Xero rate that stands for it. Without TAX_TYPE: asks; without a terminal, lists what fits.

    Without arguments, on a terminal: asks for each rate that is not linked.

    \b
    caspen-xero taxes map GST
    caspen-xero taxes map VAT OUTPUT2
    caspen-xero taxes map "GST free" "GST Free Income"
    caspen-xero taxes map "no tax" NONE
    caspen-xero taxes map --suggest
    """
    if suggest and (rate or force):
        raise SessionError(
            "usage", "--suggest takes no rate and no --force.", "caspen-xero taxes map --suggest", ExitCode.USAGE
        )
    if suggest:
        return _suggest(session)
    if rate and not tax_type:
        _ask_for_one(session, rate, force=force)
        return None
    if rate and tax_type:
        with session.only_writer():
            said = _map_one(session, rate, tax_type, force=force)
        _tell(session, said)
        return None
    if not somebody_is_there(session.output):
        fix = "For those that fit: caspen-xero taxes map RATE; for proposals: caspen-xero taxes map --suggest"
        raise SessionError("usage", "Which tax rates?", fix, ExitCode.USAGE)
    return _walk_through(session)


@command(taxes_app, "unmap")
def unmap(
    session: Session, rate: Annotated[str, typer.Argument(metavar="RATE", help="Caspen's rate: its name or id.")]
) -> None:
    """Take a tax rate's link away. Invoices that use it stay out of Xero until it is linked again.

    \b
    caspen-xero taxes unmap GST
    """
    from caspen_xero.store import clinic
    from caspen_xero.sync.setup.awaited import stop_waiting
    from caspen_xero.sync.setup.tax_links import unlink_rate
    from caspen_xero.sync.setup.taxes import find_caspen_rate

    with session.only_writer():
        if stop_waiting(session.mappings, "tax_rate", rate):
            said = f"{plain(rate)} no longer waits to be linked."
        else:
            found = find_caspen_rate(clinic.tax_rates(session.store), rate)
            was_linked = unlink_rate(session.mappings, found.id)
            said = f"{plain(found.name)} is no longer linked." if was_linked else f"{plain(found.name)} was not linked."
    _tell(session, said)


def _map_one(session: Session, rate: str, tax_type: str, *, force: bool) -> str:
    """Links one rate, or lets the link wait for the first import; gives the sentence that says so."""
    from caspen_xero.cli.taxes_view import read_source_once
    from caspen_xero.store import clinic
    from caspen_xero.sync.setup.awaited import Awaited, stop_waiting, wait_for
    from caspen_xero.sync.setup.choices import ChoiceError
    from caspen_xero.sync.setup.organisation import ONE_DAY, read_tax_rates
    from caspen_xero.sync.setup.tax_links import link_rate
    from caspen_xero.sync.setup.taxes import NO_TAX, choose_xero_rate, find_caspen_rate, rate_label

    mappings, now = session.mappings, session.started_at
    read_source_once(session)
    caspen_rates = clinic.tax_rates(session.store)
    known = bool(caspen_rates) or rate.casefold() == NO_TAX
    caspen_rate = find_caspen_rate(caspen_rates, rate) if known else None
    try:
        xero_rates = read_tax_rates(session.client, mappings, now=now, max_age=ONE_DAY)
        xero_rate = choose_xero_rate(xero_rates, tax_type, caspen_rate, force=force)
    except ChoiceError:  # perhaps somebody has just added or restored it in Xero
        xero_rates = read_tax_rates(session.client, mappings, now=now)
        xero_rate = choose_xero_rate(xero_rates, tax_type, caspen_rate, force=force)
    if caspen_rate is None:
        wait_for(mappings, Awaited("tax_rate", rate, xero_rate.tax_type, force))
        return f"{plain(rate)} will be linked to {rate_label(xero_rate)} once Caspen's tax rates are imported."
    with session.store.write():
        stop_waiting(mappings, "tax_rate", rate)
        link_rate(mappings, caspen_rate.id, xero_rate.tax_type)
    return f"{plain(caspen_rate.name)} is linked to {rate_label(xero_rate)}."


def _suggest(session: Session) -> int:
    from caspen_xero.cli.taxes_view import read_links, read_rates, read_source_once, show_links
    from caspen_xero.sync.setup.tax_links import link_sole_candidates
    from caspen_xero.sync.setup.taxes import rate_label

    with session.only_writer():
        read_source_once(session)
        linked = link_sole_candidates(session.store, session.mappings, read_rates(session), asked=True)
    for link in linked:
        assert link.xero_rate is not None
        session.output.say(f"{plain(link.rate.name)} is linked to {rate_label(link.xero_rate)}.")
    return show_links(session, read_links(session), linked=[link.rate.id for link in linked])


def _ask_for_one(session: Session, rate: str, *, force: bool) -> None:
    from caspen_xero.cli.taxes_view import read_source_once
    from caspen_xero.cli.taxes_walk import ask_for_one

    read_source_once(session)
    _tell(session, ask_for_one(session, rate, force=force) or "Nothing was changed.")


def _walk_through(session: Session) -> int:
    from caspen_xero.cli.taxes_view import read_links, read_source_once, show_links
    from caspen_xero.cli.taxes_walk import walk_through

    with session.only_writer():
        read_source_once(session)
    walk_through(session)
    return show_links(session, read_links(session))


def _tell(session: Session, said: str) -> None:
    """The outcome: a sentence for people, all tax rates as `taxes list --json` shows them for scripts."""
    from caspen_xero.cli.taxes_view import read_links, show_links

    session.output.say(said)
    if session.output.json:
        show_links(session, read_links(session))
