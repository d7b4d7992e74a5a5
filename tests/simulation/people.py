"""The simulated organisation at work: who records what, on which laptop, and which sticks go where."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from tests.laptops import Fleet, items_of
from tests.organisation import canary
from tests.simulation.oracle import receive
from tests.simulation.truth import Entry, Stick, Truth
from tests.simulation.world import HUB, NEWCOMER, RECORDERS, Station, World
from vault.errors import ForkError, NotAllowed, RollbackError, UsageError
from vault.model import Origin
from vault.services.cases import list_cases, show_case
from vault.services.records import Saved, amend, open_case, record

# A few people do most of the work: so that what they do meets.
WHO = st.sampled_from(["field-1"] * 5 + ["field-2"] * 4 + ["field-3"] * 2 + [*RECORDERS[3:], NEWCOMER])
ANYBODY = st.one_of(WHO, st.sampled_from([HUB, HUB, HUB, "director-1", "auditor-1"]))
PICK = st.integers(0, 1000)
RARELY = st.integers(0, 5).map(lambda number: number == 5)


class Organisation(RuleBasedStateMachine):
    """The laptops of one schedule, the sticks that were made, and what is true."""

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
        self.broken = True
        yield
        self.broken = False

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
            if not (known or {handle, other} & self.truth.revoked):
                raise AssertionError(f"{handle} may not write") from error

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

    def _owner(self, whose: int) -> tuple[Station, str]:
        """Somebody who opened or was given a case, and its name there; no name where it is not on their laptop now."""
        names = sorted(self.truth.names)
        handle, pseudonym = names[whose % len(names)]
        station = self.at(handle)
        known = [line.pseudonym for line in list_cases(station.vault, station.key(), damaged=[])]
        return station, pseudonym if pseudonym in known else ""

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
            path = station.bundle(to, full=full)
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
