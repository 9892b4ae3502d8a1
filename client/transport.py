"""How a call goes over HTTP, without doing it: the two clients share this and differ in `await` only."""

from __future__ import annotations

import os
import random
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Final, Generic, TypeVar
from urllib.parse import quote

import httpx

from .errors import ApiError, NotReachable, error_of

__all__ = [
    "UNSET", "Call", "Settings", "Unset", "instant", "instant_or_none", "nothing", "pause", "problem", "raw", "segment",
    "sent", "text_of", "unreachable",
]  # fmt: skip

T = TypeVar("T")


class Unset:
    """The type of UNSET."""

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset()
"""Left out: the database's default, or no change. None means null."""

RETRIED = (429, 502, 503, 504)


@dataclass(frozen=True)
class Settings:
    """Where the API is, and how patient the client is."""

    url: str
    token: str | None = field(default=None, repr=False)
    timeout: float = 30.0
    tries: int = 4
    pause: float = 0.25

    @classmethod
    def of(cls, url: str | None, token: str | None, timeout: float, tries: int) -> Settings:
        """ORCHESTRATION_API_URL and ORCHESTRATION_API_TOKEN where they are not given. Raises ValueError."""
        found = url or os.environ.get("ORCHESTRATION_API_URL", "")
        if not found.startswith(("http://", "https://")):
            raise ValueError(
                "no address of the API: give url, or set ORCHESTRATION_API_URL (http://host:port)"
            )
        return cls(
            found.rstrip("/").removesuffix("/api/v1"),
            token or os.environ.get("ORCHESTRATION_API_TOKEN") or None,
            timeout,
            max(1, tries),
        )

    @property
    def headers(self) -> dict[str, str]:
        found = {"Accept": "application/json", "User-Agent": "orchestration-client"}
        if self.token:
            found["Authorization"] = f"Bearer {self.token}"
        return found


@dataclass(frozen=True)
class Call(Generic[T]):
    """One request and how to read its answer. Every call may be sent again: a POST bears an Idempotency-Key."""

    method: str
    path: str
    parse: Callable[[Any], T]
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    if_match: str | None = None
    idempotency_key: str | None = None

    def request(self, client: httpx.Client | httpx.AsyncClient) -> httpx.Request:
        """The same request at each try, so that a POST is done once."""
        headers = {}
        if self.if_match is not None:
            headers["If-Match"] = f'"{self.if_match}"'
        if self.method == "POST":
            headers["Idempotency-Key"] = self.idempotency_key or str(uuid.uuid4())
        return client.build_request(
            self.method, "/api/v1" + self.path, params=sent(self.query), json=self.body, headers=headers
        )

    @property
    def repeatable(self) -> bool:
        """PATCH without ETag could undo somebody else's change if it were sent again late."""
        return self.method != "PATCH" or self.if_match is not None

    def read(self, response: httpx.Response) -> T:
        """Raises ApiError."""
        if response.is_success:
            if response.status_code == httpx.codes.NO_CONTENT:
                return self.parse(None)
            found = response.json()
            etag = response.headers.get("ETag")
            if etag is not None and isinstance(found, dict):
                found = {**found, "etag": etag.removeprefix("W/").strip('"')}
            return self.parse(found)
        raise problem(response)


def problem(response: httpx.Response) -> ApiError:
    """The exception for an answer that is no success."""
    try:
        body = response.json()
    except ValueError:
        body = {"detail": f"{response.status_code} {response.reason_phrase} from {response.request.url.host}"}
    return error_of(response.status_code, body if isinstance(body, dict) else {})


def pause(settings: Settings, tried: int, response: httpx.Response | None) -> float:
    """Seconds before the next try: what the answer asks for, else doubling with jitter."""
    wanted = response.headers.get("Retry-After", "") if response is not None else ""
    grown: float = settings.pause * 2 ** (tried - 1) * random.uniform(0.5, 1.0)
    return min(30.0, max(float(wanted), grown)) if wanted.isdigit() else grown


def unreachable(settings: Settings, error: httpx.TransportError) -> NotReachable:
    """The exception for no answer at all."""
    return NotReachable(
        f"{settings.url} does not answer ({error}): start the API, or correct ORCHESTRATION_API_URL"
    )


def sent(values: Mapping[str, Any]) -> dict[str, Any]:
    """What is sent of `values`: nothing that was left out, times in RFC 3339."""
    return {name: text_of(value) for name, value in values.items() if not isinstance(value, Unset)}


def text_of(value: Any) -> Any:
    """Times as RFC 3339 in UTC, everything else as it is."""
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")
    return value


def instant(text: str) -> datetime:
    """A time of the API; before Python 3.11 fromisoformat knows no Z."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def instant_or_none(text: str | None) -> datetime | None:
    """A time that may be null."""
    return None if text is None else instant(text)


def raw(found: Any) -> Any:
    """The JSON itself."""
    return found


def nothing(_found: Any) -> None:
    """No answer is expected."""


def segment(value: object) -> str:
    """A part of a path."""
    return quote(str(value), safe="")
