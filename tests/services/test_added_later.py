"""Answers that are recorded after their people were printed, from `amend` to the release."""

from __future__ import annotations

from collections.abc import Iterator

from tests.organisation import Organisation
from tests.services.totals_people import export, women
from vault.formats.release import Release
from vault.services.cases import list_cases, show_case
from vault.services.records import amend

LATER = "sex_was_unknown"


def everybody() -> Iterator[dict[str, object]]:
    """60 people whose sex is not recorded, then 40 women and 40 men; each person takes two entries, in mixed order."""
    for number, sex in enumerate(["unknown"] * 60 + ["female"] * 40 + ["male"] * 40):
        for line in women(1, sex=sex, party=f"party {number}"):
            yield {**line, "case": f"p{number}"}


def unrecorded(org: Organisation) -> list[str]:
    """The entries of the intakes that say nothing of the sex."""
    cases = (show_case(org.vault, org.field_1, line.pseudonym) for line in list_cases(org.vault, org.field_1))
    intakes = (entry for case in cases for entry in case.entries if entry.type == "intake")
    return [entry.name for entry in intakes if entry.values["sex"] == "unknown"]


def added(release: Release) -> dict[str, int]:
    """What was added later, by cell."""
    found = {dict(cell.labels).get(LATER): cell.value for cell in release.cells}
    return {name: value for name, value in found.items() if name is not None and value is not None}


def test_amended_records_are_added_later(org: Organisation) -> None:
    """Twelve women and then three: the first figures stay, and what is known since comes beside them, once."""
    org.bring_in(org.field_1, *everybody())
    first = export(org)
    waiting = unrecorded(org)
    for entry in waiting[:9]:
        amend(org.vault, org.field_1, entry, {"sex": "female"})
    assert export(org).cells == first.cells, "nine are few"
    for entry in waiting[9:25]:
        amend(org.vault, org.field_1, entry, {"sex": "female"})
    for entry in waiting[25:40]:
        amend(org.vault, org.field_1, entry, {"sex": "male"})
    release = export(org)
    old = {cell.labels: cell.value for cell in first.cells}
    new = {cell.labels: cell.value for cell in release.cells}
    assert {labels: new[labels] for labels in old} == old
    found = added(release)
    assert set(found) == {"unchanged", "female", "male"}
    assert abs(found["female"] - 25) <= 4
    assert abs(found["male"] - 15) <= 4
    amend(org.vault, org.field_1, waiting[40], {"sex": "male"})
    assert export(org).cells == release.cells, "one more is told nowhere"
