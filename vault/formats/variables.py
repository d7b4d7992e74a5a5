"""What a codebook says, as values: record types, variables, codes, derivations, age bands.

Specification: `formats.codebook`, which reads them from TOML. An age code is `0-4` (completed years, both included)
or `60+`; the age codes of one list cover every age from 0 on, once each, in order:

    >>> age_bands((Code(code="0-17", labels={}), Code(code="18+", labels={})), None)[1].last is None
    True
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from vault.errors import UsageError
from vault.formats.strict_toml import Labels
from vault.model import Digest, Layer

_BAND: Final = re.compile(r"(0|[1-9][0-9]{0,2})(?:-(0|[1-9][0-9]{0,2})|\+)")
_NOT_COVERED: Final = "age codes must cover every age once, in order, from 0 to an open end such as 60+"


class VariableType(StrEnum):
    """What a variable's answers are."""

    CODE = "code"
    DATE = "date"
    INTEGER = "integer"
    TEXT = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One code of a list, with its labels by language."""

    code: str
    labels: Labels


@dataclass(frozen=True, slots=True, kw_only=True)
class Derivation:
    """How a tally variable is computed from finer ones: a rule, and its sources in the rule's order."""

    rule: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeBand:
    """Completed years `first` to `last`, both included (`last` is None for the open band), and the code for them."""

    first: int
    last: int | None
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One variable of a record type. `minimum` and `maximum` are None unless the type is integer."""

    name: str
    layer: Layer
    type: VariableType
    labels: Labels
    help: Labels
    codes: tuple[Code, ...] = ()
    required: bool = False
    missing: str | None = None
    minimum: int | None = None
    maximum: int | None = None
    multiline: bool = False
    derive: Derivation | None = None
    coarsen: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordType:
    """One record type; its variables stand in the order of the file."""

    name: str
    labels: Labels
    help: Labels
    opens_case: bool
    variables: tuple[Variable, ...]

    def variable(self, name: str) -> Variable:
        """The variable of that name; raises UsageError when there is none."""
        for variable in self.variables:
            if variable.name == name:
                return variable
        raise UsageError(f"{self.name} has no variable of that name")


@dataclass(frozen=True, slots=True, kw_only=True)
class Codebook:
    """A parsed codebook. Two are equal when their digests (SHA-256 of the TOML bytes) are."""

    name: str = field(compare=False)
    version: int = field(compare=False)
    languages: tuple[str, ...] = field(compare=False)
    digest: Digest
    types: Mapping[str, RecordType] = field(compare=False)

    def type(self, name: str) -> RecordType:
        """The record type of that name; raises UsageError when there is none."""
        found = self.types.get(name)
        if found is None:
            raise UsageError("the codebook has no record type of that name")
        return found

    @property
    def opening(self) -> RecordType:
        """The one record type that opens a case."""
        return next(record_type for record_type in self.types.values() if record_type.opens_case)


def in_language(labels: Labels, language: str) -> str:
    """The text in that language, in English when there is none, and empty when there is neither."""
    return labels.get(language) or labels.get("en", "")


def age_bands(codes: tuple[Code, ...], missing: str | None) -> tuple[AgeBand, ...]:
    """The age bands that codes such as `0-4` and `60+` stand for; `missing` is not one of them.

    Raises UsageError unless the bands cover every age from 0 on, once each, in order.
    """
    bands: list[AgeBand] = []
    following: int | None = 0
    for code in codes:
        if code.code == missing:
            continue
        found = _BAND.fullmatch(code.code)
        if found is None:
            raise UsageError("age codes look like 0-4 or 60+, besides the missing code")
        first, last = int(found[1]), None if found[2] is None else int(found[2])
        if first != following or (last is not None and last < first):
            raise UsageError(_NOT_COVERED)
        bands.append(AgeBand(first=first, last=last, code=code.code))
        following = None if last is None else last + 1
    if following is not None:
        raise UsageError(_NOT_COVERED)
    return tuple(bands)
