"""Damage in one's own journal: what does not open or was taken out is named, never passed over, never built upon."""

from __future__ import annotations

import pytest

from tests.organisation import Organisation, flipped, rows_of
from vault.errors import IntegrityError
from vault.formats.leaf import Leaf, encode_leaf
from vault.model import Kind
from vault.services.cases import find_cases, list_cases, show_case
from vault.services.records import amend
from vault.services.reveal import reveal


def _case(org: Organisation) -> tuple[str, int]:
    """A case whose name and consent were amended; returns its pseudonym and the number of its last amendment."""
    name = org.case(org.field_1, name="Old Name", consent_statistics="yes")
    amend(org.vault, org.field_1, "1", {"consent_statistics": "no", "name": "New Name"})
    org.add(org.field_1, "outcome", name, status="deceased")
    return name, 2


def _change(org: Organisation, sql: str, *values: object) -> None:
    """Changes the database behind the program's back."""
    org.close()
    with rows_of(org.directory) as rows:
        rows.run(sql, *values)
    org.reopen()


def _flip_case_part(org: Organisation, seq: int) -> bytes:
    number = org.vault.journal_number(org.vault.signer(org.field_1).origin)
    org.close()
    with rows_of(org.directory) as rows:
        query = "SELECT bytes FROM part WHERE journal = ? AND seq = ? AND layer = 'case'"
        raw = bytes(rows.run(query, number, seq)[0][0])
        rows.run(
            "UPDATE part SET bytes = ? WHERE journal = ? AND seq = ? AND layer = 'case'", flipped(raw), number, seq
        )
    org.reopen()
    return raw


def test_nothing_is_amended_on_top_of_a_damaged_amendment(org: Organisation) -> None:
    """With the amendment that withdrew consent damaged, a further one would sign the consent back: it is refused."""
    _, last = _case(org)
    before = org.heads()
    _flip_case_part(org, last)
    with pytest.raises(IntegrityError, match=f"entry {last}"):
        amend(org.vault, org.field_1, "1", {"referred_by": "clinic"})
    assert org.heads() == before


def test_without_damage_the_same_amendment_is_made(org: Organisation) -> None:
    """Negative control: it is written, and consent stays withdrawn."""
    name, _ = _case(org)
    amend(org.vault, org.field_1, "1", {"referred_by": "clinic"})
    assert show_case(org.vault, org.field_1, name).entries[0].values["consent_statistics"] == "no"


def test_a_reveal_never_passes_over_the_latest_name(org: Organisation) -> None:
    """The amendment's case part is gone, its identity part is here: the new name is shown and the damage named."""
    name, last = _case(org)
    number = org.vault.journal_number(org.vault.signer(org.field_1).origin)
    _change(org, "DELETE FROM part WHERE journal = ? AND seq = ? AND layer = 'case'", number, last)
    damaged: list[int | str] = []
    values = reveal(org.vault, org.field_1, name, "why", damaged=damaged).values
    assert (values["name"], damaged) == ("New Name", [last])
    with pytest.raises(IntegrityError, match=f"entry {last}"):
        reveal(org.vault, org.field_1, name, "why")


def test_an_entry_that_was_taken_out_is_named(org: Organisation) -> None:
    """Leaf, parts and wraps of the outcome deleted: the case is not simply shorter."""
    name, _ = _case(org)
    number = org.vault.journal_number(org.vault.signer(org.field_1).origin)
    org.close()
    with rows_of(org.directory) as rows:
        rows.run("DELETE FROM leaf WHERE journal = ? AND seq = 3", number)
        rows.run("DELETE FROM part WHERE journal = ? AND seq = 3", number)
    org.reopen()
    damaged: list[int | str] = []
    show_case(org.vault, org.field_1, name, damaged=damaged)
    assert damaged == [3]
    with pytest.raises(IntegrityError):
        show_case(org.vault, org.field_1, name)


def test_an_erasure_that_nobody_signed_erases_nothing(org: Organisation) -> None:
    """The outcome's leaf overwritten by a tombstone for itself or for another: named, not believed."""
    name, _ = _case(org)
    origin = org.vault.signer(org.field_1).origin
    number = org.vault.journal_number(origin)
    leaf = encode_leaf(Leaf(seq=3, kind=Kind.ERASE, day=20000, extra=([origin, 2],)))
    org.close()
    with rows_of(org.directory) as rows:
        rows.run("UPDATE leaf SET bytes = ? WHERE journal = ? AND seq = 3", leaf, number)
        rows.run("DELETE FROM part WHERE journal = ? AND seq IN (2, 3)", number)
    org.reopen()
    damaged: list[int | str] = []
    show_case(org.vault, org.field_1, name, damaged=damaged)
    assert {2, 3} <= set(damaged)


def test_one_unreadable_leaf_does_not_hide_the_others(org: Organisation) -> None:
    """One byte of one leaf: its entry is named, the other cases are listed whole."""
    _case(org)
    other = org.case(org.field_1, name="Somebody Else")
    number = org.vault.journal_number(org.vault.signer(org.field_1).origin)
    _change(org, "UPDATE leaf SET bytes = zeroblob(length(bytes)) WHERE journal = ? AND seq = 3", number)
    damaged: list[int | str] = []
    lines = {line.pseudonym: line for line in list_cases(org.vault, org.field_1, damaged=damaged)}
    assert 3 in damaged
    assert lines[other].entries == 1  # type: ignore[index]


def test_one_damaged_wrap_does_not_stop_the_search(org: Organisation) -> None:
    """The identity wrap of one case does not open: the others are found, and its entry is named."""
    first, _ = _case(org)
    org.case(org.field_1, name="Other Person")
    number = org.vault.journal_number(org.vault.signer(org.field_1).origin)
    org.close()
    with rows_of(org.directory) as rows:
        query = "SELECT bytes FROM wrap WHERE journal = ? AND purpose = 'identity' AND seq = 1"
        raw = bytes(rows.run(query, number)[0][0])
        rows.run(
            "UPDATE wrap SET bytes = ? WHERE journal = ? AND purpose = 'identity' AND seq = 1", flipped(raw), number
        )
    org.reopen()
    damaged: list[int | str] = []
    found = [line.pseudonym for line in find_cases(org.vault, org.field_1, "Other", damaged=damaged)]
    assert len(found) == 1
    assert found[0] != first
    assert damaged == [1]
