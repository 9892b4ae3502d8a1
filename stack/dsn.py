"""Addresses of databases beside ours on the stack's PostgreSQL."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from psycopg.conninfo import conninfo_to_dict

from . import StackError

__all__ = ["uri"]


def uri(admin_dsn: str, user: str, password: str, database: str, *, instead: str) -> str:
    """A URI at the admin's server. JDBC and Airflow take nothing but URIs.

    Raises StackError where the server cannot be named so; `instead` says what else to do.
    """
    named = {name: str(value) for name, value in conninfo_to_dict(admin_dsn).items() if value is not None}
    host, port = named.get("host", "127.0.0.1"), named.get("port", "5432")
    if host.startswith("/") or "," in host:
        raise StackError(f"ORCHESTRATION_ADMIN_DSN names {host}: name one host, or {instead}")
    kept = {name: value for name, value in named.items() if name.startswith("ssl")}
    return (
        f"postgresql://{user}:{quote(password, safe='')}@{f'[{host}]' if ':' in host else host}:{port}/{database}"
        f"{'?' + urlencode(kept) if kept else ''}"
    )
