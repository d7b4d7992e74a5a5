"""A new recovery key on the command line: over the stand-in for what is said, and over real laptops."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cli.main import run as run_line
from tests.cli import fake_bundles
from tests.cli.conftest import Run, following, said
from tests.cli.fake_custody import RECOVERY
from tests.cli.fake_facade import FakeVault, member
from tests.laptops import Fleet, Laptop
from tests.organisation import PASSPHRASES, Organisation
from tests.services.erasing import case
from tests.services.handing import opened_case
from vault.model import Role
from vault.services.revoking import revoke

SPLIT = ["recovery", "split", "--new-key", "--recovery-shares", "2of3", "--shares-dir", "/nonexistent/new"]


def behind(handle: str = "field-1") -> SimpleNamespace:
    """A recorder who has not gone over."""
    return SimpleNamespace(handle=handle, recovery="the first", renewed=False)


# -- over the stand-in -----------------------------------------------------------------------------------------------


def test_a_new_key_is_asked_for_once_and_its_words_are_said(run: Run, fake: FakeVault, secret: str) -> None:
    """It takes a yes and no old share; the words, what to do with the old cards, and where the roster goes."""
    acting = ["--as", "root", "--passphrase-file", secret]
    assert run(*SPLIT, *acting, "--no-input").code == 2, "no yes"
    assert run(*SPLIT, "--share", __file__, *acting, "--yes").code == 2, "old shares"
    assert not [call for call in fake.calls if call[0] == "appoint_recovery" and not call[1][3]]
    outcome = run(*SPLIT, *acting, "--yes")
    assert outcome.code == 0
    assert fake.calls[-1] == ("appoint_recovery", ("root", 2, 3, False))
    assert f"words  {RECOVERY}" in outcome.out
    assert "keep the old cards until every recorder has gone over" in " ".join(outcome.err.split())
    assert following(outcome.err) == "fieldvault member list"
    payload = said(run, *SPLIT, *acting, "--yes")
    assert (payload["same_key"], payload["words"]) == (False, RECOVERY)
    rehearsal = said(run, *SPLIT, *acting, "--dry-run")
    assert (rehearsal["share_files"], rehearsal["words"]) == ([], "")


def test_renewing_takes_the_words(run: Run, fake: FakeVault, secret: str) -> None:
    """Given, or a yes that they were compared; nobody to ask: exit 2. What is said, what is warned of, what is next."""
    line = ["journal", "renew", "--as", "field-1", "--passphrase-file", secret]
    outcome = run(*line, "--no-input")
    assert outcome.code == 2
    assert "must be compared" in outcome.err
    assert not [call for call in fake.calls if call[0] == "renew_journal"]
    assert run(*line, "--words", "some words").code == 0
    assert fake.calls[-1] == ("renew_journal", ("field-1", "some words", False))
    outcome = run(*line, "--yes")
    assert fake.calls[-1] == ("renew_journal", ("field-1", RECOVERY, False))
    assert outcome.out == f"words    {RECOVERY}\n"
    assert "field-1/1 is closed and field-1/2 goes on from it" in outcome.err
    assert "lacks the key of field-1/0" in outcome.err
    assert "another fieldvault process" in outcome.err
    assert following(outcome.err) == "fieldvault status --as field-1"
    assert said(run, *line, "--dry-run")["dry_run"] is True
    assert run("journal", "renew", "--as", "hq-1", "--passphrase-file", secret).code == 31


def test_renewing_asks_at_a_terminal(run: Run, fake: FakeVault, secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anything but a yes and nothing is wrapped to anybody."""
    monkeypatch.setattr("cli.options.Settings.interactive", property(lambda _: True))
    line = ["journal", "renew", "--as", "field-1", "--passphrase-file", secret]
    for answer, code in (("y", 31), ("", 31), (" YES ", 0)):
        monkeypatch.setattr("cli.renewing.ask", lambda *_, text=answer: text)
        assert run(*line).code == code
    assert [call for call in fake.calls if call[0] == "renew_journal"] == [
        ("renew_journal", ("field-1", RECOVERY, False))
    ]


def test_a_second_time_only_cleans(run: Run, fake: FakeVault, secret: str) -> None:
    """Nobody is asked for words any more."""
    fake.renewals_here = (SimpleNamespace(handle="field-1", recovery="the new one", renewed=True),)
    outcome = run("journal", "renew", "--as", "field-1", "--passphrase-file", secret, "--no-input")
    assert outcome.code == 0
    assert "renewed before" in outcome.err
    assert fake.calls[-1] == ("renew_journal", ("field-1", "", False))


def test_who_has_not_renewed_is_said_everywhere(run: Run, fake: FakeVault) -> None:
    """status, journal list and member list; where the recorder works, status says what to type."""
    fake.renewals_here = (behind(), SimpleNamespace(handle="field-9", recovery=None, renewed=False))
    for command in (["status"], ["journal", "list"]):
        assert said(run, *command)["not_renewed"] == ["field-1"]
        assert "NOT renewed: field-1" in run(*command).out
    assert following(run("status").err) == "fieldvault journal renew --as field-1"
    members = {item["handle"]: item["renewed"] for item in said(run, "member", "list")["members"]}
    assert members == {"root": True, "field-1": False, "hq-1": True}
    assert "key is here, NOT renewed" in run("member", "list").out
    fake.renewals_here = ()
    assert "NOT renewed" not in run("status").out + run("member", "list").out, "the negative control"


def test_an_import_says_it_loudly(run: Run, fake: FakeVault, secret: str, tmp_path: Path) -> None:
    """The words, and what comes next for a recorder; what was deleted."""
    (tmp_path / "b").touch()
    line = ["bundle", "import", str(tmp_path / "b"), "--as", "field-1", "--passphrase-file", secret]
    fake.arrived = fake_bundles.arrived(new_recovery=RECOVERY, forgotten=2)
    fake.renewals_here = (behind(),)
    outcome = run(*line)
    assert f"root has appointed a new recovery key: {RECOVERY}" in " ".join(outcome.err.split())
    assert "deleted: 2 wraps" in outcome.out
    assert following(outcome.err) == "fieldvault journal renew --as field-1"
    payload = said(run, *line)
    assert (payload["new_recovery"], payload["forgotten"]) == (RECOVERY, 2)
    fake.arrived, fake.renewals_here = fake_bundles.arrived(), ()
    outcome = run(*line)
    assert "recovery key" not in outcome.err, "the negative control"
    assert said(run, *line)["new_recovery"] is None


def test_headquarters_forgets_only_after_asking(run: Run, fake: FakeVault, secret: str, tmp_path: Path) -> None:
    """A hub, and a yes; status names of whom, and so does an import there."""
    acting = ["--as", "hub-1", "--passphrase-file", secret]
    fake.members = (*fake.members, member("hub-1", Role.HUB))
    fake.keys_here = (*fake.keys_here, fake.members[-1].handle)
    line = ["recovery", "forget", "field-1", *acting]
    outcome = run(*line, "--no-input")
    assert outcome.code == 2
    assert "must be heard from themselves" in outcome.err
    rehearsal = run(*line, "--dry-run")
    assert "It would delete 2 wraps of field-1's keys" in " ".join(rehearsal.err.split())
    assert {call[1] for call in fake.calls if call[0] == "forget_renewed"} == {("hub-1", "field-1", True)}
    outcome = run(*line, "--yes")
    assert (outcome.code, fake.calls[-1]) == (0, ("forget_renewed", ("hub-1", "field-1", False)))
    assert "another fieldvault process" in outcome.err
    assert following(outcome.err) == "fieldvault status --as hub-1"
    assert run("recovery", "forget", "field-1", "--as", "field-1", "--passphrase-file", secret, "--yes").code == 31
    fake.forgettable_here = ("field-1",)
    assert "fieldvault recovery forget field-1" in run("status").out
    assert said(run, "status")["to_forget"] == ["field-1"]
    (tmp_path / "b").touch()
    imported = ["bundle", "import", str(tmp_path / "b"), "--passphrase-file", secret, "--as"]
    assert "fieldvault recovery forget field-1" in " ".join(run(*imported, "hub-1").err.split())
    assert "recovery forget" not in run(*imported, "field-1").err, "not theirs to do"


# -- over real laptops -----------------------------------------------------------------------------------------------


class _Lines:
    """`fieldvault` on several laptops."""

    def __init__(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys, self.secrets = capsys, {}
        for handle, text in PASSPHRASES.items():
            path = home / f"{handle}.pass"
            path.write_text(text + "\n", encoding="utf-8")
            path.chmod(0o600)
            self.secrets[handle] = str(path)

    def __call__(self, directory: Path, *argv: str, key: str = "", code: int = 0) -> dict[str, Any]:
        acting = ["--as", key, "--passphrase-file", self.secrets[key]] if key else []
        found = run_line([*argv, *acting, "-C", str(directory), "--json"])
        out, err = self.capsys.readouterr()
        assert found == code, (argv, out, err)
        payload = json.loads(out)
        assert isinstance(payload, dict)
        return payload


@pytest.fixture
def lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> _Lines:
    """The command line."""
    return _Lines(tmp_path, capsys)


def test_the_whole_story(fleet: Fleet, hub: Laptop, lines: _Lines, tmp_path: Path, cheap: None) -> None:
    """Appointed at headquarters, carried, renewed in the field, carried back; the member is lost, and the new shares
    hand on old and new cases where the old ones are refused. Each with its code, and every audit is content."""
    field = fleet.laptop("field", "field-1")
    hq, north, stick = hub.directory, field.directory, tmp_path / "stick"
    old = [word for path in sorted(fleet.template.shares_dir.iterdir())[:2] for word in ("--share", str(path))]
    case(field)
    made = lines(
        hq, "recovery", "split", "--new-key", "--recovery-shares", "2of3", "--shares-dir", str(tmp_path / "new"),
        "--yes", key="root",
    )  # fmt: skip
    new = [word for path in made["share_files"][:2] for word in ("--share", path)]
    assert lines(hq, "status")["not_renewed"] == ["field-1", "field-2"]
    assert lines(hq, "recovery", "drill", *new)["proven"] is True
    drill = lines(hq, "recovery", "drill", *old, code=12)
    assert (drill["proven"], drill["earlier"]) == (False, True)
    assert {share["state"] for share in drill["shares"]} == {"of an earlier recovery key"}
    lines(hq, "bundle", "create", "--to", "field-1", "-o", str(stick / "1.fvb"), key="hub-1")
    arrived = lines(north, "bundle", "import", str(stick / "1.fvb"), key="field-1")
    assert arrived["new_recovery"] == made["words"]
    lines(north, "journal", "renew", "--words", "academic acid", key="field-1", code=31)
    assert lines(north, "journal", "renew", "--dry-run", key="field-1")["cases"] == 1
    done = lines(north, "journal", "renew", "--words", made["words"].upper(), key="field-1")
    assert (done["origin"].endswith("/field-1/2"), done["cleaned"]) == (True, True)
    assert lines(north, "journal", "renew", key="field-1")["before"] is True
    (shown,) = lines(north, "case", "list", key="field-1")["cases"]
    lines(north, "record", "journey", shown["pseudonym"], "--set", "event=arrival", key="field-1")
    assert lines(north, "bundle", "import", str(stick / "1.fvb"), key="field-1")["new_recovery"] is None
    lines(north, "bundle", "create", "--to", "hub-1", "-o", str(stick / "2.fvb"), key="field-1")
    forget = ["recovery", "forget", "field-1", "--yes"]
    assert "has not renewed" in lines(hq, *forget, key="hub-1", code=2)["error"]
    assert lines(hq, "bundle", "import", str(stick / "2.fvb"), key="hub-1")["forgotten"] <= 1
    assert lines(hq, "status")["to_forget"] == ["field-1"]
    assert lines(hq, "recovery", "forget", "field-1", "--dry-run", key="hub-1")["forgotten"] == 2
    assert lines(hq, "status")["to_forget"] == ["field-1"]
    assert lines(hq, "audit", "verify")["findings"] == []
    assert lines(hq, *forget, key="hub-1")["forgotten"] == 2
    again = lines(hq, *forget, key="hub-1")
    assert (again["forgotten"], again["cleaned"], lines(hq, "status")["to_forget"]) == (0, True, [])
    assert lines(hq, "journal", "list")["not_renewed"] == ["field-2"]
    acts = [deed["act"] for deed in lines(hq, "audit", "conduct")["conduct"] if deed["member"] in ("root", "field-1")]
    assert {"recovery-key", "renew"} <= set(acts)
    revoke(hub.vault, hub.key("root"), "field-1")
    restore = ["recovery", "restore", "field-1", "--to", "field-2", "--reason", "lost", "--yes"]
    refused = lines(hq, *restore, *old, key="hub-1", code=12)
    assert "earlier recovery key" in refused["error"]
    assert lines(hq, *restore, *new, key="hub-1")["cases"] == 1
    for directory in (hq, north):
        assert lines(directory, "audit", "verify")["findings"] == []


def test_one_who_never_renewed(org: Organisation, lines: _Lines, tmp_path: Path, cheap: None) -> None:
    """Only the old shares open their cases; that is said, and the new ones are refused."""
    opened_case(org, org.field_1)
    made = lines(
        org.directory, "recovery", "split", "--new-key", "--recovery-shares", "2of2", "--shares-dir",
        str(tmp_path / "new"), "--yes", key="root",
    )  # fmt: skip
    org.reopen()
    revoke(org.vault, org.root, "field-1")
    restore = ["recovery", "restore", "field-1", "--to", "field-2", "--reason", "lost", "--yes"]
    new = [word for path in made["share_files"] for word in ("--share", path)]
    old = [word for path in sorted(org.shares_dir.iterdir())[:2] for word in ("--share", str(path))]
    assert "never went over" in lines(org.directory, *restore, *new, key="hub-1", code=12)["error"]
    assert lines(org.directory, *restore, *old, key="hub-1")["cases"] == 1
