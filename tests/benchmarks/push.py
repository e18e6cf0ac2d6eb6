"""How a push measures up to the goals. By hand, never in the tests: `PYTHONPATH=.:tests python tests/benchmarks/push.py [N]`."""

from __future__ import annotations

import cProfile
import io
import json
import os
import pstats
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import loopback
from clinics import TAX_RATES, client, invoice, line, random_clinic
from conftest import clean_environment, command_line, sign_in
from pushing import RATE_LINKS

from caspen_xero.sandbox.server import Sandbox


def told(what: str, measured: float, goal: float, unit: str) -> None:
    """One line of the report: the measurement, the goal, and their ratio (1.00 or less is good)."""
    print(f"{what:<62} {measured:>10.3f} {unit:<8} goal {goal:>8.3f}   ratio {measured / goal:5.2f}", flush=True)


@contextmanager
def clinic(records: list[dict[str, Any]]) -> Iterator[tuple[Sandbox, dict[str, str]]]:
    """A connected workspace with these records, at a local Xero of its own; and the environment to run commands in."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Sandbox(auto_approve=True, minute_limit=10**6, day_limit=10**6) as box,
    ):
        home = Path(folder) / "home"
        sign_in(box.url, home)
        environment = clean_environment(CASPEN_XERO_HOME=str(home), XERO_URL=box.url)
        export = Path(folder) / "export.jsonl"
        export.write_text("".join(json.dumps(record) + "\n" for record in [*TAX_RATES, *records]))
        run(environment, "import", str(export))
        run(environment, "settings", "set", "--sales-account", "200", "--payment-account", "090")
        for rate, tax_type in RATE_LINKS:
            run(environment, "taxes", "map", rate, tax_type)
        loopback.delete(f"{box.url}/sandbox/requests")
        yield box, environment


def run(environment: dict[str, str], *arguments: str) -> tuple[dict[str, Any], float, float, int]:
    """Runs a command: its JSON, seconds by the clock, seconds of its own processor time, peak memory in kilobytes."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [*command_line(*arguments), "--json"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, said
    return json.loads(said), time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def people_with_an_invoice_each(count: int, *, paid: bool) -> list[dict[str, Any]]:
    """So many clients, each with one invoice, and (with `paid`) one payment."""
    records: list[dict[str, Any]] = [{"object": "payment_method", "id": "pmt", "name": "EFTPOS", "type": "eftpos"}]
    for number in range(count):
        made = invoice(f"INV-{number:06d}", [line("150.00"), line("33.35", "2")], client_id=f"{number}")
        records += [client(f"{number}", "Ana", f"Person {number}", email=f"ana{number}@example.org"), made]
        if paid:
            share = {"id": f"all_{number}", "invoice_id": made["id"], "amount": made["total"]}
            records.append(
                {
                    "object": "payment",
                    "id": f"pay_{number}",
                    "client_id": f"{number}",
                    "date": "2026-11-03",
                    "method_id": "pmt",
                    "amount": made["total"],
                    "status": "allocated",
                    "allocations": [share],
                }
            )
    return records


def first_push(count: int) -> None:
    with clinic(people_with_an_invoice_each(count, paid=True)) as (box, environment):
        summary, wall, cpu, memory = run(environment, "push")
        assert (summary["synced"], summary["unsynced"]) == (count, 0), summary
        told(
            f"calls, first push of {count} invoices, clients, payments",
            summary["api_calls"],
            66 * count / 1000,
            "calls",
        )
        told("own processor time per pushed invoice", (cpu - cpu_of_one()) / count * 1000, 1.0, "ms")
        print(f"    {wall:.2f} s by the clock, {memory / 1024:.0f} MB; payments: {summary['payments']}")
        log = loopback.get(f"{box.url}/sandbox/requests", timeout=60).json()["requests"]
        calls = Counter(f"{each['method']} {each['path'].removeprefix('/api.xro/2.0/')}" for each in log)
        print("    " + ", ".join(f"{number} {call}" for call, number in calls.items()))
        summary, *_ = run(environment, "push")
        told("calls, push with nothing new", summary["api_calls"], 1, "calls")


@cache
def cpu_of_one() -> float:
    """What a push costs before its second invoice: starting, importing, reading accounts and rates."""
    with clinic(people_with_an_invoice_each(1, paid=True)) as (_, environment):
        return run(environment, "push")[2]


def odd_push(count: int) -> None:
    records = [record for record in random_clinic(3, count, clients=count) if record["object"] != "tax_rate"]
    with clinic(records) as (_, environment):
        summary, _, cpu, _ = run(environment, "push")
        assert (summary["synced"], summary["unsynced"]) == (count, 0), summary
        told(f"calls, first push of {count} odd invoices (half cents, discounts)", summary["api_calls"], 46, "calls")
        told("own processor time per odd invoice", (cpu - cpu_of_one()) / count * 1000, 1.0, "ms")


def nothing_new(count: int) -> None:
    some = [client("1"), *(invoice(f"INV-{number}", client_id="1") for number in range(1, 3))]
    with clinic(some) as (_, environment):
        run(environment, "push")
        fill_up(Path(environment["CASPEN_XERO_HOME"]) / "default" / "store.sqlite", count)
        run(environment, "push")
        wall, memory = min(run(environment, "push")[1::2] for _ in range(3))
        told(f"push with nothing new, {count} invoices in the store", wall, 0.5, "s")
        told("    its memory", memory / 1024, 150, "MB")


def fill_up(file: Path, count: int) -> None:
    """Copies a synced invoice and its link so often that the store is large."""
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(file)) as store, store:
        for table, key, where in (
            ("invoices", "id", "id = 'inv_INV-1'"),
            ("links", "caspen_id", "kind = 'invoice' AND caspen_id = 'inv_INV-1'"),
        ):
            names = [row[1] for row in store.execute(f"PRAGMA table_info({table})") if row[1] != key]
            store.execute(
                f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
                f"INSERT INTO {table} ({key}, {', '.join(names)}) "
                f"SELECT 'copy_' || i, {', '.join(names)} FROM n, {table} WHERE {where}",
                (count,),
            )


def version() -> None:
    bare = "import typer; app = typer.Typer(); app.command()(lambda: None); app([], standalone_mode=False)"
    program = [sys.executable, "-c", bare]

    def best(command: list[str]) -> float:
        times = []
        for _ in range(15):
            started = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            times.append(time.perf_counter() - started)
        return min(times)

    told("--version against bare typer", best(command_line("--version")) / best(program), 1.2, "times")


def where_the_time_goes(count: int) -> None:
    with clinic(people_with_an_invoice_each(count, paid=False)) as (_, environment):
        os.environ |= environment
        from caspen_xero.cli.app import app

        profile = cProfile.Profile()
        sys.stdout = io.StringIO()
        try:
            profile.runcall(app, ["push", "--json"], standalone_mode=False)
        finally:
            sys.stdout = sys.__stdout__
        pstats.Stats(profile).sort_stats("cumtime").print_stats("caspen_xero", 60)


if __name__ == "__main__":
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    if "--profile" in sys.argv:
        where_the_time_goes(size)
    else:
        version()
        first_push(size)
        odd_push(size)
        nothing_new(100 * size)
        print(
            f"    (this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB, the sandbox in it)"
        )
