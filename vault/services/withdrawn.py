"""Which offers of a journal were taken back by the journal itself, so that their wraps may be gone: from its leaves
alone, for the audit and for an import."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from vault.errors import VaultError
from vault.formats.leaf import parse_fields, raw_act
from vault.model import Act, Kind, Origin

_MARK: Final = bytes((0xA0 + len(Kind.GRANT.value),)) + Kind.GRANT.value.encode()
"""How the kind of a grant stands in a leaf's bytes: other leaves need no parsing."""
_MARKED: Final = 24


def taken_back(origin: Origin, leaves: Iterable[tuple[int, bytes]]) -> frozenset[int]:
    """The entries of one journal, of its (number, leaf) rows, whose wraps of a case may be gone: the offers that the
    same journal took back, and what was delivered by them before."""
    handed: dict[int, set[int]] = {}
    revoked: set[int] = set()
    for seq, raw in leaves:
        if _MARK not in raw[:_MARKED]:
            continue
        try:
            _, _, kind, _, _, extra = parse_fields(raw)
        except VaultError:
            continue
        act = raw_act(kind, extra)
        if act is not None and len(act) == 1:
            handed[seq] = {seq}
        elif act is not None and act[1] == origin and act[2] in handed:
            if act[0] == Act.SUPPLEMENT:
                handed[act[2]].add(seq)
            elif act[0] == Act.REVOKE:
                revoked.add(act[2])
    return frozenset(seq for number in revoked for seq in handed[number])
