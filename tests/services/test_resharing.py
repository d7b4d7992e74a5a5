"""Sharing anew: a new set of the same key, which never combines with the old one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.organisation import Organisation
from tests.services.custodians import accept_all, lose, restored, shares_of
from tests.services.handing import opened_case
from vault.errors import NotAllowed, StorageError, UsageError, WrongPassphrase
from vault.services import files
from vault.services.quorum import GivenShare, ShareState, check_shares, read_share_file, recovery_seed
from vault.services.resharing import Reshared, split_again


def again(org: Organisation, to: Path, *, threshold: int = 3, shares: int = 4, **more: object) -> Reshared:
    """Root shares anew."""
    how = {"threshold": threshold, "shares": shares, "shares_dir": to, **more}
    return split_again(org.vault, org.root, shares_of(org), **how)  # type: ignore[arg-type]


def read(made: Reshared) -> list[GivenShare]:
    """The new shares."""
    return [read_share_file(path) for path in made.share_files]


def test_the_new_set_gives_the_same_key(org: Organisation, tmp_path: Path) -> None:
    """Any three of the four, and a restore works with them; the old ones still combine, and that is said."""
    new = read(again(org, tmp_path / "new"))
    seed = recovery_seed(org.vault, shares_of(org))
    assert recovery_seed(org.vault, new[:3]) == recovery_seed(org.vault, new[1:]) == seed
    with pytest.raises(WrongPassphrase, match="have 2 of the 3"):
        recovery_seed(org.vault, new[:2])
    assert check_shares(org.vault, shares_of(org)).proven, "the old set is not dead: docs say so"
    opened_case(org, org.field_1)
    lose(org)
    assert len(accept_all(org, restored(org, given=new[1:]))) == 1


def test_old_and_new_never_combine(org: Organisation, tmp_path: Path) -> None:
    """One old share beside new ones is named as of another set, whichever comes first."""
    new = read(again(org, tmp_path / "new", threshold=2, shares=3))
    for given in ([shares_of(org, 1)[0], new[1]], [new[1], shares_of(org, 1)[0]]):
        quorum = check_shares(org.vault, given)
        assert [share.state for share in quorum.shares] == [ShareState.GOOD, ShareState.OTHER_SET]
        assert (quorum.have, quorum.need, quorum.proven) == (1, 2, False)
        with pytest.raises(WrongPassphrase):
            recovery_seed(org.vault, given)
    quorum = check_shares(org.vault, [shares_of(org, 1)[0], *new])
    assert quorum.shares[0].state is ShareState.OTHER_SET
    assert quorum.proven


def test_who_may_and_with_what(org: Organisation, tmp_path: Path) -> None:
    """Root, with enough shares, to a place outside the vault; otherwise nothing is left anywhere."""
    new = tmp_path / "new"
    with pytest.raises(NotAllowed):
        split_again(org.vault, org.field_1, shares_of(org), threshold=2, shares=3, shares_dir=new)
    with pytest.raises(WrongPassphrase):
        split_again(org.vault, org.root, shares_of(org, 1), threshold=2, shares=3, shares_dir=new)
    for threshold, shares in ((1, 3), (4, 3), (2, 17)):
        with pytest.raises(UsageError):
            again(org, new, threshold=threshold, shares=shares)
    for inside in (org.directory, org.directory / "keys" / "deeper"):
        with pytest.raises(UsageError, match="inside the vault"):
            again(org, inside)
        with pytest.raises(UsageError, match="inside the vault"):
            again(org, new, cards=inside / "cards.html")
    assert again(org, new, dry_run=True).share_files == ()
    assert not new.exists()


def test_a_full_stick_leaves_no_half_set(org: Organisation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three of four written shares are a quorum: they go with the fourth."""
    new, real, left = tmp_path / "new", files.write_private, 3

    def failing(path: Path, data: bytes, *, replace: bool = False) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise StorageError("the stick is full")
        real(path, data, replace=replace)

    monkeypatch.setattr(files, "write_private", failing)
    with pytest.raises(StorageError):
        again(org, new)
    assert list(new.iterdir()) == []
    monkeypatch.undo()
    made = again(org, new, cards=tmp_path / "cards.html")
    assert len(list(new.iterdir())) == 4
    assert made.cards == tmp_path / "cards.html"
    with pytest.raises(UsageError, match="exists already"):
        again(org, new)
    assert len(list(new.iterdir())) == 4
    assert [path.stat().st_mode & 0o077 for path in (*made.share_files, tmp_path / "cards.html")] == [0] * 5
