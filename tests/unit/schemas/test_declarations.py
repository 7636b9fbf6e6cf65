"""The declarations agree with each other and with the contract's lists."""

from __future__ import annotations

import unicodedata
from collections import Counter
from itertools import chain

import pytest

from schemas.columns import COLUMNS, Kind
from schemas.exports import EXPORTS, column_names
from schemas.tables import PLAN_TABLES, TABLES, Table

ALL = [*TABLES.values(), *PLAN_TABLES.values()]
IDS = [table.sheet for table in ALL]

#: the contract's export columns, typed a second time on purpose
CONTRACT = {
    "projects": "month, unit_code, unit_name, item_id, item_name, status, start_actual, finish_actual, "
    "accept_actual, progress_pct, fiscal_received_cum, self_received_cum, invested_cum, "
    "fiscal_paid_month, self_paid_month, fiscal_paid_cum, self_paid_cum, poor_households, poor_persons, "
    "problems, measures, remarks, version, source_sha256, source_sheet, source_row, carried_forward",
    "needs": "month, unit_code, unit_name, item_id, item_name, status, partner, signed_amount, "
    "enterprise_received_cum, self_received_cum, month_progress, remarks, version, source_sha256, "
    "source_sheet, source_row, carried_forward",
    "indicators": "month, unit_code, unit_name, item_id, item_name, unit_of_measure, target, done_month, "
    "done_cum, evidence, remarks, version, source_sha256, source_sheet, source_row, carried_forward",
    "submissions": "month, unit_code, unit_name, table, sha256, file_name, received_at, first_received_at, "
    "first_accepted_at, verdict, timely, version, superseded_by",
    "findings": "month, unit_code, unit_name, table, rule, severity, scope, item_id, sheet, cell, row, value, "
    "expected, difference, message, remedy, source_sha256, received_at, open",
    "corrections": "month, item_id, field, old, new, unit_code, received_at, reason, editions_affected",
}
TITLES = {
    "projects": "序号 建设地 项目名称 项目总投资(万元) 项目资金安排(万元)—合计 项目资金安排(万元)—财政帮扶资金 "
    "项目资金安排(万元)—自筹资金 计划开工时间 计划验收时间 牵头单位 项目状态 实际开工时间 实际完工时间 实际验收时间 "
    "形象进度(%) 累计到位资金(万元)—财政帮扶资金 累计到位资金(万元)—自筹资金 累计完成投资(万元) "
    "本月支付(万元)—财政帮扶资金 本月支付(万元)—自筹资金 累计支付(万元)—财政帮扶资金 累计支付(万元)—自筹资金 "
    "受益贫困户(户) 受益贫困人口(人) 存在问题 下步措施 备注",
    "needs": "序号 建设地 项目名称 建设期限 项目总投资(万元) 项目资金安排(万元)—合计 "
    "项目资金安排(万元)—企业投资或社会帮扶 项目资金安排(万元)—自筹资金 类别 对接状态 对接单位 签约金额(万元) "
    "累计到位资金(万元)—企业投资或社会帮扶 累计到位资金(万元)—自筹资金 本月进展 备注",
    "indicators": "编号 指标名称 计量单位 年度目标 本月完成 累计完成 佐证材料 备注",
}


def folded(title: str) -> str:
    return "".join(unicodedata.normalize("NFKC", title).split())


@pytest.mark.parametrize("key", TABLES)
def test_titles_are_the_contracts(key: str) -> None:
    assert [column.title for column in TABLES[key]] == TITLES[key].split()


@pytest.mark.parametrize("name", CONTRACT)
def test_exports_are_the_contracts(name: str) -> None:
    assert list(column_names(name)) == CONTRACT[name].split(", ")


def test_there_is_no_other_export() -> None:
    assert list(EXPORTS) == list(CONTRACT)


@pytest.mark.parametrize("table", ALL, ids=IDS)
def test_no_wording_means_two_columns_of_a_table(table: Table) -> None:
    said = Counter(chain.from_iterable({folded(w) for w in (c.title, *c.aliases)} for c in table))
    # 序号 of 表3 is the 编号 column: 表3 has no number column of its own
    assert [wording for wording, times in said.items() if times > 1] == []


@pytest.mark.parametrize("table", ALL, ids=IDS)
def test_a_table_speaks_only_of_its_own_columns(table: Table) -> None:
    fields = set(table.fields)
    assert len(fields) == len(table.fields)
    assert fields <= set(COLUMNS)
    assert {*table.plan_fields, *table.required, table.name_field, *chain(*table.any_of)} <= fields
    assert {*table.titles, *table.aliases} <= fields
    names = Counter(column.export_name for column in table.reported)
    assert max(names.values()) == 1


@pytest.mark.parametrize("column", COLUMNS.values(), ids=COLUMNS)
def test_a_column_is_whole(column: object) -> None:
    from schemas.columns import Column

    assert isinstance(column, Column)
    assert column.meaning
    assert (column.kind is Kind.MONEY) == column.field.endswith("_fen") == (column.unit == "万元")
    assert (column.kind is Kind.CHOICE) == bool(column.allowed)
    for other in (column.source, column.cumulative_of):
        assert other == "" or other in COLUMNS
    if column.cumulative_of:
        assert COLUMNS[column.cumulative_of].cumulative
    if column.field.endswith(("_cum", "_cum_fen")):
        assert column.cumulative


def test_whatever_was_paid_or_received_has_its_planned_source() -> None:
    for table in TABLES.values():
        for column in table.reported:
            if column.source:
                assert column.source in table.plan_fields
