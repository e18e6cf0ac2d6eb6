"""What a reconciliation has found otherwise in Xero than in Caspen, as far as it stands and nothing else tells of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace

from caspen_xero.outside_text import MOST_WORDS, harmless, plain
from caspen_xero.store import known_contacts, proofs
from caspen_xero.store.invoice_names import InvoiceNames
from caspen_xero.store.mappings import Mappings
from caspen_xero.store.proofs import OF_CONTACTS, NotEqual, Topic
from caspen_xero.store.store import utc_text
from caspen_xero.sync.books.troubles import Trouble
from caspen_xero.sync.fix_commands import find_fix, naming_its_own
from caspen_xero.sync.problems import ProblemCode
from caspen_xero.sync.pulling.drift import Drift
from caspen_xero.sync.setup.settings import Settings

_CODE = ProblemCode.NOT_EQUAL_IN_XERO
_DETAILS: frozenset[Topic] = frozenset({"details"})
_DOCUMENT: frozenset[Topic] = frozenset({"document"})
_MONEY: frozenset[Topic] = frozenset({"money"})
_CREDIT: frozenset[Topic] = frozenset({"credit"})
_ALL = _DOCUMENT | _DETAILS | _MONEY | _CREDIT
_TOLD_OF: Mapping[ProblemCode, frozenset[Topic]] = {
    ProblemCode.BAD_RECORD: _ALL,
    ProblemCode.UNREADABLE_IN_XERO: _ALL,
    ProblemCode.VOIDED_IN_XERO: _ALL,
    ProblemCode.PAID_IN_CASPEN_ONLY: _MONEY | _CREDIT,
    ProblemCode.PAID_IN_XERO_ONLY: _MONEY | _CREDIT,
    ProblemCode.NOT_IN_CASPEN_YET: _MONEY | _CREDIT,
}
"""What these problems tell of; of the others their names say it."""
_NOTHING = "nothing"


@dataclass(frozen=True)
class Found:
    """Something that is not equal: its row of `drift`, and the same in a sentence.

    Its `subject` is the code of the find, and the part of the invoice that it is of. `topic`: what it is about.
    """

    drift: Drift
    words: str
    topic: Topic


def found_not_equal(mappings: Mappings, settings: Settings) -> list[Found]:
    """All that stands, whatever else tells of it."""
    found = proofs.standing(mappings)
    if not found:  # as nearly always: no invoice is looked at
        return []
    names, called = InvoiceNames(mappings.store), _called(mappings, found)
    return [_in_words(one, names, called, settings.source) for one in found]


def _in_words(one: NotEqual, names: InvoiceNames, called: Mapping[str, str], source: str | None) -> Found:
    number, invoice_id = names.number(one.invoice_id), one.invoice_id
    ours, theirs = (plain(called.get(side, side), MOST_WORDS) for side in (one.caspen, one.xero))
    since = utc_text(one.found_at) if one.found_at else None
    row = Drift(
        number,
        invoice_id,
        one.code,
        ours or _NOTHING,
        theirs or _NOTHING,
        since,
        naming_its_own(find_fix(one.code, number, invoice_id, source), invoice_id, names),
        f"{one.code}: {one.subject}" if one.subject else one.code,
        _CODE,
        one.key,
    )
    part = f" ({plain(one.subject)})" if one.subject and one.subject not in f"{ours} {theirs}" else ""
    sides = f"{ours} in Caspen, {theirs} in Xero" if ours and theirs else ours or theirs
    return Found(row, f"{one.what}{part}: {sides}" if sides else f"{one.what}{part}", one.topic)


def _called(mappings: Mappings, found: Sequence[NotEqual]) -> dict[str, str]:
    """What the contacts are called that something was found of, as far as their names are known by now."""
    ids = {id_ for one in found if one.code in OF_CONTACTS for id_ in (one.caspen, one.xero) if id_}
    names = {id_: contact.name for id_, contact in known_contacts.by_id(mappings, ids).items()}
    return {id_: names.get(id_) or f"contact {id_}" for id_ in ids}


def troubles_with(found: Sequence[Found], troubles: Sequence[Trouble], accepted: Container[str]) -> list[Trouble]:
    """All that is wrong; what was `found` in its own words, without what something else tells of, or a push has yet to come to.

    `accepted`: the keys of what a person has accepted: that was something else, and tells of nothing that was found since.
    """
    told: defaultdict[str, set[Topic]] = defaultdict(set)
    for one in troubles:
        if one.code is not _CODE and one.key not in accepted:
            told[one.invoice_id] |= _told_of(one)
    alike: defaultdict[tuple[str | None, str], list[Found]] = defaultdict(list)
    for each in found:
        alike[each.drift.invoice_id, each.drift.subject].append(each)
    left = list[Trouble]()
    for one in troubles:
        some = alike[one.invoice_id, one.subject] if one.code is _CODE else []
        if not some:
            left.append(one)
        elif some[0].topic not in told[one.invoice_id] and one.invoice.sync_status != "pending":
            left.append(replace(one, reason=harmless("; ".join(each.words for each in some))))
    return left


def _told_of(trouble: Trouble) -> frozenset[Topic]:
    if trouble.code in _TOLD_OF:
        return _TOLD_OF[trouble.code]
    if trouble.code.startswith("payment-"):
        return _MONEY
    if trouble.code.startswith("credit-"):
        return _CREDIT
    return _MONEY | _CREDIT if trouble.subject else _DOCUMENT


def rows_with(found: Sequence[Found], troubles: Sequence[Trouble]) -> list[Drift]:
    """The rows of `drift` of what was `found`, as far as it is among the troubles."""
    stand = {(one.invoice_id, one.subject) for one in troubles if one.code is _CODE}
    return [one.drift for one in found if (one.drift.invoice_id, one.drift.subject) in stand]
