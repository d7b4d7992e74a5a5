"""The vectors that cannot be made twice: a seal draws a fresh nonce, a wrap a fresh encapsulation.

Each file says which key opens it, in which context, and to what. `python -m tests.vectors.regenerate --sealed` draws
them anew; a test opens what is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from tests.vectors import deliveries, fixed, travels
from tests.vectors.tagged import dump, tag
from vault.formats import keyfile, part, wraps
from vault.formats.origin import origin_of
from vault.formats.part import Amends, CasePayload, TallyPayload
from vault.formats.wraps import CaseWrap, Segment
from vault.model import Handle, Kind, Layer, Place, Purpose
from vault.primitives import aead, hpke, passphrase
from vault.services.keyring import mask_locator

IDENTITY = {"name": "\ud55c \ubc00\ub77d", "birth_date": "1990-03"}
CASE = CasePayload(type="intake", values={"language": "ko", "party": "P1"}, tags=(bytes.fromhex("0123456789abcdef"),))
TALLY = TallyPayload(
    token=fixed.TOKEN,
    type="intake",
    values={"sex": "female", "age_group": "18-59", "consent_statistics": "yes", "party": fixed.secret("party", 16)},
)
AMENDMENT = CasePayload(type="intake", values={"language": "zh"}, amends=1)
NINTH, TENTH = (origin_of(fixed.VAULT_ID, Handle("field-2"), epoch) for epoch in (9, 10))
"""Two epochs whose numbers are in another order than their texts."""
ACROSS = Amends(record=Place(fixed.JOURNAL, 1), superseded=(Place(fixed.JOURNAL, 2), Place(NINTH, 4), Place(TENTH, 3)))
EARLIER = (
    Segment(place=Place(NINTH, 3), key=fixed.secret("an earlier key")),
    Segment(place=Place(TENTH, 0), key=fixed.secret("another earlier key")),
)
COST = passphrase.KdfCost(memory=64 * 1024, passes=3, lanes=4)
KEY_PAYLOAD = keyfile.KeyPayload(
    organisation="Vector \uae30\uad6c",
    signing_seed=fixed.secret("field-1 signing seed"),
    sealing_seed=fixed.secret("field-1 HPKE seed"),
    compartments=((1, fixed.COMPARTMENT.key),),
)
SALT = fixed.secret("salt", 16)


def _part(seq: int, kind: Kind, layer: Layer, key: str, secret: bytes, payload: bytes) -> bytes:
    header = fixed.TALLY_ID
    if layer is not Layer.TALLY:
        header = mask_locator(
            fixed.COMPARTMENT.locator_key(), fixed.locator_salt(seq, layer), seq, layer, fixed.CASE_ID
        )
    aad = part.encode_aad(fixed.VAULT_ID, fixed.JOURNAL, seq, kind, layer, header)
    raw = part.join(header, aead.seal(secret, part.pad(payload), aad))
    return dump(
        {
            "origin": fixed.JOURNAL,
            "seq": seq,
            "kind": kind.value,
            "layer": layer.value,
            "key name": key,
            "key": secret.hex(),
            "header": header.hex(),
            "aad": aad.hex(),
            "payload": payload.hex(),
            "part": raw.hex(),
        }
    )


def _case_wrap(purpose: Purpose, payload: CaseWrap) -> bytes:
    context = wraps.case_context(fixed.VAULT_ID, fixed.JOURNAL, 1, purpose, fixed.COMPARTMENT_ID)
    padded = wraps.encode_case_wrap(payload)
    return dump(
        {
            "key name": "compartment key",
            "key": fixed.COMPARTMENT.key.hex(),
            "context": context.hex(),
            "payload": padded.hex(),
            "wrap": aead.seal(fixed.COMPARTMENT.key, padded, context).hex(),
        }
    )


def _member_wrap(origin: str, seq: int, purpose: Purpose, to: str, key: bytes) -> bytes:
    seed = fixed.secret(f"{to} HPKE seed")
    public = hpke.public_key(seed)
    recipient = fixed.RECOVERY_ID if to == "recovery" else fixed.DIRECTOR_ID
    journal = fixed.ROSTER if origin == fixed.ROSTER else fixed.JOURNAL
    context = wraps.member_context(fixed.VAULT_ID, journal, seq, purpose, recipient)
    return dump(
        {
            "recipient": to,
            "seed name": f"{to} HPKE seed",
            "seed": seed.hex(),
            "context": context.hex(),
            "key": key.hex(),
            "wrap": hpke.wrap(public, key, context).hex(),
        }
    )


def _key_file() -> bytes:
    handle = Handle("field-1")
    phc = passphrase.encode_phc(SALT, COST)
    aad = keyfile.encode_aad(fixed.VAULT_ID, handle, phc)
    padded = keyfile.encode_payload(KEY_PAYLOAD)
    stretched = passphrase.stretch(fixed.PASSPHRASE, SALT, COST)
    file = keyfile.KeyFile(vault_id=fixed.VAULT_ID, handle=handle, phc=phc, sealed=aead.seal(stretched, padded, aad))
    payload: list[Any] = [KEY_PAYLOAD.organisation, KEY_PAYLOAD.signing_seed, KEY_PAYLOAD.sealing_seed]
    payload += [[list(item) for item in KEY_PAYLOAD.compartments], KEY_PAYLOAD.export]
    return dump(
        {
            "passphrase": fixed.PASSPHRASE,
            "phc": phc.decode(),
            "stretched": stretched.hex(),
            "aad": aad.hex(),
            "padded": padded.hex(),
            "payload": tag(payload),
            "file": keyfile.encode_keyfile(file).hex(),
        }
    )


def _aead() -> bytes:
    key, aad, plaintext = fixed.secret("aead key"), b"a context", b"a plaintext"
    return dump(
        {
            "key": key.hex(),
            "aad": aad.hex(),
            "plaintext": plaintext.hex(),
            "sealed": aead.seal(key, plaintext, aad).hex(),
        }
    )


def _hpke() -> bytes:
    seed, info, plaintext = fixed.secret("recovery HPKE seed"), b"a context", fixed.secret("a wrapped key")
    wrapped = hpke.wrap(hpke.public_key(seed), plaintext, info)
    return dump({"seed": seed.hex(), "info": info.hex(), "plaintext": plaintext.hex(), "wrapped": wrapped.hex()})


RECORD = Kind.RECORD
MAKERS: Mapping[str, Callable[[], bytes]] = {
    "aead/open.json": _aead,
    "hpke/open.json": _hpke,
    "keyfile/open.json": _key_file,
    "travel/open.json": lambda: travels.sealed_travel(KEY_PAYLOAD, SALT, COST),
    "part/open-identity.json": lambda: _part(
        1, RECORD, Layer.IDENTITY, "identity key", fixed.IDENTITY_KEY, part.encode_identity(dict(IDENTITY))
    ),
    "part/open-case.json": lambda: _part(1, RECORD, Layer.CASE, "case key", fixed.CASE_KEY, part.encode_case(CASE)),
    "part/open-tally.json": lambda: _part(
        1, RECORD, Layer.TALLY, "tally key", fixed.TALLY_KEY, part.encode_tally(TALLY)
    ),
    "part/open-amendment.json": lambda: _part(
        2, Kind.AMEND, Layer.CASE, "case key", fixed.CASE_KEY, part.encode_case(AMENDMENT)
    ),
    "part/open-amendment-across.json": lambda: _part(
        5, Kind.AMEND, Layer.CASE, "case key", fixed.CASE_KEY, part.encode_case(replace(AMENDMENT, amends=ACROSS))
    ),
    "part/open-tally-across.json": lambda: _part(
        5, Kind.AMEND, Layer.TALLY, "tally key", fixed.TALLY_KEY, part.encode_tally(replace(TALLY, amends=ACROSS))
    ),
    "wraps/open-case-earlier.json": lambda: _case_wrap(
        Purpose.CASE,
        CaseWrap(
            case_id=fixed.CASE_ID,
            key=fixed.CASE_KEY,
            token=fixed.TOKEN,
            pseudonym=fixed.PSEUDONYM,
            earlier=EARLIER,
        ),
    ),
    "wraps/open-identity-earlier.json": lambda: _case_wrap(
        Purpose.IDENTITY, CaseWrap(case_id=fixed.CASE_ID, key=fixed.IDENTITY_KEY, earlier=EARLIER)
    ),
    "wraps/open-case.json": lambda: _case_wrap(
        Purpose.CASE,
        CaseWrap(case_id=fixed.CASE_ID, key=fixed.CASE_KEY, token=fixed.TOKEN, pseudonym=fixed.PSEUDONYM),
    ),
    "wraps/open-identity.json": lambda: _case_wrap(
        Purpose.IDENTITY, CaseWrap(case_id=fixed.CASE_ID, key=fixed.IDENTITY_KEY)
    ),
    "wraps/open-compartment.json": lambda: _member_wrap(
        fixed.JOURNAL, 0, Purpose.COMPARTMENT, "recovery", fixed.COMPARTMENT.key
    ),
    "wraps/open-tally.json": lambda: _member_wrap(fixed.JOURNAL, 0, Purpose.TALLY, "director-1", fixed.TALLY_KEY),
    "delivery/open.json": deliveries.sealed_delivery,
    "delivery/open-copy.json": deliveries.sealed_copy,
    "wraps/open-export.json": lambda: _member_wrap(fixed.ROSTER, 4, Purpose.EXPORT, "director-1", fixed.EXPORT),
}
