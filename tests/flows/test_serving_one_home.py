"""`ledger serve` for one home: its schedules, runs by hand, what was missed, and being killed."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from ledger.calendar import SHANGHAI
from ledger.home import Home
from ledger.recording.month_lock import hold_month
from tests import serving
from tests.serving import LEDGER, Service

pytestmark = pytest.mark.slow
NAME = "home"
MONTH = serving.due_month()
#: flow → its schedule; None: by hand alone
SCHEDULES = {
    "预填表": "0 8 25-31 * *",
    "每月报告": "0 8 * * *",
    "催报": "30 8 * * *",
    "收件": 600.0,
    "发送": None,
    "签发": None,
    "补办": None,
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    made = serving.make_home(tmp_path_factory.mktemp("serving") / NAME)
    # away since the day before the month's forms: these, its reminders and its mornings were missed
    serving.away_since(made, date(MONTH.year, MONTH.month, 24))
    return made


@pytest.fixture(scope="module")
def service(home: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Service]]:
    """The service that runs now; a test that ends it starts the next."""
    log = tmp_path_factory.mktemp("log") / "serve.log"
    running = [Service(log, "--home", str(home.root))]
    yield running
    if running[0].process.poll() is None:
        running[0].kill()


def test_what_was_missed_is_done_once(service: list[Service], home: Home) -> None:
    (run,) = service[0].runs("补办")
    done = service[0].ended(run["id"])
    assert done["state_type"] == "COMPLETED", done["state"]["message"]
    assert done["auto_scheduled"] is False
    notes = sorted(note.name for note in home.schedule.iterdir())
    kinds = [note.removesuffix(".json").rpartition("-")[2] for note in notes if note != "since.json"]
    assert {"forms", "run", "remind"} == set(kinds)
    mails = sorted(mail.name for mail in home.root.glob("reports/*/outbox/*.eml"))
    assert any("预填表" in name for name in mails), mails
    # once more: nothing is left to be done, nothing is sent again
    again = service[0].ended(service[0].start("补办", NAME))
    assert again["state"]["name"] == "Nothing", again["state"]
    assert sorted(mail.name for mail in home.root.glob("reports/*/outbox/*.eml")) == mails


def test_each_flow_has_its_schedule_in_shanghai(service: list[Service]) -> None:
    found = service[0].deployments()
    assert {flow for flow, _ in found} == set(SCHEDULES)
    assert {name for _, name in found} == {NAME}
    for (flow, _), deployment in found.items():
        expected = SCHEDULES[flow]
        assert deployment["paused"] is False
        if expected is None:
            assert deployment["schedules"] == []
            continue
        (schedule,) = (each["schedule"] for each in deployment["schedules"])
        assert schedule["timezone"] == "Asia/Shanghai"
        assert expected in (schedule.get("cron"), schedule.get("interval"))


@pytest.mark.parametrize(
    ("flow", "clock"), [("预填表", "08:00"), ("每月报告", "08:00"), ("催报", "08:30"), ("收件", None)]
)
def test_the_schedules_get_their_runs(service: list[Service], flow: str, clock: str | None) -> None:
    def planned() -> list[datetime] | None:
        runs = [run for run in service[0].runs(flow) if run["auto_scheduled"]]
        moments = [datetime.fromisoformat(run["expected_start_time"]).astimezone(SHANGHAI) for run in runs]
        return moments if len(moments) >= 3 else None

    for moment in service[0].until(planned):
        assert clock is None or f"{moment:%H:%M}" == clock
        assert flow != "预填表" or moment.day >= 25
        assert flow != "收件" or (moment.minute % 10 == 0 and moment.second == 0)


def test_the_forms_for_clerks_are_chinese(service: list[Service]) -> None:
    for (flow, _), deployment in service[0].deployments().items():
        for name, field in deployment["parameter_openapi_schema"]["properties"].items():
            assert field["title"] != name, (flow, name)
            assert not field["title"].isascii()
            assert not field["description"].isascii()
        assert not deployment["description"].isascii()
    form = service[0].deployments()["预填表", NAME]["parameter_openapi_schema"]["properties"]
    assert "pattern" in form["month"]
    assert "松涧乡" in form["units"]["items"]["enum"]


def test_a_run_started_by_hand_does_the_month(service: list[Service], home: Home) -> None:
    done = service[0].ended(service[0].start("每月报告", NAME, month=str(MONTH)))
    assert (done["name"], done["state"]["name"]) == (f"{MONTH} 每月报告", "Degraded"), done["state"]
    assert "未报" in done["state"]["message"]
    assert list(home.reports(MONTH).glob("*草稿.pdf"))
    names = [run["name"] for run in service[0].runs("月报")]
    assert f"{MONTH} 月报" in names


def test_what_can_not_be_is_refused_in_chinese(service: list[Service]) -> None:
    wrong = [
        ("每月报告", {"month": "2018/9"}, "“2018/9”不是月份，请写成 2018-09 的样子。"),
        ("预填表", {"month": "1999-05"}, "1999年的计划还没有登记"),
        ("发送", {"month": str(MONTH)}, "还没有签发"),
        ("催报", {"month": 201809}, "“201809”不是月份，请写成 2018-09 的样子。"),
        ("预填表", {"month": str(MONTH), "units": "松涧乡"}, "“单位”要写成名称的列表"),
        ("发送", {"month": str(MONTH), "retry_refused": "是"}, "“再试拒收的”只能是 true"),
        ("签发", {}, "请填写月份，写成 2018-09 的样子。"),
        ("签发", {"month": "九月"}, "“九月”不是月份，请写成 2018-09 的样子。"),
    ]
    started = [service[0].start(flow, NAME, **given) for flow, given, _ in wrong]
    for run, (flow, given, told) in zip(started, wrong, strict=True):
        done = service[0].ended(run)
        assert done["state_type"] == "FAILED", (flow, given, done["state"])
        assert told in done["state"]["message"]
        assert "Validation" not in done["state"]["message"], "Prefect's own words are English"
        assert done["name"].endswith(flow if flow != "签发" else str(given.get("month", "")))


#: A run as the service starts it, by someone with less patience.
IMPATIENT = """
import sys
from functools import partial
from flows import deployments, duties
duties.patiently_held = partial(duties.patiently_held, wait=0.2)
state = deployments.report(month=sys.argv[1], return_state=True)
print(state.name, state.type.value, state.message)
"""


REFUSED = """
from flows import deployments, duties
from ledger.errors import LedgerError
def again(home, run):
    raise LedgerError("字体尚未准备好")
duties.again = again
state = deployments.fetch(return_state=True)
print(state.name, state.type.value, state.message)
"""


def run_here(
    service: Service, home: Home, flow: str, script: str, *words: str
) -> subprocess.CompletedProcess[str]:
    """A script that calls a served flow, as Prefect's runner would for its deployment."""
    surroundings = {
        **{key: value for key, value in os.environ.items() if not key.startswith("PREFECT_")},
        "PREFECT_API_URL": service.api,
        "LEDGER_HOME": str(home.root),
        "PREFECT__RUNTIME__DEPLOYMENT__ID": service.deployments()[flow, NAME]["id"],
    }
    return subprocess.run(
        [sys.executable, "-c", script, *words],
        capture_output=True,
        text=True,
        check=False,
        env=surroundings,
        timeout=120,
    )


def test_a_look_says_why_what_came_in_was_not_run_again(service: list[Service], home: Home) -> None:
    done = run_here(service[0], home, "收件", REFUSED)
    assert done.stdout.startswith("Degraded COMPLETED "), done.stderr
    assert done.stdout.strip().endswith("新收到的没有重出：字体尚未准备好")


def test_a_month_that_another_holds_is_no_failure_and_comes_again(service: list[Service], home: Home) -> None:
    with hold_month(home, MONTH):
        done = run_here(service[0], home, "每月报告", IMPATIENT, str(MONTH))
    assert done.stdout.startswith("Busy COMPLETED "), done.stderr
    assert "自动再来一次" in done.stdout
    waiting = [run for run in service[0].runs("每月报告") if run["state_type"] == "SCHEDULED"]
    (again,) = [run for run in waiting if not run["auto_scheduled"]]
    assert again["parameters"] == {"month": str(MONTH)}
    ahead = datetime.fromisoformat(again["expected_start_time"]) - datetime.now(SHANGHAI)
    assert timedelta(minutes=8) < ahead <= timedelta(minutes=10)


def test_the_calendar_is_shown(service: list[Service]) -> None:
    shown = service[0].post("/artifacts/latest/filter", artifacts={"key": {"like_": "calendar-%"}})
    assert {one["key"] for one in shown} == {"calendar-home"}
    rows = json.loads(shown[0]["data"])
    assert any("预填表" in row["办什么"] for row in rows)
    assert any("截止" in row["办什么"] for row in rows)
    assert "签发和发送由人启动" in shown[0]["description"]


def test_a_second_service_of_the_same_home_is_refused(service: list[Service], home: Home) -> None:
    second = subprocess.run(
        [LEDGER, "serve", "--home", str(home.root)], capture_output=True, text=True, check=False, timeout=60
    )
    assert second.returncode == 4
    assert "已有一个 ledger serve 在运行" in second.stderr


def test_on_a_server_of_others_it_touches_only_its_own(
    service: list[Service], home: Home, tmp_path: Path
) -> None:
    waiting = service[0].start("每月报告", NAME, month=str(MONTH))
    guest_home = serving.make_home(tmp_path / "guest")
    guest = Service(tmp_path / "guest.log", "--home", str(guest_home.root), server=service[0].api)
    assert {name for _, name in guest.deployments()} == {NAME, "guest"}
    assert guest.ended(guest.start("预填表", "guest", month=str(MONTH), units=["松涧乡"]))["name"]
    assert len(list(guest_home.forms(MONTH).iterdir())) == 1
    assert guest.stop() == 0
    assert service[0].ended(waiting)["state_type"] == "COMPLETED"
    assert ("每月报告", NAME) in service[0].deployments()
    assert not (guest_home.prefect / "prefect.db").exists()


def test_it_ends_when_it_is_asked_to_and_starts_again_at_once(service: list[Service], home: Home) -> None:
    pids = service[0].processes()
    assert service[0].stop() == 0, service[0].said()
    assert serving.gone(pids, within=5)
    assert "Traceback" not in service[0].said()
    service[0] = Service(service[0].log, "--home", str(home.root))
    assert {flow for flow, _ in service[0].deployments()} == set(SCHEDULES)
    assert all(one["paused"] is False for one in service[0].deployments().values())


def test_killed_in_the_midst_it_takes_up_again(service: list[Service], home: Home) -> None:
    old = service[0]
    interrupted = old.start("每月报告", NAME, month=str(MONTH))
    old.until(lambda: old.run(interrupted)["state_type"] == "RUNNING" or None)
    caught_up = len(old.runs("补办"))
    pids = old.processes()
    assert len(pids) >= 3  # the service, its server, the run
    old.kill()
    assert serving.gone(pids), "processes of a killed service are left"
    late = _one_run_is_late(home)
    service[0] = new = Service(old.log, "--home", str(home.root))
    assert new.ended(interrupted)["state_type"] == "COMPLETED"
    running = new.post("/flow_runs/filter", flow_runs={"state": {"type": {"any_": ["RUNNING", "PENDING"]}}})
    assert [run["name"] for run in running if _before(run["state"]["timestamp"], new)] == []
    assert new.run(late)["state"]["name"] == "Missed"
    assert len(new.runs("补办")) == caught_up  # nothing was missed meanwhile: none has been added
    new.process.send_signal(signal.SIGINT)  # Ctrl-C
    assert new.process.wait(60) == 0
    assert "Traceback" not in new.said()


def _one_run_is_late(home: Home) -> str:
    """As if one of the coming runs of the schedule should have begun while nothing ran; its id."""
    with closing(sqlite3.connect(home.prefect / "prefect.db")) as database, database:
        query = (
            "select flow_run.id, flow_run.expected_start_time from flow_run"
            " join flow_run_state on flow_run.state_id = flow_run_state.id"
            " where flow_run.auto_scheduled and flow_run_state.type = 'SCHEDULED'"
        )
        run, moment = database.execute(query).fetchone()
        past = str(datetime.fromisoformat(moment) - timedelta(days=30))
        database.execute(
            "update flow_run set expected_start_time = ?, next_scheduled_start_time = ? where id = ?",
            (past, past, run),
        )
    return str(run)


def _before(moment: str, service: Service) -> bool:
    """Whether a moment lies before the service began."""
    began = Path(f"/proc/{service.process.pid}").stat().st_ctime
    return datetime.fromisoformat(moment).timestamp() < began
