"""Checkpoints: foreign heads verify, each defect is refused for itself, and what is accepted is canonical."""

from __future__ import annotations

from base64 import b64decode, b64encode
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import assume, given, strategies as st

from tests.formats import lenient
from tests.formats.lenient import Swap
from vault.errors import FormatError, SignatureInvalid
from vault.formats import checkpoint as module
from vault.formats.checkpoint import (
    MOST_LEAVES,
    Checkpoint,
    encode_checkpoint,
    parse_checkpoint,
    sign_checkpoint,
    verify_checkpoint,
)
from vault.formats.note import encode_note, parse_note, parse_vkey
from vault.model import Digest, Origin
from vault.primitives.tree import EMPTY_ROOT, leaf_hash, root_of

VECTORS = Path(__file__).parents[1] / "vectors" / "checkpoint"
GOOD = lenient.files(VECTORS / "good")
BAD = lenient.files(VECTORS / "bad")
BASE = GOOD["regression-70000"]
TEXT, LINE = lenient.halves(BASE)
ORIGIN = Origin("hq.example/journal/amina")
SEED = bytes(range(32))
KEY = lenient.public(SEED)
ROOT = TEXT.split(b"\n")[2]
RAW_ROOT = b64decode(ROOT)
EMPTY = b64encode(EMPTY_ROOT)
WITH_TIME = (1767139200).to_bytes(8, "big") + lenient.sign(SEED, b"cosignature/v1\ntime 1767139200\n" + TEXT)
PLAIN = lenient.sign(SEED, TEXT)


def _text(bad: bytes, good: bytes) -> Swap:
    return Swap(bad=bad, good=good, error=FormatError, signed=True)


DEFECTS = {
    "size-leading-zero": _text(b"\n070000\n", b"\n70000\n"),
    "size-two-zeros": _text(b"\n00\n", b"\n70000\n"),
    "size-plus-sign": _text(b"\n+70000\n", b"\n70000\n"),
    "size-minus-sign": _text(b"\n-70000\n", b"\n70000\n"),
    "size-underscore": _text(b"\n70_000\n", b"\n70000\n"),
    "size-comma": _text(b"\n70,000\n", b"\n70000\n"),
    "size-space-before": _text(b"\n 70000\n", b"\n70000\n"),
    "size-space-after": _text(b"\n70000 \n", b"\n70000\n"),
    "size-no-break-space-after": _text("\n70000\xa0\n".encode(), b"\n70000\n"),
    "size-arabic-digits": _text("\n٧٠٠٠٠\n".encode(), b"\n70000\n"),
    "size-fullwidth-digits": _text("\n７００００\n".encode(), b"\n70000\n"),
    "size-hexadecimal": _text(b"\n0x11170\n", b"\n70000\n"),
    "size-exponent": _text(b"\n7e4\n", b"\n70000\n"),
    "size-decimal-point": _text(b"\n70000.0\n", b"\n70000\n"),
    "size-empty": _text(b"\n\n" + ROOT, b"\n70000\n" + ROOT),
    "size-2-to-53": _text(b"\n9007199254740992\n", b"\n70000\n"),
    "size-2-to-63": _text(b"\n9223372036854775808\n", b"\n70000\n"),
    "size-2-to-64-plus-70000": _text(b"\n18446744073709621616\n", b"\n70000\n"),
    "size-5000-digits": _text(b"\n" + b"7" * 5000 + b"\n", b"\n70000\n"),
    "size-zero-with-a-root": _text(b"\n0\n", b"\n70000\n"),
    "root-of-the-empty-tree": _text(EMPTY, ROOT),
    "root-31-bytes": _text(b64encode(RAW_ROOT[:31]), ROOT),
    "root-33-bytes": _text(b64encode(RAW_ROOT + b"\0"), ROOT),
    "root-empty": _text(b"70000\n\n", b"70000\n" + ROOT + b"\n"),
    "root-missing": _text(b"70000\n", b"70000\n" + ROOT + b"\n"),
    "root-noncanonical-base64": _text(ROOT[:-2] + b"Z=", ROOT),
    "root-without-padding": _text(ROOT[:-1], ROOT),
    "root-url-base64": _text(b"-_" + ROOT[2:], ROOT),
    "root-hexadecimal": _text(RAW_ROOT.hex().encode(), ROOT),
    "root-space-after": _text(ROOT + b" ", ROOT),
    "root-stray-character": _text(ROOT[:20] + b"!" + ROOT[20:], ROOT),
    "origin-empty": _text(b"\n70000\n", ORIGIN.encode() + b"\n70000\n"),
    "origin-space": _text(b"journal amina", b"journal/amina"),
    "origin-no-break-space": _text("journal\xa0amina".encode(), b"journal/amina"),
    "origin-plus-sign": _text(b"journal+amina", b"journal/amina"),
    "origin-other": Swap(bad=b"journal/bora\n", good=b"journal/amina\n", error=SignatureInvalid, signed=True),
    "extension-line": _text(ROOT + b"\nextension\n", ROOT + b"\n"),
    "extension-line-empty": _text(ROOT + b"\n\n", ROOT + b"\n"),
    "blank-line-first": _text(b"\nhq", b"hq"),
    "line-separator-for-newline": _text("amina\u202870000".encode(), b"amina\n70000"),
    "carriage-returns-in-text": _text(b"\r\n", b"\n"),
    "crlf": Swap(bad=b"\r\n", good=b"\n", error=FormatError),
    "missing-final-newline": Swap(bad=LINE[:-1], good=LINE, error=FormatError),
    "newline-twice-at-the-end": Swap(bad=LINE + b"\n", good=LINE, error=FormatError),
    "duplicate-signature-line": Swap(bad=LINE * 2, good=LINE, error=FormatError),
    "size-changed": Swap(bad=b"\n70001\n", good=b"\n70000\n", error=SignatureInvalid),
    "root-changed": Swap(bad=b"FJS1", good=b"EJS1", error=SignatureInvalid),
    "key-name-changed": Swap(bad=LINE.replace(b"amina", b"bora"), good=LINE, error=SignatureInvalid),
    "key-name-and-origin-changed": Swap(bad=b"journal/bora", good=b"journal/amina", error=SignatureInvalid),
    "signature-zero": Swap(bad=lenient.line(ORIGIN, 1, KEY, bytes(64)), good=LINE, error=SignatureInvalid),
    "signature-of-another-key": Swap(
        bad=lenient.line(ORIGIN, 1, KEY, lenient.sign(bytes(32), TEXT)), good=LINE, error=SignatureInvalid
    ),
    "cosignature-for-signature": Swap(bad=lenient.line(ORIGIN, 4, KEY, WITH_TIME), good=LINE, error=SignatureInvalid),
    "cosignature-under-the-log-key-id": Swap(
        bad=lenient.line(ORIGIN, 1, KEY, WITH_TIME), good=LINE, error=SignatureInvalid
    ),
    "cosignature-without-time-under-the-log-key-id": Swap(
        bad=lenient.line(ORIGIN, 1, KEY, WITH_TIME[8:]), good=LINE, error=SignatureInvalid
    ),
    "signature-under-the-cosigner-key-id": Swap(
        bad=lenient.line(ORIGIN, 4, KEY, PLAIN), good=LINE, error=SignatureInvalid
    ),
}


def test_every_vector_has_its_defect_and_the_reverse() -> None:
    """No vector file goes unread, and no defect is described without its file."""
    assert set(BAD) == set(DEFECTS)


@pytest.mark.parametrize("name", GOOD)
def test_good_checkpoints_verify(name: str) -> None:
    """Heads of other projects, and our regression head, verify under their key and sign back to their text."""
    key = parse_vkey((VECTORS / "good" / f"{name}.vkey").read_text().strip())
    head = verify_checkpoint(GOOD[name], Origin(key.name), key.public_key)
    assert encode_checkpoint(head) == lenient.halves(GOOD[name])[0]


def test_regression_head_is_signed_to_the_same_bytes() -> None:
    """The head that ten foreign verifiers accepted is what our signer writes."""
    head = Checkpoint(origin=ORIGIN, size=70000, root=Digest(RAW_ROOT))
    assert sign_checkpoint(head, SEED) == BASE
    assert verify_checkpoint(BASE, ORIGIN, KEY) == head


def test_tessera_chain_states_our_roots() -> None:
    """Tessera's 16 signed heads carry the roots that our tree computes from its leaves."""
    key = parse_vkey((VECTORS / "good" / "tessera-15.vkey").read_text().strip())
    words = b"one two three four five six seven eit nain ten ileven twelf threeten fourten fivten".split()
    leaves = [leaf_hash(word) for word in words]
    for size in range(len(leaves) + 1):
        raw = (VECTORS / "tessera" / f"size-{size}.note").read_bytes()
        head = verify_checkpoint(raw, Origin(key.name), key.public_key)
        assert (head.size, head.root) == (size, root_of(leaves[:size]))


@pytest.mark.parametrize("name", DEFECTS)
def test_defects_are_refused(name: str) -> None:
    """A checkpoint with one defect meets the error that the defect deserves."""
    with pytest.raises(DEFECTS[name].error):
        verify_checkpoint(BAD[name], ORIGIN, KEY)


@pytest.mark.parametrize("name", DEFECTS)
def test_defects_repaired_are_accepted(name: str) -> None:
    """Negative control: each vector is wrong in one place only, and signed there, so a laxer reader would take it."""
    defect, raw = DEFECTS[name], BAD[name]
    if defect.signed:
        text, lines = lenient.halves(raw)
        assert lenient.verifies(KEY, text, lenient.blob(lines)), "the defect itself must be signed"
        raw = lenient.signed(text.replace(defect.bad, defect.good), ORIGIN, SEED)
    else:
        raw = raw.replace(defect.bad, defect.good)
    assert raw == BASE
    assert verify_checkpoint(raw, ORIGIN, KEY).size == 70000


def test_docstring_example_is_canonical() -> None:
    """The example that opens the module parses and is written back to the same bytes."""
    raw = dedent(str(module.__doc__)).split("\n\n", 1)[1].split("\n\nThree")[0]
    note = parse_note(dedent(raw).encode() + b"\n")
    assert encode_checkpoint(parse_checkpoint(note.text)) == note.text
    assert encode_note(note) == dedent(raw).encode() + b"\n"


def test_signature_is_checked_before_the_text() -> None:
    """A text that is no checkpoint, unsigned, is a bad signature: nothing read it. Signed, it is a bad format."""
    text = b"anything\n"
    for seed, error in ((bytes(32), SignatureInvalid), (SEED, FormatError)):
        raw = text + b"\n" + lenient.line(ORIGIN, 1, KEY, lenient.sign(seed, text))
        with pytest.raises(error):
            verify_checkpoint(raw, ORIGIN, KEY)


def test_another_journals_name_or_key_is_refused() -> None:
    """A genuine head is not accepted for another origin, nor under another key."""
    with pytest.raises(SignatureInvalid):
        verify_checkpoint(BASE, Origin("hq.example/journal/bora"), KEY)
    with pytest.raises(SignatureInvalid):
        verify_checkpoint(BASE, ORIGIN, lenient.public(bytes(32)))


def test_foreign_lines_beside_the_journals_are_ignored() -> None:
    """Cosignatures and lines of unknown types do not disturb the journal's own signature."""
    raw = BASE + lenient.line("hq.example/w1", 4, KEY, WITH_TIME) + lenient.line(ORIGIN, 6, KEY, bytes(2428))
    assert verify_checkpoint(raw, ORIGIN, KEY).root == RAW_ROOT


@pytest.mark.parametrize(
    ("origin", "size", "root"),
    [
        ("", 1, bytes(32)),
        ("a b", 1, bytes(32)),
        ("a\nb", 1, bytes(32)),
        ("\ud800", 1, bytes(32)),
        ("a", -1, bytes(32)),
        ("a", MOST_LEAVES + 1, bytes(32)),
        ("a", 1, bytes(31)),
        ("a", 0, bytes(32)),
        ("a", 1, EMPTY_ROOT),
    ],
)
def test_a_head_that_cannot_be_cannot_be_built(origin: str, size: int, root: bytes) -> None:
    """`sign_checkpoint` never meets a head that no reader would accept."""
    with pytest.raises(FormatError):
        Checkpoint(origin=Origin(origin), size=size, root=Digest(root))


ORIGINS = st.from_regex(r"[a-z0-9\-./]{1,40}", fullmatch=True)
HEADS = st.builds(
    lambda origin, size, root: Checkpoint(origin=Origin(origin), size=size, root=Digest(root if size else EMPTY_ROOT)),
    ORIGINS,
    st.integers(0, MOST_LEAVES) | st.integers(0, 3) | st.just(MOST_LEAVES),
    st.binary(min_size=32, max_size=32),
)
EDITS = st.tuples(st.integers(0, 400), st.integers(0, 3), st.binary(max_size=3))


def _edited(raw: bytes, edit: tuple[int, int, bytes]) -> bytes:
    at, gone, new = edit[0] % (len(raw) + 1), edit[1], edit[2]
    return raw[:at] + new + raw[at + gone :]


@given(HEADS, st.binary(min_size=32, max_size=32))
def test_parse_inverts_encode(head: Checkpoint, seed: bytes) -> None:
    """Every head is read back as it was, signed or not."""
    assert parse_checkpoint(encode_checkpoint(head)) == head
    assert verify_checkpoint(sign_checkpoint(head, seed), head.origin, lenient.public(seed)) == head


@given(HEADS, EDITS)
def test_what_is_accepted_is_canonical(head: Checkpoint, edit: tuple[int, int, bytes]) -> None:
    """An edited text is refused with FormatError or encodes to the very bytes that were read."""
    text = _edited(encode_checkpoint(head), edit)
    try:
        read = parse_checkpoint(text)
    except FormatError:
        return
    assert encode_checkpoint(read) == text


@given(EDITS)
def test_no_edit_of_a_signed_head_is_accepted(edit: tuple[int, int, bytes]) -> None:
    """Whatever byte of a signed checkpoint is changed, added or dropped, it is refused with one of two errors."""
    raw = _edited(BASE, edit)
    assume(raw != BASE)
    with pytest.raises((FormatError, SignatureInvalid)):
        verify_checkpoint(raw, ORIGIN, KEY)
