"""A release as JSON: the canonical form, which can be read back.

Specification: docs/format.md, "Release". UTF-8, keys sorted, one space of indentation, one newline at the end, no
floats. Abridged:

    {
     "cells": [
      {"labels": {}, "period": "all", "status": "printed", "value": 1300},
      {"labels": {"trafficked": "yes"}, "period": "all", "status": "printed", "value": 210}
     ],
     "checkpoints": ["fieldvault/0011.../field-1/1 <root>"],
     "left_out": "withheld",
     "percentages": [{"base": {"trafficked": "answered"}, "labels": {"trafficked": "yes"}, "percent": 52,
                      "period": "all", "status": "printed", "text": "about 52 %"}],
     "policy": {"base": 5, "coarser": 0, "embargo": 0, "method": "min10-rr5-v1", "parties": 5, "people": 10,
                "percent_base": 50},
     "table": "all_years", "unit": "persons", "version": 1, ...
    }

`release`, once the release stands in the director's journal, is the digest there: the SHA-256 of these bytes without
it. `left_out` is always the word "withheld": how many people did not consent to statistics is not said, nor whether
any. `parse_json` accepts only bytes that `encode_json` would write, so a release has one form.
"""

from __future__ import annotations

import json
from typing import Final

from vault.errors import FormatError
from vault.formats.release import (
    Cell,
    Labels,
    LegendCell,
    LegendRow,
    Percentage,
    Protection,
    Release,
    Share,
    Texts,
)

VERSION: Final = 1
_MOST_BYTES: Final = 4 * 1024 * 1024


def encode_json(release: Release) -> bytes:
    """The release's canonical bytes."""
    return (json.dumps(as_tree(release), ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode("utf-8")


def as_tree(release: Release) -> dict[str, object]:
    """The release as what `json` writes; for whoever answers with a larger object."""
    return {
        "version": VERSION,
        "table": release.table,
        "unit": release.unit,
        "title": dict(release.title),
        "population_group": release.population_group,
        "period": release.period,
        "cells": [
            {
                "period": cell.period,
                "labels": dict(cell.labels),
                "value": cell.value,
                "status": cell.status.value,
                **({} if cell.through is None else {"through": cell.through}),
            }
            for cell in release.cells
        ],
        "percentages": [
            {
                "period": share.period,
                "labels": dict(share.labels),
                "base": dict(share.base),
                "percent": share.percent,
                "text": share.text,
                "status": share.status.value,
            }
            for share in release.percentages
        ],
        "legend": [
            {
                "variable": row.variable,
                "title": dict(row.title),
                "universe": dict(row.universe),
                "cells": [
                    {"code": cell.code, "text": dict(cell.text), "gender": cell.gender, "ages": cell.ages}
                    for cell in row.cells
                ],
            }
            for row in release.legend
        ],
        "policy": {
            "people": release.policy.people,
            "base": release.policy.base,
            "percent_base": release.policy.percent_base,
            "method": release.policy.method,
            **{name: value for name, value in _newer_rules(release.policy).items() if value is not None},
        },
        "checkpoints": list(release.checkpoints),
        "left_out": "withheld",
        "notes": [dict(note) for note in release.notes],
        **({} if release.salt is None else {"salt": release.salt}),
        **({} if release.digest is None else {"release": release.digest}),
    }


def _newer_rules(policy: Protection) -> dict[str, int | None]:
    return {"parties": policy.parties, "embargo": policy.embargo, "coarser": policy.coarser}


def parse_json(raw: bytes) -> Release:
    """Read a release back. Raises `FormatError` for anything that `encode_json` does not write."""
    if len(raw) > _MOST_BYTES:
        raise FormatError("the release is larger than 4 MiB")
    try:
        release = _release(json.loads(raw.decode("utf-8")))
        same = encode_json(release) == raw
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise FormatError("not a release in JSON, or one of a newer version") from None
    if not same:
        raise FormatError("the release is not in its canonical form")
    return release


def _release(tree: dict[str, object]) -> Release:
    """Build the value; what is read carelessly here (extra keys, order, a contradicting status) fails to re-encode."""
    policy = _dict(tree["policy"])
    return Release(
        table=_str(tree["table"]),
        unit=_str(tree["unit"]),
        title=_texts(tree["title"]),
        population_group=_str(tree["population_group"]),
        period=_str(tree["period"]),
        cells=tuple(
            Cell(
                period=_str(cell["period"]),
                labels=_labels(cell["labels"]),
                value=_count(cell["value"]),
                through=_str(cell["through"]) if "through" in cell else None,
            )
            for cell in map(_dict, _list(tree["cells"]))
        ),
        percentages=tuple(_percentage(share) for share in map(_dict, _list(tree["percentages"]))),
        legend=tuple(
            LegendRow(
                variable=_str(row["variable"]),
                title=_texts(row["title"]),
                universe=_labels(row["universe"]),
                cells=tuple(
                    LegendCell(
                        code=_str(cell["code"]),
                        text=_texts(cell["text"]),
                        gender=_str(cell["gender"]),
                        ages=_str(cell["ages"]),
                    )
                    for cell in map(_dict, _list(row["cells"]))
                ),
            )
            for row in map(_dict, _list(tree["legend"]))
        ),
        policy=Protection(
            people=_int(policy["people"]),
            base=_int(policy["base"]),
            percent_base=_int(policy["percent_base"]),
            method=_str(policy["method"]),
            parties=_int(policy["parties"]) if "parties" in policy else None,
            embargo=_int(policy["embargo"]) if "embargo" in policy else None,
            coarser=_int(policy["coarser"]) if "coarser" in policy else None,
        ),
        checkpoints=tuple(map(_str, _list(tree["checkpoints"]))),
        notes=tuple(map(_texts, _list(tree["notes"]))),
        salt=_str(tree["salt"]) if "salt" in tree else None,
        digest=_str(tree["release"]) if "release" in tree else None,
    )


def _percentage(tree: dict[str, object]) -> Percentage:
    return Percentage(
        period=_str(tree["period"]),
        labels=_labels(tree["labels"]),
        base=_labels(tree["base"]),
        share=Share(_str(tree["text"]).split(" ")[0]),
        percent=_count(tree["percent"]),
    )


def _dict(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise TypeError
    return value


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError
    return value


def _str(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _int(value: object) -> int:
    # `bool` is an `int` to isinstance, and `true` would re-encode to itself.
    if type(value) is not int or value < 0:
        raise TypeError
    return value


def _count(value: object) -> int | None:
    return None if value is None else _int(value)


def _texts(value: object) -> Texts:
    return {key: _str(text) for key, text in _dict(value).items()}


def _labels(value: object) -> Labels:
    return tuple((key, _str(code)) for key, code in _dict(value).items())
