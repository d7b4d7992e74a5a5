"""A record type asked line by line: numbered choices, `?` help, `<` back, Enter skips, a review at the end.

No raw mode and no redraw: the terminal's own line editing stays in charge, so Korean, Chinese and Thai input methods
and screen readers work. Choices are numbers, so coded answers need no input method at all. All of it goes to stderr;
nothing is written anywhere else, and Ctrl-C or end of input leaves nothing behind.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from cli.options import Settings
from cli.phrases import labelled, phrase
from cli.session import ask
from cli.terminal import visible, width
from vault.errors import Problem

if TYPE_CHECKING:
    from vault import RecordType, Variable

Answer = str | int
_LINE_CELLS = 78
_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)
_INTEGER = re.compile(r"-?\d{1,18}", re.ASCII)


class _Back(Exception):
    """The person typed `<`."""


class Form:
    """One record being filled in. `answers` survives a refusal, so that nobody types a record twice."""

    def __init__(self, settings: Settings, record_type: RecordType) -> None:
        self._settings = settings
        self._language = settings.language
        self._type = record_type
        self._variables = record_type.variables
        self.answers: dict[str, Answer] = {}

    def fill(self) -> Mapping[str, Answer]:
        """Ask everything, then review. Raises `click.Abort` when the person stops or says no."""
        title = labelled(self._type.labels, self._language, self._type.name)
        self._show(f"{title}.  {self._say('intro')}\n")
        at, step = 0, 1
        while at < len(self._variables):
            if at < 0:
                self._show(self._say("first") + "\n")
                at, step = 0, 1
            variable = self._variables[at]
            if not self._is_derived(variable):
                try:
                    self._ask(variable, at)
                    step = 1
                except _Back:
                    step = -1
            at += step
        return self._review()

    def correct(self, problems: Sequence[Problem]) -> Mapping[str, Answer]:
        """The library refused: show why, ask the named variables again, review again."""
        self._show(self._say("refused") + "\n")
        for problem in problems:
            self._show(f"  {problem.variable or '-'}: {problem.message}\n")
        named = {problem.variable for problem in problems}
        for at, variable in enumerate(self._variables):
            if variable.name in named:
                self._again(variable, at)
        return self._review()

    # Questions -------------------------------------------------------------------------------------------------------

    def _ask(self, variable: Variable, at: int) -> None:
        """One question, asked until the answer fits; the answer, or its absence, is kept."""
        current = self.answers.get(variable.name)
        while True:
            typed = ask(self._settings, self._question(variable, at, current))
            if any("\ud800" <= char <= "\udfff" for char in typed):
                self._show(self._say("unreadable") + "\n")
                continue
            entered = typed.strip()
            if entered == "<":
                raise _Back
            if entered == "?":
                self._help(variable)
                continue
            if entered == "-" and current is not None and not variable.required:
                del self.answers[variable.name]
                return
            if not entered:
                if current is not None or not variable.required:
                    return
                self._show(self._say("required") + "\n")
                continue
            if variable.multiline:
                entered = self._more_lines(entered)
            answer, problem = self._read(variable, entered)
            if answer is not None:
                self.answers[variable.name] = answer
                return
            self._show(problem + "\n")

    def _again(self, variable: Variable, at: int) -> None:
        try:
            self._show(self._say("intro_keep") + "\n")
            self._ask(variable, at)
        except _Back:
            pass

    def _question(self, variable: Variable, at: int, current: Answer | None) -> str:
        name = labelled(variable.labels, self._language, variable.name)
        head = f"{at + 1}/{len(self._variables)} {visible(name)}" + ("*" if variable.required else "")
        kept = f" [{self._display(variable, current)}]" if current is not None else ""
        lines = f" ({self._say('lines')})" if variable.multiline and current is None else ""
        choices = self._choices(variable)
        if not choices:
            return f"{head}{lines}{kept}: "
        one_line = f"{head}   {'  '.join(f'{number} {text}' for number, text in choices)}{kept} : "
        if width(one_line) <= _LINE_CELLS and not self._settings.terminal.accessible:
            return one_line
        return head + "\n" + "".join(f"  {number:>2}  {text}\n" for number, text in choices) + f"{kept} : ".lstrip()

    def _choices(self, variable: Variable) -> list[tuple[int, str]]:
        texts = [visible(labelled(code.labels, self._language, code.code)) for code in variable.codes]
        return list(enumerate(texts, start=1))

    def _more_lines(self, first: str) -> str:
        lines = [first]
        while line := ask(self._settings, "  ").strip():
            lines.append(line)
        return "\n".join(lines)

    def _read(self, variable: Variable, entered: str) -> tuple[Answer | None, str]:
        """The answer that was typed, or None and what is wrong with it."""
        if variable.codes:
            return self._read_code(variable, entered)
        if variable.type == "integer":
            return self._read_integer(variable, entered)
        if variable.type == "date" and variable.coarsen is None and not _is_date(entered):
            return None, self._say("date")
        return entered, ""

    def _read_code(self, variable: Variable, entered: str) -> tuple[Answer | None, str]:
        if entered.isascii() and entered.isdigit() and 1 <= int(entered[:6]) <= len(variable.codes):
            return variable.codes[int(entered[:6]) - 1].code, ""
        for code in variable.codes:
            if entered in (code.code, labelled(code.labels, self._language, code.code)):
                return code.code, ""
        return None, self._say("choose", most=len(variable.codes))

    def _read_integer(self, variable: Variable, entered: str) -> tuple[Answer | None, str]:
        if not _INTEGER.fullmatch(entered):
            return None, self._say("whole")
        number = int(entered)
        if variable.minimum is not None and number < variable.minimum:
            return None, self._say("least", bound=variable.minimum)
        if variable.maximum is not None and number > variable.maximum:
            return None, self._say("most", bound=variable.maximum)
        return number, ""

    def _help(self, variable: Variable) -> None:
        self._show((labelled(variable.help, self._language, "") or self._say("no_help")) + "\n")
        self._show(self._say("kept", layer=self._say(str(variable.layer))) + "\n")

    def _is_derived(self, variable: Variable) -> bool:
        """Whether the finer answers already given decide this one, so that asking would only invite contradiction."""
        if variable.derive is None or variable.name in self.answers:
            return False
        sources = variable.derive.sources
        needed = sources if variable.derive.rule == "nights" else sources[:1]
        return all(name in self.answers or self._is_derived(self._named(name)) for name in needed)

    def _named(self, name: str) -> Variable:
        return self._type.variable(name)

    # Review ----------------------------------------------------------------------------------------------------------

    def _review(self) -> Mapping[str, Answer]:
        most = len(self._variables)
        while True:
            self._show("\n" + self._say("review") + "\n")
            for at, variable in enumerate(self._variables):
                if variable.name in self.answers:
                    name = visible(labelled(variable.labels, self._language, variable.name))
                    self._show(f"  {at + 1:>2}  {name}: {self._display(variable, self.answers[variable.name])}\n")
            if not self.answers:
                self._show(f"  {self._say('nothing')}\n")
            typed = ask(self._settings, self._say("save", most=most)).strip().lower()
            if typed in ("y", "yes", "예"):
                return self.answers
            if typed in ("n", "no", "아니요"):
                raise click.Abort
            if typed.isascii() and typed.isdigit() and 1 <= int(typed[:6]) <= most:
                self._again(self._variables[int(typed[:6]) - 1], int(typed[:6]) - 1)
            else:
                self._show(self._say("save_choose", most=most) + "\n")

    def _display(self, variable: Variable, answer: Answer) -> str:
        for code in variable.codes:
            if code.code == answer:
                return visible(labelled(code.labels, self._language, code.code))
        return " / ".join(visible(line) for line in str(answer).split("\n"))

    def _say(self, name: str, **values: object) -> str:
        return phrase(self._language, name, **values)

    def _show(self, text: str) -> None:
        self._settings.terminal.prompt(text)


def _is_date(text: str) -> bool:
    """Whether this is a year, a month or a day that the calendar has."""
    found = _DATE.fullmatch(text)
    if found is None:
        return False
    try:
        datetime.date(int(found[1]), int(found[2] or 1), int(found[3] or 1))
    except ValueError:
        return False
    return True
