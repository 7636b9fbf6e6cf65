"""Another county by data alone: its registry, its plan's layout, its words; not a line of code.

The journey is taken by the commands, in a home that holds only tests/data/other_county.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from tests.other_county import HOME, PLAN, SHEETS
from tests.workbooks import make_book

ROOT = Path(__file__).resolve().parents[2]
LEDGER = str(Path(sys.executable).with_name("ledger"))
MARCH, APRIL = "2019-03", "2019-04"
#: An indicator of the sample programme is called by a column's title, which is everybody's.
FISCAL = "财政帮扶资金"

#: sheet → name of the item → what the unit enters, by the form's header. 万元.
_PROJECT = ("项目状态", "实际开工时间", "形象进度(%)", "财政到位", "自筹到位", "累计完成投资(万元)",
            "财政本月", "自筹本月", "财政累计", "自筹累计", "受益贫困户(户)", "受益贫困人口(人)")  # fmt: skip
ENTRIES: dict[str, dict[str, dict[str, Any]]] = {
    MARCH: {
        "石桥铺镇茶叶初制所": dict(zip(_PROJECT, ("在建", "2019年3月", 20, 60, 40, 50, 30.5, 10, 30.5, 10, 46, 171), strict=True)),
        "松涧乡食用菌大棚": dict(zip(_PROJECT, ("未开工", None, 0, 25, 0, 0, 0, 0, 0, 0, 0, 0), strict=True)),
        "松涧乡卫生院发热门诊": dict(zip(_PROJECT, ("未开工", None, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), strict=True)),
        "云东街道供水管网改造": dict(zip(_PROJECT, ("在建", "2019年3月", 12, 75, 0, 28, 20, 0, 20, 0, 310, 902), strict=True)),
        "茶旅融合综合体": {"对接状态": "洽谈中"},
        "冷链配送中心": {"对接状态": "已签约", "对接单位": "江澜市港务物流公司", "签约金额(万元)": 3000},
        "互派技术人员": {"本月完成": 5, "累计完成": 5},
        "签约金额": {"本月完成": 3000, "累计完成": 3000},
        "共建标准化茶园": {"本月完成": 6.5, "累计完成": 6.5},
    },
    APRIL: {
        "石桥铺镇茶叶初制所": dict(zip(_PROJECT, ("在建", "2019年3月", 45, 120, 80, 120, 60, 25, 90.5, 35, 46, 171), strict=True)),
        "云东街道供水管网改造": dict(zip(_PROJECT, ("在建", "2019年3月", 30, 75, 30, 70, 25.25, 10, 45.25, 10, 310, 902), strict=True)),
        "互派技术人员": {"本月完成": 4, "累计完成": 9},
        "共建标准化茶园": {"本月完成": 4, "累计完成": 10.5},
    },
}  # fmt: skip
#: Where a heading stands under several groups: (group, leaf).
_PLACES = {
    "财政到位": ("累计到位资金(万元)", "财政帮扶资金"),
    "自筹到位": ("累计到位资金(万元)", "自筹资金"),
    "财政本月": ("本月支付(万元)", "财政帮扶资金"),
    "自筹本月": ("本月支付(万元)", "自筹资金"),
    "财政累计": ("累计支付(万元)", "财政帮扶资金"),
    "自筹累计": ("累计支付(万元)", "自筹资金"),
}


def run(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "LEDGER_HOME": str(home)}
    return subprocess.run(
        [LEDGER, *words], capture_output=True, text=True, env=environment, check=False, timeout=240
    )


def ledger(home: Path, *words: str, expect: int = 0) -> Any:
    done = run(home, *words, "--json")
    assert done.returncode == expect, (words, done.returncode, done.stdout, done.stderr)
    return json.loads(done.stdout)


def exported(home: Path, month: str, table: str) -> list[dict[str, str]]:
    done = run(home, "export", month, "--table", table)
    assert done.returncode == 0, done.stderr
    return list(csv.DictReader(io.StringIO(done.stdout.removeprefix("\ufeff"))))


def fill(form: Path, entries: dict[str, dict[str, Any]]) -> bool:
    """Enter what the unit reports into its form; whether any item of it is reported."""
    book = load_workbook(form)
    book["封面"]["C7"] = "填报人甲"
    found = False
    for sheet in book.worksheets[1:]:
        group, columns = "", {}
        for column in range(1, sheet.max_column + 1):
            group = sheet.cell(3, column).value or group
            columns[group, sheet.cell(4, column).value or ""] = column
            columns[group, ""] = columns.get((group, ""), column)
        for row in range(4, sheet.max_row + 1):
            named = {sheet.cell(row, c).value for c in range(1, 4)} & entries.keys()
            for name in named:
                found = True
                for title, value in entries[name].items():
                    sheet.cell(row, columns[_PLACES.get(title, (title, ""))]).value = value
    book.save(form)
    return found


def filled(home: Path, month: str) -> list[Path]:
    """Write the month's forms and fill in those for which something is reported."""
    assert ledger(home, "forms", month)
    folder = home / "data" / "processed" / month / "forms"
    return [path for path in sorted(folder.glob("*.xlsx")) if fill(path, ENTRIES[month])]


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The other county's home after two months: March received, April by its drop folder."""
    folder = tmp_path_factory.mktemp("other") / "云岚"
    shutil.copytree(HOME, folder)
    ledger(folder, "plan", str(folder / "data" / "raw" / "plan" / PLAN.name), "--year", "2019")
    march = filled(folder, MARCH)
    ledger(folder, "receive", *map(str, march), "--at", "2019-04-09T10:00")
    april = filled(folder, APRIL)
    drop = folder / "data" / "raw" / APRIL
    drop.mkdir()
    names = [*(path.name for path in april), "松涧四月.xlsx"]
    received = ["file_name,received_at", *(f"{name},2019-05-10T16:00" for name in names)]
    (drop / "received.csv").write_text("\n".join(received) + "\n", encoding="utf-8")
    for path in april:
        shutil.copyfile(path, drop / path.name)
    others = {"item_name": "石桥铺镇茶叶初制所", "status": "在建", "progress_pct": "约四成"}
    make_book(drop / "松涧四月.xlsx", "松涧乡人民政府", "2019年4月", projects=[others])
    outcome = ledger(folder, "run", APRIL, "--plain", expect=1)
    assert outcome["missing"] == ["云东街道", "县投资促进中心"]
    assert outcome["returned"] == ["松涧乡"]
    assert (len(march), len(outcome["recorded"])) == (5, 4)  # March was taken in when the forms were written
    return folder


def test_the_workbook_is_as_written() -> None:
    """The plan workbook beside the tests holds what tests/other_county.py says."""
    book = load_workbook(PLAN)
    for name, rows in SHEETS.items():
        held = [[cell.value for cell in row][: len(rows[n])] for n, row in enumerate(book[name].iter_rows())]
        assert held == rows


def test_the_plan_is_read_by_its_own_headings(home: Path) -> None:
    """Dropped columns are blank, renamed ones are found, 元 become 万元, units are its own."""
    outcome = ledger(home, "plan", str(PLAN), "--year", "2019")
    assert outcome["items"] == {"projects": 4, "needs": 2, "indicators": 3}
    assert [(f["rule"], f["cell"]) for f in outcome["findings"]] == [("F11", "K4")]
    assert outcome["version"] == 1
    # 合作资金 and 乡镇配套 are headings that only this registry knows
    form = load_workbook(home / "data" / "processed" / MARCH / "forms" / f"{MARCH}_石桥铺镇_月报表.xlsx")
    first = [cell.value for cell in form["表1 援建项目"][5]]
    assert [float(str(value)) for value in first[3:7]] == [300, 300, 180, 120]
    shown = {
        row["item_id"]: (row["unit_code"], row["item_name"]) for row in exported(home, MARCH, "projects")
    }
    assert shown == {
        "2019-A1-01": ("990123101", "石桥铺镇茶叶初制所"),
        "2019-A1-02": ("990123203", "松涧乡食用菌大棚"),
        "2019-A1-03": ("990123-sw", "云东街道供水管网改造"),
        "2019-A1-04": ("990123203", "松涧乡卫生院发热门诊"),
    }
    assert {row["unit_code"] for row in exported(home, MARCH, "needs")} == {"990123-tcz"}


def test_a_heading_for_a_column_that_is_none_is_refused(tmp_path: Path) -> None:
    shutil.copytree(HOME, tmp_path / "home")
    programme = tmp_path / "home" / "data" / "raw" / "registry" / "programme.toml"
    text = programme.read_text(encoding="utf-8").replace("self_planned =", "self_plan =")
    programme.write_text(text, encoding="utf-8")
    done = run(tmp_path / "home", "plan", str(PLAN), "--year", "2019")
    assert done.returncode == 2
    assert "self_plan" in done.stderr


def test_every_form_comes_back_accepted(home: Path) -> None:
    """What was entered in a form passes; the one file of a unit's own making does not."""
    sent = exported(home, MARCH, "submissions")
    assert {row["verdict"] for row in sent} == {"accepted"}
    assert {row["timely"] for row in sent} == {"true"}, "the 9th is in time where the deadline is the 10th"
    assert [row for row in exported(home, MARCH, "findings") if row["severity"] == "error"] == []


def test_its_figures_to_the_fen(home: Path) -> None:
    rows = {row["item_id"]: row for row in exported(home, APRIL, "projects")}
    assert rows["2019-A1-01"]["fiscal_paid_cum"] == "90.5"
    assert rows["2019-A1-02"]["carried_forward"] == "true"
    page = (home / "reports" / APRIL / f"月报-{APRIL}-草稿.html").read_text(encoding="utf-8")
    # 545.50005 万元 planned, 90.5 + 45.25 paid
    assert "计划财政帮扶资金545.5万元" in re.sub(r"<[^>]*>", "", page) or "545.5" in page
    assert "135.75" in page


def words_of(folder: Path) -> set[str]:
    """What a registry says: its programme's words, its units' names and codes, its indicators."""
    programme = tomllib.loads((folder / "programme.toml").read_text(encoding="utf-8"))
    found: set[str] = set()

    def take(value: Any) -> None:
        if isinstance(value, dict | list):
            for each in value.values() if isinstance(value, dict) else value:
                take(each)
        elif isinstance(value, str):
            found.update(part for part in re.split(r"[，,：:（）()·、\s]", value) if len(part) > 1)

    take(programme)
    for name in ("units.csv", "targets.csv"):
        with (folder / name).open(encoding="utf-8-sig", newline="") as file:
            for line in csv.DictReader(file):
                take([line.get(key, "") for key in ("code", "name", "full_name", "indicator")])
                take(line.get("aliases", "").split("|"))
    return found


def pages(home: Path) -> dict[str, str]:
    """Everything written for people: report pages, forms and returns, as text by file."""
    texts = {}
    for path in sorted([*home.glob("reports/**/*"), *home.glob("data/processed/**/*")]):
        if path.suffix == ".html":
            texts[path.name] = path.read_text(encoding="utf-8")
        elif path.suffix == ".xlsx":
            book = load_workbook(path)
            cells = [str(c.value) for s in book for row in s.iter_rows() for c in row if c.value is not None]
            notes = [
                f"{rule.promptTitle}{rule.prompt}{rule.error}" for s in book for rule in s.data_validations.dataValidation
            ]  # fmt: skip
            comments = [c.comment.text for s in book for row in s.iter_rows() for c in row if c.comment]
            texts[path.name] = "\n".join([*cells, *notes, *comments, str(book.properties.creator)])
    return texts


def test_no_word_of_the_sample_programme_appears(home: Path) -> None:
    theirs = words_of(HOME / "data" / "raw" / "registry")
    sample = words_of(ROOT / "data" / "raw" / "registry") - {FISCAL}
    sample |= {"建始", "滨江", "恩施", "东西部", "扶贫协作", "对口帮扶", "扶贫办", "422822", "2018"}
    foreign = {word for word in sample - theirs if not any(word in own for own in theirs)}
    assert {"长梁镇", "县扶贫开发办", "422822-fpb", "建始县东西部扶贫协作月报", "劳务协作工作站"} <= foreign
    texts = pages(home)
    assert sum(name.endswith(".html") for name in texts) >= 2
    assert sum("月报表" in name for name in texts) >= 12
    assert any(name.startswith("退回_松涧乡") for name in texts)
    found = {
        (name, word) for name, text in texts.items() for word in foreign if word in re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)
    }  # fmt: skip
    assert found == set()
    assert not [word for word in foreign for name in texts if word in name]


def test_its_own_words_stand_on_the_page(home: Path) -> None:
    page = (home / "reports" / APRIL / f"月报-{APRIL}-草稿.html").read_text(encoding="utf-8")
    for word in (
        "云岚县结对合作简报", "云岚县结对合作办公室", "2019年结对合作资金项目进度表", "2019年合作招引项目落实表",
        "2019年4月结对合作项目进展情况", "各乡镇（街道），县级有关部门：", "市结对合作领导小组",
        "云岚函〔2019〕3号", "共印25份", "虚构数据", "产业合作", "民生实事", "共建标准化茶园", "县投资促进中心",
    ):  # fmt: skip
        assert word in page, word
    form = load_workbook(home / "data" / "processed" / APRIL / "forms" / f"{APRIL}_松涧乡_月报表.xlsx")
    said = "".join(str(c.value) for row in form["封面"].iter_rows() for c in row if c.value)
    assert "2019年江澜市·云岚县结对合作" in said
    assert "2019年5月10日" in said
    assert "报县合作办" in said


def test_a_column_the_plan_does_not_have_is_not_printed(home: Path) -> None:
    page = (home / "reports" / APRIL / f"月报-{APRIL}-草稿.html").read_text(encoding="utf-8")
    first, second = re.findall(r'<table class="full">.*?</table>', page, re.DOTALL)[:2]
    for table, gone, columns in ((first, ("扶贫效益", "牵头<br>单位"), 19), (second, ("建设<br>期限",), 15)):
        assert not [title for title in gone if title in table]
        widths = [float(width) for width in re.findall(r'<col style="width:([\d.]+)%">', table)]
        assert (len(widths), round(sum(widths), 6)) == (columns, 100.0)
        for row in re.findall(r"<tr[^>]*>.*?</tr>", table.split("</thead>")[1], re.DOTALL):
            spans = [int(span or 1) for span in re.findall(r'<td[^>]*?(?: colspan="(\d+)")?[^>]*>', row)]
            assert sum(spans) == columns, row


def test_the_ledger_is_rebuilt_from_its_raw_data(home: Path) -> None:
    done = run(home, "rebuild", "--verify")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_code_names_no_county() -> None:
    """No source file, style sheet or template holds a name of the sample programme."""
    names = words_of(ROOT / "data" / "raw" / "registry") - {"2018-06", FISCAL}
    names = {word for word in names if len(word) > 3 or word in {"长梁镇", "景阳镇", "滨江区", "建始县"}}
    names |= {"建始", "滨江", "恩施"}
    files = [
        p for f in ("ledger", "flows", "schemas", "templates") for p in (ROOT / f).rglob("*") if p.is_file()
    ]
    for path in files:
        if path.suffix in {".py", ".j2", ".css", ".csv"}:
            # what stands in comments and doc strings explains by the sample; what is code may not
            text = "\n".join(line.split("#", 1)[0] for line in path.read_text(encoding="utf-8").splitlines())
            text = re.sub(r'"""(.|\n)*?"""', "", text) if path.suffix == ".py" else text
            assert not [word for word in names if word in text], path.name
