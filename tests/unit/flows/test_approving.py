"""What has come in and is not in the draft stops a signature."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.approve import _refuse_unrecorded
from flows.fetch import fetch
from flows.opened import open_ledger
from flows.receive import receive_files
from ledger.errors import UsageError
from ledger.home import Home
from schemas.month import Month
from tests import office

MARCH = Month(2019, 3)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return office.make_home(tmp_path / "home")


def refused(home: Home) -> str:
    with open_ledger(home) as ledger:
        try:
            _refuse_unrecorded(ledger, MARCH)
        except UsageError as problem:
            return problem.message
    return ""


def test_nothing_new_is_no_reason(home: Home) -> None:
    assert refused(home) == ""


def test_a_file_in_the_months_folder(home: Home) -> None:
    home.drop(MARCH).mkdir()
    office.write_book(home.drop(MARCH) / "a.xlsx", "松涧乡", MARCH)
    assert refused(home).startswith("收到 1 份文件，还没有入账。请先运行 ledger run 2019-03")


def test_a_file_received_and_not_recorded(home: Home) -> None:
    receive_files(home, [office.write_book(home.root / "a.xlsx", "松涧乡", MARCH)], None, None)
    assert refused(home).startswith("收到 1 份文件，还没有入账。")


def test_a_file_in_the_inbox(home: Home) -> None:
    home.inbox.mkdir(exist_ok=True)
    office.write_book(home.inbox / "a.xlsx", "松涧乡", MARCH)
    (home.inbox / "扫描件.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    assert refused(home).startswith("收件文件夹里有 2 份文件还没有收。请先运行 ledger fetch")
    fetch(home, settle=0)
    # both were looked at: one is taken in and recorded, one was no workbook
    assert refused(home) == ""
