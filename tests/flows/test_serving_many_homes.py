"""`ledger serve --homes`: one service, each programme with its own flows, settings and files."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ledger.home import Home
from tests import serving
from tests.serving import Service

MONTH = serving.due_month()

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Home]:
    folder = tmp_path_factory.mktemp("homes")
    made = {"云岚": serving.make_home(folder / "云岚"), "州-松岭": serving.make_home(folder / "州" / "松岭")}
    (made["州-松岭"].root / "ledger.toml").write_text('[schedule]\nat = "07:15"\nforms_day = 20\n')
    (folder / "not a home").mkdir()
    return made


@pytest.fixture(scope="module")
def service(homes: dict[str, Home], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = homes["云岚"].root.parent
    running = Service(tmp_path_factory.mktemp("log") / "serve.log", "--homes", str(folder))
    yield running
    pids = running.processes()
    assert running.stop() == 0
    assert serving.gone(pids)


def test_each_programme_has_its_flows_on_its_own_schedule(service: Service, homes: dict[str, Home]) -> None:
    found = service.deployments()
    rollup = found.pop(("各县汇总", homes["云岚"].root.parent.name))
    assert rollup["schedules"] == []
    assert {name for _, name in found} == {"云岚", "州-松岭"}
    assert len(found) == 2 * len({flow for flow, _ in found})
    crons = {key: [each["schedule"].get("cron") for each in one["schedules"]] for key, one in found.items()}
    assert crons["预填表", "云岚"] == ["0 8 25-31 * *"]
    assert crons["预填表", "州-松岭"] == ["15 7 20-31 * *"]
    assert crons["催报", "州-松岭"] == ["45 7 * * *"]


def test_a_run_is_of_its_own_programme_alone(service: Service, homes: dict[str, Home]) -> None:
    done = service.ended(service.start("预填表", "州-松岭", month=str(MONTH), units=["松涧乡"]))
    assert done["state_type"] == "COMPLETED", done["state"]["message"]
    assert [path.name for path in homes["州-松岭"].forms(MONTH).iterdir()] != []
    assert not homes["云岚"].forms(MONTH).exists()
    assert not (homes["云岚"].root / "data" / "processed" / "prefect").exists()


def test_the_server_keeps_its_files_beside_the_homes(service: Service, homes: dict[str, Home]) -> None:
    assert (homes["云岚"].root.parent / ".serve" / "data" / "processed" / "prefect" / "prefect.db").is_file()


def test_all_programmes_are_rolled_up_by_hand(service: Service, homes: dict[str, Home]) -> None:
    folder = homes["云岚"].root.parent
    done = service.ended(service.start("各县汇总", folder.name, month=str(MONTH), run=True))
    assert done["state_type"] == "COMPLETED", done["state"]["message"]
    assert done["state_name"] == "Degraded"  # nobody has reported yet
    assert "没有报送 2 个县" in done["state"]["message"]
    assert (folder / "reports" / str(MONTH) / f"汇总-{MONTH}-全国.pdf").is_file()
    refused = service.ended(service.start("各县汇总", folder.name, month="九月"))
    assert refused["state_type"] == "FAILED"
