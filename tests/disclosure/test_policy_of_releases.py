"""What a release says of its policy: what is true of every figure in it, whenever each of them was printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.disclosure.guard_cases import People, known, of
from tests.disclosure.rows import Desk, crowd, shipped
from vault.disclosure.asking import guard_answer
from vault.disclosure.facts import Fact, Variable
from vault.disclosure.people import TallyRow
from vault.disclosure.watch import Question
from vault.errors import DisclosureRefused
from vault.formats.release import Release
from vault.model import Policy

BY_YEAR, ALL_YEARS, YEAR_2020 = shipped("by_year"), shipped("all_years"), shipped("year_2020")
STRICT = Policy(people=20, parties=8, base=10, percent_base=100, embargo=12, coarser=1)


def people(of_2019: int = 0, of_2020: int = 0) -> list[TallyRow]:
    """So many women of each year, each travelling alone."""
    return crowd((of_2019, {"sex": "female"}), (of_2020, {"sex": "female", "period": "2020-Q2"}))


def said(release: Release) -> Policy:
    """The policy that a release names."""
    rules = release.policy
    return Policy(
        people=rules.people,
        parties=rules.parties or 0,
        base=rules.base,
        percent_base=rules.percent_base,
        embargo=rules.embargo or 0,
        coarser=rules.coarser or 0,
    )


def totals(release: Release) -> dict[str, int | None]:
    """The printed totals by period."""
    return {cell.period: cell.value for cell in release.cells if not cell.labels}


def test_a_release_says_what_was_applied() -> None:
    """All six values, in the method's name and the notes too."""
    release = Desk(policy=STRICT).export(BY_YEAR, people(40))
    assert said(release) == STRICT
    assert release.policy.method == "min20-rr10-v1"
    assert any(
        "at least 20 people" in note["en"] and "at least 8 travel parties" in note["en"] for note in release.notes
    )
    assert all(value is None or value % 10 == 0 for value in totals(release).values())


def test_what_is_read_back_claims_no_more_than_held_when_it_was_printed() -> None:
    """12 people were printed at 10; asked again at 20 they are read back, and the release says 10."""
    desk = Desk()
    first = desk.export(BY_YEAR, people(12))
    assert totals(first)["2019"] in (10, 15)
    desk.policy = STRICT
    again = desk.export(BY_YEAR, people(12))
    assert again.cells == first.cells
    assert said(again) == replace(Policy(), percent_base=100)
    assert not any("20 people" in note["en"] for note in again.notes)


def test_the_weakest_of_several_is_said() -> None:
    """2019 at 10, 2020 at 20: a table with both says 10, one with 2020 alone says 20."""
    desk = Desk()
    desk.export(BY_YEAR, people(12))
    desk.policy = STRICT
    both = desk.export(BY_YEAR, people(12, 45))
    assert set(totals(both)) == {"2019", "2020"}
    assert said(both) == replace(Policy(), percent_base=100)
    alone = desk.export(YEAR_2020, people(12, 45))
    assert totals(alone)["2020"] in (40, 50)
    assert said(alone) == STRICT


def test_figures_printed_strictly_keep_saying_so() -> None:
    """What a stricter export closed is read back later under the policy in force, and is still true of all of it."""
    desk = Desk(policy=STRICT)
    first = desk.export(BY_YEAR, people(40))
    desk.policy = Policy()
    again = desk.export(BY_YEAR, people(40))
    assert again.cells == first.cells
    assert said(again) == replace(STRICT, percent_base=50)


def test_where_nothing_is_printed_the_policy_of_the_day_is_said() -> None:
    """Everything is withheld because of it."""
    release = Desk(policy=STRICT).export(BY_YEAR, people(19))
    assert release.empty
    assert said(release) == STRICT
    assert not Desk().export(BY_YEAR, people(19)).empty, "negative control"


def test_bases_that_are_mixed_are_said_as_what_they_have_in_common() -> None:
    """Multiples of 15 and of 10 are multiples of 5, and no more is claimed."""
    desk = Desk(policy=replace(STRICT, base=15, people=30))
    desk.export(BY_YEAR, people(60))
    desk.policy = replace(STRICT, base=10)
    both = desk.export(BY_YEAR, people(60, 60))
    assert [value % base for value, base in zip(totals(both).values(), (15, 10), strict=True) if value] == [0, 0]
    assert said(both).base == 5


@pytest.mark.parametrize("policy", [Policy(people=14), Policy(people=60), Policy(base=15)])
def test_a_policy_whose_values_do_not_go_together_prints_nothing(policy: Policy) -> None:
    """Also if root signed it in some other way than by the command."""
    with pytest.raises(DisclosureRefused, match="cannot protect anybody"):
        Desk(policy=policy).export(BY_YEAR, people(70))
    assert not Desk(policy=Policy(people=15)).export(BY_YEAR, people(70)).empty, "negative control"


def test_a_stricter_policy_can_still_print_after_a_looser_one() -> None:
    """The guard takes what was printed of 12 people as known, asks for 20 of what is new, and does not refuse for what
    cannot be taken back."""
    desk = Desk(guard=guard_answer)
    first = desk.export(BY_YEAR, people(12))
    desk.policy = Policy(people=20)
    both = desk.export(BY_YEAR, people(12, 45))
    assert totals(both)["2019"] == totals(first)["2019"]
    assert totals(both)["2020"] in (45, 40, 50)


SEX = Variable(name="sex", codes=("female", "male"))
WOMEN = of("sex", "female")


def asked(*coming: Fact, k: int = 20, weaker: tuple[int, ...] = (10,)) -> Sequence[tuple[str, ...]]:
    """The guard's answer where 12 women and 3 men are in 2020, and 15 people were printed at 10."""
    return guard_answer(
        Question(
            variables=(SEX,),
            slots=("2020", "2021"),
            known=(known(11, 19),),
            published=(),
            coming=coming,
            people={
                ("2020", ("female",)): 12,
                ("2020", ("male",)): 3,
                ("2021", ("female",)): 30,
                ("2021", ("male",)): 30,
            },
            k=k,
            weaker=weaker,
        )
    )


def test_what_cannot_be_protected_any_more_stays_protected_as_it_was() -> None:
    """That at most 19 are men is public, and too narrow at 20. That it be fewer than ten is not said after all."""
    assert asked() == []
    assert asked(known(11, 19, WOMEN)) == [("sex",)], "11 to 19 people, of them 11 women or more: at most eight men"
    assert asked(known(41, 79, slots=("2021",))) == [], "negative control: of others"
    assert asked(weaker=()) != [], "negative control: at 20 it is not protected"
    assert asked(k=10, weaker=()) == [], "and at 10 it is"
    assert asked(k=30, weaker=(20, 10)) == [], "neither at 30 nor at 20, and at 10 it is"
    assert asked(known(11, 19, WOMEN), k=30, weaker=(20, 10)) == [("sex",)]


def test_what_is_new_is_protected_at_the_new_threshold() -> None:
    """Of people of whom nothing was printed, 15 are too few to be shown."""
    few: People = {("2021", ("female",)): 30, ("2021", ("male",)): 15}
    question = Question(
        variables=(SEX,), slots=("2021",), known=(), published=(), people=few, k=20, weaker=(10,),
        coming=(known(41, 49, slots=("2021",)), known(31, 34, WOMEN, slots=("2021",))),
    )  # fmt: skip
    assert guard_answer(question) == [("sex",)], "at least 7 men"
    assert guard_answer(replace(question, coming=question.coming[:1])) == [], "negative control"


def test_the_guard_is_told_what_was_printed_under_a_weaker_policy() -> None:
    """By the thresholds that held, the greatest first; not where nothing weaker was printed."""
    heard: list[Question] = []

    def listening(question: Question) -> Sequence[tuple[str, ...]]:
        heard.append(question)
        return ()

    desk = Desk(guard=listening)
    desk.export(BY_YEAR, people(12))
    desk.export(BY_YEAR, people(12, 45))
    assert [question.weaker for question in heard] == [(), ()]
    desk.policy = Policy(people=20)
    desk.export(BY_YEAR, crowd((12, {"sex": "female"}), (45, {"period": "2020-Q2"}), (45, {"period": "2021-Q2"})))
    assert (heard[-1].k, heard[-1].weaker) == (20, (10,))
