"""Ciphertext that was moved: sealed bytes open where they were written, or nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.organisation import Opened, Organisation, Thief, flipped, rows_of
from vault.errors import IntegrityError, OpenFailed, VaultError
from vault.formats import part as parts
from vault.model import Kind, Layer, Origin, Purpose
from vault.primitives import aead
from vault.services.cases import find_cases, list_cases, show_case
from vault.services.keyring import LOCATOR_ID, LOCATOR_SALT, Keyring, mask_locator, unmask_locator
from vault.services.reveal import reveal


def _opened(org: Organisation, me: Keyring) -> list[Opened]:
    return Thief(org.directory, [me]).opened()


def _of(org: Organisation, me: Keyring) -> Origin:
    return org.vault.signer(me).origin


@pytest.fixture
def two_cases(org: Organisation) -> tuple[Organisation, list[str]]:
    """Two cases of field-1 with two records each: entries 1..4 (entry 0 is the grant)."""
    names = [org.case(org.field_1, name=f"Person {n}", notes=f"note {n}") for n in (1, 2)]
    for name in names:
        org.add(org.field_1, "journey", name, event="transit", notes=f"leg of {name}")
    return org, names


def _move(directory: Path, number: int, source: tuple[int, str], target: tuple[int, str]) -> None:
    """Puts the sealed bytes of one part in another's place."""
    with rows_of(directory) as rows:
        raw = rows.run("SELECT bytes FROM part WHERE journal=? AND seq=? AND layer=?", number, *source)
        rows.run("UPDATE part SET bytes=? WHERE journal=? AND seq=? AND layer=?", raw[0][0], number, *target)


@pytest.mark.parametrize(
    ("source", "target"),
    [((1, "case"), (3, "case")), ((3, "tally"), (4, "tally")), ((1, "identity"), (2, "identity"))],
)
def test_a_part_moved_to_another_entry_does_not_open(
    two_cases: tuple[Organisation, list[str]], source: tuple[int, str], target: tuple[int, str]
) -> None:
    """A whole part in another entry's place opens for nobody, with the right keys and the right header for it."""
    org, _ = two_cases
    number = org.vault.journal_number(_of(org, org.field_1))
    before = {(item.name, item.seq) for item in _opened(org, org.field_1) if item.what == "part"}
    assert (target[1], target[0]) in before, "negative control: it opened where it was"
    org.close()
    _move(org.directory, number, source, target)
    org.reopen()
    after = {(item.name, item.seq) for item in _opened(org, org.field_1) if item.what == "part"}
    assert before - after == {(target[1], target[0])}
    assert org.audit().verdict == "finding"


def test_a_moved_part_with_a_mended_header_raises_in_the_library(two_cases: tuple[Organisation, list[str]]) -> None:
    """The body of entry 1 under entry 2's own header: the service names the entry and shows nothing of it."""
    org, names = two_cases
    number = org.vault.journal_number(_of(org, org.field_1))
    org.close()
    with rows_of(org.directory) as rows:
        sql = "SELECT bytes FROM part WHERE journal=? AND seq=? AND layer='case'"
        first, second = (rows.run(sql, number, seq)[0][0] for seq in (1, 2))
        mixed = parts.join(parts.split(second)[0], parts.split(first)[1])
        rows.run("UPDATE part SET bytes=? WHERE journal=? AND seq=2 AND layer='case'", mixed, number)
    org.reopen()
    with pytest.raises(IntegrityError, match="entry 2"):
        show_case(org.vault, org.field_1, names[1])
    assert len(show_case(org.vault, org.field_1, names[0]).entries) == 2


def test_a_part_opens_in_its_own_place_only(two_cases: tuple[Organisation, list[str]]) -> None:
    """Sealed bytes with another sequence number, kind, layer, journal, vault or header in their context stay closed."""
    org, names = two_cases
    work = org.work(org.field_1)
    case = work.case(names[0])
    raw = org.vault.store.part(work.journal, case.opened, Layer.CASE)
    assert raw is not None
    header, sealed = parts.split(raw)
    right = (org.vault.vault_id, work.origin, case.opened, Kind.RECORD, Layer.CASE, header)
    assert aead.open_sealed(case.key, sealed, parts.encode_aad(*right)), "negative control"
    wrong = (
        ("0" * 32, *right[1:]),
        (right[0], _of(org, org.field_2), *right[2:]),
        (*right[:2], case.opened + 1, *right[3:]),
        (*right[:3], Kind.AMEND, *right[4:]),
        (*right[:4], Layer.IDENTITY, header),
        (*right[:5], flipped(header)),
    )
    for place in wrong:
        with pytest.raises(OpenFailed):
            aead.open_sealed(case.key, sealed, parts.encode_aad(*place))  # type: ignore[arg-type]


@pytest.mark.parametrize("purpose", [Purpose.CASE, Purpose.IDENTITY])
def test_wraps_swapped_between_two_cases_do_not_open(
    two_cases: tuple[Organisation, list[str]], purpose: Purpose
) -> None:
    """The wraps of two cases exchanged: neither opens, so no record is ever shown under another's pseudonym."""
    org, names = two_cases
    number = org.vault.journal_number(_of(org, org.field_1))
    org.close()
    with rows_of(org.directory) as rows:
        held = rows.run("SELECT seq, bytes FROM wrap WHERE journal=? AND purpose=? ORDER BY seq", number, purpose.value)
        for (seq, _), (_, raw) in zip(held, reversed(held), strict=True):
            rows.run("UPDATE wrap SET bytes=? WHERE journal=? AND purpose=? AND seq=?", raw, number, purpose.value, seq)
    org.reopen()
    before = org.size(org.field_1)
    with pytest.raises((IntegrityError, OpenFailed)) as caught:
        reveal(org.vault, org.field_1, names[0], "why")
    assert caught.value.code == 20
    assert all(item.name != purpose.value for item in _opened(org, org.field_1) if item.what == "wrap")
    assert org.size(org.field_1) - before <= 1, "at most the reveal entry itself"


def test_a_case_wrap_does_not_pass_for_an_identity_wrap(two_cases: tuple[Organisation, list[str]]) -> None:
    """The wrap of a case's case key in the identity wrap's place: the reveal fails instead of using the wrong key."""
    org, names = two_cases
    number = org.vault.journal_number(_of(org, org.field_1))
    org.close()
    with rows_of(org.directory) as rows:
        raw = rows.run("SELECT bytes FROM wrap WHERE journal=? AND purpose='case' AND seq=1", number)
        rows.run("UPDATE wrap SET bytes=? WHERE journal=? AND purpose='identity' AND seq=1", raw[0][0], number)
    org.reopen()
    with pytest.raises((IntegrityError, OpenFailed)):
        reveal(org.vault, org.field_1, names[0], "why")


def test_swapped_headers_do_not_join_two_cases(two_cases: tuple[Organisation, list[str]]) -> None:
    """Locators exchanged by somebody with the compartment key: no entry is shown under the other case's name."""
    org, names = two_cases
    _swap_headers(org)
    for name, other in zip(names, reversed(names), strict=True):
        with pytest.raises(IntegrityError) as caught:
            show_case(org.vault, org.field_1, name)
        assert other not in str(caught.value)
    assert org.audit().verdict == "finding"


def _swap_headers(org: Organisation) -> None:
    """Gives the two journey parts (entries 3 and 4) the locator of the other's case, right for their place."""
    key, work = org.field_1.compartment.locator_key(), org.work(org.field_1)
    cases = [case.case_id for case in work.cases.values()]
    org.close()
    with rows_of(org.directory) as rows:
        sql = "SELECT seq, bytes FROM part WHERE journal=? AND seq IN (3, 4) AND layer='case' ORDER BY seq"
        for (seq, raw), case_id in zip(rows.run(sql, work.journal), reversed(cases), strict=True):
            header = mask_locator(key, b"s" * LOCATOR_SALT, seq, "case", case_id)
            assert unmask_locator(key, seq, "case", header) == case_id[:LOCATOR_ID]
            moved = parts.join(header, parts.split(raw)[1])
            rows.run("UPDATE part SET bytes=? WHERE journal=? AND seq=? AND layer='case'", moved, work.journal, seq)
    org.reopen()


def _damage(org: Organisation, sql: str, place: int | None) -> None:
    """Changes one bit of the case part that `sql` chooses, or deletes it."""
    number = org.vault.journal_number(_of(org, org.field_1))
    org.close()
    with rows_of(org.directory) as rows:
        where = f"journal={number} AND layer='case' AND {sql}"
        raw = rows.run(f"SELECT bytes FROM part WHERE {where}")[0][0]  # noqa: S608
        if place is None:
            rows.run(f"DELETE FROM part WHERE {where}")  # noqa: S608
        else:
            rows.run(f"UPDATE part SET bytes=? WHERE {where}", flipped(raw, place))  # noqa: S608
    org.reopen()


@pytest.mark.parametrize(
    ("what", "place"),
    [("version", 0), ("salt", 5), ("id", 12), ("commitment", 20), ("ciphertext", 100), ("gone", None)],
)
def test_a_damaged_entry_is_not_silently_dropped(
    two_cases: tuple[Organisation, list[str]], what: str, place: int | None
) -> None:
    """One changed bit anywhere in a case part, or the part gone without an erasure: `case show` names the entry
    instead of showing a shorter case; nothing is written by looking, and the audit finds it."""
    org, names = two_cases
    before = org.heads()
    assert len(show_case(org.vault, org.field_1, names[0]).entries) == 2, "negative control"
    _damage(org, "seq=3", place)
    with pytest.raises(VaultError, match="3") as caught:
        show_case(org.vault, org.field_1, names[0])
    assert caught.value.code in (13, 20)
    assert org.heads() == before
    assert org.audit().verdict == "finding"


@pytest.mark.parametrize("place", [0, 5, 12, 100, None])
def test_one_damaged_entry_does_not_hide_the_others(
    two_cases: tuple[Organisation, list[str]], place: int | None
) -> None:
    """Who asks for the numbers of damaged entries gets them with everything that is whole; who does not is told by an
    error. The recorder can still write."""
    org, names = two_cases
    _damage(org, "seq=3", place)
    told: list[int | str] = []
    assert [line.pseudonym for line in list_cases(org.vault, org.field_1, damaged=told)] == names
    assert len(show_case(org.vault, org.field_1, names[1], damaged=told).entries) == 2
    assert len(show_case(org.vault, org.field_1, names[0], damaged=told).entries) == 1
    assert [line.pseudonym for line in find_cases(org.vault, org.field_1, "note", damaged=told)] == names
    assert set(told) == {3}
    assert len(told) >= 3, "the whole case need not mention an entry that is known to be another's"
    for attempt in (
        lambda: list_cases(org.vault, org.field_1),
        lambda: find_cases(org.vault, org.field_1, "note"),
        lambda: show_case(org.vault, org.field_1, names[0]),
    ):
        with pytest.raises(IntegrityError, match="entry 3"):
            attempt()
    assert org.add(org.field_1, "journey", names[1], event="arrival") == 5


def test_a_damaged_case_wrap_takes_its_own_case_only(two_cases: tuple[Organisation, list[str]]) -> None:
    """The wrap of one case no longer opens: its entries are named, the other case is read as before."""
    org, names = two_cases
    number = org.vault.journal_number(_of(org, org.field_1))
    org.close()
    with rows_of(org.directory) as rows:
        raw = rows.run("SELECT bytes FROM wrap WHERE journal=? AND purpose='case' AND seq=1", number)[0][0]
        rows.run("UPDATE wrap SET bytes=? WHERE journal=? AND purpose='case' AND seq=1", flipped(raw), number)
    org.reopen()
    told: list[int | str] = []
    assert [line.pseudonym for line in list_cases(org.vault, org.field_1, damaged=told)] == [names[1]]
    assert told == [1, 3]
    with pytest.raises(IntegrityError, match="entry 1"):
        show_case(org.vault, org.field_1, names[0])
