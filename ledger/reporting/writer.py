"""The report's files in ``reports/<month>/``, one set an edition, each put in place in one step."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from ledger.errors import Damaged
from ledger.home import Home
from ledger.reporting.model import CountyReport


def stem(report: CountyReport) -> str:
    """``county-2018-09-draft``, ``county-2018-09-v1``: the files' name without its ending."""
    edition = "draft" if report.draft else f"v{report.edition}"
    return f"county-{report.month}-{edition}"


def write_county_report(
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
        if path.is_file() and path.read_bytes() == content:
            written.append(path)
            continue
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
