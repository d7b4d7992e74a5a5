"""Shares of a recovery key on the command line: how many are asked for, and where they and their cards are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import click

from cli.terminal import Terminal
from vault.errors import UsageError

_SHARES = re.compile(r"([1-9]\d?)of([1-9]\d?)", re.ASCII)
DEFAULT_SHARES = "2of3"
CARDS = click.option("--cards", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path),
                     help="Also write a page to print, one card a share, with QR codes (HTML).")  # fmt: skip


def shares_of(text: str) -> tuple[int, int]:
    """What `2of3` says. Raises UsageError."""
    found = _SHARES.fullmatch(text)
    if found is None:
        raise UsageError("--recovery-shares looks like 2of3: how many are needed, of how many")
    if int(found[1]) > int(found[2]):
        raise UsageError("--recovery-shares cannot need more shares than there are")
    return int(found[1]), int(found[2])


def tell_shares(terminal: Terminal, files: Sequence[Path], cards: Path | None, *, cells: int = 7) -> None:
    """Where the shares and the page of cards were written; `cells` is how wide the column of names is."""
    for path in files:
        terminal.data(f"{'share':<{cells}}{path}")
    if cards is not None:
        terminal.data(f"{'cards':<{cells}}{cards}")


def shares_json(threshold: int, shares: int, files: Sequence[Path], cards: Path | None) -> dict[str, object]:
    """The same as a part of an answer's object."""
    return {
        "recovery": {"threshold": threshold, "shares": shares},
        "share_files": [str(path) for path in files],
        "cards": None if cards is None else str(cards),
    }
