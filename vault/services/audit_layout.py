"""The files of a published directory beside its tiles: what may stand there, and that it says what the roster says."""

from __future__ import annotations

import os
from pathlib import Path

from vault.errors import FormatError, VaultError
from vault.formats.note import encode_vkey
from vault.formats.origin import parse_origin
from vault.formats.tiles import HEIGHT, WIDTH, TilePath, encode_entries, encode_hashes, encode_path, parse_path
from vault.formats.tlog_policy import parse_policy
from vault.model import Member, Origin
from vault.services import audit_publish_texts as texts
from vault.services.audit_reader import MOST_JOURNALS, MOST_NAMES, JournalFiles, crowded, names_in, read_file
from vault.services.files import PARTIAL
from vault.services.findings import BYTES, NOTICE, SIGNATURES, Findings
from vault.services.roster import Roster
from vault.services.witness import cosigner_key, verify_head

_HEX = frozenset("0123456789abcdef")


def is_published(directory: Path) -> bool:
    """Whether anything in a directory says that journals were published there: the file that names the roster, or one
    of the directories. What lacks the others is damaged, and what has neither is something else."""
    names, _ = names_in(directory, MOST_JOURNALS)
    return os.path.lexists(directory / texts.ROSTER) or any(is_folder(name) for name, _ in names)


def is_folder(name: str) -> bool:
    """Whether a directory is named as a journal's is: by a SHA-256 in hexadecimal."""
    return len(name) == 64 and set(name) <= _HEX


def journal_directories(findings: Findings, directory: Path) -> list[str]:
    """The names of the journals' directories. What else stands there and is not ours is a finding, and so is what is
    missing, and what is more than can be."""
    found = []
    names, more = names_in(directory, MOST_JOURNALS)
    for name, is_directory in names:
        if is_folder(name) and is_directory:
            found.append(name)
        elif name not in texts.TOP:
            _surplus(findings, name)
    for name in sorted(name for name in texts.TOP if not os.path.lexists(directory / name)):
        level = NOTICE if name == texts.README else BYTES
        findings.add(level, "missing", name, "the file is missing")
    if more:
        findings.add(BYTES, "crowded", "directory", crowded(MOST_JOURNALS))
    return found


def _surplus(findings: Findings, where: str) -> None:
    name = where.rpartition("/")[2]
    if name.removesuffix(PARTIAL) != name:
        findings.add(NOTICE, "left-over", where, "a file that somebody began to write; it is not looked at")
    else:
        findings.add(BYTES, "surplus", where, "nothing of this name belongs here")


def check_small_files(findings: Findings, files: JournalFiles, roster: Roster, member: Member, origin: Origin) -> None:
    """The key, the origin and the policy of one journal."""
    key = texts.log_key(member, origin)
    where = f"{origin}/{texts.VKEY}"
    with findings.guard(where):
        if files.need(texts.VKEY) != f"{encode_vkey(key)}\n".encode("ascii"):
            findings.add(SIGNATURES, "key", where, "it is not the key that the roster names")
    with findings.guard(f"{origin}/{texts.POLICY}"):
        check_policy(findings, f"{origin}/{texts.POLICY}", files.need(texts.POLICY), roster, only=origin)


def check_policy(findings: Findings, where: str, raw: bytes, roster: Roster, *, only: Origin | None = None) -> None:
    """A policy that was published: every key in it is one that the roster names, for that journal or cosigner. Raises
    FormatError."""
    policy = parse_policy(raw)
    for log in policy.logs:
        member = None
        try:
            name = parse_origin(log.key.name)
            member = roster.find(name.handle) if name.vault_id == roster.vault_id else None
        except FormatError:
            pass
        if member is None or log.key != texts.log_key(member, log.key.name) or only not in (None, log.key.name):
            findings.add(SIGNATURES, "key", where, "it believes a journal's key that the roster does not name")
    able = [cosigner_key(roster.vault_id, member) for member in roster.members]
    if any(witness.key not in able for witness in policy.witnesses):
        findings.add(SIGNATURES, "key", where, "it believes a witness's key that the roster does not name")


def check_members(findings: Findings, raw: bytes, roster: Roster, origins: list[Origin]) -> None:
    """The table of members. One that is older than the roster, because publishing was interrupted, is no fault."""
    wanted = texts.encode_members(roster, origins)
    if raw == wanted:
        return
    if raw.count(b"\n") > wanted.count(b"\n") or raw.count(b"\t") > wanted.count(b"\t"):
        findings.add(SIGNATURES, "members", texts.MEMBERS, "the table names more than the roster does")
        return
    expected = [line.split(b"\t") for line in wanted.split(b"\n")]
    held = [line.split(b"\t") for line in raw.split(b"\n")]
    stale = [line[:4] for line in held[:-1]] == [line[:4] for line in expected[: len(held) - 1]] and held[-1] == [b""]
    if stale and len(held) <= len(expected) and all(len(line) == len(expected[0]) for line in held[:-1]):
        findings.add(NOTICE, "stale", texts.MEMBERS, "the table is older than the roster; the roster counts")
    else:
        findings.add(SIGNATURES, "members", texts.MEMBERS, "the table names keys or roles that the roster does not")


def next_size(findings: Findings, files: JournalFiles, origin: Origin, roster: Roster) -> int:
    """Up to which size files may stand here that no head covers yet, because publishing was interrupted; 0 when it was
    not, or when its writer did not sign that head. Nothing behind the signed head is believed for it."""
    raw = files.text(texts.NEXT)
    if raw is None:
        return 0
    findings.add(NOTICE, "interrupted", origin, "publishing was interrupted; publish again. What is signed is checked")
    try:
        head = verify_head(roster, raw)
    except VaultError:
        return 0
    return head.size if head.origin == origin else 0


def check_journal_files(findings: Findings, files: JournalFiles, origin: Origin, size: int, allowed: int) -> int:
    """Every file of one journal has a place: in the tree of `size` entries, or up to `allowed` while publishing; an
    older partial tile says the beginning of what stands there now. Returns how many files there are."""
    count = 0
    names, more = names_in(files.folder)
    for name, _ in names:
        if name not in texts.IN_JOURNAL and name != "tile":
            _surplus(findings, f"{origin}/{name}")
        count += name in texts.IN_JOURNAL
    if more:
        findings.add(BYTES, "crowded", origin, crowded(MOST_NAMES))
    for name, fault in files.paths():
        if fault:
            findings.add(BYTES, "crowded", f"{origin}/{name}", fault)
            continue
        count += 1
        with findings.guard(f"{origin}/{name}"):
            try:
                path = parse_path(name)
            except FormatError:
                _surplus(findings, f"{origin}/{name}")
                continue
            _check_place(findings, files, origin, path, size, allowed)
    return count


def _check_place(
    findings: Findings, files: JournalFiles, origin: Origin, path: TilePath, size: int, allowed: int
) -> None:
    there = _width(path, size)
    if path.width > there:
        if path.width > _width(path, allowed):
            _surplus(findings, f"{origin}/{encode_path(path)}")
    elif path.width < there and files.tile(path) != _beginning(files, path, there):
        findings.add(BYTES, "tile", f"{origin}/{encode_path(path)}", "it is not the beginning of what stands there now")


def _width(path: TilePath, size: int) -> int:
    """How many hashes or entries a tree of `size` has in the place of a tile."""
    level = path.level or 0
    return max(0, min(WIDTH, (size >> HEIGHT * level) - path.index * WIDTH))


def _beginning(files: JournalFiles, path: TilePath, there: int) -> bytes:
    if path.level is None:
        return encode_entries(files.entries(path.index, there)[: path.width])
    return encode_hashes(files.hashes(TilePath(level=path.level, index=path.index, width=there))[: path.width])


def read_small(directory: Path, name: str) -> bytes | None:
    """A file beside the journals."""
    return read_file(directory, name)
