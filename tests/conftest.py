"""What every suite shares: how much hypothesis tries, an organisation to work in, and laptops with a stick."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.laptops import Fleet, Laptop, fleet_of, record
from tests.organisation import Organisation, Template, build_template
from tests.services.travelling import Travelling
from vault.primitives import passphrase
from vault.primitives.hashing import sha256

# No deadline: a shared machine is slow at times, and that is no defect. `HYPOTHESIS_PROFILE=long` is what
# `make test-long` sets. Everywhere else the examples follow from the test alone, so that a failure repeats.
settings.register_profile("default", deadline=None, max_examples=50, derandomize=True, database=None)
settings.register_profile("ci", settings.get_profile("default"))
settings.register_profile(
    "long", deadline=None, max_examples=2_000, derandomize=False, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(scope="session", autouse=True)
def each_passphrase_once() -> Iterator[None]:
    """Argon2id is worked out once for each passphrase, salt and cost: most tests work with copies of the same key
    files, and it was two thirds of their time. Not where a machine is measured by it."""
    real = passphrase.stretch
    known = cache(real)

    def stretch(text: str, salt: bytes, cost: passphrase.KdfCost) -> bytes:
        return (known if any(salt) else real)(text, salt, cost)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passphrase, "stretch", stretch)
        yield


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """A founded organisation, made once; never write to it, copy it (or take `org`)."""
    return build_template(tmp_path_factory.mktemp("template"))


@pytest.fixture
def org(template: Template, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Organisation]:
    """An organisation of one's own, open, everybody unlocked."""
    organisation = Organisation(template, tmp_path, request.node.nodeid)
    yield organisation
    organisation.close()


@pytest.fixture
def fleet(template: Template, tmp_path: Path) -> Iterator[Fleet]:
    """Several laptops and one stick."""
    yield from fleet_of(template, tmp_path)


@pytest.fixture
def hub(fleet: Fleet) -> Laptop:
    """Headquarters' laptop, with root's key."""
    return fleet.laptop("hq", "hub-1", "root")


@pytest.fixture
def one(fleet: Fleet) -> Laptop:
    """field-1's laptop, with nothing recorded yet."""
    return fleet.laptop("one", "field-1")


@pytest.fixture
def two(fleet: Fleet) -> Laptop:
    """field-2's, likewise."""
    return fleet.laptop("two", "field-2")


@pytest.fixture
def travelling(fleet: Fleet) -> Travelling:
    """A recorder who is about to leave, with two records."""
    return Travelling(fleet)


@pytest.fixture
def field(fleet: Fleet) -> Laptop:
    """A recorder's laptop with four records: five entries."""
    laptop = fleet.laptop("field", "field-1")
    record(laptop, "field-1", 4)
    return laptop


@pytest.fixture
def quick_passphrases(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hash in place of Argon2id, for tests that found or enrol again and again and are about something else."""

    def quick(text: str, salt: bytes, cost: passphrase.KdfCost) -> bytes:
        return sha256(b"for tests" + salt + passphrase.normalise(text))

    monkeypatch.setattr(passphrase, "stretch", quick)
