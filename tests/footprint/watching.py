"""Runs one command of the program after another and looks, each time, at all that it did and left: under strace; in
the files of every laptop, stick, home and temporary directory; in the environment and arguments of its process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict

from tests.canary_scanner import holds_canary, text_holds_canary
from tests.footprint.tracing import Places, offences, traced, why_not
from tests.organisation import PASSPHRASES, canary

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = (
    "import vault.primitives.passphrase as passphrase\n"
    "passphrase.calibrate = lambda *_: passphrase.KdfCost()\n"
    "from cli.main import main\n"
    "main()\n"
)
"""The program as it is, but that new key files get the least cost that is allowed instead of a second's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One command, and what was found: each list is empty where it did no wrong."""

    name: str
    words: tuple[str, ...]
    code: int
    out: str
    err: str
    outside: tuple[str, ...]
    leaked: tuple[str, ...]
    exposed: tuple[str, ...]
    samples: int
    """How often its process was looked at while it ran."""


class How(TypedDict, total=False):
    """How a command of the story is run: see `World.__call__`."""

    out: Sequence[Path | str]
    code: int
    shows: bool
    stdin: str


@dataclass
class World:
    """Laptops (`hq`, `south`), a stick, a home and a temporary directory; and, apart, what people keep to themselves:
    passphrases, import files. `steps` is what was seen so far."""

    base: Path
    program: Sequence[str] = (sys.executable, "-c", PROGRAM)
    steps: list[Seen] = field(default_factory=list)
    _known: dict[Path, tuple[int, int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for directory in (self.stick, self.private, self.base / "home", self.base / "tmp"):
            directory.mkdir(mode=0o700)

    @property
    def stick(self) -> Path:
        """What travels."""
        return self.base / "stick"

    @property
    def private(self) -> Path:
        """What is never looked at: it holds the canaries themselves."""
        return self.base / "private"

    def secret(self, name: str, text: str) -> str:
        """A private file."""
        path = self.private / name
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
        return str(path)

    def passphrase(self, handle: str) -> str:
        """The file with a member's passphrase, which is a canary."""
        return self.secret(f"{handle}.passphrase", PASSPHRASES.setdefault(handle, canary(f"passphrase of {handle}")))

    def __call__(
        self,
        laptop: str,
        *words: str,
        key: str = "",
        out: Sequence[Path | str] = (),
        code: int = 0,
        shows: bool = False,
        stdin: str = "",
    ) -> dict[str, Any]:
        """One command, on one laptop, acting as `key`; `out` are the outputs that it names. Its answer, as JSON.

        `shows`: its answer is what somebody asked to see, and may hold a canary.
        """
        acting = ["--as", key, "--passphrase-file", self.passphrase(key)] if key else []
        argv = [*words, *acting, "-C", str(self.base / laptop), "--no-input", "--json"]
        seen = self.watch(" ".join([key or laptop, *words[:2]]), argv, Places(
            own=(self.base / laptop,), named=(self.base / laptop, *map(Path, out))), stdin=stdin)  # fmt: skip
        assert seen.code == code, (seen.name, seen.code, seen.out, seen.err)
        assert shows or not text_holds_canary(seen.out), seen.name
        assert not text_holds_canary(seen.err), seen.name
        payload = json.loads(seen.out)
        assert isinstance(payload, dict)
        return payload

    def watch(self, name: str, argv: Sequence[str], places: Places, *, stdin: str = "") -> Seen:
        """Runs one command line and looks at everything."""
        trace = self.private / "trace"
        command = [*self.program, *argv]
        environment = {
            **{name: os.environ[name] for name in ("PATH",)},
            "HOME": str(self.base / "home"),
            "TMPDIR": str(self.base / "tmp"),
            "XDG_DATA_HOME": str(self.base / "home"),
            "LANG": "C.UTF-8",
        }
        process = subprocess.Popen(
            command if why_not() else traced(trace, command), cwd=ROOT, env=environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8",
        )  # fmt: skip
        assert process.stdin is not None
        exposed, samples = self._look(process.pid, command)
        process.stdin.write(stdin)  # only now: what reads nothing may end earlier, what reads has been looked at
        out, err = process.communicate(timeout=120)
        lines = [] if why_not() else trace.read_text(encoding="latin-1").splitlines()
        seen = Seen(
            name=name, words=tuple(argv), code=process.returncode, out=out, err=err,
            outside=tuple(offences(lines, places, ROOT)), leaked=tuple(self.leaked()),
            exposed=tuple(exposed), samples=samples,
        )  # fmt: skip
        self.steps.append(seen)
        return seen

    def _look(self, pid: int, command: Sequence[str]) -> tuple[list[str], int]:
        """Looks at the environment of the program's process and at its arguments, which are to be those that were
        given, once the program itself has begun; and counts the looks."""
        given = b"\0".join(os.fsencode(word) for word in command) + b"\0"
        exposed: list[str] = []
        end = time.monotonic() + 20
        while time.monotonic() < end:
            for one in _family(pid):
                try:
                    arguments = Path(f"/proc/{one}/cmdline").read_bytes()
                    if arguments != given:
                        continue  # strace, or the process before it became the program
                    held = Path(f"/proc/{one}/environ").read_bytes()
                except OSError:
                    continue
                if holds_canary(held):
                    exposed.append("environment")
                if holds_canary(arguments) and not any(text_holds_canary(word) for word in command):
                    exposed.append("arguments")
                return exposed, 1
            if not Path(f"/proc/{pid}").exists() or _ended(pid):
                break
            time.sleep(0.002)
        return exposed, 0

    def leaked(self) -> list[str]:
        """Files that changed since the last look, anywhere but among what is private, and hold a canary now."""
        found = []
        for path in sorted(self.base.rglob("*")):
            if path == self.private or self.private in path.parents:
                continue
            if text_holds_canary(path.name):
                found.append(str(path.relative_to(self.base)))
            if not path.is_file():
                continue
            stat = path.stat()
            mark = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
            if self._known.get(path) != mark:
                if holds_canary(path.read_bytes()):
                    found.append(str(path.relative_to(self.base)))
                else:
                    self._known[path] = mark
        return found


def _family(pid: int) -> list[int]:
    """A process and those that it started."""
    try:
        below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        below = []
    return [pid, *(member for child in below for member in _family(int(child)))]


def _ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
