"""Any table, written in any supported form and layout, reads back the same; nothing is invented."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.home import Home
from ledger.reading.model import Book, Filing, Sheet
from ledger.reading.submission import read_book
from ledger.reading.values import Setting, parse
from ledger.registry import Registry
from schemas.columns import COLUMNS, Column, Kind
from schemas.money import plain, wan_text
from schemas.month import Month, PartialDate
from schemas.tables import TABLES, Table
from tests.builders import cell, sheet

REGISTRY = Registry.load(Home.find())
SEPTEMBER = Month(2018, 9)
FILING = Filing(REGISTRY, SEPTEMBER)
FULL_WIDTH = str.maketrans("0123456789.%,", "０１２３４５６７８９．％，")
WORDS = st.text(
    st.characters(categories=["Lo"], min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=2, max_size=8
)


def grouped(number: str) -> str:
    whole, point, rest = number.partition(".")
    return f"{int(whole):,}{point}{rest}"


@st.composite
def amounts(draw: st.DrawFn) -> tuple[Any, int]:
    fen = draw(st.integers(0, 5_000_000_000))
    text = wan_text(fen)
    form = draw(st.sampled_from(["number", "text", "grouped", "full", "wan", "yuan", "padded", "symbol"]))
    written: Any = {
        "number": Decimal(text),
        "text": text,
        "grouped": grouped(text),
        "full": text.translate(FULL_WIDTH),
        "wan": text + "万元",
        "yuan": plain(Decimal(fen) / 100) + "元",
        "padded": f"\u3000{text}\u00a0",
        "symbol": f"￥{text}",
    }[form]
    return written, fen


@st.composite
def percentages(draw: st.DrawFn) -> tuple[Any, Decimal]:
    value = Decimal(draw(st.integers(0, 10000))) / 100
    forms: list[Any] = [(value / 100, "0.00%"), f"{plain(value)}%", f"{plain(value)}％"]
    if value >= 1 or value == 0:
        forms += [value, plain(value)]
    return draw(st.sampled_from(forms)), value


@st.composite
def counts(draw: st.DrawFn) -> tuple[Any, Decimal]:
    value = draw(st.integers(0, 100_000))
    return draw(
        st.sampled_from([value, str(value), f"{value:,}", str(value).translate(FULL_WIDTH)])
    ), Decimal(value)


@st.composite
def days(draw: st.DrawFn) -> tuple[Any, PartialDate]:
    day = draw(st.dates(date(2018, 1, 1), date(2018, 9, 30)))
    y, m, d = day.year, day.month, day.day
    if draw(st.booleans()):
        forms: list[Any] = [
            datetime(y, m, d), day.isoformat(), f"{y}年{m}月{d}日", f"{y}/{m}/{d}", f"{y}.{m}.{d}",
            f"{y} 年 {m:02d} 月 {d} 日", f"{m}月{d}日", (day - date(1899, 12, 30)).days, f"{y}{m:02d}{d:02d}",
        ]  # fmt: skip
        return draw(st.sampled_from(forms)), PartialDate(y, m, d)
    forms = [f"{y}年{m}月", f"{y}-{m:02d}", f"{y}.{m}", f"{y}/{m}", f"{m}月", f"{m}月底", f"{y}{m:02d}",
             (datetime(y, m, 1), 'yyyy"年"m"月"')]  # fmt: skip
    return draw(st.sampled_from(forms)), PartialDate(y, m)


def written(column: Column) -> st.SearchStrategy[tuple[Any, Any]]:
    """(as written in a cell, as it must be read) for a column."""
    if column.allowed:
        return st.sampled_from(column.allowed).flatmap(
            lambda word: st.sampled_from([word, f" {word}\n", f"{word[0]} {word[1:]}"]).map(
                lambda w: (w, word)
            )
        )
    kinds: dict[Kind, st.SearchStrategy[tuple[Any, Any]]] = {
        Kind.MONEY: amounts(),
        Kind.PERCENT: percentages(),
        Kind.COUNT: counts(),
        Kind.QUANTITY: counts(),
        Kind.DATE: days(),
        Kind.SEQUENCE: st.integers(1, 99).map(lambda n: (n, n)),
        Kind.TEXT: WORDS.filter(lambda w: "零" not in w and "计" not in w).map(
            lambda w: (f"甲{w}", f"甲{w}")
        ),
    }
    return kinds[column.kind]


def header(table: Table, columns: list[Column], style: str) -> list[list[Any]]:
    if style == "one":
        return [[column.title for column in columns]]
    if style == "joined":
        return [[column.title.replace("—", "\n").replace("(", "（").replace(")", "）") for column in columns]]
    upper: list[Any] = []
    lower: list[Any] = []
    before = ""
    for column in columns:
        upper.append(None if column.group and column.group == before else column.group or column.title)
        lower.append(column.leaf if column.group else None)
        before = column.group
    return [upper, lower]


@st.composite
def tables(draw: st.DrawFn) -> tuple[Table, Sheet, list[dict[str, Any]]]:
    table = draw(st.sampled_from(list(TABLES.values())))
    needed = {*table.required, *(table.any_of[0] if table.any_of else ()), table.name_field}
    needed |= {"partner", "signed_amount_fen"} & set(table.by_field)
    columns = [c for c in table.columns if c.field in needed or draw(st.booleans())]
    columns = draw(st.permutations(columns))
    style = draw(st.sampled_from(["one", "joined", "two"]))
    top, left = draw(st.integers(1, 9)), draw(st.integers(1, 5))
    grid: list[list[Any]] = [
        [f"{table.number} {table.title}"],
        ["报送单位：长梁镇", "月份：2018年9月", "单位：万元"],
        *header(table, columns, style),
    ]
    expected = []
    for _ in range(draw(st.integers(1, 3))):
        pairs = [draw(written(column)) for column in columns]
        grid.append([pair[0] for pair in pairs])
        expected.append({c.field: pair[1] for c, pair in zip(columns, pairs, strict=True)})
    return table, sheet("Sheet1", grid, top, left), expected


@settings(max_examples=150, deadline=None)
@given(tables())
def test_any_layout_and_form_reads_back_the_same(made: tuple[Table, Sheet, list[dict[str, Any]]]) -> None:
    table, page, expected = made
    submission = read_book(Book("xlsx", [page]), "甲.xlsx", "00", FILING)
    assert not submission.findings
    (found,) = submission.tables
    assert found.table == table.key
    assert [{n: v.value for n, v in row.values.items()} for row in found.rows] == expected
    assert {f.rule for row in found.rows for f in row.findings} <= {"C11"}
    assert not found.findings
    for row in found.rows:
        for value in row.values.values():
            assert page.cells[_place(value.cell)].raw == value.raw


def _place(address: str) -> tuple[int, int]:
    letters = address.rstrip("0123456789")
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - 64
    return int(address[len(letters) :]), column


ANY_VALUE = st.one_of(
    st.none(),
    st.text(max_size=12),
    st.text("0123456789.,-—/%年月日约多万元无零报告合计小同上〃 　", max_size=8),
    st.integers(-(10**12), 10**12),
    st.decimals(allow_nan=False, allow_infinity=False, places=4),
    st.floats(allow_nan=False, allow_infinity=False).map(lambda f: Decimal(repr(f))),
    st.booleans(),
    st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)),
    st.sampled_from(["#REF!", "#N/A", "=A1", "在建", "合计", "零报告", "同上", "一、产业", "注：", "9月"]),
)


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(list(COLUMNS.values())),
    ANY_VALUE,
    st.sampled_from(["", "0%", "0.00", "yyyy-mm-dd"]),
    st.booleans(),
)
def test_no_cell_makes_a_value_out_of_nothing(
    column: Column, value: Any, number_format: str, required: bool
) -> None:
    made = cell(value, number_format)
    parsed = parse(made, column, Setting(2018, SEPTEMBER), required=required)
    if parsed.read.failed:
        assert parsed.read.value is None
        assert any(f.is_error for f in parsed.findings)
    if isinstance(value, str) and parsed.read.value is not None and column.kind is not Kind.TEXT:
        figures = "一二三四五六七八九十" if column.kind is Kind.DATE else ""
        assert column.allowed or any(c.isdecimal() or c in figures for c in value)
    if made is not None and parsed.read.value is None and not parsed.findings:
        assert not str(value).strip("\u3000\u00a0\u200b \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f\x85") or _unseen(
            str(value)
        )
    assert parsed.read.raw == ("" if made is None else made.raw)


def _unseen(text: str) -> bool:
    import unicodedata

    return all(c.isspace() or unicodedata.category(c) == "Cf" for c in text)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(list(TABLES.values())),
    st.lists(st.lists(ANY_VALUE, max_size=30), max_size=6),
    st.lists(st.lists(ANY_VALUE, max_size=6), max_size=4),
    st.booleans(),
)
def test_nothing_in_a_sheet_makes_reading_fail(
    table: Table, below: list[list[Any]], above: list[list[Any]], merged: bool
) -> None:
    page = sheet("表", [*above, *header(table, list(table.columns), "two"), *below])
    top = len(above) + 3
    if merged:
        page.merges = [(top, 1, top + 1, 3), (1, 1, 1, 8), (top, 5, top + 2, 5)]
        page.hidden_rows = {top}
    submission = read_book(Book("xlsx", [page]), "9月长梁镇.xlsx", "00", FILING)
    for found in submission.tables:
        for row in found.rows:
            for name, value in row.values.items():
                assert value.value is None or page.cells or name
                if value.value is not None and not row.shifted and not value.steps:
                    assert _place(value.cell) in page.cells
