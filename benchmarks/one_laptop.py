"""Import and audit of 1,300 made-up people on one laptop, as ratios to the bare cost of the same hashing and sealing.

The bare cost is what no design could avoid: sealing byte strings of the same number and lengths, hashing the same
leaves, parts and nodes, in a plain loop in the same process. The audit is measured as `audit verify` runs it, with two
processes, and with one. Each figure is the best of a few runs, since other work
on the machine only ever adds.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import vault
from vault.model import Layer
from vault.primitives import aead, tree
from vault.primitives.hashing import sha256_each
from vault.primitives.passphrase import KdfCost
from vault.synthetic import people

RUNS = 5
PASSPHRASE = "benchmark benchmark benchmark"  # noqa: S105  # of a vault that lives for a minute


def _best(work: Callable[[], object]) -> float:
    """The best wall time of a few runs, in seconds."""
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def _stored(home: Path) -> tuple[list[bytes], list[bytes]]:
    """The leaves and parts of the last recorder's journal."""
    with vault.open_vault(home) as opened:
        store = opened.store
        number, _ = store.journals()[-1]
        leaves = list(store.leaves(number))
        return leaves, [raw for layer in Layer for _, raw in store.parts(number, layer)]


def _bare_sealing(parts: list[bytes]) -> None:
    key, aad = bytes(32), bytes(110)
    for part in parts:
        aead.seal(key, part[: len(part) - aead.OVERHEAD], aad)


def _bare_hashing(leaves: list[bytes], parts: list[bytes]) -> None:
    sha256_each(parts)
    level = tree.leaf_hashes(leaves)
    while len(level) > 1:
        level = tree.parents(level)


def _import_times(home: Path, file: Path) -> tuple[float, int]:
    """The best time of importing the file into a fresh journal each run, and the number of entries."""
    times, entries = [], 0
    with vault.open_vault(home) as opened:
        root = vault.unlock(opened, "root", PASSPHRASE)
        for run in range(RUNS):
            handle = f"field-{run}"
            vault.add_member(
                opened, root, handle=handle, role=vault.Role.RECORDER, passphrase=PASSPHRASE, cost=KdfCost()
            )
            me = vault.unlock(opened, handle, PASSPHRASE)
            started = time.perf_counter()
            entries = vault.import_file(opened, me, file).entries
            times.append(time.perf_counter() - started)
    return min(times), entries


def run() -> str:
    """Measures and reports."""
    with tempfile.TemporaryDirectory(prefix="fieldvault-bench-") as name:
        directory = Path(name)
        home, file = directory / "vault", directory / "people.jsonl"
        lines = [json.dumps(line, ensure_ascii=False) for line in people(1)]
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        vault.found(
            home,
            org="Benchmark",
            passphrase=PASSPHRASE,
            threshold=2,
            shares=3,
            shares_dir=directory / "shares",
            cost=KdfCost(),
        )
        took, entries = _import_times(home, file)
        leaves, parts = _stored(home)
        sealing, hashing = _best(lambda: _bare_sealing(parts)), _best(lambda: _bare_hashing(leaves, parts))
        report = vault.verify_vault(home)
        alone = _best(lambda: vault.verify_vault(home))
        audit = _best(lambda: vault.verify_vault(home, processes=2))
        # The audit covers every run's journal; the bare hashing one of them.
        bare_audit = hashing * report.leaves / len(leaves)
    bare_import = sealing + hashing
    return (
        f"import   {entries:>7,} entries  {entries / took:>9,.0f} a second  {took / bare_import:4.1f} x the bare "
        f"sealing and hashing ({entries / bare_import:,.0f})   promised: 5,000\n"
        f"audit    {report.leaves:>7,} leaves   {report.leaves / audit:>9,.0f} a second  {audit / bare_audit:4.1f} x "
        f"the bare hashing ({report.leaves / bare_audit:,.0f})   promised: 100,000\n"
        f"         with one process   {report.leaves / alone:>9,.0f} a second  {alone / bare_audit:4.1f} x\n"
    )
