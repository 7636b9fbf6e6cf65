"""Operators' problems, each with its exit code (CONTRACT §5). Data problems are findings."""

from __future__ import annotations


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
