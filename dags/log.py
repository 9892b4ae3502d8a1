"""Logs through Airflow's own handlers, without secrets; a server that is away is said once a minute, not once a try."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from urllib.parse import quote

__all__ = ["Outage", "hide_secrets", "logger"]

_ROOT = "orchestration.dags"


class _Redact(logging.Filter):
    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__()
        self._secrets = sorted(
            {form for s in secrets for form in (s, quote(s, safe=""))}, key=len, reverse=True
        )

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        for secret in self._secrets:
            text = text.replace(secret, "***")
        record.msg, record.args = text, ()
        return True


def logger(name: str) -> logging.Logger:
    """The logger `orchestration.dags.<name>`, whatever name the package was imported by."""
    return logging.getLogger(f"{_ROOT}.{name}")


def hide_secrets(secrets: Iterable[str], *names: str) -> None:
    """Cut these out of every line of these loggers from now on."""
    words = set(secrets)
    for name in names if words else ():
        log = logger(name)
        for old in [each for each in log.filters if isinstance(each, _Redact)]:
            log.removeFilter(old)
        log.addFilter(_Redact(words))


class Outage:
    """A server that is away: one line when it goes, one a minute while it stays away, one when it is back."""

    def __init__(self, log: logging.Logger, server: str, every: float = 60.0) -> None:
        self._log = log
        self._server = server
        self._every = every
        self._since: float | None = None
        self._said_at = -every

    def failed(self, reason: str) -> None:
        """It did not answer, or not as it should."""
        now = time.monotonic()
        if self._since is None:
            self._since = now
        if now - self._said_at >= self._every:
            self._said_at = now
            self._log.warning("%s is away for %.0f s: %s", self._server, now - self._since, reason)

    def over(self) -> None:
        """It answered."""
        since, self._since = self._since, None
        if since is not None:
            self._log.info("%s is back after %.1f s", self._server, time.monotonic() - since)

    @property
    def seconds(self) -> float:
        """How long it has been away."""
        return 0.0 if self._since is None else time.monotonic() - self._since
