"""The answer to a request for membership: a bundle from root for one new member. Written here, and read again.

    opening     vault id, from root, to the new member's key id, the organisation's name (which travels nowhere else)
    codebooks   every codebook that the roster names, as far as headquarters has it
    journal     the roster, from its first entry, with root's signed head, and the wraps for the new member's own key
    signed      by root

Reading trusts nothing before it fits together: the roster folds, its vault id is a hash over the root key in it, root
signed the head over all of its entries and the bundle itself, and the roster enrols exactly our keys. What is left to
trust is the vault id; its words are compared by voice (`services/joining.py`). Nothing is written here.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from vault.errors import IntegrityError, NotAllowed, OpenFailed, SignatureInvalid
from vault.formats.bundle import (
    CodebookItem,
    EndItem,
    Item,
    JournalItem,
    LeavesItem,
    Opening,
    WrapRow,
    WrapsItem,
)
from vault.formats.checkpoint import verify_checkpoint
from vault.formats.codebook import parse_codebook
from vault.formats.keyfile import KeyPayload
from vault.formats.leaf import parse_leaf, wrap_refs
from vault.formats.origin import ROOT
from vault.formats.text import TextRefused, clean
from vault.formats.wraps import member_context
from vault.model import Handle, Member, Role, VaultId
from vault.primitives import hpke, tree
from vault.primitives.hashing import sha256
from vault.services import keyring
from vault.services.keyring import Keyring
from vault.services.roster import Roster, fold
from vault.services.sealing import OpenedBundle
from vault.services.vault import Vault, revoked_error
from vault.services.words import fingerprint_of
from vault.store.arrivals import Arrivals

MOST_BYTES = 64 * 1024 * 1024
"""Bytes of an answer: a roster of 30,000 members. It is held in memory, so that nothing of it lies on the disk."""
_ITEM = 512 * 1024
"""Bytes of entries in one item."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A verified answer: who we are in which vault, its roster, and all that a new laptop needs to begin."""

    member: Member
    roster: Roster
    organisation: str = field(repr=False)
    leaves: tuple[bytes, ...] = field(repr=False)
    note: bytes = field(repr=False)
    codebooks: tuple[tuple[bytes, bytes], ...] = field(repr=False)
    """(digest, bytes)"""
    wraps: tuple[WrapRow, ...] = field(repr=False)

    @property
    def vault_id(self) -> VaultId:
        """The vault that this answer leads to."""
        return self.roster.vault_id

    @property
    def fingerprint(self) -> str:
        """The vault's twelve words: the same at headquarters, or somebody else wrote this answer."""
        return fingerprint_of(self.vault_id)


# -- writing -----------------------------------------------------------------------------------------------------------


def answer_items(vault: Vault, root: Keyring, member: Member) -> Iterator[Item]:
    """The items of the answer for `member`, who is on the roster. Only within one snapshot of the store."""
    store, roster = vault.store, vault.roster
    number = vault.journal_number(roster.origin)
    leaves = list(store.leaves(number))
    note = store.latest_checkpoint(number) or b""
    yield Opening(
        vault_id=vault.vault_id,
        sender=ROOT,
        recipients=(member.key_id,),
        day=vault.day,
        organisation=root.organisation,
    )
    for digest in dict.fromkeys(roster.codebooks):
        raw = store.codebook(digest)
        if raw is not None:
            yield CodebookItem(digest=digest, raw=raw)
    yield JournalItem(origin=roster.origin, start=0, size=len(leaves), note=note)
    yield from _leaf_items(leaves)
    wraps = Arrivals(store).wraps(number, 0, len(leaves), frozenset({member.key_id}))
    if wraps:
        yield WrapsItem(wraps=tuple(wraps))
    yield EndItem()


def _leaf_items(leaves: Sequence[bytes]) -> Iterator[LeavesItem]:
    """The entries in items of about half a mebibyte."""
    ends: list[tuple[int, int]] = []
    total = 0
    for number, raw in enumerate(leaves):
        total += len(raw)
        ends.append((total // _ITEM, number))
    for _, group in groupby(ends, key=lambda end: end[0]):
        numbers = [number for _, number in group]
        yield LeavesItem(start=numbers[0], leaves=tuple(leaves[numbers[0] : numbers[-1] + 1]))


# -- reading -----------------------------------------------------------------------------------------------------------


def read_answer(raw: bytes, handle: Handle, payload: KeyPayload) -> Answer:
    """The answer for the member whose secrets are `payload`, all of it checked but the words.

    Raises FormatError for what is no bundle, NotAllowed for one that is for another key, and for a member who was
    revoked since; IntegrityError for one that is damaged, is no answer of root's, or does not enrol exactly us.
    """
    keys = keyring.public_keys(payload)
    try:
        opened = OpenedBundle(io.BytesIO(raw), payload.sealing_seed)
    except NotAllowed:
        raise NotAllowed(
            f'this answer is not for the key of "{handle}" that is here',
            hint="was it made for another request, or for another member? --as names one; else copy the file again",
        ) from None
    found = _Items()
    for item in opened.items():
        found.take(item)
    roster = fold(found.leaves)
    root = roster.member(ROOT).keys
    opening, journal = found.whole()
    if roster.vault_id != opening.vault_id or journal.origin != roster.origin:
        raise IntegrityError("the roster in this answer is not the one of the vault that it names")
    try:
        opened.verify(root.signing)
    except SignatureInvalid:
        raise SignatureInvalid("this answer was not made by root of the vault that it names") from None
    head = verify_checkpoint(journal.note, roster.origin, root.signing)
    if head.size != len(found.leaves) or head.root != tree.root_of(tree.leaf_hashes(found.leaves)):
        raise IntegrityError("the roster in this answer does not match the checkpoint that root signed")
    member = roster.find(handle)
    if member is None or member.keys != keys or opening.recipients != (member.key_id,):
        raise IntegrityError(
            f'this answer does not enrol the keys of "{handle}" that are here',
            hint="was it made for another request, or another handle? ask headquarters",
        )
    if member.revoked:
        raise revoked_error(handle)
    if (member.role is Role.RECORDER) != bool(payload.compartments):
        raise IntegrityError(f'this answer enrols "{handle}" in another role than the one that was asked for')
    if roster.codebook not in dict(found.codebooks) or not set(dict(found.codebooks)) <= set(roster.codebooks):
        raise IntegrityError("this answer lacks the codebook that root signed, or brings another")
    parse_codebook(dict(found.codebooks)[roster.codebook])
    _check_wraps(found, roster, member, payload)
    return Answer(
        member=member,
        roster=roster,
        organisation=_organisation(opening),
        leaves=tuple(found.leaves),
        note=journal.note,
        codebooks=tuple(found.codebooks),
        wraps=tuple(found.wraps),
    )


class _Items:
    """The items of an answer as they come; their order was checked already."""

    def __init__(self) -> None:
        self.opening: Opening | None = None
        self.journal: JournalItem | None = None
        self.codebooks: list[tuple[bytes, bytes]] = []
        self.leaves: list[bytes] = []
        self.wraps: list[WrapRow] = []

    def take(self, item: Item) -> None:
        """Takes the next item. Raises IntegrityError for one that an answer does not have."""
        match item:
            case Opening() if item.sender == ROOT and item.organisation:
                self.opening = item
            case CodebookItem():
                self.codebooks.append((item.digest, item.raw))
            case JournalItem() if self.journal is None and item.start == 0:
                self.journal = item
            case LeavesItem():
                self.leaves += item.leaves
            case WrapsItem():
                self.wraps += item.wraps
            case EndItem():
                pass
            case _:
                raise _no_answer()

    def whole(self) -> tuple[Opening, JournalItem]:
        """The two items that every answer has."""
        if self.opening is None or self.journal is None:
            raise _no_answer()
        return self.opening, self.journal


def _no_answer() -> IntegrityError:
    return IntegrityError(
        "this bundle is not an answer to a request for membership",
        hint='"fieldvault bundle import" takes other bundles, once you have joined',
    )


def _check_wraps(found: _Items, roster: Roster, member: Member, payload: KeyPayload) -> None:
    """Each wrap is ours and stands in the roster; and what the roster wraps to us is there and opens."""
    held = {(row[2], row[3]): row for row in found.wraps}
    for seq, raw in enumerate(found.leaves):
        if raw.find(member.key_id) < 0:
            continue
        for position, ref in enumerate(wrap_refs(parse_leaf(raw))):
            if ref.recipient != member.key_id:
                continue
            recipient, purpose, _, _, wrap = held.pop((seq, position), (b"", "", 0, 0, b""))
            if (recipient, purpose, sha256(wrap)) != (ref.recipient, ref.purpose, ref.digest):
                raise IntegrityError("this answer lacks a key that root granted, or brings another one")
            try:
                info = member_context(roster.vault_id, roster.origin, seq, ref.purpose, member.key_id)
                hpke.unwrap(payload.sealing_seed, wrap, info)
            except OpenFailed:
                raise IntegrityError("a key that root granted does not open: ask for a new answer") from None
    if held:
        raise IntegrityError("this answer brings keys that the roster does not name")


def _organisation(opening: Opening) -> str:
    try:
        name = clean(opening.organisation)
    except TextRefused as refusal:
        raise IntegrityError(f"the organisation's name in this answer {refusal.message}") from None
    return name
