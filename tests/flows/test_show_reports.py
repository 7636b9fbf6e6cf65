"""What `ledger run` says of the files it wrote: the month's own by name, the units' by their number."""

from __future__ import annotations

import io

from rich.console import Console

from flows.show import _reports


def told(paths: list[str]) -> list[str]:
    written = io.StringIO()
    _reports(Console(file=written, width=200), paths)
    return written.getvalue().splitlines()


def test_the_units_reports_are_counted_not_listed() -> None:
    own = ["reports/2018-09/月报-2018-09-草稿.pdf", "reports/2018-09/一页纸-2018-09-草稿.html"]
    units = [
        f"reports/2018-09/单位/月报-2018-09-{name}-草稿.{kind}"
        for name in ("长梁镇", "高坪镇")
        for kind in ("pdf", "html")
    ]
    assert told([*own, *units]) == [
        *(f"报告  {path}" for path in own),
        "报告  reports/2018-09/单位/（2 家，各一份 PDF 和网页）",
    ]


def test_nothing_written_nothing_said() -> None:
    assert told([]) == []
