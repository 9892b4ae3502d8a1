"""`python3 -m stack.prepare stack|dev`: the virtual environment and the system packages, both at once.

Runs before there is an environment, so with the standard library only. System packages that cannot be had are named
by whoever needs them; only the virtual environment is a must here.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from . import StackError, docker
from .kafka import fetched
from .layout import ROOT
from .packages import require
from .sources import FORCE, users_own
from .venv import ensure

__all__ = ["main", "needs"]


def needs(extra: str) -> list[str]:
    """What of `packages.NEEDS` will be needed where nothing else is known: by `up` (`stack`), by tests too (`dev`)."""
    wanted = ["shellcheck"] if extra == "dev" else []
    if docker.engine_answers() and os.environ.get(FORCE) in (None, "docker"):
        return wanted
    own = users_own(os.environ) if extra == "stack" else {}
    if "ORCHESTRATION_ADMIN_DSN" not in own:
        wanted.append("postgres")
    if "ORCHESTRATION_KAFKA_BOOTSTRAP" not in own and os.environ.get(FORCE) != "fallback":
        wanted += ["java"] if _has_jars() else ["java", "maven"]
    return wanted


def _has_jars() -> bool:
    try:
        return fetched() is not None
    except StackError:
        return False


def main() -> None:
    """StackError where the virtual environment cannot be made."""
    extra = sys.argv[1]
    log = ROOT / ".run" / "logs" / "apt.log"
    with ThreadPoolExecutor(1) as pool:

        def packages() -> None:
            with suppress(StackError):
                require(*needs(extra), log=log)

        installing = pool.submit(packages)
        ensure(extra)
        installing.result()


if __name__ == "__main__":
    try:
        main()
    except StackError as problem:
        sys.exit(f"error: {problem}")
