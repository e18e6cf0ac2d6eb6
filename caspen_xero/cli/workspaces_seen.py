"""A workspace as it is seen from outside: whose it is, and whether there is anything in it. Nothing is made by looking."""

from __future__ import annotations

from dataclasses import dataclass

from caspen_xero.cli.output import Output
from caspen_xero.cli.session import Session
from caspen_xero.cli.workspace_folders import folder_of
from caspen_xero.errors import UserError


@dataclass(frozen=True)
class Seen:
    """`organisation`: the one that is connected. `last_good_push`: ISO 8601 in UTC. `trouble`: why its store can't be read."""

    name: str
    is_empty: bool
    connected: bool = False
    organisation: str | None = None
    tenant_id: str | None = None
    xero_url: str | None = None
    last_good_push: str | None = None
    trouble: str = ""


def look(name: str) -> Seen:
    """A workspace as it is now. It is empty where it never was connected, and nothing was imported, set, or kept beside it."""
    folder = folder_of(name)
    if not (folder / "store.sqlite").exists():
        kept = ("tokens.json", "caspen-key.json", "backups", "store.sqlite-journal", "store.sqlite-wal")
        return Seen(name, is_empty=not any((folder / one).exists() for one in kept))
    session = Session(Output(quiet=True), name)
    try:
        return _look(session)
    except UserError as error:
        return Seen(name, is_empty=False, trouble=error.message)
    finally:
        session.close()


def _look(session: Session) -> Seen:
    from caspen_xero.store import bad_records, clinic, log
    from caspen_xero.sync.setup.settings import Settings

    store = session.store
    stored, good = store.connection(), log.last_good_push(store)
    holds = (
        store.known_tenant(),
        clinic.count_invoices(store),
        clinic.tax_rates(store),
        bad_records.count(store),
        session.settings != Settings(),
        (session.folder / "backups").exists(),
        (session.folder / "tokens.json").exists(),
        (session.folder / "caspen-key.json").exists(),
    )
    return Seen(
        name=session.workspace,
        is_empty=not any(holds),
        connected=stored is not None,
        organisation=stored["tenant_name"] if stored else None,
        tenant_id=store.known_tenant() or None,
        xero_url=stored["xero_url"] if stored else None,
        last_good_push=good.ended_at if good else None,
    )
