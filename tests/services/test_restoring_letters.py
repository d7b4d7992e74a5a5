"""Letters of a recorder who never came back: handed on with their cases, and recorded by the successor."""

from __future__ import annotations

from tests.organisation import Organisation
from tests.services.custodians import accept_all, lose, restored
from tests.services.handing import opened_case
from tests.services.travelling import NEWER, STEP
from vault.formats.keyfile import ArmedPayload
from vault.services.cases import find_cases, show_case
from vault.services.keyring import Keyring, armed_keyring
from vault.services.records import open_case, record
from vault.services.tally_rows import read_rows


def armed(org: Organisation) -> Keyring:
    """What field-1's passphrase gives on an armed laptop."""
    payload = ArmedPayload(signing_seed=org.field_1.signing_seed, travel_seed=bytes(32))
    return armed_keyring(org.field_1.member, payload)


def test_letters_go_along_with_their_case(org: Organisation) -> None:
    """A journey that was added armed is a record of the case afterwards, and a letter that opens a case is one."""
    case = opened_case(org, org.field_1)
    me = armed(org)
    record(org.vault, me, "journey", case, {**STEP, "notes": "over the hill"})
    new = open_case(org.vault, me, NEWER).pseudonym
    record(org.vault, me, "journey", new, STEP)
    origins = [org.vault.signer(each).origin for each in (org.field_1, org.field_2)]
    before = read_rows(org.vault, org.director, origins)
    lose(org)
    done = restored(org)
    assert (done.cases, done.letters_cases, done.letters_handed, done.letters, done.damaged) == (2, 1, 3, 0, 0)
    assert set(accept_all(org, done)) == {case, new}
    shown = show_case(org.vault, org.field_2, case)
    assert [(entry.type, entry.letter != "") for entry in shown.entries] == [
        ("intake", False),
        ("journey", False),
        ("journey", True),
    ]
    assert [entry.type for entry in show_case(org.vault, org.field_2, new).entries] == ["intake", "journey"]
    assert [line.pseudonym for line in find_cases(org.vault, org.field_2, "Pak")] == [new]
    rows = read_rows(org.vault, org.director, origins)
    assert len(rows) == len(before) + 3
    assert len({row.token for row in rows}) == len({row.token for row in before}) + 1
    assert org.audit().findings == ()
