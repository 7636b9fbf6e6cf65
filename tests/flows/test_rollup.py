"""Two different programmes rolled up together; every total recomputed from plan and exports.

The other county's registry and plan are those of tests/data/other_county, put into the sample's
year. What a home that can't be read does to the others: nothing.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from flows import steps
from flows.approve import approve_month
from flows.batches import find_homes
from flows.monthly import run_month
from flows.rollup import NothingRead, RolledUp, own_place, roll_up
from ledger.calendar import SHANGHAI
from ledger.errors import UsageError
from ledger.home import Home, homes_below
from ledger.recording.exports import export
from ledger.recording.ledger import Ledger
from ledger.recording.month_lock import hold_month
from ledger.recording.writers import text_of
from ledger.registry import Registry
from ledger.reporting.html import rollup_html
from ledger.reporting.rollup_build import build_areas, build_rollup, words
from schemas.month import Month
from tests.other_county import HOME, SHEETS
from tests.workbooks import make_book

ROOT = Path(__file__).resolve().parents[2]
LEDGER = str(Path(sys.executable).with_name("ledger"))
MONTH = Month(2018, 9)
MONEY = ("fiscal_received_cum", "fiscal_paid_cum", "self_received_cum", "self_paid_cum")
#: What the sample's printed annex 1 says of its eight projects, 万元.
PLANNED = {"fiscal": Decimal(2000), "self": Decimal(2705)}


def sample(folder: Path) -> Home:
    for part in ("registry", "plan", "2018-09"):
        shutil.copytree(ROOT / "data" / "raw" / part, folder / "data" / "raw" / part)
    return Home(folder)


def other(folder: Path, *, without_own_funds: bool = True) -> Home:
    """The other county in the sample's year; its plan's column of own funds left out."""
    raw = folder / "data" / "raw"
    shutil.copytree(HOME / "data" / "raw" / "registry", raw / "registry")
    programme = raw / "registry" / "programme.toml"
    text = programme.read_text(encoding="utf-8").replace("2019", "2018")
    programme.write_text(text + '\n[place]\nprovince = "云省"\nprefecture = "岚州"\n', encoding="utf-8")
    book = Workbook()
    book.remove(book.active)
    for name, rows in SHEETS.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append([v.replace("2019", "2018") if isinstance(v, str) else v for v in row])
    if without_own_funds:
        book["附件1"].delete_cols(7)
    (raw / "plan").mkdir()
    book.save(raw / "plan" / "2018-计划.xlsx")
    drop = raw / "2018-09"
    drop.mkdir()
    project = {"item_name": "石桥铺镇茶叶初制所", "status": "在建", "start_actual": "2018年3月",
               "progress_pct": 65, "fiscal_received_cum": 180, "self_received_cum": 120,
               "invested_cum": 200.5, "fiscal_paid_month": 10.25, "self_paid_month": 0,
               "fiscal_paid_cum": 150.75, "self_paid_cum": 66.01, "poor_households": 46, "poor_persons": 171}  # fmt: skip
    make_book(drop / "石桥铺镇.xlsx", "石桥铺镇", "2018年9月", projects=[project])
    needs = [
        {"item_name": "茶旅融合综合体", "status": "洽谈中"},
        {"item_name": "冷链配送中心", "status": "已签约", "partner": "港务物流公司", "signed_amount": 3000},
    ]
    make_book(drop / "招商.xlsx", "县投资促进中心", "2018年9月", needs=needs)
    (drop / "received.csv").write_text(
        "file_name,received_at\n石桥铺镇.xlsx,2018-10-09T10:00\n招商.xlsx,2018-10-09T11:00\n",
        encoding="utf-8",
    )
    return Home(folder)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two programmes run, a home without a registry, and one whose journal is cut short."""
    folder = tmp_path_factory.mktemp("homes")
    sample(folder / "某省" / "建始")
    other(folder / "云岚")
    (folder / "空" / "data" / "raw").mkdir(parents=True)
    damaged = other(folder / "坏")
    text = (damaged.own_registry / "programme.toml").read_text(encoding="utf-8")
    (damaged.own_registry / "programme.toml").write_text(text.replace("云岚县", "破县"), encoding="utf-8")
    steps.take_in(damaged, MONTH)
    last = sorted(damaged.journal.glob("*.json"))[-1]
    last.chmod(0o644)
    last.write_text("{", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def outcome(root: Path) -> RolledUp:
    return roll_up(root, MONTH, run=True)


def exported(home: Home, table: str) -> list[dict[str, str]]:
    with Ledger.open(home, Registry.load(home), readonly=True) as ledger:
        columns, rows = export(ledger, MONTH, table)
    return [dict(zip(columns, map(text_of, row), strict=True)) for row in rows]


def total(rows: Iterable[dict[str, str]], name: str) -> Decimal:
    return sum((Decimal(row[name]) for row in rows if row[name]), Decimal(0))


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))


def test_the_homes_are_found_however_deep(root: Path) -> None:
    assert [home.root.relative_to(root).as_posix() for home in homes_below(root)] == [
        "云岚", "坏", "某省/建始", "空",
    ]  # fmt: skip


def test_totals_are_those_of_the_exports(root: Path, outcome: RolledUp) -> None:
    homes = [Home(root / "某省" / "建始"), Home(root / "云岚")]
    projects = [row for home in homes for row in exported(home, "projects")]
    needs = [row for home in homes for row in exported(home, "needs")]
    (nation,) = (
        row for row in rows_of(root / "reports/2018-09/汇总-2018-09-全国.csv") if row["level"] == "nation"
    )
    for name in MONEY:
        assert Decimal(nation[name.removesuffix("_cum")]) == total(projects, name), name
    assert Decimal(nation["signed_amount"]) == total(needs, "signed_amount")
    assert Decimal(nation["poor_persons"]) == total(projects, "poor_persons")
    assert int(nation["projects"]) == 8 + 4
    assert int(nation["projects_started"]) == sum(
        1 for row in projects if row["status"] in ("在建", "已完工", "已验收")
    )
    assert int(nation["needs_signed"]) == sum(
        1 for row in needs if row["status"] in ("已签约", "已开工", "已完成")
    )
    with_progress = [row for row in projects if row["progress_pct"]]
    assert Decimal(nation["progress_above"]) == total(with_progress, "progress_pct")
    assert int(nation["progress_below"]) == len(with_progress)
    # the other county's plan, 元 in the workbook
    theirs = sum(Decimal(str(row[5])) for row in SHEETS["附件1"][6:-1] if len(row) > 5 and row[5]) / 10_000
    assert Decimal(nation["fiscal_planned"]) == PLANNED["fiscal"] + theirs
    paid = total(projects, "fiscal_paid_cum")
    exact = paid * 100 / (PLANNED["fiscal"] + theirs)
    assert abs(Decimal(nation["fiscal_paid_of_plan"]) - exact) <= Decimal("0.05")


def test_a_column_that_a_plan_does_not_have_is_said_and_is_not_0(root: Path, outcome: RolledUp) -> None:
    """The other county's plan has no own funds: its own payments count, and in no rate of the plan."""
    own = next(one for one in outcome.nation.programmes if one.folder == "云岚")
    assert own.totals["self_planned"] is None
    assert "self_planned" in own.absent
    assert outcome.nation.totals.fen("self_planned") == int(PLANNED["self"] * 1_000_000)
    rate = outcome.nation.totals.rate("self_received_rate")
    sample_rows = exported(Home(root / "某省" / "建始"), "projects")
    assert rate.numerator == int(total(sample_rows, "self_received_cum") * 1_000_000)
    page = (root / "reports/2018-09/汇总-2018-09-全国.html").read_text(encoding="utf-8")
    assert "自筹资金计划：云岚县计划没有此项，未计入合计和相应的率。" in page


def test_each_programme_is_as_its_own_report_says(root: Path, outcome: RolledUp) -> None:
    from ledger.reporting.build import build_county_report

    for one in outcome.nation.programmes:
        home = Home(root / one.folder)
        with Ledger.open(home, Registry.load(home), readonly=True) as ledger:
            report = build_county_report(ledger.views_until(MONTH), ledger.registry)
        totals = one.totals
        assert (totals.fen("fiscal_planned"), totals.fen("fiscal_received"), totals.fen("fiscal_paid")) == (
            report.fiscal.planned, report.fiscal.received, report.fiscal.paid,
        )  # fmt: skip
        assert (totals.fen("self_planned"), totals.fen("self_paid")) == (report.own.planned, report.own.paid)
        assert totals.rate("progress").pct == report.progress
        assert totals.rate("fiscal_paid_of_plan").pct == report.fiscal.paid_of_plan.pct
        assert (totals["red"], totals["yellow"], totals["green"]) == (
            report.lights.red, report.lights.yellow, report.lights.green,
        )  # fmt: skip
        assert (totals["units"], totals["units_missing"]) == (
            len(report.units), sum(1 for unit in report.units if unit.state == "missing"),
        )  # fmt: skip
        assert totals.number("poor_persons") == report.benefit.persons


def test_who_can_not_be_counted_is_named_and_hides_nobody(root: Path, outcome: RolledUp) -> None:
    assert [one.county for one in outcome.nation.programmes] and outcome.state == "Degraded"
    told = {one.folder: (one.county, one.province, one.reason) for one in outcome.nation.unread}
    assert told.keys() == {"坏", "空"}
    assert told["坏"][:2] == ("破县", "云省")
    assert "日志" in told["坏"][2]
    assert "登记资料" in told["空"][2]
    assert {one.folder for one in outcome.failed} == {"坏", "空"}
    page = (root / "reports/2018-09/汇总-2018-09-全国.html").read_text(encoding="utf-8")
    assert "未计入的县（2个）" in page
    assert "破县" in page
    book = load_workbook(root / "reports/2018-09/汇总-2018-09-全国.xlsx")
    assert book.sheetnames == ["汇总", "空缺", "未计入"]
    assert {row[3] for row in book["未计入"].iter_rows(min_row=2, values_only=True)} == {"坏", "空"}


def test_the_same_bytes_twice_and_the_ledgers_only_read(root: Path, outcome: RolledUp) -> None:
    def hashes() -> dict[str, tuple[str, int]]:
        return {
            str(path.relative_to(root)): (
                hashlib.sha256(path.read_bytes()).hexdigest(),
                path.stat().st_mtime_ns,
            )
            for path in sorted(root.rglob("*"))
            if path.is_file() and ".locks" not in path.parts
        }

    before = hashes()
    again = roll_up(root, MONTH)
    assert again.files == outcome.files
    assert hashes() == before
    elsewhere = root.parent / "elsewhere"
    roll_up(root, MONTH, elsewhere)
    for name in outcome.files:
        assert (elsewhere / name).read_bytes() == (root / "reports/2018-09" / name).read_bytes(), name


def test_a_file_each_for_every_area(outcome: RolledUp) -> None:
    stems = {name.rpartition(".")[0] for name in outcome.files}
    assert stems == {
        "汇总-2018-09-全国",
        "省/汇总-2018-09-湖北省",
        "省/汇总-2018-09-云省",
        "省/汇总-2018-09-未注明省份",
        "市州/汇总-2018-09-湖北省恩施土家族苗族自治州",
        "市州/汇总-2018-09-云省岚州",
        "市州/汇总-2018-09-未注明省份未注明市州",
    }
    assert len(outcome.files) == 4 * len(stems)


def test_a_home_that_is_behind_is_folded_in_memory(tmp_path: Path, root: Path, outcome: RolledUp) -> None:
    """Without its ledger a home gives the same figures, and gets no ledger by being read."""
    shutil.copytree(root / "云岚", tmp_path / "homes" / "云岚")
    processed = tmp_path / "homes" / "云岚" / "data" / "processed"
    if processed.exists():  # with its ledger in PostgreSQL the home has none, and the copy no ledger
        shutil.rmtree(processed)
    again = roll_up(tmp_path / "homes", MONTH, tmp_path / "out")
    (one,) = again.nation.programmes
    assert one.totals == next(p for p in outcome.nation.programmes if p.folder == "云岚").totals
    assert not processed.exists()


@pytest.mark.slow
def test_which_edition_the_figures_come_from(tmp_path: Path) -> None:
    home = other(tmp_path / "homes" / "云岚", without_own_funds=False)
    assert roll_up(tmp_path / "homes", MONTH, run=True).nation.programmes[0].source.text == "草稿"
    run_month(home, MONTH)
    approve_month(home, MONTH, "县长", datetime(2018, 10, 11, 9, tzinfo=SHANGHAI))
    signed = roll_up(tmp_path / "homes", MONTH)
    source = signed.nation.programmes[0].source
    assert (source.text, source.draft, source.edition) == ("第1版", False, 1)
    assert (home.root / source.report).is_file()
    changed = {"item_name": "石桥铺镇茶叶初制所", "status": "在建", "start_actual": "2018年3月",
               "progress_pct": 66, "fiscal_received_cum": 180, "self_received_cum": 120,
               "invested_cum": 200.5, "fiscal_paid_month": 10.25, "self_paid_month": 0,
               "fiscal_paid_cum": 151, "self_paid_cum": 66.01}  # fmt: skip
    make_book(home.drop(MONTH) / "更正.xlsx", "石桥铺镇", "2018年9月", projects=[changed])
    corrected = roll_up(tmp_path / "homes", MONTH, run=True)
    source = corrected.nation.programmes[0].source
    assert (source.text, source.draft, source.edition) == ("第2版草稿", True, 1)
    assert corrected.nation.totals.fen("fiscal_paid") == 151 * 1_000_000
    assert signed.nation.totals.fen("fiscal_paid") == 150_750_000


def test_a_home_that_another_run_holds_is_read_and_said(tmp_path: Path) -> None:
    home = other(tmp_path / "homes" / "云岚")
    roll_up(tmp_path / "homes", MONTH, run=True)
    script = "import sys, time; sys.path.insert(0, sys.argv[1])\n"
    script += "from ledger.home import Home; from pathlib import Path; from schemas.month import Month\n"
    script += "from ledger.recording.month_lock import hold_month\n"
    script += (
        "with hold_month(Home(Path(sys.argv[2])), Month(2018, 9)): print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", script, str(ROOT), str(home.root)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        outcome = roll_up(tmp_path / "homes", MONTH, run=True)
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
    assert [one.folder for one in outcome.failed] == ["云岚"]
    assert "正在由另一次运行处理" in outcome.failed[0].failed
    assert outcome.nation.totals.fen("fiscal_paid") == 150_750_000


def test_usage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="没有县的数据文件夹"):
        find_homes(tmp_path)
    (tmp_path / "空" / "data" / "raw").mkdir(parents=True)
    with pytest.raises(NothingRead, match="1 个县没有一个能计入"):
        roll_up(tmp_path, MONTH)
    monkeypatch.setenv("LEDGER_DATABASE_URL", "postgresql://nobody@127.0.0.1/none")
    with pytest.raises(UsageError, match="是一个县的台帐"):
        find_homes(tmp_path)


def test_words_come_from_a_file_beside_the_homes(root: Path, outcome: RolledUp) -> None:
    nation = build_areas(outcome.nation.programmes, outcome.nation.unread)
    stated = {"report": {"masthead": "某省协作简报", "issuer": "某省协作办", "title": "协作进展"}}
    html = rollup_html(build_rollup(MONTH, nation, words(stated)))
    assert "某省协作简报" in html and "2018年9月全国协作进展" in html
    assert "建始县东西部" not in html


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["threads", "dask"])
def test_on_prefect_the_figures_are_the_same(
    root: Path, outcome: RolledUp, tmp_path: Path, kind: str
) -> None:
    """Batches of one home each, on spawned processes and on a local Dask cluster of two workers."""
    given = {key: value for key, value in os.environ.items() if not key.startswith("PREFECT_")}
    given |= {"LEDGER_RUNNER__KIND": kind, "LEDGER_RUNNER__BATCH_SIZE": "1"}
    done = subprocess.run(
        [LEDGER, "rollup", "2018-09", "--homes", str(root), "--out", str(tmp_path), "--json"],
        capture_output=True, text=True, check=False, timeout=240, env=given,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr  # two homes can't be read
    assert "Traceback" not in done.stderr
    found = json.loads(done.stdout)
    assert found == roll_up(root, MONTH, tmp_path).as_json()
    assert found["state"] == "Degraded"
    with sqlite3.connect(own_place(root).prefect / "prefect.db") as database:
        tasks = [name for (name,) in database.execute("select name from task_run order by start_time")]
    assert len(tasks) >= 4


def test_the_month_of_a_folder_is_rolled_up_once_at_a_time(root: Path, outcome: RolledUp) -> None:
    from ledger.errors import Busy

    with hold_month(own_place(root), MONTH), pytest.raises(Busy):
        roll_up(root, MONTH)
