"""`ledger serve` for one home: its schedules, runs by hand, what was missed, and being killed."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from ledger.calendar import SHANGHAI
from ledger.home import Home
from tests import serving
from tests.serving import LEDGER, Service

pytestmark = pytest.mark.slow
NAME = "home"
MONTH = serving.last_month()
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
    # away for so long that the forms, a reminder and mornings of two months were missed
    serving.away_for(made, 40)
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
    ]
    started = [service[0].start(flow, NAME, **given) for flow, given, _ in wrong]
    for run, (_, _, told) in zip(started, wrong, strict=True):
        done = service[0].ended(run)
        assert done["state_type"] == "FAILED"
        assert told in done["state"]["message"]


def test_a_second_service_of_the_same_home_is_refused(service: list[Service], home: Home) -> None:
    second = subprocess.run(
        [LEDGER, "serve", "--home", str(home.root)], capture_output=True, text=True, check=False, timeout=60
    )
    assert second.returncode == 4
    assert "已有一个 ledger serve 在运行" in second.stderr


def test_killed_in_the_midst_it_takes_up_again(service: list[Service], home: Home) -> None:
    old = service[0]
    interrupted = old.start("每月报告", NAME, month=str(MONTH))
    old.until(lambda: old.run(interrupted)["state_type"] == "RUNNING" or None)
    pids = old.processes()
    assert len(pids) >= 3  # the service, its server, the run
    old.kill()
    assert serving.gone(pids), "processes of a killed service are left"
    service[0] = new = Service(old.log, "--home", str(home.root))
    assert new.ended(interrupted)["state_type"] == "COMPLETED"
    running = new.post("/flow_runs/filter", flow_runs={"state": {"type": {"any_": ["RUNNING", "PENDING"]}}})
    assert [run["id"] for run in running if run["start_time"] and _before(run, new)] == []
    assert len(new.runs("补办")) == 2  # nothing was missed meanwhile: none has been added


def _before(run: dict[str, object], service: Service) -> bool:
    """Whether a run began before the service did."""
    began = Path(f"/proc/{service.process.pid}").stat().st_ctime
    return datetime.fromisoformat(str(run["start_time"])).timestamp() < began


def test_it_ends_when_it_is_asked_to_and_starts_again_at_once(service: list[Service], home: Home) -> None:
    pids = service[0].processes()
    begun = time.monotonic()
    assert service[0].stop() == 0, service[0].said()
    assert serving.gone(pids, within=5)
    assert time.monotonic() - begun < 60
    assert "Traceback" not in service[0].said()
    service[0] = Service(service[0].log, "--home", str(home.root))
    assert {flow for flow, _ in service[0].deployments()} == set(SCHEDULES)
    assert all(one["paused"] is False for one in service[0].deployments().values())
    os.kill(service[0].process.pid, 2)  # Ctrl-C
    assert service[0].process.wait(60) == 0
