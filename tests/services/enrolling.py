"""A new laptop beside the organisation of `tests/organisation.py`, and what goes to and fro between them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.organisation import COST, Organisation, canary, environment_of
from vault.errors import VaultError
from vault.model import Role
from vault.services.enrolment import Approved, Requested, approve, read_request, request_membership
from vault.services.joining import Joined, join
from vault.services.keyring import Keyring
from vault.services.vault import Vault, unlock

PASSPHRASE = canary("passphrase of the new laptop")


class Laptop:
    """A laptop without a vault yet, and a stick."""

    def __init__(self, home: Path, name: str = "laptop") -> None:
        self.home = home / name
        self.home.mkdir()
        self.directory = self.home / "vault"
        self.stick = self.home / "stick"
        self.stick.mkdir()
        self.environment = environment_of(f"{home} {name}")
        self._files = 0

    def new_file(self) -> Path:
        """A name on the stick that is free."""
        self._files += 1
        return self.stick / f"file-{self._files}"

    def request(self, handle: str = "field-9", role: Role = Role.RECORDER, *, replace: bool = False) -> Requested:
        """Makes keys and a request."""
        return request_membership(
            self.directory,
            handle=handle,
            role=role,
            passphrase=PASSPHRASE,
            request_file=self.new_file(),
            environment=self.environment,
            cost=COST,
            replace=replace,
        )

    def approved(self, org: Organisation, requested: Requested) -> Approved:
        """Has it approved; the words are compared."""
        request = read_request(requested.path)
        return approve(org.vault, org.root, request, self.new_file(), fingerprint=requested.fingerprint)

    def answer(self, org: Organisation, handle: str = "field-9", role: Role = Role.RECORDER) -> Path:
        """Request and approval: the file of the answer."""
        return self.approved(org, self.request(handle, role)).path

    def join(
        self, answer: Path, handle: str = "field-9", fingerprint: str | None = None, *, dry_run: bool = False
    ) -> Joined:
        """Takes the answer."""
        return join(
            self.directory,
            handle=handle,
            passphrase=PASSPHRASE,
            answer_file=answer,
            fingerprint=fingerprint,
            environment=self.environment,
            cost=COST,
            dry_run=dry_run,
        )

    def open(self) -> Vault:
        """The vault that was joined."""
        return Vault.open(self.directory, self.environment)

    def unlocked(self, vault: Vault, handle: str = "field-9") -> Keyring:
        """The new member's keys."""
        return unlock(vault, handle, PASSPHRASE)

    def files(self) -> dict[str, bytes]:
        """Every file of the vault's directory, by its path."""
        return {
            path.relative_to(self.directory).as_posix(): path.read_bytes()
            for path in sorted(self.directory.rglob("*"))
            if path.is_file()
        }


def refused(
    laptop: Laptop,
    answer: Path,
    kind: type[VaultError],
    match: str = "",
    *,
    handle: str = "field-9",
    fingerprint: str | None = None,
) -> None:
    """Joining fails with one clear line, and nothing is left behind."""
    before = laptop.files()
    with pytest.raises(kind, match=match or None) as caught:
        laptop.join(answer, handle, fingerprint)
    assert "\n" not in caught.value.message
    assert laptop.files() == before
    assert [path.name for path in laptop.directory.iterdir() if path.name.startswith(".")] == []
