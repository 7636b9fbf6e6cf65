"""The commands of the month (CONTRACT §5); those of mail, office and roll-up stand in cli_*.py.

Bodies are thin: each loads what it needs when it is called. What is printed for people is in
flows/show.py.
"""

from __future__ import annotations

import io
import sys
import traceback
from datetime import datetime
from pathlib import Path

import click

from flows import cli_mail, cli_office, cli_rollup, usage
from flows.command import (
    DONE,
    DONE_WITH_ERRORS,
    FAULT,
    FILES,
    MOMENT,
    MONTH,
    command,
    main,
    print_json,
)
from ledger import collector
from ledger.calendar import SHANGHAI
from ledger.errors import LedgerError, UsageError
from ledger.home import Home
from schemas.month import Month

#: Whose commands join the group by being loaded.
NEIGHBOURS = (cli_mail, cli_office, cli_rollup)
FORMATS = ("csv", "json", "xlsx", "parquet")


@main.command("init")
@click.argument("folder", metavar="文件夹", type=click.Path(file_okay=False, path_type=Path))
@click.option("--home", hidden=True, type=click.Path(path_type=Path), help="（此命令以参数为准）")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON，供程序读取。")
def init(folder: Path, home: Path | None, as_json: bool) -> None:
    """新建一个数据文件夹（带样本登记资料，供修改）。"""
    from flows.init import make_home

    made = make_home(Home(folder.resolve()))
    if as_json:
        print_json({"home": str(folder), "made": made})
    else:
        click.echo(f"已建立 {folder}。" if made else f"{folder} 已经是数据文件夹，没有改动。")
        for line in made:
            click.echo(f"  {line}")
        click.echo("下一步：修改 data/raw/registry/ 中的登记资料，再用 ledger plan 登记计划。")


@command("plan")
@click.argument("file", metavar="计划文件", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--year", type=click.IntRange(1990, 2199), required=True, help="计划年度。")
@click.option(
    "--from", "first", type=MONTH, help="年中调整：从哪个月起按此计划（默认：已签发月报的下一个月）。"
)
@click.option("--effective", type=MOMENT, help="同上，写生效日期，从该日所在的月起。")
def plan(
    home: Home, as_json: bool, file: Path, year: int, first: Month | None, effective: datetime | None
) -> int:
    """核对并登记一份计划或调整后的计划；逐条列出存疑之处，不擅自改动。"""
    from flows import show
    from flows.plan import register

    if first is not None and effective is not None:
        raise UsageError("--from 和 --effective 只写一个。")
    if effective is not None:
        first = Month.of(effective.astimezone(SHANGHAI).date())
    outcome = register(home, file, year, first)
    if as_json:
        print_json(outcome.as_json())
    else:
        show.plan(outcome)
    return outcome.exit_code


@command("forms")
@click.argument("month", type=MONTH)
@click.option("--unit", "units", multiple=True, help="只出这个单位的（可重复）。")
@click.option("--send", is_flag=True, help="并发给名单（recipients.csv）上收预填表的各单位，每单位一次。")
def forms(home: Home, as_json: bool, month: Month, units: tuple[str, ...], send: bool) -> int:
    """生成各单位的预填表。"""
    from flows.forms import write

    if send:
        from flows.cli_mail import send_all_forms

        if units:
            raise UsageError("--send 发给名单上的所有单位，不与 --unit 同用。")
        return send_all_forms(home, as_json, month)
    paths = write(home, month, units)
    names = [home.relative(path) for path in paths]
    if as_json:
        print_json({"month": str(month), "forms": names})
    else:
        click.echo(f"{month.chinese}预填表 {len(names)} 份：")
        for name in names:
            click.echo(f"  {name}")
    return DONE


@command("check")
@FILES
@click.option("--month", type=MONTH, help="所报月份；不写时以文件为准。")
@click.option(
    "--marked",
    metavar="OUT",
    type=click.Path(path_type=Path),
    help="另存标出问题的工作簿：一个 .xlsx 文件名，或一个文件夹。",
)
def check(
    home: Home, as_json: bool, files: tuple[Path, ...], month: Month | None, marked: Path | None
) -> int:
    """报送前自查：只核对，不入账；除 --marked 外不写任何文件。"""
    from flows import show
    from flows.check import check_files, write_marked

    with show.progress(quiet=as_json or len(files) == 1) as progress:
        outcome = check_files(home, files, month, progress=progress)
    copies = write_marked(home, outcome, files, marked) if marked else []
    if as_json:
        print_json(outcome.as_json())
    else:
        show.check(outcome)
        show.marked(copies)
    return outcome.exit_code


@command("receive")
@FILES
@click.option("--at", type=MOMENT, help="收到的时间（默认现在）。")
@click.option("--month", type=MONTH, help="所报月份；不写时以文件为准。")
def receive(
    home: Home, as_json: bool, files: tuple[Path, ...], at: datetime | None, month: Month | None
) -> int:
    """登记收到的文件，原件入库。"""
    from flows import show
    from flows.receive import receive_files

    received = receive_files(home, files, at, month)
    if as_json:
        print_json({"received": received})
    else:
        show.received(received)
    return DONE


@command("run")
@click.argument("month", type=MONTH)
@click.option("--plain", is_flag=True, help="不用 Prefect，在本进程内走同样的步骤。")
@click.option(
    "--edition", type=click.IntRange(1), help="不收件，照原样重出已签发的第几版，并与签发时的校验值比较。"
)
def run(home: Home, as_json: bool, month: Month, plain: bool, edition: int | None) -> int:
    """跑一个月：收件 → 核对 → 入账 → 退回 → 报告草稿。可反复运行。"""
    from flows import show

    if edition is not None:
        from flows.approve import set_again

        again = set_again(home, month, edition)
        if as_json:
            print_json(again.as_json())
        else:
            show.set_again(again)
        return DONE_WITH_ERRORS if again.differing else DONE
    from flows.monthly import run_month, run_month_on_prefect

    with show.progress(quiet=as_json) as progress:
        outcome = (run_month if plain else run_month_on_prefect)(home, month, progress=progress)
    if as_json:
        print_json(outcome.as_json())
    else:
        show.month(outcome)
    if outcome.failed:
        return FAULT
    return DONE_WITH_ERRORS if outcome.errors_count else DONE


@command("status")
@click.argument("month", type=MONTH)
@click.option("--as-of", type=MOMENT, help="当时的情况。")
@click.option("--deliveries", is_flag=True, help="发送情况：谁手里是哪一版，谁还没有收到，哪些待发、被拒收。")
def status(home: Home, as_json: bool, month: Month, as_of: datetime | None, deliveries: bool) -> int:
    """谁报了、何时报的、是否按时、退回了什么。"""
    from flows import show
    from flows.status import month_status

    if deliveries:
        from flows import show_mail
        from flows.deliveries import month_deliveries

        if as_of is not None:
            raise UsageError("--deliveries 说的是现在的情况，不与 --as-of 同用。")
        told = month_deliveries(home, month)
        if as_json:
            print_json(told)
        else:
            show_mail.deliveries(told)
        return DONE
    standing = month_status(home, month, as_of)
    if as_json:
        print_json(standing)
    else:
        show.status(standing)
    return DONE


@command("approve")
@click.argument("month", type=MONTH)
@click.option("--by", required=True, metavar="姓名", help="签发人；撤回时为撤回人。")
@click.option("--at", type=MOMENT, help="签发或撤回的时间（默认现在）。")
@click.option("--withdraw", is_flag=True, help="撤回最后一版的签发；已经发出的不能撤回。")
@click.option("--reason", metavar="原因", help="为什么撤回。")
def approve(
    home: Home, as_json: bool, month: Month, by: str, at: datetime | None, withdraw: bool, reason: str | None
) -> int:
    """签发本月月报：按草稿定版，去掉草稿标记。没有变化时再签发，什么也不改。"""
    from flows import show
    from flows.approve import approve_month, withdraw_month

    if withdraw:
        back = withdraw_month(home, month, by, reason or "", at)
        if as_json:
            print_json({"withdrawn": True, **back.payload()})
        else:
            show.withdrawal(back)
        return DONE
    if reason is not None:
        raise UsageError("--reason 只和 --withdraw 一起用。")
    approval = approve_month(home, month, by, at)
    if as_json:
        print_json(approval.as_json())
    else:
        show.approval(approval)
    return DONE


@command("export")
@click.argument("month", type=MONTH)
@click.option(
    "--table",
    required=True,
    type=click.Choice(["projects", "needs", "indicators", "submissions", "findings", "corrections"]),
    help="导出哪张表。",
)
@click.option(
    "--format", "form", type=click.Choice(FORMATS), help="格式（默认按 --out 的后缀，没有的为 csv）。"
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="写到文件（默认标准输出）。")
@click.option("--as-of", type=MOMENT, help="当时的数字。")
@click.option("--all-versions", is_flag=True, help="包括被更正的各版。")
@click.option("--excel-safe", is_flag=True, help="CSV 中以 = + - @ 开头的文字前加单引号。")
def export(
    home: Home,
    as_json: bool,
    month: Month,
    table: str,
    form: str | None,
    out: Path | None,
    as_of: datetime | None,
    all_versions: bool,
    excel_safe: bool,
) -> int:
    """导出台帐数据。"""
    from flows.export import export_bytes

    named = out.suffix.lower().removeprefix(".") if out is not None else ""
    form = form or ("json" if as_json else named if named in FORMATS else "csv")
    data = export_bytes(
        home, month, table, form, as_of=as_of, all_versions=all_versions, excel_safe=excel_safe
    )
    if out is None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_bytes(data)
        except (FileExistsError, FileNotFoundError, NotADirectoryError) as error:
            raise UsageError(f"写不到 {out}，请核对 --out 的路径。") from error
        click.echo(f"已写出 {out}。", err=True)
    return DONE


@command("explain")
@click.argument("month", type=MONTH)
@click.argument("item", metavar="项目编号|单位|类别|合计")
@click.argument("field", metavar="字段|支付率…", required=False)
@click.option("--as-of", type=MOMENT, help="当时的数字，和当时知道的来历。")
@click.option("--edition", type=click.IntRange(1), help="已签发的第几版月报所印的数字。")
def explain(
    home: Home,
    as_json: bool,
    month: Month,
    item: str,
    field: str | None,
    as_of: datetime | None,
    edition: int | None,
) -> int:
    """一个数字的来历：报告 → 台帐版本 → 文件、工作表、单元格、原文 → 做过什么。

    合计、率、平均数和个数也可以：explain 2018-09 支付率；explain 2018-09 长梁镇 到位率；
    explain 2018-09 基础设施 fiscal_paid_cum。
    """
    from flows.explain import explain_figure

    text, chain = explain_figure(home, month, item, field, as_of, edition)
    if as_json:
        print_json(chain)
    else:
        click.echo(text)
    return DONE


@command("rebuild")
@click.option("--verify", is_flag=True, help="在旁边重建一份并与现有台帐比较，不改动现有台帐。")
@click.option(
    "--accept-loss", is_flag=True, help="日志缺了文件又没有备份时：承认丢失，台帐只留日志里还有的。"
)
def rebuild(home: Home, as_json: bool, verify: bool, accept_loss: bool) -> int:
    """由原始文件和流水重建台帐。"""
    from flows.rebuild import rebuild_ledger

    if verify and accept_loss:
        raise UsageError("--accept-loss 不与 --verify 同用。")
    outcome = rebuild_ledger(home, verify, accept_loss)
    if as_json:
        print_json(outcome)
    else:
        for line in outcome["lines"]:
            click.echo(line)
    return DONE_WITH_ERRORS if outcome["differences"] else DONE


@command("verify")
@click.option("--quick", is_flag=True, help="不重建台帐，只核对日志、原件和台帐的记录。")
def verify(home: Home, as_json: bool, quick: bool) -> int:
    """核对日志、原件和台帐是否相符，指出第一处不对的地方；不改动任何文件。"""
    from flows import show
    from flows.verify import told, verify_home

    with show.progress(quiet=as_json) as progress:
        proof = verify_home(home, quick=quick, progress=progress)
    if as_json:
        print_json(proof.as_json())
    else:
        for line in told(proof):
            click.echo(line)
    return DONE if proof.fault is None else DONE_WITH_ERRORS


def entry() -> None:
    """The console script: an unforeseen exception is an internal fault, exit 5, never exit 1."""
    collector.calm()
    for stream in (sys.stdout, sys.stderr):
        # a terminal that lacks a character shows a question mark; it stops nothing
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        main(standalone_mode=False)
    except click.UsageError as error:
        click.echo(usage.told(error), err=True)
        sys.exit(UsageError.exit_code)
    except click.Abort:
        click.echo("已中止。", err=True)
        sys.exit(DONE_WITH_ERRORS)
    except LedgerError as problem:
        click.echo(problem.message, err=True)
        sys.exit(problem.exit_code)
    except Exception:  # noqa: BLE001  the last resort; everything foreseen has its own exit code
        traceback.print_exc()
        click.echo("程序内部出错，没有完成；请把以上内容发给维护人员。原始文件不受影响。", err=True)
        sys.exit(FAULT)
