"""A published directory against everything that can be done to it: each change is found, and what is good passes."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.laptops import Fleet, History, Laptop, filler, head_of, record
from tests.services.publishing import Shown, again, everything, faults, flip, notices, show, two_laptops, write_history
from vault.errors import FormatError, UsageError
from vault.formats.leaf import Leaf, PartRef, encode_leaf
from vault.formats.tiles import parse_entries
from vault.formats.tlog_policy import encode_policy, parse_policy
from vault.model import Digest, Kind, Layer, Origin, Role
from vault.services.audit_given import HeadVerdict
from vault.services.audit_publish_texts import directory_of
from vault.services.audit_tiles import verify_published

INTACT = "intact, NOT anchored"
PART = PartRef(layer=Layer.TALLY, digest=Digest(bytes(32)), cell=256)


@pytest.fixture
def shown(field: Laptop, tmp_path: Path) -> Shown:
    """305 entries of field-1, published twice: at 5 and at 305."""
    show(field, tmp_path / "published")
    record(field, "field-1", 300)
    return show(field, tmp_path / "published")


def swap_entries(path: Path, width: int) -> None:
    """Puts the last two entries of a bundle in the other order."""
    *rest, left, right = parse_entries(path.read_bytes(), width)
    path.write_bytes(b"".join(len(raw).to_bytes(2, "big") + raw for raw in (*rest, right, left)))


def more(path: Path, raw: bytes) -> None:
    """Writes behind the end of a file."""
    path.write_bytes(path.read_bytes() + raw)


def moved(path: Path, name: str) -> None:
    """Gives a file another name beside it."""
    path.rename(path.with_name(name))


CHANGES: dict[str, tuple[Callable[[Shown], object], tuple[str, str]]] = {
    "entry flipped": (lambda s: flip(s.tile(None, 0), 700), ("bytes", "IntegrityError")),
    "entries swapped": (lambda s: swap_entries(s.tile(None, 1, 49), 49), ("bytes", "sequence")),
    "entry surplus in its bundle": (lambda s: more(s.tile(None, 1, 49), b"\0\1x"), ("bytes", "FormatError")),
    "byte surplus in a bundle": (lambda s: more(s.tile(None, 1, 49), b"\0"), ("bytes", "FormatError")),
    "bundle cut": (lambda s: os.truncate(s.tile(None, 0), 9000), ("bytes", "FormatError")),
    "bundle removed": (lambda s: s.tile(None, 0).unlink(), ("bytes", "IntegrityError")),
    "bundle emptied": (lambda s: os.truncate(s.tile(None, 1, 49), 0), ("bytes", "FormatError")),
    "tile of level 0 flipped": (lambda s: flip(s.tile(0, 0)), ("bytes", "IntegrityError")),
    "partial tile of level 0 flipped": (lambda s: flip(s.tile(0, 1, 49)), ("bytes", "IntegrityError")),
    "tile of level 1 flipped": (lambda s: flip(s.tile(1, 0, 1)), ("bytes", "IntegrityError")),
    "tile removed": (lambda s: s.tile(0, 0).unlink(), ("bytes", "IntegrityError")),
    "partial tile removed": (lambda s: s.tile(1, 0, 1).unlink(), ("bytes", "IntegrityError")),
    "tile longer": (lambda s: more(s.tile(0, 0), bytes(32)), ("bytes", "FormatError")),
    "older partial bundle flipped": (lambda s: flip(s.tile(None, 0, 5)), ("bytes", "tile")),
    "older partial tile flipped": (lambda s: flip(s.tile(0, 0, 5)), ("bytes", "tile")),
    "tile surplus": (lambda s: s.tile(0, 7).write_bytes(bytes(8192)), ("bytes", "surplus")),
    "wider partial surplus": (lambda s: s.tile(None, 1, 50).write_bytes(b"x"), ("bytes", "surplus")),
    "level surplus": (lambda s: (s.folder / "tile" / "x").write_bytes(b""), ("bytes", "surplus")),
    "tile renamed": (lambda s: moved(s.tile(0, 0), "000.bak"), ("bytes", "surplus")),
    "file surplus in the journal": (lambda s: (s.folder / "more").write_bytes(b""), ("bytes", "surplus")),
    "file surplus at the top": (lambda s: (s.path / "more").write_bytes(b""), ("bytes", "surplus")),
    "tile a link": (lambda s: _linked(s.tile(0, 0)), ("bytes", "UsageError")),
    "bundle a directory": (lambda s: _directory(s.tile(None, 0)), ("bytes", "UsageError")),
    "size edited": (lambda s: _edit(s, "checkpoint", b"\n305\n", b"\n304\n"), ("signatures", "SignatureInvalid")),
    "checkpoint removed": (lambda s: (s.folder / "checkpoint").unlink(), ("signatures", "IntegrityError")),
    "checkpoint no note": (lambda s: (s.folder / "checkpoint").write_bytes(b"x"), ("signatures", "FormatError")),
    "key exchanged": (lambda s: _edit(s, "vkey", b"field-1", b"field-2"), ("signatures", "key")),
    "key removed": (lambda s: (s.folder / "vkey").unlink(), ("bytes", "IntegrityError")),
    "origin of another": (lambda s: _edit(s, "origin", b"field-1", b"field-2"), ("bytes", "origin")),
    "origin removed": (lambda s: (s.folder / "origin").unlink(), ("signatures", "IntegrityError")),
    "policy removed": (lambda s: (s.path / "policy").unlink(), ("bytes", "missing")),
    "policy broken": (lambda s: more(s.path / "policy", b"quorum none\n"), ("bytes", "FormatError")),
    "members removed": (lambda s: (s.path / "members").unlink(), ("bytes", "missing")),
    "member's role edited": (lambda s: _edit(s, "../members", b"recorder", b"director"), ("signatures", "members")),
    "roster file removed": (lambda s: (s.path / "roster").unlink(), ("signatures", "IntegrityError")),
    "roster's entry flipped": (lambda s: flip(_roster(s).tile(None, 0, 8)), ("signatures", "FormatError")),
    "roster gone": (lambda s: moved(_roster(s).folder, "gone"), ("bytes", "surplus")),
}


def _linked(path: Path) -> None:
    """The same bytes by way of a link."""
    elsewhere = path.parents[4] / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


def _directory(path: Path) -> None:
    """A directory in place of a file."""
    path.unlink()
    path.mkdir()


def _edit(shown: Shown, name: str, old: bytes, new: bytes) -> None:
    path = shown.folder / name
    raw = path.read_bytes()
    assert old in raw
    path.write_bytes(raw.replace(old, new))


def _roster(shown: Shown) -> Shown:
    return Shown(path=shown.path, origin=Origin(shown.origin.replace("/field-1/", "/root/")))


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_is_a_finding(shown: Shown, name: str) -> None:
    """At the level and with the code that it has; and never a traceback."""
    assert shown.verify().findings == (), "negative control"
    change, expected = CHANGES[name]
    change(shown)
    report = shown.verify()
    assert report.verdict == "finding"
    assert expected in faults(report), report.findings
    assert not any(item.code == "unreadable" for item in report.findings)


def test_a_full_tile_stands_in_for_partial_ones(field: Laptop, tmp_path: Path, shown: Shown) -> None:
    """The specification lets partial tiles go once the full one is there; heads of then are compared all the same."""
    kept = tmp_path / "kept.note"
    kept.write_bytes(History.of(field, "field-1").note(200))
    record(field, "field-1", 300)
    again(field, shown.path)
    for path in (shown.tile(None, 0, 5), shown.tile(0, 0, 5), shown.tile(0, 1, 49), shown.tile(None, 1, 49)):
        path.unlink()
    report = shown.verify(heads=[str(kept)])
    assert (report.findings, [item.verdict for item in report.heads]) == ((), [HeadVerdict.HOLDS])


def test_an_older_publication_holds_until_a_head_was_kept(field: Laptop, tmp_path: Path) -> None:
    """A whole directory put back is genuine; only memory tells. Without one it says NOT anchored."""
    shown = show(field, tmp_path / "published")
    old = shown.copy(tmp_path / "old")
    record(field, "field-1", 4)
    again(field, shown.path)
    kept = str(shown.folder / "checkpoint")
    assert old.verify().verdict == INTACT
    report = old.verify(heads=[kept])
    assert faults(report) == [("memory", "rollback")]
    assert [item.verdict for item in report.heads] == [HeadVerdict.ROLLBACK]
    good = shown.verify(heads=[kept, str(old.folder / "checkpoint")])
    assert faults(good) == []
    mine = next(item for item in good.journals if item.origin == shown.origin)
    assert (mine.anchored, good.verdict) == (9, INTACT), "the other journals are not anchored yet"
    notes = [shown.path / directory_of(item.origin) / "checkpoint" for item in good.journals]
    assert shown.verify(heads=[str(note) for note in notes]).verdict == "intact, anchored"


def test_a_rewritten_history_holds_until_a_head_was_kept(field: Laptop, tmp_path: Path, shown: Shown) -> None:
    """Its writer can make it, tiles, signature and all; whoever kept a head sees two histories."""
    kept = tmp_path / "kept.note"
    kept.write_bytes((shown.folder / "checkpoint").read_bytes())
    true = History.of(field, "field-1")
    write_history(shown.folder, History(true.origin, true.seed, true.leaves[:3]).grown(400))
    assert shown.verify().verdict == INTACT
    report = shown.verify(heads=[str(kept)])
    assert faults(report) == [("memory", "fork")]
    assert [item.verdict for item in report.heads] == [HeadVerdict.FORK]


def test_damage_is_not_called_a_fork_or_a_rollback(field: Laptop, tmp_path: Path) -> None:
    """A tile that rotted, or a head that does not verify, contradicts no head that was kept: it cannot be compared."""
    shown = show(field, tmp_path / "published")
    record(field, "field-1", 600)
    again(field, shown.path)
    kept = tmp_path / "kept.note"
    kept.write_bytes(History.of(field, "field-1").note(300))
    assert faults(shown.verify(heads=[str(kept)])) == [], "negative control"
    rotten, unsigned = shown.copy(tmp_path / "rotten"), shown.copy(tmp_path / "unsigned")
    flip(rotten.tile(1, 0, 2), 0)
    _edit(unsigned, "checkpoint", b"\n605\n", b"\n604\n")
    for damaged in (rotten, unsigned):
        report = damaged.verify(policy=shown.path / "policy", heads=[str(kept)])
        assert report.verdict == "finding"
        assert {level for level, _ in faults(report)} <= {"bytes", "signatures"}, report.findings
        assert [item.verdict for item in report.heads] == [HeadVerdict.UNCHECKED]


def test_a_head_of_nobody_is_no_head(field: Laptop, tmp_path: Path, shown: Shown) -> None:
    """Somebody else's signature, another vault's head, or no head: nothing is said about the journal."""
    forged = tmp_path / "forged.note"
    forged.write_bytes(History(shown.origin, bytes(32), History.of(field, "field-1").leaves).note())
    report = shown.verify(heads=[str(forged)])
    assert faults(report) == [("signatures", "SignatureInvalid")]
    with pytest.raises(UsageError):
        shown.verify(heads=["field-1/1 5 what is this"])


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (filler(5) + b"\0", ("bytes", "leaf")),
        (filler(6), ("bytes", "sequence")),
        (encode_leaf(Leaf(seq=6, kind=Kind.RECORD, day=1, parts=(PART,))), ("bytes", "sequence")),
        (b"", ("bytes", "leaf")),
        (encode_leaf(Leaf(seq=5, kind=Kind.CODEBOOK, day=1, extra=(bytes(32),))), ("signatures", "entry")),
        (encode_leaf(Leaf(seq=5, kind=Kind.HEAD_SEEN, day=1, extra=(b"x",))), ("signatures", "entry")),
        (
            encode_leaf(
                Leaf(
                    seq=5,
                    kind=Kind.RELEASE,
                    day=1,
                    parts=(PART,),
                    extra=(bytes(32),),
                )
            ),
            ("signatures", "entry"),
        ),
    ],
)
def test_what_a_writer_may_not_write_is_found(
    field: Laptop, shown: Shown, raw: bytes, expected: tuple[str, str]
) -> None:
    """Signed by its writer and whole as a tree: only whoever reads the entries sees it."""
    true = History.of(field, "field-1")
    write_history(shown.folder, History(true.origin, true.seed, [*true.leaves[:5], filler(5)]))
    assert faults(shown.verify()) == [], "negative control"
    write_history(shown.folder, History(true.origin, true.seed, [*true.leaves[:5], raw]))
    assert faults(shown.verify()) == [expected]


def test_a_signed_root_that_no_entries_lead_to_is_found(field: Laptop, shown: Shown) -> None:
    """Tiles and entries fit each other, and the writer's signature is good: it is over something else."""
    true = History.of(field, "field-1")
    (shown.folder / "checkpoint").write_bytes(head_of(true.origin, 305, bytes(32), true.seed))
    assert faults(shown.verify()) == [("bytes", "root")]


def test_a_roster_of_other_keys_is_found(fleet: Fleet, shown: Shown) -> None:
    """The vault id pins root's keys: whoever founds anew with keys of their own has another one."""
    roster = _roster(shown)
    leaves = list(parse_entries(roster.tile(None, 0, 8).read_bytes(), 8))
    root = fleet.keys["root"].member.keys.signing
    assert root in leaves[0]
    leaves[0] = leaves[0].replace(root, _other_key())
    write_history(roster.folder, History(roster.origin, b"o" * 32, leaves))
    report = shown.verify()
    assert faults(report) == [("signatures", "IntegrityError")]
    assert "the vault id names" in report.findings[0].message


def test_a_journal_of_nobody_is_found(field: Laptop, shown: Shown) -> None:
    """Whoever is not on the roster writes no journal; one of a member in another's place is none either."""
    for name, raw in everything(shown.folder).items():
        origin = shown.origin.replace("/field-1/", "/field-9/")
        path = shown.path / directory_of(origin) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw.replace(b"/field-1/", b"/field-9/"))
    assert faults(shown.verify()) == [("signatures", "not-enrolled")]


def test_keys_in_policies_are_the_roster_s(shown: Shown) -> None:
    """A key of an attacker in the policy that is published, as a log's or as a witness's, is found."""
    path = shown.path / "policy"
    good = parse_policy(path.read_bytes())
    other = replace(good.logs[1].key, public_key=good.witnesses[-1].key.public_key)
    for bad in (
        replace(good, logs=(good.logs[0], replace(good.logs[1], key=other))),
        replace(
            good,
            witnesses=(replace(good.witnesses[0], key=replace(good.witnesses[0].key, name="x.example")),),
            groups=(),
        ),
    ):
        path.write_bytes(encode_policy(bad))
        assert faults(shown.verify()) == [("signatures", "key")]
    path.write_bytes(encode_policy(good))
    assert faults(shown.verify()) == []


def test_trust_comes_from_the_auditor_s_policy_or_from_the_directory(fleet: Fleet, tmp_path: Path) -> None:
    """The same directory: with its own policy not anchored; with the auditor's anchored where their quorum signed."""
    hub, _ = two_laptops(fleet)
    shown = show(hub, tmp_path / "published")
    assert (shown.verify().own_policy, shown.verify().verdict) == (False, INTACT)
    own = tmp_path / "mine"
    own.write_bytes((shown.path / "policy").read_bytes())
    report = shown.verify(policy=own)
    anchored = {item.origin.split("/", 2)[2]: item.anchored for item in report.journals if item.size}
    assert (report.own_policy, anchored["field-1/1"]) == (True, 5)
    assert anchored["hub-1/1"] == 0, "nobody has seen the hub's own journal"
    assert report.verdict == INTACT
    policy = parse_policy(own.read_bytes())
    own.write_bytes(encode_policy(replace(policy, quorum="auditor-1")))
    assert not any(item.anchored for item in shown.verify(policy=own).journals)
    own.write_bytes(encode_policy(replace(policy, quorum="none")))
    assert not any(item.anchored for item in shown.verify(policy=own).journals)


def test_the_auditor_s_policy_names_what_must_be_there(fleet: Fleet, tmp_path: Path, shown: Shown) -> None:
    """A journal that it names and that is gone; another key of a journal; another organisation altogether."""
    own = tmp_path / "mine"
    policy = parse_policy((shown.path / "policy").read_bytes())
    own.write_bytes(encode_policy(policy))
    assert faults(shown.verify(policy=own)) == []
    stranger = replace(policy.logs[1], key=replace(policy.logs[1].key, public_key=_other_key()))
    own.write_bytes(encode_policy(replace(policy, logs=(policy.logs[0], stranger))))
    assert ("signatures", "key") in faults(shown.verify(policy=own))
    gone = next(log for log in policy.logs if "/field-2/" in log.key.name)
    (shown.path / directory_of(gone.key.name)).rename(tmp_path / "gone")
    own.write_bytes(encode_policy(policy))
    report = shown.verify(policy=own)
    assert ("memory", "journal-gone") in faults(report)
    own.write_bytes(encode_policy(replace(policy, logs=())))
    assert ("signatures", "IntegrityError") in faults(shown.verify(policy=own))
    own.write_bytes(b"quorum of my own\n")
    with pytest.raises(FormatError):
        shown.verify(policy=own)


def _other_key() -> bytes:
    from vault.primitives.signing import public_key

    return public_key(b"o" * 32)


def test_quoted_heads_are_compared(fleet: Fleet, tmp_path: Path) -> None:
    """The hub's journal quotes field-1's head at 5. Behind it: a notice. Another history at 5: two were signed."""
    hub, field = two_laptops(fleet)
    shown = show(hub, tmp_path / "published")
    assert faults(shown.verify()) == []
    true = History.of(field, "field-1")
    write_history(shown.folder, History(true.origin, true.seed, true.leaves[:3]))
    assert (faults(shown.verify()), notices(shown.verify())) == ([], ["behind"])
    write_history(shown.folder, History(true.origin, true.seed, true.leaves[:3]).grown(2))
    assert faults(shown.verify()) == [("cross-copies", "fork")]


def test_the_five_levels_are_told_apart(fleet: Fleet, tmp_path: Path) -> None:
    """Each holds, has findings, or was not looked at; a flipped tile is of the bytes, a kept head of the memory."""
    hub, _ = two_laptops(fleet)
    shown = show(hub, tmp_path / "published")

    def told(**given: object) -> dict[str, str]:
        return {level.name: str(level.status) for level in shown.verify(**given).levels}  # type: ignore[arg-type]

    names = ("bytes", "signatures", "memory", "cross-copies", "freshness")
    assert tuple(told()) == names
    assert list(told().values()) == ["holds", "holds", "not looked at", "holds", "holds"]
    kept = str(shown.folder / "checkpoint")
    bare = shown.verify(policy=shown.path / "policy").unmet
    assert [origin.split("/")[2] for origin in bare] == ["root", "hub-1"]
    assert told(heads=[kept])["memory"] == "holds"
    assert told(policy=shown.path / "policy")["memory"] == "notice", "nobody has cosigned these two"
    given = [str(shown.path / directory_of(origin) / "checkpoint") for origin in bare]
    assert told(policy=shown.path / "policy", heads=given)["memory"] == "holds", "negative control"
    flip(shown.tile(0, 0, 5))
    assert told(heads=[kept])["bytes"] == "finding"


def test_what_a_revoked_member_wrote_afterwards_is_void(fleet: Fleet, tmp_path: Path) -> None:
    """It is noted, and says nothing against the rest."""
    from vault.services.revoking import revoke

    hub, _ = two_laptops(fleet)
    revoke(hub.vault, hub.key("root"), "field-1")
    shown = show(hub, tmp_path / "published")
    report = shown.verify()
    assert faults(report) == []
    record_of = History(shown.origin, fleet.keys["field-1"].signing_seed, History.of(hub, "field-1").leaves)
    write_history(shown.folder, record_of.grown(3))
    assert (faults(shown.verify()), notices(shown.verify())) == ([], ["after-revocation"])
    bad = encode_leaf(Leaf(seq=len(record_of.leaves), kind=Kind.CODEBOOK, day=1, extra=(bytes(32),)))
    write_history(shown.folder, History(shown.origin, record_of.seed, [*record_of.leaves, bad]))
    assert (faults(shown.verify()), sorted(notices(shown.verify()))) == ([], ["after-revocation", "entry"])


def test_a_stale_table_of_members_is_no_fault(fleet: Fleet, tmp_path: Path) -> None:
    """An interrupted publication leaves one; keys in it are compared all the same."""
    hub = fleet.laptop("hq", "hub-1", "root")
    shown = show(hub, tmp_path / "published")
    table = (shown.path / "members").read_bytes()
    fleet.enrol(hub, "field-9", Role.RECORDER)
    again(hub, shown.path)
    (shown.path / "members").write_bytes(table)
    assert (faults(shown.verify()), notices(shown.verify())) == ([], ["stale"])
    (shown.path / "members").write_bytes(table.replace(b"\thub\t", b"\tauditor\t"))
    assert faults(shown.verify()) == [("signatures", "members")]


def test_a_directory_that_is_none_is_refused(tmp_path: Path) -> None:
    """Nothing there, and a directory of something else, are no findings; one that lacks a file is."""
    with pytest.raises(UsageError):
        verify_published(tmp_path / "nothing")
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(FormatError, match="not a published directory"):
        verify_published(tmp_path)
    (tmp_path / "roster").write_text("nothing")
    assert verify_published(tmp_path).verdict == "finding", "negative control"
