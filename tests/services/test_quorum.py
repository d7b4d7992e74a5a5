"""The quorum: what is said of shares, and that a drill writes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.organisation import Organisation
from tests.services.custodians import shares_of
from vault.errors import FormatError, UsageError
from vault.services.quorum import ShareState, check_shares, read_share_file, recovery_seed, typed_share


def test_a_drill_proves_the_key_and_writes_nothing(org: Organisation) -> None:
    """Enough shares: proven, each named, and every file of the vault is what it was."""
    org.close()
    before = {path: path.read_bytes() for path in sorted(org.directory.rglob("*")) if path.is_file()}
    org.reopen()
    quorum = check_shares(org.vault, shares_of(org, 1, 2, 3))
    assert (quorum.have, quorum.need, quorum.proven, quorum.problem) == (3, 2, True, "")
    assert [(share.number, share.state) for share in quorum.shares] == [(n, ShareState.GOOD) for n in (1, 2, 3)]
    org.close()
    assert before == {path: path.read_bytes() for path in sorted(org.directory.rglob("*")) if path.is_file()}
    org.reopen()


def test_typed_words_are_forgiven_what_does_not_matter(org: Organisation) -> None:
    """Capitals, commas, numbers and line breaks; not a word too few."""
    words = shares_of(org, 1)[0].words.split(" ")
    typed = "\n".join(f"{number}. {word.upper()}," for number, word in enumerate(words, start=1))
    assert recovery_seed(org.vault, [typed_share(typed, 1), shares_of(org, 2)[0]])
    with pytest.raises(FormatError, match="32 words and must have 33") as error:
        typed_share(" ".join(words[1:]), 1)
    assert not any(word in error.value.message.split() for word in words)


def test_a_card_with_the_heading_of_another(org: Organisation) -> None:
    """Words under a wrong number or another threshold: somebody edited the card."""
    card = (org.shares_dir / min(path.name for path in org.shares_dir.iterdir())).read_text()
    path = org.home / "edited.txt"
    for wrong in (card.replace("share 1 of 3", "share 2 of 3"), card.replace("any 2", "any 3")):
        path.write_text(wrong)
        (checked,) = check_shares(org.vault, [read_share_file(path)]).shares
        assert checked.state is ShareState.ALTERED
    path.write_text(card)
    (checked,) = check_shares(org.vault, [read_share_file(path)]).shares
    assert checked.state is ShareState.GOOD, "the negative control"


def test_no_share_and_no_share_file(org: Organisation, tmp_path: Path) -> None:
    """Nothing given, something else given, nothing there."""
    with pytest.raises(UsageError, match="no recovery share"):
        check_shares(org.vault, [])
    (tmp_path / "letter.txt").write_text("dear custodian")
    with pytest.raises(FormatError):
        read_share_file(tmp_path / "letter.txt")
    with pytest.raises(UsageError):
        read_share_file(tmp_path / "none.txt")
