"""A conflict on the screen: both versions, what differs, which one counts, and the command that settles it."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import replace

import pytest

from cli.amending import AmendForm
from cli.main import run
from tests.cli.test_amending import BOOK, STAY, _settings
from tests.organisation import PASSPHRASES, Organisation
from tests.services.several_journals import Sharing
from vault.model import Origin
from vault.services.cases import VersionView
from vault.services.records import amend


class Desk:
    """One recorder's command line over a real vault."""

    def __init__(self, org: Organisation, capsys: pytest.CaptureFixture[str]) -> None:
        self.org, self.capsys = org, capsys

    def __call__(self, handle: str, *words: str) -> str:
        """Standard output of one command that does well."""
        secret = self.org.home / handle
        secret.write_text(PASSPHRASES[handle] + "\n", encoding="utf-8")
        secret.chmod(0o600)
        self.capsys.readouterr()
        where = ["-C", str(self.org.directory), "--as", handle, "--passphrase-file", str(secret)]
        code = run([*words, *where])
        out, err = self.capsys.readouterr()
        assert code == 0, err
        return out


@pytest.fixture
def divided(
    org: Organisation, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[Desk, Sharing]:
    """field-1 and field-2 amended one intake without having seen each other's amendment."""
    name = org.case(org.field_1, name="Kim", notes="first", health="well", sex="female", consent_statistics="yes")
    sharing = Sharing(org, monkeypatch, name)
    sharing.exchange()
    amend(org.vault, org.field_1, "1", {"notes": "one\nline more", "name": "Park", "risks": "r"})
    amend(org.vault, org.field_2, "field-1/1:1", {"health": "ill", "sex": "male", "name": "Lee"})
    sharing.exchange()
    return Desk(org, capsys), sharing


def test_case_show_tells_a_conflict(divided: tuple[Desk, Sharing]) -> None:
    """The version that counts in full, of the other only what differs, and the command; a record without one has no
    such lines."""
    desk, sharing = divided
    desk.org.add(desk.org.field_1, "journey", sharing.name, event="departure")
    shown = desk("field-1", "case", "show", sharing.name).splitlines()
    at = next(number for number, line in enumerate(shown) if line.startswith("1  "))
    assert "amended by 2, field-2/1:2" in shown[at]
    told = shown[next(number for number, line in enumerate(shown) if line.startswith("  !")) :]
    end = told.index("")
    assert told[: end - 1] == [
        "  ! 2 versions stand: field-2/1:2, 2. Nobody who wrote one had seen the others.",
        "  ! Until it is settled, field-2/1:2 is shown and counted. The others differ in:",
        "    2  2026-03-14",
        "      Sex: Female",
        "      Health: well",
        "      Risks: r",
        "      Notes: one",
        "        line more",
    ]
    assert told[end - 1].startswith("  ! settle it with: fieldvault amend 1 -C ")
    assert not any(line.startswith("  !") for line in told[end:]), "negative control: the journey has no conflict"


def test_the_other_one_is_told_their_names(divided: tuple[Desk, Sharing]) -> None:
    """In Korean too; entries of another's journal by HANDLE/EPOCH:SEQ, and the command takes that name."""
    desk, sharing = divided
    shown = desk("field-2", "case", "show", sharing.name, "--lang", "ko")
    assert "서로 다른 2개의 판이 있습니다: 2, field-1/1:2." in shown
    assert "fieldvault amend field-1/1:1 " in shown
    desk("field-2", "amend", "field-1/1:1", "--set", "notes=settled")
    assert "  ! " not in desk("field-2", "case", "show", sharing.name)


def test_conflicts_for_programs(divided: tuple[Desk, Sharing]) -> None:
    """`conflicts` holds the other versions with their places and values; without a conflict there is no such key."""
    desk, sharing = divided
    desk.org.add(desk.org.field_1, "journey", sharing.name, event="departure")
    intake, journey = json.loads(desk("field-1", "case", "show", sharing.name, "--json"))["entries"]
    (other,) = intake["conflicts"]
    assert (other["origin"], other["seq"], other["day"]) == (intake["origin"], 2, "2026-03-14")
    assert (other["values"]["health"], intake["health"], intake["values"]["health"]) == ("well", "ill", "ill")
    assert intake["amended_by"] == [2, "field-2/1:2"]
    assert "conflicts" not in journey


def test_a_reveal_tells_both_names(divided: tuple[Desk, Sharing]) -> None:
    """On the screen and for programs; without a conflict there is no such key."""
    desk, sharing = divided
    lines = desk("field-1", "reveal", sharing.name, "--reason", "x").splitlines()
    assert lines == ["Name: Lee", "  ! somebody else changed it at the same time to: Park"]
    assert json.loads(desk("field-1", "reveal", sharing.name, "--reason", "x", "--json"))["others"] == {
        "name": ["Park"]
    }
    desk("field-1", "amend", "1", "--set", "name=Choi")
    told = json.loads(desk("field-1", "reveal", sharing.name, "--reason", "x", "--json"))
    assert (told["values"], "others" in told) == ({"name": "Choi"}, False)


def test_settling_says_so(divided: tuple[Desk, Sharing]) -> None:
    """Whoever did not know that there was a conflict learns that this amendment settles it."""
    desk, _ = divided
    told = json.loads(desk("field-1", "amend", "1", "--set", "notes=x", "--json"))
    assert any("settles" in warning for warning in told["warnings"])


OTHER = VersionView(origin=Origin("o"), seq=7, name="field-2/1:7", day="2020-02-06", values={"shelter": "red"})


def _typed(monkeypatch: pytest.MonkeyPatch, *lines: str, conflict: bool = True) -> dict[str, str | int | None]:
    view = replace(STAY, version="4", conflicts=(OTHER,) if conflict else ())
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(line + "\n" for line in lines)))
    return dict(AmendForm(_settings(), BOOK.types["shelter"], view).fill())


def test_the_form_tells_it_and_saves_what_stands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a conflict Enter alone goes to the review, and `y` settles it with the version shown."""
    assert _typed(monkeypatch, "", "y") == {}
    assert "Versions 4, field-2/1:7 contradict each other; 4 is shown." in capsys.readouterr().err
    assert _typed(monkeypatch, "1", "green", "", "y") == {"shelter": "green"}


def test_without_a_conflict_the_form_wants_a_change(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Negative control: Enter alone asks again."""
    assert _typed(monkeypatch, "", "1", "green", "", "y", conflict=False) == {"shelter": "green"}
    told = capsys.readouterr().err
    assert "Nothing has changed yet." in told
    assert "contradict" not in told
