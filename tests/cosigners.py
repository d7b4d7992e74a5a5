"""Auditors who cosign, and directories that were published for them: what the tests of `audit cosign` share."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.laptops import History, Laptop
from vault.formats.origin import parse_origin
from vault.formats.tiles import TilePath, TileStack, encode_entries, encode_hashes, encode_path
from vault.primitives import tree
from vault.services.audit import verify_vault
from vault.services.audit_cosign import Answer
from vault.services.audit_publish import publish
from vault.services.audit_publish_texts import directory_of
from vault.services.cosigning import Cosigning, cosign_journals
from vault.services.findings import NOTICE


def answers(found: Cosigning) -> dict[str, Answer]:
    """By whose journal."""
    return {parse_origin(head.origin).handle: head.answer for head in found.heads}


def faults(laptop: Laptop) -> list[str]:
    """What the audit of a laptop says."""
    return [item.code for item in verify_vault(laptop.directory).findings if item.level != NOTICE]


def cosign(laptop: Laptop, *published: Path, handle: str = "auditor-1", dry_run: bool = False) -> Cosigning:
    """Cosigns."""
    return cosign_journals(laptop.vault, laptop.key(handle), published=published, dry_run=dry_run)


def published(laptop: Laptop, name: str = "published") -> Path:
    """What a laptop publishes."""
    path = laptop.fleet.home / name
    publish(laptop.directory, path)
    return path


def shown(directory: Path, history: History, size: int | None = None) -> Path:
    """Puts another history of one journal into a published directory, tiles, entries and signed head, as its writer
    could."""
    folder = directory / directory_of(history.origin)
    shutil.rmtree(folder / "tile", ignore_errors=True)
    leaves = history.leaves[:size]
    stack = TileStack()
    tiles = []
    for start in range(0, len(leaves), 256):
        some = leaves[start : start + 256]
        path = folder / encode_path(TilePath(level=None, index=start // 256, width=len(some)))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_entries(some))
        tiles += list(stack.take(tree.leaf_hashes(some)))
    for tile, hashes in [*tiles, *stack.edge()]:
        path = folder / encode_path(tile)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_hashes(hashes))
    (folder / "checkpoint").write_bytes(history.note(len(leaves)))
    return directory
