"""Which characters the prepared fonts can set.

A page with a blank square is not issued (ledger.reporting.pdf). A symbol that a unit pasted into a
remark must not hold up the county's report either: it is printed as 〓, the printers' mark, while
the ledger and the data workbook keep it.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from ledger.reporting.pdf import FONTS
from ledger.reporting.texts import GETA

#: Beyond these (Latin, Chinese punctuation, the 20,902 characters of every Chinese font) the
#: fonts are asked.
_USUAL = re.compile(r"[\x00-\x7e\u4e00-\u9fa5\u3000-\u3011\uff01-\uff5e“”‘’…—·×÷→●▲■○▼┆┄〓※＊]+")


@cache
def _covered(fonts: Path) -> frozenset[int]:
    """The code points that the font which ends every stack has a glyph for."""
    from fontTools.ttLib import TTFont

    path = fonts / "rare.ttf"
    if not path.is_file():
        return frozenset()
    with TTFont(path, lazy=True) as font:
        assert font.reader is not None
        return frozenset(_code_points(font.reader["cmap"]))


def _code_points(cmap: bytes) -> Iterator[int]:
    """The code points of a ``cmap`` table, from its subtable of format 12 (OpenType, cmap), which
    has all of them. fontTools' own reading names every glyph as well, which takes ten times as long."""
    for _, _, offset in struct.iter_unpack(">HHI", cmap[4 : 4 + 8 * int.from_bytes(cmap[2:4], "big")]):
        if int.from_bytes(cmap[offset : offset + 2], "big") == 12:
            size = int.from_bytes(cmap[offset + 4 : offset + 8], "big")
            for first, last, _ in struct.iter_unpack(">III", cmap[offset + 16 : offset + size]):
                yield from range(first, last + 1)
            return


def settable(text: str, fonts: Path = FONTS) -> str:
    """`text` with 〓 for each character that the fonts lack; unchanged where none is in doubt."""
    doubtful = {char for char in _USUAL.sub("", text) if not char.isspace()}
    if not doubtful:
        return text
    covered = _covered(fonts)
    missing = {ord(char): GETA for char in doubtful if ord(char) not in covered}
    return text.translate(missing) if covered and missing else text
