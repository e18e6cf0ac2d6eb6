"""The store's tables, made step by step. Amounts are decimal TEXT, times ISO 8601 UTC TEXT, `record` and `body` JSON TEXT.

A step that has landed is never edited: a change is a new step.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from decimal import Decimal

from sqlite_utils import Database, Migrations

from caspen_xero.store.allocation_keys import key_allocations

migrations = Migrations("caspen_xero")

MARK = 0x4378_7374
"""What a store says in its header of who made it (SQLite's application id)."""

_CASPEN = """
CREATE TABLE settings (
    tenant_id TEXT NOT NULL DEFAULT '', key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (tenant_id, key));
CREATE TABLE tax_rates (id TEXT PRIMARY KEY, name TEXT, rate TEXT, archived INTEGER, record TEXT NOT NULL);
CREATE TABLE payment_methods (id TEXT PRIMARY KEY, name TEXT, type TEXT, record TEXT NOT NULL);
CREATE TABLE clients (id TEXT PRIMARY KEY, name TEXT, touched INTEGER NOT NULL, record TEXT NOT NULL);
CREATE TABLE contacts (id TEXT PRIMARY KEY, name TEXT, touched INTEGER NOT NULL, record TEXT NOT NULL);
CREATE TABLE invoices (
    id TEXT PRIMARY KEY, number TEXT, status TEXT NOT NULL, client_id TEXT NOT NULL, issue_date TEXT, due_date TEXT,
    currency TEXT, subtotal TEXT, tax TEXT, total TEXT, updated_at TEXT, touched INTEGER NOT NULL, record TEXT NOT NULL);
CREATE INDEX invoices_number ON invoices (number);
CREATE INDEX invoices_work ON invoices (status, id, touched);
CREATE INDEX invoices_client ON invoices (client_id);
CREATE TABLE payments (
    id TEXT PRIMARY KEY, client_id TEXT, date TEXT, method_id TEXT, amount TEXT, status TEXT NOT NULL, xero_id TEXT,
    updated_at TEXT, record TEXT NOT NULL);
CREATE TABLE allocations (
    id TEXT PRIMARY KEY, payment_id TEXT NOT NULL REFERENCES payments (id), invoice_id TEXT NOT NULL, amount TEXT NOT NULL,
    date TEXT);
CREATE INDEX allocations_invoice ON allocations (invoice_id);
CREATE INDEX allocations_payment ON allocations (payment_id);
CREATE TABLE credit_notes (
    id TEXT PRIMARY KEY, number TEXT, invoice_id TEXT NOT NULL, date TEXT, status TEXT NOT NULL, subtotal TEXT, tax TEXT,
    total TEXT, updated_at TEXT, record TEXT NOT NULL);
CREATE INDEX credit_notes_invoice ON credit_notes (invoice_id);
CREATE TABLE source_files (path TEXT PRIMARY KEY, signature TEXT NOT NULL);
"""

_SYNC = """
CREATE TABLE links (
    tenant_id TEXT NOT NULL, kind TEXT NOT NULL, caspen_id TEXT NOT NULL, xero_id TEXT NOT NULL, number TEXT, status TEXT,
    made_by_us INTEGER NOT NULL, invoice_id TEXT, content TEXT, settled INTEGER, subtotal TEXT, tax TEXT, total TEXT,
    amount_paid TEXT, amount_credited TEXT, amount_due TEXT, shown TEXT, xero_updated_at TEXT, linked_at TEXT NOT NULL,
    PRIMARY KEY (tenant_id, kind, caspen_id)) WITHOUT ROWID;
CREATE INDEX links_xero ON links (tenant_id, xero_id);
CREATE INDEX links_invoice ON links (tenant_id, kind, invoice_id);
CREATE INDEX links_settled ON links (tenant_id, kind, caspen_id, settled);
CREATE TABLE tax_rate_links (
    tenant_id TEXT NOT NULL, tax_rate_id TEXT NOT NULL, tax_type TEXT NOT NULL, linked_by TEXT NOT NULL,
    linked_at TEXT NOT NULL, PRIMARY KEY (tenant_id, tax_rate_id));
CREATE TABLE account_links (
    tenant_id TEXT NOT NULL, purpose TEXT NOT NULL, account_id TEXT NOT NULL, linked_at TEXT NOT NULL,
    PRIMARY KEY (tenant_id, purpose));
CREATE TABLE skips (invoice_id TEXT PRIMARY KEY, reason TEXT, skipped_at TEXT NOT NULL);
CREATE TABLE problems (
    tenant_id TEXT NOT NULL, invoice_id TEXT NOT NULL, code TEXT NOT NULL, subject TEXT NOT NULL, reason TEXT NOT NULL,
    fix TEXT NOT NULL, xero_says TEXT, attempts INTEGER NOT NULL, first_failed_at TEXT NOT NULL, last_tried_at TEXT NOT NULL,
    PRIMARY KEY (tenant_id, invoice_id, code, subject));
CREATE TABLE refusals (
    tenant_id TEXT NOT NULL, operation TEXT NOT NULL, caspen_id TEXT NOT NULL, code TEXT NOT NULL, reason TEXT NOT NULL,
    fix TEXT NOT NULL, xero_says TEXT, attempts INTEGER NOT NULL, first_failed_at TEXT NOT NULL, last_tried_at TEXT NOT NULL,
    retry_after TEXT NOT NULL, basis TEXT NOT NULL, PRIMARY KEY (tenant_id, operation, caspen_id));
CREATE TABLE xero_lists (
    tenant_id TEXT NOT NULL, kind TEXT NOT NULL, read_at TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (tenant_id, kind));
CREATE TABLE xero_contacts (
    tenant_id TEXT NOT NULL, xero_id TEXT NOT NULL, name TEXT NOT NULL, name_key TEXT NOT NULL, number TEXT,
    status TEXT NOT NULL, merged_to TEXT, updated_at TEXT, PRIMARY KEY (tenant_id, xero_id));
CREATE INDEX xero_contacts_name ON xero_contacts (tenant_id, name_key);
CREATE INDEX xero_contacts_number ON xero_contacts (tenant_id, number);
CREATE TABLE journal (
    id INTEGER PRIMARY KEY, tenant_id TEXT NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL, params TEXT NOT NULL,
    body BLOB NOT NULL, body_hash TEXT NOT NULL, generation INTEGER NOT NULL, idempotency_key TEXT NOT NULL,
    state TEXT NOT NULL, first_sent_at TEXT NOT NULL, answered_at TEXT, http_status INTEGER, answer TEXT);
CREATE INDEX journal_open ON journal (tenant_id, state);
CREATE INDEX journal_bytes ON journal (tenant_id, body_hash);
CREATE TABLE journal_documents (
    journal_id INTEGER NOT NULL REFERENCES journal (id), position INTEGER NOT NULL, operation TEXT NOT NULL,
    caspen_id TEXT NOT NULL, invoice_id TEXT, number TEXT, expected TEXT NOT NULL, state TEXT NOT NULL, xero_id TEXT,
    message TEXT, PRIMARY KEY (journal_id, position));
CREATE INDEX journal_documents_of ON journal_documents (operation, caspen_id);
CREATE TABLE log (
    id INTEGER PRIMARY KEY, tenant_id TEXT NOT NULL, command TEXT NOT NULL, started_at TEXT NOT NULL, ended_at TEXT NOT NULL,
    exit_code INTEGER NOT NULL, result TEXT NOT NULL);
"""

_PULLED = """
CREATE TABLE xero_payments (
    seq INTEGER PRIMARY KEY, tenant_id TEXT NOT NULL, xero_id TEXT NOT NULL, invoice_id TEXT NOT NULL, kind TEXT NOT NULL,
    credit_id TEXT, date TEXT, amount TEXT NOT NULL, invoice_status TEXT NOT NULL, record TEXT NOT NULL,
    found_at TEXT NOT NULL, delivered_at TEXT, UNIQUE (tenant_id, xero_id));
CREATE INDEX xero_payments_invoice ON xero_payments (tenant_id, invoice_id);
CREATE INDEX xero_payments_waiting ON xero_payments (tenant_id, seq) WHERE delivered_at IS NULL;
CREATE TABLE seen_invoices (
    tenant_id TEXT NOT NULL, invoice_id TEXT NOT NULL, xero_id TEXT NOT NULL, payments TEXT NOT NULL, allocations TEXT NOT NULL,
    credits TEXT NOT NULL, findings TEXT NOT NULL, updated_at TEXT, whole INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, invoice_id)) WITHOUT ROWID;
CREATE INDEX seen_invoices_found ON seen_invoices (tenant_id, invoice_id) WHERE findings <> '[]';
CREATE TABLE feed_cursors (
    source TEXT NOT NULL, kind TEXT NOT NULL, cursor TEXT NOT NULL, PRIMARY KEY (source, kind)) WITHOUT ROWID;
CREATE INDEX payments_xero ON payments (xero_id) WHERE xero_id IS NOT NULL;
CREATE INDEX journal_documents_payments ON journal_documents (invoice_id) WHERE operation = 'create-payment';
"""

_WORDS = """
ALTER TABLE refusals RENAME TO holds;
ALTER TABLE holds RENAME COLUMN operation TO step;
ALTER TABLE holds RENAME COLUMN first_failed_at TO first_held_at;
ALTER TABLE holds RENAME COLUMN last_tried_at TO last_held_at;
ALTER TABLE holds RENAME COLUMN retry_after TO release_at;
ALTER TABLE holds RENAME COLUMN basis TO depends_on;
UPDATE holds SET caspen_id = 'client:' || substr(caspen_id, 9)
    WHERE caspen_id LIKE 'contact:%' AND step IN ('match-contact', 'create-contact', 'update-contact');
ALTER TABLE links RENAME COLUMN content TO fingerprint;
ALTER TABLE links RENAME COLUMN shown TO last_written;
ALTER TABLE links RENAME COLUMN settled TO done_up_to;
DROP INDEX links_settled;
CREATE INDEX links_done ON links (tenant_id, kind, caspen_id, done_up_to);
UPDATE links SET kind = 'client' WHERE kind = 'contact';
UPDATE problems SET subject = 'client:' || substr(subject, 9) WHERE subject LIKE 'contact:%';
UPDATE journal_documents SET caspen_id = 'client:' || substr(caspen_id, 9)
    WHERE caspen_id LIKE 'contact:%' AND operation IN ('create-contact', 'update-contact');
UPDATE journal_documents SET expected = json_remove(json_set(expected, '$.fingerprint', json_extract(expected, '$.content'),
    '$.depends_on', json_extract(expected, '$.basis')), '$.content', '$.basis');
DROP INDEX journal_bytes;
ALTER TABLE journal DROP COLUMN body_hash;
ALTER TABLE journal DROP COLUMN generation;
ALTER TABLE seen_invoices RENAME COLUMN findings TO discrepancies;
CREATE TABLE waiting (
    tenant_id TEXT NOT NULL, invoice_id TEXT NOT NULL, code TEXT NOT NULL, reason TEXT NOT NULL, since TEXT NOT NULL,
    PRIMARY KEY (tenant_id, invoice_id)) WITHOUT ROWID
"""

_DRAFTS = """
DROP VIEW linked_invoices;
CREATE VIEW linked_invoices AS
    SELECT l.tenant_id, i.id AS invoice_id, i.number, i.issue_date, i.currency, i.status, i.subtotal, i.tax, i.total,
        l.xero_id, l.status AS xero_status, l.subtotal AS xero_subtotal, l.tax AS xero_tax, l.total AS xero_total,
        l.amount_paid, l.amount_credited, l.amount_due, l.xero_updated_at, l.done_up_to IS i.touched AND NOT (
            l.status IS NOT NULL AND l.status IN ('DRAFT', 'SUBMITTED') AND i.status IN ('open', 'paid') AND NOT EXISTS (
                SELECT 1 FROM settings s WHERE s.tenant_id = '' AND s.key = 'invoice_status' AND s.value = 'draft')) AS is_done
    FROM links l JOIN invoices i ON i.id = l.caspen_id WHERE l.kind = 'invoice';
CREATE INDEX links_drafts ON links (tenant_id, caspen_id) WHERE kind = 'invoice' AND status IN ('DRAFT', 'SUBMITTED')
"""

_VIEWS = """
CREATE VIEW linked_invoices AS
    SELECT l.tenant_id, i.id AS invoice_id, i.number, i.issue_date, i.currency, i.status, i.subtotal, i.tax, i.total,
        l.xero_id, l.status AS xero_status, l.subtotal AS xero_subtotal, l.tax AS xero_tax, l.total AS xero_total,
        l.amount_paid, l.amount_credited, l.amount_due, l.xero_updated_at, l.done_up_to IS i.touched AS is_done
    FROM links l JOIN invoices i ON i.id = l.caspen_id WHERE l.kind = 'invoice';
CREATE VIEW known_xero_payments AS
    SELECT tenant_id, xero_id, invoice_id, 'recorded' AS known_by FROM xero_payments
    UNION ALL SELECT tenant_id, xero_id, invoice_id, 'linked' FROM links WHERE kind = 'payment'
    UNION ALL SELECT NULL, p.xero_id, a.invoice_id, 'named' FROM payments p LEFT JOIN allocations a ON a.payment_id = p.id
        WHERE p.xero_id IS NOT NULL;
CREATE VIEW paid_in_caspen AS
    SELECT NULL AS tenant_id, a.invoice_id, a.amount, 'payment' AS kind, a.key AS id FROM allocations a
        JOIN payments p ON p.id = a.payment_id WHERE p.status NOT IN ('void', 'deleted')
    UNION ALL SELECT NULL, invoice_id, total, 'credit_note', id FROM credit_notes WHERE status = 'issued'
    UNION ALL SELECT x.tenant_id, x.invoice_id, x.amount, 'found_in_xero', x.xero_id FROM xero_payments x
        WHERE NOT EXISTS (SELECT 1 FROM payments p WHERE p.xero_id = x.xero_id) AND NOT EXISTS (
            SELECT 1 FROM links l WHERE l.tenant_id = x.tenant_id AND l.kind = 'payment' AND l.xero_id = x.xero_id)
"""

_NAMED = """
CREATE TABLE named_payments (
    xero_id TEXT NOT NULL, payment_id TEXT NOT NULL, invoice_id TEXT NOT NULL, amount TEXT NOT NULL,
    PRIMARY KEY (xero_id, payment_id, invoice_id, amount)) WITHOUT ROWID;
DROP VIEW known_xero_payments;
CREATE VIEW known_xero_payments AS
    SELECT tenant_id, xero_id, invoice_id, 'recorded' AS known_by FROM xero_payments
    UNION ALL SELECT tenant_id, xero_id, invoice_id, 'linked' FROM links WHERE kind = 'payment'
    UNION ALL SELECT NULL, xero_id, NULLIF(invoice_id, ''), 'named' FROM named_payments;
CREATE INDEX credit_notes_number ON credit_notes (number);
CREATE INDEX allocations_own_id ON allocations (id)
"""

_KNOWN = """
DROP VIEW known_xero_payments;
CREATE VIEW known_xero_payments AS
    SELECT tenant_id, xero_id, invoice_id, 'recorded' AS known_by FROM xero_payments
    UNION ALL SELECT tenant_id, xero_id, invoice_id, 'linked' FROM links WHERE kind = 'payment'
"""

_BATCHES = """
CREATE TABLE batch_members (
    tenant_id TEXT NOT NULL, xero_id TEXT NOT NULL, batch_id TEXT NOT NULL, invoice_id TEXT NOT NULL, amount TEXT NOT NULL,
    PRIMARY KEY (tenant_id, xero_id)) WITHOUT ROWID;
CREATE INDEX batch_members_batch ON batch_members (tenant_id, batch_id);
ALTER TABLE xero_payments ADD COLUMN told_as TEXT;
CREATE INDEX xero_payments_told_as ON xero_payments (tenant_id, told_as) WHERE told_as IS NOT NULL;
CREATE VIEW found_and_named AS
    SELECT x.tenant_id, x.xero_id, p.id AS payment_id, p.status FROM xero_payments x JOIN payments p ON p.xero_id = x.xero_id
    UNION ALL SELECT x.tenant_id, x.xero_id, p.id, p.status FROM xero_payments x
        JOIN batch_members m ON m.tenant_id = x.tenant_id AND m.xero_id = x.xero_id JOIN payments p ON p.xero_id = m.batch_id
        JOIN allocations a ON a.payment_id = p.id AND a.invoice_id = x.invoice_id
        WHERE NOT EXISTS (SELECT 1 FROM links l WHERE l.tenant_id = x.tenant_id AND l.kind = 'payment' AND l.caspen_id = a.key
            AND l.xero_id <> x.xero_id);
DROP VIEW paid_in_caspen;
CREATE VIEW paid_in_caspen AS
    SELECT NULL AS tenant_id, a.invoice_id, a.amount, 'payment' AS kind, a.key AS id FROM allocations a
        JOIN payments p ON p.id = a.payment_id WHERE p.status NOT IN ('void', 'deleted')
    UNION ALL SELECT NULL, invoice_id, total, 'credit_note', id FROM credit_notes WHERE status = 'issued'
    UNION ALL SELECT x.tenant_id, x.invoice_id, x.amount, 'found_in_xero', x.xero_id FROM xero_payments x
        WHERE NOT EXISTS (SELECT 1 FROM found_and_named n WHERE n.tenant_id = x.tenant_id AND n.xero_id = x.xero_id)
        AND NOT EXISTS (
            SELECT 1 FROM links l WHERE l.tenant_id = x.tenant_id AND l.kind = 'payment' AND l.xero_id = x.xero_id)
"""


_BAD_RECORDS = """
CREATE TABLE bad_records (
    kind TEXT NOT NULL, id TEXT NOT NULL, has_id INTEGER NOT NULL, number TEXT, status TEXT, client_id TEXT, day TEXT, total TEXT,
    currency TEXT, invoices TEXT NOT NULL, updated_at TEXT, wrong TEXT NOT NULL, place TEXT NOT NULL,
    PRIMARY KEY (kind, id)) WITHOUT ROWID;
DROP VIEW paid_in_caspen;
CREATE VIEW paid_in_caspen AS
    SELECT NULL AS tenant_id, a.invoice_id, a.amount, 'payment' AS kind, a.key AS id FROM allocations a
        JOIN payments p ON p.id = a.payment_id WHERE p.status = 'allocated'
    UNION ALL SELECT NULL, invoice_id, total, 'credit_note', id FROM credit_notes WHERE status = 'issued'
    UNION ALL SELECT x.tenant_id, x.invoice_id, x.amount, 'found_in_xero', x.xero_id FROM xero_payments x
        WHERE NOT EXISTS (SELECT 1 FROM found_and_named n WHERE n.tenant_id = x.tenant_id AND n.xero_id = x.xero_id)
        AND NOT EXISTS (
            SELECT 1 FROM links l WHERE l.tenant_id = x.tenant_id AND l.kind = 'payment' AND l.xero_id = x.xero_id)
"""


_RUNS = """
CREATE TABLE runs (
    id INTEGER PRIMARY KEY, tenant_id TEXT NOT NULL, command TEXT NOT NULL, started_at TEXT NOT NULL, ended_at TEXT,
    exit_code INTEGER, result TEXT NOT NULL, error TEXT, part_of INTEGER);
INSERT INTO runs SELECT id, tenant_id, command, started_at, ended_at, exit_code, result,
    json_extract(result, '$.stopped'), NULL FROM log;
DROP TABLE log;
ALTER TABLE runs RENAME TO log;
CREATE TABLE told (
    tenant_id TEXT NOT NULL, scope TEXT NOT NULL, key TEXT NOT NULL, since TEXT NOT NULL, told_at TEXT NOT NULL,
    PRIMARY KEY (tenant_id, scope, key)) WITHOUT ROWID;
"""

_QUICK_LOOKS = """
DROP VIEW linked_invoices;
DROP INDEX invoices_work;
DROP INDEX links_done;
CREATE INDEX invoices_states ON invoices (id, touched, status, issue_date, subtotal, tax, total);
CREATE INDEX links_states ON links (
    caspen_id, tenant_id, done_up_to, status, subtotal, tax, total, amount_paid, amount_credited) WHERE kind = 'invoice';
CREATE INDEX links_despite ON links (tenant_id) WHERE kind = 'invoice' AND despite IS NOT NULL;
CREATE INDEX links_deleted ON links (tenant_id, invoice_id) WHERE kind = 'payment' AND status = 'DELETED';
CREATE INDEX links_latest ON links (tenant_id, linked_at);
CREATE INDEX xero_contacts_archived ON xero_contacts (tenant_id, xero_id) WHERE status = 'ARCHIVED'
"""

_DIFFERENT = """
CREATE TABLE different_money (
    tenant_id TEXT NOT NULL, caspen_id TEXT NOT NULL, xero_id TEXT NOT NULL,
    PRIMARY KEY (tenant_id, caspen_id, xero_id)) WITHOUT ROWID;
ALTER TABLE xero_payments ADD COLUMN account_id TEXT
"""

_PROOFS = """
CREATE TABLE proofs (
    id INTEGER PRIMARY KEY, tenant_id TEXT NOT NULL, began_at TEXT NOT NULL, read_at TEXT NOT NULL, first TEXT, last TEXT NOT NULL,
    as_at TEXT NOT NULL, compared INTEGER NOT NULL, proved INTEGER NOT NULL, not_yet INTEGER NOT NULL,
    money_not_yet INTEGER NOT NULL, differ INTEGER NOT NULL, accepted INTEGER NOT NULL, settled INTEGER NOT NULL,
    unknown INTEGER NOT NULL, unexplained INTEGER NOT NULL, calls INTEGER NOT NULL, xero_up_to TEXT,
    caspen_up_to INTEGER NOT NULL, written_up_to INTEGER NOT NULL, kept_at TEXT NOT NULL);
CREATE INDEX proofs_latest ON proofs (tenant_id, id);
CREATE TABLE not_equal (
    tenant_id TEXT NOT NULL, invoice_id TEXT NOT NULL, key TEXT NOT NULL, proof_id INTEGER NOT NULL REFERENCES proofs (id),
    code TEXT NOT NULL, topic TEXT NOT NULL, subject TEXT NOT NULL, what TEXT NOT NULL, caspen TEXT NOT NULL, xero TEXT NOT NULL,
    touched INTEGER NOT NULL, linked_to TEXT, xero_up_to TEXT NOT NULL, PRIMARY KEY (tenant_id, invoice_id, key))
"""

_DETAIL = re.compile(r"(line \d+ )?(reference|due date|description|account|tax type) ")
"""How what a bookkeeper may edit begins in words, by all versions."""

_REFUSED = """
CREATE TABLE refused_contacts (
    tenant_id TEXT NOT NULL, kind TEXT NOT NULL, caspen_id TEXT NOT NULL, xero_id TEXT NOT NULL,
    PRIMARY KEY (tenant_id, kind, caspen_id, xero_id)) WITHOUT ROWID;
DROP INDEX xero_contacts_number;
CREATE INDEX xero_contacts_number ON xero_contacts (tenant_id, number COLLATE NOCASE);
UPDATE links SET status = 'DOUBTED' WHERE kind IN ('client', 'payer') AND NOT made_by_us AND EXISTS (
    SELECT 1 FROM xero_contacts x WHERE x.tenant_id = links.tenant_id AND x.xero_id = links.xero_id
    AND x.number IN (links.caspen_id, 'payer-' || links.caspen_id))
"""


@migrations()
def caspen_records(db: Database) -> None:
    """What Caspen said: its records, and the settings of this workspace."""
    _run(db, _CASPEN)


@migrations()
def xero_mappings(db: Database) -> None:
    """What stands for what in Xero, what is wrong, and what was sent."""
    _run(db, _SYNC)


@migrations()
def updated_at_of_people_and_lists(db: Database) -> None:
    """Clients, contacts, tax rates and payment methods keep their `updated_at` too: an older one never comes back."""
    for table in ("clients", "contacts", "tax_rates", "payment_methods"):
        db.execute(f"ALTER TABLE {table} ADD COLUMN updated_at TEXT")


@migrations()
def payments_from_xero(db: Database) -> None:
    """What pull found in Xero and has handed to Caspen, what it last saw, and how far an HTTP feed has been read."""
    _run(db, _PULLED)


@migrations()
def allocations_by_payment(db: Database) -> None:
    """Ids inside a record are unique only within it: an allocation, and what stands for it, is named by its payment too."""
    key_allocations(db)


@migrations()
def one_word_for_one_thing(db: Database) -> None:
    """Holds were called refusals, though only one kind of them is Xero's no; a client's link was a contact's; and so on."""
    _run(db, _WORDS)


@migrations()
def views(db: Database) -> None:
    """What several places derive from the tables, for people with a SQLite tool too."""
    _run(db, _VIEWS)


@migrations()
def pushes_that_have_begun(db: Database) -> None:
    """Before the first push of all that is due a person is asked; whoever has sent something by now was."""
    db.execute(
        "INSERT OR IGNORE INTO settings (tenant_id, key, value) "
        "SELECT DISTINCT tenant_id, 'begun', 'yes' FROM links WHERE kind = 'invoice' AND made_by_us"
    )


@migrations()
def writes_by_xeros_clock(db: Database) -> None:
    """When a write was first sent, by Xero's own clock: this machine's may be set in between. Of earlier ones nobody knows."""
    db.execute("ALTER TABLE journal ADD COLUMN first_sent_at_xero TEXT")


@migrations()
def payments_that_exports_named(db: Database) -> None:
    """What an export has once named by its `xero_id` was delivered, whatever later exports say of that payment."""
    _run(db, _NAMED)
    sums: defaultdict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for xero_id, payment_id, invoice_id, part in db.execute(
        "SELECT p.xero_id, p.id, COALESCE(a.invoice_id, ''), COALESCE(a.amount, p.amount, '0') FROM payments p "
        "LEFT JOIN allocations a ON a.payment_id = p.id WHERE p.xero_id IS NOT NULL"
    ).fetchall():
        sums[xero_id, payment_id, invoice_id] += Decimal(part)
    for key, amount in sums.items():
        db.execute("INSERT INTO named_payments VALUES (?, ?, ?, ?)", (*key, f"{amount.normalize():f}"))


@migrations()
def invoices_that_only_we_have_changed(db: Database) -> None:
    """Up to which change of an invoice in Xero all of them are our own: then nobody can have deleted a payment there."""
    db.execute("ALTER TABLE links ADD COLUMN only_ours_until TEXT")


@migrations()
def marked_as_ours(db: Database) -> None:
    """The file itself says whose it is, so that nobody else's database is ever taken for a store."""
    db.execute(f"PRAGMA application_id = {MARK}")


@migrations()
def known_payments_without_those_named(db: Database) -> None:
    """What an export has named is known for its invoice and amount only: the table of those tells, no id alone."""
    _run(db, _KNOWN)


@migrations()
def lines_by_their_ids(db: Database) -> None:
    """Which line in Xero is which of Caspen's, so that an update changes that line. Of earlier writes nobody knows."""
    db.execute("ALTER TABLE links ADD COLUMN lines TEXT")


@migrations()
def drafts_are_not_done(db: Database) -> None:
    """What is a draft in Xero is done only where drafts are wanted; there are few, so they are found without looking at all."""
    _run(db, _DRAFTS)


@migrations()
def members_of_batches(db: Database) -> None:
    """Xero names a member of a batch by its own id or by the batch's: which are the same money, and under which id it was told."""
    _run(db, _BATCHES)


@migrations()
def warnings_of_xeros(db: Database) -> None:
    """What Xero said of a document that it took all the same, as a JSON list of its words. Of earlier ones nobody knows."""
    db.execute("ALTER TABLE journal_documents ADD COLUMN warnings TEXT NOT NULL DEFAULT '[]'")


@migrations()
def bad_records_are_kept(db: Database) -> None:
    """Bad records are kept till a good one comes; what earlier versions took for good, or believed, is judged anew by a push."""
    _run(db, _BAD_RECORDS)
    db.execute(
        "INSERT INTO settings (tenant_id, key, value) SELECT '', 'judge_records', 'yes' WHERE EXISTS (SELECT 1 FROM payments) "
        "OR EXISTS (SELECT 1 FROM credit_notes)"
    )
    db.execute(
        "INSERT INTO settings (tenant_id, key, value) SELECT DISTINCT tenant_id, 'judge_links', 'yes' FROM links "
        "WHERE kind = 'invoice'"
    )
    db.execute("DELETE FROM settings WHERE key = 'pull_full_at'")


@migrations()
def contacts_that_are_not_who_they_seem(db: Database) -> None:
    """Which contact a client or payer is not, as a person has said; numbers are found whatever the case of their letters.

    What was linked by a number alone stays linked, but its name is looked at.
    """
    _run(db, _REFUSED)


@migrations()
def what_was_purged(db: Database) -> None:
    """Of a record that was purged: a seal, by which the same one is known when it comes again, and its fingerprint."""
    for table in ("clients", "contacts", "invoices", "payments", "credit_notes"):
        db.execute(f"ALTER TABLE {table} ADD COLUMN purged TEXT")
    db.execute(
        "CREATE INDEX invoices_payer ON invoices (record ->> 'invoice_to_id') WHERE record ->> 'invoice_to_id' IS NOT NULL"
    )


@migrations()
def differences_that_are_accepted(db: Database) -> None:
    """With which differences between the two sides a person is content, each by its key."""
    _run(
        db,
        "CREATE TABLE accepted (tenant_id TEXT NOT NULL, invoice_id TEXT NOT NULL, difference TEXT NOT NULL, "
        "accepted_at TEXT NOT NULL, PRIMARY KEY (tenant_id, difference)) WITHOUT ROWID",
    )
    db.execute("DELETE FROM settings WHERE key = 'pull_full_at'")  # what was called edited so far is judged anew
    rows = db.execute(
        "SELECT tenant_id, invoice_id, discrepancies FROM seen_invoices WHERE discrepancies <> '[]'"
    ).fetchall()
    for tenant_id, invoice_id, text in rows:
        told = json.loads(text)
        for one in told:
            parts = [*one["caspen"].split("; "), *one["xero"].split("; ")]
            if one["code"] == "invoice-edited-in-xero" and all(map(_DETAIL.match, parts)):
                one["code"] = "details-edited-in-xero"
        sql = "UPDATE seen_invoices SET discrepancies = ? WHERE tenant_id = ? AND invoice_id = ?"
        db.execute(sql, (json.dumps(told), tenant_id, invoice_id))


@migrations()
def runs_from_their_beginning(db: Database) -> None:
    """Runs are noted when they begin, and with the error that ended them; and what runs with `--quiet` have told is remembered."""
    _run(db, _RUNS)


@migrations()
def where_caspen_was_told(db: Database) -> None:
    """To which file or server a payment from Xero went; '' of earlier ones, of which nobody knows. None: it was not told."""
    db.execute("ALTER TABLE xero_payments ADD COLUMN told_to TEXT")
    db.execute("UPDATE xero_payments SET told_to = '' WHERE delivered_at IS NOT NULL")


@migrations()
def money_that_is_not_the_same(db: Database) -> None:
    """What a person has said of payments that look alike, and which account one was found in. Of earlier ones nobody knows."""
    _run(db, _DIFFERENT)


@migrations()
def links_in_spite_of_differences(db: Database) -> None:
    """What a person linked though it differs: what differs, and whether its money is ours all the same. As JSON; NULL: nothing."""
    db.execute("ALTER TABLE links ADD COLUMN despite TEXT")


@migrations()
def documents_that_differ(db: Database) -> None:
    """A seal of what Xero shows of each invoice, and which two documents a problem is about. Of earlier ones nobody knows.

    What was accepted so far was known by the words that told of it, which say less than it takes: a person is asked once more.
    """
    db.execute("ALTER TABLE links ADD COLUMN shown TEXT")
    db.execute("ALTER TABLE problems ADD COLUMN about TEXT NOT NULL DEFAULT ''")
    db.execute("DELETE FROM accepted")


@migrations()
def payments_by_client(db: Database) -> None:
    """What a client has paid that is on no invoice is looked for by client."""
    db.execute("CREATE INDEX payments_client ON payments (client_id)")


@migrations()
def quick_looks(db: Database) -> None:
    """What is asked of all invoices at every run is answered by indexes that hold all that it takes, or but the few that count.

    What is done is told by `store/todo.py` alone.
    """
    _run(db, _QUICK_LOOKS)


@migrations()
def money_as_it_was_seen(db: Database) -> None:
    """Up to which change of an invoice by us what is paid and credited there is known to be as pull has seen it."""
    db.execute("ALTER TABLE seen_invoices ADD COLUMN money_at TEXT")


@migrations()
def payments_of_another_amount(db: Database) -> None:
    """Few among very many."""
    where = "kind = 'payment' AND fingerprint IS NULL AND NOT made_by_us"
    db.execute(f"CREATE INDEX links_of_another_amount ON links (tenant_id, caspen_id) WHERE {where}")


@migrations()
def what_questions_are_about(db: Database) -> None:
    """What in Xero a person was asked about who has to decide; of earlier questions nobody knows: they are asked once more."""
    db.execute("ALTER TABLE holds ADD COLUMN about TEXT NOT NULL DEFAULT ''")


@migrations()
def differences_that_stand(db: Database) -> None:
    """What became of our credit notes that are not on their invoice as they were, and up to what of Caspen's that was judged."""
    db.execute("ALTER TABLE seen_invoices ADD COLUMN notes TEXT NOT NULL DEFAULT '{}'")
    db.execute("ALTER TABLE seen_invoices ADD COLUMN judged_by TEXT")
    db.execute("CREATE INDEX seen_invoices_notes ON seen_invoices (tenant_id, invoice_id) WHERE notes <> '{}'")


@migrations()
def readings_that_go_on(db: Database) -> None:
    """What a reading of Xero for a reconciliation has brought so far, until it is complete."""
    db.execute(
        "CREATE TABLE readings (tenant_id TEXT PRIMARY KEY, first TEXT, last TEXT NOT NULL, as_at TEXT NOT NULL, "
        "began_at TEXT NOT NULL, xero_time TEXT NOT NULL, calls INTEGER NOT NULL)"
    )
    db.execute(
        "CREATE TABLE reading_pages (tenant_id TEXT NOT NULL, list TEXT NOT NULL, number INTEGER NOT NULL, "
        "documents INTEGER NOT NULL, counted INTEGER, is_last INTEGER NOT NULL, by_change INTEGER NOT NULL, "
        "content BLOB NOT NULL, PRIMARY KEY (tenant_id, list, number))"
    )


@migrations()
def proofs_are_kept(db: Database) -> None:
    """What reconciliations have proved, and what of each invoice they have found not equal."""
    _run(db, _PROOFS)


@migrations()
def payments_found_before_their_invoices(db: Database) -> None:
    """What was said of payments that were found while their invoices were not linked: remove them in Xero. It is judged anew."""
    found_before = (
        "SELECT 1 FROM links l WHERE l.tenant_id = {0}.tenant_id AND l.kind = 'payment' AND l.invoice_id IS NULL "
        "AND l.caspen_id = {0}.{1}"
    )
    db.execute(
        f"DELETE FROM holds WHERE step = 'create-payment' AND EXISTS ({found_before.format('holds', 'caspen_id')})"
    )
    db.execute(
        "DELETE FROM problems WHERE code = 'payment-maybe-already-in-xero' "
        f"AND EXISTS ({found_before.format('problems', 'subject')})"
    )


def names_of_all() -> set[str]:
    """The names of all steps. sqlite-utils tells only which are pending: in an empty database, that is all of them."""
    empty = Database(memory=True)
    try:
        return {step.name for step in migrations.pending(empty)}
    finally:
        empty.close()


def _run(db: Database, script: str) -> None:
    # Not executescript: that would commit the transaction which the migration runs in.
    for statement in script.split(";"):
        if statement.strip():
            db.execute(statement)
