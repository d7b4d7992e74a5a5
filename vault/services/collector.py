"""Python's cycle collector, held while an audit runs."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """An audit makes and drops a dozen small objects an entry and no cycles among them: Python's cycle collector would
    walk over everything alive again and again, for a tenth of the time, and find nothing."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()
