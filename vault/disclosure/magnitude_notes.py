"""What a reader of sums must know, in English and Korean; the same for every release of a unit under a policy."""

from __future__ import annotations

from typing import Final

from vault.formats.magnitude_values import Unit
from vault.formats.release import Texts

_UNITS: Final[dict[str, Texts]] = {"nights": {"en": "nights", "ko": "박"}, "events": {"en": "events", "ko": "건"}}
_STAYS: Final[Texts] = {
    "en": " A stay belongs to the year in which it began.",
    "ko": " 체류는 시작한 해에 포함됩니다.",
}
_LEFT_OUT: Final[Texts] = {
    "en": "People who did not consent to statistics are left out; how many is withheld.",
    "ko": "통계에 동의하지 않은 사람은 제외되며, 그 수는 비공개입니다.",
}


def notes_of_amounts(unit: Unit, people: int, parties: int, base: int) -> tuple[Texts, ...]:
    """The cap, the rounding, the rules of dominance, the blocks, and who is left out."""
    words = _UNITS[unit.name]
    stays = _STAYS if unit.amount else {"en": "", "ko": ""}
    return (
        {
            "en": f"Figures count {words['en']}, not people. Of one person no more than {unit.cap} {words['en']} a "
            "year are counted.",
            "ko": f"수치는 인원이 아니라 {words['ko']} 수입니다. 한 사람당 1년에 최대 {unit.cap}{words['ko']}까지만 "
            "집계합니다.",
        },
        {
            "en": f"Figures are rounded at random to multiples of {base}, so they may not add up.",
            "ko": f"수치는 {base}의 배수로 무작위 반올림되어 합계와 다를 수 있습니다.",
        },
        {
            "en": f"A figure is printed only if it is of at least {people} people, of at least {parties} travel "
            "parties, of which none has more than half and no two have more than nine tenths, and if what it leaves "
            "out is such a figure too. All others are withheld, and zero counts as too few.",
            "ko": f"{people}명 이상, 일행 {parties}개 이상의 수치이고, 어느 일행도 절반을, 어느 두 일행도 10분의 9를 "
            "넘지 않을 때만 공개합니다. 나머지 전체도 같은 조건을 채워야 하며, 그 밖에는 비공개입니다. 0도 적은 수로 "
            "봅니다.",
        },
        {
            "en": f"Years are put together until they hold enough.{stays['en']} What was printed once is not changed; "
            "what is recorded later waits.",
            "ko": f"충분한 수치가 될 때까지 여러 해를 묶어 집계합니다.{stays['ko']} 한 번 공개된 수치는 바꾸지 않으며, "
            "나중에 기록된 것은 이후에 반영됩니다.",
        },
        _LEFT_OUT,
    )
