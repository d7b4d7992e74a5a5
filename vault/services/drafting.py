"""From prepared answers to a draft entry: which payload goes into which layer, under which key.

Every record has a case part (it carries the record's type and the locator), a tally part (codes and numbers only, with
the case's counting token), and an identity part when identity was given. An amendment carries the whole new case and
tally layers of its record, but only the changed variables of the identity layer, because amending must not open it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from vault import labels
from vault.formats import part as parts
from vault.formats.origin import parse_origin
from vault.formats.part import Amends, Answers, CasePayload, TallyPayload
from vault.formats.text import prefixes
from vault.formats.wraps import CaseWrap, Segment, case_context, encode_case_wrap
from vault.model import CaseId, Kind, Layer, Origin, Pseudonym, Purpose, Token, VaultId
from vault.ports import Randomness
from vault.primitives import aead, kdf
from vault.primitives.hashing import hmac_sha256
from vault.services.journal import Draft, PartDraft, WrapDraft
from vault.services.keyring import LOCATOR_SALT, Compartment, Keyring, mask_locator, tally_id
from vault.services.prepare import Prepared

PARTY: Final = "party"
SEARCHED: Final = ("name", "other_names")
"""Identity variables that `case find` finds by the beginnings of their words, without opening the identity layer."""
TAG: Final = 8
MOST_PREFIX: Final = 12
MOST_TAGS: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What drafting needs of a recorder: derived keys, computed once."""

    me: Keyring = field(repr=False)
    vault_id: VaultId
    origin: Origin
    compartment: Compartment
    locator_key: bytes = field(repr=False)
    tally_key: bytes = field(repr=False)
    tally_header: bytes
    random: Randomness = field(repr=False)

    @classmethod
    def of(cls, me: Keyring, vault_id: VaultId, origin: Origin, random: Randomness) -> Desk:
        """The desk of an unlocked recorder who writes the journal `origin`."""
        compartment = me.compartment_of(parse_origin(origin).epoch)
        tally_key = compartment.tally_key()
        return cls(
            me=me,
            vault_id=vault_id,
            origin=origin,
            compartment=compartment,
            locator_key=compartment.locator_key(),
            tally_key=tally_key,
            tally_header=tally_id(tally_key),
            random=random,
        )

    def locator(self, case_id: CaseId, layer: Layer, seq: int) -> bytes:
        """The header of an identity or case part."""
        salt = self.random.token(LOCATOR_SALT)
        return mask_locator(self.locator_key, salt, seq, layer.value, case_id)

    def tally_values(
        self, prepared_tally: Mapping[str, str | int], case: Mapping[str, object], party: bytes | None = None
    ) -> Answers:
        """Tally values as they are sealed: a travel party's label becomes its token, or stays `party`."""
        values: Answers = dict(prepared_tally)
        if PARTY in case:
            values[PARTY] = self.me.party_token(str(case[PARTY])) if party is None else party
        return values


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseKeys:
    """The secrets of one case: its id, a key for each layer, and the counting token."""

    case_id: CaseId
    pseudonym: Pseudonym
    token: Token = field(repr=False)
    case_key: bytes = field(repr=False)
    identity_key: bytes = field(repr=False)

    @classmethod
    def draw(cls, random: Randomness, pseudonym: Pseudonym) -> CaseKeys:
        """A new case: every value drawn on its own, so that none follows from another."""
        return cls.renewed(random, CaseId(random.token(16)), pseudonym, Token(random.token(16)))

    @classmethod
    def renewed(cls, random: Randomness, case_id: CaseId, pseudonym: Pseudonym, token: Token) -> CaseKeys:
        """New keys of a case that goes on: with them is sealed what is written in it from here on."""
        return cls(
            case_id=case_id,
            pseudonym=pseudonym,
            token=token,
            case_key=random.token(aead.KEY),
            identity_key=random.token(aead.KEY),
        )


def search_tag(search_key: bytes, word: str) -> bytes:
    """The blind index tag of one beginning of a word, under one case's search key."""
    return hmac_sha256(search_key, word.encode())[:TAG]


def search_key_of(identity_key: bytes) -> bytes:
    """The key of a case's blind name index: whoever cannot open the identity layer cannot test a name against it."""
    return kdf.derive(identity_key, labels.SEARCH)


def name_tags(identity_key: bytes, identity: Mapping[str, str | int]) -> tuple[bytes, ...]:
    """The blind index of the names in an identity layer: sorted, so that their order says nothing."""
    words: dict[str, None] = {}
    for variable in SEARCHED:
        if variable in identity:
            words.update(dict.fromkeys(prefixes(str(identity[variable]), MOST_PREFIX)))
    if not words:
        return ()
    key = search_key_of(identity_key)
    # Should somebody have more beginnings of names than fit, whole words come first, then the shortest.
    ordered = sorted(words)
    longer = dict(zip(ordered, [*ordered[1:], ""], strict=True))
    ranked = sorted(ordered, key=lambda word: (longer[word].startswith(word), len(word)))
    return tuple(sorted(search_tag(key, word) for word in ranked[:MOST_TAGS]))


def draft_record(
    desk: Desk,
    keys: CaseKeys,
    prepared: Prepared,
    *,
    kind: Kind = Kind.RECORD,
    amends: int | Amends | None = None,
    party: bytes | None = None,
) -> Draft:
    """A record, or with `amends` the amendment of one. An empty `identity_key` in `keys` means: no identity layer.

    `party` is the token of the travel party as another recorder drew it: each draws tokens of their own, so that an
    amendment which made a new one would tear the party apart.
    """
    items = []
    if prepared.identity:
        items.append(
            PartDraft(
                layer=Layer.IDENTITY,
                key=keys.identity_key,
                payload=parts.encode_identity(dict(prepared.identity)),
                header=lambda seq: desk.locator(keys.case_id, Layer.IDENTITY, seq),
            )
        )
    case = CasePayload(
        type=prepared.type,
        values=dict(prepared.case),
        amends=amends,
        tags=name_tags(keys.identity_key, prepared.identity) if prepared.identity else (),
    )
    values = desk.tally_values(prepared.tally, prepared.case, party)
    tally = TallyPayload(token=keys.token, type=prepared.type, values=values, amends=amends)
    items.append(case_part(desk, keys.case_id, keys.case_key, case))
    items.append(
        PartDraft(
            layer=Layer.TALLY,
            key=desk.tally_key,
            payload=parts.encode_tally(tally),
            header=lambda _: desk.tally_header,
        )
    )
    return Draft(kind=kind, parts=tuple(items))


def case_part(desk: Desk, case_id: CaseId, key: bytes, payload: CasePayload) -> PartDraft:
    """A case part."""
    return PartDraft(
        layer=Layer.CASE,
        key=key,
        payload=parts.encode_case(payload),
        header=lambda seq: desk.locator(case_id, Layer.CASE, seq),
    )


def own_wrap(desk: Desk, purpose: Purpose, wrap: CaseWrap) -> WrapDraft:
    """A key of a case, wrapped to one's own compartment."""
    recipient = desk.compartment.key_id

    def seal(seq: int) -> bytes:
        context = case_context(desk.vault_id, desk.origin, seq, purpose, recipient)
        return aead.seal(desk.compartment.key, encode_case_wrap(wrap), context)

    return WrapDraft(purpose=purpose, recipient=recipient, seal=seal)


def case_wraps(
    desk: Desk,
    keys: CaseKeys,
    earlier_case: tuple[Segment, ...] = (),
    earlier_identity: tuple[Segment, ...] = (),
) -> tuple[WrapDraft, WrapDraft]:
    """Both layer keys of a case for one's own compartment, with the keys of the segments before, if there are any."""
    case = CaseWrap(
        case_id=keys.case_id, key=keys.case_key, token=keys.token, pseudonym=keys.pseudonym, earlier=earlier_case
    )
    identity = CaseWrap(case_id=keys.case_id, key=keys.identity_key, earlier=earlier_identity)
    return own_wrap(desk, Purpose.CASE, case), own_wrap(desk, Purpose.IDENTITY, identity)


def draft_opening(desk: Desk, keys: CaseKeys, prepared: Prepared) -> Draft:
    """The record that opens a case: it carries the wraps of the case's two layer keys."""
    record = draft_record(desk, keys, prepared)
    return Draft(kind=record.kind, parts=record.parts, wraps=case_wraps(desk, keys))
