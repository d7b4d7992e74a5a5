"""Random schedules of a whole organisation: no honest entry is lost, every dishonest one is named, totals are true.

Ten schedules run always, two hundred with `make test-long`, in four runs so that two workers share them. Controls
break the program on purpose, and the same machine must notice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.simulation.machine import Simulation
from tests.simulation.world import World, build_world
from vault.primitives import passphrase
from vault.primitives.hashing import sha256

STEPS = 24


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The organisation, founded once."""
    with pytest.MonkeyPatch.context() as patch:
        hurry(patch)
        made = build_world(tmp_path_factory.mktemp("world"))
    yield made


def hurry(patch: pytest.MonkeyPatch) -> None:
    """A hash in place of Argon2id."""

    def quick(text: str, salt: bytes, cost: passphrase.KdfCost) -> bytes:
        return sha256(b"for tests" + salt + passphrase.normalise(text))

    patch.setattr(passphrase, "stretch", quick)


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
