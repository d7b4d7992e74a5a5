"""`travel`: armed, a laptop adds letters and opens nothing; the trustee's answer gives everything back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.organisation import COST
from tests.services.travelling import SECRET, Travelling
from vault.errors import (
    NotAllowed,
    UsageError,
    WrongPassphrase,
)
from vault.services.audit import verify_vault
from vault.services.bundling import create_bundle
from vault.services.cases import list_cases, show_case
from vault.services.disarming import disarm, travel_status
from vault.services.importing import import_file
from vault.services.letters import waiting_letters
from vault.services.letters_taken import take_letters
from vault.services.repassphrase import change_passphrase
from vault.services.reveal import reveal
from vault.services.vault import unlock


def test_the_whole_way(travelling: Travelling) -> None:
    """Armed, two letters, an answer: the letters are records, the key file is as before, the audit finds nothing."""
    field = travelling.field
    made = travelling.arm()
    assert [(item.handle, item.to, item.letters) for item in travel_status(field.vault)] == [("field-1", "hub-1", 0)]
    name, _ = travelling.letters()
    assert travel_status(field.vault)[0].letters == 2
    assert verify_vault(field.directory).findings == ()
    taken = travelling.disarm(made.words)
    assert (taken.recorded, taken.cases, taken.kept, taken.renamed) == (2, 1, (), ())
    assert travel_status(field.vault) == ()
    assert waiting_letters(field.vault, travelling.me.handle) == 0
    me = unlock(field.vault, "field-1", SECRET)
    assert me == travelling.me
    lines = {line.pseudonym: line.entries for line in list_cases(field.vault, me)}
    assert lines == {travelling.case: 3, name: 1}
    shown = show_case(field.vault, me, name).entries[0].values
    assert (shown["sex"], shown["age_group"], shown["notes"]) == ("male", "60+", "tired")
    assert reveal(field.vault, me, name, "a hospital asks").values["name"] == "Pak"
    assert verify_vault(field.directory).findings == ()
    assert take_letters(field.vault, me).recorded == 0


def test_armed_nothing_is_unlocked_for_reading(travelling: Travelling) -> None:
    """The key file refuses before its passphrase is even tried, and says how to go on."""
    travelling.arm()
    for passphrase in (SECRET, "not the passphrase at all"):
        with pytest.raises(NotAllowed, match="armed for travel since 2026-03-14") as caught:
            unlock(travelling.field.vault, "field-1", passphrase)
        assert "travel disarm" in caught.value.hint
    with pytest.raises(WrongPassphrase):
        unlock(travelling.field.vault, "field-1", "not the passphrase at all", armed=True)
    with pytest.raises(UsageError):
        list_cases(travelling.field.vault, travelling.armed_ring)


def test_letters_travel_and_become_records_elsewhere_too(travelling: Travelling) -> None:
    """A bundle made armed carries them, sealed; after disarming another brings the records; nobody finds a fault."""
    travelling.arm()
    travelling.letters()
    path = travelling.fleet.stick / "armed.fvb"
    create_bundle(travelling.field.vault, travelling.armed_ring, ["hub-1"], path)
    travelling.hq.take(path, "hub-1")
    assert waiting_letters(travelling.hq.vault, travelling.me.handle) == 2
    assert verify_vault(travelling.hq.directory).findings == ()
    travelling.disarm()
    travelling.send()
    found = verify_vault(travelling.hq.directory).findings
    assert {finding.level for finding in found} <= {"notice"}
    assert verify_vault(travelling.field.directory).findings == ()


def test_an_import_becomes_letters(travelling: Travelling, tmp_path: Path) -> None:
    """A whole file, with its own labels."""
    travelling.arm()
    file = tmp_path / "import.jsonl"
    file.write_text(
        '{"case": "a", "type": "intake", "sex": "female", "age_group": "5-11", "consent_statistics": "yes"}\n'
        '{"case": "a", "type": "journey", "event": "departure", "country": "CN", "date": "2026-01"}\n'
    )
    imported = import_file(travelling.field.vault, travelling.armed_ring, file)
    assert (imported.entries, set(imported.cases)) == (2, {"a"})
    taken = travelling.disarm()
    assert (taken.recorded, taken.cases) == (2, 1)
    assert len(show_case(travelling.field.vault, travelling.me, imported.cases["a"]).entries) == 2


def test_the_passphrase_can_be_changed_armed(travelling: Travelling) -> None:
    """The deposit stays; the answer opens it under the new passphrase."""
    travelling.arm()
    new = "a passphrase of another spring"
    change_passphrase(travelling.field.vault, "field-1", SECRET, new, cost=COST)
    with pytest.raises(WrongPassphrase):
        unlock(travelling.field.vault, "field-1", SECRET, armed=True)
    assert unlock(travelling.field.vault, "field-1", new, armed=True).armed
    ring = disarm(travelling.field.vault, "field-1", new, travelling.answered(None), cost=COST)
    assert ring == travelling.me
    assert unlock(travelling.field.vault, "field-1", new) == travelling.me
