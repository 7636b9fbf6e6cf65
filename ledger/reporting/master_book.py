"""The master for people: ``台帐-2018-09.xlsx``, and beside it the Parquet files for analysts.

All tables of the year up to the month, every version marked in words and in colour, frozen heads,
filters. Text is text and stays text when a cell is edited: no formula can come in with it. The
same ledger gives the same bytes.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from ledger.home import Home
from ledger.recording.master import Master, MasterTable, parquet
from ledger.recording.writers import text_of, xlsx_text
from ledger.reporting.workbook import settled
from ledger.reporting.writer import put
from schemas.exports import ExportColumn
from schemas.master import SHEETS, STANDING, STATES, State, head_of, type_of
from schemas.tables import TABLES

#: What a sheet holds beside its head; a longer table goes on on the next sheet.
MOST_ROWS = 1_048_575
#: What a cell holds; longer text is cut here and whole in the Parquet file.
_MOST_TEXT = 32_000
_CUT = "……（全文见 Parquet 文件）"
_LONG_TEXTS = frozenset({"message", "remedy", "files", "value", "reason"})
_HASHES = frozenset({"source_sha256", "sha256", "superseded_by"})
_HEAD_HEIGHT = 30
_HEAD_FILL, _CHANGED_FILL, _OPEN_FILL = "D9E2EC", "FFF2CC", "FCE4E4"
_OLD_INK, _CARRIED_INK = "808080", "1F4E79"


def write_master(home: Home, master: Master) -> list[Path]:
    """Write the workbook and the Parquet files in ``reports/<month>/``; the workbook first.

    A file that already has these very bytes is left alone, time stamp included.
    """
    folder = home.reports(master.month)
    stem = master.stem
    tables = folder / stem
    tables.mkdir(parents=True, exist_ok=True)
    files = [(folder / f"{stem}.xlsx", master_book(master))]
    files += [(tables / f"{name}.parquet", parquet(table)) for name, table in master.tables.items()]
    for path, content in files:
        if not (path.is_file() and path.read_bytes() == content):
            put(path, content)
    return [path for path, _ in files]


def master_book(master: Master) -> bytes:
    """The workbook's bytes."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    styles = _Styles(book)
    _explain(styles, master)
    plan = master.tables["plan"]
    item, key = plan.place("item_id"), plan.place("table")
    tables = {str(row[item]): str(row[key]) for row in plan.rows}
    for name, table in master.tables.items():
        for number, start in enumerate(range(0, max(len(table.rows), 1), MOST_ROWS), start=1):
            title = SHEETS[name] if number == 1 else f"{SHEETS[name]}({number})"
            _sheet(book, styles, title, table, start, tables)
    out = io.BytesIO()
    book.save(out)
    return settled(out.getvalue())


class _Styles:
    """The few looks a cell has, each made once."""

    def __init__(self, book: Any) -> None:
        from openpyxl.cell import WriteOnlyCell
        from openpyxl.styles import Alignment, Font, PatternFill

        self._cell = WriteOnlyCell
        self._looks: dict[tuple[str, str, bool], Any] = {}
        sheet = book.create_sheet("说明")
        self.first = sheet
        fonts = {
            "": Font(),
            "head": Font(bold=True),
            "old": Font(color=_OLD_INK, strike=True),
            "carried": Font(color=_CARRIED_INK, italic=True),
        }
        fills = {
            "": None,
            "head": PatternFill("solid", fgColor=_HEAD_FILL),
            "changed": PatternFill("solid", fgColor=_CHANGED_FILL),
            "open": PatternFill("solid", fgColor=_OPEN_FILL),
        }
        for font_name, font in fonts.items():
            for fill_name, fill in fills.items():
                for text in (False, True):
                    model: Any = WriteOnlyCell(sheet)
                    model.font = font
                    if fill is not None:
                        model.fill = fill
                    if text:
                        model.number_format = "@"
                    if font_name == "head":
                        model.alignment = Alignment(wrap_text=True, vertical="center")
                    self._looks[font_name, fill_name, text] = model._style

    def cell(self, sheet: Any, value: Any, font: str = "", fill: str = "") -> Any:
        """A cell with this look; text as text, never a formula."""
        made: Any = self._cell(sheet)
        text = not isinstance(value, bool | int | Decimal)
        if text:
            made._value = clean(str(value))
            made.data_type = "s"
        else:
            made.value = value
        made._style = self._looks[font, fill, text]
        return made


def clean(text: str) -> str:
    """Text as a cell can hold it; halves of surrogate pairs become ``?``."""
    if len(text) > _MOST_TEXT:
        text = text[: _MOST_TEXT - len(_CUT)] + _CUT
    return xlsx_text(text.encode("utf-8", "replace").decode("utf-8"))


def _sheet(
    book: Any, styles: _Styles, title: str, table: MasterTable, start: int, tables: Mapping[str, str]
) -> None:
    from openpyxl.utils import get_column_letter

    sheet = book.create_sheet(title)
    rows = table.rows[start : start + MOST_ROWS]
    heads = [head_of(table.name, column) for column in table.columns]
    last = get_column_letter(len(heads))
    sheet.freeze_panes = f"{get_column_letter(_frozen(table) + 1)}2"
    sheet.auto_filter.ref = f"A1:{last}{len(rows) + 1}"
    for place, (head, column) in enumerate(zip(heads, table.columns, strict=True)):
        letter = get_column_letter(place + 1)
        sheet.column_dimensions[letter].width = _width(head, column, [row[place] for row in rows[:200]])
    _on_wide_paper(sheet)
    sheet.print_title_rows = "1:1"
    sheet.row_dimensions[1].height = _HEAD_HEIGHT
    sheet.append([styles.cell(sheet, head, "head", "head") for head in heads])
    for number, row in enumerate(rows, start=start):
        font, fill = _look(table, row)
        changed = table.changed[number]
        sheet.append(
            [
                None
                if value is None
                else styles.cell(sheet, value, font, "changed" if place in changed else fill)
                for place, value in enumerate(_shown(table, row, tables))
            ]
        )


def _on_wide_paper(sheet: Any) -> None:
    """Printed, a sheet is as wide as its paper and as many pages as it takes."""
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True


def _frozen(table: MasterTable) -> int:
    """How many columns stay in sight: up to the item's name, or none."""
    return table.place("item_name") + 1 if table.name in TABLES else 0


def _shown(table: MasterTable, row: Sequence[Any], tables: Mapping[str, str]) -> Iterator[Any]:
    """A row's fields as people read them: words for codes, yes and no, Beijing time."""
    item = tables.get(str(row[table.place("item_id")])) if table.name == "corrections" else None
    for column, value in zip(table.columns, row, strict=True):
        if isinstance(value, bool):
            yield "是" if value else "否"
        elif type_of(column) == "moment" and value:
            yield str(value).replace("T", " ").removesuffix("+08:00")
        elif column.name == "table" and value in TABLES:
            yield TABLES[value].number
        elif column.name == "field" and item is not None:
            yield _TITLES.get((item, value), value)
        elif column.name in _WORDS:
            yield _WORDS[column.name].get(value, value)
        else:
            yield value


#: Chinese words for the codes of a column.
_WORDS: Mapping[str, Mapping[Any, str]] = {
    "state": {state.value: words[0] for state, words in STATES.items()},
    "severity": {"error": "错误", "warning": "警告", "info": "提示"},
    "scope": {"file": "文件", "table": "表", "row": "行", "cell": "单元格"},
    "verdict": {"accepted": "全部采用", "accepted_in_part": "部分采用", "returned": "退回"},
}
_TITLES: Mapping[tuple[str, Any], str] = {
    **{(key, column.export_name): column.title for key, table in TABLES.items() for column in table},
    **{(key, "(row)"): "整行" for key in TABLES},
}


def _look(table: MasterTable, row: Sequence[Any]) -> tuple[str, str]:
    """A row's font and fill: history is grey and struck through, open errors are tinted."""
    if table.name in TABLES:
        state = State(row[0])
        if state is State.CARRIED:
            return "carried", ""
        return ("", "") if state is State.CURRENT else ("old", "")
    if table.name == "submissions" and row[table.place("superseded_by")]:
        return "old", ""
    if table.name == "findings":
        if not row[table.place("open")]:
            return "old", ""
        return "", "open" if row[table.place("severity")] == "error" else ""
    return "", ""


def _width(head: str, column: ExportColumn, values: Sequence[Any]) -> float:
    if column.name in _HASHES:
        return 14
    longest = max((_wide(text_of(value)) for value in values if value is not None), default=0)
    most = 60 if column.name in _LONG_TEXTS else 30
    # a long head wraps; its words still need some room
    return float(min(max(longest + 2, min(_wide(head) + 4, 18), 8), most))


def _wide(text: str) -> int:
    """The text's width in digits; a Chinese character is two wide."""
    return sum(2 if ord(letter) > 0x2E80 else 1 for letter in text[:80])


def _explain(styles: _Styles, master: Master) -> None:
    """The first sheet: what this is, what the marks mean, what each sheet holds."""
    sheet = styles.first
    _on_wide_paper(sheet)
    sheet.column_dimensions["A"].width = 16
    sheet.column_dimensions["B"].width = 12
    sheet.column_dimensions["C"].width = 90
    period = (
        master.month.chinese
        if master.first == master.month
        else f"{master.first.chinese}至{master.month.chinese}"
    )
    latest = f"收件截至 {master.received_at.replace('T', ' ')[:16]}" if master.received_at else "尚无收件"
    lines: list[tuple[Any, ...]] = [
        (f"{master.month.chinese}台帐" + (f"（月报第{master.edition}版所用）" if master.edition else ""),),
        (f"{period}报送的全部数据，每一版都在；{latest}（北京时间）。金额单位万元，空白是未报，不是 0。",),
        ("本文件由程序从台帐生成，改动它不会改动台帐；数字有误请由原单位更正后重报。",),
        (),
        ("代码", "状态", "意思"),
        *((mark.value, *STATES[mark]) for mark in State),
        ("", "", f"只看“{'”和“'.join(STATES[mark][0] for mark in STANDING)}”的行，就是月报用的数字。"),
        (
            "",
            "",
            "代码是 Parquet 文件中的写法。黄底是与前一版不同的格；灰色划线是历史；斜体是沿用；红底是还没有解决的错误。",
        ),
        (),
        ("工作表", "行数", "内容"),
        *((SHEETS[name], len(table.rows), _told(table)) for name, table in master.tables.items()),
    ]
    for number, line in enumerate(lines):
        head = number == 0 or line[:1] in (("代码",), ("工作表",))
        sheet.append(
            [styles.cell(sheet, value, "head" if head else "") for value in line] if line else [None]
        )


def _told(table: MasterTable) -> str:
    if table.name in TABLES:
        states = Counter(str(row[0]) for row in table.rows)
        return "、".join(f"{STATES[mark][0]} {states[mark]}" for mark in State if states[mark]) or "无"
    if table.name == "findings":
        place = table.place("open")
        return f"未解决 {sum(1 for row in table.rows if row[place])}"
    return {
        "submissions": "收到的每个文件、每张表，何时收到、是否采用",
        "corrections": "采用后又更正的每个数字，原数、新数、原因",
        "plan": "登记的计划，每一版；照计划原文，存疑之处未改",
        "editions": "已定版的月报",
    }.get(table.name, "")
