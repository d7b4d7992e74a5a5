"""Approvals: words tell a swapped request, bad keys are refused where they enter, and nobody is enrolled twice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.formats.test_request import signing_keys
from tests.organisation import Organisation, canary
from tests.services.enrolling import Laptop
from tests.vectors import fixed, requests
from vault.errors import FormatError, IntegrityError, NotAllowed, StorageError, UsageError
from vault.formats.leaf import parse_leaf, wrap_refs
from vault.formats.request import sign_request
from vault.model import Handle, Kind, PublicKeys, Purpose, Role
from vault.primitives import hpke, signing
from vault.services import files
from vault.services.enrolment import approve, read_request
from vault.services.revoking import revoke
from vault.services.sealing import OpenedBundle
from vault.services.vault import Vault
from vault.services.words import fingerprint_of, same_words

pytestmark = pytest.mark.usefixtures("quick_passphrases")


@pytest.fixture
def laptop(tmp_path: Path) -> Laptop:
    """A new one."""
    return Laptop(tmp_path)


# -- the words ---------------------------------------------------------------------------------------------------------


def test_a_swapped_request_has_other_words(org: Organisation, laptop: Laptop, tmp_path: Path) -> None:
    """A man in the middle puts a request of their own in its place, same handle and role: the program that is given
    the words refuses it, and who reads them aloud hears it."""
    ours = laptop.request()
    theirs = Laptop(tmp_path, "stranger").request()
    ours.path.write_bytes(theirs.path.read_bytes())
    request = read_request(ours.path)
    assert request.fingerprint != ours.fingerprint
    before = org.heads()
    with pytest.raises(IntegrityError, match="not the words of the request"):
        approve(org.vault, org.root, request, laptop.new_file(), fingerprint=ours.fingerprint)
    assert org.heads() == before
    assert sorted(path.name for path in laptop.stick.iterdir()) == ["file-1"]


def test_words_may_be_typed_as_people_type() -> None:
    """Capitals, commas, hyphens and line breaks do not matter; every word and their order do."""
    words = fingerprint_of(fixed.VAULT_ID)
    one, *more = words.split()
    for typed in (words, f"  {words.upper()}\n", "-".join(words.split()), f"1. {one}, {', '.join(more)}."):
        assert same_words(typed, words)
    for typed in ("", one, " ".join(more), " ".join([*more, one]), words + " " + one, words[:-1]):
        assert not same_words(typed, words)


# -- keys that nobody should enrol -------------------------------------------------------------------------------------


def test_invalid_signing_keys_are_refused_where_they_enter(laptop: Laptop) -> None:
    """All of the shared edge cases, behind a file that is whole otherwise."""
    for key in signing_keys():
        path = laptop.new_file()
        path.write_bytes(requests.signed([*requests.FIELDS[:4], key, requests.FIELDS[5]]))
        with pytest.raises(FormatError, match="signing key"):
            read_request(path)


LOW_ORDER = {
    "zero": bytes(32),
    "one": b"\x01" + bytes(31),
    "order 8": bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    "order 8, other": bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
    "p - 1": bytes.fromhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    "p": bytes.fromhex("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    "p + 1": bytes.fromhex("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
}


@pytest.mark.parametrize("name", LOW_ORDER)
def test_sealing_keys_of_low_order_are_refused_where_they_enter(laptop: Laptop, name: str) -> None:
    """Whoever signs such a key into a request: it is refused when read, and again when it would be enrolled."""
    seed = requests.SEED
    good = fixed.FIELD
    path = laptop.new_file()
    path.write_bytes(sign_request(Handle("field-9"), Role.RECORDER, good, seed))
    assert read_request(path).member.keys == good, "control"
    for bad in (good.sealing[:-32] + LOW_ORDER[name], b"\xff" * 1184 + good.sealing[-32:]):
        keys = PublicKeys(signing=good.signing, sealing=bad)
        path.write_bytes(sign_request(Handle("field-9"), Role.RECORDER, keys, seed))
        with pytest.raises(FormatError, match="sealing key"):
            read_request(path)


def test_root_signs_no_bad_key_even_if_it_was_not_read_from_a_file(org: Organisation, laptop: Laptop) -> None:
    """The check stands before root's signature too."""
    request = read_request(laptop.request().path)
    good, before = request.member.keys, org.heads()
    for keys in (
        PublicKeys(signing=bytes(32), sealing=good.sealing),
        PublicKeys(signing=good.signing, sealing=good.sealing[:-32] + bytes(32)),
    ):
        bad = replace(request, member=replace(request.member, keys=keys))
        with pytest.raises(FormatError):
            approve(org.vault, org.root, bad, laptop.new_file())
    assert org.heads() == before


# -- the approval ------------------------------------------------------------------------------------------------------


def test_an_approval_enrols_once_and_answers_as_often_as_asked(org: Organisation, laptop: Laptop) -> None:
    """One entry of root's; the second answer is as good as the first; nothing else in the vault changes."""
    requested = laptop.request()
    before = org.heads()
    first = laptop.approved(org, requested)
    heads = org.heads()
    assert (first.again, first.fingerprint) == (False, fingerprint_of(org.vault.vault_id))
    assert {origin for origin in heads if heads[origin] != before[origin]} == {org.vault.roster.origin}
    second = laptop.approved(org, requested)
    assert second.again
    assert org.heads() == heads
    last = org.vault.store.leaf(
        org.vault.journal_number(org.vault.roster.origin), heads[org.vault.roster.origin][0] - 1
    )
    assert last is not None
    leaf = parse_leaf(last)
    assert (leaf.kind, leaf.extra[:2], wrap_refs(leaf)) == (Kind.ENROL, ("field-9", "recorder"), ())
    assert org.reopen().roster.member("field-9").key_id == first.member.key_id


def test_a_director_s_approval_wraps_the_export_key(org: Organisation, laptop: Laptop) -> None:
    """To them and in their enrolment, as `member add` does."""
    laptop.answer(org, "director-9", Role.DIRECTOR)
    key_id = org.vault.roster.member("director-9").key_id
    assert len(org.vault.store.wraps_for(1, key_id, Purpose.EXPORT)) == 1


def test_the_answer_tells_a_finder_nothing(org: Organisation, laptop: Laptop) -> None:
    """No handle, vault id, public key, organisation, or note stands in clear; it opens with nobody else's key."""
    requested = laptop.request()
    raw = laptop.approved(org, requested).path.read_bytes()
    member = org.vault.roster.member("field-9")
    for found in (
        b"field-9",
        b"fieldvault/",
        str(org.vault.vault_id).encode(),
        member.keys.signing,
        member.key_id,
        org.root.organisation.encode(),
        canary("").encode()[:8],
    ):
        assert found not in raw
    for other in (org.director, org.root, org.keys["hub-1"]):
        with pytest.raises(NotAllowed), laptop.stick.joinpath("file-2").open("rb") as stream:
            OpenedBundle(stream, other.sealing_seed)


@pytest.mark.parametrize("handle", ["field-1", "hub-1", "director-1", "auditor-1"])
def test_only_root_approves(org: Organisation, laptop: Laptop, handle: str) -> None:
    """Everybody else may not, and no answer is written."""
    requested = laptop.request()
    before = org.heads()
    with pytest.raises(NotAllowed, match="takes a root"):
        approve(org.vault, org.keys[handle], read_request(requested.path), laptop.new_file())
    assert org.heads() == before


def test_a_handle_or_key_that_is_somebody_s_is_refused(org: Organisation, laptop: Laptop, tmp_path: Path) -> None:
    """The same handle with other keys or another role; the same keys, or half of them, under another handle."""
    requested = laptop.request()
    request = read_request(requested.path)
    laptop.approved(org, requested)
    before = org.heads()
    other = read_request(Laptop(tmp_path, "other").request().path)
    member = request.member
    cases = {
        "other keys": (other.member, UsageError),
        "other role": (replace(member, role=Role.HUB), UsageError),
        "other handle": (replace(member, handle=Handle("field-8")), NotAllowed),
        "half the keys": (
            replace(
                other.member,
                handle=Handle("field-8"),
                keys=PublicKeys(signing=other.member.keys.signing, sealing=member.keys.sealing),
            ),
            NotAllowed,
        ),
        "on the roster": (replace(other.member, handle=Handle("field-1")), UsageError),
    }
    for name, (bad, error) in cases.items():
        with pytest.raises(error):
            approve(org.vault, org.root, replace(request, member=bad), laptop.new_file())
        assert org.heads() == before, name


def test_who_was_revoked_is_not_approved_again(org: Organisation, laptop: Laptop) -> None:
    """The same request, after the revocation: refused, and no answer."""
    requested = laptop.request()
    laptop.approved(org, requested)
    revoke(org.vault, org.root, "field-9")
    with pytest.raises(NotAllowed, match="revoked"):
        laptop.approved(org, requested)


def test_an_answer_s_name_that_is_taken_is_said_before_root_signs(org: Organisation, laptop: Laptop) -> None:
    """Or a stick that is not there."""
    request = read_request(laptop.request().path)
    taken = laptop.new_file()
    taken.write_bytes(b"somebody's")
    before = org.heads()
    for path in (taken, laptop.home / "no" / "stick"):
        with pytest.raises(UsageError):
            approve(org.vault, org.root, request, path)
    assert org.heads() == before
    assert taken.read_bytes() == b"somebody's"


def test_a_rehearsal_enrols_nobody(org: Organisation, laptop: Laptop) -> None:
    """Everything is checked; no entry, no answer."""
    request = read_request(laptop.request().path)
    before, path = org.heads(), laptop.new_file()
    approve(org.vault, org.root, request, path, dry_run=True)
    assert org.heads() == before
    assert not path.exists()


def test_a_stick_pulled_after_the_enrolment_costs_no_second_one(
    org: Organisation, laptop: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The entry stands, the answer was not written: approving again writes it."""
    requested = laptop.request()

    def crash(*_: object, **__: object) -> None:
        raise StorageError("injected")

    with monkeypatch.context() as patch:
        patch.setattr(files, "write_new_file", crash)
        with pytest.raises(StorageError):
            laptop.approved(org, requested)
    again = laptop.approved(org, requested)
    assert again.again
    assert not laptop.join(again.path).already


def test_two_terminals_cannot_enrol_one_request_twice(org: Organisation, laptop: Laptop) -> None:
    """A second process that opened the vault earlier finds the member enrolled, and answers."""
    request = read_request(laptop.request().path)
    with Vault.open(org.directory, org.environment) as other:
        assert not approve(org.vault, org.root, request, laptop.new_file()).again
        answer = laptop.new_file()
        assert approve(other, org.root, request, answer).again
    assert not laptop.join(answer).already


def test_what_is_no_request_is_refused(laptop: Laptop) -> None:
    """A directory, a large file, a key file: one clear line each."""
    laptop.request()
    big = laptop.new_file()
    big.write_bytes(bytes(5000))
    for path, error in (
        (laptop.stick, UsageError),
        (big, UsageError),
        (laptop.directory / "keys" / "field-9.key", (FormatError, UsageError)),
        (laptop.stick / "missing", UsageError),
    ):
        with pytest.raises(error):
            read_request(path)


def test_the_largest_request_fits(tmp_path: Path) -> None:
    """The longest handle and role, with real keys."""
    seed = bytes(range(32))
    keys = PublicKeys(signing=signing.public_key(seed), sealing=hpke.public_key(seed))
    path = tmp_path / "request"
    path.write_bytes(sign_request(Handle("f" * 32), Role.RECORDER, keys, seed))
    assert read_request(path).member.handle == "f" * 32
