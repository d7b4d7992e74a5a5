"""Claims: what an erasure says of an earlier epoch of its writer.

Entries are named by their numbers, and a laptop that was restored from a backup may have written others under the same
numbers before it knew. So an erasure names the history that it means: the root over the first entries of that epoch.
Where other entries stand here it excuses nothing and nobody deletes anything for it: a rolled back or forked epoch
hides behind no tombstone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from vault.formats.leaf import drops_tally, raw_places, raw_warrant
from vault.formats.warrant import History
from vault.model import KeyId, Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Entry `seq` of the journal `origin` says that entries of `target` are gone, in one history of it, and whether
    their tally parts are gone too."""

    origin: Origin
    seq: int
    target: Origin
    history: History
    seqs: tuple[int, ...]
    tally: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Excuses:
    """Why something may be missing in a journal that arrives, told by other journals: what later epochs of its writer
    say, and the keys of those who erased something. What others wrapped to them in dealings of an erased case is gone
    too; that is not told apart from their other cases here, and fills in from whoever has it."""

    claims: tuple[Claim, ...] = ()
    keys: frozenset[KeyId] = frozenset()


def claim_of(origin: Origin, seq: int, extra: list[Any]) -> Claim | None:
    """The claim in the checked `extra` of an erasure; None for one that speaks for its own journal."""
    warrant = raw_warrant(extra)
    if warrant is None or warrant.history is None:
        return None
    places = raw_places(extra)
    return Claim(
        origin=origin,
        seq=seq,
        target=Origin(places[0][0]),
        history=warrant.history,
        seqs=tuple(number for _, number in places),
        tally=drops_tally(extra),
    )


def claims_on(target: Origin, claims: Iterable[Claim]) -> Iterator[Claim]:
    """Those of one journal."""
    return (claim for claim in claims if claim.target == target)
