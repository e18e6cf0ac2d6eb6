"""What is wrong with invoices, one by one: problems that pushes have found, bad records, and what is not equal on the two sides."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from caspen_xero.commands import Choice
from caspen_xero.outside_text import harmless
from caspen_xero.store import clinic, problems
from caspen_xero.store.bad_records import LoneInvoice, bad_records_on
from caspen_xero.store.invoice_names import InvoiceNames
from caspen_xero.store.listing import ListedInvoice, SyncStatus, list_invoices
from caspen_xero.store.mappings import Mappings
from caspen_xero.store.store import Store
from caspen_xero.sync.fix_commands import naming_its_own
from caspen_xero.sync.planning.accepting import document_key, key_of, key_of_all
from caspen_xero.sync.planning.bad_records import problem_of_known, problem_of_lone, subject_of
from caspen_xero.sync.problems import DIFFERENCES, Problem, ProblemCode, kept_code
from caspen_xero.sync.pulling.drift import Drift
from caspen_xero.sync.setup.candidates import Candidates
from caspen_xero.sync.setup.settings import Settings

SAYS_MORE: Mapping[ProblemCode, tuple[ProblemCode, ...]] = {
    ProblemCode.EDITED_IN_XERO: (
        ProblemCode.CHANGED_IN_XERO,
        ProblemCode.CHANGED_AFTER_PAYMENT,
        ProblemCode.TOTALS_DIFFER,
        ProblemCode.NOT_AS_SENT,
        ProblemCode.LINKED_WITH_DIFFERENCES,
    ),
    ProblemCode.CREDIT_GONE_IN_XERO: (
        ProblemCode.CREDIT_NOTE_VOIDED_IN_XERO,
        ProblemCode.CREDIT_NOTE_ALLOCATED_IN_XERO,
        ProblemCode.CREDIT_NOTE_CHANGED,
    ),
}
"""Problems by which a push tells more of a difference than the figures of both sides do: one of them is enough."""
_LOOKED_AT: tuple[SyncStatus, ...] = ("synced", "unsynced", "pending")
"""The states, by the records alone, in which a bad record makes an invoice unsynced."""


@dataclass(frozen=True)
class Trouble:
    """One thing that is wrong with one invoice: a problem, or a difference between the two sides.

    `key` stays the same from run to run while the same is wrong in the same way. `subject` is the part that it is about; "" for the
    invoice itself. `choices`: the answers that are possible, where the fix is a command that asks. Times are ISO 8601 in UTC.
    `may_be_accepted`: a person may be content with it; `accepted_at`: since when one is.
    """

    invoice: ListedInvoice
    code: ProblemCode
    subject: str
    reason: str
    fix: str
    key: str
    xero_says: str | None = None
    attempts: int = 0
    first_failed_at: str | None = None
    last_tried_at: str | None = None
    choices: Sequence[Choice] = ()
    may_be_accepted: bool = False
    accepted_at: str | None = None

    @property
    def invoice_id(self) -> str:
        """The Caspen invoice's id."""
        return self.invoice.invoice_id

    @property
    def number(self) -> str | None:
        """The invoice's number."""
        return self.invoice.number

    @property
    def client(self) -> str:
        """The client's name."""
        return self.invoice.client

    @property
    def is_difference(self) -> bool:
        """Whether the invoice is in Xero, and this is not equal there."""
        return self.code in DIFFERENCES


def with_questions(mappings: Mappings, drift: Sequence[Drift]) -> list[Drift]:
    """The same; of a payment that is gone in Xero, and may have been entered there anew, that question, with its way out."""
    asked = {
        (row["invoice_id"], row["subject"]): row["fix"]
        for row in problems.problems(mappings)
        if row["code"] == ProblemCode.PAYMENT_MAYBE_ALREADY_IN_XERO
    }
    gone = [one for one in drift if one.problem is ProblemCode.PAYMENT_REMOVED_IN_XERO and asked]
    links = mappings.links_to(one.subject for one in gone)
    fixes = {
        one.subject: asked[key]
        for one in gone
        if one.subject in links and (key := (one.invoice_id, links[one.subject].caspen_id)) in asked
    }
    return [
        replace(one, problem=ProblemCode.PAYMENT_MAYBE_ALREADY_IN_XERO, fix=fixes[one.subject])
        if one in gone and one.subject in fixes
        else one
        for one in drift
    ]


def find_troubles(
    store: Store,
    mappings: Mappings | None,
    settings: Settings,
    drift: Sequence[Drift],
    lone: Sequence[LoneInvoice],
) -> tuple[Mapping[str, ListedInvoice], list[Trouble]]:
    """All that is wrong, oldest invoice first, and by id the invoices that it was looked for on. What is set aside is left out.

    `lone`: the invoices of which there is nothing but a bad record.
    """
    kept = problems.problems(mappings) if mappings else []
    differing = [one for one in drift if one.problem is not None and one.invoice_id is not None]
    differing = _known_by_documents(mappings, differing) if mappings else []
    concerned = {*(row["invoice_id"] for row in kept), *bad_records_on(store), *(one.bad.id for one in lone)}
    concerned |= {one.invoice_id or "" for one in differing}
    invoices = {
        one.invoice_id: one for one in list_invoices(store, mappings, settings.start_date, concerned) if concerned
    }
    known = {(row["invoice_id"], row["subject"]) for row in kept}
    found = [
        *_of_problems(kept, invoices, differing, Candidates(store, mappings)),
        *_of_bad_records(store, settings, invoices, known, {one.bad.id for one in lone}),
        *_of_differences(differing, invoices, kept),
    ]
    names = InvoiceNames(store)
    found = [_named(one, names) for one in found if one.invoice.sync_status != "skipped"]
    found.sort(key=lambda one: (str(one.invoice.issue_date or ""), one.number or "", one.invoice_id, one.code))
    return invoices, found


def _known_by_documents(mappings: Mappings, differing: Sequence[Drift]) -> list[Drift]:
    """The same; an edit is known by what either side has by now. As long as nobody has looked, Xero's is nothing."""
    ids = {one.invoice_id or "" for one in differing if one.problem is ProblemCode.EDITED_IN_XERO}
    now, links = clinic.invoices(mappings.store, ids), mappings.links("invoice", ids)
    return [
        replace(one, key=document_key(now[id_], links[id_].shown or ""))
        if one.problem is ProblemCode.EDITED_IN_XERO and (id_ := one.invoice_id or "") in now.keys() & links.keys()
        else one
        for one in differing
    ]


def _named(trouble: Trouble, names: InvoiceNames) -> Trouble:
    """The same, with commands that name its invoice and no other."""

    def rightly(text: str) -> str:
        return naming_its_own(harmless(text), trouble.invoice_id, names)

    return replace(trouble, reason=rightly(trouble.reason), fix=rightly(trouble.fix))


def _of_problems(
    kept: Sequence[Mapping[str, Any]],
    invoices: Mapping[str, ListedInvoice],
    differing: Sequence[Drift],
    candidates: Candidates,
) -> list[Trouble]:
    """What pushes have found wrong; a difference that both sides' figures show anyway is told by these."""
    shown = {(one.invoice_id, one.problem) for one in differing if one.problem in DIFFERENCES}
    return [
        Trouble(
            invoices[row["invoice_id"]],
            kept_code(row["code"]),
            row["subject"],
            now["reason"],
            now["fix"],
            row["about"] or key_of(row["code"], row["invoice_id"], row["subject"]),
            row["xero_says"],
            row["attempts"],
            row["first_failed_at"],
            row["last_tried_at"],
            now["choices"],
            may_be_accepted=bool(row["about"]) or row["code"] in DIFFERENCES,
        )
        for row in kept
        if row["invoice_id"] in invoices and (row["invoice_id"], row["code"]) not in shown
        for now in [candidates.as_of_now(row)]
    ]


def _of_bad_records(
    store: Store,
    settings: Settings,
    invoices: Mapping[str, ListedInvoice],
    known: set[tuple[str, str]],
    lone: set[str],
) -> list[Trouble]:
    """Bad records that concern invoices, which no push has noted yet (`known`), or that are all that there is of one (`lone`)."""
    problems = [
        problem_of_lone(bad, invoice_id, settings.source)
        if invoice_id in lone
        else problem_of_known(bad, invoice_id, invoices[invoice_id].number, settings.source)
        for invoice_id, some in bad_records_on(store, invoices).items()
        if invoices[invoice_id].sync_status in _LOOKED_AT
        for bad in some
        if (invoice_id, subject_of(bad)) not in known
    ]
    return [_of_problem(one, invoices[one.invoice_id]) for one in problems]


def _of_problem(problem: Problem, invoice: ListedInvoice) -> Trouble:
    key = key_of(problem.code, problem.invoice_id, problem.subject)
    return Trouble(invoice, problem.code, problem.subject, problem.reason, problem.fix, key)


def _of_differences(
    differing: Sequence[Drift], invoices: Mapping[str, ListedInvoice], kept: Sequence[Mapping[str, Any]]
) -> list[Trouble]:
    """What is not equal on the two sides, and was not told by a problem that says more of it."""
    tried = {(row["invoice_id"], row["code"]): row for row in kept}
    found = list[Trouble]()
    alike: defaultdict[tuple[str, ProblemCode, str], list[Drift]] = defaultdict(list)
    for one in differing:
        alike[one.invoice_id or "", one.problem or ProblemCode.EDITED_IN_XERO, one.subject].append(one)
    for (invoice_id, code, subject), some in alike.items():
        say_more = SAYS_MORE.get(code, ()) if code in DIFFERENCES else (code,)
        if invoice_id not in invoices or any((invoice_id, more) in tried for more in say_more):
            continue
        one, row = some[0], tried.get((invoice_id, code))
        is_alone = sum(other.problem is code and other.invoice_id == invoice_id for other in differing) == 1
        edits = [each for each in some if each.code == "invoice-edited-in-xero"]
        told = [each for each in some if each.code != "figures-differ" or not _tells_the_total(edits, each)]
        reason = "; ".join(f"in Caspen: {each.caspen}; in Xero: {each.xero}" for each in told)
        if row and is_alone:  # a push says why, and mostly with both figures
            reason = f"{row['reason']} ({reason})" if code is ProblemCode.VOIDED_IN_XERO else row["reason"]
        found.append(
            Trouble(
                invoices[invoice_id],
                code,
                subject,
                reason,
                one.fix,
                key_of_all(each.key for each in some),
                row["xero_says"] if row else None,
                row["attempts"] if row else 0,
                row["first_failed_at"] if row else one.seen_at,
                row["last_tried_at"] if row else None,
                may_be_accepted=code in DIFFERENCES,
            )
        )
    return found


def _tells_the_total(edits: Sequence[Drift], figures: Drift) -> bool:
    """Whether an edit names the total that Xero has, so that the figures say nothing more."""
    return any(figures.xero.rpartition(", ")[2] in edit.xero for edit in edits)
