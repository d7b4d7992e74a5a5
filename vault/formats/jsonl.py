"""One line of an import file: a JSON object that names a case, a record type and its answers.

Specification: JSON Lines over RFC 8259, read strictly. UTF-8 without a byte order mark, one object a line, at most
64 KiB; keys are variable names and stand once; values are strings, whole numbers, true, false or null. Refused:
duplicate keys, NaN and Infinity, numbers with a fraction or an exponent or more than 18 digits, arrays, objects inside
the object, lone surrogates. `case` (a label that lives only in this file) and `type` are required. What the codebook
says about the values is `services.prepare`'s business.

    {"case": "P001", "type": "journey", "event": "arrival", "date": "2020-03-14", "country": "TH"}

`encode_line` writes a line for made-up people: records never leave a vault as plain text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NoReturn

from vault.errors import InputRefused, Problem
from vault.formats.text import TextRefused, clean

LINE_BYTES: Final = 64 * 1024
LABEL_BYTES: Final = 256
_DIGITS: Final = 18
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportLine:
    """One parsed line: its 1-based number, the case's label, the record type's name, and the answers by variable.
    `repr` shows the number and the type only."""

    line: int
    label: str = field(repr=False)
    type: str
    answers: Mapping[str, object] = field(repr=False)


def encode_line(values: Mapping[str, str | int]) -> bytes:
    """A line, with its newline, from `case`, `type` and answers that are strings and whole numbers."""
    return json.dumps(dict(values), ensure_ascii=False).encode() + b"\n"


class _Refused(Exception):
    """A reason on its way out of the JSON decoder; never leaves this module."""

    def __init__(self, message: str, variable: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.variable = variable


def parse_line(raw: bytes, number: int) -> ImportLine:
    """The content of one line, without or with its line ending.

    Raises InputRefused with exactly one Problem, whose message never repeats a value of the line.
    """
    try:
        return _parse(raw, number)
    except _Refused as refused:
        problem = Problem(line=number, variable=refused.variable, message=refused.message)
    # Raised here, outside the handler, so that no chained exception carries a piece of the line.
    raise InputRefused(f"line {number} {problem.message}", [problem])


def _parse(raw: bytes, number: int) -> ImportLine:
    """The line's content, or _Refused."""
    content = _object(raw)
    for name, value in content.items():
        if _NAME.fullmatch(name) is None:
            # The key may be a recorded value in the wrong place: it is not repeated.
            raise _Refused("has a key that is not a variable name (those are like birth_date)")
        if isinstance(value, (list, dict)):
            raise _Refused("must be a single value, not a list or an object", name)
        if isinstance(value, str) and not value.isascii():
            _whole_characters(value, name)
    label = _text(content, "case")
    try:
        label = clean(label, limit_bytes=LABEL_BYTES)
    except TextRefused as reason:
        raise _Refused(reason.message, "case") from None
    if not label:
        raise _Refused("must not be empty", "case")
    type_name = _text(content, "type")
    del content["case"], content["type"]
    return ImportLine(line=number, label=label, type=type_name, answers=content)


def _text(content: dict[str, object], name: str) -> str:
    """A required string of the object."""
    if name not in content:
        raise _Refused("is missing", name)
    value = content[name]
    if not isinstance(value, str):
        raise _Refused("must be a string", name)
    return value


def _object(raw: bytes) -> dict[str, object]:
    """The one JSON object of the line."""
    if len(raw) > LINE_BYTES:
        raise _Refused(f"is longer than {LINE_BYTES // 1024} KiB")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise _Refused("is not UTF-8; save the file as UTF-8") from None
    if text.startswith("\ufeff"):
        raise _Refused("starts with a byte order mark; save the file as UTF-8 without one")
    if not text.strip(" \t\r\n"):
        raise _Refused("is empty")
    try:
        content: object = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        # `msg` is one of the decoder's own fixed sentences; `doc`, which holds the line, goes no further.
        reason, column = error.msg, error.colno
    except RecursionError:
        raise _Refused("is nested too deeply") from None
    else:
        if not isinstance(content, dict):
            raise _Refused("must be one JSON object, in braces")
        return content
    raise _Refused(f"is not JSON at column {column}: {_plain(reason)}")


def _plain(reason: str) -> str:
    """The decoder's sentence, without the repr of a character that some of them end in."""
    return reason.split(": ", 1)[0].removesuffix(" at")


def _whole_characters(value: str, name: str) -> None:
    """Refuse lone surrogates, which escapes can smuggle in and UTF-8 cannot carry."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise _Refused("contains half a character (a lone surrogate)", name) from None


def _pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """The object's members; a key that stands twice is refused, since readers disagree about which one counts."""
    content = dict(pairs)
    if len(content) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise _Refused("stands twice in the line", name if _NAME.fullmatch(name) else None)
            seen.add(name)
    return content


def _no_fraction(_: str) -> NoReturn:
    """Refuse numbers with a fraction or an exponent."""
    raise _Refused("has a number with a fraction or an exponent; write whole numbers, or quote it")


def _no_constant(_: str) -> NoReturn:
    """Refuse NaN and Infinity, which are not JSON."""
    raise _Refused("has NaN or Infinity, which are not JSON")


def _integer(digits: str) -> int:
    """A whole number of a sensible size: Python's own limit is a ValueError at 4,300 digits."""
    if len(digits.lstrip("-")) > _DIGITS:
        raise _Refused(f"has a number of more than {_DIGITS} digits")
    return int(digits)


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_float=_no_fraction, parse_int=_integer, parse_constant=_no_constant
)
