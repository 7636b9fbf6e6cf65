"""`ledger forms`: the prefilled workbooks of a month."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ledger import logs
from ledger.errors import UsageError
from ledger.home import Home
from ledger.recording.ledger import Ledger
from ledger.registry import Registry
from schemas.month import Month


def write(home: Home, month: Month, units: Sequence[str] = ()) -> list[Path]:
    """Write the forms of `month`, of `units` (names or codes) only where some are named.

    Raises UsageError for an unknown unit or where no plan is registered for the year.
    """
    from ledger.returning.forms import write_forms

    registry = Registry.load(home)
    codes = [_code(registry, unit) for unit in units] or None
    with Ledger.open(home, registry) as ledger:
        ledger.take_in_plans(month)
        ledger.catch_up()
        plan = ledger.require_plan(month.year, month)
        before = month.plus(-1)
        last = ledger.view(before) if before >= registry.first_month else None
    forms = write_forms(home, registry, plan, month, last, codes)
    logs.note(forms=len(forms))
    return forms


def _code(registry: Registry, unit: str) -> str:
    code = registry.find_unit(unit)
    if code is None:
        raise UsageError(f"登记资料中没有“{unit}”这个单位，请核对名称。")
    return code
