"""Whether the people of a file look like people who are recorded already: a file that is imported twice counts twice.

Compared are the case layer and the tally layer of intakes, as they were first written; names are not opened for it.
That two people share all of it happens (brothers, a mother's two daughters); that most of a file does, hardly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from vault.model import Place
from vault.services.case_keys import Case
from vault.services.casework import Casework
from vault.services.prepare import Prepared

_Known = frozenset[tuple[str, str | int]]


def recorded_before(work: Casework, intakes: Iterable[Prepared]) -> int:
    """How many of these intakes say what the intake of a case of one's own says, each case counted once."""
    places = work.places_by_case()
    here = Counter(known for case in work.cases.values() if (known := _intake(work, case, places[case.case_id])))
    return (Counter(_known(item.case, item.tally) for item in intakes) & here).total()


def _known(*layers: Mapping[str, str | int | bytes]) -> _Known:
    """What was answered, but for what is drawn at random: the token that stands for a party."""
    return frozenset((name, value) for layer in layers for name, value in layer.items() if not isinstance(value, bytes))


def _intake(work: Casework, case: Case, places: Sequence[Place]) -> _Known | None:
    """The intake of a case, whoever wrote it; None where none opens. (Other commands say what is damaged.)"""
    types = work.vault.codebook.types
    for entry in work.entries(case, places):
        kind = types.get(entry.payload.type)
        if kind is not None and kind.opens_case and entry.payload.amends is None:
            return _known(entry.payload.values, work.readable_tally(entry.place))
    return None
