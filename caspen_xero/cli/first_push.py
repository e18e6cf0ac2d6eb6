"""The first push to an organisation: what it is about to send, and whether it may."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from caspen_xero.cli.dry_run import KINDS
from caspen_xero.cli.menu import confirm, somebody_is_there
from caspen_xero.cli.session import Session
from caspen_xero.outside_text import plain

if TYPE_CHECKING:
    from caspen_xero.sync.planning.outlook import Tally
    from caspen_xero.sync.sending.push_result import Announcement
    from caspen_xero.sync.setup.changes import AccountChoice


def may_begin(session: Session, announcement: Announcement, *, yes: bool) -> bool:
    """Says what is about to be sent; a person at a terminal is asked whether it may be, unless they have said so (`yes`)."""
    told = _in_words(session, announcement)
    if yes or not somebody_is_there(session.output):
        session.output.note(*told)
        return True
    look = session.output.command("See all of it first:  caspen-xero push --dry-run")
    return confirm(session.output, "Send them?", before=[*told, look])


def tell_declined(session: Session) -> None:
    """After a no: that nothing was sent, and how to go on. What the pull of a `sync` has done is done."""
    pulled = " What was pulled is kept." if session.whole == "sync" else ""
    session.output.say(f"Nothing was sent to Xero; the invoices stay pending.{pulled}")
    session.output.note("To send them:            caspen-xero push")
    session.output.note("To leave out older ones: caspen-xero settings set --start-date YYYY-MM-DD")
    session.output.note("A run without a terminal, as from cron, does not ask: the next one sends them.")


def _in_words(session: Session, announcement: Announcement) -> list[str]:
    first = "First push" if announcement.is_first else "First push of all that is due"
    new = announcement.kinds.get("create-invoice")
    what = f"{_invoices(new)} in all, the oldest of {new.oldest}" if new else "no new invoice"
    return [
        f"{first} to {plain(session.connection.tenant_name)}: {what}.",
        *(f"  {line}" for line in (*_besides(announcement), *_where(session))),
    ]


def _besides(announcement: Announcement) -> Iterator[str]:
    """What else is written, what stays out, and where it ends."""
    from caspen_xero.sync.paid_without_payment import in_words

    for kind, words in KINDS.items():
        if kind != "create-invoice" and (tally := announcement.kinds.get(kind)) is not None:
            yield f"{words}: {', '.join([str(tally.number), *_sums(tally)])}"
    for why, tally in sorted(announcement.stay_out.items()):
        yield f"{'Stay out' if why == 'problem' else 'Wait'}: {_invoices(tally)}"
    if announcement.owed.number:
        yield in_words(announcement.owed.number, announcement.owed.sums, will=True)
    if announcement.at_most is not None:
        yield f"No more than {announcement.at_most} of these documents are written (--max-writes {announcement.at_most})"


def _invoices(tally: Tally) -> str:
    number = tally.number
    return ", ".join(["1 invoice" if number == 1 else f"{number} invoices", *_sums(tally)])


def _sums(tally: Tally) -> list[str]:
    """What they come to by currency, in one piece; of contacts nothing."""
    sums = " and ".join(f"{total:,.2f} {plain(currency)}" for currency, total in sorted(tally.sums.items()))
    return [sums] if sums else []


def _where(session: Session) -> Iterator[str]:
    """Whether they go as drafts, where their lines go, and where the payments go: from what was chosen, no call is made."""
    from caspen_xero.store import clinic
    from caspen_xero.sync.setup.accounts import account_label, method_purpose
    from caspen_xero.sync.setup.awaited import awaited
    from caspen_xero.sync.setup.changes import account_choices
    from caspen_xero.sync.setup.organisation import known_accounts
    from caspen_xero.sync.setup.settings import PAYMENT_ACCOUNT, SALES_ACCOUNT

    mappings = session.mappings
    chart = known_accounts(mappings) or []
    choices = account_choices(mappings, chart)
    if session.settings.invoice_status == "draft":
        yield "They go as drafts, and a person approves them in Xero (--invoice-status draft)"
    yield f"{SALES_ACCOUNT.title}: {_chosen(choices.get(SALES_ACCOUNT.purpose))}"
    if session.settings.feed_brings_payments:
        yield "Payments stay out of Xero: a bank feed brings them (--payments off)"
        return
    yield f"{PAYMENT_ACCOUNT.title}: {_chosen(choices.get(PAYMENT_ACCOUNT.purpose))}"
    for method in clinic.payment_methods(session.store):
        if (own := choices.get(method_purpose(method.id))) is not None:
            yield f"Account for {plain(method.name)} payments: {_chosen(own)}"
    names = {account.account_id: account_label(account) for account in chart}
    for choice in awaited(mappings):
        if choice.kind == "payment_method":
            yield f"Account for {plain(choice.name)} payments: {plain(names.get(choice.target, choice.target))}"


def _chosen(choice: AccountChoice | None) -> str:
    from caspen_xero.cli.settings_view import account_text

    return account_text(choice) + (f" ({choice.problem})" if choice and choice.problem else "")
