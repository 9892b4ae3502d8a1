"""`python -m orchestration.bridge` is `orchestration bridge`."""

from __future__ import annotations

from .cli import bridge

if __name__ == "__main__":
    bridge(prog_name="orchestration bridge")
