"""The machine around us: paths, pipes, full disks, proxies, certificates, links and modes of files, and odd arguments."""

from __future__ import annotations

import errno
import io
import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from conftest import Cli
from pushing import Clinic
from typer.testing import CliRunner

from caspen_xero.caspen.updates import append_updates
from caspen_xero.cli.app import app
from caspen_xero.errors import UserError
from caspen_xero.http_client import http_client, proxy_for
from caspen_xero.sandbox.server import Sandbox, SandboxError
from caspen_xero.secrets.in_file import SecretFile
from caspen_xero.secrets.store import SecretStoreError

XERO = "https://api.xero.com/api.xro/2.0/"


def program(*arguments: str | bytes | Path, **options: Any) -> subprocess.CompletedProcess[Any]:
    """`caspen-xero` as a process of its own."""
    return subprocess.run([sys.executable, "-m", "caspen_xero", *arguments], timeout=60, **options)


# What is no source


@pytest.mark.parametrize(
    ("path", "code", "exit_code"),
    [
        ("", "bad-path", 2),
        (" ", "bad-path", 2),
        ("~nosuchuser/export", "bad-path", 2),
        ("/dev/null", "not-a-file", 1),
        ("/dev/zero", "not-a-file", 1),
        ("pipe.jsonl", "not-a-file", 1),
        ("gone.jsonl", "file-not-found", 1),
    ],
)
def test_what_is_no_file_is_refused_as_an_import(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, code: str, exit_code: int
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe.jsonl")
    result = cli("import", path, "--json")
    assert (result.json["error"]["code"], result.exit_code) == (code, exit_code)


def test_what_is_no_file_is_refused_in_a_folder_of_an_export_too(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "payments.csv").write_text("id\n")
    os.mkfifo(tmp_path / "allocations.csv")
    result = cli("import", tmp_path, "--json")
    assert (result.json["error"]["code"], result.exit_code) == ("not-a-file", 1)
    (tmp_path / "allocations.csv").unlink()
    (tmp_path / "allocations.csv").write_text("payment_id\n")
    (tmp_path / "a.json").symlink_to("a.json")
    result = cli("import", tmp_path, "--json")
    assert (result.json["error"]["code"], result.exit_code) == ("unreadable", 1)


@pytest.mark.parametrize(
    ("name", "text", "fits"),
    [
        ("a.jsonl", '{"object": "client", "id": "1"}\n' * 90, True),
        ("a.jsonl", "\0" * 3_000, False),
        ("a.json", "[" + "1, " * 1_000 + "1]", False),
        ("a.json", "[\n" + "1,\n" * 600 + "1]", False),
        ("a.json", "[\n" + "\n" * 2_000 + "\n]", False),
        ("clients.csv", "id\n" + '"' + "x" * 3_000 + '"', False),
        ("clients.csv", "id\n" + "1\n" * 900, True),
    ],
)
def test_what_has_to_be_held_whole_has_a_size(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str, fits: bool
) -> None:
    for module in ("plain_files", "json_files"):
        monkeypatch.setattr(f"caspen_xero.caspen.{module}.LARGEST", 1_000)
    (tmp_path / name).write_text(text)
    result = cli("import", tmp_path / name, "--json")
    assert ("error" in result.json) != fits
    assert fits or result.json["error"]["code"] == "too-large"


@pytest.mark.parametrize("path", ["~nosuchuser", "/dev/zero", "pipe"])
def test_what_is_no_file_is_refused_as_a_source(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    result = cli("settings", "set", "--source", path, "--json")
    assert (result.json["error"]["code"], result.exit_code) in [("bad-path", 2), ("bad-source", 2)]


def test_a_source_that_became_a_pipe_is_refused(cli: Cli, tmp_path: Path) -> None:
    source = tmp_path / "export.jsonl"
    source.write_text("[]")
    cli("settings", "set", "--source", source)
    source.unlink()
    os.mkfifo(source)
    assert cli("sync", "--json").exit_code in (1, 4)


@pytest.mark.parametrize("command", [("backup",), ("restore",), ("sandbox", "serve", "--port", "0", "--data")])
@pytest.mark.parametrize("path", ["", "~nosuchuser/x"])
def test_no_command_takes_what_is_no_path(cli: Cli, command: tuple[str, ...], path: str) -> None:
    cli("import", "-", stdin="[]")
    result = cli(*command, path)
    assert result.exit_code == 2
    assert "Error: " in result.stderr


def test_a_home_of_no_user_is_said(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASPEN_XERO_HOME", "~nosuchuser")
    result = cli("status", "--json")
    assert (result.json["error"]["code"], result.exit_code) == ("home-unusable", 1)


def test_import_reads_standard_input(cli: Cli) -> None:
    records = (
        '{"object": "client", "id": "1", "first_name": "Ada", "last_name": "Byron"}\n{"object": "client", "id": 2}\n'
    )
    result = cli("import", "-", "--json", stdin=records + '{"object": "tax_rate"}\n')
    assert (result.exit_code, result.json["new"], result.json["bad"]) == (3, 2, 1)
    assert result.json["bad_records"][0]["file"] == "standard input"
    broken = cli("import", "-", "--json", stdin='[{"object": "client", ')
    assert (broken.json["error"]["code"], broken.exit_code) == ("broken-off", 1)
    assert broken.json["error"]["message"].startswith("standard input breaks off")


def test_standard_input_has_an_end(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("caspen_xero.caspen.standard_input.MOST", 1000)
    result = cli("import", "-", "--json", stdin="[" + " " * 1000 + "]")
    assert (result.json["error"]["code"], result.exit_code) == ("too-large", 1)
    assert cli("import", "-", "--json", stdin="[" + " " * 900 + "]").exit_code == 0


def test_a_name_that_is_no_utf8_is_read_in_its_folder_and_refused_by_itself(
    cli: Cli, tmp_path: Path, home: Path
) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    name = os.fsdecode(b"caf\xe9.jsonl")
    (folder / name).write_text('{"object": "client", "id": "1"}\n{"object": "client"}\n')
    result = program("import", str(folder), "--json", capture_output=True, text=True)
    assert (result.returncode, json.loads(result.stdout)["new"]) == (3, 1)
    assert cli("settings", "set", "--source", folder).exit_code == 0
    assert program("sync", "--json", capture_output=True).returncode == 4  # not connected
    for command in (("import",), ("push",), ("settings", "set", "--source"), ("settings", "set", "--sales-account")):
        alone = program(*command, os.fsencode(folder / name), "--json", capture_output=True, text=True)
        assert (json.loads(alone.stdout)["error"]["code"], alone.returncode) == ("no-text", 2)


@pytest.mark.parametrize("age", ["999999999999h", "9" * 5000 + "d", "", "-1h", "1y", "٣h", "36501d"])
def test_an_age_out_of_range_is_wrong_usage(cli: Cli, age: str) -> None:
    result = cli("status", f"--max-age={age}", "--json")
    assert (result.json["error"]["code"], result.exit_code) == ("bad-age", 2)


# A result that nobody can have


@pytest.mark.parametrize(
    "command",
    [
        ("status", "--json"),
        ("status",),
        ("log",),
        ("unsynced", "--json"),
        ("--help",),
        ("--version",),
        ("nonsense", "--json"),
    ],
)
def test_a_full_disk_behind_the_result_is_said(home: Path, command: tuple[str, ...]) -> None:
    with open("/dev/full", "w") as full:
        result = program(*command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert result.returncode == 1
    assert "The result could not be written: No space left on device" in result.stderr
    assert "Traceback" not in result.stderr
    assert "Exception ignored" not in result.stderr


def test_a_full_disk_behind_everything_ends_with_a_code_alone(home: Path) -> None:
    with open("/dev/full", "w") as full:
        assert program("status", "--json", stdout=full, stderr=full).returncode == 1
        assert program("invoices", "show", "none", "--json", stderr=full, stdout=subprocess.DEVNULL).returncode == 1


def test_an_error_keeps_its_exit_code_where_it_can_not_be_written(home: Path) -> None:
    with open("/dev/full", "w") as full:
        result = program("push", "--json", stdout=full, stderr=subprocess.PIPE, text=True)
    assert result.returncode == 4
    assert "not connected" in result.stderr


def test_a_reader_that_has_gone_is_told_nothing(home: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as gone:
        result = program("status", "--json", stdout=gone, stderr=subprocess.PIPE, text=True)
    assert (result.returncode, result.stderr) == (1, "")


# Proxies and certificates


@pytest.fixture
def no_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.lower().endswith("_proxy") or name.startswith("SSL_CERT")]:
        monkeypatch.delenv(name)


@pytest.mark.usefixtures("no_surroundings")
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
@pytest.mark.parametrize(
    ("proxy", "words"),
    [
        ("socks5://proxy:1080", "SOCKS"),
        ("socks4://proxy:1080", "socks4"),
        ("ftp://proxy", "ftp"),
        ("http://", "no address"),
        ("http://proxy:port", "no address"),
        ("http://proxy:99999", "no address"),
        ("http://[::1", "no address"),
        ("http://a..b:3128", "no address"),
        ("http://xn--é:3128", "no address"),
        ("http://two words:3128", "no address"),
        ("http://user:pass-of-mine@proxy:x", "no address"),
    ],
)
def test_a_proxy_that_can_not_be_used_is_named_by_its_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, proxy: str, words: str
) -> None:
    monkeypatch.setenv(variable, proxy)
    monkeypatch.setitem(sys.modules, "socksio", None)  # as where the extra is not installed
    with pytest.raises(UserError) as caught:
        http_client(XERO, direct=False)
    assert caught.value.code == "proxy-unusable"
    assert caught.value.message.startswith(variable)
    assert words in caught.value.message
    assert "pass-of-mine" not in caught.value.message + caught.value.fix
    http_client("http://127.0.0.1", direct=True).close()


@pytest.mark.usefixtures("no_surroundings")
@pytest.mark.parametrize("proxy", ["http://proxy:3128", "proxy:3128", "https://u:p@proxy", "HTTP://PROXY", ""])
def test_a_proxy_of_a_usual_form_is_taken(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    http_client(XERO, direct=False).close()


@pytest.mark.usefixtures("no_surroundings")
def test_several_folders_of_certificates_may_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "some").mkdir()
    (tmp_path / "some" / "one.pem").touch()
    monkeypatch.setenv("SSL_CERT_DIR", os.pathsep.join([str(tmp_path / "gone"), str(tmp_path / "some")]))
    http_client(XERO, direct=False).close()


@pytest.mark.usefixtures("no_surroundings")
def test_a_proxy_for_other_addresses_does_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "socks4://proxy:1")
    http_client(XERO, direct=False).close()


@pytest.mark.usefixtures("no_surroundings")
@pytest.mark.parametrize(
    ("left_out", "host", "is_direct"),
    [
        ("*", "api.xero.com", True),
        ("xero.com", "api.xero.com", True),
        (".xero.com", "api.xero.com", True),
        ("*.xero.com", "api.xero.com", True),
        ("API.XERO.COM", "api.xero.com", True),
        ("xero.com.", "api.xero.com", True),
        ("*:443", "api.xero.com", True),
        ("*:80", "api.xero.com", False),
        (".", "api.xero.com", False),
        ("https://api.xero.com", "api.xero.com", True),
        ("api.xero.com:443", "api.xero.com", True),
        ("api.xero.com:8443", "api.xero.com", False),
        ("a.example, xero.com", "api.xero.com", True),
        ("zero.com", "api.xero.com", False),
        ("ero.com", "api.xero.com", False),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.1.2.3:443", "10.1.2.3", True),
        ("fd00::/8", "[fd00::1]", True),
        ("[fd00::1]", "[fd00::1]", True),
        ("[x,::/999,%,", "api.xero.com", False),
        ("", "api.xero.com", False),
    ],
)
def test_every_form_of_no_proxy_is_understood(
    monkeypatch: pytest.MonkeyPatch, left_out: str, host: str, is_direct: bool
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    monkeypatch.setenv("NO_PROXY", left_out)
    found = proxy_for(f"https://{host}/")
    assert found == (None if is_direct else ("HTTPS_PROXY", "http://proxy:3128"))
    http_client(f"https://{host}/", direct=False).close()


@pytest.mark.usefixtures("no_surroundings")
@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
@pytest.mark.parametrize("place", ["gone", "empty", "words", "folder"])
def test_certificates_that_can_not_be_used_are_named_by_their_variable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str, place: str
) -> None:
    (tmp_path / "empty").write_text("")
    (tmp_path / "words").write_text("no certificate")
    (tmp_path / "folder").mkdir()
    monkeypatch.setenv(variable, str(tmp_path / place))
    with pytest.raises(UserError) as caught:
        http_client(XERO, direct=False)
    assert caught.value.code == "certificates-unusable"
    assert caught.value.message.startswith(f"{variable} names {tmp_path / place}, ")


# Files of ours


def _refused(result: Any, victim: Path) -> None:
    assert result.exit_code in (1, 4), result.stdout
    assert "symbolic link" in result.stdout + result.stderr
    assert victim.read_bytes() == b"precious"


@pytest.mark.parametrize(
    "name", ["store.sqlite", "store.sqlite-wal", "store.sqlite-shm", "store.sqlite-journal", "run.lock"]
)
def test_nothing_is_written_through_a_link_in_the_place_of_our_files(ready: Clinic, tmp_path: Path, name: str) -> None:
    victim, file = tmp_path / "victim", ready.home / "default" / name
    victim.write_bytes(b"precious")
    if file.exists():
        file.rename(tmp_path / "away")
    file.symlink_to(victim)
    _refused(ready.cli("push", "--json"), victim)
    assert file.is_symlink()


def test_nothing_is_written_through_a_link_in_the_place_of_the_tokens(ready: Clinic, tmp_path: Path) -> None:
    for name in ("tokens.json", "token.lock"):
        victim, file = tmp_path / f"victim-{name}", ready.home / "default" / name
        victim.write_bytes(b"precious")
        file.unlink(missing_ok=True)
        file.symlink_to(victim)
        result = ready.cli("settings", "accounts", "--json")
        assert result.exit_code in (1, 4)
        assert victim.read_bytes() == b"precious"


@pytest.mark.parametrize(
    ("put", "words"),
    [
        (Path.symlink_to, "symbolic link"),
        (Path.hardlink_to, "hard link"),
        (lambda file, _: os.mkfifo(file), "no plain file"),
        (lambda file, _: file.touch(), "another user"),
    ],
    ids=["symbolic link", "hard link", "pipe", "another's"],
)
def test_nothing_is_written_through_what_stands_in_the_place_of_the_updates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, put: Callable[[Path, Path], Any], words: str
) -> None:
    victim, file = tmp_path / "victim", tmp_path / "caspen-updates.jsonl"
    victim.write_bytes(b"precious")
    if words == "another user":
        monkeypatch.setattr(os, "getuid", lambda: 4_242)
    put(file, victim)
    with pytest.raises(UserError, match=words):
        append_updates(tmp_path, [{"object": "xero_payment", "id": "a"}])
    assert victim.read_bytes() == b"precious"


def test_updates_go_into_a_linked_folder_of_ones_own_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "export").symlink_to(tmp_path / "elsewhere")
    append_updates(tmp_path / "export", [{"object": "xero_payment", "id": "a"}])
    monkeypatch.setattr(os, "getuid", lambda: 4_242)
    with pytest.raises(UserError, match="folder of another user"):
        append_updates(tmp_path / "export", [{"object": "xero_payment", "id": "b"}])


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm"])
def test_nothing_is_written_through_a_link_in_the_place_of_the_sandboxs_data(tmp_path: Path, suffix: str) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (tmp_path / f"xero.db{suffix}").symlink_to(victim)
    with pytest.raises(SandboxError, match="symbolic link"):
        Sandbox(data=tmp_path / "xero.db", port=0)
    assert victim.read_bytes() == b"precious"


def test_a_linked_folder_of_ones_own_is_fine(cli: Cli, home: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    home.symlink_to(elsewhere)
    assert cli("status").exit_code == 0
    (home / "default").rename(tmp_path / "default")
    (home / "default").symlink_to(tmp_path / "default")
    assert cli("status").exit_code == 0


def test_a_linked_folder_of_another_is_not(
    cli: Cli, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    home.symlink_to(tmp_path / "elsewhere")
    monkeypatch.setattr(os, "getuid", lambda: 4_242)
    assert cli("status", "--json").json["error"]["code"] == "home-unusable"


def test_no_copy_goes_into_a_linked_folder_of_another(
    cli: Cli, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("import", "-", stdin="[]")
    (tmp_path / "elsewhere").mkdir()
    (home / "default" / "backups").symlink_to(tmp_path / "elsewhere")
    assert cli("backup").exit_code == 0
    monkeypatch.setattr(os, "getuid", lambda: 4_242)
    assert cli("backup", "--json").json["error"]["code"] == "backup-failed"


@pytest.mark.parametrize("file", ["/dev/zero", "pipe", "/", "gone", "~nosuchuser/key", "caf\udce9"])
def test_what_is_no_file_holds_no_key(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    monkeypatch.setenv("CASPEN_API_KEY_FILE", file)
    cli("settings", "set", "--source", "http://localhost:9")
    (found,) = [one for one in cli("doctor", "--json").json["checks"] if one["name"] == "source"]
    assert found["message"].startswith("CASPEN_API_KEY_FILE: ")
    assert "can't be read" in found["message"]


@pytest.fixture
def generous() -> Iterator[None]:
    """A umask that lets everybody read and write."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("generous")
def test_nobody_else_may_read_what_we_write(cli: Cli, home: Path, tmp_path: Path) -> None:
    cli("import", "-", stdin="[]")
    cli("backup")
    SecretFile(home / "default", "e1").save_secret("a-refresh-token")
    append_updates(tmp_path, [{"object": "xero_payment", "id": "a"}])
    with Sandbox(data=tmp_path / "books" / "xero.db", port=0):
        written = [*home.rglob("*"), home, tmp_path / "caspen-updates.jsonl", *(tmp_path / "books").iterdir()]
        modes = {file.name: oct(stat.S_IMODE(file.stat().st_mode)) for file in written}
    assert {name: mode for name, mode in modes.items() if int(mode, 8) & 0o077} == {}
    assert {"store.sqlite", "tokens.json", "run.lock", "caspen-updates.jsonl", "xero.db", "backups"} <= set(modes)


def test_folders_that_are_made_above_ours_are_nobody_elses_either(tmp_path: Path, home: Path) -> None:
    home = tmp_path / "new" / "state"
    environment = {**os.environ, "CASPEN_XERO_HOME": str(home)}
    for mask in (0, 0o777):
        assert program("status", umask=mask, env=environment, capture_output=True).returncode == 0
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in (home.parent, home, home / "default")] == [0o700] * 3


def test_a_folder_that_can_only_be_read_is_shown_though_others_may_read_it(
    cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("import", "-", stdin="[]")
    (home / "default").chmod(0o755)

    def only_read(path: Path, mode: int) -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    monkeypatch.setattr(Path, "chmod", only_read)
    assert cli("status", "--json").json["workspace"] == "default"


def test_updates_that_others_may_read_are_theirs_no_more(tmp_path: Path) -> None:
    file = tmp_path / "caspen-updates.jsonl"
    file.touch(mode=0o644)
    append_updates(tmp_path, [{"object": "xero_payment", "id": "a"}])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "theirs", [b"a note of a person", b'{"object": "appointment", "id', b"\xff\xfe\x00broken", b"[1, 2", b'{"half": ']
)
def test_a_last_line_that_is_not_ours_is_never_cut(tmp_path: Path, theirs: bytes) -> None:
    file = tmp_path / "caspen-updates.jsonl"
    file.write_bytes(b'{"object": "xero_payment", "id": "old"}\n' + theirs)
    append_updates(tmp_path, [{"object": "xero_payment", "id": "new"}])
    lines = file.read_bytes().split(b"\n")
    assert lines[1:] == [theirs, b'{"object": "xero_payment", "id": "new"}', b""]


# A damaged token file


def _folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def _pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


DAMAGES: dict[str, Callable[[Path], Any]] = {
    "empty": lambda file: file.write_text(""),
    "not JSON": lambda file: file.write_text('{"entry": "'),
    "not UTF-8": lambda file: file.write_bytes(b"\xff\xfe" * 90),
    "a list": lambda file: file.write_text("[]"),
    "a number as secret": lambda file: file.write_text('{"secret": 5}'),
    "nested": lambda file: file.write_text("[" * 100_000),
    "endless": lambda file: file.write_text(" " * 3_000_000),
    "a folder": _folder,
    "a pipe": _pipe,
    "another's": lambda file: file.write_text('{"entry": "another", "secret": "x", "access": "y"}'),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_token_file_is_told_and_connecting_mends_it(ready: Clinic, damage: str) -> None:
    file = ready.home / "default" / "tokens.json"
    DAMAGES[damage](file)
    result = ready.cli("settings", "accounts", "--json")
    assert result.exit_code in (1, 4)
    assert result.json["error"]["code"] in ("not-connected", "token-file-damaged", "token-file-unusable")
    assert result.json["error"]["fix"]
    assert ready.cli("status").exit_code == 0
    if damage not in ("a folder", "a pipe"):
        kept = SecretFile(file.parent, "e1")
        with kept.room():
            kept.save_secret("a-new-secret")
        assert kept.secret() == "a-new-secret"
    else:
        with pytest.raises(SecretStoreError):
            SecretFile(file.parent, "e1").secret()


@pytest.mark.parametrize(
    "access", ["[", '{"token": "a\\nb", "expires_at": "2099-01-01T00:00:00+00:00"}', '{"token": "é", "expires_at": 5}',
               '{"token": "x", "expires_at": "2026-01-01T00:00:00"}', "[" * 100_000],
)  # fmt: skip
def test_a_damaged_access_token_is_got_anew(ready: Clinic, access: str) -> None:
    file = ready.home / "default" / "tokens.json"
    kept = json.loads(file.read_text())
    file.write_text(json.dumps(kept | {"access": access}))
    assert ready.cli("settings", "accounts").exit_code == 0


# Arguments of every kind

ODD = (
    "", " ", "-", "-x", "--", "--no-such", "a" * 70_000, "\x01\x1b[31m\x7f", "a\nb", "\u202egnp.exe", "日本 😀", "../../etc",
    "/", "/dev/null", "~nosuchuser", "0", "-1", "9" * 400, "NaN", "1e999", "'; DROP TABLE links; --", "%00%s{}",
)  # fmt: skip
ENDLESS = {("demo",), ("sandbox", "serve")}
MORE: dict[tuple[str, ...], tuple[str, ...]] = {("connect",): ("--custom-connection", "--token-store", "file")}


def leaves() -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command, with its click form."""

    def below(group: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
        context = typer.Context(group)
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            yield from (
                below(command, (*path, name)) if hasattr(command, "list_commands") else [((*path, name), command)]
            )

    return below(typer.main.get_command(app), ())


COMMANDS = {path: command for path, command in leaves() if path not in ENDLESS}


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_no_argument_however_odd_breaks_a_command(
    ready: Clinic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: tuple[str, ...]
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("XERO_CLIENT_SECRET", "no-secret-of-any-app")
    monkeypatch.setenv("BROWSER", "true")
    monkeypatch.setattr("webbrowser.open", lambda *_: True)
    monkeypatch.setattr("caspen_xero.xero.client.READ_TRIES", 1)
    taken = [one for one in COMMANDS[path].params if not getattr(one, "is_flag", False) and one.name != "help"]
    for odd in ODD:
        for one in taken:
            given = [f"{one.opts[0]}={odd}"] if one.param_type_name == "option" else ["--", odd]
            others = [odd] if one.param_type_name == "argument" and one.nargs not in (1, -1) else []
            _check(["--json", *MORE.get(path, ()), *given, *others], path)


def _check(arguments: list[str], path: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, [*path, *arguments], input="")
    told = f"{path} {[argument[:60] for argument in arguments]}: {result.output[-300:]}"
    assert result.exception is None or isinstance(result.exception, SystemExit), told
    assert result.exit_code in range(8), told
    assert "Traceback" not in result.output, told
    assert "\x1b" not in result.output, told
    document = json.load(io.StringIO(result.stdout))
    if result.exit_code not in (0, 3) and path != ("doctor",):  # whose own document says what is wrong
        error = document["error"]
        assert error["exit_code"] == result.exit_code, told
        assert error["message"], told
