"""The editions for single readers in ``reports/<month>/``: the one-page brief, a report a unit.

Each is a PDF and a self-contained HTML page. A PDF is made only where its HTML has changed: a run
that changes nothing sets nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
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
from ledger.reporting.press import PressFault, ahead, print_pdf
from ledger.reporting.sober import without_words
from ledger.reporting.unit_report import build_unit_reports
from ledger.reporting.workbook import Export
from ledger.reporting.writer import begin_county_report, put, stem

#: Waits for a document and writes its files; the same with its name as a part of the month.
Finish = Callable[[], list[Path]]
Begun = tuple[str, Finish]
_FORBIDDEN_IN_NAME = re.compile(r'[\\/:*?"<>|\x00-\x1f]')


def write_editions(
    home: Home,
    registry: Registry,
    views: Sequence[MonthView],
    *,
    draft: bool = True,
    edition: int = 1,
    signatory: str = "",
    each: Each = at_once,
) -> list[Path]:
    """Write the brief and the units' reports for the month of the last view; PDFs and HTML pages.

    `signatory` approved the edition; `each` sets one document, named 一页纸 or 单位报告 and the unit.
    Drafts that no longer belong to any unit are removed. Raises PdfError where a page can't be set,
    Damaged where a frozen edition would change.
    """
    report = build_county_report(views, registry, draft=draft, edition=edition, signatory=signatory)
    with ahead() as setting:
        return finish_editions(home, report, begin_editions(home, registry, views[-1], report, setting), each)


def write_documents(
    home: Home,
    registry: Registry,
    views: Sequence[MonthView],
    *,
    exports: Mapping[str, Export],
    draft: bool = True,
    edition: int = 1,
    signatory: str = "",
    each: Each = at_once,
) -> list[Path]:
    """Write all documents of an edition, as `write_county_report` and `write_editions` do, the
    county's report first (月报 PDF). While one is set so is the next; they are put in place one after
    another, in this order."""
    report = build_county_report(views, registry, draft=draft, edition=edition, signatory=signatory)
    with ahead() as setting:
        county = begin_county_report(home, report, exports, setting)
        parts = begin_editions(home, registry, views[-1], report, setting)
        return [*each("月报 PDF", county), *finish_editions(home, report, parts, each)]


def begin_editions(
    home: Home, registry: Registry, view: MonthView, report: CountyReport, setting: Executor
) -> list[Begun]:
    """Give the editions of the county's `report` to the press, those that have changed."""
    folder, units = home.reports(report.month), home.unit_reports(report.month)
    units.mkdir(parents=True, exist_ok=True)
    sober: dict[str, str] = {}
    begun: list[Begun] = []
    for name, title, html in _pages(report, view, registry):
        place = units if "/" in name else folder
        path = place / f"{name.rpartition('/')[2]}.pdf"
        finish = _begin(path, html, title, setting, frozen=not report.draft)

        def finish_one(
            name: str = name, title: str = title, path: Path = path, finish: Finish = finish
        ) -> list[Path]:
            try:
                return finish()
            except PressFault:
                # a text that the typesetter can't take: the same page without the units' own words
                if not sober:
                    sober.update({n: h for n, _, h in _pages(without_words(report), view, registry)})
                return _begin(path, sober[name], title, setting, frozen=not report.draft)()

        begun.append((f"单位报告 {title.rpartition(' ')[2]}" if "/" in name else "一页纸", finish_one))
    return begun


def finish_editions(home: Home, report: CountyReport, begun: Sequence[Begun], each: Each) -> list[Path]:
    """Wait for each and write its files; drafts that belong to no unit are removed."""
    written = [path for name, finish in begun for path in each(name, finish)]
    if report.draft:
        _remove_stale(home.unit_reports(report.month), written)
    return written


def _pages(report: CountyReport, view: MonthView, registry: Registry) -> Iterator[tuple[str, str, str]]:
    """(file name without ending, title, HTML) of each edition; a unit's name begins with its folder."""
    mark = stem(report).rpartition("-")[2]
    title = title_of(report)
    yield f"一页纸-{report.month}-{mark}", f"{title} 一页纸", brief_html(build_brief(report))
    for each in build_unit_reports(report, view, registry):
        name = _FORBIDDEN_IN_NAME.sub("_", each.unit.name)
        yield f"单位/月报-{report.month}-{name}-{mark}", f"{title} {each.unit.name}", unit_html(each)


def _begin(path: Path, html: str, title: str, setting: Executor, *, frozen: bool) -> Finish:
    """The PDF and its HTML page, made and written only where they are not there yet."""
    html = settable(html)
    page = path.with_suffix(".html")
    old = path.read_bytes() if path.is_file() else b""
    changed = not is_of(old, html, title=title)
    pdf = setting.submit(print_pdf, html, title=title) if changed and not (old and frozen) else None

    def finish() -> list[Path]:
        if changed and pdf is None:
            raise Damaged(f"{path.name} 已经定版，内容与现在生成的不同；请核对后另出新版。")
        if pdf is not None:
            put(path, pdf.result())
        if not (page.is_file() and page.read_bytes() == html.encode("utf-8")):
            put(page, html.encode("utf-8"))
        return [path, page]

    return finish


def _remove_stale(folder: Path, written: Sequence[Path]) -> None:
    for path in set(folder.glob("*-草稿.*")) - set(written):
        if path.is_file():
            path.unlink()
