"""A13 on a director's laptop, through the command line: files, stdout, stderr, exit codes, rehearsals, refusals."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cli.main import run
from tests.attacks.totals.a13_surface import Output, broken, entries_named, masked, states
from tests.organisation import PASSPHRASES, Organisation, Template
from tests.services.totals_people import export, women
from vault.formats.release_json import parse_json
from vault.services.release_files import FORMATS, encode_release
from vault.services.totals import preview_table

Line = dict[str, object]
Batches = tuple[list[Line], ...]
"""Lines of one import each."""


def _people(count: int, first: int = 0, date: str = "2019-05-06", **given: str) -> list[Line]:
    """Women who reached freedom, each a party of her own, with labels of their own."""
    found = []
    for line in map(dict, women(count, **given)):
        label = f"q{first}{line['case']}"
        line["case"] = label
        if "party" in line:
            line["party"] = label
        if line["type"] == "outcome":
            line["date"] = date
        found.append(line)
    return found


Laptop = Callable[[str, Batches], Output]


@pytest.fixture
def laptop(
    template: Template, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Laptop:
    """What a director's laptop hands out over these imports, and says while it does."""

    def call(name: str, batches: Batches) -> Output:
        home = tmp_path / name
        home.mkdir()
        org = Organisation(template, home, "the same seed")
        for lines in batches:
            org.bring_in(org.field_1, *lines)
        org.close()
        monkeypatch.chdir(home)
        (home / "secret").write_text(PASSPHRASES["director-1"] + "\n", encoding="utf-8")
        (home / "secret").chmod(0o600)
        told, codes, figures = [], [], {}

        def say(*argv: str) -> str:
            codes.append(run([*argv, "-C", "vault", "--as", "director-1", "--passphrase-file", "secret"]))
            out, err = capsys.readouterr()
            told.append(masked(f"{out}\n{err}".encode()).decode())
            return str(out)

        files = {}
        for form in FORMATS:
            path = home / f"totals.{form}"
            say("export", "by_year", "-o", path.name, "--format", form)
            files[form] = masked(path.read_bytes()) + oct(path.stat().st_mode).encode()
        release = parse_json((home / "totals.json").read_bytes())
        figures = {(cell.period, cell.labels): cell.value for cell in release.cells if cell.value is not None}
        say("export", "by_year", "--json")
        say("export", "by_year", "--dry-run")
        files["folder"] = "\n".join(sorted(path.name for path in home.iterdir() if path.suffix != ".jsonl")).encode()
        assert set(codes) == {0}
        return Output(figures=dict(figures), files=files, said="\n".join(told), code=max(codes))

    return call


def _some(code: str, variable: str, count: int) -> list[Line]:
    """Sixty women of 2019, of whom so many have another code."""
    return [*_people(60 - count), *_people(count, 1, **{variable: code})]


PAIRS: dict[str, tuple[Batches, Batches]] = {
    "the size of a withheld cell": ((_some("male", "sex", 3),), (_some("male", "sex", 7),)),
    "somebody who did not consent": ((_people(60),), (_people(60), _people(1, 1, consent_statistics="no"))),
    "names, labels and the order of import": (
        ([{**line, **({"name": "A"} if line["type"] == "intake" else {})} for line in _people(60)],),
        (
            sorted(
                ({**line, **({"name": "Bbb"} if line["type"] == "intake" else {})} for line in _people(60, 9)),
                key=lambda line: (line["type"], str(line["case"])[::-1]),
            ),
        ),
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_no_pair_can_be_told_apart_from_what_a_laptop_hands_out(laptop: Laptop, name: str) -> None:
    """Six formats, `--json`, `--dry-run`, names and modes of the files: the same, but for what the journals' sizes
    say."""
    one, other = (laptop(home, batches) for home, batches in zip(("one", "other"), PAIRS[name], strict=True))
    assert one.figures
    assert broken([(name, one, other)]) == {}
    assert broken([(name, one, replace(other, said=f"{other.said} 3"))]) == {name: ("what is said",)}


def test_a_rehearsal_does_not_say_in_which_year_somebody_came_last(template: Template, tmp_path: Path) -> None:
    """Sixty people were printed; whether nobody waits, or one person of 2022 or 2023, makes no difference."""
    waiting = set()
    for date in ("", "2022-05", "2023-05"):
        home = tmp_path / f"home {date}"
        home.mkdir()
        org = Organisation(template, home, "the same seed")
        org.bring_in(org.field_1, *_people(60))
        export(org)
        if date:
            org.bring_in(org.field_1, *_people(1, 1, date))
        waiting.add(dict(preview_table(org.vault, org.director, "all_years").waiting).get(""))
        org.close()
    assert len(waiting) == 1, waiting


TWO_MINORS = '[[facts]]\ntable = "all_years"\nyears = [2019, 2019]\nvalue = {}\nwhere = {{ {} }}\n'


def test_a_refusal_reads_the_same_for_every_reason(
    org: Organisation, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Published numbers that contradict the vault, in one cell or in another, in 2019 or about everybody: the same
    words on the same streams, code 30, and no file; also as JSON, and where a rehearsal is refused."""
    org.bring_in(org.field_1, *_some("male", "sex", 12))
    org.close()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret").write_text(PASSPHRASES["director-1"] + "\n", encoding="utf-8")
    (tmp_path / "secret").chmod(0o600)
    pristine = tmp_path / "pristine"
    shutil.copytree(org.directory, pristine)
    said = set()
    for wrong in ('sex = ["male"]', 'minor = ["yes"]', 'sex = ["female"]'):
        shutil.rmtree(tmp_path / "vault")
        shutil.copytree(pristine, tmp_path / "vault")
        (tmp_path / "facts.toml").write_text(TWO_MINORS.format(500, wrong), encoding="utf-8")
        where = ["-C", "vault", "--as", "director-1", "--passphrase-file", "secret"]
        assert run(["export", "--fact", "facts.toml", "--yes", *where]) == 0
        capsys.readouterr()
        found = [
            (run(["export", "all_years", *how, *where]), *capsys.readouterr())
            for how in ([], ["-o", "t.csv"], ["--json"], ["--dry-run"])
        ]
        assert [code for code, _, _ in found] == [30] * 4
        assert not (tmp_path / "t.csv").exists()
        said.add(tuple(found))
    org.reopen()
    assert len(said) == 1
    assert not any(word in str(said) for word in ("500", "male", "minor"))


# -- what the checkpoints say ------------------------------------------------------------------------------------------


def _released(org: Organisation, form: str = "csv") -> bytes:
    return encode_release(export(org), form)


@pytest.mark.parametrize("count", [0, 1, 4, 9])
def test_what_the_states_of_the_journals_tell(org: Organisation, count: int) -> None:
    """Between two releases that print the same figures a reader sees whether a recorder wrote anything (the root is
    another), a documented limit, and never how much: with sizes, nobody but half as many could have come."""
    org.bring_in(org.field_1, *_people(60))
    earlier = _released(org)
    if count:
        org.bring_in(org.field_1, *_people(count, 1, "2022-05"))
    later = _released(org)
    for form in FORMATS:
        raw = encode_release(export(org), form)
        assert entries_named(raw) == []
        assert form == "dhis2" or (states(raw) == states(earlier)) == (count == 0)
    changed = {handle for handle, root in states(later).items() if root != states(earlier)[handle]}
    assert changed == ({"field-1"} if count else set())
    if not count:
        assert later == earlier


def test_a_size_beside_a_journal_would_be_seen() -> None:
    """Negative control: the form that named the size, 5,200 entries, is found."""
    line = f"fieldvault/{'0' * 32}/field-1/1 5200 {'A' * 43}="
    assert entries_named(line.encode()) == ["5200"]


def test_salt_and_digest_say_nothing_that_the_checkpoints_do_not(template: Template, tmp_path: Path) -> None:
    """Two laptops with other people in a withheld cell, and a third with the same people again: salt and digest differ
    each time, because roots of journals do (sealed bytes are drawn anew); nobody without the export key can try out
    what they stand for."""
    found = []
    for number, men in enumerate((3, 7, 3)):
        home = tmp_path / str(number)
        home.mkdir()
        org = Organisation(template, home, "the same seed")
        org.bring_in(org.field_1, *_some("male", "sex", men))
        found.append(export(org))
        org.close()
    assert len({release.salt for release in found}) == len({release.digest for release in found}) == 3
    assert len({masked(encode_release(release, "json")) for release in found}) == 1
