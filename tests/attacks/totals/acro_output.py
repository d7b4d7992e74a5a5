"""Writes what the real ACRO prints of our made-up caseload: `python -m tests.attacks.totals.acro_output FILE`.

ACRO is a semi-automatic checker meant for a human reviewer; here its output is taken as a reader gets it, as a negative
control. It is no dependency of ours: make a throw-away environment with the packages named in PINS, run this from the
root of the project, and commit the file. The tests read the file alone.

Margins are left out: with suppression on they are the sums of what is printed, and say nothing more.
"""

from __future__ import annotations

import json
import logging
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from tests.attacks.totals.caseload import caseload

PINS: Final = {"acro": "1.0.2", "pandas": "2.3.3"}
SEED: Final = 0
DIMENSIONS: Final = (
    ("year as a number", ("year", "sex")),
    ("text", ("slot", "sex")),
    ("text", ("slot", "all")),
    ("text", ("sex", "all")),
    ("text", ("slot", "travelled_with_family")),
    ("text", ("slot", "reunited_with_family")),
    ("text", ("travelled_with_family", "all")),
    ("text", ("reunited_with_family", "all")),
    ("text", ("sex", "age_group")),
    ("text", ("age_group", "all")),
)
"""How the first dimension is encoded, and the two dimensions of each table; "all" is a constant."""


def main(arguments: Sequence[str]) -> None:
    """Run ACRO over the caseload and write the tables."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    used = {name: version(name) for name in PINS}
    if used != PINS:
        raise SystemExit(f"needs {PINS}, found {used}")
    frame = import_module("pandas").DataFrame(
        [{"year": one.year, "slot": one.slot, "all": "all", **one.codes} for one in caseload(SEED)]
    )
    session = import_module("acro").ACRO(suppress=True)
    tables = []
    for encoding, (rows, columns) in DIMENSIONS:
        printed = session.crosstab(frame[rows], frame[columns], margins=True)
        tables.append({"encoding": encoding, "dimensions": [rows, columns], "cells": _cells(printed)})
    document = {"seed": SEED, "made_with": used, "python": sys.version.split()[0], "tables": tables}
    text = json.dumps(document, indent=None, separators=(",", ":"), sort_keys=True)
    Path(arguments[0]).write_text(text.replace('{"cells"', '\n{"cells"') + "\n", encoding="utf-8")


def _cells(printed: Any) -> list[list[str | int | None]]:  # noqa: ANN401 - a frame of a library that we do not have
    """Row, column and number of every inner cell; None where nothing is printed."""
    return [
        [str(row), str(column), None if number != number else int(number)]  # noqa: PLR0124 - not a number
        for row, line in printed.iterrows()
        for column, number in line.items()
        if "All" not in {row, column}
    ]


if __name__ == "__main__":
    main(sys.argv[1:])
