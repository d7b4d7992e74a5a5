r"""Every number in a report's draft, with its line and column: English and Korean, plain text or Markdown.

Reports leak in their prose ("15 people in 2020, 14 of them women"), so a director has a draft compared with what was
released (`services/drafts.py`). This is the half that reads. It does not understand sentences; it finds numbers, in
digits (`draft_digits`) and in words (`draft_english`, `draft_korean`), and says of some why they may not be counts
(`draft_asides`, `draft_markdown`). A number is never left out for that reason.

    >>> [(n.line, n.column, n.text, str(n.value), n.aside) for n in parse_draft(b"In 2020, fifteen\npeople, 52 %.")]
    [(1, 4, '2020', '2020', 'year'), (1, 10, 'fifteen', '15', ''), (2, 9, '52', '52', '')]

The time it takes is proportional to the draft's length.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import chain, islice, pairwise
from typing import Final

from vault.errors import InputRefused
from vault.formats.draft_asides import NEAR, OVER, OVER_BEHIND, UNDER, UNDER_BEHIND, seen_around
from vault.formats.draft_digits import digit_tokens
from vault.formats.draft_english import english_tokens
from vault.formats.draft_korean import korean_tokens
from vault.formats.draft_markdown import Marks, Span, read_marks
from vault.formats.draft_text import MOST_BYTES, Draft, read_draft
from vault.formats.draft_tokens import Form, Token

__all__ = ["MOST_BYTES", "DraftNumber", "Form", "parse_draft"]

MOST_NUMBERS: Final = 20_000
_SHOWN: Final = 60
_AROUND: Final = 36
_YEARS: Final = re.compile(r"(?<![0-9])(19[0-9]{2}|20[0-9]{2}|2100)(?:[-/\u2013]([0-9]{2})(?![0-9]))?")
_RANGE: Final = re.compile(r"[ \n]?(?:[-\u2010-\u2014~\u301c\u223c]|to|에서|부터)[ \n]?")
_ONE_IN: Final = re.compile(r"[ \n](?:in|out of|in every|of every)[ \n]")
_SHARED: Final = frozenset({"money", "time", "age", "things"})


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftNumber:
    """One number of a draft. `line` and `column` count from 1, columns in code points. `value` is None for "all", and
    for what has no single value (a date, a version, a number of more than 15 digits). A share's value lies between 0
    and 1; a percentage's is what is written. `aside` says why it may not be a count, and is empty for what must be
    taken for one. `bound` is "under" or "over" where the words before or behind say so. `years` are those that its
    sentence names, and `words` are some of that sentence."""

    line: int
    column: int
    text: str = field(repr=False)
    value: Fraction | None
    form: Form = Form.COUNT
    aside: str = ""
    bound: str = ""
    years: tuple[int, ...] = ()
    words: str = field(default="", repr=False)


def parse_draft(raw: bytes) -> tuple[DraftNumber, ...]:
    """The numbers of a draft, in order. Raises InputRefused for what is not UTF-8 text of at most 2 MiB, or has more
    numbers than a report."""
    draft = read_draft(raw)
    marks = read_marks(draft)
    tokens = _tokens(draft, marks.spans)
    years = _years(draft, marks, tokens)
    return tuple(_number(draft, marks, token, years) for token in tokens)


def _tokens(draft: Draft, spans: Sequence[Span]) -> list[Token]:
    """All numbers, none of them twice."""
    plain = draft.plain
    found = list(_few(chain(digit_tokens(plain), english_tokens(plain), korean_tokens(plain))))
    found = _one_in(plain, list(_apart(found)))
    return _ranges(plain, list(_marked(spans, (seen_around(draft, token) for token in found))))


def _few(tokens: Iterable[Token]) -> Iterator[Token]:
    yield from islice(tokens := iter(tokens), MOST_NUMBERS)
    if next(tokens, None) is not None:
        raise InputRefused(
            f"the draft has more than {MOST_NUMBERS:,} numbers", [], hint="check its chapters one by one"
        )


def _apart(tokens: list[Token]) -> Iterator[Token]:
    """The tokens in order; where two overlap, the one that begins first, or the longer."""
    behind = 0
    for token in sorted(tokens, key=lambda token: (token.start, -token.end)):
        if token.start >= behind:
            behind = token.end
            yield token


def _one_in(plain: str, tokens: list[Token]) -> list[Token]:
    """Makes one share of "one in five"."""
    found: list[Token] = []
    for token in tokens:
        last = found[-1] if found else None
        if last is not None and _is_share(plain, last, token):
            part = (last.value or 0) / (token.value or 1)
            found[-1] = Token(start=last.start, end=token.end, value=Fraction(part), form=Form.SHARE)
        else:
            found.append(token)
    return found


def _is_share(plain: str, one: Token, of: Token) -> bool:
    between = plain[one.end : of.start] if of.start - one.end <= NEAR else ""
    whole = all(token.form is Form.COUNT and not token.aside for token in (one, of))
    few = one.value is not None and of.value is not None and 0 < one.value < of.value <= 100
    return whole and few and _ONE_IN.fullmatch(between) is not None


def _marked(spans: Sequence[Span], tokens: Iterable[Token]) -> Iterator[Token]:
    """The tokens, set aside where Markdown says so."""
    at, end, why = 0, 0, ""
    for token in tokens:
        while at < len(spans) and spans[at][0] <= token.start:
            if spans[at][1] > end:
                _, end, why = spans[at]
            at += 1
        yield replace(token, aside=why) if token.start < end else token


def _ranges(plain: str, tokens: list[Token]) -> list[Token]:
    """In "10-15 %" both are percentages, in "$10-15" both are money."""
    for at, (one, two) in reversed(list(enumerate(pairwise(tokens)))):
        if not _RANGE.fullmatch(plain[one.end : min(two.start, one.end + NEAR)]):
            continue
        if two.form is Form.PERCENT and one.form is Form.COUNT and not one.aside:
            tokens[at] = replace(one, form=Form.PERCENT)
        elif two.aside in _SHARED and not one.aside and one.form is Form.COUNT:
            tokens[at] = replace(one, aside=two.aside)
        elif one.aside == "money" and not two.aside and two.form is Form.COUNT:
            tokens[at + 1] = replace(two, aside="money")
    return tokens


def _years(draft: Draft, marks: Marks, tokens: Iterable[Token]) -> dict[int, tuple[int, ...]]:
    """The years that each sentence names, by the sentence's number."""
    found: dict[int, set[int]] = {}
    for token in tokens:
        if token.aside not in {"year", "date"}:
            continue
        for match in _YEARS.finditer(draft.plain, token.start, token.end):
            named = found.setdefault(bisect_right(marks.ends, token.start), set())
            named.add(int(match[1]))
            if match[2] is not None and int(match[2]) > int(match[1]) % 100:
                named.add(int(match[1][:2] + match[2]))
    return {at: tuple(sorted(named)) for at, named in found.items()}


def _number(draft: Draft, marks: Marks, token: Token, years: dict[int, tuple[int, ...]]) -> DraftNumber:
    plain = draft.plain
    start, end = draft.span(token.start, token.end)
    line, column = draft.place(start)
    sentence = bisect_right(marks.ends, token.start)
    first = marks.ends[sentence - 1] if sentence else 0
    last = marks.ends[sentence] if sentence < len(marks.ends) else len(plain)
    left, right = max(first, token.start - _AROUND), min(max(last, token.end), token.end + _AROUND)
    before, behind = plain[left : token.start], plain[token.end : right]
    under = UNDER.search(before) or UNDER_BEHIND.match(behind)
    over = OVER.search(before) or OVER_BEHIND.match(behind)
    return DraftNumber(
        line=line,
        column=column,
        text=_short(draft.text[start:end], _SHOWN),
        value=token.value,
        form=token.form,
        aside=token.aside,
        bound="under" if under else "over" if over else "",
        years=years.get(sentence, ()),
        words=_short(_whole_words(draft, left, right, first=first, last=last), 3 * _AROUND),
    )


def _whole_words(draft: Draft, left: int, right: int, *, first: int, last: int) -> str:
    """A piece of a sentence as written, on one line, with dots where it was cut."""
    start, end = draft.span(left, right)
    text = " ".join(draft.text[start : min(end, start + 1_000)].split())
    return ("…" if left > first else "") + text + ("…" if right < last else "")


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
