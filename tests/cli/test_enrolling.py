"""`member request|approve|join|revoke` over the real library: two laptops, words on both sides, codes and keys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli.main import run
from tests.cli.fake_enrolment import MEMBER_WORDS, VAULT_WORDS
from tests.cli.fake_facade import PASSPHRASE
from tests.cli.screen import Screen
from vault.primitives import passphrase

SECRETS = {"root": "root passphrase 4711", "new": "a passphrase on the new laptop"}


class Laptops:
    """Headquarters (`north`), a new laptop (`south`), and a stick between them."""

    def __init__(self, base: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.base, self.capsys = base, capsys
        self.stick = base / "stick"
        self.stick.mkdir()
        for name, text in SECRETS.items():
            (base / name).write_text(text + "\n", encoding="utf-8")
            (base / name).chmod(0o600)

    def __call__(self, where: str, *argv: str, key: str = "", code: int = 0) -> dict[str, Any]:
        """One command line with --json on one of the laptops; its object."""
        out, err = self.said(where, *argv, "--json", key=key, code=code)
        payload = json.loads(out)
        assert (payload["ok"], payload["code"]) == (code == 0, code), err
        assert isinstance(payload, dict)
        return payload

    def said(self, where: str, *argv: str, key: str = "", code: int = 0) -> tuple[str, str]:
        """What one command line wrote on both streams. Nobody is at a terminal."""
        secret = ["--passphrase-file", str(self.base / key)] if key else []
        self.capsys.readouterr()
        found = run([*argv, *secret, "-C", str(self.base / where)])
        out, err = self.capsys.readouterr()
        assert found == code, (argv, out, err)
        for text in SECRETS.values():
            assert text not in out + err
        return out, err

    def file(self, name: str) -> str:
        """A file on the stick."""
        return str(self.stick / name)

    def request(self, handle: str = "field-3", where: str = "south") -> dict[str, Any]:
        """A request, written to the stick under the handle's name."""
        new = ["--new-passphrase-file", str(self.base / "new")]
        return self(where, "member", "request", handle, "--role", "recorder", "-o", self.file(handle), *new)

    def answer(self, handle: str = "field-3") -> dict[str, Any]:
        """Request and approval; the answer lies beside the request."""
        words = self.request(handle)["fingerprint"]
        argv = ["member", "approve", self.file(handle), "-o", self.file(handle + ".answer"), "--fingerprint", words]
        return self("north", *argv, key="root")


@pytest.fixture
def laptops(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, quick_passphrases: None
) -> Laptops:
    """An organisation at headquarters, and a new laptop."""
    monkeypatch.setattr(passphrase, "calibrate", lambda *_: passphrase.KdfCost())
    made = Laptops(tmp_path, capsys)
    made("north", "init", "--org", "Haven", "--shares-dir", str(tmp_path / "shares"), key="root")
    return made


def members(laptops: Laptops, where: str = "north") -> list[tuple[str, bool, bool]]:
    """Handle, key here, revoked."""
    return [(row["handle"], row["here"], row["revoked"]) for row in laptops(where, "member", "list")["members"]]


def test_the_story_of_two_laptops(laptops: Laptops) -> None:
    """Asked, compared, approved, compared, joined, recorded, revoked: the keys that programs may rely on."""
    asked = laptops.request()
    assert (asked["handle"], asked["role"], asked["again"], asked["dry_run"]) == ("field-3", "recorder", False, False)
    assert len(asked["fingerprint"].split()) == 12
    approve = ["member", "approve", asked["file"], "-o", laptops.file("answer")]
    approved = laptops("north", *approve, "--fingerprint", asked["fingerprint"], key="root")
    assert (approved["handle"], approved["fingerprint"], approved["again"]) == ("field-3", asked["fingerprint"], False)
    assert members(laptops) == [("root", True, False), ("field-3", False, False)]
    words = approved["vault_fingerprint"]
    joined = laptops("south", "member", "join", approved["file"], "--fingerprint", words, key="new")
    assert (joined["handle"], joined["role"], joined["already"], joined["compared"]) == (
        "field-3", "recorder", False, True,
    )  # fmt: skip
    assert joined["fingerprint"] == words
    assert laptops("south", "status")["vault_id"] == joined["vault_id"] == laptops("north", "status")["vault_id"]
    assert laptops("south", "case", "open", "--set", "sex=female", key="new")["seq"] == 1
    assert laptops("south", "member", "join", approved["file"], key="new")["already"]
    revoked = laptops("north", "member", "revoke", "field-3", "--yes", key="root")
    assert (revoked["handle"], revoked["journals"], revoked["could_read"]) == ("field-3", [], [])
    assert members(laptops)[-1] == ("field-3", False, True)
    approve[-1] = laptops.file("again")
    laptops("north", *approve, "--yes", key="root", code=31)


def test_the_words_are_shown_and_what_comes_next(laptops: Laptops) -> None:
    """For people: handle, role and words on stdout, what to do with them on stderr, one line `Next:` each."""
    new = ["--passphrase-file", str(laptops.base / "new")]
    out, err = laptops.said("south", "member", "request", "field-3", "--role", "hub", "-o", laptops.file("r"), *new)
    words = out.splitlines()[0].removeprefix("words    ")
    assert len(words.split()) == 12
    assert "aloud" in err
    assert f"Next: fieldvault member join ANSWER -C {laptops.base / 'south'}" in err
    out, err = laptops.said(
        "north", "member", "approve", laptops.file("r"), "-o", laptops.file("a"), "--yes", key="root"
    )
    assert out.splitlines()[:3] == ["handle   field-3", "role     hub", f"words    {words}"]
    vault_words = out.splitlines()[-1].removeprefix("vault    ")
    assert "Sealed in the roster: field-3, hub. Saved." in err
    out, err = laptops.said("south", "member", "join", laptops.file("a"), "--yes", key="new")
    assert out.splitlines() == ["handle   field-3, hub", f"vault    {vault_words}"]
    assert "Next: fieldvault journal list" in err
    assert "warning" not in err


def test_without_a_terminal_nobody_is_enrolled_uncompared(laptops: Laptops) -> None:
    """Exit 2, both flags named, no entry; with other words exit 20."""
    asked = laptops.request()
    approve = ["member", "approve", asked["file"], "-o", laptops.file("answer")]
    refusal = laptops("north", *approve, key="root", code=2)
    assert "--fingerprint" in refusal["hint"]
    assert "--yes" in refusal["hint"]
    for words in (MEMBER_WORDS, asked["fingerprint"] + " zero", ""):
        laptops("north", *approve, "--fingerprint", words, key="root", code=20)
    assert members(laptops) == [("root", True, False)]
    assert not Path(laptops.file("answer")).exists()
    laptops("north", *approve, "--fingerprint", asked["fingerprint"].upper(), key="root")


def test_a_swapped_request_and_a_stranger_s_answer_are_told_by_their_words(laptops: Laptops) -> None:
    """A man in the middle of either file: exit 20, nothing enrolled, nothing joined."""
    ours = laptops.request()
    laptops.request("field-3x", where="stranger")
    Path(ours["file"]).write_bytes(Path(laptops.file("field-3x")).read_bytes())
    approve = ["member", "approve", ours["file"], "-o", laptops.file("answer")]
    laptops("north", *approve, "--fingerprint", ours["fingerprint"], key="root", code=20)
    stick = Path(laptops.file("field-4"))
    laptops.request("field-4")
    laptops("evil", "init", "--org", "Haven", "--shares-dir", str(laptops.base / "x"), key="root")
    theirs = laptops("evil", "member", "approve", str(stick), "-o", laptops.file("evil"), "--yes", key="root")
    right = laptops("north", "member", "approve", str(stick), "-o", laptops.file("good"), "--yes", key="root")
    assert theirs["vault_fingerprint"] != right["vault_fingerprint"]
    join = ["member", "join", "--as", "field-4", "--fingerprint", right["vault_fingerprint"]]
    laptops("south", *join, laptops.file("evil"), key="new", code=20)
    laptops("south", "status", code=10)
    assert laptops("south", *join, laptops.file("good"), key="new")["compared"]


def test_joining_without_words_is_said_to_be_uncompared(laptops: Laptops) -> None:
    """A program may join without anybody there; that nobody compared is in the object and on stderr."""
    answer = laptops.answer()["file"]
    out, err = laptops.said("south", "member", "join", answer, "--json", key="new")
    assert json.loads(out)["compared"] is False
    assert "nobody compared" in err


def test_every_refusal_has_its_code(laptops: Laptops) -> None:
    """Wrong passphrase 12, no key or an unknown member 2, another's answer 31, no answer 13, damage 20."""
    answer = laptops.answer()["file"]
    laptops("south", "member", "join", answer, key="root", code=12)
    laptops("south", "member", "join", answer, code=2)
    laptops("nowhere", "member", "join", answer, key="new", code=2)
    laptops("south", "member", "join", answer, "--as", "field-9", key="new", code=2)
    laptops("south", "member", "join", laptops.file("field-3"), key="new", code=13)
    raw = Path(answer).read_bytes()
    Path(answer).write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
    laptops("south", "member", "join", answer, key="new", code=20)
    Path(answer).write_bytes(raw)
    laptops.request("field-4")
    several = laptops("south", "member", "join", answer, key="new", code=2)
    assert "field-3, field-4" in several["error"]
    laptops("south", "member", "join", answer, "--as", "field-4", key="new", code=31)
    assert laptops("south", "member", "join", answer, "--as", "field-3", key="new")["handle"] == "field-3"
    for handle, code in (("nobody", 2), ("root", 31)):
        laptops("north", "member", "revoke", handle, "--yes", key="root", code=code)
    assert "--yes" in laptops("north", "member", "revoke", "field-3", key="root", code=2)["hint"]
    assert members(laptops)[-1] == ("field-3", False, False)


def test_rehearsals_write_nothing(laptops: Laptops) -> None:
    """Each of the four, with everything checked."""
    new = ["--new-passphrase-file", str(laptops.base / "new")]
    ask = ["member", "request", "field-3", "--role", "recorder", "-o", laptops.file("field-3"), *new]
    assert laptops("south", *ask, "--dry-run")["dry_run"]
    assert list(laptops.stick.iterdir()) == []
    asked = laptops.request()
    approve = ["member", "approve", asked["file"], "-o", laptops.file("answer")]
    assert laptops("north", *approve, "--dry-run", key="root")["dry_run"]
    assert members(laptops) == [("root", True, False)]
    laptops("north", *approve, "--yes", key="root")
    assert laptops("south", "member", "join", laptops.file("answer"), "--dry-run", key="new")["dry_run"]
    waits = "this laptop waits for the answer to its request: fieldvault member join ANSWER -C "
    for command in (["status"], ["member", "list"], ["case", "open"], ["bundle", "create", "--to", "hub-1"]):
        assert laptops("south", *command, code=10)["error"].startswith(waits)
    assert laptops("south", "bundle", "import", laptops.file("answer"), code=10)["error"].startswith(waits)
    assert "no vault" in laptops("elsewhere", "status", code=10)["error"]
    assert laptops("north", "member", "revoke", "field-3", "--dry-run", key="root")["dry_run"]
    assert members(laptops)[-1] == ("field-3", False, False)


def test_a_request_is_no_answer(laptops: Laptops) -> None:
    """Both lie on the stick: joining with the request says what it is; `inspect` says what to do with either."""
    laptops.answer()
    request, answer = laptops.file("field-3"), laptops.file("field-3.answer")
    found = laptops("south", "member", "join", request, "--yes", key="new", code=13)
    assert "this is the request" in found["error"]
    assert "headquarters" in found["hint"]
    assert f"Next: fieldvault member join {answer}" in laptops.said("south", "bundle", "inspect", answer)[1]
    assert "Next: give it to headquarters" in laptops.said("south", "bundle", "inspect", request)[1]
    assert f"Next: fieldvault member approve {request}" in laptops.said("north", "bundle", "inspect", request)[1]
    laptops("south", "member", "join", answer, "--yes", key="new")


def test_an_empty_file_is_called_empty(laptops: Laptops) -> None:
    """A copy that was cut short at its beginning, wherever a file from a stick is read."""
    new = ["--new-passphrase-file", str(laptops.base / "new")]
    laptops("north", "member", "add", "hub-1", "--role", "hub", *new, key="root")
    laptops.request()
    empty = laptops.file("empty.fvb")
    Path(empty).write_bytes(b"")
    for where, command, key in (
        ("north", ["bundle", "import", empty], "new"),
        ("north", ["member", "approve", empty, "-o", laptops.file("a"), "--yes"], "root"),
        ("south", ["member", "join", empty, "--yes"], "new"),
    ):
        assert laptops(where, *command, key=key, code=13)["error"].endswith(": the file is empty")
    assert "it is empty" in laptops.said("north", "bundle", "inspect", empty)[0]


def test_a_revocation_says_where_it_cuts_and_what_was_readable(laptops: Laptops) -> None:
    """Of a recorder who works on headquarters' own laptop: size, entries, day; and whom to tell."""
    new = ["--new-passphrase-file", str(laptops.base / "new")]
    for handle, role in (("field-1", "recorder"), ("hub-1", "hub")):
        laptops("north", "member", "add", handle, "--role", role, *new, key="root")
    laptops("north", "case", "open", "--set", "sex=female", key="new")
    done = laptops("north", "member", "revoke", "field-1", "--dry-run", key="root")
    origin = done["journals"][0]["origin"]
    assert done["journals"] == [{"origin": origin, "size": 2}]
    assert [(row["origin"], row["seq"]) for row in done["could_read"]] == [(origin, 0)]
    assert done["elsewhere"] == []
    cut = laptops("north", "member", "revoke", "field-1", "--upto", "1", "--dry-run", key="root")
    assert cut["journals"] == [{"origin": origin, "size": 1}]
    for size in ("2", "3", "-1"):
        laptops("north", "member", "revoke", "field-1", "--upto", size, "--yes", key="root", code=2)
    out, err = laptops.said("north", "member", "revoke", "field-1", "--yes", key="root")
    assert f"cut off: 2 entries of {origin} count, and none after them" in out
    assert "could read: everything that they wrote themselves, 2 entries here" in out
    assert "takes no key back" in err
    assert "Next: fieldvault member list" in err, "everybody works on this laptop"
    laptops("north", "case", "open", "--set", "sex=female", "--as", "field-1", key="new", code=31)


# -- at a terminal -----------------------------------------------------------------------------------------------------

ROOT = 'Passphrase for key "root"'


def calls(screen: Screen, name: str) -> bool:
    """Whether the stand-in was asked to do this, after `finish`."""
    return f"'{name}'" in screen.everything.decode().rpartition("CALLS ")[2]


@pytest.mark.parametrize(("typed", "done"), [("yes", True), ("YES ", True), ("y", False), ("", False), ("no", False)])
def test_root_types_yes_after_the_words(tmp_path: Path, typed: str, done: bool) -> None:
    """The words and the role are on the screen first; anything but a whole yes writes nothing."""
    screen = Screen("member", "approve", "request", "-o", "answer", "-C", str(tmp_path))
    screen.expect("role     recorder")
    screen.expect(MEMBER_WORDS)
    screen.answer((ROOT, PASSPHRASE), ("Type yes to enrol them: ", typed))
    code, rest = screen.finish()
    assert (code == 0, calls(screen, "approve")) == (done, done)
    assert done or "nothing was written" in rest


def test_words_that_were_given_are_not_asked_about_again(tmp_path: Path) -> None:
    """--fingerprint compares them; no question follows."""
    screen = Screen("member", "approve", "r", "-o", "a", "--fingerprint", MEMBER_WORDS, "-C", str(tmp_path))
    screen.answer((ROOT, PASSPHRASE))
    assert screen.finish()[0] == 0
    assert b"Type yes" not in screen.everything


@pytest.mark.parametrize(("typed", "done"), [("yes", True), ("no", False)])
def test_whoever_joins_types_yes_after_the_vault_s_words(tmp_path: Path, typed: str, done: bool) -> None:
    """And a mistyped passphrase may be typed again."""
    screen = Screen("member", "join", "answer", "-C", str(tmp_path))
    key = 'Passphrase for key "field-3"'
    screen.answer((key, "not this one"), (key, PASSPHRASE))
    screen.expect(VAULT_WORDS)
    screen.answer(("Type yes to join: ", typed))
    code, rest = screen.finish()
    assert (code == 0, calls(screen, "join")) == (done, done)
    assert done or "nothing was written" in rest


@pytest.mark.parametrize(("typed", "done"), [("field-1", True), ("yes", False), ("field-2", False)])
def test_a_revocation_asks_for_the_handle(tmp_path: Path, typed: str, done: bool) -> None:
    """What it cuts is on the screen before; a yes is not enough."""
    screen = Screen("member", "revoke", "field-1", "-C", str(tmp_path))
    screen.answer((ROOT, PASSPHRASE))
    screen.expect("cut off: 12 entries")
    screen.answer(("Type field-1 to revoke them: ", typed))
    code, rest = screen.finish()
    assert code == (0 if done else 130)
    assert ("('revoke', ('field-1', False))" in screen.everything.decode()) == done
    assert done or "nothing was written" in rest


def test_a_request_asks_for_a_new_passphrase_twice(tmp_path: Path) -> None:
    """As init does; the words come after."""
    screen = Screen("member", "request", "field-3", "--role", "recorder", "-o", "r", "-C", str(tmp_path))
    secret = "a long new passphrase"
    screen.answer(("New passphrase for key", secret), ("The same again", secret))
    screen.expect(MEMBER_WORDS)
    assert screen.finish()[0] == 0
    assert secret.encode() not in screen.everything.split(b"CALLS ")[0]
