"""Flipping bytes of a vault, one at a time, and judging what the audit said.

A flip is "found" when the audit reports a finding, and "meaningless" when an independent judge says so twice over: the
place is free in the page map of the healthy file (pages.py), and the standard library's SQLite reads the same rows of
the same types. Everything else is an error of the audit.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.faults import pages
from tests.faults.auditing import AuditDied, AuditHung, Auditor
from tests.faults.building import remove_sidecars

DATABASE = "vault.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """One byte, XORed with a mask."""

    place: int
    mask: int


@dataclass
class Tally:
    """What came of many flips."""

    outcomes: Counter[str] = field(default_factory=Counter)
    by_label: Counter[tuple[str, str]] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        counts = ", ".join(f"{name} {count}" for name, count in sorted(self.outcomes.items()))
        return f"{sum(self.outcomes.values())} flips: {counts}"


def draw(page_map: pages.PageMap, count: int, seed: int) -> Iterator[Flip]:
    """`count` places: half anywhere in the file, a quarter at bytes that say something, a quarter at the bytes that
    hold the structure together (headers, pointers), which are few and easily missed by chance."""
    random = Random(seed)
    size = len(page_map.data)
    meaningful = [i for i in range(size) if page_map.meaningful(i)]
    structure = [i for i in meaningful if "content" not in page_map.labels[i]]
    for number in range(count):
        places = (range(size), range(size), meaningful, structure)[number % 4]
        yield Flip(place=random.choice(places), mask=random.randrange(1, 256))


def sample_of(page_map: pages.PageMap, label: str) -> list[int]:
    """Every place with a label."""
    return [i for i, held in enumerate(page_map.labels) if held == label]


def _same_rows(path: Path, rows: list[tuple[object, ...]]) -> bool:
    try:
        return pages.dump(path) == rows
    except sqlite3.Error:
        return False


def run(auditor: Auditor, original: Path, work: Path, flips: Iterator[Flip]) -> Tally:
    """Flips, audits and judges, one after the other, in `work`."""
    shutil.copytree(original, work)
    database = work / DATABASE
    page_map = pages.map_of(database)
    rows = pages.dump(database)
    remove_sidecars(work)
    tally = Tally()
    for flip in flips:
        changed = bytearray(page_map.data)
        changed[flip.place] ^= flip.mask
        database.write_bytes(changed)
        label = page_map.labels[flip.place]
        page, inside = divmod(flip.place, pages.PAGE)
        what = f"byte {flip.place} (page {page + 1}+{inside}, {label}) ^ {flip.mask:#04x}"
        outcome = "meaningless"
        try:
            answer = auditor.audit(work)
        except (AuditHung, AuditDied) as error:
            outcome = "error"
            tally.errors.append(f"{what}: {error}")
        else:
            if answer.found:
                outcome = "found"
            elif answer.verdict != "intact, NOT anchored":
                outcome = "error"
                tally.errors.append(f"{what}: {answer.verdict} {answer.raised}")
            elif page_map.meaningful(flip.place) or not _same_rows(database, rows):
                outcome = "error"
                tally.errors.append(f"{what}: called intact")
        if database.read_bytes() != bytes(changed):
            outcome = "error"
            tally.errors.append(f"{what}: the audit wrote into the database")
        remove_sidecars(work)
        tally.outcomes[outcome] += 1
        tally.by_label[label, outcome] += 1
    return tally
