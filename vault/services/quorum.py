"""The custodians' quorum: shares as they are given, what is wrong with each, and the recovery key that they combine to.

A share says openly which set it belongs to (a random number), which one of it it is and how many combine, and carries a
checksum. So it can be said of each what is wrong with it before any are combined. What they combine to is compared with
the recovery key on the roster of this vault: shares of another vault never pass for this one's. Nothing here writes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from vault.errors import FormatError, UsageError, WrongPassphrase
from vault.formats.share import WORDS, ShareCard, parse_share
from vault.model import VaultId
from vault.ports import day_of
from vault.primitives import hpke, shares as slip39
from vault.primitives.shares import ShareMark
from vault.services import files
from vault.services.roster import RecoveryKey, Roster
from vault.services.vault import Vault

_MOST_BYTES = 4096


class ShareState(StrEnum):
    """What is to be said of one share."""

    GOOD = "good"
    ALTERED = "altered"
    OTHER_VAULT = "of another vault"
    OTHER_SET = "of another set"
    EARLIER = "of an earlier recovery key"
    TWICE = "given twice"


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenShare:
    """A share as somebody gave it: `name` is what messages call it (a file's name, or "share 2" as typed). `vault_id`,
    `number` (from 1) and the day it was `made` (ISO 8601) are what its card says; typed words say none of it."""

    name: str
    words: str = field(repr=False)
    vault_id: VaultId | None = None
    number: int | None = None
    threshold: int | None = None
    made: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareChecked:
    """One share and what is to be said of it; its number in its set from 1, where its words tell."""

    name: str
    state: ShareState
    number: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quorum:
    """What shares come to: how many of one set are good (`have`), how many that set needs (0 where no share tells), and
    whether every good one takes part in the recovery key of this vault (`proven`). `problem` says what is missing.
    `earlier` is the recovery key that they combine to where root has replaced that one since."""

    have: int
    need: int
    shares: tuple[ShareChecked, ...]
    proven: bool
    problem: str = ""
    earlier: RecoveryKey | None = None

    @property
    def altered(self) -> bool:
        """Whether a share's words are not the ones that were made."""
        return any(share.state is ShareState.ALTERED for share in self.shares)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedRecovery:
    """What enough shares gave: a recovery key that root signed, and its 32-byte seed."""

    seed: bytes = field(repr=False)
    key: RecoveryKey


def read_share_file(path: Path) -> GivenShare:
    """The share in a file, as it was made or typed again. Raises FormatError for anything else, UsageError for a file
    that cannot be read."""
    card = parse_share(files.read_limited(path, _MOST_BYTES))
    return _given(card, path.name)


def _given(card: ShareCard, name: str) -> GivenShare:
    return GivenShare(
        name=name,
        words=card.words,
        vault_id=card.vault_id,
        number=card.number,
        threshold=card.threshold,
        made=card.made,
    )


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
    """The 32-byte seed of the recovery key in force. Raises FormatError when it fails for an altered share,
    WrongPassphrase for too few, mixed or foreign ones, and for those of an earlier key; never gives another key."""
    quorum, found = _combined(vault.roster, given)
    if found is not None and quorum.earlier is None:
        return found.seed
    raise _refused(quorum)


def any_recovery(vault: Vault, given: Sequence[GivenShare]) -> OpenedRecovery:
    """The seed of a recovery key that root ever signed, and which one it is. Raises as `recovery_seed`, but not for
    shares of an earlier key: of a recorder who never went over to the one in force, only they open anything."""
    quorum, found = _combined(vault.roster, given)
    if found is None:
        raise _refused(quorum)
    return found


def _refused(quorum: Quorum) -> FormatError | WrongPassphrase:
    kind = FormatError if quorum.altered else WrongPassphrase
    return kind(quorum.problem, hint='"fieldvault recovery drill" says what is wrong with each')


def _combined(roster: Roster, given: Sequence[GivenShare]) -> tuple[Quorum, OpenedRecovery | None]:
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
    found, problem = _opened(roster, list(good.values()), need, tuple(checked))
    earlier = None
    if found is None:
        problem += _made_before(roster, given)
    elif found.key.key_id != roster.recovery_id:
        earlier, problem = found.key, f"have {len(good)} of {need}, and they combine to {_earlier(roster, found.key)}"
        checked = [_of_earlier(share) for share in checked]
    quorum = Quorum(
        have=len(good),
        need=need,
        shares=tuple(checked),
        proven=found is not None and earlier is None,
        problem=problem,
        earlier=earlier,
    )
    return quorum, found


def _of_earlier(share: ShareChecked) -> ShareChecked:
    return replace(share, state=ShareState.EARLIER) if share.state is ShareState.GOOD else share


def _earlier(roster: Roster, key: RecoveryKey) -> str:
    return f"an earlier recovery key, which root replaced on {replaced_on(roster, key)}"


def replaced_on(roster: Roster, key: RecoveryKey) -> str:
    """The day, as the roster claims, on which the next recovery key came into force."""
    rank = roster.recovery_rank(key.key_id)
    return day_of(roster.recoveries[rank + 1].day).isoformat()


def _made_before(roster: Roster, given: Sequence[GivenShare]) -> str:
    """What to add where cards are older than the recovery key in force, as far as days can be believed."""
    if not roster.replaced_ids:
        return ""
    since = day_of(roster.recoveries[-1].day).isoformat()
    if not any(share.made and share.made < since for share in given):
        return ""
    return f"; root replaced the recovery key on {since}, and some of these cards are older"


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


def _opened(
    roster: Roster, words: list[str], need: int, checked: tuple[ShareChecked, ...]
) -> tuple[OpenedRecovery | None, str]:
    """The recovery key behind the good shares, or why there is none. Every one of them must take part in it."""
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
    public = hpke.public_key(seed) if len(seed) == hpke.SEED else b""
    key = next((item for item in roster.recoveries if item.key == public), None)
    if key is None:
        return None, f"have {len(words)} of {need}, and they combine, but not to the recovery key of this vault{wrong}"
    return OpenedRecovery(seed=seed, key=key), ""
