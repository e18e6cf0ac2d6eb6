"""How a proof measures up to the goals. By hand, never in the tests.

`PYTHONPATH=.:tests python tests/benchmarks/reconcile.py [N...]`; without sizes: 1,000 and 10,000 invoices, each with
its client and its payment. The books are pushed first, which takes minutes.
"""

from __future__ import annotations

import sys
from collections import Counter
from functools import cache

import loopback
from push import clinic, people_with_an_invoice_each, run, told

CALLS = {1_000: 7, 10_000: 25}
"""The most that a proof of so many invoices, with a payment each, may take."""


def proof(count: int) -> None:
    """One proof of books of so many invoices, which are equal."""
    with clinic(people_with_an_invoice_each(count, paid=True)) as (box, environment):
        run(environment, "push")
        loopback.delete(f"{box.url}/sandbox/requests")
        said, wall, cpu, memory = run(environment, "reconcile")
        assert (said["equal"], said["compared"], said["proved"]) == (True, count, count), said["differences"]
        most = next((calls for size, calls in CALLS.items() if count <= size), 25 * count // 10_000)
        told(f"calls, proof of {count:,} invoices with a payment each", said["api_calls"], most, "calls")
        told("own processor time per invoice", (cpu - cpu_of_one()) / count * 1000, 2.0, "ms")
        told("    its memory", memory / 1024, 600, "MB")
        print(f"    {wall:.2f} s by the clock")
        log = loopback.get(f"{box.url}/sandbox/requests", timeout=60).json()["requests"]
        calls = Counter(f"{each['method']} {each['path'].removeprefix('/api.xro/2.0/')}" for each in log)
        print("    " + ", ".join(f"{number} {call}" for call, number in calls.items()))


@cache
def cpu_of_one() -> float:
    """What a proof costs before its second invoice: starting, importing, making tables."""
    with clinic(people_with_an_invoice_each(1, paid=True)) as (_, environment):
        run(environment, "push")
        return run(environment, "reconcile")[2]


if __name__ == "__main__":
    for size in [int(one) for one in sys.argv[1:]] or [1_000, 10_000]:
        proof(size)
