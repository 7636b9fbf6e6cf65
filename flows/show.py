"""What the commands print for people: Chinese, tables, colour where the terminal has it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ledger.checking.model import Verdict
from schemas.finding import Finding, Severity
from schemas.tables import TABLES

if TYPE_CHECKING:
    from flows.approve import Approval, SetAgain
    from flows.check import CheckOutcome
    from flows.monthly import MonthOutcome
    from flows.plan import PlanOutcome
    from ledger.recording.withdrawn import Withdrawal

_SEVERITY = {
    Severity.ERROR: ("错误", "bold red"),
    Severity.WARNING: ("提示", "yellow"),
    Severity.INFO: ("说明", "dim"),
}
_VERDICT = {
    Verdict.ACCEPTED: ("全部采用", "green"),
    Verdict.IN_PART: ("部分采用，其余退回", "yellow"),
    Verdict.RETURNED: ("退回", "bold red"),
}
_STATE = {
    "missing": ("未报", "bold red"),
    "received": ("已收，待核对", "yellow"),
    "returned": ("已退回", "bold red"),
    "in_part": ("部分采用", "yellow"),
    "accepted": ("已采用", "green"),
    "nil": ("零报告", "green"),
}
#: columns of a terminal from which a table of findings can be read
_WIDE = 110
_TABLE_NAMES = {key: f"{table.number} {table.title}" for key, table in TABLES.items()}


def _console() -> Console:
    return Console(highlight=False, soft_wrap=False, width=None)


def _findings(console: Console, findings: Sequence[Finding]) -> None:
    """A table where the terminal is wide enough for one, else one finding a paragraph."""
    if findings and console.width >= _WIDE:
        table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 0, 0))
        for title in ("程度", "规则", "单元格"):
            table.add_column(title, no_wrap=True)
        table.add_column("问题", ratio=3, overflow="fold")
        table.add_column("怎么办", ratio=2, overflow="fold")
        for finding in findings:
            word, style = _SEVERITY[finding.severity]
            place = finding.cell or (f"第{finding.row}行" if finding.row else "")
            table.add_row(
                Text(word, style=style), finding.rule, place, Text(finding.message), Text(finding.remedy)
            )
        console.print(table)
        return
    for finding in findings:
        word, style = _SEVERITY[finding.severity]
        console.print(Text.assemble((f"{word} {finding.rule}", style), "  ", finding.message), soft_wrap=True)
        console.print(Text(f"          → {finding.remedy}", style="dim"), soft_wrap=True)


def _counts(findings: Iterable[Finding]) -> str:
    counts = Counter(finding.severity for finding in findings)
    parts = [f"{_SEVERITY[severity][0]} {counts[severity]} 条" for severity in Severity if counts[severity]]
    return "，".join(parts) or "没有发现问题"


def plan(outcome: PlanOutcome) -> None:
    """The plan's discrepancies, one a line, and what was registered."""
    console = _console()
    if outcome.plan is None:
        console.print(f"{outcome.file}：没有登记。", style="bold red")
    else:
        items = Counter(item.table for item in outcome.plan.items)
        state = "已登记为" if outcome.created else "与已登记的相同："
        console.print(
            f"{outcome.file}：{state}{outcome.year}年计划第{outcome.plan.version}版，"
            f"援建项目 {items['projects']} 个、招商需求 {items['needs']} 个、指标 {items['indicators']} 项。"
        )
        if outcome.created and outcome.plan.version > 1 and outcome.effective is not None:
            _plan_changes(console, outcome)
    if outcome.plan is None:
        for finding in outcome.findings:  # their remedies are for units' workbooks
            console.print(f"  {finding.rule}  {finding.message}", markup=False, soft_wrap=True)
        console.print("请核对是不是计划表（附件1、附件2的表头），再登记一次。")
        return
    if outcome.findings:
        _findings(console, outcome.findings)
    console.print(
        f"{_counts(outcome.findings)}。存疑之处照原样保留，逐月列入报告，待计划更正后消除。"
        if outcome.findings
        else "没有发现问题。"
    )


def _plan_changes(console: Console, outcome: PlanOutcome) -> None:
    """From when an adjusted plan counts, and what it has otherwise than the version before."""
    assert outcome.effective is not None
    console.print(f"自{outcome.effective.chinese}月报起按此计划，以前各月仍按原计划。")
    changes = outcome.changes
    for word, items in (("新增", changes.added), ("取消", changes.dropped), ("改动", changes.changed)):
        if items:
            console.print(f"{word} {len(items)} 项：{'、'.join(items)}。", soft_wrap=True)
    if outcome.editions_due:
        console.print(f"已签发的月报因此应再出版：{'、'.join(outcome.editions_due)}。", style="yellow")
    for month in dict.fromkeys(month for month, _ in outcome.checked_again):
        names = "、".join(name for at, name in outcome.checked_again if at == month)
        console.print(
            f"{month.chinese}已收到的报送按此计划重新核对，问题有变化的单位：{names}。"
            f"运行 ledger run {month} 后随退回件告知；已被退回的行要由单位重报。",
            style="yellow",
            soft_wrap=True,
        )


def check(outcome: CheckOutcome) -> None:
    """Each file's verdict, its tables and its findings."""
    console = _console()
    for checked in outcome.files:
        submission = checked.submission
        word, style = _VERDICT[checked.verdict]
        unit = outcome.unit_names.get(submission.unit_code or "", "单位不明")
        month = submission.month.chinese if submission.month else "月份不明"
        console.print(Text.assemble((submission.file, "bold"), f"（{unit}，{month}）：", (word, style)))
        for table in checked.tables:
            if table.nil_report:
                console.print(f"  {_TABLE_NAMES[table.table]}：零报告")
            else:
                returned = table.rows_read - len(table.accepted)
                console.print(
                    f"  {_TABLE_NAMES[table.table]}：{table.rows_read} 行，"
                    f"采用 {len(table.accepted)} 行，退回 {returned} 行"
                )
        _findings(console, checked.findings)
        console.print(f"  {_counts(checked.findings)}")
    if len(outcome.files) > 1:
        verdicts = Counter(checked.verdict for checked in outcome.files)
        parts = [f"{_VERDICT[v][0]} {verdicts[v]} 份" for v in Verdict if verdicts[v]]
        console.print(f"共 {len(outcome.files)} 份：{'，'.join(parts)}")


def marked(copies: Iterable[Path]) -> None:
    for path in copies:
        _console().print(f"已标出问题：{path}", markup=False, soft_wrap=True)


def received(files: Iterable[Mapping[str, Any]]) -> None:
    console = _console()
    for one in files:
        again = "（此前收到过同一文件）" if one["seen_before"] else ""
        console.print(f"已收：{one['file']}  {one['received_at']}{again}", markup=False)


@contextmanager
def progress(quiet: bool) -> Iterator[Callable[[str], None]]:
    """Names each step on standard error as it starts; nothing where `quiet`."""
    console = Console(stderr=True, highlight=False, quiet=quiet)
    if not console.is_terminal:
        yield lambda step: console.print(f"… {step}", markup=False)
        return
    with console.status("准备") as status:
        yield status.update


def month(outcome: MonthOutcome) -> None:
    """What a run came to: who reported, what was returned, where the report is."""
    console = _console()
    standing = outcome.standing
    style = "green" if outcome.state == "Completed" else "yellow"
    console.print(
        Text.assemble(
            f"{standing.month}：新收 {len(outcome.received)} 份，新入账 {len(outcome.recorded)} 份。",
            (outcome.message + "。", style),
        )
    )
    if standing.late:
        console.print(f"迟报 {len(standing.late)} 家：{'、'.join(standing.late)}。")
    if standing.carried_forward:
        console.print(f"沿用上次数字 {len(standing.carried_forward)} 项，报告中已注明。")
    if standing.errors_count or standing.warnings_count:
        console.print(f"待处理：错误 {standing.errors_count} 条，提示 {standing.warnings_count} 条。")
    _editions(console, standing.month, standing.edition, standing.edition_due, standing.editions_due)
    for path in outcome.returns:
        console.print(f"退回  {path}", markup=False, soft_wrap=True)
    _reports(console, outcome.reports)


def _reports(console: Console, reports: Sequence[str]) -> None:
    """The month's own files one by one, those in a folder below (the units') by their number."""
    paths = [PurePosixPath(path) for path in reports]
    own = min((path.parent for path in paths), key=lambda path: len(path.parts), default=None)
    below = Counter(path.parent for path in paths if path.parent != own and path.suffix == ".pdf")
    for path in paths:
        if path.parent == own:
            console.print(f"报告  {path}", markup=False, soft_wrap=True)
    for folder, count in below.items():
        console.print(f"报告  {folder}/（{count} 家，各一份 PDF 和网页）", markup=False, soft_wrap=True)


def _editions(console: Console, month: str, edition: int | None, due: bool, others: Iterable[str]) -> None:
    """What was issued, and what is due after corrections."""
    if edition is not None:
        console.print(f"{month} 月报已签发第{edition}版。")
    if due and edition is not None:
        console.print(
            f"签发之后有更正，应出第{edition + 1}版：看过新草稿再 ledger approve（没有草稿的，先 ledger run {month}）。",
            style="yellow",
            soft_wrap=True,
        )
    rest = [name for name in others if not name.startswith(month)]
    if rest:
        console.print(f"受更正影响、也应再出的：{'、'.join(rest)}。", style="yellow")


def approval(done: Approval) -> None:
    """What was issued, what changed since the edition before."""
    console = _console()
    edition = done.edition
    day = f"{edition.at.year}年{edition.at.month}月{edition.at.day}日"
    name = f"{edition.month.chinese}月报第{edition.number}版"
    if done.issued:
        console.print(f"{name}已由{edition.by}签发（{day}）。", markup=False)
        for line in done.changes:
            console.print(f"  {line}", markup=False, soft_wrap=True)
    else:
        told = f"{name}已由{edition.by}于{day}签发，此后没有变化，不必再签发。"
        console.print(told, markup=False)
    _reports(console, done.files)


def withdrawal(back: Withdrawal) -> None:
    """Whose approval was taken back, and what comes next."""
    console = _console()
    console.print(_withdrawn(str(back.month), back.payload()), markup=False, soft_wrap=True)
    told = f"改好后先运行 ledger run {back.month}，看过草稿再 ledger approve，仍为第{back.edition}版。"
    console.print(told, markup=False, soft_wrap=True)


def _withdrawn(month: str, back: Mapping[str, Any], *, again: bool = False) -> str:
    """Whose approval was taken back; `again`: its number was approved once more since."""
    why = f"（{back['reason']}）" if back["reason"] else "（未说明原因）"
    when = back["at"][:16].replace("T", " ")
    since = "后来又签发了。" if again else ""
    return f"{month} 月报第{back['edition']}版的签发已由{back['by']}于 {when} 撤回{why}。{since}"


def set_again(again: SetAgain) -> None:
    """Whether an issued edition came out the same."""
    console = _console()
    name = f"{again.edition.month.chinese}月报第{again.edition.number}版"
    if again.differing:
        told = f"{name}：现在重出的与签发时不同（{'、'.join(again.differing)}），多半是程序换过版本。"
        console.print(f"{told}签发的文件已由存档照原样放回。", style="yellow", markup=False)
    else:
        console.print(f"{name}：重出的与签发时逐字节相同。", markup=False)
    _reports(console, again.files)


def status(standing: Mapping[str, Any]) -> None:
    """The units' table: state, when received, late or not, what is open."""
    console = _console()
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for title in ("单位", "情况", "首次收到", "首次采用", "按时", "错误", "提示"):
        table.add_column(title, no_wrap=True)
    for unit in standing["units"]:
        word, style = _STATE[unit["state"]]
        timely = {True: "按时", False: f"迟 {unit['days_late'] or 0} 天", None: ""}[unit["timely"]]
        table.add_row(
            unit["unit_name"],
            Text(word, style=style),
            (unit["first_received_at"] or "")[5:16].replace("T", " "),
            (unit["first_accepted_at"] or "")[5:16].replace("T", " "),
            timely,
            str(unit["errors_count"] or ""),
            str(unit["warnings_count"] or ""),
        )
    guessed = "" if standing["holidays_known"] else "，这一年的法定节假日程序还不知道，按周末推算"
    console.print(f"{standing['month']} 报送情况（截止 {(standing['deadline'] or '')[:10]}{guessed}）")
    console.print(table)
    console.print(
        f"应报 {standing['units_count']} 家，已采用 {len(standing['reported'])} 家，"
        f"未报 {len(standing['missing'])} 家，退回 {len(standing['returned'])} 家。"
    )
    nameless = [one["file"] for one in standing["submissions"] if not one["unit"]]
    if nameless:
        told = f"不知道是哪家报的 {len(nameless)} 份，已退回：{'、'.join(nameless)}。请问清后让单位写明报送单位再报。"
        console.print(told, style="yellow", markup=False, soft_wrap=True)
    _editions(
        console, standing["month"], standing["edition"], standing["edition_due"], standing["editions_due"]
    )
    for back in standing["withdrawn"]:
        again = back["edition"] <= (standing["edition"] or 0)
        console.print(_withdrawn(standing["month"], back, again=again), markup=False, soft_wrap=True)
    if standing["set_aside"]:
        console.print(f"收到而未收下 {len(standing['set_aside'])} 件（不是表格，或发件人未登记）：")
        for one in standing["set_aside"]:
            told = f"  {one['at'][5:16].replace('T', ' ')} {one['file']}——{one['why']}"
            console.print(told, markup=False, soft_wrap=True)
    for unit in standing["units"]:
        if unit["mended"]:
            console.print(f"{unit['unit_name']}已改正 {len(unit['mended'])} 处：", markup=False)
            for message in unit["mended"]:
                console.print(Text(f"  ✓ {message}", style="dim"), soft_wrap=True)
        if unit["remaining"]:
            console.print(f"{unit['unit_name']}待处理 {len(unit['remaining'])} 处：", markup=False)
            for message in unit["remaining"]:
                console.print(Text(f"  · {message}"), soft_wrap=True)
