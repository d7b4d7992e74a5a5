"""Numbers that a draft writes in Korean words.

    한 명  두 사람  세 가구  열다섯 명  스물한 명        native numerals, before what they count
    다섯  열다섯  서른                                native numerals that are nothing else, alone
    십오 명  이백  삼십  천삼백 명                      Sino-Korean numerals
    절반  삼분의 일  3분의 1                           shares
    전원  모두 여성  아무도  유일한 여성                  everybody, nobody, the only one

Many Korean words begin like a numeral (한국, 이미, 사건, 열심히). A numeral of one or two letters counts only before a
counter or a person; what could as well be another word (구명, 이천) is set aside and not dropped. Counters of things
and of time (두 번, 세 달) are set aside too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from vault.formats.draft_tokens import Form, Token, count

_RUN: Final = re.compile("[가-힣]+")
_TENS: Final = {
    "열": 10, "스물": 20, "스무": 20, "서른": 30, "마흔": 40, "쉰": 50, "예순": 60, "일흔": 70, "여든": 80, "아흔": 90,
}  # fmt: skip
_ONES: Final = {
    "하나": 1, "한": 1, "둘": 2, "두": 2, "셋": 3, "세": 3, "석": 3, "넷": 4, "네": 4, "넉": 4, "다섯": 5, "여섯": 6,
    "일곱": 7, "여덟": 8, "아홉": 9,
}  # fmt: skip
_DIGITS: Final = {char: value for value, char in enumerate("영일이삼사오육칠팔구")} | {"공": 0, "륙": 6}
_POWERS: Final = {"십": 10, "백": 100, "천": 1_000}
_BIG: Final = {"만": 10**4, "억": 10**8, "조": 10**12}
_ROUND: Final = frozenset("십백천만억")
"""Only round numbers are said to be about: 십여."""
_NATIVE: Final = re.compile(
    f"(?P<hundred>[일이삼사오육칠팔구]?백)?(?P<ten>{'|'.join(_TENS)})?(?P<one>{'|'.join(_ONES)})?"
)
_SINO: Final = re.compile("[일이삼사오육륙칠팔구십백천만억조]{1,20}")
_HANJA: Final = re.compile("[一二三四五六七八九十百千萬万億]+")
_FROM_HANJA: Final = str.maketrans("一二三四五六七八九十百千萬万億", "일이삼사오육칠팔구십백천만만억")
_ALONE: Final = frozenset({"하나", "둘", "셋", "넷", "다섯", "여섯", "일곱", "여덟", "아홉"})
_PARTICLE: Final = "[이가은는을를의도만뿐에께와과랑로으씩당마부까보처중입였인남정가쯤꼴여밖조나째미초들]"
_PERSONS: Final = (
    "여성|남성|여자|남자|여인|아이|아동|어린이|소년|소녀|청소년|미성년|난민|탈북|북한|생존자|피해자|아기|딸|아들|어머니|엄마"
    "|아버지|형제|자매|남매|모녀|모자|부녀|부자|식구|청년|노인"
)
_COUNTER: Final = rf"(?:명|사람|분|가구|가족|세대|건|쌍|부부|팀|인)(?:{_PARTICLE}|(?![가-힣]))"
_PEOPLE: Final = re.compile(_COUNTER)
_PEOPLE_SPACED: Final = re.compile(rf"[ \n](?:{_PERSONS}|{_COUNTER})")
_PEOPLE_TIGHT: Final = re.compile(rf"(?:명|사람|분|가구|가족|쌍|부부|팀)(?:{_PARTICLE}|(?![가-힣]))")
_AGE: Final = re.compile(" ?(?:살|세(?![대상계]))(?![가-힣]{2})")
_TIME: Final = re.compile(" ?(?:개월|달|해|시간|주|년|월|일|초|돌|밤)(?![가-힣]{2})| ?시(?:[에의부까]|(?![가-힣]))")
_THING: Final = re.compile(" ?(?:번|차례|개국|개|곳|가지|회|차|군데|나라|국가|도시|단계|대|권|편|장|쪽)")
_ASIDES: Final = (("age", _AGE), ("time", _TIME), ("things", _THING))
_TIGHT_ASIDE: Final = re.compile("(?:번|개|가지|곳|군데|차례|시간|달|살)")
_BEHIND: Final = re.compile(rf"(?:{_PARTICLE}|퍼센트|프로|원|달러|세|대|번째|째|(?![가-힣]))")
_OTHER_WORDS: Final = frozenset(
    {"이천", "사천", "만일", "천만", "이만", "오만", "천사", "백만", "천일", "일조", "백일"}
)
_NAMES: Final = re.compile("하나(?:원|재단|님|은행)")
"""Where people from the North learn about the South, and other names."""
_TIGHT_SINO: Final = re.compile(rf"(?:명|인|가구)(?:{_PARTICLE}|(?![가-힣]))")
_PERCENT: Final = re.compile(" ?(?:퍼센트|프로(?![가-힣]))")
_MONTH: Final = re.compile("월(?:[에의은부까]|(?![가-힣]))")
_SHARE: Final = re.compile(
    "(?<![가-힣0-9])([일이삼사오육칠팔구십백]{1,4}|[0-9]{1,4}) ?분의 ?([일이삼사오육칠팔구십백]{1,4}|[0-9]{1,4})"
)
_WORDS: Final = {"절반": (Form.SHARE, 1, 2), "전원": (Form.ALL, 0, 1), "아무도": (Form.COUNT, 0, 1)}
_EVERYBODY: Final = re.compile(rf"(?:모두|전부)(?: (?P<who>{_PERSONS}))?")
_ONLY: Final = re.compile(rf"유일한 (?:{_PERSONS}|사람|생존자)")


def korean_tokens(plain: str) -> Iterator[Token]:
    """Every number in Korean words; shares first, the rest in order."""
    for found in _SHARE.finditer(plain):
        whole, part = (_value(found[group]) for group in (1, 2))
        if whole and part is not None and part <= whole:
            yield Token(start=found.start(), end=found.end(), value=Fraction(part, whole), form=Form.SHARE)
    for found in _HANJA.finditer(plain):
        value = sino(found.group().translate(_FROM_HANJA)[:20])
        people = plain[found.end() : found.end() + 2].lstrip().startswith(("人", "名", "명", "인"))
        yield Token(
            start=found.start(),
            end=found.end(),
            value=None if value is None else Fraction(value),
            aside="" if people else "word",
        )
    for run in _RUN.finditer(plain):
        token = _named(plain, run) or _native(plain, run) or _sino_token(plain, run)
        if token is not None:
            yield token


def sino(text: str) -> int | None:
    """The value of a Sino-Korean numeral; None for what is not one (일이, 십백)."""
    total = part = digit = 0
    power, big = 10_000, 10**16
    digit_given = False
    for char in text:
        if char in _DIGITS:
            if digit_given:
                return None
            digit, digit_given = _DIGITS[char], True
        elif char in _POWERS:
            if _POWERS[char] >= power or (digit_given and digit == 0):
                return None
            power = _POWERS[char]
            part += (digit if digit_given else 1) * power
            digit, digit_given = 0, False
        elif char in _BIG:
            if _BIG[char] >= big:
                return None
            big = _BIG[char]
            total += (part + digit or 1) * big
            part, digit, digit_given, power = 0, 0, False, 10_000
        else:
            return None
    return total + part + digit


def _value(text: str) -> int | None:
    return int(text) if text.isdecimal() else sino(text)


def _named(plain: str, run: re.Match[str]) -> Token | None:
    """A word that is a number by itself."""
    start, text = run.start(), run.group()
    for word, (form, part, whole) in _WORDS.items():
        at = text.find(word)
        if at == 0 or (at > 0 and word == "절반"):
            value = None if form is Form.ALL else Fraction(part, whole)
            return Token(start=start + at, end=start + at + len(word), value=value, form=form)
    if found := _EVERYBODY.match(plain, start):
        aside = "" if found["who"] else "all"
        return Token(start=start, end=start + 2, value=None, form=Form.ALL, aside=aside)
    if _ONLY.match(plain, start):
        return count(start, start + 3, 1)
    return None


def _native(plain: str, run: re.Match[str]) -> Token | None:
    """A native numeral, by what stands behind it."""
    found = None if _NAMES.match(plain, run.start()) else _NATIVE.match(plain, run.start(), run.end())
    if found is None or not (found["ten"] or found["one"]):
        return None
    hundred = _value(found["hundred"] or "") or 0
    value = hundred + _TENS.get(found["ten"] or "", 0) + _ONES.get(found["one"] or "", 0)
    start, end = found.span()
    short = end - start == 1
    if _counts_people(plain, end, short=short):
        return count(start, end, value)
    spaced = plain[end : end + 1] == " "
    if spaced or not short or _TIGHT_ASIDE.match(plain, end):
        for aside, pattern in _ASIDES:
            if pattern.match(plain, end):
                return count(start, end, value, aside)
    alone = found.group() in _ALONE or (found["ten"] and (found["one"] or found["ten"] not in {"열", "스무"}))
    return count(start, end, value) if alone and _BEHIND.match(plain, end) else None


def _counts_people(plain: str, end: int, *, short: bool) -> bool:
    """Whether a counter of people follows, or behind a space also a word for people. Directly behind one syllable
    fewer counters are believed: 한인 and 세대 are words of their own."""
    tight = _PEOPLE_TIGHT if short else _PEOPLE
    return (tight.match(plain, end) or _PEOPLE_SPACED.match(plain, end)) is not None


def _about(plain: str, start: int, end: int, value: int) -> Token | None:
    """십여 명, about ten: by what stands behind 여."""
    if _counts_people(plain, end, short=False):
        return count(start, end, value)
    return next((count(start, end, value, aside) for aside, pattern in _ASIDES if pattern.match(plain, end)), None)


def _sino_token(plain: str, run: re.Match[str]) -> Token | None:
    """A Sino-Korean numeral, by what stands behind it."""
    found = _SINO.match(plain, run.start(), run.end())
    if found is None:
        return None
    for length in range(len(found.group()), 0, -1):  # a particle may look like a numeral: 십오만 is "only fifteen" too
        text = found.group()[:length]
        value = sino(text)
        if value is None or value == 0:
            continue
        if (token := _sino_at(plain, run.start(), run.start() + length, text, value)) is not None:
            return token
    return None


def _sino_at(plain: str, start: int, end: int, text: str, value: int) -> Token | None:
    if plain[end : end + 1] == "여" and not set(text).isdisjoint(_ROUND):
        return _about(plain, start, end + 1, value)
    if len(text) == 1:
        if _TIGHT_SINO.match(plain, end):
            other = text in "일이사오구" or (text in "백천만" and plain[end] == "인")  # 구명, 백인
            return count(start, end, value, "word" if other else "")
        if (text != "이" and _PEOPLE_SPACED.match(plain, end)) or _PERCENT.match(plain, end):
            return count(start, end, value)
        return count(start, end, value, "time") if _MONTH.match(plain, end) else None
    if _counts_people(plain, end, short=False):
        return count(start, end, value)
    for aside, pattern in _ASIDES:
        if pattern.match(plain, end):
            return count(start, end, value, aside)
    if not _BEHIND.match(plain, end):
        return None
    return count(start, end, value, "word" if text in _OTHER_WORDS else "")
