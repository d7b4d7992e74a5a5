"""The name of a journal.

    fieldvault/4f0d1c2a9b8e7d6c5b4a39281706f5e4/field-7/1

Vault id: 32 lowercase hex digits. Handle: a lowercase letter, then up to 31 of a-z, 0-9 and inner hyphens. Epoch: a
decimal from 1, without leading zeros. The origin is also the key name of the journal's checkpoints (C2SP
tlog-checkpoint), so it holds no space and no plus sign.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from vault.errors import FormatError, UsageError
from vault.model import Handle, Origin, VaultId

_HANDLE = r"[a-z](?:[a-z0-9-]{0,30}[a-z0-9])?"
_ORIGIN = re.compile(rf"fieldvault/([0-9a-f]{{32}})/({_HANDLE})/([1-9][0-9]{{0,8}})", re.ASCII)
_ONLY_HANDLE = re.compile(_HANDLE, re.ASCII)
_VAULT_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)

ROOT = Handle("root")
"""The handle of the organisation's root, whose journal is the roster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginName:
    """The three parts of an origin."""

    vault_id: VaultId
    handle: Handle
    epoch: int


def parse_origin(text: str) -> OriginName:
    """The parts of an origin. Raises FormatError."""
    match = _ORIGIN.fullmatch(text)
    if match is None:
        raise FormatError("a journal's origin is not of the form fieldvault/<vault id>/<handle>/<epoch>")
    return OriginName(vault_id=VaultId(match[1]), handle=Handle(match[2]), epoch=int(match[3]))


def encode_origin(name: OriginName) -> Origin:
    """The inverse of `parse_origin`."""
    return Origin(f"fieldvault/{name.vault_id}/{name.handle}/{name.epoch}")


def origin_of(vault_id: VaultId, handle: Handle, epoch: int) -> Origin:
    """The origin of one member's journal in one epoch."""
    return encode_origin(OriginName(vault_id=vault_id, handle=handle, epoch=epoch))


def short_name(origin: str) -> str:
    """`field-7/1` of an origin: whose journal, and which epoch of it, as people say it."""
    return "/".join(origin.split("/")[2:])


def is_vault_id(text: str) -> bool:
    """Whether `text` has the form of a vault id."""
    return _VAULT_ID.fullmatch(text) is not None


def is_handle(text: str) -> bool:
    """Whether `text` has the form of a handle."""
    return _ONLY_HANDLE.fullmatch(text) is not None


def check_handle(text: str) -> Handle:
    """`text` as a handle. Raises UsageError: a handle is chosen by a person."""
    if not is_handle(text):
        raise UsageError(
            "a handle is 1 to 32 of a-z, 0-9 and -, and starts with a letter",
            hint='choose a name that says nothing about a person or a place, such as "field-7"',
        )
    return Handle(text)
