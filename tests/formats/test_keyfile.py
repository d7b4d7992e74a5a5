"""Key files: one form, damage told apart from a wrong passphrase, and every public field under the seal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from hypothesis import given, settings, strategies as st

from tests.formats.mutation import SOME_EDITS, Edit, edited, refused_or_same
from tests.primitives import oracle
from tests.vectors import fixed, sealed
from tests.vectors.regenerate import KEY_FILE_DEFECTS
from tests.vectors.tagged import untag
from vault import labels
from vault.errors import FormatError, OpenFailed, WrongPassphrase
from vault.formats import canonical
from vault.formats.canonical import Value
from vault.formats.keyfile import (
    MAGIC,
    MOST_BYTES,
    MOST_NAME,
    PAYLOAD,
    KeyFile,
    KeyPayload,
    encode_aad,
    encode_keyfile,
    encode_payload,
    parse_keyfile,
    parse_payload,
)
from vault.model import Handle, VaultId
from vault.primitives import aead
from vault.primitives.hashing import sha256
from vault.primitives.passphrase import parse_phc
from vault.services.keyring import open_keyfile

VECTORS = Path(__file__).parents[1] / "vectors" / "keyfile"
BAD = {path.stem: bytes.fromhex(path.read_text()) for path in sorted((VECTORS / "bad").glob("*.hex"))}
OPEN: dict[str, Any] = json.loads((VECTORS / "open.json").read_text())
RAW = bytes.fromhex(OPEN["file"])
HANDLE = Handle("field-1")

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
KEYS = st.binary(min_size=32, max_size=32)
PAYLOADS = st.builds(
    KeyPayload,
    organisation=TEXTS,
    signing_seed=KEYS,
    sealing_seed=KEYS,
    compartments=st.lists(st.tuples(st.integers(1, 2**53 - 1), KEYS), max_size=5).map(tuple),
    export=KEYS | st.just(b""),
)
FILES = st.builds(
    KeyFile,
    vault_id=st.binary(min_size=16, max_size=16).map(lambda raw: VaultId(raw.hex())),
    handle=st.from_regex(r"\A[a-z]([a-z0-9-]{0,30}[a-z0-9])?\Z").map(Handle),
    phc=st.binary(max_size=80),
    sealed=st.binary(max_size=PAYLOAD + aead.OVERHEAD),
)


def file_again(raw: bytes) -> bytes:
    """What the encoder makes of what the parser made."""
    return encode_keyfile(parse_keyfile(raw))


def payload_again(raw: bytes) -> bytes:
    """Likewise, of the sealed content."""
    return encode_payload(parse_payload(raw))


@given(FILES)
def test_files_survive(file: KeyFile) -> None:
    """parse inverts encode."""
    assert parse_keyfile(encode_keyfile(file)) == file


@given(PAYLOADS)
def test_payloads_survive(payload: KeyPayload) -> None:
    """parse inverts encode, and every payload has one length."""
    raw = encode_payload(payload)
    assert len(raw) == PAYLOAD
    assert parse_payload(raw) == payload


@settings(max_examples=400, deadline=None)
@given(FILES, PAYLOADS, SOME_EDITS)
def test_what_is_accepted_is_canonical(file: KeyFile, payload: KeyPayload, edits: list[Edit]) -> None:
    """Edited bytes are refused or stand for exactly themselves."""
    refused_or_same(file_again, edited(encode_keyfile(file), edits))
    refused_or_same(payload_again, edited(encode_payload(payload), edits))


@given(SOME_EDITS)
def test_no_edit_of_a_key_file_passes(edits: list[Edit]) -> None:
    """Every change of any byte is damage: the closing hash sees it, and the passphrase is not tried."""
    raw = edited(RAW, edits)
    assert (refused_or_same(file_again, raw)) == (raw == RAW)


@given(st.binary(max_size=100))
def test_arbitrary_bytes_are_refused(raw: bytes) -> None:
    """Nothing but FormatError escapes, also behind good padding."""
    refused_or_same(file_again, raw)
    refused_or_same(payload_again, (raw + b"\x80").ljust(PAYLOAD, b"\0"))


def test_every_vector_has_its_defect_and_the_reverse() -> None:
    """No vector file goes unread."""
    assert {name: change(RAW) for name, change in KEY_FILE_DEFECTS.items()} == BAD


@pytest.mark.parametrize("name", BAD)
def test_defects_are_refused(name: str) -> None:
    """Damage is a FormatError, never a wrong passphrase: honest people must know which."""
    assert file_again(RAW) == RAW, "control: without the defect it is taken"
    with pytest.raises(FormatError):
        open_keyfile(BAD[name], fixed.VAULT_ID, HANDLE, "not even tried")


GOOD: list[Any] = [MAGIC, 1, "0" * 32, "field-1", b"phc", b"sealed"]
WRONG: dict[str, list[Any]] = {
    "version 2": [MAGIC, 2, *GOOD[2:]],
    "version true": [MAGIC, True, *GOOD[2:]],
    "magic other": ["fieldvault share", *GOOD[1:]],
    "vault id malformed": [*GOOD[:2], "0" * 31, *GOOD[3:]],
    "vault id bytes": [*GOOD[:2], b"0" * 32, *GOOD[3:]],
    "handle malformed": [*GOOD[:3], "Field", *GOOD[4:]],
    "handle nil": [*GOOD[:3], None, *GOOD[4:]],
    "phc text": [*GOOD[:4], "phc", GOOD[5]],
    "sealed text": [*GOOD[:5], "sealed"],
    "field added": [*GOOD, 0],
    "field missing": GOOD[:5],
    "nothing": [],
}


def closed(fields: list[Any]) -> bytes:
    """Fields with the closing hash that belongs to them."""
    return canonical.encode([*fields, sha256(canonical.encode(fields))])


@pytest.mark.parametrize("fields", WRONG.values(), ids=WRONG)
def test_wrong_fields_under_a_right_hash_are_refused(fields: list[Any]) -> None:
    """Anybody can compute the hash, so the fields are checked for themselves."""
    assert file_again(closed(GOOD)) == closed(GOOD)
    with pytest.raises(FormatError):
        parse_keyfile(closed(fields))


def test_a_huge_file_is_refused_unread() -> None:
    """More than 16 KiB is no key file."""
    with pytest.raises(FormatError, match="large"):
        parse_keyfile(bytes(MOST_BYTES + 1))


PAYLOAD_GOOD: list[Any] = ["org", bytes(32), bytes(32), [[1, bytes(32)]], b""]
PAYLOAD_WRONG: dict[str, Any] = {
    "organisation bytes": [b"org", *PAYLOAD_GOOD[1:]],
    "seed 31 bytes": ["org", bytes(31), *PAYLOAD_GOOD[2:]],
    "seed text": ["org", "0" * 32, *PAYLOAD_GOOD[2:]],
    "compartments nil": [*PAYLOAD_GOOD[:3], None, b""],
    "compartment of three": [*PAYLOAD_GOOD[:3], [[1, bytes(32), 0]], b""],
    "compartment epoch true": [*PAYLOAD_GOOD[:3], [[True, bytes(32)]], b""],
    "compartment key short": [*PAYLOAD_GOOD[:3], [[1, bytes(16)]], b""],
    "export nil": [*PAYLOAD_GOOD[:4], None],
    "export empty text": [*PAYLOAD_GOOD[:4], ""],
    "export short": [*PAYLOAD_GOOD[:4], bytes(31)],
    "field added": [*PAYLOAD_GOOD, 0],
    "a map": {"org": 1},
}


@pytest.mark.parametrize("value", PAYLOAD_WRONG.values(), ids=PAYLOAD_WRONG)
def test_wrong_payloads_are_refused(value: Value) -> None:
    """A payload with one defect is a FormatError; without it, it is taken."""

    def padded(content: Value) -> bytes:
        return (canonical.encode(content) + b"\x80").ljust(PAYLOAD, b"\0")

    assert payload_again(padded(PAYLOAD_GOOD)) == padded(PAYLOAD_GOOD)
    with pytest.raises(FormatError):
        parse_payload(padded(value))


def test_a_payload_that_is_too_long_is_refused() -> None:
    """What does not fit the fixed length is refused, not cut."""
    payload = KeyPayload(organisation="x" * PAYLOAD, signing_seed=bytes(32), sealing_seed=bytes(32))
    with pytest.raises(FormatError):
        encode_payload(payload)


def test_a_key_file_has_room_for_many_epochs() -> None:
    """Every restored laptop opens a new epoch with a key of its own: a hundred of them fit beside the longest name,
    and the file stays below its bound."""
    keys = tuple((epoch, bytes(32)) for epoch in range(1, 101))
    payload = KeyPayload(
        organisation="x" * MOST_NAME, signing_seed=bytes(32), sealing_seed=bytes(32), compartments=keys, export=b""
    )
    assert parse_payload(encode_payload(payload)) == payload
    file = KeyFile(vault_id=fixed.VAULT_ID, handle=HANDLE, phc=bytes(80), sealed=bytes(PAYLOAD + aead.OVERHEAD))
    assert len(encode_keyfile(file)) < MOST_BYTES


def test_secrets_do_not_show() -> None:
    """Nothing of a payload shows in `repr`."""
    payload = KeyPayload(
        organisation="Org",
        signing_seed=b"S" * 32,
        sealing_seed=b"H" * 32,
        compartments=((1, b"C" * 32),),
        export=b"E" * 32,
    )
    assert not [word for word in ("Org", "SSS", "HHH", "CCC", "EEE") if word in repr(payload)]


def test_the_stored_key_file_opens_with_both_libraries() -> None:
    """Passphrase to secrets, once through production and once through `cryptography` and the written-out AEAD."""
    payload = open_keyfile(RAW, fixed.VAULT_ID, HANDLE, OPEN["passphrase"])
    assert payload == sealed.KEY_PAYLOAD
    file = parse_keyfile(RAW)
    salt, cost = parse_phc(file.phc)
    normal = "vector \ud55c passphrase fi".encode()
    raw = Argon2id(salt=salt, length=32, iterations=cost.passes, lanes=cost.lanes, memory_cost=cost.memory).derive(
        normal
    )
    key = oracle.derive(raw, b"fieldvault/v1/passphrase")
    assert key.hex() == OPEN["stretched"]
    opened = oracle.open_sealed(key, file.sealed, bytes.fromhex(OPEN["aad"]))
    assert opened.hex() == OPEN["padded"]
    assert canonical.parse(opened.rstrip(b"\0")[:-1]) == untag(OPEN["payload"])
    assert payload_again(opened) == opened


def test_a_wrong_passphrase_is_not_damage() -> None:
    """The file is whole and does not open: WrongPassphrase; and so for another vault's or member's file."""
    with pytest.raises(WrongPassphrase):
        open_keyfile(RAW, fixed.VAULT_ID, HANDLE, OPEN["passphrase"] + "x")
    for vault_id, handle in ((VaultId("0" * 32), HANDLE), (fixed.VAULT_ID, Handle("field-2"))):
        with pytest.raises(WrongPassphrase, match="another"):
            open_keyfile(RAW, vault_id, handle, OPEN["passphrase"])


@pytest.mark.parametrize("field", [2, 3, 4])
def test_the_public_fields_are_sealed_in(field: int) -> None:
    """K4, K11: a file whose vault id, handle or cost was changed, hash and all, does not open under the right key."""
    file = parse_keyfile(RAW)
    key = bytes.fromhex(OPEN["stretched"])
    fields: list[Any] = [file.vault_id, file.handle, file.phc]
    assert aead.open_sealed(key, file.sealed, encode_aad(*fields)), "control"
    fields[field - 2] = {2: "0" * 32, 3: "field-2", 4: file.phc.replace(b"m=65536", b"m=65537")}[field]
    with pytest.raises(OpenFailed):
        aead.open_sealed(key, file.sealed, encode_aad(*fields))


def test_the_context_is_the_published_array() -> None:
    """The AAD is [label, 1, vault id, handle, PHC string]."""
    aad = bytes.fromhex((VECTORS / "aad.hex").read_text())
    assert aad.hex() == OPEN["aad"]
    assert canonical.parse(aad) == [labels.KEY_FILE, 1, fixed.VAULT_ID, "field-1", OPEN["phc"].encode()]
