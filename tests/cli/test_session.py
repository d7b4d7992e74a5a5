"""To whom a bundle brings the news first: somebody who works on another laptop."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from cli.session import hubs_elsewhere, whom_to_tell

if TYPE_CHECKING:
    from vault import Vault

MEMBERS = {"root": "root", "field-1": "recorder", "hub-1": "hub", "hub-2": "hub", "director-1": "director"}


@pytest.mark.parametrize(
    ("here", "revoked", "hubs", "told"),
    [
        (["field-1"], [], ("hub-1", "hub-2"), "hub-1"),
        (["field-1"], ["hub-1"], ("hub-2",), "hub-2"),
        (["root", "hub-1"], [], ("hub-2",), "hub-2"),
        (["root", "hub-1"], ["hub-2"], (), "field-1"),
        (["hub-1", "hub-2"], ["field-1"], (), "director-1"),
        (["hub-1", "hub-2", "field-1", "director-1"], [], (), None),
    ],
)
def test_a_bundle_is_for_somebody_else(
    here: list[str], revoked: list[str], hubs: tuple[str, ...], told: str | None
) -> None:
    """Not for a member whose key is here, nor for one who was revoked, nor for root, who reads none."""
    members = [SimpleNamespace(handle=name, role=role, revoked=name in revoked) for name, role in MEMBERS.items()]
    found = cast("Vault", SimpleNamespace(members=members, keys_here=here))
    assert (hubs_elsewhere(found), whom_to_tell(found)) == (hubs, told)
