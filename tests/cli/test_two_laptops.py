"""Two laptops and a stick, through the command line over the real library: bundles out, receipts back, and what happens
when a laptop is restored, copied, or handed the wrong file."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from cli.main import run
from vault.primitives import passphrase
from vault.primitives.hashing import sha256

CANARY = "canary-Zx9-4711"
SECRETS = {name: f"the passphrase of {name} 4711" for name in ("root", "hub-1", "hq-1", "field-2")}
PEOPLE = 40


@pytest.fixture(scope="module", autouse=True)
def _quick() -> Iterator[None]:
    """A hash in place of Argon2id: these tests unlock again and again and are about something else."""

    def quick(text: str, salt: bytes, cost: passphrase.KdfCost) -> bytes:
        return sha256(b"for tests" + salt + passphrase.normalise(text))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passphrase, "stretch", quick)
        patch.setattr(passphrase, "calibrate", lambda *_: passphrase.KdfCost())
        yield


class Two:
    """Headquarters (`hq`: root, a hub, a director), a recorder's laptop (`south`), and the stick between them."""

    def __init__(self, base: Path) -> None:
        self.base = base
        for name, text in SECRETS.items():
            (base / name).write_text(text + "\n", encoding="utf-8")
            (base / name).chmod(0o600)

    def said(self, where: str, *argv: str, key: str = "", code: int = 0) -> tuple[str, str]:
        """What one command line wrote on both streams. Nothing sealed and no passphrase is ever in it."""
        secret = ["--passphrase-file", str(self.base / key), "--as", key] if key else []
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            found = run([*argv, *secret, "--no-input", "-C", str(self.base / where)])
        both = out.getvalue() + err.getvalue()
        assert found == code, (argv, both)
        assert not [text for text in (CANARY, *SECRETS.values()) if text in both]
        return out.getvalue(), err.getvalue()

    def __call__(self, where: str, *argv: str, key: str = "", code: int = 0) -> dict[str, Any]:
        """The same with --json: its object."""
        out, err = self.said(where, *argv, "--json", key=key, code=code)
        payload = json.loads(out)
        assert (payload["ok"], payload["code"]) == (code == 0, code), err
        assert isinstance(payload, dict)
        return payload

    def file(self, name: str) -> str:
        """A file on the stick."""
        return str(self.base / "stick" / f"{name}.fvb")

    def field(self, *argv: str, code: int = 0) -> dict[str, Any]:
        """The recorder."""
        return self("south", *argv, key="field-2", code=code)

    def hub(self, *argv: str, code: int = 0) -> dict[str, Any]:
        """The hub."""
        return self("hq", *argv, key="hub-1", code=code)

    def send(self, name: str, where: str = "south") -> str:
        """A bundle of the recorder's for the hub."""
        return str(self(where, "bundle", "create", "--to", "hub-1", "-o", self.file(name), key="field-2")["file"])

    def answer(self, name: str, *more: str) -> str:
        """A bundle of the hub's for the recorder: the receipt."""
        return str(self.hub("bundle", "create", "--to", "field-2", "-o", self.file(name), *more)["file"])

    def journal(self, where: str, name: str) -> dict[str, Any]:
        """One journal's row of `journal list`."""
        rows = self(where, "journal", "list")["journals"]
        found = [row for row in rows if row["origin"].endswith(f"/{name}")]
        assert len(found) == 1, rows
        return dict(found[0])

    def copied(self, source: str, target: str) -> None:
        """A backup, a clone: one laptop's directory, to the last bit."""
        shutil.rmtree(self.base / target, ignore_errors=True)
        shutil.copytree(self.base / source, self.base / target)


OPEN = ("case", "open", "--set", "sex=male", "--set", f"notes={CANARY}")


@pytest.fixture(scope="module")
def begun(_quick: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Founded at headquarters, the recorder enrolled over the stick, forty people recorded there. Copy it."""
    base = tmp_path_factory.mktemp("begun")
    (base / "stick").mkdir()
    two = Two(base)
    two("hq", "init", "--org", "Haven", "--shares-dir", str(base / "shares"), "--passphrase-file", str(base / "root"))
    for handle, role in (("hub-1", "hub"), ("hq-1", "director")):
        new = ["--new-passphrase-file", str(base / handle)]
        two("hq", "member", "add", handle, "--role", role, *new, key="root")
    new = ["--new-passphrase-file", str(base / "field-2")]
    asked = two("south", "member", "request", "field-2", "--role", "recorder", "-o", two.file("request"), *new)
    approve = [
        "member",
        "approve",
        two.file("request"),
        "-o",
        two.file("answer"),
        "--fingerprint",
        asked["fingerprint"],
    ]
    words = two("hq", *approve, key="root")["vault_fingerprint"]
    two.field("member", "join", two.file("answer"), "--fingerprint", words)
    lines: list[dict[str, object]] = []
    for number in range(PEOPLE):
        case = {"case": f"c{number}"}
        lines.append({**case, "type": "intake", "sex": "female", "consent_statistics": "yes", "notes": CANARY})
        lines.append({**case, "type": "outcome", "status": "reached_freedom", "date": "2020-03"})
    (base / "people.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    assert len(two.field("import", str(base / "people.jsonl"))["cases"]) == PEOPLE
    return base


@pytest.fixture
def two(begun: Path, tmp_path: Path) -> Two:
    """A copy of one's own."""
    shutil.copytree(begun, tmp_path, dirs_exist_ok=True)
    return Two(tmp_path)


@pytest.fixture
def witnessed(two: Two) -> Two:
    """The same after one bundle out and one receipt back."""
    assert two.hub("bundle", "import", two.send("first"))["code"] == 0
    assert two.field("bundle", "import", two.answer("receipt"))["receipts"]
    return two


def test_out_and_back(two: Two) -> None:
    """Records travel sealed, the receipt comes back, the exposure shrinks, and the audit names its anchor."""
    before = two.journal("south", "field-2/1")
    assert (before["witnessed"], before["unwitnessed_since"] is None, before["own"]) == (0, False, True)
    said, told = two.said("south", "status")
    assert "field-2/1: unwitnessed since entry 0, 0 days: nobody else would notice" in said
    assert "Next: fieldvault bundle create --to hub-1" in told
    assert two("south", "audit", "verify")["verdict"] == "intact, NOT anchored"

    sent = two.field("bundle", "create", "--to", "hub-1", "-o", two.file("out"))
    assert (sent["to"], sent["file"]) == (["hub-1"], two.file("out"))
    assert sent["bytes"] == Path(sent["file"]).stat().st_size
    assert sent["parts"] >= 3 * PEOPLE
    inspected = two("hq", "bundle", "inspect", two.file("out"))
    assert inspected["kind"] == "bundle"
    assert not [word for word in ("field-2", "hub-1", "hq") if word in str(inspected["lines"])]

    came = two.hub("bundle", "import", two.file("out"))
    (row,) = [row for row in came["journals"] if row["outcome"] == "new"]
    assert (row["before"], row["after"], came["sender"]) == (0, before["size"], "field-2")
    assert two.journal("hq", "field-2/1")["root"] == before["root"]

    back = two.field("bundle", "import", two.answer("back"))
    assert back["receipts"] == {before["origin"]: before["size"]}
    after = two.journal("south", "field-2/1")
    assert after["witnessed"] == before["size"]
    assert after["size"] - after["witnessed"] < 5 < before["size"]
    assert f"field-2/1: unwitnessed since entry {before['size']:,}, 0 days" in two.said("south", "status")[0]
    report = two("south", "audit", "verify")
    assert (report["verdict"], report["findings"]) == (
        "intact, anchored",
        [finding for finding in report["findings"] if finding["level"] == "notice"],
    )
    assert report["anchor"].startswith(
        f"field-2/1 up to {before['size']} of {after['size']} entries, cosigned by hub-1"
    )
    said, _ = two.said("south", "audit", "verify")
    assert f"anchor: {report['anchor']}" in said
    assert said.splitlines()[-1] == "intact, anchored"

    again = two.hub("bundle", "import", two.send("second"))
    assert {name.split("/", 2)[2] for name in again["receipts"]} == {"root/1", "hub-1/1"}
    assert two("hq", "audit", "verify")["verdict"] == "intact, anchored"


def test_what_the_director_counts(two: Two) -> None:
    """No total without the other laptop's journal: 31, naming whose is missing. With it, its people."""
    table = ("hq", "export", "all_years", "--format", "json")
    assert "field-2" in two(*table, key="hq-1", code=31)["error"]
    two.hub("bundle", "import", two.send("out"))
    values = [cell["value"] for cell in two(*table, key="hq-1")["cells"] if cell["value"]]
    assert max(values) == PEOPLE


def test_importing_again_and_looking_first_change_nothing(witnessed: Two) -> None:
    """A dry run writes nothing, the second import brings nothing, a file that is there is not replaced."""
    two = witnessed
    two.field(*OPEN)
    path = two.send("more")
    before = two("hq", "journal", "list")
    assert two.hub("bundle", "import", path, "--dry-run")["dry_run"]
    assert two("hq", "journal", "list") == before
    assert "new" in [row["outcome"] for row in two.hub("bundle", "import", path)["journals"]]
    after = two("hq", "journal", "list")
    assert {row["outcome"] for row in two.hub("bundle", "import", path)["journals"]} == {"nothing new"}
    assert two("hq", "journal", "list") == after
    two.field("bundle", "create", "--to", "hub-1", "-o", path, code=2)
    found = two.field("bundle", "create", "--to", "hub-1", "-o", two.file("none"), "--dry-run")
    assert (found["dry_run"], Path(two.file("none")).exists()) == (True, False)


def test_a_restored_laptop_goes_on_in_a_new_epoch(two: Two) -> None:
    """21 when the receipt shows what is missing, 21 for every write; recovered; and what was lost comes back."""
    two.copied("south", "backup")
    case = two.field(*OPEN)["pseudonym"]
    two.hub("bundle", "import", two.send("out"))
    receipt = two.answer("receipt")
    two.copied("backup", "south")
    listed = two.field("case", "list")["cases"]
    assert case not in [row["pseudonym"] for row in listed]

    _, told = two.said("south", "bundle", "import", receipt, key="field-2", code=21)
    assert "field-2/1 is locked: others have seen more of it than is here" in told
    assert "Next: fieldvault journal recover" in told
    assert "LOCKED: field-2/1: others have seen" in two.said("south", "status")[0]
    assert two.journal("south", "field-2/1")["locked"] == "restored"
    refused = two.field(*OPEN, code=21)
    assert "journal recover" in refused["hint"]
    assert two("south", "audit", "verify", code=20)["verdict"] == "finding"
    two.field("journal", "recover", code=2)
    assert two.field("journal", "recover", "--dry-run")["dry_run"]
    two.field(*OPEN, code=21)

    done = two.field("journal", "recover", "--yes")
    assert done["origin"].endswith("/field-2/2")
    assert done["follows"].endswith("/field-2/1")
    assert done["witnessed"] > 0
    fresh = two.field(*OPEN)["pseudonym"]
    two.field("journal", "recover", "--yes", code=2)
    assert "field-2/1: closed, and goes on as field-2/2" in two.said("south", "status")[0]

    two.hub("bundle", "import", two.send("anew"))
    back = two.field("bundle", "import", two.answer("all", "--full"))
    outcomes = {row["origin"].split("/", 2)[2]: row["outcome"] for row in back["journals"]}
    assert outcomes["field-2/1"] == "restored"
    assert {case, fresh} < {row["pseudonym"] for row in two.field("case", "list")["cases"]}
    report = two("south", "audit", "verify")
    assert report["verdict"] == "intact, anchored"
    assert report["anchor"].startswith("field-2/2 up to ")
    assert two("hq", "audit", "verify")["verdict"] != "finding"


def test_a_copied_laptop_is_found_out(witnessed: Two) -> None:
    """Both record, both send: 22 at headquarters with evidence for a stranger; then 22 on both laptops."""
    two = witnessed
    two.copied("south", "copy")
    two.field(*OPEN)
    two("copy", *OPEN, key="field-2")
    assert two.hub("bundle", "import", two.send("one"))["code"] == 0
    size = two.journal("hq", "field-2/1")["size"]
    path = two.send("other", where="copy")
    assert two.hub("bundle", "import", path, "--dry-run", code=22)["evidence"] == []
    assert not (two.base / "hq" / "evidence").exists()

    found = two.hub("bundle", "import", path, code=22)
    (folder,) = map(Path, found["evidence"])
    assert folder == two.base / "hq" / "evidence" / "field-2-1"
    assert {"README.txt", "writer.pem", "ours.note", "theirs.note"} <= {item.name for item in folder.iterdir()}
    assert [name.split("/", 2)[2] for name in found["locked"]] == ["field-2/1"]
    journal = two.journal("hq", "field-2/1")
    assert (journal["size"], journal["locked"]) == (size, "fork")
    assert "LOCKED: field-2/1" in two.said("hq", "status")[0]
    report = two("hq", "audit", "verify", code=20)
    assert "fork" in {finding["code"] for finding in report["findings"]}
    two.said("hq", "bundle", "import", path, key="hub-1", code=22)

    told = two.answer("told")
    for where in ("south", "copy"):
        _, words = two.said(where, "bundle", "import", told, key="field-2", code=22)
        assert "Next: write nothing here, and tell headquarters" in words
        two(where, *OPEN, key="field-2", code=22)
    assert two.field("journal", "recover", "--yes")["origin"].endswith("/field-2/2")
    two.field(*OPEN)


def test_the_wrong_file(witnessed: Two) -> None:
    """For somebody else 31, no bundle 13, damaged 20, not there 2: nothing is written, and each says what is wrong."""
    two = witnessed
    before = two("hq", "journal", "list")
    path = two.send("out")
    assert "not for this key" in two("hq", "bundle", "import", path, key="hq-1", code=31)["error"]
    refused = two.hub("bundle", "import", str(two.base / "people.jsonl"), code=13)
    assert "bundle inspect" in refused["hint"]
    two.hub("bundle", "import", two.file("request"), code=13)
    two.hub("bundle", "import", two.file("absent"), code=2)
    two.hub("bundle", "import", str(two.base / "stick"), code=2)
    raw = bytearray(Path(path).read_bytes())
    raw[-1] ^= 1
    Path(two.file("damaged")).write_bytes(bytes(raw))
    two.hub("bundle", "import", two.file("damaged"), code=20)
    assert two("hq", "journal", "list") == before
    assert two.hub("bundle", "import", path)["code"] == 0, "the negative control"


def test_the_wrong_recipient(witnessed: Two) -> None:
    """Nobody by that name, oneself, members of two roles, a revoked one: no file on the stick."""
    two = witnessed
    for to, code in ((["nobody"], 2), (["field-2"], 2), (["hub-1", "hq-1"], 2)):
        named = [word for handle in to for word in ("--to", handle)]
        two.field("bundle", "create", *named, "-o", two.file("x"), code=code)
    two("hq", "member", "revoke", "field-2", "--yes", key="root")
    two.hub("bundle", "create", "--to", "field-2", "-o", two.file("x"), code=31)
    two.hub("bundle", "import", two.send("late"), code=31)
    assert not Path(two.file("x")).exists()


def test_inspect_tells_files_apart(witnessed: Two) -> None:
    """Without a vault and without a key: the files that lie about on a stick."""
    two = witnessed
    share = next((two.base / "shares").iterdir())
    kinds = {
        two.file("request"): "request for membership",
        two.file("answer"): "bundle",
        two.file("first"): "bundle",
        str(share): "recovery share",
        str(two.base / "south" / "keys" / "field-2.key"): "key file",
        str(two.base / "south" / "vault.db"): "vault database",
        str(two.base / "people.jsonl"): "not a file of fieldvault",
    }
    for path, kind in kinds.items():
        assert two("nowhere", "bundle", "inspect", path)["kind"] == kind
        said, _ = two.said("nowhere", "bundle", "inspect", path)
        assert said.splitlines()[0] == f"{Path(path).name}: {kind}"
    assert not (two.base / "nowhere").exists()
