"""The ledger as it is looked at: as of a moment or as an edition froze it, told by one registry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from sqlalchemy.engine import Engine

from ledger.home import Home
from ledger.recording.exports import export
from ledger.recording.model import MonthView
from ledger.recording.moments import AsOf
from ledger.recording.writers import Field
from ledger.registry import Registry
from schemas.month import Month

if TYPE_CHECKING:
    from ledger.recording.ledger import Ledger


@dataclass(frozen=True)
class Seen:
    """One look at a ledger. `as_of` None = now."""

    ledger: Ledger
    as_of: AsOf
    registry: Registry

    @classmethod
    def at(cls, ledger: Ledger, as_of: AsOf = None, registry: Registry | None = None) -> Self:
        """The ledger as of a moment, by the registry given or the present one."""
        return cls(ledger, as_of, registry or ledger.registry)

    @property
    def home(self) -> Home:
        return self.ledger.home

    @property
    def engine(self) -> Engine:
        return self.ledger.engine

    def view(self, month: Month) -> MonthView:
        """The month's view. Raises UsageError where the year has no plan."""
        return self.ledger.view(month, self.as_of, self.registry)

    def views_until(self, month: Month) -> list[MonthView]:
        """The views from the programme's first month of the year to `month`, in order."""
        return self.ledger.views_until(month, self.as_of, self.registry)

    def rows(self, month: Month, table: str, *, all_versions: bool = False) -> list[tuple[Field, ...]]:
        """The rows of an export of the month."""
        return export(
            self.ledger,
            month,
            table,
            as_of=self.as_of,
            all_versions=all_versions,
            told_by=self.registry,
        )[1]
