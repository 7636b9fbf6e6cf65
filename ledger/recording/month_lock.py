"""One run a month at a time: locks that die with their holder.

Held by `ledger run` and by everything that renders or issues a month. On one machine it is a
`flock` on a file in ``data/.locks``, outside ``data/processed``, which may be deleted at any time;
with PostgreSQL it is also an advisory lock of the database, which other machines see. A killed run
leaves no stale lock: the kernel, and the database, drop it with the process. The file stays, and
says who held it last.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from ledger.errors import Busy, LedgerError
from ledger.home import Home
from ledger.recording import database
from schemas.month import Month


@contextmanager
def hold_month(home: Home, month: Month, *, url: str | None = None) -> Iterator[None]:
    """Hold `month` of this home. Raises Busy (exit 4) at once where another process has it,
    LedgerError where the lock can't be made. `url` is the ledger's database (LEDGER_DATABASE_URL).
    """
    with _hold_file(home, month):
        url = url or database.configured_url(home)
        if url is None:
            yield
            return
        engine = database.url_engine(url)
        try:
            with database.advisory_month(engine, month):
                yield
        finally:
            engine.dispose()


@contextmanager
def hold_sending(home: Home, month: Month, *, url: str | None = None) -> Iterator[None]:
    """Hold the sending of `month`: two never overlap, and neither is kept up by a run of the month.
    Raises Busy (exit 4) at once where another process sends."""
    with _hold_file(home, month, "-send"):
        url = url or database.configured_url(home)
        if url is None:
            yield
            return
        engine = database.url_engine(url)
        try:
            with database.advisory_month(engine, month, sending=True):
                yield
        finally:
            engine.dispose()


@contextmanager
def _hold_file(home: Home, month: Month, what: str = "") -> Iterator[None]:
    with _locked(home, month, what) as file:
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


@contextmanager
def _locked(home: Home, month: Month, what: str) -> Iterator[TextIO]:
    path = home.locks / f"{month}{what}.lock"
    while True:
        try:
            home.locks.mkdir(parents=True, exist_ok=True)
            file = path.open("a+", encoding="ascii")
        except FileNotFoundError:
            continue
        except OSError as error:
            raise LedgerError(
                f"data/.locks 写不进去（{error.strerror}）：请检查磁盘空间和写权限。"
            ) from error
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                holder = file.read().strip()
                doing = "的邮件正在由另一次运行发送" if what else "正在由另一次运行处理"
                raise Busy(f"{month.chinese}{doing}（进程 {holder or '未知'}）；请等它结束后再试。") from None
            try:
                is_there = path.stat().st_ino == os.fstat(file.fileno()).st_ino
            except FileNotFoundError:
                is_there = False
            if not is_there:
                continue  # the file was deleted between opening and locking: hold the one that is there
            yield file
            return
