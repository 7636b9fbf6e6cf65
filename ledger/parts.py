"""Work done in parts (a unit's return, a document), so that one that fails need not hide the others.

How a part is run, and what becomes of one that fails, is the caller's: at once and raising, or
noted and passed over, or as a task with its own name.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

#: Runs one part under its Chinese name; the files it wrote, none where it failed and that is noted.
Each = Callable[[str, Callable[[], list[Path]]], list[Path]]


def at_once(name: str, work: Callable[[], list[Path]]) -> list[Path]:
    """The part here and now; what it raises is raised."""
    return work()
