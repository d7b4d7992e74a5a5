"""The whole story as real commands: what they write, start and connect to, and where what people typed turns up."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.cli.tree import COMMANDS
from tests.footprint import story
from tests.footprint.story import CHAPTERS, FIRST, LEFT_OUT, Story
from tests.footprint.tracing import Places, offences, traced, why_not
from tests.footprint.watching import ROOT, World
from tests.organisation import canary

TRACED = pytest.mark.skipif(bool(why_not()), reason=why_not() or "traced")


def _told(base: Path, chapters: Sequence[Callable[[Story], None]]) -> World:
    """The story, or some of it. A first command, not watched, lets the interpreter keep what it compiles of us, also
    where whoever runs the tests keeps it from that."""
    world = World(base)
    keeping = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run([*world.program, "--version"], cwd=ROOT, env=keeping, check=True, capture_output=True)
    told = Story(world)
    for chapter in chapters:
        chapter(told)
    return world


def _check(world: World) -> None:
    """Nothing was written but the vault and the named outputs, no socket opened, no program started (where there is
    strace); nothing that was typed is in any file of a laptop, a stick, the home or TMPDIR, nor in the environment or,
    but for what somebody typed there, among the arguments of a process."""
    assert {step.name: step.outside for step in world.steps if step.outside} == {}
    assert {step.name: step.leaked for step in world.steps if step.leaked} == {}
    assert {step.name: step.exposed for step in world.steps if step.exposed} == {}
    if Path("/proc/self/environ").exists():
        assert sum(step.samples for step in world.steps) > len(world.steps) * 3 // 4, "too few were seen as they ran"


def test_the_first_chapters_leave_nothing(tmp_path: Path) -> None:
    """Founding, enrolment over a stick, everything that a recorder does alone, and what is refused."""
    world = _told(tmp_path, FIRST)
    _check(world)
    assert len(world.steps) > 25


@pytest.mark.long
def test_the_whole_story_leaves_nothing(tmp_path: Path) -> None:
    """Every command of every role, and no command of the program was left out."""
    world = _told(tmp_path, CHAPTERS)
    _check(world)
    ran = {step.words for step in world.steps}
    missing = {name for name in _commands() if not any(line[: len(name)] == name for line in ran)}
    assert missing == set()
    assert len(world.steps) > 100


def _commands() -> set[tuple[str, ...]]:
    return {words for words in COMMANDS if " ".join(words) not in LEFT_OUT}


def test_every_command_is_in_the_story() -> None:
    """A command that is added has to be put in, or left out with a reason; that it runs there the long test sees."""
    text = inspect.getsource(story)
    missing = [words for words in sorted(_commands()) if ", ".join(f'"{word}"' for word in words) not in text]
    assert missing == []
    assert set(LEFT_OUT) <= {" ".join(words) for words in COMMANDS}


# -- the checkers find what they are there to find ---------------------------------------------------------------------

BREACHES = {
    "a file elsewhere": "open(sys.argv[1] + '/../breach', 'w').close()",
    "a file beside the vault": "open(sys.argv[1] + '-copy', 'w').close()",
    "a directory elsewhere": "os.mkdir(sys.argv[1] + '/../breach')",
    "a file that cannot be made": "\ntry:\n    open('/nonexistent/x', 'w')\nexcept OSError:\n    pass",
    "a file renamed out of the vault": "open(sys.argv[1] + '/a', 'w').close(); os.rename(sys.argv[1] + '/a', 'b')",
    "a link made elsewhere": "os.symlink('x', sys.argv[1] + '/../breach')",
    "a second name elsewhere": "open(sys.argv[1] + '/a', 'w').close(); os.link(sys.argv[1] + '/a', sys.argv[1] + '-b')",
    "another directory": "os.chdir('/')",
    "a file removed elsewhere": "\ntry:\n    os.unlink('/nonexistent')\nexcept OSError:\n    pass",
    "a file in a directory that is open": "d = os.open(sys.argv[1] + '/..', os.O_RDONLY); os.close(os.open('breach', "
    "os.O_WRONLY | os.O_CREAT, dir_fd=d))",
    "a socket": "import socket; socket.socket().close()",
    "sockets of this process alone": "import socket; socket.socketpair()",
    "a program": "import subprocess; subprocess.run(['/bin/true'])",
    "a program of a copy": "os.fork() or os.execv('/bin/true', ['true']); os.wait()",
}


def _breaking(tmp_path: Path, script: str) -> list[str]:
    vault = tmp_path / "vault"
    vault.mkdir()
    trace = tmp_path / "trace"
    command = [sys.executable, "-I", "-B", "-c", f"import os, sys\n{script}", str(vault)]
    subprocess.run(traced(trace, command), check=True, capture_output=True, cwd=tmp_path)
    return offences(trace.read_text(encoding="latin-1").splitlines(), Places(own=(vault,)), tmp_path)


@TRACED
@pytest.mark.parametrize("what", sorted(BREACHES))
def test_a_breach_is_found(what: str, tmp_path: Path) -> None:
    """Negative control: each of these scripts breaks the rule once, and that is what is found."""
    assert len(_breaking(tmp_path, BREACHES[what])) == 1


@TRACED
def test_what_is_allowed_is_not_found(tmp_path: Path) -> None:
    """The other control: work inside the vault, reading elsewhere, a copy of the process, the terminal."""
    script = (
        "open(sys.argv[1] + '/한글 \\n', 'w').close(); os.mkdir(sys.argv[1] + '/d'); os.listdir('/'); "
        "open('/dev/null', 'w').close(); os.fork() or os._exit(0); os.wait(); open('/etc/passwd').read()"
    )
    assert _breaking(tmp_path, script) == []


def test_named_outputs_take_their_temporary_names_along() -> None:
    """`-o table.csv` may make `.table.csv.part` beside it, and no other file there."""
    places = Places(own=(Path("/v"),), named=(Path("/s/table.csv"), Path("/s/shares")))
    for fine in ("/v", "/v/vault.db-wal", "/s/table.csv", "/s/.table.csv.part", "/s/shares/1", "/dev/tty"):
        assert places.allow(Path(fine))
    for wrong in ("/s/table.md", "/s", "/v2", "/vault.db", "/dev/tty1", "/s/x/.table.csv.part"):
        assert not places.allow(Path(wrong))


@pytest.mark.parametrize("how", ["utf-8", "utf-16-le", "base64", "hex"])
@pytest.mark.parametrize("where", ["hq/vault.db-wal", "stick/news.fvb", "tmp/x", "home/.python_history"])
def test_a_planted_canary_is_found(tmp_path: Path, how: str, where: str) -> None:
    """Negative control of the scan: once, and again only when the file was cleaned and soiled anew."""
    world = World(tmp_path)
    raw = canary("planted").encode("utf-16-le" if how == "utf-16-le" else "utf-8")
    held = {"base64": b64encode(raw), "hex": raw.hex().encode()}.get(how, raw)
    path = tmp_path / where
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"\0" * 999)
    assert world.leaked() == []
    path.write_bytes(b"\0" * 999 + held)
    assert world.leaked() == [where]
    path.write_bytes(b"")
    assert world.leaked() == []


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="there is no /proc here")
def test_a_canary_in_the_environment_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control of the look at processes."""
    world = World(tmp_path, program=(sys.executable, "-c", "import time; time.sleep(0.5)"))
    clean = world.watch("clean", [], Places(named=(tmp_path,)))
    assert (clean.exposed, clean.samples) == ((), 1)
    monkeypatch.setenv("PATH", canary("environment"))
    (tmp_path / "2").mkdir()
    world = World(tmp_path / "2", program=world.program)
    monkeypatch.setattr("tests.footprint.watching.traced", lambda _, command: command)
    monkeypatch.setattr("tests.footprint.watching.why_not", lambda: "not traced")
    assert world.watch("soiled", [], Places(named=(tmp_path,))).exposed == ("environment",)
