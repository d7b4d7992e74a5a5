"""Importing a file of records: everything is checked first, then everything is written in one transaction, or nothing.

Each line is one JSON object (formats/jsonl.py). The label in `case` ties the lines of one person together within the
file and is forgotten; the answer names the pseudonym that each label was given. Every bad line is named with its
number.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from vault.errors import InputRefused, Problem, UsageError
from vault.formats.codebook import Codebook
from vault.formats.jsonl import ImportLine, parse_line
from vault.model import Pseudonym, Role
from vault.ports import Randomness, draw_below
from vault.services import files
from vault.services.casework import Casework
from vault.services.drafting import CaseKeys, draft_opening, draft_record
from vault.services.erased_names import TakenNames
from vault.services.keyring import Keyring
from vault.services.letters import SEALED, LetterDraft, draw_name, write_letters
from vault.services.prepare import Prepared, prepare
from vault.services.progress import Progress, quiet
from vault.services.pseudonyms import draw_pseudonym
from vault.services.recorded_before import recorded_before
from vault.services.records import CONSENT, append, desk_of, without_consent
from vault.services.vault import Vault, require_role

_Item = TypeVar("_Item")
MOST_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What an import wrote: the pseudonym of each label, and the number of entries."""

    cases: Mapping[str, Pseudonym] = field(repr=False)
    entries: int
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    number: int
    label: str = field(repr=False)
    prepared: Prepared = field(repr=False)
    opens: bool


def import_file(
    vault: Vault,
    me: Keyring,
    path: Path,
    *,
    progress: Progress = quiet,
    doubt: Callable[[str], None] = lambda _: None,
    dry_run: bool = False,
) -> Imported:
    """Imports a JSON Lines file. Raises InputRefused naming every bad line, NotAllowed, StorageError.

    `doubt` is told, before anything is written, that most people of the file look like people who are recorded already.
    What it raises stops the import. (An armed laptop cannot compare.)
    """
    work = None if me.armed else Casework(vault, me)
    require_role(me, Role.RECORDER)
    raw_lines = files.read_limited(path, MOST_BYTES).split(b"\n")
    if raw_lines and raw_lines[-1] == b"":
        raw_lines.pop()
    lines = _check(vault, raw_lines, progress)
    if work is not None and (doubtful := _doubtful(work, lines)):
        doubt(doubtful)
    unconsented = sum(line.opens and line.prepared.tally.get(CONSENT) != "yes" for line in lines)
    warnings = without_consent(unconsented)
    if dry_run:
        return Imported(cases={}, entries=len(lines), warnings=warnings)
    mixed = _mixed(lines, vault.environment.random)
    names, told = _write_letters(vault, me, mixed, progress) if work is None else _write(work, vault, mixed, progress)
    return Imported(
        cases={line.label: names[line.label] for line in lines if line.opens},
        entries=len(lines),
        warnings=warnings + told,
    )


def _doubtful(work: Casework, lines: list[_Line]) -> str:
    intakes = [line.prepared for line in lines if line.opens]
    before = recorded_before(work, intakes)
    if before * 2 <= len(intakes):
        return ""
    several = f"{before:,} of the {len(intakes):,} people in this file look like people who are"
    who = several if len(intakes) > 1 else "the person in this file looks like one who is"
    return f"{who} recorded already: was it imported before? Whoever is recorded twice is counted twice"


class _Checking:
    """The state of one pass over a file: what fits, what does not, and where each case was opened."""

    def __init__(self, vault: Vault) -> None:
        self.codebook: Codebook = vault.codebook
        self.today = vault.environment.clock.today()
        self.lines: list[_Line] = []
        self.problems: list[Problem] = []
        self.opened: dict[str, int] = {}
        self.unread = False

    def take(self, raw: bytes, number: int) -> None:
        """Checks one line; blank lines count and are passed over."""
        if not raw.strip():
            return
        line = None
        try:
            line = parse_line(raw, number)
            opens = self._place(line)
            prepared = prepare(self.codebook, line.type, line.answers, today=self.today, now=self.today)
        except InputRefused as refusal:
            self.unread |= line is None
            self.problems += [Problem(line=number, variable=p.variable, message=p.message) for p in refusal.problems]
        else:
            self.lines.append(_Line(number=number, label=line.label, prepared=prepared, opens=opens))

    def _place(self, line: ImportLine) -> bool:
        """Whether the line opens its case. Raises InputRefused for an unknown type or a second opening."""
        kind = self.codebook.types.get(line.type)
        if kind is None:
            what = f"must be one of: {', '.join(self.codebook.types)}"
            raise InputRefused("", [Problem(line=line.line, variable="type", message=what)])
        first = self.opened.setdefault(line.label, line.line) if kind.opens_case else line.line
        if first != line.line:
            what = f"this case was opened on line {first} already"
            raise InputRefused("", [Problem(line=line.line, variable="case", message=what)])
        return kind.opens_case

    def finish(self, total: int) -> list[_Line]:
        """The lines. Raises InputRefused naming every bad one."""
        # A line that could not be read may have been the one that opens the case: blame no other line for it.
        orphans = [line for line in self.lines if line.label not in self.opened and not self.unread]
        what = "this file has no intake line for this case"
        self.problems += [Problem(line=line.number, variable="case", message=what) for line in orphans]
        if self.problems:
            count = len({problem.line for problem in self.problems})
            raise InputRefused(
                f"{count} of {total} lines do not fit; nothing was written",
                sorted(self.problems, key=lambda problem: problem.line),
                hint="mend these lines and run the same command again",
            )
        if not self.lines:
            raise UsageError("the file holds no records; nothing was written")
        return self.lines


def _check(vault: Vault, raw_lines: list[bytes], progress: Progress) -> list[_Line]:
    checking = _Checking(vault)
    for number, raw in enumerate(raw_lines, start=1):
        if number % 1000 == 0:
            progress("checked", number, len(raw_lines))
        checking.take(raw, number)
    lines = checking.finish(len(raw_lines))
    progress("checked", len(raw_lines), len(raw_lines))
    return lines


def _mixed(lines: list[_Line], random: Randomness) -> list[_Line]:
    """The order in which an import is written: all openings, then everything else, each in an order drawn at random in
    which only the lines of one case keep theirs. Otherwise the order alone would say which entries are one person's,
    and which persons stood next to each other."""
    openings = _shuffled([line for line in lines if line.opens], random)
    rest: dict[str, deque[_Line]] = {}
    for line in lines:
        if not line.opens:
            rest.setdefault(line.label, deque()).append(line)
    turns = _shuffled([line.label for line in lines if not line.opens], random)
    return openings + [rest[label].popleft() for label in turns]


def _shuffled(items: list[_Item], random: Randomness) -> list[_Item]:
    """Fisher and Yates's shuffle, from the one source of randomness."""
    mixed = list(items)
    for last in range(len(mixed) - 1, 0, -1):
        other = draw_below(random, last + 1)
        mixed[last], mixed[other] = mixed[other], mixed[last]
    return mixed


def _draw_cases(work: Casework, vault: Vault, lines: list[_Line]) -> dict[str, CaseKeys]:
    taken = TakenNames(work)
    keys: dict[str, CaseKeys] = {}
    for line in lines:
        if line.opens:
            pseudonym = draw_pseudonym(vault.environment.random, taken)
            taken.drawn.add(pseudonym)
            keys[line.label] = CaseKeys.draw(vault.environment.random, pseudonym)
    return keys


def _write(
    work: Casework, vault: Vault, lines: list[_Line], progress: Progress
) -> tuple[dict[str, Pseudonym], tuple[str, ...]]:
    """Writes every line in one transaction; returns the pseudonyms by label, and what their recorder should know."""
    desk = desk_of(work)
    with vault.writing(work.me):
        work.read_cases()  # another process may have taken a pseudonym
        keys = _draw_cases(work, vault, lines)
        drafts = (
            (draft_opening if line.opens else draft_record)(desk, keys[line.label], line.prepared) for line in lines
        )
        written = append(work, drafts, advance=lambda done: progress("sealed", done, len(lines)))
    progress("sealed", len(lines), len(lines))
    return {label: case.pseudonym for label, case in keys.items()}, written.warnings


def _write_letters(
    vault: Vault, me: Keyring, lines: list[_Line], progress: Progress
) -> tuple[dict[str, Pseudonym], tuple[str, ...]]:
    """Likewise on an armed laptop, as letters."""
    names: dict[str, Pseudonym] = {}
    for line in lines:
        if line.opens:
            names[line.label] = draw_name(vault.environment.random, set(names.values()))
    letters = [LetterDraft(prepared=line.prepared, pseudonym=names[line.label], opens=line.opens) for line in lines]
    write_letters(vault, me, letters, advance=lambda done: progress("sealed", done, len(lines)))
    progress("sealed", len(lines), len(lines))
    return names, (SEALED,)
