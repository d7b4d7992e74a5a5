"""`travel`: armed, a laptop adds letters and opens nothing; the trustee's answer gives everything back."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from tests.laptops import Fleet, carry
from tests.organisation import COST, Organisation, flipped, rows_of
from tests.services.custodians import accept_all, lose, restored
from tests.services.handing import opened_case
from tests.services.travelling import NEWER, SECRET, STEP, Travelling, laptop_key
from vault.errors import (
    IntegrityError,
    NotAllowed,
    SignatureInvalid,
    StorageError,
    UsageError,
    VaultLocked,
    WrongPassphrase,
)
from vault.formats import part as parts
from vault.formats.keyfile import ArmedPayload
from vault.formats.wraps import member_context
from vault.model import Kind, Layer, Purpose, Why
from vault.primitives import aead, hpke
from vault.services import files, keyring, letters_taken, records
from vault.services.arming import arm
from vault.services.audit import verify_vault
from vault.services.bundling import create_bundle
from vault.services.cases import list_cases, show_case
from vault.services.disarming import disarm, travel_status
from vault.services.erasing import approve_erasure, run_erasure
from vault.services.erasure_plan import plan_erasure
from vault.services.grants import member_wrap
from vault.services.importing import import_file
from vault.services.journal import Draft, PartDraft
from vault.services.keyring import armed_keyring
from vault.services.letters import part_key, waiting_letters
from vault.services.letters_taken import take_letters
from vault.services.records import open_case, record
from vault.services.repassphrase import change_passphrase
from vault.services.reveal import reveal
from vault.services.revoking import revoke
from vault.services.tally_rows import read_rows
from vault.services.trustee import answer_travel
from vault.services.vault import Vault, unlock


@pytest.fixture
def travelling(fleet: Fleet) -> Travelling:
    """A recorder who is about to leave."""
    return Travelling(fleet)


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


def test_a_letter_for_no_case_is_kept_and_assigned(travelling: Travelling) -> None:
    """A typo is found at disarm: the letter stays, is named, and goes where it is said to go; nothing twice."""
    travelling.arm()
    ring = travelling.armed_ring
    typo = record(travelling.field.vault, ring, "journey", "amber-heron-99", STEP)
    record(travelling.field.vault, ring, "journey", travelling.case, STEP)
    taken = travelling.disarm()
    assert taken.recorded == 1
    assert [item.name for item in taken.kept] == [f"field-1/1:{typo.seq}"]
    me = travelling.me
    assert take_letters(travelling.field.vault, me).recorded == 0
    with pytest.raises(UsageError, match="no case"):
        take_letters(travelling.field.vault, me, {str(typo.seq): "amber-heron-98"})
    with pytest.raises(UsageError, match="no letter"):
        take_letters(travelling.field.vault, me, {"1": travelling.case})
    assert take_letters(travelling.field.vault, me, {str(typo.seq): travelling.case}).recorded == 1
    assert len(show_case(travelling.field.vault, me, travelling.case).entries) == 4
    with pytest.raises(UsageError, match="pseudonym"):
        record(travelling.field.vault, ring, "journey", "Kim Yong-su", STEP)


def test_a_name_that_was_taken_is_changed_and_what_names_it_is_kept(
    travelling: Travelling, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two cases of one name: the new one gets another, and a letter that could mean either waits."""
    travelling.arm()
    monkeypatch.setattr(records, "draw_name", lambda _: travelling.case)
    ring = travelling.armed_ring
    open_case(travelling.field.vault, ring, NEWER)
    record(travelling.field.vault, ring, "journey", travelling.case, STEP)
    taken = travelling.disarm()
    ((then, now),) = taken.renamed
    assert then == travelling.case != now
    assert (taken.recorded, len(taken.kept)) == (1, 1)
    assert "two cases" in taken.kept[0].why
    assert len(list_cases(travelling.field.vault, travelling.me)) == 2


def test_a_crash_between_the_two_steps_loses_nothing(travelling: Travelling, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key file is back and the letters are not taken yet: they wait, disturb nobody, and are taken once."""
    travelling.arm()
    travelling.letters()
    ring = disarm(travelling.field.vault, "field-1", SECRET, travelling.answered(None), cost=COST)
    assert len(list_cases(travelling.field.vault, ring)) == 1

    def fails(*_: object) -> int:
        raise RuntimeError("the power fails")

    with monkeypatch.context() as patch:
        patch.setattr(letters_taken, "erase_wraps", fails)
        with pytest.raises(RuntimeError):
            take_letters(travelling.field.vault, ring)
    assert waiting_letters(travelling.field.vault, ring.handle) == 2
    assert len(list_cases(travelling.field.vault, ring)) == 1
    assert take_letters(travelling.field.vault, ring).recorded == 2
    assert len(list_cases(travelling.field.vault, ring)) == 2
    assert take_letters(travelling.field.vault, ring).recorded == 0


# -- refusals --------------------------------------------------------------------------------------------------------


def test_what_nobody_else_holds_must_be_sent_or_accepted(travelling: Travelling) -> None:
    """Refused until headquarters' word is back, or --unsent; then an import of that word does not count as unsent."""
    with pytest.raises(UsageError, match="nobody else is known to hold 3 of your entries"):
        travelling.arm(unsent=False)
    assert not travelling.request.exists()
    travelling.send()
    travelling.arm(unsent=False)
    assert travelling.field.vault.armed(travelling.me.handle) is not None


@pytest.mark.parametrize(
    ("to", "error", "message"),
    [
        ("field-1", UsageError, "somebody else"),
        ("director-1", NotAllowed, "neither"),
        ("auditor-1", NotAllowed, "neither"),
        ("root", NotAllowed, "neither"),
        ("nobody-7", UsageError, "nobody-7"),
    ],
)
def test_who_may_not_be_the_trustee(travelling: Travelling, to: str, error: type[Exception], message: str) -> None:
    """Oneself, a director, an auditor, root, somebody unknown: nothing is written."""
    before = laptop_key(travelling.field).read_bytes()
    with pytest.raises(error) as caught:
        travelling.arm(to=to)
    assert message in str(caught.value) or to == "nobody-7"
    assert laptop_key(travelling.field).read_bytes() == before
    assert not travelling.request.exists()


def test_a_trustee_on_the_same_laptop(fleet: Fleet) -> None:
    """Whoever takes the laptop would have both halves."""
    laptop = fleet.laptop("shared", "field-1", "hub-1")
    with pytest.raises(UsageError, match="is on this laptop"):
        arm(laptop.vault, laptop.key("field-1"), SECRET, "hub-1", fleet.stick / "r.fvt", unsent=True, cost=COST)


def test_a_missing_recovery_wrap(travelling: Travelling) -> None:
    """Then only this key file opens the journal: it is not armed."""
    with rows_of(travelling.field.directory) as rows:
        rows.run("DELETE FROM wrap WHERE purpose = 'compartment'")
    with pytest.raises(IntegrityError, match="recovery key"):
        travelling.arm()


def test_the_file_stays_out_of_the_vault(travelling: Travelling) -> None:
    """Inside it would be with the laptop when that is taken."""
    with pytest.raises(UsageError, match="must not lie in the vault"):
        arm(
            travelling.field.vault,
            travelling.me,
            SECRET,
            "hub-1",
            travelling.field.directory / "keys" / "request.fvt",
            unsent=True,
            cost=COST,
        )


def test_only_a_recorder_is_armed(travelling: Travelling) -> None:
    """Headquarters opens nothing anyway."""
    with pytest.raises(NotAllowed):
        arm(
            travelling.hq.vault,
            travelling.hq.key("hub-1"),
            "x" * 20,
            "field-1",
            travelling.request,
            unsent=True,
            cost=COST,
        )


def test_the_trustee_refuses(travelling: Travelling) -> None:
    """Other words, another trustee, a file that was changed, a member whom root has revoked."""
    made = travelling.arm()
    with pytest.raises(NotAllowed, match="not the words"):
        travelling.answered("academic acid acne")
    other = travelling.fleet.laptop("other", "field-2")
    with pytest.raises(NotAllowed, match='is for "hub-1"'):
        answer_travel(other.vault, other.key("field-2"), travelling.request, made.words)
    raw = travelling.request.read_bytes()
    travelling.request.write_bytes(flipped(raw, 1500))
    with pytest.raises(SignatureInvalid, match="it was changed"):
        travelling.answered(made.words)
    travelling.request.write_bytes(raw)
    travelling.answered(f"1. {made.words.upper()}")
    revoke(travelling.hq.vault, travelling.fleet.keys["root"], "field-1")
    with pytest.raises(NotAllowed, match="revoked"):
        travelling.answered(made.words)


def test_an_answer_to_another_arming(travelling: Travelling) -> None:
    """Does not open, and the laptop stays armed; so does a torn one."""
    travelling.arm()
    old = travelling.answered(None).read_bytes()
    travelling.disarm()
    travelling.request.unlink()
    travelling.arm()
    travelling.answer.write_bytes(old)
    before = laptop_key(travelling.field).read_bytes()
    with pytest.raises(NotAllowed, match="another arming"):
        disarm(travelling.field.vault, "field-1", SECRET, travelling.answer, cost=COST)
    assert laptop_key(travelling.field).read_bytes() == before
    assert travelling.disarm().kept == ()


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


def test_a_letter_that_somebody_else_sealed_is_not_recorded(travelling: Travelling) -> None:
    """Anybody can seal to a public key: what the signed leaf does not commit to is kept, and named."""
    travelling.arm()
    _, seq = travelling.letters()
    me = travelling.me
    context = member_context(
        travelling.field.vault.vault_id, travelling.field.origin(), seq, Purpose.LETTER, me.member.key_id
    )
    forged = hpke.wrap(me.member.keys.sealing, bytes(32), context)
    with rows_of(travelling.field.directory) as rows:
        rows.run("UPDATE wrap SET bytes = ? WHERE seq = ? AND recipient = ?", forged, seq, me.member.key_id)
    taken = travelling.disarm()
    assert (taken.recorded, len(taken.kept)) == (1, 1)
    assert "changed" in taken.kept[0].why


def test_an_erased_case_takes_its_letters_along(travelling: Travelling) -> None:
    """The plan names the letter too, so that headquarters deletes what it holds of it."""
    travelling.arm()
    name, last = travelling.letters()
    path = travelling.fleet.stick / "armed.fvb"
    create_bundle(travelling.field.vault, travelling.armed_ring, ["hub-1"], path)
    travelling.hq.take(path, "hub-1")
    travelling.disarm()
    plan = plan_erasure(travelling.field.vault, travelling.me, name, Why.WITHDRAWN, drop_tally=True).plan
    assert last - 1 in plan.seqs
    approval = approve_erasure(travelling.hq.vault, travelling.hq.key("hub-1"), plan)
    run_erasure(travelling.field.vault, travelling.me, name, plan, [approval])
    number = travelling.hq.vault.journal_number(travelling.field.origin())
    assert travelling.hq.vault.store.part(number, last - 1, Layer.CASE) is not None
    travelling.send()
    assert travelling.hq.vault.store.part(number, last - 1, Layer.CASE) is None
    assert verify_vault(travelling.field.directory).findings == ()


def test_totals_count_what_was_added_once_the_laptop_is_disarmed(travelling: Travelling) -> None:
    """A letter has no tally row; a director's count goes on without it, and has it afterwards."""
    director = travelling.fleet.keys["director-1"]
    origins = [travelling.field.origin()]

    def rows() -> int:
        return len(read_rows(travelling.field.vault, director, origins))

    before = rows()
    travelling.arm()
    travelling.letters()
    assert rows() == before
    travelling.disarm()
    assert rows() == before + 2


def test_a_laptop_that_is_lost_while_armed(org: Organisation) -> None:
    """Its owner's cases are handed on as ever; what was added armed stays sealed, and is counted."""
    case = opened_case(org, org.field_1)
    travelling = armed_keyring(
        org.field_1.member, ArmedPayload(signing_seed=org.field_1.signing_seed, travel_seed=bytes(32))
    )
    record(org.vault, travelling, "journey", case, STEP)
    lose(org)
    done = restored(org)
    assert (done.cases, done.damaged, done.letters) == (1, 0, 1)
    assert accept_all(org, done) == [case]


@pytest.mark.parametrize("crash", range(1, 10))
def test_a_crash_while_arming(travelling: Travelling, crash: int) -> None:
    """The process dies at each call that changes a file: not armed, or armed and the trustee's file is whole.

    There are eight such calls; the ninth is the control, in which it ends well.
    """
    key_file = laptop_key(travelling.field)
    before = key_file.read_bytes()
    travelling.field.close()
    child = os.fork()
    if child == 0:
        try:
            _die_at(crash)
            with Vault.open(travelling.field.directory, travelling.field.environment) as vault:
                arm(vault, travelling.me, SECRET, "hub-1", travelling.request, unsent=True, cost=COST)
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == (9 if crash <= 8 else 0)
    travelling.field.vault = Vault.open(travelling.field.directory, travelling.field.environment)
    if travelling.field.vault.armed(travelling.me.handle) is None:
        assert key_file.read_bytes() == before
        assert crash <= 8
        travelling.request.unlink(missing_ok=True)
        travelling.arm()
    assert travelling.disarm().kept == ()
    assert unlock(travelling.field.vault, "field-1", SECRET) == travelling.me


def _die_at(crash: int) -> None:
    """Ends this process before the given one of its calls that change a file."""
    count = 0

    def dying(real: Callable[..., object]) -> Callable[..., object]:
        def call(*given: object, **named: object) -> object:
            nonlocal count
            count += 1
            if count == crash:
                os._exit(9)
            return real(*given, **named)

        return call

    Path.replace = dying(Path.replace)  # type: ignore[method-assign, assignment]
    os.fsync, os.pwrite = dying(os.fsync), dying(os.pwrite)  # type: ignore[assignment]


def test_a_stick_that_fails_leaves_the_laptop_as_it_was(
    travelling: Travelling, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What reads back differently is no file for a trustee: it is removed, and nothing is armed."""
    before = laptop_key(travelling.field).read_bytes()
    real = files.write_new_file

    def torn(path: Path, write: Callable[[BinaryIO], None], **how: bool) -> None:
        real(path, write, **how)
        path.write_bytes(path.read_bytes()[:-1] + b"\x00")

    monkeypatch.setattr(files, "write_new_file", torn)
    with pytest.raises(StorageError, match="not what was written"):
        travelling.arm()
    assert laptop_key(travelling.field).read_bytes() == before
    assert not travelling.request.exists()


def test_a_key_file_that_changes_meanwhile_is_not_replaced(
    travelling: Travelling, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disarming that another process overtook leaves what that one made."""
    travelling.arm()
    answer = travelling.answered(None)
    real = keyring.seal_keyfile

    def meanwhile(*given: Any, **named: Any) -> bytes:  # noqa: ANN401 - stands in for any signature
        laptop_key(travelling.field).write_bytes(real(*given, **named))
        return real(*given, **named)

    monkeypatch.setattr(keyring, "seal_keyfile", meanwhile)
    with pytest.raises(VaultLocked):
        disarm(travelling.field.vault, "field-1", SECRET, answer, cost=COST)


@pytest.mark.parametrize("layer", [Layer.CASE, Layer.IDENTITY])
def test_a_letter_whose_part_was_changed_is_kept(travelling: Travelling, layer: Layer) -> None:
    """With the key of the letter one could seal another text into its place: the leaf's hash says no."""
    travelling.arm()
    _, last = travelling.letters()
    number, seq = travelling.field.vault.journal_number(travelling.field.origin()), last - 1
    me, vault = travelling.me, travelling.field.vault
    raw = vault.store.wrap(number, me.member.key_id, Purpose.LETTER, seq)
    part = vault.store.part(number, seq, layer)
    assert raw is not None
    assert part is not None
    context = member_context(vault.vault_id, travelling.field.origin(), seq, Purpose.LETTER, me.member.key_id)
    key = part_key(hpke.unwrap(me.sealing_seed, raw, context), layer)
    header = bytes(16)
    aad = parts.encode_aad(vault.vault_id, travelling.field.origin(), seq, Kind.RECORD, layer, header)
    opened = parts.unpad(aead.open_sealed(key, parts.split(part)[1], _aad_of(part, aad, header)))
    forged = parts.join(header, aead.seal(key, parts.pad(opened), aad))
    with rows_of(travelling.field.directory) as rows:
        rows.run("UPDATE part SET bytes = ? WHERE seq = ? AND layer = ?", forged, seq, layer.value)
    taken = travelling.disarm()
    assert [item.name for item in taken.kept] == [f"field-1/1:{seq}"]
    assert "changed" in taken.kept[0].why


def _aad_of(part: bytes, aad: bytes, header: bytes) -> bytes:
    """The AAD of a part with its own header in place of another."""
    return aad[: -len(header)] + parts.split(part)[0]


def test_a_letter_is_wrapped_to_nobody_else(travelling: Travelling) -> None:
    """An entry that wraps a letter to a director is found by the audit, and not taken elsewhere."""
    ring = travelling.fleet.keys["director-1"].member
    wrap = member_wrap(
        travelling.field.vault.vault_id,
        travelling.field.origin(),
        Purpose.LETTER,
        ring.key_id,
        ring.keys.sealing,
        bytes(32),
    )
    part = PartDraft(layer=Layer.CASE, key=bytes(32), payload=b"x", header=lambda _: bytes(16))
    travelling.field.write([Draft(kind=Kind.RECORD, parts=(part,), wraps=(wrap,))], "field-1")
    assert "recipient" in {finding.code for finding in verify_vault(travelling.field.directory).findings}
    path = travelling.field.bundle("hub-1", "field-1")
    arrived = travelling.hq.take(path, "hub-1")
    assert arrived.code == IntegrityError.code
    assert waiting_letters(travelling.hq.vault, travelling.me.handle) == 0


def test_an_older_bundle_brings_no_letter_back(travelling: Travelling) -> None:
    """What became a record stays one: headquarters' copy, sent back with --full, does not make it a letter again."""
    travelling.arm()
    travelling.letters()
    path = travelling.fleet.stick / "armed.fvb"
    create_bundle(travelling.field.vault, travelling.armed_ring, ["hub-1"], path)
    travelling.hq.take(path, "hub-1")
    travelling.disarm()
    carry(travelling.hq, "hub-1", travelling.field, "field-1", full=True)
    assert waiting_letters(travelling.field.vault, travelling.me.handle) == 0
    assert take_letters(travelling.field.vault, travelling.me).recorded == 0
    number = travelling.field.vault.journal_number(travelling.field.origin())
    assert travelling.field.vault.store.wraps_for(number, travelling.me.member.key_id, Purpose.LETTER) == ()
    assert verify_vault(travelling.field.directory).findings == ()
