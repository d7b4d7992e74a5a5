"""What an auditor who is new here reads: which journals are anchored, causes before floods, no untrue accusations."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cli.main import run
from tests.laptops import Fleet, Laptop, record
from tests.organisation import PASSPHRASES, flipped, rows_of
from tests.services.publishing import two_laptops

NOTHING_SEEN = "anchor: none: nobody else has seen all of these journals yet"


def verify(laptop: Laptop, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, list[str]]:
    """The command's exit code and the lines of its result."""
    capsys.readouterr()
    code = run(["audit", "verify", "-C", str(laptop.directory), *options])
    return code, capsys.readouterr().out.splitlines()


def tampered(laptop: Laptop, *statements: str) -> None:
    """Changes the closed database behind the program's back; `?` is the number of field-1's journal."""
    number = laptop.vault.journal_number(laptop.origin("field-1"))
    laptop.close()
    with rows_of(laptop.directory) as rows:
        for sql in statements:
            rows.run(sql.replace("?", str(number)))


# -- anchors -----------------------------------------------------------------------------------------------------------


def test_each_journal_says_what_it_is_anchored_by(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    """One journal a line: up to where, by whom, and which one nobody has seen. Control: alone nothing is anchored."""
    lonely = fleet.laptop("lonely", "field-2")
    record(lonely, "field-2", 2)
    lonely.close()
    assert NOTHING_SEEN in verify(lonely, capsys)[1]
    _, field = two_laptops(fleet)
    field.close()
    code, lines = verify(field, capsys)
    assert (code, lines[-1]) == (0, "intact, anchored")
    assert any(line.startswith("anchor: field-1/1 up to 5 of 8 entries, cosigned by hub-1") for line in lines)


def test_one_journal_that_nobody_has_seen(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    """The verdict stays as it was; the lines and the JSON say which journal it hangs on."""
    hub, _ = two_laptops(fleet)
    hub.close()
    paper = json.loads("\n".join(_heads(hub, capsys)))["heads"]
    given = [item["paper_head"] for item in paper if item["origin"].split("/")[2] == "root"]
    assert verify(hub, capsys)[1][-2:] == [NOTHING_SEEN, "intact, NOT anchored"]
    code, lines = verify(hub, capsys, "--head", given[0])
    assert (code, lines[-1]) == (0, "intact, NOT anchored")
    at = next(number for number, line in enumerate(lines) if line.startswith("anchor: "))
    said = [line.removeprefix("anchor:").strip() for line in lines[at:-1]]
    assert [line.split()[0].rstrip(":") for line in said] == ["hub-1/1", "root/1"]
    assert said[0].startswith("hub-1/1: NOT anchored, nobody else has seen its ")
    assert "by a paper head" in said[1]
    told = json.loads("\n".join(verify(hub, capsys, "--head", given[0], "--json")[1]))
    assert told["anchor"] is None
    assert {item["origin"].split("/")[2]: bool(item["by"]) for item in told["anchored"]} == {
        "hub-1": False,
        "root": True,
    }


def _heads(laptop: Laptop, capsys: pytest.CaptureFixture[str]) -> list[str]:
    capsys.readouterr()
    run(["audit", "heads", "-C", str(laptop.directory), "--json"])
    return capsys.readouterr().out.splitlines()


# -- floods ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def many(field: Laptop) -> Laptop:
    """A laptop with 605 entries, so that a flood is larger than what an audit lists."""
    record(field, "field-1", 600)
    return field


def test_a_dropped_table_is_named_before_its_flood(many: Laptop, capsys: pytest.CaptureFixture[str]) -> None:
    """The cause, then a few consequences of each kind and their number; the last line has the true count."""
    many.close()
    with closing(sqlite3.connect(many.directory / "vault.db")) as database:
        database.execute("DELETE FROM part")
        database.execute("DROP TABLE wrap")
        database.commit()
    code, lines = verify(many, capsys)
    faults = [line for line in lines if line.startswith(("bytes  ", "signatures  ", "memory  "))]
    assert code == 20
    assert faults[0].startswith("bytes  schema  vault.db: ")
    assert "table wrap" in faults[0]
    assert len(faults) < 30
    told = json.loads("\n".join(verify(many, capsys, "--json")[1]))
    count = sum(item["count"] for item in told["kinds"] if item["level"] != "notice")
    assert lines[-1] == f"FINDING: {count:,} places do not hold."
    assert count > 600
    assert 500 <= len(told["findings"]) < 600
    kinds = {item["code"]: item["count"] for item in told["kinds"]}
    assert f"bytes  missing  and {kinds['missing'] - 5:,} more of this kind" in faults


def test_a_deleted_entry_leads_what_follows_from_it(many: Laptop, capsys: pytest.CaptureFixture[str]) -> None:
    """The gap stands first. Control: one fault has one line, and nothing is folded."""
    tampered(many, "DELETE FROM leaf WHERE journal = ? AND seq = 20")
    code, lines = verify(many, capsys)
    assert code == 20
    assert lines[0].startswith("bytes  gap  field-1/1:20: ")
    assert len(lines) < 40


def test_one_fault_has_one_line(many: Laptop, capsys: pytest.CaptureFixture[str]) -> None:
    """Negative control of the folding."""
    tampered(many, "DELETE FROM part WHERE journal = ? AND seq = 20 AND layer = 'tally'")
    code, lines = verify(many, capsys)
    assert (code, lines[-1]) == (20, "FINDING: 1 place does not hold.")
    assert "more of this kind" not in "\n".join(lines)


# -- a database that says nothing of itself ----------------------------------------------------------------------------


@pytest.mark.parametrize("damage", ["first page", "empty", "setting"])
def test_nothing_is_said_to_be_another_vault_s_when_nobody_knows(
    field: Laptop, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    """Key files and journals are compared with the vault id only when there is one."""
    field.close()
    path = field.directory / "vault.db"
    for beside in field.directory.glob("vault.db-*"):
        beside.unlink()
    if damage == "setting":
        with rows_of(field.directory) as rows:
            rows.run("UPDATE setting SET value = zeroblob(1)")
    else:
        path.write_bytes(b"" if damage == "empty" else bytes(4096) + path.read_bytes()[4096:])
    code, lines = verify(field, capsys)
    assert (code, lines[-1].startswith("FINDING: ")) == (20, True)
    said = "\n".join(lines)
    assert "another vault" not in said
    assert "foreign-journal" not in said
    assert "vault:  not readable" in lines


def test_a_foreign_key_file_is_still_named(fleet: Fleet, field: Laptop, capsys: pytest.CaptureFixture[str]) -> None:
    """Negative control: with a vault id that can be read and is another one."""
    field.close()
    with rows_of(field.directory) as rows:
        rows.run("UPDATE setting SET value = ?", b"0" * 32)
    assert "it belongs to another vault" in "\n".join(verify(field, capsys)[1])


# -- evidence ----------------------------------------------------------------------------------------------------------


def test_the_result_says_where_evidence_was_written(
    field: Laptop, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """On stdout, also when no folder could be made of it; and that there is none when nothing was found."""
    field.close()
    code, lines = verify(field, capsys, "--evidence", str(tmp_path / "none"))
    assert (code, (tmp_path / "none").exists()) == (0, False)
    assert "evidence: none was written: nothing was found" in lines
    with rows_of(field.directory) as rows:
        number, raw = rows.run("SELECT journal, bytes FROM part LIMIT 1")[0]
        rows.run("UPDATE part SET bytes = ? WHERE journal = ? AND bytes = ?", flipped(raw), number, raw)
    code, lines = verify(field, capsys, "--evidence", str(tmp_path / "out"))
    assert code == 20
    assert f"evidence: written in {tmp_path / 'out'}; begin with README.txt" in lines
    assert any(line.startswith(f"evidence: {tmp_path / 'out'}") for line in lines)


# -- cosigning, heads --------------------------------------------------------------------------------------------------


def _cosign(laptop: Laptop, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, str, str]:
    secret = laptop.fleet.home / "secret"
    secret.write_text(PASSPHRASES["auditor-1"] + "\n", encoding="utf-8")
    secret.chmod(0o600)
    capsys.readouterr()
    line = ["audit", "cosign", "-C", str(laptop.directory), "--as", "auditor-1", "--passphrase-file", str(secret)]
    code = run([*line, *options])
    return code, *capsys.readouterr()


def test_nothing_to_cosign_is_3_and_nothing_is_said_to_be_saved(
    fleet: Fleet, capsys: pytest.CaptureFixture[str]
) -> None:
    """An auditor's key on the writers' own laptop: nobody witnesses themselves."""
    laptop = fleet.laptop("one", *sorted(fleet.keys))
    record(laptop, "field-1", 1)
    laptop.close()
    code, out, err = _cosign(laptop, capsys)
    assert (code, out.splitlines()[-1]) == (3, "Nothing was cosigned.")
    assert "Saved" not in out + err
    assert "Next" not in err


def test_what_was_cosigned_goes_back_to_a_hub_by_its_name(
    fleet: Fleet, hub: Laptop, field: Laptop, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Negative control: 0, saved, the notes in a directory that was made for them, and a command that can be typed."""
    from tests.laptops import carry

    laptop = fleet.laptop("auditor", "auditor-1")
    hub.take(field.bundle("hub-1"))
    carry(hub, "hub-1", laptop, "auditor-1")
    laptop.close()
    code, out, err = _cosign(laptop, capsys, "-o", str(tmp_path / "notes"))
    assert (code, out.splitlines()[-1].endswith("cosigned. Saved.")) == (0, True)
    assert err.splitlines()[-1].endswith("--to hub-1")
    assert (tmp_path / "notes" / "field-1-1-5.note").is_file()


def test_a_head_that_is_neither_file_nor_paper(field: Laptop, capsys: pytest.CaptureFixture[str]) -> None:
    """A file's name that is mistyped is called that; a size is taken as `audit heads` prints it."""
    record(field, "field-1", 1_000)
    field.close()
    capsys.readouterr()
    assert run(["audit", "verify", "-C", str(field.directory), "--head", "nofile.txt"]) == 2
    assert "nofile.txt: no such file, and not a paper head" in capsys.readouterr().err
    heads = json.loads("\n".join(_heads(field, capsys)))["heads"]
    paper = next(item["paper_head"] for item in heads if "/field-1/" in item["origin"])
    assert " 1005 " in paper
    assert verify(field, capsys, "--head", paper.replace(" 1005 ", " 1,005 "))[0] == 0
    assert verify(field, capsys, "--head", paper.replace(" 1005 ", " 10,05 "))[0] == 2
