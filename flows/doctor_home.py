"""What `ledger doctor` looks at in the home: folders, disk, journal, ledger, registry, settings."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from flows.doctor import Check, Look, broken, mind, well
from ledger import logs
from ledger.calendar import SHANGHAI, is_working_day, now, parse_moment
from ledger.home import Home
from ledger.recipients import Gets, load_recipients
from ledger.recording import events
from ledger.recording.journal import Journal
from ledger.recording.originals import Originals
from ledger.recording.proof import prove
from ledger.recording.state import ledger_state
from ledger.registry import Registry
from ledger.settings import Settings

#: Room for so many months is plenty; with room for fewer than the second number nothing should run.
_MONTHS_OF_ROOM, _MONTHS_NEEDED = 12, 2
_SMALLEST_MONTH = 50 << 20
_BACKUP_DAYS = 7
_TOLERATED_SKEW = timedelta(minutes=5)


def _folders(home: Home) -> Iterator[Check]:
    what = "文件夹"
    if not home.raw.is_dir():
        yield broken(what, "这里没有 data/raw，不是数据文件夹。", "请核对 --home，或用 ledger init 新建。")
        return
    folders = (
        home.root,
        home.raw,
        home.journal,
        home.originals,
        home.plans,
        home.processed,
        home.root / "reports",
        home.logs,
    )
    locked = [
        home.relative(one) or "." for one in folders if one.is_dir() and not os.access(one, os.W_OK | os.X_OK)
    ]
    if locked:
        yield broken(what, f"不能写：{'、'.join(locked)}。", "请放开写权限，或用安装时的用户运行。")
    else:
        yield well(what, f"可写（{home.root}）")


def _disk(home: Home) -> Iterator[Check]:
    what = "磁盘"
    free = shutil.disk_usage(home.raw).free
    month = max(_largest_month(home), _SMALLEST_MONTH)
    found = f"剩余 {free / (1 << 30):.1f} GB，一个月约用 {month / (1 << 20):.0f} MB"
    if free < _MONTHS_NEEDED * month:
        yield broken(what, f"{found}。", "请腾出空间：data/processed 和旧的备份可以删。")
    elif free < _MONTHS_OF_ROOM * month:
        yield mind(what, f"{found}，不够一年。", "请安排腾出空间或换大的磁盘。")
    else:
        yield well(what, found)


def _largest_month(home: Home) -> int:
    """Bytes of the largest of the last three months, its originals reckoned as large as what came in."""
    months = sorted(
        {path.name for path in (home.root / "reports").glob("[0-9]*-[0-9]*")}
        | {str(m) for m in home.drop_months()}
    )
    return max(
        (
            2 * _bytes(home.raw / month)
            + _bytes(home.processed / month)
            + 2 * _bytes(home.root / "reports" / month)
            for month in months[-3:]
        ),
        default=0,
    )


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else 0


def _journal(home: Home) -> Iterator[Check]:
    what = "日志和原件"
    originals = Originals(home.originals)
    count, last = 0, ""
    named: set[str] = set()
    for event in Journal(home.journal).events():
        count, last = count + 1, event.recorded_at
        named.update(originals.path(*one).name for one in events.originals_of(event))
    there = {entry.name for entry in os.scandir(home.originals)} if home.originals.is_dir() else set()
    if missing := sorted(named - there):
        yield broken(
            what,
            f"原件少了 {len(missing)} 个（如 {missing[0]}）。",
            "请从备份恢复；ledger verify 会逐个说明。",
        )
    elif not count:
        yield well(what, "还没有收过文件")
    else:
        yield well(what, f"{count} 个事件前后相接，{len(named)} 个原件都在")
    yield from _clock(last)


def _clock(last: str) -> Iterator[Check]:
    what, moment = "时钟", now()
    found = f"{moment:%Y-%m-%d %H:%M}（北京时间）"
    if last and moment + _TOLERATED_SKEW < parse_moment(last):
        yield broken(
            what,
            f"{found}，早于最后一个事件（{parse_moment(last):%Y-%m-%d %H:%M}）。",
            "请校准本机的时钟；收到时间和是否按时都由它决定。",
        )
    else:
        yield well(what, found)


def _holidays(_: Home) -> Iterator[Check]:
    what, year = "节假日", now().year
    unknown = [str(one) for one in (year, year + 1) if not is_working_day(date(one, 1, 1))[1]]
    if not unknown:
        yield well(what, f"{year}、{year + 1} 年的都知道")
    else:
        yield mind(
            what,
            f"不知道 {'、'.join(unknown)} 年的，遇到时只按周末顺延。",
            "国务院办公厅公布后（多在上年 11 月）更新程序包 chinesecalendar。",
        )


def _ledger(home: Home) -> Iterator[Check]:
    what = "台帐"
    state = ledger_state(home)
    if state.missing:
        yield well(what, f"{state.where}，还没有建；下次运行时由原件和日志建立")
    elif not state.intact:
        yield mind(what, f"{state.where} 与上次写完时不同。", "下次运行会自动重建；常出现时请检查磁盘。")
    elif not state.current:
        yield mind(what, f"{state.where} 是旧格式的。", "下次运行会自动重建，收件多时要几分钟。")
    else:
        yield well(what, f"{state.where}，格式是现行的")


def _registry(home: Home) -> Iterator[Check]:
    registry = Registry.load(home)
    if home.registry != home.own_registry:
        yield mind(
            "登记资料",
            f"用的是样本的（{len(registry.units)} 家单位）。",
            "请用 ledger init 建数据文件夹，改成本县的。",
        )
    else:
        yield well("登记资料", f"{len(registry.units)} 家单位，截止日每月 {registry.deadline_day} 日")


def _recipients(home: Home) -> Iterator[Check]:
    registry = Registry.load(home)
    recipients = load_recipients(home, registry)
    reached = {one.unit_code for one in recipients if one.gets & {Gets.RETURN, Gets.REMINDER}}
    without = [unit.name for unit in registry.units if unit.code not in reached]
    issued = sum(bool(one.gets & {Gets.REPORT, Gets.BRIEF}) for one in recipients)
    if not issued or without:
        lines = ["没有人收月报"] if not issued else []
        lines += (
            [
                f"{len(without)} 家单位没有收退回、催报的邮箱：{'、'.join(without[:5])}{'等' if len(without) > 5 else ''}"
            ]
            if without
            else []
        )
        yield mind(
            "收件人",
            f"{'；'.join(lines)}。",
            "请在 data/raw/registry/recipients.csv 里补上；不用邮件的可不管。",
        )
    else:
        yield well("收件人", f"{len(recipients)} 个，{issued} 个收月报，各单位都有邮箱")


def _settings(home: Home) -> Iterator[Check]:
    Settings.load(home)
    found = "ledger.toml" if home.settings.is_file() else "没有 ledger.toml，都用默认值"
    yield well("设置", found)


def _log(home: Home) -> Iterator[Check]:
    files = logs.log_files(home.logs)
    size = sum(path.stat().st_size for path in files)
    yield well("运行日志", f"data/logs 里 {len(files)} 个文件，共 {size / (1 << 20):.1f} MB")


def _locks(home: Home) -> Iterator[Check]:
    """A lock that nobody holds is no trouble; one that is held says that something runs."""
    held = [path.stem for path in sorted(home.locks.glob("[0-9]*.lock")) if _is_held(path)]
    left = [
        *home.processed.glob("ledger.db.new-*"),
        *(path for folder in (home.journal, home.originals) for path in folder.glob(".aside-*")),
    ]
    if held:
        yield well("运行", f"正在处理：{'、'.join(held)}")
    elif left:
        yield well("运行", f"没有在运行的；上次中断留下 {len(left)} 个半成品，下次运行会清理")
    else:
        yield well("运行", "没有在运行的，没有遗留的锁")


def _is_held(path: Path) -> bool:
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _backup(home: Home) -> Iterator[Check]:
    what, remedy = "备份", "请运行 ledger backup，放到另一块磁盘或另一台机器上。"
    events_count = Journal(home.journal).last_seq()
    try:
        noted = json.loads(home.last_backup.read_text(encoding="ascii"))
        made_at, upto = parse_moment(noted["made_at"]), int(noted["events"])
    except (OSError, ValueError, KeyError, TypeError):
        if events_count:
            yield mind(what, "没有用 ledger backup 备份过。", remedy)
        else:
            yield well(what, "还没有要备份的")
        return
    since = events_count - upto
    found = f"上次 {made_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}，此后新增 {max(since, 0)} 个事件"
    if since > 0 and now() - made_at > timedelta(days=_BACKUP_DAYS):
        yield mind(what, f"{found}。", remedy)
    else:
        yield well(what, found)


def _everything(home: Home) -> Iterator[Check]:
    if not home.journal.is_dir():
        return
    proof = prove(home, Registry.load(home), quick=True)
    if proof.fault is not None:
        yield broken("逐个核对", proof.fault.what, proof.fault.remedy)
    else:
        yield well("逐个核对", "日志、原件、已签发的报告、台帐记录都相符")


LOOKS: tuple[tuple[str, Look], ...] = (
    ("文件夹", _folders),
    ("磁盘", _disk),
    ("设置", _settings),
    ("登记资料", _registry),
    ("收件人", _recipients),
    ("日志和原件", _journal),
    ("台帐", _ledger),
    ("节假日", _holidays),
    ("运行", _locks),
    ("运行日志", _log),
    ("备份", _backup),
)
THOROUGH: tuple[tuple[str, Look], ...] = (("逐个核对", _everything),)
