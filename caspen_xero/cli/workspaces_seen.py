"""A workspace as it is seen from outside: whose it is, and whether there is anything in it. Nothing is made by looking."""

from __future__ import annotations

from dataclasses import dataclass

from caspen_xero.cli.output import Output
from caspen_xero.cli.session import Session
from caspen_xero.errors import UserError
from caspen_xero.outside_text import plain

_BESIDE_THE_STORE = {
    "backups": "copies of its store",
    "tokens.json": "a sign-in",
    "caspen-key.json": "a key of Caspen's",
}


@dataclass(frozen=True)
class Seen:
    """`keeps`: what is in it, in words. `organisation`: the one that is connected. `last_good_push`: ISO 8601 in UTC. `trouble`:
    why its store can't be read.
    """

    name: str
    keeps: tuple[str, ...] = ()
    connected: bool = False
    organisation: str | None = None
    tenant_id: str | None = None
    xero_url: str | None = None
    last_good_push: str | None = None
    trouble: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is in it that anybody may miss."""
        return not (self.keeps or self.trouble)


def look(name: str) -> Seen:
    """A workspace as it is now. It is empty where it never was connected, and nothing was imported, set, or kept beside it."""
    from caspen_xero.store.judge import beside as file_beside
    from caspen_xero.store.judge import changes_beside

    session = Session(Output(quiet=True), name)
    beside = tuple(words for file, words in _BESIDE_THE_STORE.items() if (session.folder / file).exists())
    left = changes_beside(session.store_file)
    if not session.store_file.exists():
        return Seen(
            name, beside, trouble=f"its store is gone, but {plain(left.name)} of it is still there" if left else ""
        )
    if left == file_beside(
        session.store_file, "-journal"
    ):  # ours keeps a -wal: opened, this might be put into another's
        return Seen(name, beside, trouble=f"{plain(left.name)} stands beside its store, and may be another store's")
    try:
        return _look(session, beside)
    except UserError as error:
        return Seen(name, beside, trouble=error.message)
    finally:
        session.close()


def _look(session: Session, beside: tuple[str, ...]) -> Seen:
    from caspen_xero.cli.sign_in import why_gone
    from caspen_xero.store import bad_records, clinic, log
    from caspen_xero.sync.setup.settings import Settings

    store = session.store
    stored, good = store.connection(), log.last_good_push(store)
    holds = {
        "what it knows of an organisation": store.known_tenant(),
        "invoices": clinic.count_invoices(store),
        "tax rates": clinic.tax_rates(store),
        "records that could not be read": bad_records.count(store),
        "settings": session.settings != Settings(),
    }
    return Seen(
        name=session.workspace,
        keeps=(*(words for words, there in holds.items() if there), *beside),
        connected=stored is not None and not why_gone(session.connection, session.folder),
        organisation=stored["tenant_name"] if stored else None,
        tenant_id=store.known_tenant() or None,
        xero_url=stored["xero_url"] if stored else None,
        last_good_push=good.ended_at if good else None,
    )
