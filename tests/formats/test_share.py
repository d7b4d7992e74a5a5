"""Share cards: exactly what was printed, and every slip of whoever types it back is noticed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from tests.formats.mutation import SOME_EDITS, Edit, edited, refused_or_same
from tests.vectors.regenerate import SHARE, SHARE_DEFECTS
from vault.errors import FormatError
from vault.formats.share import MOST_SHARES, WORDS, ShareCard, encode_share, parse_share
from vault.model import VaultId
from vault.primitives.shares import split, word

VECTORS = Path(__file__).parents[1] / "vectors" / "share"
CARD = (VECTORS / "card.txt").read_bytes()
BAD = {path.stem: path.read_bytes() for path in sorted((VECTORS / "bad").glob("*.txt"))}
WORDS_OF_33 = st.lists(st.integers(0, 1023).map(word), min_size=33, max_size=33).map(" ".join)


@st.composite
def cards(draw: st.DrawFn) -> ShareCard:
    """Any card that can be made: 2 <= K <= N <= 16, and one of the N."""
    count = draw(st.integers(2, MOST_SHARES))
    return ShareCard(
        vault_id=VaultId(draw(st.binary(min_size=16, max_size=16)).hex()),
        number=draw(st.integers(1, count)),
        count=count,
        threshold=draw(st.integers(2, count)),
        made=draw(st.dates()).isoformat(),
        words=draw(WORDS_OF_33),
    )


CARDS = cards()


def again(raw: bytes) -> bytes:
    """What the encoder makes of what the parser made."""
    return encode_share(parse_share(raw))


@given(CARDS)
def test_parse_inverts_encode(card: ShareCard) -> None:
    """Every card survives."""
    assert parse_share(encode_share(card)) == card


@settings(max_examples=400, deadline=None)
@given(CARDS, SOME_EDITS)
def test_what_is_accepted_is_canonical(card: ShareCard, edits: list[Edit]) -> None:
    """An edited card is refused or stands for exactly itself."""
    refused_or_same(again, edited(encode_share(card), edits))


@given(st.binary(max_size=120))
def test_arbitrary_bytes_are_refused(raw: bytes) -> None:
    """Nothing but FormatError escapes, also below a good head."""
    assert not refused_or_same(again, raw)
    refused_or_same(again, CARD[: CARD.index(b"\n\n") + 2] + raw)


def test_the_published_card_both_ways() -> None:
    """The vector is the card of its values, and no line is wider than 60 characters."""
    assert encode_share(SHARE) == CARD
    assert parse_share(CARD) == SHARE
    assert max(map(len, CARD.splitlines())) <= 60


def test_a_real_share_fits_its_card() -> None:
    """33 words of the list, four to a line."""
    assert WORDS == 33
    for words in split(bytes(range(32)), threshold=2, shares=3):
        card = ShareCard(vault_id=SHARE.vault_id, number=1, count=3, threshold=2, made="2026-11-22", words=words)
        assert parse_share(encode_share(card)).words == words
        assert len(encode_share(card).splitlines()) == 5 + 9


def test_every_vector_has_its_defect_and_the_reverse() -> None:
    """No vector file goes unread, and each differs from the good card."""
    assert set(BAD) == {*SHARE_DEFECTS, "no-words"}
    assert CARD not in BAD.values()


@pytest.mark.parametrize("name", BAD)
def test_defects_are_refused(name: str) -> None:
    """A card with one defect is a FormatError."""
    with pytest.raises(FormatError):
        parse_share(BAD[name])


IMPOSSIBLE: dict[str, ShareCard] = {
    "17 shares": replace(SHARE, count=17),
    "threshold 1": replace(SHARE, threshold=1),
    "threshold 0": replace(SHARE, threshold=0),
    "threshold 4 of 3": replace(SHARE, threshold=4),
    "share 4 of 3": replace(SHARE, number=4),
    "1 of 1": replace(SHARE, number=1, count=1, threshold=1),
    "the 29th of February 2026": replace(SHARE, made="2026-02-29"),
    "a day without a month": replace(SHARE, made="2026-00-10"),
    "32 words": replace(SHARE, words=SHARE.words.rsplit(" ", 1)[0]),
    "34 words": replace(SHARE, words=SHARE.words + " always"),
    "no words": replace(SHARE, words=""),
}
EXTREME: dict[str, ShareCard] = {
    "2 of 2": replace(SHARE, count=2, threshold=2),
    "16 of 16": replace(SHARE, number=16, count=16, threshold=16),
    "2 of 16": replace(SHARE, number=1, count=16, threshold=2),
    "the 29th of February 2028": replace(SHARE, made="2028-02-29"),
}


@pytest.mark.parametrize("card", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_a_card_that_cannot_be_is_refused(card: ShareCard) -> None:
    """Printed in the very form of a card, but of numbers, a date or words that no ceremony makes."""
    with pytest.raises(FormatError):
        parse_share(encode_share(card))


@pytest.mark.parametrize("card", EXTREME.values(), ids=EXTREME)
def test_the_bounds_themselves_are_taken(card: ShareCard) -> None:
    """Negative control: at its bounds, a card is taken."""
    assert parse_share(encode_share(card)) == card


def test_words_do_not_show() -> None:
    """The mnemonic stays out of `repr`."""
    assert "academic" not in repr(SHARE)
