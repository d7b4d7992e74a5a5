"""The documents say what is so: links lead somewhere, named tests exist, commands parse, the tutorial runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from cli.reference import reference
from tests.docs_rules import (
    NEVER_SAID,
    Step,
    broken_links,
    matches,
    mentioned_lines,
    missing_tests,
    named_tests,
    not_shown,
    parse_problem,
    promises,
    slug,
    steps,
    typed_lines,
    untested_promises,
    without_fences,
)
from vault import labels

ROOT: Final = Path(__file__).resolve().parents[1]
DOCS: Final = ROOT / "docs"
THREATS: Final = DOCS / "threat-model.md"
DECISIONS: Final = tuple(sorted((DOCS / "decisions").glob("*.md")))
SKIPPED: Final = frozenset({"build", "dist", "node_modules"})

MARKDOWN: Final = tuple(
    path
    for path in sorted(ROOT.rglob("*.md"))
    if not any(part.startswith(".") or part in SKIPPED for part in path.relative_to(ROOT).parts)
)
WITH_COMMANDS: Final = (
    "README.md",
    "SECURITY.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "docs/architecture.md",
    "docs/claims.md",
    "docs/disclosure.md",
    "docs/glossary.md",
    "docs/tables.md",
    "docs/threat-model.md",
    "docs/tutorial.md",
)
MAY_QUOTE: Final = frozenset({"docs/claims.md", "docs/threat-model.md", "CONTRIBUTING.md"})
"""Documents that name the words which the project does not use, in order to say so."""

PROMISES: Final = tuple(f"P{number}" for number in range(1, 10))

SHIM: Final = """\
#!/bin/sh
exec "{python}" -c '
import vault.primitives.passphrase as p
p.calibrate = lambda *a, **k: p.KdfCost()
from cli.main import main
main()' "$@"
"""
"""The program itself, except that new key files cost the least that is allowed: the tutorial waits for nobody."""


def read(path: Path) -> str:
    """A document's text."""
    return path.read_text(encoding="utf-8")


def name_of(path: Path) -> str:
    """A document's path from the root of the tree, for the names of tests."""
    return path.relative_to(ROOT).as_posix()


# -- links, words, names ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", MARKDOWN, ids=name_of)
def test_every_relative_link_leads_somewhere(path: Path) -> None:
    """Files and headings that a document points at exist."""
    assert not broken_links(path, read(path))


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    """A missing file and a missing heading are named; good ones, foreign ones and code are not."""
    (tmp_path / "b.md").write_text("# Who may `what`?\n", encoding="utf-8")
    page = tmp_path / "a.md"
    text = "[x](b.md) [y](b.md#who-may-what) [z](https://example.org/q) `[c](no.md)` [m](c.md) [n](b.md#why)\n"
    text = text.replace("`[c](no.md)` ", "") + "```\n[code](nowhere.md)\n```\n"
    page.write_text(text, encoding="utf-8")
    assert broken_links(page, text) == ["a.md: c.md does not exist", "a.md: b.md#why has no such heading"]
    assert slug("P1. No plaintext, [ever](x)!") == "p1-no-plaintext-ever"


@pytest.mark.parametrize("path", MARKDOWN, ids=name_of)
def test_no_document_claims_what_nobody_can_keep(path: Path) -> None:
    """The words not to use stand only where it is said that they are not used."""
    if name_of(path) not in MAY_QUOTE:
        assert not NEVER_SAID.search(read(path))


def test_a_claim_is_found() -> None:
    """The pattern can fail, and spares what is true of SQLite."""
    assert NEVER_SAID.search("Our vault is quantum" + "-safe.")
    assert not NEVER_SAID.search("PRAGMA secure_delete = on; deniability is no goal; zero counts as small")


# -- promises --------------------------------------------------------------------------------------------------------


def test_every_promise_names_a_test_and_a_status() -> None:
    """P1 to P9 are there, once each, with tests and an honest status."""
    text = read(THREATS)
    assert tuple(promises(text)) == PROMISES
    assert not untested_promises(text)


def test_every_test_that_a_document_names_exists() -> None:
    """Renaming a test that carries a promise means rewriting the promise."""
    for path in MARKDOWN:
        assert not missing_tests(ROOT, read(path)), name_of(path)


def test_a_promise_without_a_test_is_found(tmp_path: Path) -> None:
    """No test, no status, a test that is not there or is expected to fail: each is named."""
    text = "### P1. One\n**Status:** `tests/a.py::test_b`\n### P2. Two\n**Status:** none\n## Else\n### P3. Three\n"
    assert untested_promises(text) == ["P2 names no test", "P3 names no test", "P3 has no status"]
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "a.py").write_text(
        "def test_b(): ...\nclass TestC:\n    def test_d(self): ...\n"
        "@pytest.mark.xfail(strict=True)\ndef test_f(): ...\ndef helper(): ...\n",
        encoding="utf-8",
    )
    good, bad = (
        ("a.py::test_b", "a.py::TestC::test_d"),
        ("a.py::helper", "a.py::test_e", "a.py::test_f", "z.py::test_b"),
    )
    wanted = " ".join(f"`tests/{name}`" for name in (*good, *bad))
    assert len(named_tests(wanted)) == 6
    assert missing_tests(tmp_path, wanted) == [f"tests/{name}" for name in bad]


def test_security_md_speaks_of_existing_promises() -> None:
    """SECURITY.md lists the same nine promises, by number."""
    text = read(ROOT / "SECURITY.md")
    assert all(f"**{name}**" in text for name in PROMISES)


def test_the_cryptography_page_names_every_label() -> None:
    """Each domain-separation label of vault/labels.py is explained in the threat model."""
    text = read(THREATS)
    values = [value.decode().rstrip() for name, value in vars(labels).items() if name.isupper()]
    assert values
    assert not [value for value in values if f"`{value}`" not in text]


# -- decisions -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", DECISIONS, ids=name_of)
def test_a_decision_says_why_and_what_it_costs(path: Path) -> None:
    """A decision record has its context, its decision and its consequences, the bad ones too."""
    text = read(path)
    for heading in ("## Context", "## Decision", "## Consequences"):
        assert f"\n{heading}\n" in text, heading
    assert "\n- Bad: " in text
    assert f"# {path.name[:4]}. " in text


def test_decisions_are_numbered_without_gaps() -> None:
    """0001, 0002, ...: a number is never used twice, and no record disappears."""
    assert [path.name[:4] for path in DECISIONS] == [f"{number:04}" for number in range(1, len(DECISIONS) + 1)]


# -- commands --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", WITH_COMMANDS)
def test_every_command_line_in_a_document_parses(name: str) -> None:
    """Commands and flags that a document shows exist."""
    text = read(ROOT / name)
    assert not [(line, problem) for line in typed_lines(text) if (problem := parse_problem(line))]
    assert not [(line, problem) for line in mentioned_lines(text) if (problem := parse_problem(line, whole=False))]


def test_a_bad_command_line_is_found() -> None:
    """An unknown command, an unknown flag, a missing one and a bad choice are named; a good line is not."""
    block = "```console\n$ X=$(fieldvault case open --set a=b) || fieldvault status\nfieldvault no\n```\n"
    assert list(typed_lines(block)) == ["fieldvault case open --set a=b", "fieldvault status"]
    assert not [line for line in typed_lines(block) if parse_problem(line)]
    assert list(mentioned_lines(block + "`fieldvault case` and `fieldvault`")) == ["fieldvault case"]
    assert not parse_problem("fieldvault case", whole=False)
    assert parse_problem("fieldvault case shut", whole=False)
    for line in (
        "fieldvault vanish",
        "fieldvault audit verify --loudly",
        "fieldvault member add field-1",
        "fieldvault member add field-1 --role king",
        "fieldvault case",
    ):
        assert parse_problem(line), line


def test_the_command_reference_is_the_generator_s() -> None:
    """docs/cli.md is what `make docs` writes."""
    assert read(DOCS / "cli.md") == reference(), "run `make docs`"


def test_the_readme_begins_with_the_two_commands() -> None:
    """Set up and see, set up and test: within the first twenty lines."""
    beginning = read(ROOT / "README.md").splitlines()[:20]
    assert any(line.startswith("make demo") for line in beginning)
    assert any(line.startswith("make test") for line in beginning)
    assert "not audited" in without_fences(read(ROOT / "README.md")).lower()


# -- the tutorial ----------------------------------------------------------------------------------------------------


def play(session: tuple[Step, ...], folder: Path) -> list[str]:
    """Types a session into one shell; returns what came out differently from what is shown."""
    programs, outputs, home = folder / "bin", folder / "out", folder / "home"
    for made in (programs, outputs, home):
        made.mkdir()
    shim = programs / "fieldvault"
    shim.write_text(SHIM.format(python=sys.executable), encoding="utf-8")
    shim.chmod(0o755)
    script = "".join(
        f"{{ {step.command}\n}} > '{outputs}/{number}' 2>&1; echo $? > '{outputs}/{number}.code'\n"
        for number, step in enumerate(session)
    )
    environment = {
        "PATH": os.pathsep.join((str(programs), os.environ.get("PATH", ""))),
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": str(home),
        "LANG": "C.UTF-8",
    }
    subprocess.run(["sh", "-c", script], cwd=home, env=environment, stdin=subprocess.DEVNULL, check=True, timeout=300)
    differences = []
    for number, step in enumerate(session):
        output = (outputs / str(number)).read_text(encoding="utf-8").splitlines()
        if (outputs / f"{number}.code").read_text(encoding="utf-8").strip() != "0":
            differences.append(f"$ {step.command}\nfailed: {output}")
        differences += [f"$ {step.command}\nnot shown: {line}\n{output}" for line in not_shown(step.shown, output)]
    return differences


@pytest.mark.long
@pytest.mark.skipif(os.name != "posix" or shutil.which("sh") is None, reason="the tutorial is typed into a shell")
def test_the_tutorial_runs_as_it_is_printed(tmp_path: Path) -> None:
    """Every command of docs/tutorial.md works, in its order, and answers as is shown; nothing is left behind."""
    session = tuple(steps(read(DOCS / "tutorial.md")))
    assert len(session) > 25
    differences = play(session, tmp_path)
    assert not differences, "\n".join(differences)
    assert list((tmp_path / "home").iterdir()) == []


@pytest.mark.skipif(os.name != "posix" or shutil.which("sh") is None, reason="the tutorial is typed into a shell")
def test_a_session_that_answers_otherwise_is_found(tmp_path: Path) -> None:
    """A failing command and a line that does not come are both reported; a variable lasts from step to step."""
    text = "```console\n$ X=1\n$ echo a$X-b\na1-...\n$ false\n$ echo one\ntwo\n```\n```sh\n$ not this\n```\n"
    found = play(tuple(steps(text)), tmp_path)
    assert [item.splitlines()[0] for item in found] == ["$ false", "$ echo one"]
    assert matches("a...c", " abc ")
    assert not matches("a...c", "abcd")
    assert not_shown(["b", "a"], ["a", "b"]) == ["a"]
