"""The settings, each declared once: `settings set`, `settings show`, the walk-through and every check are made from it.

What the workspace keeps by itself, whichever organisation it is connected to, is a field of `Settings`; a run reads them once.
Accounts belong to the linked organisation and are kept by their purpose (`ACCOUNTS`).

SettingsError    `bad-source`, `bad-start-date`, `bad-contact-prefix`, `bad-payment-method`
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal, get_args, get_type_hints

from caspen_xero.errors import ExitCode, UserError
from caspen_xero.outside_text import MOST, plain, said
from caspen_xero.paths import given_path
from caspen_xero.server_urls import NoServer, server_url
from caspen_xero.times import DAY_FORM, written_day

if TYPE_CHECKING:
    from caspen_xero.store.store import Store

Privacy = Literal["full", "name-only", "generic"]

NONE = "none"
SET = "caspen-xero settings set"


class SettingsError(UserError):
    """A setting can't have that value."""

    exit_code = ExitCode.USAGE


@dataclass(frozen=True, kw_only=True)
class Option:
    """What `settings set` takes. `key`: its name in the store and in JSON; `metavar`: what stands for its value in the help."""

    key: str
    help: str
    metavar: str | None = None

    @property
    def option(self) -> str:
        """How it is typed."""
        return f"--{self.key.replace('_', '-')}"


# --- accounts of the linked organisation


@dataclass(frozen=True, kw_only=True)
class AccountSetting(Option):
    """An account that a person chooses by code, name or id; it is kept by its AccountID under `purpose`."""

    purpose: str
    what: str
    metavar: str = "CODE|NAME|ID"

    @property
    def title(self) -> str:
        """What `settings show` and the walk-through call it."""
        return f"Account for {self.what}"


SALES_ACCOUNT = AccountSetting(
    key="sales_account",
    help="Account for invoice lines: an income account.",
    purpose="sales",
    what="invoice lines",
)
PAYMENT_ACCOUNT = AccountSetting(
    key="payment_account",
    help="Account for payments: a bank or clearing account.",
    purpose="payments",
    what="payments",
)
ACCOUNTS = (SALES_ACCOUNT, PAYMENT_ACCOUNT)

PAYMENT_METHOD = Option(
    key="payment_method",
    help="An account for one of Caspen's payment methods. Repeatable.",
    metavar="METHOD=ACCOUNT",
)
"""Accounts of payment methods, as many as there are: kept under a purpose for each (`accounts.method_purpose`)."""


# --- what the workspace keeps by itself


@dataclass(frozen=True, kw_only=True)
class Setting(Option):
    """One field of `Settings`, with all that is said of it and asked of it.

    `values`: those allowed, each with its meaning; empty where any text may be given, which `check` then turns into what is kept
    (None: nothing), or refuses with a `SettingsError`. `unset`: what is shown where nothing is kept. Without a `question` the
    walk-through leaves it out.
    """

    type: Any
    default: str | None
    title: str
    question: str
    values: Mapping[str, str] = field(default_factory=dict)
    check: Callable[[str], str | None] = str
    unset: str = ""

    def kept(self, value: str | None) -> str | None:
        """What holds where the store has `value`: that, or the default where it is none of the allowed ones."""
        return value if value and (not self.values or value in self.values) else self.default


def check_source(text: str) -> str | None:
    """Where Caspen's records come from: an absolute path that exists, or a URL; None for `none`."""
    if text.strip().casefold() in {"", NONE}:
        return None
    if "://" in text:
        return _check_url(text.strip())
    path = given_path(text).absolute()
    if not path.is_file() and not path.is_dir():
        raise SettingsError(
            "bad-source", f"There is no file or folder {plain(path)}.", "Give the path of Caspen's export."
        )
    return str(path)


def check_start_date(text: str) -> str | None:
    """A day as YYYY-MM-DD; None for `none`."""
    if text.strip().casefold() in {"", NONE}:
        return None
    day = written_day(text)
    if day is None:
        raise SettingsError(
            "bad-start-date",
            f"{said(text, MOST)} is no day written as {DAY_FORM}.",
            "Write the year first, then month and day; or 'none' for no start date.",
        )
    return day.isoformat()


def check_contact_prefix(text: str) -> str | None:
    """What our contact numbers begin with: a few plain characters; `none` for none."""
    if text.strip().casefold() in {"", NONE}:
        return NONE
    if not re.fullmatch(r"(?!payer-)[a-z0-9._:#/+-]{1,12}", text, re.IGNORECASE):  # payers' numbers once began so
        raise SettingsError(
            "bad-contact-prefix",
            f"{said(text, 60)} can't stand before contact numbers.",
            "Give at most 12 letters, digits and . _ - : # / + such as clinic-, or 'none' for bare numbers.",
        )
    return text


def _check_url(url: str) -> str:
    try:
        server_url(url)
    except NoServer as error:
        raise _no_source(url, error) from None
    return url


def _no_source(url: str, error: NoServer) -> SettingsError:
    match error.why:
        case "no-url":
            words = "That is no address of a web server: only https:// is taken, and http:// on this machine."
            return SettingsError("bad-source", words, "Give the path or URL of Caspen's export.")
        case "holds-more":
            return SettingsError(
                "bad-source",
                "A source's URL holds no user, password, query or fragment: it is kept in the store for all to read.",
                "Give the key in CASPEN_API_KEY or CASPEN_API_KEY_FILE, and the bare URL here.",
            )
        case "in-the-open":
            return SettingsError(
                "bad-source",
                f"{plain(url)} is no source: clients' records travel over https only (http on this machine).",
                "Give a path, or a URL that begins with https://",
            )


def _told(**words: Any) -> Mapping[str, Any]:
    """What a `Setting` says of a field beyond its name, type and default."""
    return words


@dataclass(frozen=True)
class Settings:
    """What a person has set, as it stood when a run began. `start_date` is a day as YYYY-MM-DD."""

    payments: Literal["on", "off"] = field(
        default="on",
        metadata=_told(
            title="Payments go to Xero",
            help="Whether payments go to Xero; off if a bank feed brings them.",
            question="Payments:",
            values={"on": "go to Xero", "off": "a bank feed brings them"},
        ),
    )
    source: str | None = field(
        default=None,
        metadata=_told(
            title="Source of Caspen's records",
            help="Caspen's export, which push, pull and sync read by themselves; 'none' forgets it.",
            question="Caspen's export (file, folder or URL)",
            metavar="PATH|URL",
            check=check_source,
            unset="none (caspen-xero import PATH)",
        ),
    )
    start_date: str | None = field(
        default=None,
        metadata=_told(
            title="Start date",
            help="Invoices before this day (YYYY-MM-DD) stay out of Xero; 'none': all go.",
            question=f"Invoices go to Xero from ({DAY_FORM})",
            metavar="DATE",
            check=check_start_date,
            unset="none (every finalised invoice goes)",
        ),
    )
    invoice_status: Literal["authorised", "draft"] = field(
        default="authorised",
        metadata=_told(
            title="Status of invoices in Xero",
            help="Invoices in Xero are approved, or drafts to approve there.",
            question="Invoices in Xero:",
            values={
                "authorised": "approved at once",
                "draft": "drafts, which a person approves in Xero; payments wait till then",
            },
        ),
    )
    contact: Literal["client", "payer"] = field(
        default="client",
        metadata=_told(
            title="Contact of an invoice",
            help="The invoice's contact: the client, or who pays for the client.",
            question="The contact of an invoice in Xero:",
            values={"client": "the client", "payer": "who pays for the client, where Caspen names one"},
        ),
    )
    privacy: Privacy = field(
        default="full",
        metadata=_told(
            title="What of a client goes to Xero",
            help="What of a client goes to Xero: all contact details, the name only, or nothing.",
            question="What of a client goes to Xero:",
            values={
                "full": "name and contact details",
                "name-only": "the name only",
                "generic": "nothing: one contact for all, and item codes instead of descriptions",
            },
        ),
    )

    contact_prefix: str = field(
        default="caspen-",
        metadata=_told(
            title="Prefix of contact numbers",
            help="What the numbers of new contacts in Xero begin with, so that no other system has them; 'none': nothing.",
            question="",
            metavar="TEXT",
            check=check_contact_prefix,
        ),
    )

    @property
    def number_prefix(self) -> str:
        """What our contact numbers begin with; "" for nothing."""
        return "" if self.contact_prefix == NONE else self.contact_prefix

    @property
    def feed_brings_payments(self) -> bool:
        """Whether Caspen's payments come to Xero by the bank's feed, and not from here."""
        return self.payments == "off"


def _declared() -> tuple[Setting, ...]:
    types = get_type_hints(Settings)
    plain = asdict(Settings())
    found = tuple(
        Setting(key=one.name, type=types[one.name], default=plain[one.name], **one.metadata) for one in fields(Settings)
    )
    for setting in found:
        literals = get_args(setting.type) if setting.values else ()
        assert tuple(setting.values) == literals, f"{setting.key}: every allowed value has a meaning"
    return found


SETTINGS = _declared()
"""Every setting that the workspace keeps by itself, in the order in which they are shown and asked for."""


def read_settings(store: Store) -> Settings:
    """The settings as the store has them now. Whoever carries out a run does this once, under the workspace's lock."""
    return Settings(**{setting.key: setting.kept(store.setting(setting.key)) for setting in SETTINGS})  # type: ignore[arg-type]
