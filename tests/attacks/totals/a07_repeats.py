"""A7, averaging over relabelled repeats (notes, sections 2.3 and 4; Asghar and Kaafar on TableBuilder).

Collect every value ever printed for the same people, under whatever name. Pass: one value for each set of people, and
the intersection of what they say is no narrower than one rounding to base 5 (8 people).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from tests.attacks.totals.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One printed figure: the people it counts (their tokens, which only the test knows), and what it says."""

    label: str
    tokens: frozenset[bytes]
    low: int
    high: int


def averaged(answers: Iterable[Answer], width: int = 8) -> tuple[str, ...]:
    """Labels of people who were printed with two values, or of whom all answers together leave less than the width."""
    found: dict[frozenset[bytes], list[Answer]] = defaultdict(list)
    for answer in answers:
        found[answer.tokens].append(answer)
    telling = []
    for same in found.values():
        low, high = max(one.low for one in same), min(one.high for one in same)
        if len({(one.low, one.high) for one in same}) > 1 or (len(same) > 1 and high - low < width):
            telling.append(same[0].label)
    return tuple(telling)


def same_sets(world: World) -> tuple[str, ...]:
    """Facts that count exactly the same atoms and say different things, whatever they are called."""
    said: dict[bytes, set[tuple[int, int]]] = defaultdict(set)
    for row, low, high in zip(world.rows, world.low, world.high, strict=True):
        said[row.tobytes()].add((int(low), int(high)))
    first: dict[bytes, int] = {}
    for index, row in enumerate(world.rows):
        first.setdefault(row.tobytes(), index)
    return tuple(f"figure {first[key]}" for key, values in said.items() if len(values) > 1)
