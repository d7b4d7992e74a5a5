"""The long journal that other people's verifiers check: 70,000 entries in a published organisation, signed, cosigned.

Founding, enrolling, recording, carrying and publishing are the program's own. Then one journal is made longer than
anybody could in a test: entries as a busy recorder writes them, put into tiles by the same code, under a head that its
writer signs and headquarters cosigns.
"""

from __future__ import annotations

import os
import shutil
from base64 import b64encode
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from benchmarks.auditors import entries_of
from tests.laptops import Fleet, History, Laptop, filler
from tests.services.publishing import Shown, show, two_laptops, write_history
from vault.formats.cosignature import encode_blob, encode_message
from vault.formats.note import COSIGNATURE, ED25519, Note, NoteSignature, encode_note, encode_vkey, key_id
from vault.formats.tlog_policy import parse_policy
from vault.formats.tlog_proof import HEADER
from vault.model import Origin
from vault.primitives import tree
from vault.primitives.signing import public_key, sign
from vault.services.audit_publish_texts import directory_of
from vault.services.witness import cosigner_name

SIZE, OLD = 70_000, 41_234
"""Entries now (full and partial tiles of levels 0 and 1, a partial one of level 2), and when the kept head was kept."""
INDEX = 35_007
BUNDLE = INDEX // 256
"""The entry that proofs are of, and where damage is done."""
TIME = 1_773_446_400
"""POSIX seconds of the cosignatures."""


@dataclass(frozen=True, kw_only=True)
class Signer:
    """A key and the name that it signs under."""

    name: str
    seed: bytes = field(repr=False)

    def line(self, text: bytes) -> NoteSignature:
        """A journal's signature."""
        blob = sign(self.seed, text)
        return NoteSignature(name=self.name, key_id=key_id(self.name, ED25519, public_key(self.seed)), blob=blob)

    def cosignature(self, text: bytes) -> NoteSignature:
        """A witness's signature."""
        blob = encode_blob(TIME, sign(self.seed, encode_message(text, TIME)))
        return NoteSignature(name=self.name, key_id=key_id(self.name, COSIGNATURE, public_key(self.seed)), blob=blob)


@dataclass(frozen=True, kw_only=True)
class Log:
    """One history of the long journal. It signs whatever it is told to: nothing is checked, unlike in the program."""

    writer: Signer
    witness: Signer
    leaves: list[bytes] = field(repr=False)

    @cached_property
    def levels(self) -> list[list[bytes]]:
        """Every perfect subtree's hash, by level."""
        found = [tree.leaf_hashes(self.leaves)]
        while len(found[-1]) > 1:
            found.append(tree.parents(found[-1]))
        return found

    def node(self, level: int, index: int) -> bytes:
        """The root of one perfect subtree."""
        return self.levels[level][index]

    def root(self, size: int) -> bytes:
        """The root over the first entries."""
        return tree.fold([self.node(*place) for place in tree.frontier_places(size)])

    def text(self, size: int) -> bytes:
        """A checkpoint's three lines."""
        return b"%s\n%d\n%s\n" % (self.writer.name.encode(), size, b64encode(self.root(size)))

    def signed(self, text: bytes) -> bytes:
        """Any text, signed and cosigned as if it were a checkpoint."""
        return encode_note(Note(text=text, signatures=(self.writer.line(text), self.witness.cosignature(text))))

    def proof(self, size: int, index: int = INDEX) -> list[bytes]:
        """The inclusion path of an entry."""
        return tree.prove_inclusion(self.node, index, size)

    def write(self, folder: Path, size: int) -> None:
        """Puts the first entries in the journal's published directory, with their signed head."""
        write_history(folder, History(Origin(self.writer.name), self.writer.seed, self.leaves[:size]))
        (folder / "checkpoint").write_bytes(self.signed(self.text(size)))
        (folder / "witnessed").unlink(missing_ok=True)


@dataclass(kw_only=True)
class Case:
    """What an auditor has: a published directory; keys, policy and a head from elsewhere; a proof, whose checkpoint is
    the directory's, and the entry that it proves. Mutations change it."""

    home: Path
    shown: Shown
    vkey: str
    witness: str | None
    """Of a member who cosigned; None where nobody has."""
    kept: bytes
    index: int
    hashes: list[bytes]
    leaf: bytes

    @property
    def folder(self) -> Path:
        """The long journal's directory."""
        return self.shown.folder

    @property
    def checkpoint(self) -> bytes:
        """The head in the directory."""
        return (self.folder / "checkpoint").read_bytes()

    def proof(self) -> bytes:
        """The tlog-proof, written as it is: the program's encoder would not write some."""
        lines = b"".join(b64encode(item) + b"\n" for item in self.hashes)
        return HEADER + b"index %d\n" % self.index + lines + b"\n" + self.checkpoint

    def put(self, path: Path, raw: bytes) -> None:
        """A file in the directory. The one that stood there may be shared with the original, and stays what it is."""
        path.unlink(missing_ok=True)
        path.write_bytes(raw)


@dataclass(frozen=True, kw_only=True)
class Published:
    """The published organisation, never changed: `case` hands out copies."""

    shown: Shown
    older: Shown
    """The same as it stood when the long journal had `OLD` entries."""
    policy: Path
    """The auditor's copy of the policy."""
    log: Log
    rewritten: Log
    """Another history, with the same keys: from `INDEX` on all is different, and it is longer."""
    real: Shown
    """What headquarters published, as it is: short journals, nothing made longer."""
    hub: Laptop
    """Headquarters, where that was published from."""
    other: bytes
    """The signed head of another journal of the organisation."""

    @property
    def vkey(self) -> str:
        """The long journal's key."""
        return (self.shown.folder / "vkey").read_text(encoding="ascii").strip()

    @property
    def witness(self) -> str:
        """Headquarters' key for cosignatures."""
        keys = [encode_vkey(item.key) for item in parse_policy(self.policy.read_bytes()).witnesses]
        return next(key for key in keys if key.startswith(f"{self.log.witness.name}+"))

    def case(self, home: Path, source: Shown | None = None) -> Case:
        """A copy of the directory, with all that belongs to it; tiles and bundles are shared until replaced."""
        home.mkdir()
        shutil.copytree((source or self.shown).path, home / "published", copy_function=_linked_or_copied)
        return Case(
            home=home,
            shown=Shown(path=home / "published", origin=self.shown.origin),
            vkey=self.vkey,
            witness=self.witness,
            kept=self.log.signed(self.log.text(OLD)),
            index=INDEX,
            hashes=self.log.proof(SIZE),
            leaf=self.log.leaves[INDEX],
        )


def _linked_or_copied(source: str, target: str) -> None:
    if "tile" in Path(source).parts:
        os.link(source, target)
    else:
        shutil.copyfile(source, target)


def publish_long(fleet: Fleet, home: Path) -> Published:
    """Builds everything."""
    hub, laptop = two_laptops(fleet)
    real = show(hub, home / "real")
    shown = real.copy(home / "published")
    true = History.of(laptop, "field-1")
    made = [leaf for bundle in entries_of(SIZE) for leaf in bundle]
    leaves = [*true.leaves, *made[len(true.leaves) :]]
    writer = Signer(name=shown.origin, seed=true.seed)
    seer = hub.key("hub-1")
    witness = Signer(name=cosigner_name(hub.vault.vault_id, seer.handle), seed=seer.signing_seed)
    log = Log(writer=writer, witness=witness, leaves=leaves)
    changed = [*leaves[:INDEX], *(filler(seq) for seq in range(INDEX, SIZE + 500))]
    policy = home / "policy"
    shutil.copyfile(shown.path / "policy", policy)
    log.write(shown.folder, OLD)
    older = shown.copy(home / "older")
    log.write(shown.folder, SIZE)
    another = shown.path / directory_of(hub.origin("root"))
    return Published(
        shown=shown,
        older=older,
        policy=policy,
        log=log,
        rewritten=Log(writer=writer, witness=witness, leaves=changed),
        real=real,
        hub=hub,
        other=(another / "checkpoint").read_bytes(),
    )
