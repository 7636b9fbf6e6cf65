"""What a good analyst would write without this program: pandas + openpyxl + pandera, file by file.

It reads the same three tables of one known layout, coerces, validates with pandera (lazy, so that
all failures come out), compares with last month and lists what is wrong. It knows one layout, one
format, one order of columns and no cell addresses; it is here to be measured fairly, so it opens
each workbook once and builds its schemas once.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pandera.pandas as pa

_MONEY = [
    "fiscal_received_cum",
    "self_received_cum",
    "invested_cum",
    "fiscal_paid_month",
    "self_paid_month",
    "fiscal_paid_cum",
    "self_paid_cum",
]
_PROJECTS = [
    *(["seq", "place", "item_name", "total_investment", "funds_total", "fiscal_planned", "self_planned"]),
    *(
        [
            "start_planned",
            "accept_planned",
            "lead_unit",
            "status",
            "start_actual",
            "finish_actual",
            "accept_actual",
        ]
    ),
    *(["progress_pct"]),
    *_MONEY,
    *(["poor_households", "poor_persons", "problems", "measures", "remarks"]),
]
_NEEDS = [
    *(
        [
            "seq",
            "place",
            "item_name",
            "period",
            "total_investment",
            "funds_total",
            "enterprise_planned",
            "self_planned",
        ]
    ),
    *(["category", "status", "partner", "signed_amount", "enterprise_received_cum", "self_received_cum"]),
    *(["month_progress", "remarks"]),
]
_INDICATORS = [
    "item_code",
    "item_name",
    "unit_of_measure",
    "target",
    "done_month",
    "done_cum",
    "evidence",
    "remarks",
]
_AMOUNT = pa.Column(float, pa.Check.ge(0), nullable=True, coerce=True)
_SCHEMAS = {
    "表1 援建项目": (
        _PROJECTS,
        pa.DataFrameSchema(
            {
                "item_name": pa.Column(str),
                "status": pa.Column(str, pa.Check.isin(["未开工", "在建", "已完工", "已验收", "已取消"])),
                "progress_pct": pa.Column(float, pa.Check.in_range(0, 100), coerce=True),
                **dict.fromkeys(_MONEY, _AMOUNT),
                "poor_households": _AMOUNT,
                "poor_persons": _AMOUNT,
            },
            checks=[
                pa.Check(lambda df: df["fiscal_paid_cum"] <= df["fiscal_received_cum"]),
                pa.Check(lambda df: df["self_paid_cum"] <= df["self_received_cum"]),
            ],
        ),
    ),
    "表2 招商需求": (
        _NEEDS,
        pa.DataFrameSchema(
            {
                "item_name": pa.Column(str),
                "status": pa.Column(
                    str, pa.Check.isin(["未对接", "洽谈中", "已签约", "已开工", "已完成", "已终止"])
                ),
                "signed_amount": _AMOUNT,
                "enterprise_received_cum": _AMOUNT,
                "self_received_cum": _AMOUNT,
            }
        ),
    ),
    "表3 工作要点": (
        _INDICATORS,
        pa.DataFrameSchema({"item_name": pa.Column(str), "done_month": _AMOUNT, "done_cum": _AMOUNT}),
    ),
}
_HEADER_ROWS = 4


def read_and_check(path: Path, last_month: dict[str, float]) -> tuple[int, list[str]]:
    """Read and check one workbook; gives the rows read and what is wrong with them."""
    problems: list[str] = []
    rows = 0
    with pd.ExcelFile(path, engine="openpyxl") as book:
        for sheet, (names, schema) in _SCHEMAS.items():
            frame = book.parse(sheet, header=None, skiprows=_HEADER_ROWS, names=names)
            frame = frame.dropna(how="all").reset_index(drop=True)
            rows += len(frame)
            try:
                checked = schema.validate(frame, lazy=True)
            except pa.errors.SchemaErrors as failures:
                problems += [str(case) for case in failures.failure_cases.to_dict("records")]
                continue
            if sheet == "表1 援建项目":
                before = checked["item_name"].map(last_month)
                off = (checked["fiscal_paid_cum"] - before - checked["fiscal_paid_month"]).abs() > 1e-6
                problems += [f"{name}: 本月 ≠ 累计 - 上月累计" for name in checked.loc[off, "item_name"]]
    return rows, problems
