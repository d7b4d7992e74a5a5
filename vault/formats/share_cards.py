"""Recovery shares to print: one card a page, with the words in numbered groups and as a QR code, in English and Korean.

One self-contained HTML page: it fetches nothing and runs nothing (no script, no address, and a policy that allows
neither). Its QR code holds the 33 words in capitals, which QR writes in fewer modules; whoever reads a share forgives
capitals. Same cards, same bytes. The page is as secret as the shares on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vault.formats.qr import encode_svg, qr_modules
from vault.formats.share import ShareCard

GROUP: Final = 3
"""Words of one group: eleven groups make a card."""
_PAGE: Final = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Recovery shares</title>
<style>
body {{ font: 12pt/1.5 serif; margin: 0; }}
section {{ break-after: page; padding: 15mm; }}
section:last-child {{ break-after: auto; }}
svg {{ width: 55mm; height: 55mm; }}
ol {{ columns: 2; font: 14pt/1.7 monospace; list-style: none; padding: 0; }}
li {{ break-inside: avoid; }}
b {{ font-weight: normal; color: #555; font-size: 9pt; }}
.id {{ font: 10pt/1.5 monospace; }}
</style>
</head>
<body>
{cards}</body>
</html>
"""
_CARD: Final = """\
<section>
<h1>Recovery share {number} of {count} <span lang="ko">복구 조각 {number}/{count}</span></h1>
<p>Any {threshold} of the {count} shares of this set give back the recovery key. Keep this card where nobody else reads
or photographs it, apart from the other cards and from every laptop. Nobody honest asks for it by telephone or mail.</p>
<p lang="ko">이 묶음의 조각 {count}개 가운데 아무 {threshold}개를 모으면 복구 열쇠가 됩니다.
다른 사람이 읽거나 사진을 찍지 못하는 곳에, 다른 조각이나 노트북과 떨어뜨려 보관하세요.
전화나 편지로 이 조각을 달라는 사람에게 주지 마세요.</p>
<ol>
{groups}</ol>
{svg}<p class="id">vault <span lang="ko">보관소</span> {vault_id}<br>
fingerprint <span lang="ko">지문</span> {fingerprint}<br>
made <span lang="ko">만든 날</span> {made}</p>
<p>Holder <span lang="ko">보관자</span> ________________ since <span lang="ko">받은 날</span> ________________</p>
</section>
"""


def scanned(card: ShareCard) -> str:
    """What the QR code of a card holds."""
    return card.words.upper()


def encode_cards(cards: Sequence[ShareCard], fingerprint: str) -> str:
    """The page; `fingerprint` is the vault's, in words. Raises UsageError without segno."""
    return _PAGE.format(cards="".join(_card(card, fingerprint) for card in cards))


def _card(card: ShareCard, fingerprint: str) -> str:
    words = [f"<b>{number}</b> {word}" for number, word in enumerate(card.words.split(" "), start=1)]
    groups = [" ".join(words[start : start + GROUP]) for start in range(0, len(words), GROUP)]
    return _CARD.format(
        number=card.number,
        count=card.count,
        threshold=card.threshold,
        groups="".join(f"<li>{group}</li>\n" for group in groups),
        svg=encode_svg(qr_modules(scanned(card)), f"the words of share {card.number}"),
        vault_id=card.vault_id,
        fingerprint=fingerprint,
        made=card.made,
    )
