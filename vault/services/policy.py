"""The disclosure policy in force: reading it needs no key, changing it needs root's.

Root signs each policy into the roster, whole, and the last one counts (decision 0028). Other laptops have it once a
bundle has brought them the roster; from then on their exports use it. Which values there are, and which are stricter,
stands in `disclosure/policies.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vault.disclosure.policies import difference, policy_values, tightened
from vault.errors import UsageError
from vault.model import Kind, Origin, Policy, Role
from vault.ports import day_of
from vault.services.journal import Draft, write
from vault.services.keyring import Keyring
from vault.services.roster import SignedPolicy
from vault.services.roster_lock import check_roster_writable
from vault.services.roster_reading import read_roster
from vault.services.vault import Vault, require_role


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyEntry:
    """A policy that root signed: its entry in the roster, the day that the entry claims (`2026-03-14`), and what it
    changed (`people 10 to 20`; empty for the first)."""

    policy: Policy
    origin: Origin
    seq: int
    day: str
    changed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyChange:
    """A policy that root signs, or would sign: before, after, what changed in words, and the entry's number in the
    roster."""

    before: Policy
    after: Policy
    changed: str
    origin: Origin
    seq: int


def policy_history(vault: Vault) -> tuple[PolicyEntry, ...]:
    """Every policy that root ever signed, the one in force last."""
    signed = vault.roster.policies
    earlier: tuple[SignedPolicy | None, ...] = (None, *signed)
    return tuple(
        PolicyEntry(
            policy=item.policy,
            origin=vault.roster.origin,
            seq=item.seq,
            day=day_of(item.day).isoformat(),
            changed="" if before is None else difference(before.policy, item.policy),
        )
        for before, item in zip(earlier, signed, strict=False)
    )


def change_policy(
    vault: Vault, root: Keyring, changes: Mapping[str, int], *, loosen: bool = False, dry_run: bool = False
) -> PolicyChange:
    """Signs a policy with these values, by name, into the roster; the others stay as they are.

    Raises NotAllowed unless `root` is root; UsageError for a value that is looser than the one in force (unless
    `loosen`), for values that do not go together, and when nothing would change; RollbackError or ForkError while the
    roster is locked; StorageError.
    """
    require_role(root, Role.ROOT)
    with vault.writing(root, announced=not dry_run):
        check_roster_writable(vault)
        before, origin = vault.policy, vault.roster.origin
        after = tightened(before, changes, loosen=loosen)
        if after == before:
            raise UsageError("that is the policy in force already", hint='"fieldvault policy show" shows it')
        number = vault.journal_number(origin)
        seq = sum(1 for _ in vault.store.leaves(number))
        if not dry_run:
            extra = tuple([name, value] for name, value in policy_values(after))
            seq = write(vault.store, number, vault.signer(root), vault.day, [Draft(kind=Kind.POLICY, extra=extra)])
    if not dry_run:
        vault.roster = read_roster(vault.store)
    return PolicyChange(before=before, after=after, changed=difference(before, after), origin=origin, seq=seq)
