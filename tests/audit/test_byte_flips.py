"""Changing any single byte of a vault: the audit finds it, or the byte meant nothing.

"Nothing" is decided by tests/faults/pages.py, which shares no code with the program. The audit runs in a process "
"of its own
with limits on time and memory, and must leave the database as it found it.
"""

# ruff: noqa: S608  # the intruder of these tests writes SQL with names from our own lists

from __future__ import annotations

import shutil
from pathlib import Path
from random import Random

import pytest

from tests.faults import flipping, pages
from tests.faults.auditing import Answer, AuditHung, Auditor
from tests.faults.building import complete, environment, intruder, raw
from vault.services.records import record
from vault.services.vault import Vault

SEED = 20261101
PER_FLIP = 10.0
"""Seconds that one audit of the small vault may take; it takes about a hundredth of one."""


def _sweep(tmp_path: Path, count: int, seed: int) -> flipping.Tally:
    original = complete().directory
    page_map = pages.map_of(original / flipping.DATABASE)
    with Auditor(PER_FLIP) as auditor:
        return flipping.run(auditor, original, tmp_path / "flipped", flipping.draw(page_map, count, seed))


def test_a_flipped_byte_is_found_or_meant_nothing(tmp_path: Path) -> None:
    """150 seeded places: a finding, or a byte that an independent reader calls free; never an exception or a hang."""
    tally = _sweep(tmp_path, 150, SEED)
    assert not tally.errors
    assert tally.outcomes["found"] > 90


@pytest.mark.long
def test_two_thousand_flipped_bytes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """2,000 seeded places, with the same judge; the counts are shown."""
    tally = _sweep(tmp_path, 2_000, SEED + 1)
    with capsys.disabled():
        print(f"\nbyte flips: {tally}")  # noqa: T201  # the figure is the result of this test
    assert not tally.errors
    assert tally.outcomes["found"] > 1_200


def test_every_header_byte_is_checked(tmp_path: Path) -> None:
    """Each of the 100 header bytes, but for the schema cookie and the writer's version number, is a finding when
    changed."""
    original = complete().directory
    flips = (flipping.Flip(place=place, mask=mask) for place in range(100) for mask in (0x01, 0x80))
    with Auditor(PER_FLIP) as auditor:
        tally = flipping.run(auditor, original, tmp_path / "flipped", flips)
    assert not tally.errors
    assert tally.outcomes["meaningless"] == 2 * len(pages.DONT_CARE)


def test_the_vault_under_test_has_every_kind_of_page() -> None:
    """The flips would prove little on a vault without interior, overflow or free pages, or with an empty table."""
    built = complete()
    page_map = pages.map_of(built.directory / flipping.DATABASE)
    assert set(page_map.kinds.values()) == {"leaf", "interior", "overflow", "free trunk", "free page"}
    connection = raw(built.directory)
    try:
        for table in ("setting", "journal", "leaf", "node", "checkpoint", "part", "wrap", "codebook"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchall() > [(0,)]
        assert connection.execute("SELECT count(*) FROM journal").fetchall() == [(7,)]
    finally:
        connection.close(True)


def test_the_judge_is_not_blind(tmp_path: Path) -> None:
    """Negative control: an auditor that calls everything intact fails at every byte that says something."""

    class Blind(Auditor):
        def audit(self, directory: Path) -> Answer:
            return Answer(verdict="intact, NOT anchored")

    original = complete().directory
    page_map = pages.map_of(original / flipping.DATABASE)
    with Blind() as auditor:
        tally = flipping.run(auditor, original, tmp_path / "flipped", flipping.draw(page_map, 60, SEED))
    assert tally.outcomes["error"] > 35
    assert tally.outcomes["meaningless"] > 5


def test_the_judge_sees_an_exception_a_hang_and_a_write(tmp_path: Path) -> None:
    """Negative control: an audit that raises, hangs or writes is an error of the sweep, also at a free byte."""
    original = complete().directory
    page_map = pages.map_of(original / flipping.DATABASE)
    free = next(i for i in range(len(page_map.data)) if not page_map.meaningful(i) and i > 200)

    class Raising(Auditor):
        def audit(self, directory: Path) -> Answer:
            return Answer(verdict="raised", raised="TypeError")

    class Hanging(Auditor):
        def audit(self, directory: Path) -> Answer:
            raise AuditHung("no answer")

    class Writing(Auditor):
        def audit(self, directory: Path) -> Answer:
            (directory / flipping.DATABASE).write_bytes(b"")
            return Answer(verdict="finding")

    for number, kind in enumerate((Raising, Hanging, Writing)):
        with kind() as auditor:
            flips = iter([flipping.Flip(place=free, mask=1)])
            tally = flipping.run(auditor, original, tmp_path / f"flipped-{number}", flips)
        assert tally.outcomes == {"error": 1}


def test_a_senseless_wal_does_not_hide_a_changed_header(tmp_path: Path) -> None:
    """A -wal without one valid frame changes nothing about what the header must hold."""
    work = complete().copy(tmp_path / "vault")
    data = bytearray((work / flipping.DATABASE).read_bytes())
    data[68] ^= 0xFF
    (work / flipping.DATABASE).write_bytes(data)
    (work / "vault.db-wal").write_bytes(b"senseless")
    with Auditor(PER_FLIP) as auditor:
        assert auditor.audit(work).found


def test_truncated_and_lengthened(tmp_path: Path) -> None:
    """A database cut at any length, or with bytes added, is a finding, and the audit ends."""
    work = complete().copy(tmp_path / "vault")
    database = work / flipping.DATABASE
    data = database.read_bytes()
    random = Random(SEED)
    lengths = {0, 1, 15, 16, 99, 100, 101, 511, 512, 4095, 4096, 4097, 8192, len(data) - 4096, len(data) - 1}
    lengths |= {random.randrange(len(data)) for _ in range(25)}
    lengths |= {random.randrange(len(data) // pages.PAGE) * pages.PAGE for _ in range(25)}
    with Auditor(PER_FLIP) as auditor:
        for content in [data[:length] for length in sorted(lengths)] + [data + b"\x00", data + bytes(4096)]:
            database.write_bytes(content)
            answer = auditor.audit(work)
            assert answer.found, len(content)
            assert database.read_bytes() == content


def test_every_page_zeroed_or_swapped(tmp_path: Path) -> None:
    """Each page overwritten with zeros, or with its neighbour's content, is a finding unless it was a free page."""
    work = complete().copy(tmp_path / "vault")
    database = work / flipping.DATABASE
    page_map = pages.map_of(database)
    data = page_map.data
    with Auditor(PER_FLIP) as auditor:
        for page, kind in sorted(page_map.kinds.items()):
            start = (page - 1) * pages.PAGE
            neighbour = start + pages.PAGE if start + pages.PAGE < len(data) else start - pages.PAGE
            for content in (bytes(pages.PAGE), data[neighbour : neighbour + pages.PAGE]):
                database.write_bytes(data[:start] + content + data[start + pages.PAGE :])
                assert auditor.audit(work).found == (kind != "free page"), (page, kind)


def test_flips_in_key_files_are_found(tmp_path: Path) -> None:
    """Every tenth byte of a key file flipped, and a key file cut short or lengthened: always a finding."""
    work = complete().copy(tmp_path / "vault")
    random = Random(SEED)
    path = work / "keys" / "field-1.key"
    data = path.read_bytes()
    damaged = [data[:i] + bytes([data[i] ^ random.randrange(1, 256)]) + data[i + 1 :] for i in range(0, len(data), 10)]
    damaged += [b"", data[:1], data[:-1], data + b"\x00", data + data, bytes(len(data))]
    with Auditor(PER_FLIP) as auditor:
        for content in damaged:
            path.write_bytes(content)
            answer = auditor.audit(work)
            assert answer.found
            assert {item["where"] for item in answer.findings} == {"keys/field-1.key"}
        path.write_bytes(data)
        assert not auditor.audit(work).found


def _with_leftover_wal(target: Path) -> tuple[Path, list[int]]:
    """A vault as a power cut leaves it: the newest three entries lie in the -wal only. Also the sizes on the way."""
    built = complete()
    live = built.copy(target.with_name("live"))
    with Vault.open(live, environment(5)) as vault:
        sizes = [len(list(vault.store.leaves(number))) for number, _ in vault.store.journals()]
        counts = [sum(sizes)]
        for _ in range(3):
            record(vault, built.keys["field-1"], "journey", built.case, {"event": "transit"})
            counts.append(counts[-1] + 1)
        target.mkdir(mode=0o700)
        for name in ("vault.db", "vault.db-wal"):
            shutil.copy(live / name, target / name)
        shutil.copytree(live / "keys", target / "keys")
    return target, counts


def test_a_left_over_wal_is_read(tmp_path: Path) -> None:
    """What lies in a -wal only is audited with the rest, and the -wal stays byte for byte as it was."""
    work, counts = _with_leftover_wal(tmp_path / "cut")
    before = {path.name: path.read_bytes() for path in work.glob("vault.db*")}
    with Auditor(PER_FLIP) as auditor:
        answer = auditor.audit(work)
    assert (answer.verdict, answer.leaves) == ("intact, NOT anchored", counts[-1])
    assert {name: (work / name).read_bytes() for name in before} == before


def test_flips_in_a_left_over_wal_never_mix_states(tmp_path: Path) -> None:
    """A flipped byte of a -wal is a finding, or SQLite drops that commit and what follows: then an earlier signed state
    is seen whole. (It is a rollback to an earlier state, which only an anchor can tell: the verdict says NOT
    anchored.)"""
    work, counts = _with_leftover_wal(tmp_path / "cut")
    wal = work / "vault.db-wal"
    data = wal.read_bytes()
    random = Random(SEED)
    seen: set[int] = set()
    with Auditor(PER_FLIP) as auditor:
        for _ in range(80):
            place = random.randrange(len(data))
            wal.write_bytes(data[:place] + bytes([data[place] ^ random.randrange(1, 256)]) + data[place + 1 :])
            (work / "vault.db-shm").unlink(missing_ok=True)
            answer = auditor.audit(work)
            if not answer.found:
                assert answer.verdict == "intact, NOT anchored"
                assert answer.leaves in counts
                seen.add(answer.leaves)
    assert counts[0] in seen


def test_a_damaged_wal_is_a_rollback_that_only_an_anchor_tells(tmp_path: Path) -> None:
    """DOCUMENTED LIMIT: SQLite stops reading a -wal at the first damaged frame, as it must after a power cut. What was
    acknowledged behind it is gone; what is left is an earlier signed state, and the verdict says NOT anchored."""
    work, counts = _with_leftover_wal(tmp_path / "cut")
    wal = work / "vault.db-wal"
    data = bytearray(wal.read_bytes())
    data[32 + 24 + 100] ^= 1
    wal.write_bytes(bytes(data))
    with Auditor(PER_FLIP) as auditor:
        answer = auditor.audit(work)
    assert answer.leaves == counts[0] < counts[-1]
    assert (answer.verdict, answer.anchor) == ("intact, NOT anchored", None)


def test_a_table_whose_last_row_is_gone_is_a_finding(tmp_path: Path) -> None:
    """Negative control for the page map: SQL that changes rows changes the dump, and the audit agrees."""
    work = complete().copy(tmp_path / "vault")
    rows = pages.dump(work / flipping.DATABASE)
    with intruder(work, "setting") as connection:
        connection.execute("DELETE FROM setting")
    assert pages.dump(work / flipping.DATABASE) != rows
    with Auditor(PER_FLIP) as auditor:
        assert auditor.audit(work).found
