"""What the program takes away from its own process: each test fails without the guard that it is about, and the
controls do the same in a process that was not hardened."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.screen import ROOT, environment

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="these calls are Linux's")
HARDENED = "from cli import process\nprocess.harden()\n"
STATE = """
now = process.state()
print(now.no_core_file, now.not_dumpable, now.network_shut, now.guarded)
"""


def _python(script: str, *argv: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", script, *argv]
    return subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False, timeout=60)


def _said(script: str, *argv: str) -> str:
    done = _python(script, *argv)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


# -- the guard ---------------------------------------------------------------------------------------------------------

OUTSIDE = {
    "a socket": "import socket; socket.socket()",
    "a pair of sockets": "import socket; socket.socketpair()",
    "a name looked up": "import socket; socket.getaddrinfo('localhost', 80)",
    "a program": "import subprocess; subprocess.run(['true'])",
    "a shell line": "import os; os.system('true')",
    "a program in our place": "import os; os.execv('/bin/true', ['true'])",
    "a program beside us": "import os; os.posix_spawn('/bin/true', ['true'], {})",
    "a pipe to a program": "import os; os.popen('true').close()",
    "a copy of ourselves": "import os; os.fork() or os._exit(0); os.wait()",
    "a page fetched": "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9/')",
    "a library loaded": "import ctypes; ctypes.CDLL('libm.so.6')",
}


@LINUX
@pytest.mark.parametrize("what", sorted(OUTSIDE))
def test_the_guard_refuses(what: str) -> None:
    """Each ends with our own exception, raised by the audit hook before anything happened."""
    done = _python(f"{HARDENED}{OUTSIDE[what]}\nprint('done')")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "cli.process.Forbidden: this program" in done.stderr


@LINUX
@pytest.mark.parametrize("what", sorted(set(OUTSIDE) - {"a page fetched"}))
def test_without_the_guard_it_is_done(what: str) -> None:
    """Negative control: in a process that was not hardened the same lines work."""
    done = _python(f"{OUTSIDE[what]}\nprint('done')")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ("" if what == "a program in our place" else "done\n")


@LINUX
def test_an_audit_may_still_copy_its_process() -> None:
    """The one copy that is meant, in a hardened process: it answers."""
    script = (
        f"{HARDENED}from vault.services.audit_fork import copy_of_this, read_frame, write_frame\n"
        "copy = copy_of_this(lambda asked, answer: write_frame(answer, read_frame(asked)[::-1]))\n"
        "copy.ask(b'abc'); print(copy.answer()); copy.end()\n"
    )
    assert _said(script) == "b'cba'"


# -- what the system is asked ------------------------------------------------------------------------------------------


@LINUX
def test_no_core_file_and_not_dumpable() -> None:
    """Read back from the system; before, neither held."""
    script = (
        "import ctypes, resource\nlibrary = ctypes.CDLL(None)\nfrom cli import process\n"
        "print(library.prctl(3, 0, 0, 0, 0))\n"
        "process.harden()\n"
        "print(resource.getrlimit(resource.RLIMIT_CORE), library.prctl(3, 0, 0, 0, 0), library.prctl(39, 0, 0, 0, 0))\n"
    )
    assert _said(script).splitlines() == ["1", "(0, 0) 0 1"]


@LINUX
def test_the_state_is_told_as_it_is() -> None:
    """Nothing is claimed of a process that was not hardened."""
    assert _said(f"from cli import process\n{STATE}").split()[1:] == ["False", "False", "False"]
    told = _said(HARDENED + STATE).split()
    assert (told[0], told[1], told[3]) == ("True", "True", "True")


_REACH = """
import ctypes, os, struct
library = ctypes.CDLL(None, use_errno=True)
SOCKET = library.socket
{before}
handle = SOCKET(2, 2, 0)
address = struct.pack("=HH4s8x", 2, 0x0900, bytes([127, 0, 0, 1]))
print(library.connect(handle, address, 16), ctypes.get_errno(), *sorted(
    line.split(":")[0].strip() for line in open("/proc/self/net/dev") if ":" in line))
{after}
"""
_UNREACHABLE = 101


@LINUX
def test_there_is_no_network_beneath_the_guard_either() -> None:
    """A socket made past the interpreter, by the C library, reaches not even this machine itself."""
    if _said(_REACH.format(before="", after="")).split()[0] != "0":  # the control: otherwise it is reached
        pytest.skip("this machine reaches not even itself, so nothing can be seen")
    *told, shut = _said(_REACH.format(before=HARDENED, after="print(process.state().network_shut)")).split()
    if shut != "True":
        pytest.skip("this kernel lets the process have no network of its own")
    assert told == ["-1", str(_UNREACHABLE), "lo"]


_AS_NOBODY = """
import ctypes, os, resource, sys
from pathlib import Path
from cli import process
library = ctypes.CDLL(None)
os.setgroups([]); os.setgid(65534); os.setuid(65534)
library.prctl(4, 1, 0, 0, 0)   # what a program that was started by this user would be
if sys.argv[2] == "unmappable":
    process._own_network = lambda _: False
process.harden()
place = Path(sys.argv[1])
(place / "made").write_text("x")
made = (place / "made").stat()
print(process.state().network_shut, os.getuid(), made.st_uid, oct(made.st_mode & 0o777), (place / "given").read_text())
"""


@LINUX
@pytest.mark.skipif(os.geteuid() != 0, reason="only an administrator can become somebody else")
@pytest.mark.parametrize("how", ["mapped", "unmappable"])
def test_an_ordinary_user_keeps_their_number(tmp_path: Path, how: str) -> None:
    """In a user namespace of their own, files that they make are theirs, private, and what their group may read is
    read; where the namespaces are refused the process goes on with none, and says so."""
    place = tmp_path / "place"
    place.mkdir()
    (place / "given").write_text("given")
    for path, mode in ((place / "given", 0o440), (place, 0o700)):
        os.chown(path, 65534, 65534)
        path.chmod(mode)
    for above in (tmp_path, *tmp_path.parents):
        if above.stat().st_uid == os.geteuid() and above != Path(above.anchor) and "pytest" in str(above):
            above.chmod(0o711)
    shut, *told = _said(_AS_NOBODY, str(place), how).split()
    assert told == ["65534", "65534", "0o600", "given"]
    if how == "unmappable":
        assert shut == "False"
    elif shut != "True":
        pytest.skip("this kernel gives ordinary users no namespaces")


def test_files_are_their_owners_alone_and_no_bytecode_is_left(tmp_path: Path) -> None:
    """umask 077, also for what a library makes; and an import leaves nothing beside the module."""
    (tmp_path / "leaves_traces.py").write_text("x = 1\n")
    script = (
        f"{HARDENED}import os, sys\nfrom pathlib import Path\nhere = Path(sys.argv[1])\n"
        "(here / 'file').write_text('x'); (here / 'dir').mkdir()\n"
        "sys.path.insert(0, sys.argv[1]); import leaves_traces\n"
        "print(oct((here / 'file').stat().st_mode & 0o777), oct((here / 'dir').stat().st_mode & 0o777))\n"
        "print(*sorted(os.listdir(here)))\n"
    )
    assert _said(script, str(tmp_path)).splitlines() == ["0o600 0o700", "dir file leaves_traces.py"]


@LINUX
def test_the_program_hardens_itself() -> None:
    """`main` does all of it before the command runs, and importing the library does none of it."""
    script = (
        "import sys\nfrom cli import main, process\nsys.argv = ['fieldvault', '--version']\n"
        f"try:\n    main.main()\nexcept SystemExit:\n    pass\n{STATE}import socket; socket.socket()"
    )
    done = _python(script)
    assert done.stdout.splitlines()[1].split()[0::3] == ["True", "True"]
    assert "Forbidden" in done.stderr
    assert _said("import vault, vault.services.vault, socket; socket.socket(); print('free')") == "free"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_persons_own_shell_still_gets_its_completion(shell: str) -> None:
    """And no shell is started to find out about it."""
    done = subprocess.run(
        [sys.executable, "-m", "cli"], cwd=ROOT, env=environment(_FIELDVAULT_COMPLETE=f"{shell}_source"),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "_FIELDVAULT_COMPLETE" in done.stdout
