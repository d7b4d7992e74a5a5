"""`make bench` (or `python -m benchmarks [NAME...]`): runs the benchmarks and prints what they measured."""

from __future__ import annotations

import sys

from benchmarks import across, auditors, one_laptop, start_up, totals

BENCHMARKS = {
    "across": across.run,
    "auditors": auditors.run,
    "one_laptop": one_laptop.run,
    "start_up": start_up.run,
    "totals": totals.run,
}


def main(names: list[str]) -> int:
    """Runs the named benchmarks, or all."""
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        sys.stderr.write(f"no such benchmark: {', '.join(unknown)}; there are: {', '.join(BENCHMARKS)}\n")
        return 2
    for name in names or BENCHMARKS:
        sys.stdout.write(f"# {name}\n{BENCHMARKS[name]()}\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
