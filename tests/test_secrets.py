"""What comes from the other side may repeat our secrets; nothing of them is shown, stored or logged, however they come back."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import loopback
import pytest
from caspen.caspen_server import CaspenServer
from clinics import invoice
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pushing import Clinic
from xero_side.told import Reply, Seen, SignedIn, told

from caspen_xero import scrubbing
from caspen_xero.scrubbing import MARK, keep_secret, scrubbed, scrubbed_bytes
from caspen_xero.xero.errors import XeroError
from caspen_xero.xero.grants import Access

KEY = "caspen+key/that=nobody.may_see"
COMMANDS = (("push",), ("pull",), ("sync",), ("adopt",), ("doctor",), ("taxes", "list"), ("settings", "accounts"))
AFTERWARDS = (("unsynced",), ("status",), ("log",), ("invoices", "list"), ("drift",))


def secrets_of(home: Path) -> list[str]:
    """The tokens that a workspace keeps."""
    kept = json.loads((home / "default" / "tokens.json").read_text())
    return [kept["secret"], json.loads(kept["access"])["token"]]


def left_behind(home: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of a state folder, but the one that is there to hold the tokens."""
    for file in home.rglob("*"):
        if file.is_file() and file.name != "tokens.json":
            yield file.name, file.read_bytes()


def assert_kept(clinic: Clinic, results: list[Any], secrets: list[str]) -> None:
    """No secret in anything that was printed or written, and no piece of one either."""
    printed = [(f"{number}", f"{result.stdout}{result.stderr}".encode()) for number, result in enumerate(results)]
    for where, content in [*printed, *left_behind(clinic.home)]:
        for secret in secrets:
            for form in (secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode()):
                pieces = [form[start : start + 24] for start in range(0, len(form) - 23, 24)]
                assert not [piece for piece in pieces if piece.encode() in content], f"a secret in {where}"


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 422, 500, 502])
def test_a_gateway_that_repeats_each_request_tells_no_secret(
    ready: Clinic, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("caspen_xero.xero.client.READ_TRIES", 1)
    secrets = secrets_of(ready.home)
    ready.takes(invoice())
    fault = {"kind": "echo", "path": "/api.xro/", "count": None, "status": status}
    loopback.post(f"{ready.sandbox.url}/sandbox/faults", json=fault).raise_for_status()
    results = [ready.cli(*command, *more) for command in COMMANDS for more in ((), ("--json",))]
    assert any(result.exit_code for result in results)
    secrets += secrets_of(ready.home)
    results += [ready.cli(*command, *more) for command in AFTERWARDS for more in ((), ("--json",))]
    assert_kept(ready, results, secrets)


@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize("status", [200, 400, 403, 502])
def test_a_gateway_that_repeats_each_write_leaves_no_secret_in_the_store(
    ready: Clinic, status: int, method: str
) -> None:
    secrets = secrets_of(ready.home)
    ready.takes(invoice())
    fault = {"kind": "echo", "path": "/api.xro/", "method": method, "count": None, "status": status}
    loopback.post(f"{ready.sandbox.url}/sandbox/faults", json=fault).raise_for_status()
    results = [
        ready.cli("push"),
        ready.cli("push", "--json"),
        ready.cli("unsynced", "--json"),
        ready.cli("log", "--json"),
    ]
    assert_kept(ready, results, secrets + secrets_of(ready.home))


@pytest.mark.parametrize("status", [302, 400, 401, 403, 500])
def test_a_sign_in_service_that_repeats_the_request_tells_no_secret(
    ready: Clinic, waits: list[float], status: int
) -> None:
    secrets = secrets_of(ready.home)
    file = ready.home / "default" / "tokens.json"
    kept = json.loads(file.read_text())
    file.write_text(json.dumps({"entry": kept["entry"], "secret": kept["secret"]}))  # so that a refresh is due
    ready.takes(invoice())
    fault = {"kind": "echo", "path": "/connect/token", "count": None, "status": status}
    loopback.post(f"{ready.sandbox.url}/sandbox/faults", json=fault).raise_for_status()
    results = [ready.cli("push"), ready.cli("push", "--json"), ready.cli("doctor")]
    assert all(result.exit_code for result in results)
    assert_kept(ready, results, secrets)


TOKEN = "access.token-of/this+run=0123456789"


def repeated(seen: Seen) -> dict[str, str]:
    """The token as it may come back."""
    token = seen.headers["authorization"]
    return {"header": token, "percent": quote(token, safe=""), "plus": quote_plus(token), "html": html.escape(token)}


@pytest.mark.parametrize(
    "answer",
    [
        lambda words: Reply(400, json.dumps({"Type": "ValidationException", "Message": words})),
        lambda words: Reply(400, json.dumps({"Elements": [{"ValidationErrors": [{"Message": words}], "Name": words}]})),
        lambda words: Reply(403, json.dumps({"Detail": words, "Title": words})),
        lambda words: Reply(502, words, {"Content-Type": words}),
        lambda words: Reply(302, "", {"Location": f"https://evil.example/?{words}"}),
        lambda words: Reply(200, "{", {"Content-Type": words}),
        lambda words: Reply(200, f"<p>{words}</p>"),
    ],
    ids=["message", "validation", "detail", "text", "redirect", "content-type", "page"],
)
@pytest.mark.parametrize("form", ["header", "percent", "plus", "html"])
def test_no_error_about_an_answer_holds_the_token(tmp_path: Path, answer: Any, form: str) -> None:
    from datetime import UTC, datetime, timedelta

    signed_in = SignedIn(tmp_path)
    signed_in.store.save_secret("refresh-token-of-this-run")
    signed_in.store.save_access(Access(TOKEN, datetime.now(UTC) + timedelta(minutes=20)))
    with told(lambda seen: answer(repeated(seen)[form])) as xero, pytest.raises(XeroError) as caught:
        signed_in.client(xero.url).send("PUT", "Invoices", b"{}")
    said = repr(vars(caught.value)) + str(caught.value)
    assert TOKEN not in said
    assert quote(TOKEN, safe="") not in said


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 422, 429, 503])
def test_a_caspen_that_repeats_the_key_tells_no_secret(
    ready: Clinic, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("caspen_xero.caspen.connection.TRIES", 1)
    monkeypatch.setenv("CASPEN_API_KEY", KEY)
    body = {
        "message": f"Bearer {KEY}",
        "errors": {KEY: [KEY, quote(KEY, safe="")]},
        "data": [{"object": "client", "id": KEY}],
    }
    body["links"] = {"next": f"https://other.example/?key={quote(KEY, safe='')}"}
    with CaspenServer([], key=KEY) as caspen:
        ready.cli("settings", "set", "--source", caspen.url)
        results = []
        for command in (("push",), ("push", "--json"), ("pull",), ("sync", "--json")):
            caspen.answer_next(status, body)
            results.append(ready.cli(*command))
    assert any(result.exit_code for result in results)
    assert_kept(ready, results, [KEY])


def forget_all() -> None:
    for known in (scrubbing._kept, scrubbing._short, scrubbing._pieces):
        known.clear()


SECRETS = st.text(
    st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="\\%"), min_size=12, max_size=90
)


def lines(text: str, ends: str, width: int = 20) -> str:
    return ends.join(text[at : at + width] for at in range(0, len(text), width))


FORMS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in capitals": str.upper,
    "in lines": lambda text: lines(text, "\r\n"),
    "in an address": lambda text: quote(text, safe=""),
    "in a form": quote_plus,
    "in an address in an address": lambda text: quote(quote(text, safe=""), safe=""),
    "all of it escaped": lambda text: "".join(f"%{ord(char):02X}" for char in text),
    "in HTML": html.escape,
    "in HTML by numbers": lambda text: "".join(f"&#{ord(char)};" for char in text),
    "in HTML by hexadecimal numbers": lambda text: "".join(f"&#x{ord(char):x};" for char in text),
    "in JSON": lambda text: json.dumps(text)[1:-1],
    "in lines in JSON": lambda text: json.dumps(lines(text, "\n"))[1:-1],
    "in JSON by numbers": lambda text: "".join(f"\\u{ord(char):04X}" for char in text),
    "in JSON in JSON": lambda text: json.dumps(json.dumps(text)[1:-1])[1:-1],
    "in UTF-16": lambda text: text.encode("utf-16-le").decode("latin-1"),
    "in Base64": lambda text: base64.b64encode(text.encode()).decode(),
    "in Base64 of an address": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "in Base64 of a mail": lambda text: base64.encodebytes(text.encode()).decode(),
}


@pytest.mark.parametrize("form", FORMS)
@given(secret=SECRETS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_secret_goes_in_every_form(form: str, secret: str) -> None:
    forget_all()
    keep_secret(secret)
    written = FORMS[form](secret)
    for shown in (scrubbed(f"key: {written} end"), scrubbed_bytes(f"key: {written} end".encode()).decode()):
        cut = shown.removeprefix("key: ").removesuffix(" end")
        assert MARK in cut
        assert len(cut.replace(MARK, "")) < 8, "what Base64 shares with its neighbours, and the last escape of all"


@given(secret=SECRETS, before=st.text(max_size=9))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_secret_goes_from_what_a_client_signs_in_with(secret: str, before: str) -> None:
    forget_all()
    keep_secret(secret)
    pair = base64.b64encode(f"{before}:{secret}".encode()).decode()
    assert MARK in scrubbed(f"Basic {pair}")


@pytest.mark.parametrize("page", ["<pre>{}", "<p>{}<br>", '{{"Detail": "{}", "Title": "x"}}'])
@pytest.mark.parametrize("piece", [slice(0, 300), slice(-90, None), slice(333, 400)])
def test_a_piece_of_a_token_that_a_page_cuts_off_goes_too(page: str, piece: slice) -> None:
    token = "".join(chr(97 + n * n % 23) + str(n) for n in range(300))
    keep_secret(token)
    assert scrubbed(page.format(token[piece])) == page.format(MARK)


def test_a_body_too_long_to_be_meant_goes_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scrubbing, "MOST_READ", 1_000)
    keep_secret("a-secret-of-ours")
    assert scrubbed_bytes(b"a-secret-of-ours" + b"x" * 2_000) == MARK.encode()
    assert scrubbed_bytes(b"x" * 2_000) == b"x" * 2_000
    assert scrubbed("a-secret-of-ours" + "x" * 2_000) == MARK + "x" * 2_000


@given(st.text() | st.binary().map(lambda some: some.decode("latin-1")))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_holds_no_secret_stays_as_it_is(text: str) -> None:
    keep_secret("a-secret-of-ours", "a-token-of-ours" * 20)
    assert scrubbed(text) == text
    assert scrubbed_bytes(text.encode("utf-8", "surrogatepass")) == text.encode("utf-8", "surrogatepass")


def test_an_answer_is_readable_without_the_secrets_in_it() -> None:
    keep_secret('se"cret/of\\ours', "a-token-of-ours" * 20)
    for secret in ('se"cret/of\\ours', "a-token-of-ours" * 20):
        said = {"Message": f'"{secret}"', "Name": f"Zoë {secret}/", "Id": [secret, "b"]}
        body = json.dumps(said).replace("/", "\\/").encode()
        told = json.loads(scrubbed_bytes(body))
        assert told == {"Message": f'"{MARK}"', "Name": f"Zoë {MARK}/", "Id": [MARK, "b"]}


def test_what_is_too_short_for_a_secret_is_left_alone() -> None:
    keep_secret("", None, "GST", "1048237")
    assert scrubbed("GST of 1048237") == "GST of 1048237"


def test_what_is_no_utf8_stays_as_it_is() -> None:
    keep_secret("a-secret-of-ours")
    assert scrubbed_bytes(b"\xff\x00 a-secret-of-ours \xfe") == b"\xff\x00 (secret) \xfe"
