"""Two small checkers for the schema files that ship beside the release formats, so that no package is needed for that.

They know the words that those files use, and refuse every other: a constraint that nobody checks is worth nothing.
"""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import date
from importlib import resources
from typing import Any


def shipped(name: str) -> Any:  # noqa: ANN401  # whatever the JSON holds
    """A schema that travels inside the package."""
    return json.loads(resources.files("vault.formats").joinpath("schemas", name).read_text(encoding="utf-8"))


def read_csv(raw: bytes) -> list[list[str]]:
    """The rows of a CSV, header first."""
    return list(csv.reader(io.StringIO(raw.decode("utf-8"), newline="")))


def table_problems(raw: bytes, schema: dict[str, Any]) -> list[str]:
    """What in a CSV contradicts a Frictionless Table Schema: `row 3 population: below 10`."""
    assert set(schema) <= {"$schema", "title", "description", "fields", "missingValues"}
    header, *rows = read_csv(raw)
    fields = schema["fields"]
    if header != [field["name"] for field in fields]:
        return ["header: other fields"]
    found: list[str] = []
    for number, row in enumerate(rows, 2):
        if len(row) != len(fields):
            found.append(f"row {number}: {len(row)} fields")
            continue
        for field, text in zip(fields, row, strict=True):
            missing = text in schema["missingValues"]
            if problem := _problem(None if missing else text, field):
                found.append(f"row {number} {field['name']}: {problem}")
    return found


def _problem(text: str | None, field: dict[str, Any]) -> str | None:
    assert set(field) <= {"name", "type", "constraints"}
    rules = field.get("constraints", {})
    assert set(rules) <= {"required", "minimum", "enum", "pattern"}
    if text is None:
        return "missing" if rules.get("required") else None
    match field["type"]:
        case "integer":
            if not re.fullmatch(r"-?[0-9]+", text):
                return "no integer"
        case "date":
            try:
                date.fromisoformat(text)
            except ValueError:
                return "no date"
        case kind:
            assert kind == "string"
    if "minimum" in rules and int(text) < rules["minimum"]:
        return f"below {rules['minimum']}"
    if "enum" in rules and text not in rules["enum"]:
        return "not in the list"
    if "pattern" in rules and not re.fullmatch(rules["pattern"], text):
        return "another pattern"
    return None


def hxl_problems(raw: bytes, schema: list[dict[str, str]]) -> list[str]:
    """What in a CSV with hashtags contradicts an HXL schema."""
    _, tags, *rows = read_csv(raw)
    found: list[str] = []
    for rule in schema:
        checks = {key: value for key, value in rule.items() if key not in {"#description", "#valid_severity"}}
        column = tags.index(checks.pop("#valid_tag"))
        for number, row in enumerate(rows, 3):
            found += [f"row {number}: {key}" for key, value in checks.items() if not _allowed(key, value, row[column])]
    return found


def _allowed(key: str, value: str, text: str) -> bool:
    if key == "#valid_required":
        return value != "true" or text != ""
    if text == "":
        return True
    checks = {
        "#valid_datatype": lambda: value == "number" and re.fullmatch(r"[0-9]+", text) is not None,
        "#valid_value+min": lambda: int(text) >= int(value),
        "#valid_value+regex": lambda: re.search(value, text) is not None,
        "#valid_value+list": lambda: text in value.split("|"),
    }
    return checks[key]()
