"""`pull` and `sync` read the source first: Caspen is told of no money that it has already, and of none where that is not known."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import in_xero
import pytest
from bookkeeping import Bookkeeper
from clinics import EFTPOS, TAX_RATES, client, invoice, line
from pulling import payment, pull
from pushing import Clinic

from caspen_xero.caspen.api import ENDPOINTS, ApiFeed
from tests.caspen.caspen_server import CaspenServer

NUMBERS = ["INV-0001", "INV-0002", "INV-0003"]
EXPORT = [*TAX_RATES, EFTPOS, client("1048237"), *(invoice(number, [line("200.00")]) for number in NUMBERS)]


class Caspen(Protocol):
    """Caspen, whichever way it is reached. `told`: the ids that it was ever told, in order; one that came twice is there twice."""

    source: str

    def exports(self, *records: dict[str, Any]) -> None:
        """Caspen has these records, or has them like this now."""

    def takes_in(self) -> None:
        """Caspen records what it was told: as payments with their `xero_id`."""

    def told(self) -> list[str]: ...

    def takes_nothing(self) -> None:
        """The next payment is not taken."""

    def takes_again(self) -> None: ...


@dataclass
class InFiles:
    """A folder with the export, and Caspen's own hand in it."""

    folder: Path
    _taken: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.source = str(self.folder)
        self.updates = self.folder / "caspen-updates.jsonl"

    def exports(self, *records: dict[str, Any]) -> None:
        with (self.folder / "export.jsonl").open("a") as file:
            file.writelines(json.dumps(record) + "\n" for record in records)

    def takes_in(self) -> None:
        new = self._lines()
        self._taken += new
        self.updates.unlink(missing_ok=True)
        self.exports(
            *(
                payment(n, one["invoice_number"], one["amount"], id=f"pay_{one['id']}", xero_id=one["id"])
                for n, one in enumerate(new, 100)
            )
        )

    def told(self) -> list[str]:
        return [one["id"] for one in (*self._taken, *self._lines())]

    def takes_nothing(self) -> None:
        self.updates.mkdir()

    def takes_again(self) -> None:
        self.updates.rmdir()

    def _lines(self) -> list[dict[str, Any]]:
        return [json.loads(text) for text in self.updates.read_text().splitlines()] if self.updates.is_file() else []


@dataclass
class OnAServer:
    """Caspen's server, which records what it is told at once."""

    server: CaspenServer

    def __post_init__(self) -> None:
        self.source = self.server.url

    def exports(self, *records: dict[str, Any]) -> None:
        for record in records:
            self.server.put(record)

    def takes_in(self) -> None:
        """It did so when it was told."""

    def told(self) -> list[str]:
        return [str(one.idempotency_key) for one in self.server.requests if one.method == "POST"]

    def takes_nothing(self) -> None:
        self.server.answer_next(422, {"message": "Not now."}, method="POST")

    def takes_again(self) -> None:
        self.server.requests.clear()


@pytest.fixture(params=["files", "server"])
def caspen_side(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Caspen]:
    monkeypatch.setattr("caspen_xero.caspen.api.ApiFeed", partial(ApiFeed, sleep=lambda seconds: None))
    if request.param == "files":
        folder = tmp_path / "export"
        folder.mkdir()
        yield InFiles(folder)
        return
    with CaspenServer([]) as server:
        monkeypatch.setenv("CASPEN_API_KEY", server.key)
        yield OnAServer(server)


@pytest.fixture
def synced(ready: Clinic, caspen_side: Caspen) -> Clinic:
    """Three invoices of 220.00, read from the source and in Xero."""
    caspen_side.exports(*EXPORT)
    assert ready.cli("settings", "set", "--source", caspen_side.source).exit_code == 0
    assert ready.push().json["synced"] == 3
    ready.forget_calls()
    return ready


def sync(clinic: Clinic) -> Any:
    result = clinic.cli("sync", "--json")
    assert result.exit_code == 0, result.stdout + result.stderr
    return result.json


def settle_something(bookkeeper: Bookkeeper) -> None:
    bookkeeper.pays("INV-0001", "120.00", reconciled=True)
    bookkeeper.pays_together({"INV-0001": "10.00", "INV-0002": "20.00"})
    over = bookkeeper.receives_overpayment("INV-0003", "40.00")
    bookkeeper.allocates("overpayment", over, "INV-0003", "40.00")


# --- what Caspen has already


def test_a_copied_home_tells_nothing_that_the_first_one_has_told(
    synced: Clinic, bookkeeper: Bookkeeper, caspen_side: Caspen, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = replace(synced, home=synced.home.parent / "copied")
    shutil.copytree(synced.home, copied.home)
    settle_something(bookkeeper)
    assert sync(synced)["pull"]["payments"] == 4
    caspen_side.takes_in()
    told = caspen_side.told()
    assert sorted(told) == sorted(bookkeeper.made)
    monkeypatch.setenv("CASPEN_XERO_HOME", str(copied.home))
    for command in (("pull", "--dry-run"), ("pull",)):
        assert pull(copied, *command[1:])["payments"] == 0
    assert sync(copied)["pull"]["payments"] == 0
    assert caspen_side.told() == told
    assert copied.cli("drift", "--json").json["drift"] == []


def test_a_copied_home_tells_nothing_that_the_first_one_has_sent(
    synced: Clinic, caspen_side: Caspen, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = replace(synced, home=synced.home.parent / "copied")
    shutil.copytree(synced.home, copied.home)
    caspen_side.exports(payment(1, "INV-0001", "100.00"))
    assert sync(synced)["push"]["payments"] == 1
    monkeypatch.setenv("CASPEN_XERO_HOME", str(copied.home))
    done = sync(copied)
    assert (done["pull"]["payments"], done["push"]["payments"]) == (0, 0)
    assert caspen_side.told() == []
    assert len(copied.state("Payments")) == 1


def test_a_restored_store_tells_nothing_twice(
    synced: Clinic, bookkeeper: Bookkeeper, caspen_side: Caspen, tmp_path: Path
) -> None:
    shutil.copy(synced.store_file, tmp_path / "backup.sqlite")
    settle_something(bookkeeper)
    assert sync(synced)["pull"]["payments"] == 4
    caspen_side.takes_in()
    told = caspen_side.told()
    shutil.copy(tmp_path / "backup.sqlite", synced.store_file)
    assert sync(synced)["pull"]["payments"] == 0
    assert caspen_side.told() == told
    bookkeeper.pays("INV-0002", "1.00")
    assert sync(synced)["pull"]["payments"] == 1
    assert sorted(caspen_side.told()) == sorted(bookkeeper.made)


THIRTY = [f"INV-1{n:03d}" for n in range(30)]


@pytest.fixture
def thirty(ready: Clinic, caspen_side: Caspen) -> Clinic:
    """Thirty invoices in Xero, with a payment of Caspen's own on each."""
    caspen_side.exports(*TAX_RATES, EFTPOS, client("1048237"), *(invoice(number) for number in THIRTY))
    ready.cli("settings", "set", "--source", caspen_side.source)
    assert ready.push().json["synced"] == 30
    shutil.copytree(ready.home, ready.home.parent / "before")
    caspen_side.exports(*(payment(n, number, "20.00") for n, number in enumerate(THIRTY)))
    assert ready.push().json["payments"] == 30
    return ready


def paid_by_hand(clinic: Clinic) -> set[str]:
    """The ids of thirty payments of 10.00 that a bookkeeper entered."""
    return {in_xero.pays(clinic, number, "10.00") for number in THIRTY}


@pytest.mark.parametrize("what", ["a copied home", "a restored store"])
@pytest.mark.parametrize("export", ["is read", "is the older one", "has gone", "is unset"])
def test_an_older_store_tells_nothing_that_was_sent_or_told_whatever_becomes_of_the_export(
    thirty: Clinic, caspen_side: Caspen, what: str, export: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = paid_by_hand(thirty)
    assert pull(thirty)["payments"] == 30
    assert set(caspen_side.told()) == theirs
    if what == "a copied home":
        monkeypatch.setenv("CASPEN_XERO_HOME", str(thirty.home.parent / "before"))
    else:
        shutil.copy(thirty.home.parent / "before" / "default" / "store.sqlite", thirty.store_file)
    if export == "is the older one":  # it knows nothing of the thirty payments that were sent
        if isinstance(caspen_side, InFiles):
            lines = (caspen_side.folder / "export.jsonl").read_text().splitlines(keepends=True)
            (caspen_side.folder / "export.jsonl").write_text("".join(one for one in lines if '"payment"' not in one))
        else:
            assert isinstance(caspen_side, OnAServer)
            for key in [key for key in caspen_side.server.records if key[0] == "payment"]:
                del caspen_side.server.records[key]
    elif export == "has gone":
        if isinstance(caspen_side, InFiles):
            caspen_side.folder.rename(caspen_side.folder.parent / "away")
        else:
            monkeypatch.setenv("CASPEN_API_KEY", "wrong")
    elif export == "is unset":
        assert thirty.cli("settings", "set", "--source", "none").exit_code == 0
    for _ in range(2):
        done = thirty.cli("pull", "--json")
        if export == "has gone":
            assert (done.exit_code, done.json["error"]["message"].endswith("what Caspen has already.")) == (1, True)
        elif export == "is unset" and isinstance(
            caspen_side, OnAServer
        ):  # that Caspen takes it elsewhere is not guessed
            assert (done.exit_code, done.json["stopped"]["code"]) == (1, "nowhere-to-deliver")
        else:
            in_order = thirty.cli("status", "--json").json[
                "in_order"
            ]  # some were voided in Xero, and credits taken off
            assert done.exit_code == (0 if in_order else 3)
    if isinstance(caspen_side, InFiles) and export == "has gone":
        (caspen_side.folder.parent / "away").rename(caspen_side.folder)
    told = caspen_side.told()
    assert set(told) == theirs
    if isinstance(caspen_side, InFiles):
        assert len(told) == 30
    elif isinstance(caspen_side, OnAServer):
        assert caspen_side.server.received.keys() == theirs


@pytest.mark.parametrize("caspen_side", ["files"], indirect=True)
def test_a_restored_store_and_an_updates_file_that_is_cut_off_tell_each_payment_once(
    synced: Clinic, bookkeeper: Bookkeeper, caspen_side: InFiles, tmp_path: Path
) -> None:
    shutil.copy(synced.store_file, tmp_path / "backup.sqlite")
    settle_something(bookkeeper)
    assert pull(synced)["payments"] == 4
    whole = caspen_side.updates.read_text()
    for kept in (
        len(whole) - 30,
        len(whole) - 1,
        len(whole),
    ):  # in the middle of the last line, before its break, whole
        caspen_side.updates.write_text(whole[:kept])
        shutil.copy(tmp_path / "backup.sqlite", synced.store_file)
        pull(synced)
        assert sorted(caspen_side.told()) == sorted(bookkeeper.made)


@pytest.mark.parametrize("command", ["pull", "sync"])
def test_money_that_somebody_entered_on_both_sides_is_not_told(
    synced: Clinic, bookkeeper: Bookkeeper, caspen_side: Caspen, command: str
) -> None:
    bookkeeper.pays("INV-0001", "50.00", reference="Cash at desk")
    caspen_side.exports(payment(1, "INV-0001", "50.00", date="2026-11-17"))  # the bank has it three days later
    assert pull(synced, "--dry-run")["payments"] == 0
    synced.cli(command)
    assert caspen_side.told() == []
    synced.push()
    assert synced.problem()["code"] == "payment-maybe-already-in-xero"


def test_sync_reads_the_source_once(synced: Clinic, caspen_side: Caspen) -> None:
    caspen_side.exports(invoice("INV-0009", [line("200.00")]))
    if isinstance(caspen_side, OnAServer):
        caspen_side.server.requests.clear()
    done = synced.cli("sync")
    assert done.exit_code == 0
    assert done.stdout.count("Imported ") == 1
    assert "INV-0009" in synced.in_xero()
    if isinstance(caspen_side, OnAServer):
        asked = [(one.method, one.path) for one in caspen_side.server.requests]
        assert asked == [("GET", f"/v1/{lists}") for lists in ENDPOINTS.values()]


@pytest.mark.parametrize("command", [("pull",), ("pull", "--dry-run"), ("sync",)])
def test_bad_records_are_named_and_the_rest_goes_on(
    synced: Clinic, bookkeeper: Bookkeeper, caspen_side: Caspen, command: tuple[str, ...]
) -> None:
    bookkeeper.pays("INV-0001", "5.00")
    caspen_side.exports(invoice("INV-0009", [line("200.00")], total="much"))
    done = synced.cli(*command, "--json")
    assert done.exit_code == 3
    assert "1 bad record was left out" in done.stderr
    assert (done.json["pull"] if command == ("sync",) else done.json)["payments"] == 1


# --- a source that can't be read


@dataclass(frozen=True)
class Trouble:
    """What happens to the source, and how a command that needs it ends."""

    begins: Callable[[Caspen, pytest.MonkeyPatch], None]
    ends: Callable[[Caspen, pytest.MonkeyPatch], None]
    side: type[InFiles] | type[OnAServer]
    code: str
    exit_code: int


def _away(caspen: Any, patch: pytest.MonkeyPatch) -> None:
    caspen.folder.rename(caspen.folder.parent / "away")


def _back(caspen: Any, patch: pytest.MonkeyPatch) -> None:
    (caspen.folder.parent / "away").rename(caspen.folder)


def _half_written(caspen: Any, patch: pytest.MonkeyPatch) -> None:
    (caspen.folder / "next.jsonl").write_text(json.dumps(payment(7, "INV-0001", "1.00"))[:-40])


def _written(caspen: Any, patch: pytest.MonkeyPatch) -> None:
    (caspen.folder / "next.jsonl").unlink()


def _down(caspen: Any, patch: pytest.MonkeyPatch) -> None:
    caspen.server.answer_next(503, times=1000)


def _up(caspen: Any, patch: pytest.MonkeyPatch) -> None:
    caspen.server.answer_as_usual()


def _other_key(caspen: Any, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("CASPEN_API_KEY", "wrong")


def _right_key(caspen: Any, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("CASPEN_API_KEY", caspen.server.key)


def _emptied(caspen: Any, patch: pytest.MonkeyPatch) -> None:
    (caspen.folder / "export.jsonl").rename(caspen.folder.parent / "aside")


def _filled(caspen: Any, patch: pytest.MonkeyPatch) -> None:
    (caspen.folder.parent / "aside").rename(caspen.folder / "export.jsonl")


def _partly_away(caspen: Any, patch: pytest.MonkeyPatch) -> None:
    """One of its files is a link to a disk that is not there."""
    (caspen.folder / "next.jsonl").symlink_to(caspen.folder.parent / "not-mounted.jsonl")


def _one_list_fails(caspen: Any, patch: pytest.MonkeyPatch) -> None:
    caspen.server.answer_next(500, path="/v1/payments", times=1000)


TROUBLES = {
    "empty": Trouble(_emptied, _filled, InFiles, "no-feed-files", 1),
    "partly away": Trouble(_partly_away, _written, InFiles, "unreadable", 1),
    "partly down": Trouble(_one_list_fails, _up, OnAServer, "caspen-unavailable", 6),
    "gone": Trouble(_away, _back, InFiles, "file-not-found", 1),
    "half-written": Trouble(_half_written, _written, InFiles, "broken-off", 1),
    "down": Trouble(_down, _up, OnAServer, "caspen-unavailable", 6),
    "key refused": Trouble(_other_key, _right_key, OnAServer, "caspen-key-refused", 1),
}


@pytest.mark.parametrize(
    ("caspen_side", "name"),
    [("files" if trouble.side is InFiles else "server", name) for name, trouble in TROUBLES.items()],
    indirect=["caspen_side"],
)
def test_where_the_source_cannot_be_read_nothing_is_pulled_told_or_sent_and_that_is_said(
    synced: Clinic, bookkeeper: Bookkeeper, caspen_side: Caspen, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    trouble = TROUBLES[name]
    bookkeeper.pays("INV-0001", "5.00")
    caspen_side.takes_nothing()
    synced.cli("pull")  # so that something waits
    caspen_side.takes_again()
    bookkeeper.pays("INV-0002", "6.00")
    synced.takes(invoice("INV-0009", [line("200.00")]))
    trouble.begins(caspen_side, monkeypatch)
    synced.forget_calls()
    for command in (("pull",), ("pull", "--dry-run"), ("pull", "--full"), ("sync",)):
        stopped = synced.cli(*command, "--json")
        error = stopped.json["error"]
        assert (stopped.exit_code, error["code"], error["exit_code"]) == (
            trouble.exit_code,
            trouble.code,
            trouble.exit_code,
        )
        assert "told to Caspen" in error["message"]
        assert error["message"].endswith("as it is not known what Caspen has already.")
        in_words = synced.cli(*command)
        assert (in_words.exit_code, in_words.stdout) == (trouble.exit_code, "")
        assert in_words.stderr.startswith("Error: ")
        assert error["message"] in in_words.stderr
        assert f"-> {error['fix']}" in in_words.stderr
        quiet = synced.cli(*command, "--quiet")
        assert quiet.exit_code == trouble.exit_code
        # With --quiet what a person has to mend is said once, and what may pass by itself once it has lasted for three runs. A dry
        # run, which is none of cron's, says it each time.
        is_news = "--dry-run" in command or "--full" not in command
        assert (error["message"] in quiet.stderr) is is_news
    assert "Nothing was sent to Demo Company (AU)." in synced.push().json["error"]["message"]
    assert synced.calls() == []
    assert caspen_side.told() == []
    assert "INV-0009" not in synced.in_xero()
    trouble.ends(caspen_side, monkeypatch)
    assert sync(synced)["pull"]["payments"] == 2
    assert sorted(caspen_side.told()) == sorted(bookkeeper.made)
    assert "INV-0009" in synced.in_xero()


def test_without_a_source_what_was_imported_last_is_what_is_known(ready: Clinic) -> None:
    ready.takes(*EXPORT)
    ready.push()
    bookkeeper = Bookkeeper(ready.sandbox.url)
    bookkeeper.pays("INV-0001", "50.00")
    ready.takes(payment(1, "INV-0001", "50.00", date="2026-11-20"))
    assert pull(ready)["payments"] == 0
    bookkeeper.pays("INV-0001", "7.00")
    assert pull(ready)["payments"] == 1


def test_without_a_connection_that_is_what_is_said(cli: Any, home: Path, tmp_path: Path) -> None:
    (tmp_path / "export").mkdir()
    cli("settings", "set", "--source", tmp_path / "export")
    for command in ("pull", "sync", "push"):
        assert cli(command, "--json").json["error"]["code"] == "not-connected"


# --- what an earlier run could not deliver


@pytest.fixture
def waits(synced: Clinic, bookkeeper: Bookkeeper, caspen_side: Caspen) -> str:
    """The id of a payment of 50.00 on INV-0001 that was recorded, but not delivered."""
    xero_id = bookkeeper.pays("INV-0001", "50.00")
    caspen_side.takes_nothing()
    assert synced.cli("pull").exit_code in (1, 3)
    caspen_side.takes_again()
    assert [row["code"] for row in synced.cli("drift", "--json").json["drift"]] == ["not-in-caspen-yet"]
    return xero_id


def held(clinic: Clinic, *codes: str) -> dict[str, Any]:
    """What a pull holds back, in words and on both ways the same: the one entry of its JSON."""
    (entry,) = pull(clinic)["held"]
    in_words = clinic.cli("pull")
    assert in_words.exit_code == 3
    assert [row["code"] for row in clinic.unsynced() if row["number"] == "INV-0001"] == list(codes)
    assert entry["fix"] in in_words.stderr
    rows = [row for row in clinic.cli("drift", "--json").json["drift"] if row["code"] == "not-in-caspen-yet"]
    assert [row["fix"] for row in rows] == [entry["fix"]]
    return dict(entry)


def test_what_waits_and_is_still_news_is_told(synced: Clinic, caspen_side: Caspen, waits: str) -> None:
    assert pull(synced)["payments"] == 1
    assert caspen_side.told() == [waits]


def test_what_waits_and_caspen_names_by_now_is_not_told(synced: Clinic, caspen_side: Caspen, waits: str) -> None:
    parts = [{"id": f"all_{part}", "invoice_id": "inv_INV-0001", "amount": "25.00"} for part in "ab"]
    caspen_side.exports(payment(1, "INV-0001", "50.00", xero_id=waits, allocations=parts))
    assert pull(synced)["payments"] == 0
    assert synced.cli("drift", "--json").json["drift"] == []
    assert caspen_side.told() == []


def test_what_waits_and_caspen_has_had_and_voided_is_not_told(synced: Clinic, caspen_side: Caspen, waits: str) -> None:
    caspen_side.exports(payment(1, "INV-0001", "50.00", xero_id=waits, status="void", allocations=[]))
    assert pull(synced)["payments"] == 0
    assert "held" not in pull(synced)
    assert caspen_side.told() == []


@pytest.mark.parametrize(("number", "amount"), [("INV-0002", "50.00"), ("INV-0001", "40.00")])
def test_what_waits_and_caspen_names_for_something_else_is_held_until_that_is_corrected(
    synced: Clinic, caspen_side: Caspen, waits: str, number: str, amount: str
) -> None:
    caspen_side.exports(payment(1, number, amount, xero_id=waits))
    entry = held(synced, "payment-xero-id-wrong")
    assert (entry["id"], "pay_1" in entry["message"]) == (waits, True)
    assert caspen_side.told() == []
    later = {"updated_at": "2027-01-01T00:00:00Z"}
    caspen_side.exports(payment(1, number, amount, **later))
    assert pull(synced)["payments"] == 1
    assert caspen_side.told() == [waits]


def test_what_waits_and_caspen_named_for_something_else_is_known_once_it_is_corrected(
    synced: Clinic, caspen_side: Caspen, waits: str
) -> None:
    caspen_side.exports(payment(1, "INV-0002", "50.00", xero_id=waits))
    held(synced, "payment-xero-id-wrong")
    caspen_side.exports(payment(1, "INV-0001", "50.00", xero_id=waits, updated_at="2027-01-01T00:00:00Z"))
    done = sync(synced)
    assert (done["pull"]["payments"], done["push"]["payments"]) == (0, 0)
    assert caspen_side.told() == []
    assert synced.cli("drift", "--json").json["drift"] == []


def test_what_waits_and_may_be_the_same_money_is_held_and_known_once_a_person_says_so(
    synced: Clinic, caspen_side: Caspen, waits: str
) -> None:
    caspen_side.exports(payment(1, "INV-0001", "50.00", date="2026-11-20"))
    fix = held(synced, "payment-maybe-already-in-xero")["fix"]
    command = fix.split("; ")[0].partition(": ")[2]
    assert command == f"caspen-xero invoices link INV-0001 {waits}"
    assert synced.run(command).exit_code == 0
    done = sync(synced)
    assert (done["pull"]["payments"], done["push"]["payments"]) == (0, 0)
    assert caspen_side.told() == []
    assert len(synced.state("Payments")) == 1


def test_what_waits_and_is_other_money_is_told_once_a_person_says_so(
    synced: Clinic, caspen_side: Caspen, waits: str
) -> None:
    caspen_side.exports(payment(1, "INV-0001", "50.00", date="2026-11-20"))
    command = held(synced, "payment-maybe-already-in-xero")["fix"].rpartition(": ")[2]
    assert command == "caspen-xero push --pay-anyway INV-0001"
    assert synced.run(command).exit_code == 0
    assert sync(synced)["pull"]["payments"] == 1
    assert caspen_side.told() == [waits]
    assert len(synced.state("Payments")) == 2


# Of an equal amount a bank's date may be days later, so another day alone makes it no other payment.
@pytest.mark.parametrize("change", [{"status": "void"}, {"amount": "51.00"}])
def test_what_waits_and_is_like_no_payment_to_be_sent_is_told(
    synced: Clinic, caspen_side: Caspen, waits: str, change: dict[str, str]
) -> None:
    entered = {"date": "2026-11-20", "amount": "50.00"} | change
    caspen_side.exports(payment(1, "INV-0001", **entered))
    assert pull(synced)["payments"] == 1
    assert caspen_side.told() == [waits]


def test_what_is_in_doubt_on_an_invoice_that_is_set_aside_stays_held(
    synced: Clinic, caspen_side: Caspen, waits: str
) -> None:
    caspen_side.exports(payment(1, "INV-0001", "50.00", date="2026-11-20"))
    held(synced, "payment-maybe-already-in-xero")
    synced.cli("invoices", "skip", "INV-0001")
    assert [one["id"] for one in pull(synced)["held"]] == [waits]
    assert caspen_side.told() == []


def test_what_waits_and_the_bank_feed_has_brought_for_caspens_own_payment_is_known(
    synced: Clinic, caspen_side: Caspen, waits: str
) -> None:
    synced.cli("settings", "set", "--payments", "off")
    caspen_side.exports(payment(1, "INV-0001", "50.00", date="2026-11-17"))
    assert pull(synced)["payments"] == 0
    assert caspen_side.told() == []
    assert synced.cli("drift", "--json").json["drift"] == []


# --- a payment that can't be read


@pytest.mark.parametrize("command", ["pull", "sync"])
def test_while_a_payment_of_caspens_can_not_be_read_nothing_is_told_for_it_may_be_the_same(
    synced: Clinic, bookkeeper: Bookkeeper, caspen_side: Caspen, command: str
) -> None:
    theirs = bookkeeper.pays("INV-0001", "50.00")
    other = bookkeeper.pays("INV-0002", "20.00")
    caspen_side.exports(payment(1, "INV-0001", "50.00", xero_id=theirs, date="3/11/2026"))
    for _ in range(2):  # until it is corrected
        done = synced.cli(command, "--json")
        assert done.exit_code == 3
        pulled = done.json["pull"] if command == "sync" else done.json
        assert pulled["stopped"]["code"] == "payment-unreadable"
        assert caspen_side.told() == []
    said = synced.cli(command)
    assert (
        "wait to be told to Caspen: a payment of Caspen's could not be read, and may be the same money"
        in in_one_line(said.stderr)
    )
    caspen_side.exports(payment(1, "INV-0001", "50.00", xero_id=theirs))
    synced.cli(command)
    assert caspen_side.told() == [other]


def test_a_dry_pull_says_that_nothing_would_be_told(
    synced: Clinic, bookkeeper: Bookkeeper, caspen_side: Caspen
) -> None:
    bookkeeper.pays("INV-0001", "50.00")
    caspen_side.exports(payment(1, "INV-0001", "50.00", date="3/11/2026"))
    done = synced.cli("pull", "--dry-run")
    assert done.exit_code == 3
    assert "would go to Caspen" not in done.stdout
    assert "1 payment from Xero waits to be told to Caspen" in in_one_line(done.stderr)


def in_one_line(text: str) -> str:
    return " ".join(text.split())
