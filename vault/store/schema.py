"""The tables of `vault.db`, and the triggers that keep bugs from rewriting history.

    setting       name -> value: the vault id
    journal       a journal's number here and its origin
    leaf          the exact bytes of each entry
    node          the perfect subtrees above the leaves: (level >= 1, idx) -> hash
    checkpoint    every signed note, by size
    part          sealed bytes that leaves commit to             (rows may be deleted: erasure)
    wrap          keys sealed to somebody, likewise              (rows may be deleted: erasure, revocation)
    codebook      the codebook's TOML bytes by digest
    head          signed heads that came from elsewhere, and those that we cosigned: this laptop's memory
    lock          journals under review, with the two signed notes that contradict each other
                  (that of a restored laptop may be deleted: root's, once everything is back; a fork's never)

The text below is the schema, byte for byte: opening compares what SQLite holds with it, and the audit reports any
difference, so an extra trigger or view in a vault that came back from a search is noticed.
"""

from __future__ import annotations

from typing import Final

APPLICATION_ID: Final = 0x66765631
"""`fvV1`, in the database header."""
USER_VERSION: Final = 1
PAGE_SIZE: Final = 4096
MAGIC: Final = b"SQLite format 3\x00"
HEADER_BYTES: Final = 100

_COLUMNS: Final = {
    "setting": "name TEXT NOT NULL PRIMARY KEY, value BLOB NOT NULL",
    "journal": "id INTEGER NOT NULL PRIMARY KEY, origin TEXT NOT NULL",
    "leaf": "journal INTEGER NOT NULL, seq INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (journal, seq)",
    "node": """journal INTEGER NOT NULL, level INTEGER NOT NULL, idx INTEGER NOT NULL, hash BLOB NOT NULL,
        PRIMARY KEY (journal, level, idx)""",
    "checkpoint": "journal INTEGER NOT NULL, size INTEGER NOT NULL, note BLOB NOT NULL, PRIMARY KEY (journal, size)",
    "part": """journal INTEGER NOT NULL, seq INTEGER NOT NULL, layer TEXT NOT NULL, bytes BLOB NOT NULL,
        PRIMARY KEY (journal, seq, layer)""",
    "wrap": """journal INTEGER NOT NULL, recipient BLOB NOT NULL, purpose TEXT NOT NULL, seq INTEGER NOT NULL,
        position INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (journal, recipient, purpose, seq, position)""",
    "codebook": "digest BLOB NOT NULL PRIMARY KEY, bytes BLOB NOT NULL",
    "head": """origin TEXT NOT NULL, size INTEGER NOT NULL, digest BLOB NOT NULL, note BLOB NOT NULL,
        PRIMARY KEY (origin, size, digest)""",
    "lock": "origin TEXT NOT NULL PRIMARY KEY, reason TEXT NOT NULL, ours BLOB NOT NULL, theirs BLOB NOT NULL",
}
TABLE_NAMES: Final = tuple(_COLUMNS)
TABLES: Final = tuple(f"CREATE TABLE {name} ({columns}) STRICT, WITHOUT ROWID" for name, columns in _COLUMNS.items())

_APPEND_ONLY = ("journal", "leaf", "node", "checkpoint", "codebook", "setting", "head", "lock")
_DELETABLE = ("part", "wrap")
_WHEN = {"lock": " WHEN OLD.reason <> 'restored'"}
"""Rows of append-only tables that may be deleted all the same are those of which this is not true."""

TRIGGERS: Final = (
    *(
        f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table}"
        f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        for table in _APPEND_ONLY + _DELETABLE
    ),
    *(
        f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table}{_WHEN.get(table, '')}"
        f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        for table in _APPEND_ONLY
    ),
)

STATEMENTS: Final = TABLES + TRIGGERS


def _schema_row(statement: str) -> tuple[str, str, str, str]:
    """(type, name, table, sql), as `sqlite_schema` holds a statement."""
    words = statement.split()
    kind, name = words[1].lower(), words[2]
    return kind, name, words[words.index("ON") + 1] if kind == "trigger" else name, statement


SCHEMA_ROWS: Final = tuple(map(_schema_row, STATEMENTS))

PRAGMAS: Final = (
    ("journal_mode", "wal", "wal"),
    ("synchronous", "full", 2),
    ("secure_delete", "on", 1),
    ("temp_store", "memory", 2),
    ("mmap_size", "0", 0),
    ("cell_size_check", "on", 1),
    ("trusted_schema", "off", 0),
    ("recursive_triggers", "on", 1),
)
"""Name, what is set, what must be read back. SQLite ignores a misspelt pragma silently; `connect` does not."""
