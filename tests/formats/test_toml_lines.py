"""Lines of TOML keys: the key is really there, whatever stands around it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from vault.formats import toml_lines
from vault.formats.toml_lines import MOST_DEPTH, Lines, Path as Place, TooDeep

VAULT = Path(__file__).resolve().parents[2] / "vault"
SHIPPED = sorted([*(VAULT / "tables").glob("*.toml"), *(VAULT / "codebooks").glob("*.toml")])


def places(tree: object, path: Place = ()) -> Iterator[Place]:
    """Every place of a tree."""
    if path:
        yield path
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from places(value, (*path, key))
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            yield from places(value, (*path, index))


def test_the_documented_example_has_the_lines_that_it_says() -> None:
    """The text at the top of the module, with its own answers."""
    example = (toml_lines.__doc__ or "").split("\n\n")[1]
    lines = Lines("\n".join(line.removeprefix("    ") for line in example.split("\n")))
    found = [lines.of(path) for path in (("rows", 0, "ladder", 1), ("rows", 0, "cells", "f", "en"), ("rows", 0, "z"))]
    assert found == [3, 5, 1]
    assert lines.of(("absent",)) == lines.of(()) == 0


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_key_of_a_shipped_file_stands_on_its_line(path: Path, ending: str) -> None:
    """The line that is named holds the key, or the item."""
    text = path.read_text(encoding="utf-8")
    lines, split = Lines(text.replace("\n", ending)), text.split("\n")
    count = 0
    for place in places(tomllib.loads(text)):
        key = next(part for part in reversed(place) if isinstance(part, str))
        line = split[lines.of(place) - 1]
        # Tables of codes are named by a header only, and long lists go over several lines.
        assert key in line or isinstance(place[-1], int), place
        count += 1
    assert count > 20


KEYS = st.text("ab-_1", min_size=1, max_size=3) | st.sampled_from(['"a b"', "'x.y'", '"q\\u0041"', '"#"', '"="'])
SCALARS = st.sampled_from([
    "1", "-3.5e7", "true", "1979-05-27 07:32:00", '"x = [1] # no"', "'{'", '"""\nk = 1\n"""', '""""two"" """',
    "'''\n[no]\n'''", '"\\""', "[]", "{}",
])  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3).map(lambda items: "[ # c ]\n" + ",\n".join(items) + ",\n]")
        | st.lists(inner.filter(lambda value: "\n" not in value), min_size=1, max_size=2).map(
            lambda items: "{" + ", ".join(f"n{at} = {item}" for at, item in enumerate(items)) + "}"
        )
    ),
    max_leaves=6,
)


@given(statements=st.lists(st.tuples(KEYS, VALUES, st.sampled_from(["", "# [[no]]", "   "])), max_size=8))
def test_keys_are_found_whatever_their_values_are(statements: list[tuple[str, str, str]]) -> None:
    """Strings with brackets and hashes, dates, values over several lines: the next key is found all the same."""
    text, expected = "", {}
    for number, (key, value, between) in enumerate(statements):
        if number % 3 == 0:
            text += f"[[t.{key}]]\n" if number % 2 else f'[ "h{number}" . {key} ]\n'
        text += between + "\n"
        line = text.count("\n") + 1
        text += f"k{number} = {value}\n"
        expected[f"k{number}"] = line
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return  # one header twice: no text of ours
    lines = Lines(text)
    found = {place[-1]: lines.of(place) for place in places(tree) if place[-1] in expected}
    assert found == expected
    assert all(lines.of(place) for place in places(tree))


def test_what_is_nested_too_deeply_is_named() -> None:
    """As deep as is allowed, and one deeper, on its line."""
    assert Lines(f"\na = {'[' * MOST_DEPTH}1{']' * MOST_DEPTH}").of(("a",)) == 2
    for opened, closed in (("[", "]"), ("{b=", "}")):
        with pytest.raises(TooDeep) as caught:
            Lines(f"\na = {opened * (MOST_DEPTH + 1)}1{closed * (MOST_DEPTH + 1)}")
        assert caught.value.line == 2


@given(text=st.text("[]{}='\"\n#.,ab \\", max_size=60))
def test_any_text_ends(text: str) -> None:
    """Also what is no TOML: the outline stops where it cannot be followed."""
    try:
        line = Lines(text).of(("a",))
    except TooDeep as deep:
        line = deep.line
    assert 0 <= line <= text.count("\n") + 1
