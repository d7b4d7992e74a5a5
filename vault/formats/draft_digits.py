"""Numbers that a draft writes in digits. They are folded to 0-9 by then, whatever script they were written in.

    1,300  1.300  1 300  1'300  1_300  1,00,000     one number: groups of three, or of two in front of three
    10.5  10,5  1.300,5                             with a fraction
    1만 3천  2백  5천만  15 thousand  1.3 million  35k       with words for powers of ten
    15th  3rd                                       ordinals
    1/5                                             a share, if it is below one
    x<U+E001>                                       raised: a footnote where it follows something, else a number
    2020-03-15  15.03.2020  2020. 3. 15.  2019-20    dates and spans of years: aside
    10:30   1.2.3   +82-2-1234-5678  010-1234-5678  times, versions, telephone numbers: aside

Where two readings are possible, the one is taken that is less likely to be a released number: `10,5` has a fraction,
and fractions are never printed. Every pattern is tried where a run of digits begins, and looks a bounded way ahead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from vault.formats.draft_tokens import Form, Token

MOST_DIGITS: Final = 15
"""A longer number is found and has no value."""

_RUN: Final = re.compile(r"[0-9]+|[\ue000-\ue009]+")
_YEAR: Final = r"(?:19[0-9]{2}|20[0-9]{2}|2100)"
_MONTH: Final = r"(?:0?[1-9]|1[0-2])"
_DAY: Final = r"(?:0?[1-9]|[12][0-9]|3[01])"
_ASIDE: Final = (
    (
        "date",
        re.compile(
            rf"{_YEAR}(?:([-./]){_MONTH}\1{_DAY}(?![0-9])|\. ?{_MONTH}\. ?{_DAY}(?:\.(?![0-9])|(?![0-9]))"
            rf"|-(?:0[1-9]|1[0-2])(?![0-9])|[-/\u2013][0-9]{{2}}(?![0-9]|[.,][0-9]))"
            rf"|{_DAY}([-./]){_DAY}\2{_YEAR}(?![0-9])"
        ),
    ),
    ("time", re.compile(r"[0-2]?[0-9]:[0-5][0-9](?::[0-5][0-9])?(?![0-9:])")),
    (
        "phone",
        re.compile(
            r"(?:(?<=\+)[0-9]{1,3}[-. ]?(?:\(?[0-9]{1,4}\)?[-. ]){1,4}[0-9]{3,4}|(?<=\+)[0-9]{9,15}"
            r"|0[0-9]{1,3}\)?[-. ](?:[0-9]{3,4}[-. ])[0-9]{4}|[0-9]{2,4}-[0-9]{3,4}-[0-9]{4})(?![0-9])"
        ),
    ),
)
_GROUPED: Final = re.compile(
    r"(?:[1-9][0-9]{0,2}(?P<sep>[,.' _\u2019\u066c])[0-9]{3}(?:(?P=sep)[0-9]{3}){0,4}"
    r"|[1-9][0-9]?(?:,[0-9]{2}){1,4},[0-9]{3})"
    r"(?![0-9])(?:(?P<mark>[.,\u066b])(?P<rest>[0-9]{1,9})(?![0-9]|[.,][0-9]))?"
)
_VERSION: Final = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,4}){2,4}(?![0-9])")
_DECIMAL: Final = re.compile(r"([0-9]{1,15})[.,\u066b]([0-9]{1,9})(?![0-9]|[.,][0-9])")
_SHARE: Final = re.compile(r"([0-9]{1,4})[/\u2044]([0-9]{1,4})(?![0-9/])")
_POWER: Final = re.compile(r" ?(?:(thousand|million|billion|hundred|dozen)(?![a-z])|(?<=[0-9])(k|bn)(?![a-z]))")
_ORDINAL: Final = re.compile(r"(?:st|nd|rd|th)(?![a-z])")
_KOREAN: Final = re.compile(r" ?(조|억|만(?!큼|족)|천(?!막)|백(?!신)|십)")
_REST: Final = re.compile(r" ?([0-9]{1,4}(?:,[0-9]{3})?)(?![0-9])")
_POWERS: Final = {
    "십": 10, "백": 100, "천": 1_000, "만": 10_000, "억": 10**8, "조": 10**12,
    "dozen": 12, "hundred": 100, "thousand": 1_000, "million": 10**6, "billion": 10**9, "k": 1_000, "bn": 10**9,
}  # fmt: skip


def digit_tokens(plain: str) -> Iterator[Token]:
    """Every number in digits, in order."""
    done = 0
    for run in _RUN.finditer(plain):
        if run.start() < done:
            continue
        token = _token(plain, run)
        done = token.end
        yield token


def _token(plain: str, run: re.Match[str]) -> Token:
    start = run.start()
    if plain[start] >= "\ue000":
        return _raised(plain, run)
    for why, pattern in _ASIDE:
        if found := pattern.match(plain, start):
            return Token(start=start, end=found.end(), value=None, aside=why)
    if (found := _GROUPED.match(plain, start)) and (found["mark"] is None or found["mark"] != found["sep"]):
        digits = re.sub("[^0-9]", "", found.group()[: _length(found, "mark")])
        return _powers(plain, start, found.end(), _fraction(digits, found["rest"] or ""))
    if found := _VERSION.match(plain, start):
        return Token(start=start, end=found.end(), value=None, aside="version")
    if found := _DECIMAL.match(plain, start):
        return _powers(plain, start, found.end(), _fraction(found[1], found[2]))
    if (found := _SHARE.match(plain, start)) and 0 < int(found[1]) < int(found[2]):
        return Token(start=start, end=found.end(), value=Fraction(int(found[1]), int(found[2])), form=Form.SHARE)
    if len(run.group()) > MOST_DIGITS:
        return Token(start=start, end=run.end(), value=None)
    if found := _ORDINAL.match(plain, run.end()):
        return Token(start=start, end=found.end(), value=Fraction(int(run.group())))
    return _powers(plain, start, run.end(), Fraction(int(run.group())))


def _length(found: re.Match[str], group: str) -> int | None:
    """How long a match is before this group."""
    return None if found[group] is None else found.start(group) - found.start()


def _fraction(whole: str, rest: str) -> Fraction:
    return Fraction(int(whole + rest), 10 ** len(rest))


def _raised(plain: str, run: re.Match[str]) -> Token:
    """A raised number: a footnote mark where it hangs on something."""
    digits = run.group()[: MOST_DIGITS + 1]
    value = Fraction(int("".join(str(ord(char) - 0xE000) for char in digits))) if len(digits) <= MOST_DIGITS else None
    hangs = not plain[run.start() - 1 : run.start()].isspace() and run.start() > 0
    return Token(start=run.start(), end=run.end(), value=value, aside="footnote" if hangs else "")


def _powers(plain: str, start: int, end: int, value: Fraction) -> Token:
    """The number with the words for powers of ten behind it: `1만 3천`, `1.3 million`."""
    if found := _POWER.match(plain, end):
        return Token(start=start, end=found.end(), value=value * _POWERS[found[1] or found[2]])
    return _korean(plain, start, end, value)


def _korean(plain: str, start: int, end: int, value: Fraction) -> Token:
    """The number with Korean powers behind it: `1만 3천`, `1억 2천만`. Tens, hundreds and thousands count what stands
    before the next 만, 억 or 조; each kind only gets smaller."""
    total = part = Fraction(0)
    number: Fraction | None = value
    small, big = 10_000, 10**18
    while found := _KOREAN.match(plain, end):
        power = _POWERS[found[1]]
        if power >= (small if power < 10_000 else big):
            break
        if power < 10_000:
            part, small = part + (1 if number is None else number) * power, power
        else:
            total, part = total + (part + (number or (0 if part else 1))) * power, Fraction(0)
            small, big = 10_000, power
        number, end = None, found.end()
        rest = _REST.match(plain, end)
        if rest is not None and (low := int(rest[1].replace(",", ""))) < power:
            number, end = Fraction(low), rest.end()
    return Token(start=start, end=end, value=total + part + (number or 0))
