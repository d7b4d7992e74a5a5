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


def _components(edges: Mapping[Place, Collection[Place]]) -> list[list[Place]]:
    """The versions in groups that supersede each other in a circle (nearly always: each alone), what supersedes before
    what is superseded. Linear in versions and edges, so that nobody's circles hold a program up (Kosaraju's way)."""
    above: dict[Place, list[Place]] = {place: [] for place in edges}
    for place, below in edges.items():
        for other in below:
            above[other].append(place)
    finished = _finished(edges, edges)
    left = dict.fromkeys(reversed(finished))
    return [group for place in reversed(finished) if place in left for group in [_taken(place, above, left)]]


def _finished(starts: Iterable[Place], edges: Mapping[Place, Collection[Place]]) -> list[Place]:
    """All versions in the order in which a search through depth leaves them."""
    found: list[Place] = []
    seen: set[Place] = set()
    for start in starts:
        if start in seen:
            continue
        seen.add(start)
        path = [(start, iter(edges[start]))]
        while path:
            place, rest = path[-1]
            deeper = next((other for other in rest if other not in seen), None)
            if deeper is None:
                found.append(place)
                path.pop()
            else:
                seen.add(deeper)
                path.append((deeper, iter(edges[deeper])))
    return found


def _taken(start: Place, edges: Mapping[Place, Collection[Place]], left: dict[Place, None]) -> list[Place]:
    """What is reached from `start` among what is left, taken out of it."""
    found = [start]
    del left[start]
    for place in found:  # it grows meanwhile
        for other in edges[place]:
            if other in left:
                del left[other]
                found.append(other)
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
    return sorted(_uncovered(_superseded(record, links), None), key=order)


def _uncovered(edges: Mapping[Place, Collection[Place]], places: Collection[Place] | None) -> set[Place]:
    """Of `places` (of all versions without it), those that none of them outside their own circle supersedes."""
    found: set[Place] = set()
    covered: set[Place] = set()
    for group in _components(edges):
        mine = [place for place in group if places is None or place in places]
        hidden = any(place in covered for place in group)
        if not hidden:
            found.update(mine)
        if hidden or mine:
            covered.update(other for place in group for other in edges[place])
    return found


def counting(places: Iterable[Place], days: Mapping[Place, int]) -> Place:
    """Of versions that stand, the one that counts while they contradict each other: by day, handle, epoch, seq."""
    return max(places, key=lambda place: (days[place], order(place)))


def unseen(record: Place, links: Links, places: Collection[Place]) -> list[Place]:
    """Of `places` (versions of one record), those that no other of them supersedes, directly or not."""
    if len(places) < 2:
        return list(places)
    kept = _uncovered(_superseded(record, links), set(places))
    return [place for place in places if place in kept]
