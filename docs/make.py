"""Makes what is made from the program: `commands.md`, `json.md`, `feed.md`, the manual page, the table for shells, other tables.

    python docs/make.py            writes what has changed, and names it
    python docs/make.py --check    writes nothing; ends with 1 where anything is not as it would be made

In any page of `docs/` what stands between `<!-- made: NAME -->` and `<!-- end -->` is made here too: `exit-codes`, `variables`.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import typer

from caspen_xero import __version__
from caspen_xero.caspen.feed_document import feed_document
from caspen_xero.cli.app import app
from caspen_xero.cli.completion import TABLE
from caspen_xero.cli.pages import PROGRAM, Block, Entry, Page, choices_of, every_page, first_sentence, page
from caspen_xero.cli.scheduled import SYSTEMS
from caspen_xero.cli.shapes.every import SHAPES, schema_of
from caspen_xero.cli.topics import EXIT_CODES, TOPICS, VARIABLES
from caspen_xero.schedules.job import INTERVALS
from caspen_xero.store import asked, sent
from caspen_xero.store.listing import SYNC_STATUSES
from caspen_xero.store.sent import ANSWERS

DOCS = Path(__file__).parent
MARKED = re.compile(r"(<!-- made: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)

TAKES = {
    "INVOICE": "invoice",
    "CODE|INVOICE": "code+invoice",
    "INVOICE|CODE": "invoice+code",
    "CODE": "code",
    "RATE": "rate",
    "TAX_TYPE": "tax-type",
    "METHOD": "method",
    "METHOD=ACCOUNT": "method-account",
    "STATE": f"choice:{'|'.join(SYNC_STATUSES)}",
    **dict.fromkeys(("FILE", "PATH", "DIR", "PATH|URL", "FILE.csv", "FILE.toml"), "file"),
}
"""What a shell offers where the program calls it so."""
TAKES_BY_NAME = {
    "workspace": "workspace",
    "invoice": "invoice",
    "sales_account": "sales-account",
    "payment_account": "payment-account",
}


def _both_ways(orders: Iterable[str]) -> list[str]:
    """What `--sort` takes: a field, and the same backwards."""
    return [f"{sign}{one}" for one in orders for sign in ("", "-")]


OF_COMMANDS = {
    ("invoices", "list", "status"): f"choice:{'|'.join(SYNC_STATUSES)}",
    ("log", "status"): f"choice:{'|'.join(ANSWERS)}",
    **{(*path, "words"): "invoice" for path in (("invoices", "list"), ("log",))},
    ("unsynced", "which"): "code+unsynced",
    ("invoices", "list", "sort"): f"choice:{'|'.join(_both_ways(asked.ORDERS))}",
    ("log", "sort"): f"choice:{'|'.join(_both_ways(sent.ORDERS))}",
    **{("contacts", what, "client"): "party" for what in ("link", "unlink")},
    ("contacts", "list", "words"): "party",
    **{("schedule", what, "every"): f"choice:{'|'.join(INTERVALS)}" for what in ("show", "install")},
    **{("schedule", what, "system"): f"choice:{'|'.join(SYSTEMS)}" for what in ("show", "install", "remove")},
}


def made() -> dict[Path, str]:
    """Every file that is made, as it has to be."""
    command = typer.main.get_command(app)
    context = command.make_context(PROGRAM, [], resilient_parsing=True)
    pages = list(every_page(command, context))
    files = {
        DOCS / "commands.md": as_markdown(pages),
        DOCS / "json.md": shapes_as_markdown(),
        DOCS / "feed.md": feed_document(),
        DOCS / "caspen-xero.1": as_manual(pages),
        TABLE: json.dumps(for_shells(command, context), ensure_ascii=False, indent=0) + "\n",
    }
    tables = {"exit-codes": _table("Exit code", EXIT_CODES), "variables": _table("Variable", VARIABLES)}
    for file in sorted(DOCS.glob("*.md")):
        text = files.get(file) or file.read_text("utf-8")
        files[file] = MARKED.sub(lambda found: f"{found[1]}{tables[found[2]]}{found[3]}", text)
    return files


# --- docs/commands.md


def as_markdown(pages: Sequence[Page]) -> str:
    """All commands on one page."""
    top, *others = pages
    lines = [
        "# Commands",
        "",
        "This page is made from the program (`just docs`). `caspen-xero COMMAND --help` shows the same for one command,",
        "`caspen-xero help TOPIC` explains what belongs to none: " + ", ".join(f"`{one.name}`" for one in TOPICS) + ".",
        "",
        "| Command | What it does |",
        "|---|---|",
        *(f"| [`{one.title}`](#{_anchor(one)}) | {_cell(one.first_sentence)} |" for one in others if not one.commands),
        "",
        "## Options of every command",
        "",
        f"These work with every command that has a workspace. Of `{PROGRAM}` itself: "
        + ", ".join(f"`{one.spelling}`" for one in top.options)
        + ".",
        "",
        *_entries(next(one for one in others if one.for_all).for_all),
    ]
    for one in others:
        lines += ["", f"{'##' if len(one.path) == 1 else '###'} {one.title}", ""]
        lines += ["```text", one.usage, "```"]
        for block in one.blocks:
            lines += ["", *(_verbatim(block) if block.verbatim else [_text(block.text)])]
        entries = [*one.arguments, *one.commands, *(option for option in one.options if option.name != "help")]
        if entries:
            lines += ["", *_entries(entries)]
    return "\n".join(lines) + "\n"


def _anchor(one: Page) -> str:
    return one.title.replace(" ", "-")


def _verbatim(block: Block) -> list[str]:
    lines = block.text.splitlines()
    if lines[0].endswith(":") and PROGRAM not in lines[0]:
        heading, *lines = lines
        return [heading, "", "```sh", *(line.strip() for line in lines), "```"]
    return ["```sh", *(line.strip() for line in lines), "```"]


def _entries(entries: Sequence[Entry]) -> list[str]:
    rows = [f"| `{_cell(one.spelling)}` | {_cell(one.words)} |" for one in entries]
    return ["| | |", "|---|---|", *rows]


def _table(heading: str, entries: Sequence[Entry]) -> str:
    quoted = [
        ", ".join(f"`{name}`" if heading == "Variable" else name for name in one.spelling.split(", "))
        for one in entries
    ]
    rows = [f"| {name} | {_cell(one.words)} |" for name, one in zip(quoted, entries, strict=True)]
    return "\n".join([f"| {heading} | Meaning |", "|---|---|", *rows, ""])


def _text(text: str) -> str:
    return text.replace("<", "&lt;").replace("*", "\\*")


def _cell(text: str) -> str:
    return _text(text).replace("|", "\\|").replace("\\*", "*")


# --- docs/json.md


def shapes_as_markdown() -> str:
    """Every document that a command gives with `--json`, and all that it is made of, each once."""
    definitions: dict[str, Any] = {}
    rows = []
    for command in SHAPES:
        schema = schema_of(command)
        definitions |= schema["$defs"]
        links = [_shape_link(one["$ref"]) for one in schema["anyOf"][:-1]]
        rows.append(f"| `{command}` | {' or '.join(links)} |")
    lines = [
        "# What `--json` gives",
        "",
        "This page is made from the program (`just docs`); `caspen-xero schema COMMAND` prints the same as JSON Schema. Where a",
        "command fails, it gives [Failed](#failed). Fields may be added, and none is taken away. What is marked as not always",
        "there may be absent, and all else never is. Amounts are decimal strings, days `YYYY-MM-DD`, times ISO 8601 in UTC.",
        "",
        "| Command | Document |",
        "|---|---|",
        *rows,
    ]
    for name, one in sorted(definitions.items()):
        lines += ["", f"## {name}", "", *([_text(one["description"]), ""] if "description" in one else [])]
        lines += ["| Field | Value | |", "|---|---|---|"]
        for field, value in one.get("properties", {}).items():
            seldom = "" if field in one.get("required", ()) else "not always there. "
            words = seldom + value.get("description", "")
            lines.append(f"| `{field}` | {_kind(value)} | {_cell(words[:1].upper() + words[1:]).strip()} |")
    return "\n".join(lines) + "\n"


def _shape_link(reference: str) -> str:
    name = reference.rsplit("/", 1)[-1]
    return f"[{name}](#{name.lower()})"


def _kind(value: dict[str, Any]) -> str:
    """What a field holds, in a few words."""
    if "$ref" in value:
        return _shape_link(value["$ref"])
    if either := value.get("anyOf") or value.get("allOf"):
        return " or ".join(dict.fromkeys(map(_kind, either)))
    if "const" in value or "enum" in value:
        return ", ".join(f"`{one}`" for one in value.get("enum", [value.get("const")]))
    match value.get("type"):
        case "array":
            return f"list of {_kind(value['items'])}"
        case "object":
            inner = value.get("additionalProperties")
            return f"by name {_kind(inner)}" if isinstance(inner, dict) and inner else "object"
        case "string":
            return _KINDS_OF_TEXT.get(value.get("pattern", ""), "text")
        case None:
            return "any"
        case kind:
            return {"integer": "number", "boolean": "true or false", "null": "null"}.get(kind, str(kind))


_KINDS_OF_TEXT = {
    r"^-?\d+(\.\d+)?$": "amount",
    r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$": "time",
    r"^\d{4}-\d\d-\d\d$": "day",
    r"^[A-Za-z0-9_-]+$": "code",
}


# --- docs/caspen-xero.1


def as_manual(pages: Sequence[Page]) -> str:
    """The manual page, in the language of man."""
    top, *others = pages
    lines = [f'.TH CASPEN\\-XERO 1 {_date()} "caspen\\-xero {_roff(__version__)}" "User Commands"']
    lines += [".SH NAME", f"{_roff(PROGRAM)} \\- {_roff(_without_stop(top.first_sentence))}"]
    lines += [".SH SYNOPSIS", f".B {_roff(PROGRAM)}", _roff(top.usage.removeprefix(f"{PROGRAM} "))]
    lines += [
        ".SH DESCRIPTION",
        *_blocks_in_roff(top.blocks, first=True),
        ".SH OPTIONS",
        *_entries_in_roff(top.options),
    ]
    shared = next(one for one in others if one.for_all).for_all
    lines += [".PP", "Every command that has a workspace has these:", *_entries_in_roff(shared), ".SH COMMANDS"]
    for one in others:
        lines += [f".SS {_roff(one.title)}", f".B {_roff(one.usage)}", *_blocks_in_roff(one.blocks)]
        lines += _entries_in_roff([*one.arguments, *(option for option in one.options if option.name != "help")])
    lines += [".SH EXIT STATUS", *_entries_in_roff(EXIT_CODES), ".SH ENVIRONMENT", *_entries_in_roff(VARIABLES)]
    for topic in TOPICS:
        if all(isinstance(block, Block) for block in topic.blocks):
            lines += [f".SH {_roff(topic.title.upper())}", *_blocks_in_roff(topic.blocks, first=True)]  # type: ignore[arg-type]
    return "\n".join(lines) + "\n"


def _date() -> str:
    """The day of the newest version in the changelog, so that the same program makes the same page."""
    days = re.findall(r"^## .*(\d{4}-\d\d-\d\d)", (DOCS.parent / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    return max(days, default="2026-01-01")


def _without_stop(text: str) -> str:
    return text.removesuffix(".")


def _blocks_in_roff(blocks: Sequence[Block], *, first: bool = False) -> Iterator[str]:
    for number, block in enumerate(blocks):
        if number or not first:
            yield ".PP"
        if not block.verbatim:
            yield _roff(block.text)
            continue
        yield from (".nf", *(_roff(line) for line in block.text.splitlines()), ".fi")


def _entries_in_roff(entries: Sequence[Entry]) -> Iterator[str]:
    for one in entries:
        yield from (".TP", f".B {_roff(one.spelling)}", _roff(one.words))


def _roff(text: str) -> str:
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace('"', "\\(dq")
    return f"\\&{escaped}" if escaped.startswith(".") else escaped


# --- the table for shells


def for_shells(command: Any, context: Any) -> dict[str, Any]:
    """What a shell can offer below a command: of each option and argument what it takes, and the commands in it."""
    path = tuple(context.command_path.split()[1:])
    shown = page(command, context)
    words = {one.name: first_sentence(one.words) for one in (*shown.options, *shown.for_all)}
    options: dict[str, list[str]] = {}
    arguments: list[list[Any]] = []
    for parameter in command.get_params(context):
        if getattr(parameter, "hidden", False):
            continue
        if parameter.param_type_name == "argument":
            arguments.append([_takes(path, parameter), parameter.nargs == -1])
        else:
            takes = "" if parameter.is_flag else _takes(path, parameter) or "text"
            options |= {name: [takes, words[parameter.name]] for name in sorted(parameter.opts, key=len)}
    inner = {}
    for entry in shown.commands:
        one = command.get_command(context, entry.spelling)
        below = one.make_context(entry.spelling, [], parent=context, resilient_parsing=True)
        inner[entry.spelling] = for_shells(one, below)
    return {"words": shown.first_sentence, "options": options, "arguments": arguments, "commands": inner}


def _takes(path: tuple[str, ...], parameter: Any) -> str:
    if path == ("help",):
        return f"command:{'|'.join(topic.name for topic in TOPICS)}"
    if path == ("schema",) and parameter.param_type_name == "argument":
        return "command:feed"
    if choices := choices_of(parameter):
        return f"choice:{'|'.join(choices)}"
    named = OF_COMMANDS.get((*path, parameter.name)) or TAKES.get((parameter.metavar or "").strip("[]"))
    return named or TAKES_BY_NAME.get(parameter.name, "")


def main() -> int:
    """Writes what has changed, or with `--check` only says what would."""
    check = "--check" in sys.argv
    changed = [file for file, text in made().items() if not file.exists() or file.read_text("utf-8") != text]
    for file in changed:
        print(
            f"{file.relative_to(DOCS.parent)} {'is not as the program makes it: just docs' if check else 'was made anew'}"
        )
        if not check:
            file.write_text(made()[file], encoding="utf-8")
    return int(check and bool(changed))


if __name__ == "__main__":
    sys.exit(main())
