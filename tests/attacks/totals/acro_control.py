"""What a reader learns from ACRO's own output, from the committed file (see `acro_output`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from tests.attacks.totals.caseload import years
from tests.attacks.totals.exporters import K, fact
from vault.disclosure.facts import Fact

FILE: Final = Path(__file__).parents[2] / "vectors" / "totals" / "acro.json"


def seed() -> int:
    """The seed of the caseload that the file was made from."""
    return int(_document()["seed"])


def acro(encoding: str) -> list[Fact]:
    """The facts of all tables with this encoding of the first dimension ("text", or "year as a number")."""
    facts = []
    for table in _document()["tables"]:
        if table["encoding"] != encoding:
            continue
        for cell in table["cells"]:
            slots, where = years(), []
            for name, code in zip(table["dimensions"], cell[:2], strict=True):
                if name in {"slot", "year"}:
                    slots = (code,)
                elif name != "all":
                    where.append(((name,), [(code,)]))
            number = cell[2]
            # Suppressed: below the threshold of ten, as its summary says beside the table.
            facts.append(fact(slots, where, *((0, K - 1) if number is None else (number, number))))
    return facts


def _document() -> Any:  # noqa: ANN401 - JSON
    return json.loads(FILE.read_text(encoding="utf-8"))
