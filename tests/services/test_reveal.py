"""Opening the identity layer: logged first, or not at all."""

from __future__ import annotations

import pytest

from tests.organisation import Organisation, select
from vault.errors import InputRefused, StorageError, UsageError
from vault.formats.leaf import parse_leaf
from vault.model import Kind, Layer, Place
from vault.services import reveal as revealing
from vault.services.cases import show_case
from vault.services.casework import Casework
from vault.services.records import amend
from vault.services.reveal import reveal


@pytest.fixture
def named(org: Organisation) -> tuple[Organisation, str]:
    """A case whose person has a name."""
    return org, org.case(org.field_1, name="김민수", birth_date="1990-05", contact="c", notes="n")


def test_a_reveal_gives_the_identity_layer_and_nothing_else(named: tuple[Organisation, str]) -> None:
    """Name, birth date as it was given, contact; no case values."""
    org, name = named
    revealed = reveal(org.vault, org.field_1, name, "the family asked")
    assert revealed.values == {"name": "김민수", "birth_date": "1990-05", "contact": "c"}
    assert (revealed.pseudonym, revealed.seq) == (name, 2)


def test_an_auditor_sees_that_it_happened_and_not_why(named: tuple[Organisation, str]) -> None:
    """The leaf says "reveal" in the open, with one case part; the reason is sealed in it."""
    org, name = named
    seq = reveal(org.vault, org.field_1, name, "the family asked").seq
    number = org.vault.journal_number(org.vault.signer(org.field_1).origin)
    leaf = parse_leaf(org.vault.store.leaf(number, seq) or b"")
    assert leaf.kind is Kind.REVEAL
    assert [part.layer for part in leaf.parts] == [Layer.CASE]
    work = org.work(org.field_1)
    payload = work.entry(work.case(name), Place(work.origin, seq)).payload
    assert (payload.type, payload.values) == ("reveal", {"reason": "the family asked"})
    assert org.audit().findings == ()


@pytest.mark.parametrize("reason", ["", "  ", "\n", "a\x00b", "line\nline", "x" * 5000, "\u202eabc", "\udcff"])
def test_without_a_reason_nothing_is_opened(
    named: tuple[Organisation, str], monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    """An empty or unprintable reason is a usage error; no entry is written and the identity key is not touched."""
    org, name = named
    monkeypatch.setattr(Casework, "identity_segments", lambda *_: pytest.fail("opened"))
    before = org.heads()
    with pytest.raises(UsageError) as caught:
        reveal(org.vault, org.field_1, name, reason)
    if isinstance(caught.value, InputRefused):
        assert [problem.variable for problem in caught.value.problems] == ["reason"]
    assert org.heads() == before


def test_when_the_log_fails_nothing_is_opened(named: tuple[Organisation, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The entry is committed first: a disk that refuses it keeps the identity closed."""
    org, name = named

    def fail(*args: object) -> int:
        raise StorageError("injected")

    with monkeypatch.context() as patch:
        patch.setattr(revealing, "commit", fail)
        patch.setattr(Casework, "identity_segments", lambda *_: pytest.fail("opened"))
        with pytest.raises(StorageError):
            reveal(org.vault, org.field_1, name, "why")
    assert reveal(org.vault, org.field_1, name, "why").values["name"] == "김민수", "negative control"


def test_the_entry_is_durable_before_the_values_are_there(
    named: tuple[Organisation, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the moment when the identity key is opened, the reveal stands in the database."""
    org, name = named
    seen = []
    real = Casework.identity_segments

    def watch(work: Casework, case: object) -> object:
        seen.append(select(org.directory, "SELECT max(size) FROM checkpoint WHERE journal=?", work.journal)[0][0])
        return real(work, case)  # type: ignore[arg-type]

    monkeypatch.setattr(Casework, "identity_segments", watch)
    seq = reveal(org.vault, org.field_1, name, "why").seq
    assert seen == [seq + 1]


def test_a_rehearsed_reveal_opens_and_logs_nothing(named: tuple[Organisation, str]) -> None:
    """`dry_run`: no values, number -1."""
    org, name = named
    before = org.heads()
    revealed = reveal(org.vault, org.field_1, name, "why", dry_run=True)
    assert (revealed.values, revealed.seq) == ({}, -1)
    assert org.heads() == before


def test_a_person_without_identity_reveals_nothing(org: Organisation) -> None:
    """No name was given: an empty answer, logged all the same."""
    name = org.case(org.field_1, notes="n")
    before = org.size(org.field_1)
    assert reveal(org.vault, org.field_1, name, "why").values == {}
    assert org.size(org.field_1) == before + 1


def test_reveals_are_no_records(named: tuple[Organisation, str]) -> None:
    """A reveal changes neither the case's records nor its status, and a later amendment still folds."""
    org, name = named
    reveal(org.vault, org.field_1, name, "why")
    amend(org.vault, org.field_1, "1", {"contact": "d"})
    assert [entry.type for entry in show_case(org.vault, org.field_1, name).entries] == ["intake"]
    assert reveal(org.vault, org.field_1, name, "again").values["contact"] == "d"
