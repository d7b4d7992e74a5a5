"""What a dishonest publisher, or a stranger with the stick, does to a published directory and to who checks it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.laptops import Fleet, Laptop, record
from tests.services.publishing import Shown, notices, show, two_laptops
from vault.errors import UsageError
from vault.formats.checkpoint import Checkpoint, sign_checkpoint
from vault.model import Digest
from vault.primitives import tree
from vault.services.audit_evidence_published import write_published_findings
from vault.services.audit_publish import publish
from vault.services.audit_tiles import verify_published

HOSTILE = ("$(touch PWNED)", "a\n$ touch PWNED", "b;touch PWNED", os.fsdecode(b"\xff\xfe"))


@pytest.fixture
def shown(field: Laptop, tmp_path: Path) -> Shown:
    """A directory as it was published."""
    return show(field, tmp_path / "published")


@pytest.mark.parametrize("name", HOSTILE, ids=["command", "line", "semicolon", "no text"])
def test_a_strangers_file_name_is_never_part_of_a_command(shown: Shown, tmp_path: Path, name: str) -> None:
    """The evidence is for pasting into a shell: names that no publication gives are told in plain letters, on a line
    of words; and they do not stop the evidence from being written."""
    (shown.folder / "tile" / name).write_bytes(b"x")
    report = verify_published(shown.path)
    assert report.verdict == "finding"
    folders = write_published_findings(shown.path, report, tmp_path / "evidence")
    readmes = [path.read_bytes().decode("ascii") for path in (tmp_path / "evidence").rglob("README.txt")]
    assert folders
    assert readmes
    for line in (line for text in readmes for line in text.splitlines()):
        assert not (line.startswith("$ ") and "PWNED" in line)
        assert not line.startswith("$ touch")
    assert any("surplus" in text for text in readmes), "negative control: the finding itself is told"


def test_a_journal_shown_as_it_was_is_not_anchored(fleet: Fleet, tmp_path: Path) -> None:
    """field-1's key signs an empty head anew. Headquarters has cosigned more, and says so in its own journal: nothing
    here is called anchored, whatever else is. Negative control: as it was published, under the same policy."""
    _, field = two_laptops(fleet)
    shown = show(field, tmp_path / "published")
    policy = tmp_path / "policy"
    policy.write_bytes((shown.path / "policy").read_bytes())
    first = shown.verify(policy=policy)
    assert first.verdict == "intact, anchored", first
    empty = Checkpoint(origin=shown.origin, size=0, root=Digest(tree.EMPTY_ROOT))
    (shown.folder / "checkpoint").write_bytes(sign_checkpoint(empty, field.key("field-1").signing_seed))
    (shown.folder / "witnessed").unlink(missing_ok=True)
    for path in sorted((shown.folder / "tile").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    report = shown.verify(policy=policy)
    assert report.verdict == "intact, NOT anchored"
    assert "behind" in notices(report)


def test_a_next_head_that_nobody_signed_allows_no_files(shown: Shown, field: Laptop) -> None:
    """A stranger's `checkpoint.next` of a huge size: what it would explain is surplus, and a finding."""
    text = Checkpoint(origin=shown.origin, size=2**53 - 1, root=Digest(bytes(32)))
    shown.tile(5, 0).parent.mkdir(parents=True)
    shown.tile(5, 0).write_bytes(bytes(8192))
    for seed, expected in ((bytes(32), ["surplus"]), (field.key("field-1").signing_seed, [])):
        (shown.folder / "checkpoint.next").write_bytes(sign_checkpoint(text, seed))
        found = verify_published(shown.path).findings
        assert [one.code for one in found if one.code == "surplus"] == expected, "negative control: its writer's own"


@pytest.mark.parametrize("which", ["journal", "tile"])
def test_publishing_follows_no_link_out_of_its_directory(
    shown: Shown, field: Laptop, tmp_path: Path, which: str
) -> None:
    """A planted link would let a publisher's own laptop overwrite files elsewhere: refused, and nothing is written."""
    elsewhere = tmp_path / "elsewhere"
    where = shown.folder if which == "journal" else shown.folder / "tile"
    where.rename(elsewhere)
    where.symlink_to(elsewhere)
    before = {path: path.read_bytes() for path in elsewhere.rglob("*") if path.is_file()}
    record(field, "field-1", 3)
    with pytest.raises(UsageError, match="link"):
        publish(field.directory, shown.path)
    assert {path: path.read_bytes() for path in elsewhere.rglob("*") if path.is_file()} == before
