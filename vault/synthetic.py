"""1,300 made-up people, for the demo, the tests and the benchmarks. Nobody here exists or is meant.

`people(seed)` yields lines for `fieldvault import`: about eight records a person, over 2010 to 2020, in parties of
one to six who travel together. Names, dates and routes are drawn at random; the marginals are not: whatever the seed,
they are the figures of a published annual report (`PUBLISHED`), so that what the vault prints can be compared with it.
What the report does not say is made up plausibly:

- 882 women and 325 men leave 93 of 1,300 without a recorded sex. The report counts children born in China apart, so
  these 93 are children who travel with their mothers.
- 237 minors: those 93, and 144 girls and boys who are also counted as women and men.
- In 2020, 15 people: 14 women and one man, all adults; two departed together in January.

A population is built from family shapes whose numbers add up to the marginals (`_FAMILIES`, `_LONE`), dealt into years
and parties; answers are dealt over the people in exact numbers. `_story` then tells each person's story as records.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from types import MappingProxyType
from typing import Final

Line = dict[str, str | int]
"""One import line: `case`, `type`, and variables of the codebook."""

PUBLISHED: Final = MappingProxyType(
    {
        "reached_freedom": 1300,
        "women": 882,
        "men": 325,
        "minors": 237,
        "travelled_with_family": 472,
        "reunited_with_family": 409,
        "trafficked_asked": 406,
        "trafficked_yes": 211,
    }
)
"""The marginals over all years that hold for every seed."""
PUBLISHED_2020: Final = MappingProxyType(
    {
        "reached_freedom": 15,
        "women": 14,
        "men": 1,
        "reunited_with_family": 5,
        "departed_january_2020": 2,
        "trafficked_or_forced_marriage": 12,
    }
)
"""The marginals of 2020 that hold for every seed."""

_YEARS: Final = MappingProxyType(
    {2010: 40, 2011: 63, 2012: 87, 2013: 104, 2014: 131, 2015: 152, 2016: 169, 2017: 183, 2018: 187, 2019: 169}
)
# W, M: women and men; g, b: girls and boys; c: a child born in China whose sex nobody recorded.
_FAMILIES: Final = MappingProxyType(
    {"Wc": 61, "Wcc": 16, "WMg": 20, "WMb": 20, "Wg": 22, "Wb": 18, "WW": 24, "Mb": 6, "WMgb": 6, "WM": 7}
)
_LONE: Final = MappingProxyType({"W": 572, "M": 199, "g": 30, "b": 16})
_PARTIES_2020: Final = (("W", "W"), ("WW",), ("WW", "W"), ("W", "W", "W"), ("W", "W"), ("W", "M"), ("W",))
"""The first party departs in January. Seven parties, none of them more than half of the year."""

_SEX: Final = MappingProxyType({"W": "female", "g": "female", "M": "male", "b": "male"})
# Least and most full years, give or take the one that a birthday makes.
_AGES: Final = MappingProxyType({"W": (19, 58), "M": (19, 64), "g": (5, 16), "b": (5, 16), "c": (0, 13)})
_BANDS: Final = (0, 5, 12, 18, 60)
_SURNAMES: Final = (("한", "Han"), ("서", "Seo"), ("문", "Moon"), ("노", "Noh"), ("채", "Chae"), ("곽", "Gwak"))
_SYLLABLES: Final = (
    ("가", "ga"), ("나", "na"), ("다", "da"), ("라", "ra"), ("미", "mi"), ("보", "bo"), ("솔", "sol"), ("아", "a"),
    ("은", "eun"), ("정", "jeong"), ("하", "ha"), ("희", "hui"), ("율", "yul"), ("찬", "chan"), ("별", "byeol"),
)  # fmt: skip
_ROUTES: Final = (("LA", "TH"), ("VN", "TH"), ("VN", "LA", "TH"), ("MN",), ("MM", "TH"))
_NOTES: Final = (
    "Tired but well; asked for a quiet room.",
    "건강 상태 양호. 따뜻한 옷이 필요함.",
    "Speaks little, answers in writing.",
    "가족 소식을 기다리고 있음.",
    "Rained all night; waited until morning.",
    "비가 와서 하루 더 머물렀음.",
)
_PROGRAMMES: Final = (
    ("resettlement_support", "none"), ("relief_grant", "wage_loss"), ("relief_grant", "tuition"), ("english", "none"),
    ("care_package", "none"), ("advice", "none"), ("mental_health", "none"), ("scholarship", "tuition"),
    ("entrepreneurship", "business"), ("youth", "none"), ("wellbeing", "none"), ("mentorship", "none"),
)  # fmt: skip


@dataclass(slots=True, kw_only=True)
class _Person:
    """One made-up person; answers are dealt after everyone is there."""

    kind: str
    family: bool
    trafficked: str = "not_asked"
    reunited: str = "not_asked"


@dataclass(slots=True, kw_only=True)
class _Party:
    """People who travel together and reach freedom on one day of `year`."""

    label: str
    year: int
    january: bool
    people: list[_Person]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trip:
    """What a party has in common: where it was on which day, where it slept, when it was free."""

    intake: date
    events: tuple[tuple[tuple[str, str], date], ...]
    stays: tuple[tuple[str, date, date], ...]
    freedom: date
    destination: str


def people(seed: int) -> Iterator[Line]:
    """The import lines of 1,300 people, party by party; the same seed gives the same lines in the same order."""
    random = Random(seed)  # noqa: S311 -- made-up people, not secrets
    parties = _parties(random)
    _deal_answers(parties, random)
    number = 0
    for party in parties:
        trip = _trip(party, random)
        for person in party.people:
            number += 1
            for line in _story(person, party, trip, random):
                yield {"case": f"p{number:04}", **line}


def _parties(random: Random) -> list[_Party]:
    """Everyone in parties of one to six, year by year. Families stay together."""
    units = [kinds for kinds, count in {**_FAMILIES, **_LONE}.items() for _ in range(count)]
    random.shuffle(units)
    parties: list[_Party] = []
    for year, quota in _YEARS.items():
        chosen: list[str] = []
        left = quota
        while left:
            # The first unit that still fits: there are people on their own until the end, so a year always fills up.
            unit = units.pop(next(index for index, kinds in enumerate(units) if len(kinds) <= left))
            chosen.append(unit)
            left -= len(unit)
        while chosen:
            group = [chosen.pop()]
            size = random.randint(1, 6)
            while chosen and len("".join(group)) + len(chosen[-1]) <= size:
                group.append(chosen.pop())
            parties.append(_party(year, len(parties), group, january=False))
    for index, group_2020 in enumerate(_PARTIES_2020):
        parties.append(_party(2020, len(parties), list(group_2020), january=index == 0))
    return parties


def _party(year: int, number: int, units: list[str], *, january: bool) -> _Party:
    members = [_Person(kind=kind, family=len(unit) > 1) for unit in units for kind in unit]
    return _Party(label=f"party-{year}-{number:03}", year=year, january=january, people=members)


def _deal_answers(parties: list[_Party], random: Random) -> None:
    """Give out the answers in exact numbers: first inside 2020, then among everyone else."""
    late = [person for party in parties if party.year == 2020 for person in party.people]
    early = [person for party in parties if party.year != 2020 for person in party.people]
    yes_2020, reunited_2020 = PUBLISHED_2020["trafficked_or_forced_marriage"], PUBLISHED_2020["reunited_with_family"]
    yes, asked = PUBLISHED["trafficked_yes"] - yes_2020, PUBLISHED["trafficked_asked"] - yes_2020
    for group, yes_here, no_here, reunited_here in (
        (late, yes_2020, 1, reunited_2020),
        (early, yes, asked - yes - 1, PUBLISHED["reunited_with_family"] - reunited_2020),
    ):
        women = random.sample([person for person in group if person.kind == "W"], yes_here + no_here)
        for index, person in enumerate(women):
            person.trafficked = "yes" if index < yes_here else "no"
        for index, person in enumerate(random.sample(group, len(group))):
            person.reunited = "yes" if index < reunited_here else random.choice(("no", "no", "not_asked", "unknown"))
    for person in early:
        if person.kind == "W" and person.trafficked == "not_asked" and random.random() < 0.1:
            person.trafficked = "declined"


def _trip(party: _Party, random: Random) -> _Trip:
    """A journey of a few weeks whose last day lies in the party's year."""
    route = random.choice(_ROUTES)
    freedom = date(party.year, 1, 1) + timedelta(days=random.randrange(340))
    departure = freedom - timedelta(days=random.randrange(24, 75))
    if party.year == 2020:
        # Nobody else may seem to depart in January: the report counts exactly the first party.
        departure = date(2020, 1 if party.january else random.randrange(3, 9), random.randrange(8, 28))
        freedom = departure + timedelta(days=random.randrange(24, 90))
    events = [("departure", "CN"), ("border_crossing", route[0]), *(("transit", country) for country in route[1:])]
    events += [("checkpoint", route[-1])] if random.random() < 0.2 else []
    events += [("arrival", route[-1])]
    step = (freedom - departure).days // len(events)
    days = [departure + timedelta(days=index * step) for index in range(len(events))]
    stays = [(route[0], days[1], days[2])] + ([(route[-1], days[-1], freedom)] if random.random() < 0.2 else [])
    return _Trip(
        intake=departure - timedelta(days=random.randrange(3, 25)),
        events=tuple(zip(events, days, strict=True)),
        stays=tuple(stays),
        freedom=freedom,
        destination=random.choice(("KR", "KR", "KR", "KR", "US")),
    )


def _story(person: _Person, party: _Party, trip: _Trip, random: Random) -> Iterator[Line]:
    """One person's records in the order in which they were written down."""
    yield {"type": "intake", "party": party.label, **_intake(person, trip.intake, random)}
    for index, ((event, country), day) in enumerate(trip.events):
        line: Line = {"type": "journey", "event": event, "country": country, "date": day.isoformat()}
        line |= {"leg": str(index + 1), "transport": random.choice(("bus", "train", "on foot", "car", "boat"))}
        yield line | ({"notes": random.choice(_NOTES)} if random.random() < 0.3 else {})
    for country, begin, end in trip.stays:
        line = {"type": "shelter", "country": country, "shelter": f"house {random.randint(1, 30)}"}
        yield line | {"check_in": begin.isoformat(), "check_out": end.isoformat()}
    if random.random() < 0.1:
        yield {"type": "outcome", "status": "in_transit", "date": trip.events[1][1].isoformat()}
    yield {
        "type": "outcome",
        "status": "reached_freedom",
        # A bare year is as good as a day here: the year is what tables count.
        "date": str(trip.freedom.year) if random.random() < 0.05 else trip.freedom.isoformat(),
        "destination": trip.destination,
        "pathway": random.choice(("refugee", "refugee", "humanitarian_parole", "other")),
        "reunited_with_family": person.reunited,
    }
    if random.random() < 0.7:
        programme, purpose = random.choice(_PROGRAMMES)
        day = trip.freedom + timedelta(days=random.randrange(20, 300))
        line = {"type": "service", "programme": programme, "purpose": purpose, "date": day.isoformat()}
        yield line | {"provider": random.choice(("community centre", "이웃 모임", "relief desk"))}


def _intake(person: _Person, day: date, random: Random) -> Line:
    """The record that opens the case: who the person is, and what was asked."""
    surname = random.choice(_SURNAMES)
    given = random.sample(_SYLLABLES, 2)
    korean = surname[0] + given[0][0] + given[1][0]
    latin = f"{surname[1]} {given[0][1].capitalize()}-{given[1][1]}"
    line: Line = {
        "date": day.isoformat(),
        "name": random.choice((korean, latin, f"{latin} ({korean})")),
        "sex": _SEX.get(person.kind, "unknown"),
        "born_in_china": "yes" if person.kind == "c" else "no",
        "travelled_with_family": "yes" if person.family else random.choice(("no", "no", "no", "not_asked")),
        "trafficked": person.trafficked,
        "consent_statistics": "yes",
        "language": random.choice(("ko", "ko", "ko", "zh")),
        "notes": random.choice(_NOTES),
    }
    # Some grown-ups do not know their birthday, or do not say it; whether somebody is a minor is always known.
    if person.kind in "WM" and random.random() < 0.05:
        line["age_group"] = "18-59"
    else:
        line["birth_date"] = _birth_date(person, day, random)
    if random.random() < 0.2:
        line["other_names"] = random.choice(_SYLLABLES)[0] + random.choice(_SYLLABLES)[0]
    if random.random() < 0.2:
        line["relatives"] = random.choice(("어머니가 남아 있음", "An aunt in the south", "동생 한 명"))
    return line


def _birth_date(person: _Person, day: date, random: Random) -> str:
    """A birth date of the right age on the day of the intake; partial where no age band becomes doubtful by it."""
    youngest, oldest = _AGES[person.kind]
    years = random.randint(youngest, oldest)
    born = date(day.year - years - 1, 1, 1) + timedelta(days=random.randrange(365))
    written = born.isoformat()[: random.choice((4, 7, 10, 10, 10, 10))]
    # The days that a partial date can mean, a few more at the end: the month's length does not matter then.
    first = date(born.year, born.month if len(written) > 4 else 1, 1)
    last = date(born.year, born.month if len(written) > 4 else 12, 31 if len(written) == 4 else 28) + timedelta(days=3)
    return written if _band(_age(first, day)) == _band(_age(last, day)) else born.isoformat()


def _age(born: date, day: date) -> int:
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def _band(age: int) -> int:
    return sum(age >= least for least in _BANDS)
