"""The disclosure policy has floors: one that would protect less is not believed, although root signed it."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from tests.organisation import Organisation
from vault.errors import IntegrityError
from vault.formats.leaf import encode_leaf, parse_leaf
from vault.model import Kind, Policy
from vault.services.journal import Draft, write
from vault.services.roster import Roster, fold

FLOORS = {"people": 10, "parties": 5, "base": 5, "percent_base": 50}
"""Written down here once more, on purpose: lowering a default must not lower the floor unseen."""
NOT_TIGHTENED = {"embargo": 0, "coarser": 0, "erase_approvals": 1}
"""What an entry that does not name them says."""


def _extra(values: dict[str, int]) -> tuple[object, ...]:
    """A policy as its entry has it."""
    return tuple([name, values[name]] for name in sorted(values))


def _folded(org: Organisation, values: dict[str, int]) -> Roster:
    """The fold of the organisation's roster with these values in the place of its policy."""
    found = [parse_leaf(raw) for raw in org.vault.store.leaves(org.vault.journal_number(org.vault.roster.origin))]
    changed = [
        encode_leaf(type(leaf)(seq=leaf.seq, kind=leaf.kind, day=leaf.day, extra=_extra(values)))
        if leaf.kind is Kind.POLICY
        else encode_leaf(leaf)
        for leaf in found
    ]
    return fold(changed)


def test_the_floors_are_the_ones_that_are_documented(org: Organisation) -> None:
    """10 people, 5 parties, base 5, 50 for a percentage, nothing else; a new organisation starts there."""
    assert asdict(Policy()) == FLOORS | NOT_TIGHTENED
    assert asdict(org.vault.policy) == FLOORS | NOT_TIGHTENED
    assert asdict(Policy(people=11)) != FLOORS | NOT_TIGHTENED, "negative control"


@pytest.mark.parametrize("name", FLOORS)
def test_one_below_its_floor_is_refused(org: Organisation, name: str) -> None:
    """Each value alone, one too low, refuses the roster; at the floor and above it is taken as it stands."""
    with pytest.raises(IntegrityError, match="weaker"):
        _folded(org, {**FLOORS, name: FLOORS[name] - 1})
    for value in (FLOORS[name], FLOORS[name] + 1):
        values = {**FLOORS, name: value}
        assert asdict(_folded(org, values).policy) == values | NOT_TIGHTENED, "negative control"


@pytest.mark.parametrize("name", FLOORS)
def test_strictness_elsewhere_does_not_buy_a_lower_value(org: Organisation, name: str) -> None:
    """Every other value a thousand times as strict: the one below its floor still refuses."""
    strict = {other: 1000 * floor for other, floor in FLOORS.items()}
    with pytest.raises(IntegrityError, match="weaker"):
        _folded(org, {**strict, name: FLOORS[name] - 1})
    assert asdict(_folded(org, strict).policy) == strict | NOT_TIGHTENED, "negative control"


@pytest.mark.parametrize(("name", "most"), [("embargo", 120), ("coarser", 16)])
def test_the_names_that_came_later_may_be_missing(org: Organisation, name: str, most: int) -> None:
    """Rosters of before fold with nothing of them; where they stand they say something, and not too much."""
    assert getattr(_folded(org, FLOORS).policy, name) == 0
    for value in (1, most):
        assert getattr(_folded(org, {**FLOORS, name: value}).policy, name) == value
    with pytest.raises(IntegrityError, match="does not know"):
        _folded(org, {**FLOORS, name: 0})  # that is written by leaving it out: an entry has one form
    with pytest.raises(IntegrityError, match="larger"):
        _folded(org, {**FLOORS, name: most + 1})


@pytest.mark.parametrize("name", FLOORS)
def test_a_number_larger_than_any_policy_has_is_refused(org: Organisation, name: str) -> None:
    """A million is strict enough for anybody; what is beyond it is a slip or an attack."""
    _folded(org, {**FLOORS, name: 1_000_000})
    with pytest.raises(IntegrityError, match="larger"):
        _folded(org, {**FLOORS, name: 1_000_001})


@pytest.mark.parametrize(("people", "opens"), [(9, False), (10, True)])
def test_root_cannot_sign_the_floor_away(org: Organisation, people: int, opens: bool) -> None:
    """A later policy entry with root's true signature: below the floor, the vault does not open and the audit says
    so."""
    number, signer = org.vault.journal_number(org.vault.roster.origin), org.vault.signer(org.root)
    draft = Draft(kind=Kind.POLICY, extra=_extra({**FLOORS, "people": people}))
    with org.vault.store.transaction():
        write(org.vault.store, number, signer, org.vault.day, [draft])
    assert (org.audit().verdict == "finding") is not opens
    if opens:
        assert org.reopen().policy.people == people
    else:
        with pytest.raises(IntegrityError, match="weaker"):
            org.reopen()


@pytest.mark.parametrize("value", [1, 2, 3])
def test_approvals_of_erasures_are_none_or_not_named(org: Organisation, value: int) -> None:
    """An entry says 0 or nothing: what older rosters have means one, as it always did."""
    assert _folded(org, FLOORS).policy.erase_approvals == 1
    assert _folded(org, {**FLOORS, "erase_approvals": 0}).policy.erase_approvals == 0
    with pytest.raises(IntegrityError):
        _folded(org, {**FLOORS, "erase_approvals": value})
