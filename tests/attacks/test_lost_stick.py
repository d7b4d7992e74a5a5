"""A lost stick says nothing but its size: no name, no key, no journal, no word of what was recorded."""

from __future__ import annotations

from base64 import b32encode, b64encode
from collections.abc import Iterator

import pytest

from tests.canary_scanner import encodings, holds_canary
from tests.laptops import Fleet, Laptop, carry, items_of, record
from tests.organisation import HANDLES
from vault.formats import bundle as wire
from vault.formats.bundle_frames import COMMITMENT, MAGIC, SEALED_FRAME, START, STREAM_HEADER, WRAP

SHORTEST = 6
"""Bytes of the shortest text that is looked for: shorter ones are found in random bytes by chance."""


def _spelt(raw: bytes) -> Iterator[bytes]:
    """The ways in which bytes are written down."""
    yield from (raw, raw[::-1], raw.hex().encode(), raw.hex().upper().encode(), b32encode(raw).rstrip(b"=")[:-1])
    for before in range(3):
        yield b64encode(bytes(before) + raw)[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6]


def secrets_of(fleet: Fleet, laptop: Laptop) -> dict[str, bytes]:
    """What must not be on the stick, in every spelling: name -> bytes."""
    vault = laptop.vault
    found: dict[str, bytes] = {}
    texts = [*HANDLES, vault.vault_id, *(item.origin for item in vault.journals()), "fieldvault/", "recorder"]
    for text in texts:
        found |= {f"{text} {how}": raw for how, raw in encodings(text).items()}
    blobs = {"vault id": bytes.fromhex(vault.vault_id), "root hash": vault.journals()[0].root}
    for handle in HANDLES:
        member = vault.roster.member(handle)
        blobs |= {
            f"signing key of {handle}": member.keys.signing,
            f"sealing key of {handle}": member.keys.sealing[:32],
            f"end of the sealing key of {handle}": member.keys.sealing[-32:],
            f"key id of {handle}": member.key_id,
        }
        for compartment in fleet.keys[handle].compartments:
            blobs |= {f"compartment of {handle}": compartment.key_id}
    for name, blob in blobs.items():
        found |= {f"{name} {number}": raw for number, raw in enumerate(_spelt(blob))}
    return {name: raw for name, raw in found.items() if len(raw) >= SHORTEST}


def found_in(raw: bytes, needles: dict[str, bytes]) -> set[str]:
    """The names of what is in these bytes."""
    return {name for name, needle in needles.items() if needle in raw}


@pytest.mark.parametrize(("sender", "to"), [("field-1", ["hub-1"]), ("hub-1", ["field-1"]), ("hub-1", ["auditor-1"])])
def test_a_bundle_says_nothing(fleet: Fleet, sender: str, to: list[str]) -> None:
    """No handle, origin, vault id, public key, key id or canary, in any spelling; inside the seal they are all."""
    laptop, hub = fleet.laptop("field", "field-1"), fleet.laptop("hq", "hub-1")
    record(laptop, "field-1", 20)
    carry(laptop, "field-1", hub, "hub-1")
    needles = secrets_of(fleet, hub)
    source = laptop if sender == "field-1" else hub
    path = source.bundle(to, sender)
    raw = path.read_bytes()
    assert raw.startswith(MAGIC)
    assert found_in(raw[len(MAGIC) :], needles) == set()  # the magic says "fieldvault bundle 1": that it is one
    assert not holds_canary(raw)
    inside = b"".join(wire.encode_item(item) for item in items_of(path, fleet.keys[to[0]]))
    names = " ".join(found_in(inside, needles))
    assert all(handle in names for handle in HANDLES)
    assert all(f"signing key of {handle}" in names for handle in HANDLES)
    assert "vault id" in names
    assert "root hash" in names or "fieldvault/" in names


def test_a_bundles_name_says_nothing(fleet: Fleet) -> None:
    """Neither does its name, which is drawn: two bundles of one moment have two names."""
    laptop = fleet.laptop("field", "field-1")
    paths = [laptop.bundle("hub-1") for _ in range(2)]
    needles = secrets_of(fleet, laptop)
    assert found_in(" ".join(path.name for path in paths).encode(), needles) == set()
    assert paths[0] != paths[1]


def test_a_canary_that_were_there_would_be_found(fleet: Fleet) -> None:
    """The control: what is planted in the bytes of a bundle is found, in each spelling."""
    laptop = fleet.laptop("field", "field-1")
    raw = laptop.bundle("hub-1").read_bytes()
    needles = secrets_of(fleet, laptop)
    assert len(needles) > 1_000
    for name, needle in list(needles.items())[::211]:
        assert name in found_in(raw[:30_000] + needle + raw[30_000:], needles)


def test_bundles_look_alike_whoever_they_are_for(fleet: Fleet) -> None:
    """One recipient or four, hub or auditor: the same length of header, and whole frames; two bundles of one content
    share no byte beyond the magic but by chance."""
    hub = fleet.laptop("hq", "hub-1")
    paths = [hub.bundle(handle, "hub-1") for handle in ("auditor-1", "director-1", "field-1", "auditor-1")]
    raws = [path.read_bytes() for path in paths]
    header = START + 4 * WRAP
    assert {raw[:START] for raw in raws} == {MAGIC + b"\x00\x04"}
    assert {(len(raw) - header - COMMITMENT - STREAM_HEADER) % SEALED_FRAME for raw in raws} == {0}
    one, other = raws[0][START:], raws[3][START:]
    same = sum(left == right for left, right in zip(one, other, strict=False))
    assert same < len(one) // 100
