"""How long the drivers of this folder look, and the odd things that they try: shortly in the test suite, at length by hand.

    python tests/fuzz/fuzzing.py 10m                              all of them at once, for so long (`just fuzz 10m`)
    FUZZ_SECONDS=600 pytest tests/fuzz/test_records.py            one of them, for so long
    FUZZ_EXAMPLES=50 pytest tests/fuzz/test_records.py            one of them, so many cases

FUZZ_AS_FOUND=1 tells what breaks as it was found, without the minutes that making it small takes.

In the suite the cases are always the same ones; elsewhere always new ones. What breaks is told in its smallest form; as a file in
`corpus/` (a list of records, or of changes to answers) it is tried for ever.
"""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

Case = TypeVar("Case")
Place = tuple[str | int, ...]

HERE = Path(__file__).parent
CORPUS = HERE / "corpus"
UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}
AT_A_TIME = 25
EXIT_CODES = {0, 1, 3, 5, 6}
"""Those that a command may end with, whatever it read: documented, and no wrong usage."""


def fuzz(check: Callable[[Case], None], cases: Any, *, examples: int) -> None:
    """Holds `check` against cases of a hypothesis strategy: `examples` of them, or as many as was asked for."""
    from hypothesis import HealthCheck, Phase, given, seed, settings

    def look(number: int, **more: Any) -> None:
        wanted = settings(
            max_examples=number,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate,) if os.environ.get("FUZZ_AS_FOUND") else (Phase.generate, Phase.shrink),
            **more,
        )

        def one(case: Case) -> None:
            check(case)

        (wanted if "derandomize" in more else lambda test: seed(random.getrandbits(64))(wanted(test)))(
            given(case=cases)(one)
        )()

    seconds, number = float(os.environ.get("FUZZ_SECONDS") or 0), int(os.environ.get("FUZZ_EXAMPLES") or 0)
    if not seconds:
        look(number or examples, **({} if number else {"derandomize": True}))
        return
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        look(AT_A_TIME)


def corpus(prefix: str) -> list[Path]:
    """The small cases that were wrong once, of one driver."""
    return sorted(CORPUS.glob(f"{prefix}-*"))


# --- odd things


def written(value: object) -> str:
    """JSON, with its raw pieces as they are."""
    text = json.dumps(value, default=str)
    return re.sub(r'"(?:raw:)((?:[^"\\]|\\.)*)"', lambda found: json.loads(f'"{found[1]}"'), text)


def raw(text: str) -> str:
    """A raw piece, for `written`."""
    return f"raw:{text}"


IDS: list[Any] = [
    "",
    " ",
    "../../x",
    "..",
    ".",
    "-INV-1",
    "--json",
    "a\nError: b",
    "a\r\n-> c",
    "\x00",
    "\x1b[31m",
    "\u202eabc",
    "é" * 40,
    "x" * 5000,
    "x" * 60,
    "a/b",
    "a,b",
    "a\\b",
    'a"b',
    "a'b",
    "a&b=c",
    "%00",
    "?",
    "#",
    "null",
    7,
    0,
    -1,
    True,
    "1048237",
    "1",
    "💶",
    "a" + "\t" + "b",
    "INV-0001",
    "inv_INV-0001",
    "b26fd49a-cbae-470a-a8f8-bcbc119e0379",
    "=1+1",
]
AMOUNTS: list[Any] = [
    "-1.00",
    "0",
    "0.00",
    "-0",
    "0.001",
    "0.005",
    "150.005",
    "1e3",
    "NaN",
    "Infinity",
    "1_000",
    "9" * 14,
    "9" * 30,
    "99999999999.99",
    " 1",
    "",
    "1,50",
    raw("1e999999"),
    raw("NaN"),
    raw("-Infinity"),
    raw("1" * 5000),
    raw("0." + "1" * 5000),
    1,
    0,
    -5,
    True,
    "0.01",
    "1000000.00",
]
DATES: list[Any] = [
    "0001-01-01",
    "9999-12-31",
    "2026-02-30",
    "2026-11-02T00:00:00Z",
    "2026-11-02T25:00:00Z",
    "0001-01-01T00:00:00Z",
    "tomorrow",
    "",
    20261102,
    "2026-1-2",
    "1969-12-31T23:59:59Z",
    "2026-11-02T03:04:05.123456789+14:00",
    "1900-01-01",
]
WORDS: list[Any] = [
    *("draft", "open", "paid", "void", "deleted", "allocated", "unallocated", "refunded", "issued", "Open"),
    *("none", "inclusive", "exclusive", "percentage", "fixed", "AUD", "aud", "USD", "XXX"),
    *("tax_rate", "client", "contact", "invoice", "payment", "credit_note", "appointment"),
]
SHAPES: list[Any] = [
    None,
    [],
    {},
    [[]],
    [None],
    {"a": {"b": [1]}},
    "",
    "text",
    1,
    0,
    True,
    False,
    raw("[" * 400 + "]" * 400),
    raw('{"a":1,"a":2}'),
    raw("1.5"),
    raw('"\\ud800"'),
    "\ud83d\ude00",
    ["x", 1],
    "\ufeff",
    raw("NaN"),
]


def pool(name: str) -> list[Any]:
    """What may stand in a field, odd or not so odd, by the field's name."""
    if name in {"amount", "subtotal", "tax", "total", "quantity", "unit_price", "value", "rate"}:
        return AMOUNTS
    if name == "id" or name.endswith("_id") or name in {"number", "name", "first_name", "last_name", "company"}:
        return IDS
    if name == "date" or name.endswith(("_date", "_at")):
        return DATES
    if name in {"status", "tax_mode", "currency", "object", "type"}:
        return WORDS
    return SHAPES


def places(value: object, above: Place = ()) -> Iterator[Place]:
    """Every place in a JSON value below its top."""
    if isinstance(value, dict | list):
        for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield (*above, name)
            yield from places(inner, (*above, name))


def changed(value: Any, place: Place, new: Callable[[dict[Any, Any] | list[Any], Any], None]) -> Any:
    """A copy of a JSON value in which `new` has changed what is at a place; it is given the container and the key."""
    copy = json.loads(json.dumps(value))
    inner = copy
    for step in place[:-1]:
        inner = inner[step]
    new(inner, place[-1])
    return copy


# --- at length


def main(span: str = "10m") -> int:
    """Every driver at once for so long; the exit code."""
    wanted = re.fullmatch(r"(\d+)([smh]?)", span)
    if wanted is None:
        print(f"{span} is no time such as 90s, 10m or 2h.", file=sys.stderr)
        return 2
    environment = os.environ | {"FUZZ_SECONDS": str(int(wanted[1]) * UNITS[wanted[2]])}
    drivers = sorted(HERE.glob("test_*.py"))

    def run(driver: Path) -> int:
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(driver)]
        ended = subprocess.run(
            command,
            cwd=HERE.parents[1],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        print(f"== {driver.name}: {'all is well' if ended.returncode == 0 else 'something is wrong'}", flush=True)
        if ended.returncode:
            print(ended.stdout, ended.stderr, sep="", flush=True)
        return ended.returncode

    with ThreadPoolExecutor(len(drivers)) as threads:
        return int(any(list(threads.map(run, drivers))))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
