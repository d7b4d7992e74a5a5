"""When a shell stops believing that somebody sits there, over a stand-in for the clock; and what Tab offers."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from cli import desk as desks
from cli.completion import completions
from cli.desk import Desk, Locked, is_held_elsewhere, keys_at_hand, waiting
from cli.process import held_open, is_held_open

if TYPE_CHECKING:
    from vault import Held


class Watch:
    """A stopwatch that stands where a test puts it."""

    def __init__(self) -> None:
        self.at = 100.0
        self.asleep = 7.5

    def seconds(self) -> float:
        """As it was set."""
        return self.at

    def slept(self) -> float:
        """As it was set."""
        return self.asleep


@pytest.fixture
def watch() -> Watch:
    """A watch."""
    return Watch()


@pytest.fixture
def desk(tmp_path: Path, watch: Watch) -> Iterator[Desk]:
    """An open desk of field-1 that locks after five minutes."""
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys/field-1.key").write_bytes(b"sealed")
    made = Desk(tmp_path, watch, 300.0)
    made.unlock(cast("Held", SimpleNamespace(me=SimpleNamespace(handle="field-1"), sealed=b"sealed")))
    Desk.current = made
    yield made
    Desk.current = None
    made.lock("")


def test_it_locks_after_the_idle_time_and_not_before(desk: Desk, watch: Watch) -> None:
    """Five minutes after the last line or command."""
    watch.at += 299
    desk.check()
    assert desk.is_open
    desk.touched()
    watch.at += 299.5
    desk.check()
    assert desk.is_open
    watch.at += 0.5
    desk.check()
    assert (desk.is_open, desk.why) == (False, "nothing was typed for 5 minutes")


def test_it_locks_when_the_machine_has_slept(desk: Desk, watch: Watch) -> None:
    """By the clock that runs on in sleep; a difference in its last digits is no sleep."""
    watch.asleep += 1.5
    desk.check()
    assert desk.is_open
    watch.asleep += 1
    desk.check()
    assert (desk.is_open, desk.why) == (False, "this machine was asleep")


@pytest.mark.parametrize("how", ["changed", "gone"])
def test_it_locks_when_the_key_file_is_another(desk: Desk, tmp_path: Path, how: str) -> None:
    """A passphrase change, keys taken out for a journey, a file taken away."""
    desk.check()
    assert desk.is_open
    path = tmp_path / "keys/field-1.key"
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes(b"sealed otherwise")
    desk.check()
    assert (desk.is_open, desk.why) == (False, "the key file was changed")


def test_keys_are_at_hand_for_their_own_member_and_vault_only(desk: Desk, tmp_path: Path) -> None:
    """Not for another member, another vault, after a lock, or outside a shell."""
    assert keys_at_hand(tmp_path, "field-1") is desk.held
    assert keys_at_hand(tmp_path / "keys" / "..", "field-1") is desk.held
    assert keys_at_hand(tmp_path, "field-2") is None
    assert keys_at_hand(tmp_path / "keys", "field-1") is None
    desk.lock("so")
    assert keys_at_hand(tmp_path, "field-1") is None
    Desk.current = None
    assert keys_at_hand(tmp_path, "field-1") is None


def test_the_key_is_marked_as_held_until_it_locks(desk: Desk, tmp_path: Path) -> None:
    """For `status` in another process."""
    assert is_held_open(tmp_path / "keys/field-1.key")
    desk.lock("so")
    assert not is_held_open(tmp_path / "keys/field-1.key")


def test_a_person_who_is_waited_for_is_broken_off(desk: Desk, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the tick, in the middle of whatever waits; without a wait nothing is, however long a command takes."""

    def nothing_is_typed() -> None:
        watch.at += 300
        signal.pause()

    monkeypatch.setattr(desks, "TICK", 0.01)
    watch.at += 1000
    time.sleep(0.1)
    assert desk.is_open, "a command at its work is left alone"
    with pytest.raises(Locked), waiting():
        nothing_is_typed()
    assert desk.held is None
    with waiting():
        pass  # locked already: nothing to break off
    Desk.current = None
    with waiting():
        pass


def test_stopped_between_the_question_and_the_answer_it_is_broken_off_too(desk: Desk) -> None:
    """The question stands on the page, and nobody is waited for yet; once, and not in the line after it."""
    desk.break_off()
    with pytest.raises(Locked), waiting():
        pytest.fail("a person was waited for")
    with waiting():
        pass
    desk.break_off()
    desk.begins()
    with waiting():
        pass
    with pytest.raises(Locked), waiting():
        desk.break_off()
    with waiting():
        pass


def test_stopped_while_the_passphrase_is_worked_out_it_stays_locked(desk: Desk, tmp_path: Path) -> None:
    """Whoever continues the program need not be who typed it: asked again, and no mark is left on the key file."""
    held = desk.held
    assert held is not None
    desk.lock("you said so")
    desk.begins()
    desk.break_off()
    with pytest.raises(Locked):
        desk.unlock(held)
    assert (desk.is_open, desk.why) == (False, "the program was stopped")
    assert not is_held_open(tmp_path / "keys/field-1.key")
    desk.begins()
    desk.unlock(held)
    assert desk.is_open, "control"


def test_a_shell_in_another_window_is_told_from_this_one(desk: Desk, tmp_path: Path) -> None:
    """Its mark is beside one's own, which is on the file again afterwards."""
    key = tmp_path / "keys/field-1.key"
    assert not is_held_elsewhere(key)
    assert is_held_open(key)
    with held_open(key):
        assert is_held_elsewhere(key)
    desk.lock("so")
    assert not is_held_elsewhere(key)
    assert not is_held_open(key)


@pytest.mark.parametrize(
    ("before", "begun", "offered"),
    [
        ("", "ca", ["case "]),
        ("", "lo", ["lock "]),
        ("fieldvault ", "stat", ["status "]),
        ("case ", "s", ["show "]),
        ("case show ", "--js", ["--json "]),
        ("record ", "sh", []),
        ("audit verify ", "--cop", ["--copy "]),
        ("export ", "check", ["check-draft "]),
        ("export ", "--form", ["--format "]),
        ("case 'sh", "ow", []),
        ("nonsense ", "zz", []),
    ],
)
def test_what_tab_offers(before: str, begun: str, offered: list[str]) -> None:
    """Commands, subcommands, options; inside an open quotation mark nothing."""
    assert completions(before, begun, ["lock", "exit"]) == offered


def test_tab_offers_files_where_a_path_was_begun(tmp_path: Path) -> None:
    """Names with spaces are quoted, directories end in a slash."""
    (tmp_path / "stick one").mkdir()
    (tmp_path / "stick.fvb").touch()
    (tmp_path / "other").touch()
    begun = f"{tmp_path}/st"
    assert completions("bundle import ", begun) == [f"'{tmp_path}/stick one/'", f"{tmp_path}/stick.fvb"]
    assert completions("bundle import ", f"{tmp_path}/none/x") == []
