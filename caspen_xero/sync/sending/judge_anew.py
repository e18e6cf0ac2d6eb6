"""After an upgrade: what an earlier version took for good, or believed, is judged anew, once, by what Xero shows.

Records of Caspen's that break a rule of this version become bad records; links of payments that are not borne out, documents that
are gone, and figures that are others are noted, and become problems when the invoice is planned. Nothing is sent or deleted for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from caspen_xero.store import bad_records, clinic, journal, problems, seen_invoices, todo
from caspen_xero.store.mappings import Link, LinkKind, Mappings, by_invoice
from caspen_xero.store.purged import purged_ids
from caspen_xero.sync.planning.compare import FIGURES, differences, field_of, sent_shape
from caspen_xero.sync.planning.kept import as_lost
from caspen_xero.sync.planning.plan import Plan
from caspen_xero.sync.planning.steps import ExpectedDocument
from caspen_xero.sync.problems import Problem, ProblemCode, read_again, unreadable
from caspen_xero.sync.sending.expectations import as_steps
from caspen_xero.sync.sending.fetch import Fetcher, keep_as_seen
from caspen_xero.sync.sending.own_ids import OwnIds
from caspen_xero.sync.setup.organisation import pages_of
from caspen_xero.xero.answers import apart
from caspen_xero.xero.documents import GONE_STATUSES, Invoice
from caspen_xero.xero.errors import Unreadable
from caspen_xero.xero.reading import changed_invoices, credits_by_id, invoices_by_id

_SOME = 1000
LOOK_TO_COME = (
    "an earlier version made this store: the next push first looks at all of ours in Xero, and what that shows is not in "
    "this plan"
)
PARTIES: tuple[LinkKind, ...] = ("client", "payer")
_NOT_REBASED = ("contact", *FIGURES)
"""What becomes another without anybody's edit of the invoice: contacts are merged, and figures are Xero's own arithmetic."""


def judge_records(mappings: Mappings) -> None:
    """Holds what earlier versions took for good against the rules of this one, where that was not done yet."""
    store = mappings.store
    if store.setting("judge_records") is None:
        return
    with store.write():
        bad_records.judge_what_is_stored(store)
        store.set_setting("judge_records", None)


def is_to_judge(mappings: Mappings) -> bool:
    """Whether an earlier version made the store, and nobody has looked since."""
    return mappings.setting("judge_links") is not None


class JudgeAnew:
    """The one full look of an organisation after an upgrade."""

    def __init__(self, mappings: Mappings, fetcher: Fetcher, now: Callable[[], datetime]) -> None:
        self.mappings, self._fetcher, self.now = mappings, fetcher, now
        self._own_ids = OwnIds(mappings, fetcher.client)
        self._doubtful: set[str] = set()
        self._unproven: list[str] = []

    def carry_out(self) -> None:
        """Reads every invoice of ours in Xero. Raises `XeroError`: then it is done again by the next push."""
        self._rebase()
        client, seen = self._fetcher.client(), set[str]()
        for page in changed_invoices(client, None):
            links = self._invoices_among(page.ids)
            seen |= links.keys()
            self._apart(links, page.invoices)
        missing = [link.xero_id for link in self.mappings.all_links("invoice") if link.xero_id not in seen]
        for some in _in_slices(missing):
            self._apart(self._invoices_among(some), lambda ids: _or_gone(ids, invoices_by_id(client, list(ids))))
        self._look_at_payments()
        self._look_at_notes()
        self._look_at_doubted_contacts()
        with self.mappings.store.write():
            self.mappings.set_setting("judge_links", None)

    def _apart(self, links: Mapping[str, Link], read: Callable[[Iterable[str]], Mapping[str, Invoice]]) -> None:
        """Judges what can be read; what can't is a problem of that invoice alone, till a pull has read it."""
        apart(list(links), lambda some: self._judge({id_: links[id_] for id_ in some}, read(some)), self._leave(links))

    def _leave(self, links: Mapping[str, Link]) -> Callable[[str, Unreadable], None]:
        def leave(id_: str, error: Unreadable) -> None:
            invoice_id = links[id_].invoice_id or ""
            fix = read_again(
                pages_of(self.mappings).there(links[id_].xero_id if links[id_].kind == "invoice" else None)
            )
            problem = Problem(ProblemCode.UNREADABLE_IN_XERO, invoice_id, unreadable(error.why), fix)
            with self.mappings.store.write():
                seen_invoices.look_again(self.mappings, invoice_id)
                problems.add_problem(self.mappings, invoice_id, problem, self.now())
                todo.do_again(self.mappings, [invoice_id])

        return leave

    def _invoices_among(self, ids: Iterable[str]) -> dict[str, Link]:
        return {id_: link for id_, link in self.mappings.links_to(ids).items() if link.kind == "invoice"}

    def _judge(self, links: Mapping[str, Link], found: Mapping[str, Invoice]) -> None:
        shown = self._own_ids.of(found)
        payments = by_invoice(self.mappings.links_of_invoices("payment", [link.caspen_id for link in links.values()]))
        figures = clinic.finalised_figures(self.mappings.store, [link.caspen_id for link in links.values()])
        with self.mappings.store.write():
            self._own_ids.keep(shown)
            keep_as_seen(self.mappings, links.values(), shown, self.now)
            for xero_id, link in links.items():
                after = self.mappings.link("invoice", link.caspen_id)
                wanted = figures.get(link.caspen_id)
                if after is not None and wanted is not None and not _is_as_wanted(after, wanted):
                    todo.do_again(self.mappings, [link.caspen_id])
                for of_payment in payments[link.caspen_id].values():
                    self._judge_payment(of_payment, shown[xero_id])

    def _judge_payment(self, link: Link, invoice: Invoice) -> None:
        """One of ours that is shown otherwise was not kept as it was sent; a claim that is not borne out is judged anew."""
        living = {one.payment_id: one.amount for one in invoice.payments if one.status != "DELETED"}
        if link.is_deleted or living.get(link.xero_id) == link.total:
            return
        if not link.made_by_us and not clinic.payments_of_our_own(self.mappings.store, [link.caspen_id]):
            self.mappings.drop_link("payment", link.caspen_id)
        elif not link.made_by_us:  # a person has linked it: whether somebody deleted it there is looked at first
            self._unproven.append(link.caspen_id)
            self._doubtful.add(link.xero_id)
        elif link.xero_id in living:
            self.mappings.put_link(link.with_(fingerprint=as_lost(link.fingerprint)))
        else:
            self._doubtful.add(link.xero_id)
        todo.do_again(self.mappings, [link.invoice_id or ""])

    def _look_at_payments(self) -> None:
        """What somebody has deleted loses its link, as ever when it is looked at."""
        plan = Plan()
        plan.asks.payments |= self._doubtful
        self._fetcher.answer(plan)
        with self.mappings.store.write():
            for key in self._unproven:
                link = self.mappings.link("payment", key)
                if link is not None and not link.is_deleted and not self._stands(link):
                    self.mappings.drop_link("payment", key)

    def _stands(self, link: Link) -> bool:
        seen = self._fetcher.looks.payments.get(link.xero_id)
        on = self.mappings.link("invoice", link.invoice_id or "")
        is_here = (
            seen is not None and seen.invoice is not None and on is not None and seen.invoice.invoice_id == on.xero_id
        )
        return is_here and seen is not None and seen.amount == link.total

    def _look_at_notes(self) -> None:
        links = {
            link.xero_id: link for link in self.mappings.all_links("credit_note") if link.status not in GONE_STATUSES
        }

        def look(some: Sequence[str]) -> None:
            found = credits_by_id(self._fetcher.client(), "credit_note", some)
            with self.mappings.store.write():
                for id_ in some:
                    note, link = found.get(id_), links[id_]
                    after = (
                        link.with_(status="DELETED")
                        if note is None
                        else link.with_(
                            status=note.status, subtotal=note.sub_total, tax=note.total_tax, total=note.total
                        )
                    )
                    if (after.status, after.total, after.tax) != (link.status, link.total, link.tax):
                        self.mappings.put_link(after)
                        todo.do_again(self.mappings, [link.invoice_id or ""])

        for some in _in_slices(list(links)):
            apart(some, look, self._leave(links))

    def _look_at_doubted_contacts(self) -> None:
        """What goes to a contact that was linked by a number alone is planned anew: a person may have to say whose it is."""
        doubted = [link for kind in PARTIES for link in self.mappings.all_links(kind) if link.is_doubted]
        if doubted:
            self._fetcher.read_contacts()
            todo.do_again_for_clients(self.mappings, [link.caspen_id for link in doubted])

    def _rebase(self) -> None:
        """Of invoices that earlier versions wrote, the baseline becomes what was sent, where it was what was found."""
        sent: dict[str, dict[str, str] | None] = {}
        for entry in journal.answered_entries(self.mappings, ("create-invoice", "update-invoice")):
            for step, document in zip(as_steps(entry), entry.documents, strict=True):
                expected = step.expected
                if document.state != "done" or not isinstance(expected, ExpectedDocument):
                    continue
                is_known = expected.own is not None or step.body is None or expected.total is None
                sent[step.caspen_id] = (
                    None if is_known else dict(sent_shape(step.body or {}, expected.total or Decimal(0), expected.tax))
                )
        for some in _in_slices([id_ for id_, shape in sent.items() if shape is not None]):
            purged = purged_ids(self.mappings.store, "invoices", some)
            links = self.mappings.links("invoice", [id_ for id_ in some if id_ not in purged])
            with self.mappings.store.write():
                for id_, link in links.items():
                    shape = sent[id_] or {}
                    if link.made_by_us and _is_another(shape, link.last_written):
                        stays = {name: text for name, text in (link.last_written or {}).items() if name in _NOT_REBASED}
                        self.mappings.put_link(link.with_(last_written=shape | stays))


def _is_as_wanted(link: Link, figures: tuple[Decimal, Decimal, Decimal]) -> bool:
    return link.status not in GONE_STATUSES and (link.subtotal, link.tax, link.total) == figures


def _or_gone(ids: Iterable[str], found: Mapping[str, Invoice]) -> dict[str, Invoice]:
    return {id_: found.get(id_) or Invoice(invoice_id=id_, status="DELETED") for id_ in ids}


def _is_another(sent: Mapping[str, str], kept: Mapping[str, str] | None) -> bool:
    """Whether a baseline shows else than what was sent."""
    found = differences(sent, kept or {})
    return any(name not in _NOT_REBASED and field_of(name) != "discounted by" for name, _, _ in found)


def _in_slices(ids: list[str]) -> Iterable[list[str]]:
    return (ids[start : start + _SOME] for start in range(0, len(ids), _SOME))
