"""What every command shares: the group, ``--home`` and ``--json``, months and moments, exit codes.

Commands stand in flows/cli.py and its neighbours (cli_*.py); each loads what it needs when it is
called, so that `ledger check` pays for neither Prefect nor the report.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Any

import click

from ledger import notices
from ledger.calendar import parse_moment
from ledger.errors import LedgerError, UsageError, disk_problem
from ledger.home import Home
from schemas.month import Month

DONE, DONE_WITH_ERRORS, UNREADABLE, FAULT = 0, 1, 3, 5


class MonthType(click.ParamType[Month]):
    """A month on the command line."""

    name = "月份"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Month:
        if isinstance(value, Month):
            return value
        try:
            return Month.parse(value)
        except ValueError:
            self.fail(f"“{value}”不是月份，请写成 2018-09 的样子。", param, ctx)


class MomentType(click.ParamType[datetime]):
    """A moment on the command line: ISO 8601, Asia/Shanghai unless it says otherwise."""

    name = "时间"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            return parse_moment(value)
        except ValueError:
            self.fail(f"“{value}”不是时间，请写成 2018-10-05T09:00 的样子。", param, ctx)


MONTH = MonthType()
MOMENT = MomentType()
FILES = click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="文件…",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)


#: Commands that only look, and those that have no home of their own: they leave no line in the log.
NOT_LOGGED = frozenset({"check", "status", "export", "explain", "verify", "doctor", "restore"})


#: Of those, the ones that look at a home's data: they do not make the home.
OF_A_HOME = frozenset({"status", "export", "explain"})


def command(name: str) -> Callable[[Callable[..., int]], click.Command]:
    """A command with ``--home`` and ``--json`` whose function returns the exit code.

    Operators' problems are printed in one line with their exit code; anything unforeseen is an
    internal fault, exit 5, its traceback on standard error. What a command that writes came to is
    logged (ledger.logs).
    """

    def decorate(function: Callable[..., int]) -> click.Command:
        @wraps(function)
        def run(home: Path | None, as_json: bool, **given: Any) -> None:
            try:
                code = _carry_out(name, function, Home.find(home), as_json, given)
            except LedgerError as problem:
                _say_problem(problem.message, problem.exit_code, as_json)
                code = problem.exit_code
            except OSError as error:
                refused = disk_problem(error)
                if refused is None:
                    raise
                _say_problem(refused.message, refused.exit_code, as_json)
                code = refused.exit_code
            for message in notices.take():
                click.echo(message, err=True)
            sys.exit(code)

        run = click.option("--json", "as_json", is_flag=True, help="输出 JSON，供程序读取。")(run)
        run = click.option(
            "--home",
            type=click.Path(file_okay=False, path_type=Path),
            help="数据所在文件夹（默认：LEDGER_HOME，否则为程序所在文件夹）。",
        )(run)
        return main.command(name)(run)

    return decorate


def _carry_out(
    name: str, function: Callable[..., int], home: Home, as_json: bool, given: dict[str, Any]
) -> int:
    if name in OF_A_HOME and not home.root.is_dir():
        raise UsageError(f"没有 {home.root} 这个数据文件夹，请核对 --home。")
    if name in NOT_LOGGED:
        return function(home=home, as_json=as_json, **given)
    from ledger import logs
    from ledger.settings import Settings

    Settings.load(home)  # a password in the file, or one that can't be read, is said by whatever runs
    # months and numbers; texts may be names, and files have them
    plain = {key: one for key, one in given.items() if isinstance(one, int) and one is not False}
    months = {key: str(one) for key, one in given.items() if isinstance(one, Month)}
    with logs.task(home, name, **months, **plain) as noted:
        code = function(home=home, as_json=as_json, **given)
        noted.note(exit=code)
        return code


def _say_problem(message: str, code: int, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"error": message, "exit_code": code}, ensure_ascii=False))
    click.echo(message, err=True)


def print_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ledger", message="%(prog)s %(version)s")
def main() -> None:
    """月统计制度：收表、核对、入账、出报告。"""
