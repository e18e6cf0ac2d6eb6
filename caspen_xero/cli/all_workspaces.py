"""`--all-workspaces`: a command in each workspace in turn. What goes wrong in one does not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from caspen_xero.cli.exit_codes import worst_of
from caspen_xero.cli.output import Output
from caspen_xero.cli.workspace_folders import there_are
from caspen_xero.cli.workspaces_seen import Seen, look
from caspen_xero.errors import ExitCode, UserError
from caspen_xero.outside_text import plain

_SENDS = "sync"
"""Has nothing to do where no organisation is connected."""


@dataclass
class OneOfAll(Output):
    """The way of speaking in one of several workspaces: under its name, and with its JSON document kept for the whole one."""

    heading: str = ""
    kept: dict[str, Any] = field(default_factory=dict)

    def document(self, document: dict[str, Any]) -> None:
        """Keeps the document for the one of all workspaces."""
        self.kept.update(document)

    def as_lines(self, lines: Iterable[str], stream: Any = None) -> str:
        """What is told, under the workspace's name where it is the first."""
        told = list(lines)
        if told and self.heading:
            told, self.heading = [self.heading, *told], ""
        return super().as_lines(told, stream)


def in_each(
    carry_out: Callable[[str, Output], int], command: str, shared: Mapping[str, Any], arguments: Mapping[str, Any]
) -> int:
    """Carries a command out in each workspace that is in use, in a way of speaking of its own; gives the exit code that wins."""
    whole = Output(json=shared["as_json"], quiet=shared["quiet"])
    try:
        if shared["workspace"] is not None:
            fix = f"caspen-xero {command} --all-workspaces"
            raise UserError("usage", "Either one workspace, or all of them.", fix, ExitCode.USAGE)
        if arguments.get("bundle") or arguments.get("as_scheduled"):
            words = "That looks at one workspace at a time."
            raise UserError("usage", words, "caspen-xero doctor --bundle --workspace NAME", ExitCode.USAGE)
        seen = [look(name) for name in there_are()]
        wanted = [one for one in seen if not one.is_empty and (command != _SENDS or one.organisation or one.trouble)]
        if not wanted:
            words = "No workspace is connected to Xero." if command == _SENDS else "No workspace is in use."
            raise UserError("not-connected", words, "caspen-xero setup", ExitCode.CONNECT_NEEDED)
    except UserError as error:
        whole.error(error)
        return error.exit_code
    _tell_left_out(whole, seen, wanted)
    codes, documents = [], []
    for one in wanted:
        output = OneOfAll(json=whole.json, quiet=whole.quiet, workspace=one.name, heading=_heading(one))
        if not (whole.quiet or whole.json):
            heading, output.heading = output.heading, ""
            output.say("", heading)  # also before a table
        code = carry_out(one.name, output)
        codes.append(code)
        documents.append({"workspace": one.name, "exit_code": int(code)} | output.kept)
        if code == ExitCode.INTERRUPTED:
            break
    code = worst_of(codes)
    if not_begun := [one.name for one in wanted[len(codes) :]]:
        whole.note(f"Not begun: {', '.join(not_begun)}. To go on:  caspen-xero {command} --all-workspaces")
    if whole.json:
        whole.document({"command": command, "workspaces": documents, "exit_code": int(code)})
    return code


def _heading(seen: Seen) -> str:
    return f"{seen.name}{f' ({plain(seen.organisation)})' if seen.organisation else ''}:"


def _tell_left_out(output: Output, seen: Sequence[Seen], wanted: Sequence[Seen]) -> None:
    left = [one.name for one in seen if one not in wanted]
    if left:
        output.note(f"Not connected, so left out: {', '.join(left)}.")
