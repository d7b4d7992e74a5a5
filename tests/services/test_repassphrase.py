"""A new passphrase: the same secrets under another one; whenever it stops, the key file opens with one of the two."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.organisation import COST, PASSPHRASES, Organisation
from vault.errors import NotAllowed, UsageError, VaultError, VaultLocked, WrongPassphrase
from vault.services import files, keyring, repassphrase
from vault.services.keyring import key_path
from vault.services.repassphrase import change_passphrase
from vault.services.revoking import revoke
from vault.services.vault import unlock

OLD, NEW = PASSPHRASES["field-1"], "a passphrase of another spring"


def change(org: Organisation, old: str = OLD, new: str = NEW, *, dry_run: bool = False) -> None:
    """field-1 changes theirs."""
    change_passphrase(org.vault, "field-1", old, new, cost=COST, dry_run=dry_run)


def test_the_new_one_opens_the_same_keys_and_the_old_one_nothing(org: Organisation) -> None:
    """Same secrets, another salt; a copy of the old file still opens with the old passphrase, as is said."""
    path = key_path(org.directory, org.field_1.handle)
    old_copy = path.read_bytes()
    change(org)
    assert unlock(org.vault, "field-1", NEW) == org.field_1
    with pytest.raises(WrongPassphrase):
        unlock(org.vault, "field-1", OLD)
    assert path.read_bytes() != old_copy
    assert path.stat().st_mode & 0o077 == 0
    payload = keyring.open_keyfile(old_copy, org.vault.vault_id, org.field_1.handle, OLD)
    assert payload.signing_seed == org.field_1.signing_seed
    assert org.audit().findings == ()


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("not the old passphrase", NEW, WrongPassphrase),
        (OLD, "too short", UsageError),
        (OLD, OLD, UsageError),
        (OLD, "with a \x07 bell in it", UsageError),
    ],
)
def test_what_is_refused_changes_nothing(org: Organisation, old: str, new: str, error: type[VaultError]) -> None:
    """A wrong old one, a bad new one, the same again."""
    before = key_path(org.directory, org.field_1.handle).read_bytes()
    with pytest.raises(error):
        change(org, old, new)
    change(org, dry_run=True)
    assert key_path(org.directory, org.field_1.handle).read_bytes() == before


def test_a_revoked_member(org: Organisation) -> None:
    """Is told so, and nothing is sealed anew."""
    revoke(org.vault, org.root, "field-1")
    with pytest.raises(NotAllowed):
        change(org)


@pytest.mark.parametrize("step", ["open", "write", "fsync", "replace", "after"])
@pytest.mark.usefixtures("quick_passphrases")
def test_a_crash_at_any_point(org: Organisation, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The power fails before or after each step: one of the two passphrases opens what stands there, and the next
    change works."""
    payload = org.field_1
    path = key_path(org.directory, payload.handle)
    secrets = keyring.new_payload(org.environment, "Crash", payload.member.role)
    path.write_bytes(keyring.seal_keyfile(org.environment, org.vault.vault_id, payload.handle, secrets, OLD, COST))
    monkeypatch.setattr(repassphrase, "unlock", lambda *_, **__: payload)  # these secrets are not those of the roster
    with monkeypatch.context() as failing:
        _fail(failing, step)
        with pytest.raises(_PowerFailed):
            change(org)
    org.reopen()
    opened = [text for text in (OLD, NEW) if _opens(org, path, text)]
    assert opened == [NEW if step == "after" else OLD]
    change(org, opened[0], "a third passphrase of these")
    assert _opens(org, path, "a third passphrase of these")
    assert [item.name for item in path.parent.iterdir() if item.name.startswith("field-1")] == ["field-1.key"]


class _PowerFailed(BaseException):
    """The power is gone: nothing that would clean up is run."""


def _fail(monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    def stop(*_: object, **__: object) -> None:
        raise _PowerFailed

    if step == "open":
        monkeypatch.setattr(os, "open", stop)
        monkeypatch.setattr(files, "read_limited", lambda path, _: path.read_bytes())
    elif step == "write":
        monkeypatch.setattr(os, "fdopen", stop)
        monkeypatch.setattr(files, "read_limited", lambda path, _: path.read_bytes())
    elif step == "fsync":
        monkeypatch.setattr(os, "fsync", stop)
    elif step == "replace":
        monkeypatch.setattr(Path, "replace", stop)
    else:
        monkeypatch.setattr(files, "sync_directory", stop)


def _opens(org: Organisation, path: Path, text: str) -> bool:
    try:
        keyring.open_keyfile(path.read_bytes(), org.vault.vault_id, org.field_1.handle, text)
    except WrongPassphrase:
        return False
    return True


def test_a_key_file_that_changed_meanwhile_is_not_replaced(org: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    """A recovery of the journal puts a new compartment key into it: sealing the old contents anew would lose that."""
    path = key_path(org.directory, org.field_1.handle)
    real = keyring.seal_keyfile

    def meanwhile(*given: Any, **named: Any) -> bytes:  # noqa: ANN401 - stands in for any signature
        path.write_bytes(real(*given, **named))
        return real(*given, **named)

    monkeypatch.setattr(keyring, "seal_keyfile", meanwhile)
    with pytest.raises(VaultLocked):
        change(org)
