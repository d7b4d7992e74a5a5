"""Revocation: by size and not by clock, by root alone, and honest about what was readable before."""

from __future__ import annotations

import datetime
from dataclasses import replace

import pytest

from tests.organisation import COST, PASSPHRASES, Organisation, canary
from vault.errors import NotAllowed, UsageError
from vault.formats.leaf import parse_leaf
from vault.formats.origin import origin_of
from vault.formats.wraps import member_context
from vault.model import Kind, Purpose, Role
from vault.primitives import hpke
from vault.services.grants import member_wrap
from vault.services.journal import Draft, begin, write
from vault.services.members import add_member
from vault.services.records import open_case
from vault.services.revoking import revoke
from vault.services.vault import Vault, unlock
from vault.store.arrivals import Arrivals


def test_a_revoked_recorder_can_neither_unlock_nor_write(org: Organisation) -> None:
    """The roster has the size of their journal; a keyring that was unlocked before writes no more; the audit is
    content."""
    org.case(org.field_1)
    size = org.size(org.field_1)
    origin = org.vault.signer(org.field_1).origin
    done = revoke(org.vault, org.root, "field-1")
    assert (done.handle, done.role, done.sizes) == ("field-1", Role.RECORDER, ((origin, size),))
    assert org.vault.roster.member("field-1").revoked_at == ((origin, size),)
    with pytest.raises(NotAllowed, match="revoked"):
        unlock(org.vault, "field-1", PASSPHRASES["field-1"])
    with pytest.raises(NotAllowed, match="revoked"):
        open_case(org.vault, org.field_1, {})
    org.case(org.field_2)  # control: others go on
    assert org.audit().findings == ()
    assert org.reopen().roster.member("field-1").revoked


def test_what_comes_after_the_size_counts_for_nothing(org: Organisation) -> None:
    """Whatever day it claims: an entry beyond the size is a finding, and one fewer than root attested is, too."""
    org.case(org.field_1)
    with Vault.open(org.directory, org.environment) as elsewhere:
        revoke(org.vault, org.root, "field-1")
        number = elsewhere.journal_number(elsewhere.signer(org.field_1).origin)
        draft = Draft(kind=Kind.EPOCH_CLOSE)
        with elsewhere.store.transaction():  # a program of their own, with a clock that is a year behind
            write(elsewhere.store, number, elsewhere.signer(org.field_1), elsewhere.day - 365, [draft])
    findings = org.audit().findings
    assert [finding.where for finding in findings] == [org.vault.signer(org.field_1).origin]
    assert "cut off" in findings[0].message


def test_a_second_revocation_and_one_of_root_are_refused(org: Organisation) -> None:
    """Nothing is written for any of them."""
    revoke(org.vault, org.root, "hub-1")
    before = org.heads()
    with pytest.raises(UsageError, match="already"):
        revoke(org.vault, org.root, "hub-1")
    with pytest.raises(NotAllowed, match="root cannot"):
        revoke(org.vault, org.root, "root")
    with pytest.raises(UsageError, match="no member"):
        revoke(org.vault, org.root, "nobody-1")
    assert org.heads() == before


@pytest.mark.parametrize("handle", ["field-1", "hub-1", "director-1", "auditor-1"])
def test_only_root_revokes(org: Organisation, handle: str) -> None:
    """Everybody else may not, for real or in rehearsal."""
    for dry_run in (True, False):
        with pytest.raises(NotAllowed, match="takes a root"):
            revoke(org.vault, org.keys[handle], "field-2", dry_run=dry_run)
    assert not org.vault.roster.member("field-2").revoked


def test_a_rehearsal_says_the_same_and_revokes_nobody(org: Organisation) -> None:
    """Sizes and lines are those of the real one."""
    org.case(org.field_1)
    before = org.heads()
    rehearsed = revoke(org.vault, org.root, "field-1", dry_run=True)
    assert org.heads() == before
    assert not org.vault.roster.member("field-1").revoked
    assert revoke(org.vault, org.root, "field-1") == rehearsed


def test_what_a_recorder_could_read_is_said(org: Organisation) -> None:
    """Everything of their own, since when; what others granted to their key, by entry and day; nothing else."""
    org.case(org.field_1, name=canary("name"))
    org.case(org.field_2)
    me = org.field_2
    org.clock.day += datetime.timedelta(days=3)
    number, signer = org.vault.journal_number(org.vault.signer(me).origin), org.vault.signer(me)
    recipient = org.field_1.member
    wraps = tuple(
        member_wrap(org.vault.vault_id, signer.origin, purpose, recipient.key_id, recipient.keys.sealing, bytes(32))
        for purpose in (Purpose.CASE, Purpose.IDENTITY)
    )
    with org.vault.store.transaction():
        seq = write(org.vault.store, number, signer, org.vault.day, [Draft(kind=Kind.GRANT, wraps=wraps)])
    could = revoke(org.vault, org.root, "field-1").could_read
    own = org.vault.signer(org.field_1).origin
    assert [(item.origin, item.seq, item.day) for item in could] == [
        (own, 0, "2026-03-14"),
        (signer.origin, seq, "2026-03-17"),
        (signer.origin, seq, "2026-03-17"),
    ]
    assert "2 entries" in could[0].what
    assert ["identity" in item.what for item in could[1:]] == [False, True]
    assert str(could[1]) == f"the case layer of one case: entry {seq} of {signer.origin}, 2026-03-17"
    assert canary("name") not in repr(could)
    assert revoke(org.vault, org.root, "field-2").could_read[0].origin == signer.origin, "and of field-2 only their own"


def test_a_wrap_that_was_deleted_could_have_been_opened_before(org: Organisation) -> None:
    """The leaves are asked, and not the wraps that are left."""
    count = len(revoke(org.vault, org.root, "director-1", dry_run=True).could_read)
    org.vault.store.rows("DELETE FROM wrap")
    assert len(revoke(org.vault, org.root, "director-1").could_read) == count


def test_what_a_director_keeps_is_said(org: Organisation) -> None:
    """The tally key of each journal, with the day of its grant, and the export key; and both really open."""
    org.case(org.field_1)
    could = revoke(org.vault, org.root, "director-1").could_read
    assert [item.what.split(",")[0] for item in could] == [
        "the export key",
        "the tally rows of that whole journal",
        "the tally rows of that whole journal",
    ]
    assert all("to come" in item.what for item in could[1:])
    journals = {origin: number for number, origin in org.vault.store.journals()}
    for item, purpose in zip(could, (Purpose.EXPORT, Purpose.TALLY, Purpose.TALLY), strict=True):
        number = next(number for origin, number in journals.items() if origin == item.origin)
        key_id = org.director.member.key_id
        raw = org.vault.store.wrap(number, key_id, purpose, item.seq)
        assert raw is not None
        origin = next(origin for origin in journals if origin == item.origin)
        info = member_context(org.vault.vault_id, origin, item.seq, purpose, key_id)
        assert len(hpke.unwrap(org.director.sealing_seed, raw, info)) == 32


@pytest.mark.parametrize("handle", ["hub-1", "auditor-1"])
def test_who_opens_nothing_could_read_nothing(org: Organisation, handle: str) -> None:
    """One line says what they have seen instead."""
    could = revoke(org.vault, org.root, handle).could_read
    assert len(could) == 1
    assert str(could[0]).startswith("nothing sealed")


def test_every_epoch_that_is_here_has_its_size(org: Organisation) -> None:
    """Two epochs, two sizes; a member without a journal here is cut off at nothing."""
    org.case(org.field_1)
    vault, me = org.vault, org.field_1
    first = vault.signer(me).origin
    second = replace(vault.signer(me), origin=origin_of(vault.vault_id, me.handle, 2))
    with vault.store.transaction():
        begin(vault.store, second, vault.day, [Draft(kind=Kind.RECOVERY, extra=(b"",)), Draft(kind=Kind.EPOCH_CLOSE)])
    assert revoke(vault, org.root, "field-1").sizes == ((first, 2), (second.origin, 2))


def test_entries_that_others_have_seen_and_are_not_here_are_named(org: Organisation) -> None:
    """They will not count, so that root can import them first; what is here whole, or somebody else's, is not named."""
    org.case(org.field_1)
    mine, other = (org.vault.signer(me).origin for me in (org.field_1, org.field_2))
    second = f"{mine[:-1]}2"
    with org.vault.store.transaction():
        for origin, size in ((mine, 2), (mine, 7), (second, 3), (other, 9)):
            Arrivals(org.vault.store).add_head(origin, size, bytes(31) + bytes([size]), b"a head, verified elsewhere")
    done = revoke(org.vault, org.root, "field-1", dry_run=True)
    assert done.missing == ((mine, 5), (second, 3))


def test_a_new_member_may_not_take_the_handle_again(org: Organisation) -> None:
    """A revoked handle stays on the roster for good."""
    revoke(org.vault, org.root, "field-1")
    with pytest.raises(UsageError, match="already"):
        add_member(
            org.vault, org.root, handle="field-1", role=Role.RECORDER, passphrase=PASSPHRASES["hub-1"], cost=COST
        )
    last = org.vault.store.leaf(org.vault.journal_number(org.vault.roster.origin), 3 + 5)
    assert last is not None
    assert parse_leaf(last).kind is Kind.REVOKE
