"""Keys that are held between commands: good as long as the key file and the roster say so."""

from __future__ import annotations

import pytest

from tests.organisation import COST, PASSPHRASES, Organisation
from vault.errors import NotAllowed, UsageError, WrongPassphrase
from vault.services.cases import list_cases
from vault.services.held import hold_keys, keys_of
from vault.services.keyring import key_path
from vault.services.repassphrase import change_passphrase
from vault.services.revoking import revoke


def test_held_keys_are_the_members(org: Organisation) -> None:
    """They do what the unlocked keys do, without the passphrase; nothing of them shows."""
    held = hold_keys(org.vault, "field-1", PASSPHRASES["field-1"])
    assert keys_of(org.vault, held) == org.field_1
    assert list_cases(org.reopen(), keys_of(org.vault, held)) == ()
    assert PASSPHRASES["field-1"] not in repr(held)
    assert held.sealed.hex()[:32] not in repr(held)
    assert not any(PASSPHRASES["field-1"] in str(getattr(held, name)) for name in held.__slots__)


def test_a_wrong_passphrase_holds_nothing(org: Organisation) -> None:
    """Nor does a member whose key is elsewhere, or nobody's."""
    with pytest.raises(WrongPassphrase):
        hold_keys(org.vault, "field-1", "another passphrase")
    with pytest.raises(UsageError):
        hold_keys(org.vault, "field-9", PASSPHRASES["field-1"])
    key_path(org.directory, org.field_1.handle).unlink()
    with pytest.raises(UsageError, match="not on this laptop"):
        hold_keys(org.vault, "field-1", PASSPHRASES["field-1"])


def test_a_new_passphrase_ends_it(org: Organisation) -> None:
    """The keys are the same, the key file is not: who sat there before has to know the new passphrase."""
    held = hold_keys(org.vault, "field-1", PASSPHRASES["field-1"])
    change_passphrase(org.vault, "field-1", PASSPHRASES["field-1"], "quite another one", cost=COST)
    with pytest.raises(UsageError, match="unlock again"):
        keys_of(org.vault, held)
    assert keys_of(org.vault, hold_keys(org.vault, "field-1", "quite another one")) == held.me


def test_a_key_file_that_is_gone_ends_it(org: Organisation) -> None:
    """As when somebody takes it away with a stick."""
    held = hold_keys(org.vault, "field-1", PASSPHRASES["field-1"])
    key_path(org.directory, org.field_1.handle).unlink()
    with pytest.raises(UsageError):
        keys_of(org.vault, held)


def test_a_revocation_ends_it(org: Organisation) -> None:
    """Also one that came after the keys were opened."""
    held = hold_keys(org.vault, "field-1", PASSPHRASES["field-1"])
    revoke(org.vault, org.root, "field-1")
    with pytest.raises(NotAllowed, match="revoked"):
        keys_of(org.vault, held)
