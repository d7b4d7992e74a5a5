from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

import click
import pytest

from cli.forms import Form
from cli.options import Settings
from cli.terminal import Terminal
from cli.writes import answered
from vault.errors import InputRefused, Problem
from vault.formats.codebook import RecordType, parse_codebook
from vault.model import Origin, Pseudonym
from vault.services.records import Saved

SMALL = """
format = 1
name = "small"
version = 1
languages = ["en", "ko"]
[codes.sex]
female = { en = "Female", ko = "여성" }
male = { en = "Male", ko = "남성" }
unknown = { en = "Not known", ko = "모름" }
[codes.age]
0-17 = { en = "Child" }
"18+" = { en = "Adult" }
unknown = { en = "Not known" }
[types.intake]
opens_case = true
label = { en = "Intake", ko = "접수" }
[types.intake.variables.name]
layer = "identity"
type = "text"
label = { en = "Name", ko = "이름" }
help = { en = "As the person gives it.", ko = "본인이 말한 대로" }
[types.intake.variables.birth_date]
layer = "identity"
type = "date"
label = { en = "Birth date" }
[types.intake.variables.sex]
layer = "tally"
type = "code"
codes = "sex"
required = true
label = { en = "Sex", ko = "성별" }
[types.intake.variables.age_group]
layer = "tally"
type = "code"
codes = "age"
missing = "unknown"
derive = { rule = "age_group", from = ["birth_date"] }
label = { en = "Age" }
[types.intake.variables.people]
layer = "case"
type = "integer"
minimum = 1
maximum = 99
label = { en = "People" }
[types.intake.variables.notes]
layer = "case"
type = "text"
multiline = true
label = { en = "Notes" }
"""


@pytest.fixture
def intake() -> RecordType:
    """A small record type with one variable of each kind."""
    return parse_codebook(SMALL.encode()).opening


def _form(intake: RecordType, language: str = "en", *, accessible: bool = False) -> Form:
    settings = Settings(
        directory=Path("/x/north"), member=None, passphrase_file=None, passphrase_fd=None, no_input=False, yes=False,
        language=language, terminal=Terminal(accessible=accessible),
    )  # fmt: skip
    return Form(settings, intake)


def _types(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(line + "\n" for line in lines)))


def test_a_form_collects_answers_and_skips_what_was_skipped(
    intake: RecordType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Choices by number, integers as integers, lines until an empty one, Enter skips; all of it on stderr."""
    _types(monkeypatch, "김철수", "", "2", "2", "3", "one", "two", "", "y")
    assert _form(intake).fill() == {
        "name": "김철수", "sex": "male", "age_group": "18+", "people": 3, "notes": "one\ntwo"
    }  # fmt: skip
    assert capsys.readouterr().out == ""


def test_a_derived_answer_is_not_asked(intake: RecordType, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a birth date the age group follows; asking would only invite contradiction."""
    _types(monkeypatch, "", "1990-05", "1", "", "", "y")
    assert _form(intake).fill() == {"birth_date": "1990-05", "sex": "female"}


def test_what_does_not_fit_is_asked_again(
    intake: RecordType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Impossible dates, numbers out of reach, a missing required answer: a reason each, and the same question."""
    _types(monkeypatch, "", "1990-13", "1990-02-30", "199", "", "", "9", "x", "1", "", "0", "100", "x", "7", "", "y")
    assert _form(intake).fill() == {"sex": "female", "people": 7}
    err = capsys.readouterr().err
    for words in ("2019-03", "is needed", "from 1 to 3", "The least is 1", "The most is 99", "whole number"):
        assert words in err


def test_a_new_source_replaces_what_followed_from_it(
    intake: RecordType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The age group was answered, then a birth date came at the review: only the finer answer is kept, and said so."""
    _types(monkeypatch, "", "", "1", "1", "", "", "2", "1990", "y")
    assert _form(intake).fill() == {"sex": "female", "birth_date": "1990"}
    err = capsys.readouterr().err
    assert "Age: now worked out" in err
    assert "4  Age: (worked out)" in err


def test_an_unknown_source_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the age group answered as not known, whether the person is a minor is still asked; with a band it is not."""
    book = parse_codebook(resources.files("vault").joinpath("codebooks/rescue.toml").read_bytes())
    asked = [variable.name for variable in book.opening.variables]
    for age, minor, expected in (
        ("6", ["1"], {"age_group": "unknown", "minor": "yes"}),
        ("4", [], {"age_group": "18-59"}),
    ):
        before = [""] * asked.index("age_group")
        after = [""] * (len(asked) - asked.index("minor") - 1)
        _types(monkeypatch, *before, age, *minor, *after, "y")
        assert _form(book.opening).fill() == expected


def test_a_long_list_is_not_dumped(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Twenty countries are shown once; a code in any case, a name, or a number from the matches is taken."""
    book = parse_codebook(resources.files("vault").joinpath("codebooks/rescue.toml").read_bytes())
    journey = book.types["journey"]
    rest = [""] * 7
    for typed, code in (("th", "TH"), ("Thailand", "TH"), ("\ud0dc\uad6d", "TH"), ("US", "US"), ("250", None)):
        _types(monkeypatch, "1", "2020", "atlantis", "united", typed, *rest, "y")
        wanted = journey.variable("country").codes[249].code if code is None else code
        assert _form(journey).fill() == {"event": "departure", "date": "2020", "country": wanted}
        err = capsys.readouterr().err
        assert err.count("20  Norway") == 1
        assert "Andorra" not in err
        assert "230 more" in err
        assert "Not found" in err
        assert "12 United States   13 United Kingdom" in err


def test_a_list_is_shown_again_for_a_question_mark(
    intake: RecordType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """After a slip only the question is repeated; `?` brings the choices back."""
    _types(monkeypatch, "", "", "x", "x", "?", "1", "", "", "", "y")
    _form(intake, accessible=True).fill()
    assert capsys.readouterr().err.count("2  Male") == 2


def test_the_keys_of_a_korean_layout_answer_the_review(intake: RecordType, monkeypatch: pytest.MonkeyPatch) -> None:
    """The y key with the input method on is a vowel, the n key another; full-width marks and digits count too."""
    _types(monkeypatch, "\uff1f", "Kim", "\uff1c", "", "", "\uff11", "", "", "", "\u315b")
    assert _form(intake, "ko").fill() == {"name": "Kim", "sex": "female"}
    _types(monkeypatch, "", "", "1", "", "", "", "\u315c")
    with pytest.raises(click.Abort):
        _form(intake, "ko").fill()


def test_a_line_that_the_terminal_cut_is_not_taken(
    intake: RecordType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Linux drops what comes after 4,095 bytes without a word; from a pipe nothing is cut and nothing is refused."""
    long = "x" * 4095
    _types(monkeypatch, long, "", "1", "", "", "", "y")
    assert _form(intake).fill() == {"name": long, "sex": "female"}
    _types(monkeypatch, long, "short", "", "1", "", "", "", "y")
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    assert _form(intake).fill() == {"name": "short", "sex": "female"}
    err = capsys.readouterr().err
    assert "its end is lost" in err
    assert "x" * 401 not in err


def test_back_returns_to_the_question_before(intake: RecordType, monkeypatch: pytest.MonkeyPatch) -> None:
    """`<` shows the answer in brackets; Enter keeps it, a new one replaces it, - clears it."""
    _types(monkeypatch, "wrong", "<", "<", "right", "", "1", "<", "<", "<", "-", "", "", "", "", "", "y")
    assert _form(intake).fill() == {"sex": "female"}


def test_back_from_the_first_question_stays_there(
    intake: RecordType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And says so."""
    _types(monkeypatch, "<", "Kim", "", "1", "", "", "", "y")
    assert _form(intake).fill() == {"name": "Kim", "sex": "female"}
    assert "first question" in capsys.readouterr().err


def test_a_question_mark_explains(
    intake: RecordType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The codebook's help, and the layer into which the answer goes."""
    _types(monkeypatch, "?", "", "", "1", "", "", "", "y")
    _form(intake).fill()
    err = capsys.readouterr().err
    assert "As the person gives it." in err
    assert "identity layer" in err


def test_the_form_speaks_korean(
    intake: RecordType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Labels, choices and its own sentences; what has no Korean label is English; labels may be typed too."""
    _types(monkeypatch, "", "", "여성", "", "", "", "예")
    assert _form(intake, "ko").fill() == {"sex": "female"}
    err = capsys.readouterr().err
    for words in ("접수", "이름", "1 여성  2 남성", "저장할까요?", "Birth date"):
        assert words in err


def test_the_review_changes_one_answer_by_its_number(intake: RecordType, monkeypatch: pytest.MonkeyPatch) -> None:
    """A number asks that question again; nonsense asks for a choice again; y saves."""
    _types(monkeypatch, "Kim", "", "1", "", "", "", "maybe", "99", "1", "Lee", "y")
    assert _form(intake).fill() == {"name": "Lee", "sex": "female"}


def test_saying_no_at_the_review_stops(intake: RecordType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing comes back that could be saved."""
    _types(monkeypatch, "Kim", "", "1", "", "", "", "n")
    with pytest.raises(click.Abort):
        _form(intake).fill()


@pytest.mark.parametrize("lines", [0, 1, 3, 6])
def test_end_of_input_anywhere_stops(intake: RecordType, monkeypatch: pytest.MonkeyPatch, lines: int) -> None:
    """At every question and at the review."""
    _types(monkeypatch, *["Kim", "", "1", "", "", ""][:lines])
    with pytest.raises(click.Abort):
        _form(intake).fill()


def test_a_refusal_asks_only_the_named_questions_again(
    intake: RecordType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The rest of the record is kept: nobody types it twice."""
    _types(monkeypatch, "Kim", "", "1", "", "", "", "y", "Park", "y")
    form = _form(intake)
    form.fill()
    refused = [Problem(line=0, variable="name", message="has a character that is not shown")]
    assert form.correct(refused) == {"name": "Park", "sex": "female"}
    assert "has a character that is not shown" in capsys.readouterr().err


def test_pasted_control_characters_are_asked_again(
    intake: RecordType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An arrow key's escape and a bidi override are said at once, by code point, and never obeyed; a tab is a space."""
    _types(monkeypatch, "a\x1b[D", "a\u202eb", "Kim\tLee", "", "1", "", "", "one", "two\x07", "two", "", "y")
    assert _form(intake).fill() == {"name": "Kim Lee", "sex": "female", "notes": "one\ntwo"}
    err = capsys.readouterr().err
    for words in ("Arrow and function keys", "(U+202E)", "(U+0007)"):
        assert words in err
    assert "\x1b" not in err
    assert "\x07" not in err


def test_bytes_that_are_no_text_are_asked_again(intake: RecordType, monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal in another encoding sends them; they never become an answer."""
    _types(monkeypatch, "\udcb1\udce8", "Kim", "", "1", "", "", "", "y")
    assert _form(intake).fill() == {"name": "Kim", "sex": "female"}


def test_accessible_choices_stand_one_to_a_line(
    intake: RecordType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """So that a screen reader reads them one by one."""
    _types(monkeypatch, "", "", "1", "", "", "", "y")
    _form(intake, accessible=True).fill()
    assert "\n   2  Male\n" in capsys.readouterr().err


class _Interactive(Settings):
    """Settings of somebody at a terminal."""

    @property
    def interactive(self) -> bool:
        return True


def test_a_refused_save_returns_to_the_form(intake: RecordType, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library refuses once; the corrected answer is saved with all the others."""
    _types(monkeypatch, "Kim", "", "1", "", "3", "", "y", "Park", "y")
    saved: list[dict[str, object]] = []

    def save(values: Mapping[str, object]) -> Saved:
        saved.append(dict(values))
        if len(saved) == 1:
            raise InputRefused("1 answer does not fit", [Problem(line=0, variable="name", message="too short")])
        return Saved(pseudonym=Pseudonym("amber-heron-41"), origin=Origin("o"), seq=1)

    settings = _Interactive(
        directory=Path("/x/north"), member=None, passphrase_file=None, passphrase_fd=None, no_input=False, yes=False,
        language="en", terminal=Terminal(),
    )  # fmt: skip
    answered(settings, intake, None, save)
    assert saved[1] == {"name": "Park", "sex": "female", "people": 3}


def test_every_type_of_the_shipped_codebook_can_be_filled_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Required questions take a 1, the rest is skipped; the form ends in a review for each type."""
    book = parse_codebook(resources.files("vault").joinpath("codebooks/rescue.toml").read_bytes())
    for kind in book.types.values():
        _types(monkeypatch, *["1" if variable.required else "" for variable in kind.variables], "y")
        answers = _form(kind, "ko").fill()
        assert set(answers) == {variable.name for variable in kind.variables if variable.required}
