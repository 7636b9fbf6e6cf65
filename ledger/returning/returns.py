"""Returns: what goes back to the unit, its own workbook marked, or a list with a marked copy."""

from __future__ import annotations

import os
import re
from datetime import datetime
from pathlib import Path, PurePath
from zipfile import BadZipFile

from ledger.checking.model import Checked, Verdict
from ledger.home import Home
from ledger.reading.formats import open_book
from ledger.reading.formats.refusal import Refused
from ledger.reading.model import Book
from ledger.registry import Registry
from ledger.returning.copies import copy_of, empty_workbook
from ledger.returning.marking import mark_package
from ledger.returning.marks import Line, lines
from ledger.returning.markup import Unmarkable
from ledger.returning.notice import SHEET, Notice
from schemas.finding import UNOPENED, Severity

_FORBIDDEN_IN_NAME = re.compile(r'[\x00-\x1f<>:"/\\|?*]')
_LONGEST_STEM = 80
#: Stands for the moment of writing in a workbook of our own: returns are the same on every run.
_NO_MOMENT = datetime(2000, 1, 1)  # noqa: DTZ001
_SENTENCES = {
    Verdict.RETURNED: "本次报送全部退回，没有数字入台帐。请按下列各条改正后，整份重新报送。",
    Verdict.IN_PART: "本次报送部分入台帐；标明“退回”的各行、各表没有入台帐。请改正后整份重新报送。",
    Verdict.ACCEPTED: "本次报送的数字均已入台帐；下列各条请核对、答复，需要改正的改正后重新报送。",
}


def write_return(
    home: Home,
    registry: Registry,
    checked: Checked,
    original: Path,
    out_dir: Path | None = None,
    *,
    hash_in_name: bool = False,
) -> list[Path]:
    """Write the return of one checked file into `out_dir` and return its path.

    Nothing is written where no finding is an error or a warning. `original` is the file as
    received; it is only read. Without `out_dir` the month's returns folder of the home is taken,
    which needs a month. `hash_in_name` tells two files of one unit and one name apart.
    """
    listed = lines(checked)
    if not listed:
        return []
    if out_dir is None:
        if checked.submission.month is None:
            raise ValueError("no month to file the return under")
        out_dir = home.returns(checked.submission.month)
    data, suffix = return_bytes(registry, checked, original.read_bytes())
    out_dir.mkdir(parents=True, exist_ok=True)
    apart = f"_{checked.submission.sha256[:8]}" if hash_in_name else ""
    path = out_dir / f"{return_stem(registry, checked)}{apart}{suffix}"
    half = path.with_name(f".{path.name}.{os.getpid()}.part")
    half.write_bytes(data)
    half.replace(path)
    return [path]


def return_stem(registry: Registry, checked: Checked) -> str:
    """``退回_长梁镇_2018-09_表1``: unit, month and the file's own name.

    Where the unit or the month is unknown the file's hash tells files of one name apart.
    """
    submission = checked.submission
    unit = registry.names.get(submission.unit_code or "", "单位不明")
    month = str(submission.month) if submission.month else "月份不明"
    stem = _FORBIDDEN_IN_NAME.sub("_", PurePath(submission.file).stem).strip(" .")[:_LONGEST_STEM]
    name = f"退回_{unit}_{month}_{stem or '文件'}"
    if submission.unit_code and submission.month:
        return name
    return f"{name}_{submission.sha256[:8]}"


def return_bytes(registry: Registry, checked: Checked, data: bytes) -> tuple[bytes, str]:
    """The return's bytes and its file ending.

    The submitter's own package where it can be marked, else a list with a marked copy of the
    tables, else (where the file can't be opened at all) the list alone.
    """
    listed = lines(checked)
    if not any(line.finding.rule in UNOPENED for line in listed):
        marked = _marked_original(data, _notice(registry, checked, listed, "marked"))
        if marked is not None:
            return marked
        # the same bytes were read by the reading process a moment ago and came out as a book:
        # what they could do to a process, they did not do there
        book = open_book(data, checked.submission.file)
        if isinstance(book, Book):
            copy, names = copy_of(book, _NO_MOMENT)
            renamed = [_renamed(line, names) for line in listed]
            return mark_package(copy, _notice(registry, checked, renamed, "copied"))
    blank = empty_workbook(SHEET, _NO_MOMENT)
    return mark_package(blank, _notice(registry, checked, listed, "listed"))


def _marked_original(data: bytes, notice: Notice) -> tuple[bytes, str] | None:
    """The submitter's own package, marked; None where it is of another kind or too odd to touch."""
    try:
        return mark_package(data, notice)
    except (Unmarkable, Refused, BadZipFile, ValueError):
        return None


def _renamed(line: Line, names: dict[str, str]) -> Line:
    return Line(line.finding, names.get(line.sheet or "", line.sheet), line.at)


def _notice(registry: Registry, checked: Checked, listed: list[Line], manner: str) -> Notice:
    submission = checked.submission
    errors = sum(line.finding.severity is Severity.ERROR for line in listed)
    warnings = len(listed) - errors
    counts = "、".join(
        text for count, text in ((errors, f"错误{errors}处"), (warnings, f"提示{warnings}处")) if count
    )
    marking = {
        "marked": "有问题的单元格已标色并加批注：红色是错误，黄色是提示；其余内容未动。"
        "点“位置”可转到该格。改好后直接用本文件重新报送，标色、批注和本页不必删除。",
        "copied": "原文件的格式不便标注，各表已照抄到本文件并标色、加批注：红色是错误，黄色是提示。"
        "点“位置”可转到该格。可以在本文件中改好后报送，也可以改原文件。",
        "listed": "原文件无法标注，问题列在下面。",
    }[manner]
    return Notice(
        unit=registry.names.get(submission.unit_code or "", "报送单位不明"),
        month=submission.month.chinese if submission.month else "月份不明",
        file=submission.file,
        sentence=f"共有{counts}。{_SENTENCES[checked.verdict]}",
        marking=marking,
        lines=listed,
    )
