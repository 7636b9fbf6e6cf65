"""A registry that can't be used: the sentence names the file and what to do, in Chinese."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.errors import UsageError
from ledger.home import Home
from ledger.registry import Registry
from tests import office


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return office.make_home(tmp_path / "home")


@pytest.mark.parametrize("name", ["units.csv", "targets.csv"])
def test_a_missing_file_is_named(home: Home, name: str) -> None:
    (home.own_registry / name).unlink()
    with pytest.raises(UsageError) as refused:
        Registry.load(home)
    assert f"缺少 {name}" in refused.value.message
    assert "Errno" not in refused.value.message


@pytest.mark.parametrize(("name", "column"), [("units.csv", "full_name"), ("targets.csv", "target")])
def test_a_missing_column_is_named(home: Home, name: str, column: str) -> None:
    path = home.own_registry / name
    text = path.read_text(encoding="utf-8-sig")
    path.write_text(text.replace(column, "没有了", 1), encoding="utf-8")
    with pytest.raises(UsageError, match=f"{name}.*{column}"):
        Registry.load(home)


def test_saved_by_excel_in_another_encoding_it_says_so(home: Home) -> None:
    path = home.own_registry / "units.csv"
    path.write_text(path.read_text(encoding="utf-8-sig"), encoding="gbk")
    with pytest.raises(UsageError, match=r"units.csv.*UTF-8"):
        Registry.load(home)


def test_what_is_wrong_in_the_toml_is_said(home: Home) -> None:
    (home.own_registry / "programme.toml").write_text("name = 甲", encoding="utf-8")
    with pytest.raises(UsageError, match=r"programme.toml 第 1 行写法有误"):
        Registry.load(home)
