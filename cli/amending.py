"""`amend` at a terminal: the record as it stands, one change at a time, a review of what changes, `y` saves.

Nothing is opened for this that `case show` would not open: values of the identity layer are listed as sealed, and can
be replaced or cleared unseen. What was not touched is not sent, so a record keeps whatever the form does not know.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from cli.forms import asked_to_save, tell_problems
from cli.options import Settings
from cli.phrases import labelled
from cli.questions import Back, Questions
from cli.reading import Answer, command, number_from
from cli.session import ask
from cli.writes import patiently
from vault.errors import InputRefused

if TYPE_CHECKING:
    from vault import EntryView, RecordType, Saved, Variable


class AmendForm:
    """One record being corrected. `changes` holds what differs; None as a value clears."""

    def __init__(self, settings: Settings, record_type: RecordType, view: EntryView) -> None:
        self._settings = settings
        self._questions = Questions(settings)
        self._type = record_type
        self._variables = record_type.variables
        self._view = view
        self.changes: dict[str, Answer | None] = {}

    def fill(self) -> Mapping[str, Answer | None]:
        """List, change, review. Raises `click.Abort` when the person stops or says no."""
        questions = self._questions
        title = labelled(self._type.labels, self._settings.language, self._type.name)
        view = self._view
        told = questions.say("amend_title", title=title, seq=view.name, day=view.day)
        questions.tell(f"{view.pseudonym}   {told}")
        if view.conflicts:
            names = ", ".join((view.version, *(other.name for other in view.conflicts)))
            questions.tell(questions.say("amend_conflict", names=names, name=view.version))
        self._list()
        self._pick()
        return self._review()

    def correct(self, refused: InputRefused) -> Mapping[str, Answer | None]:
        """The library refused: show why, ask what it named again, review again."""
        places = tell_problems(self._questions, self._variables, refused.problems)
        for at in places:
            self._ask(at)
        if not places:
            self._pick()
        return self._review()

    def _pick(self) -> None:
        """Take numbers until Enter; there has to be a change before there is anything to review."""
        questions, most = self._questions, len(self._variables)
        while True:
            typed = ask(self._settings, questions.say("amend_pick", most=most))
            number = number_from(typed, most)
            if number is not None:
                self._ask(number - 1)
            elif command(typed) == "?":
                self._list()
            elif command(typed):
                questions.tell(questions.say("amend_choose", most=most))
            elif self._is_enough():
                return
            else:
                questions.tell(questions.say("amend_nothing"))

    def _is_enough(self) -> bool:
        """Whether there is anything to save: changes, or a contradiction that saving the version shown settles."""
        return bool(self.changes or self._view.conflicts)

    def _ask(self, at: int) -> None:
        variable = self._variables[at]
        current, sealed = self._standing(variable)
        if (sealed or current is not None) and not variable.required:
            self._questions.tell(self._questions.say("intro_keep"))
        with suppress(Back):
            reply = self._questions.ask(variable, f"{at + 1}/{len(self._variables)}", current, sealed=sealed)
            if not reply.changed:
                return
            before = None if variable.layer == "identity" else self._before(variable)
            if variable.layer != "identity" and reply.value == before:
                self.changes.pop(variable.name, None)
            else:
                self.changes[variable.name] = reply.value

    def _before(self, variable: Variable) -> Answer | None:
        """The value that stands in the record; the missing code is no answer."""
        value = self._view.values.get(variable.name)
        return None if value == variable.missing else value

    def _standing(self, variable: Variable) -> tuple[Answer | None, bool]:
        """The value to show in brackets, and whether it is a sealed one instead."""
        if variable.name in self.changes:
            return self.changes[variable.name], False
        if variable.layer == "identity":
            return None, True
        return self._before(variable), False

    def _is_worked_out_anew(self, variable: Variable) -> bool:
        """Whether a change moves what this one is worked out from, so that its old value says nothing any more."""
        if variable.derive is None or variable.name in self.changes:
            return False
        first, *_ = sources = variable.derive.sources
        moved = any(name in self.changes or self._is_worked_out_anew(self._type.variable(name)) for name in sources)
        return moved and (first in self.changes or first in self._view.values)

    def _list(self) -> None:
        for at, variable in enumerate(self._variables, start=1):
            value, sealed = self._standing(variable)
            if self._is_worked_out_anew(variable):
                text = self._questions.say("anew")
            elif sealed:
                text = self._questions.say("sealed")
            else:
                text = self._questions.display(variable, value) if value is not None else "-"
            mark = "  *" if variable.name in self.changes else ""
            self._questions.tell(f"  {at:>2}  {self._questions.name(variable)}: {text}{mark}")

    def _review(self) -> Mapping[str, Answer | None]:
        questions = self._questions
        while True:
            questions.tell("\n" + questions.say("amend_review"))
            for at, variable in enumerate(self._variables, start=1):
                if variable.name in self.changes:
                    before = questions.say("sealed") if variable.layer == "identity" else self._shown_before(variable)
                    value = self.changes[variable.name]
                    after = questions.display(variable, value) if value is not None else questions.say("cleared")
                    questions.tell(f"  {at:>2}  {questions.name(variable)}: {before} -> {after}")
                elif self._is_worked_out_anew(variable):
                    questions.tell(f"  {at:>2}  {questions.name(variable)}: {questions.say('anew')}")
            if not self.changes:
                questions.tell(f"  {questions.say('amend_nothing')}")
            if not self._is_enough():
                self._pick()
                continue
            number = asked_to_save(self._settings, len(self._variables))
            if number is None:
                return self.changes
            self._ask(number - 1)

    def _shown_before(self, variable: Variable) -> str:
        before = self._before(variable)
        return self._questions.display(variable, before) if before is not None else "-"


def amended(
    settings: Settings,
    record_type: RecordType,
    view: EntryView,
    save: Callable[[Mapping[str, Answer | None]], Saved],
) -> Saved:
    """Fill the form and save; a refusal goes back into the form."""
    form = AmendForm(settings, record_type, view)
    changes = form.fill()
    while True:
        try:
            return patiently(settings, lambda: save(dict(changes)))  # noqa: B023 - called before `changes` moves on
        except InputRefused as refused:
            changes = form.correct(refused)
