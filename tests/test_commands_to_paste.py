"""Commands as they are printed: whatever an invoice, a rate or a method is called, a shell reads what was meant."""

from __future__ import annotations

import ast
import json
import re
import shlex
import subprocess
from typing import Any

import pytest
from clinics import EFTPOS, client, credit_note, invoice, line, payment
from house import HOUSE, MODULES, tree_of
from hypothesis import example, given
from hypothesis import strategies as st
from pushing import Clinic, commands_in

from caspen_xero.cli.app import GROUPS
from caspen_xero.commands import VERBS, can_be_pasted, handle, in_workspace, name_for, option, to_paste
from caspen_xero.sync.fix_commands import naming_its_own

ODD = [
    "a\nb",
    "it's",
    "a\0b",
    'a"b',
    "-INV-1",
    "a\\b",
    "..",
    ".",
    "; caspen-xero push",
    "--json",
    "y" * 450,
    "--",
    "a=b",
    "$(touch x)`y`!1",
    "😀",
    "id:0123456789abcdef",
    "a/../b?c=%2e#d",
    "x" * 400,
    "a\u202eb",
    "\x1b[2J",
    "  a  b ",
    "a,b",
    "~",
    "*",
]
WRONG = {"subtotal": "1.00", "tax": "0.00", "total": "1.00"}


def shell(script: str) -> list[list[str]]:
    """The arguments of each `caspen-xero` in a script, as a shell gives them to it."""
    told = r"""caspen-xero() { for each; do printf '%s\0' "$each"; done; printf '\1'; }"""
    done = subprocess.run(
        ["sh", "-c", told.replace("caspen-xero()", "caspen_xero()") + "\n" + script], capture_output=True
    )
    assert done.returncode == 0, done.stderr
    return [call.decode().split("\0")[:-1] for call in done.stdout.split(b"\1")[:-1]]


# By themselves


def test_a_shell_reads_every_argument_as_it_was_meant() -> None:
    names = [name for name in ODD if can_be_pasted(name)]
    assert len(names) > 12
    printed = [to_paste(f"push {option('--overwrite', name)}", name, "x") for name in names]
    read = shell("\n".join(each.replace("caspen-xero", "caspen_xero", 1) for each in printed))
    for name, words in zip(names, read, strict=True):
        plainly = [word for word in words if word != "--"] if name != "--" else words
        assert words[0] == "push"
        assert words[-2:] == [name, "x"]
        assert f"--overwrite={name}" in plainly or words[1:3] == ["--overwrite", name]
        assert "--" in words[:-2] or not name.startswith("-")


@given(st.text())
@example("")
def test_what_names_a_thing_can_always_be_pasted(text: str) -> None:
    name = name_for(text)
    assert can_be_pasted(name)
    assert name == text or name == handle(text)
    assert shlex.split(to_paste("push", name))[-1] == name


@given(st.lists(st.text().filter(can_be_pasted), min_size=1, max_size=3), st.sampled_from(["b", "-b", "w.x"]))
@example(["caspen-xero push"], "b")
@example(["x; caspen-xero pull", "it's"], "b")
@example(["--workspace", "x"], "b")
@example(["x --workspace=y"], "b")
def test_a_workspace_is_named_beside_arguments_and_never_in_them(names: list[str], workspace: str) -> None:
    for text in (to_paste("taxes map", *names), f"Do it, then: {to_paste('taxes map', *names)}"):
        told = in_workspace(text, workspace)
        words = shlex.split(told.partition(": ")[2] if told.startswith("Do it") else told)
        assert words[:3] == ["caspen-xero", "taxes", "map"]
        assert words[-len(names) :] == names
        assert sum(word.startswith("--workspace") for word in words[: -len(names)]) == 1
        assert in_workspace(told, workspace) == told


class OneInvoice:
    """The invoice `inv_1`, which is called 0002 now."""

    def means(self, name: str) -> set[str]:
        return {"inv_1"} if name in ("inv_1", "0002") else set()

    def number(self, invoice_id: str) -> str | None:
        return "0002"


@given(st.text().filter(can_be_pasted))
@example("caspen-xero push 0001")
@example("-1")
def test_an_invoice_is_renamed_in_its_own_place_alone(name: str) -> None:
    wanted = name if name in ("inv_1", "0002") else "0002"
    for what in ("push", "invoices link", "invoices link --force --with-payments"):
        told = shlex.split(naming_its_own(to_paste(what, name, "x"), "inv_1", OneInvoice()))
        assert told == ["caspen-xero", *what.split(), wanted, "x"]
    told = shlex.split(naming_its_own(to_paste(f"push {option('--overwrite', name)}"), "inv_1", OneInvoice()))
    assert told == ["caspen-xero", "push", "--overwrite", wanted]


GROUPED = ("settings", "taxes", "invoices", "payments", "contacts", "schedule")


def test_every_command_is_known_where_a_workspace_is_put_in() -> None:
    without = {"sandbox", "demo", "workspaces", "help", "schema", "version"}
    for names in GROUPS.values():
        for name in set(names) - without:
            assert re.match(rf"(?:{VERBS})\b", f"{name} list" if name in GROUPED else name), name


COMMAND_AND_PIECE = re.compile(rf"caspen-xero (?:{VERBS})( [a-z-]+)*[ =]$")


def test_no_command_is_made_by_hand() -> None:
    """What is put into a command goes through `commands.py`."""
    found = [
        (name, ast.unparse(node))
        for name, file in MODULES.items()
        if not str(file.relative_to(HOUSE)).startswith(("sandbox", "commands.py"))
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.JoinedStr)
        for before, piece in zip(node.values, node.values[1:], strict=False)
        if isinstance(before, ast.Constant)
        and COMMAND_AND_PIECE.search(str(before.value))
        and isinstance(piece, ast.FormattedValue)
    ]
    assert found == []


# In a clinic


def test_every_odd_invoice_has_a_fix_that_means_it(ready: Clinic) -> None:
    """Number and id are odd alike, so nothing usual names the invoice; its figures can't go, so it stays in `unsynced`."""
    odd = [invoice(name, id=f"{name}{name}", **WRONG) for name in ODD]
    ready.takes(client("1048237"), invoice("INV-0001"), *odd)
    assert ready.push().json["synced"] == 1
    rows = {row["invoice_id"]: row for row in ready.unsynced()}
    assert len(rows) == len(odd)
    for row in rows.values():
        command = commands_in(row["fix"])[-1]
        name = shlex.split(command)[-1]
        shown = ready.cli("invoices", "show", "--json", "--", name)
        assert shown.exit_code == 0, (command, row["invoice_id"][:50], shown.stdout)
        assert shown.json["invoice"]["invoice_id"] == row["invoice_id"], command
        assert ready.run(command).exit_code == 3


KINDS = ("client", "payer", "invoice", "payment", "allocation", "credit note", "line", "rate", "rate's name", "method")


@pytest.mark.parametrize("kind", KINDS)
def test_an_odd_id_of_any_record_stops_nothing(ready: Clinic, kind: str) -> None:
    def called(what: str, name: str, usual: str) -> str:
        return name if what == kind else usual

    feed: list[dict[str, Any]] = [client("1048237"), invoice("INV-0001")]
    for nth, name in enumerate(ODD[::2]):
        number, rate = f"INV-1{nth:03d}", called("rate", name, f"tax_{nth}")
        id_, method = called("invoice", name, f"inv_{nth}"), called("method", name, f"pmt_{nth}")
        whose, payer = called("client", name, f"c{nth}"), called("payer", name, f"con_{nth}")
        on_rate = [line("100.00", rate=rate if kind.startswith("rate") else "tax_gst")]
        made = invoice(number, on_rate, id=id_, client_id=whose, invoice_to_id=payer)
        made["lines"][0]["id"] = called("line", name, "lin_1")
        paid = payment("10.00", (id_, "10.00"), id_=called("payment", name, f"pay_{nth}"), method_id=method)
        paid["allocations"][0]["id"] = called("allocation", name, f"all_{nth}")
        note = credit_note(f"CN-{nth}", [line("5.00")], id=called("credit note", name, f"crn_{nth}"), invoice_id=id_)
        rate_name = called("rate's name", name, f"Rate {nth}")
        feed += [
            {**EFTPOS, "id": method, "name": f"Method {nth}"},
            {"object": "tax_rate", "id": rate, "name": rate_name, "rate": "0", "archived": False},
            {"object": "contact", "id": payer, "name": f"Fund {nth}"},
            client(whose, "Nell", f"Person {nth}"),
            *(made, paid, note),
        ]
    ready.cli("settings", "set", "--contact", "payer")
    ready.takes(*feed)
    ready.push()
    for row in ready.unsynced():  # a rate of 0 % is never guessed
        assert row["code"] == "tax-rate-not-linked"
        assert ready.chooses(row).exit_code == 0, row["fix"]
    ready.push()
    assert ready.unsynced() == []
    assert len(ready.in_xero()) == len(ODD[::2]) + 1
    assert ready.cli("pull").exit_code == 0
    assert json.loads(ready.cli("drift", "--json").stdout)["drift"] == []


def test_the_account_of_an_odd_method_is_chosen_as_printed(ready: Clinic) -> None:
    """Names and ids with `=`, quotes, line breaks: each payment's method has an account that is archived by now."""
    odd = ["a\nb", "a=b", "it's", "-INV-1", "id:0123456789abcdef", "; caspen-xero push", ".", "..", "x" * 400]
    methods = [
        {**EFTPOS, "id": f"{name}{name}", "name": name} for name in odd
    ]  # what one is called is the id of another
    feed: list[dict[str, Any]] = [client("1048237"), *methods]
    for nth, method in enumerate(methods):
        feed += [
            invoice(f"INV-{nth}", id=f"inv_{nth}"),
            payment("10.00", (f"inv_{nth}", "10.00"), id_=f"pay_{nth}", method_id=method["id"]),
        ]
    ready.takes(*feed)
    chosen = [word for method in methods for word in ("--payment-method", f"{handle(method['id'])}=855")]
    assert ready.cli("settings", "set", *chosen).exit_code == 0
    (account,) = [
        each for each in ready.cli("settings", "accounts", "--json").json["accounts"] if each["code"] == "855"
    ]
    ready.control(f"accounts/{account['account_id']}/archive")
    ready.push("--refresh")
    rows = ready.unsynced()
    assert {row["code"] for row in rows} == {"payment-account-unfit"}
    assert len(rows) == len(methods)
    shown = ready.cli("settings", "show", "--json").json["problems"]
    assert {problem["fix"] for problem in shown} == {row["fix"] for row in rows}
    for row in rows:
        assert ready.chooses(row, "090").exit_code == 0, row["fix"]
    assert ready.push("--refresh").exit_code == 0
    assert ready.unsynced() == []
