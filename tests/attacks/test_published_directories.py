"""What a dishonest publisher, or a stranger with the stick, does to a published directory and to who checks it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.laptops import Fleet, History, Laptop, carry, record
from tests.organisation import COST, PASSPHRASES
from tests.services.publishing import Shown, faults, notices, show, two_laptops, write_history
from vault.errors import UsageError
from vault.formats.checkpoint import Checkpoint, sign_checkpoint
from vault.formats.leaf import Leaf, encode_leaf
from vault.formats.note import Note, encode_note, encode_vkey, parse_note
from vault.model import Digest, Kind, Origin
from vault.primitives import tree
from vault.services.audit_evidence_published import write_published_findings
from vault.services.audit_publish import publish
from vault.services.audit_publish_texts import log_key
from vault.services.audit_tiles import PublishedReport, verify_published
from vault.services.recovering import recover_journal
from vault.services.revoking import revoke

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


# -- who would know of more is silenced --------------------------------------------------------------------------------


def kept(shown: Shown, handle: str, home: Path) -> str:
    """A head that the auditor kept of somebody's journal."""
    path = home / f"{handle}.note"
    path.write_bytes((of(shown, handle).folder / "checkpoint").read_bytes())
    return str(path)


def of(shown: Shown, handle: str, epoch: int = 1) -> Shown:
    """Another journal of the same directory."""
    vault = shown.origin.rsplit("/", 2)[0]
    return Shown(path=shown.path, origin=Origin(f"{vault}/{handle}/{epoch}"))


def cut(shown: Shown, history: History) -> None:
    """Shows a journal as it once was."""
    (shown.folder / "witnessed").unlink(missing_ok=True)
    write_history(shown.folder, history)


def strip(shown: Shown, keep: str) -> None:
    """Takes all cosignatures but one member's from a journal's head."""
    note = parse_note((shown.folder / "checkpoint").read_bytes())
    lines = [note.signatures[0], *(line for line in note.signatures[1:] if line.name.endswith(f"/{keep}"))]
    (shown.folder / "checkpoint").write_bytes(encode_note(Note(text=note.text, signatures=tuple(lines))))


def silent(report: PublishedReport) -> set[str]:
    """Who is not heard."""
    return {item.where for item in report.findings if item.code == "unheard"}


@pytest.mark.parametrize("size", [0, 1])
def test_a_hub_that_is_shown_as_it_was_is_not_heard(fleet: Fleet, tmp_path: Path, size: int) -> None:
    """field-1's journal at an old, cosigned head, and headquarters' journal empty, or ended before it says that it has
    seen this much: each is genuine, and the auditor has a head of all that is shown. But headquarters' cosignature is
    there and its journal does not say so: NOT anchored. Whoever kept a later head of headquarters' journal has a
    rollback. Negative control: headquarters' journal as it was, and the same of all the others."""
    hub, field = two_laptops(fleet)
    shown = show(field, tmp_path / "published")
    cut(shown, History.of(field, "field-1", 5))
    (shown.folder / "checkpoint").write_bytes((show(hub, tmp_path / "hubs").folder / "checkpoint").read_bytes())
    for handle in ("root", "hub-1", "field-2"):
        strip(of(shown, handle), "hub-1")
    heads = [kept(shown, handle, tmp_path) for handle in ("root", "field-1", "field-2")]
    later = kept(shown, "hub-1", tmp_path)
    whole = shown.verify(heads=[*heads, later])
    assert (whole.verdict, whole.findings) == ("intact, anchored", ())
    cut(of(shown, "hub-1"), History.of(hub, "hub-1", size))
    earlier = tmp_path / "earlier.note"
    earlier.write_bytes((of(shown, "hub-1").folder / "checkpoint").read_bytes())
    report = shown.verify(heads=[*heads, str(earlier)])
    assert faults(report) == []
    assert all(item.anchored for item in report.journals if item.size), "each journal for itself"
    assert (report.verdict, silent(report)) == ("intact, NOT anchored", {"hub-1"})
    assert ("memory", "rollback") in faults(shown.verify(heads=[*heads, later]))


def test_a_writer_who_is_shown_as_they_were_is_not_heard(fleet: Fleet, tmp_path: Path) -> None:
    """What field-1 cosigned for others stands in their own journal behind the end that is shown of it."""
    _, field = two_laptops(fleet)
    shown = show(field, tmp_path / "published")
    policy = tmp_path / "policy"
    policy.write_bytes((shown.path / "policy").read_bytes())
    assert (shown.verify(policy=policy).verdict, silent(shown.verify(policy=policy))) == ("intact, anchored", set())
    old = (shown.folder / "witnessed").read_bytes()
    cut(shown, History.of(field, "field-1", 5))
    (shown.folder / "checkpoint").write_bytes(old)
    report = shown.verify(policy=policy)
    assert all(item.anchored for item in report.journals if item.size)
    assert (report.verdict, faults(report), silent(report)) == ("intact, NOT anchored", [], {"field-1"})


def test_a_hub_that_is_left_out_is_not_heard(fleet: Fleet, tmp_path: Path) -> None:
    """The auditor has heads of their own of all the others, and no policy that names headquarters' journal. Negative
    controls: with headquarters' journal, and without it for an auditor whose policy names it."""
    _, field = two_laptops(fleet)
    shown = show(field, tmp_path / "published")
    heads = [kept(shown, handle, tmp_path) for handle in ("root", "field-1", "field-2")]
    policy = tmp_path / "policy"
    policy.write_bytes((shown.path / "policy").read_bytes())
    whole = shown.verify(heads=[*heads, kept(shown, "hub-1", tmp_path)])
    assert (whole.verdict, whole.findings) == ("intact, anchored", ())
    of(shown, "hub-1").folder.rename(tmp_path / "gone")
    report = shown.verify(heads=heads)
    assert (report.verdict, faults(report)) == ("intact, NOT anchored", [])
    assert silent(report) == {"hub-1"}
    assert ("memory", "journal-gone") in faults(shown.verify(policy=policy))


def test_what_comes_after_the_anchor_is_not_anchored(fleet: Fleet, tmp_path: Path) -> None:
    """A journal that grew, by its honest writer or by whoever has the key, is anchored up to the old head alone, and
    the report counts the rest. A history without that head in it is no longer anchored at all."""
    _, field = two_laptops(fleet)
    shown = show(field, tmp_path / "published")
    policy = tmp_path / "policy"
    policy.write_bytes((shown.path / "policy").read_bytes())
    true = History.of(field, "field-1")
    write_history(shown.folder, true.grown(3_000))
    report = shown.verify(policy=policy)
    mine = next(item for item in report.journals if item.origin == shown.origin)
    assert (report.verdict, mine.size, mine.anchored, mine.after) == ("intact, anchored", 3_008, 5, 3_003)
    assert mine.anchor is not None
    assert mine.anchor.endswith("; 3003 not anchored yet")
    said = next(level.message for level in report.levels if level.name == "memory")
    assert said == f"4 of 6 journals are anchored, {report.leaves - 3_003} of {report.leaves:,} entries"
    write_history(shown.folder, History(true.origin, true.seed, true.leaves[:4]).grown(3_000))
    assert ("memory", "fork") in faults(shown.verify(policy=policy)), "negative control"


# -- what is left out --------------------------------------------------------------------------------------------------


def test_an_earlier_epoch_that_is_left_out(fleet: Fleet, tmp_path: Path) -> None:
    """field-1's laptop was restored and goes on in a second epoch, which begins with the last cosigned head of the
    first one: a directory without the first one is incomplete, whatever the policy names. Negative control: with it."""
    hub, field = two_laptops(fleet)
    backup = field.copied("backup")
    record(field, "field-1", 2)
    carry(field, "field-1", hub, "hub-1")
    backup.take(hub.bundle("field-1"), "field-1")
    found = recover_journal(backup.vault, backup.key("field-1"), PASSPHRASES["field-1"], cost=COST)
    fleet.keys["field-1"] = found.keyring
    carry(backup, "field-1", hub, "hub-1")
    shown = show(hub, tmp_path / "published")
    second = of(shown, "field-1", 2)
    assert second.folder.is_dir()
    assert faults(shown.verify()) == []
    assert "behind" not in notices(shown.verify())
    shown.folder.rename(tmp_path / "gone")
    for given in (None, shown.path / "policy"):
        report = shown.verify(policy=given)
        assert ("memory", "journal-gone") in faults(report)
        assert f"{second.origin}:0" in [item.where for item in report.findings]


def test_an_earlier_epoch_of_which_nothing_was_seen(shown: Shown, field: Laptop, tmp_path: Path) -> None:
    """A recovery that quotes no head proves no entry of the epoch before: a notice, and never anchored."""
    seed = field.key("field-1").signing_seed
    second = of(shown, "field-1", 2)
    second.folder.mkdir()
    (second.folder / "origin").write_bytes(f"{second.origin}\n".encode())
    (second.folder / "tile").mkdir()
    first = encode_leaf(Leaf(seq=0, kind=Kind.RECOVERY, day=1, extra=(b"",)))
    write_history(second.folder, History(second.origin, seed, [first]))
    member = field.key("field-1").member
    (second.folder / "vkey").write_bytes(f"{encode_vkey(log_key(member, second.origin))}\n".encode())
    (second.folder / "policy").write_bytes(b"quorum none\n")
    heads = [kept(shown, handle, tmp_path) for handle in ("root", "hub-1", "field-2")]
    both = [*heads, kept(shown, "field-1", tmp_path), str(second.folder / "checkpoint")]
    assert (shown.verify(heads=both).verdict, faults(shown.verify(heads=both))) == ("intact, anchored", [])
    shown.folder.rename(tmp_path / "gone")
    report = shown.verify(heads=[*heads, str(second.folder / "checkpoint")])
    assert (report.verdict, faults(report), "behind" in notices(report)) == ("intact, NOT anchored", [], True)


def test_what_root_attested_is_heard(fleet: Fleet, tmp_path: Path) -> None:
    """Root cut field-1 off at five entries. With headquarters' journal shown empty nobody else says so: three of them,
    or none, are fewer than root attested. Negative control: all five."""
    hub, _ = two_laptops(fleet)
    revoke(hub.vault, hub.key("root"), "field-1")
    shown = show(hub, tmp_path / "published")
    empty = of(shown, "hub-1")
    cut(empty, History.of(hub, "hub-1", 0))
    assert "behind" not in notices(shown.verify())
    cut(shown, History.of(hub, "field-1", 3))
    (told,) = [item for item in shown.verify().findings if item.code == "behind"]
    assert (told.where, told.message) == (shown.origin, "others have seen 5 entries, and 3 are here")
    shown.folder.rename(tmp_path / "gone")
    (told,) = [item for item in shown.verify().findings if item.code == "behind"]
    assert (told.where, told.message) == (shown.origin, "others have seen 5 entries, and 0 are here")
