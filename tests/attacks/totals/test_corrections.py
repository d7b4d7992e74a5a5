"""Answers that come late: what is printed as "added later" gives nobody away, together with all that was printed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest

from tests.attacks.totals.caseload import FIRST, LAST, CasePerson, Slotted, caseload
from tests.attacks.totals.everything import attack_everything
from tests.attacks.totals.product import CELL_OF, TABLE as WHOLE, known_cells, rows_of, variables as all_variables
from tests.disclosure.rows import Desk, counted, keyed
from vault.disclosure.asking import guard_answer
from vault.disclosure.facts import OUTSIDE, Condition, Fact, Variable
from vault.disclosure.known_rows import whole_table
from vault.disclosure.people import Person, TallyRow
from vault.formats.table_values import RowSpec

LATER = "sex_was_unknown"
TABLE = replace(WHOLE, rows=tuple(WHOLE.row(name) for name in ("sex", "minor")), percentages=())
"""Two of the rows, so that the attacker's world stays small enough for every question to be answered."""


def rows_in(people: tuple[CasePerson, ...], answers: dict[bytes, tuple[int, str]], year: int) -> Iterator[TallyRow]:
    """The tally rows as they stand at the end of a year: some sexes are recorded years after the person came."""
    for one in people:
        since, sex = answers.get(one.token, (LAST + 1, ""))
        for row in rows_of(one) if one.year <= year else ():
            changed = row.type == "intake" and since <= year
            yield TallyRow(token=row.token, type=row.type, values={**row.values, "sex": sex} if changed else row.values)


def exported_late(seed: int) -> tuple[Desk, list[Person]]:
    """Fifteen yearly exports of a caseload in which every third person's sex is recorded years later."""
    random = Random(seed)  # made-up people
    people = tuple(
        one if random.random() < 2 / 3 else replace(one, codes={**one.codes, "sex": "unknown", "trafficked": OUTSIDE})
        for one in caseload(seed)
    )
    answers = {
        one.token: (one.year + random.randint(1, 4), random.choice(["female", "male"]))
        for one in people
        if one.codes["sex"] == "unknown" and random.random() < 0.8
    }
    desk = Desk(guard=guard_answer, coin=keyed(b"of one director"))
    for year in range(FIRST, LAST + 1):
        desk.export(TABLE, rows_in(people, answers, year), until=year)
    return desk, counted(whole_table(TABLE, desk.ledger), rows_in(people, answers, LAST))


def readers_variables(desk: Desk) -> list[Variable]:
    """The table's variables, and what was added later where something was."""
    row = next((row for row in whole_table(TABLE, desk.ledger).rows if row.variable == LATER), None)
    assert row is not None
    assert LATER in desk.ledger.rows, "nothing was added later: the attack would attack nothing"
    mine = [one for one in all_variables() if one.name in ("sex", "minor")]
    return [*mine, Variable(name=LATER, codes=row.ladder[0], universe=("sex", frozenset({"unknown"})))]


def as_counted(desk: Desk, people: list[Person]) -> Iterator[Slotted]:
    """The people with the codes that they were printed with, or have now, in the words of the finest cells."""
    now = {person.token: person for person in people}
    rows = {row.variable: row for row in TABLE.rows}
    for slot, members in desk.ledger.members.items():
        for at, (token, _) in enumerate(members):
            codes = {}
            for name in rows:
                frozen = desk.ledger.codes.get(name, {}).get(slot)
                codes[name] = CELL_OF[name][frozen[at] if frozen else now[token].codes[name]]
            for name, row in rows.items():
                if row.universe is not None and codes[row.universe.variable] != row.universe.cell:
                    codes[name] = OUTSIDE
            codes[LATER] = _later(desk, rows["sex"], slot, at, now[token]) if codes["sex"] == "unknown" else OUTSIDE
            yield Slotted(slot=slot, codes=codes)


def _later(desk: Desk, sex: RowSpec, slot: str, at: int, person: Person) -> str:
    frozen = desk.ledger.codes.get(LATER, {}).get(slot)
    if frozen:
        return frozen[at]
    code = person.codes["sex"]
    return "unchanged" if code == "unknown" else code


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.long), pytest.param(3, marks=pytest.mark.long)])
def test_what_is_added_later_gives_nobody_away(seed: int) -> None:
    """Every fact is true of the people, and no small group is found by sex, by later sex, or by either with anything
    else. Negative control: one true small figure of those recorded later, and the attack finds somebody."""
    desk, people = exported_late(seed)
    names = readers_variables(desk)
    counted_now = list(as_counted(desk, people))
    facts = known_cells(desk, {LATER})
    assert any(condition.variables == (LATER,) for fact in facts for condition in fact.where)
    broken = attack_everything(names, counted_now, facts)
    assert not broken, broken
    slot = next(slot for slot in desk.ledger.codes[LATER] if slot.isdecimal())
    women = sum(one.slot == slot and one.codes[LATER] == "female" for one in counted_now)
    where = (Condition(variables=(LATER,), codes=frozenset({("female",)})),)
    told = Fact(subject=TABLE.subject, slots=frozenset({slot}), where=where, low=women, high=women)
    assert attack_everything(names, counted_now, [*facts, told], depth=1)
