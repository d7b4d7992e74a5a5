"""Exit codes over the real library: each failure made for real, each answered with its code and one JSON object."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

import vault
from cli.main import run
from vault.model import Layer
from vault.primitives import passphrase
from vault.primitives.hashing import sha256
from vault.services.vault import open_vault, unlock

CANARY = "canary-Zx9-4711"
SECRETS = {"root": "root passphrase 4711", "field-1": "recorder passphrase", "hq-1": "director passphrase"}


@pytest.fixture(scope="module", autouse=True)
def _quick() -> Iterator[None]:
    """A hash in place of Argon2id: these tests unlock again and again and are about something else."""

    def quick(text: str, salt: bytes, cost: passphrase.KdfCost) -> bytes:
        return sha256(b"for tests" + salt + passphrase.normalise(text))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passphrase, "stretch", quick)
        yield


@pytest.fixture(scope="module")
def founded(_quick: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A vault with a recorder, a director and one case; made once, never written to: copy it."""
    base = tmp_path_factory.mktemp("founded")
    cost, environment = vault.KdfCost(), vault.Environment.system()
    vault.found(
        base / "north", org="Haven", passphrase=SECRETS["root"], threshold=2, shares=3, shares_dir=base / "shares",
        codebook=None, environment=environment, cost=cost,
    )  # fmt: skip
    with vault.open_vault(base / "north", environment) as found:
        root = vault.unlock(found, "root", SECRETS["root"])
        for handle, role in (("field-1", vault.Role.RECORDER), ("hq-1", vault.Role.DIRECTOR)):
            vault.add_member(found, root, handle=handle, role=role, passphrase=SECRETS[handle], cost=cost)
        me = vault.unlock(found, "field-1", SECRETS["field-1"])
        vault.open_case(found, me, {"name": CANARY, "sex": "female", "notes": CANARY})
    for name, secret in {**SECRETS, "wrong": "not the passphrase"}.items():
        (base / name).write_text(secret + "\n", encoding="utf-8")
        (base / name).chmod(0o600)
    return base


class _Line:
    """The command line over a private copy of the vault; says what came of it."""

    def __init__(self, base: Path, north: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.base, self.north, self._capsys = base, north, capsys

    def __call__(self, *argv: str, code: int, key: str = "") -> dict[str, Any]:
        secret = ["--passphrase-file", str(self.base / key)] if key else []
        found = run([*argv, *secret, "-C", str(self.north), "--json"])
        out, err = self._capsys.readouterr()
        payload = json.loads(out)
        assert (found, payload["code"], payload["ok"]) == (code, code, code == 0), (argv, out, err)
        assert CANARY not in out + err
        assert isinstance(payload, dict)
        return payload


@pytest.fixture
def line(founded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> _Line:
    """A copy of one's own."""
    shutil.copytree(founded / "north", tmp_path / "north")
    return _Line(founded, tmp_path / "north", capsys)


OPEN = ("case", "open", "--set", "sex=male")


def test_nothing_wrong_is_zero(line: _Line) -> None:
    """The negative control: what the tests below break works before."""
    assert len(line("case", "list", key="field-1", code=0)["cases"]) == 1
    line(*OPEN, key="field-1", code=0)
    assert line("audit", "verify", code=0)["findings"] == []


@pytest.mark.parametrize(
    "words", [("status",), ("audit", "verify"), ("journal", "list"), ("case", "list"), ("codebook", "show")]
)
def test_no_vault_is_ten(line: _Line, tmp_path: Path, words: tuple[str, ...]) -> None:
    """In an empty directory and in one that is not there."""
    (tmp_path / "empty").mkdir()
    for place in ("empty", "absent"):
        line.north = tmp_path / place
        line(*words, code=10)


def test_a_wrong_passphrase_is_twelve(line: _Line) -> None:
    """Of a member, and of another member's key."""
    line("case", "list", key="wrong", code=12)
    line("case", "list", key="hq-1", code=12)


def test_what_does_not_fit_is_two(line: _Line) -> None:
    """An unknown case, an entry that is no record, a bad code, an unknown table, no passphrase."""
    line("case", "show", "no-such-case", key="field-1", code=2)
    line("case", "close", "no-such-case", key="field-1", code=2)
    line("reveal", "no-such-case", "--reason", "x", key="field-1", code=2)
    line("record", "journey", "no-such-case", "--set", "event=arrival", key="field-1", code=2)
    line("record", "intake", "no-such-case", "--set", "sex=male", key="field-1", code=2)
    for entry in ("99", "0", "x", "", "hq-1/1:0", "\udc80"):
        line("amend", entry, "--set", "sex=male", key="field-1", code=2)
    assert line("case", "open", "--set", f"sex={CANARY}", key="field-1", code=2)["errors"]
    line("export", "no_such_table", key="hq-1", code=2)
    line("case", "list", code=2)


def test_text_in_another_encoding_is_two(line: _Line) -> None:
    """A terminal that is not UTF-8 sends bytes that are no text; they are refused by name, nowhere an accident."""
    broken = "\udcb1\udce8"
    line("case", "find", broken, key="field-1", code=2)
    line("case", "show", broken, key="field-1", code=2)
    line("reveal", broken, "--reason", "x", key="field-1", code=2)
    line("case", "open", "--set", f"name={broken}", key="field-1", code=2)
    line("case", "open", "--set", f"sex={broken}", key="field-1", code=2)
    (case,) = line("case", "list", key="field-1", code=0)["cases"]
    line("reveal", case["pseudonym"], "--reason", broken, key="field-1", code=2)


def test_the_wrong_key_is_thirty_one(line: _Line) -> None:
    """A director may not record or read, a recorder may not export or enrol."""
    line(*OPEN, "--as", "hq-1", key="hq-1", code=31)
    line("case", "list", "--as", "hq-1", key="hq-1", code=31)
    line("export", "all_years", "--as", "field-1", key="field-1", code=31)
    new = ["--new-passphrase-file", str(line.base / "hq-1")]
    line("member", "add", "f-2", "--role", "recorder", "--as", "field-1", *new, key="field-1", code=31)


@pytest.mark.parametrize("raw", [b"", b"garbage", bytes(1000), b"x" * 20_000], ids=["empty", "short", "zeros", "long"])
def test_a_key_file_that_is_none_is_thirteen(line: _Line, raw: bytes) -> None:
    """Garbage, zeros, nothing; one that is far too large is a request that does not fit."""
    (line.north / "keys" / "field-1.key").write_bytes(raw)
    line("case", "list", key="field-1", code=2 if len(raw) > 16_384 else 13)


def test_a_database_of_another_program_is_thirteen(line: _Line) -> None:
    """For those who work and for those who only look."""
    path = line.north / "vault.db"
    path.unlink()
    connection = apsw.Connection(str(path))
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    before = path.read_bytes()
    line("case", "list", key="field-1", code=13)
    line("status", code=13)
    assert path.read_bytes() == before


def test_a_newer_version_is_thirteen(line: _Line) -> None:
    """With the advice to update."""
    connection = apsw.Connection(str(line.north / "vault.db"))
    connection.execute("PRAGMA user_version = 99").fetchall()
    connection.close()
    assert "update" in line("status", code=13)["hint"]


def test_a_flipped_byte_in_a_part_is_twenty(line: _Line) -> None:
    """The keyless audit says where; who holds the key is refused the entry too."""
    with open_vault(line.north) as found:
        me = unlock(found, "field-1", SECRETS["field-1"])
        origin = found.signer(me).origin
        number = found.journal_number(origin)
        seq = next(seq for seq, _ in found.store.part_headers(number, Layer.CASE))
        part = found.store.part(number, seq, Layer.CASE)
    assert part is not None
    path = line.north / "vault.db"
    raw = bytearray(path.read_bytes())
    assert raw.count(part[100:160]) == 1
    raw[raw.find(part[100:160])] ^= 1
    path.write_bytes(bytes(raw))
    report = line("audit", "verify", code=20)
    assert report["verdict"] == "finding"
    (finding,) = report["findings"]
    assert f"{origin}" in finding["where"]
    assert str(seq) in finding["where"]
    line("case", "list", key="field-1", code=20)


def test_another_writer_is_eleven(line: _Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """Writing waits, then gives up; reading goes on; when the other is done, so does writing."""
    monkeypatch.setattr("vault.store.connect.BUSY_MILLISECONDS", 50)
    other = apsw.Connection(str(line.north / "vault.db"))
    other.execute("BEGIN IMMEDIATE")
    try:
        line(*OPEN, key="field-1", code=11)
        line("case", "list", key="field-1", code=0)
        line("status", code=0)
        line(*OPEN, "--dry-run", key="field-1", code=0)
    finally:
        other.execute("ROLLBACK")
        other.close()
    line(*OPEN, key="field-1", code=0)
    assert len(line("case", "list", key="field-1", code=0)["cases"]) == 2


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root may mount a small file system")
    place = tmp_path / "tiny"
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("this machine does not let a test mount a small file system")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_is_forty(line: _Line, tiny: Path, tmp_path: Path) -> None:
    """Nothing of the import stays, the vault is whole, and with room again the work goes on."""
    shutil.copytree(line.north, tiny / "north")
    line.north = tiny / "north"
    before = line("journal", "list", code=0)["journals"]
    path = tmp_path / "in.jsonl"
    path.write_text("".join(f'{{"case": "c{n}", "type": "intake", "sex": "male"}}\n' for n in range(2_000)), "utf-8")
    line("import", str(path), key="field-1", code=40)
    assert line("journal", "list", code=0)["journals"] == before
    assert line("audit", "verify", code=0)["findings"] == []
    line(*OPEN, key="field-1", code=0)


def test_a_release_that_does_not_fit_on_the_disk_is_forty_before_it_is_released(line: _Line, tiny: Path) -> None:
    """The file is opened before anything irrevocable: no directory is exit 2 and nothing stands in the journal."""
    before = line("journal", "list", code=0)["journals"]
    line("export", "all_years", "-o", str(tiny / "absent" / "x.csv"), key="hq-1", code=2)
    assert line("journal", "list", code=0)["journals"] == before
