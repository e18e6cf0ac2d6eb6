"""Who is answered at all: the machine's own names, and no web page of somebody else's."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import httpx
import loopback
import pytest

from caspen_xero.sandbox.server import Sandbox
from tests.sandbox.signing_in import App

OURS = ["localhost", "LOCALHOST", "localhost.", "127.0.0.1", "127.0.0.2", "[::1]"]
OTHERS = [
    "evil.example",
    "localhost.evil.example",
    "evil.localhost.example",
    "127.0.0.1.evil.example",
    "192.0.2.7",
    "[2001:db8::1]",
    "0.0.0.0",
    "xero",
    "xero.com",
    "evil.xero.com",
    "identity.xero.com.evil.example",
    "",
    "[::1",
    "localhost@evil.example",
    "localhost:80:evil",
    "evil.example#localhost",
]
PATHS = ["/", "/sandbox/state", "/identity/connect/authorize", "/api.xro/2.0/Organisation", "/connections", "/nothing"]


@pytest.mark.parametrize("host", OURS)
@pytest.mark.parametrize("port", ["", ":80", ":65535"])
@pytest.mark.parametrize("path", PATHS)
def test_names_of_this_machine_are_answered_whatever_the_port(host: str, port: str, path: str, box: Sandbox) -> None:
    assert loopback.get(f"{box.url}{path}", headers={"Host": host + port}).status_code not in {421, 403}


@pytest.mark.parametrize("host", OTHERS)
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS"])
def test_only_names_of_this_machine_are_answered(host: str, path: str, method: str, box: Sandbox) -> None:
    ports = ["", f":{box.port}"] if host else [""]
    for port in ports:
        answer = loopback.request(method, f"{box.url}{path}", headers={"Host": host + port})
        assert answer.status_code == 421, host + port
        assert "Demo Company" not in answer.text


@pytest.mark.parametrize("host", ["identity.xero.com", "login.xero.com", "API.xero.com", "api.xero.com.:443"])
def test_a_client_led_here_from_xeros_hosts_is_answered(host: str, box: Sandbox) -> None:
    assert loopback.get(f"{box.url}/connections", headers={"Host": host}).status_code == 401
    answer = loopback.get(f"{box.url}/sandbox/state", headers={"Host": host, "Origin": "https://evil.example"})
    assert answer.status_code == 403


def test_a_request_without_a_host_is_not_answered(box: Sandbox) -> None:
    with socket.create_connection(("127.0.0.1", box.port)) as line:
        line.sendall(b"GET /sandbox/state HTTP/1.0\r\n\r\n")
        assert line.recv(1_000).startswith((b"HTTP/1.1 421", b"HTTP/1.1 400"))


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://localhost:1", "http://127.0.0.1:{port}", "null", ""]
)
def test_a_page_of_another_origin_is_refused_whatever_it_asks_for(
    origin: str, box: Sandbox, api_client: httpx.Client
) -> None:
    named = {"Origin": origin.format(port=box.port)}
    before = api_client.get("/sandbox/state").text
    for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"):
        for path in (
            *PATHS,
            "/sandbox/reset",
            "/sandbox/requests",
            "/sandbox",
            "/api.xro/2.0/Contacts",
            "/connect/token",
        ):
            answer = api_client.request(method, path, headers=named)
            assert answer.status_code == 403, (method, path)
            assert not [name for name in answer.headers if name.startswith("access-control")]
    assert api_client.get("/sandbox/state").text == before


def test_a_link_of_another_page_may_lead_to_the_sign_in(box: Sandbox) -> None:
    app = App(box.url)
    app.http.headers["Referer"] = "https://evil.example/"
    assert "code=" in app.authorise().headers["location"]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_its_own_pages_send_its_own_forms(host: str, box: Sandbox) -> None:
    own = {"Host": f"{host}:{box.port}", "Origin": f"http://{host}:{box.port}"}
    assert loopback.post(f"{box.url}/sandbox/reset", headers=own).status_code == 200


def test_it_listens_on_this_machine_alone_unless_it_is_told_otherwise(box: Sandbox) -> None:
    assert not box.is_open_to_others
    with Sandbox(host="0.0.0.0") as everywhere:
        assert everywhere.is_open_to_others
        mine = urlsplit(everywhere.url).netloc
        for name in ("192.0.2.7", "[2001:db8::1]", socket.gethostname(), mine):
            assert loopback.get(f"{everywhere.url}/sandbox/state", headers={"Host": name}).status_code == 200, name
        assert loopback.get(f"{everywhere.url}/sandbox/state", headers={"Host": "evil.example"}).status_code == 421


def test_it_answers_by_the_address_that_it_was_told_to_listen_on() -> None:
    with Sandbox(host="127.0.0.3") as box:
        assert loopback.get(f"{box.url}/sandbox/state").status_code == 200
