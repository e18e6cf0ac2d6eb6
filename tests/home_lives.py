"""A clinic whose caspen-xero has a life too: homes are copied, restored, begun anew and run together, clocks lie, machines sleep,
answers come late, and a bookkeeper works in Xero meanwhile. The same seed brings the same life.
"""

from __future__ import annotations

import json
import re
import shutil
import threading
from collections.abc import Callable, Collection
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from books_in_order import falsely_told, not_told, twice_in_xero
from clinic_life import METHODS, PAYERS, Life
from clinics import TAX_RATES
from conftest import Result
from desk import Desk, Part, allocations, parts_of
from machines import Killed, Machine, Together, Trouble, World
from pushing import RATE_LINKS

from caspen_xero.sandbox.server import Sandbox
from tests.caspen.caspen_server import Answer, CaspenServer, SeenRequest

FAULTS = ("drop-before", "drop-after", "500-before", "500-after", "truncate", "html", "503", "429-minute", "429-day")
EXIT_CODES = {0, 1, 3, 4, 5, 6, 7}
KINDS = ("Invoices", "Payments", "CreditNotes", "Contacts")
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


class Wrong(AssertionError):
    """Something is not as it must be; the life until then stands in its message."""


class FolderOfExports:
    """Caspen as a folder: exports of all there is or of what has changed, and the file in which it is told of payments."""

    def __init__(self, life: Life, folder: Path) -> None:
        self.life, self.folder, self.count = life, folder, 0
        self.where = folder / "caspen"
        self.where.mkdir()
        self.told: list[dict[str, Any]] = []

    def export(self, *, whole: bool) -> None:
        self.count += 1
        fresh = self.life.export(self.folder / f"export-{self.count}", whole=whole)
        for file in self.where.glob("export-*") if whole else ():
            file.unlink()
        for file in fresh.iterdir():
            file.rename(self.where / f"export-{self.count}-{file.name}")

    def all_told(self) -> list[dict[str, Any]]:
        """Every record that was handed over, in order."""
        return [*self.told, *self._waiting()]

    def takes_in(self) -> int:
        """Reads what it was told; how many that was."""
        records = self._waiting()
        if records:
            (self.where / "caspen-updates.jsonl").unlink()
        for record in records:
            self.life.payment_from_xero(record)
        self.told += records
        return len(records)

    def _waiting(self) -> list[dict[str, Any]]:
        file = self.where / "caspen-updates.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def close(self) -> None:
        """Nothing is open."""


class LiveServer(CaspenServer):
    """Caspen as a server: what it is told, its lists show at once."""

    def __init__(self, life: Life, folder: Path) -> None:
        super().__init__([*TAX_RATES, *METHODS, *PAYERS])
        self.life, self.told = life, list[dict[str, Any]]()
        self.__enter__()
        self.where = self.url

    def export(self, *, whole: bool) -> None:
        life = self.life
        for record in deepcopy(
            [each for kind in (life.clients, life.invoices, life.payments, life.credit_notes) for each in kind.values()]
        ):
            self.records[record["object"], record["id"]] = record
        life.changed.clear()

    def all_told(self) -> list[dict[str, Any]]:
        """Every record that was posted and taken."""
        return self.told

    def takes_in(self) -> int:
        """It has already."""
        return 0

    def _take_payment(self, invoice_id: str, request: SeenRequest) -> Answer:
        answer = super()._take_payment(invoice_id, request)
        if answer.status == 201:
            self.told.append(request.body)
            del self.records["payment", f"pay_from_xero_{len(self.received)}"]
            self.life.payment_from_xero(request.body)
            self.export(whole=True)
        return answer

    def close(self) -> None:
        self.__exit__(None, None, None)


class TwoHomes:
    """One clinic, its Xero, its bookkeeper, and the machines on which caspen-xero runs for it."""

    def __init__(self, seed: int, box: Sandbox, folder: Path, patch: pytest.MonkeyPatch, invoices: int = 8) -> None:
        self.seed, self.folder = seed, folder
        self.life = Life.begun(seed, invoices, clients=4, renumbers=False)
        self.desk = Desk(self.life.random)
        self._throw_dice("begin")
        self.world = World(box, patch)
        patch.setenv("BROWSER", "true")
        patch.setattr("webbrowser.open", _allow_access)
        self.caspen = (LiveServer if seed % 3 == 2 else FolderOfExports)(self.life, folder)
        patch.setenv("CASPEN_API_KEY", "key-1")
        self.happened: list[str] = []
        self.kept: list[tuple[Machine, Path]] = []
        self.excused: set[str] = set()
        self.count = 0
        self.export(whole=True)
        self.machines = [self._begun("A")]

    def _throw_dice(self, step: object) -> None:
        """Chance of its own for each step, so that a life goes on alike where a step is left out."""
        self.random = self.life.random = self.desk.random = Random(f"{self.seed} {step}")

    # --- the clinic

    def export(self, *, whole: bool | None = None) -> None:
        """Caspen shows what it has where caspen-xero reads: all there is, or what has changed."""
        self.caspen.export(whole=self.random.random() < 0.5 if whole is None else whole)
        self.parts: dict[str, Part] = parts_of(self.life.payments, self.life.invoices)

    def day_at_the_clinic(self) -> str:
        before = len(self.life.happened)
        self.life.happens(self.random.randint(1, 8))
        self.export()
        return f"at the clinic: {', '.join(self.life.happened[before:])}"

    def caspen_takes_in(self) -> str | None:
        """Caspen reads what it was told, and its next export names it."""
        taken = self.caspen.takes_in()
        if not taken:
            return None
        self.export()
        return f"Caspen takes in {taken} payments from Xero"

    # --- homes

    def _begun(self, name: str) -> Machine:
        """A machine with a new home, connected and set up as a person does it."""
        self.count += 1
        machine = self.world.machine(name, self.folder / f"home-{name}-{self.count}")
        self._set_up(machine)
        return machine

    def _set_up(self, machine: Machine) -> None:
        self._connect(machine)
        assert machine.run("settings", "set", "--source", self.caspen.where).exit_code == 0
        accounts = ("--sales-account", "200", "--payment-account", "090", "--payment-method", "Cash=880")
        set_up = machine.run("settings", "set", *accounts)
        assert set_up.exit_code == 0, set_up.stderr
        for rate, tax_type in RATE_LINKS:
            assert machine.run("taxes", "map", rate, tax_type).exit_code == 0

    def _connect(self, machine: Machine) -> None:
        connected = machine.run("connect", "--token-store", "file", "--client-id", "TEST-APP")
        assert connected.exit_code == 0, connected.stderr

    def copies_a_home(self) -> str | None:
        if len(self.machines) > 1:
            return None
        first = self.machines[0]
        self.count += 1
        name = chr(ord("A") + len(self.world.machines))
        second = self.world.machine(name, self.folder / f"home-{name}-{self.count}")
        shutil.copytree(first.home, second.home)
        self.machines.append(second)
        self._forgets()
        return f"home {first.name} is copied to a second machine, {second.name}"

    def begins_a_second_home(self) -> str | None:
        if len(self.machines) > 1:
            return None
        self.machines.append(self._begun(chr(ord("A") + len(self.world.machines))))
        self._forgets()
        return f"a second home is begun anew on machine {self.machines[-1].name}"

    def retires_a_home(self) -> str | None:
        if len(self.machines) < 2:
            return None
        gone = self.machines.pop(self.random.randrange(2))
        return f"machine {gone.name} is retired"

    def keeps_a_copy(self) -> str:
        """A copy of the store alone, as a backup program makes one."""
        machine = self.random.choice(self.machines)
        self.count += 1
        copy = self.folder / f"copy-{self.count}.sqlite"
        shutil.copyfile(_store(machine), copy)
        self.kept.append((machine, copy))
        return f"the store of {machine.name} is copied to {copy.stem}"

    def restores_a_copy(self) -> str | None:
        usable = [(machine, copy) for machine, copy in self.kept if machine in self.machines]
        if not usable:
            return None
        machine, copy = self.random.choice(usable)
        _remove_store(machine)
        shutil.copyfile(copy, _store(machine))
        self._forgets()
        return f"{copy.stem} is restored on {machine.name}"

    def deletes_a_store(self) -> str:
        machine = self.random.choice(self.machines)
        _remove_store(machine)
        self._set_up(machine)
        self._forgets()
        return f"the store of {machine.name} is deleted and begun anew"

    def _forgets(self) -> None:
        """There is a home that does not know of all that was done."""
        self.desk.settled.clear()
        self.desk.taken_back.clear()

    # --- clocks

    def time_passes(self) -> str:
        seconds = self.random.choice((30.0, 2 * MINUTE, 4 * MINUTE, 6 * MINUTE, 20 * MINUTE, 2 * HOUR, DAY))
        self.world.passes(seconds)
        return f"{seconds:.0f} s pass"

    def clock_is_set(self) -> str:
        machine = self.random.choice(self.machines)
        seconds = self.random.choice((0, 0, -4 * MINUTE, 4 * MINUTE, -HOUR, HOUR, -3 * DAY, 3 * DAY, 365 * DAY))
        machine.ahead = timedelta(seconds=seconds)
        return f"the clock of {machine.name} is set to {seconds:+.0f} s"

    def xeros_clock_is_set(self) -> str:
        seconds = self.random.choice((-3 * MINUTE, 3 * MINUTE, 7 * MINUTE))
        self.world.move_xeros_clock(seconds)
        return f"Xero's clock is moved by {seconds:+.0f} s"

    # --- commands

    def runs_a_command(self) -> str:
        machine = self.random.choice(self.machines)
        arguments = self._command()
        return f"{machine.name}: {' '.join(arguments)}: {self._run(machine, arguments)}"

    def runs_in_trouble(self) -> str:
        machine = self.random.choice(self.machines)
        arguments = self._command()
        machine.troubles = [self._trouble() for _ in range(self.random.choice((1, 1, 2)))]
        if self.random.random() < 0.4:
            machine.nap = self.random.choice((50.0, 4 * MINUTE, 10 * MINUTE, 5 * HOUR))
        what = f"{', '.join(map(str, machine.troubles))}" + (f", asleep for {machine.nap:.0f} s" if machine.nap else "")
        ended = self._run(machine, arguments)
        machine.nap = 0.0
        return f"{machine.name}: {' '.join(arguments)} ({what}): {ended}"

    def runs_with_faults(self) -> str:
        machine, arguments = self.random.choice(self.machines), self._command()
        kinds = self.random.sample(FAULTS, 2)
        for kind in kinds:
            wishes = {"probability": self.random.choice((0.1, 0.3, 0.7)), "count": self.random.randint(1, 6)}
            seed = self.random.randint(0, 99)
            machine.clinic.control("faults", kind=kind, path="/api.xro/", seed=seed, **wishes)
        ended = self._run(machine, arguments)
        machine.clinic.all_is_well_in_xero()
        return f"{machine.name}: {' '.join(arguments)} ({', '.join(kinds)}): {ended}"

    def loses_an_answer(self) -> str:
        """New work, a write whose answer is lost, the bookkeeper in between; the recovery comes with the next command."""
        self.life.happens(4)
        self.life.new_payment()
        self.export()
        machine = self.random.choice(self.machines)
        path = self.random.choice(("Payments", "Payments", "Invoices", "CreditNotes", "Contacts", ""))
        kind = self.random.choice(("late", "lost", "slow", "killed-before", "killed-after"))
        machine.troubles = [Trouble(kind, at=place, path=path) for place in range(1, 6)]
        ended = self._run(machine, ("push", "--json"))
        deeds = [self._bookkeeper() for _ in range(self.random.randint(1, 3))]
        return (
            f"{machine.name}: push ({kind} at all {path or 'writes'}): {ended}; {'; '.join(filter(None, deeds))}; "
            + self.time_passes()
        )

    def runs_both_at_once(self) -> str | None:
        if len(self.machines) < 2:
            return None
        before = self._keys_there()
        pairs = [(machine, self._command()) for machine in self.machines]
        outcomes = Together(self.world, self.random).run(*pairs)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        # Neither could see the other's payment: what is twice now must be told.
        self.excused |= {about for about, words in self._twice() if "times" in words and about not in before}
        ended = [self._after(machine, outcome) for (machine, _), outcome in zip(pairs, outcomes, strict=True)]
        words = [f"{one.name}: {' '.join(two)}: {three}" for (one, two), three in zip(pairs, ended, strict=True)]
        return f"at the same moment {' and '.join(words)}"

    def _command(self) -> tuple[str, ...]:
        few = str(self.random.randint(1, 12))
        return self.random.choice(
            (
                ("sync", "--json"),
                ("sync", "--json"),
                ("push", "--json"),
                ("push", "--json"),
                ("pull", "--json"),
                ("push", "--json", "--max-writes", few),
                ("adopt", "--json"),
            )
        )

    def _trouble(self) -> Trouble:
        kind = self.random.choice(
            ("killed-before", "killed-after", "late", "slow", "lost", "asleep-before", "asleep-after")
        )
        seconds = self.random.choice((50.0, 4 * MINUTE, 10 * MINUTE, 5 * HOUR)) if "asleep" in kind else 0.0
        return Trouble(kind, at=self.random.randint(1, 8), writes=self.random.random() < 0.7, seconds=seconds)

    def _run(self, machine: Machine, arguments: tuple[str, ...]) -> str:
        try:
            result = machine.run(*arguments)
        except Killed:
            return "killed"
        return self._after(machine, result)

    def _after(self, machine: Machine, result: Result) -> str:
        """What a command came to, in words. Where only `connect` helps, a person connects; another home is ended, or is not."""
        if result.exit_code not in EXIT_CODES:
            raise Wrong(f"exit code {result.exit_code}: {result.stdout}{result.stderr}")
        errors = _errors(result.json)
        said = " ".join([str(result.exit_code), *(error["code"] for error in errors)])
        if result.exit_code == 4:
            self._connect(machine)
        elif "another-home" in said:
            said += self._ends_the_other(machine)
        elif result.exit_code in (0, 3) and len(self.machines) == 1 and result.json.get("command") in ("push", "sync"):
            self.desk.settled |= allocations(self.state())
        return said

    def _ends_the_other(self, machine: Machine) -> str:
        """A person does what is said where another home is alive, a part of it, or nothing yet."""
        chance = self.random.random()
        if chance < 0.3:
            return ""
        ended = [other for other in self.machines if other is not machine and chance < 0.7]
        for other in ended:
            assert other.run("disconnect", "--local-only").exit_code == 0
            self.machines.remove(other)
        adopted = machine.run("adopt", "--json")
        if adopted.exit_code not in EXIT_CODES:
            raise Wrong(f"adopt: exit code {adopted.exit_code}: {adopted.stdout}{adopted.stderr}")
        return "".join(f", {other.name} is ended" for other in ended) + f", adopt: {adopted.exit_code}"

    # --- the bookkeeper

    def bookkeeper_works(self) -> str | None:
        return self._bookkeeper()

    def _bookkeeper(self) -> str | None:
        done = self.desk.does_something(self.machines[0].clinic, self.state(), self.parts)
        return f"the bookkeeper {done}" if done else None

    # --- the life

    def lives(self, steps: int, without: Collection[int] = ()) -> None:
        """So many things happen, but for those `without`; after each, nothing is twice in Xero and nothing falsely told."""
        acts: list[tuple[int, Callable[[], str | None]]] = [
            (8, self.runs_a_command),
            (6, self.day_at_the_clinic),
            (5, self.runs_in_trouble),
            (3, self.runs_with_faults),
            (4, self.loses_an_answer),
            (4, self.bookkeeper_works),
            (4, self.time_passes),
            (3, self.caspen_takes_in),
            (3, self.runs_both_at_once),
            (2, self.copies_a_home),
            (1, self.begins_a_second_home),
            (1, self.retires_a_home),
            (2, self.keeps_a_copy),
            (2, self.restores_a_copy),
            (1, self.deletes_a_store),
            (2, self.clock_is_set),
            (1, self.xeros_clock_is_set),
        ]
        chosen = self.random.choices([act for _, act in acts], [weight for weight, _ in acts], k=steps)
        for step, act in enumerate([self.runs_a_command, self.keeps_a_copy, *chosen] if steps else []):
            if step not in without:
                self._do(act, step)

    def _do(self, act: Callable[[], str | None], step: object) -> None:
        self._throw_dice(step)
        self.world.step = len(self.happened) + 1
        try:
            done = act()
        except BaseException as error:
            raise Wrong(self._story(f"{act.__name__}: {type(error).__name__}: {error}")) from error
        if done is not None:
            self.happened.append(done)
            self._check()

    def _check(self) -> None:
        if wrong := self.wrong_by_now():
            raise Wrong(self._story(*wrong))

    def wrong_by_now(self) -> list[str]:
        """What must never be, not even for a moment."""
        wrong = [words for about, words in self._twice() if about not in self.excused]
        return [*wrong, *falsely_told(self.state(), self.life, self.caspen.all_told())]

    def untold(self) -> list[tuple[str, str]]:
        """Where Xero is not as Caspen says; a person must be told of each."""
        return list(not_told(self.state(), self.life, self.desk, self.parts))

    def _twice(self) -> list[tuple[str, str]]:
        return list(twice_in_xero(self.state(), self.life, self.desk, self.parts))

    def _keys_there(self) -> set[str]:
        return {str(payment.get("Reference")).rpartition(" ")[2] for payment in self.state()["Payments"]}

    def state(self) -> dict[str, list[dict[str, Any]]]:
        """Xero's books."""
        return self.machines[0].clinic.whole_state()

    def _story(self, *wrong: str) -> str:
        """The life until now, what is wrong, and what was written to Xero about it."""
        steps = [f"  {place}. {done}" for place, done in enumerate(self.happened, 1)]
        about = re.findall(r"pay_\d+/\d+|(?:INV|CN)-\d+", " ".join(wrong))
        written = [
            f"  {call} with {name}"
            for call in self.world.written
            for name in dict.fromkeys(about)
            if name.encode() in call.body
        ]
        return "\n".join([f"seed {self.seed}", *steps, "WRONG:", *(f"  {one}" for one in wrong), "WRITTEN:", *written])

    # --- its end

    def settles(self) -> None:
        """One home goes on, with a right clock and a good line; in the end all is in Xero, or a person is told."""
        machine = self.machines[0]
        self.machines = [machine]
        machine.ahead = timedelta()
        self._do(self.caspen_takes_in, "end")
        self.export(whole=True)
        for _ in range(4):
            self.world.passes(DAY + HOUR)
            result = self._settle(machine, "sync", "--json")
        self._settle(machine, "pull", "--full", "--json")
        result = self._settle(machine, "sync", "--json")
        rows = self._rows(machine)
        told = {row["number"] for row in rows}
        if result.exit_code in (0, 3):
            said = json.dumps(rows)
            wrong = [
                f"{number}: {words}"
                for number, words in self.untold()
                # A credit note may be told beside the invoice that it stands on.
                if number not in told and not any(note in said for note in re.findall(r"CN-\d+", words))
            ]
            twice = {row["number"] for row in rows if row["code"] == "payment-twice-in-xero"}
            for about, words in self._twice():
                part = self.parts.get(about)
                if about in self.excused and part is not None and part.number not in twice:
                    wrong.append(f"{words}, and nobody is told")
            if wrong:
                raise Wrong(
                    self._story(*dict.fromkeys(wrong), f"told: {sorted((row['number'], row['code']) for row in rows)}")
                )
        elif not _errors(result.json):
            raise Wrong(self._story(f"exit code {result.exit_code} without a reason: {result.stdout}"))

    def _settle(self, machine: Machine, *arguments: str) -> Result:
        self.world.step = len(self.happened) + 1
        result = machine.run(*arguments)
        self.happened.append(f"{machine.name}: {' '.join(arguments)}: {self._after(machine, result)}")
        self._check()
        return result

    def _rows(self, machine: Machine) -> list[dict[str, Any]]:
        drift = machine.run("drift", "--json")
        assert drift.exit_code == 0, drift.stdout
        return [*machine.clinic.unsynced(), *drift.json["drift"]]


def _errors(document: Any) -> list[dict[str, Any]]:
    """The errors in a command's JSON."""
    parts = [document, document.get("pull") or {}, document.get("push") or {}]
    return [part[name] for part in parts for name in ("error", "stopped", "another_home") if part.get(name)]


def _store(machine: Machine) -> Path:
    return machine.home / "default" / "store.sqlite"


def _remove_store(machine: Machine) -> None:
    for file in _store(machine).parent.glob("store.sqlite*"):
        file.unlink()


def _allow_access(url: str) -> bool:
    """A browser, and somebody who allows access."""
    threading.Thread(target=httpx.get, args=(url,), kwargs={"follow_redirects": True}, daemon=True).start()
    return True
