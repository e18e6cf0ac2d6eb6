"""What a person has chosen, and the connection: settings, taxes, contacts, connect, disconnect; and what is kept."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from caspen_xero.cli.shapes.words import Amount, Choice, Code, Count, Day, Moment, Organisation


class ChosenAccount(TypedDict):
    """An account that was chosen."""

    account_id: str
    code: NotRequired[str | None]
    name: NotRequired[str | None]
    type: NotRequired[str | None]
    problem: NotRequired[str | None]


class MethodAccount(TypedDict):
    """The account of one of Caspen's payment methods."""

    id: str | None
    name: str | None
    account: ChosenAccount | None


class Settings(TypedDict):
    """Every setting."""

    sales_account: ChosenAccount | None
    payment_account: ChosenAccount | None
    payment_methods: list[MethodAccount]
    payments: str
    source: str | None
    start_date: Day | None
    invoice_status: str
    contact: str
    privacy: str
    contact_prefix: str


class SettingsProblem(TypedDict):
    """What is wrong with a setting."""

    code: Code
    message: str
    fix: str
    choices: list[Choice]


class Party(TypedDict):
    """A client or payer, and the contact in Xero that it is."""

    kind: Literal["client", "payer"]
    id: str
    name: Annotated[str | None, Field(description="Its name in Caspen; null where it was purged.")]
    link: Annotated[
        Literal["linked", "doubted", "deleted", "not linked"],
        Field(description="doubted: by a number alone. deleted: the contact was seen to be gone."),
    ]
    contact_id: str | None
    contact: Annotated[str | None, Field(description="Its name in Xero, as last read.")]
    contact_number: str | None
    xero_status: str | None
    made_by_us: bool
    xero_url: str | None


class ContactsList(TypedDict):
    """Clients and payers."""

    contacts: list[Party]


class SettingsShow(TypedDict):
    """Every setting, and what is wrong with any of them."""

    organisation: str | None
    settings: Settings
    problems: list[SettingsProblem]


Account = TypedDict(
    "Account",
    {
        "account_id": str,
        "code": str | None,
        "name": str | None,
        "type": str | None,
        "class": str | None,
        "status": str | None,
        "sales": Annotated[bool, Field(description="Whether invoice lines can go to it.")],
        "payments": Annotated[bool, Field(description="Whether payments can go to it.")],
    },
)


class Accounts(TypedDict):
    """Xero's chart of accounts."""

    accounts: list[Account]


class TaxLink(TypedDict):
    """A tax rate of Caspen's, and the one in Xero that it is linked to."""

    id: str
    name: str
    rate: Amount | None
    archived: bool
    status: Literal["Synced", "Not synced"]
    tax_type: str | None
    xero_name: str | None
    xero_rate: Amount | None
    linked_by: str | None
    problem: str | None


class WaitingRate(TypedDict):
    """A link that is made once Caspen's tax rates are imported."""

    rate: str
    tax_type: str


class Taxes(TypedDict):
    """Caspen's tax rates and their links."""

    taxes: list[TaxLink]
    waiting: NotRequired[list[WaitingRate]]
    linked: NotRequired[Annotated[list[str], Field(description="What was linked just now.")]]


class Contact(TypedDict):
    """Which contact in Xero a client or payer is."""

    client: str
    kind: Literal["client", "payer"]
    contact_id: str
    contact: str | None
    done: Literal["linked", "unlinked"]
    invoices_there: NotRequired[Annotated[Count, Field(description="How many in Xero are made out to that contact.")]]


class Connect(TypedDict):
    """What was connected."""

    command: Literal["connect"]
    organisation: Organisation
    kind: str
    client_id: str
    xero_url: str | None
    token_store: str
    scopes: list[str]
    connected_at: Moment


class Purged(TypedDict):
    """What was deleted of a workspace, and what is left."""

    removed: list[str]
    left: list[str]
    in_doubt: list[str]
    untold_payments: Count
    in_xero: dict[str, Count]


class Disconnect(TypedDict):
    """What was disconnected."""

    command: Literal["disconnect"]
    organisation: Organisation | None
    disconnected_at_xero: bool
    purged: NotRequired[Annotated[Purged, Field(description="With --purge.")]]


class Purge(TypedDict):
    """What was purged, or with --dry-run would be."""

    command: Literal["purge"]
    before: Moment
    dry_run: bool
    purged: Annotated[dict[str, Count], Field(description="How many, by kind.")]
    copy: NotRequired[str | None]
    copies_removed: NotRequired[list[str]]
    copies_left: NotRequired[list[str]]


class Backup(TypedDict):
    """The copy that was made."""

    command: Literal["backup"]
    file: str
    bytes: Count
    store: str


class Restore(TypedDict):
    """The copy that stands in the store's place now."""

    command: Literal["restore"]
    file: str
    store: str
    replaced: Annotated[str | None, Field(description="Where what stood there before is kept.")]
    organisation: str | None
    invoices: Count
    signed_in: bool
    next: Annotated[list[str], Field(description="The commands that come next.")]


class Version(TypedDict):
    """What this program is, and on what it stands."""

    command: Literal["version"]
    version: str
    commit: Annotated[str | None, Field(description="The commit that it was made of, where that is known.")]
    python: str
    system: str
    dependencies: Annotated[
        dict[str, str | None], Field(description="Packages by name; null for what is not installed.")
    ]
