"""`tables --check` and `export --table`: every mistake by its line, and tables of one's own like shipped ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import vault as facade
from tests.cli.conftest import Run, following, said
from tests.cli.fake_facade import FakeVault
from vault.errors import IntegrityError, NoVault
from vault.formats.table import Table

ALL_YEARS = (Path(__file__).resolve().parents[2] / "vault" / "tables" / "all_years.toml").read_text(encoding="utf-8")
MINE = ALL_YEARS.replace('name = "all_years"', 'name = "our_report"')
WRONG = MINE.replace('gender = "m"', 'gender = "w"').replace(
    '"unknown", "not_asked", "declined"]', '"unknown", "not_asked"]'
)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A good table in a file whose name has to be quoted."""
    path = tmp_path / "our report.toml"
    path.write_text(MINE, encoding="utf-8")
    return path


def line_of(text: str, beginning: str) -> int:
    """The number of the first line that begins so."""
    return next(at for at, line in enumerate(text.split("\n"), 1) if line.startswith(beginning))


# -- tables --check ----------------------------------------------------------------------------------------------------


def test_a_good_table_says_what_it_would_count(run: Run, own: Path) -> None:
    """Whom, which period, each row with where it is read and how it may be put together; no key is asked for."""
    outcome = run("tables", "--check", str(own))
    assert outcome.code == 0
    assert "our_report" in outcome.out
    assert "outcome ever said status = reached_freedom" in outcome.out
    assert "female, male, unknown > female, male+unknown" in outcome.out
    assert "sex = female" in outcome.out
    assert "it fits the codebook rescue 1" in outcome.err
    assert following(outcome.err) == f"fieldvault export --table '{own}' --dry-run"


def test_the_tables_are_told_in_korean(run: Run, own: Path) -> None:
    """Titles of columns, headings and sentences; codes and names stay what they are."""
    listed = run("tables", "--lang", "ko")
    assert listed.out.split()[:4] == ["표", "제목", "단위", "기간"]
    assert "모두" in listed.out
    outcome = run("tables", "--check", str(own), "--lang", "ko")
    assert "묶음, 가장 세분된 것부터" in outcome.out
    assert "status = reached_freedom" in outcome.out
    assert "코드북 rescue 1" in outcome.err
    assert run("tables").out.split()[:4] == ["table", "title", "unit", "period"]


@pytest.mark.parametrize(
    ("folder", "name", "said"),
    [
        ("vault/tables", "nights_by_country", "adds up  nights of shelter records\n"),
        ("docs/examples", "border_crossings", "adds up  events of journey records that say event = border_crossing\n"),
    ],
)
def test_a_table_of_sums_says_what_it_would_add_up(run: Run, tmp_path: Path, folder: str, name: str, said: str) -> None:
    """Nights of all stays, or one event; nobody is counted "once each"."""
    text = (Path(__file__).resolve().parents[2] / folder / f"{name}.toml").read_text(encoding="utf-8")
    path = tmp_path / "sums.toml"
    path.write_text(text.replace(f'name = "{name}"', 'name = "ours"'), encoding="utf-8")
    outcome = run("tables", "--check", str(path))
    assert outcome.code == 0
    assert said in outcome.out


def test_what_a_good_table_says_to_programs(run: Run, own: Path) -> None:
    """The same, with the source of each row and the codebook it was compared with."""
    payload = said(run, "tables", "--check", str(own))
    assert (payload["table"], payload["unit"], payload["period"]) == ("our_report", "persons", "all")
    assert payload["counts"] == "outcome.status=reached_freedom"
    assert payload["codebook"] == {"name": "rescue", "version": 1}
    assert [row["variable"] for row in payload["rows"]][-1] == "trafficked"
    assert payload["rows"][-1]["universe"] == {"sex": "female"}
    assert payload["rows"][0]["ladder"] == [["female", "male", "unknown"], ["female", "male+unknown"]]


def test_without_a_vault_it_says_that_no_codebook_had_a_say(
    run: Run, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then a code that the codebook has and the table lacks is no mistake; any other trouble with the vault is told."""

    def nowhere(*_: object) -> None:
        raise NoVault("no vault here")

    monkeypatch.setattr(facade, "open_vault", nowhere)
    monkeypatch.setattr(facade, "waiting", lambda *_: False, raising=False)
    own.write_text(MINE.replace(', "declined"]', "]"), encoding="utf-8")
    outcome = run("tables", "--check", str(own))
    assert outcome.code == 0
    assert "NOT compared with a codebook" in outcome.err
    assert said(run, "tables", "--check", str(own))["codebook"] is None

    def broken(*_: object) -> None:
        raise IntegrityError("damaged")

    monkeypatch.setattr(facade, "open_vault", broken)
    assert run("tables", "--check", str(own)).code == 20


def test_every_mistake_is_named_by_its_line(run: Run, own: Path) -> None:
    """On stderr for people, as `errors` for programs; in a file of its own sins the codebook is not asked."""
    own.write_text(WRONG, encoding="utf-8")
    outcome = run("tables", "--check", str(own))
    assert (outcome.code, outcome.out) == (2, "")
    assert f"  line {line_of(WRONG, 'male =')}, rows[0].cells.male.gender: must be f, m," in outcome.err
    payload = said(run, "tables", "--check", str(own), code=2)
    assert payload["errors"][0].keys() == {"line", "variable", "message"}
    own.write_text(MINE.replace('variable = "travelled_with_family"', 'variable = "travelled"'), encoding="utf-8")
    (error,) = said(run, "tables", "--check", str(own), code=2)["errors"][:1]
    assert (error["line"], error["variable"]) == (
        line_of(MINE, 'variable = "travelled_with_family"'),
        "rows[2].variable",
    )


@pytest.mark.parametrize(
    "raw",
    [b"", b"\xff\xfe", bytes(range(256)), b"a = [" * 9000, b"\xef\xbb\xbf" + MINE.encode(), b"#" * 300_000],
    ids=range(6),
)
@pytest.mark.parametrize("words", [("tables", "--check"), ("export", "--table")], ids=" ".join)
def test_a_hostile_file_ends_in_a_clear_refusal(
    run: Run, fake: FakeVault, secret: str, tmp_path: Path, words: tuple[str, str], raw: bytes
) -> None:
    """Code 2, a few lines, no key touched."""
    path = tmp_path / "t.toml"
    path.write_bytes(raw)
    outcome = run(*words, str(path), "--passphrase-file", secret)
    assert (outcome.code, outcome.out) == (2, "")
    assert 1 <= outcome.err.count("\n") <= 6
    assert outcome.err.startswith("fieldvault: ")
    assert fake.calls == []


# -- export --table ----------------------------------------------------------------------------------------------------


def test_a_table_of_one_s_own_is_exported(run: Run, fake: FakeVault, secret: str, own: Path, tmp_path: Path) -> None:
    """The library gets the checked table; the words name it as its file does; -o, --format and --json are as ever."""
    argv = ["export", "--table", str(own), "--passphrase-file", secret]
    outcome = run(*argv)
    assert (outcome.code, outcome.out) == (0, "as md 여\n")
    assert "Released our_report:" in outcome.err
    name, (_, table) = fake.calls[-1]
    assert name == "export_table"
    assert isinstance(table, Table)
    assert (table.name, len(table.rows)) == ("our_report", 5)
    assert run(*argv, "--dry-run").code == 0
    assert fake.calls[-1][0] == "preview_table"
    assert fake.calls[-1][1][1] == table
    target = tmp_path / "out.csv"
    payload = json.loads(run(*argv, "--json", "-o", str(target)).out)
    assert (payload["file"], payload["format"]) == (str(target), "csv")
    assert target.read_text(encoding="utf-8") == "as csv 여\n"


def test_one_table_and_only_one(run: Run, fake: FakeVault, secret: str, own: Path) -> None:
    """Neither and both are refused before anything is opened, and --fact goes with neither."""
    for words in ([], ["all_years", "--table", str(own)], ["--table", str(own), "--fact", str(own)]):
        outcome = run("export", *words, "--passphrase-file", secret)
        assert outcome.code == 2
        assert outcome.out == ""
    assert fake.calls == []


def test_a_wrong_table_is_refused_before_a_passphrase_is_asked_for(
    run: Run, fake: FakeVault, secret: str, own: Path
) -> None:
    """The same checker, with lines; no file is written."""
    target = own.with_name("out.csv")
    for text, place in ((WRONG, "rows[0].cells.male.gender"), (ALL_YEARS, "name")):
        own.write_text(text, encoding="utf-8")
        outcome = run("export", "--table", str(own), "--passphrase-file", secret, "-o", str(target), "--json")
        assert outcome.code == 2
        assert place in [error["variable"] for error in json.loads(outcome.out)["errors"]]
    assert fake.calls == []
    assert not target.exists()
