"""Tokens are kept where they were promised to be, readable by their owner only, or a clear error says why not."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import keyring
import keyring.backends.fail
import keyring.backends.null
import pytest
from keyring.backend import KeyringBackend

from caspen_xero.xero.errors import TokenStoreError
from caspen_xero.xero.grants import Access
from caspen_xero.xero.token_store import TokenStore, open_token_store
from tests.xero_side.keyrings import BrokenKeyring, LockedKeyring, MemoryKeyring, WindowsKeyring

SHORT = Access("a" * 900, datetime(2026, 11, 22, 12, tzinfo=UTC))
LONG = Access("a" * 1280, datetime(2026, 11, 22, 12, tzinfo=UTC))
SECRET = "the-refresh-token"


pytestmark = pytest.mark.usefixtures("machine_keyring")


def use(backend: KeyringBackend) -> TokenStore:
    keyring.set_keyring(backend)
    return in_keyring()


def prove(tokens: TokenStore) -> None:
    with tokens.room():
        pass


def in_keyring() -> TokenStore:
    return open_token_store("keyring", "e1", Path())


def in_file(folder: Path) -> TokenStore:
    return open_token_store("file", "e1", folder)


@pytest.mark.parametrize("kind", ["keyring", "file"])
def test_what_is_saved_is_there_for_the_next_process_until_it_is_cleared(kind: str, tmp_path: Path) -> None:
    def opened(entry: str = "e1") -> TokenStore:
        return open_token_store("keyring" if kind == "keyring" else "file", entry, tmp_path)

    assert (opened().secret(), opened().access()) == (None, None)
    prove(opened())
    assert (opened().secret(), opened().access()) == (None, None)
    opened().save_secret(SECRET)
    opened().save_access(SHORT)
    assert (opened().secret(), opened().access()) == (SECRET, SHORT)
    prove(opened())
    assert (opened().secret(), opened().access()) == (SECRET, SHORT)
    assert opened("e2").secret() is None  # another home's store never sees or uses this sign-in
    opened().save_secret("next")
    assert opened().secret() == "next"
    opened().clear()
    opened().clear()
    assert (opened().secret(), opened().access()) == (None, None)


class TestKeyring:
    def test_the_secret_has_an_entry_of_its_own(self, machine_keyring: MemoryKeyring) -> None:
        tokens = in_keyring()
        tokens.save_secret(SECRET)
        tokens.save_access(SHORT)
        assert SECRET in machine_keyring.kept.values()
        assert len(machine_keyring.kept) == 2
        tokens.clear()
        assert machine_keyring.kept == {}

    def test_an_access_token_too_long_for_windows_is_not_kept_nor_is_the_old_one(self) -> None:
        tokens = use(WindowsKeyring())
        tokens.save_secret(SECRET)
        tokens.save_access(SHORT)
        tokens.save_access(LONG)
        assert tokens.access() is None
        assert tokens.secret() == SECRET

    @pytest.mark.parametrize(
        ("backend", "code", "way_out"),
        [
            (keyring.backends.fail.Keyring, "no-keyring", "--token-store file"),
            (keyring.backends.null.Keyring, "keyring-drops-writes", "--token-store file"),
            (LockedKeyring, "keyring-locked", "Unlock"),
            (BrokenKeyring, "keyring-unusable", "--token-store file"),
        ],
    )
    def test_a_keyring_that_does_not_work_is_named_with_the_ways_out(
        self, backend: type[KeyringBackend], code: str, way_out: str
    ) -> None:
        tokens = use(backend())
        for attempt in (lambda: prove(tokens), lambda: tokens.save_secret(SECRET)):
            with pytest.raises(TokenStoreError) as caught:
                attempt()
            assert caught.value.code == code
            assert way_out in caught.value.fix
            assert SECRET not in f"{caught.value} {caught.value.__cause__!r} {vars(caught.value)}"

    def test_a_machine_without_a_keyring_is_told_three_ways_out(self) -> None:
        with pytest.raises(TokenStoreError) as caught:
            prove(use(keyring.backends.fail.Keyring()))  # type: ignore[no-untyped-call]
        assert all(f"({number})" in caught.value.fix for number in (1, 2, 3))

    def test_a_back_end_that_cannot_be_loaded_is_an_error_in_our_words(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(keyring.core, "_keyring_backend", None)
        monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "no.such.Keyring")
        with pytest.raises(TokenStoreError) as caught:
            in_keyring().secret()
        assert caught.value.code == "keyring-unusable"


class TestFile:
    def test_only_its_owner_can_read_it_whatever_the_umask(self, tmp_path: Path) -> None:
        before = os.umask(0)
        try:
            tokens = in_file(tmp_path)
            tokens.save_secret(SECRET)
            tokens.save_access(LONG)
        finally:
            os.umask(before)
        assert (tmp_path / "tokens.json").stat().st_mode & 0o777 == 0o600
        assert tokens.access() == LONG
        assert [path.name for path in tmp_path.iterdir()] == ["tokens.json"]

    def test_a_file_that_others_may_read_is_closed_to_them(self, tmp_path: Path) -> None:
        tokens = in_file(tmp_path)
        tokens.save_secret(SECRET)
        (tmp_path / "tokens.json").chmod(0o644)
        assert tokens.secret() == SECRET
        assert (tmp_path / "tokens.json").stat().st_mode & 0o777 == 0o600

    def test_a_symbolic_link_is_neither_read_nor_written(self, tmp_path: Path) -> None:
        target = tmp_path / "elsewhere.json"
        target.write_text(json.dumps({"secret": "theirs"}))
        folder = tmp_path / "workspace"
        folder.mkdir()
        (folder / "tokens.json").symlink_to(target)
        tokens = in_file(folder)
        for attempt in (tokens.secret, lambda: tokens.save_secret(SECRET)):
            with pytest.raises(TokenStoreError):
                attempt()
        assert "theirs" in target.read_text()

    def test_what_a_killed_run_left_beside_it_goes_with_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def killed(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        tokens = in_file(tmp_path)
        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", killed)
            patch.setattr(Path, "unlink", killed)
            with pytest.raises(KeyboardInterrupt):
                tokens.save_secret(SECRET)
        assert [file for file in tmp_path.iterdir() if SECRET in file.read_text()]
        with tokens.room():
            in_file(tmp_path).clear()  # another run's, while this one has a person at Xero's page
            assert list(tmp_path.iterdir()) == []
            tokens.save_secret(SECRET)
        assert in_file(tmp_path).secret() == SECRET
        assert [file.name for file in tmp_path.iterdir()] == ["tokens.json"]

    def test_a_full_disk_leaves_the_old_token(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        tokens = in_file(tmp_path)
        tokens.save_secret(SECRET)

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(TokenStoreError) as caught:
            tokens.save_secret("new-secret")
        assert "No space left" in caught.value.message
        assert "new-secret" not in str(vars(caught.value))
        assert tokens.secret() == SECRET
        assert [path.name for path in tmp_path.iterdir()] == ["tokens.json"]

    def test_a_damaged_file_says_how_to_go_on(self, tmp_path: Path) -> None:
        (tmp_path / "tokens.json").write_text('{"secret": "ab')
        with pytest.raises(TokenStoreError) as caught:
            in_file(tmp_path).secret()
        assert "connect --token-store file" in caught.value.fix
