"""A real systemd runs what was installed, hardened and with a credential: one in namespaces of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from clinics import client, invoice
from conftest import clean_environment
from pushing import Clinic

from caspen_xero.cli.scheduled import program

HIERARCHIES = [Path("/sys/fs/cgroup/systemd"), Path("/sys/fs/cgroup/unified")]
Inside = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def inside(ready: Clinic, tmp_path: Path) -> Iterator[Inside]:
    """Runs a command beside that systemd; the clinic's home and the network are the same there."""
    if os.name == "nt" or os.geteuid() != 0 or not all(one.is_dir() for one in HIERARCHIES):
        pytest.skip("a systemd of one's own needs root, and cgroups as Debian 12 has them in its hybrid form")
    if not (Path("/usr/lib/systemd/systemd").exists() and shutil.which("unshare") and shutil.which("nsenter")):
        pytest.skip("systemd, unshare or nsenter is not here (apt-get install systemd util-linux)")
    folder = tmp_path / "systemd"
    folder.mkdir()
    groups = [one / f"caspen-xero-test-{os.getpid()}" for one in HIERARCHIES]
    same = dict.fromkeys([str(Path(__file__).parents[1]), sys.prefix, str(ready.home)])
    boot = f'for group in {" ".join(map(str, groups))}; do mkdir $group; echo $$ > $group/cgroup.procs; done; exec "$@"'
    apart = ["unshare", "--fork", "--kill-child", "--pid", "--mount", "--uts", "--ipc", "--cgroup"]
    script = [str(Path(__file__).with_name("machines_systemd.sh")), str(folder), *same]
    process = subprocess.Popen(
        ["sh", "-c", boot, "sh", *apart, "sh", *script],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def run(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        below = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        enter = ["nsenter", "--target", below[0], "--all", "--root", "--wd=/"]
        around = clean_environment(CASPEN_XERO_HOME=str(ready.home), **variables)
        return subprocess.run([*enter, *command], env=around, capture_output=True, text=True, check=False, timeout=60)

    try:
        if not _is_up(run):
            pytest.skip("no systemd can be started in namespaces here")
        run("mount", "--make-rshared", "/")  # as on a machine; credentials are mounted by a process of its own
        yield run
    finally:
        process.kill()
        process.wait()
        for _ in range(50):
            for group in groups:
                for below in sorted(group.rglob("*/"), reverse=True):
                    with suppress(OSError):
                        below.rmdir()
                with suppress(OSError):
                    group.rmdir()
            if not any(group.exists() for group in groups):
                break
            time.sleep(0.1)


def _is_up(run: Inside) -> bool:
    for _ in range(100):
        with suppress(IndexError, OSError):
            if run("systemctl", "is-system-running").stdout.strip() in ("running", "degraded"):
                return True
        time.sleep(0.1)
    return False


def test_a_service_of_the_machine_runs_hardened_with_its_credential_and_is_taken_back(
    ready: Clinic, inside: Inside, tmp_path: Path
) -> None:
    ready.takes(client("1048237"), invoice("INV-0001"))
    ready.push()
    ready.takes(invoice("INV-0002"))

    def caspen_xero(*words: str) -> Any:
        return json.loads(inside(*program(), *words, "--system", "systemd-system", "--user", "root", "--json").stdout)

    label = caspen_xero("schedule", "install", "--every", "1d")["label"]
    assert f"{label}.timer" in inside("systemctl", "list-timers").stdout
    assert inside("systemctl", "start", f"{label}.service").returncode == 0
    assert inside("systemctl", "show", "-p", "Result,ExecMainStatus", label).stdout.split() == [
        "Result=success",
        "ExecMainStatus=0",
    ]
    assert [one["sync_status"] for one in ready.cli("invoices", "list", "--json").json["invoices"]] == ["synced"] * 2

    ready.cli("settings", "set", "--source", "http://127.0.0.1:1/v1")
    inside("sh", "-c", "echo a-key > /run/key")
    given = [f"--setenv=CASPEN_XERO_HOME={ready.home}", "-p", "LoadCredential=CASPEN_API_KEY:/run/key"]
    told = inside("systemd-run", "--wait", "--pipe", "-q", *given, *program(), "doctor", "--json")
    (source,) = [one["message"] for one in json.loads(told.stdout)["checks"] if one["name"] == "source"]
    assert "http://127.0.0.1:1/v1" in source, source  # that there is nobody; and not that there is no key

    unit = f"/etc/systemd/system/{label}.service"
    inside("sh", "-c", f"echo Nice=10 >> {unit}")
    assert caspen_xero("schedule", "install")["error"]["code"] == "schedule-edited"
    assert caspen_xero("schedule", "remove")["kept"] == [f"{unit}.edited"]
    assert label not in inside("systemctl", "list-timers", "--all").stdout
