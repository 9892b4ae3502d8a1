"""The Python client of the orchestration service: httpx and nothing else.

with OrchestrationServiceClient() as service:  # ORCHESTRATION_API_URL, ORCHESTRATION_API_TOKEN
    run = service.launch_graph(7, run_key="2026-11-22")
    print(service.wait(run.id, timeout=600).status)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import (
    ApiError,
    Conflict,
    Forbidden,
    NotFound,
    NotReachable,
    OrchestrationError,
    PreconditionFailed,
    RateLimited,
    RequestInvalid,
    RuleBroken,
    Unauthenticated,
    Unavailable,
    WaitTimeout,
)  # fmt: skip

if TYPE_CHECKING:
    from .aio import AsyncOrchestrationServiceClient
    from .client import OrchestrationServiceClient
    from .transport import UNSET

__all__ = [
    "UNSET", "ApiError", "AsyncOrchestrationServiceClient", "Conflict", "Forbidden", "NotFound", "NotReachable",
    "OrchestrationError", "OrchestrationServiceClient", "PreconditionFailed", "RateLimited", "RequestInvalid",
    "RuleBroken", "Unauthenticated", "Unavailable", "WaitTimeout",
]  # fmt: skip

_LATE = {
    "AsyncOrchestrationServiceClient": "aio",
    "OrchestrationServiceClient": "client",
    "UNSET": "transport",
}


def __getattr__(name: str) -> Any:
    """httpx is loaded with the client, not with the command line that holds `orchestration db` too."""
    if name in _LATE:
        from importlib import import_module

        return getattr(import_module(f".{_LATE[name]}", __name__), name)
    raise AttributeError(name)
