"""Sums of nights and events: contributions and the ledger in; a release out, and what the ledger has to keep of it.

The guard of persons' totals is an integer program over people. It knows nothing of amounts, and is not asked. In its
place stand rules that are narrower than those for persons:

- **Dominance** (`amounts.py`): each sum and its complement in the block is of at least k people and five parties, and
  is not ruled by a person, a party, or a party and one person more. Of each person and year at most a cap is counted.
- **Closed blocks** (`blocks.py`): a block of slots is printed once, and blocks do not overlap, so nothing is left when
  one is subtracted from another. Two printed sums of one block, by country and by year, leave for "that country in that
  year" a range at least as wide as the smallest of them or of their complements in the block: the proof for persons
  (docs/disclosure.md) holds for amounts, since it uses nothing but that parts are not negative.
- **One variable**: of one subject (nights in shelters; events of one code) only one variable is ever printed, with one
  ladder. A second one would cut the same nights another way, and what the two give away together nobody has asked. It
  is refused.
- **No mean, no percentage**, and never the number of people behind a sum in the same table.
- **Events beside people**: where each person has one, a sum of events is a number of people. So the people behind sums
  of events are compared with those behind all other subjects' figures (`overlap_events`). Nights are not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from math import lcm

from vault.disclosure.contributions import Contribution
from vault.disclosure.ladders import codes_of
from vault.disclosure.ledger import Ledger
from vault.disclosure.magnitude_notes import notes_of_amounts
from vault.disclosure.magnitude_planner import MagnitudePlan, plan_magnitudes
from vault.disclosure.overlap_events import EventOverlap
from vault.disclosure.policies import fault_of
from vault.disclosure.protect import packed
from vault.disclosure.releasing import release_of
from vault.disclosure.rounding import Coin
from vault.errors import DisclosureRefused
from vault.formats.ledger_entry import MOST_PEOPLE, PERSON, LedgerEntry, Members, SlotAmounts
from vault.formats.magnitude_values import MagnitudeTable
from vault.formats.release import Release
from vault.formats.table_values import counts_events
from vault.model import Policy

MOST_OF_ONE = 255
"""The ledger keeps one byte of a person's amount in a slot; caps are below."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectedSums:
    """A release, what it adds to the ledger, and the plan."""

    release: Release
    entries: tuple[LedgerEntry, ...]
    plan: MagnitudePlan


def protect_magnitudes(
    table: MagnitudeTable,
    contributions: Sequence[Contribution],
    policy: Policy,
    coin: Coin,
    ledger: Ledger,
    *,
    until: int,
    others: Iterable[Ledger],
    checkpoints: Sequence[str] = (),
) -> ProtectedSums:
    """Closes the blocks that can be closed and puts the release of one table together. `ledger` is left as it is.

    Contributions have fingerprints of 8 bytes for tokens and parties; `until` is the last year that is over; `others`
    are the ledgers of all other subjects, with which events are compared (`overlap_events`), and nights are not. Raises
    `DisclosureRefused` for a policy that makes no sense, and for a table that cuts its subject in another way than was
    printed; IntegrityError for ledgers that do not say who had what.
    """
    if fault := fault_of(policy):
        raise DisclosureRefused(f"the policy cannot protect anybody: {fault}", hint="a stricter one may be given")
    require_same_cut(table, ledger)
    overlap = EventOverlap(others if counts_events(table.table.subject) else (), policy)
    plan = plan_magnitudes(table, ledger, contributions, policy, coin, until, base_of(table, policy), overlap)
    entries = tuple(_entries(table, ledger, until, plan))
    after = deepcopy(ledger)
    for entry in entries:
        after.take(entry)
    return ProtectedSums(release=release_of_sums(table, after, policy, checkpoints), entries=entries, plan=plan)


def base_of(table: MagnitudeTable, policy: Policy) -> int:
    """The base of rounding: the unit's, and a multiple of the policy's."""
    return lcm(table.measure.base, policy.base)


def release_of_sums(table: MagnitudeTable, ledger: Ledger, policy: Policy, checkpoints: Sequence[str] = ()) -> Release:
    """The release of one table as the ledger stands."""
    release = release_of(table.table, ledger, replace(policy, base=base_of(table, policy)), checkpoints)
    unit, rules = table.measure, release.policy
    method = f"min{rules.people}-dom50-cap{unit.cap}-rr{rules.base}-v1"
    return replace(
        release,
        policy=replace(rules, percent_base=0, method=method),
        notes=notes_of_amounts(unit, rules.people, rules.parties or policy.parties, rules.base),
    )


def require_same_cut(table: MagnitudeTable, ledger: Ledger) -> None:
    """Raises `DisclosureRefused` for a variable other than the one that was printed, or a ladder whose rungs are not
    those of which figures were printed: two ways to cut one sum are not protected from each other."""
    row = table.row
    others = ({item.variable for item in ledger.printed if item.variable} | ledger.amounts.keys()) - {row.variable}
    if others:
        raise DisclosureRefused(
            f"these {table.measure.name} were printed by another variable before, and only one variable of a subject "
            "is ever printed",
            hint=f"use a table whose row is `{min(others)}`",
        )
    rungs = codes_of(row)
    for item in ledger.printed:
        if not item.variable:
            continue
        printed = {frozenset(figure.codes) for figure in item.figures}
        known = frozenset[str]().union(*printed)  # codes that the codebook got since are in no printed figure
        now = {of & known for of in rungs[item.rung]} - {frozenset()} if item.rung < len(rungs) else None
        if now != printed:
            raise DisclosureRefused(
                f"`{row.variable}`: figures were printed of other cells before, and a subject is ever printed by one "
                "ladder only",
                hint="use the table that was exported before",
            )


def _entries(table: MagnitudeTable, ledger: Ledger, until: int, plan: MagnitudePlan) -> Iterator[LedgerEntry]:
    """What a plan adds to the ledger: who was counted with how much, in pieces that fit into an entry; figures last."""
    found = [
        *(item for slot, counted in plan.counted.items() for item in _counted(table, ledger, until, slot, counted)),
        LedgerEntry(subject=ledger.subject, number=0, until=until, printed=plan.printed),
    ]
    for number, entry in enumerate(packed(found), ledger.entries):
        yield replace(entry, number=number)


def _counted(
    table: MagnitudeTable, ledger: Ledger, until: int, slot: str, counted: Sequence[Contribution]
) -> Iterator[LedgerEntry]:
    """The people of one slot, and then their amounts, code by code."""
    whole = LedgerEntry(subject=ledger.subject, number=0, until=until)
    for first in range(0, len(counted), MOST_PEOPLE):
        raw = b"".join(one.token + one.party for one in counted[first : first + MOST_PEOPLE])
        if len(raw) % PERSON:
            raise DisclosureRefused("a fingerprint is not of eight bytes")
        yield replace(whole, members=(Members(slot=slot, people=raw),))
    for code in sorted({code for one in counted for code in one.amounts}):
        amounts = [one.amounts.get(code, 0) for one in counted]
        if max(amounts) > MOST_OF_ONE:
            raise DisclosureRefused("an amount is above every cap")
        for first in range(0, len(amounts), MOST_PEOPLE):
            piece = bytes(amounts[first : first + MOST_PEOPLE])
            item = SlotAmounts(variable=table.row.variable, slot=slot, first=first, code=code, amounts=piece)
            yield replace(whole, amounts=(item,))
