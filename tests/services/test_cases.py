"""Reading one's own cases, and finding them by a name that is never opened."""

from __future__ import annotations

import contextlib
import unicodedata

import pytest

from tests.organisation import Organisation
from vault.errors import UsageError, VaultError
from vault.services.cases import find_cases, list_cases, show_case
from vault.services.casework import Casework
from vault.services.records import amend, close_case
from vault.services.reveal import reveal


def _found(org: Organisation, query: str) -> list[str]:
    return [line.pseudonym for line in find_cases(org.vault, org.field_1, query)]


def test_cases_are_listed_in_the_order_in_which_they_were_opened(org: Organisation) -> None:
    """Pseudonym, last status, records and amendments; a reveal is no entry of the case."""
    names = [org.case(org.field_1, notes=str(n)) for n in range(3)]
    org.add(org.field_1, "outcome", names[1], status="in_transit")
    amend(org.vault, org.field_1, "2", {"notes": "x"})
    reveal(org.vault, org.field_1, names[1], "why")
    close_case(org.vault, org.field_1, names[2])
    lines = list_cases(org.vault, org.field_1)
    assert [(line.pseudonym, line.status, line.entries) for line in lines] == [
        (names[0], "open", 1),
        (names[1], "in_transit", 3),
        (names[2], "closed", 2),
    ]
    assert list_cases(org.vault, org.field_2) == ()


def test_a_shown_case_never_holds_the_identity_layer(org: Organisation) -> None:
    """Case and tally values are shown; identity values and tokens are not."""
    name = org.case(org.field_1, name="Zq name", contact="zq contact", relatives="zq kin", language="Korean", party="p")
    view = show_case(org.vault, org.field_1, name)
    (entry,) = view.entries
    assert "zq" not in str(dict(entry.values)).lower()
    assert entry.values["language"] == "Korean"
    assert entry.values["party"] == "p"
    assert not any(isinstance(value, bytes) for value in entry.values.values())


def test_showing_opens_no_identity_part(org: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Listing, showing and amending the case layer use no identity key at all."""
    name = org.case(org.field_1, name="Kim")

    def opened(*args: object) -> bytes:
        raise AssertionError("the identity layer's key was opened")

    monkeypatch.setattr(Casework, "identity_segments", opened)
    show_case(org.vault, org.field_1, name)
    list_cases(org.vault, org.field_1)
    amend(org.vault, org.field_1, "1", {"notes": "x"})
    with pytest.raises(AssertionError):
        reveal(org.vault, org.field_1, name, "negative control")


@pytest.mark.parametrize("spelling", ["{}", " {} ", "{}\n", "UPPER"])
def test_a_pseudonym_may_be_typed_loosely(org: Organisation, spelling: str) -> None:
    """Outer spaces and capitals do not matter."""
    name = org.case(org.field_1)
    typed = name.upper() if spelling == "UPPER" else spelling.format(name)
    assert show_case(org.vault, org.field_1, typed).pseudonym == name


@pytest.mark.parametrize("pseudonym", ["", "amber-heron", "no-such-99", "\udcff", "x" * 100_000])
def test_an_unknown_case_is_a_usage_error(org: Organisation, pseudonym: str) -> None:
    """Exit code 2, and what was typed is not repeated."""
    org.case(org.field_1)
    with pytest.raises(UsageError) as caught:
        show_case(org.vault, org.field_1, pseudonym)
    assert caught.value.code == 2
    assert not pseudonym or pseudonym not in str(caught.value)


@pytest.fixture
def people(org: Organisation) -> dict[str, str]:
    """Names that real people have."""
    return {
        name: org.case(org.field_1, name=name)
        for name in ("김민수", "Kim Min-su", "Park Ji-won", "Nguyễn Văn An", "O'Neill Sean", "남궁 하늘")
    }


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("김민수", {"김민수"}),
        ("김", {"김민수"}),
        ("민수", {"김민수"}),
        ("하늘", {"남궁 하늘"}),
        ("kim", {"Kim Min-su"}),
        ("KIM", {"Kim Min-su"}),
        ("min", {"Kim Min-su"}),
        ("kim su", {"Kim Min-su"}),
        ("ji won", {"Park Ji-won"}),
        ("nguyễn", {"Nguyễn Văn An"}),
        ("an van", set()),
        ("ＰＡＲＫ", {"Park Ji-won"}),
        ("kim park", set()),
        ("imm", set()),
        ("zzz", set()),
    ],
)
@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKD"])
def test_names_are_found_by_the_beginnings_of_their_words(
    org: Organisation, people: dict[str, str], query: str, names: set[str], form: str
) -> None:
    """Composed or decomposed, in capitals or full width; every word must match, in any order."""
    typed = unicodedata.normalize(form, query)  # type: ignore[arg-type]
    assert set(_found(org, typed)) == {people[name] for name in names}


@pytest.mark.parametrize("name", ["Kim Min-su", "Park Ji-won", "O'Neill Sean"])
def test_a_whole_name_typed_as_it_was_recorded_finds_it(org: Organisation, people: dict[str, str], name: str) -> None:
    """Whoever types the very name that was recorded finds the case."""
    assert _found(org, name) == [people[name]]


def test_korean_recorded_decomposed_is_found_composed(org: Organisation) -> None:
    """NFC on the way in: a name from a keyboard that decomposes is the same name."""
    name = org.case(
        org.field_1, name=unicodedata.normalize("NFD", "이지원"), notes=unicodedata.normalize("NFD", "눈이 왔다")
    )
    assert _found(org, "이지원") == [name]
    assert _found(org, unicodedata.normalize("NFD", "지원")) == [name]
    assert show_case(org.vault, org.field_1, name).entries[0].values["notes"] == "눈이 왔다"


def test_the_case_layer_and_the_pseudonym_are_searched_too(org: Organisation) -> None:
    """Notes and places are found anywhere in the text; a pseudonym or a part of it as well."""
    name = org.case(org.field_1, notes="speaks Hamgyong dialect")
    org.add(org.field_1, "journey", name, event="transit", route="by the old mill")
    other = org.case(org.field_1)
    assert _found(org, "hamgyong") == [name]
    assert _found(org, "OLD MILL hamg") == [name]
    assert _found(org, other) == [other]
    assert other in _found(org, other.split("-")[1])


def test_an_amended_name_is_found(org: Organisation) -> None:
    """The name that an amendment gave is in the index; other names are too."""
    name = org.case(org.field_1, name="Kim", other_names="Hana, 두리")
    amend(org.vault, org.field_1, "1", {"name": "Choi"})
    for query in ("choi", "hana", "두리"):
        assert _found(org, query) == [name]


def test_long_names_are_found_by_their_first_letters(org: Organisation) -> None:
    """Index tags cover twelve characters of a word; a longer query is cut to them."""
    name = org.case(org.field_1, name="Papadimitrakopoulou")
    assert _found(org, "papadimitrako") == _found(org, "papadimitrakopoulou") == [name]
    assert _found(org, "papadimitrax") == []


def test_somebody_with_many_names_is_found_by_each(org: Organisation) -> None:
    """Fourteen aliases of eight letters each: the last in the alphabet is found as well."""
    names = [f"{letter}bcdefgh" for letter in "acegikmoqsuwyz"]
    name = org.case(org.field_1, other_names=", ".join(names))
    assert all(_found(org, query) == [name] for query in names)


@pytest.mark.parametrize("query", ["", "   ", "\u3000\n"])
def test_an_empty_query_is_refused(org: Organisation, query: str) -> None:
    """Nothing to look for: a usage error, not every case."""
    with pytest.raises(UsageError):
        find_cases(org.vault, org.field_1, query)


def test_a_query_with_half_a_character_does_not_throw(org: Organisation) -> None:
    """An undecodable argument reaches Python as a lone surrogate: nothing is found, or a usage error says why."""
    org.case(org.field_1, name="Kim")
    with contextlib.suppress(VaultError):
        assert _found(org, "zq\udcff") == []


def test_another_cases_index_does_not_answer(org: Organisation) -> None:
    """Each case's tags are under its own key: equal names leave no equal tags, and both are found."""
    names = [org.case(org.field_1, name="Kim") for _ in range(2)]
    work = org.work(org.field_1)
    tags = [set(work.entry(work.case(name), work.case(name).place).payload.tags) for name in names]
    assert tags[0].isdisjoint(tags[1])
    assert all(tags)
    assert sorted(_found(org, "kim")) == sorted(names)


def test_an_entry_shows_when_it_was_written_and_by_what_amended(org: Organisation) -> None:
    """Day of writing in ISO form, and the numbers of the amendments."""
    name = org.case(org.field_1, notes="a")
    first = amend(org.vault, org.field_1, "1", {"notes": "b"}).seq
    second = amend(org.vault, org.field_1, "1", {"notes": "c"}).seq
    (entry,) = show_case(org.vault, org.field_1, name).entries
    assert (entry.day, entry.amended_by, entry.values["notes"]) == ("2026-03-14", (first, second), "c")
