"""`recovery` and `passphrase` on the command line: over the stand-in for what is said, and over a real vault."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli.main import run as run_line
from tests.cli.conftest import Run, following, said
from tests.cli.fake_facade import PASSPHRASE, FakeVault, member
from tests.organisation import PASSPHRASES, Organisation, Template
from tests.services.handing import opened_case
from vault.model import Handle, Role
from vault.services.revoking import revoke


@pytest.fixture
def shares(tmp_path: Path) -> list[str]:
    """Two good shares of the stand-in's, and one that is altered."""
    paths = [tmp_path / name for name in ("one", "two", "altered")]
    for path in paths:
        path.touch()
    return [str(path) for path in paths]


@pytest.fixture
def hub(fake: FakeVault) -> FakeVault:
    """The stand-in, where a hub works too."""
    fake.members, fake.keys_here = (*fake.members, member("hub-1", Role.HUB)), (*fake.keys_here, Handle("hub-1"))
    return fake


@pytest.mark.parametrize(
    ("which", "code", "have"), [([0, 1], 0, 2), ([0, 1, 2], 3, 2), ([0], 12, 1), ([0, 2], 13, 1), ([2], 13, 0)]
)
def test_a_drill_says_have_and_need(run: Run, shares: list[str], which: list[int], code: int, have: int) -> None:
    """Proven, proven but one is bad, too few, one altered: each with its own code, and the state of each share."""
    given = [word for number in which for word in ("--share", shares[number])]
    payload = said(run, "recovery", "drill", *given, code=code)
    assert (payload["have"], payload["need"], payload["proven"]) == (have, 2, have >= 2)
    assert [share["name"] for share in payload["shares"]] == [Path(shares[number]).name for number in which]
    outcome = run("recovery", "drill", *given)
    assert outcome.code == code
    assert f"have {have}, need 2" in outcome.out


def test_a_drill_needs_shares_and_no_key(run: Run, fake: FakeVault, tmp_path: Path) -> None:
    """Nobody to ask: exit 2, naming the flag. A file that is no share: 13. No member is unlocked for any of it."""
    assert run("recovery", "drill", "--no-input").code == 2
    assert "--share" in run("recovery", "drill", "--no-input").err
    (tmp_path / "letter").touch()
    assert run("recovery", "drill", "--share", str(tmp_path / "letter")).code == 13
    assert not [call for call in fake.calls if call[0] == "unlock"]


def test_shares_may_be_typed(
    run: Run, fake: FakeVault, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Over several lines, begun anew after an empty one, again after a slip; no stream repeats the words."""
    monkeypatch.setattr("cli.options.Settings.interactive", property(lambda _: True))
    words = " ".join(["academic"] * 11)
    lines = iter([words, "", words, words, words, "wrong " * 33, f"{words} {words} {words}", ""])
    monkeypatch.setattr("cli.custody.ask", lambda *_: next(lines))
    outcome = run("recovery", "drill")
    assert outcome.code == 0
    assert ("check_shares", ("share 1", "share 2")) in fake.calls
    assert "academic" not in outcome.out + outcome.err


def test_a_restore_asks_once_and_tells_all(hub: FakeVault, run: Run, secret: str, shares: list[str]) -> None:
    """A rehearsal first, then the yes; what was left out is told; the next step is the bundle for the successor."""
    line = ["recovery", "restore", "field-1", "--to", "field-2", "--share", shares[0]]
    acting = ["--as", "hub-1", "--passphrase-file", secret]
    assert run(*line, *acting, "--no-input", "--yes").code == 2, "no reason"
    assert run(*line, "--reason", "lost", *acting, "--no-input").code == 2, "no yes"
    assert not [call for call in hub.calls if call[0] == "restore" and not call[1][4]]
    outcome = run(*line, "--reason", "lost", *acting, "--yes")
    assert outcome.code == 0
    assert hub.calls[-1] == ("restore", ("hub-1", "field-1", "field-2", "lost", False))
    assert following(outcome.err) == "fieldvault bundle create --to field-2 --as hub-1"
    assert outcome.err.count("warning:") == 7, "and of which key the shares must be, and the letters, twice"
    told = " ".join(outcome.err.split())
    assert "1 case with 3 entries (1 of them was added while their laptop was armed)" in told
    assert "1 case was opened while the laptop of field-1 was armed" in told
    assert (
        "1 record that was added while the laptop of field-1 was armed cannot be handed on, and stays sealed "
        "where it is (no case of theirs has the name that they give: 1)" in told
    )
    assert "1 case is left out: field-1 had offered it to somebody who can still accept" in told
    assert "1 case is left out: it was restored before, and waits for an answer" in told
    assert "with 1 case somebody helps" in told
    assert "1 entry does not open and is left out" in told
    assert outcome.out == "hub-1/1:4\n"
    assert run(*line, "--reason", "lost", "--as", "field-1", "--passphrase-file", secret).code == 31


def test_split_says_that_the_old_ones_live(run: Run, secret: str, shares: list[str]) -> None:
    """The files, and the plain words that the old set still combines."""
    line = ["recovery", "split", "--recovery-shares", "2of3", "--shares-dir", "/nonexistent/new", "--share", shares[0]]
    acting = ["--as", "root", "--passphrase-file", secret]
    outcome = run(*line, *acting)
    assert outcome.code == 0
    assert "old shares still combine" in " ".join(outcome.err.split())
    assert said(run, *line, *acting)["same_key"] is True
    assert run(*line[:3], "3of2", *line[4:], *acting).code == 2


def test_a_passphrase_is_changed(run: Run, fake: FakeVault, secret: str, tmp_path: Path) -> None:
    """From files, or not at all without a terminal; a wrong old one is 12; copies are warned of."""
    new = tmp_path / "new"
    new.write_text("another long passphrase\n")
    new.chmod(0o600)
    line = ["passphrase", "change", "--as", "field-1", "--passphrase-file", secret]
    assert run(*line, "--no-input").code == 2
    outcome = run(*line, "--new-passphrase-file", str(new))
    assert outcome.code == 0
    assert fake.calls[-1] == ("change_passphrase", ("field-1", PASSPHRASE, "another long passphrase", False))
    assert "copies of the old key file" in outcome.err
    assert following(outcome.err) == "fieldvault status --as field-1"
    wrong = tmp_path / "wrong"
    wrong.write_text("not this passphrase\n")
    wrong.chmod(0o600)
    again = ["passphrase", "change", "--as", "field-1", "--passphrase-file", str(wrong)]
    assert run(*again, "--new-passphrase-file", str(new)).code == 12


# -- over a real vault -----------------------------------------------------------------------------------------------


class _Real:
    """The command line over a real organisation."""

    def __init__(self, org: Organisation, capsys: pytest.CaptureFixture[str]) -> None:
        self.org, self.capsys = org, capsys
        self.shares = sorted(str(path) for path in org.shares_dir.iterdir())
        self.secrets = {}
        for handle, text in PASSPHRASES.items():
            path = org.home / f"{handle}.pass"
            path.write_text(text + "\n", encoding="utf-8")
            path.chmod(0o600)
            self.secrets[handle] = str(path)

    def __call__(self, *argv: str, key: str = "", code: int = 0) -> dict[str, Any]:
        acting = ["--as", key, "--passphrase-file", self.secrets[key]] if key else []
        found = run_line([*argv, *acting, "-C", str(self.org.directory), "--json"])
        out, err = self.capsys.readouterr()
        assert found == code, (argv, out, err)
        payload = json.loads(out)
        assert isinstance(payload, dict)
        return payload

    def given(self, *numbers: int) -> list[str]:
        """`--share FILE` for these."""
        return [word for number in numbers for word in ("--share", self.shares[number - 1])]


@pytest.fixture
def real(org: Organisation, capsys: pytest.CaptureFixture[str]) -> _Real:
    """An organisation with one case of field-1's."""
    opened_case(org, org.field_1)
    return _Real(org, capsys)


def test_the_custodians_story(real: _Real, tmp_path: Path) -> None:
    """Drill, share anew with cards, revoke, restore, accept, audit: each with its code."""
    org = real.org
    assert real("recovery", "drill", *real.given(1, 3))["proven"] is True
    assert real("recovery", "drill", *real.given(2), code=12)["have"] == 1
    new, page = tmp_path / "new", tmp_path / "cards.html"
    made = real(
        "recovery", "split", *real.given(1, 2), "--recovery-shares", "2of2", "--shares-dir", str(new),
        "--cards", str(page), key="root",
    )  # fmt: skip
    assert page.read_text(encoding="utf-8").count("<svg") == 2
    fresh = [word for path in made["share_files"] for word in ("--share", path)]
    assert real("recovery", "drill", *fresh)["proven"] is True
    mixed = real("recovery", "drill", *real.given(1), *fresh[:2], code=12)
    assert [share["state"] for share in mixed["shares"]] == ["good", "of another set"]
    restore = ["recovery", "restore", "field-1", "--to", "field-2", "--reason", "she is in prison", "--yes"]
    real(*restore, *fresh, key="hub-1", code=31)
    revoke(org.vault, org.root, "field-1")
    real(*restore, *real.given(1), key="hub-1", code=12)
    done = real(*restore, *fresh, key="hub-1")
    assert (done["cases"], len(done["offers"])) == (1, 1)
    taken = real("recovery", "accept", key="field-2")
    assert [case["offer"] for case in taken["cases"]] == done["offers"]
    (case,) = real("case", "list", key="field-2")["cases"]
    assert case["pseudonym"] == taken["cases"][0]["pseudonym"]
    assert real("recovery", "accept", key="field-2")["cases"] == []
    assert real("audit", "verify")["findings"] == []
    assert "she is in prison" not in json.dumps(real("audit", "conduct"))


def test_an_offer_that_does_not_open_holds_up_no_other(real: _Real) -> None:
    """One damaged delivery: named with exit 3, and the other case is accepted."""
    org = real.org
    opened_case(org, org.field_1)
    revoke(org.vault, org.root, "field-1")
    restore = ["recovery", "restore", "field-1", "--to", "field-2", "--reason", "lost", "--yes"]
    first, second = real(*restore, *real.given(1, 2), key="hub-1")["offers"]
    number = org.vault.journal_number(org.vault.signer(org.keys["hub-1"]).origin)
    sql = "DELETE FROM wrap WHERE journal = ? AND seq = ? AND purpose = 'delivery'"
    with org.vault.store.transaction():
        org.vault.store.many(sql, [(number, int(first.split(":")[1]))])
    payload = real("recovery", "accept", key="field-2", code=3)
    assert [item["offer"] for item in payload["failed"]] == [first]
    assert [item["offer"] for item in payload["cases"]] == [second]


def test_init_prints_cards(template: Template, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A page that would lie inside the vault is refused before anything is made."""
    assert template.directory.is_dir()
    secret = tmp_path / "root.pass"
    secret.write_text("a long enough passphrase\n")
    secret.chmod(0o600)
    line = ["init", "--org", "H", "--shares-dir", str(tmp_path / "s"), "--passphrase-file", str(secret)]
    vault = tmp_path / "v"
    assert run_line([*line, "--cards", str(vault / "c.html"), "-C", str(vault), "--json"]) == 2
    assert "inside the vault" in capsys.readouterr().out
    assert not vault.exists()
    assert run_line([*line, "--cards", str(tmp_path / "c.html"), "-C", str(vault), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["cards"] == str(tmp_path / "c.html")
    assert (tmp_path / "c.html").read_text(encoding="utf-8").count("<section>") == 3
