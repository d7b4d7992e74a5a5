"""Totals over 100,000 made-up people with 15 years of history: the first export, guard included, and asking again.

The yearly history is written by exporting with the clock of each year, as a director would have done. Each person has
an intake and an outcome. The bare cost is opening every tally part in a plain loop in the same process: no design can
count what it has not opened. Memory is the process's peak, with everything that the benchmark itself made.
"""

from __future__ import annotations

import json
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from random import Random

import vault
from vault.model import Layer, Role
from vault.ports import Environment, SystemClock
from vault.primitives import aead
from vault.primitives.passphrase import KdfCost

PEOPLE = 100_000
YEARS = range(2010, 2025)
PASSPHRASE = "benchmark benchmark benchmark"  # noqa: S105  # of a vault that lives for a few minutes
KIB = 1024


def _lines(count: int) -> Iterator[str]:
    """Two records a person, in parties of one to four."""
    dice = Random(1)
    for number in range(count):
        year, label = dice.choice(YEARS), f"p{number}"
        answers = {
            "sex": dice.choices(["female", "male", "unknown"], [68, 25, 7])[0],
            "age_group": dice.choices(["0-4", "12-17", "18-59", "60+"], [5, 13, 74, 8])[0],
            "travelled_with_family": dice.choices(["yes", "no"], [36, 64])[0],
            "trafficked": dice.choices(["yes", "no", "declined"], [24, 22, 54])[0],
            "consent_statistics": "yes",
            "party": f"party {number // dice.randint(1, 4)}",
        }
        yield json.dumps({"case": label, "type": "intake", **answers})
        reunited = dice.choices(["yes", "no"], [31, 69])[0]
        outcome = {"status": "reached_freedom", "date": f"{year}-06-01", "reunited_with_family": reunited}
        yield json.dumps({"case": label, "type": "outcome", **outcome})


class _Clock(SystemClock):
    """A clock whose day the benchmark sets."""

    day = date(2011, 1, 2)

    def today(self) -> date:
        """The day."""
        return self.day


def _prepare(directory: Path, people: int) -> None:
    """Founds the vault and imports the people: in a process of its own, whose memory is not measured."""
    home, file = directory / "vault", directory / "people.jsonl"
    file.write_text("\n".join(_lines(people)) + "\n", encoding="utf-8")
    vault.found(
        home,
        org="Benchmark",
        passphrase=PASSPHRASE,
        threshold=2,
        shares=3,
        shares_dir=directory / "shares",
        cost=KdfCost(),
    )
    with vault.open_vault(home) as opened:
        root = vault.unlock(opened, "root", PASSPHRASE)
        for handle, role in (("director-1", Role.DIRECTOR), ("field-1", Role.RECORDER)):
            vault.add_member(opened, root, handle=handle, role=role, passphrase=PASSPHRASE, cost=KdfCost())
        vault.import_file(opened, vault.unlock(opened, "field-1", PASSPHRASE), file)


def run(people: int = PEOPLE) -> str:
    """Measures and reports."""
    with tempfile.TemporaryDirectory(prefix="fieldvault-bench-") as name:
        home = Path(name) / "vault"
        child = multiprocessing.get_context("spawn").Process(target=_prepare, args=(Path(name), people))
        child.start()
        child.join()
        clock = _Clock()
        with vault.open_vault(home, replace(Environment.system(), clock=clock)) as opened:
            director = vault.unlock(opened, "director-1", PASSPHRASE)
            number = max(number for number, _ in opened.store.journals())
            started = time.perf_counter()
            parts = [raw for _, raw in opened.store.parts(number, Layer.TALLY)]
            key, aad = bytes(32), bytes(110)
            for raw in parts:
                aead.seal(key, raw[: len(raw) - aead.OVERHEAD], aad)
            bare = time.perf_counter() - started
            times = []
            for year in YEARS:
                clock.day = date(year + 1, 1, 2)
                started = time.perf_counter()
                vault.export_table(opened, director, "all_years")
                times.append(time.perf_counter() - started)
            started = time.perf_counter()
            release = vault.export_table(opened, director, "all_years")
            again = time.perf_counter() - started
        printed = sum(cell.value is not None for cell in release.cells)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB
        return (
            f"totals: {people:,} people, {len(YEARS)} yearly exports: longest {max(times):.1f} s "
            f"({max(times) / bare:.1f} times the bare sealing of {len(parts):,} parts), last {times[-1]:.1f} s; "
            f"asked again {again:.2f} s; {printed} figures; peak {peak:,.0f} MiB"
        )
