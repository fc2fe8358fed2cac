"""Click in German: headings of the help, and what is said of a call that does not fit. Knows no command of ours."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

import click


class GermanGroup(click.Group):
    """Click's own headings in German, and what it says of a mistyped call."""

    def main(  # type: ignore[override]
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """As click's; exit status 2 after a usage error."""
        if not standalone_mode:
            return super().main(args, prog_name, standalone_mode=False, **extra)
        try:
            sys.exit(super().main(args, prog_name, standalone_mode=False, **extra) or 0)
        except click.UsageError as error:
            command = error.ctx.command_path if error.ctx else self.name
            click.echo(f"{_in_german(error)}\nHilfe: {command} --help", err=True)
            sys.exit(error.exit_code)
        except click.ClickException as error:
            click.echo(error.format_message(), err=True)
            sys.exit(error.exit_code)
        except click.Abort:
            click.echo("Abgebrochen.", err=True)
            sys.exit(130)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            near = get_close_matches(args[0], self.commands, n=1)
            hint = f" Gemeint ist vielleicht: {near[0]}." if near else ""
            ctx.fail(f"Den Befehl „{args[0]}“ gibt es nicht.{hint} Es gibt: {', '.join(self.commands)}.")
        return super().resolve_command(ctx, args)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_usage(ctx.command_path, "BEFEHL [OPTIONEN]", prefix="Aufruf: ")

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, self.commands[name].get_short_help_str(80)) for name in self.commands]
        with formatter.section("Befehle"):
            formatter.write_dl(rows)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        _german_options(self, ctx, formatter)
        self.format_commands(ctx, formatter)

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        return _german_help(super().get_help_option(ctx))


class GermanCommand(click.Command):
    """Click's own headings in German."""

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_usage(
            ctx.command_path,
            " ".join(self.collect_usage_pieces(ctx)).replace("OPTIONS", "OPTIONEN"),
            prefix="Aufruf: ",
        )

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        _german_options(self, ctx, formatter)

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        return _german_help(super().get_help_option(ctx))


def _german_options(command: click.Command, ctx: click.Context, formatter: click.HelpFormatter) -> None:
    records = [record for parameter in command.get_params(ctx) if (record := parameter.get_help_record(ctx))]
    with formatter.section("Optionen"):
        formatter.write_dl([(name, text.replace("[default: ", "[Vorgabe: ")) for name, text in records])


def _german_help(option: click.Option | None) -> click.Option | None:
    if option is not None:
        option.help = "Diese Hilfe anzeigen."
    return option


def _in_german(error: click.UsageError) -> str:
    """Our own texts are German already; click's are told by their class."""
    if isinstance(error, click.NoSuchOption):
        near = f" Gemeint ist vielleicht: {', '.join(error.possibilities)}." if error.possibilities else ""
        return f"Die Option {error.option_name} gibt es nicht.{near}"
    if isinstance(error, click.MissingParameter):
        return f"Es fehlt: {_parameter(error)}."
    if isinstance(error, click.BadParameter) and error.param is not None:
        return f"{_parameter(error)}: {_expectation(error.param)}"
    if isinstance(error, click.BadOptionUsage):
        return f"Die Option {error.option_name} ist nicht richtig gebraucht."
    extra = re.match(r"Got unexpected extra arguments? \((.*)\)", error.message)
    return f"Zu viel angegeben: {extra.group(1)}" if extra else error.message


def _parameter(error: click.BadParameter) -> str:
    if error.param is None:
        return str(error.param_hint or "eine Angabe")
    return "/".join(error.param.opts) if isinstance(error.param, click.Option) else error.param.human_readable_name


def _expectation(parameter: click.Parameter) -> str:
    kind = parameter.type
    if isinstance(kind, click.Choice):
        return f"erwartet ist eines von {', '.join(map(str, kind.choices))}."
    if isinstance(kind, click.DateTime):
        return "erwartet ist ein Datum wie 2024-12-31."
    if isinstance(kind, click.Path):
        return "diesen Pfad gibt es nicht oder er ist nicht lesbar."
    if isinstance(kind, click.types.IntParamType):
        return "erwartet ist eine ganze Zahl."
    return "die Angabe passt nicht."
