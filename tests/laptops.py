"""Several laptops and one stick: copies of the founded organisation, each with the keys of those who work there.

A `Fleet` hands out laptops; `carry` takes a bundle from one to another. What a thief, a forger or a careless restore
does is here too: copies of a laptop, a second history signed with a member's key, and bundles rebuilt item by item.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from tests.organisation import (
    COST,
    PASSPHRASES,
    FixedClock,
    SeededRandomness,
    Template,
    canary,
    environment_of,
    select,
)
from vault.errors import VaultError
from vault.formats import bundle as wire
from vault.formats.checkpoint import Checkpoint, sign_checkpoint
from vault.formats.leaf import Leaf, encode_leaf
from vault.formats.origin import origin_of
from vault.model import Digest, Kind, Layer, Origin, Role
from vault.primitives import tree
from vault.services.arriving import Arrived, import_bundle
from vault.services.bundling import create_bundle
from vault.services.journal import Draft, PartDraft, write
from vault.services.keyring import Keyring
from vault.services.layout import DATABASE
from vault.services.members import add_member
from vault.services.replica import Outcome
from vault.services.sealing import OpenedBundle, seal_bundle
from vault.services.vault import JournalStatus, Vault, unlock
from vault.store.schema import TABLE_NAMES

RECORD = canary("record")
"""What every record of these tests says."""
Dump = dict[str, list[tuple[Any, ...]]]


class Laptop:
    """A copy of the founded vault with the key files of a few members."""

    def __init__(self, fleet: Fleet, name: str, source: Path, handles: Sequence[str]) -> None:
        self.fleet, self.name, self.handles = fleet, name, tuple(handles)
        self.directory = fleet.home / name
        shutil.copytree(source, self.directory)
        for path in (self.directory / "keys").glob("*.key"):
            if path.stem not in handles:
                path.unlink()
        self.clock = FixedClock()
        # A copy of a laptop draws other randomness than the original: as real ones do.
        self.environment = environment_of(f"{fleet.home} {name}", self.clock)
        self.vault = Vault.open(self.directory, self.environment)

    def key(self, handle: str | None = None) -> Keyring:
        """The unlocked keys of a member: of the first one here, unless named."""
        return self.fleet.keys[handle or self.handles[0]]

    def origin(self, handle: str | None = None) -> Origin:
        """The journal that a member writes here."""
        return self.vault.signer(self.key(handle)).origin

    def status(self, handle: str, epoch: int = 1) -> JournalStatus:
        """A journal as it stands here."""
        wanted = origin_of(self.vault.vault_id, self.key(handle).handle, epoch)
        return next(item for item in self.vault.journals() if item.origin == wanted)

    def size(self, handle: str, epoch: int = 1) -> int:
        """Entries of a member's journal that are here; 0 when it is not here at all."""
        wanted = origin_of(self.vault.vault_id, self.key(handle).handle, epoch)
        return next((item.size for item in self.vault.journals() if item.origin == wanted), 0)

    def write(self, drafts: Sequence[Draft], handle: str | None = None) -> int:
        """Writes entries; returns the number of the first."""
        me = self.key(handle)
        with self.vault.writing(me):
            signer = self.vault.signer(me)
            number = self.vault.journal_number(signer.origin)
            return write(self.vault.store, number, signer, self.vault.day, drafts)

    def bundle(self, to: str | Sequence[str], sender: str | None = None, *, full: bool = False) -> Path:
        """A bundle on the stick."""
        recipients = [to] if isinstance(to, str) else list(to)
        return create_bundle(self.vault, self.key(sender), recipients, self.fleet.stick, full=full).path

    def take(self, path: Path, handle: str | None = None, *, dry_run: bool = False) -> Arrived:
        """Imports a bundle."""
        return import_bundle(self.vault, self.key(handle), path, dry_run=dry_run)

    def dump(self) -> Dump:
        """Every row of every table."""
        return {table: sorted(select(self.directory, f"SELECT * FROM {table}")) for table in TABLE_NAMES}  # noqa: S608

    def listing(self) -> dict[str, bytes]:
        """Every file of the vault's directory but the database's own, by its path."""
        return {
            path.relative_to(self.directory).as_posix(): path.read_bytes() if path.is_file() else b""
            for path in sorted(self.directory.rglob("*"))
            if not path.name.startswith(DATABASE)
        }

    def copied(self, name: str) -> Laptop:
        """Another laptop that is this one, to the last bit: a clone, or a backup."""
        self.close()
        copy = Laptop(self.fleet, name, self.directory, self.handles)
        self.vault = Vault.open(self.directory, self.environment)
        self.fleet.laptops.append(copy)
        return copy

    def reopen(self) -> None:
        """Closes and opens the vault."""
        self.close()
        self.vault = Vault.open(self.directory, self.environment)

    def close(self) -> None:
        """Closes the vault."""
        self.vault.close()


class Fleet:
    """The organisation's laptops."""

    def __init__(self, template: Template, home: Path) -> None:
        self.template, self.home = template, home
        self.keys = dict(template.keys)
        self.stick = home / "stick"
        self.stick.mkdir()
        self.laptops: list[Laptop] = []

    def laptop(self, name: str, *handles: str) -> Laptop:
        """A new copy of the founded vault, where `handles` work."""
        made = Laptop(self, name, self.template.directory, handles)
        self.laptops.append(made)
        return made

    def enrol(self, headquarters: Laptop, handle: str, role: Role) -> Keyring:
        """One member more, who works at headquarters."""
        PASSPHRASES.setdefault(handle, canary(f"passphrase of {handle}"))
        add_member(
            headquarters.vault,
            self.keys["root"],
            handle=handle,
            role=role,
            passphrase=PASSPHRASES[handle],
            cost=COST,
        )
        self.keys[handle] = unlock(headquarters.vault, handle, PASSPHRASES[handle])
        return self.keys[handle]

    def close(self) -> None:
        """Closes all."""
        for laptop in self.laptops:
            laptop.close()


def fleet_of(template: Template, home: Path) -> Iterator[Fleet]:
    """What a fixture yields from."""
    fleet = Fleet(template, home)
    yield fleet
    fleet.close()


def release_draft(digest: bytes = bytes(32)) -> Draft:
    """An entry of the kind `release`, with a part that opens to nothing."""
    part = PartDraft(layer=Layer.TALLY, key=bytes(32), payload=b"", header=lambda _: bytes(16))
    return Draft(kind=Kind.RELEASE, parts=(part,), extra=(digest,))


def entry(me: Keyring, text: str = RECORD, epoch: int | None = None, *, wide: bool = False) -> Draft:
    """A record with a case part and a tally part; `wide` with an identity part too."""
    compartment = me.compartment if epoch is None else me.compartment_of(epoch)
    layers = (Layer.IDENTITY, Layer.CASE, Layer.TALLY) if wide else (Layer.CASE, Layer.TALLY)
    key, payload = compartment.tally_key(), text.encode()
    return Draft(
        kind=Kind.RECORD,
        parts=tuple(PartDraft(layer=item, key=key, payload=payload, header=lambda _: bytes(16)) for item in layers),
    )


def record(laptop: Laptop, handle: str, count: int = 1, text: str = RECORD) -> int:
    """Adds records; returns the number of the first."""
    return laptop.write([entry(laptop.key(handle), text)] * count, handle)


def carry(source: Laptop, sender: str, target: Laptop, recipient: str, *, full: bool = False) -> Arrived:
    """Makes a bundle on one laptop, takes the stick over, and imports it there."""
    return target.take(source.bundle(recipient, sender, full=full), recipient)


def outcome(arrived: Arrived, handle: str, epoch: int = 1) -> Outcome:
    """What became of a member's journal. KeyError when the bundle did not carry it."""
    found = {item.origin.split("/", 2)[2]: item.outcome for item in arrived.journals}
    return found[f"{handle}/{epoch}"]


# -- forging ---------------------------------------------------------------------------------------------------------


def filler(seq: int, day: int = 20_000) -> bytes:
    """A leaf that any member but root may write and that has nothing beside it; other days make other histories."""
    return encode_leaf(Leaf(seq=seq, kind=Kind.EPOCH_CLOSE, day=day))


@dataclass(slots=True)
class History:
    """A journal as somebody with its signing seed could have written it."""

    origin: Origin
    seed: bytes = field(repr=False)
    leaves: list[bytes] = field(repr=False)

    @classmethod
    def of(cls, laptop: Laptop, handle: str, size: int | None = None) -> History:
        """The history that is here, up to `size`."""
        origin = origin_of(laptop.vault.vault_id, laptop.key(handle).handle, 1)
        leaves = list(laptop.vault.store.leaves(laptop.vault.journal_number(origin)))
        return cls(origin, laptop.key(handle).signing_seed, leaves[:size])

    def grown(self, count: int, day: int = 20_000) -> History:
        """With `count` entries more."""
        start = len(self.leaves)
        return History(self.origin, self.seed, [*self.leaves, *(filler(start + at, day) for at in range(count))])

    def note(self, size: int | None = None) -> bytes:
        """The signed head at `size`, or at the end."""
        size = len(self.leaves) if size is None else size
        return head_of(self.origin, size, tree.fold(self.frontier(size)), self.seed)

    def frontier(self, size: int) -> list[bytes]:
        """The right edge of the tree at `size`."""
        found: list[bytes] = []
        for seq, raw in enumerate(self.leaves[:size]):
            tree.append(found, seq, tree.leaf_hash(raw))
        return found

    def items(self, start: int = 0, size: int | None = None) -> list[wire.Item]:
        """A section of a bundle: entries `start` to `size`, without parts and wraps."""
        size = len(self.leaves) if size is None else size
        found: list[wire.Item] = [
            wire.JournalItem(
                origin=self.origin, start=start, size=size, note=self.note(size), peaks=tuple(self.frontier(start))
            )
        ]
        found += [wire.LeavesItem(start=seq, leaves=(self.leaves[seq],)) for seq in range(start, size)]
        return [*found, wire.EndItem()]


def head_of(origin: Origin, size: int, root: bytes, seed: bytes) -> bytes:
    """A head that says what its signer likes."""
    return sign_checkpoint(Checkpoint(origin=origin, size=size, root=Digest(root)), seed)


def items_of(path: Path, me: Keyring) -> list[wire.Item]:
    """The items of a bundle that these keys open, without its signature."""
    with path.open("rb") as stream:
        return list(OpenedBundle(stream, me.sealing_seed).items())


def opening(laptop: Laptop, sender: str, to: Keyring) -> wire.Opening:
    """The first item of a bundle for one recipient."""
    return wire.Opening(
        vault_id=laptop.vault.vault_id,
        sender=laptop.key(sender).handle,
        recipients=(to.member.key_id,),
        day=laptop.vault.day,
    )


def forged(path: Path, items: Iterable[wire.Item], sender: Keyring, *to: Keyring) -> Path:
    """A bundle of any items, signed by `sender`, for `to`; a bundle there before is replaced."""
    out = BytesIO()
    keys = [keyring.member.keys.sealing for keyring in to]
    seal_bundle(out, keys, items, sender.signing_seed, SeededRandomness(path.name))
    with suppress(FileNotFoundError):
        path.unlink()
    path.write_bytes(out.getvalue())
    return path


def offered(source: Laptop, sender: str, target: Laptop, recipient: str, *items: wire.Item) -> Path:
    """A bundle that holds the sender's opening and then exactly these items."""
    everything = [opening(source, sender, target.key(recipient)), *items]
    return forged(source.fleet.stick / "forged.fvb", everything, source.key(sender), target.key(recipient))


def refused(laptop: Laptop, path: Path, kind: type[VaultError], handle: str | None = None) -> VaultError:
    """The import raises exactly this, in one line, and nothing of the vault changes."""
    before, listing = laptop.dump(), laptop.listing()
    with pytest.raises(kind) as caught:
        laptop.take(path, handle)
    assert type(caught.value) is kind
    assert "\n" not in caught.value.message
    assert (laptop.dump(), laptop.listing()) == (before, listing)
    return caught.value


def changed(path: Path, sender: Keyring, to: Keyring, change: Callable[[wire.Item], wire.Item]) -> Path:
    """The same bundle with every item sent through `change`, and signed again by its sender."""
    return forged(path, map(change, items_of(path, to)), sender, to)


def stands_in(items: Sequence[wire.Item], wanted: wire.Item, handle: str) -> bool:
    """Whether an item stands in the section of a member's journal."""
    inside = False
    for item in items:
        if isinstance(item, wire.JournalItem):
            inside = f"/{handle}/" in item.origin
        if item is wanted:
            return inside
        if isinstance(item, wire.EndItem):
            inside = False
    return False
