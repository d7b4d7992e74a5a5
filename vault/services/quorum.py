"""The custodians' quorum: shares as they are given, what is wrong with each, and the recovery key that they combine to.

A share says openly which set it belongs to (a random number), which one of it it is and how many combine, and carries a
checksum. So it can be said of each what is wrong with it before any are combined. What they combine to is compared with
the recovery key on the roster of this vault: shares of another vault never pass for this one's. Nothing here writes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from vault.errors import FormatError, UsageError, WrongPassphrase
from vault.formats.share import WORDS, ShareCard, parse_share
from vault.model import VaultId
from vault.primitives import hpke
from vault.primitives import shares as slip39
from vault.primitives.shares import ShareMark
from vault.services import files
from vault.services.roster import Roster
from vault.services.vault import Vault

_MOST_BYTES = 4096


class ShareState(StrEnum):
    """What is to be said of one share."""

    GOOD = "good"
    ALTERED = "altered"
    OTHER_VAULT = "of another vault"
    OTHER_SET = "of another set"
    TWICE = "given twice"


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenShare:
    """A share as somebody gave it: `name` is what messages call it (a file's name, or "share 2" as typed). `vault_id`
    and `number` (from 1) are what its card says; typed words say neither."""

    name: str
    words: str = field(repr=False)
    vault_id: VaultId | None = None
    number: int | None = None
    threshold: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareChecked:
    """One share and what is to be said of it; its number in its set from 1, where its words tell."""

    name: str
    state: ShareState
    number: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quorum:
    """What shares come to: how many of one set are good (`have`), how many that set needs (0 where no share tells), and
    whether every good one takes part in the recovery key of this vault (`proven`). `problem` says what is missing."""

    have: int
    need: int
    shares: tuple[ShareChecked, ...]
    proven: bool
    problem: str = ""

    @property
    def altered(self) -> bool:
        """Whether a share's words are not the ones that were made."""
        return any(share.state is ShareState.ALTERED for share in self.shares)


def read_share_file(path: Path) -> GivenShare:
    """The share in a file, as it was made or typed again. Raises FormatError for anything else, UsageError for a file
    that cannot be read."""
    card = parse_share(files.read_limited(path, _MOST_BYTES))
    return _given(card, path.name)


def _given(card: ShareCard, name: str) -> GivenShare:
    return GivenShare(name=name, words=card.words, vault_id=card.vault_id, number=card.number, threshold=card.threshold)


def typed_share(line: str, number: int) -> GivenShare:
    """A share as it was typed from a card, or read from its code: capitals, commas and the numbers before the words do
    not matter. Raises FormatError unless it has the words that a share has; the message repeats nothing."""
    words = [word for word in re.split(r"[^a-z]+", line.lower()) if word]
    if len(words) != WORDS:
        raise FormatError(f"share {number} has {len(words)} words and must have {WORDS}", hint="type all of the card")
    return GivenShare(name=f"share {number}", words=" ".join(words))


def check_shares(vault: Vault, given: Sequence[GivenShare]) -> Quorum:
    """What these shares come to in this vault. Nothing is written, no case is opened, no member's key is needed. Raises
    UsageError when none are given."""
    return _combined(vault.roster, given)[0]


def recovery_seed(vault: Vault, given: Sequence[GivenShare]) -> bytes:
    """The 32-byte seed of this vault's recovery key. Raises FormatError when it fails for an altered share,
    WrongPassphrase for too few, mixed or foreign ones; never gives another key."""
    quorum, seed = _combined(vault.roster, given)
    if seed is not None:
        return seed
    if quorum.altered:
        raise FormatError(quorum.problem, hint='"fieldvault recovery drill" says what is wrong with each')
    raise WrongPassphrase(quorum.problem, hint='"fieldvault recovery drill" says what is wrong with each')


def _combined(roster: Roster, given: Sequence[GivenShare]) -> tuple[Quorum, bytes | None]:
    if not given:
        raise UsageError("no recovery share was given", hint="name each file with --share FILE")
    marks = [_mark(share) for share in given]
    ours = [m for share, m in zip(given, marks, strict=True) if m is not None and _is_ours(roster, share)]
    # The set that most of them belong to; of two that are equally many, the one that was given first.
    counted = Counter(mark.identifier for mark in dict.fromkeys(ours))
    chosen = counted.most_common(1)[0][0] if counted else None
    checked, good = list[ShareChecked](), dict[int, str]()
    for share, mark in zip(given, marks, strict=True):
        state = _state(roster, share, mark, chosen, good)
        if state is ShareState.GOOD and mark is not None:
            good[mark.index] = share.words
        checked.append(
            ShareChecked(name=share.name, state=state, number=share.number if mark is None else mark.index + 1)
        )
    need = next((mark.threshold for mark in ours if mark.identifier == chosen), 0)
    seed, problem = _seed(roster, list(good.values()), need, tuple(checked))
    quorum = Quorum(have=len(good), need=need, shares=tuple(checked), proven=seed is not None, problem=problem)
    return quorum, seed


def _mark(share: GivenShare) -> ShareMark | None:
    """What a share's words say of it; None when they are altered, or are not those of the card that they stand on."""
    try:
        mark = slip39.mark_of(share.words)
    except FormatError:
        return None
    if share.number not in (None, mark.index + 1) or share.threshold not in (None, mark.threshold):
        return None
    return mark


def _is_ours(roster: Roster, share: GivenShare) -> bool:
    return share.vault_id in (None, roster.vault_id)


def _state(
    roster: Roster, share: GivenShare, mark: ShareMark | None, chosen: int | None, good: dict[int, str]
) -> ShareState:
    if not _is_ours(roster, share):
        return ShareState.OTHER_VAULT
    if mark is None:
        return ShareState.ALTERED
    if mark.identifier != chosen:
        return ShareState.OTHER_SET
    if mark.index in good:
        # The same index with other words: one of the two was made up with a checksum of its own.
        return ShareState.TWICE if good[mark.index] == share.words else ShareState.ALTERED
    return ShareState.GOOD


def _seed(roster: Roster, words: list[str], need: int, checked: tuple[ShareChecked, ...]) -> tuple[bytes | None, str]:
    """The seed behind the good shares, or why there is none. Every one of them must take part in it."""
    others = [f"{share.name} is {share.state.value}" for share in checked if share.state is not ShareState.GOOD]
    wrong = f" ({'; '.join(others)})" if others else ""
    if not need or len(words) < need:
        return None, f"have {len(words)} of the {need or 'unknown number of'} shares that are needed{wrong}"
    quorums = [words[:need], *([*words[: need - 1], more] for more in words[need:])]
    try:
        seeds = {slip39.combine(few) for few in quorums}
    except WrongPassphrase:
        return None, f"have {len(words)} of {need}, but they do not combine: one of them was made up{wrong}"
    (seed,) = seeds if len(seeds) == 1 else (b"",)
    if len(seed) != hpke.SEED or hpke.public_key(seed) != roster.recovery:
        return None, f"have {len(words)} of {need}, and they combine, but not to the recovery key of this vault{wrong}"
    return seed, ""
