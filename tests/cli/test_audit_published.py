"""`audit publish`, `audit prove` and `audit verify` of what they made, as a person and a program see them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cli.main import run
from tests.laptops import Fleet, History, Laptop
from tests.organisation import flipped
from tests.services.publishing import everything, two_laptops, write_history
from vault.formats.tlog_policy import encode_policy, parse_policy
from vault.services.audit_publish_texts import directory_of

Typed = Callable[..., tuple[int, str, str]]


@pytest.fixture
def typed(capfdbinary: pytest.CaptureFixture[bytes]) -> Typed:
    """Runs a command line; its exit code, stdout and stderr."""

    def run_it(*words: object) -> tuple[int, str, str]:
        capfdbinary.readouterr()
        code = run([str(word) for word in words])
        out = capfdbinary.readouterr()
        return code, out.out.decode(), out.err.decode()

    return run_it


@pytest.fixture
def laptop(fleet: Fleet) -> Laptop:
    """The field laptop, whose first five entries headquarters has cosigned, closed."""
    _, field = two_laptops(fleet)
    field.close()
    return field


def test_publish_ends_in_two_lines_and_what_it_wrote_verifies(laptop: Laptop, typed: Typed, tmp_path: Path) -> None:
    """Then the published directory is checked with no vault at all."""
    target = tmp_path / "published"
    code, out, err = typed("audit", "publish", target, "-C", laptop.directory)
    assert code == 0
    assert "field-1/1: 8 entries, 8 of them new, cosigned up to 5" in out
    assert [line.split()[0] for line in err.splitlines()[-2:]] == ["Published", "Next:"]
    code, out, _ = typed("audit", "verify", "--published", target, "-C", tmp_path / "no-vault")
    assert (code, out.splitlines()[-1]) == (0, "intact, NOT anchored")
    assert "the directory's own policy" in out
    code, out, _ = typed("audit", "verify", "--published", target, "--policy", target / "policy", "--json")
    told = json.loads(out)
    assert (code, told["trust"], told["verdict"]) == (0, "own policy", "intact, anchored")
    anchored = {item["origin"]: item["anchored"] for item in told["journals"]}
    assert anchored[History.of(_opened(laptop), "field-1").origin] == 5


def test_how_much_rests_on_which_head_is_said(laptop: Laptop, typed: Typed, tmp_path: Path) -> None:
    """Of each journal, in text and in JSON; the last line says for how many entries it is said. When somebody who would
    know is not heard, that is the last line, although each journal has a head from outside."""
    target, own = tmp_path / "published", tmp_path / "mine"
    typed("audit", "publish", target, "-C", laptop.directory)
    own.write_bytes((target / "policy").read_bytes())
    check = ("audit", "verify", "--published", target, "--policy", own)
    code, out, _ = typed(*check)
    assert (code, out.splitlines()[-1]) == (0, "intact, anchored: 16 of 19 entries; the others came later")
    (line,) = [line for line in out.splitlines() if "field-1/1 up to" in line]
    assert line.strip().startswith("field-1/1 up to 5 of 8 entries, cosigned by your quorum, the last of it hub-1 on ")
    assert line.endswith("; 3 not anchored yet")
    told = {item["origin"].split("/", 2)[2]: item for item in json.loads(typed(*check, "--json")[1])["journals"]}
    mine = told["field-1/1"]
    assert (mine["size"], mine["anchored"], mine["not_anchored"]) == (8, 5, 3)
    assert mine["by"].startswith("cosigned by your quorum")
    assert (told["root/1"]["not_anchored"], told["director-1/1"]["by"]) == (0, None)
    true = History.of(_opened(laptop), "field-1", 5)
    folder = target / directory_of(true.origin)
    old = (folder / "witnessed").read_bytes()
    (folder / "witnessed").unlink()
    write_history(folder, true)
    (folder / "checkpoint").write_bytes(old)
    code, out, _ = typed(*check)
    last = "intact, NOT anchored: others have seen more than is shown, or are not heard; see the notes"
    assert (code, out.splitlines()[-1]) == (0, last)
    assert "note: field-1: a cosignature of " in out


def _opened(laptop: Laptop) -> Laptop:
    laptop.reopen()
    return laptop


def test_publish_as_a_program_sees_it(laptop: Laptop, typed: Typed, tmp_path: Path) -> None:
    """One JSON object; `--dry-run` says so and writes nothing."""
    target = tmp_path / "published"
    code, out, err = typed("audit", "publish", target, "-C", laptop.directory, "--dry-run", "--json")
    told = json.loads(out)
    assert (code, told["dry_run"], told["quorum"], err) == (0, True, "Witnesses", "")
    assert told["files"] > 0
    assert not target.exists()
    code, out, _ = typed("audit", "publish", target, "-C", laptop.directory, "--json")
    journals = {item["origin"].split("/", 2)[2]: item for item in json.loads(out)["journals"]}
    assert (journals["field-1/1"]["size"], journals["field-1/1"]["cosigned"]) == (8, 5)
    assert (target / journals["field-1/1"]["directory"] / "checkpoint").is_file()


def test_refusals_have_their_codes(laptop: Laptop, typed: Typed, tmp_path: Path) -> None:
    """2 something else there, 10 no vault, 20 damage, 21 rollback, 22 fork; and nothing is written."""
    target, other = tmp_path / "published", tmp_path / "other"
    assert typed("audit", "publish", target, "-C", tmp_path / "no-vault")[0] == 10
    other.mkdir()
    (other / "letter.txt").write_text("mine")
    assert typed("audit", "publish", other, "-C", laptop.directory)[0] == 2
    assert typed("audit", "publish", tmp_path / "no-stick" / "x", "-C", laptop.directory)[0] == 2
    assert typed("audit", "publish", target, "-C", laptop.directory)[0] == 0
    true = History.of(_opened(laptop), "field-1")
    folder = target / directory_of(true.origin)
    for history, expected in (
        (true.grown(3), 21),
        (History(true.origin, true.seed, true.leaves[:2]).grown(6), 22),
    ):
        write_history(folder, history)
        before = everything(target)
        laptop.close()
        code, _, err = typed("audit", "publish", target, "-C", laptop.directory)
        assert (code, everything(target) == before) == (expected, True)
        assert "field-1/1" in err


def test_a_finding_is_20_and_the_last_line(laptop: Laptop, typed: Typed, tmp_path: Path) -> None:
    """And every place has a line."""
    target = tmp_path / "published"
    typed("audit", "publish", target, "-C", laptop.directory)
    folder = target / directory_of(History.of(_opened(laptop), "field-1").origin)
    path = folder / "tile" / "0" / "000.p" / "8"
    path.write_bytes(flipped(path.read_bytes()))
    code, out, _ = typed("audit", "verify", "--published", target)
    assert (code, out.splitlines()[-1]) == (20, "FINDING: 1 place does not hold.")
    assert "field-1/1/tile/0/000.p/8" in out
    code, out, _ = typed("audit", "verify", "--published", target, "--json")
    assert (code, json.loads(out)["ok"], len(json.loads(out)["findings"])) == (20, False, 1)


def test_a_kept_head_makes_a_rollback_21_and_a_fork_22(laptop: Laptop, typed: Typed, tmp_path: Path) -> None:
    """From a file, and from paper."""
    target, kept = tmp_path / "published", tmp_path / "kept.note"
    typed("audit", "publish", target, "-C", laptop.directory)
    true = History.of(_opened(laptop), "field-1")
    laptop.close()
    kept.write_bytes(true.note())
    code, out, _ = typed("audit", "verify", "--published", target, "--head", kept)
    assert (code, "field-1/1 at 8 entries (kept.note): holds" in out) == (0, True)
    code, out, _ = typed("audit", "heads", "-C", laptop.directory, "--json")
    paper = next(item["paper_head"] for item in json.loads(out)["heads"] if item["origin"] == true.origin)
    assert typed("audit", "verify", "--published", target, "--head", paper)[0] == 0
    folder = target / directory_of(true.origin)
    write_history(folder, History(true.origin, true.seed, true.leaves[:5]))
    assert typed("audit", "verify", "--published", target)[0] == 0
    for head in (kept, paper):
        assert typed("audit", "verify", "--published", target, "--head", head)[0] == 21
    write_history(folder, History(true.origin, true.seed, true.leaves[:5]).grown(3))
    for head in (kept, paper):
        assert typed("audit", "verify", "--published", target, "--head", head)[0] == 22


def test_a_proof_goes_to_a_file_and_is_checked_without_a_vault(laptop: Laptop, typed: Typed, tmp_path: Path) -> None:
    """With the entry beside it when that is asked for; an existing file is not replaced unasked."""
    target, proof = tmp_path / "published", tmp_path / "entry-3.tlog-proof"
    typed("audit", "publish", target, "-C", laptop.directory)
    code, out, err = typed("audit", "prove", "field-1/1:3", "-o", proof, "--with-leaf", "-C", laptop.directory)
    assert (code, out) == (0, "")
    assert [line.split()[0] for line in err.splitlines()[-2:]] == ["Proved:", "Next:"]
    assert "cosigned by hub-1" in err
    assert typed("audit", "prove", "field-1/1:3", "-o", proof, "-C", laptop.directory)[0] == 2
    check = ("audit", "verify", "--proof", proof, "--policy", target / "policy")
    code, out, _ = typed(*check)
    assert (code, out.splitlines()[-1]) == (0, "the proof holds")
    assert "cosigned by hub-1" in out
    assert "number 3 of field-1/1 when it had 5 entries" in out
    leaf = tmp_path / "entry-3.tlog-proof.leaf"
    assert typed(*check, "--entry", leaf)[0] == 0
    leaf.write_bytes(b"another")
    assert typed(*check, "--entry", leaf)[0] == 20
    told = json.loads(typed(*check, "--json")[1])
    assert (told["seq"], told["size"], told["cosigned"], told["included"]) == (3, 5, ["hub-1"], True)


def test_a_proof_goes_to_stdout_alone(laptop: Laptop, typed: Typed, tmp_path: Path) -> None:
    """So that it can be piped; with a bare one alone nothing about an entry is proved, and that is no success (2)."""
    code, out, _ = typed("audit", "prove", "3", "--as", "field-1", "--bare", "-C", laptop.directory)
    assert (code, out.split("\n")[:2]) == (0, ["c2sp.org/tlog-proof@v1", "index 3"])
    typed("audit", "publish", tmp_path / "published", "-C", laptop.directory)
    (tmp_path / "p").write_text(out)
    check = ("audit", "verify", "--proof", tmp_path / "p", "--policy", tmp_path / "published" / "policy")
    code, out, err = typed(*check)
    assert (code, out, "--entry FILE" in err) == (2, "", True)
    bare, leaf = tmp_path / "p2", tmp_path / "p2.leaf"
    prove = ("audit", "prove", "field-1/1:3", "-o", bare, "--with-leaf", "-C", laptop.directory)
    _, _, err = typed(*prove, "--bare")
    assert err.splitlines()[-1].endswith(f"--policy POLICY --entry {leaf}")
    assert "--entry" not in typed(*prove, "--yes")[2], "negative control"
    assert typed(*check, "--entry", leaf)[0] == 0
    leaf.write_bytes(b"another")
    code, _, err = typed(*check, "--entry", leaf)
    assert (code, "does not hold the bytes of entry 3" in err) == (20, True)
    assert json.loads(typed("audit", "prove", "field-1/1:3", "-C", laptop.directory, "--json")[1])["proof"].startswith(
        "c2sp"
    )


@pytest.mark.parametrize(
    "words",
    [
        ("--proof", "p"),
        ("--policy", "p"),
        ("--entry", "p"),
        ("--published", "d", "--proof", "p"),
        ("--published", "d", "--entry", "p"),
        ("--published", "d", "--release", "r"),
        ("--proof", "p", "--policy", "q", "--head", "h"),
        ("--published", "nothing-there"),
    ],
)
def test_options_that_do_not_go_together_are_refused(laptop: Laptop, typed: Typed, words: tuple[str, ...]) -> None:
    """With one line and exit code 2."""
    code, out, err = typed("audit", "verify", "-C", laptop.directory, *words)
    assert (code, out) == (2, "")
    assert (err.startswith("fieldvault: "), err.count("\n") <= 2) == (True, True)


def test_a_policy_whose_quorum_is_not_met_is_20(laptop: Laptop, typed: Typed, tmp_path: Path) -> None:
    """And the reason is said; a policy that asks nothing of that journal, and no policy at all, give 0."""
    target, own = tmp_path / "published", tmp_path / "mine"
    typed("audit", "publish", target, "-C", laptop.directory)
    policy = parse_policy((target / "policy").read_bytes())
    check = ("audit", "verify", "--published", target)
    nobody = replace(policy, groups=(), quorum=policy.witnesses[-1].name)
    own.write_bytes(encode_policy(nobody))
    code, out, _ = typed(*check, "--policy", own)
    assert (code, out.splitlines()[-1]) == (20, "intact, NOT anchored: the quorum of your policy is not met")
    assert "no policy of your own" not in out
    told = json.loads(typed(*check, "--policy", own, "--json")[1])
    assert (told["ok"], told["verdict"]) == (False, "intact, NOT anchored")
    assert told["quorum_unmet"]
    own.write_bytes(encode_policy(replace(policy, quorum="none")))
    assert typed(*check, "--policy", own)[0] == 0
    assert typed(*check)[0] == 0, "negative control"


def test_evidence_of_a_published_directory(laptop: Laptop, typed: Typed, tmp_path: Path) -> None:
    """Written where it was asked for, and stdout says so; nothing when nothing was found."""
    target, out_there = tmp_path / "published", tmp_path / "evidence"
    typed("audit", "publish", target, "-C", laptop.directory)
    check = ("audit", "verify", "--published", target, "--evidence", out_there)
    code, out, _ = typed(*check)
    assert (code, out_there.exists(), "evidence: none was written" in out) == (0, False, True)
    path = target / directory_of(History.of(_opened(laptop), "field-1").origin) / "tile" / "0" / "000.p" / "8"
    path.write_bytes(flipped(path.read_bytes()))
    code, out, _ = typed(*check)
    assert (code, f"evidence: written in {out_there}; begin with README.txt" in out) == (20, True)
    assert (out_there / "01-field-1-1" / "README.txt").is_file()


def test_a_directory_of_something_else_is_13(typed: Typed, tmp_path: Path) -> None:
    """No finding, and nobody is told to tell root."""
    (tmp_path / "letter.txt").write_text("mine")
    code, out, err = typed("audit", "verify", "--published", tmp_path)
    assert (code, out, "not a published directory" in err) == (13, "", True)


def test_with_leaf_needs_a_file(laptop: Laptop, typed: Typed) -> None:
    """Two results do not fit on one stdout."""
    assert typed("audit", "prove", "field-1/1:3", "--with-leaf", "-C", laptop.directory)[0] == 2
