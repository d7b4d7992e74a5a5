"""Published directories for tests: what a laptop publishes, and logs that anybody with a seed could have published."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.laptops import Fleet, History, Laptop, carry, record
from vault.formats.tiles import WIDTH, TilePath, TileStack, encode_entries, encode_hashes, encode_path
from vault.model import Origin
from vault.primitives import tree
from vault.services.audit_publish import Publication, publish
from vault.services.audit_publish_texts import directory_of
from vault.services.audit_tiles import PublishedReport, verify_published


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A published directory and the journal in it that tests look at."""

    path: Path
    origin: Origin

    @property
    def folder(self) -> Path:
        """The journal's directory."""
        return self.path / directory_of(self.origin)

    def tile(self, level: int | None, index: int, width: int = WIDTH) -> Path:
        """A tile or bundle of the journal."""
        return self.folder / encode_path(TilePath(level=level, index=index, width=width))

    def verify(self, *, policy: Path | None = None, heads: Sequence[str] = (), processes: int = 1) -> PublishedReport:
        """What the audit says."""
        return verify_published(self.path, policy=policy, heads=heads, processes=processes)

    def copy(self, path: Path) -> Shown:
        """The same elsewhere."""
        shutil.copytree(self.path, path)
        return Shown(path=path, origin=self.origin)


def faults(report: PublishedReport) -> list[tuple[str, str]]:
    """(level, code) of everything that is no notice."""
    return [(item.level, item.code) for item in report.findings if item.level != "notice"]


def notices(report: PublishedReport) -> list[str]:
    """The codes of the notices."""
    return [item.code for item in report.findings if item.level == "notice"]


def flip(path: Path, at: int = -1) -> None:
    """Changes one bit of a file."""
    raw = bytearray(path.read_bytes())
    raw[at] ^= 1
    path.write_bytes(raw)


def show(laptop: Laptop, path: Path, handle: str = "field-1") -> Shown:
    """What a laptop publishes."""
    again(laptop, path)
    return Shown(path=path, origin=Origin(f"fieldvault/{laptop.vault.vault_id}/{handle}/1"))


def again(laptop: Laptop, path: Path) -> Publication:
    """Publishes, with the database closed, as the command does."""
    laptop.close()
    try:
        return publish(laptop.directory, path)
    finally:
        laptop.reopen()


def everything(path: Path) -> dict[str, bytes]:
    """Every file below a directory."""
    return {item.relative_to(path).as_posix(): item.read_bytes() for item in sorted(path.rglob("*")) if item.is_file()}


def two_laptops(fleet: Fleet, entries: int = 4) -> tuple[Laptop, Laptop]:
    """Headquarters, which has cosigned field-1's journal, and the field laptop, which has the receipt."""
    hub, field = fleet.laptop("hq", "hub-1", "root"), fleet.laptop("field", "field-1")
    record(field, "field-1", entries)
    carry(field, "field-1", hub, "hub-1")
    carry(hub, "hub-1", field, "field-1")
    return hub, field


def write_history(folder: Path, history: History) -> None:
    """Puts another history of a journal in its published directory, whole and signed."""
    shutil.rmtree(folder / "tile")
    (folder / "checkpoint").write_bytes(history.note())
    stack = TileStack()
    for index in range(-(-len(history.leaves) // WIDTH)):
        entries = history.leaves[index * WIDTH : (index + 1) * WIDTH]
        _write(folder, TilePath(level=None, index=index, width=len(entries)), encode_entries(entries))
        for path, hashes in stack.take(tree.leaf_hashes(entries)):
            _write(folder, path, encode_hashes(hashes))
    for path, hashes in stack.edge():
        _write(folder, path, encode_hashes(hashes))


def _write(folder: Path, path: TilePath, raw: bytes) -> None:
    target = folder / encode_path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(raw)
