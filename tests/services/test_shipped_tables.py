"""The tables that ship, over made-up people: each is previewed and printed, and what is small stays withheld."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.organisation import Organisation
from tests.services.totals_people import total
from vault.formats.release import Labels, Release
from vault.services.importing import import_file
from vault.services.release_files import encode_release
from vault.services.tables import shipped_tables
from vault.services.totals import export_table, preview_table
from vault.synthetic import people

FIGURES = Path(__file__).resolve().parents[2] / "../shared/data/published-figures.toml"
NAMES = [table.name for table in shipped_tables()]


def printed(release: Release) -> dict[tuple[str, Labels], int]:
    """The figures that are not withheld."""
    return {(cell.period, cell.labels): cell.value for cell in release.cells if cell.value is not None}


def test_the_shipped_tables(org: Organisation) -> None:
    """Every one, printed one after the other from the 1,300 made-up people, each previewed just before. (One test, for
    they stand on each other: what is printed depends on what was.)"""
    import_file(org.vault, org.field_1, org.lines(*people(2020)))
    found = {}
    for name in NAMES:
        preview = preview_table(org.vault, org.director, name)
        found[name] = export_table(org.vault, org.director, name)
        assert preview.printed == len(printed(found[name])), name
    for name, release in found.items():
        _is_rounded_and_large_enough(name, release)
    _prints_women_s_ages_beside_the_report(found)
    for name in ("detained", "newly_resettled"):
        assert printed(found[name]) == {}, "a table about nobody prints nothing: zero is small"


def _is_rounded_and_large_enough(name: str, release: Release) -> None:
    """In each of the forms in which it leaves."""
    assert release.cells
    assert all(value >= 10 and value % 5 == 0 for value in printed(release).values())
    assert name in encode_release(release, "json").decode()
    assert encode_release(release, "md").startswith(b"# ")


def _prints_women_s_ages_beside_the_report(found: dict[str, Release]) -> None:
    """Girls and women, within what rounding does; together the women of the report."""
    release = found["sex_age"]
    girls, grown = (release.cell((("age_of_women", name),)).value for name in ("0-17", "18+unknown"))
    assert girls is not None
    assert grown is not None
    assert abs(girls + grown - 882) <= 8
    everyone = printed(found["all_years"])
    assert everyone.items() <= printed(release).items(), "what all_years printed is read back"


# -- the services and the detentions of the report ---------------------------------------------------------------------


def helped(label: str, sex: str, **service: str) -> Iterator[dict[str, object]]:
    """One person who travelled alone and was helped once in 2020."""
    yield {
        "case": label,
        "type": "intake",
        "sex": sex,
        "age_group": "18-59",
        "party": label,
        "consent_statistics": "yes",
    }
    yield {"case": label, "date": "2020-06-01", **service}


def report() -> Iterator[dict[str, object]]:
    """The people of the report's services and detentions, each helped by one programme."""
    figures = tomllib.loads(FIGURES.read_text(encoding="utf-8"))
    services, vietnam = figures["services_2020"], figures["detained_in_vietnam_2019"]
    counts = [
        *(
            ("relief_grant", purpose, services[f"relief_grants_{purpose}"])
            for purpose in ("wage_loss", "tuition", "business")
        ),
        ("care_package", "none", services["care_packages"]),
        ("entrepreneurship", "none", services["entrepreneurs_trained"]),
        ("resettlement_support", "none", services["resettled_supported"]),
    ]
    for programme, purpose, count in counts:
        for number in range(count):
            sex = "male" if number % 3 == 0 else "female"
            yield from helped(
                f"{programme} {purpose} {number}", sex, type="service", programme=programme, purpose=purpose
            )
    for number in range(services["newly_resettled"]):
        yield from helped(f"resettled {number}", "female", type="outcome", status="resettled")
    for number in range(vietnam["group_a"] + vietnam["group_b"]):
        sex = "male" if number < vietnam["group_a_men"] else "female"
        yield from helped(f"detained {number}", sex, type="journey", event="detention", country="VN")


def test_the_services_of_the_report_are_told_as_far_as_they_are_not_small(org: Organisation) -> None:
    """13 grants and 36 packages are; what grants were for, six entrepreneurs, one newcomer and three men are not."""
    if not FIGURES.is_file():
        pytest.skip("the shared data directory is not beside this repository")
    org.bring_in(org.field_1, *report())
    found = {
        name: export_table(org.vault, org.director, name)
        for name in (
            "relief_grants",
            "care_packages",
            "entrepreneurship",
            "resettlement_support",
            "newly_resettled",
            "detained",
        )
    }
    assert total_2020(found["relief_grants"]) in (10, 15)
    assert total_2020(found["care_packages"]) in (35, 40)
    assert total_2020(found["resettlement_support"]) == 500
    assert total_2020(found["detained"]) in (20, 25)
    for name in ("relief_grants", "detained"):
        assert len(printed(found[name])) == 1, "the total, and no part of it"
        assert len(found[name].cells) > 1, "negative control: there are parts, withheld"
    for name in ("entrepreneurship", "newly_resettled"):
        assert printed(found[name]) == {}
        assert total(found[name]) is None
    assert ("2020", (("sex", "female"),)) in printed(found["care_packages"]), "negative control: 24 women and 12 men"


def total_2020(release: Release) -> int | None:
    """The printed number of people of 2020."""
    return printed(release).get(("2020", ()))
