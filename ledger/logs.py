"""The log in data/logs: what was run, when, with which outcome; for whoever looks after the machine.

One JSON object a line: when (+08:00), level, the run's id, what, and numbers. Never a name, an
address, a file's name or a cell's value: of an exception its type and where it came from are kept,
not its words, which may quote any of these, and of what is put into a message numbers and ids only.

A file a day, and another where one is full; the oldest are removed. Nothing is ever renamed, and
each line is one write to the end of a file, so that any number of processes may log at once. A log
that can't be written (read-only home, full disk) stops no work.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import secrets
import time
import traceback
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import datetime
from pathlib import Path
from typing import Any

from ledger.calendar import SHANGHAI, moment_text
from ledger.errors import LedgerError, UsageError
from ledger.home import CHECKOUT, Home
from ledger.settings import Logs, Settings

#: Whose records are kept: ours.
_OURS = ("ledger", "flows")
_FIELDS = "ledger_fields"
#: What may be put into a message: months, hashes, codes, rule and class names.
_ID = re.compile(r"[A-Za-z0-9_.:/+-]{1,64}")
_LOG = logging.getLogger(__name__)


class Noted:
    """What a task has to say of itself when it ends: numbers, months, ids."""

    def __init__(self, run: str) -> None:
        self.run = run
        self.fields: dict[str, Any] = {}

    def note(self, **fields: Any) -> None:
        self.fields.update(fields)


_current: ContextVar[Noted | None] = ContextVar("current", default=None)


def note(**fields: Any) -> None:
    """Add to what the task under way says at its end: counts, months, ids; nothing outside a task."""
    noted = _current.get()
    if noted is not None:
        noted.note(**fields)


@contextlib.contextmanager
def task(home: Home, name: str, **fields: Any) -> Iterator[Noted]:
    """Log a task's start and end: `name`, `fields`, what is noted meanwhile, seconds, and the type and
    place of an exception, which is passed on. A task within another shares its run id."""
    outer = _current.get()
    noted = Noted(outer.run if outer else secrets.token_hex(4))
    before = _current.set(noted)
    began = time.monotonic()
    with contextlib.nullcontext() if outer else attached(home):
        _say(logging.INFO, f"{name} started", fields)
        try:
            yield noted
        except BaseException as error:
            level, told = _told(error)
            _say(level, f"{name} failed", fields | noted.fields | told | _seconds(began))
            raise
        else:
            _say(logging.INFO, f"{name} ended", fields | noted.fields | _seconds(began))
        finally:
            _current.reset(before)


def _seconds(began: float) -> dict[str, float]:
    return {"seconds": round(time.monotonic() - began, 2)}


def _say(level: int, what: str, fields: dict[str, Any]) -> None:
    _LOG.log(level, what, extra={_FIELDS: fields})


def _told(error: BaseException) -> tuple[int, dict[str, Any]]:
    if isinstance(error, LedgerError):  # an operator's problem, told on the terminal
        return logging.WARNING, {"problem": type(error).__name__, "exit": error.exit_code}
    if not isinstance(error, Exception):
        return logging.WARNING, {"problem": type(error).__name__}
    return logging.ERROR, {"exception": sober(error)}


def sober(error: BaseException) -> list[dict[str, Any]]:
    """An exception and what caused it: types, error numbers and places, none of their words."""
    told: list[dict[str, Any]] = []
    one: BaseException | None = error
    while one is not None and len(told) < 10:
        frames = traceback.extract_tb(one.__traceback__)
        line: dict[str, Any] = {
            "type": f"{type(one).__module__}.{type(one).__qualname__}",
            "at": [f"{_place(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames],
        }
        if isinstance(one, OSError) and one.errno is not None:
            line["errno"] = one.errno
        told.append(line)
        one = one.__cause__ or one.__context__
    return told


def _place(file: str) -> str:
    """A source file without the machine's folders."""
    path = Path(file)
    with contextlib.suppress(ValueError):
        inside = path.relative_to(CHECKOUT)
        return inside.as_posix() if inside.parts[0] != ".venv" else "/".join(path.parts[-3:])
    return "/".join(path.parts[-3:])


@contextlib.contextmanager
def attached(home: Home) -> Iterator[None]:
    """Keep what our loggers say, in the home's log, until the end of the block."""
    settings = _settings(home)
    handler = LogFiles(home.logs, settings.megabytes << 20, settings.files)
    loggers = [logging.getLogger(name) for name in _OURS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(settings.level)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)
        handler.close()


def _settings(home: Home) -> Logs:
    try:
        return Settings.load(home).logs
    except UsageError:  # said by whoever needs them
        return Logs()


class _Line(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        noted = _current.get()
        line: dict[str, Any] = {
            "at": moment_text(datetime.fromtimestamp(record.created, SHANGHAI).replace(microsecond=0)),
            "level": record.levelname,
            "run": noted.run if noted else None,
            "pid": record.process,
            "what": _words(record),
        }
        if record.name != __name__:
            line["from"] = record.name
        line |= getattr(record, _FIELDS, {})
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = sober(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False, default=str)


class Plain(str):
    """A text that is put into a message and is known to hold no name and no value."""

    __slots__ = ()


def _words(record: logging.LogRecord) -> str:
    """A record's message; of what is put into it numbers and ids stay, any other text becomes …"""
    if not isinstance(record.args, tuple):
        return str(record.msg)
    args = tuple(
        one if isinstance(one, int | float | Plain) or _ID.fullmatch(str(one)) else "…" for one in record.args
    )
    return str(record.msg) % args


class LogFiles(logging.Handler):
    """Appends to ``ledger-20181006.log``, ``ledger-20181006-2.log``, … in `folder`: no file larger
    than `largest` bytes (by more than a line), no more than `count` files."""

    def __init__(self, folder: Path, largest: int, count: int) -> None:
        super().__init__()
        self.setFormatter(_Line())
        self._folder, self._largest, self._count = folder, largest, count
        self._handle: int | None = None
        self._day = ""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            data = (self.format(record) + "\n").encode("utf-8", "replace")
            day = f"{datetime.fromtimestamp(record.created, SHANGHAI):%Y%m%d}"
            os.write(self._file(day), data)
        except Exception:  # noqa: BLE001  a log that can't be written stops no work
            self._let_go()

    def _file(self, day: str) -> int:
        if self._handle is not None and (day != self._day or os.fstat(self._handle).st_size >= self._largest):
            self._let_go()
        if self._handle is None:
            self._handle, self._day = self._open(day), day
            self._thin_out()
        return self._handle

    def _open(self, day: str) -> int:
        self._folder.mkdir(exist_ok=True)  # in a home; where there is none, none is begun
        part = max((n for known, n in map(_place_of, log_files(self._folder)) if known == day), default=1)
        while True:
            name = f"ledger-{day}.log" if part == 1 else f"ledger-{day}-{part}.log"
            handle = os.open(self._folder / name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
            if os.fstat(handle).st_size < self._largest:
                return handle
            os.close(handle)
            part += 1

    def _thin_out(self) -> None:
        for path in log_files(self._folder)[: -self._count]:
            path.unlink(missing_ok=True)

    def _let_go(self) -> None:
        if self._handle is not None:
            with contextlib.suppress(OSError):
                os.close(self._handle)
            self._handle = None

    def close(self) -> None:
        self._let_go()
        super().close()


def log_files(folder: Path) -> list[Path]:
    """The log's files, oldest first."""
    return sorted(folder.glob("ledger-[0-9]*.log"), key=_place_of)


def _place_of(path: Path) -> tuple[str, int]:
    """A log file's day and its number on that day."""
    _, day, *part = path.stem.split("-")
    return day, int(part[0]) if part and part[0].isdigit() else 1


def cut(path: Path, largest: int) -> None:
    """Keep a log that another program only appends to (the embedded Prefect server's) from growing:
    over `largest` bytes its last half goes to ``….1`` beside it and it begins anew.

    A few lines written in that moment may be lost; the writer goes on undisturbed.
    """
    try:
        if path.stat().st_size <= largest:
            return
        with path.open("rb") as file:
            file.seek(-largest // 2, os.SEEK_END)
            last = file.read()
        path.with_name(path.name + ".1").write_bytes(last)
        os.truncate(path, 0)
    except OSError:
        return
