"""Requests for membership: one form, a key that proves itself, and no key that nobody should trust."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgpack
import pytest
from hypothesis import given, strategies as st
from nacl.signing import VerifyKey

from tests.formats.mutation import SOME_EDITS, Edit, edited
from tests.vectors import fixed, requests
from tests.vectors.tagged import untag
from vault import labels
from vault.errors import FormatError, SignatureInvalid
from vault.formats.request import MOST_BYTES, PENDING, ROLES, encode_request, parse_request, sign_request
from vault.model import Handle, PublicKeys, Role
from vault.primitives import hpke, signing

VECTORS = Path(__file__).parents[1] / "vectors" / "request"
EDGE_CASES = Path(__file__).resolve().parents[2] / "../shared/vectors/ed25519-edge-cases.json"
BAD = {path.stem: bytes.fromhex(path.read_text()) for path in sorted((VECTORS / "bad").glob("*.hex"))}
SEALING = st.binary(min_size=1216, max_size=1216)
SEEDS = st.binary(min_size=32, max_size=32)
HANDLES = st.from_regex(r"\A[a-z]([a-z0-9-]{0,30}[a-z0-9])?\Z").filter(lambda text: text != "root").map(Handle)


def again(raw: bytes) -> bytes:
    """What the encoder makes of what the parser made."""
    return encode_request(parse_request(raw))


def signing_keys() -> list[bytes]:
    """Every signing key of the shared edge cases that is not a point of the prime-order subgroup."""
    if not EDGE_CASES.is_file():
        pytest.skip("the shared vectors are not beside this repository")
    bad = {"low_order_A", "low_order_component_A", "non_canonical_A"}
    rows: list[dict[str, Any]] = json.loads(EDGE_CASES.read_text())
    return sorted({bytes.fromhex(row["key"]) for row in rows if bad & set(row["flags"] or ())})


@given(HANDLES, st.sampled_from(sorted(ROLES)), SEEDS, SEALING)
def test_requests_survive(handle: Handle, role: str, seed: bytes, sealing: bytes) -> None:
    """parse inverts encode, for every handle, role and key."""
    keys = PublicKeys(signing=signing.public_key(seed), sealing=sealing)
    raw = sign_request(handle, Role(role), keys, seed)
    request = parse_request(raw)
    assert (request.handle, request.role, request.keys) == (handle, role, keys)
    assert again(raw) == raw
    assert len(raw) <= MOST_BYTES
    assert sign_request(handle, Role(role), keys, seed) == raw, "the same request is the same bytes"


@given(SOME_EDITS)
def test_no_edit_of_a_request_passes(edits: list[Edit]) -> None:
    """Every change of any byte is refused: what the format lets through, the signature does not."""
    raw = edited(requests.RAW, edits)
    if raw != requests.RAW:
        with pytest.raises((FormatError, SignatureInvalid)):
            parse_request(raw)


@given(st.binary(max_size=100))
def test_arbitrary_bytes_are_refused(raw: bytes) -> None:
    """Nothing but FormatError escapes."""
    with pytest.raises(FormatError):
        parse_request(raw)


def test_every_vector_has_its_defect_and_the_reverse() -> None:
    """No vector file goes unread."""
    assert set(BAD) == set(requests.CHANGED) | set(requests.MALFORMED)


@pytest.mark.parametrize("name", requests.MALFORMED)
def test_what_is_no_request_is_refused(name: str) -> None:
    """A FormatError, although a good signature of its own covers what was changed."""
    assert again(requests.RAW) == requests.RAW, "control: without the defect it is taken"
    with pytest.raises(FormatError):
        parse_request(BAD[name])


@pytest.mark.parametrize("name", requests.CHANGED)
def test_what_its_own_key_did_not_sign_is_refused(name: str) -> None:
    """Another handle, role or key beside somebody's signing key: whoever swaps one cannot sign for it."""
    with pytest.raises(SignatureInvalid, match="changed"):
        parse_request(BAD[name])


def test_the_vector_reads_with_other_libraries() -> None:
    """Plain msgpack and PyNaCl's own interface come to the same: seven fields, a signature over label and six."""
    row = json.loads((VECTORS / "field-1.json").read_text())
    fields = msgpack.unpackb(bytes.fromhex(row["request"]))
    assert fields == untag(row["fields"])
    assert fields[:4] == ["fieldvault request", 1, "field-1", "recorder"]
    assert (fields[4], fields[5]) == (fixed.FIELD.signing, fixed.FIELD.sealing)
    message = b"fieldvault/v1/request\n" + msgpack.packb(fields[:6], use_bin_type=True)
    VerifyKey(fields[4]).verify(message, fields[6])
    assert labels.REQUEST == b"fieldvault/v1/request\n"


def test_no_signing_key_of_the_edge_cases_is_taken() -> None:
    """Small order, mixed order, not canonical: refused as a key, before any signature of theirs is looked at."""
    keys = signing_keys()
    assert len(keys) >= 5
    for key in keys:
        with pytest.raises(FormatError, match="signing key"):
            parse_request(requests.signed([*requests.FIELDS[:4], key, requests.FIELDS[5]]))


def test_a_request_holds_no_secret() -> None:
    """Neither seed, nor anything but what is published."""
    for secret in (requests.SEED, fixed.secret("field-1 HPKE seed"), fixed.COMPARTMENT.key):
        assert secret not in requests.RAW
    assert hpke.public_key(fixed.secret("field-1 HPKE seed")) in requests.RAW, "control"


def test_a_pending_key_names_no_vault() -> None:
    """32 zeros: no hash over root's keys comes to that."""
    assert PENDING == "0" * 32
