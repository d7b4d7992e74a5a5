"""Cards to print: every word on the page and in the code, nothing fetched, nothing run."""

from __future__ import annotations

import re

import pytest

from vault.formats import share_cards
from vault.formats.qr import Modules, qr_modules
from vault.formats.share import ShareCard
from vault.formats.share_cards import encode_cards, scanned
from vault.model import VaultId
from vault.primitives import shares as slip39

WORDS = slip39.split(bytes(range(32)), threshold=2, shares=3)
CARDS = tuple(
    ShareCard(vault_id=VaultId("4f" * 16), number=number, count=3, threshold=2, made="2026-11-22", words=words)
    for number, words in enumerate(WORDS, start=1)
)
FINGERPRINT = "academic acid acne acquire acrobat activity actress adapt adequate adjust admit adorn"


def test_each_card_stands_on_a_page_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its words in order and numbered, its numbers, the vault and its fingerprint; the code holds the same words."""
    coded: list[str] = []

    def remembered(text: str) -> Modules:
        coded.append(text)
        return qr_modules(text)

    monkeypatch.setattr(share_cards, "qr_modules", remembered)
    page = encode_cards(CARDS, FINGERPRINT)
    sections = page.split("<section>")[1:]
    assert len(sections) == 3
    for card, section, code in zip(CARDS, sections, coded, strict=True):
        assert re.findall(r"<b>([0-9]+)</b> ([a-z]+)", section) == [
            (str(number), word) for number, word in enumerate(card.words.split(" "), start=1)
        ]
        assert f"Recovery share {card.number} of 3" in section
        assert "Any 2 of the 3" in section
        assert "복구 조각" in section
        assert card.vault_id in section
        assert FINGERPRINT in section
        assert code == scanned(card) == card.words.upper()
        others = [other for other in CARDS if other is not card]
        assert not any(" ".join(other.words.split(" ")[8:12]) in section for other in others)
    assert "break-after: page" in page


def test_nothing_is_fetched_and_nothing_runs() -> None:
    """No script, no address but SVG's own name, and a policy that allows neither; the same cards give the same page."""
    page = encode_cards(CARDS, FINGERPRINT)
    assert "default-src 'none'" in page
    assert not re.search(r"<script|<link|<img|<iframe|url\(|@import|\son[a-z]+=|javascript:", page)
    assert set(re.findall(r"https?://[^\"' >]+", page)) <= {"http://www.w3.org/2000/svg"}
    assert page == encode_cards(CARDS, FINGERPRINT)
