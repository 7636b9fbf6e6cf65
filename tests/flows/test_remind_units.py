"""`ledger remind` and the forms of the 25th: what each unit is written, once, and when it stops."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path

import openpyxl
import pytest

from flows.distribute import send_forms
from flows.remind import queue_reminders, queue_returns, remind_month
from ledger.calendar import clock_at, parse_moment
from ledger.home import Home
from ledger.recording.ledger import Ledger
from ledger.registry import Registry
from tests.faulty import copied
from tests.mailing import MARCH, set_recipients, smtp
from tests.mailserver import mail_server
from tests.office import OWING, SLUGS, make_home, write_book
from tests.other_county import PLAN

TOWN = "石桥铺镇"


def clock(text: str) -> Callable[[], datetime]:
    moment = parse_moment(text)
    return lambda: moment


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = make_home(tmp_path_factory.mktemp("base") / "home")
    with Ledger.open(home, Registry.load(home)) as ledger:
        ledger.take_in_plans(MARCH)
    return home


@pytest.fixture
def home(base: Home, tmp_path: Path) -> Home:
    return copied(base, tmp_path / "home")


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch):
    with mail_server() as (box, port):
        for name, value in smtp(port).items():
            monkeypatch.setenv(name, value)
        yield box


def receive(home: Home, unit: str, at: str, **given: str) -> None:
    """A unit's workbook comes in and is recorded."""
    path = write_book(home.root / f"{unit}-{at[8:10]}{at[11:13]}.xlsx", unit, MARCH, **given)
    with Ledger.open(home, Registry.load(home)) as ledger:
        ledger.receive([path], parse_moment(at), MARCH)
        ledger.catch_up()


def names(box) -> list[tuple[str, str]]:
    """(what, to whom) of each mail in the order it came."""
    return [
        (message["Subject"].partition("】")[0].strip("【"), message["To"].addresses[0].display_name)
        for message in box.parsed()
    ]


def body(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def test_friendly_before_the_deadline_and_the_days_counted_after_it(home: Home, served) -> None:
    for unit in OWING[1:]:
        receive(home, unit, "2019-04-03T09:00")
    said = {}
    # 5 to 7 April 2019 are 清明节 and the 10th is this county's day
    for day, word in (("04-07", "还有3天"), ("04-10", "就是今天"), ("04-15", "已逾期5天")):
        served.messages.clear()
        with clock_at(clock(f"2019-{day}T09:00")):
            assert remind_month(home, MARCH).all_done
            assert remind_month(home, MARCH).queued == [], "once a day"
        (message,) = served.parsed()
        assert message["To"].addresses[0].display_name == OWING[0]
        said[day] = message["Subject"]
        assert word in body(message) and "2019年4月10日（星期三）" in body(message)
        assert not list(message.iter_attachments())
    assert said["04-07"] == f"【催报】2019年3月月报表请于4月10日前报送（{OWING[0]}）"
    assert said["04-10"] == f"【催报】2019年3月月报表今天截止，请报送（{OWING[0]}）"
    assert said["04-15"] == f"【催报】2019年3月月报表已逾期5天，请尽快报送（{OWING[0]}）"


def test_it_stops_when_the_unit_has_reported(home: Home, served) -> None:
    with clock_at(clock("2019-04-08T09:00")):
        assert len(remind_month(home, MARCH).queued) == len(OWING)
    for unit in OWING[:-1]:
        receive(home, unit, "2019-04-08T15:00")
    with clock_at(clock("2019-04-09T09:00")):
        reminded = remind_month(home, MARCH)
    assert [one.name for one in reminded.queued if one.kind == "reminder"] == [OWING[-1]]


def test_a_reminder_that_could_not_go_out_is_left_when_it_is_out_of_date(home: Home, served) -> None:
    address = f"{SLUGS[OWING[0]]}@office.example"
    served.script[address] = ["451"] * 3
    with clock_at(clock("2019-04-08T09:00")):
        assert not remind_month(home, MARCH).all_done
    receive(home, OWING[0], "2019-04-08T10:00")
    with clock_at(clock("2019-04-08T11:00")):
        assert remind_month(home, MARCH).all_done
    assert address not in served.to()


def test_who_can_not_be_written_to_is_telephoned(home: Home, served) -> None:
    set_recipients(home, **{SLUGS[OWING[0]]: None})
    with clock_at(clock("2019-04-08T09:00")):
        reminded = remind_month(home, MARCH)
    assert reminded.to_telephone == [OWING[0]] and reminded.all_done
    assert OWING[0] not in [one.name for one in reminded.queued]


def test_the_marked_workbook_goes_back_once(home: Home, served) -> None:
    receive(home, TOWN, "2019-04-03T09:00", households="四十多")
    with clock_at(clock("2019-04-08T09:00")):
        reminded = remind_month(home, MARCH)
        assert queue_returns(home, MARCH) == [] and queue_reminders(home, MARCH) == []
    assert [one.name for one in reminded.queued if one.kind == "return"] == [TOWN]
    (message,) = [m for m in served.parsed() if "重报" in m["Subject"]]
    assert message["Subject"] == f"【请改正后重报】2019年3月月报表（{TOWN}）"
    (book,) = message.iter_attachments()
    assert book.get_filename().startswith(f"退回_{TOWN}_2019-03_")
    marked = openpyxl.load_workbook(io.BytesIO(book.get_content()))
    assert any(cell.comment for sheet in marked for row in sheet.iter_rows() for cell in row)
    assert "错误1处" in body(message) and "四十多" in body(message)
    with clock_at(clock("2019-04-09T09:00")):
        assert not [one for one in remind_month(home, MARCH).queued if one.kind == "return"]
    # its second try is wrong again, and comes back; two in one day go back on two days
    receive(home, TOWN, "2019-04-09T10:00", households="五十多")
    with clock_at(clock("2019-04-09T11:00")):
        assert [one.name for one in remind_month(home, MARCH).queued if one.kind == "return"] == [TOWN]
    receive(home, TOWN, "2019-04-09T12:00", households="六十多")
    with clock_at(clock("2019-04-09T13:00")):
        assert remind_month(home, MARCH).queued == []
    with clock_at(clock("2019-04-10T09:00")):
        assert [one.name for one in remind_month(home, MARCH).queued if one.kind == "return"] == [TOWN]
    told = [body(m) for m in served.parsed() if "重报" in m["Subject"]]
    assert [next(n for n in ("四十多", "五十多", "六十多") if n in text) for text in told] == [
        "四十多",
        "五十多",
        "六十多",
    ]


def test_what_a_later_check_finds_goes_back_too(home: Home, served, tmp_path: Path) -> None:
    """The workbook went back once already; then the plan is adjusted, and it is answered for anew."""
    village = "松涧乡"
    receive(home, village, "2019-04-03T09:00", households="四十多")
    with clock_at(clock("2019-04-08T09:00")):
        assert [one.name for one in remind_month(home, MARCH).queued if one.kind == "return"] == [village]
    plan = openpyxl.load_workbook(PLAN)
    (cell,) = [
        cell for row in plan["附件1"].iter_rows() for cell in row if cell.value == "松涧乡卫生院发热门诊"
    ]
    cell.value = "松涧乡敬老院改造"
    plan.save(tmp_path / "adjusted.xlsx")
    with Ledger.open(home, Registry.load(home)) as ledger:
        adjusted = ledger.register_plan(tmp_path / "adjusted.xlsx", 2019, parse_moment("2019-04-09T08:00"))
    assert [month for month, _ in adjusted.checked_again] == [MARCH]
    with clock_at(clock("2019-04-09T09:00")):
        assert [one.name for one in remind_month(home, MARCH).queued if one.kind == "return"] == [village]
    letters = [body(m) for m in served.parsed() if "重报" in m["Subject"]]
    assert ["松涧乡敬老院改造" in letter for letter in letters] == [False, True]
    with clock_at(clock("2019-04-10T09:00")):
        assert not [one for one in remind_month(home, MARCH).queued if one.kind == "return"]


def test_a_return_that_a_newer_file_overtook_is_left(home: Home, served) -> None:
    served.script[f"{SLUGS[TOWN]}@office.example"] = ["451"] * 3
    receive(home, TOWN, "2019-04-03T09:00", households="四十多")
    with clock_at(clock("2019-04-08T09:00")):
        assert not remind_month(home, MARCH).all_done
    receive(home, TOWN, "2019-04-08T10:00")
    with clock_at(clock("2019-04-08T11:00")):
        assert remind_month(home, MARCH).all_done
    assert f"{SLUGS[TOWN]}@office.example" not in served.to()


def test_each_unit_gets_its_own_form_once(home: Home, served) -> None:
    with clock_at(clock("2019-03-25T08:00")):
        assert len(send_forms(home, MARCH).queued) == len(OWING)
        assert send_forms(home, MARCH).queued == []
    for message in served.parsed():
        unit = message["To"].addresses[0].display_name
        assert message["Subject"] == f"2019年3月月报表请于4月10日前报送（{unit}）"
        (form,) = message.iter_attachments()
        assert form.get_filename() == f"2019-03_{unit}_月报表.xlsx"
        cover = openpyxl.load_workbook(io.BytesIO(form.get_content())).worksheets[0]
        assert any(cell.value == unit for row in cover.iter_rows() for cell in row)
    assert sorted(name for _, name in names(served)) == sorted(OWING)


def test_units_own_words_are_words_in_the_page(home: Home, served) -> None:
    path = write_book(home.root / "<b>表&1.xlsx", TOWN, MARCH, households="四十多")
    with Ledger.open(home, Registry.load(home)) as ledger:
        ledger.receive([path], parse_moment("2019-04-03T09:00"), MARCH)
    with clock_at(clock("2019-04-08T09:00")):
        remind_month(home, MARCH)
    (message,) = [m for m in served.parsed() if "重报" in m["Subject"]]
    page = message.get_body(("html",)).get_content()
    assert "&lt;b&gt;表&amp;1.xlsx" in page and "<b>" not in page
    assert "<b>表&1.xlsx" in body(message)
