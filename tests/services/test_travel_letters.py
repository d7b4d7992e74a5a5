"""Letters: which become records, which are kept, and what others see of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.laptops import carry
from tests.organisation import COST, Organisation, rows_of
from tests.services.custodians import accept_all, lose, restored
from tests.services.handing import opened_case
from tests.services.renewing import appointed, renew
from tests.services.travelling import NEWER, SECRET, STEP, Travelling
from vault.errors import (
    IntegrityError,
    UsageError,
)
from vault.formats import part as parts
from vault.formats.keyfile import ArmedPayload
from vault.formats.wraps import member_context
from vault.model import Kind, Layer, Purpose, Why
from vault.primitives import aead, hpke
from vault.services import letters_taken, records
from vault.services.audit import verify_vault
from vault.services.bundling import create_bundle
from vault.services.cases import list_cases, show_case
from vault.services.disarming import disarm
from vault.services.erasing import approve_erasure, run_erasure
from vault.services.erasure_plan import plan_erasure
from vault.services.erasure_status import erasure_status
from vault.services.grants import member_wrap
from vault.services.journal import Draft, PartDraft
from vault.services.keyring import armed_keyring
from vault.services.letters import part_key, waiting_letters
from vault.services.letters_taken import take_letters
from vault.services.records import open_case, record
from vault.services.renewing import check_renewable
from vault.services.tally_rows import read_rows


def test_a_letter_for_no_case_is_kept_and_assigned(travelling: Travelling) -> None:
    """A typo is found at disarm: the letter stays, is named, and goes where it is said to go; nothing twice."""
    travelling.arm()
    ring = travelling.armed_ring
    typo = record(travelling.field.vault, ring, "journey", "amber-heron-99", STEP)
    record(travelling.field.vault, ring, "journey", travelling.case, STEP)
    taken = travelling.disarm()
    assert taken.recorded == 1
    assert [item.name for item in taken.kept] == [f"field-1/1:{typo.seq}"]
    assert taken.kept[0].why == 'no case of yours is called "amber-heron-99", as this journey record says'
    me = travelling.me
    assert take_letters(travelling.field.vault, me).recorded == 0
    with pytest.raises(UsageError, match="no case"):
        take_letters(travelling.field.vault, me, {str(typo.seq): "amber-heron-98"})
    with pytest.raises(UsageError, match="no record that waits"):
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


def test_a_renewal_waits_for_letters(travelling: Travelling, tmp_path: Path) -> None:
    """The epoch that they stand in is not closed over them by mistake; once they are records, or given up, it is."""
    travelling.arm()
    travelling.letters()
    appointed(travelling.hq, tmp_path / "new")
    ring = disarm(travelling.field.vault, "field-1", SECRET, travelling.answered(None), cost=COST)
    travelling.fleet.keys["field-1"] = ring
    carry(travelling.hq, "hub-1", travelling.field, "field-1")
    with pytest.raises(UsageError, match="2 records that you added while armed"):
        renew(travelling.field)
    vault = travelling.field.vault
    assert check_renewable(vault, ring, leave_letters=True) == vault.roster.recoveries[-1]
    assert take_letters(travelling.field.vault, ring).recorded == 2
    assert renew(travelling.field).origin.endswith("/field-1/2")


def test_letters_that_became_records_are_no_erasures(travelling: Travelling) -> None:
    """The list of erasures does not tell of them; negative control: another erasure without a warrant is in it."""
    travelling.arm()
    travelling.letters()
    travelling.disarm()
    assert erasure_status(travelling.field.vault, travelling.me) == ()
    origin = travelling.field.origin()
    travelling.field.write([Draft(kind=Kind.ERASE, extra=([origin, 1],))])
    assert [(line.why, line.entries) for line in erasure_status(travelling.field.vault, travelling.me)] == [(None, 1)]


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
    """Its owner's cases are handed on as ever, and what was added armed with them."""
    case = opened_case(org, org.field_1)
    travelling = armed_keyring(
        org.field_1.member, ArmedPayload(signing_seed=org.field_1.signing_seed, travel_seed=bytes(32))
    )
    record(org.vault, travelling, "journey", case, STEP)
    lose(org)
    done = restored(org)
    assert (done.cases, done.damaged, done.letters, done.letters_handed) == (1, 0, 0, 1)
    assert accept_all(org, done) == [case]
    assert len(show_case(org.vault, org.field_2, case).entries) == 3
