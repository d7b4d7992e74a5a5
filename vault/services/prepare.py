"""What a recorder answered, checked against the codebook and split into the three layers.

Pure: no clock, no randomness, no store. Every problem of a record is found and listed at once, and no message repeats
an answer: it names the variable and what would be taken instead.

Identity and case keep what was given (texts in NFC, dates in their canonical text). The tally holds one value for
every tally variable of the type: the code that was given, or the one that follows from the finer answers, or the
missing code. Only integers, and codes without a missing code, may be absent. A given code wins over a derived one
unless both cannot be true, which is a problem; the missing code counts as not given. A label that the codebook
coarsens to a token (`party`) stays in the case layer: the recorder's service turns it into random bytes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from difflib import get_close_matches
from functools import lru_cache
from typing import Final

from vault.errors import FormatError, InputRefused, Problem
from vault.formats.codebook import Codebook
from vault.formats.partial_date import PartialDate, encode_partial_date, full_date, parse_partial_date
from vault.model import Layer
from vault.services.answers import SLOTS, Answer, Contradiction, Plan, plan
from vault.services.coarsen import period_of

MOST_SUGGESTIONS: Final = 40
"""Problems in one record after which unknown names are no longer compared with the known ones, which is slow."""

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A record ready to be sealed, one mapping a layer. Values do not show in `repr`."""

    type: str
    identity: dict[str, Answer] = field(repr=False)
    case: dict[str, Answer] = field(repr=False)
    tally: dict[str, Answer] = field(repr=False)


def prepare(
    codebook: Codebook,
    type_name: str,
    answers: Mapping[str, object],
    *,
    today: date,
    now: date | None = None,
    identity_known: bool = False,
    changes: Collection[str] | None = None,
) -> Prepared:
    """The three layers of one record. Absent answers may be left out, None or empty. `today` is the day on which an
    age is counted when the record does not say another. What is recorded has happened: dates after `now` are refused,
    as far as its clock and the time zones allow to tell. `identity_known`: the record has its identity layer already,
    so a required variable of that layer may be absent. `changes`: the answers that are new, of a record that is being
    amended; only their dates are held against `now`, and none of them may clear what is no variable.

    Raises InputRefused with every problem of the record (line 0).
    """
    if type_name not in codebook.types:
        raise InputRefused(
            "the record type is not one of the codebook's",
            [Problem(line=0, variable="type", message=f"must be one of: {', '.join(codebook.types)}")],
        )
    how = plan(codebook, type_name)
    layers: tuple[dict[str, Answer], ...] = ({}, {}, {})
    dates: dict[str, PartialDate] = {}
    problems: list[Problem] = []
    for name, given in answers.items():
        if (given is None or given == "") and (changes is None or name not in changes or name in how.readers):
            continue
        reader = how.readers.get(name)
        if reader is None:
            problems.append(_unknown(name, type_name, how.readers if len(problems) < MOST_SUGGESTIONS else ()))
            continue
        try:
            value = reader.read(given)
            if value in ("", reader.missing):
                continue
            if reader.dated:
                dates[name] = parse_partial_date(str(value))
            layers[reader.slot][name] = value
        except FormatError as reason:
            problems.append(Problem(line=0, variable=name, message=reason.message))
    _require(how, layers, problems, identity_known=identity_known)
    identity, case, tally = layers
    _derive(how, tally, dates, today, problems)
    if now is not None:
        _refuse_future(how, layers, now, answers if changes is None else changes, problems)
    if problems:
        raise refusal(codebook, type_name, problems)
    return Prepared(type=type_name, identity=identity, case=case, tally={**how.missing, **tally})


def refusal(codebook: Codebook, type_name: str, problems: Sequence[Problem]) -> InputRefused:
    """The one refusal of a record, with all its problems."""
    count = f"{len(problems)} answer{' does' if len(problems) == 1 else 's do'}"
    return InputRefused(
        f'{count} not fit {type_name} of the codebook "{codebook.name} v{codebook.version}"',
        problems,
        hint="Nothing was written. Fix them and run the same command again.",
    )


def _require(
    how: Plan, layers: Sequence[Mapping[str, Answer]], problems: list[Problem], *, identity_known: bool
) -> None:
    """Note the required variables that are absent, unless their answer was refused already."""
    for name, expected in how.required:
        if identity_known and SLOTS[how.readers[name].slot] is Layer.IDENTITY:
            continue
        if name not in layers[how.readers[name].slot] and all(problem.variable != name for problem in problems):
            problems.append(Problem(line=0, variable=name, message=f"is needed; it {expected}"))


def _derive(
    how: Plan, tally: dict[str, Answer], dates: Mapping[str, PartialDate], today: date, problems: list[Problem]
) -> None:
    """Add what follows from finer answers to the tally, and note what contradicts them."""
    for name, derive in how.derived:
        try:
            value = derive(tally, dates, today)
        except Contradiction as found:
            problems.append(Problem(line=0, variable=found.variable, message=found.message))
            continue
        if value is not None:
            tally.setdefault(name, value)


def _refuse_future(
    how: Plan, layers: Iterable[Mapping[str, Answer]], now: date, names: Collection[str], problems: list[Problem]
) -> None:
    """Note the dates and periods of `names` that have not begun, unless something else is wrong with them. East of the
    clock's own zone it may be tomorrow already."""
    day, quarter = _latest(now)
    wrong = {problem.variable for problem in problems}
    for layer in layers:
        for name, value in layer.items():
            reader = how.readers[name]
            if not (reader.dated or reader.period) or name not in names or name in wrong:
                continue
            # Canonical texts compare as the days do, a year or a month by its beginning.
            text, latest = str(value), day if reader.dated else quarter
            if text[0].isdigit() and text > latest[: len(text)]:
                what = f"is in the future; today is {now.isoformat()} on this laptop: is its clock right?"
                problems.append(Problem(line=0, variable=name, message=what))


@lru_cache(maxsize=4)
def _latest(now: date) -> tuple[str, str]:
    """The last day that may have begun somewhere, and its quarter."""
    latest = full_date(now + timedelta(days=1))
    return encode_partial_date(latest), period_of(latest)


def _unknown(name: str, type_name: str, known: Iterable[str]) -> Problem:
    """An answer to something that is not asked. A name that does not look like a variable's could be an answer in the
    wrong place, so it is not repeated; the suggestion names only what the codebook has."""
    guess = name[:64].strip().lower().replace(" ", "_").replace("-", "_")
    close = get_close_matches(guess, list(known), n=1)
    suggestion = f"; did you mean `{close[0]}`?" if close else ""
    if _NAME.fullmatch(name) is None:
        return Problem(line=0, variable=None, message=f"a name is not a variable of {type_name}{suggestion}")
    return Problem(line=0, variable=name, message=f"is not a variable of {type_name}{suggestion}")
