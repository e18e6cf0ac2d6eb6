"""How a run ends that is told to end (Ctrl-C, SIGTERM): after the call under way, whose answer would be lost otherwise.

What has to come to its end stands inside `to_its_end`: a signal is noted there, and the run ends where the outermost one
does. What only waits stands inside `at_once`, also within the other, as nothing is under way then. A second signal ends the
run wherever it is; a run that is killed loses nothing either, but has to ask Xero what became of its last call.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

SAME_SIGNAL = 0.5
"""Seconds. What starts us may pass on a signal that its whole group had already, as `timeout` does: that is no second one."""


class ToldToEnd(KeyboardInterrupt):
    """The run ends in order: no call is under way, and nothing was sent whose answer was not taken in."""


class BrokenOff(KeyboardInterrupt):
    """The run ends at once, as it was told a second time: what has become of the call under way is not known."""


class _State:
    def __init__(self) -> None:
        self.has_to_finish: list[bool] = []
        self.is_told = False
        self.heard_at: float | None = None
        self.raised: KeyboardInterrupt | None = None
        self.on_told: Callable[[], None] = lambda: None

    @property
    def may_end(self) -> bool:
        return not (self.has_to_finish and self.has_to_finish[-1])

    def end_if_told(self) -> None:
        if self.is_told and self.may_end:
            self.end(ToldToEnd())

    def end(self, ending: KeyboardInterrupt) -> NoReturn:
        self.is_told, self.raised = False, ending
        raise ending


_state = _State()


def take_signals() -> None:
    """From now on SIGTERM, and Ctrl-C where it is not ignored (as in what a shell runs in the background), end the run in order."""
    signal.signal(signal.SIGTERM, _heard)
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, _heard)


def take_no_more() -> None:
    """From now on Ctrl-C does nothing: all is done and said, and the program is on its way out."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def on_told(tell: Callable[[], None]) -> None:
    """A run begins. `tell` is called when a signal came and something is to be finished first; what it raises doesn't matter."""
    _state.on_told, _state.raised = tell, None


def behind(error: BaseException) -> BaseException:
    """What has ended a run that ends with such an error: a signal, where one came, else the error itself.

    Where a library calls us from its own machine code, as pydantic does to write a decimal, it may make an error of its own of
    what a signal raises.
    """
    return _state.raised if _state.raised is not None and _is_of(error, _state.raised) else error


def _is_of(error: BaseException, raised: BaseException) -> bool:
    """Whether an error was made of that one, or by a library that does not tell of what it makes its own."""
    seen: BaseException | None = error
    while seen is not None and seen is not raised:
        seen = seen.__cause__ or seen.__context__
    return seen is raised or type(error).__module__.startswith("pydantic_core")


def note_again() -> None:
    """A signal came where what it raised was lost: the run ends where the next thing begins that is not to be broken off."""
    _state.is_told, _state.raised = True, None


@contextmanager
def noted() -> Iterator[None]:
    """Around what is not to be broken off; a signal is noted, for `end_if_told`."""
    with _mode(has_to_finish=True):
        yield


def end_if_told() -> None:
    """Raises `ToldToEnd` where the run was told to end, and may."""
    _state.end_if_told()


@contextmanager
def to_its_end() -> Iterator[None]:
    """Around what is not to be broken off. Raises `ToldToEnd` before it begins, or after it, where the run was told to end."""
    if threading.current_thread() is not threading.main_thread():  # no other is told of signals
        yield
        return
    _state.end_if_told()
    with noted():
        yield
    _state.end_if_told()


@contextmanager
def at_once() -> Iterator[None]:
    """Around what may be broken off at any moment, also within `to_its_end`. Raises `ToldToEnd`."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with _mode(has_to_finish=False):
        _state.end_if_told()
        yield


def pause(seconds: float) -> None:
    """Sleeps. Raises `ToldToEnd` as soon as the run is told to end, also while something has to be finished."""
    with at_once():
        time.sleep(seconds)


@contextmanager
def _mode(*, has_to_finish: bool) -> Iterator[None]:
    _state.has_to_finish.append(has_to_finish)
    try:
        yield
    finally:
        _state.has_to_finish.pop()


def _heard(number: int, frame: Any) -> None:
    moment = time.monotonic()
    if _state.heard_at is not None and moment - _state.heard_at < SAME_SIGNAL:
        return
    _state.heard_at = moment
    if _state.is_told:
        _state.end(BrokenOff())
    if _state.may_end:
        _state.end(ToldToEnd())
    _state.is_told = True
    with suppress(Exception):  # a signal comes while anything is being done, such as the writing to where this is told
        _state.on_told()
