"""The command `orchestration`; each installed part adds to it by the entry point group `orchestration.commands`."""

from __future__ import annotations

import os
from importlib import import_module
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version

import click

__all__ = ["main"]

DISTRIBUTION = "orchestration-service"
GROUP = "orchestration.commands"
OWN = {
    "chain": ("graph", "chain"),
    "create": ("kinds", "create"),
    "dead-letter": ("intake", "dead_letter"),
    "delete": ("kinds", "delete"),
    "event": ("intake", "event"),
    "get": ("kinds", "get"),
    "graph": ("graph", "graph"),
    "run": ("run", "run"),
    "service": ("service", "service"),
    "task-run": ("run", "task_run"),
    "update": ("kinds", "update"),
}
"""Commands over the API: in which module of `commands`, by which name."""


class Commands(click.Group):
    """Loads a command's module only when that command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *OWN, *entry_points(group=GROUP).names})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        own = super().get_command(ctx, cmd_name)
        if own is not None:
            return own
        if cmd_name in OWN and not (cmd_name == "service" and _only_a_database()):
            module, name = OWN[cmd_name]
            return _own(module, name)
        for entry in entry_points(group=GROUP):
            if entry.name == cmd_name:
                return _load(entry)
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """One line a command, also for those whose extra is not installed."""
        rows = []
        for name in self.list_commands(ctx):
            try:
                command = self.get_command(ctx, name)
                rows.append((name, command.get_short_help_str(limit=90) if command else ""))
            except click.ClickException as missing:
                rows.append((name, f"({missing.message})"))
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def _own(module: str, name: str) -> click.Command:
    try:
        command: click.Command = getattr(import_module(f".commands.{module}", __package__), name)
    except ModuleNotFoundError as error:
        raise click.ClickException(
            f"this needs {error.name}, which is not installed: pip install '{DISTRIBUTION}[client]'"
        ) from None
    return command


def _only_a_database() -> bool:
    """Where no API is named, but a database is, `service` speaks to that."""
    return not os.environ.get("ORCHESTRATION_API_URL") and bool(os.environ.get("ORCHESTRATION_DSN"))


def _load(entry: EntryPoint) -> click.Command:
    try:
        command = entry.load()
    except ModuleNotFoundError as error:
        if not entry.extras or (error.name or "").startswith("orchestration"):
            raise click.ClickException(
                f"`orchestration {entry.name}` is not whole, {error.name} is missing: install {DISTRIBUTION} anew"
            ) from None
        extra = ",".join(entry.extras)
        raise click.ClickException(
            f"`orchestration {entry.name}` needs {error.name}, which is not installed: "
            f"pip install '{DISTRIBUTION}[{extra}]'"
        ) from None
    if not isinstance(command, click.Command):
        raise click.ClickException(f"the entry point {entry.name} = {entry.value} is not a command")
    return command


def _version() -> str:
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return "not installed"


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(_version(), prog_name="orchestration")
def main() -> None:
    """Starts the next tasks when a task run ends.

    Every setting comes from the environment: ORCHESTRATION_API_URL and ORCHESTRATION_API_TOKEN for what goes over the
    API; ORCHESTRATION_DSN, ORCHESTRATION_ADMIN_DSN, ORCHESTRATION_KAFKA_BOOTSTRAP for the programs; ORCHESTRATION_ENV
    (unset: production).

    \b
    Shell completion: eval "$(_ORCHESTRATION_COMPLETE=bash_source orchestration)"   (zsh_source, fish_source)
    """
