"""Operators' problems, each with its exit code (CONTRACT §5). Data problems are findings."""

from __future__ import annotations

import errno
from pathlib import Path


class LedgerError(Exception):
    """An operator's problem: `message` is Chinese and says what to do; `exit_code` is the
    command's."""

    exit_code = 5

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class UsageError(LedgerError):
    """The command can't be carried out as given (no plan registered, unknown unit …)."""

    exit_code = 2


class Busy(LedgerError):
    """Another run holds the month."""

    exit_code = 4


class Damaged(LedgerError):
    """What is kept on disk is not what was written: a broken chain, a changed original."""

    exit_code = 5


_DISK = {
    errno.ENOSPC: "磁盘已满",
    errno.EDQUOT: "磁盘配额已用完",
    errno.EROFS: "磁盘是只读的",
    errno.EACCES: "没有写权限",
    errno.EPERM: "没有写权限",
    errno.EIO: "磁盘读写出错",
}


def disk_problem(error: OSError) -> LedgerError | None:
    """What the operator is told when the disk refuses (full, read-only, no permission); None for
    an error that is not the disk's."""
    what = _DISK.get(error.errno or 0)
    if what is None:
        return None
    name = Path(str(error.filename)).name if error.filename else ""
    return LedgerError(
        f"{what}{f'（{name}）' if name else ''}，没有做完。请腾出空间或放开写权限后再运行一次；"
        "已收文件不受影响，已做的步骤不会重复。"
    )
