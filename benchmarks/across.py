"""1,300 made-up people exported on one laptop and imported on another, in seconds and as a ratio to the bare cost.

The bare cost is what no design could avoid: reading the same sealed rows, sealing and opening as many bytes in frames,
hashing every leaf and part twice (the first reading verifies, the second writes), and writing the file twice (the stick
and the private copy) with a sync each. The target of both together is 20 seconds.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import vault
from vault.formats.bundle_frames import FRAME
from vault.primitives.hashing import sha256_each
from vault.primitives.passphrase import KdfCost
from vault.primitives.stream import StreamOpener, StreamSealer
from vault.synthetic import people

RUNS = 3
TARGET = 20.0
"""Seconds for both together."""
PASSPHRASE = "benchmark benchmark benchmark"  # noqa: S105  # of a vault that lives for a minute


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _two_laptops(directory: Path) -> tuple[Path, Path, int]:
    """A recorder's laptop with everybody's records, and headquarters, which has none of them yet."""
    field, hub, file = directory / "field", directory / "hub", directory / "people.jsonl"
    lines = [json.dumps(line, ensure_ascii=False) for line in people(1)]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    shares = directory / "shares"
    vault.found(field, org="Benchmark", passphrase=PASSPHRASE, threshold=2, shares=3, shares_dir=shares, cost=KdfCost())
    with vault.open_vault(field) as opened:
        root = vault.unlock(opened, "root", PASSPHRASE)
        for handle, role in (("hub-1", vault.Role.HUB), ("field-1", vault.Role.RECORDER)):
            vault.add_member(opened, root, handle=handle, role=role, passphrase=PASSPHRASE, cost=KdfCost())
    shutil.copytree(field, hub)
    (hub / "keys" / "field-1.key").unlink()
    (field / "keys" / "hub-1.key").unlink()
    with vault.open_vault(field) as opened:
        entries = vault.import_file(opened, vault.unlock(opened, "field-1", PASSPHRASE), file).entries
    return field, hub, entries


def _bare(raw: bytes) -> None:
    """The least that can be done with so many bytes."""
    key = bytes(32)
    sealer = StreamSealer(key)
    opener = StreamOpener(key, sealer.header)
    chunks = [raw[at : at + FRAME] for at in range(0, len(raw), FRAME)]
    sealed = [sealer.seal(chunk, final=False) for chunk in chunks]
    with tempfile.TemporaryDirectory(prefix="fieldvault-bench-") as name:
        for copy in ("stick", "copy"):
            with (Path(name) / copy).open("wb") as out:
                out.writelines(sealed)
                os.fsync(out.fileno())
    for frame in sealed:
        opener.open(frame)
    for _ in range(2):
        sha256_each([raw[at : at + 512] for at in range(0, len(raw), 512)])


def run() -> str:
    """Measures and reports."""
    exports: list[float] = []
    imports: list[float] = []
    with tempfile.TemporaryDirectory(prefix="fieldvault-bench-") as name:
        directory = Path(name)
        field, hub, entries = _two_laptops(directory)
        bundles = []
        with vault.open_vault(field) as opened:
            me = vault.unlock(opened, "field-1", PASSPHRASE)
            for number in range(RUNS):
                path = directory / f"bundle-{number}.fvb"
                exports.append(_timed(partial(vault.create_bundle, opened, me, ["hub-1"], path)))
                bundles.append(path)
        for number, path in enumerate(bundles):
            copy = directory / f"hub-{number}"
            shutil.copytree(hub, copy)
            with vault.open_vault(copy) as opened:
                hub_key = vault.unlock(opened, "hub-1", PASSPHRASE)
                imports.append(_timed(partial(vault.import_bundle, opened, hub_key, path)))
                heads = [journal.size for journal in opened.journals() if "/field-1/" in journal.origin]
            if heads[0] < entries:
                raise SystemExit("the import did not bring every entry")
        size = bundles[0].stat().st_size
        raw = bundles[0].read_bytes()
        bare = min(_timed(partial(_bare, raw)) for _ in range(RUNS))
    total = min(exports) + min(imports)
    verdict = "met" if total < TARGET else "MISSED"
    return "\n".join(
        [
            f"entries                     {entries:>9,}",
            f"bundle                      {size / 1e6:>9.1f} MB",
            f"bundle create               {min(exports):>9.2f} s",
            f"bundle import               {min(imports):>9.2f} s",
            f"both                        {total:>9.2f} s    (target {TARGET:.0f} s: {verdict})",
            f"both / bare cost            {total / bare:>9.1f} x    (bare: {bare:.2f} s)",
        ]
    )
