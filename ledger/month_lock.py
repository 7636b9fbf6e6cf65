"""One run a month at a time: an OS lock that dies with its holder.

Held by `ledger run` (and everything that renders or issues a month). A killed run leaves no stale
lock, because the kernel drops it with the process. The file itself stays; it says who held it.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from ledger.errors import Busy
from ledger.home import Home
from schemas.month import Month


@contextmanager
def hold_month(home: Home, month: Month) -> Iterator[None]:
    """Hold `month` of this home. Raises Busy (exit 4) at once where another process has it."""
    home.locks.mkdir(parents=True, exist_ok=True)
    path = home.locks / f"{month}.lock"
    with path.open("a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip()
            raise Busy(
                f"{month.chinese}正在由另一次运行处理（进程 {holder or '未知'}）；请等它结束后再试。"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
