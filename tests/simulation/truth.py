"""What is true in a schedule, kept beside the laptops and never read back from them.

An entry is known by its leaf's bytes, which no two entries share. A **case** is a number of the model's own: that two
laptops call it by other names, or count it by a token, is for the vault to get right.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from vault.formats import bundle as wire
from vault.formats.checkpoint import parse_checkpoint
from vault.formats.note import parse_note
from vault.formats.origin import parse_origin
from vault.model import Origin
from vault.primitives import tree


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A record, or an amendment of the record `amends`, that somebody saved: what it says about whom, and which
    recorders must never read it."""

    case: int
    author: str
    type: str
    values: Mapping[str, str]
    amends: bytes | None = None
    hidden_from: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """An offer of a case."""

    case: int
    giver: str
    taker: str
    transfer: bool


@dataclass(slots=True, kw_only=True)
class Truth:
    """The model of one schedule."""

    entries: dict[bytes, Entry] = field(default_factory=dict)
    names: dict[tuple[str, str], int] = field(default_factory=dict)
    offers: dict[bytes, Offered] = field(default_factory=dict)
    readers: dict[int, set[str]] = field(default_factory=dict)
    involved: dict[int, set[str]] = field(default_factory=dict)
    shown: dict[Origin, list[set[bytes]]] = field(default_factory=dict)
    elsewhere: dict[Origin, dict[int, bytes]] = field(default_factory=dict)
    rewound: set[str] = field(default_factory=set)
    cloned: set[str] = field(default_factory=set)
    revoked: set[str] = field(default_factory=set)
    _cases: Iterator[int] = field(default_factory=itertools.count)

    def open_case(self, handle: str, pseudonym: str) -> int:
        """A new person."""
        case = next(self._cases)
        self.names[handle, pseudonym] = case
        self.readers[case], self.involved[case] = {handle}, {handle}
        return case

    def save(self, leaf: bytes, entry: Entry) -> None:
        """An entry was acknowledged."""
        self.entries[leaf] = entry

    def hidden(self, case: int, author: str) -> frozenset[str]:
        """Who had the case once and must not read what is written in it from here on. Nothing is claimed for a member
        with several laptops, one that forgot, or one that has not heard yet that the case was taken: it may go on with
        keys that were given away since."""
        if author in self.rewound | self.cloned or author not in self.readers[case]:
            return frozenset()
        return frozenset(self.involved[case] - self.readers[case] - {author})

    def offer(self, leaf: bytes, offered: Offered) -> None:
        """A case was offered: its taker may read it, and what was hidden from them while they did not have it."""
        self.offers[leaf] = offered
        for saved, entry in self.entries.items():
            if entry.case == offered.case:
                self.entries[saved] = replace(entry, hidden_from=entry.hidden_from - {offered.taker})
        self.readers[offered.case].add(offered.taker)
        self.involved[offered.case].add(offered.taker)

    def accept(self, leaf: bytes, pseudonym: str) -> None:
        """It was taken: after a transfer, its giver may read nothing new."""
        offered = self.offers[leaf]
        self.names[offered.taker, pseudonym] = offered.case
        self.readers[offered.case].add(offered.taker)
        if offered.transfer:
            self.readers[offered.case].discard(offered.giver)

    def show(self, journals: Iterable[tuple[Origin, Sequence[bytes]]]) -> None:
        """Histories that left the laptop where they were written, and were seen by somebody."""
        for origin, leaves in journals:
            seen = self.shown.setdefault(origin, [])
            seen.extend(set() for _ in range(len(leaves) - len(seen)))
            for at, leaf in enumerate(leaves):
                seen[at].add(leaf)

    def forked(self, origin: Origin) -> bool:
        """Whether two histories of a journal were seen, by whomever."""
        return any(len(leaves) > 1 for leaves in self.shown.get(origin, ()))

    def alone(self, handle: str) -> bool:
        """Whether a member has one laptop that never forgot anything."""
        return handle not in self.rewound and handle not in self.cloned

    def note_elsewhere(self, origin: Origin, start: int, leaves: Iterable[bytes]) -> None:
        """Entries that came to a laptop other than their writer's."""
        self.elsewhere.setdefault(origin, {}).update(enumerate(leaves, start))


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One journal in a bundle: from which entry on, and the whole history that its sender held."""

    start: int
    history: Sequence[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stick:
    """A bundle that was made: from and for whom, and what its items say."""

    path: Path
    sender: str
    to: str
    sections: Mapping[Origin, Section]
    heads: frozenset[tuple[Origin, int, bytes]]
    held: Mapping[Origin, Sequence[bytes]]

    @classmethod
    def of(
        cls, path: Path, sender: str, to: str, items: Iterable[wire.Item], held: Mapping[Origin, Sequence[bytes]]
    ) -> Stick:
        """The bundle with these items, of a sender who held these journals."""
        sections, notes = {}, []
        for item in items:
            if isinstance(item, wire.JournalItem):
                sections[Origin(item.origin)] = Section(
                    start=item.start, history=held[Origin(item.origin)][: item.size]
                )
                notes.append(item.note)
            elif isinstance(item, wire.HeadsItem):
                notes += item.notes
            elif isinstance(item, wire.ForkItem):
                notes += (item.ours, item.theirs)
        heads = frozenset(_head(note) for note in notes)
        known = {origin: held[origin] for origin in {*sections, *(head[0] for head in heads)} if origin in held}
        return cls(path=path, sender=sender, to=to, sections=sections, heads=heads, held=known)


def _head(note: bytes) -> tuple[Origin, int, bytes]:
    head = parse_checkpoint(parse_note(note).text)
    return head.origin, head.size, head.root


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root of the tree over these entries."""
    return tree.root_of([tree.leaf_hash(leaf) for leaf in leaves])


def contradict(one: Sequence[bytes], other: Sequence[bytes]) -> bool:
    """Whether neither history begins with the other."""
    shared = min(len(one), len(other))
    return list(one[:shared]) != list(other[:shared])


def writer(origin: Origin) -> str:
    """Whose journal it is."""
    return parse_origin(origin).handle
