"""The questions of `setup`, each in a session of its own: what was answered before is said, and not asked again."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import TYPE_CHECKING

from caspen_xero.cli.first_steps import answered, in_words, is_pushed, note_answered
from caspen_xero.cli.menu import ask, confirm
from caspen_xero.cli.session import AFTER_ANSWERS, Session, SessionError
from caspen_xero.cli.settings import save
from caspen_xero.cli.settings_walk import ask_for, ask_for_one_account, pick_account
from caspen_xero.commands import to_paste
from caspen_xero.errors import ExitCode, UserError
from caspen_xero.outside_text import plain
from caspen_xero.store import clinic
from caspen_xero.store.listing import count_listed
from caspen_xero.sync.setup.accounts import account_label, method_name, method_purpose
from caspen_xero.sync.setup.changes import SettingsChange
from caspen_xero.sync.setup.organisation import known_accounts, read_accounts, read_tax_rates
from caspen_xero.sync.setup.settings import (
    PAYMENT_ACCOUNT,
    SALES_ACCOUNT,
    SETTINGS,
    Setting,
    check_source,
    read_settings,
)
from caspen_xero.sync.setup.start_date import why_doubtful
from caspen_xero.times import local_day

if TYPE_CHECKING:
    from caspen_xero.store.imports import ImportResult


def connect_to_xero(session: Session) -> None:
    """Signs in to Xero, where that was not done."""
    from caspen_xero.cli.connect import TokenPlace, connect
    from caspen_xero.xero.errors import TokenStoreError
    from caspen_xero.xero.login import REDIRECT_URIS

    if stored := session.store.connection():
        from caspen_xero.xero.connection import where

        mark = where(stored["xero_url"])
        session.output.say(f"Connected to {plain(stored['tenant_name'])}{f' ({mark})' if mark else ''}.")
        return
    client_id = os.environ.get("XERO_CLIENT_ID")
    if not client_id:
        session.output.say(
            "Each clinic uses a free app of its own at Xero. To make one, sign in at",
            "  https://developer.xero.com/app/manage",
            "choose New app, then Mobile or desktop app, and add these redirect URIs as they are:",
            *(f"  {uri}" for uri in REDIRECT_URIS),
            "Then copy its client id. Step by step:  caspen-xero help xero-app",
        )
        client_id = ask(session.output, "Client id of your app (Enter: later)")
        if not client_id:
            words = "Without an app at Xero nobody can sign in."
            raise SessionError("client-id-missing", words, "caspen-xero setup", ExitCode.USAGE)
    try:
        connect(session, client_id=client_id)
    except TokenStoreError as error:
        session.output.warn(error.message)
        question = "Keep the sign-in in a file instead that only you can read?"
        if session.store.connection() or not confirm(session.output, question):
            raise
        connect(session, client_id=client_id, token_store=TokenPlace.file)


def read_records(session: Session) -> None:
    """Asks where Caspen's export is, and reads it. What can't be read is told, asked for again, and never kept as the source."""
    from caspen_xero.caspen.feed import FeedError
    from caspen_xero.cli.source import tell_import

    kept = session.settings.source
    source = kept
    if not source and not count_listed(session.store):
        source = _ask_for_source(session, "Where is Caspen's export: a file, a folder, or an https:// address")
        if not source:
            return
    while source:
        try:
            read = _read_from(session, source)
        except FeedError as error:
            session.output.warn(error.message, error.fix)
            source = _ask_for_source(session, "Another file, folder or https:// address")
            if not source:
                return
            continue
        if source != kept:
            save(session, SettingsChange.of({"source": source}), patience=AFTER_ANSWERS, is_read=True)
            session.__dict__.pop("settings", None)
        if read is not None and (read.read or read.bad_count):
            tell_import(session, read)
        break
    known = count_listed(session.store)
    session.output.say(f"{in_words(known)} known, from {plain(source) if source else 'what was imported'}.")


def _ask_for_source(session: Session, question: str) -> str | None:
    """A source that there is, as it is kept; None for the Enter key, with what to type later."""
    source = ask(session.output, f"{question} (Enter: later)", check_source)
    if found := check_source(source):
        return found
    session.output.note("Later:  caspen-xero settings set --source PATH")
    return None


def _read_from(session: Session, source: str) -> ImportResult | None:
    """Reads a source that may not be set yet; a server's key is asked for, and forgotten where the server gives nothing."""
    from caspen_xero.cli.caspen_key import ask_for_key, forget_other_key
    from caspen_xero.cli.source import import_source

    ask_for_key(session, source)
    try:
        with session.only_writer(patience=AFTER_ANSWERS):
            return import_source(session, source)
    except UserError:
        with session.only_writer(patience=AFTER_ANSWERS):
            forget_other_key(session, session.settings.source)
        raise


def choose_sales_account(session: Session) -> None:
    """Asks which account invoice lines go to."""
    _choose_account(session, SALES_ACCOUNT.purpose)


def choose_who_brings_payments(session: Session) -> None:
    """Asks whether a bank feed brings the payments."""
    session.output.say(
        "If a bank feed brings your payments to Xero, they would stand there twice were they sent from here too."
    )
    _choose_setting(session, "payments")


def choose_payment_accounts(session: Session) -> None:
    """Asks which account payments go to, and for each of Caspen's methods whether it has one of its own."""
    if session.settings.feed_brings_payments:
        session.output.say("None is needed: a bank feed brings the payments.")
        return
    _choose_account(session, PAYMENT_ACCOUNT.purpose)
    links = session.mappings.account_links()
    common = links.get(PAYMENT_ACCOUNT.purpose)
    chart = {one.account_id: one for one in known_accounts(session.mappings) or []}
    usual = f"as all others: {account_label(chart[common])}" if common in chart else "as all others"
    methods = clinic.payment_methods(session.store)
    for method in methods:
        purpose, name = method_purpose(method.id), f"method {method.id}"
        if purpose in links:
            session.output.say(
                f"{plain(method.name)} payments: {account_label(chart[links[purpose]])}."
                if links[purpose] in chart
                else f"{plain(method.name)} payments: chosen."
            )
            continue
        if name in answered(session) or is_pushed(session):
            session.output.say(f"{plain(method.name)} payments: {usual}.")
            continue
        now = read_accounts(session.client, session.mappings, now=session.started_at) if not chart else chart.values()
        found = pick_account(session, f"{plain(method.name)} payments go to:", purpose, list(now), otherwise=usual)
        if found is not None:
            change = SettingsChange(payment_methods=(f"{method_name(method, methods)}={found.account_id}",))
            save(session, change, patience=AFTER_ANSWERS)
        note_answered(session, name)


def link_rates(session: Session) -> None:
    """Links the tax rates that only one fits, and asks for the others."""
    from caspen_xero.cli.taxes_view import read_links, read_rates
    from caspen_xero.cli.taxes_walk import walk_through
    from caspen_xero.sync.setup.tax_links import link_sole_candidates, links_in_words, rate_links
    from caspen_xero.sync.setup.taxes import rate_label

    if not clinic.tax_rates(session.store):
        session.output.say("None of Caspen's tax rates is known yet.")
        return
    for link in rate_links(session.store, session.mappings, read_rates(session)):
        if link.synced and link.xero_rate is not None:
            session.output.say(f"{plain(link.rate.name)} is linked to {rate_label(link.xero_rate)}.")
    with session.only_writer(patience=AFTER_ANSWERS):
        made = link_sole_candidates(session.store, session.mappings, read_rates(session), asked=True)
    if made:
        session.output.say(*links_in_words(made))
    xero_rates = read_tax_rates(session.client, session.mappings, now=session.started_at)
    if any(not link.synced for link in rate_links(session.store, session.mappings, xero_rates)):
        walk_through(session)
    links = read_links(session)
    left = [plain(link.rate.name) for link in links if not link.synced]
    session.output.say(f"Not linked: {', '.join(left)}." if left else "Every tax rate is linked.")


def choose_privacy(session: Session) -> None:
    """Asks what of a client goes to Xero."""
    _choose_setting(session, "privacy")


def choose_start_date(session: Session) -> None:
    """Asks from which day on invoices go to Xero; again as long as that can hardly be meant, also where it was set before."""
    session.output.say(
        "Invoices before that day stay out of Xero, as where another program brought them there already."
    )
    setting = _setting("start_date")
    is_asked = setting.key not in answered(session)
    while True:
        if is_asked:
            wanted = ask_for(session, setting, asdict(read_settings(session.store)))
            if not wanted:
                break
            save(session, SettingsChange.of({setting.key: wanted}), patience=AFTER_ANSWERS)
        day = read_settings(session.store).start_date
        doubt = why_doubtful(session.store, day, local_day(session.now()))
        if doubt and not is_asked:
            session.output.warn(doubt)
        if not doubt or confirm(session.output, "Keep this start date?"):
            break
        is_asked = True
    note_answered(session, setting.key)
    _tell_setting(session, setting)


def _choose_account(session: Session, purpose: str) -> None:
    chosen = session.mappings.account_links().get(purpose)
    if chosen is not None:
        chart = {one.account_id: one for one in known_accounts(session.mappings) or []}
        session.output.say(f"{account_label(chart[chosen]) if chosen in chart else 'One was chosen'}.")
        return
    session.output.say("Type its number here, its code, or its name.")
    answered = ask_for_one_account(session, purpose, None)
    if answered is None:
        session.output.note(f"Later:  {to_paste(f'settings accounts {purpose}')}")
        return
    change, words = answered
    save(session, change, patience=AFTER_ANSWERS)
    session.output.say(words)


def _choose_setting(session: Session, key: str) -> None:
    """Asks for a setting that has a default, once."""
    setting = _setting(key)
    if key not in answered(session):
        if wanted := ask_for(session, setting, asdict(read_settings(session.store))):
            save(session, SettingsChange.of({key: wanted}), patience=AFTER_ANSWERS)
        note_answered(session, key)
    _tell_setting(session, setting)


def _setting(key: str) -> Setting:
    return next(one for one in SETTINGS if one.key == key)


def _tell_setting(session: Session, setting: Setting) -> None:
    value = asdict(read_settings(session.store))[setting.key]
    session.output.say(f"{setting.title}: {plain(value) if value else setting.unset}.")
