"""How much a submission may hold before it is a bomb (F04), and who counts.

A unit's workbook has some tens of rows; 50,000 rows of all three tables stay well inside.
"""

from __future__ import annotations

from collections.abc import Mapping

from ledger.reading.formats.refusal import bloated
from ledger.reading.model import Cell, address

MEGABYTE = 1 << 20
#: The file itself, as received.
MAX_FILE = 200 * MEGABYTE
#: One part of a package, unpacked (50,000 rows of 27 columns are about 60 MB of XML).
MAX_PART = 160 * MEGABYTE
#: All parts of a package together, as its directory declares them.
MAX_PACKAGE = 512 * MEGABYTE
#: Above this size a package must not be packed more tightly than `MAX_RATIO`: tables of real
#: figures are packed 10 to 60 times, runs of one byte a thousand times.
RATIO_FROM = 48 * MEGABYTE
MAX_RATIO = 250
#: Entries in a package's directory.
MAX_PARTS = 20_000
#: Cells with content in one workbook.
MAX_CELLS = 2_000_000
#: Characters in all cells together, a shared text counted as often as it is used.
MAX_TEXT = 64_000_000
#: A sheet's grid (last row × last column) is out of proportion above this area when it also has
#: more than `GRID_SHARE` places for each cell with content.
GRID_FROM = 5_000_000
GRID_SHARE = 1_000


def check_grid(name: str, cells: Mapping[tuple[int, int], Cell]) -> None:
    """Raise F04 where the sheet's extent is out of all proportion to its content."""
    if not cells:
        return
    last_row = max(cells)[0]
    if last_row <= GRID_FROM // 16_384:
        return
    last_column = max(column for _, column in cells)
    area = last_row * last_column
    if area > GRID_FROM and area > GRID_SHARE * len(cells):
        raise bloated(
            f"工作表“{name}”只有 {len(cells)} 个单元格有内容，却一直铺到 {address(last_row, last_column)}"
        )
