"""A13: two caseloads that print the same figures cannot be told apart by anything else, in any format."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.attacks.totals.a13_pairs import CONTROLS, History, pairs
from tests.attacks.totals.a13_surface import Output, broken, observed, telling
from tests.disclosure.rows import Desk, crowd, keyed, person, shipped
from vault.disclosure import planner
from vault.disclosure.asking import guard_answer
from vault.disclosure.blocks import close_blocks
from vault.disclosure.watch import Guard, Question
from vault.errors import DisclosureRefused
from vault.services.release_files import FORMATS, encode_release

NAMES = ("all_years", "by_year", "year_2020")


def printed(history: History, name: str) -> Output:
    """Everything that a director's desk hands out over a history, or how it refuses."""
    desk = Desk(guard=guard_answer, coin=keyed(b"a key of the tests"))
    figures: dict[object, int] = {}
    files: dict[str, bytes] = {}
    for at, (until, rows) in enumerate(history):
        try:
            release = desk.export(shipped(name), rows, until=until)
        except DisclosureRefused as refused:
            return Output(figures={}, said=f"{refused.message}\n{refused.hint}", code=refused.code)
        files |= {f"{at} {form}": encode_release(release, form) for form in FORMATS}
        figures |= {(at, cell.period, cell.labels): cell.value for cell in release.cells if cell.value is not None}
    return Output(figures=figures, files=files)


@pytest.mark.parametrize("name", NAMES)
def test_no_pair_can_be_told_apart(name: str) -> None:
    """Twenty pairs in six formats: the same bytes, and something is printed in each."""
    found = [(pair.name, printed(pair.one, name), printed(pair.other, name)) for pair in pairs()]
    assert broken(found) == {}
    assert len(found) == 20
    if name != "year_2020":
        assert all(one.figures for _, one, _ in found), "negative control: figures are printed"


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1, 11))
def test_no_pair_can_be_told_apart_for_more_seeds(seed: int) -> None:
    """The same with other numbers and other orders."""
    for name in NAMES:
        assert broken((pair.name, printed(pair.one, name), printed(pair.other, name)) for pair in pairs(seed)) == {}


@pytest.mark.parametrize("name", CONTROLS)
def test_careless_exporters_are_told_apart(name: str) -> None:
    """Negative controls: dropped rows, categories that occur, "60.0", a refusal that names its cell."""
    exporter, least = CONTROLS[name]

    def last(history: History) -> Output:
        return exporter(history[-1][1])

    alike = [pair for pair in pairs() if last(pair.one).figures == last(pair.other).figures]
    assert len(broken((pair.name, last(pair.one), last(pair.other)) for pair in alike)) >= least


def test_different_figures_are_no_pair() -> None:
    """The attack does not count what differs because a figure does."""
    one = Output(figures={"": 60}, files={"csv": b"60\n"})
    with pytest.raises(ValueError, match="no finding"):
        telling(one, Output(figures={"": 65}, files={"csv": b"65\n"}))
    assert telling(one, Output(figures={"": 60}, files={"csv": b"60.0\n"})) == (
        "csv: bytes",
        "csv: numerals",
        "csv: size",
    )
    assert "exit code" in observed(one)


def test_the_last_period_of_a_first_export_says_nothing_of_who_came_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred people of 2019, and nobody or one person of 2022: no telling. Negative control: a total whose leftover
    joins its last block ends with the year of who came last."""
    base = crowd((60, {"sex": "female"}), (40, {"sex": "male"}))
    more = [*base, *person(5_000, period="2022-Q2")]
    assert telling(printed([(2024, base)], "by_year"), printed([(2024, more)], "by_year")) == ()
    monkeypatch.setattr(planner, "close_blocks", lambda *given, **how: close_blocks(*given, **{**how, "first": True}))
    assert printed([(2021, base)], "by_year").figures != printed([(2022, more)], "by_year").figures


REASONS = {
    "the guard found something": DisclosureRefused("women of 2020"),
    "time ran out": DisclosureRefused("the solver gave up"),
    "the numbers contradict each other": DisclosureRefused("no world fits"),
}


def test_every_refusal_reads_the_same() -> None:
    """Whatever the guard says, also when it only finds fault until nothing is left: one code, one line, one hint."""
    said = set()
    for reason in REASONS.values():
        desk = Desk(guard=_refusing(reason), coin=keyed(b"k"))
        with pytest.raises(DisclosureRefused) as caught:
            desk.export(shipped("all_years"), crowd((60, {"sex": "female"})))
        said.add((caught.value.code, caught.value.message, caught.value.hint, caught.value.__cause__))
    desk = Desk(guard=lambda _: [("sex", "minor")], coin=keyed(b"k"))
    desk.export(shipped("all_years"), crowd((60, {"sex": "female"})))
    assert not desk.ledger.printed, "what is at fault is held back; with everything held back nothing is printed"
    assert len(said) == 1
    assert not any(word in str(said) for word in ("women", "solver", "world"))


def _refusing(reason: DisclosureRefused) -> Guard:
    def guard(question: Question) -> Sequence[tuple[str, ...]]:
        raise reason

    return guard
