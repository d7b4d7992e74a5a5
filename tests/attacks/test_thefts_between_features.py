"""Attacks where a new recovery key meets letters, holds and restores: each by its name, with a negative control."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.laptops import Fleet, Laptop, carry
from tests.organisation import select
from tests.services.custodians import WHY
from tests.services.erasing import case
from tests.services.renewing import appointed, forget, new_shares, renew
from tests.services.travelling import Travelling
from vault.errors import OpenFailed, UsageError, VaultError
from vault.formats.leaf import GrantAct, encode_act
from vault.formats.origin import origin_of
from vault.formats.wraps import member_context
from vault.model import Act, Ground, KeyId, Kind, Origin, Purpose
from vault.primitives import hpke
from vault.services.audit import verify_vault
from vault.services.forgetting_one import forgettable
from vault.services.grants import member_wrap
from vault.services.holds import hold
from vault.services.journal import Draft, begin, read_head
from vault.services.quorum import GivenShare, any_recovery, read_share_file
from vault.services.restoring import Restored, restore
from vault.services.revoking import revoke

RECOVERED = (Purpose.COMPARTMENT, Purpose.TALLY)


def old_shares(fleet: Fleet) -> list[GivenShare]:
    """Enough shares of the recovery key with which the vault was founded."""
    return [read_share_file(path) for path in sorted(fleet.template.shares_dir.iterdir())][:2]


def letters_opened(laptop: Laptop, origin: Origin, seed: bytes) -> int:
    """How many letters' keys somebody opens who tries a seed on each."""
    found = 0
    rows = select(laptop.directory, "SELECT recipient, seq, bytes FROM wrap WHERE purpose = 'letter'")
    for recipient, seq, raw in rows:
        context = member_context(laptop.vault.vault_id, origin, seq, Purpose.LETTER, KeyId(recipient))
        try:
            hpke.unwrap(seed, raw, context)
        except OpenFailed:
            continue
        found += 1
    return found


class Robbed:
    """Headquarters, and a recorder whose key somebody else uses, with a program of their own."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.one, self.hq = fleet.laptop("one", "field-1"), fleet.laptop("home", "hub-1", "root")
        case(self.one)
        carry(self.one, "field-1", self.hq, "hub-1")
        self.size, self.origin = self.one.size("field-1"), self.one.origin()
        self.next = origin_of(self.one.vault.vault_id, self.one.key().handle, 2)

    def rubbish(self, *, renewal: bool) -> None:
        """A further epoch that wraps nothing to recovery, or keys that open nothing; headquarters takes it."""
        vault, me = self.one.vault, self.one.key()
        signer, key = vault.signer(me), vault.roster.recoveries[-1]
        number = vault.journal_number(self.origin)
        to = key.key_id, key.key, bytes(32)
        wraps = tuple(member_wrap(vault.vault_id, self.next, item, *to) for item in RECOVERED)
        with vault.writing(me):
            act = GrantAct(act=Act.RENEW, origin=self.origin, seq=read_head(vault.store, number, signer).size)
            first = Draft(kind=Kind.RECOVERY, extra=(vault.store.latest_checkpoint(number),))
            grants = [Draft(kind=Kind.GRANT, wraps=wraps, extra=extra) for extra in ((), (encode_act(act),))]
            begin(vault.store, replace(signer, origin=self.next), vault.day, [first, *(grants if renewal else ())])
        carry(self.one, "field-1", self.hq, "hub-1")

    def restored(self) -> Restored:
        """Root cuts off what the thief wrote, and the custodians hand the rest on with the old shares."""
        cut = {self.next: 0}
        if self.hq.size("field-1") > self.size:
            cut[self.origin] = self.size
        revoke(self.hq.vault, self.hq.key("root"), "field-1", upto=cut)
        given = old_shares(self.fleet)
        return restore(self.hq.vault, self.hq.key("hub-1"), "field-1", "field-2", given, reason=WHY)


@pytest.fixture
def robbed(fleet: Fleet) -> Robbed:
    """With nothing stolen yet."""
    return Robbed(fleet)


def test_old_shares_open_no_letter_of_a_journal_that_was_renewed(fleet: Fleet, tmp_path: Path) -> None:
    """What was added armed became records; its sealed copies at headquarters hang on the old recovery key no more."""
    both = Travelling(fleet)
    both.send()
    both.arm()
    both.letters()
    carry(both.field, "field-1", both.hq, "hub-1")
    both.disarm()
    both.send()
    seed, origin = any_recovery(both.hq.vault, old_shares(fleet)).seed, both.field.origin()
    assert letters_opened(both.hq, origin, seed) == 2, "negative control"
    made = appointed(both.hq, tmp_path / "new")
    carry(both.hq, "hub-1", both.field, "field-1")
    renew(both.field)
    both.send()
    assert letters_opened(both.hq, origin, seed) == 2, "no import deletes them"
    assert [item.letters for item in forget(both.hq, "field-1")] == [2]
    assert letters_opened(both.hq, origin, seed) == 0
    carry(both.field, "field-1", both.hq, "hub-1", full=True)
    assert letters_opened(both.hq, origin, seed) == 0, "nor does an older bundle bring them back"
    for laptop in (both.hq, both.field):
        assert not any(item.level != "notice" for item in verify_vault(laptop.directory).findings)
    revoke(both.hq.vault, both.hq.key("root"), "field-1")
    given = new_shares(made)
    assert restore(both.hq.vault, both.hq.key("hub-1"), "field-1", "field-2", given, reason=WHY).cases == 2


def test_a_renewal_that_wraps_rubbish_deletes_nothing_that_is_held(robbed: Robbed, tmp_path: Path) -> None:
    """Headquarters keeps the wraps to the old recovery key; root cuts the thief off, and the old shares open them."""
    hold(robbed.hq.vault, robbed.hq.key("hub-1"), "field-1", Ground.ORDER)
    appointed(robbed.hq, tmp_path / "new")
    carry(robbed.hq, "hub-1", robbed.one, "field-1")
    robbed.size = robbed.one.size("field-1")
    robbed.rubbish(renewal=True)
    assert robbed.restored().cases == 1


def test_a_renewal_that_wraps_rubbish_deletes_nothing_by_itself(robbed: Robbed, tmp_path: Path) -> None:
    """No import deletes the true wraps: root cuts the thief off, and the old shares open every case."""
    appointed(robbed.hq, tmp_path / "new")
    carry(robbed.hq, "hub-1", robbed.one, "field-1")
    robbed.size = robbed.one.size("field-1")
    robbed.rubbish(renewal=True)
    assert verify_vault(robbed.hq.directory).findings == ()
    assert forgettable(robbed.hq.vault) == ("field-1",)
    before = wraps_of(robbed)
    restored = robbed.restored()
    assert (restored.cases, wraps_of(robbed)) == (1, before)
    assert forgettable(robbed.hq.vault) == (), "what root cut off does away with nothing"
    with pytest.raises(UsageError, match="nothing to forget"):
        forget(robbed.hq, "field-1")
    assert wraps_of(robbed) == before


def test_headquarters_that_asks_nobody_believes_the_thief(robbed: Robbed, tmp_path: Path) -> None:
    """The negative control: after "recovery forget" the old shares open nothing, and the new ones rubbish."""
    appointed(robbed.hq, tmp_path / "new")
    carry(robbed.hq, "hub-1", robbed.one, "field-1")
    robbed.size = robbed.one.size("field-1")
    robbed.rubbish(renewal=True)
    forget(robbed.hq, "field-1")
    assert wraps_of(robbed) == 0
    with pytest.raises(VaultError):
        robbed.restored()


def wraps_of(robbed: Robbed) -> int:
    """How many wraps to the first recovery key headquarters has in the recorder's first epoch."""
    vault = robbed.hq.vault
    number, first = vault.journal_number(robbed.origin), vault.roster.recoveries[0].key_id
    return sum(len(vault.store.wraps_for(number, first, purpose)) for purpose in RECOVERED)


@pytest.mark.parametrize("renewal", [True, False])
def test_an_epoch_that_root_cut_off_stops_no_restore(robbed: Robbed, *, renewal: bool) -> None:
    """A thief's further epoch opens nothing by the recovery key, or says other keys than the true ones."""
    robbed.rubbish(renewal=renewal)
    assert robbed.restored().cases == 1
