"""A refresh token is used once, by one process, and its successor is safe before it is used."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import keyring
import pytest
from filelock import FileLock, Timeout

from caspen_xero.sandbox.server import Sandbox
from caspen_xero.secrets import asking
from caspen_xero.secrets.in_file import SecretFile
from caspen_xero.secrets.store import SecretStoreError
from caspen_xero.xero.errors import ConnectNeeded, TokenStoreError, TryLater, Unreachable
from caspen_xero.xero.grants import Access
from caspen_xero.xero.token_store import TokenStore, open_token_store
from caspen_xero.xero.tokens import AccessTokens
from tests.conftest import sign_in
from tests.xero_side.keyrings import Dropping, LockedForWriting, LockedKeyring, MemoryKeyring
from tests.xero_side.told import Reply, Seen, SignedIn, a_connection, told

PAST = datetime(2026, 1, 1, tzinfo=UTC)
REFUSED = Reply(400, '{"error":"invalid_grant"}')


class Issuer:
    """A token endpoint that takes each refresh token once, slowly enough for others to come too."""

    def __init__(self, first: str = "the-refresh-token") -> None:
        self.valid, self.numbers, self.refreshes = first, count(1), 0
        self.lock = threading.Lock()

    def answer(self, seen: Seen) -> Reply:
        with self.lock:
            self.refreshes += 1
            if seen.form["refresh_token"] != self.valid:
                return REFUSED
            number = next(self.numbers)
            self.valid = f"refresh-{number}"
        time.sleep(0.2)
        return Reply(200, f'{{"access_token":"access-{number}","refresh_token":"refresh-{number}","expires_in":1800}}')


def expired(signed_in: SignedIn) -> None:
    signed_in.store.save_access(Access("old-access", PAST))


def test_a_good_token_is_used_without_asking_anybody(signed_in: SignedIn) -> None:
    tokens = signed_in.tokens("http://127.0.0.1:9")
    assert tokens.current() == tokens.current() == "the-access-token"


@pytest.mark.parametrize("life", [-10, 0, 30])
def test_a_token_that_ends_within_a_minute_is_refreshed_and_both_are_saved(signed_in: SignedIn, life: int) -> None:
    signed_in.store.save_access(Access("old", datetime.now(UTC) + timedelta(seconds=life)))
    issuer = Issuer()
    with told(issuer.answer) as xero:
        assert signed_in.tokens(xero.url).current() == "access-1"
        assert signed_in.tokens(xero.url).current() == "access-1"
    assert issuer.refreshes == 1
    access = signed_in.store.access()
    assert signed_in.store.secret() == "refresh-1"
    assert access is not None
    assert timedelta(minutes=29) < access.expires_at - datetime.now(UTC) <= timedelta(minutes=30)


def test_a_token_noted_by_a_clock_that_was_a_year_ahead_is_not_taken_for_a_good_one(signed_in: SignedIn) -> None:
    signed_in.store.save_access(Access("noted-ahead", datetime.now(UTC) + timedelta(days=365)))
    with told(Issuer().answer) as xero:
        assert signed_in.tokens(xero.url).renew("rejected") == "access-1"


def test_a_token_that_is_said_to_last_for_days_is_renewed_after_one(signed_in: SignedIn) -> None:
    expired(signed_in)
    with told(Reply(200, '{"access_token":"a1","expires_in":864000}')) as xero:
        tokens = signed_in.tokens(xero.url)
        assert tokens.current() == tokens.current() == "a1"
        assert len(xero.seen) == 1


def test_many_threads_and_processes_at_once_refresh_once(signed_in: SignedIn) -> None:
    expired(signed_in)
    issuer = Issuer()
    program = (
        "import sys; from pathlib import Path; from tests.xero_side.told import SignedIn;"
        "print(SignedIn(Path(sys.argv[1])).tokens(sys.argv[2]).current())"
    )
    with told(issuer.answer) as xero:
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", program, str(signed_in.folder), xero.url],
                stdout=subprocess.PIPE,
                text=True,
                cwd=Path(__file__).parents[2],
            )
            for _ in range(3)
        ]
        here: list[str] = []
        threads = [threading.Thread(target=lambda: here.append(signed_in.tokens(xero.url).current())) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        there = [process.communicate(timeout=30)[0].strip() for process in processes]
    assert here + there == ["access-1"] * 6
    assert issuer.refreshes == 1


def test_a_rejected_token_is_refreshed_unless_another_process_did_so_already(signed_in: SignedIn) -> None:
    issuer = Issuer()
    with told(issuer.answer) as xero:
        mine, other = signed_in.tokens(xero.url), signed_in.tokens(xero.url)
        rejected = mine.current()
        assert other.renew(rejected) == "access-1"
        assert mine.renew(rejected) == "access-1"
        assert mine.current() == "access-1"
    assert issuer.refreshes == 1


@pytest.mark.parametrize(
    "trouble",
    [Reply(503, "down"), Reply(hang_up=True), Reply(400, "<html>proxy</html>"), Reply(200, "{"), Reply(429, "")],
)
def test_trouble_on_the_way_drops_nothing_and_the_next_try_works(signed_in: SignedIn, trouble: Reply) -> None:
    expired(signed_in)
    issuer = Issuer()
    with told(trouble, issuer.answer) as xero:
        with pytest.raises(TryLater) as caught:
            signed_in.tokens(xero.url).current()
        assert caught.value.exit_code == 6
        assert signed_in.store.secret() == "the-refresh-token"
        assert signed_in.tokens(xero.url).current() == "access-1"


def test_without_a_network_nothing_is_dropped(signed_in: SignedIn) -> None:
    expired(signed_in)
    with pytest.raises(Unreachable):
        signed_in.tokens("https://no-such-host.invalid").current()
    assert signed_in.store.secret() == "the-refresh-token"


def test_a_sign_in_that_has_ended_is_dropped_and_says_what_to_do(signed_in: SignedIn) -> None:
    expired(signed_in)
    with told(REFUSED) as xero:
        with pytest.raises(ConnectNeeded) as caught:
            signed_in.tokens(xero.url).current()
        assert (caught.value.code, caught.value.exit_code) == ("sign-in-expired", 4)
        assert caught.value.fix.startswith("caspen-xero connect")
        with pytest.raises(ConnectNeeded) as again:
            signed_in.tokens(xero.url).current()
        assert again.value.code == "not-connected"
        assert len(xero.seen) == 1
    assert signed_in.store.secret() is None


def test_before_a_sign_in_counts_as_ended_the_store_is_read_once_more(signed_in: SignedIn) -> None:
    expired(signed_in)
    issuer = Issuer(first="saved-meanwhile")

    def meanwhile(seen: Seen) -> Reply:
        signed_in.store.save_secret("saved-meanwhile")
        return issuer.answer(seen)

    with told(meanwhile, issuer.answer) as xero:
        assert signed_in.tokens(xero.url).current() == "access-1"
    assert issuer.refreshes == 2
    assert signed_in.store.secret() == "refresh-1"


@pytest.mark.parametrize("error", ["invalid_client", "unauthorized_client", "invalid_request"])
def test_any_other_refusal_keeps_the_tokens(signed_in: SignedIn, error: str) -> None:
    expired(signed_in)
    with told(Reply(400, f'{{"error":"{error}"}}')) as xero, pytest.raises(ConnectNeeded):
        signed_in.tokens(xero.url).current()
    assert signed_in.store.secret() == "the-refresh-token"


def test_tokens_that_cannot_be_saved_are_not_used(signed_in: SignedIn) -> None:
    expired(signed_in)

    class FullDisk(SecretFile):
        def save_secret(self, secret: str) -> None:
            raise SecretStoreError("token-file-unusable", "full")

    issuer = Issuer()
    with told(issuer.answer) as xero:
        full = TokenStore(FullDisk(signed_in.folder, "e1"))
        tokens = AccessTokens(a_connection(xero.url), full, signed_in.folder / "token.lock")
        with pytest.raises(TokenStoreError):
            tokens.current()


# --- nothing is asked for that could not be kept


def _no_space(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(os, "fsync", _raises(errno.ENOSPC))


def _read_only(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(tempfile, "mkstemp", _raises(errno.EROFS))


def _not_to_be_replaced(patch: pytest.MonkeyPatch) -> None:
    """A file that is mounted by itself can be written, and no other can take its place."""
    patch.setattr(os, "replace", _raises(errno.EBUSY))


def _raises(number: int) -> Callable[..., None]:
    def fails(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return fails


@pytest.mark.parametrize("trouble", [_no_space, _read_only, _not_to_be_replaced])
def test_where_a_new_token_could_not_be_kept_in_the_file_none_is_asked_for(
    signed_in: SignedIn, trouble: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    expired(signed_in)
    issuer = Issuer()
    with told(issuer.answer) as xero:
        with monkeypatch.context() as patch:
            trouble(patch)
            with pytest.raises(TokenStoreError) as caught:
                signed_in.tokens(xero.url).current()
        assert xero.seen == []
        assert signed_in.store.secret() == "the-refresh-token"
        assert str(signed_in.folder / "tokens.json") in caught.value.message
        assert "was not renewed, and is kept as it was" in caught.value.message
        assert "free space" in caught.value.fix
        assert signed_in.tokens(xero.url).current() == "access-1"
    assert sorted(path.name for path in signed_in.folder.iterdir()) == ["token.lock", "tokens.json"]


def test_with_thirty_two_kilobytes_of_room_no_token_is_asked_for(signed_in: SignedIn) -> None:
    expired(signed_in)
    program = (
        "import resource, sys; from pathlib import Path; from tests.xero_side.told import SignedIn;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (32 * 1024, resource.RLIM_INFINITY));"
        "SignedIn(Path(sys.argv[1])).tokens(sys.argv[2]).current()"
    )
    issuer = Issuer()
    with told(issuer.answer) as xero:
        run = subprocess.run(
            [sys.executable, "-c", program, str(signed_in.folder), xero.url],
            capture_output=True,
            text=True,
            check=False,
            cwd=Path(__file__).parents[2],
        )
        assert (run.returncode, "TokenStoreError" in run.stderr) == (1, True)
        assert xero.seen == []
        assert signed_in.tokens(xero.url).current() == "access-1"


def test_a_disk_that_is_full_when_the_answer_comes_has_room_for_the_new_refresh_token(
    signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    expired(signed_in)
    issuer = Issuer()

    def meanwhile(seen: Seen) -> Reply:
        monkeypatch.setattr(tempfile, "mkstemp", _raises(errno.ENOSPC))  # no new file, however small
        return issuer.answer(seen)

    with told(meanwhile, issuer.answer) as xero:
        with pytest.raises(TokenStoreError):  # for the access token
            signed_in.tokens(xero.url).current()
        assert signed_in.store.secret() == "refresh-1"
        monkeypatch.undo()
        assert signed_in.tokens(xero.url).current() == "access-2"
    assert issuer.refreshes == 2


@pytest.mark.parametrize(
    ("backend", "code"), [(LockedForWriting, "keyring-locked"), (Dropping, "keyring-drops-writes")]
)
def test_where_a_new_token_could_not_be_kept_in_the_keyring_none_is_asked_for(
    tmp_path: Path, machine_keyring: MemoryKeyring, backend: type[MemoryKeyring], code: str
) -> None:
    store = open_token_store("keyring", "e1", tmp_path)
    store.save_secret("the-refresh-token")
    store.save_access(Access("old-access", PAST))
    ours = backend()
    ours.kept = machine_keyring.kept
    keyring.set_keyring(ours)
    issuer = Issuer()
    with told(issuer.answer) as xero:
        tokens = AccessTokens(a_connection(xero.url), store, tmp_path / "token.lock")
        with pytest.raises(TokenStoreError) as caught:
            tokens.current()
        assert (caught.value.code, xero.seen) == (code, [])
        assert "keyring" in caught.value.message
        assert "was not renewed, and is kept as it was" in caught.value.message
        assert "--token-store file" in caught.value.fix
        assert store.secret() == "the-refresh-token"
        keyring.set_keyring(machine_keyring)
        assert tokens.current() == "access-1"
    assert sorted(entry for _, entry in machine_keyring.kept) == ["e1:access", "e1:secret"]


def test_a_keyring_that_is_locked_while_xero_answers_leaves_the_sign_in_before_and_that_is_told(
    tmp_path: Path, machine_keyring: MemoryKeyring
) -> None:
    store = open_token_store("keyring", "e1", tmp_path)
    store.save_secret("the-refresh-token")
    locked, issuer = LockedForWriting(), Issuer()
    locked.kept = machine_keyring.kept

    def meanwhile(seen: Seen) -> Reply:
        keyring.set_keyring(locked)
        return issuer.answer(seen)

    with told(meanwhile, issuer.answer) as xero:
        tokens = AccessTokens(a_connection(xero.url), store, tmp_path / "token.lock")
        with pytest.raises(TokenStoreError) as caught:
            tokens.current()
        assert caught.value.code == "keyring-locked"
        assert "the one before works for 30 minutes from now" in caught.value.message
        assert store.secret() == "the-refresh-token"


def test_no_other_renews_a_sign_in_while_a_keyring_that_was_given_up_may_still_write(
    tmp_path: Path, machine_keyring: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_token_store("keyring", "e1", tmp_path)
    store.save_secret("the-refresh-token")
    unlocked, issuer, lock = threading.Event(), Issuer(), tmp_path / "token.lock"

    class Slow(MemoryKeyring):
        def set_password(self, service: str, username: str, password: str) -> None:
            unlocked.wait(20)
            super().set_password(service, username, password)

    slow = Slow()
    slow.kept = machine_keyring.kept

    def meanwhile(seen: Seen) -> Reply:
        keyring.set_keyring(slow)
        monkeypatch.setattr(asking, "SECONDS", 0.5)
        return issuer.answer(seen)

    with told(meanwhile) as xero:
        tokens = AccessTokens(a_connection(xero.url), store, lock)
        with pytest.raises(TokenStoreError) as caught:
            tokens.current()
        assert caught.value.code == "keyring-silent"
        assert "the new one may not have been kept" in caught.value.message
        with pytest.raises(Timeout):
            FileLock(lock, timeout=0).acquire()
        with pytest.raises(TokenStoreError, match="did not answer"):  # at once: this process waits for nobody
            tokens.current()
    unlocked.set()
    with FileLock(lock, timeout=5):
        assert store.secret() != "the-refresh-token"


def test_a_lock_that_cannot_be_opened_is_named_and_nothing_is_asked_for(signed_in: SignedIn) -> None:
    expired(signed_in)
    (signed_in.folder / "token.lock").mkdir()
    with told(Issuer().answer) as xero:
        with pytest.raises(TokenStoreError) as caught:
            signed_in.tokens(xero.url).current()
        assert str(signed_in.folder / "token.lock") in caught.value.message
        assert xero.seen == []


def test_a_refresh_without_a_new_refresh_token_keeps_the_old_one(signed_in: SignedIn) -> None:
    expired(signed_in)
    with told(Reply(200, '{"access_token":"a2","expires_in":"1800"}')) as xero:
        assert signed_in.tokens(xero.url).current() == "a2"
    assert signed_in.store.secret() == "the-refresh-token"


def test_a_custom_connection_asks_with_its_secret_and_keeps_it(signed_in: SignedIn) -> None:
    signed_in.store.save_secret("client-secret")
    with told(Reply(200, '{"access_token":"a1","expires_in":1800}')) as xero:
        assert signed_in.tokens(xero.url, "custom").current() == "a1"
        request = xero.seen[0]
        assert request.form == {
            "grant_type": "client_credentials",
            "scope": "accounting.contacts accounting.invoices",
        }
        assert request.headers["authorization"] == "Basic QVBQOmNsaWVudC1zZWNyZXQ="
    assert signed_in.store.secret() == "client-secret"


def test_a_custom_connection_whose_keyring_is_locked_is_told_the_command_of_its_own_kind(tmp_path: Path) -> None:
    keyring.set_keyring(LockedKeyring())
    store = open_token_store("keyring", "e1", tmp_path)
    with pytest.raises(TokenStoreError) as caught:
        AccessTokens(a_connection("http://localhost:1", "custom"), store, tmp_path / "token.lock").current()
    assert caught.value.fix.endswith("caspen-xero connect --custom-connection --token-store file")


def test_a_custom_connection_whose_secret_changed_says_so_and_keeps_it(signed_in: SignedIn) -> None:
    signed_in.store.save_secret("client-secret")
    with told(Reply(400, '{"error":"invalid_client"}')) as xero, pytest.raises(ConnectNeeded) as caught:
        signed_in.tokens(xero.url, "custom").current()
    assert caught.value.code == "invalid-client"
    assert "--custom-connection" in caught.value.fix
    assert signed_in.store.secret() == "client-secret"


def test_no_repr_shows_a_token(signed_in: SignedIn) -> None:
    tokens = signed_in.tokens("http://127.0.0.1:9")
    tokens.current()
    access = Access("the-access-token", PAST)
    client = signed_in.client("http://127.0.0.1:9")
    for thing in (tokens, signed_in.store, access, client):
        assert "the-access-token" not in repr(thing)
        assert "the-refresh-token" not in repr(thing)


def test_the_local_xero_rotates_tokens_and_ends_a_sign_in_as_the_real_one(sandbox: Sandbox, home: Path) -> None:
    from caspen_xero.cli.output import Output
    from caspen_xero.cli.session import Session

    sign_in(sandbox.url, home, client_id="APP")  # of its own: other tests go on with the one that they share
    session = Session(Output())
    assert session.client.get("Organisation").json()["Organisations"][0]["Name"] == session.connection.tenant_name
    first = session.tokens.current()
    second = session.tokens.renew(first)
    assert second != first
    assert session.client.get("Organisation").status == 200
    sandbox.xero.identity.revoke_everything("APP")
    with pytest.raises(ConnectNeeded) as caught:
        session.client.get("Organisation")
    assert caught.value.code == "sign-in-expired"
    session.close()
