"""Heads that were kept outside the vault, on paper or in a file, years later: they hold, or say what happened."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.laptops import History, Laptop, head_of, record
from tests.organisation import flipped, rows_of
from vault.errors import UsageError
from vault.formats.paper_head import PaperHead, encode_paper_head, parse_paper_head
from vault.model import Origin
from vault.primitives import tree
from vault.services.audit import INTACT_ANCHORED, INTACT_UNANCHORED, verify_vault
from vault.services.audit_given import HeadVerdict
from vault.services.audit_heads import remembered_heads
from vault.services.findings import NOTICE


def paper_of(laptop: Laptop, handle: str = "field-1") -> str:
    """What stands in the notebook."""
    found = remembered_heads(laptop.directory)
    return next(encode_paper_head(head.paper) for head in found.heads if head.paper and f"/{handle}/" in head.origin)


def faults(laptop: Laptop, *heads: str) -> list[str]:
    """The codes of what does not hold."""
    report = verify_vault(laptop.directory, heads=heads)
    return [finding.code for finding in report.findings if finding.level != NOTICE]


def rewritten(laptop: Laptop, handle: str, leaves: list[bytes], notes: dict[int, bytes]) -> None:
    """A whole journal put in the place of the one that is here, tree and heads and all."""
    number = laptop.vault.journal_number(laptop.origin(handle))
    laptop.close()
    with rows_of(laptop.directory) as rows:
        for table in ("leaf", "node", "checkpoint", "part", "wrap"):
            rows.run(f"DELETE FROM {table} WHERE journal = ?", number)  # noqa: S608
        frontier: list[bytes] = []
        for seq, raw in enumerate(leaves):
            rows.run("INSERT INTO leaf VALUES (?, ?, ?)", number, seq, raw)
            for level, index, value in tree.append(frontier, seq, tree.leaf_hash(raw)):
                rows.run("INSERT INTO node VALUES (?, ?, ?, ?)", number, level, index, value)
        for size, note in notes.items():
            rows.run("INSERT INTO checkpoint VALUES (?, ?, ?)", number, size, note)
    laptop.vault = type(laptop.vault).open(laptop.directory, laptop.environment)


def test_a_paper_head_holds_and_is_the_anchor(field: Laptop) -> None:
    """Written down, then three entries more: the journal begins with it, and the verdict names it."""
    paper = paper_of(field)
    record(field, "field-1", 3)
    assert verify_vault(field.directory).verdict == INTACT_UNANCHORED, "negative control"
    report = verify_vault(field.directory, heads=[paper])
    anchor = "field-1/1 up to 5 of 8 entries, by a paper head; 3 not anchored yet"
    assert (report.verdict, report.anchor) == (INTACT_ANCHORED, anchor)
    (checked,) = report.heads
    assert (checked.verdict, checked.head.size, checked.held) == (HeadVerdict.HOLDS, 5, 8)
    (memory,) = [level for level in report.levels if level.name == "memory"]
    assert memory.message.endswith("; anchors given with --head: field-1/1 up to 5 (paper)")


def test_a_head_of_another_journal_anchors_that_one_only(field: Laptop) -> None:
    """The roster's paper head holds; the journal that is written here has no anchor yet."""
    report = verify_vault(field.directory, heads=[paper_of(field, "root")])
    assert (report.heads[0].verdict, report.verdict) == (HeadVerdict.HOLDS, INTACT_UNANCHORED)


def test_a_rolled_back_vault(field: Laptop) -> None:
    """A whole older copy passes by itself; the notebook says that there was more."""
    backup = field.copied("backup")
    record(field, "field-1", 3)
    paper = paper_of(field)
    assert faults(field, paper) == faults(backup) == [], "negative controls"
    assert faults(backup, paper) == ["rollback"]


def test_a_rewritten_and_resigned_history(field: Laptop) -> None:
    """Its own key holder can rewrite a journal that nobody else has seen; not what is on paper."""
    paper = paper_of(field)
    true = History.of(field, "field-1")
    kept = true.leaves[:1]
    other = History(true.origin, true.seed, kept).grown(7)
    rewritten(field, "field-1", other.leaves, {8: other.note()})
    assert "fork" not in faults(field), "negative control: nothing else remembers"
    assert "fork" in faults(field, paper)
    (checked,) = verify_vault(field.directory, heads=[paper]).heads
    assert checked.verdict is HeadVerdict.FORK


def test_the_same_size_and_another_root(field: Laptop) -> None:
    """A head that its writer might as well have signed, of as many entries."""
    head = parse_paper_head(paper_of(field), field.vault.vault_id)
    other = PaperHead(origin=head.origin, size=head.size, start=flipped(head.start))
    assert faults(field, encode_paper_head(head)) == [], "negative control"
    assert faults(field, encode_paper_head(other)) == ["fork"]


def test_a_journal_that_is_not_here(field: Laptop) -> None:
    """Written down once, and nothing of it is here: gone."""
    head = PaperHead(origin=Origin(field.origin()[:-1] + "2"), size=3, start=bytes(16))
    assert faults(field, encode_paper_head(head)) == ["rollback"]


def test_every_size_up_to_the_last_holds(field: Laptop) -> None:
    """Whichever head was written down on the way."""
    true = History.of(field, "field-1")
    papers = []
    for size in range(1, len(true.leaves) + 1):
        root = tree.fold(true.frontier(size))
        papers.append(encode_paper_head(PaperHead(origin=true.origin, size=size, start=root[:16])))
    report = verify_vault(field.directory, heads=papers)
    assert {checked.verdict for checked in report.heads} == {HeadVerdict.HOLDS}
    assert report.anchor == "field-1/1 up to 5 of 5 entries, by a paper head"


# -- signed notes in files -------------------------------------------------------------------------------------------


def kept(field: Laptop, note: bytes) -> str:
    """A note in somebody's file."""
    path = field.fleet.home / "kept.note"
    path.write_bytes(note)
    return str(path)


def test_a_signed_note_that_somebody_kept(field: Laptop) -> None:
    """Holds; and longer or other histories by the same key are a rollback and a fork."""
    true = History.of(field, "field-1")
    assert faults(field, kept(field, true.note(3))) == []
    assert faults(field, kept(field, true.grown(2).note())) == ["rollback"]
    other = History(true.origin, true.seed, true.leaves[:1]).grown(3)
    assert faults(field, kept(field, other.note())) == ["fork"]


def test_a_note_that_its_writer_did_not_sign(field: Laptop) -> None:
    """Proves nothing against the journal: the note is the finding."""
    true = History.of(field, "field-1")
    forged = head_of(true.origin, 9, bytes([7]) * 32, bytes(32))
    report = verify_vault(field.directory, heads=[kept(field, forged)])
    assert [item.code for item in report.findings if item.level != NOTICE] == ["SignatureInvalid"]
    assert report.heads[0].verdict is HeadVerdict.UNCHECKED


def _miswritten(field: Laptop) -> str:
    paper = paper_of(field)
    return paper[:-1] + ("a" if paper[-1] != "a" else "b")


DEFECTS: dict[str, Callable[[Laptop], str]] = {
    "a directory": lambda field: str(field.directory),
    "a miswritten letter": _miswritten,
    "another vault's note": lambda field: kept(
        field, head_of(Origin(f"fieldvault/{'0' * 32}/field-1/1"), 3, bytes([1]) * 32, bytes(32))
    ),
    "no note": lambda field: kept(field, b"no note\n"),
}


@pytest.mark.parametrize("defect", sorted(DEFECTS))
def test_what_is_no_head_is_refused_before_anything(field: Laptop, defect: str) -> None:
    """In one line, and nothing is said about the vault."""
    assert faults(field, paper_of(field)) == [], "negative control"
    with pytest.raises(UsageError) as caught:
        verify_vault(field.directory, heads=[DEFECTS[defect](field)])
    assert "\n" not in caught.value.message
