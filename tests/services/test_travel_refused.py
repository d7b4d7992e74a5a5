"""What arming, answering and disarming refuse, and a process that dies on the way."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from tests.laptops import Fleet
from tests.organisation import COST, flipped, rows_of
from tests.services.travelling import SECRET, STEP, Travelling, laptop_key
from vault.errors import (
    IntegrityError,
    NotAllowed,
    RollbackError,
    SignatureInvalid,
    StorageError,
    UsageError,
    VaultLocked,
)
from vault.services import files, keyring
from vault.services.arming import arm
from vault.services.disarming import disarm
from vault.services.records import record
from vault.services.revoking import revoke
from vault.services.trustee import answer_travel
from vault.services.vault import Vault, unlock


def test_what_nobody_else_holds_must_be_sent_or_accepted(travelling: Travelling) -> None:
    """Refused until headquarters' word is back, or --unsent; then an import of that word does not count as unsent."""
    with pytest.raises(UsageError, match="nobody else is known to hold 3 of your entries") as refused:
        travelling.arm(unsent=False)
    assert "fieldvault bundle create --to hub-1" in refused.value.hint
    assert not travelling.request.exists()
    travelling.send()
    travelling.arm(unsent=False)
    assert travelling.field.vault.armed(travelling.me.handle) is not None


@pytest.mark.parametrize(
    ("to", "error", "message"),
    [
        ("field-1", UsageError, "somebody else"),
        ("director-1", NotAllowed, "neither"),
        ("auditor-1", NotAllowed, "neither"),
        ("root", NotAllowed, "neither"),
        ("nobody-7", UsageError, "nobody-7"),
    ],
)
def test_who_may_not_be_the_trustee(travelling: Travelling, to: str, error: type[Exception], message: str) -> None:
    """Oneself, a director, an auditor, root, somebody unknown: nothing is written."""
    before = laptop_key(travelling.field).read_bytes()
    with pytest.raises(error) as caught:
        travelling.arm(to=to)
    assert message in str(caught.value) or to == "nobody-7"
    assert laptop_key(travelling.field).read_bytes() == before
    assert not travelling.request.exists()


def test_a_trustee_on_the_same_laptop(fleet: Fleet) -> None:
    """Whoever takes the laptop would have both halves."""
    laptop = fleet.laptop("shared", "field-1", "hub-1")
    with pytest.raises(UsageError, match="is on this laptop"):
        arm(laptop.vault, laptop.key("field-1"), SECRET, "hub-1", fleet.stick / "r.fvt", unsent=True, cost=COST)


def test_a_trustee_who_was_revoked(fleet: Fleet) -> None:
    """Root's word counts here too."""
    laptop = fleet.laptop("office", "field-1", "root")
    revoke(laptop.vault, laptop.key("root"), "field-2")
    with pytest.raises(NotAllowed, match="revoked"):
        arm(laptop.vault, laptop.key("field-1"), SECRET, "field-2", fleet.stick / "r.fvt", unsent=True, cost=COST)


@pytest.mark.parametrize("done", ["DELETE FROM wrap", "UPDATE wrap SET bytes = zeroblob(1168)"])
def test_a_recovery_wrap_that_is_gone_or_another(travelling: Travelling, done: str) -> None:
    """Then only this key file opens the journal: it is not armed."""
    with rows_of(travelling.field.directory) as rows:
        rows.run(f"{done} WHERE purpose = 'compartment'")
    with pytest.raises(IntegrityError, match="recovery key"):
        travelling.arm()


def test_the_file_stays_out_of_the_vault(travelling: Travelling) -> None:
    """Inside it would be with the laptop when that is taken."""
    with pytest.raises(UsageError, match="must not lie in the vault"):
        arm(
            travelling.field.vault,
            travelling.me,
            SECRET,
            "hub-1",
            travelling.field.directory / "keys" / "request.fvt",
            unsent=True,
            cost=COST,
        )


def test_only_a_recorder_is_armed(travelling: Travelling) -> None:
    """Headquarters opens nothing anyway."""
    with pytest.raises(NotAllowed):
        arm(
            travelling.hq.vault,
            travelling.hq.key("hub-1"),
            "x" * 20,
            "field-1",
            travelling.request,
            unsent=True,
            cost=COST,
        )


def test_a_laptop_that_was_restored_from_a_backup_is_not_armed(travelling: Travelling) -> None:
    """Nothing could be added to its journal: the next epoch comes first."""
    backup = travelling.field.copied("backup")
    record(travelling.field.vault, travelling.me, "journey", travelling.case, STEP)
    travelling.send()
    path = travelling.hq.bundle("field-1", "hub-1")
    backup.take(path, "field-1")
    with pytest.raises(RollbackError):
        arm(backup.vault, travelling.me, SECRET, "hub-1", travelling.request, unsent=True, cost=COST)


def test_a_stick_that_fails_leaves_the_laptop_as_it_was(
    travelling: Travelling, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What reads back differently is no file for a trustee: it is removed, and nothing is armed."""
    before = laptop_key(travelling.field).read_bytes()
    real = files.write_new_file

    def torn(path: Path, write: Callable[[BinaryIO], None], **how: bool) -> None:
        real(path, write, **how)
        path.write_bytes(flipped(path.read_bytes()))

    monkeypatch.setattr(files, "write_new_file", torn)
    with pytest.raises(StorageError, match="not what was written"):
        travelling.arm()
    assert laptop_key(travelling.field).read_bytes() == before
    assert not travelling.request.exists()


@pytest.mark.parametrize("crash", range(1, 10))
def test_a_crash_while_arming(travelling: Travelling, crash: int) -> None:
    """The process dies at each call that changes a file: not armed, or armed and the trustee's file is whole.

    There are eight such calls; the ninth is the control, in which it ends well.
    """
    key_file = laptop_key(travelling.field)
    before = key_file.read_bytes()
    travelling.field.close()
    child = os.fork()
    if child == 0:
        try:
            _die_at(crash)
            with Vault.open(travelling.field.directory, travelling.field.environment) as vault:
                arm(vault, travelling.me, SECRET, "hub-1", travelling.request, unsent=True, cost=COST)
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == (9 if crash <= 8 else 0)
    travelling.field.vault = Vault.open(travelling.field.directory, travelling.field.environment)
    if travelling.field.vault.armed(travelling.me.handle) is None:
        assert key_file.read_bytes() == before
        assert crash <= 8
        travelling.request.unlink(missing_ok=True)
        travelling.arm()
    assert travelling.disarm().kept == ()
    assert unlock(travelling.field.vault, "field-1", SECRET) == travelling.me


def _die_at(crash: int) -> None:
    """Ends this process before the given one of its calls that change a file."""
    count = 0

    def dying(real: Callable[..., object]) -> Callable[..., object]:
        def call(*given: object, **named: object) -> object:
            nonlocal count
            count += 1
            if count == crash:
                os._exit(9)
            return real(*given, **named)

        return call

    Path.replace = dying(Path.replace)  # type: ignore[method-assign, assignment]
    os.fsync, os.pwrite = dying(os.fsync), dying(os.pwrite)  # type: ignore[assignment]


def test_the_trustee_refuses(travelling: Travelling) -> None:
    """Other words, another trustee, a file that was changed, a member whom root has revoked."""
    made = travelling.arm()
    with pytest.raises(NotAllowed, match="not the words"):
        travelling.answered("academic acid acne")
    other = travelling.fleet.laptop("other", "field-2")
    with pytest.raises(NotAllowed, match='is for "hub-1"'):
        answer_travel(other.vault, other.key("field-2"), travelling.request, made.words)
    raw = travelling.request.read_bytes()
    travelling.request.write_bytes(flipped(raw, 1500))
    with pytest.raises(SignatureInvalid, match="it was changed"):
        travelling.answered(made.words)
    travelling.request.write_bytes(raw)
    travelling.answered(f"1. {made.words.upper()}")
    revoke(travelling.hq.vault, travelling.fleet.keys["root"], "field-1")
    with pytest.raises(NotAllowed, match="revoked"):
        travelling.answered(made.words)


def test_an_answer_to_another_arming(travelling: Travelling) -> None:
    """Does not open, and the laptop stays armed; so does a torn one."""
    travelling.arm()
    old = travelling.answered(None).read_bytes()
    travelling.disarm()
    travelling.request.unlink()
    travelling.arm()
    travelling.answer.write_bytes(old)
    before = laptop_key(travelling.field).read_bytes()
    with pytest.raises(NotAllowed, match="another arming"):
        disarm(travelling.field.vault, "field-1", SECRET, travelling.answer, cost=COST)
    assert laptop_key(travelling.field).read_bytes() == before
    assert travelling.disarm().kept == ()


def test_a_key_file_that_changes_meanwhile_is_not_replaced(
    travelling: Travelling, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disarming that another process overtook leaves what that one made."""
    travelling.arm()
    answer = travelling.answered(None)
    real = keyring.seal_keyfile

    def meanwhile(*given: Any, **named: Any) -> bytes:  # noqa: ANN401 - stands in for any signature
        laptop_key(travelling.field).write_bytes(real(*given, **named))
        return real(*given, **named)

    monkeypatch.setattr(keyring, "seal_keyfile", meanwhile)
    with pytest.raises(VaultLocked):
        disarm(travelling.field.vault, "field-1", SECRET, answer, cost=COST)
