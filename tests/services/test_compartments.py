"""Compartments, with real keys and through the library: the command line's own checks are not in the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.organisation import (
    PASSPHRASES,
    THRESHOLD,
    Opened,
    Organisation,
    Thief,
    flipped,
    recovery_seed,
    select,
)
from vault.errors import IntegrityError, NotAllowed, VaultError, WrongPassphrase
from vault.formats.keyfile import KeyPayload
from vault.model import Layer, Origin, Role
from vault.services.cases import find_cases, list_cases, show_case
from vault.services.importing import import_file
from vault.services.keyring import Keyring, public_keys
from vault.services.members import add_member
from vault.services.records import amend, close_case, open_case, record
from vault.services.reveal import reveal
from vault.services.roster import new_member
from vault.services.totals import export_table
from vault.services.vault import unlock

HELD = ("root", "hub-1", "auditor-1")


@pytest.fixture
def recorded(org: Organisation) -> Organisation:
    """Two recorders, each with cases of every kind of entry."""
    for me in (org.field_1, org.field_2):
        first = org.case(me, name="Kim Min-su", birth_date="1990", notes="on the way", consent_statistics="yes")
        org.add(me, "journey", first, event="departure", date="2019-03-05", country="CN", notes="by night")
        org.add(me, "shelter", first, check_in="2019-03-06", check_out="2019-03-09", country="CN")
        seq = org.add(me, "outcome", first, status="reached_freedom", date="2019-05", destination="KR")
        amend(org.vault, me, str(seq), {"pathway": "refugee"})
        reveal(org.vault, me, first, "asked by the family")
        org.case(me, name="Lee Ji-won", sex="female", party="night train")
    return org


def _opened(org: Organisation, *keyrings: Keyring, seeds: tuple[bytes, ...] = ()) -> list[Opened]:
    return Thief(org.directory, keyrings, seeds).opened()


def _of(org: Organisation, me: Keyring) -> Origin:
    return org.vault.signer(me).origin


def _held(org: Organisation, table: str, me: Keyring) -> int:
    number = org.vault.journal_number(_of(org, me))
    counted: int = select(org.directory, f"SELECT count(*) FROM {table} WHERE journal = ?", number)[0][0]  # noqa: S608
    return counted


def test_a_recorders_keys_open_all_of_their_own(recorded: Organisation) -> None:
    """Negative control for the thief: with field-1's keys, every part and every case wrap of field-1 opens."""
    opened = _opened(recorded, recorded.field_1)
    own = _of(recorded, recorded.field_1)
    assert {item.origin for item in opened} == {own}
    kinds = Counter((item.what, item.name) for item in opened)
    assert sum(count for (what, _), count in kinds.items() if what == "part") == _held(
        recorded, "part", recorded.field_1
    )
    assert kinds["wrap", "case"] == kinds["wrap", "identity"] == 2
    assert any(b"Kim Min-su" in item.payload for item in opened if item.name == "identity")


def test_a_recorders_keys_open_nothing_of_another(recorded: Organisation) -> None:
    """Every key that field-2 holds, tried on every wrap and part of field-1, opens none of them."""
    opened = _opened(recorded, recorded.field_2)
    assert opened
    assert {item.origin for item in opened} == {_of(recorded, recorded.field_2)}


def test_a_directors_keys_open_tally_parts_only(recorded: Organisation) -> None:
    """A director opens the tally wraps and the export key that are theirs, every tally part, and no other part."""
    opened = _opened(recorded, recorded.director)
    assert {(item.what, item.name) for item in opened} == {("wrap", "tally"), ("wrap", "export"), ("part", "tally")}
    held = select(recorded.directory, "SELECT count(*) FROM part WHERE layer = 'tally'")[0][0]
    assert sum(item.what == "part" for item in opened) == held > 0


def test_tally_parts_hold_codes_numbers_and_tokens_only(recorded: Organisation) -> None:
    """What a director could ever read: tally variables of the codebook, its codes, quarters, numbers, tokens."""
    codebook = recorded.vault.codebook
    tallies = [item.tally for item in _opened(recorded, recorded.director) if item.what == "part"]
    for tally in tallies:
        kind = codebook.types[tally.type]
        assert len(tally.token) == 16
        for name, value in tally.values.items():
            variable = kind.variable(name)
            assert variable.layer is Layer.TALLY
            if isinstance(value, bytes):
                assert name == "party"
                assert len(value) == 16
            elif isinstance(value, str):
                periods = {"unknown", "2019-Q1", "2019-Q2"}
                assert value in ({code.code for code in variable.codes} or periods)
    assert len({tally.token for tally in tallies}) == 4, "two people of each recorder"


@pytest.mark.parametrize("handle", HELD)
def test_root_hub_and_auditor_open_nothing(recorded: Organisation, handle: str) -> None:
    """The keys of root, hub and auditor open not one wrap and not one part."""
    assert _opened(recorded, recorded.keys[handle]) == []


def test_all_of_them_together_open_no_more_than_each(recorded: Organisation) -> None:
    """Root, hub, auditor and field-2 pool their keys: still nothing of field-1 opens."""
    opened = _opened(recorded, *(recorded.keys[handle] for handle in (*HELD, "field-2")))
    assert {item.origin for item in opened} == {_of(recorded, recorded.field_2)}


def test_enough_shares_open_the_compartments(recorded: Organisation) -> None:
    """A quorum of custodians opens every recorder's compartment wrap, and through it every part."""
    opened: list[Opened] = []
    words = recorded.share_words()
    for first, second in ((0, 1), (0, 2), (1, 2)):
        opened = _opened(recorded, seeds=(recovery_seed([words[first], words[second]]),))
        compartments = {item.payload for item in opened if item.name == "compartment"}
        assert compartments == {recorded.field_1.compartment.key, recorded.field_2.compartment.key}
    total = select(recorded.directory, "SELECT count(*) FROM part")[0][0]
    assert sum(item.what == "part" for item in opened) == total


def test_fewer_shares_open_nothing(recorded: Organisation) -> None:
    """One share below the quorum does not combine, alone or given twice."""
    for words in recorded.share_words():
        for given in ([words] * (THRESHOLD - 1), [words] * THRESHOLD):
            with pytest.raises(WrongPassphrase):
                recovery_seed(given)


def test_an_unrelated_seed_opens_nothing(recorded: Organisation) -> None:
    """Negative control for the quorum: another 32 bytes in place of the recovery seed open nothing."""
    right = recovery_seed(recorded.share_words()[:THRESHOLD])
    assert _opened(recorded, seeds=(flipped(right),)) == []


# -- through the services ----------------------------------------------------------------------------------------------


def test_another_recorder_finds_and_shows_nothing(recorded: Organisation) -> None:
    """field-2 asks for field-1's case by its pseudonym, in every service: there is no such case for them."""
    theirs = {line.pseudonym for line in list_cases(recorded.vault, recorded.field_1)}
    vault, me = recorded.vault, recorded.field_2
    assert theirs.isdisjoint(line.pseudonym for line in list_cases(vault, me))
    before = recorded.heads()
    for pseudonym in theirs:
        assert find_cases(vault, me, pseudonym) == ()
        for attempt in (
            lambda name: show_case(vault, me, name),
            lambda name: reveal(vault, me, name, "curious"),
            lambda name: close_case(vault, me, name),
            lambda name: record(vault, me, "journey", name, {"event": "arrival"}),
        ):
            with pytest.raises(VaultError, match="can open no case") as caught:
                attempt(pseudonym)
            assert caught.value.code == 2
    assert recorded.heads() == before
    for pseudonym in theirs:
        assert show_case(vault, recorded.field_1, pseudonym).entries, "negative control: the owner reads it"


def _recording(org: Organisation) -> dict[str, Callable[[Keyring], object]]:
    vault, path = org.vault, org.lines({"case": "a", "type": "intake"})
    return {
        "open": lambda me: open_case(vault, me, {}),
        "record": lambda me: record(vault, me, "intake", None, {}),
        "amend": lambda me: amend(vault, me, "1", {"notes": "x"}),
        "list": lambda me: list_cases(vault, me),
        "find": lambda me: find_cases(vault, me, "x"),
        "show": lambda me: show_case(vault, me, "amber-heron-41"),
        "reveal": lambda me: reveal(vault, me, "amber-heron-41", "why"),
        "close": lambda me: close_case(vault, me, "amber-heron-41"),
        "import": lambda me: import_file(vault, me, path),
    }


@pytest.mark.parametrize("handle", [*HELD, "director-1"])
def test_only_recorders_record_and_read(org: Organisation, handle: str) -> None:
    """Whoever is no recorder is refused by every service that touches cases, and nothing is written."""
    before = org.heads()
    for name, attempt in _recording(org).items():
        with pytest.raises(NotAllowed) as caught:
            attempt(org.keys[handle])
        assert caught.value.code == 31, name
    assert org.heads() == before


@pytest.mark.parametrize("handle", [*HELD, "field-1"])
def test_only_directors_export(org: Organisation, handle: str) -> None:
    """Whoever is no director is refused totals."""
    with pytest.raises(NotAllowed):
        export_table(org.vault, org.keys[handle], "all_years")


@pytest.mark.parametrize("handle", ["hub-1", "field-1", "director-1", "auditor-1"])
def test_only_root_enrols(org: Organisation, handle: str) -> None:
    """Whoever is not root enrols nobody, and no key file appears."""
    with pytest.raises(NotAllowed):
        add_member(
            org.vault, org.keys[handle], handle="field-9", role=Role.RECORDER, passphrase="long enough to be one"
        )
    assert not (org.directory / "keys" / "field-9.key").exists()


def test_the_keys_of_another_vault_write_nothing(org: Organisation) -> None:
    """A keyring with the same handle from another organisation: the journal's checkpoint is not its own."""
    strange = KeyPayload(organisation="", signing_seed=b"s" * 32, sealing_seed=b"h" * 32)
    member = new_member(org.field_1.handle, Role.RECORDER, public_keys(strange))
    stranger = replace(org.field_1, member=member, signing_seed=strange.signing_seed)
    before = org.heads()
    with pytest.raises(IntegrityError):
        open_case(org.vault, stranger, {})
    assert org.heads() == before
    assert open_case(org.vault, org.field_1, {}).seq == 1, "negative control: the right keys do"


def test_unlocking_with_another_members_key_file_fails(org: Organisation) -> None:
    """field-2's key file under field-1's name does not open as field-1's, whichever passphrase is given."""
    keys = org.directory / "keys"
    (keys / "field-1.key").write_bytes((keys / "field-2.key").read_bytes())
    for handle in ("field-1", "field-2"):
        with pytest.raises(WrongPassphrase):
            unlock(org.vault, "field-1", PASSPHRASES[handle])
