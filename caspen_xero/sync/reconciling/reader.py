"""Reads Xero anew for a reconciliation: its lists page by page, then whatever changed meanwhile, until nothing has.

Invoices come in the order of their ids, so a change moves none from page to page; only one that leaves the list does, and then that
list is read anew. Payments and credit notes come in the order of their changes: there a change moves one to the end, and all count
who come; where fewer came than Xero counted, that list is read anew too, from change to change, which misses none (`client.pages`).
Each page is kept, so a reading that ends early goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from caspen_xero.interruption import to_its_end
from caspen_xero.store import readings
from caspen_xero.store.mappings import Mappings
from caspen_xero.sync.fix_commands import reconcile_command
from caspen_xero.sync.reconciling import by_id
from caspen_xero.sync.reconciling.brought import Brought, brought, packed, unpacked
from caspen_xero.sync.reconciling.ledger import Asked
from caspen_xero.sync.reconciling.wanted import Wanted
from caspen_xero.xero.answers import moment_in, text_in
from caspen_xero.xero.calls import Client
from caspen_xero.xero.clock import CLOCKS_APART
from caspen_xero.xero.dealings import credits_on
from caspen_xero.xero.errors import LimitReached, NoAnswer, TryLater, spoken_time
from caspen_xero.xero.reading import CREDITS, OVERLAP, latest
from caspen_xero.xero.whole_lists import ID_NAMES, WholeList, guard_of, in_order_of_changes, page_of

LEFT_FOR_OTHERS = 20
"""Calls of the day that a reading leaves for what runs by itself."""

LOOKS = 8
"""How often what changed meanwhile is looked for: books that change each time are not still enough to be compared."""

_BY_ID, _CREDITS_BY_ID = "invoices by id", "credits by id"
"""What is kept beside the lists."""

_SECOND = timedelta(seconds=1)


class ReadingClient(Client, Protocol):
    """A client that knows how many calls the day has left for this organisation; None before Xero has said so."""

    @property
    def calls_left_today(self) -> int | None: ...


@dataclass
class _Part:
    """A list as far as it was read: on which page each document came, how many Xero counted, when the newest was changed."""

    place: dict[str, int] = field(default_factory=dict)
    pages: int = 0
    counted: int | None = None
    newest: datetime | None = None
    by_change: bool = False
    is_done: bool = False

    def came(self, page: readings.KeptPage, found: Brought, newest: datetime | None) -> None:
        self.place |= dict.fromkeys(found.ids, page.number)
        self.pages, self.counted = page.number, page.counted if page.counted is not None else self.counted
        self.newest = newest or self.newest
        self.by_change, self.is_done = self.by_change or page.by_change, page.is_last


class Reader:
    """One reading. `found`: what counts of what was read; `began_at`, `calls`: with those of the run that began it, if one did."""

    def __init__(
        self,
        client: ReadingClient,
        mappings: Mappings,
        asked: Asked,
        tell: Callable[[int, int | None], None],
        now: datetime,
    ) -> None:
        self.found = Brought()
        self.began_at = now
        self.resumed_from: datetime | None = None
        self._client, self._mappings, self._asked, self._tell, self._now = client, mappings, asked, tell, now
        self._calls_before, self._calls_at_start = 0, client.calls
        self._xero_time: datetime | None = None
        self._parts: dict[str, _Part] = {}
        self._elsewhere: set[str] = set()  # invoices that were asked for by id, and do not count, or are not there
        self._absent: set[str] = set()  # credits that an invoice lists, and Xero does not show
        self._looked_at: set[tuple[str, str]] = set()
        self._go_on_with(readings.under_way(mappings, now))
        self.wanted = Wanted(asked, self.began_at)
        self._expected = readings.expected(mappings, asked.first, self.wanted.upto, self.wanted.money_from)

    @property
    def calls(self) -> int:
        """The calls of the reading, in all runs."""
        return self._calls_before + self._client.calls - self._calls_at_start

    @property
    def at(self) -> datetime:
        """What time it is at Xero (UTC)."""
        return self._client.clock.now()

    # --- the reading

    def read(self) -> None:
        """Reads all. Raises `TryLater`, in words that say how far it came; what was read stays for the same question."""
        with self._telling_how_far():
            for name, whole in self.wanted.lists.items():
                self._read_list(name, whole)
            self._read_missing()
            is_first = True
            for _ in range(LOOKS):
                if not self._look(is_first=is_first):
                    return
                is_first = False
            raise TryLater(
                "xero-not-still",
                "Documents were changed in Xero again and again while they were read, so nobody can say how the books stood.",
            )

    def read_also(self, ids: Iterable[str]) -> None:
        """Reads invoices whatever their day, and the credits that they list."""
        with self._telling_how_far():
            wanted = [id_ for id_ in dict.fromkeys(ids) if id_ not in self.found]
            if wanted:
                self.found.take(by_id.invoices(self._client, wanted))
                while self._read_credits():
                    pass

    @contextmanager
    def _telling_how_far(self) -> Iterator[None]:
        try:
            yield
        except TryLater as error:
            read = len(self.found)
            if read:
                were, are = ("was", "is") if read == 1 else ("were", "are")
                error.message += f" {read:,} of about {self._all():,} documents {were} read, and {are} kept for a week."
            seconds = error.retry_after if isinstance(error, LimitReached) else None
            when = "later" if seconds is None else f"in {spoken_time(seconds)}"
            goes_on = "; it goes on where it stopped" if read else ""
            command = reconcile_command(self._asked.first, self._asked.last, self._asked.as_at)
            error.fix = f"Run this again {when}{goes_on}: {command}"
            raise

    # --- what is kept

    def _go_on_with(self, kept: readings.UnderWay | None) -> None:
        """Takes in what an earlier run read for the same question."""
        if kept is None or (kept.first, kept.last, kept.as_at) != (
            self._asked.first,
            self._asked.last,
            self._asked.as_at,
        ):
            return
        try:
            pages = [(page, unpacked(page.content)) for page in readings.pages(self._mappings)]
        except ValueError:
            return
        self.began_at = self.resumed_from = kept.began_at
        self._xero_time, self._calls_before = kept.xero_time, kept.calls
        self.wanted = Wanted(self._asked, self.began_at)
        for page, found in pages:
            self._parts.setdefault(page.list, _Part()).came(page, found, self._newest_of(found))
            if page.list == _BY_ID:
                found = self._that_count(found)
            self.found.take(found)

    def _take(
        self,
        name: str,
        found: Brought,
        *,
        counted: int | None = None,
        is_last: bool = False,
        by_change: bool = False,
    ) -> None:
        """Takes in a page and keeps it."""
        part = self._parts.setdefault(name, _Part())
        page = readings.KeptPage(name, part.pages + 1, len(found), counted, is_last, by_change, packed(found))
        readings.keep(self._mappings, page, self.calls)
        part.came(page, found, self._newest_of(found))
        self.found.take(self._that_count(found) if name == _BY_ID else found)
        self._tell(len(self.found), self._all())

    def _newest_of(self, found: Brought) -> datetime | None:
        moments = [one.updated_date_utc for one in found.invoices.values()]
        moments += [one.updated_date_utc for one in found.payments.values()]
        moments += [one.updated_date_utc for _, one in found.credits.values()]
        return latest(self._client, *moments)

    def _all(self) -> int:
        """How many documents there are to be read, by what is known so far."""
        expected = self._expected
        guesses = {
            "invoices": expected.invoices,
            "open before": expected.older,
            "payments": expected.payments,
            "credit notes": expected.credit_notes,
        }
        counted = {name: part.counted for name, part in self._parts.items()}
        in_lists = sum(
            guesses.get(name, 0) if (number := counted.get(name)) is None else number for name in self.wanted.lists
        )
        return max(in_lists, len(self.found))

    # --- lists

    def _admitted(self) -> None:
        """Raises where a call would be one of those that are left for others."""
        left = self._client.calls_left_today
        if left is not None and left <= LEFT_FOR_OTHERS:
            raise TryLater(
                "xero-day-limit",
                f"Of the day's calls to Xero {left} are left for this organisation, and the last {LEFT_FOR_OTHERS} are left for "
                "what runs by itself.",
            )

    def _read_list(self, name: str, whole: WholeList) -> None:
        part = self._parts.setdefault(name, _Part())
        if part.pages > 0 and not part.is_done and (part.by_change or not whole.by_id):
            self._read_by_change(name, whole, part.newest, counts=not whole.by_id)
        guard = guard_of(whole)
        while not part.is_done:
            self._admitted()
            asked_at = self._client.clock.steady()
            with to_its_end():  # a page that came is kept too
                page = page_of(self._client, whole, part.pages + 1, guard)
                self._begun(asked_at)
                found = brought(whole.plural, page.elements)
                self._take(name, found, counted=page.counted, is_last=page.is_last)
        is_short = not part.by_change if part.counted is None else len(part.place) < part.counted
        if part.pages > 1 and not whole.by_id and is_short:
            self._read_anew(name, whole)

    def _begun(self, asked_at: float) -> None:
        """Notes when the reading began, at the first answer: what changes from then on is looked for at the end."""
        if self._xero_time is not None:
            return
        clock = self._client.clock
        self._xero_time = clock.at_least(asked_at) or clock.now() - CLOCKS_APART
        question = self._asked
        readings.begin(
            self._mappings,
            readings.UnderWay(question.first, question.last, question.as_at, self.began_at, self._xero_time),
        )

    def _read_by_change(self, name: str, whole: WholeList, newest: datetime | None, *, counts: bool = False) -> None:
        """Reads a list, or the rest of one, in the order of changes. `counts`: asks how many there are in all, too."""
        since = newest.replace(microsecond=0) - _SECOND if newest is not None else None
        self._admitted()
        for rows in in_order_of_changes(self._client, whole, since):
            self._take(name, brought(whole.plural, rows), by_change=True)
            self._admitted()
        counted = page_of(self._client, whole, 1, guard_of(whole)).counted if counts else None
        self._take(name, Brought(), counted=counted, is_last=True, by_change=True)

    def _read_anew(self, name: str, whole: WholeList, left: int = 0) -> None:
        """Reads a list from its beginning, as documents moved from page to page. `left`: how many are known to have left it."""
        before = self._parts.pop(name)
        readings.drop(self._mappings, name)
        elsewhere = {
            id_ for part in self._parts.values() for id_ in part.place
        }  # it may have gone to another list meanwhile
        for id_ in before.place.keys() - elsewhere:
            self.found.drop(id_)
        self._parts[name] = _Part()
        self._read_by_change(name, whole, None)
        if len(self._parts[name].place) < (before.counted or 0) - left:
            raise NoAnswer(f"its list of {whole.plural} holds fewer than the {before.counted:,} that it counted")

    # --- what is read by its id

    def _read_missing(self) -> None:
        """Reads the credits that invoices list, and older invoices that were settled since the day of the debtors."""
        while self._read_credits() or self._read_settled():
            pass

    def _read_credits(self) -> bool:
        """Reads the credits that are listed and were not read; says whether there were any."""
        listed = {credit.credit_id: credit.kind for one in self.found.invoices.values() for credit in credits_on(one)}
        missing = {id_: kind for id_, kind in listed.items() if id_ not in self.found and id_ not in self._absent}
        for kind in CREDITS:
            if ids := [id_ for id_ in missing if missing[id_] == kind]:
                self._admitted()
                found = by_id.credits(self._client, kind, ids)
                self._absent |= {*ids} - found.ids
                self._take(_CREDITS_BY_ID, found)
        return bool(missing)

    def _read_settled(self) -> bool:
        """Reads invoices from before the period on which there is money of a day after that of the debtors, as they may count."""
        if self.wanted.before is None:
            return False
        wanted = self._settled() - self.found.ids - self._elsewhere
        if not wanted:
            return False
        self._admitted()
        found = by_id.invoices(self._client, sorted(wanted))
        self._elsewhere |= wanted - found.ids
        self._take(_BY_ID, found)
        return True

    def _settled(self) -> set[str]:
        """The InvoiceIDs of what was paid or credited since the day of the debtors."""
        paid = {
            payment.invoice.invoice_id
            for payment in self.found.payments.values()
            if payment.invoice and payment.status != "DELETED" and self.wanted.is_since(payment.date)
        }
        credited = {
            allocation.invoice.invoice_id
            for _, credit in self.found.credits.values()
            for allocation in credit.allocations
            if allocation.invoice and not allocation.is_deleted and self.wanted.is_since(allocation.date)
        }
        return {id_ for id_ in paid | credited if id_}

    def _that_count(self, found: Brought) -> Brought:
        """Of what was asked for by id, what is from before the period; the rest is elsewhere."""
        before = self.wanted.before
        count = {
            id_: one
            for id_, one in found.invoices.items()
            if before is not None and one.date is not None and one.date <= before
        }
        self._elsewhere |= found.invoices.keys() - count.keys()
        return Brought(count, odd=found.odd)

    # --- what changed meanwhile

    def _look(self, *, is_first: bool) -> bool:
        """Reads what has changed since the reading began; says whether there was anything new.

        A payment or an allocation changes its invoice, so payments are looked at where some invoice has changed.
        """
        invoices = self._changed(WholeList("Invoices"))
        notes = self._changed(WholeList("CreditNotes"))
        if is_first:
            self._read_lists_anew(invoices, notes)
        before = [self.found.invoices[id_] for id_ in invoices.ids if id_ in self.found.invoices]
        self._take_changed(invoices)
        self._take_changed(notes)
        if invoices.ids:
            payments = self._changed(WholeList("Payments"))
            self._take_changed(payments)
            for credit in [credit for one in (*before, *invoices.invoices.values()) for credit in credits_on(one)]:
                if credit.kind != "credit_note":  # those are looked at as a list
                    self.found.drop(credit.credit_id)
                    self._absent.discard(credit.credit_id)
        self._read_missing()
        return bool(invoices.ids or notes.ids)

    def _changed(self, whole: WholeList) -> Brought:
        """What of a kind has changed since the reading began, and is not known as it is now."""
        assert self._xero_time is not None
        fresh: list[object] = []
        self._admitted()
        for rows in in_order_of_changes(self._client, whole, self._xero_time - OVERLAP):
            for row in rows:
                id_, told = text_in(row, ID_NAMES[whole.plural]) or "", text_in(row, "UpdatedDateUTC") or ""
                if (id_, told) not in self._looked_at and not self._is_known(id_, moment_in(told)):
                    fresh.append(row)
                self._looked_at.add((id_, told))
        return brought(whole.plural, fresh)

    def _is_known(self, id_: str, moment: datetime | None) -> bool:
        """Whether a document was read as it was changed at that moment."""
        invoice, payment, credit = (
            self.found.invoices.get(id_),
            self.found.payments.get(id_),
            self.found.credits.get(id_),
        )
        known = invoice or payment or (credit[1] if credit else None)
        return known is not None and moment is not None and known.updated_date_utc == moment

    def _read_lists_anew(self, invoices: Brought, notes: Brought) -> None:
        """Reads a list anew where a document that had come left it while its pages were read: another may have moved unseen."""
        lists = self.wanted.lists
        for name, holds in self.wanted.holds.items():
            if name in lists:
                left = {id_ for id_, one in invoices.invoices.items() if not holds(one)}
                came = {id_ for id_, one in invoices.invoices.items() if holds(one)}
                self._read_anew_if_moved(name, lists[name], left, came)
        left = {id_ for id_, (_, one) in notes.credits.items() if not self.wanted.has_money(one)}
        self._read_anew_if_moved("credit notes", lists["credit notes"], left, notes.ids - left)

    def _read_anew_if_moved(self, name: str, whole: WholeList, left: set[str], came: set[str]) -> None:
        part = self._parts[name]
        gone = left & part.place.keys()
        moved = any(part.place[id_] < part.pages for id_ in gone)
        is_short = part.counted is None or len(part.place.keys() | came) < part.counted
        if part.pages > 1 and not part.by_change and (moved or is_short):
            self._read_anew(name, whole, len(gone))

    def _take_changed(self, changed: Brought) -> None:
        """Takes in what has changed, as far as it counts or did; what was read anew since is newer."""
        for id_, one in changed.invoices.items():
            known = self.found.invoices.get(id_)
            if known is not None and _is_later(known.updated_date_utc, one.updated_date_utc):
                continue
            if self.wanted.has_invoice(one) or (self._was_by_id(id_) and self._that_count(Brought({id_: one})).ids):
                self.found.take(Brought({id_: one}))
            else:
                self.found.drop(id_)
        for id_, payment in changed.payments.items():
            if self.wanted.has_money(payment) or id_ in self.found:
                self.found.take(Brought(payments={id_: payment}))
        for id_, (kind, credit) in changed.credits.items():
            if self.wanted.has_money(credit) or id_ in self.found:
                self.found.take(Brought(credits={id_: (kind, credit)}))
        self.found.take(Brought(odd=changed.odd))

    def _was_by_id(self, id_: str) -> bool:
        """Whether an invoice was asked for by its id."""
        return _BY_ID in self._parts and id_ in self._parts[_BY_ID].place


def _is_later(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and other is not None and one > other
