"""Bearer tokens, scopes, and how often a token may ask."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from flask import g, request

from .database import Database
from .problems import Problem

__all__ = ["PREFIX", "SCOPES", "Authenticator", "Caller", "Scope", "caller"]

PREFIX = "orc_"
SCOPES = ("read", "operate", "configure", "admin")
Scope = str

_REMEMBERED = 1.0  # seconds: so long a revoked token may still count
_MOST = 10_000


@dataclass(frozen=True)
class Caller:
    """Whose token came with the request."""

    id: int
    name: str
    scope: Scope
    labels: dict[str, Any] | None
    rate_limit: int

    def require(self, scope: Scope) -> None:
        """Raises Problem 403."""
        if SCOPES.index(self.scope) < SCOPES.index(scope):
            raise Problem(
                403,
                f"token {self.name} has scope {self.scope}; this needs {scope}",
                f"Use a token made by: orchestration tokens create --name … --scope {scope}",
            )

    def require_unlimited(self, what: str) -> None:
        """Raises Problem 403 where the token is limited to graphs by label."""
        if self.labels is not None:
            raise Problem(
                403,
                f"token {self.name} is limited to graphs with labels {self.labels}; it may not {what}",
                "Use a token without --label.",
            )


class Bucket:
    """So many requests a second, twice as many at once."""

    def __init__(self) -> None:
        self._left = -1.0
        self._at = 0.0

    def take(self, rate: int, now: float) -> float:
        """0, or the seconds until the next one may come."""
        most = max(1.0, 2.0 * rate)
        self._left = most if self._left < 0 else min(most, self._left + (now - self._at) * rate)
        self._at = now
        if self._left >= 1:
            self._left -= 1
            return 0.0
        return (1 - self._left) / rate


class Authenticator:
    """Answers who asks; remembers tokens for a second, so that a busy caller costs no look-up a request."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._known: dict[bytes, tuple[float, Caller]] = {}
        self._buckets: dict[int, Bucket] = {}

    def identify(self) -> Caller:
        """The caller of this request. Raises Problem 401 or 429."""
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token.strip():
            raise _unauthenticated(
                "no bearer token was sent", "Send the header Authorization: Bearer <token>."
            )
        found = self._look_up(sha256(token.strip().encode("utf-8", "replace")).digest())
        if found is None:
            raise _unauthenticated(
                "the token is unknown, expired or revoked",
                "Make one: orchestration tokens create --name … --scope …",
            )
        with self._lock:
            wait = self._buckets.setdefault(found.id, Bucket()).take(found.rate_limit, time.monotonic())
        if wait > 0:
            raise Problem(
                429,
                f"token {found.name} may ask {found.rate_limit} times a second",
                "Wait, or have the limit raised: orchestration tokens create --rate-limit …",
                headers={"Retry-After": str(max(1, round(wait)))},
            )
        return found

    def _look_up(self, digest: bytes) -> Caller | None:
        now = time.monotonic()
        with self._lock:
            known = self._known.get(digest)
            if known is not None and now - known[0] < _REMEMBERED:
                return known[1]
        with self._database.reading() as connection:
            row = connection.execute("select * from orchestration.authenticate(%s)", [digest]).fetchone()
        if row is None:
            with self._lock:
                self._known.pop(digest, None)
            return None
        found = Caller(row["id"], row["name"], row["scope"], row["labels"], row["rate_limit"])
        with self._lock:
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[digest] = (now, found)
        return found


def caller() -> Caller:
    """The caller of the request at hand."""
    found: Caller = g.caller
    return found


def _unauthenticated(detail: str, hint: str) -> Problem:
    return Problem(401, detail, hint, headers={"WWW-Authenticate": 'Bearer realm="orchestration"'})
