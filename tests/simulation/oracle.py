"""What an import must do, told from the bundle's items and from the model, and compared with what it did."""

from __future__ import annotations

from dataclasses import dataclass

from tests.simulation.truth import Section, Stick, Truth, contradict, root_of, writer
from tests.simulation.world import HUB, Journals, Station
from vault.errors import ForkError, NotAllowed, RollbackError
from vault.model import Origin, Role
from vault.services.arriving import Arrived
from vault.services.replica import Outcome
from vault.store.arrivals import FORK, RESTORED, Arrivals


def receive(station: Station, stick: Stick, truth: Truth, *, again: bool = False) -> Arrived | None:
    """Imports a bundle where somebody works for whom it is, and judges what came of it; None when it was refused for a
    reason that the model knows too. With `again` it is imported twice, and the second time changes nothing."""
    before, locks = station.journals(), station.locks()
    try:
        arrived = station.take(stick.path)
    except NotAllowed:
        assert {stick.sender, station.handle} & truth.revoked, "an honest bundle was turned away"
        assert station.journals() == before
        return None
    except RollbackError:
        # A laptop that forgot a part of the roster does not know who was enrolled in it.
        assert not truth.alone(station.handle), "a laptop that never forgot anything is told that it was restored"
        assert station.journals() == before
        return None
    for origin, size, root in stick.heads:
        station.heard.add((origin, size, root))
    for origin, section in stick.sections.items():
        station.heard.add((origin, len(section.history), root_of(section.history)))
    named = {origin for origin, _, _ in stick.heads}
    truth.show(stick.held.items())
    # Who holds a journal sees both its own history and the one that came.
    truth.show((origin, leaves) for origin, leaves in before.items() if origin in named)
    judge = _Judge(station=station, stick=stick, truth=truth, before=before, locks=locks, arrived=arrived)
    judge.judge()
    if again:
        dump = station.dump()
        second = station.take(stick.path)
        assert station.dump() == dump, "the same bundle changed something when it was imported again"
        assert not any(item.outcome is Outcome.NEW for item in second.journals)
    return arrived


@dataclass(slots=True, kw_only=True)
class _Judge:
    """One import, before and after."""

    station: Station
    stick: Stick
    truth: Truth
    before: Journals
    locks: dict[Origin, str]
    arrived: Arrived

    def judge(self) -> None:
        """Raises AssertionError for whatever is not as it must be."""
        after, locks = self.station.journals(), self.station.locks()
        own = set(self.station.own())
        for origin, leaves in self.before.items():
            assert after[origin][: len(leaves)] == leaves, f"{origin} lost entries by an import"
            assert origin in own or origin in self.stick.sections or after[origin] == leaves
        outcomes = {item.origin: item.outcome for item in self.arrived.journals}
        assert set(outcomes) == set(self.stick.sections)
        for origin, section in self.stick.sections.items():
            self._section(origin, section, outcomes[origin], after.get(origin, []), locks)
        self._heads(locks)
        self._no_honest_writer_is_accused(locks)

    def _section(
        self, origin: Origin, section: Section, outcome: Outcome, after: list[bytes], locks: dict[Origin, str]
    ) -> None:
        ours, theirs = self.before.get(origin, []), section.history
        told = f"{origin}: {outcome.value}, {len(ours)} here, {section.start}..{len(theirs)} came"
        if origin not in self.station.own():
            # (Into one's own journal the import itself enters what was seen.)
            assert list(after) in (list(ours), list(theirs)), f"{told}: neither as it was nor as it came"
            if len(after) > len(ours):
                self.truth.note_elsewhere(origin, len(ours), after[len(ours) :])
        if contradict(ours, theirs):
            assert len(after) == len(ours), f"{told}: entries of a second history were taken"
            if section.start <= len(ours):
                assert outcome is Outcome.FORK, f"{told}: a fork was not named"
                self._named(origin, locks)
            return
        if outcome is Outcome.FORK:
            assert self.truth.forked(origin), f"{told}: an honest journal was called a fork"
            return
        if outcome is Outcome.GAP:
            # Somebody remembers that this member vouched for more than is here: on another laptop, or before.
            assert not self.truth.alone(self.station.handle), f"{told}: a gap where nothing was forgotten"
            assert section.start > len(ours)
        elif outcome is Outcome.INCOMPLETE:
            keeps_parts = self.station.role in (Role.HUB, Role.DIRECTOR)
            whole = self.stick.sender in (writer(origin), HUB)
            assert keeps_parts, f"{told}: nobody here keeps parts"
            assert not whole, f"{told}: parts are missing in a bundle of who has them"
        elif outcome is Outcome.LOCKED:
            assert origin in self.locks, f"{told}: locked for no reason"
        elif outcome is Outcome.CUT_OFF:
            limit = self.station.cut_at(origin)
            assert limit is not None, f"{told}: nobody cut it off"
            assert limit < len(theirs), f"{told}: it ends before it was cut off"
        elif origin not in self.station.own():
            assert list(after) == list(theirs if len(theirs) > len(ours) else ours), f"{told}: what came is not here"
        limit = self.station.cut_at(origin)
        if limit is not None and len(ours) >= limit:
            assert len(after) == len(ours), f"{told}: entries after a revocation were taken"

    def _named(self, origin: Origin, locks: dict[Origin, str]) -> None:
        """A fork that was seen: the journal is under review, with evidence, and the exit code says so."""
        assert self.arrived.code == ForkError.code, f"{origin}: a fork, and exit code {self.arrived.code}"
        assert locks.get(origin) in ({FORK, RESTORED} if origin in self.station.own() else {FORK})
        if locks[origin] == FORK:
            folder = self.station.directory / "evidence" / "-".join(origin.split("/")[2:])
            assert len(list(folder.iterdir())) == 8, f"{origin}: a fork without evidence"

    def _heads(self, locks: dict[Origin, str]) -> None:
        """Every head is remembered, or its journal is under review; and no two that are believed contradict."""
        arrivals = Arrivals(self.station.vault.store)
        for origin, size, root in self.stick.heads:
            ours = self.before.get(origin, [])
            if size <= len(ours) and root_of(ours[:size]) != root and origin not in self.locks:
                self._named(origin, locks)
            remembered = size <= len(ours) or any(at >= size for at, _ in arrivals.heads(origin))
            assert remembered or origin in locks, f"{origin}: a head of {size} entries was forgotten"
        sizes: dict[tuple[Origin, int], set[bytes]] = {}
        for origin, size, root in self.station.heard:
            sizes.setdefault((origin, size), set()).add(root)
        for (origin, size), roots in sizes.items():
            assert len(roots) == 1 or origin in locks, f"{origin}: two heads of {size} entries were believed"
        for origin in self.station.own():
            seen = max((size for name, size, _ in self.station.heard if name == origin), default=0)
            assert seen <= len(self.before.get(origin, [])) or origin in locks, f"{origin}: a rollback went unnoticed"

    def _no_honest_writer_is_accused(self, locks: dict[Origin, str]) -> None:
        for origin, reason in locks.items():
            if reason == FORK:
                assert self.truth.forked(origin), f"{origin} is locked, and it has one history"
            else:
                assert not self.truth.alone(writer(origin)), f"{origin} was never put back"
