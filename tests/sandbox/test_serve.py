"""`caspen-xero sandbox serve` as people run it: it says what to set, ends cleanly, and keeps its data."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import loopback
import pytest

from caspen_xero.packages import to_install
from caspen_xero.sandbox.server import Sandbox
from tests.sandbox.invoicing import make_invoice
from tests.sandbox.signing_in import App, WebApp, error_of

SERVE = [sys.executable, "-m", "caspen_xero", "sandbox", "serve"]


@contextmanager
def serving(*options: str | Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A sandbox in a process of its own, and its URL as it printed it."""
    arguments = [*SERVE, "--port", "0", *map(str, options)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            assert process.stdout
            said = ""
            while not (found := re.search(r"export XERO_URL=(\S+)\s+export XERO_CLIENT_ID=sandbox\n", said)):
                line = process.stdout.readline()
                assert line, said
                said += line
            yield process, found[1]
        finally:
            process.kill()


def test_it_says_what_to_set_and_ends_cleanly_when_told_to() -> None:
    for stop in (signal.SIGTERM, signal.SIGINT):
        with serving() as (process, url):
            assert re.fullmatch(r"http://localhost:\d+", url)
            assert loopback.get(url).status_code == 200
            process.send_signal(stop)
            rest, _ = process.communicate(timeout=5)
            assert process.returncode == 0
            assert "Traceback" not in rest


def test_its_data_survives_the_process_being_killed(tmp_path: Path) -> None:
    data = tmp_path / "folder" / "xero.db"
    with serving("--data", data, "--auto-approve", "--organisation", "Second clinic") as (process, url):
        app = App(url)
        tokens = app.sign_in()
        make_invoice(app.http)
        contact = {"Contacts": [{"Name": "Grace Hopper"}]}
        answer = app.http.put("/api.xro/2.0/Contacts", json=contact, headers={"Idempotency-Key": "key-1"})
        app.http.post("/sandbox/clock", json={"seconds": 60}).raise_for_status()
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    with serving("--data", data) as (process, url):
        app.http.base_url = httpx.URL(url)
        state = app.http.get("/sandbox/state").json()
        assert [one["InvoiceNumber"] for one in state["Invoices"]] == ["INV-1"]
        noted = app.http.get("/sandbox/requests").json()["requests"]
        assert [one["status"] for one in noted if one["method"] == "PUT"] == [200, 200]
        again = app.http.put("/api.xro/2.0/Contacts", json=contact, headers={"Idempotency-Key": "key-1"})
        assert (again.status_code, again.content) == (200, answer.content)
        assert app.refresh(tokens["refresh_token"]).status_code == 200
        assert "Allow access" in app.authorise().text
        assert len(app.http.get("/sandbox/organisations").json()["organisations"]) == 2
        assert app.http.get("/sandbox/settings").json()["clock_offset"] == pytest.approx(60)


def test_it_starts_within_a_second() -> None:
    began = time.monotonic()
    with serving():
        assert time.monotonic() - began < 3  # a second is the promise; a busy machine gets three


def test_a_taken_port_is_told_with_the_way_out() -> None:
    with Sandbox() as box:
        arguments = [*SERVE, "--port", str(box.port)]
        told = subprocess.run(arguments, capture_output=True, text=True, timeout=10, check=False)
    assert told.returncode == 1
    assert "Address already in use" in told.stderr
    assert "--port" in told.stderr
    assert "Traceback" not in told.stderr


def test_a_file_that_is_no_sandboxs_data_is_told_with_the_way_out(tmp_path: Path) -> None:
    data = tmp_path / "letter.txt"
    data.write_text("Dear Ada, " * 100)
    told = subprocess.run([*SERVE, "--data", str(data)], capture_output=True, text=True, timeout=10, check=False)
    assert told.returncode == 1
    assert "--data" in told.stderr
    assert data.read_text().startswith("Dear Ada")


def test_without_its_packages_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "uvicorn.py").write_text("raise ModuleNotFoundError('No module named uvicorn', name='uvicorn')")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), os.getcwd()])}
    told = subprocess.run(SERVE, env=environment, capture_output=True, text=True, timeout=10, check=False)
    assert told.returncode == 1
    assert to_install("sandbox") in told.stderr


def test_an_unknown_switch_is_wrong_usage() -> None:
    command = [sys.executable, "-m", "caspen_xero", "sandbox", "serve", "--port", "0", "--switch", "lines=gone"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert ended.returncode == 2
    assert "There is no switch 'lines'" in ended.stderr


def test_apps_are_registered_on_the_command_line() -> None:
    with serving("--auto-approve", "--client", "web:s3:cret", "--client", "desktop") as (_, url):
        assert WebApp(url, "web", "s3:cret").sign_in()["access_token"]
        assert error_of(WebApp(url, "web", "s3").redeem("any")) == "invalid_client"
        assert App(url, "desktop").sign_in()["access_token"]
        assert App(url, "another").authorise().status_code == 500


def test_who_opens_it_to_other_machines_is_warned() -> None:
    for host, is_warned in (("127.0.0.1", False), ("localhost", False), ("0.0.0.0", True)):
        arguments = [*SERVE, "--port", "0", "--host", host]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stdout
            assert "running" in process.stdout.readline()
            process.send_signal(signal.SIGTERM)
            _, talk = process.communicate(timeout=10)
        assert ("asks nobody for a password" in talk) == is_warned
