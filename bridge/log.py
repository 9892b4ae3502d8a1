"""Structured logs: an event name and fields, one JSON object a line; words for a person where stderr is a terminal.

    log = logger("consumer")
    log.info("assigned", partitions=[0, 1])     # {"ts": "…Z", "level": "info", "event": "assigned", …}

No password reaches a line: what `redact_in_logs` was told is cut out of every one.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import IO, Any

from orchestration.db.settings import redact

ROOT = "orchestration.bridge"
LEVELS = ("debug", "info", "warning", "error")

_secrets: set[str] = set()


class Log:
    """A named logger whose messages are event names with fields."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger

    def debug(self, event: str, **fields: Any) -> None:
        self._log(logging.DEBUG, event, fields)

    def info(self, event: str, **fields: Any) -> None:
        self._log(logging.INFO, event, fields)

    def warning(self, event: str, **fields: Any) -> None:
        self._log(logging.WARNING, event, fields)

    def error(self, event: str, **fields: Any) -> None:
        self._log(logging.ERROR, event, fields)

    def crash(self, event: str, **fields: Any) -> None:
        """An error nobody foresaw, with where it happened: call it from an except clause."""
        error = sys.exc_info()[1]
        trace = error.__traceback__ if error else None
        while trace and trace.tb_next:
            trace = trace.tb_next
        where = f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}" if trace else None
        self._log(
            logging.ERROR, event, {**fields, "error": f"{type(error).__name__}: {error}", "where": where}
        )

    def _log(self, level: int, event: str, fields: dict[str, Any]) -> None:
        if self._logger.isEnabledFor(level):
            self._logger.log(level, event, extra={"fields": fields})


def logger(name: str) -> Log:
    """The logger `orchestration.bridge.<name>`, whatever name the package was imported by."""
    return Log(logging.getLogger(f"{ROOT}.{name}"))


def configure(level: str = "info", stream: IO[str] | None = None) -> None:
    """Send every log of the bridge to `stream` (stderr): words on a terminal, JSON lines elsewhere."""
    out = sys.stderr if stream is None else stream
    handler = logging.StreamHandler(out)
    handler.setFormatter(Words() if out.isatty() else JsonLines())
    root = logging.getLogger(ROOT)
    root.handlers = [handler]
    root.setLevel(level.upper())
    root.propagate = False


def redact_in_logs(secrets: Iterable[str]) -> None:
    """Cut these out of every line from now on."""
    _secrets.update(secret for secret in secrets if secret)


class JsonLines(logging.Formatter):
    """{"ts", "level", "event", "logger", …fields}"""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "ts": _timestamp(record),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "logger": record.name.removeprefix(ROOT + "."),
            **getattr(record, "fields", {}),
        }
        return redact(json.dumps(line, default=str, ensure_ascii=False), _secrets)


class Words(logging.Formatter):
    """12:00:00.000 info    assigned  partitions=[0, 1]"""

    def format(self, record: logging.LogRecord) -> str:
        fields = "  ".join(f"{name}={value}" for name, value in getattr(record, "fields", {}).items())
        clock = _timestamp(record)[11:23]
        return redact(
            f"{clock} {record.levelname.lower():7} {record.getMessage()}  {fields}".rstrip(), _secrets
        )


def _timestamp(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


class Outage:
    """A server that is away: one line when it goes, one a minute while it stays away, one when it is back.

    One that comes and goes gets no more than these either.
    """

    def __init__(self, log: Log, server: str, every: float = 60.0) -> None:
        self._log = log
        self._server = server
        self._every = every
        self._since: float | None = None
        self._said_at = -every
        self._said = False

    def failed(self, reason: str, **fields: Any) -> None:
        """It did not answer, or not as it should."""
        now = time.monotonic()
        if self._since is None:
            self._since = now
            self._said = False
        if now - self._said_at >= self._every:
            self._said_at = now
            self._said = True
            seconds = round(now - self._since)
            self._log.warning("away", server=self._server, reason=reason, seconds=seconds, **fields)

    def over(self) -> None:
        """It answered."""
        since, self._since = self._since, None
        if since is not None and self._said:
            self._log.info("back", server=self._server, seconds=round(time.monotonic() - since, 1))
