"""Travel of the stand-in for the façade."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.cli.fake_handing import Remembers


def functions(vault: Remembers) -> Mapping[str, object]:
    """Every name of the façade that cli calls to arm a laptop and to disarm it."""
    plan = SimpleNamespace(to="hub-1", unsent=2, others=("root",))

    def arm(_: object, me: str, secret: str, to: str, path: Path, **how: Any) -> SimpleNamespace:  # noqa: ANN401
        vault.called("arm", (to, path, how))
        return SimpleNamespace(to=to, path=path, words="academic acid acne", plan=plan)

    def take_letters(_: object, me: str, assign: Mapping[str, str], *, dry_run: bool) -> SimpleNamespace:
        vault.called("take_letters", dict(assign))
        return SimpleNamespace(recorded=2, cases=1, renamed=(), kept=(), warnings=())

    asked = SimpleNamespace(handle="field-1", to="hub-1", day=20_000)
    return {
        "plan_arming": lambda *_, **__: plan,
        "arm": arm,
        "take_letters": take_letters,
        "read_travel_request": lambda *_: asked,
        "answer_travel": lambda *_: (asked, b"answer"),
        "travel_status": lambda _: (),
    }
