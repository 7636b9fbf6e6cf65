"""One cell into one typed value, or into the finding that says why not (rules C01–C14).

Every cell is read on its own: what is wrong with one never hides another. The raw text stays
beside the value, with the steps taken. Plan columns of a submission are only compared (P02):
there `plan_column` keeps the findings about form away, and `ReadValue.failed` says that the text
could not be read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from ledger.reading import dates
from ledger.reading.model import Cell, CellKind, ReadValue, address
from ledger.reading.numbers import BLANK_WORDS, is_vague, read_number, strip_outer, without_noise
from ledger.reading.words import MONEY_UNITS, fold
from schemas.columns import Column, Kind
from schemas.finding import Finding, finding
from schemas.money import FEN_PER_WAN, plain, to_fen, wan, wan_text
from schemas.month import Month, PartialDate
from schemas.plan import Value

DITTO_WORDS = frozenset({"同上", "〃", "″", '"', "''", "”", "“", "々", "同前", "同上行"})
_AMOUNT_SUFFIXES = ("百万元", "千万元", "亿元", "万元", "千元", "百元", "元整", "元", "万")
_COUNT_SUFFIXES = ("公里", "人次", *"户人个名家次项件所座处辆亩吨台套只头场期批条")
#: Measures of an indicator that count whole things, folded.
_COUNTED = frozenset(
    {"人", "人次", "户", "户次", "个", "个(村)", "名", "次", "场", "场次", "期", "批", "家", "项", "件"}
)
_FIGURES = frozenset({Kind.MONEY, Kind.PERCENT, Kind.COUNT, Kind.QUANTITY})
_ACTUAL = "_actual"
_HUNDRED = Decimal(100)
#: Numbers with more digits than this before the point are no figures (a slip, a telephone number
#: in a money column), and would not fit the ledger's whole 分.
MOST_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Setting:
    """What a table's cells are read against.

    `year` is the plan's, for dates without one; `month` the month reported, None where no date
    can be too late (a plan); `fen_per_unit` what the caption's unit of money is worth in 分;
    `sheet` and `table` name the place in findings; `measure` is the indicator's 计量单位.
    """

    year: int
    month: Month | None = None
    fen_per_unit: int = FEN_PER_WAN
    date1904: bool = False
    sheet: str = ""
    table: str | None = None
    measure: str = ""


class Parsed(NamedTuple):
    """What became of a cell: the value read and what there is to say about it."""

    read: ReadValue
    findings: tuple[Finding, ...] = ()


_ABSENT = Parsed(ReadValue(None))


def place(setting: Setting, cell: str) -> str:
    """How a message names a cell: 「表1 援建项目 C7」."""
    return f"{setting.sheet} {cell}".strip()


def found(code: str, cell: Cell, column: Column, setting: Setting, message: str, **more: object) -> Finding:
    """A finding at a cell, its place in front of the message."""
    return finding(
        code,
        f"{place(setting, cell.address)}：{message}",
        sheet=setting.sheet or None,
        cell=cell.address,
        row=cell.row,
        column=column.title,
        value=cell.raw,
        table=setting.table,
        **more,  # type: ignore[arg-type]
    )


def blank_required(address: str, row: int, column: Column, setting: Setting, raw: str = "") -> Finding:
    """C06 for a cell that has to be filled in; `raw` is what stands there instead (—, 无).

    The rule's remedy (没有发生的填 0) is for figures: a name, a word or a date has no 0.
    """
    written = f"（写的是“{raw}”）" if raw else ""
    return finding(
        "C06",
        f"{place(setting, address)}：“{column.title}”必须填写{written}",
        remedy=None if column.kind in _FIGURES else "请补填。",
        sheet=setting.sheet or None,
        cell=address,
        row=row,
        column=column.title,
        value=raw,
        table=setting.table,
    )


def parse(
    cell: Cell | None,
    column: Column,
    setting: Setting,
    *,
    required: bool = False,
    plan_column: bool = False,
) -> Parsed:
    """Read one cell as a value of the column's kind.

    `required` makes a dash or 无 a missing figure (C06) instead of a blank; a cell without
    content has no address of its own here and is the caller's matter (`blank_required`). With
    `plan_column` only C07 and C08 are raised. Never raises.
    """
    if cell is None:
        return _ABSENT
    parsed = _PARSERS[cell.kind](cell, column, setting, required)
    if plan_column and parsed.findings:
        kept = tuple(f for f in parsed.findings if f.rule in {"C07", "C08"})
        return Parsed(parsed.read, kept)
    return parsed


def _good(
    cell: Cell, value: Value, steps: tuple[str, ...] = (), findings: tuple[Finding, ...] = ()
) -> Parsed:
    return Parsed(ReadValue(value, address(cell.row, cell.column), cell.raw, steps), findings)


def _bad(cell: Cell, problem: Finding) -> Parsed:
    return Parsed(ReadValue(None, cell.address, cell.raw, (), failed=True), (problem,))


def _error(cell: Cell, column: Column, setting: Setting, required: bool) -> Parsed:
    return _bad(cell, found("C07", cell, column, setting, f"“{column.title}”是公式错误 {cell.raw}"))


def _formula(cell: Cell, column: Column, setting: Setting, required: bool) -> Parsed:
    return _bad(cell, found("C08", cell, column, setting, f"“{column.title}”的公式没有保存结果"))


def _boolean(cell: Cell, column: Column, setting: Setting, required: bool) -> Parsed:
    if column.kind is Kind.TEXT:
        return _good(cell, cell.raw)
    return _bad(cell, _expected(cell, column, setting))


def _expected(cell: Cell, column: Column, setting: Setting) -> Finding:
    """What is wrong with a cell that is of another kind than its column."""
    shown = f"“{column.title}”写的是“{_short(cell.raw)}”"
    if column.kind is Kind.DATE:
        return found("C02", cell, column, setting, f"{shown}，应填日期", expected="日期，如2018年9月")
    if column.kind is Kind.CHOICE:
        words = "、".join(column.allowed)
        return found("C05", cell, column, setting, f"{shown}，应为：{words}", expected=words)
    return found("C01", cell, column, setting, f"{shown}，应填数字", expected="数字")


def _short(text: str, longest: int = 40) -> str:
    line = " ".join(text.split())
    return line if len(line) <= longest else line[:longest] + "…"


def _date(cell: Cell, column: Column, setting: Setting, required: bool) -> Parsed:
    if column.kind is Kind.DATE and isinstance(cell.value, datetime):
        return _dated(cell, column, setting, dates.from_datetime(cell.value, cell.number_format))
    if column.kind is Kind.TEXT:
        moment = cell.value
        if isinstance(moment, datetime):
            day = dates.from_datetime(moment, cell.number_format).value
            return _good(cell, day.chinese if day else cell.raw, ("日期转文字",))
        return _good(cell, cell.raw)
    return _bad(cell, _expected(cell, column, setting))


def _dated(cell: Cell, column: Column, setting: Setting, read: dates.DateRead) -> Parsed:
    value = read.value
    if value is None:
        if read.problem == "C13":
            message = f"“{column.title}”写的是“{_short(cell.raw)}”，没有这样的日期"
            return _bad(cell, found("C13", cell, column, setting, message))
        problem = _expected(cell, column, setting)
        return _bad(cell, problem.at(remedy=read.hint) if read.hint else problem)
    if setting.month and column.field.endswith(_ACTUAL) and dates.later_than(value, setting.month):
        message = (
            f"“{column.title}”{value.chinese}晚于报送月份{setting.month.chinese}，实际时间不能在报送月份之后"
        )
        return _bad(cell, found("C13", cell, column, setting, message, expected=f"不晚于{setting.month}"))
    return _good(cell, value, read.steps, _changed(cell, column, setting, read.steps, str(value)))


def _changed(
    cell: Cell, column: Column, setting: Setting, steps: tuple[str, ...], value: str
) -> tuple[Finding, ...]:
    """C11 where a written form was changed; `value` is what it is read as."""
    if not steps:
        return ()
    message = f"“{column.title}”写的是“{_short(cell.raw)}”，已按 {value} 读取（{'、'.join(steps)}）"
    return (found("C11", cell, column, setting, message, expected=value),)


def _number(cell: Cell, column: Column, setting: Setting, required: bool) -> Parsed:
    number = cell.value
    if not isinstance(number, Decimal) or not number.is_finite():
        return _bad(cell, _expected(cell, column, setting))
    if number.adjusted() >= MOST_DIGITS:
        return _too_large(cell, column, setting)
    if column.kind is Kind.MONEY:
        return _amount(cell, column, setting, number, setting.fen_per_unit, ())
    if column.kind is Kind.PERCENT:
        return _percent(cell, column, setting, number, (), _is_percent_format(cell.number_format))
    if column.kind is Kind.DATE:
        return _dated(cell, column, setting, dates.from_number(number, cell.number_format, setting.date1904))
    if column.kind is Kind.TEXT:
        return _good(cell, plain(without_noise(number)))
    if column.kind is Kind.CHOICE:
        return _bad(cell, _expected(cell, column, setting))
    if column.kind is Kind.SEQUENCE:
        return _sequence(cell, column, setting, number)
    if column.kind is Kind.QUANTITY and _is_percent_format(cell.number_format):
        return _counted(cell, column, setting, number * _HUNDRED, ("按百分比格式乘100",))
    return _counted(cell, column, setting, number, ())


def _text(cell: Cell, column: Column, setting: Setting, required: bool) -> Parsed:
    text = cell.value if isinstance(cell.value, str) else cell.raw
    bare = strip_outer(text)
    if not bare:
        if required:
            return _good(cell, None, (), (blank_required(cell.address, cell.row, column, setting),))
        return _good(cell, None)
    if bare in BLANK_WORDS:
        if required:
            problem = blank_required(cell.address, cell.row, column, setting, bare)
            return _good(cell, None, (), (problem,))
        steps = ("视为空白",)
        message = f"“{column.title}”写的是“{bare}”，按空白处理"
        return _good(cell, None, steps, (found("C11", cell, column, setting, message, expected=""),))
    kind = column.kind
    if kind is Kind.TEXT:
        return _good(cell, bare)
    if kind is Kind.DATE:
        return _dated(cell, column, setting, dates.from_text(bare, setting.year, setting.date1904))
    if kind is Kind.CHOICE:
        return _choice(cell, column, setting, bare)
    return _written_number(cell, column, setting, bare)


def _too_large(cell: Cell, column: Column, setting: Setting) -> Parsed:
    """A number beyond any figure of a county: in words it is text, elsewhere no number."""
    if column.kind is Kind.TEXT:
        return _good(cell, cell.raw)
    return _bad(cell, _expected(cell, column, setting))


def _choice(cell: Cell, column: Column, setting: Setting, bare: str) -> Parsed:
    if bare in column.allowed:
        return _good(cell, bare)
    word = _folded_words(column.allowed).get(fold(bare))
    if word is None:
        return _bad(cell, _expected(cell, column, setting))
    steps = ("去掉空格",)
    return _good(cell, word, steps, _changed(cell, column, setting, steps, word))


@lru_cache(maxsize=32)
def _folded_words(allowed: tuple[str, ...]) -> dict[str, str]:
    return {fold(word): word for word in allowed}


def _written_number(cell: Cell, column: Column, setting: Setting, bare: str) -> Parsed:
    """A number written as text, in a column of any numeric kind."""
    kind = column.kind
    if kind is Kind.SEQUENCE:
        number = read_number(bare.strip("()（）.、．"), ())
        if number is None or number.value.adjusted() >= MOST_DIGITS:
            return _bad(cell, _expected(cell, column, setting))
        return _sequence(cell, column, setting, number.value)
    suffixes: tuple[str, ...] = ("%",)
    if kind is Kind.MONEY:
        suffixes = _AMOUNT_SUFFIXES
    elif kind is Kind.COUNT:
        suffixes = _units_of(column.unit)
    elif kind is Kind.QUANTITY:
        suffixes = _units_of(setting.measure) if setting.measure else ("%", *_COUNT_SUFFIXES)
    number = read_number(bare, suffixes)
    if number is None:
        if is_vague(bare):
            message = f"“{column.title}”写的是“{_short(cell.raw)}”，不是确切的数字"
            return _bad(cell, found("C10", cell, column, setting, message, expected="确切的数字"))
        return _bad(cell, _expected(cell, column, setting))
    if number.value.adjusted() >= MOST_DIGITS:
        return _too_large(cell, column, setting)
    if kind is Kind.MONEY:
        unit = {"万": "万元", "元整": "元"}.get(number.suffix, number.suffix)
        worth = MONEY_UNITS[unit] if unit else setting.fen_per_unit
        return _amount(cell, column, setting, number.value, worth, number.steps)
    if kind is Kind.PERCENT:
        return _percent(cell, column, setting, number.value, number.steps, False, bool(number.suffix))
    return _counted(cell, column, setting, number.value, number.steps)


@lru_cache(maxsize=256)
def _units_of(measure: str) -> tuple[str, ...]:
    """The unit as declared and, of 「个(村)」, each of its parts."""
    parts = [part for part in fold(measure).replace(")", "").split("(") if part]
    return tuple(sorted({fold(measure), *parts, "".join(parts)} - {""}, key=len, reverse=True))


#: The same amounts stand in workbook after workbook: nought, the plan's figures, last month's.
_to_fen = lru_cache(maxsize=8192)(to_fen)


@lru_cache(maxsize=32)
def unit_step(fen_per_unit: int) -> tuple[str, ...]:
    """The step that brings an amount of this unit to 万元: none where it is 万元 already."""
    if fen_per_unit == FEN_PER_WAN:
        return ()
    unit = next((name for name, worth in MONEY_UNITS.items() if worth == fen_per_unit), "")
    return (f"{unit}→万元",)


def _amount(
    cell: Cell, column: Column, setting: Setting, number: Decimal, fen_per_unit: int, steps: tuple[str, ...]
) -> Parsed:
    rounded = _to_fen(number, fen_per_unit)
    findings: tuple[Finding, ...] = ()
    if steps:
        findings = _changed(cell, column, setting, steps, f"{wan_text(rounded.fen)} 万元")
    steps = (*steps, *unit_step(fen_per_unit))
    if rounded.finer_than_fen:
        steps = (*steps, "四舍六入到分")
        message = f"“{column.title}”{_short(cell.raw)} 细于 0.01 元，按 {wan_text(rounded.fen)} 万元入账"
        findings += (found("C12", cell, column, setting, message, expected=wan_text(rounded.fen)),)
    if rounded.fen < 0:
        message = f"“{column.title}”为 {wan_text(rounded.fen)} 万元，不能是负数"
        findings += (
            found("C04", cell, column, setting, message, expected="0 或正数", difference=wan(rounded.fen)),
        )
    return _good(cell, rounded.fen, steps, findings)


def _is_percent_format(number_format: str) -> bool:
    return "%" in dates.LITERAL.sub("", number_format)  # a quoted % is only shown


def _percent(
    cell: Cell,
    column: Column,
    setting: Setting,
    number: Decimal,
    steps: tuple[str, ...],
    percent_format: bool,
    percent_sign: bool = False,
) -> Parsed:
    """A share or a percentage: 0.65 is 65 in any format, 1 is 100 only where it is shown so."""
    value = without_noise(number)
    # what is shown as 65% is taken as it is shown; 0.65 shown as 0.65 is changed (C11)
    as_shown = percent_format
    if percent_format or (not percent_sign and 0 < value < 1):
        value = without_noise(value * _HUNDRED)
        steps = (*steps, "乘100")
    if not 0 <= value <= _HUNDRED:
        message = f"“{column.title}”为 {plain(value)}，应在 0 至 100 之间"
        return _bad(cell, found("C03", cell, column, setting, message, expected="0–100"))
    value = Decimal(plain(value))
    findings = () if as_shown else _changed(cell, column, setting, steps, plain(value))
    return _good(cell, value, steps, findings)


def _counted(cell: Cell, column: Column, setting: Setting, number: Decimal, steps: tuple[str, ...]) -> Parsed:
    value = Decimal(plain(without_noise(number)))
    written = cell.kind is CellKind.TEXT
    findings = _changed(cell, column, setting, steps, plain(value)) if written else ()
    counts = column.kind is Kind.COUNT or setting.measure in _COUNTED
    if counts and value != value.to_integral_value():
        message = f"“{column.title}”为 {plain(value)}，应为整数"
        findings += (found("C12", cell, column, setting, message, expected="整数"),)
    if value < 0:
        message = f"“{column.title}”为 {plain(value)}，不能是负数"
        findings += (found("C04", cell, column, setting, message, expected="0 或正数", difference=value),)
    return _good(cell, value, steps, findings)


def _sequence(cell: Cell, column: Column, setting: Setting, number: Decimal) -> Parsed:
    if number != number.to_integral_value():
        return _bad(cell, _expected(cell, column, setting))
    return _good(cell, int(number))


_PARSERS = {
    CellKind.NUMBER: _number,
    CellKind.TEXT: _text,
    CellKind.DATE: _date,
    CellKind.BOOLEAN: _boolean,
    CellKind.ERROR: _error,
    CellKind.FORMULA: _formula,
}


def same_value(one: Value, other: Value) -> bool:
    """Whether two values are the same figure; texts are compared folded, dates by what is known."""
    if isinstance(one, str) and isinstance(other, str):
        return fold(one) == fold(other)
    if isinstance(one, PartialDate) and isinstance(other, PartialDate):
        same_month = (one.year, one.month) == (other.year, other.month)
        return same_month and (one.day is None or other.day is None or one.day == other.day)
    return one == other
