"""The report's files in ``reports/<month>/``, one set an edition, each put in place in one step."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.errors import Damaged
from ledger.home import Home
from ledger.recording.model import MonthView
from ledger.registry import Registry
from ledger.reporting.build import build_county_report
from ledger.reporting.html import county_html, title_of
from ledger.reporting.model import CountyReport
from ledger.reporting.sober import without_words
from ledger.reporting.workbook import Export, data_workbook

if TYPE_CHECKING:
    from ledger.reporting.pdf import Attached


#: What `put` calls a file until it is whole.
_UNFINISHED = re.compile(r"\..+\.[a-z]+\.[a-z0-9_]{8}")


def write_county_report(
    home: Home,
    registry: Registry,
    views: Sequence[MonthView],
    *,
    exports: Mapping[str, Export] | None = None,
    draft: bool = True,
    edition: int = 1,
    signatory: str = "",
) -> list[Path]:
    """Build, render and write the county report for the month of the last view.

    `exports` are the month's exports by table; with them the edition has its data workbook, beside
    the PDF and inside it; `signatory` approved it. Returns the files, the PDF first. Raises
    ledger.reporting.pdf.PdfError where the page can't be set, Damaged where a frozen edition would
    change.
    """
    from ledger.reporting.press import ahead

    report = build_county_report(views, registry, draft=draft, edition=edition, signatory=signatory)
    with ahead() as setting:
        return begin_county_report(home, report, exports, setting)()


def begin_county_report(
    home: Home, report: CountyReport, exports: Mapping[str, Export] | None, setting: Executor
) -> Callable[[], list[Path]]:
    """Give the county report to the press; what is returned waits for it and writes its files, as
    `write_county_report` does."""
    from ledger.reporting.pdf import Attached
    from ledger.reporting.press import PressFault

    html = county_html(report)
    workbook = data_workbook(exports) if exports else None
    attached = [Attached(f"{stem(report)}.xlsx", workbook, "本期数据")] if workbook else []
    set_pdf = _begin(home, report, html, attached, setting)

    def finish() -> list[Path]:
        try:
            return write_files(home, report, pdf=set_pdf(), html=html, workbook=workbook)
        except PressFault:
            # a text that the typesetter can't take: the same report without the units' own words
            sober = county_html(without_words(report))
            pdf = _begin(home, report, sober, attached, setting)()
            return write_files(home, report, pdf=pdf, html=sober, workbook=workbook)

    return finish


def _begin(
    home: Home, report: CountyReport, html: str, attached: Sequence[Attached], setting: Executor
) -> Callable[[], bytes]:
    """The PDF, to be waited for: the one that lies there already where it is of this very page, else
    set anew."""
    from ledger.reporting.glyphs import settable
    from ledger.reporting.pdf import is_of
    from ledger.reporting.press import print_pdf

    html, title = settable(html), title_of(report)
    path = home.reports(report.month) / f"{stem(report)}.pdf"
    old = path.read_bytes() if path.is_file() else b""
    if is_of(old, html, title=title, attachments=attached):
        return lambda: old
    return setting.submit(print_pdf, html, title=title, attachments=attached).result


def stem(report: CountyReport) -> str:
    """``月报-2018-09-草稿``, ``月报-2018-09-第1版``: the files' name without its ending."""
    edition = "草稿" if report.draft else f"第{report.edition}版"
    return f"月报-{report.month}-{edition}"


def write_files(
    home: Home, report: CountyReport, *, pdf: bytes, html: str, workbook: bytes | None = None
) -> list[Path]:
    """Write the PDF, the HTML page and (where given) the data workbook; PDF first in the list.

    A file that already has these very bytes is left alone, time stamp included. A draft is
    replaced; a frozen edition never is: Damaged is raised where other bytes stand under its name.
    """
    folder = home.reports(report.month)
    folder.mkdir(parents=True, exist_ok=True)
    files = [(".pdf", pdf), (".html", html.encode("utf-8"))]
    if workbook is not None:
        files.append((".xlsx", workbook))
    written = []
    for ending, content in files:
        path = folder / f"{stem(report)}{ending}"
        if not (path.is_file() and path.read_bytes() == content):
            if path.exists() and not report.draft:
                raise Damaged(f"{home.relative(path)} 已经定版，内容与现在生成的不同；请核对后另出新版。")
            put(path, content)
        written.append(path)
    return written


def put(path: Path, content: bytes) -> None:
    """Put a file in place in one step: whoever looks finds the old one or the new one, whole."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def clear_unfinished(folder: Path) -> None:
    """Remove what a killed run left half written below `folder`; called while the month is held."""
    for path in folder.rglob(".*") if folder.is_dir() else ():
        if _UNFINISHED.fullmatch(path.name):
            path.unlink(missing_ok=True)
