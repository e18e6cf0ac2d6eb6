"""`contacts`: which contact in Xero a client or payer is, where a person has to say so."""

from __future__ import annotations

from typing import Annotated

import typer

from caspen_xero.cli.command import command
from caspen_xero.cli.invoice_links import whole_id
from caspen_xero.cli.session import Session, SessionError
from caspen_xero.commands import handle, is_handle
from caspen_xero.errors import ExitCode
from caspen_xero.outside_text import plain, said
from caspen_xero.sync.planning.contact_numbers import GENERIC_ID, PartyKind

ClientName = Annotated[
    str, typer.Argument(metavar="CLIENT", help="A client's id in Caspen, or exact name; a payer: payer:ID.")
]
NEXT = "caspen-xero push"


def register(app: typer.Typer) -> None:
    """Adds `contacts` and its commands to the command line."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
    command(group, "link")(link)
    command(group, "unlink")(unlink)
    app.add_typer(group, name="contacts", help="Which contact in Xero a client or payer is.")


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
    called = clinic.parties_called(store, name)
    if len(called) == 1:
        return called[0]
    if not called:
        raise SessionError(
            "client-not-found", f"There is no client or payer {said(name)}.", read_caspen(session.settings.source)
        )
    ids = ", ".join(party_name(kind, id_) for kind, id_ in called[:5])
    raise SessionError("client-ambiguous", f"Several are called {said(name)}.", f"Use the id: {ids}")
