"""The help of a command with many options: `--help` shows those that matter, `--help-all` every one."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperCommand

_ALL = "streamvace.help.all"
_HELP_ALL = "--help-all"
_OWN = "Options"
_COLUMN = 26
"""Characters for the names of options: the help keeps two thirds of 80 columns."""


def _show_all(context: typer.Context, asked: bool) -> None:
    if asked:
        context.meta[_ALL] = True
        typer.echo(context.get_help())
        raise typer.Exit


HelpAll = Annotated[
    bool, typer.Option(_HELP_ALL, callback=_show_all, is_eager=True, help="Show every option and exit.")
]
"""The option of a command whose class is made by `brief`."""


def brief(*first: str) -> type[TyperCommand]:
    """The class of a command whose `--help` shows these options."""

    class Brief(TyperCommand):
        def format_help(self, ctx: Any, formatter: Any) -> None:
            self.format_usage(ctx, formatter)
            self.format_help_text(ctx, formatter)
            options: list[Any] = list(self.get_params(ctx))
            shown = [each for each in options if not each.hidden]
            for heading, options in (_grouped(shown) if ctx.meta.get(_ALL) else _named(shown, first)).items():
                with formatter.section(heading):
                    formatter.write_dl([_row(each) for each in options], col_max=_COLUMN)
            self.format_epilog(ctx, formatter)

    return Brief


def _grouped(options: list[Any]) -> dict[str, list[Any]]:
    """All options by their headings."""
    groups: dict[str, list[Any]] = {}
    for each in options:
        groups.setdefault(each.rich_help_panel or _OWN, []).append(each)
    return groups


def _named(options: list[Any], names: tuple[str, ...]) -> dict[str, list[Any]]:
    """The options of these names, in this order, and those for help."""
    by_name = {name: each for each in options for name in each.opts}
    return {_OWN: [by_name[name] for name in (*names, _HELP_ALL, "--help")]}


def _row(option: Any) -> tuple[str, str]:
    """The names of an option with its value, and its help with range and default."""
    both = ", ".join(sorted(option.opts, key=len)) + "".join(f" / {name}" for name in option.secondary_opts)
    limits = _range(option)
    number = bool(limits) or isinstance(option.default, (int, float))
    value = "" if option.is_flag else f" {option.metavar or ('N' if number else 'TEXT')}"
    return both + value, " ".join(filter(None, (option.help, limits, _default(option))))


def _range(option: Any) -> str:
    """`[0..2]`, or `[1..]` with one limit. Newer versions of typer keep the limits at the option, older at its type."""
    holder = option if hasattr(option, "min") else option.type
    low, high = getattr(holder, "min", None), getattr(holder, "max", None)
    if low is None and high is None:
        return ""
    return "[" + ("" if low is None else f"{low:g}") + ".." + ("" if high is None else f"{high:g}") + "]"


def _default(option: Any) -> str:
    if isinstance(option.show_default, str):
        return f"Default: {option.show_default}."
    if option.default is None or option.default is False or callable(option.default):
        return ""
    if option.is_flag:
        return f"Default: {'on' if option.default else 'off'}."
    return f"Default: {option.default:g}." if isinstance(option.default, float) else f"Default: {option.default}."
