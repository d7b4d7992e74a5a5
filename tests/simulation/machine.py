"""The simulated organisation as a state machine: what mishaps, takers of cases and headquarters do to it."""

from __future__ import annotations

import shutil
from contextlib import suppress

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.organisation import COST, PASSPHRASES, canary
from tests.simulation.ending import check_everything
from tests.simulation.people import PICK, WHO, Organisation
from tests.simulation.truth import Offered
from tests.simulation.world import HUB, NEWCOMER, RECORDERS, Station, enrolled, meet
from vault.errors import NotAllowed, UsageError
from vault.model import Origin, Role
from vault.services.answering import accept_offer, reject_offer
from vault.services.handing import end_referral, offer_referral, offer_transfer, revoke_offer
from vault.services.handing_desk import Handed
from vault.services.offer_list import list_offers
from vault.services.offers import State
from vault.services.recovering import recover_journal
from vault.services.revoking import revoke


class Simulation(Organisation):
    """One schedule. What is checked after each step is in `oracle.py`; what holds in the end, in `ending.py`."""

    # -- mishaps -------------------------------------------------------------------------------------------------------

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

    # -- cases pass on -------------------------------------------------------------------------------------------------

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
            if not (before or NEWCOMER in (taker, station.handle)):
                raise AssertionError("an offer is refused") from error
            return
        offered = Offered(case=case, giver=station.handle, taker=taker, transfer=transfer)
        self.truth.offer(self.leaf(station, handed.origin, handed.seq), offered)

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
        line, named = able[pick % len(able)], list[str]()
        with self.writing(station):
            if not accept:
                reject_offer(station.vault, station.key(), line.name, "no room")
            else:
                handed = accept_offer(station.vault, station.key(), line.name)
                self.truth.accept(self._offer_leaf(station, handed), handed.pseudonym)
                named.append(handed.pseudonym)
        return named[0] if named else ""

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

    # -- headquarters --------------------------------------------------------------------------------------------------

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

    # -- the end -------------------------------------------------------------------------------------------------------

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
