"""Sets of people of different subjects: which pairs are too near, by hand and by brute force."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from random import Random
from time import perf_counter

import pytest
from hypothesis import event, example, given, settings, strategies as st

from vault.disclosure.facts import LATER
from vault.disclosure.groups import Group, cell_ok, too_near
from vault.disclosure.ledger import Ledger
from vault.disclosure.overlap import Compared, Overlap, comparable
from vault.disclosure.overlap_printed import EVERYBODY, enough_of, sources_of, where
from vault.disclosure.people import Person
from vault.errors import IntegrityError
from vault.formats.ledger_entry import ALL, BLOCK, Figure, KnownRow, Printed
from vault.model import Policy

POLICY = Policy()
SEX = (frozenset({"f"}), frozenset({"m", "u"}), frozenset({"m"}), frozenset({"u"}))


KNOWN = {
    name: KnownRow(variable=name, source=name, type="intake", missing=(), universe=None, codes=())
    for name in ("sex", "minor", "trafficked")
}
NAMES = sources_of(KNOWN.values())


def lone(count: int, first: int = 0) -> Group:
    """So many people, each a party."""
    return Group(Counter(f"{first + number}".encode() for number in range(count)))


def family(count: int) -> Group:
    """So many people of one party."""
    return Group(Counter({b"family": count}))


# -- the rule ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mine", "theirs", "near"),
    [
        pytest.param(lone(7), Group(), True, id="seven are left"),
        pytest.param(Group(), lone(7), True, id="seven of theirs are left"),
        pytest.param(Group(), Group(), True, id="nobody is left: everyone is both"),
        pytest.param(lone(9), lone(9), True, id="nearly the same people"),
        pytest.param(lone(10), lone(9), False, id="neither lies in the other"),
        pytest.param(lone(9), lone(10), False, id="the other way round"),
        pytest.param(lone(10), Group(), False, id="ten parties are left"),
        pytest.param(Group(), lone(10), False, id="ten parties of theirs are left"),
        pytest.param(family(12), Group(), True, id="a family is left"),
        pytest.param(Group(), family(12), True, id="a family of theirs is left"),
        pytest.param(family(12), lone(1), False, id="a family, but somebody of theirs too"),
        pytest.param(family(6) + lone(5), Group(), True, id="most of them are one party"),
        pytest.param(family(6) + lone(6), Group(), False, id="half of them are one party"),
    ],
)
def test_too_near_is_who_can_be_subtracted(mine: Group, theirs: Group, near: bool) -> None:
    """Each clause of the rule, and its edge."""
    assert too_near(mine, theirs, POLICY) is near


def test_conditions_are_compared_where_one_implies_the_other() -> None:
    """The same codes, nested recodes, everybody, and a question with those who were asked; nothing else."""
    women, others = where("sex", frozenset({"f"}), None, NAMES), where("sex", frozenset({"m", "u"}), None, NAMES)
    men, minors = where("sex", frozenset({"m"}), None, NAMES), where("minor", frozenset({"yes"}), None, NAMES)
    asked = where("trafficked", frozenset({"no"}), ("sex", ("f",)), NAMES)
    everybody = where("", EVERYBODY, None, NAMES)
    assert all(comparable(one, everybody) and comparable(everybody, one) for one in (women, others, minors, asked))
    assert comparable(men, others)
    assert comparable(others, men)
    assert comparable(asked, women)
    assert not any(comparable(one, two) for one, two in combinations((women, others, minors), 2))
    assert not comparable(asked, others)


@given(sizes=st.lists(st.integers(1, 200) | st.integers(1, 9), min_size=1, max_size=12))
@example([100, 1, 1, 1, 1])
@example([9, 9, 9, 9, 9])
def test_enough_people_are_safe_whoever_they_are(sizes: list[int]) -> None:
    """As many people as the bound says are a safe group, even if they are of the largest parties."""
    sizes.sort(reverse=True)
    parties = Counter({f"{at}".encode(): size for at, size in enumerate(sizes)})
    everyone = [party for party in parties for _ in range(parties[party])]
    bound = enough_of(parties, POLICY)
    if len(everyone) >= bound:
        assert cell_ok(Group(Counter(everyone[:bound])), POLICY)


# -- against brute force -----------------------------------------------------------------------------------------------

People = Mapping[str, Sequence[tuple[int, str]]]
"""slot -> people, as number and sex"""


def party_of(number: int, families: int) -> bytes:
    """The travel party: neighbours, so many; with none, everyone by themselves."""
    return f"{number // families if families else number}".encode()


def ledger_of(people: People, blocks: Sequence[Sequence[str]], families: int, *, women: bool = True) -> Ledger:
    """A ledger with these blocks of the total and of sex, printed at two rungs in turn."""
    ledger = Ledger(subject="another", rows=KNOWN)
    for slot, members in people.items():
        ledger.members[slot] = [(f"{number:08}".encode(), party_of(number, families)) for number, _ in members]
    ledger.codes["sex"] = {slot: [sex for _, sex in members] for slot, members in people.items()}
    for at, block in enumerate(blocks):
        ledger.printed.append(printed("", BLOCK, block, [EVERYBODY]))
        if women:
            ledger.printed.append(printed("sex", BLOCK, block, SEX[:2] if at % 2 else (SEX[0], *SEX[2:])))
    if blocks:
        ledger.printed.append(printed("", ALL, [slot for block in blocks for slot in block], [EVERYBODY]))
    return ledger


def printed(variable: str, scope: str, slots: Sequence[str], cells: Iterable[frozenset[str]]) -> Printed:
    """Figures whose values do not matter."""
    named = [(variable and "+".join(sorted(of)), tuple(sorted(of)) if variable else ()) for of in cells]
    return Printed(
        variable=variable,
        scope=scope,
        rung=0,
        slots=tuple(slots),
        universe=None,
        figures=tuple(Figure(cell=name, codes=codes, value=50) for name, codes in named),
        people=POLICY.people,
        base=POLICY.base,
    )


Sets = list[tuple[str, frozenset[str], set[int]]]


def sets_of(people: People, blocks: Sequence[Sequence[str]], sex: Iterable[frozenset[str]] | None) -> Sets:
    """Every run of blocks, of everybody (`sex` None) or of these cells."""
    runs = [blocks[first : last + 1] for last in range(len(blocks)) for first in range(last + 1)]
    return [item for run in runs for item in whole(people, run, sex)]


def whole(people: People, run: Sequence[Sequence[str]], sex: Iterable[frozenset[str]] | None) -> Sets:
    """The sets of one whole run."""
    inside = [one for block in run for slot in block for one in people[slot]]
    if sex is None:
        return [("", EVERYBODY, {number for number, _ in inside})]
    return [("sex", codes, {number for number, code in inside if code in codes}) for codes in sex]


def subtractable(ours: Sets, theirs: Sets, families: int) -> bool:
    """Whether any pair is too near, by the definition."""
    for variable, codes, mine in ours:
        for other, of, them in theirs:
            nested = not variable or not other or (variable == other and (codes <= of or of <= codes))
            if not nested or len(mine) < POLICY.people or len(them) < POLICY.people:
                continue
            left, right = (Group(Counter(party_of(n, families) for n in only)) for only in (mine - them, them - mine))
            if too_near(left, right, POLICY):
                return True
    return False


SLOTS = ("2018", "2019", "2020", "2021", f"{LATER}1")


@st.composite
def subjects(draw: st.DrawFn) -> tuple[People, People, list[list[str]], list[list[str]], int]:
    """Two subjects with nearly the same people, at nearly the same time; blocks of each; and the size of parties."""
    count, dice = draw(st.integers(10, 130)), Random(draw(st.integers(0, 1_000_000)))
    leave = draw(st.sampled_from((0.0, 0.02, 0.05, 0.1, 0.2)))
    move = draw(st.sampled_from((0.0, 0.0, 0.05, 0.3)))
    change = draw(st.sampled_from((0.0, 0.0, 0.03)))
    absent = draw(st.sampled_from(("ours", "theirs", "either")))
    families, together = draw(st.sampled_from((0, 0, 3, 6, 12))), draw(st.booleans())
    gone = {party_of(number, families * together) for number in range(count) if dice.random() < leave}
    ours: dict[str, list[tuple[int, str]]] = {slot: [] for slot in SLOTS}
    theirs: dict[str, list[tuple[int, str]]] = {slot: [] for slot in SLOTS}
    for number in range(count):
        slot, sex = dice.choice(SLOTS), dice.choice("fffmmu")
        where_not = absent if absent != "either" else dice.choice(("ours", "theirs"))
        is_gone = party_of(number, families * together) in gone
        if not (is_gone and where_not == "ours"):
            ours[slot].append((number, sex))
        if not (is_gone and where_not == "theirs"):
            other = dice.choice(SLOTS) if dice.random() < move else slot
            theirs[other].append((number, dice.choice("fm") if dice.random() < change else sex))
    return ours, theirs, _blocks(draw), _blocks(draw), families


def _blocks(draw: st.DrawFn) -> list[list[str]]:
    cuts = sorted(draw(st.sets(st.integers(1, len(SLOTS) - 1))))
    return [list(SLOTS[first:last]) for first, last in zip([0, *cuts], [*cuts, len(SLOTS)], strict=True)]


@settings(deadline=None, max_examples=600)
@given(subjects=subjects(), sex=st.booleans())
def test_apart_is_the_definition(
    subjects: tuple[People, People, list[list[str]], list[list[str]], int], sex: bool
) -> None:
    """Runs of blocks, conditions, early exits and bounds find what sets of numbers find."""
    ours, theirs, mine, other, families = subjects
    overlap = Overlap([ledger_of(theirs, other, families)], POLICY)
    conditions = list(SEX) if sex else [EVERYBODY]
    compared = overlap.compared("sex" if sex else "", None, lambda slots: _asked(ours, slots, families, sex=sex), NAMES)
    cells = SEX if len(other) > 1 else (SEX[0], *SEX[2:])
    their_sets = [*sets_of(theirs, other, None), *sets_of(theirs, other, cells)]
    for end in range(1, len(mine) + 1):
        runs = [mine[first:end] for first in range(end)]
        our_sets = [item for run in runs for item in whole(ours, run, conditions if sex else None)]
        expected = not subtractable(our_sets, their_sets, families)
        event(f"apart: {expected}")
        assert compared.apart([tuple(block) for block in mine[:end]], conditions) is expected


def _asked(people: People, slots: Iterable[str], families: int, *, sex: bool) -> Iterable[tuple[Person, str]]:
    for slot in slots:
        for number, code in people[slot]:
            token = f"{number:08}".encode()
            yield Person(token=token, party=party_of(number, families), year=None, codes={}), code if sex else ""


KIN, ALONE, OTHERS = range(100, 115), range(40, 55), range(40)


@pytest.mark.parametrize(("left", "apart"), [(KIN, False), (ALONE, True)], ids=["a family", "fifteen parties"])
def test_who_is_left_may_stand_in_an_earlier_block(left: range, apart: bool) -> None:
    """Our second block lies inside theirs, and who is left of theirs was in our first, beside twenty others."""
    compared = _beside({"2018": [*left, *range(200, 220)], "2019": OTHERS}, [*OTHERS, *left])
    assert compared.apart([("2018",)], [EVERYBODY])
    assert compared.apart([("2018",), ("2019",)], [EVERYBODY]) is apart


@pytest.mark.parametrize(("more", "apart"), [(KIN, False), (range(200, 215), True)], ids=["a family", "parties"])
def test_who_was_a_stranger_may_come_in_a_later_block(more: range, apart: bool) -> None:
    """Who is left of theirs comes with our second block, and fifteen others with them: now these are left of ours."""
    compared = _beside({"2018": OTHERS, "2019": [*ALONE, *more]}, [*OTHERS, *ALONE])
    assert compared.apart([("2018",)], [EVERYBODY])
    assert compared.apart([("2018",), ("2019",)], [EVERYBODY]) is apart


def _beside(ours: Mapping[str, Iterable[int]], theirs: Iterable[int]) -> Compared:
    """The totals of two subjects; the KIN are one party. Theirs have another large party, in a block of its own, so
    that no number of people is enough to be safe whoever they are."""
    party = {number: f"{number}".encode() for number in range(300)}
    party |= dict.fromkeys(KIN[:13], b"kin") | dict.fromkeys(range(250, 263), b"others")
    blocks = {"2016": [(number, "f") for number in range(250, 263)], "2017": [(number, "f") for number in theirs]}
    ledger = ledger_of(blocks, [["2016"], ["2017"]], 0, women=False)
    ledger.members = {
        slot: [(token, party[int(token)]) for token, _ in members] for slot, members in ledger.members.items()
    }
    people = {
        slot: [(Person(token=f"{n:08}".encode(), party=party[n], year=None, codes={}), "") for n in numbers]
        for slot, numbers in ours.items()
    }
    return Overlap([ledger], POLICY).compared(
        "", None, lambda slots: [one for slot in slots for one in people[slot]], NAMES
    )


@pytest.mark.parametrize(("ours", "apart"), [(25, False), (15, True)])
def test_only_who_was_asked_is_compared(ours: int, apart: bool) -> None:
    """Of 40 women 28 said no, and the codes of the men say nothing: 25 of the women are too near, 15 are not."""
    theirs = ledger_of({"2019": [(number, "f" if number < 40 else "m") for number in range(80)]}, [["2019"]], 0)
    theirs.codes["trafficked"] = {"2019": ["no" if number < 28 or number >= 40 else "yes" for number in range(80)]}
    universe, no = ("sex", ("f",)), frozenset({"no"})
    theirs.printed.append(replace(printed("trafficked", BLOCK, ["2019"], [no]), universe=universe))
    women = [(Person(token=f"{n:08}".encode(), party=f"{n}".encode(), year=None, codes={}), "no") for n in range(ours)]
    compared = Overlap([theirs], POLICY).compared("trafficked", universe, lambda _: women, NAMES)
    assert compared.apart([("2019",)], [no]) is apart


def test_a_variable_that_nobody_knows_ends_it() -> None:
    """The ledger does not say what a printed variable is: whether it is one of ours is not known."""
    ledger = ledger_of({"2019": [(number, "f") for number in range(20)]}, [["2019"]], 0)
    ledger.rows = {}
    with pytest.raises(IntegrityError, match="what it is"):
        Overlap([ledger], POLICY)


def test_sums_of_nights_are_left_out() -> None:
    """A ledger of nights counts no people: its figures are no sets, and somebody can be in several slots."""
    ledger = ledger_of({"2019": [(number, "f") for number in range(20)]}, [["2019"]], 0)
    assert Overlap([ledger], POLICY).others
    ledger.subject = "nights:shelter"
    assert not Overlap([ledger], POLICY).others


def test_a_ledger_without_codes_ends_it() -> None:
    """Figures of people whose codes are not in the ledger: what may be subtracted from them is not known."""
    ledger = ledger_of({"2019": [(number, "f") for number in range(20)]}, [["2019"]], 0)
    assert Overlap([ledger], POLICY).others
    ledger.codes["sex"]["2019"].pop()
    with pytest.raises(IntegrityError, match="lacks the codes"):
        Overlap([ledger], POLICY)


PEOPLE, SUBJECTS = 100_000, 4


@pytest.mark.long
def test_a_hundred_thousand_people_in_five_subjects_take_seconds() -> None:
    """Fifteen years, six variables, nearly the same people: measured at 6 s; more than 40 s would be another kind."""
    dice = Random(1)
    codes = {f"v{count}": ["abcdef"[dice.randrange(count)] for _ in range(PEOPLE)] for count in (2, 3, 4, 5, 6)}
    codes["again"] = codes["v3"]
    years = [str(dice.randrange(2010, 2025)) for _ in range(PEOPLE)]
    people = [
        Person(token=f"{at:08}".encode(), party=f"{at // dice.randint(1, 4)}".encode(), year=None, codes={})
        for at in range(PEOPLE)
    ]
    by_year: dict[str, list[int]] = {}
    for at, year in enumerate(years):
        by_year.setdefault(year, []).append(at)
    others = [_large(people, by_year, codes, dice) for _ in range(SUBJECTS)]
    before = perf_counter()
    overlap = Overlap(others, POLICY)
    slots, names = sorted(by_year), dict(zip(codes, codes, strict=True))
    for variable in ("", *codes):

        def asked(slots: Sequence[str], variable: str = variable) -> Iterable[tuple[Person, str]]:
            return ((people[at], codes[variable][at] if variable else "") for slot in slots for at in by_year[slot])

        cells = [frozenset({code}) for code in set(codes[variable])] if variable else [EVERYBODY]
        compared = overlap.compared(variable, None, asked, names)
        for end in range(1, len(slots) + 1):
            assert compared.apart([(slot,) for slot in slots[:end]], cells)
    assert perf_counter() - before < 40


def _large(
    people: Sequence[Person], by_year: Mapping[str, Sequence[int]], codes: Mapping[str, Sequence[str]], dice: Random
) -> Ledger:
    """Nine in ten of the people, as another subject."""
    ledger = Ledger(
        subject="another", rows={name: replace(KNOWN["sex"], variable=name, type="", source="") for name in codes}
    )
    chosen = {year: [at for at in by_year[year] if dice.random() < 0.9] for year in sorted(by_year)}
    ledger.members = {year: [(people[at].token, people[at].party) for at in found] for year, found in chosen.items()}
    for variable in ("", *codes):
        cells = [frozenset({code}) for code in sorted(set(codes[variable]))] if variable else [EVERYBODY]
        if variable:
            ledger.codes[variable] = {y: [codes[variable][at] for at in found] for y, found in chosen.items()}
        ledger.printed += [printed(variable, BLOCK, [year], cells) for year in chosen]
    return ledger
