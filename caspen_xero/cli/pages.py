"""A command's own page, as data: what its help, the manual and the documentation show, read from its declaration once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

PROGRAM = "caspen-xero"
FOR_ALL = ("workspace", "as_json", "quiet", "verbose", "debug")
"""The options that every command of a workspace has: shown last, and once where all commands stand on one page."""


@dataclass(frozen=True)
class Entry:
    """An argument, an option or a command: how it is spelt, and what it is for, in whole sentences."""

    spelling: str
    words: str
    name: str = ""


@dataclass(frozen=True)
class Block:
    """A paragraph; or, where it is `verbatim`, lines to be read, or pasted, as they stand."""

    text: str
    verbatim: bool = False


@dataclass(frozen=True)
class Page:
    """One command, or one group of commands. `path`: the words that lead to it, without the program's name."""

    path: tuple[str, ...]
    usage: str
    blocks: tuple[Block, ...]
    arguments: tuple[Entry, ...] = ()
    options: tuple[Entry, ...] = ()
    for_all: tuple[Entry, ...] = ()
    commands: tuple[Entry, ...] = field(default=())

    @property
    def title(self) -> str:
        """The whole command."""
        return " ".join([PROGRAM, *self.path])

    @property
    def first_sentence(self) -> str:
        """What it does, in one sentence."""
        return first_sentence(self.blocks[0].text) if self.blocks else ""

    @property
    def examples(self) -> list[str]:
        """The lines of its blocks that are commands."""
        return [
            line.strip()
            for block in self.blocks
            if block.verbatim
            for line in block.text.splitlines()
            if PROGRAM in line
        ]


def first_sentence(text: str) -> str:
    """A text up to its first full stop."""
    return re.split(r"(?<=\.)\s", text, maxsplit=1)[0]


def page(command: Any, context: Any) -> Page:
    """The page of a command, in a context of its own."""
    path = tuple(context.command_path.split()[1:])
    arguments: list[Entry] = []
    options: list[Entry] = []
    for_all: list[Entry] = []
    for parameter in command.get_params(context):
        if getattr(parameter, "hidden", False):
            continue
        if parameter.param_type_name == "argument":
            arguments.append(Entry(argument_name(parameter, always=True), words_of(parameter), parameter.name))
        else:
            entry = Entry(option_spelling(parameter), words_of(parameter), parameter.name)
            (for_all if path and parameter.name in FOR_ALL else options).append(entry)
    if for_all and options[-1:] and options[-1].name == "help":
        for_all.append(options.pop())
    names = command.list_commands(context) if hasattr(command, "list_commands") else []
    inner = [(name, command.get_command(context, name)) for name in names]
    commands = [
        Entry(name, first_sentence(" ".join((one.help or "").split()))) for name, one in inner if not one.hidden
    ]
    blocks = _blocks(command.help or "")
    if commands and not any(block.verbatim for block in blocks):
        blocks.append(Block("\n".join(["Examples:", *_first_examples(inner)]), verbatim=True))
    return Page(path, usage_of(command, context), tuple(blocks), *map(tuple, (arguments, options, for_all, commands)))


def usage_of(command: Any, context: Any) -> str:
    """How it is typed: its words, `COMMAND` where one of several follows, its arguments."""
    words = [context.command_path, *(["COMMAND"] if hasattr(command, "list_commands") else [])]
    return " ".join([*words, *map(argument_name, _arguments(command, context)), "[OPTIONS]"])


def every_page(command: Any, context: Any) -> Iterator[Page]:
    """The pages of a command and of all that is below it."""
    yield page(command, context)
    for name in command.list_commands(context) if hasattr(command, "list_commands") else []:
        inner = command.get_command(context, name)
        if not inner.hidden:
            below = inner.make_context(name, [], parent=context, resilient_parsing=True)
            yield from every_page(inner, below)


def argument_name(parameter: Any, *, always: bool = False) -> str:
    """An argument as usage shows it: in brackets where it can be left out, unless `always`."""
    name = (parameter.metavar or values_of(parameter) or parameter.name.upper()).strip("[]")
    name += "..." if parameter.nargs == -1 else ""
    return name if parameter.required or always else f"[{name}]"


def option_spelling(parameter: Any) -> str:
    """An option in all its spellings, the long one last, with what follows it."""
    spellings = ", ".join(sorted(parameter.opts, key=len))
    if parameter.is_flag:
        return spellings
    return f"{spellings} {parameter.metavar or values_of(parameter) or _kind_of_value(parameter)}"


def values_of(parameter: Any) -> str:
    """The values that a parameter takes, where it takes only some: `a|b`."""
    return "|".join(choices_of(parameter))


def choices_of(parameter: Any) -> list[str]:
    """The same, one by one."""
    choices = getattr(getattr(parameter, "type", None), "choices", None)
    choices = choices or getattr(getattr(parameter, "type_descriptor", None), "choices", None) or ()
    return [str(one.value if isinstance(one, Enum) else one) for one in choices]


def words_of(parameter: Any) -> str:
    """What a parameter is for; what counts where it is left out, what it may be, and which variable says the same."""
    given = " ".join((getattr(parameter, "help", None) or "").split())
    words = [re.sub(r"\s*\[default: ([^\]]+)\]", r" Default: \1.", given)]
    kind = getattr(parameter, "type", None)
    low, high = (getattr(kind, end, getattr(parameter, end, None)) for end in ("min", "max"))
    if low is not None and high is not None:
        words.append(f"From {low} to {high}.")
    elif low:
        words.append(f"At least {low}.")
    default = getattr(parameter, "default", None)
    if isinstance(default, str | int | float) and not isinstance(default, bool) and default != "":
        words.append(f"Default: {default.value if isinstance(default, Enum) else default}.")
    if variable := getattr(parameter, "envvar", None):
        words.append(f"Also by the variable {variable}.")
    return " ".join(filter(None, words))


def _arguments(command: Any, context: Any) -> list[Any]:
    return [one for one in command.get_params(context) if one.param_type_name == "argument" and not one.hidden]


def _kind_of_value(parameter: Any) -> str:
    name = str(getattr(getattr(parameter, "type", None), "name", "") or "")
    return "NUMBER" if re.search("int|float", name) or isinstance(parameter.default, int | float) else "TEXT"


def _blocks(text: str) -> list[Block]:
    r"""A command's docstring: paragraphs, and behind `\b` lines as they stand. Commands among those get a heading."""
    blocks: list[Block] = []
    for part in re.split(r"\n\s*\n", text.strip().replace("\b", "\n\n\b")):
        if not part.strip("\b \n"):
            continue
        if "\b" not in part:
            blocks.append(Block(" ".join(part.split())))
            continue
        lines = part.replace("\b", "").strip("\n").splitlines()
        has_heading = lines[0].rstrip().endswith(":") and PROGRAM not in lines[0]
        if not has_heading and PROGRAM in "".join(lines):
            announced = bool(blocks) and blocks[-1].text.endswith(":")
            lines = [*([] if announced else ["Examples:"]), *(f"  {line.strip()}" for line in lines)]
        blocks.append(Block("\n".join(lines), verbatim=True))
    return blocks


def _first_examples(commands: list[tuple[str, Any]]) -> list[str]:
    """Of each command in a group the first example."""
    found = []
    for _, one in commands:
        lines = [line.strip() for line in (one.help or "").splitlines() if line.strip().startswith(f"{PROGRAM} ")]
        found += lines[:1]
    return [f"  {line}" for line in found]
