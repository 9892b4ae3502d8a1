"""What the API reads from the environment, once, at its start."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from orchestration.db.errors import SettingsError
from orchestration.db.settings import Settings as DatabaseSettings
from orchestration.db.settings import Target

__all__ = ["Settings"]

PREFIX = "ORCHESTRATION_API_"


@dataclass(frozen=True)
class Settings:
    """The database, the address to listen at, and the limits."""

    database: Target
    host: str = "127.0.0.1"
    port: int = 8080
    threads: int = 8
    pool: int = 8
    pool_timeout: float = 2.0
    body_limit: int = 1_048_576
    statement_timeout: float = 10.0

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None, **options: str | int | None) -> Settings:
        """Read ORCHESTRATION_DSN and ORCHESTRATION_API_…; `options` that are not None win. Raises SettingsError."""
        env = os.environ if environ is None else environ
        return cls(
            database=DatabaseSettings.from_env(env).app(),
            host=str(options.get("host") or env.get(PREFIX + "HOST") or cls.host),
            port=int(_number(env, "PORT", options.get("port"), cls.port, 0, 65535)),
            threads=int(_number(env, "THREADS", options.get("threads"), cls.threads, 1, 256)),
            pool=int(_number(env, "POOL", None, cls.pool, 1, 256)),
            pool_timeout=_number(env, "POOL_TIMEOUT", None, cls.pool_timeout, 0.05, 60),
            body_limit=int(_number(env, "BODY_LIMIT", None, cls.body_limit, 1024, 64 * 1024 * 1024)),
            statement_timeout=_number(env, "STATEMENT_TIMEOUT", None, cls.statement_timeout, 0.1, 600),
        )


def _number(
    env: Mapping[str, str], name: str, given: str | int | None, default: float, least: float, most: float
) -> float:
    text = str(given) if given is not None else env.get(PREFIX + name, "").strip() or str(default)
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        raise SettingsError(f"{PREFIX}{name} is {text!r}", f"write a number from {least:g} to {most:g}")
    return value
