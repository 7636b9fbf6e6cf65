"""The draft that waits for its signature: what it is, and what changed since one before it.

Plain Python, without Prefect.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flows.status import month_status
from ledger.calendar import moment_text
from ledger.home import Home
from schemas.month import Month

#: What a run about a draft is tagged with, before the digest's beginning.
DRAFT_TAG = "draft-"
_LISTED = 20


def is_tag(tag: str) -> bool:
    """Whether a run's tag says which draft it is about."""
    return tag.startswith(DRAFT_TAG)


@dataclass(frozen=True, slots=True)
class Draft:
    """A month's draft. `digest` stands for its pages and data: another draft has another."""

    month: Month
    digest: str
    files: tuple[str, ...]

    @property
    def short(self) -> str:
        return self.digest[:12]


def waiting(home: Home, month: Month) -> Draft | None:
    """The draft in the month's folder, None where there is none to sign.

    The digest is over names and contents of the drafts' pages and workbooks; the PDFs follow from
    the pages.
    """
    folder = home.reports(month)
    files = sorted(path for path in folder.rglob("*-草稿.*") if not path.name.startswith("."))
    if not (folder / f"月报-{month}-草稿.html").is_file():
        return None
    manifest = hashlib.sha256()
    for path in files:
        if path.suffix != ".pdf":
            manifest.update(path.relative_to(folder).as_posix().encode() + b"\0")
            manifest.update(hashlib.sha256(path.read_bytes()).digest())
    return Draft(month, manifest.hexdigest(), tuple(home.relative(path) for path in files))


def changes(home: Home, month: Month, since: datetime | None, *, same: bool = False) -> list[str]:
    """Where the month stands, and what came in since an earlier draft was shown, a line each. `same`:
    it was this very draft."""
    now = month_status(home, month, None)
    lines = [
        f"应报 {now['units_count']} 家，已采用 {len(now['reported'])} 家"
        + _named("未报", now["missing"])
        + _named("退回", now["returned"]),
        f"待处理：错误 {now['errors_count']} 条，提示 {now['warnings_count']} 条",
    ]
    if since is None:
        return [*lines, "这是本月第一次送签。"]
    if same:
        return [*lines, f"自 {_clock(since)} 送签以来，草稿没有变化。"]
    then = month_status(home, month, since)
    new = [one for one in now["submissions"] if one["received_at"] > moment_text(since)]
    if not new and _counts(then) == _counts(now):
        return [*lines, f"自 {_clock(since)} 送签以来没有新的报送；变的是计划、登记资料或版式。"]
    lines.append(f"自 {_clock(since)} 送签以来：新收 {len(new)} 份（表）")
    lines += [f"{one['unit'] or '单位不明'}，{_clock(one['received_at'])} 收到" for one in new[:_LISTED]]
    if len(new) > _LISTED:
        lines.append(f"还有 {len(new) - _LISTED} 份，见 ledger status {month}")
    if (a := len(then["reported"])) != (b := len(now["reported"])):
        lines.append(f"已采用 {a} 家 → {b} 家")
    if (a := then["errors_count"]) != (b := now["errors_count"]):
        lines.append(f"错误 {a} 条 → {b} 条")
    if (a := then["corrections_count"]) != (b := now["corrections_count"]):
        lines.append(f"更正 {a} 处 → {b} 处")
    return lines


def _counts(status: Mapping[str, Any]) -> list[Any]:
    return [status["reported"], status["missing"], status["errors_count"], status["corrections_count"]]


def _named(word: str, units: list[str]) -> str:
    return f"，{word} {len(units)} 家（{'、'.join(units)}）" if units else ""


def _clock(moment: datetime | str) -> str:
    text = moment if isinstance(moment, str) else moment_text(moment)
    return text[:16].replace("T", " ")
