"""The forms in which a release leaves: each a function of the release alone."""

from __future__ import annotations

from vault.errors import UsageError
from vault.formats.release import Release
from vault.formats.release_csv import encode_csv
from vault.formats.release_dhis2 import encode_dhis2, written_cells
from vault.formats.release_html import encode_html
from vault.formats.release_hxl import encode_hxl
from vault.formats.release_json import encode_json
from vault.formats.release_markdown import encode_markdown
from vault.formats.table_values import Table
from vault.services.tables import shipped_table

DHIS2 = "dhis2"
ALL_YEARS = "all"
_ENCODERS = {
    "json": encode_json,
    "csv": encode_csv,
    "md": encode_markdown,
    "html": encode_html,
    "hxl": encode_hxl,
    DHIS2: encode_dhis2,
}
FORMATS = tuple(_ENCODERS)


def encode_release(release: Release, format: str) -> bytes:  # noqa: A002  # the word of the command line
    """A release's bytes as "json", "csv", "md", "html", "hxl" (CSV with a row of HXL tags) or "dhis2" (data values of
    single years). The same release gives the same bytes. Raises UsageError for any other word."""
    encoder = _ENCODERS.get(format)
    if encoder is None:
        raise UsageError(f"there is no such format; there are: {', '.join(_ENCODERS)}")
    return encoder(release)


def can_hold(table: str | Table, format: str) -> bool:  # noqa: A002
    """Whether a form has room for any figure of a table (a shipped one by its name): DHIS2 has none for all years
    together. Raises UsageError for a table that there is not."""
    found = table if isinstance(table, Table) else shipped_table(table)
    return format != DHIS2 or found.period != ALL_YEARS


def figures_written(release: Release, format: str) -> int:  # noqa: A002
    """How many figures of a release stand in this form with their numbers."""
    printed = sum(cell.value is not None for cell in release.cells)
    return len(written_cells(release)) if format == DHIS2 else printed
