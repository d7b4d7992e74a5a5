"""Erasing cases in tests: planning, approving and running in one breath, and looking at the bytes of a vault."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.laptops import Laptop
from tests.organisation import select
from tests.services.handing import INTAKE
from vault.model import Why
from vault.services.erasing import Erased, approve_erasure, run_erasure
from vault.services.erasure_plan import PlannedErasure, plan_erasure
from vault.services.keyring import Keyring
from vault.services.records import open_case, record
from vault.services.vault import Vault


def planned(vault: Vault, me: Keyring, name: str, *, drop_tally: bool = False) -> PlannedErasure:
    """A plan, because the person asked for it."""
    return plan_erasure(vault, me, name, Why.WITHDRAWN, drop_tally=drop_tally)


def erase(
    vault: Vault, me: Keyring, name: str, by: Sequence[Keyring], *, drop_tally: bool = False, dry_run: bool = False
) -> Erased:
    """Plans, has it approved by each of `by` on this laptop, and runs."""
    plan = planned(vault, me, name, drop_tally=drop_tally).plan
    return run_erasure(vault, me, name, plan, [approve_erasure(vault, one, plan) for one in by], dry_run=dry_run)


def sealed_bytes(directory: Path, journal: int, seqs: Iterable[int], layers: Iterable[str]) -> list[bytes]:
    """What must be found in no file afterwards: of each part and each wrap of these entries some bytes in the middle,
    where nothing is shared with another."""
    wanted, names = set(seqs), set(layers)
    parts = select(directory, f"SELECT seq, layer, bytes FROM part WHERE journal = {journal}")  # noqa: S608
    wraps = select(directory, f"SELECT seq, bytes FROM wrap WHERE journal = {journal}")  # noqa: S608
    found = [raw for seq, layer, raw in parts if seq in wanted and layer in names]
    found += [raw for seq, raw in wraps if seq in wanted]
    return [raw[at : at + 24] for raw in found for at in (40, len(raw) // 2, len(raw) - 40)]


def lying_about(directory: Path, needles: Sequence[bytes]) -> int:
    """How many of the needles stand anywhere in the bytes of any file below a directory."""
    contents = [path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file()]
    return sum(any(needle in content for content in contents) for needle in needles)


def case(laptop: Laptop) -> str:
    """A case with a name and a journey."""
    name = str(open_case(laptop.vault, laptop.key(), INTAKE).pseudonym)
    record(laptop.vault, laptop.key(), "journey", name, {"event": "departure", "notes": "over the river"})
    return name


def held(laptop: Laptop, table: str) -> int:
    """Rows of field-1's journal in a table, on some laptop."""
    number = laptop.vault.journal_number(laptop.fleet.laptops[0].vault.signer(laptop.fleet.keys["field-1"]).origin)
    return int(select(laptop.directory, f"SELECT count(*) FROM {table} WHERE journal = {number}")[0][0])  # noqa: S608


def needles_of(laptop: Laptop, seqs: tuple[int, ...]) -> list[bytes]:
    """What of field-1's entries must be gone everywhere."""
    number = laptop.vault.journal_number(laptop.origin("field-1"))
    return sealed_bytes(laptop.directory, number, seqs, ("identity", "case"))


def erased(laptop: Laptop, name: str, approver: str = "hub-1", *, drop_tally: bool = False) -> int:
    """Erases a case; the approval was made by a key of the fleet. The tombstone's number."""
    me, by = laptop.key(), laptop.fleet.keys[approver]
    return erase(laptop.vault, me, name, [by], drop_tally=drop_tally).tombstone.seq
