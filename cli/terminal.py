"""Plain lines out: data on stdout, talk on stderr, in any encoding, on any terminal, for any reader.

- Streams never die of an encoding: what a code page cannot show comes out as a backslash escape.
- Colour only on a terminal that wants it (https://no-color.org, `TERM=dumb`, `--no-color`); meaning never hangs on it.
- Text that came from people is shown, not obeyed: an escape sequence or a bidi override prints as `⟨U+202E⟩`.
- Widths follow the East Asian width of NFC text (UAX #11), so that a column of Korean names lines up.
"""

from __future__ import annotations

import io
import json
import os
import re
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TextIO

_STYLES = {"bold": "1", "red": "31", "yellow": "33", "green": "32"}
_UNSEEN = frozenset("\u034f\u115f\u1160\u2800\u3164\uffa0\u17b4\u17b5")
_OBEYED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_PLAIN = re.compile(r"[\x20-\x7e\uac00-\ud7a3]*\Z")


def prepare_streams() -> None:
    """Make the three standard streams safe for any text. Output redirected on Windows is UTF-8, not the code page."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            redirected_windows = os.name == "nt" and not stream.isatty()
            stream.reconfigure(encoding="utf-8" if redirected_windows else None, errors="backslashreplace")
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="surrogateescape")


def obeyed(char: str) -> bool:
    """Whether a terminal, or a reader's eye, could be moved by this character instead of seeing it."""
    point = ord(char)
    selector = 0xFE00 <= point <= 0xFE0F or 0xE0100 <= point <= 0xE01EF
    return char in _UNSEEN or selector or unicodedata.category(char) in _OBEYED_CATEGORIES


def visible(text: str) -> str:
    """`text` on one line, with every control, bidi and zero-width character spelled out: `⟨U+202E⟩`."""
    if _PLAIN.match(text):
        return text
    return "".join(f"⟨U+{ord(char):04X}⟩" if obeyed(char) else char for char in text)


def width(text: str) -> int:
    """How many terminal cells `text` takes. Expects what `visible` returns."""
    cells = 0
    for char in unicodedata.normalize("NFC", text):
        if unicodedata.category(char) in ("Mn", "Me"):
            continue
        cells += 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1
    return cells


def pad(text: str, cells: int) -> str:
    """`text` followed by spaces up to `cells` cells; longer text stays whole."""
    return text + " " * max(0, cells - width(text))


def is_dumb() -> bool:
    """Whether the terminal says that it can do nothing but print."""
    return os.environ.get("TERM", "") == "dumb"


def colour_wanted(stream: TextIO, *, no_color: bool) -> bool:
    """Whether this stream may carry colour."""
    return not (no_color or os.environ.get("NO_COLOR") or is_dumb()) and stream.isatty()


def json_text(payload: Mapping[str, object]) -> str:
    """One JSON object on one line; what a terminal would obey, and what the stream cannot encode, is escaped in it."""
    encoding = (getattr(sys.stdout, "encoding", None) or "ascii").lower().replace("_", "-")
    text = json.dumps(payload, ensure_ascii=encoding not in ("utf-8", "utf8"), allow_nan=False)
    if _PLAIN.match(text):
        return text
    return "".join(_json_escape(char) if obeyed(char) else char for char in text)


def _json_escape(char: str) -> str:
    point = ord(char)
    return f"\\u{point:04x}" if point < 0x10000 else json.dumps(char)[1:-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """Where output goes. `quiet` silences talk; `as_json` leaves stdout to the one JSON object, and stderr to
    warnings and prompts; `accessible` prints tables as `Field: value` blocks."""

    as_json: bool = False
    quiet: bool = False
    no_color: bool = False
    accessible: bool = False

    def style(self, text: str, *names: str, stream: TextIO | None = None) -> str:
        """`text` in colour if the stream (stderr unless said otherwise) takes colour."""
        if not colour_wanted(stream or sys.stderr, no_color=self.no_color):
            return text
        return f"\x1b[{';'.join(_STYLES[name] for name in names)}m{text}\x1b[0m"

    def data(self, line: str = "") -> None:
        """One line of result on stdout, for people; with `--json` the object is the result and this says nothing."""
        if not self.as_json:
            sys.stdout.write(visible(line) + "\n")

    def heading(self, line: str) -> None:
        """A line of result in bold."""
        if not self.as_json:
            sys.stdout.write(self.style(visible(line), "bold", stream=sys.stdout) + "\n")

    def raw(self, payload: bytes) -> None:
        """Bytes of ours, exactly, on stdout."""
        sys.stdout.flush()
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.buffer.write(payload)
            sys.stdout.buffer.flush()
        else:
            sys.stdout.write(payload.decode("utf-8"))

    def talk(self, line: str = "") -> None:
        """One line of talk on stderr; silent with `-q` and with `--json`."""
        if not (self.quiet or self.as_json):
            sys.stderr.write(visible(line) + "\n")
            sys.stderr.flush()

    def rehearsed(self, found: str = "All is well.", *, nothing: str = "nothing was written") -> None:
        """The end of a dry run: what was found, that nothing came of it, and how something would."""
        self.talk(f"{found} Dry run: {nothing}.".lstrip())
        self.again()

    def again(self) -> None:
        """What to type after a dry run."""
        self.talk("Next: the same command without --dry-run")

    def warn(self, line: str) -> None:
        """One warning on stderr, always."""
        sys.stderr.write(self.style("warning:", "yellow") + " " + visible(line) + "\n")
        sys.stderr.flush()

    def prompt(self, text: str) -> None:
        """Show a question, or part of a form, on stderr: people who asked for quiet still have to see questions."""
        sys.stderr.write("\n".join(visible(line) for line in text.split("\n")))
        sys.stderr.flush()

    def result(self, payload: Mapping[str, object], *, code: int = 0) -> None:
        """With `--json`, the one object; `ok` and `code` come first. Without it, nothing."""
        if self.as_json:
            fixed = {"ok": code == 0, "code": code}
            sys.stdout.write(json_text({**fixed, **payload, **fixed}) + "\n")

    def table(self, headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Aligned columns; in accessible mode one `Field: value` block a row, which a screen reader can follow."""
        if self.accessible:
            for index, row in enumerate(rows):
                if index:
                    self.data()
                for header, cell in zip(headers, row, strict=True):
                    self.data(f"{header}: {visible(cell) or '-'}")
            return
        shown = [[visible(cell) for cell in row] for row in rows]
        widths = [max([width(header), *(width(row[at]) for row in shown)]) for at, header in enumerate(headers)]
        for at, row in enumerate([list(headers), *shown]):
            line = "  ".join(pad(cell, cells) for cell, cells in zip(row, widths, strict=True)).rstrip()
            (self.data if at else self.heading)(line)
