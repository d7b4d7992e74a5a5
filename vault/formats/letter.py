"""A letter: a record that was written on an armed laptop, which may not open what it has saved.

It is an entry of the kind `record` with an identity part, if names were given, and a case part, and with two wraps of
the purpose `letter`: one random 32-byte letter key, by HPKE (`formats/wraps.py`) to the writer's own sealing key, whose
seed is in the deposit, and to the recovery key. The key of each part is derived from it, with the layer as context.
The 16 header bytes of the parts are random: there is no locator, because the key that masks it is not at hand.

The identity part holds what any identity part does. The case part holds, as canonical msgpack:

    [1, pseudonym, opens, type, {case variable: value}, {tally variable: value}]
    [1, "amber-heron-07", 1, "intake", {"language": "ko"}, {"sex": "female", "age_group": "18-59"}]

`opens` is 1 where the letter opens a case of that name, else 0: then the name is the one that was typed, and whether
there is such a case shows when the letter is opened. A letter has no tally part, so no total counts it.

At `travel disarm` the letters become ordinary records. An erasure without a warrant names them, in the order of the
entries right before it that they became: the n-th letter it names became the n-th of as many entries before it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from vault.errors import FormatError
from vault.formats import canonical
from vault.model import Purpose

VERSION = 1
MOST_NAME = 64
"""Bytes of a pseudonym."""
Values = dict[str, "str | int"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What the case part of a letter holds: an answered record, and the case that it opens or belongs to."""

    pseudonym: str = field(repr=False)
    opens: bool
    type: str
    case: Values = field(repr=False)
    tally: Values = field(repr=False)


def encode_letter(letter: Letter) -> bytes:
    """The payload of a letter's case part."""
    if not 0 < len(letter.pseudonym.encode()) <= MOST_NAME:
        raise FormatError("a letter's name is too long")
    return canonical.encode(
        [VERSION, letter.pseudonym, int(letter.opens), letter.type, dict(letter.case), dict(letter.tally)]
    )


def parse_letter(raw: bytes) -> Letter:
    """The inverse of `encode_letter`. Raises FormatError."""
    value = canonical.parse(raw)
    if type(value) is not list or len(value) != 6 or type(value[0]) is not int or value[0] != VERSION:
        raise FormatError("a letter is not of the format")
    _, pseudonym, opens, name, case, tally = value
    if type(pseudonym) is not str or not 0 < len(pseudonym.encode()) <= MOST_NAME or type(name) is not str:
        raise FormatError("a letter is not of the format")
    if type(opens) is not int or opens not in (0, 1):
        raise FormatError("a letter is not of the format")
    return Letter(pseudonym=pseudonym, opens=opens == 1, type=name, case=_values(case), tally=_values(tally))


def _values(value: canonical.Value) -> Values:
    if type(value) is not dict or any(type(item) not in (str, int) for item in value.values()):
        raise FormatError("a letter's values are not of the format")
    return value  # type: ignore[return-value]


def is_letter(wraps: list[list[object]]) -> bool:
    """Whether a record whose leaf commits to these wraps is a letter."""
    return bool(wraps) and wraps[0][0] == Purpose.LETTER
