"""Attacks with recovery shares, and on what a restore leaves in the journals: each by its name, with a control."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest

from tests.laptops import Fleet, Laptop, carry, outcome
from tests.organisation import COST, PASSPHRASES, Organisation, Template, Thief, environment_of
from tests.services.custodians import WHY, accept_all, lose, restored, shares_of
from tests.services.handing import notes, offers, opened_case, opened_parts
from vault.errors import FormatError, NotAllowed, VaultError, WrongPassphrase
from vault.formats.leaf import GrantAct, encode_act, parse_leaf
from vault.formats.origin import origin_of
from vault.formats.share import parse_share
from vault.model import Act, Handle, KeyId, Kind, Layer, Purpose, Role, VaultId
from vault.primitives import shares as slip39
from vault.services.answering import accept_offer
from vault.services.cases import show_case
from vault.services.found import found
from vault.services.journal import Draft, WrapDraft, write
from vault.services.keyring import Keyring
from vault.services.offers import fold_offers
from vault.services.quorum import GivenShare, ShareState, check_shares, read_share_file, recovery_seed
from vault.services.records import open_case, record
from vault.services.replica import Outcome
from vault.services.restoring import restore
from vault.services.revoking import revoke


@pytest.fixture(scope="module")
def other_shares(tmp_path_factory: pytest.TempPathFactory) -> list[GivenShare]:
    """The shares of another organisation's vault."""
    home = tmp_path_factory.mktemp("other")
    made = found(
        home / "vault",
        org="Other",
        passphrase="another passphrase",
        threshold=2,
        shares=3,
        shares_dir=home / "shares",
        environment=environment_of("another organisation"),
        cost=COST,
    )
    return [read_share_file(path) for path in made.share_files]


def altered(share: GivenShare, place: int = 12) -> GivenShare:
    """The share with one word changed for another of the list."""
    words = share.words.split(" ")
    words[place] = next(slip39.word(number) for number in range(9) if slip39.word(number) != words[place])
    return replace(share, words=" ".join(words))


# -- the shares ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_thief_with_one_share_too_few(org: Organisation, number: int) -> None:
    """K-1 shares and the whole disk: nothing combines, and nothing that the share holds opens anything."""
    opened_case(org, org.field_1)
    given = shares_of(org, number)
    with pytest.raises(WrongPassphrase, match="have 1 of the 2"):
        recovery_seed(org.vault, given)
    with pytest.raises(WrongPassphrase):
        slip39.combine([given[0].words])
    lose(org)
    with pytest.raises(WrongPassphrase, match="have 1 of the 2"):
        restored(org, given=given)
    seized = org.seized()
    assert Thief(seized, seeds=[given[0].words.encode()[:32]]).opened() == []
    seed = recovery_seed(org.vault, shares_of(org))
    assert Thief(seized, seeds=[seed]).opened(), "the negative control: K shares do open"


@pytest.mark.parametrize("mine", [0, 1, 2])
def test_shares_of_two_vaults(org: Organisation, other_shares: list[GivenShare], mine: int) -> None:
    """However they are mixed, and with the headings of ours written over theirs: never a key, never another vault's."""
    given = [*shares_of(org)[:mine], *other_shares[: 3 - mine]]
    disguised = [replace(share, vault_id=org.vault.vault_id) for share in given]
    quorum = check_shares(org.vault, given)
    assert [share.state for share in quorum.shares][mine:] == [ShareState.OTHER_VAULT] * (3 - mine)
    assert quorum.proven == (mine == 2)
    assert check_shares(org.vault, disguised).proven == (mine == 2)
    if mine < 2:
        for bad in (given, disguised):
            with pytest.raises(WrongPassphrase):
                recovery_seed(org.vault, bad)


def test_a_whole_quorum_of_another_vault_under_our_name(org: Organisation, other_shares: list[GivenShare]) -> None:
    """They combine, and to a key: but not to this vault's, whose public half stands in the roster."""
    disguised = [replace(share, vault_id=org.vault.vault_id) for share in other_shares]
    with pytest.raises(WrongPassphrase, match="not to the recovery key of this vault"):
        recovery_seed(org.vault, disguised)


@pytest.mark.parametrize("place", [0, 3, 12, 32])
def test_an_altered_word(org: Organisation, place: int) -> None:
    """Wherever it stands, the checksum names the share; a third share still makes the quorum."""
    bad = altered(shares_of(org)[1], place)
    quorum = check_shares(org.vault, [shares_of(org)[0], bad])
    assert [share.state for share in quorum.shares] == [ShareState.GOOD, ShareState.ALTERED]
    assert (quorum.have, quorum.need, quorum.proven) == (1, 2, False)
    with pytest.raises(FormatError, match="have 1 of the 2"):
        recovery_seed(org.vault, [shares_of(org)[0], bad])
    quorum = check_shares(org.vault, [shares_of(org)[0], bad, shares_of(org, 3)[0]])
    assert (quorum.have, quorum.proven) == (2, True)


def test_a_share_made_up_with_a_checksum_of_its_own(org: Organisation) -> None:
    """A custodian who makes up a share of our set: it combines with none, and with the true ones it is noticed."""
    from shamir_mnemonic import Share

    honest = shares_of(org, 1, 2, 3)
    true = Share.from_mnemonic(honest[1].words)
    forged = replace(honest[1], words=replace(true, value=bytes(reversed(true.value))).mnemonic())
    for given in ([honest[0], forged], [forged, honest[2]], [honest[0], honest[2], forged]):
        quorum = check_shares(org.vault, given)
        assert not quorum.proven
        assert "made up" in quorum.problem
    quorum = check_shares(org.vault, [honest[0], honest[1], forged])
    assert [share.state for share in quorum.shares] == [ShareState.GOOD, ShareState.GOOD, ShareState.ALTERED]


def test_the_same_share_twice_is_no_quorum(org: Organisation) -> None:
    """One custodian with two copies of their card is one custodian."""
    quorum = check_shares(org.vault, [*shares_of(org, 1), *shares_of(org, 1)])
    assert [share.state for share in quorum.shares] == [ShareState.GOOD, ShareState.TWICE]
    assert (quorum.have, quorum.need, quorum.proven) == (1, 2, False)
    assert check_shares(org.vault, shares_of(org, 1, 3)).proven


def test_every_quorum_proves_the_same_key(org: Organisation) -> None:
    """Whichever custodians come, in whatever order."""
    seeds = {recovery_seed(org.vault, shares_of(org, *few)) for few in combinations((3, 1, 2), 2)}
    assert len(seeds) == 1


# -- the restore entry -----------------------------------------------------------------------------------------------


def test_replay_into_another_vault(org: Organisation, template: Template, tmp_path: Path) -> None:
    """A restore's wraps and act, signed by a hub into another copy of its journal, open nothing in another place; an
    act that names a journal of another vault is refused at every import."""
    opened_case(org, org.field_1)
    lose(org)
    done = restored(org)
    hub = org.keys["hub-1"]
    number, seq = org.vault.journal_number(done.origin), int(done.offers[0].split(":")[1])
    leaf = parse_leaf(org.vault.store.leaf(number, seq) or b"")
    raws = [
        (Purpose(purpose), recipient, org.vault.store.wrap(number, recipient, Purpose(purpose), seq) or b"")
        for purpose, recipient, _ in leaf.extra[1:]
        if recipient == org.field_2.member.key_id
    ]
    again = _written(org, hub, GrantAct(act=Act.RESTORE, origin=leaf.extra[0][1], seq=leaf.extra[0][2]), raws)
    with pytest.raises(VaultError, match="does not open"):
        accept_offer(org.vault, org.field_2, f"hub-1/1:{again}")
    accept_offer(org.vault, org.field_2, done.offers[0])
    elsewhere = origin_of(VaultId("0" * 32), Handle("field-1"), 1)
    foreign = _written(org, hub, GrantAct(act=Act.RESTORE, origin=elsewhere, seq=3), raws)
    journals = {origin: list(org.vault.store.leaves(number)) for number, origin in org.vault.store.journals()}
    strange = {item.place.seq: item.message for item in fold_offers(org.vault.roster, journals).strange}
    assert "nobody whom root has revoked" in strange[foreign]
    assert [finding.code for finding in org.audit().findings] == ["restore"]


def _written(org: Organisation, me: Keyring, act: GrantAct, raws: list[tuple[Purpose, KeyId, bytes]]) -> int:
    """Wraps as they are, under an act, in a new entry of a member's journal; its number."""

    def wrap(raw: bytes) -> Callable[[int], bytes]:
        return lambda _: raw

    wraps = tuple(WrapDraft(purpose=purpose, recipient=to, seal=wrap(raw)) for purpose, to, raw in raws)
    with org.vault.writing(me):
        signer = org.vault.signer(me)
        draft = Draft(kind=Kind.GRANT, wraps=wraps, extra=(encode_act(act),))
        return write(org.vault.store, org.vault.journal_number(signer.origin), signer, org.vault.day, [draft])


def test_a_forged_restore_of_somebody_who_works(org: Organisation) -> None:
    """A hub that hands on cases of a member whom root has not revoked: no offer is made by it, and it opens nothing."""
    pseudonym = opened_case(org, org.field_1)
    origin = org.vault.signer(org.field_1).origin
    _written(
        org,
        org.keys["hub-1"],
        GrantAct(act=Act.RESTORE, origin=origin, seq=3),
        [(Purpose.CASE, org.field_2.member.key_id, bytes(2000))],
    )
    assert offers(org, org.field_2) == {}
    org.add(org.field_1, "journey", pseudonym, event="arrival")  # the member goes on


@pytest.mark.parametrize("writer", ["field-2", "director-1", "auditor-1"])
def test_a_restore_that_no_hub_wrote(org: Organisation, writer: str) -> None:
    """A recorder, a director, an auditor cannot restore: it is no offer, the audit says so."""
    opened_case(org, org.field_1)
    org.enrol("field-3", Role.RECORDER)
    lose(org)
    origin = org.vault.signer(org.field_1).origin
    raws = [(Purpose.CASE, org.keys["field-3"].member.key_id, bytes(2000))]
    _written(org, org.keys[writer], GrantAct(act=Act.RESTORE, origin=origin, seq=3), raws)
    assert offers(org, org.keys["field-3"]) == {}
    assert org.audit().verdict == "finding"


@pytest.mark.parametrize("act", [None, GrantAct(act=Act.TRANSFER)])
def test_a_hub_grants_nothing_else(org: Organisation, act: GrantAct | None) -> None:
    """No tally, no compartment, no case of its own: a hub's only grant is a restore."""
    key = org.director.member.key_id if act is None else org.field_2.member.key_id
    purpose = Purpose.TALLY if act is None else Purpose.CASE
    draft = Draft(
        kind=Kind.GRANT,
        wraps=(WrapDraft(purpose=purpose, recipient=key, seal=lambda _: bytes(2000)),),
        extra=() if act is None else (encode_act(act),),
    )
    hub = org.keys["hub-1"]
    with org.vault.writing(hub):
        signer = org.vault.signer(hub)
        write(org.vault.store, org.vault.journal_number(signer.origin), signer, org.vault.day, [draft])
    assert [finding.code for finding in org.audit().findings] == ["restore"]


# -- across laptops --------------------------------------------------------------------------------------------------


class Apart:
    """Headquarters, the lost member's laptop and the successor's, with a case that headquarters holds sealed."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.hq = fleet.laptop("hq", "hub-1", "root")
        self.lost = fleet.laptop("lost", "field-1")
        self.successor = fleet.laptop("successor", "field-2")
        self.case = str(open_case(self.lost.vault, self.lost.key(), {"name": "Han Mirae", "sex": "female"}).pseudonym)
        record(self.lost.vault, self.lost.key(), "journey", self.case, {"event": "departure", "notes": "by night"})
        carry(self.lost, "field-1", self.hq, "hub-1")

    def restore(self, *, dry_run: bool = False) -> list[str]:
        """Root revokes, the hub restores; the names of the offers."""
        revoke(self.hq.vault, self.hq.key("root"), "field-1")
        given = [read_share_file(path) for path in sorted(self.fleet.template.shares_dir.iterdir())[:2]]
        hub = self.hq.key("hub-1")
        return list(restore(self.hq.vault, hub, "field-1", "field-2", given, reason=WHY, dry_run=dry_run).offers)


def test_it_travels_by_bundle_to_the_successor(fleet: Fleet) -> None:
    """The hub's bundle brings the offer and the lost member's entries; the case opens on the successor's own laptop,
    what they write travels back, and everybody's audit is clean."""
    apart = Apart(fleet)
    (offer,) = apart.restore()
    arrived = carry(apart.hq, "hub-1", apart.successor, "field-2")
    assert {outcome(arrived, "hub-1"), outcome(arrived, "field-1")} == {Outcome.NEW}
    me = apart.successor.key()
    accept_offer(apart.successor.vault, me, offer)
    shown = show_case(apart.successor.vault, me, apart.case)
    assert [entry.values.get("notes") for entry in shown.entries if entry.type == "journey"] == ["by night"]
    record(apart.successor.vault, me, "outcome", apart.case, {"status": "resettled", "date": "2021"})
    carry(apart.successor, "field-2", apart.hq, "hub-1")
    for laptop in (apart.hq, apart.successor):
        assert _verdict(laptop) != "finding"
    others = fleet.laptop("director", "director-1"), fleet.laptop("auditor", "auditor-1")
    for laptop in others:
        carry(apart.hq, "hub-1", laptop, laptop.handles[0])
        assert _verdict(laptop) != "finding"


def _verdict(laptop: Laptop) -> str:
    from vault.services.audit import verify_vault

    return verify_vault(laptop.directory).verdict


def test_a_hubs_other_grants_stop_its_journal_at_import(fleet: Fleet) -> None:
    """Were such an entry taken, every audit would condemn the laptop for ever: the journal is refused, as invalid."""
    apart = Apart(fleet)
    carry(apart.hq, "hub-1", apart.successor, "field-2")
    key = apart.successor.key().member.key_id
    wrap = WrapDraft(purpose=Purpose.CASE, recipient=key, seal=lambda _: bytes(2000))
    act = encode_act(GrantAct(act=Act.TRANSFER))
    apart.hq.write([Draft(kind=Kind.GRANT, wraps=(wrap,), extra=(act,))], "hub-1")
    assert outcome(carry(apart.hq, "hub-1", apart.successor, "field-2"), "hub-1") is Outcome.INVALID


def test_a_director_gets_none_of_it(fleet: Fleet) -> None:
    """Directors get the hub's journal too, and no wrap and no part of the case with it; the successor's opens."""
    apart = Apart(fleet)
    apart.restore()
    director = fleet.laptop("director", "director-1")
    opened = {}
    for laptop in (director, apart.successor):
        carry(apart.hq, "hub-1", laptop, laptop.handles[0])
        laptop.close()
        opened[laptop.name] = {key[2] for key in opened_parts(laptop.directory, laptop.key())}
        laptop.reopen()
    assert opened["director"] <= {Layer.TALLY}
    assert Layer.IDENTITY in opened["successor"], "the negative control"


@pytest.mark.parametrize(("cut", "entries"), [(None, 3), (3, 2), (2, 1)])
def test_what_root_cut_off_is_not_handed_on(fleet: Fleet, cut: int | None, entries: int) -> None:
    """Whoever stole the laptop wrote on in it: what is behind the size that root signed goes nowhere."""
    apart = Apart(fleet)
    record(apart.lost.vault, apart.lost.key(), "journey", apart.case, {"event": "arrival", "notes": "a trap"})
    open_case(apart.lost.vault, apart.lost.key(), {"name": "A decoy"})
    carry(apart.lost, "field-1", apart.hq, "hub-1")
    upto = {apart.lost.origin(): cut or 4}
    revoke(apart.hq.vault, apart.hq.key("root"), "field-1", upto=upto)
    given = [read_share_file(path) for path in sorted(fleet.template.shares_dir.iterdir())[:2]]
    done = restore(apart.hq.vault, apart.hq.key("hub-1"), "field-1", "field-2", given, reason=WHY)
    assert (done.cases, done.entries) == (1, entries)


def test_whoever_holds_no_parts_cannot_restore(fleet: Fleet) -> None:
    """An auditor has every journal and no wrap; and is no hub."""
    apart = Apart(fleet)
    apart.restore()
    given = [read_share_file(path) for path in sorted(fleet.template.shares_dir.iterdir())[:2]]
    auditor = fleet.laptop("bare", "auditor-1")
    carry(apart.hq, "hub-1", auditor, "auditor-1")
    with pytest.raises(NotAllowed):
        restore(auditor.vault, auditor.key(), "field-1", "field-2", given, reason=WHY)


def test_the_shares_of_the_template_are_read(template: Template) -> None:
    """The negative control of everything above: these files are this vault's, and passphrases are not shares."""
    cards = [parse_share(path.read_bytes()) for path in sorted(template.shares_dir.iterdir())]
    assert len(cards) == 3
    assert PASSPHRASES["root"] not in {card.words for card in cards}


def test_accepting_works_after_everything(org: Organisation) -> None:
    """The negative control: an honest restore is accepted, and its entries are there."""
    pseudonym = opened_case(org, org.field_1)
    lose(org)
    accept_all(org, restored(org))
    assert notes(org, org.field_2, pseudonym) == ["over the river"]
