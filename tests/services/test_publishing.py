"""Numbers that were published before: contradictions are refused before they stop every export for good."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.organisation import Organisation
from tests.services.totals_people import entered, export, total, women
from vault.disclosure.watch import REFUSED
from vault.errors import DisclosureRefused, InputRefused
from vault.services.publishing import enter_published
from vault.services.totals import preview_table


def section(value: int, years: str = "2020, 2020", where: str = "") -> str:
    """One entry of a file."""
    told = f"where = {{ {where} }}\n" if where else ""
    return f'[[facts]]\ntable = "year_2020"\nyears = [{years}]\nvalue = {value}\n{told}'


WOMEN, MEN = 'sex = ["female"]', 'sex = ["male"]'


def enter(org: Organisation, tmp_path: Path, *sections: str, dry_run: bool = False) -> int:
    """Enter these sections."""
    path = tmp_path / "facts.toml"
    path.write_text("\n".join(sections), encoding="utf-8")
    return enter_published(org.vault, org.director, path, dry_run=dry_run)


@pytest.mark.parametrize(
    ("sections", "named", "words"),
    [
        ([section(15), section(16)], ["facts[1]"], "facts[0]: another number of the same people"),
        ([section(15), section(16, where=WOMEN)], ["facts[1]"], "facts[0]: a part that is larger than its whole"),
        ([section(15), section(14, "2019, 2020")], ["facts[1]"], "facts[0]: a whole that is smaller than its part"),
        ([section(15), section(14, where=WOMEN), section(3, where=MEN)], ["facts[0]", "facts[1]", "facts[2]"], "true"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused(
    org: Organisation, tmp_path: Path, sections: list[str], named: list[str], words: str
) -> None:
    """The entries are named, and none is entered. Negative control: without the last one all are."""
    with pytest.raises(InputRefused) as caught:
        enter(org, tmp_path, *sections)
    assert [problem.variable for problem in caught.value.problems] == named
    assert all(words in problem.message for problem in caught.value.problems)
    assert entered(org) == []
    assert enter(org, tmp_path, *sections[:-1]) == len(sections) - 1


def test_a_fact_that_contradicts_an_earlier_one_is_refused(org: Organisation, tmp_path: Path) -> None:
    """What was entered before is named by its words, since it has no place in this file."""
    assert enter(org, tmp_path, section(15)) == 1
    for wrong in (section(14), section(16, where=WOMEN)):
        with pytest.raises(InputRefused) as caught:
            enter(org, tmp_path, wrong)
        assert "total, 2020: 15, which readers have already" in caught.value.problems[0].message
    assert len(entered(org)) == 1
    assert enter(org, tmp_path, section(15), section(14, where=WOMEN)) == 1


def test_a_fact_that_contradicts_a_printed_figure_is_refused(org: Organisation, tmp_path: Path) -> None:
    """Entered, it would stop every further export."""
    org.bring_in(org.field_1, *women(30))
    assert total(export(org)) == 30
    with pytest.raises(InputRefused) as caught:
        enter(org, tmp_path, section(90, "2019, 2019"))
    assert "total, 2019: 26 to 34" in caught.value.problems[0].message
    assert enter(org, tmp_path, section(31, "2019, 2019")) == 1


def test_a_dry_run_enters_nothing(org: Organisation, tmp_path: Path) -> None:
    """It says how many would be new, and refuses what would be refused."""
    assert enter(org, tmp_path, section(15), section(14, where=WOMEN), dry_run=True) == 2
    assert entered(org) == []
    with pytest.raises(InputRefused):
        enter(org, tmp_path, section(15), section(16), dry_run=True)


def _contradict(org: Organisation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong fact in the ledger, as an earlier version entered it."""
    with monkeypatch.context() as patch:
        patch.setattr("vault.services.publishing.larger_than_whole", lambda *_: ())
        patch.setattr("vault.services.publishing.without_world", lambda *_: [])
        enter(org, tmp_path, section(90, "2019, 2019"))


def test_a_preview_fails_only_where_the_export_would(
    org: Organisation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside a wrong fact the export reads back what was printed, and so does its preview, also when people came late;
    where something new would be printed, both refuse in the same words."""
    org.bring_in(org.field_1, *women(30))
    first = export(org)
    _contradict(org, tmp_path, monkeypatch)
    preview = preview_table(org.vault, org.director, "all_years")
    assert (preview.judged, preview.disclosed, preview.closing) == (False, (), ())
    late = [dict(line) | {"case": f"late {line['case']}"} for line in women(30)]
    org.bring_in(org.field_1, *late)
    # The late ones are another state of the journals, so there is another release.
    for ask in (preview_table, lambda *_: export(org)):
        with pytest.raises(DisclosureRefused) as caught:
            ask(org.vault, org.director, "all_years")
        assert caught.value.message == REFUSED
    assert first.cells


def test_figures_of_a_weaker_policy_are_not_called_facts(org: Organisation, tmp_path: Path) -> None:
    """Fourteen people of 2018 were printed under k = 10. Under 20 they are few, but no fact speaks of 2018."""
    lines = [*women(14)]
    for line in lines:
        line["case"] = f"early {line['case']}"
        if line["type"] == "outcome":
            line["date"] = "2018-05-06"
        else:
            line["party"] = line["case"]
    org.bring_in(org.field_1, *lines, *women(30))
    export(org)
    enter(org, tmp_path, section(15, "2016, 2016"))
    weak = preview_table(org.vault, org.director, "all_years")
    tight = preview_table(org.vault, org.director, "all_years", tighter={"people": 20})
    slots = {slot for _, slot in tight.disclosed}
    assert slots, "what the fact gives away is listed"
    assert all("2016" in slot for slot in slots)
    assert not any("2018" in slot for _, slot in weak.disclosed)


def test_what_a_fact_says_beside_a_figure_is_its_doing(org: Organisation, tmp_path: Path) -> None:
    """30 were printed for 2019; then it is published that 28 were women: that few were not follows from both."""
    org.bring_in(org.field_1, *women(30))
    export(org)
    assert preview_table(org.vault, org.director, "all_years").disclosed == ()
    enter(org, tmp_path, section(28, "2019, 2019", WOMEN))
    found = preview_table(org.vault, org.director, "all_years").disclosed
    assert any("sex=" in names and slot == "2019" for names, slot in found)
