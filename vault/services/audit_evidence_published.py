"""`audit verify --published DIR --evidence OUT`: what was found in a published directory, for others.

    OUT/README.txt             what was found, in words, and the folders below
    OUT/01-field-1-1/          one journal that something was found in:
        README.txt             the commands and what they print
        head.txt, head.sig     its signed head; writer.pem the key, as the auditor's policy or the directory names it
        files/...              the published files that findings name, as they are, under their own names

A published directory holds nothing sealed, so its files can be copied. Where an entry does not have the hash that the
tile above it states, both stand in the README.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from vault.errors import VaultError
from vault.formats.note import parse_note, parse_vkey
from vault.formats.origin import parse_origin
from vault.formats.tiles import MOST_BUNDLE, TilePath, encode_path, parse_entries, parse_hashes, parse_path
from vault.formats.tlog_policy import MOST_BYTES, TrustPolicy, parse_policy
from vault.primitives import tree
from vault.services import audit_evidence_texts as texts, audit_publish_texts as published, files
from vault.services.audit_evidence import check_evidence_place
from vault.services.audit_reader import MOST_JOURNALS, names_in, read_file
from vault.services.audit_tiles import PublishedReport
from vault.services.evidence import pem_of, write_files
from vault.services.findings import NOTICE, Finding, plain

MOST_FILES: Final = 20
"""Files of one journal that are copied, and entries that are shown: more say the same."""
MOST_COPIED: Final = 48 * 1024 * 1024
"""Bytes of one journal that are copied."""
_MOST_ORIGIN: Final = 1024
_SHORT: Final = "..."
"""How the name of a journal's directory ends where a finding shortens it."""
_ALWAYS: Final = (published.ORIGIN, published.VKEY, published.CHECKPOINT)


def write_published_findings(
    directory: Path, report: PublishedReport, target: Path, *, policy: Path | None = None
) -> tuple[Path, ...]:
    """Writes the evidence of what an audit of a published `directory` found into `target`; the folders. Raises
    UsageError when something stands there already, StorageError."""
    check_evidence_place(target)
    own = None if policy is None else parse_policy(files.read_limited(policy, MOST_BYTES))
    faults = [item for item in report.findings if item.level != NOTICE]
    named = _by_origin(directory, faults)
    files.make_private_directory(target)
    folders = []
    for number, (name, contents) in enumerate(_places(directory, named, own), start=1):
        folder = target / f"{number:02}-{name}"
        for path in sorted({(folder / part).parent for part in contents}):
            files.make_private_directory(path, parents=True)
        write_files(folder, contents)
        folders.append(folder)
    readme = texts.overview(report.vault_id, faults, [folder.name for folder in folders])
    files.write_private(target / "README.txt", readme)
    return tuple(folders)


def _by_origin(directory: Path, faults: Sequence[Finding]) -> list[Finding]:
    """The findings, those at a journal's directory (`0123456789abcdef...`) under the origin that is written in it."""
    shortened = {item.where for item in faults if item.where.endswith(_SHORT)}
    names = {}
    for name, _ in names_in(directory, MOST_JOURNALS)[0] if shortened else ():
        short = f"{name[:16]}{_SHORT}"
        if short in shortened:
            origin = (_read(directory, f"{name}/{published.ORIGIN}", _MOST_ORIGIN) or b"").decode("ascii", "replace")
            if published.directory_of(origin.removesuffix("\n")) == name:
                names[short] = origin.removesuffix("\n")
    return [replace(item, where=names.get(item.where, item.where)) for item in faults]


def _places(
    directory: Path, faults: Sequence[Finding], own: TrustPolicy | None
) -> Iterator[tuple[str, Mapping[str, bytes]]]:
    """A folder for each journal that a finding names, and one for the files beside them."""
    beside = {item.where for item in faults} & published.TOP
    if beside:
        copied = {f"files/{name}": raw for name in sorted(beside) if (raw := _read(directory, name)) is not None}
        text = f"Files beside the journals, as they were published:\n\n{texts.sums(copied)}" if copied else ""
        yield "directory", {**copied, "README.txt": (text or "The files that are named are not there.\n").encode()}
    origins = {"/".join(item.where.split(":")[0].split("/")[:4]) for item in faults}
    for origin in sorted(origin for origin in origins if origin.startswith("fieldvault/")):
        with suppress(VaultError):
            parse_origin(origin)
            yield texts.name_of(origin), _journal(directory, origin, faults, own)


def _journal(directory: Path, origin: str, faults: Sequence[Finding], own: TrustPolicy | None) -> dict[str, bytes]:
    folder = published.directory_of(origin)
    named = [item.where.removeprefix(f"{origin}/") for item in faults if item.where.startswith(f"{origin}/")]
    named = list(filter(_is_ours, named))
    wanted = list(dict.fromkeys([*_ALWAYS, *(path for name in named for path in _with_beside(name))]))
    copied: dict[str, bytes] = {}
    left = MOST_COPIED
    for name in wanted[:MOST_FILES]:
        raw = _read(directory, f"{folder}/{name}", min(left, MOST_BUNDLE))
        if raw is not None:
            copied[name] = raw
            left -= len(raw)
    text = f"Journal {origin}, as it was published in {folder}.\n\n"
    text += "".join(f"{texts.told(item)}\n" for item in _of(origin, faults))
    text += "\nThe published files that this is about:\n\n"
    text += texts.sums({f"files/{name}": raw for name, raw in copied.items()})
    shown, said = _head(origin, copied, own)
    leaves, unlike = _entries(copied)
    contents = {**{f"files/{name}": raw for name, raw in copied.items()}, **shown, **leaves}
    return {**contents, "README.txt": (text + said + unlike).encode()}


def _is_ours(name: str) -> bool:
    """Whether a file has a name that a publication gives. Others are whatever a stranger wrote on the stick: they stand
    in the words of the finding, made plain, and never in a command that somebody is asked to type."""
    if name in published.IN_JOURNAL:
        return True
    with suppress(VaultError):
        return encode_path(parse_path(name)) == name
    return False


def _of(origin: str, faults: Sequence[Finding]) -> list[Finding]:
    return [item for item in faults if item.where == origin or item.where.startswith((f"{origin}:", f"{origin}/"))]


def _with_beside(name: str) -> list[str]:
    """A file that a finding names; of a bundle the tile that states its hashes too, and the other way round."""
    with suppress(VaultError):
        path = parse_path(name)
        if not path.level:  # entries, or the tile above them
            other = TilePath(level=0 if path.level is None else None, index=path.index, width=path.width)
            return [name, encode_path(other)]
    return [name]


def _read(directory: Path, name: str, most: int = MOST_BUNDLE) -> bytes | None:
    with suppress(VaultError, OSError, ValueError):
        return read_file(directory, name, most)
    return None


def _head(origin: str, copied: Mapping[str, bytes], own: TrustPolicy | None) -> tuple[dict[str, bytes], str]:
    """The signed head as files, and the command that verifies it."""
    with suppress(VaultError, UnicodeDecodeError, StopIteration, KeyError):
        key = own.log(origin) if own is not None else None
        whose = "your policy" if key is not None else "the directory's own file vkey"
        if key is None:
            key = parse_vkey(copied[published.VKEY].decode().removesuffix("\n"))
        note = parse_note(copied[published.CHECKPOINT])
        blob = next(line.blob for line in note.signatures if (line.name, line.key_id) == (origin, key.key_id))
        answer = texts.answered(key.public_key, note.text, blob)
        text = f"\nThe head, with the key in writer.pem that {whose} names:\n\n{answer}"
        first = note.text.split(b"\n")[0].decode("utf-8", "replace")
        if first != origin:
            text += f"\nIts first line names another journal than the one in whose place it stands: {plain(first)}\n"
        return {"head.txt": note.text, "head.sig": blob, "writer.pem": pem_of(key.public_key)}, text
    return {}, "\nIts head, or the key that should verify it, cannot be read.\n"


def _entries(copied: Mapping[str, bytes]) -> tuple[dict[str, bytes], str]:
    """Each entry that does not have the hash that the tile above it states."""
    leaves: dict[str, bytes] = {}
    text = ""
    for name, raw in copied.items():
        with suppress(VaultError):
            path = parse_path(name)
            above = encode_path(TilePath(level=0, index=path.index, width=path.width))
            if path.level is not None or above not in copied:
                continue
            hashes = parse_hashes(copied[above], path.width)
            for at, entry in enumerate(parse_entries(raw, path.width)):
                if tree.leaf_hash(entry) == hashes[at] or len(leaves) >= MOST_FILES:
                    continue
                one = {f"entry-{path.index * 256 + at}.bin": b"\x00" + entry}
                text += "\nAn entry, behind a zero byte, and the hash that the tile states in its place:\n\n"
                text += texts.sums(one)
                text += f"$ od -An -v -tx1 -j {32 * at} -N 32 files/{above} | tr -d ' \\n'\n> {hashes[at].hex()}\n"
                leaves |= one
    return leaves, text
