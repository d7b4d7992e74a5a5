"""`python -m cli` is `fieldvault`."""

from __future__ import annotations

from cli.main import main

main()
