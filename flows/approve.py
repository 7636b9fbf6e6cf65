"""`ledger approve`: freezes the month's edition, or takes the approval back. `ledger run --edition`:
sets an issued one again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from flows.announce import Event, announce
from flows.master import write_from
from flows.opened import open_ledger
from ledger import logs
from ledger.calendar import moment_text, now
from ledger.errors import UsageError
from ledger.fetching.inbox import look
from ledger.fetching.memory import Memory
from ledger.home import Home
from ledger.recording.editions import (
    altered,
    approve,
    clear_drafts,
    clear_withdrawn,
    every_edition,
    issue,
    require_edition,
    restore,
    standing,
    unfinished,
    withdraw,
)
from ledger.recording.ledger import Ledger
from ledger.recording.model import Edition
from ledger.recording.month_lock import hold_month, hold_sending
from ledger.recording.withdrawn import Withdrawal
from ledger.reporting.frozen import has_editions, is_current, is_drafted, month_exports, next_report, rendered
from ledger.reporting.model import CountyReport
from schemas.month import Month


@dataclass(frozen=True)
class Approval:
    """What approving came to: the edition, its files, and what changed since the one before.

    `issued` is False where nothing has changed since the last edition, which then stands.
    """

    edition: Edition
    files: list[str]
    issued: bool
    changes: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "month": str(self.edition.month),
            "edition": self.edition.number,
            "issued": self.issued,
            "at": moment_text(self.edition.at),
            "by": self.edition.by,
            "plan_version": self.edition.plan_version,
            "files": self.files,
            "sha256": dict(self.edition.files),
            "changes": self.changes,
        }


def approve_month(
    home: Home, month: Month, by: str, at: datetime | None = None, *, then_send: bool = False
) -> Approval:
    """Freeze what the month's draft shows as its next edition. `then_send` puts on record that it is to
    be sent at once: the sending is the caller's, and the calendar's where the caller is killed.

    Raises UsageError where there is no draft, or where something came in after it was made.
    """
    if not by.strip():
        raise UsageError("请用 --by 写明签发人。")
    if not (is_drafted(home, month) or has_editions(home, month)):
        raise UsageError(f"{month.chinese}还没有草稿。请先运行 ledger run {month}，看过草稿再签发。")
    with hold_month(home, month), open_ledger(home) as ledger:
        _refuse_unrecorded(ledger, month)
        ledger.catch_up()
        ledger.require_plan(month.year, month)
        clear_withdrawn(ledger, month)
        left = unfinished(ledger, month)
        if left is not None:
            return _finish(ledger, left)
        where = standing(ledger, month)
        if where.last is not None and not where.due:
            return Approval(where.last, _shown(home, restore(home, where.last)), issued=False)
        views = ledger.views_until(month)
        report = next_report(ledger.registry, views, where.next_number)
        if not is_current(home, report, month_exports(ledger, month)):
            raise UsageError(
                f"{month.chinese}的报送、计划或登记资料有变化，现有草稿不是这样。"
                f"请运行 ledger run {month}，看过新草稿再签发。"
            )
        edition = approve(ledger, month, by.strip(), at or now(), then_send=then_send)
        return _issue(ledger, edition, _changes(report))


def withdraw_month(
    home: Home, month: Month, by: str, reason: str = "", at: datetime | None = None
) -> Withdrawal:
    """Take back the approval of the month's last edition, and its files out of the month's folder.

    The draft may then be run and approved again under the same number. Raises UsageError where no
    edition stands, or where anything of it was sent or waits to be sent.
    """
    if not by.strip():
        raise UsageError("请用 --by 写明撤回人。")
    # nobody queues its mails meanwhile
    with hold_month(home, month), hold_sending(home, month), open_ledger(home) as ledger:
        ledger.catch_up()
        back = withdraw(ledger, month, by.strip(), reason.strip(), at or now())
        write_from(ledger, month)
        return back


def _refuse_unrecorded(ledger: Ledger, month: Month) -> None:
    """Raises UsageError where files have come in that the draft can't show."""
    waiting = ledger.unrecorded() + len(ledger.waiting(month))
    if waiting:
        raise UsageError(
            f"收到 {waiting} 份文件，还没有入账。请先运行 ledger run {month}，看过新草稿再签发。"
        )
    lying = look(ledger.home, Memory.load(ledger.home), settle=0)
    if lying.settled or lying.moving:
        raise UsageError(
            f"收件文件夹里有 {len(lying.settled) + len(lying.moving)} 份文件还没有收。请先运行 ledger fetch，"
            f"再运行 ledger run {month}，看过新草稿再签发。"
        )


def _finish(ledger: Ledger, edition: Edition) -> Approval:
    """Issue what was approved when the program was stopped, and say so."""
    day = f"{edition.at.year}年{edition.at.month}月{edition.at.day}日"
    told = [f"上次签发时程序中断，现按{edition.by}{day}批准的内容补出。"]
    done = _issue(ledger, edition, told)
    if standing(ledger, edition.month).due:
        told.append(
            f"此后又有变化，应再出第{edition.number + 1}版：先运行 ledger run {edition.month}，看过草稿再签发。"
        )
    return done


def _issue(ledger: Ledger, edition: Edition, changes: list[str]) -> Approval:
    """Set an approved edition, keep and journal its files, put them in the month's folder."""
    with rendered(ledger, edition) as files:
        done = issue(ledger, edition, files)
    logs.note(edition=done.number, files=len(done.files))
    paths = restore(ledger.home, done)
    clear_drafts(ledger.home, edition.month)
    announce(ledger.home, Event.APPROVED, edition.month, edition=edition.number)
    write_from(ledger, edition.month)
    return Approval(done, _shown(ledger.home, paths), issued=True, changes=changes)


def _changes(report: CountyReport) -> list[str]:
    """What changed since the edition before, one line each."""
    lines = [report.corrections_intro] if report.corrections_intro else []
    return lines + [
        f"{line.unit_name} {line.item_name} {line.month.chinese} {line.column}：{line.old}→{line.new}"
        + (f"（{line.reason}）" if line.reason else "（未说明原因）")
        for line in report.corrections
    ]


def _shown(home: Home, paths: list[Path]) -> list[str]:
    return [home.relative(path) for path in paths]


@dataclass(frozen=True)
class SetAgain:
    """An issued edition set again: its files, and which of them came out different."""

    edition: Edition
    files: list[str]
    differing: list[str]

    def as_json(self) -> dict[str, Any]:
        return {
            "month": str(self.edition.month),
            "edition": self.edition.number,
            "at": moment_text(self.edition.at),
            "by": self.edition.by,
            "files": self.files,
            "same": not self.differing,
            "differing": self.differing,
        }


def set_again(home: Home, month: Month, number: int) -> SetAgain:
    """Set an issued edition again, compare it with what was issued, and see that the issued files
    lie in the month's folder. Raises UsageError where there is no such edition."""
    with hold_month(home, month), open_ledger(home) as ledger:
        ledger.catch_up()
        edition = require_edition(ledger, month, number)
        different = differing(ledger, edition)
        return SetAgain(edition, _shown(home, restore(home, edition)), different)


def differing(ledger: Ledger, edition: Edition) -> list[str]:
    """The names of an edition's files that come out different when they are set again."""
    with rendered(ledger, edition) as files:
        hashes = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}
    names = dict.fromkeys((*edition.files, *hashes))
    return [name for name in names if edition.files.get(name) != hashes.get(name)]


def differing_editions(home: Home) -> tuple[int, list[str]]:
    """How many editions were ever issued, and a line for each file of them that comes out different
    or was altered where it lies."""
    with open_ledger(home, readonly=True) as ledger:
        editions = every_edition(ledger)
        lines = [
            f"{edition.name}：{name} 重出后与签发时不同"
            for edition in editions
            for name in differing(ledger, edition)
        ]
        lines += [
            f"{edition.name}：reports/{edition.month}/{name} 签发后被改动"
            for edition in editions
            for name in altered(home, edition)
        ]
    return len(editions), lines
