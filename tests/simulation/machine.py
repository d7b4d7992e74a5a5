"""The simulated organisation as a state machine: what people, mishaps and thieves do with laptops and sticks."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from tests.laptops import Fleet, items_of
from tests.organisation import COST, PASSPHRASES, canary
from tests.simulation.ending import check_everything
from tests.simulation.oracle import receive
from tests.simulation.truth import Entry, Offered, Stick, Truth
from tests.simulation.world import HUB, NEWCOMER, RECORDERS, Station, World, enrolled, meet
from vault.errors import ForkError, NotAllowed, RollbackError, UsageError
from vault.formats.origin import parse_origin
from vault.model import Origin, Role
from vault.services.answering import accept_offer, reject_offer
from vault.services.cases import list_cases, show_case
from vault.services.handing import end_referral, offer_referral, offer_transfer, revoke_offer
from vault.services.handing_desk import Handed
from vault.services.offer_list import list_offers
from vault.services.offers import State
from vault.services.records import Saved, amend, open_case, record
from vault.services.recovering import recover_journal
from vault.services.revoking import revoke

# A few people do most of the work: so that what they do meets.
WHO = st.sampled_from(["field-1"] * 5 + ["field-2"] * 4 + ["field-3"] * 2 + [*RECORDERS[3:], NEWCOMER])
ANYBODY = st.one_of(WHO, st.sampled_from([HUB, HUB, HUB, "director-1", "auditor-1"]))
PICK = st.integers(0, 1000)
RARELY = st.integers(0, 5).map(lambda number: number == 5)


class Simulation(RuleBasedStateMachine):
    """One schedule. What is checked after each step is in `oracle.py`; what holds in the end, in `ending.py`."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world, self.broken = world, False
        memory = Path("/dev/shm")  # noqa: S108  # a disk's fsync would be most of the time
        self.home = Path(tempfile.mkdtemp(prefix="fieldvault-", dir=memory if memory.is_dir() else None))
        self.fleet = Fleet(world.template, self.home)
        self.headquarters = Station(self.fleet, "headquarters", world.homes[HUB], (HUB, "root"))
        self.laptops: dict[str, list[Station]] = {HUB: [self.headquarters]}
        self.sticks: list[Stick] = []
        self.truth = Truth()
        self.received = 0

    # -- who and what --------------------------------------------------------------------------------------------------

    def at(self, handle: str, which: int = 0) -> Station:
        """A laptop of a member's; it is taken out of its box when it is first used."""
        if handle not in self.laptops:
            handle = handle if handle in self.world.homes else RECORDERS[0]
            if handle not in self.laptops:
                self.laptops[handle] = [Station(self.fleet, handle, self.world.homes[handle], (handle,))]
        found = self.laptops[handle]
        return found[which % len(found)]

    @contextmanager
    def step(self) -> Iterator[None]:
        """Remembers that a rule has failed: then there is no end to be checked."""
        try:
            yield
        except BaseException:
            self.broken = True
            raise

    @contextmanager
    def writing(self, station: Station, other: str = "") -> Iterator[None]:
        """What may stop an honest member from writing, and nothing else may: what the model knows."""
        handle = station.handle
        try:
            yield
        except (ForkError, RollbackError):
            assert not self.truth.alone(handle), f"{handle} has one laptop that forgot nothing, and may not write"
        except NotAllowed as error:
            known = any(handle in (offer.giver, offer.taker) for offer in self.truth.offers.values())
            assert known or {handle, other} & self.truth.revoked, f"{handle} may not write: {error.message}"

    def leaf(self, station: Station, origin: Origin, seq: int) -> bytes:
        """An entry's bytes."""
        raw = station.vault.store.leaf(station.vault.journal_number(origin), seq)
        assert raw is not None
        return raw

    def save(self, station: Station, saved: Saved, case: int, kind: str, values: dict[str, str]) -> None:
        """Enters an acknowledged record into the model."""
        author = station.handle
        entry = Entry(case=case, author=author, type=kind, values=values, hidden_from=self.truth.hidden(case, author))
        self.truth.save(self.leaf(station, saved.origin, saved.seq), entry)

    # -- work ----------------------------------------------------------------------------------------------------------

    @rule(who=WHO, which=PICK, pick=PICK, consent=st.booleans())
    def opens_a_case(self, who: str, which: int, pick: int, consent: bool) -> None:
        """Somebody meets a new person."""
        with self.step():
            station = self.at(who, which)
            with self.writing(station):
                self._open(station, pick, consent)

    @rule(who=WHO, which=PICK, pick=PICK, new=RARELY, count=st.integers(1, 3), consent=st.booleans())
    def records(self, who: str, which: int, pick: int, new: bool, count: int, consent: bool) -> None:
        """Somebody records: more about a person whom they know, or a new one."""
        with self.step():
            station = self.at(who, which)
            for number in range(count):
                with self.writing(station):
                    known = [line.pseudonym for line in list_cases(station.vault, station.key(), damaged=[])]
                    if new or not known:
                        self._open(station, pick + number, consent)
                    else:
                        self._record(station, known[(pick + number) % len(known)], pick + number)

    def _open(self, station: Station, pick: int, consent: bool) -> str:
        values = {"sex": ("female", "male")[pick % 2], "consent_statistics": "yes" if consent else "no"}
        answers = {**values, "name": canary("name"), "age_group": "18-59", "notes": canary("note")}
        saved = open_case(station.vault, station.key(), answers)
        self.save(station, saved, self.truth.open_case(station.handle, saved.pseudonym), "intake", values)
        return saved.pseudonym

    def _record(self, station: Station, pseudonym: str, pick: int) -> None:
        kind, answers = (
            ("journey", {"event": "departure", "country": "CN", "guide": canary("guide")}),
            ("service", {"programme": "relief_grant", "provider": canary("provider")}),
            ("outcome", {"status": ("in_shelter", "resettled")[pick % 2]}),
        )[pick % 3]
        saved = record(station.vault, station.key(), kind, pseudonym, answers)
        self.save(station, saved, self.truth.names[station.handle, pseudonym], kind, {})

    @precondition(lambda self: self.truth.names)
    @rule(whose=PICK, pick=PICK, consent=st.booleans())
    def amends(self, whose: int, pick: int, consent: bool) -> None:
        """Somebody corrects a record: their own, or one that was handed to them."""
        with self.step():
            station, pseudonym = self._owner(whose)
            if not pseudonym:
                return
            entries = show_case(station.vault, station.key(), pseudonym, damaged=[]).entries
            if not entries:
                return
            entry = entries[pick % len(entries)]
            values = {"sex": ("male", "female")[pick % 2], "consent_statistics": "yes" if consent else "no"}
            values = values if entry.type == "intake" else {}
            with self.writing(station):
                saved = amend(station.vault, station.key(), str(entry.name), values or {"notes": canary("again")})
                case = self.truth.names[station.handle, pseudonym]
                amended = Entry(
                    case=case,
                    author=station.handle,
                    type=entry.type,
                    values=values,
                    amends=self.leaf(station, entry.origin, entry.seq),
                    hidden_from=self.truth.hidden(case, station.handle),
                )
                self.truth.save(self.leaf(station, saved.origin, saved.seq), amended)

    # -- sticks --------------------------------------------------------------------------------------------------------

    def _make(self, sender: str, which: int, to: str, *, full: bool = False) -> Stick | None:
        station, to = self.at(sender, which), self.at(to).handle
        if station.handle == to:
            return None
        try:
            path = station.bundle(to, full=full and self._has_all_keys(station, to))
        except NotAllowed:
            assert {station.handle, to} & self.truth.revoked, f"{station.handle} may make no bundle for {to}"
            return None
        except UsageError:
            assert NEWCOMER in (station.handle, to), "an old member is unknown"
            return None
        except (ForkError, RollbackError):
            assert not self.truth.alone(station.handle), "an honest laptop may make no bundle"
            return None
        ring = self.at(to).key()
        stick = Stick.of(path, station.handle, to, items_of(path, ring), station.journals())
        self.sticks.append(stick)
        return stick

    def _has_all_keys(self, station: Station, to: str) -> bool:
        """Whether every laptop of `to` has the key of every epoch of theirs that a full bundle would bring back."""
        brought = {parse_origin(origin).epoch for origin in station.journals() if f"/{to}/" in origin}
        rings = [found.key() for found in self.laptops[to]]
        return all(brought <= {item.epoch for item in ring.compartments} or not ring.compartments for ring in rings)

    def _take(self, stick: Stick, which: int = 0, *, again: bool = False) -> None:
        self.received += 1
        receive(self.at(stick.to, which), stick, self.truth, again=again)

    @rule(sender=ANYBODY, which=PICK, to=ANYBODY, full=RARELY)
    def makes_a_bundle(self, sender: str, which: int, to: str, full: bool) -> None:
        """A stick that somebody may import later, or never."""
        with self.step():
            self._make(sender, which, to, full=full)

    @precondition(lambda self: self.sticks)
    @rule(pick=PICK, which=PICK, again=st.booleans())
    def imports_a_bundle(self, pick: int, which: int, again: bool) -> None:
        """Any stick that is still there, old or new, for the first time or not."""
        with self.step():
            self._take(self.sticks[pick % len(self.sticks)], which, again=again)

    def _carry(self, sender: str, to: str, which: int = 0, target: int = 0) -> None:
        stick = self._make(sender, which, to)
        if stick is not None:
            self._take(stick, target)

    @rule(sender=ANYBODY, which=PICK, to=ANYBODY)
    def carries(self, sender: str, which: int, to: str) -> None:
        """One stick, made and imported."""
        with self.step():
            self._carry(sender, to, which)

    @rule(who=WHO, which=PICK, then=ANYBODY)
    def visits_headquarters(self, who: str, which: int, then: str) -> None:
        """To headquarters, and from there to somebody."""
        with self.step():
            self._carry(who, HUB, which)
            self._carry(HUB, then, 0, which)

    @precondition(lambda self: self.sticks)
    @rule(pick=PICK)
    def loses_a_stick(self, pick: int) -> None:
        """It says nothing to whoever finds it."""
        with self.step():
            stick = self.sticks.pop(pick % len(self.sticks))
            for thief in (ring for handle, ring in self.world.keys.items() if handle != stick.to):
                with suppress(NotAllowed):
                    assert not items_of(stick.path, thief), "somebody opened a bundle that is for another"
            stick.path.unlink()

    # -- mishaps ---------------------------------------------------------------------------------------------------------

    @rule(who=st.one_of(WHO, st.sampled_from(["director-1", "auditor-1"])))
    def backs_up(self, who: str) -> None:
        """A copy of the directory is put aside."""
        with self.step():
            self.at(who).back_up()

    @precondition(lambda self: any(found[0].backups for found in self.laptops.values()))
    @rule(pick=PICK)
    def is_restored(self, pick: int) -> None:
        """And put back."""
        with self.step():
            able = [found[0] for found in self.laptops.values() if found[0].backups]
            station = able[pick % len(able)]
            self.truth.rewound.add(station.handle)
            station.restore(station.backups[pick % len(station.backups)])

    @precondition(lambda self: self.truth.rewound)
    @rule(pick=PICK)
    def recovers(self, pick: int) -> None:
        """Whoever was told that their journal is closed opens the next epoch."""
        with self.step():
            handles = sorted(self.truth.rewound)
            recover(self.at(handles[pick % len(handles)]))

    @precondition(lambda self: not self.truth.cloned and self.received > 1)
    @rule(who=WHO, pick=PICK, busy=st.integers(0, 3))
    def is_cloned(self, who: str, pick: int, busy: int) -> None:
        """The same keys on two laptops; often they are used on both."""
        with self.step():
            station = self.at(who)
            self.truth.cloned.add(station.handle)
            self.laptops[station.handle].append(station.cloned(f"{station.handle}-clone"))
            for which, laptop in enumerate(self.laptops[station.handle] if busy else ()):
                with self.writing(laptop):
                    self._open(laptop, pick, consent=True)
                if busy > 1:
                    self._carry(station.handle, HUB, which)

    # -- cases pass on -----------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.truth.names)
    @rule(whose=PICK, to=WHO, transfer=st.booleans(), identity=st.booleans(), how=st.integers(0, 3))
    def offers(self, whose: int, to: str, transfer: bool, identity: bool, how: int) -> None:
        """A case is offered; mostly the offer reaches its taker, and often it is accepted at once."""
        with self.step():
            (station, known), taker = self._owner(whose), self.at(to).handle
            if not known or taker == station.handle:
                return
            with self.writing(station, taker):
                self._offer(station, known, taker, transfer=transfer, identity=identity)
            stick = self._make(station.handle, 0, taker) if how else None
            if stick is not None:
                self._take(stick)
                if how > 1:
                    self._answer(self.at(taker), -1, accept=True)

    @rule(who=WHO, to=WHO, pick=PICK, transfer=st.booleans(), back=st.booleans())
    def hands_over(self, who: str, to: str, pick: int, transfer: bool, back: bool) -> None:
        """A whole story: a new person, handed to somebody who accepts and goes on; and perhaps the news of it."""
        with self.step():
            giver, taker = self.at(who), self.at(to)
            if giver is taker:
                return
            with self.writing(giver, taker.handle):
                self._offer(
                    giver, self._open(giver, pick, consent=True), taker.handle, transfer=transfer, identity=True
                )
            stick = self._make(giver.handle, 0, taker.handle)
            if stick is None:
                return
            self._take(stick)
            name = self._answer(taker, -1, accept=True)
            if name:
                self._record(taker, name, pick)
            if back:
                self._carry(taker.handle, giver.handle)

    def _offer(self, station: Station, known: str, taker: str, *, transfer: bool, identity: bool) -> None:
        case = self.truth.names[station.handle, known]
        try:
            if transfer:
                handed = offer_transfer(station.vault, station.key(), known, taker, note=canary("handing"))
            else:
                handed = offer_referral(station.vault, station.key(), known, taker, identity=identity)
        except UsageError as error:
            before = any((case, station.handle) == (offer.case, offer.giver) for offer in self.truth.offers.values())
            assert before or NEWCOMER in (taker, station.handle), f"an offer is refused: {error.message}"
            return
        offered = Offered(case=case, giver=station.handle, taker=taker, transfer=transfer)
        self.truth.offer(self.leaf(station, handed.origin, handed.seq), offered)

    def _owner(self, whose: int) -> tuple[Station, str]:
        """Somebody who opened or was given a case, and its name there; no name where it is not on their laptop now."""
        names = sorted(self.truth.names)
        handle, pseudonym = names[whose % len(names)]
        station = self.at(handle)
        known = [line.pseudonym for line in list_cases(station.vault, station.key(), damaged=[])]
        return station, pseudonym if pseudonym in known else ""

    @precondition(lambda self: self.truth.offers)
    @rule(whose=PICK, which=PICK, pick=PICK, accept=st.sampled_from([True, True, True, False]))
    def answers(self, whose: int, which: int, pick: int, accept: bool) -> None:
        """An offer is taken, or not."""
        with self.step():
            takers = sorted(offer.taker for offer in self.truth.offers.values())
            self._answer(self.at(takers[whose % len(takers)], which), pick, accept=accept)

    def _answer(self, station: Station, pick: int, *, accept: bool) -> str:
        """Answers one of the offers that stand; what an accepted case is called now."""
        lines = list_offers(station.vault, station.key(), unsound=[])
        able = [line for line in lines if line.taker == station.handle and line.state is State.OFFERED]
        if not able:
            return ""
        line = able[pick % len(able)]
        with self.writing(station):
            if not accept:
                reject_offer(station.vault, station.key(), line.name, "no room")
                return ""
            handed = accept_offer(station.vault, station.key(), line.name)
            self.truth.accept(self._offer_leaf(station, handed), handed.pseudonym)
            return handed.pseudonym
        return ""

    @precondition(lambda self: self.truth.offers)
    @rule(whose=PICK, pick=PICK)
    def withdraws(self, whose: int, pick: int) -> None:
        """An offer is taken back, or a referral ended."""
        with self.step():
            givers = sorted(offer.giver for offer in self.truth.offers.values())
            station = self.at(givers[whose % len(givers)])
            lines = list_offers(station.vault, station.key(), unsound=[])
            able = [line for line in lines if line.state in (State.OFFERED, State.ACCEPTED)]
            for line in able[pick % len(able) :][:1] if able else ():
                with self.writing(station), suppress(UsageError):
                    act = revoke_offer if line.state is State.OFFERED else end_referral
                    act(station.vault, station.key(), line.name)

    def _offer_leaf(self, station: Station, handed: Handed) -> bytes:
        handle, _, place = handed.offer.partition("/")
        epoch, _, seq = place.partition(":")
        return self.leaf(station, Origin(f"fieldvault/{station.vault.vault_id}/{handle}/{epoch}"), int(seq))

    # -- headquarters --------------------------------------------------------------------------------------------------------

    @precondition(lambda self: not self.truth.revoked and self.received > 4)
    @rule(who=st.sampled_from(RECORDERS[1:4]), pick=PICK, friend=st.sampled_from([*RECORDERS, ""]))
    def cuts_off(self, who: str, pick: int, friend: str) -> None:
        """Root revokes a member, who perhaps goes on, and finds somebody who has not heard of it yet."""
        with self.step():
            hq = self.headquarters
            held = {origin: len(leaves) for origin, leaves in hq.journals().items() if f"/{who}/" in origin}
            done = revoke(hq.vault, hq.key("root"), who)
            assert dict(done.sizes) == held
            self.truth.revoked.add(who)
            if friend:
                with self.writing(self.at(who)):
                    self._open(self.at(who), pick, consent=True)
                for sender, to in ((who, friend), (HUB, "auditor-1"), (friend, "auditor-1"), (friend, HUB)):
                    self._carry(sender, to)

    @precondition(lambda self: NEWCOMER not in self.laptops)
    @rule()
    def enrols(self) -> None:
        """One member more."""
        with self.step():
            hq, directory = self.headquarters, self.home / "newcomer"
            ring = enrolled(hq.vault, hq.key("root"), directory, NEWCOMER, Role.RECORDER, self.fleet.stick)
            meet(hq.vault, hq.key(), directory, ring, self.fleet.stick)
            self.fleet.keys[NEWCOMER] = ring
            self.laptops[NEWCOMER] = [Station(self.fleet, NEWCOMER, directory, (NEWCOMER,))]

    # -- the end -------------------------------------------------------------------------------------------------------------

    def teardown(self) -> None:
        """Everybody meets, and what must hold in the end holds."""
        try:
            if not self.broken and self.received:
                for handle in ("director-1", "auditor-1"):
                    self.at(handle)
                check_everything(self.headquarters, self.laptops, self.truth, self._make, self._take, recover)
        finally:
            self.fleet.close()
            shutil.rmtree(self.home)


def recover(station: Station) -> bool:
    """Opens the next epoch, where the present one is closed; whether it was."""
    try:
        done = recover_journal(station.vault, station.key(), PASSPHRASES[station.handle], cost=COST)
    except UsageError:
        return False
    except NotAllowed:
        return False
    station.rings[station.handle] = done.keyring
    return True
