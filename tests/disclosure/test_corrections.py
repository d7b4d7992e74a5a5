"""What was recorded later of people who were counted already: it waits until it is many, and is then printed beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from tests.disclosure.rows import Desk, crowd, figures, person, shipped
from vault.disclosure.asking import guard_answer, targets_of
from vault.disclosure.corrections import correction_rows
from vault.disclosure.known_rows import whole_table
from vault.disclosure.ledger import Ledger
from vault.disclosure.people import TallyRow
from vault.disclosure.watch import Question
from vault.formats.release import Labels, Release
from vault.formats.release_csv import encode_csv
from vault.formats.release_html import encode_html
from vault.formats.release_json import encode_json, parse_json
from vault.formats.release_markdown import encode_markdown

ALL, BLOCKS = shipped("all_years"), shipped("by_year")
LATER = "sex_was_unknown"


def people(*, women: int = 0, men: int = 0, among: int = 60) -> list[TallyRow]:
    """160 people of 2019: 60 women, 40 men, and of 60 who were not recorded first so many women and men since."""
    rows = crowd((60, {"sex": "female"}), (40, {"sex": "male"}))
    for number in range(among):
        sex = "female" if number < women else "male" if number < women + men else "unknown"
        rows += person(1000 + number, sex=sex)
    return rows


def corrected(*, women: int, men: int, desk: Desk | None = None) -> Release:
    """First everybody is printed, then again after so many were recorded."""
    desk = desk or Desk(guard=guard_answer)
    desk.export(ALL, people())
    return desk.export(ALL, people(women=women, men=men))


def of_sex(release: Release) -> dict[str, int]:
    """What was recorded later, by sex."""
    return {code: value for ((name, code), *_), value in _labelled(release).items() if name == LATER}


def _labelled(release: Release) -> Mapping[Labels, int]:
    return {labels: value for labels, value in figures(release).items() if labels}


def test_what_was_recorded_later_is_printed_once_it_is_many() -> None:
    """Of sixty whose sex was not recorded, twenty women and fifteen men since: they are added, the block stays."""
    desk = Desk(guard=guard_answer)
    first = figures(desk.export(ALL, people()))
    found = desk.export(ALL, people(women=20, men=15))
    added = of_sex(found)
    assert {name: value for name, value in figures(found).items() if name in first} == first
    assert set(added) == {"female", "male", "unchanged"}
    assert abs(added["female"] - 20) < 5
    assert abs(added["male"] - 15) < 5
    assert abs(added["unchanged"] - 25) < 5


@pytest.mark.parametrize(("women", "men"), [(0, 0), (9, 0), (0, 3), (1, 8), (55, 4), (60, 0)])
def test_few_corrections_wait(women: int, men: int) -> None:
    """Too few corrected, or too few left: the release is the same, byte for byte, as if nothing had been recorded."""
    assert encode_json(corrected(women=women, men=men)) == encode_json(corrected(women=0, men=0))


def test_where_only_one_answer_is_many_the_coarser_recode_is_printed() -> None:
    """Fifteen women and three men since: how many were recorded at all, and not which three are men."""
    assert set(of_sex(corrected(women=15, men=3))) == {"recorded_later", "unchanged"}


def test_a_family_of_ten_is_no_correction() -> None:
    """The parties count here too: one family whose sex is recorded says nothing."""
    desk = Desk(guard=guard_answer)
    family = [row for number in range(12) for row in person(2000 + number, party="one family")]
    since = [row for number in range(12) for row in person(2000 + number, party="one family", sex="female")]
    desk.export(ALL, [*people(), *family])
    assert of_sex(desk.export(ALL, [*people(), *since])) == {}


def test_a_correction_is_printed_once() -> None:
    """What is recorded after the correction was printed is told nowhere: two corrections would be subtracted."""
    desk = Desk(guard=guard_answer)
    corrected(women=20, men=15, desk=desk)
    again = desk.export(ALL, people(women=24, men=15))
    assert encode_json(again) == encode_json(desk.export(ALL, people(women=20, men=15)))


def test_corrections_of_answers_are_corrections_too() -> None:
    """Thirty women who should have been men, by a column that was swapped."""
    desk = Desk(guard=guard_answer)
    desk.export(ALL, people())
    swapped = [row for number in range(30) for row in person(number, sex="male")]
    rows = [*swapped, *people()[3 * 30 :]]
    found = _labelled(desk.export(ALL, rows))
    added = {code: value for ((name, code), *_), value in found.items() if name == "sex_was_female"}
    assert set(added) == {"recorded_later", "unchanged"}


def test_who_is_in_no_record_any_more_is_unchanged() -> None:
    """Erased people stay in the block as they were printed, and are no correction."""
    desk = Desk(guard=guard_answer)
    desk.export(ALL, people())
    assert of_sex(desk.export(ALL, people(women=20, men=15, among=45))).keys() == {"female", "male", "unchanged"}
    assert abs(of_sex(desk.export(ALL, people(women=20, men=15, among=45)))["unchanged"] - 25) < 5


def test_the_guard_is_asked_about_corrections() -> None:
    """A guard that objects to them holds them back, and nothing else."""
    desk = Desk(guard=lambda q: [(LATER,)] if any(v.name == LATER for v in q.variables) else [])
    assert of_sex(corrected(women=20, men=15, desk=desk)) == {}
    assert desk.ledger.blocks("sex")


def test_nobody_is_asked_two_questions_that_exclude_each_other() -> None:
    """Trafficking is asked of women, and this of people of unknown sex: nobody is in both, and all readers know it."""
    questions: list[Question] = []

    def listens(question: Question) -> Sequence[tuple[str, ...]]:
        questions.append(question)
        return []

    corrected(women=20, men=15, desk=Desk(guard=listens))
    names = [{name for one in target.where for name in one.variables} for target in targets_of(questions[-1])]
    assert {"trafficked", "minor"} in names
    assert {LATER, "minor"} in names
    assert {"trafficked", LATER} not in names


def test_blocks_tell_their_own_corrections() -> None:
    """By year: the correction stands at the block whose people were recorded."""
    desk = Desk(guard=guard_answer)
    later = crowd((60, {"sex": "female", "period": "2020-Q1"}), (40, {"sex": "male", "period": "2020-Q1"}))
    later = [replace(row, token=b"later" + row.token) for row in later]
    desk.export(BLOCKS, [*people(), *later])
    release = desk.export(BLOCKS, [*people(women=20, men=15), *later])
    shown = {cell.period for cell in release.cells if cell.labels and cell.labels[0][0] == LATER}
    assert shown in ({"2019"}, {"2019-2020"})


def test_every_form_of_a_release_tells_it() -> None:
    """JSON reads back, and CSV, Markdown and HTML say in words what was added."""
    release = corrected(women=20, men=15)
    assert parse_json(encode_json(release)) == release
    for text in (encode_csv(release), encode_markdown(release), encode_html(release)):
        assert "added later" in text.decode()


def test_corrections_outlive_the_table_that_printed_them() -> None:
    """A table without the row still protects them: they are asked about, silently."""
    desk = Desk(guard=guard_answer)
    corrected(women=20, men=15, desk=desk)
    bare = replace(ALL, rows=tuple(row for row in ALL.rows if row.variable == "minor"), percentages=())
    whole = whole_table(bare, desk.ledger)
    assert {row.variable for row in whole.rows if row.silent} >= {"sex", LATER}
    assert figures(desk.export(bare, people(women=20, men=15)))


def test_before_anything_is_printed_there_is_nothing_to_correct() -> None:
    """An empty ledger has no corrections."""
    assert list(correction_rows(ALL, Ledger(subject=ALL.subject))) == []
