"""Travel: a request for a trustee, an answer, a letter, and files with one defect each: the name is the defect.

What is sealed differs every time, so the request and the answer here hold made-up bytes where a wrap would stand;
`travel/open.json` has real ones, with every key.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import msgpack

from tests.vectors import fixed
from tests.vectors.tagged import dump, tag
from vault.formats import canonical, keyfile, letter, travel
from vault.formats.letter import Letter
from vault.formats.travel import TravelAnswer, TravelRequest, TravelSecret
from vault.model import Handle
from vault.primitives import aead, hpke, passphrase, signing
from vault.services.roster import member_id

HANDLE, TRUSTEE, DAY = Handle("field-1"), Handle("hub-1"), 20_779
SEED: Final = fixed.secret("field-1 signing seed")
HUB: Final = fixed.keys_of("hub-1")
HUB_ID: Final = member_id(HUB)
TRAVEL_SEED: Final = fixed.secret("travel HPKE seed")
TRAVEL_KEY: Final = hpke.public_key(TRAVEL_SEED)
SECRET: Final = TravelSecret(key=fixed.secret("deposit key"), words="academic acid acne")


def made_up(name: str, size: int) -> bytes:
    """Bytes in the place of something sealed."""
    return b"".join(fixed.secret(f"{name} {number}") for number in range(size // 32 + 1))[:size]


UNSIGNED: Final = TravelRequest(
    vault_id=fixed.VAULT_ID,
    handle=HANDLE,
    to=TRUSTEE,
    day=DAY,
    travel_key=TRAVEL_KEY,
    wrap=made_up("request wrap", travel.REQUEST_WRAP),
)
REQUEST: Final = travel.encode_request(replace(UNSIGNED, signature=signing.sign(SEED, travel.signed_request(UNSIGNED))))
ANSWER: Final = travel.encode_answer(
    TravelAnswer(vault_id=fixed.VAULT_ID, handle=HANDLE, by=TRUSTEE, wrap=made_up("answer wrap", travel.ANSWER_WRAP))
)
LETTER: Final = letter.encode_letter(
    Letter(
        pseudonym="amber-heron-07",
        opens=True,
        type="intake",
        case={"language": "ko"},
        tally={"sex": "female", "age_group": "18-59"},
    )
)


def _put(raw: bytes, place: int, value: object) -> Callable[[], bytes]:
    def made() -> bytes:
        fields: list[Any] = msgpack.unpackb(raw)
        packed: bytes = msgpack.packb([*fields[:place], value, *fields[place + 1 :]], use_bin_type=True)
        return packed

    return made


def _pack(value: object) -> bytes:
    packed: bytes = msgpack.packb(value, use_bin_type=True)
    return packed


BAD_REQUESTS: Final[dict[str, Callable[[], bytes]]] = {
    "magic-of-an-answer": _put(REQUEST, 0, travel.ANSWER_MAGIC),
    "version-2": _put(REQUEST, 1, 2),
    "version-true": _put(REQUEST, 1, True),
    "vault-id-short": _put(REQUEST, 2, "0" * 31),
    "vault-id-bytes": _put(REQUEST, 2, b"0" * 32),
    "handle-capital": _put(REQUEST, 3, "Field-1"),
    "trustee-nil": _put(REQUEST, 4, None),
    "day-text": _put(REQUEST, 5, "20779"),
    "day-negative": _put(REQUEST, 5, -1),
    "day-true": _put(REQUEST, 5, True),
    "travel-key-1215-bytes": _put(REQUEST, 6, TRAVEL_KEY[1:]),
    "travel-key-text": _put(REQUEST, 6, "0" * 1216),
    "wrap-short": _put(REQUEST, 7, bytes(travel.REQUEST_WRAP - 1)),
    "wrap-text": _put(REQUEST, 7, "0" * travel.REQUEST_WRAP),
    "signature-63-bytes": _put(REQUEST, 8, bytes(63)),
    "field-added": lambda: _pack([*msgpack.unpackb(REQUEST), 0]),
    "field-missing": lambda: _pack(msgpack.unpackb(REQUEST)[:8]),
    "trailing-byte": lambda: REQUEST + b"\0",
    "truncated": lambda: REQUEST[:-1],
    "empty": lambda: b"",
    "longer-than-8-kib": lambda: REQUEST + bytes(8192),
    "a-map": lambda: _pack({"fieldvault travel request": 1}),
}
BAD_ANSWERS: Final[dict[str, Callable[[], bytes]]] = {
    "magic-of-a-request": _put(ANSWER, 0, travel.REQUEST_MAGIC),
    "version-2": _put(ANSWER, 1, 2),
    "vault-id-nil": _put(ANSWER, 2, None),
    "handle-empty": _put(ANSWER, 3, ""),
    "trustee-bytes": _put(ANSWER, 4, b"hub-1"),
    "wrap-long": _put(ANSWER, 5, bytes(travel.ANSWER_WRAP + 1)),
    "wrap-nil": _put(ANSWER, 5, None),
    "field-added": lambda: _pack([*msgpack.unpackb(ANSWER), 0]),
    "field-missing": lambda: _pack(msgpack.unpackb(ANSWER)[:5]),
    "trailing-byte": lambda: ANSWER + b"\0",
    "truncated": lambda: ANSWER[:-1],
    "empty": lambda: b"",
}
BAD_LETTERS: Final[dict[str, Callable[[], bytes]]] = {
    "version-2": _put(LETTER, 0, 2),
    "version-true": _put(LETTER, 0, True),
    "name-empty": _put(LETTER, 1, ""),
    "name-too-long": _put(LETTER, 1, "a" * 65),
    "name-bytes": _put(LETTER, 1, b"amber-heron-07"),
    "opens-2": _put(LETTER, 2, 2),
    "opens-true": _put(LETTER, 2, True),
    "type-nil": _put(LETTER, 3, None),
    "case-array": _put(LETTER, 4, []),
    "case-value-bytes": _put(LETTER, 4, {"language": b"ko"}),
    "case-value-true": _put(LETTER, 4, {"language": True}),
    "tally-nil": _put(LETTER, 5, None),
    "tally-keys-unsorted": _put(LETTER, 5, {"sex": "female", "age_group": "18-59"}),
    "field-added": lambda: _pack([*msgpack.unpackb(LETTER), 0]),
    "field-missing": lambda: _pack(msgpack.unpackb(LETTER)[:5]),
    "trailing-byte": lambda: LETTER + b"\0",
    "empty": lambda: b"",
}


def vectors() -> dict[str, bytes]:
    """The files, by their path below the folder of the vectors."""
    request = {
        "signing seed": SEED.hex(),
        "fields": tag(canonical.parse(REQUEST)),
        "request": REQUEST.hex(),
        "head": REQUEST[:28].hex(),
    }
    made = {
        "travel/request.json": dump(request),
        "travel/answer.json": dump({"fields": tag(canonical.parse(ANSWER)), "answer": ANSWER.hex()}),
        "letter/opening.json": dump({"fields": tag(canonical.parse(LETTER)), "letter": LETTER.hex()}),
    }
    for folder, defects in (
        ("travel/bad/request", BAD_REQUESTS),
        ("travel/bad/answer", BAD_ANSWERS),
        ("letter/bad", BAD_LETTERS),
    ):
        for name, maker in defects.items():
            made[f"{folder}/{name}.hex"] = maker().hex().encode() + b"\n"
    return made


def sealed_travel(payload: keyfile.KeyPayload, salt: bytes, cost: passphrase.KdfCost) -> bytes:
    """An armed key file, what its trustee opens, and what they answer with."""
    aad = travel.deposit_aad(fixed.VAULT_ID, HANDLE, DAY, TRUSTEE)
    deposited = aead.seal(SECRET.key, keyfile.encode_payload(payload), aad)
    deposit = keyfile.Deposit(day=DAY, to=TRUSTEE, sealed=deposited)
    phc = passphrase.encode_phc(salt, cost)
    armed = keyfile.encode_armed_payload(
        keyfile.ArmedPayload(signing_seed=payload.signing_seed, travel_seed=TRAVEL_SEED)
    )
    stretched = passphrase.stretch(fixed.PASSPHRASE, salt, cost)
    sealed = aead.seal(stretched, armed, keyfile.encode_aad(fixed.VAULT_ID, HANDLE, phc, deposit))
    file = keyfile.KeyFile(vault_id=fixed.VAULT_ID, handle=HANDLE, phc=phc, sealed=sealed, deposit=deposit)
    request_info = travel.request_info(fixed.VAULT_ID, HANDLE, HUB_ID, DAY, TRAVEL_KEY)
    answer_info = travel.answer_info(fixed.VAULT_ID, HANDLE, HUB_ID)
    return dump(
        {
            "passphrase": fixed.PASSPHRASE,
            "file": keyfile.encode_keyfile(file).hex(),
            "armed payload": armed.hex(),
            "deposit aad": aad.hex(),
            "deposit key": SECRET.key.hex(),
            "payload": keyfile.encode_payload(payload).hex(),
            "trustee's seed": fixed.secret("hub-1 HPKE seed").hex(),
            "request info": request_info.hex(),
            "secret": travel.encode_secret(SECRET).hex(),
            "words": SECRET.words,
            "wrap": hpke.wrap(HUB.sealing, travel.encode_secret(SECRET), request_info).hex(),
            "travel seed": TRAVEL_SEED.hex(),
            "answer info": answer_info.hex(),
            "wrapped": hpke.wrap(TRAVEL_KEY, SECRET.key, answer_info).hex(),
        }
    )
