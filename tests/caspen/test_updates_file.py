"""Payments handed to Caspen through `caspen-updates.jsonl`: each record whole, each id once, whatever happens."""

import json
import random
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from caspen_xero.caspen.feed import FeedError
from caspen_xero.caspen.updates import append_updates

APPEND_FOREVER = """
import sys, itertools
from pathlib import Path
from caspen_xero.caspen.updates import append_updates
print("ready", flush=True)
for batch in itertools.count(int(sys.argv[2])):
    ids = append_updates(Path(sys.argv[1]), [
        {"object": "xero_payment", "id": f"{batch}-{n}", "reference": "x" * 300} for n in range(50)
    ])
    print(ids[-1], flush=True)
"""
APPEND_ON_A_FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from caspen_xero.caspen.feed import FeedError
from caspen_xero.caspen.updates import append_updates
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    append_updates(Path(sys.argv[1]), [{"object": "xero_payment", "id": f"new-{n}"} for n in range(50)])
except FeedError as error:
    print(error.code)
"""


def update(record_id: str, **fields: Any) -> dict[str, Any]:
    return {"object": "xero_payment", "id": record_id, "invoice_id": "inv_001", "amount": Decimal("170.50"), **fields}


def in_file(folder: Path) -> list[str]:
    """The ids in the file, which must consist of whole lines."""
    text = (folder / "caspen-updates.jsonl").read_text()
    assert text == "" or text.endswith("\n")
    return [json.loads(line)["id"] for line in text.splitlines()]


def test_a_record_of_another_kind_with_the_same_id_stands_for_no_payment(tmp_path: Path) -> None:
    file = tmp_path / "caspen-updates.jsonl"
    file.write_text('{"object": "appointment", "id": "a"}\n{"object": "xero_payment", "id": "b"}\n{"id": "a"}')
    append_updates(tmp_path, [update("a"), update("b")])
    assert in_file(tmp_path) == ["a", "b", "a", "a"]


def test_records_are_appended_as_lines_with_exact_amounts(tmp_path: Path) -> None:
    assert append_updates(tmp_path, [update("a"), update("b", reference="Ł\n")]) == ["a", "b"]
    first, second = (tmp_path / "caspen-updates.jsonl").read_text().splitlines()
    assert first == '{"object": "xero_payment", "id": "a", "invoice_id": "inv_001", "amount": "170.50"}'
    assert json.loads(second)["reference"] == "Ł\n"


def test_an_id_is_appended_once_also_within_one_call(tmp_path: Path) -> None:
    append_updates(tmp_path, [update("a"), update("a")])
    assert append_updates(tmp_path, [update("a"), update("b")]) == ["a", "b"]
    assert in_file(tmp_path) == ["a", "b"]


def test_nothing_to_append_leaves_no_file(tmp_path: Path) -> None:
    assert append_updates(tmp_path, []) == []
    assert list(tmp_path.iterdir()) == []


def test_a_write_cut_at_any_byte_is_mended_by_the_next(tmp_path: Path) -> None:
    append_updates(tmp_path, [update("a"), update("b"), update("c")])
    file = tmp_path / "caspen-updates.jsonl"
    whole = file.read_bytes()
    for length in range(len(whole)):
        file.write_bytes(whole[:length])
        assert append_updates(tmp_path, [update("b"), update("c"), update("a")]) == ["b", "c", "a"]
        assert sorted(in_file(tmp_path)) == ["a", "b", "c"]


def test_zeros_left_by_a_power_cut_are_cut_off(tmp_path: Path) -> None:
    append_updates(tmp_path, [update("a")])
    with (tmp_path / "caspen-updates.jsonl").open("ab") as file:
        file.write(b"\0" * 500)
    append_updates(tmp_path, [update("b")])
    assert in_file(tmp_path) == ["a", "b"]


def test_a_whole_record_that_only_lost_its_line_break_is_kept(tmp_path: Path) -> None:
    append_updates(tmp_path, [update("delivered")])
    file = tmp_path / "caspen-updates.jsonl"
    file.write_bytes(file.read_bytes().rstrip(b"\n"))
    append_updates(tmp_path, [update("new")])
    assert in_file(tmp_path) == ["delivered", "new"]


def test_killed_at_random_moments_it_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    chance = random.Random(5)
    confirmed = 0
    for _ in range(6):
        process = subprocess.Popen(
            [sys.executable, "-c", APPEND_FOREVER, str(tmp_path), str(confirmed)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(chance.uniform(0.001, 0.06))
        process.send_signal(signal.SIGKILL)
        said = process.stdout.read().split()
        process.wait()
        confirmed = int(said[-1].split("-")[0]) if said else confirmed  # the last confirmed batch is sent again
    append_updates(tmp_path, [update("end")])
    ids = in_file(tmp_path)
    assert len(ids) == len(set(ids))
    assert {f"{batch}-{n}" for batch in range(confirmed + 1) for n in range(50)} <= {*ids}


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    append_updates(tmp_path, [update("a")])
    run = subprocess.run(
        [sys.executable, "-c", APPEND_ON_A_FULL_DISK, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert run.stdout == "updates-not-writable\n"
    assert in_file(tmp_path) == ["a"]


def test_a_folder_that_is_gone_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(FeedError) as error:
        append_updates(tmp_path / "gone", [update("a")])
    assert (error.value.code, error.value.exit_code) == ("updates-not-writable", 1)


def test_a_float_is_never_written(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        append_updates(tmp_path, [update("a", amount_due=0.1)])
    assert list(tmp_path.iterdir()) == []
