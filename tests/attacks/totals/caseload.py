"""A made-up caseload with the margins that were published, from a seed.

1,300 people of 2010-2024. What never changes with the seed are the public numbers of the annual report (all years:
882 women, 325 men, 93 without a recorded sex, 237 minors, 472 with family, 409 reunited, 406 women answered, 211 yes;
2020: 14 women, one man, 5 reunited, 12 trafficked, 2 in the first quarter). Everything else is drawn: the years, the
travel parties (1 to 6 people, who share year and quarter), who belongs to which cell, and the nights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Final, Protocol

from vault.disclosure.facts import OUTSIDE, UNDATED, Variable

SUBJECT: Final = "reached_freedom"
FIRST, LAST, SMALL = 2010, 2024, 2020
"""The years of the caseload, and the year of which the report says too much."""

VARIABLES: Final = (
    Variable(name="sex", codes=("female", "male", "unknown")),
    Variable(name="age_group", codes=("0-4", "5-11", "12-17", "18-59", "60+")),
    Variable(name="travelled_with_family", codes=("yes", "no")),
    Variable(name="reunited_with_family", codes=("yes", "no")),
    Variable(name="trafficked", codes=("yes", "no", "not_answered"), universe=("sex", frozenset({"female"}))),
)

_PROFILE: Final = (41, 48, 60, 72, 88, 99, 121, 142, 163, 196, 15, 8, 26, 84, 137)
"""About how many people a year, 2010 to 2024: invented, with the collapse of 2020-2022."""
_ADULT: Final = "18-59"


class Counted(Protocol):
    """What an attack needs of a person in order to know which cells are small: the slot of time and the codes."""

    @property
    def slot(self) -> str:
        """The smallest piece of time that the person is counted in."""

    @property
    def codes(self) -> Mapping[str, str]:
        """The person's code of each variable; OUTSIDE where they were not asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePerson:
    """One made-up person. `year` 0 means that no year is known; `late` names the slot of whoever came too late."""

    token: bytes
    party: bytes
    year: int
    quarter: int
    codes: Mapping[str, str] = field(hash=False)
    nights: int
    late: str = ""

    @property
    def slot(self) -> str:
        """The person's one slot."""
        return self.late or (str(self.year) if self.year else UNDATED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slotted:
    """A person seen with other pieces of time than years."""

    slot: str
    codes: Mapping[str, str] = field(hash=False)


def quarter_slot(year: int, quarter: int) -> str:
    """The name of a quarter."""
    return f"{year}-Q{quarter}"


def by_quarter(people: Iterable[CasePerson]) -> tuple[Slotted, ...]:
    """The same people, in slots of a quarter."""
    return tuple(Slotted(slot=quarter_slot(one.year, one.quarter), codes=one.codes) for one in people)


def years(up_to_year: int = LAST) -> tuple[str, ...]:
    """The slots of the caseload up to a year."""
    return tuple(str(year) for year in range(FIRST, up_to_year + 1))


def caseload(seed: int) -> tuple[CasePerson, ...]:
    """The caseload of a seed: the same people every time, in an order that says nothing."""
    dice = Random(seed)
    people: list[CasePerson] = []
    for year, size in zip(range(FIRST, LAST + 1), _sizes(dice), strict=True):
        people += arrivals(dice, year, size)
    people = _marked(people, "sex", _sexes(dice, people))
    # Real sex and age hang together; here they are drawn apart, which is no easier to protect.
    ages = _dealt(dice, people, {"0-4": 61, "5-11": 84, "12-17": 92, _ADULT: 961, "60+": 102}, {"12-17": 2, _ADULT: 13})
    people = _marked(people, "age_group", ages)
    sizes = _party_sizes(people)
    family = _preferred(dice, people, 472, {SMALL: 6}, lambda one: sizes[one.party] > 1)
    people = _marked(people, "travelled_with_family", family)
    reunited = _preferred(dice, people, 409, {SMALL: 5}, lambda _: True)
    people = _marked(people, "reunited_with_family", reunited)
    people = _marked(people, "trafficked", _trafficked(dice, people))
    dice.shuffle(people)
    return tuple(people)


def arrivals(dice: Random, year: int, size: int) -> list[CasePerson]:
    """So many people of one year in parties of 1 to 6, without codes; of 2020, two in the first quarter."""
    people: list[CasePerson] = []
    while len(people) < size:
        members = min(dice.choices((1, 2, 3, 4, 5, 6), (50, 20, 12, 9, 5, 4))[0], size - len(people))
        quarter = dice.randint(1, 4)
        if year == SMALL:
            members, quarter = (2, 1) if not people else (min(members, 3), dice.randint(2, 4))
        party = dice.randbytes(16)
        people += [
            CasePerson(
                token=dice.randbytes(16),
                party=party,
                year=year,
                quarter=quarter,
                codes={},
                nights=min(int(dice.expovariate(1 / 40)) + 1, 400),
            )
            for _ in range(members)
        ]
    return people


def _sizes(dice: Random) -> list[int]:
    """People a year: the profile, shaken by a fifth, 1,300 in all; 2020 is 15 and 2021 below ten."""
    sizes = [round(size * dice.uniform(0.8, 1.2)) for size in _PROFILE]
    sizes[SMALL - FIRST], sizes[SMALL - FIRST + 1] = 15, dice.randint(5, 9)
    sizes[9] += 1_300 - sum(sizes)  # 2019, the largest, takes up the slack
    if sizes[9] >= 100:
        return sizes
    return _sizes(dice)


def _party_sizes(people: Sequence[CasePerson]) -> dict[bytes, int]:
    sizes: dict[bytes, int] = {}
    for one in people:
        sizes[one.party] = sizes.get(one.party, 0) + 1
    return sizes


def _marked(people: Sequence[CasePerson], variable: str, codes: Mapping[bytes, str]) -> list[CasePerson]:
    return [replace(one, codes={**one.codes, variable: codes[one.token]}) for one in people]


def _sexes(dice: Random, people: Sequence[CasePerson]) -> dict[bytes, str]:
    """882 women, 325 men and 93 of whom it was not recorded, in some of the larger years only."""
    large = [year for year, size in zip(range(FIRST, LAST + 1), _PROFILE, strict=True) if size > 60]
    careless = set(dice.sample(large, 6))
    unknown = {one.token for one in dice.sample([one for one in people if one.year in careless], 93)}
    rest = [one for one in people if one.token not in unknown]
    sexes = _dealt(dice, rest, {"female": 882, "male": 325}, {"female": 14, "male": 1})
    return {**sexes, **dict.fromkeys(unknown, "unknown")}


def _dealt(
    dice: Random, people: Sequence[CasePerson], counts: Mapping[str, int], small: Mapping[str, int]
) -> dict[bytes, str]:
    """A code for everybody: exactly so many of each, and exactly so many of each in the small year."""
    within = [code for code, number in small.items() for _ in range(number)]
    others = [code for code, number in counts.items() for _ in range(number - small.get(code, 0))]
    dice.shuffle(within)
    dice.shuffle(others)
    return {one.token: (within if one.year == SMALL else others).pop() for one in people}


def _preferred(
    dice: Random,
    people: Sequence[CasePerson],
    number: int,
    small: Mapping[int, int],
    fits: Callable[[CasePerson], bool],
) -> dict[bytes, str]:
    """Yes for exactly so many people, so many of them in the small year, those who fit before others."""
    chosen: set[bytes] = set()
    for year, wanted in ((SMALL, small[SMALL]), (0, number - small[SMALL])):
        pool = [one for one in people if (one.year == SMALL) == (year == SMALL)]
        dice.shuffle(pool)
        pool.sort(key=lambda one: not fits(one))
        chosen |= {one.token for one in pool[:wanted]}
    return {one.token: "yes" if one.token in chosen else "no" for one in people}


def _trafficked(dice: Random, people: Sequence[CasePerson]) -> dict[bytes, str]:
    """406 women answered, 211 of them yes; of the 14 women of 2020 twelve say yes and two say no."""
    women = [one for one in people if one.codes["sex"] == "female"]
    small = ["yes"] * 12 + ["no"] * 2
    others = ["yes"] * 199 + ["no"] * 193 + ["not_answered"] * 476
    dice.shuffle(small)
    dice.shuffle(others)
    answers = {one.token: (small if one.year == SMALL else others).pop() for one in women}
    return {one.token: answers.get(one.token, OUTSIDE) for one in people}
