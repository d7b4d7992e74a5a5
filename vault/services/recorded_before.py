"""Whether the people of a file look like people who are recorded already: a file that is imported twice counts twice.

Compared are the case layer and the tally layer of intakes, as they were first written; names are not opened for it.
That two people share all of it happens (brothers, a mother's two daughters); that most of a file does, hardly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from vault.errors import FormatError, IntegrityError
from vault.services.case_keys import Case
from vault.services.casework import Casework
from vault.services.prepare import Prepared

_Known = frozenset[tuple[str, str | int]]


def recorded_before(work: Casework, intakes: Iterable[Prepared]) -> int:
    """How many of these intakes say what the intake of a case of one's own says, each case counted once."""
    here = Counter(known for case in work.cases.values() if (known := _intake(work, case)))
    return (Counter(_known(item.case, item.tally) for item in intakes) & here).total()


def _known(*layers: Mapping[str, str | int | bytes]) -> _Known:
    """What was answered, but for what is drawn at random: the token that stands for a party."""
    return frozenset((name, value) for layer in layers for name, value in layer.items() if not isinstance(value, bytes))


def _intake(work: Casework, case: Case) -> _Known | None:
    """Of a case that one opened oneself; None for others, and where it does not open or was erased."""
    try:
        return _known(work.entry(case, case.place).payload.values, work.tally(case.place))
    except (IntegrityError, FormatError):
        return None  # other commands say what is damaged
