"""Grants: who is given which key, when, and that the auditor sees that it was given."""

from __future__ import annotations

import pytest

from tests.organisation import Organisation, flipped, rows_of, select
from vault.errors import OpenFailed
from vault.formats.leaf import parse_leaf, wrap_refs
from vault.formats.wraps import case_context, member_context
from vault.model import KeyId, Kind, Origin, Purpose, Role
from vault.primitives import hpke
from vault.services.audit import verify_vault
from vault.services.grants import director_wraps, pending
from vault.services.keyring import Keyring
from vault.services.records import open_case


def _grants(org: Organisation, me: Keyring) -> list[list[tuple[Purpose, KeyId]]]:
    """The wraps of every grant entry in a recorder's journal."""
    number = org.vault.journal_number(org.vault.signer(me).origin)
    leaves = [parse_leaf(raw) for raw in org.vault.store.leaves(number)]
    return [[(ref.purpose, ref.recipient) for ref in wrap_refs(leaf)] for leaf in leaves if leaf.kind is Kind.GRANT]


def test_a_journal_begins_with_recovery_and_the_directors(org: Organisation) -> None:
    """Compartment and tally key to recovery, the tally key to every director who is there; nothing to others."""
    director, recovery = org.director.member.key_id, org.vault.roster.recovery_id
    first = [(Purpose.COMPARTMENT, recovery), (Purpose.TALLY, recovery), (Purpose.TALLY, director)]
    assert _grants(org, org.field_1) == [first]


def test_a_later_director_is_given_the_tally_key_with_the_next_write(org: Organisation) -> None:
    """Once, to that director alone, in an entry of its own before the record."""
    new = org.enrol("director-2", Role.DIRECTOR)
    assert len(_grants(org, org.field_1)) == 1, "the enrolment itself grants nothing"
    org.case(org.field_1)
    org.case(org.field_1)
    assert _grants(org, org.field_1)[1:] == [[(Purpose.TALLY, new.member.key_id)]]
    assert org.size(org.field_1) == 4
    assert len(_grants(org, org.field_2)) == 1, "the other recorder has not written yet"
    assert org.audit().findings == ()


def test_the_pending_grant_comes_with_every_kind_of_write(org: Organisation) -> None:
    """Import, amendment and reveal carry it too, and the number that they answer is the record's own."""
    name = org.case(org.field_1, name="Kim")
    org.enrol("director-2", Role.DIRECTOR)
    seq = org.add(org.field_1, "journey", name, event="arrival")
    assert seq == 3
    assert org.kind(org.field_1, 2) is Kind.GRANT
    org.enrol("director-3", Role.DIRECTOR)
    org.bring_in(org.field_1, {"case": "a", "type": "intake"})
    assert [org.kind(org.field_1, seq) for seq in (4, 5)] == [Kind.GRANT, Kind.RECORD]


def test_a_rehearsal_grants_nothing(org: Organisation) -> None:
    """A dry run writes no grant."""
    org.enrol("director-2", Role.DIRECTOR)
    open_case(org.vault, org.field_1, {}, dry_run=True)
    assert org.size(org.field_1) == 1
    work = org.work(org.field_1)
    assert pending(org.vault, org.field_1, work.journal)[0] == ("director-2",), "negative control: it is due"


@pytest.mark.parametrize("role", [Role.HUB, Role.AUDITOR, Role.RECORDER])
def test_others_are_given_nothing(org: Organisation, role: Role) -> None:
    """A hub, an auditor, another recorder enrolled later: no grant is due, no wrap is theirs."""
    new = org.enrol("other-2", role)
    org.case(org.field_1)
    assert len(_grants(org, org.field_1)) == 1
    assert select(org.directory, "SELECT count(*) FROM wrap WHERE recipient=?", new.member.key_id) == [(0,)]


def test_every_wrap_is_committed_to_by_its_entry(org: Organisation) -> None:
    """A wrap taken away or changed is found by the keyless audit."""
    assert org.audit().findings == ()
    for statement, code in (("DELETE FROM wrap WHERE purpose='tally' AND journal=4", "missing"), ("", "wrap")):
        copy = org.seized(code)
        with rows_of(copy) as rows:
            if statement:
                rows.run(statement)
            else:
                raw = rows.run("SELECT bytes FROM wrap WHERE purpose='compartment' AND journal=4")[0][0]
                rows.run("UPDATE wrap SET bytes=? WHERE purpose='compartment' AND journal=4", flipped(raw))
        assert code in {finding.code for finding in verify_vault(copy).findings}


def test_a_grant_opens_for_its_recipient_in_its_place_only(org: Organisation) -> None:
    """The director unwraps the tally key; with any other member, entry, journal or purpose it stays closed."""
    origin = org.vault.signer(org.field_1).origin
    number = org.vault.journal_number(origin)
    me = org.director
    ((seq, raw),) = org.vault.store.wraps_for(number, me.member.key_id, Purpose.TALLY)
    right = (org.vault.vault_id, origin, seq, Purpose.TALLY, me.member.key_id)
    assert hpke.unwrap(me.sealing_seed, raw, member_context(*right)) == org.field_1.compartment.tally_key()
    other = org.vault.signer(org.field_2).origin
    contexts = (
        member_context(right[0], other, *right[2:]),
        member_context(right[0], right[1], seq + 1, *right[3:]),
        member_context(*right[:3], Purpose.COMPARTMENT, right[4]),
        member_context(*right[:4], KeyId(b"x" * 16)),
        case_context(*right),
    )
    for context in contexts:
        with pytest.raises(OpenFailed):
            hpke.unwrap(me.sealing_seed, raw, context)
    for handle in ("field-2", "hub-1", "auditor-1", "root"):
        with pytest.raises(OpenFailed):
            hpke.unwrap(org.keys[handle].sealing_seed, raw, member_context(*right))


def test_a_director_cannot_come_back_from_the_tally_key(org: Organisation) -> None:
    """The tally key is derived: it is not the compartment key, and opens no wrap of it."""
    compartment = org.field_1.compartment
    assert compartment.tally_key() != compartment.key
    have = frozenset({org.director.member.key_id})
    origin: Origin = org.vault.signer(org.field_1).origin
    assert director_wraps(org.vault.roster, origin, compartment, have) == ()
    assert len(director_wraps(org.vault.roster, origin, compartment)) == 1, "negative control"
