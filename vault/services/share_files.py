"""Making recovery shares: splitting the seed, proving the split, and the files and printed cards for the custodians.

The files are plain text and the cards a page to print: whoever holds enough of them holds the recovery key. They lie
outside the vault, for their owner alone, until each custodian has theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from vault.errors import IntegrityError, UsageError
from vault.formats.share import ShareCard, encode_share
from vault.formats.share_cards import encode_cards
from vault.model import VaultId
from vault.primitives import shares as slip39
from vault.services import files
from vault.services.words import fingerprint_of


def split_seed(seed: bytes, threshold: int, shares: int) -> tuple[str, ...]:
    """The recovery shares, proven by combining the first and the last that suffice. Raises UsageError for numbers that
    cannot be."""
    cards = slip39.split(seed, threshold=threshold, shares=shares)
    if any(slip39.combine(few) != seed for few in (cards[:threshold], cards[-threshold:])):
        raise IntegrityError("the recovery shares do not combine; nothing was written")
    return cards


def check_outside(directory: Path, shares_dir: Path) -> None:
    """Raises UsageError for a place inside the vault: who finds the laptop must not find the shares."""
    inside, outside = shares_dir.resolve(), directory.resolve()
    if inside == outside or outside in inside.parents:
        raise UsageError(
            "the recovery shares must not lie inside the vault", hint="name a stick or another folder with --shares-dir"
        )


def share_paths(shares_dir: Path, vault_id: VaultId, count: int, made: str = "") -> tuple[Path, ...]:
    """The names of the files: those of a further set (`made` is its day) are told apart from the first one's."""
    day = f"-{made}" if made else ""
    return tuple(shares_dir / f"share-{number}-of-{count}-{vault_id[:8]}{day}.txt" for number in range(1, count + 1))


def cards_of(vault_id: VaultId, words: Sequence[str], threshold: int, made: date) -> tuple[ShareCard, ...]:
    """The custodians' cards of one set."""
    return tuple(
        ShareCard(
            vault_id=vault_id,
            number=number,
            count=len(words),
            threshold=threshold,
            made=made.isoformat(),
            words=line,
        )
        for number, line in enumerate(words, start=1)
    )


def write_shares(cards: Sequence[ShareCard], paths: Sequence[Path], printed: Path | None = None) -> None:
    """Writes a set's files, and its page of cards where one is wanted: all of them, or none stay. Raises UsageError for
    one that exists already, StorageError."""
    everything = [*paths, *([printed] if printed is not None else [])]
    for path in everything:
        if path.exists():
            raise UsageError(f"{path.name} exists already", hint="name another place for the shares")
    for parent in dict.fromkeys(path.parent for path in paths):
        files.make_private_directory(parent, parents=True)
    try:
        for path, card in zip(paths, cards, strict=True):
            files.write_private(path, encode_share(card))
        if printed is not None:
            page = encode_cards(cards, fingerprint_of(cards[0].vault_id))
            files.write_private(printed, page.encode())
    except BaseException:
        remove_shares(everything)  # of a set that will not be: none of them stood there before
        raise


def remove_shares(paths: Sequence[Path]) -> None:
    """Removes files of a set that will not be."""
    for path in paths:
        path.unlink(missing_ok=True)
