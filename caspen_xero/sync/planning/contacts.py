"""The contact that an invoice goes to: linked, found, to be created, or in the way. Pure."""

from __future__ import annotations

from caspen_xero.outside_text import plain
from caspen_xero.store.known_contacts import KnownContact, name_key
from caspen_xero.store.mappings import Link
from caspen_xero.sync.fix_commands import contact_command
from caspen_xero.sync.planning.contact_matching import (
    Match,
    Party,
    contact_body,
    contact_fingerprint,
    match_party,
    merged_into,
)
from caspen_xero.sync.planning.contact_numbers import number_key
from caspen_xero.sync.planning.planner import Planner
from caspen_xero.sync.planning.snapshot import InvoiceState
from caspen_xero.sync.planning.steps import ExpectedContact, Step
from caspen_xero.sync.planning.ways_out import read_caspen
from caspen_xero.sync.problems import Problem, ProblemCode, kept_code


def contact_of(planner: Planner, state: InvoiceState) -> tuple[str | None, bool]:
    """The ContactID that an invoice goes to, and whether it can have one: (None, True) means that it is to be created first."""
    key = state.party.key
    if key not in planner.contact_ids:
        planner.contact_ids[key] = _decide(planner, state)
    problem = planner.contact_problems.get(key)
    if problem is None:
        return planner.contact_ids[key], True
    planner.problem(
        state,
        problem.code,
        problem.reason,
        problem.fix,
        subject=key,
        xero_says=problem.xero_says,
        attempts=problem.attempts,
    )
    return None, False


def take_the_one_there(planner: Planner, state: InvoiceState, again: str) -> str:
    """The way out where an invoice is on another contact in Xero than the party's, which may be theirs: link it, then `again`.

    "" where it stands for another party, or is the party's already.
    """
    seen = planner.snapshot.looks.invoices.get(state.link.xero_id) if state.link else None
    book, party = planner.snapshot.contacts, state.party
    id_ = seen.contact.contact_id if seen and seen.contact else None
    link = book.links.get((party.kind, party.caspen_id))
    if not id_ or id_ in book.others or (link is not None and link.xero_id == id_) or party.is_generic:
        return ""
    name = (seen.contact.name if seen and seen.contact else None) or id_
    before = f"{contact_command('unlink', party.kind, party.caspen_id)}; " if link is not None else ""
    link_them = contact_command("link", party.kind, party.caspen_id, id_)
    return f"if {plain(name)} in Xero is the contact of {plain(party.full_name or party.name())}: {before}{link_them}; {again}"


def tell_if_doubted(planner: Planner, state: InvoiceState) -> None:
    """An invoice that is there, on a contact of which a person has to say whether it is the party's, has that problem too."""
    link = planner.snapshot.contacts.links.get((state.party.kind, state.party.caspen_id))
    told = any(one.subject == state.party.key for one in planner.plan.problems.get(state.invoice.id, ()))
    if state.link is not None and link is not None and link.is_doubted and not told:
        contact_of(planner, state)


def _decide(planner: Planner, state: InvoiceState) -> str | None:
    book, party = planner.snapshot.contacts, state.party
    link = book.links.get((party.kind, party.caspen_id))
    if link is not None:
        known = book.by_id.get(link.xero_id)
        if link.is_doubted and known is None:
            _asks(planner, state)
        is_partys = known is None or party.is_called(known.name) or party.has_suffix(known.name)
        if link.is_doubted and known is not None and not is_partys and (known.merged_to or known.status == "ACTIVE"):
            _linked_by_number_alone(planner, state, known)
            return None
        if known is not None and merged_into(known.xero_id, book.by_id) != known.xero_id:
            return link_contact(planner, party, known)
        if known is not None and known.status != "ACTIVE":
            _asks(planner, state)
            _archived(planner, state, known.xero_id, known.name)
            return None
        return link.xero_id
    _asks(planner, state)
    match = match_party(party, book, planner.given)
    if match.known is not None:
        return link_contact(planner, party, match.known)
    if match.archived is not None:
        _archived(planner, state, match.archived.xero_id, match.archived.name)
        return None
    if match.holder is not None:
        _number_taken(planner, state, match.number, match.holder)
        return None
    _create(planner, state, match)
    return None


def _asks(planner: Planner, state: InvoiceState) -> None:
    known = planner.snapshot.holds.keys()
    planner.plan.asks.contacts |= not {(kind, state.party.key) for kind in ("match-contact", "create-contact")} & known


def _create(planner: Planner, state: InvoiceState, match: Match) -> None:
    party, snapshot, name = state.party, planner.snapshot, match.name
    if party.record is None and not party.is_generic:
        who = "client" if party.kind == "client" else "payer (Invoice to)"
        fix = f"Export it from Caspen too, then: {read_caspen(snapshot.settings.source)}"
        reason = f"its {who} {plain(party.caspen_id)} was never imported"
        planner.contact_problems[party.key] = Problem(ProblemCode.CLIENT_MISSING, "", reason, fix)
        return
    touched = snapshot.contacts.touched.get((party.kind, party.caspen_id), 0)
    depends_on = f"{touched}.{snapshot.settings_number}.{name}"
    held = snapshot.holds.get(("create-contact", party.key))
    if held is not None and held.depends_on == depends_on:
        planner.contact_problems[party.key] = Problem(
            kept_code(held.code),
            "",
            f"its contact {plain(name)}: {held.reason}",
            held.fix,
            xero_says=held.xero_says,
            attempts=held.attempts,
        )
        return
    unknown = snapshot.unsettled.get(("create-contact", party.key))
    if unknown is not None:
        reason = f"its contact {plain(name)}: {unknown}"
        planner.contact_problems[party.key] = Problem(ProblemCode.UNREADABLE_IN_XERO, "", reason, "")
        return
    planner.given.names.add(name_key(name))
    planner.given.numbers.add(number_key(match.number))
    contact = contact_body(party, name)
    planner.plan.warnings += contact.warnings
    planner.plan.steps.append(
        Step(
            kind="create-contact",
            caspen_id=party.key,
            invoice_id=None,
            number=match.number,
            detail=name,
            body=contact.body | {"ContactNumber": match.number},
            expected=ExpectedContact(contact_fingerprint(party), name, touched),
            depends_on=depends_on,
        )
    )


def link_contact(planner: Planner, party: Party, known: KnownContact) -> str:
    """Links a party to the contact in Xero that is its own, or to the one that this was merged into; gives that one's id."""
    xero_id = merged_into(known.xero_id, planner.snapshot.contacts.by_id)
    planner.given.names.add(name_key(known.name))
    planner.given.contacts.add(known.xero_id)
    planner.plan.steps.append(
        Step(
            kind="link-contact",
            caspen_id=party.key,
            invoice_id=None,
            number=party.number,
            detail=known.name,
            body={},
            target=xero_id,
        )
    )
    return xero_id


def _archived(planner: Planner, state: InvoiceState, contact_id: str, name: str) -> None:
    link = planner.snapshot.xero_pages.contact(contact_id)
    where = f"open {link}" if link else "open it there"
    reason = f"its contact {plain(name)} is archived in Xero, which only a person can undo: {where} and restore it"
    _left_to_a_person(planner, state.party, Problem(ProblemCode.CONTACT_ARCHIVED, "", reason, ""))


def _number_taken(planner: Planner, state: InvoiceState, number: str, holder: KnownContact) -> None:
    """Another contact has the number that the party's would get: both are shown, and a person says whether they are one."""
    party = state.party
    both = _both(planner, party, holder)
    reason = f"its contact in Xero would get the number {plain(number)}, which another one there has: {both}"
    stands_for = planner.snapshot.contacts.others.get(holder.xero_id)
    link_them = contact_command("link", party.kind, party.caspen_id, holder.xero_id)
    if stands_for is not None:
        whose = f"{stands_for.kind} {plain(stands_for.caspen_id)}"
        reason += f", which is linked to the {whose}"
        one = f"If it is not theirs: {_unlink(stands_for)}"
    elif holder.status != "ACTIVE":
        one = f"If they are one, restore it in Xero, then: {link_them}"
    else:
        one = f"If they are one: {link_them}"
    fix = f"{one}; else make another contact in Xero, then: {_link_to(party)}"
    _left_to_a_person(planner, party, Problem(ProblemCode.CONTACT_NUMBER_TAKEN, "", reason, fix))


def _linked_by_number_alone(planner: Planner, state: InvoiceState, known: KnownContact) -> None:
    """An earlier version took a contact of another name for the party's: nothing more goes there until a person says that it is."""
    party = state.party
    reason = (
        f"its contact was linked by the number {plain(known.number)} alone, which another system may have given: "
        f"{_both(planner, party, known)}"
    )
    link_them = contact_command("link", party.kind, party.caspen_id, known.xero_id)
    fix = f"If they are one: {link_them}; else: {contact_command('unlink', party.kind, party.caspen_id)}"
    _left_to_a_person(planner, party, Problem(ProblemCode.CONTACT_NUMBER_TAKEN, "", reason, fix))


def _both(planner: Planner, party: Party, there: KnownContact) -> str:
    """A party and a contact side by side, in words."""
    link = planner.snapshot.xero_pages.contact(there.xero_id)
    about = ", ".join(one for one in (there.xero_id, "" if there.status == "ACTIVE" else "archived", link) if one)
    return f"in Caspen {plain(party.full_name or 'no name')} ({plain(party.caspen_id)}), in Xero {plain(there.name)} ({about})"


def _link_to(party: Party) -> str:
    return contact_command("link", party.kind, party.caspen_id, "XERO_ID")


def _unlink(link: Link) -> str:
    return contact_command("unlink", "payer" if link.kind == "payer" else "client", link.caspen_id)


def _left_to_a_person(planner: Planner, party: Party, problem: Problem) -> None:
    planner.plan.left_to_a_person[party.key] = problem.code
    planner.contact_problems[party.key] = problem
