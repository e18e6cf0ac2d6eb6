"""A pull: what changed in Xero on invoices that we synced, page by page; each new payment is recorded once, for ever.

A page's records, the invoices' new figures and the cursor are one transaction, after all that the page asked for was read.
So a pull that is killed at any moment goes on where it stopped, and passes nothing by.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from caspen_xero.progress import counted
from caspen_xero.store import batches, clinic, holds, other_homes, problems, seen_invoices, xero_payments
from caspen_xero.store.batches import Member
from caspen_xero.store.journal import sent_from_here
from caspen_xero.store.mappings import Link, LinkKind, Mappings, by_invoice
from caspen_xero.store.seen_invoices import SeenInvoice
from caspen_xero.store.store import utc_text, utc_time
from caspen_xero.store.xero_payments import XeroPayment
from caspen_xero.sync.planning.payment_references import key_in
from caspen_xero.sync.problems import Problem, ProblemCode, read_again, unreadable
from caspen_xero.sync.pulling.match_payments import Reconciled, match_invoice, recognise, reconcile, set_aside
from caspen_xero.sync.pulling.matching import Known, Matching, under_own_ids
from caspen_xero.sync.pulling.may_be_there import maybe_there
from caspen_xero.sync.pulling.moved_contacts import contacts_left
from caspen_xero.sync.pulling.named import Named
from caspen_xero.sync.pulling.ours import own_notes, own_payments
from caspen_xero.sync.pulling.standing_notes import NOTES_SINCE, changed_notes
from caspen_xero.sync.sending.adopt import Adopt
from caspen_xero.sync.sending.other_homes import Find, FoundInXero, OtherHomes, OurPayment
from caspen_xero.sync.sending.own_ids import OwnIds, members_shown
from caspen_xero.sync.setup.organisation import pages_of
from caspen_xero.sync.setup.settings import Settings
from caspen_xero.xero.addresses import MOST_VALUES
from caspen_xero.xero.answers import apart
from caspen_xero.xero.calls import Client
from caspen_xero.xero.dealings import credits_on
from caspen_xero.xero.documents import CreditNote, Invoice, Payment
from caspen_xero.xero.errors import Unreadable, XeroError
from caspen_xero.xero.reading import (
    OVERLAP,
    InvoicePage,
    applied_credits,
    batches_by_id,
    changed_invoices,
    invoices_by_id,
    latest,
    payment_by_id,
    payments_by_id,
)

log = logging.getLogger(__name__)

FULL_EVERY = timedelta(days=7)
CURSOR, LAST_FULL = "pull_cursor", "pull_full_at"


@dataclass
class PullResult:
    """What a pull found. `found`: new payments; `updated`: Caspen ids of invoices whose status or amounts changed.

    `unreadable`: why Xero's answer about an invoice can't be read, by Caspen id, and by "" about one that does not say which it is.

    `found_in_xero`: what of ours was there though it was not sent from here, and `linked_rates`: sentences about tax rates that
    looking it up has linked. `stopped` is why it ended early; what was found before that is kept.
    """

    dry_run: bool = False
    full: bool = False
    found: list[XeroPayment] = field(default_factory=list)
    updated: set[str] = field(default_factory=set)
    unreadable: dict[str, str] = field(default_factory=dict)
    found_in_xero: FoundInXero = field(default_factory=FoundInXero)
    linked_rates: list[str] = field(default_factory=list)
    api_calls: int = 0
    stopped: XeroError | None = None


class Pull:
    """One pull of one organisation. `client` is made on first use; `progress` is told how many invoices were looked at."""

    def __init__(
        self,
        mappings: Mappings,
        settings: Settings,
        client: Callable[[], Client],
        now: Callable[[], datetime],
        *,
        progress: Callable[[int, int | None], None] = lambda done, total: None,
    ) -> None:
        self.mappings, self.settings = mappings, settings
        self._open_client, self.now, self.progress = client, now, progress
        self.result = PullResult()
        self._client: Client | None = None
        self._homes = OtherHomes(mappings, lambda: self.client)
        self._own_ids = OwnIds(mappings, lambda: self.client)
        self._visited: set[str] = set()
        self._changed_notes: dict[str, set[str]] = {}
        self._odd_before = problems.reasons(mappings, ProblemCode.UNREADABLE_IN_XERO)
        self._looked_at = 0

    @property
    def client(self) -> Client:
        """The Xero client, opened when first needed."""
        if self._client is None:
            self._client = self._open_client()
        return self._client

    def run(self, *, dry_run: bool = False, full: bool = False) -> PullResult:
        """Carries the pull out; a dry run keeps nothing. Never raises for what Xero says: `stopped` tells why it ended early.

        `result` has it all the while.
        """
        result = self.result = PullResult(dry_run=dry_run)
        try:
            if self.mappings.has_invoices():
                self._run(result, full)
        except XeroError as error:
            result.stopped = error
        finally:
            result.found_in_xero = self._homes.found
            result.api_calls = self._client.calls if self._client is not None else 0
        return result

    def _adopt_if_due(self, result: PullResult) -> None:
        """Takes in all of ours where a restored store, or a find of this very pull, asks for that."""
        if result.dry_run or not self.mappings.store.adopt_is_due:
            return
        adopted = Adopt(self.mappings, self.settings, lambda: self.client, self.now).carry_out()
        self._homes.found.add(adopted.found)
        result.linked_rates += adopted.linked_rates

    def _run(self, result: PullResult, full: bool) -> None:
        started = self.now()
        cursor = latest(self.client, utc_time(self.mappings.setting(CURSOR)))
        last_full = utc_time(self.mappings.setting(LAST_FULL))
        result.full = full or last_full is None or not timedelta() <= started - last_full < FULL_EVERY
        # The first pull need not go further back than the first invoice that we made.
        first = None if full or last_full else seen_invoices.first_change(self.mappings)
        begin = first if result.full else cursor
        since = begin - OVERLAP if begin else None
        newest = cursor
        self._changed_notes = changed_notes(lambda: self.client, self.mappings)
        for page in changed_invoices(self.client, since):
            moments = page.moments
            if "" in page.ids:  # it may be one of ours: the next pull begins here again
                result.unreadable[""] = "an invoice that has changed does not say which one it is"
            newest = latest(self.client, newest, *moments) if "" not in result.unreadable else newest
            in_order = all(moments) and moments == sorted(moments, key=lambda moment: moment or started)
            links = self._links_to(page.ids)
            self._notice_gone_ones(page, links)
            self._take_apart(links, page.invoices, since, result, newest if in_order else None)
            self._looked_at += len(page.ids)
            self.progress(self._looked_at, None)
        log.info(
            "Looked at %s in Xero with a change, for payments and differences.", counted(self._looked_at, "invoice")
        )
        self._adopt_if_due(result)
        self._take_unseen(result)
        if not result.dry_run:
            with self.mappings.store.write():
                self.mappings.set_setting(CURSOR, utc_text(newest) if newest else None)
                self.mappings.set_setting(NOTES_SINCE, utc_text(cursor) if cursor else None)
                self.mappings.set_setting(seen_invoices.PULLED_AT, utc_text(started))
                if result.full and "" not in result.unreadable:
                    self.mappings.set_setting(LAST_FULL, utc_text(started))

    def _notice_gone_ones(self, page: InvoicePage, links: Mapping[str, Link]) -> None:
        """An invoice that is not linked, with the number of one that Caspen has void by now, has all of ours looked up."""
        standing, since = page.standing, other_homes.adopted_at(self.mappings)
        news = {id_ for id_, changed_at in zip(page.ids, page.moments, strict=True) if _is_news(changed_at, since)}
        numbers = {standing[id_] for id_ in (standing.keys() & news) - links.keys()}
        if numbers and not self.result.dry_run and other_homes.has_gone_ones_numbered(self.mappings, numbers):
            self.mappings.store.set_adopt_due(True)

    def _notice_astray(self, matchings: Sequence[Matching]) -> None:
        """So has, before anything is sent, a payment with our Reference that was not sent from here, and that Caspen has not got on
        that invoice by now; pulls go on telling of it until then.
        """
        since = other_homes.adopted_at(self.mappings)
        keys = {
            key
            for matching in matchings
            if _is_news(matching.found.updated_date_utc, since)
            for payment, _ in matching.astray
            if (key := key_in(payment.reference)) is not None
        }
        unsent = keys - sent_from_here(self.mappings, "create-payment", keys)
        if unsent and not self.result.dry_run:
            other_homes.set_adopt_due_to_send(self.mappings.store)

    def _take_unseen(self, result: PullResult) -> None:
        """Invoices that were linked after the cursor had passed what they show, such as one whose answer was lost, by id.

        So are those of our credit notes that have changed where no invoice shows it.
        """
        unseen = dict.fromkeys((*seen_invoices.unseen(self.mappings), *self._changed_notes))
        ids = [id_ for id_ in unseen if id_ not in self._visited]
        for start in range(0, len(ids), MOST_VALUES):
            self._take_apart(self._links_to(ids[start : start + MOST_VALUES]), self._by_id, None, result, None)

    def _by_id(self, ids: Sequence[str]) -> dict[str, Invoice]:
        """Invoices as Xero has them; one that Xero no longer knows is as good as deleted."""
        known = invoices_by_id(self.client, ids)
        return {id_: known.get(id_) or Invoice(invoice_id=id_, status="DELETED") for id_ in ids}

    def _links_to(self, ids: Iterable[str]) -> dict[str, Link]:
        """The links of our invoices among these, by InvoiceID, in their order."""
        wanted = list(ids)
        links = self.mappings.links_to(wanted)
        return {id_: links[id_] for id_ in wanted if id_ in links and links[id_].kind == "invoice"}

    # --- one page

    def _take_apart(
        self,
        links: Mapping[str, Link],
        read: Callable[[Sequence[str]], Mapping[str, Invoice]],
        since: datetime | None,
        result: PullResult,
        cursor: datetime | None,
    ) -> None:
        """Takes these invoices in. One that can't be read is named, and looked at by each pull till it can be; the others go on."""
        is_whole = False

        def take(ids: Sequence[str]) -> None:
            nonlocal is_whole
            self._take(
                {id_: links[id_] for id_ in ids}, read(ids), since, result, cursor if len(ids) == len(links) else None
            )
            is_whole = len(ids) == len(links)

        apart(list(links), take, lambda id_, error: self._leave(links[id_], error, result))
        if cursor is not None and not is_whole and not result.dry_run:
            self.mappings.set_setting(CURSOR, utc_text(cursor))

    def _leave(self, link: Link, error: Unreadable, result: PullResult) -> None:
        why = result.unreadable[link.caspen_id] = unreadable(error.why)
        if not result.dry_run:
            fix = read_again(pages_of(self.mappings).there(link.xero_id))
            problem = Problem(ProblemCode.UNREADABLE_IN_XERO, link.caspen_id, why, fix)
            with self.mappings.store.write():
                seen_invoices.look_again(self.mappings, link.caspen_id)
                problems.add_problem(self.mappings, link.caspen_id, problem, self.now())

    def _take(
        self,
        links: Mapping[str, Link],
        found: Mapping[str, Invoice],
        since: datetime | None,
        result: PullResult,
        cursor: datetime | None,
    ) -> None:
        """Takes in what Xero shows of our invoices (both by InvoiceID), and moves the cursor with it."""
        shown = self._own_ids.of({id_: found[id_] for id_ in links})
        matchings = self._matchings(links, shown)
        payments = payments_by_id(self.client, _unread(matchings, ()), since)
        if unfound := _unread(matchings, payments):  # the list knows no payment by the id shown: it may be a batch's
            shown = self._own_ids.of(shown, unfound)
            matchings = self._matchings(links, shown)
            payments |= payments_by_id(self.client, _unread(matchings, {*payments, *unfound}), since)
            payments |= self._one_by_one(_unread(matchings, payments))
        payments |= self._with_their_batches(payments)
        credits = self._credits(matchings, since)
        allocations = [a.allocation_id for credit in credits.values() for a in credit.allocations if a.allocation_id]
        known_ids = xero_payments.known_ids(self.mappings, allocations)
        named = Named(self.mappings, allocations)
        contacts = contacts_left(self.client, self.mappings, matchings, keeps=not result.dry_run)
        judged_by = seen_invoices.caspen_now(self.mappings)
        reconciled = [
            reconcile(matching, payments, credits, known_ids, named, contacts, judged_by, self.now())
            for matching in matchings
        ]
        if not result.dry_run:
            self._keep(reconciled, shown, cursor, self._homes.look_at(_ours_among(matchings)))
        result.found += [payment for one in reconciled for payment in one.payments]
        result.updated |= {one.seen.invoice_id for one in reconciled if one.updated}
        for one in reconciled:
            result.unreadable.pop(one.seen.invoice_id, None)
        self._visited |= {one.seen.xero_id for one in reconciled}

    def _keep(
        self, reconciled: Sequence[Reconciled], shown: Mapping[str, Invoice], cursor: datetime | None, find: Find
    ) -> None:
        with self.mappings.store.write():
            self._homes.keep(find)
            self._own_ids.keep(shown)
            for one in reconciled:
                xero_payments.record(self.mappings, one.payments, self.now())
                if one.withdrawn:
                    xero_payments.withdraw(self.mappings, one.withdrawn)
                    holds.make_invoices_due(self.mappings, [one.seen.invoice_id])  # what it was in question for may go
                for link in one.links:
                    self.mappings.put_link(link)
                if one.waits_no_more:
                    holds.release(self.mappings, "authorise-invoice", [one.seen.invoice_id])
                    problems.drop_problem(self.mappings, one.seen.invoice_id, ProblemCode.NEEDS_APPROVAL_IN_XERO)
                seen_invoices.keep_seen(self.mappings, one.seen)
                if one.seen.invoice_id in {*self._odd_before, *self.result.unreadable}:
                    problems.drop_problem(self.mappings, one.seen.invoice_id, ProblemCode.UNREADABLE_IN_XERO)
            if cursor is not None:
                self.mappings.set_setting(CURSOR, utc_text(cursor))

    def _matchings(self, links: Mapping[str, Link], found: Mapping[str, Invoice]) -> list[Matching]:
        credited = [links[id_].caspen_id for id_, invoice in found.items() if invoice.credit_notes]
        members = members_shown(self.mappings, found)
        known = self._known({link.caspen_id: link for link in links.values()}, credited, members)
        own = own_notes(self.mappings, [credit for invoice in found.values() for credit in credits_on(invoice)])
        matchings = [match_invoice(known[links[id_].caspen_id], invoice, own) for id_, invoice in found.items()]
        self._recognise(matchings, members)
        return matchings

    def _known(self, links: Mapping[str, Link], credited: Sequence[str], members: Sequence[Member]) -> dict[str, Known]:
        """What is known of linked invoices, by Caspen id. `credited`: those that show a credit note; `members`: of batches."""
        mappings = self.mappings
        renamings = batches.renamings(mappings, members)
        before = seen_invoices.as_last_seen(mappings, links)
        recorded = xero_payments.recorded_on(mappings, links)
        numbers = clinic.invoice_numbers(mappings.store, links)
        kinds: tuple[LinkKind, ...] = ("payment", "allocation", "credit_note")
        of = {kind: by_invoice(mappings.links_of_invoices(kind, links)) for kind in kinds}
        notes = clinic.credit_notes_on(mappings.store, {*credited, *of["allocation"]})
        for one in renamings:
            under_own_ids(one, of["payment"], recorded)
        return {
            id_: Known(
                link=link,
                number=numbers.get(id_) or link.number,
                before=self._still_known(before[id_])
                if id_ in before and before[id_].xero_id == link.xero_id
                else None,
                payment_links=of["payment"].get(id_, {}),
                allocation_links=of["allocation"].get(id_, {}),
                note_links=of["credit_note"].get(id_, {}),
                notes=[note for note in notes.get(id_, []) if note.status == "issued"],
                recorded=recorded.get(id_, []),
            )
            for id_, link in links.items()
        }

    def _still_known(self, before: SeenInvoice) -> SeenInvoice:
        """How an invoice was seen, less what has to be looked up once more: a full pull asks for all."""
        changed = before.notes if self.result.full else self._changed_notes.get(before.xero_id, ())
        return replace(before, notes={id_: note for id_, note in before.notes.items() if id_ not in changed})

    # --- which payments are new

    def _recognise(self, matchings: Sequence[Matching], members: Sequence[Member]) -> None:
        shown = {p.payment_id for s in matchings for p in s.found.payments if p.payment_id and p.status != "DELETED"}
        known = xero_payments.known_ids(self.mappings, shown) | {
            id_ for one in matchings for id_ in one.known.payment_ids
        }
        named = Named(self.mappings, shown - known, members)

        def is_known(matching: Matching, payment: Payment) -> bool:
            id_ = payment.payment_id or ""
            return id_ not in shown or id_ in known or named.has(id_, matching.invoice_id, payment.amount)

        unknown = {
            matching.invoice_id: [one for one in matching.found.payments if not is_known(matching, one)]
            for matching in matchings
        }
        asked = [id_ for id_, payments in unknown.items() if payments]
        maybe = maybe_there(self.mappings, asked) if asked else {}
        for matching in matchings:
            if unknown[matching.invoice_id]:
                own = maybe.get(matching.invoice_id, [])
                recognise(matching, unknown[matching.invoice_id], own, self.now())
        ours = own_payments(self.mappings.store, {one.invoice_id: one.unknown for one in matchings if one.unknown})
        for matching in matchings:
            set_aside(matching, ours)
        self._notice_astray(matchings)

    # --- what an invoice does not say of its payments and credits

    def _one_by_one(self, ids: Sequence[str]) -> dict[str, Payment]:
        """The payments that no list shows, by PaymentID."""
        read = {id_: payment_by_id(self.client, id_) for id_ in ids}
        return {id_: payment for id_, payment in read.items() if payment is not None}

    def _with_their_batches(self, payments: Mapping[str, Payment]) -> dict[str, Payment]:
        """Those that don't say they are reconciled, nor what their batch says of it, with their batches."""
        silent = {
            id_: one
            for id_, one in payments.items()
            if one.batch_id
            and not one.reconciled
            and (one.batch_payment is None or one.batch_payment.is_reconciled is None)
        }
        read = batches_by_id(self.client, (one.batch_id or "" for one in silent.values()))
        return {
            id_: one.model_copy(update={"batch_payment": batch})
            for id_, one in silent.items()
            if (batch := read.get(one.batch_id or "")) is not None
        }

    def _credits(self, matchings: Sequence[Matching], since: datetime | None) -> dict[str, CreditNote]:
        """The credits whose allocations, or what became of them, are not known, by their ids."""
        return applied_credits(self.client, (c for one in matchings for c in (*one.to_read, *one.to_look_up)), since)


def _unread(matchings: Iterable[Matching], read: Collection[str]) -> list[str]:
    """The ids of unknown payments that were not read yet."""
    ids = (row.payment_id for matching in matchings for row in matching.unknown)
    return list(dict.fromkeys(id_ for id_ in ids if id_ and id_ not in read))


def _is_news(changed_at: datetime | None, adopted_at: datetime | None) -> bool:
    """Whether it may have come about after all of ours was last looked up."""
    return adopted_at is None or changed_at is None or changed_at > adopted_at


def _ours_among(matchings: Iterable[Matching]) -> Iterator[OurPayment]:
    """The payments that are newly linked because their Reference says that we made them."""
    for matching in matchings:
        for link in matching.payment_links:
            if link.made_by_us:
                amount = link.total or Decimal(0)
                yield OurPayment(link.caspen_id, matching.invoice_id, link.xero_id, amount, link.number or "")
