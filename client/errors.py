"""What a call may raise. Every answer of the API that is no success becomes an ApiError."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = [
    "ApiError", "Conflict", "Forbidden", "NotFound", "NotReachable", "OrchestrationError", "PreconditionFailed",
    "RateLimited", "RequestInvalid", "RuleBroken", "Unauthenticated", "Unavailable", "WaitTimeout", "error_of",
]  # fmt: skip


class OrchestrationError(Exception):
    """All errors of this client."""


class NotReachable(OrchestrationError):
    """The API did not answer: connection refused, name unknown, time-out."""


class WaitTimeout(OrchestrationError):
    """The graph run did not end in time."""


class ApiError(OrchestrationError):
    """A problem document (RFC 9457). `code` is the database's SQLSTATE of class OR, `hint` says what to do."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.code: str | None = problem.get("code")
        self.detail = str(problem.get("detail") or problem.get("title") or f"HTTP {status}")
        self.hint: str | None = problem.get("hint")
        self.errors: list[Mapping[str, Any]] = list(problem.get("errors") or [])
        self.request_id: str | None = problem.get("request_id")
        words = self.detail if self.code is None else f"{self.code}: {self.detail}"
        super().__init__(f"{words} ({self.hint})" if self.hint else words)


class RequestInvalid(ApiError):
    """400, 405, 413, 415: not JSON, too large, or a method that is not there."""


class Unauthenticated(ApiError):
    """401: no token, or one that does not count."""


class Forbidden(ApiError):
    """403: the token's scope or labels do not allow it."""


class NotFound(ApiError):
    """404."""


class Conflict(ApiError):
    """409: it conflicts with what exists."""


class PreconditionFailed(ApiError):
    """412: the object was changed since its ETag was read."""


class RuleBroken(ApiError):
    """422: it breaks a rule."""


class RateLimited(ApiError):
    """429: the token asks too often."""


class Unavailable(ApiError):
    """503: the database is away or busy, also after the tries."""


_KINDS: Mapping[int, type[ApiError]] = {
    400: RequestInvalid, 401: Unauthenticated, 403: Forbidden, 404: NotFound, 405: RequestInvalid, 409: Conflict,
    412: PreconditionFailed, 413: RequestInvalid, 415: RequestInvalid, 422: RuleBroken,
    429: RateLimited, 503: Unavailable,
}  # fmt: skip


def error_of(status: int, problem: Mapping[str, Any]) -> ApiError:
    """The exception for an answer."""
    return _KINDS.get(status, ApiError)(status, problem)
