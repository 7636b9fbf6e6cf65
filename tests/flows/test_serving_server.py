"""One server for all who use it, gone with the last of them; a proxy does not come between."""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from flows import server
from ledger.home import Home

URL = "http://127.0.0.1:1/api"


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What happens to the server; it is none: it is started, found and stopped in name only."""
    told: list[str] = []
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    running: list[str] = []

    def start(*_: object) -> tuple[SimpleNamespace, str]:
        told.append("started")
        running.append(URL)
        return SimpleNamespace(), URL

    def stop(_: object) -> None:
        told.append("stopped")
        running.clear()

    monkeypatch.setattr(server, "start", start)
    monkeypatch.setattr(server, "stop", stop)
    monkeypatch.setattr(server, "running", lambda _: running[0] if running else None)
    return told


def test_it_is_stopped_only_when_nobody_uses_it_any_more(tmp_path: Path, told: list[str]) -> None:
    home = Home(tmp_path)
    entered, leave = threading.Event(), threading.Event()

    def first() -> None:
        with server.prefect_server(home):
            entered.set()
            leave.wait(30)

    owner = threading.Thread(target=first)
    owner.start()
    assert entered.wait(30)
    with (home.locks / "prefect-users.lock").open("a") as another:
        fcntl.flock(another, fcntl.LOCK_SH)
        leave.set()
        owner.join(0.5)
        assert owner.is_alive()
        assert told == ["started"]
    owner.join(30)
    assert told == ["started", "stopped"]


def test_one_who_wants_his_own_waits_for_the_others_to_go(tmp_path: Path, told: list[str]) -> None:
    home = Home(tmp_path)
    entered = threading.Event()

    def second() -> None:
        with server.prefect_server(home, own=True):
            entered.set()

    with server.prefect_server(home):
        os.environ.pop("PREFECT_API_URL")  # as in a process of their own
        waiting = threading.Thread(target=second)
        waiting.start()
        assert not entered.wait(0.8)
        with server.prefect_server(home) as reused:
            assert reused == URL
        assert told == ["started"]
    waiting.join(30)
    assert told == ["started", "stopped", "started", "stopped"]


def test_the_machine_is_an_exception_to_the_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "office.example")
    monkeypatch.delenv("no_proxy", raising=False)
    settings = server.environment(Home(tmp_path))
    assert settings["NO_PROXY"] == settings["no_proxy"] == "office.example,127.0.0.1,localhost"
    assert "PREFECT_API_URL" not in os.environ
