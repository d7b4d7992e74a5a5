"""A small but complete vault to damage: every kind of row, several journals, interior, overflow and free pages.

It is built once in a process and copied for every test. `Built.keys` are unlocked keyrings, which fit every copy, so
that no test pays for Argon2 again. Randomness is seeded; only the nonces that the libraries draw themselves differ.
"""

# ruff: noqa: S608  # the intruder of these tests writes SQL with names from our own lists

from __future__ import annotations

import atexit
import datetime
import functools
import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

import apsw

from tests.laptops import release_draft
from vault.formats.leaf import parse_fields
from vault.model import Handle, Kind, Origin, Role
from vault.ports import Environment
from vault.primitives.hashing import sha256
from vault.primitives.passphrase import KdfCost
from vault.services.findings import NOTICE
from vault.services.found import found
from vault.services.importing import import_file
from vault.services.journal import Draft, write
from vault.services.keyring import Keyring
from vault.services.members import add_member
from vault.services.records import amend, open_case, record
from vault.services.reveal import reveal
from vault.services.vault import Vault, unlock
from vault.services.witness import cosign_head, verify_head
from vault.store.arrivals import RESTORED, Arrivals, Lock

PASSPHRASE = "a passphrase of the test house"
CHEAP = KdfCost()
"""The least cost that is allowed."""
TODAY = datetime.date(2026, 11, 1)
MEMBERS = (
    ("hub-1", Role.HUB),
    ("field-1", Role.RECORDER),
    ("field-2", Role.RECORDER),
    ("director-1", Role.DIRECTOR),
    ("auditor-1", Role.AUDITOR),
)
LONG_NOTE = "They crossed the river at night and waited for the second guide. " * 60


class FixedClock:
    """It is always the first of November 2026; the stopwatch stands still."""

    def today(self) -> datetime.date:
        """The day."""
        return TODAY

    def local_today(self) -> datetime.date:
        """The same day."""
        return TODAY

    def seconds(self) -> float:
        """No time passes."""
        return 0.0


class SeededRandomness:
    """Bytes that repeat from run to run."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def token(self, size: int) -> bytes:
        """`size` bytes."""
        return self._random.randbytes(size)


def environment(seed: int = 7) -> Environment:
    """A fixed clock and seeded randomness."""
    return Environment(clock=FixedClock(), random=SeededRandomness(seed))


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A finished vault and the keyrings of all its members."""

    directory: Path
    keys: dict[str, Keyring]
    case: str
    """The pseudonym of a case of field-1 with nothing erased."""

    def copy(self, target: Path) -> Path:
        """A copy of the vault directory at `target`: the folded database and the key files."""
        return shutil.copytree(self.directory, target, ignore=shutil.ignore_patterns("vault.db-*"))

    def origin(self, handle: str) -> Origin:
        """The origin of a member's journal here."""
        with Vault.open(self.directory, environment()) as vault:
            return vault.signer(self.keys[handle]).origin


def raw(directory: Path) -> apsw.Connection:
    """An intruder's connection: no settings of ours, WAL folded on closing."""
    return apsw.Connection(str(directory / "vault.db"))


@contextmanager
def intruder(directory: Path, *tables: str) -> Iterator[apsw.Connection]:
    """SQL on the database as a careful intruder runs it: all triggers are dropped first (if any table is named) and put
    back afterwards in their order, so that the schema is byte for byte what it was."""
    connection = raw(directory)
    try:
        sql = "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY rowid"
        triggers = [(str(name), str(text)) for name, text in connection.execute(sql)] if tables else []
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        yield connection
        for _, text in triggers:
            connection.execute(text)
    finally:
        connection.close(True)


def erase(vault: Vault, me: Keyring, seqs: Sequence[int]) -> None:
    """An erasure as the design has it: a tombstone entry; the parts and wraps are deleted in the same transaction."""
    signer = vault.signer(me)
    number = vault.journal_number(signer.origin)
    with vault.store.transaction():
        write(
            vault.store,
            number,
            signer,
            vault.day,
            [Draft(kind=Kind.ERASE, extra=tuple([signer.origin, seq] for seq in seqs))],
        )
        for table in ("part", "wrap"):
            for seq in seqs:
                vault.store._connection.execute(f"DELETE FROM {table} WHERE journal = ? AND seq = ?", (number, seq))


def import_lines(label: str, people: int) -> bytes:
    """An import file: each person an intake and two further records."""
    lines: list[dict[str, object]] = []
    for number in range(people):
        case = f"{label}-{number}"
        lines += [
            {"case": case, "type": "intake", "name": f"Made Up {number}", "sex": "female", "consent_statistics": "yes"},
            {
                "case": case,
                "type": "journey",
                "event": "departure",
                "date": "2020-02",
                "notes": "x" * (number * 37 % 700),
            },
            {"case": case, "type": "outcome", "status": "reached_freedom", "date": "2020-03-04"},
        ]
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def found_vault(directory: Path, seed: int = 7, members: Sequence[tuple[str, Role]] = MEMBERS) -> dict[str, Keyring]:
    """Founds a vault with `members`; returns everybody's keyring."""
    world = environment(seed)
    found(
        directory,
        org="Test house",
        passphrase=PASSPHRASE,
        threshold=2,
        shares=3,
        shares_dir=directory.parent / f"{directory.name}-shares",
        environment=world,
        cost=CHEAP,
    )
    with Vault.open(directory, world) as vault:
        keys = {"root": unlock(vault, "root", PASSPHRASE)}
        for handle, role in members:
            add_member(vault, keys["root"], handle=handle, role=role, passphrase=PASSPHRASE, cost=CHEAP)
            keys[handle] = unlock(vault, handle, PASSPHRASE)
    return keys


def _fill(directory: Path, keys: dict[str, Keyring]) -> str:
    world = environment(11)
    with Vault.open(directory, world) as vault:
        one, two = keys["field-1"], keys["field-2"]
        case = open_case(vault, one, {"name": "Somebody", "sex": "female", "consent_statistics": "yes"}).pseudonym
        doomed = open_case(vault, one, {"name": "Erased", "notes": LONG_NOTE[:3900]})
        seqs = [doomed.seq]
        long = {"event": "transit", "notes": LONG_NOTE[:3900]}
        seqs += [record(vault, one, "journey", doomed.pseudonym, long).seq for _ in range(4)]
        kept = record(vault, one, "journey", case, {"event": "departure", "notes": LONG_NOTE[:3000], "date": "2020"})
        amend(vault, one, str(kept.seq), {"event": "arrival"})
        reveal(vault, one, case, "a test of the house")
        path = directory.parent / "import.jsonl"
        for me, people in ((one, 14), (two, 25)):
            path.write_bytes(import_lines(me.handle, people))
            import_file(vault, me, path)
        signer = vault.signer(keys["director-1"])
        with vault.store.transaction():
            number = vault.journal_number(signer.origin)
            write(vault.store, number, signer, vault.day, [release_draft(b"\x07" * 32)])
        late = add_member(
            vault, keys["root"], handle="director-2", role=Role.DIRECTOR, passphrase=PASSPHRASE, cost=CHEAP
        )
        keys[late.handle] = unlock(vault, late.handle, PASSPHRASE)
        record(vault, one, "service", case, {"programme": "english", "purpose": "tuition"})
        erase(vault, one, seqs)
        _remember(vault, keys)
    return case


def _remember(vault: Vault, keys: dict[str, Keyring]) -> None:
    """A head of the roster that the hub cosigned and entered in its journal: what an import remembers."""
    hub = keys["hub-1"]
    arrivals = Arrivals(vault.store)
    roster = next(number for number, origin in vault.store.journals() if origin == vault.roster.origin)
    founding = arrivals.checkpoint_at(roster, 3)
    assert founding is not None
    seen = cosign_head(vault.roster, hub.member, hub.signing_seed, founding, vault.day)
    head = verify_head(vault.roster, seen)
    signer = vault.signer(hub)
    with vault.store.transaction():
        arrivals.add_head(head.origin, head.size, sha256(seen), seen)
        number = vault.journal_number(signer.origin)
        write(vault.store, number, signer, vault.day, [Draft(kind=Kind.HEAD_SEEN, extra=(seen,))])


def close_journal(directory: Path, reason: str = RESTORED) -> None:
    """Closes the director's journal for good, as an import does that finds the laptop behind it."""
    with Vault.open(directory, environment(12)) as vault:
        arrivals = Arrivals(vault.store)
        number, origin = next(item for item in vault.store.journals() if item[1].endswith("/director-1/1"))
        before, after = (arrivals.checkpoint_at(number, size) or b"" for size in (0, 1))
        with vault.store.transaction():
            arrivals.add_lock(Lock(origin=origin, reason=reason, ours=before, theirs=after))


@functools.cache
def complete() -> Built:
    """The complete small vault, built once in this process. Never write into it: take a `copy`."""
    home = Path(tempfile.mkdtemp(prefix="fieldvault-faults-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    directory = home / "vault"
    keys = found_vault(directory)
    return Built(directory=directory, keys=keys, case=_fill(directory, keys))


@functools.cache
def other() -> Built:
    """A second organisation's vault."""
    home = Path(tempfile.mkdtemp(prefix="fieldvault-other-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    directory = home / "vault"
    keys = found_vault(directory, seed=99, members=(("field-1", Role.RECORDER),))
    with Vault.open(directory, environment(98)) as vault:
        case = open_case(vault, keys["field-1"], {"name": "Another"}).pseudonym
    return Built(directory=directory, keys=keys, case=case)


def journal_of(connection: apsw.Connection, handle: str) -> int:
    """The number of a member's journal in the database."""
    for number, origin in connection.execute("SELECT id, origin FROM journal"):
        if str(origin).split("/")[2] == handle:
            assert isinstance(number, int)
            return number
    raise LookupError(handle)


def entries(vault: Vault, me: Keyring) -> int:
    """How many entries a member's journal holds."""
    return len(list(vault.store.leaves(vault.journal_number(vault.signer(me).origin))))


def leaf_of_kind(connection: apsw.Connection, journal: int, kind: str) -> int:
    """The number of the first entry of a kind."""
    for seq, leaf in connection.execute("SELECT seq, bytes FROM leaf WHERE journal = ? ORDER BY seq", (journal,)):
        assert isinstance(seq, int)
        assert isinstance(leaf, bytes)
        if parse_fields(leaf)[2] == kind:
            return seq
    raise LookupError(kind)


def handle(text: str) -> Handle:
    """A handle."""
    return Handle(text)


def contradictions(findings: Sequence[object]) -> list[str]:
    """The codes of the findings that are more than a notice."""
    return [str(getattr(item, "code", "")) for item in findings if getattr(item, "level", "") != NOTICE]


def remove_sidecars(directory: Path) -> None:
    """Deletes what SQLite left beside the database."""
    for suffix in ("-wal", "-shm", "-journal"):
        with suppress(FileNotFoundError):
            (directory / f"vault.db{suffix}").unlink()


@functools.cache
def tiny() -> Built:
    """A vault with one recorder and one case, for faults that are tried many times. Never write into it."""
    home = Path(tempfile.mkdtemp(prefix="fieldvault-tiny-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    directory = home / "vault"
    keys = found_vault(directory, seed=21, members=(("field-1", Role.RECORDER),))
    with Vault.open(directory, environment(22)) as vault:
        case = open_case(vault, keys["field-1"], {"name": "Somebody", "consent_statistics": "yes"}).pseudonym
    return Built(directory=directory, keys=keys, case=case)
