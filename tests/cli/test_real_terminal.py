"""A recorder at a terminal, over the real library: forms, slips, interruptions, in two languages."""

from __future__ import annotations

import json
import re
import subprocess
import unicodedata
from pathlib import Path

import pytest

import vault
from tests.cli.screen import REAL, ROOT, Screen, environment

PASSPHRASE = "recorder passphrase"
NAME = "김철수"
KEY = 'Passphrase for key "field-1" in vault "north": '


@pytest.fixture(scope="module")
def north(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A vault with one recorder; the tests add to it and count from what they find."""
    base = tmp_path_factory.mktemp("terminal")
    cost, environment = vault.KdfCost(), vault.Environment.system()
    vault.found(
        base / "north", org="Haven", passphrase="root passphrase 4711", threshold=2, shares=3,
        shares_dir=base / "shares", codebook=None, environment=environment, cost=cost,
    )  # fmt: skip
    with vault.open_vault(base / "north", environment) as found:
        root = vault.unlock(found, "root", "root passphrase 4711")
        vault.add_member(found, root, handle="field-1", role=vault.Role.RECORDER, passphrase=PASSPHRASE, cost=cost)
    path = base / "secret"
    path.write_text(PASSPHRASE + "\n", encoding="utf-8")
    path.chmod(0o600)
    return base / "north"


def _screen(north: Path, *argv: str) -> Screen:
    return Screen(*argv, "-C", str(north), "--passphrase-file", str(north.parent / "secret"), program=REAL)


def _size(north: Path) -> int:
    """Entries in the recorder's journal."""
    with vault.open_vault(north, vault.Environment.system()) as found:
        return next(journal.size for journal in found.journals() if "field-1" in journal.origin)


def _opened(north: Path) -> str:
    """A new case, opened without a form."""
    with vault.open_vault(north, vault.Environment.system()) as found:
        me = vault.unlock(found, "field-1", PASSPHRASE)
        return str(vault.open_case(found, me, {"name": NAME, "sex": "female", "birth_date": "1990-05-05"}).pseudonym)


def test_a_case_is_opened_amended_and_revealed_in_korean(north: Path) -> None:
    """Decomposed Hangul, a date as it is written here, an arrow key, a text too long, then `amend`."""
    screen = _screen(north, "case", "open", "--lang", "ko")
    screen.answer(
        ("1/19 ", "2026.11.22."),
        ("2/19 ", NAME + "\x1b[D"),
        ("화살표", unicodedata.normalize("NFD", NAME)),
        ("3/19 ", "?"),
        ("예전 이름", ""),
        ("4/19 ", "1994년 13월"),
        ("1900년부터", "1994년 5월 17일"),
        ("5/19 ", "<"),
        ("4/19 생년월일 [1994-05-17]", ""),
        *((f"{number}/19 ", "") for number in (5, 6)),
        ("7/19 ", "１"),
        *((f"{number}/19 ", "") for number in range(10, 18)),
        ("18/19 ", "가" * 1_300),
        ("  ", "나" * 100),
        ("  ", ""),
        ("19/19 ", "1"),
        ("8  연령대: (자동 계산)", "ㅛ"),
        ("18/19 ", "짧게"),
        ("  ", ""),
        ("18  메모: 짧게", "ㅛ"),
    )
    code, rest = screen.finish()
    assert code == 0
    case = re.search(r"[a-z]+-[a-z]+-\d\d", rest)
    assert case is not None
    assert "봉인하고 저장했습니다" in rest
    seq = _size(north) - 1

    screen = _screen(north, "amend", str(seq), "--lang", "ko")
    screen.answer(
        ("이름: (봉인됨)", "4"), ("4/19 ", "2012.3"), ("무엇을", "18"), ("18/19 ", "-"), ("무엇을", ""),
        ("연령대: (다시 계산됨)", "y"),
    )  # fmt: skip
    code, rest = screen.finish()
    assert (code, "저장했습니다" in rest) == (0, True)
    assert NAME not in screen.everything.decode()

    screen = _screen(north, "reveal", case[0].upper(), "--lang", "ko")
    screen.answer(("기록에 남습니다", ""), ("기록에 남습니다", "병원"))
    code, rest = screen.finish()
    assert code == 0
    assert f"이름: {NAME}" in rest
    assert "생년월일: 2012-03" in rest

    screen = _screen(north, "case", "find", unicodedata.normalize("NFD", "철수"))
    code, rest = screen.finish()
    assert case[0] in rest


def test_a_slip_in_the_pseudonym_costs_no_record(north: Path) -> None:
    """It is found out before the first question; near names and `?` help, and upper case is the same case."""
    case = _opened(north)
    screen = _screen(north, "record", "journey", case[:-1] + "x")
    screen.answer(("Did you mean: ", "?"), (f"  {case}", case.upper()), ("1/11 ", "9"), ("2/11 ", "2026-2-3"))
    screen.answer(("4/11 ", "th"), *((f"{number}/11 ", "") for number in range(5, 12)), ("Save this?", "y"))
    code, rest = screen.finish()
    assert (code, f"in case {case}. Saved." in rest) == (0, True)
    before = _size(north)
    screen = _screen(north, "case", "close", "nobody-here-10")
    screen.answer(("(pseudonym", "nobody-here-11"), ("(pseudonym", "nobody-here-12"))
    assert screen.finish()[0] == 2
    assert _size(north) == before


@pytest.mark.parametrize("kind", ["shelter", "service", "outcome"])
def test_every_type_is_recorded_by_form(north: Path, kind: str) -> None:
    """With only what is required, and the case asked for."""
    screen = _screen(north, "record", kind)
    screen.answer(("Case (pseudonym", _opened(north)))
    required = {"shelter": [], "service": [1], "outcome": [1]}[kind]
    most = {"shelter": 8, "service": 7, "outcome": 7}[kind]
    for number in range(1, most + 1):
        screen.answer((f"{number}/{most} ", "1" if number in required else ""))
    screen.answer(("Save this?", "y"))
    code, rest = screen.finish()
    assert (code, "Saved." in rest) == (0, True)


@pytest.mark.parametrize(
    ("argv", "questions"),
    [
        (["case", "open"], [("1/19 ", "2020"), ("2/19 ", NAME)]),
        (["amend", "{seq}"], [("Change which?", "18"), ("18/19 ", "one")]),
        (["amend", "{seq}"], [("Change which?", "18"), ("18/19 ", "one"), ("  ", ""), ("Change which?", "")]),
        (["record", "journey"], []),
        (["reveal", "{case}"], []),
    ],
    ids=["form", "amend, second line", "amend, review", "which case", "reason"],
)
def test_an_interruption_at_any_prompt_writes_nothing(
    north: Path, argv: list[str], questions: list[tuple[str, str]]
) -> None:
    """Ctrl-C: exit 130 and the same journal; end of input in a form likewise."""
    case = _opened(north)
    before = _size(north)
    for key in ("\x03", "\x04") if "open" in argv else ("\x03",):
        screen = _screen(north, *(word.format(seq=before - 1, case=case) for word in argv))
        screen.answer(*questions)
        screen.expect(":" if "Change" not in str(questions[-1:]) else "Save this?")
        screen.type(key)
        code, rest = screen.finish()
        assert (code, "nothing was written" in rest) == (130, True)
    assert _size(north) == before


def test_three_wrong_passphrases_end_it(north: Path) -> None:
    """Exit 12; how many tries are left is said, and that the keyboard may be in another language."""
    screen = Screen("case", "list", "-C", str(north), program=REAL)
    screen.answer((KEY, "not this one"), (KEY, "ㅈㅎㅇ"), (KEY, ""))
    code, _ = screen.finish()
    assert code == 12
    everything = screen.everything.decode()
    for words in ("2 more tries", "1 more try", "in the right language"):
        assert words in everything
    assert "not this one" not in everything


def test_a_refused_amendment_returns_to_the_form(north: Path) -> None:
    """Check-out before check-in: the library refuses, the form asks again, the other change is kept."""
    case = _opened(north)
    with vault.open_vault(north, vault.Environment.system()) as found:
        me = vault.unlock(found, "field-1", PASSPHRASE)
        seq = vault.record(found, me, "shelter", case, {"check_in": "2026-02-03", "check_out": "2026-02-05"}).seq
    screen = _screen(north, "amend", str(seq))
    screen.answer(
        ("4  Nights: 2", "3"), ("3/8 ", "2026-02-01"), ("Change which?", "1"), ("1/8 ", "blue"), ("Change which?", ""),
        ("Save this?", "y"), ("Check-out: is before", "2026-02-10"), ("1  Shelter: - -> blue", "y"),
    )  # fmt: skip
    assert screen.finish()[0] == 0
    with vault.open_vault(north, vault.Environment.system()) as found:
        view = vault.show_entry(found, vault.unlock(found, "field-1", PASSPHRASE), str(seq))
    assert (view.values["nights"], view.values["shelter"]) == (7, "blue")


@pytest.fixture
def brought(north: Path) -> Path:
    """A file of two people that was imported."""
    path = north.parent / "again.jsonl"
    if not path.exists():
        path.write_text(
            '{"case": "a", "type": "intake", "notes": "x"}\n{"case": "b", "type": "intake", "notes": "y"}\n'
        )
        with vault.open_vault(north, vault.Environment.system()) as found:
            vault.import_file(found, vault.unlock(found, "field-1", PASSPHRASE), path)
    return path


@pytest.mark.parametrize(("answer", "code", "more"), [("n", 130, 0), ("y", 0, 2)])
def test_a_file_imported_twice_is_asked_about(north: Path, brought: Path, answer: str, code: int, more: int) -> None:
    """A person may have meant it; whoever says no has written nothing."""
    before = _size(north)
    screen = _screen(north, "import", str(brought))
    screen.expect("2 of the 2 people in this file look like people who are recorded already")
    screen.answer(("Record them all the same? (y/n) ", answer))
    assert (screen.finish()[0], _size(north) - before) == (code, more)


def test_a_program_that_imports_twice_is_told(north: Path, brought: Path) -> None:
    """On stderr and in the object, and it goes on: a program knows what it brings. A rehearsal tells it, too."""
    words = [
        *REAL,
        "import",
        str(brought),
        "-C",
        str(north),
        "--passphrase-file",
        str(north.parent / "secret"),
        "--json",
    ]
    for rehearsal, wrote in ((["--dry-run"], 0), ([], 2)):
        before = _size(north)
        done = subprocess.run(
            [*words, *rehearsal], cwd=ROOT, env=environment(), capture_output=True, text=True, check=True
        )
        assert "look like people who are recorded already" in json.loads(done.stdout)["warnings"][0]
        assert "look like people who are recorded already" in done.stderr
        assert _size(north) - before == wrote
