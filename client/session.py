"""Sends calls, tries again where that is safe, turns problems into exceptions; for threads and for asyncio."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from types import TracebackType
from typing import Any, TypeVar

import httpx

from .errors import WaitTimeout
from .models import GraphRun
from .transport import RETRIED, Call, Settings, pause, unreachable

__all__ = ["AsyncSession", "Session"]

T = TypeVar("T")
S = TypeVar("S", bound="Session")
A = TypeVar("A", bound="AsyncSession")
_POLLS = (0.2, 5.0)  # seconds between two looks of `wait`: at first, at most


class Session:
    """The connection of OrchestrationServiceClient. Close it, or use it as a context manager."""

    def __init__(
        self, url: str | None = None, token: str | None = None, *, timeout: float = 30.0, tries: int = 4,
        transport: httpx.BaseTransport | None = None,
    ) -> None:  # fmt: skip
        """url and token default to ORCHESTRATION_API_URL and ORCHESTRATION_API_TOKEN. Raises ValueError."""
        self.settings = Settings.of(url, token, timeout, tries)
        self._http = httpx.Client(
            base_url=self.settings.url, headers=self.settings.headers, timeout=timeout, transport=transport
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self: S) -> S:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def do(self, call: Call[T]) -> T:
        """The answer of a call. Raises ApiError or NotReachable."""
        request = call.request(self._http)
        tries = self.settings.tries if call.repeatable else 1
        for tried in range(1, tries + 1):
            try:
                response = self._http.send(request)
            except httpx.TransportError as error:
                if tried == tries:
                    raise unreachable(self.settings, error) from error
                time.sleep(pause(self.settings, tried, None))
                continue
            if response.status_code not in RETRIED or tried == tries:
                break
            time.sleep(pause(self.settings, tried, response))
        return call.read(response)

    def pages(self, call: Call[Any]) -> Iterator[Any]:
        """The objects of a collection; the next page is asked for when its first object is."""
        query = dict(call.query)
        while True:
            page = self.do(Call(call.method, call.path, call.parse, query))
            yield from page["items"]
            if page["next_cursor"] is None:
                return
            query["cursor"] = page["next_cursor"]

    def wait(self, graph_run_id: int, timeout: float | None = None) -> GraphRun:
        """The graph run once it has ended. Raises WaitTimeout after `timeout` seconds; None waits for ever."""
        until = None if timeout is None else time.monotonic() + timeout
        between = _POLLS[0]
        while True:
            run = self.do(_look(graph_run_id))
            if run.status != "RUNNING":
                return run
            if until is not None and time.monotonic() + between > until:
                raise WaitTimeout(f"graph run {graph_run_id} is still RUNNING after {timeout:g} s")
            time.sleep(between)
            between = min(_POLLS[1], between * 1.5)


class AsyncSession:
    """The connection of AsyncOrchestrationServiceClient. Close it, or use it as an async context manager."""

    def __init__(
        self, url: str | None = None, token: str | None = None, *, timeout: float = 30.0, tries: int = 4,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:  # fmt: skip
        """url and token default to ORCHESTRATION_API_URL and ORCHESTRATION_API_TOKEN. Raises ValueError."""
        self.settings = Settings.of(url, token, timeout, tries)
        self._http = httpx.AsyncClient(
            base_url=self.settings.url, headers=self.settings.headers, timeout=timeout, transport=transport
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self: A) -> A:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def do(self, call: Call[T]) -> T:
        """The answer of a call. Raises ApiError or NotReachable."""
        request = call.request(self._http)
        tries = self.settings.tries if call.repeatable else 1
        for tried in range(1, tries + 1):
            try:
                response = await self._http.send(request)
            except httpx.TransportError as error:
                if tried == tries:
                    raise unreachable(self.settings, error) from error
                await asyncio.sleep(pause(self.settings, tried, None))
                continue
            if response.status_code not in RETRIED or tried == tries:
                break
            await asyncio.sleep(pause(self.settings, tried, response))
        return call.read(response)

    async def pages(self, call: Call[Any]) -> AsyncIterator[Any]:
        """The objects of a collection; the next page is asked for when its first object is."""
        query = dict(call.query)
        while True:
            page = await self.do(Call(call.method, call.path, call.parse, query))
            for each in page["items"]:
                yield each
            if page["next_cursor"] is None:
                return
            query["cursor"] = page["next_cursor"]

    async def wait(self, graph_run_id: int, timeout: float | None = None) -> GraphRun:
        """The graph run once it has ended. Raises WaitTimeout after `timeout` seconds; None waits for ever."""
        until = None if timeout is None else time.monotonic() + timeout
        between = _POLLS[0]
        while True:
            run = await self.do(_look(graph_run_id))
            if run.status != "RUNNING":
                return run
            if until is not None and time.monotonic() + between > until:
                raise WaitTimeout(f"graph run {graph_run_id} is still RUNNING after {timeout:g} s")
            await asyncio.sleep(between)
            between = min(_POLLS[1], between * 1.5)


def _look(graph_run_id: int) -> Call[GraphRun]:
    return Call("GET", f"/graph-runs/{graph_run_id}", GraphRun.of)
