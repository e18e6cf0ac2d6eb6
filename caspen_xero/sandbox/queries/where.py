"""Xero's `where` filters, parsed: comparisons of one field with one constant, joined with AND, OR, NOT and parentheses.

    Status=="AUTHORISED" AND Date>=DateTime(2026,01,01)      = and == are one, && and || too
    Invoice.InvoiceID==guid("...") OR Name.Contains("x")     StartsWith, EndsWith, ToLower, ToUpper as well, in any case
    EmailAddress!=null AND EmailAddress.StartsWith("x")      a method of a field that holds nothing has no answer
    Reference=="a 3"" nail"                                  a quote is doubled; a backslash is refused

A filter is parsed into a small tree and never becomes code or SQL text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from caspen_xero.sandbox.books.wire import read_date, read_id

Value = str | Decimal | bool | datetime | None
Lookup = Callable[[str], Value]


class FilterError(ValueError):
    """A filter that Xero would answer with a QueryParseException; the text says what it stumbled over."""


class NothingThere(Exception):
    """A method of a field that holds nothing: Xero breaks on it, so a filter asks for `!=null` first (pyxero#181, Xero's staff)."""


@dataclass(frozen=True)
class Compare:
    """`field op value`; `folds` are ToLower, ToUpper and ToString calls on the field; `op` may be a text test instead."""

    field: str
    op: str
    value: Value
    folds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Both:
    left: Filter
    right: Filter


@dataclass(frozen=True)
class Either:
    left: Filter
    right: Filter


@dataclass(frozen=True)
class Negated:
    inner: Filter


Filter = Compare | Both | Either | Negated

_TOKEN = re.compile(
    r'\s*(?:(?P<text>"(?:[^"]|"")*")|(?P<number>-?\d+(?:\.\d+)?)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)'
    r"|(?P<symbol>==|!=|<>|<=|>=|&&|\|\||[=<>()!.,]))"
)
_OPERATORS = {"=": "==", "==": "==", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_TESTS: dict[str, Callable[[str, str], bool]] = {
    "Contains": lambda text, part: part in text,
    "StartsWith": lambda text, part: text.startswith(part),
    "EndsWith": lambda text, part: text.endswith(part),
}
_FOLDS: dict[str, Callable[[str], str]] = {"ToLower": str.lower, "ToUpper": str.upper, "ToString": str}
_METHODS = {name.lower(): name for name in (*_TESTS, *_FOLDS)}
_DEEPEST = 60


def parse(text: str, fields: dict[str, str]) -> Filter:
    """Parses a filter over the named fields (lower-case name -> name). Raises FilterError."""
    if "\\" in text:
        raise FilterError("Syntax error '\\'")
    return _Parser(_tokens(text), fields).whole()


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    at, text = 0, text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise FilterError(f"Syntax error at '{text[at : at + 20]}'")
        found.append((str(match.lastgroup), match[str(match.lastgroup)]))
        at = match.end()
    return found


class _Parser:
    """Recursive descent over the tokens: OR of ANDs of terms."""

    def __init__(self, tokens: list[tuple[str, str]], fields: dict[str, str]) -> None:
        self.tokens = tokens
        self.fields = fields
        self.at = 0
        self.depth = 0

    def whole(self) -> Filter:
        found = self.any_of()
        if self.at < len(self.tokens):
            raise FilterError(f"Syntax error at '{self.tokens[self.at][1]}'")
        return found

    def peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def kind(self) -> str:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else "end"

    def take(self) -> str:
        if self.at >= len(self.tokens):
            raise FilterError("Expression expected")
        self.at += 1
        return self.tokens[self.at - 1][1]

    def accept(self, *words: str) -> bool:
        if self.kind() in ("symbol", "name") and self.peek().upper() in words:
            self.at += 1
            return True
        return False

    def expect(self, symbol: str) -> None:
        if not self.accept(symbol):
            raise FilterError(f"'{symbol}' expected")

    def any_of(self) -> Filter:
        found = self.all_of()
        while self.accept("OR", "||"):
            found = Either(found, self.all_of())
        return found

    def all_of(self) -> Filter:
        found = self.term()
        while self.accept("AND", "&&"):
            found = Both(found, self.term())
        return found

    def term(self) -> Filter:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise FilterError("Expression too deep")
        try:
            if self.accept("NOT", "!"):
                return Negated(self.term())
            if self.accept("("):
                found = self.any_of()
                self.expect(")")
                return found
            return self.comparison()
        finally:
            self.depth -= 1

    def comparison(self) -> Filter:
        if self.kind() != "name":
            raise FilterError(f"Syntax error at '{self.peek()}'" if self.peek() else "Expression expected")
        path = [self.take()]
        folds: list[str] = []
        while self.accept("."):
            word = self.take()
            word = _METHODS.get(word.lower(), word) if self.peek() == "(" else word
            if word in _TESTS:
                self.expect("(")
                part = self.constant()
                self.expect(")")
                if not isinstance(part, str):
                    raise FilterError(f"No applicable method '{word}' exists")
                outcome = not (self.kind() == "symbol" and self.peek() in _OPERATORS) or self.tail_of_test()
                test = Compare(self.known(path), word, part, tuple(folds))
                return test if outcome else Negated(test)
            if word in _FOLDS:
                self.expect("(")
                self.expect(")")
                folds.append(word)
            else:
                path.append(word)
        if self.kind() == "symbol" and self.peek() in _OPERATORS:
            return Compare(self.known(path), _OPERATORS[self.take()], self.constant(), tuple(folds))
        return Compare(self.known(path), "==", True)

    def tail_of_test(self) -> bool:
        """`.Contains("x")==true` and its like."""
        op, value = _OPERATORS[self.take()], self.constant()
        if not isinstance(value, bool) or op not in ("==", "!="):
            raise FilterError("Operator incompatible with operand types")
        return value if op == "==" else not value

    def known(self, path: list[str]) -> str:
        name = ".".join(path)
        if name.lower() not in self.fields:
            raise FilterError(f"No property or field '{path[-1]}' exists")
        return self.fields[name.lower()]

    def constant(self) -> Value:
        kind, text = self.kind(), self.take()
        if kind == "text":
            return text[1:-1].replace('""', '"')
        if kind == "number":
            return Decimal(text)
        word = text.lower()
        if word in ("true", "false"):
            return word == "true"
        if word == "null":
            return None
        if word == "guid":
            self.expect("(")
            inner = self.constant()
            self.expect(")")
            return read_id(inner)
        if word == "datetime":
            return self.moment()
        raise FilterError(f"Syntax error at '{text}'")

    def moment(self) -> datetime:
        try:
            if self.accept("."):
                if self.take().lower() != "parse":
                    raise FilterError("No applicable method exists in type 'DateTime'")
                self.expect("(")
                text = self.constant()
                self.expect(")")
                return _moment_of(str(text))
            self.expect("(")
            parts = [int(self.take())]
            while self.accept(","):
                parts.append(int(self.take()))
            self.expect(")")
            return datetime(*(parts[:6]))  # type: ignore[arg-type]
        except (ValueError, TypeError) as error:
            raise FilterError(f"No applicable constructor exists in type 'DateTime': {error}") from error


def _moment_of(text: str) -> datetime:
    """A date, or a date with a time (UTC unless it says another zone). Raises ValueError."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return datetime.fromisoformat(read_date(text))
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def matches(found: Filter, lookup: Lookup) -> bool:
    """Whether a document, whose fields `lookup` gives, passes.

    Raises FilterError where the types don't go together, NothingThere for a method of a field that holds nothing.
    """
    if isinstance(found, Both):
        return matches(found.left, lookup) and matches(found.right, lookup)
    if isinstance(found, Either):
        return matches(found.left, lookup) or matches(found.right, lookup)
    if isinstance(found, Negated):
        return not matches(found.inner, lookup)
    value = lookup(found.field)
    if value is None and (found.op in _TESTS or found.folds):
        raise NothingThere(found.field)
    if found.op in _TESTS:
        return _TESTS[found.op](_folded(value, found.folds), str(found.value))
    if found.folds:
        value = _folded(value, found.folds)
    return _compare(value, found.op, found.value, found.field)


def _folded(value: Value, folds: tuple[str, ...]) -> str:
    if not isinstance(value, str):
        raise FilterError("No applicable method exists for this field")
    for fold in folds:
        value = _FOLDS[fold](value)
    return value


def _compare(value: Value, op: str, wanted: Value, field: str) -> bool:
    if op in ("==", "!=") and (value is None or wanted is None):
        return (value == wanted) == (op == "==")
    if value is None or wanted is None:
        return False
    if type(value) is not type(wanted):
        raise FilterError(f"Operator '{op}' incompatible with operand types of '{field}'")
    if op == "==":
        return value == wanted
    if op == "!=":
        return value != wanted
    if isinstance(value, bool):
        raise FilterError(f"Operator '{op}' incompatible with operand types of '{field}'")
    if op in ("<", ">="):
        return (value < wanted) == (op == "<")  # type: ignore[operator]
    return (value > wanted) == (op == ">")  # type: ignore[operator]


def narrowed(found: Filter, columns: dict[str, str]) -> tuple[list[tuple[str, list[str]]], bool]:
    """Columns that must hold one of some values for the filter to pass, and whether that says all that the filter says."""
    if isinstance(found, Compare):
        if found.field in columns and found.op == "==" and isinstance(found.value, str) and not found.folds:
            return [(columns[found.field], [found.value])], True
        return [], False
    if isinstance(found, Both):
        left, left_exact = narrowed(found.left, columns)
        right, right_exact = narrowed(found.right, columns)
        return left + right, left_exact and right_exact
    if isinstance(found, Either):
        left, left_exact = narrowed(found.left, columns)
        right, right_exact = narrowed(found.right, columns)
        if len(left) == len(right) == 1 and left[0][0] == right[0][0]:
            return [(left[0][0], left[0][1] + right[0][1])], left_exact and right_exact
    return [], False
