r"""Free text that a person typed: one canonical form, and nothing in it that hides, reorders or commands.

Specification: Unicode NFC (UAX #15). Outer white space is removed, a tab becomes a space, CR LF becomes LF. Refused:
control characters (a line feed is allowed in multi-line text), format characters (category Cf: bidirectional controls,
zero-width characters, tags), surrogates, private-use and unassigned code points, U+2028 and U+2029, variation
selectors and other characters that show nothing (Hangul fillers and their like), more than eight combining marks on
one base, and text above a byte limit. `clean` is idempotent, and decomposed Hangul gives the same text as composed
Hangul, so that equal names are equal bytes and count six cells, not twelve, in a terminal.

    >>> clean("\u1112\u1161\u11ab ")
    '한'
    >>> search_key("\uff2bIM  Min-Su")
    'kim min-su'
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from vault.errors import FormatError

LIMIT_BYTES: Final = 4096
MARKS: Final = 8
"""Combining marks that one base may carry. Vietnamese needs two, Thai three."""

# A base decomposes into at most three marks more than its composed form shows, so 16 raw marks lose nobody. They are
# counted before normalising because sorting a long run of marks costs the square of its length.
_RAW_MARKS: Final = 16
_OUTER: Final = " \t\r\n\u00a0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u202f\u205f\u3000"

# Characters that are always as they should be, in any order: ASCII, kana, Han and Hangul syllables. Nearly all text
# consists of them, and a look at this is a tenth of the work.
_PLAIN: Final = re.compile("[\u0020-\u007e\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fef\uac00-\ud7a3]*")
_PLAIN_LINES: Final = re.compile("[\n\u0020-\u007e\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fef\uac00-\ud7a3]*")

# Letters, marks and symbols that are printable for Python and yet show nothing.
_INVISIBLE: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
# Nine characters in a row outside the blocks that hold no combining mark (Latin, Hangul, kana, Han): worth counting.
_MAYBE_MARKS: Final = re.compile(
    "[^\u0000-\u02ff\u1100-\u11ff\u2000-\u206f\u3000-\u3029\u3041-\u3096\u30a1-\u30fa\u3131-\u318e\u4e00-\u9fff"
    "\uac00-\ud7a3]{9}"
)
_BETWEEN_WORDS: Final = re.compile(r"[\s\-\u2010-\u2015_.,;:\u00b7\u30fb'\"\u2018-\u201f()/\\|]+")
_HANGUL_NAME: Final = re.compile(r"[\uac00-\ud7a3]{3,4}")


class TextRefused(FormatError):
    """Text that is not taken; the message says why and names code points that do not show, never the text."""


def clean(text: str, *, limit_bytes: int = LIMIT_BYTES, multiline: bool = False) -> str:
    """The canonical form of what was typed; an empty string when nothing but white space was.

    Raises TextRefused (a FormatError) with the reason.
    """
    if text.isascii() and text.isprintable():
        text = text.strip(" ")
        if len(text) > limit_bytes:
            raise TextRefused(f"is longer than {limit_bytes} bytes")
        return text
    if text[:1].isspace() or text[-1:].isspace():
        text = text.strip(_OUTER)
    if (_PLAIN_LINES if multiline else _PLAIN).fullmatch(text) is None:
        text = _clean_slowly(text, limit_bytes, multiline)
    if len(text) * 4 > limit_bytes and len(text.encode()) > limit_bytes:
        raise TextRefused(f"is longer than {limit_bytes} bytes")
    return text


def _clean_slowly(text: str, limit_bytes: int, multiline: bool) -> str:
    """`clean` for text with anything but the plainest characters in it."""
    # No text has more than three times as many code points as its NFC form has bytes.
    if len(text) > 3 * limit_bytes:
        raise TextRefused(f"is longer than {limit_bytes} bytes")
    text = text.replace("\r\n", "\n").replace("\t", " ")
    _refuse_hidden(text, multiline)
    if not text.isascii():
        _refuse_marks(text, _RAW_MARKS)
        text = unicodedata.normalize("NFC", text)
        _refuse_marks(text, MARKS)
    return text


def _refuse_hidden(text: str, multiline: bool) -> None:
    """Raise TextRefused for the first character that would hide, reorder or command."""
    shown = text.replace("\n", "") if multiline else text
    if not shown.isprintable():
        for character in shown:
            # Spaces other than U+0020 are not "printable" to Python, yet they are only spaces.
            if not character.isprintable() and unicodedata.category(character) != "Zs":
                raise TextRefused(_reason(character))
    if not text.isascii() and (found := _INVISIBLE.search(text)) is not None:
        raise TextRefused(_reason(found[0]))


def _reason(character: str) -> str:
    """Why one character is refused, by its code point."""
    if character == "\n":
        return "must be a single line"
    category = unicodedata.category(character)
    kind = {
        "Cc": "a control character",
        "Cs": "half a character (a lone surrogate)",
        "Co": "a private-use character",
        "Cn": "an unassigned character",
    }.get(category)
    if kind is None:
        kind = unicodedata.name(character, "a character that does not show").lower()
    return f"contains U+{ord(character):04X} ({kind}); type it again without that"


def _refuse_marks(text: str, most: int) -> None:
    """Raise TextRefused when one base carries more than `most` combining marks."""
    if _MAYBE_MARKS.search(text) is None:
        return
    run = 0
    for character in text:
        run = run + 1 if unicodedata.category(character)[0] == "M" else 0
        if run > most:
            raise TextRefused(f"has more than {MARKS} combining marks on one character")


def search_key(text: str) -> str:
    """What two spellings of one name share: NFKC, case folded, runs of white space as one space."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def words(text: str) -> tuple[str, ...]:
    """The words of a name or a query, folded: they end at white space, hyphens and punctuation."""
    return tuple(word for word in _BETWEEN_WORDS.split(search_key(text)) if word)


def prefixes(text: str, most: int) -> tuple[str, ...]:
    """The distinct beginnings, of one to `most` characters, of every word of a name, sorted.

    A Korean name written as one word of three or four syllables is
    also indexed from its second syllable, since people search for the given name. A query longer than `most`
    characters has to be cut to `most` before it is looked up.
    """
    found: set[str] = set()
    for word in _name_words(text):
        found.update(word[:length] for length in range(1, min(most, len(word)) + 1))
    return tuple(sorted(found))


def _name_words(text: str) -> Iterator[str]:
    """The words of a name, and the given names inside Korean ones."""
    for word in words(text):
        yield word
        if _HANGUL_NAME.fullmatch(word):
            yield word[1:]
