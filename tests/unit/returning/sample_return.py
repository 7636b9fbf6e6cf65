"""A small plan, a filled form and findings about it, for the tests of forms and returns."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from io import BytesIO

from openpyxl import load_workbook

from ledger.checking.model import Checked, Verdict
from ledger.home import CHECKOUT, Home
from ledger.reading.model import ReadTable, Submission
from ledger.recording.model import ItemRow, MonthView
from ledger.registry import Registry
from schemas.finding import Finding
from schemas.money import FEN_PER_WAN
from schemas.month import Month, PartialDate
from schemas.plan import Plan, PlanItem

MONTH = Month(2018, 9)
TOWNSHIP, TOWNSHIP_NAME = "422822106", "长梁镇"
DEPARTMENT, DEPARTMENT_NAME = "422822-inv", "县招商局"
PROJECTS_SHEET, NEEDS_SHEET, INDICATORS_SHEET = "表1 援建项目", "表2 招商需求", "表3 工作要点"


def registry() -> Registry:
    return Registry.load(Home(CHECKOUT))


def _project(number: int, name: str, fiscal: int, own: int) -> PlanItem:
    wan = FEN_PER_WAN
    values = {
        "seq": number,
        "place": "建始县长梁镇",
        "item_name": name,
        "total_investment_fen": (fiscal + own) * wan,
        "funds_total_fen": (fiscal + own) * wan,
        "fiscal_planned_fen": fiscal * wan,
        "self_planned_fen": own * wan,
        "start_planned": PartialDate(2018, 5),
        "accept_planned": PartialDate(2018, 10),
        "lead_unit": "长梁镇政府",
    }
    return PlanItem(
        f"2018-A1-{number:02d}", "projects", number, name, TOWNSHIP, ("一、产业发展",), values, "附件1", 7
    )


def plan() -> Plan:
    need = PlanItem(
        "2018-A2-03",
        "needs",
        3,
        "=特色农产品销售",  # a name that begins like a formula stays a name
        DEPARTMENT,
        (),
        {"seq": 3, "place": "建始县", "period": "2018-2019", "category": "产业合作"},
        "附件2",
        8,
    )
    indicator = PlanItem(
        "2018-T-03",
        "indicators",
        3,
        "农产品集中营销",
        DEPARTMENT,
        (),
        {"item_code": "2018-T-03", "unit_of_measure": "次", "target": Decimal(2)},
        None,
        None,
    )
    items = (
        _project(1, "后三溪村发展民宿旅游业", 50, 150),
        _project(4, "安全饮水工程(深度贫困村)", 230, 970),
    )
    return Plan(2018, 1, "0" * 64, "plan.xlsx", (*items, need, indicator))


def _row(item_id: str, table: str, unit: str, **values: object) -> ItemRow:
    return ItemRow(
        month=Month(2018, 8),
        reported_month=Month(2018, 8),
        table=table,
        unit_code=unit,
        item_id=item_id,
        values=values,  # type: ignore[arg-type]
        sources={},
        version=1,
        source_sha256="",
        source_file="",
        source_sheet="",
        source_row=0,
        received_at=datetime(2018, 9, 3),
    )


def last_month() -> MonthView:
    """August: project 1 has figures, project 4 was never reported."""
    project = _row(
        "2018-A1-01",
        "projects",
        TOWNSHIP,
        status="在建",
        progress_pct=Decimal("55"),
        fiscal_received_cum_fen=50 * FEN_PER_WAN,
        self_received_cum_fen=120 * FEN_PER_WAN + 500_000,
        fiscal_paid_cum_fen=30 * FEN_PER_WAN,
        self_paid_cum_fen=61 * FEN_PER_WAN + 250_000,
        poor_households=Decimal("23"),
    )
    indicator = _row("2018-T-03", "indicators", DEPARTMENT, done_cum=Decimal("1"))
    return MonthView(Month(2018, 8), None, plan(), {"projects": (project,), "indicators": (indicator,)})


FILLED = {
    "项目状态": "在建",
    "实际开工时间": datetime(2018, 5, 20),
    "形象进度(%)": 60,
    "累计到位资金(万元)—财政帮扶资金": 50,
    "累计到位资金(万元)—自筹资金": 130.5,
    "累计完成投资(万元)": 120.25,
    "本月支付(万元)—财政帮扶资金": 5,
    "本月支付(万元)—自筹资金": 0.25,
    "累计支付(万元)—财政帮扶资金": 35,
    "累计支付(万元)—自筹资金": 61.5,
    "受益贫困户(户)": 25,
    "受益贫困人口(人)": 82,
    "下步措施": "继续施工",
}


def fill(data: bytes, filled: dict[str, object] = FILLED) -> bytes:
    """A form of the township filled in as a clerk would, both projects alike."""
    workbook = load_workbook(BytesIO(data))
    sheet = workbook[PROJECTS_SHEET]
    for column in range(1, 28):
        upper, lower = sheet.cell(3, column).value, sheet.cell(4, column).value
        left = column
        while upper is None and lower is not None:
            left -= 1
            upper = sheet.cell(3, left).value
        title = f"{upper}—{lower}" if lower else upper
        if title in filled:
            for row in (5, 6):
                sheet.cell(row, column).value = filled[title]
    written = BytesIO()
    workbook.save(written)
    return written.getvalue()


def checked(
    findings: list[Finding], verdict: Verdict = Verdict.IN_PART, name: str = "9月报表.xlsx"
) -> Checked:
    table = ReadTable("projects", PROJECTS_SHEET, {"item_name": "C3", "status": "K3"}, [])
    submission = Submission(name, "0" * 64, TOWNSHIP, MONTH, {}, [table], [])
    return Checked(submission, [], findings, verdict)
