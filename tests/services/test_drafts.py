"""A draft beside the ledger: what was printed is found, everything else is named, and nothing is entered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.organisation import Organisation, flipped, rows_of
from tests.services.totals_people import entered, export, women
from vault.errors import InputRefused, IntegrityError, NotAllowed, RollbackError, UsageError
from vault.formats.draft import parse_draft
from vault.formats.release import Share
from vault.model import Role
from vault.services import drafts
from vault.services.drafts import CheckedNumber, Quote, Source, Verdict, check_draft, quote_sheet, read_draft_file
from vault.services.publishing import enter_published
from vault.services.revoking import revoke
from vault.services.tables import shipped_tables

SENTENCES = (
    "We have helped 1,300 North Korean refugees and their children, of whom 882 were women.\n"
    "In 2020, 15 people reached freedom through our rescues: 14 women and\none man.\n"
)
"""Made-up sentences in the manner of a published report, with its figures."""


def men(count: int) -> list[dict[str, object]]:
    """As many men, each a party of their own."""
    lines = [dict(line) for line in women(count, sex="male")]
    for line in lines:
        line["case"] = f"m-{line['case']}"
        if "party" in line:
            line["party"] = line["case"]
    return lines


@pytest.fixture
def printed(org: Organisation) -> Organisation:
    """40 women and 40 men of 2019, printed by year and over all years."""
    org.bring_in(org.field_1, *women(40), *men(40))
    for table in ("all_years", "by_year"):
        export(org, table)
    return org


def checked(org: Organisation, text: str) -> list[CheckedNumber]:
    """What is said of each number of a text."""
    return list(check_draft(org.vault, org.director, parse_draft(text.encode())))


def verdicts(org: Organisation, text: str) -> dict[str, Verdict]:
    """The verdict by the number as written."""
    return {item.number.text: item.verdict for item in checked(org, text)}


def facts(folder: Path, *given: str) -> Path:
    """A file of facts."""
    path = folder / "facts.toml"
    path.write_text("".join(f"[[facts]]\n{text}\n" for text in given), encoding="utf-8")
    return path


def test_printed_numbers_are_found_with_what_they_are(printed: Organisation) -> None:
    """A total, a figure, a percentage, in digits and in words, English and Korean; an unprinted number is named."""
    total, figure = (next(quote.value for quote in sheet(printed, cell)) for cell in ("", "sex=female"))
    (number,) = checked(printed, f"we helped {total} people")
    assert number.verdict is Verdict.RELEASED
    assert {(quote.cell, quote.period, quote.value) for quote in number.matches} == {("", "2019", total)}
    (number,) = checked(printed, f"{figure}명의 여성")
    assert "sex=female" in {quote.cell for quote in number.matches}
    assert "sex=female, 2019: " + str(figure) in {quote.words for quote in number.matches}
    (wrong,) = checked(printed, f"we helped {total + 1} people")
    assert (wrong.verdict, wrong.matches) == (Verdict.NOT_RELEASED, ())


def sheet(org: Organisation, cell: str) -> list[Quote]:
    """The quotes of figures of one cell."""
    return [q for q in quote_sheet(org.vault, org.director) if q.source is Source.FIGURE and q.cell == cell]


def test_every_printed_cell_is_on_the_quote_sheet_and_nothing_else(org: Organisation) -> None:
    """The sheet holds the numbers of the releases, each a multiple of five, and no count of the records."""
    assert quote_sheet(org.vault, org.director) == ()
    org.bring_in(org.field_1, *women(43), *men(41))
    releases = [export(org, table.name) for table in shipped_tables()]
    values = {cell.value for release in releases for cell in release.cells if cell.value is not None}
    shares = {item.percent for release in releases for item in release.percentages if item.percent is not None}
    quotes = quote_sheet(org.vault, org.director)
    assert {quote.value for quote in quotes if quote.source is Source.FIGURE} == values
    assert shares <= {quote.value for quote in quotes if quote.source is Source.PERCENTAGE}
    assert shares
    assert all(quote.value % 5 == 0 for quote in quotes if quote.share is None)
    assert 43 not in values
    assert verdicts(org, "43 women") == {"43": Verdict.NOT_RELEASED}


def test_percentages_are_those_of_printed_numbers(printed: Organisation) -> None:
    """Computed from two printed numbers as in a release; another percentage was not released, nor is it a count."""
    (share,) = [
        quote
        for quote in quote_sheet(printed.vault, printed.director)
        if (quote.source, quote.cell, quote.base) == (Source.PERCENTAGE, "sex=female", "")
    ]
    assert share.share is Share.ABOUT
    assert verdicts(printed, f"about {share.value} % were women") == {str(share.value): Verdict.RELEASED}
    assert verdicts(printed, f"{share.value + 1} percent") == {str(share.value + 1): Verdict.NOT_RELEASED}
    figure = next(quote.value for quote in sheet(printed, "sex=female"))
    if figure != share.value:
        assert verdicts(printed, f"{figure} %") == {str(figure): Verdict.NOT_RELEASED}


def test_bounds_are_not_percentages(printed: Organisation) -> None:
    """Everybody answered no: "over 95 %" may be said, "95 %" may not; half is 50 %, which stands for itself."""
    over = [quote for quote in quote_sheet(printed.vault, printed.director) if quote.share is Share.OVER]
    said = verdicts(printed, "over 95 %") | verdicts(printed, "95%")
    assert said["95"] is Verdict.NOT_RELEASED
    assert (verdicts(printed, "over 95 %")["95"] is Verdict.RELEASED) is bool(over)
    halves = [q for q in quote_sheet(printed.vault, printed.director) if q.share is Share.ABOUT and q.value == 50]
    assert (verdicts(printed, "half were women")["half"] is Verdict.RELEASED) is bool(halves)


def quote(value: int, share: Share | None) -> Quote:
    """A printed figure of 2019, or a percentage."""
    source = Source.FIGURE if share is None else Source.PERCENTAGE
    return Quote(
        subject="s",
        source=source,
        cell="sex=female",
        base="",
        period="2019",
        years=(2019, 2019),
        value=value,
        share=share,
    )


@pytest.mark.parametrize(
    ("share", "said", "not_said"),
    [
        (None, ("50 women", "fifty"), ("50 %", "half", "1/2", "over 50 %", "all of them", "50.5")),
        (Share.ABOUT, ("50 %", "about 50 percent", "half", "1/2", "one in two"), ("50 women", "fifty", "49 %", "2/5")),
        (Share.UNDER, ("under 50 %", "less than 50 percent"), ("50 %", "over 50 %", "50", "half")),
        (Share.OVER, ("over 50 %", "more than 50 percent"), ("50 %", "under 50 %", "50", "half")),
    ],
)
def test_a_number_equals_only_what_says_the_same(
    share: Share | None,
    said: tuple[str, ...],
    not_said: tuple[str, ...],
    org: Organisation,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A count is no percentage, a percentage no count, and a bound is a bound."""
    monkeypatch.setattr(drafts, "quote_sheet", lambda *_: (quote(50, share),))
    assert [set(verdicts(org, text).values()) for text in said] == [{Verdict.RELEASED}] * len(said)
    assert [set(verdicts(org, text).values()) for text in not_said] == [{Verdict.NOT_RELEASED}] * len(not_said)


def test_shares_in_words_are_rounded_as_in_releases(org: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    """A third is about 33 %, one in eight (12.5 %) about 13 %."""
    monkeypatch.setattr(drafts, "quote_sheet", lambda *_: (quote(33, Share.ABOUT), quote(13, Share.ABOUT)))
    for text in ("a third", "one in eight"):
        assert set(verdicts(org, text).values()) == {Verdict.RELEASED}
    for text in ("two thirds", "one in nine"):
        assert set(verdicts(org, text).values()) == {Verdict.NOT_RELEASED}


def test_a_released_number_with_another_year_is_named(printed: Organisation) -> None:
    """Released for 2019, the sentence says 2020; with 2019 or no year it is released."""
    total = next(quote.value for quote in sheet(printed, ""))
    (year, number) = checked(printed, f"In 2020, {total} people came.")
    assert year.verdict is Verdict.LOOK
    assert number.verdict is Verdict.OTHER_YEARS
    assert {quote.period for quote in number.matches} == {"2019"}
    for text in (f"In 2019, {total} people.", f"{total} people. In 2020, we moved.", f"2019년 {total}명"):
        assert verdicts(printed, text)[str(total)] is Verdict.RELEASED


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("In 2015, 1,300 people came", Verdict.WIDER),
        ("1,300 people came from 2010 to 2020", Verdict.RELEASED),
        ("1,300 people came", Verdict.RELEASED),
        ("In 2015 and 2016, 1,300 people", Verdict.WIDER),
        ("In 2020 and 2021, 1,300 people", Verdict.OTHER_YEARS),
    ],
)
def test_a_number_of_a_longer_period_is_another_statement(
    org: Organisation, monkeypatch: pytest.MonkeyPatch, text: str, verdict: Verdict
) -> None:
    """Released for 2010 to 2020 and said of one year; of the same period, or of none, it is released. Where an equal
    number was printed of the very year too, that one counts."""
    whole = replace(quote(1300, None), period="2010-2020", years=(2010, 2020))
    monkeypatch.setattr(drafts, "quote_sheet", lambda *_: (whole,))
    assert verdicts(org, text)["1,300"] is verdict
    year = replace(whole, period="2015", years=(2015, 2015))
    monkeypatch.setattr(drafts, "quote_sheet", lambda *_: (whole, year))
    (*_, said) = checked(org, "In 2015, 1,300 people came")
    assert (said.verdict, said.matches) == (Verdict.RELEASED, (year, whole))


def test_the_reports_own_sentences_are_flagged_until_they_are_facts(org: Organisation, tmp_path: Path) -> None:
    """1,300 / 882 / 15 / 14 / one: none was released by the vault; entered as published before, each is."""
    flagged = ["1,300", "882", "15", "14", "one"]
    said = verdicts(org, SENTENCES)
    assert [text for text, verdict in said.items() if verdict is Verdict.NOT_RELEASED] == flagged
    assert said["2020"] is Verdict.LOOK
    all_years, year = 'table = "all_years"\nyears = [2010, 2020]\n', 'table = "year_2020"\nyears = [2020, 2020]\n'
    path = facts(
        tmp_path,
        f"{all_years}value = 1300",
        f'{all_years}value = 882\nwhere = {{ sex = ["female"] }}',
        f"{year}value = 15",
        f'{year}value = 14\nwhere = {{ sex = ["female"] }}',
        f'{year}value = 1\nwhere = {{ sex = ["male"] }}',
    )
    enter_published(org.vault, org.director, path)
    found = checked(org, SENTENCES)
    assert {item.number.text for item in found if item.verdict is Verdict.RELEASED} == set(flagged)
    assert {quote.source for item in found for quote in item.matches} == {Source.PUBLISHED}
    assert "sex=male, 2020: 1" in {quote.words for item in found for quote in item.matches}
    assert verdicts(org, "In 2021, 15 people came")["15"] is Verdict.OTHER_YEARS
    assert verdicts(org, "16 people, and all were women") == {
        "16": Verdict.NOT_RELEASED, "all": Verdict.NOT_RELEASED,
    }  # fmt: skip


def test_what_is_no_count_is_looked_at_even_where_it_equals_a_released_number(printed: Organisation) -> None:
    """Money, lists, code: set aside, and not called released."""
    total = next(quote.value for quote in sheet(printed, ""))
    for text in (f"${total}", f"`{total}`", f"Table {total}"):
        assert set(verdicts(printed, text).values()) == {Verdict.LOOK}


def test_nothing_is_entered_and_no_record_is_opened(printed: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    """The journals stay as they are, and the tally rows are not read."""

    def must_not(*_: object, **__: object) -> object:
        raise AssertionError("the records were opened")

    for name in ("verify_vault", "read_rows", "guard_answer"):
        monkeypatch.setattr(f"vault.services.totals.{name}", must_not)
    before = printed.heads(), entered(printed)
    checked(printed, SENTENCES)
    assert (printed.heads(), entered(printed)) == before
    with pytest.raises(AssertionError):
        must_not()


# -- closed when in doubt ----------------------------------------------------------------------------------------------


def test_only_a_director_checks(org: Organisation) -> None:
    """A recorder and root have no export key."""
    for me in (org.field_1, org.root):
        with pytest.raises(NotAllowed, match="a director"):
            check_draft(org.vault, me, ())


def _damaged(org: Organisation, statement: Callable[[bytes], tuple[str, tuple[object, ...]]]) -> None:
    number = org.vault.journal_number(org.vault.signer(org.director).origin)
    org.close()
    with rows_of(org.directory) as rows:
        (raw,) = rows.run("SELECT bytes FROM part WHERE journal=?", number)[0]
        text, given = statement(raw)
        rows.run(text, *given, number)
    org.reopen()


@pytest.mark.parametrize("damage", ["erased", "changed"])
def test_a_damaged_ledger_says_nothing(printed: Organisation, damage: str) -> None:
    """Neither "released" nor "not released" can be said then."""
    assert checked(printed, "15"), "negative control: it is whole"

    def statement(raw: bytes) -> tuple[str, tuple[object, ...]]:
        if damage == "erased":
            return "DELETE FROM part WHERE journal=?", ()
        return "UPDATE part SET bytes=? WHERE journal=?", (flipped(raw),)

    _damaged(printed, statement)
    with pytest.raises(IntegrityError):
        checked(printed, "15")


def test_a_directors_journal_that_is_not_whole_here_says_nothing(
    printed: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others have seen more of it: what was released is not known."""
    monkeypatch.setattr("vault.store.arrivals.Arrivals.largest_head", lambda *_: 99)
    with pytest.raises(RollbackError):
        checked(printed, "15")


def test_a_revoked_directors_figures_still_count(printed: Organisation) -> None:
    """What was printed is printed: a second director finds it."""
    total = next(quote.value for quote in sheet(printed, ""))
    keys = printed.enrol("director-2", Role.DIRECTOR)
    revoke(printed.vault, printed.root, "director-1")
    (number,) = check_draft(printed.vault, keys, parse_draft(f"{total} people".encode()))
    assert number.verdict is Verdict.RELEASED


# -- the file ----------------------------------------------------------------------------------------------------------


def test_a_draft_is_read_from_a_file(tmp_path: Path) -> None:
    """Its numbers; a missing file, a directory, a large or binary file are refused with what is wrong."""
    path = tmp_path / "report.md"
    path.write_text(SENTENCES, encoding="utf-8")
    assert len(read_draft_file(path)) == 6
    with pytest.raises(UsageError, match="cannot be read"):
        read_draft_file(tmp_path / "absent.md")
    with pytest.raises(UsageError, match="not a regular file"):
        read_draft_file(tmp_path)
    path.write_bytes(bytes(10))
    with pytest.raises(InputRefused, match="cannot be read"):
        read_draft_file(path)
    with path.open("wb") as stream:
        stream.truncate(100 * 1024 * 1024)
    with pytest.raises(UsageError, match="larger than"):
        read_draft_file(path)
