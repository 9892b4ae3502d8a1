"""What a user of the orchestrator runs and imports: the command `orchestration`."""

from __future__ import annotations
