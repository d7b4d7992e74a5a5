"""`travel answer`: a trustee gives the deposit key back, to the laptop that was armed, and to nobody else.

The trustee's file may come from a thief who found it on a stick. So the trustee's program asks for the three words that
the member was shown when the laptop was armed: they are sealed in the file, and it never shows them. A member who is
made to say them says them; that is what the trustee's own judgement is for, and root's word: nobody who was revoked is
answered. The trustee can open nothing with what they keep: the deposit is on the laptop.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vault.errors import NotAllowed, OpenFailed, SignatureInvalid, UsageError
from vault.formats import travel
from vault.formats.travel import TravelAnswer, TravelRequest
from vault.model import Handle
from vault.primitives import hpke
from vault.primitives.signing import verify_signature
from vault.services import files
from vault.services.keyring import Keyring
from vault.services.vault import Vault
from vault.services.words import same_words


@dataclass(frozen=True, slots=True, kw_only=True)
class TravelAsked:
    """Whose laptop was armed, on which claimed day (days since 1970-01-01), and for which trustee."""

    handle: Handle
    to: Handle
    day: int


def read_travel_request(vault: Vault, path: Path) -> TravelRequest:
    """The file that an armed laptop's trustee keeps. Raises UsageError for one of another organisation, NotAllowed when
    its member was revoked, SignatureInvalid when they did not sign it, FormatError."""
    request = travel.parse_request(files.read_limited(path, travel.MOST_BYTES))
    member = vault.roster.find(request.handle)
    if request.vault_id != vault.vault_id or member is None:
        raise UsageError("this file is of nobody in this organisation")
    if member.revoked:
        raise NotAllowed(
            f'"{member.handle}" was revoked by root: their laptop is not answered',
            hint='their cases are handed on with "fieldvault recovery restore"',
        )
    try:
        verify_signature(member.keys.signing, travel.signed_request(request), request.signature)
    except SignatureInvalid:
        raise SignatureInvalid(
            f'this file is not signed by "{member.handle}": it was changed', hint="do not answer it; ask them"
        ) from None
    return request


def answer_travel(vault: Vault, me: Keyring, path: Path, words: str | None) -> tuple[TravelAsked, bytes]:
    """The answer's bytes. `words` are those that the member said; None only where the trustee knows by other means that
    it is them. Raises as `read_travel_request`; NotAllowed when the file is for somebody else, or the words are others.
    """
    request = read_travel_request(vault, path)
    if request.to != me.handle:
        raise NotAllowed(f'this file is for "{request.to}"', hint="name another member with --as HANDLE")
    info = travel.request_info(vault.vault_id, request.handle, me.member.key_id, request.day, request.travel_key)
    try:
        secret = travel.parse_secret(hpke.unwrap(me.sealing_seed, request.wrap, info))
    except OpenFailed:
        raise NotAllowed("this file does not open with this key: it was not made for it") from None
    if words is not None and not same_words(words, secret.words):
        raise NotAllowed(
            "those are not the words that were shown when the laptop was armed",
            hint="ask again, over a line on which you know the voice; if they are wrong again, do not answer",
        )
    wrap = hpke.wrap(
        request.travel_key, secret.key, travel.answer_info(vault.vault_id, request.handle, me.member.key_id)
    )
    answer = TravelAnswer(vault_id=vault.vault_id, handle=request.handle, by=me.handle, wrap=wrap)
    return TravelAsked(handle=request.handle, to=request.to, day=request.day), travel.encode_answer(answer)
