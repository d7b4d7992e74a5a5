# ruff: noqa: ANN401  # a value of the format is any of its types
"""Values as JSON that keeps what it has no word for: bytes are {"bytes": hex}, maps are {"map": [[key, value]...]}."""

from __future__ import annotations

import json
from typing import Any


def tag(value: Any) -> Any:
    """A value of the canonical subset as plain JSON values."""
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if isinstance(value, dict):
        return {"map": [[key, tag(item)] for key, item in value.items()]}
    if isinstance(value, list | tuple):
        return [tag(item) for item in value]
    return value


def untag(value: Any) -> Any:
    """The inverse of `tag`."""
    if isinstance(value, dict):
        if "bytes" in value:
            return bytes.fromhex(value["bytes"])
        return {key: untag(item) for key, item in value["map"]}
    if isinstance(value, list):
        return [untag(item) for item in value]
    return value


def dump(value: Any) -> bytes:
    """A vector file's bytes: JSON, sorted keys, one space of indentation, ASCII."""
    return (json.dumps(value, indent=1, sort_keys=True) + "\n").encode()
