"""The five levels of the audit of a published directory (`services/audit_levels.py` says what each means)."""

from __future__ import annotations

from collections.abc import Sequence

from vault.ports import day_of
from vault.services.audit_given import HeadChecked, HeadVerdict
from vault.services.audit_levels import Level, LevelStatus
from vault.services.audit_tile_memory import TileJournal
from vault.services.findings import BYTES, CROSS, FRESHNESS, MEMORY, SIGNATURES, FindingKind


def published_levels(
    kinds: Sequence[FindingKind],
    journals: Sequence[TileJournal],
    files: int,
    heads: Sequence[HeadChecked],
    quoted: int,
    unmet: int = 0,
    quorum: str = "",
) -> tuple[Level, ...]:
    """What each level came to. Without a clock freshness is a day and no age."""
    leaves = sum(item.head.size for item in journals)
    kept = sum(item.verdict is HeadVerdict.HOLDS for item in heads)
    anchored = sum(item.anchored > 0 for item in journals)
    covered = sum(item.anchored for item in journals)
    days = [day for item in journals for head in item.cosigned_heads() for _, day in head.witnesses]
    of = _counted(len(journals), "journal", "journals")
    said = f"{anchored} of {of} {'is' if anchored == 1 else 'are'} anchored, {covered:,} of {leaves:,} entries"
    if kept:
        said += f"; {_counted(kept, 'head that was kept holds', 'heads that were kept hold')}"
    if unmet:
        said = f"the quorum of your policy ({quorum}) is not met for {unmet} of {of}"
    return (
        _level(
            kinds,
            BYTES,
            f"{_counted(leaves, 'entry', 'entries')} in {_counted(files, 'file', 'files')}" if journals else "",
            "the roster cannot be read",
        ),
        _level(
            kinds,
            SIGNATURES,
            f"{_counted(len(journals), 'head', 'heads')} and the roster" if journals else "",
            "nothing is signed",
        ),
        _level(
            kinds,
            MEMORY,
            said if anchored or unmet else "",
            "no head and no policy of your own says what was before",
            lacking=unmet > 0,
        ),
        _level(
            kinds,
            CROSS,
            f"{_counted(quoted, 'head that a journal quotes', 'heads that journals quote')}" if quoted else "",
            "no journal quotes another",
        ),
        _level(
            kinds,
            FRESHNESS,
            f"somebody else last cosigned on {day_of(max(days)).isoformat()}, as they say" if days else "",
            "nobody else has cosigned anything",
        ),
    )


def _counted(number: int, one: str, more: str) -> str:
    return f"{number:,} {one if number == 1 else more}"


def _level(kinds: Sequence[FindingKind], name: str, holds: str, why_not: str, *, lacking: bool = False) -> Level:
    faults = sum(kind.count for kind in kinds if kind.level == name)
    if faults:
        places = "1 place does not hold" if faults == 1 else f"{faults:,} places do not hold"
        return Level(name=name, status=LevelStatus.FINDING, message=places, findings=faults)
    if lacking:
        return Level(name=name, status=LevelStatus.NOTICE, message=holds)
    if not holds:
        return Level(name=name, status=LevelStatus.UNCHECKED, message=f"because {why_not}")
    return Level(name=name, status=LevelStatus.HOLDS, message=holds)
