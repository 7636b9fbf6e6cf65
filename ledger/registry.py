"""The registry: who reports, the programme's names and dates, the targets. Data, not code.

Three files in ``data/raw/registry/`` that the county keeps: ``programme.toml``, ``units.csv``
(code, name, kind, full_name, aliases) and ``targets.csv`` (the indicators where the plan has no
sheet 工作要点). Another county uses the same code with its own files.
"""

from __future__ import annotations

import csv
import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cached_property
from pathlib import Path
from typing import Any

from ledger.errors import UsageError
from ledger.home import Home
from schemas.month import Month
from schemas.tables import PLAN_TABLES

TOWNSHIP = "township"
DEPARTMENT = "department"


@dataclass(frozen=True, slots=True)
class Unit:
    """A reporting unit (报送单位): `code` is a township's 9-digit code or ``422822-slug``."""

    code: str
    name: str
    kind: str
    full_name: str
    aliases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """A quantified target of the plan's text; `responsible` are unit names, the first reports."""

    source: str
    indicator: str
    unit_of_measure: str
    target: Decimal
    responsible: tuple[str, ...]
    stated_in_text: bool
    period: str
    source_text: str
    note: str


#: White space and every character of Unicode's category Cf, the invisible ones.
_UNSEEN = re.compile(
    "[\\s\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064"
    "\u2066-\u206f\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f]+"
)


def fold_name(text: str) -> str:
    """A name for comparison: NFKC (brackets' width), no white space of any kind, lower case."""
    return _UNSEEN.sub("", unicodedata.normalize("NFKC", text)).lower()


@dataclass(frozen=True)
class Registry:
    """The registry as read. Raises UsageError while reading where a file can't be used."""

    programme: Mapping[str, Any]
    units: tuple[Unit, ...]
    targets: tuple[Target, ...]

    @classmethod
    def load(cls, home: Home) -> Registry:
        folder = home.registry
        with _told(folder / "programme.toml"):
            programme = tomllib.loads((folder / "programme.toml").read_text(encoding="utf-8-sig"))
        with _told(folder / "units.csv"):
            units = tuple(_unit(line) for line in _lines(folder / "units.csv"))
        with _told(folder / "targets.csv"):
            targets = tuple(_target(line) for line in _lines(folder / "targets.csv"))
        registry = cls(programme, units, targets)
        _ = registry.first_month, registry.issued, registry.defaults, registry.plan_headings
        return registry

    @property
    def year(self) -> int:
        return int(self.programme["plan"]["year"])

    @property
    def issued(self) -> date:
        """The day the plan was issued (P06)."""
        day = self.programme["plan"]["issued"]
        return day if isinstance(day, date) else date.fromisoformat(day)

    @cached_property
    def first_month(self) -> Month:
        return Month.parse(self.programme["plan"]["first_month"])

    @property
    def deadline_day(self) -> int:
        return int(self.programme.get("deadline", {}).get("day", 5))

    @cached_property
    def plan_headings(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """What this programme's plan calls its columns besides the known wordings, by export name.

        Raises UsageError for a name that no column of a plan has.
        """
        stated: Mapping[str, Any] = self.programme["plan"].get("headings", {})
        columns = {column.export_name for table in PLAN_TABLES.values() for column in table}
        if unknown := sorted(stated.keys() - columns):
            raise UsageError(
                f"登记资料 programme.toml 的 [plan.headings] 中没有“{'、'.join(unknown)}”这样的栏，"
                f"可用的有：{'、'.join(sorted(columns))}。"
            )
        return tuple(
            (name, (words,) if isinstance(words, str) else tuple(map(str, words)))
            for name, words in sorted(stated.items())
        )

    @property
    def place(self) -> tuple[str, str]:
        """Province and prefecture for the roll-up, each '' where programme.toml does not say."""
        stated: Mapping[str, Any] = self.programme.get("place", {})
        return str(stated.get("province", "")).strip(), str(stated.get("prefecture", "")).strip()

    @property
    def coordinating_unit(self) -> str:
        return str(self.programme["coordinating_unit"])

    @cached_property
    def defaults(self) -> Mapping[str, str]:
        """Who reports an item of a table for which no unit is named: unit codes by table key."""
        return {key: str(code) for key, code in self.programme["default_units"].items()}

    @cached_property
    def by_code(self) -> Mapping[str, Unit]:
        return {unit.code: unit for unit in self.units}

    @cached_property
    def names(self) -> Mapping[str, str]:
        """Registered short names by code."""
        return {unit.code: unit.name for unit in self.units}

    @cached_property
    def order(self) -> Mapping[str, int]:
        """A unit's place in the registry: the unit order of exports and reports."""
        return {unit.code: place for place, unit in enumerate(self.units)}

    @cached_property
    def _by_name(self) -> Mapping[str, str]:
        known: dict[str, str] = {}
        for unit in self.units:
            for name in (unit.code, unit.name, unit.full_name, *unit.aliases):
                known.setdefault(fold_name(name), unit.code)
        return known

    def find_unit(self, text: str) -> str | None:
        """The code of the unit that `text` names (name, alias or code), None where none does.

        White space and brackets' width do not matter; neither does the county's name in front.
        """
        name = fold_name(text)
        if name in self._by_name:
            return self._by_name[name]
        county = fold_name(str(self.programme.get("county", "")))
        if county and name.startswith(county):
            rest = name.removeprefix(county)
            for candidate in (rest, county[-1] + rest):
                if candidate in self._by_name:
                    return self._by_name[candidate]
        return None


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """What keeps a file of the registry from being read, as a UsageError that names it."""
    try:
        yield
    except (OSError, KeyError, UnicodeDecodeError, tomllib.TOMLDecodeError, InvalidOperation) as error:
        told = f"登记资料读不出来：{_why(path.name, error)}；请核对 {path.parent} 中的文件。"
        raise UsageError(told) from error


def _why(name: str, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return f"缺少 {name}"
    if isinstance(error, OSError):
        return f"打不开 {name}（{error.strerror}）"
    if isinstance(error, KeyError):
        return f"{name} 里没有 {error.args[0]} 一栏"
    if isinstance(error, UnicodeDecodeError):
        return f"{name} 不是 UTF-8 编码，请另存为 UTF-8（表格选“CSV UTF-8”）"
    if isinstance(error, tomllib.TOMLDecodeError):
        line = re.search(r"line (\d+)", str(error))
        return f"{name} {f'第 {line[1]} 行' if line else '末尾'}写法有误"
    return f"{name} 里有一个数写法不对"


def _lines(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [dict(line) for line in csv.DictReader(file, restval="")]


def _split(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split("|") if part)


def _unit(line: Mapping[str, str]) -> Unit:
    return Unit(line["code"], line["name"], line["kind"], line["full_name"], _split(line["aliases"]))


def _target(line: Mapping[str, str]) -> Target:
    return Target(
        source=line["source"],
        indicator=line["indicator"],
        unit_of_measure=line["unit_of_measure"],
        target=Decimal(line["target"]),
        responsible=_split(line["responsible_units"]),
        stated_in_text=line["stated_in_text"] == "true",
        period=line["period"],
        source_text=line["source_text"],
        note=line["note"],
    )
