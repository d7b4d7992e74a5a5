from __future__ import annotations

import base64
import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.cli.conftest import Run
from tests.cli.fake_facade import CANARY, ORIGIN, VAULT_ID, FakeVault, member
from vault.model import Handle, Role


def _json(outcome: tuple[int, str, str]) -> dict[str, object]:
    """The one object on stdout; fails if there is anything else."""
    payload = json.loads(outcome[1])
    assert isinstance(payload, dict)
    assert payload["code"] == outcome[0]
    return payload


def test_init_founds_without_a_prompt(run: Run, fake: FakeVault, secret: str, tmp_path: Path) -> None:
    """With the flags of the contract; the shares' quorum is read from 2of3."""
    argv = ["init", "--org", "Haven", "--passphrase-file", secret, "--recovery-shares", "2of3", "--shares-dir", "/s"]
    payload = _json(run(*argv, "-C", str(tmp_path / "v"), "--json"))
    assert payload["vault_id"] == VAULT_ID
    how = dict(fake.calls)["found"]
    assert (how["org"], how["threshold"], how["shares"], how["shares_dir"]) == ("Haven", 2, 3, Path("/s"))
    assert run(*argv, "-C", str(tmp_path / "v")).err.rstrip().splitlines()[-1].startswith("Next: ")


@pytest.mark.parametrize("missing", ["--org", "--shares-dir", "--passphrase-file"])
def test_init_names_the_flag_that_is_missing(run: Run, secret: str, tmp_path: Path, missing: str) -> None:
    """Exit 2 without a terminal."""
    flags = {"--org": "Haven", "--passphrase-file": secret, "--shares-dir": "/s", "-C": str(tmp_path)}
    argv = [word for flag, value in flags.items() if flag != missing for word in (flag, value)]
    outcome = run("init", *argv)
    assert outcome.code == 2
    assert missing in outcome.err


@pytest.mark.parametrize("quorum", ["2-3", "2of", "0of3", "twoof3", "2of3of4", "٢of3"])
def test_a_quorum_that_is_none_is_refused(run: Run, secret: str, tmp_path: Path, quorum: str) -> None:
    """Only KofN in plain digits."""
    argv = ["init", "--org", "H", "--passphrase-file", secret, "--shares-dir", "/s", "-C", str(tmp_path)]
    assert run(*argv, "--recovery-shares", quorum).code == 2


def test_init_does_not_touch_a_vault_that_is_there(run: Run, fake: FakeVault, tmp_path: Path) -> None:
    """Before anything is asked."""
    (tmp_path / "vault.db").write_bytes(b"")
    assert run("init", "-C", str(tmp_path)).code == 2
    assert fake.calls == []


def test_member_add_uses_roots_key(run: Run, fake: FakeVault, secret: str) -> None:
    """--passphrase-file is root's, --new-passphrase-file the new member's."""
    outcome = run(
        *["member", "add", "field-2", "--role", "recorder", "--passphrase-file", secret],
        *["--new-passphrase-file", secret, "--json"],
    )
    assert _json(outcome)["handle"] == "field-2"
    assert ("unlock", "root") in fake.calls
    assert dict(fake.calls)["add_member"]["role"] is Role.RECORDER


def test_member_list_says_whose_key_is_here(run: Run) -> None:
    """One object with everybody; a table for people."""
    members = _json(run("member", "list", "--json"))["members"]
    assert isinstance(members, list)
    assert [entry["handle"] for entry in members] == ["root", "field-1", "hq-1"]
    assert "key is here" in run("member", "list").out


def test_the_only_fitting_key_acts(run: Run, fake: FakeVault, secret: str) -> None:
    """The recorder records and the director exports without --as."""
    run("case", "list", "--passphrase-file", secret)
    run("export", "all_years", "--passphrase-file", secret)
    assert [what for name, what in fake.calls if name == "unlock"] == ["field-1", "hq-1"]


def test_two_fitting_keys_need_as(run: Run, fake: FakeVault, secret: str) -> None:
    """Exit 2 naming the candidates; with --as it works."""
    fake.members += (member("field-9", Role.RECORDER),)
    fake.keys_here += (Handle("field-9"),)
    outcome = run("case", "list", "--passphrase-file", secret)
    assert outcome.code == 2
    assert "--as: field-1, field-9" in outcome.err
    assert run("case", "list", "--passphrase-file", secret, "--as", "field-9").code == 0


def test_a_key_that_is_not_here_is_named(run: Run, fake: FakeVault, secret: str) -> None:
    """Also when nobody fits at all."""
    assert run("case", "list", "--passphrase-file", secret, "--as", "field-9").code == 2
    fake.keys_here = (Handle("root"),)
    outcome = run("case", "list", "--passphrase-file", secret)
    assert outcome.code == 2
    assert "no recorder's key is here" in outcome.err


def test_a_write_ends_in_two_lines(run: Run, fake: FakeVault, secret: str) -> None:
    """What was sealed and what comes next on stderr, the new pseudonym on stdout; -q leaves the pseudonym."""
    argv = ["case", "open", "--set", "sex=female", "--passphrase-file", secret]
    outcome = run(*argv)
    assert outcome.out == "amber-heron-41\n"
    assert outcome.err.splitlines()[-2:] == [
        "Sealed as entry 7 in case amber-heron-41. Saved.",
        "Next: fieldvault record journey amber-heron-41",
    ]
    quiet = run(*argv, "-q")
    assert (quiet.out, quiet.err) == ("amber-heron-41\n", "warning: consent was not asked\n")


def test_answers_come_from_flags_and_files(
    run: Run, fake: FakeVault, secret: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--set, --set-from FILE and --set-from - together; numbers for integer variables are numbers; empty is absent."""
    path = tmp_path / "answers.json"
    path.write_text('{"country": "CN", "needs": null}', encoding="utf-8")
    argv = ["record", "shelter", "amber-heron-41", "--passphrase-file", secret]
    assert run(*argv, "--set-from", str(path), "--set", "nights=4", "--set", "notes=a=b", "--set", "needs2=").code == 0
    assert dict(fake.calls)["record"] == (
        "shelter", "amber-heron-41", {"country": "CN", "nights": 4, "notes": "a=b"}
    )  # fmt: skip
    fake.calls.clear()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"nights": 5}')))
    assert run(*argv, "--set-from", "-").code == 0
    assert dict(fake.calls)["record"][2] == {"nights": 5}


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"a": 1, "a": 2}', '{"a": 1.5}', '{"a": true}', '{"a": {"b": 1}}', '{"a": NaN}', "[" * 9999],
)
def test_answer_files_are_read_strictly(run: Run, secret: str, tmp_path: Path, text: str) -> None:
    """One object, each name once, texts and whole numbers only."""
    path = tmp_path / "answers.json"
    path.write_text(text, encoding="utf-8")
    assert run("record", "shelter", "c", "--set-from", str(path), "--passphrase-file", secret).code == 2


@pytest.mark.parametrize("pair", ["name", "=x", ""])
def test_set_wants_a_name_and_a_value(run: Run, secret: str, pair: str) -> None:
    """Refused without an echo."""
    assert run("case", "open", "--set", pair, "--passphrase-file", secret).code == 2


def test_identity_on_the_command_line_is_warned_about(run: Run, secret: str) -> None:
    """It works, the warning names the variable and not the value; other layers earn none."""
    outcome = run("case", "open", "--set", f"name={CANARY}", "--passphrase-file", secret)
    assert outcome.code == 0
    assert "history" in outcome.err
    assert CANARY not in outcome.err
    assert "history" not in run("case", "open", "--set", "sex=female", "--passphrase-file", secret).err


def test_without_answers_and_without_a_terminal_the_flag_is_named(run: Run, secret: str) -> None:
    """No prompt is ever required."""
    for argv in (["case", "open"], ["record", "journey", "c"], ["amend", "3"]):
        outcome = run(*argv, "--passphrase-file", secret)
        assert outcome.code == 2
        assert "--set" in outcome.err


def test_an_intake_without_a_case_opens_one(run: Run, fake: FakeVault, secret: str) -> None:
    """Another type without CASE is a question that nobody can answer; an unknown type names the known ones."""
    assert run("record", "intake", "--set", "sex=male", "--passphrase-file", secret).out == "amber-heron-41\n"
    assert dict(fake.calls)["record"] == ("intake", None, {"sex": "male"})
    assert run("record", "journey", "--set", "event=arrival", "--passphrase-file", secret).code == 2
    assert "shelter" in run("record", "nonsense", "c", "--set", "a=b", "--passphrase-file", secret).err


def test_amend_passes_the_entry_and_clears(run: Run, fake: FakeVault, secret: str) -> None:
    """An empty --set is None: clear it."""
    argv = ["amend", "field-1/1:3", "--set", "nights=", "--set", "country=CN", "--passphrase-file", secret]
    assert run(*argv).code == 0
    assert dict(fake.calls)["amend"] == ("field-1/1:3", {"nights": None, "country": "CN"})


@pytest.mark.parametrize(
    "argv",
    [
        ["case", "open", "--set", "sex=male"],
        ["record", "journey", "c", "--set", "event=arrival"],
        ["amend", "3", "--set", "nights=4"],
        ["case", "close", "c"],
        ["reveal", "c", "--reason", "hospital"],
        ["export", "all_years"],
        ["member", "add", "f-2", "--role", "hub", "--new-passphrase-fd", "0"],
    ],
)
def test_dry_runs_say_so(run: Run, secret: str, argv: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever changes something takes --dry-run and says that nothing was written."""
    monkeypatch.setattr("cli.passphrases.from_fd", lambda *_: "a long new passphrase")
    outcome = run(*argv, "--dry-run", "--passphrase-file", secret)
    assert outcome.code == 0
    assert "Dry run: nothing was" in outcome.err
    assert outcome.out == ""
    assert _json(run(*argv, "--dry-run", "--passphrase-file", secret, "--json"))["dry_run"] is True


def test_import_answers_with_the_pseudonyms(run: Run, secret: str, tmp_path: Path) -> None:
    """The contract's keys, a table for people, and no progress lines of what takes no time."""
    path = tmp_path / "in.jsonl"
    path.write_text("{}\n", encoding="utf-8")
    payload = _json(run("import", str(path), "--passphrase-file", secret, "--json"))
    assert payload["cases"] == {"a": "amber-heron-41"}
    assert payload["entries"] == 3
    outcome = run("import", str(path), "--passphrase-file", secret)
    assert "100 %" not in outcome.err, "no progress of what takes no time (test_progress has the rest)"
    assert outcome.out.splitlines() == ["label  case", "a      amber-heron-41"]
    assert "in.jsonl says all of it in plain text" in outcome.err, "the file outlives the import"


def test_case_list_and_show_for_programs(run: Run, fake: FakeVault, secret: str) -> None:
    """The contract's keys; a variable called like a fixed key is found in `values`."""
    assert _json(run("case", "list", "--passphrase-file", secret, "--json"))["cases"] == [
        {"pseudonym": "amber-heron-41", "status": "in_transit", "entries": 2}
    ]
    values = {"event": "departure", "origin": "Yanji", "notes": "one\ntwo"}
    fake.entries = (
        SimpleNamespace(
            origin=ORIGIN,
            seq=3,
            name="3",
            type="journey",
            day="2020-02-03",
            values=values,
            amended_by=(5,),
            conflicts=(),
            letter="",
        ),
    )
    entries = _json(run("case", "show", "amber-heron-41", "--passphrase-file", secret, "--json"))["entries"]
    assert isinstance(entries, list)
    assert entries[0]["origin"] == ORIGIN
    assert entries[0]["event"] == "departure"
    assert entries[0]["values"]["origin"] == "Yanji"
    out = run("case", "show", "amber-heron-41", "--passphrase-file", secret, "--lang", "ko").out
    assert "amended by 5" in out
    assert "    two\n" in out
    assert "added armed" not in out
    fake.entries[0].letter = "field-2/1:8"
    assert (
        "from field-2/1:8, which was added armed"
        in run("case", "show", "amber-heron-41", "--passphrase-file", secret).out
    )


def test_find_takes_the_name_from_stdin(
    run: Run, fake: FakeVault, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that no shell history keeps it; as an argument it works, with a warning."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("홍길동\n"))
    assert run("case", "find", "-", "--passphrase-file", secret).code == 0
    assert dict(fake.calls)["find_cases"] == "홍길동"
    outcome = run("case", "find", CANARY, "--passphrase-file", secret)
    assert outcome.code == 0
    assert "history" in outcome.err
    assert CANARY not in outcome.err
    assert run("case", "find", "--passphrase-file", secret).code == 2


def test_reveal_shows_but_does_not_obey(run: Run, fake: FakeVault, secret: str) -> None:
    """The name on stdout with its bidi override spelled out; a reason is needed."""
    outcome = run("reveal", "c", "--reason", "hospital", "--passphrase-file", secret)
    assert "김⟨U+202E⟩철수" in outcome.out
    assert "Logged as entry 8" in outcome.err
    assert run("reveal", "c", "--passphrase-file", secret).code == 2
    assert run("reveal", "c", "--reason", "  ", "--passphrase-file", secret).code == 2


def test_verify_names_verdict_and_anchor(run: Run, fake: FakeVault) -> None:
    """Exit 0 without a finding; the verdict is the last line; no passphrase is asked for."""
    outcome = run("audit", "verify")
    assert outcome.code == 0
    assert outcome.out.splitlines()[-1] == "intact, NOT anchored"
    payload = _json(run("audit", "verify", "--json"))
    assert (payload["verdict"], payload["anchor"], payload["leaves"]) == ("intact, NOT anchored", None, 7)


def test_a_finding_is_twenty(run: Run, fake: FakeVault) -> None:
    """The same object, ok false, with the findings in it."""
    finding = {"level": "error", "code": "leaf-hash", "where": f"{ORIGIN}:3", "message": "does not match"}
    fake.findings = (SimpleNamespace(**finding),)
    payload = _json(run("audit", "verify", "--json"))
    assert (payload["ok"], payload["code"], payload["findings"]) == (False, 20, [finding])
    outcome = run("audit", "verify")
    assert outcome.code == 20
    assert "leaf-hash" in outcome.out


@pytest.mark.parametrize("argv", [["status"], ["journal", "list"]])
def test_journals_for_programs(run: Run, argv: list[str]) -> None:
    """Origin, size, root in base64, witnessed, whatever else there is; and no key is needed."""
    root = base64.b64encode(bytes(range(32))).decode()
    journals = _json(run(*argv, "--json"))["journals"]
    assert isinstance(journals, list)
    wanted = {"origin": ORIGIN, "size": 7, "root": root, "witnessed": 3}
    assert [{name: journal[name] for name in wanted} for journal in journals] == [wanted]
    assert ORIGIN in run(*argv).out


def test_export_formats(run: Run, secret: str, tmp_path: Path) -> None:
    """JSON is the release itself on stdout; --json is one object; a suffix chooses; Markdown is for people."""
    argv = ["export", "all_years", "--passphrase-file", secret]
    assert run(*argv, "--format", "json").out == '{"table":"all_years","cells":[]}\n'
    assert run(*argv).out == "as md 여\n"
    assert _json(run(*argv, "--json"))["table"] == "all_years"
    assert _json(run(*argv, "--json", "--format", "csv"))["content"] == "as csv 여\n"
    target = tmp_path / "out.html"
    payload = _json(run(*argv, "--json", "-o", str(target)))
    assert (payload["file"], payload["format"]) == (str(target), "html")
    assert target.read_text(encoding="utf-8") == "as html 여\n"
    assert [path.name for path in tmp_path.iterdir() if "out" in path.name] == ["out.html"]


def test_export_does_not_overwrite(run: Run, fake: FakeVault, secret: str, tmp_path: Path) -> None:
    """Refused before anything is released; --yes replaces."""
    target = tmp_path / "out.csv"
    target.write_text("old", encoding="utf-8")
    argv = ["export", "all_years", "--passphrase-file", secret, "-o", str(target)]
    assert run(*argv).code == 2
    assert fake.calls == []
    assert target.read_text(encoding="utf-8") == "old"
    assert run(*argv[:-1], str(tmp_path), "--yes").code == 2
    assert fake.calls == []
    assert run(*argv, "--yes").code == 0
    assert target.read_text(encoding="utf-8") == "as csv 여\n"


def test_a_failed_export_leaves_no_file(run: Run, fake: FakeVault, secret: str, tmp_path: Path) -> None:
    """Neither the file nor its temporary name; a directory that is not there is found out before the release."""
    fake.failing = ValueError(CANARY)
    target = tmp_path / "d" / "out.csv"
    argv = ["export", "all_years", "--passphrase-file", secret, "-o", str(target)]
    assert run(*argv).code == 2
    target.parent.mkdir()
    assert run(*argv).code == 1
    assert list(target.parent.iterdir()) == []


def test_codebook_show_and_check(run: Run, tmp_path: Path) -> None:
    """The vault's, or a file's; every mistake of a file is named."""
    assert "birth_date" in run("codebook", "show").out
    bad = tmp_path / "bad.toml"
    bad.write_text("format = 1\nname = 'x'\n", encoding="utf-8")
    payload = _json(run("codebook", "check", str(bad), "--json"))
    assert payload["code"] == 2
    assert payload["errors"]
    assert run("codebook", "check", str(tmp_path / "absent.toml")).code == 2


def test_doctor_and_demo_run(run: Run, tmp_path: Path) -> None:
    """doctor needs no vault; demo tells its steps; --keep wants an empty directory."""
    assert _json(run("doctor", "-C", str(tmp_path / "none"), "--json"))["checks"]
    assert "1  Found\n   one\n" in run("demo").out
    assert _json(run("demo", "--json"))["steps"] == [{"title": "Found", "lines": ["one"]}]
    (tmp_path / "x").write_bytes(b"")
    assert run("demo", "--keep", str(tmp_path)).code == 2
    kept = run("demo", "--keep", str(tmp_path / "kept")).err
    assert f"--passphrase-file {tmp_path / 'kept' / 'passphrases' / 'director-1'}" in kept
    assert "passphrase" not in run("demo").err
    assert "DIR/passphrases" in run("demo", "--help").out
