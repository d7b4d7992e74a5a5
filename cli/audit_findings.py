"""What an audit found, as people read it: causes first, and a flood of one kind as a few lines and a number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from vault import Finding, FindingKind

NOTICE: Final = "notice"
"""The level of what is worth knowing and no fault."""
SHOWN: Final = 5
"""Lines of one kind that are printed; the others are a number."""
_MORE: Final = "more"


class Found(Protocol):
    """A report with findings: of a vault or of a published directory."""

    @property
    def findings(self) -> Sequence[Finding]:
        """Those that are listed, causes first."""
        ...

    @property
    def kinds(self) -> Sequence[FindingKind]:
        """How many there are of each kind, listed or not."""
        ...


def faults(report: Found) -> list[Finding]:
    """The listed findings that are no notices."""
    return [item for item in report.findings if item.level != NOTICE and item.code != _MORE]


def count_faults(report: Found) -> int:
    """How many there are, listed or not."""
    return sum(kind.count for kind in report.kinds if kind.level != NOTICE)


def fault_lines(report: Found) -> Iterator[str]:
    """The first few of each kind, each kind together and where its first one stands, and how many more there are."""
    found = faults(report)
    counts = {(kind.level, kind.code): kind.count for kind in report.kinds}
    for kind, listed in Counter((item.level, item.code) for item in found).items():
        shown = [item for item in found if (item.level, item.code) == kind][:SHOWN]
        for item in shown:
            yield f"{item.level}  {item.code}  {item.where}: {item.message}"
        more = max(counts.get(kind, 0), listed) - len(shown)
        if more:
            yield f"{kind[0]}  {kind[1]}  and {more:,} more of this kind"


def places(report: Found) -> str:
    """The last line of a finding."""
    count = count_faults(report)
    return f"FINDING: {count:,} {'place does' if count == 1 else 'places do'} not hold."


def anchor_lines(anchors: Sequence[str], without: str) -> Iterator[str]:
    """What the verdict rests on, one journal a line; `without` is said when nothing vouches for anything."""
    for number, anchor in enumerate(anchors or (without,)):
        yield f"{'        ' if number else 'anchor: '}{anchor}"


def evidence_lines(report: Found, kept: Sequence[Path], asked: Path | None) -> Iterator[str]:
    """Where evidence was written: each folder, and the directory that was asked for."""
    for path in kept:
        yield f"evidence: {path}"
    if asked is not None and faults(report):
        yield f"evidence: written in {asked}; begin with README.txt"
    elif asked is not None:
        yield "evidence: none was written: nothing was found"
