"""Numbers in words, English and Korean: found with their values; words that only begin like a number are not."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from tests.formats.test_draft import counts, found, only
from vault.formats.draft_korean import sino

ONES = (
    *("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen"),
    *("fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")


def english(value: int) -> str:
    """A number in words, by another way than the scanner's."""
    if value >= 1_000:
        rest = value % 1_000
        return f"{english(value // 1_000)} thousand" + (
            f" {'and ' if rest < 100 else ''}{english(rest)}" if rest else ""
        )
    if value >= 100:
        return f"{english(value // 100)} hundred" + (f" and {english(value % 100)}" if value % 100 else "")
    if value < 20:
        return ONES[value - 1]
    return TENS[value // 10 - 2] + (f"-{ONES[value % 10 - 1]}" if value % 10 else "")


def korean(value: int) -> str:
    """A number in Sino-Korean words."""
    if value >= 10_000:
        return korean(value // 10_000) + "만" + (korean(value % 10_000) if value % 10_000 else "")
    words = ""
    for power, name in ((1_000, "천"), (100, "백"), (10, "십"), (1, "")):
        digit = value // power % 10
        if digit:
            words += ("" if digit == 1 and power > 1 else "일이삼사오육칠팔구"[digit - 1]) + name
    return words


@given(st.integers(1, 999_999))
def test_every_english_number_is_read_back(value: int) -> None:
    """In small letters and in capitals, over a wrapped line."""
    for text in (english(value), english(value).upper(), english(value).replace(" ", "\n")):
        assert [number for _, number in counts(f"we saw {text} there")] == [str(value)]


@given(st.integers(11, 99_999_999))
def test_every_sino_korean_number_is_read_back(value: int) -> None:
    """Before a counter, with a space and without."""
    assert sino(korean(value)) == value
    for text in (f"모두가 {korean(value)} 명을", f"{korean(value)}명"):
        assert [number for _, number in counts(text)] == [str(value)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("fifteen women", "15"),
        ("Twenty one", "21"),
        ("two hundred", "200"),
        ("a hundred and five", "105"),
        ("a thousand", "1000"),
        ("a dozen", "12"),
        ("two dozen", "24"),
        ("half a dozen", "6"),
        ("a couple", "2"),
        ("a pair", "2"),
        ("both women", "2"),
        ("only one man", "1"),
        ("one man", "1"),
        ("a single man", "1"),
        ("the only woman", "1"),
        ("none", "0"),
        ("no one", "0"),
        ("no-one", "0"),
        ("nobody", "0"),
        ("no children", "0"),
        ("zero", "0"),
        ("the fifteenth", "15"),
        ("the twenty-first", "21"),
        ("twins", "2"),
        ("ｆｉｆｔｅｅｎ", "15"),
        ("fif\u200bteen", "15"),
        ("fif&shy;teen", "15"),
        ("한 명", "1"),
        ("한명", "1"),
        ("두 사람", "2"),
        ("세 가구", "3"),
        ("네 건", "4"),
        ("세 분이", "3"),
        ("한 여성이", "1"),
        ("두\n명", "2"),
        ("다섯", "5"),
        ("열 명", "10"),
        ("열다섯 명", "15"),
        ("열다섯", "15"),
        ("스무 명", "20"),
        ("스물한 명", "21"),
        ("백스물다섯 명", "125"),
        ("하나", "1"),
        ("둘은", "2"),
        ("십오 명", "15"),
        ("십오", "15"),
        ("이백", "200"),
        ("삼십", "30"),
        ("천삼백 명", "1300"),
        ("만 명", "10000"),
        ("십여 명", "10"),
        ("2천만 명", "20000000"),
        ("백이십여 명", "120"),
        ("삼 인", "3"),
        ("아무도", "0"),
        ("유일한 여성", "1"),
        ("\u1112\u1161\u11ab 명", "1"),
        ("十五名", "15"),
    ],
)
def test_counts_in_words(text: str, value: str) -> None:
    """One count each."""
    assert [number for _, number in counts(text)] == [value]


@pytest.mark.parametrize(
    ("text", "value"),
    [("half", "1/2"), ("one half", "1/2"), ("a third", "1/3"), ("two-thirds", "2/3"), ("three quarters", "3/4"),
     ("one in five", "1/5"), ("절반", "1/2"), ("삼분의 일", "1/3"), ("3분의 1", "1/3"), ("four fifths", "4/5")],
)  # fmt: skip
def test_shares_in_words(text: str, value: str) -> None:
    """A share, not two counts."""
    assert [(number, form) for _, number, form, _ in found(text)] == [(value, "share")]


@pytest.mark.parametrize("text", ["all of them", "all were women", "all 15", "all fifteen", "전원", "모두 여성"])
def test_everybody_says_something_about_each(text: str) -> None:
    """Flagged where "all" counts people."""
    assert any(form == "all" and not aside for _, _, form, aside in found(text))


@pytest.mark.parametrize(
    ("text", "aside"),
    [("at all times", "all"), ("first", "order"), ("both in Laos and", "all"), ("ten years", "time"),
     ("구명 조끼", "word"), ("이천 시내", "word"), ("두 번", "things"), ("세 달", "time"), ("열다섯 살", "age"),
     ("fifteen dollars", "money"),
     ("모두 함께", "all"), ("모두들", "all"), ("십오 세", "age")],
)  # fmt: skip
def test_words_that_may_be_no_counts_are_listed(text: str, aside: str) -> None:
    """Set aside, with the reason."""
    assert [why for *_, why in found(text)] == [aside]


@pytest.mark.parametrize(
    "text",
    ["often", "someone", "everything", "stone", "network", "weight", "tension", "a few", "several", "dozens", "Antwerp",
     "한국", "이미", "사건", "열심히", "세대", "한편", "이 사람", "하나원", "대한민국",
     "두고", "만나다", "천천히", "오늘"],
)  # fmt: skip
def test_words_that_are_no_numbers_are_left_alone(text: str) -> None:
    """The negative control: not every word is a number."""
    assert found(text) == []


def test_two_numbers_beside_each_other_stay_two() -> None:
    """No sum is made of "ten and fifteen" or "fifteen fourteen"."""
    assert [value for _, value in counts("ten and fifteen")] == ["10", "15"]
    assert [value for _, value in counts("fifteen fourteen")] == ["15", "14"]
    assert [value for _, value in counts("one two three")] == ["1", "2", "3"]
    assert only("one hundred and fifteen").value == 115
