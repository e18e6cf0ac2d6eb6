"""Every write to Xero goes through here: journalled before it is sent, settled after, and never lost or doubled in between.

A write whose answer never came is *unknown*. Younger than five minutes, the same bytes go again with the same key, and Xero
answers what it answered before (it keeps keys for six minutes); a look-up would race with a request still under way. Older, or
where the replay is itself an error, each document is looked up in Xero: what is there is adopted, the rest is planned anew.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from caspen_xero.store import journal as rows
from caspen_xero.store.journal import Entry, EntryDocument
from caspen_xero.store.mappings import Mappings
from caspen_xero.sync.planning.steps import ROUTES, Operation
from caspen_xero.sync.sending.settle import Settler, identity_of
from caspen_xero.xero.documents import encode, messages_of
from caspen_xero.xero.errors import (
    ConnectNeeded,
    LimitReached,
    NoAnswer,
    NotAnAddress,
    NotFound,
    Refused,
    TokenStoreError,
    Unreachable,
)

REPLAY_AGE = timedelta(minutes=5)
RESENDS = 3
REFUSALS_IN_A_ROW = 3
MAX_BYTES = 3_000_000  # Xero refuses bodies above 3.5 MB


class Answer(Protocol):
    """An answer of Xero's."""

    @property
    def status(self) -> int: ...
    @property
    def body(self) -> bytes: ...
    def json(self) -> Any: ...


class _Gone:
    """What a DELETE of something that is not there amounts to."""

    status = 404
    body = b""

    def json(self) -> Any:
        return {}


class Client(Protocol):
    """The part of a Xero client that the engine needs."""

    calls: int

    def get(self, path: str, params: Mapping[str, str] | None = None, *, since: datetime | None = None) -> Answer: ...
    def send(
        self, method: str, path: str, body: bytes, *, params: Mapping[str, str] | None = None, idempotency_key: str
    ) -> Answer: ...


class Journal:
    """Sends the steps of a plan and brings what earlier runs left behind to its end."""

    def __init__(
        self,
        mappings: Mappings,
        client: Client,
        settler: Settler,
        look_up: Callable[[Sequence[EntryDocument]], dict[int, dict[str, Any]]],
        now: Callable[[], datetime],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.mappings, self.client, self.settler, self.look_up = mappings, client, settler, look_up
        self.now, self.sleep = now, sleep
        self._refused_in_a_row = 0

    def send(self, operations: Sequence[Operation], *, part: bool = False) -> None:
        """Sends operations of one kind as one write. Errors that mean "not now" are raised; refusals are settled.

        A batch that Xero refuses whole, without saying which document is at fault, goes again in halves; where it then refuses
        one document after the other, it isn't about them: that refusal is raised.
        """
        route = ROUTES[operations[0].kind]
        body = b"" if route.method == "DELETE" else encode(_wrapped(operations, route.plural, route.batch))
        if len(body) > MAX_BYTES and len(operations) > 1:
            self._in_halves(operations)
            return
        documents = [
            EntryDocument(
                position=position,
                operation=operation.kind,
                caspen_id=operation.caspen_id,
                invoice_id=operation.invoice_id,
                number=operation.number,
                expected={
                    **operation.expected,
                    "depends_on": operation.depends_on,
                    "target": operation.target,
                    "other": operation.other,
                },
            )
            for position, operation in enumerate(operations)
        ]
        try:
            path = route.path_of(operations[0])
        except NotAnAddress as refusal:
            with self.mappings.store.write():
                self.settler.refuse(documents[0], refusal.messages)
            return
        entry = rows.write_entry(self.mappings, route.method, path, route.params, body, documents, self.now())
        if not self._deliver(entry, whole_refusal_splits=len(operations) > 1, part=part):
            self._in_halves(operations)

    def _in_halves(self, operations: Sequence[Operation]) -> None:
        middle = len(operations) // 2
        self.send(operations[:middle], part=True)
        self.send(operations[middle:], part=True)

    def recover(self) -> int:
        """Ends every write whose answer is unknown; gives their number."""
        entries = rows.open_entries(self.mappings)
        for entry in entries:
            self._deliver(entry, known_sent=True)
        return len(entries)

    def _deliver(
        self, entry: Entry, *, known_sent: bool = False, whole_refusal_splits: bool = False, part: bool = False
    ) -> bool:
        """Sends a journalled write until its fate is known. False: refused whole, to be sent in smaller parts."""
        resent = 0
        while True:
            if known_sent and not self._replayable(entry):
                self._settle_by_look_up(entry)
                return True
            try:
                answer = self.client.send(
                    entry.method, entry.path, entry.body, params=entry.params, idempotency_key=entry.idempotency_key
                )
            except (Unreachable, LimitReached, ConnectNeeded, TokenStoreError):
                if not known_sent:
                    self._end(entry, "not-sent")
                raise
            except NoAnswer as error:
                if known_sent and error.status is not None:
                    self._settle_by_look_up(entry)  # a stored error played back: as good as too old for a replay
                    return True
                if resent == RESENDS:
                    raise
                known_sent = True
                self.sleep(2.0**resent)
                resent += 1
            except NotFound as refusal:
                if entry.method == "DELETE":  # it is gone, which is what was wanted
                    return self._settle_answer(entry, _Gone())
                return self._settle_refusal(entry, refusal, splits=False)
            except Refused as refusal:
                in_parts = not self._settle_refusal(entry, refusal, splits=whole_refusal_splits)
                self._refused_in_a_row += int(part and not in_parts and not refusal.elements)
                if self._refused_in_a_row == REFUSALS_IN_A_ROW:
                    raise
                return not in_parts
            else:
                self._refused_in_a_row = 0
                return self._settle_answer(entry, answer)

    def _replayable(self, entry: Entry) -> bool:
        age = self.now() - entry.first_sent_at
        return entry.method != "DELETE" and timedelta() <= age < REPLAY_AGE

    def _settle_answer(self, entry: Entry, answer: Answer) -> bool:
        try:
            document = answer.json() if answer.body else {}
        except ValueError:
            document = {}
        plural = ROUTES[entry.documents[0].operation].plural  # type: ignore[index]
        elements = document.get(plural) if isinstance(document, dict) else None
        matched = _match(entry.documents, elements if isinstance(elements, list) else [])
        if entry.method != "DELETE" and len(matched) < len(entry.documents):
            self._settle_by_look_up(entry, answer.status)
            return True
        with self.mappings.store.write():
            for document_ in entry.documents:
                outcome = self.settler.settle(document_, matched.get(document_.position, {}))
                rows.end_document(self.mappings, entry, document_, outcome.state, outcome.xero_id, outcome.message)
            rows.end_entry(self.mappings, entry, "answered", self.now(), answer.status)
        return True

    def _settle_refusal(self, entry: Entry, refusal: Refused, *, splits: bool) -> bool:
        matched = _match(entry.documents, refusal.elements) if refusal.elements else {}
        with self.mappings.store.write():
            told = [messages_of(element) for element in matched.values()]
            if splits and not (len(matched) == len(entry.documents) and all(told)):
                for document in entry.documents:
                    rows.end_document(self.mappings, entry, document, "missing", None, "sent again in smaller parts")
            else:
                for document in entry.documents:
                    words = messages_of(matched.get(document.position, {})) or refusal.messages or [refusal.message]
                    self.settler.refuse(document, words)
                    rows.end_document(self.mappings, entry, document, "refused", None, " ".join(words))
                splits = False
            rows.end_entry(self.mappings, entry, "answered", self.now(), refusal.status, " ".join(refusal.messages))
        return not splits

    def _settle_by_look_up(self, entry: Entry, http_status: int | None = None) -> None:
        found = self.look_up(entry.documents)
        with self.mappings.store.write():
            for document in entry.documents:
                element = found.get(document.position)
                if element is None:
                    rows.end_document(self.mappings, entry, document, "missing", None, "not found in Xero")
                    continue
                outcome = self.settler.settle(document, element)
                rows.end_document(self.mappings, entry, document, outcome.state, outcome.xero_id, outcome.message)
            rows.end_entry(self.mappings, entry, "looked-up", self.now(), http_status)

    def _end(self, entry: Entry, state: rows.EntryState) -> None:
        with self.mappings.store.write():
            for document in entry.documents:
                rows.end_document(self.mappings, entry, document, "missing", None, "never sent")
            rows.end_entry(self.mappings, entry, state, self.now())


def _wrapped(operations: Sequence[Operation], plural: str, batch: int) -> dict[str, Any]:
    if batch == 1 and operations[0].kind == "delete-payment":
        return dict(operations[0].body or {})
    return {plural: [operation.body for operation in operations]}


def _match(documents: Sequence[EntryDocument], elements: Sequence[Any]) -> dict[int, dict[str, Any]]:
    """Each document's element by position, checked by number or id; elements out of order are found by these."""
    pool = [element for element in elements if isinstance(element, dict)]
    matched: dict[int, dict[str, Any]] = {}
    in_order = len(pool) == len(documents) and all(
        identity_of(document.operation, element) in (None, *_names(document))
        for document, element in zip(documents, pool, strict=True)
    )
    if in_order:
        return dict(enumerate(pool))
    for document in documents:
        own = [element for element in pool if identity_of(document.operation, element) in _names(document)]
        if len(own) == 1:
            matched[document.position] = own[0]
    return matched


def _names(document: EntryDocument) -> tuple[str, ...]:
    names = (document.number, document.expected.get("target"), document.expected.get("reference"))
    return tuple(name for name in names if name)
