"""`setup`: the whole first day, led step by step. Each answer is kept at once, so it can be ended and gone on with anywhere."""

from __future__ import annotations

from collections.abc import Callable

import typer

from caspen_xero.cli.command import carry_out, command
from caspen_xero.cli.first_steps import TITLES, Step, first_steps
from caspen_xero.cli.menu import somebody_is_there
from caspen_xero.cli.session import Session
from caspen_xero.errors import ExitCode

AGAIN = "caspen-xero setup"
_GOES_ON = (ExitCode.ALL_WELL, ExitCode.PARTLY)


def register(app: typer.Typer) -> None:
    """Adds this command to the command line."""
    command(app, "setup", begins="asked")(setup)


def setup(session: Session) -> int:
    """Be led through the first day: sign-in, Caspen's records, accounts, tax rates, privacy, a dry run, and the first push.

    Each answer is kept at once. End it with Ctrl-C whenever you like; it goes on where it was left. Without a terminal it says what
    is missing, and the commands for it.

    \b
    caspen-xero setup
    caspen-xero setup --workspace north
    """
    if not somebody_is_there(session.output):
        return _tell_what_is_missing(session)
    from caspen_xero.cli import setup_questions as ask
    from caspen_xero.cli.setup_push import dry_run, first_push

    parts: dict[str, list[Callable[[Session], int | None]]] = {
        "connect": [ask.connect_to_xero],
        "source": [ask.read_records],
        "sales_account": [ask.choose_sales_account],
        "payments": [ask.choose_who_brings_payments],
        "payment_account": [ask.choose_payment_accounts],
        "tax_rates": [ask.link_rates],
        "privacy": [ask.choose_privacy],
        "start_date": [ask.choose_start_date],
        "first_push": [dry_run, first_push],
    }
    output = session.output
    output.say(f"The first day with caspen-xero, in {len(TITLES)} steps; the Enter key takes what is in brackets.")
    output.say("Ctrl-C ends it at any time: what is answered is kept, and setup goes on there.")
    _ = session.folder  # from here on it is there
    for number, (name, title) in enumerate(TITLES.items(), start=1):
        output.say("", f"{number} of {len(TITLES)}  {title}")
        for part in parts[name]:
            code = carry_out(part, session.workspace, output, {}, again=lambda: AGAIN)
            if code not in _GOES_ON:
                way = () if code == ExitCode.INTERRUPTED else ("To go on:", f"  {AGAIN}")
                output.note(f"Stopped at step {number}, {title}. What was answered is kept.", *way)
                return code
    return _tell_end(session)


def _tell_what_is_missing(session: Session) -> int:
    """Without a terminal: each step, with the command for what is not done. The exit code is that of a push without it."""
    steps = first_steps(session)
    left = [step for step in steps if not step.done]
    if session.output.json:
        document = [step.as_json() | {"command": session.output.command(step.command)} for step in steps]
        session.output.document({"command": "setup", "workspace": session.workspace, "steps": document})
        return _code(left)
    for step in steps:
        session.output.say(f"{'done' if step.done else 'to do'}: {step.title}: {step.words}")
        if not step.done:
            session.output.say(f"  {step.command}")
    if left:
        session.output.note("Setup asks questions, so it needs a terminal; these commands do the same without one.")
    return _code(left)


def _code(left: list[Step]) -> int:
    names = {step.name for step in left}
    if "connect" in names:
        return ExitCode.CONNECT_NEEDED
    if "first_push" in names and names & {"sales_account", "payment_account", "tax_rates"}:
        return ExitCode.NOTHING_CAN_BE_SENT
    return ExitCode.PARTLY if names else ExitCode.ALL_WELL


def _tell_end(session: Session) -> int:
    left = [step for step in first_steps(session) if not step.done]
    say = session.output.say
    if left:
        say("", "Left to do:", *(f"  {step.title}: {step.words}" for step in left), "To go on:", f"  {AGAIN}")
        return _code(left)
    say("", "The first day is done. Every day, by hand:", "  caspen-xero sync")
    say("By the machine itself, four times an hour:", "  caspen-xero schedule install")
    say("At each month's end, the proof:", "  caspen-xero reconcile")
    return ExitCode.ALL_WELL
