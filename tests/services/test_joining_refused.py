"""Answers that are not what they should be: refused with one clear line, and nothing is left behind."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.organisation import COST, Organisation, canary, flipped
from tests.services.enrolling import PASSPHRASE, Laptop, refused
from vault.errors import (
    IntegrityError,
    NotAllowed,
    NoVault,
    UsageError,
    VaultError,
    WrongPassphrase,
)
from vault.formats.bundle import CodebookItem, HeadsItem, Item, JournalItem, LeavesItem, Opening, WrapsItem
from vault.model import Handle, Origin, Purpose, Role, VaultId
from vault.services import enrolment, welcome
from vault.services.enrolment import approve, read_request
from vault.services.found import found
from vault.services.joining import join, joinable
from vault.services.revoking import revoke
from vault.services.sealing import seal_bundle
from vault.services.vault import Vault, unlock
from vault.services.words import fingerprint_of

pytestmark = pytest.mark.usefixtures("quick_passphrases")


@pytest.fixture
def laptop(tmp_path: Path) -> Laptop:
    """A new one."""
    return Laptop(tmp_path)


def test_an_answer_for_another_member_is_refused(org: Organisation, laptop: Laptop, tmp_path: Path) -> None:
    """It is sealed to other keys."""
    other = Laptop(tmp_path, "other").answer(org, "field-8")
    laptop.request()
    refused(laptop, other, NotAllowed, "not for the key")


def test_an_answer_to_an_earlier_request_is_refused(org: Organisation, laptop: Laptop) -> None:
    """`--replace` made new keys since."""
    answer = laptop.answer(org)
    laptop.request(replace=True)
    refused(laptop, answer, NotAllowed, "not for the key")


def test_one_who_answers_with_a_vault_of_their_own_has_other_words(
    org: Organisation, laptop: Laptop, tmp_path: Path
) -> None:
    """A man in the middle founds a vault and enrols the very request: all is well signed, and the words differ."""
    requested = laptop.request()
    theirs = tmp_path / "theirs"
    passphrase = canary("a stranger's passphrase")
    found(theirs, org="Same Name", passphrase=passphrase, threshold=2, shares=2, shares_dir=tmp_path / "x", cost=COST)
    with Vault.open(theirs) as vault:
        answer = laptop.new_file()
        approve(vault, unlock(vault, "root", passphrase), read_request(requested.path), answer)
    right = fingerprint_of(org.vault.vault_id)
    refused(laptop, answer, IntegrityError, "not the words of the vault", fingerprint=right)
    shown = laptop.join(answer, dry_run=True).fingerprint
    assert shown != right, "and who compares by voice hears it"
    laptop.join(laptop.approved(org, requested).path, fingerprint=f" {right.upper().replace(' ', ', ')}. ")
    refused(laptop, answer, IntegrityError, "another vault")


def test_every_damage_of_an_answer_is_refused(org: Organisation, laptop: Laptop) -> None:
    """Cut anywhere, a bit flipped anywhere, bytes behind: refused, and nothing left behind."""
    raw = laptop.answer(org).read_bytes()
    changed = [raw[:length] for length in (0, 1, 30, 2_000, 5_000, len(raw) - 1)]
    changed += [flipped(raw, place) for place in (3, 21, 1_000, 4_700, 4_750, 6_000, len(raw) // 2, len(raw) - 1)]
    changed += [raw + b"\0", b"SQLite format 3\0" + raw]
    for number, bad in enumerate(changed):
        path = laptop.stick / f"bad-{number}"
        path.write_bytes(bad)
        refused(laptop, path, VaultError, "")
    assert not laptop.join(laptop.stick / "file-2").already, "control"


@pytest.mark.parametrize("what", ["directory", "pipe", "missing", "sparse"])
def test_what_is_no_file_to_read_is_refused(laptop: Laptop, what: str) -> None:
    """At once, and without reading it all."""
    laptop.request()
    path = laptop.new_file()
    if what == "directory":
        path.mkdir()
    elif what == "pipe":
        os.mkfifo(path)
    elif what == "sparse":
        with path.open("wb") as stream:
            stream.truncate(10 * 1024**3)
    refused(laptop, path, UsageError, "cannot be read|regular|larger")


def forged(org: Organisation, laptop: Laptop, change: Callable[[Item], Item | None], seed: bytes = b"") -> Path:
    """An answer whose items were changed, and which root (or the holder of `seed`) signed as a whole."""
    requested = laptop.request()
    laptop.approved(org, requested)
    member = org.vault.roster.member("field-9")
    made = (change(item) for item in welcome.answer_items(org.vault, org.root, member))
    path = laptop.new_file()
    with path.open("wb") as out:
        seal_bundle(
            out,
            (member.keys.sealing,),
            [item for item in made if item is not None],
            seed or org.root.signing_seed,
            org.environment.random,
        )
    return path


def _opening(**fields: Any) -> Callable[[Item], Item | None]:  # noqa: ANN401 - any field of it
    return lambda item: replace(item, **fields) if isinstance(item, Opening) else item


def test_an_answer_that_root_did_not_sign_is_refused(org: Organisation, laptop: Laptop) -> None:
    """By the hub, who could do everything else: the bundle's signature is not root's."""
    refused(
        laptop,
        forged(org, laptop, lambda item: item, org.keys["hub-1"].signing_seed),
        IntegrityError,
        "not made by root",
    )
    assert not laptop.join(forged(org, laptop, lambda item: item)).already, "control: root's own is taken"


def _one_less(item: Item) -> Item | None:
    """The roster as it was before our enrolment, with root's good signature over nothing of it."""
    if isinstance(item, LeavesItem):
        return replace(item, leaves=item.leaves[:-1])
    return replace(item, size=item.size - 1) if isinstance(item, JournalItem) else item


def _swapped_leaf(item: Item) -> Item | None:
    """An enrolment that root did not sign: the director's is field-1's."""
    if isinstance(item, LeavesItem):
        return replace(item, leaves=(*item.leaves[:4], flipped(item.leaves[4], -40), *item.leaves[5:]))
    return item


def _renamed(item: Item) -> Item | None:
    """Another vault's name on the outside, our roster inside."""
    if isinstance(item, Opening):
        return replace(item, vault_id=VaultId("1" * 32))
    return replace(item, origin=Origin(f"fieldvault/{'1' * 32}/root/1")) if isinstance(item, JournalItem) else item


CHANGES: dict[str, tuple[Callable[[Item], Item | None], str]] = {
    "from the hub": (_opening(sender=Handle("hub-1")), "not an answer"),
    "without an organisation": (_opening(organisation=""), "not an answer"),
    "an organisation that would move the cursor": (_opening(organisation="a\x1b[2J"), "organisation"),
    "of a vault that it is not": (_renamed, "not the one of the vault"),
    "to another key id": (_opening(recipients=(b"0" * 16,)), "does not enrol"),
    "without the codebook": (lambda item: None if isinstance(item, CodebookItem) else item, "codebook"),
    "an entry less": (_one_less, "checkpoint"),
    "an entry changed": (_swapped_leaf, ""),
    "with heads": (lambda item: HeadsItem(notes=(b"x",)) if isinstance(item, CodebookItem) else item, "not an answer"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_an_answer_that_does_not_fit_together_is_refused(org: Organisation, laptop: Laptop, name: str) -> None:
    """Although root signed it as a whole."""
    change, match = CHANGES[name]
    refused(laptop, forged(org, laptop, change), VaultError, match)


def test_an_answer_with_a_key_that_the_roster_does_not_name_is_refused(org: Organisation, laptop: Laptop) -> None:
    """Nothing is stored that no entry commits to."""
    requested = laptop.request()
    laptop.approved(org, requested)
    member = org.vault.roster.member("field-9")
    *items, end = welcome.answer_items(org.vault, org.root, member)
    more = WrapsItem(wraps=((member.key_id, Purpose.EXPORT.value, 0, 7, b"a wrap"),))
    path = laptop.new_file()
    with path.open("wb") as out:
        sealing = (member.keys.sealing,)
        seal_bundle(out, sealing, [*items, more, end], org.root.signing_seed, org.environment.random)
    refused(laptop, path, IntegrityError, "does not name")


def test_an_answer_without_the_director_s_key_is_refused(org: Organisation, laptop: Laptop) -> None:
    """What root wrapped to us must be there, and be what root wrapped."""
    requested = laptop.request("director-9", Role.DIRECTOR)
    laptop.approved(org, requested)
    member = org.vault.roster.member("director-9")
    for lost in (True, False):

        def change(item: Item, lost: bool = lost) -> Item | None:
            if not isinstance(item, WrapsItem):
                return item
            return None if lost else WrapsItem(wraps=tuple((*row[:4], flipped(row[4])) for row in item.wraps))

        made = (change(item) for item in welcome.answer_items(org.vault, org.root, member))
        path = laptop.new_file()
        with path.open("wb") as out:
            items = [item for item in made if item is not None]
            seal_bundle(out, (member.keys.sealing,), items, org.root.signing_seed, org.environment.random)
        refused(laptop, path, IntegrityError, "lacks a key that root granted", handle="director-9")


def test_a_roster_that_enrols_our_handle_with_other_keys_is_refused(
    org: Organisation, laptop: Laptop, tmp_path: Path
) -> None:
    """A second laptop took the handle first: the answer that is sealed to us enrols them, not us."""
    Laptop(tmp_path, "other").answer(org)
    requested = laptop.request()
    ours = read_request(requested.path).member
    theirs = org.vault.roster.member("field-9")
    assert theirs.key_id != ours.key_id
    items = list(welcome.answer_items(org.vault, org.root, theirs))
    path = laptop.new_file()
    with path.open("wb") as out:
        seal_bundle(out, (ours.keys.sealing,), items, org.root.signing_seed, org.environment.random)
    refused(laptop, path, IntegrityError, "does not enrol the keys")


def test_another_role_than_the_one_asked_for_is_refused(org: Organisation, laptop: Laptop) -> None:
    """Root enrols the keys of a recorder's request as an auditor's: there would be a compartment nobody knows of."""
    requested = laptop.request()
    member = replace(read_request(requested.path).member, role=Role.AUDITOR)
    answer = laptop.new_file()
    request = enrolment.MemberRequest(member=member, fingerprint=requested.fingerprint)
    approve(org.vault, org.root, request, answer)
    refused(laptop, answer, IntegrityError, "another role")


def test_who_was_revoked_before_joining_does_not_join(org: Organisation, laptop: Laptop) -> None:
    """An answer that already says so, if root's program made one."""
    requested = laptop.request()
    laptop.approved(org, requested)
    revoke(org.vault, org.root, "field-9")
    member = org.vault.roster.member("field-9")
    path = laptop.new_file()
    with path.open("wb") as out:
        items = list(welcome.answer_items(org.vault, org.root, member))
        seal_bundle(out, (member.keys.sealing,), items, org.root.signing_seed, org.environment.random)
    refused(laptop, path, NotAllowed, "revoked")
    with pytest.raises(NotAllowed, match="revoked"):
        laptop.approved(org, requested)


def test_the_passphrase_is_needed_and_root_does_not_join(org: Organisation, laptop: Laptop) -> None:
    """A wrong one opens nothing; without a waiting key there is nothing to join with."""
    answer = laptop.answer(org)
    with pytest.raises(WrongPassphrase):
        join(laptop.directory, handle="field-9", passphrase="not this one at all", answer_file=answer, cost=COST)
    for handle in ("field-8", "root"):
        refused(laptop, answer, UsageError, "no key", handle=handle)
    with pytest.raises(UsageError, match="no key"):
        join(org.directory, handle="root", passphrase=PASSPHRASE, answer_file=answer, cost=COST)
    assert joinable(laptop.directory) == ("field-9",)
    with pytest.raises(NoVault):
        laptop.open()
