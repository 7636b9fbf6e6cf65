"""A second programme: another county, another year, a plan laid out in another way.

Its registry and its plan workbook stand in tests/data/other_county. The workbook is written by
``python -m tests.other_county``: annex 1 without 序号, 扶贫效益 and 牵头单位, in 元, under other
headings (two of them known to its registry alone) and with a column of its own; annex 2 without 建设期限 and 自筹资金; headings in Arabic
numbers; no stated totals in annex 2.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from openpyxl import Workbook

HOME = Path(__file__).parent / "data" / "other_county"
PLAN = HOME / "data" / "raw" / "plan" / "2019-云岚县计划.xlsx"

_GROUP = "计划资金"
#: sheet → rows of cells; None = empty. A row of one cell is a title or a heading.
SHEETS: dict[str, list[list[str | int | float | None]]] = {
    "附件1": [
        ["附件1"],
        ["2019年结对合作资金项目安排表"],
        ["单位：元"],
        ["工程名称", "项目地点", "建设内容", "总投资", _GROUP, None, None, "项目开工时间", "项目验收时间", "报送单位", "文号"],
        [None, None, None, None, "合计", "合作资金", "乡镇配套", None, None, None, None],
        ["1. 产业合作"],
        ["石桥铺镇茶叶初制所", "石桥铺镇", "厂房800平方米、生产线1条", 3_000_000, 3_000_000, 1_800_000, 1_200_000,
         "2019年3月", "2019年8月", "石桥铺镇", "云合〔2019〕11号"],
        ["松涧乡食用菌大棚", "松涧乡", "大棚60个", 1_250_000, 1_250_000, 1_250_000, 0,
         "2019年4月", "2019年9月", "松涧乡人民政府", "云合〔2019〕12号"],
        ["2. 民生实事"],
        ["云东街道供水管网改造", "云东街道", "更换管网6.4公里", 2_400_000, 2_400_000, 1_500_000, 900_000,
         "2019年3月", "2019年12月", "县水务局", None],
        ["松涧乡卫生院发热门诊", "松涧乡", "业务用房300平方米", 905_000.5, 905_000.5, 905_000.5, 0,
         "2019年5月", "2019年11月", "松涧乡", None],
        ["合计", None, None, 7_555_000.5, 7_555_000.5, 5_455_000.5, 2_100_000, None, None, None, None],
    ],
    "附件2": [
        ["附件2"],
        ["2019年合作招引项目表"],
        ["单位：万元"],
        ["编序", "建设地点", "项目", "建设规模", "计划总投资", "资金合计", "企业投资", "项目类别"],
        [1, "石桥铺镇", "茶旅融合综合体", "占地120亩", 5000, 5000, 5000, "文旅"],
        [2, "云东街道", "冷链配送中心", "库容2万吨", 3200, 3200, 3200, "物流"],
    ],
}  # fmt: skip


def write_plan(path: Path) -> Path:
    """Write the plan workbook; the same bytes but for the container's time stamps."""
    book = Workbook()
    book.remove(book.active)
    for name, rows in SHEETS.items():
        sheet = book.create_sheet(name)
        for number, row in enumerate(rows, start=1):
            for column, value in enumerate(row, start=1):
                if value is not None:
                    sheet.cell(number, column, value)
    header = book["附件1"]
    header.merge_cells("E4:G4")
    book.properties.created = book.properties.modified = datetime(2019, 2, 20)
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)
    return path


if __name__ == "__main__":
    print(write_plan(PLAN).name)
