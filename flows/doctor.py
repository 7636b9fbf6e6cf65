"""`ledger doctor`: whether the machine, the home and its surroundings are fit for the month's work.

Each check answers one line: well (✓), to be kept in mind (!), or not working (✗), the last two with
what to do. It looks and changes nothing, sends nothing, and takes under two seconds unless `full`
asks for what is slow: every original's bytes, a page set, the Prefect server started. Checks of the
machine are here, those of the home in flows/doctor_home.py, of the surroundings in
flows/doctor_around.py.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import json
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from ledger.errors import LedgerError, disk_problem
from ledger.home import CHECKOUT, Home

LOCK = CHECKOUT / "requirements.lock"
FONTS = CHECKOUT / ".setup" / "fonts"
#: Named with their versions where all is well: what the program stands and falls with.
_SHOWN = ("prefect", "fastapi", "sqlalchemy", "pandera", "weasyprint")
_PINNED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)", re.MULTILINE)
_SEPARATORS = re.compile(r"[-_.]+")
_LIBRARIES = ("pango-1.0", "pangoft2-1.0", "harfbuzz", "harfbuzz-subset", "fontconfig")
_FACES = 11


class State(StrEnum):
    WELL = "well"
    MIND = "mind"
    BROKEN = "broken"

    @property
    def sign(self) -> str:
        return {"well": "✓", "mind": "!", "broken": "✗"}[self.value]


@dataclass(frozen=True, slots=True)
class Check:
    """One answer: `what` was looked at, what was `found`, and the `remedy` where it is not well."""

    what: str
    state: State
    found: str
    remedy: str = ""

    def as_json(self) -> dict[str, str]:
        return {"check": self.what, "state": self.state.value, "found": self.found, "remedy": self.remedy}


def well(what: str, found: str) -> Check:
    return Check(what, State.WELL, found)


def mind(what: str, found: str, remedy: str) -> Check:
    return Check(what, State.MIND, found, remedy)


def broken(what: str, found: str, remedy: str) -> Check:
    return Check(what, State.BROKEN, found, remedy)


@dataclass(frozen=True)
class Diagnosis:
    checks: tuple[Check, ...]

    @property
    def sound(self) -> bool:
        """Whether everything works; what is only to be kept in mind does not count."""
        return all(check.state is not State.BROKEN for check in self.checks)

    def as_json(self) -> dict[str, Any]:
        return {"sound": self.sound, "checks": [check.as_json() for check in self.checks]}


Look = Callable[[Home], Iterator[Check]]


def examine(home: Home, *, full: bool = False) -> Diagnosis:
    """All checks. One that can't be made because something it needs is broken is itself broken."""
    from flows import doctor_around, doctor_home

    looks = [*MACHINE, *doctor_home.LOOKS, *doctor_around.LOOKS]
    if full:
        looks += [*doctor_home.THOROUGH, *doctor_around.THOROUGH]
    checks: list[Check] = []
    for what, look in looks:
        checks += _looked(what, look, home)
    return Diagnosis(tuple(checks))


def _looked(what: str, look: Look, home: Home) -> list[Check]:
    checks: list[Check] = []
    try:
        for check in look(home):
            checks.append(check)
    except LedgerError as problem:
        found, _, remedy = problem.message.partition("。")
        checks.append(broken(what, f"{found}。", remedy or "请按上面所说处理后再运行 ledger doctor。"))
    except OSError as error:
        told = disk_problem(error)
        found = told.message.partition("，")[0] if told else f"读不出来（{error.strerror}）"
        checks.append(broken(what, f"{found}。", "请核对该文件夹和磁盘。"))
    return checks


# --- the machine


def _python(_: Home) -> Iterator[Check]:
    found = f"Python {sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}"
    if sys.version_info < (3, 11):  # noqa: UP036  what the operator has, not what is promised
        yield broken("Python", found, "需要 Python 3.11 以上：请安装后运行 make setup。")
    elif sys.getfilesystemencoding().lower() not in ("utf-8", "utf8"):
        yield broken(
            "Python", f"{found}，文件名编码是 {sys.getfilesystemencoding()}。", "请设 LANG=C.UTF-8 后再运行。"
        )
    else:
        yield well("Python", found)


def _plain(name: str) -> str:
    return _SEPARATORS.sub("-", name).lower()


def _packages(_: Home) -> Iterator[Check]:
    what = "程序包"
    if not LOCK.is_file():
        yield mind(what, "没有 requirements.lock，无从比较。", "请用整个程序文件夹安装（make setup）。")
        return
    wanted = {_plain(name): version for name, version in _PINNED.findall(LOCK.read_text(encoding="utf-8"))}
    there = {_plain(one.name): one.version for one in distributions()}
    missing = [name for name in wanted if name not in there]
    other = [
        f"{name} {there[name]}（应为 {wanted[name]}）"
        for name in wanted
        if there.get(name, wanted[name]) != wanted[name]
    ]
    if missing or other:
        lines = ([f"缺 {'、'.join(missing[:5])}"] if missing else []) + other[:5]
        yield broken(
            what,
            f"{len(missing) + len(other)} 个与 requirements.lock 不符：{'；'.join(lines)}。",
            "请运行 make setup。",
        )
    else:
        shown = "、".join(f"{name} {there[name]}" for name in _SHOWN)
        yield well(what, f"{len(wanted)} 个，与 requirements.lock 相同（{shown}）")


def _libraries(_: Home) -> Iterator[Check]:
    what = "排版用的系统库"
    missing = [name for name in _LIBRARIES if ctypes.util.find_library(name) is None]
    if missing:
        yield broken(
            what, f"缺 {'、'.join(missing)}。", "请运行 make setup；不是 Debian、Ubuntu 的自行安装。"
        )
        return
    yield well(
        what,
        f"Pango {_version('pango-1.0', 'pango_version_string')}、HarfBuzz {_version('harfbuzz', 'hb_version_string')}",
    )


def _version(library: str, function: str) -> str:
    call = getattr(ctypes.CDLL(ctypes.util.find_library(library)), function)
    call.restype = ctypes.c_char_p
    return str(call().decode("ascii"))


def _fonts(_: Home) -> Iterator[Check]:
    what = "字体"
    try:
        stamp = json.loads((FONTS / "stamp.json").read_text(encoding="utf-8"))
        faces, stand_ins = set(stamp["characters"]), stamp["stand_ins"]
    except (OSError, ValueError, KeyError, TypeError):
        yield broken(what, "还没有准备好，出不了 PDF。", "请运行 make setup。")
        return
    gone = sorted(face for face in faces if not (FONTS / face).is_file())
    if gone or len(faces) < _FACES:
        yield broken(
            what, f"不全（{len(faces) - len(gone)}/{_FACES}）。", "请删去 .setup/fonts 后运行 make setup。"
        )
    elif stand_ins:
        yield mind(
            what,
            f"{len(faces)} 种；{'、'.join(stand_ins)} 用宋体代替。",
            "请联网后运行 make setup，以取得仿宋、楷体。",
        )
    else:
        yield well(what, f"{len(faces)} 种{_licensed()}")


def _licensed() -> str:
    """Which faces of the standard this machine has of its own."""
    wanted = {
        "方正小标宋": ("方正小标宋*", "FZXBS*"),
        "仿宋_GB2312": ("仿宋_GB2312*", "FangSong_GB2312*", "simfang*", "SIMFANG*"),
        "楷体_GB2312": ("楷体_GB2312*", "KaiTi_GB2312*", "simkai*"),
    }
    folders = [
        Path("/usr/local/share/fonts"),
        Path("/usr/share/fonts"),
        Path("~/.fonts").expanduser(),
        Path("~/.local/share/fonts").expanduser(),
    ]
    found = [
        name
        for name, patterns in wanted.items()
        if any(next(folder.rglob(one), None) for folder in folders if folder.is_dir() for one in patterns)
    ]
    return f"（本机有 {'、'.join(found)}）" if found else "（公文专用字体用自由字体代替）"


MACHINE: tuple[tuple[str, Look], ...] = (
    ("Python", _python),
    ("程序包", _packages),
    ("排版用的系统库", _libraries),
    ("字体", _fonts),
)
