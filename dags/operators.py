"""The listener as an Airflow operator, so that it hears when Airflow ends its task."""

from __future__ import annotations

import threading
from typing import Any

from airflow.sdk import BaseOperator

__all__ = ["ListenOperator"]


class ListenOperator(BaseOperator):  # type: ignore[misc]
    """Consumes dispatches until its lifetime is over. `sweeps`: it is the one that also runs the sweeper."""

    ui_color = "#d6e4f0"

    def __init__(self, *, sweeps: bool, **more: Any) -> None:
        super().__init__(**more)
        self.sweeps = sweeps
        self._stop: threading.Event | None = None

    def execute(self, context: Any) -> dict[str, int]:
        """How many dispatches were accepted, repeated, refused, unreadable."""
        from .run import listen

        self._stop = threading.Event()
        return listen(self._stop, sweeps=self.sweeps)

    def on_kill(self) -> None:
        if self._stop is not None:
            self._stop.set()
