"""What holds when everybody has met: nothing honest is lost, nothing dishonest unnamed, and totals are the truth."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from tests.canary_scanner import holds_canary
from tests.organisation import Thief
from tests.services.handing import HandingThief
from tests.simulation.truth import Entry, Stick, Truth, writer
from tests.simulation.world import HUB, Journals, Station
from vault.errors import RollbackError
from vault.model import Layer, Origin, Role
from vault.services.audit import FOUND_SOMETHING, INTACT_ANCHORED, verify_vault
from vault.services.cases import list_cases
from vault.services.tally_rows import read_rows
from vault.store.arrivals import FORK, Arrivals

SOME = 3
"""Of laptops on which nothing special has happened, so many are audited."""
Make = Callable[..., Stick | None]
Take = Callable[..., None]
Recover = Callable[[Station], bool]


def check_everything(
    headquarters: Station, laptops: Mapping[str, list[Station]], truth: Truth, make: Make, take: Take, recover: Recover
) -> None:
    """Lets everybody meet, and then raises AssertionError for whatever is not as it must be."""
    ending = Ending(headquarters, laptops, truth)
    ending.meet(make, take, recover)
    ending.nothing_honest_is_lost()
    ending.audits_accuse_nobody_honest()
    ending.totals_are_the_truth()
    ending.who_has_a_case_reads_it()
    ending.givers_read_nothing_new()
    ending.a_thief_opens_nothing()


class Ending:
    """The organisation after the last step of a schedule."""

    def __init__(self, headquarters: Station, laptops: Mapping[str, list[Station]], truth: Truth) -> None:
        self.hq, self.truth = headquarters, truth
        self.others = [
            (handle, which, station)
            for handle, found in laptops.items()
            if handle != HUB and handle not in truth.revoked
            for which, station in enumerate(found)
        ]
        self.sent: dict[str, Journals] = {}

    def meet(self, make: Make, take: Take, recover: Recover) -> None:
        """Everybody visits headquarters, and headquarters visits everybody, until nothing but heads is new: once to
        tell and to begin anew where that must be, and once for what is owed after that."""
        for last in (False, True):
            owing = [item for item in self.others if not last or self._owes(item[0])]
            for handle, which, _ in owing:
                self._carry(make, take, handle, which, HUB, 0)
            readers = [item for item in self.others if not last or item in owing or item[2].role is not Role.RECORDER]
            for handle, which, station in readers:
                forgot = not self.truth.alone(handle)
                self._carry(make, take, HUB, 0, handle, which, full=forgot)
                if forgot and which == 0 and not last:
                    recover(station)

    def _owes(self, handle: str) -> bool:
        """Whether a member may have something new to tell after the first round."""
        offers = self.truth.offers.values()
        return not self.truth.alone(handle) or any(handle in (offer.giver, offer.taker) for offer in offers)

    def _carry(
        self, make: Make, take: Take, sender: str, which: int, to: str, target: int, *, full: bool = False
    ) -> None:
        stick = make(sender, which, to, full=full)
        if stick is not None:
            take(stick, target)
            if to == HUB:
                name = next(item.name for handle, number, item in self.others if (handle, number) == (sender, which))
                self.sent[name] = {origin: list(leaves) for origin, leaves in stick.held.items()}

    # -- entries -------------------------------------------------------------------------------------------------------

    def nothing_honest_is_lost(self) -> None:
        """What an honest laptop holds of its own, and what ever came to another, is at headquarters byte by byte; what
        was lost with its only copy is at least known to be missing."""
        held = self.hq.journals()
        for _, _, station in self.others:
            for origin in station.own():
                sent = self.sent.get(station.name, {}).get(origin, [])
                if self.truth.forked(origin) or not sent:
                    continue
                assert list(held[origin][: len(sent)]) == list(sent), f"headquarters lacks entries of {origin}"
                self._sealed_alike(station, origin, len(sent))
        for origin, entries in self.truth.elsewhere.items():
            if self.truth.forked(origin) or writer(origin) in self.truth.revoked:
                continue
            here = held.get(origin, [])
            known = max(len(here), Arrivals(self.hq.vault.store).largest_head(origin))
            for at, leaf in entries.items():
                assert at >= len(here) or here[at] == leaf, f"{origin}:{at} is another entry at headquarters"
                assert at < len(here) or not self.truth.alone(writer(origin)), f"{origin}:{at} is lost"
                assert at < known, f"{origin}:{at} is lost, and nobody knows"

    def _sealed_alike(self, station: Station, origin: Origin, size: int) -> None:
        """Parts are where the entries are, and wraps but those of offers that were taken back."""
        here, there = (
            Arrivals(item.vault.store).parts(item.vault.journal_number(origin), 0, size, tuple(Layer))
            for item in (station, self.hq)
        )
        assert set(here) <= set(there), f"headquarters lacks sealed parts of {origin}"
        mine, theirs = (
            Arrivals(item.vault.store).wraps(item.vault.journal_number(origin), 0, size) for item in (station, self.hq)
        )
        assert set(mine) <= set(theirs), f"headquarters lacks wraps of {origin}"

    # -- verdicts ------------------------------------------------------------------------------------------------------

    def audits_accuse_nobody_honest(self) -> None:
        """The keyless audit finds something exactly where a fork is under review, and names its anchor elsewhere."""
        few = [
            item
            for at, item in enumerate(self.others)
            if at < SOME or item[2].role is not Role.RECORDER or not self.truth.alone(item[0])
        ]
        for handle, which, station in [(HUB, 0, self.hq), *few]:
            report = verify_vault(station.directory)
            named = {origin for origin, reason in station.locks().items() if reason == FORK}
            if not self.truth.alone(handle):
                named |= self._may_be_forgotten(station, whole=which == 0)
            for finding in report.findings:
                quiet = finding.level == "notice" or any(name in finding.where + finding.message for name in named)
                assert quiet, f"{station.name}: {finding}"
            if report.verdict == FOUND_SOMETHING or handle == HUB or which:
                continue
            current = station.own()[-1]
            witnessed = next(item.witnessed for item in station.vault.journals() if item.origin == current)
            assert (report.verdict == INTACT_ANCHORED) == (witnessed > 0), f"{station.name}: {report.verdict}"
            assert witnessed > 0 or self.truth.forked(current), f"{station.name} has no receipt"

    @staticmethod
    def _may_be_forgotten(station: Station, *, whole: bool) -> set[Origin]:
        """The journals of which a laptop that forgot, or a clone, may lack what its member vouched for: a recorder gets
        back from headquarters their own and what has to do with them, the others from who wrote them."""
        vouched = {origin for origin, _, _ in station.heard}
        if not whole:
            return vouched
        if station.role is not Role.RECORDER:
            return set()
        return {origin for origin in vouched if writer(origin) not in (HUB, "root", station.handle)}

    # -- totals --------------------------------------------------------------------------------------------------------

    def totals_are_the_truth(self) -> None:
        """The director counts every person whose record they hold once, and says of them what was said last."""
        director = next(station for handle, _, station in self.others if handle == "director-1")
        held = {
            origin: leaves[: director.cut_at(origin)]
            for origin, leaves in director.journals().items()
            if director.vault.roster.member(writer(origin)).role is Role.RECORDER
        }
        self._has_what_headquarters_has(director, held)
        entries = {
            leaf: self.truth.entries[leaf] for leaves in held.values() for leaf in leaves if leaf in self.truth.entries
        }
        try:
            rows = read_rows(director.vault, director.key(), list(held))
        except RollbackError as error:
            origin, seq = re.findall(r"(fieldvault/\S+):([0-9]+)", error.message)[1]
            assert int(seq) >= len(held.get(Origin(origin), [])), "the director is told of a gap that is none"
            return
        records = {leaf: entry for leaf, entry in entries.items() if entry.amends is None}
        places = {f"{origin}:{seq}": leaf for origin, leaves in held.items() for seq, leaf in enumerate(leaves)}
        assert len(rows) == len(records), f"{len(rows)} rows for {len(records)} records"
        tokens: dict[int, set[bytes]] = {}
        for row in rows:
            entry = entries[places[row.place]]
            tokens.setdefault(entry.case, set()).add(row.token)
            if entry.type == "intake":
                self._says(row.values, entries, places[row.place], entry, held)
        assert all(len(found) == 1 for found in tokens.values()), "one person is counted twice"
        assert len({row.token for row in rows}) == len({entry.case for entry in records.values()})

    def _has_what_headquarters_has(self, director: Station, held: Mapping[Origin, list[bytes]]) -> None:
        """What headquarters sent last has come, but of journals under review."""
        locks = {*director.locks(), *self.hq.locks()}
        for origin, leaves in self.hq.journals().items():
            if origin in held and origin not in locks:
                wanted = leaves[: director.cut_at(origin)]
                assert held[origin][: len(wanted)] == wanted, f"the director lacks entries of {origin}"

    @staticmethod
    def _says(
        values: Mapping[str, object],
        entries: Mapping[bytes, Entry],
        latest: bytes,
        entry: Entry,
        held: Mapping[Origin, list[bytes]],
    ) -> None:
        """The row's values are those of the version that counts: with one line of amendments, the last."""
        root = entry.amends or latest
        versions = [
            (origin, entries[leaf])
            for origin, leaves in held.items()
            for leaf in leaves
            if leaf in entries and (leaf == root or entries[leaf].amends == root)
        ]
        if len({origin for origin, _ in versions}) == 1:
            wanted = versions[-1][1].values
            assert {name: values[name] for name in wanted} == dict(wanted), "a total says what was corrected since"
        else:
            assert any(values["sex"] == version.values["sex"] for _, version in versions)

    # -- who reads what ------------------------------------------------------------------------------------------------

    def who_has_a_case_reads_it(self) -> None:
        """On no honest laptop an entry of a case is damaged or missing."""
        for handle, which, station in self.others:
            if station.role is Role.RECORDER and which == 0 and self.truth.alone(handle):
                list_cases(station.vault, station.key())

    def givers_read_nothing_new(self) -> None:
        """Who gave a case away has no key, in all that headquarters holds, for what its taker wrote since."""
        held = {leaf: (origin, seq) for origin, leaves in self.hq.journals().items() for seq, leaf in enumerate(leaves)}
        hidden = [
            (held[leaf], entry) for leaf, entry in self.truth.entries.items() if entry.hidden_from and leaf in held
        ]
        for handle in sorted({name for _, entry in hidden for name in entry.hidden_from}):
            rings = [station.key() for name, _, station in self.others if name == handle]
            secret = {place for place, entry in hidden if handle in entry.hidden_from}
            if not rings:
                continue
            self.hq.close()
            thief = HandingThief(self.hq.directory, rings)
            mine = {ring.member.key_id for ring in rings} | {c.key_id for ring in rings for c in ring.compartments}
            thief.wraps = [wrap for wrap in thief.wraps if wrap[3] in mine]
            thief.parts = [part for part in thief.parts if (part[0], part[1]) in secret and part[2] is not Layer.TALLY]
            opened = [item for item in thief.opened() if item.what == "part" and (item.origin, item.seq) in secret]
            self.hq.vault = type(self.hq.vault).open(self.hq.directory, self.hq.environment)
            assert not opened, f"{handle} reads what was written after the case had passed on: {opened[0].origin}"

    def a_thief_opens_nothing(self) -> None:
        """A stolen directory holds no word of what was recorded, and opens with nothing that lies in it."""
        station = self.others[0][2]
        station.close()
        public = [raw for member in self.hq.vault.members for raw in (member.keys.signing, member.keys.sealing[:32])]
        assert Thief(station.directory, seeds=public).opened() == []
        assert not _speaking(station.directory)
        station.vault = type(station.vault).open(station.directory, station.environment)


def _speaking(directory: Path) -> Iterable[Path]:
    """The files that hold something of what was recorded."""
    return [path for path in directory.rglob("*") if path.is_file() and holds_canary(path.read_bytes())]
