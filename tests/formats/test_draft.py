"""Numbers in drafts: every form in digits is found where it stands, and what may be no count is listed all the same."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given, strategies as st

from vault.errors import InputRefused
from vault.formats.draft import DraftNumber, Form, parse_draft

ZEROS = tuple(
    chr(point) for point in range(0x110000) if unicodedata.decimal(chr(point), None) == 0 and chr(point) != "\ue000"
)
"""The digit 0 of every script."""


def found(text: str) -> list[tuple[str, str, str, str]]:
    """(as written, value, form, why it may be no count) of each number."""
    return [(n.text, str(n.value), n.form.value, n.aside) for n in parse_draft(text.encode())]


def counts(text: str) -> list[tuple[str, str]]:
    """(as written, value) of what must be taken for a count."""
    return [(n.text, str(n.value)) for n in parse_draft(text.encode()) if not n.aside]


def only(text: str) -> DraftNumber:
    """The one number of a text."""
    (number,) = parse_draft(text.encode())
    return number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("we helped 15 people", "15"),
        ("1,300", "1300"),
        ("1.300", "1300"),
        ("1 300", "1300"),
        ("1\u00a0300", "1300"),
        ("1\u202f300", "1300"),
        ("1\u2009300", "1300"),
        ("1'300", "1300"),
        ("1\u2019300", "1300"),
        ("1_300", "1300"),
        ("1٬300", "1300"),
        ("1,234,567", "1234567"),
        ("1,00,000", "100000"),
        ("1,300.5", "2601/2"),
        ("10.5", "21/2"),
        ("10,5", "21/2"),
        ("１５", "15"),
        ("١٥", "15"),
        ("१५", "15"),
        ("๑๕", "15"),
        ("𝟏𝟓", "15"),
        ("of them ¹⁵", "15"),
        ("Ⅻ", "12"),
        ("፲", "10"),
        ("1\u200b5", "15"),
        ("1\u202e5", "15"),
        ("1&#53;", "15"),
        ("1&nbsp;300", "1300"),
        ("1\u03365\u0336", "15"),
        ("15th", "15"),
        ("3rd", "3"),
        ("15 thousand", "15000"),
        ("1.3 million", "1300000"),
        ("35k", "35000"),
        ("1만 3천", "13000"),
        ("3만5천", "35000"),
        ("3만5000", "35000"),
        ("2백", "200"),
        ("3천백", "3100"),
        ("2천만", "20000000"),
        ("1억 2천만", "120000000"),
        ("3천5백만 2천", "35002000"),
        ("15명", "15"),
        ("1,300명", "1300"),
        ("(15)", "15"),
        ("**15**", "15"),
        ("| 15 |", "15"),
        ("n=15", "15"),
    ],
)
def test_digits_are_read_in_every_form(text: str, value: str) -> None:
    """One number, its value, and nothing that would set it aside."""
    number = only(text)
    assert (str(number.value), number.form, number.aside) == (value, Form.COUNT, "")


PERCENTAGES = (
    "52 %",
    "52%",
    "52 percent",
    "52 per cent",
    "52-percent",
    "52퍼센트",
    "52 프로",
    "５２％",
    "52٪",
    "52 pct",
)


@pytest.mark.parametrize("text", PERCENTAGES)
def test_percentages_are_percentages(text: str) -> None:
    """In signs and words of both languages."""
    number = only(f"about {text}")
    assert (str(number.value), number.form, number.aside) == ("52", Form.PERCENT, "")


@pytest.mark.parametrize("text", ["1/5", "one in five", "1 in 5", "1 out of 5", "one\nin five", "a fifth", "⅕"])
def test_shares_in_other_words(text: str) -> None:
    """One fifth, however it is said."""
    number = only(f"{text} came")
    assert (str(number.value), number.form) == ("1/5", Form.SHARE)


@pytest.mark.parametrize("text", ["10-15", "10–15", "10 - 15", "10~15명", "10 to 15", "between 10 and 15", "10에서 15"])
def test_both_ends_of_a_range_are_found(text: str) -> None:
    """Each by itself."""
    assert [value for _, value in counts(text)] == ["10", "15"]


def test_both_ends_of_a_range_are_of_one_kind() -> None:
    """Percent and money reach over a hyphen; a comma ends them."""
    assert [form for _, _, form, _ in found("10-15 %")] == ["percent", "percent"]
    assert [aside for *_, aside in found("$10-15")] == ["money", "money"]
    assert [form for _, _, form, _ in found("10, 15 %")] == ["count", "percent"]


@pytest.mark.parametrize(
    ("text", "aside"),
    [
        ("in 2020", "year"),
        ("2020년", "year"),
        ("the 2020s", "year"),
        ("on 15 March", "date"),
        ("March 15, 2020", "date"),
        ("2020-03-15", "date"),
        ("15.03.2020", "date"),
        ("2020. 3. 15.", "date"),
        ("2019-20", "date"),
        ("10:30", "time"),
        ("15 years", "time"),
        ("15 days", "time"),
        ("3월", "time"),
        ("3개월", "time"),
        ("aged 15", "age"),
        ("were under 18", "age"),
        ("a 15-year-old", "age"),
        ("15세", "age"),
        ("10대 여성", "age"),
        ("$1,300", "money"),
        ("₩1300", "money"),
        ("€ 15", "money"),
        ("15 dollars", "money"),
        ("1,300원을", "money"),
        ("USD 15", "money"),
        ("+82-2-1234-5678", "phone"),
        ("010-1234-5678", "phone"),
        ("(02) 123-4567 ", "phone"),
        ("1.2.3", "version"),
        ("v2", "version"),
        ("version 2", "version"),
        ("COVID-19", "label"),
        ("G20", "label"),
        ("Table 3", "reference"),
        ("제3장", "reference"),
        ("1. one", "list"),
        ("2) two", "list"),
        ("# 3. Results", "heading"),
        ("## 2.1 Results", "heading"),
        ("`15`", "code"),
        ("```\n15\n```", "code"),
        ("~~~~\n15\n~~~\n", "code"),
        ("[x](https://x.org/15)", "address"),
        ("https://x.org/15", "address"),
        ("a15@x.org", "address"),
        ("word.¹", "footnote"),
        ("[^1]", "footnote"),
        ("[12]", "footnote"),
        ("15번", "things"),
        ("15개국", "things"),
        ("① 하나원", "list"),
    ],
)
def test_what_may_be_no_count_is_listed_with_its_reason(text: str, aside: str) -> None:
    """Found, and set aside."""
    assert found(text)[0][3] == aside


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("In March 15 people crossed", "15"),
        ("in march, 15 may return", "15"),
        ("2000 people", "2000"),
        ("2,020", "2,020"),
        ("2020명", "2020"),
        ("# 15 people", "15"),
        ("they left\n15. Fourteen", "15"),
        ("    15 women", "15"),
        ("15 won asylum", "15"),
        ("15 may return", "15"),
        ("under 18 people", "18"),
        ("under 15", "15"),
        ("15분이", "15"),
        ("3 left, No. 15 stayed", "15"),
        ("[15](x) people", "15"),
        ("![15 women](x.png)", "15"),
        ("1300-1500", "1300"),
        ("in 2020 15 came", "15"),
        ("1. 15 came", "15"),
        ("> 15 came", "15"),
        ("- 15 came", "15"),
    ],
)
def test_in_doubt_a_number_is_a_count(text: str, written: str) -> None:
    """The negative control of the test above: what looks alike and counts people is not set aside."""
    assert written in {text for text, _ in counts(text)}


def test_a_list_goes_on_and_a_wrapped_line_is_no_list() -> None:
    """Numbers that follow each other are the list's; a paragraph that wraps before "15." has a count there."""
    assert [aside for *_, aside in found("1. x\n2. y\n3. z\n")] == ["list"] * 3
    assert [aside for *_, aside in found("x\n\n7. y\n\n8. z")] == ["list"] * 2
    assert counts("We helped\n15. They left.") == [("15", "15")]
    assert counts("1. we helped\n15. They left.") == [("15", "15")]


def test_the_place_is_line_and_column_of_what_was_written() -> None:
    """Columns count code points, also behind characters that fold to more or to nothing, and with every line ending."""
    text = "한국 15\r\n½ \u200b\u200b１５\n\n  x　15"
    assert [(n.line, n.column, n.text) for n in parse_draft(text.encode())] == [
        (1, 4, "15"), (2, 1, "½"), (2, 5, "１５"), (4, 5, "15"),
    ]  # fmt: skip
    assert [(n.line, n.column) for n in parse_draft(b"\xef\xbb\xbf15 x\n14")] == [(1, 1), (2, 1)]


def test_a_sentence_knows_its_years() -> None:
    """Of its own, over wrapped lines, spans included; not of the sentence before, nor of another row or item."""
    numbers = parse_draft(
        b"In 2020,\n15 came. 14 were women.\nBetween 2010 and 2012, 16 came. In 2018-19, 17. From 2019-03-02 on, 18!\n"
        b"\n| 2020 | 21 |\n| 2021 | 22 |\n- in 2020 23\n- 24\n"
    )
    years = {str(n.value): n.years for n in numbers if not n.aside}
    assert years == {
        "15": (2020,), "14": (), "16": (2010, 2012), "17": (2018, 2019), "18": (2019,), "21": (2020,), "22": (2021,),
        "23": (2020,), "24": (),
    }  # fmt: skip


def test_abbreviations_do_not_end_a_sentence() -> None:
    """What follows "approx." is still in the sentence of 2020."""
    assert [n.years for n in parse_draft(b"In 2020, approx. 15 came.") if not n.aside] == [(2020,)]


@pytest.mark.parametrize(
    ("text", "bound"),
    [("under 5 %", "under"), ("less than 5 %", "under"), ("5 % 미만", "under"), ("over 95 %", "over"),
     ("more than 95 %", "over"), ("95 % 초과", "over"), ("about 52 %", ""), ("52 %", "")],
)  # fmt: skip
def test_bounds_are_noticed(text: str, bound: str) -> None:
    """Five percent is not "under 5 %"."""
    assert only(text).bound == bound


def test_the_words_around_are_of_the_same_sentence_and_short() -> None:
    """Cut with dots, on one line."""
    number = parse_draft(("x" * 500 + ". " + "word " * 40 + "and\n15 more " + "tail " * 40).encode())[0]
    assert "15" in number.words
    assert "xx" not in number.words
    assert number.words.startswith("…")
    assert number.words.endswith("…")
    assert "\n" not in number.words
    assert len(number.words) <= 108


# -- never hidden ------------------------------------------------------------------------------------------------------

FILLER = st.text(alphabet="abefgxyz가나다라กขאב \n", max_size=40)


@given(before=FILLER, after=FILLER, value=st.integers(0, 10**9), zero=st.sampled_from(ZEROS))
def test_a_planted_number_is_found_in_every_script(before: str, after: str, value: int, zero: str) -> None:
    """Its value, its line, its column."""
    digits = "".join(chr(ord(zero) + int(digit)) for digit in str(value))
    text = f"{before} {digits} {after}"
    line = text[: len(before) + 1].count("\n") + 1
    column = len(before) + 1 - (text.rfind("\n", 0, len(before) + 1) + 1) + 1
    numbers = parse_draft(text.encode())
    assert (line, column, digits, str(value)) in [(n.line, n.column, n.text, str(n.value)) for n in numbers]


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\0\ufeff&", categories=["L", "N", "P", "S", "Z", "Cc"]))
)
def test_every_digit_lies_in_a_number(text: str) -> None:
    """Whatever surrounds it, in any text at all."""
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    covered: set[int] = set()
    for number in parse_draft(text.encode()):
        at = starts[number.line - 1] + number.column - 1
        assert text[at : at + len(number.text.rstrip("…"))] == number.text.rstrip("…")
        covered.update(range(at, at + len(number.text)))
    digits = {at for at, char in enumerate(text) if unicodedata.digit(char, None) is not None}
    assert digits <= covered


# -- hostile drafts ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        (b"x\n\xff\xfe", "UTF-8"),
        (b"\xff\xfe1\x005\x00", "UTF-16"),
        (b"PK\x03\x04\0\0", "NUL"),
        (b"1\n\0", "NUL"),
        (b"x" * (2 * 1024 * 1024 + 1), "2 MiB"),
        (b"1 " * 20_001, "20,000 numbers"),
    ],
)
def test_what_is_no_draft_is_refused_in_clear_words(raw: bytes, what: str) -> None:
    """Binary, another encoding, too large, nothing but numbers; the line where there is one."""
    with pytest.raises(InputRefused) as caught:
        parse_draft(raw)
    said = caught.value.message + "".join(problem.message for problem in caught.value.problems)
    assert what in said
    assert caught.value.__context__ is None
    if raw[:2] in (b"x\n", b"1\n"):
        assert [problem.line for problem in caught.value.problems] == [2]


HOSTILE = {
    "one number": b"1" * 200_000,
    "dots": b"1." * 20_000,
    "backquotes": b"`x" * 100_000,
    "targets": b"](a(" * 50_000,
    "notes": b"[^" * 100_000,
    "addresses": b"a." * 100_000,
    "ands": b"hundred and" * 1_500 + b" and" * 50_000,
    "empty lines": b"\n" * 200_000,
    "entities": b"&" * 200_000,
    "numerals": "만".encode() * 70_000,
    "marks": b"e" + "\u0301\u0323".encode() * 50_000,
    "bidi": "\u202e1".encode() * 9_000,
    "spaces": b" " * 200_000,
    "fences": b"```\n" * 50_000,
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_a_hostile_draft_takes_linear_time(name: str) -> None:
    """Four times the draft takes less than ten times the time; a quadratic scanner would take sixteen times."""
    raw = HOSTILE[name]

    def took(part: bytes) -> float:
        best = 1e9
        for _ in range(2):
            begin = time.process_time()
            parse_draft(part)
            best = min(best, time.process_time() - begin)
        return best

    quarter = raw[: len(raw) // 24 * 6].decode("utf-8", "ignore").encode()
    assert took(raw) < 10 * took(quarter) + 0.05


def test_a_number_too_long_to_read_is_found_all_the_same() -> None:
    """Without a value, its text cut."""
    number = only("1" * 5_000)
    assert (number.value, number.aside, len(number.text)) == (None, "", 60)
