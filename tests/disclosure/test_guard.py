"""What the guard says of releases that are known to give people away, and of those that do not."""

from __future__ import annotations

import pytest

from tests.disclosure.guard_cases import (
    CASELOAD,
    YEARS,
    People,
    caseload,
    closed_blocks,
    counted,
    exactly,
    known,
    of,
    persons,
    target,
)
from vault.disclosure.facts import OUTSIDE, Variable
from vault.disclosure.guard import sensitive, unprotected
from vault.errors import DisclosureRefused

SEX = Variable(name="sex", codes=("female", "male"))
REUNITED = Variable(name="reunited", codes=("yes", "no"))
TRAFFICKED = Variable(name="trafficked", codes=("yes", "no"), universe=("sex", frozenset({"female"})))
FEMALE, MALE = of("sex", "female"), of("sex", "male")
REPORT_2020: People = {
    ("2020", ("female", "yes", "yes")): 4,
    ("2020", ("female", "no", "yes")): 8,
    ("2020", ("female", "no", "no")): 2,
    ("2020", ("male", "yes", OUTSIDE)): 1,
}
SENTENCE = [
    exactly(15),
    exactly(14, FEMALE),
    exactly(1, MALE),
    exactly(5, of("reunited", "yes")),
    exactly(12, FEMALE, of("trafficked", "yes")),
]


def test_sensitive_are_the_small_and_empty_groups_of_at_most_two_variables() -> None:
    """Counted by hand for a handful of people; the largest groups are not among them."""
    found = sensitive(
        [SEX, REUNITED], {("s", ("female", "yes")): 3, ("s", ("male", "no")): 1, ("t", ("male", "no")): 3}, 3
    )
    assert found == [
        target(MALE, slot="s"),
        target(of("reunited", "no"), slot="s"),
        target(FEMALE, of("reunited", "no"), slot="s"),
        target(MALE, of("reunited", "yes"), slot="s"),
        target(MALE, of("reunited", "no"), slot="s"),
        target(FEMALE, slot="t"),
        target(of("reunited", "yes"), slot="t"),
        target(FEMALE, of("reunited", "yes"), slot="t"),
        target(FEMALE, of("reunited", "no"), slot="t"),
        target(MALE, of("reunited", "yes"), slot="t"),
    ]


def test_a_slot_with_too_few_people_is_sensitive_itself() -> None:
    """Also one of which the caller says that nobody is in it."""
    found = sensitive([SEX], {("s", ("female",)): 2, ("t", ("female",)): 0}, 3)
    assert {item.slot for item in found if not item.where} == {"s", "t"}


def test_what_nobody_can_be_is_not_sensitive() -> None:
    """Only women are asked: no man answered, and outside is no group. Likewise a question within one."""
    deeper = Variable(name="forced", codes=("yes", "no"), universe=("trafficked", frozenset({"yes"})))
    found = sensitive([SEX, TRAFFICKED, deeper], {("s", ("male", OUTSIDE, OUTSIDE)): 1}, 3)
    pairs = [{next(iter(one.codes))[0] for one in item.where} for item in found if len(item.where) == 2]
    assert {"female", "yes"} in pairs
    assert not [pair for pair in pairs if "male" in pair]
    assert not any(
        item.where == (of("trafficked", "no"), of("forced", code)) for item in found for code in ("yes", "no")
    )
    assert not any(OUTSIDE in codes for item in found for one in item.where for codes in one.codes)


@pytest.mark.parametrize(
    "people",
    [
        {("s", ("female", "other")): 1},
        {("s", ("male", "yes")): 1},
        {("s", ("female", OUTSIDE)): 1},
        {("s", ("female",)): 1},
        {("s", ("female", "yes")): -1},
    ],
)
def test_people_who_cannot_be_are_refused(people: dict[tuple[str, tuple[str, ...]], int]) -> None:
    """An unknown code, an answer from outside, silence from inside, a missing code, a negative number."""
    with pytest.raises(DisclosureRefused):
        sensitive([SEX, TRAFFICKED], people, 3)


def test_the_sentence_of_2020_gives_people_away() -> None:
    """Two women were not trafficked: nobody printed it, and it follows. So does much else that the notes name."""
    variables = [SEX, REUNITED, TRAFFICKED]
    found = unprotected(variables, ["2020"], SENTENCE, sensitive(variables, REPORT_2020, 10), 10)
    assert target(of("trafficked", "no")) in found
    assert target(FEMALE, of("trafficked", "no")) in found
    assert target(MALE) in found
    assert target(FEMALE, of("reunited", "yes")) in found
    assert target(of("reunited", "yes"), of("trafficked", "yes")) in found


def test_the_rounded_total_of_2020_gives_nobody_away() -> None:
    """Of the same 15 people, the total alone: every small group may be empty, or have ten."""
    variables = [SEX, REUNITED, TRAFFICKED]
    targets = sensitive(variables, REPORT_2020, 10)
    assert len(targets) > 10
    assert unprotected(variables, ["2020"], [known(11, 19)], targets, 10) == []


def test_blanks_beside_true_margins_are_read_back() -> None:
    """Year by sex with cells below ten blanked: each follows from its row; the large cells are no targets."""
    table = {"2018": (40, 12), "2019": (30, 4), "2020": (14, 1), "2021": (6, 3)}
    people: People = {(year, (sex,)): n for year, pair in table.items() for sex, n in zip(SEX.codes, pair, strict=True)}
    facts = [exactly(sum(pair), slots=[year]) for year, pair in table.items()]
    facts += [
        exactly(sum(p[at] for p in table.values()), of("sex", c), slots=[*table]) for at, c in enumerate(SEX.codes)
    ]
    facts += [exactly(n, of("sex", sex), slots=[year]) for (year, (sex,)), n in people.items() if n >= 10]
    targets = sensitive([SEX], people, 10)
    assert (
        unprotected([SEX], [*table], facts, targets, 10)
        == targets
        == [
            target(MALE, slot="2019"),
            target(MALE, slot="2020"),
            target(slot="2021"),
            target(FEMALE, slot="2021"),
            target(MALE, slot="2021"),
        ]
    )


def test_two_tables_give_away_what_each_keeps() -> None:
    """Men by year and everybody but the men of one year: the difference of two safe figures is one man."""
    slots = ["2019", "2020"]
    facts = [exactly(60, slots=["2019"]), exactly(40, slots=["2020"]), exactly(21, MALE, slots=slots)]
    one_man = [target(MALE, slot="2020")]
    assert unprotected([SEX], slots, facts, one_man, 10) == []
    assert unprotected([SEX], slots, [*facts, exactly(20, MALE, slots=["2019"])], one_man, 10) == one_man


def test_structural_zeros_are_known_to_the_attacker() -> None:
    """All who were asked are women: of 30 women 30 said yes, so nobody said no. Men, if asked, might have."""
    slots, yes, no = ["2020"], of("trafficked", "yes"), of("trafficked", "no")
    facts = [known(30, 60), exactly(30, FEMALE), exactly(30, yes)]
    assert unprotected([SEX, TRAFFICKED], slots, facts, [target(no)], 10) == [target(no)]
    open_to_all = Variable(name="trafficked", codes=("yes", "no"))
    assert unprotected([SEX, open_to_all], slots, facts, [target(no)], 10) == []


def test_closed_blocks_with_rounded_figures_pass() -> None:
    """The default release of a whole caseload: 3,000 small groups in 15 years, sex by age among the tables. One true
    figure of one of them more, and it is found."""
    people = caseload(1300, seed=1)
    facts = closed_blocks(people, seed=1)
    targets = sensitive(CASELOAD, people, 10)
    assert len(targets) > 2500
    assert len(facts) > 80
    assert unprotected(CASELOAD, YEARS, facts, targets, 10, seconds=60) == []
    one_man = next(
        t for t in targets if t.where == (of("sex", "unknown"),) and counted(CASELOAD, people, [t.slot], t.where)
    )
    told = exactly(counted(CASELOAD, people, [one_man.slot], one_man.where), *one_man.where, slots=[one_man.slot])
    assert one_man in unprotected(CASELOAD, YEARS, [*facts, told], [one_man], 10)


@pytest.mark.parametrize("times", [1, 77], ids=["1,300 people", "100,100 people"])
def test_the_size_of_a_real_ledger_is_settled_in_time(times: int) -> None:
    """Every group there can be, 3,645 of them, among all facts with sex by age: no refusal for want of time."""
    people = {who: number * times for who, number in caseload(1300, seed=2).items()}
    facts = closed_blocks(people, seed=2)
    targets = sensitive(CASELOAD, {(year, persons(CASELOAD)[0]): 0 for year in YEARS}, 10)
    assert len(targets) == 3645
    assert len(facts) > 140
    found = unprotected(CASELOAD, YEARS, facts, targets, 10, seconds=60)
    assert 0 < len(found) < len(targets)
