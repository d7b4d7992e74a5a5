"""Reading a letter: its parts held against the leaf that its writer signed, opened, checked against the codebook.

Who reads one has its letter key: its writer at disarming, or the custodians' quorum at a restore. A successor to whom
it is handed on has the keys of its parts, and no letter key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from vault.errors import FormatError, IntegrityError
from vault.formats import part as parts
from vault.formats.codebook import Codebook
from vault.formats.leaf import Leaf, wrap_refs
from vault.formats.letter import Letter, parse_letter
from vault.formats.wraps import member_context
from vault.model import KeyId, Kind, Layer, Place, Purpose, VaultId
from vault.primitives import aead, hpke
from vault.primitives.hashing import sha256
from vault.services.answers import plan
from vault.services.letters import part_key
from vault.services.prepare import Prepared
from vault.services.pseudonyms import is_pseudonym


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedLetter:
    """A letter, opened: where it stands, what it holds, and the answers as a record takes them."""

    place: Place
    letter: Letter = field(repr=False)
    prepared: Prepared = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedLetter:
    """A letter as it lies in a database: its leaf, its wrap to whoever opens it, and its parts."""

    place: Place
    leaf: Leaf
    wrap: bytes | None = field(repr=False)
    part: Callable[[Layer], bytes | None] = field(repr=False)


def letter_key(vault_id: VaultId, sealed: SealedLetter, recipient: KeyId, seed: bytes) -> bytes:
    """The key of a letter, by the seed of one to whom it is wrapped. Raises IntegrityError for a wrap that the leaf
    does not commit to: anybody could seal something to a public key; OpenFailed for one that does not open."""
    raw = sealed.wrap
    if raw is None or sha256(raw) not in [ref.digest for ref in wrap_refs(sealed.leaf)]:
        raise IntegrityError("its key is missing or changed")
    origin, seq = sealed.place
    return hpke.unwrap(seed, raw, member_context(vault_id, origin, seq, Purpose.LETTER, recipient))


def letter_parts(sealed: SealedLetter) -> dict[Layer, bytes]:
    """The sealed parts of a letter. Raises IntegrityError unless they are those that its leaf commits to."""
    found: dict[Layer, bytes] = {}
    for ref in sealed.leaf.parts:
        raw = sealed.part(ref.layer)
        if raw is None or sha256(raw) != ref.digest:
            raise IntegrityError(f"its {ref.layer.value} part is missing or changed")
        found[ref.layer] = raw
    return found


def open_parts(vault_id: VaultId, place: Place, raws: Mapping[Layer, bytes], key: bytes) -> dict[Layer, bytes]:
    """The payloads of a letter's parts, by its letter key. Raises OpenFailed or FormatError."""
    found = {}
    for layer, raw in raws.items():
        header, sealed = parts.split(raw)
        aad = parts.encode_aad(vault_id, *place, Kind.RECORD, layer, header)
        found[layer] = parts.unpad(aead.open_sealed(part_key(key, layer), sealed, aad))
    return found


def read_letter(codebook: Codebook, place: Place, payloads: Mapping[Layer, bytes]) -> OpenedLetter:
    """What a letter says. Raises FormatError or UsageError for one that this program did not make: whoever had the
    armed laptop could sign one."""
    letter = parse_letter(payloads.get(Layer.CASE, b""))
    raw_identity = payloads.get(Layer.IDENTITY)
    identity = {} if raw_identity is None else parts.parse_identity(raw_identity)
    prepared = Prepared(
        type=letter.type,
        identity={name: value for name, value in identity.items() if not isinstance(value, bytes)},
        case=dict(letter.case),
        tally=dict(letter.tally),
    )
    if not is_pseudonym(letter.pseudonym):
        raise FormatError("it names a case by what is no pseudonym")
    _check_answers(codebook, prepared, opens=letter.opens)
    return OpenedLetter(place=place, letter=letter, prepared=prepared)


def _check_answers(codebook: Codebook, prepared: Prepared, *, opens: bool) -> None:
    """Raises FormatError or UsageError unless these are answers to a record type of the codebook, each as it is kept,
    and all that are needed. What does not fit it would stop every total."""
    how, layers = plan(codebook, prepared.type), (prepared.identity, prepared.case, prepared.tally)
    asked = {name: (slot, value) for slot, layer in enumerate(layers) for name, value in layer.items()}
    needed = {*how.missing, *(name for name, _ in how.required)}
    fits = codebook.types[prepared.type].opens_case == opens and needed <= asked.keys()
    for name, (slot, value) in asked.items():
        reader = how.readers.get(name)
        fits = fits and reader is not None and reader.slot == slot and reader.read(value) == value
    if not fits:
        raise FormatError("it holds other answers than its record type asks for")
