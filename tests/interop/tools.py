"""Every verifier over one case, each started as a program of its own: null where it accepts, else what it says."""

from __future__ import annotations

import json
import shutil
import subprocess
from base64 import b64encode
from pathlib import Path
from typing import Final

from tests.interop.logs import Case
from tests.interop.prepare import CHECKER, PYTHON
from vault.errors import VaultError
from vault.formats.note import parse_vkey
from vault.formats.tlog_policy import parse_policy
from vault.services.audit import FOUND_SOMETHING
from vault.services.audit_prove import verify_proof
from vault.services.audit_tiles import verify_published

OURS: Final = "fieldvault"
PYTHON_TOOLS: Final = ("aics-tlog", "tlog-scales", "sigstore", "pymerkle")
FOREIGN: Final = ("x/mod", *PYTHON_TOOLS, "openssl")
VERIFIERS: Final = (OURS, *FOREIGN)
SECONDS: Final = 60
"""A verifier that takes longer hangs."""

_FOREIGN_PY: Final = Path(__file__).resolve().parent / "foreign.py"
_DER: Final = bytes.fromhex("302a300506032b6570032100")


def verdicts(case: Case, policy: Path) -> dict[str, str | None]:
    """What every verifier says."""
    return {OURS: ours(case, policy), "x/mod": x_mod(case), **python_tools(case), "openssl": openssl(case)}


def ours(case: Case, policy: Path) -> str | None:
    """The program: the published directory against the kept head, and the proof."""
    kept = _file(case, "kept.note", case.kept)
    report = verify_published(case.shown.path, policy=policy, heads=[str(kept)])
    if report.verdict == FOUND_SOMETHING:
        return "; ".join(f"{item.level} {item.code}: {item.message}" for item in report.findings)
    try:
        verify_proof(case.proof(), parse_policy(policy.read_bytes()), case.leaf)
    except VaultError as error:
        return f"proof: {error.message}"
    return None


def x_mod(case: Case) -> str | None:
    """The Go program over golang.org/x/mod/sumdb."""
    command = [str(CHECKER), "-vkey", case.vkey, "-old", str(_file(case, "kept.note", case.kept))]
    command += ["-proof", str(_file(case, "proof", case.proof())), "-leaf", str(_file(case, "leaf", case.leaf))]
    done = subprocess.run([*command, str(case.folder)], capture_output=True, check=False, timeout=SECONDS, text=True)
    assert not done.stderr, done.stderr
    return done.stdout.strip() if done.returncode else None


def python_tools(case: Case, tools: tuple[str, ...] = PYTHON_TOOLS) -> dict[str, str | None]:
    """The Python packages."""
    asked = {
        "folder": str(case.folder),
        "vkey": case.vkey,
        "witness": case.witness,
        "kept": str(_file(case, "kept.note", case.kept)),
        "index": case.index,
        "hashes": [b64encode(item).decode() for item in case.hashes],
        "leaf": b64encode(case.leaf).decode(),
        "tools": tools,
    }
    command = [str(PYTHON), "-I", str(_FOREIGN_PY)]
    done = subprocess.run(command, input=json.dumps(asked).encode(), capture_output=True, check=False, timeout=SECONDS)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    found: dict[str, str | None] = json.loads(done.stdout)
    return found


def openssl(case: Case) -> str | None:
    """The journal's signature and the witness's, as anybody with a shell can check them."""
    text, _, lines = case.checkpoint.rpartition(b"\n\n")
    for vkey, skip in ((case.vkey, 0), *([(case.witness, 8)] if case.witness else [])):
        blob = _blob(lines, vkey)
        if blob is None:
            return f"no signature of {vkey}"
        message = text + b"\n"
        if skip:
            message = b"cosignature/v1\ntime %d\n" % int.from_bytes(blob[:skip], "big") + message
        if not _openssl_verifies(case, parse_vkey(vkey).public_key, message, blob[skip:]):
            return f"Signature Verification Failure: {vkey}"
    return None


def _blob(lines: bytes, vkey: str) -> bytes | None:
    """The signature under a key in a note's signature lines, cut out as the shell does: by name, then by key ID."""
    name, wanted = vkey.split("+", 2)[:2]
    for line in lines.split(b"\n"):
        fields = line.split(b" ")
        if len(fields) == 3 and fields[1] == name.encode():
            raw = subprocess.run(["base64", "-d"], input=fields[2], capture_output=True, check=True).stdout
            if raw[:4].hex() == wanted:
                return raw[4:]
    return None


def _openssl_verifies(case: Case, key: bytes, message: bytes, signature: bytes) -> bool:
    program = shutil.which("openssl")
    assert program, "openssl is not installed"
    command = [program, "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-rawin"]
    command += ["-inkey", str(_file(case, "key", _DER + key)), "-in", str(_file(case, "message", message))]
    command += ["-sigfile", str(_file(case, "signature", signature))]
    return subprocess.run(command, capture_output=True, check=False, timeout=SECONDS).returncode == 0


def _file(case: Case, name: str, raw: bytes) -> Path:
    path = case.home / name
    path.write_bytes(raw)
    return path
