"""Approving, correcting and setting editions again, by the command, as the county office does it."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from ledger.calendar import parse_moment
from ledger.home import Home
from ledger.recording.editions import approve
from ledger.recording.ledger import Ledger
from ledger.registry import Registry
from schemas.month import Month
from tests.workbooks import NIL, make_book, water

ROOT = Path(__file__).resolve().parents[2]
PLAN = ROOT / "data" / "raw" / "plan" / "2018-as-printed.xlsx"
LEDGER = str(Path(sys.executable).with_name("ledger"))
#: The units that the plan of the test home needs; each has a report of its own to be set.
UNITS = ("422822103", "422822-fpb", "422822-inv")


def run(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "LEDGER_HOME": str(home)}
    return subprocess.run(
        [LEDGER, *words], capture_output=True, text=True, env=environment, check=False, timeout=240
    )


def ledger(home: Path, *words: str, expect: int = 0) -> Any:
    done = run(home, *words, "--json")
    assert done.returncode == expect, (words, done.returncode, done.stdout, done.stderr)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the printed plan and few units."""
    home = tmp_path_factory.mktemp("editions") / "home"
    assert run(home, "init", str(home)).returncode == 0
    units = home / "data" / "raw" / "registry" / "units.csv"
    head, *lines = units.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if line.split(",")[0] in UNITS]
    assert len(kept) == len(UNITS)
    units.write_text("\n".join([head, *kept]) + "\n", encoding="utf-8")
    ledger(home, "plan", str(PLAN), "--year", "2018", expect=1)
    return home


@pytest.fixture
def home(planned: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(planned, tmp_path / "home"))


def issued(home: Path, month: str) -> dict[str, str]:
    """SHA-256 of what was issued for a month, by name."""
    folder = home / "reports" / month
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "版" in path.relative_to(folder).as_posix()
    }


def editions_in(path: Path) -> list[Any]:
    """The editions that a master workbook lists."""
    return list(load_workbook(path)["定版"].iter_rows(min_row=2, values_only=True))


def test_nothing_is_approved_that_nobody_saw(home: Path, tmp_path: Path) -> None:
    refused = ledger(home, "approve", "2018-06", "--by", "张三", expect=2)
    assert "草稿" in refused["error"]
    assert run(home, "approve", "2018-06").returncode == 2
    assert not (home / "reports").exists() or not list((home / "reports").rglob("*版*"))
    assert not list((home / "data" / "raw" / "journal").glob("*approved*"))


@pytest.mark.slow
def test_an_edition_from_draft_to_correction(home: Path, tmp_path: Path) -> None:
    june = make_book(tmp_path / "6.xlsx", "景阳镇", "2018年6月", projects=[water()], needs=NIL)
    ledger(home, "receive", str(june), "--at", "2018-07-03T09:00")
    first = ledger(home, "run", "2018-06", "--plain")
    assert (first["edition"], first["edition_due"], first["editions_due"]) == (None, False, [])

    # a file that came in after the draft, recorded or not, holds the approval up
    again = make_book(
        tmp_path / "6b.xlsx", "景阳镇", "2018年6月", projects=[water(progress_pct=30)],
        cover={"更正说明": "进度更新"},
    )  # fmt: skip
    ledger(home, "receive", str(again), "--at", "2018-07-04T09:00")
    assert "1 份" in ledger(home, "approve", "2018-06", "--by", "张三", expect=2)["error"]
    ledger(home, "status", "2018-06")
    assert "草稿" in ledger(home, "approve", "2018-06", "--by", "张三", expect=2)["error"]
    ledger(home, "run", "2018-06", "--plain")

    done = ledger(home, "approve", "2018-06", "--by", "张三", "--at", "2018-07-06T10:00")
    assert (done["edition"], done["issued"], done["by"]) == (1, True, "张三")
    assert done["files"][0] == "reports/2018-06/月报-2018-06-第1版.pdf"
    page = (home / "reports" / "2018-06" / "月报-2018-06-第1版.html").read_text(encoding="utf-8")
    assert 'class="signature"' in page
    assert "2018年7月6日" in page
    assert '<div class="draft-mark">' not in page
    assert not list((home / "reports").rglob("*草稿*"))
    before = issued(home, "2018-06")
    assert before == done["sha256"]
    # every edition is set again: it comes out the same, what was altered where it lies is told
    (home / "reports" / "2018-06" / "月报-2018-06-第1版.html").write_text("改过", encoding="utf-8")
    differences = ledger(home, "rebuild", "--verify", expect=1)["differences"]
    assert differences == ["2018-06第1版：reports/2018-06/月报-2018-06-第1版.html 签发后被改动"]
    once_more = ledger(home, "approve", "2018-06", "--by", "李四")
    assert (once_more["edition"], once_more["issued"], once_more["by"]) == (1, False, "张三")
    rerun = ledger(home, "run", "2018-06", "--plain")
    assert (rerun["edition"], rerun["edition_due"]) == (1, False)
    assert done["files"] == [
        path for path in rerun["reports"] if "台帐-2018-06." not in path and "台帐-2018-06/" not in path
    ]
    kept = {name for name in before if name.startswith("台帐")}
    assert {"台帐-2018-06-第1版.xlsx", "台帐-2018-06-第1版/projects.parquet"} <= kept
    # the master of now tells the edition; the edition's own does not know it yet
    assert len(editions_in(home / "reports" / "2018-06" / "台帐-2018-06.xlsx")) == 1
    assert editions_in(home / "reports" / "2018-06" / "台帐-2018-06-第1版.xlsx") == []

    # the registry and the plan change, and a correction comes, said to be of before the approval
    programme = home / "data" / "raw" / "registry" / "programme.toml"
    programme.write_text(
        programme.read_text(encoding="utf-8").replace("各乡镇人民政府", "各乡镇"), encoding="utf-8"
    )
    smaller = tmp_path / "2018-b.xlsx"
    book = load_workbook(PLAN)
    book.save(smaller)
    ledger(home, "plan", str(smaller), "--year", "2018", expect=1)
    wrong = make_book(
        tmp_path / "6c.xlsx", "景阳镇", "2018年6月", cover={"更正说明": "支付凭证录入有误"},
        projects=[water(progress_pct=30, fiscal_paid_month=18.5, fiscal_paid_cum=18.5)],
    )  # fmt: skip
    ledger(home, "receive", str(wrong), "--at", "2018-07-05T09:00")
    standing = ledger(home, "status", "2018-06")
    assert (standing["edition"], standing["edition_due"]) == (1, True)
    assert standing["editions_due"] == ["2018-06第2版"]
    told = ledger(home, "run", "2018-06", "--plain")
    assert (told["edition"], told["edition_due"], told["plan_version"]) == (1, True, 1)
    assert "应出第2版" in run(home, "status", "2018-06").stdout
    exported = run(home, "export", "2018-06", "--table", "corrections").stdout.removeprefix("\ufeff")
    lines = list(csv.DictReader(io.StringIO(exported)))
    # the first correction was in the edition already, the second touches it
    assert {(line["field"], line["editions_affected"]) for line in lines} == {
        ("progress_pct", ""),
        ("fiscal_paid_month", "2018-06第1版"),
        ("fiscal_paid_cum", "2018-06第1版"),
    }
    assert issued(home, "2018-06") == before

    # the office is stopped right after the word was given; the next try issues what was approved
    opened = Home(home)
    with Ledger.open(opened, Registry.load(opened)) as book:
        approve(book, Month(2018, 6), "王五", parse_moment("2018-07-10T10:00"))
    second = ledger(home, "approve", "2018-06", "--by", "李四")
    assert (second["edition"], second["issued"], second["by"]) == (2, True, "王五")
    assert ["程序中断" in line for line in second["changes"]] == [True]
    page = (home / "reports" / "2018-06" / "月报-2018-06-第2版.html").read_text(encoding="utf-8")
    for words in (
        *("第2版（更正）", "第1版（2018年7月6日签发）以来", "20万元", "18.5万元", "支付凭证录入有误"),
        "更正前的数字已印入6月月报第1版。",
    ):
        assert words in page
    # a figure is explained as the first edition printed it, as it was known then, and as it is now
    figure = ("explain", "2018-06", "2018-A1-04", "fiscal_paid_cum")
    assert [ledger(home, *figure, *when)["value"] for when in ((), ("--edition", "1"))] == ["18.5", "20"]
    assert ledger(home, *figure, "--as-of", "2018-07-04T12:00")["value"] == "20"
    rate = ("explain", "2018-06", "财政资金支付")
    assert [ledger(home, *rate, *when)["value"] for when in ((), ("--edition", "1"))] == ["18.5", "20"]
    told = run(home, *figure, "--edition", "1").stdout
    assert told.startswith("2018年6月月报第1版（2018-07-06T10:00:00+08:00 签发）所印的数字：\n")
    assert "6b.xlsx" in told and "6c.xlsx" not in told
    for wrong in (("--edition", "3"), ("--edition", "1", "--as-of", "2018-07-06")):
        assert run(home, *figure, *wrong).returncode == 2

    # the approval is taken back: the edition leaves the folder, is drafted and approved again
    assert run(home, "approve", "2018-06", "--by", "李四", "--reason", "笔误").returncode == 2
    words = ("--withdraw", "--by", "李四", "--reason", "附件有误", "--at", "2018-07-10T11:00")
    back = ledger(home, "approve", "2018-06", *words)
    assert (back["withdrawn"], back["edition"], back["by"], back["reason"]) == (True, 2, "李四", "附件有误")
    assert issued(home, "2018-06") == before
    standing = ledger(home, "status", "2018-06")
    assert (standing["edition"], standing["edition_due"]) == (1, True)
    assert [(one["edition"], one["by"]) for one in standing["withdrawn"]] == [(2, "李四")]
    assert "附件有误" in run(home, "status", "2018-06").stdout
    ledger(home, "run", "2018-06", "--plain")
    second = ledger(home, "approve", "2018-06", "--by", "王五", "--at", "2018-07-10T12:00")
    assert (second["edition"], second["issued"]) == (2, True)
    assert "（附件有误）。后来又签发了。" in run(home, "status", "2018-06").stdout
    assert (home / "reports" / "2018-06" / "月报-2018-06-第2版.pdf").is_file()
    # once it is on its way it stays
    with Ledger.open(opened, Registry.load(opened)) as book:
        mail = {"message_id": "<1@test>", "kind": "edition", "month": "2018-06", "edition": 2}
        reader = {"key": "reader", "name": "王主任", "address": "reader@test"}
        book.note("mail_queued", {**mail, "recipient": reader, "at": "2018-07-10T12:30"})
    assert "不能撤回" in ledger(home, "approve", "2018-06", "--withdraw", "--by", "李四", expect=2)["error"]
    assert ledger(home, "status", "2018-06")["edition"] == 2

    assert "30%" not in page.split('id="part-7"')[1].split("附件：")[0]

    # the first edition comes out as it was: with the registry of its time, without the correction
    assert "各乡镇人民政府" not in page
    shutil.rmtree(home / "reports" / "2018-06")
    shutil.rmtree(home / "data" / "processed")
    same = ledger(home, "run", "2018-06", "--edition", "1")
    assert (same["same"], same["differing"]) == (True, [])
    assert issued(home, "2018-06") == before
    assert ledger(home, "run", "2018-06", "--edition", "3", expect=2)["error"]


def test_an_adjusted_plan_counts_from_its_month(home: Path, tmp_path: Path) -> None:
    """Row 6 of annex 1 is struck, another project takes its number; two rows change places."""
    book = load_workbook(PLAN)
    sheet = book["附件1"]
    sheet["C19"], sheet["H19"] = "龙坪乡茶叶加工基地", 650
    swapped = [[sheet.cell(row, place).value for place in range(2, 13)] for row in (18, 20)]
    for row, values in zip((20, 18), swapped, strict=True):
        for place, value in enumerate(values, start=2):
            sheet.cell(row, place, value)
    adjusted = tmp_path / "2018-adjusted.xlsx"
    book.save(adjusted)
    for month in ("2018-07", "2018-08"):
        file = make_book(tmp_path / f"县扶贫办{month}.xlsx", "县扶贫开发办", month, projects=NIL)
        ledger(home, "receive", str(file), "--at", "2018-09-03")
    shutil.rmtree(home / "data" / "processed", ignore_errors=True)  # the ledger lags behind the journal
    assert run(home, "plan", str(adjusted), "--year", "2018", "--from", "2019-01").returncode == 2
    both = ("--from", "2018-08", "--effective", "2018-08-15")
    assert run(home, "plan", str(adjusted), "--year", "2018", *both).returncode == 2
    told = ledger(home, "plan", str(adjusted), "--year", "2018", "--effective", "2018-08-15", expect=1)
    assert (told["version"], told["effective_from"], told["editions_due"]) == (2, "2018-08", [])
    assert told["changes"] == {"added": ["2018-A1-09"], "dropped": ["2018-A1-06"], "changed": []}
    # what had come for August is asked for the new project; July keeps the plan of its time
    assert told["checked_again"] == [{"month": "2018-08", "unit": "县扶贫开发办"}]
    added = [
        (month, line["item_id"])
        for month in ("2018-07", "2018-08")
        for line in ledger(home, "export", month, "--table", "findings")
        if line["rule"] == "P04" and line["open"] and line["item_id"] in ("2018-A1-06", "2018-A1-09")
    ]
    assert added == [("2018-07", "2018-A1-06"), ("2018-08", "2018-A1-09")]
    again = ledger(home, "plan", str(adjusted), "--year", "2018", expect=1)
    assert (again["version"], again["effective_from"]) == (2, "2018-08")

    # the clerk's own check takes the plan of the file's month
    road = {"seq": 7, "item_name": "青马线旅游扶贫公路"}
    for month, rules in (("2018年7月", []), ("2018年8月", ["P08"])):
        rows = [water(), water(**road)]
        file = make_book(tmp_path / f"{month}.xlsx", "景阳镇", month, projects=rows, needs=NIL)
        found = ledger(home, "check", str(file), expect=1)["files"][0]["findings"]
        assert [f["rule"] for f in found if f["rule"] == "P08"] == rules, month
