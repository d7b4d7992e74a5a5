"""A13, everything about a release but its figures (notes, section 4): files, words, exit codes.

A reader who keeps every file compares what should not depend on the people: sizes, rows and their order, the categories
that are listed, how numbers are written, what the command says, the code it ends with. Two caseloads whose printed
figures are the same are a **pair**; whatever else differs between them tells the reader which of the two it was.
Pass: no observable of a pair differs. What follows from the recorders' journals by design (the checkpoints, and salt
and digest, which cover them) is taken out by `masked`; what it tells is looked at apart (`states`, `entries_named`).

Not compared: how long a refusal takes. The guard runs whole-number programs, so that its time depends on the caseload;
a release file says nothing of it, and whoever stands beside the director with a watch is not this reader.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

_CHECKPOINT: Final = re.compile(r"fieldvault/[0-9a-f]+/(?P<handle>[a-z0-9-]+)/[0-9]+ (?P<root>[A-Za-z0-9+/=]{44})")
_HEX: Final = re.compile(r"\b[0-9a-f]{64}\b")
_NUMERAL: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_WORD: Final = re.compile(r"[^\W\d_][\w+-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What one export left behind: its files by name, stdout and stderr, the exit code, and the figures in print."""

    figures: Mapping[Any, int]
    files: Mapping[str, bytes] = field(default_factory=dict)
    said: str = ""
    code: int = 0


def observed(output: Output) -> dict[str, object]:
    """What a reader can compare, from the coarse to the exact: the first that differs says how it was told."""
    found: dict[str, object] = {"exit code": output.code, "files": sorted(output.files), "what is said": output.said}
    for name, raw in sorted(output.files.items()):
        text = raw.decode()
        found |= {
            f"{name}: categories": sorted(set(_WORD.findall(text))),
            f"{name}: rows": text.count("\n"),
            f"{name}: order": [_NUMERAL.sub("", line) for line in text.splitlines()],
            f"{name}: numerals": sorted(set(_NUMERAL.findall(text))),
            f"{name}: size": len(raw),
            f"{name}: bytes": raw,
        }
    return found


def telling(one: Output, other: Output) -> tuple[str, ...]:
    """The observables by which a reader tells the two apart. Raises `ValueError` where the figures differ: no pair."""
    if one.figures != other.figures:
        raise ValueError("these two print different figures: that they can be told apart is no finding")
    left, right = observed(one), observed(other)
    return tuple(sorted(name for name in left.keys() | right.keys() if left.get(name) != right.get(name)))


def broken(pairs: Iterable[tuple[str, Output, Output]]) -> dict[str, tuple[str, ...]]:
    """The pairs that can be told apart, and by what."""
    found = {name: telling(one, other) for name, one, other in pairs}
    return {name: by for name, by in found.items() if by}


def masked(raw: bytes) -> bytes:
    """A file without what follows from the journals by design: checkpoints, salt and digest."""
    return _HEX.sub("HEX", _CHECKPOINT.sub(lambda found: f"CHECKPOINT {found['handle']}", raw.decode())).encode()


def states(raw: bytes) -> dict[str, str]:
    """The state of each recorder's journal that a file of a release names: its root, and no size."""
    return {found["handle"]: found["root"] for found in _CHECKPOINT.finditer(raw.decode())}


def entries_named(raw: bytes) -> list[str]:
    """Every number that stands beside a journal's name, which could be its size: how many entries there are."""
    return re.findall(r"fieldvault/[0-9a-f]{32}/[a-z0-9-]+/[0-9]+ ([0-9]+)(?![0-9A-Za-z+/=])", raw.decode())
