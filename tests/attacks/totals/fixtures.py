"""Small caseloads that have broken exporters elsewhere: fixtures (ii) to (vii) of the catalogue of attacks.

Each takes a seed and returns people of the same variables as `caseload`; what is special about each is in its name.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random

from tests.attacks.totals.caseload import FIRST, SMALL, CasePerson, arrivals, caseload
from vault.disclosure.facts import LATER, OUTSIDE


def only_2020(seed: int) -> tuple[CasePerson, ...]:
    """(ii) The fifteen people of 2020 and nobody else."""
    return tuple(one for one in caseload(seed) if one.year == SMALL)


def fifteen_women(seed: int) -> tuple[CasePerson, ...]:
    """(iii) Fifteen people, all women: every figure about sex is nothing or everything."""
    return tuple(
        replace(one, codes={**one.codes, "sex": "female", "trafficked": one.codes["trafficked"] or "no"})
        for one in only_2020(seed)
    )


def two_parties_of_six(seed: int) -> tuple[CasePerson, ...]:
    """(iv) Twelve people: enough for k = 10, and yet each party subtracts itself and is left with the other."""
    dice = Random(seed)
    parties = [dice.randbytes(16), dice.randbytes(16)]
    return tuple(
        replace(one, party=parties[index % 2], quarter=2, codes=_plain(dice))
        for index, one in enumerate(arrivals(dice, FIRST, 12))
    )


def one_long_stay(seed: int) -> tuple[CasePerson, ...]:
    """(v) Forty people, of whom one spent nine tenths of all nights."""
    dice = Random(seed)
    people = [replace(one, nights=dice.randint(1, 5), codes=_plain(dice)) for one in arrivals(dice, FIRST, 40)]
    others = sum(one.nights for one in people[1:])
    return (replace(people[0], nights=others * 9), *people[1:])


def thirty_six_months(seed: int) -> tuple[CasePerson, ...]:
    """(vi) Three years of a few people a month: `late` is the month, for exporters that close by the month."""
    dice = Random(seed)
    people: list[CasePerson] = []
    for month in range(36):
        year, quarter = FIRST + month // 12, month % 12 // 3 + 1
        people += [
            replace(one, quarter=quarter, codes=_plain(dice), late=f"{year}-{month % 12 + 1:02}")
            for one in arrivals(dice, year, dice.randint(0, 7))
        ]
    return tuple(people)


def late_arrivals(seed: int) -> tuple[CasePerson, ...]:
    """(vii) The caseload, and nine people whose years had been printed by the time they were recorded."""
    dice = Random(seed)
    late = [
        replace(one, codes=_plain(dice), late=f"{LATER}1")
        for year in range(FIRST, FIRST + 9)
        for one in arrivals(dice, year, 1)
    ]
    return (*caseload(seed), *late)


def _plain(dice: Random) -> dict[str, str]:
    """Codes at random, which respect who is asked."""
    sex = dice.choice(("female", "female", "male", "unknown"))
    return {
        "sex": sex,
        "age_group": dice.choice(("0-4", "5-11", "12-17", "18-59", "18-59", "18-59", "60+")),
        "travelled_with_family": dice.choice(("yes", "no")),
        "reunited_with_family": dice.choice(("yes", "no")),
        "trafficked": dice.choice(("yes", "no", "not_answered")) if sex == "female" else OUTSIDE,
    }
