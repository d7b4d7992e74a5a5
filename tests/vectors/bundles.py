"""A bundle of the made-up organisation, its items, and the same with one defect each: the name is the defect.

`python -m tests.vectors.bundles` writes what can be made again, `--sealed` draws a new bundle too. `open.bundle` is a
whole file; `bad/file` holds edits of it, `bad/content` what its frames hold (without the zeros at the end), `bad/item`
single items.
"""

from __future__ import annotations

import copy
import io
import json
import sys
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgpack

from tests.vectors import fixed
from tests.vectors.tagged import dump, tag
from vault.formats.bundle import (
    CodebookItem,
    EndItem,
    ForkItem,
    HeadsItem,
    Item,
    JournalItem,
    LeavesItem,
    Opening,
    PartsItem,
    SignedItem,
    WrapsItem,
    encode_item,
)
from vault.formats.bundle_frames import FRAME, SEALED_FRAME, START, WRAP, frame_item
from vault.model import Digest, Handle
from vault.primitives import hpke
from vault.services.sealing import seal_bundle

HERE: Final = Path(__file__).parent
FOLDER: Final = "bundle"
SIGNING: Final = fixed.secret("field-1 signing seed")
SEALING: Final = fixed.secret("director-1 HPKE seed")
TOML: Final = b'name = "vector"\n'
HASH: Final = fixed.secret("a digest")
OPENING: Final = Opening(
    vault_id=fixed.VAULT_ID, sender=Handle("field-1"), recipients=(fixed.DIRECTOR_ID,), day=fixed.DAY
)
JOURNAL: Final = JournalItem(origin=fixed.JOURNAL, start=6, size=8, note=b"a note", peaks=(HASH, HASH))
ITEMS: Final[dict[str, Item]] = {
    "bundle": OPENING,
    "codebook": CodebookItem(digest=Digest(sha256(TOML).digest()), raw=TOML),
    "heads": HeadsItem(notes=(b"a note", b"another note")),
    "fork": ForkItem(origin=fixed.JOURNAL, ours=b"a note", theirs=b"another note"),
    "journal": JOURNAL,
    "leaves": LeavesItem(start=6, leaves=(b"leaf 6", b"leaf 7")),
    "parts": PartsItem(parts=((6, "case", b"a part"), (6, "tally", b"another"), (7, "case", b"a third"))),
    "wraps": WrapsItem(wraps=((bytes(fixed.DIRECTOR_ID), "tally", 7, 0, b"a wrap"),)),
    "end": EndItem(),
}
SIGNED: Final = SignedItem(signature=bytes(64))


def framed(*items: Item) -> bytes:
    """Items with their lengths, one after the other."""
    return b"".join(frame_item(encode_item(item)) for item in items)


CONTENT: Final = framed(*ITEMS.values(), SIGNED) + bytes(4)
"""What the frames of a bundle hold, as far as it is not zeros; the signature is not one, and not looked at here."""


def _packed(value: object) -> bytes:
    raw: bytes = msgpack.packb(value, use_bin_type=True)
    return raw


def _item(name: str, change: Callable[[list[Any]], object]) -> bytes:
    value = copy.deepcopy(msgpack.unpackb(encode_item(ITEMS.get(name, SIGNED))))
    change(value)
    return _packed(value)


def _put(*path: int, to: object) -> Callable[[list[Any]], None]:
    def change(value: Any) -> None:  # noqa: ANN401  # arrays in arrays
        for step in path[:-1]:
            value = value[step]
        value[path[-1]] = to

    return change


BAD_ITEMS: Final[dict[str, bytes]] = {
    "empty": b"",
    "array-empty": b"\x90",
    "map-for-array": b"\x81\xa3end\xc0",
    "name-bytes": b"\x91\xc4\x03end",
    "name-unknown": b"\x91\xa6ending",
    "name-nil": b"\x91\xc0",
    "trailing-byte": encode_item(EndItem()) + b"\0",
    "field-added": _item("end", lambda item: item.append(0)),
    "field-missing": _item("bundle", list.pop),
    "array-longer-than-needed": b"\xdc\x00\x01\xa3end",
    "version-0": _item("bundle", _put(1, to=0)),
    "version-2": _item("bundle", _put(1, to=2)),
    "version-true": _item("bundle", _put(1, to=True)),
    "vault-id-bytes": _item("bundle", _put(2, to=bytes(32))),
    "vault-id-31-digits": _item("bundle", _put(2, to="0" * 31)),
    "sender-capital": _item("bundle", _put(3, to="Field-1")),
    "sender-nil": _item("bundle", _put(3, to=None)),
    "recipients-none": _item("bundle", _put(4, to=[])),
    "recipients-65": _item("bundle", _put(4, to=[number.to_bytes(16, "big") for number in range(65)])),
    "recipient-15-bytes": _item("bundle", _put(4, 0, to=bytes(15))),
    "recipient-twice": _item("bundle", _put(4, to=[bytes(16), bytes(16)])),
    "day-minus-1": _item("bundle", _put(5, to=-1)),
    "day-true": _item("bundle", _put(5, to=True)),
    "organisation-nil": _item("bundle", _put(6, to=None)),
    "organisation-401-bytes": _item("bundle", _put(6, to="x" * 401)),
    "codebook-of-another-digest": _item("codebook", _put(1, to=HASH)),
    "codebook-empty": _packed(["codebook", sha256(b"").digest(), b""]),
    "codebook-text": _item("codebook", _put(2, to=TOML.decode())),
    "heads-none": _item("heads", _put(1, to=[])),
    "head-empty": _item("heads", _put(1, 0, to=b"")),
    "head-text": _item("heads", _put(1, 0, to="a note")),
    "fork-note-text": _item("fork", _put(2, to="a note")),
    "fork-note-empty": _item("fork", _put(3, to=b"")),
    "fork-of-one-note": _item("fork", _put(3, to=b"a note")),
    "fork-origin-malformed": _item("fork", _put(1, to=fixed.JOURNAL + "0x")),
    "journal-origin-bytes": _item("journal", _put(1, to=fixed.JOURNAL.encode())),
    "journal-shorter-than-its-start": _item("journal", _put(3, to=5)),
    "journal-size-2-to-53": _item("journal", _put(3, to=2**53)),
    "journal-start-true": _item("journal", lambda item: item.__setitem__(slice(2, 6), [True, 8, b"a note", [HASH]])),
    "journal-frontier-of-another-start": _item("journal", _put(2, to=7)),
    "journal-frontier-31-bytes": _item("journal", _put(5, 0, to=HASH[1:])),
    "journal-note-empty": _item("journal", _put(4, to=b"")),
    "journal-size-true": _item("journal", lambda item: item.__setitem__(slice(2, 6), [0, True, b"a note", []])),
    "leaves-none": _item("leaves", _put(2, to=[])),
    "leaves-start-minus-1": _item("leaves", _put(1, to=-1)),
    "leaves-start-true": _item("leaves", _put(1, to=True)),
    "leaf-empty": _item("leaves", _put(2, 0, to=b"")),
    "leaf-text": _item("leaves", _put(2, 0, to="leaf")),
    "parts-none": _item("parts", _put(1, to=[])),
    "part-added-field": _item("parts", lambda item: item[1][0].append(0)),
    "part-layer-unknown": _item("parts", _put(1, 0, 1, to="names")),
    "part-layer-bytes": _item("parts", _put(1, 0, 1, to=b"case")),
    "part-empty": _item("parts", _put(1, 0, 2, to=b"")),
    "part-seq-true": _item("parts", _put(1, to=[[True, "case", b"a part"]])),
    "part-twice": _item("parts", _put(1, 1, 1, to="case")),
    "parts-descending": _item("parts", lambda item: item[1].reverse()),
    "wraps-none": _item("wraps", _put(1, to=[])),
    "wrap-recipient-17-bytes": _item("wraps", _put(1, 0, 0, to=bytes(17))),
    "wrap-purpose-unknown": _item("wraps", _put(1, 0, 1, to="cases")),
    "wrap-seq-true": _item("wraps", _put(1, 0, 2, to=True)),
    "wrap-position-true": _item("wraps", _put(1, 0, 3, to=True)),
    "wrap-purpose-bytes": _item("wraps", _put(1, 0, 1, to=b"tally")),
    "wrap-position-text": _item("wraps", _put(1, 0, 3, to="0")),
    "wrap-empty": _item("wraps", _put(1, 0, 4, to=b"")),
    "wrap-twice": _item("wraps", lambda item: item[1].append(item[1][0])),
    "signature-63-bytes": _item("signed", _put(1, to=bytes(63))),
    "signature-text": _item("signed", _put(1, to="0" * 64)),
}


BIG_ITEMS: Final[dict[str, bytes]] = {
    "head-64-kib-and-a-byte": _item("heads", _put(1, 0, to=bytes(64 * 1024 + 1))),
    "leaf-60001-bytes": _item("leaves", _put(2, 0, to=bytes(60_001))),
    "item-above-1-mib": _item("parts", _put(1, 0, 2, to=bytes(2**20))),
}
"""Likewise, too large to be files."""


def _without(*names: str) -> bytes:
    return framed(*(item for name, item in ITEMS.items() if name not in names), SIGNED) + bytes(4)


def _swapped(one: str, other: str) -> bytes:
    names = list(ITEMS)
    places = names.index(one), names.index(other)
    names[places[0]], names[places[1]] = other, one
    return framed(*(ITEMS[name] for name in names), SIGNED) + bytes(4)


def _doubled(name: str) -> bytes:
    return framed(*(item for key, item in ITEMS.items() for _ in range(1 + (key == name))), SIGNED) + bytes(4)


def _instead(name: str, *items: Item) -> bytes:
    made: list[Item] = []
    for key, item in ITEMS.items():
        made += items if key == name else [item]
    return framed(*made, SIGNED) + bytes(4)


SECOND: Final = (
    JournalItem(origin=fixed.ROSTER, start=0, size=0, note=b"a note"),
    EndItem(),
)
ELSEWHERE: Final = fixed.JOURNAL.replace(fixed.VAULT_ID, "0" * 32)
BAD_CONTENTS: Final[dict[str, bytes]] = {
    "no-end-of-items": CONTENT[:-4] + (FRAME - len(CONTENT) + 5).to_bytes(4, "big"),
    "padding-not-zero": CONTENT + b"\x01",
    "padding-not-zero-at-the-very-end": CONTENT.ljust(FRAME - 1, b"\0") + b"\x80",
    "one-frame-more-than-needed": CONTENT.ljust(2 * FRAME, b"\0"),
    "length-2-to-32-less-1": b"\xff" * 4 + CONTENT,
    "length-1-mib-and-a-byte": (2**20 + 1).to_bytes(4, "big") + CONTENT,
    "length-one-too-small": (len(encode_item(OPENING)) - 1).to_bytes(4, "big") + CONTENT[4:],
    "length-one-too-large": (len(encode_item(OPENING)) + 1).to_bytes(4, "big") + CONTENT[4:],
    "nothing": bytes(4),
    "opening-missing": _without("bundle"),
    "signature-alone": framed(SIGNED) + bytes(4),
    "opening-twice": _doubled("bundle"),
    "opening-alone": framed(OPENING) + bytes(4),
    "signature-missing": framed(*ITEMS.values()) + bytes(4),
    "signature-twice": framed(*ITEMS.values(), SIGNED, SIGNED) + bytes(4),
    "item-after-the-signature": framed(*ITEMS.values(), SIGNED, ITEMS["heads"]) + bytes(4),
    "codebook-after-heads": _swapped("codebook", "heads"),
    "heads-after-fork": _swapped("heads", "fork"),
    "fork-inside-a-journal": _swapped("fork", "journal"),
    "journal-missing": _without("journal"),
    "journal-twice": _instead("end", EndItem(), JOURNAL, ITEMS["leaves"], EndItem()),
    "journal-inside-a-journal": _instead("parts", ITEMS["parts"], *SECOND),
    "journal-of-another-vault": _instead(
        "journal", JournalItem(origin=type(fixed.JOURNAL)(ELSEWHERE), start=6, size=8, note=b"a", peaks=(HASH, HASH))
    ),
    "fork-of-another-vault": _instead(
        "fork", ForkItem(origin=type(fixed.JOURNAL)(ELSEWHERE), ours=b"a note", theirs=b"another note")
    ),
    "roster-after-another-journal": _instead("end", EndItem(), *SECOND),
    "end-missing": _without("end"),
    "end-twice": _doubled("end"),
    "leaves-missing": _without("leaves", "parts", "wraps"),
    "leaves-one-too-few": _instead("leaves", LeavesItem(start=6, leaves=(b"leaf 6",))),
    "leaves-one-too-many": _instead("leaves", LeavesItem(start=6, leaves=(b"6", b"7", b"8"))),
    "leaves-with-a-gap": _instead("leaves", LeavesItem(start=7, leaves=(b"leaf 7",))),
    "leaves-from-before-the-start": _instead("leaves", LeavesItem(start=5, leaves=(b"leaf 5", b"leaf 6", b"leaf 7"))),
    "leaves-of-another-number": _instead("leaves", LeavesItem(start=5, leaves=(b"leaf 6", b"leaf 7"))),
    "leaves-twice": _doubled("leaves"),
    "part-before-its-entry": _swapped("leaves", "parts"),
    "part-of-an-entry-beyond": _instead("parts", PartsItem(parts=((8, "case", b"a part"),))),
    "parts-twice": _doubled("parts"),
    "wrap-of-an-entry-beyond": _instead("wraps", WrapsItem(wraps=((bytes(16), "tally", 8, 0, b"a wrap"),))),
    "wraps-twice": _doubled("wraps"),
    "recipients-more-than-places": _instead(
        "bundle",
        Opening(
            vault_id=fixed.VAULT_ID,
            sender=Handle("field-1"),
            recipients=tuple(type(fixed.DIRECTOR_ID)(bytes([number]) * 16) for number in range(5)),
            day=fixed.DAY,
        ),
    ),
}

_HEADER: Final = START + 4 * WRAP
_BODY: Final = _HEADER + 32 + 24
_WHOLE: Final = _BODY + SEALED_FRAME


def _edit(at: int, remove: int, insert: bytes, says: str) -> dict[str, Any]:
    return {"at": at, "remove": remove, "insert": insert.hex(), "says": says}


NO, NEWER, BAD, NOT_YOURS = "not a bundle", "newer", "damaged", "not for this key"
BAD_FILES: Final[dict[str, dict[str, Any]]] = {
    "empty": _edit(0, _WHOLE, b"", NO),
    "one-byte": _edit(1, _WHOLE, b"", NO),
    "magic-other": _edit(0, 10, b"fieldVault", NO),
    "magic-carriage-return": _edit(19, 1, b"\r\n", NO),
    "version-0": _edit(18, 1, b"0", NO),
    "version-2": _edit(18, 1, b"2", NEWER),
    "version-10": _edit(18, 1, b"10", NEWER),
    "version-01": _edit(18, 1, b"01", NO),
    "zip": _edit(0, 4, b"PK\x03\x04", NO),
    "text-before": _edit(0, 0, b"\xef\xbb\xbf", NO),
    "magic-alone": _edit(20, _WHOLE, b"", BAD),
    "places-0": _edit(20, 2, b"\0\0", BAD),
    "places-3": _edit(20, 2, b"\0\x03", BAD),
    "places-8": _edit(20, 2, b"\0\x08", BAD),
    "places-65535": _edit(20, 2, b"\xff\xff", BAD),
    "places-little-endian": _edit(20, 2, b"\x04\0", BAD),
    "our-wrap-zero": _edit(START, WRAP, bytes(WRAP), NOT_YOURS),
    "wrap-of-somebody-else-zero": _edit(START + 3 * WRAP, WRAP, bytes(WRAP), BAD),
    "commitment-zero": _edit(_HEADER, 32, bytes(32), BAD),
    "stream-header-zero": _edit(_HEADER + 32, 24, bytes(24), BAD),
    "frame-begins-with-zeros": _edit(_BODY, 17, bytes(17), BAD),
    "frame-missing": _edit(_BODY, SEALED_FRAME, b"", BAD),
    "last-byte-missing": _edit(_WHOLE - 1, 1, b"", BAD),
    "last-byte-zero": _edit(_WHOLE - 1, 1, b"\0", BAD),
    "trailing-byte": _edit(_WHOLE, 0, b"\0", BAD),
}


def apply(raw: bytes, edit: dict[str, Any]) -> bytes:
    """`raw` with one edit of `bad/file`."""
    return raw[: edit["at"]] + bytes.fromhex(edit["insert"]) + raw[edit["at"] + edit["remove"] :]


class Drawn:
    """Random bytes from names, in the order in which they are drawn."""

    def __init__(self) -> None:
        self._number = 0

    def token(self, size: int) -> bytes:
        """The next `size` bytes, at most 32."""
        self._number += 1
        return fixed.secret(f"bundle random {self._number}", size)


def sealed_file(items: Sequence[Item] = tuple(ITEMS.values())) -> bytes:
    """A whole bundle from field-1 to director-1."""
    out = io.BytesIO()
    seal_bundle(out, [hpke.public_key(SEALING)], items, SIGNING, Drawn())
    return out.getvalue()


def vectors() -> dict[str, bytes]:
    """Every file that can be made again, by its path below this folder."""
    made = {
        f"{FOLDER}/good/{name}.json": dump(
            {"fields": tag(msgpack.unpackb(encode_item(item))), "item": encode_item(item).hex()}
        )
        for name, item in {**ITEMS, "signed": SIGNED}.items()
    }
    made[f"{FOLDER}/content.hex"] = CONTENT.hex().encode() + b"\n"
    made |= {f"{FOLDER}/bad/item/{name}.hex": raw.hex().encode() + b"\n" for name, raw in BAD_ITEMS.items()}
    made |= {
        f"{FOLDER}/bad/content/{name}.hex": raw.rstrip(b"\0").hex().encode() + b"\n"
        for name, raw in BAD_CONTENTS.items()
        if len(raw) <= FRAME
    }
    made |= {f"{FOLDER}/bad/file/{name}.json": dump(edit) for name, edit in BAD_FILES.items()}
    made[f"{FOLDER}/open.json"] = dump(
        {
            "recipient": "director-1",
            "seed name": "director-1 HPKE seed",
            "seed": SEALING.hex(),
            "sender": "field-1",
            "sender's key": fixed.FIELD.signing.hex(),
            "bundle key": Drawn().token(32).hex(),
            "items": [encode_item(item).hex() for item in ITEMS.values()],
        }
    )
    return made


def main(arguments: list[str]) -> None:
    """Writes the files."""
    made = vectors()
    if "--sealed" in arguments:
        made[f"{FOLDER}/open.bundle"] = sealed_file()
    for name, raw in made.items():
        (HERE / name).parent.mkdir(parents=True, exist_ok=True)
        (HERE / name).write_bytes(raw)


def stored(name: str) -> dict[str, Any]:
    """A JSON vector of this folder."""
    found: dict[str, Any] = json.loads((HERE / FOLDER / name).read_text(encoding="ascii"))
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
