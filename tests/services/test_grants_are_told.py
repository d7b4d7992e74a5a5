"""A grant opens a recorder's tally to a director: the recorder is told, by the write that makes it, once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.organisation import Organisation
from vault.model import Role
from vault.services.importing import import_file
from vault.services.records import amend, close_case, open_case, record
from vault.services.reveal import reveal

pytestmark = pytest.mark.usefixtures("quick_passphrases")
CONSENTED = {"consent_statistics": "yes"}


def _told(warnings: tuple[str, ...]) -> list[str]:
    """What was said about a grant."""
    return [words for words in warnings if "opened your tally" in words]


def _open(org: Organisation, name: str) -> tuple[str, ...]:
    return open_case(org.vault, org.field_1, CONSENTED).warnings


def _amend(org: Organisation, name: str) -> tuple[str, ...]:
    return amend(org.vault, org.field_1, "1", {"notes": "again"}).warnings


def _import(org: Organisation, name: str) -> tuple[str, ...]:
    return org.bring_in(org.field_1, {"case": "a", "type": "intake", **CONSENTED}).warnings


WRITES: dict[str, Callable[[Organisation, str], tuple[str, ...]]] = {
    "open": _open,
    "record": lambda org, name: record(org.vault, org.field_1, "journey", name, {"event": "arrival"}).warnings,
    "amend": _amend,
    "close": lambda org, name: close_case(org.vault, org.field_1, name).warnings,
    "import": _import,
    "reveal": lambda org, name: reveal(org.vault, org.field_1, name, "why").warnings,
}


@pytest.mark.parametrize("what", WRITES)
def test_the_write_that_makes_the_grant_tells_it_once(org: Organisation, what: str) -> None:
    """Whichever write comes next names the late director; the one after it says nothing; nor does one before."""
    name = org.case(org.field_1, **CONSENTED)
    assert WRITES[what](org, name) == (), "negative control: nobody waits"
    org.enrol("director-2", Role.DIRECTOR)
    (words,) = WRITES[what](org, name)
    assert "director-2" in words
    assert "director-1" not in words, "who has the key already is given nothing"
    assert _told((words,)) == [words]
    assert WRITES[what](org, name) == ()


def test_every_director_who_waited_is_named(org: Organisation) -> None:
    """Two late directors are two names in one line."""
    for handle in ("director-2", "director-3"):
        org.enrol(handle, Role.DIRECTOR)
    (words,) = _told(open_case(org.vault, org.field_1, CONSENTED).warnings)
    assert "director-2, director-3" in words
    assert _told(open_case(org.vault, org.field_1, CONSENTED).warnings) == []


def test_each_recorder_is_told_of_their_own_grant(org: Organisation) -> None:
    """One recorder's write grants nothing for the other, and does not use up the other's word."""
    org.enrol("director-2", Role.DIRECTOR)
    for me in (org.field_1, org.field_2):
        assert len(_told(open_case(org.vault, me, CONSENTED).warnings)) == 1
        assert _told(open_case(org.vault, me, CONSENTED).warnings) == [], "negative control"


@pytest.mark.parametrize("role", [Role.HUB, Role.AUDITOR, Role.RECORDER])
def test_others_who_come_later_are_no_news(org: Organisation, role: Role) -> None:
    """A hub, an auditor or a recorder is given nothing, so nothing is told; a director after them is."""
    org.enrol("other-2", role)
    assert open_case(org.vault, org.field_1, CONSENTED).warnings == ()
    org.enrol("director-2", Role.DIRECTOR)
    assert len(open_case(org.vault, org.field_1, CONSENTED).warnings) == 1, "negative control"


def test_it_is_told_beside_what_else_there_is_to_say(org: Organisation) -> None:
    """No consent and a grant in one write: both are told, in an opening and in an import."""
    org.enrol("director-2", Role.DIRECTOR)
    warnings = open_case(org.vault, org.field_1, {}).warnings
    assert (len(warnings), len(_told(warnings))) == (2, 1)
    imported = org.bring_in(org.field_2, {"case": "a", "type": "intake"}).warnings
    assert (len(imported), len(_told(imported))) == (2, 1)
    assert len(open_case(org.vault, org.field_1, {}).warnings) == 1, "negative control: the consent alone"


def test_a_rehearsal_tells_no_grant_and_uses_none_up(org: Organisation) -> None:
    """Nothing is granted in a dry run; the real write tells it."""
    org.enrol("director-2", Role.DIRECTOR)
    path = org.lines({"case": "a", "type": "intake", **CONSENTED})
    assert open_case(org.vault, org.field_1, CONSENTED, dry_run=True).warnings == ()
    assert import_file(org.vault, org.field_1, path, dry_run=True).warnings == ()
    assert len(_told(import_file(org.vault, org.field_1, path).warnings)) == 1
