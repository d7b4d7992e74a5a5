"""`policy show` and `policy tighten`, and stricter policies for `export` and `init`, over the real library."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cli.main import run
from cli.policy import MEANINGS
from tests.organisation import PASSPHRASES, Organisation
from tests.services.totals_people import women
from vault.disclosure.policies import NAMES
from vault.primitives import passphrase
from vault.primitives.hashing import sha256
from vault.services.vault import Vault

STRICT = ["--people", "20", "--embargo", "12"]


class Said(NamedTuple):
    """What one command line left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one object on stdout."""
        found: dict[str, Any] = json.loads(self.out)
        return found


Line = Callable[..., Said]


@pytest.fixture
def line(org: Organisation, capsys: pytest.CaptureFixture[str]) -> Line:
    """One command line in the organisation's vault, nobody at a terminal; `key` names whose passphrase is given."""

    def call(*words: str, key: str = "") -> Said:
        given: list[str] = []
        if key:
            path = org.home / f"passphrase-{key}"
            path.write_text(PASSPHRASES[key] + "\n", encoding="utf-8")
            path.chmod(0o600)
            given = ["--passphrase-file", str(path), "--as", key]
        capsys.readouterr()
        code = run([*words, *given, "--no-input", "-C", str(org.directory)])
        return Said(code, *capsys.readouterr())

    return call


def in_force(line: Line) -> dict[str, int]:
    """The policy as a program reads it."""
    found: dict[str, int] = line("policy", "show", "--json").json["policy"]
    return found


def test_the_policy_is_shown_to_anybody(line: Line) -> None:
    """Without a key: every number with its meaning, who signed it, and where."""
    shown = line("policy", "show")
    assert shown.code == 0
    for name, meaning in MEANINGS.items():
        (row,) = [text for text in shown.out.splitlines() if text.startswith(name.replace("_", "-") + " ")]
        assert meaning in row
    assert "signed by root in entry 1 of fieldvault/" in shown.out
    payload = line("policy", "show", "--json").json
    assert payload["policy"] == {
        "people": 10, "parties": 5, "base": 5, "percent_base": 50, "embargo": 0, "coarser": 0,
        "erase_approvals": 1,
    }  # fmt: skip
    assert (payload["signed_by"], payload["entry"], payload["day"]) == ("root", 1, "2026-03-14")
    assert [entry["entry"] for entry in payload["history"]] == [1]


def test_every_value_has_a_meaning_and_an_option() -> None:
    """What the library knows, the command line does."""
    assert tuple(MEANINGS) == NAMES


def test_root_tightens(line: Line) -> None:
    """A line for what was sealed and one for what comes next; then it is in force, and the history names it."""
    done = line("policy", "tighten", *STRICT, "--yes", key="root")
    assert done.code == 0, done.err
    assert "changes: people 10 to 20; embargo 0 to 12" in done.out
    sealed, following = done.err.splitlines()[-2:]
    assert sealed.startswith("Sealed as entry ")
    assert following.startswith("Next: fieldvault policy show"), "everybody works on this laptop"
    assert in_force(line)["people"] == 20
    history = line("policy", "show", "--json").json["history"]
    assert [entry["changed"] for entry in history] == ["", "people 10 to 20; embargo 0 to 12"]


def test_the_answer_for_programs(line: Line) -> None:
    """Before, after, and the entry."""
    payload = line("policy", "tighten", *STRICT, "--yes", "--json", key="root").json
    assert (payload["before"]["people"], payload["policy"]["people"], payload["dry_run"]) == (10, 20, False)
    assert line("policy", "show", "--json").json["entry"] == payload["entry"]


def test_a_dry_run_signs_nothing(line: Line) -> None:
    """It says what would change."""
    planned = line("policy", "tighten", *STRICT, "--dry-run", key="root")
    assert (planned.code, "people 10 to 20" in planned.out) == (0, True)
    assert in_force(line)["people"] == 10


def test_without_a_yes_nothing_is_signed(line: Line) -> None:
    """Nobody is there to be asked: exit 2, and the flag that is missing."""
    refused = line("policy", "tighten", *STRICT, key="root")
    assert refused.code == 2
    assert "--yes" in refused.err
    assert in_force(line)["people"] == 10


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "name at least one value"),
        (["--people", "9"], "people: no policy may have less"),
        (["--people", "14"], "would be exact"),
        (["--percent-base", "49"], "percent-base: no policy may have less"),
        (["--people", "10"], "in force already"),
    ],
)
def test_what_root_may_not_sign_is_refused_by_name(line: Line, words: list[str], told: str) -> None:
    """Exit 2, and one line that says which value."""
    refused = line("policy", "tighten", *words, "--yes", key="root")
    assert (refused.code, told in refused.err) == (2, True), refused.err
    assert in_force(line)["people"] == 10


def test_loosening_takes_its_own_word(line: Line) -> None:
    """Refused with the name of the value; with --loosen it is done, and told as looser."""
    line("policy", "tighten", *STRICT, "--yes", key="root")
    refused = line("policy", "tighten", "--embargo", "6", "--yes", key="root")
    assert (refused.code, "embargo: that is looser" in refused.err) == (2, True)
    done = line("policy", "tighten", "--embargo", "6", "--loosen", "--yes", key="root")
    assert (done.code, "embargo 12 to 6 (looser)" in done.out) == (0, True)
    notices = [item for item in line("audit", "verify", "--json").json["findings"] if item["code"] == "policy-changed"]
    assert ["looser" in item["message"] for item in notices] == [False, True]


def test_a_director_signs_no_policy(line: Line) -> None:
    """Exit 31."""
    assert line("policy", "tighten", *STRICT, "--yes", key="director-1").code == 31
    assert in_force(line)["people"] == 10


# -- export ----------------------------------------------------------------------------------------------------------


def test_an_export_may_be_stricter_and_says_so_in_every_format(line: Line, org: Organisation, tmp_path: Path) -> None:
    """The policy that was applied stands in each file."""
    org.bring_in(org.field_1, *women(40))
    done = line("export", "all_years", *STRICT, "--coarser", "1", "--json", key="director-1")
    assert done.code == 0, done.err
    assert done.json["policy"] == {
        "base": 5, "coarser": 1, "embargo": 12, "method": "min20-rr5-v1", "parties": 5, "people": 20,
        "percent_base": 50,
    }  # fmt: skip
    for form, words in {
        "csv": "min20-rr5-v1 parties5 embargo12 coarser1 release ",
        "md": "at least 20 people, base 5, percentages over 50 or more; at least 5 travel parties; years counted 12",
        "html": "years counted 12 months after their end; the finest recode not used",
    }.items():
        target = tmp_path / f"out.{form}"
        assert line("export", "all_years", *STRICT, "--coarser", "1", "-o", str(target), key="director-1").code == 0
        assert words in target.read_text(encoding="utf-8"), form


def test_an_export_may_not_be_looser(line: Line, org: Organisation) -> None:
    """Exit 2, and the name of the value; nothing is entered."""
    org.bring_in(org.field_1, *women(40))
    line("policy", "tighten", *STRICT, "--yes", key="root")
    counted = line("export", "all_years", "--people", "21", key="director-1")
    assert (counted.code, "people: for one export it must be a multiple of 10" in counted.err) == (2, True)
    refused = line("export", "all_years", "--people", "15", key="director-1")
    assert (refused.code, "people: that is looser than the policy in force" in refused.err) == (2, True)
    assert refused.out == ""


def test_what_was_printed_before_is_told(line: Line, org: Organisation) -> None:
    """Figures of 12 people do not become figures of 20: the release says 10, and so does the terminal."""
    org.bring_in(org.field_1, *women(12))
    assert line("export", "all_years", key="director-1").code == 0
    late = line("export", "all_years", *STRICT, key="director-1")
    assert late.code == 0
    assert "are read back: the release says people 10, embargo 0" in late.err
    assert "min10-rr5-v1" in late.out


def test_facts_take_no_policy(line: Line, tmp_path: Path) -> None:
    """Entering numbers prints none."""
    assert line("export", "--fact", str(tmp_path / "facts.toml"), "--people", "20", key="director-1").code == 2


# -- init ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("words", "code"), [(STRICT, 0), (["--people", "14"], 2), (["--base", "4"], 2)])
def test_an_organisation_is_founded_with_a_stricter_policy(
    words: list[str], code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or not at all, where the values protect nobody."""
    monkeypatch.setattr(
        passphrase, "stretch", lambda text, salt, _: sha256(b"for tests" + salt + passphrase.normalise(text))
    )
    monkeypatch.setattr(passphrase, "calibrate", lambda *_: passphrase.KdfCost())
    secret, where = tmp_path / "secret", tmp_path / "vault"
    secret.write_text("the passphrase of root 4711\n", encoding="utf-8")
    secret.chmod(0o600)
    given = ["--org", "H", "--shares-dir", str(tmp_path / "shares"), "--passphrase-file", str(secret), "-C", str(where)]
    assert run(["init", *given, *words, "--no-input"]) == code
    assert where.exists() == (code == 0)
    if code == 0:
        with Vault.open(where) as made:
            assert (made.policy.people, made.policy.embargo) == (20, 12)
