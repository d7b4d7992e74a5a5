"""A15, the ledger taken back or changed (notes, section 4): whoever makes the vault forget what it printed asks again.

Attackers have the directory of a director's laptop while nobody works there: they may delete and change rows, and put
older files back; nobody's keys. After each attack the director exports again. Pass: the export is refused, or prints
exactly the numbers that it had printed. An exporter that forgets prints a new number each time, and whoever keeps them
all averages the coin away (A7).

Where nobody else has seen the newer state, a whole older copy cannot be told from an honest one (docs/disclosure.md).
What that gives away is `pinned`: each time the copy is put back, one person more is recorded, and the same block is
printed with a new coin, of a number that is one larger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

from tests.attacks.totals.caseload import CasePerson
from tests.attacks.totals.exporters import Cell
from tests.organisation import Rows, flipped, rows_of
from vault.disclosure.facts import Fact, known_of
from vault.errors import VaultError
from vault.formats.release import Release
from vault.services.layout import DATABASE

Figures = Mapping[Any, int]
DIRECTOR: Final = "director-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How an export ended: refused with a code, or with these figures."""

    code: int = 0
    figures: Figures | None = None

    def harmless(self, before: Figures) -> bool:
        """Whether it was refused, or said nothing but what had been said (an older copy may say less of it)."""
        return self.figures is None or self.figures.items() <= before.items()


def figures_of(release: Release) -> Figures:
    """What is printed."""
    return {(cell.period, cell.labels): cell.value for cell in release.cells if cell.value is not None}


def attempt(export: Callable[[], Release]) -> Verdict:
    """The export, however it ends."""
    try:
        return Verdict(figures=figures_of(export()))
    except VaultError as refused:
        return Verdict(code=refused.code)


# -- what the attacker does to the directory ---------------------------------------------------------------------------


def _journal(rows: Rows) -> int:
    (found,) = rows.run("SELECT id FROM journal WHERE origin LIKE ?", f"%/{DIRECTOR}/1")
    return int(found[0])


def _size(rows: Rows, number: int) -> int:
    return int(rows.run("SELECT count(*) FROM leaf WHERE journal=?", number)[0][0])


def last_leaf(directory: Path) -> None:
    """The last entry's leaf is deleted."""
    with rows_of(directory) as rows:
        number = _journal(rows)
        rows.run("DELETE FROM leaf WHERE journal=? AND seq=?", number, _size(rows, number) - 1)


def last_part(directory: Path) -> None:
    """The last entry's sealed figures are deleted."""
    with rows_of(directory) as rows:
        number = _journal(rows)
        rows.run("DELETE FROM part WHERE journal=? AND seq=?", number, _size(rows, number) - 1)


def last_leaf_and_part(directory: Path) -> None:
    """Both."""
    last_part(directory)
    last_leaf(directory)


def last_entry(directory: Path) -> None:
    """Everything that speaks of what was written last is deleted: leaf, part, tree and signed head. What stays is the
    journal as it truly was, signed, after the release before."""
    with rows_of(directory) as rows:
        number = _journal(rows)
        sizes = [row[0] for row in rows.run("SELECT size FROM checkpoint WHERE journal=? ORDER BY size", number)]
        size = sizes[-2] if len(sizes) > 1 else 0
        for table in ("leaf", "part", "wrap"):
            rows.run(f"DELETE FROM {table} WHERE journal=? AND seq>=?", number, size)  # noqa: S608
        rows.run("DELETE FROM checkpoint WHERE journal=? AND size>?", number, size)
        rows.run("DELETE FROM node WHERE journal=? AND ((idx + 1) << level) > ?", number, size)


def swapped_parts(directory: Path) -> None:
    """The sealed figures of the first release stand in the last, and the other way round."""
    with rows_of(directory) as rows:
        number = _journal(rows)
        parts = rows.run("SELECT seq, bytes FROM part WHERE journal=? ORDER BY seq", number)
        for (seq, _), (_, raw) in ((parts[0], parts[-1]), (parts[-1], parts[0])):
            rows.run("UPDATE part SET bytes=? WHERE journal=? AND seq=?", raw, number, seq)


def first_part_again(directory: Path) -> None:
    """The sealed figures of the first release stand in the last, too."""
    with rows_of(directory) as rows:
        number = _journal(rows)
        parts = rows.run("SELECT seq, bytes FROM part WHERE journal=? ORDER BY seq", number)
        rows.run("UPDATE part SET bytes=? WHERE journal=? AND seq=?", parts[0][1], number, parts[-1][0])


def one_byte(directory: Path) -> None:
    """One bit of the last sealed figures."""
    with rows_of(directory) as rows:
        number = _journal(rows)
        seq, raw = rows.run("SELECT seq, bytes FROM part WHERE journal=? ORDER BY seq DESC", number)[0]
        rows.run("UPDATE part SET bytes=? WHERE journal=? AND seq=?", flipped(raw), number, seq)


def whole_journal(directory: Path) -> None:
    """Nothing of the director's journal is left but its name."""
    with rows_of(directory) as rows:
        number = _journal(rows)
        for table in ("leaf", "part", "wrap", "checkpoint", "node"):
            rows.run(f"DELETE FROM {table} WHERE journal=?", number)  # noqa: S608


def unsigned_entry(directory: Path) -> None:
    """One leaf more, a copy of the last one, that nobody signed."""
    with rows_of(directory) as rows:
        number = _journal(rows)
        size = _size(rows, number)
        (raw,) = rows.run("SELECT bytes FROM leaf WHERE journal=? AND seq=?", number, size - 1)[0]
        rows.run("INSERT INTO leaf VALUES (?, ?, ?)", number, size, raw)


TAMPERING: Final[Mapping[str, Callable[[Path], None]]] = {
    "last leaf": last_leaf,
    "last part": last_part,
    "last leaf and part": last_leaf_and_part,
    "swapped parts": swapped_parts,
    "first part again": first_part_again,
    "one byte": one_byte,
    "unsigned entry": unsigned_entry,
}
"""What the signed journal shows by itself. `last_entry`, `whole_journal` and older files leave a state that was true
once: only the memory of others shows those."""


def kept(directory: Path) -> dict[str, bytes]:
    """The database's files as they lie there: an attacker's copy."""
    return {path.name: path.read_bytes() for path in directory.iterdir() if path.name.startswith(DATABASE)}


def put_back(directory: Path, files: Mapping[str, bytes], *names: str) -> None:
    """An older copy of these files over the newer ones (all of the copy where none are named)."""
    if not names:
        for path in directory.glob(f"{DATABASE}*"):
            path.unlink()
    for name in names or files:
        (directory / name).write_bytes(files[name])


# -- what a reader makes of it -----------------------------------------------------------------------------------------


def pinned(values: Iterable[int], base: int = 5, least: int = 10) -> tuple[int, int]:
    """What is left of the first number of people, to a reader of the first print and of the prints with one, two,
    three... people more."""
    low, high = 0, 10**9
    for more, value in enumerate(values):
        a, b = known_of(value, base, least)
        low, high = max(low, a - more), min(high, b - more)
    return low, high


def forgetful(people: Sequence[CasePerson], cell: Cell, times: int, seed: int) -> list[Fact]:
    """An exporter without a ledger and without a keyed coin: a new toss for every print (negative control)."""
    dice = Random(seed)
    number = len(cell.people(people))
    found = []
    for _ in range(times):
        value = number // 5 * 5 + (5 if dice.randrange(5) < number % 5 else 0)
        found.append(cell.fact(*known_of(value, 5, 0)))
    return found
