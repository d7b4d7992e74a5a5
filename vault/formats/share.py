"""A recovery share's file: a card of plain text for one custodian, with a SLIP-39 mnemonic (SatoshiLabs SLIP-0039).

    fieldvault recovery share
    vault 4f0d1c2a9b8e7d6c5b4a39281706f5e4
    share 2 of 3, any 2 restore
    made 2026-11-21
    <blank line>
     1 academic   2 carbon   3 ...

The words are numbered, four to a line, so that they can be read aloud and typed back. `parse_share` accepts exactly
what `encode_share` writes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date

from vault.errors import FormatError
from vault.formats.origin import is_vault_id
from vault.model import VaultId

_HEAD = re.compile(
    r"fieldvault recovery share\nvault ([0-9a-f]{32})\n"
    r"share ([1-9][0-9]?) of ([1-9][0-9]?), any ([1-9][0-9]?) restore\n"
    r"made ([0-9]{4}-[0-9]{2}-[0-9]{2})\n\n"
)
_WORD = re.compile(r"[a-z]{3,8}")
_A_LINE = 4
WORDS = 33
"""A 256-bit secret's mnemonic."""
MOST_SHARES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareCard:
    """One custodian's share. `words` is the mnemonic, separated by single spaces."""

    vault_id: VaultId
    number: int
    count: int
    threshold: int
    made: str
    words: str = field(repr=False)


def encode_share(card: ShareCard) -> bytes:
    """The text of a share's card, UTF-8."""
    words = card.words.split(" ")
    lines = [
        "fieldvault recovery share",
        f"vault {card.vault_id}",
        f"share {card.number} of {card.count}, any {card.threshold} restore",
        f"made {card.made}",
        "",
    ]
    numbered = [f"{number:>2} {word:<9}" for number, word in enumerate(words, start=1)]
    lines += [" ".join(numbered[start : start + _A_LINE]).rstrip() for start in range(0, len(numbered), _A_LINE)]
    return ("\n".join(lines) + "\n").encode()


def parse_share(raw: bytes) -> ShareCard:
    """The inverse of `encode_share`. Raises FormatError."""
    try:
        text = raw.decode("ascii")
    except UnicodeDecodeError:
        raise FormatError("this is not a recovery share") from None
    head = _HEAD.match(text)
    if head is None or not is_vault_id(head[1]):
        raise FormatError("this is not a recovery share")
    words = [word for word in text[head.end() :].split() if _WORD.fullmatch(word)]
    number, count, threshold = (int(head[place]) for place in (2, 3, 4))
    if not (2 <= threshold <= count <= MOST_SHARES and number <= count and len(words) == WORDS):
        raise FormatError(
            "a recovery share is incomplete, or its numbers cannot be", hint="type it again from the paper"
        )
    try:
        date.fromisoformat(head[5])
    except ValueError:
        raise FormatError("a recovery share's date is not a date") from None
    card = ShareCard(
        vault_id=VaultId(head[1]),
        number=number,
        count=count,
        threshold=threshold,
        made=head[5],
        words=" ".join(words),
    )
    if encode_share(card) != raw:
        raise FormatError("a recovery share is damaged or was edited", hint="type it again from the paper")
    return card
