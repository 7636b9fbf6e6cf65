"""The sample's indicators: invented results, June to September 2018 (see tools/sample/story.py)."""

from __future__ import annotations

from decimal import Decimal

from tools.sample.projects import PROJECTS
from tools.sample.story import Target


def _fiscal_received(place: int) -> Decimal:
    return sum((Decimal(months[place].fiscal_received) for months in PROJECTS.values()), Decimal(0))


def _fiscal_received_month(place: int) -> str:
    return str(_fiscal_received(place) - (_fiscal_received(place - 1) if place else 0))


INDICATORS: dict[str, Target] = {
    "2018-T-01": Target(("0", "0", "0", "0"), remarks="年底统一验收认定"),
    "2018-T-02": Target(("0", "0", "0", "0"), remarks="年底统一认定"),
    "2018-T-03": Target(("0", "1", "0", "0"), ("", "7月中旬展销会通知、照片", "", "")),
    "2018-T-04": Target(("120", "210", "260", "150"), ("接待名册", "接待名册", "接待名册", "接待名册")),
    "2018-T-05": Target(("0", "3", "0", "0"), ("", "选派文件", "", "")),
    "2018-T-06": Target(("0", "4", "0", "6"), ("", "跟班学习名单", "", "跟班学习名单")),
    "2018-T-07": Target(("2", "0", "0", "0"), ("任职文件", "", "", "")),
    "2018-T-08": Target(
        ("8", "12", "10", "7"), ("派遣函", "派遣函", "派遣函", "派遣函"), "仅计累计一个月以上人员"
    ),
    "2018-T-09": Target(("0", "0", "1", "0"), ("", "", "挂牌照片、租赁合同", "")),
    "2018-T-10": Target(("0", "1", "0", "0"), ("", "数据库截图", "", ""), "每月更新"),
    "2018-T-11": Target(("1", "0", "0", "1"), ("招聘会方案", "", "", "座谈会纪要")),
    "2018-T-12": Target(("0", "0", "1", "0"), ("", "", "互访活动日程", "")),
    "2018-T-13": Target(
        tuple(_fiscal_received_month(place) for place in range(4)),  # type: ignore[arg-type]
        ("拨款凭证", "拨款凭证", "拨款凭证", "拨款凭证"),
    ),
}
