"""Share cards: exactly what was printed, and every slip of whoever types it back is noticed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.formats.mutation import SOME_EDITS, Edit, edited, refused_or_same
from tests.vectors.regenerate import SHARE, SHARE_DEFECTS
from vault.errors import FormatError
from vault.formats.share import ShareCard, encode_share, parse_share
from vault.model import VaultId
from vault.primitives.shares import split, word

VECTORS = Path(__file__).parents[1] / "vectors" / "share"
CARD = (VECTORS / "card.txt").read_bytes()
BAD = {path.stem: path.read_bytes() for path in sorted((VECTORS / "bad").glob("*.txt"))}
KINDER = {
    "count-17": "more shares than SLIP-39 has are accepted",
    "date-13th-month": "a date that does not exist is accepted",
    "no-words": "a card without a single word is accepted",
    "number-above-the-count": "share 7 of 3 is accepted",
    "last-line-missing": "a card with a word too few is accepted",
    "threshold-1": "a threshold of 1, which is never made, is accepted",
    "threshold-above-the-count": "a threshold that can never be met is accepted",
}
CARDS = st.builds(
    ShareCard,
    vault_id=st.binary(min_size=16, max_size=16).map(lambda raw: VaultId(raw.hex())),
    number=st.integers(1, 2),
    count=st.integers(2, 16),
    threshold=st.just(2),
    made=st.dates().map(lambda day: day.isoformat()),
    words=st.lists(st.integers(0, 1023).map(word), min_size=33, max_size=33).map(" ".join),
)


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
    for words in split(bytes(range(32)), threshold=2, shares=3):
        card = ShareCard(vault_id=SHARE.vault_id, number=1, count=3, threshold=2, made="2026-11-22", words=words)
        assert parse_share(encode_share(card)).words == words
        assert len(encode_share(card).splitlines()) == 5 + 9


def test_every_vector_has_its_defect_and_the_reverse() -> None:
    """No vector file goes unread, and each differs from the good card."""
    assert set(BAD) == {*SHARE_DEFECTS, "no-words"}
    assert CARD not in BAD.values()


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.xfail(strict=True, reason=KINDER[name])] if KINDER.get(name) else [])
        for name in BAD
    ],
)
def test_defects_are_refused(name: str) -> None:
    """A card with one defect is a FormatError."""
    with pytest.raises(FormatError):
        parse_share(BAD[name])


def test_words_do_not_show() -> None:
    """The mnemonic stays out of `repr`."""
    assert "academic" not in repr(SHARE)
