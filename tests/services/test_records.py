"""Writing records: what is saved, what is refused, and that a refusal writes nothing."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from tests.organisation import Organisation, environment_of, select
from vault.errors import InputRefused, UsageError, VaultError
from vault.model import Kind, Layer
from vault.services.cases import list_cases, show_case
from vault.services.importing import import_file
from vault.services.keyring import Keyring
from vault.services.records import amend, close_case, open_case, record
from vault.services.vault import Vault


def test_an_opened_case_is_saved_where_it_says(org: Organisation) -> None:
    """The answer names journal, number and pseudonym; after reopening the case is there."""
    saved = open_case(org.vault, org.field_1, {"sex": "female", "notes": "first", "consent_statistics": "yes"})
    assert saved.origin == org.vault.signer(org.field_1).origin
    assert (saved.seq, saved.warnings) == (1, ())
    org.reopen()
    view = show_case(org.vault, org.field_1, saved.pseudonym)
    assert [(entry.seq, entry.type) for entry in view.entries] == [(1, "intake")]
    assert view.entries[0].values["sex"] == "female"


def test_one_save_is_one_commit_with_one_checkpoint(org: Organisation) -> None:
    """A single record adds one leaf, its parts and one checkpoint."""
    name = org.case(org.field_1, name="Kim")
    count = "SELECT (SELECT count(*) FROM leaf), (SELECT count(*) FROM checkpoint), (SELECT count(*) FROM part)"
    before = select(org.directory, count)[0]
    org.add(org.field_1, "journey", name, event="arrival")
    assert [after - was for after, was in zip(select(org.directory, count)[0], before, strict=True)] == [1, 1, 2]


@pytest.mark.parametrize(
    ("consent", "warns"), [("yes", False), ("no", True), ("declined", True), ("unknown", True), (None, True)]
)
def test_who_will_not_be_counted_is_said_at_once(org: Organisation, consent: str | None, warns: bool) -> None:
    """Anything but a clear yes to statistics warns the recorder; later records of the case do not repeat it."""
    saved = open_case(org.vault, org.field_1, {"consent_statistics": consent})
    assert bool(saved.warnings) == warns
    assert record(org.vault, org.field_1, "journey", saved.pseudonym, {"event": "arrival"}).warnings == ()


def test_every_problem_is_named_and_nothing_is_written(org: Organisation) -> None:
    """A record with four bad answers is refused once, naming all four, without repeating one of them."""
    before = org.heads()
    bad = {"sex": "Zq woman", "birth_date": "2019-13", "contact": "zq\x00zq", "shoe_size": "zq 38", "minor": True}
    with pytest.raises(InputRefused) as caught:
        open_case(org.vault, org.field_1, bad)
    assert {problem.variable for problem in caught.value.problems} == set(bad)
    assert all(problem.line == 0 for problem in caught.value.problems)
    assert "zq" not in (str(caught.value) + repr(caught.value.problems)).lower()
    assert org.heads() == before


@pytest.mark.parametrize("given", [1.5, [], {}, b"x", object(), float("nan"), 2**80, True])
def test_answers_of_another_type_are_refused(org: Organisation, given: object) -> None:
    """Whatever a program hands over that is neither text nor whole number is a named problem."""
    with pytest.raises(InputRefused):
        open_case(org.vault, org.field_1, {"notes": given})


@pytest.mark.parametrize(
    ("type_name", "pseudonym"),
    [("journey", None), ("voyage", None), ("voyage", "x"), ("intake", "CASE"), ("outcome", "")],
)
def test_a_record_in_the_wrong_place_is_refused(org: Organisation, type_name: str, pseudonym: str | None) -> None:
    """No case for a journey, a type that does not exist, an intake into a case, no pseudonym: usage errors."""
    name = org.case(org.field_1)
    before = org.heads()
    with pytest.raises(UsageError):
        record(org.vault, org.field_1, type_name, name if pseudonym == "CASE" else pseudonym, {"event": "arrival"})
    assert org.heads() == before


def test_an_intake_without_a_case_opens_one(org: Organisation) -> None:
    """`record intake` is `case open`."""
    saved = record(org.vault, org.field_1, "intake", None, {})
    assert [line.pseudonym for line in list_cases(org.vault, org.field_1)] == [saved.pseudonym]


def test_required_answers_are_required(org: Organisation) -> None:
    """journey.event, service.programme and outcome.status are asked for by name."""
    name = org.case(org.field_1)
    for type_name, variable in (("journey", "event"), ("service", "programme"), ("outcome", "status")):
        with pytest.raises(InputRefused) as caught:
            record(org.vault, org.field_1, type_name, name, {"notes": "x"})
        assert [problem.variable for problem in caught.value.problems] == [variable]


def test_closing_is_an_outcome_of_today(org: Organisation) -> None:
    """Status closed, dated with the clock's day; the tally holds its quarter only."""
    name = org.case(org.field_1)
    org.clock.day = datetime.date(2026, 11, 20)
    saved = close_case(org.vault, org.field_1, name)
    entry = show_case(org.vault, org.field_1, name).entries[-1]
    assert (entry.seq, entry.type, entry.day) == (saved.seq, "outcome", "2026-11-20")
    assert entry.values["status"] == "closed"
    assert (entry.values["date"], entry.values["period"]) == ("2026-11-20", "2026-Q4")
    tally = org.tally(org.field_1, saved.seq)
    assert "2026-11" not in str(tally)


def test_closing_bears_the_day_on_the_wall(org: Organisation) -> None:
    """At 05:30 in Seoul the UTC day is yesterday's: the record says today, the entry says the UTC day."""
    name = org.case(org.field_1)
    org.clock.day = datetime.date(2026, 11, 20)
    org.clock.hours_ahead = 24
    close_case(org.vault, org.field_1, name)
    entry = show_case(org.vault, org.field_1, name).entries[-1]
    assert (entry.day, entry.values["date"]) == ("2026-11-20", "2026-11-21")


def test_records_go_on_after_closing(org: Organisation) -> None:
    """A closed case is not locked: somebody comes back, and the last outcome counts."""
    name = org.case(org.field_1)
    close_case(org.vault, org.field_1, name)
    org.add(org.field_1, "outcome", name, status="resettled")
    assert show_case(org.vault, org.field_1, name).status == "resettled"


def test_every_write_can_be_rehearsed(org: Organisation) -> None:
    """`dry_run` checks, answers with the number -1, and writes nothing; what would be refused is refused."""
    name = org.case(org.field_1, notes="x")
    vault, me, before = org.vault, org.field_1, org.heads()
    rehearsed = (
        open_case(vault, me, {}, dry_run=True),
        record(vault, me, "journey", name, {"event": "arrival"}, dry_run=True),
        amend(vault, me, "1", {"notes": "y"}, dry_run=True),
        close_case(vault, me, name, dry_run=True),
    )
    assert [saved.seq for saved in rehearsed] == [-1] * 4
    with pytest.raises(InputRefused):
        record(vault, me, "journey", name, {"event": "zq"}, dry_run=True)
    assert org.heads() == before


@pytest.mark.parametrize("given", ["2019", "2019-03", "2019-03-05"])
def test_partial_dates_are_kept_as_they_were_given(org: Organisation, given: str) -> None:
    """The case layer holds the date as far as it is known, the tally its year or quarter."""
    name = org.case(org.field_1)
    seq = org.add(org.field_1, "journey", name, event="arrival", date=given)
    values = show_case(org.vault, org.field_1, name).entries[-1].values
    assert values["date"] == given
    assert org.tally(org.field_1, seq)["period"] == ("2019" if given == "2019" else "2019-Q1")


@pytest.mark.parametrize(
    "given", ["2019-3", "19", "2019-00", "2019-02-30", "2019/03", "０２０１９", "2019-03-05T00:00"]
)
def test_dates_that_are_none_are_refused(org: Organisation, given: str) -> None:
    """Only YYYY, YYYY-MM and YYYY-MM-DD of the calendar are dates."""
    name = org.case(org.field_1)
    with pytest.raises(InputRefused) as caught:
        record(org.vault, org.field_1, "journey", name, {"event": "arrival", "date": given})
    assert [problem.variable for problem in caught.value.problems] == ["date"]


def test_the_tally_layer_holds_nothing_finer_than_it_may(org: Organisation) -> None:
    """A birth date becomes a band, a day a quarter, a stay a number of nights, a party a token."""
    saved = open_case(org.vault, org.field_1, {"birth_date": "2015-05-06", "party": "Zq night train"})
    stay = {"check_in": "2020-01-30", "check_out": "2020-02-02", "shelter": "Zq house"}
    seq = org.add(org.field_1, "shelter", saved.pseudonym, **stay)
    intake, shelter = org.tally(org.field_1, saved.seq), org.tally(org.field_1, seq)
    assert (intake["age_group"], intake["minor"]) == ("5-11", "yes")
    assert intake["party"] == org.field_1.party_token("Zq night train")
    assert (shelter["nights"], shelter["period"]) == (3, "2020-Q1")
    assert set(intake) | set(shelter) <= {
        variable.name
        for kind in org.vault.codebook.types.values()
        for variable in kind.variables
        if variable.layer is Layer.TALLY
    }
    assert "2015" not in str(intake)


def test_a_party_is_one_for_one_recorder_and_not_across_recorders(org: Organisation) -> None:
    """Equal labels of one recorder give equal tokens; the same label of another recorder gives another."""
    tokens = []
    for me in (org.field_1, org.field_1, org.field_2):
        saved = open_case(org.vault, me, {"party": "night train"})
        tokens.append(org.tally(me, saved.seq)["party"])
    assert tokens[0] == tokens[1] != tokens[2]
    assert all(isinstance(token, bytes) and len(token) == 16 for token in tokens)


def test_the_counting_token_is_the_cases_own(org: Organisation) -> None:
    """Every tally row of a case carries one token, another case another; it is not the case id."""
    names = [org.case(org.field_1, name="same name") for _ in range(2)]
    work = org.work(org.field_1)
    first, second = (work.case(name) for name in names)
    assert len({first.token, second.token, first.case_id, second.case_id}) == 4


def test_equal_records_leave_different_bytes(org: Organisation) -> None:
    """The same answers twice: no two parts or headers are alike, so nothing shows that they were equal."""
    for _ in range(2):
        org.case(org.field_1, name="Kim Min-su", notes="the same")
    parts = [raw for (raw,) in select(org.directory, "SELECT bytes FROM part WHERE layer != 'tally'")]
    assert len({raw[1:17] for raw in parts}) == len({raw[17:] for raw in parts}) == len(parts) == 4


def test_short_and_long_notes_look_alike(org: Organisation) -> None:
    """Parts come in cells: a one-word note and a sentence have the same length, and so do all openings' wraps."""
    for text in ("x", "x" * 60):
        org.case(org.field_1, notes=text)
    lengths = select(org.directory, "SELECT DISTINCT length(bytes) FROM part WHERE layer='case'")
    assert lengths == [(256,)]
    assert (
        len(select(org.directory, "SELECT DISTINCT length(bytes) FROM wrap WHERE purpose IN ('case','identity')")) == 1
    )


def test_the_largest_notes_fit_and_larger_ones_are_refused(org: Organisation) -> None:
    """4,096 bytes of text are kept whole; one more is a named problem."""
    name = org.case(org.field_1, notes="가" * 1365)
    assert show_case(org.vault, org.field_1, name).entries[0].values["notes"] == "가" * 1365
    with pytest.raises(InputRefused) as caught:
        open_case(org.vault, org.field_1, {"notes": "가" * 1366})
    assert [problem.variable for problem in caught.value.problems] == ["notes"]


def test_leaves_say_nothing_but_their_kind(org: Organisation) -> None:
    """An auditor sees kinds, days, hashes and cells; the type of a record is sealed."""
    name = org.case(org.field_1, name="Kim")
    org.add(org.field_1, "service", name, programme="mental_health")
    leaves = [raw for (raw,) in select(org.directory, "SELECT bytes FROM leaf")]
    text = b"".join(leaves)
    assert b"mental_health" not in text
    assert b"service" not in text
    assert b"intake" not in text
    assert Kind.RECORD.value.encode() in text, "negative control"


def _overtaken(patch: pytest.MonkeyPatch, vault: Vault, action: Callable[[], object]) -> None:
    """Another process does `action` after `vault` has read what it needs and before it may write."""
    real = vault.writing

    def writing(me: Keyring) -> AbstractContextManager[None]:
        action()
        return real(me)

    patch.setattr(vault, "writing", writing)


def test_two_processes_never_give_one_pseudonym_twice(org: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two open vaults that draw the same words at the same time: both cases stay visible, by an import too."""
    path = org.lines({"case": "a", "type": "intake"})
    with (
        Vault.open(org.directory, environment_of("same")) as one,
        Vault.open(org.directory, environment_of("same")) as two,
        Vault.open(org.directory, environment_of("same")) as three,
    ):
        _overtaken(monkeypatch, one, lambda: open_case(two, org.field_1, {}))
        open_case(one, org.field_1, {})
        import_file(three, org.field_1, path)
    assert len(list_cases(org.vault, org.field_1)) == 3


def test_two_processes_amending_one_record_lose_nothing(org: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two terminals correct two answers of one record at the same time: both corrections stand, or one is refused."""
    name = org.case(org.field_1, notes="a", health="a")
    with Vault.open(org.directory, org.environment) as other:
        _overtaken(monkeypatch, other, lambda: amend(org.vault, org.field_1, "1", {"notes": "b"}))
        with contextlib.suppress(VaultError):
            amend(other, org.field_1, "1", {"health": "b"})
    assert show_case(org.vault, org.field_1, name).entries[0].values["notes"] == "b"
