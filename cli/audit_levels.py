"""The five levels of `audit verify`, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cli.wording import counted, short

if TYPE_CHECKING:
    from vault import AuditReport, Freshness


def level_lines(report: AuditReport) -> Iterator[str]:
    """One line a level, and one for each journal that was cosigned."""
    for level in report.levels:
        yield f"{level.name + ':':<14}{level.status}{',' if level.status == 'not looked at' else ':'} {level.message}"
    for item in report.freshness:
        if item.age is not None:
            yield f"  {short(item.origin)} up to {item.size:,}, by {item.by}, {_ago(item.age)} ({item.day})"


def _ago(age: int) -> str:
    if age < 0:
        return f"{counted(-age, 'day', 'days')} from now"
    return "today" if age == 0 else f"{counted(age, 'day', 'days')} ago"


def levels_json(report: AuditReport) -> dict[str, dict[str, object]]:
    """By name: status, message and number of findings; with what each level looked at."""
    found: dict[str, dict[str, object]] = {
        level.name: {"status": str(level.status), "message": level.message, "findings": level.findings}
        for level in report.levels
    }
    details: dict[str, dict[str, object]] = {
        "memory": {
            "anchor": report.anchor,
            "given": [
                {"origin": item.head.origin, "size": item.head.size, "kept": item.head.kept}
                for item in report.heads
                if item.verdict == "holds"
            ],
        },
        "cross-copies": {
            "copies": [
                {"copy": str(item.path), "journals": item.journals, "heads": item.heads} for item in report.copies
            ]
        },
        "freshness": {"journals": [_fresh(item) for item in report.freshness]},
    }
    for name, more in details.items():
        if name in found:
            found[name] |= more
    return found


def _fresh(item: Freshness) -> dict[str, object]:
    return {
        "origin": item.origin,
        "by": item.by,
        "size": item.size,
        "day": item.day.isoformat() if item.day else None,
        "age": item.age,
    }
