"""`orchestration bridge`: run one bridge in the foreground until SIGTERM or SIGINT."""

from __future__ import annotations

import os
import signal
import sys
import threading
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as distribution_version
from types import FrameType

import click

from . import failpoints, log
from .errors import DeployError
from .service import Bridge
from .settings import BATCH, FROM, LOG_LEVEL, Settings, secrets

DISTRIBUTION = "orchestration-service"
_PATIENCE = 9.0


@click.command()
@click.option(
    "--from", "begin", type=click.Choice(["earliest", "latest"]), envvar=FROM, show_envvar=True,
    help="Where to begin reading when no usable offset is stored: at the first start, after the topic was re-created, "
         "the cluster changed or the stored offset is gone. Stored offsets that are good are never touched. "
         "Without it the bridge refuses to choose; not for unit files.",
)  # fmt: skip
@click.option(
    "--batch", type=click.IntRange(1, 10_000), default=1000, show_default=True, envvar=BATCH, show_envvar=True,
    help="Most messages in one transaction.",
)  # fmt: skip
@click.option(
    "--log-level", type=click.Choice(log.LEVELS), default="info", show_default=True, envvar=LOG_LEVEL, show_envvar=True,
    help="Least level logged, on stderr: JSON lines, or words where that is a terminal.",
)  # fmt: skip
def bridge(begin: str | None, batch: int, log_level: str) -> None:
    """Carry events from Kafka into PostgreSQL and dispatches out; run as many as you like.

    Settings come from the environment: ORCHESTRATION_DSN, ORCHESTRATION_KAFKA_BOOTSTRAP, ORCHESTRATION_ENV (unset:
    production), ORCHESTRATION_ALLOW_PLAINTEXT; any librdkafka property by ORCHESTRATION_KAFKA_<PROPERTY>, or in the
    file ORCHESTRATION_KAFKA_CONFIG names.

    \b
    Exit status: 0 stopped, 1 database not applied, 2 wrong settings,
    3 the stored offsets do not fit the topic (OR701-OR704: see --from).

    \b
    Examples:
      orchestration bridge --from earliest      # the very first start
      orchestration bridge
      ORCHESTRATION_KAFKA_SECURITY_PROTOCOL=SASL_SSL ORCHESTRATION_KAFKA_CONFIG=/etc/orchestration/kafka.properties \\
        orchestration bridge
    """
    log.configure(log_level)
    say = log.logger("cli")
    stop = threading.Event()
    _handle_signals(stop, say)
    try:
        settings = Settings.from_env(begin=begin, batch=batch)
        failpoints.arm(os.environ, dev=settings.dev)
        log.redact_in_logs(secrets(os.environ, settings.kafka))
        Bridge(settings, _version(), stop).run()
    except DeployError as error:
        say.error("refused", error=error.thing, **({"remedy": error.remedy} if error.remedy else {}))
        sys.exit(error.exit_code)
    except Exception:
        say.crash("crashed")
        sys.exit(70)


def _handle_signals(stop: threading.Event, say: log.Log) -> None:
    def end(_number: int, _frame: FrameType | None) -> None:
        if not stop.is_set():
            stop.set()
            watchdog = threading.Timer(_PATIENCE, _force, (say,))
            watchdog.daemon = True
            watchdog.start()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)


def _force(say: log.Log) -> None:
    """A server that hangs shall not keep us: what was not confirmed is sent again by whoever comes next."""
    say.warning("shutdown_forced", seconds=_PATIENCE)
    os._exit(0)


def _version() -> str:
    try:
        return distribution_version(DISTRIBUTION)
    except PackageNotFoundError:
        return "checkout"
