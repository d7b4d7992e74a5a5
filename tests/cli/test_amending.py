"""The form of `amend`: over a made-up view, without a vault."""

from __future__ import annotations

import io
import sys
from importlib import resources
from pathlib import Path

import click
import pytest

from cli.amending import AmendForm, amended
from cli.options import Settings
from cli.terminal import Terminal
from vault.errors import InputRefused, Problem
from vault.formats.codebook import parse_codebook
from vault.model import Origin, Pseudonym
from vault.services.cases import EntryView
from vault.services.records import Saved

BOOK = parse_codebook(resources.files("vault").joinpath("codebooks/rescue.toml").read_bytes())
STAY = EntryView(
    origin=Origin("o"),
    seq=4,
    name="4",
    type="shelter",
    day="2020-02-05",
    values={"shelter": "blue", "check_in": "2020-02-03", "check_out": "2020-02-05", "nights": 2, "country": "unknown"},
    amended_by=(),
    pseudonym=Pseudonym("amber-heron-41"),
)
INTAKE = EntryView(
    origin=Origin("o"),
    seq=2,
    name="2",
    type="intake",
    day="2020-02-01",
    values={"sex": "female", "age_group": "18-59", "minor": "no"},
    amended_by=(),
    pseudonym=Pseudonym("amber-heron-41"),
)
JOURNEY = EntryView(
    origin=Origin("o"),
    seq=3,
    name="3",
    type="journey",
    day="2020-02-01",
    values={"event": "departure"},
    amended_by=(),
    pseudonym=Pseudonym("amber-heron-41"),
)


def _settings(language: str = "en") -> Settings:
    return Settings(
        directory=Path("/x/north"), member=None, passphrase_file=None, passphrase_fd=None, no_input=False, yes=False,
        language=language, terminal=Terminal(),
    )  # fmt: skip


def _changes(
    monkeypatch: pytest.MonkeyPatch, view: EntryView, *lines: str, language: str = "en"
) -> dict[str, str | int | None]:
    """What these typed lines come to."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(line + "\n" for line in lines)))
    return dict(AmendForm(_settings(language), BOOK.types[view.type], view).fill())


def test_only_what_was_picked_is_sent(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """By number, shown with its old and new value; what follows from it is said to be worked out anew."""
    assert _changes(monkeypatch, STAY, "3", "2020.2.12", "", "y") == {"check_out": "2020-02-12"}
    out, err = capsys.readouterr()
    assert out == ""
    for words in (
        "entry 4, written 2020-02-05",
        "3  Check-out: 2020-02-05 -> 2020-02-12",
        "4  Nights: (worked out anew)",
    ):
        assert words in err
    assert "Period: (worked out anew)" not in err


def test_the_record_stands_there_with_its_labels(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Numbers, labels and values; a missing code is a dash; `?` shows the list again."""
    _changes(monkeypatch, STAY, "?", "1", "red", "", "y")
    err = capsys.readouterr().err
    for words in ("  1  Shelter: blue\n", "  4  Nights: 2\n", "  6  Country: -\n", "  7  Needs: -\n"):
        assert err.count(words) == 2


def test_enter_keeps_and_a_dash_clears(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The rule is said before the question; without a change there is nothing to review."""
    assert _changes(monkeypatch, STAY, "", "1", "", "", "1", "-", "", "y") == {"shelter": None}
    err = capsys.readouterr().err
    assert "Enter keeps what stands in [brackets]; - clears it" in err
    assert err.count("Nothing has changed yet.") == 2
    assert "1  Shelter: blue -> (cleared)" in err


def test_typing_the_old_value_is_no_change(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also after another one: the change is taken back, at the list or at the review."""
    assert _changes(monkeypatch, STAY, "1", "red", "6", "cn", "1", "blue", "", "y") == {"country": "CN"}
    assert _changes(monkeypatch, STAY, "1", "red", "", "1", "blue", "6", "cn", "", "y") == {"country": "CN"}


def test_identity_is_listed_as_sealed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """It can be replaced or cleared unseen, and Enter leaves it alone."""
    changes = _changes(monkeypatch, INTAKE, "2", "Kim", "3", "-", "5", "", "", "y")
    assert changes == {"name": "Kim", "other_names": None}
    err = capsys.readouterr().err
    assert "  2  Name: (sealed)\n" in err
    assert "2/19 Name [sealed]: " in err
    assert "2  Name: (sealed) -> Kim" in err
    assert "3  Other names: (sealed) -> (cleared)" in err


def test_a_sealed_birth_date_moves_the_age(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Replaced unseen, it has the age group and what follows from that worked out anew; another day alone does not."""
    assert _changes(monkeypatch, INTAKE, "4", "2012", "", "y") == {"birth_date": "2012"}
    err = capsys.readouterr().err
    assert "Age group: (worked out anew)" in err
    assert "Under 18: (worked out anew)" in err
    _changes(monkeypatch, INTAKE, "1", "2020", "", "y")
    assert "worked out anew" not in capsys.readouterr().err


def test_what_is_required_cannot_be_cleared(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And is not offered to be."""
    assert _changes(monkeypatch, JOURNEY, "1", "-", "9", "", "y") == {"event": "arrival"}
    err = capsys.readouterr().err
    assert "This answer is needed." in err
    assert "- clears" not in err


def test_the_form_speaks_korean(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Labels, values and its own sentences."""
    assert _changes(monkeypatch, INTAKE, "7", "남성", "99", "", "예", language="ko") == {"sex": "male"}
    err = capsys.readouterr().err
    for words in ("초기 접수", "이름: (봉인됨)", "성별: 여성 -> 남성", "무엇을 고칠까요?", "저장할까요?"):
        assert words in err


def test_back_leaves_the_question(monkeypatch: pytest.MonkeyPatch) -> None:
    """`<` returns to the list with nothing changed."""
    assert _changes(monkeypatch, STAY, "1", "<", "6", "CN", "", "y") == {"country": "CN"}


@pytest.mark.parametrize("lines", range(5))
def test_end_of_input_anywhere_stops(monkeypatch: pytest.MonkeyPatch, lines: int) -> None:
    """At the list, at a question, at the review; saying no does the same."""
    with pytest.raises(click.Abort):
        _changes(monkeypatch, STAY, *["1", "red", "6", "cn", ""][:lines])
    with pytest.raises(click.Abort):
        _changes(monkeypatch, STAY, "1", "red", "", "n")


def test_a_refusal_goes_back_into_the_form(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Named by its label, asked again; the other change is kept. A refusal that names nothing returns to the list."""
    problems = [[Problem(line=0, variable="check_out", message="is before `check_in`")],
                [Problem(line=0, variable=None, message="does not fit")]]  # fmt: skip
    lines = ["3", "2020-02-01", "1", "red", "", "y", "2020-02-04", "y", "8", "cold", "", "", "y"]
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(line + "\n" for line in lines)))
    tried: list[dict[str, object]] = []

    def save(changes: object) -> Saved:
        assert isinstance(changes, dict)
        tried.append(changes)
        if problems:
            raise InputRefused("1 answer does not fit", problems.pop(0))
        return Saved(pseudonym=Pseudonym("amber-heron-41"), origin=Origin("o"), seq=9)

    assert amended(_settings(), BOOK.types["shelter"], STAY, save).seq == 9
    assert tried == [
        {"check_out": "2020-02-01", "shelter": "red"},
        {"check_out": "2020-02-04", "shelter": "red"},
        {"check_out": "2020-02-04", "shelter": "red", "notes": "cold"},
    ]
    assert "  Check-out: is before `check_in`\n" in capsys.readouterr().err
