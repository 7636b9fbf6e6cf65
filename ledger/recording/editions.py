"""Approving a month: the edition freezes what the ledger holds, and what was issued is kept.

First the approval is journaled (what it holds, whose word it is), then the edition is set, then
journaled as issued with the hashes of its files. A program stopped between the two finds the
approval and issues what was approved.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ledger.calendar import moment_text
from ledger.errors import UsageError
from ledger.home import Home
from ledger.recording import events, tables
from ledger.recording.cursor import load_cursor
from ledger.recording.database import reading
from ledger.recording.issued import approved_only, editions_between, editions_of, payload_of
from ledger.recording.ledger import Ledger
from ledger.recording.model import Edition, MonthView
from ledger.recording.moments import AsOf, Frozen
from ledger.recording.originals import Originals, extension
from ledger.recording.registries import keep_files, load_files
from ledger.recording.standing import year_start
from ledger.recording.withdrawn import Withdrawal, sent_or_queued, withdrawals_of, withdrawn_editions
from ledger.registry import Registry
from schemas.month import Month


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a month's report stands: its last issued edition, and whether the next one is due."""

    last: Edition | None
    due: bool

    @property
    def next_number(self) -> int:
        return self.last.number + 1 if self.last else 1


def issued(ledger: Ledger, month: Month) -> tuple[Edition, ...]:
    """The issued editions of a month, in order."""
    with reading(ledger.engine) as connection:
        return editions_of(connection, month)


def every_edition(ledger: Ledger) -> tuple[Edition, ...]:
    """All editions ever issued, by month and number."""
    with reading(ledger.engine) as connection:
        return editions_between(connection)


def require_edition(ledger: Ledger, month: Month, number: int) -> Edition:
    """An issued edition. Raises UsageError where there is no such one."""
    for edition in issued(ledger, month):
        if edition.number == number:
            return edition
    known = "、".join(f"第{edition.number}版" for edition in issued(ledger, month))
    raise UsageError(f"{month.chinese}没有签发过第{number}版（已签发：{known or '无'}）。")


def unfinished(ledger: Ledger, month: Month) -> Edition | None:
    """The edition that was approved and not issued, the program having been stopped."""
    with reading(ledger.engine) as connection:
        return approved_only(connection, month)


def frozen(edition: Edition) -> Frozen:
    return Frozen(edition.upto, edition.at)


def registry_of(home: Home, edition: Edition) -> Registry:
    """The registry that an edition was set with."""
    return load_files(Originals(home.originals), edition.registry_files)


def standing(ledger: Ledger, month: Month, as_of: AsOf = None) -> Standing:
    """The month's last edition as of a moment, and whether what it printed had changed by then."""
    with reading(ledger.engine) as connection:
        editions = editions_of(connection, month, as_of)
    if not editions:
        return Standing(None, due=False)
    return Standing(editions[-1], due=has_changed(ledger, editions[-1], as_of))


def has_changed(ledger: Ledger, edition: Edition, as_of: AsOf = None) -> bool:
    """Whether a later submission or plan changed what an edition printed: the figures of its month,
    or of the year's months before it, or who reported."""
    with reading(ledger.engine) as connection:
        if not _touched(connection, edition):
            return False
    registry = registry_of(ledger.home, edition)
    now = ledger.views_until(edition.month, as_of, registry)
    then = ledger.views_until(edition.month, frozen(edition), registry)
    return _printed(now) != _printed(then)


def _touched(connection: Connection, edition: Edition) -> bool:
    """Whether anything came after an edition that could change it."""
    versions, plans = tables.table_versions, tables.plan_versions
    received = sa.select(versions.c.month).where(
        versions.c.month >= year_start(edition.month),
        versions.c.month <= edition.month,
        versions.c.submission_id > edition.upto,
    )
    registered = sa.select(plans.c.year).where(
        plans.c.year == edition.month.year,
        plans.c.event_seq > edition.upto,
        plans.c.effective_from <= edition.month,
    )
    return any(connection.execute(query.limit(1)).first() is not None for query in (received, registered))


def _printed(views: Sequence[MonthView]) -> list[Any]:
    """What a reader sees of the views: plan, figures, who reported."""
    return [
        [
            view.plan.items,
            view.plan.totals,
            [
                (row.item_id, row.unit_code, row.carried_forward, dict(row.values))
                for rows in view.rows.values()
                for row in rows
            ],
            [(unit.unit_code, bool(unit.versions), unit.reported_tables) for unit in view.standings],
        ]
        for view in views
    ]


def due_in_year(ledger: Ledger, year: int, as_of: AsOf = None) -> list[str]:
    """The editions that are due, of all months of a year: ``2018-08第2版``."""
    with reading(ledger.engine) as connection:
        editions = editions_between(connection, Month(year, 1), Month(year, 12), as_of)
    last = {edition.month: edition for edition in editions}
    return [
        replace(edition, number=edition.number + 1).name
        for edition in last.values()
        if has_changed(ledger, edition, as_of)
    ]


def approve(ledger: Ledger, month: Month, by: str, at: datetime, *, then_send: bool = False) -> Edition:
    """Journal that the month's next edition is approved as the ledger stands now, with `then_send`
    that it is to be sent as soon as it is issued.

    The ledger must have caught up. Raises UsageError where `at` lies before what the edition holds.
    """
    last = issued(ledger, month)
    upto = load_cursor(ledger.engine).seq
    view = ledger.view(month)
    newest = max((row.received_at for row in view.submissions), default=None)
    if newest is not None and at < newest:
        raise UsageError(
            f"签发时间 {moment_text(at)} 早于最后一份报送的收到时间 {moment_text(newest)}，请核对 --at。"
        )
    edition = Edition(
        month=month,
        number=last[-1].number + 1 if last else 1,
        at=at,
        by=by,
        upto=upto,
        plan_version=view.plan.version,
        registry_files=keep_files(Originals(ledger.home.originals), ledger.home.registry),
    )
    wish = {events.THEN_SEND: True} if then_send else {}
    ledger.note(events.APPROVED, payload_of(edition) | wish)
    return edition


def issue(ledger: Ledger, edition: Edition, files: Mapping[str, Path]) -> Edition:
    """Keep the edition's files, given by name, among the originals and journal it as issued."""
    originals = Originals(ledger.home.originals)
    kept = {name: originals.keep(path, name).sha256 for name, path in files.items()}
    done = replace(edition, files=kept)
    ledger.note(events.EDITION_ISSUED, payload_of(done))
    return done


def withdraw(ledger: Ledger, month: Month, by: str, reason: str, at: datetime) -> Withdrawal:
    """Journal that the approval of the month's last edition is taken back: its number is free again.

    The ledger must have caught up. Raises UsageError where no edition stands, where anything of the
    last one was sent or queued, and where `at` lies before its approval.
    """
    edition = unfinished(ledger, month) or standing_edition(ledger, month)
    if edition is None:
        raise UsageError(f"{month.chinese}没有签发过的版本，没有可撤回的。")
    name = f"{month.chinese}月报第{edition.number}版"
    too_late = UsageError(
        f"{name}已经发出或已排入发送，不能撤回。内容有误时请另出第{edition.number + 1}版："
        f"收到更正后运行 ledger run {month}，看过草稿再 ledger approve。"
    )
    with reading(ledger.engine) as connection:
        if sent_or_queued(connection, month, edition.number):
            raise too_late
    if at < edition.at:
        raise UsageError(
            f"撤回时间 {moment_text(at)} 早于{name}的签发时间 {moment_text(edition.at)}，请核对 --at。"
        )
    back = Withdrawal(month, edition.number, at, by, reason)
    ledger.note(events.APPROVAL_WITHDRAWN, back.payload())
    if (unfinished(ledger, month) or standing_edition(ledger, month)) == edition:
        raise too_late  # another machine has queued it in between
    clear_withdrawn(ledger, month)
    return back


def standing_edition(ledger: Ledger, month: Month) -> Edition | None:
    """The month's last issued edition, None where there is none."""
    editions = issued(ledger, month)
    return editions[-1] if editions else None


def withdrawals(ledger: Ledger, month: Month, as_of: AsOf = None) -> tuple[Withdrawal, ...]:
    """The approvals of a month that were taken back, in order, as of a moment."""
    with reading(ledger.engine) as connection:
        return withdrawals_of(connection, month, as_of)


def clear_withdrawn(ledger: Ledger, month: Month) -> None:
    """Take the files of withdrawn editions out of the month's folder; they stay among the originals."""
    with reading(ledger.engine) as connection:
        kept = {name for edition in editions_of(connection, month) for name in edition.files}
        gone = {name for edition in withdrawn_editions(connection, month) for name in edition.files} - kept
    folder = ledger.home.reports(month)
    for name in gone:
        path = folder / name
        path.unlink(missing_ok=True)
        if path.parent != folder and path.parent.is_dir() and not any(path.parent.iterdir()):
            path.parent.rmdir()


def restore(home: Home, edition: Edition) -> list[Path]:
    """Put an edition's files, as issued, in the month's folder where they are missing or differ.

    Returns all of them, in the order they were issued. Raises Damaged where an original is gone.
    """
    folder = home.reports(edition.month)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, sha256 in _in_order(edition.files):
        path = folder / name
        if not (path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256):
            data = Originals(home.originals).read(sha256, extension(name))
            path.parent.mkdir(parents=True, exist_ok=True)
            aside = path.with_name(f".{path.name}.aside")
            aside.write_bytes(data)
            aside.replace(path)
        paths.append(path)
    return paths


def clear_drafts(home: Home, month: Month) -> None:
    """Remove a month's drafts: what they showed is issued, or no longer so."""
    for draft in home.reports(month).rglob("*-草稿.*"):
        draft.unlink()


def altered(home: Home, edition: Edition) -> list[str]:
    """The names of an edition's files that lie in the month's folder and are not as issued."""
    folder = home.reports(edition.month)
    return [
        name
        for name, sha256 in _in_order(edition.files)
        if (folder / name).is_file() and hashlib.sha256((folder / name).read_bytes()).hexdigest() != sha256
    ]


def _in_order(files: Mapping[str, str]) -> list[tuple[str, str]]:
    """The county's report first, the PDF before the rest."""
    return sorted(
        files.items(),
        key=lambda item: ("/" in item[0], not item[0].startswith("月报"), _rank(item[0]), item[0]),
    )


def _rank(name: str) -> int:
    endings = (".pdf", ".html", ".xlsx")
    return next((place for place, ending in enumerate(endings) if name.endswith(ending)), len(endings))
