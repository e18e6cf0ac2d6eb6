"""What Xero shows otherwise than it was written, in words: what both sides have to agree on, and details, which stay. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from caspen_xero.outside_text import plain
from caspen_xero.store.known_contacts import KnownContact
from caspen_xero.store.mappings import Link
from caspen_xero.sync.planning.compare import (
    FIGURES,
    HEADING,
    differences,
    in_words,
    is_detail,
    name_in_words,
    shortened,
)
from caspen_xero.sync.planning.contact_matching import merged_into

Edit = tuple[str, str, str]
"""What it is about, what was written, and what Xero shows."""


def edits_of(
    link: Link,
    written: Mapping[str, str],
    shown: Mapping[str, str],
    contacts: Mapping[str, KnownContact],
    called: str | None = None,
) -> Iterator[tuple[bool, str, str]]:
    """What was edited of a linked invoice: whether it is details, and both sides in words. `contacts`: by ContactID, to
    follow merges; `called`: the name of the one that Xero shows, if known.

    What a person linked in spite of is told elsewhere. Of one that we did not make nobody knows who has written its lines so:
    there the whole of it has to agree.
    """
    names = {id_: one.name for id_, one in contacts.items()}
    if called:
        names[shown.get("contact", "")] = called
    meant = link.despite.differences if link.despite else ()
    edits = [edit for edit in differences(_followed(written, contacts), shown) if edit[0] not in meant]
    others = [edit for edit in edits if not is_detail(edit[0])]
    wrong = others if link.made_by_us else [edit for edit in others if edit[0] in HEADING or edit[0] in FIGURES]
    details = [edit for edit in edits if edit not in wrong]
    for is_details, some in ((False, wrong), (True, details)):
        if some:
            yield is_details, *_sides(some, names)


def _followed(written: Mapping[str, str], contacts: Mapping[str, KnownContact]) -> Mapping[str, str]:
    """What was written, with the contact into which Xero has merged its contact since."""
    before = written.get("contact", "")
    contact_id = merged_into(before, contacts)
    return written if contact_id == before else {**written, "contact": contact_id}


def _sides(edits: Sequence[Edit], names: Mapping[str, str]) -> tuple[str, str]:
    ours, theirs = (
        shortened([f"{name_in_words(edit[0])} {_in_words(edit[0], edit[side], names)}" for edit in edits])
        for side in (1, 2)
    )
    return ours, theirs


def _in_words(what: str, value: str, names: Mapping[str, str]) -> str:
    """A value of a shape as people write it: amounts with cents, contacts by name."""
    if not value:
        return "nothing"
    if what == "contact":
        return plain(names.get(value) or value)
    return in_words(what, value)
