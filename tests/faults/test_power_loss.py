"""Acknowledged means durable (invariant 6): the machine dies at any moment, and nothing that was called saved is lost.

The model is written down in tests/faults/power.py. What SQLite writes while a recorder works is recorded; then the disk
is rebuilt as it may be after each event, and opened like any vault. The same harness with SQLite's `synchronous`
lowered is the negative control: it must lose acknowledged entries, or the harness proves nothing.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from tests.faults.building import Built, entries, environment, import_lines, tiny
from tests.faults.power import Disk
from tests.faults.vfs import Event, recording
from vault.errors import VaultError
from vault.services.audit import INTACT_UNANCHORED, verify_vault
from vault.services.importing import import_file
from vault.services.records import record
from vault.services.vault import Vault
from vault.store import connect
from vault.store.schema import PRAGMAS

Work = Callable[[Vault, Built, Callable[[], None]], None]


def _records(vault: Vault, built: Built, acknowledge: Callable[[], None]) -> None:
    for number in range(5):
        record(vault, built.keys["field-1"], "journey", built.case, {"event": "transit", "notes": "x" * number * 300})
        acknowledge()


def _import(vault: Vault, built: Built, acknowledge: Callable[[], None]) -> None:
    path = vault.directory.parent / "people.jsonl"
    path.write_bytes(import_lines("x", 12))
    import_file(vault, built.keys["field-1"], path)
    acknowledge()


@dataclass
class Outcome:
    """What became of the crashes: `ok`, `lost` (an acknowledged entry is gone), `damaged` (opening or the audit
    complains)."""

    counts: Counter[str] = field(default_factory=Counter)
    points: int = 0
    first: str = ""

    def add(self, what: str, where: str) -> None:
        """Counts one crash."""
        self.counts[what] += 1
        if what != "ok" and not self.first:
            self.first = f"{what} {where}"


def _crash_test(tmp_path: Path, work: Work, *, sizes: list[int], worlds: int, every: int = 1, seed: int = 3) -> Outcome:
    """Records `work`, then crashes after every `every`-th event in `worlds` ways. `sizes` are the entries after each
    acknowledgement, the first before any."""
    built = tiny()
    live = built.copy(tmp_path / "live")
    before = {"vault.db": (live / "vault.db").read_bytes()}
    with recording() as events, Vault.open(live, environment(51)) as vault:
        work(vault, built, lambda: events.append(Event("ack")))
    random = Random(seed)
    disk = Disk(before)
    outcome = Outcome()
    grave = tmp_path / "grave"
    shutil.copytree(live / "keys", grave / "keys")
    for number, event in enumerate(events):
        disk.take(event)
        if number % every and event.what != "ack":
            continue
        outcome.points += 1
        for world, files in enumerate(disk.crashes(random, worlds)):
            for old in grave.glob("vault.db*"):
                old.unlink()
            for name, content in files.items():
                (grave / name).write_bytes(content)
            where = f"after event {number} ({event.what} {event.name}), world {world}, {disk.acks} acknowledged"
            outcome.add(_judge(grave, built, sizes[disk.acks], sizes), where)
    assert disk.acks == len(sizes) - 1
    return outcome


def _judge(directory: Path, built: Built, acknowledged: int, sizes: list[int]) -> str:
    try:
        with Vault.open(directory, environment()) as vault:
            held = entries(vault, built.keys["field-1"])
    except VaultError:
        return "damaged"
    if verify_vault(directory).verdict != INTACT_UNANCHORED:
        return "damaged"
    if held < acknowledged:
        return "lost"
    return "ok" if held in sizes else "torn"


def _sizes(acks: int, step: int) -> list[int]:
    built = tiny()
    with Vault.open(built.directory, environment()) as vault:
        start = entries(vault, built.keys["field-1"])
    return [start + step * number for number in range(acks + 1)]


def test_power_loss_while_recording(tmp_path: Path) -> None:
    """Five records, then closing: after every event, in five ways each, all acknowledged entries are there."""
    outcome = _crash_test(tmp_path, _records, sizes=_sizes(5, 1), worlds=5)
    assert outcome.points > 50
    assert set(outcome.counts) == {"ok"}, outcome.first


def test_power_loss_while_importing(tmp_path: Path) -> None:
    """An import of 36 entries: before its acknowledgement all or nothing, after it all."""
    outcome = _crash_test(tmp_path, _import, sizes=_sizes(1, 36), worlds=5)
    assert outcome.points > 20
    assert set(outcome.counts) == {"ok"}, outcome.first


@pytest.mark.long
def test_power_loss_in_very_many_ways(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same in forty ways each."""
    for name, work, sizes in (("record", _records, _sizes(5, 1)), ("import", _import, _sizes(1, 36))):
        outcome = _crash_test(tmp_path / name, work, sizes=sizes, worlds=40, seed=17)
        with capsys.disabled():
            print(f"\npower loss, {name}: {outcome.points} points, {dict(outcome.counts)}")  # noqa: T201  # the result
        assert set(outcome.counts) == {"ok"}, outcome.first


@pytest.mark.parametrize(("mode", "code"), [("off", 0), ("normal", 1)])
def test_the_harness_can_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str, code: int) -> None:
    """Negative control: with synchronous=OFF or NORMAL acknowledged entries are lost, and the harness sees it."""
    lowered = tuple(("synchronous", mode, code) if name == "synchronous" else (name, value, held)
                    for name, value, held in PRAGMAS)  # fmt: skip
    monkeypatch.setattr(connect, "PRAGMAS", lowered)
    outcome = _crash_test(tmp_path, _records, sizes=_sizes(5, 1), worlds=4)
    assert outcome.counts["lost"] > 20


def test_the_judge_sees_torn_and_damaged_states(tmp_path: Path) -> None:
    """Negative control: a vault with a wrong number of entries is torn, and one with a changed byte is damaged."""
    built = tiny()
    directory = built.copy(tmp_path / "vault")
    sizes = _sizes(1, 1)
    assert _judge(directory, built, sizes[0], sizes) == "ok"
    assert _judge(directory, built, sizes[0], [sizes[0] - 1]) == "torn"
    assert _judge(directory, built, sizes[1], sizes) == "lost"
    data = bytearray((directory / "vault.db").read_bytes())
    data[-50] ^= 1
    data[300] ^= 1
    data[60] ^= 1
    (directory / "vault.db").write_bytes(data)
    assert _judge(directory, built, sizes[0], sizes) == "damaged"
