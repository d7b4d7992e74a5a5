"""Joining: a new laptop that can work at once, the first or the second of its kind, and no step twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.organisation import COST, Organisation, Thief, canary
from tests.services.enrolling import PASSPHRASE, Laptop, refused
from vault.errors import (
    ForkError,
    IntegrityError,
    NotAllowed,
    RollbackError,
    UsageError,
)
from vault.formats.keyfile import parse_keyfile
from vault.formats.request import PENDING
from vault.model import Handle, Purpose, Role
from vault.services import welcome
from vault.services.cases import show_case
from vault.services.enrolment import approve, read_request
from vault.services.joining import Joined, join, joinable
from vault.services.members import add_member
from vault.services.records import open_case
from vault.services.revoking import revoke
from vault.services.vault import Vault
from vault.services.words import fingerprint_of
from vault.store.arrivals import Arrivals

pytestmark = pytest.mark.usefixtures("quick_passphrases")


@pytest.fixture
def laptop(tmp_path: Path) -> Laptop:
    """A new one."""
    return Laptop(tmp_path)


def test_after_joining_a_recorder_works_at_once(org: Organisation, laptop: Laptop) -> None:
    """Unlock, open a case, read it; the vault id, roster, policy and codebook are headquarters'."""
    joined = laptop.join(laptop.answer(org), fingerprint=fingerprint_of(org.vault.vault_id))
    assert joined == Joined(
        vault_id=org.vault.vault_id,
        fingerprint=fingerprint_of(org.vault.vault_id),
        handle=Handle("field-9"),
        role=Role.RECORDER,
        already=False,
    )
    with laptop.open() as vault:
        assert vault.roster == org.vault.roster
        assert vault.codebook.digest == org.vault.codebook.digest
        assert vault.keys_here == ("field-9",)
        me = laptop.unlocked(vault)
        assert me.organisation == org.root.organisation
        case = open_case(vault, me, {"name": canary("name")})
        assert case.seq == 1
        assert show_case(vault, me, case.pseudonym).entries[0].type == "intake"
        assert [(status.origin, status.size) for status in vault.journals()] == [
            (vault.roster.origin, org.heads()[org.vault.roster.origin][0]),
            (vault.signer(me).origin, 2),
        ]
        assert Arrivals(vault.store).largest_head(vault.roster.origin) == vault.journals()[0].size
    assert [path.name for path in sorted(laptop.directory.iterdir())] == ["keys", "vault.db"]
    assert parse_keyfile(laptop.files()["keys/field-9.key"]).vault_id == org.vault.vault_id


def test_the_new_journal_is_wrapped_to_recovery_and_directors(org: Organisation, laptop: Laptop) -> None:
    """The first entry grants the tally key to the director and both keys to recovery: nothing is lost with the
    laptop."""
    laptop.join(laptop.answer(org))
    with laptop.open() as vault:
        me = laptop.unlocked(vault)
        open_case(vault, me, {"name": canary("name")})
        number = vault.journal_number(vault.signer(me).origin)
        assert len(vault.store.wraps_for(number, vault.roster.recovery_id, Purpose.COMPARTMENT)) == 1
        assert len(vault.store.wraps_for(number, org.director.member.key_id, Purpose.TALLY)) == 1
    director = Thief(laptop.directory, [org.director]).opened()
    assert {item.name for item in director} == {"tally"}


@pytest.mark.parametrize("role", [Role.HUB, Role.DIRECTOR, Role.AUDITOR])
def test_every_role_joins(org: Organisation, laptop: Laptop, role: Role) -> None:
    """With an empty journal of their own; a director with the export key, and nobody with anybody else's wraps."""
    laptop.join(laptop.answer(org, "other-9", role), "other-9")
    with laptop.open() as vault:
        me = laptop.unlocked(vault, "other-9")
        assert (me.member.role, me.compartments) == (role, ())
        wraps = Arrivals(vault.store).wraps(1, 0, 10**6)
        assert [(row[0], row[1]) for row in wraps] == ([(me.member.key_id, "export")] if role is Role.DIRECTOR else [])
    exports = [item.payload for item in Thief(laptop.directory, [me]).opened()]
    assert exports == ([org.root.export] if role is Role.DIRECTOR else [])


def test_joining_again_changes_nothing(org: Organisation, laptop: Laptop) -> None:
    """The same answer, or another one for the same request: "already", and every byte as it was."""
    requested = laptop.request()
    first, second = (laptop.approved(org, requested).path for _ in range(2))
    assert not laptop.join(first).already
    before = laptop.files()
    for answer in (first, second):
        assert laptop.join(answer).already
        assert laptop.files() == before
    with laptop.open() as vault:
        open_case(vault, laptop.unlocked(vault), {})
    assert laptop.join(first).already


def test_a_rehearsal_changes_nothing(org: Organisation, laptop: Laptop) -> None:
    """Everything is checked, and the key still waits."""
    answer = laptop.answer(org)
    before = laptop.files()
    assert laptop.join(answer, dry_run=True).vault_id == org.vault.vault_id
    assert laptop.files() == before
    assert parse_keyfile(before["keys/field-9.key"]).vault_id == PENDING
    assert not laptop.join(answer).already


def test_whoever_does_not_agree_has_written_nothing(org: Organisation, laptop: Laptop) -> None:
    """The verified words are shown first; stopping there leaves the waiting key."""
    answer = laptop.answer(org)
    before, seen = laptop.files(), []

    def disagree(found: welcome.Answer) -> None:
        seen.append((found.fingerprint, found.member.handle, found.member.role))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        join(laptop.directory, handle="field-9", passphrase=PASSPHRASE, answer_file=answer, agree=disagree, cost=COST)
    assert seen == [(fingerprint_of(org.vault.vault_id), "field-9", Role.RECORDER)]
    assert laptop.files() == before


def test_a_second_member_joins_the_vault_that_is_here(org: Organisation, laptop: Laptop) -> None:
    """Key file and journal are added, the roster grows, the first member's journal stays as it is."""
    laptop.join(laptop.answer(org))
    with laptop.open() as vault:
        open_case(vault, laptop.unlocked(vault), {})
        before = {status.origin: status for status in vault.journals()}
    answer = laptop.answer(org, "director-9", Role.DIRECTOR)
    assert joinable(laptop.directory) == ("director-9",)
    laptop.join(answer, "director-9")
    with laptop.open() as vault:
        assert vault.keys_here == ("field-9", "director-9")
        after = {status.origin: status for status in vault.journals()}
        own = vault.signer(laptop.unlocked(vault)).origin
        assert after[own] == before[own]
        assert after[vault.roster.origin].size == before[vault.roster.origin].size + 1
        assert vault.roster == org.vault.roster
        number = vault.journal_number(vault.roster.origin)
        key_id = laptop.unlocked(vault, "director-9").member.key_id
        assert len(vault.store.wraps_for(number, key_id, Purpose.EXPORT)) == 1
        open_case(vault, laptop.unlocked(vault), {})
        assert vault.store.wraps_for(vault.journal_number(own), key_id, Purpose.TALLY), "the new director is granted"
    assert joinable(laptop.directory) == ("director-9", "field-9")


def test_an_answer_older_than_the_roster_here_is_taken(org: Organisation, laptop: Laptop) -> None:
    """The roster here stays, and nothing is rolled back; the wraps that were not here come."""
    first, second = laptop.request(), laptop.request("director-9", Role.DIRECTOR)
    old, new = laptop.approved(org, second).path, laptop.approved(org, first).path
    laptop.join(new)
    size = org.heads()[org.vault.roster.origin][0]
    laptop.join(old, "director-9")
    with laptop.open() as vault:
        assert vault.journals()[0].size == size
        me = laptop.unlocked(vault, "director-9")
        assert vault.store.wraps_for(1, me.member.key_id, Purpose.EXPORT)
    assert laptop.join(old, "director-9").already


def test_an_older_answer_for_somebody_revoked_meanwhile_is_refused(org: Organisation, laptop: Laptop) -> None:
    """The roster here knows better than the answer."""
    late = laptop.answer(org, "field-8")
    revoke(org.vault, org.root, "field-8")
    laptop.join(laptop.answer(org))
    refused(laptop, late, NotAllowed, "revoked", handle="field-8")


def test_a_contradicting_roster_is_a_fork(org: Organisation, laptop: Laptop, tmp_path: Path) -> None:
    """Root's laptop was copied, and both copies enrolled: the second answer does not extend the first."""
    copy = org.seized("copy")
    laptop.join(laptop.answer(org))
    requested = laptop.request("field-8")
    with Vault.open(copy, org.environment) as vault:
        answer = laptop.new_file()
        approve(vault, org.root, read_request(requested.path), answer)
    refused(laptop, answer, ForkError, "contradict", handle="field-8")


def test_root_s_own_laptop_never_takes_a_roster_from_elsewhere(org: Organisation, laptop: Laptop) -> None:
    """A laptop of root's that was restored from a backup must not learn of its own entries from an answer."""
    copy = org.seized("copy")
    requested = laptop.request()
    path = copy / "keys" / "field-9.key"
    path.write_bytes(laptop.files()["keys/field-9.key"])
    answer = laptop.approved(org, requested).path
    with pytest.raises(RollbackError, match="restored"):
        join(copy, handle="field-9", passphrase=PASSPHRASE, answer_file=answer, cost=COST)


def test_a_key_that_waits_again_after_a_restore_begins_no_second_journal(org: Organisation, laptop: Laptop) -> None:
    """The waiting key file came back from a backup, and this laptop has heard of the journal that it began."""
    laptop.join(laptop.answer(org))
    late = laptop.answer(org, "field-8")
    with laptop.open() as vault:
        origin = vault.signer(laptop.unlocked(vault)).origin.replace("field-9", "field-8")
        with vault.store.transaction():
            Arrivals(vault.store).add_head(origin, 1, bytes(32), b"as others have seen it")
    refused(laptop, late, RollbackError, "others have seen", handle="field-8")


def test_a_member_whose_journal_is_gone_does_not_begin_a_second_one(org: Organisation, laptop: Laptop) -> None:
    """The database was lost after joining: two journals of one name would contradict each other."""
    answer = laptop.answer(org)
    laptop.join(answer)
    (laptop.directory / "vault.db").unlink()
    refused(laptop, answer, IntegrityError, "joined before")


def test_somebody_who_is_enrolled_here_already_cannot_be_asked_for(org: Organisation, laptop: Laptop) -> None:
    """On the hub's own laptop a request for a taken handle is refused, and so is `member add` over a waiting key."""
    laptop.join(laptop.answer(org))
    for handle in ("field-9", "field-1"):
        with pytest.raises(UsageError, match="already"):
            laptop.request(handle)
    laptop.request("field-8")
    waiting = laptop.files()["keys/field-8.key"]
    (org.directory / "keys" / "field-8.key").write_bytes(waiting)
    with pytest.raises(UsageError, match="waits"):
        add_member(org.vault, org.root, handle="field-8", role=Role.HUB, passphrase=PASSPHRASE, cost=COST)
    assert (org.directory / "keys" / "field-8.key").read_bytes() == waiting
