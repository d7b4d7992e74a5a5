"""Policies: which is stricter, what goes together, what entries say, and thresholds that would give a count away."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from tests.disclosure.rows import keyed
from vault.disclosure.facts import known_of
from vault.disclosure.groups import Group, cell_ok
from vault.disclosure.policies import (
    OF_TOTALS,
    difference,
    fault_of,
    policy_of,
    policy_values,
    tightened,
    tightened_for_export,
)
from vault.disclosure.rounding import rounded
from vault.errors import UsageError
from vault.model import Policy

STRICT = Policy(people=20, parties=8, base=10, percent_base=100, embargo=12, coarser=1)
POLICIES = st.builds(
    Policy,
    people=st.integers(10, 1_000_000),
    parties=st.integers(5, 1_000_000),
    base=st.integers(5, 1_000_000),
    percent_base=st.integers(50, 1_000_000),
    embargo=st.integers(0, 120),
    coarser=st.integers(0, 16),
    erase_approvals=st.integers(0, 1),
)


@given(policy=POLICIES)
def test_an_entry_says_one_policy_and_has_one_form(policy: Policy) -> None:
    """What is written is read back; names stand in order; the later ones only where they say something."""
    values = policy_values(policy)
    assert policy_of(dict(values)) == policy
    usual = {"embargo": 0, "coarser": 0, "erase_approvals": 1}
    later = {name for name, value in usual.items() if getattr(policy, name) != value}
    assert [name for name, _ in values] == sorted({"people", "parties", "base", "percent_base"} | later)


@pytest.mark.parametrize(
    "change", [{"embargo": 0}, {"coarser": 0}, {"erase_approvals": 1}, {"zeal": 3}, {"people": None}]
)
def test_another_form_is_no_policy(change: dict[str, int | None]) -> None:
    """A zero where nothing belongs, a name more, a name less."""
    values = {name: value for name, value in (dict(policy_values(Policy())) | change).items() if value is not None}
    assert policy_of(values) is None
    assert policy_of(dict(policy_values(Policy()))) == Policy(), "negative control"


@pytest.mark.parametrize("name", OF_TOTALS)
def test_what_is_looser_is_refused_by_name(name: str) -> None:
    """One less than the policy in force refuses; the same and a stricter value do not."""
    now = getattr(STRICT, name)
    with pytest.raises(UsageError, match=rf"^{name.replace('_', '-')}: .*looser"):
        tightened(STRICT, {name: now - 5 if name == "base" else now - 1})
    assert tightened(STRICT, {name: now}) == STRICT, "negative control"
    assert getattr(tightened(STRICT, {name: now + 10 if name in ("people", "base") else now + 1}), name) > now


@pytest.mark.parametrize("name", OF_TOTALS)
def test_loosening_has_to_be_asked_for_and_ends_at_the_floor(name: str) -> None:
    """With `loosen` down to the least that protects anybody, and never below."""
    floor = getattr(Policy(), name)
    assert tightened(STRICT, {name: floor}, loosen=True) == replace(STRICT, **{name: floor})
    with pytest.raises(UsageError, match=rf"^{name.replace('_', '-')}: no policy may have less"):
        tightened(STRICT, {name: floor - 1}, loosen=True)


def test_approvals_of_erasures_are_one_or_none() -> None:
    """None is looser, and has to be asked for; two is nothing that any policy has; no export may ask for any."""
    with pytest.raises(UsageError, match=r"^erase-approvals: .*looser"):
        tightened(STRICT, {"erase_approvals": 0})
    relaxed = tightened(STRICT, {"erase_approvals": 0}, loosen=True)
    assert relaxed == replace(STRICT, erase_approvals=0)
    assert tightened(relaxed, {"erase_approvals": 1}) == STRICT
    for value in (-1, 2):
        with pytest.raises(UsageError, match=r"^erase-approvals: no policy may have"):
            tightened(STRICT, {"erase_approvals": value}, loosen=True)
    with pytest.raises(UsageError, match="an export may ask"):
        tightened_for_export(relaxed, {"erase_approvals": 1})


@pytest.mark.parametrize(("name", "value"), [("people", 1_000_001), ("embargo", 121), ("coarser", 17)])
def test_no_value_is_beyond_all_bounds(name: str, value: int) -> None:
    """A number that no policy has is refused before root signs what nobody would fold."""
    with pytest.raises(UsageError, match="or more than"):
        tightened(Policy(), {name: value})


@pytest.mark.parametrize("changes", [{"zeal": 3}, {"people": True}, {"people": 20.0}])
def test_only_whole_numbers_of_known_names(changes: dict[str, int]) -> None:
    """True is no number of people."""
    with pytest.raises(UsageError, match="whole numbers"):
        tightened(Policy(), changes)


@pytest.mark.parametrize("base", [6, 7, 12, 14])
def test_a_base_is_tightened_by_its_multiples(base: int) -> None:
    """Figures of nearly the same people, rounded to 5 and to 7, narrow each other: [6, 14] and [8, 20] are [8, 14]."""
    with pytest.raises(UsageError, match="base: it must be a multiple of 5"):
        tightened(Policy(), {"base": base, "people": 20})
    assert tightened(Policy(), {"base": 10, "people": 20}).base == 10, "negative control"


@pytest.mark.parametrize(
    "changes",
    [{"people": 60}, {"base": 15}, {"people": 14}, {"people": 19}, {"people": 29, "base": 10}],
)
def test_values_that_do_not_go_together_are_refused(changes: dict[str, int]) -> None:
    """A percentage over fewer people than a figure needs, a base above the people, a threshold that would be exact."""
    with pytest.raises(UsageError, match="go together"):
        tightened(Policy(), changes)


@pytest.mark.parametrize("together", [{"people": 60, "percent_base": 60}, {"people": 15, "base": 15}, {"people": 13}])
def test_values_that_do_go_together_are_taken(together: dict[str, int]) -> None:
    """The negative controls of the test above."""
    assert not fault_of(tightened(Policy(), together))


def _exact(people: int, base: int) -> bool:
    """Whether some figure that may be printed, of `people` or more, stands for exactly one count."""
    policy = Policy(people=people, base=base)
    for count in range(people, people + 2 * base):
        tokens = [bytes([number % 256, number // 256]) for number in range(count)]
        assert cell_ok(Group(Counter(tokens)), replace(policy, parties=1))
        for key in range(24):
            low, high = known_of(rounded(tokens, base, keyed(bytes([key]))), base, people)
            assert low <= count <= high
            if low == high:
                return True
    return False


def test_a_threshold_one_below_a_multiple_of_the_base_gives_a_count_away() -> None:
    """The fault itself: 14 people rounded to 5 are printed as 10 by some keys, and 10 can then only mean 14."""
    assert known_of(10, 5, 14) == (14, 14)
    assert _exact(14, 5)
    for people in range(10, 40):
        for base in (5, 10):
            policy = Policy(people=people, base=base)
            assert bool(fault_of(policy)) == _exact(people, base), (people, base)


@pytest.mark.parametrize(
    ("changes", "next_one"),
    [({"people": 11}, 20), ({"people": 21}, 30), ({"people": 22}, 30), ({"people": 25}, 30), ({"parties": 6}, 10)],
)
def test_the_thresholds_of_one_export_go_in_steps(changes: dict[str, int], next_one: int) -> None:
    """Withheld with 22 and printed with 21 is 21. Root's own policy may be any that protects."""
    ((name, value),) = changes.items()
    with pytest.raises(UsageError, match=f"^{name}: for one export it must be a multiple of") as caught:
        tightened_for_export(Policy(), changes)
    assert f"{next_one} is allowed" in str(caught.value.hint)
    assert getattr(tightened(Policy(), changes), name) == value, "negative control: root's policy"
    assert getattr(tightened_for_export(Policy(), {name: next_one}), name) == next_one


def test_what_root_signed_is_no_step() -> None:
    """An export under root's 25 may say so, and what it does not name stays as root signed it."""
    odd = Policy(people=25, parties=7)
    assert tightened_for_export(odd, {}) == tightened_for_export(odd, {"people": 25, "parties": 7}) == odd
    assert tightened_for_export(odd, {"people": 30}) == replace(odd, people=30)
    with pytest.raises(UsageError, match="people: that is looser"):
        tightened_for_export(odd, {"people": 20})


def _counts_left(count: int, step: int, key: int) -> int:
    """How many counts a reader is left with who sees a figure withheld or printed at every threshold of that step."""
    tokens = [bytes([number]) for number in range(count)]
    low, high = 0, 10**6
    for people in range(10, 60, step):
        policy = Policy(people=people, percent_base=60)
        if fault_of(policy):
            continue
        if not cell_ok(Group(Counter(tokens)), replace(policy, parties=1)):
            high = min(high, people - 1)
            continue
        least, most = known_of(rounded(tokens, 5, keyed(bytes([key]))), 5, people)
        low, high = max(low, least), min(high, most)
    return high - low + 1


def test_whoever_tries_every_threshold_is_left_with_a_few_people() -> None:
    """Four counts or more by steps of ten; one by steps of one, which is the fault itself."""
    left = {step: [_counts_left(n, step, key) for n in range(10, 50) for key in range(12)] for step in (1, 10)}
    assert min(left[10]) == 4
    assert min(left[1]) == 1


def test_a_change_is_told_in_words() -> None:
    """Old and new value, and where it got looser."""
    assert difference(Policy(), STRICT).startswith("people 10 to 20; parties 5 to 8; base 5 to 10; percent-base 50 to")
    assert difference(STRICT, replace(STRICT, embargo=0)) == "embargo 12 to 0 (looser)"
    assert difference(STRICT, STRICT) == ""
