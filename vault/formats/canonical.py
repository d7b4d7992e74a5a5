"""Canonical msgpack: the one encoding of a value, and nothing but it.

A subset of msgpack (https://github.com/msgpack/msgpack, spec.md) in which every value has exactly one encoding: shortest
forms only, map keys are strings sorted by their UTF-8 bytes and never repeat, integers lie in 0..2^53-1, and there are no
floats, no extension types, nothing nested deeper than 8, and no trailing bytes. What `parse` accepts, `encode` gives back
byte for byte.

    93 01 a4 63 61 73 65 c4 02 0a 0b          [1, "case", b"\\x0a\\x0b"]
"""

from __future__ import annotations

from typing import Final, TypeAlias

import msgpack

from vault.errors import FormatError

Value: TypeAlias = "None | bool | int | str | bytes | list[Value] | dict[str, Value]"

MOST_DEPTH: Final = 8
MOST_INTEGER: Final = 2**53 - 1
MOST_BYTES: Final = 16 * 1024 * 1024


class _NotCanonical(Exception):
    """Internal: raised inside msgpack's callbacks."""


def _pairs(pairs: list[tuple[object, object]]) -> dict[object, object]:
    keys = [key for key, _ in pairs]
    if any(type(key) is not str for key in keys):
        raise _NotCanonical
    raw = [str(key).encode() for key in keys]
    if any(left >= right for left, right in zip(raw, raw[1:], strict=False)):
        raise _NotCanonical
    return dict(pairs)


def _no_extension(code: int, data: bytes) -> object:
    raise _NotCanonical


def _check(value: object, depth: int) -> None:
    """Raises FormatError for what the subset has no place for. The exact type counts: True is not 1."""
    kind = type(value)
    if kind is bytes or kind is str or kind is bool or value is None:
        return
    if kind is int:
        if not 0 <= value <= MOST_INTEGER:  # type: ignore[operator]
            raise FormatError("an integer is outside 0..2^53-1")
        return
    if depth == MOST_DEPTH:
        raise FormatError("a value is nested deeper than 8")
    if kind is list:
        for item in value:  # type: ignore[attr-defined]
            _check(item, depth + 1)
    elif kind is dict:
        for key, item in value.items():  # type: ignore[attr-defined]
            if type(key) is not str:
                raise FormatError("a map key is not a string")
            _check(item, depth + 1)
    else:
        raise FormatError("a value has a type that the format does not have")


def _sorted(value: Value) -> Value:
    if type(value) is list:
        return [_sorted(item) for item in value]
    if type(value) is dict:
        return {key: _sorted(value[key]) for key in sorted(value, key=str.encode)}
    return value


def encode(value: Value) -> bytes:
    """The canonical bytes of `value`. Raises FormatError for what the subset cannot hold."""
    _check(value, 0)
    try:
        packed: bytes = msgpack.packb(_sorted(value), use_bin_type=True)
    except UnicodeEncodeError:
        raise FormatError("a text is not valid Unicode") from None
    return packed


def parse(raw: bytes) -> Value:
    """The value behind canonical bytes. Raises FormatError for everything else, whatever the library calls it."""
    if len(raw) > MOST_BYTES:
        raise FormatError("a msgpack value is larger than 16 MiB")
    try:
        value: Value = msgpack.unpackb(
            raw, raw=False, strict_map_key=True, object_pairs_hook=_pairs, ext_hook=_no_extension
        )
        _check(value, 0)
        again: bytes = msgpack.packb(value, use_bin_type=True)
    except FormatError:
        raise
    except (_NotCanonical, ValueError, OverflowError, RecursionError, TypeError, msgpack.UnpackException):
        raise FormatError("bytes are not canonical msgpack") from None
    if again != raw:
        raise FormatError("bytes are msgpack, but not in canonical form")
    return value
