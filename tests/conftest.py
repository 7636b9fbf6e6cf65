"""A real PostgreSQL, started once for all tests that ask for it; with ``--database postgres`` the ledger
of every home that any test makes is in a database of its own there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.home import Home
from ledger.recording import database
from tests import postgres

#: What every Python that a test starts finds on its path then.
_IN_EVERY_PROCESS = Path(__file__).with_name("on_postgres")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        choices=["sqlite", "postgres"],
        default="sqlite",
        help="where every home's ledger is (default: the SQLite file in the home)",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--database") == "postgres":
        skip = pytest.mark.skip(reason="about the ledger's SQLite file")
        for item in items:
            if item.get_closest_marker("ledger_file"):
                item.add_marker(skip)
    # what takes long begins first, so that no worker is left alone with it at the end
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    if not postgres.is_installed():
        pytest.skip("PostgreSQL is not installed")
    with postgres.server() as running:
        yield running


@pytest.fixture
def postgres_url(postgres_server: postgres.Server) -> str:
    """An empty database's URL."""
    return postgres_server.database()


@pytest.fixture(scope="session", autouse=True)
def every_ledger_on_the_chosen_database(request: pytest.FixtureRequest) -> Iterator[None]:
    """In this process, in those that it forks and in every command that a test runs."""
    if request.config.getoption("--database") != "postgres":
        yield
        return
    server: postgres.Server = request.getfixturevalue("postgres_server")

    def url_of(home: Home) -> str:
        return os.environ.get(database.URL_VARIABLE) or postgres.url_of_home(server.address, home.root)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "configured_url", url_of)
        patch.setenv(postgres.SERVER, server.address)
        patch.setenv("PYTHONPATH", str(_IN_EVERY_PROCESS), prepend=os.pathsep)
        yield
