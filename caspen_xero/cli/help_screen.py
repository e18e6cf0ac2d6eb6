"""Help on a terminal: a command's page in its width, with no word broken and no sentence cut off."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup

from caspen_xero.cli.pages import Block, Entry, Page, page, usage_of

if TYPE_CHECKING:
    from caspen_xero.cli.topics import Topic

LEAST, WIDEST = 40, 100
NAMES = 30
"""Columns: what is longer has its words on the lines below it."""
_BESIDE_USAGE = ("Usage: ", " " * 7)


class Command(TyperCommand):
    """A command whose help is its page, and whose usage is that page's wherever it is shown."""

    def get_usage(self, ctx: Any) -> str:
        return _usage(self, ctx)

    def get_help(self, ctx: Any) -> str:
        return _shown(self, ctx)


class Group(TyperGroup):
    """A group of commands whose help is its page, and whose usage is that page's."""

    def get_usage(self, ctx: Any) -> str:
        return _usage(self, ctx)

    def get_help(self, ctx: Any) -> str:
        return _shown(self, ctx)


def with_pages(app: typer.Typer) -> typer.Typer:
    """The same commands and groups, each with its page for its help."""
    for command in app.registered_commands:
        command.cls = Command
    for group in app.registered_groups:
        group.cls = Group
        if group.typer_instance is not None:
            with_pages(group.typer_instance)
    return app


def _shown(command: Any, context: Any) -> str:
    width = min(context.terminal_width or _width_of_the_terminal(), WIDEST)
    return on_screen(page(command, context), width)


def _usage(command: Any, context: Any) -> str:
    width = min(context.terminal_width or _width_of_the_terminal(), WIDEST)
    return _filled(usage_of(command, context), width, *_BESIDE_USAGE)


def _width_of_the_terminal() -> int:
    import shutil

    return shutil.get_terminal_size().columns


def on_screen(shown: Page, width: int) -> str:
    """A page as lines of that width at the most, where no single word is longer."""
    lines = [_filled(shown.usage, width, *_BESIDE_USAGE)]
    for block in shown.blocks:
        lines += ["", block.text if block.verbatim else _filled(block.text, width)]
    for heading, entries in (
        ("Arguments:", shown.arguments),
        ("Options:", shown.options),
        ("Commands:", shown.commands),
        ("Options of every command:" if shown.options or shown.arguments else "Options:", shown.for_all),
    ):
        if entries:
            lines += ["", heading, *_listed(entries, width)]
    return "\n".join(lines)


def _listed(entries: Sequence[Entry], width: int) -> list[str]:
    longest = min(max(len(entry.spelling) for entry in entries), NAMES, max(width, LEAST) // 2 - 2)
    beside = 2 + longest + 2
    lines = []
    for entry in entries:
        words = _filled(entry.words, width, " " * beside, " " * beside) if entry.words else ""
        if len(entry.spelling) <= longest:
            lines.append(f"  {entry.spelling}".ljust(beside) + words[beside:])
        else:
            lines += [f"  {entry.spelling}", *([words] if words else [])]
    return [line.rstrip() for line in lines]


def _filled(text: str, width: int, first: str = "", others: str = "") -> str:
    return textwrap.fill(
        text,
        max(width, LEAST),
        initial_indent=first,
        subsequent_indent=others,
        break_long_words=False,
        break_on_hyphens=False,
    )


def topic_on_screen(topic: Topic) -> str:
    """A topic as lines."""
    width = min(_width_of_the_terminal(), WIDEST)
    lines = [_filled(f"{topic.title}.", width)]
    for block in topic.blocks:
        if isinstance(block, Block):
            lines += ["", block.text if block.verbatim else _filled(block.text, width)]
        else:
            lines += ["", *_listed(block, width)]
    return "\n".join(lines)


def index_on_screen(topics: Sequence[Topic]) -> str:
    """The topics as lines."""
    width = min(_width_of_the_terminal(), WIDEST)
    listed = _listed([Entry(topic.name, f"{topic.title}.") for topic in topics], width)
    ways = [
        Entry("caspen-xero help TOPIC", "explains one of them."),
        Entry("caspen-xero COMMAND --help", "explains a command."),
    ]
    return "\n".join(["Topics:", *listed, "", *_listed(ways, width)])
