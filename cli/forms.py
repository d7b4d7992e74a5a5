"""A record type asked line by line: numbered choices, `?` help, `<` back, Enter skips, a review at the end.

No raw mode and no redraw: plain lines, so that any input method and any screen reader can follow. Choices are numbers,
so coded answers need no input method at all. All of it goes to stderr; nothing is written anywhere else, and Ctrl-C or
end of input leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from cli.options import Settings
from cli.phrases import labelled, phrase
from cli.questions import Back, Questions
from cli.reading import Answer, command, number_from
from cli.session import ask
from vault.errors import Problem

if TYPE_CHECKING:
    from vault import RecordType, Variable

# With a Korean input method left on, the keys y and n give these two letters.
YES = frozenset({"y", "yes", "예", "네", command("\u315b")})
NO = frozenset({"n", "no", "아니요", "아니오", command("\u315c")})


def tell_problems(questions: Questions, variables: Sequence[Variable], problems: Sequence[Problem]) -> list[int]:
    """Show why the library refused, by the labels that the person knows; returns the places of the variables named."""
    questions.tell(questions.say("refused"))
    places = {variable.name: at for at, variable in enumerate(variables)}
    for problem in problems:
        at = places.get(problem.variable or "")
        name = questions.name(variables[at]) if at is not None else problem.variable or "-"
        questions.tell(f"  {name}: {problem.message}")
    return sorted({places[problem.variable] for problem in problems if problem.variable in places})


def asked_to_save(settings: Settings, most: int) -> int | None:
    """The end of a review: None for yes, or the number of what shall change. Raises `click.Abort` for no."""
    while True:
        typed = command(ask(settings, phrase(settings.language, "save", most=most))).lower()
        if typed in YES:
            return None
        if typed in NO:
            raise click.Abort
        number = number_from(typed, most)
        if number is not None:
            return number
        settings.terminal.prompt(phrase(settings.language, "save_choose", most=most) + "\n")


class Form:
    """One record being filled in. `answers` survives a refusal, so that nobody types a record twice."""

    def __init__(self, settings: Settings, record_type: RecordType) -> None:
        self._settings = settings
        self._questions = Questions(settings)
        self._type = record_type
        self._variables = record_type.variables
        self.answers: dict[str, Answer] = {}

    def fill(self) -> Mapping[str, Answer]:
        """Ask everything, then review. Raises `click.Abort` when the person stops or says no."""
        title = labelled(self._type.labels, self._settings.language, self._type.name)
        self._questions.tell(f"{title}.  {self._questions.say('intro')}")
        at, step = 0, 1
        while at < len(self._variables):
            if at < 0:
                self._questions.tell(self._questions.say("first"))
                at, step = 0, 1
            if not self._is_derived(self._variables[at]):
                try:
                    self._ask(at)
                    step = 1
                except Back:
                    step = -1
            at += step
        return self._review()

    def correct(self, problems: Sequence[Problem]) -> Mapping[str, Answer]:
        """The library refused: show why, ask the named variables again, review again."""
        for at in tell_problems(self._questions, self._variables, problems):
            self._again(at)
        return self._review()

    def _ask(self, at: int) -> None:
        """One question; the answer, or its absence, is kept."""
        variable = self._variables[at]
        place = f"{at + 1}/{len(self._variables)}"
        reply = self._questions.ask(variable, place, self.answers.get(variable.name))
        if not reply.changed:
            return
        if reply.value is None:
            del self.answers[variable.name]
        else:
            self.answers[variable.name] = reply.value
        self._forget_derived(variable.name)

    def _forget_derived(self, source: str) -> None:
        """An answer that now follows from a finer one is no longer kept beside it: the two could only disagree."""
        for variable in self._variables:
            given = self.answers.get(variable.name)
            if variable.derive is None or given is None or source not in variable.derive.sources:
                continue
            del self.answers[variable.name]
            if self._is_derived(variable):
                self._questions.tell(self._questions.say("follows", name=self._questions.name(variable)))
                self._forget_derived(variable.name)
            else:
                self.answers[variable.name] = given

    def _again(self, at: int) -> None:
        variable = self._variables[at]
        if variable.name in self.answers and not variable.required:
            self._questions.tell(self._questions.say("intro_keep"))
        with suppress(Back):
            self._ask(at)

    def _is_derived(self, variable: Variable) -> bool:
        """Whether the finer answers already given decide this one, so that asking would only invite contradiction."""
        if variable.derive is None or variable.name in self.answers:
            return False
        sources = variable.derive.sources
        needed = sources if variable.derive.rule == "nights" else sources[:1]
        return all(self._is_known(self._type.variable(name)) for name in needed)

    def _is_known(self, source: Variable) -> bool:
        answer = self.answers.get(source.name)
        return answer != source.missing if answer is not None else self._is_derived(source)

    def _review(self) -> Mapping[str, Answer]:
        while True:
            self._questions.tell("\n" + self._questions.say("review"))
            for at, variable in enumerate(self._variables, start=1):
                if variable.name in self.answers:
                    shown = self._questions.display(variable, self.answers[variable.name])
                    self._questions.tell(f"  {at:>2}  {self._questions.name(variable)}: {shown}")
                elif self._is_derived(variable):
                    self._questions.tell(
                        f"  {at:>2}  {self._questions.name(variable)}: {self._questions.say('derived')}"
                    )
            if not self.answers:
                self._questions.tell(f"  {self._questions.say('nothing')}")
            number = asked_to_save(self._settings, len(self._variables))
            if number is None:
                return self.answers
            self._again(number - 1)
