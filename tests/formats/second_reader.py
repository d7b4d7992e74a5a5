# ruff: noqa: ANN401  # what is unpacked is of any type until it is looked at
"""A second implementation, written from docs/format.md alone: it verifies a vault and reads a recorder's cases.

It imports nothing of the first one (a test says so), and is as short as can be: it shows that the document suffices,
not how a program should be written. Section numbers are the document's.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import sqlite3
import struct
import unicodedata
from base64 import b64decode
from pathlib import Path
from typing import Any

import msgpack
from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PrivateKey, Suite
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt

SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
ACTS = {"transfer", "referral", "accept", "reject", "revoke", "end", "supplement", "restore"}
PHC = re.compile(rb"\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]{22})")


def sha256(data: bytes) -> bytes:
    """SHA-256."""
    return hashlib.sha256(data).digest()


def mac(key: bytes, data: bytes) -> bytes:
    """HMAC-SHA256."""
    return hmac.digest(key, data, "sha256")


def derive(key: bytes, label: bytes, context: bytes = b"", length: int = 32) -> bytes:
    """Section 1: HKDF-SHA256 with a framed label."""
    prk, made, block = mac(bytes(32), key), b"", b""
    info = struct.pack(">H", len(label)) + label + context
    while len(made) < length:
        block = mac(prk, block + info + bytes([len(made) // 32 + 1]))
        made += block
    return made[:length]


def pack(value: Any) -> bytes:
    """Section 2, for values that are canonical by construction."""
    packed: bytes = msgpack.packb(value)
    return packed


def unpack(raw: bytes) -> Any:
    """Section 2: what packs again to the same bytes."""
    value = msgpack.unpackb(raw)
    assert pack(value) == raw, "not canonical"
    return value


def unpad(padded: bytes) -> Any:
    """The value before 0x80 and zeros."""
    payload, mark, zeros = padded.rpartition(b"\x80")
    assert mark
    assert not zeros.strip(b"\0")
    return unpack(payload)


def open_seal(key: bytes, sealed: bytes, aad: bytes) -> bytes:
    """Section 4: the commitment first."""
    block = derive(key, b"fieldvault/v1/aead", sealed[32:56], 64)
    assert hmac.compare_digest(block[32:], sealed[:32]), "another key"
    return crypto_aead_xchacha20poly1305_ietf_decrypt(sealed[56:], aad, sealed[32:56], block[:32])


def root_of(hashes: list[bytes]) -> bytes:
    """Section 5.1: RFC 6962 over leaf hashes."""
    if len(hashes) < 2:
        return hashes[0] if hashes else sha256(b"")
    split = 1 << (len(hashes) - 1).bit_length() - 1
    return sha256(b"\x01" + root_of(hashes[:split]) + root_of(hashes[split:]))


def verify_head(note: bytes, origin: str, key: bytes, leaves: list[bytes]) -> int:
    """Section 5.1: checks a checkpoint's signature, origin and root against the leaves; gives its size."""
    text, _, lines = note.rpartition(b"\n\n")
    head = text.decode().split("\n")
    assert len(head) == 3
    assert head[0] == origin
    assert re.fullmatch("0|[1-9][0-9]*", head[1])
    name, signature = lines.decode().split("\n")[0].removeprefix("\u2014 ").split(" ")
    blob = b64decode(signature, validate=True)
    assert (name, blob[:4]) == (origin, sha256(origin.encode() + b"\n\x01" + key)[:4])
    Ed25519PublicKey.from_public_bytes(key).verify(blob[4:], text + b"\n")
    assert b64decode(head[2]) == root_of([sha256(b"\0" + leaf) for leaf in leaves[: int(head[1])]])
    return int(head[1])


class SecondReader:
    """A vault directory, opened read-only, with its roster verified. Raises AssertionError where bytes disagree."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.db = sqlite3.connect(f"{(directory / 'vault.db').as_uri()}?mode=ro", uri=True)
        self.vault_id = self.rows("SELECT value FROM setting WHERE name = 'vault id'")[0][0].decode()
        self.journals = {origin: number for number, origin in self.rows("SELECT id, origin FROM journal")}
        self.members = self.fold()

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        return self.db.execute(sql, values).fetchall()

    def leaves(self, origin: str) -> list[bytes]:
        """The leaves of a journal, in order."""
        found = self.rows("SELECT bytes FROM leaf WHERE journal = ? ORDER BY seq", self.journals[origin])
        return [raw for (raw,) in found]

    def verify(self, origin: str, key: bytes) -> int:
        """Checks every checkpoint of a journal and that the last covers every leaf; gives the number of leaves."""
        leaves = self.leaves(origin)
        assert [unpack(raw)[1] for raw in leaves] == list(range(len(leaves)))
        notes = self.rows("SELECT note FROM checkpoint WHERE journal = ? ORDER BY size", self.journals[origin])
        sizes = [verify_head(note, origin, key, leaves) for (note,) in notes]
        assert sizes[-1] == len(leaves)
        return sizes[-1]

    def fold(self) -> dict[str, tuple[str, bytes, bytes]]:
        """Section 10, as far as enrolments go: handle -> role, signing key, sealing key."""
        origin = f"fieldvault/{self.vault_id}/root/1"
        members: dict[str, tuple[str, bytes, bytes]] = {}
        for raw in self.leaves(origin):
            _, seq, kind, _, _, extra = unpack(raw)
            if kind == "found":
                assert seq == 0
                members["root"] = ("root", extra[0], extra[1])
            elif kind == "enrol":
                assert extra[0] not in members
                members[extra[0]] = (extra[1], extra[2], extra[3])
        signing, sealing = members["root"][1:]
        assert sha256(b"fieldvault/v1/vault-id" + signing + sealing)[:16].hex() == self.vault_id
        self.verify(origin, signing)
        return members

    def unlock(self, handle: str, passphrase: str) -> tuple[bytes, dict[int, bytes]]:
        """Sections 8 and 15.1: the HPKE seed and the compartment keys of a member."""
        file = unpack((self.directory / "keys" / f"{handle}.key").read_bytes())
        assert file[:4] == ["fieldvault key", 1, self.vault_id, handle]
        assert file[6] == sha256(pack(file[:6]))
        found = PHC.fullmatch(file[4])
        assert found
        memory, passes, lanes = (int(found[number]) for number in (1, 2, 3))
        assert 65536 <= memory <= 2**20
        assert 3 <= passes <= 16
        assert 1 <= lanes <= 8
        secret, salt = unicodedata.normalize("NFKC", passphrase).encode(), b64decode(found[4] + b"==")
        key = derive(hash_secret_raw(secret, salt, passes, memory, lanes, 32, Type.ID), b"fieldvault/v1/passphrase")
        aad = pack([b"fieldvault/v1/key-file", 1, self.vault_id, handle, file[4]])
        _, seed, hpke_seed, compartments, _ = unpad(open_seal(key, file[5], aad))
        public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
        assert public == self.members[handle][1]
        return hpke_seed, dict(compartments)

    def wraps(self, origin: str, purpose: str, recipient: bytes) -> list[tuple[int, bytes]]:
        """Section 7: (seq, wrap) of each wrap, checked against its leaf."""
        sql = "SELECT seq, position, bytes FROM wrap WHERE journal = ? AND purpose = ? AND recipient = ? ORDER BY seq"
        found = []
        for seq, position, raw in self.rows(sql, self.journals[origin], purpose, recipient):
            _, _, kind, _, _, extra = unpack(self.leaves(origin)[seq])
            refs = extra if kind in ("record", "grant") else extra[-1]
            if kind == "grant" and extra[0][0] in ACTS:
                refs = extra[1:]
            assert refs[position] == [purpose, recipient, sha256(raw)]
            found.append((seq, raw))
        return found

    def open_part(self, origin: str, seq: int, layer: str, key: bytes) -> Any:
        """Sections 6 and 15.4: a part, checked against its leaf, opened in its place."""
        sql = "SELECT bytes FROM part WHERE journal = ? AND seq = ? AND layer = ?"
        raw: bytes = self.rows(sql, self.journals[origin], seq, layer)[0][0]
        _, _, kind, _, parts, _ = unpack(self.leaves(origin)[seq])
        assert [layer, sha256(raw), len(raw)] in parts
        aad = pack([b"fieldvault/v1/part", self.vault_id, origin, seq, kind, layer, 1, raw[1:17]])
        return unpad(open_seal(key, raw[17:], aad))

    def identity_keys(self, handle: str, passphrase: str) -> dict[str, bytes]:
        """Section 7.1: pseudonym -> identity key of each case, in the order in which the cases were opened."""
        _, compartments = self.unlock(handle, passphrase)
        epoch, key = max(compartments.items())
        origin = f"fieldvault/{self.vault_id}/{handle}/{epoch}"
        recipient = derive(key, b"fieldvault/v1/compartment-id", length=16)
        named: dict[bytes, str] = {}
        found: dict[str, bytes] = {}
        for purpose in ("case", "identity"):
            for seq, raw in self.wraps(origin, purpose, recipient):
                context = pack([b"fieldvault/v1/case-wrap", self.vault_id, origin, seq, purpose, recipient])
                case_id, secret, *rest = unpad(open_seal(key, raw, context))
                if purpose == "case":
                    named[case_id] = rest[1]
                else:
                    found[named[case_id]] = secret
        return found

    def cases(self, handle: str, passphrase: str) -> dict[str, dict[int, tuple[str, dict[str, Any]]]]:
        """Section 15: pseudonym -> seq of a record -> (type, case values as they stand after amendments)."""
        _, compartments = self.unlock(handle, passphrase)
        epoch, key = max(compartments.items())
        origin = f"fieldvault/{self.vault_id}/{handle}/{epoch}"
        self.verify(origin, self.members[handle][1])
        recipient = derive(key, b"fieldvault/v1/compartment-id", length=16)
        keys, found = {}, {}
        for seq, raw in self.wraps(origin, "case", recipient):
            context = pack([b"fieldvault/v1/case-wrap", self.vault_id, origin, seq, "case", recipient])
            case_id, case_key, _, pseudonym = unpad(open_seal(key, raw, context))
            keys[case_id[:8]], found[pseudonym] = (case_key, pseudonym), dict[int, tuple[str, dict[str, Any]]]()
        locator = derive(key, b"fieldvault/v1/locator")
        sql = "SELECT seq, bytes FROM part WHERE journal = ? AND layer = 'case' ORDER BY seq"
        for seq, raw in self.rows(sql, self.journals[origin]):
            salt, masked = raw[1:9], raw[9:17]
            pad = mac(locator, salt + struct.pack(">Q", seq) + b"case")[:8]
            case_key, pseudonym = keys[bytes(left ^ right for left, right in zip(pad, masked, strict=True))]
            kind, values, amends, _ = self.open_part(origin, seq, "case", case_key)
            if kind != "reveal":
                found[pseudonym][seq if amends is None else amends] = (kind, values)
        return found

    def tally(self, handle: str, passphrase: str, origin: str) -> list[Any]:
        """Sections 7.2 and 6.3: the tally payloads of one journal, as a director opens them."""
        seed, _ = self.unlock(handle, passphrase)
        _, signing, sealing = self.members[handle]
        recipient = sha256(b"fieldvault/v1/member-id" + signing + sealing)[:16]
        expanded = hashlib.shake_256(seed).digest(96)
        lattice = MLKEM768PrivateKey.from_seed_bytes(expanded[:64])
        private = MLKEM768X25519PrivateKey(lattice, X25519PrivateKey.from_private_bytes(expanded[64:]))
        keys = {}
        for seq, raw in self.wraps(origin, "tally", recipient):
            info = pack([b"fieldvault/v1/member-wrap", self.vault_id, origin, seq, "tally", recipient])
            key = SUITE.decrypt(raw, private, info=info)
            keys[derive(key, b"fieldvault/v1/tally-id", length=16)] = key
        sql = "SELECT seq, substr(bytes, 2, 16) FROM part WHERE journal = ? AND layer = 'tally' ORDER BY seq"
        return [
            self.open_part(origin, seq, "tally", keys[header]) for seq, header in self.rows(sql, self.journals[origin])
        ]
