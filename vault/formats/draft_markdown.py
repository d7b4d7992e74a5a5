"""What Markdown makes of a draft, only in so far as a number there may not be a count, or a sentence ends there.

Known are: fenced code, code between backquotes, the targets of links, bare addresses and e-mail addresses, footnote
marks, the numbers of lists and of headings, rows of tables. Indented code is read as text: a paragraph in a list looks
the same, and a number that is listed as code would not be compared.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from vault.formats.draft_text import Draft

Span = tuple[int, int, str]
"""Start and end in `Draft.plain`, and why a number there may not be a count."""

_LINE: Final = re.compile(r"[^\n]*\n?")
_FENCE: Final = re.compile(r" {0,3}(`{3,}|~{3,})([^\n]*)")
_HEADING: Final = re.compile(r" {0,3}#{1,6}[ \t]+(?P<number>\d{1,4}(?:\.\d{1,4}){1,5}\.?|\d{1,4}[.)])(?=\s)")
_ITEM: Final = re.compile(r"[ \t>]{0,40}(?P<number>\d{1,3})[.)](?=\s)")
_BULLET: Final = re.compile(r"[ \t>]{0,40}[-*+][ \t]")
_BLOCK: Final = re.compile(r"[ \t>]{0,40}(?:#{1,6}[ \t]|\||[-*+][ \t]|\d{1,9}[.)]\s)")
_INLINE: Final = re.compile(
    r"`(?P<code>[^`\n]{1,1000})`"
    r"|\]\((?P<target>[^()\s]{0,2000}(?:\([^()\s]{0,200}\)[^()\s]{0,2000})?)"
    r"|(?P<address>\b(?:https?://|www\.|mailto:)[^\s<>\"')\]]{1,2000})"
    r"|(?<![\w.+-])(?P<mail>[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8})"
    r"|(?P<note>\[\^[^\]\s]{1,40}\]|\[\d{1,3}\](?![(\[]))"
)
_WHY: Final = {"code": "code", "target": "address", "address": "address", "mail": "address", "note": "footnote"}
_SENTENCE: Final = re.compile(r"[.!?。]['\")\]*_]{0,4}(?=\s)|\n[ \t]*\n")
_ABBREVIATED: Final = re.compile(r"\b(?:approx|ca|c|no|nr|vs|cf|fig|p|pp|mr|mrs|ms|dr|st|e\.g|i\.e|[a-z])$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What was found, in order: spans whose numbers may be no counts, and where sentences end."""

    spans: tuple[Span, ...] = field(repr=False)
    ends: tuple[int, ...] = field(repr=False)


def read_marks(draft: Draft) -> Marks:
    """The marks of a draft."""
    plain = draft.plain
    spans: list[Span] = []
    ends = {found.end() for found in _SENTENCE.finditer(plain) if _ends_sentence(plain, found)}
    fence = ""
    number, loose = 0, True
    for found in _LINE.finditer(plain):
        start, end, line = found.start(), found.end(), found.group()
        if start == end:
            break
        mark = _FENCE.match(line)
        if fence:
            spans.append((start, end, "code"))
            ends.add(end)
            if mark and mark[1].startswith(fence) and not mark[2].strip():
                fence = ""
            continue
        if mark and "`" not in mark[2]:
            fence = mark[1]
            spans.append((start, end, "code"))
            continue
        if _BLOCK.match(line):
            ends.add(start)
            if line.lstrip(" \t>")[0] in "#|":
                ends.add(end)
        if heading := _HEADING.match(line):
            spans.append((start + heading.start("number"), start + heading.end("number"), "heading"))
        number, loose = _list_number(line, start, spans, number, loose=loose)
    spans += _inline(plain)
    return Marks(spans=tuple(sorted(spans)), ends=tuple(sorted(ends)))


def _list_number(line: str, start: int, spans: list[Span], before: int, *, loose: bool) -> tuple[int, bool]:
    """Notes a list's number. A wrapped line may begin with the number that ends a sentence, so a number counts as the
    list's only behind an empty line or a heading, or where it goes on from the number before.

    Returns the list's last number, 0 outside a numbered list, and whether the next line may begin a list.
    """
    if not line.strip(" \t\n>"):
        return before, True
    found = _ITEM.match(line)
    if found is None:
        return (0 if loose and not line.startswith((" ", "\t")) else before), line.startswith("#")
    value = int(found["number"])
    if not (loose or (before and value in (before, before + 1))):
        return before, False
    spans.append((start + found.start("number"), start + found.end("number"), "list"))
    return value, False


def _inline(plain: str) -> list[Span]:
    found = []
    for match in _INLINE.finditer(plain):
        kind = match.lastgroup
        if kind is not None:
            found.append((match.start(kind), match.end(kind), _WHY[kind]))
    return found


def _ends_sentence(plain: str, found: re.Match[str]) -> bool:
    """Whether a full stop ends a sentence: not behind an abbreviation, nor between two numbers (2020. 3. 15.), where
    it is better to take two sentences for one than to miss a year."""
    if found.group().startswith("\n") or plain[found.start()] != ".":
        return True
    behind = plain[found.end() : found.end() + 2].strip()
    before = plain[max(0, found.start() - 8) : found.start()]
    if before[-1:].isdecimal() and behind[:1].isdecimal():
        return False
    return _ABBREVIATED.search(before) is None
