"""Where PostgreSQL is: read once from the environment, checked before any connection.

Every program that opens PostgreSQL takes its DSN from here, so that the rules hold everywhere: TLS or a named
permission outside DEV, the DEV password in DEV only, and no password in an error, a log or `ps`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from .errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DSN = "ORCHESTRATION_DSN"
ADMIN_DSN = "ORCHESTRATION_ADMIN_DSN"
ENV = "ORCHESTRATION_ENV"
ALLOW_PLAINTEXT = "ORCHESTRATION_ALLOW_PLAINTEXT"

DEV_PASSWORD = "usrofa001_orchestration_tech_user"  # noqa: S105 - public, and refused outside DEV
DEFAULT_DATABASE = "orchestration"
EXAMPLE = "postgresql://user:password@host:5432/orchestration?sslmode=verify-full"
PROTECTED = ("kafka", "postgresql")
_TLS = ("require", "verify-ca", "verify-full")
_MAINTENANCE = ("postgres", "template1", "template0")


@dataclass(frozen=True)
class Settings:
    """The environment, checked in part: a DSN is checked when it is asked for, by `app` or `admin`."""

    dsn: str | None = field(default=None, repr=False)
    admin_dsn: str | None = field(default=None, repr=False)
    dev: bool = False
    allow_plaintext: frozenset[str] = frozenset()

    @classmethod
    def from_env(
        cls, environ: Mapping[str, str] | None = None, *, dsn: str | None = None, admin_dsn: str | None = None
    ) -> Settings:
        """Read the environment; `dsn` and `admin_dsn` win over it. Raises SettingsError for unknown words."""
        env = os.environ if environ is None else environ
        allowed = frozenset(word.strip() for word in env.get(ALLOW_PLAINTEXT, "").split(",") if word.strip())
        if unknown := sorted(allowed.difference(PROTECTED)):
            raise SettingsError(
                f"{ALLOW_PLAINTEXT} does not know {', '.join(map(repr, unknown))}",
                f"it is a list of: {', '.join(PROTECTED)}",
            )
        return cls(
            dsn=dsn or env.get(DSN) or None,
            admin_dsn=admin_dsn or env.get(ADMIN_DSN) or None,
            dev=env.get(ENV, "").strip() == "dev",
            allow_plaintext=allowed,
        )

    def app(self) -> Target:
        """The application's database. Raises SettingsError: the DSN is missing, malformed or not allowed."""
        return self._target(DSN, self.dsn)

    def admin(self, database: str | None = None) -> Target:
        """The database to create or apply, with the admin's credentials; `database` wins over both DSNs."""
        target = self._target(ADMIN_DSN, self.admin_dsn)
        name = database or self._database(target)
        return target.at(name)

    def _database(self, admin: Target) -> str:
        if self.dsn and (name := Target.parse(DSN, self.dsn).params.get("dbname")):
            return str(name)
        own = admin.params.get("dbname")
        return str(own) if own and own not in _MAINTENANCE else DEFAULT_DATABASE

    def _target(self, variable: str, dsn: str | None) -> Target:
        if not dsn:
            raise SettingsError(f"{variable} is not set", f"set it, for example {EXAMPLE}")
        plaintext = self.dev or "postgresql" in self.allow_plaintext
        target = replace(Target.parse(variable, dsn), dev=self.dev, plaintext=plaintext)
        if not self.dev and target.password == DEV_PASSWORD:
            raise dev_password_refused(variable)
        if not plaintext and not target.encrypted:
            raise plaintext_refused(target)
        return target


@dataclass(frozen=True)
class Target:
    """One DSN, parsed: its variable's name for messages, libpq's parameters, and what is permitted."""

    variable: str
    params: Mapping[str, Any] = field(repr=False)
    dev: bool = False
    plaintext: bool = False

    @classmethod
    def parse(cls, variable: str, dsn: str) -> Target:
        """Raises SettingsError, never quoting the DSN: libpq's own message may hold a part of the password."""
        try:
            params = conninfo_to_dict(dsn)
        except psycopg.Error:
            raise SettingsError(
                f"{variable} is not a PostgreSQL connection string",
                f"write {EXAMPLE}; a user or password that holds @ : / ? # % must be percent-encoded",
            ) from None
        host, port, name = (str(params.get(key) or "") for key in ("host", "port", "dbname"))
        if "@" in host.lstrip("@") or "@" in name or (not port.replace(",", "").isdigit() and port):
            raise SettingsError(
                f"{variable} has an @, : or / too many",
                "percent-encode those that belong to the user or the password: @ is %40, : is %3A, / is %2F",
            )
        return cls(variable, params)

    def at(self, database: str) -> Target:
        """The same server and credentials, another database."""
        return replace(self, params={**self.params, "dbname": database})

    @property
    def dsn(self) -> str:
        """libpq's key=value form, with the password: for connecting, never for showing."""
        return make_conninfo("", **self.params)

    @property
    def user(self) -> str:
        return str(self._get("user") or "")

    @property
    def password(self) -> str:
        return str(self._get("password") or "")

    @property
    def database(self) -> str:
        return str(self._get("dbname") or self.user or "the default database")

    @property
    def server(self) -> str:
        """`host:port` of every host named, for messages; a folder for a local socket."""
        hosts = str(self._get("host") or self._get("hostaddr") or "the local socket").split(",")
        ports = str(self._get("port") or "5432").split(",")
        return ",".join(f"{host}:{ports[min(i, len(ports) - 1)]}" for i, host in enumerate(hosts))

    @property
    def encrypted(self) -> bool:
        """True if nothing leaves this machine in clear: TLS is demanded, or every host is a local socket."""
        if self._get("sslmode") in _TLS:
            return True
        if self._get("hostaddr"):
            return False
        return all(not host or host[0] in "/@" for host in str(self._get("host") or "").split(","))

    def __str__(self) -> str:
        return f"database {self.database} at {self.server}"

    def _get(self, key: str) -> Any:
        return self.params.get(key) or _libpq_defaults().get(key)


def dev_password_refused(variable: str) -> SettingsError:
    """The error for the DEV password outside DEV."""
    return SettingsError(
        f"{variable} holds the DEV password, which is public",
        f"give the role a password of its own, or set {ENV}=dev on a developer's machine",
    )


def plaintext_refused(target: Target) -> SettingsError:
    """The error for a connection without TLS that nobody permitted."""
    return SettingsError(
        f"{target.variable} allows a connection to {target.server} without TLS",
        f"add sslmode=require, verify-ca or verify-full to it, or permit it by {ALLOW_PLAINTEXT}=postgresql",
    )


def redact(text: str, secrets: Iterable[str]) -> str:
    """`text` without any of `secrets`, plain or percent-encoded: the last net under every message."""
    for secret in sorted({s for s in secrets if s}, key=len, reverse=True):
        for form in {secret, quote(secret, safe=""), quote(secret), unquote(secret)}:
            text = text.replace(form, "***")
    return text


def known_secrets(environ: Mapping[str, str] | None = None) -> set[str]:
    """Every password the environment's DSNs bear, for `redact`."""
    env = os.environ if environ is None else environ
    found = {env.get("PGPASSWORD", "")}
    for variable in (DSN, ADMIN_DSN):
        try:
            found.add(Target.parse(variable, env.get(variable, "")).password)
        except SettingsError:
            found.add(env.get(variable, ""))
    return {secret for secret in found if secret}


def _libpq_defaults() -> dict[str, str]:
    """What libpq fills in from its environment and service file, by keyword."""
    return {
        option.keyword.decode(): option.val.decode(errors="replace")
        for option in psycopg.pq.Conninfo.get_defaults()
        if option.val
    }
