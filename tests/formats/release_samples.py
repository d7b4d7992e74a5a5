"""Releases that the format tests show to readers, programs and browsers. All people in them are made up."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from tests.formats.test_release import HOSTILE, RELEASE
from vault.formats.release import Cell, Labels, LegendCell, LegendRow, Percentage, Release, Share, Texts

NOTES: Final[tuple[Texts, ...]] = (
    {
        "en": "Figures are rounded at random to multiples of 5, so they may not add up.",
        "ko": "수치는 5의 배수로 무작위 반올림되어 합계와 다를 수 있습니다.",
    },
    {
        "en": "People who did not consent to statistics are left out; how many is withheld.",
        "ko": "통계에 동의하지 않은 사람은 제외되며, 그 수는 비공개입니다.",
    },
)


def legend_cell(code: str, en: str, ko: str, gender: str = "all", ages: str = "all") -> LegendCell:
    """A cell of a legend in one line."""
    return LegendCell(code=code, text={"en": en, "ko": ko}, gender=gender, ages=ages)


LEGEND: Final = (
    LegendRow(
        variable="sex",
        title={"en": "Sex", "ko": "성별"},
        universe=(),
        cells=(
            legend_cell("female", "women and girls", "여성", "f"),
            legend_cell("male", "men and boys", "남성", "m"),
            legend_cell("male+unknown", "men and boys, or not recorded", "남성 또는 기록 없음", "m_or_u"),
        ),
    ),
    LegendRow(
        variable="sex_age",
        title={"en": "Sex and age when the case was opened", "ko": "사례 접수 당시 성별과 나이"},
        universe=(),
        cells=(
            legend_cell("f_0-17", "girls under 18", "18세 미만 여성", "f", "0-17"),
            legend_cell("f_18-59", "women, 18 to 59", "18~59세 여성", "f", "18-59"),
            legend_cell("f_60", "women, 60 or older", "60세 이상 여성", "f", "60+"),
            legend_cell("m_0-17", "boys under 18", "18세 미만 남성", "m", "0-17"),
            legend_cell("m_18", "men, 18 or older", "18세 이상 남성", "m", "18+"),
        ),
    ),
    LegendRow(
        variable="trafficked",
        title={"en": "Trafficked or forced to marry (women)", "ko": "인신매매 또는 강제 결혼 (여성)"},
        universe=(("sex", "female"),),
        cells=(
            legend_cell("yes", "yes", "예", "f"),
            legend_cell("no", "no", "아니요", "f"),
            legend_cell("not_answered", "not asked or no answer", "묻지 않았거나 답하지 않음", "f"),
            legend_cell("answered", "women who answered", "답한 여성", "f"),
        ),
    ),
)

PERIODS: Final[dict[str, int | None]] = {
    "all": 1300, "2019-2020": 380, "2021": 90, "-2018": 640, "undated": 35, "later-1": None, "2022-2023": 155,
}  # fmt: skip
"""The totals, in an order that no reader would choose."""
SEX: Final[dict[str, tuple[int | None, int | None]]] = {
    "all": (880, 420), "-2018": (430, 210), "2019-2020": (265, 115), "2021-2023": (None, None),
}  # fmt: skip
AGES: Final = (110, 655, 50, 105, 380)
TRAFFICKED: Final = (215, 200, 465, 415)


def blocks(**changes: object) -> Release:
    """A table by blocks: totals of seven periods, sex in four, two variables over all years."""
    cells = [Cell(period=period, labels=(), value=value) for period, value in PERIODS.items()]
    for period, values in SEX.items():
        codes = ("female", "male+unknown") if period == "-2018" else ("female", "male")
        cells += [
            Cell(period=period, labels=(("sex", code),), value=value) for code, value in zip(codes, values, strict=True)
        ]
    for row, figures in zip(LEGEND[1:], (AGES, TRAFFICKED), strict=True):
        cells += [
            Cell(period="all", labels=((row.variable, cell.code),), value=value)
            for cell, value in zip(row.cells, figures, strict=True)
        ]
    shares = (
        share("all", (("sex", "female"),), (), Share.ABOUT, 68),
        share("-2018", (("sex", "female"),), (), Share.ABOUT, 67),
        share("2021-2023", (("sex", "female"),), (), Share.WITHHELD, None),
        share("all", (("trafficked", "yes"),), (("trafficked", "answered"),), Share.ABOUT, 52),
        share("all", (("sex_age", "f_60"),), (), Share.UNDER, 5),
        share("all", (("sex_age", "f_18-59"),), (), Share.OVER, 95),
    )
    release = replace(
        RELEASE,
        table="reached_freedom",
        title={"en": "People who reached freedom", "ko": "자유를 찾은 사람"},
        period="all",
        cells=tuple(cells),
        percentages=shares,
        legend=LEGEND,
        notes=NOTES,
        checkpoints=tuple(
            f"fieldvault/00112233445566778899aabbccddeeff/field-{n}/1 {n * 520} {'YHBVnO0gSl2' * 4}=" for n in (1, 2, 3)
        ),
        digest="5e1ac0ffee" + "0" * 54,
    )
    return replace(release, **changes)  # type: ignore[arg-type]  # the caller names fields of a release


def share(period: str, labels: Labels, base: Labels, kind: Share, percent: int | None) -> Percentage:
    """A percentage in one line."""
    return Percentage(period=period, labels=labels, base=base, share=kind, percent=percent)


def hidden() -> Release:
    """The same table with every figure withheld."""
    release = blocks()
    return replace(
        release,
        cells=tuple(replace(cell, value=None) for cell in release.cells),
        percentages=tuple(replace(one, share=Share.WITHHELD, percent=None) for one in release.percentages),
    )


def wide() -> Release:
    """The longest texts that a table may have, without a space to break at, and very large numbers."""
    release = blocks()
    long = {"en": "W" * 200, "ko": "가" * 200}
    return replace(
        release,
        title=long,
        legend=tuple(
            replace(row, title=long, cells=tuple(replace(cell, text=long) for cell in row.cells))
            for row in release.legend
        ),
        cells=tuple(replace(cell, value=9_999_995) for cell in release.cells),
        notes=(long,),
        checkpoints=("x" * 400,),
    )


def hostile() -> Release:
    """The same table with every text trying to become markup, a script or a style."""
    texts = {"en": HOSTILE, "ko": f"</style></svg></desc>{HOSTILE}<style>*{{display:none}}</style>"}
    release = blocks()
    return replace(
        release,
        unit=HOSTILE,
        title=texts,
        legend=tuple(
            replace(row, title=texts, cells=tuple(replace(cell, text=texts) for cell in row.cells))
            for row in release.legend
        ),
        notes=(texts,),
        checkpoints=(HOSTILE,),
    )
