"""What a clerk is told who has typed a command wrongly: Chinese, exit code 2, no traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ledger.home import Home
from schemas.month import Month
from tests.office import make_home, write_book

LEDGER = str(Path(sys.executable).with_name("ledger"))


def typed(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([LEDGER, *words], capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return make_home(tmp_path_factory.mktemp("usage") / "home")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("月报", "没有 月报 这个命令。"),
        ("run", "缺少“月份”。"),
        ("run 2018-13", "“2018-13”不是月份，请写成 2018-09 的样子。"),
        ("run 2018-09 2018-08", "多写了：2018-08。"),
        ("run 2018-09 --plan", "没有 --plan 这个选项。是不是 --plain"),
        ("run 2018-09 --edition 0", "选项 --edition 要写不小于 1的整数。"),
        ("approve 2018-09", "缺少选项 --by 。"),
        ("approve 2018-09 --by", "选项 --by 后面要写值。"),
        ("run 2018-09 --plain=1", "选项 --plain 后面不带值。"),
        ("export 2018-09", "缺少选项 --table 。可用：projects、needs"),
        ("export 2018-09 --table 项目", "选项 --table 不能是“项目”。可用：projects、needs"),
        ("check 没有.xlsx", "没有“没有.xlsx”这个文件，请核对路径。"),
        ("check .", "“.”是文件夹，这里要写文件。"),
        ("receive x.xlsx --at 昨天", "“昨天”不是时间，请写成 2018-10-05T09:00 的样子。"),
        ("plan x.xlsx", "没有“x.xlsx”这个文件"),
    ],
)
def test_a_mistyped_command_is_told_in_chinese(line: str, sentence: str) -> None:
    done = typed(*line.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(sentence), done.stderr
    assert "用法见 ledger" in done.stderr
    assert "Usage" not in done.stderr and "Error" not in done.stderr


def test_help_and_version_are_no_mistakes() -> None:
    assert typed("--help").returncode == typed("run", "--help").returncode == 0
    assert typed("--version").stdout.startswith("ledger ")


def test_a_home_that_is_not_there_is_not_made_by_looking(tmp_path: Path) -> None:
    nowhere = tmp_path / "没有"
    for words in (
        ["status", "2018-09"],
        ["export", "2018-09", "--table", "projects"],
        ["explain", "2018-09", "合计"],
    ):
        done = typed(*words, "--home", str(nowhere))
        assert done.returncode == 2 and "请核对 --home" in done.stderr, (words, done)
        assert not nowhere.exists()


def test_where_nothing_can_be_written_it_is_said(home: Home, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    below = str(tmp_path / "file" / "x")
    made = typed("init", below)
    assert made.returncode == 2 and made.stderr.startswith("建不了文件夹"), made
    words = ["export", "2019-03", "--table", "projects", "--home", str(home.root)]
    out = typed(*words, "--out", f"{below}.csv")
    assert out.returncode == 2 and "请核对 --out 的路径" in out.stderr, out


def test_the_export_s_format_is_that_of_its_file(home: Home, tmp_path: Path) -> None:
    words = ["export", "2019-03", "--table", "projects", "--home", str(home.root)]
    assert typed(*words, "--out", str(tmp_path / "x.xlsx")).returncode == 0
    assert (tmp_path / "x.xlsx").read_bytes().startswith(b"PK")
    assert typed(*words, "--out", str(tmp_path / "x.xlsx"), "--format", "csv").returncode == 0
    assert not (tmp_path / "x.xlsx").read_bytes().startswith(b"PK")


def test_a_password_in_the_settings_stops_whatever_writes(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home")
    home.settings.write_text('[smtp]\npassword = "geheim"\n', encoding="utf-8")
    for words in (["run", "2019-03", "--plain"], ["backup", str(tmp_path / "b.zip")], ["forms", "2019-03"]):
        done = typed(*words, "--home", str(home.root))
        assert done.returncode == 2, (words, done)
        assert "里写了密码" in done.stderr and "geheim" not in done.stderr + done.stdout
    assert not (tmp_path / "b.zip").exists()


def test_a_file_of_nobody_knows_whom_is_named(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home")
    assert typed("forms", "2019-03", "--home", str(home.root)).returncode == 0  # takes in the plan
    (tmp_path / "说明.txt").write_text("本月情况说明", encoding="utf-8")
    told = typed("receive", str(tmp_path / "说明.txt"), "--at", "2019-04-05T09:00", "--home", str(home.root))
    assert told.returncode == 0
    status = typed("status", "2019-03", "--home", str(home.root))
    assert "不知道是哪家报的 1 份，已退回：说明.txt。" in status.stdout, status


def test_a_file_that_is_no_plan_is_told_as_one(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home")
    book = write_book(tmp_path / "三月.xlsx", "松涧乡", Month(2019, 3))
    told = typed("plan", str(book), "--year", "2019", "--home", str(home.root))
    assert told.returncode == 1
    assert "没有登记" in told.stdout and "请核对是不是计划表" in told.stdout
    assert "重新报送" not in told.stdout and "逐月列入报告" not in told.stdout


def test_a_home_that_is_there_is_left_alone(tmp_path: Path) -> None:
    assert typed("init", str(tmp_path / "home")).stdout.startswith("已建立 ")
    assert "已经是数据文件夹，没有改动。" in typed("init", str(tmp_path / "home")).stdout
