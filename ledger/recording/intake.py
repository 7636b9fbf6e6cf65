"""Receiving: files into the originals, receipts and plans into the journal. Judges nothing."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

from ledger.calendar import moment_text, parse_moment
from ledger.errors import UsageError
from ledger.home import Home
from ledger.recording import events
from ledger.recording.head import require_end
from ledger.recording.journal import Journal
from ledger.recording.originals import Kept, Originals
from schemas.month import Month

RECEIVED_CSV = "received.csv"
_NOT_SENT = frozenset({RECEIVED_CSV, "thumbs.db", "desktop.ini"})
_LOOSE_MOMENT = re.compile(
    r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[T\s]+(\d{1,2}:\d{1,2}(?::\d{1,2})?))?"
)


@dataclass(frozen=True, slots=True)
class Received:
    """A file as received: its event's number, its hash, and whether its bytes were known before."""

    seq: int
    sha256: str
    ext: str
    file_name: str
    received_at: datetime
    month: Month | None
    seen_before: bool
    path: Path


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file about to be received, `path` where it lies and `name` how it is called."""

    path: Path
    name: str
    received_at: datetime
    month: Month | None
    source: str


class Intake:
    """Keeps originals and journals receipts for one home."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._journal = Journal(home.journal)
        self._originals = Originals(home.originals)

    def receive(self, arrivals: Sequence[Arrival]) -> list[Received]:
        """Keep every file, then journal all receipts in this order.

        Raises UsageError before anything is journaled where a file can't be read, Damaged where the
        journal's end is missing: the number of a lost event is not given again.
        """
        require_end(self._home, self._journal)
        kept = [self._originals.keep(arrival.path, arrival.name) for arrival in arrivals]
        written = self._journal.append_all(
            [
                (
                    events.RECEIVED,
                    events.receipt_payload(
                        copy.sha256, copy.ext, one.name, one.received_at, one.month, one.source
                    ),
                )
                for one, copy in zip(arrivals, kept, strict=True)
            ]
        )
        return [
            Received(
                event.seq,
                copy.sha256,
                copy.ext,
                one.name,
                one.received_at,
                one.month,
                not copy.new,
                self._originals.path(copy.sha256, copy.ext),
            )
            for event, one, copy in zip(written, arrivals, kept, strict=True)
        ]

    def sweep(self) -> None:
        """Remove what a killed program left half copied."""
        self._originals.sweep()

    def keep(self, path: Path) -> Kept:
        return self._originals.keep(path)

    def register_plan(self, kept: Kept, file_name: str, year: int, at: datetime, effective: Month) -> None:
        """Journal a plan workbook that is among the originals, in force from a month on."""
        self._journal.append(
            events.PLAN_REGISTERED,
            {
                "year": year,
                "sha256": kept.sha256,
                "ext": kept.ext,
                "file_name": file_name,
                "registered_at": moment_text(at),
                "effective_from": str(effective),
            },
        )

    def dropped(self, month: Month, at: datetime) -> list[Arrival]:
        """The files in the drop folder of `month`, by time of receipt and name."""
        folder = self._home.drop(month)
        if not folder.is_dir():
            return []
        stated = read_received_csv(folder / RECEIVED_CSV)
        arrivals = [
            Arrival(path, name, stated.get(name, stated.get(path.name, at)), month, "drop")
            for path, name in _files(folder)
        ]
        return sorted(arrivals, key=lambda one: (one.received_at, one.name))

    def plan_files(self, year: int) -> list[Path]:
        """The plan workbooks of `year` in the plan folder, by name."""
        if not self._home.plans.is_dir():
            return []
        return sorted(
            path
            for path in self._home.plans.glob(f"{year}*.xlsx")
            if path.is_file() and not path.name.startswith((".", "~$"))
        )


def _files(folder: Path) -> Iterator[tuple[Path, str]]:
    """Every file below `folder` that may be a submission, with its name relative to it."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        hidden = any(part.startswith((".", "~$", "__MACOSX")) for part in PurePosixPath(name).parts)
        if path.is_file() and not hidden and name.lower() not in _NOT_SENT:
            yield path, printable(name)


def printable(name: str) -> str:
    """A file's name as it can be stored and shown: bytes that are no UTF-8 become ``?``."""
    return name.encode("utf-8", "replace").decode("utf-8")


def read_received_csv(path: Path) -> Mapping[str, datetime]:
    """When the files of a drop folder came in: received.csv (file_name, received_at).

    UTF-8 or GB18030; a day alone is its beginning. Raises UsageError, naming the line, where a
    time can't be read.
    """
    if not path.is_file():
        return {}
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("gb18030", "replace")
    lines = csv.DictReader(io.StringIO(text), skipinitialspace=True)
    if not {"file_name", "received_at"} <= set(lines.fieldnames or ()):
        raise UsageError(f"{path.parent.name}/{path.name} 的首行应为 file_name,received_at，请改正。")
    moments: dict[str, datetime] = {}
    for line in lines:
        name, stated = (line["file_name"] or "").strip(), (line["received_at"] or "").strip()
        if not name or not stated:
            continue
        try:
            moments[name] = _moment(stated)
        except ValueError as error:
            raise UsageError(
                f"{path.parent.name}/{path.name} 第 {lines.line_num} 行的时间“{stated}”读不出来，"
                "请写成 2018-10-05T09:00 的样子。"
            ) from error
    return moments


def _moment(text: str) -> datetime:
    """ISO 8601, or a date as a spreadsheet saves it (2018/10/5 9:30)."""
    loose = _LOOSE_MOMENT.fullmatch(text)
    if loose is None:
        return parse_moment(text)
    year, month, day, clock = loose.groups()
    hour, minute, *second = (int(part) for part in (clock or "0:0").split(":"))
    iso = f"{year}-{int(month):02d}-{int(day):02d}T{hour:02d}:{minute:02d}:{(second or [0])[0]:02d}"
    return parse_moment(iso)
