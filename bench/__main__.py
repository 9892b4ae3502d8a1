"""`python -m bench`: all benchmarks, or those named."""

from __future__ import annotations

import click

from .core import core


@click.group(invoke_without_command=True)
@click.pass_context
def main(context: click.Context) -> None:
    """Measure. Run it with nothing else running: the machine's noise is in every figure."""
    if context.invoked_subcommand is None:
        context.invoke(core)


main.add_command(core)

if __name__ == "__main__":
    main()
