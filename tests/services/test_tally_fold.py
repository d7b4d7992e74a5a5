"""Tally rows across journals: one row for each record that counts, the same whatever came first; else no figure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, strategies as st

from tests.services.histories import JOURNALS, RECORD, VAULT, Told, histories, origin_named
from vault.disclosure.people import TallyRow
from vault.errors import IntegrityError, RollbackError
from vault.formats.origin import ROOT, origin_of
from vault.formats.part import Amends, Answers, TallyPayload
from vault.model import Handle, KeyId, Kind, Member, Origin, Place, Policy, PublicKeys, Role, Token
from vault.services.amendments import counting
from vault.services.roster import Roster
from vault.services.tally_fold import TallyFold, TallyJournal

TOKEN, OTHER = Token(b"t" * 16), Token(b"o" * 16)


def _member(handle: str, role: Role) -> Member:
    keys = PublicKeys(signing=bytes(32), sealing=bytes(1216))
    return Member(handle=Handle(handle), role=role, keys=keys, key_id=KeyId(handle.encode().ljust(16, b"\0")))


@dataclass
class Books:
    """Journals as a director has them, entry by entry."""

    rows: dict[Place, tuple[Kind, int, TallyPayload | None]] = field(default_factory=dict)
    members: dict[str, Member] = field(
        default_factory=lambda: {
            handle: _member(handle, role)
            for handle, role in (("field-1", Role.RECORDER), ("field-2", Role.RECORDER), ("hub-1", Role.HUB))
        }
    )
    erased: set[Place] = field(default_factory=set)

    def record(self, place: Place, *, day: int = 100, token: Token = TOKEN, kind: str = "intake", **said: str) -> None:
        """A record."""
        values: Answers = {"consent_statistics": "yes", **said}
        self.rows[place] = (Kind.RECORD, day, TallyPayload(token=token, type=kind, values=values))

    def amendment(self, place: Place, amends: int | Amends, *, day: int = 100, **said: str) -> None:
        """An amendment of the intake with this token."""
        values: Answers = {"consent_statistics": "yes", **said}
        tally = TallyPayload(token=TOKEN, type="intake", values=values, amends=amends)
        self.rows[place] = (Kind.AMEND, day, tally)

    def revoke(self, handle: str, **sizes: int) -> None:
        """Cuts a member off: `_1=7` means seven entries of epoch 1 count."""
        ends = tuple((origin_named(handle, int(epoch[1:])), size) for epoch, size in sizes.items())
        self.members[handle] = replace(self.members[handle], revoked_at=ends)

    def fold(self, origins: list[Origin] = JOURNALS) -> list[TallyRow]:
        """The rows, with the journals numbered in this order."""
        roster = Roster(
            vault_id=VAULT,
            origin=origin_of(VAULT, ROOT, 1),
            recovery=b"",
            recovery_id=KeyId(bytes(16)),
            members=tuple(self.members.values()),
            policy=Policy(),
            codebooks=(),
        )
        fold = TallyFold(roster, {origin: self._journal(number, origin) for number, origin in enumerate(origins, 1)})
        for origin in origins:
            limit = fold.journals[origin].limit
            for place, (kind, _, tally) in self.rows.items():
                if place.origin == origin and place.seq < limit and place not in self.erased and tally is not None:
                    fold.take(place, kind, tally)
        return fold.rows()

    def _journal(self, number: int, origin: Origin) -> TallyJournal:
        here = {place.seq: row for place, row in self.rows.items() if place.origin == origin}
        size = max(here, default=-1) + 1
        kinds = [here[seq][:2] if seq in here else (Kind.GRANT, 0) for seq in range(size)]
        revoked = self.members[origin.split("/")[2]].revoked_at
        return TallyJournal(
            number=number,
            kinds=kinds,
            tallied={seq for seq, row in here.items() if row[2] is not None},
            erased={place.seq for place in self.erased if place.origin == origin},
            limit=size if revoked is None else dict(revoked).get(origin, 0),
        )


def values(rows: list[TallyRow]) -> list[Any]:
    """What the rows say, without the numbers of the journals."""
    return [(row.token, row.type, dict(row.values), row.place) for row in rows]


def over(*places: Place) -> Amends:
    """An amendment of the record that supersedes these."""
    return Amends(record=RECORD, superseded=places)


LATE = Place(JOURNALS[2], 9)


@pytest.fixture
def books() -> Books:
    """One intake in field-1's second epoch."""
    found = Books()
    found.record(RECORD, sex="female")
    return found


@given(histories(), st.permutations(JOURNALS), st.randoms(use_true_random=False))
def test_any_interleaving_gives_the_same_rows(told: Told, origins: list[Origin], chance: Any) -> None:  # noqa: ANN401
    """Journals that came in any order, rows that are read in any order: one row, of the version that counts."""
    books, history = Books(), told.history
    books.record(RECORD, sex="female")
    for place, amends in history.links.items():
        books.amendment(place, amends, day=history.days[place], sex=f"{place.origin[-4:]}:{place.seq}")
    expected = books.fold()
    latest = counting(history.unbeaten(frozenset(history.past)), history.days)
    assert [row.place for row in expected] == [f"{latest.origin}:{latest.seq}"]
    shuffled = list(books.rows.items())
    chance.shuffle(shuffled)
    books.rows = dict(shuffled)
    assert values(books.fold(origins)) == values(expected)


def test_rows_come_in_an_order_that_follows_from_them(books: Books) -> None:
    """By the day of the record, then by handle, epoch and seq; not by the number that a journal happened to get."""
    for place, day in ((Place(JOURNALS[1], 0), 90), (LATE, 95), (Place(JOURNALS[2], 3), 100)):
        books.record(place, day=day, token=OTHER)
    ordered = [row.place.rpartition("field")[2] for row in books.fold()]
    assert ordered == ["-1/2:1", "-1/10:0", "-2/1:3", "-2/1:9"]
    assert values(books.fold(JOURNALS[::-1])) == values(books.fold())


def test_an_amendment_in_another_journal_replaces_the_row(books: Books) -> None:
    """One person, one row, the place of the version that counts; the record's journal asks for consent."""
    books.amendment(LATE, over(RECORD), sex="male")
    (row,) = books.fold()
    assert (row.values["sex"], row.place, row.journal) == ("male", f"{LATE.origin}:9", 1)


def test_of_two_that_contradict_each_other_the_later_day_counts(books: Books) -> None:
    """And the other one does not make a second row."""
    books.amendment(Place(JOURNALS[0], 2), 1, day=103, sex="unknown")
    books.amendment(LATE, over(RECORD), day=102, sex="male")
    assert [row.values["sex"] for row in books.fold()] == ["unknown"]
    books.amendment(LATE, over(RECORD), day=104, sex="male")
    assert [row.values["sex"] for row in books.fold()] == ["male"]


@pytest.mark.parametrize("said", ["no", "declined", "unknown"])
@pytest.mark.parametrize("earlier", [True, False])
def test_no_yes_counts_over_a_no_that_stands(books: Books, said: str, earlier: bool) -> None:
    """Until the conflict is settled, consent is what withholds it, whichever day counts for everything else."""
    books.amendment(Place(JOURNALS[0], 2), 1, day=99 if earlier else 103, consent_statistics=said)
    books.amendment(LATE, over(RECORD), day=101, sex="male")
    (row,) = books.fold()
    assert row.values["consent_statistics"] == said
    assert row.values["sex"] == "male" if earlier else "sex" not in row.values
    books.amendment(Place(JOURNALS[2], 10), over(Place(JOURNALS[0], 2), LATE), day=101)
    assert books.fold()[0].values["consent_statistics"] == "yes", "negative control: settled"


# -- what must not count, and what refuses everything ------------------------------------------------------------------


def test_an_amendment_whose_journal_has_not_come_is_waited_for(books: Books) -> None:
    """No figure, and the message names the journal; with the journal there is one."""
    books.amendment(LATE, over(RECORD), sex="male")
    with pytest.raises(RollbackError, match="field-1/2:1, which has not come") as caught:
        books.fold([JOURNALS[2]])
    assert f"{LATE.origin}:9" in caught.value.message
    assert caught.value.code == 21
    assert len(books.fold()) == 1, "negative control"


def test_a_journal_that_has_not_come_far_enough_is_waited_for(books: Books) -> None:
    """The record, or a version that was superseded, lies beyond what is here."""
    books.amendment(LATE, over(Place(JOURNALS[0], 5)), sex="male")
    with pytest.raises(RollbackError, match="field-1/2:5, which has not come"):
        books.fold()
    books.amendment(Place(JOURNALS[0], 5), 1)
    assert len(books.fold()) == 1, "negative control"
    books.amendment(LATE, over(Place(JOURNALS[1], 0)), sex="male")
    with pytest.raises(RollbackError, match="field-1/10:0, which has not come"):
        books.fold([JOURNALS[0], JOURNALS[2]])


def test_another_persons_row_is_not_amended(books: Books) -> None:
    """Another token, another type, across journals as within one."""
    books.record(RECORD, token=OTHER)
    books.amendment(LATE, over(RECORD))
    with pytest.raises(IntegrityError, match="another person's") as caught:
        books.fold()
    assert caught.value.message.startswith(f"{LATE.origin}:9: ")
    books.record(RECORD, kind="outcome")
    with pytest.raises(IntegrityError, match="another person's"):
        books.fold()


NOTHING: dict[str, int | Amends] = {
    "a grant": Amends(record=Place(JOURNALS[0], 0), superseded=(RECORD,)),
    "an amendment": Amends(record=Place(JOURNALS[0], 2), superseded=(RECORD,)),
    "a record without a tally": Amends(record=Place(JOURNALS[0], 6), superseded=(Place(JOURNALS[0], 6),)),
    "a reveal": Amends(record=Place(JOURNALS[0], 3), superseded=(RECORD,)),
    "supersedes a grant": over(Place(JOURNALS[0], 0)),
    "supersedes another record": over(Place(JOURNALS[0], 4)),
    "supersedes another record's amendment": over(Place(JOURNALS[0], 5)),
    "a hub's entry": Amends(record=Place(origin_named("hub-1", 1), 0), superseded=(RECORD,)),
    "a stranger's entry": Amends(record=Place(origin_named("field-9", 1), 0), superseded=(RECORD,)),
    "another vault's": Amends(record=Place(Origin(JOURNALS[0].replace(VAULT, "f" * 32)), 1), superseded=(RECORD,)),
    "its own future": Amends(record=RECORD, superseded=(RECORD, Place(LATE.origin, 10))),
    "itself": 9,
    "beyond its own journal": 99,
}


@pytest.mark.parametrize("amends", NOTHING.values(), ids=NOTHING)
def test_what_is_no_record_is_not_amended(books: Books, amends: int | Amends) -> None:
    """Refused, and the amendment named."""
    books.amendment(Place(JOURNALS[0], 2), 1)
    books.rows[Place(JOURNALS[0], 3)] = (Kind.REVEAL, 100, None)
    books.record(Place(JOURNALS[0], 4))
    books.amendment(Place(JOURNALS[0], 5), 4)
    books.rows[Place(JOURNALS[0], 6)] = (Kind.RECORD, 100, None)
    books.amendment(LATE, over(RECORD))
    books.amendment(Place(LATE.origin, 10), over(RECORD))
    assert len(books.fold()) == 2, "control"
    books.amendment(LATE, amends)
    with pytest.raises(IntegrityError, match=r"amends|supersedes") as caught:
        books.fold()
    assert caught.value.message.startswith(f"{LATE.origin}:9: ")
    assert caught.type is IntegrityError, "nothing that one could wait for"


@pytest.mark.parametrize("kind", [Kind.RECORD, Kind.AMEND, Kind.REVEAL])
def test_a_row_and_its_entry_agree_on_what_they_are(books: Books, kind: Kind) -> None:
    """A record that says it amends, an amendment that does not say what, a reveal that counts: refused."""
    for amends in (None, 1):
        books.rows[Place(JOURNALS[0], 2)] = (
            kind,
            100,
            TallyPayload(token=TOKEN, type="intake", values={}, amends=amends),
        )
        if (kind, amends) in ((Kind.RECORD, None), (Kind.AMEND, 1)):
            books.fold()
        else:
            with pytest.raises(IntegrityError, match="amends nothing"):
                books.fold()


def test_rows_beyond_the_end_of_a_revoked_writer_do_not_count(books: Books) -> None:
    """A record there, an amendment there, and an amendment of a record there: as if they had not been written."""
    books.record(LATE, token=OTHER)
    books.amendment(Place(JOURNALS[2], 10), over(RECORD), sex="male")
    books.amendment(Place(JOURNALS[0], 2), Amends(record=RECORD, superseded=(RECORD, Place(JOURNALS[2], 10))))
    assert len(books.fold()) == 2, "negative control"
    books.revoke("field-2", _1=10)
    assert [row.token for row in books.fold()] == [TOKEN, OTHER]
    assert books.fold()[0].place == f"{RECORD.origin}:2"
    books.revoke("field-2", _1=9)
    assert [row.token for row in books.fold()] == [TOKEN]
    books.revoke("field-1", _2=1)
    assert books.fold() == []


def test_an_amendment_of_what_a_revoked_writer_wrote_too_late_waits_for_nothing(books: Books) -> None:
    """It does not count, whether that journal is here or not: a revoked member cannot hold up the figures."""
    late = Amends(record=Place(JOURNALS[2], 50), superseded=(Place(JOURNALS[2], 50),))
    books.amendment(Place(JOURNALS[0], 2), late)
    with pytest.raises(RollbackError):
        books.fold()
    books.revoke("field-2", _1=50)
    assert [row.place for row in books.fold()] == [f"{RECORD.origin}:1"]
    assert len(books.fold(JOURNALS[:2])) == 1


def test_an_erased_record_takes_its_amendments_with_it(books: Books) -> None:
    """Also those that stand in another's journal; an erased amendment leaves the record."""
    books.amendment(LATE, over(RECORD), sex="male")
    books.erased.add(LATE)
    assert [row.values["sex"] for row in books.fold()] == ["female"]
    books.erased = {RECORD}
    assert books.fold() == []
