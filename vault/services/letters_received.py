"""Letters that a restored case brought along: what is left of them once its taker has recorded them anew."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from vault.formats.place import handle_of, order
from vault.formats.wraps import CaseWrap, Segment
from vault.model import Handle, Kind, Place
from vault.services.delivered import Delivered
from vault.services.exchange import Exchange
from vault.services.offers import Offer


def without_letters(exchange: Exchange, segments: Iterable[Segment]) -> tuple[Segment, ...]:
    """Segments, ascending by place, without the keys of letters, and without those right behind a letter that merely
    say again which key holds there: who has recorded the letters needs none of them, and a case has room for some six
    hundred keys."""
    kept: list[Segment] = []
    latest: dict[Handle, bytes] = {}
    for segment in segments:
        handle, (origin, seq) = handle_of(segment.place), segment.place
        again = latest.get(handle) == segment.key and seq > 0 and exchange.is_letter(Place(origin, seq - 1))
        if not exchange.is_letter(segment.place) and not again:
            latest[handle] = segment.key
            kept.append(segment)
    return tuple(kept)


def recorded_letters(
    exchange: Exchange, offer: Offer, delivered: Iterable[Delivered], case_wrap: Callable[[Place], CaseWrap | None]
) -> dict[Place, Place]:
    """The letters that a restored case brought along and that its taker recorded in accepting it, each with the record
    that it became: right behind the acceptance, in the letters' order. `case_wrap` opens what the taker's entries wrap.

    Empty where an older program accepted it, which recorded none: then what stands behind the acceptance is anything.
    Such a program wrapped every key that came along; one that records letters wraps none that stands at a letter's
    place, and accepts no letter whose leaf is not here, so that it always knows which those are. Letters of anybody but
    the giver, which a later supplement may bring, became no records: none is accepted.
    """
    theirs = (item.place for item in delivered if item.letter and handle_of(item.place) == offer.giver)
    letters = sorted(theirs, key=order)
    if offer.handed is None or offer.accepted is None or not letters:
        return {}
    accepted = case_wrap(offer.accepted)
    if accepted is None or not {segment.place for segment in accepted.earlier}.isdisjoint(letters):
        return {}
    origin, seq = offer.accepted
    records = [Place(origin, seq + 1 + number) for number in range(len(letters))]
    if not all(is_record(exchange, place) for place in records):
        return {}
    return dict(zip(letters, records, strict=True))


def is_record(exchange: Exchange, place: Place) -> bool:
    """Whether the entry at `place` is here, and a record that is no letter."""
    fields = exchange.fields(place)
    return fields is not None and fields[2] == Kind.RECORD and not exchange.is_letter(place)
