"""Custodians at work, for tests: their shares as given, and a recorder who is gone."""

from __future__ import annotations

from collections.abc import Sequence

from tests.organisation import Organisation
from vault.services.answering import accept_offer
from vault.services.quorum import GivenShare, read_share_file
from vault.services.restoring import Restored, restore
from vault.services.revoking import revoke

WHY = "she was arrested at the river"


def shares_of(org: Organisation, *numbers: int) -> list[GivenShare]:
    """The shares with these numbers, from 1; without any, the first two."""
    paths = sorted(org.shares_dir.iterdir())
    return [read_share_file(paths[number - 1]) for number in numbers or (1, 2)]


def lose(org: Organisation, handle: str = "field-1") -> None:
    """Root cuts a member off."""
    revoke(org.vault, org.root, handle)


def restored(
    org: Organisation, *, to: str = "field-2", given: Sequence[GivenShare] | None = None, dry_run: bool = False
) -> Restored:
    """The hub hands field-1's cases on."""
    shares = shares_of(org) if given is None else given
    return restore(org.vault, org.keys["hub-1"], "field-1", to, shares, reason=WHY, dry_run=dry_run)


def accept_all(org: Organisation, done: Restored, handle: str = "field-2") -> list[str]:
    """The successor accepts each offer; what the cases are called then."""
    return [str(accept_offer(org.vault, org.keys[handle], offer).pseudonym) for offer in done.offers]
