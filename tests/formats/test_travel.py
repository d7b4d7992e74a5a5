"""The two files of `travel`, and armed key files: one form each, every field bound, and nothing that opens too much."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgpack
import pytest
from hypothesis import given, strategies as st

from tests.formats.mutation import SOME_EDITS, Edit, edited, refused_or_same
from tests.vectors import fixed, travels
from tests.vectors.tagged import untag
from vault.errors import FormatError, NotAllowed, OpenFailed, UsageError
from vault.formats import keyfile, travel
from vault.formats.keyfile import ArmedPayload, Deposit, KeyFile
from vault.formats.travel import TravelAnswer, TravelRequest, TravelSecret
from vault.model import Handle, VaultId
from vault.primitives import aead, hpke
from vault.primitives.hashing import sha256
from vault.primitives.signing import verify_signature
from vault.services import keyring

VECTORS = Path(__file__).parents[1] / "vectors" / "travel"
OPEN: dict[str, Any] = json.loads((VECTORS / "open.json").read_text())
BAD = {
    kind: {path.stem: bytes.fromhex(path.read_text()) for path in sorted((VECTORS / "bad" / kind).glob("*.hex"))}
    for kind in ("request", "answer")
}
VAULTS = st.binary(min_size=16, max_size=16).map(lambda raw: VaultId(raw.hex()))
HANDLES = st.from_regex(r"\A[a-z]([a-z0-9-]{0,30}[a-z0-9])?\Z").map(Handle)
DAYS = st.integers(0, 2**53 - 1)
KEYS = st.binary(min_size=32, max_size=32)


def sized(size: int) -> st.SearchStrategy[bytes]:
    """Bytes of one length, mostly zeros: what they are does not matter."""
    return st.binary(max_size=8).map(lambda raw: raw.ljust(size, b"\0"))


REQUESTS = st.builds(
    TravelRequest,
    vault_id=VAULTS,
    handle=HANDLES,
    to=HANDLES,
    day=DAYS,
    travel_key=sized(travel.SEALING_KEY),
    wrap=sized(travel.REQUEST_WRAP),
    signature=sized(travel.SIGNATURE),
)
ANSWERS = st.builds(TravelAnswer, vault_id=VAULTS, handle=HANDLES, by=HANDLES, wrap=sized(travel.ANSWER_WRAP))
FILES = st.builds(
    KeyFile,
    vault_id=VAULTS,
    handle=HANDLES,
    phc=st.binary(max_size=80),
    sealed=st.binary(max_size=200),
    deposit=st.builds(Deposit, day=DAYS, to=HANDLES, sealed=st.binary(max_size=200)),
)


def request_again(raw: bytes) -> bytes:
    """What the encoder makes of what the parser made."""
    return travel.encode_request(travel.parse_request(raw))


def answer_again(raw: bytes) -> bytes:
    """Likewise."""
    return travel.encode_answer(travel.parse_answer(raw))


def file_again(raw: bytes) -> bytes:
    """Likewise, of an armed key file."""
    return keyfile.encode_keyfile(keyfile.parse_keyfile(raw))


@given(REQUESTS, ANSWERS, SOME_EDITS)
def test_files_survive_and_what_is_accepted_is_canonical(
    request: TravelRequest, answer: TravelAnswer, edits: list[Edit]
) -> None:
    """parse inverts encode; edited bytes are refused or stand for exactly themselves."""
    raws = travel.encode_request(request), travel.encode_answer(answer)
    assert (travel.parse_request(raws[0]), travel.parse_answer(raws[1])) == (request, answer)
    refused_or_same(request_again, edited(raws[0], edits))
    refused_or_same(answer_again, edited(raws[1], edits))


@given(FILES, SOME_EDITS)
def test_armed_key_files_survive(file: KeyFile, edits: list[Edit]) -> None:
    """parse inverts encode; no edit passes."""
    raw = keyfile.encode_keyfile(file)
    assert keyfile.parse_keyfile(raw) == file
    assert refused_or_same(file_again, edited(raw, edits)) == (edited(raw, edits) == raw)


@given(KEYS, KEYS)
def test_armed_payloads_survive_and_have_the_length_of_any_other(signing_seed: bytes, travel_seed: bytes) -> None:
    """And neither payload passes for the other."""
    payload = ArmedPayload(signing_seed=signing_seed, travel_seed=travel_seed)
    raw = keyfile.encode_armed_payload(payload)
    assert keyfile.parse_armed_payload(raw) == payload
    assert len(raw) == keyfile.PAYLOAD
    with pytest.raises(FormatError):
        keyfile.parse_payload(raw)
    with pytest.raises(FormatError):
        keyfile.parse_armed_payload(bytes.fromhex(OPEN["payload"]))


@given(KEYS, st.text("abcdefghijklmnopqrstuvwxyz ", min_size=1, max_size=travel.MOST_WORDS))
def test_secrets_survive_in_one_length(key: bytes, words: str) -> None:
    """Whatever the words."""
    raw = travel.encode_secret(TravelSecret(key=key, words=words))
    assert len(raw) == travel.SECRET
    assert travel.parse_secret(raw) == TravelSecret(key=key, words=words)


@given(REQUESTS, ANSWERS)
def test_the_one_in_place_of_the_other_is_named(request: TravelRequest, answer: TravelAnswer) -> None:
    """Two files are on two sticks, and the names are long; the hint says which of them this is."""
    with pytest.raises(FormatError) as refused:
        travel.parse_answer(travel.encode_request(request))
    assert refused.value.hint.startswith("it is the file that a trustee keeps")
    with pytest.raises(FormatError) as refused:
        travel.parse_request(travel.encode_answer(answer))
    assert refused.value.hint.startswith("it is an answer")


@given(st.binary(max_size=120))
def test_arbitrary_bytes_are_refused(raw: bytes) -> None:
    """Nothing but FormatError escapes."""
    for parse in (travel.parse_request, travel.parse_answer, travel.parse_secret, keyfile.parse_armed_payload):
        with pytest.raises(FormatError):
            parse(raw)


@pytest.mark.parametrize("secret", [TravelSecret(key=bytes(31), words="a"), TravelSecret(key=bytes(32), words="")])
def test_bad_secrets_are_not_written(secret: TravelSecret) -> None:
    """A short key, no words; nor words that would not fit."""
    with pytest.raises(FormatError):
        travel.encode_secret(secret)
    with pytest.raises(FormatError):
        travel.encode_secret(TravelSecret(key=bytes(32), words="a" * 61))


@pytest.mark.parametrize("name", BAD["request"])
def test_bad_requests_are_refused(name: str) -> None:
    """One defect each; without it, it is taken."""
    assert request_again(travels.REQUEST) == travels.REQUEST
    with pytest.raises(FormatError):
        travel.parse_request(BAD["request"][name])


@pytest.mark.parametrize("name", BAD["answer"])
def test_bad_answers_are_refused(name: str) -> None:
    """Likewise."""
    assert answer_again(travels.ANSWER) == travels.ANSWER
    with pytest.raises(FormatError):
        travel.parse_answer(BAD["answer"][name])


def test_every_vector_has_its_defect_and_the_reverse() -> None:
    """No vector file goes unread."""
    assert {name: make() for name, make in travels.BAD_REQUESTS.items()} == BAD["request"]
    assert {name: make() for name, make in travels.BAD_ANSWERS.items()} == BAD["answer"]


def test_the_stored_request_is_signed_over_its_first_eight_fields() -> None:
    """As docs/format.md says, byte by byte."""
    stored = json.loads((VECTORS / "request.json").read_text())
    request = travel.parse_request(bytes.fromhex(stored["request"]))
    assert untag(stored["fields"])[-1] == request.signature
    verify_signature(fixed.FIELD.signing, travel.signed_request(request), request.signature)
    assert travel.signed_request(request).startswith(b"fieldvault/v1/travel\n\x98")


def test_the_stored_files_open_step_by_step() -> None:
    """Passphrase, armed payload; trustee, secret; answer, deposit key; deposit, payload."""
    raw = bytes.fromhex(OPEN["file"])
    file = keyfile.parse_keyfile(raw)
    armed = keyring.open_armed(raw, fixed.VAULT_ID, travels.HANDLE, OPEN["passphrase"])
    assert keyfile.encode_armed_payload(armed).hex() == OPEN["armed payload"]
    secret = hpke.unwrap(
        bytes.fromhex(OPEN["trustee's seed"]), bytes.fromhex(OPEN["wrap"]), bytes.fromhex(OPEN["request info"])
    )
    assert travel.parse_secret(secret).words == OPEN["words"]
    key = hpke.unwrap(armed.travel_seed, bytes.fromhex(OPEN["wrapped"]), bytes.fromhex(OPEN["answer info"]))
    assert key == travel.parse_secret(secret).key == bytes.fromhex(OPEN["deposit key"])
    assert file.deposit is not None
    opened = aead.open_sealed(key, file.deposit.sealed, bytes.fromhex(OPEN["deposit aad"]))
    assert opened.hex() == OPEN["payload"]
    with pytest.raises(OpenFailed):
        aead.open_sealed(
            key, file.deposit.sealed, travel.deposit_aad(fixed.VAULT_ID, travels.HANDLE, 20_780, travels.TRUSTEE)
        )


def test_neither_kind_of_key_file_opens_as_the_other() -> None:
    """An armed one refuses to be read with, whatever the passphrase; a usual one is not armed."""
    usual = json.loads((VECTORS.parent / "keyfile" / "open.json").read_text())
    with pytest.raises(UsageError, match="not armed"):
        keyring.open_armed(bytes.fromhex(usual["file"]), fixed.VAULT_ID, travels.HANDLE, usual["passphrase"])
    with pytest.raises(NotAllowed, match="armed"):
        keyring.open_keyfile(bytes.fromhex(OPEN["file"]), fixed.VAULT_ID, travels.HANDLE, OPEN["passphrase"])


@pytest.mark.parametrize(
    "deposit",
    [None, "text", [20_779, "hub-1"], [True, "hub-1", b""], [-1, "hub-1", b""], [1, "Hub", b""], [1, "hub-1", ""]],
)
def test_a_bad_deposit_is_refused(deposit: Any) -> None:  # noqa: ANN401
    """Under a right closing hash, which anybody can compute."""
    fields = [keyfile.MAGIC, 2, "0" * 32, "field-1", b"phc", b"sealed", deposit]
    packed = msgpack.packb(fields, use_bin_type=True)
    with pytest.raises(FormatError):
        keyfile.parse_keyfile(msgpack.packb([*fields, sha256(packed)], use_bin_type=True))


def test_sizes_fit_hpke() -> None:
    """The format knows no HPKE, so it repeats a number."""
    assert (travel.REQUEST_WRAP, travel.ANSWER_WRAP) == (travel.SECRET + hpke.OVERHEAD, travel.KEY + hpke.OVERHEAD)
    assert travel.SEALING_KEY == hpke.PUBLIC_KEY


def test_secrets_do_not_show() -> None:
    """Nothing secret shows in `repr`."""
    shown = repr(TravelSecret(key=b"K" * 32, words="academic")) + repr(
        ArmedPayload(signing_seed=b"S" * 32, travel_seed=b"T" * 32)
    )
    assert not [word for word in ("KKK", "SSS", "TTT", "academic") if word in shown]
