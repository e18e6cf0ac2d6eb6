"""How people are told of a run that was ended by Ctrl-C or SIGTERM: what was done, and the command to go on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from caspen_xero.commands import can_be_pasted, option, to_paste
from caspen_xero.errors import ExitCode, UserError
from caspen_xero.interruption import BrokenOff

if TYPE_CHECKING:
    from typer import Context

    from caspen_xero.cli.session import Session

_OF_THE_RUN = {"help", "workspace", "as_json", "quiet", "verbose", "debug", "all_workspaces"}
"""Options that do not say what is to be done; the workspace is put into every command anyway, also into those in all."""


def interrupted(session: Session, ending: BaseException) -> UserError:
    """The error that such a run ends with."""
    told = [
        f"{number:,} {_of_one(words) if number == 1 else words}" for words, number in session.done_in_words() if number
    ]
    calls, _ = session.calls()
    if calls:
        told.append(f"{calls:,} {'call' if calls == 1 else 'calls'} to Xero")
    words = ["Interrupted."]
    if told:
        words.append(f"Done by then: {', '.join(told)}.")
    if isinstance(ending, BrokenOff) and calls:
        words.append("A call may have been broken off; the next run asks Xero what became of it.")
    words.append(session.goes_on() or "Nothing is lost: run the same command again to go on.")
    return UserError("interrupted", " ".join(words), session.to_go_on(), ExitCode.INTERRUPTED)


def same_command(context: Context) -> str:
    """The command that is running, to be pasted; "" where that can't be."""
    what = context.command_path.split(" ")[1:]
    arguments: list[str] = []
    for parameter in context.command.params:
        name = parameter.name or ""
        value = context.params.get(name)
        source = context.get_parameter_source(name)
        if name in _OF_THE_RUN or source is None or source.name != "COMMANDLINE":
            continue
        values = list(value) if isinstance(value, list | tuple) else [value]
        if parameter.param_type_name == "argument":
            arguments += [str(one) for one in values]
        elif isinstance(value, bool):
            what.append((parameter.opts if value else parameter.secondary_opts or [""])[0])
        else:
            what += [option(parameter.opts[0], str(one)) for one in values]
    if not all(can_be_pasted(word) for word in (*what, *arguments)):
        return ""
    return to_paste(" ".join(word for word in what if word), *arguments)


def _of_one(words: str) -> str:
    """`invoices sent` of one."""
    return re.sub(r"s\b", "", words, count=1)
