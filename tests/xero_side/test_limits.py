"""The minute limit is used to the full and not bumped into: simulated, with a clock of our own."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random

import pytest

from caspen_xero.xero.errors import LimitReached
from caspen_xero.xero.limits import Pace

LATENCY = 0.02


@dataclass
class Server:
    """Counts calls in fixed windows; `on_the_clock`: they follow the clock, else the first call opens one."""

    allowed: int
    window: float
    on_the_clock: bool
    now: float = 1000.0
    ends: float = -math.inf
    used: int = 0
    refused: list[float] = field(default_factory=list)

    def take(self) -> bool:
        """One call by anybody; False if it is refused."""
        if self.now >= self.ends:
            began = self.now // self.window * self.window if self.on_the_clock else self.now
            self.ends, self.used = began + self.window, 0
        if self.used == self.allowed:
            return False
        self.used += 1
        return True

    @property
    def headers(self) -> dict[str, str]:
        return {"X-MinLimit-Remaining": str(self.allowed - self.used), "X-DayLimit-Remaining": "4000"}

    @property
    def retry_after(self) -> float:
        return max(1, math.ceil(self.ends - self.now))


def calls(server: Server, number: int, others: Callable[[], Iterator[float]] | None = None) -> float:
    """Sends `number` calls as the client does; gives how long it took. `others` gives when another client calls."""
    pace = Pace(clock=lambda: server.now)
    began, done = server.now, 0
    elsewhere = others() if others else iter(())
    next_other = next(elsewhere, math.inf)

    def pass_time(seconds: float) -> None:
        nonlocal next_other
        until = server.now + seconds
        while next_other <= until:
            server.now = max(server.now, next_other)
            server.take()
            next_other = next(elsewhere, math.inf)
        server.now = until

    while done < number:
        pass_time(pace.delay())
        sent = server.now
        pass_time(LATENCY / 2)
        admitted = server.take()
        headers, retry_after = server.headers, server.retry_after
        if not admitted:
            server.refused.append(server.now)
        pass_time(LATENCY / 2)
        if admitted:
            pace.answered(headers)
            done += 1
        else:
            pass_time(pace.refused(sent, retry_after))
    return server.now - began


@pytest.mark.parametrize("start", [1000.0, 1000.7, 1001.93, 1031.5])
@pytest.mark.parametrize("on_the_clock", [False, True])
@pytest.mark.parametrize(("window", "allowed"), [(2.0, 10), (2.0, 60), (6.0, 20), (6.0, 60), (60.0, 60)])
def test_a_long_push_takes_no_longer_than_the_limit_itself_and_is_refused_only_while_learning(
    window: float, allowed: int, on_the_clock: bool, start: float
) -> None:
    server = Server(allowed, window, on_the_clock, now=start)
    number = allowed * 30 + 5
    fair = max(number / allowed * window, number * LATENCY)
    assert calls(server, number) <= 1.05 * fair
    learning = [at for at in server.refused if at - start < 3 * window + 2]
    assert server.refused == learning
    assert len(learning) <= (3 if on_the_clock else 1)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("window", "allowed"), [(2.0, 20), (6.0, 30), (60.0, 60)])
def test_another_client_that_uses_a_part_of_the_window_slows_us_down_by_that_part_only(
    window: float, allowed: int, seed: int
) -> None:
    server = Server(allowed, window, on_the_clock=False)
    share = 0.3
    dice = Random(seed)

    def others() -> Iterator[float]:
        at = server.now
        while True:
            at += dice.expovariate(share * allowed / window)
            yield at

    number = allowed * 20
    took = calls(server, number, others)
    taken_by_us = 1 - share
    assert took <= 1.05 * (number / (allowed * taken_by_us)) * window + window
    # A call of theirs between our last one and the end of a window can't be foreseen; nearly all windows pass without.
    assert len(server.refused) <= 0.5 * took / window + 2


def test_without_a_limit_in_sight_nothing_waits() -> None:
    pace = Pace(clock=lambda: 0.0)
    for remaining in (59, 40, 1):
        pace.answered({"X-MinLimit-Remaining": str(remaining)})
        assert pace.delay() == 0
    pace.answered({})
    assert pace.delay() == 0


def test_the_day_limit_stops_before_the_next_call() -> None:
    pace = Pace(clock=lambda: 0.0)
    pace.answered({"X-MinLimit-Remaining": "30", "X-DayLimit-Remaining": "0"})
    with pytest.raises(LimitReached) as caught:
        pace.delay()
    assert (caught.value.kind, caught.value.exit_code) == ("day", 6)


def test_a_window_of_known_length_is_learnt_with_one_refusal() -> None:
    now = [45.0]
    pace = Pace(window=60.0, clock=lambda: now[0])
    pace.answered({"X-MinLimit-Remaining": "0"})
    assert pace.delay() == 0
    assert pace.refused(45.0, 15.0) == 15.0
    now[0] = 60.0
    assert pace.delay() == 0
    pace.answered({"X-MinLimit-Remaining": "59"})
    pace.answered({"X-MinLimit-Remaining": "0"})
    now[0] = 70.0
    assert pace.delay() == 50.0
