"""`caspen-xero` alone: where one stands, and the one step that comes next. No store and no folder is made by looking."""

from __future__ import annotations

from typing import Any

from caspen_xero.cli.first_steps import Step, first_steps, has_store
from caspen_xero.cli.session import Session
from caspen_xero.cli.workspace_folders import there_are
from caspen_xero.outside_text import MOST_WORDS, plain
from caspen_xero.times import local

SETUP = "caspen-xero setup"
FIRST = (
    ("See it work, on this machine only, no account needed", "caspen-xero demo"),
    ("Set it up, led step by step", SETUP),
    ("Read what there is", "caspen-xero --help"),
)


def overview(session: Session) -> None:
    """Show where one stands, and what comes next."""
    steps, others = first_steps(session), [name for name in there_are() if name != session.workspace]
    left = [step for step in steps if not step.done]
    following, why = _next(session, left)
    if session.output.json:
        document: dict[str, Any] = {
            "command": "overview",
            "workspace": session.workspace,
            "steps": [step.as_json() | {"command": session.output.command(step.command)} for step in steps],
            "next": session.output.command(following),
            "workspaces": there_are(),
        }
        session.output.document(document)
        return
    if not has_store(session):
        _tell_fresh(session, others)
        return
    if left:
        _tell_steps(session, steps)
    else:
        _tell_standing(session, steps)
    session.output.say("", f"Next: {why}", f"  {following}")
    if others:
        session.output.say("", "Other workspaces:", "  caspen-xero workspaces list")


def _tell_fresh(session: Session, others: list[str]) -> None:
    """Where nothing was begun yet: the three first things."""
    say = session.output.say
    say(
        "caspen-xero keeps a Caspen clinic's books in Xero.", f"Nothing is set up in the workspace {session.workspace}."
    )
    if others:
        more = f" and {len(others) - 5} more" if len(others) > 5 else ""
        say(f"There is {', '.join(map(plain, others[:5]))}{more}; name one with --workspace NAME:")
        say("  caspen-xero workspaces list")
    for what, command in FIRST:
        say("", f"{what}:", f"  {command}")


def _tell_steps(session: Session, steps: list[Step]) -> None:
    say = session.output.say
    say(f"The first day, in the workspace {session.workspace}:", "")
    width = max(len(step.title) for step in steps)
    lines = [f"  {'done' if step.done else '-   '}  {step.title:<{width}}  {step.words}" for step in steps]
    if session.output.is_for_a_screen and max(map(len, lines)) > session.output.width:
        lines = []
        for step in steps:
            lines += [
                f"  {'done' if step.done else '-   '}  {step.title}",
                *([f"        {step.words}"] if step.words else []),
            ]
    say(*lines)


def _tell_standing(session: Session, steps: list[Step]) -> None:
    from caspen_xero.cli.standing import basis, read_standing
    from caspen_xero.store import log

    say, books = session.output.say, read_standing(session)
    say(f"{steps[0].words}, in the workspace {session.workspace}.")
    told = basis(session, books)
    say(f"{told[0].upper()}{told[1:]}.")
    good = log.last_good_push(session.store)
    say(f"Last good push: {local(good.ended_at) if good else 'never'}.")


def _next(session: Session, left: list[Step]) -> tuple[str, str]:
    """The command that comes next, and why."""
    from caspen_xero.cli.sign_in import connect_again, sign_in

    if left and left[0].name == "connect" and has_store(session) and session.tenant_id:
        return connect_again(session), "connect to Xero again."
    if left:
        return SETUP, f"be led through the rest, from here: {left[0].title}."
    from caspen_xero.cli.standing import read_standing, trouble_in_words

    signed_in = sign_in(session)
    if signed_in["works"] is False:
        return connect_again(session), f"sign in again: {plain(signed_in['why'], MOST_WORDS).rstrip('.')}."
    books = read_standing(session)
    if books.troubles:
        return "caspen-xero unsynced", f"{trouble_in_words(books)}; see why, and what to do."
    return "caspen-xero sync", "bring both sides up to date. By itself:  caspen-xero schedule install"
