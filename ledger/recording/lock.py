"""One at a time: locks of the operating system, which end with the process that held them.

A lock is a `flock` on a folder itself, so that there is no lock file to go stale, to be deleted
with ``data/processed`` or to be refused on a read-only disk.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger.errors import Busy

#: How long a writer waits for its turn before it gives up with exit code 4.
PATIENCE = 30.0
_PAUSE = 0.02


@contextmanager
def exclusive(folder: Path, what: str, *, wait: float = PATIENCE) -> Iterator[None]:
    """Hold `folder` alone. Raises Busy, naming `what`, when it is not free within `wait` seconds.

    Not re-entrant: a second hold in the same process waits for the first.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        deadline = time.monotonic() + wait
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise Busy(f"另一个程序正在使用{what}，请等它结束后再运行。") from None
                time.sleep(_PAUSE)
        yield
    finally:
        os.close(handle)
