"""The text of a draft as its reader sees it: decoded, and folded so that a number looks the same in every script.

A scanner for numbers must not be led astray by what a reader does not see. So a draft is read twice: `Draft.text` is
what was written, `Draft.plain` is what is searched, and `Draft.place` leads from the second back to a line and a column
of the first. Folding works on one character with its combining marks at a time:

    １５ ١٥ १५ ๑๕     15                    digits of every script
    x¹ x₂             x<U+E001> x<U+E002>   raised and lowered digits, which never join a number
    ½ Ⅻ ⑮ ፲          " 1/2 " " 12 " ...    other characters with a value, apart from their neighbours
    1<U+00A0>300      1 300                 every kind of space
    한 (decomposed)   한                    NFKC, lower case
    &#49;&nbsp;       1 and a space         character references of HTML, which Markdown obeys
    1<U+200B>5        15                    zero-width, bidi and control characters and combining marks: left out

Everything here takes time in proportion to the draft's length, whatever the draft holds.
"""

from __future__ import annotations

import html
import re
import unicodedata
from array import array
from bisect import bisect_right
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from typing import Final

from vault.errors import InputRefused, Problem

MOST_BYTES: Final = 2 * 1024 * 1024
"""A thousand pages. A report's text is a few hundred kilobytes."""
RAISED: Final = 0xE000
"""Ten private characters stand for raised and lowered digits; what a draft holds of its own there is not a digit."""

_NOT_TEXT: Final = "save the draft as text (Markdown or plain, UTF-8); from a word processor: export it as text"
_MARKS: Final = "\u0300-\u036f\u1160-\u11ff\ud7b0-\ud7ff"
_CLUSTER: Final = re.compile(
    rf"&(?:#[0-9]{{1,7}}|#[xX][0-9a-fA-F]{{1,6}}|[a-zA-Z]{{2,8}}[0-9]{{0,2}});|\r\n|.[{_MARKS}]{{0,8}}", re.DOTALL
)
_AS_IT_IS: Final = re.compile(r"[\n\t\x20-\x25\x27-\x7e]*\Z")
_LEFT_OUT: Final = frozenset({"Cf", "Mn", "Me", "Cs", "Cc", "Co"})
_IDEOGRAPH: Final = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff〇]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A decoded draft: `text` as written and `plain` to search in."""

    text: str = field(repr=False)
    plain: str = field(repr=False)
    _starts: array[int] | None = field(repr=False)
    _ends: array[int] | None = field(repr=False)
    _lines: array[int] = field(repr=False)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where a piece of `plain` stands in `text`; `end` is behind its last character."""
        if self._starts is None or self._ends is None:
            return start, end
        return self._starts[start], self._ends[end - 1]

    def place(self, at: int) -> tuple[int, int]:
        """Line and column, both from 1, of an index into `text`. Columns count code points."""
        line = bisect_right(self._lines, at)
        return line, at - self._lines[line - 1] + 1


def read_draft(raw: bytes) -> Draft:
    """The draft of a file's bytes. Raises InputRefused for what is not UTF-8 text or larger than MOST_BYTES."""
    if len(raw) > MOST_BYTES:
        raise InputRefused("the draft is larger than 2 MiB of text", [], hint="check its chapters one by one")
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputRefused("the draft is UTF-16, not UTF-8", [], hint=_NOT_TEXT)
    if (at := raw.find(b"\0")) >= 0:
        raise _refused(raw, at, "holds a byte that no text has (NUL)")
    try:
        text = raw.decode("utf-8-sig")
        refused = -1
    except UnicodeDecodeError as error:
        text, refused = "", error.start
    if refused >= 0:  # raised outside the handler: the chained error would carry a piece of the draft
        raise _refused(raw, refused, "is not UTF-8 text")
    lines = array("I", [0])
    lines.extend(found.end() for found in re.finditer("\n", text))
    plain, starts, ends = _folded(text)
    return Draft(text=text, plain=plain, _starts=starts, _ends=ends, _lines=lines)


def _refused(raw: bytes, at: int, what: str) -> InputRefused:
    line = raw.count(b"\n", 0, at) + 1
    return InputRefused("the draft cannot be read", [Problem(line=line, variable=None, message=what)], hint=_NOT_TEXT)


def _folded(text: str) -> tuple[str, array[int] | None, array[int] | None]:
    """`plain`, and for each of its characters where the written one begins and ends; None where both are the same."""
    if _AS_IT_IS.match(text):
        return text.lower(), None, None
    pieces: list[str] = []
    starts, ends = array("I"), array("I")
    for found in _CLUSTER.finditer(text):
        shown = _seen(found.group())
        if shown:
            pieces.append(shown)
            starts.extend([found.start()] * len(shown))
            ends.extend([found.end()] * len(shown))
    return "".join(pieces), starts, ends


@lru_cache(maxsize=65_536)
def _seen(cluster: str) -> str:
    """What a reader sees of one character with its marks, folded."""
    if len(cluster) == 1 and " " <= cluster <= "~":
        return cluster.lower()
    if len(cluster) > 1 and cluster[0] == "&":
        return "".join(map(_seen, html.unescape(cluster)))
    if cluster == "\r\n":
        return "\n"
    return "".join(map(_folded_char, unicodedata.normalize("NFC", cluster)))


def _folded_char(char: str) -> str:
    if char in "\n\r":
        return "\n"
    if char.isspace():
        return " "
    if unicodedata.category(char) in _LEFT_OUT:
        return ""
    if (digit := unicodedata.decimal(char, None)) is not None:
        return str(digit)
    if unicodedata.decomposition(char).startswith(("<super>", "<sub>")):
        digit = unicodedata.digit(char, None)
        return unicodedata.normalize("NFKC", char).lower() if digit is None else chr(RAISED + digit)
    value = None if _IDEOGRAPH.match(char) else unicodedata.numeric(char, None)
    if value is not None and value >= 0:
        part = Fraction(value).limit_denominator(1_000)
        return f" {part.numerator} " if part.denominator == 1 else f" {part.numerator}/{part.denominator} "
    return "".join(" " if each.isspace() else each for each in unicodedata.normalize("NFKC", char).lower())
