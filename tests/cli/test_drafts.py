"""`export check-draft` and `export quotes`; and `export TABLE` beside them, which is as it was."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import vault as facade
from cli import main
from tests.cli.conftest import Run
from tests.cli.fake_facade import FakeVault
from tests.organisation import PASSPHRASES, Organisation
from tests.services.totals_people import export, women
from vault.formats.draft import parse_draft
from vault.services.drafts import CheckedNumber, Quote, Source, Verdict, check_draft, quote_sheet
from vault.services.tables import shipped_tables

THIRTY = Quote(
    subject="outcome.status=reached_freedom", source=Source.FIGURE, cell="sex=female", base="", period="2010-2019",
    years=(2010, 2019), value=30,
)  # fmt: skip


def numbers(text: str, *verdicts: Verdict) -> tuple[CheckedNumber, ...]:
    """The numbers of a text with these verdicts; what was released is THIRTY."""
    return tuple(
        CheckedNumber(
            number=number,
            verdict=verdict,
            matches=(THIRTY,) if verdict in (Verdict.RELEASED, Verdict.OTHER_YEARS) else (),
        )
        for number, verdict in zip(parse_draft(text.encode()), verdicts, strict=True)
    )


@pytest.fixture
def draft(tmp_path: Path) -> str:
    """A file."""
    path = tmp_path / "report.md"
    path.write_text("30 women.\n", encoding="utf-8")
    return str(path)


# -- export TABLE, as before -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ["all_years"],
        ["all_years", "--format", "csv"],
        ["--format", "csv", "all_years"],
        ["--format=csv", "-q", "all_years"],
        ["--quiet", "all_years", "--format", "csv"],
        ["-o", "OUT", "all_years"],
        ["-qo", "OUT", "all_years"],
        ["all_years", "-o", "OUT"],
        ["--as", "hq-1", "all_years"],
        ["--", "all_years"],
        ["--format", "md", "-o", "check-draft", "all_years"],
        ["-o", "quotes", "all_years"],
    ],
)
def test_export_takes_its_options_in_any_order(
    words: list[str], run: Run, fake: FakeVault, secret: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table is released whatever stands before it, also where an option's value is the name of a subcommand."""
    monkeypatch.chdir(tmp_path)
    line = ["--passphrase-file", secret, *(str(tmp_path / "out.csv") if word == "OUT" else word for word in words)]
    assert run("export", *line).code == 0
    assert ("export_table", ("hq-1", "all_years")) in fake.calls


def test_a_line_that_does_not_fit_is_the_tables(run: Run, fake: FakeVault) -> None:
    """Its usage, its hint; the help names what else there is."""
    for words in (["--nonsense"], [], ["a", "b"], ["-o"], ["--format", "check-draft"]):
        outcome = run("export", *words)
        assert outcome.code == 2
        assert "no such command" not in outcome.err
    assert "fieldvault export --help\n" in run("export", "--nonsense").err
    text = run("export", "--help").out
    assert text.startswith("Usage: fieldvault export [OPTIONS] [TABLE]")
    assert "export check-draft" in text
    assert fake.calls == []


def test_the_subcommands_are_found_behind_global_options(run: Run, fake: FakeVault, secret: str, draft: str) -> None:
    """Before, between and after; and no option of a table's is taken there."""
    key = ["--passphrase-file", secret]
    for words in (["--json", "check-draft", draft, *key], [*key, "check-draft", draft, "--json"], ["quotes", *key]):
        assert run("export", *words).code == 0
    assert not any(name == "export_table" for name, _ in fake.calls)
    assert run("export", "--format", "csv", "check-draft", draft, *key).code == 2
    assert run("export", "check-draft", draft, "--format", "csv", *key).code == 2


# -- check-draft -------------------------------------------------------------------------------------------------------


def test_every_number_is_told_with_its_place_and_verdict(run: Run, fake: FakeVault, secret: str, draft: str) -> None:
    """Counts first, the rest apart; exit 30 for what was not released; the caveat in every case."""
    fake.checked = numbers(
        "30 women, one man, $15.", Verdict.RELEASED, Verdict.NOT_RELEASED, Verdict.LOOK,
    )  # fmt: skip
    outcome = run("export", "check-draft", draft, "--passphrase-file", secret)
    assert outcome.code == 30
    counts, _, asides = outcome.out.partition("Perhaps no counts")
    lines = {line.split()[0]: line for line in outcome.out.splitlines() if line[:1].isdigit() and ":" in line[:6]}
    assert set(lines) == {"1:1", "1:11", "1:21"}
    assert lines["1:1"].split() == ["1:1", "30", "released"]
    assert "\n      sex=female, 2010-2019: 30 (figure)\n" in outcome.out
    assert "NOT released" in lines["1:11"]
    assert "look (money)" in lines["1:21"]
    assert "1:11" in counts
    assert "1:21" in asides
    assert "1 released, 1 not released, 0 released for other years, 0 for a wider period, 1 to look at." in outcome.out
    assert "cannot read a sentence" in outcome.err


def test_everything_released_is_zero(run: Run, fake: FakeVault, secret: str, draft: str) -> None:
    """The negative control: released and looked at make 0; so does a draft without numbers."""
    fake.checked = numbers("30 women, $15.", Verdict.RELEASED, Verdict.LOOK)
    assert run("export", "check-draft", draft, "--passphrase-file", secret).code == 0
    fake.checked = ()
    outcome = run("export", "check-draft", draft, "--passphrase-file", secret)
    assert outcome.code == 0
    assert "No numbers" in outcome.out


def test_another_year_is_said(run: Run, fake: FakeVault, secret: str, draft: str) -> None:
    """Exit 30 and both periods."""
    fake.checked = numbers("In 2020, 30 women.", Verdict.LOOK, Verdict.OTHER_YEARS)
    outcome = run("export", "check-draft", draft, "--passphrase-file", secret)
    assert outcome.code == 30
    assert "released for 2010-2019, the sentence says 2020\n" in outcome.out
    outcome = run("export", "check-draft", draft, "--passphrase-file", secret, "--lang", "ko")
    assert "2010-2019의 수치로 공개되었으나 문장에는 2020년" in outcome.out


def test_each_match_has_a_line_and_each_figure_one_with_all_its_sources(
    run: Run, fake: FakeVault, secret: str, draft: str
) -> None:
    """Printed and entered as a fact: once, with both sources. Many figures make many lines, not long ones."""
    fact = replace(THIRTY, source=Source.PUBLISHED)
    others = tuple(replace(THIRTY, cell=f"minor={number}", period="2010") for number in range(5))
    (number,) = numbers("30 women", Verdict.RELEASED)
    fake.checked = (replace(number, matches=(THIRTY, fact, *others)),)
    argv = ("export", "check-draft", draft, "--passphrase-file", secret)
    out = run(*argv).out
    assert out.count("sex=female, 2010-2019: 30") == 1
    assert "     sex=female, 2010-2019: 30 (figure, published before)\n" in out
    assert "     and 3 more\n" in out
    assert max(map(len, out.splitlines())) < 120
    assert (
        "released as: sex=female, 2010-2019: 30 (figure, published before); minor=0" in run(*argv, "--accessible").out
    )
    assert "공개 수치, 이전에 공표됨" in run(*argv, "--lang", "ko").out


def test_a_wider_period_is_said(run: Run, fake: FakeVault, secret: str, draft: str) -> None:
    """Exit 30 and both periods, in both languages."""
    (year, number) = numbers("In 2015, 30 women.", Verdict.LOOK, Verdict.WIDER)
    fake.checked = (year, replace(number, matches=(THIRTY,)))
    argv = ("export", "check-draft", draft, "--passphrase-file", secret)
    outcome = run(*argv)
    assert outcome.code == 30
    assert "released, but for 2010-2019; the sentence says 2015" in outcome.out
    assert "1 for a wider period" in outcome.out
    assert "더 긴 기간(2010-2019)" in run(*argv, "--lang", "ko").out


def test_the_object_for_programs(run: Run, fake: FakeVault, secret: str, draft: str) -> None:
    """Stable names in any language, exact values."""
    fake.checked = numbers("30 women, half, 10.5, all of them", Verdict.RELEASED, *[Verdict.NOT_RELEASED] * 3)
    outcome = run("export", "check-draft", draft, "--passphrase-file", secret, "--json", "--lang", "ko")
    payload = json.loads(outcome.out)
    assert (outcome.code, payload["code"], payload["ok"]) == (30, 30, False)
    first = payload["numbers"][0]
    assert {"line", "column", "text", "value", "verdict", "matches"} <= set(first)
    assert (first["line"], first["column"], first["text"], first["value"], first["verdict"]) == (
        1, 1, "30", 30, "released",
    )  # fmt: skip
    (match,) = first["matches"]
    assert (match["variable"], match["cell"], match["period"], match["value"]) == ("sex", "female", "2010-2019", 30)
    assert match["subject"] == "outcome.status=reached_freedom"
    assert [item["value"] for item in payload["numbers"]] == [30, "1/2", "21/2", None]


def test_a_hostile_draft_is_shown_not_obeyed(run: Run, fake: FakeVault, secret: str, draft: str) -> None:
    """Escape sequences and bidi overrides in the words around a number are spelled out."""
    fake.checked = numbers("a\x1b[J\u202e 15 men", Verdict.NOT_RELEASED)
    for more in ([], ["--json"]):
        outcome = run("export", "check-draft", draft, "--passphrase-file", secret, *more)
        assert "\x1b" not in outcome.out
        assert "\u202e" not in outcome.out
    assert "⟨U+202E⟩" in run("export", "check-draft", draft, "--passphrase-file", secret).out


def test_every_verdict_and_reason_has_words_in_both_languages() -> None:
    """No reason without words."""
    from cli.drafts import _WORDS

    assert set(_WORDS["en"]) == set(_WORDS["ko"])
    assert set(_WORDS["en"]) >= set(Verdict)
    text = (
        "2020, 15 March 2020, 10:30, aged 15, $15, 010-1234-5678, 1.2.3, G20, Table 3, first, at all, 15번, 구명, `1`, "
        "www.x.org/1, [^1]\n\n# 3. x\n\n1. y\n"
    )
    reasons = {number.aside for number in parse_draft(text.encode())} - {""}
    assert len(reasons) == 18
    assert reasons <= set(_WORDS["en"])


# -- quotes ------------------------------------------------------------------------------------------------------------


def test_the_quote_sheet(run: Run, fake: FakeVault, secret: str) -> None:
    """Each printed number with figure and period; one subject; an unknown one is refused."""
    fake.quotes = (THIRTY,)
    key = ["--passphrase-file", secret]
    outcome = run("export", "quotes", *key)
    assert outcome.code == 0
    assert ["outcome.status=reached_freedom", "sex=female", "2010-2019", "30", "figure"] in [
        line.split() for line in outcome.out.splitlines()
    ]
    payload = json.loads(run("export", "quotes", "--subject", THIRTY.subject, *key, "--json").out)
    assert [quote["words"] for quote in payload["quotes"]] == ["sex=female, 2010-2019: 30"]
    assert run("export", "quotes", "--subject", "other", *key).code == 2


def test_quotes_say_what_the_codes_mean(
    run: Run, fake: FakeVault, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shipped table's label beside the code, in the chosen language; also of a fact's codes. No label is made up."""
    monkeypatch.setattr(facade, "shipped_tables", shipped_tables)
    fact = replace(THIRTY, source=Source.PUBLISHED, cell="minor=yes and sex=male+unknown")
    fake.quotes = (THIRTY, fact, replace(THIRTY, cell="own=row"), replace(THIRTY, subject="other"))
    key = ["--passphrase-file", secret]
    korean, english = (run("export", "quotes", *key, "--lang", language).out for language in ("ko", "en"))
    assert korean.split()[:5] == ["대상", "항목", "기간", "숫자", "출처"]
    assert "sex=female (여성)" in korean
    assert "공개 수치" in korean
    assert english.split()[:5] == ["subject", "figure", "period", "number", "source"]
    assert "sex=female (women and girls)" in english
    assert english.count("(") == 2
    assert "minor=yes and sex=male+unknown (under 18, " in english


# -- over the real library ---------------------------------------------------------------------------------------------


def test_from_a_draft_to_its_verdicts(org: Organisation, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A real vault: what was printed is released, what was counted is not; nobody but a director, nothing entered."""
    org.bring_in(org.field_1, *women(43))
    export(org)
    value = next(q.value for q in quote_sheet(org.vault, org.director) if q.cell == "")
    assert value != 43
    before = org.heads()
    org.close()
    path = tmp_path / "report.md"
    path.write_text(f"We helped {value} people in 2019.\nIn truth 43, and one man.\n", encoding="utf-8")
    for handle in ("director-1", "field-1"):
        (tmp_path / handle).write_text(PASSPHRASES[handle] + "\n", encoding="utf-8")
        (tmp_path / handle).chmod(0o600)

    def say(*words: str, key: str = "director-1") -> tuple[int, str]:
        given = ["-C", str(org.directory), "--as", key, "--passphrase-file", str(tmp_path / key)]
        code = main.run([*words, *given, "--json"])
        return code, capsys.readouterr().out

    code, out = say("export", "check-draft", str(path))
    said = {item["text"]: item["verdict"] for item in json.loads(out)["numbers"]}
    assert code == 30
    assert said == {
        str(value): "released", "2019": "not a count? look", "43": "not released", "one": "not released",
    }  # fmt: skip
    code, out = say("export", "quotes")
    assert code == 0
    assert '"value": 43' not in out
    assert f'"value": {value}' in out
    for words in (["check-draft", str(path)], ["quotes"]):
        assert say("export", *words, key="field-1")[0] == 31
    org.reopen()
    assert org.heads() == before
    assert [item.verdict for item in check_draft(org.vault, org.director, parse_draft(b"43"))] == [Verdict.NOT_RELEASED]
