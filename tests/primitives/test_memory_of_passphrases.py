"""How much memory a passphrase may take: a quarter of the machine's at most, and a plain word when it is not there."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable

import pytest
from argon2.exceptions import HashingError

from vault.errors import StorageError
from vault.primitives import passphrase as module
from vault.primitives.passphrase import LEAST_MEMORY, MOST_MEMORY, KdfCost, calibrate, stretch

PAGE = 4096
MIB = 1024
"""KiB."""


def _machine(monkeypatch: pytest.MonkeyPatch, memory: int) -> None:
    """A machine with `memory` KiB."""
    sizes = {"SC_PHYS_PAGES": memory * 1024 // PAGE, "SC_PAGE_SIZE": PAGE}
    monkeypatch.setattr(os, "sysconf", sizes.__getitem__)


def _calibrated(monkeypatch: pytest.MonkeyPatch) -> KdfCost:
    """The cost on a machine so fast that only the bounds hold it back."""
    monkeypatch.setattr(module, "hash_secret_raw", lambda *_, **__: bytes(32))
    ticks = itertools.count(0.0, 1e-4)
    return calibrate(lambda: next(ticks))


@pytest.mark.parametrize(
    ("machine", "expected"),
    [
        (512 * MIB, 128 * MIB),
        (1024 * MIB, 256 * MIB),
        (2048 * MIB, 512 * MIB),
        (4096 * MIB, MOST_MEMORY),
        (65536 * MIB, MOST_MEMORY),
    ],
)
def test_a_quarter_of_the_memory_at_most(machine: int, expected: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fast machine takes the quarter, never more, and never more than the cap."""
    _machine(monkeypatch, machine)
    assert _calibrated(monkeypatch).memory == expected <= machine // 4


def test_a_machine_with_hardly_any_memory_gets_the_floor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Below 256 MiB the quarter would be no protection: the floor stands. With just that much the two are one."""
    for machine, expected in ((128, 64), (256, 64), (260, 65)):
        _machine(monkeypatch, machine * MIB)
        assert _calibrated(monkeypatch).memory == expected * MIB
    assert LEAST_MEMORY == 64 * MIB


def _raiser(error: type[Exception]) -> Callable[[str], int]:
    def sysconf(name: str) -> int:
        raise error(name)

    return sysconf


@pytest.mark.parametrize("error", [ValueError, OSError, None], ids=["a name unknown", "a refusal", "no sysconf"])
def test_where_the_platform_does_not_tell_the_cap_holds(
    error: type[Exception] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows has no `os.sysconf`, other systems do not know the name: the cap of 1 GiB, as on a large machine."""
    _machine(monkeypatch, 1024 * MIB)
    assert _calibrated(monkeypatch).memory < MOST_MEMORY, "negative control: a machine that tells"
    if error is None:
        monkeypatch.delattr(os, "sysconf")
    else:
        monkeypatch.setattr(os, "sysconf", _raiser(error))
    assert _calibrated(monkeypatch).memory == MOST_MEMORY


@pytest.mark.parametrize("error", [HashingError, MemoryError])
def test_too_little_memory_is_said_in_plain_words(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    """What the library raises becomes a StorageError that names the MiB, without the passphrase and without a chain."""
    assert len(stretch("zq passphrase", bytes(16), KdfCost())) == 32, "negative control: there is enough"

    def full(*_: object, **__: object) -> bytes:
        raise error("zq")

    monkeypatch.setattr(module, "hash_secret_raw", full)
    with pytest.raises(StorageError) as caught:
        stretch("zq passphrase", bytes(16), KdfCost(memory=512 * MIB))
    assert "512 MiB" in caught.value.message
    assert "zq" not in repr(caught.value)
    assert caught.value.__suppress_context__


def test_another_mistake_is_not_called_a_lack_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: only those two are."""

    def broken(*_: object, **__: object) -> bytes:
        raise TypeError

    monkeypatch.setattr(module, "hash_secret_raw", broken)
    with pytest.raises(TypeError):
        stretch("zq passphrase", bytes(16), KdfCost())
