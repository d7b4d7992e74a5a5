"""Root's way on after a restore: the roster has one epoch, so its lock is lifted instead of being left behind.

A laptop with root's key that comes back from a backup knows less of the roster than others do, and an entry signed
there would be a second history of it, which everybody refuses for good. So the roster is locked as soon as that shows,
and stays so until two things are true: every entry that anybody is known to have seen is here again (each bundle that
others make with --full brings the roster), and root says that nobody else can have seen more. The first is compared
here, head by head; the second only people can know (decision 0025).
"""

from __future__ import annotations

from dataclasses import dataclass

from vault.errors import ForkError, IntegrityError, RollbackError, UsageError
from vault.formats.checkpoint import verify_checkpoint
from vault.formats.origin import ROOT
from vault.model import Handle, Origin, Role
from vault.services.keyring import Keyring
from vault.services.remembered import held_journals, is_ours, quoted_heads, require_writable, verified
from vault.services.vault import Vault, require_role
from vault.services.witness import verify_head
from vault.store.arrivals import RESTORED, Arrivals


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifted:
    """The roster goes on after `size` entries. `elsewhere` are the members on other laptops: what one of them has seen
    of the roster, and has told nobody yet, would be contradicted by the next entry."""

    origin: Origin
    size: int
    elsewhere: tuple[Handle, ...]


def lift_roster_lock(vault: Vault, root: Keyring, *, dry_run: bool = False) -> Lifted:
    """Lets root sign again after a restore.

    Raises NotAllowed unless `root` is root, UsageError when nothing is wrong with the roster, RollbackError while
    entries are missing that somebody has seen, ForkError when two histories were signed, StorageError.
    """
    require_role(root, Role.ROOT)
    with vault.writing(root, announced=not dry_run):
        origin, arrivals = vault.roster.origin, Arrivals(vault.store)
        held = held_journals(vault.store, vault.roster)[origin]
        lock = next((item for item in arrivals.locks() if item.origin == origin), None)
        if lock is None or lock.reason != RESTORED or arrivals.largest_head(origin) > held.size:
            require_writable(vault.store, origin, held.size)  # says what is missing, or that it is forked
            raise UsageError("nothing is wrong with the roster; there is nothing to recover")
        heads = [*verified(vault.roster, arrivals.heads(origin)), *quoted_heads(vault.store, vault.roster, origin)]
        heads.append(verify_head(vault.roster, lock.theirs))
        most = max(head.size for head in heads)
        if most > held.size:
            raise RollbackError(
                f"others have seen {most} entries of the roster, and {held.size} are here",
                hint="import a bundle that another laptop makes with --full",
            )
        if not all(is_ours(vault.store, held, head) for head in heads):
            raise ForkError(
                "root signed a head of the roster that contradicts the entries here; the lock stays",
                hint="somebody holds another history of the roster: import bundles until the evidence is here",
            )
        if not dry_run:
            arrivals.lift(origin)
    elsewhere = (member.handle for member in vault.members if not member.revoked)
    return Lifted(
        origin=origin, size=held.size, elsewhere=tuple(name for name in elsewhere if name not in vault.keys_here)
    )


def check_roster_writable(vault: Vault) -> None:
    """Raises ForkError or RollbackError when root may sign nothing here: before anything is written, and for dry runs,
    which would else promise what cannot be done."""
    origin = vault.roster.origin
    # Of the roster alone: damage in another journal must not decide what is said of this one.
    note = vault.store.latest_checkpoint(vault.journal_number(origin))
    if note is None:
        raise IntegrityError("the roster has no checkpoint", hint='run "fieldvault audit verify"')
    size = verify_checkpoint(note, origin, vault.roster.member(ROOT).keys.signing).size
    require_writable(vault.store, origin, size)
