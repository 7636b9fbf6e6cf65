"""A county's office over a year: its home, its units' workbooks, who sends what on which day.

Made from tests/data/other_county (invented). A book's figures grow by the month, so that nothing but
what a test wants is wrong with it.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from ledger.home import Home
from schemas.month import Month
from tests.other_county import HOME, PLAN
from tests.workbooks import make_book

#: The units that owe a report, as the registry names them.
OWING = ("云东街道", "石桥铺镇", "松涧乡", "县合作办", "县投资促进中心", "县水务局")
SLUGS = {
    "云东街道": "yundong",
    "石桥铺镇": "shiqiaopu",
    "松涧乡": "songjian",
    "县合作办": "hezuoban",
    "县投资促进中心": "toucu",
    "县水务局": "shuiwu",
}
#: Leadership: key → (name, what it gets).
LEADERS = {
    "leader": ("市结对合作领导小组", "月报|一页纸"),
    "partner": ("江澜市合作交流办公室", "月报|数据"),
}


def make_home(folder: Path) -> Home:
    """The programme's home with recipients, its plan waiting in the plan folder."""
    shutil.copytree(HOME, folder)
    home = Home(folder)
    lines = ["key,name,role,address,gets,unit_code"]
    for key, (name, gets) in LEADERS.items():
        lines.append(f"{key},{name},领导,{key}@office.example,{gets},")
    codes = {
        line.split(",")[1]: line.split(",")[0]
        for line in (home.own_registry / "units.csv").read_text(encoding="utf-8-sig").splitlines()[1:]
    }
    for name, slug in SLUGS.items():
        gets = "预填表|退回|催报" + ("|单位报告" if slug == "songjian" else "")
        lines.append(f"{slug},{name},报送单位,{slug}@office.example,{gets},{codes[name]}")
    (home.own_registry / "recipients.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert (home.plans / PLAN.name).is_file()
    return home


def _project(
    name: str, month: Month, *, yearly: int, households: int | str | None = None
) -> dict[str, object]:
    """A project under way since March: paid `yearly`/12 万元 a month, a little more each month."""
    step = yearly / 100
    gone = month.month - 2
    paid = sum(step + n * 0.01 for n in range(1, gone + 1))
    this = step + gone * 0.01
    return {
        "item_name": name,
        "status": "在建",
        "start_actual": "2019年3月",
        "progress_pct": 5 * gone,
        "fiscal_received_cum": yearly,
        "self_received_cum": 0,
        "invested_cum": round(paid, 2),
        "fiscal_paid_month": round(this, 2),
        "self_paid_month": 0,
        "fiscal_paid_cum": round(paid, 2),
        "self_paid_cum": 0,
        "poor_households": 40 + gone if households is None else households,
        "poor_persons": 150 + gone,
        "problems": "雨季影响工期",
        "measures": "增派施工队伍",
    }


def write_book(
    path: Path, unit: str, month: Month, *, households: int | str | None = None, reason: str = ""
) -> Path:
    """What `unit` reports for `month`. `households` stands in for its first project's 受益贫困户 (a
    wrong or a corrected figure), `reason` is the cover's 更正说明."""
    gone = month.month - 2
    cover = {"更正说明": reason} if reason else None
    said = month.chinese
    match unit:
        case "云东街道":
            return make_book(path, unit, said, cover=cover, projects="零报告")
        case "石桥铺镇":
            row = _project("石桥铺镇茶叶初制所", month, yearly=180, households=households)
            target = {"code": "一#3", "item_name": "共建标准化茶园", "done_month": 2, "done_cum": 2 * gone}
            return make_book(path, unit, said, cover=cover, projects=[row], indicators=[target])
        case "松涧乡":
            rows = [
                _project("松涧乡食用菌大棚", month, yearly=125, households=households),
                _project("松涧乡卫生院发热门诊", month, yearly=90),
            ]
            return make_book(path, unit, said, cover=cover, projects=rows)
        case "县水务局":
            row = _project("云东街道供水管网改造", month, yearly=150, households=households)
            return make_book(path, unit, said, cover=cover, projects=[row])
        case "县投资促进中心":
            needs = [
                {"item_name": "茶旅融合综合体", "status": "洽谈中", "month_progress": f"第{gone}次洽谈"},
                {"item_name": "冷链配送中心", "status": "未对接"},
            ]
            target = {"item_name": "签约金额", "done_month": 100, "done_cum": 100 * gone}
            return make_book(path, unit, said, cover=cover, needs=needs, indicators=[target])
        case "县合作办":
            target = {"item_name": "互派技术人员", "done_month": 3, "done_cum": 3 * gone}
            return make_book(path, unit, said, cover=cover, indicators=[target])
        case _:
            raise AssertionError(unit)
