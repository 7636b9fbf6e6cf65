"""For any sequence of plans, receipts, corrections, re-runs, approvals, withdrawals and mails: the ledger
is the fold of the journal, and as-of is the ledger as it stood."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.calendar import moment_text, parse_moment
from ledger.errors import UsageError
from ledger.home import Home
from ledger.recording import events, tables
from ledger.recording.cursor import load_cursor
from ledger.recording.database import reading
from ledger.recording.editions import approve, due_in_year, issue, issued, unfinished, withdraw, withdrawals
from ledger.recording.exports import export
from ledger.recording.ledger import Ledger
from ledger.recording.model import Edition
from ledger.recording.moments import AsOf, Frozen
from ledger.recording.rebuild import rebuild, verify
from schemas.exports import EXPORTS
from schemas.month import Month
from schemas.tables import TABLES
from tests.fake_programme import (
    N1,
    P1,
    P2,
    P3,
    REGISTRY,
    T1,
    TOOLS_BY_PLAN,
    A,
    B,
    C,
    new_home,
    write_file,
    write_plan,
)

MONTHS = JUNE, JULY, AUGUST = Month(2018, 6), Month(2018, 7), Month(2018, 8)
START = parse_moment("2018-07-01")
#: What a unit may report: P2 is A's, and B's in some adjusted plans.
ITEMS = {
    A: {"projects": [P1, P2]},
    B: {"projects": [P3, P2]},
    C: {"needs": [N1], "indicators": [T1]},
}
FIGURE = {"projects": "fiscal_paid_cum_fen", "needs": "signed_amount_fen", "indicators": "done_cum"}
#: What becomes of a mail after it is queued.
COURSES: list[list[tuple[str, dict[str, Any]]]] = [
    [],
    [(events.MAIL_QUEUED, {})],  # a second time, under the same id
    [(events.MAIL_ATTEMPTED, {}), (events.SENT, {"via": "smtp", "detail": "250"})],
    [(events.MAIL_ATTEMPTED, {}), (events.MAIL_FAILED, {"permanent": True, "uncertain": False})],
    [(events.MAIL_ATTEMPTED, {}), (events.MAIL_FAILED, {"permanent": False, "uncertain": True})],
    [(events.MAIL_DROPPED, {"detail": "why"})],
]
#: How many sequences; the same ones every time, unless more are asked for, of which each is then asked
#: for everything: LEDGER_FOLD_EXAMPLES=500 pytest --timeout 0 tests/property/test_fold.py
FEW = 15
EXAMPLES = int(os.environ.get("LEDGER_FOLD_EXAMPLES", FEW))

Book = dict[str, Any]
Step = tuple[str, tuple[Any, ...]]


# --- sequences


@st.composite
def books(draw: st.DrawFn) -> Book:
    """What a file holds: mostly a unit's and a month's, some of its tables, some of its rows."""
    unit = draw(st.sampled_from([A, A, B, B, C, None]))
    month = draw(st.sampled_from([*map(str, MONTHS), None]))
    book: Book = {"unit": unit, "month": month, "note": draw(st.sampled_from(["", "更正"]))}
    for key, items in ITEMS[unit or A].items():
        row = st.fixed_dictionaries(
            {"remarks": st.sampled_from([None, None, "退回", "说明"])},
            optional={FIGURE[key]: st.integers(0, 3)},
        )
        filled = st.dictionaries(st.sampled_from(items), row, max_size=len(items))
        part = draw(st.one_of(filled, filled, st.just("零报告"), st.none()))
        if part is not None:
            book[key] = part
    return book


plans = st.fixed_dictionaries(
    {"drop": st.sampled_from([[], [P2], [P1, N1]]), "move": st.sampled_from([{}, {P2: B}])}
)
months = st.sampled_from(MONTHS)
effective = st.sampled_from([None, *MONTHS])
received = st.tuples(
    st.just("receive"),
    # in hours, how long before it is recorded a file came
    st.tuples(st.lists(books(), min_size=1, max_size=3), st.sampled_from([0, 0, 0, 10, 30])),
)
steps = st.one_of(
    received,
    received,
    st.tuples(st.just("again"), st.tuples(st.integers(0, 5))),
    st.tuples(st.just("run"), st.tuples()),
    st.tuples(st.just("plan"), st.tuples(plans, effective)),
    st.tuples(st.just("same_plan"), st.tuples(effective)),
    st.tuples(st.just("approve"), st.tuples(months, st.booleans())),
    st.tuples(st.just("finish"), st.tuples(months)),
    st.tuples(st.just("withdraw"), st.tuples(months)),
    st.tuples(st.just("withdraw_late"), st.tuples(months)),
    st.tuples(st.just("mail"), st.tuples(months, st.sampled_from(COURSES))),
)
first = st.one_of(st.tuples(st.just("plan"), st.tuples(plans, st.none())), received)
sequences = st.builds(lambda one, more: [one, *more], first, st.lists(steps, min_size=2, max_size=11))


def paid(unit: str, month: Month, note: str = "", remarks: str | None = None, **figures: int) -> Book:
    rows = {item: {"fiscal_paid_cum_fen": figure, "remarks": remarks} for item, figure in figures.items()}
    return {"unit": unit, "month": str(month), "note": note, "projects": rows}


#: A course by hand that meets everything once: what is found must not hang on chance.
COURSE: list[Step] = [
    ("receive", ([paid(A, JUNE, **{P1: 2, P2: 1}), paid(B, JUNE, **{P3: 3})], 0)),  # waits for the plan
    ("plan", ({"drop": [], "move": {}}, None)),
    ("receive", ([paid(A, JULY, **{P1: 3, P2: 2}), paid(B, JULY, remarks="退回", **{P3: 3})], 0)),
    ("approve", (JUNE, True)),
    ("receive", ([paid(A, JUNE, "更正", **{P1: 4})], 0)),  # a correction, a withdrawn row, H01 in July
    ("run", ()),
    ("receive", ([paid(A, JUNE, "更正", **{P1: 5})], 0)),  # a rebuild sees it together with the last
    ("plan", ({"drop": [P1, N1], "move": {P2: B}}, JULY)),
    ("same_plan", (None,)),
    ("receive", ([paid(B, JULY, "更正", **{P3: 3, P2: 1}), paid(A, AUGUST, **{P1: 1})], 0)),
    ("withdraw", (JUNE,)),
    ("approve", (JUNE, True)),
    ("approve", (JULY, False)),
    ("again", (0,)),  # what was superseded is the newest again
    ("finish", (JULY,)),
    ("mail", (JUNE, COURSES[2])),
    ("withdraw", (JUNE,)),
    ("withdraw_late", (JUNE,)),
    ("receive", ([paid(B, JUNE, "更正", remarks="退回", **{P3: 1})], 20)),
    ("same_plan", (JUNE,)),
]


# --- what is compared


def all_rows(ledger: Ledger) -> dict[str, list[tuple[Any, ...]]]:
    with reading(ledger.engine) as connection:
        return {
            table.name: [
                tuple(row) for row in connection.execute(sa.select(table).order_by(*table.primary_key))
            ]
            for table in tables.metadata.sorted_tables
        }


def exports(ledger: Ledger, as_of: AsOf = None) -> dict[str, Any]:
    """Every export of every month as of a moment."""
    return {
        f"{month} {name}": export(ledger, month, name, as_of=as_of) for month in MONTHS for name in EXPORTS
    }


def all_told(ledger: Ledger, as_of: AsOf = None) -> dict[str, Any]:
    """Everything that the ledger can be asked as of a moment."""
    told = {"due": due_in_year(ledger, 2018, as_of), **exports(ledger, as_of)}
    for month in MONTHS:
        for name in TABLES:
            told[f"{month} {name}, all"] = export(ledger, month, name, as_of=as_of, all_versions=True)
        view = ledger.view(month, as_of)
        told[f"{month} view"] = (view.plan, view.standings, view.editions)
        told[f"{month} withdrawals"] = withdrawals(ledger, month, as_of)
    return told


@dataclass(frozen=True)
class Stood:
    """What the ledger told at a moment, and the last event it held."""

    at: datetime
    upto: int
    told: dict[str, Any]


# --- playing them


@dataclass
class Office:
    """One home as a sequence goes over it; what the ledger told after each step is remembered."""

    home: Home
    folder: Path
    ledger: Ledger
    #: asked everything after each step, or for the exports alone
    thorough: bool
    moment: datetime = START
    sent: list[Path] = field(default_factory=list)
    plan_file: Path | None = None
    mailed: list[tuple[Month, int]] = field(default_factory=list)
    stood: list[Stood] = field(default_factory=list)
    #: moments from … to before … that were told more of later: a file that came then was recorded
    #: later, an edition approved then was issued later (it counts from its approval)
    retold: list[tuple[datetime, datetime]] = field(default_factory=list)

    def do(self, step: Step) -> None:
        self.moment += timedelta(hours=7)
        kind, given = step
        getattr(self, kind)(*given)
        if kind not in ("receive", "again"):
            self.remember()

    def told(self, as_of: AsOf = None) -> dict[str, Any]:
        return all_told(self.ledger, as_of) if self.thorough else exports(self.ledger, as_of)

    def remember(self) -> None:
        """Keep what the ledger tells now. Without a plan it tells nothing: files wait, and once there is
        one it counts for the moments before it too."""
        self.ledger.catch_up()
        if self.ledger.plan(2018) is not None:
            upto = load_cursor(self.ledger.engine).seq
            if not self.stood or self.stood[-1].upto != upto:
                self.stood.append(Stood(self.moment, upto, self.told()))

    def receive(self, given: list[Book], hours: int) -> None:
        new = [
            write_file(self.folder / f"{len(self.sent) + place}.json", **book)
            for place, book in enumerate(given)
        ]
        self.sent += new
        came = self.moment - timedelta(hours=hours)
        self.retold.append((came, self.moment))
        self.ledger.receive(new, came)

    def again(self, place: int) -> None:
        self.ledger.receive(self.sent[place : place + 1], self.moment)

    def run(self) -> None:
        self.ledger.catch_up()
        assert self.ledger.catch_up() == []

    def plan(self, stated: dict[str, Any], since: Month | None) -> None:
        self.plan_file = write_plan(self.folder, **stated)
        self.ledger.register_plan(self.plan_file, 2018, self.moment, since)

    def same_plan(self, since: Month | None) -> None:
        if self.plan_file is not None:
            before = self.ledger.plan(2018)
            done = self.ledger.register_plan(self.plan_file, 2018, self.moment, since)
            assert done.created or self.ledger.plan(2018) == before
            assert since is not None or not done.created

    def approve(self, month: Month, at_once: bool) -> None:
        self.ledger.catch_up()
        if self.ledger.plan(2018) is None or unfinished(self.ledger, month) is not None:
            return
        edition = approve(self.ledger, month, "张三", self.moment)
        if at_once:
            self._issue(edition)

    def finish(self, month: Month) -> None:
        self.ledger.catch_up()
        left = unfinished(self.ledger, month)
        if left is not None:
            self.retold.append((left.at, self.moment))
            self._issue(left)

    def _issue(self, edition: Edition) -> None:
        page = self.folder / "page"
        page.write_text(f"{edition.name} {edition.at}", encoding="utf-8")
        issue(self.ledger, edition, {f"月报-{edition.name}.pdf": page})

    def withdraw(self, month: Month) -> None:
        self.ledger.catch_up()
        try:
            withdraw(self.ledger, month, "李四", "有误", self.moment)
        except UsageError:  # nothing stands, or something of it was sent
            return

    def withdraw_late(self, month: Month) -> None:
        """Another machine's withdrawal, journaled unasked: what was mailed stands."""
        before = issued(self.ledger, month)
        payload = {"month": str(month), "edition": 1, "by": "王五", "at": moment_text(self.moment)}
        self.ledger.note(events.APPROVAL_WITHDRAWN, payload)
        if (month, 1) in self.mailed:
            assert issued(self.ledger, month) == before

    def mail(self, month: Month, course: list[tuple[str, dict[str, Any]]]) -> None:
        self.ledger.catch_up()
        with reading(self.ledger.engine) as connection:
            table = tables.editions
            numbers = sa.select(sa.func.max(table.c.edition)).where(table.c.month == month)
            number = connection.scalar(numbers)
        if number is None:
            return
        self.mailed.append((month, number))
        queued: dict[str, Any] = {
            "message_id": f"edition.{month}.{len(self.mailed)}",
            "kind": "edition",
            "month": str(month),
            "edition": number,
            "recipient": {"key": "r", "name": "收件人", "address": "r@x.example"},
            "attachments": [],
        }
        for kind, more in [(events.MAIL_QUEUED, {}), *course]:
            self.ledger.note(kind, {**queued, **more, "at": moment_text(self.moment)})


@contextmanager
def quick_folder() -> Iterator[Path]:
    """A folder in memory where there is one: nothing here pulls the plug."""
    memory = Path("/dev/shm")
    folder = tempfile.mkdtemp(prefix="fold-", dir=memory if os.access(memory, os.W_OK) else None)
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder)


def different(now: dict[str, Any], then: dict[str, Any]) -> dict[str, Any]:
    return {what: (now[what], then[what]) for what in then if now[what] != then[what]}


def test_a_course_that_meets_everything_is_the_fold_of_the_journal() -> None:
    _play(COURSE, thorough=True)


@pytest.mark.slow
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=EXAMPLES <= FEW,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(sequences)
def test_ledger_is_the_fold_of_the_journal(todo: list[Step]) -> None:
    _play(todo, thorough=EXAMPLES > FEW)


def _play(todo: list[Step], *, thorough: bool) -> None:
    with quick_folder() as folder:
        home = new_home(folder / "home")
        with Ledger.open(home, REGISTRY, tools=TOOLS_BY_PLAN) as ledger:
            office = Office(home, folder, ledger, thorough)
            for step in [*todo, ("run", ())]:
                office.do(step)
            _as_of_is_as_it_stood(office)
            kept = all_rows(ledger)
        _chains_are_whole(kept)
        assert verify(home, REGISTRY, tools=TOOLS_BY_PLAN).differences == []
        shutil.rmtree(home.processed, ignore_errors=True)
        rebuild(home, REGISTRY, tools=TOOLS_BY_PLAN)
        with Ledger.open(home, REGISTRY, tools=TOOLS_BY_PLAN) as ledger:
            assert different(all_rows(ledger), kept) == {}


def _as_of_is_as_it_stood(office: Office) -> None:
    """By the moment; by the last event, as an edition is frozen, where the moment was told more of."""
    for stood in office.stood:
        retold = any(since <= stood.at < until for since, until in office.retold)
        if not retold:
            assert different(office.told(stood.at), stood.told) == {}, f"as of {stood.at}"
        if retold or office.thorough:
            as_recorded = office.told(Frozen(stood.upto, stood.at))
            assert different(as_recorded, stood.told) == {}, f"as recorded by event {stood.upto}"


def _chains_are_whole(rows: dict[str, list[tuple[Any, ...]]]) -> None:
    """Versions count 1, 2, 3 …; what was accepted is in a version, a mark, or never was."""
    chains: dict[tuple[Any, ...], list[int]] = {}
    for month, unit, table, version, *_ in rows["table_versions"]:
        chains.setdefault((month, unit, table), []).append(version)
    assert all(sorted(chain) == list(range(1, len(chain) + 1)) for chain in chains.values())
    for key in TABLES:
        for month, item, unit, version, *_ in rows[f"{key}_rows"]:
            assert version in chains[month, unit, key], item
