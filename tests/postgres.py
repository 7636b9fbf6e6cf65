"""A real PostgreSQL for the tests, from the system's own packages, started once and thrown away."""

from __future__ import annotations

import contextlib
import hashlib
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

import psycopg


def _programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    here = shutil.which("initdb")
    return Path(here).parent if here else None


#: Tells every process of a test run where its PostgreSQL is, as ``folder:port``.
SERVER = "LEDGER_TEST_POSTGRES"


def url_of_home(server: str, home: Path | str) -> str:
    """The URL of a database for this home alone, made where there is none. A home copied elsewhere is
    another home; see `forget_home` for one that is removed."""
    folder, port = server.rsplit(":", 1)
    name = _database_of(home)
    with contextlib.suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
        _command(server, f'CREATE DATABASE "{name}"')
    return f"postgresql://ledger@/{name}?host={folder}&port={port}"


def forget_home(home: Path | str) -> None:
    """Drop the database of a home that is removed, where the suite runs on PostgreSQL."""
    server = os.environ.get(SERVER)
    if server:
        _command(server, f'DROP DATABASE IF EXISTS "{_database_of(home)}" WITH (FORCE)')


def _database_of(home: Path | str) -> str:
    return f"home_{hashlib.sha256(str(Path(home).resolve()).encode()).hexdigest()[:24]}"


def _command(server: str, words: str) -> None:
    folder, port = server.rsplit(":", 1)
    where = f"host={folder} port={port} user=ledger dbname=postgres"
    with psycopg.connect(where, autocommit=True) as connection:
        connection.execute(words.encode())


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
    """A server of its own folder, on a Unix socket; `database` makes an empty database."""

    def __init__(self, programs: Path, folder: Path, port: int, prefix: list[str]) -> None:
        self._programs, self._folder, self._port, self._prefix = programs, folder, port, prefix
        self._count = 0
        self._process: subprocess.Popen[bytes] | None = None

    def database(self) -> str:
        self._count += 1
        name = f"ledger_{os.getpid()}_{self._count}"
        subprocess.run(
            [self._programs / "createdb", "-h", self._folder, "-p", str(self._port), "-U", "ledger", name],
            check=True,
        )
        return f"postgresql://ledger@/{name}?host={self._folder}&port={self._port}"

    @property
    def address(self) -> str:
        """Where it is, as `url_of_home` takes it."""
        return f"{self._folder}:{self._port}"

    def start(self, *settings: str) -> None:
        """Start it and wait until it answers; `settings` as in ``fsync=off``."""
        log = self._folder / "log"
        words = [word for setting in settings for word in ("-c", setting)]
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                [
                    *self._prefix,
                    self._programs / "postgres",
                    "-D",
                    self._folder / "data",
                    "-k",
                    self._folder,
                    "-p",
                    str(self._port),
                    "-c",
                    "listen_addresses=",
                    *words,
                ],
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=self._folder,
            )
        for _ in range(400):
            ready = subprocess.run(
                [self._programs / "pg_isready", "-h", self._folder, "-p", str(self._port), "-q"], check=False
            )
            if ready.returncode == 0:
                return
            time.sleep(0.05)
        raise RuntimeError(log.read_text(errors="replace"))

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT is a fast shutdown, SIGQUIT an immediate one, as after a power failure."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(30)
            self._process = None


@contextmanager
def server(*settings: str) -> Iterator[Server]:
    """A server started in a folder of its own; stopped and removed afterwards."""
    programs = _programs()
    assert programs is not None
    prefix, user = _as_nobody()
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    data = folder / "data"
    if user is not None:
        os.chown(folder, user, -1)
    running = Server(programs, folder, _free_port(), prefix)
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
    try:
        running.start(*(settings or ("fsync=off",)))
        yield running
    finally:
        running.stop(signal.SIGQUIT)
        shutil.rmtree(folder, ignore_errors=True)
