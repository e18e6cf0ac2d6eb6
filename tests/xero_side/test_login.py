"""Signing in through the browser, with a browser of our own: what comes back, from whom, and what it is told."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import queue
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import loopback
import pytest
from hypothesis import given
from hypothesis import strategies as st

from caspen_xero.xero.callback import Stray
from caspen_xero.xero.errors import NoAnswer, SignInFailed, XeroError
from caspen_xero.xero.grants import Grant
from caspen_xero.xero.hosts import Hosts
from caspen_xero.xero.login import PORTS, REDIRECT_URIS, SignIn
from caspen_xero.xero.oauth_words import oauth_words
from caspen_xero.xero.pasting import PastedLines
from caspen_xero.xero.transport import Transport
from tests.xero_side.told import Reply, Seen, told

TOKENS = '{"access_token":"A","refresh_token":"R","expires_in":1800,"scope":"accounting.contacts offline_access"}'


def free_ports(number: int) -> list[int]:
    """Ports that are free on both of this machine's addresses at the moment."""
    sockets = [socket.socket() for _ in range(number)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Attempt:
    """A sign-in under way in a thread; `outcome` is its grant or its error, once it has ended."""

    def __init__(self, sign_in: SignIn, transport: Transport, patience: float) -> None:
        self.sign_in = sign_in
        self.query = {name: values[0] for name, values in parse_qs(urlsplit(sign_in.url).query).items()}
        self.outcome: Grant | XeroError | None = None

        def run() -> None:
            try:
                self.outcome = sign_in.grant(transport, patience=patience)
                sign_in.tell_linked('Ann & <b>"Co"</b>')
            except XeroError as error:
                self.outcome = error
                sign_in.tell_failed(error)

        self._thread = threading.Thread(target=run)
        self._thread.start()

    def come_back(self, host: str = "localhost", **fields: str) -> httpx.Response:
        """The browser, sent back by Xero."""
        address = urlsplit(self.query["redirect_uri"])
        query = urlencode({"state": self.query["state"], **fields})
        return loopback.get(f"http://{host}:{address.port}{address.path}?{query}", timeout=10)

    def ended(self) -> Grant | XeroError | None:
        self._thread.join(10)
        return self.outcome

    def failed(self) -> SignInFailed:
        outcome = self.ended()
        assert isinstance(outcome, SignInFailed)
        return outcome


@contextmanager
def attempt(
    *replies: Reply, patience: float = 10, on_stray: Callable[[Stray], None] = lambda _: None
) -> Iterator[tuple[Attempt, list[Seen]]]:
    with (
        told(*(replies or (Reply(200, TOKENS),))) as xero,
        closing(Transport(xero.url)) as transport,
        SignIn(Hosts.of(xero.url), "APP-1", ports=free_ports(1), on_stray=on_stray) as sign_in,
    ):
        one = Attempt(sign_in, transport, patience)
        yield one, xero.seen
        one.ended()


def test_the_address_asks_for_what_xero_needs_and_for_granular_scopes_only() -> None:
    with SignIn(Hosts.of(None), "APP-1", ports=free_ports(1)) as sign_in:
        parts = urlsplit(sign_in.url)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "https://login.xero.com/identity/connect/authorize"
        assert query["response_type"] == "code"
        assert query["client_id"] == "APP-1"
        assert query["code_challenge_method"] == "S256"
        assert query["scope"] == (
            "offline_access accounting.contacts accounting.invoices accounting.payments accounting.settings.read"
        )
        assert len(query["state"]) >= 32
        assert not set(sign_in.url) & set(' \n\t"<>')


def test_the_redirect_addresses_are_the_few_that_can_be_registered() -> None:
    assert [f"http://localhost:{port}/callback" for port in PORTS] == list(REDIRECT_URIS)
    assert 3 <= len(PORTS) <= 5


def test_the_code_is_redeemed_with_the_verifier_and_no_secret() -> None:
    with attempt() as (one, seen):
        page = one.come_back(code="CODE")
        grant = one.ended()
        assert isinstance(grant, Grant)
        assert (grant.access.token, grant.refresh_token) == ("A", "R")
        form = seen[0].form
        digest = hashlib.sha256(form.pop("code_verifier").encode()).digest()
        assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == one.query["code_challenge"]
        assert form == {
            "grant_type": "authorization_code",
            "client_id": "APP-1",
            "code": "CODE",
            "redirect_uri": one.query["redirect_uri"],
        }
        assert "authorization" not in seen[0].headers
        assert "Ann &amp; &lt;b&gt;" in page.text
        assert "close this tab" in page.text
        assert page.headers["cache-control"] == "no-store"
        assert "'R'" not in repr(grant)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_localhost_is_listened_to_by_both_of_its_names(host: str) -> None:
    with attempt() as (one, _):
        assert one.come_back(host, code="CODE").status_code == 200
        assert isinstance(one.ended(), Grant)


def test_stray_requests_and_a_wrong_state_disturb_nothing() -> None:
    with attempt() as (one, seen):
        base = one.query["redirect_uri"].removesuffix("/callback")
        assert loopback.get(f"{base}/favicon.ico").status_code == 404
        assert loopback.get(f"{base}/callback").status_code == 400
        stray = one.come_back(code="EVIL", state="not-ours")
        assert stray.status_code == 400
        assert "another sign-in" in stray.text
        with socket.create_connection(("127.0.0.1", urlsplit(base).port or 0)):  # a browser that connects ahead
            assert one.come_back(code="CODE").status_code == 200
        assert isinstance(one.ended(), Grant)
        assert [request.form["code"] for request in seen] == ["CODE"]


def test_whoever_else_speaks_to_the_listener_keeps_nobody_from_coming_back_and_is_let_go() -> None:
    began = time.monotonic()
    with attempt() as (one, _), ExitStack() as held:
        port = urlsplit(one.query["redirect_uri"]).port or 0
        for words in (
            b"",
            b"GET /callback?",
            b"GET /callback?state=x HTTP/1.1\r\nX: ",
            b"x" * 100_000,
            b"\x16\x03\x01",
        ) * 8:
            line = held.enter_context(socket.create_connection(("127.0.0.1", port)))
            line.sendall(words)
        assert one.come_back(code="CODE").status_code == 200
        assert isinstance(one.ended(), Grant)
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    "words", [b"GET //[x HTTP/1.1\r\n\r\n", b"GET http://[x/callback HTTP/1.1\r\n\r\n", b"GET /call", b""]
)
def test_nothing_that_reaches_the_listener_shows_on_the_terminal(
    words: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    at_once = struct.pack("ii", 1, 0)  # the line breaks off as one that was reset
    with attempt() as (one, _):
        port = urlsplit(one.query["redirect_uri"]).port or 0
        for leaves in (False, True):
            with socket.create_connection(("127.0.0.1", port)) as line:
                line.sendall(words)
                if leaves:
                    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
        assert one.come_back(code="CODE").status_code == 200
    assert capfd.readouterr() == ("", "")


def test_a_request_that_drips_in_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("caspen_xero.xero.callback._LONGEST_REQUEST", 0.3)
    with attempt(patience=1) as (one, _), socket.socket() as line:
        line.settimeout(5)
        line.connect(("127.0.0.1", urlsplit(one.query["redirect_uri"]).port or 0))
        for _step in range(4):
            line.sendall(b"G")
            time.sleep(0.05)
        assert line.recv(100) == b""


def test_only_a_wrong_state_ends_in_its_own_error() -> None:
    with attempt(patience=0.6) as (one, seen):
        one.come_back(code="EVIL", state="not-ours")
        failed = one.failed()
        assert (failed.code, failed.exit_code) == ("state-mismatch", 4)
        assert seen == []


def test_a_browser_that_comes_twice_redeems_once_and_is_told_the_same() -> None:
    with attempt() as (one, seen):
        assert "Linked" in one.come_back(code="CODE").text
        assert "Linked" in one.come_back(code="CODE").text
        assert len(seen) == 1


def test_access_denied_is_told_to_the_browser_and_the_terminal() -> None:
    with attempt() as (one, seen):
        page = one.come_back(error="access_denied")
        failed = one.failed()
        assert (failed.code, failed.exit_code) == ("access-denied", 4)
        assert "Not linked" in page.text
        assert seen == []


UNBELIEVED = [
    "error=access_denied",
    "error=server_error&error_description=Error: all is lost",
    "error=access_denied&state=",
    "error=access_denied&state=not-ours",
    "code=EVIL",
    "code=EVIL&state=not-ours",
    "code=EVIL&error=access_denied",
    "state=not-ours",
    "",
]


@pytest.mark.parametrize("query", UNBELIEVED)
def test_nothing_without_the_right_state_ends_a_sign_in_or_is_repeated(query: str) -> None:
    strays: list[Stray] = []
    with attempt(on_stray=strays.append) as (one, seen):
        for _ in range(3):
            page = loopback.get(f"{one.query['redirect_uri']}?{query}")
            assert page.status_code == 400
            assert "all is lost" not in page.text
        assert strays == ["another" if "not-ours" in query else "unmarked"], "told once"
        assert one.come_back(code="CODE").status_code == 200
        assert isinstance(one.ended(), Grant)
        assert [request.form["code"] for request in seen] == ["CODE"]


@pytest.mark.parametrize("query", UNBELIEVED)
def test_the_right_state_alone_says_nothing(query: str) -> None:
    with attempt(patience=0.5) as (one, _):
        loopback.get(f"{one.query['redirect_uri']}?{query}")
        assert one.come_back().status_code == 400
        failed = one.failed()
        assert (failed.code, failed.exit_code) == ("state-mismatch", 4)
        assert "all is lost" not in failed.message


@given(st.text(), st.text())
def test_words_of_a_sign_in_are_one_short_line_of_harmless_characters(first: str, second: str) -> None:
    words = oauth_words(f"{first}\x1b[2J\r\nError: paid\n\u202e{second}")
    assert re.fullmatch(r"[ !#-\[\]-~\xa0]{0,203}", words)
    assert "Error:" not in words
    assert "Error - paid" in words or len(words) >= 200


@pytest.mark.parametrize(
    "replies",
    [(), (Reply(400, json.dumps({"error": "odd\nError: x", "error_description": "\x1b[2J\u202e" + "y" * 9_000})),)],
)
def test_an_error_of_a_sign_in_is_told_in_one_short_line(replies: tuple[Reply, ...]) -> None:
    with attempt(*replies) as (one, _):
        if replies:
            one.come_back(code="CODE")
        else:
            one.come_back(error="odd\r\nError: x", error_description="\x1b[2J\u202e" + "y" * 9_000)
        message = one.failed().message
    assert message.isprintable()
    assert message.startswith("Xero refused the sign-in: odd Error - x ([2J yyy")
    assert len(message) < 500


def test_a_redirect_of_the_token_endpoint_is_not_followed() -> None:
    with told(Reply(200, TOKENS)) as elsewhere, attempt(Reply(307, "", {"Location": f"{elsewhere.url}/"})) as (one, _):
        one.come_back(code="CODE")
        assert isinstance(one.ended(), NoAnswer)
        assert elsewhere.seen == []


def test_another_error_of_xeros_is_shown_escaped() -> None:
    with attempt() as (one, _):
        page = one.come_back(error="server_error", error_description="<script>alert(1)</script>")
        assert one.failed().code == "sign-in-refused"
        assert "<script>" not in page.text


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("invalid_grant", "code-expired"),
        ("invalid_client", "invalid-client"),
        ("invalid_scope", "invalid-scope"),
        ("unauthorized_client", "unauthorized-client"),
        ("something_else", "sign-in-refused"),
    ],
)
def test_each_refusal_of_the_code_is_an_error_of_its_own(error: str, code: str) -> None:
    with attempt(Reply(400, f'{{"error":"{error}"}}')) as (one, _):
        page = one.come_back(code="SECRET-CODE")
        failed = one.failed()
        assert failed.code == code
        assert failed.fix
        assert "SECRET-CODE" not in f"{failed.message} {failed.fix} {page.text}"
        assert "Not linked" in page.text


def test_nobody_who_comes_back_is_told_which_addresses_to_register() -> None:
    with attempt(patience=0.3) as (one, _):
        failed = one.failed()
        assert (failed.code, failed.exit_code) == ("sign-in-timeout", 4)
        assert all(address in failed.fix for address in REDIRECT_URIS)
        assert "APP-1" in failed.fix


def test_a_pasted_address_is_as_good_as_the_browser() -> None:
    with attempt() as (one, seen):
        assert "not the address" in one.sign_in.paste("what?")
        assert one.sign_in.paste(f"{one.query['redirect_uri']}?code=PASTED&state={one.query['state']}") == ""
        assert isinstance(one.ended(), Grant)
        assert seen[0].form["code"] == "PASTED"


def test_after_a_pasted_address_of_another_sign_in_the_right_one_is_still_waited_for() -> None:
    strays: list[Stray] = []
    with attempt(on_stray=strays.append) as (one, seen):
        told = one.sign_in.paste(f"{one.query['redirect_uri']}?code=OTHER&state=not-ours")
        assert "another sign-in" in told
        assert one.sign_in.paste(f"{one.query['redirect_uri']}?code=PASTED&state={one.query['state']}") == ""
        assert isinstance(one.ended(), Grant)
        assert ([each.form["code"] for each in seen], strays) == (["PASTED"], [])


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_a_port_taken_on_either_address_is_passed_over(family: socket.AddressFamily, host: str) -> None:
    first, second = free_ports(2)
    with socket.socket(family) as taken:
        taken.bind((host, first))
        taken.listen()
        with SignIn(Hosts.of(None), "APP-1", ports=[first, second]) as sign_in:
            assert f"localhost%3A{second}%2Fcallback" in sign_in.url


def test_when_every_port_is_taken_that_is_the_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SignInFailed) as caught:
            SignIn(Hosts.of(None), "APP-1", ports=[port])
    assert (caught.value.code, caught.value.exit_code) == ("port-taken", 1)
    assert str(port) in caught.value.message


def test_the_ports_are_free_again_afterwards() -> None:
    ports = free_ports(1)
    for _ in range(2):
        with SignIn(Hosts.of(None), "APP-1", ports=ports):
            pass


class TestPasting:
    def test_lines_come_as_they_are_typed_and_the_rest_is_left_for_others(self) -> None:
        reading, writing = os.pipe()
        lines: list[str] = []
        came = threading.Event()
        with open(reading) as stdin:

            def told_line(line: str) -> None:
                lines.append(line)
                came.set()

            pasted = PastedLines(told_line, stdin)
            os.write(writing, b"\n  one line \r\n")
            assert came.wait(5)
            pasted.close()
            os.write(writing, b"an answer to a later question\n")
            assert stdin.readline() == "an answer to a later question\n"
        os.close(writing)
        assert lines == ["one line"]

    def test_a_line_without_an_end_is_not_kept_whole(self) -> None:
        reading, writing = os.pipe()
        lines: queue.Queue[str] = queue.Queue()
        with open(reading) as stdin, open(writing, "wb") as end:
            pasted = PastedLines(lines.put, stdin)
            end.writelines([b"x" * 65_536] * 100)
            end.close()
            assert len(lines.get(timeout=5)) == 65_536
            pasted.close()

    def test_an_ended_stdin_means_only_that_nobody_pastes(self) -> None:
        reading, writing = os.pipe()
        os.close(writing)
        lines: list[str] = []
        with open(reading) as stdin:
            PastedLines(lines.append, stdin).close()
        assert lines == []

    def test_a_last_line_without_an_end_counts(self) -> None:
        reading, writing = os.pipe()
        os.write(writing, b"http://localhost/callback?code=1")
        os.close(writing)
        came = threading.Event()
        with open(reading) as stdin:
            pasted = PastedLines(lambda line: came.set(), stdin)
            assert came.wait(5)
            pasted.close()

    def test_a_stdin_that_is_no_file_is_read_too(self) -> None:
        lines: list[str] = []
        PastedLines(lines.append, io.StringIO("a\n\nb\n")).close()
        assert lines == ["a", "b"]
