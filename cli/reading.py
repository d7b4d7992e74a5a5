"""What a typed line means as a value of one variable: a code by number, code or label; a date; a number; a text.

Kinder than the library, which takes only canonical forms: codes in any case, full-width digits, `2019.3.5.`. It never
guesses: a date has its year first, and the beginning of a label only lists what it could be.
"""

from __future__ import annotations

import datetime
import re
import unicodedata
from typing import TYPE_CHECKING

from cli.phrases import labelled, phrase
from cli.terminal import visible

if TYPE_CHECKING:
    from vault import Variable

Answer = str | int
LONG_LIST = 30
"""A list with more codes than this is not shown whole."""
MOST_MATCHES = 9
FIRST_YEAR, LAST_YEAR = 1900, 2200
_DATE = re.compile(r"(\d{4})(?:\s*[-./년 ]\s*(\d{1,2})(?:\s*[-./월 ]\s*(\d{1,2})\s*일?)?\s*월?)?\s*년?\.?", re.ASCII)
_PERIOD = re.compile(r"(\d{4})(?:[-/ ]?[qQ]([1-4]))?", re.ASCII)
_INTEGER = re.compile(r"-?\d{1,15}", re.ASCII)


class Misfit(Exception):
    """A typed line that is no value; `reason` says what would be, in the person's language."""

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason


def command(typed: str) -> str:
    """A typed line as a command or number: NFKC, so that an input method's full-width `？` counts; no outer space."""
    return unicodedata.normalize("NFKC", typed).strip()


def number_from(typed: str, most: int) -> int | None:
    """A number from 1 to `most`, or None."""
    text = command(typed)
    if text.isascii() and text.isdigit() and len(text) <= 6 and 1 <= int(text) <= most:
        return int(text)
    return None


def read(variable: Variable, entered: str, language: str) -> Answer:
    """The value of a line that is not empty. Raises `Misfit`."""
    if variable.codes:
        return _code(variable, entered, language)
    if variable.type == "integer":
        return _integer(variable, command(entered), language)
    if variable.type == "date" and variable.coarsen is not None:
        return _period(command(entered), variable.missing, language)
    if variable.type == "date":
        return _date(command(entered), language)
    return entered


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().strip()


def _code(variable: Variable, entered: str, language: str) -> str:
    number = number_from(entered, len(variable.codes))
    if number is not None:
        return variable.codes[number - 1].code
    wanted, matches = _folded(entered), []
    for at, code in enumerate(variable.codes, start=1):
        names = [_folded(text) for text in (code.code, *code.labels.values())]
        if wanted in names:
            return code.code
        if any(name.startswith(wanted) or f" {wanted}" in name for name in names):
            matches.append(f"{at} {visible(labelled(code.labels, language, code.code))}")
    if matches:
        raise Misfit(phrase(language, "which_code", matches="   ".join(matches[:MOST_MATCHES])))
    if len(variable.codes) > LONG_LIST:
        raise Misfit(phrase(language, "choose_long"))
    raise Misfit(phrase(language, "choose", most=len(variable.codes)))


def _integer(variable: Variable, entered: str, language: str) -> int:
    if not _INTEGER.fullmatch(entered):
        raise Misfit(phrase(language, "whole"))
    number = int(entered)
    if variable.minimum is not None and number < variable.minimum:
        raise Misfit(phrase(language, "least", bound=variable.minimum))
    if variable.maximum is not None and number > variable.maximum:
        raise Misfit(phrase(language, "most", bound=variable.maximum))
    return number


def _date(text: str, language: str) -> str:
    """A date as the library wants it, from `2019-3-5`, `2019. 3. 5.` or `2019년 3월 5일`: always the year first."""
    found = _DATE.fullmatch(text)
    if found is not None and FIRST_YEAR <= int(found[1]) <= LAST_YEAR:
        try:
            datetime.date(int(found[1]), int(found[2] or 1), int(found[3] or 1))
        except ValueError:
            pass
        else:
            return "-".join([found[1], *(f"{int(part):02}" for part in (found[2], found[3]) if part)])
    raise Misfit(phrase(language, "date", first=FIRST_YEAR, last=LAST_YEAR))


def _period(text: str, missing: str | None, language: str) -> str:
    """A quarter or a year, or the word for not known."""
    if missing is not None and text.lower() == missing:
        return missing
    found = _PERIOD.fullmatch(text)
    if found is None or not FIRST_YEAR <= int(found[1]) <= LAST_YEAR:
        raise Misfit(phrase(language, "period"))
    return f"{found[1]}-Q{found[2]}" if found[2] else found[1]
