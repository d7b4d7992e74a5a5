"""A whole organisation for tests: root, a hub, two recorders, a director and an auditor on one laptop, and a thief.

Founding it costs a dozen Argon2id runs, so it is founded once in a session and copied for each test; unlocked keyrings
are shared, because they do not change. Clock and randomness are the test's own: the same test sees the same pseudonyms
in every run (nonces and HPKE's ephemeral keys stay random: they are drawn inside their libraries).
"""

from __future__ import annotations

import datetime
import json
import random
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

from vault.errors import OpenFailed
from vault.formats.leaf import parse_leaf
from vault.formats.part import Answers, TallyPayload, encode_aad as part_aad, parse_tally, split, unpad
from vault.formats.share import parse_share
from vault.formats.wraps import case_context, member_context, parse_case_wrap
from vault.model import KeyId, Kind, Layer, Origin, Place, Purpose, Role, VaultId
from vault.ports import Environment
from vault.primitives import aead, hpke, shares
from vault.primitives.passphrase import KdfCost
from vault.services.audit import AuditReport, verify_vault
from vault.services.casework import Casework
from vault.services.found import found
from vault.services.importing import Imported, import_file
from vault.services.keyring import Compartment, Keyring
from vault.services.layout import DATABASE
from vault.services.members import add_member
from vault.services.records import open_case, record
from vault.services.vault import Vault, unlock
from vault.store.schema import TRIGGERS

TODAY = datetime.date(2026, 3, 14)
COST = KdfCost()
"""The least that is allowed: about a tenth of a second a key file."""
MARK, KOREAN_MARK = "zqkanari", "카나리아새장"
"""What every canary holds; `tests/canary_scanner.py` looks for them in every encoding."""
MEMBERS = (
    ("hub-1", Role.HUB),
    ("director-1", Role.DIRECTOR),
    ("field-1", Role.RECORDER),
    ("field-2", Role.RECORDER),
    ("auditor-1", Role.AUDITOR),
)
HANDLES = ("root", *(handle for handle, _ in MEMBERS))


def canary(name: str) -> str:
    """A text that must be found nowhere."""
    return f"{MARK} {name} {KOREAN_MARK}"


ORGANISATION = canary("organisation")
PASSPHRASES = {handle: canary(f"passphrase of {handle}") for handle in HANDLES}
THRESHOLD, SHARES = 2, 3


class SeededRandomness:
    """Randomness that repeats: for tests only."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)

    def token(self, size: int) -> bytes:
        """`size` bytes that follow from the seed and from what was drawn before."""
        return self._random.randbytes(size)


class FixedClock:
    """A clock that shows the day it was set to, and a stopwatch that ticks when it is looked at."""

    def __init__(self, day: datetime.date = TODAY) -> None:
        self.day = day
        self.hours_ahead = 0
        self._ticks = 0

    def today(self) -> datetime.date:
        """The day that it was set to."""
        return self.day

    def local_today(self) -> datetime.date:
        """The day on the wall: tomorrow's, far enough east late in the UTC day."""
        return self.day + datetime.timedelta(days=self.hours_ahead // 24)

    def seconds(self) -> float:
        """A thousandth of a second later than the last time."""
        self._ticks += 1
        return self._ticks / 1000


def environment_of(seed: str, clock: FixedClock | None = None) -> Environment:
    """A repeatable environment. Different seeds never draw the same secrets."""
    return Environment(clock=clock or FixedClock(), random=SeededRandomness(seed))


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A founded vault, closed, to be copied; and the keys of its members."""

    directory: Path
    shares_dir: Path
    keys: Mapping[str, Keyring] = field(repr=False)


def build_template(parent: Path) -> Template:
    """Founds the organisation of this module's constants in `parent`."""
    directory, shares_dir = parent / "vault", parent / "shares"
    environment = environment_of("template")
    found(
        directory,
        org=ORGANISATION,
        passphrase=PASSPHRASES["root"],
        threshold=THRESHOLD,
        shares=SHARES,
        shares_dir=shares_dir,
        environment=environment,
        cost=COST,
    )
    with Vault.open(directory, environment) as vault:
        root = unlock(vault, "root", PASSPHRASES["root"])
        for handle, role in MEMBERS:
            add_member(vault, root, handle=handle, role=role, passphrase=PASSPHRASES[handle], cost=COST)
        keys = {handle: unlock(vault, handle, PASSPHRASES[handle]) for handle in HANDLES}
    return Template(directory=directory, shares_dir=shares_dir, keys=keys)


class Organisation:
    """One copy of the template, open, with everybody unlocked."""

    def __init__(self, template: Template, parent: Path, seed: str) -> None:
        self.home = parent
        self.directory = parent / "vault"
        self.shares_dir = template.shares_dir
        shutil.copytree(template.directory, self.directory)
        self.keys = dict(template.keys)
        self.clock = FixedClock()
        self.environment = environment_of(seed, self.clock)
        self.vault = Vault.open(self.directory, self.environment)

    @property
    def field_1(self) -> Keyring:
        """A recorder."""
        return self.keys["field-1"]

    @property
    def field_2(self) -> Keyring:
        """Another recorder."""
        return self.keys["field-2"]

    @property
    def director(self) -> Keyring:
        """A director who was enrolled before anything was recorded."""
        return self.keys["director-1"]

    @property
    def root(self) -> Keyring:
        """Who signs the roster."""
        return self.keys["root"]

    def close(self) -> None:
        """Closes the vault, so that its write-ahead log is folded in."""
        self.vault.close()

    def reopen(self) -> Vault:
        """Closes and opens it again."""
        self.close()
        self.vault = Vault.open(self.directory, self.environment)
        return self.vault

    def enrol(self, handle: str, role: Role) -> Keyring:
        """One member more."""
        PASSPHRASES.setdefault(handle, canary(f"passphrase of {handle}"))
        member = add_member(self.vault, self.root, handle=handle, role=role, passphrase=PASSPHRASES[handle], cost=COST)
        self.keys[handle] = unlock(self.vault, member.handle, PASSPHRASES[handle])
        return self.keys[handle]

    def audit(self) -> AuditReport:
        """What the keyless audit says now."""
        return verify_vault(self.directory)

    def heads(self) -> dict[Origin, tuple[int, bytes]]:
        """Size and root of every journal."""
        return {status.origin: (status.size, status.root) for status in self.vault.journals()}

    def size(self, me: Keyring) -> int:
        """Entries in one member's journal."""
        return self.heads()[self.vault.signer(me).origin][0]

    def work(self, me: Keyring) -> Casework:
        """A recorder's casework, to look beneath the surface."""
        return Casework(self.vault, me)

    def place(self, me: Keyring, seq: int) -> Place:
        """An entry of the journal that a member writes."""
        return Place(self.vault.signer(me).origin, seq)

    def tally(self, me: Keyring, seq: int) -> Answers:
        """The tally values of an entry of a recorder's own."""
        return self.work(me).tally(self.place(me, seq))

    def kind(self, me: Keyring, seq: int) -> Kind:
        """The kind of an entry of a recorder's own."""
        return self.work(me).leaf_kind(self.place(me, seq))[0]

    def case(self, me: Keyring, **answers: object) -> str:
        """Opens a case; returns its pseudonym."""
        return open_case(self.vault, me, answers).pseudonym

    def add(self, me: Keyring, type_name: str, pseudonym: str, **answers: object) -> int:
        """Adds a record; returns its number."""
        return record(self.vault, me, type_name, pseudonym, answers).seq

    def lines(self, *lines: object, name: str = "import.jsonl") -> Path:
        """An import file beside the vault: bytes are written as they are, everything else as one JSON line."""
        path = self.home / name
        raw = [line if isinstance(line, bytes) else json.dumps(line, ensure_ascii=False).encode() for line in lines]
        path.write_bytes(b"".join(line + b"\n" for line in raw))
        return path

    def bring_in(self, me: Keyring, *lines: object) -> Imported:
        """Imports lines."""
        return import_file(self.vault, me, self.lines(*lines))

    def seized(self, name: str = "seized") -> Path:
        """A copy of the directory as it lies on the disk, for thieves and tamperers."""
        self.close()
        copy = self.home / name
        shutil.copytree(self.directory, copy)
        self.vault = Vault.open(self.directory, self.environment)
        return copy

    def share_words(self) -> list[str]:
        """The custodians' words."""
        return [parse_share(path.read_bytes()).words for path in sorted(self.shares_dir.iterdir())]


class Rows:
    """A bare connection to the database, as an attacker with the disk has."""

    def __init__(self, directory: Path) -> None:
        self._connection = apsw.Connection(str(directory / DATABASE), flags=apsw.SQLITE_OPEN_READWRITE)

    def run(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Runs one statement; its rows."""
        return self._connection.execute(sql, values).fetchall()

    def close(self) -> None:
        """Closes."""
        self._connection.close()


@contextmanager
def rows_of(directory: Path) -> Iterator[Rows]:
    """The bare database without its append-only triggers, which are put back afterwards."""
    rows = Rows(directory)
    try:
        for (name,) in rows.run("SELECT name FROM sqlite_schema WHERE type = 'trigger'"):
            rows.run(f'DROP TRIGGER "{name}"')
        yield rows
        for statement in TRIGGERS:
            rows.run(statement)
    finally:
        rows.close()


def select(directory: Path, sql: str, *values: object) -> list[tuple[Any, ...]]:
    """Rows of the bare database."""
    rows = Rows(directory)
    try:
        return rows.run(sql, *values)
    finally:
        rows.close()


def flipped(raw: bytes, place: int = -1) -> bytes:
    """The same bytes with one bit changed."""
    changed = bytearray(raw)
    changed[place] ^= 1
    return bytes(changed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """Something that a thief opened: a part (`name` is its layer) or a wrap (`name` is its purpose)."""

    what: str
    name: str
    origin: Origin
    seq: int
    payload: bytes

    @property
    def tally(self) -> TallyPayload:
        """The payload of a tally part."""
        return parse_tally(self.payload)


class Thief:
    """Somebody with the whole directory and some keys, who tries every key on every wrap and every part.

    The thief knows the formats, so each is tried in its own place (with the right context); whatever opens and holds a
    key is tried everywhere again, until nothing new opens.
    """

    def __init__(self, directory: Path, keyrings: Sequence[Keyring] = (), seeds: Sequence[bytes] = ()) -> None:
        journals: dict[int, Origin] = dict(select(directory, "SELECT id, origin FROM journal"))
        self.vault_id = VaultId(next(iter(journals.values())).split("/")[1])
        self.kinds = {
            (journals[number], seq): _kind(raw)
            for number, seq, raw in select(directory, "SELECT journal, seq, bytes FROM leaf")
        }
        self.parts = [
            (journals[number], seq, Layer(layer), raw)
            for number, seq, layer, raw in select(directory, "SELECT journal, seq, layer, bytes FROM part")
        ]
        self.wraps = [
            (journals[number], seq, Purpose(purpose), KeyId(recipient), raw)
            for number, recipient, purpose, seq, raw in select(
                directory, "SELECT journal, recipient, purpose, seq, bytes FROM wrap"
            )
        ]
        self.keys: set[bytes] = set()
        for keyring in keyrings:
            self._take(keyring.signing_seed, keyring.sealing_seed, keyring.export)
            self._take(*(compartment.key for compartment in keyring.compartments))
        self._take(*seeds)

    def _take(self, *keys: bytes) -> None:
        """Adds keys, and what follows from each if it were a compartment key."""
        for key in keys:
            if len(key) == aead.KEY:
                compartment = Compartment(epoch=1, key=key)
                self.keys |= {key, compartment.tally_key(), compartment.locator_key()}

    def opened(self) -> list[Opened]:
        """Everything that opens."""
        found: dict[int, Opened] = {}
        while True:
            before, tried = len(found), len(self.keys)
            for place, (origin, seq, purpose, recipient, raw) in enumerate(self.wraps):
                if (
                    place not in found
                    and (payload := self._open_wrap(origin, seq, purpose, recipient, raw)) is not None
                ):
                    found[place] = Opened(what="wrap", name=purpose.value, origin=origin, seq=seq, payload=payload)
                    self._take(payload)
            if len(found) == before and len(self.keys) == tried:
                break
        parts = [
            Opened(what="part", name=layer.value, origin=origin, seq=seq, payload=payload)
            for origin, seq, layer, raw in self.parts
            if (payload := self._open_part(origin, seq, layer, raw)) is not None
        ]
        return [*found.values(), *parts]

    def _open_wrap(self, origin: Origin, seq: int, purpose: Purpose, recipient: KeyId, raw: bytes) -> bytes | None:
        for key in self.keys:
            try:
                case = aead.open_sealed(key, raw, case_context(self.vault_id, origin, seq, purpose, recipient))
                return parse_case_wrap(case).key
            except OpenFailed:
                pass
            try:
                return hpke.unwrap(key, raw, member_context(self.vault_id, origin, seq, purpose, recipient))
            except OpenFailed:
                pass
        return None

    def _open_part(self, origin: Origin, seq: int, layer: Layer, raw: bytes) -> bytes | None:
        header, sealed = split(raw)
        aad = part_aad(self.vault_id, origin, seq, self.kinds[origin, seq], layer, header)
        for key in self.keys:
            try:
                return unpad(aead.open_sealed(key, sealed, aad))
            except OpenFailed:
                pass
        return None


def _kind(raw: bytes) -> Kind:
    return parse_leaf(raw).kind


def recovery_seed(words: Sequence[str]) -> bytes:
    """What enough custodians put together. Raises WrongPassphrase for fewer."""
    return shares.combine(words)
