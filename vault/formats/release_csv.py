"""A release as CSV with plain headers in the style of the Humanitarian Data Exchange's HAPI.

Specification: RFC 4180 with newlines as line ends, UTF-8 without a byte order mark; the header of design §6, exactly:

    indicator_code,indicator_name,population_group,gender,age_range,min_age,max_age,population,unit,sdc_status,...
    ALL_YEARS.SEX.FEMALE,"People ...: women and girls",REF,f,all,,,880,persons,rounded,min10-rr5-v1 from ...,,

`sdc_status` is `rounded` or `withheld` (then `population` is empty: rows never disappear). `sdc_method` names the
method and then the checkpoints that the figure was counted from, because the header has no other place for them and
every figure that leaves carries both. The reference period is empty when all years are taken together: its first day
would be a fact about the first person. Genders are HAPI's f, m, x, u, o, all, and ours for merged cells: m_or_u,
f_or_u. Percentages are left to the reader: they follow from the figures.
"""

from __future__ import annotations

import csv
import io
from typing import Final

from vault.formats.release import Cell, Labels, LegendCell, LegendRow, Release, Status

HEADER: Final = (
    "indicator_code",
    "indicator_name",
    "population_group",
    "gender",
    "age_range",
    "min_age",
    "max_age",
    "population",
    "unit",
    "sdc_status",
    "sdc_method",
    "reference_period_start",
    "reference_period_end",
)

_FORMULA: Final = tuple("=+-@|%\uff1d\uff0b\uff0d\uff20")
"""What makes a spreadsheet compute a text instead of showing it, with the full-width forms."""


def encode_csv(release: Release) -> bytes:
    """The release as CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    legend: dict[Labels, tuple[LegendRow, LegendCell]] = {
        ((row.variable, cell.code),): (row, cell) for row in release.legend for cell in row.cells
    }
    for cell in release.cells:
        writer.writerow([_harmless(field) for field in _fields(release, cell, legend.get(cell.labels))])
    return out.getvalue().encode("utf-8")


def _method(release: Release) -> str:
    """The method, the digest of the release's entry, and what was counted: the columns have no other place for them."""
    entry = () if release.digest is None else ("release", release.digest)
    return " ".join((release.policy.method, *entry, "from", "; ".join(release.checkpoints) or "no checkpoint"))


def _fields(release: Release, cell: Cell, words: tuple[LegendRow, LegendCell] | None) -> tuple[str, ...]:
    code, name, gender, ages = release.table, release.title["en"], "all", "all"
    for variable, value in cell.labels:
        code += f".{variable}.{value}"
    if words:
        name += f": {words[0].title['en']}: {words[1].text['en']}"
        gender, ages = words[1].gender, words[1].ages
    least, _, most = ages.partition("-") if ages != "all" else ("", "", "")
    yearly = len(release.period) == 4 and release.period.isdigit()
    return (
        code.upper(),
        name,
        release.population_group,
        gender,
        ages,
        least.removesuffix("+"),
        most,
        "" if cell.value is None else str(cell.value),
        release.unit,
        "withheld" if cell.status is Status.WITHHELD else "rounded",
        _method(release),
        f"{release.period}-01-01" if yearly else "",
        f"{release.period}-12-31" if yearly else "",
    )


def _harmless(field: str) -> str:
    """The field in one line, with a quote in front if a spreadsheet might take it for a formula (OWASP)."""
    line = "".join(character if character.isprintable() else " " for character in field)
    return f"'{line}" if line.lstrip().startswith(_FORMULA) else line
