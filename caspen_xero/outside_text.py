"""Text from outside, made safe piece by piece before it is put into a message of ours.

A name, a number, an id, a file's name or another side's words may hold anything: line breaks, escape codes, characters that turn
the direction, ten million letters. In a message each is one piece on one line, of a length that can be read, and nothing in it
passes for a line, a command or a sentence of ours. What is sent or compared stays as it is.
"""

from __future__ import annotations

import re
from pathlib import PurePath

MOST = 200
"""Characters of a name, a number or an id."""
MOST_OF_A_PATH = 1_000
MOST_WORDS = 500
"""Characters of whole sentences, such as Xero's reason for a refusal."""

UNSEEN = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f\xad"  # control characters; the soft hyphen
    "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"  # letters and marks that show nothing
    "\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180b-\u180f"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # of no width, of another direction, ends of lines
    "\ud800-\udfff"  # halves of characters: what was no text where it came from
    "\U000110bd\U000110cd\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    "\ue000-\uf8ff\U000f0000-\U0010ffff"  # what every font shows otherwise
    "]"
)
"""What a terminal might obey, or nobody sees."""

_MARKS = "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
_STACKED = re.compile(f"({_MARKS}{{4}}){_MARKS}+")  # they would be painted over the lines above and below
_LIKE_OURS = ((re.compile(r"\b(Error|Warning|Note)\s*:", re.IGNORECASE), r"\1 -"), (re.compile(r"-+>"), ">"))
_OUR_NAME = re.compile(r"(caspen-xero) ", re.IGNORECASE)
_EVERYDAY = re.compile(r"[\w.,/@()#&+'*%$-]+(?: [\w.,/@()#&+'*%$-]+)*", re.ASCII)
"""Most names and numbers: of what is changed below, only our own name can be in one."""


def plain(text: object, most: int | None = None) -> str:
    """A piece as a message shows it: on one line, every run of spaces as one, cut after `most` (usually `MOST`) characters.

    What begins a line of ours, or a command, does not read like that in it.
    """
    most = most or (MOST_OF_A_PATH if isinstance(text, PurePath) else MOST)
    words = str(text)
    if len(words) <= most and _EVERYDAY.fullmatch(words) and "xero " not in words.lower():
        return words
    whole = len(words) <= 4 * most
    words = " ".join(UNSEEN.sub(_seen, words[: 4 * most]).split())
    if not words.isascii():
        words = _STACKED.sub(r"\1", words)
    if len(words) > most or not whole:
        words = words[: most - 3].rstrip() + "..."
    for pattern, instead in _LIKE_OURS:  # wherever the line may be broken, by a table's column or by the terminal
        words = pattern.sub(instead, words)
    return _OUR_NAME.sub("\\1\N{NO-BREAK SPACE}", words)


def _seen(found: re.Match[str]) -> str:
    """What stands for an unseen character: its number for what was no text where it came from, such as a file's name."""
    return f"\\u{ord(found[0]):04x}" if "\ud800" <= found[0] <= "\udfff" else " "


def said(text: object, most: int = MOST_WORDS) -> str:
    """Another's words, in quotation marks that they can't end themselves."""
    words = plain(text, most)
    return f"'{words}'" if "'" not in words else f'"{words.replace(chr(34), chr(39))}"'


def harmless(line: str) -> str:
    """A line of ours that is made of such pieces: nothing in it that a terminal obeys, whoever forgot to make a piece safe."""
    return UNSEEN.sub(" ", line)
