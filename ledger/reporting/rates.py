"""Every rate with its numerator and denominator, and time's own progress (CONTRACT §5)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from ledger.reporting import figures
from schemas.month import Month

MONTHS_IN_YEAR = 12
_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate: `numerator` and `denominator` in 分 (`money`) or in items.

    The numerator is None where nothing of it was reported; `pct` is then None, as it is where
    the denominator is 0 or not stated.
    """

    name: str
    numerator: int | None
    denominator: int | None
    money: bool = True

    @property
    def pct(self) -> Decimal | None:
        if self.numerator is None or not self.denominator:
            return None
        return Decimal(self.numerator) * _HUNDRED / Decimal(self.denominator)

    @property
    def fraction(self) -> str:
        """``805/1500`` as printed behind the rate (万元 or items)."""
        if self.money:
            return f"{figures.wan(self.numerator)}/{figures.wan(self.denominator)}"
        return f"{figures.BLANK if self.numerator is None else self.numerator}/{self.denominator}"

    @property
    def text(self) -> str:
        """``支付率53.7%（805/1500）``; without a rate, its name and a dash."""
        if self.pct is None:
            return f"{self.name}{figures.BLANK}"
        return f"{self.name}{figures.percent(self.pct)}（{self.fraction}）"


def time_progress(month: Month, plan_year: int) -> Decimal:
    """序时进度 at the end of `month`: months gone ÷ 12, between 0 and 100."""
    gone = month.index - Month(plan_year, 1).index + 1
    return Decimal(min(max(gone, 0), MONTHS_IN_YEAR)) * _HUNDRED / MONTHS_IN_YEAR


def total(amounts: Iterable[int | None]) -> int | None:
    """The sum of what was reported; None where nothing was."""
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if known else None


def total_number(numbers: Iterable[Decimal | None]) -> Decimal | None:
    """The sum of what was reported; None where nothing was."""
    known = [value for value in numbers if value is not None]
    return sum(known, Decimal(0)) if known else None


def mean(values: Iterable[Decimal | None]) -> Decimal | None:
    """The plain mean of what is known; None where nothing is."""
    known = [value for value in values if value is not None]
    return sum(known, Decimal(0)) / len(known) if known else None


@dataclass(frozen=True, slots=True)
class Funds:
    """Planned, received and paid amounts (分) of one source of money over some items.

    Each sum leaves out what was not reported and is None where nothing was.
    """

    planned: int | None
    received: int | None
    paid: int | None

    @property
    def paid_rate(self) -> Rate:
        return Rate("支付率", self.paid, self.received)

    @property
    def paid_of_plan(self) -> Rate:
        return Rate("计划支付率", self.paid, self.planned)

    @property
    def received_rate(self) -> Rate:
        return Rate("到位率", self.received, self.planned)


def together(parts: Iterable[Funds]) -> Funds:
    """The funds of several items or sources as one."""
    parts = tuple(parts)
    return Funds(
        total(part.planned for part in parts),
        total(part.received for part in parts),
        total(part.paid for part in parts),
    )
