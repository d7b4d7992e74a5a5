"""Recovery shares: SLIP-39 as others have it; too few, mixed or altered shares never give a wrong key in silence."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st
from shamir_mnemonic.wordlist import WORDLIST

from vault.errors import UsageError, WrongPassphrase
from vault.primitives.shares import combine, split, word

PUBLISHED = Path(__file__).resolve().parents[2] / "../shared/vectors/slip39.json"
SECRET = bytes(range(32))
SHARES = split(SECRET, threshold=3, shares=5)
OTHERS = split(SECRET, threshold=3, shares=5)


def test_published_vectors() -> None:
    """SLIP-39's own vectors: a list of [description?, mnemonics, secret in hex or ""], with the passphrase TREZOR.

    Ours are sealed under no passphrase, so that only validity is compared: what is invalid there is refused here.
    """
    if not PUBLISHED.is_file():
        pytest.skip("the published SLIP-39 vectors are not beside the repository (../shared/vectors/slip39.json)")
    refused = 0
    for row in json.loads(PUBLISHED.read_text()):
        mnemonics, secret = (row[1], row[2]) if isinstance(row[0], str) else (row[0], row[1])
        if secret:
            assert len(combine(mnemonics)) == len(secret) // 2
        else:
            refused += 1
            with pytest.raises(WrongPassphrase):
                combine(mnemonics)
    assert refused > 10


@pytest.mark.parametrize("chosen", list(combinations(range(5), 3)), ids=str)
def test_any_quorum_restores(chosen: tuple[int, ...]) -> None:
    """Whichever custodians come, in whatever order."""
    assert combine([SHARES[number] for number in chosen]) == SECRET
    assert combine([SHARES[number] for number in reversed(chosen)]) == SECRET


@settings(max_examples=10, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.integers(2, 4), st.integers(0, 2))
def test_every_secret_survives(secret: bytes, threshold: int, spare: int) -> None:
    """Any 32 bytes, any K of N: K shares restore, K-1 do not."""
    made = split(secret, threshold=threshold, shares=threshold + spare)
    assert all(len(line.split(" ")) == 33 for line in made)
    assert combine(made[-threshold:]) == secret
    with pytest.raises(WrongPassphrase):
        combine(made[: threshold - 1])


def test_too_few_too_many_or_the_same_twice() -> None:
    """K13: below the quorum, above it, and one share counted twice."""
    for given_shares in ((), SHARES[:1], SHARES[:2], (SHARES[0], SHARES[0], SHARES[1])):
        with pytest.raises(WrongPassphrase):
            combine(given_shares)


def test_shares_of_two_sets_do_not_mix() -> None:
    """K13: shares of two ceremonies for the same secret are refused together."""
    with pytest.raises(WrongPassphrase):
        combine([SHARES[0], SHARES[1], OTHERS[2]])
    assert combine(OTHERS[:3]) == SECRET


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2), st.integers(0, 32), st.integers(0, 1023))
def test_a_changed_word_is_noticed(which: int, place: int, index: int) -> None:
    """K13: any one word replaced by any other: refused by the checksum, never a wrong key."""
    words = SHARES[which].split(" ")
    if words[place] == word(index):
        return
    words[place] = word(index)
    changed = [*SHARES[:which], " ".join(words), *SHARES[which + 1 : 3]]
    with pytest.raises(WrongPassphrase):
        combine(changed)


def test_a_malicious_share_is_noticed() -> None:
    """K13: a share with a right checksum over changed data passes alone and fails together: the digest sees it."""
    from shamir_mnemonic.share import Share

    share = Share.from_mnemonic(SHARES[0])
    forged = Share(
        share.identifier,
        share.extendable,
        share.iteration_exponent,
        share.group_index,
        share.group_threshold,
        share.group_count,
        share.index,
        share.member_threshold,
        bytes([share.value[0] ^ 1]) + share.value[1:],
    ).mnemonic()
    assert Share.from_mnemonic(forged).value != share.value, "control: its checksum is right"
    with pytest.raises(WrongPassphrase):
        combine([forged, SHARES[1], SHARES[2]])


@pytest.mark.parametrize("junk", ["", "academic", "not words of the list", "academic " * 33, "\ud55c\uae00"], ids=ascii)
def test_what_is_no_mnemonic_is_refused(junk: str) -> None:
    """Whatever was typed, the refusal is WrongPassphrase, and does not repeat it."""
    with pytest.raises(WrongPassphrase) as caught:
        combine([junk, SHARES[1], SHARES[2]])
    assert not junk or junk not in caught.value.message


@pytest.mark.parametrize(("threshold", "shares"), [(1, 1), (1, 3), (0, 2), (3, 2), (2, 17), (-1, 3)])
def test_quorums_that_make_no_sense(threshold: int, shares: int) -> None:
    """A quorum of one is no protection, one above the count none could meet."""
    with pytest.raises(UsageError):
        split(SECRET, threshold=threshold, shares=shares)


def test_the_words_are_the_published_list() -> None:
    """1,024 words, sorted, unique in their first four letters."""
    words = [word(index) for index in range(1024)]
    assert words == sorted(words) == list(WORDLIST)
    assert len({text[:4] for text in words}) == 1024
    assert (words[0], words[-1]) == ("academic", "zero")


def shown(error: BaseException | None) -> Iterator[str]:
    """The messages that a traceback shows: those of the causes, and of contexts that were not suppressed."""
    while error is not None:
        yield str(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


@pytest.mark.parametrize("last", ["aluminum", "secretword"])
def test_a_custodian_s_words_stay_out_of_the_cause(last: str) -> None:
    """What was typed, mistyped words too, is in no exception that a traceback shows. (The library quotes a mistyped
    word; its exception stays behind as a context that is marked as not to be shown.)"""
    changed = SHARES[0].rsplit(" ", 1)[0] + " " + last
    with pytest.raises(WrongPassphrase) as caught:
        combine([changed, SHARES[1], SHARES[2]])
    chain = list(shown(caught.value))
    assert len(chain) == 1
    # The first four words are the set's number and the quorum: the library may quote them, they hold no secret.
    secret = ({last} | set(SHARES[0].split(" ")[4:])) - set(SHARES[0].split(" ")[:4])
    quoted = {word for text in chain for word in re.findall("[a-z]+", text)}
    assert last not in quoted
    assert not secret & (quoted - set(caught.value.message.split()) - {"checksum", "for", "invalid", "word"})
