"""A release as CSV with plain headers in the style of the Humanitarian Data Exchange's HAPI.

Specification: RFC 4180 with newlines as line ends, UTF-8 without a byte order mark; the header of design §6, exactly:

    indicator_code,indicator_name,population_group,gender,age_range,min_age,max_age,population,unit,sdc_status,...
    ALL_YEARS.SEX.FEMALE,"People ...: women and girls",REF,f,all,,,880,persons,rounded,min10-rr5-v1 from ...,,

`sdc_status` is `rounded` or `withheld` (then `population` is empty: rows never disappear). `sdc_method` names the
method (with `parties5`, and `embargo12` and `coarser1` where there are such rules) and then the checkpoints that the
figure was counted from, because the header has no other place for them and every figure that leaves carries both.
Genders are HAPI's f, m, x, u, o, all, and ours for merged cells: m_or_u, f_or_u. Percentages are left to the reader:
they follow from the figures.

The reference period is the figure's own (`release_period`); a date is empty where the period is open. Where the dates
alone do not tell a period from others, code and name do: `T.TO_2018` "(up to 2018)", `T.UNDATED`, `T.LATER-1`. Only a
figure over all years has the plain code without both dates. So code and dates together name one figure of a file.

`schemas/release.schema.json` describes this file as a Frictionless Table Schema.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from typing import Final

from vault.formats.release import Cell, Labels, LegendCell, LegendRow, Release, Status
from vault.formats.release_period import period_of
from vault.formats.release_view import one_line

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

_FORMULA: Final = re.compile('(^|;)(?=[\\s"]*[=+\\-@|%\uff1d\uff0b\uff0d\uff20])')
"""Where a spreadsheet would start to compute: `=`, `+` and so on, also full-width, at the beginning of a field. A
semicolon begins one as well, for a spreadsheet in a country where the comma belongs to numbers."""


def encode_csv(release: Release) -> bytes:
    """The release as CSV. Raises `FormatError` when a figure's period is not in the grammar."""
    return write_rows((HEADER, *figure_rows(release)))


def write_rows(rows: Iterable[Iterable[str]], *, quoted: bool = False) -> bytes:
    """Rows as CSV, every field in one line and with nothing to compute in it; in quotes where needed, or always."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL)
    writer.writerows([_harmless(field) for field in row] for row in rows)
    return out.getvalue().encode("utf-8")


def figure_rows(release: Release) -> list[tuple[str, ...]]:
    """One row a figure, in the release's order, as the columns of HEADER."""
    legend: dict[Labels, tuple[LegendRow, LegendCell]] = {
        ((row.variable, cell.code),): (row, cell) for row in release.legend for cell in row.cells
    }
    return [_fields(release, cell, legend.get(cell.labels)) for cell in release.cells]


def indicator_code(release: Release, cell: Cell) -> str:
    """`TABLE`, `TABLE.VARIABLE.CODE`; with the period behind it where dates do not name it."""
    parts = [release.table, *(part for label in cell.labels for part in label)]
    period = period_of(cell)
    if not period.dated and period.label != "all":
        parts.append(f"to_{period.label[1:]}" if period.end else period.label)
    return ".".join(parts).upper()


def _method(release: Release) -> str:
    """The method and its rules, the digest of the release's entry, and what was counted: the columns have no other
    place for them."""
    rules = release.policy
    entry = [rules.method]
    entry += [] if rules.parties is None else [f"parties{rules.parties}"]
    entry += [f"embargo{rules.embargo}"] if rules.embargo else []
    entry += [f"coarser{rules.coarser}"] if rules.coarser else []
    entry += [] if release.digest is None else ["release", release.digest]
    return " ".join((*entry, "from", "; ".join(release.checkpoints) or "no checkpoint"))


def _fields(release: Release, cell: Cell, words: tuple[LegendRow, LegendCell] | None) -> tuple[str, ...]:
    name, gender, ages = release.title["en"], "all", "all"
    if words:
        name += f": {words[0].title['en']}: {words[1].text['en']}"
        gender, ages = words[1].gender, words[1].ages
    least, _, most = ages.partition("-") if ages != "all" else ("", "", "")
    period = period_of(cell)
    if not period.dated and (period.label != "all" or period.end):
        name += f" ({period.words['en']})"
    return (
        indicator_code(release, cell),
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
        period.start or "",
        period.end or "",
    )


def _harmless(field: str) -> str:
    """The field in one line, with a quote in front of what a spreadsheet might take for a formula (OWASP)."""
    return _FORMULA.sub(r"\1'", one_line(field))
