"""Canaries through the command line: real processes, every command, everything that they print and leave behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.canary_scanner import scan, text_holds_canary
from tests.organisation import KOREAN_MARK, MARK, PASSPHRASES, Organisation, canary, flipped, rows_of
from tests.test_canaries import texts_of

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What one process left."""

    code: int
    out: str
    err: str

    @property
    def quiet(self) -> bool:
        """Whether neither stream holds a canary."""
        return not text_holds_canary(self.out) and not text_holds_canary(self.err)


class Shell:
    """Runs the program in a world of its own: home, temporary files and passphrases lie in `home`, the vault beside."""

    def __init__(self, home: Path, vault: Path) -> None:
        self.secrets, self.world, self.vault = home / "secrets", home / "world", vault
        for directory in (self.secrets, self.world):
            directory.mkdir()

    def secret(self, name: str, text: str) -> str:
        """A private file with a text in it."""
        path = self.secrets / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        return str(path)

    def run(self, *argv: str, handle: str | None = None, stdin: str = "") -> Ran:
        """One command line; `handle` acts, with their passphrase from a file."""
        key = ("--as", handle, "--passphrase-file", self.secret(handle, PASSPHRASES[handle])) if handle else ()
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.world),
            "TMPDIR": str(self.world),
            "XDG_DATA_HOME": str(self.world),
            "LANG": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        ran = subprocess.run(
            [sys.executable, "-m", "cli", "-C", str(self.vault), *key, *argv],
            cwd=ROOT,
            env=environment,
            input=stdin.encode(),
            capture_output=True,
            timeout=60,
            check=False,
        )
        return Ran(code=ran.returncode, out=ran.stdout.decode(), err=ran.stderr.decode())

    def left(self) -> list[str]:
        """Files with canaries in the vault, the home directory or the temporary directory."""
        return scan([self.vault, self.world])


@pytest.fixture
def shell(org: Organisation) -> Shell:
    """A command line over an organisation that nobody else has open. (Its codebook stays at hand.)"""
    assert org.vault.codebook.name == "rescue"
    org.close()
    return Shell(org.home, org.directory)


def _answers(shell: Shell, org: Organisation, type_name: str) -> str:
    return shell.secret(f"{type_name}.json", json.dumps(texts_of(org.vault.codebook, type_name), ensure_ascii=False))


def test_a_recorders_day_prints_nothing_that_was_not_asked_for(org: Organisation, shell: Shell) -> None:
    """Every command of a recorder. `case show` prints the case layer of its case, `reveal` the identity layer, `import`
    the file's own labels; no other command prints a canary, and nothing is left in the vault, home or TMPDIR."""
    me, codebook = "field-1", org.vault.codebook
    opened = shell.run("case", "open", "--set-from", _answers(shell, org, "intake"), "--json", handle=me)
    assert (opened.code, opened.quiet) == (0, True), opened
    name = json.loads(opened.out)["pseudonym"]
    lines = [{"case": canary("label"), "type": kind, **texts_of(codebook, kind)} for kind in codebook.types]
    path = shell.secret("import.jsonl", "\n".join(json.dumps(line, ensure_ascii=False) for line in lines))
    quiet = [
        *(
            ("record", kind, name, "--set-from", _answers(shell, org, kind))
            for kind in codebook.types
            if kind != "intake"
        ),
        ("record", "intake", "--set", f"name={canary('argv')}", "--set", f"notes={canary('argv')}"),
        ("amend", "1", "--set", f"notes={canary('amended')}", "--set", "relatives="),
        ("import", path, "--dry-run"),
        ("case", "list"),
        ("case", "list", "--json"),
        ("case", "find", canary("query")),
        ("case", "close", name),
        ("reveal", name, "--reason", canary("reason"), "--dry-run"),
        ("case", "open", "--set", f"name={canary('rehearsed')}", "--dry-run"),
    ]
    for argv in quiet:
        ran = shell.run(*argv, handle=me)
        assert (ran.code, ran.quiet) == (0, True), (argv[:2], ran)
    found = shell.run("case", "find", "-", "--json", handle=me, stdin=f"{MARK} {KOREAN_MARK}\n")
    assert (found.code, found.quiet) == (0, True)
    assert name in {line["pseudonym"] for line in json.loads(found.out)["cases"]}

    shown = shell.run("case", "show", name, handle=me)
    assert shown.code == 0
    assert canary("amended") in shown.out
    assert canary("intake name") not in shown.out
    assert canary("reason") not in shown.out
    assert not text_holds_canary(shown.err)
    revealed = shell.run("reveal", name, "--reason", canary("reason"), "--json", handle=me)
    assert json.loads(revealed.out)["values"]["name"] == canary("intake name")
    assert canary("intake notes") not in revealed.out
    assert canary("reason") not in revealed.out + revealed.err
    assert not text_holds_canary(revealed.err)
    imported = shell.run("import", path, "--json", handle=me)
    assert (imported.code, list(json.loads(imported.out)["cases"])) == (0, [canary("label")])
    assert not text_holds_canary(imported.out.replace(canary("label"), "") + imported.err)
    assert shell.left() == []


def test_what_others_run_prints_nothing(org: Organisation, shell: Shell) -> None:
    """Status, audit, lists and exports over a vault full of canaries, as text and as JSON."""
    org.reopen()
    org.case(org.field_1, **texts_of(org.vault.codebook, "intake"))
    org.close()
    lines = (
        *(("status",), ("doctor",), ("journal", "list"), ("member", "list"), ("tables",), ("audit", "verify")),
        *(("codebook", "show"), ("--help",), ("record", "--help"), ("--version",)),
    )
    for argv in lines:
        for more in ((), ("--json",)):
            ran = shell.run(*argv, *more)
            assert ran.quiet, argv
            assert ran.code == 0 or argv == ("doctor",), (argv, ran)
    for form in ("json", "csv", "md", "html"):
        ran = shell.run(
            "export", "all_years", "--format", form, "-o", str(shell.world / f"t.{form}"), handle="director-1"
        )
        assert (ran.code in (0, 30), ran.quiet) == (True, True), ran
    assert shell.left() == []


def test_errors_have_their_exit_code_and_repeat_nothing(org: Organisation, shell: Shell) -> None:
    """Wrong and missing things, with canaries wherever one could have typed them: one clear line, the right code."""
    org.reopen()
    name = org.case(org.field_1, notes="x")
    before = org.heads()
    org.close()
    text, me = canary("typed"), "field-1"
    wrong = shell.secret("wrong", text)
    bad_json = shell.secret("bad.json", '{"notes": "' + text)
    odd_json = shell.secret("odd.json", json.dumps({"notes": [text]}))
    twice_json = shell.secret("twice.json", f'{{"notes": "{text}", "notes": "{text}"}}')
    bad_lines = shell.secret("bad.jsonl", json.dumps({"case": text, "type": "intake", "sex": text}) + "\n" + text)
    refused: list[tuple[int, str | None, tuple[str, ...]]] = [
        (12, None, ("case", "list", "--as", me, "--passphrase-file", wrong)),
        (2, None, ("case", "list", "--as", text, "--passphrase-file", wrong)),
        (2, None, ("case", "list", "--as", me, "--no-input")),
        (2, me, ("case", "show", text)),
        (2, me, ("reveal", text, "--reason", text)),
        (2, me, ("reveal", name, "--reason", f"{text}\x01")),
        (2, me, ("record", "journey", name, "--set", f"event={text}")),
        (2, me, ("record", text, name, "--set", "event=arrival")),
        (2, me, ("record", "journey", name, "--set", text)),
        (2, me, ("record", "journey", name, "--set", f"{text}={text}")),
        (2, me, ("record", "journey", name, "--set", f"notes={text}", "--set", f"notes={text}")),
        (2, me, ("case", "open", "--set", f"birth_date={text}")),
        (2, me, ("case", "open", text, text)),
        (2, me, ("case", "open", "--set-from", bad_json)),
        (2, me, ("case", "open", "--set-from", odd_json)),
        (2, me, ("case", "open", "--set-from", twice_json)),
        (2, me, ("amend", text, "--set", f"notes={text}")),
        (2, me, ("import", bad_lines)),
        (31, "director-1", ("case", "open", "--set", f"name={text}")),
        (31, "hub-1", ("case", "find", text)),
        (31, "field-1", ("export", "all_years")),
        (31, "field-2", ("member", "add", "hub-9", "--role", "hub", "--new-passphrase-file", wrong)),
        (2, "director-1", ("export", text)),
        (2, "root", ("member", "add", text, "--role", "hub", "--new-passphrase-file", wrong)),
        (2, "root", ("member", "add", "hub-9", "--role", "hub", "--new-passphrase-file", shell.secret("short", MARK))),
    ]
    for code, handle, argv in refused:
        for more in ((), ("--json",)) if argv[0] == "import" else ((),):
            ran = shell.run(*argv, *more, handle=handle)
            shown = (argv[:2], ran.code, ran.err.replace(text, "CANARY"), ran.out)
            assert (ran.code, ran.quiet) == (code, True), shown
            assert "Traceback" not in ran.err
            assert ran.err.startswith(("fieldvault:", "warning")) if not more else json.loads(ran.out)["code"] == code
    assert shell.left() == []
    assert org.reopen().journals()
    assert org.heads() == before


@pytest.mark.parametrize("argv", [(canary("a"),), ("case", canary("a")), ("--passphrase-fd", canary("a"), "status")])
def test_what_click_refuses_is_not_repeated(org: Organisation, shell: Shell, argv: tuple[str, ...]) -> None:
    """A name or a passphrase typed in the place of a command or a number does not come back on the screen."""
    ran = shell.run(*argv)
    assert ran.code == 2
    assert ran.quiet, ran.err.replace(canary("a"), "CANARY")


def test_damage_is_told_without_repeating_anything(org: Organisation, shell: Shell) -> None:
    """No vault 10, a damaged key file 13, a tampered database 20: and nothing of what lies in it."""
    org.reopen()
    name = org.case(org.field_1, **texts_of(org.vault.codebook, "intake"))
    org.close()
    key = org.directory / "keys" / "field-1.key"
    whole = key.read_bytes()
    key.write_bytes(flipped(whole, 700))
    assert (shell.run("case", "list", handle="field-1").code) == 13
    key.write_bytes(whole)
    with rows_of(org.directory) as rows:
        raw = rows.run("SELECT bytes FROM part WHERE layer='case'")[0][0]
        rows.run("UPDATE part SET bytes=? WHERE layer='case'", flipped(raw))
    for code, argv, handle in (
        (20, ("case", "show", name), "field-1"),
        (20, ("audit", "verify"), None),
        (20, ("export", "all_years"), "director-1"),
    ):
        ran = shell.run(*argv, handle=handle)
        assert (ran.code, ran.quiet) == (code, True), (argv, ran)
    shell.vault = org.home / "no vault"
    ran = shell.run("status")
    assert (ran.code, ran.quiet) == (10, True)


def test_founding_and_enrolling_repeat_no_passphrase_and_no_name(tmp_path: Path) -> None:
    """`init` and `member add`, done and refused, as text and JSON; vault, shares, home and TMPDIR are clean."""
    shell = Shell(tmp_path, tmp_path / "vault")
    root = shell.secret("root", PASSPHRASES["root"] + "\nsecond line\n")
    shares = ("--shares-dir", str(tmp_path / "shares"))
    founding = ("init", "--org", canary("organisation"), "--passphrase-file", root, "--recovery-shares", "2of3")
    short = shell.secret("short", MARK)
    for code, argv in (
        (2, (*founding, "--shares-dir", str(tmp_path / "vault" / "shares"))),
        (2, ("init", "--org", canary("organisation"), "--passphrase-file", short, *shares)),
        (0, (*founding, *shares, "--json")),
        (2, (*founding, *shares)),
    ):
        ran = shell.run(*argv)
        assert (ran.code, ran.quiet) == (code, True), ran
    new = shell.secret("new", PASSPHRASES["field-1"])
    enrolling = (
        "member",
        "add",
        "field-1",
        "--role",
        "recorder",
        "--passphrase-file",
        root,
        "--new-passphrase-file",
        new,
    )
    for code in (0, 2):
        ran = shell.run(*enrolling)
        assert (ran.code, ran.quiet) == (code, True), ran
    ran = shell.run("case", "open", "--set", f"name={canary('name')}", handle="field-1")
    assert (ran.code, ran.quiet) == (0, True), ran
    assert shell.left() == []
    assert scan([tmp_path / "shares"]) == []


def test_the_scan_would_notice(org: Organisation, shell: Shell) -> None:
    """Negative control: a canary in the watched home, and one on a stream, are found."""
    (shell.world / "leak").write_text(canary("leak"), encoding="utf-8")
    assert shell.left() == ["leak"]
    assert not Ran(code=0, out="", err=f"no such case: {canary('x')}").quiet
