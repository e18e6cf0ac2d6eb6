"""What a shell offers when a person presses Tab: commands, options, and names from the workspace's store.

The shells' side is typer's (`caspen-xero --install-completion`): its scripts call `caspen-xero` with the line in the environment.
The answer is made here, without typer and all that it imports, from `completions.json`, which is made from the program: nobody
waits for it. Some scripts run what they are answered, so nothing is offered but plain text, in the shell's own quotes. Whatever
goes wrong, nothing is offered, and nothing is said.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

VARIABLE = "_CASPEN_XERO_COMPLETE"
TABLE = Path(__file__).with_name("completions.json")
SHELLS = ("bash", "zsh", "fish", "powershell", "pwsh")
FILES = "file"
_PLAIN = re.compile(r"[\w.,/+%&()@#:=][\w .,/+%&()@#:=-]*")
"""What can be offered: nothing in it means anything to a shell once it stands in its quotes."""
_LONGEST_NAME = 100
_LONGEST_WORDS = 70
_BREAKS = "=:"
"""At these bash begins a new word; it puts in only what follows the last."""


@dataclass(frozen=True)
class Offer:
    """A word that may stand next, and what a person reads beside it."""

    word: str
    words: str = ""


@dataclass(frozen=True)
class Line:
    """What was typed: whole words, and the one that is being typed. `in_quotes`: it began with a quote that is open."""

    words: tuple[str, ...]
    begin: str
    in_quotes: bool = False


def answer(environment: Mapping[str, str]) -> bool:
    """Answers a shell that asks what may stand next. Gives whether one has asked; then nothing else is to be done."""
    instruction, _, shell = environment.get(VARIABLE, "").partition("_")
    if instruction != "complete" or shell not in SHELLS:
        return False
    code = 0
    with suppress(Exception, KeyboardInterrupt):
        line = read(shell, environment)
        found = list(offers(line, environment))
        wants_files = not found or found == [Offer(FILES)]
        if environment.get("_TYPER_COMPLETE_FISH_ACTION") == "is-args":
            code = 1 if wants_files else 0
        else:
            text = written(shell, line, [] if wants_files else found, files=found == [Offer(FILES)])
            sys.stdout.buffer.write(text.encode("utf-8"))
            sys.stdout.flush()
    if code:
        sys.exit(code)
    return True


def read(shell: str, environment: Mapping[str, str]) -> Line:
    """The line as typer's script for the shell tells it."""
    if shell == "bash":
        raw = environment["COMP_WORDS"].split("\n")
        raw, last = raw[1 : int(environment["COMP_CWORD"])], (*raw, "")[int(environment["COMP_CWORD"])]
        joined = _joined([*raw, last])
        begin = joined[-1]
        return Line(tuple(map(_unquoted, joined[:-1])), _unquoted(begin), begin[:1] in ("'", '"'))
    text = environment.get("_TYPER_COMPLETE_ARGS", "")
    words, is_open = _split(text)
    if shell in ("powershell", "pwsh"):
        is_open = bool(environment.get("_TYPER_COMPLETE_WORD_TO_COMPLETE"))
    return Line(tuple(words[1:-1]), words[-1]) if is_open and len(words) > 1 else Line(tuple(words[1:]), "")


def _joined(words: list[str]) -> list[str]:
    """Words of bash's as we take them: it takes `--org=NAME` and `payer:7` apart at what lies between."""
    joined: list[str] = []
    glue = False
    for word in words:
        if joined and (glue or (word and word[0] in _BREAKS)):
            joined[-1] += word
            glue = word == "" or word[-1] in _BREAKS
        else:
            joined.append(word)
            glue = False
    return joined


def _split(text: str) -> tuple[list[str], bool]:
    """The words of a line, and whether the last of them is still being typed."""
    import shlex

    lexer = shlex.shlex(text, posix=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    words: list[str] = []
    try:
        words.extend(lexer)
    except ValueError:  # within quotes
        return [*words, lexer.token], True
    return words, not text[-1:].isspace() or text.endswith("\\ ")


def _unquoted(word: str) -> str:
    words, _ = _split(word)
    return " ".join(words)


def offers(line: Line, environment: Mapping[str, str]) -> Iterator[Offer]:
    """What may stand next; one `Offer(FILES)` where that is a file."""
    node = json.loads(TABLE.read_text("utf-8"))
    top, given, waiting, workspace, only_arguments = (
        node,
        list[str](),
        "",
        environment.get("CASPEN_XERO_WORKSPACE"),
        False,
    )
    for word in line.words:
        name, equals, value = word.partition("=")
        options = node["options"] | top["options"]
        if waiting:
            workspace, waiting = (word if waiting == "workspace" else workspace), ""
        elif not only_arguments and word == "--":
            only_arguments = True
        elif not only_arguments and word.startswith("-"):
            takes = options.get(name, ["", ""])[0]
            waiting = "" if equals else takes
            workspace = value if equals and takes == "workspace" else workspace
        elif word in node["commands"]:
            node = node["commands"][word]
        else:
            given.append(word)
    home = _Home(environment, workspace)
    options = node["options"] | top["options"]
    name, equals, value = line.begin.partition("=")
    if waiting:
        yield from home.values(waiting, line.begin)
    elif not only_arguments and equals and name in options:
        for offer in home.values(options[name][0], value):
            yield offer if offer.word == FILES else Offer(f"{name}={offer.word}", offer.words)
    elif not only_arguments and line.begin.startswith("-"):
        own = node["options"]
        yield from (Offer(name, own[name][1]) for name in own if name.startswith(line.begin) and name[:2] == "--")
    elif node["commands"]:
        yield from (Offer(name, one["words"]) for name, one in node["commands"].items() if name.startswith(line.begin))
    elif node["arguments"]:
        takes, repeats = node["arguments"][min(len(given), len(node["arguments"]) - 1)]
        if takes.startswith("command:"):
            yield from _commands(top, given, takes.removeprefix("command:"), line.begin)
        elif len(given) < len(node["arguments"]) or repeats:
            yield from home.values(takes, line.begin)


def _commands(node: dict[str, Any], given: list[str], besides: str, begin: str) -> Iterator[Offer]:
    """The words that lead to a command, as an argument; in the place of the first, others too."""
    others = [] if given else besides.split("|")
    yield from (Offer(one) for one in others if one.startswith(begin))
    for word in given:
        node = node["commands"].get(word, {"commands": {}})
    yield from (Offer(name, one["words"]) for name, one in node["commands"].items() if name.startswith(begin))


@dataclass(frozen=True)
class _Home:
    """Where the store is, if there is one. Nothing is made."""

    environment: Mapping[str, str]
    workspace: str | None

    def folder(self) -> Path:
        given = self.environment.get("CASPEN_XERO_HOME")
        if given:
            return Path(given).expanduser()
        from platformdirs import user_data_path

        return user_data_path("caspen-xero", appauthor=False)

    def values(self, takes: str, begin: str) -> Iterator[Offer]:
        """What may stand where a value of this kind is wanted."""
        kind, _, rest = takes.partition(":")
        if kind == FILES:
            yield Offer(FILES)
        elif kind == "choice":
            yield from (Offer(one) for one in rest.split("|") if one.startswith(begin))
        elif kind == "workspace":
            yield from self._workspaces(begin)
        elif kind == "method-account":
            yield from self._accounts_by_method(begin)
        else:
            for one in filter(None, kind.split("+")):
                yield from self._names(one, begin)

    def _workspaces(self, begin: str) -> Iterator[Offer]:
        for store in sorted(self.folder().glob("*/store.sqlite")):
            if store.parent.name.startswith(begin) and _PLAIN.fullmatch(store.parent.name):
                yield Offer(store.parent.name)

    def _names(self, kind: str, begin: str) -> Iterator[Offer]:
        from caspen_xero.store.offered import offered

        workspace = "default" if self.workspace is None else self.workspace
        if not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}", workspace):
            return
        for names, words in offered(self.folder() / workspace / "store.sqlite", kind, begin):
            fit = [name for name in names if _can_be_offered(name)]
            at_once = [name for name in fit if name.startswith(begin)]
            anyhow = [name for name in fit if name.lower().startswith(begin.lower())]
            if at_once or anyhow:
                yield Offer((at_once or anyhow)[0], _readable(words))

    def _accounts_by_method(self, begin: str) -> Iterator[Offer]:
        method, equals, account = begin.partition("=")
        if equals:
            for one in self._names("payment-account", account):
                yield Offer(f"{method}={one.word}", one.words)
            return
        methods = [one for one in self._names("method", begin) if "=" not in one.word]
        if len(methods) == 1:
            yield from self._accounts_by_method(f"{methods[0].word}=")
        else:
            yield from (Offer(f"{one.word}=", one.words) for one in methods)


def _can_be_offered(name: str) -> bool:
    return bool(_PLAIN.fullmatch(name)) and " ".join(name.split()) == name and len(name) <= _LONGEST_NAME


def _readable(words: str) -> str:
    """Words to be read beside an offer: one line of plain text."""
    plain = "".join(
        char if _PLAIN.fullmatch(char) or char in " -;?\u2019" else " " for char in words.replace("'", "\u2019")
    )
    line = " ".join(plain.split())
    return line if len(line) <= _LONGEST_WORDS else f"{line[:_LONGEST_WORDS].rsplit(' ', 1)[0]} ..."


def written(shell: str, line: Line, found: list[Offer], *, files: bool = False) -> str:
    """The answer as typer's script for the shell reads it."""
    if shell == "bash":
        said = line.begin[: max(map(line.begin.rfind, _BREAKS)) + 1]
        return "\n".join(_in_bash(one.word.removeprefix(said), line.in_quotes) for one in found)
    if shell == "zsh":
        if files or not found:
            return "_files" if files else ""
        listed = " ".join(_in_zsh(one) for one in found)
        return f"local -a _caspen_xero_offers; _caspen_xero_offers=({listed}); _describe -V value _caspen_xero_offers"
    if shell == "fish":
        return "\n".join(f"{one.word}\t{_readable(one.words)}" if one.words else one.word for one in found)
    return "\n".join(f"{_in_powershell(one.word)}:::{_readable(one.words) or ' '}" for one in found)


def _in_bash(word: str, in_quotes: bool) -> str:
    return word if in_quotes else re.sub(r"([^\w.,/+%@:=-])", r"\\\1", word)


def _in_zsh(one: Offer) -> str:
    word, words = one.word.replace(":", "\\:"), _readable(one.words)
    return f"'{word}:{words}'" if words else f"'{word}'"


def _in_powershell(word: str) -> str:
    return word if re.fullmatch(r"[\w./+:=-]+", word) else f"'{word}'"
