"""A table, the people and the ledger in; a release out, and what the ledger has to keep of it.

This is the one way by which a number of people leaves the vault. First the plan says what could be printed that was not
printed before (`planner`), then the guard reads all that was ever printed together with it, as an adversary would
(`watch`), and only then is the release put together, from the ledger alone (`releasing`). What was printed once is
never computed again, so the same state gives the same release.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace

from vault.disclosure.known_rows import known_impossible, known_row, whole_table
from vault.disclosure.ledger import Ledger
from vault.disclosure.people import Person
from vault.disclosure.planner import Plan
from vault.disclosure.policies import fault_of
from vault.disclosure.releasing import release_of
from vault.disclosure.rounding import Coin
from vault.disclosure.watch import Guard, guarded_plan
from vault.errors import DisclosureRefused
from vault.formats.ledger_entry import MOST_CODES, MOST_PEOPLE, PERSON, LedgerEntry, Members, SlotCodes
from vault.formats.release import Release
from vault.formats.table_values import Table
from vault.model import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Protected:
    """A release, what it adds to the ledger (nothing when everything in it was printed before), and the plan."""

    release: Release
    entries: tuple[LedgerEntry, ...]
    plan: Plan


def protect(
    table: Table,
    people: Sequence[Person],
    policy: Policy,
    coin: Coin,
    ledger: Ledger,
    *,
    until: int,
    guard: Guard,
    others: Iterable[Ledger],
    checkpoints: Sequence[str] = (),
) -> Protected:
    """Closes the blocks that can be closed and puts the release of one table together. `ledger` is left as it is.

    `people` were folded for the whole table (`known_rows.whole_table`) and have fingerprints of 8 bytes for tokens and
    parties; `until` is the last year that is over; `others` are the ledgers of all other subjects (`overlap`). Raises
    `DisclosureRefused` when the policy makes no sense or the guard finds that too much would be said.
    """
    if fault := fault_of(policy):
        raise DisclosureRefused(f"the policy cannot protect anybody: {fault}", hint="a stricter one may be given")
    plan = guarded_plan(whole_table(table, ledger), ledger, people, policy, coin, until, guard, others)
    entries = tuple(entries_of(ledger, until, plan))
    after = deepcopy(ledger)
    for entry in entries:
        after.take(entry)
    return Protected(release=release_of(table, after, policy, checkpoints), entries=entries, plan=plan)


def entries_of(ledger: Ledger, until: int, plan: Plan) -> list[LedgerEntry]:
    """What a plan adds to the ledger: lists of people in pieces that fit into an entry, the figures last.

    An entry that adds no figure says at least up to which year was looked. Raises `DisclosureRefused` for what does not
    fit into an entry."""
    found: list[LedgerEntry] = []
    subject = ledger.subject
    for slot, people in plan.members.items():
        for start in range(0, len(people), MOST_PEOPLE):
            raw = b"".join(person.token + person.party for person in people[start : start + MOST_PEOPLE])
            if len(raw) % PERSON:
                raise DisclosureRefused("a fingerprint is not of eight bytes")
            found.append(LedgerEntry(subject=subject, number=0, until=until, members=(Members(slot=slot, people=raw),)))
    for (variable, slot), codes in plan.codes.items():
        names = tuple(sorted(set(codes)))
        if len(names) > MOST_CODES:
            raise DisclosureRefused(
                f"`{variable}`: people have more than {MOST_CODES} different codes",
                hint="take a variable with fewer codes; the table's checker allows no more in a row",
            )
        index = {name: at for at, name in enumerate(names)}
        for start in range(0, len(codes), MOST_PEOPLE):
            raw = bytes(index[code] for code in codes[start : start + MOST_PEOPLE])
            item = SlotCodes(variable=variable, slot=slot, first=start, names=names, indices=raw)
            found.append(LedgerEntry(subject=subject, number=0, until=until, codes=(item,)))
    found.append(_figures(ledger, until, plan))
    return [replace(entry, number=number) for number, entry in enumerate(packed(found), ledger.entries)]


def _figures(ledger: Ledger, until: int, plan: Plan) -> LedgerEntry:
    """The figures, and what their variables are where the ledger does not know it yet."""
    named = {item.variable for item in plan.printed}
    rows = [row for row in plan.table.rows if row.variable in named and row.variable not in ledger.rows]
    excluded = [item for item in known_impossible(plan.table.impossible) if item not in ledger.impossible]
    return LedgerEntry(
        subject=ledger.subject,
        number=0,
        until=until,
        printed=plan.printed,
        rows=tuple(map(known_row, rows)),
        impossible=tuple(item for item in excluded if named & {item[0], item[2]}),
    )


def packed(entries: Sequence[LedgerEntry]) -> list[LedgerEntry]:
    """Neighbours put together as long as their people fit into one entry."""
    packed: list[LedgerEntry] = []
    size = 0
    for entry in entries:
        weight = sum(len(item.people) for item in entry.members) + sum(len(item.indices) for item in entry.codes)
        weight += sum(len(item.amounts) for item in entry.amounts)
        if packed and size + weight <= MOST_PEOPLE * PERSON:
            last = packed[-1]
            packed[-1] = LedgerEntry(
                subject=last.subject,
                number=0,
                until=last.until,
                printed=(*last.printed, *entry.printed),
                members=(*last.members, *entry.members),
                codes=(*last.codes, *entry.codes),
                amounts=(*last.amounts, *entry.amounts),
                rows=(*last.rows, *entry.rows),
                impossible=(*last.impossible, *entry.impossible),
            )
            size += weight
        else:
            packed.append(entry)
            size = weight
    return packed
