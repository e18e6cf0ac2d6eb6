"""What reconciliations have proved: each one in numbers, and what of each invoice was found otherwise in Xero than in Caspen.

What was found stands until Caspen's record or Xero's invoice is another one, something was written to the invoice or to what is
on it, Caspen was told of something on it, or a later proof covers it. A contact is known by its id, never by a name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal

from caspen_xero.store.mappings import Mappings
from caspen_xero.store.store import utc_text, utc_time
from caspen_xero.times import local_day

Topic = Literal["document", "details", "money", "credit", "nobodys"]
"""What a find is about, in the words of a reconciliation."""
OF_CONTACTS = ("contact", "credit-note-contact")
"""The codes of finds of which both sides are ContactIDs, "" where Caspen's client has none."""
DETAILS: Topic = "details"


@dataclass(frozen=True)
class NotEqual:
    """One thing of one invoice that is not equal. `code`: the find's; `what`: that in words; `subject`: the part that it is about.

    `caspen`, `xero`: what either side has, in words with figures; of contacts (`OF_CONTACTS`) their ids. `key`: what it is known
    by. `xero_updated_at`: the `UpdatedDateUTC` of the invoice in Xero as it was read, None where it was not there. `found_at`:
    when Xero was read (UTC); None of what is not kept yet.
    """

    invoice_id: str
    code: str
    topic: Topic
    subject: str
    what: str
    caspen: str
    xero: str
    key: str
    xero_updated_at: datetime | None = None
    found_at: datetime | None = None


@dataclass(frozen=True)
class KeptProof:
    """A reconciliation in numbers; times in UTC, `first` None: from the beginning. Of invoices of Caspen's:

    `compared`, `proved` (equal), `not_yet` (to be in Xero, and not there yet; `money_not_yet`: payments and credit notes), `differ`
    (something of it is not equal, and nobody is content with that), `accepted` (a person is content with all of it), `settled`
    (the same, by what push and pull tell of it). `unknown`: how much was found that is of none of these. `xero_up_to`: the latest
    `UpdatedDateUTC` of all invoices read. `unexplained`: how many tables differed, and nothing that was found was why.
    """

    began_at: datetime
    read_at: datetime
    first: date | None
    last: date
    as_at: date
    compared: int
    proved: int
    not_yet: int
    money_not_yet: int
    differ: int
    accepted: int
    settled: int
    unknown: int
    calls: int
    xero_up_to: datetime | None = None
    unexplained: int = 0
    id: int = 0

    @property
    def is_of_all(self) -> bool:
        """Whether it was of all invoices up to the day on which Xero was read."""
        return self.first is None and self.last >= local_day(self.read_at)

    @property
    def was_equal(self) -> bool:
        """Whether all that was to be equal was, but for what a person had accepted, and nothing was left to send."""
        return not (self.differ or self.unknown or self.not_yet or self.money_not_yet or self.unexplained)


_WRITTEN = (
    "WITH written AS MATERIALIZED (SELECT invoice_id, MAX(journal_id) AS last FROM journal_documents "
    "WHERE journal_id > (SELECT MIN(p.written_up_to) FROM not_equal n JOIN proofs p ON p.id = n.proof_id) "
    "AND state <> 'refused' GROUP BY invoice_id) "
)
"""What was written since the oldest proof of which something is kept."""
_JOINED = (
    "not_equal n CROSS JOIN proofs p ON p.id = n.proof_id CROSS JOIN invoices i ON i.id = n.invoice_id "
    "LEFT JOIN links l ON l.tenant_id = n.tenant_id AND l.kind = 'invoice' AND l.caspen_id = n.invoice_id "
    "LEFT JOIN written w ON w.invoice_id = n.invoice_id"
)
_STANDS = (
    "i.touched = n.touched AND l.xero_id IS n.linked_to AND COALESCE(l.xero_updated_at, '') <= n.xero_up_to "
    "AND COALESCE(w.last, 0) <= p.written_up_to "
    "AND NOT EXISTS (SELECT 1 FROM links m WHERE m.tenant_id = n.tenant_id AND m.kind IN ('payment', 'credit_note', 'allocation') "
    "AND m.invoice_id = n.invoice_id AND m.linked_at > p.kept_at) "
    "AND NOT EXISTS (SELECT 1 FROM xero_payments x WHERE x.tenant_id = n.tenant_id AND x.invoice_id = n.invoice_id "
    "AND (x.found_at > p.kept_at OR x.delivered_at > p.kept_at))"
)
"""Neither record is another than the one that was compared, as far as is known; nothing was written since to the invoice or to
what is on it, nothing on it was found to stand for something of Caspen's, and Caspen was told of nothing on it. `kept_at` is by
this machine's clock, `read_at` may be by Xero's."""


def keep(
    mappings: Mappings,
    proof: KeptProof,
    found: Sequence[NotEqual],
    covered: Iterable[str],
    subjects: Iterable[str] = (),
) -> None:
    """Keeps a proof, and what it has found in the place of what earlier ones have.

    `covered`: the invoices that it has looked at as a whole: what was found of them before is over. `subjects`: the parts
    (payments, credit notes) that it has compared on whatever invoice: what was found of these, or of a part of them, is over too.
    """
    over, parts = set(covered), set(subjects) - {""}
    tenant = mappings.tenant_id
    with mappings.store.write():
        mappings.store.run(
            "INSERT INTO proofs (tenant_id, began_at, read_at, first, last, as_at, compared, proved, not_yet, money_not_yet, "
            "differ, accepted, settled, unknown, unexplained, calls, xero_up_to, caspen_up_to, kept_at, written_up_to) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
            "(SELECT COALESCE(MAX(touched), 0) FROM invoices), ?, (SELECT COALESCE(MAX(id), 0) FROM journal))",
            tenant,
            utc_text(proof.began_at),
            utc_text(proof.read_at),
            proof.first.isoformat() if proof.first else None,
            proof.last.isoformat(),
            proof.as_at.isoformat(),
            *(proof.compared, proof.proved, proof.not_yet, proof.money_not_yet, proof.differ, proof.accepted),
            *(proof.settled, proof.unknown, proof.unexplained, proof.calls),
            utc_text(proof.xero_up_to) if proof.xero_up_to else None,
            utc_text(datetime.now(UTC)),
        )
        kept = mappings.store.row("SELECT last_insert_rowid() AS id")
        assert kept is not None
        for row in mappings.store.rows("SELECT invoice_id, key, subject FROM not_equal WHERE tenant_id = ?", tenant):
            if row["invoice_id"] in over or row["subject"].partition(", ")[0] in parts:
                sql = "DELETE FROM not_equal WHERE tenant_id = ? AND invoice_id = ? AND key = ?"
                mappings.store.run(sql, tenant, row["invoice_id"], row["key"])
        for one in found:
            mappings.store.run(
                "INSERT OR REPLACE INTO not_equal (tenant_id, invoice_id, key, proof_id, code, topic, subject, what, caspen, xero, "
                "touched, linked_to, xero_up_to) SELECT ?1, i.id, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, i.touched, l.xero_id, "
                "MAX(COALESCE(l.xero_updated_at, ''), ?11) FROM invoices i LEFT JOIN links l ON l.tenant_id = ?1 "
                "AND l.kind = 'invoice' AND l.caspen_id = i.id WHERE i.id = ?2",
                *(tenant, one.invoice_id, one.key, kept["id"], one.code, one.topic, one.subject, one.what),
                *(one.caspen, one.xero, utc_text(one.xero_updated_at) if one.xero_updated_at else ""),
            )


def standing(mappings: Mappings) -> list[NotEqual]:
    """All that was found not equal and stands, as far as is known, oldest invoice first."""
    if not _some(mappings):  # as nearly always
        return []
    rows = mappings.store.rows(
        f"{_WRITTEN}SELECT n.*, p.read_at FROM {_JOINED} WHERE n.tenant_id = ? AND {_STANDS} "
        "ORDER BY i.issue_date, i.number, i.id, n.rowid",
        mappings.tenant_id,
    )
    return [
        NotEqual(
            row["invoice_id"],
            row["code"],
            row["topic"],
            row["subject"],
            row["what"],
            row["caspen"],
            row["xero"],
            row["key"],
            utc_time(row["xero_up_to"] or None),
            utc_time(row["read_at"]),
        )
        for row in rows
    ]


def _some(mappings: Mappings) -> bool:
    return mappings.store.row("SELECT 1 FROM not_equal WHERE tenant_id = ? LIMIT 1", mappings.tenant_id) is not None


def keys(mappings: Mappings) -> list[tuple[str, str, str, str]]:
    """Of all that is kept, whether it stands or not: the invoice, the find's code, the part that it is about, and its key."""
    sql = "SELECT invoice_id, code, subject, key FROM not_equal WHERE tenant_id = ?"
    return [
        (row["invoice_id"], row["code"], row["subject"], row["key"])
        for row in mappings.store.rows(sql, mappings.tenant_id)
    ]


def forget_what_is_over(mappings: Mappings, but_of: Collection[str]) -> None:
    """Forgets what was found of records that are others by now, but of these invoices."""
    if not _some(mappings):
        return
    sql = f"{_WRITTEN}SELECT n.rowid FROM {_JOINED} WHERE n.tenant_id = ? AND {_STANDS}"
    stand = {row["rowid"] for row in mappings.store.rows(sql, mappings.tenant_id)}
    for row in mappings.store.rows("SELECT rowid, invoice_id FROM not_equal WHERE tenant_id = ?", mappings.tenant_id):
        if row["rowid"] not in stand and row["invoice_id"] not in but_of:
            mappings.store.run("DELETE FROM not_equal WHERE rowid = ?", row["rowid"])


def last(mappings: Mappings) -> KeptProof | None:
    """The last proof of this organisation."""
    row = mappings.store.row("SELECT * FROM proofs WHERE tenant_id = ? ORDER BY id DESC LIMIT 1", mappings.tenant_id)
    if row is None:
        return None
    began_at, read_at = utc_time(row["began_at"]), utc_time(row["read_at"])
    assert began_at is not None
    assert read_at is not None
    return KeptProof(
        began_at,
        read_at,
        date.fromisoformat(row["first"]) if row["first"] else None,
        date.fromisoformat(row["last"]),
        date.fromisoformat(row["as_at"]),
        row["compared"],
        row["proved"],
        row["not_yet"],
        row["money_not_yet"],
        row["differ"],
        row["accepted"],
        row["settled"],
        row["unknown"],
        row["calls"],
        utc_time(row["xero_up_to"]),
        row["unexplained"],
        row["id"],
    )


def standing_of(mappings: Mappings, proof: KeptProof) -> set[str]:
    """The invoices of which a proof has found something not equal that stands."""
    if not _some(mappings):
        return set()
    sql = (
        f"{_WRITTEN}SELECT DISTINCT n.invoice_id FROM {_JOINED} WHERE n.tenant_id = ? AND n.proof_id = ? AND {_STANDS}"
    )
    return {row["invoice_id"] for row in mappings.store.rows(sql, mappings.tenant_id, proof.id)}


def changed_since(mappings: Mappings, proof: KeptProof) -> int:
    """How many invoices of a proof's period are new or others since, in Caspen or as far as is known in Xero, by us too."""
    row = mappings.store.row(
        "SELECT COUNT(*) AS n FROM proofs p JOIN invoices i ON COALESCE(i.issue_date, ?3) BETWEEN ?2 AND ?3 "
        "WHERE p.id = ?5 AND i.id IN (SELECT id FROM invoices WHERE touched > p.caspen_up_to "
        "UNION SELECT caspen_id FROM links WHERE tenant_id = ?1 AND kind = 'invoice' AND xero_updated_at > ?4 "
        "UNION SELECT CASE kind WHEN 'invoice' THEN caspen_id ELSE invoice_id END FROM links WHERE tenant_id = ?1 "
        "AND linked_at > p.kept_at AND kind IN ('invoice', 'payment', 'credit_note', 'allocation') "
        "UNION SELECT invoice_id FROM xero_payments WHERE tenant_id = ?1 AND (found_at > p.kept_at OR delivered_at > p.kept_at) "
        "UNION SELECT invoice_id FROM journal_documents WHERE journal_id > p.written_up_to AND state <> 'refused')",
        mappings.tenant_id,
        proof.first.isoformat() if proof.first else "",
        "9999" if proof.is_of_all else proof.last.isoformat(),
        utc_text(proof.xero_up_to or proof.read_at),
        proof.id,
    )
    return int(row["n"]) if row else 0
