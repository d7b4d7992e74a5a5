"""A release as CSV with a row of HXL hashtags under the header, for tools that still read the Humanitarian Exchange
Language (specification 1.1, 2018). The Humanitarian Data Exchange itself is moving away from it; the plain CSV is the
default.

    indicator_code,...,population,unit,sdc_status,...,reference_period_start,reference_period_end
    #indicator+code,...,#population+ind,#meta+unit,#status+sdc,...,#date+start,#date+end
    ALL_YEARS,...,1300,persons,rounded,...,,

`schemas/release.hxl-schema.json` is an HXL schema for it: no printed number below ten, none that is not a multiple of
five.
"""

from __future__ import annotations

from typing import Final

from vault.formats.release import Release
from vault.formats.release_csv import HEADER, figure_rows, write_rows

HASHTAGS: Final = (
    "#indicator+code",
    "#indicator+name",
    "#population_group+code",
    "#gender+code",
    "#age+range",
    "#age+min",
    "#age+max",
    "#population+ind",
    "#meta+unit",
    "#status+sdc",
    "#meta+sdc+method",
    "#date+start",
    "#date+end",
)
"""The hashtag of each column of `release_csv.HEADER`, as HAPI had them."""


def encode_hxl(release: Release) -> bytes:
    """The release as CSV with hashtags. Raises `FormatError` when a figure's period is not in the grammar."""
    return write_rows((HEADER, HASHTAGS, *figure_rows(release)))
