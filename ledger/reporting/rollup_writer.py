"""The roll-up's files: a PDF, an HTML page, a data workbook and a CSV for each area.

The same programmes give the same bytes; a file that is there already is left alone, and a PDF is
set only where its HTML has changed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from pathlib import Path

from ledger.errors import UsageError
from ledger.reporting.glyphs import settable
from ledger.reporting.html import rollup_html
from ledger.reporting.pdf import is_of
from ledger.reporting.press import print_pdf
from ledger.reporting.rollup_build import build_rollup, full_name
from ledger.reporting.rollup_model import Area, Words
from ledger.reporting.rollup_rows import rollup_csv, rollup_workbook
from ledger.reporting.writer import clear_unfinished, put
from schemas.month import Month
from schemas.rollup import LEVEL_WORDS, Level

_FORBIDDEN_IN_NAME = re.compile(r'[\\/:*?"<>|\x00-\x1f]')


def write_rollup(
    folder: Path,
    month: Month,
    nation: Area,
    words: Words,
    *,
    levels: Collection[Level] = (),
    progress: Callable[[str], None] = lambda _: None,
) -> list[Path]:
    """Write every area's files into `folder` (全国 there, the others below); of `levels` alone
    where some are given. What belongs to no area any more is removed.

    Raises PdfError where a page can't be set, UsageError where the folder can't be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"文件夹 {folder} 建不起来（{error.strerror}），请核对 --out。") from error
    clear_unfinished(folder)
    written: list[Path] = []
    for area in nation.each():
        if levels and area.level not in levels:
            continue
        progress(full_name(area))
        written += _write(_stem(folder, month, area), month, area, words)
    if not levels:
        for stale in set(folder.rglob(f"汇总-{month}-*.*")) - set(written):
            stale.unlink()
    return written


def _stem(folder: Path, month: Month, area: Area) -> Path:
    """``汇总-2018-09-全国``, ``省/汇总-2018-09-某省``, ``市州/汇总-2018-09-某省某州``."""
    name = f"汇总-{month}-{_FORBIDDEN_IN_NAME.sub('_', full_name(area))}"
    return folder / name if area.level is Level.NATION else folder / LEVEL_WORDS[area.level] / name


def _write(stem: Path, month: Month, area: Area, words: Words) -> list[Path]:
    rollup = build_rollup(month, area, words)
    html = settable(rollup_html(rollup))
    pdf = stem.with_name(f"{stem.name}.pdf")
    stem.parent.mkdir(exist_ok=True)
    old = pdf.read_bytes() if pdf.is_file() else b""
    contents = {
        ".pdf": old if is_of(old, html, title=rollup.title) else print_pdf(html, title=rollup.title),
        ".html": html.encode("utf-8"),
        ".xlsx": rollup_workbook(month, area),
        ".csv": rollup_csv(month, area),
    }
    written = []
    for ending, content in contents.items():
        path = stem.with_name(stem.name + ending)
        if not (path.is_file() and path.read_bytes() == content):
            put(path, content)
        written.append(path)
    return written
