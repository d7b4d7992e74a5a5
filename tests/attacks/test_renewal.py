"""Attacks around a new recovery key: each by its name, with a negative control.

The departed custodians hold k old shares and take a full copy of headquarters' archive. A stolen root key appoints a
recovery key of its own. Somebody brings back an old roster, wraps that were deleted, or shares that were replaced.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.laptops import Fleet, History, Laptop, carry, offered, outcome, refused
from tests.organisation import COST, PASSPHRASES, Thief, flipped, rows_of
from tests.services.erasing import case, lying_about
from tests.services.handing import HandingThief
from tests.services.renewing import appointed, forget, new_shares, renew, words_of
from vault.errors import IntegrityError, NotAllowed, WrongPassphrase
from vault.formats.leaf import GrantAct, Leaf, encode_act, encode_leaf, parse_leaf, wrap_refs
from vault.formats.origin import origin_of
from vault.model import Act, Kind, Layer, Origin, Purpose, Role
from vault.primitives import hpke
from vault.services.answering import accept_offer
from vault.services.audit import verify_vault
from vault.services.forgetting import renewals
from vault.services.forgetting_one import forgettable
from vault.services.handing import offer_referral
from vault.services.quorum import any_recovery, read_share_file, recovery_seed
from vault.services.records import record
from vault.services.recovering import recover_journal
from vault.services.renewing import renew_journal
from vault.services.replica import Outcome
from vault.services.roster import fold
from vault.services.vault import Vault, unlock
from vault.services.words import fingerprint_of_keys
from vault.store.arrivals import RESTORED, Arrivals, Lock

Parts = set[tuple[Origin, int, Layer]]


class World:
    """Headquarters and two recorders' laptops; the second helps the first with a case."""

    def __init__(self, fleet: Fleet, hq: Laptop) -> None:
        self.fleet, self.hq = fleet, hq
        self.one = fleet.laptop("one", "field-1")
        self.two = fleet.laptop("two", "field-2")
        self.old = [read_share_file(path) for path in sorted(fleet.template.shares_dir.iterdir())][:2]
        self.first, self.second = case(self.one), case(self.two)
        self.helped = case(self.one)
        offer = offer_referral(self.one.vault, self.one.key(), self.helped, "field-2", identity=True).offer
        carry(self.one, "field-1", self.two, "field-2")
        accept_offer(self.two.vault, self.two.key(), offer)
        record(self.two.vault, self.two.key(), "journey", self.helped, {"event": "transit", "notes": "by the helper"})
        self.exchange()

    def exchange(self) -> None:
        """Everybody's bundles: to headquarters, from there, and between the two."""
        for laptop in (self.one, self.two):
            carry(laptop, laptop.handles[0], self.hq, "hub-1")
        for laptop in (self.one, self.two):
            carry(self.hq, "hub-1", laptop, laptop.handles[0])
        carry(self.one, "field-1", self.two, "field-2")
        carry(self.two, "field-2", self.one, "field-1")

    def write(self) -> None:
        """An entry in every case, and a new case each."""
        journey = {"event": "arrival", "notes": "after it"}
        for laptop, names in ((self.one, (self.first, self.helped)), (self.two, (self.second, self.helped))):
            for name in names:
                record(laptop.vault, laptop.key(), "journey", name, journey)
            case(laptop)
        self.exchange()

    def archive(self) -> Path:
        """A full copy of headquarters' archive."""
        copies = len(self.fleet.laptops)
        return self.hq.copied(f"stolen-{copies}").directory

    def old_seed(self) -> bytes:
        """What k of the old shares give."""
        return any_recovery(self.hq.vault, self.old).seed


@pytest.fixture
def world(fleet: Fleet, hub: Laptop) -> World:
    """Before anything is renewed."""
    return World(fleet, hub)


def opened(directory: Path, seeds: Iterable[bytes]) -> Parts:
    """The parts that a thief opens who knows the formats and tries everything everywhere."""
    found = HandingThief(directory, seeds=tuple(seeds)).opened()
    return {(item.origin, item.seq, Layer(item.name)) for item in found if item.what == "part"}


def epoch(laptop: Laptop, handle: str, number: int) -> Origin:
    """A member's journal of one epoch."""
    return origin_of(laptop.vault.vault_id, laptop.key(handle).handle, number)


def everything(laptop: Laptop) -> Parts:
    """Every part in a laptop's database, of entries that recorders made."""
    thief = Thief(laptop.directory)
    return {(origin, seq, layer) for origin, seq, layer, _ in thief.parts}


# -- those who have left ---------------------------------------------------------------------------------------------


def test_departed_holders_with_k_old_shares_and_the_whole_archive(world: World, tmp_path: Path) -> None:
    """Of an archive copied after all had renewed, and headquarters had deleted the old wraps, they open nothing, be it
    old or new; before, everything. With what they had taken from an older copy they still read what was old then, and
    nothing that was written after."""
    before = world.archive()
    harvest = HandingThief(before, seeds=(world.old_seed(),))
    taken = {(item.origin, item.seq, Layer(item.name)) for item in harvest.opened() if item.what == "part"}
    assert taken == everything(world.hq), "the negative control: before, k shares open all"
    made = appointed(world.hq, tmp_path / "new")
    world.exchange()
    for laptop in (world.one, world.two):
        renew(laptop, laptop.handles[0])
    world.exchange()
    world.write()
    assert {item[0] for item in opened(world.archive(), (world.old_seed(),))} >= {epoch(world.hq, "field-1", 1)}
    forget(world.hq, "field-1", "field-2")
    after = world.archive()
    new = {item for item in everything(world.hq) if item[0].endswith("/2")}
    assert len(new) >= 12
    assert opened(after, (world.old_seed(),)) == set()
    assert opened(after, harvest.keys) == everything(world.hq) - new, "old copies stay what they were: docs say so"
    seed = recovery_seed(world.hq.vault, new_shares(made))
    assert opened(after, (seed,)) == everything(world.hq), "the negative control: the new shares open all"
    for laptop in (world.hq, world.one, world.two):
        assert verify_vault(laptop.directory).findings == ()


def test_between_the_two_only_those_who_renewed_are_safe(world: World, tmp_path: Path) -> None:
    """A recorder who has not renewed still hangs on the old key, and headquarters knows who."""
    appointed(world.hq, tmp_path / "new")
    world.exchange()
    renew(world.one)
    world.exchange()
    assert {item.handle: item.renewed for item in renewals(world.hq.vault)} == {"field-1": True, "field-2": False}
    found = opened(world.archive(), (world.old_seed(),))
    assert {origin for origin, _, _ in found} >= {epoch(world.hq, "field-2", 1)}, "the negative control"
    assert not [item for item in found if item[0] == epoch(world.hq, "field-1", 2)]


def test_the_bytes_of_the_old_wraps_leave_the_files(world: World, tmp_path: Path) -> None:
    """Not only the rows: neither the database nor its log keeps them, at the recorder's or at headquarters."""
    old = world.hq.vault.roster.recovery_id
    wraps = [
        raw
        for _, number in world.one.vault.own_journals(world.one.key().handle)
        for purpose in (Purpose.COMPARTMENT, Purpose.TALLY)
        for _, raw in world.one.vault.store.wraps_for(number, old, purpose)
    ]
    needles = [raw[at : at + 24] for raw in wraps for at in (40, len(raw) // 2)]
    assert [lying_about(item.directory, needles) for item in (world.one, world.hq)] == [4, 4], "the negative control"
    appointed(world.hq, tmp_path / "new")
    world.exchange()
    renew(world.one)
    world.exchange()
    assert [lying_about(item.directory, needles) for item in (world.one, world.hq)] == [0, 4], "no import deletes them"
    assert [item.cleaned for item in forget(world.hq, "field-1")] == [True]
    assert [lying_about(item.directory, needles) for item in (world.one, world.hq)] == [0, 0]


def test_a_backup_brings_no_old_wrap_back_for_long(world: World, tmp_path: Path) -> None:
    """A recorder's laptop from before the renewal sends all it has: the old wraps that it brings are named at
    headquarters, and go again."""
    backup = world.one.copied("backup")
    appointed(world.hq, tmp_path / "new")
    world.exchange()
    for laptop in (world.one, world.two):
        renew(laptop, laptop.handles[0])
    world.exchange()
    before = dict(world.fleet.keys)
    world.fleet.keys["field-1"] = unlock(backup.vault, "field-1", PASSPHRASES["field-1"])
    forget(world.hq, "field-1", "field-2")
    world.hq.take(backup.bundle("hub-1", full=True), "hub-1")
    world.fleet.keys.update(before)
    assert forgettable(world.hq.vault) == ("field-1",)
    assert opened(world.archive(), (world.old_seed(),)) != set()
    forget(world.hq, "field-1")
    assert opened(world.archive(), (world.old_seed(),)) == set()
    assert opened(backup.directory, (world.old_seed(),)) != set(), "the negative control"


# -- a stolen root key -----------------------------------------------------------------------------------------------


def test_a_stolen_root_key_gets_nothing_without_the_recorders_word(world: World, tmp_path: Path) -> None:
    """Root's key alone appoints a key. Nothing is wrapped to it by an import, a record, a bundle or even a recovery:
    only by "journal renew", and only for somebody who says its words."""
    made = appointed(world.hq, tmp_path / "thief")
    world.exchange()
    arrived = world.one.take(world.hq.bundle("field-1", "hub-1"))
    assert arrived.code == 0
    world.write()
    seed = recovery_seed(world.hq.vault, new_shares(made))
    assert opened(world.archive(), (seed,)) == set()
    for wrong in ("", "academic " * 12, fingerprint_of_keys(world.hq.vault.roster.recoveries[0].key_id)):
        with pytest.raises(NotAllowed, match="not the words"):
            renew_journal(world.one.vault, world.one.key(), PASSPHRASES["field-1"], words=wrong, cost=COST)
    origin = world.one.origin()
    note = world.one.vault.store.latest_checkpoint(world.one.vault.journal_number(origin)) or b""
    with world.one.vault.store.transaction():
        Arrivals(world.one.vault.store).add_lock(Lock(origin=origin, reason=RESTORED, ours=note, theirs=note))
    done = recover_journal(world.one.vault, world.one.key(), PASSPHRASES["field-1"], cost=COST)
    world.fleet.keys["field-1"] = done.keyring
    first = world.one.vault.journal_number(done.origin)
    recipients = {wrap.recipient for raw in world.one.vault.store.leaves(first) for wrap in wrap_refs(parse_leaf(raw))}
    assert world.hq.vault.roster.recovery_id not in recipients
    renew(world.one)
    carry(world.one, "field-1", world.hq, "hub-1")
    assert opened(world.archive(), (seed,)) != set(), "the negative control: who says the words gives everything"


def hostile_roster(laptop: Laptop, *extra: object) -> History:
    """The roster with a founding entry more, signed by root's own key."""
    history = History.of(laptop, "root")
    raw = encode_leaf(Leaf(seq=len(history.leaves), kind=Kind.FOUND, day=20_000, extra=(*extra, [])))
    return replace(history, leaves=[*history.leaves, raw])


def test_a_hostile_root_entry(world: World) -> None:
    """A key that is none, one that somebody has or had, or other keys of root's: no laptop takes such a roster."""
    keys = world.hq.key("root").member.keys
    fresh = hpke.public_key(bytes(range(32)))
    roster = world.hq.vault.roster
    member = world.hq.key("field-2").member.keys
    bad = {
        "coefficients": (keys.signing, keys.sealing, b"\xff" * 1216),
        "small order": (keys.signing, keys.sealing, fresh[:1184] + bytes(32)),
        "the same": (keys.signing, keys.sealing, roster.recovery),
        "a member's": (keys.signing, keys.sealing, member.sealing),
        "root's own": (keys.signing, keys.sealing, keys.sealing),
        "another signing key": (flipped(keys.signing), keys.sealing, fresh),
        "another sealing key": (keys.signing, member.sealing, fresh),
    }
    for name in sorted(bad):
        history = hostile_roster(world.hq, *bad[name])
        path = offered(world.hq, "hub-1", world.one, "field-1", *history.items())
        assert "roster entry" in refused(world.one, path, IntegrityError).message, name
    honest = hostile_roster(world.hq, keys.signing, keys.sealing, fresh)
    arrived = world.one.take(offered(world.hq, "hub-1", world.one, "field-1", *honest.items()))
    assert (arrived.code, arrived.new_recovery) == (0, words_of(world.one)), "the negative control"
    again = fold([*honest.leaves])
    leaf = Leaf(seq=len(honest.leaves), kind=Kind.FOUND, day=1, extra=(keys.signing, keys.sealing, roster.recovery, []))
    with pytest.raises(IntegrityError, match="is or was in use"):
        fold([*honest.leaves, encode_leaf(leaf)])
    assert (again.recovery, len(again.recoveries)) == (fresh, 2)


def test_an_old_roster_undoes_nothing(world: World, tmp_path: Path) -> None:
    """Replayed to a recorder who knows better it changes nothing; to one who renewed, old shares stay dead."""
    stale = world.hq.bundle("field-1", "hub-1", full=True)
    appointed(world.hq, tmp_path / "new")
    world.exchange()
    renew(world.one)
    recovery = world.one.vault.roster.recovery_id
    arrived = world.one.take(stale)
    assert outcome(arrived, "root") is Outcome.NOTHING_NEW
    assert (arrived.new_recovery, world.one.vault.roster.recovery_id) == ("", recovery)
    other = History.of(world.hq, "root", len(History.of(world.hq, "root").leaves) - 1).grown(0)
    forked = hostile_roster_after(other, world.hq)
    arrived = world.one.take(offered(world.hq, "hub-1", world.one, "field-1", *forked.items()))
    assert outcome(arrived, "root") is Outcome.FORK
    assert world.one.vault.roster.recovery_id == recovery


def hostile_roster_after(history: History, laptop: Laptop) -> History:
    """Another history of the roster, in which root appointed another key at the same place."""
    keys = laptop.key("root").member.keys
    extra: tuple[object, ...] = (keys.signing, keys.sealing, hpke.public_key(bytes(range(32))), [])
    raw = encode_leaf(Leaf(seq=len(history.leaves), kind=Kind.FOUND, day=20_000, extra=extra))
    return replace(history, leaves=[*history.leaves, raw])


# -- members with a key of their own ---------------------------------------------------------------------------------


def test_a_renewal_of_what_is_not_ones_own(world: World, tmp_path: Path) -> None:
    """A recorder "renews" the keys of somebody else, of a later epoch, or to a director: no laptop takes the entry, and
    no wrap of anybody goes for it."""
    appointed(world.hq, tmp_path / "new")
    world.exchange()
    roster = world.hq.vault.roster
    history = History.of(world.one, "field-1")
    director = world.fleet.keys["director-1"].member.key_id
    own, other = epoch(world.hq, "field-1", 1), epoch(world.hq, "field-2", 1)
    for subject, recipient in ((other, roster.recovery_id), (own, roster.recovery_id), (own, director)):
        act = encode_act(GrantAct(act=Act.RENEW, origin=subject, seq=1))
        wraps = [[purpose.value, recipient, bytes(32)] for purpose in (Purpose.COMPARTMENT, Purpose.TALLY)]
        leaf = Leaf(seq=len(history.leaves), kind=Kind.GRANT, day=20_000, extra=(act, *wraps))
        lying = replace(history, leaves=[*history.leaves, encode_leaf(leaf)])
        path = offered(world.one, "field-1", world.hq, "hub-1", *lying.items())
        assert outcome(world.hq.take(path, "hub-1"), "field-1") is Outcome.INVALID
    assert opened(world.archive(), (world.old_seed(),)) == everything(world.hq)


# -- the shares ------------------------------------------------------------------------------------------------------


def test_old_shares_and_new_ones_never_mix(world: World, tmp_path: Path) -> None:
    """One old card beside one new one is no quorum, whichever comes first; two old ones are not of the key in force."""
    made = appointed(world.hq, tmp_path / "new")
    old, new = world.old[0], new_shares(made)[0]
    for given in ([old, new], [new, old]):
        with pytest.raises(WrongPassphrase, match="have 1 of the 2"):
            any_recovery(world.hq.vault, given)
    with pytest.raises(WrongPassphrase, match="earlier recovery key"):
        recovery_seed(world.hq.vault, world.old)
    assert any_recovery(world.hq.vault, world.old).key.seq == 0
    assert len(recovery_seed(world.hq.vault, new_shares(made))) == hpke.SEED, "the negative control"


# -- headquarters ----------------------------------------------------------------------------------------------------


def test_a_second_hub_takes_the_archive_without_the_old_wraps(world: World, tmp_path: Path) -> None:
    """What was deleted at the first cannot come from there, and need not: nothing is incomplete, no audit complains,
    and the new shares open all of it there too."""
    made = appointed(world.hq, tmp_path / "new")
    world.fleet.enrol(world.hq, "hub-2", Role.HUB)
    world.exchange()
    for laptop in (world.one, world.two):
        renew(laptop, laptop.handles[0])
    world.exchange()
    forget(world.hq, "field-1", "field-2")
    world.hq.close()
    other = emptied(Laptop(world.fleet, "other", world.hq.directory, ("hub-2",)))
    world.hq.vault = Vault.open(world.hq.directory, world.hq.environment)
    arrived = other.take(world.hq.bundle("hub-2", "hub-1", full=True), "hub-2")
    assert arrived.code == 0
    assert {item.outcome for item in arrived.journals} <= {Outcome.NEW, Outcome.NOTHING_NEW}
    assert verify_vault(other.directory).findings == ()
    seed = recovery_seed(world.hq.vault, new_shares(made))
    assert opened(other.directory, (seed,)) == everything(world.hq)
    assert opened(other.directory, (world.old_seed(),)) == set()


def emptied(laptop: Laptop) -> Laptop:
    """A laptop that holds the roster's first entries and nothing of any recorder: as one that has just joined."""
    laptop.close()
    with rows_of(laptop.directory) as rows:
        recorders = rows.run("SELECT id FROM journal WHERE origin LIKE '%/field-%' ORDER BY id DESC")
        for (number,) in recorders:
            for table in ("leaf", "node", "checkpoint", "part", "wrap"):
                rows.run(f"DELETE FROM {table} WHERE journal = ?", number)  # noqa: S608
            rows.run("DELETE FROM journal WHERE id = ?", number)
        for new, (number,) in enumerate(rows.run("SELECT id FROM journal ORDER BY id"), start=1):
            for table in ("leaf", "node", "checkpoint", "part", "wrap"):
                rows.run(f"UPDATE {table} SET journal = ? WHERE journal = ?", new, number)  # noqa: S608
            rows.run("UPDATE journal SET id = ? WHERE id = ?", new, number)
    laptop.vault = Vault.open(laptop.directory, laptop.environment)
    return laptop
