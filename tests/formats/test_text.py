"""Free text: one canonical form, and nothing in it that hides, reorders or commands."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import example, given, strategies as st

from vault.formats.text import LIMIT_BYTES, MARKS, TextRefused, clean, prefixes, search_key

HOSTILE = {
    "escape": "a\x1b[2J",
    "osc": "a\x1b]52;c;AAAA\x07",
    "bell": "a\x07",
    "backspace": "a\x08b",
    "carriage-return": "safe\revil",
    "delete": "a\x7f",
    "nul": "a\x00b",
    "c1": "a\x9bm",
    "next-line": "a\x85b",
    "line-separator": "a\u2028b",
    "paragraph-separator": "a\u2029b",
    "bidi-override": "a\u202eb",
    "bidi-isolate": "a\u2066b\u2069",
    "right-to-left-mark": "a\u200fb",
    "zero-width-space": "a\u200bb",
    "zero-width-joiner": "a\u200db",
    "zero-width-non-joiner": "a\u200cb",
    "byte-order-mark": "\ufeffa",
    "soft-hyphen": "a\u00adb",
    "word-joiner": "a\u2060b",
    "tag": "a\U000e0041",
    "variation-selector": "a\ufe0f",
    "variation-selector-supplement": "葛\U000e0100",
    "hangul-filler": "김\u3164",
    "half-width-filler": "\uffa0",
    "jamo-filler": "\u115f",
    "grapheme-joiner": "a\u034f",
    "braille-blank": "\u2800",
    "private-use": "a\ue000",
    "surrogate": "a\ud800",
    "noncharacter": "a\uffff",
    "unassigned": "a\u0378",
}
TEXT = st.text(max_size=60) | st.text(alphabet="aé김민\u1100\u1161\u11a8\u0301\u0327가กำ ์\t\r\n \u3000Åﬁ", max_size=30)


def refused(text: str, *, multiline: bool = False) -> str:
    """The reason for which a text must be refused."""
    with pytest.raises(TextRefused) as caught:
        clean(text, multiline=multiline)
    return caught.value.message


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("multiline", [False, True])
def test_hostile_characters_are_refused_by_code_point(name: str, multiline: bool) -> None:
    """What would hide, reorder or command is refused, and named so that it can be found."""
    message = refused(HOSTILE[name], multiline=multiline)
    assert message.isascii()
    assert message.isprintable()
    assert message.startswith("contains U+")


@pytest.mark.parametrize(
    "text",
    [
        "Kim Min-su",
        "김민수",
        "李明秀",
        "สมชาย ใจดี",
        "Nguyễn Thị Ánh",
        "Пак Чхоль",
        "Бат-Эрдэнэ",
        "ខ្មែរ",
        "မြန်မာ",
        "ພາສາລາວ",
        "O'Brien <b>&amp; {0.__class__} %s; DROP TABLE",
        "=cmd|'/c calc'!A1",
        "😀 emoji",
        "a\u00a0b\u3000c",
        "مرحبا",
    ],
)
def test_names_of_the_world_are_taken_as_they_are(text: str) -> None:
    """Negative control: scripts of the routes, punctuation and harmless symbols pass unchanged."""
    assert clean(text) == unicodedata.normalize("NFC", text)


def test_white_space() -> None:
    """Outer white space goes, tabs become spaces, CR LF becomes LF, lines need multi-line text."""
    assert clean(" \t\u3000a\tb \r\n") == "a b"
    assert clean(" \u00a0\n ") == ""
    assert clean("a\r\nb\nc", multiline=True) == "a\nb\nc"
    assert refused("a\nb") == "must be a single line"
    assert refused("a\r\nb") == "must be a single line"


def test_the_byte_limit_counts_utf_8_after_normalising() -> None:
    """Exactly the limit is taken, one byte more is not; decomposed text is measured as composed."""
    assert clean("a" * LIMIT_BYTES)
    assert "longer" in refused("a" * (LIMIT_BYTES + 1))
    most = LIMIT_BYTES // 3
    assert clean("김" * most) == clean(unicodedata.normalize("NFD", "김") * most)
    assert "longer" in refused("김" * (most + 1))
    assert "longer" in refused(unicodedata.normalize("NFD", "김") * (most + 1))
    assert clean("김", limit_bytes=3)
    with pytest.raises(TextRefused):
        clean("김", limit_bytes=2)


def test_combining_marks() -> None:
    """Eight marks on a base are taken, nine are not, however the base is written."""
    assert clean("x" + "\u0327" * MARKS)
    assert "combining" in refused("x" + "\u0327" * (MARKS + 1))
    composed = "\u01d6" + "\u0327" * MARKS
    assert clean(unicodedata.normalize("NFD", composed)) == clean(composed)


def test_a_million_marks_are_refused_at_once() -> None:
    """Sorting a long run of marks takes the square of its length, so the run is refused first."""
    started = time.perf_counter()
    for count in (1_000_000, 3 * LIMIT_BYTES - 1):
        refused("a" + "\u0301\u0327" * (count // 2))
    assert time.perf_counter() - started < 1


@given(TEXT, st.booleans())
@example("\u1112\u1161\u11ab", False)
@example("\u0301", False)
@example("\t\u0301\r\n\u0301", True)
def test_clean_is_idempotent_and_nfc(text: str, multiline: bool) -> None:
    """What comes out is NFC, and is taken again unchanged."""
    try:
        found = clean(text, multiline=multiline)
    except TextRefused:
        return
    assert unicodedata.is_normalized("NFC", found)
    assert clean(found, multiline=multiline) == found
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") for c in found.replace("\n", ""))


@given(TEXT)
@example("김민수")
@example("Nguyễn")
def test_decomposed_input_gives_the_same(text: str) -> None:
    """NFD and NFC of one text have one result, or are both refused."""

    def result(form: str) -> str | None:
        try:
            return clean(form)
        except TextRefused:
            return None

    assert result(unicodedata.normalize("NFD", text)) == result(unicodedata.normalize("NFC", text))


def test_search_keys_fold_case_width_and_space() -> None:
    """Full-width letters, capitals and repeated spaces do not matter."""
    assert search_key("\uff2b\uff29\uff2d\u3000 Min-Su ") == search_key("kim min-su") == "kim min-su"
    assert search_key("STRASSE") == search_key("Straße")


@given(TEXT)
def test_search_keys_do_not_depend_on_the_form(text: str) -> None:
    """NFC and NFD of one text have the same key."""
    assert search_key(unicodedata.normalize("NFD", text)) == search_key(unicodedata.normalize("NFC", text))


def test_prefixes() -> None:
    """Every word's beginnings up to the given length; words end at hyphens and punctuation too."""
    assert prefixes("Kim Min-su", 3) == ("k", "ki", "kim", "m", "mi", "min", "s", "su")
    assert prefixes(" , ", 3) == ()
    assert prefixes("abcdef", 2) == ("a", "ab")


def test_korean_given_names_are_found() -> None:
    """A name written as one word is found by the family name's and by the given name's beginning."""
    found = prefixes("김민수", 8)
    assert {"김", "김민", "김민수", "민", "민수"} == set(found)
    assert "수정" not in prefixes("김수정에게서", 8)


@given(TEXT, st.integers(1, 6))
def test_prefixes_are_short_and_distinct(text: str, most: int) -> None:
    """No prefix is empty, longer than asked, or there twice."""
    found = prefixes(text, most)
    assert len(set(found)) == len(found)
    assert all(1 <= len(prefix) <= most for prefix in found)
