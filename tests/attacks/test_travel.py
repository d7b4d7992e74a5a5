"""Somebody takes an armed laptop and makes its owner say the passphrase: what was recorded stays closed.

The thief has the library, every file on the disk (the database with its -wal and -shm, the key file, freed pages, what
else lies in the directory) and the passphrase. They try every key that any file holds or gives, and every run of 32
bytes of the key files, on every wrap and every part in its own place; whatever opens is tried everywhere again.

Each such test has its control: the same thief, with the laptop as it was before or with the trustee's answer, opens
everything.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.canary_scanner import encodings
from tests.organisation import PASSPHRASES, Thief, recovery_seed
from tests.services.travelling import NEWER, SECRET, STEP, Travelling, laptop_key
from vault import labels
from vault.errors import VaultError
from vault.formats import keyfile, travel
from vault.formats.share import parse_share
from vault.model import Handle, KeyId, Layer
from vault.primitives import aead, hpke
from vault.primitives.kdf import derive
from vault.primitives.signing import sign
from vault.services import keyring
from vault.services.bundling import create_bundle
from vault.services.letters import part_key
from vault.services.records import open_case, record
from vault.services.vault import open_vault

HANDLE = Handle("field-1")
MAGIC = keyfile.MAGIC.encode()


class Robber(Thief):
    """A thief who also knows letters, and takes keys out of files with a passphrase."""

    def __init__(self, directory: Path, *others: Path, passphrase: str = SECRET, seeds: Iterable[bytes] = ()) -> None:
        super().__init__(directory)
        self.files = [path for root in (directory, *others) for path in self._files(root)]
        for path in self.files:
            self._take(*_secrets(path.read_bytes(), passphrase))
        self._take(*seeds)

    @staticmethod
    def _files(root: Path) -> Iterator[Path]:
        yield from ([root] if root.is_file() else (path for path in sorted(root.rglob("*")) if path.is_file()))

    def _take(self, *keys: bytes) -> None:
        super()._take(*keys)
        for key in keys:
            if len(key) == aead.KEY:
                self.keys |= {part_key(key, layer) for layer in Layer}

    def opened_parts(self) -> set[tuple[int, str]]:
        """Number and layer of every part that opens."""
        return {(item.seq, item.name) for item in self.opened() if item.what == "part"}

    @property
    def all_parts(self) -> set[tuple[int, str]]:
        """Number and layer of every part that is here."""
        return {(seq, layer.value) for _, seq, layer, _ in self.parts}


def _secrets(raw: bytes, passphrase: str) -> Iterator[bytes]:
    """Every key that a key file, wherever it lies in these bytes, gives under the passphrase: whole or as a remnant."""
    for found in re.finditer(re.escape(MAGIC), raw):
        for head in (found.start() - 2, found.start() - 1):
            yield from _secrets_at(raw, max(0, head), passphrase)


def _secrets_at(raw: bytes, at: int, passphrase: str) -> Iterator[bytes]:
    length = _length(raw[at : at + keyfile.MOST_BYTES])
    if length is None:
        return
    piece = raw[at : at + length]
    frame = keyfile.parse_keyfile(piece)
    try:
        armed = keyring.open_armed(piece, frame.vault_id, frame.handle, passphrase)
        yield from (armed.signing_seed, armed.travel_seed)
        yield from _windows(keyfile.encode_armed_payload(armed).rstrip(b"\0"))
    except VaultError:
        pass
    try:
        payload = keyring.open_keyfile(piece, frame.vault_id, frame.handle, passphrase)
        yield from (payload.signing_seed, payload.sealing_seed, payload.export)
        yield from (key for _, key in payload.compartments)
    except VaultError:
        pass


def _length(raw: bytes) -> int | None:
    """How long the key file is that these bytes begin with; None when they begin with none."""
    for size in range(4_000, min(len(raw), 9_500) + 1):
        try:
            keyfile.parse_keyfile(raw[:size])
        except VaultError:
            continue
        return size
    return None


def _windows(raw: bytes) -> set[bytes]:
    """Every run of 32 bytes."""
    return {raw[at : at + aead.KEY] for at in range(len(raw) - aead.KEY + 1)}


def seized(travelling: Travelling, name: str) -> Path:
    """What lies on the disk at this moment, the database still open: with its -wal and -shm."""
    copy = travelling.fleet.home / name
    shutil.copytree(travelling.field.directory, copy)
    return copy


def test_nothing_opens_of_what_was_saved_before_arming_or_since(travelling: Travelling) -> None:
    """Neither a record of before nor a letter; with the file for the trustee, too, if it was left on the stick."""
    before = seized(travelling, "before")
    travelling.arm()
    travelling.letters()
    disk = seized(travelling, "armed")
    assert {path.name for path in disk.iterdir()} >= {"vault.db", "vault.db-wal", "vault.db-shm"}
    robber = Robber(disk, travelling.request)
    assert len(robber.all_parts) == 3 + 2 + 2 + 1  # an intake and a journey with all layers; two letters
    assert len(robber.keys) > 10
    assert robber.opened() == []
    control = Robber(before)
    assert control.opened_parts() == control.all_parts != set()


def test_with_the_answer_everything_opens(travelling: Travelling) -> None:
    """The control of the letters: the same thief who got the trustee's answer as well."""
    travelling.arm()
    travelling.letters()
    disk = seized(travelling, "answered")
    with open_vault(disk, travelling.field.environment) as vault:
        by = vault.roster.member("hub-1").key_id
    payload = _by_hand(disk, travelling.answered(None).read_bytes(), by)
    robber = Robber(disk, seeds=[payload.sealing_seed, *(key for _, key in payload.compartments)])
    assert robber.opened_parts() == robber.all_parts != set()


def _by_hand(disk: Path, raw: bytes, by: KeyId) -> keyfile.KeyPayload:
    """What an answer gives, step by step as docs/format.md has it."""
    sealed = (disk / "keys" / "field-1.key").read_bytes()
    file = keyfile.parse_keyfile(sealed)
    assert file.deposit is not None
    armed = keyring.open_armed(sealed, file.vault_id, HANDLE, SECRET)
    answer = travel.parse_answer(raw)
    key = hpke.unwrap(armed.travel_seed, answer.wrap, travel.answer_info(file.vault_id, HANDLE, by))
    aad = travel.deposit_aad(file.vault_id, HANDLE, file.deposit.day, file.deposit.to)
    return keyfile.parse_payload(aead.open_sealed(key, file.deposit.sealed, aad))


def test_no_run_of_bytes_in_the_key_files_opens_anything(travelling: Travelling) -> None:
    """Every run of 32 bytes of the key file and of the trustee's file, as a key of every part, wrap and deposit."""
    travelling.arm()
    travelling.letters()
    disk = seized(travelling, "windows")
    raw = (disk / "keys" / "field-1.key").read_bytes()
    windows = _windows(raw[-5_000:]) | _windows(travelling.request.read_bytes())
    robber = Robber(disk)
    targets = [part[17:] for _, _, _, part in robber.parts]
    for key in windows:
        for sealed in targets:
            assert not _opens(key, sealed)
    deposit = keyfile.parse_keyfile(raw).deposit
    assert deposit is not None
    assert not any(_opens(key, deposit.sealed) for key in windows | robber.keys)


def _opens(key: bytes, sealed: bytes) -> bool:
    """Whether a key is the one that sealed these bytes: the commitment alone says so, whatever the place."""
    block = derive(key, labels.AEAD, sealed[aead.COMMITMENT : aead.COMMITMENT + aead.NONCE], length=64)
    return block[aead.KEY :] == sealed[: aead.COMMITMENT]


def test_the_commitment_tells_the_right_key(travelling: Travelling) -> None:
    """The control of the check above."""
    robber = Robber(seized(travelling, "control"))
    for item in [part for part in robber.parts if part[2] is Layer.TALLY]:
        assert _opens(travelling.me.compartment.tally_key(), item[3][17:])


def test_nothing_of_the_old_key_file_is_left(travelling: Travelling) -> None:
    """Not under another name, not in a page of the database; and where it lay its bytes were overwritten."""
    old = laptop_key(travelling.field).read_bytes()
    link = travelling.fleet.home / "the old inode"
    os.link(laptop_key(travelling.field), link)
    travelling.arm()
    piece = keyfile.parse_keyfile(old).sealed[100:160]
    for path in seized(travelling, "remnants").rglob("*"):
        assert path.is_dir() or piece not in path.read_bytes()
    assert link.read_bytes() == bytes(len(old))
    assert sorted(path.name for path in (travelling.field.directory / "keys").iterdir()) == ["field-1.key"]


def test_no_word_of_a_letter_is_on_the_disk(travelling: Travelling) -> None:
    """Not its name, its text, or the pseudonym that it was given: what is on the screen is nowhere else."""
    travelling.arm()
    ring = travelling.armed_ring
    answers = NEWER | {"notes": "zqkanari letter", "name": "zqkanari somebody"}
    saved = open_case(travelling.field.vault, ring, answers)
    record(travelling.field.vault, ring, "journey", travelling.case, STEP)
    for path in seized(travelling, "canaries").rglob("*"):
        raw = path.read_bytes() if path.is_file() else b""
        for text in ("zqkanari", saved.pseudonym, travelling.case):
            assert not any(needle in raw for needle in encodings(text).values()), path.name


def test_the_trustee_opens_nothing_either(travelling: Travelling) -> None:
    """Headquarters with its own keys, the file, and everything that was sent: no part; the deposit is not there."""
    travelling.arm()
    travelling.letters()
    path = travelling.fleet.stick / "armed.fvb"
    create_bundle(travelling.field.vault, travelling.armed_ring, ["hub-1"], path)
    travelling.hq.take(path, "hub-1")
    request = travel.parse_request(travelling.request.read_bytes())
    hub = travelling.hq.key("hub-1")
    info = travel.request_info(request.vault_id, HANDLE, hub.member.key_id, request.day, request.travel_key)
    key = travel.parse_secret(hpke.unwrap(hub.sealing_seed, request.wrap, info)).key
    robber = Robber(
        travelling.hq.directory, passphrase=PASSPHRASES["hub-1"], seeds=[key, hub.sealing_seed, hub.signing_seed]
    )
    assert len(robber.all_parts) >= 6
    assert robber.opened() == []


def test_a_thief_who_sends_the_file_is_asked_for_the_words(travelling: Travelling) -> None:
    """The words are nowhere on the laptop, and not in the file in the clear."""
    made = travelling.arm()
    words = [made.words, made.words.replace(" ", ""), made.words.replace(" ", "-")]
    for path in [*seized(travelling, "words").rglob("*"), travelling.request]:
        raw = path.read_bytes() if path.is_file() else b""
        assert not any(word.encode() in raw for word in words)


def test_the_wrap_moved_beside_a_travel_key_of_the_thief_does_not_open(travelling: Travelling) -> None:
    """Else the trustee would seal the deposit key to whoever passed the file on, and who may sign as the member."""
    travelling.arm()
    request = travel.parse_request(travelling.request.read_bytes())
    forged = replace(request, travel_key=hpke.public_key(bytes(32)))
    forged = replace(forged, signature=sign(travelling.armed_ring.signing_seed, travel.signed_request(forged)))
    travelling.request.write_bytes(travel.encode_request(forged))
    with pytest.raises(VaultError, match="does not open"):
        travelling.answered(None)


def test_what_it_does_not_protect(travelling: Travelling) -> None:
    """An old copy of the key file opens all of it with the passphrase, letters too: documents and the program say so.
    Here it is a remnant in the middle of another file, which a thief looks through."""
    backup = laptop_key(travelling.field).read_bytes()
    travelling.arm()
    travelling.letters()
    disk = seized(travelling, "backup")
    (disk / "unallocated").write_bytes(bytes(777) + backup + b"\xff" * 999)
    robber = Robber(disk)
    assert robber.opened_parts() == robber.all_parts


def test_custodians_open_letters(travelling: Travelling) -> None:
    """A laptop that is lost while armed: the recovery key opens what was recorded before, and the letters."""
    travelling.arm()
    travelling.letters()
    words = [parse_share(path.read_bytes()).words for path in sorted(travelling.fleet.template.shares_dir.iterdir())]
    robber = Robber(seized(travelling, "custodians"), seeds=[recovery_seed(words[:2])])
    assert robber.opened_parts() == robber.all_parts
