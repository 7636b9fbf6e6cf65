"""Documents are set in a child process with limits on time and memory.

What units wrote is on every page; whatever it does to the typesetter, the month goes on. The kernel
keeps the limits (RLIMIT_CPU, RLIMIT_AS in `ledger.reporting.press_child`), the wall clock stands
behind them. A process is started when first needed, `warm_up` starts it ahead, and it is kept for
the documents that follow. Where several documents are asked for at once (`ahead`) a second process
is, too: a month is twenty documents that do not wait for each other.
"""

from __future__ import annotations

import atexit
import logging
import os
import pickle
import select
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import ledger
from ledger.reading.wire import HEAD_SIZE, message_length, send
from ledger.reporting.pdf import Attached, PdfError

_LOG = logging.getLogger(__name__)
#: Seconds of the child's own time for one document; the county's report takes less than two.
CPU_LIMIT = 60
#: A second more for so many characters above a usual report's: 1,000 projects (1.4 million
#: characters, 605 pages) take 53 to 63 s and 1.3 GB, measured by benchmarks/report.
CHARACTERS_A_SECOND, _USUAL = 10_000, 400_000
#: How many times that a document may take by the clock on a busy machine.
_PATIENCE = 5
#: What the setting process runs.
CHILD: tuple[str, ...] = ("-m", "ledger.reporting.press_child")
_AT_ONCE = 1 << 16


class PressFault(PdfError):
    """The setting process died or was stopped over a document: too large, or it runs in circles."""


class _Press:
    """One setting process."""

    def __init__(self) -> None:
        root = str(Path(ledger.__file__).resolve().parent.parent)
        paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        self.owner = os.getpid()
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  closed with the process
        self._process = subprocess.Popen(
            [sys.executable, *CHILD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONSAFEPATH": "1"},
        )

    @property
    def alive(self) -> bool:
        return self.owner == os.getpid() and self._process.poll() is None

    def set(self, html: str, title: str, attachments: Sequence[Attached], cpu: int) -> bytes:
        """The PDF. Raises PdfError as `render_pdf` does, PressFault where the process ends."""
        request = pickle.dumps((html, title, tuple(attachments), cpu), pickle.HIGHEST_PROTOCOL)
        assert self._process.stdin is not None
        try:
            send(self._process.stdin, request)
        except BrokenPipeError:
            raise self._fault() from None
        answer = self._answer(time.monotonic() + cpu * _PATIENCE)
        if answer is None:
            raise self._fault()
        kind, content = pickle.loads(answer)  # noqa: S301  from our own child
        if kind == "refused":
            raise PdfError(content)
        pdf: bytes = content
        return pdf

    def _answer(self, until: float) -> bytes | None:
        """One message; None where the process ends or its time is up."""
        assert self._process.stdout is not None
        pipe = self._process.stdout.fileno()
        poll = select.poll()
        poll.register(pipe, select.POLLIN)
        arrived = bytearray()
        wanted = HEAD_SIZE
        while len(arrived) < wanted:
            left = until - time.monotonic()
            if left <= 0 or not poll.poll(left * 1000):
                return None
            piece = os.read(pipe, _AT_ONCE)
            if not piece:
                return None
            arrived += piece
            if len(arrived) >= HEAD_SIZE:
                wanted = HEAD_SIZE + message_length(bytes(arrived[:HEAD_SIZE]))
        return bytes(arrived[HEAD_SIZE:])

    def _fault(self) -> PressFault:
        self._process.kill()
        code = self._process.wait()
        self._errors.seek(0)
        _LOG.error(
            "the setting process ended with %d: %s",
            code,
            self._errors.read()[-2000:].decode("utf-8", "replace"),
        )
        return PressFault(
            "报告排版超出时间或内存上限，已停止；数据已入账，不受影响。"
            "请看报送中有没有特别长的文字，请单位更正后再运行一次。"
        )

    def close(self) -> None:
        """End the process; nothing is lost, it holds nothing."""
        if self.owner != os.getpid():
            return
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            if stream is not None:
                try:
                    stream.close()
                except BrokenPipeError:
                    continue


#: How many processes set documents at once; one takes up to 200 MB for a county's report.
PRESSES = min(2, os.cpu_count() or 1)
#: Those that wait for a document, and all that run.
_kept: list[_Press] = []
_running: set[_Press] = set()
_lock = threading.RLock()
_free = threading.BoundedSemaphore(PRESSES)


def _start() -> _Press:
    press = _Press()
    _running.add(press)
    return press


def _end(press: _Press) -> None:
    with _lock:
        _running.discard(press)
    press.close()


def _take() -> _Press:
    """One that waits, else a new one."""
    with _lock:
        while _kept:
            press = _kept.pop()
            if press.alive:
                return press
            _end(press)
        return _start()


@contextmanager
def _a_press() -> Iterator[_Press]:
    """A process for one document. It is kept after that, unless something went wrong with it."""
    with _free:
        press = _take()
        try:
            yield press
        except BaseException as problem:
            if isinstance(problem, PdfError) and not isinstance(problem, PressFault):
                with _lock:
                    _kept.append(press)
            else:
                _end(press)
            raise
        with _lock:
            _kept.append(press)


def _limit(html: str) -> int:
    """Seconds of computing allowed for a document."""
    return CPU_LIMIT + max(0, len(html) - _USUAL) // CHARACTERS_A_SECOND


def warm_up() -> None:
    """Start a process, so that it is ready when the first document is. One: a second would take the
    core on which the program itself is loaded, and is needed by few runs."""
    with _lock:
        if not _running:
            _kept.append(_start())


def print_pdf(html: str, *, title: str, attachments: Sequence[Attached] = (), cpu_limit: int = 0) -> bytes:
    """`ledger.reporting.pdf.render_pdf` in the child: the same bytes, within limits.

    `cpu_limit` in seconds (0 = CPU_LIMIT, more for a very long document). Raises PdfError as
    `render_pdf` does, and its subclass PressFault where the document exceeds the limits or ends the
    process; the next one is set in a new process.
    """
    with _a_press() as press:
        return press.set(html, title, attachments, cpu_limit or _limit(html))


@contextmanager
def ahead() -> Iterator[ThreadPoolExecutor]:
    """Threads to give documents to before they are needed, as many as there are processes.

    The first given is the first set. What has not been begun when the block ends is not set; where
    it ends with an exception nobody waits for what is being set.
    """
    threads = ThreadPoolExecutor(PRESSES, thread_name_prefix="press")
    try:
        yield threads
    except BaseException:
        threads.shutdown(wait=False, cancel_futures=True)
        close_press()
        raise
    finally:
        threads.shutdown(cancel_futures=True)


@atexit.register
def close_press() -> None:
    """End the processes, also those at work: their documents are refused with a PressFault."""
    with _lock:
        _kept.clear()
        while _running:
            _running.pop().close()
