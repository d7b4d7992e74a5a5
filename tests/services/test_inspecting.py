"""What a file is, said without a key: every kind of ours, and nothing secret of any."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import apsw
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from tests import architecture_rules as rules
from tests.formats.test_release import RELEASE
from tests.source_tree import read_tree
from tests.vectors import bundles, fixed, requests, travels
from tests.vectors.regenerate import HERE, SHARE
from vault.errors import FormatError, IntegrityError, UsageError, VaultError
from vault.formats.hold import Agreement, encode_agreement
from vault.formats.keyfile import KeyFile, encode_keyfile
from vault.formats.release_json import encode_json
from vault.formats.request import PENDING
from vault.formats.share import encode_share
from vault.formats.warrant import (
    WITHOUT_TALLY,
    Approval,
    Deed,
    ErasurePlan,
    Warrant,
    encode_approval,
    encode_plan,
)
from vault.model import Handle, Origin, Place, Why
from vault.services.inspecting import FileKind, inspect_file
from vault.services.words import fingerprint_of_keys
from vault.store.connect import close, create

BUNDLE = (HERE / "bundle" / "open.bundle").read_bytes()
KEY_FILE = bytes.fromhex(json.loads((HERE / "keyfile" / "open.json").read_text())["file"])
PENDING_KEY = encode_keyfile(KeyFile(vault_id=PENDING, handle=Handle("field-3"), phc=b"phc", sealed=b"sealed"))
NOTE = (HERE / "leaf" / "journal.note").read_bytes()
SHARE_CARD = encode_share(SHARE)
ROOT = Path(__file__).resolve().parents[2]

PLAN = ErasurePlan(
    origin=Origin(fixed.JOURNAL),
    warrant=Warrant(why=Why.WITHDRAWN, tag=bytes(16), layers=WITHOUT_TALLY),
    deeds=(Deed(target=Origin(fixed.JOURNAL), seqs=(4, 6)),),
)
APPROVAL = Approval(digest=PLAN.digest, handle=Handle("hub-1"), signatures=(bytes(64),))
AGREED = Agreement(
    writer=Handle("hub-1"),
    place=Place(Origin(fixed.JOURNAL), 5),
    handle=Handle("field-1"),
    by=Handle("hub-2"),
    signature=bytes(64),
)

GOOD: dict[str, tuple[FileKind, bytes, list[str]]] = {
    "bundle": (FileKind.BUNDLE, BUNDLE, ["at most 4 recipients", f"{len(BUNDLE):,} bytes"]),
    "request": (FileKind.REQUEST, requests.RAW, ['"field-1"', "recorder", fingerprint_of_keys(fixed.FIELD_ID)]),
    "key file": (FileKind.KEY_FILE, KEY_FILE, [f"vault {fixed.VAULT_ID}", '"field-1"', "sealed"]),
    "key file without a vault": (FileKind.KEY_FILE, PENDING_KEY, ["no vault yet", '"field-3"']),
    "share": (FileKind.SHARE, SHARE_CARD, [f"vault {fixed.VAULT_ID}", "share 2 of 3, any 2 restore"]),
    "checkpoint": (FileKind.CHECKPOINT, NOTE, [fixed.JOURNAL, "7 entries", "signatures: 1, not verified"]),
    "file for a trustee": (FileKind.TRAVEL_REQUEST, travels.REQUEST, ['"field-1" armed', '"hub-1" can answer']),
    "answer": (FileKind.TRAVEL_ANSWER, travels.ANSWER, ['the laptop of "field-1", by "hub-1"']),
    "plan": (FileKind.ERASURE_PLAN, encode_plan(PLAN), [f"the journal {fixed.JOURNAL}", "2 entries", "withdrawn"]),
    "approval": (FileKind.ERASURE_APPROVAL, encode_approval(APPROVAL), ['of "hub-1"', PLAN.digest.hex()[:16]]),
    "agreement": (FileKind.HOLD_AGREEMENT, encode_agreement(AGREED), ['"hub-2" agrees that "hub-1"', "entry 5 of"]),
    "release": (FileKind.RELEASE, encode_json(RELEASE), ["table year_2020, persons", "counted from"]),
}


@pytest.mark.parametrize("name", GOOD)
def test_each_kind_is_recognised(name: str, tmp_path: Path) -> None:
    """By what it holds, never by its name."""
    kind, raw, says = GOOD[name]
    (tmp_path / "holiday.jpg").write_bytes(raw)
    found = inspect_file(tmp_path / "holiday.jpg")
    assert found.kind is kind
    assert not [word for word in says if word not in "\n".join(found.lines)]
    assert all(line.isprintable() for line in found.lines)


def test_nothing_secret_is_said(tmp_path: Path) -> None:
    """Not a word of a share, not a figure of a release, no sealed byte."""
    (tmp_path / "share").write_bytes(SHARE_CARD)
    said = " ".join(inspect_file(tmp_path / "share").lines).split()
    assert not {"academic", "aluminum"} & set(said)
    (tmp_path / "release").write_bytes(encode_json(RELEASE))
    assert "130" not in " ".join(inspect_file(tmp_path / "release").lines)


def test_a_database_is_ours_or_not(tmp_path: Path) -> None:
    """A vault's is named as one, another program's is not."""
    close(create(tmp_path / "vault.db"))
    assert inspect_file(tmp_path / "vault.db").kind is FileKind.VAULT
    connection = apsw.Connection(str(tmp_path / "other.db"))
    connection.execute("CREATE TABLE a (b)").fetchall()
    connection.close()
    assert inspect_file(tmp_path / "other.db").kind is FileKind.OTHER
    (tmp_path / "short.db").write_bytes(b"SQLite format 3\0")
    assert inspect_file(tmp_path / "short.db").kind is FileKind.OTHER


@pytest.mark.parametrize(
    "raw", [b"f", b"fieldvault", b"PK\x03\x04", bytes(100), b"\x97", b'{"cells": []}', "\ufefffieldvault".encode()]
)
def test_other_files_are_not_ours(raw: bytes, tmp_path: Path) -> None:
    """That is an answer, not an error."""
    (tmp_path / "a").write_bytes(raw)
    found = inspect_file(tmp_path / "a")
    assert (found.kind, found.lines) == (FileKind.OTHER, ())


def test_an_empty_file_is_called_empty(tmp_path: Path) -> None:
    """A copy that never came about: there is something to do about it."""
    (tmp_path / "a").write_bytes(b"")
    found = inspect_file(tmp_path / "a")
    assert found.kind is FileKind.OTHER
    assert [line for line in found.lines if "it is empty" in line]


@pytest.mark.parametrize("name", sorted(set(GOOD) - {"bundle"}))
def test_damage_is_named(name: str, tmp_path: Path) -> None:
    """A file of ours that is cut off or has a byte too many is not described as if it were whole."""
    _, raw, _ = GOOD[name]
    for bad in (raw[:-1], raw + b"\0"):
        (tmp_path / "a").write_bytes(bad)
        with pytest.raises((FormatError, IntegrityError)):
            inspect_file(tmp_path / "a")


@pytest.mark.parametrize("name", sorted(set(bundles.BAD_FILES) - {"empty", "one-byte"}))
def test_a_bundle_is_described_as_far_as_its_frame_goes(name: str, tmp_path: Path) -> None:
    """A wrong size, version or number of places shows without a key; what was changed under the seal does not."""
    edit = bundles.BAD_FILES[name]
    raw = bundles.apply(BUNDLE, edit)
    (tmp_path / "a").write_bytes(raw)
    unseen = raw[:22] == BUNDLE[:22] and len(raw) == len(BUNDLE)
    if unseen:
        assert inspect_file(tmp_path / "a").kind is FileKind.BUNDLE
    elif not raw.startswith(b"fieldvault bundle "):
        assert inspect_file(tmp_path / "a").kind is FileKind.OTHER
    else:
        with pytest.raises((FormatError, IntegrityError), match=edit["says"]):
            inspect_file(tmp_path / "a")


def test_a_file_that_is_too_large_for_its_kind_is_refused_unread(tmp_path: Path) -> None:
    """Ten gigabytes that begin like a key file are no key file; a bundle's size is asked, not read."""
    for name, (_, raw, _) in GOOD.items():
        with (tmp_path / name).open("wb") as stream:
            stream.write(raw)
            stream.truncate(10 * 2**30)
        with pytest.raises((FormatError, IntegrityError)):
            inspect_file(tmp_path / name)


@pytest.mark.skipif(os.name != "posix", reason="pipes, devices and links are POSIX's here")
def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    """As an import refuses it, and without waiting."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "link", tmp_path / "nothing", Path("/dev/zero")):
        with pytest.raises(UsageError):
            inspect_file(path)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([raw[:size] for _, raw, _ in GOOD.values() for size in (1, 20, 30, 64, 70)]), st.binary())
def test_any_bytes_get_an_answer_or_one_clear_error(tmp_path: Path, start: bytes, rest: bytes) -> None:
    """Nothing but our own errors escapes."""
    (tmp_path / "a").write_bytes(start + rest)
    code = 0
    try:
        assert inspect_file(tmp_path / "a").kind in FileKind
    except VaultError as error:
        code = error.code
    assert code in (0, 13, 20)


@pytest.mark.parametrize("module", ["inspecting", "files"])
def test_looking_loads_nothing_that_opens(module: str) -> None:
    """Whoever only looks at a file has no decryption at hand."""
    source = f"import sys, vault.services.{module}; sys.stdout.write(chr(10).join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", source], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.split())
    assert f"vault.services.{module}" in loaded
    opening = rules.decrypting_modules(read_tree(ROOT, "vault"))
    assert "vault.primitives.stream" in opening
    assert loaded & opening == set()
