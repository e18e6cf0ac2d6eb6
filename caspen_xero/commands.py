"""Commands of ours as they are printed, to be pasted into a POSIX shell; and those that stand in a text, found again.

A command is made here and nowhere else, so what comes from outside is an argument in it, whatever it holds; what can't be pasted
is named by a handle.
"""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from caspen_xero.outside_text import UNSEEN

PROGRAM = "caspen-xero"
LONGEST = 300
"""Characters of an argument that a person may be asked to paste."""

_HANDLE = "id:"
_QUOTED = r"""'[^']*'(?:"'"'[^']*')*"""
WORD = rf"""(?:(?:--[a-z-]+=)?{_QUOTED}|[^\s'";]+)"""
"""A word as a shell takes it, of those that are made here."""
VERBS = (
    "settings [a-z]+|taxes [a-z]+|invoices [a-z]+|payments [a-z]+|contacts [a-z]+|(?:dis)?connect|status|doctor|import|push|pull"
    "|schedule [a-z]+|sync|setup|drift|unsynced|reconcile|log|backup|restore|adopt|purge"
)
"""The commands that work in a workspace."""
_COMMAND = re.compile(rf"(?<![\w/.-]){PROGRAM} (?:{VERBS})\b(?: (?!{PROGRAM} ){WORD})*")
_OTHERS = "workspaces [a-z]+|sandbox [a-z]+|schema|help|version|demo"
_WHOLE = re.compile(rf"(?<![\w/.-]){PROGRAM} (?:{VERBS}|{_OTHERS})\b(?: (?!{PROGRAM} ){WORD})*")
_VERB = re.compile(rf"{PROGRAM} (?:{VERBS})\b")
_NAMES_A_WORKSPACE = re.compile(rf"{PROGRAM} (?:(?!-- ){WORD} )*--workspace[ =]")
_NAMES_AN_INVOICE = re.compile(
    rf"({PROGRAM} (?:push|log|invoices (?:show|open|skip|unskip|link(?: --force)?(?: --with-payments)?|unlink|accept|unaccept)))"
    rf"(?: (--overwrite|--pay-anyway|--invoice)[ =]| (--) | (?!-))({_QUOTED}|[^\s'\";]+)"
)
"""A command of ours that names an invoice; by which option, and the name as a shell takes it."""


@dataclass(frozen=True)
class Choice:
    """One of several answers that are possible: the whole command that gives it, and what it is in words. None is *the* answer."""

    command: str
    label: str


def to_paste(what: str, *arguments: str) -> str:
    """`caspen-xero` with these arguments. `what` is ours: the command, and options of it (see `option`)."""
    words = [PROGRAM, what, *(["--"] if any(each.startswith("-") for each in arguments) else [])]
    return " ".join([*words, *map(_word, arguments)])


def option(name: str, value: str) -> str:
    """An option with a value, for a command; a value that begins with a dash is bound to it."""
    return f"{name}{'=' if value.startswith('-') else ' '}{_word(value)}"


def to_connect(kind: str | None, token_store: str | None) -> str:
    """The command that signs in again as it was signed in before: of that kind, with the sign-in kept at that place."""
    by = " --custom-connection" if kind == "custom" else ""
    return f"{PROGRAM} connect{by}{' --token-store file' if token_store == 'file' else ''}"


def _word(text: str) -> str:
    """A word as a shell takes it; in quotes too where the sentence around it would seem to go on in it."""
    return f"'{text}'" if text.endswith((".", ",", ":")) and shlex.quote(text) == text else shlex.quote(text)


def _read(word: str) -> str:
    """A word as a shell reads it."""
    return shlex.split(word)[0] if word.startswith("'") else word


def can_be_pasted(text: str | None) -> bool:
    """Whether a text, printed, copied and pasted, is still the same."""
    return bool(text) and len(str(text)) <= LONGEST and not UNSEEN.search(str(text)) and str(text).strip() == text


def name_for(id_: str, *names: str | None) -> str:
    """What names a thing in a command: of its names and its id the first that can be pasted, else a handle of the id.

    One that begins with a dash would do (see `to_paste`), but is read more easily as an option: any other goes before it.
    """
    usable = [name for name in (*names, id_) if name is not None and can_be_pasted(name)]
    return min(usable, key=lambda name: name.startswith("-"), default=handle(id_))


def handle(id_: str) -> str:
    """A short name for an id that can't be pasted; commands that take an id take this too."""
    return _HANDLE + hashlib.sha256(id_.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def is_handle(name: str) -> bool:
    """Whether a name may be a `handle`."""
    return re.fullmatch(rf"{_HANDLE}[0-9a-f]{{16}}", name) is not None


def each_command(text: str, change: Callable[[str], str]) -> str:
    """A text in which every command of ours, with its arguments, has become what `change` makes of it."""
    return _COMMAND.sub(lambda found: change(found[0]), text)


def each_whole_command(text: str, change: Callable[[str], str]) -> str:
    """The same, also of those commands that work in no workspace, such as `workspaces add`."""
    return _WHOLE.sub(lambda found: change(found[0]), text)


def in_pieces(text: str) -> Iterator[tuple[str, bool]]:
    """A text in its pieces, in order; of each whether it is a command of ours."""
    end = 0
    for found in _WHOLE.finditer(text):
        yield text[end : found.start()], False
        yield found[0], True
        end = found.end()
    yield text[end:], False


def each_on_its_own(fix: str) -> list[str]:
    """A fix as lines: each of its commands on one of its own, to be pasted whole, a step further in than the words before it."""
    lines: list[str] = []
    for piece, is_command in in_pieces(fix):
        if is_command:
            lines.append(f"  {piece}" if lines else piece)
        elif words := piece.strip(" ;,."):
            lines.append(f"{words}." if piece.endswith(".") else words)
    return lines


def naming(ours: str, change: Callable[[str], str]) -> str:
    """A command of ours in which the name of the invoice, if it names one, has become what `change` makes of it."""

    def named(found: re.Match[str]) -> str:
        verb, by_option, _, word = found.groups()
        bare = word if word.startswith("'") else word.rstrip(".,:")
        if change(given := _read(word)) == given:
            return found[0]
        name = change(_read(bare))
        rest = word[len(bare) :]
        if by_option:
            return f"{verb} {option(by_option, name)}{rest}"
        return f"{verb} {'-- ' if name.startswith('-') else ''}{_word(name)}{rest}"

    return _NAMES_AN_INVOICE.sub(named, ours, count=1)


def in_workspace(text: str, workspace: str | None) -> str:
    """A text in which every command of ours names the workspace, where one was named."""
    if workspace is None:
        return text

    def named(ours: str) -> str:
        if _NAMES_A_WORKSPACE.match(ours):
            return ours
        return _VERB.sub(lambda verb: f"{verb[0]} {option('--workspace', workspace)}", ours, count=1)

    return each_command(text, named)
