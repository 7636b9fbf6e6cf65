"""What of the calendar is done is known from files; the morning's run runs what has changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest
from openpyxl import load_workbook

from flows import duties, steps
from flows.monthly import MonthOutcome
from flows.plan import register
from flows.receive import receive_files
from flows.schedule import Duty, Kind
from ledger.calendar import SHANGHAI, clock_at
from ledger.errors import Busy
from ledger.home import Home
from ledger.recording.journal import Journal
from ledger.recording.month_lock import hold_month
from schemas.month import Month
from tests import office
from tests.other_county import PLAN

APRIL, MAY = Month(2019, 4), Month(2019, 5)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@contextmanager
def on(text: str) -> Iterator[None]:
    with clock_at(lambda: at(text)):
        yield


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return office.make_home(tmp_path / "home")


def words(found: list[Duty]) -> list[str]:
    return [f"{duty.chinese} {duty.at:%m-%d}" for duty in found]


def do(home: Home, duty: Duty) -> None:
    duties.mark_done(home, duty, duties.last_event(home))


def test_a_new_home_owes_nothing_from_before(home: Home) -> None:
    assert duties.overdue(home, at("2019-05-20T12:00")) == []
    missed = duties.overdue(home, at("2019-05-25T08:00"))
    assert words(missed) == ["2019-05 预填表 05-25", "2019-04 月报 05-25"]


def test_a_home_whose_notes_were_deleted_takes_up_from_its_last_event(home: Home) -> None:
    with on("2019-05-12T08:00"):
        book = office.write_book(home.root / "m.xlsx", "松涧乡", APRIL)
        receive_files(home, [book], None, None)
    assert not home.processed.exists()
    # March's mornings were over on 10 May
    missed = duties.overdue(home, at("2019-05-27T12:00"))
    assert words(missed) == ["2019-04 催报 05-17", "2019-05 预填表 05-25", "2019-04 月报 05-27"]


def test_what_was_missed_is_done_once_in_order(home: Home) -> None:
    assert duties.overdue(home, at("2019-04-20T12:00")) == []
    # switched off from then on until June; deadlines are 10 April, 10 May and 10 June
    now = at("2019-06-11T10:00")
    missed = duties.overdue(home, now)
    assert words(missed) == [
        "2019-04 预填表 04-25",
        "2019-03 月报 05-10",
        "2019-04 催报 05-17",
        "2019-05 预填表 05-25",
        "2019-04 月报 06-10",
        "2019-05 月报 06-11",
        "2019-05 催报 06-11",
    ]
    for duty in missed:
        do(home, duty)
        assert duties.is_done(home, duty)
    assert duties.overdue(home, now) == []
    assert words(duties.overdue(home, at("2019-06-12T10:00"))) == ["2019-05 月报 06-12"]


def test_a_duty_that_failed_stays_due(home: Home) -> None:
    assert duties.overdue(home, at("2019-05-24T12:00")) == []
    first, second = duties.overdue(home, at("2019-05-25T09:00"))
    do(home, second)
    assert duties.overdue(home, at("2019-05-25T09:30")) == [first]
    assert first in duties.overdue(home, at("2019-05-29T09:30"))


def test_a_note_that_is_damaged_counts_as_none(home: Home) -> None:
    assert duties.overdue(home, at("2019-05-24T12:00")) == []
    first, second = duties.overdue(home, at("2019-05-25T09:00"))
    do(home, first)
    do(home, second)
    for note in home.schedule.glob("2019-05-forms.json"):
        note.write_text("{")
    assert duties.overdue(home, at("2019-05-25T09:00")) == [first]


def drop(home: Home, unit: str, month: Month, name: str, **given: object) -> Path:
    folder = home.drop(month)
    folder.mkdir(parents=True, exist_ok=True)
    return office.write_book(folder / name, unit, month, **given)  # type: ignore[arg-type]


def morning(home: Home, month: Month, day: str) -> list[str]:
    """The months that a morning ran. A run is only what decides here: taking in and recording."""
    ran: list[str] = []

    def run(one: Month) -> MonthOutcome:
        ran.append(str(one))
        received = steps.take_in(home, one)
        recorded = steps.record(home, one)
        return MonthOutcome(steps.stand(home, one), received, recorded)

    with on(f"{day}T08:00"):
        duty = Duty(Kind.RUN, month, at(f"{day}T08:00"))
        duties.morning(home, duty, run)
        assert duties.is_done(home, duty)
    return ran


def test_the_morning_runs_what_has_changed(home: Home) -> None:
    drop(home, "县水务局", APRIL, "水务4月.xlsx")
    # nothing was ever run: the month that is due, and no other
    assert morning(home, APRIL, "2019-05-11") == ["2019-04"]
    assert morning(home, APRIL, "2019-05-12") == []
    drop(home, "松涧乡", APRIL, "松涧4月.xlsx")
    assert morning(home, APRIL, "2019-05-14") == ["2019-04"]
    assert morning(home, APRIL, "2019-05-15") == []
    # the next month's turn: itself the first time, though nobody has sent anything
    assert morning(home, MAY, "2019-06-11") == ["2019-05"]
    assert morning(home, MAY, "2019-06-12") == []
    # a correction of April in its drop folder: April, and May that carries it on
    drop(home, "县水务局", APRIL, "水务4月更正.xlsx", households=99, reason="核对后更正")
    assert morning(home, MAY, "2019-06-13") == ["2019-05", "2019-04"]
    # the very same file once more says nothing new, once it is read
    drop(home, "县水务局", APRIL, "水务4月更正又一份.xlsx", households=99, reason="核对后更正")
    assert morning(home, MAY, "2019-06-14") == ["2019-05", "2019-04"]
    assert morning(home, MAY, "2019-06-15") == []
    # an adjusted plan in the plan folder: from the month on that it counts from
    adjusted = home.plans / "2019-调整.xlsx"
    book = load_workbook(home.plans / PLAN.name)
    book["附件1"].cell(7, 4).value = 3_100_000
    book.save(adjusted)
    with on("2019-06-15T10:00"):
        register(home, adjusted, 2019, APRIL)
    assert morning(home, MAY, "2019-06-16") == ["2019-05", "2019-04"]
    assert morning(home, MAY, "2019-06-17") == []


def test_what_came_by_the_inbox_counts_recorded_or_not(home: Home) -> None:
    assert morning(home, MAY, "2019-06-11") == ["2019-05"]
    assert morning(home, MAY, "2019-06-12") == []
    with on("2019-06-12T10:00"):
        receive_files(home, [office.write_book(home.root / "a.xlsx", "松涧乡", MAY)], None, None)
    assert morning(home, MAY, "2019-06-13") == ["2019-05"]
    with on("2019-06-13T10:00"):
        receive_files(home, [office.write_book(home.root / "b.xlsx", "县水务局", MAY)], None, None)
        steps.record(home, MAY)
    assert morning(home, MAY, "2019-06-14") == ["2019-05"]
    assert morning(home, MAY, "2019-06-15") == []


def test_what_comes_in_while_the_morning_runs_is_for_the_next_one(home: Home) -> None:
    assert morning(home, MAY, "2019-06-11") == ["2019-05"]
    assert morning(home, MAY, "2019-06-12") == []
    late = office.write_book(home.root / "late.xlsx", "松涧乡", MAY)
    drop(home, "县水务局", MAY, "水务5月.xlsx")

    def run(month: Month) -> MonthOutcome:
        received = steps.take_in(home, month)
        recorded = steps.record(home, month)
        receive_files(home, [late], None, None)  # after this run has read what there was
        return MonthOutcome(steps.stand(home, month), received, recorded)

    with on("2019-06-13T08:00"):
        duties.morning(home, Duty(Kind.RUN, MAY, at("2019-06-13T08:00")), run)
    assert morning(home, MAY, "2019-06-14") == ["2019-05"]
    assert morning(home, MAY, "2019-06-15") == []


def again(home: Home, moment: str) -> list[str]:
    """The months that are run again between two mornings."""
    ran: list[str] = []

    def run(one: Month) -> MonthOutcome:
        ran.append(str(one))
        received = steps.take_in(home, one)
        return MonthOutcome(steps.stand(home, one), received, steps.record(home, one))

    with on(moment):
        duties.again(home, run)
    return ran


def come(home: Home, moment: str, unit: str, month: Month, name: str, **given: object) -> None:
    """A workbook by inbox or mailbox."""
    with on(moment):
        book = office.write_book(home.root / name, unit, month, **given)  # type: ignore[arg-type]
        receive_files(home, [book], None, None)


def test_what_has_arrived_after_the_run_is_run_again_before_the_next_morning(home: Home) -> None:
    come(home, "2019-05-06T09:00", "松涧乡", APRIL, "a.xlsx")
    # before the deadline nothing is run
    assert again(home, "2019-05-06T09:10") == []
    assert morning(home, APRIL, "2019-05-11") == ["2019-04"]
    assert again(home, "2019-05-11T09:10") == []
    come(home, "2019-05-11T10:00", "县水务局", APRIL, "b.xlsx")
    assert again(home, "2019-05-11T10:10") == ["2019-04"]
    assert again(home, "2019-05-11T10:20") == []
    assert morning(home, APRIL, "2019-05-12") == []
    # a report for the month that is being filed is no reason
    come(home, "2019-06-03T10:00", "松涧乡", MAY, "c.xlsx")
    assert again(home, "2019-06-03T10:10") == []
    assert morning(home, MAY, "2019-06-11") == ["2019-05"]
    # a correction of April: April, and May that carries it on
    come(home, "2019-06-12T10:00", "县水务局", APRIL, "d.xlsx", households=99, reason="核对后更正")
    assert again(home, "2019-06-12T10:10") == ["2019-05", "2019-04"]
    assert again(home, "2019-06-12T10:20") == []


def test_a_run_between_two_mornings_is_not_the_next_morning_s(home: Home) -> None:
    assert morning(home, MAY, "2019-06-11") == ["2019-05"]
    come(home, "2019-06-11T10:00", "松涧乡", MAY, "a.xlsx")
    assert again(home, "2019-06-11T10:10") == ["2019-05"]
    assert not duties.is_done(home, Duty(Kind.RUN, MAY, at("2019-06-12T08:00")))


def test_what_was_not_run_again_to_its_end_is_at_the_next_look(home: Home) -> None:
    assert morning(home, MAY, "2019-06-11") == ["2019-05"]
    come(home, "2019-06-11T10:00", "松涧乡", MAY, "a.xlsx")

    def refused(_: Month) -> MonthOutcome:
        raise Busy("别的运行")

    with on("2019-06-11T10:10"), pytest.raises(Busy):
        duties.again(home, refused)
    assert again(home, "2019-06-11T10:20") == ["2019-05"]


def test_two_at_the_calendar_wait_and_then_give_way(home: Home) -> None:
    with duties.calendar_held(home), pytest.raises(Busy), duties.calendar_held(home, wait=0.05):
        pass
    with duties.calendar_held(home, wait=0.05):
        pass


def test_a_month_that_is_held_is_waited_for_and_then_busy(home: Home) -> None:
    with hold_month(home, MAY), pytest.raises(Busy), duties.patiently_held(home, MAY, wait=0.01):
        pass
    with duties.patiently_held(home, MAY, wait=0.01), pytest.raises(Busy), hold_month(home, MAY):
        pass
    with hold_month(home, MAY):
        pass


def test_the_notes_hold_no_names_and_no_paths(home: Home) -> None:
    assert duties.overdue(home, at("2019-05-24T12:00")) == []
    for duty in duties.overdue(home, at("2019-05-25T09:00")):
        do(home, duty)
    for note in home.schedule.iterdir():
        assert set(json.loads(note.read_text())) <= {"since", "day", "seq", "at"}
    assert Journal(home.journal).last_seq() == 0
