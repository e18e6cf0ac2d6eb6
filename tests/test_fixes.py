"""Every fix that `unsynced` prints, done as it says: the problem goes, or becomes another that is nearer to the end; never harm."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import fixes_of_credit_notes
import fixes_of_differences
import fixes_of_invoices
import fixes_of_payments
import fixes_of_settings
import in_xero
import pytest
from clinics import EFTPOS
from command_lines import why_not_taken
from oddities import OddWay
from pushing import Clinic, commands_in
from ways_out import NUMBER, Case, Scene, made_in_xero

from caspen_xero.sync.problems import ProblemCode

CASES = [
    *fixes_of_invoices.CASES.found,
    *fixes_of_payments.CASES.found,
    *fixes_of_credit_notes.CASES.found,
    *fixes_of_differences.CASES.found,
    *fixes_of_settings.CASES.found,
]
ENDS_AS_ANY_PUSH = (0, 3, 5)
READ_IN_CASPEN = (
    ProblemCode.BAD_RECORD,
    ProblemCode.CLIENT_MISSING,
    ProblemCode.DETAILS_PURGED,
    ProblemCode.TAX_RATE_MISSING,
    ProblemCode.PAYMENT_ASTRAY_IN_XERO,
)
"""What an export of Caspen's lacked, or had wrong: it goes as soon as a better one is read."""


@pytest.fixture
def scene(ready: Clinic, way: OddWay, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    with ExitStack() as meanwhile:
        yield Scene(ready, way, monkeypatch, meanwhile)


def test_every_code_has_a_case() -> None:
    assert {case.code for case in CASES} == set(ProblemCode)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_way_out_as_printed_is_one(scene: Scene, case: Case) -> None:
    clinic, acts = scene.clinic, case.story(scene)
    next(acts)
    row = next((each for each in clinic.unsynced() if each["code"] == case.code), None)
    assert row is not None, clinic.unsynced()
    printed = commands_in(row["reason" if case.by_reason else "fix"])
    assert printed, (row["fix"], row["reason"])
    assert_each_is_pasted_by_a_case(case, printed)
    assert {why_not_taken(shlex.split(each)) for each in commands_in(row["fix"]) + commands_in(row["reason"])} <= {""}
    next(acts, None)

    pasted = [printed[which] for which in case.runs or range(len(printed))]
    paste(scene, pasted, row)
    if not any(each.startswith("caspen-xero push") for each in pasted):
        clinic.push()  # as cron does
    left = [each["code"] for each in clinic.unsynced() if each["invoice_id"] == row["invoice_id"]]
    assert set(left) <= case.then, clinic.unsynced()
    assert bool(left) == bool(case.then)
    nothing_is_twice(clinic)

    if not case.then:
        before = made_in_xero(clinic)
        paste(scene, pasted, row, may_fail=True)
        assert made_in_xero(clinic) == before, "pasted once more it did something again"
        clinic.cli("pull")
        differs = [each for each in clinic.cli("drift", "--json").json["drift"] if each["number"] == row["number"]]
        assert case.apart or not differs, differs


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case.code in READ_IN_CASPEN],
    ids=lambda case: case.name,
)
def test_where_a_source_is_set_the_printed_commands_read_it_and_leave_no_path_to_be_filled_in(
    scene: Scene, case: Case
) -> None:
    clinic, acts = scene.clinic, case.story(scene)
    source = clinic.home.parent / "source"
    source.mkdir()
    (source / "export.jsonl").write_text(json.dumps(EFTPOS) + "\n")
    assert clinic.cli("settings", "set", "--source", source).exit_code == 0
    next(acts)
    row = next(each for each in clinic.unsynced() if each["code"] == case.code)
    printed = commands_in(row["fix"])
    assert printed
    assert "PATH" not in row["fix"]

    next(acts, None)
    if "PATH" in scene.means:
        with (source / "export.jsonl").open("a") as file:
            file.write(Path(scene.means["PATH"]).read_text())
    paste(scene, [printed[which] for which in case.runs or range(len(printed))][:1], row)
    left = [each["code"] for each in clinic.unsynced() if each["invoice_id"] == row["invoice_id"]]
    assert set(left) <= case.then, clinic.unsynced()


def paste(scene: Scene, commands: list[str], row: Mapping[str, Any], *, may_fail: bool = False) -> None:
    """As printed, with what a person has at hand for the words in capitals; one that asks is answered with the first choice."""
    asks = commands_in(row["fix"].rsplit(", then: ")[-1])[:1] if row["choices"] else []
    for command in commands:
        if [command] == asks:
            done = scene.clinic.chooses(row)
        else:
            words = [scene.means.get(word, word) for word in shlex.split(command)]
            done = scene.clinic.cli(*words[1:])
        assert may_fail or done.exit_code in ENDS_AS_ANY_PUSH, (command, done, row["fix"])


def assert_each_is_pasted_by_a_case(case: Case, printed: list[str]) -> None:
    """That a person is content with what differs is the same everywhere, and pasted for some codes."""
    alike = [one for one in CASES if (one.code, one.by_reason) == (case.code, case.by_reason)]
    if case.runs is None or any(one.runs is None for one in alike):
        return
    needed = {which for which, each in enumerate(printed) if not each.startswith("caspen-xero invoices accept ")}
    assert {which for one in alike for which in one.runs or ()} >= needed, "a command that no case pastes"


def nothing_is_twice(clinic: Clinic) -> None:
    clinic.in_xero()
    clinic.contacts()
    in_xero.credit_notes(clinic)
    names = Counter(one["Reference"] for one in in_xero.payments(clinic) if one["Reference"] != "Bank feed")
    assert [name for name, times in names.items() if times > 1] == []


def test_what_xero_refuses_the_same_way_twice_is_not_offered_just_the_same_again(scene: Scene) -> None:
    scene.xero_says("PUT", "Invoices", "Something that nobody has seen yet")
    scene.begins(fixes_of_invoices.invoice())
    told = []
    for _ in range(3):
        row = scene.clinic.problem()
        told.append(row["fix"])
        scene.clinic.run(row["fix"], commands_in(row["fix"]).index(f"caspen-xero push {NUMBER}"))
    assert told[0] != told[1]
    assert "2 times" in told[1]
    assert f"caspen-xero invoices skip {NUMBER}" in commands_in(told[1])
    assert "3 times" in told[2]


@pytest.mark.parametrize("what", ["invoice", "payment"])
def test_what_was_refused_before_a_link_that_is_taken_back_has_the_way_out_that_it_had(scene: Scene, what: str) -> None:
    clinic = scene.clinic
    if what == "invoice":
        scene.begins(fixes_of_invoices.invoice(lines=fixes_of_invoices.HUGE))
        linked = fixes_of_invoices.theirs(scene)
    else:
        scene.sent()
        scene.xero_says("PUT", "Payments", "Something that nobody has seen yet")
        scene.then_caspen_says(fixes_of_payments.paid())
        scene.xero_is_right_again()
        linked = in_xero.pays(clinic, NUMBER, "65.00")
    before = clinic.problem()
    assert before["code"] == "xero-refused"
    force = ["--force"] if what == "invoice" else []
    assert clinic.cli("invoices", "link", *force, NUMBER, linked).exit_code == 0
    assert clinic.cli("invoices", "unlink", NUMBER, linked).exit_code == 0
    told = clinic.problem()
    assert {name: told[name] for name in ("code", "reason", "fix")} == {
        name: before[name] for name in ("code", "reason", "fix")
    }


def test_what_is_void_in_xero_has_one_way_out_wherever_it_is_shown(scene: Scene) -> None:
    clinic = scene.clinic
    scene.sent()
    in_xero.edits(clinic, NUMBER, Status="VOIDED")
    clinic.takes(fixes_of_differences.paid())
    foretold = commands_in(clinic.cli("push", "--dry-run").stdout)
    clinic.cli("pull")
    fix = clinic.problem()["fix"]
    assert [each for each in foretold if each in commands_in(fix)] == commands_in(fix)
    (differs,) = clinic.cli("drift", "--json").json["drift"]
    (waits,) = clinic.cli("payments", "list", "--json").json["payments"]
    assert (differs["fix"], waits["fix"]) == (fix, fix)
