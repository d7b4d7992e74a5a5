"""Cosignatures: foreign ones verify, each defect is refused for itself, and no key's purpose passes for another's."""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import assume, given, strategies as st

from tests.formats import lenient
from vault.errors import FormatError, SignatureInvalid, VaultError
from vault.formats import cosignature as module
from vault.formats.checkpoint import verify_checkpoint
from vault.formats.cosignature import (
    MOST_SECONDS,
    cosign,
    encode_blob,
    encode_message,
    parse_blob,
    verify_cosignature,
)
from vault.formats.note import (
    COSIGNATURE,
    ED25519,
    Note,
    NoteSignature,
    VerifierKey,
    encode_note,
    parse_note,
    parse_vkey,
    verify_note,
)
from vault.model import Origin

VECTORS = Path(__file__).parents[1] / "vectors" / "cosignature"
GOOD = lenient.files(VECTORS / "good")
BAD = lenient.files(VECTORS / "bad")
ORIGIN = Origin("hq.example/journal/amina")
LOG_SEED = bytes(range(32))
NAME = "hq.example/w1"
SEED = bytes(range(32, 64))
PUBLIC = lenient.public(SEED)
KEY = VerifierKey(name=NAME, algorithm=COSIGNATURE, public_key=PUBLIC)
TIME = 1767139200
TIME_BYTES = TIME.to_bytes(8, "big")
TEXT = b"hq.example/journal/amina\n70000\nEJS1t0fZHVi7BlL59emKrVcUNDNKXlhabGe4rfCEBdY=\n"
LOG = lenient.signed(TEXT, ORIGIN, LOG_SEED)
MESSAGE = b"cosignature/v1\ntime 1767139200\n" + TEXT
LINE = lenient.line(NAME, 4, PUBLIC, TIME_BYTES + lenient.sign(SEED, MESSAGE))
BASE = LOG + LINE
LONGER = TEXT + b"extension\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    """One defective cosignature line: the message that was really signed, and how the line was put together."""

    message: bytes = MESSAGE
    before: bytes = TIME_BYTES
    after: bytes = b""
    name: str = NAME
    algorithm: int = 4
    more: bytes = b""
    text: bytes = TEXT
    cut: int = 64
    error: type[VaultError] = SignatureInvalid

    @property
    def signature(self) -> bytes:
        """The genuine signature over the message."""
        return lenient.sign(SEED, self.message)

    @property
    def raw(self) -> bytes:
        """The whole note."""
        blob = self.before + self.signature[: self.cut] + self.after
        return (
            lenient.signed(self.text, ORIGIN, LOG_SEED)
            + lenient.line(self.name, self.algorithm, PUBLIC, blob)
            + self.more
        )


DEFECTS = {
    "time-2-to-63": Defect(
        message=b"cosignature/v1\ntime 9223372036854775808\n" + TEXT, before=(2**63).to_bytes(8, "big")
    ),
    "time-leading-zero": Defect(message=MESSAGE.replace(b"time 1", b"time 01")),
    "time-plus-sign": Defect(message=MESSAGE.replace(b"time 1", b"time +1")),
    "time-hexadecimal": Defect(message=MESSAGE.replace(b"1767139200", b"69546780")),
    "time-other-than-signed": Defect(before=(TIME + 1).to_bytes(8, "big")),
    "time-little-endian": Defect(before=TIME.to_bytes(8, "little")),
    "time-four-bytes": Defect(before=TIME.to_bytes(4, "big")),
    "time-missing": Defect(before=b""),
    "time-unsigned": Defect(message=b"cosignature/v1\n" + TEXT),
    "header-missing": Defect(message=MESSAGE.removeprefix(b"cosignature/v1\n")),
    "header-and-time-missing": Defect(message=TEXT),
    "header-version-2": Defect(message=MESSAGE.replace(b"/v1", b"/v2")),
    "header-uppercase": Defect(message=MESSAGE.replace(b"cosig", b"Cosig")),
    "message-crlf": Defect(message=MESSAGE.replace(b"\n", b"\r\n")),
    "message-without-final-newline": Defect(message=MESSAGE[:-1]),
    "message-with-blank-line": Defect(message=MESSAGE + b"\n"),
    "message-with-log-signature": Defect(message=MESSAGE.replace(TEXT, LOG)),
    "message-of-another-size": Defect(message=MESSAGE.replace(b"70000", b"70001")),
    "message-of-another-origin": Defect(message=MESSAGE.replace(b"amina", b"bora")),
    "extension-line": Defect(message=MESSAGE.replace(TEXT, LONGER), text=LONGER, error=FormatError),
    "extension-line-uncovered": Defect(text=LONGER),
    "signature-63-bytes": Defect(cut=63),
    "signature-65-bytes": Defect(after=b"\0"),
    "signature-changed": Defect(cut=63, after=b"\x55"),
    "name-other": Defect(name="hq.example/w2"),
    "key-id-of-a-log-key": Defect(algorithm=1),
    "key-id-of-an-ml-dsa-key": Defect(algorithm=6),
    "log-signature-under-the-log-key-id": Defect(message=TEXT, before=b"", algorithm=1),
    "line-twice": Defect(more=LINE, error=FormatError),
    "line-of-one-key-twice": Defect(
        more=lenient.line(NAME, 4, PUBLIC, bytes(8) + lenient.sign(SEED, MESSAGE.replace(b"1767139200", b"0"))),
        error=FormatError,
    ),
}


def test_every_vector_has_its_defect_and_the_reverse() -> None:
    """No vector file goes unread, no defect lacks its file, and each file is what the defect describes."""
    assert {name: defect.raw for name, defect in DEFECTS.items()} == BAD


@pytest.mark.parametrize(
    ("name", "time"), [("sunlight-witness", TIME), ("sunlight-mirror", TIME), ("regression", TIME)]
)
def test_good_cosignatures_verify(name: str, time: int) -> None:
    """Sunlight's witness and mirror, and our regression cosigner, vouch for their checkpoint at the known time."""
    key = parse_vkey((VECTORS / "good" / f"{name}.vkey").read_text().strip())
    note = parse_note(GOOD[name])
    assert verify_cosignature(note, key) == time
    assert encode_note(note) == GOOD[name]


def test_cosigning_gives_the_regression_line() -> None:
    """Our cosigner writes the very note that the careless maker of the other library wrote."""
    note = parse_note(LOG)
    whole = Note(text=note.text, signatures=(*note.signatures, cosign(note.text, NAME, SEED, TIME)))
    assert encode_note(whole) == BASE == GOOD["regression"]


@pytest.mark.parametrize("name", DEFECTS)
def test_defects_are_refused(name: str) -> None:
    """A cosignature with one defect meets the error that the defect deserves."""
    with pytest.raises(DEFECTS[name].error):
        verify_cosignature(parse_note(BAD[name]), KEY)


@pytest.mark.parametrize("name", DEFECTS)
def test_defects_repaired_are_accepted(name: str) -> None:
    """Negative control: the cosigner really signed the defective message, and the honest line in its place is good."""
    defect, raw = DEFECTS[name], BAD[name]
    assert lenient.verifies(PUBLIC, defect.message, defect.signature)
    assert raw.startswith(lenient.signed(defect.text, ORIGIN, LOG_SEED))
    log_line = lenient.halves(raw)[1].split(b"\n")[0] + b"\n"
    repaired = raw[: raw.index(log_line) + len(log_line)].replace(defect.text, TEXT) + LINE
    if defect.text == TEXT:
        assert repaired == BASE
    assert verify_cosignature(parse_note(repaired), KEY) == TIME


def test_docstring_example_is_a_cosigned_checkpoint() -> None:
    """The example that opens the module parses, and its second line carries the time of the message below it."""
    lines = [line.removeprefix("    ") for line in str(module.__doc__).splitlines() if line.startswith("    ")]
    text = "\n".join(lines[:3]).encode() + b"\n"
    signatures = [line for line in lines if line.startswith("—")]
    note = parse_note(text + b"\n" + "\n".join(signatures).encode() + b"\n")
    time, _ = parse_blob(note.signatures[1].blob)
    message = "\n".join(lines[lines.index("cosignature/v1") :]).strip().encode() + b"\n"
    assert encode_message(note.text, time) == message


MEMBER = "hq.example/journal/amina"


@pytest.mark.parametrize("made", [ED25519, COSIGNATURE])
@pytest.mark.parametrize("wanted", [ED25519, COSIGNATURE])
def test_purposes_do_not_mix(made: int, wanted: int) -> None:
    """One seed, one name, both purposes: a signature serves the purpose that it was made for, and no other."""
    log = lenient.signed(TEXT, MEMBER, SEED)
    raw = log if made == ED25519 else TEXT + b"\n" + lenient.line(MEMBER, 4, PUBLIC, lenient.blob(LINE))

    def verify() -> None:
        if wanted == ED25519:
            verify_checkpoint(raw, Origin(MEMBER), PUBLIC)
        else:
            verify_cosignature(parse_note(raw), VerifierKey(name=MEMBER, algorithm=COSIGNATURE, public_key=PUBLIC))

    if made == wanted:
        verify()
    else:
        with pytest.raises(SignatureInvalid):
            verify()


def test_purposes_do_not_mix_under_a_forged_key_id() -> None:
    """Moved under the other purpose's key ID, with or without its time, a genuine signature is still refused."""
    plain, timed = lenient.sign(SEED, TEXT), lenient.blob(LINE)
    cosigner = VerifierKey(name=MEMBER, algorithm=COSIGNATURE, public_key=PUBLIC)
    for blob in (plain, bytes(8) + plain, TIME_BYTES + plain):
        with pytest.raises(SignatureInvalid):
            verify_cosignature(parse_note(TEXT + b"\n" + lenient.line(MEMBER, 4, PUBLIC, blob)), cosigner)
    for blob in (timed, timed[8:]):
        for text in (TEXT, MESSAGE):
            with pytest.raises(VaultError):
                verify_checkpoint(text + b"\n" + lenient.line(MEMBER, 1, PUBLIC, blob), Origin(MEMBER), PUBLIC)


def test_a_log_key_is_never_a_cosigner() -> None:
    """A type 0x01 key is refused as a cosigner before anything is looked up."""
    log = VerifierKey(name=ORIGIN, algorithm=ED25519, public_key=lenient.public(LOG_SEED))
    assert verify_note(parse_note(BASE), [log]) == (log,)
    with pytest.raises(SignatureInvalid):
        verify_cosignature(parse_note(BASE), log)
    plain = VerifierKey(name=NAME, algorithm=ED25519, public_key=PUBLIC)
    moved = parse_note(BAD["key-id-of-a-log-key"])
    assert moved.signatures[1].key_id == plain.key_id, "control: a genuine cosignature stands under this very key ID"
    with pytest.raises(SignatureInvalid):
        verify_cosignature(moved, plain)


def test_a_key_id_alone_names_nobody() -> None:
    """A genuine line under another name, its key ID made to collide, is an unknown key's."""
    note = parse_note(BASE)
    own = note.signatures[1]
    assert verify_cosignature(note, KEY) == TIME
    other = NoteSignature(name="hq.example/w2", key_id=own.key_id, blob=own.blob)
    with pytest.raises(SignatureInvalid):
        verify_cosignature(Note(text=TEXT, signatures=(note.signatures[0], other)), KEY)


def test_only_checkpoints_are_cosigned() -> None:
    """A cosigner signs no text that is not a checkpoint, no bad name, and no time out of range."""
    for text, name, time in (
        (b"anything\n", NAME, TIME),
        (LONGER, NAME, TIME),
        (TEXT[:-1], NAME, TIME),
        (TEXT, "h q", TIME),
        (TEXT, "\ud800", TIME),
        (TEXT, NAME, -1),
        (TEXT, NAME, MOST_SECONDS + 1),
    ):
        with pytest.raises(FormatError):
            cosign(text, name, SEED, time)
    assert parse_blob(cosign(TEXT, NAME, SEED, MOST_SECONDS).blob)[0] == MOST_SECONDS


@given(st.integers(0, MOST_SECONDS), st.binary(min_size=32, max_size=32))
def test_every_time_is_read_back(time: int, seed: bytes) -> None:
    """What `cosign` writes `verify_cosignature` reads, for every time and key."""
    key = VerifierKey(name=NAME, algorithm=COSIGNATURE, public_key=lenient.public(seed))
    note = parse_note(LOG)
    whole = Note(text=TEXT, signatures=(*note.signatures, cosign(TEXT, NAME, seed, time)))
    assert verify_cosignature(parse_note(encode_note(whole)), key) == time


@given(st.binary(max_size=80) | st.binary(min_size=72, max_size=72))
def test_blobs_are_read_or_refused(blob: bytes) -> None:
    """What a blob says is written back to the same bytes; everything else is FormatError."""
    try:
        time, signature = parse_blob(blob)
    except FormatError:
        assert len(blob) != 72 or blob[0] & 0x80
        return
    assert encode_blob(time, signature) == blob


@given(st.integers(0, len(b64decode(LINE.split(b" ")[2])) * 8 - 1), st.booleans())
def test_no_changed_bit_is_accepted(bit: int, in_text: bool) -> None:
    """Any bit flipped in the text or in the cosignature's bytes costs the cosigner's word."""
    blob = bytearray(b64decode(LINE.split(b" ")[2]))
    text = bytearray(TEXT)
    place = text if in_text else blob
    assume(bit < len(place) * 8)
    place[bit // 8] ^= 1 << bit % 8
    line = b" ".join([*LINE.split(b" ")[:2], b64encode(bytes(blob))]) + b"\n"
    with pytest.raises((FormatError, SignatureInvalid)):
        verify_cosignature(parse_note(bytes(text) + b"\n" + line), KEY)
