"""A signature used for another purpose: each offered in place of every other, by the same key. Only the diagonal
verifies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO

import pytest

from tests.laptops import Fleet, items_of
from vault import labels
from vault.errors import SignatureInvalid
from vault.formats import cosignature, note
from vault.formats.checkpoint import verify_checkpoint
from vault.formats.cosignature import cosign, verify_cosignature
from vault.formats.note import Note, encode_note, parse_note
from vault.formats.request import encode_request, parse_request, sign_request
from vault.model import Origin
from vault.primitives import signing
from vault.services import sealing
from vault.services.witness import cosigner_key, cosigner_name

PURPOSES = ("bundle", "checkpoint", "cosignature", "request")


class Signatures:
    """One genuine signature of each purpose, all by field-1's key; and what checks a signature in each place."""

    def __init__(self, fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
        self.laptop, self.hub = fleet.laptop("field", "field-1"), fleet.laptop("hq", "hub-1")
        self.me, self.patch = self.laptop.key(), monkeypatch
        self.member = self.me.member
        self.origin = self.laptop.origin()
        number = self.laptop.vault.journal_number(self.origin)
        latest = self.laptop.vault.store.latest_checkpoint(number)
        assert latest is not None
        self.note = parse_note(latest)
        self.cosigner = cosigner_name(self.laptop.vault.vault_id, self.me.handle)
        # Of one's own head: the text under both is the same, so that nothing but the purpose tells them apart.
        self.line = cosign(self.note.text, self.cosigner, self.me.signing_seed, 86_400)
        handle, role, seed = self.member.handle, self.member.role, self.me.signing_seed
        self.request = parse_request(sign_request(handle, role, self.member.keys, seed))
        self.bundle = self.laptop.bundle("hub-1")
        self.of: dict[str, bytes] = {
            "bundle": self._bundle_signature(),
            "checkpoint": self.note.signatures[0].blob,
            "cosignature": self.line.blob[-signing.SIGNATURE :],
            "request": self.request.signature,
        }
        self.check: dict[str, Callable[[bytes], object]] = {
            "bundle": self._as_bundle,
            "checkpoint": self._as_checkpoint,
            "cosignature": self._as_cosignature,
            "request": self._as_request,
        }

    def _bundle_signature(self) -> bytes:
        with self.bundle.open("rb") as stream:
            opened = sealing.OpenedBundle(stream, self.hub.key().sealing_seed)
            assert list(opened.items())
            assert opened._seen is not None
            return opened._seen[1]

    def _as_bundle(self, signature: bytes) -> None:
        """The genuine bundle again, item by item, with another signature at its end."""
        if signature == self.of["bundle"]:
            stream = BytesIO(self.bundle.read_bytes())
        else:
            stream = BytesIO()
            items, to = items_of(self.bundle, self.hub.key()), self.hub.key().member.keys.sealing
            with self.patch.context() as forging:
                forging.setattr(sealing, "sign", lambda *_: signature)
                sealing.seal_bundle(stream, [to], items, self.me.signing_seed, self.laptop.environment.random)
        opened = sealing.OpenedBundle(stream, self.hub.key().sealing_seed)
        assert list(opened.items())
        opened.verify(self.member.keys.signing)

    def _as_checkpoint(self, signature: bytes) -> None:
        line = replace(self.note.signatures[0], blob=signature)
        raw = encode_note(Note(text=self.note.text, signatures=(line,)))
        verify_checkpoint(raw, Origin(self.origin), self.member.keys.signing)

    def _as_cosignature(self, signature: bytes) -> None:
        line = replace(self.line, blob=self.line.blob[: -signing.SIGNATURE] + signature)
        key = cosigner_key(self.laptop.vault.vault_id, self.member)
        verify_cosignature(Note(text=self.note.text, signatures=(line,)), key)

    def _as_request(self, signature: bytes) -> None:
        parse_request(encode_request(replace(self.request, signature=signature)))


def verifies(check: Callable[[bytes], object], signature: bytes) -> bool:
    """Whether a signature is accepted in a place; SignatureInvalid is the only refusal."""
    try:
        check(signature)
    except SignatureInvalid:
        return False
    return True


def test_only_the_diagonal_verifies(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four purposes in four places: each signature is good for its own purpose and for no other."""
    signatures = Signatures(fleet, monkeypatch)
    matrix = {
        (purpose, place): verifies(signatures.check[place], signatures.of[purpose])
        for purpose in PURPOSES
        for place in PURPOSES
    }
    assert matrix == {(purpose, place): purpose == place for purpose in PURPOSES for place in PURPOSES}


def test_no_signed_message_can_begin_like_another(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is under each signature begins with a line of its own; a head's first line is an origin, and no origin is
    one of the others' lines."""
    signatures = Signatures(fleet, monkeypatch)
    starts = [labels.BUNDLE, labels.REQUEST, note.COSIGNATURE_HEADER, signatures.note.text.split(b"\n")[0] + b"\n"]
    assert len(set(starts)) == len(starts)
    assert not any(one.startswith(other) for one in starts for other in starts if one is not other)


def test_a_cosignature_without_its_header_would_be_a_checkpoint(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard removed: if a cosignature were over the head's bare text, it would pass for the writer's signature."""
    monkeypatch.setattr(cosignature, "encode_message", lambda text, _: text)
    signatures = Signatures(fleet, monkeypatch)
    assert verifies(signatures.check["checkpoint"], signatures.of["cosignature"])
    assert verifies(signatures.check["cosignature"], signatures.of["checkpoint"])


def test_a_signature_of_one_epoch_is_none_of_another(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """The origin is in the signed text: a head of epoch 1 under the name of epoch 2 is nobody's."""
    signatures = Signatures(fleet, monkeypatch)
    text = signatures.note.text.replace(b"/1\n", b"/2\n", 1)
    second = Origin(signatures.origin[:-1] + "2")
    line = note.sign_note(text, second, signatures.me.signing_seed).signatures[0]
    signed = Note(text=text, signatures=(line,))
    verify_checkpoint(encode_note(signed), second, signatures.member.keys.signing)  # the twin: signed for epoch 2
    lie = Note(text=text, signatures=(replace(line, blob=signatures.of["checkpoint"]),))
    with pytest.raises(SignatureInvalid):
        verify_checkpoint(encode_note(lie), second, signatures.member.keys.signing)
