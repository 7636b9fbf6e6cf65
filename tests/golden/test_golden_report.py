"""Golden reports for four months: a changed figure, word or tag shows up as a difference to read.

After a change that is meant: ``UPDATE_GOLDEN=1 pytest tests/golden`` and read the diff.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from golden_views import MONTHS, registry

from ledger.reporting.build import build_county_report
from ledger.reporting.html import county_html
from schemas.month import Month, PartialDate

_EXPECTED = Path(__file__).parent / "expected"
_STYLE = re.compile(r"<style>.*?</style>\n?", re.DOTALL)


def plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, Month | PartialDate):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, tuple | list):
        return [plain(each) for each in value]
    if isinstance(value, Decimal):
        return format(value.quantize(Decimal("0.000001")).normalize(), "f")
    if isinstance(value, Month | PartialDate):
        return str(value)
    if isinstance(value, date | datetime):
        return value.isoformat()
    return value


def compare(name: str, text: str) -> None:
    path = _EXPECTED / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.is_file(), f"no golden file {name}: run with UPDATE_GOLDEN=1 and read it"
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", list(MONTHS))
def test_model(name):
    report = build_county_report(MONTHS[name](), registry())
    compare(f"{name}.json", json.dumps(plain(report), ensure_ascii=False, indent=1) + "\n")


@pytest.mark.parametrize("name", list(MONTHS))
def test_html(name):
    html = county_html(build_county_report(MONTHS[name](), registry()))
    compare(f"{name}.html", _STYLE.sub("", html))


@pytest.mark.parametrize("name", list(MONTHS))
def test_the_same_views_give_the_same_page(name):
    first, second = (county_html(build_county_report(MONTHS[name](), registry())) for _ in range(2))
    assert first == second
