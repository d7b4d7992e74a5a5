"""Numbers that a draft writes in English words.

    fifteen  twenty-one  two hundred and five  a thousand  two dozen      counts
    no one  none  nobody  no women  zero                                    0
    a single man  the only woman  both  a pair  a couple  twins            1, 2
    half  a third  two-thirds  three quarters                              shares
    all of them  all were                                                  everybody, which says as much
    fifteenth  twenty-first                                                ordinals

`first` to `third`, `all` and `both` have other uses far more often; where the words around do not say that people are
counted, they are set aside and not dropped. Words that only hint at a number (few, several, dozens, many) are not
found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Final

from vault.formats.draft_tokens import Form, Token, count


def _words(text: str) -> list[str]:
    return text.split()


_SMALL: Final = {
    word: value
    for value, word in enumerate(
        _words(
            "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
            "seventeen eighteen nineteen"
        )
    )
}
_TENS: Final = {
    word: 10 * (at + 2) for at, word in enumerate(_words("twenty thirty forty fifty sixty seventy eighty ninety"))
} | {"fourty": 40}
_BIG: Final = {"hundred": 100, "thousand": 1_000, "million": 10**6, "billion": 10**9}
_CARDINAL: Final = frozenset({*_SMALL, *_TENS, *_BIG})
_PARTS: Final = {
    "half": 2, "halves": 2, "third": 3, "thirds": 3, "quarter": 4, "quarters": 4, "fourth": 4, "fourths": 4,
    "fifth": 5, "fifths": 5, "sixth": 6, "sixths": 6, "seventh": 7, "sevenths": 7, "eighth": 8, "eighths": 8,
    "ninth": 9, "ninths": 9, "tenth": 10, "tenths": 10, "twentieth": 20, "twentieths": 20, "hundredth": 100,
    "hundredths": 100,
}  # fmt: skip
_ORDINALS: Final = {
    word: at + 1
    for at, word in enumerate(
        _words(
            "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
            "fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
        )
    )
} | {"thirtieth": 30, "fortieth": 40, "fiftieth": 50, "hundredth": 100, "thousandth": 1_000}
_COMMON: Final = frozenset({"first", "second", "third"})
_GROUPS: Final = {
    "dozen": 12, "pair": 2, "couple": 2, "twins": 2, "triplets": 3, "trio": 3, "duo": 2, "both": 2, "none": 0,
    "nobody": 0, "nil": 0, "neither": 0,
}  # fmt: skip
_EVERYBODY: Final = frozenset({"all", "everyone", "everybody"})
PEOPLE: Final = frozenset(
    _words(
        "people persons person men man women woman boys boy girls girl children child minors minor adults adult "
        "refugees refugee survivors survivor families family escapees escapee defectors defector victims victim "
        "teenagers infants infant babies baby mothers mother fathers father sons son daughters daughter siblings "
        "sisters brothers newcomers migrants cases individuals human humans north"
    )
)
_THEIRS: Final = PEOPLE | frozenset(_words("of were was are is had have has but who whom came arrived reached them"))
_PLACES: Final = frozenset(_words("in at on for from to by with within across"))
_WORD: Final = re.compile(r"[a-z]+")
_HYPHENS: Final = "-\u2010\u2011"
_MOST_WORDS: Final = 16
"""No number that a person writes has more words; longer runs are cut into several."""


def english_tokens(plain: str) -> Iterator[Token]:
    """Every number in words, in order."""
    words = [(found.group(), found.start(), found.end()) for found in _WORD.finditer(plain)]
    at = 0
    while at < len(words):
        token, used = _at(plain, words, at)
        if token is not None:
            yield token
        at += max(used, 1)


_Words = Sequence[tuple[str, int, int]]


def _at(plain: str, words: _Words, at: int) -> tuple[Token | None, int]:
    """The number that begins with this word, and how many words it takes."""
    word, start, end = words[at]
    if word in _CARDINAL:
        return _cardinal(plain, words, at, at)
    if word in {"a", "an", "half"} and _joined(plain, words, at) and (found := _after_article(plain, words, at)):
        return found
    behind = words[at + 1][0] if _joined(plain, words, at) else ""
    if word == "no" and behind in {"one", *PEOPLE}:
        return count(start, words[at + 1][2], 0), 2
    if word in {"single", "only", "sole", "lone"} and behind in PEOPLE - {"people"} and not behind.endswith("s"):
        return count(start, end, 1), 1
    if word in _EVERYBODY:
        counted = word == "all" and (behind in _THEIRS or behind in _CARDINAL or _digit_behind(plain, end))
        return Token(start=start, end=end, value=None, form=Form.ALL, aside="" if counted else "all"), 1
    if word in _GROUPS:
        return count(start, end, _GROUPS[word], "all" if word == "both" and behind in _PLACES else ""), 1
    if word in _PARTS and word not in _ORDINALS:
        return _share(start, end, 1, _PARTS[word]), 1
    if word in _ORDINALS:
        return count(start, end, _ORDINALS[word], "order" if word in _COMMON else ""), 1
    return None, 1


def _cardinal(plain: str, words: _Words, first: int, at: int) -> tuple[Token, int]:
    """A cardinal from `at`, and the parts, groups or ordinal that may follow it; the token begins at word `first`."""
    value, behind = _read(plain, words, at)
    start, end = words[first][1], words[behind - 1][2]
    following = words[behind][0] if _joined(plain, words, behind - 1) else ""
    if following in _PARTS and (following not in _ORDINALS or value < _PARTS[following]) and value <= 20:
        return _share(start, words[behind][2], value, _PARTS[following]), behind + 1 - first
    if following in {"dozen", "couples", "pairs"}:
        return count(start, words[behind][2], value * (12 if following == "dozen" else 2)), behind + 1 - first
    if following in _ORDINALS and value % 10 == 0 and _ORDINALS[following] < 10:
        return count(start, words[behind][2], value + _ORDINALS[following]), behind + 1 - first
    return count(start, end, value), behind - first


def _after_article(plain: str, words: _Words, at: int) -> tuple[Token, int] | None:
    """`a hundred`, `a dozen`, `a third`, `half a dozen`; None where the article is only an article."""
    word, start, _ = words[at]
    following, _, end = words[at + 1]
    if word == "half":
        again = words[at + 2][0] if following == "a" and _joined(plain, words, at + 1) else following
        used = 3 if following == "a" else 2
        return (count(start, words[at + used - 1][2], 6), used) if again == "dozen" else None
    if following in _BIG:
        return _cardinal(plain, words, at, at + 1)
    if following in _GROUPS and following not in {"both", "none", "nobody", "nil", "neither"}:
        return count(start, end, _GROUPS[following]), 2
    if following in _PARTS and following not in {"second", "halves"}:
        return _share(start, end, 1, _PARTS[following]), 2
    return None


def _read(plain: str, words: _Words, at: int) -> tuple[int, int]:
    """The value of the longest number that begins at `at`, and the index of the word behind it."""
    total = current = 0
    room = 10**12
    """The next small word must be below this: after "twenty" comes one to nine, after "hundred" up to ninety-nine."""
    scale = 10**12
    first, here = at, at
    while here < len(words) and here - first < _MOST_WORDS:
        word = words[here][0]
        if here > first and not _joined(plain, words, here - 1):
            break
        small = _SMALL.get(word, _TENS.get(word))
        if (small is not None and 0 < small < room) or (small == 0 and here == first):
            current += small
            room = 10 if small >= 20 else 1
        elif word == "hundred" and current < 100 and (current or here == first) and room != 100:
            current, room = max(current, 1) * 100, 100
        elif word in _BIG and word != "hundred" and _BIG[word] < scale and (current or here == first):
            scale = _BIG[word]
            total, current, room = total + max(current, 1) * scale, 0, min(scale, 1_000)
        elif word == "and" and room >= 100 and here > first and _goes_on(plain, words, here):
            pass
        else:
            break
        here += 1
    return total + current, here


def _goes_on(plain: str, words: _Words, at: int) -> bool:
    """Whether a small number follows this "and"."""
    return _joined(plain, words, at) and (words[at + 1][0] in _SMALL or words[at + 1][0] in _TENS)


def _joined(plain: str, words: _Words, at: int) -> bool:
    """Whether a word follows this one in the same phrase: a space, a hyphen or a wrapped line between them."""
    if at + 1 >= len(words):
        return False
    gap = plain[words[at][2] : words[at + 1][1]]
    return 0 < len(gap) <= 8 and gap.strip(" \n" + _HYPHENS) == "" and gap.count("\n") <= 1


def _digit_behind(plain: str, end: int) -> bool:
    return plain[end : end + 2].strip().isdecimal()


def _share(start: int, end: int, part: int, whole: int) -> Token:
    form = Form.SHARE if part <= whole else Form.COUNT
    return Token(start=start, end=end, value=Fraction(part, whole), form=form)
