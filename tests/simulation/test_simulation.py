"""Random schedules of a whole organisation: no honest entry is lost, every dishonest one is named, totals are true.

Ten schedules run always, two hundred with `make test-long`, in four runs so that two workers share them. Controls
break the program on purpose, and the same machine must notice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.laptops import Fleet
from tests.simulation.machine import Simulation, recover
from tests.simulation.world import HUB, Station, World, build_world
from vault.disclosure.people import TallyRow
from vault.errors import VaultError
from vault.formats.wraps import Segment
from vault.primitives import passphrase
from vault.primitives.hashing import sha256
from vault.services import answering, drafting, witness
from vault.services.cases import list_cases
from vault.services.drafting import CaseKeys, Desk
from vault.services.learning import _Learning
from vault.services.records import open_case
from vault.services.replica import Outcome, Section
from vault.services.tally_fold import TallyFold
from vault.services.witness import cosign_head
from vault.store.arrivals import Arrivals

STEPS = 20


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The organisation, founded once."""
    with pytest.MonkeyPatch.context() as patch:
        hurry(patch)
        return build_world(tmp_path_factory.mktemp("world"))


def hurry(patch: pytest.MonkeyPatch) -> None:
    """A hash in place of Argon2id, and each member's verifier key made once: it follows from the member alone."""

    def quick(text: str, salt: bytes, cost: passphrase.KdfCost) -> bytes:
        return sha256(b"for tests" + salt + passphrase.normalise(text))

    patch.setattr(passphrase, "stretch", quick)
    patch.setattr(witness, "cosigner_key", lru_cache(maxsize=1000)(witness.cosigner_key))


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """In every test here."""
    hurry(monkeypatch)


def run(world: World, schedules: int, number: int, phases: Iterable[Phase] = tuple(Phase)) -> None:
    """Runs so many schedules, the same ones every time."""

    class Schedule(Simulation):
        def __init__(self) -> None:
            super().__init__(world)

    bounded = settings(
        max_examples=schedules,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        phases=tuple(phases),
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(seed(number)(Schedule), settings=bounded)


def test_ten_schedules(world: World) -> None:
    """Whatever people, mishaps and thieves do, what is honest is kept, and what is not is named."""
    run(world, 10, 0)


@pytest.mark.long
@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_two_hundred_schedules(world: World, number: int) -> None:
    """The same, at length."""
    run(world, 50, number, phases=[Phase.generate])


# -- controls: a broken program is noticed -----------------------------------------------------------------------------


def never_a_fork(patch: pytest.MonkeyPatch) -> None:
    """Entries of a second history are compared with ours, and the answer is passed over."""
    compare = Section._compare_with_ours

    def blind(section: Section) -> None:
        compare(section)
        if section.outcome is Outcome.FORK:
            section.outcome = Outcome.NOTHING_NEW

    patch.setattr(Section, "_compare_with_ours", blind)


def cosigns_what_it_heard_of(patch: pytest.MonkeyPatch) -> None:
    """Whoever hears of a head vouches for entries that they do not hold."""
    cosigned = _Learning.cosigned

    def rash(learning: _Learning) -> Iterator[bytes]:
        me = learning.me
        yield from cosigned(learning)
        for head in learning.heard.values():
            if head.writer not in learning.own:
                yield cosign_head(learning.roster, me.member, me.signing_seed, head.note, learning.vault.day)

    patch.setattr(_Learning, "cosigned", rash)


def remembers_no_heads(patch: pytest.MonkeyPatch) -> None:
    """Heads are looked at when they come, and forgotten."""
    patch.setattr(Arrivals, "add_head", lambda *_: None)


def believes_the_revoked(patch: pytest.MonkeyPatch) -> None:
    """Entries after a revocation count like others."""
    patch.setattr(Section, "_void", lambda *_: False)


def keeps_the_key(patch: pytest.MonkeyPatch) -> None:
    """Who accepts a case goes on with the key that its giver has."""
    plain = drafting.case_wraps

    def lazy(desk: Desk, keys: CaseKeys, earlier: tuple[Segment, ...], names: tuple[Segment, ...]) -> Any:  # noqa: ANN401
        newest = earlier[-1].key if earlier else keys.case_key
        return plain(desk, replace(keys, case_key=newest), earlier, names)

    patch.setattr(answering, "case_wraps", lazy)


def counts_a_case_anew(patch: pytest.MonkeyPatch) -> None:
    """Every record of another member's is another person."""
    rows = TallyFold.rows

    def doubled(fold: TallyFold) -> list[TallyRow]:
        return [replace(row, token=bytes([row.journal]) + row.token[1:]) for row in rows(fold)]

    patch.setattr(TallyFold, "rows", doubled)


CONTROLS = [
    never_a_fork,
    cosigns_what_it_heard_of,
    remembers_no_heads,
    believes_the_revoked,
    keeps_the_key,
    counts_a_case_anew,
]


def _noticed(world: World, patch: pytest.MonkeyPatch, breaks: Callable[[pytest.MonkeyPatch], None]) -> None:
    """The schedules are those of the first run above, in which nothing is found while nothing is broken."""
    breaks(patch)
    with pytest.raises((AssertionError, VaultError)):
        run(world, 50, 1, phases=[Phase.generate])


def test_a_program_without_memory_is_noticed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The quickest of the controls."""
    _noticed(world, monkeypatch, remembers_no_heads)


@pytest.mark.long
@pytest.mark.parametrize("breaks", CONTROLS)
def test_a_broken_program_is_noticed(
    world: World, monkeypatch: pytest.MonkeyPatch, breaks: Callable[[pytest.MonkeyPatch], None]
) -> None:
    """Within fifty schedules, whatever is broken."""
    _noticed(world, monkeypatch, breaks)


# -- what the machine found --------------------------------------------------------------------------------------------


def test_a_laptop_restored_before_its_recovery_takes_back_what_it_lost(world: World, tmp_path: Path) -> None:
    """Restored, recovered, and then the same old copy once more, key file and all: headquarters sends back both epochs;
    what the old key file has no key of is named, hides nothing, and the next epoch goes on."""
    fleet = Fleet(world.template, tmp_path)
    hq, field = (Station(fleet, handle, world.homes[handle], (handle,)) for handle in (HUB, "field-1"))
    field.back_up()
    for _ in range(2):
        open_case(field.vault, field.key(), {"name": "somebody", "sex": "female"})
        hq.take(field.bundle(HUB))
        field.restore(field.backups[0])
        field.take(hq.bundle("field-1"))
        recover(field)
    field.restore(field.backups[0])
    try:
        field.take(hq.bundle("field-1", full=True))
        assert [origin[-1] for origin in field.vault.epochs_without_key(field.key())] == ["2"]
        recover(field)
        open_case(field.vault, field.key(), {"name": "somebody", "sex": "female"})
        assert [origin[-1] for origin in field.vault.epochs_without_key(field.key())] == ["2"]
        assert len(list_cases(field.vault, field.key())) == 2
    finally:
        fleet.close()
