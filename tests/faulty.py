"""Processes that are killed, disks that are full, and what must hold afterwards."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from ledger.calendar import parse_moment
from ledger.errors import LedgerError
from ledger.home import CHECKOUT, Home
from ledger.recording.journal import Journal
from ledger.recording.originals import Originals
from tests import postgres
from tests.workbooks import NIL, make_book, water

LEDGER = str(Path(sys.executable).with_name("ledger"))
PLAN = CHECKOUT / "data" / "raw" / "plan" / "2018-as-printed.xlsx"
RECEIVED = parse_moment("2018-07-03T09:00")


def in_child(work: Callable[[], None]) -> int:
    """Run `work` in a process of its own; its id. A LedgerError is its exit code, a fault 99."""
    child = os.fork()
    if child:
        return child
    code = 0
    try:
        work()
    except LedgerError as problem:
        code = problem.exit_code
    except BaseException:  # noqa: BLE001  the child must never return into the test
        traceback.print_exc()
        code = 99
    os._exit(code)


def ended(child: int) -> int:
    """How a child ended: its exit code, or minus the signal."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def ledger(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command, as an outsider runs it."""
    environment = {**os.environ, "LEDGER_HOME": str(home)}
    return subprocess.run(
        [LEDGER, *words], capture_output=True, text=True, env=environment, check=False, timeout=240
    )


def said(done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    """The command ended with `code` and one Chinese message, not with a traceback."""
    assert done.returncode == code, (done.returncode, done.stdout[-500:], done.stderr[-2000:])
    assert "Traceback" not in done.stderr, done.stderr[-2000:]
    for word in words:
        assert word in done.stderr, (word, done.stderr)


class Killer:
    """Kills this process at its nth durable step: a flush, a link, a replacement, a removal, a
    commit. With `at` None it only counts."""

    def __init__(self, at: int | None = None) -> None:
        self.at, self.count = at, 0

    def step(self, *_: Any) -> None:
        """Before a step is taken; what the function was given is for those who look."""
        self.count += 1
        if self.count == self.at:
            os.kill(os.getpid(), signal.SIGKILL)

    @contextlib.contextmanager
    def armed(self) -> Iterator[Killer]:
        with pytest.MonkeyPatch.context() as patch:
            for name in ("fsync", "link", "replace", "rename", "unlink"):
                patch.setattr(os, name, self._before(getattr(os, name)))

            def at_commit(_: Any) -> None:
                self.step()

            sa.event.listen(Engine, "commit", at_commit)
            try:
                yield self
            finally:
                sa.event.remove(Engine, "commit", at_commit)

    def _before(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def stepped(*given: Any, **named: Any) -> Any:
            self.step(*given)
            return real(*given, **named)

        return stepped


class MarkedKiller(Killer):
    """Kills this process at the `at`th durable step after a file whose name has `mark` in it was
    flushed into place, removed or renamed for the `times`th time. Without a mark it never does."""

    def __init__(self, mark: str, times: int, at: int) -> None:
        super().__init__(at)
        self.mark, self.times = mark, times

    def step(self, *given: Any) -> None:
        if self.mark and self.times <= 0:
            super().step()
        elif self.mark and any(self.mark in str(one) for one in given):
            self.times -= 1


def nothing_is_lost(home: Home, acknowledged: dict[int, str]) -> None:
    """Every receipt that was acknowledged is in an unbroken journal, its original whole."""
    journaled = {event.seq: event for event in Journal(home.journal).events()}
    originals = Originals(home.originals)
    for seq, sha256 in acknowledged.items():
        assert journaled[seq].payload["sha256"] == sha256
    for event in journaled.values():
        if event.kind == "received":
            originals.read(event.payload["sha256"], event.payload["ext"])


def small_books(folder: Path) -> dict[str, Path]:
    """June of one township, its correction, and July, from the real programme."""
    folder.mkdir(parents=True, exist_ok=True)
    return {
        "june": make_book(folder / "景阳6月.xlsx", "景阳镇", "2018年6月", projects=[water()], needs=NIL),
        "correction": make_book(
            folder / "景阳6月更正.xlsx",
            "景阳镇",
            "2018年6月",
            cover={"更正说明": "支付凭证录入有误"},
            projects=[water(fiscal_paid_month=18.5, fiscal_paid_cum=18.5)],
            needs=NIL,
        ),
        "july": make_book(
            folder / "景阳7月.xlsx",
            "景阳镇",
            "2018年7月",
            projects=[water(fiscal_paid_month=5, fiscal_paid_cum=25, self_paid_month=0, progress_pct=70)],
            needs=NIL,
        ),
    }


def real_home(folder: Path) -> Home:
    """A home with the sample programme's registry and the printed plan registered."""
    assert subprocess.run([LEDGER, "init", str(folder)], check=False, capture_output=True).returncode == 0
    assert ledger(folder, "plan", str(PLAN), "--year", "2018").returncode == 1
    return Home(folder)


def copied(home: Home, folder: Path) -> Home:
    """A copy of a home, for one fault each."""
    shutil.rmtree(folder, ignore_errors=True)
    postgres.forget_home(folder)
    shutil.copytree(home.root, folder)
    return Home(folder)


@contextlib.contextmanager
def mounted(folder: Path, *words: str) -> Iterator[Path]:
    """A file system mounted on `folder`; skips the test where this user may not mount."""
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["mount", *words, str(folder)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[Path]:
    """`folder` as a read-only file system."""
    with mounted(folder, "--bind", str(folder)):
        subprocess.run(["mount", "-o", "remount,ro,bind", str(folder)], check=True)
        yield folder


def fill(disk: Path, leave: int) -> Path:
    """Fill the disk but for `leave` bytes; the file that does it."""
    ballast = disk / "ballast"
    free = os.statvfs(disk)
    with ballast.open("wb") as file:
        file.write(bytes(max(free.f_bavail * free.f_frsize - leave, 0)))
    return ballast
