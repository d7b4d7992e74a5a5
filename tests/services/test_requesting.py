"""Requests for membership: keys are made where they stay, and asking twice is asking once."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.organisation import Organisation
from tests.services.enrolling import PASSPHRASE, Laptop
from vault.errors import IntegrityError, StorageError, UsageError, WrongPassphrase
from vault.formats.keyfile import parse_keyfile
from vault.formats.request import PENDING, parse_request
from vault.model import Handle, Role
from vault.services import enrolment, keyring
from vault.services.enrolment import read_request, request_membership
from vault.services.words import FINGERPRINT_WORDS

pytestmark = pytest.mark.usefixtures("quick_passphrases")


@pytest.fixture
def laptop(tmp_path: Path) -> Laptop:
    """A new one."""
    return Laptop(tmp_path)


def test_a_request_holds_public_keys_and_the_laptop_the_secret_ones(laptop: Laptop) -> None:
    """The key file waits under no vault's id and opens with the passphrase; no secret is in the request."""
    requested = laptop.request()
    assert list(laptop.files()) == ["keys/field-9.key"]
    raw = laptop.files()["keys/field-9.key"]
    assert parse_keyfile(raw).vault_id == PENDING
    payload = keyring.open_keyfile(raw, PENDING, Handle("field-9"), PASSPHRASE)
    assert len(payload.compartments) == 1
    request = parse_request(requested.path.read_bytes())
    assert request.keys == keyring.public_keys(payload)
    text = requested.path.read_bytes()
    for secret in (payload.signing_seed, payload.sealing_seed, payload.compartments[0][1], PASSPHRASE.encode()):
        assert secret not in text
    assert len(requested.fingerprint.split()) == FINGERPRINT_WORDS == 12
    assert read_request(requested.path).fingerprint == requested.fingerprint


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_only_the_owner_may_read_the_waiting_key(laptop: Laptop) -> None:
    """The directories too."""
    laptop.request()
    for path, mode in (("", 0o700), ("keys", 0o700), ("keys/field-9.key", 0o600)):
        assert (laptop.directory / path).stat().st_mode & 0o777 == mode


def test_asking_again_writes_the_same_request(laptop: Laptop) -> None:
    """A lost stick costs nothing: the same keys, the same bytes, and the file that is there already will do."""
    first = laptop.request()
    before = laptop.files()
    second = laptop.request()
    assert (second.again, second.fingerprint) == (True, first.fingerprint)
    assert second.path.read_bytes() == first.path.read_bytes()
    same = request_membership(
        laptop.directory, handle="field-9", role=Role.RECORDER, passphrase=PASSPHRASE, request_file=first.path
    )
    assert same.path == first.path
    assert laptop.files() == before


def test_waiting_keys_are_replaced_only_when_asked_to(laptop: Laptop) -> None:
    """Another passphrase or another kind of role is refused; `replace` forgets the keys."""
    first = laptop.request()
    before = laptop.files()
    for role, passphrase, error in (
        (Role.RECORDER, "another passphrase", WrongPassphrase),
        (Role.HUB, PASSPHRASE, UsageError),
    ):
        with pytest.raises(error) as caught:
            request_membership(
                laptop.directory, handle="field-9", role=role, passphrase=passphrase, request_file=laptop.new_file()
            )
        assert "--replace" in caught.value.hint
    assert laptop.files() == before
    again = laptop.request(role=Role.HUB, replace=True)
    assert again.fingerprint != first.fingerprint
    assert laptop.files() != before


def test_keys_that_have_joined_are_never_replaced(org: Organisation, laptop: Laptop) -> None:
    """Not even with `replace`: the journal would lose its writer."""
    laptop.join(laptop.answer(org))
    before = laptop.files()
    for replacing in (False, True):
        with pytest.raises(UsageError, match="already"):
            laptop.request(replace=replacing)
    (laptop.directory / "vault.db").unlink()
    with pytest.raises(UsageError, match="already"):
        laptop.request(replace=True)
    assert laptop.files()["keys/field-9.key"] == before["keys/field-9.key"]


def test_a_rehearsal_makes_nothing(laptop: Laptop) -> None:
    """No directory, no key, no file, and no words of keys that are not there."""
    path = laptop.new_file()
    how = {"handle": "field-9", "role": Role.RECORDER, "passphrase": PASSPHRASE, "dry_run": True}
    requested = request_membership(laptop.directory, request_file=path, **how)  # type: ignore[arg-type]
    assert requested.fingerprint == ""
    assert not laptop.directory.exists()
    assert not path.exists()
    path.write_bytes(b"something")
    with pytest.raises(UsageError, match="exists already"):
        request_membership(laptop.directory, request_file=path, **how)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("handle", "role", "passphrase", "match"),
    [
        ("Field-9", Role.RECORDER, PASSPHRASE, "handle"),
        ("root", Role.RECORDER, PASSPHRASE, "one root"),
        ("field-9", Role.ROOT, PASSPHRASE, "one root"),
        ("field-9", Role.RECORDER, "short", "passphrase"),
    ],
)
def test_what_does_not_fit_makes_no_keys(laptop: Laptop, handle: str, role: Role, passphrase: str, match: str) -> None:
    """A usage error, and nothing is there."""
    with pytest.raises(UsageError, match=match):
        request_membership(
            laptop.directory, handle=handle, role=role, passphrase=passphrase, request_file=laptop.new_file()
        )
    assert not laptop.directory.exists()


def test_a_file_that_cannot_be_written_makes_no_keys(laptop: Laptop) -> None:
    """A name that is taken, or a stick that is not there, is said before keys are made."""
    taken = laptop.new_file()
    taken.write_bytes(b"somebody's")
    for path, match in ((taken, "exists already"), (laptop.home / "no" / "stick", "no directory")):
        with pytest.raises(UsageError, match=match):
            request_membership(
                laptop.directory, handle="field-9", role=Role.HUB, passphrase=PASSPHRASE, request_file=path
            )
    assert not laptop.directory.exists()
    assert taken.read_bytes() == b"somebody's"


@pytest.mark.parametrize("step", ["write_keyfile", "open_pending", "_write_request"])
def test_a_crash_while_asking_is_mended_by_asking_again(
    laptop: Laptop, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Before the key file, before its proof, before the request: no half of anything."""

    def crash(*_: object, **__: object) -> None:
        raise StorageError("injected")

    with monkeypatch.context() as patch:
        patch.setattr(keyring if step == "write_keyfile" else enrolment, step, crash)
        with pytest.raises(StorageError):
            laptop.request()
    assert list(laptop.stick.iterdir()) == []
    assert read_request(laptop.request().path).member.handle == "field-9"


def test_a_disk_that_lies_is_noticed_before_anybody_approves(laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key file is opened as it was written; otherwise there is no request."""
    real = keyring.seal_keyfile

    def lie(*given: Any) -> bytes:  # noqa: ANN401 - stands in for any signature
        environment, vault_id, handle, payload, text, cost = given
        return real(environment, vault_id, handle, replace(payload, signing_seed=bytes(32)), text, cost)

    monkeypatch.setattr(keyring, "seal_keyfile", lie)
    with pytest.raises(IntegrityError, match="no request"):
        laptop.request()
    assert list(laptop.stick.iterdir()) == []
