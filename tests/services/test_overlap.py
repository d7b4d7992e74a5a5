"""Two tables of nearly the same people, end to end: the second waits until enough people are left between them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.disclosure.stays import CROSSINGS
from tests.organisation import Organisation
from tests.services.totals_people import entered, export, total, women
from vault.errors import IntegrityError
from vault.formats.ledger_entry import LedgerEntry
from vault.services import totals
from vault.services.journal import write
from vault.services.release_ledger import drafts_of, open_export_keys
from vault.services.totals import export_table, preview_table

RESETTLED = "newly_resettled"


def both(freed: int, resettled: int, year: int) -> Iterator[dict[str, object]]:
    """So many women who reached freedom in a year, the first of whom were resettled in it."""
    for line in women(freed):
        label = f"{year}-{line['case']}"
        moved = {"case": label, **({"party": label} if "party" in line else {"date": f"{year}-05-06"})}
        yield {**line, **moved}
        if line["type"] == "outcome" and int(str(line["case"])[1:]) < resettled:
            yield {**line, **moved, "status": "resettled", "date": f"{year}-09-01"}


def test_a_table_that_would_leave_seven_people_waits_and_prints_later(org: Organisation) -> None:
    """93 of 100 people were resettled: nothing is printed of them. With the next year, of which five more are left,
    both years are printed as one."""
    org.bring_in(org.field_1, *both(100, 93, 2019))
    assert total(export(org)) == 100
    waiting = export(org, RESETTLED)
    assert waiting.empty
    assert preview_table(org.vault, org.director, RESETTLED).printed == 0
    org.bring_in(org.field_1, *both(40, 35, 2020))
    assert total(export(org)) == 140
    release = export(org, RESETTLED)
    printed = [cell for cell in release.cells if cell.value is not None]
    assert [(cell.period, cell.labels) for cell in printed] == [("2019-2020", ())]
    assert printed[0].value in (125, 130)
    assert export(org, RESETTLED) == release


def test_alone_it_is_printed(org: Organisation) -> None:
    """Negative control: nothing is known of who reached freedom, and the year's 93 are printed."""
    org.bring_in(org.field_1, *both(100, 93, 2019))
    release = export(org, RESETTLED)
    assert {cell.value for cell in release.cells if cell.value is not None} <= {90, 95}
    assert not release.empty
    assert export(org).empty, "and then the other one waits"


def crossing(freed: int, crossed: int) -> Iterator[dict[str, object]]:
    """So many women who reached freedom in 2019, the first of whom crossed one border in it."""
    for line in women(freed):
        yield line
        if line["type"] == "outcome" and int(str(line["case"])[1:]) < crossed:
            yield {
                "case": line["case"],
                "type": "journey",
                "event": "border_crossing",
                "country": "LA",
                "date": "2019-03",
            }


@pytest.mark.parametrize(("crossed", "apart"), [(93, False), (80, True)])
def test_a_sum_of_events_and_a_number_of_people_know_of_each_other(
    org: Organisation, crossed: int, apart: bool
) -> None:
    """Of 100 people 93 crossed a border: the sum waits; of 80, it is printed."""
    org.bring_in(org.field_1, *crossing(100, crossed))
    assert total(export(org)) == 100
    assert preview_table(org.vault, org.director, CROSSINGS.table).printed == int(apart)
    assert export(org, CROSSINGS.table).empty is not apart


@pytest.mark.parametrize(("crossed", "apart"), [(93, False), (80, True)])
def test_a_number_of_people_waits_for_a_sum_that_was_printed_first(
    org: Organisation, crossed: int, apart: bool
) -> None:
    """The other way round."""
    org.bring_in(org.field_1, *crossing(100, crossed))
    assert not export(org, CROSSINGS.table).empty
    assert export(org).empty is not apart


def test_asked_again_other_ledgers_are_not_compared(org: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was printed is read from the ledger: nobody is compared with anybody."""
    org.bring_in(org.field_1, *both(100, 50, 2019))
    first, second = export(org), export(org, RESETTLED)
    assert not second.empty

    def must_not(*_: object) -> object:
        raise AssertionError("another subject was looked at")

    monkeypatch.setattr(totals, "other_ledgers", must_not)
    assert export(org) == first
    assert export(org, RESETTLED) == second
    org.bring_in(org.field_1, *both(30, 0, 2020))
    with pytest.raises(AssertionError, match="looked at"):
        export(org)


def test_nothing_new_is_printed_while_another_ledger_is_not_whole(org: Organisation) -> None:
    """Two directors collided in the other subject: what may be subtracted from it is not known."""
    org.bring_in(org.field_1, *both(100, 50, 2019))
    assert not export(org, RESETTLED).empty
    before = len(entered(org))
    keys = open_export_keys(org.vault, org.director)
    entry = LedgerEntry(subject="outcome.status=resettled", number=0, until=2025)
    digest = bytes(32)
    with org.vault.writing(org.director):
        signer = org.vault.signer(org.director)
        number = org.vault.journal_number(signer.origin)
        write(org.vault.store, number, signer, org.vault.day, drafts_of(keys, [entry], digest))
    with pytest.raises(IntegrityError, match="not knowing of each other"):
        export_table(org.vault, org.director, "all_years")
    assert len(entered(org)) == before + 1
