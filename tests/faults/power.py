"""Power loss, simulated: what may lie on the disk when the machine dies after any of the recorded events.

The model (of notes in ALICE and SQLite's own assumptions, with nothing kinder):

- Files are inodes. A sync makes everything durable that was written to that file before it.
- What was written since the last sync of its file may be there, or not, each write for itself and in any order; a write
  may be torn: any subset of its 512-byte sectors arrived. A truncation may be there or not.
- Making and deleting names is durable in order, up to a directory sync. SQLite's layer for Unix syncs the directory at
  the first sync of a file that it made, and after a deletion when asked.
- `-shm` is not on the disk: its content does not survive a reboot, and SQLite makes it anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from tests.faults.vfs import Event

SECTOR = 512


@dataclass
class _Inode:
    durable: bytes = b""
    pending: list[Event] = field(default_factory=list)
    fresh: bool = True
    """Made, and not synced yet: its first sync also makes the directory durable."""


def _apply(content: bytearray, event: Event, sectors: Sequence[int] | None = None) -> None:
    if event.what == "truncate":
        del content[event.offset :]
        content.extend(bytes(event.offset - len(content)))
        return
    end = event.offset + len(event.data)
    pieces = range((len(event.data) + SECTOR - 1) // SECTOR) if sectors is None else sectors
    for piece in pieces:
        start = piece * SECTOR
        chunk = event.data[start : start + SECTOR]
        at = event.offset + start
        if len(content) < at:
            content.extend(bytes(at - len(content)))
        content[at : at + len(chunk)] = chunk
    assert sectors is not None or len(content) >= end


class Disk:
    """The disk after a prefix of the events."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.inodes = [_Inode(durable=content, fresh=False) for content in files.values()]
        self.names = dict(zip(files, range(len(files)), strict=True))
        self.durable_names = dict(self.names)
        self.pending_names: list[tuple[str, int | None]] = []
        self.acks = 0

    def take(self, event: Event) -> None:
        """One more event happened."""
        if event.what == "ack":
            self.acks += 1
        elif event.what == "create":
            self.inodes.append(_Inode())
            self.names[event.name] = len(self.inodes) - 1
            self.pending_names.append((event.name, len(self.inodes) - 1))
        elif event.what == "delete":
            self.names.pop(event.name, None)
            self.pending_names.append((event.name, None))
        elif event.what == "dirsync":
            self._sync_directory(len(self.pending_names))
        elif event.what == "sync":
            inode = self.inodes[self.names[event.name]]
            inode.durable = bytes(self._content(inode, inode.pending))
            inode.pending = []
            if inode.fresh:
                inode.fresh = False
                self._sync_directory(len(self.pending_names))
        else:
            self.inodes[self.names[event.name]].pending.append(event)

    def _sync_directory(self, count: int) -> None:
        for name, inode in self.pending_names[:count]:
            self._name(self.durable_names, name, inode)
        del self.pending_names[:count]

    @staticmethod
    def _name(names: dict[str, int], name: str, inode: int | None) -> None:
        if inode is None:
            names.pop(name, None)
        else:
            names[name] = inode

    @staticmethod
    def _content(inode: _Inode, events: Sequence[Event]) -> bytearray:
        content = bytearray(inode.durable)
        for event in events:
            _apply(content, event)
        return content

    def crashes(self, random: Random, most: int) -> Iterator[dict[str, bytes]]:
        """What the disk may hold now: everything unsynced lost; everything there; and random worlds between."""
        for number in range(most):
            names = dict(self.durable_names)
            keep = 0 if number == 0 else len(self.pending_names)
            if number > 1:
                keep = random.randint(0, len(self.pending_names))
            for name, inode in self.pending_names[:keep]:
                self._name(names, name, inode)
            yield {name: self._crashed(self.inodes[inode], number, random) for name, inode in names.items()}

    def _crashed(self, inode: _Inode, number: int, random: Random) -> bytes:
        if number == 0:
            return inode.durable
        if number == 1:
            return bytes(self._content(inode, inode.pending))
        content = bytearray(inode.durable)
        events = [event for event in inode.pending if random.random() < 0.6]
        if number % 2:
            random.shuffle(events)
        for event in events:
            count = (len(event.data) + SECTOR - 1) // SECTOR
            torn = [piece for piece in range(count) if random.random() < 0.7] if random.random() < 0.5 else None
            _apply(content, event, torn)
        return bytes(content)
