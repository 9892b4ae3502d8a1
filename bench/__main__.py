"""`python -m bench`: the usual benchmarks, or the one named."""

from __future__ import annotations

import click

from .core import core
from .fan import fan
from .graphs import graphs
from .latency import latency
from .path import path
from .purge import purge
from .repeats import repeats
from .start import start
from .unsent import unsent

COMMANDS = (core, repeats, path, latency, graphs, fan, start, unsent, purge)


@click.group(invoke_without_command=True)
@click.option("--quick", is_flag=True, help="Each in its quick form: whether it works, not how fast it is.")
@click.pass_context
def main(context: click.Context, quick: bool) -> None:
    """Measure. Run it with nothing else running: the machine's noise is in every figure.

    Without a name all of them run, about a quarter of an hour, with 200,000 old runs to purge instead of 1,000,000.
    Each ends with one line: the verdict.
    """
    if context.invoked_subcommand is not None:
        return
    for command in COMMANDS:
        click.echo(f"== {command.name}")
        fewer = {"runs": 200_000} if command is purge else {}
        try:
            context.invoke(command, quick=quick, **fewer)
        except click.ClickException as problem:
            click.echo(f"{command.name}: FAILED: {problem.message}")


for command in COMMANDS:
    main.add_command(command)

if __name__ == "__main__":
    main()
