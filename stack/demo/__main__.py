"""`python -m stack.demo`; `make demo` calls it."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from .. import StackError
from ..layout import ROOT

if TYPE_CHECKING:
    from .screen import Screen
    from .servers import Servers


class Ended(BaseException):
    """A signal asks the demo to end."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Signals:
    """SIGINT, SIGTERM and SIGHUP raise Ended, until `deaf`: the end is not to be interrupted.

    A handler all the time, since programs started meanwhile would inherit that a signal is ignored.
    """

    def __init__(self) -> None:
        self.deaf = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._handle)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if not self.deaf:
            raise Ended(number)


def main() -> int:
    """0: all claims hold; 1: not, or an error, in one line; 128 + n: ended by signal n."""
    asked = _arguments()
    signals = Signals()
    try:
        from orchestration.db.errors import DeployError

        from .screen import Screen
        from .servers import Servers
    except ModuleNotFoundError as missing:
        sys.exit(f"error: {missing.name} is not installed: run `make demo`, or `make venv` first")
    except Ended as ended:
        return 128 + ended.number
    screen = Screen()
    try:
        servers = Servers(asked.folder, screen.say)
        with servers.alone():
            return 0 if _run(screen, servers, asked, signals) else 1
    except (StackError, DeployError) as problem:
        screen.say(f"error: {problem}", "bold red")
        return 1
    except Ended as ended:
        return 128 + ended.number


def _run(screen: Screen, servers: Servers, asked: argparse.Namespace, signals: Signals) -> bool:
    """The demo and its end, whatever happens. Whether all claims hold."""
    drop = False
    try:
        try:
            drop = _demonstrate(screen, servers, asked)
        finally:
            signals.deaf = True
    except Ended as ended:
        drop = True  # nobody will look for a reason
        screen.say(f"{signal.Signals(ended.number).name}: stopping everything", "bold yellow")
        raise
    finally:
        signals.deaf = True
        _end(screen, servers, drop=drop)
    return drop


def _demonstrate(screen: Screen, servers: Servers, asked: argparse.Namespace) -> bool:
    """Everything but the end. Whether all claims hold."""
    import psycopg

    from orchestration.db.errors import server_words

    try:
        return _show(screen, servers, asked)
    except psycopg.Error as error:
        raise StackError(f"PostgreSQL does not go on: {server_words(error)}") from None


def _show(screen: Screen, servers: Servers, asked: argparse.Namespace) -> bool:
    from .play import Play
    from .runs import database_time, load_graphs, read_remains
    from .traffic import NiFi, Observer
    from .verdict import check, measure

    screen.say("starting PostgreSQL, Kafka and the bridge; what is missing is installed first")
    servers.start()
    screen.say(f"{servers.versions()}; database applied, topics made")
    with servers.connect() as connection:
        loaded = load_graphs(connection)
        screen.say(
            "graphs loaded by plain SQL: 1 -> 2, [1, 5] -> 3, 1 -> 4 -> 6 and 6 -> 7 -> [8, 9]"
            if loaded
            else "the demo's graphs are there from an earlier demo"
        )
        pid = servers.start_standin((asked.pace[0], asked.pace[1]), tuple(asked.fail))
        screen.say(
            f"stand-in executor, not Airflow (pid {pid}): answers the dispatches on airflow_tasks", "yellow"
        )
        since = database_time(connection)
        key = f"{since:%Y-%m-%d %H:%M:%S.%f}"[:-3]
        observer = Observer(servers.kafka, key)
        try:
            screen.say(f"reporting tasks 1 and 5 as NiFi would; run key {key}")
            play = Play(screen, connection, observer, NiFi(servers.kafka, key), key, since)
            runs = play.run(asked.limit, servers.require_alive)
        finally:
            observer.close()
        remains = read_remains(connection, key, since)
    screen.finish(runs)
    checks = check(runs, remains, observer.seen)
    screen.verdict(checks, measure(runs, observer.seen))
    return all(each.holds for each in checks)


def _end(screen: Screen, servers: Servers, *, drop: bool) -> None:
    if not servers.layout.run.exists():
        return  # refused before anything was started
    if drop:
        servers.drop()
        screen.say("everything stopped, its data dropped")
    else:
        servers.stop()
        screen.say(f"everything stopped; data and logs stay in {servers.layout.run} until the next demo")
    if servers.users and servers.started:
        screen.say(f"the demo's graphs and messages stay in your {' and '.join(servers.users)}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m stack.demo",
        description="Starts PostgreSQL, Kafka and a bridge of its own, runs the acceptance graphs through them, draws "
        "every graph run and stops what it started. `make up` is not disturbed. Servers named by ORCHESTRATION_DSN and "
        "ORCHESTRATION_ADMIN_DSN, or by ORCHESTRATION_KAFKA_BOOTSTRAP, are used instead, unless they are in use.",
        epilog="Exit status: 0 if every claim it ends with holds, else 1.",
    )
    parser.add_argument(
        "--fail", action="append", default=[], metavar="TASK", choices=list("2346789"),
        help="let the stand-in executor fail this task, to see what that does (the demo then ends with 1)",
    )  # fmt: skip
    parser.add_argument(
        "--pace", nargs=2, type=float, default=(0.3, 0.8), metavar=("LEAST", "MOST"),
        help="seconds the stand-in executor takes for a task (0.3 0.8)",
    )  # fmt: skip
    parser.add_argument(
        "--limit",
        type=float,
        default=60,
        metavar="SECONDS",
        help="give up when the runs last longer (%(default)s)",
    )
    parser.add_argument(
        "--folder",
        type=Path,
        default=ROOT / ".run" / "demo",
        help="where its servers keep their data (.run/demo)",
    )
    asked = parser.parse_args()
    if not 0 <= asked.pace[0] <= asked.pace[1]:
        parser.error("--pace: LEAST must be at least 0 and at most MOST")
    return asked


if __name__ == "__main__":
    sys.exit(main())
