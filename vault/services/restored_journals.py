"""The hubs' journals in which cases were restored: most have none, and are not read further."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from vault.formats.place import name_of
from vault.model import Act, Origin, Role
from vault.services.roster import Roster
from vault.store.store import Store

_RESTORE: Final = bytes((0xA0 + len(Act.RESTORE.value),)) + Act.RESTORE.value.encode()
_RESTORE_BY: Final = 48


def restoring(store: Store, roster: Roster) -> Iterator[tuple[int, Origin]]:
    """Number and origin of each hub's journal here with a restore in it."""
    for number, origin in store.journals():
        member = roster.find(name_of(origin).handle)
        if member is not None and member.role is Role.HUB and _restores(store, number):
            yield number, origin


def _restores(store: Store, number: int) -> bool:
    return any(_RESTORE in raw[:_RESTORE_BY] for raw in store.leaves(number))
