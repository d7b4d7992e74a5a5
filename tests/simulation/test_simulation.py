"""Random schedules of a whole organisation: no honest entry is lost, every dishonest one is named, totals are true.

Ten schedules run always, two hundred with `make test-long`, in four runs so that two workers share them. Controls
break the program on purpose, and the same machine must notice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.simulation.machine import Simulation
from tests.simulation.world import World, build_world
from vault.disclosure.people import TallyRow
from vault.errors import VaultError
from vault.formats.wraps import Segment
from vault.primitives import passphrase
from vault.primitives.hashing import sha256
from vault.services import answering, witness
from vault.services.drafting import CaseKeys, Desk
from vault.services.learning import _Learning
from vault.services.replica import Outcome, Section
from vault.services.tally_fold import TallyFold
from vault.services.witness import cosign_head
from vault.store.arrivals import Arrivals

STEPS = 24


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The organisation, founded once."""
    with pytest.MonkeyPatch.context() as patch:
        hurry(patch)
        made = build_world(tmp_path_factory.mktemp("world"))
    yield made


def hurry(patch: pytest.MonkeyPatch) -> None:
    """A hash in place of Argon2id, and each member's verifier key made once: it follows from the member alone."""

    def quick(text: str, salt: bytes, cost: passphrase.KdfCost) -> bytes:
        return sha256(b"for tests" + salt + passphrase.normalise(text))

    patch.setattr(passphrase, "stretch", quick)
    patch.setattr(witness, "cosigner_key", lru_cache(maxsize=1000)(witness.cosigner_key))


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


def run(world: World, schedules: int, number: int, phases: Iterable[Phase] = tuple(Phase)) -> None:
    """Runs so many schedules, the same ones every time."""

    def made() -> Simulation:
        return Simulation(world)

    bounded = settings(
        max_examples=schedules,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        phases=tuple(phases),
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(seed(number)(made), settings=bounded)


def test_ten_schedules(world: World) -> None:
    """Whatever people, mishaps and thieves do, what is honest is kept, and what is not is named."""
    run(world, 10, 0)


@pytest.mark.long
@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_two_hundred_schedules(world: World, number: int) -> None:
    """The same, at length."""
    run(world, 50, number)


# -- controls: a broken program is noticed -------------------------------------------------------------------------------


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
    patch.setattr(Section, "_limit", lambda _: None)


def keeps_the_key(patch: pytest.MonkeyPatch) -> None:
    """Who accepts a case goes on with the key that its giver has."""
    plain = answering.case_wraps

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
    breaks(patch)
    with pytest.raises((AssertionError, VaultError)):
        run(world, 50, 7, phases=[Phase.generate])


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
