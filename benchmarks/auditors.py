"""A published journal of 1,000,000 entries, verified in one streaming pass: by one process and by two.

Printed beside it, in the same run and over the same entries: what hashlib alone needs to hash them (nothing can be
faster in Python), what hashing the whole tree needs, and where `make interop` has been run, x/mod's sumdb in Go (it
checks every tile, entry and signature, as we do, and parses no entry) and `pymerkle`, another Merkle tree library (it
builds its tree, and checks no entry, no file and no signature). Memory is the most that the verifying
process ever held, as the system counts it. The targets are 250,000 entries a second a core, and 300 MB.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256, shake_256
from pathlib import Path

from vault.formats.checkpoint import Checkpoint, sign_checkpoint
from vault.formats.leaf import Leaf, PartRef, encode_leaf
from vault.formats.leaf_pattern import beginnings
from vault.formats.note import encode_vkey
from vault.formats.origin import origin_of
from vault.formats.tiles import WIDTH, TilePath, TileStack, encode_entries, encode_hashes, encode_path, parse_entries
from vault.formats.tlog_policy import encode_policy
from vault.model import Digest, Handle, Kind, Layer, Origin, PublicKeys, Role
from vault.primitives import signing, tree
from vault.services import audit_publish_texts as texts
from vault.services.roster import Roster, fold, vault_id_of

ENTRIES = 1_000_000
TARGET = 250_000
"""Entries a second of one process."""
MOST_MEMORY = 300
"""MB."""
FOREIGN = Path(__file__).resolve().parents[1] / ".venv-interop"
_HASH = 32
_ROOT_SEED, _FIELD_SEED = (sha256(name).digest() for name in (b"benchmark root", b"benchmark field-1"))
HANDLE = Handle("field-1")


def _roster_leaves() -> list[bytes]:
    root, field = (signing.public_key(seed) for seed in (_ROOT_SEED, _FIELD_SEED))
    sealing = [bytes([number]) * 1216 for number in (1, 2, 3)]
    policy = (["base", 5], ["parties", 5], ["people", 10], ["percent_base", 50])
    leaves = [
        Leaf(seq=0, kind=Kind.FOUND, day=20_000, extra=(root, sealing[0], sealing[1], [])),
        Leaf(seq=1, kind=Kind.POLICY, day=20_000, extra=policy),
        Leaf(seq=2, kind=Kind.CODEBOOK, day=20_000, extra=(bytes(_HASH),)),
        Leaf(seq=3, kind=Kind.ENROL, day=20_000, extra=(HANDLE, Role.RECORDER.value, field, sealing[2], [])),
    ]
    return [encode_leaf(leaf) for leaf in leaves]


def _templates(day: int) -> list[list[bytes]]:
    """A record that opens a case, a journey, a service: their bytes behind the number, cut where hashes go."""
    marks = [bytes([200 + number]) * _HASH for number in range(5)]
    layers = (Layer.IDENTITY, Layer.CASE, Layer.TALLY)
    found = []
    for cells, wraps in (((256, 512, 256), 2), ((0, 256, 256), 0), ((0, 512, 256), 0)):
        usual = zip(layers, cells, marks, strict=False)
        parts = tuple(PartRef(layer=layer, digest=Digest(mark), cell=cell) for layer, cell, mark in usual if cell)
        extra = [["case", b"c" * 16, marks[3]], ["identity", b"c" * 16, marks[4]]][:wraps]
        raw = encode_leaf(Leaf(seq=0, kind=Kind.RECORD, day=day, parts=parts, extra=tuple(extra)))[3:]
        for mark in marks:
            raw = raw.replace(mark, b"\0MARK\0")
        found.append(raw.split(b"\0MARK\0"))
    return found


def entries_of(count: int) -> Iterator[list[bytes]]:
    """Entries of a busy recorder, 256 at a time: every tenth opens a case, a new day begins every 200."""
    for start in range(0, count, WIDTH):
        width = min(WIDTH, count - start)
        hashes = shake_256(start.to_bytes(8, "big")).digest(5 * _HASH * width)
        templates = _templates(15_000 + start // 200 % 10_000)
        bundle = []
        for at, head in enumerate(beginnings(start, width)):
            pieces = templates[0 if at % 10 == 0 else 1 + at % 2]
            place = at * 5 * _HASH
            raw = [head, pieces[0]]
            for piece in pieces[1:]:
                raw += (hashes[place : place + _HASH], piece)
                place += _HASH
            bundle.append(b"".join(raw))
        yield bundle


def build(directory: Path, count: int = ENTRIES) -> Roster:
    """Writes a published directory with a roster and one recorder's journal of `count` entries."""
    leaves = _roster_leaves()
    roster = fold(leaves)
    root = PublicKeys(signing=signing.public_key(_ROOT_SEED), sealing=bytes([1]) * 1216)
    origin = origin_of(vault_id_of(root), HANDLE, 1)
    directory.mkdir()
    policy = texts.policy_of(roster, [roster.origin, origin], [])
    for name, seed, bundles in (
        (roster.origin, _ROOT_SEED, iter([leaves])),
        (origin, _FIELD_SEED, entries_of(count)),
    ):
        _write_journal(directory / texts.directory_of(name), roster, name, seed, bundles)
    (directory / texts.ROSTER).write_bytes(texts.encode_roster_file(roster.origin))
    (directory / texts.POLICY).write_bytes(encode_policy(policy))
    (directory / texts.MEMBERS).write_bytes(texts.encode_members(roster, [roster.origin, origin]))
    (directory / texts.README).write_bytes(texts.readme(roster, [(origin, count)], policy.quorum))
    return roster


def _write_journal(folder: Path, roster: Roster, origin: Origin, seed: bytes, bundles: Iterator[list[bytes]]) -> None:
    member = roster.member(origin.split("/")[2])
    key = texts.log_key(member, origin)
    stack, size = TileStack(), 0
    for index, bundle in enumerate(bundles):
        _put(folder, TilePath(level=None, index=index, width=len(bundle)), encode_entries(bundle))
        for path, hashes in stack.take(tree.leaf_hashes(bundle)):
            _put(folder, path, encode_hashes(hashes))
        size += len(bundle)
    for path, hashes in stack.edge():
        _put(folder, path, encode_hashes(hashes))
    note = sign_checkpoint(Checkpoint(origin=origin, size=size, root=Digest(stack.root())), seed)
    policy = texts.policy_for(texts.policy_of(roster, [origin], []), key)
    for name, raw in (
        (texts.ORIGIN, f"{origin}\n".encode()),
        (texts.VKEY, f"{encode_vkey(key)}\n".encode()),
        (texts.CHECKPOINT, note),
        (texts.POLICY, encode_policy(policy)),
    ):
        (folder / name).write_bytes(raw)


def _put(folder: Path, path: TilePath, raw: bytes) -> None:
    target = folder / encode_path(path)
    try:
        target.write_bytes(raw)
    except FileNotFoundError:
        target.parent.mkdir(parents=True)
        target.write_bytes(raw)


_CHILD = """
import json, resource, sys, time
from pathlib import Path
import vault
started = time.perf_counter()
report = vault.verify_published(Path(sys.argv[1]), processes=int(sys.argv[2]))
took = time.perf_counter() - started
used = [resource.getrusage(kind) for kind in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
cpu = sum(item.ru_utime + item.ru_stime for item in used)
memory = [item.ru_maxrss for item in used]
status = Path("/proc/self/status")
if status.exists():  # what the system counts for a process begins with what its parent held, except here
    memory[0] = next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM"))
print(json.dumps([took, cpu, report.leaves, report.verdict, memory]))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One verification: seconds by the clock and of processors, entries, verdict, and the most memory in MB that the
    process and its copy held."""

    took: float
    cpu: float
    leaves: int
    verdict: str
    memory: list[float]


def verified(directory: Path, processes: int) -> Measured:
    """One verification in a fresh process."""
    command = [sys.executable, "-c", _CHILD, str(directory), str(processes)]
    out = subprocess.run(command, capture_output=True, check=True, env={**os.environ}).stdout
    took, cpu, leaves, verdict, memory = json.loads(out)
    return Measured(
        took=took, cpu=cpu, leaves=leaves, verdict=verdict, memory=[kilobytes / 1024 for kilobytes in memory]
    )


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _folder(directory: Path) -> Path:
    """Where the recorder's journal is published."""
    roster = texts.parse_roster_file((directory / texts.ROSTER).read_bytes())
    return directory / texts.directory_of(Origin(roster.replace("/root/", f"/{HANDLE}/")))


def _bundles(directory: Path, count: int) -> Iterator[list[bytes]]:
    """The entries as they stand in the files."""
    folder = _folder(directory)
    for start in range(0, count, WIDTH):
        path = TilePath(level=None, index=start // WIDTH, width=min(WIDTH, count - start))
        yield parse_entries((folder / encode_path(path)).read_bytes(), path.width)


def _hash_each(bundles: list[list[bytes]]) -> None:
    for bundle in bundles:
        for entry in bundle:
            sha256(entry).digest()


def _hash_tree(bundles: list[list[bytes]]) -> None:
    stack = TileStack()
    for bundle in bundles:
        for _ in stack.take(tree.leaf_hashes(bundle)):
            pass
    stack.root()


def _pymerkle(folder: Path) -> float | None:
    """Seconds of another library's tree over the same entries, by the Python of .venv-interop."""
    python = FOREIGN / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not python.exists():
        return None
    out = subprocess.run([str(python), "-c", _PYMERKLE, str(folder)], capture_output=True, check=False).stdout
    return float(out) if out else None


_PYMERKLE = """
import sys, time
from pathlib import Path
from pymerkle import InmemoryTree
entries = []
for path in sorted(p for p in (Path(sys.argv[1]) / "tile" / "entries").rglob("*") if p.is_file()):
    raw, at = path.read_bytes(), 0
    while at < len(raw):
        end = at + 2 + int.from_bytes(raw[at : at + 2], "big")
        entries.append(raw[at + 2 : end])
        at = end
started = time.perf_counter()
tree = InmemoryTree(algorithm="sha256")
for entry in entries:
    tree.append_entry(entry)
tree.get_state()
print(time.perf_counter() - started)
"""


def _xmod(folder: Path) -> float | None:
    """Seconds of the Go program over golang.org/x/mod/sumdb that `make interop` builds, on the same directory."""
    checker = FOREIGN / "checker"
    if not checker.exists():
        return None
    command = [str(checker), "-vkey", (folder / texts.VKEY).read_text(encoding="ascii").strip(), str(folder)]
    return _timed(lambda: subprocess.run(command, capture_output=True, check=True))


def run(count: int = ENTRIES) -> str:
    """What was measured, as lines to print."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name) / "published"
        built = _timed(lambda: build(directory, count))
        bare = _bare(list(_bundles(directory, count)))
        folder = _folder(directory)
        bare |= {"x/mod sumdb (Go), all of it": _xmod(folder), "pymerkle, its own tree": _pymerkle(folder)}
        one, two = verified(directory, 1), verified(directory, 2)
    lines = [f"{count:,} entries, written in {built:.1f} s; {one.verdict}"]
    for told, took in bare.items():
        rate = "not installed" if took is None else f"{took:6.2f} s   {count / took:12,.0f} entries/s"
        lines.append(f"{told + ':':<26} {rate}")
    for told, item in (("one process", one), ("two processes", two)):
        ratios = ", ".join(f"{item.took / took:.2f} x {name}" for name, took in bare.items() if took is not None)
        most = " + ".join(f"{used:.0f}" for used in item.memory if used >= 1)
        rate = f"{item.took:6.2f} s   {count / item.took:12,.0f} entries/s"
        lines.append(f"{'audit, ' + told + ':':<26} {rate}   ({count / item.cpu:,.0f} a second of a core), {most} MB")
        lines.append(f"{'':<26} {ratios}")
    lines.append(
        f"targets: {TARGET:,} entries a second of a core: {_met(count / one.cpu >= TARGET)}; faster by two: "
        f"{_met(two.took < one.took)}; below {MOST_MEMORY} MB: {_met(max(one.memory + two.memory) < MOST_MEMORY)}"
    )
    return "\n".join(lines)


def _bare(bundles: list[list[bytes]]) -> dict[str, float | None]:
    """Seconds of what others need for the same entries."""
    return {
        "hashlib, each entry": min(_timed(lambda: _hash_each(bundles)) for _ in range(2)),
        "hashlib, the whole tree": min(_timed(lambda: _hash_tree(bundles)) for _ in range(2)),
    }


def _met(met: bool) -> str:
    return "met" if met else "MISSED"
