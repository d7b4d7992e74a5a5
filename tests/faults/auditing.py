"""Audits in a process of their own, with a time limit and a memory limit: the only honest test of "never hangs".

SQLite can loop inside one call, where no Python signal handler and no thread can interrupt it. So the audit runs in a
child that is killed when it does not answer. The protocol is one path in, one JSON object out, a line each.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

REPOSITORY = Path(__file__).resolve().parents[2]
MEMORY = 2 * 1024**3
"""Bytes of address space that an audit may use."""


class AuditHung(AssertionError):
    """No answer within the limit."""


class AuditDied(AssertionError):
    """The process ended: a crash, not an exception."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an audit said, or the name of the exception that it let out."""

    verdict: str
    leaves: int = 0
    anchor: str | None = None
    findings: list[dict[str, str]] = field(default_factory=list)
    raised: str = ""
    peak: int = 0
    """MiB of memory that the process has used at most, up to now."""

    @property
    def found(self) -> bool:
        """Whether the verdict is a finding."""
        return self.verdict == "finding"

    @property
    def codes(self) -> set[str]:
        """The codes of the findings."""
        return {item["code"] for item in self.findings}


class Auditor:
    """A child process that audits what it is told to."""

    def __init__(self, limit: float = 20.0) -> None:
        self.limit = limit
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """The auditor, not yet started."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends the child."""
        self._end()

    def _end(self) -> int:
        child, self._child = self._child, None
        if child is None:
            return 0
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.close()
        child.kill()
        child.stdout.close()
        return child.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        if self._child is None:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.auditing"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=REPOSITORY,
                env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            )
            assert self._child.stdout is not None
            self._child.stdout.readline()
        return self._child

    def audit(self, directory: Path) -> Answer:
        """The audit of one vault. Raises AuditHung and AuditDied."""
        child = self._start()
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(f"{directory}\n".encode())
        child.stdin.flush()
        ready, _, _ = select.select([child.stdout], [], [], self.limit)
        if not ready:
            self._end()
            raise AuditHung(f"no answer within {self.limit} s")
        line = child.stdout.readline()
        if not line:
            raise AuditDied(f"the audit process ended with {self._end()}")
        return Answer(**json.loads(line))


def _serve() -> None:

    import resource  # POSIX only

    from vault.errors import NoVault
    from vault.services.audit import verify_vault

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    out = sys.stdout
    out.write("ready\n")
    out.flush()
    for line in sys.stdin:
        try:
            report = verify_vault(Path(line.rstrip("\n")))
            answer: dict[str, object] = {
                "verdict": report.verdict,
                "leaves": report.leaves,
                "anchor": report.anchor,
                "findings": [
                    {"level": item.level, "code": item.code, "where": item.where, "message": item.message}
                    for item in report.findings
                ],
            }
        except NoVault:
            answer = {"verdict": "no vault"}
        except BaseException as error:  # noqa: BLE001  # whatever comes out is the test's business
            answer = {"verdict": "raised", "raised": f"{type(error).__name__}: {error}"}
        # Not ru_maxrss, which begins with what the process that started this one had.
        peak = Path("/proc/self/status").read_text(encoding="ascii").partition("VmHWM:")[2].split()[0]
        answer["peak"] = int(peak) // 1024
        out.write(json.dumps(answer) + "\n")
        out.flush()


if __name__ == "__main__":
    _serve()
