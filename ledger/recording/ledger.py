"""The ledger of one home: receiving, catching up with the journal, and views as of a moment."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from ledger import notices
from ledger.calendar import now
from ledger.checking.model import Checked, Context, History
from ledger.errors import UsageError
from ledger.home import Home
from ledger.recording import database, events, tables
from ledger.recording.codec import plan_from
from ledger.recording.cursor import is_behind, load_cursor, note_digest
from ledger.recording.database import reading
from ledger.recording.fold import Fold
from ledger.recording.head import note_head, require_end
from ledger.recording.history import load_history, make_context
from ledger.recording.holding import hold
from ledger.recording.intake import Arrival, Intake, Received, printable
from ledger.recording.issued import editions_between
from ledger.recording.journal import Event, Journal
from ledger.recording.model import MonthView
from ledger.recording.moments import AsOf
from ledger.recording.opening import open_for_writing, open_readonly
from ledger.recording.originals import Originals, hash_file
from ledger.recording.plans import Plans, Registered, says_the_same
from ledger.recording.recheck import checked_by_plan
from ledger.recording.registries import note_registry
from ledger.recording.restored import checked_again
from ledger.recording.seal import break_seal, set_seal
from ledger.recording.standing import latest_plan_line
from ledger.recording.tools import Tools
from ledger.recording.views import month_view
from ledger.registry import Registry
from schemas.month import Month
from schemas.plan import Plan


class Ledger:
    """One home's ledger. Open it with `Ledger.open`, as a context manager.

    Everything that writes journals first; `catch_up` applies what the ledger lacks. Read as of a
    moment with `as_of` (inclusive; None = now).
    """

    def __init__(
        self, home: Home, registry: Registry, url: str | None, readonly: bool, tools: Tools | None
    ) -> None:
        self.home = home
        self.registry = registry
        #: what people should be told beside the result (an old ledger file was rebuilt, …)
        self.messages: list[str] = []
        self._url = url or database.configured_url(home)
        self._readonly = readonly
        self._tools = tools
        self._journal = Journal(home.journal)
        self._intake = Intake(home)
        self._opened: Engine | None = None
        self._folding = False

    @classmethod
    def open(
        cls,
        home: Home,
        registry: Registry,
        *,
        url: str | None = None,
        readonly: bool = False,
        tools: Tools | None = None,
    ) -> Ledger:
        """The ledger of `home`, in data/processed or where `url` (LEDGER_DATABASE_URL) says.

        `readonly` writes nothing at all: what the journal holds and the ledger file does not is
        applied in memory.
        """
        return cls(home, registry, url, readonly, tools)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._opened is not None:
            self._opened.dispose()
            self._opened = None

    def _tell(self, message: str) -> None:
        self.messages.append(message)
        notices.tell(message)

    @property
    def tools(self) -> Tools:
        if self._tools is None:
            self._tools = Tools.real()
        return self._tools

    @property
    def engine(self) -> Engine:
        """The database, created or rebuilt where there is none of this schema."""
        if self._opened is None:
            # a home on a read-only disk can still be read: what its ledger lacks is applied in memory
            processed = self.home.processed
            if self._url is None and processed.is_dir() and not os.access(processed, os.W_OK):
                self._readonly = True
            if self._readonly:
                self._opened = open_readonly(
                    self.home, self.registry, self._url, lambda: self.tools, self._journal
                )
            else:
                self._opened, told = open_for_writing(
                    self.home, self.registry, self._url, lambda: self.tools, self._alone
                )
                if told:
                    self._tell(told)
        return self._opened

    @contextlib.contextmanager
    def _alone(self, engine: Engine | None = None) -> Iterator[None]:
        """Hold this ledger against every other writer; re-entrant."""
        if self._folding:
            yield
            return
        with hold(self.home, engine or self.engine):
            self._folding = True
            try:
                yield
            finally:
                self._folding = False

    # --- receiving

    def receive(
        self, paths: Sequence[Path], at: datetime | None = None, month: Month | None = None
    ) -> list[Received]:
        """Keep and journal files as received `at` (default now), for `month` where it is given.

        Nothing is read or judged yet. Raises UsageError, and records none, where one can't be read.
        """
        moment = at or now()
        return self._intake.receive(
            [Arrival(path, printable(path.name), moment, month, "command") for path in paths]
        )

    def take_in(self, month: Month, at: datetime | None = None) -> list[Received]:
        """Receive what is new in the plan folder and in the year's drop folders up to `month`.

        A file is new where its name, or its content under that name, was not in that folder at the
        last run. The drop folders are never changed.
        """
        moment = at or now()
        with self._alone():
            self._intake.sweep()
            self.take_in_plans(month, moment)
            self.catch_up()
            arrivals = self._arrivals(month, moment)
            return self._intake.receive(arrivals) if arrivals else []

    def waiting(self, month: Month) -> list[str]:
        """The names of the files in the drop folders that `take_in` would receive."""
        return [arrival.name for arrival in self._arrivals(month, now())]

    def unrecorded(self) -> int:
        """How many receipts and plans are in the journal and not in the ledger yet."""
        names = self._journal.names()[load_cursor(self.engine).seq :]
        counted = (f"-{events.RECEIVED}.json", f"-{events.PLAN_REGISTERED}.json")
        return sum(1 for name in names if name.endswith(counted))

    def _arrivals(self, month: Month, moment: datetime) -> list[Arrival]:
        """What is new in the year's drop folders up to `month`."""
        known = self._known_drops()
        return [
            arrival
            for folder in self.home.drop_months()
            if folder.year == month.year and folder <= month
            for arrival in self._intake.dropped(folder, moment)
            if known.get((folder, arrival.name)) != hash_file(arrival.path)
        ]

    def _known_drops(self) -> dict[tuple[Month | None, str], str]:
        """The hash last received under each name of each drop folder."""
        got = tables.receipts
        with reading(self.engine) as connection:
            query = sa.select(got.c.folder, got.c.file_name, got.c.sha256).where(got.c.folder.is_not(None))
            return {
                (line.folder, line.file_name): line.sha256
                for line in connection.execute(query.order_by(got.c.event_seq))
            }

    def take_in_plans(self, month: Month, at: datetime | None = None) -> list[Registered]:
        """Register what is new in the plan folder for the year of `month`."""
        registered = []
        with self._alone():
            self.catch_up()
            for path in self._intake.plan_files(month.year):
                if hash_file(path) not in self._known_plans(month.year):
                    registered.append(self.register_plan(path, month.year, at))
        return registered

    def _known_plans(self, year: int) -> set[str]:
        plans = tables.plan_versions
        with reading(self.engine) as connection:
            return set(connection.scalars(sa.select(plans.c.sha256).where(plans.c.year == year)))

    def register_plan(
        self, path: Path, year: int, at: datetime | None = None, effective: Month | None = None
    ) -> Registered:
        """Check a plan workbook and register it as the newest version of `year`.

        It counts from the month `effective` on; without one, from the month after the last whose
        report was issued, so that no issued report loses its plan. The very file that is the newest
        already changes nothing, unless it is given another month or the registry it was read with
        has changed. A file that is no plan is not registered: its findings say why.
        """
        if effective is not None and effective.year != year:
            raise UsageError(f"{effective} 不在 {year} 年内，请核对 --from。")
        with self._alone():
            self.catch_up()
            kept = self._intake.keep(path)
            with reading(self.engine) as connection:
                known = Plans.load(connection)
                issued = editions_between(connection, Month(year, 1), Month(year, 12))
            data = Originals(self.home.originals).read(kept.sha256, kept.ext)
            version = known.next_version(year)
            checked = self.tools.check_plan(data, path.name, year, version, self.registry)
            if not isinstance(checked, Plan):
                return Registered(kept.sha256, None, tuple(checked), created=False)
            checked = known.identified(checked)
            present, since = known.newest(year)
            if present is not None and effective in (None, since) and says_the_same(present, checked):
                return Registered(kept.sha256, present, present.findings, False, since)
            free = max((one.month.plus(1) for one in issued), default=Month(year, 1))
            effective = effective or min(free, Month(year, 12))
            self._intake.register_plan(kept, path.name, year, at or now(), effective)
            self.catch_up()
            with reading(self.engine) as connection:
                again = checked_by_plan(connection, year)
            return Registered(kept.sha256, self.plan(year), checked.findings, True, effective, again)

    # --- catching up

    def catch_up(self, progress: Callable[[str], None] | None = None) -> list[Checked]:
        """Apply every event that the ledger lacks, in the journal's order; the submissions applied.

        Raises Busy (exit 4) where another process keeps the ledger for long, Damaged where
        journal, originals or ledger are not what was written.
        """
        engine = self.engine
        if self._readonly:
            return []
        require_end(self.home, self._journal)
        if not is_behind(load_cursor(engine), self._journal):
            return []
        with self._alone():
            if os.access(self.home.raw, os.W_OK):
                note_registry(self.home, self._journal, load_cursor(engine).seq + 1)
            if self._url is None:
                break_seal(self.home.database)
            fold = Fold(self.engine, self.home, self.registry, self.tools, progress)
            applied = fold.run()
            if self._url is None:
                set_seal(self.home.database, self.engine)
            if os.access(self.home.journal, os.W_OK):
                note_digest(self._journal, fold.cursor)
            note_head(self.home, self._journal)
        return applied

    def note(self, kind: str, payload: dict[str, object]) -> None:
        """Journal an event of another kind (approved, edition_issued, sent) and apply it."""
        self._journal.append(kind, payload)
        self.catch_up()

    def note_all(self, due: Callable[[], Sequence[tuple[str, Mapping[str, object]]]]) -> list[Event]:
        """Journal what `due` finds and apply it; between its look and the last event nobody else
        writes. The events written, in order."""
        with self._alone():
            self.catch_up()
            written = self._journal.append_all(due())
            self.catch_up()
        return written

    # --- reading

    def plan(self, year: int, as_of: AsOf = None, month: Month | None = None) -> Plan | None:
        """The plan of `year` as of a moment: the newest registered by then, else the first.

        With `month` the one in force for that month."""
        with reading(self.engine) as connection:
            line = latest_plan_line(connection, year, as_of, month)
        return None if line is None else plan_from(line.plan)

    def require_plan(self, year: int, month: Month | None = None) -> Plan:
        """The plan of `year`, or in force for `month`. Raises UsageError where none is registered."""
        plan = self.plan(year, None, month)
        if plan is None:
            raise UsageError(
                f"{year}年的计划还没有登记。请先运行 ledger plan 计划文件 --year {year}，"
                f"或把计划文件放进 data/raw/plan/（文件名以 {year} 开头）。"
            )
        return plan

    def months(self) -> list[Month]:
        """The months with submissions, in order."""
        sent = tables.submissions
        with reading(self.engine) as connection:
            return sorted(connection.scalars(sa.select(sent.c.month).distinct()))

    def pending(self) -> int:
        """How many receipts wait for the plan of their year."""
        late, sent = tables.put_off, tables.submissions
        with reading(self.engine) as connection:
            return connection.execute(
                sa.select(sa.func.count())
                .select_from(late)
                .outerjoin(sent, sent.c.submission_id == late.c.event_seq)
                .where(sent.c.submission_id.is_(None))
            ).scalar_one()

    def context_for(
        self, units: str | Collection[str] | None, month: Month | None, plan: Plan | None = None
    ) -> Context:
        """What a file of `units` for `month` is checked against, beside the file itself."""
        codes = {units} if isinstance(units, str) else set(units or ())
        got = tables.receipts
        with reading(self.engine) as connection:
            history = History()
            if plan is not None and month is not None:
                before = latest_plan_line(connection, month.year, None, month.plus(-1))
                earlier = plan_from(before.plan) if before is not None and month.month > 1 else None
                history = load_history(connection, plan, month, codes, earlier)
            before = frozenset(connection.scalars(sa.select(got.c.sha256).distinct()))
        return make_context(plan, history, self.registry, before)

    def view(self, month: Month, as_of: AsOf = None, registry: Registry | None = None) -> MonthView:
        """The month as of a moment, by the present registry or the one given.

        Raises UsageError where the year has no plan.
        """
        self.require_plan(month.year)
        with reading(self.engine) as connection:
            return month_view(connection, registry or self.registry, month, as_of)

    def views_until(
        self, month: Month, as_of: AsOf = None, registry: Registry | None = None
    ) -> list[MonthView]:
        """The views from the programme's first month of the year to `month`, in order."""
        first = max(Month(month.year, 1), min((registry or self.registry).first_month, month))
        return [self.view(first.plus(n), as_of, registry) for n in range(month.index - first.index + 1)]

    def returns_due(self, month: Month) -> list[tuple[Checked, Path]]:
        """The latest submissions of each unit for `month`, as checked, each with its original."""
        with reading(self.engine) as connection:
            found = checked_again(connection, month)
        originals = Originals(self.home.originals)
        return [(checked, originals.path(checked.submission.sha256, ext)) for checked, ext in found]
