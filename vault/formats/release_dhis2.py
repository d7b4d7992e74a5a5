"""A release as DHIS2 data values in CSV, for the import app of a health information system.

    "dataelement","period","orgunit","categoryoptioncombo","attributeoptioncombo","value"
    "BY_YEAR.SEX.FEMALE","2020","FIELDVAULT","","","90"

Codes, not UIDs: import with `idScheme=CODE`, after giving your data elements the codes of the CSV's `indicator_code`
(DHIS2 allows them 50 characters) and one organisation unit the code FIELDVAULT. That unit is the organisation as a
whole: a release has no places. The two option combinations are empty, which is DHIS2's default.

DHIS2 has no period of several years and none for people without a year: only figures of a single calendar year are
written, and withheld ones are left out, because an empty value would be read as a deletion. The columns `storedby`,
`lastupdated` and `comment` are not there: who exported, when, and why are nobody's business in a shared system. So
this is the one format in which a figure does not carry its policy and checkpoints; keep the JSON or CSV beside it.
"""

from __future__ import annotations

from typing import Final

from vault.formats.release import Cell, Release
from vault.formats.release_csv import indicator_code, write_rows
from vault.formats.release_period import period_of

COLUMNS: Final = ("dataelement", "period", "orgunit", "categoryoptioncombo", "attributeoptioncombo", "value")
ORGUNIT: Final = "FIELDVAULT"
"""The code of the organisation unit that stands for the whole organisation."""


def encode_dhis2(release: Release) -> bytes:
    """The release's single-year figures; only the header when there are none.

    Raises `FormatError` when a figure's period is not in the grammar.
    """
    rows = [
        (indicator_code(release, cell), period_of(cell).year or "", ORGUNIT, "", "", str(cell.value))
        for cell in written_cells(release)
    ]
    return write_rows((COLUMNS, *rows), quoted=True)


def written_cells(release: Release) -> tuple[Cell, ...]:
    """The figures that are written: printed, and of a single calendar year. Raises as `encode_dhis2`."""
    return tuple(cell for cell in release.cells if cell.value is not None and period_of(cell).year is not None)
