"""Letters of a lost member that come with a restored case: who accepts it records them anew, right behind that.

As at disarming, each becomes an ordinary record of its case, with a tally part, so that totals count it; here in the
successor's journal, since nobody can write in the lost member's any more. Each is held against the leaf that the lost
member signed. What a letter says is believed no further than at disarming: whoever had the armed laptop and its
passphrase could sign one. So the successor is told how many there are, and one can neither open a case in the midst of
another nor stand in one of another name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from vault.errors import IntegrityError, VaultError
from vault.formats.letter import parse_letter
from vault.formats.place import order, short
from vault.formats.wraps import Segment
from vault.model import Kind, Layer
from vault.services.case_keys import key_at
from vault.services.casework import Casework
from vault.services.delivered import Delivered
from vault.services.drafting import PARTY, CaseKeys, Desk, draft_record
from vault.services.entry_rules import limit_of
from vault.services.journal import Draft
from vault.services.letters import letter_case
from vault.services.letters_read import OpenedLetter, read_letter
from vault.services.offers import Offer
from vault.services.parcels import Parcel, segments_in
from vault.services.received import Received, checked_entries
from vault.services.records import CONSENT, without_consent

MOST_NAMED = 5
"""Letters that a warning names."""
PARTY_TOKEN = 16
"""Bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivedLetter:
    """A letter that came with a restored case, the key of its case part, and the token of its travel party, where the
    hub could tell it."""

    opened: OpenedLetter = field(repr=False)
    key: bytes = field(repr=False)
    party: bytes | None = field(repr=False)


def arrived_letters(work: Casework, received: Received, offer: Offer, parcel: Parcel) -> tuple[ArrivedLetter, ...]:
    """The letters in a parcel, in the order in which they were written; none but in a restored case's.

    Raises IntegrityError, naming the entry, for one that is not what the lost member signed or not what this program
    makes, that may not stand in this case or was recorded before, and for one of a journal that is not here yet.
    """
    if offer.handed is None:
        return ()
    segments = {
        Layer.CASE: segments_in(received, offer, parcel.case),
        Layer.IDENTITY: segments_in(received, offer, parcel.identity),
    }
    _check_all_here(work, received, parcel, segments[Layer.CASE])
    # An erasure that nobody approved takes no letter away: whoever had the armed laptop could sign one.
    items = checked_entries(received.exchange, parcel.contents, erased=received.exchange.approved)
    letters = sorted((item for item in items if item.letter), key=lambda item: order(item.place))
    _check_new(received, letters)
    found = tuple(_opened(work, offer, item, segments) for item in letters)
    _check_of_one_case(found, parcel)
    return found


def _check_new(received: Received, letters: Iterable[Delivered]) -> None:
    """Raises IntegrityError for a letter that became a record here with another case: it would count twice."""
    known = {place for case_id, _ in received.cases.values() for place in received.letters(case_id).values()}
    again = next((item.place for item in letters if item.place in known), None)
    if again is not None:
        raise IntegrityError(f"entry {short(again)} became a record of yours before, with another case")


def _opened(work: Casework, offer: Offer, item: Delivered, segments: dict[Layer, tuple[Segment, ...]]) -> ArrivedLetter:
    name, giver = short(item.place), work.vault.roster.member(offer.giver)
    if item.place.seq >= (limit_of(giver, item.place.origin) or 0):  # of a journal of somebody else's nothing counts
        raise IntegrityError(f'entry {name} is nothing that "{offer.giver}" wrote and that counts')
    if item.committed != frozenset(item.parts):
        raise IntegrityError(f"entry {name} was delivered otherwise than its author signed it")
    keys = {layer: key_at(segments[layer], item.place) for layer in item.parts}
    payloads = {
        layer: work.open_part(item.place, Kind.RECORD, layer, keys[layer], raw) for layer, raw in item.parts.items()
    }
    party = item.tally.get(PARTY)
    known = party if isinstance(party, bytes) and len(party) == PARTY_TOKEN else None
    try:
        opened = read_letter(work.vault.codebook, item.place, payloads)
    except VaultError as error:
        raise IntegrityError(f"entry {name}: {error.message}") from None
    return ArrivedLetter(opened=opened, key=keys[Layer.CASE] or b"", party=known)


def _check_all_here(work: Casework, received: Received, parcel: Parcel, segments: Sequence[Segment]) -> None:
    """Raises IntegrityError where a letter's own leaf is not here: it could not be held against it, nor be recorded
    later."""
    here = received.exchange.leaves
    delivered = [part for content in parcel.contents for part in content.parts if part.layer is Layer.CASE]
    for part in delivered:
        if part.place.seq < len(here.get(part.place.origin, ())):
            continue
        try:
            key = key_at(tuple(segments), part.place)
            parse_letter(work.open_part(part.place, Kind.RECORD, Layer.CASE, key, part.raw))
        except VaultError:
            continue  # an ordinary entry: it is shown once that journal is here
        raise IntegrityError(
            f"entry {short(part.place)} cannot be checked before the journal {part.place.origin} is here",
            hint="import the newest bundle from headquarters, then accept",
        )


def _check_of_one_case(letters: Sequence[ArrivedLetter], parcel: Parcel) -> None:
    """Raises IntegrityError unless the letters are of this case: each gives its name, and only the first may open it,
    in a case that has nothing but letters, and whose id and counting token follow from it."""
    alone = parcel.entries == len(letters)
    for number, item in enumerate(letters):
        letter = item.opened.letter
        may_open = number == 0 and alone and (parcel.case.case_id, parcel.case.token) == letter_case(item.key)
        if letter.pseudonym != parcel.case.pseudonym or (letter.opens and not may_open):
            raise IntegrityError(f"entry {short(item.opened.place)} is of another case than the one it came with")


def letter_records(desk: Desk, keys: CaseKeys, letters: Iterable[ArrivedLetter]) -> tuple[Draft, ...]:
    """The records that the letters become, in their order."""
    return tuple(draft_record(desk, keys, item.opened.prepared, party=item.party) for item in letters)


def letter_warnings(offer: Offer, letters: Sequence[ArrivedLetter]) -> tuple[str, ...]:
    """What the successor should know of them."""
    if not letters:
        return ()
    places = [short(item.opened.place) for item in letters]
    listed = ", ".join(places[:MOST_NAMED]) + (", and more" if len(places) > MOST_NAMED else "")
    prepared = [item.opened.prepared for item in letters if item.opened.letter.opens]
    added = "1 of its records was" if len(letters) == 1 else f"{len(letters):,} of its records were"
    told = (
        f'{added} added while the laptop of "{offer.giver}" was armed for travel ({listed}): whoever had it and the '
        "passphrase could add some too; check them"
    )
    return (told, *without_consent(sum(item.tally.get(CONSENT) != "yes" for item in prepared)))
