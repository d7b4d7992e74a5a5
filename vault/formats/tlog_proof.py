"""A proof that one entry stands in a journal, to keep and to check offline (C2SP tlog-proof v1).

    c2sp.org/tlog-proof@v1
    index 1
    0Nc2CrefWKseHj/mStd+LqC8B+NrX0btIiPt2SmN+ek=
    Zx8UbF5HHooag6PCFM5LqQe486WIjRTMjNPOdbsS75Q=

    example.com/behind-the-sofa
    3
    Wqx3HImawpLnS/Gv4ubjAvi1WIOy0b8Ze0amvqbavKk=

    — example.com/behind-the-sofa kg+SC4bF/HaiH8gyGvY9/bFSjArZqtT7g/SLiWZLveBNtBst7bWIIviF4GFOnVNfJIAdJvNTiUZoXlAfjtxkR+1G6QA=

`index` is the entry's number, the hashes in between are its RFC 6962 inclusion path (the leaf's sibling first), and the
signed checkpoint stands below the first empty line as it is, cosignatures and all. Behind the first line there may be
`extra` and base64: not authenticated by anything, unless its reader can check it. We put the entry's own bytes there,
which the path then proves, or does not.

Usual name: `....tlog-proof`. The narrow reading is taken where there are several: one path, at most 63 hashes of 32
bytes; an `extra` that is empty is refused; the checkpoint must be one that our strict parser takes.
"""  # noqa: E501

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass
from typing import Final

from vault.errors import FormatError
from vault.formats.checkpoint import Checkpoint, parse_checkpoint
from vault.formats.note import MOST_BYTES as MOST_NOTE, decode_base64, parse_note
from vault.primitives.tree import HASH

HEADER: Final = b"c2sp.org/tlog-proof@v1\n"
MOST_EXTRA: Final = 65_535
MOST_HASHES: Final = 63
MOST_BYTES: Final = MOST_NOTE + 2 * MOST_EXTRA
"""Bytes of the longest proof that is read."""
_INDEX: Final = re.compile(rb"index (0|[1-9][0-9]{0,15})")
_EXTRA: Final = b"extra "


@dataclass(frozen=True, slots=True, kw_only=True)
class TlogProof:
    """The entry's number, its inclusion path, the signed note that it leads to, and what stands behind `extra`, or
    None. Raises FormatError for what `parse_proof` would refuse."""

    index: int
    hashes: tuple[bytes, ...]
    note: bytes
    extra: bytes | None = None

    def __post_init__(self) -> None:
        """Refuses parts that do not go together."""
        if len(self.hashes) > MOST_HASHES or any(len(item) != HASH for item in self.hashes):
            raise FormatError("a proof has more than 63 hashes, or one that is not 32 bytes")
        if self.extra is not None and not 1 <= len(self.extra) <= MOST_EXTRA:
            raise FormatError("a proof's extra data is empty or too long")
        if not 0 <= self.index < self.checkpoint.size:
            raise FormatError("a proof is of an entry behind its checkpoint")

    @property
    def checkpoint(self) -> Checkpoint:
        """The head that the note states. Nothing of it is verified."""
        return parse_checkpoint(parse_note(self.note).text)


def parse_proof(raw: bytes) -> TlogProof:
    """The proof in `raw`, nothing verified. Raises FormatError for every byte that `encode_proof` would not write."""
    if len(raw) > MOST_BYTES or not raw.startswith(HEADER):
        raise FormatError("this is not a tlog-proof of version 1, or it is too long")
    head, blank, note = raw[len(HEADER) :].partition(b"\n\n")
    if not blank:
        raise FormatError("a proof lacks the empty line before its checkpoint")
    lines = head.split(b"\n")
    extra = decode_base64(lines.pop(0).removeprefix(_EXTRA)) if lines[0].startswith(_EXTRA) else None
    index = _INDEX.fullmatch(lines[0]) if lines else None
    if index is None:
        raise FormatError("a proof's index is missing or not a plain decimal")
    proof = TlogProof(
        index=int(index[1]), hashes=tuple(decode_base64(line) for line in lines[1:]), note=note, extra=extra
    )
    if encode_proof(proof) != raw:  # closes whatever the checks above may have left open
        raise FormatError("a proof is not in canonical form")
    return proof


def encode_proof(proof: TlogProof) -> bytes:
    """The bytes of a proof."""
    extra = b"" if proof.extra is None else _EXTRA + b64encode(proof.extra) + b"\n"
    hashes = b"".join(b64encode(item) + b"\n" for item in proof.hashes)
    return HEADER + extra + b"index %d\n" % proof.index + hashes + b"\n" + proof.note
