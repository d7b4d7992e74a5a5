"""Signed notes: foreign notes verify, whatever is accepted is canonical, and each defect is refused for itself."""

from __future__ import annotations

from base64 import b64decode, b64encode
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given, strategies as st

from tests.formats import lenient
from tests.formats.lenient import Swap
from vault.errors import FormatError, SignatureInvalid
from vault.formats import note as module
from vault.formats.note import (
    COSIGNATURE,
    ED25519,
    MOST_BYTES,
    MOST_SIGNATURES,
    Note,
    NoteSignature,
    VerifierKey,
    check_key_name,
    decode_base64,
    encode_note,
    encode_vkey,
    parse_note,
    parse_vkey,
    sign_note,
    verify_note,
)

VECTORS = Path(__file__).parents[1] / "vectors" / "note"
GOOD = lenient.files(VECTORS / "good")
BAD = lenient.files(VECTORS / "bad")
BASE = GOOD["go-peter-neumann"]
NAME = "PeterNeumann"
# Published in Go's tests: PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz.
SEED = b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
KEY = VerifierKey(name=NAME, algorithm=ED25519, public_key=lenient.public(SEED))
TEXT, LINE = lenient.halves(BASE)
B64 = LINE.split(b" ")[2]
TAIL = b"KE6RyyBwJnAM=\n"
OTHERS = b"".join(lenient.line(f"other-{i}", 1, KEY.public_key, bytes([i]) * 64) for i in range(16))

DEFECTS = {
    "text-tab": Swap(bad=b"is\tthe", good=b"is the", error=FormatError, signed=True),
    "text-nul": Swap(bad=b"is\0the", good=b"is the", error=FormatError, signed=True),
    "text-carriage-return": Swap(bad=b"problem,\r\n", good=b"problem,\n", error=FormatError, signed=True),
    "text-utf8-stray-byte": Swap(bad=b"is\xffthe", good=b"is the", error=FormatError, signed=True),
    "text-utf8-overlong": Swap(bad=b"is\xc0\xa0the", good=b"is the", error=FormatError, signed=True),
    "text-utf8-surrogate": Swap(bad=b"is\xed\xa0\x80the", good=b"is the", error=FormatError, signed=True),
    "text-changed": Swap(bad=b"is The", good=b"is the", error=SignatureInvalid),
    "text-empty": Swap(bad=b"\n\xe2\x80\x94", good=TEXT + b"\n\xe2\x80\x94", error=FormatError),
    "crlf": Swap(bad=b"\r\n", good=b"\n", error=FormatError),
    "missing-final-newline": Swap(bad=TAIL[:-1], good=TAIL, error=FormatError),
    "missing-blank-line": Swap(bad=b"is.\n\xe2", good=b"is.\n\n\xe2", error=FormatError),
    "no-signature": Swap(bad=b"is.\n\n", good=b"is.\n\n" + LINE, error=FormatError),
    "blank-line-after-signatures": Swap(bad=TAIL + b"\n", good=TAIL, error=FormatError),
    "byte-after-signatures": Swap(bad=TAIL + b"x", good=TAIL, error=FormatError),
    "dash-hyphen": Swap(bad=b"- Peter", good="— Peter".encode(), error=FormatError),
    "dash-en": Swap(bad="– Peter".encode(), good="— Peter".encode(), error=FormatError),
    "dash-then-two-spaces": Swap(bad="—  Peter".encode(), good="— Peter".encode(), error=FormatError),
    "dash-then-no-break-space": Swap(bad="—\xa0Peter".encode(), good="— Peter".encode(), error=FormatError),
    "space-after-signature": Swap(bad=TAIL[:-1] + b" \n", good=TAIL, error=FormatError),
    "name-empty": Swap(bad="\n—  x08".encode(), good="\n— PeterNeumann x08".encode(), error=FormatError),
    "name-plus-sign": Swap(bad=b"Peter+Neumann x", good=b"PeterNeumann x", error=FormatError),
    "name-no-break-space": Swap(bad="Peter\xa0Neumann x".encode(), good=b"PeterNeumann x", error=FormatError),
    "name-ideographic-space": Swap(bad="Peter\u3000Neumann x".encode(), good=b"PeterNeumann x", error=FormatError),
    "name-line-separator": Swap(bad="Peter\u2028Neumann x".encode(), good=b"PeterNeumann x", error=FormatError),
    "name-next-line": Swap(bad="Peter\x85Neumann x".encode(), good=b"PeterNeumann x", error=FormatError),
    "name-other": Swap(bad=b"PeterNeuman x", good=b"PeterNeumann x", error=SignatureInvalid),
    "base64-without-padding": Swap(bad=b"nAM\n", good=b"nAM=\n", error=FormatError),
    "base64-url-alphabet": Swap(bad=b"x08go_ZJ", good=b"x08go/ZJ", error=FormatError),
    "base64-unused-bits": Swap(bad=b"nAN=\n", good=b"nAM=\n", error=FormatError),
    "base64-stray-character": Swap(bad=b"x08g!o/ZJ", good=b"x08go/ZJ", error=FormatError),
    "base64-empty": Swap(bad=b"Neumann \n", good=b"Neumann " + B64, error=FormatError),
    "key-id-three-bytes": Swap(bad=b"Neumann x08g\n", good=b"Neumann " + B64, error=FormatError),
    "key-id-without-signature": Swap(bad=b"Neumann x08gow==\n", good=b"Neumann " + B64, error=FormatError),
    "key-id-other": Swap(bad=b"Neumann y08go", good=b"Neumann x08go", error=SignatureInvalid),
    "signature-changed": Swap(bad=b"vIAQxVbtiF", good=b"vIAQxVBtiF", error=SignatureInvalid),
    "signature-63-bytes": Swap(bad=b"RyyBwJnA==\n", good=b"RyyBwJnAM=\n", error=SignatureInvalid),
    "signature-line-twice": Swap(bad=LINE * 2, good=LINE, error=FormatError),
    "signature-of-one-key-twice": Swap(
        bad=LINE + lenient.line(NAME, 1, KEY.public_key, bytes(64)), good=LINE, error=FormatError
    ),
    "signatures-17": Swap(bad=LINE + OTHERS, good=LINE, error=FormatError),
}


def test_every_vector_has_its_defect_and_the_reverse() -> None:
    """No vector file goes unread, and no defect is described without its file."""
    assert set(BAD) == set(DEFECTS)


@pytest.mark.parametrize("name", GOOD)
def test_foreign_notes_verify(name: str) -> None:
    """Notes that other projects publish parse, verify under their key, and encode to the same bytes."""
    key = parse_vkey((VECTORS / "good" / f"{name}.vkey").read_text().strip())
    note = parse_note(GOOD[name])
    assert verify_note(note, [key]) == (key,)
    assert encode_note(note) == GOOD[name]


@pytest.mark.parametrize("name", DEFECTS)
def test_defects_are_refused(name: str) -> None:
    """A note with one defect meets the error that the defect deserves."""
    with pytest.raises(DEFECTS[name].error):
        verify_note(parse_note(BAD[name]), [KEY])


@pytest.mark.parametrize("name", DEFECTS)
def test_defects_repaired_are_accepted(name: str) -> None:
    """Negative control: each vector is wrong in the one place that its name says, and in no other."""
    defect, raw = DEFECTS[name], BAD[name]
    if defect.signed:
        text, lines = lenient.halves(raw)
        assert lenient.verifies(KEY.public_key, text, lenient.blob(lines)), "the defect itself must be signed"
        raw = lenient.signed(text.replace(defect.bad, defect.good), NAME, SEED)
    else:
        raw = raw.replace(defect.bad, defect.good)
    assert raw == BASE
    assert verify_note(parse_note(raw), [KEY]) == (KEY,)


def test_go_signs_the_same_bytes() -> None:
    """Signing with Go's published key gives Go's published note."""
    assert encode_note(sign_note(TEXT, NAME, SEED)) == BASE


def test_docstring_example_is_real() -> None:
    """The example that opens the module verifies under the key beside it."""
    blocks = dedent(str(module.__doc__).partition("\n\n")[2])
    lines = [line.strip() for line in blocks.splitlines()]
    start = lines.index("This is an example message.")
    raw = "\n".join(lines[start : start + 3]).encode() + b"\n"
    assert raw == GOOD["c2sp-example"]
    key = parse_vkey(next(line for line in lines if line.startswith("example.com/foo+")))
    assert verify_note(parse_note(raw), [key])


def test_size_cap_is_exact() -> None:
    """65,536 bytes are a note, 65,537 are not, whether read or written."""
    room = MOST_BYTES - len(BASE) + len(TEXT)
    raw = encode_note(sign_note(b"x" * (room - 1) + b"\n", NAME, SEED))
    assert len(raw) == MOST_BYTES
    assert verify_note(parse_note(raw), [KEY])
    longer = lenient.signed(b"x" * room + b"\n", NAME, SEED)
    with pytest.raises(FormatError):
        parse_note(longer)
    with pytest.raises(FormatError):
        encode_note(sign_note(b"x" * room + b"\n", NAME, SEED))


def test_sixteen_signatures_are_accepted() -> None:
    """The specification's least maximum holds, and lines of unknown keys do not disturb a known one."""
    raw = BASE + OTHERS[: OTHERS.rindex("—".encode())]
    note = parse_note(raw)
    assert len(note.signatures) == MOST_SIGNATURES
    assert verify_note(note, [KEY]) == (KEY,)
    assert encode_note(note) == raw


def test_text_may_hold_empty_lines() -> None:
    """The last blank line separates, even when the text ends in blank lines or looks like a signed note itself."""
    for text in (b"\n", b"a\n\n", b"a\n\n\nb\n", BASE):
        assert parse_note(encode_note(sign_note(text, NAME, SEED))).text == text


def test_one_bad_signature_of_a_known_key_rejects_the_note() -> None:
    """Control: unknown, the bad line is ignored; known, it takes the good one down with it."""
    other = VerifierKey(name="other-0", algorithm=ED25519, public_key=KEY.public_key)
    note = parse_note(BASE + lenient.line("other-0", 1, other.public_key, bytes(64)))
    assert verify_note(note, [KEY]) == (KEY,)
    with pytest.raises(SignatureInvalid):
        verify_note(note, [KEY, other])
    honest = parse_note(BASE + lenient.line("other-0", 1, other.public_key, lenient.sign(SEED, TEXT)))
    assert verify_note(honest, [other, KEY]) == (KEY, other)


def test_no_known_key_is_a_refusal() -> None:
    """A note that nobody known has signed is refused, also when nobody is known."""
    stranger = VerifierKey(name=NAME, algorithm=ED25519, public_key=lenient.public(bytes(32)))
    for keys in ([], [stranger]):
        with pytest.raises(SignatureInvalid):
            verify_note(parse_note(BASE), keys)


def test_known_keys_that_collide_are_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two known keys under one name and key ID are ambiguous; the same key named twice is not."""
    assert verify_note(parse_note(BASE), [KEY, KEY]) == (KEY,)
    monkeypatch.setattr(module, "key_id", lambda *_: parse_note(BASE).signatures[0].key_id)
    stranger = VerifierKey(name=NAME, algorithm=ED25519, public_key=lenient.public(bytes(32)))
    for keys in ([KEY, stranger], [stranger, KEY]):
        with pytest.raises(SignatureInvalid):
            verify_note(parse_note(BASE), keys)


def test_cosignature_message_is_never_a_note() -> None:
    """A cosignature moved under its own message as a type 0x01 line verifies for a lenient reader, and not here."""
    text = b"cosignature/v1\ntime 1\nexample.com/log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
    raw = lenient.signed(text, NAME, SEED)
    assert lenient.verifies(KEY.public_key, text, lenient.blob(lenient.halves(raw)[1]))
    with pytest.raises(SignatureInvalid):
        verify_note(parse_note(raw), [KEY])
    with pytest.raises(FormatError):
        sign_note(text, NAME, SEED)
    assert verify_note(parse_note(lenient.signed(text[1:], NAME, SEED)), [KEY])


def test_cosigner_keys_do_not_verify_notes() -> None:
    """A type 0x04 key is refused as a signer of notes, even where a type 0x01 key beside it would do."""
    cosigner = VerifierKey(name=NAME, algorithm=COSIGNATURE, public_key=KEY.public_key)
    raw = BASE + lenient.line(NAME, 4, KEY.public_key, lenient.sign(SEED, TEXT))
    assert verify_note(parse_note(raw), [KEY]) == (KEY,)
    for keys in ([cosigner], [KEY, cosigner]):
        with pytest.raises(SignatureInvalid):
            verify_note(parse_note(raw), keys)


VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"


@pytest.mark.parametrize(
    "text",
    [
        VKEY,
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop",
        "TEST+7997405c+AQcC+FTVKf0jlTdHDY3rbevmnKxxPjigCXlVtGe6RIr6",
        "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",
        "hq.example/journal/amina+f39e088d+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
    ],
)
def test_foreign_vkeys_are_read_and_written_back(text: str) -> None:
    """Verifier keys of six projects, one with a plus sign in its base64, round-trip."""
    assert encode_vkey(parse_vkey(text)) == text


@pytest.mark.parametrize(
    ("defect", "text"),
    {
        "empty": "",
        "one-part": "PeterNeumann",
        "two-parts": "PeterNeumann+c74f20a3",
        "name-empty": VKEY[12:],
        "name-with-space": VKEY.replace("rN", "r N"),
        "key-id-uppercase": VKEY.replace("c74f20a3", "C74F20A3"),
        "key-id-short": VKEY.replace("c74f20a3", "c74f20a"),
        "key-id-of-another-name": VKEY.replace("PeterN", "Petern"),
        "type-other": lenient.vkey(NAME, 6, KEY.public_key),
        "type-changed": VKEY.replace("+ARpc", "+BBpc"),
        "key-31-bytes": lenient.vkey(NAME, 1, KEY.public_key[:-1]),
        "key-33-bytes": lenient.vkey(NAME, 1, KEY.public_key + bytes(1)),
        "key-small-order": lenient.vkey(NAME, 1, bytes(32)),
        "base64-url-alphabet": VKEY.replace("/", "_"),
        "newline-after": VKEY + "\n",
        "lone-surrogate": VKEY + "\ud800",
    }.items(),
)
def test_bad_vkeys_are_refused(defect: str, text: str) -> None:
    """A verifier key is refused for anything that would not be written back, and for a key that cannot be safe."""
    assert lenient.vkey(NAME, 1, KEY.public_key) == VKEY, "control: the same maker makes good ones"
    with pytest.raises(FormatError):
        parse_vkey(text)


def _may_name(name: str) -> bool:
    try:
        check_key_name(name)
    except FormatError:
        return False
    return True


CHARS = st.characters(exclude_categories=["Cs"], exclude_characters=[chr(i) for i in range(32)])
NAMES = st.text(CHARS, min_size=1, max_size=20).filter(_may_name)
LINES = st.builds(NoteSignature, name=NAMES, key_id=st.binary(min_size=4, max_size=4), blob=st.binary(min_size=1))
NOTES = st.builds(
    Note,
    text=st.lists(st.text(CHARS, max_size=30), min_size=1, max_size=5).map(lambda x: ("\n".join(x) + "\n").encode()),
    signatures=st.lists(LINES, min_size=1, max_size=16, unique_by=lambda x: (x.name, x.key_id)).map(tuple),
)
EDITS = st.tuples(st.integers(0, 400), st.integers(0, 3), st.binary(max_size=3))


@given(NOTES)
def test_parse_inverts_encode(note: Note) -> None:
    """Every note that can be built is read back as it was."""
    assert parse_note(encode_note(note)) == note


@given(NOTES, EDITS)
def test_what_is_accepted_is_canonical(note: Note, edit: tuple[int, int, bytes]) -> None:
    """An edited note is refused with FormatError or encodes to the very bytes that were read."""
    at, gone, new = edit
    raw = encode_note(note)
    raw = raw[: at % len(raw)] + new + raw[at % len(raw) + gone :]
    try:
        read = parse_note(raw)
    except FormatError:
        return
    assert encode_note(read) == raw


@given(st.binary(max_size=200))
def test_base64_has_one_spelling(data: bytes) -> None:
    """What decodes encodes to the same characters; everything else is FormatError."""
    try:
        decoded = decode_base64(data)
    except FormatError:
        return
    assert b64encode(decoded) == data


NOT_LINES = [
    ("", b"1234", b"x"),
    ("a\nb", b"1234", b"x"),
    ("\ud800", b"1234", b"x"),
    ("a", b"123", b"x"),
    ("a", b"1234", b""),
]


@pytest.mark.parametrize(("name", "key_id", "blob"), NOT_LINES)
def test_a_line_that_could_not_be_read_cannot_be_built(name: str, key_id: bytes, blob: bytes) -> None:
    """`encode_note` never meets a signature that would break the note apart."""
    with pytest.raises(FormatError):
        NoteSignature(name=name, key_id=key_id, blob=blob)


def test_a_note_that_could_not_be_read_cannot_be_built() -> None:
    """Texts, numbers of signatures and names that `parse_note` refuses are refused on the way out too."""
    line = parse_note(BASE).signatures[0]
    many = tuple(NoteSignature(name=f"n{i}", key_id=b"1234", blob=b"x") for i in range(MOST_SIGNATURES + 1))
    assert len(Note(text=TEXT, signatures=many[1:]).signatures) == MOST_SIGNATURES
    for text, lines in ((TEXT, ()), (TEXT, many), (TEXT, (line, line)), (b"", (line,)), (TEXT[:-1], (line,))):
        with pytest.raises(FormatError):
            Note(text=text, signatures=lines)
    for name in ("", "a b", "a+b", "\ud800"):
        with pytest.raises(FormatError):
            sign_note(TEXT, name, SEED)
        with pytest.raises(FormatError):
            VerifierKey(name=name, algorithm=ED25519, public_key=KEY.public_key)
