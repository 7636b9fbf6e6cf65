"""Which programmes one `ledger serve` looks after: one home, or all homes below a folder.

A flow run knows its programme by its deployment's name and the folder by the environment: a clerk
who starts one in the UI can't pick another county's.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from ledger.errors import UsageError
from ledger.home import Home, homes_below

#: The folder whose homes are served; without it the one home of LEDGER_HOME is.
HOMES_VARIABLE = "LEDGER_HOMES"
#: Where a server that serves a folder of homes has its own files.
SERVER_FOLDER = ".serve"
#: What Prefect allows in no name.
_FORBIDDEN = frozenset('/%&<>"')
_FALLBACK = "ledger"


def of_folder(folder: Path) -> dict[str, Home]:
    """The homes below `folder` with a registry of their own, by name: their path in it, joined by
    dashes. Raises UsageError where there is none, or where two would have the same name."""
    homes = [home for home in homes_below(folder) if (home.own_registry / "programme.toml").is_file()]
    if not homes:
        raise UsageError(
            f"{folder.name} 下没有项目：每个项目一个文件夹，其中要有 data/raw/registry/programme.toml。"
        )
    named: dict[str, Home] = {}
    for home in homes:
        name = _name("-".join(home.root.relative_to(folder.resolve()).parts))
        if name in named:
            raise UsageError(f"{folder.name} 下有两个项目都叫“{name}”，请改其中一个的文件夹名。")
        named[name] = home
    return named


def of_home(home: Home) -> dict[str, Home]:
    """One home under the name of its folder."""
    return {_name(home.root.name): home}


def served_folder() -> Path:
    """The folder whose homes are served. Raises UsageError where one home is."""
    folder = os.environ.get(HOMES_VARIABLE)
    if not folder:
        raise UsageError("这里只照管一个县，没有可以汇总的；请用 ledger serve --homes 文件夹。")
    return Path(folder)


def find(name: str | None) -> Home:
    """The home of the programme `name`: below LEDGER_HOMES where that is set, else the one home."""
    folder = os.environ.get(HOMES_VARIABLE)
    if not folder:
        return Home.find()
    homes: Mapping[str, Home] = of_folder(Path(folder))
    if name is None or name not in homes:
        raise UsageError(f"没有叫“{name}”的项目；它的文件夹可能已移走或改名，请重新启动 ledger serve。")
    return homes[name]


def name_of(home: Home) -> str:
    """What a home is called where it is served: the name by which `find` finds it."""
    folder = os.environ.get(HOMES_VARIABLE)
    if folder and home.root.is_relative_to(Path(folder).resolve()):
        return _name("-".join(home.root.relative_to(Path(folder).resolve()).parts))
    return _name(home.root.name)


def _name(text: str) -> str:
    if not text:
        return _FALLBACK
    if bad := sorted(set(text) & _FORBIDDEN):
        raise UsageError(f"项目文件夹的名称“{text}”中不能有 {' '.join(bad)}，请改名。")
    return text
