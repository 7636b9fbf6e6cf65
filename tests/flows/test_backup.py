"""Backup while files come in, restore elsewhere; what is damaged is refused and nothing is half done."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.approve import approve_month
from flows.backup import back_up_home, restore_home
from flows.export import export_bytes
from flows.monthly import run_month
from flows.opened import open_ledger
from flows.plan import register
from flows.receive import receive_files
from ledger.calendar import parse_moment
from ledger.errors import Damaged, LedgerError, UsageError
from ledger.home import Home
from ledger.recording.archive import opened, prove_archive
from ledger.recording.backup import back_up
from ledger.recording.database import URL_VARIABLE
from ledger.recording.events import originals_of
from ledger.recording.journal import Journal
from ledger.recording.originals import hash_file
from ledger.recording.restoring import restore_files
from schemas.month import Month
from tests.faulty import Killer, copied, ended, in_child, ledger, mounted, nothing_is_lost, said
from tests.other_county import HOME, PLAN
from tests.workbooks import make_book

MONTH = Month(2019, 4)
UNIT = "石桥铺镇"
#: unpacked from an archive made on a Chinese Windows: GBK bytes, no UTF-8
FOREIGN = os.fsdecode("官店镇.xlsx".encode("gbk"))


def silent(_: str) -> None:
    return None


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A small county's home with April issued and a later correction."""
    folder = tmp_path_factory.mktemp("base")
    home = Home(folder / "office")
    shutil.copytree(HOME, home.root)
    register(home, PLAN, 2019)
    book(home, folder, "2019-05-03T09:00")
    run_month(home, MONTH)
    approve_month(home, MONTH, "张三", parse_moment("2019-05-09T09:00"))
    book(home, folder, "2019-05-19T09:00", paid=3.65, reason="支付凭证录入有误")
    home.drop(MONTH).mkdir()
    (home.drop(MONTH) / FOREIGN).write_bytes(b"no workbook")
    home.settings.write_text("[schedule]\nforms_day = 24\n", encoding="utf-8")
    return home


def book(home: Home, folder: Path, at: str, paid: float = 3.6, reason: str = "") -> None:
    """One more workbook received, as of a month with 3.6 万元 paid; each has another content."""
    row = {
        "item_name": "石桥铺镇茶叶初制所",
        "status": "在建",
        "start_actual": "2019年3月",
        "progress_pct": 10,
        "fiscal_received_cum": 180,
        "self_received_cum": 0,
        "invested_cum": paid,
        "fiscal_paid_month": 1.8,
        "self_paid_month": 0,
        "fiscal_paid_cum": paid,
        "self_paid_cum": 0,
    }
    cover = {"更正说明": reason, "填报日期": at[:10]}
    path = make_book(folder / f"{at[:10]}.xlsx", UNIT, "2019年4月", cover=cover, projects=[row])
    receive_files(home, [path], parse_moment(at), None)


def shown(home: Home) -> dict[str, bytes]:
    """All exports, and every issued file."""
    given = {"as_of": None, "excel_safe": False}
    found = {
        f"{table} {every}": export_bytes(home, MONTH, table, "csv", all_versions=every, **given)
        for table in ("projects", "needs", "indicators", "submissions", "findings", "corrections")
        for every in (False, True)
    }
    pages = {
        str(path.relative_to(home.root)): path.read_bytes()
        for path in home.reports(MONTH).rglob("*")
        if path.is_file() and "第1版" in str(path)
    }
    assert any(name.endswith(".pdf") for name in pages)
    return found | pages


def test_restored_elsewhere_all_is_as_it_was(base: Home, tmp_path: Path) -> None:
    made = back_up_home(base, tmp_path / "disk", None, progress=silent)
    done = restore_home(made.path, tmp_path / "other" / "place", progress=silent)
    assert done.sound
    assert shown(done.home) == shown(base)
    assert (done.home.drop(MONTH) / FOREIGN).read_bytes() == b"no workbook"
    assert done.home.settings.read_text() == base.settings.read_text()
    assert "forms_day" not in made.path.name and str(tmp_path) not in made.manifest.dump().decode()
    event = next(done.home.journal.iterdir())
    assert event.stat().st_mode & 0o777 == 0o444
    # and it works on
    book(done.home, tmp_path, "2019-05-20T09:00", paid=3.7, reason="再次核实")
    with open_ledger(done.home) as ledger_now:
        assert ledger_now.catch_up()


def test_a_restored_home_leaves_the_offices_database_alone(
    base: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = back_up_home(base, tmp_path / "disk", None, progress=silent)
    office = tmp_path / "office.db"
    monkeypatch.setenv(URL_VARIABLE, f"sqlite:///{office}")
    done = restore_home(made.path, tmp_path / "tried", progress=silent)
    assert done.sound and done.home.database.is_file()
    assert not office.exists()
    assert any(URL_VARIABLE in line for line in done.lines)


def test_while_files_come_in(base: Home, tmp_path: Path) -> None:
    """Thirty receipts during five backups: each backup is one moment of the journal, whole."""
    home = copied(base, tmp_path / "office")
    stop = threading.Event()

    def come_in() -> None:
        for day in range(1, 31):
            book(home, tmp_path, f"2019-06-{day:02d}T09:00", reason=f"第{day}次")
        stop.set()

    coming = threading.Thread(target=come_in)
    coming.start()
    made = []
    while not stop.is_set() or not made:
        made.append(back_up(home, tmp_path / "disk" / f"{len(made)}.zip"))
    coming.join()
    assert len({manifest.upto for manifest in made}) > 1, "no receipt fell between two backups"
    for number, manifest in enumerate(made):
        with opened(tmp_path / "disk" / f"{number}.zip") as archive:
            there = {entry.path: entry.sha256 for entry in archive.manifest.entries}
        assert sum(path.startswith("data/raw/journal/") for path in there) == manifest.upto
        for event in list(Journal(home.journal).events())[: manifest.upto]:
            assert there[f"data/raw/journal/{event.name}"] == event.sha256
            for sha256, ext in originals_of(event):
                assert there[f"data/raw/originals/{sha256}.{ext}"] == sha256
    assert restore_home(tmp_path / "disk" / "0.zip", tmp_path / "again", progress=silent).sound


def test_only_its_own_older_backups_are_removed(base: Home, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    other = disk / f"ledger-{base.root.name}-20180101-000000.zip"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("letter.txt", "not a backup")
    by_hand = disk / "before-the-move.zip"
    back_up(base, by_hand)
    for day in (1, 2, 3):
        back_up(base, disk / f"ledger-{base.root.name}-2018070{day}-080000.zip")
    made = back_up_home(base, disk, 2, progress=silent)
    assert [path.name[-19:] for path in made.removed] == ["20180701-080000.zip", "20180702-080000.zip"]
    assert sorted(path.name for path in disk.iterdir()) == sorted(
        [other.name, by_hand.name, f"ledger-{base.root.name}-20180703-080000.zip", made.path.name]
    )


def test_nothing_is_overwritten(base: Home, tmp_path: Path) -> None:
    target = tmp_path / "office.zip"
    target.write_bytes(b"the only copy of something")
    with pytest.raises(UsageError, match="不覆盖"):
        back_up_home(base, target, None, progress=silent)
    assert target.read_bytes() == b"the only copy of something"
    with pytest.raises(UsageError, match="data/raw"):
        back_up_home(base, base.raw / "backups", None, progress=silent)
    with pytest.raises(UsageError, match="--keep"):
        back_up_home(base, tmp_path / "other.zip", 3, progress=silent)
    back_up(base, tmp_path / "good.zip")
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "letter.txt").write_text("mine")
    with pytest.raises(UsageError, match="空文件夹"):
        restore_home(tmp_path / "good.zip", tmp_path / "used", progress=silent)
    assert [path.name for path in (tmp_path / "used").iterdir()] == ["letter.txt"]


def test_a_damaged_home_makes_no_backup(base: Home, tmp_path: Path) -> None:
    home = copied(base, tmp_path / "office")
    original = next(path for path in home.originals.iterdir() if path.suffix == ".xlsx")
    whole = original.read_bytes()
    original.chmod(0o644)
    original.write_bytes(whole[:-1] + b"x")
    with pytest.raises(Damaged, match=original.name):
        back_up(home, tmp_path / "disk" / "a.zip")
    original.unlink()
    with pytest.raises(Damaged, match=original.name):
        back_up(home, tmp_path / "disk" / "a.zip")
    original.write_bytes(whole)
    event = sorted(home.journal.iterdir())[0]
    event.chmod(0o644)
    event.write_bytes(event.read_bytes().replace(b"}", b" }"))
    with pytest.raises(Damaged, match="日志"):
        back_up(home, tmp_path / "disk" / "a.zip")
    assert list((tmp_path / "disk").iterdir()) == []


def place_of(archive: Path, member: str) -> int:
    """Where a member's own bytes lie in the zip."""
    with zipfile.ZipFile(archive) as inside:
        info = inside.getinfo(member)
        with archive.open("rb") as file:
            file.seek(info.header_offset + 26)
            name, extra = (int.from_bytes(file.read(2), "little") for _ in range(2))
        return info.header_offset + 30 + name + extra + info.compress_size // 2


@pytest.mark.parametrize(
    "part", ["data/raw/journal/", "data/raw/originals/", "data/raw/registry/", "ledger.toml"]
)
def test_a_damaged_archive_is_refused_by_name(base: Home, tmp_path: Path, part: str) -> None:
    archive = tmp_path / "office.zip"
    manifest = back_up(base, archive)
    entry = next(one for one in manifest.entries if one.path.startswith(part))
    data = bytearray(archive.read_bytes())
    data[place_of(archive, entry.member)] ^= 0x10
    archive.write_bytes(data)
    with pytest.raises(Damaged, match=entry.path.rpartition("/")[2]):
        restore_home(archive, tmp_path / "new", progress=silent)
    assert not (tmp_path / "new").exists()


def test_a_changed_archive_is_refused(base: Home, tmp_path: Path) -> None:
    """Cut short, a file taken out, one put in, another's content under its name, a path that leads out."""
    archive = tmp_path / "office.zip"
    manifest = back_up(base, archive)
    whole = archive.read_bytes()
    with zipfile.ZipFile(archive) as inside:
        members = {name: inside.read(name) for name in inside.namelist()}
    victim = next(one.member for one in manifest.entries if "originals" in one.path)
    tried = {
        "cut": (whole[: len(whole) // 2], "不完整"),
        "empty": (b"", "不完整"),
        "missing": ({name: data for name, data in members.items() if name != victim}, "不见了"),
        "more": (members | {"data/raw/journal/999999-received.json": b"{}"}, "不在清单中"),
        "other": (members | {victim: b"something else"}, "校验值"),
        "out": (
            {
                name.replace(victim, "data/raw/../../up"): data.replace(victim.encode(), b"data/raw/../../up")
                for name, data in members.items()
            },
            "不是数据文件夹",
        ),
    }
    for name, (content, words) in tried.items():
        changed = tmp_path / f"{name}.zip"
        if isinstance(content, bytes):
            changed.write_bytes(content)
        else:
            with zipfile.ZipFile(changed, "w") as inside:
                for member, data in content.items():
                    inside.writestr(member, data)
        with pytest.raises(Damaged, match=words):
            restore_home(changed, tmp_path / "new", progress=silent)
        assert not (tmp_path / "new").exists(), name
    strange = tmp_path / "strange.zip"
    with zipfile.ZipFile(strange, "w") as inside:
        inside.writestr("a.txt", "a")
    with pytest.raises(UsageError, match="不是 ledger backup"):
        restore_home(strange, tmp_path / "new", progress=silent)


def test_every_bit_counts(base: Home, tmp_path: Path) -> None:
    """One bit turned anywhere is either found, or changes nothing that is restored."""
    archive = tmp_path / "office.zip"
    manifest = back_up(base, archive)
    whole = archive.read_bytes()
    found = 0
    for place in range(7, len(whole), len(whole) // 150):
        data = bytearray(whole)
        data[place] ^= 1 << (place % 8)
        archive.write_bytes(data)
        try:
            assert prove_archive(archive) == manifest, place
        except LedgerError:
            found += 1
    assert found > 140


def test_a_full_disk(base: Home, tmp_path: Path) -> None:
    back_up(base, tmp_path / "good.zip")
    with mounted(tmp_path / "disk", "-t", "tmpfs", "-o", "size=400k", "none") as disk:
        said(ledger(base.root, "backup", str(disk / "backups")), 5, "磁盘已满")
        assert list((disk / "backups").iterdir()) == []
        said(ledger(base.root, "restore", str(tmp_path / "good.zip"), str(disk / "home")), 5, "磁盘已满")
        assert not (disk / "home").exists()
    nothing_is_lost(base, {})


def test_a_restore_that_was_killed_can_be_repeated(base: Home, tmp_path: Path) -> None:
    back_up(base, tmp_path / "good.zip")
    left = tmp_path / "new" / ".restoring" / "data" / "raw" / "journal"
    left.mkdir(parents=True)
    (left / "000001-received.json").write_text("half")
    done = restore_home(tmp_path / "good.zip", tmp_path / "new", progress=silent)
    assert done.sound and not (tmp_path / "new" / ".restoring").exists()


def killed_everywhere(work: Callable[[int], None], after: Callable[[int], None]) -> int:
    """Do `work` again and again, killed at its first durable step, its second … until it is done."""
    for number in range(1, 60):
        killer = Killer(number)

        def armed(killer: Killer = killer, number: int = number) -> None:
            with killer.armed():
                work(number)

        code = ended(in_child(armed))
        assert code in (0, -signal.SIGKILL), code
        after(number)
        if code == 0:
            return number
    raise AssertionError("never done")


def test_a_backup_that_is_killed_leaves_none_or_a_whole_one(base: Home, tmp_path: Path) -> None:
    def look(number: int) -> None:
        target = tmp_path / f"{number}.zip"
        if target.exists():
            assert prove_archive(target).upto == Journal(base.journal).last_seq()

    assert killed_everywhere(lambda number: void(back_up(base, tmp_path / f"{number}.zip")), look) > 4


def test_a_restore_that_is_killed_leaves_none_or_a_whole_one(base: Home, tmp_path: Path) -> None:
    manifest = back_up(base, tmp_path / "good.zip")

    def look(number: int) -> None:
        folder = tmp_path / str(number)
        if not (folder / "data").exists():
            restore_files(tmp_path / "good.zip", folder)  # and it can be done again
        for entry in manifest.entries:
            assert hash_file(folder / entry.path) == entry.sha256

    steps = killed_everywhere(
        lambda number: void(restore_files(tmp_path / "good.zip", tmp_path / str(number))), look
    )
    assert steps > 2


def void(_: object) -> None:
    return None


def test_the_commands(base: Home, tmp_path: Path) -> None:
    made = ledger(base.root, "backup", str(tmp_path / "disk"), "--keep", "3")
    assert made.returncode == 0, made.stderr
    (archive,) = (tmp_path / "disk").iterdir()
    assert archive.name in made.stdout
    assert archive.stat().st_mode & 0o077 == 0, "others may read it"
    done = ledger(tmp_path, "restore", str(archive), str(tmp_path / "new"))
    assert done.returncode == 0, done.stderr
    assert "核对完毕，没有发现问题" in done.stdout
    (log,) = (tmp_path / "new" / "data" / "logs").iterdir()
    assert '"what": "restore ended"' in log.read_text() and '"sound": true' in log.read_text()
    said(ledger(tmp_path / "nowhere", "backup"), 2, "data/raw")
