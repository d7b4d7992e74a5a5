"""The names that a new case must not get: those of one's cases, and those of cases that were erased.

An erased case's name is forgotten here too. What is left is a tag in its tombstone, made under a key of its owner's
compartment: enough to say "not that one again", and to say which erasure a name belongs to.
"""

from __future__ import annotations

from functools import cached_property

from vault.services.case_index import CaseIndex
from vault.services.erasures import ERASE_MARK, tombstones
from vault.store.arrivals import Arrivals


class TakenNames:
    """`name in TakenNames(work)`."""

    def __init__(self, work: CaseIndex) -> None:
        self._work = work
        self.drawn: set[str] = set()

    def __contains__(self, name: object) -> bool:
        """Whether a case has, or had, this name."""
        if not isinstance(name, str) or name in self._work.cases or name in self.drawn:
            return True
        return any(journal.compartment.erased_name(name) in self._tags for journal in self._work.journals if self._tags)

    @cached_property
    def _tags(self) -> frozenset[bytes]:
        roster, arrivals = self._work.vault.roster, Arrivals(self._work.store)
        return frozenset(
            item.warrant.tag
            for journal in self._work.journals
            for item in tombstones(roster, journal.origin, arrivals.marked(journal.number, ERASE_MARK))
            if item.warrant is not None
        )
