"""Bundles of the stand-in for the façade."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol

VAULT = "fieldvault/00112233445566778899aabbccddeeff"
TODAY = 20_526
"""2026-03-14, in days since 1970-01-01."""


def journal(origin: str, **other: object) -> SimpleNamespace:
    """A journal's status: seven entries, three of them witnessed, the fourth written twelve days ago."""
    usual = {"size": 7, "root": bytes(range(32)), "witnessed": 3, "unwitnessed_since": TODAY - 12, "heard": 3}
    return SimpleNamespace(origin=origin, **{**usual, "locked": None, "own": True, **other})


def item(name: str, outcome: str, before: int = 0, after: int = 0) -> SimpleNamespace:
    """What became of one journal, `field-2/1`, of a bundle."""
    return SimpleNamespace(origin=f"{VAULT}/{name}", before=before, after=after, outcome=outcome)


def arrived(*journals: SimpleNamespace, code: int = 0, **other: Any) -> SimpleNamespace:  # noqa: ANN401
    """What an import answers; `receipts` and `locked` by the short names of journals."""
    return SimpleNamespace(
        sender=other.get("sender", "hub-1"),
        day=TODAY,
        journals=journals,
        heads=other.get("heads", 0),
        receipts=tuple((f"{VAULT}/{name}", size) for name, size in other.get("receipts", ())),
        locked=tuple(f"{VAULT}/{name}" for name in other.get("locked", ())),
        erased=other.get("erased", 0),
        forgotten=other.get("forgotten", 0),
        new_recovery=other.get("new_recovery", ""),
        cleaned=other.get("cleaned", True),
        still_locked=tuple(f"{VAULT}/{name}" for name in other.get("still_locked", ())),
        evidence=other.get("evidence", ()),
        code=code,
    )


def waits(**what: tuple[object, ...]) -> SimpleNamespace:
    """What waits after an import: nothing, unless a test has it otherwise."""
    return SimpleNamespace(**{"offers": (), "changed": (), "conflicts": (), **what})


class Answers(Protocol):
    """What is told what it was asked to do, and knows what came."""

    arrived: SimpleNamespace
    waits: SimpleNamespace

    def called(self, name: str, what: object = None) -> None:
        """Remember."""
        ...


def functions(vault: Answers) -> Mapping[str, object]:
    """Every name of the façade that `cli/bundles.py` calls."""

    def create_bundle(
        _: object,
        me: str,
        to: Sequence[str],
        path: Path,
        *,
        full: bool,
        progress: Callable[[str, int, int], None],
        dry_run: bool,
    ) -> SimpleNamespace:
        progress("sealed", 1, 1)
        vault.called("create_bundle", {"me": str(me), "to": tuple(to), "path": path, "full": full, "dry_run": dry_run})
        return SimpleNamespace(
            path=path / "a bundle.fvb" if path == Path() else path, size=0 if dry_run else 70_303, journals=2,
            entries=1_008, parts=0 if dry_run else 1, recipients=tuple(to), warnings=("it opened your tally to: hq-1",),
        )  # fmt: skip

    def import_bundle(
        _: object, me: str, path: Path, *, progress: Callable[[str, int, int], None], dry_run: bool
    ) -> SimpleNamespace:
        progress("verified", 1, 1)
        vault.called("import_bundle", {"me": str(me), "path": path, "dry_run": dry_run})
        return vault.arrived

    def inspect_file(path: Path) -> SimpleNamespace:
        vault.called("inspect_file", path)
        return SimpleNamespace(kind="bundle", lines=("version 1", "for at most 4 recipients"))

    def recover_journal(_: object, me: str, passphrase: str, *, dry_run: bool = False) -> SimpleNamespace:
        vault.called("recover_journal", (str(me), dry_run))
        return SimpleNamespace(
            origin=f"{VAULT}/{me}/2", follows=f"{VAULT}/{me}/1", witnessed=3, only_here=(), certain=True, keyring=me
        )

    def what_waits(_: object, me: str, news: object) -> SimpleNamespace:
        return vault.waits

    return {
        "what_waits": what_waits,
        "create_bundle": create_bundle,
        "import_bundle": import_bundle,
        "inspect_file": inspect_file,
        "recover_journal": recover_journal,
    }
