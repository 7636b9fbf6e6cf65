"""Nothing leaves the machine: every connection that the programs and their children try is noted, by
the kernel's own word, and none goes further than this machine."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from ledger.home import Home
from tests.faulty import LEDGER, real_home, small_books

STRACE = shutil.which("strace")
_TO = re.compile(
    r"(?:connect|sendto|sendmsg|sendmmsg)\(.*?(?:inet_addr\(\"(?P<four>[^\"]+)\"\)|inet_pton\(AF_INET6, \"(?P<six>[^\"]+)\")"
)
#: Addresses of this machine.
_HERE = re.compile(r"127\.[0-9.]+|::1|::ffff:127\.[0-9.]+|0\.0\.0\.0")


def can_trace() -> bool:
    if STRACE is None:
        return False
    return (
        subprocess.run(
            [STRACE, "-qq", "-o", "/dev/null", "true"], capture_output=True, check=False
        ).returncode
        == 0
    )


pytestmark = pytest.mark.skipif(not can_trace(), reason="strace can't be used here")


def traced(log: Path, home: Path, *words: str) -> list[str]:
    """The command under strace, its children included; only the calls looked for stop it."""
    assert STRACE is not None
    calls = "trace=connect,sendto,sendmsg,sendmmsg"
    return [STRACE, "-f", "-qq", "--seccomp-bpf", "-e", calls, "-o", str(log), *words, "--home", str(home)]


def addresses(log: Path) -> set[str]:
    """The Internet addresses that were connected or sent to, well or in vain."""
    found = (_TO.search(line) for line in log.read_text(errors="replace").splitlines())
    return {match["four"] or match["six"] for match in found if match}


def strangers(log: Path) -> set[str]:
    return {address for address in addresses(log) if not _HERE.fullmatch(address)}


def test_a_stranger_would_be_seen(tmp_path: Path) -> None:
    """By address and by name; nothing answers there, and nothing need."""
    log = tmp_path / "log"
    look = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('192.0.2.1', 9))"
    subprocess.run(traced(log, tmp_path, "python3", "-c", look), check=True, timeout=60)
    assert strangers(log) == {"192.0.2.1"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder = tmp_path_factory.mktemp("quiet")
    made = real_home(folder / "home")
    book = small_books(folder / "books")["june"]
    subprocess.run(
        [LEDGER, "receive", str(book), "--at", "2018-07-03T09:00", "--home", str(made.root)], check=True
    )
    return made


@pytest.mark.slow
def test_a_service_and_a_month(home: Home, tmp_path: Path) -> None:
    """`ledger serve` with its server, its pages and its schedule; a month run on it, all looked at."""
    log, month_log, look_log = tmp_path / "log", tmp_path / "month", tmp_path / "look"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (tmp_path / "said").open("w") as said:
        service = subprocess.Popen(
            traced(log, home.root, LEDGER, "serve", "--port", str(port)),
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
        try:
            until = time.monotonic() + 200
            while "已开始运行" not in (tmp_path / "said").read_text():
                assert service.poll() is None and time.monotonic() < until, (tmp_path / "said").read_text()
                time.sleep(0.2)
            words = traced(month_log, home.root, LEDGER, "run", "2018-06")
            done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=200)
            words = traced(look_log, home.root, LEDGER, "doctor", "--full")
            look = subprocess.run(words, capture_output=True, text=True, check=False, timeout=200)
        finally:
            os.killpg(service.pid, signal.SIGTERM)
            service.wait(60)
    assert done.returncode in (0, 1), done.stderr
    assert look.returncode == 0 and "✓ 启动 Prefect" in look.stdout and "✓ 逐个核对" in look.stdout
    for one in (log, month_log, look_log):
        assert "127.0.0.1" in addresses(one), "flows spoke with the server"
        assert strangers(one) == set()
