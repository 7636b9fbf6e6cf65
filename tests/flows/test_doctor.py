"""`ledger doctor`: what is well is said, what is not is said with what to do, and nothing is touched."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from flows import doctor
from flows.backup import back_up_home
from flows.doctor import Check, State, examine
from flows.receive import receive_files
from ledger.calendar import clock_at, now, parse_moment
from ledger.home import Home
from ledger.recording import tables
from ledger.recording.database import URL_VARIABLE
from ledger.recording.month_lock import hold_month
from schemas.month import Month
from tests import dovecot
from tests.faulty import copied, ledger, read_only, real_home, small_books

PASSWORD = "s3cret-1"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder = tmp_path_factory.mktemp("base")
    home = real_home(folder / "office")
    receive_files(home, [small_books(folder / "books")["june"]], parse_moment("2018-07-03T09:00"), None)
    return home


@pytest.fixture
def home(base: Home, tmp_path: Path) -> Home:
    return copied(base, tmp_path / "office")


def check(home: Home, what: str) -> Check:
    (found,) = [one for one in examine(home).checks if one.what == what]
    return found


def tree(home: Home) -> dict[str, tuple[int, int]]:
    return {
        str(path): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in home.root.rglob("*")
        if path.is_file() and not path.name.endswith(("-shm", "-wal"))
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_sound_home(home: Home) -> None:
    before = tree(home)
    done = ledger(home.root, "doctor")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert all(line[0] in "✓!" or line.startswith("    → ") for line in lines[:-1])
    assert "都能用" in lines[-1]
    for what in (
        "程序包",
        "Pango",
        "字体",
        "磁盘",
        "时钟",
        "台帐",
        "节假日",
        "SMTP",
        "IMAP",
        "Prefect",
        "备份",
    ):
        assert any(what in line for line in lines), what
    asked = json.loads(ledger(home.root, "doctor", "--json").stdout)
    assert asked["sound"] is True
    assert all(one["remedy"] for one in asked["checks"] if one["state"] != "well")
    assert tree(home) == before, "looking changes nothing"


def test_a_read_only_home_is_told_so(home: Home) -> None:
    with read_only(home.root):
        done = ledger(home.root, "doctor")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "✗ 文件夹：不能写" in done.stdout


def test_no_home(tmp_path: Path) -> None:
    done = ledger(tmp_path, "doctor")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "ledger init" in done.stdout


def test_a_missing_original_and_a_broken_chain(home: Home) -> None:
    book = next(path for path in home.originals.iterdir() if path.suffix == ".xlsx")
    book.rename(home.root / book.name)
    found = check(home, "日志和原件")
    assert found.state is State.BROKEN and book.name in found.found and "备份" in found.remedy
    first = sorted(home.journal.iterdir())[0]
    first.chmod(0o644)
    first.write_bytes(first.read_bytes().replace(b"}", b" }"))
    found = check(home, "日志和原件")
    assert found.state is State.BROKEN and "校验值不符" in found.found and found.remedy
    assert not examine(home).sound


@pytest.mark.ledger_file
def test_an_old_and_a_changed_ledger_file(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger(home.root, "status", "2018-06")
    assert check(home, "台帐").state is State.WELL
    with monkeypatch.context() as newer:
        newer.setattr(tables, "SCHEMA_VERSION", tables.SCHEMA_VERSION + 1)
        found = check(home, "台帐")
    assert found.state is State.MIND and "旧格式" in found.found and "自动重建" in found.remedy
    with home.database.open("r+b") as file:
        file.seek(-100, 2)
        file.write(b"x" * 100)
    found = check(home, "台帐")
    assert found.state is State.MIND and "与上次写完时不同" in found.found


def test_the_clock_and_the_holidays(home: Home) -> None:
    early = parse_moment("2018-01-01T00:00")
    with clock_at(lambda: early):
        assert check(home, "时钟").state is State.BROKEN
        assert check(home, "节假日").state is State.WELL
    last = now()
    with clock_at(lambda: last - timedelta(minutes=2)):
        assert check(home, "时钟").state is State.WELL, "machines differ by a minute"
    with clock_at(lambda: parse_moment("2098-05-01T00:00")):
        found = check(home, "节假日")
    assert found.state is State.MIND and "2098、2099" in found.found and "chinesecalendar" in found.remedy


def test_recipients_and_registry(home: Home) -> None:
    recipients = home.own_registry / "recipients.csv"
    lines = recipients.read_text(encoding="utf-8-sig").splitlines()
    recipients.write_text("\n".join(line for line in lines if "长梁镇" not in line and "月报" not in line))
    found = check(home, "收件人")
    assert found.state is State.MIND and "1 家单位" in found.found and "长梁镇" in found.found
    assert "没有人收月报" in found.found
    recipients.write_text(lines[0] + "\nk,某人,,不是地址,月报,\n")
    found = check(home, "登记资料")
    assert found.state is State.WELL
    broken = [one for one in examine(home).checks if one.state is State.BROKEN]
    assert [one.what for one in broken] == ["收件人"] and "第 2 行" in broken[0].found
    (home.own_registry / "units.csv").unlink()
    assert check(home, "登记资料").state is State.BROKEN


def test_wrong_settings_break_what_needs_them(home: Home) -> None:
    home.settings.write_text("[smtp]\nhst = 1\n")
    states = {one.what: one.state for one in examine(home).checks}
    assert states["设置"] is State.BROKEN and states["发信（SMTP）"] is State.BROKEN
    assert states["日志和原件"] is State.WELL, "the other checks are made all the same"


def test_a_database_that_is_not_there(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(URL_VARIABLE, f"postgresql://ledger:{PASSWORD}@127.0.0.1:{free_port()}/ledger")
    done = ledger(home.root, "doctor")
    assert done.returncode == 1 and "✗ 台帐" in done.stdout and "连不上" in done.stdout
    assert PASSWORD not in done.stdout + done.stderr and "s3cret" not in done.stdout + done.stderr


def test_postgresql(home: Home, monkeypatch: pytest.MonkeyPatch, postgres_url: str) -> None:
    monkeypatch.setenv(URL_VARIABLE, postgres_url)
    assert "还没有建" in check(home, "台帐").found
    ledger(home.root, "status", "2018-06")
    found = check(home, "台帐")
    assert found.state is State.WELL and "PostgreSQL" in found.found and "现行" in found.found


def test_packages_and_fonts(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("prefect==2.0.0 \\\n    --hash=sha256:00\nno-such-package==1.0\nsqlalchemy==2.0.58\n")
    monkeypatch.setattr(doctor, "LOCK", lock)
    found = check(home, "程序包")
    assert found.state is State.BROKEN and "2 个" in found.found
    assert "no-such-package" in found.found and "应为 2.0.0" in found.found and "make setup" in found.remedy
    monkeypatch.setattr(doctor, "FONTS", tmp_path)
    assert check(home, "字体").state is State.BROKEN
    stamp: dict[str, Any] = {"characters": {f"{n}.ttf": 1 for n in range(11)}, "stand_ins": ["Ledger Kai"]}
    (tmp_path / "stamp.json").write_text(json.dumps(stamp))
    assert "0/11" in check(home, "字体").found
    for name in stamp["characters"]:
        (tmp_path / name).touch()
    found = check(home, "字体")
    assert found.state is State.MIND and "Ledger Kai" in found.found
    monkeypatch.setattr(doctor, "_LIBRARIES", ("pango-1.0", "no-such-library"))
    found = check(home, "排版用的系统库")
    assert found.state is State.BROKEN and "no-such-library" in found.found


def test_what_runs_and_what_was_left(home: Home) -> None:
    assert "没有遗留" in check(home, "运行").found
    with hold_month(home, Month(2018, 6)):
        assert "正在处理：2018-06" in check(home, "运行").found
    (home.originals / ".aside-1-2").touch()
    assert "1 个半成品" in check(home, "运行").found


def test_the_last_backup(home: Home, tmp_path: Path) -> None:
    assert check(home, "备份").state is State.MIND
    back_up_home(home, tmp_path / "disk", None, progress=lambda _: None)
    assert check(home, "备份").state is State.WELL
    later = now() + timedelta(days=8)
    with clock_at(lambda: later):
        assert check(home, "备份").state is State.WELL, "nothing has come in since"
        receive_files(home, [small_books(tmp_path / "books")["july"]], None, None)
        found = check(home, "备份")
    assert found.state is State.MIND and "新增 1 个" in found.found


class Letters:
    """A mail server that must be given nothing."""

    def __init__(self) -> None:
        self.commands: list[str] = []

    async def handle_MAIL(self, *_: Any) -> str:
        self.commands.append("MAIL")
        return "250 OK"


@pytest.fixture
def mail() -> Iterator[tuple[int, Letters]]:
    def let_in(
        _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: LoginPassword
    ) -> AuthResult:
        return AuthResult(success=data.password == PASSWORD.encode(), handled=False)

    letters = Letters()
    server = Controller(
        letters,
        hostname="127.0.0.1",
        port=free_port(),
        authenticator=let_in,
        auth_require_tls=False,
        auth_required=True,
    )
    server.start()
    yield server.port, letters
    server.stop()


def test_the_mail_server(home: Home, mail: tuple[int, Letters], monkeypatch: pytest.MonkeyPatch) -> None:
    port, letters = mail
    stated = f'[smtp]\nhost = "127.0.0.1"\nport = {port}\nsecurity = "none"\nuser = "office"\nsender = "a@b.example"\n'
    home.settings.write_text(stated)
    monkeypatch.setenv("LEDGER_SMTP__PASSWORD", PASSWORD)
    found = check(home, "发信（SMTP）")
    assert found.state is State.WELL and "登录成功" in found.found and letters.commands == []
    monkeypatch.setenv("LEDGER_SMTP__PASSWORD", "other")
    found = check(home, "发信（SMTP）")
    assert found.state is State.BROKEN and "LEDGER_SMTP__PASSWORD" in found.remedy
    assert PASSWORD not in str(examine(home).as_json())
    home.settings.write_text(stated.replace("none", "starttls"))
    assert check(home, "发信（SMTP）").state is State.BROKEN, "no STARTTLS there"
    home.settings.write_text(stated.replace('sender = "a@b.example"', ""))
    assert "sender" in check(home, "发信（SMTP）").remedy
    home.settings.write_text(stated.replace(str(port), str(free_port())))
    assert check(home, "发信（SMTP）").state is State.BROKEN


def test_the_mailbox_is_opened_and_left_as_it_is(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    with dovecot.running(("baosong",)) as server:
        server.deliver(b"Subject: x\r\n\r\nx\r\n", now())
        stated = f'[imap]\nhost = "localhost"\nport = {server.tls_port}\nuser = "baosong"\nca_file = "{server.ca_file}"\n'
        home.settings.write_text(stated)
        monkeypatch.setenv("LEDGER_IMAP__PASSWORD", dovecot.PASSWORD)
        found = check(home, "收信（IMAP）")
        assert found.state is State.WELL and "登录成功" in found.found
        with server.client() as client:
            client.select_folder("INBOX", readonly=True)
            assert len(client.search(["UNSEEN"])) == 1
        monkeypatch.setenv("LEDGER_IMAP__PASSWORD", "other")
        found = check(home, "收信（IMAP）")
    assert found.state is State.BROKEN and "LEDGER_IMAP__PASSWORD" in found.remedy


def test_no_mailbox_there(home: Home) -> None:
    home.settings.write_text(f'[imap]\nhost = "127.0.0.1"\nport = {free_port()}\nuser = "office"\n')
    found = check(home, "收信（IMAP）")
    assert found.state is State.BROKEN and "[imap]" in found.remedy


def test_prefect(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "需要时自动启动" in check(home, "Prefect").found
    monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{free_port()}/api")
    assert check(home, "Prefect").state is State.BROKEN
