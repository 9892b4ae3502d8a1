"""What one listener task does: the consume loop, and beside it, in a thread, the sweeper."""

from __future__ import annotations

import threading

from .listener import Listener
from .log import hide_secrets, logger
from .outbox import Outbox
from .settings import Settings, secrets
from .sweeper import Orchestrator, Sweeper, orchestrator
from .trigger import Airflow, connect

__all__ = ["listen"]

log = logger("listener")


def listen(stop: threading.Event, *, sweeps: bool, settings: Settings | None = None) -> dict[str, int]:
    """Returns after the lifetime, or soon after `stop` is set. Raises ListenerError."""
    settings = settings or Settings.from_env()
    hide_secrets(secrets(settings), "listener", "sweeper")
    airflow = connect(settings)
    listener = Listener(settings, airflow, stop)
    ended = threading.Event()
    sweeper = _start_sweeper(settings, airflow, ended) if sweeps else None
    try:
        return listener.run().words()
    finally:
        ended.set()
        if sweeper is not None:
            sweeper.join(10)
        airflow.close()


def _start_sweeper(settings: Settings, airflow: Airflow, ended: threading.Event) -> threading.Thread:
    ours: Orchestrator | None = None
    if settings.api_url:
        ours = orchestrator(settings.api_url, settings.api_token, settings.service)
    outbox = Outbox(settings.producer(), logger("sweeper"))
    sweeper = Sweeper(settings.service, ours, airflow, outbox)
    thread = threading.Thread(target=sweeper.run, args=(settings.sweep, ended), name="sweeper", daemon=True)
    thread.start()
    return thread
