"""Answers given without a form: `--set NAME=VALUE` and `--set-from FILE`, for programs and for people in a hurry."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, ParamSpec, TypeVar

import click

from cli.desk import is_open
from cli.options import Settings
from vault.errors import UsageError

if TYPE_CHECKING:
    from vault import RecordType, Variable

P = ParamSpec("P")
R = TypeVar("R")

_MOST_BYTES = 1 << 20


def answer_options(function: Callable[P, R]) -> Callable[P, R]:
    """`--set` and `--set-from`."""
    function = click.option(
        "--set-from", metavar="FILE", help="Read the answers from a JSON object in FILE; - is standard input."
    )(function)
    return click.option(
        "--set", "sets", multiple=True, metavar="NAME=VALUE",
        help="Give one answer (repeatable); no value clears it. The shell's history keeps what is typed here.",
    )(function)  # fmt: skip


def given(
    settings: Settings, types: Iterable[RecordType], sets: tuple[str, ...], set_from: str | None
) -> dict[str, object] | None:
    """The answers of both options together, None when neither was used. None as a value means: clear it.

    Numbers for integer variables become numbers. Values of the identity layer on the command line work, with a warning.
    """
    if not sets and set_from is None:
        return None
    found: dict[str, object] = dict(_from_file(set_from)) if set_from is not None else {}
    variables: dict[str, list[Variable]] = {}
    for record_type in types:
        for variable in record_type.variables:
            variables.setdefault(variable.name, []).append(variable)
    exposed = []
    for item in sets:
        name, equals, value = item.partition("=")
        if not equals or not name:
            raise UsageError("--set wants NAME=VALUE")
        if name in found:
            raise UsageError("a variable is given twice; give each one once")
        same_name = variables.get(name, [])
        if value and any(variable.layer == "identity" for variable in same_name):
            exposed.append(name)
        integer = bool(same_name) and all(variable.type == "integer" for variable in same_name)
        found[name] = _value(value, integer=integer)
    if exposed and not is_open():
        settings.terminal.warn(
            f"the shell's history keeps what --set was given ({', '.join(exposed)}: identity layer); "
            "the form or --set-from FILE leaves no trace there"
        )
    return found


def _value(text: str, *, integer: bool) -> object:
    if not text:
        return None
    if integer and text.isascii() and text.removeprefix("-").isdigit() and len(text) <= 18:
        return int(text)
    return text


def _from_file(name: str) -> Mapping[str, object]:
    """A strict JSON object of texts, whole numbers and nulls. Messages name the line, never the content."""
    where = "standard input" if name == "-" else name
    try:
        if name == "-":
            raw = sys.stdin.buffer.read(_MOST_BYTES + 1)
        else:
            with Path(name).open("rb") as file:
                raw = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"--set-from: cannot read {where}: {error.strerror}") from None
    if len(raw) > _MOST_BYTES:
        raise UsageError(f"--set-from: {where} is larger than 1 MiB")
    try:
        found = json.loads(raw.decode("utf-8-sig"), object_pairs_hook=_once, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise UsageError(f"--set-from: {where} is not JSON (line {error.lineno})") from None
    except (UnicodeDecodeError, ValueError, RecursionError):
        raise UsageError(f"--set-from: {where} is not one JSON object in UTF-8 with each name once") from None
    if not isinstance(found, dict):
        raise UsageError(f"--set-from: {where} must hold one JSON object")
    if any(isinstance(value, bool | float | list | dict) for value in found.values()):
        raise UsageError("--set-from: values are texts, whole numbers or null; write yes or no for true or false")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def _refuse(_: str) -> NoReturn:
    raise ValueError
