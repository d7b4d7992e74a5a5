"""What other members delivered to this one: the seam between casework and whatever brings entries of other journals.

Casework shows and amends a case whoever wrote its entries; it does not know how those of others came here. It is handed
a `Deliveries`, asks it by case, and opens what it gets with the keys of the author's segments.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from vault.formats.wraps import Segment
from vault.model import CaseId, Handle, Layer, Place
from vault.services.delivered import Delivered
from vault.services.keyring import Keyring
from vault.services.lawful import Lawful
from vault.services.received import Received
from vault.services.seen import Seen
from vault.services.vault import Vault


class Deliveries(Protocol):
    """A source of entries and keys that came from others."""

    def entries(self, case_id: CaseId) -> Iterable[Delivered]:
        """The entries delivered for a case, in any order; one that came twice may come twice. Entries whose
        deliverer has erased them are not among them."""
        ...

    def segments(self, case_id: CaseId, layer: Layer) -> Iterable[Segment]:
        """Keys of this case that others wrapped to this member directly, and that stand in no wrap of one's own."""
        ...

    def check_writable(self, case_id: CaseId) -> None:
        """Raises NotAllowed when this member may no longer write in the case."""
        ...

    def lawful(self) -> Lawful | None:
        """Whose amendments count over whose versions; None when nobody else's journal is here."""
        ...

    def seen(self) -> Seen | None:
        """Which entries whose author had seen; None when nobody else's journal is here."""
        ...

    def letters(self, case_id: CaseId) -> Mapping[Place, Place]:
        """The records of one's own that letters of a lost member became: by the record's place, the letter's."""
        ...

    def passed_to(self, case_id: CaseId) -> Handle | None:
        """The member to whom a case of this member's has passed; None when it has not."""
        ...


def deliveries_of(vault: Vault, me: Keyring) -> Deliveries:
    """Where casework gets the deliveries to a member from, unless it is handed another source."""
    return Received(vault, me)
