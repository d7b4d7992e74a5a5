"""Who is enough to be counted in public: people, parties, the largest party, and the same for everybody else."""

from __future__ import annotations

from collections import Counter

import pytest

from vault.disclosure.groups import Group, cell_ok, level_ok
from vault.model import Policy


def group(*parties: int, first: int = 0) -> Group:
    """Parties of so many people each."""
    return Group(Counter({bytes([first + at]): size for at, size in enumerate(parties)}))


@pytest.mark.parametrize(
    ("parties", "ok"),
    [
        ([1] * 10, True),
        ([1] * 9, False),
        ([2] * 5, True),
        ([3, 3, 3, 3], False),
        ([6, 2, 2, 1, 1], True),
        ([7, 2, 2, 1, 1], False),
        ([], False),
    ],
    ids=["ten alone", "nine", "five pairs", "four parties", "half is one party", "more than half", "nobody"],
)
def test_ten_people_of_five_parties_none_of_them_most(parties: list[int], ok: bool) -> None:
    """Each of the three numbers decides by itself."""
    assert cell_ok(group(*parties), Policy()) is ok


def test_the_rest_of_a_block_must_be_enough_as_well() -> None:
    """Fourteen women and one man: the women are enough, and the man is their complement."""
    women, men = group(*[1] * 14), group(1, first=100)
    assert cell_ok(women, Policy())
    assert not level_ok({"female": women, "male": men}, Policy())
    assert level_ok({"female": women, "male": group(*[1] * 10, first=100)}, Policy())


def test_an_empty_cell_is_small_and_the_only_cell_has_no_complement() -> None:
    """Zero says that everybody is otherwise; a total says nothing of a rest."""
    assert not level_ok({"female": group(*[1] * 20), "male": Group()}, Policy())
    assert level_ok({"": group(*[1] * 10)}, Policy())
    assert not level_ok({"": group(*[1] * 9)}, Policy())


def test_groups_add_up_by_party() -> None:
    """A party that is in two groups is one party in both together."""
    both = Group.of([group(3, 2), group(4, first=1)])
    assert (both.people, len(both.parties)) == (9, 2)
    assert group(3) + group(4) == group(7)
