"""Each rule of the contract by name: a file that raises it, and a near miss that does not.

The files are real ones, of 景阳镇 with its one project, read and checked as any township's; R01,
R02, P05, P06 and P07 are the printed plan's. A rule without a pair fails the last test.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import openpyxl
import pytest
import xlwt
from openpyxl.workbook import Workbook

from ledger.checking.model import Context, History
from ledger.checking.plan import check_plan
from ledger.checking.submission import check_batch
from ledger.home import CHECKOUT, Home
from ledger.reading.model import Filing
from ledger.reading.submission import read_submission
from ledger.registry import Registry
from schemas.finding import rules
from schemas.month import Month
from schemas.plan import Plan, Value
from tests.workbooks import FIRST_ROW, NIL, SHEETS, letter, make_book, water

UNIT, CODE, ITEM = "景阳镇", "422822103", "2018-A1-04"
SHEET = SHEETS["projects"][0]
JUNE, JULY, AUGUST, SEPTEMBER = (Month(2018, number) for number in (6, 7, 8, 9))
PRINTED = CHECKOUT / "data" / "raw" / "plan" / "2018-as-printed.xlsx"
REGISTRY = Registry.load(Home(CHECKOUT))
Change = Callable[[Workbook], None]


def july(**reported: Any) -> dict[str, Any]:
    """July's row, in order with June's and with the plan."""
    row = water(progress_pct=70, self_received_cum=150, invested_cum=180, fiscal_paid_month=10)
    return {**row, "self_paid_month": 10, "fiscal_paid_cum": 30, "self_paid_cum": 40, **reported}


def book(month: str = "2018年7月", unit: str = UNIT, change: Change | None = None, **tables: Any) -> bytes:
    """A workbook as the township makes it; `change` is done to it afterwards."""
    stream: Any = io.BytesIO()
    make_book(stream, unit, month, **(tables or {"projects": [july()]}))
    if change is None:
        return bytes(stream.getvalue())
    opened = openpyxl.load_workbook(stream)
    change(opened)
    saved = io.BytesIO()
    opened.save(saved)
    return saved.getvalue()


def row(**reported: Any) -> bytes:
    return book(projects=[july(**reported)])


def below(**figures: Any) -> bytes:
    """The row with a stated 合计 under it."""
    return book(projects=[july(), figures])


@cache
def plan() -> Plan:
    made = check_plan(PRINTED.read_bytes(), PRINTED.name, 2018, 1, REGISTRY)
    assert isinstance(made, Plan)
    return made


def values(**reported: Any) -> dict[str, Value]:
    """A row as an earlier month's stands in the ledger."""
    read = read_submission(row(**reported), "x.xlsx", "1", Filing(REGISTRY, JULY, plan()))
    return {name: value.value for name, value in read.tables[0].rows[0].values.items()}


def june(**reported: Any) -> dict[str, Value]:
    return values(**{**water(), **reported})


@dataclass(frozen=True)
class Case:
    """A file, and what is known when it comes."""

    data: bytes
    month: Month = JULY
    past: Mapping[Month, Mapping[str, Value]] | None = None
    current: Mapping[str, Value] | None = None
    received: bool = False
    name: str = "景阳镇7月.xlsx"

    def raised(self) -> set[str]:
        past = {JUNE: june()} if self.past is None else self.past
        current = {} if self.current is None else {(CODE, "projects"): {ITEM: self.current}}
        history = History({ITEM: past}, frozenset((CODE, "projects", month) for month in past), current)
        seen = frozenset({"1"} if self.received else ())
        context = Context(plan(), history, JUNE, REGISTRY.names, seen)
        read = read_submission(self.data, self.name, "1", Filing(REGISTRY, self.month, plan()))
        return {found.rule for found in check_batch([(read, context)])[0].findings}


@dataclass(frozen=True)
class PlanCase:
    """The printed plan with some cells changed: (annex, address) → value."""

    cells: Mapping[tuple[int, str], Any] = field(default_factory=dict)
    at: tuple[str, str] = ("", "")

    def raised(self) -> set[str]:
        opened = openpyxl.load_workbook(PRINTED)
        for (annex, place), value in self.cells.items():
            opened[f"附件{annex}"][place] = value
        saved = io.BytesIO()
        opened.save(saved)
        made = check_plan(saved.getvalue(), PRINTED.name, 2018, 1, REGISTRY)
        found = made.findings if isinstance(made, Plan) else made
        return {f.rule for f in found if (f.sheet, f.cell) == self.at}


# --- how files are made that no form makes


def put(address: str, value: Any, sheet: str = SHEET) -> Change:
    def change(opened: Workbook) -> None:
        opened[sheet][address] = value

    return change


def moved(first: str, last: str, step: int) -> Change:
    """The row's cells from one column to another moved over."""

    def change(opened: Workbook) -> None:
        sheet = opened[SHEET]
        cells = sheet[f"{first}{FIRST_ROW}" : f"{last}{FIRST_ROW}"][0]
        kept = [(one.column, one.value) for one in cells]
        for one in cells:
            one.value = None
        for column, value in kept:
            sheet.cell(FIRST_ROW, column + step).value = value

    return change


def hidden(number: int) -> Change:
    def change(opened: Workbook) -> None:
        opened[SHEET].row_dimensions[number].hidden = True

    return change


def copied(title: str, **cells: Any) -> Change:
    """A second sheet with the same table, some of its cells changed."""

    def change(opened: Workbook) -> None:
        sheet = opened.copy_worksheet(opened[SHEET])
        sheet.title = title
        for address, value in cells.items():
            sheet[address] = value

    return change


def renamed(table: str, name: str, title: str) -> Change:
    """A header cell of one row with another wording."""
    return put(f"{letter(table, name)}3", title)


def with_result(data: bytes) -> bytes:
    """The workbook with its formulas' results stored, as Excel stores them."""
    saved = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(saved, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            for empty in (b"<v></v>", b"<v />", b"<v/>"):
                content = content.replace(b"</f>" + empty, b"</f><v>30</v>")
            target.writestr(name, content)
    return saved.getvalue()


def old_book(stream: str = "Workbook") -> bytes:
    """An .xls whose content stands in a stream of this name."""
    opened = xlwt.Workbook()
    opened.add_sheet(SHEET).write(0, 0, "援建项目进度")
    saved = io.BytesIO()
    opened.save(saved)
    data = saved.getvalue()
    old, new = "Workbook".encode("utf-16-le"), stream.encode("utf-16-le")
    at = data.rindex(old)
    entry = bytearray(data[at : at + 128])
    entry[: len(old)] = bytes(len(old))
    entry[: len(new)] = new
    entry[64:66] = (len(new) + 2).to_bytes(2, "little")
    return data[:at] + bytes(entry) + data[at + 128 :]


SUMS = {
    **{name: july()[name] for name in ("total_investment", "funds_total", "fiscal_planned", "self_planned")},
    **{name: july()[name] for name in ("fiscal_received_cum", "self_received_cum", "invested_cum")},
    **{name: july()[name] for name in ("fiscal_paid_month", "self_paid_month")},
    **{
        name: july()[name] for name in ("fiscal_paid_cum", "self_paid_cum", "poor_households", "poor_persons")
    },
}
TWICE = [july(), july()]
OTHER = {
    **july(seq=5, item_name="鱼精坝村公路升级改造工程(深度贫困村)", place="建始县"),
    **{"total_investment": None, "funds_total": None, "fiscal_planned": None, "self_planned": None},
    **{"start_planned": None, "accept_planned": None, "lead_unit": None},
}
#: three months in which nothing moved, and the steps of three months
STILL = {month: values() for month in (Month(2018, 6), JULY, AUGUST)}
STEPS = {
    JUNE: values(fiscal_paid_cum=5),
    JULY: values(fiscal_paid_cum=8),
    AUGUST: values(fiscal_paid_cum=10),
}
SEP = {"month": "2018年9月"}


def grown(paid: int) -> bytes:
    return book(**SEP, projects=[july(fiscal_paid_cum=paid, fiscal_paid_month=paid - 10)])


#: rule: what raises it, and what comes near
PAIRS: dict[str, tuple[Callable[[], Case | PlanCase], Callable[[], Case | PlanCase]]] = {
    "F01": (lambda: Case(book()[:2000]), lambda: Case(book())),
    "F02": (lambda: Case(old_book("EncryptedPackage")), lambda: Case(old_book())),
    "F03": (lambda: Case(b"%PDF-1.7\n" + book()), lambda: Case("项目,状态\n路,在建\n".encode())),
    "F04": (
        lambda: Case(book(change=put("XFD1048576", "末"))),
        lambda: Case(book(change=put("AZ900", "末"))),
    ),
    "F05": (
        lambda: Case(book(change=lambda opened: opened.remove(opened[SHEET]))),
        lambda: Case(book()),
    ),
    "F06": (lambda: Case(book(unit="景阳公司")), lambda: Case(book(unit="建始县景阳镇人民政府"))),
    "F07": (lambda: Case(book("2018年8月")), lambda: Case(book("二〇一八年七月"))),
    "F08": (lambda: Case(book(), received=True), lambda: Case(book())),
    "F09": (
        lambda: Case(book(change=renamed("projects", "invested_cum", "其他"))),
        lambda: Case(book(change=renamed("projects", "problems", "其他"))),
    ),
    "F10": (
        lambda: Case(book(change=renamed("projects", "problems", "项目状态"))),
        lambda: Case(book(change=put(f"{letter('projects', 'self_paid_cum')}4", "自筹"))),
    ),
    "F11": (
        lambda: Case(book(change=renamed("projects", "remarks", "联系人"))),
        lambda: Case(book(change=renamed("projects", "remarks", "备 注"))),
    ),
    "F12": (
        lambda: Case(book(indicators=NIL)),
        lambda: Case(book()),
    ),
    "F13": (
        lambda: Case(book(change=put(f"A{FIRST_ROW + 1}", NIL))),
        lambda: Case(book(projects=NIL)),
    ),
    "F14": (lambda: Case(book(change=hidden(FIRST_ROW))), lambda: Case(book(change=hidden(FIRST_ROW + 40)))),
    "F15": (
        lambda: Case(book(), current=values(invested_cum=170)),
        lambda: Case(
            book(change=explained),
            current=values(invested_cum=170),
        ),
    ),
    "F16": (
        lambda: Case(book(change=moved(letter("projects", "status"), letter("projects", "poor_persons"), 1))),
        lambda: Case(row(problems=None, measures=None)),
    ),
    "F17": (
        lambda: Case(book(change=moved("E", letter("projects", "poor_persons"), 1))),
        lambda: Case(row(funds_total=None)),
    ),
    "F18": (
        lambda: Case(book(change=put("G2", "单位：元"))),
        lambda: Case(book(change=put("G2", "单位：万元"))),
    ),
    "F19": (
        lambda: Case(book(change=copied("上月", D2="月份：2018年6月"))),
        lambda: Case(book(projects=[july()], indicators=NIL)),
    ),
    "F20": (lambda: Case(book(change=copied("副本"))), lambda: Case(book(projects=[july()], needs=NIL))),
    "C01": (lambda: Case(row(self_received_cum="不详")), lambda: Case(row(self_received_cum="150"))),
    "C02": (lambda: Case(row(start_actual="很快")), lambda: Case(row(start_actual="2018/5/1"))),
    "C03": (lambda: Case(row(progress_pct=100.5)), lambda: Case(row(progress_pct=100))),
    "C04": (lambda: Case(row(fiscal_paid_month=-1)), lambda: Case(row(fiscal_paid_month=0))),
    "C05": (lambda: Case(row(status="施工中")), lambda: Case(row(status="在 建"))),
    "C06": (lambda: Case(row(invested_cum=None)), lambda: Case(row(poor_persons=None))),
    "C07": (lambda: Case(row(invested_cum="#REF!")), lambda: Case(row(remarks="见 REF 表"))),
    "C08": (
        lambda: Case(row(fiscal_paid_cum="=10+20")),
        lambda: Case(with_result(row(fiscal_paid_cum="=10+20"))),
    ),
    "C09": (lambda: Case(row(fiscal_received_cum=50_000)), lambda: Case(row(fiscal_received_cum=49_999))),
    "C10": (lambda: Case(row(poor_persons="约600")), lambda: Case(row(poor_persons="629"))),
    "C11": (lambda: Case(row(progress_pct=0.7)), lambda: Case(row(progress_pct=(0.7, "0%")))),
    "C12": (lambda: Case(row(invested_cum=150.1234567)), lambda: Case(row(invested_cum=150.123456))),
    "C13": (lambda: Case(row(start_actual="2018年8月")), lambda: Case(row(start_actual="2018年7月31日"))),
    "C14": (
        lambda: Case(book(projects=[july(), {**OTHER, "place": "同上"}])),
        lambda: Case(book(projects=[july(), {**OTHER, "place": "建始县"}])),
    ),
    "R03": (lambda: Case(row(fiscal_paid_cum=50.01)), lambda: Case(row(fiscal_paid_cum=50))),
    "R04": (lambda: Case(row(self_received_cum=250.01)), lambda: Case(row(self_received_cum=250))),
    "R05": (lambda: Case(row(invested_cum=300.01)), lambda: Case(row(invested_cum=300))),
    "R06": (lambda: Case(row(status="未开工")), lambda: Case(row(progress_pct=0))),
    "R07": (
        lambda: Case(row(status="已完工", progress_pct=100, finish_actual="2018年4月")),
        lambda: Case(row(status="已完工", progress_pct=100, finish_actual="2018年5月")),
    ),
    "R08": (lambda: Case(book(projects=TWICE)), lambda: Case(book(projects=[july(), OTHER]))),
    "R09": (
        lambda: Case(row(progress_pct=10)),
        lambda: Case(row(progress_pct=10, problems="雨季停工", measures="督促复工")),
    ),
    "R10": (lambda: Case(row(start_actual=None)), lambda: Case(row(finish_actual=None))),
    "T01": (
        lambda: Case(below(item_name="合计", **{**SUMS, "invested_cum": 181})),
        lambda: Case(below(item_name="合计", **SUMS)),
    ),
    "T02": (
        lambda: Case(below(item_name="合计（2个）", **SUMS)),
        lambda: Case(below(item_name="合计（1个）", **SUMS)),
    ),
    "T03": (lambda: Case(below(item_name="合计")), lambda: Case(below(item_name="合计", **SUMS))),
    "P01": (
        lambda: Case(row(item_name="景阳河大桥", seq=99)),
        lambda: Case(row(item_name="景阳镇社坛村安全饮水工程")),
    ),
    "P02": (lambda: Case(row(lead_unit="官店镇政府")), lambda: Case(row(lead_unit=None))),
    "P03": (lambda: Case(book(projects=[july(), OTHER])), lambda: Case(book())),
    "P04": (lambda: Case(book(projects=NIL)), lambda: Case(book())),
    "P08": (
        lambda: Case(row(item_name="景阳镇社坛村安全饮水工程")),
        lambda: Case(row(item_name="景阳镇社坛村安全饮水工程（深度贫困村）")),
    ),
    "H01": (
        lambda: Case(row(), past={JUNE: june(invested_cum=181)}),
        lambda: Case(row(), past={JUNE: june(invested_cum=180)}),
    ),
    "H02": (lambda: Case(row(fiscal_paid_month=9)), lambda: Case(row())),
    "H03": (
        lambda: Case(row(), past={JUNE: june(status="已完工")}),
        lambda: Case(row(), past={JUNE: june(status="未开工")}),
    ),
    "H04": (
        lambda: Case(grown(26), month=SEPTEMBER, past=STEPS),
        lambda: Case(grown(25), month=SEPTEMBER, past=STEPS),
    ),
    "H05": (
        lambda: Case(book(**SEP), month=SEPTEMBER, past=STILL),
        lambda: Case(book(**SEP, projects=[july(progress_pct=71)]), month=SEPTEMBER, past=STILL),
    ),
    "H06": (lambda: Case(row(), past={}), lambda: Case(row())),
    "R01": (
        lambda: PlanCase({(1, "G9"): 176}, ("附件1", "G9")),
        lambda: PlanCase({}, ("附件1", "G9")),
    ),
    "R02": (
        lambda: PlanCase({(1, "F8"): 210}, ("附件1", "F8")),
        lambda: PlanCase({}, ("附件1", "F8")),
    ),
    "P05": (
        lambda: PlanCase({(1, "L8"): "刘克友"}, ("附件1", "L8")),
        lambda: PlanCase({(1, "L8"): "建始县长梁镇人民政府"}, ("附件1", "L8")),
    ),
    "P06": (
        lambda: PlanCase({(1, "J19"): "2018年6月18日"}, ("附件1", "J19")),
        lambda: PlanCase({(1, "J19"): "2018年6月19日"}, ("附件1", "J19")),
    ),
    "P07": (
        lambda: PlanCase({(1, "E9"): None}, ("附件1", "E9")),
        lambda: PlanCase({(1, "E9"): "带动10户贫困户32人"}, ("附件1", "E9")),
    ),
}


def explained(opened: Workbook) -> None:
    front = opened["封面"]
    front["A8"], front["B8"] = "更正说明", "核对凭证后更正"


@pytest.mark.parametrize("rule", PAIRS)
def test_a_file_raises_the_rule_and_its_near_miss_does_not(rule: str) -> None:
    raising, near = PAIRS[rule]
    assert rule in raising().raised()
    assert rule not in near().raised()


def test_no_rule_is_without_its_pair() -> None:
    assert set(PAIRS) == set(rules())
