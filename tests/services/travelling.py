"""A recorder who travels: a laptop that is armed for headquarters, and what the two of them do."""

from __future__ import annotations

from pathlib import Path

from tests.laptops import Fleet, Laptop, carry
from tests.organisation import COST, PASSPHRASES
from vault.services.arming import Armed, arm
from vault.services.disarming import disarm
from vault.services.keyring import Keyring
from vault.services.letters_taken import LettersTaken, take_letters
from vault.services.records import open_case, record
from vault.services.trustee import answer_travel
from vault.services.vault import unlock

SECRET = PASSPHRASES["field-1"]
INTAKE = {"sex": "female", "age_group": "18-59", "name": "Kim", "language": "ko", "consent_statistics": "yes"}
NEWER = {"sex": "male", "age_group": "60+", "name": "Pak", "notes": "tired", "consent_statistics": "yes"}
STEP = {"event": "departure", "country": "CN", "date": "2026-02"}


class Travelling:
    """field-1's laptop and headquarters'."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.field, self.hq = fleet.laptop("travelling", "field-1"), fleet.laptop("home", "hub-1", "root")
        self.request = fleet.stick / "request.fvt"
        self.answer = fleet.stick / "answer.fvt"
        self.case = open_case(self.field.vault, self.me, INTAKE).pseudonym
        record(self.field.vault, self.me, "journey", self.case, STEP)

    @property
    def me(self) -> Keyring:
        """field-1's keys, as they were before anything was armed."""
        return self.field.key("field-1")

    @property
    def armed_ring(self) -> Keyring:
        """What the passphrase gives now."""
        return unlock(self.field.vault, "field-1", SECRET, armed=True)

    def arm(self, *, unsent: bool = True, to: str = "hub-1") -> Armed:
        """Arms the laptop."""
        return arm(self.field.vault, self.me, SECRET, to, self.request, unsent=unsent, cost=COST)

    def letters(self) -> tuple[str, int]:
        """Two letters: a new case, and a journey of the one that was there; the new name and the last number."""
        ring = self.armed_ring
        saved = open_case(self.field.vault, ring, NEWER)
        last = record(self.field.vault, ring, "journey", self.case, STEP)
        return saved.pseudonym, last.seq

    def answered(self, words: str | None) -> Path:
        """Headquarters' answer, as a file."""
        _, raw = answer_travel(self.hq.vault, self.hq.key("hub-1"), self.request, words)
        self.answer.write_bytes(raw)
        return self.answer

    def disarm(self, words: str | None = None, assign: dict[str, str] | None = None) -> LettersTaken:
        """The answer comes, the laptop is as before, the letters are taken."""
        ring = disarm(self.field.vault, "field-1", SECRET, self.answered(words), cost=COST)
        return take_letters(self.field.vault, ring, assign)

    def send(self) -> None:
        """Everything goes to headquarters, and its word that it is there comes back."""
        carry(self.field, "field-1", self.hq, "hub-1")
        carry(self.hq, "hub-1", self.field, "field-1")


def laptop_key(laptop: Laptop) -> Path:
    """field-1's key file."""
    return laptop.directory / "keys" / "field-1.key"
