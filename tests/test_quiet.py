"""A routine run with `--quiet` says what is new, once: mail from cron always means that something is to be done."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import in_xero
import pytest
from bookkeeping import clean_environment, command_line
from clinics import TAX_RATES, client, invoice, line, payment
from pushing import Clinic
from running import another_run

from caspen_xero.sync.books.books import Books, read_books

NELL = client("1048237", "Nell", "Okafor", email="nell@example.org")
UNKNOWN_RATE = {"object": "tax_rate", "id": "tax_odd", "name": "Levy", "rate": "0", "archived": False}


class Cron:
    """What cron does: it runs one command again and again, and mails whatever that says."""

    def __init__(self, clinic: Clinic, *command: str) -> None:
        self.clinic, self.command = clinic, command or ("sync", "--quiet")
        self.codes: list[int] = []

    def mail(self) -> str:
        """The mail of one run; "" for none."""
        done = self.clinic.cli(*self.command)
        self.codes.append(int(done.exit_code))
        return str(done.stdout + done.stderr)

    def mails(self, runs: int) -> list[str]:
        return [self.mail() for _ in range(runs)]


@pytest.fixture
def cron(ready: Clinic) -> Cron:
    """A clinic with a source, an invoice that is in Xero, and nothing to tell."""
    source = ready.home.parent / "export"
    source.mkdir()
    ready.cli("settings", "set", "--source", source)
    exports(ready, NELL, invoice())
    cron = Cron(ready)
    assert cron.mails(2) == ["", ""]
    assert cron.codes == [0, 0]
    cron.codes.clear()
    return cron


def exports(clinic: Clinic, *records: dict[str, Any]) -> None:
    """Caspen's export as it is from now on."""
    lines = "".join(json.dumps(record) + "\n" for record in (*TAX_RATES, *records))
    (clinic.home.parent / "export" / "all.jsonl").write_text(lines)


@pytest.fixture
def earlier(ready: Clinic) -> Callable[[timedelta], None]:
    """Lets time pass: all that was noted is so much longer ago."""

    def ago(text: str | None, gone: timedelta) -> str | None:
        if text is None:
            return None
        return (datetime.fromisoformat(text) - gone).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def pass_(gone: timedelta) -> None:
        for row in ready.sql("SELECT id, started_at, ended_at FROM log"):
            times = (ago(row["started_at"], gone), ago(row["ended_at"], gone))
            ready.sql("UPDATE log SET started_at = ?, ended_at = ? WHERE id = ?", *times, row["id"])
        for row in ready.sql("SELECT DISTINCT told_at FROM told"):
            ready.sql("UPDATE told SET told_at = ? WHERE told_at = ?", ago(row["told_at"], gone), row["told_at"])

    return pass_


ODD = invoice("INV-0002", [line(tax_rate_id="tax_odd")])


def test_ten_runs_in_a_row_mail_exactly_what_is_new(cron: Cron) -> None:
    clinic = cron.clinic
    exports(clinic, NELL, UNKNOWN_RATE, invoice(), ODD)
    first, *rest = cron.mails(3)
    assert "INV-0002 (Nell Okafor), 150.00 AUD: unsynced" in first
    assert "Levy" in first
    assert "-> caspen-xero taxes map" in first
    assert rest == ["", ""]
    in_xero.edits(clinic, "INV-0001", Status="VOIDED")
    second = cron.mail()
    assert "INV-0001 (Nell Okafor), 165.00 AUD: differs" in second
    assert "INV-0002" not in second
    assert cron.mails(2) == ["", ""]
    assert clinic.cli("taxes", "map", "Levy", "EXEMPTOUTPUT").exit_code == 0
    exports(clinic, NELL, UNKNOWN_RATE, invoice(), ODD, invoice("INV-0003"))
    assert cron.mail().count("INV-0003") == 0
    in_xero.pays(clinic, "INV-0003", "30.00")
    third = cron.mail()
    file = clinic.home.parent / "export" / "caspen-updates.jsonl"
    assert f"1 payment for Caspen, written to {file.name} in {file.parent}: INV-0003 30.00." in third
    assert cron.mails(2) == ["", ""]
    assert set(cron.codes) == {3}


def test_a_trouble_that_goes_and_comes_again_is_news_again(cron: Cron) -> None:
    exports(cron.clinic, NELL, UNKNOWN_RATE, invoice(), ODD)
    assert "INV-0002" in cron.mail()
    assert cron.mail() == ""
    cron.clinic.cli("invoices", "skip", "INV-0002")
    assert cron.mail() == ""
    cron.clinic.cli("invoices", "unskip", "INV-0002")
    assert "INV-0002" in cron.mail()
    assert cron.mail() == ""
    assert cron.codes == [3, 3, 0, 3, 3]


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize(("away", "mailed"), [(1, 0), (2, 0), (3, 1), (5, 1)])
def test_a_network_that_is_away_is_said_once_when_that_has_lasted(cron: Cron, away: int, mailed: int) -> None:
    for _ in range(2):  # a later time is a time of its own
        cron.clinic.control("faults", kind="503", path="/api.xro/", count=1000)
        mails = cron.mails(away)
        cron.clinic.all_is_well_in_xero()
        assert [mail != "" for mail in mails] == [run == 3 for run in range(1, away + 1)]
        assert sum(mail.startswith("Error: Xero") for mail in mails) == mailed
        assert set(cron.codes) == {6}
        cron.codes.clear()
        assert cron.mail() == ""
        assert cron.codes.pop() == 0


def test_another_run_is_said_once_when_it_has_lasted(cron: Cron) -> None:
    with another_run(cron.clinic):
        mails = cron.mails(5)
    assert [mail != "" for mail in mails] == [False, False, True, False, False]
    assert "Another caspen-xero run is active" in mails[2]
    assert cron.codes == [7] * 5
    assert cron.mail() == ""


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize(("hours", "is_told"), [(20, False), (30, True)])
def test_a_daily_run_says_at_its_second_try_that_the_network_is_away(
    cron: Cron, earlier: Callable[[timedelta], None], hours: int, is_told: bool
) -> None:
    cron.clinic.control("faults", kind="503", path="/api.xro/", count=1000)
    earlier(timedelta(hours=hours))
    assert ("Error: Xero" in cron.mail()) is is_told
    assert ("Error: Xero" in Cron(cron.clinic, "sync", "--quiet", "--max-age", "1h").mail()) is not is_told


def test_a_dead_sign_in_is_said_at_once_and_then_once_a_day(cron: Cron, earlier: Callable[[timedelta], None]) -> None:
    tokens = cron.clinic.home / "default" / "tokens.json"
    kept = tokens.read_text()
    tokens.unlink()
    assert "-> caspen-xero connect" in cron.mail()
    assert cron.mails(3) == ["", "", ""]
    earlier(timedelta(hours=23, minutes=55))
    assert "-> caspen-xero connect" in cron.mail()
    assert cron.mail() == ""
    assert set(cron.codes) == {4}
    tokens.write_text(kept)
    assert cron.mail() == ""
    tokens.unlink()
    assert "-> caspen-xero connect" in cron.mail()


def test_a_bad_record_that_no_invoice_tells_of_is_said_once(cron: Cron) -> None:
    bad = {"object": "client", "id": None}
    exports(cron.clinic, NELL, invoice(), bad)
    first = cron.mail()
    assert first.count("client") == 1
    assert "Correct it in Caspen" in first
    exports(cron.clinic, NELL, invoice(), invoice("INV-0007", status="draft"), bad)
    assert cron.mails(2) == ["", ""]
    exports(cron.clinic, NELL, invoice())
    assert cron.mail() == ""
    exports(cron.clinic, NELL, invoice(), bad)
    assert "client" in cron.mail()
    assert cron.codes == [3, 3, 3, 0, 3]


def test_what_a_person_runs_tells_all_and_takes_no_news_away(cron: Cron) -> None:
    exports(cron.clinic, NELL, UNKNOWN_RATE, invoice(), ODD)
    assert "1 invoice is unsynced" in cron.clinic.cli("sync").stderr
    assert cron.clinic.cli("sync", "--json", "--quiet").json["push"]["unsynced"] == 1
    assert "INV-0002" in cron.mail()
    assert cron.mail() == ""
    for _ in range(2):  # who names an invoice is told each time
        assert "There is no invoice" in cron.clinic.cli("push", "--quiet", "INV-9999").stderr


def test_where_nothing_can_be_remembered_all_is_said(cron: Cron, monkeypatch: pytest.MonkeyPatch) -> None:
    (cron.clinic.home / "default" / "tokens.json").unlink()
    assert cron.mail() != ""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("caspen_xero.store.told.told_since", full)
    assert all("-> caspen-xero connect" in mail for mail in cron.mails(2))


def test_a_store_that_can_not_be_used_is_said_each_time(cron: Cron) -> None:
    for file in Path(cron.clinic.store_file).parent.glob("store.sqlite*"):
        file.write_bytes(b"no store" * 1000)
    assert all(mail.startswith("Error: ") for mail in cron.mails(3))


def test_of_very_many_troubles_a_mail_has_a_few_lines(cron: Cron) -> None:
    some = [invoice(f"INV-{number:04}", [line(tax_rate_id="tax_odd")]) for number in range(100, 140)]
    exports(cron.clinic, NELL, UNKNOWN_RATE, invoice(), *some)
    mail = cron.mail()
    assert "INV-0100 (Nell Okafor)" in mail
    assert "  40 invoices, " in mail
    assert ".00 AUD: unsynced: " in mail
    assert "and 35 more" in mail
    assert len(mail.splitlines()) < 8
    assert cron.mail() == ""


def test_a_mail_tells_by_cause_with_count_and_money_and_most_money_first(cron: Cron) -> None:
    """Also where each invoice has a fix of its own."""
    bare = [invoice(f"INV-{number:04}", [], total="10.00", subtotal="10.00", tax="0.00") for number in range(300, 312)]
    dear = [invoice(f"INV-{number:04}", [line(tax_rate_id="tax_odd")]) for number in range(100, 140)]
    exports(cron.clinic, NELL, UNKNOWN_RATE, *bare, *dear)
    mail = cron.mail()
    assert mail.index("  40 invoices, ") < mail.index("  12 invoices, 120.00 AUD: unsynced: ")
    assert len(mail.splitlines()) < 12


# --- sequences, as cron meets them


def killed_between_pull_and_push(clinic: Clinic) -> int:
    """A routine sync that is killed after it has told Caspen what came back; gives its return code."""
    module = "caspen_xero.cli.sync"
    program = (
        f"import os, signal, {module} as module\n"
        "module.push_now = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)\n"
        "from caspen_xero.cli.app import app\n"
        "app(['sync', '--quiet'])\n"
    )
    env = clean_environment(CASPEN_XERO_HOME=str(clinic.home), XERO_URL=clinic.sandbox.url)
    here = Path(__file__).parents[1]
    return subprocess.run([command_line()[0], "-c", program], env=env, check=False, cwd=here).returncode


class Day:
    """One clinic and its faults, which come and go by name; `run` is one run from cron: its mail and its exit code."""

    def __init__(self, cron: Cron) -> None:
        self.cron, self.clinic = cron, cron.clinic
        self.tokens = cron.clinic.home / "default" / "tokens.json"
        self.kept = self.tokens.read_text()
        self.paid = 0

    def run(self, what: str) -> tuple[str, int]:
        clinic, run = self.clinic, None
        for one in what.split():
            match one:
                case "blip":
                    clinic.control("faults", kind="503", path="/api.xro/", count=1000)
                case "dead":
                    self.tokens.unlink(missing_ok=True)
                case "mended":
                    self.tokens.write_text(self.kept)
                case "bad":
                    exports(clinic, NELL, UNKNOWN_RATE, invoice(), ODD)
                case "good":
                    exports(clinic, NELL, invoice())
                case "nosource":
                    (clinic.home.parent / "export").rename(clinic.home.parent / "gone")
                case "source":
                    (clinic.home.parent / "gone").rename(clinic.home.parent / "export")
                case "paid":
                    self.paid += 1
                    in_xero.pays(clinic, "INV-0001", f"{self.paid}.00")
                case "loud":
                    clinic.cli("pull")
                case "lock" | "killed":
                    run = one
        if run == "killed":
            return "", killed_between_pull_and_push(clinic)
        with another_run(clinic) if run == "lock" else nullcontext():
            mail = self.cron.mail()
        clinic.all_is_well_in_xero()
        return mail, self.cron.codes[-1]


DEAD, AWAY, BUSY = "-> caspen-xero connect", "HTTP 503", "Another caspen-xero run is active"
SEQUENCES: dict[str, list[tuple[str, str, int]]] = {
    "blips and overlaps in turn have not lasted": [
        ("blip", "", 6),
        ("lock", "", 7),
        ("blip", "", 6),
        ("lock", "", 7),
        ("blip", "", 6),
        ("blip", "", 6),
        ("", "", 0),
        ("lock", "", 7),
        ("lock", "", 7),
        ("lock", BUSY, 7),
        ("lock", "", 7),
        ("blip", "", 6),
        ("blip", "", 6),
        ("blip", AWAY, 6),
        ("lock", "", 7),
        ("blip", "", 6),
        ("", "", 0),
    ],
    "a sign-in that is dead, mended and dead again, with blips between": [
        ("dead", DEAD, 4),
        ("lock", "", 7),
        ("", "", 4),
        ("mended blip", "", 6),
        ("dead", DEAD, 4),
        ("", "", 4),
        ("mended lock", "", 7),
        ("blip", "", 6),
        ("", "", 0),
        ("dead", DEAD, 4),
    ],
    "a source that is gone, comes back and goes again": [
        ("nosource", "export does not exist", 1),
        ("", "", 1),
        ("lock", "", 7),
        ("", "", 1),
        ("source blip", "", 6),
        ("nosource", "export does not exist", 1),
        ("source dead", DEAD, 4),
        ("nosource", "export does not exist", 1),
        ("source", "", 4),
        ("mended", "", 0),
    ],
    "what came back while runs are killed, and by a pull of a person": [
        ("paid killed", "", -9),
        ("lock", "", 7),
        ("blip", "INV-0001 1.00.", 6),
        ("", "", 0),
        ("paid loud", "1 payment for Caspen, written to caspen-updates.jsonl", 0),
        ("", "", 0),
        ("paid killed", "", -9),
        ("paid killed", "", -9),
        ("paid", "3 payments for Caspen", 0),
        ("dead", DEAD, 4),
        ("mended", "", 0),
    ],
    "new trouble among all this": [
        ("bad blip", "INV-0002 (Nell Okafor), 150.00 AUD: unsynced", 6),
        ("lock", "", 7),
        ("", "", 3),
        ("dead", DEAD, 4),
        ("mended blip", "", 6),
        ("good paid killed", "", -9),
        ("", "INV-0001 1.00.", 3),
        ("", "", 3),
    ],
}


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize("runs", SEQUENCES.values(), ids=[name.replace(" ", "-") for name in SEQUENCES])
def test_each_run_of_a_sequence_says_what_is_new(cron: Cron, runs: list[tuple[str, str, int]]) -> None:
    day = Day(cron)
    for number, (what, says, code) in enumerate(runs):
        mail, ended = day.run(what)
        assert (bool(mail), ended) == (bool(says), code), f"run {number}, {what}: {mail}"
        assert says in mail, f"run {number}, {what}"


def test_what_an_earlier_version_told_caspen_is_no_news(cron: Cron) -> None:
    in_xero.pays(cron.clinic, "INV-0001", "30.00")
    cron.clinic.cli("pull")
    cron.clinic.sql("UPDATE xero_payments SET told_to = ''")  # as the upgrade notes what was delivered before it
    assert cron.mails(2) == ["", ""]


def test_a_clinic_that_comes_to_cron_late_has_a_few_lines(cron: Cron) -> None:
    for cents in range(1, 13):
        in_xero.pays(cron.clinic, "INV-0001", f"1.{cents:02}")
    cron.clinic.cli("pull")
    mail = cron.mail()
    assert "12 payments for Caspen, written to" in mail
    assert "and 7 more" in mail
    assert len(mail.splitlines()) == 2
    assert cron.mail() == ""


def test_an_invoice_with_many_questions_is_named_once(cron: Cron) -> None:
    bad = [payment("10.00", ("inv_INV-0001", "10.00"), id_=f"pay_{nth}", date="no day") for nth in range(11)]
    exports(cron.clinic, NELL, invoice(), *bad)
    assert cron.mail().count("INV-0001 (Nell Okafor)") == 1
    assert len(cron.clinic.cli("unsynced", "--json").json["unsynced"]) == len(bad)
    assert "      for INV-0001\n" in cron.clinic.cli("unsynced", "--all").stdout


def test_a_workspace_linked_at_another_host_is_said_once_a_day(cron: Cron, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XERO_URL", "http://localhost:1")
    first, *rest = cron.mails(3)
    assert first.startswith("Error: ")
    assert rest == ["", ""]
    assert cron.codes == [4] * 3


def test_a_routine_sync_looks_at_the_books_after_its_pull_and_after_its_push_alone(
    cron: Cron, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[object] = []

    def counted(*arguments: Any) -> Books:
        looks.append(arguments)
        return read_books(*arguments)

    monkeypatch.setattr("caspen_xero.sync.books.books.read_books", counted)
    assert cron.mail() == ""
    assert len(looks) == 2
    assert cron.clinic.cli("invoices", "open", "INV-0001", "--json").json["xero_url"]
    assert len(looks) == 2
