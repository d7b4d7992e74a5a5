"""Paper heads: one spelling, a check that notices slips of the pen, and messages that say what to look at."""

from __future__ import annotations

import json
from base64 import b32decode
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from vault.errors import FormatError
from vault.formats import paper_head
from vault.formats.paper_head import PaperHead, encode_paper_head, parse_paper_head, tidied
from vault.model import Origin, VaultId

HERE = Path(__file__).resolve().parents[1] / "vectors" / "paper_head"
VAULT = VaultId("4f0d1c2a9b8e7d6c5b4a39281706f5e4")
GOOD = json.loads((HERE / "good.json").read_text())
BAD = sorted((HERE / "bad").glob("*.txt"))
EXAMPLE = str(GOOD[0]["text"])
ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"

heads = st.builds(
    PaperHead,
    origin=st.builds(
        lambda name, epoch: Origin(f"fieldvault/{VAULT}/{name}/{epoch}"),
        st.from_regex(r"[a-z]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True),
        st.integers(1, 999_999_999),
    ),
    size=st.integers(1, 2**53 - 1),
    start=st.binary(min_size=16, max_size=16),
)


@pytest.mark.parametrize("row", GOOD, ids=lambda row: row["text"][:12])
def test_the_stored_heads_read_as_they_say(row: dict[str, str | int]) -> None:
    """Each text is its head and its head that text; the letters are plain base32 of 16 bytes and a check."""
    text, start = str(row["text"]), bytes.fromhex(str(row["root_start"]))
    head = parse_paper_head(text, VAULT)
    assert head == PaperHead(origin=Origin(str(row["origin"])), size=int(row["size"]), start=start)
    assert encode_paper_head(head) == text
    raw = b32decode("".join(text.split(" ")[2:]).upper())
    told = b"fieldvault/v1/paper-head\n%s\n%d\n%s" % (str(row["origin"]).encode(), int(row["size"]), start)
    assert raw == start + sha256(told).digest()[:4]


def test_the_document_s_example_is_the_first_of_them() -> None:
    """docs/format.md and the module show the same line."""
    assert (HERE / "example.txt").read_text() == f"{EXAMPLE}\n"
    assert EXAMPLE in (paper_head.__doc__ or "")


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_each_defect_is_refused(path: Path) -> None:
    """In one line, with what to do, and without repeating what was typed."""
    text = path.read_text(encoding="utf-8").removesuffix("\n")
    with pytest.raises(FormatError) as caught:
        parse_paper_head(text, VAULT)
    assert "\n" not in caught.value.message
    assert caught.value.hint
    assert not any(group in caught.value.message for group in EXAMPLE.split(" ")[2:])


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (EXAMPLE.replace("lb3o", "lb30"), "group 7 of a paper head holds the digit 0: was it the letter o?"),
        (EXAMPLE.replace("lb3o", "1b3o"), "group 7 of a paper head holds the digit 1: was it the letter l, or i?"),
        (EXAMPLE.upper(), "lower case"),
        (EXAMPLE[:-5], "8 groups of 4 letters"),
        (EXAMPLE.replace("kdmf", "kdm!"), "group 1 "),
        (EXAMPLE.replace("kdmf", "kdmg"), "a letter or a digit was miswritten, or it is of another vault"),
    ],
)
def test_the_messages_say_what_to_look_at(typed: str, said: str) -> None:
    """Which group, which digit, and what was probably meant."""
    with pytest.raises(FormatError) as caught:
        parse_paper_head(typed, VAULT)
    assert said in caught.value.message


def test_a_head_of_another_vault_does_not_fit() -> None:
    """The check binds the vault id: nobody is accused because two organisations' notebooks were mixed up."""
    with pytest.raises(FormatError, match="another vault"):
        parse_paper_head(EXAMPLE, VaultId("0" * 32))
    assert parse_paper_head(EXAMPLE, VAULT).size == 212, "negative control"


@given(heads)
def test_what_is_written_is_read(head: PaperHead) -> None:
    """Every head there and back, also through capitals, run-together letters and stray spaces."""
    text = encode_paper_head(head)
    assert parse_paper_head(text, VAULT) == head
    name, size, *letters = text.upper().split(" ")
    for typed in (text.upper(), f"  {name}\t{size}  {''.join(letters)} ", f"{name} {size} {'  '.join(letters)}\n"):
        assert tidied(typed) == text


@given(heads, st.integers(0, 31), st.sampled_from(ALPHABET))
def test_any_one_wrong_letter_is_noticed(head: PaperHead, place: int, letter: str) -> None:
    """Whichever letter is replaced by whichever."""
    text = encode_paper_head(head)
    at = len(text) - 39 + place + place // 4
    changed = text[:at] + letter + text[at + 1 :]
    if changed != text:
        with pytest.raises(FormatError, match="check does not fit"):
            parse_paper_head(changed, VAULT)


@given(st.text(max_size=70))
def test_nothing_but_a_refusal_comes_of_any_text(text: str) -> None:
    """Any text, tidied or not, is a head in its one spelling or a FormatError."""
    for typed in (text, tidied(text), EXAMPLE[:20] + text):
        try:
            head = parse_paper_head(typed, VAULT)
        except FormatError:
            continue
        assert encode_paper_head(head) == typed


@pytest.mark.parametrize(("size", "start"), [(0, bytes(16)), (2**53, bytes(16)), (1, bytes(15)), (1, bytes(32))])
def test_a_head_that_cannot_be_is_not_made(size: int, start: bytes) -> None:
    """No size 0, none beyond a checkpoint's, no other length of root."""
    with pytest.raises(FormatError):
        PaperHead(origin=Origin(f"fieldvault/{VAULT}/field-7/1"), size=size, start=start)


def test_a_size_is_tidied_as_reports_print_it() -> None:
    """Commas between thousands are forgiven, and no others."""
    assert tidied("field-7/1 5,345 kdmf") == "field-7/1 5345 kdmf"
    assert tidied("field-7/1 53,45 kdmf") == "field-7/1 53,45 kdmf"
