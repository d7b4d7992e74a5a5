"""The order in which an import is written must not say which entries are one person's, nor who stood beside whom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.organisation import Organisation, Template
from vault.formats.leaf import parse_fields
from vault.model import Kind
from vault.ports import Randomness
from vault.services import importing
from vault.services.cases import show_case

PEOPLE, RECORDS = 40, 5
LABELS = [f"p{number}" for number in range(PEOPLE)]
OWN = [f"{number} of its case" for number in range(1, RECORDS)]
"""What the records of one case say, in the order of the file."""


def _lines(own: Sequence[str] = OWN) -> Iterator[dict[str, object]]:
    """One person after the other, as a case management system writes them out: an intake and four journeys each."""
    for label in LABELS:
        yield {"case": label, "type": "intake", "notes": label}
        for words in own:
            yield {"case": label, "type": "journey", "event": "transit", "notes": f"{label}: {words}"}


def _said(own: Sequence[str]) -> dict[str, list[object]]:
    """What each case must say, from its opening on."""
    return {label: [label, *(f"{label}: {words}" for words in own)] for label in LABELS}


def _left_alone(items: Sequence[object], random: Randomness) -> list[object]:
    """No shuffle."""
    return list(items)


class _Written:
    """An import and what a recorder finds in the journal afterwards."""

    def __init__(self, org: Organisation, own: Sequence[str]) -> None:
        before = org.size(org.field_1)
        self.imported = org.bring_in(org.field_1, *_lines(own))
        work = org.work(org.field_1)
        leaves = [parse_fields(raw) for raw in list(org.vault.store.leaves(work.journal))[before:]]
        labels = {work.cases[name].case_id: label for label, name in self.imported.cases.items()}
        owner = {seq: labels[case_id] for case_id, seqs in work.places_by_case().items() for _, seq in seqs}
        self.kinds = [fields[2] for fields in leaves]
        self.has_wraps = [bool(fields[5]) for fields in leaves]
        self.order = [owner[fields[1]] for fields in leaves]
        """The label of each entry, in the order of the journal."""
        self.said = {
            label: [entry.values.get("notes") for entry in show_case(org.vault, org.field_1, name).entries]
            for label, name in self.imported.cases.items()
        }

    @property
    def openings(self) -> list[str]:
        """The labels of the openings, as they stand."""
        return self.order[:PEOPLE]

    @property
    def rest(self) -> list[str]:
        """The labels of everything else, as it stands."""
        return self.order[PEOPLE:]


def _import(template: Template, home: Path, seed: str, own: Sequence[str] = OWN) -> _Written:
    home.mkdir()
    org = Organisation(template, home, seed)
    try:
        return _Written(org, own)
    finally:
        org.close()


@pytest.fixture(scope="module")
def written(template: Template, tmp_path_factory: pytest.TempPathFactory) -> _Written:
    """The file, imported once. Read only."""
    return _import(template, tmp_path_factory.mktemp("order") / "one", "one")


def test_openings_come_first(written: _Written) -> None:
    """The entries with wraps are the first forty, and no later entry has one: where a case begins says nothing."""
    assert written.has_wraps == [True] * PEOPLE + [False] * (PEOPLE * (RECORDS - 1))
    file_has = [line["type"] == "intake" for line in _lines()]
    assert written.has_wraps != file_has, "negative control: in the file they stand apart"


def test_each_case_keeps_the_order_of_its_file(written: _Written, template: Template, tmp_path: Path) -> None:
    """Whatever is drawn, one case's own records stand as its lines did."""
    assert written.said == _said(OWN)
    backwards = OWN[::-1]
    other = _import(template, tmp_path / "backwards", "one", backwards)
    assert other.said == _said(backwards) != written.said, "negative control: lines the other way round"


def test_nothing_is_lost_or_doubled(written: _Written) -> None:
    """As many entries as lines, all of them records, each person's five and no entry of anybody else's."""
    assert written.imported.entries == len(written.order) == PEOPLE * RECORDS
    assert set(written.kinds) == {Kind.RECORD.value}
    assert sorted(written.order) == sorted(LABELS * RECORDS)
    assert sorted(written.openings) == sorted(LABELS)


def test_the_order_across_cases_is_not_that_of_the_file(written: _Written) -> None:
    """Neither the openings nor the rest follow the file, and the two do not follow each other."""
    first_seen = list(dict.fromkeys(written.rest))
    assert written.openings != LABELS
    assert first_seen != LABELS
    assert first_seen != written.openings
    neighbours = sum(one == two for one, two in zip(written.rest, written.rest[1:], strict=False))
    in_the_file = PEOPLE * (RECORDS - 2)
    assert neighbours < in_the_file / 4, "entries of one person hardly ever stand together (four of 159 by chance)"


def test_two_seeds_are_two_orders(written: _Written, template: Template, tmp_path: Path) -> None:
    """The order is drawn from the environment: another seed is another order, the same seed the same."""
    other, again = (_import(template, tmp_path / seed, seed) for seed in ("two", "one"))
    assert other.openings != written.openings
    assert other.rest != written.rest
    assert again.order == written.order, "negative control: nothing else moves it"


def test_without_the_shuffle_the_order_is_that_of_the_file(
    template: Template, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control for this whole file: with the shuffle taken out, the journal gives the file's order away."""
    monkeypatch.setattr(importing, "_shuffled", _left_alone)
    plain = _import(template, tmp_path / "plain", "one")
    assert plain.openings == LABELS
    assert plain.rest == [label for label in LABELS for _ in OWN]
