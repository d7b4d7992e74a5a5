"""A paper head: what a journal's head comes to in a notebook, or over a radio.

    field-7/1 212 kdmf ryey l3gh 6ycb rkxq zrnl lb3o wyro
    |         |   |
    |         |   the first 16 bytes of the root, then 4 bytes of check: 20 bytes in base32 (RFC 4648, lower case),
    |         |   eight groups of four letters with nothing left over
    |         the number of entries, a plain decimal from 1
    whose journal, and which epoch of it: the origin without "fieldvault/<vault id>/"

The check is the first 4 bytes of SHA-256 over a label, the whole origin, a newline, the size, a newline and the 16
bytes. So a letter, a digit or a name that was written down wrongly is noticed, and so is a head that belongs to another
organisation's vault: before anybody is accused of having changed a journal. It is no signature: whoever can write in
the notebook can make one.

The alphabet is a-z and 2-7. A zero is never meant, nor are one, eight and nine: the messages say what was probably
written. Whatever `parse_paper_head` accepts, `encode_paper_head` writes back; `tidied` forgives capitals, spacing, and
commas between thousands.
16 bytes are 128 bits: nobody finds other entries that have the same ones.

The example is the head of 212 entries of the vault 4f0d1c2a9b8e7d6c5b4a39281706f5e4 whose root is SHA-256("example").
"""

from __future__ import annotations

import re
from base64 import b32decode, b32encode
from dataclasses import dataclass
from typing import Final

from vault import labels
from vault.errors import FormatError
from vault.formats.checkpoint import MOST_LEAVES
from vault.formats.origin import parse_origin, short_name
from vault.model import Origin, VaultId
from vault.primitives.hashing import sha256

START: Final = 16
"""Bytes of the root that are written down."""
CHECK: Final = 4
GROUPS: Final = 8
LETTERS: Final = 4
"""Letters of one group."""
_SIZE: Final = re.compile(r"[1-9][0-9]{0,15}", re.ASCII)
_GROUPED: Final = re.compile(r"[1-9][0-9]{0,2}(,[0-9]{3})+", re.ASCII)
"""A size as reports print it: 5,345."""
_GROUP: Final = re.compile(r"[a-z2-7]{4}", re.ASCII)
_MISTAKEN: Final = {"0": "the letter o", "1": "the letter l, or i", "8": "the letter b", "9": "the letter g, or q"}
"""Digits that the alphabet lacks, and what they are usually written for."""
_AGAIN: Final = "look at the paper again: field-7/1 212 and eight groups of four letters"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperHead:
    """The head of one journal as it is written down: `size` entries, and the first 16 bytes of their root. Raises
    FormatError for one that cannot be."""

    origin: Origin
    size: int
    start: bytes

    def __post_init__(self) -> None:
        """Refuses what could not be read back."""
        parse_origin(self.origin)
        if not 1 <= self.size <= MOST_LEAVES or len(self.start) != START:
            raise FormatError("a paper head's size or root is out of range")


def tidied(typed: str) -> str:
    """What a person typed from paper, in the one spelling: lower case, one space between, no separators in the size,
    letters in fours."""
    name, _, rest = " ".join(typed.lower().split()).partition(" ")
    size, _, letters = rest.partition(" ")
    if _GROUPED.fullmatch(size):
        size = size.replace(",", "")
    letters = letters.replace(" ", "")
    groups = [letters[at : at + LETTERS] for at in range(0, len(letters), LETTERS)]
    return " ".join(filter(None, [name, size, *groups]))


def parse_paper_head(text: str, vault_id: VaultId) -> PaperHead:
    """The head that `text` spells, of a journal of this vault. Raises FormatError for anything that
    `encode_paper_head` would not write; the message says what to look at, and repeats nothing."""
    name, _, rest = text.partition(" ")
    size, _, letters = rest.partition(" ")
    if text != text.lower():
        raise FormatError("a paper head is written in lower case", hint=_AGAIN)
    origin = Origin(f"fieldvault/{vault_id}/{name}")
    try:
        parse_origin(origin)
    except FormatError:
        raise FormatError(
            "a paper head begins with whose journal it is and which epoch, as in field-7/1", hint=_AGAIN
        ) from None
    if not _SIZE.fullmatch(size):
        raise FormatError("a paper head's second word is the number of entries, in digits alone", hint=_AGAIN)
    raw = _decoded(letters)
    head = PaperHead(origin=origin, size=int(size), start=raw[:START])
    if encode_paper_head(head) != text:
        raise FormatError(
            "a paper head's check does not fit: a letter or a digit was miswritten, or it is of another vault",
            hint="compare it with the paper, letter by letter; nothing is said about the journal yet",
        )
    return head


def encode_paper_head(head: PaperHead) -> str:
    """The one line to write down."""
    letters = b32encode(head.start + _check(head)).decode("ascii").lower()
    groups = [letters[at : at + LETTERS] for at in range(0, len(letters), LETTERS)]
    return " ".join([short_name(head.origin), str(head.size), *groups])


def _check(head: PaperHead) -> bytes:
    """What tells a slip of the pen from another history."""
    return sha256(labels.PAPER_HEAD + f"{head.origin}\n{head.size}\n".encode("ascii") + head.start)[:CHECK]


def _decoded(letters: str) -> bytes:
    """The 20 bytes behind the groups. Raises FormatError."""
    groups = letters.split(" ")
    for number, group in enumerate(groups, start=1):
        for digit, meant in _MISTAKEN.items():
            if digit in group:
                raise FormatError(
                    f"group {number} of a paper head holds the digit {digit}: was it {meant}?", hint=_AGAIN
                )
    if len(groups) != GROUPS or any(len(group) != LETTERS for group in groups):
        raise FormatError(
            f"a paper head has {GROUPS} groups of {LETTERS} letters with one space between; letters are missing, or "
            "too many",
            hint=_AGAIN,
        )
    for number, group in enumerate(groups, start=1):
        if not _GROUP.fullmatch(group):
            raise FormatError(f"group {number} of a paper head holds what is none of a-z and 2-7", hint=_AGAIN)
    return b32decode("".join(groups).upper())
