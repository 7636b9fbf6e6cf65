"""Read a batch of files in child processes with limits on memory and time.

A file that kills its process, hangs or eats its memory becomes a finding (F01, F04) of that file;
the next one is read in a new process. The processes are started when first needed, kept for later
batches and ended with this one.
"""

from __future__ import annotations

import atexit
import gc
import logging
import os
import pickle
import queue
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import ledger
from ledger.errors import LedgerError
from ledger.reading import wire
from ledger.reading.model import Filing, ReadJob, Submission
from schemas.finding import Finding, finding

_log = logging.getLogger(__name__)

#: Seconds of the child's own time for one file; 50,000 rows take about ten.
FILE_TIMEOUT = 20.0
#: Bytes taken from a pipe at once: as many as it holds.
_AT_ONCE = 1 << 16
#: How many times that a file may take by the clock, where the machine is busy with other things.
_PATIENCE = 3
#: Seconds for a process to start and import what it needs (0.2 on an idle machine).
START_TIMEOUT = 60.0
#: What the reading process runs. Without `site`, whose .pth files cost a sixth of its start: it is
#: told where this process finds its modules.
CHILD: tuple[str, ...] = ("-S", "-m", "ledger.reading.child")
#: Files asked for at once: enough to keep the child busy, few enough to share between workers.
_CHUNK = 8


class ReaderFault(LedgerError):
    """The reading process does not even start: the installation is broken, not a file."""

    exit_code = 5


class _Died(Exception):
    """The child ended or was ended while it had a file in hand."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def read_files(
    jobs: Sequence[ReadJob], *, workers: int = 1, progress: Callable[[str], None] | None = None
) -> list[Submission]:
    """Read every file; the submissions come in the order of `jobs`.

    `progress` is called in this thread with each file's name as it is done. Whatever is in a file
    makes findings, never an exception. Raises ReaderFault where no reading process can be started.
    """
    if not jobs:
        return []
    results: list[Submission | None] = [None] * len(jobs)
    tasks = _Tasks(jobs)
    count = max(1, min(workers, (len(jobs) + _CHUNK - 1) // _CHUNK))
    done = _work(tasks) if count == 1 else _work_together(tasks, count)
    with _no_collection():
        for index, submission in done:
            results[index] = submission
            if progress is not None:
                progress(jobs[index].name)
    read = [submission for submission in results if submission is not None]
    if len(read) < len(jobs):
        raise ReaderFault("读取程序没有答完全部文件，请查看日志后重试。")
    return read


@contextmanager
def _no_collection() -> Iterator[None]:
    """Without looking for cycles: answers are trees, and a batch's are tens of thousands of objects
    that every look would go through again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class _Tasks:
    """The jobs still to be done, handed out in runs that share a filing."""

    def __init__(self, jobs: Sequence[ReadJob]) -> None:
        self._jobs = jobs
        self._waiting = deque(range(len(jobs)))
        self._lock = threading.Lock()

    def __getitem__(self, index: int) -> ReadJob:
        return self._jobs[index]

    def take(self) -> list[int]:
        with self._lock:
            taken: list[int] = []
            while self._waiting and len(taken) < _CHUNK:
                if taken and self[self._waiting[0]].filing is not self[taken[0]].filing:
                    break
                taken.append(self._waiting.popleft())
            return taken

    def put_back(self, indexes: Sequence[int]) -> None:
        with self._lock:
            self._waiting.extendleft(reversed(indexes))

    def stop(self) -> None:
        with self._lock:
            self._waiting.clear()


def _work(tasks: _Tasks) -> Iterator[tuple[int, Submission]]:
    """Do tasks until there are none, in one child at a time."""
    reader = _borrow()
    try:
        while indexes := tasks.take():
            left = deque(indexes)
            try:
                for submission in reader.read([tasks[index] for index in indexes]):
                    yield left.popleft(), submission
            except _Died as death:
                reader.close()
                index = left.popleft()
                tasks.put_back(left)
                job = tasks[index]
                yield index, _set_aside(job, finding(death.code, death.message))
                reader = _borrow()
    except BaseException:
        reader.close()  # it may be in the middle of an answer
        raise
    _give_back(reader)


def _set_aside(job: ReadJob, why: Finding) -> Submission:
    # what reads workbooks is the child's to load: here it is needed only after one has died
    from ledger.reading.submission import set_aside

    return set_aside(job.name, job.sha256, why, job.filing)


def _work_together(tasks: _Tasks, count: int) -> Iterator[tuple[int, Submission]]:
    """The same with several children, one thread each; results come as they are done."""
    done: queue.SimpleQueue[tuple[int, Submission] | LedgerError | None] = queue.SimpleQueue()

    def run() -> None:
        try:
            for result in _work(tasks):
                done.put(result)
        except LedgerError as fault:
            tasks.stop()
            done.put(fault)
        finally:
            done.put(None)

    threads = [threading.Thread(target=run, name=f"reading-{n}", daemon=True) for n in range(count)]
    for thread in threads:
        thread.start()
    running = count
    try:
        while running:
            result = done.get()
            if result is None:
                running -= 1
            elif isinstance(result, LedgerError):
                raise result
            else:
                yield result
    finally:
        tasks.stop()
        for thread in threads:
            thread.join()


class _Clock:
    """Says how long to go on waiting for a child.

    What counts is the child's own computing time, not the wall's: on a busy machine an honest file
    must not pass for a bomb. The first second is free of charge, and nearly no file needs more.
    """

    def __init__(self, pid: int, seconds: float) -> None:
        self._pid = pid
        self._seconds = seconds
        self._begun = time.monotonic()
        self._used_before: float | None = None

    def wait(self) -> float:
        """Seconds to wait before asking again. Raises TimeoutError when time is up."""
        passed = time.monotonic() - self._begun
        if passed < 1:
            return 1 - passed
        if self._used_before is None:
            self._used_before = _computing_time(self._pid)
        used = _computing_time(self._pid) - self._used_before
        if used >= self._seconds or passed >= _PATIENCE * self._seconds:
            raise TimeoutError
        return max(0.01, min(self._seconds - used, _PATIENCE * self._seconds - passed))


def _computing_time(pid: int) -> float:
    """Seconds a process has computed; the wall's time where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return time.monotonic()


class _Pipe:
    """The parent's ends of a child's pipes; answers are read as they come, several at once."""

    def __init__(self, process: subprocess.Popen[bytes], errors: IO[bytes]) -> None:
        self.process = process
        self.errors = errors
        self._arrived = bytearray()
        self._poll = select.poll()
        if process.stdout is None or process.stdin is None:
            raise ValueError("the child needs pipes")
        self._answers = process.stdout.fileno()
        self._requests = process.stdin
        self._poll.register(self._answers, select.POLLIN)

    def send(self, payload: bytes) -> None:
        try:
            wire.send(self._requests, payload)
        except BrokenPipeError:
            return  # the child is gone: reading the answer tells why

    def receive(self, clock: _Clock) -> bytes | None:
        """One message; None at the end of the stream. Raises TimeoutError when time is up."""
        if not self._wait_for(wire.HEAD_SIZE, clock):
            return None
        end = wire.HEAD_SIZE + wire.message_length(bytes(self._arrived[: wire.HEAD_SIZE]))
        if not self._wait_for(end, clock):
            return None
        message = bytes(self._arrived[wire.HEAD_SIZE : end])
        del self._arrived[:end]
        return message

    def _wait_for(self, size: int, clock: _Clock) -> bool:
        while len(self._arrived) < size:
            if self._poll.poll(clock.wait() * 1000):
                piece = os.read(self._answers, _AT_ONCE)
                if not piece:
                    return False
                self._arrived += piece
        return True

    def last_words(self) -> str:
        self.errors.seek(0)
        return self.errors.read().decode("utf-8", "replace")[-4000:]


class _Reader:
    """One reading process."""

    def __init__(self) -> None:
        root = str(Path(ledger.__file__).resolve().parent.parent)
        paths = dict.fromkeys([root, *filter(None, sys.path)])
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONSAFEPATH": "1"}
        errors = tempfile.TemporaryFile()  # noqa: SIM115  closed with the process
        process = subprocess.Popen(
            [sys.executable, *CHILD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment,
            bufsize=-1,
        )
        self.owner = os.getpid()
        self._pipe = _Pipe(process, errors)
        self._filing: Filing | None = None
        try:
            ready = self._pipe.receive(_Clock(process.pid, START_TIMEOUT))
        except TimeoutError:
            ready = None
        if ready != wire.READY:
            words = self._pipe.last_words()
            self.close()
            _log.error("the reading process does not start: %s", words)
            raise ReaderFault("读取程序无法启动，请检查安装是否完整（make setup）。")

    @property
    def alive(self) -> bool:
        return self.owner == os.getpid() and self._pipe.process.poll() is None

    def read(self, jobs: Sequence[ReadJob]) -> Iterator[Submission]:
        """The submissions in order. Raises _Died at the file that ends the process."""
        filing = jobs[0].filing
        known = filing is self._filing
        self._filing = filing
        files = tuple((str(job.path), job.name, job.sha256) for job in jobs)
        request = wire.Request(None if known else filing, files)
        self._pipe.send(pickle.dumps(request, pickle.HIGHEST_PROTOCOL))
        for _ in jobs:
            try:
                answer = self._pipe.receive(_Clock(self._pipe.process.pid, FILE_TIMEOUT))
            except TimeoutError:
                message = f"文件过大或异常：读了 {FILE_TIMEOUT:.0f} 秒仍未读完，已停止读取。"
                raise _Died("F04", message) from None
            if answer is None:
                raise self._cause_of_death()
            submission: Submission = pickle.loads(answer)  # noqa: S301  from our own child
            yield submission

    def _cause_of_death(self) -> _Died:
        try:
            code = self._pipe.process.wait(5)
        except subprocess.TimeoutExpired:
            code = -signal.SIGKILL
        if code in (wire.OUT_OF_MEMORY, -signal.SIGKILL):
            return _Died("F04", "文件过大或异常：展开后超出内存上限，已停止读取。")
        _log.error("the reading process ended with code %d: %s", code, self._pipe.last_words())
        return _Died("F01", "文件打不开：读取时程序异常中止，文件可能已损坏。")

    def close(self) -> None:
        """End the process; nothing is lost, it holds nothing."""
        if self.owner != os.getpid():
            return
        process = self._pipe.process
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, self._pipe.errors):
            if stream is not None:
                try:
                    stream.close()
                except BrokenPipeError:
                    continue  # what was still to be sent has no reader any more


_idle: list[_Reader] = []
_idle_lock = threading.Lock()


def _borrow() -> _Reader:
    """A reading process: one that is idle, else a new one."""
    with _idle_lock:
        while _idle:
            reader = _idle.pop()
            if reader.alive:
                return reader
            reader.close()
    return _Reader()


def _give_back(reader: _Reader) -> None:
    with _idle_lock:
        _idle.append(reader)


@atexit.register
def close_readers() -> None:
    """End the idle reading processes."""
    with _idle_lock:
        while _idle:
            _idle.pop().close()
