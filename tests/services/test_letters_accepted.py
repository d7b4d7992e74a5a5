"""What a successor believes of the letters that come with a restored case: no more than the lost member signed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import pytest

from tests.organisation import Organisation
from tests.services.custodians import accept_all, lose, restored
from tests.services.handing import opened_case
from tests.services.lost_letters import KEY, KNOWN, armed, journey, letter, planted, rows
from tests.services.travelling import NEWER
from vault.errors import IntegrityError
from vault.formats.codebook import Codebook
from vault.formats.delivery import DeliveredPart, DeliveredTally
from vault.formats.letter import parse_letter
from vault.formats.wraps import CaseWrap
from vault.model import CaseId, Kind, Layer, Origin, Place, Pseudonym, Role, Token
from vault.services import answering, handing, letters_lost, letters_read, parcels, received, records
from vault.services.answering import accept_offer
from vault.services.case_keys import Case
from vault.services.cases import list_cases, show_case
from vault.services.casework import Casework
from vault.services.delivered import Delivered
from vault.services.exchange import Exchange, read_exchange
from vault.services.handing import offer_transfer
from vault.services.letters import part_key
from vault.services.letters_lost import LetterCase, LostLetter, LostLetters, with_letters
from vault.services.letters_read import OpenedLetter, SealedLetter
from vault.services.letters_received import recorded_letters
from vault.services.lost_member import LostReceived, LostWork
from vault.services.parcels import Contents, case_keys, gather, segments_in
from vault.services.places import Name
from vault.services.quorum import OpenedRecovery
from vault.services.received import Received
from vault.services.restoring import Restored
from vault.services.revoking import revoke
from vault.services.vault import Vault


def all_into(case: str) -> Callable[[LostLetters, Iterable[LostLetter]], None]:
    """A hub's program that puts every letter into one case."""

    def assign(self: LostLetters, letters: Iterable[LostLetter]) -> None:
        self.of_cases[self.work.cases[case].case_id] = list(letters)

    return assign


def answered(org: Organisation, done: Restored) -> tuple[list[str], dict[str, str]]:
    """The successor accepts each offer that holds what it should; the cases, and why the others are refused."""
    names, refused = [], {}
    for offer in done.offers:
        try:
            names.append(str(accept_offer(org.vault, org.field_2, offer).pseudonym))
        except IntegrityError as error:
            refused[offer] = error.message
    return names, refused


def test_a_letter_of_another_case_is_refused(org: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hub whose program assigns letters as it likes gets none into a case of another name; nothing is written."""
    case, other = opened_case(org, org.field_1), opened_case(org, org.field_1)
    seq = journey(org, other)
    lose(org)
    with monkeypatch.context() as patch:
        patch.setattr(LostLetters, "_assign", all_into(case))
        done = restored(org)
    before = org.size(org.field_2)
    names, refused = answered(org, done)
    assert names == [other]
    assert list(refused.values()) == [f"entry field-1/1:{seq} is of another case than the one it came with"]
    assert [line.pseudonym for line in list_cases(org.vault, org.field_2)] == [other]
    assert org.size(org.field_2) == before + 1


def test_no_letter_opens_a_case_inside_another(org: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even under the same name."""
    case = opened_case(org, org.field_1)
    with monkeypatch.context() as patch:
        patch.setattr(records, "draw_name", lambda _: Pseudonym(case))
        records.open_case(org.vault, armed(org), NEWER)
    lose(org)
    with monkeypatch.context() as patch:
        patch.setattr(LostLetters, "_assign", all_into(case))
        done = restored(org)
    with pytest.raises(IntegrityError, match="of another case"):
        accept_all(org, done)


def test_only_the_first_letter_opens_its_case(org: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that open one of the same name are two people: a hub whose program makes one case of them has it refused.
    Negative control: apart they are two cases."""
    monkeypatch.setattr(records, "draw_name", lambda _: Pseudonym("amber-heron-07"))
    first, second = (records.open_case(org.vault, armed(org), NEWER) for _ in range(2))
    assert first.pseudonym == second.pseudonym
    lose(org)
    assert restored(org, dry_run=True).cases == 2
    assign = LostLetters._assign

    def as_one(self: LostLetters, letters: Iterable[LostLetter]) -> None:
        assign(self, letters)
        one, two = self.opening
        one.letters += two.letters
        self.opening = [one]

    with monkeypatch.context() as patch:
        patch.setattr(LostLetters, "_assign", as_one)
        done = restored(org)
    assert (done.cases, done.letters_handed) == (1, 2)
    names, refused = answered(org, done)
    assert names == []
    assert list(refused.values()) == [f"entry field-1/1:{second.seq} is of another case than the one it came with"]


def test_a_letter_behind_the_end_is_refused(org: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    """What root cut off counts for nothing, whatever a hub hands on."""
    case = opened_case(org, org.field_1)
    size, origin = org.size(org.field_1), org.vault.signer(org.field_1).origin
    journey(org, case)
    revoke(org.vault, org.root, "field-1", upto={origin: size})
    before = LostLetters.__init__

    def laxer(
        self: LostLetters,
        lost: LostReceived,
        work: LostWork,
        opened: OpenedRecovery,
        counts: Mapping[Origin, int],
    ) -> None:
        before(self, lost, work, opened, dict.fromkeys(counts, 1000))

    with monkeypatch.context() as patch:
        patch.setattr(LostLetters, "__init__", laxer)
        done = restored(org)
    assert done.letters_handed == 1
    with pytest.raises(IntegrityError, match="that counts"):
        accept_all(org, done)


def test_a_letter_of_somebody_else_is_refused(org: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even one that another member signed, about a case that is called the same: its place says whose it is."""
    case = opened_case(org, org.field_1)
    theirs = planted(org, letter(case, opens=False, kind="journey", **KNOWN), by="field-2")
    third = org.enrol("field-3", Role.RECORDER)
    place = org.place(org.field_2, theirs)
    raw = org.vault.store.part(org.vault.journal_number(place.origin), theirs, Layer.CASE)
    assert raw is not None
    journey(org, case)
    lose(org)
    opening = LostLetters._opened  # what a hub's program of its own would do

    def another(self: LostLetters, sealed: SealedLetter) -> LostLetter:
        found = opening(self, sealed)
        keys = {Layer.CASE: part_key(KEY, Layer.CASE)}
        return replace(found, opened=replace(found.opened, place=place), parts={Layer.CASE: raw}, keys=keys)

    with monkeypatch.context() as patch:
        patch.setattr(LostLetters, "_opened", another)
        done = restored(org, to="field-3")
    assert done.letters_handed == 1
    with pytest.raises(IntegrityError, match='nothing that "field-1" wrote'):
        accept_offer(org.vault, third, done.offers[0])


def test_a_letter_without_its_names_is_refused(org: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part that was kept back is missed: the leaf says that there is one."""
    records.open_case(org.vault, armed(org), NEWER)
    lose(org)
    with monkeypatch.context() as patch:
        patch.setattr(
            LostLetter,
            "delivered",
            property(
                lambda self: (DeliveredPart(place=self.place, layer=Layer.CASE, raw=self.parts[Layer.CASE]),),
            ),
        )
        done = restored(org)
    with pytest.raises(IntegrityError, match="delivered otherwise"):
        accept_all(org, done)


def test_letters_wait_for_the_journal_they_stand_in(org: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the leaves of the lost member nothing says what they signed: the case is accepted once they are here."""
    plain, case = opened_case(org, org.field_1), opened_case(org, org.field_1)
    journey(org, case)
    lose(org)
    done = restored(org)
    origin = org.vault.signer(org.field_1).origin

    def without(vault: Vault) -> Exchange:
        found = read_exchange(vault)
        return replace(found, leaves={name: leaves for name, leaves in found.leaves.items() if name != origin})

    with monkeypatch.context() as patch:
        patch.setattr(received, "read_exchange", without)
        names, refused = answered(org, done)
    assert names == [plain], "a case without letters is taken, as ever"
    ((waits, why),) = refused.items()
    assert "cannot be checked before the journal" in why
    assert accept_offer(org.vault, org.field_2, waits).pseudonym == case
    assert len(show_case(org.vault, org.field_2, case).entries) == 3


@pytest.mark.parametrize("kind", ["bogus", "journey"])
def test_the_successor_checks_the_answers_too(org: Organisation, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """What does not fit the codebook would stop every total, whatever a hub's program let through."""
    case = opened_case(org, org.field_1)
    seq = planted(org, letter(case, opens=False, kind=kind, event="bogus"))
    before = letters_read.read_letter

    def laxer(codebook: Codebook, place: Place, payloads: Mapping[Layer, bytes]) -> OpenedLetter:
        honest = before(codebook, place, letter(case, opens=False, kind="journey", **KNOWN))
        return replace(honest, letter=parse_letter(payloads[Layer.CASE]))

    lose(org)
    with monkeypatch.context() as patch:
        patch.setattr(letters_lost, "read_letter", laxer)
        done = restored(org)
    names, refused = answered(org, done)
    assert (names, len(refused)) == ([], 1)
    assert next(iter(refused.values())).startswith(f"entry field-1/1:{seq}: ")


def test_a_letter_is_recorded_once(org: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    """A headquarters that hands it on once more, as another case: one of them is accepted."""
    records.open_case(org.vault, armed(org), NEWER)
    lose(org)
    first = restored(org)
    with monkeypatch.context() as patch:
        patch.setattr(letters_lost, "letter_case", lambda _: (CaseId(bytes(16)), Token(bytes(16))))
        second = restored(org)
    assert len(accept_all(org, first)) == 1
    names, refused = answered(org, second)
    assert names == []
    assert ["became a record of yours before" in why for why in refused.values()] == [True]
    assert len(rows(org)) == 1


def test_a_party_token_that_is_none(org: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is passed over: the successor's own is taken."""
    records.open_case(org.vault, armed(org), {**NEWER, "party": "the river"})
    lose(org)
    with monkeypatch.context() as patch:
        patch.setattr(
            LostLetters,
            "parties",
            lambda _, letters: tuple(DeliveredTally(place=item.place, values={"party": b"short"}) for item in letters),
        )
        done = restored(org)
    accept_all(org, done)
    token = org.tally(org.field_2, org.size(org.field_2) - 1)["party"]
    assert token == org.field_2.party_token("the river")


def test_what_an_older_program_accepted(org: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    """It recorded no letters: they are named as damaged, not passed over; and what the successor then writes is theirs,
    and said to be no letter, however many records stand behind the acceptance."""
    case = opened_case(org, org.field_1)
    seq = journey(org, case)
    org.add(org.field_1, "journey", case, event="arrival", notes="behind it")
    lose(org)
    with monkeypatch.context() as patch:
        patch.setattr(answering, "arrived_letters", lambda *_: ())
        patch.setattr(answering, "lasting_segments", segments_in)  # it kept the keys of letters
        accept_all(org, restored(org))
    for count, said in enumerate(["mine", "mine too"], start=4):
        org.add(org.field_2, "journey", case, event="transit", notes=said)
        damaged: list[Name] = []
        shown = show_case(org.vault, org.field_2, case, damaged=damaged).entries
        assert [entry.letter for entry in shown] == [""] * count
        assert damaged == [f"field-1/1:{seq}"]
    assert Received(org.vault, org.field_2).letters(org.work(org.field_2).case(case).case_id) == {}


def test_a_letter_that_somebody_adds_later_is_no_record(org: Organisation) -> None:
    """A letter of another member that came after the acceptance hides none of those that were recorded, and nothing is
    taken for its record."""
    case = opened_case(org, org.field_1)
    seq = journey(org, case)
    lose(org)
    accept_all(org, restored(org))
    org.add(org.field_2, "journey", case, event="transit", notes="mine")
    found = Received(org.vault, org.field_2)
    (offer,) = found.offers
    lost, other = org.place(org.field_1, seq), Place(Origin(f"fieldvault/{org.vault.vault_id}/field-3/1"), 3)
    delivered = [Delivered(place=place, kind=Kind.RECORD, day=0, parts={}, letter=True) for place in (other, lost)]
    recorded = recorded_letters(found.exchange, offer, delivered, found.own_case_wrap)
    assert offer.accepted is not None
    assert recorded == {lost: Place(offer.accepted.origin, offer.accepted.seq + 1)}


def test_a_transfer_brings_no_letters(org: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a restore does: a giver's own program adds a letter to what it hands over, with its key; no record comes of
    it, and no row."""
    case = opened_case(org, org.field_1)
    seq = planted(org, letter(case, opens=False, kind="journey", **KNOWN))
    place = org.place(org.field_1, seq)
    raw = org.vault.store.part(org.vault.journal_number(place.origin), seq, Layer.CASE)
    assert raw is not None
    mine = LostLetter.__new__(LostLetter)
    object.__setattr__(mine, "opened", type("Opened", (), {"place": place})())
    object.__setattr__(mine, "keys", {Layer.CASE: part_key(KEY, Layer.CASE)})

    def more(work: Casework, received: Received, given: Case, *, identity: bool, but_by: str) -> Contents:
        found = gather(work, received, given, identity=identity, but_by=but_by)
        return replace(found, parts=(*found.parts, DeliveredPart(place=place, layer=Layer.CASE, raw=raw)))

    def keys(work: Casework, given: Case, *, identity: bool) -> tuple[CaseWrap, ...]:
        first, *rest = case_keys(work, given, identity=identity)
        return (replace(first, earlier=with_letters(first.earlier, [mine], Layer.CASE)), *rest)

    before = rows(org)
    with monkeypatch.context() as patch:
        patch.setattr(handing, "gather", more)
        patch.setattr(parcels, "case_keys", keys)
        offer = offer_transfer(org.vault, org.field_1, case, "field-2").offer
    handed = accept_offer(org.vault, org.field_2, offer)
    assert (handed.entries, handed.letters) == (3, 0)
    damaged: list[Name] = []
    assert len(show_case(org.vault, org.field_2, case, damaged=damaged).entries) == 2
    assert damaged == [f"field-1/1:{seq}"]
    assert rows(org) == before


def test_a_large_letter_is_left(org: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    """What no delivery has room for stays; the case goes."""
    case = opened_case(org, org.field_1)
    journey(org, case)
    monkeypatch.setattr(letters_lost, "MOST_PART", 10)
    lose(org)
    done = restored(org)
    assert (done.cases, done.letters_handed, done.letters) == (1, 0, 1)


@pytest.mark.parametrize("what", ["token", "case_id"])
def test_no_hub_chooses_as_whom_a_person_counts(org: Organisation, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """A case that a letter opens has the id and the token that follow from it: not those of somebody else's case, with
    which it would be merged."""
    name = opened_case(org, org.field_1)
    case = org.work(org.field_1).case(name)
    records.open_case(org.vault, armed(org), NEWER)
    lose(org)
    made = LostLetters._new_case

    def chosen(self: LostLetters, item: LostLetter) -> LetterCase:
        found = made(self, item)
        setattr(found, what, getattr(case, what) if what == "token" else bytes(16))
        return found

    with monkeypatch.context() as patch:
        patch.setattr(LostLetters, "_new_case", chosen)
        done = restored(org)
    names, refused = answered(org, done)
    assert (len(names), list(refused.values())) == (
        1,
        ["entry field-1/1:3 is of another case than the one it came with"],
    )
