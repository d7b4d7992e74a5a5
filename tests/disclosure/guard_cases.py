"""What the guard's tests are made of: short names for facts, every integer table by brute force, a made-up caseload."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations_with_replacement, product
from random import Random

from vault.disclosure.facts import OUTSIDE, Condition, Fact, Variable
from vault.disclosure.guard import Target

People = Mapping[tuple[str, tuple[str, ...]], int]
Where = tuple[Condition, ...]


def of(variable: str, *codes: str) -> Condition:
    """People who have one of these codes."""
    return Condition(variables=(variable,), codes=frozenset((code,) for code in codes))


def known(low: int, high: int, *where: Condition, slots: Sequence[str] = ("2020",)) -> Fact:
    """A fact about the tests' one subject."""
    return Fact(subject="reached_freedom", slots=frozenset(slots), where=where, low=low, high=high)


def exactly(number: int, *where: Condition, slots: Sequence[str] = ("2020",)) -> Fact:
    """A figure that was published as it was."""
    return known(number, number, *where, slots=slots)


def target(*where: Condition, slot: str = "2020") -> Target:
    """A group of one slot."""
    return Target(where=where, slot=slot)


def counted(variables: Sequence[Variable], people: People, slots: Sequence[str], where: Where) -> int:
    """How many of the people a fact or target counts: the definition, with nothing clever."""
    names = [variable.name for variable in variables]
    total = 0
    for (slot, codes), number in people.items():
        person = dict(zip(names, codes, strict=True))
        if slot in slots and all(tuple(person[n] for n in one.variables) in one.codes for one in where):
            total += number
    return total


def persons(variables: Sequence[Variable]) -> list[tuple[str, ...]]:
    """Every combination of codes that a person can have."""
    names = [variable.name for variable in variables]
    found = []
    for codes in product(*((*variable.codes, OUTSIDE) for variable in variables)):
        person = dict(zip(names, codes, strict=True))
        asked = [v.universe is None or person[v.universe[0]] in v.universe[1] for v in variables]
        free = not any(person[v.name] in x.codes and person[x.other] in x.others for v in variables for x in v.excludes)
        if free and all((code != OUTSIDE) == is_asked for code, is_asked in zip(codes, asked, strict=True)):
            found.append(codes)
    return found


def worlds(variables: Sequence[Variable], slots: Sequence[str], most: int) -> Iterator[People]:
    """Every table of at most so many people a slot."""
    kinds = persons(variables)
    one_slot = [Counter(chosen) for size in range(most + 1) for chosen in combinations_with_replacement(kinds, size)]
    for chosen in product(one_slot, repeat=len(slots)):
        yield {(slot, codes): n for slot, table in zip(slots, chosen, strict=True) for codes, n in table.items()}


# A caseload like the one in the notes: 15 years, a year of 20 to 140 people for 1,300, only women asked one question.

FIVE = ("yes", "no", "unknown", "not_asked", "declined")
CASELOAD = (
    Variable(name="sex", codes=("female", "male", "unknown")),
    Variable(name="age_group", codes=("0-4", "5-11", "12-17", "18-59", "60+", "unknown")),
    Variable(name="family", codes=FIVE),
    Variable(name="reunited", codes=FIVE),
    Variable(name="trafficked", codes=FIVE, universe=("sex", frozenset({"female"}))),
)
YEARS = tuple(str(year) for year in range(2010, 2025))
MINORS = ("0-4", "5-11", "12-17")


def caseload(number: int, seed: int) -> People:
    """So many made-up people."""
    chance = Random(seed)
    found: Counter[tuple[str, tuple[str, ...]]] = Counter()
    for _ in range(number):
        (year,) = chance.choices(YEARS, (2, 3, 5, 8, 8, 10, 12, 14, 14, 10, 1.2, 0.8, 3, 4, 5))
        (sex,) = chance.choices(CASELOAD[0].codes, (0.68, 0.25, 0.07))
        (age,) = chance.choices(CASELOAD[1].codes, (0.04, 0.06, 0.08, 0.72, 0.05, 0.05))
        family, reunited, trafficked = chance.choices(FIVE, (0.4, 0.4, 0.1, 0.06, 0.04), k=3)
        found[year, (sex, age, family, reunited, trafficked if sex == "female" else OUTSIDE)] += 1
    return found


def _ladders() -> list[tuple[Where, list[list[Where]]]]:
    """For each table its universe and its rungs, finest first."""
    sexes, ages = CASELOAD[0].codes, CASELOAD[1].codes
    men, women = of("sex", "male", "unknown"), of("sex", "female")
    adults, minors = of("age_group", *(set(ages) - set(MINORS))), of("age_group", *MINORS)
    tables: list[tuple[Where, list[list[Where]]]] = [
        ((), [[(of("sex", code),) for code in sexes], [(women,), (men,)]]),
        (
            (),
            [
                [(of("sex", sex), of("age_group", age)) for sex in sexes for age in ages],
                [(of("sex", sex), age) for sex in sexes for age in (minors, adults)],
                [(women, adults), (men, adults), (minors,)],
            ],
        ),
    ]
    for name, inside in (("family", ()), ("reunited", ()), ("trafficked", (women,))):
        fine = [(*inside, of(name, code)) for code in FIVE]
        tables.append((inside, [fine, [(*inside, of(name, "yes")), (*inside, of(name, *FIVE[1:]))]]))
    return tables


def closed_blocks(people: People, seed: int, k: int = 10, base: int = 5) -> list[Fact]:
    """What a reader of closed blocks knows: printed once, every figure and its complement at least k, rounded."""
    chance = Random(seed)
    facts: list[Fact] = []

    def count(slots: Sequence[str], where: Where) -> int:
        return counted(CASELOAD, people, slots, where)

    def put(slots: Sequence[str], where: Where) -> None:
        number = count(slots, where)
        value = number - number % base + (base if chance.random() < number % base / base else 0)
        facts.append(known(max(k, value - base + 1), value + base - 1, *where, slots=slots))

    periods: list[list[str]] = [[]]
    for year in YEARS:
        periods[-1].append(year)
        if count(periods[-1], ()) >= k:
            put(periods[-1], ())
            periods.append([])
    for inside, ladder in _ladders():
        block: list[str] = []
        for period in periods[:-1]:
            block += period
            everybody = count(block, inside)
            for rung in ladder:
                if all(k <= count(block, where) <= everybody - k for where in rung):
                    for where in rung:
                        put(block, where)
                    block = []
                    break
    return facts
