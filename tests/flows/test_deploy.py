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


def unit_environment(name: str) -> dict[str, str]:
    """What a unit sets in its process's environment."""
    text = (DEPLOY / "systemd" / name).read_text(encoding="utf-8")
    words = " ".join(re.findall(r"^Environment=(.+)$", text, re.MULTILINE)).split()
    return dict(word.split("=", 1) for word in words)


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


def test_a_server_by_itself_is_kept_as_the_program_keeps_its_own() -> None:
    """What does not depend on the home: how long runs are kept, how it records, what it shows."""
    from flows.server import environment

    server = compose()["services"]["prefect"]["environment"]
    unit = unit_environment("ledger-prefect.service")
    started = environment(Home(Path("home")))
    theirs = ("PREFECT_SERVER_SERVICES_", "PREFECT_SERVER_UI_", "PREFECT_SERVER_DATABASE_TIMEOUT")
    wanted = {name: value for name, value in started.items() if name.startswith(theirs)}
    assert "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD" in wanted
    for said in (server, unit):
        assert {name: said.get(name) for name in wanted} == wanted


def test_the_pages_are_laid_out_where_the_servers_user_may_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prefect lays them out in its own package. Where that is root's and the user is not, it served none."""
    from flows import server

    name, home = "PREFECT_UI_STATIC_DIRECTORY", Home(tmp_path)
    monkeypatch.setattr(server.os, "access", lambda path, mode: True)
    assert name not in server.environment(home)
    monkeypatch.setattr(server.os, "access", lambda path, mode: False)
    assert Path(server.environment(home)[name]).is_relative_to(home.prefect)
    # the unit's state folder, and a folder of the container that is anybody's
    assert unit_environment("ledger-prefect.service")[name].startswith("/var/lib/ledger-prefect/")
    assert compose()["services"]["prefect"]["environment"][name] == "/tmp/prefect-ui"


def test_a_worker_takes_as_many_runs_at_once_as_the_service() -> None:
    """Hundreds may wait for one that was off; without a limit it starts them all, each a process."""
    from flows.serving import RUNS_AT_ONCE

    words = compose()["services"]["worker"]["command"]
    unit = (DEPLOY / "systemd" / "ledger-worker.service").read_text("utf-8")
    assert words[words.index("--limit") + 1] == str(RUNS_AT_ONCE)
    assert f"--limit {RUNS_AT_ONCE}\n" in unit


def test_compose_waits_for_what_a_service_needs() -> None:
    services = compose()["services"]
    for name, service in services.items():
        for other, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert services[other]["healthcheck"]["test"][0] == "CMD", (name, other)
            else:
                assert how["condition"] == "service_completed_successfully"
                assert services[other]["restart"] == "no", "one that ends is not begun again"
    assert "deploy" in services["worker"]["depends_on"]
    # while the image sets itself up, its server is on the socket alone and has no second database
    assert services["postgres"]["healthcheck"]["test"][:7] == (
        ["CMD", "psql", "-h", "127.0.0.1", "-U", "ledger", "-d"]
    )
    made = (DEPLOY / "second-database.sql").read_text("utf-8")
    assert f"CREATE DATABASE {services['postgres']['healthcheck']['test'][7]} " in made


def test_the_commands_of_services_and_units_exist() -> None:
    """Each is asked for its help, with the options that are given to it."""
    said = [service["command"] for service in compose()["services"].values() if "command" in service]
    lines = [" ".join(words[2:] if words[:2] == ["sh", "-c"] else words) for words in said]
    for path in (DEPLOY / "systemd").glob("*.service"):
        text = path.read_text("utf-8").replace("/opt/ledger/.venv/bin/", "")
        lines += re.findall(r"^ExecStart=(.+)$", text, re.MULTILINE)
    calls = {call.strip() for line in lines for call in line.split("&&")}
    assert len(calls) > 6
    for call in sorted(calls):
        program, *words = call.split()
        done = subprocess.run([BIN / program, *words, "--help"], capture_output=True, text=True, check=False)
        assert done.returncode == 0, (call, done.stderr)


def test_passwords_go_only_where_they_are_needed() -> None:
    services = compose()["services"]
    given = {name: service.get("env_file", []) for name, service in services.items()}
    assert given["postgres"] == given["prefect"] == ["database.env"]
    assert {name for name, files in given.items() if "mail.env" in files} == (
        set(services) - {"postgres", "prefect"}
    )
    for file in ("deploy/database.env", "deploy/mail.env"):
        ignored = subprocess.run(["git", "check-ignore", "-q", file], cwd=CHECKOUT, check=False)
        assert ignored.returncode == 0, file


def test_nothing_is_open_to_the_network_and_no_secret_is_written() -> None:
    for name, service in compose()["services"].items():
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), name
    examples = list(DEPLOY.glob("*.env.example"))
    assert len(examples) == 2
    for example in examples:
        lines = example.read_text(encoding="utf-8").splitlines()
        assert all(line.startswith("#") or line.endswith("=") or not line for line in lines)
    written = "".join(path.read_text("utf-8") for path in DEPLOY.rglob("*") if path.is_file())
    assert not re.search(r"://\w+:[^@\s/]+@", written), "a password in an address"
    assert "--host 127.0.0.1" in (DEPLOY / "systemd" / "ledger-prefect.service").read_text("utf-8")


def test_docker_compose_accepts_it(tmp_path: Path) -> None:
    program = shutil.which("docker-compose")
    if program is None:
        pytest.skip("no docker-compose")
    shutil.copytree(DEPLOY, tmp_path / "deploy")
    for example in DEPLOY.glob("*.env.example"):
        shutil.copy(example, tmp_path / "deploy" / example.stem)
    done = subprocess.run(
        [program, "-f", "compose.yaml", "--profile", "workers", "--profile", "backup", "config"],
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
