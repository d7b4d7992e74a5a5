r"""Canonical msgpack: the one encoding of a value, and nothing but it.

A subset of msgpack (https://github.com/msgpack/msgpack, spec.md) in which every value has exactly one encoding:
shortest forms only, map keys are strings sorted by their UTF-8 bytes and never repeat, integers lie in 0..2^53-1, and
there are no floats, no extension types, nothing nested deeper than 8, and no trailing bytes. What `parse` accepts,
`encode` gives back byte for byte.

    93 01 a4 63 61 73 65 c4 02 0a 0b          [1, "case", b"\x0a\x0b"]
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final, TypeAlias

import msgpack

from vault.errors import FormatError

Value: TypeAlias = "None | bool | int | str | bytes | list[Value] | dict[str, Value]"

MOST_DEPTH: Final = 8
MOST_INTEGER: Final = 2**53 - 1
MOST_BYTES: Final = 1024 * 1024

# One packer for all: it forgets its buffer after each value, and after a value that it refuses.
_unpack = msgpack.unpackb
_pack = msgpack.Packer(use_bin_type=True, autoreset=True).pack


class _NotCanonical(Exception):
    """Internal: raised inside msgpack's callbacks."""


def _pairs(pairs: list[tuple[object, object]]) -> dict[object, object]:
    keys = [key for key, _ in pairs]
    if any(type(key) is not str for key in keys):
        raise _NotCanonical
    raw = [str(key).encode() for key in keys]
    if any(left >= right for left, right in pairwise(raw)):
        raise _NotCanonical
    return dict(pairs)


def _no_extension(_code: int, _data: bytes) -> object:
    raise _NotCanonical


def _check(value: object, depth: int) -> bool:
    """Whether `value` holds a map. Raises FormatError for what the subset has no place for.

    The exact type counts: True is not 1. Scalars are looked at inside the loop, without a call each, because an audit
    comes through here for every entry.
    """
    if type(value) is not list and type(value) is not dict:
        return _check([value], depth - 1)
    if depth == MOST_DEPTH:
        raise FormatError("a value is nested deeper than 8")
    holds_map = type(value) is dict
    for item in value.values() if type(value) is dict else value:
        kind = type(item)
        if kind is bytes or kind is bool or item is None or (kind is str and "\0" not in item):
            continue
        if kind is int:
            if not 0 <= item <= MOST_INTEGER:
                raise FormatError("an integer is outside 0..2^53-1")
        elif kind is str:
            raise FormatError("a text holds a NUL")
        elif kind is list or kind is dict:
            holds_map |= _check(item, depth + 1)
        else:
            raise FormatError("a value has a type that the format does not have")
    if type(value) is dict and any(type(key) is not str or "\0" in key for key in value):
        raise FormatError("a map key is not a string, or holds a NUL")
    return holds_map


def _sorted(value: Value) -> Value:
    """The same value with the keys of its maps in order."""
    if type(value) is list:
        return [_sorted(item) for item in value]
    if type(value) is dict:
        return {key: _sorted(value[key]) for key in sorted(value, key=_utf8)}
    return value


def _utf8(key: str) -> bytes:
    return key.encode()


def encode(value: Value) -> bytes:
    """The canonical bytes of `value`. Raises FormatError for what the subset cannot hold."""
    try:
        packed: bytes = _pack(_sorted(value) if _check(value, 0) else value)
    except UnicodeEncodeError:
        raise FormatError("a text is not valid Unicode") from None
    if len(packed) > MOST_BYTES:
        raise FormatError("a value is larger than 1 MiB")
    return packed


def encode_count(value: int) -> bytes:
    """The canonical bytes of one integer that is known to be in range."""
    packed: bytes = _pack(value)
    return packed


def parse_exact(raw: bytes) -> object:
    """The value behind bytes that are its one encoding, its types unchecked: for a caller that checks the exact type
    and range of every value itself, and so does the work of `parse` only once. Raises FormatError."""
    if len(raw) > MOST_BYTES:
        raise FormatError("a msgpack value is larger than 1 MiB")
    try:
        value: object = _unpack(raw, object_pairs_hook=_pairs, ext_hook=_no_extension)
        again: bytes = _pack(value)
    except (_NotCanonical, ValueError, OverflowError, RecursionError, TypeError, msgpack.UnpackException):
        raise FormatError("bytes are not canonical msgpack") from None
    if again != raw:
        raise FormatError("bytes are msgpack, but not in canonical form")
    return value


def parse(raw: bytes) -> Value:
    """The value behind canonical bytes. Raises FormatError for everything else, whatever the library calls it."""
    value = parse_exact(raw)
    _check(value, 0)
    return value  # type: ignore[return-value]  # `_check` has looked at every type
