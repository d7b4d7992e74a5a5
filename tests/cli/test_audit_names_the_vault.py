"""`audit verify` says which vault it looked at: the id that pins root's keys, to compare with the one written down."""

from __future__ import annotations

import json

import pytest

from cli.main import run
from tests.organisation import Organisation, rows_of

OTHER = "0" * 32


def _verify(org: Organisation, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, str]:
    capsys.readouterr()
    code = run(["audit", "verify", "-C", str(org.directory), *options])
    return code, capsys.readouterr().out


def test_the_vault_id_stands_above_the_verdict(org: Organisation, capsys: pytest.CaptureFixture[str]) -> None:
    """On a line of its own, whole, before the verdict, which is read last."""
    code, out = _verify(org, capsys)
    lines = [line.split() for line in out.splitlines()]
    assert code == 0
    assert ["vault:", org.vault.vault_id] in lines
    assert lines.index(["vault:", org.vault.vault_id]) < len(lines) - 1
    assert OTHER not in out, "negative control"


def test_the_vault_id_stands_in_the_json(org: Organisation, capsys: pytest.CaptureFixture[str]) -> None:
    """Under the key that `init` and `health` use."""
    code, out = _verify(org, capsys, "--json")
    found = json.loads(out)
    assert (code, found["vault_id"], found["verdict"]) == (0, org.vault.vault_id, "intact, NOT anchored")
    assert found["vault_id"] != OTHER, "negative control"


def test_the_id_is_the_one_of_the_vault_that_was_looked_at(
    org: Organisation, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not a constant: a database that claims another id is named by that id, and is a finding."""
    org.close()
    with rows_of(org.directory) as rows:
        rows.run("UPDATE setting SET value = ?", OTHER.encode())
    code, out = _verify(org, capsys)
    assert code == 20
    assert ["vault:", OTHER] in [line.split() for line in out.splitlines()]
    code, out = _verify(org, capsys, "--json")
    assert (code, json.loads(out)["vault_id"]) == (20, OTHER)
