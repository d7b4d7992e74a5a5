"""What comes from other laptops, in the database: heads, locks, replicas; nothing of it is ever overwritten."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from vault.errors import VaultError
from vault.model import KeyId, Layer, Origin
from vault.store.arrivals import FORK, RESTORED, Arrivals, Lock
from vault.store.store import Batch, Store

ONE, TWO = Origin("fieldvault/" + "0" * 32 + "/field-1/1"), Origin("fieldvault/" + "0" * 32 + "/field-2/1")
MINE, YOURS = KeyId(bytes(16)), KeyId(bytes([1]) * 16)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty database."""
    with Store.create(tmp_path / "vault.db") as made:
        yield made


@pytest.fixture
def arrivals(store: Store) -> Arrivals:
    """What is under test."""
    return Arrivals(store)


def test_heads_come_back_largest_first(arrivals: Arrivals) -> None:
    """Of one journal only; a head that is remembered already changes nothing."""
    with arrivals._store.transaction():
        for size, note in ((3, b"c"), (1, b"a"), (9, b"z"), (3, b"d")):
            arrivals.add_head(ONE, size, note * 32, note)
        arrivals.add_head(TWO, 100, b"t" * 32, b"t")
        arrivals.add_head(ONE, 3, b"c" * 32, b"other bytes under the same digest")
    assert arrivals.heads(ONE) == [(9, b"z"), (3, b"c"), (3, b"d"), (1, b"a")]
    assert (arrivals.largest_head(ONE), arrivals.largest_head(TWO), arrivals.largest_head("nobody")) == (9, 100, 0)
    assert arrivals.origins_heard_of() == [ONE, TWO]


def test_the_first_reason_for_a_lock_stays(arrivals: Arrivals) -> None:
    """One lock for each journal; a second changes neither its reason nor its notes."""
    first = Lock(origin=ONE, reason=FORK, ours=b"a", theirs=b"b")
    with arrivals._store.transaction():
        arrivals.add_lock(first)
        arrivals.add_lock(Lock(origin=ONE, reason=RESTORED, ours=b"c", theirs=b"d"))
        arrivals.add_lock(Lock(origin=TWO, reason=RESTORED, ours=b"e", theirs=b"f"))
    assert arrivals.locks()[0] == first
    assert [lock.origin for lock in arrivals.locks()] == [ONE, TWO]


def test_memory_cannot_be_changed_or_deleted(store: Store, arrivals: Arrivals) -> None:
    """Not even by a bug: the triggers refuse it."""
    with store.transaction():
        arrivals.add_head(ONE, 3, b"c" * 32, b"c")
        arrivals.add_lock(Lock(origin=ONE, reason=FORK, ours=b"a", theirs=b"b"))
    for sql in (
        "DELETE FROM head",
        "UPDATE head SET size = 1",
        "DELETE FROM lock",
        "UPDATE lock SET reason = 'restored'",
    ):
        with pytest.raises(VaultError), store.transaction():
            store.rows(sql)
    assert (arrivals.heads(ONE), len(arrivals.locks())) == ([(3, b"c")], 1)


def _journal(store: Store, count: int = 6) -> int:
    number = store.add_journal(ONE)
    store.append(
        number,
        Batch(
            leaves=[(seq, b"leaf %d" % seq) for seq in range(count)],
            nodes=[],
            parts=[
                (seq, layer.value, b"%d %s" % (seq, layer.value.encode())) for seq in range(count) for layer in Layer
            ],
            wraps=[
                (recipient, "tally", seq, position, b"wrap")
                for seq in (1, 3)
                for position, recipient in enumerate((YOURS, MINE))
            ],
            checkpoint=(count, b"note"),
        ),
    )
    return number


def test_ranges_of_entries_are_read_in_order(store: Store, arrivals: Arrivals) -> None:
    """From `start` up to but not with `end`; layers and recipients only those that are asked for."""
    with store.transaction():
        number = _journal(store)
    assert arrivals.leaves(number, 2, 4) == [b"leaf 2", b"leaf 3"]
    assert arrivals.leaves(number, 4, 99) == [b"leaf 4", b"leaf 5"]
    assert arrivals.leaves(number, 3, 3) == []
    assert arrivals.parts(number, 1, 3, [Layer.TALLY]) == [(1, "tally", b"1 tally"), (2, "tally", b"2 tally")]
    places = [(seq, layer) for seq, layer, _ in arrivals.parts(number, 0, 2, Layer)]
    assert places == sorted(places)
    assert len(places) == 6
    assert arrivals.parts(number, 0, 6, ()) == []
    assert [row[2:4] for row in arrivals.wraps(number, 0, 6)] == [(1, 0), (1, 1), (3, 0), (3, 1)]
    assert [row[2:4] for row in arrivals.wraps(number, 0, 3, frozenset({MINE}))] == [(1, 1)]
    assert arrivals.wraps(number, 0, 6, frozenset()) == []


def test_a_replica_grows_and_keeps_what_it_has(store: Store, arrivals: Arrivals) -> None:
    """New rows are added; parts, wraps and checkpoints that are here stay as they are."""
    with store.transaction():
        number = _journal(store)
        arrivals.extend(number, [(6, b"leaf 6"), (7, b"leaf 7")], [(3, 0, bytes(32)), (1, 3, bytes(32))])
        arrivals.add_parts(number, [(5, "case", b"another"), (6, "case", b"new")])
        arrivals.add_wraps(number, [(MINE, "tally", 3, 1, b"another"), (MINE, "tally", 6, 0, b"new")])
        arrivals.add_checkpoint(number, 6, b"another")
        arrivals.add_checkpoint(number, 8, b"new")
    assert arrivals.leaves(number, 6, 9) == [b"leaf 6", b"leaf 7"]
    assert store.node(number, 3, 0) == bytes(32)
    assert arrivals.parts(number, 5, 9, [Layer.CASE]) == [(5, "case", b"5 case"), (6, "case", b"new")]
    assert [row[4] for row in arrivals.wraps(number, 3, 9, frozenset({MINE}))] == [b"wrap", b"new"]
    assert [arrivals.checkpoint_at(number, size) for size in (6, 7, 8)] == [b"note", None, b"new"]


def test_an_entry_is_never_written_over(store: Store, arrivals: Arrivals) -> None:
    """An entry that is here already is an error, not a replacement: whoever writes has not compared."""
    with store.transaction():
        number = _journal(store)
    with pytest.raises(VaultError) as caught, store.transaction():
        arrivals.extend(number, [(5, b"other")], [])
    assert caught.value.message
    assert arrivals.leaves(number, 5, 6) == [b"leaf 5"]


def test_rows_of_one_transaction_stand_or_fall_together(store: Store, arrivals: Arrivals) -> None:
    """An error after the first row: none of them is there."""
    twice = [(0, b"leaf 0"), (0, b"leaf 0")]
    with pytest.raises(VaultError), store.transaction():
        arrivals.extend(store.add_journal(ONE), twice, [])
    assert (store.journals(), arrivals.heads(ONE)) == ((), [])
