# ruff: noqa: ANN401  # what is packed here is wrong on purpose, in every type
"""Deliveries of the made-up organisation, and contents with one defect each: the name is the defect."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgpack

from tests.vectors import fixed
from tests.vectors.tagged import dump, tag
from vault.formats import delivery
from vault.formats.delivery import DeliveredPart, DeliveredTally, Delivery, copy_of, encode_delivery
from vault.formats.wraps import case_context, member_context
from vault.model import Layer, Place, Purpose
from vault.primitives import aead, hpke
from vault.services.roster import member_id

HERE: Final = Path(__file__).parent
SEQ: Final = 7
"""The entry of field-1's journal that offers the case to field-2."""
TAKER: Final = fixed.keys_of("field-2")
TAKER_ID: Final = member_id(TAKER)


def _stored(layer: Layer) -> bytes:
    row: dict[str, Any] = json.loads((HERE / f"part/open-{layer.value}.json").read_text(encoding="ascii"))
    return bytes.fromhex(row["part"])


CONTENT: Final = Delivery(
    case_id=fixed.CASE_ID,
    pseudonym=fixed.PSEUDONYM,
    token=fixed.TOKEN,
    note="ask about the school",
    items=("papers for the ferry", "\ud55c\uad6d\uc5b4"),
    parts=(
        DeliveredPart(place=Place(fixed.JOURNAL, 1), layer=Layer.IDENTITY, raw=_stored(Layer.IDENTITY)),
        DeliveredPart(place=Place(fixed.JOURNAL, 1), layer=Layer.CASE, raw=_stored(Layer.CASE)),
    ),
    tallies=(
        DeliveredTally(place=Place(fixed.JOURNAL, 1), values={"sex": "female", "party": fixed.secret("party", 16)}),
    ),
)
REPLY: Final = Delivery(case_id=fixed.CASE_ID, pseudonym=fixed.PSEUDONYM, token=fixed.TOKEN, note="too far away")
GOOD: Final = {"offer": CONTENT, "copy": copy_of(CONTENT), "reply": REPLY}


def fields(content: Delivery = CONTENT) -> list[Any]:
    """The seven fields of a content."""
    found: list[Any] = msgpack.unpackb(encode_delivery(content).rstrip(b"\0")[:-1])
    return found


def padded(value: Any, length: int | None = None) -> bytes:
    """A value packed and padded as a content is."""
    raw: bytes = msgpack.packb(value, use_bin_type=True) + b"\x80"
    if length is None:
        length = 1024
        while length < len(raw):
            length += 32  # every PADME length up to 2 KiB is a multiple of 64
            length += -length % 64
    return raw.ljust(length, b"\0")


def _put(*path: int, to: object) -> Callable[[], bytes]:
    def made() -> bytes:
        value = fields()
        here = value
        for step in path[:-1]:
            here = here[step]
        here[path[-1]] = to
        return padded(value)

    return made


def _changed(change: Callable[[list[Any]], object]) -> Callable[[], bytes]:
    def made() -> bytes:
        value = copy.deepcopy(fields())
        change(value)
        return padded(value)

    return made


BAD: Final[dict[str, Callable[[], bytes]]] = {
    "case-id-15-bytes": _put(0, to=bytes(15)),
    "case-id-text": _put(0, to="0" * 16),
    "pseudonym-empty": _put(1, to=""),
    "pseudonym-65-characters": _put(1, to="x" * 65),
    "pseudonym-bytes": _put(1, to=b"amber-heron-41"),
    "token-17-bytes": _put(2, to=bytes(17)),
    "token-empty": _put(2, to=b""),
    "note-nil": _put(3, to=None),
    "note-4097-bytes": _put(3, to="x" * 4097),
    "items-nil": _put(4, to=None),
    "item-empty": _put(4, 0, to=""),
    "item-integer": _put(4, 0, to=1),
    "items-65": _put(4, to=["x"] * 65),
    "part-origin-malformed": _put(5, 0, 0, to=fixed.JOURNAL + "/"),
    "part-origin-bytes": _put(5, 0, 0, to=fixed.JOURNAL.encode()),
    "part-seq-true": _put(5, 0, 1, to=True),
    "part-seq-minus-1": _put(5, 0, 1, to=-1),
    "part-layer-tally": _put(5, 1, 2, to="tally"),
    "part-layer-unknown": _put(5, 1, 2, to="names"),
    "part-layer-twice": _put(5, 1, 2, to="identity"),
    "part-length-not-a-cell": _put(5, 0, 3, to=bytes(257)),
    "part-bytes-text": _put(5, 0, 3, to="0" * 256),
    "part-empty-beside-a-full-one": _put(5, 0, 3, to=b""),
    "part-added-field": _changed(lambda value: value[5][0].append(0)),
    "parts-in-another-order": _changed(lambda value: value[5].reverse()),
    "part-twice": _changed(lambda value: value[5].append(value[5][-1])),
    "tally-values-nil": _put(6, 0, 2, to=None),
    "tally-value-true": _put(6, 0, 2, to={"sex": True}),
    "tally-value-list": _put(6, 0, 2, to={"sex": ["female"]}),
    "tally-twice": _changed(lambda value: value[6].append(value[6][0])),
    "tally-seq-2-to-53": _put(6, 0, 1, to=2**53),
    "tally-map-keys-unsorted": _put(6, 0, 2, to={"sex": "female", "party": bytes(16)}),
    "field-added": _changed(lambda value: value.append(0)),
    "field-missing": _changed(list.pop),
    "map-for-array": lambda: padded({str(place): value for place, value in enumerate(fields())}),
    "padding-mark-missing": lambda: (
        encode_delivery(CONTENT).rstrip(b"\0")[:-1].ljust(len(encode_delivery(CONTENT)), b"\0")
    ),
    "padding-too-long": lambda: encode_delivery(CONTENT) + bytes(64),
    "padding-too-short": lambda: encode_delivery(CONTENT)[:-64],
    "padding-not-zero": lambda: encode_delivery(CONTENT)[:-1] + b"\x01",
    "below-1-kib": lambda: padded(fields(REPLY), 512),
    "empty": lambda: b"",
}


def vectors() -> dict[str, bytes]:
    """What can be made again: contents with their fields, and the bad ones."""
    made = {}
    for name, content in GOOD.items():
        raw = encode_delivery(content)
        row = {"content": tag(fields(content)), "packed": raw.rstrip(b"\0")[:-1].hex(), "padded": raw.hex()}
        made[f"delivery/good/{name}.json"] = dump(row)
    return made | {f"delivery/bad/{name}.hex": make().hex().encode() + b"\n" for name, make in BAD.items()}


def sealed_delivery() -> bytes:
    """The delivery of field-1's offer, as field-2 opens it."""
    context = member_context(fixed.VAULT_ID, fixed.JOURNAL, SEQ, Purpose.DELIVERY, TAKER_ID)
    key, content = fixed.secret("delivery key"), encode_delivery(CONTENT)
    wrap = hpke.wrap(TAKER.sealing, key, context) + aead.seal(key, content, context)
    assert len(delivery.split(wrap)[1]) == len(content) + aead.OVERHEAD
    return dump(
        {
            "recipient": "field-2",
            "seed name": "field-2 HPKE seed",
            "seed": fixed.secret("field-2 HPKE seed").hex(),
            "context": context.hex(),
            "key": key.hex(),
            "content": content.hex(),
            "wrap": wrap.hex(),
        }
    )


def sealed_copy() -> bytes:
    """Field-1's own copy of it."""
    context = case_context(fixed.VAULT_ID, fixed.JOURNAL, SEQ, Purpose.DELIVERY, fixed.COMPARTMENT_ID)
    content = encode_delivery(copy_of(CONTENT))
    return dump(
        {
            "key name": "compartment key",
            "key": fixed.COMPARTMENT.key.hex(),
            "context": context.hex(),
            "content": content.hex(),
            "wrap": aead.seal(fixed.COMPARTMENT.key, content, context).hex(),
        }
    )
