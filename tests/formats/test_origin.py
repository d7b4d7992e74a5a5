"""Origins: one spelling each, and nothing that a note's key name could not be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from tests.formats.mutation import SOME_EDITS, Edit, edited
from tests.vectors import fixed
from tests.vectors.defects import ORIGINS
from vault.errors import FormatError, UsageError
from vault.formats.note import check_key_name
from vault.formats.origin import (
    OriginName,
    check_handle,
    encode_origin,
    is_handle,
    is_vault_id,
    origin_of,
    parse_origin,
)
from vault.model import Handle, VaultId

VECTORS = Path(__file__).parents[1] / "vectors" / "origin"
GOOD = [json.loads(path.read_text()) for path in sorted((VECTORS / "good").glob("*.json"))]
BAD = {path.stem: path.read_bytes().decode() for path in sorted((VECTORS / "bad").glob("*.txt"))}

HANDLES = st.from_regex(r"\A[a-z]([a-z0-9-]{0,30}[a-z0-9])?\Z").map(Handle)
NAMES = st.builds(
    OriginName,
    vault_id=st.binary(min_size=16, max_size=16).map(lambda raw: VaultId(raw.hex())),
    handle=HANDLES,
    epoch=st.integers(1, 999_999_999),
)


def test_every_vector_has_its_defect_and_the_reverse() -> None:
    """No vector file goes unread."""
    assert BAD == ORIGINS


@pytest.mark.parametrize("name", BAD)
def test_defects_are_refused(name: str) -> None:
    """An origin with one defect is a FormatError."""
    assert encode_origin(parse_origin(fixed.JOURNAL)) == fixed.JOURNAL, "control: without the defect it is taken"
    with pytest.raises(FormatError):
        parse_origin(BAD[name])


@pytest.mark.parametrize("row", GOOD, ids=lambda row: row["origin"].split("/", 2)[2])
def test_good_vectors_both_ways(row: dict[str, object]) -> None:
    """Each published origin has its published parts."""
    name = parse_origin(str(row["origin"]))
    assert (name.vault_id, name.handle, name.epoch) == (row["vault id"], row["handle"], row["epoch"])
    assert origin_of(name.vault_id, name.handle, name.epoch) == row["origin"]


@given(NAMES)
def test_parse_inverts_encode(name: OriginName) -> None:
    """Every name survives, and may name a signing key."""
    text = encode_origin(name)
    assert parse_origin(text) == name
    check_key_name(text)


@given(NAMES, SOME_EDITS)
def test_what_is_accepted_is_canonical(name: OriginName, edits: list[Edit]) -> None:
    """An edited origin is refused or stands for exactly itself."""
    text = edited(encode_origin(name).encode(), edits).decode("utf-8", "surrogateescape")
    try:
        parsed = parse_origin(text)
    except FormatError:
        return
    assert encode_origin(parsed) == text


@given(st.text(max_size=80))
def test_arbitrary_text_is_refused(text: str) -> None:
    """Nothing but FormatError escapes, and chance does not make an origin."""
    with pytest.raises(FormatError):
        parse_origin(text)


@pytest.mark.parametrize("text", ["", "-", "1", "a-", "A", "a_b", "a.b", "a\n", "\u00e4", "a" * 33, "a b"])
def test_a_handle_that_a_person_mistypes(text: str) -> None:
    """A handle comes from a person: a bad one is a usage error, and says what would do."""
    assert check_handle("field-7") == "field-7"
    assert not is_handle(text)
    with pytest.raises(UsageError, match="handle"):
        check_handle(text)


@pytest.mark.parametrize("text", ["", "0" * 31, "0" * 33, "0" * 31 + "g", "A" * 32, "0" * 32 + "\n", "\u0660" * 32])
def test_what_is_no_vault_id(text: str) -> None:
    """32 lowercase hexadecimal digits and nothing else."""
    assert is_vault_id("0" * 32)
    assert not is_vault_id(text)
