"""Killed between any two steps of joining: the laptop still waits or has joined, and joining again completes it."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.organisation import Organisation
from tests.services.enrolling import Laptop, refused
from vault.errors import (
    IntegrityError,
    StorageError,
    UsageError,
    VaultError,
)
from vault.formats.keyfile import parse_keyfile
from vault.formats.request import PENDING
from vault.model import Role
from vault.services import files, joining, keyring
from vault.services.joining import joinable
from vault.services.records import open_case
from vault.services.vault import Vault
from vault.store.arrivals import Arrivals
from vault.store.store import Store

pytestmark = pytest.mark.usefixtures("quick_passphrases")


@pytest.fixture
def laptop(tmp_path: Path) -> Laptop:
    """A new one."""
    return Laptop(tmp_path)


STEPS: dict[str, tuple[Any, str]] = {
    "before the workshop": (files, "make_private_directory"),
    "before the database": (Store, "create"),
    "before the setting": (Store, "add_setting"),
    "before the roster": (Arrivals, "extend"),
    "before the checkpoint": (Arrivals, "add_checkpoint"),
    "before the head": (Arrivals, "add_head"),
    "before the wraps": (Arrivals, "add_wraps"),
    "before the codebook": (Store, "add_codebook"),
    "before the journal": (joining, "begin_journal"),
    "before the proof": (Vault, "open"),
    "before the database's place": (joining, "_put_into_place"),
    "before the link": (os, "link"),
    "before the workshop goes": (joining, "_clear"),
    "before the directory is synced": (files, "sync_directory"),
    "before the key file": (keyring, "write_keyfile"),
    "inside the key file": (files, "write_private"),
}


def _crashing(name: str, monkeypatch: pytest.MonkeyPatch, error: BaseException, *, after: bool) -> None:
    home, attribute = STEPS[name]
    real = getattr(home, attribute)

    def crash(*given: object, **named: object) -> object:
        if after:
            real(*given, **named)
        raise error

    monkeypatch.setattr(home, attribute, crash)


@pytest.mark.parametrize("killed", [False, True], ids=["interrupted", "killed"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("name", STEPS)
def test_a_crash_at_any_step_leaves_a_waiting_or_a_joined_laptop(
    org: Organisation, laptop: Laptop, monkeypatch: pytest.MonkeyPatch, name: str, after: bool, killed: bool
) -> None:
    """Before or after each file operation, with the cleaning up or without it: joining again completes it."""
    answer = laptop.answer(org)
    with monkeypatch.context() as patch:
        _crashing(name, patch, KeyboardInterrupt() if killed else StorageError("injected"), after=after)
        if killed and STEPS[name][1] != "_clear":
            patch.setattr(joining, "_clear", lambda _: None)
        with pytest.raises((KeyboardInterrupt, VaultError)):
            laptop.join(answer)
    waiting = parse_keyfile(laptop.files()["keys/field-9.key"]).vault_id == PENDING
    head = _own_head(laptop) if (laptop.directory / "vault.db").exists() else None
    assert waiting or head, "a key that has joined has its journal"
    assert laptop.join(answer).already == (not waiting)
    assert head in (None, _own_head(laptop)), "a journal that was begun is never begun again"
    with laptop.open() as vault:
        assert open_case(vault, laptop.unlocked(vault), {}).seq == 1
    assert [path.name for path in sorted(laptop.directory.iterdir())] == ["keys", "vault.db"]
    assert [path.name for path in (laptop.directory / "keys").iterdir()] == ["field-9.key"]


def _own_head(laptop: Laptop) -> tuple[int, bytes]:
    with laptop.open() as vault:
        status = vault.journals()[-1]
        return status.size, status.root


@pytest.mark.parametrize("name", [name for name, (home, _) in STEPS.items() if home is not os][3:])
def test_a_crash_while_a_second_member_joins_leaves_the_vault_whole(
    org: Organisation, laptop: Laptop, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """One transaction and one key file: the first member works on whatever happens, and the second joins again."""
    laptop.join(laptop.answer(org))
    answer = laptop.answer(org, "director-9", Role.DIRECTOR)
    with monkeypatch.context() as patch:
        _crashing(name, patch, KeyboardInterrupt(), after=False)
        with suppress(KeyboardInterrupt):  # a few of the steps are the first member's only
            laptop.join(answer, "director-9")
    with laptop.open() as vault:
        open_case(vault, laptop.unlocked(vault), {})
    laptop.join(answer, "director-9")
    with laptop.open() as vault:
        assert laptop.unlocked(vault, "director-9").member.role is Role.DIRECTOR
        assert len(vault.journals()) == 3


def test_two_programs_that_join_at_once_make_one_vault(
    org: Organisation, laptop: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one finds the place taken, leaves it as it is, and is told to join again."""
    answer = laptop.answer(org)
    real = joining._put_into_place

    def late(made: Path, target: Path) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(joining, "_put_into_place", real)
            patch.setattr(joining, "_clear", lambda _: None)
            laptop.join(answer)
        real(made, target)

    with monkeypatch.context() as patch:
        patch.setattr(joining, "_put_into_place", late)
        with pytest.raises(UsageError, match="meanwhile"):
            laptop.join(answer)
    assert laptop.join(answer).already


@pytest.mark.parametrize("taken", [False, True])
def test_without_hard_links_the_database_is_renamed(
    org: Organisation, laptop: Laptop, monkeypatch: pytest.MonkeyPatch, taken: bool
) -> None:
    """FAT has none; a place that is taken is not overwritten there either."""

    def no_links(made: Path, target: Path) -> None:
        if taken:
            target.write_bytes(b"another program's")
        raise OSError(1, "no links here")

    answer = laptop.answer(org)
    monkeypatch.setattr(os, "link", no_links)
    if taken:
        with pytest.raises(UsageError, match="meanwhile"):
            laptop.join(answer)
        assert laptop.files()["vault.db"] == b"another program's"
    else:
        assert not laptop.join(answer).already
        assert laptop.join(answer).already


def test_a_key_file_that_does_not_seal_as_it_should_stops_before_the_database(
    org: Organisation, laptop: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new key file is opened once before anything is written."""
    answer = laptop.answer(org)
    real = keyring.seal_keyfile

    def lie(*given: Any) -> bytes:  # noqa: ANN401 - stands in for any signature
        environment, vault_id, handle, payload, text, cost = given
        return real(environment, vault_id, handle, replace(payload, signing_seed=bytes(32)), text, cost)

    monkeypatch.setattr(keyring, "seal_keyfile", lie)
    refused(laptop, answer, IntegrityError, "does not open as it was sealed")


def test_damaged_keys_do_not_hide_those_that_wait(laptop: Laptop) -> None:
    """A directory with a stray file in keys/ still says who may join."""
    laptop.request()
    (laptop.directory / "keys" / "field-1.key").write_bytes(b"damaged")
    (laptop.directory / "keys" / "field-2.key").write_bytes(laptop.files()["keys/field-9.key"])
    assert joinable(laptop.directory) == ("field-9",)
    assert joinable(laptop.home / "nowhere") == ()
