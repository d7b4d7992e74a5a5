"""What a disclosure policy may be, which of two is stricter, and what several add up to. Pure functions of policies.

    name          least  most        stricter
    people           10  1,000,000   more: the least people whom a figure counts, and leaves out
    parties           5  1,000,000   more: the least travel parties whom a figure counts, and leaves out
    base              5  1,000,000   a multiple of the base before
    percent_base     50  1,000,000   more: the least printed figure over which a percentage is said
    embargo           0        120   more: whole months that must have passed since the end of a year
    coarser           0         16   more: the finest rungs of every ladder that are not used
    erase_approvals   0          1   more: members beside its owner who must approve that a case is erased

The last is nothing that totals depend on: no export may ask for it. Without it an entry means 1.

One export may be stricter than the policy in force: its people are then a multiple of ten, its parties of five. What is
withheld at one threshold and printed at the next lies between the two, so a director who tries them all would count.

The least are the floors below which no roster is believed. A base is tightened by its multiples only: a figure that is
a multiple of 7 and another, of nearly the same people, that is a multiple of 5 would narrow each other; and what is
said of a release, "multiples of 5", stays true of a release that holds figures of both.

Some thresholds give a number away: with k = 14 and base 5 a count of 14 may be printed as 10, and as 10 nothing else
can be printed that counts 14 or more (11 to 13 would be withheld). So k must not be one less than a multiple of the
base. Multiples of the base are the best: then a figure always stands for `base` counts or more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import Final

from vault.errors import UsageError
from vault.model import Policy

LEAST: Final = Policy(erase_approvals=0)
MOST: Final = Policy(
    people=1_000_000,
    parties=1_000_000,
    base=1_000_000,
    percent_base=1_000_000,
    embargo=120,
    coarser=16,
    erase_approvals=1,
)
NAMES: Final = tuple(field.name for field in fields(Policy))
EXPORT_STEPS: Final[Mapping[str, int]] = {"people": LEAST.people, "parties": LEAST.parties}
"""Of what the thresholds of one export are multiples, where they are not those of the policy in force."""
ADDED: Final[Mapping[str, int]] = {"embargo": 0, "coarser": 0, "erase_approvals": 1}
"""Names that a policy entry has only if their value is not this one: rosters that are older than they have none."""
OF_TOTALS: Final = tuple(name for name in NAMES if name != "erase_approvals")
"""What an export may ask for more of."""


def policy_values(policy: Policy) -> tuple[tuple[str, int], ...]:
    """A policy as its roster entry has it: (name, value), by name; what is usual of the added names is left out."""
    values = asdict(policy)
    return tuple((name, values[name]) for name in sorted(NAMES) if values[name] != ADDED.get(name))


def policy_of(values: Mapping[str, int]) -> Policy | None:
    """The policy behind the names and values of an entry; None for anything that `policy_values` does not give."""
    if not set(NAMES) - set(ADDED) <= set(values) <= set(NAMES):
        return None
    found = Policy(**values)
    return found if policy_values(found) == tuple(sorted(values.items())) else None


def below(policy: Policy, least: Policy = LEAST) -> tuple[str, ...]:
    """The names whose value is less than in `least`: there the policy protects less."""
    return tuple(name for name in NAMES if getattr(policy, name) < getattr(least, name))


def beyond(policy: Policy) -> tuple[str, ...]:
    """The names whose value is more than any policy has."""
    return tuple(name for name in NAMES if getattr(policy, name) > getattr(MOST, name))


def fault_of(policy: Policy) -> str:
    """Why a policy cannot protect anybody, in words; empty when it can."""
    if policy.base < 1 or policy.people < max(2, policy.base):
        return "fewer people than the rounding base, or than two"
    if policy.percent_base < policy.people:
        return "percentages over fewer people than a figure needs"
    if policy.base > 1 and policy.people % policy.base == policy.base - 1:
        return "a number of people that is one less than a multiple of the rounding base: figures of it would be exact"
    return ""


def tightened(policy: Policy, changes: Mapping[str, int], *, loosen: bool = False) -> Policy:
    """The policy with these values. Raises UsageError, naming the value, for one that is looser than `policy` (unless
    `loosen`) or than the least that protects anybody, and for values that do not go together."""
    if not set(changes) <= set(NAMES) or any(type(value) is not int for value in changes.values()):
        raise UsageError(f"a policy has whole numbers, of these names: {', '.join(NAMES)}")
    found = replace(policy, **changes)
    for name in (*below(found), *beyond(found)):
        least, most = getattr(LEAST, name), getattr(MOST, name)
        raise UsageError(f"{_words(name)}: no policy may have less than {least:,} or more than {most:,}")
    if not loosen:
        for name in below(found, policy):
            raise UsageError(
                f"{_words(name)}: that is looser than the policy in force, which says {getattr(policy, name):,}",
                hint='a policy may be tightened only; "fieldvault policy show" shows it',
            )
    of = LEAST.base if loosen else policy.base
    if found.base != policy.base and found.base % of:
        raise UsageError(
            f"base: it must be a multiple of {of}", hint="figures rounded to other bases narrow each other"
        )
    if changes and (fault := fault_of(found)):
        raise UsageError(
            f"these values do not go together: {fault}",
            hint="a number of people that is a multiple of the base, and a percentage base of no less, always does",
        )
    return found


def tightened_for_export(policy: Policy, changes: Mapping[str, int]) -> Policy:
    """The policy in force with these values for one export. Raises UsageError for what `tightened` does not take, and
    for thresholds that are no multiple of their step: the next one up would be as strict."""
    if "erase_approvals" in changes:
        raise UsageError(f"an export may ask for more of these alone: {', '.join(OF_TOTALS)}")
    found = tightened(policy, changes)
    for name, step in EXPORT_STEPS.items():
        value = getattr(found, name)
        if value != getattr(policy, name) and value % step:
            raise UsageError(
                f"{_words(name)}: for one export it must be a multiple of {step}",
                hint=f"thresholds tried one by one would give a count away; {value + step - value % step:,} is allowed",
            )
    return found


def difference(before: Policy, after: Policy) -> str:
    """What changed, for a person: `people 10 to 20; embargo 12 to 0 (looser)`."""
    looser = below(after, before)
    changed = [name for name in NAMES if getattr(before, name) != getattr(after, name)]
    return "; ".join(
        f"{_words(name)} {getattr(before, name)} to {getattr(after, name)}{' (looser)' if name in looser else ''}"
        for name in changed
    )


def _words(name: str) -> str:
    return name.replace("_", "-")
