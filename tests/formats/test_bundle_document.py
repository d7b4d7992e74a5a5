"""docs/format.md says of bundles what the program does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.vectors import bundles
from vault.formats import bundle, bundle_frames, bundle_order, keyfile, leaf, note
from vault.formats.bundle import encode_item
from vault.formats.padme import padme

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "format.md").read_text(encoding="utf-8")
SECTION = " ".join(TEXT[TEXT.index("## 17. Bundles") :].partition("\n## 18")[0].split())
PLACES = ", ".join(map(str, bundle_frames.PLACES[:-1])) + f" or {bundle_frames.PLACES[-1]}"


@pytest.mark.parametrize(
    "statement",
    [
        f"| {len(bundle_frames.MAGIC)} | `{bundle_frames.MAGIC.decode().strip()}` LF",
        f"`u16(places)`: {PLACES}",
        f"| {bundle_frames.WRAP:,} for each place |",
        f"| {bundle_frames.COMMITMENT} | commitment |",
        f"| {bundle_frames.STREAM_HEADER} | stream header |",
        f"| {bundle_frames.SEALED_FRAME:,} for each frame |",
        f"{bundle_frames.FRAME:,} bytes of content each, which sealing makes {bundle_frames.FRAME_OVERHEAD} longer",
        f"An item has 1 to {bundle.MOST_ITEM:,} bytes",
        f"at most 2 GiB ({bundle_frames.MOST_BYTES:,} bytes)",
        f"1 to {bundle.MOST_RECIPIENTS}, none twice",
        f"name, at most {keyfile.MOST_NAME} bytes",
        f"each at most {note.MOST_BYTES >> 10} KiB",
        f"each 1 to {leaf.MOST_BYTES:,} bytes",
        f"At most {bundle_order.MOST_JOURNALS:,} sections and {bundle_order.MOST_ITEMS:,} items",
        f"a header, {bundle_frames.COMMITMENT + bundle_frames.STREAM_HEADER} bytes and an allowed number of frames",
    ],
)
def test_every_number_is_the_program_s(statement: str) -> None:
    """Sizes and bounds in the document are those in the source."""
    assert statement in SECTION


@pytest.mark.parametrize("name", [*bundles.ITEMS, "signed"])
def test_every_item_is_in_the_document(name: str) -> None:
    """Each with as many fields as it has."""
    rows = [row for row in SECTION.split("`") if row.startswith(f'["{name}"')]
    assert rows
    item = bundles.ITEMS.get(name, bundles.SIGNED)
    written = rows[0].replace("[seq, layer, part]", "row").replace("[recipient, purpose, seq, position, wrap]", "row")
    assert written.count(",") == encode_item(item)[0] - 0x90 - 1


def test_the_numbers_of_frames_are_padme_s() -> None:
    """As listed."""
    numbers = sorted({padme(frames) for frames in range(1, 37)})
    assert numbers == [*range(1, 9), *range(10, 33, 2), 36]
    assert "1 to 8, 10, 12, ... 32, 36, ..." in SECTION
