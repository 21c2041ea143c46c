"""The `maas` command. Commands import what they need when they run, so that `maas --help` starts fast."""

import os
import sys
from contextlib import suppress
from typing import Annotated, NoReturn

import typer

from maas_client.cli import (
    aliases,
    captures,
    jobs,
    keys,
    manage,
    plugged,
    predict,
    profiling,
    rollouts,
    stats,
    tasks,
    use,
)
from maas_client.cli.output import echo, tolerate_any_text
from maas_client.cli.words import in_a_terminal
from maas_client.errors import MaasError

FAILED, WRONG_USAGE = 1, 2
UsageError: type[Exception] = typer.BadParameter.mro()[1]  # of click, which typer brings under a name of its own

commands = typer.Typer(
    name="maas",
    help="MaaS, Model as a Service: ONNX models in your own AWS account, behind the Open Inference Protocol.\n\n"
    "Exit codes: 0 done; 1 failed, and standard error says why; 2 wrong usage; 130 ended by Ctrl-C.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    *use.COMMANDS,
    *predict.COMMANDS,
    *tasks.COMMANDS,
    *profiling.COMMANDS,
    *stats.COMMANDS,
    *jobs.COMMANDS,
    *manage.COMMANDS,
    *aliases.COMMANDS,
    *captures.COMMANDS,
):
    commands.command()(command)
commands.add_typer(aliases.alias)
commands.add_typer(captures.capture)
commands.add_typer(rollouts.rollout)
commands.add_typer(jobs.job)
commands.add_typer(keys.keys)
plugged.add(commands, "local")
plugged.add(keys.keys, "bootstrap", "keys.bootstrap")


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        echo(f"maas {version('maas')}")
        raise typer.Exit


@commands.callback()
def _options(
    _: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Options of no command."""


def app(arguments: list[str] | None = None) -> None:
    """Run a command line. A failure prints one line on standard error and exits with 1, wrong usage with 2."""
    tolerate_any_text()
    try:
        code = commands(arguments, prog_name="maas", standalone_mode=False)
        sys.stdout.flush()
    except UsageError as error:
        _wrong_usage(error)
    except typer.Abort:
        _fail("stopped: nothing was confirmed")
    except MaasError as error:
        _fail(in_a_terminal(error))
    except BrokenPipeError:  # `maas models | head`
        _drop_output()
        sys.exit(FAILED)
    except OSError as error:
        _drop_output()
        _fail(f"{error.strerror or error}" + (f": {error.filename}" if error.filename else ""))
    except Exception as error:
        if os.environ.get("MAAS_DEBUG"):
            raise
        _fail(f"unexpected {type(error).__name__}: {error} (a traceback: MAAS_DEBUG=1)")
    sys.exit(code or 0)


def _wrong_usage(error: Exception) -> NoReturn:
    """Say what is wrong; without arguments, typer has printed the help already, and there is no message."""
    if message := getattr(error, "format_message", str)():
        context = getattr(error, "ctx", None)
        _fail(f"{message} (see `{context.command_path if context else 'maas'} --help`)", WRONG_USAGE)
    sys.exit(WRONG_USAGE)


def _fail(message: str, code: int = FAILED) -> NoReturn:
    echo(f"maas: {' '.join(message.split())}", err=True)
    sys.exit(code)


def _drop_output() -> None:
    """Keep Python from writing the rest at its end, which would fail again."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
