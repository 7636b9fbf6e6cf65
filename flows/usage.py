"""A command line that can't be carried out as typed, told in Chinese: what is wrong and where to look.

Click says these in English; its classes say which mistake it is.
"""

from __future__ import annotations

import re

import click

_CHINESE = re.compile(r"[一-鿿]")
_QUOTED = re.compile(r"'([^']*)'")
_EXTRA = re.compile(r"unexpected extra arguments? \((.*)\)", re.DOTALL)


def told(error: click.UsageError) -> str:
    """The sentence for a usage error, and which help to read."""
    command = error.ctx.command_path if error.ctx is not None else "ledger"
    return f"{_what(error)}\n用法见 {command} --help。"


def _what(error: click.UsageError) -> str:
    message = error.message or ""
    match error:
        case click.MissingParameter():
            return f"缺少{_named(error.param)}。{_choices(error.param)}"
        case click.BadParameter():
            return _wrong_value(error, message)
        case click.NoSuchOption():
            near = f"是不是 {'、'.join(error.possibilities)}？" if error.possibilities else ""
            return f"没有 {error.option_name} 这个选项。{near}"
        case click.BadOptionUsage() if "does not take" in message:
            return f"选项 {error.option_name} 后面不带值。"
        case click.BadOptionUsage():
            return f"选项 {error.option_name} 后面要写值。"
    if extra := _EXTRA.search(message):
        return f"多写了：{extra[1]}。"
    if message.startswith("No such command") and (quoted := _QUOTED.search(message)):
        return f"没有 {quoted[1]} 这个命令。"
    return message if _CHINESE.search(message) else "命令写得不对。"


def _wrong_value(error: click.BadParameter, message: str) -> str:
    param = error.param
    kind = param.type if param is not None else None
    quoted = _QUOTED.search(message)
    value = f"“{quoted[1]}”" if quoted else "写的值"
    if isinstance(kind, click.Choice):
        return f"{_named(param)}不能是{value}。{_choices(param)}"
    if isinstance(kind, click.Path):
        if "does not exist" in message:
            return f"没有{value}这个{'文件' if kind.file_okay else '文件夹'}，请核对路径。"
        if "is a directory" in message:
            return f"{value}是文件夹，这里要写文件。"
        if "is a file" in message:
            return f"{value}是文件，这里要写文件夹。"
        return f"{value}读不了，请核对路径和权限。"
    if isinstance(kind, click.IntRange) and (kind.min is not None or kind.max is not None):
        least = f"不小于 {kind.min}" if kind.min is not None else ""
        most = f"不大于 {kind.max}" if kind.max is not None else ""
        return f"{_named(param)}要写{'、'.join(filter(None, (least, most)))}的整数。"
    if isinstance(kind, click.types.IntParamType):
        return f"{_named(param)}要写整数。"
    # a month or a moment says for itself how it is written
    return message if _CHINESE.search(message) else f"{_named(param)}写得不对。"


def _named(param: click.Parameter | None) -> str:
    if isinstance(param, click.Option):
        return f"选项 {param.opts[-1]} "
    if param is None:
        return "参数"
    return f"“{param.metavar or getattr(param.type, 'name', param.name)}”"


def _choices(param: click.Parameter | None) -> str:
    if param is not None and isinstance(param.type, click.Choice):
        return f"可用：{'、'.join(map(str, param.type.choices))}。"
    return ""
