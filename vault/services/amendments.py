"""Which versions of a record stand, when several people, or one person on several laptops, have amended it.

A record and its amendments form a graph: each amendment names the versions that its author had before them and
supersedes. What nothing supersedes stands. One standing version is the normal case; two are a conflict, which is shown
and counted by a rule that everybody applies alike, until a further amendment supersedes both. The outcome depends on
the set of amendments alone, never on the order in which they came.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from vault.formats.part import Amends
from vault.formats.place import order
from vault.model import Place

Links = Mapping[Place, "int | Amends"]
"""What each amendment of one record says that it amends."""


def record_of(place: Place, amends: int | Amends) -> Place:
    """The record that the amendment at `place` corrects."""
    return amends.record if isinstance(amends, Amends) else Place(place.origin, amends)


def names_the_past(place: Place, amends: int | Amends) -> bool:
    """Whether what an amendment names of its own journal stands before it there: nothing else can have been seen."""
    named = (amends.record, *amends.superseded) if isinstance(amends, Amends) else (Place(place.origin, amends),)
    return all(other.seq < place.seq for other in named if other.origin == place.origin)


def _superseded(record: Place, links: Links) -> dict[Place, set[Place]]:
    """Every version with those right below it, among the versions that are here. The record itself was before everybody
    who amended it. Of the earlier amendments in its journal, a short form names those down to the short form before it,
    which names the rest."""
    found: dict[Place, set[Place]] = {record: set()}
    since: dict[str, list[Place]] = {}
    for place in sorted(links, key=lambda place: place.seq):
        amends, before = links[place], since.setdefault(place.origin, [])
        if isinstance(amends, Amends):
            below = {other for other in amends.superseded if other in links}
        else:
            below = set(before)
            before.clear()
        before.append(place)
        found[place] = below | {record}
    return found


def _reached(starts: Iterable[Place], edges: Mapping[Place, Collection[Place]]) -> set[Place]:
    """What is superseded by any of `starts`, over however many steps."""
    found: set[Place] = set()
    waiting = [place for start in starts for place in edges[start]]
    while waiting:
        place = waiting.pop()
        if place not in found:
            found.add(place)
            waiting.extend(edges[place])
    return found


def standing(record: Place, links: Links) -> list[Place]:
    """The versions that stand, in the order of their places; never none.

    Versions that supersede each other in a circle (which takes somebody who named an entry before it was written) stand
    all of them: nobody's version vanishes by such a trick.
    """
    if not links:
        return [record]
    if not any(isinstance(amends, Amends) for amends in links.values()):
        return [max(links, key=lambda place: place.seq)]  # one journal, one line of amendments
    edges = _superseded(record, links)
    below = set().union(*edges.values())
    heads = [place for place in edges if place not in below]
    circling = set(edges) - set(heads) - _reached(heads, edges)
    if circling:
        reached = {place: _reached([place], edges) for place in circling}
        heads += [
            place for place in circling if all(other in reached[place] for other in circling if place in reached[other])
        ]
    return sorted(heads, key=order)


def counting(places: Iterable[Place], days: Mapping[Place, int]) -> Place:
    """Of versions that stand, the one that counts while they contradict each other: by day, handle, epoch, seq."""
    return max(places, key=lambda place: (days[place], order(place)))


def unseen(record: Place, links: Links, places: Collection[Place]) -> list[Place]:
    """Of `places` (versions of one record), those that no other of them supersedes, directly or not."""
    if len(places) < 2:
        return list(places)
    edges = _superseded(record, links)
    reached = {place: _reached([place], edges) for place in places}
    return [
        place
        for place in places
        if not any(place in reached[other] and other not in reached[place] for other in places if other != place)
    ]
