"""The five levels of an audit, each with its own answer, so that nobody takes one for another.

    bytes           everything here is whole: entries, tree, parts, wraps, tables
    signatures      everything was signed by whoever had to sign it
    memory          it extends what was seen before: heads that others cosigned, or that were kept outside the vault
    cross-copies    it agrees with other copies: heads that journals quote of each other, other directories
    freshness       how long ago somebody else last saw it

Each holds, has findings, or was not looked at, and then it says why. Freshness makes no findings: what is old is no
contradiction. Its days are counted by this laptop's clock and the cosigner's, and either may be wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from vault.formats.origin import short_name
from vault.model import Handle, Origin
from vault.ports import day_number, day_of
from vault.services.audit_copies import CopyCompared
from vault.services.audit_given import HeadChecked, HeadVerdict
from vault.services.audit_memory import Memory
from vault.services.findings import BYTES, CROSS, FRESHNESS, MEMORY, SIGNATURES, FindingKind

STALE_DAYS: Final = 90
"""Beyond this a hint says that somebody should look again."""
_CLOCK: Final = "by this laptop's clock, which may be wrong"


class LevelStatus(StrEnum):
    """What a level came to."""

    HOLDS = "holds"
    FINDING = "finding"
    NOTICE = "notice"
    """It holds, and there is something to be done."""
    UNCHECKED = "not looked at"


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One level: its name, its status, the reason or the figures in words, and how many findings it has."""

    name: str
    status: LevelStatus
    message: str
    findings: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """Who last cosigned a journal that is not their own, up to where, on which day, and how many days ago that is by
    this laptop's clock (negative: in its future). None of it when nobody has."""

    origin: Origin
    by: Handle | None = None
    size: int = 0
    day: date | None = None
    age: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What an audit has seen, for the levels to be told from. `quoted` is how many heads journals quote of each other,
    `quoted_faults` how many findings came of comparing them."""

    kinds: Sequence[FindingKind]
    leaves: int
    checkpoints: int
    memory: Memory | None
    quoted: int
    quoted_faults: int
    heads: Sequence[HeadChecked]
    copies: Sequence[CopyCompared]
    today: date | None


def levels_of(facts: Facts) -> tuple[Level, ...]:
    """The five levels, in their order."""
    return (
        _counted(facts, BYTES, f"{facts.leaves:,} entries, with everything that belongs to them"),
        _counted(facts, SIGNATURES, f"{facts.checkpoints:,} signed heads, under the roster that root signed"),
        _memory(facts),
        _cross(facts),
        _freshness(facts),
    )


def _faults(facts: Facts, level: str) -> int:
    return sum(kind.count for kind in facts.kinds if kind.level == level)


def _counted(facts: Facts, name: str, holds: str) -> Level:
    faults = _faults(facts, name)
    if faults:
        return Level(name=name, status=LevelStatus.FINDING, message=_places(faults), findings=faults)
    return Level(name=name, status=LevelStatus.HOLDS, message=holds)


def _places(faults: int) -> str:
    return "1 place does not hold" if faults == 1 else f"{faults:,} places do not hold"


def _memory(facts: Facts) -> Level:
    faults = _faults(facts, MEMORY) - facts.quoted_faults
    if faults > 0:
        return Level(name=MEMORY, status=LevelStatus.FINDING, message=_places(faults), findings=faults)
    heads = facts.memory.heads if facts.memory else 0
    given = [item for item in facts.heads if item.verdict is HeadVerdict.HOLDS]
    if facts.memory is None:
        return Level(name=MEMORY, status=LevelStatus.UNCHECKED, message="because the roster cannot be read")
    if not heads and not given:
        message = "because no head came back from another laptop yet, and none was given with --head"
        return Level(name=MEMORY, status=LevelStatus.UNCHECKED, message=message)
    message = "1 remembered head" if heads == 1 else f"{heads} remembered heads"
    if not heads:
        message = "no head is remembered here"
    if given:
        anchors = ", ".join(
            f"{short_name(item.head.origin)} up to {item.head.size} ({item.head.kept})" for item in given
        )
        message += f"; anchors given with --head: {anchors}"
    return Level(name=MEMORY, status=LevelStatus.HOLDS, message=message)


def _cross(facts: Facts) -> Level:
    faults = _faults(facts, CROSS) + facts.quoted_faults
    if faults:
        return Level(name=CROSS, status=LevelStatus.FINDING, message=_places(faults), findings=faults)
    if facts.memory is None:
        return Level(name=CROSS, status=LevelStatus.UNCHECKED, message="because the roster cannot be read")
    if not facts.quoted and not facts.copies:
        message = "because no journal here quotes another one, and no other directory was given with --copy"
        return Level(name=CROSS, status=LevelStatus.UNCHECKED, message=message)
    journals = sum(copy.journals for copy in facts.copies)
    heads = "1 head" if facts.quoted == 1 else f"{facts.quoted} heads"
    copies = "1 copy" if len(facts.copies) == 1 else f"{len(facts.copies)} copies"
    message = f"{heads} that journals quote of others"
    if facts.copies:
        message += f", {journals} {'journal' if journals == 1 else 'journals'} of {copies}"
    return Level(name=CROSS, status=LevelStatus.HOLDS, message=message)


def freshness_of(facts: Facts) -> tuple[Freshness, ...]:
    """Each journal that has entries, in the order in which they came."""
    memory = facts.memory
    if memory is None:
        return ()
    found = []
    for journal in memory.journals.values():
        if not journal.size:
            continue
        newest = memory.newest.get(journal.origin)
        if newest is None:
            found.append(Freshness(origin=journal.origin))
            continue
        day, by, size = newest
        age = None if facts.today is None else day_number(facts.today) - day
        found.append(Freshness(origin=journal.origin, by=by, size=size, day=day_of(day), age=age))
    return tuple(found)


def _freshness(facts: Facts) -> Level:
    fresh = freshness_of(facts)
    if not fresh or facts.today is None:
        why = "because there is nothing to look at" if facts.today is not None else "because no clock was given"
        return Level(name=FRESHNESS, status=LevelStatus.UNCHECKED, message=why)
    never = sum(item.age is None for item in fresh)
    ages = [item.age for item in fresh if item.age is not None]
    said = []
    if never:
        said.append(f"nobody else has cosigned {never} of {len(fresh)} journals")
    if any(age > STALE_DAYS for age in ages):
        said.append(f"one was last cosigned {max(ages)} days ago: exchange bundles, or let an auditor cosign")
    if any(age < 0 for age in ages):
        said.append(f"one was cosigned {-min(ages)} days from now: a clock was wrong, this one or the cosigner's")
    if said:
        return Level(name=FRESHNESS, status=LevelStatus.NOTICE, message=f"{'; '.join(said)} ({_CLOCK})")
    message = f"each of {len(fresh)} journals was cosigned within {max(ages)} days ({_CLOCK})"
    return Level(name=FRESHNESS, status=LevelStatus.HOLDS, message=message)
