"""The files of an evidence folder: hashes spelled out step by step, and the commands that check them.

A line that begins with `$` is typed in the folder, and the lines after it that begin with `>` are what it prints. A
file `...-03.bin` holds exactly the bytes that are hashed: a zero byte and an entry, or a one byte and two hashes of 32
bytes (RFC 6962, 2.1). So `sha256sum` shows each step, and the printed hash stands again in the next file.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from vault.errors import FormatError, IntegrityError, VaultError
from vault.formats.checkpoint import Checkpoint
from vault.formats.note import parse_note
from vault.model import Member, VaultId
from vault.primitives.hashing import sha256
from vault.primitives.signing import verify_signature
from vault.services.evidence import pem_of
from vault.services.findings import Finding, plain

MOST_MESSAGE: Final = 400
VERIFIED: Final = "Signature Verified Successfully"
FAILS: Final = "Signature Verification Failure"
_LONG: Final = 64
"""Bytes of a signature; a cosignature has its time before it."""
_NEUTRAL: Final = b"\x01" + bytes(31)
"""The neutral point of the curve, as it is written down."""
VERIFY: Final = "$ openssl pkeyutl -verify -pubin -inkey writer.pem -rawin -in head.txt -sigfile head.sig"
_EITHER: Final = """\
openssl may accept it: the first half of head.sig is the neutral point of the curve, which no signer makes. Our verifier
refuses it.
"""
_GOOD: Final = f"""\
The head is signed by the journal's writer:

{VERIFY}
> Signature Verified Successfully

Its second line is the number of entries, its third the root over all of them, in base64. In hexadecimal:

$ sed -n 3p head.txt | base64 -d | od -An -v -tx1 | tr -d ' \\n'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Climb:
    """The way from a hash to a root: what is hashed in each step, and the root that comes out."""

    steps: tuple[bytes, ...]
    root: bytes


def name_of(origin: str) -> str:
    """`field-1-1` of an origin."""
    return "-".join(origin.split("/")[2:])


def climb(start: bytes, proof: Sequence[bytes], index: int, size: int) -> Climb:
    """The steps of an inclusion proof (RFC 9162, 2.1.3.2) from number `index` of `size`."""
    node, last, current = index, size - 1, start
    steps = []
    for sibling in proof:
        if last == 0:
            raise IntegrityError("a proof is too long")
        right = bool(node & 1) or node == last
        steps.append(b"\x01" + sibling + current if right else b"\x01" + current + sibling)
        current = sha256(steps[-1])
        if right:
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        node, last = node >> 1, last >> 1
    return Climb(steps=tuple(steps), root=current)


def overview(vault_id: VaultId, findings: Sequence[Finding], folders: Sequence[str]) -> bytes:
    """The README of the whole directory."""
    lines = [
        "What an audit found. Nothing of fieldvault is needed to check it: openssl, sha256sum and a shell.",
        "",
        f"vault  {vault_id}",
        "",
        *map(told, findings),
        "",
    ]
    if folders:
        lines += ["Each folder has a README.txt of its own, with the commands and what they print:", ""]
        lines += [f"    {name}/" for name in folders]
    else:
        lines += ["None of it can be shown by hashes and signatures alone: keep the vault's directory as it is."]
    return ("\n".join(lines) + "\n").encode()


def told(finding: Finding) -> str:
    """A finding on one line of printable ASCII: what it names may be a stranger's file name."""
    return f"{finding.level}  {finding.code}  {plain(finding.where)}: {plain(finding.message, MOST_MESSAGE)}"


def answered(public_key: bytes, text: bytes, signed: bytes) -> str:
    """The command that verifies a signature, and what openssl says of it. Of one whose first half is the neutral point
    the two libraries say different things: ours refuses it, and no signer of RFC 8032 makes one."""
    with suppress(VaultError):
        verify_signature(public_key, text, signed)
        return f"{VERIFY}\n> {VERIFIED}\n"
    if signed[:32] == _NEUTRAL:
        return f"    {VERIFY.removeprefix('$ ')}\n\n{_EITHER}"
    return f"{VERIFY}\n> {FAILS}\n"


def signature(member: Member, note: bytes, origin: str, why: str) -> dict[str, bytes]:
    """A head that stands in the vault as one of the journal `origin`, and is none: `why` is what our verifier says."""
    files = {"note": note, "writer.pem": pem_of(member.keys.signing)}
    try:
        head = parse_note(note)
        first = head.text.split(b"\n")[0].decode("utf-8", "replace")
        lines = [line for line in head.signatures if line.name.startswith("fieldvault/") and len(line.blob) == _LONG]
        blob = next((line.blob for line in lines if line.name == first), None) or lines[0].blob
    except (FormatError, IndexError):
        text = "A row that should hold a signed head. It is no signed note at all: look at the file `note`.\n"
        return {**files, "README.txt": text.encode()}
    answer = answered(member.keys.signing, head.text, blob)
    text = f"A head that stands in the vault as one of {origin}, signed by its writer, and is not: {plain(why)}.\n\n"
    if answer.endswith(f"{VERIFIED}\n"):
        text += "The key in writer.pem, which is the one that root enrolled, did sign this text:\n\n" + answer
        if first == plain(first):
            text += f"\nIts first line says of which journal it is a head:\n\n$ sed -n 1p head.txt\n> {first}\n"
        text += "\nSo it was put where it does not belong, or its lines were changed around a text that was signed.\n"
    else:
        text += f"{answer}\nThe key in writer.pem is the one that root enrolled. The head's text or its signature was "
        text += "changed.\n"
    return {**files, "head.txt": head.text, "head.sig": blob, "README.txt": text.encode()}


def head_files(member: Member, note: bytes, root: bytes) -> tuple[dict[str, bytes], str]:
    """The signed head as files, and the README's part on it."""
    parsed = parse_note(note)
    blob = next(line.blob for line in parsed.signatures if line.name == parsed.text.split(b"\n")[0].decode())
    files = {"head.txt": parsed.text, "head.sig": blob, "writer.pem": pem_of(member.keys.signing)}
    return files, f"{_GOOD}> {root.hex()}\n"


def _root_in(note: bytes) -> bytes:
    return b64decode(parse_note(note).text.split(b"\n")[2])


def sums(files: dict[str, bytes]) -> str:
    """The command that hashes these files, and what it prints."""
    names = sorted(files)
    printed = "\n".join(f"> {sha256(files[name]).hex()}  {name}" for name in names)
    return f"$ sha256sum {' '.join(names)}\n{printed}\n"


def _steps(prefix: str, way: Climb) -> dict[str, bytes]:
    return {f"{prefix}-{number:02}.bin": step for number, step in enumerate(way.steps, start=1)}


def changed(
    member: Member, note: bytes, pair: int, entries: Sequence[bytes], above: Climb | None, computed: Climb | None
) -> dict[str, bytes]:
    """One entry, or two neighbours, that are not those whose hash stands under the signed root."""
    files, told = head_files(member, note, _root_in(note))
    leaves = {f"entry-{pair + at}.bin": b"\x00" + entry for at, entry in enumerate(entries)}
    which = " and ".join(str(pair + at) for at in range(len(entries)))
    text = f"Entry {which} of a journal: not what its writer signed.\n\n{told}\n"
    text += f"The entries as they are here, each behind a zero byte:\n\n{sums(leaves)}\n"
    files |= leaves
    if above is not None and len(entries) == 2:
        both = {"pair.bin": b"\x01" + b"".join(map(sha256, leaves.values()))}
        stored = _steps("stored", above)
        text += f"A one byte and these two hashes, which is what stands above them in the tree:\n\n{sums(both)}\n"
        text += f"The vault has another hash there:\n\n    {_start(above, note, pair).hex()}\n\n"
        text += (
            "That one leads to the signed root: each hash stands in the next file, and the last one is the root.\n\n"
        )
        text += f"{sums(stored) if stored else '    it is the root itself'}\n"
        text += "So the entries were changed, one or both, after the head was signed.\n"
        files |= both | stored
    elif computed is not None:
        way = _steps("computed", computed)
        text += "With the rest of the tree they lead to another root than the signed one:\n\n"
        text += f"{sums(way) if way else '    the hash above is the root itself'}\n"
        files |= way
    return {**files, "README.txt": text.encode()}


def _start(above: Climb, note: bytes, pair: int) -> bytes:
    """The hash from which a way up begins: the half of its first step that is not the neighbour's."""
    if not above.steps:
        return _root_in(note)
    first = above.steps[0]
    size = int(parse_note(note).text.split(b"\n")[1])
    index, last = pair >> 1, ((size + 1) >> 1) - 1
    return first[33:] if index & 1 or index == last else first[1:33]


def missing(
    member: Member, note: bytes, head: Checkpoint, seq: int, neighbour: bytes | None, above: Climb | None
) -> dict[str, bytes]:
    """An entry that the signed root covers, and that is not here."""
    files, told = head_files(member, note, head.root)
    text = (
        f"Entry {seq} of a journal is not here, and the signed head covers {head.size} entries, 0 to {head.size - 1}.\n"
    )
    text += f"\n{told}\n"
    if neighbour is None or above is None:
        text += "Whoever has the entry can show it: with all others it leads to that root.\n"
        return {**files, "README.txt": text.encode()}
    beside = {f"entry-{seq ^ 1}.bin": b"\x00" + neighbour}
    stored = _steps("stored", above)
    wanted = _start(above, note, seq & ~1)
    order = "missing.hash beside.hash" if not seq & 1 else "beside.hash missing.hash"
    text += f"Its neighbour is here, behind a zero byte:\n\n{sums(beside)}\n"
    text += (
        "The hash above the two is this one, and it leads to the signed root: each hash stands in the next file.\n\n"
    )
    text += f"    {wanted.hex()}\n\n{sums(stored) if stored else '    it is the root itself'}\n\n"
    text += (
        "So an entry was there when the head was signed. Whoever claims to have it gives a file `claimed`; it is the\n"
    )
    text += "one if the last of these commands prints the hash above:\n\n"
    text += "    printf '\\000' | cat - claimed | openssl dgst -sha256 -binary > missing.hash\n"
    text += f"    openssl dgst -sha256 -binary entry-{seq ^ 1}.bin > beside.hash\n"
    text += f"    (printf '\\001'; cat {order}) | sha256sum\n"
    return {**files, **beside, **stored, "README.txt": text.encode()}


def prefix(proof: Sequence[bytes], shorter: Checkpoint, longer: Checkpoint, at: bytes) -> dict[str, bytes]:
    """The steps of a consistency proof (RFC 9162, 2.1.4.2): how the entries here lead to the longer head, and what they
    lead to at the size of the shorter one."""
    hashes = list(proof) if shorter.size & (shorter.size - 1) else [at, *proof]
    node, last = shorter.size - 1, longer.size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    first = second = hashes[0] if hashes else at
    before, whole = [], []
    for item in hashes[1:]:
        if node & 1 or node == last:
            before.append(b"\x01" + item + first)
            whole.append(b"\x01" + item + second)
            first = sha256(before[-1])
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            whole.append(b"\x01" + second + item)
        second = sha256(whole[-1])
        node, last = node >> 1, last >> 1
    files = {f"before-{number:02}.bin": step for number, step in enumerate(before, start=1)}
    files |= {f"whole-{number:02}.bin": step for number, step in enumerate(whole, start=1)}
    text = f"""\
How the entries of the longer head (ours.txt, {longer.size} entries) begin: a consistency proof, step by step. Both ways
start from the hash {(hashes[0] if hashes else at).hex()}.

"before" is the tree of the first {shorter.size} entries, "whole" the tree of all {longer.size}; the hashes that come
in from the side are the same. The last of "whole" is the root that ours.txt states; the last of "before" (or, where
there is none, the hash above) is what the first {shorter.size} entries lead to:

    {at.hex()}

and that is not what theirs.txt states.

{sums(files) if files else ""}
$ sed -n 3p ours.txt | base64 -d | od -An -v -tx1 | tr -d ' \\n'
> {longer.root.hex()}
$ sed -n 3p theirs.txt | base64 -d | od -An -v -tx1 | tr -d ' \\n'
> {shorter.root.hex()}
"""
    return {**files, "HASHES.txt": text.encode()}
