"""What goes over the wire, held against recordings of the project's own sandbox, with the network blocked.

A replay compares method, path, query, headers that matter, and every byte of the body: a request that changes finds no
recording. To record anew after a change that is meant:

    pytest tests/test_cassettes.py --record-mode=rewrite
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import uuid
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest
from cassette_scrubbing import MARK, REPLAYED_AT, Scrubber, secrets_in
from vcr import VCR
from vcr.cassette import Cassette

from caspen_xero.sandbox.identity.clients import Client
from caspen_xero.sandbox.identity.identity import Wish
from caspen_xero.sandbox.seam import ApiRequest, Clock
from caspen_xero.sandbox.server import Sandbox
from caspen_xero.store.mappings import Mappings
from caspen_xero.store.store import Store
from caspen_xero.sync.sending.push import Push
from caspen_xero.sync.sending.push_result import PushOptions
from caspen_xero.sync.setup.settings import read_settings
from caspen_xero.xero.client import XeroClient
from caspen_xero.xero.connection import Connection
from caspen_xero.xero.grants import Access
from caspen_xero.xero.limits import Pace
from caspen_xero.xero.login import SCOPES
from caspen_xero.xero.token_store import TokenStore, open_token_store
from caspen_xero.xero.tokens import AccessTokens

CASSETTES = Path(__file__).parent.parent / "cassettes"
APP = "CASSETTE-APP"
pytestmark = pytest.mark.block_network
TENANT = "0662405e-334f-5d73-88aa-953f08afa390"
SALES_ACCOUNT = "14c50ca0-06d6-5e2a-be15-87d45a8baac2"
RECORDED_AT = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
COMPARED = ("method", "path", "query", "headers", "raw_body")

Cli = Callable[..., Any]

CLIENTS = [
    {"object": "client", "id": "1048237", "first_name": "Nell", "last_name": "Okafor", "email": "nell@example.org"},
    {"object": "client", "id": "2048237", "first_name": "Nell", "last_name": "Okafor", "phone_number": "+61400000001"},
]
RATE = {"object": "tax_rate", "id": "tax_gst", "name": "GST", "rate": "10"}


def invoice(
    number: int, client: dict[str, Any], price: str, figures: tuple[str, str, str], **more: Any
) -> dict[str, Any]:
    """A finalised invoice with one line."""
    line = {"id": f"lin_{number}", "description": "Standard consultation", "quantity": "1", "unit_price": price}
    return {
        "object": "invoice",
        "id": f"inv_{number:03}",
        "number": f"INV-{number:04}",
        "status": "open",
        "client_id": client["id"],
        "issue_date": "2026-11-02",
        "due_date": "2026-11-16",
        "currency": "AUD",
        "tax_mode": "exclusive",
        "lines": [{**line, "tax_rate_id": "tax_gst", **more}],
        **dict(zip(("subtotal", "tax", "total"), figures, strict=True)),
        "finalized_at": "2026-11-02T03:04:05Z",
        "updated_at": "2026-11-02T03:04:05Z",
    }


INVOICES = [
    invoice(1, CLIENTS[0], "95.00", ("95.00", "9.50", "104.50")),
    invoice(2, CLIENTS[1], "95.00", ("83.13", "8.31", "91.44"), discount={"type": "percentage", "value": "12.5"}),
]


class StoppedClock(Clock):
    """The recorded sandbox's time: it only moves when it is told to, so that two recordings of one thing are equal."""

    def now(self) -> datetime:
        return RECORDED_AT + self.offset


@dataclass
class Xero:
    """The other side of a test: a sandbox while it is recorded, nothing at all while the cassette is played."""

    url: str
    box: Sandbox | None = None

    def passes(self, seconds: float) -> None:
        """Lets time go by on that side."""
        if self.box is not None:
            self.box.clock.move(timedelta(seconds=seconds))


@pytest.fixture(scope="module")
def vcr_cassette_dir() -> str:
    return str(CASSETTES)


@pytest.fixture
def scrubber() -> Scrubber:
    return Scrubber()


@pytest.fixture
def vcr_config(scrubber: Scrubber) -> dict[str, Any]:
    return {
        "match_on": list(COMPARED),
        # Functions, for these settings are copied, and the scrubber must not be.
        "before_record_request": lambda request: scrubber.request(request),
        "before_record_response": lambda response: scrubber.response(response),
        "decode_compressed_response": True,
    }


@pytest.fixture(autouse=True)
def _every_recorded_request_was_made(vcr: Cassette | None, record_mode: str) -> Iterator[None]:
    yield
    if vcr is not None and record_mode == "none":
        assert vcr.all_played, "a request of the recording was not made"


@pytest.fixture
def xero(
    request: pytest.FixtureRequest, record_mode: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Xero]:
    """Xero, with `XERO_URL` naming it. The fixture's parameter, if any, are options of the recorded sandbox."""
    with ExitStack() as stack:
        other_side = Xero(REPLAYED_AT)
        if record_mode != "none":
            numbers = itertools.count(1)
            monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(int=next(numbers), version=4))
            options = getattr(request, "param", {})
            box = stack.enter_context(Sandbox(auto_approve=True, clock=StoppedClock(), **options))
            other_side = Xero(box.url, box)
        monkeypatch.setenv("XERO_URL", other_side.url)
        yield other_side


@pytest.fixture
def signed_in(xero: Xero, home: Path) -> TokenStore:
    """A workspace that is connected, with sales account and all; its tokens."""
    folder = home / "default"
    folder.mkdir(mode=0o700, parents=True)
    tenant, secret, access = TENANT, f"{MARK}-REFRESH-TOKEN-1", f"{MARK}.e30.{MARK}"
    if xero.box is not None:
        tenant = xero.box.api.organisations()[0].tenant_id
        assert tenant == TENANT
        secret, access = tokens_for_nothing(xero.box, tenant)
    with closing(Store(folder / "store.sqlite")) as store:
        connection = Connection(
            tenant_id=tenant,
            tenant_name="Demo Company (AU)",
            connection_id="",
            client_id=APP,
            kind="pkce",
            xero_url=xero.url,
            token_store="file",
            entry=store.entry(),
            scopes=SCOPES,
            connected_at=RECORDED_AT,
        )
        store.set_connection(connection.to_dict())
        Mappings(store, tenant).link_account("sales", SALES_ACCOUNT)
        tokens = open_token_store("file", store.entry(), folder)
    tokens.save_secret(secret)
    tokens.save_access(Access(access, datetime.now(UTC) + timedelta(minutes=30)))
    return tokens


def tokens_for_nothing(box: Sandbox, tenant: str) -> tuple[str, str]:
    """A refresh token and an access token, without the sign-in that is not what is being recorded."""
    verifier, redirect = "v" * 43, "http://localhost:8742/callback"
    wish = Wish(APP, redirect, frozenset(SCOPES), "7w_YNF9DSfIdPf_pRjSq646_kPr-2-o9NAl16JGghdM", None)
    with box.xero.transaction():
        code = box.xero.identity.allow(wish, tenant)
        tokens = box.xero.identity.redeem(Client(APP, has_secret=False), code, redirect, verifier, box.url)
    return tokens["refresh_token"], tokens["access_token"]


def imported(cli: Cli, folder: Path, *records: dict[str, Any]) -> None:
    """Brings records into the store as a person does."""
    export = folder / "export.jsonl"
    export.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    assert cli("import", export).exit_code == 0


BROWSER = "import sys, urllib.request as u; u.build_opener(u.ProxyHandler({})).open(sys.argv[1], timeout=20).read()"


def browse(xero: Xero, url: str) -> None:
    """Follows a sign-in link as a browser does. Where there is no Xero it comes back as if somebody had said yes.

    In a process of its own: what a browser does is neither recorded nor blocked.
    """
    if xero.box is None:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        url = f"{asked['redirect_uri']}?{urlencode({'code': 'A-CODE', 'state': asked['state']})}"
    subprocess.run([sys.executable, "-c", BROWSER, url], check=True)


# --- the recordings


@pytest.mark.vcr
@pytest.mark.default_cassette("sign_in")
def test_sign_in_exchanges_the_code_and_reads_the_connections(
    xero: Xero, home: Path, cli: Cli, scrubber: Scrubber, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROWSER", "true")
    monkeypatch.setattr(
        "caspen_xero.xero.transport.see_that_it_listens", lambda url: None
    )  # nothing does, from a recording
    monkeypatch.setattr(webbrowser, "open", lambda url: browse(xero, url))
    connected = cli("connect", "--client-id", APP, "--token-store", "file", "--json")
    assert connected.exit_code == 0, connected.stdout
    told = connected.json
    assert told["organisation"] == {"id": TENANT, "name": "Demo Company (AU)"}
    assert set(told["scopes"]) == set(SCOPES)
    with closing(Store(home / "default" / "store.sqlite")) as store:
        kept = open_token_store("file", store.entry(), home / "default").secret()
    assert kept is not None
    assert scrubber.placeholder(kept) == f"{MARK}-REFRESH-TOKEN-1"


@pytest.mark.vcr
@pytest.mark.default_cassette("refresh")
def test_an_expired_access_token_is_refreshed_and_the_new_refresh_token_kept(
    signed_in: TokenStore, cli: Cli, scrubber: Scrubber
) -> None:
    signed_in.save_access(Access(f"{MARK}.e30.{MARK}", datetime.now(UTC) - timedelta(minutes=1)))
    accounts = cli("settings", "accounts", "--json")
    assert accounts.exit_code == 0
    assert "Business Bank Account" in accounts.stdout
    kept = signed_in.secret()
    assert kept is not None
    assert scrubber.placeholder(kept) == f"{MARK}-REFRESH-TOKEN-2"


@pytest.mark.vcr
@pytest.mark.default_cassette("first_push")
def test_first_push_creates_contacts_then_invoices(signed_in: TokenStore, cli: Cli, tmp_path: Path) -> None:
    imported(cli, tmp_path, RATE, *CLIENTS, *INVOICES)
    pushed = cli("push", "--json")
    assert pushed.exit_code == 0, pushed.stdout
    assert (pushed.json["synced"], pushed.json["contacts_created"]) == (2, 2)
    listed = {row["number"]: row for row in cli("invoices", "list", "--json").json["invoices"]}
    assert {number: (row["sync_status"], row["xero_status"]) for number, row in listed.items()} == {
        "INV-0001": ("synced", "AUTHORISED"),
        "INV-0002": ("synced", "AUTHORISED"),
    }
    assert cli("push", "--json").json["api_calls"] == 0


@pytest.mark.vcr
@pytest.mark.default_cassette("refused_element")
def test_one_refused_invoice_of_a_batch_is_looked_up_and_explained(
    xero: Xero, signed_in: TokenStore, cli: Cli, tmp_path: Path
) -> None:
    if xero.box is not None:
        enter_by_hand(xero.box, "INV-0002")
    imported(cli, tmp_path, RATE, *CLIENTS, *INVOICES)
    pushed = cli("push", "--json")
    assert (pushed.exit_code, pushed.json["synced"], pushed.json["unsynced"]) == (3, 1, 1)
    (row,) = cli("unsynced", "--json").json["unsynced"]
    assert (row["number"], row["code"]) == ("INV-0002", "invoice-number-taken")
    assert row["xero_says"] == "Invoice # must be unique."


@pytest.mark.vcr
@pytest.mark.default_cassette("minute_limit")
@pytest.mark.parametrize("xero", [{"minute_limit": 4}], indirect=True)
def test_a_write_met_by_the_minute_limit_goes_again_after_the_wait(
    xero: Xero, signed_in: TokenStore, home: Path, cli: Cli, tmp_path: Path
) -> None:
    imported(cli, tmp_path, RATE, *CLIENTS, *INVOICES)
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        xero.passes(seconds)

    with closing(Store(home / "default" / "store.sqlite")) as store:
        connection = Connection.from_dict(store.connection() or {})
        tokens = AccessTokens(connection, signed_in, home / "default" / "token.lock")
        client = XeroClient(connection, tokens, pace=Pace(clock=lambda: sum(waits)), sleep=sleep)
        push = Push(Mappings(store, TENANT), read_settings(store), lambda: client, lambda: datetime.now(UTC))
        result = push.run(PushOptions())
        client.close()
    assert (result.stopped, len(result.synced), result.problems) == (None, 2, {})
    assert waits == [60.0]


def enter_by_hand(box: Sandbox, number: str) -> None:
    """Somebody has made an invoice of that number in Xero itself."""
    line = {"Description": "Room hire", "Quantity": 1, "UnitAmount": 40, "AccountCode": "200", "TaxType": "OUTPUT"}
    contact = {"Name": "Harbour Street Studio"}
    element = {
        "Type": "ACCREC",
        "InvoiceNumber": number,
        "Contact": contact,
        "Date": "2026-10-01",
        "DueDate": "2026-10-15",
        "Status": "AUTHORISED",
        "LineItems": [line],
    }
    body = json.dumps({"Invoices": [element]}).encode()
    answer = box.api.handle(ApiRequest("PUT", "Invoices", {}, {}, body, TENANT))
    assert answer.status == 200, answer.body


# --- what the recordings are worth


def is_invoices(request: Any) -> bool:
    """Whether a recorded request writes invoices."""
    return request.method == "PUT" and request.path.endswith("/Invoices")


@pytest.mark.parametrize("change", [{"unit_price": "95.01"}, {"description": "Standard consultation."}])
def test_a_request_that_differs_in_a_cent_or_a_full_stop_finds_no_recording(
    change: dict[str, str],
    signed_in: TokenStore,
    cli: Cli,
    tmp_path: Path,
    vcr_config: dict[str, Any],
    record_mode: str,
    waits: list[float],
) -> None:
    if record_mode != "none":
        pytest.skip("nothing to be recorded here")
    cents = {"subtotal": "95.01", "total": "104.51"} if "unit_price" in change else {}
    line = {**INVOICES[0]["lines"][0], **change}
    imported(cli, tmp_path, RATE, *CLIENTS, {**INVOICES[0], **cents, "lines": [line]}, INVOICES[1])
    with VCR().use_cassette(str(CASSETTES / "first_push.yaml"), record_mode="none", **vcr_config) as cassette:
        assert cli("push", "--json").exit_code == 6
    played = {request.path for place, request in enumerate(cassette.requests) if cassette.play_counts[place]}
    assert "/api.xro/2.0/Contacts" in played
    assert not [
        place for place, one in enumerate(cassette.requests) if is_invoices(one) and cassette.play_counts[place]
    ]


@pytest.mark.parametrize("cassette", sorted(CASSETTES.glob("*.yaml")), ids=lambda path: path.stem)
def test_no_cassette_holds_a_secret(cassette: Path) -> None:
    assert secrets_in(cassette.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "secret",
    [
        jwt.encode({"scope": ["accounting.contacts"]}, b"k" * 32),
        "authorization:\n    - Bearer abcdefghijklmnop",
        "Basic Y2xpZW50OnNlY3JldA==",
        '"refresh_token": "abc"',
        "grant_type=authorization_code&code=abc",
        "code_verifier=abc",
        "hUx8nF2kYq0JtV3mZ7RwB1cLs9EoPdTaGi4NvXyMb6Q",
    ],
)
def test_what_would_be_a_secret_is_seen(secret: str) -> None:
    assert secrets_in(f'body: {{"string": "{secret}"}}')
