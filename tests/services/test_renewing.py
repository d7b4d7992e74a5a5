"""`journal renew`: an epoch that begins without a lock, under the recovery key that root has put in place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.organisation import COST, PASSPHRASES, Organisation, rows_of
from tests.services.custodians import accept_all, lose, restored, shares_of
from tests.services.handing import NAME, notes, opened_case, supplement
from tests.services.renewing import appointed, new_shares, renew, words_of
from vault.errors import NotAllowed, RollbackError, UsageError, VaultLocked, WrongPassphrase
from vault.formats.leaf import GrantAct, Leaf, encode_act, encode_leaf, parse_leaf, wrap_refs
from vault.model import Act, Kind, Origin, Place, Purpose, Role
from vault.services import recovering, renewing
from vault.services.answering import accept_offer
from vault.services.entry_rules import NO_RENEWAL, NO_RESTORE, EntryRules
from vault.services.forgetting import forget_replaced, renewals
from vault.services.handing import offer_referral, offer_transfer
from vault.services.keyring import key_path
from vault.services.records import amend
from vault.services.renewals import outdated, wrapped_in
from vault.services.renewing import renew_journal
from vault.services.restoring import which_shares
from vault.services.reveal import reveal
from vault.services.roster import Roster
from vault.services.vault import unlock
from vault.store.arrivals import RESTORED, Arrivals, Lock
from vault.store.removals import erase_wraps


def test_the_next_epoch_begins_without_a_lock(org: Organisation, tmp_path: Path) -> None:
    """The old journal ends with epoch-close; the new one names the closed head, and wraps every key to the new recovery
    key. Everything is read and written as before."""
    pseudonym = opened_case(org, org.field_1)
    old = org.vault.signer(org.field_1).origin
    appointed(org, tmp_path / "new")
    done = renew(org)
    assert (done.follows, done.origin, done.cases, done.cleaned) == (old, old[:-1] + "2", 1, True)
    last = parse_leaf(list(org.vault.store.leaves(org.vault.journal_number(old)))[-1])
    first, *grants = map(parse_leaf, org.vault.store.leaves(org.vault.journal_number(done.origin)))
    assert (last.kind, first.kind) == (Kind.EPOCH_CLOSE, Kind.RECOVERY)
    assert first.extra[0] == org.vault.store.latest_checkpoint(org.vault.journal_number(old))
    recovery = org.vault.roster.recovery_id
    wrapped = [[wrap.purpose for wrap in wrap_refs(leaf) if wrap.recipient == recovery] for leaf in grants]
    assert wrapped == [[Purpose.COMPARTMENT, Purpose.TALLY], [Purpose.COMPARTMENT, Purpose.TALLY], []]
    org.add(org.field_1, "shelter", pseudonym, notes="in the old school", check_in="2020-02-01")
    amend(org.vault, org.field_1, "field-1/1:2", {"notes": "over the hill"})
    assert notes(org, org.field_1, pseudonym) == ["over the hill", "in the old school"]
    assert reveal(org.vault, org.field_1, pseudonym, "to write to her").values["name"] == NAME
    assert org.audit().findings == ()


def test_no_wrap_to_the_old_key_is_left(org: Organisation, tmp_path: Path) -> None:
    """Not on this laptop, of those who have renewed; of the others each stays."""
    opened_case(org, org.field_1)
    before = org.vault.roster.recovery_id

    def left(handle: str) -> int:
        return sum(
            len(org.vault.store.wraps_for(number, before, purpose))
            for _, number in org.vault.own_journals(org.keys[handle].handle)
            for purpose in Purpose
        )

    assert (left("field-1"), left("field-2"), left("root")) == (2, 2, 1)
    appointed(org, tmp_path / "new")
    assert (left("field-1"), left("field-2"), left("root")) == (2, 2, 0)
    renew(org)
    assert (left("field-1"), left("field-2"), left("root")) == (0, 2, 0)
    assert org.audit().findings == ()
    renew(org, "field-2")
    assert (left("field-2"), org.audit().findings) == (0, ())


def test_restores_before_and_after(org: Organisation, tmp_path: Path) -> None:
    """With new shares old and new cases are handed on; the old shares open nothing of somebody who has renewed."""
    old_case = opened_case(org, org.field_1)
    made = appointed(org, tmp_path / "new")
    renew(org)
    seq = org.add(org.field_1, "shelter", old_case, notes="in the old school", check_in="2020-02-01")
    new_case = opened_case(org, org.field_1)
    lose(org)
    before = org.heads()
    with pytest.raises(WrongPassphrase, match="earlier recovery key"):
        restored(org, given=shares_of(org))
    assert org.heads() == before
    done = restored(org, given=new_shares(made))
    assert set(accept_all(org, done)) == {old_case, new_case}
    assert notes(org, org.field_2, old_case) == ["over the river", "in the old school"]
    assert reveal(org.vault, org.field_2, old_case, "to write to her").values["name"] == NAME
    amend(org.vault, org.field_2, f"field-1/2:{seq}", {"notes": "in the new school"})
    assert notes(org, org.field_2, old_case) == ["over the river", "in the new school"]
    assert org.audit().findings == ()


def test_one_who_never_renewed(org: Organisation, tmp_path: Path) -> None:
    """Only the old shares open their cases; the new ones are refused in plain words, and nothing is written."""
    pseudonym = opened_case(org, org.field_1)
    made = appointed(org, tmp_path / "new")
    org.add(org.field_1, "shelter", pseudonym, notes="in the old school", check_in="2020-02-01")
    lose(org)
    before = org.heads()
    assert "earlier recovery key" in which_shares(org.vault, "field-1")
    with pytest.raises(WrongPassphrase, match="never went over"):
        restored(org, given=new_shares(made))
    assert org.heads() == before
    assert accept_all(org, restored(org, given=shares_of(org))) == [pseudonym]


def test_helpers_and_owners_go_on_together(org: Organisation, tmp_path: Path) -> None:
    """Either may renew first: each reads what the other writes with their new keys."""
    pseudonym = opened_case(org, org.field_1)
    accept_offer(org.vault, org.field_2, offer_referral(org.vault, org.field_1, pseudonym, "field-2").offer)
    appointed(org, tmp_path / "new")
    for turn, handle in enumerate(("field-2", "field-1")):
        renew(org, handle)
        org.add(org.field_1, "journey", pseudonym, event="transit", notes=f"owner {turn}", date=f"2020-03-0{turn + 1}")
        org.add(org.field_2, "journey", pseudonym, event="transit", notes=f"helper {turn}", date=f"2020-03-0{turn + 1}")
        for me in (org.field_1, org.field_2):
            supplement(org, me)
    assert [supplement(org, me) for me in (org.field_1, org.field_2)] == [0, 0]
    expected = sorted(["over the river", "owner 0", "helper 0", "owner 1", "helper 1"])
    for me in (org.field_1, org.field_2):
        assert sorted(notes(org, me, pseudonym)) == expected
    assert org.audit().findings == ()


def test_cases_that_came_and_went(org: Organisation, tmp_path: Path) -> None:
    """A case that was taken over, one that passed on, and a transfer after the renewal: all as before."""
    given, taken, later = (opened_case(org, me) for me in (org.field_1, org.field_2, org.field_1))
    accept_offer(org.vault, org.field_2, offer_transfer(org.vault, org.field_1, given, "field-2").offer)
    accept_offer(org.vault, org.field_1, offer_transfer(org.vault, org.field_2, taken, "field-1").offer)
    appointed(org, tmp_path / "new")
    assert renew(org).cases == 3
    org.add(org.field_1, "shelter", taken, notes="in the old school", check_in="2020-02-01")
    assert notes(org, org.field_1, given) == ["over the river"]
    with pytest.raises(NotAllowed, match="has passed"):
        org.add(org.field_1, "shelter", given, notes="too late", check_in="2020-02-01")
    accept_offer(org.vault, org.field_2, offer_transfer(org.vault, org.field_1, later, "field-2").offer)
    accept_offer(org.vault, org.field_2, offer_transfer(org.vault, org.field_1, taken, "field-2").offer)
    assert sorted(notes(org, org.field_2, taken)) == ["in the old school", "over the river"]
    assert reveal(org.vault, org.field_2, taken, "to write to her").values["name"] == NAME
    assert org.audit().findings == ()


def test_a_second_new_key_and_a_third_epoch(org: Organisation, tmp_path: Path) -> None:
    """Each renewal takes the keys of all epochs before along; whoever skipped one goes straight to the last."""
    pseudonym = opened_case(org, org.field_1)
    appointed(org, tmp_path / "second")
    renew(org)
    org.add(org.field_1, "shelter", pseudonym, notes="in the old school", check_in="2020-02-01")
    third = appointed(org, tmp_path / "third")
    assert renew(org).origin.endswith("/field-1/3")
    assert renew(org, "field-2").origin.endswith("/field-2/2")
    org.add(org.field_1, "journey", pseudonym, event="arrival", notes="arrived")
    assert org.audit().findings == ()
    lose(org)
    assert accept_all(org, restored(org, given=new_shares(third))) == [pseudonym]
    assert notes(org, org.field_2, pseudonym) == ["over the river", "in the old school", "arrived"]


def test_who_may_and_when(org: Organisation, tmp_path: Path) -> None:
    """A recorder, once, with the passphrase and the words, and not while the journal is locked."""
    before = org.heads()
    with pytest.raises(UsageError, match="no other recovery key"):
        renew(org)
    appointed(org, tmp_path / "new")
    roster = org.heads()
    for handle in ("hub-1", "director-1", "root", "auditor-1"):
        with pytest.raises(NotAllowed, match="takes a recorder"):
            renew(org, handle)
    with pytest.raises(WrongPassphrase):
        renew_journal(org.vault, org.field_1, "not it at all", words=words_of(org), cost=COST)
    with pytest.raises(NotAllowed, match="not the words"):
        renew_journal(org.vault, org.field_1, PASSPHRASES["field-1"], words="academic acid", cost=COST)
    rehearsed = renew(org, dry_run=True)
    assert (rehearsed.cases, rehearsed.forgotten, org.heads()) == (0, 0, roster)
    number = org.vault.journal_number(org.vault.signer(org.field_1).origin)
    note = org.vault.store.latest_checkpoint(number) or b""
    lock = Lock(origin=org.vault.signer(org.field_1).origin, reason=RESTORED, ours=note, theirs=note)
    with org.vault.store.transaction():
        Arrivals(org.vault.store).add_lock(lock)
    sealed = key_path(org.directory, org.field_1.handle).read_bytes()
    with pytest.raises(RollbackError, match="restored from a backup"):
        renew(org)
    assert key_path(org.directory, org.field_1.handle).read_bytes() == sealed
    with org.vault.store.transaction():
        Arrivals(org.vault.store).lift(lock.origin)
    assert org.heads() == roster != before
    assert renew(org).before is False
    again = renew(org)
    assert (again.before, again.forgotten, again.origin) == (True, 0, org.vault.signer(org.field_1).origin)
    with pytest.raises(UsageError, match="renewed already"):
        renew(org, dry_run=True)


class Crash(BaseException):
    """The machine stops."""


@pytest.mark.parametrize("step", ["reseal", "write", "begin", "forget_replaced", "scrubbed"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_crash_at_every_step(
    org: Organisation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, after: bool
) -> None:
    """Stopped before or after each step: either nothing has happened but for a key that nothing uses, and everybody
    works on; or all of it has. The next try comes to the same end, with one key an epoch."""
    pseudonym = opened_case(org, org.field_1)
    old = org.vault.roster.recovery_id
    appointed(org, tmp_path / "new")
    real = getattr(renewing, step)

    def crashing(*given: object, **named: object) -> object:
        if after:
            real(*given, **named)
        raise Crash

    with monkeypatch.context() as broken:
        broken.setattr(renewing, step, crashing)
        with pytest.raises(Crash):
            renew(org)
    org.reopen()
    kept = org.keys["field-1"] = unlock(org.vault, "field-1", PASSPHRASES["field-1"])
    done = step == "scrubbed"
    assert [item.epoch for item in kept.compartments] == ([1] if (step, after) == ("reseal", False) else [1, 2])
    assert len(org.vault.own_journals(kept.handle)) == (2 if done else 1)
    org.add(org.field_1, "shelter", pseudonym, notes="in between", check_in="2020-02-01")
    assert notes(org, org.field_1, pseudonym) == ["over the river", "in between"]
    assert org.audit().findings == ()
    finished = renew(org)
    assert finished.before is done
    assert org.keys["field-1"].compartments[: len(kept.compartments)] == kept.compartments
    assert [item.epoch for item in org.keys["field-1"].compartments] == [1, 2]
    numbers = [number for _, number in org.vault.own_journals(kept.handle)]
    assert [org.vault.store.wraps_for(number, old, Purpose.COMPARTMENT) for number in numbers] == [(), ()]
    assert notes(org, org.field_1, pseudonym) == ["over the river", "in between"]
    assert org.audit().findings == ()


def test_another_process_in_between(org: Organisation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key file was sealed anew after it was looked at: nothing happens."""
    appointed(org, tmp_path / "new")
    before, real, reads = org.heads(), recovering.key_bytes, [b"", b"changed"]
    with monkeypatch.context() as broken:
        broken.setattr(renewing, "key_bytes", lambda vault, me: real(vault, me) + reads.pop(0))
        with pytest.raises(VaultLocked):
            renew(org)
    assert org.heads() == before
    assert renew(org).before is False


# -- what the audit says ---------------------------------------------------------------------------------------------


def test_why_a_wrap_may_be_missing(org: Organisation, tmp_path: Path) -> None:
    """One to the old key of somebody who renewed: no finding. Of somebody who has not, or to the key in force: one."""
    opened_case(org, org.field_1)
    old = org.vault.roster.recovery_id
    appointed(org, tmp_path / "new")
    two = Place(org.vault.signer(org.field_2).origin, 0)
    kept = org.vault.store.wrap(org.vault.journal_number(two.origin), old, Purpose.COMPARTMENT, 0)
    renew(org)
    assert org.audit().findings == ()
    with rows_of(org.directory) as rows:
        (row,) = rows.run("SELECT * FROM wrap WHERE journal = ? AND purpose = 'compartment'", number_of(org, two))
        rows.run("DELETE FROM wrap WHERE journal = ? AND purpose = 'compartment'", number_of(org, two))
    assert [(item.code, item.where) for item in org.audit().findings] == [("missing", f"{two.origin}:0")]
    with rows_of(org.directory) as rows:
        rows.run("INSERT INTO wrap VALUES (?, ?, ?, ?, ?, ?)", *row)
    assert kept in row
    assert org.audit().findings == ()
    one = org.vault.signer(org.field_1).origin
    for seq in (1, 2):
        place = Place(one, seq)
        with rows_of(org.directory) as rows:
            where = "journal = ? AND seq = ? AND purpose = 'compartment'"
            (row,) = rows.run(f"SELECT * FROM wrap WHERE {where}", number_of(org, place), seq)  # noqa: S608
            rows.run(f"DELETE FROM wrap WHERE {where}", number_of(org, place), seq)  # noqa: S608
        assert [(item.code, item.where) for item in org.audit().findings] == [("missing", f"{one}:{seq}")]
        with rows_of(org.directory) as rows:
            rows.run("INSERT INTO wrap VALUES (?, ?, ?, ?, ?, ?)", *row)
    assert org.audit().findings == ()


def number_of(org: Organisation, place: Place) -> int:
    """A journal's number in the database."""
    return org.vault.journal_number(place.origin)


def test_the_export_key_of_the_old_key_goes(org: Organisation, tmp_path: Path) -> None:
    """It may be missing in the roster's first entry, since the new one has it; in the new one it may not."""
    appointed(org, tmp_path / "new")
    number = org.vault.journal_number(org.vault.roster.origin)
    first, last = org.vault.roster.recoveries
    assert org.vault.store.wrap(number, first.key_id, Purpose.EXPORT, first.seq) is None
    assert org.vault.store.wrap(number, last.key_id, Purpose.EXPORT, last.seq) is not None
    assert org.audit().findings == ()
    with rows_of(org.directory) as rows:
        rows.run("DELETE FROM wrap WHERE journal = ? AND seq = ? AND purpose = 'export'", number, last.seq)
    (finding,) = org.audit().findings
    assert (finding.code, finding.where) == ("missing", f"{org.vault.roster.origin}:{last.seq}")


def test_one_who_is_enrolled_later_begins_with_the_new_key(org: Organisation, tmp_path: Path) -> None:
    """Nothing is to be renewed then."""
    appointed(org, tmp_path / "new")
    later = org.enrol("field-3", Role.RECORDER)
    found = {item.handle: item for item in renewals(org.vault)}
    assert {handle: item.renewed for handle, item in found.items()} == {
        "field-1": False,
        "field-2": False,
        "field-3": True,
    }
    assert found[org.field_1.handle].left == (org.vault.signer(org.field_1).origin,)
    opened_case(org, later)
    with pytest.raises(UsageError, match="renewed already"):
        renew(org, "field-3", dry_run=True)
    lose(org)
    assert "field-1" not in {item.handle for item in renewals(org.vault)}


def test_nothing_goes_before_what_takes_its_place_is_here(org: Organisation, tmp_path: Path) -> None:
    """A renewal whose wraps are not here, or that stands behind the end that root set, deletes nothing: the old shares
    must still open that recorder's cases."""
    opened_case(org, org.field_1)
    store, origin = org.vault.store, org.vault.signer(org.field_1).origin
    number, old = org.vault.journal_number(origin), org.vault.roster.recovery_id
    rows = [row for row in Arrivals(store).wraps(number, 0, 1) if row[0] == old]
    appointed(org, tmp_path / "new")
    later = renew(org).origin
    covering = [row for row in Arrivals(store).wraps(org.vault.journal_number(later), 2, 3) if row[1] == "compartment"]
    assert (len(rows), len(covering)) == (2, 1)

    def put_back(roster: Roster, *, covered: bool) -> int:
        """How many wraps go, once the old ones are here again, and what covers them is, or is not."""
        with store.transaction():
            Arrivals(store).add_wraps(number, rows)
            erase_wraps(store, org.vault.journal_number(later), [2], [Purpose.COMPARTMENT])
            if covered:
                Arrivals(store).add_wraps(org.vault.journal_number(later), covering)
            return forget_replaced(store, roster, (org.field_1.handle,))

    roster = org.vault.roster
    cut = {origin: 1_000, later: 2}
    void = tuple(
        replace(member, revoked_at=tuple(cut.items())) if member.handle == "field-1" else member
        for member in roster.members
    )
    assert put_back(roster, covered=False) == 0
    assert put_back(replace(roster, members=void), covered=True) == 0
    assert put_back(roster, covered=True) == 2, "the negative control"
    assert org.audit().findings == ()


def test_what_a_renewal_may_wrap_and_to_whom(org: Organisation, tmp_path: Path) -> None:
    """Keys of an earlier journal of the writer's own, of the two kinds, to recovery keys; a hub none at all."""
    appointed(org, tmp_path / "new")
    first = org.vault.signer(org.field_1).origin
    later = renew(org).origin
    roster, director = org.vault.roster, org.director.member.key_id
    rules = EntryRules.of(roster, later)

    def fault(subject: str, *wraps: tuple[Purpose, bytes], of: EntryRules = rules) -> str:
        return of.handing_fault([["renew", subject, 3], *([purpose.value, key, bytes(32)] for purpose, key in wraps)])

    ids = sorted(roster.recovery_ids)
    assert fault(first, *((purpose, key) for purpose in (Purpose.COMPARTMENT, Purpose.TALLY) for key in ids)) == ""
    assert fault(first, (Purpose.TALLY, director)) == NO_RENEWAL
    assert fault(first, (Purpose.CASE, ids[0])) == NO_RENEWAL
    for other in (later, f"{later[:-1]}3", org.vault.signer(org.field_2).origin, roster.origin):
        assert fault(other, (Purpose.TALLY, ids[0])) == NO_RENEWAL
    hub = EntryRules.of(roster, org.vault.signer(org.keys["hub-1"]).origin)
    assert fault(first, (Purpose.TALLY, ids[0]), of=hub) == NO_RESTORE


def test_half_a_renewal_covers_nothing(org: Organisation, tmp_path: Path) -> None:
    """Without the tally key, or without the compartment key, the earlier recovery key is still needed."""
    appointed(org, tmp_path / "new")
    first = org.vault.signer(org.field_1).origin
    later = Origin(f"{first[:-1]}2")
    old, new = (key.key_id for key in org.vault.roster.recoveries)

    def gone(*purposes: Purpose) -> int:
        act = encode_act(GrantAct(act=Act.RENEW, origin=first, seq=3))
        wraps = [[purpose.value, new, bytes(32)] for purpose in purposes]
        raw = encode_leaf(Leaf(seq=0, kind=Kind.GRANT, day=1, extra=(act, *wraps)))
        own = org.vault.store.leaves(org.vault.journal_number(first))
        found = [*wrapped_in(org.vault.roster, first, own), *wrapped_in(org.vault.roster, later, [raw])]
        return len([item for item in outdated(org.vault.roster, found) if item.recipient == old])

    assert [gone(purpose) for purpose in (Purpose.COMPARTMENT, Purpose.TALLY)] == [0, 0]
    assert gone(Purpose.COMPARTMENT, Purpose.TALLY) == 1, "the negative control"
