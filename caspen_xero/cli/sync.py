"""`sync`: both ways at once."""

from __future__ import annotations

import typer

from caspen_xero.cli.command import command
from caspen_xero.cli.exit_codes import worst_of
from caspen_xero.cli.news import MaxAge, only_news
from caspen_xero.cli.pull import pull_now
from caspen_xero.cli.push import Yes, push_now, tell_push
from caspen_xero.cli.runs import begins
from caspen_xero.cli.session import Session
from caspen_xero.cli.source import read_source
from caspen_xero.cli.streams import NotTaken
from caspen_xero.outside_text import plain


def register(app: typer.Typer) -> None:
    """Adds this command to the command line."""
    command(app, "sync", in_all=True)(sync)


def sync(session: Session, yes: Yes = False, max_age: MaxAge = "26h") -> int:
    """Read the source, pull, then push: all that cron needs. Before the first push it asks on a terminal, as push does.

    \b
    */15 * * * *  caspen-xero sync --quiet
    """
    session.whole = "sync"
    only_news(session, max_age)
    begins(session, "sync")
    organisation = session.connection.tenant_name
    undone = f"Nothing was told to Caspen or sent to {plain(organisation)}, as it is not known what Caspen has already."
    with session.only_writer():
        read = read_source(session, undone)
        pulled = pull_now(session, read)
        session.done["pull"] = lambda: pulled.summary
        unread: NotTaken | None = None
        if not session.output.json:
            try:
                pulled.tell(session)
            except NotTaken as error:  # as with `| head`: what is due goes, whether it is read of or not
                unread = error
        session.start_again()
        try:
            pushed = push_now(session, bad_records=read.bad_count, yes=yes)
        except BaseException:
            if not session.output.json:
                pulled.tell_end(session)
            raise
    if session.output.json:
        session.output.document({"command": "sync", "pull": pulled.summary, "push": pushed.summary})
    else:
        tell_push(session, pushed)
        pulled.tell_end(session, pushed.result.stopped)
    if unread is not None:
        raise unread
    return worst_of([pulled.exit_code, pushed.exit_code])
