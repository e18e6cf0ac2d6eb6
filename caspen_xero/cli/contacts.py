"""`contacts`: which contact in Xero a client or payer is, where a person has to say so."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from caspen_xero.cli.asked import Words
from caspen_xero.cli.command import command
from caspen_xero.cli.invoice_links import whole_id
from caspen_xero.cli.output import Ours
from caspen_xero.cli.session import Session, SessionError
from caspen_xero.commands import handle, is_handle
from caspen_xero.errors import ExitCode
from caspen_xero.outside_text import plain, said
from caspen_xero.sync.planning.contact_numbers import GENERIC_ID, PartyKind

if TYPE_CHECKING:
    from caspen_xero.store.parties import Party

ClientName = Annotated[
    str,
    typer.Argument(
        metavar="CLIENT",
        help="A client's id in Caspen, exact name, or the five digits after the name in Xero; a payer: payer:ID.",
    ),
]
NEXT = "caspen-xero push"
SCREENFUL = 200
"""Rows on a screen where nobody says how many."""
COLUMNS = ("kind", "id", "name", "link", "contact", "contact_number", "xero_status", "contact_id", "xero_url")
"""The fields of a client or payer in CSV."""


def register(app: typer.Typer) -> None:
    """Adds `contacts` and its commands to the command line."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
    command(group, "list", lists=True)(list_)
    command(group, "link")(link)
    command(group, "unlink")(unlink)
    app.add_typer(group, name="contacts", help="Which contact in Xero a client or payer is.")


def list_(
    session: Session,
    words: Words = None,
    limit: Annotated[
        int | None, typer.Option("--limit", "-n", metavar="N", min=1, max=10_000_000, help="At most so many, by name.")
    ] = None,
) -> None:
    """List clients and payers, each with the contact in Xero that it is.

    A word may be a part of a name in Caspen or in Xero, or of the contact's number, or the beginning of Xero's id.

    \b
    caspen-xero contacts list
    caspen-xero contacts list okafor
    """
    from caspen_xero.store.parties import list_parties
    from caspen_xero.sync.fix_commands import party_name
    from caspen_xero.sync.planning.ways_out import read_caspen

    most = SCREENFUL if limit is None and session.output.is_for_a_screen else limit
    parties, whole = list_parties(session.store, session.known_mappings, words or (), most)
    if session.output.is_for_scripts:
        session.output.listed({"contacts": _for_scripts(session, parties)}, "contacts", COLUMNS)
        return
    if not parties:
        none_yet = f"No client or payer has been imported yet: {read_caspen(session.settings.source)}"
        session.output.say("No client or payer has that." if words else none_yet)
        return
    session.output.table(
        ("Client or payer", "Caspen's id", "Contact in Xero", "Link"),
        [
            (
                one.name or ("(all clients)" if one.id == GENERIC_ID else "(purged)"),
                party_name(one.kind, one.id),
                one.contact,
                Ours(_state(one)),
            )
            for one in parties
        ],
        narrow_without=("Caspen's id",),
    )
    is_cut = len(parties) < whole
    more = f"; for all of them say --limit {whole}" if limit is None and is_cut else ""
    count = f"The first {len(parties):,} of {whole:,}" if is_cut else f"{whole:,}"
    session.output.remark(f"{count} {'client or payer' if whole == 1 else 'clients and payers'}{more}.")


def _state(one: Party) -> str:
    is_other = one.xero_status not in (None, "ACTIVE")
    return f"{one.state} ({plain(one.xero_status or '').lower()})" if is_other else one.state


def _for_scripts(session: Session, parties: list[Party]) -> list[dict[str, Any]]:
    mappings = session.known_mappings
    if mappings is not None:
        from caspen_xero.sync.setup.organisation import pages_of

        pages = pages_of(mappings)
    return [
        {
            "kind": one.kind,
            "id": one.id,
            "name": one.name,
            "link": one.state,
            "contact_id": one.contact_id,
            "contact": one.contact,
            "contact_number": one.number,
            "xero_status": one.xero_status,
            "made_by_us": one.made_by_us,
            "xero_url": pages.contact(one.contact_id) if mappings is not None else None,
        }
        for one in parties
    ]


def link(
    session: Session,
    client: ClientName,
    xero_id: Annotated[str, typer.Argument(metavar="XERO_ID", help="The ContactID, or the address in Xero.")],
) -> int:
    """Say which contact in Xero a client or payer is. Its invoices go there; the contact itself stays as it is.

    \b
    caspen-xero contacts link 1048201 60aa5d55-8b94-4c7f-a5c6-0d6ad2c4b2a1
    """
    from caspen_xero.sync.sending.manual_contact import link_contact

    with session.only_writer():
        kind, id_ = _one_party(session, client)
        there = whole_id(session, xero_id)
        contact = link_contact(session.client, session.mappings, kind, id_, there, session.now())
    contact_id, name = contact.contact_id or "", contact.name or ""
    if session.output.json:
        told = {"client": id_, "kind": kind, "contact_id": contact_id, "contact": name, "done": "linked"}
        session.output.document(told)
        return ExitCode.ALL_WELL
    session.output.say(f"The {kind} {plain(id_)} is linked to {plain(name)} in Xero ({contact_id}).")
    session.output.note(f"Next: {NEXT}")
    return ExitCode.ALL_WELL


def unlink(session: Session, client: ClientName) -> int:
    """Take back which contact a client or payer is; that one is not linked again by itself. Invoices that were sent stay.

    \b
    caspen-xero contacts unlink 1048201
    """
    from caspen_xero.sync.sending.manual_contact import unlink_contact

    with session.only_writer():
        kind, id_ = _one_party(session, client)
        before = unlink_contact(session.mappings, kind, id_)
    if session.output.json:
        told = {"client": id_, "kind": kind, "contact_id": before.contact_id, "contact": before.name}
        session.output.document({**told, "done": "unlinked", "invoices_there": before.invoices})
        return ExitCode.ALL_WELL
    session.output.say(
        f"The {kind} {plain(id_)} is no longer linked to {plain(before.name)} in Xero ({before.contact_id})."
    )
    if before.invoices:
        one = before.invoices == 1
        are = "1 invoice in Xero is" if one else f"{before.invoices} invoices in Xero are"
        session.output.say(f"{are} made out to that contact, and {'stays' if one else 'stay'} so.")
    session.output.note(f"Next: {NEXT}")
    return ExitCode.ALL_WELL


def _one_party(session: Session, name: str) -> tuple[PartyKind, str]:
    """The client or payer that a person named. Raises `SessionError` where none or several fit."""
    from caspen_xero.store import clinic
    from caspen_xero.sync.fix_commands import party_name
    from caspen_xero.sync.planning.contact_matching import party_of
    from caspen_xero.sync.planning.ways_out import read_caspen

    store = session.store
    if clinic.clients(store, [name]) or (name == GENERIC_ID and session.settings.privacy == "generic"):
        return "client", name
    kind, id_ = party_of(name) if name.startswith(("client:", "payer:")) else ("payer", name)
    if is_handle(id_):  # what commands print in the place of an id that can't be pasted
        among = clinic.contact_ids(store) if name.startswith("payer:") else clinic.client_ids(store)
        id_ = next((one for one in among if handle(one) == id_), id_)
        kind = "payer" if name.startswith("payer:") else "client"
    if id_ in (clinic.contacts(store, [id_]) if kind == "payer" else clinic.clients(store, [id_])):
        return kind, id_
    called = clinic.parties_called(store, name) or _with_the_digits(session, name)
    if len(called) == 1:
        return called[0]
    if not called:
        raise SessionError(
            "client-not-found",
            f"There is no client or payer {said(name)}.",
            f"To see who there is: caspen-xero contacts list; if the client is new: {read_caspen(session.settings.source)}",
        )
    ids = ", ".join(party_name(kind, id_) for kind, id_ in called[:5])
    raise SessionError("client-ambiguous", f"Several are called {said(name)}.", f"Use the id: {ids}")


def _with_the_digits(session: Session, name: str) -> list[tuple[PartyKind, str]]:
    """Those whom Xero's pages call so: `Priya Raman (Caspen 50013)`, or the five digits of that alone."""
    from caspen_xero.store import clinic
    from caspen_xero.sync.planning.contact_matching import last_five_digits

    found = re.search(r"(?:^|\(Caspen )([0-9]{5})\)?$", name.strip())
    if found is None:
        return []
    called = name.partition(" (Caspen ")[0].strip() if "(" in name else ""
    of_that_name = clinic.parties_called(session.store, called) if called else None
    parties: list[tuple[PartyKind, str]] = [("client", id_) for id_ in clinic.client_ids(session.store)]
    parties += [("payer", id_) for id_ in clinic.contact_ids(session.store)]
    return [
        one for one in parties if last_five_digits(one[1]) == found[1] and (of_that_name is None or one in of_that_name)
    ]
