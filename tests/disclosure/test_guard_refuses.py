"""In doubt the guard says nothing: bad questions, no time, no solver, and a solver that lies."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.disclosure.guard_cases import exactly, of, target
from vault.disclosure.facts import Fact, Variable
from vault.disclosure.guard import Target, unprotected
from vault.disclosure.guard_program import NoTime, Watch
from vault.errors import DisclosureRefused

honest: Any = import_module("scipy.optimize").milp  # by name: scipy ships no types
SEX = Variable(name="sex", codes=("female", "male"))
FAMILY = Variable(name="family", codes=("yes", "no"))
SLOTS = ["2019", "2020"]
FACTS = [exactly(40, slots=["2019"]), exactly(40, slots=["2020"]), exactly(20, of("sex", "male"), slots=SLOTS)]
TARGETS = [target(of("sex", "male")), target(of("sex", "male"), of("family", "yes"))]


def ask(facts: Sequence[Fact] = FACTS, targets: Sequence[Target] = TARGETS, seconds: float = 20.0) -> list[Target]:
    """What the guard says of a case in which, honestly solved, everything is protected."""
    return unprotected([SEX, FAMILY], SLOTS, facts, targets, 10, seconds=seconds)


def test_honestly_solved_everything_is_protected() -> None:
    """What the lies below are measured against."""
    assert ask() == []


@pytest.mark.parametrize(
    "facts",
    [
        [exactly(10), exactly(11)],
        [exactly(10), exactly(11, of("sex", "male"))],
        [exactly(10), exactly(4, of("sex", "male")), exactly(7, of("sex", "female"))],
        [exactly(10), exactly(11, of("sex", "male"), of("family", "yes"))],
    ],
)
@pytest.mark.parametrize("targets", [TARGETS, []])
def test_facts_that_contradict_each_other_refuse(facts: list[Fact], targets: list[Target]) -> None:
    """Also without anything to protect: somebody's figures are wrong."""
    with pytest.raises(DisclosureRefused, match="contradict"):
        ask(facts, targets)


@pytest.mark.parametrize(
    "fact",
    [
        exactly(1, slots=["2021"]),
        exactly(1, of("age", "0-4")),
        exactly(1, of("sex", "femal")),
        Fact(subject="others", slots=frozenset({"2020"}), where=(), low=1, high=1),
    ],
    ids=["slot", "variable", "code", "subject"],
)
def test_facts_about_the_unknown_refuse(fact: Fact) -> None:
    """A misspelt code would otherwise be a group that nobody is in, and a fact that says nothing."""
    with pytest.raises(DisclosureRefused, match="cannot judge"):
        ask([*FACTS, fact])


@pytest.mark.parametrize(
    "wanted", [target(slot="2021"), target(of("age", "0-4")), target(of("sex", "femal")), target(of("sex", ""))]
)
def test_targets_among_the_unknown_refuse(wanted: Target) -> None:
    """Nobody is protected by a question about nobody."""
    with pytest.raises(DisclosureRefused, match="cannot judge"):
        ask(targets=[wanted])


@pytest.mark.parametrize(
    "variables",
    [
        [SEX, SEX],
        [SEX, Variable(name="x", codes=())],
        [SEX, Variable(name="x", codes=("",))],
        [SEX, Variable(name="x", codes=("1",), universe=("y", frozenset({"1"})))],
        [SEX, Variable(name="x", codes=("1",), universe=("sex", frozenset({"1"})))],
        [SEX, Variable(name="x", codes=("1",), universe=("x", frozenset({"1"})))],
    ],
    ids=["twice", "no codes", "outside as a code", "unknown universe", "unknown code", "circle"],
)
def test_variables_that_make_no_sense_refuse(variables: list[Variable]) -> None:
    """The table is wrong, and the guard does not guess."""
    with pytest.raises(DisclosureRefused, match="cannot judge"):
        unprotected(variables, SLOTS, FACTS, [], 10)


@pytest.mark.parametrize(("slots", "k"), [(["2019", "2020", "2020"], 10), (SLOTS, 0)])
def test_a_threshold_below_one_or_a_slot_given_twice_refuses(slots: list[str], k: int) -> None:
    """With k = 0 every group would have both its witnesses."""
    with pytest.raises(DisclosureRefused, match="cannot judge"):
        unprotected([SEX, FAMILY], slots, FACTS, [], k)


def test_facts_that_cross_too_much_refuse() -> None:
    """Eight variables, each crossed with each: more cells than can be searched is a refusal, not a long wait."""
    variables = [Variable(name=f"v{at}", codes=tuple("123456")) for at in range(8)]
    facts = [exactly(9, of(a.name, "1"), of(b.name, "1")) for a in variables for b in variables if a.name < b.name]
    with pytest.raises(DisclosureRefused, match="too many variables"):
        unprotected(variables, SLOTS, facts, [], 10)


@pytest.mark.parametrize("seconds", [0.0, -1.0])
def test_no_time_refuses(seconds: float) -> None:
    """Fail closed, even for an easy question."""
    with pytest.raises(NoTime):
        ask(seconds=seconds)


def test_the_watch_runs_out() -> None:
    """The time is one for all programs, not for each."""
    ticks = count()
    watch = Watch(2.5, clock=lambda: float(next(ticks)))
    assert watch.left() == 1.5
    assert watch.left() == 0.5
    with pytest.raises(NoTime):
        watch.left()


def test_a_solver_that_does_not_finish_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says that its time is up, at the first program or at a later one: no answer is no answer."""
    for honest_calls in (0, 1):
        monkeypatch.setattr("scipy.optimize.milp", _lying(lambda _: (1, None), after=honest_calls))
        with pytest.raises(NoTime):
            ask()


def _lying(lie: Callable[[Any], tuple[int, Any]], after: int) -> Callable[..., Any]:
    """A solver that is honest for so many calls; then `lie` makes the status and the numbers of the honest result."""
    calls = count()

    def solver(*args: Any, **named: Any) -> Any:  # noqa: ANN401
        result = honest(*args, **named)
        if next(calls) < after:
            return result
        status, numbers = lie(result)
        return SimpleNamespace(status=status, x=numbers)

    return solver


def _moved(result: Any) -> tuple[int, Any]:  # noqa: ANN401
    numbers = result.x.copy()
    numbers[0] += 1
    return 0, numbers


LIES: dict[str, Callable[[Any], tuple[int, Any]]] = {
    "nobody at all": lambda result: (0, result.x * 0),
    "one person more": _moved,
    "more than halves": lambda result: (0, result.x + 0.6),
    "less than nobody": lambda result: (0, -result.x),
    "no number": lambda result: (0, result.x * float("nan")),
    "infinitely many": lambda result: (0, result.x + float("inf")),
    "too few numbers": lambda result: (0, result.x[:3]),
    "stopped, with a wrong world": lambda result: (1, result.x * 0),
    "unbounded": lambda _: (3, None),
    "an error": lambda _: (4, None),
}


@pytest.mark.parametrize("after", [0, 1])
@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_a_solver_that_lies_protects_nobody(
    monkeypatch: pytest.MonkeyPatch, lie: Callable[[Any], tuple[int, Any]], after: int
) -> None:
    """Whatever it makes up, from its first answer on or from its second, the figures do not leave."""
    monkeypatch.setattr("scipy.optimize.milp", _lying(lie, after))
    with pytest.raises(DisclosureRefused):
        ask()


def test_a_world_that_is_true_but_no_witness_protects_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """The solver returns its first world again, whatever it is asked: it satisfies all facts, and answers nothing."""
    worlds: list[Any] = []

    def solver(*args: Any, **named: Any) -> Any:  # noqa: ANN401
        worlds.append(honest(*args, **named))
        numbers = [*worlds[0].x, *[0.0] * (len(args[0]) - len(worlds[0].x))]
        return SimpleNamespace(status=0, x=numbers)

    monkeypatch.setattr("scipy.optimize.milp", solver)
    with pytest.raises(DisclosureRefused, match="does not hold"):
        ask()


def test_a_solver_that_finds_nothing_protects_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says "there is none" to every witness: all is unprotected."""
    monkeypatch.setattr("scipy.optimize.milp", _lying(lambda _: (2, None), after=1))
    # The one world that was found serves as a witness on one side only.
    assert ask() == TARGETS


def test_one_wrong_no_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the solver's own simplifications get wrong is asked again without them. A wrong "none" would call a group
    "disclosed long ago", and leave it out from then on."""
    calls = count()

    def solver(*args: Any, **named: Any) -> Any:  # noqa: ANN401
        if next(calls) and named["options"]["presolve"]:
            return SimpleNamespace(status=2, x=None)
        return honest(*args, **named)

    monkeypatch.setattr("scipy.optimize.milp", solver)
    assert ask() == []


def test_without_the_solver_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """scipy is an extra."""
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    with pytest.raises(DisclosureRefused) as refused:
        ask()
    assert "fieldvault[director]" in refused.value.hint


def test_importing_the_guard_does_not_import_the_solver() -> None:
    """Whoever never prints a figure needs no scipy, and does not wait for it."""
    source = "import sys, vault.disclosure.guard; sys.exit('scipy' in sys.modules)"
    root = Path(__file__).resolve().parents[2]
    assert subprocess.run([sys.executable, "-c", source], cwd=root, check=False).returncode == 0
