"""The roll-up as data: what a programme brings, what an area adds up. Frozen, without layout.

Amounts are int 分, counts int, sums of percentages and persons Decimal; None = not stated, never 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from ledger.reporting import figures
from schemas.month import Month
from schemas.rollup import FIGURES, RATES, Kind, Level, RateOf

Value = int | Decimal | None
_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Share:
    """A rate with its two sums. `pct` is None where the one is unknown or the other 0."""

    of: RateOf
    numerator: Value
    denominator: Value

    @property
    def pct(self) -> Decimal | None:
        if self.numerator is None or not self.denominator:
            return None
        share = Decimal(self.numerator) / Decimal(self.denominator)
        return share if self.of.mean else share * _HUNDRED

    @property
    def fraction(self) -> str:
        """``805/1500`` (万元), ``7/8``; of a mean how many are in it: ``8个``."""
        if self.of.mean:
            return f"{self.denominator or 0}个"
        return f"{_shown(self.of.above, self.numerator)}/{_shown(self.of.below, self.denominator)}"

    @property
    def text(self) -> str:
        """``支付率53.7%（805/1500）``; without a rate its name and a dash."""
        if self.pct is None:
            return f"{self.of.title}{figures.BLANK}"
        return f"{self.of.title}{figures.percent(self.pct)}（{self.fraction}）"


def _shown(name: str, value: Value) -> str:
    if isinstance(value, int) and FIGURES[name].kind is Kind.MONEY:
        return figures.wan(value)
    return figures.BLANK if value is None else str(value)


@dataclass(frozen=True)
class Totals:
    """Figures of one programme or of many: each the sum of what is stated.

    `stated` says how many programmes state a figure. `shares` are each rate's two sums, taken over
    the programmes that state the denominator: what is paid where nothing was planned counts as
    paid, and not towards the rate.
    """

    programmes: int
    reported: int
    values: Mapping[str, Value]
    stated: Mapping[str, int]
    shares: Mapping[str, tuple[Value, Value]]

    def __getitem__(self, name: str) -> Value:
        return self.values[name]

    def count(self, name: str) -> int:
        """A figure that is a count; 0 where nobody states it."""
        return int(self.values[name] or 0)

    def fen(self, name: str) -> int | None:
        """A figure that is an amount, 分."""
        value = self.values[name]
        return None if value is None else int(value)

    def number(self, name: str) -> Decimal | None:
        value = self.values[name]
        return None if value is None else Decimal(value)

    def rate(self, name: str) -> Share:
        return Share(RATES[name], *self.shares[name])


def totals_of(values: Mapping[str, Value], *, reported: bool) -> Totals:
    """One programme's totals from its figures, by the names of schemas.rollup."""
    known = {name: values[name] for name in FIGURES}
    shares: dict[str, tuple[Value, Value]] = {}
    for name, rate in RATES.items():
        below = known[rate.below]
        shares[name] = (known[rate.above], below) if below is not None else (None, None)
    stated = {name: int(value is not None) for name, value in known.items()}
    return Totals(1, int(reported), known, stated, shares)


def add(parts: Iterable[Totals]) -> Totals:
    """The totals of several together; of none, nothing stated."""
    parts = tuple(parts)
    return Totals(
        programmes=sum(part.programmes for part in parts),
        reported=sum(part.reported for part in parts),
        values={name: _sum(part.values[name] for part in parts) for name in FIGURES},
        stated={name: sum(part.stated[name] for part in parts) for name in FIGURES},
        shares={
            name: (
                _sum(part.shares[name][0] for part in parts),
                _sum(part.shares[name][1] for part in parts),
            )
            for name in RATES
        },
    )


def _sum(values: Iterable[Value]) -> Value:
    known = [value for value in values if value is not None]
    if not known:
        return None
    total: int | Decimal = 0
    for value in known:
        total += value
    return total


@dataclass(frozen=True, slots=True)
class Source:
    """Where a programme's figures come from: its last issued edition, or the draft after it.

    `events` is the number of the last event of its ledger, `received_at` the last receipt's moment
    of the month, `report` its own report relative to the homes' folder ('' where none is written).
    """

    edition: int | None
    draft: bool
    received_at: datetime | None
    plan_version: int
    events: int
    report: str = ""

    @property
    def text(self) -> str:
        """第1版, 草稿, 第2版草稿."""
        if not self.draft:
            return f"第{self.edition}版"
        return f"第{self.edition + 1}版草稿" if self.edition else "草稿"


@dataclass(frozen=True, slots=True)
class Programme:
    """One programme's month: `folder` is its home relative to the homes' folder."""

    folder: str
    name: str
    county: str
    province: str
    prefecture: str
    totals: Totals
    source: Source
    missing: tuple[str, ...]
    returned: tuple[str, ...]
    red: tuple[str, ...]
    time_progress: Decimal
    sample: bool = False

    @property
    def reported(self) -> bool:
        return bool(self.totals.reported)

    @property
    def absent(self) -> tuple[str, ...]:
        """The figures that neither the plan nor the reports state, by name."""
        return tuple(name for name, value in self.totals.values.items() if value is None)


@dataclass(frozen=True, slots=True)
class Unread:
    """A programme that could not be counted, and why."""

    folder: str
    county: str
    province: str
    prefecture: str
    reason: str


@dataclass(frozen=True, slots=True)
class Area:
    """A prefecture, a province or the nation: its totals and what is in it, worst first.

    `areas` are those of the next level; a prefecture has none. `province` and `prefecture` say
    where it is, '' above its level and where programmes do not say.
    """

    level: Level
    name: str
    province: str
    prefecture: str
    totals: Totals
    areas: tuple[Area, ...]
    programmes: tuple[Programme, ...]
    unread: tuple[Unread, ...]

    def each(self) -> Iterable[Area]:
        """This area and all in it, from above."""
        yield self
        for area in self.areas:
            yield from area.each()


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the page's tables: an area or a programme by name."""

    name: str
    totals: Totals
    unread: int
    single: bool


@dataclass(frozen=True, slots=True)
class Card:
    """A key figure: name, figure, unit and what it is made of."""

    name: str
    figure: str
    unit: str
    detail: str


@dataclass(frozen=True, slots=True)
class Table:
    """The areas of one level with their lines, worst first; `count` of them in all, where not every
    one is on the page."""

    title: str
    head: str
    lines: tuple[Line, ...]
    count: int

    def rows(self, sum_of_all: Totals) -> list[tuple[str, Totals]]:
        """Each line's name and totals, 合计 at the end."""
        return [*((line.name, line.totals) for line in self.lines), ("合计", sum_of_all)]


@dataclass(frozen=True, slots=True)
class Words:
    """The words of whoever rolls up (rollup.toml); blank where none are given."""

    masthead: str
    issuer: str
    title: str


@dataclass(frozen=True, slots=True)
class RollUp:
    """One area's document for one month."""

    month: Month
    area: Area
    words: Words
    title: str
    day: date
    sample_notice: str
    conclusion: str
    cards: tuple[Card, ...]
    overview: tuple[str, ...]
    tables: tuple[Table, ...]
    gaps: tuple[str, ...]
    behind: tuple[tuple[str, str, str], ...]
    behind_count: int
    programmes: tuple[Programme, ...]
    programmes_count: int
    unread: Sequence[Unread]
