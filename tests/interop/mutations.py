"""What is done to a published directory, and what every verifier says to it: one line each.

Every mutation starts from a directory, keys, a kept head and a proof that all verifiers accept (test_mutations.py
checks that). `R`: the verifier must reject. `.`: it does not look at what was changed, and accepts. `A`: it looks at
what was changed and accepts it all the same; `WHY` says why, and if that ever changes, a test says so. The first column
is ours, and holds nothing but `R`.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import Final

from tests.interop.logs import BUNDLE, INDEX, OLD, SIZE, Case, Log, Published
from tests.interop.tools import VERIFIERS
from vault.formats.note import encode_note, parse_note
from vault.formats.tiles import WIDTH, encode_entries, parse_entries
from vault.primitives.hashing import sha256

Change = Callable[[Case, Published], None]
LAST: Final = SIZE // WIDTH
EDGE: Final = SIZE % WIDTH
"""The partial bundle at the end, and how many entries it holds."""


def flipped(raw: bytes, at: int) -> bytes:
    """The same with one bit changed."""
    return raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]


# -- entries and tiles -------------------------------------------------------------------------------------------------


def entry_flipped(case: Case, published: Published) -> None:
    """The last bit of an entry's last byte."""
    path = case.shown.tile(None, BUNDLE)
    entries = parse_entries(path.read_bytes(), WIDTH)
    entries[INDEX % WIDTH] = flipped(entries[INDEX % WIDTH], -1 + len(entries[INDEX % WIDTH]))
    case.put(path, encode_entries(entries))


def entries_swapped(case: Case, published: Published) -> None:
    """An entry and the one behind it."""
    path = case.shown.tile(None, BUNDLE)
    entries = parse_entries(path.read_bytes(), WIDTH)
    at = INDEX % WIDTH
    entries[at], entries[at + 1] = entries[at + 1], entries[at]
    case.put(path, encode_entries(entries))


def tile_flipped(level: int, index: int, width: int, hash_number: int) -> Change:
    """One bit of one hash."""

    def change(case: Case, published: Published) -> None:
        path = case.shown.tile(level, index, width)
        case.put(path, flipped(path.read_bytes(), hash_number * 32))

    return change


def removed(level: int | None) -> Change:
    """A full tile of level 0, or a full bundle."""

    def change(case: Case, published: Published) -> None:
        case.shown.tile(level, BUNDLE).unlink()

    return change


def entry_surplus(case: Case, published: Published) -> None:
    """One entry more in the last bundle than its name and the head say."""
    path = case.shown.tile(None, LAST, EDGE)
    case.put(path, path.read_bytes() + encode_entries([published.log.leaves[0]]))


def bundle_truncated(case: Case, published: Published) -> None:
    """Without its last ten bytes."""
    path = case.shown.tile(None, BUNDLE)
    case.put(path, path.read_bytes()[:-10])


def file_surplus(case: Case, published: Published) -> None:
    """A bundle behind the end, which no head covers."""
    case.put(case.shown.tile(None, LAST + 1), case.shown.tile(None, 0).read_bytes())


# -- the checkpoint ----------------------------------------------------------------------------------------------------


def replaced(old: bytes, new: bytes) -> Change:
    """Other bytes in the checkpoint, and the signatures as they were."""

    def change(case: Case, published: Published) -> None:
        assert case.checkpoint.count(old) == 1
        case.put(case.folder / "checkpoint", case.checkpoint.replace(old, new))

    return change


def root_edited(case: Case, published: Published) -> None:
    """Another root, in canonical base64, above the signatures of the true one."""
    raw = case.checkpoint
    root = raw.split(b"\n")[2]
    case.put(case.folder / "checkpoint", raw.replace(root, b64encode(sha256(root))))


def signature_broken(number: int) -> Change:
    """One bit of a signature: the writer's (0) or the witness's (1)."""

    def change(case: Case, published: Published) -> None:
        note = parse_note(case.checkpoint)
        lines = list(note.signatures)
        line = lines[number]
        lines[number] = type(line)(name=line.name, key_id=line.key_id, blob=flipped(line.blob, 40))
        case.put(case.folder / "checkpoint", encode_note(type(note)(text=note.text, signatures=tuple(lines))))

    return change


def other_key(case: Case, published: Published) -> None:
    """Signed by somebody else under the same name."""
    log = published.log
    stranger = type(log.writer)(name=log.writer.name, seed=sha256(b"a stranger"))
    forged = Log(writer=stranger, witness=log.witness, leaves=[])
    case.put(case.folder / "checkpoint", forged.signed(log.text(SIZE)))


def of_another_journal(case: Case, published: Published) -> None:
    """The genuine head of another journal of the same organisation."""
    case.put(case.folder / "checkpoint", published.other)


def resigned(edit: Callable[[bytes], bytes]) -> Change:
    """Another text, signed by the journal's key and cosigned: only whoever reads the text sees it."""

    def change(case: Case, published: Published) -> None:
        text = edit(published.log.text(SIZE))
        case.put(case.folder / "checkpoint", published.log.signed(text))

    return change


def zero_in_front(text: bytes) -> bytes:
    """The same size, with a digit more."""
    return text.replace(b"\n7", b"\n07", 1)


def line_more(text: bytes) -> bytes:
    """A fourth line, which the specification calls an extension."""
    return text + b"more\n"


def unused_bits_set(text: bytes) -> bytes:
    """The root in base64 whose unused two bits are not zero: the same 32 bytes, written otherwise."""
    assert text.endswith(b"=\n")
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return text[:-3] + alphabet[alphabet.index(text[-3]) + 1 :][:1] + b"=\n"


def other_origin(text: bytes) -> bytes:
    """The name of the same writer's next journal above this one's tree."""
    return text.replace(b"/1\n", b"/2\n", 1)


def signed_twice(case: Case, published: Published) -> None:
    """The writer's signature line, once more at the end."""
    line = case.checkpoint.split(b"\n\n")[1].split(b"\n")[0]
    case.put(case.folder / "checkpoint", case.checkpoint + line + b"\n")


def newline_missing(case: Case, published: Published) -> None:
    """The checkpoint without its last byte."""
    case.put(case.folder / "checkpoint", case.checkpoint[:-1])


# -- against a head that was kept --------------------------------------------------------------------------------------


def rolled_back(case: Case, published: Published) -> None:
    """The whole directory as it was earlier, which is genuine; the auditor has kept the head of now."""
    case.kept = case.checkpoint
    case.shown = published.case(case.home / "earlier", published.older).shown
    case.hashes = published.log.proof(OLD)


def rewritten(case: Case, published: Published) -> None:
    """Another history from one entry on, tiles and signatures and all, by whoever has the keys."""
    log = published.rewritten
    log.write(case.folder, len(log.leaves))
    case.hashes, case.leaf = log.proof(len(log.leaves)), log.leaves[INDEX]


# -- proofs ------------------------------------------------------------------------------------------------------------


def index_of_another(case: Case, published: Published) -> None:
    """The path of one entry under the number of the next."""
    case.index += 1


def hash_flipped(case: Case, published: Published) -> None:
    """One bit in one hash of the path."""
    case.hashes[3] = flipped(case.hashes[3], 0)


def hash_short(case: Case, published: Published) -> None:
    """One hash of the path without its last byte."""
    case.hashes[3] = case.hashes[3][:-1]


def hash_added(case: Case, published: Published) -> None:
    """One hash too many."""
    case.hashes.append(sha256(b""))


def hash_missing(case: Case, published: Published) -> None:
    """Without the last hash of the path."""
    case.hashes.pop()


def proof_of_another_entry(case: Case, published: Published) -> None:
    """Another entry's bytes beside a good proof."""
    case.leaf = published.log.leaves[INDEX + 1]


# What is changed -> (how, what each of VERIFIERS says, and of what ours says a piece).
MUTATIONS: Final[dict[str, tuple[Change, str, str]]] = {
    "entry byte flipped": (entry_flipped, "RRRR.R.", "bytes leaf"),
    "entries swapped": (entries_swapped, "RRRR.R.", "the entry's own number is 35008"),
    "tile of level 0 changed": (tile_flipped(0, BUNDLE, WIDTH, INDEX % WIDTH), "RRRR...", "hash 191 is not that"),
    "tile of level 1 changed": (tile_flipped(1, 0, WIDTH, BUNDLE), "RRRR...", "hash 136 is not that"),
    "tile of level 2 changed": (tile_flipped(2, 0, 1, 0), "RRRR...", "hash 0 is not that"),
    "tile removed": (removed(0), "RRRR...", "tile/0/136 is missing"),
    "bundle removed": (removed(None), "RRRR.R.", "tile/entries/136 is missing"),
    "surplus entry in a bundle": (entry_surplus, "RRRA.R.", "does not hold exactly its entries"),
    "bundle truncated": (bundle_truncated, "RRRR.R.", "does not hold exactly its entries"),
    "surplus file": (file_surplus, "R......", "bytes surplus"),
    "size edited": (replaced(b"\n70000\n", b"\n69999\n"), "RRRRRRR", "a signature does not verify"),
    "root edited": (root_edited, "RRRRRRR", "a signature does not verify"),
    "signature broken": (signature_broken(0), "RRRRR.R", "a signature does not verify"),
    "signed by another key": (other_key, "RRRRR.R", "no signature of a known key"),
    "head of another journal": (of_another_journal, "RRRRRRR", "of another journal"),
    "older directory against a kept head": (rolled_back, "RRRR.R.", "memory rollback"),
    "rewritten, signed again, against a kept head": (rewritten, "RRRR.R.", "memory fork"),
    "proof of another index": (index_of_another, "RRRRR..", "or the proof is wrong"),
    "proof beside another entry": (proof_of_another_entry, "RRRRR..", "or the proof is wrong"),
    "proof with a hash flipped": (hash_flipped, "RRRRR..", "or the proof is wrong"),
    "proof with a hash of 31 bytes": (hash_short, "RRRRR..", "not 32 bytes"),
    "proof with a hash too many": (hash_added, "RRRRR..", "has not the length"),
    "proof with a hash too few": (hash_missing, "RRRRR..", "has not the length"),
    "cosignature forged": (signature_broken(1), "R.RR..R", "a signature does not verify"),
    "size with a leading zero, signed": (resigned(zero_in_front), "RRRRA..", "not a plain decimal"),
    "root with unused bits set, signed": (resigned(unused_bits_set), "RARRA..", "not in canonical form"),
    "extension line, signed": (resigned(line_more), "RAARA..", "must be three lines"),
    "origin of another journal, signed": (resigned(other_origin), "RRRAA..", "no signature of a known key"),
    "signature line twice": (signed_twice, "RARAA..", "signed twice"),
    "last newline missing": (newline_missing, "RRAAR..", "its last newline"),
}

_NO_ORIGIN: Final = "it never compares the origin with the name of the key"
_EXTENSIONS: Final = "the specification allows extension lines, and advises against them"
_BASE64: Final = "its base64 decoder ignores the unused bits"
_FIRST: Final = "it stops at the first line of the key that it looks for"
_LINES: Final = "it does not ask whether the last line is ended"

WHY: Final[dict[tuple[str, str], str]] = {
    ("surplus entry in a bundle", "tlog-scales"): "it reads the entries that it is asked for, and not what follows",
    ("size with a leading zero, signed", "sigstore"): "it reads the size with Python's int()",
    ("root with unused bits set, signed", "x/mod"): _BASE64,
    ("root with unused bits set, signed", "sigstore"): _BASE64,
    ("extension line, signed", "x/mod"): _EXTENSIONS,
    ("extension line, signed", "aics-tlog"): _EXTENSIONS,
    ("extension line, signed", "sigstore"): _EXTENSIONS,
    ("origin of another journal, signed", "tlog-scales"): _NO_ORIGIN,
    ("origin of another journal, signed", "sigstore"): _NO_ORIGIN,
    ("signature line twice", "x/mod"): "it passes over further lines of a key that it has verified",
    ("signature line twice", "tlog-scales"): _FIRST,
    ("signature line twice", "sigstore"): _FIRST,
    ("last newline missing", "aics-tlog"): _LINES,
    ("last newline missing", "tlog-scales"): _LINES,
}
"""(mutation, verifier) -> why it accepts what we reject, for every A above."""


def expected(name: str) -> dict[str, str]:
    """Verifier -> R, A or a full stop."""
    return dict(zip(VERIFIERS, MUTATIONS[name][1], strict=True))


def table() -> str:
    """All of it, as docs/interoperability.md shows it."""
    words = {"R": "rejects", "A": "**accepts**", ".": "-"}
    lines = [f"| what is changed | {' | '.join(VERIFIERS)} |", "|---" * (len(VERIFIERS) + 1) + "|"]
    lines += [f"| {name} | {' | '.join(words[mark] for mark in expected(name).values())} |" for name in MUTATIONS]
    return "\n".join(lines) + "\n"


def reasons() -> str:
    """Every foreign acceptance and its reason, as docs/interoperability.md shows them."""
    return "".join(f"- **{tool}**, {name}: {why}.\n" for (name, tool), why in WHY.items())
