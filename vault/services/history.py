"""Whether a signed head contradicts the entries that are here, told from the entries themselves.

The stored tree answers at once while it agrees. Where it does not, the tree may be damaged instead of the head false,
and an honest writer must not be called a forger for a flipped bit on this laptop: so the leaves are hashed anew and
must lead to the head that their writer signed, before anything is said about another one.
"""

from __future__ import annotations

from vault.errors import IntegrityError
from vault.primitives import tree
from vault.services.remembered import Held, frontier_at
from vault.store.store import Store


def contradicts(store: Store, held: Held, size: int, root: bytes) -> bool:
    """Whether the first `size` entries here, at most all that are held, have another root than `root` (32 bytes).

    Raises IntegrityError when the entries here do not even lead to the head that was signed over them.
    """
    try:
        if tree.fold(frontier_at(store, held.number, size)) == root:
            return False
    except IntegrityError:
        pass  # a node is missing: the leaves decide
    hashes = tree.leaf_hashes(list(store.leaves(held.number))[: held.size])
    if tree.root_of(hashes) != held.root:
        raise IntegrityError(
            f"this laptop's copy of {held.origin} is damaged; nothing was taken and nobody is accused",
            hint='run "fieldvault audit verify" and keep the directory as it is',
        )
    return tree.root_of(hashes[:size]) != root
