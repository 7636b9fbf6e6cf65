"""PostgreSQL stopped or cut off in mid-transaction: the figures of that event are not there, the
message says what to do, and the next run applies them."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from ledger.errors import LedgerError
from ledger.home import Home
from ledger.recording import tables
from ledger.recording.exports import export
from ledger.recording.fold import Fold
from ledger.recording.ledger import Ledger
from ledger.recording.rebuild import verify
from schemas.month import Month
from tests import postgres
from tests.fake_programme import P1, P2, REGISTRY, TOOLS, A, new_home, write_file, write_plan
from tests.faulty import RECEIVED, nothing_is_lost

JUNE = Month(2018, 6)
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def own_server() -> Iterator[postgres.Server]:
    """A server that may be stopped, and that writes through to the disk."""
    if not postgres.is_installed():
        pytest.skip("PostgreSQL is not installed")
    with postgres.server("fsync=on") as running:
        yield running


@pytest.fixture
def home(tmp_path: Path, own_server: postgres.Server) -> tuple[Home, str]:
    url = own_server.database()
    home = new_home(tmp_path / "home")
    with Ledger.open(home, REGISTRY, url=url, tools=TOOLS) as ledger:
        ledger.register_plan(write_plan(tmp_path), 2018, RECEIVED)
    return home, url


@pytest.fixture
def strikes() -> Iterator[list[Callable[[], None]]]:
    """Strikes due, in order: each happens once, when an event's rows are written, not committed."""
    due: list[Callable[[], None]] = []

    def before(connection: object, cursor: object, statement: str, *_: object) -> None:
        if due and statement.startswith("INSERT INTO projects_rows"):
            due.pop(0)()

    sa.event.listen(sa.engine.Engine, "before_cursor_execute", before)
    yield due
    sa.event.remove(sa.engine.Engine, "before_cursor_execute", before)


def put_right(home: Home, url: str, acknowledged: dict[int, str]) -> None:
    """Nothing is lost, no half event is there, and the next run applies what is missing."""
    nothing_is_lost(home, acknowledged)
    engine = sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        connection.exec_driver_sql("SET search_path TO ledger")
        assert connection.execute(sa.select(tables.table_versions)).all() == []
        assert connection.execute(sa.select(tables.submissions)).all() == []
        assert connection.execute(sa.select(tables.receipts)).all() == []
    engine.dispose()
    with Ledger.open(home, REGISTRY, url=url, tools=TOOLS) as ledger:
        assert len(ledger.catch_up()) == 1
        assert len(export(ledger, JUNE, "projects")[1]) == 2
    assert verify(home, REGISTRY, url=url, tools=TOOLS).differences == []


def received(home: Home, url: str, folder: Path) -> tuple[Ledger, dict[int, str]]:
    book = write_file(folder / "1.json", A, "2018-06", projects={P1: {"fiscal_paid_cum_fen": 5}, P2: {}})
    ledger = Ledger.open(home, REGISTRY, url=url, tools=TOOLS)
    (one,) = ledger.receive([book], RECEIVED)
    return ledger, {one.seq: one.sha256}


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["shutdown", "power failure"])
def test_the_server_stops(
    home: tuple[Home, str],
    own_server: postgres.Server,
    strikes: list[Callable[[], None]],
    how: signal.Signals,
    tmp_path: Path,
) -> None:
    ledger, acknowledged = received(*home, tmp_path)
    strikes.append(lambda: own_server.stop(how))
    with ledger, pytest.raises(LedgerError, match="重新运行"):
        ledger.catch_up()
    assert strikes == []
    with (
        Ledger.open(home[0], REGISTRY, url=home[1], tools=TOOLS) as again,
        pytest.raises(LedgerError, match="数据库") as refused,
    ):
        again.catch_up()
    assert refused.value.exit_code == 5
    own_server.start("fsync=on")
    put_right(*home, acknowledged)


def test_the_connection_is_cut(
    home: tuple[Home, str], strikes: list[Callable[[], None]], tmp_path: Path
) -> None:
    ledger, acknowledged = received(*home, tmp_path)
    engine = sa.create_engine(sa.make_url(home[1]).set(drivername="postgresql+psycopg"))

    def cut() -> None:
        with engine.connect() as other:
            other.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    strikes.append(cut)
    with ledger, pytest.raises(LedgerError, match="重新运行"):
        ledger.catch_up()
    engine.dispose()
    assert strikes == []
    put_right(*home, acknowledged)


def test_another_machine_writes_the_same_event(home: tuple[Home, str], tmp_path: Path) -> None:
    """Two machines whose locks fail them: one writes, the other is refused, nothing is doubled."""
    ledger, acknowledged = received(*home, tmp_path)
    with ledger, Ledger.open(home[0], REGISTRY, url=home[1], tools=TOOLS) as other:
        late = Fold(ledger.engine, home[0], REGISTRY, TOOLS)
        assert len(Fold(other.engine, home[0], REGISTRY, TOOLS).run()) == 1
        with pytest.raises(LedgerError, match="另一台机器") as refused:
            late.run()
        assert refused.value.exit_code == 4
    nothing_is_lost(home[0], acknowledged)
    assert verify(home[0], REGISTRY, url=home[1], tools=TOOLS).differences == []
