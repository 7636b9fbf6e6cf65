"""The log: what it says, what it never says, how it is bounded, and who may write at once."""

from __future__ import annotations

import json
import logging
import multiprocessing
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from flows import server
from ledger import logs
from ledger.errors import Busy
from ledger.home import Home
from tests.faulty import ledger, read_only, real_home, small_books

SECRETS = ("王小明", "13800138000", "xiaoming@jianshi.example", "约300万")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / "data").mkdir()
    return Home(tmp_path)


def lines(home: Home) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for path in logs.log_files(home.logs)
        for line in path.read_text("utf-8").splitlines()
    ]


def test_a_task_says_when_what_and_how_it_ended(home: Home) -> None:
    with logs.task(home, "run", month="2018-09"):
        logs.note(received=3)
        with logs.task(home, "part"):
            logs.note(returns=2)
    started, inner, inner_ended, ended = lines(home)
    assert [line["what"] for line in (started, inner, inner_ended, ended)] == [
        "run started",
        "part started",
        "part ended",
        "run ended",
    ]
    assert len({line["run"] for line in lines(home)}) == 1
    assert ended["month"] == "2018-09" and ended["received"] == 3 and "returns" not in ended
    assert inner_ended["returns"] == 2
    assert ended["at"].endswith("+08:00") and ended["seconds"] >= 0
    logs.note(later=1)  # outside a task: nowhere to go
    assert logging.getLogger("ledger").handlers == []


def broken_cell() -> None:
    try:
        int("约300万")
    except ValueError as error:
        raise sqlite3.IntegrityError("王小明 13800138000 xiaoming@jianshi.example") from error


def test_an_exception_is_told_without_its_words(home: Home) -> None:
    with pytest.raises(sqlite3.IntegrityError), logs.task(home, "run"):
        broken_cell()
    text = "".join(path.read_text("utf-8") for path in logs.log_files(home.logs))
    assert not any(secret in text for secret in SECRETS)
    failed = lines(home)[-1]
    assert failed["level"] == "ERROR"
    assert [one["type"] for one in failed["exception"]] == ["sqlite3.IntegrityError", "builtins.ValueError"]
    assert failed["exception"][0]["at"][-1].startswith("tests/unit/test_logs.py:")
    assert failed["exception"][0]["at"][-1].endswith(" broken_cell")


def test_what_modules_say_is_kept_without_texts(home: Home) -> None:
    ours = logging.getLogger("ledger.reading.somewhere")
    with logs.attached(home):
        ours.warning("unit %s, rule %s: %s of %s", "422822-edu", "F09", 3, "王小明的表.xlsx")
        ours.warning("mail to %s", "xiaoming@jianshi.example")
        ours.error("where: %s", logs.Plain("flows/a.py:3 run\nflows/b.py:4 walk"))
        try:
            broken_cell()
        except sqlite3.IntegrityError:
            ours.exception("a part failed")
        logging.getLogger("somebody.else").error("not ours")
    said = lines(home)
    assert said[0]["what"] == "unit 422822-edu, rule F09: 3 of …"
    assert said[1]["what"] == "mail to …"
    assert said[2]["what"].endswith("walk")
    assert said[3]["exception"][0]["type"] == "sqlite3.IntegrityError"
    assert len(said) == 4
    text = "".join(path.read_text("utf-8") for path in logs.log_files(home.logs))
    assert not any(secret in text for secret in SECRETS)


def test_an_operators_problem_is_its_kind_and_exit_code(home: Home) -> None:
    with pytest.raises(Busy), logs.task(home, "run"):
        raise Busy("2018年9月正在由王小明处理")
    assert lines(home)[-1]["problem"] == "Busy" and lines(home)[-1]["exit"] == 4
    assert "王小明" not in json.dumps(lines(home), ensure_ascii=False)


def test_the_level_is_a_setting(home: Home) -> None:
    home.settings.write_text('[logs]\nlevel = "WARNING"\n')
    with pytest.raises(Busy), logs.task(home, "run"):
        raise Busy("…")
    assert [line["what"] for line in lines(home)] == ["run failed"]


def record(day: int, text: str) -> logging.LogRecord:
    one = logging.LogRecord("ledger.test", logging.INFO, "", 0, text, None, None)
    one.created = 1538352000 + 86400 * day  # 2018-10-01 08:00 in Shanghai
    return one


def test_files_are_bounded_in_size_and_number(tmp_path: Path) -> None:
    handler = logs.LogFiles(tmp_path, 2000, 4)
    for day in range(3):
        for _ in range(30):
            handler.emit(record(day, "x" * 100))
    names = [path.name for path in logs.log_files(tmp_path)]
    assert len(names) == 4
    assert names == ["ledger-20181002-3.log", *(f"ledger-20181003{part}.log" for part in ("", "-2", "-3"))]
    assert all(path.stat().st_size < 2400 for path in logs.log_files(tmp_path))
    # another process, when the day's first file is gone already
    (tmp_path / "ledger-20181003.log").unlink()
    logs.LogFiles(tmp_path, 2000, 4).emit(record(2, "y" * 100))
    assert (
        '"yyy' in logs.log_files(tmp_path)[-1].read_text() and not (tmp_path / "ledger-20181003.log").exists()
    )
    (tmp_path / "ledger-notes.txt").write_text("mine")
    handler.emit(record(40, "later"))
    assert (tmp_path / "ledger-notes.txt").exists()


def write_many(folder: Path, number: int) -> None:
    handler = logs.LogFiles(folder, 20_000, 1000)
    for count in range(300):
        handler.emit(record(0, f"{number}:{count} " + "x" * 200))


def test_many_processes_lose_and_mix_no_line(tmp_path: Path) -> None:
    processes = [
        multiprocessing.get_context("fork").Process(target=write_many, args=(tmp_path, number))
        for number in range(4)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    said = [
        json.loads(line)["what"].split()[0]
        for path in logs.log_files(tmp_path)
        for line in path.read_text().splitlines()
    ]
    assert sorted(said) == sorted(f"{number}:{count}" for number in range(4) for count in range(300))
    assert len(logs.log_files(tmp_path)) > 5


def test_no_log_stops_no_work(home: Home) -> None:
    home.logs.write_text("a file where the folder should be")
    with logs.task(home, "run"):
        pass
    nowhere = Home(home.root / "not" / "there")
    with logs.task(nowhere, "run"):
        pass
    assert not nowhere.root.exists()


def test_another_programs_log_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "server.log"
    with path.open("ab") as writer:
        writer.write(b"old\n" * 1000 + b"last\n" * 100)
        writer.flush()
        logs.cut(path, 10_000)
        assert path.stat().st_size == 4500  # not yet
        logs.cut(path, 4000)
        writer.write(b"new\n")
        writer.flush()
    assert path.read_bytes() == b"new\n"
    assert (tmp_path / "server.log.1").read_bytes().endswith(b"last\n")
    assert (tmp_path / "server.log.1").stat().st_size == 2000


def test_the_servers_log_is_looked_after_while_it_runs(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "LARGEST_LOG", 1000)
    monkeypatch.setattr(server, "LOOK_AT_LOG_SECONDS", 0.01)
    home.prefect.mkdir(parents=True)
    log = home.prefect / "server.log"
    ended = threading.Event()
    watch = threading.Thread(target=server.keep_log_small, args=(home, ended))
    watch.start()
    until = time.monotonic() + 20
    with log.open("ab") as writer:
        writer.write(b"x" * 5000)
        writer.flush()
        while log.stat().st_size and time.monotonic() < until:
            time.sleep(0.01)
    ended.set()
    watch.join()
    assert log.stat().st_size == 0
    assert log.with_name("server.log.1").stat().st_size == 500


def test_commands_that_write_are_logged_and_looks_are_not(tmp_path: Path) -> None:
    home = real_home(tmp_path / "home")
    book = small_books(tmp_path / "books")["june"]
    assert ledger(home.root, "receive", str(book)).returncode == 0
    assert [line["what"] for line in lines(home)][-2:] == ["receive started", "receive ended"]
    assert lines(home)[-1]["files"] == 1 and lines(home)[-1]["exit"] == 0
    before = lines(home)
    assert ledger(home.root, "check", str(book)).returncode == 0
    assert ledger(home.root, "status", "2018-06").returncode == 0
    assert lines(home) == before
    assert ledger(home.root, "approve", "2018-06", "--by", "王小明").returncode == 2
    assert lines(home)[-1]["problem"] == "UsageError" and lines(home)[-1]["month"] == "2018-06"
    text = "".join(path.read_text("utf-8") for path in logs.log_files(home.logs))
    assert "景阳" not in text and "王小明" not in text and str(tmp_path) not in text


def test_a_read_only_home_still_answers(tmp_path: Path) -> None:
    home = real_home(tmp_path / "home")
    with read_only(home.root):
        done = ledger(home.root, "receive", str(small_books(tmp_path / "books")["june"]))
        assert done.returncode == 5 and "Traceback" not in done.stderr
        assert ledger(home.root, "status", "2018-06").returncode == 0
