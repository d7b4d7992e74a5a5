"""`export TABLE` says what was written, what was not, and why; `--fact` asks before it enters anything for good."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

import vault as facade
from cli import main, totals
from tests.cli.conftest import Outcome, Run
from tests.cli.fake_facade import FakeVault
from tests.organisation import PASSPHRASES, Organisation
from tests.services.totals_people import women
from vault.services import release_files

Say = Callable[..., Outcome]
FACTS = '[[facts]]\ntable = "year_2020"\nyears = [2020, 2020]\nvalue = 15\n'
NOTHING = "Nothing may be printed of this table yet."


@pytest.fixture
def say(org: Organisation, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Say]:
    """One command line of the director's, over the real library. The people are 60 women, six each of 2019 and 2020."""
    lines = []
    for number, line in enumerate(women(60)):
        if line["type"] == "outcome":
            line["date"] = f"{[2019, 2020, *[2021] * 8][number // 2 % 10]}-05-06"
        lines.append(line)
    org.bring_in(org.field_1, *lines)
    org.close()
    key = tmp_path / "key"
    key.write_text(PASSPHRASES["director-1"] + "\n", encoding="utf-8")
    key.chmod(0o600)

    def call(*words: str) -> Outcome:
        capsys.readouterr()
        code = main.run([*words, "-C", str(org.directory), "--as", "director-1", "--passphrase-file", str(key)])
        return Outcome(code, *capsys.readouterr())

    yield call
    org.reopen()


def test_a_form_that_can_hold_no_figure_of_a_table_is_refused_before_anything_is_released(
    say: Say, run: Run, fake: FakeVault, secret: str
) -> None:
    """DHIS2 has no period of several years; a table of blocks may hold single years, and is taken."""
    argv = ["--format", "dhis2", "--passphrase-file", secret]
    outcome = run("export", "all_years", *argv)
    assert outcome.code == 2
    assert "no period of several years" in outcome.err
    assert fake.calls == []
    assert run("export", "all_years", *argv, "--dry-run").code == 2
    for table, form in (("year_2020", "dhis2"), ("by_year", "dhis2"), ("all_years", "csv")):
        assert facade.can_hold(table, form)
    assert not facade.can_hold("all_years", "dhis2")


def test_dhis2_says_how_many_figures_it_holds(say: Say, tmp_path: Path) -> None:
    """Beside all that were printed; as many as the file has rows. CSV holds all, and says nothing."""
    target = tmp_path / "d.csv"
    outcome = say("export", "by_year", "--format", "dhis2", "-o", str(target))
    rows = len(target.read_text(encoding="utf-8").splitlines()) - 1
    printed = int(outcome.err.partition("d.csv: ")[2].split()[0])
    assert (outcome.code, 0 < rows < printed) == (0, True)
    assert f"dhis2 holds {rows} of {printed} printed figures: it has no period of several years" in outcome.err
    payload = json.loads(say("export", "by_year", "--format", "dhis2", "--json").out)
    assert payload["written"] == rows
    assert "holds" not in say("export", "by_year", "--format", "csv").err


def test_a_fact_is_entered_only_with_a_yes(say: Say, tmp_path: Path) -> None:
    """Nobody to ask: --yes. A dry run says what would be entered. What stands there already needs no yes."""
    path = tmp_path / "facts.toml"
    path.write_text(FACTS, encoding="utf-8")
    argv = ["export", "--fact", str(path)]
    outcome = say(*argv)
    assert (outcome.code, "cannot be taken back" in outcome.err, "--yes" in outcome.err) == (2, True, True)
    assert json.loads(say(*argv, "--dry-run", "--json").out)["would_enter"] == 1
    assert "1 number would be entered. Dry run" in say(*argv, "--dry-run").err
    assert "1 number entered" in say(*argv, "--yes").err
    assert json.loads(say(*argv, "--json").out)["entered"] == 0
    path.write_text(FACTS.replace("15", "16"), encoding="utf-8")
    outcome = say(*argv, "--yes")
    assert (outcome.code, "facts[0]" in outcome.err) == (2, True)


def test_where_nothing_may_be_printed_one_line_says_so(say: Say) -> None:
    """The same words in a dry run and in the export, and no reason; not where figures are printed."""
    assert NOTHING in say("export", "detained", "--dry-run").err
    outcome = say("export", "detained")
    assert (outcome.code, NOTHING in outcome.err) == (0, True)
    assert NOTHING not in say("export", "by_year").err


def test_a_table_of_sums_has_no_percentages_to_be_stricter_about(say: Say) -> None:
    """Nothing was printed before, so nothing is said of it; of figures that were printed, it still is."""
    argv = ["export", "nights_by_country", "--people", "20", "--percent-base", "100"]
    assert "printed before" not in say(*argv).err
    say("export", "by_year")
    told = say("export", "by_year", "--people", "20").err
    assert "printed before, and are read back: the release says people 10" in told


def test_a_long_list_is_cut_on_the_terminal(run: Run, secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty lines, and how many more; --json has them all."""
    told = tuple((f"sex={number}", "2020") for number in range(272))
    preview = SimpleNamespace(printed=1, withheld=1, closing=(), waiting=(), disclosed=told, judged=False)
    monkeypatch.setattr(facade, "preview_table", lambda *_, **__: preview)
    argv = ["export", "all_years", "--dry-run", "--passphrase-file", secret]
    outcome = run(*argv)
    assert outcome.err.count("already disclosed by") == 20
    assert "and 252 more" in outcome.err
    assert "could not be worked out" in outcome.err
    payload = json.loads(run(*argv, "--json").out)
    assert (len(payload["disclosed"]), payload["judged"]) == (272, False)


def test_an_unknown_suffix_is_said(run: Run, secret: str, tmp_path: Path) -> None:
    """`y.xyz` becomes Markdown, and that is told; a known suffix, or --format, needs no word."""
    argv = ["export", "all_years", "--passphrase-file", secret, "-o"]
    assert "y.xyz was written as md" in run(*argv, str(tmp_path / "y.xyz")).err
    assert "was written as" not in run(*argv, str(tmp_path / "y.csv")).err
    assert "was written as" not in run(*argv, str(tmp_path / "z.xyz"), "--format", "md").err


def test_a_number_that_does_not_fit_is_told_in_words_for_people(run: Run) -> None:
    """Not in the parser's: what a whole number may be."""
    outcome = run("export", "all_years", "--people", "many")
    assert (outcome.code, "must be a whole number of at least 0" in outcome.err) == (2, True)
    assert "integer range" not in run("export", "all_years", "--people", "-1").err


def test_the_command_offers_every_format_that_there_is() -> None:
    """The list on the command line, which no heavy module is loaded for, is the one that releases are checked in."""
    assert set(totals.FORMATS) == set(release_files.FORMATS)
