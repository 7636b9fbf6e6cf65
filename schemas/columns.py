"""Every column, defined once: name, title, aliases, unit, kind, rule and meaning.

The pandera schemas, the header finder, the forms with their drop-downs, the marked returns, the
report's tables, the exports and docs/dictionary.md are all derived from these declarations
(docs/decisions/0001). Tables (schemas/tables.py) only say which columns they have, in what order.

A column's `field` is its name inside the program; a money field ends in ``_fen`` and holds whole
分. `export_name` is its name in exports and on the command line, without that ending, in 万元.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a cell of the column holds once it is read, and its Python type.

    ========== =================================================================
    TEXT       str, as written (outer blanks removed)
    SEQUENCE   int, a 序号
    MONEY      int, whole 分
    PERCENT    Decimal, 0–100
    COUNT      Decimal, 0 or more, whole unless rule C12 says otherwise
    QUANTITY   Decimal, in the indicator's own unit of measure
    DATE       PartialDate
    CHOICE     str, one of the column's `allowed` words
    ========== =================================================================
    """

    TEXT = "text"
    SEQUENCE = "sequence"
    MONEY = "money"
    PERCENT = "percent"
    COUNT = "count"
    QUANTITY = "quantity"
    DATE = "date"
    CHOICE = "choice"


PROJECT_STATUSES = ("未开工", "在建", "已完工", "已验收", "已取消")
NEED_STATUSES = ("未对接", "洽谈中", "已签约", "已开工", "已完成", "已终止")

#: What joins the two rows of a header in a canonical title.
JOINT = "—"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of one or more tables.

    `title` is canonical; where the header has two rows they are joined by ``—``. `aliases` are
    other wordings found in units' workbooks, written like titles. `plan_title` is the wording of
    the printed annex where it differs. `source` names the planned figure of the same source of
    money (rules C09, R04); `cumulative_of` the 本月 column's 累计 twin.
    """

    field: str
    title: str
    kind: Kind
    meaning: str
    aliases: tuple[str, ...] = ()
    unit: str = ""
    allowed: tuple[str, ...] = ()
    cumulative: bool = False
    source: str = ""
    cumulative_of: str = ""
    width: int = 10
    exported_as: str = ""

    @property
    def export_name(self) -> str:
        return self.exported_as or self.field.removesuffix("_fen")

    @property
    def group(self) -> str:
        """The upper row of a two-row header, or ''."""
        upper, joint, _ = self.title.partition(JOINT)
        return upper if joint else ""

    @property
    def leaf(self) -> str:
        """The lower row of a two-row header, or the whole title."""
        return self.title.rpartition(JOINT)[2]


_FUNDS = "项目资金安排(万元)"
_RECEIVED = "累计到位资金(万元)"
_PAID_MONTH = "本月支付(万元)"
_PAID_CUM = "累计支付(万元)"
_ENTERPRISE = "企业投资或社会帮扶"


def _aliases(groups: tuple[str, ...], leaves: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{group}{JOINT}{leaf}" for group in groups for leaf in leaves)


_FISCAL = ("财政帮扶资金", "财政帮扶", "财政资金", "帮扶资金", "财政")
_SELF = ("自筹资金", "自筹")
_SOCIAL = (_ENTERPRISE, "企业投资", "社会帮扶", "企业投资/社会帮扶", "企业投资、社会帮扶")
_FUNDS_GROUPS = (_FUNDS, "资金安排", "项目资金安排", "计划资金", "资金计划")
_RECEIVED_GROUPS = (
    _RECEIVED,
    "累计到位资金",
    "累计到位",
    "到位资金累计",
    "资金累计到位",
    "累计资金到位",
    "资金累计到位情况",
)
_PAID_MONTH_GROUPS = (
    _PAID_MONTH,
    "本月支付",
    "当月支付",
    "本月支付情况",
    "本月支付资金",
    "本月资金支付",
    "当月支付资金",
)
_PAID_CUM_GROUPS = (
    _PAID_CUM,
    "累计支付",
    "累计支付资金",
    "累计资金支付",
    "支付累计",
    "资金累计支付",
    "累计支付情况",
    "累计已支付",
    "累计付款",
)

_ALL: tuple[Column, ...] = (
    # --- plan columns, in the printed annexes and prefilled in the forms
    Column("seq", "序号", Kind.SEQUENCE, "印发计划中的序号", ("编序", "序", "No.", "项目序号"), width=5),
    Column(
        "place", "建设地", Kind.TEXT, "项目所在的县、乡镇", ("建设地点", "实施地点", "项目地点"), width=11
    ),
    Column(
        "item_name",
        "项目名称",
        Kind.TEXT,
        "项目名称，报送时据此与计划匹配",
        ("项目", "工程名称", "名称", "需求项目名称", "援建项目名称", "工程项目名称"),
        width=22,
    ),
    Column(
        "scale",
        "建设规模及内容",
        Kind.TEXT,
        "建设规模及内容",
        ("建设内容", "建设规模", "建设内容及规模"),
        width=30,
    ),
    Column("benefit", "扶贫效益", Kind.TEXT, "带贫减贫效益的文字说明", ("带贫效益", "扶贫成效"), width=30),
    Column(
        "total_investment_fen",
        "项目总投资(万元)",
        Kind.MONEY,
        "计划总投资",
        ("项目总投资", "总投资", "总投资额", "计划总投资", "计划投资"),
        unit="万元",
    ),
    Column(
        "funds_total_fen",
        f"{_FUNDS}{JOINT}合计",
        Kind.MONEY,
        "计划资金合计，应等于各来源之和",
        (*_aliases(_FUNDS_GROUPS, ("合计", "小计")), "资金合计", "计划资金合计"),
        unit="万元",
    ),
    Column(
        "fiscal_planned_fen",
        f"{_FUNDS}{JOINT}财政帮扶资金",
        Kind.MONEY,
        "计划财政帮扶资金（帮扶方出资）",
        (*_aliases(_FUNDS_GROUPS, _FISCAL), "计划财政帮扶资金", "财政帮扶资金"),
        unit="万元",
    ),
    Column(
        "enterprise_planned_fen",
        f"{_FUNDS}{JOINT}{_ENTERPRISE}",
        Kind.MONEY,
        "计划企业投资或社会帮扶资金",
        (*_aliases(_FUNDS_GROUPS, _SOCIAL), *_SOCIAL),
        unit="万元",
    ),
    Column(
        "self_planned_fen",
        f"{_FUNDS}{JOINT}自筹资金",
        Kind.MONEY,
        "计划自筹资金",
        (*_aliases(_FUNDS_GROUPS, _SELF), "计划自筹资金", "自筹资金"),
        unit="万元",
    ),
    Column(
        "start_planned",
        "计划开工时间",
        Kind.DATE,
        "计划开工的月份",
        ("项目开工时间", "开工时间", "计划开工", "计划开工日期"),
        width=11,
    ),
    Column(
        "accept_planned",
        "计划验收时间",
        Kind.DATE,
        "计划验收的月份",
        ("项目验收时间", "验收时间", "计划验收", "计划验收日期", "计划完工时间"),
        width=11,
    ),
    Column("lead_unit", "牵头单位", Kind.TEXT, "牵头单位", ("牵头部门", "责任单位", "实施单位"), width=12),
    Column("report_unit", "报送单位", Kind.TEXT, "由谁报送本行（可不设此列）", ("填报单位",), width=12),
    Column("period", "建设期限", Kind.TEXT, "建设年限", ("建设年限", "建设期", "建设周期"), width=11),
    Column(
        "category", "类别", Kind.TEXT, "需求类别（附件2备注栏）", ("项目类别", "需求类别", "类型"), width=10
    ),
    Column("item_code", "编号", Kind.TEXT, "指标编号", ("指标编号", "编码", "序号"), width=12),
    Column("unit_of_measure", "计量单位", Kind.TEXT, "指标的计量单位", ("单位", "度量单位"), width=9),
    Column(
        "target",
        "年度目标",
        Kind.QUANTITY,
        "本年度目标值",
        ("目标", "目标值", "年度目标值", "全年目标", "年度任务", "目标任务"),
    ),
    Column("responsible_units", "责任单位", Kind.TEXT, "责任单位，列在首位的报送", ("责任部门",), width=16),
    # --- 表1, reported
    Column(
        "status",
        "项目状态",
        Kind.CHOICE,
        "项目目前的状态",
        ("状态", "建设状态", "项目进展状态", "工程状态", "目前状态", "当前状态", "工程进展状态"),
        allowed=PROJECT_STATUSES,
        width=9,
    ),
    Column(
        "start_actual",
        "实际开工时间",
        Kind.DATE,
        "实际开工的日期或月份",
        ("实际开工", "实际开工日期", "开工日期"),
        width=11,
    ),
    Column(
        "finish_actual",
        "实际完工时间",
        Kind.DATE,
        "实际完工的日期或月份",
        ("实际完工", "实际完工日期", "完工时间", "完工日期", "竣工时间", "实际竣工时间"),
        width=11,
    ),
    Column(
        "accept_actual",
        "实际验收时间",
        Kind.DATE,
        "实际验收的日期或月份",
        ("实际验收", "实际验收日期", "验收日期"),
        width=11,
    ),
    Column(
        "progress_pct",
        "形象进度(%)",
        Kind.PERCENT,
        "截至月末的工程形象进度，0–100",
        (
            "形象进度",
            "工程形象进度",
            "工程进度",
            "项目形象进度",
            "形象进度％",
            "进度(%)",
            "项目进度",
            "完成进度",
        ),
        unit="%",
        cumulative=True,
        width=8,
    ),
    Column(
        "fiscal_received_cum_fen",
        f"{_RECEIVED}{JOINT}财政帮扶资金",
        Kind.MONEY,
        "年初以来到达项目单位的财政帮扶资金",
        (*_aliases(_RECEIVED_GROUPS, _FISCAL), "累计到位财政帮扶资金", "财政帮扶资金累计到位"),
        unit="万元",
        cumulative=True,
        source="fiscal_planned_fen",
    ),
    Column(
        "self_received_cum_fen",
        f"{_RECEIVED}{JOINT}自筹资金",
        Kind.MONEY,
        "年初以来到位的自筹资金",
        (*_aliases(_RECEIVED_GROUPS, _SELF), "累计到位自筹资金", "自筹资金累计到位"),
        unit="万元",
        cumulative=True,
        source="self_planned_fen",
    ),
    Column(
        "invested_cum_fen",
        "累计完成投资(万元)",
        Kind.MONEY,
        "年初以来完成的投资（工程量）",
        (
            "累计完成投资",
            "累计完成投资额",
            "完成投资",
            "累计投资",
            "已完成投资",
            "完成投资累计",
            "已完成投资额",
            "累计投资完成额",
        ),
        unit="万元",
        cumulative=True,
    ),
    Column(
        "fiscal_paid_month_fen",
        f"{_PAID_MONTH}{JOINT}财政帮扶资金",
        Kind.MONEY,
        "本月付给施工方或受益人的财政帮扶资金",
        (*_aliases(_PAID_MONTH_GROUPS, _FISCAL), "本月支付财政帮扶资金"),
        unit="万元",
        source="fiscal_planned_fen",
        cumulative_of="fiscal_paid_cum_fen",
    ),
    Column(
        "self_paid_month_fen",
        f"{_PAID_MONTH}{JOINT}自筹资金",
        Kind.MONEY,
        "本月付给施工方或受益人的自筹资金",
        (*_aliases(_PAID_MONTH_GROUPS, _SELF), "本月支付自筹资金"),
        unit="万元",
        source="self_planned_fen",
        cumulative_of="self_paid_cum_fen",
    ),
    Column(
        "fiscal_paid_cum_fen",
        f"{_PAID_CUM}{JOINT}财政帮扶资金",
        Kind.MONEY,
        "年初以来付给施工方或受益人的财政帮扶资金；只拨到部门、乡镇的不算",
        (*_aliases(_PAID_CUM_GROUPS, _FISCAL), "累计支付财政帮扶资金"),
        unit="万元",
        cumulative=True,
        source="fiscal_planned_fen",
    ),
    Column(
        "self_paid_cum_fen",
        f"{_PAID_CUM}{JOINT}自筹资金",
        Kind.MONEY,
        "年初以来付给施工方或受益人的自筹资金",
        (*_aliases(_PAID_CUM_GROUPS, _SELF), "累计支付自筹资金"),
        unit="万元",
        cumulative=True,
        source="self_planned_fen",
    ),
    Column(
        "poor_households",
        "受益贫困户(户)",
        Kind.COUNT,
        "截至月末受益的建档立卡贫困户",
        ("受益贫困户", "受益贫困户数", "贫困户", "贫困户数", "受益户数", "带动贫困户", "惠及贫困户"),
        unit="户",
        cumulative=True,
    ),
    Column(
        "poor_persons",
        "受益贫困人口(人)",
        Kind.COUNT,
        "截至月末受益的建档立卡贫困人口",
        ("受益贫困人口", "受益贫困人口数", "贫困人口", "贫困人口数", "受益人口", "受益贫困人数"),
        unit="人",
        cumulative=True,
    ),
    Column(
        "problems",
        "存在问题",
        Kind.TEXT,
        "存在的问题",
        ("问题", "存在的问题", "存在问题及原因", "主要问题", "存在问题及困难"),
        width=18,
    ),
    Column(
        "measures",
        "下步措施",
        Kind.TEXT,
        "下一步措施",
        ("下一步措施", "措施", "工作措施", "下步打算", "下步工作措施", "下一步打算", "下步计划"),
        width=18,
    ),
    Column("remarks", "备注", Kind.TEXT, "备注；更正已报数字时写明原因", ("说明", "备 注"), width=14),
    # --- 表2, reported
    Column(
        "need_status",
        "对接状态",
        Kind.CHOICE,
        "招商需求的对接状态",
        ("状态", "对接情况", "对接进展", "招商状态"),
        allowed=NEED_STATUSES,
        width=9,
        exported_as="status",
    ),
    Column(
        "partner",
        "对接单位",
        Kind.TEXT,
        "对接的企业或单位",
        ("对接企业", "签约单位", "合作单位", "签约企业"),
        width=16,
    ),
    Column(
        "signed_amount_fen",
        "签约金额(万元)",
        Kind.MONEY,
        "签约金额",
        ("签约金额", "签约额", "协议金额", "签约资金"),
        unit="万元",
    ),
    Column(
        "enterprise_received_cum_fen",
        f"{_RECEIVED}{JOINT}{_ENTERPRISE}",
        Kind.MONEY,
        "累计到位的企业投资或社会帮扶资金",
        (*_aliases(_RECEIVED_GROUPS, _SOCIAL), f"累计到位{_ENTERPRISE}"),
        unit="万元",
        cumulative=True,
        source="enterprise_planned_fen",
    ),
    Column(
        "month_progress", "本月进展", Kind.TEXT, "本月进展的文字说明", ("进展情况", "本月进展情况"), width=22
    ),
    # --- 表3, reported
    Column(
        "indicator_name",
        "指标名称",
        Kind.TEXT,
        "指标名称",
        ("指标", "工作要点", "工作指标", "名称"),
        width=24,
        exported_as="item_name",
    ),
    Column(
        "done_month",
        "本月完成",
        Kind.QUANTITY,
        "本月完成数",
        ("当月完成", "本月完成数", "本月"),
        cumulative_of="done_cum",
    ),
    Column(
        "done_cum",
        "累计完成",
        Kind.QUANTITY,
        "年初以来完成数",
        ("累计完成数", "累计", "本年累计", "年内累计完成"),
        cumulative=True,
    ),
    Column("evidence", "佐证材料", Kind.TEXT, "佐证材料", ("佐证", "证明材料", "佐证资料"), width=18),
)

COLUMNS: dict[str, Column] = {column.field: column for column in _ALL}
if len(COLUMNS) != len(_ALL):
    raise AssertionError("a column is declared twice")
