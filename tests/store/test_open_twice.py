"""What is read of the database file while SQLite has it open in the same process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.building import complete, environment
from vault.services.audit import verify_vault
from vault.services.vault import Vault
from vault.store import connect
from vault.store.schema import HEADER_BYTES

HELD = """
import fcntl, struct, sys
handle = open(sys.argv[1], "rb")
asked = struct.pack("hhqqi", fcntl.F_WRLCK, 0, 0x40000000, 512, 0)
kind = struct.unpack("hhqqi", fcntl.fcntl(handle, fcntl.F_GETLK, asked))[0]
sys.exit(0 if kind != fcntl.F_UNLCK else 1)
"""
"""Asks the system, in another process, whether anybody holds a lock in SQLite's range of bytes."""


def locked(path: Path) -> bool:
    """Whether another process holds SQLite's lock on the file."""
    return subprocess.run([sys.executable, "-c", HELD, str(path)], check=False).returncode == 0


@pytest.mark.skipif(sys.platform != "linux", reason="POSIX locks are asked for as Linux lays them out")
def test_an_audit_drops_no_lock(tmp_path: Path) -> None:
    """While a vault is open its lock stays, whatever the audit reads of the file; control: closing any descriptor of
    the file in this process drops it."""
    directory = complete().copy(tmp_path / "vault")
    path = directory / "vault.db"
    with Vault.open(directory, environment()) as vault:
        vault.journals()
        assert locked(path)
        assert verify_vault(directory).findings == ()
        assert locked(path)
        os.close(os.open(path, os.O_RDONLY))
        assert not locked(path), "negative control"
    assert not locked(path)


def test_the_first_bytes_are_the_same_either_way(tmp_path: Path) -> None:
    """Read through SQLite or by ourselves, header and size agree with the file."""
    directory = complete().copy(tmp_path / "vault")
    path = directory / "vault.db"
    alone = connect.first_bytes(path)
    with Vault.open(directory, environment()):
        assert connect.first_bytes(path) == alone
    assert alone == (path.read_bytes()[:HEADER_BYTES], path.stat().st_size)
