"""Simulated programmes: each its own registry, plan and workbooks, of which one set is made by
openpyxl and this program's own forms, and the others by changing the bytes of its figures.

A programme has twelve units, ten projects, four needs and three indicators. In every twentieth one
unit does not report, in every twenty-fifth one row is returned for a progress of 130%.
"""

from __future__ import annotations

import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

from openpyxl import Workbook, load_workbook

from flows.forms import write
from ledger.home import Home
from ledger.recording.ledger import Ledger
from ledger.registry import Registry
from schemas.month import Month

MONTH = Month(2018, 9)
FIRST = Month(2018, 8)
UNITS = [f"第{place}镇" for place in "一二三四五六七八九"] + ["县农业局", "县水利局", "县招商局"]
#: In the template's bytes: the county's number, and the figures that each programme has of its own.
_NUMBER = "990000"
_RECEIVED, _OWN, _INVESTED, _PAID, _PAID_CUM, _PROGRESS = "111.11", "88.88", "77.77", "55.55", "66.66", "43"
_FIGURES = "<v>{}</v>"
_PROVINCES, _PREFECTURES = 31, 333

_PROGRAMME = """\
name = "模拟{number}县结对合作"
county = "模拟{number}县"
partner = "某市"
document_number = ""
coordinating_unit = "{code}-ny"
sample = true
sample_notice = "模拟数据"

[place]
province = "第{province}省"
prefecture = "第{prefecture}州"

[plan]
year = 2018
issued = 2018-07-20
first_month = "2018-08"

[default_units]
projects = "{code}-ny"
needs = "{code}-zs"
indicators = "{code}-ny"
"""


def make(folder: Path, count: int, months: tuple[Month, ...] = (FIRST, MONTH)) -> int:
    """Write so many programmes below `folder`; the number of workbooks of the last month."""
    template = folder / "template"
    home = _first(template)
    books = {month: _books(home, month) for month in months}
    plan = next(home.plans.glob("*.xlsx")).read_bytes()
    units = (home.own_registry / "units.csv").read_bytes()
    written = 0
    for number in range(count):
        written += _write(folder / "homes" / f"{number:04d}", number, plan, units, books, months[-1])
    return written


def correct(folder: Path, number: int) -> None:
    """One programme's first unit sends its workbook again, with another figure."""
    drop = Home(folder / "homes" / f"{number:04d}").drop(MONTH)
    path = sorted(drop.glob("*.xlsx"))[0]
    parts = {
        name: data.replace(b"<v>43</v>", b"<v>44</v>") for name, data in _unpacked(path.read_bytes()).items()
    }
    changed = {name: data.replace(b"<v>130</v>", b"<v>44</v>") for name, data in parts.items()}
    (drop / f"更正-{path.name}").write_bytes(_packed(changed))


def _write(
    folder: Path,
    number: int,
    plan: bytes,
    units: bytes,
    books: dict[Month, dict[str, dict[str, bytes]]],
    last: Month,
) -> int:
    home = Home(folder)
    code = f"99{number:04d}"
    for each in (home.own_registry, home.plans):
        each.mkdir(parents=True)
    stated = _PROGRAMME.format(
        number=f"{number:04d}",
        code=code,
        province=number % _PROVINCES,
        prefecture=number % _PREFECTURES,
    )
    (home.own_registry / "programme.toml").write_text(stated, encoding="utf-8")
    (home.own_registry / "units.csv").write_bytes(units.replace(_NUMBER.encode(), code.encode()))
    (home.own_registry / "targets.csv").write_text(_TARGETS, encoding="utf-8")
    (home.plans / "2018-计划.xlsx").write_bytes(plan)
    written = 0
    for place, (month, of_month) in enumerate(books.items(), start=1):
        drop = home.drop(month)
        drop.mkdir()
        for unit, (name, parts) in enumerate(of_month.items()):
            if number % 20 == 7 and unit == 3:
                continue
            wrong = number % 25 == 3 and unit == 2 and month == last
            (drop / name).write_bytes(_packed(_varied(parts, number, place, wrong=wrong)))
            written += month == last
        received = f"{month.plus(1)}-03T10:00"
        names = "".join(f"{path.name},{received}\n" for path in sorted(drop.iterdir()))
        (drop / "received.csv").write_text("file_name,received_at\n" + names, encoding="utf-8")
    return written


def _varied(parts: dict[str, bytes], number: int, place: int, *, wrong: bool) -> dict[str, bytes]:
    """The workbook's parts with this programme's figures. `place` counts the months from 1."""
    paid = 20 + number % 17
    figures = {
        _RECEIVED: f"{100 + number % 61 + place}.5",
        _OWN: f"{40 + number % 37 + place}.5",
        _INVESTED: f"{60 + number % 29 + place}.25",
        _PAID: str(paid),
        _PAID_CUM: str(paid * place),
        _PROGRESS: "130" if wrong else str(20 + number % 53 + 5 * place),
    }
    varied = dict(parts)
    for old, new in figures.items():
        was, is_now = _FIGURES.format(old).encode(), _FIGURES.format(new).encode()
        varied = {name: data.replace(was, is_now) for name, data in varied.items()}
    return varied


def _unpacked(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(BytesIO(data)) as package:
        return {entry.filename: package.read(entry) for entry in package.infolist()}


def _packed(parts: dict[str, bytes]) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as package:
        for name, data in parts.items():
            package.writestr(zipfile.ZipInfo(name), data)
    return out.getvalue()


# --- the one that is made by hand

_TARGETS = (
    "source,indicator,unit_of_measure,target,responsible_units,stated_in_text,period,source_text,note\n"
    "一,互派干部,人次,50,县农业局,true,2018年,,\n"
    "二,培训农户,人次,900,县农业局,true,2018年,,\n"
    "三,渠道整修,公里,43.5,县水利局,true,2018年,,\n"
)
_HEAD = ["序号", "建设地", "项目名称", "建设规模及内容", "扶贫效益", "项目总投资(万元)", "项目资金安排(万元)"]


def _first(folder: Path) -> Home:
    """The template: a home with its plan registered."""
    home = Home(folder)
    for each in (home.own_registry, home.plans):
        each.mkdir(parents=True)
    stated = _PROGRAMME.format(number="0000", code=_NUMBER, province=0, prefecture=0)
    (home.own_registry / "programme.toml").write_text(stated, encoding="utf-8")
    (home.own_registry / "targets.csv").write_text(_TARGETS, encoding="utf-8")
    slugs = ("ny", "sl", "zs")
    codes = [f"{_NUMBER}{n:03d}" for n in range(1, 10)] + [f"{_NUMBER}-{slug}" for slug in slugs]
    kinds = ["township"] * 9 + ["department"] * 3
    lines = [f"{c},{n},{k},{n},\n" for c, n, k in zip(codes, UNITS, kinds, strict=True)]
    (home.own_registry / "units.csv").write_text(
        "code,name,kind,full_name,aliases\n" + "".join(lines), encoding="utf-8"
    )
    _plan(home.plans / "2018-计划.xlsx")
    with Ledger.open(home, Registry.load(home)) as ledger:
        ledger.take_in_plans(MONTH)
    return home


def _plan(path: Path) -> None:
    book = Workbook()
    first = book.active
    assert first is not None
    first.title = "附件1"
    first.append(["附件1"])
    first.append(["2018年援建项目计划表"])
    first.append([*_HEAD, None, None, "项目开工时间", "项目验收时间", "牵头单位", "报送单位"])
    first.append([*[None] * 6, "合计", "财政帮扶资金", "自筹资金"])
    first.merge_cells("G3:I3")
    first.append(["合计", None, "10个", None, None, 3000, 3000, 2000, 1000])
    for n in range(1, 11):
        unit = UNITS[n - 1]
        first.append(
            [n, unit, f"{unit}道路硬化工程", f"{n}公里", f"带动贫困户{20 + n}户{60 + n}人",
             300, 300, 200, 100, "2018年8月", f"2018年{11 + n % 2}月", unit, unit]
        )  # fmt: skip
    second = book.create_sheet("附件2")
    second.append(["附件2"])
    second.append(["2018年招商项目需求表"])
    second.append([*_HEAD[:4], "建设期限", *_HEAD[5:], None, None, "备注"])
    second.append([*[None] * 6, "合计", "企业投资或社会帮扶", "自筹资金"])
    second.merge_cells("G3:I3")
    for n in range(1, 5):
        second.append([n, UNITS[n], f"{UNITS[n]}冷链仓储项目", "库容1万吨", "2018-2019", 900, 900, 600, 300, "产业合作"])  # fmt: skip
    book.save(path)


#: What each item reports, by the form's upper and lower heading.
_PROJECT: dict[tuple[str, str], Any] = {
    ("项目状态", ""): "在建",
    ("实际开工时间", ""): "2018年8月",
    ("形象进度(%)", ""): int(_PROGRESS),
    ("累计到位资金(万元)", "财政帮扶资金"): float(_RECEIVED),
    ("累计到位资金(万元)", "自筹资金"): float(_OWN),
    ("累计完成投资(万元)", ""): float(_INVESTED),
    ("本月支付(万元)", "财政帮扶资金"): float(_PAID),
    ("本月支付(万元)", "自筹资金"): 0,
    ("累计支付(万元)", "财政帮扶资金"): float(_PAID_CUM),
    ("累计支付(万元)", "自筹资金"): 0,
    ("受益贫困户(户)", ""): 21,
    ("受益贫困人口(人)", ""): 61,
    ("存在问题", ""): "雨季影响施工进度",
    ("下步措施", ""): "增加机械和人员，抢抓晴好天气",
}
_NEED: dict[tuple[str, str], Any] = {("对接状态", ""): "洽谈中", ("本月进展", ""): "企业来县考察"}


def _books(home: Home, month: Month) -> dict[str, dict[str, bytes]]:
    """The twelve forms of a month, filled in: unpacked parts by file name."""
    books: dict[str, dict[str, bytes]] = {}
    done = month.month - FIRST.month + 1
    indicator = {("本月完成", ""): 4, ("累计完成", ""): 4 * done}
    for path in write(home, month):
        book = load_workbook(path)
        book["封面"]["C7"] = "经办人"
        for sheet in book.worksheets[1:]:
            kind = {"1": _PROJECT, "2": _NEED, "3": indicator}[sheet.title[1]]
            _fill(sheet, kind)
        out = BytesIO()
        book.save(out)
        books[path.name] = _unpacked(out.getvalue())
    return books


def _fill(sheet: Any, entries: dict[tuple[str, str], Any]) -> None:
    group, columns = "", {}
    for column in range(1, sheet.max_column + 1):
        group = sheet.cell(3, column).value or group
        columns[group, sheet.cell(4, column).value or ""] = column
        columns.setdefault((group, ""), column)
    row = 5 if sheet.cell(4, 1).value in (None, "") else 4
    while isinstance(sheet.cell(row, 2).value, str):
        for title, value in entries.items():
            sheet.cell(row, columns[title]).value = value
        row += 1
