"""The contact that an invoice goes to: linked, found, to be created, or in the way. Pure."""

from __future__ import annotations

from caspen_xero.store.mappings import name_key
from caspen_xero.sync.planning.contact_matching import GENERIC_ID, Party, contact_body, contact_fingerprint, match_party
from caspen_xero.sync.planning.planner import Planner
from caspen_xero.sync.planning.snapshot import InvoiceState
from caspen_xero.sync.planning.steps import ExpectedContact, Step
from caspen_xero.sync.problems import Problem, ProblemCode, kept_code, push_command
from caspen_xero.xero.deeplinks import contact_link


def contact_of(planner: Planner, state: InvoiceState) -> tuple[str | None, bool]:
    """The ContactID that an invoice goes to, and whether it can have one: (None, True) means that it is to be created first."""
    key = state.party.key
    if key not in planner.contact_ids:
        planner.contact_ids[key] = _decide(planner, state)
    problem = planner.contact_problems.get(key)
    if problem is None:
        return planner.contact_ids[key], True
    fix = problem.fix or push_command(state.invoice.number, state.invoice.id)
    planner.problem(
        state, problem.code, problem.reason, fix, subject=key, xero_says=problem.xero_says, attempts=problem.attempts
    )
    return None, False


def _decide(planner: Planner, state: InvoiceState) -> str | None:
    book, party = planner.snapshot.contacts, state.party
    link = book.links.get((party.kind, party.caspen_id))
    if link is not None:
        known = book.by_id.get(link.xero_id)
        if known is not None and known.merged_to:
            link_contact(planner, party, known.merged_to, known.name)
            return known.merged_to
        if known is not None and known.status != "ACTIVE":
            _asks(planner, state)
            _archived(planner, state, known.xero_id, known.name)
            return None
        return link.xero_id
    _asks(planner, state)
    match = match_party(party, book.numbered.get(party.number, []), book.named, planner.taken_names, book.others)
    if match.known is not None:
        planner.taken_names.add(name_key(match.known.name))
        found = match.known.merged_to or match.known.xero_id
        link_contact(planner, party, found, match.known.name)
        return found
    if match.archived is not None:
        _archived(planner, state, match.archived.xero_id, match.archived.name)
        return None
    _create(planner, state, match.name)
    return None


def _asks(planner: Planner, state: InvoiceState) -> None:
    known = planner.snapshot.holds.keys()
    planner.plan.asks.contacts |= not {(kind, state.party.key) for kind in ("match-contact", "create-contact")} & known


def _create(planner: Planner, state: InvoiceState, name: str) -> None:
    party, snapshot = state.party, planner.snapshot
    if party.record is None and party.caspen_id != GENERIC_ID:
        who = "client" if party.kind == "client" else "payer (Invoice to)"
        fix = "Export it from Caspen too, then: caspen-xero import PATH"
        reason = f"its {who} {party.caspen_id} was never imported"
        planner.contact_problems[party.key] = Problem(ProblemCode.CLIENT_MISSING, "", reason, fix)
        return
    touched = snapshot.contacts.touched.get((party.kind, party.caspen_id), 0)
    depends_on = f"{touched}.{snapshot.settings_number}.{name}"
    held = snapshot.holds.get(("create-contact", party.key))
    if held is not None and held.depends_on == depends_on:
        planner.contact_problems[party.key] = Problem(
            kept_code(held.code),
            "",
            f"its contact {name}: {held.reason}",
            held.fix,
            xero_says=held.xero_says,
            attempts=held.attempts,
        )
        return
    planner.taken_names.add(name_key(name))
    contact = contact_body(party, name)
    planner.plan.warnings += contact.warnings
    planner.plan.steps.append(
        Step(
            kind="create-contact",
            caspen_id=party.key,
            invoice_id=None,
            number=party.number,
            detail=name,
            body=contact.body,
            expected=ExpectedContact(contact_fingerprint(party), name, touched),
            depends_on=depends_on,
        )
    )


def link_contact(planner: Planner, party: Party, xero_id: str, name: str) -> None:
    """Links a party to the contact in Xero that is its own."""
    planner.plan.steps.append(
        Step(
            kind="link-contact",
            caspen_id=party.key,
            invoice_id=None,
            number=party.number,
            detail=name,
            body={},
            target=xero_id,
        )
    )


def _archived(planner: Planner, state: InvoiceState, contact_id: str, name: str) -> None:
    link = contact_link(planner.snapshot.facts.organisation.short_code, contact_id)
    where = f"open {link}" if link else "open it there"
    reason = f"its contact {name} is archived in Xero, which only a person can undo: {where} and restore it"
    planner.plan.archived.append(state.party)
    planner.contact_problems[state.party.key] = Problem(ProblemCode.CONTACT_ARCHIVED, "", reason, "")
