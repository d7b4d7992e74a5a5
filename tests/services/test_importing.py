"""Importing a file: everything checked first, every bad line named, all written or nothing."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.organisation import Organisation
from vault.errors import InputRefused, Problem, StorageError, UsageError
from vault.services import importing
from vault.services.cases import find_cases, list_cases, show_case
from vault.services.importing import Imported, import_file
from vault.services.pseudonyms import FIRST, NUMBERS, SECOND
from vault.services.records import amend
from vault.services.reveal import reveal
from vault.synthetic import people

Lines = tuple[object, ...]
INTAKE = {"case": "a", "type": "intake"}


def _refused(org: Organisation, *lines: object) -> tuple[Problem, ...]:
    """The problems of a file that must be refused as a whole, with nothing written."""
    before = org.heads()
    with pytest.raises(InputRefused) as caught:
        org.bring_in(org.field_1, *lines)
    assert org.heads() == before
    assert org.reopen().journals()
    assert caught.value.code == 2
    return caught.value.problems


def test_a_file_becomes_cases_with_their_records(org: Organisation) -> None:
    """Labels tie lines together; each gets a pseudonym; records stand in the order of the file."""
    imported = org.bring_in(
        org.field_1,
        {"case": "a", "type": "intake", "name": "김민수", "consent_statistics": "yes"},
        {"case": "b", "type": "intake", "consent_statistics": "yes"},
        {"case": "a", "type": "journey", "event": "departure", "date": "2019"},
        {"case": "b", "type": "outcome", "status": "in_transit"},
        {"case": "a", "type": "journey", "event": "arrival", "date": "2019-03"},
    )
    assert (imported.entries, imported.warnings, list(imported.cases)) == (5, (), ["a", "b"])
    view = show_case(org.vault, org.field_1, imported.cases["a"])
    assert [entry.values.get("event") for entry in view.entries] == [None, "departure", "arrival"]
    assert [entry.values.get("date") for entry in view.entries] == [None, "2019", "2019-03"]
    assert show_case(org.vault, org.field_1, imported.cases["b"]).status == "in_transit"
    assert reveal(org.vault, org.field_1, imported.cases["a"], "why").values == {"name": "김민수"}
    assert (
        amend(org.vault, org.field_1, str(view.entries[0].seq), {"notes": "after an import"}).pseudonym
        == imported.cases["a"]
    )
    assert org.audit().findings == ()


def test_a_whole_file_is_one_commit(org: Organisation) -> None:
    """One checkpoint covers all of it."""
    before = org.audit().checkpoints
    org.bring_in(org.field_1, *({"case": str(n), "type": "intake"} for n in range(50)))
    assert org.size(org.field_1) == 51
    assert org.audit().checkpoints == before + 1


def test_the_intake_may_stand_anywhere(org: Organisation) -> None:
    """A file sorted by date or by type is taken: the case is opened first, the rest keeps its order."""
    imported = org.bring_in(
        org.field_1,
        {"case": "a", "type": "outcome", "status": "in_hiding"},
        {"case": "a", "type": "journey", "event": "departure"},
        INTAKE,
        {"case": "a", "type": "journey", "event": "arrival"},
    )
    view = show_case(org.vault, org.field_1, imported.cases["a"])
    assert [entry.type for entry in view.entries] == ["intake", "outcome", "journey", "journey"]


def test_one_bad_line_in_the_middle_writes_nothing(org: Organisation) -> None:
    """Journal sizes and roots are as before; the line is named with its number, its variable and the reason."""
    lines = [{"case": str(n), "type": "intake", "sex": "female"} for n in range(20)]
    lines[11]["sex"] = "zq canary"
    (problem,) = _refused(org, *lines)
    assert (problem.line, problem.variable) == (12, "sex")
    assert "female, male, unknown" in problem.message
    assert list_cases(org.vault, org.field_1) == ()
    lines[11]["sex"] = "male"
    assert org.bring_in(org.field_1, *lines).entries == 20, "negative control: mended, it is taken"


BAD: dict[str, tuple[object, str | None]] = {
    "a code that is none": ({**INTAKE, "sex": "zq"}, "sex"),
    "a date that is none": ({**INTAKE, "birth_date": "zq-13"}, "birth_date"),
    "a variable that is none": ({**INTAKE, "shoe_size": "zq"}, "shoe_size"),
    "another type's variable": ({**INTAKE, "event": "zq"}, "event"),
    "a type that is none": ({"case": "a", "type": "zq"}, "type"),
    "no type": ({"case": "a", "notes": "zq"}, "type"),
    "no case": ({"type": "intake", "notes": "zq"}, "case"),
    "an empty case": ({"case": " ", "type": "intake"}, "case"),
    "a case that is a number": ({"case": 7, "type": "intake"}, "case"),
    "a required answer missing": ({"case": "a", "type": "journey", "notes": "zq"}, "event"),
    "a control character": ({**INTAKE, "notes": "zq\x07"}, "notes"),
    "a hidden character": ({**INTAKE, "name": "zq\u200bzq"}, "name"),
    "a bidirectional override": ({**INTAKE, "name": "zq\u202ezq"}, "name"),
    "half a character": (rb'{"case": "a", "type": "intake", "notes": "zq\ud800"}', "notes"),
    "a list": ({**INTAKE, "notes": ["zq"]}, "notes"),
    "an object": ({**INTAKE, "notes": {"zq": "zq"}}, "notes"),
    "a fraction": (rb'{"case": "a", "type": "intake", "notes": 1.5}', None),
    "not a number": (rb'{"case": "a", "type": "intake", "notes": NaN}', None),
    "a truth for a code": ({**INTAKE, "minor": True}, "minor"),
    "a key twice": (rb'{"case": "a", "type": "intake", "notes": "zq", "notes": "zq"}', "notes"),
    "a key that is a value": ({**INTAKE, "Zq Kim": "x"}, None),
    "no JSON": (b"zq canary", None),
    "half JSON": (b'{"case": "zq', None),
    "a list for a line": (b'["zq"]', None),
    "two objects on a line": (b'{"case": "a", "type": "intake"} {"zq": 1}', None),
    "not UTF-8": (b'{"case": "a", "type": "intake", "notes": "zq\xff"}', None),
    "UTF-16": ('{"case": "a", "type": "intake", "notes": "zq"}'.encode("utf-16"), None),
    "a byte order mark": (b"\xef\xbb\xbf" + b'{"case": "a", "type": "intake"}', None),
    "a deep nest": (b"[" * 5000, None),
    "a huge line": (b'{"case": "a", "type": "intake", "notes": "' + b"zq" * 40_000 + b'"}', None),
    "a huge text": ({**INTAKE, "notes": "zq" * 2_500}, "notes"),
    "a huge label": ({"case": "zq" * 200, "type": "intake"}, "case"),
    "a huge number": (b'{"case": "a", "type": "intake", "notes": ' + b"7" * 5_000 + b"}", None),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_line_is_named_and_its_value_never_repeated(org: Organisation, what: str) -> None:
    """Number and variable are right, the value stands in no message and no repr, and nothing is written."""
    line, variable = BAD[what]
    problems = [problem for problem in _refused(org, {"case": "good", "type": "intake"}, line) if problem.line == 2]
    assert [problem.variable for problem in problems] == [variable]
    assert "zq" not in repr(problems).lower()


def test_every_bad_line_is_named_with_everything_wrong_with_it(org: Organisation) -> None:
    """Three bad lines of five, one with two bad answers: four problems, in the order of the lines."""
    problems = _refused(
        org,
        {"case": "a", "type": "intake", "sex": "zq", "minor": "zq"},
        b"zq",
        {"case": "b", "type": "intake"},
        {"case": "b", "type": "journey"},
        {"case": "b", "type": "outcome", "status": "closed"},
    )
    assert [(problem.line, problem.variable) for problem in problems] == [
        (1, "sex"),
        (1, "minor"),
        (2, None),
        (4, "event"),
    ]


def test_more_than_a_thousand_bad_lines_are_all_named(org: Organisation) -> None:
    """A column with a wrong code on each of 1,300 lines: all are named, or it says that there are more."""
    lines = [{"case": str(n), "type": "intake", "sex": "f"} for n in range(1_300)]
    with pytest.raises(InputRefused) as caught:
        org.bring_in(org.field_1, *lines)
    assert "1300 of 1300" in caught.value.message
    named = len({problem.line for problem in caught.value.problems})
    assert named == 1_300 or "more" in caught.value.problems[-1].message


def test_two_intakes_for_one_label_are_refused(org: Organisation) -> None:
    """The second is named, and where the first stands."""
    (problem,) = _refused(org, INTAKE, {"case": "b", "type": "intake"}, INTAKE)
    assert (problem.line, problem.variable) == (3, "case")
    assert "line 1" in problem.message


def test_a_label_without_an_intake_is_refused_line_by_line(org: Organisation) -> None:
    """Records of nobody: each of their lines is named, the others are not."""
    problems = _refused(
        org,
        {"case": "nobody", "type": "journey", "event": "arrival"},
        INTAKE,
        {"case": "a", "type": "journey", "event": "arrival"},
        {"case": "nobody", "type": "outcome", "status": "closed"},
    )
    assert [(problem.line, problem.variable) for problem in problems] == [(1, "case"), (4, "case")]


def test_a_bad_intake_does_not_blame_the_lines_after_it(org: Organisation) -> None:
    """The records of a case whose intake line is bad are not themselves called bad."""
    problems = _refused(org, {**INTAKE, "sex": "zq"}, {"case": "a", "type": "journey", "event": "arrival"})
    assert [problem.line for problem in problems] == [1]
    problems = _refused(org, b'{"case": "a", "type": "intake"', {"case": "a", "type": "journey", "event": "arrival"})
    assert [problem.line for problem in problems] == [1]


def test_labels_are_compared_in_their_canonical_form(org: Organisation) -> None:
    """A decomposed or padded label is the same label, twice opened too."""
    label = "사람"
    imported = org.bring_in(
        org.field_1,
        {"case": label, "type": "intake"},
        {"case": unicodedata.normalize("NFD", label) + " ", "type": "journey", "event": "arrival"},
    )
    assert list(imported.cases) == [label]


def test_labels_are_forgotten(org: Organisation) -> None:
    """The same label in two files is two people."""
    first, second = (org.bring_in(org.field_1, INTAKE).cases["a"] for _ in range(2))
    assert first != second


@pytest.mark.parametrize("raw", [b"", b"\n", b"\r\n \n\t\n"])
def test_a_file_without_records_is_refused(org: Organisation, raw: bytes) -> None:
    """Empty or blank: a usage error, not a silent success."""
    path = org.home / "empty.jsonl"
    path.write_bytes(raw)
    with pytest.raises(UsageError, match="no records"):
        import_file(org.vault, org.field_1, path)


def test_line_endings_and_blank_lines_do_not_matter(org: Organisation) -> None:
    """CRLF, blank lines, no newline at the end: taken; the numbers of bad lines count the blank ones."""
    path = org.home / "crlf.jsonl"
    good = b'{"case": "a", "type": "intake"}\r\n\r\n \n{"case": "a", "type": "journey", "event": "arrival"}'
    path.write_bytes(good)
    assert import_file(org.vault, org.field_1, path).entries == 2
    path.write_bytes(good.replace(b"arrival", b"zq"))
    with pytest.raises(InputRefused) as caught:
        import_file(org.vault, org.field_1, path)
    assert [problem.line for problem in caught.value.problems] == [4]


def _fifo(path: Path) -> None:
    os.mkfifo(path)


SOURCES: dict[str, Callable[[Path], object]] = {
    "nothing": lambda _: None,
    "a pipe that nobody writes to": _fifo,
    "a directory": lambda path: path.mkdir(),
    "a link to a directory": lambda path: path.symlink_to(path.parent),
    "a link to nothing": lambda path: path.symlink_to("nowhere"),
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a file without permission": lambda path: path.touch(mode=0),
}


@pytest.mark.parametrize("what", SOURCES)
def test_what_is_not_a_readable_regular_file_is_refused_at_once(org: Organisation, what: str) -> None:
    """A usage error that names the file, never a hang, never another exception."""
    if what == "a file without permission" and os.geteuid() == 0:
        pytest.skip("root reads everything")
    path = org.home / "source.jsonl"
    SOURCES[what](path)
    with pytest.raises(UsageError):
        import_file(org.vault, org.field_1, path)


def test_a_file_above_the_limit_is_refused(org: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit stands before anything is parsed."""
    monkeypatch.setattr(importing, "MOST_BYTES", 40)
    assert org.bring_in(org.field_1, INTAKE).entries == 1
    with pytest.raises(UsageError, match="larger"):
        org.bring_in(org.field_1, INTAKE, INTAKE)


def test_a_failure_halfway_through_the_write_leaves_nothing(org: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk fills up, or somebody presses Ctrl-C, while entries are sealed: not one of them is there."""
    lines = [{"case": str(n), "type": "intake"} for n in range(400)]
    before = org.heads()

    def interrupt(what: str, done: int, total: int) -> None:
        if what == "sealed":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_file(org.vault, org.field_1, org.lines(*lines), progress=interrupt)
    assert org.heads() == before
    real = type(org.vault.store).append

    def fail(*args: object) -> None:
        real(*args)  # type: ignore[arg-type]
        raise StorageError("injected")

    with monkeypatch.context() as patch:
        patch.setattr(type(org.vault.store), "append", fail)
        with pytest.raises(StorageError):
            org.bring_in(org.field_1, *lines)
    org.reopen()
    assert org.heads() == before
    assert org.audit().findings == ()
    assert org.bring_in(org.field_1, *lines).entries == 400


def test_a_rehearsal_checks_everything_and_writes_nothing(org: Organisation) -> None:
    """`dry_run` answers as the import would, and the journal stays."""
    before = org.heads()
    path = org.lines(INTAKE)
    assert import_file(org.vault, org.field_1, path, dry_run=True).entries == 1
    with pytest.raises(InputRefused):
        import_file(org.vault, org.field_1, org.lines(INTAKE, INTAKE), dry_run=True)
    assert org.heads() == before


def test_people_without_consent_are_counted_in_the_warning(org: Organisation) -> None:
    """Two of three said no clear yes."""
    consents: tuple[dict[str, str], ...] = ({}, {"consent_statistics": "no"}, {"consent_statistics": "yes"})
    imported = org.bring_in(
        org.field_1, *({"case": str(n), "type": "intake", **given} for n, given in enumerate(consents))
    )
    assert len(imported.warnings) == 1
    assert imported.warnings[0].startswith("2 people")


def test_equal_party_labels_are_one_party_across_files(org: Organisation) -> None:
    """Of one recorder: a file and a later case agree; another recorder's equal label does not."""
    line = {**INTAKE, "party": "night train"}
    names = [org.bring_in(me, line).cases["a"] for me in (org.field_1, org.field_1, org.field_2)]
    tokens = [
        org.tally(me, org.work(me).case(name).opened)["party"]
        for me, name in zip((org.field_1, org.field_1, org.field_2), names, strict=True)
    ]
    assert tokens[0] == tokens[1] != tokens[2]


@pytest.fixture
def thirteen_hundred(org: Organisation) -> tuple[Imported, list[tuple[str, int, int]]]:
    """The 1,300 made-up people, with what progress was told."""
    told: list[tuple[str, int, int]] = []
    path = org.lines(*people(7))
    return import_file(org.vault, org.field_1, path, progress=lambda *step: told.append(step)), told


def test_thirteen_hundred_people_come_in_at_once(
    org: Organisation, thirteen_hundred: tuple[Imported, list[tuple[str, int, int]]]
) -> None:
    """About eight records each; pseudonyms all different and of the lists; progress ends at the end; audit content."""
    imported, told = thirteen_hundred
    names = set(imported.cases.values())
    assert len(imported.cases) == len(names) == 1_300
    assert imported.entries > 10_000
    for name in names:
        first, second, number = name.split("-")
        assert first in FIRST
        assert second in SECOND
        assert int(number) in NUMBERS
    for what in ("checked", "sealed"):
        steps = [(done, total) for title, done, total in told if title == what]
        assert steps[-1] == (imported.entries, imported.entries)
        assert steps == sorted(steps)
        assert len(steps) > 5
    assert {line.pseudonym for line in list_cases(org.vault, org.field_1)} == names
    assert find_cases(org.vault, org.field_1, next(iter(names)))
    assert org.audit().findings == ()
