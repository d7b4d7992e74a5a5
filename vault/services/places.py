"""Entries of several journals in one order, and the names by which people call them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TypeVar

from vault.errors import FormatError, UsageError
from vault.formats.origin import origin_of, parse_origin
from vault.formats.place import handle_of, order, short
from vault.model import Handle, Origin, Place, VaultId

Name = int | str
"""An entry's name: its number in the journal that one writes, else `HANDLE/EPOCH:SEQ`."""

_Item = TypeVar("_Item")
_NAME = re.compile(r"(?:(?P<journal>[a-z0-9/-]{1,200}):)?(?P<seq>0|[1-9][0-9]{0,15})", re.ASCII)


def in_order(items: Iterable[_Item], place: Callable[[_Item], Place], day: Callable[[_Item], int]) -> list[_Item]:
    """Items by day, and those of one day by handle, epoch and seq; each author's own order is kept, also where the
    author's clock went back. The result depends on the items alone, not on the order in which they come."""
    latest: dict[Handle, int] = {}
    ranked = []
    for item in sorted(items, key=lambda item: order(place(item))):
        where = place(item)
        handle = handle_of(where)
        latest[handle] = max(latest.get(handle, 0), day(item))
        ranked.append((latest[handle], order(where), item))
    ranked.sort(key=lambda row: row[:2])
    return [item for _, _, item in ranked]


def name_in(origin: Origin, place: Place) -> Name:
    """What to call an entry, for somebody who writes the journal `origin`."""
    return place.seq if place.origin == origin else short(place)


def parse_name(text: str, vault_id: VaultId, writing: Origin) -> Place:
    """The place that `SEQ` (in the journal `writing`), `HANDLE/EPOCH:SEQ` or `ORIGIN:SEQ` names. Raises UsageError."""
    match = _NAME.fullmatch(text.strip())
    if match is None:
        raise UsageError("an entry is named by its number, such as 212, or as HANDLE/EPOCH:212")
    journal, seq = match["journal"], int(match["seq"])
    if journal is None:
        return Place(writing, seq)
    whole = journal if journal.startswith("fieldvault/") and journal.count("/") == 3 else None
    try:
        name = parse_origin(whole or f"fieldvault/{vault_id}/{journal}")
    except FormatError:
        raise UsageError("an entry of a journal is named as HANDLE/EPOCH:212 or as ORIGIN:212") from None
    if name.vault_id != vault_id:
        raise UsageError("that entry is in a journal of another vault")
    return Place(origin_of(name.vault_id, name.handle, name.epoch), seq)
