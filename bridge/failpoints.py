"""Named points at which a test may have the process killed or frozen, at its n-th passing.

`ORCHESTRATION_FAILPOINT=after_commit:3` kills it by SIGKILL at the third passing of `after_commit`,
`before_ingest:3:stop` freezes it there by SIGSTOP: a zombie, once another has taken over. Refused outside DEV.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping

from .errors import SettingsError

VARIABLE = "ORCHESTRATION_FAILPOINT"

NAMES = (
    "after_register",
    "on_assign",
    "after_claim",
    "after_poll",
    "before_ingest",
    "after_ingest_before_commit",
    "after_commit",
    "before_produce",
    "after_produce",
    "before_confirm",
    "after_confirm",
    "before_quarantine",
    "after_quarantine",
    "dispatcher_before_take",
    "dispatcher_after_take",
    "dispatcher_after_produce",
    "before_release",
    "before_retire",
    "after_retire",
)
"""In the order in which a life of the bridge passes them."""

_armed: str | None = None
_passes_left = 0
_signal = signal.SIGKILL


def arm(environ: Mapping[str, str], *, dev: bool) -> None:
    """Read the variable. Raises SettingsError outside DEV, or where it names no point."""
    global _armed, _passes_left, _signal
    text = environ.get(VARIABLE, "").strip()
    _armed = None
    if not text:
        return
    name, count, deed = [*text.split(":"), "", ""][:3]
    if not dev:
        raise SettingsError(
            f"{VARIABLE} is set, which kills the bridge", "unset it, or set ORCHESTRATION_ENV=dev"
        )
    if name not in NAMES or not (count or "1").isdigit() or int(count or "1") < 1 or deed not in ("", "stop"):
        raise SettingsError(
            f"{VARIABLE}={text} names no failpoint", f"write <name>[:n[:stop]] with one of {', '.join(NAMES)}"
        )
    _armed, _passes_left = name, int(count or "1")
    _signal = signal.SIGSTOP if deed else signal.SIGKILL


def armed(name: str) -> bool:
    """Whether `name` is the point to be killed at."""
    return _armed == name


def reach(name: str) -> None:
    """This point is passed; does nothing unless it is armed."""
    global _armed, _passes_left
    if _armed == name:
        _passes_left -= 1
        if _passes_left <= 0:
            _armed = None
            os.kill(os.getpid(), _signal)
            if _signal is signal.SIGKILL:
                signal.pause()  # it is on its way: nothing of what follows may happen
