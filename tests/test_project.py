"""The project's own promises: every download is locked, nothing names a machine, nothing claims too much."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).resolve().parents[1]
PROJECT: Final[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
GROUPS: Final = PROJECT["dependency-groups"]

# Lock -> what it must hold.
LOCKED: Final[dict[str, list[str]]] = {
    "runtime": PROJECT["project"]["dependencies"],
    "director": [*PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"]["director"]],
    "build": [*PROJECT["build-system"]["requires"], *GROUPS["build"]],
    "dev": [
        *PROJECT["project"]["dependencies"],
        *PROJECT["project"]["optional-dependencies"]["director"],
        *GROUPS["build"],
        *GROUPS["dev"],
    ],
    "tools": GROUPS["tools"],
    "interop": GROUPS["interop"],
}

# A full stop as "[.]" and the like: these patterns do not find themselves in this file.
FORBIDDEN: Final[dict[str, re.Pattern[str]]] = {
    "a registry host": re.compile(r"pypi[.]org|python[h]osted|registry[.]npmjs|deb[.]debian", re.IGNORECASE),
    "a path of some machine": re.compile(r"/(?:tmp|root|home|farm|work|Users)/[\w.-]+/|\b[A-Z]:\\Users\\\w", re.ASCII),
    "a claim that cannot be kept": re.compile(
        r"tamper[- ]?p[r]oof|military[- ]g[r]ade|un[b]reakable|secure[- ]d[e]let|\banony[m]ous|wiped\s+from\s+m[e]mory",
        re.IGNORECASE,
    ),
}
MAY_DISCUSS_CLAIMS: Final[dict[str, str]] = {
    "docs/claims.md": "says in plain language which words are not used, and why",
    "docs/threat-model.md": "quotes what the program does not promise",
    "CONTRIBUTING.md": "lists the words not to use",
}
MADE: Final = {"__pycache__", "build", "dist"}

LOCK_LINE: Final = re.compile(
    r"(?P<name>[a-z0-9]+(?:-[a-z0-9]+)*)==(?P<version>[0-9][0-9a-z.+!]*)(?: ; (?P<marker>[^\\]+?))? \\\n"
    r"(?:    --hash=sha256:[0-9a-f]{64} \\\n)*    --hash=sha256:[0-9a-f]{64}\n"
)


def read_lock(text: str) -> dict[str, str]:
    """Name -> version. Anything but comments and hashed pins is refused: an option line could name another registry."""
    body = "".join(line for line in text.splitlines(keepends=True) if not line.lstrip().startswith("#"))
    rest = LOCK_LINE.sub("", body).strip()
    assert not rest, f"not a pin with hashes: {rest[:80]!r}"
    return {found["name"]: found["version"] for found in LOCK_LINE.finditer(body)}


def lock(name: str) -> dict[str, str]:
    """The pins of one of the project's locks."""
    return read_lock((ROOT / "requirements" / f"{name}.lock").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("name", "wanted"), LOCKED.items(), ids=LOCKED.keys())
def test_every_dependency_is_locked_with_a_hash(name: str, wanted: list[str]) -> None:
    """Each requirement has a pin that fits it."""
    pins = lock(name)
    for requirement in map(Requirement, wanted):
        assert canonicalize_name(requirement.name) in pins, f"{requirement} is not in {name}.lock: run `make lock`"
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)]), f"{requirement}: `make lock`"


def test_the_locks_agree() -> None:
    """What is tested is what is installed: the same version everywhere, and nothing at run time that is not tested."""
    everything = lock("dev")
    for name in ("runtime", "director", "build"):
        assert lock(name).items() <= everything.items()


@pytest.mark.parametrize(
    "line",
    [
        "click==8.1.0\n",
        "click>=8 \\\n    --hash=sha256:" + "0" * 64 + "\n",
        "--index-url https://registry.example/simple\n",
        "--find-links wheels\n",
        "click @ https://registry.example/click.whl \\\n    --hash=sha256:" + "0" * 64 + "\n",
        "-e .\n",
    ],
    ids=["no hash", "no pin", "an index", "a folder of links", "an address", "an editable"],
)
def test_a_lock_with_anything_else_is_refused(line: str) -> None:
    """The reader of locks can fail."""
    good = (
        "# a comment\nmsgpack==1.2.4 ; sys_platform == 'win32' \\\n    --hash=sha256:" + "a" * 64 + "\n    # via us\n"
    )
    assert read_lock(good) == {"msgpack": "1.2.4"}
    with pytest.raises(AssertionError, match="not a pin with hashes"):
        read_lock(good + line)


def files_of_the_project(root: Path) -> Iterator[Path]:
    """What git tracks or would add; without git, every file outside dot folders and what make made."""
    if (root / ".git").exists() and shutil.which("git"):
        command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, capture_output=True, check=True).stdout.decode("utf-8")
        yield from filter(Path.is_file, (root / name for name in listed.split("\0") if name))
    else:
        for path in sorted(root.rglob("*")):
            inside = path.relative_to(root).parts[:-1]
            if path.is_file() and not any((part.startswith(".") and part != ".ci") or part in MADE for part in inside):
                yield path


def forbidden_text(root: Path) -> list[str]:
    """Every place in a text file that names a registry or a machine, or claims too much."""
    found = []
    for path in files_of_the_project(root):
        name = path.relative_to(root).as_posix()
        try:
            lines = path.read_bytes().decode("utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        for (what, pattern), (number, line) in ((f, entry) for f in FORBIDDEN.items() for entry in enumerate(lines, 1)):
            if pattern.search(line) and not (what.startswith("a claim") and name in MAY_DISCUSS_CLAIMS):
                found.append(f"{name}:{number}: {what}")
    return found


def test_no_file_names_a_registry_or_a_machine_or_claims_too_much() -> None:
    """The tree can be handed to anybody, and says nothing that it cannot keep."""
    found = forbidden_text(ROOT)
    assert not found, "\n".join(["", *found])


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("see https://py" + "pi.org/simple", "a registry host"),
        ("files.python" + "hosted.org", "a registry host"),
        ("cd /ho" + "me/somebody/vault", "a path of some machine"),
        ("C:\\Use" + "rs\\somebody", "a path of some machine"),
        ("Tamper-" + "proof!", "a claim that cannot be kept"),
        ("MILITARY " + "GRADE", "a claim that cannot be kept"),
        ("un" + "breakable", "a claim that cannot be kept"),
        ("secure " + "delete", "a claim that cannot be kept"),
        ("anony" + "mous totals", "a claim that cannot be kept"),
        ("keys are wiped from " + "memory", "a claim that cannot be kept"),
    ],
)
def test_a_planted_line_is_found(text: str, what: str, tmp_path: Path) -> None:
    """Each kind is named with its place; SQLite's secure_delete and a relative path are not."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "page.md").write_text(
        f"PRAGMA secure_delete\na work/x/ and ./home\n{text}\n", encoding="utf-8"
    )
    (tmp_path / "docs" / "claims.md").write_text("anony" + "mous\n", encoding="utf-8")
    (tmp_path / "binary.dat").write_bytes(b"\xff" + text.encode())
    assert forbidden_text(tmp_path) == [f"docs/page.md:3: {what}"]


def test_the_program_and_its_packages_are_declared() -> None:
    """`fieldvault` starts cli.main, both packages are typed and shipped, and the licence is there in full."""
    assert PROJECT["project"]["scripts"] == {"fieldvault": "cli.main:main"}
    packages = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert packages == ["vault", "cli"]
    assert all((ROOT / package / "py.typed").is_file() for package in packages)
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert PROJECT["project"]["license"] == "Apache-2.0"
    assert "Version 2.0, January 2004" in licence
    assert "END OF TERMS AND CONDITIONS" in licence


def test_data_files_lie_inside_the_packages() -> None:
    """Codebooks and tables travel with the package that reads them."""
    for folder in ("codebooks", "tables"):
        assert list((ROOT / "vault" / folder).glob("*.toml")), f"vault/{folder} ships nothing"


def test_ci_runs_the_test_command_of_the_readme() -> None:
    """A newcomer's command and CI's are the same one."""
    readme = ROOT / "README.md"
    if not readme.exists():
        pytest.skip("README.md is not written yet")
    blocks = re.findall(r"^```[^\n]*\n(.*?)^```", readme.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    commands = {
        line.removeprefix("$ ").split("#")[0].strip() for line in chain(*(block.splitlines() for block in blocks))
    }
    assert "make test" in commands
    assert "make demo" in commands
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert "set -euo pipefail" in ci
    assert "make test" in ci


def test_the_files_are_found_with_and_without_git(tmp_path: Path) -> None:
    """A release archive is checked as well as a checkout; what make made is left out of both."""
    for name in (".ci/run", "vault/model.py", ".venv/lib/x.py", "vault/__pycache__/model.pyc", "build/lib/x.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("", encoding="utf-8")
    assert {path.relative_to(tmp_path).as_posix() for path in files_of_the_project(tmp_path)} == {
        ".ci/run",
        "vault/model.py",
    }
    ours = {path.relative_to(ROOT).as_posix() for path in files_of_the_project(ROOT)}
    assert {"pyproject.toml", ".ci/run", "tests/test_project.py"} <= ours
    assert not any(name.startswith(".venv/") or "__pycache__" in name for name in ours)
