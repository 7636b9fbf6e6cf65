"""What is in deploy/ and prefect.yaml is what the program serves, and other programs accept it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ledger.home import CHECKOUT, Home

DEPLOY = CHECKOUT / "deploy"
BIN = Path(sys.executable).parent
#: Without these a Prefect server tells its makers that it runs.
SILENT = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
    "DO_NOT_TRACK": "1",
}


def compose() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    return read


def plain(schedule: Any) -> dict[str, Any]:
    """A schedule of a deployment, in the words of prefect.yaml."""
    inner = schedule.schedule
    said = {"timezone": inner.timezone, "parameters": schedule.parameters or {}}
    if hasattr(inner, "cron"):
        return said | {"cron": inner.cron}
    return said | {"interval": inner.interval.total_seconds(), "anchor_date": inner.anchor_date.isoformat()}


def test_prefect_yaml_is_what_is_served(tmp_path: Path) -> None:
    from prefect.flows import load_flow_from_entrypoint

    from flows.served import served

    written = yaml.safe_load((CHECKOUT / "prefect.yaml").read_text(encoding="utf-8"))
    stated = {
        load_flow_from_entrypoint(one["entrypoint"]).name: [
            {"parameters": {}} | schedule for schedule in one.get("schedules", [])
        ]
        for one in written["deployments"]
    }
    home = Home(tmp_path)  # the sample programme's registry and the default settings
    here = {one.flow_name: [plain(each) for each in one.schedules or []] for one in served("office", home)}
    assert stated == here
    assert {one["work_pool"]["name"] for one in written["deployments"]} == {"office"}
    assert {one["enforce_parameter_schema"] for one in written["deployments"]} == {False}


def test_prefect_is_of_the_locked_version() -> None:
    lock = (CHECKOUT / "requirements.lock").read_text(encoding="utf-8")
    written = yaml.safe_load((CHECKOUT / "prefect.yaml").read_text(encoding="utf-8"))
    assert f"\nprefect=={written['prefect-version']} " in lock


def test_no_prefect_server_tells_anybody() -> None:
    from flows.server import environment

    server = compose()["services"]["prefect"]["environment"]
    unit = (DEPLOY / "systemd" / "ledger-prefect.service").read_text(encoding="utf-8")
    started = environment(Home(Path("home")))
    for name, value in SILENT.items():
        assert server[name] == value
        assert f"{name}={value}" in unit
        assert started[name] == value


def test_nothing_is_open_to_the_network_and_no_secret_is_written() -> None:
    for name, service in compose()["services"].items():
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), name
    example = (DEPLOY / "secrets.env.example").read_text(encoding="utf-8")
    assert all(line.startswith("#") or line.endswith("=") or not line for line in example.splitlines())
    written = "".join(path.read_text("utf-8") for path in DEPLOY.rglob("*") if path.is_file())
    assert not re.search(r"://\w+:[^@\s/]+@", written), "a password in an address"
    assert "--host 127.0.0.1" in (DEPLOY / "systemd" / "ledger-prefect.service").read_text("utf-8")


def test_docker_compose_accepts_it(tmp_path: Path) -> None:
    program = shutil.which("docker-compose")
    if program is None:
        pytest.skip("no docker-compose")
    shutil.copytree(DEPLOY, tmp_path / "deploy")
    shutil.copy(DEPLOY / "secrets.env.example", tmp_path / "deploy" / "secrets.env")
    done = subprocess.run(
        [program, "-f", "compose.yaml", "--profile", "workers", "config"],
        cwd=tmp_path / "deploy",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    services = yaml.safe_load(done.stdout)["services"]
    assert services.keys() == compose()["services"].keys()


def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("no systemd-analyze")
    units = []
    for path in sorted((DEPLOY / "systemd").iterdir()):
        text = path.read_text(encoding="utf-8").replace("/opt/ledger/.venv/bin", str(BIN))
        units.append(tmp_path / path.name)
        units[-1].write_text(text, encoding="utf-8")
    assert len(units) == 5
    done = subprocess.run([program, "verify", *units], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and not done.stderr.strip(), done.stderr
