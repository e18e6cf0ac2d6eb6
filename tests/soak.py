"""Lives of `test_two_homes.py`, one after another on each processor, until the time is over: `just soak 20m`.

    python tests/soak.py [20m] [first seed]

Tells each life that goes wrong, and in the end how many were lived. A life is lived again by its seed:
`pytest tests/test_two_homes.py --first-life SEED --lives 1 --shrink`
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

AT_A_TIME = 5
UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}


def main(span: str = "20m", first: str = "0") -> int:
    """Lives until the time is over; the exit code."""
    wanted = re.fullmatch(r"(\d+)([smh]?)", span)
    if wanted is None:
        print(f"{span} is no time such as 90s, 20m or 2h.", file=sys.stderr)
        return 2
    ends = time.monotonic() + int(wanted[1]) * UNITS[wanted[2]]
    seeds, processors = count(int(first), AT_A_TIME), os.cpu_count() or 1

    def work(_: int) -> tuple[int, int]:
        lived = wrong = 0
        while time.monotonic() < ends:
            wrong += _live(next(seeds))
            lived += AT_A_TIME
        return lived, wrong

    with ThreadPoolExecutor(processors) as pool:
        done = list(pool.map(work, range(processors)))
    lived, wrong = (sum(numbers) for numbers in zip(*done, strict=True))
    print(f"{lived} lives, {wrong} of them wrong.")
    return int(wrong > 0)


def _live(seed: int) -> int:
    """Some lives; gives how many went wrong, and tells them."""
    command = ["-m", "pytest", "-p", "no:cacheprovider", "tests/test_two_homes.py", "-k", "befalls"]
    command += ["--first-life", str(seed), "--lives", str(AT_A_TIME)]
    ended = subprocess.run(
        [sys.executable, *command],
        cwd=Path(__file__).parents[1],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode == 0:
        return 0
    print(ended.stdout, ended.stderr, sep="", flush=True)
    return max(1, len(re.findall(r"^FAILED ", ended.stdout, re.MULTILINE)))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
