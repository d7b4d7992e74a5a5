"""The product's own releases of the made-up caseload, and what their readers know: for the attackers.

Fifteen yearly exports with the real guard. The facts are read from what the ledger has to keep, in the words of the
table's finest cells; the people are the caseload's, with the same words.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import replace

from tests.attacks.totals.caseload import FIRST, LAST, CasePerson, Slotted
from tests.disclosure.rows import Desk, keyed, shipped
from vault.disclosure.asking import guard_answer
from vault.disclosure.facts import OUTSIDE, Condition, Fact, Variable
from vault.disclosure.people import TallyRow
from vault.formats.table_values import RowSpec
from vault.model import Policy

TABLE = shipped("all_years")
CELL_OF = {row.variable: {code: name for name in row.ladder[0] for code in row.cell(name).of} for row in TABLE.rows}


def rows_of(one: CasePerson) -> list[TallyRow]:
    """The tally rows of a person of the caseload."""
    trafficked = {OUTSIDE: "not_asked", "not_answered": "declined"}.get(
        one.codes["trafficked"], one.codes["trafficked"]
    )
    intake = {
        "sex": one.codes["sex"],
        "minor": "yes" if one.codes["age_group"] in ("0-4", "5-11", "12-17") else "no",
        "travelled_with_family": one.codes["travelled_with_family"],
        "trafficked": trafficked,
        "consent_statistics": "yes",
        "party": one.party,
    }
    outcome = {
        "status": "reached_freedom",
        "period": f"{one.year}-Q{one.quarter}" if one.year else "unknown",
        "reunited_with_family": one.codes["reunited_with_family"],
    }
    return [
        TallyRow(token=one.token, type="intake", values=intake),
        TallyRow(token=one.token, type="outcome", values=outcome),
    ]


def exported(people: Iterable[CasePerson], *, policy: Policy | None = None, key: bytes = b"of one director") -> Desk:
    """A desk after an export in every year of the caseload."""
    desk = Desk(guard=guard_answer, coin=keyed(key), policy=policy or Policy())
    cases = [(one.year, rows_of(one)) for one in people]
    for year in range(FIRST, LAST + 1):
        desk.export(TABLE, [row for came, rows in cases for row in rows if came <= year], until=year)
    return desk


def variables() -> list[Variable]:
    """The table's variables, in finest cells."""
    return [
        Variable(
            name=row.variable,
            codes=row.ladder[0],
            universe=None if row.universe is None else (row.universe.variable, frozenset({row.universe.cell})),
        )
        for row in TABLE.rows
    ]


def known(desk: Desk) -> list[Fact]:
    """What whoever kept every release knows."""
    return known_cells(desk, set())


def known_cells(desk: Desk, besides: Container[str]) -> list[Fact]:
    """The same; the conditions on variables in `besides` speak of cells already, as they are no rows of the table."""
    return [
        replace(fact, where=tuple(one if one.variables[0] in besides else _in_cells(one) for one in fact.where))
        for fact in desk.ledger.facts()
    ]


def _in_cells(condition: Condition) -> Condition:
    (name,) = condition.variables
    return Condition(variables=(name,), codes=frozenset((CELL_OF[name][code],) for (code,) in condition.codes))


def counted_people(people: Iterable[CasePerson]) -> list[Slotted]:
    """The people of the caseload in the table's cells."""
    return [Slotted(slot=one.slot, codes={row.variable: _code(row, one) for row in TABLE.rows}) for one in people]


def _code(row: RowSpec, one: CasePerson) -> str:
    values = {key: str(value) for rows in [rows_of(one)] for item in rows for key, value in item.values.items()}
    if row.universe is not None and values[row.universe.variable] != row.universe.cell:
        return OUTSIDE
    return CELL_OF[row.variable][values[row.variable]]
