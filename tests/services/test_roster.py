"""The roster: all trust is its fold, and the fold takes nothing that a careful root would not have signed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.organisation import HANDLES, Organisation, flipped, rows_of
from vault.errors import FormatError, IntegrityError, UsageError, VaultError
from vault.formats.leaf import Leaf, encode_leaf
from vault.model import Kind, Origin, Policy, PublicKeys, Role
from vault.primitives import hpke, signing
from vault.services.roster import Roster, fold, recovery_id_of, vault_id_of

Leaves = list[bytes]


def _keys(name: str) -> PublicKeys:
    seed = name.encode().ljust(32, b".")
    return PublicKeys(signing=signing.public_key(seed), sealing=hpke.public_key(seed))


ROOT = _keys("root")
RECOVERY = hpke.public_key(b"recovery".ljust(32, b"."))
POLICY = tuple([name, value] for name, value in (("base", 5), ("parties", 5), ("people", 10), ("percent_base", 50)))
Item = tuple[Kind, tuple[object, ...]]
FOUND: Item = (Kind.FOUND, (ROOT.signing, ROOT.sealing, RECOVERY, []))
POLICY_ITEM: Item = (Kind.POLICY, POLICY)
CODEBOOK: Item = (Kind.CODEBOOK, (b"c" * 32,))
START = (FOUND, POLICY_ITEM, CODEBOOK)


def _enrol(handle: str, role: Role = Role.RECORDER, keys: PublicKeys | None = None) -> Item:
    held = keys or _keys(handle)
    return Kind.ENROL, (handle, role.value, held.signing, held.sealing, [])


def _leaves(*items: Item) -> Leaves:
    return [encode_leaf(Leaf(seq=seq, kind=kind, day=0, extra=extra)) for seq, (kind, extra) in enumerate(items)]


def _fold(*items: Item) -> Roster:
    return fold(_leaves(*items))


def test_the_fold_of_an_organisation() -> None:
    """Root first, members in order, the last policy and codebook, the ids that follow from the keys."""
    roster = _fold(*START, _enrol("field-1"), _enrol("director-1", Role.DIRECTOR), (Kind.CODEBOOK, (b"d" * 32,)))
    assert [(member.handle, member.role) for member in roster.members] == [
        ("root", Role.ROOT),
        ("field-1", Role.RECORDER),
        ("director-1", Role.DIRECTOR),
    ]
    assert roster.vault_id == vault_id_of(ROOT)
    assert roster.recovery_id == recovery_id_of(RECOVERY)
    assert roster.policy == Policy()
    assert roster.codebook == b"d" * 32
    assert roster.member("field-1").keys == _keys("field-1")
    assert len({member.key_id for member in roster.members}) == 3


def test_the_vault_id_pins_both_of_roots_keys() -> None:
    """Another signing key or another sealing key is another vault id."""
    other = _keys("another")
    ids = {
        vault_id_of(ROOT),
        vault_id_of(PublicKeys(signing=other.signing, sealing=ROOT.sealing)),
        vault_id_of(PublicKeys(signing=ROOT.signing, sealing=other.sealing)),
    }
    assert len(ids) == 3


def test_revocation_cuts_off_by_size(org: Organisation) -> None:
    """A revoked member stays on the roster, is no longer active, and carries the sizes that still count."""
    origin = Origin(f"fieldvault/{vault_id_of(ROOT)}/field-1/1")
    roster = _fold(*START, _enrol("field-1"), _enrol("field-2"), (Kind.REVOKE, ("field-1", [[origin, 7]])))
    assert roster.member("field-1").revoked
    assert roster.member("field-1").revoked_at == ((origin, 7),)
    assert [member.handle for member in roster.active(Role.RECORDER)] == ["field-2"]


def test_an_unknown_member_is_a_usage_error() -> None:
    """`member` raises and `find` says None; whoever was enrolled lately comes with headquarters' newest bundle."""
    roster = _fold(*START)
    assert roster.find("field-1") is None
    with pytest.raises(UsageError) as caught:
        roster.member("field-1")
    assert "import headquarters' newest bundle" in caught.value.hint


MALFORMED: dict[str, tuple[Item, ...]] = {
    "nothing": (),
    "no founding": (POLICY_ITEM, CODEBOOK),
    "an enrolment before the founding": (_enrol("field-1"), *START),
    "two foundings": (*START, FOUND),
    "no policy": (FOUND, CODEBOOK),
    "no codebook": (FOUND, POLICY_ITEM),
    "a handle twice": (*START, _enrol("field-1"), _enrol("field-1", keys=_keys("other"))),
    "a key twice": (*START, _enrol("field-1"), _enrol("field-2", keys=_keys("field-1"))),
    "roots key again": (*START, _enrol("field-1", keys=ROOT)),
    "half a key twice": (
        *START,
        _enrol("field-1"),
        _enrol("field-2", keys=PublicKeys(signing=_keys("x").signing, sealing=_keys("field-1").sealing)),
    ),
    "a second root": (*START, _enrol("field-1", Role.ROOT)),
    "another role for root": (*START, _enrol("root", Role.RECORDER)),
    "a signing key that is no point": (
        *START,
        _enrol("field-1", keys=PublicKeys(signing=b"\x00" * 32, sealing=_keys("a").sealing)),
    ),
    "a revocation of nobody": (*START, (Kind.REVOKE, ("field-1", []))),
    "a revocation of root": (*START, (Kind.REVOKE, ("root", []))),
    "a revocation twice": (*START, _enrol("field-1"), *([(Kind.REVOKE, ("field-1", []))] * 2)),
    "a revocation with another's journal": (
        *START,
        _enrol("field-1"),
        (Kind.REVOKE, ("field-1", [[f"fieldvault/{vault_id_of(ROOT)}/field-2/1", 3]])),
    ),
    "a policy with a rule more": (FOUND, (Kind.POLICY, (*POLICY, ["zeal", 3])), CODEBOOK),
    "a policy with a rule less": (FOUND, (Kind.POLICY, POLICY[1:]), CODEBOOK),
    "a policy with a zero": (FOUND, (Kind.POLICY, (*POLICY[:3], ["percent_base", 0])), CODEBOOK),
    "a kind of somebody else's": (*START, (Kind.EPOCH_CLOSE, ())),
}


@pytest.mark.parametrize("what", MALFORMED)
def test_a_roster_that_no_careful_root_would_sign_is_refused(what: str) -> None:
    """Each is an IntegrityError or a FormatError, so that every reader comes to the same members."""
    with pytest.raises((IntegrityError, FormatError)):
        _fold(*MALFORMED[what])


def test_an_entry_with_another_number_is_refused() -> None:
    """A leaf that was moved inside the roster carries the wrong number."""
    leaves = _leaves(*START, _enrol("field-1"), _enrol("field-2"))
    assert len(fold(leaves).members) == 3, "negative control"
    with pytest.raises(IntegrityError, match="number"):
        fold([*leaves[:3], leaves[4]])
    with pytest.raises(IntegrityError):
        fold([*leaves[:3], leaves[4], leaves[3]])


# -- opening a vault whose roster was changed --------------------------------------------------------------------------

Tamper = Callable[[Organisation], None]


def _leaf(seq: int, change: Callable[[bytes], bytes]) -> Tamper:
    def tamper(org: Organisation) -> None:
        with rows_of(org.directory) as rows:
            raw = rows.run("SELECT bytes FROM leaf WHERE journal=1 AND seq=?", seq)[0][0]
            rows.run("UPDATE leaf SET bytes=? WHERE journal=1 AND seq=?", change(raw), seq)

    return tamper


def _sql(*statements: str) -> Tamper:
    def tamper(org: Organisation) -> None:
        with rows_of(org.directory) as rows:
            for statement in statements:
                rows.run(statement)

    return tamper


def _promote(org: Organisation) -> None:
    """The auditor becomes a director, in place."""
    with rows_of(org.directory) as rows:
        for seq, raw in rows.run("SELECT seq, bytes FROM leaf WHERE journal=1"):
            if b"\xa7auditor" in raw:
                rows.run(
                    "UPDATE leaf SET bytes=? WHERE journal=1 AND seq=?",
                    raw.replace(b"\xa7auditor", b"\xa8director"),
                    seq,
                )


TAMPERED: dict[str, Tamper] = {
    "a bit of the founding": _leaf(0, lambda raw: flipped(raw, 60)),
    "a bit of an enrolment": _leaf(4, lambda raw: flipped(raw, 60)),
    "a role": _promote,
    "the last entry gone": _sql("DELETE FROM leaf WHERE journal=1 AND seq=(SELECT max(seq) FROM leaf WHERE journal=1)"),
    "an entry in the middle gone": _sql("DELETE FROM leaf WHERE journal=1 AND seq=4"),
    "the last checkpoint gone": _sql(
        "DELETE FROM checkpoint WHERE journal=1 AND size=(SELECT max(size) FROM checkpoint WHERE journal=1)"
    ),
    "every checkpoint gone": _sql("DELETE FROM checkpoint WHERE journal=1"),
    "another's checkpoint": _sql(
        "UPDATE checkpoint SET note=(SELECT note FROM checkpoint WHERE journal=4 LIMIT 1) WHERE journal=1"
    ),
    "another vault id": _sql("UPDATE setting SET value = CAST('00000000000000000000000000000000' AS BLOB)"),
    "a vault id that is not ASCII": _sql("UPDATE setting SET value = x'ff00'"),
    "no vault id": _sql("DELETE FROM setting"),
    "no roster": _sql("DELETE FROM journal WHERE id=1"),
    "the roster renamed": _sql("UPDATE journal SET origin = origin || '0' WHERE id=1"),
    "a trigger more": _sql("CREATE TRIGGER mine BEFORE INSERT ON part BEGIN SELECT 1; END"),
    "a table more": _sql("CREATE TABLE mine (x BLOB)"),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_a_vault_with_a_changed_roster_does_not_open(org: Organisation, what: str) -> None:
    """Opening checks root's signature over every entry before one enrolment is believed; the audit finds it too."""
    org.close()
    TAMPERED[what](org)
    with pytest.raises(VaultError) as caught:
        org.reopen()
    assert caught.value.code in (13, 20)
    assert org.audit().verdict == "finding"


def test_the_bare_database_reopened_unchanged_opens(org: Organisation) -> None:
    """Negative control: dropping the triggers and putting them back changes nothing."""
    org.close()
    with rows_of(org.directory) as rows:
        assert rows.run("SELECT count(*) FROM leaf WHERE journal=1")[0][0] == 3 + len(HANDLES) - 1
    org.reopen()
    assert org.audit().findings == ()


@pytest.mark.parametrize("change", ["bytes = zeroblob(10)", "digest = zeroblob(32)"])
def test_another_codebook_is_not_believed(org: Organisation, change: str) -> None:
    """The codebook's bytes must be the ones whose digest root signed; the vault opens, the codebook does not."""
    assert org.vault.codebook.name == "rescue", "negative control"
    org.close()
    _sql("UPDATE codebook SET " + change)(org)  # noqa: S608
    org.reopen()
    with pytest.raises(IntegrityError, match="codebook"):
        _ = org.vault.codebook
    assert org.audit().verdict == "finding"
