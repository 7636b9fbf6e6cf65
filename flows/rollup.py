"""`ledger rollup`: many programmes' month, consolidated to prefectures, provinces and the nation.

With `run` every home's month is received, read, checked and recorded first. Batches of homes run in
processes of this machine, or as tasks of a Prefect flow (flows.rollup_flow, which alone loads
Prefect) on threads or a Dask cluster; the figures are the same.
"""

from __future__ import annotations

import importlib
import tomllib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows import batches, programmes
from flows.batches import HomeDone
from ledger.calendar import moment_text
from ledger.errors import LedgerError, UsageError
from ledger.home import Home
from ledger.recording.month_lock import hold_month
from ledger.reporting.rollup_build import build_areas, words
from ledger.reporting.rollup_model import Area, Programme, Totals, Unread, Words
from ledger.reporting.rollup_writer import write_rollup
from ledger.settings import Settings
from schemas.money import wan_text
from schemas.month import Month
from schemas.rollup import FIGURES, RATES, Kind, Level

Progress = Callable[[str], None]
WORDS = "rollup.toml"
_MOST_NAMES = 10


class NothingRead(LedgerError):
    """None of the programmes can be read."""

    exit_code = 3


@dataclass(frozen=True)
class RolledUp:
    """What a roll-up came to. `state` is Prefect's name for it: Completed or Degraded."""

    month: Month
    nation: Area
    done: tuple[HomeDone, ...]
    files: tuple[str, ...] = ()

    @property
    def failed(self) -> tuple[HomeDone, ...]:
        """The homes whose month could not be run."""
        return tuple(one for one in self.done if one.failed)

    @property
    def silent(self) -> tuple[Programme, ...]:
        """The programmes in which nobody has reported."""
        return tuple(one for one in self.nation.programmes if not one.reported)

    @property
    def state(self) -> str:
        return "Degraded" if self.nation.unread or self.failed or self.silent else "Completed"

    @property
    def message(self) -> str:
        """One Chinese sentence: complete, or who is missing."""
        parts = [
            f"{what} {len(names)} 个县：{'、'.join(names[:_MOST_NAMES])}{' 等' if len(names) > _MOST_NAMES else ''}"
            for what, names in (
                ("未能计入", [one.county for one in self.nation.unread]),
                ("没有跑成", [_county(one) for one in self.failed]),
                ("没有报送", [one.county for one in self.silent]),
            )
            if names
        ]
        return "；".join(parts) or f"{self.nation.totals.programmes} 个县全部计入"

    def as_json(self) -> dict[str, Any]:
        return {
            "month": str(self.month),
            "state": self.state,
            "message": self.message,
            "homes": len(self.done),
            "received": sum(one.received for one in self.done),
            "recorded": sum(one.recorded for one in self.done),
            "failed": [{"folder": one.folder, "reason": one.failed} for one in self.failed],
            "unread": [_unread_json(one) for one in self.nation.unread],
            "areas": [_area_json(area) for area in self.nation.each()],
            "programmes": [_programme_json(one) for one in self.nation.programmes],
            "files": list(self.files),
        }


def roll_up(
    root: Path,
    month: Month,
    out: Path | None = None,
    *,
    run: bool = False,
    levels: Collection[Level] = (),
    progress: Progress = lambda _: None,
) -> RolledUp:
    """Roll up the homes below `root` in processes of this machine, without Prefect.

    Raises UsageError where there is no home, NothingRead where none can be read, Busy where the
    same month is being rolled up already.
    """
    settings = Settings.load(Home(root))
    homes = batches.find_homes(root)
    given = batches.cut(homes, root, month, settings.runner.batch_size, run=run)

    def told(finished: Sequence[HomeDone]) -> None:
        progress(f"{'跑' if run else '读'} {len(finished)}/{len(homes)} 个县")

    with hold_month(own_place(root), month):
        done = batches.work_all(given, settings.runner.workers, told)
        return finish(root, month, done, out, levels=levels, progress=progress)


def roll_up_on_prefect(
    root: Path,
    month: Month,
    out: Path | None = None,
    *,
    run: bool = False,
    levels: Collection[Level] = (),
    progress: Progress = lambda _: None,
) -> RolledUp:
    """`roll_up` as a Prefect flow, on the server embedded for the homes' folder. Raises as it does."""
    from flows.server import prefect_server

    batches.find_homes(root)  # what is wrong with the folder is said before a server is started
    with hold_month(own_place(root), month):
        progress("启动 Prefect")
        with prefect_server(own_place(root), load=lambda: importlib.import_module("flows.rollup_flow")):
            from flows.rollup_flow import rollup_flow

            return rollup_flow(root, month, out, run=run, levels=levels, progress=progress)


def own_place(root: Path) -> Home:
    """Where the roll-up's own files are (locks, Prefect's database): not among the homes."""
    return Home(root / programmes.SERVER_FOLDER)


def told(outcome: RolledUp, folder: Path) -> list[str]:
    """What people are told: how many, the totals, who is not counted, where the files are."""
    totals = outcome.nation.totals
    lines = [f"{outcome.month.chinese}汇总：{outcome.message}。"]
    if any(one.received or one.recorded for one in outcome.done):
        received, recorded = (
            sum(getattr(one, what) for one in outcome.done) for what in ("received", "recorded")
        )
        lines.append(f"本次收件 {received} 份，入账 {recorded} 份。")
    lines.append(
        f"应报单位 {totals.count('units')} 个，已报 {totals.count('units_reported')} 个；"
        + "，".join(
            totals.rate(name).text
            for name in ("fiscal_received_rate", "fiscal_paid_rate", "fiscal_paid_of_plan")
        )
        + "。"
    )
    lines += [f"未计入 {one.folder}（{one.county}）：{one.reason}" for one in outcome.nation.unread]
    lines += [f"没有跑成 {one.folder}（{_county(one)}）：{one.failed}" for one in outcome.failed]
    pdfs = [name for name in outcome.files if name.endswith(".pdf")]
    lines += [f"汇总  {folder / name}" for name in pdfs if "/" not in name]
    below = sum(1 for name in pdfs if "/" in name)
    if below:
        lines.append(f"汇总  {folder}（省、市州共 {below} 份，各有 PDF、网页、数据工作簿和 CSV）")
    return lines


def finish(
    root: Path,
    month: Month,
    done: Sequence[HomeDone],
    out: Path | None = None,
    *,
    levels: Collection[Level] = (),
    progress: Progress = lambda _: None,
) -> RolledUp:
    """The areas of what the batches brought, and their files in `out` (reports/<month> of `root`)."""
    nation = build_areas(
        [one.figures for one in done if isinstance(one.figures, Programme)],
        [one.figures for one in done if isinstance(one.figures, Unread)],
    )
    if not nation.programmes:
        reasons = "；".join(f"{one.folder}：{one.reason}" for one in nation.unread[:_MOST_NAMES])
        raise NothingRead(f"{len(done)} 个县没有一个能计入。{reasons}")
    folder = out or Home(root).reports(month)
    files = write_rollup(folder, month, nation, load_words(root), levels=levels, progress=progress)
    shown = tuple(path.relative_to(folder).as_posix() for path in files)
    return RolledUp(month, nation, tuple(done), shown)


def load_words(root: Path) -> Words:
    """The roll-up's own words, from rollup.toml in the homes' folder. Raises UsageError."""
    try:
        stated: Mapping[str, Any] = tomllib.loads((root / WORDS).read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        stated = {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{WORDS} 读不出来，请核对其写法。") from error
    return words(stated)


def _county(one: HomeDone) -> str:
    return one.figures.county


def _unread_json(one: Unread) -> dict[str, Any]:
    return {
        "folder": one.folder,
        "county": one.county,
        "province": one.province or None,
        "prefecture": one.prefecture or None,
        "reason": one.reason,
    }


def _area_json(area: Area) -> dict[str, Any]:
    return {
        "level": str(area.level),
        "province": area.province or None,
        "prefecture": area.prefecture or None,
        "programmes": area.totals.programmes,
        "programmes_reported": area.totals.reported,
        "programmes_unread": len(area.unread),
        **_totals_json(area.totals),
    }


def _programme_json(one: Programme) -> dict[str, Any]:
    source = one.source
    return {
        "folder": one.folder,
        "county": one.county,
        "programme": one.name,
        "province": one.province or None,
        "prefecture": one.prefecture or None,
        "source": {
            "text": source.text,
            "edition": source.edition,
            "draft": source.draft,
            "received_at": moment_text(source.received_at) if source.received_at else None,
            "plan_version": source.plan_version,
            "events": source.events,
            "report": source.report or None,
        },
        "missing": list(one.missing),
        "returned": list(one.returned),
        "absent": list(one.absent),
        **_totals_json(one.totals),
    }


def _totals_json(totals: Totals) -> dict[str, Any]:
    """Figures and rates; money in 万元 as exact text, rates with their two sums."""

    def shown(name: str, value: Any) -> Any:
        if value is None:
            return None
        return wan_text(value) if FIGURES[name].kind is Kind.MONEY else _number(value)

    return {
        "figures": {name: shown(name, totals[name]) for name in FIGURES},
        "rates": {
            name: {
                "pct": None if share.pct is None else str(round(share.pct, 4)),
                "numerator": shown(rate.above, share.numerator),
                "denominator": shown(rate.below, share.denominator),
            }
            for name, rate in RATES.items()
            for share in [totals.rate(name)]
        },
    }


def _number(value: Any) -> Any:
    return value if isinstance(value, int) else str(value)
