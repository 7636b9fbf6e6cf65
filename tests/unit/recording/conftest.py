"""A home with a plan, on SQLite and on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ledger.home import Home
from ledger.recording.ledger import Ledger
from tests.fake_programme import REGISTRY, TOOLS, new_home, write_plan

OpenLedger = Callable[[], Ledger]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return new_home(tmp_path / "home")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def open_ledger(request: pytest.FixtureRequest, home: Home) -> Iterator[OpenLedger]:
    """Opens the home's ledger, on either database."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None

    def opened() -> Ledger:
        return Ledger.open(home, REGISTRY, url=url, tools=TOOLS)

    yield opened


@pytest.fixture
def planned(open_ledger: OpenLedger, tmp_path: Path) -> OpenLedger:
    """The same, with the plan registered."""
    with open_ledger() as ledger:
        assert ledger.register_plan(write_plan(tmp_path), 2018).created
    return open_ledger
