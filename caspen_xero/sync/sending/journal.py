"""Every write to Xero goes through here: journalled before it is sent, settled after, and never lost or doubled in between.

A write whose answer never came is *unknown*. While Xero surely knows its key (`keys.py`), the same bytes go again with it, and
Xero answers what it answered before; a look-up alone would race with a request still under way. Later, or where the replay is
itself an error, each document is looked up in Xero: what is there is adopted, the rest is planned anew. What moves money is
looked up first in any case, and only then, if it isn't all there, sent again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

from caspen_xero.interruption import ToldToEnd, pause, to_its_end
from caspen_xero.progress import counted
from caspen_xero.store import journal as rows
from caspen_xero.store.journal import Entry
from caspen_xero.store.mappings import Mappings
from caspen_xero.sync.planning.steps import Step
from caspen_xero.sync.problems import unreadable
from caspen_xero.sync.sending.expectations import as_document, as_steps
from caspen_xero.sync.sending.keys import Forgotten, Key
from caspen_xero.sync.sending.settle import Settler
from caspen_xero.sync.sending.steps import Write, write_of
from caspen_xero.sync.sending.steps.specification import Found
from caspen_xero.xero import answers
from caspen_xero.xero.answers import Answered
from caspen_xero.xero.calls import Answer, Client
from caspen_xero.xero.codec import encode
from caspen_xero.xero.documents import Allocation
from caspen_xero.xero.elements import Element
from caspen_xero.xero.errors import (
    ConnectNeeded,
    LimitReached,
    NoAnswer,
    NotAnAddress,
    NotFound,
    Refused,
    TokenStoreError,
    Unreachable,
    Unreadable,
)

log = logging.getLogger(__name__)

RESENDS = 3
REFUSALS_IN_A_ROW = 3
IN_FRONT = frozenset({404, 408, 502, 503, 504})
"""Answers of what stands in front of Xero, which know nothing of what became of an earlier try."""
MAX_BYTES = 3_000_000  # Xero refuses bodies above 3.5 MB


class Journal:
    """Sends the steps of a plan and brings what earlier runs left behind to its end."""

    def __init__(
        self,
        mappings: Mappings,
        client: Client,
        settler: Settler,
        now: Callable[[], datetime],
        sleep: Callable[[float], None] = pause,
    ) -> None:
        self.mappings, self.client, self.settler = mappings, client, settler
        self.now, self.sleep = now, sleep
        self._refused_in_a_row = 0

    def send(self, steps: Sequence[Step], *, part: bool = False) -> None:
        """Sends steps of one kind as one write. Errors that mean "not now" are raised; refusals are settled.

        A batch that Xero refuses whole, without saying which document is at fault, goes again in halves; where it then refuses
        one document after the other, it isn't about them: that refusal is raised.
        """
        write = write_of(steps[0].kind)
        route = write.route
        body = b"" if route.method == "DELETE" else encode(write.wrapped(steps))
        if len(body) > MAX_BYTES and len(steps) > 1:
            self._in_halves(steps)
            return
        try:
            path = route.path_of(steps[0])
        except NotAnAddress as refusal:
            with self.mappings.store.write():
                self.settler.refuse(steps[0], refusal.messages)
            return
        documents = [as_document(place, step) for place, step in enumerate(steps)]
        clock = self.client.clock
        xero_now = clock.at_least(clock.steady())
        what, refused = _in_words(steps), set(self.settler.refused[steps[0].kind])
        log.info("Sending %s.", what)
        with to_its_end():  # what has come of it is noted too
            entry = rows.write_entry(
                self.mappings, route.method, path, route.params, body, documents, self.now(), xero_now
            )
            sent = _Sent(entry, write, steps, Key(self.mappings, entry, clock, self.now, is_new=True))
            is_whole = self._deliver(sent, whole_refusal_splits=len(steps) > 1, part=part)
        if not is_whole:
            log.info("Xero refused %s as a whole, so they go in halves.", what)
            self._in_halves(steps)
            return
        told = sum(step.caspen_id in self.settler.refused[step.kind] - refused for step in steps)
        log.info("Sent %s: %d taken, %d refused.", what, len(steps) - told, told)

    def _in_halves(self, steps: Sequence[Step]) -> None:
        middle = len(steps) // 2
        self.send(steps[:middle], part=True)
        self.send(steps[middle:], part=True)

    def recover(self) -> int:
        """Ends every write whose answer is unknown; gives their number."""
        entries = rows.open_entries(self.mappings)
        if entries:
            log.info(
                "Settling what an earlier run left open: %s without a known answer.", counted(len(entries), "call")
            )
        for entry in entries:
            steps = as_steps(entry)
            key = Key(self.mappings, entry, self.client.clock, self.now, is_new=False)
            sent = _Sent(entry, write_of(steps[0].kind), steps, key)
            with to_its_end():
                if sent.was_answered:
                    self._settle_by_look_up(sent)
                else:
                    self._deliver(sent, known_sent=True)
        return len(entries)

    def _deliver(
        self, sent: _Sent, *, known_sent: bool = False, whole_refusal_splits: bool = False, part: bool = False
    ) -> bool:
        """Sends a journalled write until its fate is known. False: refused whole, to be sent in smaller parts."""
        entry, resent = sent.entry, 0
        while True:
            if known_sent and not self._may_go_again(sent):
                return True
            try:
                answer = self.client.send(
                    entry.method,
                    entry.path,
                    entry.body,
                    params=entry.params,
                    idempotency_key=entry.idempotency_key,
                    before_each=sent.key.goes_again if known_sent else sent.key.goes_first,
                )
            except Forgotten:
                continue  # it had to wait for too long
            except (Unreachable, LimitReached, ConnectNeeded, TokenStoreError, ToldToEnd):
                if not known_sent:
                    self._end(sent, "not-sent")
                raise
            except NoAnswer as error:
                if known_sent and error.status is not None and error.status not in IN_FRONT:
                    self._settle_by_look_up(sent)  # a stored error played back: as good as too old for a replay
                    return True
                if resent == RESENDS:
                    raise
                known_sent = True
                self.sleep(2.0**resent)
                resent += 1
            except NotFound as refusal:
                if entry.method == "DELETE":  # gone, as was wanted; or the web server says so, and it stands
                    self._settle_by_look_up(sent, refusal.status)
                    return True
                return self._settle_refusal(sent, refusal, splits=False)
            except Refused as refusal:
                in_parts = not self._settle_refusal(sent, refusal, splits=whole_refusal_splits)
                self._refused_in_a_row += int(part and not in_parts and not refusal.elements)
                if self._refused_in_a_row == REFUSALS_IN_A_ROW:
                    raise
                return not in_parts
            else:
                self._refused_in_a_row = 0
                self._settle_answer(sent, answer, at=None if known_sent else answer.xero_time)
                return True

    def _may_go_again(self, sent: _Sent) -> bool:
        """Whether a write whose answer is unknown may be sent again with its key. False: it was looked up, and is settled."""
        key = sent.key
        key.note_time()
        if not sent.write.moves_money:
            if key.needs_time:
                self.client.get("Organisation")  # any answer tells it
            if key.is_dated and key.is_known():
                if not self._is_touched(sent):
                    return True
                self._settle_by_look_up(sent)  # and what is not there is planned anew, with what was changed
                return False
        seen = self._look_up(sent, sent.open)
        key.note_time()
        if len(seen.found) < len(sent.open) and key.is_known():
            if seen.odd:  # whether it is there can't be known, and what is not there may still be under way
                raise next(iter(seen.odd.values()))
            return True
        self._settle(sent, seen)
        return False

    def _is_touched(self, sent: _Sent) -> bool:
        try:
            return sent.write.is_touched(self.client, sent.steps)
        except Unreadable:
            return True

    def _settle_answer(self, sent: _Sent, answer: Answer, at: datetime | None) -> None:
        """What the answer says counts; what it does not say, or says so that it can't be read, is looked up.

        `at`: when Xero gave it, by its own clock, if it is the answer to the first try. Whatever is raised: the write stays open.
        """
        plural = sent.write.route.plural
        try:
            matched = sent.matched(answers.elements(answer, plural), is_silent=not answers.speaks(answer))
        except NoAnswer:
            matched = {}
        if sent.entry.method == "DELETE" and not matched:  # Xero need not say more than that it is done
            matched = {0: Answered(Allocation())}
        seen = self._look_up(sent, [place for place in sent.open if place not in matched])
        shown = self._together(
            sorted(matched), lambda places: sent.write.read_back(self.client, [sent.steps[place] for place in places])
        )
        told = {place: replace(one, shown=shown.found.get(place)) for place, one in matched.items()}
        told = {place: one for place, one in told.items() if place not in shown.odd}
        self._settle(sent, _Seen(seen.found, {**seen.odd, **shown.odd}), told, answer.status, at)

    def _settle(
        self,
        sent: _Sent,
        seen: _Seen,
        told: Mapping[int, Answered[Element]] = MappingProxyType({}),
        http_status: int | None = None,
        at: datetime | None = None,
    ) -> None:
        """Settles what is open of a write, by what the answer has told, else by what was seen; what can't be read stays open."""
        with self.mappings.store.write():
            for place in sent.open:
                step = sent.steps[place]
                if place in seen.odd:
                    rows.leave_open(self.mappings, sent.entry, place, unreadable(seen.odd[place].why))
                    continue
                if place not in told and place not in seen.found:
                    rows.end_document(self.mappings, sent.entry, place, "missing", None, "not found in Xero")
                    continue
                if place in told:
                    outcome = self.settler.settle(step, told[place], at)
                else:
                    outcome = self.settler.found(step, seen.found[place])
                rows.end_document(
                    self.mappings,
                    sent.entry,
                    place,
                    outcome.state,
                    outcome.xero_id,
                    outcome.message,
                    outcome.warnings,
                )
            if not seen.odd:
                rows.end_entry(self.mappings, sent.entry, "answered" if told else "looked-up", self.now(), http_status)

    def _settle_refusal(self, sent: _Sent, refusal: Refused, *, splits: bool) -> bool:
        matched = sent.matched(refusal.elements)
        told = [answered.messages for answered in matched.values()]
        splits = splits and not (len(matched) == len(sent.steps) and all(told))
        with self.mappings.store.write():
            for place, step in enumerate(sent.steps):
                if splits:
                    rows.end_document(self.mappings, sent.entry, place, "missing", None, "sent again in smaller parts")
                    continue
                own = matched.get(place)
                words = (own.messages if own else []) or refusal.messages or [refusal.message]
                self.settler.refuse(step, words)
                warnings = own.warnings if own else []
                rows.end_document(self.mappings, sent.entry, place, "refused", None, " ".join(words), warnings)
            rows.end_entry(
                self.mappings, sent.entry, "answered", self.now(), refusal.status, " ".join(refusal.messages)
            )
        return not splits

    def _settle_by_look_up(self, sent: _Sent, http_status: int | None = None) -> None:
        self._settle(sent, self._look_up(sent, sent.open), http_status=http_status)

    def _look_up(self, sent: _Sent, places: Sequence[int]) -> _Seen:
        """What Xero has of some documents of a write."""
        return self._together(
            places,
            lambda some: sent.write.find_again(self.client, self.mappings, [sent.steps[place] for place in some]),
        )

    def _together(self, places: Sequence[int], look: Callable[[Sequence[int]], Found]) -> _Seen:
        found: Found = {}
        odd: dict[int, Unreadable] = {}
        answers.apart(
            places,
            lambda some: found.update({some[at]: document for at, document in look(some).items()}),
            odd.__setitem__,
        )
        return _Seen(found, odd)

    def _end(self, sent: _Sent, state: rows.EntryState) -> None:
        with self.mappings.store.write():
            for place in range(len(sent.steps)):
                rows.end_document(self.mappings, sent.entry, place, "missing", None, "never sent")
            rows.end_entry(self.mappings, sent.entry, state, self.now())


@dataclass(frozen=True)
class _Seen:
    """What a look has found of a write's documents, by place, and what of them can't be read; what is in neither is not in Xero."""

    found: Found
    odd: Mapping[int, Unreadable]


@dataclass(frozen=True)
class _Sent:
    """A write in the journal, with the steps that travel in it, in order."""

    entry: Entry
    write: Write
    steps: Sequence[Step]
    key: Key

    @property
    def open(self) -> list[int]:
        """The places of the documents that are not settled."""
        return [one.position for one in self.entry.documents if one.state == "open"]

    @property
    def was_answered(self) -> bool:
        """Whether an answer has come already, of which something could not be read: it is never sent again, only looked up."""
        return any(one.state != "open" or one.message is not None for one in self.entry.documents)

    def matched(self, elements: Sequence[object], *, is_silent: bool = False) -> dict[int, Answered[Element]]:
        """Each step's element by place, checked by number or id; elements out of order are found by these.

        `is_silent`: no element has an error or warning.
        """
        pool = [
            one
            for one in answers.answered(self.write.route.plural, elements, is_silent=is_silent)
            if self.write.says(one)
        ]
        in_order = len(pool) == len(self.steps) and all(
            self.write.name_in(one.document) in (None, *self.write.names(step))
            for step, one in zip(self.steps, pool, strict=True)
        )
        if in_order:
            return dict(enumerate(pool))
        matched = {}
        for place, step in enumerate(self.steps):
            own = [one for one in pool if self.write.name_in(one.document) in self.write.names(step)]
            if len(own) == 1:
                matched[place] = own[0]
        return matched


def _in_words(steps: Sequence[Step]) -> str:
    """Steps of one kind as a run notes them: no name or number is in it."""
    verb, _, what = steps[0].kind.partition("-")
    return f"{counted(len(steps), 'document')} to {verb} ({what.replace('-', ' ')})"
