"""`ledger verify`: journal, originals and ledger proved against each other, the first fault named.

In this order, because each stands on the one before: the journal's chain; every original that it
names; what is in ``reports/`` of issued editions; the ledger's file, its events, its versions; and
last the ledger built again beside the present one, row for row. Nothing is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from ledger.errors import Damaged, UsageError
from ledger.home import Home
from ledger.recording import database, events
from ledger.recording.head import missing_end
from ledger.recording.journal import Event, Journal
from ledger.recording.originals import Originals, extension, hash_file
from ledger.recording.proof_ledger import Present, held, present_ledger, prove_records, prove_rows
from ledger.recording.proof_words import FROM_BACKUP, REBUILD, Fault, Proof, Wrong
from ledger.recording.tools import Tools
from ledger.registry import Registry
from schemas.month import Month


def prove(
    home: Home,
    registry: Registry,
    *,
    quick: bool = False,
    url: str | None = None,
    tools: Tools | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Proof:
    """Prove a home; nobody writes to it meanwhile. `quick` leaves out building the ledger again.

    Raises Busy where another program keeps the ledger, UsageError where there is no home,
    LedgerError where the database can't be reached.
    """
    if not home.journal.is_dir() and not home.database.exists() and not _originals_kept(home):
        raise UsageError("这里没有 data/raw/journal：不是数据文件夹，或还没有收过文件。请核对 --home。")
    proof = Proof()
    url = url or database.configured_url(home)
    try:
        with held(home, url), present_ledger(home, url) as present:
            progress("日志")
            journal = _journal(home, present, proof)
            progress("原件")
            _originals(home, journal, proof)
            _issued(home, journal, proof)
            progress("台帐")
            prove_records(home, url, present, journal, proof)
            if not quick:
                progress("重建并比较")
                prove_rows(home, registry, url, tools or Tools.real(), present, journal, proof)
    except Wrong as wrong:
        proof.fault = wrong.fault
    except Damaged as damage:
        what, _, remedy = damage.message.partition("。")
        proof.fault = Fault(f"{what}。", "", remedy or FROM_BACKUP)
    return proof


# --- the journal


def _journal(home: Home, present: Present, proof: Proof) -> Sequence[Event]:
    """Every event, the chain proved, each compared with what the ledger recorded of it."""
    journal = Journal(home.journal)
    found: list[Event] = []
    kept = _originals_kept(home)
    if not journal.names() and not present.seq and kept:
        where = home.relative(home.journal)
        what = f"日志 {where} 里一个事件也没有，原件却有 {kept} 个：日志不见了。"
        remedy = "请从备份恢复 data/raw/journal；头一次收件就中断了的，再收一次即可。"
        raise Wrong(what, where, remedy)
    for name in journal.names():
        event = journal.event(name)
        where = home.relative(home.journal / name)
        before = found[-1] if found else None
        if event.previous != (before.sha256 if before else None):
            raise _broken(home, before, event, present)
        found.append(event)
        silent = event.kind in events.NOT_APPLIED
        if present.applied and event.seq <= present.seq and not silent and event.seq not in present.applied:
            raise Wrong(f"日志 {name} 没有入账，而其后的事件已经入账。", where, REBUILD)
    changed = next((e for e in found if present.applied.get(e.seq, e.sha256) != e.sha256), None)
    if changed is not None:
        where = home.relative(home.journal / changed.name)
        if changed.seq == len(found):
            raise Wrong(f"日志 {changed.name} 与入账时不同：文件被改动过。", where, FROM_BACKUP)
        what = f"从第 {changed.seq} 号事件起，日志与台帐不是一套：日志换过，或台帐是别处的。"
        raise Wrong(what, where, "请核对 data/raw/journal 是不是原来那一份；是，则运行 ledger rebuild。")
    if present.seq > len(found):
        what = f"日志缺少第 {len(found) + 1} 号起的事件：台帐已经入账到第 {present.seq} 号。"
        raise Wrong(what, home.relative(home.journal), "请从备份恢复 data/raw/journal 中缺少的文件。")
    end = missing_end(home, journal)
    if end is not None:
        raise Wrong(f"{end[0]}。", home.relative(home.journal / end[1]), FROM_BACKUP)
    strange = [
        path.name
        for path in sorted(home.journal.glob("*"))
        if not path.name.startswith(".") and path.name not in {event.name for event in found}
    ]
    if strange:
        proof.notes.append(
            f"data/raw/journal 里有 {len(strange)} 个不是日志的文件（如 {strange[0]}），未理会。"
        )
    proof.counts["events"] = len(found)
    proof.lines.append(f"日志：{len(found)} 个事件，编号连续，前后校验值相接。")
    return found


def _broken(home: Home, before: Event | None, event: Event, present: Present) -> Wrong:
    """Which of two events that do not fit together was changed, where the ledger can tell."""
    if before is None:
        where = home.relative(home.journal / event.name)
        return Wrong(f"日志 {event.name} 不是第一个事件：前面的缺失或文件被改动过。", where, FROM_BACKUP)
    suspects = [before, event]
    if present.applied.get(before.seq, before.sha256) != before.sha256:
        suspects = [before]
    elif event.seq in present.applied and present.applied[event.seq] != event.sha256:
        suspects = [event]
    names = " 或 ".join(one.name for one in suspects)
    where = home.relative(home.journal / suspects[0].name)
    return Wrong(f"日志 {names} 被改动过：与相邻事件的校验值不符。", where, FROM_BACKUP)


# --- the originals


def _originals_kept(home: Home) -> int:
    return sum(not path.name.startswith(".") for path in home.originals.glob("*"))


def _named(event: Event) -> Iterator[tuple[str, str, str]]:
    """(SHA-256, ending, name) of every original that an event names."""
    payload = event.payload
    if payload.get("sha256") and payload.get("ext"):
        yield str(payload["sha256"]), str(payload["ext"]), str(payload.get("file_name", ""))
    for key in _KEPT.get(event.kind, ()):
        files = payload.get(key)
        for name, sha256 in files.items() if isinstance(files, Mapping) else ():
            yield str(sha256), extension(str(name)), str(name)
    for one in payload.get("attachments") or () if event.kind == events.MAIL_QUEUED else ():
        yield str(one["sha256"]), str(one["ext"]), str(one["name"])


#: The parts of an event that name files kept among the originals, SHA-256 by name.
_KEPT: Mapping[str, Sequence[str]] = {
    events.RECEIVED: (events.WITHIN,),
    events.REGISTRY: ("files",),
    events.APPROVED: ("registry", "files"),
    events.EDITION_ISSUED: ("registry", "files"),
}


def _originals(home: Home, journal: Sequence[Event], proof: Proof) -> None:
    """Every original that the journal names is there and is what was received."""
    originals = Originals(home.originals)
    proved: set[str] = set()
    for event in journal:
        for sha256, ext, name in _named(event):
            path = originals.path(sha256, ext)
            if path.name in proved:
                continue
            where = home.relative(path)
            told = f"原件 {where}（{name}，{_when(event)}）"
            if not path.is_file():
                raise Wrong(f"{told}不见了。", where, _remedy(home, sha256, where))
            if hash_file(path) != sha256:
                raise Wrong(f"{told}与收到时不同：文件被改动或损坏。", where, _remedy(home, sha256, where))
            proved.add(path.name)
    extra = [
        path.name
        for path in sorted(home.originals.glob("*"))
        if not path.name.startswith(".") and path.name not in proved
    ]
    if extra:
        proof.notes.append(
            f"原件中有 {len(extra)} 个日志没有提到（如 {extra[0]}）：收件中断时留下的，不影响台帐。"
        )
    proof.counts["originals"] = len(proved)
    proof.lines.append(f"原件：{len(proved)} 个，一个不少，都与收到时相同。")


def _when(event: Event) -> str:
    moment = str(event.payload.get("received_at") or event.recorded_at)
    return f"{moment[:16].replace('T', ' ')} 入库"


def _remedy(home: Home, sha256: str, where: str) -> str:
    """Where the same content still lies in a drop or plan folder, else the backup."""
    folders = [home.plans, home.own_registry, *(home.drop(month) for month in home.drop_months())]
    for folder in folders:
        for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
            if path.is_file() and hash_file(path) == sha256:
                return f"{home.relative(path)} 的内容与它相同：请把它复制为 {where}，再运行 ledger verify。"
    return FROM_BACKUP


def _standing_editions(journal: Sequence[Event]) -> list[Event]:
    """The events of the editions that stand: not withdrawn, each number once."""
    standing: dict[tuple[str, str], Event] = {}
    sent: set[tuple[str, str]] = set()
    for event in journal:
        key = (str(event.payload.get("month")), str(event.payload.get("edition")))
        match event.kind:
            case events.EDITION_ISSUED:
                standing.setdefault(key, event)
            case events.SENT | events.MAIL_QUEUED:
                sent.add(key)
            case events.APPROVAL_WITHDRAWN if key not in sent:
                standing.pop(key, None)
    return list(standing.values())


def _issued(home: Home, journal: Sequence[Event], proof: Proof) -> None:
    """The files of issued editions in ``reports/`` are what was issued."""
    count, missing = 0, 0
    for event in _standing_editions(journal):
        month, files = event.payload.get("month"), event.payload.get("files")
        if not month or not isinstance(files, Mapping):
            continue
        for name, sha256 in files.items():
            path = home.reports(Month.parse(str(month))) / str(name)
            count += 1
            if not path.is_file():
                missing += 1
            elif hash_file(path) != sha256:
                where = home.relative(path)
                again = f"ledger run {month} --edition {event.payload.get('edition')}"
                raise Wrong(
                    f"{where} 与签发时不同：文件被改动过。", where, f"请把它移开，再运行 {again} 恢复。"
                )
    if missing:
        proof.notes.append(
            f"已签发的 {missing} 个报告文件不在 reports/ 中；用 ledger run 月份 --edition 版 恢复。"
        )
    if count:
        proof.counts["issued_files"] = count
        proof.lines.append(f"已签发的报告：{count - missing} 个文件，都与签发时相同。")
