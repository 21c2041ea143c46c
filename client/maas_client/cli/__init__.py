"""The `maas` command. Commands import what they need when they run, so that `maas --help` starts fast."""

import os
import sys

import typer

from maas_client.cli import jobs, keys, manage, plugged, use
from maas_client.errors import MaasError

commands = typer.Typer(
    name="maas",
    help="MaaS, Model as a Service: ONNX models in your own AWS account, behind the Open Inference Protocol.\n\n"
    "Exit codes: 0 done, 1 failed (standard error says why), 2 wrong usage, 130 ended by Ctrl-C.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (*use.COMMANDS, *jobs.COMMANDS, *manage.COMMANDS):
    commands.command()(command)
commands.add_typer(manage.alias)
commands.add_typer(jobs.job)
commands.add_typer(keys.keys)
plugged.add(commands, "local")
plugged.add(keys.keys, "bootstrap", "keys.bootstrap")


def app(arguments: list[str] | None = None) -> None:
    """Run a command line. A failure prints one line on standard error and exits with 1, wrong usage with 2."""
    try:
        commands(arguments)
    except MaasError as error:
        _fail(str(error))
    except BrokenPipeError:  # `maas models | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        if os.environ.get("MAAS_DEBUG"):
            raise
        _fail(f"unexpected {type(error).__name__}: {error} (a traceback: MAAS_DEBUG=1)")


def _fail(message: str) -> None:
    sys.stderr.write(f"maas: {' '.join(message.split())}\n")
    sys.exit(1)
