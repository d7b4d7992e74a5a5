"""The scanner for canaries: looks for planted strings in every encoding in which a program might have left them.

Every canary holds two marks (`MARK`, and a Korean one that has a decomposed form), so looking for the marks finds them
all, whatever else they say. A mark is looked for in four Unicode forms and two cases, in six character sets, each of
them plain, reversed, in hex, in base64 at all three alignments, percent-encoded, escaped as JSON and Python do; and all
of that again inside whatever inflates.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote_from_bytes

from tests.organisation import KOREAN_MARK, MARK

CHARSETS = ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "euc-kr")
MOST_INFLATED = 1 << 20


def _spellings(text: str) -> Iterator[str]:
    """The forms that normalising, folding and turning round make of a text."""
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        normal = unicodedata.normalize(form, text)
        yield from (normal, normal.casefold(), normal.upper(), normal[::-1])


def _base64(raw: bytes) -> Iterator[bytes]:
    """What is certain of the base64 of any text that holds `raw`, by where in a group of three it begins."""
    for before in range(3):
        for encode in (b64encode, urlsafe_b64encode):
            coded = encode(bytes(before) + raw)
            yield coded[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6]


def encodings(text: str) -> dict[str, bytes]:
    """Every encoding of a text, by a name that says how it was made."""
    found: dict[str, bytes] = {}
    for number, spelling in enumerate(dict.fromkeys(_spellings(text))):
        found[f"{number} json"] = spelling.encode("ascii", "backslashreplace")
        for charset in CHARSETS:
            try:
                raw = spelling.encode(charset)
            except UnicodeEncodeError:
                continue
            name = f"{number} {charset}"
            found[name] = raw
            found[f"{name} reversed"] = raw[::-1]
            found[f"{name} hex"] = raw.hex().encode()
            found[f"{name} HEX"] = raw.hex().upper().encode()
            found[f"{name} percent"] = quote_from_bytes(raw).encode()
            found[f"{name} python"] = repr(raw)[2:-1].encode()
            for place, coded in enumerate(_base64(raw)):
                found[f"{name} base64/{place}"] = coded
    return found


@lru_cache(maxsize=1)
def _needles() -> re.Pattern[bytes]:
    """All encodings of both marks, as one pattern."""
    everything = {raw for mark in (MARK, KOREAN_MARK) for raw in encodings(mark).values()}
    assert min(map(len, everything)) >= 8, "short needles would be found by chance"
    return re.compile(b"|".join(map(re.escape, sorted(everything))))


def _inflated(raw: bytes) -> Iterator[bytes]:
    """Whatever in `raw` inflates: zlib and gzip streams, wherever they begin."""
    for match in re.finditer(rb"\x78[\x01\x5e\x9c\xda]|\x1f\x8b\x08", raw):
        try:
            yield zlib.decompressobj(47).decompress(raw[match.start() :], MOST_INFLATED)
        except zlib.error:
            continue


def holds_canary(raw: bytes) -> bool:
    """Whether a canary is in these bytes, in any encoding."""
    return _needles().search(raw) is not None or any(_needles().search(inner) for inner in _inflated(raw))


def text_holds_canary(text: str) -> bool:
    """Whether a canary is in what somebody would read."""
    return holds_canary(text.encode("utf-8", "surrogatepass"))


def scan(directories: Iterable[Path]) -> list[str]:
    """The files below, by name, that hold a canary in their content or their name."""
    found = []
    for directory in directories:
        for path in sorted(directory.rglob("*")):
            content = path.read_bytes() if path.is_file() else b""
            if holds_canary(content) or text_holds_canary(path.name):
                found.append(path.name)
    return found
