"""One question: how it is put, what may be typed, and what the typed line means.

The terminal's own line editing stays in charge, so Korean, Chinese and Thai input methods and screen readers work.
Whatever cannot be right (an arrow key's escape sequence, a month 13, a line that the terminal has cut) is said at once,
in the person's language; what only the library can know comes back from it later.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli.options import Settings
from cli.phrases import labelled, phrase, shown
from cli.reading import LONG_LIST, Answer, Misfit, command, read
from cli.session import ask
from cli.terminal import obeyed, visible, width

if TYPE_CHECKING:
    from vault import Variable

SHOWN_OF_LONG = 20
TERMINAL_LINE = 4095
"""Bytes after which a Linux terminal drops the rest of a line without a word."""
_BRACKET = 60
_LINE_CELLS = 78


class Back(Exception):
    """The person typed `<`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came of a question: nothing changed, or a new value, which is None when the answer was cleared."""

    changed: bool
    value: Answer | None = None


KEPT = Reply(changed=False)
CLEARED = Reply(changed=True)


class Questions:
    """Asks for one variable at a time. Keeps nothing: who asks keeps the answers."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._language = settings.language

    def ask(self, variable: Variable, place: str, current: Answer | None, *, sealed: bool = False) -> Reply:
        """Ask until the answer fits. `sealed`: there may be a value that cannot be shown here, and can be cleared.

        Raises `Back`, and `click.Abort` at the end of input.
        """
        head = f"{place} {self.name(variable)}" + ("*" if variable.required else "")
        standing = sealed or current is not None
        bracket = self.say("sealed").strip("()") if sealed else self.display(variable, current, _BRACKET)
        kept = f" [{bracket}]" if standing else ""
        whole = question = self._question(variable, head, kept)
        while True:
            typed = self._line(question)
            question = f"{head}{kept}: " if "\n" in whole else whole  # a list is not repeated after each slip
            entered = typed.strip() if typed is not None else ""
            if typed is None:
                continue
            match command(entered):
                case "<":
                    raise Back
                case "?":
                    self._help(variable)
                    question = whole
                case "-" if standing and variable.required:
                    self.tell(self.say("required"))
                case "-" if standing:
                    return CLEARED
                case "" if standing or not variable.required:
                    return KEPT
                case "":
                    self.tell(self.say("required"))
                case _:
                    value = self._value(variable, entered)
                    if value is not None:
                        return Reply(changed=value != current or sealed, value=value)

    def name(self, variable: Variable) -> str:
        """The variable's label."""
        return visible(labelled(variable.labels, self._language, variable.name))

    def display(self, variable: Variable, answer: Answer | None, most: int = 400) -> str:
        """An answer on one line, by its label; a long one is cut for the eye only."""
        text = " / ".join(visible(line) for line in shown(variable, answer, self._language).split("\n"))
        return text if len(text) <= most else f"{text[:most]}... ({self.say('characters', count=len(text))})"

    def say(self, sentence: str, /, **values: object) -> str:
        """A sentence in the person's language."""
        return phrase(self._language, sentence, **values)

    def tell(self, text: str) -> None:
        """A line of the form, on stderr."""
        self._settings.terminal.prompt(text + "\n")

    # What is shown ---------------------------------------------------------------------------------------------------

    def _question(self, variable: Variable, head: str, kept: str) -> str:
        lines = f" ({self.say('lines')})" if variable.multiline else ""
        if not variable.codes:
            return f"{head}{lines}{kept}: "
        texts = [visible(labelled(code.labels, self._language, code.code)) for code in variable.codes]
        long = len(texts) > LONG_LIST
        choices = list(enumerate(texts[: SHOWN_OF_LONG if long else None], start=1))
        one_line = f"{head}   {'  '.join(f'{number} {text}' for number, text in choices)}{kept} : "
        if width(one_line) <= _LINE_CELLS and not self._settings.terminal.accessible:
            return one_line
        listed = "".join(f"  {number:>2}  {text}\n" for number, text in choices)
        more = f"  {self.say('more_codes', count=len(texts) - SHOWN_OF_LONG)}\n" if long else ""
        return f"{head}\n{listed}{more}" + f"{kept} : ".lstrip()

    def _help(self, variable: Variable) -> None:
        self.tell(labelled(variable.help, self._language, "") or self.say("no_help"))
        self.tell(self.say("kept", layer=self.say(str(variable.layer))))

    # What was typed --------------------------------------------------------------------------------------------------

    def _line(self, question: str) -> str | None:
        """One line that can be kept as it is; None, with the reason said, when it must be typed again."""
        typed = ask(self._settings, question).replace("\t", " ")
        if any("\ud800" <= char <= "\udfff" for char in typed):
            self.tell(self.say("unreadable"))
            return None
        if hidden := next((char for char in typed if obeyed(char)), ""):
            self.tell(self.say("arrows") if hidden == "\x1b" else self.say("hidden", point=f"U+{ord(hidden):04X}"))
            return None
        if len(typed.encode()) >= TERMINAL_LINE and sys.stdin.isatty():
            self.tell(self.say("cut", most=TERMINAL_LINE))
            return None
        return typed

    def _more_lines(self, first: str) -> str:
        """Lines up to an empty one. One that cannot be kept is asked again, not lost silently."""
        lines = [first]
        while True:
            typed = self._line("  ")
            if typed is None:
                continue
            if not typed.strip():
                return "\n".join(lines)
            lines.append(typed.strip())

    def _value(self, variable: Variable, entered: str) -> Answer | None:
        """The value that was typed; None, with the reason said, when it does not fit."""
        try:
            return read(variable, self._more_lines(entered) if variable.multiline else entered, self._language)
        except Misfit as misfit:
            self.tell(misfit.reason)
            return None
