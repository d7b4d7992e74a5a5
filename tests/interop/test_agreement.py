"""Other people's verifiers accept what we publish: signatures, every tile and entry, proofs, heads, any journal."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.interop.logs import OLD, SIZE, Case, Published
from tests.interop.prepare import BIN
from tests.interop.tools import PYTHON_TOOLS, VERIFIERS, openssl, python_tools, verdicts, x_mod
from tests.services.publishing import Shown
from vault.formats.note import parse_note
from vault.formats.tlog_proof import parse_proof
from vault.model import Origin
from vault.primitives import tree
from vault.services.audit_prove import prove
from vault.services.audit_reader import JournalFiles

pytestmark = pytest.mark.interop

INDICES = (0, 255, 256, 65_535, 65_536, SIZE - 1)
"""First and last, and both sides of where tiles of level 0 and 1 end."""
SIZES = (1, 255, 256, 257, 65_536, 65_537, SIZE - 1, SIZE)


def test_the_long_journal_has_tiles_of_every_kind(published: Published) -> None:
    """Full and partial ones of levels 0 and 1, a partial one of level 2: else what follows would say little."""
    shown = published.shown
    for level, index, width in ((0, 272, 256), (0, 273, 112), (1, 0, 256), (1, 1, 17), (2, 0, 1)):
        assert shown.tile(level, index, width).stat().st_size == 32 * width
    assert shown.tile(None, 273, 112).is_file()


def test_all_accept_the_directory_as_it_was_earlier(case: Case, published: Published) -> None:
    """Of 41,234 entries: other partial tiles. The kept head is the same one."""
    case.shown = published.case(case.home / "earlier", published.older).shown
    case.hashes = published.log.proof(OLD)
    assert verdicts(case, published.policy) == dict.fromkeys(VERIFIERS)


@pytest.mark.parametrize("index", INDICES)
def test_inclusion(case: Case, published: Published, index: int) -> None:
    """Go, aics-tlog, tlog-scales and sigstore accept our proof of an entry."""
    case.index, case.leaf = index, published.log.leaves[index]
    case.hashes = published.log.proof(SIZE, index)
    assert x_mod(case) is None
    told = python_tools(case, ("aics-tlog", "tlog-scales", "sigstore"))
    assert told == dict.fromkeys(("aics-tlog", "tlog-scales", "sigstore"))


@pytest.mark.parametrize("size", SIZES)
def test_consistency(case: Case, published: Published, size: int) -> None:
    """Each tool that compares heads accepts each earlier head, and refuses another history's at the same size."""
    tools = ("aics-tlog", "tlog-scales", "pymerkle")
    case.kept = published.log.signed(published.log.text(size))
    assert (x_mod(case), python_tools(case, tools)) == (None, dict.fromkeys(tools))
    stranger = published.log.text(size).replace(b"\n%d\n" % size, b"\n%d\n" % (size - 1 or 2))
    case.kept = published.log.signed(stranger)
    assert x_mod(case) is not None
    assert None not in python_tools(case, tools).values()


@pytest.mark.parametrize("index", INDICES)
def test_our_proof_is_the_one_that_tlog_scales_writes(published: Published, index: int) -> None:
    """Byte for byte, for the long journal."""
    made = _tlog_tiles("gen-proof", published.shown.folder, index)
    proof = parse_proof(made)
    assert proof.hashes == tuple(published.log.proof(SIZE, index))
    assert proof.note == (published.shown.folder / "checkpoint").read_bytes()
    assert _tlog_tiles("get-leaf", published.shown.folder, index) == published.log.leaves[index]


def test_audit_prove_writes_what_tlog_scales_writes(published: Published) -> None:
    """Byte for byte, by our command from a vault and by theirs from the directory that it published."""
    for name, sizes in (("root", range(8)), ("field-1", range(5)), ("hub-1", range(2))):
        origin = Origin(published.hub.origin("root").replace("/root/", f"/{name}/"))
        shown = Shown(path=published.real.path, origin=origin)
        for index in sizes:
            ours = prove(published.hub.directory, f"{name}/1:{index}", bare=True)
            assert ours.proof == _tlog_tiles("gen-proof", shown.folder, index)
            assert ours.leaf == _tlog_tiles("get-leaf", shown.folder, index)


def _tlog_tiles(command: str, folder: Path, index: int) -> bytes:
    words = [str(BIN / "tlog-tiles"), command, *(["-c"] if command == "get-leaf" else []), str(folder), str(index)]
    return subprocess.run(words, capture_output=True, check=True).stdout


def test_every_tool_accepts_every_journal(published: Published, tmp_path: Path) -> None:
    """As headquarters published them: the roster, short ones, and some that nobody has cosigned."""
    checked = []
    for folder in sorted(item for item in published.real.path.iterdir() if item.is_dir()):
        origin = Origin((folder / "origin").read_text(encoding="ascii").strip())
        note = (folder / "checkpoint").read_bytes()
        size = int(note.split(b"\n")[1])
        leaves = _entries(Shown(path=published.real.path, origin=origin), size)
        if not leaves:
            continue
        case = Case(
            home=tmp_path,
            shown=Shown(path=published.real.path, origin=origin),
            vkey=(folder / "vkey").read_text(encoding="ascii").strip(),
            witness=published.witness if len(parse_note(note).signatures) > 1 else None,
            kept=note,
            index=size - 1,
            hashes=_proof(tree.leaf_hashes(leaves), size - 1),
            leaf=leaves[-1],
        )
        assert (x_mod(case), openssl(case), python_tools(case)) == (None, None, dict.fromkeys(PYTHON_TOOLS)), origin
        checked.append((origin.split("/")[2], case.witness is not None))
    assert sorted(checked) == [("field-1", True), ("field-2", True), ("hub-1", False), ("root", False)]


def _entries(shown: Shown, size: int) -> list[bytes]:
    return list(JournalFiles(folder=shown.folder).all_entries(size))


def _proof(leaves: list[bytes], index: int) -> list[bytes]:
    def node(level: int, number: int) -> bytes:
        return tree.root_of(leaves[number << level : (number + 1) << level])

    return tree.prove_inclusion(node, index, len(leaves))
