"""How long `fieldvault --help` takes from a cold process, against a bare interpreter in the same run."""

from __future__ import annotations

import subprocess
import sys
import time

RUNS = 15


def _best(*arguments: str) -> float:
    """The median wall time of a command, in seconds."""
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - started)
    return sorted(times)[RUNS // 2]


def run() -> str:
    """Measures and reports."""
    bare, click, shown = _best("-c", "pass"), _best("-c", "import click"), _best("-m", "cli", "--help")
    return (
        f"bare interpreter        {bare * 1000:7.0f} ms\n"
        f"import click            {click * 1000:7.0f} ms\n"
        f"fieldvault --help       {shown * 1000:7.0f} ms   {shown / bare:.1f} x bare   (promise: under 300 ms)\n"
    )
