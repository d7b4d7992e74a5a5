"""The forms in which a release leaves: each a function of the release alone."""

from __future__ import annotations

from vault.errors import UsageError
from vault.formats.release import Release
from vault.formats.release_csv import encode_csv
from vault.formats.release_dhis2 import encode_dhis2
from vault.formats.release_html import encode_html
from vault.formats.release_hxl import encode_hxl
from vault.formats.release_json import encode_json
from vault.formats.release_markdown import encode_markdown

_ENCODERS = {
    "json": encode_json,
    "csv": encode_csv,
    "md": encode_markdown,
    "html": encode_html,
    "hxl": encode_hxl,
    "dhis2": encode_dhis2,
}
FORMATS = tuple(_ENCODERS)


def encode_release(release: Release, format: str) -> bytes:  # noqa: A002  # the word of the command line
    """A release's bytes as "json", "csv", "md", "html", "hxl" (CSV with a row of HXL tags) or "dhis2" (data values of
    single years). The same release gives the same bytes. Raises UsageError for any other word."""
    encoder = _ENCODERS.get(format)
    if encoder is None:
        raise UsageError(f"there is no such format; there are: {', '.join(_ENCODERS)}")
    return encoder(release)
