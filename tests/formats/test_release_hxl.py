"""The release as CSV with HXL hashtags, and the HXL schema that ships with it."""

from __future__ import annotations

import shutil
import subprocess
from importlib import resources
from pathlib import Path

import pytest

from tests.formats.release_samples import blocks, hidden, wide
from tests.formats.table_schema import hxl_problems, read_csv, shipped
from tests.formats.test_release import RELEASE
from vault.formats.release import Release
from vault.formats.release_csv import HEADER, encode_csv
from vault.formats.release_hxl import HASHTAGS, encode_hxl

NAME = "release.hxl-schema.json"
SCHEMA = shipped(NAME)


def test_it_is_the_csv_with_one_row_more() -> None:
    """The hashtags stand between the header and the first figure; everything else is the plain CSV."""
    rows = read_csv(encode_hxl(blocks()))
    assert tuple(rows[1]) == HASHTAGS
    assert [rows[0], *rows[2:]] == read_csv(encode_csv(blocks()))


def test_every_column_has_its_own_hashtag() -> None:
    """Thirteen columns, thirteen hashtags of HXL's form; a figure is found under #population+ind."""
    assert len(set(HASHTAGS)) == len(HASHTAGS) == len(HEADER)
    assert all(tag.startswith("#") and tag[1:].replace("+", "").replace("_", "").isalpha() for tag in HASHTAGS)
    assert dict(zip(HEADER, HASHTAGS, strict=True))["population"] == "#population+ind"


@pytest.mark.parametrize("release", [RELEASE, blocks(), hidden(), wide()], ids=["one year", "blocks", "hidden", "wide"])
def test_the_file_keeps_its_schema(release: Release) -> None:
    """No printed figure below ten, or that is not a multiple of five."""
    assert hxl_problems(encode_hxl(release), SCHEMA) == []


BROKEN = {
    "a small figure": (b",90,persons", b",5,persons", "#valid_value+min"),
    "an exact figure": (b",90,persons", b",91,persons", "#valid_value+regex"),
    "a text for a figure": (b",90,persons", b",n/a,persons", "#valid_datatype"),
    "a second mark": (b"persons,withheld", b"persons,secondary", "#valid_value+list"),
    "no mark": (b"persons,withheld", b"persons,", "#valid_required"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_the_schema_finds_what_is_wrong(name: str) -> None:
    """Negative control: each defect breaks its rule."""
    old, new, rule = BROKEN[name]
    raw = encode_hxl(blocks())
    assert old in raw
    if name == "a text for a figure":
        rules = [{key: value for key, value in item.items() if "+" not in key} for item in SCHEMA]
        assert any(rule in problem for problem in hxl_problems(raw.replace(old, new), rules))
    else:
        assert any(rule in problem for problem in hxl_problems(raw.replace(old, new), SCHEMA))


def test_hxlvalidate_agrees(tmp_path: Path) -> None:
    """The program that reads such schemas accepts the file, and refuses a planted small figure."""
    program = shutil.which("hxlvalidate")
    if program is None:
        pytest.skip("hxlvalidate is not installed; our own checker ran")
    schema = tmp_path / NAME
    schema.write_bytes(resources.files("vault.formats").joinpath("schemas", NAME).read_bytes())
    codes = []
    for name, raw in {
        "good": encode_hxl(blocks()),
        "bad": encode_hxl(blocks()).replace(b",90,persons", b",9,persons"),
    }.items():
        path = tmp_path / f"{name}.csv"
        path.write_bytes(raw)
        command = [program, "-a", "--schema", str(schema), str(path)]
        codes.append(subprocess.run(command, capture_output=True, check=False, timeout=120).returncode)
    assert codes == [0, 1]
