"""`transfer` and `referral`: what is asked of the façade, what is said, and the whole way on a real vault."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

import vault as facade
from cli import main
from tests.cli.conftest import Run
from tests.cli.fake_facade import FakeVault
from tests.cli.fake_handing import LINE, OFFER
from tests.organisation import PASSPHRASES, Organisation

Say = Callable[..., dict[str, object]]


def test_what_is_asked_of_the_library(run: Run, fake: FakeVault, secret: str) -> None:
    """Each command hands over what was typed, and nothing else."""
    key = ("--passphrase-file", secret)
    offered = ("amber-heron-41", "--to", "field-2", "--note", "n", "--open", "a", "--open", "b")
    for line, call in (
        (("transfer", "offer", *offered), "offer_transfer"),
        (("referral", "offer", *offered, "--identity"), "offer_referral"),
        (("transfer", "accept", OFFER), "accept_offer"),
        (("referral", "accept", OFFER), "accept_offer"),
        (("transfer", "reject", OFFER, "--reason", "far"), "reject_offer"),
        (("referral", "reject", OFFER, "--reason", "far"), "reject_offer"),
        (("transfer", "revoke", OFFER), "revoke_offer"),
        (("referral", "end", OFFER), "end_referral"),
    ):
        fake.calls.clear()
        outcome = run(*line, *key)
        assert outcome.code == 0
        assert fake.calls[-1][0] == call
        words = outcome.err.splitlines()
        assert words[-2] == "Sealed as entry 7 in case amber-heron-41. Saved."
        assert words[-1].startswith("Next: fieldvault ")
        assert "warning: it may cross" in words
    assert run("transfer", "offer", *offered, *key).out == f"{OFFER}\n"
    assert fake.calls[-1][1] == (("amber-heron-41", "field-2"), {"note": "n", "items": ["a", "b"]})
    run("referral", "offer", *offered, "--identity", *key)
    assert fake.calls[-1][1] == (("amber-heron-41", "field-2"), {"identity": True, "note": "n", "items": ["a", "b"]})


@pytest.mark.parametrize(
    ("argv", "theirs"),
    [
        (("transfer", "offer", "amber-heron-41", "--to", "field-2"), f"transfer accept {OFFER}"),
        (("transfer", "revoke", OFFER), "transfer list"),
        (("transfer", "reject", OFFER, "--reason", "far"), "transfer list"),
    ],
)
def test_what_comes_next_depends_on_where_the_other_works(
    run: Run, fake: FakeVault, secret: str, tmp_path: Path, argv: tuple[str, ...], theirs: str
) -> None:
    """Elsewhere: a bundle has to bring it to them. On this laptop: they can act at once."""
    more = ("-C", str(tmp_path), "--passphrase-file", secret)
    away = run(*argv, *more).err.splitlines()[-1]
    assert away == f"Next: fieldvault bundle create --to field-2 -C {tmp_path}"
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys/field-2.key").touch()
    here = run(*argv, *more).err.splitlines()[-1]
    assert here == f"Next: fieldvault {theirs} --as field-2 -C {tmp_path}"


def test_accepting_says_what_came_along(run: Run, fake: FakeVault, secret: str) -> None:
    """The note, what is still to do, and the case's name, which is the result."""
    outcome = run("transfer", "accept", OFFER, "--passphrase-file", secret)
    assert outcome.out.splitlines() == ["note: be kind", "to do: school", "amber-heron-41"]
    assert "The case is yours; field-2 keeps what they wrote." in outcome.err
    outcome = run("referral", "accept", OFFER, "--passphrase-file", secret)
    assert "The case is shared with you, and stays field-2's. Names stay closed to you." in outcome.err
    assert "Next: fieldvault case show amber-heron-41" in outcome.err


def test_dry_runs_say_so(run: Run, fake: FakeVault, secret: str) -> None:
    """With --json too: what would be handed over, and that nothing was."""
    found = run("transfer", "offer", "amber-heron-41", "--to", "field-2", "--dry-run", "--passphrase-file", secret)
    assert "nothing was written" in found.err
    found = run("transfer", "accept", OFFER, "--dry-run", "--json", "--passphrase-file", secret)
    answer = json.loads(found.out)
    assert (answer["dry_run"], answer["entries"], "seq" in answer) == (True, 2, False)


def test_the_list_for_people_and_for_programs(run: Run, fake: FakeVault, secret: str) -> None:
    """A line each, its texts below it, hidden signs shown; what both sides should know is a warning."""
    found = run("transfer", "list", "--passphrase-file", secret)
    assert found.code == 0
    assert OFFER in found.out
    assert "rejected" in found.out
    assert "\u202e" not in found.out
    assert f"{OFFER}  reason: too far" in found.out.splitlines()
    assert f"warning: {OFFER}: it crossed" in found.err
    answer = json.loads(run("transfer", "list", "--json", "--passphrase-file", secret).out)
    (line,) = answer["offers"]
    assert (line["offer"], line["from"], line["to"], line["items"]) == (
        OFFER,
        "field-2",
        "field-1",
        ["school", "papers"],
    )
    assert set(line) >= {"kind", "state", "pseudonym", "identity", "day", "entries", "note", "reason", "told"}
    assert json.loads(run("referral", "list", "--json", "--passphrase-file", secret).out)["offers"] == []
    assert "No referral here" in run("referral", "list", "--passphrase-file", secret).err


def test_journals_that_are_not_read_are_named(
    run: Run, fake: FakeVault, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One changed journal never hides the offers of others: they are shown, it is named, and the exit code says so."""

    def list_offers(_: object, me: str, *, unsound: list[str]) -> tuple[SimpleNamespace, ...]:
        unsound.append("fieldvault/x/field-3/1")
        return (LINE,)

    monkeypatch.setattr(facade, "list_offers", list_offers)
    found = run("transfer", "list", "--passphrase-file", secret)
    assert found.code == 20
    assert OFFER in found.out
    assert "field-3/1" in found.err
    answer = json.loads(run("transfer", "list", "--json", "--passphrase-file", secret).out)
    assert (answer["ok"], answer["code"], answer["unsound"]) == (False, 20, ["fieldvault/x/field-3/1"])


def test_a_rejection_needs_a_reason(run: Run, fake: FakeVault, secret: str) -> None:
    """Without a terminal the flag is named, and nothing is asked of the library."""
    found = run("transfer", "reject", OFFER, "--passphrase-file", secret)
    assert found.code == 2
    assert "--reason" in found.err
    assert all(name != "reject_offer" for name, _ in fake.calls)


@pytest.fixture
def say(org: Organisation, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Say:
    """One command line on the real vault of `org`, by one of its members; its answer as JSON."""
    org.close()

    def call(handle: str, *argv: str, code: int = 0) -> dict[str, object]:
        path = tmp_path / f"passphrase-{handle}"
        path.write_text(PASSPHRASES[handle] + "\n", encoding="utf-8")
        path.chmod(0o600)
        capsys.readouterr()
        who = ["-C", str(org.directory), "--as", handle, "--passphrase-file", str(path), "--no-input", "--json"]
        found = main.run([*argv, *who])
        answer: dict[str, object] = json.loads(capsys.readouterr().out)
        assert found == code == answer["code"], answer
        return answer

    return call


def test_the_whole_way_of_a_transfer(say: Say) -> None:
    """Offer, refuse who may not, accept, write on, and the giver who may no longer."""
    opened = say("field-1", "case", "open", "--set", "sex=female", "--set", "consent_statistics=yes")
    case = str(opened["pseudonym"])
    say("field-1", "transfer", "offer", case, "--to", "director-1", code=31)
    say("field-1", "transfer", "offer", case, "--to", "field-1", code=2)
    say("field-1", "transfer", "offer", "no-such-11", "--to", "field-2", code=2)
    say("director-1", "transfer", "list", code=31)
    offered = say("field-1", "transfer", "offer", case, "--to", "field-2", "--note", "be kind", "--open", "school")
    offer = str(offered["offer"])
    assert offer.startswith("field-1/1:")
    say("field-1", "transfer", "accept", offer, code=31)
    say("field-2", "transfer", "accept", "field-1/1:999", code=2)
    accepted = say("field-2", "transfer", "accept", case)
    assert (accepted["offer"], accepted["pseudonym"], accepted["items"]) == (offer, case, ["school"])
    say("field-2", "transfer", "accept", offer, code=31)
    say("field-1", "transfer", "revoke", offer, code=31)
    say("field-2", "record", "journey", case, "--set", "event=arrival")
    say("field-1", "record", "journey", case, "--set", "event=arrival", code=31)
    for handle in ("field-1", "field-2"):
        found = say(handle, "transfer", "list")["offers"]
        assert isinstance(found, list)
        assert [(line["state"], line["offer"]) for line in found] == [("accepted", offer)]
    assert say("field-1", "audit", "verify")["findings"] == []


def test_the_wrong_word_is_refused_and_names_the_right_one(say: Say) -> None:
    """A referral is not accepted by `transfer accept`, nor rejected, taken back or ended by the other's word."""
    case = str(say("field-1", "case", "open", "--set", "sex=male", "--set", "name=Kim")["pseudonym"])
    offer = str(say("field-1", "referral", "offer", case, "--to", "field-2")["offer"])
    wrong = (
        ("field-2", "transfer accept", "referral accept"),
        ("field-2", "transfer reject", "referral reject"),
        ("field-1", "transfer revoke", "referral end"),
    )
    for name in (offer, case):
        for handle, typed, right in wrong:
            reason = ("--reason", "no") if "reject" in typed else ()
            answer = say(handle, *typed.split(), name, *reason, code=2)
            assert f'"fieldvault {right} {offer}"' in str(answer["hint"])
    assert say("field-2", "transfer", "list")["offers"] == []
    ended = say("field-1", "referral", "end", case)
    assert "they help with the case, which stays yours" in str(ended["warnings"])
    offer = str(say("field-1", "transfer", "offer", case, "--to", "field-2")["offer"])
    for handle, typed, right in (
        ("field-2", "referral accept", "transfer accept"),
        ("field-2", "referral reject", "transfer reject"),
        ("field-1", "referral end", "transfer revoke"),
    ):
        reason = ("--reason", "no") if "reject" in typed else ()
        answer = say(handle, *typed.split(), case, *reason, code=2)
        assert f'"fieldvault {right} {offer}"' in str(answer["hint"])
    accepted = say("field-2", "transfer", "accept", case)
    assert (accepted["kind"], accepted["identity"]) == ("transfer", True)


def test_a_helper_who_may_not_know_reveals_nothing(say: Say) -> None:
    """Exit code 31, one line that says why, and no entry; programs learn which names stayed closed."""
    case = str(say("field-1", "case", "open", "--set", "sex=male", "--set", "name=Kim")["pseudonym"])
    say("field-2", "referral", "accept", str(say("field-1", "referral", "offer", case, "--to", "field-2")["offer"]))
    before = say("field-2", "journal", "list")["journals"]
    for more in ((), ("--dry-run",)):
        answer = say("field-2", "reveal", case, "--reason", "curious", *more, code=31)
        assert "stay closed to you in this referral" in str(answer["error"])
    assert say("field-2", "journal", "list")["journals"] == before


def test_the_whole_way_of_a_referral(say: Say) -> None:
    """Offer, reject with a reason, offer again, accept, end from the helper's side."""
    case = str(say("field-1", "case", "open", "--set", "sex=male", "--set", "name=Kim")["pseudonym"])
    first = str(say("field-1", "referral", "offer", case, "--to", "field-2")["offer"])
    say("field-2", "referral", "reject", first, "--reason", "no time")
    second = str(say("field-1", "referral", "offer", case, "--to", "field-2", "--identity")["offer"])
    states = {line["offer"]: line for line in say("field-1", "referral", "list")["offers"]}  # type: ignore[attr-defined]
    assert (states[first]["state"], states[first]["reason"]) == ("rejected", "no time")
    assert (states[second]["state"], states[second]["identity"]) == ("offered", True)
    say("field-2", "referral", "accept", second)
    say("field-2", "record", "service", case, "--set", "programme=advice")
    say("field-1", "transfer", "offer", case, "--to", "field-2", code=2)
    say("field-2", "referral", "end", second)
    say("field-2", "record", "service", case, "--set", "programme=advice", code=31)
    say("field-2", "referral", "end", second, code=31)
    assert say("field-1", "audit", "verify")["findings"] == []
