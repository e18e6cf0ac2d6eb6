"""The way back: what pull has recorded is handed to Caspen, each record once, and marked delivered only after that.

What Caspen has by now is marked without being told; what a person has to decide on is held (`held`).

Files: appended to `caspen-updates.jsonl`, all or none; an id that is there already is not written again. HTTP: posted one by one
with the record's id as idempotency key; 409 means that Caspen has it. So a crash between handing over and marking costs nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from caspen_xero.caspen.feed import FeedError
from caspen_xero.caspen.sources import is_url
from caspen_xero.caspen.updates import UPDATES_FILE, append_updates, ids_told
from caspen_xero.errors import ExitCode
from caspen_xero.interruption import to_its_end
from caspen_xero.outside_text import plain
from caspen_xero.progress import counted
from caspen_xero.store import different_money, holds, xero_payments
from caspen_xero.store.imports import LAST_READ
from caspen_xero.store.mappings import Mappings
from caspen_xero.store.store import Store
from caspen_xero.store.xero_payments import XeroPayment
from caspen_xero.sync.problems import ProblemCode
from caspen_xero.sync.pulling.undelivered import Held, Undelivered, judge_undelivered
from caspen_xero.sync.setup.settings import Settings

log = logging.getLogger(__name__)

_ABOUT_ONE_RECORD = frozenset({"caspen-refused", "caspen-not-found"})
_MAYBE_ABOUT_ONE_RECORD = frozenset({"caspen-unavailable", "caspen-odd-answer"})
"""Over one record, or altogether? Two in a row end the delivery."""


@dataclass(frozen=True)
class Destination:
    """Where Caspen takes payments from Xero: a file, by its whole path, or a server, by its URL."""

    where: str

    @property
    def in_words(self) -> str:
        """How they get there, as in "1 payment for Caspen, ...": where a person finds them."""
        if is_url(self.where):
            return f"sent to Caspen at {plain(urlsplit(self.where).netloc)}"
        file = Path(self.where)
        return f"written to {plain(file.name)} in {plain(file.parent)}"


@dataclass
class Delivery:
    """What reached Caspen and by which way (`there`: of these what its file had already, as a store that is older than that file
    can't know), what it had already, what is held for a person to decide, what Caspen refused and why,
    what waits for the next pull, and why not all was tried to its end.
    """

    to: Destination | None = None
    delivered: list[XeroPayment] = field(default_factory=list)
    there: list[XeroPayment] = field(default_factory=list)
    known: list[XeroPayment] = field(default_factory=list)
    waiting: list[XeroPayment] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    refused: list[tuple[XeroPayment, FeedError]] = field(default_factory=list)
    stopped: FeedError | None = None


def deliver(
    mappings: Mappings,
    settings: Settings,
    now: Callable[[], datetime],
    *,
    knows_all: bool = True,
    api_key: Callable[[], str | None] = lambda: None,
    progress: Callable[[int, int | None], None] = lambda done, total: None,
    delivery: Delivery | None = None,
) -> Delivery:
    """Delivers whatever waits, oldest first. Never raises for what Caspen or the disk says: `stopped` tells.

    `delivery` is filled as it goes on, for whoever has to tell of it after an interruption.
    `knows_all`: every payment of Caspen's could be read. Else nothing is delivered: it may be what Caspen has already.
    """
    judged = judge_undelivered(mappings, settings, now())
    if judged.known:
        with mappings.store.write():
            for link in judged.links:
                mappings.put_link(link)
            xero_payments.mark_delivered(mappings, [record.xero_id for record in judged.known], now())
    _ask_anew(mappings, judged.asks)
    delivery, records = delivery or Delivery(), judged.to_tell
    delivery.known, delivery.held, delivery.waiting = judged.known, judged.held, list(records)
    if not records:
        return delivery
    if not knows_all:
        delivery.stopped = payment_unreadable(len(records))
        return delivery
    log.info("Telling Caspen of %s.", counted(len(records), "payment"))
    try:
        delivery.to = destination(mappings.store, settings.source)
        if is_url(settings.source):
            _post(mappings, delivery.to, api_key(), judged, delivery, now, progress)
        else:
            _append(mappings, delivery.to, judged, delivery, now)
    except FeedError as error:
        delivery.stopped = error
    return delivery


def _ask_anew(mappings: Mappings, asks: Mapping[str, Set[str]]) -> None:
    """What push has asked about a payment, or said of it, before this stood in Xero, it judges anew."""
    codes = {ProblemCode.PAYMENT_MAYBE_ALREADY_IN_XERO, ProblemCode.PAYMENT_REMOVED_IN_XERO}
    held = [one for one in holds.on(mappings, "create-payment", asks) if one.code in codes]
    if stale := [one.caspen_id for one in held if not asks[one.caspen_id] <= {*one.about.split()}]:
        holds.make_due(mappings, stale)


def foresee(
    mappings: Mappings, settings: Settings, found: Sequence[XeroPayment], now: datetime, *, knows_all: bool = True
) -> Delivery:
    """What a delivery would do now, with what a dry run has `found`: `waiting` is what would reach Caspen, unless `stopped`."""
    judged = judge_undelivered(mappings, settings, now, found)
    delivery = Delivery(known=judged.known, held=judged.held, waiting=judged.to_tell)
    if not delivery.waiting:
        return delivery
    if not knows_all:
        delivery.stopped = payment_unreadable(len(delivery.waiting))
        return delivery
    try:
        delivery.to = destination(mappings.store, settings.source)
    except FeedError as error:
        delivery.stopped = error
    return delivery


def destination(store: Store, source: str | None) -> Destination:
    """Where Caspen takes payments now. `FeedError` where nothing says so, or it is not there."""
    if is_url(source):
        return Destination(str(source))
    return Destination(str((updates_folder(store, source) / UPDATES_FILE).absolute()))


def payment_unreadable(waiting: int) -> FeedError:
    """Why nothing is told to Caspen while one of its own payments can't be read."""
    what = "1 payment from Xero waits" if waiting == 1 else f"{waiting} payments from Xero wait"
    return FeedError(
        "payment-unreadable",
        f"{what} to be told to Caspen: a payment of Caspen's could not be read, and may be the same money.",
        "Correct that record in Caspen, then: caspen-xero pull",
        ExitCode.PARTLY,
    )


def updates_folder(store: Store, source: str | None) -> Path:
    """Where Caspen looks for updates: the folder of the source, else of what was last read. `FeedError` where there is none.

    A source that is not there (a disk not mounted) is no reason to write elsewhere; an imported file may be gone by now.
    """
    return _folder_of(source, store.setting(LAST_READ))


def moved_by_import(store: Store, source: str | None, read_before: str | None) -> tuple[Path | None, Path] | None:
    """Where Caspen was told of payments before files were imported (None: nowhere any longer), and is now; None if it is the same.

    A source that is set says it, whatever is imported, and so does nothing before the first import.
    """
    if source or read_before is None:
        return None
    try:
        now = _folder_of(source, store.setting(LAST_READ))
    except FeedError:
        return None
    try:
        before = _folder_of(source, read_before)
    except FeedError:
        return None, now / UPDATES_FILE
    return None if before.resolve() == now.resolve() else (before / UPDATES_FILE, now / UPDATES_FILE)


def _folder_of(source: str | None, imported: str | None) -> Path:
    path = Path(source or imported or "")
    if not source and (not imported or is_url(imported)):
        missing = "no source says where Caspen takes them"
    elif path.is_dir():
        return path
    elif path.is_file() or (not source and path.suffix and path.parent.is_dir()):
        return path.parent
    else:
        missing = f"{plain(path)} is not there"
    raise FeedError(
        "nowhere-to-deliver",
        f"Payments from Xero wait to be told to Caspen: {missing}.",
        "caspen-xero settings set --source PATH",
    )


def _mark_told(
    mappings: Mappings, to: Destination, told: Sequence[XeroPayment], judged: Undelivered, now: Callable[[], datetime]
) -> None:
    """Together, as what was told is not judged again: what Caspen types in from now on may be it; what it had before is not."""
    ids = {record.xero_id for record in told}
    with mappings.store.write():
        xero_payments.mark_delivered(mappings, sorted(ids), now(), to.where)
        different_money.keep(mappings, (pair for pair in judged.unlike if pair[1] in ids))


def _append(
    mappings: Mappings,
    to: Destination,
    judged: Undelivered,
    delivery: Delivery,
    now: Callable[[], datetime],
) -> None:
    records = judged.to_tell
    before = ids_told(Path(to.where).parent)
    written = set(append_updates(Path(to.where).parent, [record.as_record() for record in records]))
    told = [record for record in records if record.id_in_caspen in written]
    _mark_told(mappings, to, told, judged, now)
    delivery.delivered += told
    delivery.there = [record for record in told if record.id_in_caspen in before]
    delivery.waiting = [record for record in records if record.id_in_caspen not in written]


def _post(
    mappings: Mappings,
    to: Destination,
    api_key: str | None,
    judged: Undelivered,
    delivery: Delivery,
    now: Callable[[], datetime],
    progress: Callable[[int, int | None], None],
) -> None:
    from caspen_xero.caspen.api import ApiFeed

    feed, records = ApiFeed(to.where, api_key=api_key), judged.to_tell
    has_failed = False
    try:
        for place, record in enumerate(records, 1):
            with to_its_end():  # that Caspen has it is noted too
                try:
                    feed.post_payment(record.invoice_id, record.as_record(), record.id_in_caspen)
                except FeedError as error:
                    if error.code in _ABOUT_ONE_RECORD:
                        delivery.refused.append((record, error))
                        delivery.waiting.remove(record)
                    elif error.code in _MAYBE_ABOUT_ONE_RECORD and not has_failed:
                        has_failed, delivery.stopped = True, error
                    else:
                        raise
                else:
                    _mark_told(mappings, to, [record], judged, now)
                    delivery.delivered.append(record)
                    delivery.waiting.remove(record)
                    has_failed = False
            progress(place, len(records))
    finally:
        feed.close()
