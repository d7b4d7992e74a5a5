"""Headquarters restored from a backup, through the command line over the real library: what is said at which laptop,
with which exit code, and that root's way on works to the end."""

from __future__ import annotations

import pytest

from tests.cli.test_two_laptops import Two, _quick, begun, two  # noqa: F401  # fixtures


@pytest.fixture
def restored(two: Two) -> Two:  # noqa: F811  # the fixture
    """A backup of headquarters, put back after it enrolled field-9 on its own laptop and told the recorder."""
    two.copied("hq", "backup")
    enrol(two, "field-9")
    two.field("bundle", "import", two.answer("told"))
    two.copied("hq", "lost")
    two.copied("backup", "hq")
    return two


def enrol(two: Two, handle: str, code: int = 0) -> None:  # noqa: F811
    """`member add` at headquarters."""
    new = ["--new-passphrase-file", str(two.base / "field-2")]
    two("hq", "member", "add", handle, "--role", "recorder", *new, key="root", code=code)


@pytest.mark.parametrize("full", [[], ["--full"]])
def test_root_is_told_and_goes_on(restored: Two, full: list[str]) -> None:
    """21 as long as it is so; no enrolment, no key file left behind; compared and lifted; one roster in the end."""
    path = str(restored.field("bundle", "create", "--to", "hub-1", "-o", restored.file("out.fvb"), *full)["file"])
    out, told = restored.said("hq", "bundle", "import", path, key="hub-1", code=21)
    assert "root/1: 1 new entry that this laptop had lost; the roster is locked" in out
    assert "warning: root/1 is locked" in told
    assert "Next: fieldvault journal recover --as root" in told
    _, told = restored.said("hq", "bundle", "import", path, key="hub-1", code=21)
    assert "root/1 is still locked" in told
    out, told = restored.said("hq", "status")
    assert "LOCKED: root/1" in out
    assert "Next: fieldvault journal recover --as root" in told
    enrol(restored, "field-12", code=21)
    assert not (restored.base / "hq" / "keys" / "field-12.key").exists()
    restored("hq", "member", "revoke", "field-9", "--dry-run", key="root", code=21)
    restored("hq", "journal", "recover", key="root", code=2)
    done = restored("hq", "journal", "recover", "--yes", key="root")
    assert "field-2" in done["elsewhere"]
    assert restored("hq", "journal", "recover", "--yes", key="root", code=2)["error"].startswith("nothing is wrong")
    enrol(restored, "field-12")
    assert restored.field("bundle", "import", restored.answer("after"))["code"] == 0
    assert {"field-9", "field-12"} <= {row["handle"] for row in restored("south", "member", "list")["members"]}


def test_a_forked_roster_is_22_everywhere(restored: Two) -> None:
    """Root had enrolled somebody else before it was told: both laptops name it, with the evidence."""
    enrol(restored, "field-8")
    receipt = restored.answer("forked")
    _, told = restored.said("south", "bundle", "import", receipt, key="field-2", code=22)
    assert "evidence" in told
    assert (restored.base / "south" / "evidence" / "root-1" / "README.txt").is_file()
    sent = restored.send("back")
    _, told = restored.said("hq", "bundle", "import", sent, key="hub-1", code=22)
    assert "enrol and revoke nobody here" in told
    assert (restored.base / "hq" / "evidence" / "root-1" / "README.txt").is_file()
    refused = restored("hq", "journal", "recover", "--yes", key="root", code=22)
    assert "epoch" not in refused["error"] + refused["hint"]


def test_a_restored_hub_asks_everybody(two: Two) -> None:  # noqa: F811
    """Its next epoch is opened, and it is not told to send a bundle to itself."""
    two.copied("hq", "backup")
    two.hub("bundle", "import", two.send("one"))
    two.field("bundle", "import", two.answer("receipt"))
    two.copied("backup", "hq")
    two.hub("bundle", "import", two.send("two"), code=21)
    _, told = two.said("hq", "journal", "recover", "--yes", key="hub-1")
    assert "Next: ask each of these for a full bundle: field-2" in told
    full = two.field("bundle", "create", "--to", "hub-1", "--full", "-o", two.file("full.fvb"))["file"]
    came = two.hub("bundle", "import", str(full))
    assert {row["origin"].split("/", 2)[2]: row["outcome"] for row in came["journals"]}["field-2/1"] == "new"


def test_what_is_not_known_to_be_lost_is_not_to_be_recorded_again(two: Two) -> None:  # noqa: F811
    """While headquarters has more than is here, nobody is told to type anything twice; a bundle of what is locked is
    done in part (3)."""
    two.copied("south", "backup")
    two.field("case", "open", "--set", "sex=male")
    two.hub("bundle", "import", two.send("out"))
    receipt = two.answer("receipt")
    two.copied("backup", "south")
    two.field("bundle", "import", receipt, code=21)
    sent = two.field("bundle", "create", "--to", "hub-1", "-o", two.file("locked.fvb"), code=3)
    assert any("field-2/1 is locked" in warning for warning in sent["warnings"])
    _, told = two.said("south", "journal", "recover", "--dry-run", key="field-2")
    assert "it is not known yet whether they have these entries of field-2/1" in told
    assert "--full" in told
    assert "record them again" not in told
