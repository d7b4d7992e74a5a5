"""docs/format.md says what the program does: every label and word is there, and every example is a vector's."""

from __future__ import annotations

import hmac
import json
import re
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

from vault import labels
from vault.disclosure import policies
from vault.disclosure.rounding import rounded
from vault.formats import canonical, keyfile, leaf, part, release_json, share, wraps
from vault.model import Kind, Layer, Policy, Purpose, Role
from vault.primitives import aead, hpke, passphrase
from vault.services import keyring
from vault.services.drafting import MOST_TAGS
from vault.services.totals import coin_of
from vault.store import schema

ROOT = Path(__file__).resolve().parents[2]
VECTORS = ROOT / "tests" / "vectors"
TEXT = (ROOT / "docs" / "format.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"<!-- vector (\S+)(?: ([^\n]*?))? -->\n```\n(.*?)\n```\n", TEXT, re.DOTALL)
LABELS = {name: value.decode().rstrip() for name, value in vars(labels).items() if isinstance(value, bytes)}


@pytest.mark.parametrize("name", LABELS)
def test_every_label_is_in_the_document(name: str) -> None:
    """Each label of the table stands there literally."""
    assert f"`{LABELS[name]}`" in TEXT


def test_the_document_names_no_label_that_is_not_ours() -> None:
    """And there is no label in it that the table lacks."""
    assert set(re.findall(r"fieldvault/v1/[a-z-]+", TEXT)) == set(LABELS.values())


@pytest.mark.parametrize("word", [item for kind in (Kind, Layer, Purpose, Role) for item in kind], ids=str)
def test_every_word_is_in_the_document(word: StrEnum) -> None:
    """Each kind, layer, purpose and role stands there as code."""
    assert f"`{word.value}`" in TEXT


def test_every_example_is_marked() -> None:
    """A block of an example without its vector would go unchecked."""
    assert re.findall(r"^```", TEXT, re.MULTILINE) == ["```"] * 2 * len(EXAMPLES)
    assert len(EXAMPLES) >= 9


@pytest.mark.parametrize(("file", "field", "block"), EXAMPLES, ids=[f"{row[0]} {row[1]}" for row in EXAMPLES])
def test_every_example_is_its_vector(file: str, field: str, block: str) -> None:
    """The hexadecimal digits without their comments are the vector's; a text is the vector's file."""
    raw = (VECTORS / file).read_text(encoding="utf-8")
    if not field:
        assert block == raw.removesuffix("\n")
        return
    value: Any = json.loads(raw)
    for step in field.split("/"):
        value = value[int(step)] if step.isdigit() else value[step]
    digits = "".join(line.partition(";")[0] for line in block.splitlines())
    assert "".join(digits.split()) == value


def test_the_worked_leaf_reads_as_annotated() -> None:
    """The comments beside the example's bytes are true."""
    block = next(block for file, _, block in EXAMPLES if file == "leaf/good/record.json")
    raw = bytes.fromhex("".join(line.partition(";")[0] for line in block.splitlines()))
    made = leaf.parse_leaf(raw)
    assert f"version 1, seq {made.seq}" in block
    assert f'"{made.kind.value}"' in block
    assert f"day {made.day}" in block
    assert [ref.layer.value for ref in made.parts] == ["identity", "case", "tally"]


@pytest.mark.parametrize(
    "statement",
    [
        f"at most {leaf.MOST_BYTES:,} bytes",
        f"more than {canonical.MOST_DEPTH} arrays or maps inside each other",
        f"more than {canonical.MOST_BYTES >> 20} MiB ({canonical.MOST_BYTES:,} bytes)",
        f"salt ({keyring.LOCATOR_SALT}) || case id[:{keyring.LOCATOR_ID}] XOR",
        f"{MOST_TAGS} an entry",
        f"2 <= K <= N <= {share.MOST_SHARES}",
        f"all {share.WORDS} words",
        f"so a part is {part.OVERHEAD} bytes longer",
        f"a seal adds {aead.OVERHEAD} bytes",
        ", ".join(map(str, part.CELLS[:-1])) + f" or {part.CELLS[-1]} bytes",
        f"zeros to {wraps.CASE_WRAP_PAYLOAD} bytes",
        f"`enc ({hpke.OVERHEAD - 16:,}) || ciphertext (32) || tag (16)`: {hpke.OVERHEAD + 32:,} bytes",
        f"{hpke.PUBLIC_KEY:,} bytes",
        f"zeros to {keyfile.PAYLOAD:,} bytes",
        f"m {passphrase.LEAST_MEMORY} to {passphrase.MOST_MEMORY}",
        f"t {passphrase.LEAST_PASSES} to {passphrase.MOST_PASSES}, p 1 to {passphrase.MOST_LANES}",
        f"application id `{schema.APPLICATION_ID:#x}`, user version {schema.USER_VERSION}",
        f"page size {schema.PAGE_SIZE}",
        f"`version` ({release_json.VERSION})",
        "the names " + ", ".join(f"`{name}`" for name in sorted(set(Policy.__slots__) - set(policies.ADDED))),
        "of at least "
        + ", ".join(str(getattr(Policy(), name)) for name in sorted(set(Policy.__slots__) - set(policies.ADDED)))
        + f" and at most {policies.MOST.people:,}",
        f"`coarser` (1 to {policies.MOST.coarser}) and `embargo` (1 to {policies.MOST.embargo})",
    ],
)
def test_every_number_is_the_program_s(statement: str) -> None:
    """Sizes and bounds in the document are those in the source."""
    assert statement in " ".join(TEXT.split()) or statement in TEXT


def test_every_table_of_the_database_is_in_the_document() -> None:
    """Each table with its columns."""
    section = TEXT[TEXT.index("## 11.") : TEXT.index("## 12.")]
    for statement in schema.TABLES:
        name = statement.split()[2]
        row = next(line for line in section.splitlines() if line.startswith(f"| `{name}` | `"))
        columns = re.findall(r"[(,] ?([a-z]+) (?:TEXT|INTEGER|BLOB)", statement)
        assert columns
        assert all(f"`{column}`" in row for column in columns)


def test_rounding_is_as_written() -> None:
    """Section 13's formula, computed from the document's words."""
    key, tokens = bytes(32), [bytes([number]) * 16 for number in range(13)]
    toss = int.from_bytes(hmac.digest(key, LABELS["ROUNDING"].encode() + b"".join(tokens), "sha256")[:8])
    expected = 15 if toss * 5 < 3 * 2**64 else 10
    assert rounded(reversed(tokens), 5, coin_of(key)) == expected
