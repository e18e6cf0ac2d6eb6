"""What every command says of how the books stand, held against each other: never two that disagree."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from pushing import Clinic

TROUBLE = ("unsynced", "differs")


def states(clinic: Clinic) -> dict[str, str]:
    """The state of each invoice, by id, once every command that speaks of them was asked and agreed."""
    listed = {row["invoice_id"]: row for row in clinic.cli("invoices", "list", "--json").json["invoices"]}
    status = clinic.cli("status", "--json").json
    unsynced = clinic.unsynced()
    drift = clinic.cli("drift", "--json").json["drift"] if status["connected"] else []
    found = {id_: row["sync_status"] for id_, row in listed.items()}
    accepted = {id_ for id_, row in listed.items() if row["accepted"]}

    assert Counter(found.values()) == {state: n for state, n in status["invoices"].items() if n}
    assert status["accepted"] == len(accepted)
    in_trouble = {id_ for id_, state in found.items() if state in TROUBLE} - accepted
    rows = {row["invoice_id"] for row in unsynced if row["sync_status"] in TROUBLE}
    assert all(row["sync_status"] == found[row["invoice_id"]] for row in unsynced)
    assert rows == in_trouble
    assert {row["invoice_id"] for row in unsynced} - rows == {id_ for id_, state in found.items() if state == "pending"}
    assert status["in_order"] == (not in_trouble)
    differing = {id_ for id_, state in found.items() if state == "differs"} - accepted
    told = {row["invoice_id"] for row in drift}
    drafts = {
        id_ for id_, state in found.items() if state == "draft"
    }  # one that stands in Xero is told, and no trouble
    waiting = {row["invoice_id"] for row in unsynced if row["code"] == "not-in-caspen-yet"}
    assert differing <= told <= in_trouble | drafts | waiting
    for row in unsynced:
        assert row["code"], row
        assert row["reason"], row
        assert row["fix"], row
    for id_, row in listed.items():
        shown = clinic.cli("invoices", "show", id_, "--json").json
        assert shown["invoice"] == row
        rows_of_it = [row for row in unsynced if row["invoice_id"] == id_ and row["sync_status"] in TROUBLE]
        assert _told(shown["problems"]) == _told(rows_of_it)
    _words(clinic, found, accepted, status)
    if status["connected"]:
        checks = clinic.cli("doctor", "--json").json["checks"]
        (of_invoices,) = [check["ok"] for check in checks if check["name"] == "invoices"]
        assert of_invoices == status["in_order"]
        kept_out = [check["ok"] for check in checks if check["name"] in {row["code"] for row in unsynced}]
        assert all(kept_out) == status["in_order"]
    return found


def _told(rows: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return sorted((row["code"], row["reason"], row["fix"]) for row in rows)


def _words(clinic: Clinic, found: dict[str, str], accepted: set[str], status: dict[str, Any]) -> None:
    """The sentences for people."""
    to_be_there = [id_ for id_, state in found.items() if state in ("synced", "pending", *TROUBLE)]
    synced = [id_ for id_, state in found.items() if state == "synced"]
    for words in (clinic.cli("unsynced").stdout, clinic.cli("status").stdout):
        words = " ".join(words.split())
        if counted := re.search(r"(\d+) of (\d+) finalised", words):
            assert (int(counted[1]), int(counted[2])) == (len(synced), len(to_be_there))
        else:
            assert not to_be_there
    said = " ".join(clinic.cli("unsynced").stdout.split())
    assert ("Nothing is unsynced" in said) == (status["in_order"] and "pending" not in found.values())
    if status["connected"] and "Nothing differs" in clinic.cli("drift").stdout:
        assert "differs" not in {state for id_, state in found.items() if id_ not in accepted}


def ends(clinic: Clinic, command: str) -> int:
    """How push, pull or sync ends: with 3 while anything is unsynced or differs, in the words that `unsynced` bears out."""
    result = clinic.cli(command)
    status = clinic.cli("status", "--json").json
    assert result.exit_code == (0 if status["in_order"] else 3), result.stdout + result.stderr
    last = result.stderr.splitlines()[-1]
    for state, word in (
        ("unsynced", r"(\d+) invoices? (?:is|are) unsynced"),
        ("differs", r"(\d+) invoices? differs?\b"),
    ):
        told = re.search(word, last)
        number = status["invoices"][state] - (status["accepted"] if state == "differs" else 0)
        assert (int(told[1]) if told else 0) == number, last
    assert ("finalised" in last) == status["in_order"]
    return int(result.exit_code)
