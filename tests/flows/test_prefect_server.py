"""The embedded server: it comes up on loopback, schedules, is reused, and goes when its user goes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

from flows.server import environment, prefect_server
from ledger.home import Home

#: in a process of its own: Prefect reads its settings when it is imported
CRON_DEPLOYMENT = textwrap.dedent(
    """
    import time
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import DeploymentScheduleCreate
    from prefect.client.schemas.schedules import CronSchedule

    with get_client(sync_client=True) as client:
        flow_id = client.create_flow_from_name("every-morning")
        client.create_deployment(
            flow_id=flow_id,
            name="test",
            schedules=[
                DeploymentScheduleCreate(
                    schedule=CronSchedule(cron="0 8 * * *", timezone="Asia/Shanghai"), active=True
                )
            ],
        )
        for _ in range(120):
            runs = client.read_flow_runs()
            if runs:
                break
            time.sleep(0.5)
        print(len(runs), sorted({run.expected_start_time.strftime("%H:%M%z") for run in runs}))
    """
)


def test_a_cron_deployment_gets_its_runs(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with prefect_server(home) as api_url:
        assert api_url.startswith("http://127.0.0.1:")
        with prefect_server(home) as again:
            assert again == api_url
        assert os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
        seen = subprocess.run(
            [sys.executable, "-c", CRON_DEPLOYMENT], capture_output=True, text=True, check=False, timeout=120
        )
        assert seen.returncode == 0, seen.stderr
        count, times = seen.stdout.split(" ", 1)
        assert int(count) > 0
        assert times.strip() == "['00:00+0000']"
        pid = json.loads((home.prefect / "server.json").read_text())["pid"]
    assert "PREFECT_API_URL" not in os.environ
    assert not Path(f"/proc/{pid}").exists() or "prefect" not in Path(f"/proc/{pid}/cmdline").read_text()
    assert not (home.prefect / "server.json").exists()


def test_the_database_stays_in_the_home(tmp_path: Path) -> None:
    settings = environment(Home(tmp_path))
    assert str(tmp_path) in settings["PREFECT_API_DATABASE_CONNECTION_URL"]
    assert str(tmp_path) in settings["PREFECT_HOME"]
