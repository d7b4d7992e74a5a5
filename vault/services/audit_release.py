"""Whether a published file is what a director's journal released: with no key, from the leaves alone.

The JSON form of a release carries its digest; the same bytes without it must hash to that digest, and the digest must
stand in a `release` entry of a director's journal that is here. Any other form is a function of the JSON one, so it is
checked beside it: `--release totals.json --release totals.html`. What the audit of the journals themselves found is a
matter of its own; run both together.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from vault.errors import FormatError, IntegrityError, UsageError
from vault.formats.leaf import parse_fields
from vault.formats.origin import parse_origin
from vault.formats.release import Release
from vault.formats.release_json import encode_json, parse_json
from vault.model import Kind, Origin, Role
from vault.primitives import tree
from vault.primitives.hashing import sha256
from vault.services.entry_rules import limit_of
from vault.services.files import read_limited
from vault.services.release_files import FORMATS, encode_release
from vault.services.vault import Vault

MOST_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """A file that stands in a journal: which entry, and on which day (UTC, since 1970-01-01) it was written.

    `counted` are the journals that it was counted from, with how many entries of each: None where this laptop does not
    hold that state of the journal."""

    path: Path
    table: str
    origin: Origin
    seq: int
    day: int
    counted: tuple[tuple[Origin, int | None], ...] = ()


def verify_releases(vault: Vault, paths: Sequence[Path]) -> tuple[Released, ...]:
    """Where each of these files was released.

    Raises IntegrityError for a file that is not what was released, or was not released by any journal that is here;
    UsageError for one that cannot be read, or is no JSON and has no JSON beside it.
    """
    contents = {path: read_limited(path, MOST_BYTES) for path in paths}
    releases: dict[Path, Release] = {}
    for path, raw in contents.items():
        if raw[:1] == b"{":
            try:
                releases[path] = parse_json(raw)
            except FormatError as error:
                raise IntegrityError(f"{path.name}: {error.message}: it was changed after it was released") from None
    if not releases:
        raise UsageError(
            "only the JSON form of a release can be checked by itself",
            hint="give it as well: --release FILE.json --release FILE.html",
        )
    found = {path: _released(vault, path, release) for path, release in releases.items()}
    for path, raw in contents.items():
        if path in releases:
            continue
        same = next((of for of, release in releases.items() if raw in _forms(release)), None)
        if same is None:
            raise IntegrityError(f"{path.name} is not a form of the releases given: it was changed, or is another one")
        found[path] = replace(found[same], path=path)
    return tuple(found[path] for path in paths)


def _forms(release: Release) -> list[bytes]:
    return [encode_release(release, name) for name in FORMATS]


def _released(vault: Vault, path: Path, release: Release) -> Released:
    digest = sha256(encode_json(replace(release, digest=None)))
    if release.digest is None:
        raise IntegrityError(f"{path.name} was never entered in a journal")
    if digest.hex() != release.digest:
        raise IntegrityError(f"{path.name} is not what was released: its digest does not fit its content")
    for status in vault.journals():
        writer = vault.roster.member(parse_origin(status.origin).handle)
        limit = limit_of(writer, status.origin)
        if writer.role is not Role.DIRECTOR:
            continue
        for raw in vault.store.leaves(vault.journal_number(status.origin)):
            _, seq, kind, day, _, extra = parse_fields(raw)
            if kind == Kind.RELEASE and extra == [digest] and (limit is None or seq < limit):
                counted = tuple(_counted(vault, line) for line in release.checkpoints)
                return Released(path=path, table=release.table, origin=status.origin, seq=seq, day=day, counted=counted)
    raise IntegrityError(
        f"no director's journal on this laptop released {path.name}",
        hint="import the newest bundle of the director or of the hub, and look again",
    )


def _counted(vault: Vault, line: str) -> tuple[Origin, int | None]:
    """Of which size a journal was when it was counted: the one with this root."""
    origin, _, root = line.rpartition(" ")
    if origin not in {status.origin for status in vault.journals()}:
        return Origin(origin), None
    frontier: list[bytes] = []
    entries = vault.store.leaves(vault.journal_number(Origin(origin)))
    for size, raw in enumerate(chain([None], entries)):
        if raw is not None:
            tree.append(frontier, size - 1, tree.leaf_hash(raw))
        if b64encode(tree.fold(frontier)).decode() == root:
            return Origin(origin), size
    return Origin(origin), None
