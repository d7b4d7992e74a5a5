"""The digest under which a release was entered, and its salt: optional, in one form, and checked by anybody."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256

import pytest

from tests.formats.test_release import RELEASE
from vault.errors import FormatError
from vault.formats.release import Release
from vault.formats.release_csv import encode_csv
from vault.formats.release_html import encode_html
from vault.formats.release_json import encode_json, parse_json
from vault.formats.release_markdown import encode_markdown


def entered(release: Release) -> Release:
    """The release as it leaves, once its digest stands in the director's journal."""
    return replace(release, digest=sha256(encode_json(replace(release, digest=None))).hexdigest())


def test_the_digest_is_that_of_the_json_without_it() -> None:
    """Whoever holds the file takes one line out, hashes the rest, and finds the entry in the director's journal."""
    release = entered(RELEASE)
    raw = encode_json(release)
    line = f' "release": "{release.digest}",\n'.encode()
    assert raw.count(line) == 1
    assert raw.replace(line, b"") == encode_json(RELEASE)
    assert sha256(raw.replace(line, b"")).hexdigest() == release.digest
    assert parse_json(raw) == release


def test_the_digest_covers_the_salt() -> None:
    """Two salts, two digests: whoever sees the entry and not the release cannot try out what it may hold."""
    salted = [entered(replace(RELEASE, salt=digit * 64)) for digit in "01"]
    assert len({release.digest for release in [*salted, entered(RELEASE)]}) == 3
    for release in salted:
        assert json.loads(encode_json(release))["salt"] == release.salt
        assert parse_json(encode_json(release)) == release
        for encode in (encode_csv, encode_markdown, encode_html):
            assert str(release.salt) not in encode(release).decode()


def test_without_a_digest_the_json_has_no_such_key() -> None:
    """The key is optional, and absent rather than null: a dry run was entered nowhere."""
    assert not {"release", "salt"} & set(json.loads(encode_json(RELEASE)))
    assert parse_json(encode_json(RELEASE)).digest is None
    assert set(json.loads(encode_json(entered(RELEASE)))) - set(json.loads(encode_json(RELEASE))) == {"release"}


@pytest.mark.parametrize("value", [b"null", b"7", b"true", b"[]", b"{}"], ids=["null", "number", "true", "list", "map"])
def test_a_digest_of_another_type_is_refused(value: bytes) -> None:
    """There is one way to have none, and it is a text."""
    release = entered(RELEASE)
    raw = encode_json(release)
    changed = raw.replace(f'"{release.digest}"'.encode(), value)
    assert changed != raw
    with pytest.raises(FormatError):
        parse_json(changed)


BAD_DIGESTS = {
    "empty": "",
    "63 digits": "0" * 63,
    "65 digits": "0" * 65,
    "capitals": "A" * 64,
    "no hex": "g" * 64,
    "markup": "<img src=x>",
    "newline after": "0" * 64 + "\n",
    "full width": "\uff10" * 64,
}


@pytest.mark.parametrize("field", ["digest", "salt"])
@pytest.mark.parametrize("text", BAD_DIGESTS.values(), ids=BAD_DIGESTS)
def test_digest_and_salt_are_64_hexadecimal_digits(text: str, field: str) -> None:
    """Nothing else can be the name of an entry: refused when the release is made and when it is read."""
    assert replace(RELEASE, digest="0" * 64, salt="f" * 64).digest == "0" * 64, "control"
    with pytest.raises(FormatError):
        replace(RELEASE, digest=text if field == "digest" else None, salt=text if field == "salt" else None)


def test_people_see_the_digest_where_it_belongs() -> None:
    """Markdown, HTML and the CSV's method column say under which digest a release was entered."""
    release = entered(RELEASE)
    assert release.digest is not None
    line = f"Entered in the director's journal as `{release.digest}`."
    assert encode_markdown(release).decode().count(line) == 1
    shown = f"<p>Entered in the director's journal as <code>{release.digest}</code></p>"
    assert encode_html(release).decode().count(shown) == 1
    rows = encode_csv(release).decode().splitlines()[1:]
    assert all(f" release {release.digest} from " in row for row in rows)
    assert "release" not in encode_csv(RELEASE).decode().splitlines()[1]
    for encode in (encode_markdown, encode_html):
        assert "Entered in" not in encode(RELEASE).decode()
