"""Machines on which caspen-xero runs: each with a home, a clock that may lie, and a steady clock that stands still while it sleeps.

Nothing waits: time passes where a test says so, where the program would wait, and where an answer is late. A test can cut in at
any call to Xero; commands of several machines can run at the same moment, in turns that a seed decides.
"""

from __future__ import annotations

import importlib
import io
import itertools
import os
import pkgutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any, Literal

import loopback
import pytest
from conftest import Result
from pushing import Clinic

import caspen_xero
from caspen_xero.cli.app import app
from caspen_xero.sandbox.server import Sandbox
from caspen_xero.store.store import Store
from caspen_xero.xero.errors import NoAnswer
from caspen_xero.xero.transport import Transport

TIME_OUT = 100.0
"""Seconds after which caspen-xero no longer waits for an answer."""

TroubleKind = Literal["killed-before", "killed-after", "late", "slow", "lost", "asleep-before", "asleep-after"]


class Killed(BaseException):
    """The machine was switched off."""


@dataclass
class Trouble:
    """What happens at the `at`-th call of a command, of its writes only where `writes`.

    `late`: done in Xero, but the answer comes after the time-out; `slow`: so is what is done; `lost`: it never arrives there.
    `asleep-...`: the machine sleeps for so many seconds, before the call is sent or before its answer is read.
    """

    kind: TroubleKind
    at: int
    writes: bool = True
    path: str = ""
    seconds: float = 0.0
    seen: int = 0

    def strikes(self, method: str, url: str) -> bool:
        """Whether it is this call; counts it."""
        if (self.writes and method == "GET") or self.path not in url:
            return False
        self.seen += 1
        return self.seen == self.at

    def __str__(self) -> str:
        what = f"{self.kind} at {'write' if self.writes else 'call'} {self.at}"
        return what + (f" to {self.path}" if self.path else "") + (f" for {self.seconds:.0f} s" if self.seconds else "")


@dataclass
class Machine:
    """One machine with its home. `ahead`: how far its clock is; `awake`: what its steady clock counts besides the real one;
    `nap`: how long it is asleep within the next wait.
    """

    world: World
    name: str
    home: Path
    ahead: timedelta = timedelta()
    awake: float = 0.0
    nap: float = 0.0
    is_dead: bool = False
    troubles: list[Trouble] = field(default_factory=list)

    def now(self) -> datetime:
        """What its clock shows, in UTC."""
        return datetime.now(UTC) + timedelta(seconds=self.world.passed) + self.ahead

    @property
    def clinic(self) -> Clinic:
        """The clinic as this machine knows it."""
        return Clinic(self.run, self.world.box, self.home)

    def run(self, *arguments: str | Path, stdin: str | None = None) -> Result:
        """A command in its home, without a terminal. Raises `Killed` where the machine was switched off in the middle."""
        words = [str(argument) for argument in arguments]
        with self.world.at_work(self) as said:
            code = 0
            try:
                app(words)
            except SystemExit as end:
                code = int(end.code or 0)
        return Result(code, said[0].getvalue(), said[1].getvalue())


@dataclass(frozen=True)
class Call:
    """A write that reached Xero: in which step, whose, what, and with what answer."""

    step: int
    machine: str
    what: str
    body: bytes
    status: int

    def __str__(self) -> str:
        return f"{self.step}. {self.machine} {self.what}: {self.status}"


class World:
    """The machines, their Xero, and the time that passes for all of them. `written`: every write that reached Xero."""

    def __init__(self, box: Sandbox, patch: pytest.MonkeyPatch) -> None:
        self.box, self.machines, self.passed = box, list[Machine](), 0.0
        self.working: Machine | None = None
        self.together: Together | None = None
        self.written: list[Call] = []
        self.step = 0
        self._under_way: list[Callable[[], Any]] = []
        _give_clocks(self, patch)
        _listen_in(self, patch)

    def machine(self, name: str, home: Path) -> Machine:
        """Another machine."""
        made = Machine(self, name, home)
        self.machines.append(made)
        return made

    @contextmanager
    def at_work(self, machine: Machine) -> Iterator[tuple[io.StringIO, io.StringIO]]:
        """A command runs on this machine; gives what it says on stdout and stderr."""
        said = (io.StringIO(), io.StringIO())
        before = self._stage()
        machine.is_dead = False
        self._set_stage((machine, str(machine.home), io.StringIO(), *said))
        try:
            yield said
        finally:
            machine.troubles.clear()
            self._set_stage(before)
            self._arrive()

    def _stage(self) -> tuple[Any, ...]:
        return (self.working, os.environ.get("CASPEN_XERO_HOME", ""), sys.stdin, sys.stdout, sys.stderr)

    def _set_stage(self, stage: tuple[Any, ...]) -> None:
        self.working, os.environ["CASPEN_XERO_HOME"], sys.stdin, sys.stdout, sys.stderr = stage

    # time

    def passes(self, seconds: float, *, asleep: Machine | None = None) -> None:
        """Time passes, in Xero too; a machine that is asleep does not count it, though its clock shows it afterwards."""
        self.passed += seconds
        for machine in self.machines:
            machine.awake += 0 if machine is asleep else seconds
        self.move_xeros_clock(seconds)

    def passes_in_a_wait(self, seconds: float) -> None:
        """The program waits; meanwhile the machine may fall asleep."""
        self.passes(seconds)
        if self.working is not None and self.working.nap:
            self.passes(self.working.nap, asleep=self.working)
            self.working.nap = 0.0

    def move_xeros_clock(self, seconds: float) -> None:
        """Xero's clock alone."""
        loopback.post(f"{self.box.url}/sandbox/clock", json={"seconds": seconds}).raise_for_status()

    def monotonic(self) -> float:
        """The steady clock that stands still while the machine at work is asleep."""
        return _monotonic() + (self.working.awake if self.working else self.passed)

    def clock_gettime(self, which: int) -> float:
        """That clock, or the one that goes on meanwhile."""
        return self.monotonic() if which == time.CLOCK_MONOTONIC else _monotonic() + self.passed

    def now(self) -> datetime:
        return self.working.now() if self.working else datetime.now(UTC)

    # calls

    def call(self, method: str, url: str, send: Callable[..., Any]) -> Any:
        """One call of the machine at work to Xero, with whatever befalls it."""
        machine = self.working
        assert machine is not None
        if self.together is not None:
            self.together.turn()
        self._live_on(machine)
        self._arrive()
        struck = [one for one in machine.troubles if one.strikes(method, url)]
        trouble = struck[0] if struck else None
        kind = trouble.kind if trouble else None
        if kind == "killed-before":
            self._kill(machine)
        if trouble and kind == "asleep-before":
            self.passes(trouble.seconds, asleep=machine)
        if kind in ("slow", "lost"):
            self._under_way += [partial(send, Transport(url))] if kind == "slow" else []
            self._time_out()
        answer = send()
        if self.together is not None:
            self.together.turn()
        if kind == "killed-after":
            self._kill(machine)
        if trouble and kind == "asleep-after":
            self.passes(trouble.seconds, asleep=machine)
        if kind == "late":
            self._time_out()
        return answer

    def _live_on(self, machine: Machine) -> None:
        if machine.is_dead:
            raise Killed

    def _kill(self, machine: Machine) -> None:
        machine.is_dead = True
        raise Killed

    def _time_out(self) -> None:
        self.passes(TIME_OUT)
        raise NoAnswer("Xero did not answer in time")

    def _arrive(self) -> None:
        """What was on its way for so long that nobody waits for its answer any more is done in Xero."""
        while self._under_way:
            self._under_way.pop(0)()


# --- several at the same moment


class Together:
    """Commands on several machines at the same moment. Before and after each call to Xero it may be another one's turn."""

    def __init__(self, world: World, random: Random) -> None:
        self.world, self.random = world, random
        self._changed = threading.Condition()
        self._whose: int | None = None
        self._left: list[int] = []
        self._me = threading.local()
        self._stage = world._stage()

    def run(self, *commands: tuple[Machine, tuple[str, ...]]) -> list[Result | BaseException]:
        """Runs them; gives what each came to, or what ended it."""
        outcomes: list[Any] = [None] * len(commands)
        self._left = list(range(len(commands)))

        def work(place: int) -> None:
            self._me.place = place
            self._await_turn()
            self.world._set_stage(self._stage)
            machine, arguments = commands[place]
            try:
                outcomes[place] = machine.run(*arguments)
            except BaseException as error:  # noqa: BLE001 - told to whoever began it
                outcomes[place] = error
            with self._changed:
                self._left.remove(place)
                self._whose = self.random.choice(self._left) if self._left else None
                self._changed.notify_all()

        threads = [threading.Thread(target=work, args=(place,), daemon=True) for place in range(len(commands))]
        self.world.together = self
        try:
            for thread in threads:
                thread.start()
            with self._changed:
                self._whose = self.random.choice(self._left)
                self._changed.notify_all()
            for thread in threads:
                thread.join()
        finally:
            self.world.together = None
            self.world._set_stage(self._stage)
        return outcomes

    def turn(self) -> None:
        """Perhaps lets another one go on first."""
        stage = self.world._stage()
        with self._changed:
            self._whose = self.random.choice(self._left)
            self._changed.notify_all()
        self._await_turn()
        self.world._set_stage(stage)

    def _await_turn(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._whose == self._me.place)


# --- clocks and wires of the program


_monotonic = time.monotonic


def _modules() -> Iterator[ModuleType]:
    """Every module of caspen-xero but the sandbox, which has a clock of its own."""
    for one in pkgutil.walk_packages(caspen_xero.__path__, "caspen_xero."):
        if not one.name.startswith("caspen_xero.sandbox") and not one.name.endswith("__main__"):
            yield importlib.import_module(one.name)


def _give_clocks(world: World, patch: pytest.MonkeyPatch) -> None:
    """Wherever caspen-xero asks for the time, or waits, it is that of the machine at work."""
    clock: dict[str, Callable[..., Any]] = {
        "sleep": world.passes_in_a_wait,
        "monotonic": world.monotonic,
        "clock_gettime": world.clock_gettime,
        "time": lambda: world.now().timestamp(),
    }
    instead = {id(getattr(time, name)): given for name, given in clock.items()}
    moment, times = _moments(world), SimpleNamespace(**{**vars(time), **clock})
    for module in _modules():
        for name, value in list(vars(module).items()):
            if value is datetime:
                patch.setattr(module, name, moment)
            elif value is time:
                patch.setattr(module, name, times)
            elif id(value) in instead:
                patch.setattr(module, name, instead[id(value)])
        for function in _functions(module):
            _replace_defaults(function, instead, patch)


def _functions(module: ModuleType) -> Iterator[FunctionType]:
    classes = [one for one in vars(module).values() if isinstance(one, type) and one.__module__ == module.__name__]
    for one in itertools.chain(vars(module).values(), *(vars(each).values() for each in classes)):
        if isinstance(one, FunctionType) and one.__module__ == module.__name__:
            yield one


def _replace_defaults(function: FunctionType, instead: dict[int, Any], patch: pytest.MonkeyPatch) -> None:
    by_place, by_name = function.__defaults__ or (), function.__kwdefaults__ or {}
    if any(id(value) in instead for value in by_place):
        patch.setattr(function, "__defaults__", tuple(instead.get(id(value), value) for value in by_place))
    if any(id(value) in instead for value in by_name.values()):
        named = {name: instead.get(id(value), value) for name, value in by_name.items()}
        patch.setattr(function, "__kwdefaults__", named)


def _moments(world: World) -> type[datetime]:
    """`datetime` as the machine at work has it."""

    class AnyDatetime(type):
        def __instancecheck__(cls, one: object) -> bool:
            return isinstance(one, datetime)

    class Moment(datetime, metaclass=AnyDatetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return world.now().astimezone(tz) if tz else world.now().replace(tzinfo=None)

    return Moment


def _listen_in(world: World, patch: pytest.MonkeyPatch) -> None:
    """Every call below /api.xro/ goes through the world; a machine that is switched off writes nothing any more."""
    request, write = Transport.request, Store.write

    def watched(transport: Transport, method: str, url: str, **more: Any) -> Any:
        def send(by: Transport = transport) -> Any:
            name = world.working.name if world.working else "late"
            answer = request(by, method, url, **more)
            if method != "GET":
                what = f"{method} {url.partition('/api.xro/2.0/')[2].partition('?')[0]}"
                world.written.append(Call(world.step, name, what, more.get("body") or b"", answer.status))
            return answer

        return world.call(method, url, send) if "/api.xro/" in url else send()

    @contextmanager
    def written(store: Store) -> Iterator[None]:
        if world.working is not None:
            world._live_on(world.working)
        with write(store):
            yield

    patch.setattr(Transport, "request", watched)
    patch.setattr(Store, "write", written)
