"""The product's own releases, fifteen years of them, against every attack: nobody small is found, nothing is untrue."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.attacks.totals.caseload import CasePerson, caseload
from tests.attacks.totals.everything import attack_everything
from tests.attacks.totals.product import TABLE, counted_people, exported, known, rows_of, variables
from tests.disclosure.rows import Desk
from vault.disclosure.facts import Condition, Fact
from vault.formats.ledger_entry import Printed

LEAST_NUMBERS = 140
"""What the issue asks to be printed over the years; a protection that prints nothing protects everybody."""


def truth(people: tuple[CasePerson, ...], printed: Printed) -> list[int]:
    """The true counts of a block's figures."""
    variables_of = counted_people(people)
    cells = {figure.cell: set(figure.codes) for figure in printed.figures}
    inside = [one for one in variables_of if one.slot in printed.slots]
    if printed.universe is not None:
        inside = [one for one in inside if one.codes[printed.universe[0]] in printed.universe[1]]
    found = []
    for name, codes in cells.items():
        row = None if not printed.variable else TABLE.row(printed.variable)
        names = set() if row is None else {cell for cell in row.ladder[0] if row.cell(cell).of <= codes}
        found.append(sum(not printed.variable or one.codes[printed.variable] in names for one in inside))
        assert name is not None
    return found


def attacked(people: tuple[CasePerson, ...], desk: Desk) -> None:
    """Every attack fails, and every number is true and useful."""
    numbers = 0
    for printed in desk.ledger.printed:
        for figure, count in zip(printed.figures, truth(people, printed), strict=True):
            assert figure.value % 5 == 0
            assert abs(figure.value - count) <= 4
            numbers += 1
    assert numbers >= LEAST_NUMBERS
    broken = attack_everything(variables(), counted_people(people), known(desk))
    assert not broken, broken


def test_fifteen_years_of_exports_are_attacked_in_vain() -> None:
    """One caseload always; twenty with `make test-long`."""
    people = caseload(1)
    attacked(people, exported(people))


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 21))
def test_twenty_caseloads_are_attacked_in_vain(seed: int) -> None:
    """0 small cells recovered, 0 existences proved, 0 proved below k, 0 zeros proved; at least 140 numbers printed."""
    people = caseload(seed)
    attacked(people, exported(people))


def test_one_true_figure_too_many_is_found() -> None:
    """Negative control: the same releases and one small count beside them; the attack says so."""
    people = caseload(1)
    facts = known(exported(people))
    year = frozenset({"2020"})
    small = Condition(variables=("sex",), codes=frozenset({("male",)}))
    told = Fact(subject=facts[0].subject, slots=year, where=(small,), low=1, high=1)
    assert attack_everything(variables(), counted_people(people), [*facts, told], depth=1).exact >= 1


def test_one_person_more_or_less_changes_no_printed_byte() -> None:
    """A12: everything is printed; then somebody comes late, somebody is erased: what is said stays as it was."""
    people = caseload(1)
    desk = exported(people)
    before = desk.ledger.facts()
    more = (*people, replace(people[0], token=b"somebody else..."))
    again = exported_again(desk, more)
    assert again == before
    assert exported_again(desk, people[1:]) == before


def exported_again(desk: Desk, people: tuple[CasePerson, ...]) -> list[Fact]:
    """The same desk after one export more."""
    desk.export(TABLE, [row for one in people for row in rows_of(one)], until=2024)
    return desk.ledger.facts()
