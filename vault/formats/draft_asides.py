"""Why a number in a draft may not be a count of people: by the few characters before and behind it.

Nothing is dropped here. A number is set aside where its surroundings say what else it is, and stays a count in every
doubt: "In March 15 people" has no date, "2,000 people" and "2000 people" are no years, "15분" may be people.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from vault.formats.draft_english import PEOPLE
from vault.formats.draft_text import Draft
from vault.formats.draft_tokens import Form, Token

NEAR: Final = 32
"""How many characters before and behind are looked at."""
_MONTHS: Final = (
    "(?:january|february|march|april|may|june|july|august|september|october|november|december"
    "|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)"
)
_PERCENT: Final = re.compile(
    r"[ \n]?(?:%|٪|percent(?![a-z])|per[ -]?cent(?![a-z])|pct(?![a-z])|퍼센트|프로(?![가-힣]))"
    r"|-percent(?![a-z])"
)
_MONEY_BEFORE: Final = re.compile(r"(?:[$₩€£¥]|\b(?:usd|krw|eur|gbp|us)) ?$")
_MONEY_BEHIND: Final = re.compile(
    r"[ \n]?(?:원(?:[을이은의과에씩짜정]|(?![가-힣]))|달러|유로|위안|파운드|[$₩€£¥]"
    r"|(?:usd|krw|eur|gbp|dollars?|euros?|cents?|pounds?)(?![a-z]))"
)
_YEAR: Final = re.compile(r"19[0-9]{2}|20[0-9]{2}|2100")
_COUNTED: Final = re.compile(
    r" ?(?:명|인|사람|분|가구|가족|건|세대|쌍)"
    rf"|[ \n](?:(?:more|other|new|korean|young) )?(?:{'|'.join(sorted(PEOPLE))})(?![a-z])"
)
_IN_A_YEAR: Final = re.compile(
    r"(?:\b(?:in|since|of|during|by|until|till|from|to|and|or|through|before|after|between|year|for|ending|early|late|mid)"
    r"[ \n-]|[-\u2013~/(])$"
)
_TIME: Final = re.compile(
    r"[ \n-]?(?:years?|yrs?|months?|weeks?|days?|nights?|hours?|hrs?|minutes?|seconds?"
    r"|centur(?:y|ies)|o'clock|[ap]\.?m)"
    r"(?![a-z])"
    r"| ?(?:개월|시간|년|월(?!드)|일(?!인|부|본)|초(?![등중])|주(?![민부택거])|시(?:[에의부까]|(?![가-힣])))"
)
_AGE_BEFORE: Final = re.compile(r"\b(?:aged?|ages) $|만 ?$")
_OF_AGE: Final = re.compile(r"\b(?:under|below|over)[ \n]$")
"""Before 18, which is how releases name minors."""
_AGE_BEHIND: Final = re.compile(r"[ \n-]years?[ -]old| ?(?:세(?![대상계])|살)|0?대(?:[의가는에]|(?![가-힣]))")
_THINGS: Final = re.compile(
    r" ?(?:번(?!째)|차례|개국|개(?!월)|곳|가지|회(?![원])"
    r"|군데|나라|국가|도시|단계|권|편|장(?![애])|쪽|호|조(?![사])|항|페이지|판)"
)
_REFERENCE: Final = re.compile(
    r"(?:\b(?:tables?|figures?|fig\.|chapters?|sections?|pages?|articles?|annex|appendix|box|issue|volume) "
    r"|§ ?|\bpp?\. ?|표 ?|그림 ?|제)$"
)
_VERSION: Final = re.compile(r"(?:\bv|\bversion |버전 ?)$")
_LABEL: Final = re.compile(r"(?:(?:^|[^A-Za-z])[A-Z]{1,4}|[A-Z]{2,8}-)$")
_MONTH_BEFORE: Final = re.compile(rf"\b(?P<month>{_MONTHS})\.? $")
_MONTH_BEHIND: Final = re.compile(rf"(?: of)? (?P<month>{_MONTHS})(?![a-z])")
_DAY_ENDS: Final = re.compile(r"(?:,? (?:19|20)[0-9]{2}(?![0-9])|[.;:)\n]|,[ \n]|$)")
_ON: Final = re.compile(rf"\bon {_MONTHS}\.? $")
_CIRCLED: Final = re.compile("[\u2460-\u24ff\u2776-\u2793\u3251-\u325f\u32b1-\u32bf]")
UNDER: Final = re.compile(r"\b(?:under|below|less than|fewer than|at most|up to) (?:about )?$")
OVER: Final = re.compile(r"\b(?:over|above|more than|at least) (?:about )?$")
UNDER_BEHIND: Final = re.compile(r"(?: ?(?:%|퍼센트|명))? ?(?:미만|이하)")
OVER_BEHIND: Final = re.compile(r"(?: ?(?:%|퍼센트|명))? ?(?:초과|이상|넘)")


def seen_around(draft: Draft, token: Token) -> Token:
    """The token with its form, and with the reason why it may not be a count."""
    if token.aside or token.form in (Form.SHARE, Form.ALL):
        return token
    plain = draft.plain
    before, behind = plain[max(0, token.start - NEAR) : token.start], plain[token.end : token.end + NEAR]
    if _PERCENT.match(behind):
        return replace(token, form=Form.PERCENT)
    return replace(token, aside=_why(draft, token, before, behind))


def _why(draft: Draft, token: Token, before: str, behind: str) -> str:
    written = draft.plain[token.start : token.end]
    digits = written[:1].isdecimal()
    if _MONEY_BEFORE.search(before) or _MONEY_BEHIND.match(behind):
        return "money"
    if _YEAR.fullmatch(written) and _is_year(before, behind):
        return "year"
    of_age = written == "18" and _OF_AGE.search(before) and not _COUNTED.match(behind)
    if of_age or _AGE_BEFORE.search(before) or _AGE_BEHIND.match(behind):
        return "age"
    if _TIME.match(behind):
        return "time"
    if digits and _is_day(draft, token, before, behind):
        return "date"
    if digits and (named := _named(draft, token, before)):
        return named
    return "things" if digits and _THINGS.match(behind) else ""


def _is_year(before: str, behind: str) -> bool:
    """A number from 1900 to 2100 is a year unless people are counted with it: "2000 people", but "in 2020 people"."""
    return _COUNTED.match(behind) is None or (_IN_A_YEAR.search(before) is not None and behind[:1] in (" ", "\n"))


def _is_day(draft: Draft, token: Token, before: str, behind: str) -> bool:
    """A day beside the name of a month. "In March 15 people" and "15 may return" are no dates."""
    if token.value is None or not 1 <= token.value <= 31:
        return False
    if (month := _MONTH_BEFORE.search(before)) and _capital(draft, token.start - len(before) + month.start("month")):
        return _DAY_ENDS.match(behind) is not None or _ON.search(before) is not None
    month = _MONTH_BEHIND.match(behind)
    return month is not None and _capital(draft, token.end + month.start("month"))


def _capital(draft: Draft, at: int) -> bool:
    start, end = draft.span(at, at + 1)
    return draft.text[start:end].isupper()


def _named(draft: Draft, token: Token, before: str) -> str:
    """Whether digits are part of a name: Table 3, v2, Q3."""
    if _REFERENCE.search(before):
        return "reference"
    if _VERSION.search(before):
        return "version"
    start, _ = draft.span(token.start, token.end)
    if _LABEL.search(draft.text[max(0, start - 10) : start]):
        return "label"
    return "list" if _CIRCLED.match(draft.text, start) else ""
