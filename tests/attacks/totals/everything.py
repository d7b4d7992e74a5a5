"""Every attack on facts at once: what an exporter of totals has to survive.

`attack_everything` is what the product's own facts are put to, over all that has ever been printed together. A13 (the
form of files) and A15 (the ledger) need the product itself and stand with its own tests; A6, A7, A12, A14 and A16 need
more than facts and are called apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tests.attacks.totals.a04_differences import complements, remainders
from tests.attacks.totals.caseload import Counted
from tests.attacks.totals.search import bounds
from tests.attacks.totals.verdict import Broken, judged
from tests.attacks.totals.world import Target, World, build, targets
from vault.disclosure.facts import Fact, Variable


def attack_everything(
    variables: Sequence[Variable],
    people: Iterable[Counted],
    facts: Sequence[Fact],
    k: int = 10,
    *,
    depth: int = 2,
    sharp: bool = True,
    periods: bool = False,
) -> Broken:
    """A1-A5 and A8, all facts together: can a reader prove anything about a cell of truly fewer than k people?

    The cells are every conjunction of up to `depth` codes in one slot, what figures leave when subtracted from each
    other, and what they leave of their period. `periods` adds the conjunctions in every period that a fact speaks of:
    more than the guard promises, and closed blocks do not pass it (see `closed_blocks`). Whole-number bounds imply the
    weaker ones: what linear algebra, linear programs, subtraction or the inversion of rounding can show is shown by
    them too. `sharp` false counts a broken cell as `exists` or `narrow` without looking whether it is known exactly.
    Raises `ValueError` if a fact is not true of the people.
    """
    world = build(variables, people, facts)
    cells = {cell.atoms: cell for cell in _cells(world, facts if periods else (), k, depth)}
    ordered = list(cells.values())
    return judged(zip(ordered, bounds(world, ordered, k, sharp=sharp), strict=True), k)


def _cells(world: World, facts: Sequence[Fact], k: int, depth: int) -> Iterator[Target]:
    for cell, _ in remainders(world, k):
        yield cell
    yield from complements(world, k)
    yield from targets(world, k, depth, sorted({fact.slots for fact in facts}, key=sorted))
    yield from targets(world, k, depth)
