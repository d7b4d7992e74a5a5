"""The laptops of the simulated organisation: founded and enrolled once in a session, then copied for every schedule.

Headquarters (root and the hub), six recorders, an auditor and a director, each on a laptop of their own, who joined
across the air gap. Keys stay unlocked in memory, and a hash stands in for Argon2id: schedules are about journals.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.laptops import Fleet, Laptop
from tests.organisation import COST, PASSPHRASES, SHARES, THRESHOLD, Template, canary, environment_of
from vault.formats.origin import parse_origin
from vault.model import Origin, Role
from vault.services.arriving import import_bundle
from vault.services.bundling import create_bundle
from vault.services.enrolment import approve, read_request, request_membership
from vault.services.found import found
from vault.services.joining import join
from vault.services.keyring import Keyring
from vault.services.members import add_member
from vault.services.vault import Vault, unlock
from vault.store.arrivals import Arrivals

HUB = "hub-1"
RECORDERS = tuple(f"field-{number}" for number in range(1, 7))
OTHERS = {**dict.fromkeys(RECORDERS, Role.RECORDER), "director-1": Role.DIRECTOR, "auditor-1": Role.AUDITOR}
NEWCOMER = "field-7"
for _handle in (*OTHERS, NEWCOMER):
    PASSPHRASES.setdefault(_handle, canary(f"passphrase of {_handle}"))

Journals = dict[Origin, list[bytes]]
"""The entries of every journal that a laptop holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The closed directories to be copied, by the first member who works there, and everybody's keys."""

    homes: Mapping[str, Path]
    keys: Mapping[str, Keyring] = field(repr=False)
    shares_dir: Path

    @property
    def template(self) -> Template:
        """What a fleet is made from."""
        return Template(directory=self.homes[HUB], shares_dir=self.shares_dir, keys=self.keys)


def build_world(parent: Path) -> World:
    """Founds and enrols everybody, and lets each meet headquarters once. Call it with quick passphrases."""
    homes = {handle: parent / handle for handle in (HUB, *OTHERS)}
    environment = environment_of("simulated headquarters")
    found(
        homes[HUB],
        org=canary("organisation"),
        passphrase=PASSPHRASES["root"],
        threshold=THRESHOLD,
        shares=SHARES,
        shares_dir=parent / "shares",
        environment=environment,
        cost=COST,
    )
    keys = {}
    with Vault.open(homes[HUB], environment) as vault:
        keys["root"] = unlock(vault, "root", PASSPHRASES["root"])
        add_member(vault, keys["root"], handle=HUB, role=Role.HUB, passphrase=PASSPHRASES[HUB], cost=COST)
        keys[HUB] = unlock(vault, HUB, PASSPHRASES[HUB])
        for handle, role in OTHERS.items():
            keys[handle] = enrolled(vault, keys["root"], homes[handle], handle, role, parent)
        for handle in OTHERS:
            meet(vault, keys[HUB], homes[handle], keys[handle], parent)
    return World(homes=homes, keys=keys, shares_dir=parent / "shares")


def enrolled(vault: Vault, root: Keyring, directory: Path, handle: str, role: Role, stick: Path) -> Keyring:
    """A new laptop asks, headquarters approves, it joins."""
    environment, words = environment_of(f"simulated {handle}"), PASSPHRASES[handle]
    asked, answer = stick / f"{handle}.request", stick / f"{handle}.answer"
    request_membership(
        directory,
        handle=handle,
        role=role,
        passphrase=words,
        request_file=asked,
        environment=environment,
        cost=COST,
    )
    approve(vault, root, read_request(asked), answer)
    join(
        directory,
        handle=handle,
        passphrase=words,
        answer_file=answer,
        fingerprint=None,
        environment=environment,
        cost=COST,
    )
    with Vault.open(directory, environment) as made:
        return unlock(made, handle, words)


def meet(headquarters: Vault, hub: Keyring, directory: Path, ring: Keyring, stick: Path) -> None:
    """A new member's first visit: everybody gets the whole roster, and headquarters their first entries."""
    with Vault.open(directory, environment_of(f"first visit of {ring.handle}")) as vault:
        import_bundle(headquarters, hub, create_bundle(vault, ring, [HUB], stick).path)
        import_bundle(vault, ring, create_bundle(headquarters, hub, [ring.handle], stick).path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A whole laptop as it once was, with what its member could open then, and what was heard there."""

    directory: Path
    ring: Keyring
    heard: frozenset[tuple[Origin, int, bytes]]


class Station(Laptop):
    """A laptop in a schedule. `heard` are the heads that came here by bundle: the model's memory, not the vault's."""

    def __init__(self, fleet: Fleet, name: str, source: Path, handles: Iterable[str]) -> None:
        super().__init__(fleet, name, source, tuple(handles))
        # The same schedule draws the same pseudonyms, wherever it runs.
        self.environment = self.vault.environment = environment_of(f"schedule {name}", self.clock)
        self.rings = {handle: fleet.keys[handle] for handle in self.handles}
        self.heard: set[tuple[Origin, int, bytes]] = set()
        self.backups: list[Backup] = []
        fleet.laptops.append(self)

    def key(self, handle: str | None = None) -> Keyring:
        """The keys that are on this laptop: a clone, and one that was restored, may have others."""
        return self.rings[handle or self.handle]

    @property
    def handle(self) -> str:
        """Who works here."""
        return self.handles[0]

    @property
    def role(self) -> Role:
        """Their role."""
        return self.key().member.role

    def journals(self) -> Journals:
        """Everything that is held."""
        store = self.vault.store
        return {origin: list(store.leaves(number)) for number, origin in store.journals()}

    def own(self) -> list[Origin]:
        """The journals of who works here, oldest first."""
        return [origin for origin, _ in self.vault.own_journals(self.key().handle)]

    def locks(self) -> dict[Origin, str]:
        """The journals under review, and why."""
        return {lock.origin: lock.reason for lock in Arrivals(self.vault.store).locks()}

    def cut_at(self, origin: Origin) -> int | None:
        """Up to which size a journal counts, as far as is known here; None when its writer was not revoked."""
        sizes = self.vault.roster.member(parse_origin(origin).handle).revoked_at
        return None if sizes is None else dict(sizes).get(origin, 0)

    def back_up(self) -> None:
        """Copies the whole directory."""
        self.close()
        directory = self.fleet.home / f"{self.name}.backup-{len(self.backups)}"
        shutil.copytree(self.directory, directory)
        self.vault = Vault.open(self.directory, self.environment)
        self.backups.append(Backup(directory=directory, ring=self.key(), heard=frozenset(self.heard)))

    def restore(self, backup: Backup) -> None:
        """Puts a copy back in the place of what is here."""
        self.close()
        shutil.rmtree(self.directory)
        shutil.copytree(backup.directory, self.directory)
        self.rings[self.handle], self.heard = backup.ring, set(backup.heard)
        self.vault = Vault.open(self.directory, self.environment)

    def cloned(self, name: str) -> Station:
        """A second laptop that is this one."""
        self.close()
        made = Station(self.fleet, name, self.directory, self.handles)
        made.rings, made.heard = dict(self.rings), set(self.heard)
        self.vault = Vault.open(self.directory, self.environment)
        return made
