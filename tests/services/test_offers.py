"""The fold of offers: from leaves alone, without a key, and the same whatever order the journals come in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import permutations

import pytest
from hypothesis import given, strategies as st

from tests.vectors import fixed
from vault.formats.checkpoint import Checkpoint, sign_checkpoint
from vault.formats.cosignature import cosign
from vault.formats.leaf import GrantAct, Leaf, encode_act, encode_leaf
from vault.formats.note import Note, encode_note, parse_note
from vault.formats.origin import origin_of
from vault.model import Act, Digest, Handle, KeyId, Kind, Layer, Member, Origin, Place, Policy, PublicKeys, Role
from vault.primitives import signing
from vault.services.offers import Offers, State, fold_offers
from vault.services.roster import Roster
from vault.services.withdrawn import taken_back
from vault.services.witness import cosigner_name

ROLES = {
    "root": Role.ROOT,
    "field-1": Role.RECORDER,
    "field-2": Role.RECORDER,
    "field-3": Role.RECORDER,
    "director-1": Role.DIRECTOR,
}
KEYS = {handle: KeyId(fixed.secret(f"{handle} id", 16)) for handle in ROLES}


def _seed(handle: str) -> bytes:
    return fixed.secret(f"{handle} seed")


SIGNING = {handle: signing.public_key(_seed(handle)) for handle in ROLES}
KEY_1, KEY_3 = Handle("field-1"), Handle("field-3")
OWN = KeyId(fixed.secret("some compartment", 16))


def roster(cut: Mapping[str, int] | None = None) -> Roster:
    """Five members; `cut` says at which size root cut somebody off."""
    limits = cut or {}
    members = tuple(
        Member(
            handle=Handle(handle),
            role=role,
            keys=PublicKeys(signing=SIGNING[handle], sealing=b""),
            key_id=KEYS[handle],
            revoked_at=((journal(handle), limits[handle]),) if handle in limits else None,
        )
        for handle, role in ROLES.items()
    )
    return Roster(
        vault_id=fixed.VAULT_ID,
        origin=fixed.ROSTER,
        recovery=b"",
        recovery_id=fixed.RECOVERY_ID,
        members=members,
        policy=Policy(),
        codebooks=(),
    )


def journal(handle: str, epoch: int = 1) -> Origin:
    """A member's journal."""
    return origin_of(fixed.VAULT_ID, Handle(handle), epoch)


@dataclass
class Story:
    """Journals in the making."""

    journals: dict[Origin, list[bytes]] = field(default_factory=dict)

    def add(self, handle: str, act: GrantAct | None, *wraps: tuple[str, KeyId], epoch: int = 1) -> Place:
        """One grant; where it stands."""
        refs = [[purpose, key, bytes(32)] for purpose, key in wraps]
        extra = refs if act is None else [encode_act(act), *refs]
        return self._put(handle, epoch, Kind.GRANT, tuple(extra))

    def _put(self, handle: str, epoch: int, kind: Kind, extra: tuple[object, ...]) -> Place:
        leaves = self.journals.setdefault(journal(handle, epoch), [])
        leaves.append(encode_leaf(Leaf(seq=len(leaves), kind=kind, day=20_000 + len(leaves), extra=extra)))
        return Place(journal(handle, epoch), len(leaves) - 1)

    def offer(self, giver: str = "field-1", taker: str = "field-2", act: Act = Act.TRANSFER) -> Place:
        """An offer as it should be."""
        purposes = ("case", "identity", "delivery")
        wraps = [(purpose, KEYS[taker]) for purpose in purposes]
        return self.add(giver, GrantAct(act=act), *wraps, ("delivery", OWN))

    def answer(self, handle: str, act: Act, place: Place, *wraps: tuple[str, KeyId], epoch: int = 1) -> Place:
        """An answer, with a wrap to a compartment unless it takes none."""
        given = wraps or (() if act is Act.REVOKE else (("case", OWN),))
        return self.add(handle, GrantAct(act=act, origin=place.origin, seq=place.seq), *given, epoch=epoch)

    def sees(self, handle: str, origin: Origin, size: int, *, by: str = "", forged: bool = False) -> Place:
        """A head-seen entry, cosigned by its writer, or by somebody else, or by nobody; `forged` with another key."""
        head = Checkpoint(origin=origin, size=size, root=Digest(fixed.secret("a root")))
        note = parse_note(sign_checkpoint(head, fixed.secret("a seed")))
        name = cosigner_name(fixed.VAULT_ID, Handle(by or handle))
        seed = fixed.secret("another seed") if forged else _seed(by or handle)
        lines = () if by == "nobody" else (cosign(note.text, name, seed, 86_400),)
        raw = encode_note(Note(text=note.text, signatures=(*note.signatures, *lines)))
        return self._put(handle, 1, Kind.HEAD_SEEN, (raw,))

    def fold(self, cut: Mapping[str, int] | None = None) -> Offers:
        """What it comes to; the same for every order of the journals."""
        found = fold_offers(roster(cut), self.journals)
        for order in permutations(self.journals):
            assert fold_offers(roster(cut), {origin: self.journals[origin] for origin in order}) == found
        return found


def state(offers: Offers, place: Place) -> State:
    """The state of one offer."""
    offer = offers.at(*place)
    assert offer is not None
    return offer.state


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([], State.OFFERED),
        ([("field-2", Act.ACCEPT)], State.ACCEPTED),
        ([("field-2", Act.REJECT)], State.REJECTED),
        ([("field-1", Act.REVOKE)], State.REVOKED),
        ([("field-1", Act.REVOKE), ("field-2", Act.ACCEPT)], State.ACCEPTED),
        ([("field-2", Act.ACCEPT), ("field-1", Act.REVOKE)], State.ACCEPTED),
        ([("field-2", Act.REJECT), ("field-2", Act.ACCEPT)], State.REJECTED),
        ([("field-2", Act.ACCEPT), ("field-2", Act.REJECT)], State.ACCEPTED),
        ([("field-2", Act.ACCEPT), ("field-2", Act.ACCEPT)], State.ACCEPTED),
        ([("field-2", Act.ACCEPT), ("field-1", Act.END)], State.ACCEPTED),
        ([("field-3", Act.ACCEPT)], State.OFFERED),
        ([("field-1", Act.ACCEPT)], State.OFFERED),
        ([("field-2", Act.REVOKE)], State.OFFERED),
        ([("field-3", Act.REVOKE)], State.OFFERED),
        ([("director-1", Act.ACCEPT)], State.OFFERED),
    ],
)
def test_what_becomes_of_a_transfer(answers: list[tuple[str, Act]], expected: State) -> None:
    """The taker's first answer counts and wins over a revocation; acts of others count for nothing and are named."""
    story = Story()
    place = story.offer()
    deeds = [story.answer(handle, act, place) for handle, act in answers]
    found = story.fold()
    assert state(found, place) is expected
    counted = {State.OFFERED: 0, State.ENDED: 2}.get(expected, 1)
    crossed = {act for _, act in answers} >= {Act.ACCEPT, Act.REVOKE}
    assert len(found.strange) == len(deeds) - counted - crossed


def test_a_referral_goes_on_until_either_side_ends_it() -> None:
    """Offered, accepted, ended; both may end it, and the first one is told."""
    story = Story()
    place = story.offer(act=Act.REFERRAL)
    story.answer("field-2", Act.ACCEPT, place, ("case", OWN), ("case", KEYS["field-1"]))
    assert state(story.fold(), place) is State.ACCEPTED
    story.answer("field-2", Act.END, place)
    story.answer("field-1", Act.END, place)
    offer = story.fold().at(*place)
    assert offer is not None
    assert (offer.state, len(offer.ends)) == (State.ENDED, 2)
    assert story.fold().strange == ()


def test_an_acceptance_after_seeing_the_revocation_does_not_count() -> None:
    """The taker's own journal shows that they had seen it: deterministic from the logs alone."""
    for size, expected in ((1, State.ACCEPTED), (2, State.REVOKED), (9, State.REVOKED)):
        story = Story()
        place = story.offer()
        story.answer("field-1", Act.REVOKE, place)
        story.sees("field-2", place.origin, size)
        accepted = story.answer("field-2", Act.ACCEPT, place)
        offer = story.fold().at(*place)
        assert offer is not None
        assert offer.state is expected
        assert (offer.overtaken is None) == (expected is State.ACCEPTED)
        assert [item.place for item in story.fold().strange] == ([accepted] if offer.overtaken else [])


def test_seeing_it_later_or_by_somebody_else_changes_nothing() -> None:
    """Only what the taker held and cosigned before accepting says that they knew: not gossip, not others' sights."""
    story = Story()
    place = story.offer()
    story.answer("field-1", Act.REVOKE, place)
    story.sees("field-3", place.origin, 2)
    story.sees("field-2", place.origin, 2, by="nobody")  # heard of, and not held
    story.sees("field-2", place.origin, 2, by="hub-1")
    story.sees("field-2", place.origin, 2, forged=True)
    story.answer("field-2", Act.ACCEPT, place)
    story.sees("field-2", place.origin, 2)
    assert state(story.fold(), place) is State.ACCEPTED


def test_epochs_of_one_member_are_one_line() -> None:
    """A laptop that was restored goes on in a further epoch: the first answer still counts, the tenth epoch is after
    the second."""
    story = Story()
    place = story.offer()
    story.answer("field-2", Act.REJECT, place, epoch=10)
    story.answer("field-2", Act.ACCEPT, place, epoch=2)
    assert state(story.fold(), place) is State.ACCEPTED


def test_a_laptop_that_forgot_its_acceptance_may_accept_again() -> None:
    """Restored from a backup, it accepts once more in the next epoch: the first acceptance counts, the second is named
    and kept, because what is written from then on is sealed with its keys."""
    story = Story()
    place = story.offer(act=Act.REFERRAL)
    first = story.answer("field-2", Act.ACCEPT, place)
    again = story.answer("field-2", Act.ACCEPT, place, epoch=2)
    story.answer("field-2", Act.REJECT, place, epoch=2)
    (offer,) = story.fold().offers
    assert (offer.accepted, [deed.place for deed in offer.repeated]) == (first, [again])
    assert len(story.fold().strange) == 2


def test_what_stands_behind_a_cut_counts_for_nothing() -> None:
    """Root cut a member off by size: acts behind it are as if they had not been written."""
    story = Story()
    place = story.offer()
    story.answer("field-2", Act.ACCEPT, place)
    assert state(story.fold({"field-2": 1}), place) is State.ACCEPTED
    assert state(story.fold({"field-2": 0}), place) is State.OFFERED
    assert story.fold({"field-1": 0}).offers == ()


@pytest.mark.parametrize(
    ("wraps", "why"),
    [
        ([("case", "director-1")], "nobody who may have one"),
        ([("case", "root")], "nobody who may have one"),
        ([("case", "field-1")], "nobody who may have one"),
        ([("case", "own")], "nobody who may have one"),
        ([("delivery", "field-2")], "nobody who may have one"),
        ([("case", "field-2"), ("case", "field-3")], "nobody who may have one"),
        ([("case", "field-2"), ("identity", "field-3")], "to others"),
        ([("case", "field-2"), ("delivery", "director-1")], "to others"),
    ],
)
def test_offers_to_nobody_who_may_have_a_case(wraps: list[tuple[str, str]], why: str) -> None:
    """An offer is to one recorder, not to oneself; whoever wrote another one is named."""
    story = Story()
    keys = {**KEYS, "own": OWN}
    place = story.add("field-1", GrantAct(act=Act.TRANSFER), *((purpose, keys[to]) for purpose, to in wraps))
    found = story.fold()
    assert found.offers == ()
    assert [item.place for item in found.strange] == [place]
    assert why in found.strange[0].message


def test_keys_that_leak_in_an_answer_make_it_count_for_nothing() -> None:
    """An acceptance that wraps the new keys to the giver of a transfer, or to a third, is named and does not count."""
    for to in ("field-1", "field-3"):
        story = Story()
        place = story.offer()
        story.answer("field-2", Act.ACCEPT, place, ("case", KEYS[to]))
        found = story.fold()
        assert state(found, place) is State.OFFERED
        assert len(found.strange) == 1


def test_a_grant_without_an_act_opens_no_case() -> None:
    """Case keys for a member outside an offer are named; tally keys are what such grants are for."""
    story = Story()
    story.add("field-1", None, ("tally", KEYS["director-1"]))
    assert story.fold() == Offers()
    place = story.add("field-1", None, ("case", KEYS["field-3"]))
    assert [item.place for item in story.fold().strange] == [place]


def test_an_answer_to_no_offer_is_named_and_one_to_an_unseen_offer_waits() -> None:
    """Naming an entry that offers nothing is strange; naming one that is not here yet is not."""
    story = Story()
    story.add("field-1", None, ("tally", OWN))
    strange = story.answer("field-2", Act.ACCEPT, Place(journal("field-1"), 0))
    story.answer("field-2", Act.ACCEPT, Place(journal("field-1"), 7))
    story.answer("field-2", Act.ACCEPT, Place(journal("field-3"), 0))
    assert [item.place for item in story.fold().strange] == [strange]


def test_offers_say_who_could_read_what_since_when() -> None:
    """Layers, days and both sides: what an auditor's table is made of."""
    story = Story()
    story.add("field-1", None, ("tally", OWN))
    place = story.add("field-1", GrantAct(act=Act.REFERRAL), ("case", KEYS["field-3"]), ("delivery", KEYS["field-3"]))
    extra = story.answer("field-1", Act.SUPPLEMENT, place, ("delivery", KEYS["field-3"]))
    (offer,) = story.fold().offers
    assert (offer.kind, offer.giver, offer.taker) == (Act.REFERRAL, KEY_1, KEY_3)
    assert offer.layers == frozenset({Layer.CASE})
    assert (offer.day, offer.name, offer.accepted) == (20_001, "field-1/1:1", None)
    assert [deed.place for deed in offer.supplements] == [extra]
    assert story.fold().of("field-3") == (offer,)
    assert story.fold().of("field-2") == ()


def test_what_may_be_gone_after_a_revocation() -> None:
    """The offer and its supplements in that journal; not what another journal's revocation names."""
    story = Story()
    place, other = story.offer(), story.offer()
    supplement = story.answer("field-1", Act.SUPPLEMENT, place, ("delivery", KEYS["field-2"]))
    rows = list(enumerate(story.journals[place.origin]))
    assert taken_back(place.origin, rows) == frozenset()
    story.answer("field-1", Act.REVOKE, place)
    story.answer("field-1", Act.REVOKE, Place(journal("field-3"), other.seq))
    rows = [*enumerate(story.journals[place.origin]), (99, b"\x96\x01\x00\xa5grant no leaf")]
    assert taken_back(place.origin, rows) == {place.seq, supplement.seq}


def test_damaged_leaves_say_nothing() -> None:
    """What cannot be read, has another number or quotes no head is passed over; an audit names it."""
    story = Story()
    place = story.offer()
    story.answer("field-2", Act.ACCEPT, place)
    (raw,) = story.journals[journal("field-2")]
    for broken in (raw[:-1], raw.replace(b"\x00\xa5grant", b"\x01\xa5grant")):
        assert broken != raw
        found = fold_offers(roster(), {**story.journals, journal("field-2"): [broken]})
        assert state(found, place) is State.OFFERED
    story.journals[journal("field-2")] = []
    story._put("field-2", 1, Kind.HEAD_SEEN, (b"no note",))
    assert state(story.fold(), place) is State.OFFERED


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["field-1", "field-2", "field-3"]),
        st.sampled_from([Act.ACCEPT, Act.REJECT, Act.REVOKE, Act.END, Act.SUPPLEMENT]),
        st.sampled_from([0, 1]),
        st.integers(1, 2),
    ),
    max_size=8,
)


@given(MOVES, st.sampled_from([Act.TRANSFER, Act.REFERRAL]))
def test_any_story_comes_to_one_end(moves: list[tuple[str, Act, int, int]], kind: Act) -> None:
    """Whatever anybody writes, all laptops agree, nobody but the taker accepts, and once accepted is accepted."""
    story = Story()
    places = [story.offer(act=kind), story.offer(giver="field-3", taker="field-1", act=kind)]
    best: dict[Place, State] = {}
    for handle, act, which, epoch in moves:
        story.answer(handle, act, places[which], epoch=epoch)
    found = story.fold()
    for offer in found.offers:
        best[offer.place] = offer.state
        if offer.answer is not None:
            assert offer.answer.handle == offer.taker
        if offer.revoked is not None:
            assert offer.revoked.handle == offer.giver
        assert (offer.state is State.ENDED) <= (kind is Act.REFERRAL)
    assert set(best) == set(places)
