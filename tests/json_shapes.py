"""Every JSON document that a test gets, held against the schema that people are given for it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.protocols import Validator

from caspen_xero.cli.shapes.every import SHAPES, schema_of


def hold_against_its_schema(arguments: Sequence[str], written: str) -> None:
    """Fails where what a command line has written is no document of its command's shape."""
    command = command_of(arguments)
    if command not in SHAPES or not written.strip():
        return
    document = json.loads(written)
    if why := why_not(command, document):
        raise AssertionError(f"{command} --json is not as its schema says: {why}")


def command_of(arguments: Sequence[str]) -> str:
    """The command that a command line calls, as `SHAPES` has it; "" where it calls none of these."""
    words = [word for word in arguments if not word.startswith("-")]
    for number, word in enumerate(words):
        for command in (f"{word} {words[number + 1]}" if number + 1 < len(words) else "", word):
            if command in SHAPES:
                return command
    return ""


def why_not(command: str, document: Any) -> str:
    """Where a document is not of its command's shape; "" where it is."""
    validator = _validator(command)
    if validator.is_valid(document):
        return ""
    shapes = schema_of(command)["anyOf"]
    wanted = shapes[-1:] if "error" in document else shapes[:-1]
    told = []
    for one in wanted:
        errors = validator.evolve(schema={**schema_of(command), **one, "anyOf": [{}]}).iter_errors(document)
        told += [f"{error.json_path}: {error.message[:300]}" for error in errors]
    return "\n".join(told)


@cache
def _validator(command: str) -> Validator:
    schema = schema_of(command)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)
