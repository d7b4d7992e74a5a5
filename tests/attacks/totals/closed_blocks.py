"""The positive control: closed blocks and random rounding to five, as section 5.2 of the notes describes them.

Written a second time, small and apart from the product, so that the attacks are seen to leave something unbroken.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Final

from tests.attacks.totals.caseload import CasePerson, years
from tests.attacks.totals.exporters import K, fact
from vault.disclosure.facts import Fact, known_of

Rung = tuple[tuple[str, ...], ...]
"""A recode: each cell as the codes that it holds."""

_MINORS: Final = ("0-4", "5-11", "12-17")
LADDERS: Final[dict[str, tuple[Rung, ...]]] = {
    "sex": ((("female",), ("male",), ("unknown",)), (("female",), ("male", "unknown"))),
    "age_group": (
        (("0-4",), ("5-11",), ("12-17",), ("18-59",), ("60+",)),
        (_MINORS, ("18-59",), ("60+",)),
        (_MINORS, ("18-59", "60+")),
    ),
    "travelled_with_family": ((("yes",), ("no",)),),
    "reunited_with_family": ((("yes",), ("no",)),),
    "trafficked": ((("yes",), ("no",), ("not_answered",)), (("yes",), ("no", "not_answered"))),
}


def cell_ok(people: Sequence[CasePerson]) -> bool:
    """At least k people and five parties, none of which is more than half."""
    parties = Counter(one.party for one in people)
    return len(people) >= K and len(parties) >= 5 and max(parties.values()) * 2 <= len(people)


def closed_blocks(people: Sequence[CasePerson], up_to_year: int, *, rounded: bool = True) -> list[Fact]:
    """Totals of base periods, and every variable over blocks of base periods that pass at some rung."""
    facts: list[Fact] = []
    periods: list[tuple[str, ...]] = []
    gathered: tuple[str, ...] = ()
    for year in years(up_to_year):
        gathered += (year,)
        inside = [one for one in people if one.slot in gathered]
        if cell_ok(inside):
            periods.append(gathered)
            facts.append(_figure(inside, gathered, "", (), rounded))
            gathered = ()
    for name, ladder in LADDERS.items():
        block: tuple[str, ...] = ()
        for period in periods:
            block += period
            inside = [one for one in people if one.slot in block]
            rung = next((rung for rung in ladder if _level_ok(inside, name, rung)), None)
            if rung is not None:
                facts += [
                    _figure([one for one in inside if one.codes[name] in codes], block, name, codes, rounded)
                    for codes in rung
                ]
                block = ()
    return facts


def _level_ok(people: Sequence[CasePerson], name: str, rung: Rung) -> bool:
    """Whether every cell and its complement among those asked pass, and so do those asked among all."""
    asked = [one for one in people if one.codes[name]]
    groups = [[one for one in asked if one.codes[name] in codes] for codes in rung]
    rest = len(people) - len(asked)
    return (rest == 0 or rest >= K) and all(cell_ok(group) and len(asked) - len(group) >= K for group in groups)


def _figure(
    people: Sequence[CasePerson], slots: tuple[str, ...], name: str, codes: tuple[str, ...], rounded: bool
) -> Fact:
    """One printed figure, as what it says."""
    number = len(people)
    low = high = number
    if rounded:
        coin = Random(b"".join(sorted(one.token for one in people))).randrange(5)
        low, high = known_of(number // 5 * 5 + (5 if coin < number % 5 else 0), 5, K)
    return fact(slots, [((name,), [(code,) for code in codes])] if name else [], low, high)
