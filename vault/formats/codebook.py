"""The codebook: the TOML file that says which record types there are, and which variables each has.

Specification: TOML 1.0, UTF-8, at most 256 KiB, with exactly these keys:

    format = 1                               # of this specification
    name = "rescue"
    version = 1                              # of the codebook
    languages = ["en", "ko"]                 # `en` is needed; every label and help text may have each of them

    [codes.yes_no]                           # a list of codes; variables name it
    yes = { en = "Yes", ko = "예" }
    not_asked = { en = "Not asked", ko = "묻지 않음" }

    [types.intake]
    opens_case = true                        # exactly one type does
    label = { en = "Intake", ko = "초기 접수" }
    help = { en = "Opens a case." }

    [types.intake.variables.minor]           # the file's order is the form's order
    layer = "tally"                          # identity, case or tally
    type = "code"                            # code, date, integer or text
    codes = "yes_no"
    missing = "not_asked"                    # what a tally holds when nothing is known
    derive = { rule = "minor", from = ["age_group"] }
    label = { en = "Under 18" }

Further keys of a variable: `required`, `help`, `multiline` (text), `minimum` and `maximum` (integer), `coarsen`. The
tally layer holds codes, integers, and two coarsened things: a `date` with `coarsen = "quarter"` (a period, `2020-Q1`)
and a `text` with `coarsen = "token"` (a label, replaced by random bytes). Rules of `derive`, whose finer sources never
enter the tally layer: `age_group` from a birth date and perhaps the day to count on, `minor` from an age group,
`quarter` from a date, `nights` from two dates. Read-only: nothing here writes a codebook.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from vault.errors import UsageError
from vault.formats.strict_toml import Labels, TomlReader
from vault.formats.variables import (
    AgeBand,
    Code,
    Codebook,
    Derivation,
    RecordType,
    Variable,
    VariableType,
    age_bands,
    in_language,
)
from vault.model import Digest, Layer
from vault.primitives.hashing import sha256

__all__ = [
    "AgeBand",
    "Code",
    "Codebook",
    "Derivation",
    "Labels",
    "RecordType",
    "Variable",
    "VariableType",
    "age_bands",
    "in_language",
    "parse_codebook",
]

LIMIT_BYTES: Final = 256 * 1024
FORMAT: Final = 1
RESERVED: Final = frozenset({"case", "type", "seq", "line", "day", "layer", "pseudonym", "amended_by"})
"""Names that import lines and listings use beside the variables. (`origin` is not among them: journeys have one.)"""

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+-]{0,39}")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}")
_TOP_KEYS: Final = frozenset({"format", "name", "version", "languages", "codes", "types"})
_TYPE_KEYS: Final = frozenset({"opens_case", "label", "help", "variables"})
_VARIABLE_KEYS: Final = frozenset(
    {
        *("layer", "type", "label", "help", "codes", "required", "missing"),
        *("minimum", "maximum", "multiline", "derive", "coarsen"),
    }
)
_ONLY_FOR: Final = {
    "codes": VariableType.CODE,
    "minimum": VariableType.INTEGER,
    "maximum": VariableType.INTEGER,
    "multiline": VariableType.TEXT,
}
_COARSENED: Final = {VariableType.DATE: "quarter", VariableType.TEXT: "token"}
# Rule: how many sources it takes, what it gives, and what its sources are.
_RULES: Final = {
    "age_group": ((1, 2), VariableType.CODE, VariableType.DATE),
    "minor": ((1,), VariableType.CODE, VariableType.CODE),
    "quarter": ((1,), VariableType.DATE, VariableType.DATE),
    "nights": ((2,), VariableType.INTEGER, VariableType.DATE),
}


def parse_codebook(raw: bytes) -> Codebook:
    """The codebook in these bytes. Raises InputRefused with every mistake: its place (`journey.date`) and its line
    where it can be told, in `Problem.variable` and `Problem.line`."""
    reader = TomlReader(raw, limit_bytes=LIMIT_BYTES)
    table = reader.table()
    if reader.problems:
        raise reader.refuse("codebook")
    if type(table.get("format")) is not int or table["format"] != FORMAT:
        reader.wrong("", "format", f"must be {FORMAT}; another format, or a newer one, cannot be read")
        raise reader.refuse("codebook")
    codebook = _codebook(reader, table, Digest(sha256(raw)))
    if reader.problems:
        raise reader.refuse("codebook")
    return codebook


def _codebook(reader: TomlReader, table: dict[str, object], digest: Digest) -> Codebook:
    """Everything in the file; what is wrong ends up in the reader."""
    reader.keys("", table, _TOP_KEYS)
    name = reader.string("", table, "name") or ""
    if _NAME.fullmatch(name) is None:
        reader.wrong("", "name", "is needed: lowercase letters, digits and underscores")
    version = reader.integer("", table, "version")
    if version == 0 or "version" not in table:
        reader.wrong("", "version", "is needed: a whole number from 1")
    languages = reader.strings("", table, "languages")
    if "en" not in languages or len(set(languages)) != len(languages) or not all(map(_LANGUAGE.fullmatch, languages)):
        reader.wrong("", "languages", 'is needed: a list of language codes, "en" among them, each once')
    reader.languages = (*languages, "en")
    lists = {key: _codes(reader, key, codes) for key, codes in reader.tables("", table, "codes").items()}
    types: dict[str, RecordType] = {}
    for key, members in reader.tables("", table, "types").items():
        if _NAME.fullmatch(key) is None:
            reader.wrong("types", key, "a type's name must be lowercase letters, digits and underscores")
        else:
            types[key] = _record_type(reader, key, members, lists)
    if sum(record_type.opens_case for record_type in types.values()) != 1:
        reader.wrong("types", None, "exactly one type must have opens_case = true")
    return Codebook(name=name, version=version or 0, languages=languages, digest=digest, types=MappingProxyType(types))


def _codes(reader: TomlReader, name: str, table: dict[str, object]) -> tuple[Code, ...]:
    """One list of codes, in the order of the file."""
    path = f"codes.{name}"
    if _NAME.fullmatch(name) is None:
        reader.wrong("codes", name, "a list's name must be lowercase letters, digits and underscores")
    found: list[Code] = []
    for code in table:
        if _CODE.fullmatch(code) is None:
            reader.wrong(path, code, "a code must be letters, digits, - + or _")
        else:
            found.append(Code(code=code, labels=reader.labels(path, table, code, needed=True)))
    if not found:
        reader.wrong(path, None, "has no codes")
    return tuple(found)


def _record_type(
    reader: TomlReader, name: str, table: dict[str, object], lists: Mapping[str, tuple[Code, ...]]
) -> RecordType:
    """One record type with its variables."""
    path = f"types.{name}"
    reader.keys(path, table, _TYPE_KEYS)
    variables: dict[str, Variable] = {}
    declared = reader.tables(path, table, "variables")
    for key, members in declared.items():
        place = f"{path}.variables.{key}"
        if _NAME.fullmatch(key) is None or key in RESERVED:
            reader.wrong(f"{path}.variables", key, "a variable's name must be lowercase, and not one that listings use")
        elif (variable := _variable(reader, place, key, members, lists)) is not None:
            variables[key] = variable
    if not variables:
        reader.wrong(path, None, "has no variables")
    for variable in variables.values():
        if variable.derive is None:
            continue
        if any(source not in declared for source in variable.derive.sources):
            reader.wrong(f"{path}.variables.{variable.name}", "derive", "names a variable that this type does not have")
        elif all(source in variables for source in variable.derive.sources):
            _check_derivation(reader, f"{path}.variables.{variable.name}", variable, variable.derive, variables)
    return RecordType(
        name=name,
        labels=reader.labels(path, table, "label", needed=True),
        help=reader.labels(path, table, "help", needed=False),
        opens_case=reader.flag(path, table, "opens_case"),
        variables=tuple(variables.values()),
    )


def _variable(
    reader: TomlReader, path: str, name: str, table: dict[str, object], lists: Mapping[str, tuple[Code, ...]]
) -> Variable | None:
    """One variable, or None when not even its layer and type can be told."""
    reader.keys(path, table, _VARIABLE_KEYS)
    layer, kind = reader.string(path, table, "layer"), reader.string(path, table, "type")
    if layer not in tuple(Layer):
        reader.wrong(path, "layer", f"must be one of: {', '.join(Layer)}")
    if kind not in tuple(VariableType):
        reader.wrong(path, "type", f"must be one of: {', '.join(VariableType)}")
    if layer not in tuple(Layer) or kind not in tuple(VariableType):
        return None
    list_name = reader.string(path, table, "codes")
    if list_name is not None and list_name not in lists:
        reader.wrong(path, "codes", "names a list of codes that the file does not have")
    variable = Variable(
        name=name,
        layer=Layer(layer),
        type=VariableType(kind),
        labels=reader.labels(path, table, "label", needed=True),
        help=reader.labels(path, table, "help", needed=False),
        codes=lists.get(list_name or "", ()),
        required=reader.flag(path, table, "required"),
        missing=reader.string(path, table, "missing"),
        minimum=reader.integer(path, table, "minimum"),
        maximum=reader.integer(path, table, "maximum"),
        multiline=reader.flag(path, table, "multiline"),
        derive=_derivation(reader, path, table),
        coarsen=reader.string(path, table, "coarsen"),
    )
    _check_variable(reader, path, variable, table)
    return variable


def _derivation(reader: TomlReader, path: str, table: dict[str, object]) -> Derivation | None:
    """The `derive` table of a variable."""
    value = table.get("derive")
    if value is None:
        return None
    if not isinstance(value, dict) or set(value) != {"rule", "from"}:
        reader.wrong(path, "derive", 'must be { rule = "...", from = ["..."] }')
        return None
    rule, sources = value["rule"], value["from"]
    if rule not in _RULES or not isinstance(sources, list) or not all(isinstance(item, str) for item in sources):
        reader.wrong(path, "derive", f"must have a list of variables, and one of the rules: {', '.join(_RULES)}")
        return None
    return Derivation(rule=rule, sources=tuple(sources))


def _check_variable(reader: TomlReader, path: str, variable: Variable, table: Mapping[str, object]) -> None:
    """Note what does not fit together within one variable."""
    kind, tally = variable.type, variable.layer is Layer.TALLY
    if kind is VariableType.CODE and "codes" not in table:
        reader.wrong(path, None, "a code variable needs `codes`")
    for key, owner in _ONLY_FOR.items():
        if key in table and kind is not owner:
            reader.wrong(path, key, f"is for {owner} variables only")
    if variable.coarsen is not None and (not tally or _COARSENED.get(kind) != variable.coarsen):
        reader.wrong(path, "coarsen", 'is "quarter" for a date or "token" for a text, in the tally layer only')
    if tally and variable.coarsen is None and kind in _COARSENED:
        reader.wrong(path, None, f'a tally variable of type {kind} needs coarsen = "{_COARSENED[kind]}"')
    if variable.missing is not None:
        known = {code.code for code in variable.codes}
        if not tally or kind in (VariableType.INTEGER, VariableType.TEXT):
            reader.wrong(path, "missing", "is for codes and periods of the tally layer only")
        elif kind is VariableType.CODE and known and variable.missing not in known:
            reader.wrong(path, "missing", "is not one of the variable's codes")
        elif _CODE.fullmatch(variable.missing) is None or variable.missing.isdigit():
            reader.wrong(path, "missing", "must be a word")
        elif variable.required:
            reader.wrong(path, "missing", "a required variable is never missing")
    if None not in (low := variable.minimum, high := variable.maximum) and low > high:  # type: ignore[operator]
        reader.wrong(path, "minimum", "is above the maximum")
    if tally and kind is VariableType.INTEGER and variable.maximum is None:
        reader.wrong(path, None, "a tally integer needs a maximum")


def _check_derivation(
    reader: TomlReader, path: str, variable: Variable, derive: Derivation, variables: Mapping[str, Variable]
) -> None:
    """Note a rule that does not fit the variable or its sources."""
    counts, result, source_type = _RULES[derive.rule]
    sources = [variables[source] for source in derive.sources]
    if variable.layer is not Layer.TALLY or variable.type is not result:
        reader.wrong(path, "derive", f"{derive.rule} gives a tally variable of type {result}")
    elif len(sources) not in counts or any(source.type is not source_type for source in sources):
        most = " or ".join(map(str, counts))
        reader.wrong(path, "derive", f"{derive.rule} takes {most} variables of type {source_type}")
    elif source_type is VariableType.DATE and any(source.layer is Layer.TALLY for source in sources):
        reader.wrong(path, "derive", "a date that is a source must not be in the tally layer itself")
    elif derive.rule == "minor" and not {"yes", "no"} <= {code.code for code in variable.codes}:
        reader.wrong(path, "derive", "minor gives the codes yes and no")
    elif derive.rule in ("age_group", "minor"):
        bands = variable if derive.rule == "age_group" else sources[0]
        try:
            age_bands(bands.codes, bands.missing)
        except UsageError as reason:
            reader.wrong(path, "derive", reason.message)
