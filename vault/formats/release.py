"""A release: one protected table as it leaves the vault. The value only; each output has a module of its own.

`release_json` is the canonical form and can be read back; `release_csv`, `release_markdown` and `release_html` are for
spreadsheets, letters and people. All of them are functions of the release alone: the same state gives the same bytes.

A release holds printed figures only. There is no field in which a true count, a reason for withholding or the number of
people left out could travel: a withheld figure is a `None`, always the same one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from vault.errors import FormatError

_HEX: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
Labels = tuple[tuple[str, str], ...]
"""(variable, code) pairs that say whom a figure counts; empty for the total."""
Texts = Mapping[str, str]
"""One line by language: `en`, `ko`."""


class Status(StrEnum):
    """Whether a figure left the vault. There is one mark for everything withheld, whatever the reason."""

    PRINTED = "printed"
    WITHHELD = "withheld"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One figure: how many persons, nights or events, rounded, or None when it is withheld. `period` is a label
    (`release_period`); `through` is the last year that a figure over everything covers."""

    period: str
    labels: Labels
    value: int | None
    through: str | None = None

    @property
    def status(self) -> Status:
        """Printed exactly if there is a value."""
        return Status.WITHHELD if self.value is None else Status.PRINTED


class Share(StrEnum):
    """How a percentage reads. Close to 0 % or 100 % only the side is said."""

    ABOUT = "about"
    UNDER = "under"
    OVER = "over"
    WITHHELD = "withheld"


@dataclass(frozen=True, slots=True, kw_only=True)
class Percentage:
    """A share computed from two printed figures: `labels` over `base`. `percent` is None when withheld."""

    period: str
    labels: Labels
    base: Labels
    share: Share
    percent: int | None

    @property
    def status(self) -> Status:
        """Withheld when either figure is, or the base is too small."""
        return Status.WITHHELD if self.share is Share.WITHHELD else Status.PRINTED

    @property
    def text(self) -> str:
        """`about 52 %`, `under 5 %`, `over 95 %` or `withheld`."""
        return self.share.value if self.percent is None else f"{self.share.value} {self.percent} %"

    def __post_init__(self) -> None:
        if (self.percent is None) != (self.share is Share.WITHHELD):
            raise FormatError("a percentage and its mark contradict each other")


@dataclass(frozen=True, slots=True, kw_only=True)
class LegendCell:
    """A cell in words, with what the CSV's gender and age columns say of it."""

    code: str
    text: Texts
    gender: str
    ages: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LegendRow:
    """A variable in words. `universe` are the labels of those who were asked; empty: everyone."""

    variable: str
    title: Texts
    universe: Labels
    cells: tuple[LegendCell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """The rules that were in fact applied, the weakest where figures were printed under several: least people in a
    figure and in its complement, rounding base, least printed base of a percentage (0: there are none), and the
    method's name with its version; least travel parties, whole months that a year waited, and how many of the finest
    recodes were not used. The last three are None in releases that are older than they are.
    """

    people: int
    base: int
    percent_base: int
    method: str
    parties: int | None = None
    embargo: int | None = None
    coarser: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One protected table. `checkpoints` are the journal states counted from, one line each: the origin and the root,
    without the size, which would bound how many people came since an earlier release. `digest` is what the director's
    journal holds of it: the SHA-256, in hex, of its JSON without the digest; None until it is entered. The `salt` (hex)
    is unknown to whoever does not hold the release, so that the digest alone gives nothing away."""

    table: str
    unit: str
    title: Texts
    population_group: str
    period: str
    cells: tuple[Cell, ...]
    percentages: tuple[Percentage, ...]
    legend: tuple[LegendRow, ...]
    policy: Protection
    checkpoints: tuple[str, ...]
    notes: tuple[Texts, ...]
    salt: str | None = None
    digest: str | None = None

    def __post_init__(self) -> None:
        if not all(line.isprintable() for line in self.checkpoints):
            raise FormatError("a checkpoint named in a release must be one printable line")
        if any(text is not None and _HEX.fullmatch(text) is None for text in (self.salt, self.digest)):
            raise FormatError("a release's salt and digest must be 64 hex digits")

    @property
    def empty(self) -> bool:
        """Whether every figure is withheld: there is nothing to say, and an export may say so instead."""
        return all(cell.value is None for cell in self.cells)

    def cell(self, labels: Labels) -> Cell:
        """The cell of these labels. Raises KeyError when the release has none."""
        for cell in self.cells:
            if cell.labels == labels:
                return cell
        raise KeyError(labels)

    def percentage(self, labels: Labels) -> Percentage | None:
        """The percentage of these labels, if the table has one."""
        return next((share for share in self.percentages if share.labels == labels), None)
