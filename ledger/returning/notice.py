"""The first sheet of a return, 退回说明: every finding in the order of mending, with links.

Written as sheet XML, because it goes into the submitter's own package. Its words avoid the
columns' titles and 「报送单位：」「月份：」, so that a reader never takes it for a table or a caption.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ledger.reading.model import address
from ledger.returning.marks import EFFECTS, SEVERITIES, Line
from ledger.returning.markup import escaped, quoted
from ledger.returning.style_edit import ERROR_FILL, WARNING_FILL, Styles
from schemas.finding import Severity

SHEET = "退回说明"
HEADINGS = (
    "序次",
    "程度",
    "工作表",
    "位置",
    "所在列",
    "所填内容",
    "问题所在",
    "怎样改正",
    "如何处理",
    "规则号",
)
_WIDTHS = (6, 7, 16, 8, 20, 16, 50, 44, 12, 8)
#: Excel allows 65,530 links on a sheet and 32,767 characters in a cell.
_MOST_LINKS = 65_000
_MOST_CHARACTERS = 30_000
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_MAIN_STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
_FIRST_LINE_ROW = 6
HEADING_ROW = _FIRST_LINE_ROW - 1


@dataclass(frozen=True, slots=True)
class Notice:
    """What the sheet says: for whom, about which file, the verdict's sentence, what is marked."""

    unit: str
    month: str
    file: str
    sentence: str
    marking: str
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True)
class _Look:
    title: int
    text: int
    heading: int
    body: int
    centre: int
    link: int
    error: int
    warning: int


def notice_sheet(
    notice: Notice, styles: Styles, sheets: frozenset[str], *, strict: bool, selected: bool
) -> bytes:
    """The sheet's XML. `sheets` are the names links may lead to; its styles are added to `styles`."""
    look = _add_styles(styles)
    rows = [
        _row(1, [(1, SHEET, look.title)], height=34),
        _row(
            2, [(1, f"退回给：{notice.unit}    所报：{notice.month}    文件：{notice.file}", look.text)], 24
        ),
        _row(3, [(1, notice.sentence, look.text)], height=38),
        _row(4, [(1, notice.marking, look.text)], height=38),
        _row(HEADING_ROW, [(n, text, look.heading) for n, text in enumerate(HEADINGS, 1)], height=24),
    ]
    links: list[str] = []
    for number, line in enumerate(notice.lines, start=1):
        row = _FIRST_LINE_ROW + number - 1
        rows.append(_line(row, number, line, look, linked=line.sheet in sheets))
        if line.sheet in sheets and len(links) < _MOST_LINKS:
            target = f"{_sheet_reference(line.sheet)}!{line.address or 'A1'}"
            place = address(row, 4 if line.address else 3)
            links.append(
                f'<hyperlink ref="{place}" location="{quoted(target)}" display="{quoted(line.address or line.sheet)}"/>'
            )
    last = len(_WIDTHS)
    cols = "".join(
        f'<col min="{n}" max="{n}" width="{width}" customWidth="1"/>' for n, width in enumerate(_WIDTHS, 1)
    )
    merges = "".join(f'<mergeCell ref="A{row}:{address(row, last)}"/>' for row in range(1, HEADING_ROW))
    end = max(HEADING_ROW, _FIRST_LINE_ROW + len(notice.lines) - 1)
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        f'<worksheet xmlns="{_MAIN_STRICT if strict else _MAIN}">'
        '<sheetPr><tabColor rgb="FFC00000"/><pageSetUpPr fitToPage="1"/></sheetPr>'
        f'<dimension ref="A1:{address(end, last)}"/>'
        f'<sheetViews><sheetView showGridLines="0"{" tabSelected=" + chr(34) + "1" + chr(34) if selected else ""} '
        f'workbookViewId="0"><pane ySplit="{HEADING_ROW}" topLeftCell="A{_FIRST_LINE_ROW}" '
        'activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
        '<sheetFormatPr defaultRowHeight="15"/>'
        f"<cols>{cols}</cols><sheetData>{''.join(rows)}</sheetData>"
        f'<mergeCells count="{HEADING_ROW - 1}">{merges}</mergeCells>'
        + (f"<hyperlinks>{''.join(links)}</hyperlinks>" if links else "")
        + '<pageMargins left="0.4" right="0.4" top="0.6" bottom="0.6" header="0.3" footer="0.3"/>'
        '<pageSetup paperSize="9" orientation="landscape" fitToHeight="0"/>'
        "<headerFooter><oddFooter>&amp;C第 &amp;P 页  共 &amp;N 页</oddFooter></headerFooter>"
        "</worksheet>"
    ).encode()


def _line(row: int, number: int, line: Line, look: _Look, *, linked: bool) -> str:
    finding = line.finding
    grave = look.error if finding.severity is Severity.ERROR else look.warning
    to_cell = linked and bool(line.address)
    cells = [
        (1, str(number), look.centre),
        (2, SEVERITIES[finding.severity], grave),
        (3, line.sheet or "（全文件）", look.link if linked and not to_cell else look.body),
        (4, line.address, look.link if to_cell else look.centre),
        (5, (finding.column or "").replace("—", " "), look.body),
        (6, "" if finding.value is None else finding.value, look.body),
        (7, finding.message, look.body),
        (8, finding.remedy, look.body),
        (9, EFFECTS[finding.effect], look.centre),
        (10, finding.rule, look.centre),
    ]
    # stated, because not every program fits a row to its text when it opens a file
    lines = max(_lines_of(text, _WIDTHS[place - 1]) for place, text, _ in cells)
    return _row(row, cells, height=min(400, max(20, 14 * lines + 6)))


def _lines_of(text: str, width: int) -> int:
    return sum(
        max(1, -(-sum(2 if ord(c) > 0x2E7F else 1 for c in part) // (width - 2))) for part in text.split("\n")
    )


def _row(number: int, cells: Sequence[tuple[int, str, int]], height: float) -> str:
    written = "".join(_cell(address(number, column), text, style) for column, text, style in cells)
    return f'<row r="{number}" ht="{height}" customHeight="1">{written}</row>'


def _cell(at: str, text: str, style: int) -> str:
    if not text:
        return f'<c r="{at}" s="{style}"/>'
    shown = escaped(text[:_MOST_CHARACTERS])
    return f'<c r="{at}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{shown}</t></is></c>'


def _sheet_reference(name: str | None) -> str:
    return "'" + (name or "").replace("'", "''") + "'"


def _add_styles(styles: Styles) -> _Look:
    def font(name: str, size: float, more: str = "") -> int:
        return styles.add("fonts", f'<font>{more}<sz val="{size}"/><name val="{name}"/></font>'.encode())

    def fill(colour: str) -> int:
        pattern = (
            f'<patternFill patternType="solid"><fgColor rgb="{colour}"/><bgColor indexed="64"/></patternFill>'
        )
        return styles.add("fills", f"<fill>{pattern}</fill>".encode())

    side = '<{0} style="thin"><color rgb="FF808080"/></{0}>'
    box = "".join(side.format(name) for name in ("left", "right", "top", "bottom"))
    boxed = styles.add("borders", f"<border>{box}<diagonal/></border>".encode())
    title, text, heading = font("黑体", 18), font("宋体", 11), font("黑体", 10.5)
    body = font("宋体", 10)
    link = styles.add(
        "fonts", '<font><u/><sz val="10"/><color rgb="FF0563C1"/><name val="宋体"/></font>'.encode()
    )
    grey, red, yellow = fill("FFE7E6E6"), fill(_tint(ERROR_FILL)), fill(_tint(WARNING_FILL))

    def look(font_id: int, fill_id: int, border: int, horizontal: str) -> int:
        return styles.add(
            "cellXfs",
            (
                f'<xf numFmtId="49" fontId="{font_id}" fillId="{fill_id}" borderId="{border}" xfId="0" '
                'applyNumberFormat="1" applyFont="1" applyFill="1" applyBorder="1" applyAlignment="1">'
                f'<alignment horizontal="{horizontal}" vertical="center" wrapText="1"/></xf>'
            ).encode(),
        )

    return _Look(
        title=look(title, 0, 0, "center"),
        text=look(text, 0, 0, "left"),
        heading=look(heading, grey, boxed, "center"),
        body=look(body, 0, boxed, "left"),
        centre=look(body, 0, boxed, "center"),
        link=look(link, 0, boxed, "center"),
        error=look(body, red, boxed, "center"),
        warning=look(body, yellow, boxed, "center"),
    )


def _tint(colour: str) -> str:
    """The same colour one shade off: the list's own fills are no marks on figures."""
    return f"{colour[:-2]}{int(colour[-2:], 16) - 1:02X}"
