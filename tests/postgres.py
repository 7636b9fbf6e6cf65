"""A real PostgreSQL for the tests, from the system's own packages, started once and thrown away."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def _programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    here = shutil.which("initdb")
    return Path(here).parent if here else None


def is_installed() -> bool:
    return _programs() is not None


def _as_nobody() -> tuple[list[str], int | None]:
    """PostgreSQL refuses to run as root: the command that drops privileges, and the user's id."""
    if os.geteuid() != 0:
        return [], None
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"], user.pw_uid
    raise RuntimeError("no user to run PostgreSQL as")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A running server; `database` makes an empty database and gives its URL."""

    def __init__(self, programs: Path, folder: Path, port: int) -> None:
        self._programs, self._folder, self._port = programs, folder, port
        self._count = 0

    def database(self) -> str:
        self._count += 1
        name = f"ledger_{os.getpid()}_{self._count}"
        subprocess.run(
            [self._programs / "createdb", "-h", self._folder, "-p", str(self._port), "-U", "ledger", name],
            check=True,
        )
        return f"postgresql://ledger@/{name}?host={self._folder}&port={self._port}"


@contextmanager
def server() -> Iterator[Server]:
    """Start a server in a folder of its own, on a Unix socket; stop and remove it afterwards."""
    programs = _programs()
    assert programs is not None
    prefix, user = _as_nobody()
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    data, log = folder / "data", folder / "log"
    if user is not None:
        os.chown(folder, user, -1)
    port = _free_port()
    subprocess.run(
        [
            *prefix,
            programs / "initdb",
            "-D",
            data,
            "-U",
            "ledger",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-locale",
            "-N",
        ],
        check=True,
        stdout=subprocess.DEVNULL,
        cwd=folder,
    )
    process = subprocess.Popen(
        [
            *prefix,
            programs / "postgres",
            "-D",
            data,
            "-k",
            folder,
            "-p",
            str(port),
            "-c",
            "listen_addresses=",
            "-F",
        ],
        stdout=log.open("wb"),
        stderr=subprocess.STDOUT,
        cwd=folder,
    )
    try:
        for _ in range(200):
            ready = subprocess.run(
                [programs / "pg_isready", "-h", folder, "-p", str(port), "-q"], check=False
            )
            if ready.returncode == 0:
                break
            time.sleep(0.05)
        else:
            raise RuntimeError(log.read_text(errors="replace"))
        yield Server(programs, folder, port)
    finally:
        process.send_signal(signal.SIGINT)  # a fast shutdown: does not wait for its clients
        process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)
