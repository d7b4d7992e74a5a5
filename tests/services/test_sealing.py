"""A bundle opens for its recipients, whole, from its sender, or not at all."""

from __future__ import annotations

import io
import random as seeded
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from tests.primitives import oracle
from tests.primitives.stream_oracle import oracle_open
from tests.services.bundle_crafting import (
    BODY,
    HEADER,
    ITEMS,
    OPEN,
    RAW,
    SENDER,
    craft,
    journal_of,
    large,
    opened,
    opening,
    sealed,
    signature_of,
)
from tests.vectors import bundles, fixed
from vault import labels
from vault.errors import (
    FormatError,
    IntegrityError,
    NotAllowed,
    SignatureInvalid,
    UsageError,
    VaultError,
)
from vault.formats import bundle_frames
from vault.formats.bundle import EndItem, Item, JournalItem, LeavesItem, Opening, parse_item
from vault.formats.bundle_frames import COMMITMENT, FRAME, SEALED_FRAME, START, WRAP
from vault.primitives import hpke
from vault.primitives.hashing import sha256
from vault.primitives.kdf import derive
from vault.primitives.signing import sign
from vault.primitives.stream import StreamSealer
from vault.services.sealing import OpenedBundle, seal_bundle

OTHERS = [fixed.secret(f"recipient {number}") for number in range(64)]
SIZES = st.lists(st.integers(1, 60_000), min_size=1, max_size=8)


def test_the_stored_bundle_opens() -> None:
    """The vector opens with the recipient's seed to the published items, signed by the sender; and so a second time."""
    assert opened(RAW) == [parse_item(bytes.fromhex(item)) for item in OPEN["items"]] == ITEMS
    bundle = OpenedBundle(io.BytesIO(RAW), bundles.SEALING)
    assert list(bundle.items()) == list(bundle.items())
    bundle.verify(SENDER)
    assert list(bundle.items()) == ITEMS


def test_a_second_implementation_opens_the_stored_bundle() -> None:
    """The steps of docs/format.md over other libraries: HPKE, derivations, commitment, frames, signature."""
    header, commitment, stream_header = RAW[:HEADER], RAW[HEADER : HEADER + 32], RAW[HEADER + 32 : BODY]
    info = b"\x91\xc4" + bytes([len(labels.BUNDLE_KEY)]) + b"fieldvault/v1/bundle-key"
    key = oracle.hpke_open(bytes.fromhex(OPEN["seed"]), header[START : START + WRAP], info)
    assert key.hex() == OPEN["bundle key"]
    context = sha256(header)
    assert oracle.derive(key, b"fieldvault/v1/bundle-commitment", context) == commitment
    stream_key = oracle.derive(key, b"fieldvault/v1/bundle-stream", context)
    ((content, tag),) = oracle_open(stream_key, stream_header, [RAW[BODY:]])
    assert (tag, len(content)) == (3, FRAME)
    items = b"".join(len(raw).to_bytes(4, "big") + raw for raw in map(bytes.fromhex, OPEN["items"]))
    signature = content[len(items) + 4 + len(b"\x92\xa6signed\xc4\x40") :][:64]
    message = b"fieldvault/v1/bundle\n" + sha256(header + commitment) + sha256(items)
    assert signature == sign(bundles.SIGNING, message)
    end = items + len(b"\x92\xa6signed\xc4\x40" + signature).to_bytes(4, "big") + b"\x92\xa6signed\xc4\x40" + signature
    assert content == end.ljust(FRAME, b"\0")


def test_the_number_of_frames_is_padme() -> None:
    """A file's size says little of what it holds."""
    raw = sealed(large(10), [bundles.SEALING])
    assert (len(raw) - BODY) / SEALED_FRAME == 10
    assert (len(sealed(large(9), [bundles.SEALING])) - BODY) / SEALED_FRAME == 10
    assert len(opened(raw)) == 14


@pytest.mark.parametrize("count", [1, 2, 4, 5, 9, 64])
def test_every_recipient_opens_it_and_nobody_else(count: int) -> None:
    """Wherever the wrap stands; and the file does not say how many there are."""
    raw = sealed([opening(count)], OTHERS[:count])
    for seed in {OTHERS[0], OTHERS[count - 1]}:
        assert opened(raw, seed) == [opening(count)]
    assert int.from_bytes(raw[20:22], "big") in (4, 8, 16, 64)
    with pytest.raises(NotAllowed, match="not for this key") as caught:
        opened(raw, fixed.secret("a stranger"))
    assert caught.value.code == 31


def test_recipients_are_named_once_and_are_few() -> None:
    """None, one twice, sixty-five, or other than the opening says: refused before anything is written."""
    public = [hpke.public_key(seed) for seed in OTHERS]
    wrong: list[tuple[list[bytes], Opening]] = [
        ([], opening(1)),
        ([public[0], public[0]], opening(2)),
        ([*public, hpke.public_key(bundles.SEALING)], opening(64)),
        (public[:2], opening(1)),
    ]
    for recipients, first in wrong:
        with pytest.raises(UsageError):
            seal_bundle(io.BytesIO(), recipients, [first], bundles.SIGNING, bundles.Drawn())
    with pytest.raises(FormatError):
        seal_bundle(io.BytesIO(), [bytes(1215)], [opening(1)], bundles.SIGNING, bundles.Drawn())


def test_what_would_be_refused_is_not_sealed() -> None:
    """Items out of order, a signature of the caller's, nothing at all."""
    wrong: list[list[Item]] = [[], ITEMS[1:], [*ITEMS[:2], ITEMS[0]], ITEMS[:-1], [*ITEMS, bundles.SIGNED]]
    for items in wrong:
        with pytest.raises(VaultError):
            sealed(items, [bundles.SEALING])


def test_another_sender_is_not_believed() -> None:
    """The signature is the sender's or none; before the end there is nothing to verify."""
    bundle = OpenedBundle(io.BytesIO(RAW), bundles.SEALING)
    with pytest.raises(ValueError, match="to the end"):
        bundle.verify(SENDER)
    items = bundle.items()
    assert next(items) == ITEMS[0]
    with pytest.raises(ValueError, match="to the end"):
        bundle.verify(SENDER)
    assert [ITEMS[0], *items] == ITEMS
    with pytest.raises(SignatureInvalid):
        bundle.verify(fixed.ROOT.signing)
    bundle.verify(SENDER)


def test_a_recipient_cannot_send_the_sender_s_words_on() -> None:
    """The signature covers the header: sealed again to somebody else, or with one item changed, it does not verify."""
    signed = signature_of(RAW)
    again = craft(bundles.framed(*ITEMS, signed) + bytes(4))
    bundle = OpenedBundle(io.BytesIO(again), bundles.SEALING)
    assert list(bundle.items()) == ITEMS
    with pytest.raises(SignatureInvalid):
        bundle.verify(SENDER)
    key, header = bytes.fromhex(OPEN["bundle key"]), RAW[:HEADER]
    for items in (ITEMS, ITEMS[:4]):
        sealer = StreamSealer(derive(key, labels.BUNDLE_STREAM, sha256(header)))
        content = (bundles.framed(*items, signed) + bytes(4)).ljust(FRAME, b"\0")
        made = RAW[: HEADER + COMMITMENT] + sealer.header + sealer.seal(content, final=True)
        bundle = OpenedBundle(io.BytesIO(made), bundles.SEALING)
        assert list(bundle.items()) == items
        if items == ITEMS:
            bundle.verify(SENDER)
        else:
            with pytest.raises(SignatureInvalid):
                bundle.verify(SENDER)


class Changing(io.BytesIO):
    """A stream whose content is replaced when told so."""

    def become(self, raw: bytes) -> None:
        """From now on, other bytes."""
        self.seek(0)
        self.truncate()
        self.write(raw)


def test_a_verified_bundle_cannot_become_another() -> None:
    """What was verified is what the second run reads, or that run fails, even for somebody who knows the bundle key."""
    stream = Changing(RAW)
    bundle = OpenedBundle(stream, bundles.SEALING)
    list(bundle.items())
    bundle.verify(SENDER)
    key, header = bytes.fromhex(OPEN["bundle key"]), RAW[:HEADER]
    sealer = StreamSealer(derive(key, labels.BUNDLE_STREAM, sha256(header)))
    content = (bundles.framed(ITEMS[0], signature_of(RAW)) + bytes(4)).ljust(FRAME, b"\0")
    stream.become(RAW[: HEADER + COMMITMENT] + sealer.header + sealer.seal(content, final=True))
    with pytest.raises(IntegrityError):
        list(bundle.items())
    stream.become(RAW + b"\0")
    with pytest.raises(IntegrityError):
        list(bundle.items())
    for length in (len(RAW) - 1, BODY, BODY - 1, HEADER, 0):
        stream.become(RAW[:length])
        with pytest.raises(IntegrityError):
            list(bundle.items())


def test_two_runs_do_not_disturb_each_other() -> None:
    """Each run reads from where it was, whoever else moves the stream."""
    bundle = OpenedBundle(io.BytesIO(sealed(large(5), [bundles.SEALING])), bundles.SEALING)
    one, other = bundle.items(), bundle.items()
    assert [pair[0] for pair in zip(one, other, strict=True)] == large(5)


def test_a_bundle_is_at_most_2_gib(monkeypatch: pytest.MonkeyPatch) -> None:
    """More is refused while it is written, not by whoever gets it."""
    monkeypatch.setattr(bundle_frames, "MOST_BYTES", BODY + 2 * SEALED_FRAME)
    with pytest.raises(UsageError, match="2 GiB"):
        sealed(large(3), [bundles.SEALING])


def test_memory_stays_flat() -> None:
    """One item and one frame are held, however much is sealed or opened."""

    def items(parts: int) -> Iterator[Item]:
        yield opening(1)
        yield JournalItem(origin=fixed.JOURNAL, start=0, size=1, note=b"n")
        yield LeavesItem(start=0, leaves=(b"leaf",))
        yield EndItem()
        for number in range(2, parts):
            epoch = fixed.JOURNAL[:-1] + str(number)
            yield JournalItem(origin=type(fixed.JOURNAL)(epoch), start=0, size=20, note=bytes([number]))
            yield LeavesItem(start=0, leaves=(bytes(50_000),) * 20)
            yield EndItem()

    class Sink(io.BytesIO):
        size = 0

        def write(self, data: Any, /) -> int:  # noqa: ANN401  # any buffer
            self.size += len(data)
            return len(data)

    public = [hpke.public_key(bundles.SEALING)]
    sink = Sink()
    tracemalloc.start()
    seal_bundle(sink, public, items(40), bundles.SIGNING, bundles.Drawn())
    assert sink.size > 36_000_000
    assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
    tracemalloc.stop()
    out = io.BytesIO()
    seal_bundle(out, public, items(40), bundles.SIGNING, bundles.Drawn())
    tracemalloc.start()
    bundle = OpenedBundle(out, bundles.SEALING)
    assert sum(1 for _ in bundle.items()) == 1 + 3 * 39
    assert tracemalloc.get_traced_memory()[1] < 12 * 2**20
    tracemalloc.stop()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SIZES)
def test_items_survive(sizes: list[int]) -> None:
    """Whatever the sizes of the items, and wherever frames end among them."""
    dice = seeded.Random(str(sizes))
    leaves = tuple(dice.randbytes(size) for size in sizes)
    journal = JournalItem(origin=fixed.JOURNAL, start=0, size=len(sizes), note=b"n")
    items: list[Item] = [opening(1), journal, LeavesItem(start=0, leaves=leaves), EndItem()]
    assert opened(sealed(items, [bundles.SEALING])) == items


@pytest.mark.parametrize("spare", range(-6, 7))
def test_items_that_end_where_a_frame_ends(spare: int) -> None:
    """The length of 0 has a place of its own, also if that takes one more frame."""
    empty = len(bundles.framed(opening(1), *journal_of(1), bundles.SIGNED)) + 4
    size = FRAME - empty - spare  # a blob of one byte was in `empty`, and a long one's length takes one more
    items = [opening(1), *journal_of(size)]
    raw = sealed(items, [bundles.SEALING])
    assert (len(raw) - BODY) // SEALED_FRAME == (1 if spare >= 0 else 2)
    assert opened(raw) == items


def test_unused_wraps_hold_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The places that nobody needs hold random bytes for a key that nobody has, never the bundle key."""
    wrapped: list[tuple[bytes, bytes]] = []
    wrap = hpke.wrap

    def recorded(key: bytes, plaintext: bytes, info: bytes) -> bytes:
        wrapped.append((key, plaintext))
        return wrap(key, plaintext, info)

    monkeypatch.setattr(hpke, "wrap", recorded)
    sealed([opening(1)], [bundles.SEALING])
    assert len(wrapped) == 4
    assert len(set(wrapped)) == len({key for key, _ in wrapped}) == len({secret for _, secret in wrapped}) == 4
