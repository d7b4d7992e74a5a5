"""How the answers of one record type are read: what its codebook says, worked out once and kept as small functions.

Readers take one answer and give its stored form, or raise FormatError with what would be taken instead; they never
repeat the answer. Derivations look at the answers together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache, partial
from typing import Final, TypeAlias

from vault.errors import FormatError
from vault.formats.codebook import AgeBand, Codebook, Derivation, RecordType, Variable, VariableType, age_bands
from vault.formats.partial_date import PartialDate, full_date
from vault.formats.text import LIMIT_BYTES, clean
from vault.model import Layer
from vault.services.coarsen import (
    age_range,
    band_ages,
    band_of,
    fits_band,
    fits_period,
    is_minor,
    nights_range,
    parse_period,
    period_of,
)

Answer: TypeAlias = str | int
Read: TypeAlias = Callable[[object], Answer]
Derive: TypeAlias = Callable[[Mapping[str, Answer], Mapping[str, PartialDate], date], Answer | None]
"""From the tally so far, the dates given and today: the derived value, or None when it cannot be told."""

LABEL_BYTES: Final = 256
MOST_LISTED: Final = 20
MOST_INTEGER: Final = 2**53 - 1
SLOTS: Final = (Layer.IDENTITY, Layer.CASE, Layer.TALLY)
"""The layers by number: a plain number is looked up four times as fast as a member of an enumeration."""

_DIGITS: Final = re.compile(r"[0-9]{1,15}")


class Contradiction(FormatError):
    """Two answers that cannot both be true; `variable` is the one to look at."""

    def __init__(self, variable: str, message: str) -> None:
        super().__init__(message)
        self.variable = variable


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """How one variable's answer is read, and the slot of the layer where it goes (see `SLOTS`). A `dated` one gives
    the text of a date that is still to be parsed, because derivations need the parsed date; a `period` one a quarter or
    a year."""

    read: Read
    slot: int
    dated: bool
    period: bool
    missing: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything about one record type that can be worked out before an answer is seen. `required` pairs a variable
    with what it expects; `derived` stands in the order in which derivations depend on each other."""

    readers: Mapping[str, Reader]
    required: tuple[tuple[str, str], ...]
    derived: tuple[tuple[str, Derive], ...]
    missing: Mapping[str, str]


@lru_cache(maxsize=256)
def plan(codebook: Codebook, type_name: str) -> Plan:
    """The plan of one record type, worked out once a process. Raises UsageError for a type that does not exist."""
    record_type = codebook.type(type_name)
    # `minor` reads the age group, so it comes after the rules that read dates.
    derived = sorted(
        ((variable, variable.derive) for variable in record_type.variables if variable.derive is not None),
        key=lambda pair: pair[1].rule == "minor",
    )
    return Plan(
        readers={
            variable.name: Reader(
                read=_reader(variable),
                # A label that becomes a token is the recorder's own until then.
                slot=SLOTS.index(Layer.CASE if variable.coarsen == "token" else variable.layer),
                dated=variable.type is VariableType.DATE and variable.coarsen is None,
                period=variable.coarsen == "quarter",
                missing=variable.missing,
            )
            for variable in record_type.variables
        },
        required=tuple((variable.name, expected(variable)) for variable in record_type.variables if variable.required),
        derived=tuple((variable.name, _derivation(record_type, variable, rule)) for variable, rule in derived),
        missing={variable.name: variable.missing for variable in record_type.variables if variable.missing is not None},
    )


def expected(variable: Variable) -> str:
    """What a variable takes, as the rest of a sentence that begins with its name."""
    if variable.type is VariableType.CODE:
        codes = [code.code for code in variable.codes]
        if len(codes) <= MOST_LISTED:
            return f"must be one of: {', '.join(codes)}"
        return f"must be one of {len(codes)} codes: {', '.join(codes[:MOST_LISTED])}, ..."
    if variable.type is VariableType.INTEGER:
        low = variable.minimum or 0
        return f"must be a whole number from {low}" + ("" if variable.maximum is None else f" to {variable.maximum}")
    if variable.coarsen == "quarter":
        return "must be a quarter or a year, such as 2020-Q1 or 2020"
    return "must be a text" if variable.type is VariableType.TEXT else "must be a date such as 2019-03-05"


def _reader(variable: Variable) -> Read:
    """The reader of one variable."""
    if variable.type is VariableType.CODE:
        return partial(_read_code, frozenset(code.code for code in variable.codes), expected(variable))
    if variable.type is VariableType.INTEGER:
        high = MOST_INTEGER if variable.maximum is None else variable.maximum
        return partial(_read_integer, variable.minimum or 0, high, expected(variable))
    if variable.type is VariableType.TEXT:
        limit = LABEL_BYTES if variable.coarsen == "token" else LIMIT_BYTES
        return partial(_read_text, limit, variable.multiline)
    if variable.coarsen == "quarter":
        finer = "" if variable.derive is None else f"; give a day or a month as `{variable.derive.sources[0]}`"
        return partial(_read_period, variable.missing, finer)
    return _read_date


def _as_text(given: object, instead: str) -> str:
    """The text of an answer that may have been given as a number."""
    if isinstance(given, str):
        return given
    if isinstance(given, int) and not isinstance(given, bool) and abs(given) <= MOST_INTEGER:
        return str(given)
    raise FormatError(instead)


def _read_code(codes: frozenset[str], instead: str, given: object) -> Answer:
    if isinstance(given, str) and given in codes:
        return given
    if isinstance(given, bool) and "yes" in codes:
        raise FormatError('must be "yes" or "no", in quotes, not true or false')
    text = _as_text(given, instead).strip()
    if text and text not in codes:
        raise FormatError(instead)
    return text


def _read_integer(low: int, high: int, instead: str, given: object) -> Answer:
    if isinstance(given, str):
        text = given.strip()
        if not text:
            return ""
        if _DIGITS.fullmatch(text) is None:
            raise FormatError(instead)
        given = int(text)
    if not isinstance(given, int) or isinstance(given, bool) or not low <= given <= high:
        raise FormatError(instead)
    return given


def _read_text(limit_bytes: int, multiline: bool, given: object) -> Answer:
    return clean(_as_text(given, "must be a text, in quotes"), limit_bytes=limit_bytes, multiline=multiline)


def _read_date(given: object) -> Answer:
    return _as_text(given, "must be a date such as 2019-03-05, in quotes").strip()


def _read_period(missing: str | None, finer: str, given: object) -> Answer:
    text = _as_text(given, "must be a quarter or a year, such as 2020-Q1 or 2020").strip()
    if not text or text == missing:
        return text
    try:
        return parse_period(text)
    except FormatError as reason:
        raise FormatError(reason.message + finer) from None


def _derivation(record_type: RecordType, variable: Variable, derive: Derivation) -> Derive:
    """The derivation of one variable; the codebook's checker has seen to it that the sources fit the rule."""
    name, sources = variable.name, derive.sources
    if derive.rule == "quarter":
        return partial(_derive_period, name, sources[0])
    if derive.rule == "nights":
        most = MOST_INTEGER if variable.maximum is None else variable.maximum
        return partial(_derive_nights, name, sources[0], sources[1], most)
    if derive.rule == "age_group":
        return partial(_derive_band, name, sources, age_bands(variable.codes, variable.missing))
    group = record_type.variable(sources[0])
    dates = () if group.derive is None or group.derive.rule != "age_group" else group.derive.sources
    return partial(_derive_minor, name, group.name, dates, age_bands(group.codes, group.missing))


def _ages(sources: tuple[str, ...], dates: Mapping[str, PartialDate], today: date) -> tuple[int, int] | None:
    """The possible ages: from the birth date (the first source) on the reference day (the second, or today)."""
    born = dates.get(sources[0]) if sources else None
    if born is None:
        return None
    reference = dates.get(sources[1]) if len(sources) > 1 else None
    return age_range(born, _known_in_full(today) if reference is None else reference)


@lru_cache(maxsize=4)
def _known_in_full(day: date) -> PartialDate:
    """The day of writing; kept, since a whole import has only one."""
    return full_date(day)


def _derive_band(
    name: str,
    sources: tuple[str, ...],
    bands: tuple[AgeBand, ...],
    tally: Mapping[str, Answer],
    dates: Mapping[str, PartialDate],
    today: date,
) -> Answer | None:
    try:
        ages = _ages(sources, dates, today)
    except FormatError as reason:
        raise Contradiction(sources[0], reason.message) from None
    if ages is None:
        return None
    if not fits_band(ages, str(tally.get(name, "")), bands):
        raise Contradiction(name, f"does not agree with `{sources[0]}`")
    return band_of(ages, bands)


def _derive_minor(
    name: str,
    group: str,
    sources: tuple[str, ...],
    bands: tuple[AgeBand, ...],
    tally: Mapping[str, Answer],
    dates: Mapping[str, PartialDate],
    today: date,
) -> Answer | None:
    try:
        known = _ages(sources, dates, today)
    except FormatError:
        return None  # the age group's derivation has reported it
    banded = band_ages(str(tally.get(group, "")), bands)
    ages = known or banded
    if known is not None and banded is not None:
        ages = max(known[0], banded[0]), min(known[1], banded[1])
    if ages is None or ages[0] > ages[1] or (minor := is_minor(ages)) is None:
        return None
    if tally.get(name) == ("no" if minor else "yes"):
        raise Contradiction(name, f"does not agree with `{group if known is None else sources[0]}`")
    return "yes" if minor else "no"


def _derive_period(
    name: str, source: str, tally: Mapping[str, Answer], dates: Mapping[str, PartialDate], _: date
) -> Answer | None:
    day = dates.get(source)
    if day is None:
        return None
    if name in tally and not fits_period(str(tally[name]), day):
        raise Contradiction(name, f"does not agree with `{source}`")
    return period_of(day)


def _derive_nights(
    name: str,
    first: str,
    last: str,
    most: int,
    tally: Mapping[str, Answer],
    dates: Mapping[str, PartialDate],
    _: date,
) -> Answer | None:
    check_in, check_out = dates.get(first), dates.get(last)
    if check_in is None or check_out is None:
        return None
    low, high = nights_range(check_in, check_out)
    if high < 0:
        raise Contradiction(last, f"is before `{first}`")
    if low > most:
        raise Contradiction(last, f"is more than {most} nights after `{first}`")
    given = tally.get(name)
    if isinstance(given, int) and not low <= given <= high:
        raise Contradiction(name, f"does not agree with `{first}` and `{last}`")
    return low if check_in.full and check_out.full else None
