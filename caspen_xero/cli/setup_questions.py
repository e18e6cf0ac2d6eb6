"""The questions of `setup`, each in a session of its own: what was answered before is said, and not asked again."""

from __future__ import annotations

import json
import os
from dataclasses import asdict

from caspen_xero.cli.menu import ask, confirm, has_browser
from caspen_xero.cli.session import AFTER_ANSWERS, Session, SessionError
from caspen_xero.cli.settings import save
from caspen_xero.cli.settings_walk import ask_for, ask_for_one_account, pick_account
from caspen_xero.commands import to_paste
from caspen_xero.errors import ExitCode
from caspen_xero.outside_text import plain
from caspen_xero.store import clinic
from caspen_xero.sync.setup.accounts import account_label, method_name, method_purpose
from caspen_xero.sync.setup.changes import SettingsChange
from caspen_xero.sync.setup.organisation import known_accounts, read_accounts, read_tax_rates
from caspen_xero.sync.setup.settings import PAYMENT_ACCOUNT, SALES_ACCOUNT, SETTINGS, check_source, read_settings

_ANSWERED = "answered_in_setup"


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
            "Then copy its client id. docs/connect.md says it step by step.",
        )
        client_id = ask(session.output, "Client id of your app (Enter: later)")
        if not client_id:
            words = "Without an app at Xero nobody can sign in."
            raise SessionError("client-id-missing", words, "caspen-xero setup", ExitCode.USAGE)
    no_browser = not has_browser()
    try:
        connect(session, client_id=client_id, no_browser=no_browser)
    except TokenStoreError as error:
        session.output.warn(error.message)
        question = "Keep the sign-in in a file instead that only you can read?"
        if session.store.connection() or not confirm(session.output, question):
            raise
        connect(session, client_id=client_id, no_browser=no_browser, token_store=TokenPlace.file)


def read_records(session: Session) -> None:
    """Asks where Caspen's export is, and reads it."""
    from caspen_xero.cli.source import import_source, tell_import

    source, known = session.settings.source, clinic.count_invoices(session.store)
    if not source and not known:
        question = "Where is Caspen's export: a file, a folder, or an https:// address (Enter: later)"
        source = ask(session.output, question, check_source)
        if not source:
            session.output.note("Later:  caspen-xero settings set --source PATH")
            return
        save(session, SettingsChange.of({"source": source}), patience=AFTER_ANSWERS)
        session.__dict__.pop("settings", None)
        source = session.settings.source
    if source:
        with session.only_writer(patience=AFTER_ANSWERS):
            read = import_source(session)
        if read is not None and (read.read or read.bad_count):
            tell_import(session, read)
    known = clinic.count_invoices(session.store)
    invoices = "1 invoice" if known == 1 else f"{known:,} invoices"
    session.output.say(f"{invoices} known, from {plain(source) if source else 'what was imported'}.")


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
        if name in _answered(session):
            continue
        now = read_accounts(session.client, session.mappings, now=session.started_at) if not chart else chart.values()
        found = pick_account(session, f"{plain(method.name)} payments go to:", purpose, list(now), otherwise=usual)
        if found is not None:
            change = SettingsChange(payment_methods=(f"{method_name(method, methods)}={found.account_id}",))
            save(session, change, patience=AFTER_ANSWERS)
        _note_answered(session, name)


def link_rates(session: Session) -> None:
    """Links the tax rates that only one fits, and asks for the others."""
    from caspen_xero.cli.taxes_view import read_links, read_rates
    from caspen_xero.cli.taxes_walk import walk_through
    from caspen_xero.sync.setup.tax_links import link_sole_candidates, links_in_words, rate_links

    if not clinic.tax_rates(session.store):
        session.output.say("None of Caspen's tax rates is known yet.")
        return
    with session.only_writer(patience=AFTER_ANSWERS):
        made = link_sole_candidates(session.store, session.mappings, read_rates(session), asked=True)
    if made:
        session.output.say(*links_in_words(made))
    xero_rates = read_tax_rates(session.client, session.mappings, now=session.started_at)
    if any(not link.synced for link in rate_links(session.store, session.mappings, xero_rates)):
        walk_through(session)
    links = read_links(session)
    left = [plain(link.rate.name) for link in links if not link.synced]
    session.output.say(f"Not linked: {', '.join(left)}." if left else f"All {len(links)} are linked.")


def choose_privacy(session: Session) -> None:
    """Asks what of a client goes to Xero."""
    _choose_setting(session, "privacy")


def choose_start_date(session: Session) -> None:
    """Asks from which day on invoices go to Xero."""
    session.output.say(
        "Invoices before that day stay out of Xero, as where another program brought them there already."
    )
    _choose_setting(session, "start_date")


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
    setting = next(one for one in SETTINGS if one.key == key)
    now = asdict(read_settings(session.store))
    if key not in _answered(session) and now[key] == setting.default:
        if wanted := ask_for(session, setting, now):
            save(session, SettingsChange.of({key: wanted}), patience=AFTER_ANSWERS)
        _note_answered(session, key)
    value = asdict(read_settings(session.store))[key]
    session.output.say(f"{setting.title}: {plain(value) if value else setting.unset}.")


def _answered(session: Session) -> list[str]:
    """What was asked in this workspace already, and may have been answered with what holds anyway."""
    found: list[str] = json.loads(session.store.setting(_ANSWERED) or "[]")
    return found


def _note_answered(session: Session, name: str) -> None:
    with session.store.write():
        session.store.set_setting(_ANSWERED, json.dumps(sorted({*_answered(session), name})))
