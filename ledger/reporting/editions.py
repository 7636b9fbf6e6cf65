"""The editions for single readers in ``reports/<month>/``: the one-page brief, a report a unit.

Each is a PDF and a self-contained HTML page. A PDF is made only where its HTML has changed: a run
that changes nothing sets nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from ledger.errors import Damaged
from ledger.home import Home
from ledger.parts import Each, at_once
from ledger.recording.model import MonthView
from ledger.registry import Registry
from ledger.reporting.brief import build_brief
from ledger.reporting.build import build_county_report
from ledger.reporting.glyphs import settable
from ledger.reporting.html import brief_html, title_of, unit_html
from ledger.reporting.model import CountyReport
from ledger.reporting.pdf import is_of
from ledger.reporting.press import PressFault, print_pdf
from ledger.reporting.sober import without_words
from ledger.reporting.unit_report import build_unit_reports
from ledger.reporting.writer import put, stem

_FORBIDDEN_IN_NAME = re.compile(r'[\\/:*?"<>|\x00-\x1f]')


def write_editions(
    home: Home,
    registry: Registry,
    views: Sequence[MonthView],
    *,
    draft: bool = True,
    edition: int = 1,
    signatory: str = "",
    report: CountyReport | None = None,
    each: Each = at_once,
) -> list[Path]:
    """Write the brief and the units' reports for the month of the last view; PDFs and HTML pages.

    `signatory` approved the edition; `report` is the county's report where the caller has built it;
    `each` sets one document, named 一页纸 or 单位报告 and the unit. Drafts that no longer belong to any
    unit are removed. Raises PdfError where a page can't be set, Damaged where a frozen edition would
    change.
    """
    report = report or build_county_report(views, registry, draft=draft, edition=edition, signatory=signatory)
    folder, units = home.reports(report.month), home.unit_reports(report.month)
    units.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    sober: dict[str, str] = {}
    for name, title, html in _pages(report, views[-1], registry):
        place = units if "/" in name else folder
        path = place / f"{name.rpartition('/')[2]}.pdf"

        def set_one(name: str = name, title: str = title, html: str = html, path: Path = path) -> list[Path]:
            try:
                return _write(path, html, title, frozen=not report.draft)
            except PressFault:
                # a text that the typesetter can't take: the same page without the units' own words
                if not sober:
                    sober.update({n: h for n, _, h in _pages(without_words(report), views[-1], registry)})
                return _write(path, sober[name], title, frozen=not report.draft)

        written += each(f"单位报告 {title.rpartition(' ')[2]}" if "/" in name else "一页纸", set_one)
    if report.draft:
        _remove_stale(units, written)
    return written


def _pages(report: CountyReport, view: MonthView, registry: Registry) -> Iterator[tuple[str, str, str]]:
    """(file name without ending, title, HTML) of each edition; a unit's name begins with its folder."""
    mark = stem(report).rpartition("-")[2]
    title = title_of(report)
    yield f"一页纸-{report.month}-{mark}", f"{title} 一页纸", brief_html(build_brief(report))
    for each in build_unit_reports(report, view, registry):
        name = _FORBIDDEN_IN_NAME.sub("_", each.unit.name)
        yield f"单位/月报-{report.month}-{name}-{mark}", f"{title} {each.unit.name}", unit_html(each)


def _write(path: Path, html: str, title: str, *, frozen: bool) -> list[Path]:
    """The PDF and its HTML page, made and written only where they are not there yet."""
    html = settable(html)
    page = path.with_suffix(".html")
    old = path.read_bytes() if path.is_file() else b""
    if not is_of(old, html, title=title):
        if old and frozen:
            raise Damaged(f"{path.name} 已经定版，内容与现在生成的不同；请核对后另出新版。")
        put(path, print_pdf(html, title=title))
    if not (page.is_file() and page.read_bytes() == html.encode("utf-8")):
        put(page, html.encode("utf-8"))
    return [path, page]


def _remove_stale(folder: Path, written: Sequence[Path]) -> None:
    for path in set(folder.glob("*-草稿.*")) - set(written):
        if path.is_file():
            path.unlink()
