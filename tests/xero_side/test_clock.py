"""Xero's time between two bounds: whatever answers tell, and however long they take, it lies in between."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caspen_xero.xero.clock import XeroClock, clocks_apart, steady

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Ticking:
    """A clock whose seconds a test sets."""

    at = 100.0

    def __call__(self) -> float:
        return self.at


@given(
    st.lists(st.tuples(*[st.floats(0, 100)] * 3), min_size=1, max_size=5),
    st.floats(-1000, 1000),
)
def test_xeros_time_lies_between_the_bounds(calls: list[tuple[float, float, float]], moment: float) -> None:
    ticking = Ticking()
    clock = XeroClock(steady=ticking, now=lambda: NOON)
    for pause, way_there, way_back in calls:
        ticking.at += pause
        asked_at = ticking.at
        told = (NOON + timedelta(seconds=asked_at + way_there)).replace(microsecond=0)  # as a header tells it
        ticking.at += way_there + way_back
        clock.heard(told, asked_at)
    least, most = clock.at_least(moment), clock.at_most(moment)
    assert least is not None
    assert most is not None
    a_bit = timedelta(milliseconds=1)
    assert least - a_bit <= NOON + timedelta(seconds=moment) <= most + a_bit


def test_of_answers_that_disagree_neither_is_believed_alone() -> None:
    clock = XeroClock(steady=lambda: 0.0, now=lambda: NOON)
    clock.heard(NOON, 0.0)
    clock.heard(NOON - timedelta(hours=1), 0.0)  # a proxy's page
    clock.heard(None, 0.0)
    assert (clock.at_least(0), clock.at_most(0)) == (NOON - timedelta(hours=1), NOON + timedelta(seconds=1))


@pytest.mark.parametrize("empty", [datetime.min, datetime.max])
def test_a_time_that_is_none_tells_nothing(empty: datetime) -> None:
    clock = XeroClock()
    clock.heard(empty.replace(tzinfo=UTC), 0.0)
    assert (clock.at_least(-100), clock.at_most(100), clock.machine_ahead) == (None, None, None)


def test_before_an_answer_nothing_is_known() -> None:
    clock = XeroClock()
    assert (clock.at_least(0), clock.at_most(0), clock.machine_ahead) == (None, None, None)


def test_the_steady_clock_goes_on() -> None:
    assert steady() <= steady()


def test_how_clocks_stand_is_said_in_words() -> None:
    assert clocks_apart(timedelta(seconds=1)) == "the same as Xero's"
    assert clocks_apart(timedelta(minutes=7)) == "7 minutes ahead of Xero's"
    assert clocks_apart(-timedelta(days=1)) == "24 hours behind Xero's"
