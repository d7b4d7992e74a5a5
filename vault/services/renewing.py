"""`journal renew`: a recorder goes over to the recovery key that root has put in place of the one before.

A journal's compartment key lasts as long as its epoch, and whoever has the old recovery key and an old copy of its
wraps has that key. So nothing less will do than the next epoch, with a compartment key of its own:

    old epoch    epoch-close
    next epoch   recovery     names the closed head: it begins without a lock
                 grant        the new compartment and tally keys, to the new recovery key; the tally key to directors
                 grant renew  the keys of each epoch before, to the new recovery key
                 grant        for each case: new keys for what is written in it from here on, to the new compartment

All of it is one commit, in which the wraps to the old recovery key are deleted too. The key file with the new
compartment key is written before: a crash between the two leaves a key that nothing uses, and the next try takes it.

Root alone appoints a recovery key, and could have been robbed. So nothing is wrapped to it before the recorder has
compared its words with those that headquarters says.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from vault.errors import NotAllowed, UsageError, VaultLocked
from vault.formats.leaf import GrantAct, encode_act
from vault.formats.origin import origin_of, parse_origin
from vault.formats.wraps import CaseWrap
from vault.model import Act, Kind, Origin, Role
from vault.primitives.passphrase import KdfCost
from vault.services import keyring
from vault.services.case_keys import Case
from vault.services.casework import Casework
from vault.services.drafting import CaseKeys, Desk, case_wraps
from vault.services.forgetting import forget_replaced, renewal, scrubbed
from vault.services.grants import first_entries, recovery_wraps
from vault.services.handing_desk import answer_act
from vault.services.journal import Draft, begin, read_head, write
from vault.services.keyring import Keyring
from vault.services.letters import waiting_letters
from vault.services.offers import Offer, State
from vault.services.parcels import single_key_wraps
from vault.services.received import Received
from vault.services.recovering import epochs_heard_of, key_bytes, reseal, with_compartment
from vault.services.remembered import require_writable
from vault.services.roster import RecoveryKey
from vault.services.vault import Vault, require_role
from vault.services.words import recovery_words, same_words
from vault.store.arrivals import Arrivals


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewed:
    """The journal that goes on, the one that was closed, how many cases got new keys, how many wraps to old recovery
    keys were deleted, and the words of the new one. `cleaned`: their bytes left the database's files too. `before`: it
    was done before, and this run did the cleaning. `left` are epochs that this key file lacks the key of."""

    origin: Origin
    follows: Origin
    words: str
    cases: int
    forgotten: int
    keyring: Keyring
    cleaned: bool = True
    before: bool = False
    left: tuple[Origin, ...] = ()


def check_renewable(vault: Vault, me: Keyring, *, leave_letters: bool = False) -> RecoveryKey:
    """The recovery key that waits for this recorder. Raises NotAllowed for another role, UsageError when root has
    replaced none, this recorder has gone over to it, or letters wait in the epoch that would be closed (unless they
    are to be left: they stay sealed there, for no later epoch records them); RollbackError or ForkError for a locked
    journal."""
    require_role(me, Role.RECORDER)
    if not vault.roster.replaced_ids:
        raise UsageError("root has appointed no other recovery key; there is nothing to renew")
    if renewal(vault, me.member).renewed:
        raise UsageError("this journal is renewed already")
    letters = waiting_letters(vault, me.handle)
    if letters and not leave_letters:
        raise UsageError(
            f"{letters} records that you added while armed are not recorded yet, and never could be after this",
            hint='record them first with "fieldvault travel disarm"; or add --leave-letters to give them up',
        )
    signer = vault.signer(me)
    require_writable(
        vault.store, signer.origin, read_head(vault.store, vault.journal_number(signer.origin), signer).size
    )
    return vault.roster.recoveries[-1]


def renew_journal(
    vault: Vault,
    me: Keyring,
    passphrase: str,
    *,
    words: str,
    cost: KdfCost | None = None,
    leave_letters: bool = False,
    dry_run: bool = False,
) -> Renewed:
    """Closes this recorder's epoch and begins the next one under the recovery key in force, whose `words` somebody
    compared. Where that was done before, it finishes the cleaning.

    Raises as `check_renewable`, NotAllowed for other words, WrongPassphrase, VaultLocked, StorageError: then nothing
    has happened, but that the key file may hold a key which nothing uses.
    """
    if not dry_run and vault.roster.replaced_ids and renewal(vault, me.member).renewed:
        return _finished(vault, me)
    recovery = check_renewable(vault, me, leave_letters=leave_letters)
    if not same_words(words, recovery_words(recovery)):
        raise NotAllowed(
            "these are not the words of the recovery key that root has appointed; nothing is wrapped to it",
            hint="ask headquarters again, over a line on which you know their voice; if they differ, root's key may "
            "be in other hands",
        )
    sealed = key_bytes(vault, me)
    mine = keyring.open_keyfile(sealed, vault.vault_id, me.handle, passphrase)
    name = parse_origin(vault.signer(me).origin)
    epoch = 1 + max(name.epoch, *epochs_heard_of(vault, Arrivals(vault.store), me.handle))
    payload = with_compartment(vault, me, mine, epoch)
    ring = keyring.keyring_of(me.member, payload)
    with vault.writing(me, announced=not dry_run):
        if check_renewable(vault, me, leave_letters=leave_letters) != recovery or key_bytes(vault, me) != sealed:
            raise VaultLocked("another process has just changed this vault; try again")
        going = _Renewing(vault, ring, recovery, epoch)
        if not dry_run:
            if payload != mine:
                reseal(vault, me, payload, passphrase, cost)
            going.write()
        done = going.answer(0 if dry_run else forget_replaced(vault.store, vault.roster, (me.handle,)))
    return done if dry_run else replace(done, cleaned=scrubbed(vault))


def _finished(vault: Vault, me: Keyring) -> Renewed:
    """What a crash or another open process left of a renewal."""
    with vault.writing(me):
        forgotten = forget_replaced(vault.store, vault.roster, (me.handle,))
    origin = vault.signer(me).origin
    return Renewed(
        origin=origin,
        follows=origin,
        words=recovery_words(vault.roster.recoveries[-1]),
        cases=0,
        forgotten=forgotten,
        keyring=me,
        cleaned=scrubbed(vault),
        before=True,
    )


class _Renewing:
    """One renewal on its way into the journals."""

    def __init__(self, vault: Vault, ring: Keyring, recovery: RecoveryKey, epoch: int) -> None:
        self.vault, self.ring, self.recovery = vault, ring, recovery
        self.received = Received(vault, ring)
        self.work = Casework(vault, ring, self.received)
        self.old = self.work.signer
        origin = origin_of(vault.vault_id, ring.handle, epoch)
        self.desk = Desk.of(ring, vault.vault_id, origin, vault.environment.random)
        self.cases = sorted(self.work.cases.values(), key=lambda case: case.case_id)

    def write(self) -> None:
        """Closes the old journal and begins the new one. Only inside `vault.writing`."""
        store, day = self.vault.store, self.vault.day
        write(store, self.work.journal, self.old, day, [Draft(kind=Kind.EPOCH_CLOSE)])
        closed = store.latest_checkpoint(self.work.journal)
        first = first_entries(self.vault.roster, self.desk.origin, self.desk.compartment, self.recovery)
        drafts = (
            Draft(kind=Kind.RECOVERY, extra=(closed,)),
            *first,
            *self._keys_before(),
            *map(self._new_keys, self.cases),
        )
        begin(store, replace(self.old, origin=self.desk.origin), day, drafts)

    def _keys_before(self) -> Iterator[Draft]:
        """The keys of the epochs before, as far as this key file has them, newest first."""
        for journal in reversed(self.work.journals):
            signer = journal.signer
            size = read_head(self.vault.store, journal.number, signer).size
            act = GrantAct(act=Act.RENEW, origin=journal.origin, seq=size)
            wraps = recovery_wraps(self.vault.roster, self.desk.origin, journal.compartment, self.recovery)
            yield Draft(kind=Kind.GRANT, wraps=wraps, extra=(encode_act(act),))

    def _new_keys(self, case: Case) -> Draft:
        """New keys for what this recorder writes in a case from here on. (Also of one that has passed on: that somebody
        looked at a name, and why, is written in it still.) Whom they help with it gets them too."""
        keys = CaseKeys.renewed(self.vault.environment.random, case.case_id, case.pseudonym, case.token)
        offer = self._helping(case)
        if offer is None:
            return Draft(kind=Kind.GRANT, wraps=case_wraps(self.desk, keys))
        plain = (
            CaseWrap(case_id=keys.case_id, key=keys.case_key, token=keys.token, pseudonym=keys.pseudonym),
            CaseWrap(case_id=keys.case_id, key=keys.identity_key),
        )
        owner = self.vault.roster.member(offer.giver)
        wraps = (*case_wraps(self.desk, keys), *single_key_wraps(self.work, plain, owner, writer=self.desk.origin))
        return Draft(kind=Kind.GRANT, wraps=wraps, extra=(encode_act(answer_act(Act.SUPPLEMENT, offer)),))

    def _helping(self, case: Case) -> Offer | None:
        """The referral by which this recorder helps with a case, while it goes on."""
        if self.received.alone:
            return None
        standing = self.received.standing(case.case_id)
        goes_on = standing.helps and standing.through is not None and standing.through.state is State.ACCEPTED
        return standing.through if goes_on else None

    def answer(self, forgotten: int) -> Renewed:
        """What is to be told."""
        return Renewed(
            origin=self.desk.origin,
            follows=self.old.origin,
            words=recovery_words(self.recovery),
            cases=len(self.cases),
            forgotten=forgotten,
            keyring=self.ring,
            left=self.vault.epochs_without_key(self.ring),
        )
