"""What the command line says of a case's standing: passed on, divided, its names closed; and of what is visible."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

import vault as facade
from tests.cli.conftest import Run, said
from tests.cli.fake_facade import FakeVault


def test_a_case_that_passed_on_and_one_with_a_conflict_are_marked(line: Run, fake: FakeVault) -> None:
    """Behind the status, for people; for programs only where it is so."""
    one, two = (SimpleNamespace(**vars(fake.cases[0])) for _ in range(2))
    one.passed_to, two.conflict = "field-2", True
    fake.cases = (*fake.cases, one, two)
    rows = [row.rstrip() for row in line("case", "list").out.splitlines()]
    assert [("passed to field-2" in row, "contradict" in row) for row in rows[-3:]] == [
        (False, False),
        (True, False),
        (False, True),
    ]
    plain, passed, divided = said(line, "case", "list")["cases"]
    assert set(plain) == {"pseudonym", "status", "entries"}
    assert (passed["passed_to"], divided["conflict"]) == ("field-2", True)


def test_a_case_that_passed_on_says_so_where_it_is_shown(
    line: Run, fake: FakeVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose it is now, before its entries."""
    view = SimpleNamespace(pseudonym="amber-heron-41", status="open", entries=(), passed_to="field-2")
    monkeypatch.setattr(facade, "show_case", lambda *_, **__: view)
    assert "passed to field-2: it is theirs now" in line("case", "show", "amber-heron-41").out
    assert said(line, "case", "show", "amber-heron-41")["passed_to"] == "field-2"


def test_names_that_stay_closed_are_told(line: Run, fake: FakeVault, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that open are shown; nobody is told that there is nothing else."""
    found = SimpleNamespace(
        pseudonym="amber-heron-41", values={}, others={}, origin="o", seq=8, warnings=(), closed=("field-1/1:1",)
    )
    monkeypatch.setattr(facade, "reveal", lambda *_, **__: found)
    outcome = line("reveal", "amber-heron-41", "--reason", "doctor")
    assert "warning: other names stay closed to you in this referral: entry field-1/1:1" in outcome.err
    assert "Nothing is recorded" not in outcome.err
    assert said(line, "reveal", "amber-heron-41", "--reason", "doctor")["closed"] == ["field-1/1:1"]
    found.closed = ()
    assert "Nothing is recorded" in line("reveal", "amber-heron-41", "--reason", "doctor").err


def test_status_says_what_is_visible_without_a_key(line: Run, fake: FakeVault) -> None:
    """All of it: kinds of entries and who handed cases to whom, too."""
    out = line("status").out
    for word in ("handles", "roles", "days", "sizes", "counts", "kind of each entry", "who handed cases to whom"):
        assert word in out
