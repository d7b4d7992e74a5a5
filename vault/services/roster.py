"""The roster: all trust is the fold of the entries that root signed.

    found     the organisation: root's keys, the recovery key; the vault id is a hash over root's keys. A later one,
              with the same keys of root, replaces the recovery key
    policy    the disclosure policy
    codebook  the digest of the codebook in force
    enrol     a member: handle, role, keys
    revoke    a member is cut off, by journal size and not by clock

The fold is pure and strict: whatever a careful root would not have signed is an error, so that every program which
reads the roster comes to the same members. Nothing here opens anything; the auditor's code uses it as it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from vault import labels
from vault.disclosure.policies import below, beyond, policy_of
from vault.errors import FormatError, IntegrityError, UsageError
from vault.formats.hybrid_key import check_hybrid_key
from vault.formats.leaf import Leaf, parse_leaf
from vault.formats.origin import ROOT, origin_of
from vault.model import Digest, Handle, KeyId, Kind, Member, Origin, Policy, PublicKeys, Role, VaultId
from vault.primitives import signing
from vault.primitives.hashing import sha256

ROSTER_EPOCH = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedPolicy:
    """A policy that root signed: the number of its entry, the day that the entry claims (since 1970-01-01)."""

    seq: int
    day: int
    policy: Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryKey:
    """A recovery key that root signed: the number of its entry, the day that the entry claims (since 1970-01-01), the
    1,216 bytes of the public key, its 16-byte name."""

    seq: int
    day: int
    key: bytes = field(repr=False)
    key_id: KeyId


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """Everything that root has said, folded."""

    vault_id: VaultId
    origin: Origin
    recovery: bytes = field(repr=False)
    recovery_id: KeyId
    members: tuple[Member, ...]
    policy: Policy
    codebooks: tuple[Digest, ...]
    policies: tuple[SignedPolicy, ...] = ()
    """Every policy that was ever in force, the last one now."""
    recoveries: tuple[RecoveryKey, ...] = ()
    """Every recovery key that root ever signed, the last one in force now (`recovery`)."""

    @property
    def recovery_ids(self) -> frozenset[KeyId]:
        """The names of all recovery keys, those that were replaced too."""
        return frozenset({self.recovery_id, *(item.key_id for item in self.recoveries)})

    @property
    def replaced_ids(self) -> frozenset[KeyId]:
        """The names of the recovery keys that root has replaced."""
        return self.recovery_ids - {self.recovery_id}

    def recovery_rank(self, key_id: bytes) -> int:
        """Which recovery key this is, counted from 0 in the order in which root signed them; -1 for none of them."""
        ids = [item.key_id for item in self.recoveries] or [self.recovery_id]
        return ids.index(KeyId(key_id)) if key_id in ids else -1

    def recovery_key(self, key_id: KeyId) -> RecoveryKey:
        """A recovery key by its name. Raises UsageError."""
        for item in self.recoveries:
            if item.key_id == key_id:
                return item
        raise UsageError("root signed no recovery key of that name")

    @property
    def codebook(self) -> Digest:
        """The digest of the codebook in force: the last that root signed."""
        return self.codebooks[-1]

    def find(self, handle: str) -> Member | None:
        """The member with this handle, revoked or not."""
        return next((member for member in self.members if member.handle == handle), None)

    def member(self, handle: str) -> Member:
        """The member with this handle. Raises UsageError."""
        found = self.find(handle)
        if found is None:
            raise UsageError(
                f'the roster has no member "{handle}"',
                hint='import headquarters\' newest bundle first; "fieldvault member list" shows who is known here',
            )
        return found

    def active(self, role: Role) -> tuple[Member, ...]:
        """The unrevoked members of a role, in the order in which they were enrolled."""
        return tuple(member for member in self.members if member.role is role and not member.revoked)


def member_id(keys: PublicKeys) -> KeyId:
    """The 16-byte name of a member's keys."""
    return KeyId(sha256(labels.MEMBER_ID + keys.signing + keys.sealing)[:16])


def vault_id_of(root: PublicKeys) -> VaultId:
    """The vault id that pins root's keys: whoever knows the id can check the key."""
    return VaultId(sha256(labels.VAULT_ID + root.signing + root.sealing)[:16].hex())


def recovery_id_of(recovery: bytes) -> KeyId:
    """The 16-byte name of a recovery key."""
    return KeyId(sha256(labels.RECOVERY_ID + recovery)[:16])


def new_member(handle: Handle, role: Role, keys: PublicKeys) -> Member:
    """A member that is not revoked."""
    return Member(handle=handle, role=role, keys=keys, key_id=member_id(keys))


def fold(leaves: Iterable[bytes]) -> Roster:
    """The roster behind a roster journal's leaves, in order. Raises IntegrityError or FormatError.

    Whether root's signature covers these leaves is for the caller to check, with the keys found here, and the vault id
    that is known from elsewhere.
    """
    folding = _Folding()
    for number, raw in enumerate(leaves):
        leaf = parse_leaf(raw)
        if leaf.seq != number:
            raise IntegrityError(f"roster entry {number} carries another number")
        folding.take(leaf)
    return folding.result()


class _Folding:
    """The state of one fold."""

    def __init__(self) -> None:
        self.members: dict[str, Member] = {}
        self.keys: set[bytes] = set()
        self.policies: list[SignedPolicy] = []
        self.codebooks: list[Digest] = []
        self.vault_id = VaultId("")
        self.recoveries: list[RecoveryKey] = []

    def take(self, leaf: Leaf) -> None:
        """Applies one entry."""
        founded = bool(self.members)
        if leaf.kind is not Kind.FOUND and not founded:
            raise IntegrityError(f"roster entry {leaf.seq}: the founding entry must stand first")
        if leaf.kind is Kind.FOUND:
            (self._replace_recovery if founded else self._found)(leaf)
        elif leaf.kind is Kind.ENROL:
            handle, role, signing_key, sealing_key, _ = leaf.extra
            self._enrol(leaf.seq, Handle(handle), Role(role), PublicKeys(signing=signing_key, sealing=sealing_key))
        elif leaf.kind is Kind.REVOKE:
            self._revoke(leaf)
        elif leaf.kind is Kind.POLICY:
            self._policy(leaf)
        elif leaf.kind is Kind.CODEBOOK:
            self.codebooks.append(Digest(leaf.extra[0]))
        else:
            raise IntegrityError(f"roster entry {leaf.seq} is of a kind that root does not write")

    def _found(self, leaf: Leaf) -> None:
        signing_key, sealing_key, recovery, _ = leaf.extra
        keys = PublicKeys(signing=signing_key, sealing=sealing_key)
        self.vault_id = vault_id_of(keys)
        self._enrol(leaf.seq, ROOT, Role.ROOT, keys)
        self._recovery(leaf, recovery)

    def _replace_recovery(self, leaf: Leaf) -> None:
        """Root founds the recovery key anew: with root's own keys as they are, and a key that nobody has or had."""
        signing_key, sealing_key, recovery, _ = leaf.extra
        if PublicKeys(signing=signing_key, sealing=sealing_key) != self.members[ROOT].keys:
            raise IntegrityError(f"roster entry {leaf.seq} founds anew with other keys of root's")
        if recovery in self.keys or any(recovery == item.key for item in self.recoveries):
            raise IntegrityError(f"roster entry {leaf.seq} appoints a recovery key that is or was in use")
        try:
            check_hybrid_key(recovery)
        except FormatError as error:
            raise IntegrityError(f"roster entry {leaf.seq} appoints a recovery key that is none") from error
        self.keys.add(recovery)
        self._recovery(leaf, recovery)

    def _recovery(self, leaf: Leaf, recovery: bytes) -> None:
        self.recoveries.append(RecoveryKey(seq=leaf.seq, day=leaf.day, key=recovery, key_id=recovery_id_of(recovery)))

    def _enrol(self, seq: int, handle: Handle, role: Role, keys: PublicKeys) -> None:
        if handle in self.members or {keys.signing, keys.sealing} & self.keys:
            raise IntegrityError(f"roster entry {seq} enrols a handle or a key for the second time")
        if (role is Role.ROOT) != (handle == ROOT):
            raise IntegrityError(f"roster entry {seq} makes a second root")
        signing.check_public_key(keys.signing)
        self.keys |= {keys.signing, keys.sealing}
        self.members[handle] = new_member(handle, role, keys)

    def _revoke(self, leaf: Leaf) -> None:
        handle, sizes = leaf.extra
        member = self.members.get(handle)
        if member is None or member.revoked or member.role is Role.ROOT:
            raise IntegrityError(f"roster entry {leaf.seq} revokes nobody who could be revoked")
        if len({origin for origin, _ in sizes}) != len(sizes):
            raise IntegrityError(f"roster entry {leaf.seq} sets two sizes for one journal")
        own = f"fieldvault/{self.vault_id}/{handle}/"
        if any(not origin.startswith(own) for origin, _ in sizes):
            raise IntegrityError(f"roster entry {leaf.seq} sets a size for another member's journal")
        self.members[handle] = Member(
            handle=member.handle,
            role=member.role,
            keys=member.keys,
            key_id=member.key_id,
            revoked_at=tuple((Origin(origin), size) for origin, size in sizes),
        )

    def _policy(self, leaf: Leaf) -> None:
        policy = policy_of(dict(leaf.extra))
        if policy is None:
            raise IntegrityError(f"roster entry {leaf.seq} holds a policy that this version does not know")
        if below(policy):
            raise IntegrityError(f"roster entry {leaf.seq} holds a policy weaker than the least that protects anybody")
        if beyond(policy):
            raise IntegrityError(f"roster entry {leaf.seq} holds a policy with a number larger than any policy has")
        # It may be looser than the one before: a slip of root's must not bind for ever (decision 0028).
        self.policies.append(SignedPolicy(seq=leaf.seq, day=leaf.day, policy=policy))

    def result(self) -> Roster:
        """The roster. Raises IntegrityError when an essential entry is missing."""
        if not self.members or not self.policies or not self.codebooks:
            raise IntegrityError("the roster has no founding entry, no policy or no codebook")
        return Roster(
            vault_id=self.vault_id,
            origin=origin_of(self.vault_id, ROOT, ROSTER_EPOCH),
            recovery=self.recoveries[-1].key,
            recovery_id=self.recoveries[-1].key_id,
            members=tuple(self.members.values()),
            policy=self.policies[-1].policy,
            codebooks=tuple(self.codebooks),
            policies=tuple(self.policies),
            recoveries=tuple(self.recoveries),
        )
