"""What is NOT protected right now, for `status`: one honest sentence each, and only those that are true.

Some always are: a screen shows what it shows. What cannot be known from inside the program (a disk that may or may not
encrypt itself) is said as such, and not counted as protected.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cli import process
from cli.surroundings import Machine, closing_line, open_to_others
from cli.wording import entries, short

if TYPE_CHECKING:
    from vault import JournalStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposed:
    """One thing that is not protected: a name for programs, and the sentence for people."""

    code: str
    message: str


def not_protected(
    directory: Path, handles: Sequence[str], journals: Sequence[JournalStatus], machine: Machine | None = None
) -> tuple[Exposed, ...]:
    """Everything that is not protected now, what can be changed first."""
    looked_at = machine or Machine()
    return (
        *_files(directory, handles),
        *_unlocked(directory, handles),
        *_unseen(journals),
        *_disks(looked_at, directory),
        *_memory(looked_at),
        *_process(process.state()),
        *_always(),
    )


def key_files(directory: Path, handles: Sequence[str]) -> tuple[Path, ...]:
    """Where the key files of these members lie."""
    return tuple(directory / "keys" / f"{handle}.key" for handle in handles)


def _files(directory: Path, handles: Sequence[str]) -> Iterator[Exposed]:
    if (mode := open_to_others(directory)) is not None:
        yield Exposed(
            code="vault-open-to-others",
            message=f"others on this machine can look into the vault's directory ({mode:04o}); no key is used until "
            f"that ends; run: {closing_line(directory)}",
        )
    for path in key_files(directory, handles):
        if (mode := open_to_others(path)) is not None:
            yield Exposed(
                code="key-file-open-to-others",
                message=f"others on this machine can read {path.name} ({mode:04o}) and try passphrases on it; run: "
                f"{closing_line(path)}",
            )


def _unlocked(directory: Path, handles: Sequence[str]) -> Iterator[Exposed]:
    for handle, path in zip(handles, key_files(directory, handles), strict=True):
        if process.is_held_open(path):
            yield Exposed(
                code="unlocked",
                message=f'a fieldvault shell on this machine holds the key "{handle}" open: whoever sits there '
                "needs no passphrase",
            )


def _unseen(journals: Sequence[JournalStatus]) -> Iterator[Exposed]:
    for journal in journals:
        if journal.own and journal.size > journal.witnessed:
            all_of_it = "its one entry" if journal.size == 1 else f"any of its {entries(journal.size)}"
            seen = f"entry {journal.witnessed:,} and later" if journal.witnessed else all_of_it
            yield Exposed(
                code="not-witnessed",
                message=f"{short(journal.origin)}: nobody else is known to have seen {seen}; nobody would notice if "
                "that was lost with this disk, or taken back",
            )


def _disks(machine: Machine, directory: Path) -> Iterator[Exposed]:
    mount = machine.mount_of(directory)
    if mount is not None and (mount.is_stick or mount.is_network):
        yield Exposed(
            code="vault-on-stick-or-network",
            message=f"the vault lies on {mount.system}, as sticks and network drives have it: what is saved may be "
            "lost, and whoever takes the stick takes the vault",
        )
    program = machine.mount_of(Path(__file__))
    if program is not None and (program.is_stick or program.is_network):
        yield Exposed(
            code="program-on-stick-or-network",
            message=f"this program runs from {program.system}: whoever had the stick in their hands may have changed "
            "it",
        )
    known = machine.disk_encrypted(directory)
    if known is not True:
        seen = "this system shows none" if known is False else "it cannot be known from here"
        yield Exposed(
            code="disk-encryption-unknown",
            message=f"whether the disk under the vault is encrypted: {seen}; if not, whoever takes the laptop reads "
            "handles, days, sizes and counts",
        )


def _memory(machine: Machine) -> Iterator[Exposed]:
    for swap in machine.swaps() or ():
        if not swap.safe:
            state = "which is not encrypted" if swap.safe is False else "and whether that is encrypted is not known"
            yield Exposed(
                code="swap",
                message=f"memory may be swapped out to {swap.name}, {state}: keys and names can reach the disk",
            )
    if machine.hibernates():
        yield Exposed(
            code="hibernation",
            message="this machine can hibernate, which writes all memory to the disk: close fieldvault and switch off",
        )


def _process(now: process.State) -> Iterator[Exposed]:
    if not now.no_core_file:
        yield Exposed(code="core-files", message="a crash of this program may leave a core file with keys in it")
    if not now.not_dumpable:
        yield Exposed(
            code="dumpable",
            message="other programs of the same user can attach to this one and read its memory while a key is open",
        )
    if not now.network_shut:
        yield Exposed(
            code="network-not-shut",
            message="this system did not let the program shut itself off from the network; that it opens no socket "
            "rests on its code" + (" and the interpreter's guard" if now.guarded else " alone"),
        )
    if not now.guarded:
        yield Exposed(code="not-guarded", message="the guard against sockets and other programs is not in place")


def _always() -> Iterator[Exposed]:
    if os.environ.get("TMUX") or os.environ.get("STY"):
        yield Exposed(
            code="terminal-keeps-history",
            message="this terminal runs inside tmux or screen, which keep what was shown, the shell's pages too",
        )
    yield Exposed(
        code="screen",
        message="what is on the screen, in the terminal's scrollback and in the clipboard; fieldvault shell keeps "
        "records out of the scrollback",
    )
    yield Exposed(
        code="open-memory",
        message="whatever watches this machine while a key is open, an administrator too; memory is not wiped",
    )
