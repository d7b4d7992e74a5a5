"""What enrolled members may say with true signatures: whom they wrap keys to, whose heads they quote, what they erase.

Every entry here is written through the journal's own code with a member's real key, past the services that would have
refused; the audit has no key and must find it all the same.
"""

from __future__ import annotations

import pytest

from tests.faults.building import erase
from tests.organisation import Organisation
from vault.formats.checkpoint import Checkpoint, sign_checkpoint
from vault.formats.origin import origin_of
from vault.model import Digest, Handle, KeyId, Kind, Origin, Purpose, Role
from vault.primitives import hpke
from vault.services import keyring
from vault.services.audit import INTACT_UNANCHORED
from vault.services.findings import MEMORY, NOTICE, SIGNATURES, Finding
from vault.services.grants import member_wrap
from vault.services.journal import Draft, WrapDraft, write

pytestmark = pytest.mark.usefixtures("quick_passphrases")
STRANGER = KeyId(b"nobody enrolled.")
STRANGERS_SEED = bytes(range(32))
ROOT_HASH = Digest(b"r" * 32)


def _append(org: Organisation, writer: str, draft: Draft) -> int:
    """An entry with a member's true signature; its number."""
    signer, store = org.vault.signer(org.keys[writer]), org.vault.store
    with store.transaction():
        return write(store, org.vault.journal_number(signer.origin), signer, org.vault.day, [draft])


def _findings(org: Organisation) -> tuple[Finding, ...]:
    return org.audit().findings


def _codes(org: Organisation) -> list[tuple[str, str]]:
    return [(finding.level, finding.code) for finding in _findings(org)]


# -- whom keys are wrapped to ------------------------------------------------------------------------------------------


def _recipient(org: Organisation, name: str) -> tuple[KeyId, bytes]:
    """The id and the public sealing key of a member, of recovery, or of somebody whom nobody enrolled."""
    if name == "stranger":
        return STRANGER, hpke.public_key(STRANGERS_SEED)
    if name == "recovery":
        return org.vault.roster.recovery_id, org.vault.roster.recovery
    member = org.keys[name].member
    return member.key_id, member.keys.sealing


def _wrap(org: Organisation, writer: str, purpose: Purpose, name: str) -> WrapDraft:
    recipient, sealing = _recipient(org, name)
    origin = org.vault.signer(org.keys[writer]).origin
    return member_wrap(org.vault.vault_id, origin, purpose, recipient, sealing, bytes(32))


def _enrolment(org: Organisation, handle: str, role: Role, *wraps: WrapDraft) -> Draft:
    keys = keyring.public_keys(keyring.new_payload(org.environment, "Test house", role))
    return Draft(kind=Kind.ENROL, extra=(handle, role.value, keys.signing, keys.sealing), wraps=wraps)


@pytest.mark.parametrize("name", ["stranger", "hub-1", "field-2", "auditor-1", "root"])
@pytest.mark.parametrize("purpose", [Purpose.TALLY, Purpose.COMPARTMENT])
def test_a_recorders_key_for_whom_it_is_not(org: Organisation, purpose: Purpose, name: str) -> None:
    """A tally or compartment key wrapped to nobody on the roster, or to a member whose role has none, is a finding at
    that entry."""
    assert _findings(org) == (), "negative control: the grants that every journal begins with"
    seq = _append(org, "field-1", Draft(kind=Kind.GRANT, wraps=(_wrap(org, "field-1", purpose, name),)))
    (found,) = _findings(org)
    assert (found.level, found.code) == (SIGNATURES, "recipient")
    assert found.where == f"{org.vault.signer(org.field_1).origin}:{seq}"
    assert purpose.value in found.message


@pytest.mark.parametrize(
    ("purpose", "name", "fits"),
    [
        (Purpose.TALLY, "director-1", True),
        (Purpose.TALLY, "recovery", True),
        (Purpose.COMPARTMENT, "recovery", True),
        (Purpose.COMPARTMENT, "director-1", False),
        (Purpose.EXPORT, "director-1", False),
        (Purpose.EXPORT, "recovery", False),
    ],
)
def test_what_a_recorder_may_grant(org: Organisation, purpose: Purpose, name: str, fits: bool) -> None:
    """Tallies to directors and recovery, the compartment to recovery alone; the rounding key is not theirs to give."""
    _append(org, "field-1", Draft(kind=Kind.GRANT, wraps=(_wrap(org, "field-1", purpose, name),)))
    assert _codes(org) == ([] if fits else [(SIGNATURES, "recipient")])


def test_one_wrong_wrap_among_honest_ones(org: Organisation) -> None:
    """Each wrap of a grant is looked at: two honest ones do not cover for the third."""
    honest = [_wrap(org, "field-1", Purpose.TALLY, name) for name in ("recovery", "director-1")]
    _append(org, "field-1", Draft(kind=Kind.GRANT, wraps=tuple(honest)))
    assert _findings(org) == (), "negative control"
    _append(org, "field-1", Draft(kind=Kind.GRANT, wraps=(*honest, _wrap(org, "field-1", Purpose.TALLY, "stranger"))))
    assert _codes(org) == [(SIGNATURES, "recipient")]


@pytest.mark.parametrize(("name", "fits"), [("director-1", True), ("stranger", False), ("hub-1", False)])
def test_whom_root_gives_the_rounding_key(org: Organisation, name: str, fits: bool) -> None:
    """An enrolment that carries the export key to somebody who is no director is a finding."""
    _append(org, "root", _enrolment(org, "hub-2", Role.HUB, _wrap(org, "root", Purpose.EXPORT, name)))
    codes = _codes(org)
    assert ((SIGNATURES, "recipient") in codes) is not fits
    assert (NOTICE, "not-here") in codes, "the enrolment is read: nothing of its member is here"


def test_an_honest_late_director_is_no_finding(org: Organisation) -> None:
    """Negative control, through the services: enrolment with the export key, and the recorder's next write."""
    org.enrol("director-2", Role.DIRECTOR)
    org.case(org.field_1)
    assert _findings(org) == ()


# -- whose heads are quoted --------------------------------------------------------------------------------------------


def _genuine(org: Organisation, handle: str) -> bytes:
    """The newest checkpoint of a member's journal, as it is stored."""
    number = org.vault.journal_number(org.vault.signer(org.keys[handle]).origin)
    note = org.vault.store.latest_checkpoint(number)
    assert note is not None
    return note


def _head(org: Organisation, handle: str, seed: bytes) -> bytes:
    """A well-formed head of a journal of `handle`, signed with `seed`."""
    origin = origin_of(org.vault.vault_id, Handle(handle), 1)
    return sign_checkpoint(Checkpoint(origin=origin, size=7, root=ROOT_HASH), seed)


def _bad_head(org: Organisation, what: str) -> bytes:
    return {
        "no note": b"not a note",
        "a note cut short": _genuine(org, "field-1")[:-1],
        "a head of nobody's": _head(org, "field-99", STRANGERS_SEED),
        "a head that a stranger signed": _head(org, "field-1", STRANGERS_SEED),
        "a head that another member signed": _head(org, "field-1", org.field_2.signing_seed),
    }[what]


BAD_HEADS = {
    "no note": "FormatError",
    "a note cut short": "FormatError",
    "a head of nobody's": "SignatureInvalid",
    "a head that a stranger signed": "SignatureInvalid",
    "a head that another member signed": "SignatureInvalid",
}


@pytest.mark.parametrize("kind", [Kind.HEAD_SEEN, Kind.RECOVERY])
@pytest.mark.parametrize("what", BAD_HEADS)
def test_a_head_that_nobody_signed(org: Organisation, what: str, kind: Kind) -> None:
    """A quoted note that cannot be read, of a handle that is not enrolled, or under another key: a finding at the
    entry that quotes it."""
    seq = _append(org, "hub-1", Draft(kind=kind, extra=(_bad_head(org, what),)))
    (found,) = _findings(org)
    assert (found.level, found.code) == (SIGNATURES, BAD_HEADS[what])
    assert found.where == f"{org.vault.signer(org.keys['hub-1']).origin}:{seq}"


@pytest.mark.parametrize("kind", [Kind.HEAD_SEEN, Kind.RECOVERY])
def test_a_members_true_head_is_no_finding(org: Organisation, kind: Kind) -> None:
    """Negative control: checkpoints that members of every role signed, quoted by the hub."""
    for handle in ("root", "field-1", "director-1", "auditor-1"):
        _append(org, "hub-1", Draft(kind=kind, extra=(_genuine(org, handle),)))
    report = org.audit()
    assert (report.verdict, report.findings) == (INTACT_UNANCHORED, ())


def test_a_recovery_without_a_head_before_it(org: Organisation) -> None:
    """Empty bytes say that nothing was cosigned before: for a recovery that is allowed, a bad note is not."""
    _append(org, "hub-1", Draft(kind=Kind.RECOVERY, extra=(b"",)))
    assert _findings(org) == (), "negative control"
    _append(org, "hub-1", Draft(kind=Kind.RECOVERY, extra=(b"\n",)))
    assert _codes(org) == [(SIGNATURES, "FormatError")]


def test_a_head_seen_that_quotes_nothing(org: Organisation) -> None:
    """Empty bytes are for a recovery alone: whoever says that they saw a head must show it."""
    assert _findings(org) == (), "negative control"
    _append(org, "hub-1", Draft(kind=Kind.HEAD_SEEN, extra=(b"",)))
    assert _codes(org) == [(SIGNATURES, "FormatError")]


@pytest.mark.parametrize(
    ("more", "root", "code"),
    [(0, None, None), (0, ROOT_HASH, "fork"), (900, ROOT_HASH, "rollback")],
    ids=["what is here", "another root at this size", "more than is here"],
)
def test_a_head_that_somebody_saw_must_still_hold(
    org: Organisation, more: int, root: Digest | None, code: str | None
) -> None:
    """A head that field-1 truly signed and the hub quotes: beyond what is here it is a rollback, at the same size with
    another root a fork; control: the head that is here."""
    origin = org.vault.signer(org.field_1).origin
    size, held = org.heads()[origin]
    head = Checkpoint(origin=origin, size=size + more, root=root or Digest(held))
    note = sign_checkpoint(head, org.field_1.signing_seed)
    _append(org, "hub-1", Draft(kind=Kind.HEAD_SEEN, extra=(note,)))
    assert _codes(org) == ([] if code is None else [(MEMORY, code)])


def test_a_head_of_another_vault_is_nobodys(org: Organisation) -> None:
    """The key of a member of ours over an origin of another vault says nothing about ours."""
    origin = Origin(f"fieldvault/{'f' * 32}/field-1/1")
    note = sign_checkpoint(Checkpoint(origin=origin, size=7, root=ROOT_HASH), org.field_1.signing_seed)
    _append(org, "hub-1", Draft(kind=Kind.HEAD_SEEN, extra=(note,)))
    assert _codes(org) == [(SIGNATURES, "SignatureInvalid")]


# -- what may be erased ------------------------------------------------------------------------------------------------


def test_a_tombstone_does_not_take_a_grant_away(org: Organisation) -> None:
    """The wraps that a journal owes to directors and recovery stay: erased, each is missing although an entry says
    so."""
    erase(org.vault, org.field_1, [0])
    findings = _findings(org)
    assert {finding.code for finding in findings} == {"missing"}
    assert {finding.where for finding in findings} == {f"{org.vault.signer(org.field_1).origin}:0"}
    assert sum("tally wrap" in finding.message for finding in findings) == 2
    assert sum("compartment wrap" in finding.message for finding in findings) == 1


def test_a_tombstone_takes_a_persons_record_away(org: Organisation) -> None:
    """Negative control: the same erasure of a case, its parts and its wraps, is none."""
    name = org.case(org.field_1, name="Somebody", consent_statistics="yes")
    erase(org.vault, org.field_1, [1, org.add(org.field_1, "journey", name, event="arrival")])
    assert _findings(org) == ()


# -- what is remembered ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("more", "expected"), [(0, []), (1, [(MEMORY, "rollback")])])
def test_root_attested_more_than_is_here(org: Organisation, more: int, expected: list[tuple[str, str]]) -> None:
    """A revocation names the size that root saw: with fewer entries here, something was put back."""
    org.case(org.field_1)
    origin = org.vault.signer(org.field_1).origin
    size = org.size(org.field_1) + more
    _append(org, "root", Draft(kind=Kind.REVOKE, extra=("field-1", [[origin, size]])))
    assert _codes(org) == expected
    assert all(finding.where == origin for finding in _findings(org))


@pytest.mark.parametrize(("size", "expected"), [(0, []), (3, [(MEMORY, "journal-gone")])])
def test_root_attested_a_journal_that_is_not_here(
    org: Organisation, size: int, expected: list[tuple[str, str]]
) -> None:
    """A revocation that names entries of a second epoch which nobody can show; none of them is nothing missing."""
    first = org.vault.signer(org.field_1).origin
    second = Origin(first.removesuffix("/1") + "/2")
    sizes = [[first, org.size(org.field_1)], [second, size]]
    _append(org, "root", Draft(kind=Kind.REVOKE, extra=("field-1", sizes)))
    assert _codes(org) == expected
    assert all(finding.where == second for finding in _findings(org))


def test_a_member_without_a_journal(org: Organisation) -> None:
    """Enrolled by root's true signature, on another laptop, and nothing of theirs has come here: the audit tells."""
    _append(org, "root", _enrolment(org, "hub-2", Role.HUB))
    (found,) = _findings(org)
    assert (found.level, found.code) == (NOTICE, "not-here")
    assert '"hub-2"' in found.message


def test_a_member_with_a_journal_is_no_finding(org: Organisation) -> None:
    """Negative control: enrolled through the services, the journal begins with the enrolment."""
    org.enrol("hub-2", Role.HUB)
    assert _findings(org) == ()
