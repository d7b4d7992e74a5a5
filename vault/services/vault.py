"""An open vault: one directory on one laptop, its database, and what the roster in it says.

    <directory>/vault.db            SQLite: leaves, hashes, sealed parts, wraps
    <directory>/keys/<handle>.key   one sealed key file for each member who works here

Opening trusts nothing it has not checked: the roster's leaves are hashed and compared with the checkpoint that root
signed, and root's keys with the vault id, before one enrolment is believed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, wraps
from pathlib import Path
from types import TracebackType
from typing import Concatenate, ParamSpec, Self, TypeVar

from vault.errors import FormatError, IntegrityError, NotAllowed, UsageError
from vault.formats.codebook import Codebook, parse_codebook
from vault.formats.keyfile import MOST_BYTES, Deposit, parse_keyfile
from vault.formats.leaf import parse_leaf
from vault.formats.origin import ROOT, origin_of, parse_origin
from vault.model import Handle, Member, Origin, Policy, Role, VaultId
from vault.ports import Environment, day_number
from vault.primitives.hashing import sha256
from vault.services import files
from vault.services.journal import Signer, read_head
from vault.services.keyring import (
    EPOCH,
    Keyring,
    armed_error,
    armed_keyring,
    key_path,
    keyring_of,
    open_armed,
    open_keyfile,
)
from vault.services.layout import database_of
from vault.services.remembered import witnessed_size
from vault.services.roster_reading import read_roster
from vault.store.arrivals import Arrivals
from vault.store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalStatus:
    """A journal's last signed head: entries, 32-byte root, the largest size that somebody other than its writer has
    cosigned, the claimed day of the first entry that nobody has (days since 1970-01-01), the largest size that others
    are known to have seen, why the journal is under review, if it is, and whether its writer works on this laptop."""

    origin: Origin
    size: int
    root: bytes
    witnessed: int
    unwitnessed_since: int | None = None
    heard: int = 0
    locked: str | None = None
    own: bool = False


class Vault:
    """An open vault. Use it as a context manager."""

    def __init__(self, directory: Path, store: Store, environment: Environment) -> None:
        self.directory = directory
        self.store = store
        self.environment = environment
        self.before_commit: Callable[[], None] = lambda: None
        """Called right before each commit: from then on an interrupted program cannot know whether it saved."""
        self.roster = read_roster(store)

    @classmethod
    def open(cls, directory: Path, environment: Environment | None = None) -> Self:
        """Opens the vault in `directory`. Raises NoVault, FormatError, IntegrityError, StorageError, VaultLocked."""
        store = Store.open(database_of(directory))
        try:
            return cls(directory, store, environment or Environment.system())
        except BaseException:
            store.close()
            raise

    def close(self) -> None:
        """Closes the database."""
        self.store.close()

    def __enter__(self) -> Self:
        """The vault itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes."""
        self.close()

    def reload(self) -> None:
        """Reads the roster again: a bundle may have brought a newer one."""
        self.roster = read_roster(self.store)
        self.__dict__.pop("codebook", None)

    @property
    def vault_id(self) -> VaultId:
        """The id that pins root's keys."""
        return self.roster.vault_id

    @property
    def members(self) -> tuple[Member, ...]:
        """Everyone on the roster, root first."""
        return self.roster.members

    @property
    def policy(self) -> Policy:
        """The disclosure policy that root signed."""
        return self.roster.policy

    @cached_property
    def codebook(self) -> Codebook:
        """The codebook in force. Raises IntegrityError when its bytes are not the ones that root signed."""
        raw = self.store.codebook(self.roster.codebook)
        if raw is None or sha256(raw) != self.roster.codebook:
            raise IntegrityError("the codebook is missing or is not the one that root signed")
        return parse_codebook(raw)

    @property
    def keys_here(self) -> tuple[Handle, ...]:
        """The members whose key files lie on this laptop, in roster order."""
        return tuple(member.handle for member in self.members if key_path(self.directory, member.handle).is_file())

    def armed(self, handle: Handle) -> Deposit | None:
        """What the key file of a member shows who armed this laptop for travel; None where it is not armed, or cannot
        be read."""
        try:
            return parse_keyfile(files.read_limited(key_path(self.directory, handle), MOST_BYTES)).deposit
        except (FormatError, UsageError):
            return None

    def refuse_armed(self, handle: Handle) -> None:
        """Raises NotAllowed where a member's key file is armed, before a passphrase is asked for in vain."""
        deposit = self.armed(handle)
        if deposit is not None:
            raise armed_error(handle, deposit)

    @property
    def day(self) -> int:
        """Today, in days since 1970-01-01, as the clock claims."""
        return day_number(self.environment.clock.today())

    @contextmanager
    def writing(self, me: Keyring, *, announced: bool = True) -> Iterator[None]:
        """The transaction in which `me` writes, with the roster as it stands now: another process may have changed it
        since the vault was opened. Not `announced`: nothing will be written after all. Raises NotAllowed for a member
        who has been revoked meanwhile."""
        with self.store.transaction():
            self.roster = read_roster(self.store)
            if self.roster.member(me.handle).revoked:
                raise revoked_error(me.handle)
            yield
            if announced:
                self.before_commit()

    def journal_number(self, origin: Origin) -> int:
        """A journal's number in the database. Raises IntegrityError when the journal is not here."""
        for number, name in self.store.journals():
            if name == origin:
                return number
        raise IntegrityError("a member's journal is missing from this vault", hint='run "fieldvault audit verify"')

    def own_journals(self, handle: Handle) -> tuple[tuple[Origin, int], ...]:
        """Origin and number of a member's journals that are here, oldest epoch first."""
        found = []
        for number, origin in self.store.journals():
            if origin.startswith(f"fieldvault/{self.vault_id}/{handle}/"):
                found.append((parse_origin(origin).epoch, origin, number))
        return tuple((origin, number) for _, origin, number in sorted(found))

    def epochs_without_key(self, me: Keyring) -> tuple[Origin, ...]:
        """The member's own journals here that their key file lacks the key of: it is older than they are. What stands
        in them can be read with a newer copy of the key file, or by a quorum of custodians."""
        held = self.own_journals(me.handle)
        return tuple(origin for origin, _ in held if me.has_no_key_of(parse_origin(origin).epoch))

    def signer(self, me: Keyring) -> Signer:
        """Who signs what `me` writes: the newest epoch that is here."""
        held = () if me.handle == ROOT else self.own_journals(me.handle)  # there is one roster, for good
        none_yet = self.roster.origin if me.handle == ROOT else origin_of(self.vault_id, me.handle, EPOCH)
        origin = held[-1][0] if held else none_yet
        return Signer(vault_id=self.vault_id, origin=origin, seed=me.signing_seed, public_key=me.member.keys.signing)

    def journals(self) -> tuple[JournalStatus, ...]:
        """The verified head of every journal here."""
        return tuple(self._status(number, origin) for number, origin in self.store.journals())

    def _status(self, number: int, origin: Origin) -> JournalStatus:
        handle = origin.split("/")[2] if origin.count("/") == 3 else ""
        member = self.roster.find(handle)
        if member is None:
            raise IntegrityError("a journal here belongs to nobody on the roster")
        signer = Signer(vault_id=self.vault_id, origin=origin, seed=b"", public_key=member.keys.signing)
        head = read_head(self.store, number, signer)
        arrivals = Arrivals(self.store)
        witnessed = witnessed_size(self.store, arrivals, self.roster, number, origin, head.size)
        first = self.store.leaf(number, witnessed) if witnessed < head.size else None
        return JournalStatus(
            origin=origin,
            size=head.size,
            root=head.root,
            witnessed=witnessed,
            unwitnessed_since=None if first is None else parse_leaf(first).day,
            heard=arrivals.largest_head(origin),
            locked=next((lock.reason for lock in arrivals.locks() if lock.origin == origin), None),
            own=member.handle in self.keys_here,
        )


_Given = ParamSpec("_Given")
_Answer = TypeVar("_Answer")


def in_one_snapshot(
    read: Callable[Concatenate[Vault, _Given], _Answer],
) -> Callable[Concatenate[Vault, _Given], _Answer]:
    """Makes a function that reads a vault see one state of it, whatever another process saves meanwhile."""

    @wraps(read)
    def reading(vault: Vault, /, *given: _Given.args, **named: _Given.kwargs) -> _Answer:
        with vault.store.reading():
            return read(vault, *given, **named)

    return reading


def open_vault(directory: Path, environment: Environment | None = None) -> Vault:
    """Opens the vault in `directory`."""
    return Vault.open(directory, environment)


def unlock(vault: Vault, handle: str, passphrase: str, *, armed: bool = False) -> Keyring:
    """A member's keys. With `armed` those of an armed key file will do, for who only adds records. Raises UsageError
    for an unknown member, NotAllowed for a revoked one and where the key file is armed, WrongPassphrase, and
    FormatError for a damaged key file."""
    member = vault.roster.member(handle)
    path = key_path(vault.directory, member.handle)
    if not path.is_file():
        raise UsageError(f'the key of "{handle}" is not on this laptop', hint="name another member with --as")
    raw = files.read_limited(path, MOST_BYTES)
    if armed and parse_keyfile(raw).deposit is not None:
        keyring = armed_keyring(member, open_armed(raw, vault.vault_id, member.handle, passphrase))
    else:
        keyring = keyring_of(member, open_keyfile(raw, vault.vault_id, member.handle, passphrase))
    if member.revoked:
        raise revoked_error(handle)
    return keyring


def revoked_error(handle: str) -> NotAllowed:
    """What a revoked member is told."""
    return NotAllowed(f'"{handle}" was revoked by root and can no longer work in this vault')


def _a(role: Role) -> str:
    return f"{'an' if role is Role.AUDITOR else 'a'} {role.value}"


def require_role(me: Keyring, *roles: Role) -> None:
    """Raises NotAllowed unless `me` has one of the roles."""
    if me.member.role not in roles:
        wanted = " or ".join(_a(role) for role in roles)
        raise NotAllowed(
            f'"{me.handle}" is {_a(me.member.role)}; this takes {wanted}',
            hint="name the member with --as HANDLE",
        )
