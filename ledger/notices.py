"""What people should be told beside the result of a command, wherever it is noticed.

A step in another thread says it here; the command prints it, once, on standard error.
"""

from __future__ import annotations

_told: list[str] = []


def tell(message: str) -> None:
    """Note a Chinese sentence for the end of the command; the same one is kept once."""
    if message not in _told:
        _told.append(message)


def take() -> list[str]:
    """What was told since the last call, in order."""
    told = list(_told)
    _told.clear()
    return told
